/* convert_crash.c - types of field maps for what records of crashes hold. */
#include <string.h>

#include "base/arena.h"
#include "base/raw.h"
#include "base/text.h"
#include "facts/fieldmap.h"

static bool give_str(fl_str text, fl_value *ret_value) {
  if (text.n == 0) return false;
  *ret_value = (fl_value){.kind = FL_V_STR, .as.text = text};
  return true;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static fl_str trim(fl_str s) {
  while (s.n && is_blank(s.p[0])) s = (fl_str){s.p + 1, s.n - 1};
  while (s.n && is_blank(s.p[s.n - 1])) s.n--;
  return s;
}

static int digit_of(char c) {
  const char lower = fl_lower(c);
  if (fl_is_digit(c)) return c - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The hexadecimal number that a text begins with; the number of its digits. */
static size_t hex_at(fl_str text, uint64_t *ret_number) {
  size_t n = 0;
  *ret_number = 0;
  for (; n < text.n && n < 16 && digit_of(text.p[n]) >= 0; n++)
    *ret_number = *ret_number << 4 | (uint64_t)digit_of(text.p[n]);
  return n;
}

/* "svchost.exe_TermService": a service host names the service that it ran. */
bool fl_convert_svchost(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str host = FL_STR("svchost.exe_");
  const fl_str text = trim(fl_value_text(value, arena));
  if (text.n <= host.n || !fl_str_eq_nocase((fl_str){text.p, host.n}, host)) return false;
  return give_str((fl_str){text.p + host.n, text.n - host.n}, ret_value);
}

/* The last part of a path. */
bool fl_convert_file(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = trim(fl_value_text(value, arena));
  size_t at = text.n;
  if (text.n == 0) return false;
  while (at > 0 && text.p[at - 1] != '\\' && text.p[at - 1] != '/') at--;
  return give_str((fl_str){text.p + at, text.n - at}, ret_value);
}

/* "Application: mstsc.exe" in any language: what follows the colon of the first line. */
bool fl_convert_program_in(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str line = fl_value_text(value, arena);
  const char *end = line.n ? memchr(line.p, '\n', line.n) : NULL;
  if (end) line.n = (size_t)(end - line.p);
  const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
  if (!colon) return false;
  line = trim((fl_str){colon + 1, line.n - (size_t)(colon + 1 - line.p)});
  if (line.n <= 4 || !fl_str_eq_nocase((fl_str){line.p + line.n - 4, 4}, FL_STR(".exe")))
    return false;
  return give_str(line, ret_value);
}

static bool is_name_char(char c) {
  const char lower = fl_lower(c);
  return (lower >= 'a' && lower <= 'z') || fl_is_digit(c) || c == '.' || c == '_' || c == '+' ||
         c == '`';
}

/* "System.NullReferenceException": the first name with a dot that ends so. */
bool fl_convert_exception_in(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = fl_value_text(value, arena), end = FL_STR("Exception");
  for (size_t at = 0; at < text.n;) {
    size_t n = 0;
    while (at + n < text.n && is_name_char(text.p[at + n])) n++;
    const bool is_name = n > end.n && memchr(text.p + at, '.', n);
    if (is_name && memcmp(text.p + at + n - end.n, end.p, end.n) == 0)
      return give_str((fl_str){text.p + at, n}, ret_value);
    at += n + 1;
  }
  return false;
}

/* Hexadecimal digits of a FILETIME, with or without 0x. */
bool fl_convert_filetime_bare(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint64_t filetime = 0;
  char text[FL_SHORT_TEXT_MAX];
  fl_str digits = trim(fl_value_text(value, arena));
  if (value->kind == FL_V_UINT) {
    filetime = value->as.natural;
  } else {
    if (digits.n > 2 && digits.p[0] == '0' && fl_lower(digits.p[1]) == 'x')
      digits = (fl_str){digits.p + 2, digits.n - 2};
    if (digits.n == 0 || hex_at(digits, &filetime) != digits.n) return false;
  }
  if (filetime == 0) return false;
  return give_str(fl_arena_str(arena, (fl_str){text, fl_put_filetime(filetime, text)}), ret_value);
}

/* The second of two SYSTEMTIMEs of a binary, which decoding has made hexadecimal text: EventLog
 * 6008 writes the local time first and UTC behind it. */
bool fl_convert_systemtime_2(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  enum { BYTES = 16 };
  uint8_t bytes[BYTES];
  char text[FL_SHORT_TEXT_MAX];
  if (value->kind != FL_V_STR || value->as.text.n < 4 * BYTES) return false;
  const char *digits = value->as.text.p + 2 * BYTES;
  for (size_t i = 0; i < BYTES; i++) {
    const int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = (uint8_t)(high << 4 | low);
  }
  const size_t n = fl_put_systemtime(bytes, text);
  if (n == 0 || text[0] == '0') return false; /* an empty one has no year */
  return give_str(fl_arena_printf(arena, "%.*sZ", (int)n, text), ret_value);
}

/* "0x0000007e (0x1, 0x2, 0x3, 0x4)": the n-th number that is written so. */
static bool nth_hex(const fl_value *value, fl_arena *arena, unsigned n, fl_value *ret_value) {
  const fl_str text = fl_value_text(value, arena);
  for (size_t at = 0; at + 2 < text.n; at++) {
    uint64_t number = 0;
    if (text.p[at] != '0' || fl_lower(text.p[at + 1]) != 'x') continue;
    const size_t n_digits = hex_at((fl_str){text.p + at + 2, text.n - at - 2}, &number);
    if (n_digits == 0) continue;
    if (--n == 0) {
      *ret_value = (fl_value){.kind = FL_V_UINT, .as.natural = number};
      return true;
    }
    at += 1 + n_digits;
  }
  return false;
}

bool fl_convert_hex_2(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return nth_hex(value, arena, 2, ret_value);
}

bool fl_convert_hex_3(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return nth_hex(value, arena, 3, ret_value);
}

bool fl_convert_hex_4(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return nth_hex(value, arena, 4, ret_value);
}

bool fl_convert_hex_5(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return nth_hex(value, arena, 5, ret_value);
}
