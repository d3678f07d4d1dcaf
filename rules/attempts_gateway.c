/* attempts_gateway.c - legs of a gateway: one for each connection that it carried or refused, and
 * which connection of a client or a host each of them is. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "rules/solve.h"

/* A client opens the gateway before it asks for the target; the host sees the gateway at once. */
enum { NEAR_S = 10, PROBE_S = 150, LOOKED_AT = 1024, NONE = -1 };

typedef struct word {
  int64_t id;
  const char *state;
  bool is_end;
} word;

/* What a record of the gateway says of its connection. 204 to 206 are about the UDP side. */
static const word words[] = {
    {312, "initiated", false},         {313, "initiated", false},
    {200, "authorised", false},        {201, "refused", true},
    {202, "cut_by_admin", true},       {203, "limit", true},
    {300, "target_authorised", false}, {301, "target_refused", true},
    {302, "connected", false},         {303, "disconnected", true},
    {304, "target_failed", true},      {307, "timeout", true},
    {309, "reauth_failed", true},
};

static const word *word_of(const fl_event *event) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (words[i].id == event->event_id) return &words[i];
  return NULL;
}

static const fl_value *field(const fl_event *event, const char *ours, const char *theirs) {
  const fl_value *value = fl_event_field(event, fl_str_of(ours));
  return value ? value : fl_event_field(event, fl_str_of(theirs));
}

static int64_t natural(const fl_event *event, const char *ours, const char *theirs) {
  int64_t n = -1;
  const fl_value *value = field(event, ours, theirs);
  return value && fl_value_number(value, &n) ? n : -1;
}

/* The records of one connection bear one id; without ids the user and his address are all there is.
 */
static uint64_t key_of(const fl_seen *seen) {
  const fl_str id = seen->event->activity_id;
  uint64_t h = fl_hash_mix(seen->machine, 3);
  if (id.n) return fl_hash_bytes(id.p, id.n, h);
  for (size_t i = 0; i < seen->user.n; i++) h = fl_hash_mix(h, (uint64_t)fl_lower(seen->user.p[i]));
  return fl_hash_bytes(seen->address.p, seen->address.n, h);
}

typedef struct keyed {
  uint64_t key;
  fl_seen *seen;
} keyed;

static int compare_keyed(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->seen > y->seen) - (x->seen < y->seen);
}

/* The UDP side of a connection ends by itself, and says nothing of the whole. */
static bool is_udp_side(const fl_seen *seen) {
  const fl_value *protocol = field(seen->event, "protocol", "ConnectionProtocol");
  return protocol && protocol->kind == FL_V_STR &&
         fl_str_eq_nocase(protocol->as.text, FL_STR("UDP"));
}

static void take_bytes(fl_route *r, const fl_event *event) {
  const int64_t received = natural(event, "received", "BytesReceived");
  const int64_t sent = natural(event, "sent", "BytesTransfered");
  r->gateway_duration_s = natural(event, "duration_s", "SessionDuration");
  if (received < 0 || sent < 0) return;
  r->has_bytes = true;
  r->received = (uint64_t)received;
  r->sent = (uint64_t)sent;
}

static void take_word(fl_gate *g, const fl_seen *seen) {
  const word *w = word_of(seen->event);
  if (!w) return;
  if (is_udp_side(seen)) {
    g->leg.has_udp = g->leg.has_udp || seen->event->event_id == 302;
    return;
  }
  fl_route *r = &g->route;
  r->gateway_state = fl_str_of(w->state);
  r->gateway_code = seen->number;
  const fl_value *protocol = field(seen->event, "protocol", "ConnectionProtocol");
  if (protocol && protocol->kind == FL_V_STR && protocol->as.text.n)
    r->gateway_protocol = protocol->as.text;
  g->leg.has_end = w->is_end;
  g->is_decided = g->is_decided || seen->event->event_id < 312;
  if (seen->event->event_id == 302 && !g->leg.has_tcp) {
    g->leg.has_tcp = true;
    g->leg.connected = seen->event->t;
  }
  if (seen->event->event_id == 303) take_bytes(r, seen->event);
}

static void take(fl_gate *g, const fl_seen *seen) {
  fl_leg *leg = &g->leg;
  take_word(g, seen);
  leg->end = seen->event->t;
  if (seen->user.n) leg->user = seen->user;
  if (seen->text.n) leg->target = seen->text;
  if (seen->address.n) leg->address = seen->address;
  if (seen->port) leg->port = seen->port;
}

