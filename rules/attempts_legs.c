/* attempts_legs.c - the events of one connection on one machine, gathered by activity id. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "rules/solve.h"

enum { TAIL_S = 5 }; /* what one connection still writes after the client noted its end */

/* Which leg of a machine an activity id means now; open addressing, a power of two. */
typedef struct leg_slot {
  uint64_t hash;
  int32_t leg;
} leg_slot;
typedef struct leg_table {
  leg_slot *slots;
  size_t mask;
} leg_table;

fl_leg *fl_leg_new(fl_solver *s, uint32_t machine, bool is_client, fl_err *err) {
  if (s->n_legs == s->cap_legs) {
    const size_t cap = s->cap_legs ? s->cap_legs * 2 : 64;
    fl_leg *legs = FL_NEW_ARRAY(s->arena, fl_leg, cap);
    if (!legs) {
      (void)fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
      return NULL;
    }
    if (s->n_legs) memcpy(legs, s->legs, s->n_legs * sizeof *legs);
    s->legs = legs;
    s->cap_legs = cap;
  }
  fl_leg *leg = &s->legs[s->n_legs++];
  *leg = (fl_leg){.machine = machine, .is_client = is_client, .session = -1, .code = -1};
  return leg;
}

static bool starts_with(fl_str text, const char *prefix) {
  const size_t n = strlen(prefix);
  return text.n >= n && memcmp(text.p, prefix, n) == 0;
}

/* "UDP", "udp: …": which transport a tunnel came up on. */
static bool names_udp(fl_str text) {
  return text.n >= 3 && fl_str_eq_nocase((fl_str){text.p, 3}, FL_STR("UDP"));
}

static bool is_udp(const fl_seen *seen) { return fl_str_eq_nocase(seen->text, FL_STR("UDP")); }

static void take_method(fl_leg *leg, const fl_seen *seen) {
  if (starts_with(seen->text, "OnStartLicensing") || starts_with(seen->text, "AcceptConnection"))
    leg->has_license = true;
  if (starts_with(seen->text, "LogonNotify")) leg->has_session = true;
  const fl_str key = FL_STR("(SessionId=");
  for (size_t i = 0; i + key.n <= seen->text.n; i++) {
    if (memcmp(seen->text.p + i, key.p, key.n) != 0) continue;
    int64_t id = 0;
    for (size_t k = i + key.n; k < seen->text.n && id < INT32_MAX; k++) {
      if (seen->text.p[k] < '0' || seen->text.p[k] > '9') break;
      id = id * 10 + (seen->text.p[k] - '0');
    }
    leg->session = id;
  }
}

static void take_client(fl_leg *leg, const fl_seen *seen) {
  switch (seen->mark) {
    case FL_MARK_DIAL:
      leg->target = seen->text;
      leg->connected = leg->dialled = seen->event->t;
      break;
    case FL_MARK_DIALLED:
      leg->dialled = seen->event->t;
      break;
    case FL_MARK_CLIENT_END:
      leg->code = seen->number;
      leg->has_end = true;
      break;
    case FL_MARK_CLIENT_LOGON:
      leg->session = seen->session;
      leg->has_session = true;
      break;
    case FL_MARK_CLIENT_UDP:
      leg->address = seen->address;
      leg->dialled = seen->event->t;
      break;
    case FL_MARK_CLIENT_UDP_UP:
      leg->has_udp = true;
      break;
    default:
      break;
  }
}

static void take_accept(fl_leg *leg, const fl_seen *seen) {
  if (is_udp(seen)) {
    leg->has_udp = true;
    if (!leg->address.n) leg->address = seen->address;
    return;
  }
  leg->has_tcp = true;
  leg->connected = seen->event->t;
  leg->address = seen->address;
  leg->port = seen->port;
}

