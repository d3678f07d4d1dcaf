/* csv.c - events as a table (RFC 4180) with the column names of common timeline viewers. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/text.h"
#include "report/exporter.h"
#include "report/json.h"

enum { N_PAYLOADS = 6, MAX_SOURCE_IDS = 1 << 20 };

typedef struct csv {
  fl_event_writer head;
  fl_out *out;
  fl_out *payload; /* one row's data as JSON */
  fl_arena *arena; /* reset for each row */
  fl_arena *names; /* of sources */
  fl_str *source_names;
  size_t cap_sources;
} csv;

/* Characters before a formula that a spreadsheet skips. */
static bool is_skipped(uint32_t c) {
  return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || (c >= 0x2000 && c <= 0x200f) || c == 0x3000 ||
         c == 0xfeff;
}

static bool is_formula(fl_str s) {
  for (size_t at = 0; at < s.n;) {
    const uint32_t c = fl_utf8_next(s, &at);
    if (!is_skipped(c)) return c == '=' || c == '+' || c == '-' || c == '@';
  }
  return false;
}

/* One cell is one line: controls are shown as escapes, so that no value forges a row. */
static void cell(csv *w, fl_str s, bool is_last) {
  s = fl_text_printable(s, w->arena);
  const bool needs_guard = is_formula(s);
  bool needs_quotes = false;
  for (size_t i = 0; i < s.n && !needs_quotes; i++)
    needs_quotes = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == ' ' || s.p[i] == ';';
  if (needs_quotes) fl_out_write(w->out, "\"", 1);
  if (needs_guard) fl_out_write(w->out, "'", 1);
  for (size_t at = 0; at < s.n;) {
    size_t end = at;
    while (end < s.n && s.p[end] != '"') end++;
    fl_out_write(w->out, s.p + at, end - at);
    if (end < s.n) fl_out_write(w->out, "\"\"", 2);
    at = end + 1;
  }
  if (needs_quotes) fl_out_write(w->out, "\"", 1);
  fl_out_write(w->out, is_last ? "\r\n" : ",", is_last ? 2 : 1);
}

static void text_cell(csv *w, fl_str s) { cell(w, s, false); }

static void number_cell(csv *w, int64_t number) {
  char text[24];
  text_cell(w, (fl_str){text, number < 0 ? 0 : fl_text_i64(number, text)});
}

static void level_cell(csv *w, const fl_event *event) {
  static const char *const names[] = {"LogAlways", "Critical", "Error",
                                      "Warning",   "Info",     "Verbose"};
  if (event->level >= 0 && event->level < (int64_t)(sizeof names / sizeof *names))
    text_cell(w, fl_str_of(names[event->level]));
  else number_cell(w, event->level);
}

/* The first of several fields that the event has. */
static void field_cell(csv *w, const fl_event *event, const char *const *names, size_t n_names) {
  for (size_t i = 0; i < n_names; i++) {
    const fl_value *value = fl_event_field(event, fl_str_of(names[i]));
    if (!value || value->kind == FL_V_NULL) continue;
    text_cell(w, fl_value_text(value, w->arena));
    return;
  }
  text_cell(w, (fl_str){0});
}

static void payload_cells(csv *w, const fl_event *event) {
  for (size_t i = 0; i < N_PAYLOADS; i++) {
    fl_str text = {0};
    if (i < event->n_data) {
      const fl_str value = fl_value_text(&event->data[i].value, w->arena);
      text = fl_arena_printf(w->arena, "%.*s: ", FL_STR_ARG(event->data[i].name));
      char *both = fl_arena_take(w->arena, text.n + value.n + 1);
      if (both && text.n) memcpy(both, text.p, text.n);
      if (both && value.n) memcpy(both + text.n, value.p, value.n);
      text = (fl_str){both, both ? text.n + value.n : 0};
    }
    text_cell(w, text);
  }
}

static void tags_cell(csv *w, const fl_event *event) {
  fl_str tags = {0};
  for (unsigned i = 0; i < FL_N_EVENT_FLAGS; i++)
    if (event->flags & 1u << i)
      tags = fl_arena_printf(w->arena, "%.*s%s%s", FL_STR_ARG(tags), tags.n ? " " : "",
                             fl_event_flag_names[i]);
  text_cell(w, tags);
}

