/* record.c - one record whole, for `show`: columns, fields, what is known of it, XML and bytes. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/raw.h"
#include "base/text.h"
#include "report/exporter.h"
#include "report/json.h"
#include "report/page.h"
#include "report/xml.h"

enum { HEX_COLUMNS = 16, LABEL_WIDTH = 22 };

typedef struct record {
  const fl_batch *batch;
  const fl_row *row;
  fl_str source;
  const uint8_t *bytes;
  size_t n_bytes;
  fl_arena *arena;
  fl_event event;
  fl_out *xml; /* memory */
  fl_out *out;
} record;

static void write_field(const record *r, fl_page *page, fl_str name, const fl_value *value) {
  fl_str label = fl_text_printable(name, r->arena);
  fl_str text = fl_text_printable(fl_value_text(value, r->arena), r->arena);
  if (text.n == 0) text = value->kind == FL_V_NULL ? FL_STR("(null)") : FL_STR("(empty)");
  label = fl_arena_str(r->arena, label);
  fl_page_field(page, 2, LABEL_WIDTH, label.p ? label.p : "", text);
}

/* Columns that are not shown as the row holds them. */
static bool is_told_apart(fl_column column) {
  return column == FL_C_TIME || column == FL_C_MESSAGE || column == FL_C_MESSAGE_SOURCE;
}

static void write_message(const record *r, fl_page *page) {
  if (r->event.message.n == 0) return;
  fl_page_field(page, 2, LABEL_WIDTH, "message", fl_text_printable(r->event.message, r->arena));
  fl_page_field(page, 2, LABEL_WIDTH, "message_source",
                fl_str_of(fl_message_source_names[r->event.message_source]));
}

static void write_columns(const record *r, fl_page *page) {
  const fl_row *row = r->row;
  char time[FL_TIME_TEXT_MAX];
  fl_out_puts(r->out, "columns\n");
  (void)fl_time_format(row->t, row->t % 100 ? 9 : 7, time);
  const bool has_time = !(row->flags & FL_F_TIME_INVALID);
  fl_page_field(page, 2, LABEL_WIDTH, "time", has_time ? fl_str_of(time) : FL_STR("(invalid)"));
  if (row->t_written && row->t_written != row->t) {
    (void)fl_time_format(row->t_written, 7, time);
    fl_page_field(page, 2, LABEL_WIDTH, "time_written", fl_str_of(time));
  }
  uint8_t guid[16];
  for (fl_column column = 0; column < FL_C_COUNT; column++) {
    const fl_raw raw = fl_column_raw(column, fl_row_column(r->batch, row, column), guid);
    if (column == FL_C_MESSAGE) write_message(r, page);
    if (is_told_apart(column) || raw.type == FL_T_NULL) continue;
    const fl_value value = fl_raw_decode(raw, r->arena);
    write_field(r, page, fl_str_of(fl_column_names[column]), &value);
  }
  if (r->event.header_record_id >= 0)
    fl_out_printf(r->out, "  %-*s %" PRId64 "\n", LABEL_WIDTH, "header_record_id",
                  r->event.header_record_id);
}

static void write_flags(const record *r) {
  if (r->row->flags == 0) return;
  fl_out_puts(r->out, "flags\n ");
  for (unsigned i = 0; i < FL_N_EVENT_FLAGS; i++)
    if (r->row->flags & 1u << i) fl_out_printf(r->out, " %s", fl_event_flag_names[i]);
  fl_out_puts(r->out, "\n");
}

static void write_known(const record *r, fl_page *page) {
  const bool is_said = r->event.message_source == FL_MESSAGE_OWN; /* among the columns */
  const fl_str sentence = is_said ? (fl_str){0} : fl_event_sentence(&r->event, r->arena);
  if (r->event.kind.n == 0) return;
  fl_out_puts(r->out, "what is known of it\n");
  fl_page_field(page, 2, LABEL_WIDTH, "kind", r->event.kind);
  if (sentence.n)
    fl_page_field(page, 2, LABEL_WIDTH, "sentence", fl_text_printable(sentence, r->arena));
  for (size_t i = 0; i < r->event.n_facts; i++)
    write_field(r, page, r->event.facts[i].name, &r->event.facts[i].value);
}

