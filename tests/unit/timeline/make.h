/* make.h - rows by hand for the timeline's tests, and rows as text to compare them. */
#ifndef FL_TESTS_TIMELINE_MAKE_H
#define FL_TESTS_TIMELINE_MAKE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "faultline/timeline.h"

enum { MAKE_FIELDS_MAX = 64, MAKE_T0 = 1700000000 };
#define T0 (MAKE_T0 * FL_SECOND)

/* One shape: columns are slots 0…, data fields follow. */
typedef struct made_shape {
  fl_shape shape;
  fl_shape_field fields[MAKE_FIELDS_MAX];
  fl_ref refs[MAKE_FIELDS_MAX];
} made_shape;

static inline fl_raw raw_bytes(fl_arena *arena, uint8_t type, const void *bytes, size_t n) {
  const fl_str copy = fl_arena_str(arena, (fl_str){bytes, n});
  return (fl_raw){(const uint8_t *)copy.p, (uint32_t)n, type, 0};
}
static inline fl_raw raw_number(fl_arena *arena, uint8_t type, uint64_t number, size_t n) {
  return raw_bytes(arena, type, &number, n);
}
static inline fl_raw raw_utf8(fl_arena *arena, const char *text) {
  return raw_bytes(arena, FL_T_UTF8, text, strlen(text));
}
static inline fl_raw raw_utf16(fl_arena *arena, const char *ascii) {
  const size_t n = strlen(ascii);
  uint8_t *units = fl_arena_take(arena, 2 * n + 2);
  for (size_t i = 0; i < n; i++) units[2 * i] = (uint8_t)ascii[i];
  return (fl_raw){units, (uint32_t)(2 * n + 2), FL_T_STR16, 0};
}
static inline fl_raw raw_filetime(fl_arena *arena, fl_time t) {
  return raw_number(arena, FL_T_FILETIME, (uint64_t)(t / 100) + UINT64_C(116444736000000000), 8);
}

/* Provider and channel are constants, as in most templates; the rest are slots. */
static inline made_shape *make_shape(fl_arena *arena, uint64_t serial, const char *provider,
                                     const char *channel, const char *const *names, uint32_t n) {
  made_shape *made = FL_NEW(arena, made_shape);
  made->shape = (fl_shape){.serial = serial, .cached = true, .n_slots = FL_C_COUNT + n};
  for (uint32_t i = 0; i < FL_C_COUNT; i++)
    made->shape.columns[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = i};
  made->shape.columns[FL_C_PROVIDER] =
      (fl_ref){.kind = FL_REF_CONST, .constant = raw_utf8(arena, provider)};
  made->shape.columns[FL_C_CHANNEL] =
      (fl_ref){.kind = FL_REF_CONST, .constant = raw_utf8(arena, channel)};
  made->shape.columns[FL_C_EVENT_SOURCE_NAME] = (fl_ref){.kind = FL_REF_NONE};
  for (uint32_t i = 0; i < n; i++) {
    made->refs[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = FL_C_COUNT + i};
    made->fields[i] = (fl_shape_field){
        .name = fl_str_of(names[i]), .refs = &made->refs[i], .n_refs = 1, .join = FL_JOIN_ONE};
  }
  made->shape.fields = made->fields;
  made->shape.n_fields = n;
  return made;
}

/* Rows of one source. */
typedef struct made_rows {
  fl_arena *arena;
  fl_source_info source;
  fl_row *rows;
  fl_raw *slots;
  uint32_t n_rows, cap_rows, n_slots, cap_slots;
} made_rows;

static inline made_rows make_rows(fl_arena *arena, uint32_t id, const char *name, uint32_t cap,
                                  uint32_t slots_per_row) {
  made_rows made = {.arena = arena, .cap_rows = cap, .cap_slots = cap * slots_per_row};
  made.source = (fl_source_info){
      .id = id, .parent = UINT32_MAX, .name = fl_str_of(name), .type = "evtx", .size_bytes = 69632};
  made.rows = FL_NEW_ARRAY(arena, fl_row, cap);
  made.slots = FL_NEW_ARRAY(arena, fl_raw, made.cap_slots);
  assert_non_null(made.rows);
  assert_non_null(made.slots);
  return made;
}

