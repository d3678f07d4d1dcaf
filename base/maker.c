/* maker.c - events of our own as rows: a shape for each, in batches of one source. */
#include "base/maker.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"

enum { ROWS_PER_BATCH = 512, SLOTS_PER_ROW = 8 + FL_MAKER_DATA };
#define FIRST_SEQ (UINT64_C(1) << 62) /* behind all records of the same source and time */

/* A batch being made: one arena holds all of it. */
struct fl_maker {
  fl_sink sink;
  fl_arena *arena;
  fl_row *rows;
  fl_raw *slots;
  uint32_t n_rows, n_slots;
  uint64_t n_made;
};

bool fl_maker_fields_init(fl_maker_fields *fields, fl_arena *arena) {
  *fields = (fl_maker_fields){.arena = arena, .list = FL_NEW_ARRAY(arena, fl_field, FL_MAKER_DATA)};
  return fields->list != NULL;
}

void fl_maker_number(fl_maker_fields *f, const char *name, uint64_t number) {
  if (f->n < FL_MAKER_DATA)
    f->list[f->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_UINT, .as.natural = number}};
}

void fl_maker_text(fl_maker_fields *f, const char *name, fl_str text) {
  if (text.n && f->n < FL_MAKER_DATA)
    f->list[f->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_STR, .as.text = text}};
}

fl_status fl_maker_create(const fl_sink *sink, fl_maker **ret_maker, fl_err *err) {
  fl_maker *m = calloc(1, sizeof *m);
  if (m) {
    m->sink = *sink;
    m->arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
    m->rows = calloc(ROWS_PER_BATCH, sizeof *m->rows);
    m->slots = calloc((size_t)ROWS_PER_BATCH * SLOTS_PER_ROW, sizeof *m->slots);
  }
  if (!m || !m->arena || !m->rows || !m->slots) {
    fl_maker_free(m);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *ret_maker = m;
  return FL_OK;
}

void fl_maker_free(fl_maker *maker) {
  if (!maker) return;
  fl_arena_free(maker->arena);
  free(maker->rows);
  free(maker->slots);
  free(maker);
}

fl_arena *fl_maker_arena(fl_maker *maker) { return maker->arena; }

static fl_raw text_raw(fl_str text) {
  return (fl_raw){(const uint8_t *)text.p, (uint32_t)text.n, FL_T_UTF8, 0};
}

static fl_raw number_raw(fl_maker *m, uint64_t number) {
  uint8_t *bytes = fl_arena_take(m->arena, 8);
  for (unsigned i = 0; bytes && i < 8; i++) bytes[i] = (uint8_t)(number >> (8 * i));
  return bytes ? (fl_raw){bytes, 8, FL_T_U64, 0} : (fl_raw){0};
}

static fl_raw time_raw(fl_maker *m, const fl_event *event) {
  const uint64_t epoch = UINT64_C(116444736000000000); /* 1970 in units of 100 ns since 1601 */
  if (event->flags & FL_F_TIME_INVALID) return (fl_raw){0};
  const int64_t ticks = event->t / 100 - (event->t % 100 < 0);
  fl_raw raw = number_raw(m, epoch + (uint64_t)ticks);
  if (raw.n) raw.type = FL_T_FILETIME;
  return raw;
}

static fl_ref next_slot(fl_maker *m, const fl_row *row, fl_raw raw) {
  m->slots[m->n_slots] = raw;
  return (fl_ref){.kind = FL_REF_SLOT, .slot = m->n_slots++ - row->slot0};
}

static void fill_columns(fl_maker *m, const fl_row *row, const fl_event *event, fl_ref *columns) {
  columns[FL_C_PROVIDER] = (fl_ref){.kind = FL_REF_CONST, .constant = text_raw(event->provider)};
  columns[FL_C_EVENT_ID] = next_slot(m, row, number_raw(m, (uint64_t)event->event_id));
  columns[FL_C_LEVEL] = next_slot(m, row, number_raw(m, (uint64_t)event->level));
  columns[FL_C_TIME] = next_slot(m, row, time_raw(m, event));
  columns[FL_C_CHANNEL] = next_slot(m, row, text_raw(event->channel));
  columns[FL_C_HOST] = next_slot(m, row, text_raw(event->host));
  columns[FL_C_MESSAGE] = next_slot(m, row, text_raw(event->message));
  const fl_str from = fl_str_of(fl_message_source_names[event->message_source]);
  columns[FL_C_MESSAGE_SOURCE] = (fl_ref){.kind = FL_REF_CONST, .constant = text_raw(from)};
}

static bool fill_shape(fl_maker *m, const fl_row *row, const fl_event *event, fl_shape *shape) {
  fl_shape_field *list = FL_NEW_ARRAY(m->arena, fl_shape_field, event->n_data);
  fl_ref *refs = FL_NEW_ARRAY(m->arena, fl_ref, event->n_data);
  if (!list || !refs) return false;
  fill_columns(m, row, event, shape->columns);
  for (size_t i = 0; i < event->n_data; i++) {
    const fl_value *value = &event->data[i].value;
    refs[i] = next_slot(
        m, row,
        value->kind == FL_V_STR ? text_raw(value->as.text) : number_raw(m, value->as.natural));
    list[i] = (fl_shape_field){event->data[i].name, &refs[i], 1, FL_JOIN_ONE};
  }
  shape->fields = list;
  shape->n_fields = (uint32_t)event->n_data;
  shape->n_slots = m->n_slots - row->slot0;
  return true;
}

fl_status fl_maker_flush(fl_maker *m, fl_err *err) {
  const fl_batch batch = {.source = m->n_rows ? m->rows[0].source : 0,
                          .n_rows = m->n_rows,
                          .rows = m->rows,
                          .slots = m->slots};
  if (m->n_rows && m->sink.batch) FL_TRY(m->sink.batch(m->sink.self, &batch, err));
  m->n_rows = m->n_slots = 0;
  fl_arena_reset(m->arena);
  return FL_OK;
}

fl_status fl_maker_begin(fl_maker *m, uint32_t source, fl_err *err) {
  const bool is_full = m->n_rows == ROWS_PER_BATCH || (m->n_rows && m->rows[0].source != source);
  return is_full ? fl_maker_flush(m, err) : FL_OK;
}

fl_status fl_maker_add(fl_maker *m, const fl_event *event, fl_err *err) {
  fl_shape *shape = FL_NEW(m->arena, fl_shape);
  if (!shape) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_row *row = &m->rows[m->n_rows];
  *row = (fl_row){.shape = shape,
                  .t = event->t,
                  .seq = FIRST_SEQ + m->n_made,
                  .offset = event->offset,
                  .length = event->length,
                  .flags = event->flags,
                  .slot0 = m->n_slots,
                  .source = event->source};
  shape->serial = FL_SHAPE_TEMPORARY | m->n_made;
  if (!fill_shape(m, row, event, shape)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  m->n_rows++;
  m->n_made++;
  return FL_OK;
}