static fl_str payload_json(csv *w, const fl_event *event) {
  fl_json j = fl_json_of(w->payload);
  w->payload->n = 0;
  fl_json_object(&j);
  for (size_t i = 0; i < event->n_data; i++) {
    fl_json_key_str(&j, event->data[i].name);
    fl_json_value(&j, &event->data[i].value);
  }
  fl_json_end(&j);
  return fl_out_text(w->payload);
}

static void write_event(csv *w, const fl_event *event) {
  static const char *const users[] = {"user", "TargetUserName", "SubjectUserName"};
  static const char *const remotes[] = {"client_ip", "address", "client_name", "IpAddress",
                                        "WorkstationName"};
  static const char *const sessions[] = {"session_id", "SessionID"};
  char time[FL_TIME_TEXT_MAX];
  const bool has_time = !(event->flags & FL_F_TIME_INVALID);
  text_cell(w, (fl_str){time, has_time ? fl_time_format(event->t, 7, time) : 0});
  number_cell(w, event->event_id);
  level_cell(w, event);
  text_cell(w, event->provider);
  text_cell(w, event->channel);
  text_cell(w, event->host);
  number_cell(w, event->pid);
  number_cell(w, event->tid);
  text_cell(w, event->user_sid);
  field_cell(w, event, users, sizeof users / sizeof *users);
  field_cell(w, event, remotes, sizeof remotes / sizeof *remotes);
  text_cell(w, fl_event_sentence(event, w->arena));
  text_cell(w, event->message);
  text_cell(w, fl_str_of(fl_message_source_names[event->message_source]));
  payload_cells(w, event);
  text_cell(w, event->source < w->cap_sources ? w->source_names[event->source] : (fl_str){0});
  number_cell(w, event->record_id);
  number_cell(w, (int64_t)event->offset);
  text_cell(w, event->activity_id);
  field_cell(w, event, sessions, sizeof sessions / sizeof *sessions);
  tags_cell(w, event);
  text_cell(w, event->rules);
  cell(w, payload_json(w, event), true);
}

static fl_status begin_source(void *self, const fl_source_info *source, fl_err *err) {
  csv *w = self;
  if (source->id >= MAX_SOURCE_IDS) return FL_OK;
  const size_t old_cap = w->cap_sources;
  if (!fl_grow((void **)&w->source_names, &w->cap_sources, (size_t)source->id + 1,
               sizeof *w->source_names))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (size_t i = old_cap; i < w->cap_sources; i++) w->source_names[i] = (fl_str){0};
  w->source_names[source->id] = fl_arena_str(w->names, source->name);
  return FL_OK;
}

static fl_status write_batch(void *self, const fl_batch *batch, fl_err *err) {
  csv *w = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    fl_event event = {0};
    fl_arena_reset(w->arena);
    FL_TRY(fl_event_build(batch, &batch->rows[i], w->arena, &event, err));
    write_event(w, &event);
  }
  return fl_out_check(w->out, err);
}

static void destroy(csv *w) {
  fl_out_discard(w->payload);
  fl_arena_free(w->arena);
  fl_arena_free(w->names);
  free(w->source_names);
  free(w);
}

static fl_status finish(fl_event_writer *writer, fl_err *err) {
  csv *w = writer->sink.self;
  const bool has_failed = fl_out_failed(w->payload);
  destroy(w);
  return has_failed ? fl_fail(err, FL_E_NOMEM, 0, "out of memory") : FL_OK;
}

static const char header[] =
    "TimeCreated,EventId,Level,Provider,Channel,Computer,ProcessId,ThreadId,UserId,UserName,"
    "RemoteHost,MapDescription,Message,MessageSource,PayloadData1,PayloadData2,PayloadData3,"
    "PayloadData4,"
    "PayloadData5,PayloadData6,SourceFile,EventRecordId,RecordOffset,ActivityId,SessionId,Tags,"
    "Rules,Payload\r\n";

fl_status fl_event_format_csv(fl_out *out, fl_event_writer **ret_writer, fl_err *err) {
  csv *w = calloc(1, sizeof *w);
  if (!w) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  w->head.sink = (fl_sink){.self = w, .begin = begin_source, .batch = write_batch};
  w->head.finish = finish;
  w->out = out;
  w->arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  w->names = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!w->arena || !w->names || fl_out_memory(&w->payload, err) < FL_OK) {
    destroy(w);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  fl_out_puts(out, header);
  *ret_writer = &w->head;
  return FL_OK;
}
