/* case_json.c - a solved case as one JSON object (docs/formats/json.md, `triage`). */
#include "base/arena.h"
#include "base/limits.h"
#include "report/case_incidents.h"
#include "report/case_refs.h"
#include "report/compare.h"
#include "report/exporter.h"
#include "report/json.h"
#include "report/view.h"

enum { SCHEMA = 1 };

static void write_code(fl_json *j, const char *key, bool is_known, uint32_t code) {
  fl_json_key(j, key);
  if (is_known) fl_json_hex(j, code);
  else fl_json_null(j);
}

static void write_meaning(fl_json *j, const char *prefix, const fl_code_fact *fact) {
  char key[40];
  const char *const names[] = {"symbol", "meaning"};
  const char *const values[] = {fact ? fact->symbol : NULL, fact ? fact->meaning : NULL};
  for (unsigned i = 0; i < 2; i++) {
    size_t n = 0;
    for (const char *p = prefix; *p; p++) key[n++] = *p;
    for (const char *p = names[i]; *p; p++) key[n++] = *p;
    key[n] = '\0';
    fl_json_key(j, key);
    fl_json_text(j, values[i]);
  }
}

/* null when neither the user nor the chosen attempt names a code or text. */
static void write_symptom(fl_json *j, const fl_case *c) {
  const fl_view_symptom s = fl_view_symptom_of(c);
  fl_json_key(j, "symptom");
  if (!s.has_code && c->symptom.text.n == 0) {
    fl_json_null(j);
    return;
  }
  fl_json_object(j);
  fl_json_key(j, "text");
  fl_json_str_or_null(j, c->symptom.text);
  write_code(j, "code", s.has_code, s.code);
  write_meaning(j, "", s.has_code ? fl_code_find(FL_CODE_DISCONNECT, s.code) : NULL);
  write_code(j, "extended", s.has_extended, s.extended);
  write_meaning(j, "extended_", s.has_extended ? fl_view_extended(s.extended) : NULL);
  fl_json_key(j, "from");
  fl_json_text(j, !s.has_code || !s.is_recorded ? "user" : "log");
  fl_json_key(j, "activity_id");
  fl_json_str_or_null(j, c->symptom.activity_id);
  fl_json_key(j, "time");
  fl_json_time(j, c->symptom.time);
  fl_json_end(j);
}

static void write_evidence(fl_json *j, const fl_case *c, const fl_evidence *e) {
  fl_json_object(j);
  fl_json_key(j, "text");
  fl_json_str(j, e->text);
  fl_json_key(j, "points");
  fl_json_i64(j, e->points);
  fl_json_key(j, "decisive");
  fl_json_bool(j, e->decisive);
  fl_json_key(j, "rule");
  fl_json_text(j, e->rule);
  fl_json_refs(j, c, e->events, e->n_events);
  fl_json_end(j);
}

static void write_evidence_list(fl_json *j, const fl_case *c, const char *key,
                                const fl_evidence *const *list, size_t n) {
  fl_json_key(j, key);
  fl_json_array(j);
  for (size_t i = 0; i < n; i++) write_evidence(j, c, list[i]);
  fl_json_end(j);
}

static void write_hypothesis(fl_json *j, const fl_case *c, const fl_hypothesis *h) {
  fl_json_object(j);
  fl_json_key(j, "cause");
  fl_json_text(j, h->cause ? h->cause->id : NULL);
  fl_json_key(j, "title");
  fl_json_text(j, h->cause ? h->cause->title : NULL);
  fl_json_key(j, "status");
  fl_json_text(j, fl_verdict_names[h->status]);
  fl_json_key(j, "score");
  fl_json_i64(j, h->score);
  write_evidence_list(j, c, "for", h->pro, h->n_pro);
  write_evidence_list(j, c, "against", h->con, h->n_con);
  write_evidence_list(j, c, "missing", h->missing, h->n_missing);
  fl_json_key(j, "fix");
  fl_json_list(j, h->cause ? h->cause->fix : NULL, '\n');
  fl_json_key(j, "check");
  fl_json_list(j, h->cause ? h->cause->check : NULL, '\n');
  fl_json_end(j);
}

