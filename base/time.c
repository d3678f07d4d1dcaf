/* time.c - instants and durations: RFC 3339, FILETIME, short human forms; no locale, no clock. */
#include <string.h>

#include "base/text.h"
#include "faultline/value.h"

/* Days since 1970-01-01 of a civil date (proleptic Gregorian), and back. The era arithmetic is the
 * usual one: 400 years are 146,097 days, years start in March so that leap days come last. */
static int64_t days_of(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const unsigned year_of_era = (unsigned)(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + (int64_t)day_of_era - 719468;
}

typedef struct civil {
  int64_t year;
  unsigned month, day;
} civil;

static civil civil_of(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const unsigned doe = (unsigned)(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return (civil){(int64_t)yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

static char *put2(char *out, unsigned number) {
  out[0] = (char)('0' + number / 10);
  out[1] = (char)('0' + number % 10);
  return out + 2;
}

/* "T08:15:02.310Z" of a time of day. */
static inline char *put_clock(int64_t ns_of_day, int n_digits, char *at) {
  const unsigned seconds = (unsigned)(ns_of_day / FL_SECOND);
  *at++ = 'T';
  at = put2(at, seconds / 3600);
  *at++ = ':';
  at = put2(at, seconds / 60 % 60);
  *at++ = ':';
  at = put2(at, seconds % 60);
  if (n_digits > 0) {
    unsigned fraction = (unsigned)(ns_of_day % FL_SECOND);
    char digits[10];
    digits[0] = (char)('0' + fraction / 100000000u);
    fraction %= 100000000u;
    for (int i = 7; i > 0; i -= 2, fraction /= 100) (void)put2(digits + i, fraction % 100);
    *at++ = '.';
    memcpy(at, digits, (size_t)n_digits);
    at += n_digits;
  }
  *at++ = 'Z';
  *at = '\0';
  return at;
}

enum { DATE_TEXT = 10 };

static int64_t split_day(fl_time t, int64_t *ret_ns_of_day) {
  const int64_t day_ns = 86400 * FL_SECOND;
  const int64_t rest = t % day_ns;
  *ret_ns_of_day = rest < 0 ? rest + day_ns : rest;
  return t / day_ns - (rest < 0);
}

static void put_date(int64_t days, char *at) {
  const civil date = civil_of(days);
  at = put2(at, (unsigned)(date.year / 100));
  at = put2(at, (unsigned)(date.year % 100));
  *at++ = '-';
  at = put2(at, date.month);
  *at++ = '-';
  (void)put2(at, date.day);
}

size_t fl_time_format(fl_time t, int n_digits, char out[FL_TIME_TEXT_MAX]) {
  int64_t ns_of_day = 0;
  put_date(split_day(t, &ns_of_day), out);
  return (size_t)(put_clock(ns_of_day, n_digits, out + DATE_TEXT) - out);
}

size_t fl_time_format_9(fl_time t, fl_day *day, char *out) {
  int64_t ns_of_day = 0;
  const int64_t days = split_day(t, &ns_of_day);
  if (!day->is_known || day->days != days) {
    day->is_known = true;
    day->days = days;
    put_date(days, day->text);
  }
  memcpy(out, day->text, DATE_TEXT);
  return (size_t)(put_clock(ns_of_day, 9, out + DATE_TEXT) - out);
}

/* Reads exactly n digits at *pos. */
static bool take_digits(fl_str s, size_t *pos, unsigned n, unsigned *ret_number) {
  unsigned number = 0;
  if (s.n - *pos < n) return false;
  for (unsigned i = 0; i < n; i++, (*pos)++) {
    if (!fl_is_digit(s.p[*pos])) return false;
    number = number * 10 + (unsigned)(s.p[*pos] - '0');
  }
  *ret_number = number;
  return true;
}

static bool take_char(fl_str s, size_t *pos, char wanted) {
  if (*pos >= s.n || s.p[*pos] != wanted) return false;
  (*pos)++;
  return true;
}

/* "Z", "+02:00", "-0530" or nothing (UTC). */
static bool take_zone(fl_str s, size_t *pos, int64_t *ret_offset_seconds) {
  *ret_offset_seconds = 0;
  if (*pos == s.n) return true;
  if (take_char(s, pos, 'Z') || take_char(s, pos, 'z')) return *pos == s.n;
  const bool is_west = s.p[*pos] == '-';
  if (!is_west && s.p[*pos] != '+') return false;
  (*pos)++;
  unsigned hours = 0, minutes = 0;
  if (!take_digits(s, pos, 2, &hours)) return false;
  (void)take_char(s, pos, ':');
  if (*pos < s.n && !take_digits(s, pos, 2, &minutes)) return false;
  const int64_t seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
  *ret_offset_seconds = is_west ? -seconds : seconds;
  return *pos == s.n;
}

static bool take_clock(fl_str s, size_t *pos, int64_t *ret_ns) {
  unsigned hour, minute, second;
  if (!take_digits(s, pos, 2, &hour) || !take_char(s, pos, ':')) return false;
  if (!take_digits(s, pos, 2, &minute) || !take_char(s, pos, ':')) return false;
  if (!take_digits(s, pos, 2, &second) || hour > 23 || minute > 59 || second > 60) return false;
  int64_t fraction = 0;
  if (*pos < s.n && (s.p[*pos] == '.' || s.p[*pos] == ',')) {
    (*pos)++;
    int64_t unit = FL_SECOND / 10;
    for (; *pos < s.n && fl_is_digit(s.p[*pos]); (*pos)++, unit /= 10)
      fraction += (s.p[*pos] - '0') * unit;
  }
  *ret_ns = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * FL_SECOND + fraction;
  return true;
}

bool fl_time_parse(fl_str s, fl_time *ret_time) {
  size_t pos = 0;
  unsigned year, month, day;
  if (!take_digits(s, &pos, 4, &year) || !take_char(s, &pos, '-')) return false;
  if (!take_digits(s, &pos, 2, &month) || !take_char(s, &pos, '-')) return false;
  if (!take_digits(s, &pos, 2, &day) || month < 1 || month > 12 || day < 1 || day > 31)
    return false;
  if (year < 1678 || year > 2261) return false;
  int64_t clock_ns = 0, zone_seconds = 0;
  if (pos < s.n) {
    if (s.p[pos] != 'T' && s.p[pos] != 't' && s.p[pos] != ' ') return false;
    pos++;
    if (!take_clock(s, &pos, &clock_ns) || !take_zone(s, &pos, &zone_seconds)) return false;
  }
  *ret_time = (days_of(year, month, day) * 86400 - zone_seconds) * FL_SECOND + clock_ns;
  return true;
}

bool fl_duration_parse(fl_str s, int64_t *ret_ns) {
  static const struct {
    const char *unit;
    int64_t ns;
  } units[] = {{"ms", FL_SECOND / 1000},
               {"s", FL_SECOND},
               {"m", 60 * FL_SECOND},
               {"h", 3600 * FL_SECOND},
               {"d", 86400 * FL_SECOND}};
  const bool is_negative = s.n > 0 && s.p[0] == '-';
  size_t pos = is_negative ? 1 : 0;
  int64_t number = 0;
  const size_t start = pos;
  for (; pos < s.n && fl_is_digit(s.p[pos]) && number < 100000000; pos++)
    number = number * 10 + (s.p[pos] - '0');
  if (pos == start) return false;
  const fl_str unit = {s.p + pos, s.n - pos};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (!fl_str_eq(unit, fl_str_of(units[i].unit))) continue;
    if (number > INT64_MAX / units[i].ns) return false;
    *ret_ns = (is_negative ? -1 : 1) * number * units[i].ns;
    return true;
  }
  return false;
}

fl_str fl_duration_text(int64_t ns, fl_arena *arena) {
  const char *sign = ns < 0 ? "-" : "";
  const uint64_t size = ns < 0 ? UINT64_C(0) - (uint64_t)ns : (uint64_t)ns;
  const uint64_t ms = size / 1000000;
  const unsigned long long seconds = size / (uint64_t)FL_SECOND;
  if (ms < 10000)
    return fl_arena_printf(arena, "%s%llu.%02u s", sign, seconds, (unsigned)(ms % 1000 / 10));
  if (seconds < 60) return fl_arena_printf(arena, "%s%llu s", sign, seconds);
  if (seconds < 3600)
    return fl_arena_printf(arena, "%s%llu min %llu s", sign, seconds / 60, seconds % 60);
  if (seconds < 86400)
    return fl_arena_printf(arena, "%s%llu h %llu min", sign, seconds / 3600, seconds / 60 % 60);
  return fl_arena_printf(arena, "%s%llu d %llu h", sign, seconds / 86400, seconds / 3600 % 24);
}

bool fl_time_from_filetime(uint64_t filetime, fl_time *ret_time) {
  const uint64_t epoch = UINT64_C(116444736000000000); /* 1970-01-01 in 100 ns since 1601 */
  *ret_time = 0;
  if (filetime == 0) return false;
  if (filetime >= epoch) {
    if (filetime - epoch > (uint64_t)INT64_MAX / 100) return false;
    *ret_time = (int64_t)(filetime - epoch) * 100;
  } else {
    if (epoch - filetime > (uint64_t)INT64_MAX / 100) return false;
    *ret_time = -(int64_t)(epoch - filetime) * 100;
  }
  return true;
}
