/* stand_in.h - small stand-ins for the rooms that reports ask, so that goldens rest on report/
 * alone.
 *
 * Include it in exactly one file of a test program: as the program defines every name that reports
 * need of facts/, rules/ and timeline/, the linker leaves those archives alone. */
#ifndef FL_TESTS_STAND_IN_H
#define FL_TESTS_STAND_IN_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "faultline/case.h"
#include "faultline/timeline.h"

const char *const fl_role_names[FL_N_ROLES] = {"client", "server",  "gateway",
                                               "broker", "license", "dc"};
const char *const fl_phase_names[FL_N_PHASES] = {
    "name", "tcp", "x224", "tls", "auth", "license", "arbitration", "graphics", "session"};
const char *const fl_incident_kind_names[FL_N_INCIDENT_KINDS] = {"crash", "hang",  "service",
                                                                 "stop",  "power", "live"};
const char *const fl_bearing_names[3] = {"unrelated", "coincides", "explains"};
const char *const fl_outcome_names[7] = {"unknown", "failed", "ended", "lost",
                                         "probe",   "noise",  "open"};
const char *const fl_verdict_names[5] = {"confirmed", "likely", "possible", "undecided",
                                         "no_failure_seen"};
const char *const fl_code_space_names[FL_CODE_N_SPACES] = {
    "disconnect", "extended", "errinfo",   "neg_failure",   "gateway",        "hresult",
    "ntstatus",   "win32",    "tls_alert", "rdpcorets_103", "schannel_state", "misplaced"};

static const fl_code_fact code_facts[] = {
    {FL_CODE_DISCONNECT, 0x904, "SocketClosed",
     "the TCP connection was closed by the other end or broke on the way", "transport",
     "a firewall or VPN cut the path; the host refused without a word; TLS failed on the host",
     "who sent FIN or RST (capture); RdpCoreTS events of the host in the same seconds",
     "docs/codes.md"},
    {FL_CODE_EXTENDED, 7, "ServerDeniedConnection", "the server refused the connection",
     "server refusal", "drain mode; a connection limit", "SetErrorInfo in RdpCoreTS 72",
     "docs/codes.md"},
    {FL_CODE_WIN32, 0x904, "", "a printer driver is not known here", "win32", "", "",
     "docs/win32.md"},
};

const fl_code_fact *fl_code_find(fl_code_space space, uint32_t code) {
  for (size_t i = 0; i < sizeof code_facts / sizeof *code_facts; i++)
    if (code_facts[i].space == space && code_facts[i].code == code) return &code_facts[i];
  return NULL;
}

size_t fl_code_parse(fl_str text, const fl_code_fact **ret_facts, size_t cap, uint32_t *ret_code,
                     fl_status *ret_status) {
  uint64_t number = 0;
  size_t n = 0;
  *ret_status = fl_text_number(text, &number) ? FL_OK : FL_E_ARG;
  *ret_code = (uint32_t)number;
  for (size_t i = 0; i < sizeof code_facts / sizeof *code_facts && n < cap; i++)
    if (*ret_status == FL_OK && code_facts[i].code == *ret_code) ret_facts[n++] = &code_facts[i];
  return n;
}

const fl_code_fact *fl_code_of_reason(uint32_t code) {
  return fl_code_find(FL_CODE_EXTENDED, code);
}

bool fl_code_prefix(fl_str text, fl_code_space *ret_space, fl_str *ret_rest) {
  (void)text;
  (void)ret_space;
  (void)ret_rest;
  return false;
}

size_t fl_code_causes(const fl_code_fact *fact, const fl_cause_fact **ret_causes, size_t cap) {
  static const fl_cause_fact cause = {.id = "srv.denied", .title = "The host refused"};
  if (fact->code != 7 || cap == 0) return 0;
  ret_causes[0] = &cause;
  return 1;
}

size_t fl_fact_near(fl_str word, const char *ret_names[FL_NEAR_MAX]) {
  ret_names[0] = "srv.denied";
  return fl_str_eq(word, FL_STR("denid"));
}

const fl_code_fact *fl_code_meant(fl_str text) {
  return fl_str_eq(text, FL_STR("904")) ? &code_facts[0] : NULL;
}

const fl_event_fact *fl_event_fact_find(fl_str provider, uint32_t event_id) {
  (void)provider;
  (void)event_id;
  return NULL;
}

