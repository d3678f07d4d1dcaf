/* attempts_foreign.c - connections that none of the case's clients made: somebody else's. */
#include "base/limits.h"
#include "rules/solve.h"

enum { MARGIN_S = 10, MAX_ENTRIES = 64 };

/* The client logs of the case, and what the clients dialled. */
typedef struct clients {
  const fl_coverage *entries[MAX_ENTRIES];
  uint32_t machines[MAX_ENTRIES];
  size_t n;
  bool *is_dialled, *is_open; /* by machine: by some client; by a dial that joined nothing */
} clients;

static bool never_connected(int64_t code) {
  return code == 0x104 || code == 0x204 || code == 0x208 || code == 0x508;
}

static void list_logs(const fl_solver *s, clients *c) {
  const fl_str log = FL_STR("Microsoft-Windows-TerminalServices-RDPClient/Operational");
  for (size_t i = 0; i < s->c->n_coverage && c->n < MAX_ENTRIES; i++) {
    const int at = fl_str_eq_nocase(s->c->coverage[i].channel, log)
                       ? fl_machine_index(s, s->c->coverage[i].host)
                       : -1;
    if (at < 0) continue;
    c->entries[c->n] = &s->c->coverage[i];
    c->machines[c->n++] = (uint32_t)at;
  }
}

/* A name that no machine of the case bears may mean any of them. */
static void list_dials(const fl_solver *s, clients *c) {
  for (size_t i = 0; i < s->n_legs; i++) {
    const fl_leg *dial = &s->legs[i];
    if (!dial->is_client) continue;
    const bool is_open = !dial->is_joined && !never_connected(dial->code);
    int at = fl_machine_index(s, dial->target);
    if (at < 0) at = fl_machine_index(s, dial->address);
    for (size_t k = at < 0 ? 0 : (size_t)at; k < s->n_machines; k++) {
      if (k != dial->machine) c->is_dialled[k] = true;
      c->is_open[k] |= is_open;
      if (at >= 0) break;
    }
  }
}

/* All client logs but the host's own cover the moment. Coverage is in the machine's own time. */
static bool are_covering(const fl_solver *s, const clients *c, const fl_leg *leg) {
  for (size_t i = 0; i < s->n_machines; i++) {
    if (!(s->logs[i] & FL_LOG_CLIENT) || i == leg->machine) continue;
    const fl_time at = fl_leg_time(s, leg, leg->connected) - s->machines[i].offset_ns;
    bool is_covered = false;
    for (size_t k = 0; k < c->n && !is_covered; k++)
      is_covered = c->machines[k] == i && fl_entry_covers(c->entries[k], at - MARGIN_S * FL_SECOND,
                                                          at + MARGIN_S * FL_SECOND);
    if (!is_covered) return false;
  }
  return true;
}

/* Every client of the case that dialled the host has its dials joined, so that none can be this
 * connection, and its log covers the time: it dialled nothing else then. */
static bool is_foreign(const fl_solver *s, const clients *c, const fl_leg *leg) {
  if (leg->is_client || leg->is_dropped || leg->is_joined) return false;
  if (!c->is_dialled[leg->machine] || c->is_open[leg->machine]) return false;
  const int owner = fl_machine_index(s, leg->address);
  if (owner >= 0 && (s->logs[owner] & FL_LOG_CLIENT)) return false;
  return are_covering(s, c, leg);
}

fl_status fl_legs_mark_foreign(fl_solver *s, fl_err *err) {
  clients c = {.is_dialled = FL_NEW_ARRAY(s->arena, bool, s->n_machines + 1),
               .is_open = FL_NEW_ARRAY(s->arena, bool, s->n_machines + 1)};
  if (!c.is_dialled || !c.is_open)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
  if (s->n_cut_dials) return FL_OK; /* what was not joined proves nothing */
  list_logs(s, &c);
  list_dials(s, &c);
  for (size_t i = 0; i < s->n_legs; i++) s->legs[i].is_foreign = is_foreign(s, &c, &s->legs[i]);
  return FL_OK;
}