static void write_verdict(fl_json *j, const fl_case *c) {
  const fl_verdict *v = &c->verdict;
  fl_json_key(j, "verdict");
  fl_json_object(j);
  fl_json_key(j, "status");
  fl_json_text(j, fl_verdict_names[v->status]);
  fl_json_key(j, "sentence");
  fl_json_str_or_null(j, v->sentence);
  fl_json_key(j, "attempt");
  if (c->chosen) fl_json_u64(j, c->chosen->number);
  else fl_json_null(j);
  fl_json_key(j, "hypotheses");
  fl_json_array(j);
  for (size_t i = 0; i < v->n_hypotheses; i++) write_hypothesis(j, c, &v->hypotheses[i]);
  fl_json_end(j);
  fl_json_key(j, "collect");
  fl_json_array(j);
  for (size_t i = 0; i < v->n_collect; i++) fl_json_str(j, v->collect[i]);
  fl_json_end(j);
  fl_json_end(j);
}

/* One end of an attempt: its name, what it is, and how its clock was aligned. */
static void write_end(fl_json *j, const char *key, fl_str name, const fl_machine *machine) {
  fl_json_key(j, key);
  if (!machine && name.n == 0) {
    fl_json_null(j);
    return;
  }
  fl_json_object(j);
  fl_json_key(j, "name");
  fl_json_str(j, machine && machine->name.n ? machine->name : name);
  fl_json_key(j, "in_case");
  fl_json_bool(j, machine != NULL);
  fl_json_key(j, "roles");
  fl_json_array(j);
  for (unsigned i = 0; machine && i < FL_N_ROLES; i++)
    if (machine->roles & 1u << i) fl_json_text(j, fl_role_names[i]);
  fl_json_end(j);
  fl_json_key(j, "clock_offset_ns");
  fl_json_i64(j, machine ? machine->offset_ns : 0);
  fl_json_key(j, "clock_spread_ns");
  fl_json_i64(j, machine ? machine->spread_ns : 0);
  fl_json_key(j, "clock_anchors");
  fl_json_u64(j, machine ? machine->n_anchors : 0);
  fl_json_end(j);
}

static void write_known(fl_json *j, const char *key, int64_t number) {
  fl_json_key(j, key);
  if (number >= 0) fl_json_i64(j, number);
  else fl_json_null(j);
}

static void write_gateway(fl_json *j, const fl_route *r) {
  fl_json_key(j, "gateway");
  if (!r->via_gateway) {
    fl_json_null(j);
    return;
  }
  fl_json_object(j);
  fl_json_key(j, "name");
  fl_json_str_or_null(j, r->gateway ? r->gateway->name : (fl_str){0});
  fl_json_key(j, "state");
  fl_json_str_or_null(j, r->gateway_state);
  write_known(j, "code", r->gateway_code);
  fl_json_key(j, "protocol");
  fl_json_str_or_null(j, r->gateway_protocol);
  write_known(j, "duration_s", r->gateway_duration_s);
  fl_json_key(j, "received");
  if (r->has_bytes) fl_json_u64(j, r->received);
  else fl_json_null(j);
  fl_json_key(j, "sent");
  if (r->has_bytes) fl_json_u64(j, r->sent);
  else fl_json_null(j);
  fl_json_end(j);
}

static void write_broker(fl_json *j, const fl_route *r) {
  fl_json_key(j, "broker");
  if (!r->broker_state.n) {
    fl_json_null(j);
    return;
  }
  fl_json_object(j);
  fl_json_key(j, "name");
  fl_json_str_or_null(j, r->broker ? r->broker->name : (fl_str){0});
  fl_json_key(j, "state");
  fl_json_str(j, r->broker_state);
  write_known(j, "code", r->broker_code);
  fl_json_end(j);
}

/* What is known beside the course: how it was dialled, what came up, how it ended, the history. */
static void write_details(fl_json *j, const fl_attempt *a) {
  fl_json_key(j, "target");
  fl_json_str_or_null(j, a->target);
  fl_json_key(j, "udp");
  if (a->udp == FL_UNKNOWN) fl_json_null(j);
  else fl_json_bool(j, a->udp == FL_TRUE);
  write_known(j, "session_reason", a->session_reason);
  write_known(j, "end_reason_103", a->end_reason);
  write_known(j, "socket_error", a->socket_error);
  fl_json_key(j, "client_os");
  fl_json_str_or_null(j, a->client_os);
  write_gateway(j, &a->route);
  write_broker(j, &a->route);
  fl_json_key(j, "last_good");
  if (a->last_good) fl_json_u64(j, a->last_good->number);
  else fl_json_null(j);
  write_known(j, "failure_n", a->failure_n ? (int64_t)a->failure_n : -1);
}

