/* attempts_record.c - the records behind what is said of an attempt: what reports cite in its
 * place.
 *
 * Rules see an attempt as one event of ours, which stands in no log. */
#include <string.h>

#include "rules/solve.h"

static const fl_event *first_of(const fl_attempt *a, bool is_client) {
  for (size_t i = 0; i < a->n_events; i++) {
    const fl_mark mark = fl_mark_of(a->events[i]);
    if (mark == FL_MARK_GATEWAY || fl_mark_is_broker(mark)) continue;
    if (fl_mark_is_client(mark) == is_client) return a->events[i];
  }
  return NULL;
}

static const fl_event *last_marked(const fl_attempt *a, fl_mark mark) {
  for (size_t i = a->n_events; i-- > 0;)
    if (fl_mark_of(a->events[i]) == mark) return a->events[i];
  return NULL;
}

static const fl_event *first_with(const fl_attempt *a, fl_str name) {
  for (size_t i = 0; i < a->n_events; i++) {
    const fl_value *value = fl_event_field(a->events[i], name);
    if (value && value->kind != FL_V_NULL && !(value->kind == FL_V_STR && !value->as.text.n))
      return a->events[i];
  }
  return NULL;
}

static const fl_event *opening(const fl_attempt *a) { return a->n_events ? a->events[0] : NULL; }

/* The end as the client saw it, else as the host closed it, else the last trace. */
static const fl_event *closing(const fl_attempt *a) {
  static const fl_mark marks[] = {FL_MARK_CLIENT_END, FL_MARK_REASON, FL_MARK_CLOSED};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    const fl_event *event = last_marked(a, marks[i]);
    if (event) return event;
  }
  return a->n_events ? a->events[a->n_events - 1] : NULL;
}

static const fl_event *farthest(const fl_attempt *a) {
  for (int phase = a->reached; phase >= 0; phase--)
    if (a->proof[phase]) return a->proof[phase];
  return opening(a);
}

/* Without RdpCoreTS the first trace on the host stands for the connection. */
static const fl_event *accepted(const fl_attempt *a) {
  const fl_event *event = last_marked(a, FL_MARK_ACCEPT);
  return event ? event : first_of(a, false);
}

const fl_event *fl_attempt_told_by(const fl_attempt *a) {
  const fl_event *found = NULL;
  for (size_t i = 0; i < a->n_events; i++) {
    if (fl_mark_of(a->events[i]) != FL_MARK_METHOD) continue;
    const fl_value *method = fl_event_field(a->events[i], FL_STR("MethodName"));
    if (method && method->kind == FL_V_STR && method->as.text.n > 12 &&
        memcmp(method->as.text.p, "SetErrorInfo", 12) == 0)
      found = a->events[i];
  }
  return found;
}

static bool is_one_of(fl_str name, const char *words) {
  for (const char *at = words; *at;) {
    const size_t n = strcspn(at, " ");
    if (fl_str_eq_nocase(name, (fl_str){at, n})) return true;
    at += n + (at[n] == ' ');
  }
  return false;
}

static size_t keep(const fl_event *const *found, size_t n, const fl_event **ret_records) {
  size_t n_kept = 0;
  for (size_t i = 0; i < n; i++) {
    bool is_new = found[i] != NULL;
    for (size_t k = 0; k < n_kept; k++) is_new &= ret_records[k] != found[i];
    if (is_new) ret_records[n_kept++] = found[i];
  }
  return n_kept;
}

size_t fl_attempt_records(const fl_attempt *a, fl_str fact,
                          const fl_event *ret_records[FL_ATTEMPT_RECORDS]) {
  const fl_event *found[FL_ATTEMPT_RECORDS] = {0};
  if (!fact.n) {
    found[0] = opening(a);
    found[1] = farthest(a);
    found[2] = closing(a);
  } else if (is_one_of(fact, "incident near_incident")) {
    const fl_incident *in = a->incident ? a->incident : a->near_incident;
    for (size_t i = 0; in && i < in->n_events && i < FL_ATTEMPT_RECORDS; i++)
      found[i] = in->events[i];
  } else if (is_one_of(fact, "code extended")) {
    found[0] = last_marked(a, FL_MARK_CLIENT_END);
  } else if (is_one_of(fact, "host_code")) {
    found[0] = fl_attempt_told_by(a);
  } else if (is_one_of(fact, "end_reason_103")) {
    found[0] = last_marked(a, FL_MARK_REASON);
  } else if (is_one_of(fact, "socket_error")) {
    found[0] = last_marked(a, FL_MARK_SOCKET);
  } else if (is_one_of(fact, "session_reason")) {
    found[0] = last_marked(a, FL_MARK_LSM_REASON);
  } else if (is_one_of(fact, "target target_is_ip")) {
    found[0] = last_marked(a, FL_MARK_DIAL);
  } else if (is_one_of(fact,
                       "via_gateway gateway gateway_state gateway_code gateway_protocol "
                       "gateway_duration_s bytes_received bytes_sent")) {
    found[0] = last_marked(a, FL_MARK_GATEWAY);
  } else if (is_one_of(fact, "broker broker_state broker_code")) {
    found[0] = last_marked(a, FL_MARK_BROKER);
    if (!found[0]) found[0] = last_marked(a, FL_MARK_BROKER_CLIENT);
  } else if (is_one_of(fact, "client_ip port transport server server_activity has_server_log")) {
    found[0] = accepted(a);
  } else if (is_one_of(fact, "client client_activity has_client_log")) {
    found[0] = first_of(a, true);
  } else if (is_one_of(fact, "reached reached_n")) {
    found[0] = farthest(a);
  } else if (is_one_of(fact, "user session_id")) {
    found[0] = first_with(a, fact);
  } else if (is_one_of(fact, "outcome ended_by")) {
    found[0] = closing(a);
  } else if (is_one_of(fact, "duration_ms duration_s")) {
    found[0] = opening(a);
    found[1] = closing(a);
  } else {
    found[0] = opening(a);
  }
  return keep(found, FL_ATTEMPT_RECORDS, ret_records);
}
