/* attempts_join.c - which connection of a host is the one that a client dialled. */
#include "base/limits.h"
#include "rules/solve.h"

enum { NEAR_S = 10, OVERLAP_S = 2, OUTLIVES_S = 120, SESSION_H = 26, NONE = -1 };

static bool is_candidate(const fl_leg *leg) { return !leg->is_client && !leg->is_dropped; }

static int64_t apart(fl_time a, fl_time b) { return a > b ? a - b : b - a; }

static bool is_own(const fl_solver *s, const fl_leg *dial, const fl_leg *leg) {
  return fl_machine_index(s, leg->address) == (int)dial->machine;
}

/* A session id is unique only for a while; a second candidate makes it worthless, unless one of
 * them alone came from an address that is known as the client's own. */
static int32_t join_session(const fl_solver *s, const fl_leg *dial) {
  if (dial->session < 0 || !dial->has_session) return NONE;
  int32_t found = NONE, own = NONE;
  size_t n = 0, n_own = 0;
  for (size_t i = 0; i < s->n_legs; i++) {
    const fl_leg *leg = &s->legs[i];
    if (!is_candidate(leg) || leg->session != dial->session) continue;
    if (apart(leg->connected, dial->connected) > SESSION_H * 3600 * FL_SECOND) continue;
    if (!fl_join_target(s, dial, leg->machine)) continue;
    found = (int32_t)i;
    n++;
    if (!is_own(s, dial, leg)) continue;
    own = (int32_t)i;
    n_own++;
  }
  return n == 1 ? found : n_own == 1 ? own : NONE;
}

int32_t fl_join_exact(const fl_solver *s, const fl_leg *dial) {
  for (size_t i = 0; dial->activity.n && i < s->n_legs; i++)
    if (is_candidate(&s->legs[i]) && fl_str_eq_nocase(dial->activity, s->legs[i].activity))
      return (int32_t)i;
  return join_session(s, dial);
}

/* Could the name that the user typed, or the address it became, be this machine? A name that no
 * machine of the case bears may be an alias: then any host will do, if there is only one. */
bool fl_join_target(const fl_solver *s, const fl_leg *dial, uint32_t machine) {
  const int by_name = fl_machine_index(s, dial->target);
  if (by_name >= 0) return by_name == (int)machine;
  const int by_address = fl_machine_index(s, dial->address);
  if (by_address >= 0) return by_address == (int)machine;
  size_t n_hosts = 0;
  for (size_t i = 0; i < s->n_machines; i++)
    n_hosts += (s->logs[i] & (FL_LOG_CORE | FL_LOG_RCM | FL_LOG_LSM)) != 0 && i != dial->machine;
  return n_hosts == 1;
}

/* Codes that say that no connection came about: 0x104 name, 0x204 connect, 0x208 and 0x508 name. */
static bool never_connected(int64_t code) {
  return code == 0x104 || code == 0x204 || code == 0x208 || code == 0x508;
}

/* Does the host's log, which covers the time, show no end of this session long after `t`? */
static bool has_no_end(const fl_solver *s, const fl_leg *leg, fl_time t) {
  const fl_str log = FL_STR("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational");
  const fl_time to = t - s->machines[leg->machine].offset_ns + OUTLIVES_S * FL_SECOND;
  if (leg->has_end || to < leg->end) return false;
  for (size_t i = 0; i < s->c->n_coverage; i++) {
    const fl_coverage *entry = &s->c->coverage[i];
    if (fl_str_eq_nocase(entry->channel, log) && fl_entry_covers(entry, leg->end, to) &&
        fl_machine_index(s, entry->host) == (int)leg->machine)
      return true;
  }
  return false;
}

static bool contradicts(const fl_solver *s, const fl_leg *dial, const fl_leg *leg) {
  if (never_connected(dial->code)) return true;
  if (dial->has_session && leg->session >= 0 && dial->session >= 0)
    return dial->session != leg->session;
  if (dial->has_session || !dial->has_end || !leg->has_session) return false;
  /* The client was out at once, and that session went on: somebody else's. */
  const fl_time out = fl_leg_time(s, dial, dial->end);
  return fl_leg_time(s, leg, leg->end) - out > OUTLIVES_S * FL_SECOND || has_no_end(s, leg, out);
}

/* What ended before the other began is not the same connection. A leg without an end may last. */
static bool overlap(const fl_solver *s, const fl_leg *dial, const fl_leg *leg, int64_t spread) {
  const int64_t slack = spread > OVERLAP_S * FL_SECOND ? spread : OVERLAP_S * FL_SECOND;
  const fl_time from = fl_leg_time(s, dial, dial->start), to = fl_leg_time(s, dial, dial->end);
  if (leg->has_end && fl_leg_time(s, leg, leg->end) < from - slack) return false;
  return !dial->has_end || fl_leg_time(s, leg, leg->start) <= to + slack;
}

