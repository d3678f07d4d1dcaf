/* attempts_noise.c - first legs of connections made in two, and legs that look like a scanner's. */
#include <stdlib.h>

#include "base/text.h"
#include "rules/solve.h"

/* A client that asks for credentials connects twice; the user may type for minutes. An address
 * that is let in within a day is a user, whatever else comes from it. Three refusals make a
 * stranger where others are let in; where nobody is, the host may be at fault, so ten. A stranger
 * may come from a new address each time: then one name tried from three addresses tells, or three
 * refusals of public addresses where only inner ones are let in. Inner addresses need ten refusals
 * of one name: when a domain controller is out, each refused user has a name of his own. */
enum {
  SHARED_ADDRESSES = 3,
  SHARED_INNER = 10,
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
  bool others_are_let_in, is_crowd;
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
  leg->is_suspect = g->is_crowd || g->n_refused >= needed ||
                    (g->n_strangers >= STRANGERS && fl_is_public(leg->address));
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

/* A name that was refused, and from where. */
typedef struct refusal {
  fl_str name;
  int32_t leg;
} refusal;

static int compare_names(fl_str a, fl_str b) {
  for (size_t i = 0; i < a.n && i < b.n; i++) {
    const int x = (unsigned char)fl_lower(a.p[i]), y = (unsigned char)fl_lower(b.p[i]);
    if (x != y) return x - y;
  }
  return (a.n > b.n) - (a.n < b.n);
}

static int compare_refusals(const void *a, const void *b, void *context) {
  const fl_leg *legs = context;
  const refusal *x = a, *y = b;
  const int by_name = compare_names(x->name, y->name);
  if (by_name) return by_name;
  const int by_address = fl_str_cmp(legs[x->leg].address, legs[y->leg].address);
  return by_address ? by_address : (x->leg > y->leg) - (x->leg < y->leg);
}

static fl_str refused_name(const fl_leg *leg) {
  for (size_t i = 0; i < leg->n_seen; i++)
    if (leg->seen[i]->mark == FL_MARK_SEC_FAILED && leg->seen[i]->user.n) return leg->seen[i]->user;
  return (fl_str){0};
}

/* One name of a machine's refusals: tried from several addresses, and often enough? */
static void judge_name(fl_leg *legs, const refusal *list, size_t n) {
  size_t n_addresses = 0;
  bool is_public = true;
  for (size_t i = 0; i < n; i++) {
    const fl_leg *leg = &legs[list[i].leg];
    n_addresses += i == 0 || !fl_str_eq(leg->address, legs[list[i - 1].leg].address);
    is_public = is_public && fl_is_public(leg->address);
  }
  const size_t needed = is_public ? REFUSALS_AMONG_GOOD : SHARED_INNER;
  if (n_addresses < SHARED_ADDRESSES || n < needed) return;
  for (size_t i = 0; i < n; i++) legs[list[i].leg].is_tried_widely = true;
}

static void judge_names(fl_leg *legs, refusal *list, size_t n) {
  qsort_r(list, n, sizeof *list, compare_refusals, legs);
  for (size_t from = 0, to = 0; from < n; from = to) {
    while (to < n && compare_names(list[to].name, list[from].name) == 0) to++;
    judge_name(legs, list + from, to - from);
  }
}

/* What all legs of one machine have in common. */
typedef struct crowd {
  size_t n_good, n_public_good;
  size_t n_strangers, n_public_refused; /* of public addresses that were never let in */
  size_t n_names;
} crowd;

static bool is_let_in(const fl_leg *legs, const int32_t *index, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    if (was_let_in(&legs[index[i]])) return true;
  return false;
}

static crowd count(const fl_leg *legs, const int32_t *index, size_t n, refusal *ret_names) {
  crowd c = {0};
  for (size_t from = 0, to = 0; from < n; from = to) {
    to = group_end(legs, index, n, from);
    const bool is_known = is_let_in(legs, index, from, to);
    for (size_t i = from; i < to; i++) {
      const fl_leg *leg = &legs[index[i]];
      const bool is_public = fl_is_public(leg->address);
      c.n_good += was_let_in(leg);
      c.n_public_good += is_public && was_let_in(leg);
      c.n_strangers += is_public && !was_let_in(leg);
      c.n_public_refused += is_public && !is_known && leg->was_refused;
      const fl_str name = is_known || !leg->was_refused ? (fl_str){0} : refused_name(leg);
      if (name.n && leg->address.n) ret_names[c.n_names++] = (refusal){name, index[i]};
    }
  }
  return c;
}

static void judge_machine(fl_leg *legs, const int32_t *index, size_t n, refusal *names) {
  const crowd c = count(legs, index, n, names);
  if (c.n_good) judge_names(legs, names, c.n_names);
  for (size_t from = 0; from < n;) {
    const size_t to = group_end(legs, index, n, from);
    group g = {.index = index + from, .n = to - from, .n_strangers = c.n_strangers};
    size_t n_own = 0;
    for (size_t i = from; i < to; i++) {
      n_own += was_let_in(&legs[index[i]]);
      g.n_refused += legs[index[i]].was_refused;
      g.is_crowd |= legs[index[i]].is_tried_widely;
    }
    g.others_are_let_in = c.n_good > n_own;
    g.is_crowd |= c.n_good && !c.n_public_good && g.n_refused &&
                  fl_is_public(legs[index[from]].address) &&
                  c.n_public_refused >= REFUSALS_AMONG_GOOD;
    if (legs[index[from]].address.n) judge_group(legs, &g);
    from = to;
  }
}

fl_status fl_legs_judge(fl_solver *s, fl_err *err) {
  int32_t *index = malloc((s->n_legs + 1) * sizeof *index);
  refusal *names = malloc((s->n_legs + 1) * sizeof *names);
  if (!index || !names) {
    free(index);
    free(names);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
  }
  size_t n = 0;
  for (size_t i = 0; i < s->n_legs; i++)
    if (!s->legs[i].is_client && !s->legs[i].is_dropped) index[n++] = (int32_t)i;
  qsort_r(index, n, sizeof *index, compare, s->legs);
  for (size_t from = 0; from < n;) {
    size_t to = from;
    while (to < n && s->legs[index[to]].machine == s->legs[index[from]].machine) to++;
    judge_machine(s->legs, index + from, to - from, names);
    from = to;
  }
  free(index);
  free(names);
  return FL_OK;
}
