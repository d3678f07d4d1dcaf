/* core.c - errors and strings. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "faultline/core.h"

fl_status fl_fail(fl_err *err, fl_status code, uint64_t offset, const char *format, ...) {
  if (!err) return code;
  err->code = code;
  err->offset = offset;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(err->text, sizeof err->text, format, args);
  va_end(args);
  return code;
}

const char *fl_version(void) { return FL_VERSION; }

fl_str fl_str_of(const char *c_string) {
  return (fl_str){c_string, c_string ? strlen(c_string) : 0};
}

bool fl_str_eq(fl_str a, fl_str b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool fl_str_eq_nocase(fl_str a, fl_str b) {
  if (a.n != b.n) return false;
  for (size_t i = 0; i < a.n; i++)
    if (fl_lower(a.p[i]) != fl_lower(b.p[i])) return false;
  return true;
}

int fl_str_cmp(fl_str a, fl_str b) {
  const size_t n = a.n < b.n ? a.n : b.n;
  const int order = n ? memcmp(a.p, b.p, n) : 0;
  return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}
