/* incident_bearing.c - what an incident has to do with the attempts of its machine.
 *
 * It explains an attempt when it struck what carried that attempt, before the attempt's end and
 * near it, and nothing says that the attempt had ended for a reason of its own. What lies near
 * without that coincides. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/incident.h"

enum {
  EARLY_S = 2,     /* records of one moment are written in any order */
  DROP_S = 90,     /* until the end of what the process carried is noticed */
  SESSION_S = 10,  /* a session ends with its process, or not because of it */
  SYSTEM_S = 120,  /* Windows restarts a minute after a process that it needs died */
  RESTART_S = 120, /* a service is down until it is started again */
  NOTICE_S = 300,  /* a client waits for a host that is gone */
  NEAR_S = 300
};

typedef struct scene {
  const fl_solver *s;
  const fl_incident *in;
  fl_scope scope;
  fl_time from, to; /* aligned: the moment, or between what it lies */
  fl_time up;       /* when what failed was there again; 0 unknown */
  size_t n_live, n_dropped, n_failed;
} scene;

static fl_time aligned(const fl_incident *in, fl_time t) {
  fl_time moved = t;
  if (!in->machine || __builtin_add_overflow(t, in->machine->offset_ns, &moved)) return t;
  return moved;
}

static bool is_between(fl_time t, fl_time from, int64_t before_s, fl_time to, int64_t after_s) {
  return t >= fl_moment_plus(from, -before_s) && t <= fl_moment_plus(to, after_s);
}

static bool is_cut(const fl_attempt *a) {
  return a->outcome == FL_OUTCOME_LOST || a->outcome == FL_OUTCOME_FAILED;
}

/* The host itself said why, and it was no crash. */
static bool has_own_reason(const fl_attempt *a) {
  static const uint32_t reasons[] = {1, 2, 3, 4, 5, 7, 9, 10, 11, 12};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (a->has_host_code && a->host_code == reasons[i]) return true;
  return false;
}

/* RdpCoreTS lived to write the end of the connection, and that the transport was gone first. */
static bool is_end_by_network(const fl_attempt *a) { return a->end_reason == 14; }

static bool carries(const scene *c, const fl_attempt *a) {
  const fl_machine *m = c->in->machine;
  if (c->scope == FL_SCOPE_GATEWAY) return a->route.gateway == m;
  if (c->scope == FL_SCOPE_CLIENT) return a->client == m;
  if (c->scope == FL_SCOPE_MACHINE)
    return a->server == m || a->client == m || a->route.gateway == m;
  return a->server == m;
}

static bool is_on_machine(const scene *c, const fl_attempt *a) {
  const fl_machine *m = c->in->machine;
  return a->server == m || a->client == m || a->route.gateway == m || a->route.broker == m;
}

static bool drops_within(const scene *c, const fl_attempt *a, int64_t after_s) {
  return is_cut(a) && a->start <= fl_moment_plus(c->to, EARLY_S) &&
         is_between(a->end, c->from, EARLY_S, c->to, after_s);
}

/* ---- one reason for each scope; NULL: it does not explain ---- */

/* While what failed was gone, nobody got in. */
static bool is_while_down(const scene *c, const fl_attempt *a) {
  return a->outcome == FL_OUTCOME_FAILED && c->up && a->start >= c->from && a->start <= c->up &&
         a->reached < FL_PHASE_TLS && a->end_reason < 0;
}

static const char *by_service(const scene *c, const fl_attempt *a) {
  if (is_while_down(c, a)) return "the service was down when the connection was tried";
  if (a->end_reason >= 0 || !drops_within(c, a, DROP_S)) return NULL;
  return "the service that carried the connection died just before its end";
}

/* The machine could write no end: an end that it wrote came first. */
static const char *by_machine(const scene *c, const fl_attempt *a) {
  const bool is_process = c->in->kind == FL_INCIDENT_CRASH;
  if (is_while_down(c, a)) return "the machine was down when the connection was tried";
  if (is_process)
    return drops_within(c, a, SYSTEM_S)
               ? "a process that Windows needs died just before, and took the machine with it"
               : NULL;
  const fl_time last = aligned(c->in, c->in->reported);
  const bool is_of_client = a->client == c->in->machine && a->server != c->in->machine;
  const bool is_open = a->start <= c->to && (a->end_reason < 0 || is_of_client);
  const bool is_in_time = is_between(a->end, c->from, EARLY_S, c->to, NOTICE_S) ||
                          (last && is_between(a->end, c->from, EARLY_S, last, NOTICE_S));
  if (!is_open || !is_in_time || (!is_cut(a) && !is_of_client)) return NULL;
  if (is_of_client && (a->has_code || a->outcome == FL_OUTCOME_ENDED)) return NULL;
  return "the machine stopped while the connection was open";
}

