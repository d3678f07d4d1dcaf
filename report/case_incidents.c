/* case_incidents.c - "incidents" of a case as JSON: what crashed, what told of it, what it
 * explains. */
#include "report/case_incidents.h"

#include "report/case_refs.h"

static void put_text(fl_json *j, const char *key, fl_str text) {
  fl_json_key(j, key);
  fl_json_str_or_null(j, text);
}

static void put_time(fl_json *j, const char *key, fl_time t) {
  fl_json_key(j, key);
  fl_json_time(j, t);
}

static void put_code(fl_json *j, const fl_incident *in) {
  fl_json_key(j, "code");
  if (in->has_code) fl_json_hex(j, in->code);
  else fl_json_null(j);
  put_text(j, "code_text", fl_str_of(in->code_text));
  fl_json_key(j, "parameters");
  fl_json_array(j);
  for (size_t i = 0; i < 4 && in->has_parameters; i++) fl_json_hex(j, in->parameters[i]);
  fl_json_end(j);
}

/* A join names its records by their places in `events`, from 0. */
static void put_place(fl_json *j, const char *key, const fl_incident *in, const fl_event *event) {
  size_t at = 0;
  while (at < in->n_events && in->events[at] != event) at++;
  fl_json_key(j, key);
  fl_json_u64(j, at);
}

static void put_joins(fl_json *j, const fl_incident *in) {
  fl_json_key(j, "joins");
  fl_json_array(j);
  for (size_t i = 0; i < in->n_joins; i++) {
    fl_json_object(j);
    fl_json_key(j, "rule");
    fl_json_text(j, in->joins[i].rule);
    fl_json_key(j, "confidence");
    fl_json_u64(j, in->joins[i].confidence);
    put_place(j, "event", in, in->joins[i].event);
    put_place(j, "with", in, in->joins[i].to);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void put_lists(fl_json *j, const fl_incident *in) {
  fl_json_key(j, "contradictions");
  fl_json_array(j);
  for (size_t i = 0; i < in->n_contradictions; i++) fl_json_str(j, in->contradictions[i]);
  fl_json_end(j);
  fl_json_key(j, "attempts");
  fl_json_array(j);
  for (size_t i = 0; i < in->n_attempts; i++) fl_json_u64(j, in->attempts[i]->number);
  fl_json_end(j);
}

static void put_incident(fl_json *j, const fl_case *c, const fl_incident *in) {
  fl_json_object(j);
  fl_json_key(j, "number");
  fl_json_u64(j, in->number);
  fl_json_key(j, "kind");
  fl_json_text(j, fl_incident_kind_names[in->kind]);
  put_text(j, "host", in->machine ? in->machine->name : (fl_str){0});
  put_text(j, "part", fl_str_of(in->part));
  put_time(j, "occurred", in->is_exact ? in->t : 0);
  put_time(j, "not_before", in->is_exact ? 0 : in->t);
  put_time(j, "reported", in->reported);
  put_text(j, "process", in->process);
  put_text(j, "service", in->service);
  put_text(j, "module", in->module);
  put_text(j, "place", in->place);
  put_code(j, in);
  put_text(j, "signature", in->signature);
  fl_json_key(j, "rdp_driver");
  fl_json_bool(j, in->is_rdp_driver);
  fl_json_key(j, "dump");
  fl_json_bool(j, in->has_dump);
  fl_json_key(j, "alike");
  fl_json_u64(j, in->n_alike);
  fl_json_key(j, "verdict");
  fl_json_text(j, fl_bearing_names[in->bearing]);
  put_text(j, "reason", in->reason);
  put_joins(j, in);
  put_lists(j, in);
  fl_json_refs(j, c, in->events, in->n_events);
  fl_json_end(j);
}

void fl_json_incidents(fl_json *j, const fl_case *c) {
  fl_json_key(j, "incidents");
  fl_json_array(j);
  for (size_t i = 0; i < c->n_incidents; i++) put_incident(j, c, &c->incidents[i]);
  fl_json_end(j);
}
