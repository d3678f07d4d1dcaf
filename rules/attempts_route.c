/* attempts_route.c - what a gateway adds to an attempt: the way, its names, and its end. */
#include "base/text.h"
#include "rules/solve.h"

enum { GRACEFUL = 1226 };

static bool is_state(const fl_route *r, const char *state) {
  return fl_str_eq(r->gateway_state, fl_str_of(state));
}

static void set_end(fl_attempt *a, fl_outcome outcome, const char *by) {
  a->outcome = outcome;
  a->ended_by = fl_str_of(by);
}

/* The gateway ended it, or would not let it begin. */
static bool is_by_gateway(const fl_route *r) {
  return is_state(r, "refused") || is_state(r, "target_refused") || is_state(r, "limit") ||
         is_state(r, "cut_by_admin") || is_state(r, "timeout") || is_state(r, "reauth_failed");
}

static void end_alone(fl_attempt *a, const fl_gate *gate) {
  const fl_route *r = &gate->route;
  if (is_by_gateway(r))
    set_end(a, gate->leg.has_tcp ? FL_OUTCOME_LOST : FL_OUTCOME_FAILED, "gateway");
  else if (is_state(r, "target_failed")) set_end(a, FL_OUTCOME_FAILED, "");
  else if (is_state(r, "disconnected") && (r->gateway_code == GRACEFUL || r->gateway_code == 0))
    set_end(a, FL_OUTCOME_ENDED, "");
  else if (is_state(r, "disconnected")) set_end(a, FL_OUTCOME_LOST, "");
  else if (is_state(r, "connected")) set_end(a, FL_OUTCOME_OPEN, "");
  else set_end(a, gate->leg.is_probe ? FL_OUTCOME_PROBE : FL_OUTCOME_UNKNOWN, "");
}

/* Client and host know their own ends better; what they leave open, the gateway may tell. */
static void end_beside(fl_attempt *a, const fl_gate *gate) {
  const bool is_bad = a->outcome == FL_OUTCOME_FAILED || a->outcome == FL_OUTCOME_LOST;
  if (is_bad && is_by_gateway(&gate->route)) a->ended_by = FL_STR("gateway");
  if (a->outcome != FL_OUTCOME_OPEN && a->outcome != FL_OUTCOME_UNKNOWN) return;
  if (is_state(&gate->route, "connected") || !gate->leg.has_end) return;
  end_alone(a, gate);
}

void fl_attempt_route(const fl_solver *s, fl_attempt *a, const fl_gate *gate, bool is_alone) {
  const fl_leg *leg = &gate->leg;
  a->route = gate->route;
  if (!a->user.n) a->user = leg->user;
  if (leg->has_udp) {
    a->udp = FL_TRUE;
    a->transport = FL_STR("udp");
  }
  if (!a->client || a->client == gate->route.gateway) { /* the host saw the gateway */
    const int at = fl_machine_index(s, leg->address);
    a->client = at < 0 ? NULL : &s->machines[at];
    a->client_name = a->client ? a->client->name : leg->address;
  }
  if (!a->address.n) a->address = leg->address;
  if (!a->server) {
    const int at = fl_machine_index(s, leg->target);
    a->server = at < 0 ? NULL : &s->machines[at];
    if (a->server) a->server_name = a->server->name;
    else if (leg->target.n) a->server_name = leg->target;
  }
  if (!a->target.n) a->target = leg->target;
  if (is_alone) end_alone(a, gate);
  else end_beside(a, gate);
}
