/* text_pieces.c - pieces of lines: words, pairs, numbers, addresses, dates. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/text.h"
#include "parsers/text.h"

void text_keep(text_kept *kept, fl_str s) {
  kept->n = s.n < TEXT_KEPT_MAX ? s.n : TEXT_KEPT_MAX;
  while (kept->n < s.n && kept->n > 0 && ((unsigned char)s.p[kept->n] & 0xc0u) == 0x80u) kept->n--;
  if (kept->n) memcpy(kept->p, s.p, kept->n);
}

text_place text_here(const text_reader *r) {
  return (text_place){r->line.offset, r->line.number, r->line.length};
}

void text_fact_at(text_reader *r, fl_state_kind kind, const text_place *place) {
  fl_fact_begin(&r->fact, kind, place->offset, place->length, place->number);
}

void text_fact(text_reader *r, fl_state_kind kind) {
  const text_place here = text_here(r);
  text_fact_at(r, kind, &here);
}

/* ---- words ---- */

/* Bytes of the blank that the text begins with: ASCII, U+00A0, U+202F, U+3000. */
static size_t blank_at(fl_str s, size_t at) {
  const char *p = s.p + at;
  const size_t n = s.n - at;
  if (n >= 1 && (p[0] == ' ' || p[0] == '\t')) return 1;
  if (n >= 2 && memcmp(p, "\xc2\xa0", 2) == 0) return 2;
  if (n >= 3 && (memcmp(p, "\xe2\x80\xaf", 3) == 0 || memcmp(p, "\xe3\x80\x80", 3) == 0)) return 3;
  return 0;
}

static size_t blank_before(fl_str s) {
  if (s.n >= 3 && blank_at(s, s.n - 3) == 3) return 3;
  if (s.n >= 2 && blank_at(s, s.n - 2) == 2) return 2;
  return s.n >= 1 && blank_at(s, s.n - 1) == 1 ? 1 : 0;
}

fl_str text_trim(fl_str s) {
  for (size_t n; s.n && (n = blank_at(s, 0)) > 0;) s = (fl_str){s.p + n, s.n - n};
  for (size_t n; s.n && (n = blank_before(s)) > 0;) s.n -= n;
  return s;
}

bool text_word(fl_str *rest, fl_str *ret_word) {
  *rest = text_trim(*rest);
  size_t n = 0;
  while (n < rest->n && blank_at(*rest, n) == 0) n++;
  *ret_word = (fl_str){rest->p, n};
  *rest = (fl_str){rest->p + n, rest->n - n};
  return n > 0;
}

size_t text_indent(fl_str s) {
  size_t n = 0;
  while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t')) n++;
  return n;
}

bool text_is_number(fl_str s, uint64_t most, uint64_t *ret_number) {
  if (s.n == 0 || !fl_is_digit(s.p[0]) || (s.n > 1 && fl_lower(s.p[1]) == 'x')) return false;
  return fl_text_number(s, ret_number) && *ret_number <= most;
}

bool text_starts(fl_str s, const char *start) {
  const fl_str e = fl_str_of(start);
  return s.n >= e.n && fl_str_eq_nocase((fl_str){s.p, e.n}, e);
}

bool text_has(fl_str s, const char *part) {
  const size_t n = strlen(part);
  for (size_t i = 0; i + n <= s.n; i++)
    if (text_starts((fl_str){s.p + i, s.n - i}, part)) return true;
  return false;
}

bool text_pair(fl_str line, char separator, fl_str *ret_label, fl_str *ret_value) {
  for (size_t i = 1; i < line.n; i++) {
    if (line.p[i] != separator) continue;
    if (i + 1 < line.n && blank_at(line, i + 1) == 0) continue;
    *ret_label = text_trim((fl_str){line.p, i});
    *ret_value = text_trim((fl_str){line.p + i + 1, line.n - i - 1});
    return ret_label->n > 0;
  }
  return false;
}

bool text_is_hex(fl_str s, size_t n_digits) {
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) {
    const char c = fl_lower(s.p[i]);
    if (c == ' ') continue;
    if (!fl_is_digit(c) && !(c >= 'a' && c <= 'f')) return false;
    n++;
  }
  return n == n_digits;
}

bool text_address(fl_str s, fl_str *ret_address) {
  char text[64];
  uint8_t bytes[16];
  size_t n = 0;
  while (n < s.n && (fl_is_digit(s.p[n]) || (fl_lower(s.p[n]) >= 'a' && fl_lower(s.p[n]) <= 'f') ||
                     s.p[n] == '.' || s.p[n] == ':'))
    n++;
  if (n == 0 || n >= sizeof text) return false;
  if (n < s.n && s.p[n] != '%' && s.p[n] != '(' && s.p[n] != '/' && s.p[n] != ',' &&
      blank_at(s, n) == 0)
    return false;
  memcpy(text, s.p, n);
  text[n] = '\0';
  if (inet_pton(AF_INET, text, bytes) != 1 && inet_pton(AF_INET6, text, bytes) != 1) return false;
  *ret_address = (fl_str){s.p, n};
  return true;
}

/* ---- dates ---- */

typedef struct date_numbers {
  unsigned n[3], digits[3];
  char separator;
  size_t end; /* in the text */
} date_numbers;

static bool is_separator(char c) { return c == '/' || c == '.' || c == '-'; }