/* A log that begins in the middle of a connection still tells how long it lasted. */
static void set_start(fl_gate *g) {
  if (g->leg.has_tcp || g->route.gateway_duration_s <= 0) return;
  if (g->route.gateway_duration_s > 366 * 24 * 3600) return;
  const fl_time start = g->leg.end - g->route.gateway_duration_s * FL_SECOND;
  if (start < g->leg.start) g->leg.start = g->leg.connected = start;
  g->leg.has_tcp = true; /* only what was connected has a duration */
}

static bool begins_anew(const fl_gate *g, const fl_seen *seen) {
  const int64_t id = seen->event->event_id;
  return g->leg.has_end && !is_udp_side(seen) && (id == 200 || id == 302 || id == 312);
}

static void make_gates(fl_solver *s, const keyed *list, size_t n, const fl_seen **seen) {
  fl_gate *g = NULL;
  for (size_t i = 0; i < n; i++) {
    const fl_seen *one = list[i].seen;
    const bool is_next = i == 0 || list[i].key != list[i - 1].key || (g && begins_anew(g, one));
    if (is_next && s->n_gates == FL_LIMIT_LEGS) g = NULL;
    else if (is_next) {
      g = &s->gates[s->n_gates++];
      *g = (fl_gate){.route = FL_NO_ROUTE,
                     .leg = {.machine = one->machine, .session = -1, .code = -1}};
      g->leg.activity = one->event->activity_id;
      g->leg.start = g->leg.connected = one->event->t;
      g->leg.seen = seen + i;
      g->route.via_gateway = true;
      g->route.gateway = &s->machines[one->machine];
    }
    if (!g) {
      s->n_cut_records++;
      continue;
    }
    seen[i] = one;
    g->leg.n_seen++;
    take(g, one);
  }
  for (size_t i = 0; i < s->n_gates; i++) set_start(&s->gates[i]);
}

static int compare_gates(const void *a, const void *b) {
  const fl_gate *x = a, *y = b;
  if (x->leg.start != y->leg.start) return x->leg.start < y->leg.start ? -1 : 1;
  return (x->leg.seen[0] > y->leg.seen[0]) - (x->leg.seen[0] < y->leg.seen[0]);
}

/* A leg that only opens the gateway is the first of two where another from its address follows. */
static void mark_probes(fl_solver *s) {
  for (size_t i = 0; i < s->n_gates; i++) {
    fl_gate *g = &s->gates[i];
    const size_t end = s->n_gates - i > LOOKED_AT ? i + LOOKED_AT : s->n_gates;
    for (size_t k = i + 1; k < end && !g->is_decided && !g->leg.is_probe; k++) {
      const fl_leg *next = &s->gates[k].leg;
      if (next->start - g->leg.start > PROBE_S * FL_SECOND) break;
      g->leg.is_probe = next->machine == g->leg.machine && fl_str_eq(next->address, g->leg.address);
    }
  }
}

fl_status fl_gates_make(fl_solver *s, fl_err *err) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_seen; i++) n += s->seen[i].mark == FL_MARK_GATEWAY;
  if (n == 0) return FL_OK;
  s->gates = FL_NEW_ARRAY(s->arena, fl_gate, n < FL_LIMIT_LEGS ? n : FL_LIMIT_LEGS);
  const fl_seen **seen = FL_NEW_ARRAY(s->arena, const fl_seen *, n);
  keyed *list = malloc(n * sizeof *list);
  if (!s->gates || !seen || !list) {
    free(list);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections of a gateway");
  }
  n = 0;
  for (size_t i = 0; i < s->n_seen; i++)
    if (s->seen[i].mark == FL_MARK_GATEWAY) list[n++] = (keyed){key_of(&s->seen[i]), &s->seen[i]};
  qsort(list, n, sizeof *list, compare_keyed);
  make_gates(s, list, n, seen);
  free(list);
  qsort(s->gates, s->n_gates, sizeof *s->gates, compare_gates);
  mark_probes(s);
  return FL_OK;
}

/* Joining */

static int64_t apart(fl_time a, fl_time b) { return a > b ? a - b : b - a; }

static bool is_same_id(const fl_gate *g, const fl_leg *leg) {
  return g->leg.activity.n && fl_str_eq_nocase(g->leg.activity, leg->activity);
}

static bool is_target(const fl_solver *s, const fl_gate *g, uint32_t machine) {
  const int at = fl_machine_index(s, g->leg.target);
  return at >= 0 && at == (int)machine;
}

