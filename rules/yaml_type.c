/* yaml_type.c - what plain scalars of YAML 1.1 stand for: null, booleans, numbers (yaml.org/type).
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/yaml.h"

static bool is_one_of(fl_str text, const char *const *words) {
  for (size_t i = 0; words[i]; i++)
    if (fl_str_eq(text, fl_str_of(words[i]))) return true;
  return false;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes",
                                    "YES",  "on",   "On",   "ON",  NULL};
static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
                                     "NO",    "off",   "Off",   "OFF", NULL};

static unsigned digit_of(char c) {
  if (fl_is_digit(c)) return (unsigned)(c - '0');
  const char lower = fl_lower(c);
  return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a' + 10) : 99;
}

/* [-+]? then 0b, 0x, a leading 0 for octal, or decimal; '_' between digits means nothing. */
static bool parse_int(fl_str s, bool *ret_fits, int64_t *ret_number) {
  size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+');
  const bool is_negative = at && s.p[0] == '-';
  unsigned base = 10;
  const size_t left = s.n - at;
  if (left > 2 && s.p[at] == '0' && (s.p[at + 1] == 'x' || s.p[at + 1] == 'b')) {
    base = s.p[at + 1] == 'x' ? 16 : 2;
    at += 2;
  } else if (left > 1 && s.p[at] == '0') {
    base = 8;
    at++;
  }
  uint64_t number = 0;
  size_t n_digits = 0;
  *ret_fits = true;
  if (at < s.n && s.p[at] == '_' && base == 10) return false;
  for (; at < s.n; at++) {
    if (s.p[at] == '_') continue;
    const unsigned digit = digit_of(s.p[at]);
    if (digit >= base) return false;
    if (number > ((uint64_t)INT64_MAX - digit) / base) *ret_fits = false;
    else number = number * base + digit;
    n_digits++;
  }
  *ret_number = is_negative ? -(int64_t)number : (int64_t)number;
  return n_digits > 0;
}

/* Digits, a point, digits, and an exponent with its sign: all that yaml.org/type/float calls so. */
static bool is_float(fl_str s) {
  static const char *const words[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                      "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};
  if (is_one_of(s, words)) return true;
  size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+');
  const bool is_signed = at != 0;
  size_t n_before = 0, n_after = 0;
  for (; at < s.n && (fl_is_digit(s.p[at]) || (s.p[at] == '_' && n_before)); at++) n_before++;
  if (at >= s.n || s.p[at] != '.' || (is_signed && !n_before)) return false;
  for (at++; at < s.n && (fl_is_digit(s.p[at]) || s.p[at] == '_'); at++) n_after++;
  if (n_before + n_after == 0 || (!n_before && s.p[at - n_after] == '_')) return false;
  if (at == s.n) return true;
  if (s.p[at] != 'e' && s.p[at] != 'E') return false;
  if (++at >= s.n || (s.p[at] != '-' && s.p[at] != '+')) return false;
  const size_t n_exponent = s.n - ++at;
  for (; at < s.n; at++)
    if (!fl_is_digit(s.p[at])) return false;
  return n_exponent > 0;
}

fl_yaml_type fl_yaml_type_of(const fl_yaml *scalar) {
  bool fits = false;
  int64_t number = 0;
  if (scalar->kind != FL_YAML_SCALAR || !scalar->is_plain) return FL_YAML_TEXT;
  if (is_one_of(scalar->text, nulls)) return FL_YAML_NULL;
  if (is_one_of(scalar->text, trues) || is_one_of(scalar->text, falses)) return FL_YAML_BOOL;
  if (parse_int(scalar->text, &fits, &number)) return FL_YAML_INT;
  return is_float(scalar->text) ? FL_YAML_FLOAT : FL_YAML_TEXT;
}

bool fl_yaml_bool(const fl_yaml *scalar) { return is_one_of(scalar->text, trues); }

bool fl_yaml_int(const fl_yaml *scalar, int64_t *ret_number) {
  bool fits = false;
  return parse_int(scalar->text, &fits, ret_number) && fits;
}

bool fl_yaml_float(const fl_yaml *scalar, double *ret_number) {
  char digits[64];
  size_t n = 0;
  int64_t whole = 0;
  if (fl_yaml_type_of(scalar) == FL_YAML_INT) {
    if (!fl_yaml_int(scalar, &whole)) return false;
    *ret_number = (double)whole;
    return true;
  }
  if (!is_float(scalar->text)) return false;
  for (size_t i = 0; i < scalar->text.n && n + 1 < sizeof digits; i++)
    if (scalar->text.p[i] != '_') digits[n++] = scalar->text.p[i];
  digits[n] = '\0';
  return sscanf(digits, "%lf", ret_number) == 1;
}