/* Nothing is known of rows. */
fl_known *fl_known_create(void) { return (fl_known *)calloc(1, 1); }
void fl_known_free(fl_known *known) { free(known); }
const fl_event_fact *fl_known_fact(fl_known *known, const fl_batch *batch, const fl_row *row) {
  (void)known;
  (void)batch;
  (void)row;
  return NULL;
}
fl_str fl_known_sentence(fl_known *known, const fl_event_fact *fact, const fl_batch *batch,
                         const fl_row *row, fl_arena *arena) {
  (void)known;
  (void)fact;
  (void)batch;
  (void)row;
  (void)arena;
  return (fl_str){0};
}

/* Events that have a message of this form: "=sentence". */
fl_str fl_event_sentence(const fl_event *event, fl_arena *arena) {
  (void)arena;
  if (event->message.n == 0 || event->message.p[0] != '=') return (fl_str){0};
  return (fl_str){event->message.p + 1, event->message.n - 1};
}

const fl_value *fl_event_field(const fl_event *event, fl_str name) {
  for (size_t i = 0; i < event->n_facts; i++)
    if (fl_str_eq_nocase(event->facts[i].name, name)) return &event->facts[i].value;
  for (size_t i = 0; i < event->n_data; i++)
    if (fl_str_eq_nocase(event->data[i].name, name)) return &event->data[i].value;
  return NULL;
}

static fl_str column_text(const fl_batch *batch, const fl_row *row, fl_column column,
                          fl_arena *arena) {
  return fl_raw_text(fl_row_column(batch, row, column), arena);
}

static int64_t column_number(const fl_batch *batch, const fl_row *row, fl_column column) {
  uint64_t number = 0;
  return fl_raw_u64(fl_row_column(batch, row, column), &number) ? (int64_t)number : -1;
}

fl_status fl_event_build(const fl_batch *batch, const fl_row *row, fl_arena *arena,
                         fl_event *ret_event, fl_err *err) {
  fl_field *data = FL_NEW_ARRAY(arena, fl_field, row->shape->n_fields);
  if (!data) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (uint32_t i = 0; i < row->shape->n_fields; i++)
    data[i] = (fl_field){row->shape->fields[i].name,
                         fl_row_field(batch, row, &row->shape->fields[i], arena)};
  *ret_event = (fl_event){
      .t = row->t,
      .flags = row->flags,
      .source = row->source,
      .seq = row->seq,
      .offset = row->offset,
      .length = row->length,
      .record_id = column_number(batch, row, FL_C_RECORD_ID),
      .header_record_id = -1,
      .event_id = column_number(batch, row, FL_C_EVENT_ID),
      .level = column_number(batch, row, FL_C_LEVEL),
      .pid = column_number(batch, row, FL_C_PID),
      .tid = column_number(batch, row, FL_C_TID),
      .provider = column_text(batch, row, FL_C_PROVIDER, arena),
      .channel = column_text(batch, row, FL_C_CHANNEL, arena),
      .host = column_text(batch, row, FL_C_HOST, arena),
      .user_sid = column_text(batch, row, FL_C_USER_SID, arena),
      .activity_id = column_text(batch, row, FL_C_ACTIVITY_ID, arena),
      .message = column_text(batch, row, FL_C_MESSAGE, arena),
      .data = data,
      .n_data = row->shape->n_fields,
  };
  if (ret_event->message.n) ret_event->message_source = FL_MESSAGE_RENDERING;
  return FL_OK;
}

fl_str fl_case_ref(const fl_case *c, const fl_event *event, fl_arena *arena) {
  const fl_str name = event->source < c->n_sources ? c->sources[event->source].name : FL_STR("?");
  return fl_arena_printf(arena, "%.*s@%" PRIu64, FL_STR_ARG(name), event->offset);
}

const fl_machine *fl_case_machine(const fl_case *c, fl_str host) {
  for (size_t i = 0; i < c->n_machines; i++)
    if (fl_str_eq_nocase(c->machines[i].name, host)) return &c->machines[i];
  return NULL;
}

int fl_coverage_covers(const struct fl_coverage *list, size_t n, fl_str host, fl_str channel,
                       fl_time from, fl_time to) {
  for (size_t i = 0; i < n; i++)
    if (fl_str_eq_nocase(list[i].host, host) && fl_str_eq_nocase(list[i].channel, channel))
      return list[i].start <= from && list[i].end >= to ? FL_TRUE : FL_FALSE;
  return FL_UNKNOWN;
}

#endif