/* One line of a dump: offset, 16 bytes, and their printable ASCII. */
static void write_hex_line(const record *r, size_t at) {
  char line[16 + HEX_COLUMNS * 4 + 24];
  size_t n = 0;
  const uint64_t offset = r->row->offset + at;
  for (unsigned i = 0; i < 5; i++)
    n += fl_put_hex_bytes(&(uint8_t){(uint8_t)(offset >> (32 - 8 * i))}, 1, line + n);
  line[n++] = ' ';
  for (size_t i = 0; i < HEX_COLUMNS; i++) {
    line[n++] = ' ';
    if (at + i < r->n_bytes) n += fl_put_hex_bytes(r->bytes + at + i, 1, line + n);
    else memcpy(line + n, "  ", 2), n += 2;
  }
  memcpy(line + n, "  ", 2);
  n += 2;
  for (size_t i = 0; i < HEX_COLUMNS && at + i < r->n_bytes; i++) {
    const uint8_t c = r->bytes[at + i];
    line[n++] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
  }
  line[n++] = '\n';
  fl_out_puts(r->out, "  ");
  fl_out_write(r->out, line, n);
}

static void write_text(const record *r) {
  fl_page page = {.out = r->out};
  const fl_shape *shape = r->row->shape;
  fl_out_printf(r->out, "%.*s@%" PRIu64 ", %" PRIu32 " bytes\n",
                FL_STR_ARG(fl_text_printable(r->source, r->arena)), r->row->offset, r->row->length);
  write_columns(r, &page);
  if (shape->n_fields) fl_out_puts(r->out, "data\n");
  for (uint32_t i = 0; i < shape->n_fields; i++) {
    const fl_value value = fl_row_field(r->batch, r->row, &shape->fields[i], r->arena);
    write_field(r, &page, shape->fields[i].name, &value);
  }
  write_known(r, &page);
  write_flags(r);
  fl_out_puts(r->out, "xml\n  ");
  const fl_str xml = fl_text_printable(fl_out_text(r->xml), r->arena);
  fl_out_str(r->out, xml.n ? xml : FL_STR("(expands beyond what can be shown)"));
  fl_out_puts(r->out, "\n");
  if (r->n_bytes) fl_out_puts(r->out, "bytes\n");
  for (size_t at = 0; at < r->n_bytes; at += HEX_COLUMNS) write_hex_line(r, at);
}

static void json_fields(fl_json *j, const char *key, const fl_field *fields, size_t n_fields) {
  fl_json_key(j, key);
  fl_json_object(j);
  for (size_t i = 0; i < n_fields; i++) {
    fl_json_key_str(j, fields[i].name);
    fl_json_value(j, &fields[i].value);
  }
  fl_json_end(j);
}

/* Columns that are numbers also where a template holds them as text. */
static bool is_number(fl_column column) {
  return (column >= FL_C_EVENT_ID && column <= FL_C_OPCODE) || column == FL_C_RECORD_ID ||
         column == FL_C_PID || column == FL_C_TID;
}

static void json_message(fl_json *j, const record *r) {
  if (r->event.message.n == 0) return;
  fl_json_key(j, "message");
  fl_json_str(j, r->event.message);
  fl_json_key(j, "message_source");
  fl_json_text(j, fl_message_source_names[r->event.message_source]);
}

