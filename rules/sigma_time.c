/* sigma_time.c - numbers and parts of times that stand in texts. */
#include "rules/sigma_time.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Digits with one point and perhaps an exponent: what sscanf takes beyond that is no number of a
 * record. */
static bool real_of(fl_str text, double *ret_number) {
  char copy[48];
  if (text.n == 0 || text.n >= sizeof copy) return false;
  for (size_t i = 0; i < text.n; i++)
    if (!text.p[i] || !strchr("0123456789+-.eE", text.p[i])) return false;
  memcpy(copy, text.p, text.n);
  copy[text.n] = '\0';
  int n_read = 0;
  return sscanf(copy, "%lf%n", ret_number, &n_read) == 1 && (size_t)n_read == text.n;
}

/* Decimal, 0x…, with a sign or a fraction. */
bool fl_sigma_number_of(fl_str text, fl_sigma_number *ret) {
  uint64_t whole = 0;
  const bool is_negative = text.n > 1 && text.p[0] == '-';
  const fl_str digits = {text.p + is_negative, text.n - is_negative};
  *ret = (fl_sigma_number){0};
  if (fl_text_number(digits, &whole)) {
    ret->is_int = whole <= INT64_MAX;
    ret->whole = is_negative ? -(int64_t)(whole & INT64_MAX) : (int64_t)(whole & INT64_MAX);
    ret->real = is_negative ? -(double)whole : (double)whole;
    return true;
  }
  return real_of(text, &ret->real);
}

/* A time without a zone is taken as it stands. */
static bool parse(fl_str text, fl_time *ret) {
  char zoned[FL_TIME_TEXT_MAX + 8];
  if (fl_time_parse(text, ret)) return true;
  if (text.n == 0 || text.n + 1 >= sizeof zoned) return false;
  memcpy(zoned, text.p, text.n);
  zoned[text.n] = 'Z';
  return fl_time_parse((fl_str){zoned, text.n + 1}, ret);
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t days_of_year(int64_t year) {
  char text[16];
  fl_time t = 0;
  (void)snprintf(text, sizeof text, "%04lld-01-01", (long long)year);
  return fl_time_parse(fl_str_of(text), &t) ? floor_div(t, 86400 * FL_SECOND) : 0;
}

/* ISO 8601: weeks begin on Monday, and the first one holds the year's first Thursday. */
static int64_t week_of(fl_time t) {
  const int64_t days = floor_div(t, 86400 * FL_SECOND);
  const int64_t weekday = ((days + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
  const int64_t thursday = days - weekday + 3;
  char text[FL_TIME_TEXT_MAX];
  (void)fl_time_format(thursday * 86400 * FL_SECOND, 0, text);
  uint64_t year = 0;
  (void)fl_text_number((fl_str){text, 4}, &year);
  return (thursday - days_of_year((int64_t)year)) / 7 + 1;
}

bool fl_sigma_time_part(fl_str text, fl_sigma_part part, fl_sigma_number *ret) {
  static const struct {
    uint8_t at, n;
  } places[] = {[FL_SIGMA_MINUTE] = {14, 2}, [FL_SIGMA_HOUR] = {11, 2}, [FL_SIGMA_DAY] = {8, 2},
                [FL_SIGMA_WEEK] = {0, 0},    [FL_SIGMA_MONTH] = {5, 2}, [FL_SIGMA_YEAR] = {0, 4}};
  char shown[FL_TIME_TEXT_MAX];
  fl_time t = 0;
  uint64_t number = 0;
  if (!parse(text, &t)) return false;
  (void)fl_time_format(t, 0, shown);
  if (part == FL_SIGMA_WEEK) number = (uint64_t)week_of(t);
  else if (!fl_text_number((fl_str){shown + places[part].at, places[part].n}, &number))
    return false;
  *ret = (fl_sigma_number){true, (int64_t)number, (double)number};
  return true;
}