/* Appends a row with the usual columns; returns its slots for more. */
static inline fl_raw *make_row(made_rows *made, const made_shape *shape, fl_time t, uint32_t id,
                               uint64_t record_id) {
  fl_row *row = &made->rows[made->n_rows];
  *row = (fl_row){.shape = &shape->shape,
                  .t = t,
                  .t_written = t + 100,
                  .header_record_id = record_id,
                  .seq = made->n_rows,
                  .offset = 4096 + 512 * (uint64_t)made->n_rows,
                  .length = 480,
                  .slot0 = made->n_slots,
                  .source = made->source.id};
  fl_raw *slot = made->slots + made->n_slots;
  made->n_rows++;
  made->n_slots += shape->shape.n_slots;
  assert_true(made->n_rows <= made->cap_rows && made->n_slots <= made->cap_slots);
  slot[FL_C_EVENT_ID] = raw_number(made->arena, FL_T_U16, id, 2);
  slot[FL_C_VERSION] = raw_number(made->arena, FL_T_U8, 1, 1);
  slot[FL_C_LEVEL] = raw_number(made->arena, FL_T_U8, 4, 1);
  slot[FL_C_TASK] = raw_number(made->arena, FL_T_U16, 0, 2);
  slot[FL_C_OPCODE] = raw_number(made->arena, FL_T_U8, 0, 1);
  slot[FL_C_KEYWORDS] = raw_number(made->arena, FL_T_HEX64, UINT64_C(0x8000000000000000), 8);
  slot[FL_C_TIME] = raw_filetime(made->arena, t);
  slot[FL_C_RECORD_ID] = raw_number(made->arena, FL_T_U64, record_id, 8);
  slot[FL_C_PID] = raw_number(made->arena, FL_T_U32, 1234, 4);
  slot[FL_C_HOST] = raw_utf16(made->arena, "PC1.example.net");
  return slot;
}

static inline fl_batch batch_of(const made_rows *made) {
  return (fl_batch){
      .source = made->source.id, .n_rows = made->n_rows, .rows = made->rows, .slots = made->slots};
}

/* --- rows as text --- */

static inline void describe_value(FILE *out, const fl_value *value) {
  switch (value->kind) {
    case FL_V_NULL:
      (void)fputs("null", out);
      break;
    case FL_V_BOOL:
      (void)fprintf(out, "b%d", value->as.boolean);
      break;
    case FL_V_INT: /* the sign alone tells integers apart in a file */
      (void)fprintf(out, "n%" PRId64, value->as.integer);
      break;
    case FL_V_UINT:
      (void)fprintf(out, "n%" PRIu64, value->as.natural);
      break;
    case FL_V_FLOAT:
      (void)fprintf(out, "f%a", value->as.real);
      break;
    case FL_V_STR:
      (void)fprintf(out, "\"%.*s\"", FL_STR_ARG(value->as.text));
      break;
    case FL_V_LIST:
      (void)fputc('[', out);
      for (size_t i = 0; i < value->as.list.n_items; i++) {
        describe_value(out, &value->as.list.items[i]);
        (void)fputc(' ', out);
      }
      (void)fputc(']', out);
      break;
  }
}

/* One line with everything that a row says. */
static inline void describe_row(FILE *out, fl_str source, const fl_batch *batch,
                                const fl_row *row) {
  fl_arena *arena = fl_arena_create(16 << 20);
  assert_non_null(fl_arena_alloc(arena, 16));
  (void)fprintf(out,
                "%020" PRId64 " %.*s seq=%" PRIu64 " w=%" PRId64 " hid=%" PRIu64 " at=%" PRIu64
                "+%" PRIu32 " flags=%" PRIx32,
                row->t, FL_STR_ARG(source), row->seq, row->t_written, row->header_record_id,
                row->offset, row->length, row->flags);
  for (unsigned c = 0; c < FL_C_COUNT; c++) {
    const fl_raw raw = fl_row_column(batch, row, (fl_column)c);
    if (raw.type == FL_T_NULL) continue;
    const fl_value value = fl_raw_decode(raw, arena);
    (void)fprintf(out, " %s=", fl_column_names[c]);
    describe_value(out, &value);
  }
  for (uint32_t i = 0; i < row->shape->n_fields; i++) {
    const fl_value value = fl_row_field(batch, row, &row->shape->fields[i], arena);
    (void)fprintf(out, " .%.*s=", FL_STR_ARG(row->shape->fields[i].name));
    describe_value(out, &value);
  }
  (void)fputc('\n', out);
  fl_arena_free(arena);
}

/* A sink that writes down all it is given. */
typedef struct heard {
  char *text;
  size_t n_text;
  FILE *out;
  char names[64][64];
  size_t n_sources, n_ended, n_notes, n_damage, n_rows, n_batches;
  char last_note[512];
} heard;

static inline void hear_open(heard *h) {
  *h = (heard){0};
  h->out = open_memstream(&h->text, &h->n_text);
  assert_non_null(h->out);
}
static inline void hear_close(heard *h) { assert_int_equal(fclose(h->out), 0); }