static void write_attempt(fl_json *j, const fl_case *c, const fl_attempt *a) {
  fl_json_object(j);
  fl_json_key(j, "number");
  fl_json_u64(j, a->number);
  fl_json_key(j, "start");
  fl_json_time(j, a->start);
  fl_json_key(j, "end");
  fl_json_time(j, a->end);
  write_end(j, "client", a->client_name, a->client);
  write_end(j, "server", a->server_name, a->server);
  fl_json_key(j, "user");
  fl_json_str_or_null(j, a->user);
  fl_json_key(j, "address");
  fl_json_str_or_null(j, a->address);
  fl_json_key(j, "port");
  if (a->port) fl_json_u64(j, a->port);
  else fl_json_null(j);
  fl_json_key(j, "transport");
  fl_json_str_or_null(j, a->transport);
  fl_json_key(j, "activity_id");
  fl_json_str_or_null(j, a->activity_id);
  fl_json_key(j, "server_activity_id");
  fl_json_str_or_null(j, a->server_activity_id);
  fl_json_key(j, "session_id");
  if (a->session_id >= 0) fl_json_i64(j, a->session_id);
  else fl_json_null(j);
  fl_json_key(j, "reached");
  fl_json_text(j, a->reached >= 0 ? fl_phase_names[a->reached] : NULL);
  fl_json_key(j, "outcome");
  fl_json_text(j, fl_outcome_names[a->outcome]);
  write_code(j, "code", a->has_code, a->code);
  write_code(j, "extended", a->has_extended, a->extended);
  write_code(j, "host_code", a->has_host_code, a->host_code);
  fl_json_key(j, "ended_by");
  fl_json_str_or_null(j, a->ended_by);
  write_details(j, a);
  fl_json_refs(j, c, a->events, a->n_events);
  fl_json_end(j);
}

static void write_lacking(fl_json *j, const fl_case *c, const fl_lacking_log *log) {
  fl_json_object(j);
  fl_json_key(j, "host");
  fl_json_str(j, log->host);
  fl_json_key(j, "channel");
  fl_json_str(j, log->channel);
  fl_json_key(j, "absent");
  fl_json_bool(j, log->is_absent);
  fl_json_key(j, "disabled");
  fl_json_bool(j, log->off != NULL);
  fl_json_refs(j, c, &log->off, log->off != NULL);
  fl_json_end(j);
}

/* null unless the attempt that was judged failed. */
static void write_changes(fl_json *j, const fl_case *c) {
  const fl_changes *changes = &c->changes;
  fl_json_key(j, "changes");
  if (!changes->is_asked) {
    fl_json_null(j);
    return;
  }
  fl_json_object(j);
  fl_json_key(j, "since");
  fl_json_time(j, changes->since);
  fl_json_key(j, "until");
  fl_json_time(j, changes->until);
  fl_json_key(j, "since_last_good");
  fl_json_bool(j, changes->has_good);
  fl_json_key(j, "items");
  fl_json_array(j);
  for (size_t i = 0; i < changes->n_items; i++) {
    const fl_change *one = &changes->items[i];
    fl_json_object(j);
    fl_json_key(j, "time");
    fl_json_time(j, one->t);
    fl_json_key(j, "host");
    fl_json_str(j, one->machine->name);
    fl_json_key(j, "what");
    fl_json_text(j, one->what);
    fl_json_key(j, "text");
    fl_json_str(j, one->text);
    fl_json_key(j, "count");
    fl_json_u64(j, one->n);
    fl_json_refs(j, c, &one->event, 1);
    fl_json_end(j);
  }
  fl_json_end(j);
  fl_json_key(j, "left_out");
  fl_json_u64(j, changes->n_left_out);
  fl_json_key(j, "signature_updates");
  fl_json_u64(j, changes->n_signatures);
  fl_json_key(j, "routine");
  fl_json_u64(j, changes->n_routine);
  fl_json_key(j, "not_seen");
  fl_json_array(j);
  for (size_t i = 0; i < changes->n_lacks; i++) fl_json_str(j, changes->lacks[i]);
  fl_json_end(j);
  fl_json_end(j);
}

