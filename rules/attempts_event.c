/* attempts_event.c - the synthetic event "rdp.attempt" that rules hang on. */
#include <string.h>

#include "base/text.h"
#include "rules/solve.h"

enum { MAX_FACTS = 64 };

typedef struct fact_list {
  fl_field items[MAX_FACTS];
  size_t n;
} fact_list;

static void add_text(fact_list *l, const char *name, fl_str text) {
  if (!text.n || l->n == MAX_FACTS) return;
  l->items[l->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_STR, .as.text = text}};
}

static void add_number(fact_list *l, const char *name, uint64_t number) {
  if (l->n == MAX_FACTS) return;
  l->items[l->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_UINT, .as.natural = number}};
}

static void add_int(fact_list *l, const char *name, int64_t number) {
  if (l->n == MAX_FACTS) return;
  l->items[l->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_INT, .as.integer = number}};
}

static void add_bool(fact_list *l, const char *name, bool value) {
  if (l->n == MAX_FACTS) return;
  l->items[l->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_BOOL, .as.boolean = value}};
}

static unsigned logs_of(const fl_solver *s, const fl_machine *machine) {
  return machine ? s->logs[machine - s->machines] : 0;
}

/* Absent where nobody could have seen it: what is not there satisfies no condition. */
static void add_truth(fact_list *l, const char *name, fl_truth truth) {
  if (truth != FL_UNKNOWN) add_bool(l, name, truth == FL_TRUE);
}

/* Numbers of attempts are never negative: -1 is "not recorded". */
static void add_known(fact_list *l, const char *name, int64_t number) {
  if (number >= 0) add_int(l, name, number);
}

static void add_time(fact_list *l, const char *name, fl_time t, fl_arena *arena) {
  char text[FL_TIME_TEXT_MAX];
  const size_t n = fl_time_format(t, 3, text);
  add_text(l, name, fl_arena_str(arena, (fl_str){text, n}));
}

static void fill_route(const fl_attempt *a, fact_list *l) {
  const fl_route *p = &a->route;
  if (p->via_gateway) add_bool(l, "via_gateway", true);
  if (p->gateway) add_text(l, "gateway", p->gateway->name);
  add_text(l, "gateway_state", p->gateway_state);
  add_text(l, "gateway_protocol", p->gateway_protocol);
  add_known(l, "gateway_code", p->gateway_code);
  add_known(l, "gateway_duration_s", p->gateway_duration_s);
  if (p->has_bytes) add_number(l, "bytes_received", p->received);
  if (p->has_bytes) add_number(l, "bytes_sent", p->sent);
  if (p->broker) add_text(l, "broker", p->broker->name);
  add_text(l, "broker_state", p->broker_state);
  add_known(l, "broker_code", p->broker_code);
}

static void fill_history(const fl_attempt *a, fact_list *l, fl_arena *arena) {
  if (a->failure_n) add_number(l, "failure_n", a->failure_n);
  if (a->alike_n) add_number(l, "alike_n", a->alike_n);
  if (a->together_n) add_number(l, "together_n", a->together_n);
  if (!a->last_good) return;
  add_time(l, "last_good", a->last_good->start, arena);
  add_int(l, "since_last_good_s", (a->start - a->last_good->end) / FL_SECOND);
}

/* What lies beside the course of the connection. */
static void fill_facts(const fl_attempt *a, fact_list *l) {
  add_text(l, "target", a->target);
  if (a->target.n) add_bool(l, "target_is_ip", fl_is_address(a->target));
  add_truth(l, "udp", a->udp);
  add_known(l, "end_reason_103", a->end_reason);
  add_known(l, "socket_error", a->socket_error);
  add_text(l, "session_kind", a->session_kind);
  add_text(l, "client_os", a->client_os);
  add_text(l, "client_build", a->client_build);
  add_text(l, "tls_version", a->tls_version);
  if (a->incident) add_number(l, "incident", a->incident->number);
  if (a->near_incident) add_number(l, "near_incident", a->near_incident->number);
  if (a->is_foreign) add_bool(l, "is_foreign", true);
  if (a->is_assumed) add_bool(l, "is_assumed", true);
}

static void fill(const fl_solver *s, const fl_attempt *a, fact_list *l) {
  add_number(l, "number", a->number);
  add_text(l, "client", a->client_name);
  add_text(l, "server", a->server_name);
  add_text(l, "client_ip", a->address);
  if (a->port) add_number(l, "port", a->port);
  add_text(l, "user", a->user);
  if (a->session_id >= 0) add_int(l, "session_id", a->session_id);
  if (a->reached != FL_PHASE_NONE) add_text(l, "reached", fl_str_of(fl_phase_names[a->reached]));
  add_int(l, "reached_n", a->reached);
  add_text(l, "outcome", fl_str_of(fl_outcome_names[a->outcome]));
  if (a->has_code) add_number(l, "code", a->code);
  if (a->has_extended) add_number(l, "extended", a->extended);
  if (a->has_host_code) add_number(l, "host_code", a->host_code);
  if (a->session_reason >= 0) add_int(l, "session_reason", a->session_reason);
  add_text(l, "ended_by", a->ended_by);
  add_text(l, "transport", a->transport);
  add_text(l, "server_activity", a->server_activity_id);
  add_text(l, "client_activity", a->activity_id);
  add_int(l, "duration_ms", (a->end - a->start) / 1000000);
  add_int(l, "duration_s", (a->end - a->start) / FL_SECOND);
  fill_facts(a, l);
  fill_route(a, l);
  fill_history(a, l, s->arena);
  const unsigned host_logs = FL_LOG_CORE | FL_LOG_RCM | FL_LOG_LSM;
  add_bool(l, "has_server_log", (logs_of(s, a->server) & host_logs) != 0);
  add_bool(l, "has_client_log", (logs_of(s, a->client) & FL_LOG_CLIENT) != 0);
}

fl_status fl_attempt_event(fl_solver *s, fl_attempt *a, fl_err *err) {
  fact_list list = {.n = 0};
  fill(s, a, &list);
  fl_event *event = FL_NEW(s->arena, fl_event);
  fl_field *facts = FL_NEW_ARRAY(s->arena, fl_field, list.n);
  if (!event || !facts) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  memcpy(facts, list.items, list.n * sizeof *facts);
  *event = (fl_event){.t = a->start,
                      .flags = FL_F_SYNTHETIC,
                      .source = UINT32_MAX,
                      .seq = a->number,
                      .record_id = -1,
                      .header_record_id = -1,
                      .event_id = -1,
                      .qualifiers = -1,
                      .version = -1,
                      .level = -1,
                      .task = -1,
                      .opcode = -1,
                      .pid = -1,
                      .tid = -1,
                      .host = a->server ? a->server->name : a->client_name,
                      .kind = FL_STR("rdp.attempt"),
                      .facts = facts,
                      .n_facts = list.n};
  a->event = event;
  return FL_OK;
}
