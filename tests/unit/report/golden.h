/* golden.h - compares an output with a file in tests/unit/report/golden; FL_GOLDEN=1 rewrites it.
 */
#ifndef FL_TESTS_GOLDEN_H
#define FL_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/core.h"

static inline void golden_path(const char *name, char *ret_path, size_t cap) {
  const char *top = getenv("FL_TOP");
  (void)snprintf(ret_path, cap, "%s/tests/unit/report/golden/%s", top ? top : ".", name);
}

static inline void golden_rewrite(const char *path, fl_str text) {
  FILE *f = fopen(path, "wb");
  if (!f) return;
  (void)fwrite(text.p, 1, text.n, f);
  (void)fclose(f);
}

/* Prints the first line that differs. */
static inline void golden_explain(const char *path, fl_str want, fl_str got) {
  size_t at = 0, line = 1, start = 0;
  while (at < want.n && at < got.n && want.p[at] == got.p[at]) {
    if (got.p[at] == '\n') line++, start = at + 1;
    at++;
  }
  size_t want_end = start, got_end = start;
  while (want_end < want.n && want.p[want_end] != '\n') want_end++;
  while (got_end < got.n && got.p[got_end] != '\n') got_end++;
  (void)fprintf(stderr, "%s:%zu differs\n- %.*s\n+ %.*s\nFL_GOLDEN=1 rewrites it\n", path, line,
                (int)(want_end - start), want.p + start, (int)(got_end - start), got.p + start);
}

static inline bool golden_equal(const char *name, fl_str got) {
  char path[512];
  golden_path(name, path, sizeof path);
  if (getenv("FL_GOLDEN")) golden_rewrite(path, got);
  FILE *f = fopen(path, "rb");
  char *want = malloc(got.n + 65536);
  if (!f || !want) {
    (void)fprintf(stderr, "%s: cannot read; FL_GOLDEN=1 writes it\n", path);
    if (f) (void)fclose(f);
    free(want);
    return false;
  }
  const size_t n = fread(want, 1, got.n + 65536, f);
  (void)fclose(f);
  const bool is_equal = n == got.n && memcmp(want, got.p, n) == 0;
  if (!is_equal) golden_explain(path, (fl_str){want, n}, got);
  free(want);
  return is_equal;
}

#endif