/* null where nothing worked before, or nothing failed. */
static fl_status write_comparison(fl_json *j, const fl_case *c, fl_err *err) {
  fl_comparison list[FL_N_COMPARED];
  fl_arena *arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!arena) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const size_t n = fl_compare(c, arena, list);
  fl_json_key(j, "compared");
  if (n == 0) {
    fl_json_null(j);
    fl_arena_free(arena);
    return FL_OK;
  }
  fl_json_object(j);
  fl_json_key(j, "good");
  fl_json_u64(j, c->chosen->last_good->number);
  fl_json_key(j, "lines");
  fl_json_array(j);
  for (size_t i = 0; i < n; i++) {
    fl_json_object(j);
    fl_json_key(j, "what");
    fl_json_text(j, list[i].key);
    fl_json_key(j, "then");
    fl_json_str(j, list[i].good);
    fl_json_key(j, "now");
    fl_json_str(j, list[i].now);
    fl_json_key(j, "same");
    fl_json_bool(j, list[i].is_same);
    fl_json_end(j);
  }
  fl_json_end(j);
  fl_json_end(j);
  fl_arena_free(arena);
  return FL_OK;
}

static void write_coverage(fl_json *j, const fl_coverage *cover) {
  fl_json_object(j);
  fl_json_key(j, "host");
  fl_json_str(j, cover->host);
  fl_json_key(j, "channel");
  fl_json_str(j, cover->channel);
  fl_json_key(j, "first");
  fl_json_time(j, cover->first);
  fl_json_key(j, "last");
  fl_json_time(j, cover->last);
  fl_json_key(j, "events");
  fl_json_u64(j, cover->n_events);
  fl_json_key(j, "missing_records");
  fl_json_u64(j, cover->n_missing);
  fl_json_key(j, "cleared");
  fl_json_time(j, cover->cleared);
  fl_json_key(j, "gaps");
  fl_json_array(j);
  for (size_t i = 0; i < cover->n_holes; i++) {
    fl_json_object(j);
    fl_json_key(j, "start");
    fl_json_time(j, cover->holes[i].start);
    fl_json_key(j, "end");
    fl_json_time(j, cover->holes[i].end);
    fl_json_end(j);
  }
  fl_json_end(j);
  fl_json_end(j);
}

static void write_finding(fl_json *j, const fl_case *c, const fl_finding *f) {
  fl_json_object(j);
  fl_json_key(j, "rule");
  fl_json_text(j, f->rule);
  fl_json_key(j, "title");
  fl_json_text(j, f->title);
  fl_json_key(j, "engine");
  fl_json_text(j, fl_rule_engine_names[f->engine]);
  fl_json_key(j, "cause");
  fl_json_text(j, f->cause);
  fl_json_key(j, "effect");
  fl_json_text(j, f->effect);
  fl_json_key(j, "severity");
  fl_json_i64(j, f->severity);
  fl_json_key(j, "score");
  fl_json_i64(j, f->score);
  fl_json_key(j, "start");
  fl_json_time(j, f->start);
  fl_json_key(j, "end");
  fl_json_time(j, f->end);
  fl_json_key(j, "attempt");
  if (f->attempt) fl_json_u64(j, f->attempt->number);
  else fl_json_null(j);
  fl_json_key(j, "text");
  fl_json_str_or_null(j, f->text);
  if (f->n_places) fl_json_places(j, c, f->places, f->n_places);
  else fl_json_refs(j, c, f->events, f->n_events);
  fl_json_end(j);
}

static void write_sign(fl_json *j, const fl_case *c, const fl_sign *sign) {
  fl_json_object(j);
  fl_json_key(j, "rule");
  fl_json_text(j, sign->rule);
  fl_json_key(j, "title");
  fl_json_text(j, sign->title);
  fl_json_key(j, "engine");
  fl_json_text(j, fl_rule_engine_names[sign->engine]);
  fl_json_key(j, "level");
  fl_json_text(j, *sign->level ? sign->level : NULL);
  fl_json_key(j, "severity");
  fl_json_i64(j, sign->severity);
  fl_json_key(j, "count");
  fl_json_u64(j, sign->n_findings);
  fl_json_key(j, "first");
  fl_json_time(j, sign->first);
  fl_json_key(j, "last");
  fl_json_time(j, sign->last);
  fl_json_places(j, c, sign->places, sign->n_places);
  fl_json_end(j);
}

