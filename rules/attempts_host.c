/* attempts_host.c - host records that bear another activity id or none find their connection. */
#include <stdlib.h>
#include <string.h>

#include "rules/solve.h"

/* How far a record may lie outside the times of its connection: Security and LSM write from other
 * processes, and a session's end follows the end of its connection. */
enum { BEFORE_S = 2, AFTER_S = 15, REFUSAL_S = 20, WALK = 32 };

typedef enum order_key { BY_TIME, BY_ADDRESS, BY_SESSION, N_ORDERS } order_key;

/* Legs of hosts, sorted by machine, then key, then start. */
typedef struct order {
  const fl_leg *legs;
  int32_t *index;
  size_t n;
  order_key key;
} order;

static int compare_u64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

static int compare_key(order_key key, const fl_leg *a, const fl_leg *b) {
  const int by_machine = compare_u64(a->machine, b->machine);
  if (by_machine || key == BY_TIME) return by_machine;
  if (key == BY_ADDRESS) return fl_str_cmp(a->address, b->address);
  return (a->session > b->session) - (a->session < b->session);
}

static int compare_legs(const void *a, const void *b, void *context) {
  const order *by = context;
  const int32_t i = *(const int32_t *)a, k = *(const int32_t *)b;
  const int c = compare_key(by->key, &by->legs[i], &by->legs[k]);
  if (c) return c;
  if (by->legs[i].start != by->legs[k].start) return by->legs[i].start < by->legs[k].start ? -1 : 1;
  return (i > k) - (i < k);
}

static fl_status sort_legs(const fl_solver *s, order_key key, order *ret_order, fl_err *err) {
  order by = {.legs = s->legs, .key = key};
  by.index = malloc((s->n_legs + 1) * sizeof *by.index);
  if (!by.index) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for connections");
  for (size_t i = 0; i < s->n_legs; i++)
    if (!s->legs[i].is_client && !s->legs[i].is_dropped) by.index[by.n++] = (int32_t)i;
  qsort_r(by.index, by.n, sizeof *by.index, compare_legs, &by);
  *ret_order = by;
  return FL_OK;
}

static bool is_within(const fl_leg *leg, fl_time t) {
  if (t < leg->start - BEFORE_S * FL_SECOND) return false;
  return !leg->has_end || t <= leg->end + AFTER_S * FL_SECOND;
}

/* The leg of the sought key that was alive at t: the one that began last; -1 none. `port` 0 = any.
 */
static int32_t find(const order *by, const fl_leg *sought, fl_time t, uint16_t port) {
  size_t low = 0, high = by->n;
  while (low < high) {
    const size_t mid = low + (high - low) / 2;
    const fl_leg *leg = &by->legs[by->index[mid]];
    const int c = compare_key(by->key, leg, sought);
    if (c < 0 || (c == 0 && leg->start <= t + BEFORE_S * FL_SECOND)) low = mid + 1;
    else high = mid;
  }
  int32_t found = -1;
  for (size_t walked = 0; low > 0 && walked < WALK; walked++) {
    const fl_leg *leg = &by->legs[by->index[--low]];
    if (compare_key(by->key, leg, sought) != 0) break;
    if (!is_within(leg, t)) continue;
    if (port && leg->port == port) return by->index[low];
    if (found < 0) found = by->index[low];
  }
  return found;
}

/* A refusal in the Security log often lacks the address: the only refused connection near it. */
static int32_t find_refused(const order *by_time, const fl_seen *seen) {
  const fl_leg sought = {.machine = seen->machine};
  const int32_t last = find(by_time, &sought, seen->event->t, 0);
  if (last < 0) return -1;
  const fl_leg *leg = &by_time->legs[last];
  const bool is_near = seen->event->t - leg->start <= REFUSAL_S * FL_SECOND;
  return is_near && !leg->has_license ? last : -1;
}

/* NLA's network logon bears port 0; with another port it is a file share's or the like. */
static bool is_foreign_logon(const order *orders, const fl_seen *seen, int32_t leg) {
  return seen->mark == FL_MARK_SEC_LOGON && seen->number == 3 && seen->port && leg >= 0 &&
         orders[BY_ADDRESS].legs[leg].port != seen->port;
}

static int32_t find_leg(const order *orders, const fl_seen *seen) {
  fl_leg sought = {.machine = seen->machine, .address = seen->address, .session = seen->session};
  const fl_time t = seen->event->t;
  int32_t found = -1;
  switch (seen->mark) {
    case FL_MARK_LISTENER:
      return -1; /* names nobody */
    case FL_MARK_AUTH:
    case FL_MARK_ACCEPT:
    case FL_MARK_SEC_LOGON:
    case FL_MARK_SEC_BACK:
    case FL_MARK_SEC_LEFT:
      if (!seen->address.n) return -1;
      found = find(&orders[BY_ADDRESS], &sought, t, seen->port);
      return is_foreign_logon(orders, seen, found) ? -1 : found;
    case FL_MARK_SEC_FAILED:
      if (!seen->address.n) return find_refused(&orders[BY_TIME], seen);
      return find(&orders[BY_ADDRESS], &sought, t, seen->port);
    case FL_MARK_LSM_LOGON:
    case FL_MARK_LSM_SHELL:
    case FL_MARK_LSM_LOGOFF:
    case FL_MARK_LSM_LEFT:
    case FL_MARK_LSM_BACK:
    case FL_MARK_LSM_REASON:
    case FL_MARK_LSM_BEGIN:
    case FL_MARK_LSM_END:
      if (seen->session >= 0) found = find(&orders[BY_SESSION], &sought, t, 0);
      if (found < 0 && seen->address.n) found = find(&orders[BY_ADDRESS], &sought, t, 0);
      return found;
    default:
      return -1;
  }
}

/* The UDP side of a connection has its own activity id: it joins by address and time. */
static int32_t find_tcp_side(const order *orders, const fl_leg *side) {
  if (!side->address.n) return -1;
  const fl_leg sought = {.machine = side->machine, .address = side->address};
  return find(&orders[BY_ADDRESS], &sought, side->start, 0);
}

static void attach(fl_solver *s, const order *orders, fl_seen *seen) {
  int32_t found = -1;
  const int32_t side = seen->leg;
  if (side >= 0 && fl_mark_is_core(seen->mark)) found = find_tcp_side(orders, &s->legs[side]);
  if (found < 0) found = find_leg(orders, seen);
  seen->leg = found;
  if (found < 0) return;
  fl_leg *leg = &s->legs[found];
  const fl_leg before = *leg;
  fl_leg_take(s, leg, seen);
  /* What was attached neither stretches a connection nor ends it for the next record. */
  leg->start = before.start;
  leg->end = before.end;
  leg->has_end = before.has_end;
  if (before.session >= 0) leg->session = before.session;
}

fl_status fl_host_attach(fl_solver *s, fl_err *err) {
  order orders[N_ORDERS] = {{0}};
  fl_status status = FL_OK;
  for (int k = 0; k < N_ORDERS && status == FL_OK; k++)
    status = sort_legs(s, (order_key)k, &orders[k], err);
  for (size_t i = 0; i < s->n_seen && status == FL_OK; i++) {
    fl_seen *seen = &s->seen[i];
    if (seen->mark == FL_MARK_HOST_DOWN || fl_mark_is_client(seen->mark)) continue;
    if (seen->leg < 0 || s->legs[seen->leg].is_dropped) attach(s, orders, seen);
  }
  for (int k = 0; k < N_ORDERS; k++) free(orders[k].index);
  return status;
}