static void take_host(fl_leg *leg, const fl_seen *seen) {
  switch (seen->mark) {
    case FL_MARK_ACCEPT:
      take_accept(leg, seen);
      break;
    case FL_MARK_CREATED:
      leg->has_created = true;
      break;
    case FL_MARK_METHOD:
      take_method(leg, seen);
      break;
    case FL_MARK_TUNNEL:
      leg->has_udp = leg->has_udp || names_udp(seen->text);
      break;
    case FL_MARK_REFUSED:
      leg->was_refused = true;
      if (!leg->address.n) leg->address = seen->address;
      break;
    case FL_MARK_SECURED:
      leg->has_license = true;
      break;
    case FL_MARK_ASSIGNED:
      leg->session = seen->session;
      break;
    case FL_MARK_REASON:
    case FL_MARK_CLOSED:
      leg->has_end = leg->has_core_end = true;
      break;
    case FL_MARK_LISTENER:
      leg->has_listener = true;
      break;
    case FL_MARK_AUTH:
      leg->has_auth = true;
      if (seen->user.n) leg->user = seen->user;
      if (!leg->address.n) leg->address = seen->address;
      break;
    case FL_MARK_LSM_LOGON:
    case FL_MARK_LSM_BACK:
      leg->has_session = true;
      if (seen->session >= 0) leg->session = seen->session;
      if (seen->user.n) leg->user = seen->user;
      if (!leg->address.n) leg->address = seen->address;
      break;
    case FL_MARK_LSM_BEGIN:
      if (leg->session < 0) leg->session = seen->session;
      if (!leg->user.n) leg->user = seen->user;
      break;
    case FL_MARK_LSM_REASON:
    case FL_MARK_LSM_LOGOFF:
      leg->has_end = true;
      break;
    default:
      break;
  }
}

void fl_leg_take(fl_solver *s, fl_leg *leg, fl_seen *seen) {
  const fl_time t = seen->event->t;
  if (seen->leg < 0 && leg->start == 0) leg->start = leg->end = leg->connected = leg->dialled = t;
  if (t < leg->start) leg->start = t;
  if (t > leg->end) leg->end = t;
  if (!leg->activity.n) leg->activity = seen->event->activity_id;
  seen->leg = (int32_t)(leg - s->legs);
  if (leg->is_client) take_client(leg, seen);
  else take_host(leg, seen);
}

static bool is_rcm_or_lsm(fl_mark mark) {
  return mark >= FL_MARK_LISTENER && mark <= FL_MARK_LSM_END;
}

/* A group of records: an activity id of one machine and side, for clients without one the process.
 */
static uint64_t group_of(const fl_seen *seen) {
  const fl_event *e = seen->event;
  uint64_t h = fl_hash_mix(seen->machine, fl_mark_is_client(seen->mark) ? 1 : 2);
  if (e->activity_id.n) return fl_hash_bytes(e->activity_id.p, e->activity_id.n, h) | 1;
  if (fl_mark_is_client(seen->mark)) h = fl_hash_mix(h, (uint64_t)e->pid);
  else if (is_rcm_or_lsm(seen->mark)) h = fl_hash_bytes(seen->address.p, seen->address.n, h + 1);
  return h | 1;
}

static leg_slot *slot_of(const leg_table *table, uint64_t hash) {
  size_t at = (size_t)hash & table->mask;
  while (table->slots[at].hash && table->slots[at].hash != hash) at = (at + 1) & table->mask;
  return &table->slots[at];
}

/* Does this record begin another connection although its activity id is known? */
static bool begins_anew(const fl_leg *leg, const fl_seen *seen) {
  switch (seen->mark) {
    case FL_MARK_DIAL:
      return true;
    case FL_MARK_ACCEPT:
      return leg->has_tcp && !is_udp(seen);
    case FL_MARK_LISTENER:
      return leg->has_end;
    case FL_MARK_AUTH:
      return leg->has_auth && !seen->event->activity_id.n;
    case FL_MARK_LSM_LOGON:
    case FL_MARK_LSM_BACK:
      return leg->has_session && !seen->event->activity_id.n;
    default:
      return leg->is_client && leg->has_end && seen->event->t - leg->end > TAIL_S * FL_SECOND;
  }
}

