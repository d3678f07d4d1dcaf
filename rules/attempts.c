/* attempts.c - connection attempts: legs of client and host put together, in time order. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/solve.h"

enum { NEAR_S = 10 };

static fl_time time_of(const fl_solver *s, const fl_seen *seen) {
  return seen->event->t + s->machines[seen->machine].offset_ns;
}

static int compare_seen(const void *a, const void *b, void *context) {
  const fl_solver *s = context;
  const fl_seen *x = *(const fl_seen *const *)a, *y = *(const fl_seen *const *)b;
  const fl_time tx = time_of(s, x), ty = time_of(s, y);
  if (tx != ty) return tx < ty ? -1 : 1;
  /* `seen` is in (time, source, sequence) order of what was recorded. */
  return (x > y) - (x < y);
}

/* The restart or crash that ended a session which RdpCoreTS wrote no end for; where LSM still noted
 * one, the crash stands beside it. */
static const fl_seen *death_of(const fl_solver *s, const fl_leg *leg) {
  if (!leg || leg->has_core_end) return NULL;
  const fl_time from = leg->end - NEAR_S * FL_SECOND;
  size_t low = 0, high = s->n_downs;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const fl_seen *down = s->downs[middle];
    const bool is_before =
        down->machine != leg->machine ? down->machine < leg->machine : down->event->t < from;
    if (is_before) low = middle + 1;
    else high = middle;
  }
  if (low == s->n_downs || s->downs[low]->machine != leg->machine) return NULL;
  const bool is_ended = leg->has_end && s->downs[low]->event->t > leg->end + NEAR_S * FL_SECOND;
  return is_ended ? NULL : s->downs[low];
}

/* The user's words for the machines and the account fit this attempt. */
static bool fits_question(const fl_solver *s, const fl_leg *leg) {
  const fl_case_options *o = s->options;
  if (!o) return false;
  if (o->client.n && leg->address.n) {
    if (fl_str_eq_nocase(o->client, leg->address)) return true;
    const int at = fl_machine_index(s, o->client);
    if (at >= 0 && at == fl_machine_index(s, leg->address)) return true;
  }
  if (!o->user.n) return false;
  if (leg->user.n && fl_user_same(o->user, leg->user)) return true;
  for (size_t i = 0; i < leg->n_seen; i++)
    if (leg->seen[i]->user.n && fl_user_same(o->user, leg->seen[i]->user)) return true;
  return false;
}

/* The legs of one attempt; any may be missing, not all. */
typedef struct sides {
  const fl_leg *dial, *leg;
  const fl_gate *gate;
} sides;

static fl_status list_seen(fl_solver *s, const sides *of, const fl_seen ***ret_list, size_t *ret_n,
                           fl_err *err) {
  const fl_leg *const legs[] = {of->dial, of->leg, of->gate ? &of->gate->leg : NULL};
  enum { N_LEGS = sizeof legs / sizeof *legs };
  size_t n = 0;
  for (size_t i = 0; i < N_LEGS; i++) n += legs[i] ? legs[i]->n_seen : 0;
  const fl_seen **list = FL_NEW_ARRAY(s->arena, const fl_seen *, n + 1);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  n = 0;
  for (size_t i = 0; i < N_LEGS; i++) {
    if (!legs[i] || !legs[i]->n_seen) continue;
    memcpy(list + n, legs[i]->seen, legs[i]->n_seen * sizeof *list);
    n += legs[i]->n_seen;
  }
  qsort_r(list, n, sizeof *list, compare_seen, s);
  *ret_list = list;
  *ret_n = n;
  return FL_OK;
}

static const fl_machine *machine_of(const fl_solver *s, fl_str name) {
  const int at = fl_machine_index(s, name);
  return at < 0 ? NULL : &s->machines[at];
}

static void name_client(const fl_solver *s, fl_attempt *a, const fl_leg *dial, const fl_leg *leg) {
  if (dial) a->client = &s->machines[dial->machine];
  else if (leg && leg->address.n) a->client = machine_of(s, leg->address);
  if (a->client) a->client_name = a->client->name;
  else if (leg) a->client_name = leg->address;
  if (leg) {
    a->address = leg->address;
    a->port = leg->port;
  }
  if (dial) a->activity_id = dial->activity;
  if (leg) a->server_activity_id = leg->activity;
}

static void name_server(const fl_solver *s, fl_attempt *a, const fl_leg *dial, const fl_leg *leg) {
  if (leg) a->server = &s->machines[leg->machine];
  else if (dial) a->server = machine_of(s, dial->target);
  if (!a->server && dial && dial->address.n) a->server = machine_of(s, dial->address);
  if (a->server) a->server_name = a->server->name;
  else if (dial) a->server_name = dial->target.n ? dial->target : dial->address;
}

