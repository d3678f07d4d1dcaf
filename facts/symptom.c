/* symptom.c - what a user tells of a failure: codes, or the pasted text of the client's dialog. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "facts/fieldmap.h"

enum { GUID_TEXT = 36, SYMPTOM_MAX = 64 << 10 };

static bool is_hex_digit(char c) {
  return fl_is_digit(c) || (fl_lower(c) >= 'a' && fl_lower(c) <= 'f');
}

static bool is_word(char c) {
  return fl_is_digit(c) || (fl_lower(c) >= 'a' && fl_lower(c) <= 'z') || c == '_';
}

static bool guid_at(fl_str text, size_t at, fl_arena *arena, fl_str *ret_guid) {
  if (text.n - at < GUID_TEXT || (at > 0 && is_word(text.p[at - 1]))) return false;
  const fl_value value = {.kind = FL_V_STR, .as.text = {text.p + at, GUID_TEXT}};
  fl_value guid;
  if (!fl_convert_find(FL_STR("guid"))(&value, arena, &guid)) return false;
  *ret_guid = guid.as.text;
  return true;
}

/* Texts are searched for shapes, not for words: dialogs speak the language of Windows. */
static void find_guid(fl_str text, fl_arena *arena, fl_symptom *symptom) {
  for (size_t at = 0; at + GUID_TEXT <= text.n; at++)
    if (guid_at(text, at, arena, &symptom->activity_id)) return;
}

static unsigned read_uint(fl_str text, size_t *at) {
  unsigned number = 0;
  for (; *at < text.n && fl_is_digit(text.p[*at]) && number < 100000; ++*at)
    number = number * 10 + (unsigned)(text.p[*at] - '0');
  return number;
}

/* Reads numbers with these separators between them. */
static bool read_numbers(fl_str text, size_t *at, const char *separators, unsigned ret_numbers[3]) {
  for (size_t i = 0; i < 3; i++) {
    if (*at >= text.n || !fl_is_digit(text.p[*at])) return false;
    ret_numbers[i] = read_uint(text, at);
    if (i == 2) return true;
    if (*at >= text.n || text.p[*at] != separators[i]) return false;
    ++*at;
  }
  return true;
}

static bool starts_word(fl_str text, size_t at, char first) {
  return at + 1 < text.n && fl_lower(text.p[at]) == first && fl_lower(text.p[at + 1]) == 'm';
}

/* "03/14/24 10:11:12 AM": month, day, year of two or four digits, in UTC as the dialog says. */
static bool time_at(fl_str text, size_t at, fl_time *ret_time) {
  unsigned date[3], clock[3];
  char iso[FL_TIME_TEXT_MAX];
  if (at > 0 && (is_word(text.p[at - 1]) || text.p[at - 1] == '/')) return false;
  if (!read_numbers(text, &at, "//", date) || at >= text.n || text.p[at++] != ' ') return false;
  if (!read_numbers(text, &at, "::", clock)) return false;
  while (at < text.n && text.p[at] == ' ') at++;
  if (starts_word(text, at, 'p') && clock[0] < 12) clock[0] += 12;
  else if (starts_word(text, at, 'a') && clock[0] == 12) clock[0] = 0;
  if (date[2] < 100) date[2] += 2000;
  if (date[2] > 9999 || date[0] > 12 || date[1] > 31 || clock[0] > 23 || clock[1] > 59 ||
      clock[2] > 59)
    return false;
  const unsigned parts[6] = {date[2], date[0], date[1], clock[0], clock[1], clock[2]};
  static const char between[] = "--T::Z";
  size_t n = 0;
  for (size_t i = 0; i < 6; i++) {
    for (unsigned unit = i == 0 ? 1000 : 10; unit > 0; unit /= 10)
      iso[n++] = (char)('0' + parts[i] / unit % 10);
    iso[n++] = between[i];
  }
  return fl_time_parse((fl_str){iso, n}, ret_time);
}

static void find_time(fl_str text, fl_symptom *symptom) {
  fl_time t = 0;
  for (size_t at = 0; at < text.n; at++) {
    const bool is_start = fl_is_digit(text.p[at]) && (at == 0 || !is_word(text.p[at - 1]));
    if (!is_start) continue;
    if (time_at(text, at, &t) || (text.n - at >= 20 && text.p[at + 4] == '-' &&
                                  fl_time_parse((fl_str){text.p + at, 20}, &t))) {
      symptom->time = t;
      return;
    }
  }
}