static const char *by_client(const scene *c, const fl_attempt *a) {
  const bool is_open = a->outcome == FL_OUTCOME_OPEN || a->outcome == FL_OUTCOME_UNKNOWN;
  if (a->has_code || a->start > c->to) return NULL;
  if (is_open && c->n_live == 1) return "the client died, and wrote no end of this connection";
  if (a->outcome == FL_OUTCOME_ENDED && a->end_reason != 14) return NULL;
  if (!is_between(a->end, c->from, EARLY_S, c->to, DROP_S)) return NULL;
  return c->n_dropped + c->n_failed > 1 ? NULL : "the client died just before the host lost it";
}

static const char *by_gateway(const scene *c, const fl_attempt *a) {
  if (!drops_within(c, a, DROP_S)) return NULL;
  return "the gateway's service died just before the connection's end";
}

static const char *by_session(const scene *c, const fl_attempt *a) {
  if (is_end_by_network(a)) return NULL;
  if (a->outcome == FL_OUTCOME_LOST && drops_within(c, a, SESSION_S)) {
    if (c->n_live == 1) return "a process of the only session died just before its end";
    return c->n_dropped == 1 ? "a process of a session died, and this session alone ended with it"
                             : NULL;
  }
  if (a->outcome != FL_OUTCOME_FAILED || !drops_within(c, a, DROP_S)) return NULL;
  const bool is_late = a->reached >= FL_PHASE_AUTH || !a->has_host;
  return is_late && c->n_failed == 1 && c->n_dropped == 0
             ? "a process of the session died while it was set up"
             : NULL;
}

static const char *explain(const scene *c, const fl_attempt *a) {
  if (!carries(c, a) || has_own_reason(a) || a->outcome == FL_OUTCOME_PROBE) return NULL;
  if (a->outcome == FL_OUTCOME_ENDED && c->scope != FL_SCOPE_CLIENT) return NULL;
  switch (c->scope) {
    case FL_SCOPE_HOST:
      return by_service(c, a);
    case FL_SCOPE_MACHINE:
      return by_machine(c, a);
    case FL_SCOPE_CLIENT:
      return by_client(c, a);
    case FL_SCOPE_GATEWAY:
      return by_gateway(c, a);
    case FL_SCOPE_SESSION:
      return by_session(c, a);
    case FL_SCOPE_FEATURE:
    case FL_SCOPE_NONE:
      break;
  }
  return NULL;
}

static bool coincides(const scene *c, const fl_attempt *a) {
  if (!is_on_machine(c, a) || !is_cut(a)) return false;
  return is_between(a->end, c->from, NEAR_S, c->to, NEAR_S) ||
         is_between(a->start, c->from, NEAR_S, c->to, NEAR_S);
}

/* ---- the scene ---- */

/* Sessions that were there at the moment, and those that ended with it. */
static void count_sessions(scene *c) {
  for (size_t i = 0; i < c->s->n_real; i++) {
    const fl_attempt *a = &c->s->attempts[i];
    if (!carries(c, a) || a->start > fl_moment_plus(c->to, EARLY_S)) continue;
    const bool is_open = a->outcome == FL_OUTCOME_OPEN || a->outcome == FL_OUTCOME_UNKNOWN;
    const bool is_alive = is_open || a->end >= fl_moment_plus(c->from, -EARLY_S);
    const bool is_there = a->reached == FL_PHASE_SESSION || c->scope == FL_SCOPE_CLIENT;
    const bool is_drop = is_between(a->end, c->from, EARLY_S, c->to,
                                    c->scope == FL_SCOPE_SESSION ? SESSION_S : DROP_S);
    c->n_live += is_alive && is_there;
    c->n_dropped += a->outcome == FL_OUTCOME_LOST && is_drop;
    c->n_failed += a->outcome == FL_OUTCOME_FAILED && drops_within(c, a, DROP_S);
  }
}