/* A connection of the host that the gateway made: the same moment, and not the address of the
 * client itself. A user that both name has to be the same. */
static bool carries(const fl_solver *s, const fl_gate *g, const fl_leg *leg) {
  if (is_same_id(g, leg)) return true;
  if (!g->leg.has_tcp) return false;
  const int64_t far =
      apart(fl_leg_time(s, &g->leg, g->leg.connected), fl_leg_time(s, leg, leg->connected));
  if (far > NEAR_S * FL_SECOND || !is_target(s, g, leg->machine)) return false;
  if (leg->address.n && fl_str_eq(leg->address, g->leg.address)) return false;
  const int owner = fl_machine_index(s, leg->address);
  if (owner >= 0 && owner != (int)g->leg.machine) return false;
  return !leg->user.n || !g->leg.user.n || fl_user_same(leg->user, g->leg.user);
}

/* A dial that nothing of the host joined: the name that was asked for, the time, the address. */
static bool is_dialled_through(const fl_solver *s, const fl_gate *g, const fl_leg *dial) {
  if (is_same_id(g, dial)) return true;
  const fl_time from = fl_leg_time(s, dial, dial->start), to = fl_leg_time(s, dial, dial->end);
  const fl_time at = fl_leg_time(s, &g->leg, g->leg.start);
  if (at < from - NEAR_S * FL_SECOND || at > to + NEAR_S * FL_SECOND) return false;
  const int owner = fl_machine_index(s, g->leg.address);
  if (owner >= 0 && owner != (int)dial->machine) return false;
  const bool is_gateway_code = dial->code >= 0x3000001 && dial->code <= 0x30000ff;
  if (!g->leg.target.n) return is_gateway_code;
  const int machine = fl_machine_index(s, g->leg.target);
  return fl_host_same(g->leg.target, dial->target) ||
         (machine >= 0 && machine == fl_machine_index(s, dial->target));
}

/* The nearest gate that fits; two that are equally good are none, unless an id or a user decides.
 */
static int32_t find_gate(const fl_solver *s, const fl_leg *leg) {
  int32_t best = NONE;
  int64_t nearest = INT64_MAX;
  bool is_twice = false;
  const fl_time at = fl_leg_time(s, leg, leg->connected);
  for (size_t i = 0; i < s->n_gates && i < FL_LIMIT_DIALS; i++) {
    const fl_gate *g = &s->gates[i];
    if (g->is_taken || g->leg.is_probe) continue;
    if (!(leg->is_client ? is_dialled_through(s, g, leg) : carries(s, g, leg))) continue;
    if (is_same_id(g, leg)) return (int32_t)i;
    const bool same_user = leg->user.n && fl_user_same(leg->user, g->leg.user);
    const fl_time then = leg->is_client ? g->leg.start : g->leg.connected;
    const int64_t far =
        apart(fl_leg_time(s, &g->leg, then), at) + (same_user ? 0 : FL_SECOND * 3600);
    is_twice = best != NONE && apart(far, nearest) < FL_SECOND;
    if (far < nearest) {
      best = (int32_t)i;
      nearest = far;
    }
  }
  return is_twice && !leg->is_client ? NONE : best;
}

static void claim(fl_solver *s, fl_leg *leg) {
  const int32_t at = find_gate(s, leg);
  if (at < 0) return;
  leg->gate = at + 1;
  s->gates[at].is_taken = true;
}

fl_status fl_gates_carry(fl_solver *s, fl_err *err) {
  for (size_t i = 0; s->n_gates && i < s->n_legs; i++) {
    fl_leg *leg = &s->legs[i];
    if (leg->is_client || leg->is_dropped || leg->gate || leg->is_suspect) continue;
    claim(s, leg);
    if (!leg->gate || !fl_is_address(leg->address)) continue;
    if (fl_machine_index(s, leg->address) < 0)
      FL_TRY(fl_machine_add_alias(s, s->gates[leg->gate - 1].leg.machine, leg->address, err));
  }
  return FL_OK;
}

void fl_gates_dial(fl_solver *s, const int32_t *leg_of) {
  for (size_t i = 0; s->n_gates && i < s->n_legs; i++) {
    fl_leg *dial = &s->legs[i];
    if (!dial->is_client || dial->is_dropped) continue;
    if (leg_of[i] >= 0) dial->gate = s->legs[leg_of[i]].gate;
    else claim(s, dial);
  }
  if (s->n_gates > FL_LIMIT_DIALS) s->n_cut_dials += s->n_gates - FL_LIMIT_DIALS;
}