static void write_source(fl_json *j, const fl_source_info *source) {
  uint64_t n_damaged = 0;
  for (size_t i = 0; i < source->n_ledger; i++)
    n_damaged += source->ledger[i].state == FL_L_DAMAGED;
  fl_json_object(j);
  fl_json_key(j, "source");
  fl_json_str(j, source->name);
  fl_json_key(j, "type");
  fl_json_text(j, source->type);
  fl_json_key(j, "bytes");
  fl_json_u64(j, source->size_bytes);
  fl_json_key(j, "sha256");
  fl_json_text(j, source->sha256);
  fl_json_key(j, "events");
  fl_json_u64(j, source->n_events);
  fl_json_key(j, "recovered");
  fl_json_u64(j, source->n_recovered);
  fl_json_key(j, "damaged");
  fl_json_u64(j, n_damaged);
  fl_json_key(j, "state");
  fl_json_text(j, source->is_failed ? "failed" : source->is_skipped ? "skipped" : "read");
  fl_json_key(j, "first");
  fl_json_time(j, source->first);
  fl_json_key(j, "last");
  fl_json_time(j, source->last);
  fl_json_end(j);
}

static void write_made(fl_json *j, const fl_case *c) {
  fl_json_key(j, "tool");
  fl_json_object(j);
  fl_json_key(j, "name");
  fl_json_text(j, "faultline");
  fl_json_key(j, "version");
  fl_json_text(j, fl_version());
  fl_json_end(j);
  fl_json_key(j, "rules");
  fl_json_object(j);
  fl_json_key(j, "files");
  fl_json_u64(j, c->rules.n_files);
  fl_json_key(j, "rules");
  fl_json_u64(j, c->rules.n_rules);
  fl_json_key(j, "sha256");
  fl_json_text(j, c->rules.sha256);
  fl_json_end(j);
  fl_json_key(j, "command");
  fl_json_str_or_null(j, c->command);
}

/* null when the case is everything that was read. */
static void write_window(fl_json *j, const fl_window *w) {
  fl_json_key(j, "window");
  if (!w->since && !w->until && !w->where.n) {
    fl_json_null(j);
    return;
  }
  fl_json_object(j);
  fl_json_key(j, "since");
  fl_json_time(j, w->since);
  fl_json_key(j, "until");
  fl_json_time(j, w->until);
  fl_json_key(j, "where");
  fl_json_str_or_null(j, w->where);
  fl_json_key(j, "events");
  fl_json_u64(j, w->n_rows);
  fl_json_key(j, "taken");
  fl_json_u64(j, w->n_taken);
  fl_json_end(j);
}

static void write_note(fl_json *j, const fl_case *c, const fl_note *note) {
  fl_json_object(j);
  fl_json_key(j, "severity");
  fl_json_text(j, fl_severity_names[note->severity]);
  fl_json_key(j, "source");
  fl_json_str_or_null(j, fl_view_source_name(c, note->source));
  fl_json_key(j, "offset");
  fl_json_u64(j, note->offset);
  fl_json_key(j, "text");
  fl_json_str(j, note->text);
  fl_json_end(j);
}

fl_status fl_report_format_json(const fl_case *c, fl_out *out, fl_err *err) {
  fl_json j = fl_json_of(out);
  fl_json_object(&j);
  fl_json_key(&j, "schema");
  fl_json_u64(&j, SCHEMA);
  write_made(&j, c);
  write_symptom(&j, c);
  write_window(&j, &c->window);
  write_verdict(&j, c);
  fl_json_key(&j, "attempts");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_attempts; i++) write_attempt(&j, c, &c->attempts[i]);
  fl_json_end(&j);
  fl_json_incidents(&j, c);
  write_changes(&j, c);
  FL_TRY(write_comparison(&j, c, err));
  fl_json_key(&j, "noise");
  fl_json_u64(&j, c->n_noise);
  fl_json_key(&j, "coverage");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_coverage; i++) write_coverage(&j, &c->coverage[i]);
  fl_json_end(&j);
  fl_json_key(&j, "lacking_logs");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_lacking; i++) write_lacking(&j, c, &c->lacking[i]);
  fl_json_end(&j);
  fl_json_key(&j, "findings");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_findings; i++) write_finding(&j, c, &c->findings[i]);
  fl_json_end(&j);
  fl_json_key(&j, "signs");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_signs; i++) write_sign(&j, c, &c->signs[i]);
  fl_json_end(&j);
  fl_json_key(&j, "sources");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_sources; i++) write_source(&j, &c->sources[i]);
  fl_json_end(&j);
  fl_json_key(&j, "notes");
  fl_json_array(&j);
  for (size_t i = 0; i < c->n_notes; i++) write_note(&j, c, &c->notes[i]);
  fl_json_end(&j);
  fl_json_end(&j);
  fl_json_line_end(&j);
  return FL_OK;
}
