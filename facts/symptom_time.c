/* symptom_time.c - the time in a pasted text: dialogs write it as the user's Windows writes dates.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "facts/symptom.h"

typedef struct clock_text {
  unsigned year, month, day, hour, minute, second;
  char zone[7]; /* "Z" or "+02:00" */
  bool has_zone, has_half, is_ambiguous;
} clock_text;

static bool read_uint(fl_str text, size_t *at, size_t max_digits, unsigned *ret_number,
                      size_t *ret_digits) {
  const size_t from = *at;
  unsigned number = 0;
  for (; *at < text.n && fl_is_digit(text.p[*at]) && *at - from < max_digits; ++*at)
    number = number * 10 + (unsigned)(text.p[*at] - '0');
  *ret_number = number;
  *ret_digits = *at - from;
  return *at > from && (*at == text.n || !fl_is_digit(text.p[*at]));
}

static bool take(fl_str text, size_t *at, char c) {
  if (*at >= text.n || text.p[*at] != c) return false;
  ++*at;
  return true;
}

static void skip_blanks(fl_str text, size_t *at) {
  while (*at < text.n && (text.p[*at] == ' ' || text.p[*at] == '\t')) ++*at;
}

/* Three numbers with one of "/.-" between them; which is which is decided later. */
static bool read_date(fl_str text, size_t *at, unsigned ret_parts[3], char *ret_separator,
                      size_t *ret_first_digits) {
  size_t n_digits = 0;
  for (size_t i = 0; i < 3; i++) {
    if (!read_uint(text, at, 4, &ret_parts[i], &n_digits)) return false;
    if (i == 0) *ret_first_digits = n_digits;
    if (i == 2) return n_digits == 2 || n_digits == 4;
    if (*at >= text.n || strchr("/.-", text.p[*at]) == NULL) return false;
    if (i == 0) *ret_separator = text.p[*at];
    else if (text.p[*at] != *ret_separator) return false;
    ++*at;
  }
  return false;
}

static bool is_word_at(fl_str text, size_t at, const char *word) {
  const size_t n = strlen(word);
  return text.n - at >= n && fl_str_eq_nocase((fl_str){text.p + at, n}, fl_str_of(word)) &&
         (at + n == text.n || !fl_is_word(text.p[at + n]));
}

static void read_zone(fl_str text, size_t *at, clock_text *c) {
  size_t next = *at, n = 0;
  unsigned hours = 0, minutes = 0;
  skip_blanks(text, &next);
  if (next < text.n && (is_word_at(text, next, "Z") || is_word_at(text, next, "UTC"))) {
    c->has_zone = true;
    *at = next + (fl_lower(text.p[next]) == 'z' ? 1 : 3);
    return;
  }
  const char sign = next < text.n ? text.p[next++] : 0;
  if ((sign != '+' && sign != '-') || !read_uint(text, &next, 2, &hours, &n) || n != 2) return;
  if (!take(text, &next, ':') || !read_uint(text, &next, 2, &minutes, &n) || n != 2) return;
  c->has_zone = true;
  (void)snprintf(c->zone, sizeof c->zone, "%c%02u:%02u", sign, hours % 100, minutes % 100);
  *at = next;
}

static bool read_clock(fl_str text, size_t *at, clock_text *c) {
  size_t n = 0;
  if (!read_uint(text, at, 2, &c->hour, &n) || !take(text, at, ':')) return false;
  if (!read_uint(text, at, 2, &c->minute, &n) || n != 2) return false;
  if (take(text, at, ':') && (!read_uint(text, at, 2, &c->second, &n) || n != 2)) return false;
  if (*at + 1 < text.n && text.p[*at] == '.' && fl_is_digit(text.p[*at + 1]))
    for (++*at; *at < text.n && fl_is_digit(text.p[*at]);) ++*at;
  size_t next = *at;
  skip_blanks(text, &next);
  if (next < text.n && (is_word_at(text, next, "am") || is_word_at(text, next, "pm"))) {
    const bool is_pm = fl_lower(text.p[next]) == 'p';
    c->has_half = true;
    if (is_pm && c->hour < 12) c->hour += 12;
    else if (!is_pm && c->hour == 12) c->hour = 0;
    *at = next + 2;
  }
  read_zone(text, at, c);
  return true;
}