/* Near in aligned time, and on a machine that can be meant. */
static bool is_near(const fl_solver *s, const fl_leg *dial, const fl_leg *leg) {
  const fl_machine *a = &s->machines[dial->machine], *b = &s->machines[leg->machine];
  const int64_t spread = a->spread_ns > b->spread_ns ? a->spread_ns : b->spread_ns;
  if (!overlap(s, dial, leg, spread)) return false;
  const int64_t near = spread > NEAR_S * FL_SECOND ? spread : NEAR_S * FL_SECOND;
  const fl_time at = fl_leg_time(s, leg, leg->connected);
  return at >= fl_leg_time(s, dial, dial->connected) - near &&
         at <= fl_leg_time(s, dial, dial->dialled) + near;
}

/* From the moment both sides see, or, where the user typed in between, from the last dialling. */
static int64_t distance(const fl_solver *s, const fl_leg *dial, const fl_leg *leg) {
  const fl_time at = fl_leg_time(s, leg, leg->connected);
  const int64_t first = apart(at, fl_leg_time(s, dial, dial->connected));
  const int64_t last = apart(at, fl_leg_time(s, dial, dial->dialled));
  return first < last ? first : last;
}

static bool can_join(const fl_solver *s, const fl_leg *dial, const fl_leg *leg) {
  if (!is_candidate(leg) || leg->is_joined || leg->is_suspect) return false;
  if (!is_near(s, dial, leg) || contradicts(s, dial, leg)) return false;
  if (!fl_join_target(s, dial, leg->machine)) return false;
  if (leg->gate) return true; /* the address is the gateway's */
  const int owner = fl_machine_index(s, leg->address);
  return owner < 0 || owner == (int)dial->machine;
}

/* The one connection near the attempt. An address that is known as the client's own decides;
 * several connections are a choice only when they come from one address: then the nearest, but no
 * first leg where there is a second. */
static int32_t join_near(const fl_solver *s, const fl_leg *dial) {
  int32_t best = NONE;
  bool is_several = false;
  for (size_t i = 0; i < s->n_legs; i++) {
    const fl_leg *leg = &s->legs[i];
    if (!can_join(s, dial, leg)) continue;
    if (best != NONE && is_own(s, dial, leg) != is_own(s, dial, &s->legs[best])) {
      if (!is_own(s, dial, leg)) continue;
      best = NONE;
      is_several = false;
    }
    if (best == NONE) {
      best = (int32_t)i;
      continue;
    }
    const fl_leg *other = &s->legs[best];
    if (other->machine != leg->machine || !fl_str_eq(other->address, leg->address)) {
      is_several = true;
      continue;
    }
    const bool is_better = leg->is_probe == other->is_probe
                               ? distance(s, dial, leg) < distance(s, dial, other)
                               : other->is_probe;
    if (is_better) best = (int32_t)i;
  }
  return is_several ? NONE : best;
}

static fl_status join(fl_solver *s, int32_t *leg_of, size_t dial, int32_t leg, fl_err *err) {
  if (leg < 0 || s->legs[leg].is_joined) return FL_OK;
  leg_of[dial] = leg;
  s->legs[leg].is_joined = s->legs[dial].is_joined = true;
  /* What one side saw of the other is another name for it. */
  const fl_leg *client = &s->legs[dial], *host = &s->legs[leg];
  if (!host->gate && fl_machine_index(s, host->address) < 0)
    FL_TRY(fl_machine_add_alias(s, client->machine, host->address, err));
  if (fl_machine_index(s, client->address) < 0)
    FL_TRY(fl_machine_add_alias(s, host->machine, client->address, err));
  if (fl_is_address(client->target) && fl_machine_index(s, client->target) < 0)
    FL_TRY(fl_machine_add_alias(s, host->machine, client->target, err));
  return FL_OK;
}

/* ret_leg_of[i] is the host's leg of the client's leg i, or -1. What an id joins goes first. */
fl_status fl_legs_join(fl_solver *s, int32_t *ret_leg_of, fl_err *err) {
  for (size_t i = 0; i < s->n_legs; i++) ret_leg_of[i] = NONE;
  for (int pass = 0; pass < 2; pass++) {
    size_t n_dials = 0;
    for (size_t i = 0; i < s->n_legs; i++) {
      if (!s->legs[i].is_client || n_dials++ >= FL_LIMIT_DIALS || ret_leg_of[i] >= 0) continue;
      const fl_leg *dial = &s->legs[i];
      const int32_t leg = pass == 0 ? fl_join_exact(s, dial) : join_near(s, dial);
      FL_TRY(join(s, ret_leg_of, i, leg, err));
    }
    s->n_cut_dials = n_dials > FL_LIMIT_DIALS ? n_dials - FL_LIMIT_DIALS : 0;
  }
  return FL_OK;
}