static void json_columns(fl_json *j, const record *r) {
  fl_json_key(j, "time");
  if (r->row->flags & FL_F_TIME_INVALID) fl_json_null(j);
  else fl_json_time(j, r->row->t);
  uint8_t guid[16];
  for (fl_column column = 0; column < FL_C_COUNT; column++) {
    const fl_raw raw = fl_column_raw(column, fl_row_column(r->batch, r->row, column), guid);
    if (column == FL_C_MESSAGE) json_message(j, r);
    if (is_told_apart(column) || raw.type == FL_T_NULL) continue;
    const fl_value value = fl_raw_decode(raw, r->arena);
    uint64_t number = 0;
    fl_json_key(j, fl_column_names[column]);
    if (is_number(column) && fl_raw_u64(raw, &number)) fl_json_u64(j, number);
    else fl_json_value(j, &value);
  }
  if (r->event.header_record_id >= 0) {
    fl_json_key(j, "header_record_id");
    fl_json_i64(j, r->event.header_record_id);
  }
}

static void json_tail(fl_json *j, const record *r) {
  char *hex = fl_arena_take(r->arena, r->n_bytes * 2 + 1);
  fl_json_key(j, "flags");
  fl_json_array(j);
  for (unsigned i = 0; i < FL_N_EVENT_FLAGS; i++)
    if (r->row->flags & 1u << i) fl_json_text(j, fl_event_flag_names[i]);
  fl_json_end(j);
  fl_json_key(j, "xml");
  fl_json_str(j, fl_out_text(r->xml));
  fl_json_key(j, "bytes");
  fl_json_str(j, (fl_str){hex, hex ? fl_put_hex_bytes(r->bytes, r->n_bytes, hex) : 0});
}

static void write_json(const record *r) {
  fl_json j = fl_json_of(r->out);
  fl_json_object(&j);
  fl_json_key(&j, "schema");
  fl_json_u64(&j, 1);
  fl_json_key(&j, "source");
  fl_json_str(&j, r->source);
  fl_json_key(&j, "offset");
  fl_json_u64(&j, r->row->offset);
  fl_json_key(&j, "length");
  fl_json_u64(&j, r->row->length);
  json_columns(&j, r);
  json_fields(&j, "data", r->event.data, r->event.n_data);
  fl_json_key(&j, "kind");
  fl_json_str_or_null(&j, r->event.kind);
  json_fields(&j, "facts", r->event.facts, r->event.n_facts);
  json_tail(&j, r);
  fl_json_end(&j);
  fl_json_line_end(&j);
}

static fl_status write_record(record *r, const char *format, fl_err *err) {
  FL_TRY(fl_event_build(r->batch, r->row, r->arena, &r->event, err));
  const fl_status status = fl_xml_row(r->batch, r->row, r->arena, r->xml, err);
  const bool is_xml = strcmp(format, "xml") == 0;
  if (status < FL_OK && (is_xml || status != FL_E_LIMIT)) return status;
  if (is_xml) {
    fl_out_str(r->out, fl_out_text(r->xml));
    fl_out_puts(r->out, "\n");
  } else if (strcmp(format, "json") == 0) {
    write_json(r);
  } else {
    write_text(r);
  }
  return fl_out_failed(r->xml) ? fl_fail(err, FL_E_NOMEM, 0, "out of memory") : FL_OK;
}

fl_status fl_report_record(const fl_batch *batch, const fl_row *row, fl_str source_name,
                           const uint8_t *bytes, size_t n_bytes, const char *format, fl_out *out,
                           fl_err *err) {
  if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 && strcmp(format, "xml") != 0)
    return fl_fail(err, FL_E_ARG, 0, "a record has no format '%s', use text, json or xml", format);
  record r = {.batch = batch,
              .row = row,
              .source = source_name,
              .bytes = bytes,
              .n_bytes = n_bytes,
              .out = out};
  fl_status status = FL_E_NOMEM;
  r.arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (r.arena && fl_out_memory(&r.xml, err) == FL_OK) status = write_record(&r, format, err);
  else (void)fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_out_discard(r.xml);
  fl_arena_free(r.arena);
  return status;
}
