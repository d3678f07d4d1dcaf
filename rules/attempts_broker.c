/* attempts_broker.c - records of a broker: which attempt each is about, and refusals that nobody
 * else saw. */
#include <string.h>

#include "rules/solve.h"

/* The broker is asked at the beginning of a connection. */
enum { BEFORE_S = 15, AFTER_S = 60, LOOKED_AT = 1024, MAX_RECORDS = 16 };

typedef struct word {
  int64_t id;
  bool is_client; /* SessionBroker-Client on the host, else the broker itself */
  const char *state;
} word;
static const word words[] = {
    {1301, true, "requested"},   {1301, false, "requested"}, {1307, true, "redirected"},
    {1307, false, "redirected"}, {1308, true, "redirected"}, {1306, true, "failed"},
    {1306, false, "no_target"},  {1296, true, "not_ready"},  {1280, true, "join_failed"},
    {2056, false, "database"},
};

static const char *state_of(const fl_seen *seen) {
  const bool is_client = seen->mark == FL_MARK_BROKER_CLIENT;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (words[i].id == seen->event->event_id && words[i].is_client == is_client)
      return words[i].state;
  return NULL;
}

static fl_time time_of(const fl_solver *s, const fl_seen *seen) {
  return seen->event->t + s->machines[seen->machine].offset_ns;
}

/* Of a user it is his attempt. What names nobody belongs to the host that noted it; on the broker,
 * to whoever comes in those seconds. */
static bool is_about(const fl_solver *s, const fl_attempt *a, const fl_seen *seen) {
  const fl_machine *machine = &s->machines[seen->machine];
  if (seen->user.n && a->user.n) return fl_user_same(seen->user, a->user);
  if (machine == a->server) return true;
  return seen->mark == FL_MARK_BROKER && !seen->user.n;
}

/* The attempt of the record, by start the last that fits; NULL none. */
static fl_attempt *find(const fl_solver *s, const fl_seen *seen, size_t n) {
  const fl_time t = time_of(s, seen), from = t - AFTER_S * FL_SECOND;
  size_t low = 0, high = n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (s->attempts[middle].start < from) low = middle + 1;
    else high = middle;
  }
  fl_attempt *found = NULL;
  const size_t end = n - low > LOOKED_AT ? low + LOOKED_AT : n;
  for (; low < end && s->attempts[low].start <= t + BEFORE_S * FL_SECOND; low++)
    if (is_about(s, &s->attempts[low], seen)) found = &s->attempts[low];
  return found;
}

static fl_status add_event(fl_solver *s, fl_attempt *a, const fl_event *event, fl_time t,
                           fl_err *err) {
  const fl_event **events = FL_NEW_ARRAY(s->arena, const fl_event *, a->n_events + 1);
  if (!events) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  size_t n_before = 0;
  while (n_before < a->n_events) {
    const fl_event *other = a->events[n_before];
    const int at = fl_machine_index(s, other->host);
    if (other->t + (at < 0 ? 0 : s->machines[at].offset_ns) > t) break;
    n_before++;
  }
  if (n_before) memcpy(events, a->events, n_before * sizeof *events);
  events[n_before] = event;
  if (n_before < a->n_events)
    memcpy(events + n_before + 1, a->events + n_before, (a->n_events - n_before) * sizeof *events);
  a->events = events;
  a->n_events++;
  return FL_OK;
}

static fl_status take(fl_solver *s, fl_attempt *a, const fl_seen *seen, fl_err *err) {
  a->route.broker_state = fl_str_of(state_of(seen));
  a->route.broker_code = seen->number;
  if (seen->mark == FL_MARK_BROKER) a->route.broker = &s->machines[seen->machine];
  if (a->route.n_broker++ >= MAX_RECORDS) return FL_OK;
  return add_event(s, a, seen->event, time_of(s, seen), err);
}

static bool is_refusal(const fl_seen *seen) { return seen->event->event_id == 1306; }

static fl_status make_alone(fl_solver *s, const fl_seen *seen, fl_err *err) {
  fl_attempt *a = &s->attempts[s->n_attempts];
  *a = (fl_attempt){.number = (unsigned)s->n_attempts + 1,
                    .start = time_of(s, seen),
                    .end = time_of(s, seen),
                    .session_id = -1,
                    .session_reason = -1,
                    .end_reason = -1,
                    .socket_error = -1,
                    .reached = FL_PHASE_NONE,
                    .outcome = FL_OUTCOME_FAILED,
                    .ended_by = FL_STR("broker"),
                    .udp = FL_UNKNOWN,
                    .user = seen->user,
                    .route = FL_NO_ROUTE};
  if (seen->mark == FL_MARK_BROKER_CLIENT) {
    a->server = &s->machines[seen->machine];
    a->server_name = a->server->name;
  }
  s->n_attempts++;
  return take(s, a, seen, err);
}

fl_status fl_attempts_ask_broker(fl_solver *s, fl_err *err) {
  const size_t n_seen_by_others = s->n_real, n_room = s->n_attempts + s->n_brokers;
  for (size_t i = 0; s->n_brokers && i < s->n_seen; i++) {
    const fl_seen *seen = &s->seen[i];
    if (!fl_mark_is_broker(seen->mark) || !state_of(seen)) continue;
    fl_attempt *a = find(s, seen, n_seen_by_others);
    if (a) FL_TRY(take(s, a, seen, err));
    else if (is_refusal(seen) && seen->user.n && s->n_attempts < n_room)
      FL_TRY(make_alone(s, seen, err));
    else if (is_refusal(seen) && seen->user.n) s->n_cut_records++;
  }
  return FL_OK;
}