static void take_users(fl_attempt *a, const fl_seen *const *seen, size_t n) {
  for (size_t i = 0; i < n && !a->user.n; i++)
    if (seen[i]->user.n) a->user = seen[i]->user;
}

static fl_status set_events(fl_solver *s, fl_attempt *a, const fl_seen *const *seen, size_t n,
                            fl_err *err) {
  const fl_event **events = FL_NEW_ARRAY(s->arena, const fl_event *, n + 1);
  if (!events) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  for (size_t i = 0; i < n; i++) events[i] = seen[i]->event;
  a->events = events;
  a->n_events = n;
  return FL_OK;
}

static void set_times(const fl_solver *s, fl_attempt *a, const sides *of) {
  const fl_leg *const legs[] = {of->dial, of->leg, of->gate ? &of->gate->leg : NULL};
  bool is_first = true;
  for (size_t i = 0; i < sizeof legs / sizeof *legs; i++) {
    if (!legs[i]) continue;
    const fl_time start = fl_leg_time(s, legs[i], legs[i]->start);
    const fl_time end = fl_leg_time(s, legs[i], legs[i]->end);
    if (is_first || start < a->start) a->start = start;
    if (is_first || end > a->end) a->end = end;
    is_first = false;
  }
}

/* A host that died wrote no end: it is the crash, or the first that the next start recorded. */
static void end_with_host(const fl_solver *s, fl_attempt *a, const fl_leg *dial,
                          const fl_seen *death) {
  const bool is_cut = a->outcome == FL_OUTCOME_LOST || a->outcome == FL_OUTCOME_FAILED;
  if (!death || !is_cut || (dial && dial->has_end)) return;
  if (time_of(s, death) > a->end) a->end = time_of(s, death);
}

/* Logs without RdpCoreTS show no ends: what did not get a session failed, if LSM would show it. */
static void judge_without_core(const fl_solver *s, fl_attempt *a, const fl_leg *leg) {
  if (!leg || (s->logs[leg->machine] & FL_LOG_CORE) || a->outcome != FL_OUTCOME_OPEN) return;
  if (a->reached >= FL_PHASE_SESSION) return;
  const bool would_show = (s->logs[leg->machine] & FL_LOG_LSM) != 0 && leg->has_auth;
  a->outcome = would_show ? FL_OUTCOME_FAILED : FL_OUTCOME_UNKNOWN;
}

static void judge(const fl_solver *s, fl_attempt *a, const sides *of) {
  const fl_leg *dial = of->dial, *leg = of->leg;
  judge_without_core(s, a, leg);
  if (of->gate) fl_attempt_route(s, a, of->gate, !dial && !leg);
  if (dial || !leg) return;
  if (leg->is_probe && a->outcome != FL_OUTCOME_ENDED) a->outcome = FL_OUTCOME_PROBE;
  if (leg->is_suspect && !fits_question(s, leg)) a->outcome = FL_OUTCOME_NOISE;
}

static fl_status make(fl_solver *s, const sides *of, fl_attempt *ret_attempt, fl_err *err) {
  const fl_leg *dial = of->dial, *leg = of->leg;
  fl_attempt a = {.session_id = -1, .reached = FL_PHASE_NONE, .route = FL_NO_ROUTE};
  const fl_seen **seen = NULL;
  size_t n = 0;
  FL_TRY(list_seen(s, of, &seen, &n, err));
  name_client(s, &a, dial, leg);
  name_server(s, &a, dial, leg);
  set_times(s, &a, of);
  if (leg) a.session_id = leg->session;
  else if (dial && dial->has_session) a.session_id = dial->session;
  if (leg) a.user = leg->user;
  a.has_host = leg != NULL;
  a.is_foreign = leg && leg->is_foreign;
  a.is_assumed = dial && dial->is_assumed;
  take_users(&a, seen, n);
  const bool udp = (dial && dial->has_udp) || (leg && leg->has_udp);
  a.transport = udp ? FL_STR("udp") : leg && leg->has_tcp ? FL_STR("tcp") : (fl_str){0};
  const fl_seen *death = death_of(s, leg);
  fl_attempt_read(&a, seen, n, death != NULL);
  fl_attempt_facts(&a, dial, leg, seen, n);
  end_with_host(s, &a, dial, death);
  judge(s, &a, of);
  FL_TRY(set_events(s, &a, seen, n, err));
  *ret_attempt = a;
  return FL_OK;
}