static inline fl_status hear_begin(void *self, const fl_source_info *source, fl_err *err) {
  heard *h = self;
  (void)err;
  assert_true(source->id == h->n_sources);
  if (source->id < 64) (void)snprintf(h->names[source->id], 64, "%.*s", FL_STR_ARG(source->name));
  h->n_sources++;
  return FL_OK;
}
static inline fl_status hear_batch(void *self, const fl_batch *batch, fl_err *err) {
  heard *h = self;
  (void)err;
  assert_true(batch->n_rows > 0 && batch->n_rows <= FL_BATCH_ROWS);
  h->n_batches++;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    assert_true(row->source == batch->source && row->source < h->n_sources);
    const fl_str name = row->source < 64 ? fl_str_of(h->names[row->source]) : FL_STR("?");
    describe_row(h->out, name, batch, row);
    h->n_rows++;
  }
  return FL_OK;
}
static inline fl_status hear_note(void *self, const fl_note *note, fl_err *err) {
  heard *h = self;
  (void)err;
  assert_true(note->source < h->n_sources);
  (void)snprintf(h->last_note, sizeof h->last_note, "%.*s", FL_STR_ARG(note->text));
  h->n_notes++;
  h->n_damage += note->severity == FL_NOTE_DAMAGED;
  return FL_OK;
}
static inline fl_status hear_end(void *self, const fl_source_info *source, fl_err *err) {
  heard *h = self;
  (void)source;
  (void)err;
  h->n_ended++;
  return FL_OK;
}
static inline fl_sink hear_sink(heard *h) {
  return (fl_sink){
      .self = h, .begin = hear_begin, .batch = hear_batch, .note = hear_note, .end = hear_end};
}

/* Writes the sources in the order given; the caller frees the bytes. */
static inline fl_str write_timeline(const made_rows *made, const size_t *order, size_t n,
                                    const fl_timeline_options *options, const fl_note *notes,
                                    size_t n_notes) {
  fl_out *out = NULL;
  fl_timeline_writer *writer = NULL;
  fl_err err = {0};
  uint64_t n_events = 0;
  assert_int_equal(fl_out_memory(&out, &err), FL_OK);
  assert_int_equal(fl_timeline_writer_create(out, options, &writer, &err), FL_OK);
  const fl_sink sink = fl_timeline_writer_sink(writer);
  for (size_t i = 0; i < n; i++) {
    const made_rows *m = &made[order ? order[i] : i];
    assert_int_equal(sink.begin(sink.self, &m->source, &err), FL_OK);
    for (uint32_t at = 0; at < m->n_rows; at += FL_BATCH_ROWS) {
      fl_batch batch = batch_of(m);
      batch.rows += at;
      batch.n_rows = m->n_rows - at < FL_BATCH_ROWS ? m->n_rows - at : FL_BATCH_ROWS;
      assert_int_equal(sink.batch(sink.self, &batch, &err), FL_OK);
    }
    for (size_t k = 0; k < n_notes; k++)
      if (notes[k].source == m->source.id)
        assert_int_equal(sink.note(sink.self, &notes[k], &err), FL_OK);
    assert_int_equal(sink.end(sink.self, &m->source, &err), FL_OK);
  }
  const fl_status status = fl_timeline_writer_finish(writer, &n_events, &err);
  if (status != FL_OK) print_error("%s\n", err.text);
  assert_int_equal(status, FL_OK);
  fl_timeline_writer_free(writer);
  const fl_str text = fl_out_text(out);
  char *copy = malloc(text.n);
  assert_non_null(copy);
  memcpy(copy, text.p, text.n);
  const fl_str result = {copy, text.n};
  fl_out_discard(out);
  return result;
}

/* FL_OK when the file could be opened; `h` then holds what it gave. */
static inline fl_status read_timeline(fl_str bytes, fl_time since, fl_time until, heard *h,
                                      fl_ingest_totals *ret_totals) {
  fl_timeline_reader *reader = NULL;
  fl_err err = {0};
  hear_open(h);
  fl_status status = fl_timeline_open_memory((const uint8_t *)bytes.p, bytes.n, &reader, &err);
  if (status == FL_OK) {
    const fl_sink sink = hear_sink(h);
    status = fl_timeline_read(reader, since, until, &sink, ret_totals, &err);
    if (status != FL_OK) print_error("read: %s\n", err.text);
    assert_int_equal(status, FL_OK);
    assert_true(h->n_ended == h->n_sources);
  }
  fl_timeline_close(reader);
  hear_close(h);
  return status;
}

#endif