static void keep_code(fl_symptom *symptom, uint32_t code) {
  if (!symptom->has_code) {
    symptom->has_code = true;
    symptom->code = code;
  } else if (!symptom->has_extended) {
    symptom->has_extended = true;
    symptom->extended = code;
  }
}

static size_t word_end(fl_str text, size_t at) {
  while (at < text.n && (is_word(text.p[at]))) at++;
  return at;
}

/* The first two 0x… numbers are code and extended code. */
static void find_hex_codes(fl_str text, fl_symptom *symptom) {
  for (size_t at = 0; at + 2 < text.n; at++) {
    const bool is_start = text.p[at] == '0' && fl_lower(text.p[at + 1]) == 'x' &&
                          is_hex_digit(text.p[at + 2]) && (at == 0 || !is_word(text.p[at - 1]));
    if (!is_start) continue;
    const size_t end = word_end(text, at);
    uint64_t number = 0;
    if (fl_text_number((fl_str){text.p + at, end - at}, &number) && number <= UINT32_MAX)
      keep_code(symptom, (uint32_t)number);
    at = end - 1;
  }
}

/* A piece of "CODE[/EXT]": any notation of a code. */
static bool keep_piece(fl_str piece, fl_symptom *symptom) {
  const fl_code_fact *fact = NULL;
  fl_status s = FL_OK;
  uint32_t code = 0;
  (void)fl_code_parse(piece, &fact, 1, &code, &s);
  if (s != FL_OK || symptom->has_extended) return false;
  keep_code(symptom, code);
  return true;
}

static bool is_separator(char c) {
  return c == '/' || c == ' ' || c == ',' || c == ';' || c == '+' || c == '\t';
}

/* "2308/7", "0x904 7", "ERRINFO_…": at most two codes and nothing else. */
static bool read_pair(fl_str text, fl_symptom *symptom) {
  fl_symptom found = *symptom;
  for (size_t at = 0; at < text.n;) {
    while (at < text.n && is_separator(text.p[at])) at++;
    size_t end = at;
    while (end < text.n && !is_separator(text.p[end])) end++;
    if (end > at && !keep_piece((fl_str){text.p + at, end - at}, &found)) return false;
    at = end;
  }
  if (!found.has_code) return false;
  *symptom = found;
  return true;
}

/* Decimal numbers that stand alone and end a line or follow a ':', as in "Error code: 2308". */
static void find_decimal_codes(fl_str text, fl_symptom *symptom) {
  for (size_t at = 0; at < text.n; at++) {
    if (!fl_is_digit(text.p[at]) ||
        (at > 0 && (is_word(text.p[at - 1]) || strchr("-./:", text.p[at - 1]) != NULL)))
      continue;
    const size_t end = word_end(text, at);
    uint64_t number = 0;
    const bool is_alone = end == text.n || strchr("-/:", text.p[end]) == NULL;
    if (is_alone && fl_text_number((fl_str){text.p + at, end - at}, &number) &&
        number <= UINT32_MAX)
      keep_code(symptom, (uint32_t)number);
    at = end - 1;
  }
}

fl_status fl_symptom_parse(fl_str text, fl_arena *arena, fl_symptom *ret_symptom, fl_err *err) {
  if (text.n > SYMPTOM_MAX)
    return fl_fail(err, FL_E_ARG, 0, "symptom of %zu bytes, at most %d are read", text.n,
                   (int)SYMPTOM_MAX);
  fl_symptom symptom = {.text = fl_arena_str(arena, text)};
  if (!symptom.text.p) return fl_fail(err, FL_E_NOMEM, 0, "no memory for the symptom");
  const fl_str own = symptom.text;
  if (!read_pair(own, &symptom)) {
    find_guid(own, arena, &symptom);
    find_time(own, &symptom);
    find_hex_codes(own, &symptom);
    if (!symptom.has_code) find_decimal_codes(own, &symptom);
  }
  if (!symptom.has_code && symptom.activity_id.n == 0)
    return fl_fail(err, FL_E_ARG, 0, "symptom '%.*s' holds no code, expected one such as 0x904/0x7",
                   (int)(own.n < 80 ? own.n : 80), own.p);
  *ret_symptom = symptom;
  return FL_OK;
}