static int compare_attempts(const void *a, const void *b) {
  const fl_attempt *x = a, *y = b;
  const bool noise_x = x->outcome == FL_OUTCOME_NOISE, noise_y = y->outcome == FL_OUTCOME_NOISE;
  if (noise_x != noise_y) return noise_x ? 1 : -1;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/* 261 alone names nobody: it only helps an attempt that a client recorded. */
static bool is_listener_only(const fl_leg *leg) {
  return leg->has_listener && !leg->has_tcp && !leg->has_created && !leg->has_auth &&
         !leg->has_license && !leg->was_refused && !leg->has_session;
}

static void put_in_order(fl_solver *s) {
  qsort(s->attempts, s->n_attempts, sizeof *s->attempts, compare_attempts);
  s->n_real = 0;
  for (size_t i = 0; i < s->n_attempts; i++) {
    s->attempts[i].number = (unsigned)i + 1;
    s->n_real += s->attempts[i].outcome != FL_OUTCOME_NOISE;
  }
}

static fl_status make_all(fl_solver *s, const int32_t *leg_of, fl_err *err) {
  s->attempts = FL_NEW_ARRAY(s->arena, fl_attempt, s->n_legs + s->n_gates + s->n_brokers + 1);
  if (!s->attempts) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  for (size_t i = 0; i < s->n_legs; i++) {
    const fl_leg *leg = &s->legs[i];
    if (leg->is_dropped || (!leg->is_client && leg->is_joined)) continue;
    if (!leg->is_client && is_listener_only(leg)) continue;
    const fl_leg *host = leg->is_client ? (leg_of[i] < 0 ? NULL : &s->legs[leg_of[i]]) : leg;
    fl_attempt *a = &s->attempts[s->n_attempts];
    const sides of = {.dial = leg->is_client ? leg : NULL,
                      .leg = host,
                      .gate = leg->gate ? &s->gates[leg->gate - 1] : NULL};
    FL_TRY(make(s, &of, a, err));
    a->number = (unsigned)++s->n_attempts; /* keeps the sort stable */
  }
  for (size_t i = 0; i < s->n_gates; i++) {
    if (s->gates[i].is_taken) continue;
    FL_TRY(make(s, &(sides){.gate = &s->gates[i]}, &s->attempts[s->n_attempts], err));
    s->attempts[s->n_attempts].number = (unsigned)s->n_attempts + 1;
    s->n_attempts++;
  }
  put_in_order(s);
  return FL_OK;
}

static int compare_downs(const void *a, const void *b) {
  const fl_seen *x = *(const fl_seen *const *)a, *y = *(const fl_seen *const *)b;
  if (x->machine != y->machine) return x->machine < y->machine ? -1 : 1;
  if (x->event->t != y->event->t) return x->event->t < y->event->t ? -1 : 1;
  return (x > y) - (x < y);
}

static fl_status list_downs(fl_solver *s, fl_err *err) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_seen; i++) {
    n += s->seen[i].mark == FL_MARK_HOST_DOWN;
    s->n_brokers += fl_mark_is_broker(s->seen[i].mark) && s->n_brokers < FL_LIMIT_LEGS;
  }
  s->downs = FL_NEW_ARRAY(s->arena, const fl_seen *, n + 1);
  if (!s->downs) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  for (size_t i = 0; i < s->n_seen; i++)
    if (s->seen[i].mark == FL_MARK_HOST_DOWN) s->downs[s->n_downs++] = &s->seen[i];
  qsort(s->downs, s->n_downs, sizeof *s->downs, compare_downs);
  return FL_OK;
}

fl_status fl_attempts_make(fl_solver *s, fl_err *err) {
  FL_TRY(fl_marks_make(s, err));
  FL_TRY(list_downs(s, err));
  FL_TRY(fl_legs_make(s, err));
  FL_TRY(fl_legs_judge(s, err));
  FL_TRY(fl_clocks_estimate(s, err));
  FL_TRY(fl_gates_make(s, err));
  FL_TRY(fl_gates_carry(s, err));
  int32_t *leg_of = malloc((s->n_legs + 1) * sizeof *leg_of);
  if (!leg_of) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  fl_status status = fl_legs_join(s, leg_of, err);
  if (status == FL_OK) status = fl_legs_assume(s, leg_of, err);
  if (status == FL_OK) status = fl_legs_mark_foreign(s, err);
  if (status == FL_OK) fl_gates_dial(s, leg_of);
  if (status == FL_OK) status = make_all(s, leg_of, err);
  if (status == FL_OK) status = fl_attempts_ask_broker(s, err);
  if (status == FL_OK) put_in_order(s);
  if (status == FL_OK) status = fl_attempts_pair(s, err);
  if (status == FL_OK) status = fl_attempts_alike(s, err);
  free(leg_of);
  return status;
}