static fl_status gather(fl_solver *s, const leg_table *table, fl_seen *seen, fl_err *err) {
  leg_slot *slot = slot_of(table, group_of(seen));
  fl_leg *leg = slot->hash ? &s->legs[slot->leg] : NULL;
  if (!leg || begins_anew(leg, seen)) {
    if (s->n_legs >= FL_LIMIT_LEGS) {
      s->n_cut_records++;
      return FL_OK;
    }
    leg = fl_leg_new(s, seen->machine, fl_mark_is_client(seen->mark), err);
    if (!leg) return FL_E_NOMEM;
    *slot = (leg_slot){group_of(seen), (int32_t)(leg - s->legs)};
  }
  fl_leg_take(s, leg, seen);
  return FL_OK;
}

/* Records that open or belong to a connection by themselves; the others are attached later. Where
 * a host's RdpCoreTS log is missing, 1149 and 21 or 25 with an address stand for the connection. */
static bool is_gathered(const fl_solver *s, const fl_seen *seen) {
  if (fl_mark_is_client(seen->mark) || fl_mark_is_core(seen->mark)) return true;
  if (!is_rcm_or_lsm(seen->mark)) return false;
  if (seen->event->activity_id.n) return true;
  return !(s->logs[seen->machine] & FL_LOG_CORE) && seen->address.n &&
         (seen->mark == FL_MARK_AUTH || seen->mark == FL_MARK_LSM_LOGON ||
          seen->mark == FL_MARK_LSM_BACK);
}

/* A leg that no record proves to be a connection by RDP. */
static bool is_no_connection(const fl_leg *leg) {
  if (leg->is_client) return false;
  if (leg->has_tcp || leg->has_created || leg->has_license || leg->has_auth || leg->was_refused)
    return false;
  if (leg->has_listener) return false;
  return !(leg->has_session && leg->address.n);
}

/* Lists the events of each leg. */
static fl_status list_events(fl_solver *s, fl_err *err) {
  const fl_seen **list = FL_NEW_ARRAY(s->arena, const fl_seen *, s->n_seen);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
  for (size_t i = 0; i < s->n_legs; i++) s->legs[i].n_seen = 0;
  for (size_t i = 0; i < s->n_seen; i++)
    if (s->seen[i].leg >= 0) s->legs[s->seen[i].leg].n_seen++;
  size_t at = 0;
  for (size_t i = 0; i < s->n_legs; i++) {
    s->legs[i].seen = list + at;
    at += s->legs[i].n_seen;
    s->legs[i].n_seen = 0;
  }
  for (size_t i = 0; i < s->n_seen; i++) {
    if (s->seen[i].leg < 0) continue;
    fl_leg *leg = &s->legs[s->seen[i].leg];
    list[(size_t)(leg->seen - list) + leg->n_seen++] = &s->seen[i];
  }
  return FL_OK;
}

fl_status fl_legs_make(fl_solver *s, fl_err *err) {
  leg_table table = {.mask = 63};
  while (table.mask < s->n_seen * 2) table.mask = table.mask * 2 + 1;
  table.slots = calloc(table.mask + 1, sizeof *table.slots);
  if (!table.slots) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
  fl_status status = FL_OK;
  for (size_t i = 0; i < s->n_seen && status == FL_OK; i++)
    if (is_gathered(s, &s->seen[i])) status = gather(s, &table, &s->seen[i], err);
  free(table.slots);
  FL_TRY(status);
  for (size_t i = 0; i < s->n_legs; i++) s->legs[i].is_dropped = is_no_connection(&s->legs[i]);
  FL_TRY(fl_host_attach(s, err));
  return list_events(s, err);
}