/* The listener's start ends the time in which nobody could connect. */
static fl_time up_of(const scene *c) {
  if (c->scope == FL_SCOPE_MACHINE && c->in->kind != FL_INCIDENT_CRASH)
    return fl_moment_plus(aligned(c->in, c->in->reported), RESTART_S);
  if (c->scope != FL_SCOPE_HOST && c->scope != FL_SCOPE_MACHINE) return 0;
  const fl_time last = fl_moment_plus(c->from, RESTART_S);
  for (size_t i = 0; i < c->s->c->n_events; i++) {
    const fl_event *e = c->s->c->events[i];
    if (!fl_str_eq(e->kind, FL_STR("rdp.listener.start"))) continue;
    const int at = fl_machine_index(c->s, e->host);
    const fl_time t = aligned(c->in, e->t);
    if (at >= 0 && &c->s->machines[at] == c->in->machine && t > c->from && t < last) return t;
  }
  return last;
}

static fl_status weigh(fl_solver *s, fl_incident *in, fl_err *err) {
  scene c = {.s = s, .in = in, .scope = fl_incident_part(in).scope};
  const char *reason = NULL;
  if (!in->machine || !in->t) {
    in->reason = !in->machine ? FL_STR("nothing tells on which machine it happened")
                              : FL_STR("nothing tells when it happened");
    return FL_OK;
  }
  const bool is_stop = in->kind == FL_INCIDENT_STOP || in->kind == FL_INCIDENT_POWER;
  c.from = aligned(in, in->t);
  c.to = in->is_exact || !is_stop ? c.from : aligned(in, in->reported);
  c.up = up_of(&c);
  count_sessions(&c);
  const fl_attempt **list = FL_NEW_ARRAY(s->arena, const fl_attempt *, s->n_real + 1);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for incidents");
  const bool can_explain = in->is_exact || is_stop;
  for (size_t i = 0; i < s->n_real && can_explain; i++) {
    const char *why = explain(&c, &s->attempts[i]);
    if (!why) continue;
    if (!reason) reason = why;
    list[in->n_attempts++] = &s->attempts[i];
  }
  in->bearing = in->n_attempts ? FL_EXPLAINS : FL_UNRELATED;
  for (size_t i = 0; i < s->n_real && in->bearing != FL_EXPLAINS; i++)
    if (coincides(&c, &s->attempts[i])) list[in->n_attempts++] = &s->attempts[i];
  in->attempts = list;
  if (in->bearing == FL_EXPLAINS) {
    in->reason = fl_str_of(reason);
    return FL_OK;
  }
  if (in->n_attempts) in->bearing = FL_COINCIDES;
  in->reason = in->n_attempts
                   ? fl_str_of(c.scope == FL_SCOPE_NONE || c.scope == FL_SCOPE_FEATURE
                                   ? "it lies near the failure, but does not carry the connection"
                                   : "it lies near the failure, but nothing ties it to that end")
                   : FL_STR("no connection of this machine failed near it");
  return FL_OK;
}

/* The widest that explains counts, of equals the nearest before the end. */
static void give(fl_solver *s, const fl_incident *in, fl_scope *scopes) {
  const fl_scope scope = fl_incident_part(in).scope;
  for (size_t i = 0; i < in->n_attempts; i++) {
    const size_t at = (size_t)(in->attempts[i] - s->attempts);
    fl_attempt *a = &s->attempts[at];
    if (in->bearing == FL_COINCIDES) {
      a->near_incident = in;
    } else if (!a->incident || scope >= scopes[at]) {
      a->incident = in;
      scopes[at] = scope;
    }
  }
}

fl_status fl_incidents_weigh(fl_solver *s, fl_err *err) {
  if (s->n_incidents == 0) return FL_OK;
  for (size_t i = 0; i < s->n_incidents; i++) FL_TRY(weigh(s, &s->incidents[i], err));
  fl_scope *scopes = calloc(s->n_real + 1, sizeof *scopes);
  if (!scopes) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for incidents");
  for (size_t i = 0; i < s->n_incidents; i++) give(s, &s->incidents[i], scopes);
  free(scopes);
  return FL_OK;
}