static size_t take_digits(fl_str s, size_t at, unsigned *ret_number) {
  size_t n = 0;
  *ret_number = 0;
  while (at + n < s.n && n < 5 && fl_is_digit(s.p[at + n]))
    *ret_number = *ret_number * 10 + (unsigned)(s.p[at + n++] - '0');
  return n;
}

/* Three numbers with the same separator between them; Czech and others put a blank behind it. */
static bool numbers_at(fl_str s, size_t at, date_numbers *ret) {
  for (size_t i = 0; i < 3; i++) {
    const size_t n = take_digits(s, at, &ret->n[i]);
    if (n == 0 || n > 4) return false;
    ret->digits[i] = (unsigned)n;
    at += n;
    if (i == 2) break;
    if (at >= s.n || !is_separator(s.p[at]) || (i > 0 && s.p[at] != ret->separator)) return false;
    ret->separator = s.p[at++];
  }
  ret->end = at;
  if (at + 1 < s.n && s.p[at] == ret->separator && fl_is_digit(s.p[at + 1])) return false;
  return ret->digits[0] == 4 || ret->digits[2] == 4;
}

static bool find_numbers(fl_str s, date_numbers *ret) {
  for (size_t i = 0; i < s.n; i++) {
    if (!fl_is_digit(s.p[i]) || (i > 0 && (fl_is_digit(s.p[i - 1]) || s.p[i - 1] == '.'))) continue;
    if (numbers_at(s, i, ret)) return true;
  }
  return false;
}

/* The order of two numbers in front of the year; unknown where both may be either. */
static text_order order_of(const date_numbers *d) {
  if (d->digits[0] == 4) return TEXT_ORDER_UNKNOWN;
  if (d->separator == '.') return TEXT_DAY_FIRST;
  if (d->n[0] > 12) return TEXT_DAY_FIRST;
  return d->n[1] > 12 ? TEXT_MONTH_FIRST : TEXT_ORDER_UNKNOWN;
}

/* +12 h: 12; morning: 0 with *ret_has_half; neither word is there: false. */
static bool half_of_day(fl_str s, bool *ret_is_afternoon) {
  static const char *const mornings[] = {"AM", "a.m.", "a. m.", "午前", "上午", "ÖÖ"};
  static const char *const afternoons[] = {"PM", "p.m.", "p. m.", "午後", "下午", "ÖS"};
  for (size_t i = 0; i < sizeof mornings / sizeof mornings[0]; i++) {
    *ret_is_afternoon = text_has(s, afternoons[i]);
    if (*ret_is_afternoon || text_has(s, mornings[i])) return true;
  }
  return false;
}

/* h:mm or h:mm:ss behind the date; midnight when there is none. */
static void time_behind(fl_str s, unsigned ret_clock[3]) {
  ret_clock[0] = ret_clock[1] = ret_clock[2] = 0;
  for (size_t i = 0; i + 2 < s.n; i++) {
    if (!fl_is_digit(s.p[i])) continue;
    size_t at = i;
    for (size_t k = 0; k < 3; k++) {
      const size_t n = take_digits(s, at, &ret_clock[k]);
      if (n == 0 || n > 2) break;
      at += n;
      if (at >= s.n || s.p[at] != ':') break;
      at++;
    }
    bool is_afternoon = false;
    if (!half_of_day(s, &is_afternoon)) return;
    if (ret_clock[0] == 12) ret_clock[0] = 0;
    if (is_afternoon) ret_clock[0] += 12;
    return;
  }
}

bool text_date(text_order known, fl_str s, fl_time *ret_t, bool *ret_is_sure) {
  date_numbers d = {0};
  if (!find_numbers(s, &d)) return false;
  const bool is_year_first = d.digits[0] == 4;
  const fl_str rest = {s.p + d.end, s.n - d.end};
  text_order order = order_of(&d);
  if (order == TEXT_ORDER_UNKNOWN) order = known;
  *ret_is_sure = is_year_first || order != TEXT_ORDER_UNKNOWN || d.n[0] == d.n[1];
  bool is_afternoon = false;
  if (order == TEXT_ORDER_UNKNOWN)
    order = half_of_day(rest, &is_afternoon) ? TEXT_MONTH_FIRST : TEXT_DAY_FIRST;
  const unsigned year = d.n[is_year_first ? 0 : 2];
  const unsigned first = d.n[is_year_first ? 1 : 0], second = d.n[is_year_first ? 2 : 1];
  const bool is_month_first = is_year_first || order == TEXT_MONTH_FIRST;
  unsigned clock[3];
  char text[40];
  time_behind(rest, clock);
  const int n = snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02uZ", year,
                         is_month_first ? first : second, is_month_first ? second : first, clock[0],
                         clock[1], clock[2]);
  return n > 0 && (size_t)n < sizeof text && fl_time_parse((fl_str){text, (size_t)n}, ret_t);
}

text_order text_learn_order(fl_str text) {
  fl_str line;
  while (fl_lines_take(&text, &line)) {
    date_numbers d = {0};
    if (!find_numbers(line, &d) || d.separator == '.') continue;
    const text_order order = order_of(&d);
    if (order != TEXT_ORDER_UNKNOWN) return order;
  }
  return TEXT_ORDER_UNKNOWN;
}

void text_fact_date(text_reader *r, const char *name, fl_str text) {
  fl_time t = 0;
  bool is_sure = true;
  if (!text_date(r->order, text, &t, &is_sure)) return;
  fl_fact_date(&r->fact, name, t);
  fl_fact_local(&r->fact);
  if (!is_sure) fl_fact_bool(&r->fact, "date_order_is_assumed", true);
}
