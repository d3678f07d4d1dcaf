/* attempts_assume.c - one attempt of a client and one connection of a host are left over: minutes
 * apart they may still be the same, if one clock is wrong. Named as assumed, never proven. */
#include "base/limits.h"
#include "rules/solve.h"

/* Clocks that no connection measured are seldom farther off; a client of a few seconds cannot have
 * been the other end of a connection that lasted longer. */
enum { FAR_MIN = 10, MARGIN_MS = 500, MAX_LEFT = 64, NONE = -1 };

typedef struct left_over {
  int32_t items[MAX_LEFT];
  size_t n;
  bool is_cut;
} left_over;

static void keep(left_over *l, size_t leg) {
  if (l->n == MAX_LEFT) l->is_cut = true;
  else l->items[l->n++] = (int32_t)leg;
}

/* A client of the case that nothing joined yet, and whose clock nothing measured. */
static bool is_lone_client(const fl_solver *s, uint32_t machine) {
  if (s->machines[machine].n_anchors || s->machines[machine].clock_is_given) return false;
  for (size_t i = 0; i < s->n_legs; i++)
    if (s->legs[i].is_client && s->legs[i].machine == machine && s->legs[i].is_joined) return false;
  return true;
}

/* 263 is the first leg of two, 1 and 2 are orderly ends, the others never reached the host. */
static bool is_failed_dial(const fl_leg *leg) {
  static const int64_t other[] = {1, 2, 0x107, 0x104, 0x204, 0x208, 0x508, 0xb08};
  if (!leg->is_client || leg->is_dropped || leg->is_joined || leg->has_session || !leg->has_end)
    return false;
  for (size_t i = 0; i < sizeof other / sizeof *other; i++)
    if (leg->code == other[i]) return false;
  return true;
}

static bool is_failed_leg(const fl_leg *leg) {
  return !leg->is_client && !leg->is_dropped && !leg->is_joined && !leg->is_suspect &&
         !leg->is_probe && !leg->has_session && leg->has_end &&
         (leg->has_tcp || leg->has_created || leg->has_auth);
}

static int64_t apart(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

static bool can_be(const fl_solver *s, const fl_leg *dial, const fl_leg *leg) {
  const int owner = fl_machine_index(s, leg->address);
  if (owner >= 0 && owner != (int)dial->machine) return false;
  if (!fl_join_target(s, dial, leg->machine)) return false;
  if (apart(leg->connected, dial->connected) > FAR_MIN * 60 * FL_SECOND) return false;
  return leg->end - leg->connected <= dial->end - dial->connected + MARGIN_MS * (FL_SECOND / 1000);
}

/* The only connection that it can be; NONE when there are none or several. */
static int32_t only_leg(const fl_solver *s, const left_over *legs, const fl_leg *dial) {
  int32_t found = NONE;
  for (size_t i = 0; i < legs->n; i++) {
    if (!can_be(s, dial, &s->legs[legs->items[i]])) continue;
    if (found != NONE) return NONE;
    found = legs->items[i];
  }
  return found;
}

static size_t count_dials(const fl_solver *s, const left_over *dials, const fl_leg *leg) {
  size_t n = 0;
  for (size_t i = 0; i < dials->n; i++) n += can_be(s, &s->legs[dials->items[i]], leg);
  return n;
}

fl_status fl_legs_assume(fl_solver *s, int32_t *leg_of, fl_err *err) {
  left_over dials = {.n = 0}, legs = {.n = 0};
  for (size_t i = 0; i < s->n_legs; i++) {
    if (is_failed_dial(&s->legs[i])) keep(&dials, i);
    else if (is_failed_leg(&s->legs[i])) keep(&legs, i);
  }
  if (dials.is_cut || legs.is_cut) return FL_OK;
  for (size_t i = 0; i < dials.n; i++) {
    fl_leg *dial = &s->legs[dials.items[i]];
    const int32_t at = only_leg(s, &legs, dial);
    if (at < 0 || count_dials(s, &dials, &s->legs[at]) != 1) continue;
    if (!is_lone_client(s, dial->machine)) continue;
    fl_leg *leg = &s->legs[at];
    fl_machine *client = &s->machines[dial->machine];
    client->offset_ns = fl_leg_time(s, leg, leg->connected) - dial->connected;
    client->clock_is_assumed = true;
    dial->is_assumed = leg->is_joined = dial->is_joined = true;
    leg_of[dials.items[i]] = at;
    FL_TRY(fl_machine_add_alias(s, dial->machine, leg->address, err));
  }
  return FL_OK;
}