/* Year first; day first with '.' and '-'; with '/' the month, where it can be one: the dialog of an
 * American Windows writes so, others put the day first. */
static void place_date(clock_text *c, const unsigned parts[3], char separator,
                       size_t first_digits) {
  const bool is_iso = first_digits == 4;
  bool day_first = separator != '/';
  if (separator == '/' && !c->has_half) {
    day_first = parts[0] > 12;
    c->is_ambiguous = parts[0] <= 12 && parts[1] <= 12 && parts[0] != parts[1];
  }
  c->year = is_iso ? parts[0] : parts[2];
  c->month = is_iso || day_first ? parts[1] : parts[0];
  c->day = is_iso ? parts[2] : day_first ? parts[0] : parts[1];
  if (is_iso) c->is_ambiguous = false;
  if (c->year < 100) c->year += 2000;
}

static bool to_time(const clock_text *c, fl_time *ret_time) {
  char iso[48];
  if (c->year > 9999 || c->month > 12 || c->day > 31 || c->hour > 23 || c->minute > 59 ||
      c->second > 59)
    return false;
  const int n = snprintf(iso, sizeof iso, "%04u-%02u-%02uT%02u:%02u:%02u%s", c->year, c->month,
                         c->day, c->hour, c->minute, c->second, c->zone);
  return n > 0 && fl_time_parse((fl_str){iso, (size_t)n}, ret_time);
}

/* A date with a clock at `at`; *ret_end is behind what was read, also where it is no time. */
static bool time_at(fl_str text, size_t at, fl_time *ret_time, clock_text *ret_clock,
                    size_t *ret_end) {
  clock_text c = {.zone = "Z"};
  unsigned parts[3];
  char separator = 0;
  size_t first_digits = 0;
  *ret_end = at;
  if (!read_date(text, &at, parts, &separator, &first_digits)) return false;
  *ret_end = at;
  if (!take(text, &at, 'T')) {
    (void)take(text, &at, ',');
    skip_blanks(text, &at);
  }
  if (!read_clock(text, &at, &c)) return false;
  *ret_end = at;
  place_date(&c, parts, separator, first_digits);
  *ret_clock = c;
  return to_time(&c, ret_time);
}

static void explain(const clock_text *c, fl_str text, fl_str whole, fl_arena *arena,
                    fl_symptom *symptom) {
  if (c->is_ambiguous)
    fl_symptom_say(
        symptom, arena,
        fl_arena_printf(arena, "The date in \"%.*s\" was read as month/day.", FL_STR_ARG(text)));
  bool says_utc = c->has_zone;
  for (size_t i = 0; i + 3 <= whole.n && !says_utc; i++)
    says_utc = fl_str_eq_nocase((fl_str){whole.p + i, 3}, FL_STR("utc"));
  if (!says_utc)
    fl_symptom_say(symptom, arena,
                   fl_arena_printf(arena, "The time \"%.*s\" was taken as UTC.", FL_STR_ARG(text)));
}

void fl_symptom_find_time(char *text, size_t n, fl_arena *arena, fl_symptom *symptom) {
  const fl_str whole = {text, n};
  for (size_t at = 0; at < n; at++) {
    const bool is_start = fl_is_digit(text[at]) &&
                          (at == 0 || (!fl_is_word(text[at - 1]) && !strchr("/.-:", text[at - 1])));
    if (!is_start) continue;
    fl_time t = 0;
    clock_text c;
    size_t end = at;
    const bool is_time = time_at(whole, at, &t, &c, &end);
    const fl_str found = {text + at, end - at};
    if (end == at) continue;
    if (is_time && !symptom->time) {
      symptom->time = t;
      explain(&c, found, whole, arena, symptom);
    } else if (!is_time && !symptom->time) {
      fl_symptom_say(
          symptom, arena,
          fl_arena_printf(arena, "The time \"%.*s\" was not understood.", FL_STR_ARG(found)));
    }
    memset(text + at, ' ', end - at);
    at = end - 1;
  }
}
