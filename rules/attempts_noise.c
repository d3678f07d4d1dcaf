/* attempts_noise.c - first legs of connections made in two, and legs that look like a scanner's. */
#include <stdlib.h>

#include "rules/solve.h"

/* A client that asks for credentials connects twice; the user may type for minutes. An address
 * that is let in within a day is a user, whatever else comes from it. Three refusals make a
 * stranger where others are let in; where nobody is, the host may be at fault, so ten. */
enum {
  PROBE_S = 150,
  DAY_S = 24 * 3600,
  REFUSALS_AMONG_GOOD = 3,
  REFUSALS_ALONE = 10,
  STRANGERS = 10
};

static bool was_let_in(const fl_leg *leg) {
  return leg->has_license || leg->has_auth || leg->has_session;
}

static int compare(const void *a, const void *b, void *context) {
  const fl_leg *legs = context;
  const int32_t i = *(const int32_t *)a, k = *(const int32_t *)b;
  const fl_leg *x = &legs[i], *y = &legs[k];
  if (x->machine != y->machine) return x->machine < y->machine ? -1 : 1;
  const int c = fl_str_cmp(x->address, y->address);
  if (c) return c;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return (i > k) - (i < k);
}

typedef struct group {
  const int32_t *index;
  size_t n;
  size_t n_refused;
  bool others_are_let_in;
  size_t n_strangers; /* legs from public addresses that were never let in, whole machine */
} group;

static bool is_within_a_day(fl_time a, fl_time b) {
  return a != 0 && (a > b ? a - b : b - a) <= DAY_S * FL_SECOND;
}

static void judge_leg(fl_leg *leg, const group *g, fl_time last_good, fl_time next_good) {
  if (was_let_in(leg)) return;
  const bool is_followed = next_good != 0 && next_good - leg->start <= PROBE_S * FL_SECOND;
  leg->is_probe = is_followed && !leg->was_refused;
  if (is_within_a_day(last_good, leg->start) || is_within_a_day(next_good, leg->start)) return;
  const size_t needed = g->others_are_let_in ? REFUSALS_AMONG_GOOD : REFUSALS_ALONE;
  leg->is_suspect =
      g->n_refused >= needed || (g->n_strangers >= STRANGERS && fl_is_public(leg->address));
}

static void judge_group(fl_leg *legs, const group *g) {
  fl_time last_good = 0;
  for (size_t i = 0, next = 0; i < g->n; i++) {
    if (next < i) next = i;
    while (next < g->n && !was_let_in(&legs[g->index[next]])) next++;
    judge_leg(&legs[g->index[i]], g, last_good, next < g->n ? legs[g->index[next]].start : 0);
    if (was_let_in(&legs[g->index[i]])) last_good = legs[g->index[i]].start;
  }
}

static size_t group_end(const fl_leg *legs, const int32_t *index, size_t n, size_t from) {
  size_t to = from + 1;
  while (to < n && legs[index[to]].machine == legs[index[from]].machine &&
         fl_str_eq(legs[index[to]].address, legs[index[from]].address))
    to++;
  return to;
}

static void judge_machine(fl_leg *legs, const int32_t *index, size_t n) {
  size_t n_good = 0, n_strangers = 0;
  for (size_t i = 0; i < n; i++) {
    n_good += was_let_in(&legs[index[i]]);
    n_strangers += !was_let_in(&legs[index[i]]) && fl_is_public(legs[index[i]].address);
  }
  for (size_t from = 0; from < n;) {
    const size_t to = group_end(legs, index, n, from);
    group g = {.index = index + from, .n = to - from, .n_strangers = n_strangers};
    size_t n_own = 0;
    for (size_t i = from; i < to; i++) {
      n_own += was_let_in(&legs[index[i]]);
      g.n_refused += legs[index[i]].was_refused;
    }
    g.others_are_let_in = n_good > n_own;
    if (legs[index[from]].address.n) judge_group(legs, &g);
    from = to;
  }
}

fl_status fl_legs_judge(fl_solver *s, fl_err *err) {
  int32_t *index = malloc((s->n_legs + 1) * sizeof *index);
  if (!index) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
  size_t n = 0;
  for (size_t i = 0; i < s->n_legs; i++)
    if (!s->legs[i].is_client && !s->legs[i].is_dropped) index[n++] = (int32_t)i;
  qsort_r(index, n, sizeof *index, compare, s->legs);
  for (size_t from = 0; from < n;) {
    size_t to = from;
    while (to < n && s->legs[index[to]].machine == s->legs[index[from]].machine) to++;
    judge_machine(s->legs, index + from, to - from);
    from = to;
  }
  free(index);
  return FL_OK;
}
