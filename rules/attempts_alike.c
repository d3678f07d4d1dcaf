/* attempts_alike.c - sessions of one host that were cut alike: after the same time, or in the same
 * seconds. */
#include <stdlib.h>

#include "rules/solve.h"

/* A timer of a device on the way cuts after the same time, give or take a few seconds; what strikes
 * the host or the path strikes all at once. Shorter sessions are alike by chance. */
enum { SHORTEST_S = 60, APART = 40 /* of the longer one: 2.5 % */, TOGETHER_S = 5 };

static fl_time duration(const fl_attempt *a) { return a->end - a->start; }

/* Cut, and not by a limit or a person that the host names. */
static bool is_cut(const fl_attempt *a) {
  const bool is_told = a->has_host_code && a->host_code > 0 && a->host_code < 0x10000;
  return a->outcome == FL_OUTCOME_LOST && (a->server || a->server_name.n) && !is_told;
}

static int compare_keys(const fl_attempt *a, const fl_attempt *b, fl_time x, fl_time y) {
  if (a->server != b->server) return a->server < b->server ? -1 : 1;
  const int by_name = a->server ? 0 : fl_str_cmp(a->server_name, b->server_name);
  if (by_name) return by_name;
  if (x != y) return x < y ? -1 : 1;
  return (a->number > b->number) - (a->number < b->number);
}

static int by_duration(const void *a, const void *b) {
  const fl_attempt *x = *(fl_attempt *const *)a, *y = *(fl_attempt *const *)b;
  return compare_keys(x, y, duration(x), duration(y));
}

static int by_end(const void *a, const void *b) {
  const fl_attempt *x = *(fl_attempt *const *)a, *y = *(fl_attempt *const *)b;
  return compare_keys(x, y, x->end, y->end);
}

static bool is_same_host(const fl_attempt *a, const fl_attempt *b) {
  return a->server == b->server && (a->server || fl_str_eq(a->server_name, b->server_name));
}

static bool is_as_long(const fl_attempt *shorter, const fl_attempt *longer) {
  return is_same_host(shorter, longer) && duration(shorter) >= SHORTEST_S * FL_SECOND &&
         duration(longer) - duration(shorter) <= duration(longer) / APART;
}

static bool is_together(const fl_attempt *earlier, const fl_attempt *later) {
  return is_same_host(earlier, later) && later->end - earlier->end <= TOGETHER_S * FL_SECOND;
}

/* How many of a sorted list are near each one, itself included: two marks walk along. */
static void count(fl_attempt **list, size_t n,
                  bool (*is_near)(const fl_attempt *, const fl_attempt *), bool is_duration) {
  size_t low = 0, high = 0;
  for (size_t i = 0; i < n; i++) {
    while (low < i && !is_near(list[low], list[i])) low++;
    if (high < i) high = i;
    while (high + 1 < n && is_near(list[i], list[high + 1])) high++;
    const unsigned n_near = (unsigned)(high - low + 1);
    if (is_duration) list[i]->alike_n = duration(list[i]) < SHORTEST_S * FL_SECOND ? 1 : n_near;
    else list[i]->together_n = n_near;
  }
}

fl_status fl_attempts_alike(fl_solver *s, fl_err *err) {
  fl_attempt **list = malloc((s->n_real + 1) * sizeof *list);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  size_t n = 0;
  for (size_t i = 0; i < s->n_real; i++)
    if (is_cut(&s->attempts[i])) list[n++] = &s->attempts[i];
  qsort(list, n, sizeof *list, by_duration);
  count(list, n, is_as_long, true);
  qsort(list, n, sizeof *list, by_end);
  count(list, n, is_together, false);
  free(list);
  return FL_OK;
}
