/* gap_row.c - gaps as events of our own: facts/events/gap.def has their kinds and sentences. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "faultline/facts.h"
#include "timeline/coverage.h"

enum {
  DATA_MAX = 8,
  CUT = 8,       /* event id of damage without bytes */
  SEVERAL = 100, /* added to the event id of what stands for several gaps */
  ROWS_PER_BATCH = 512
};
#define FIRST_SEQ (UINT64_C(1) << 62) /* behind all records of the same source and time */
#define PROVIDER "faultline"

static const struct {
  uint8_t level; /* as Windows has them: 3 warning, 4 information */
  const char *first, *last, *n;
} words[FL_N_GAP_KINDS] = {
    [FL_GAP_MISSING] = {3, "first_missing", "last_missing", "n_missing"},
    [FL_GAP_FILTERED] = {4, "first_missing", "last_missing", "n_missing"},
    [FL_GAP_REPEATED] = {3, "first_repeated", "last_repeated", "n_repeated"},
    [FL_GAP_CLEARED] = {3, NULL, NULL, NULL},
    [FL_GAP_TIME_BACK] = {3, "record", NULL, NULL},
    [FL_GAP_OVERWRITTEN] = {4, "first_missing", "last_missing", "n_missing"},
    [FL_GAP_DAMAGED] = {3, NULL, NULL, NULL},
};

/* Data fields on their way into an event. */
typedef struct fields {
  fl_arena *arena;
  fl_field *list;
  size_t n;
} fields;

static void add_number(fields *f, const char *name, uint64_t number) {
  if (name)
    f->list[f->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_UINT, .as.natural = number}};
}

static void add_text(fields *f, const char *name, fl_str text) {
  if (text.n) f->list[f->n++] = (fl_field){fl_str_of(name), {.kind = FL_V_STR, .as.text = text}};
}

static void add_time(fields *f, const char *name, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  if (t == INT64_MIN || t == INT64_MAX) return;
  add_text(f, name, fl_arena_str(f->arena, (fl_str){text, fl_time_format(t, 7, text)}));
}

static void add_data(fields *f, const fl_gap *gap) {
  add_number(f, words[gap->kind].first, gap->first);
  add_number(f, words[gap->kind].last, gap->last);
  add_number(f, words[gap->kind].n, gap->n);
  if (gap->n_places > 1) add_number(f, "n_places", gap->n_places);
  if (gap->length) add_number(f, "n_bytes", gap->length);
  if (gap->kind == FL_GAP_CLEARED) add_text(f, "log", gap->channel);
  if (gap->kind == FL_GAP_TIME_BACK)
    add_text(f, "by", fl_duration_text(gap->before - gap->after, f->arena));
  add_text(f, gap->kind == FL_GAP_CLEARED ? "user" : "what", gap->detail);
  add_text(f, "reason", fl_str_of(gap->reason));
  if (gap->kind != FL_GAP_CLEARED) add_time(f, "after", gap->after);
  if (gap->witness) add_number(f, "told_by_record", gap->witness);
}

static int64_t event_id_of(const fl_gap *gap) {
  if (gap->kind == FL_GAP_DAMAGED && gap->length == 0) return CUT;
  return gap->kind + 1 + (gap->n_places > 1 ? SEVERAL : 0);
}

fl_status fl_gap_event(const fl_gap *gap, fl_arena *arena, fl_event *ret_event, fl_err *err) {
  fields f = {.arena = arena, .list = FL_NEW_ARRAY(arena, fl_field, DATA_MAX)};
  if (!f.list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  add_data(&f, gap);
  const bool has_time = gap->before != INT64_MIN || gap->after != INT64_MAX;
  const fl_time t = gap->before != INT64_MIN ? gap->before : gap->after;
  fl_event event = {.t = has_time ? t : 0,
                    .flags = FL_F_GAP | FL_F_SYNTHETIC | (has_time ? 0 : FL_F_TIME_INVALID),
                    .source = gap->source,
                    .offset = gap->offset,
                    .record_id = -1,
                    .header_record_id = -1,
                    .event_id = event_id_of(gap),
                    .qualifiers = -1,
                    .version = -1,
                    .level = words[gap->kind].level,
                    .task = -1,
                    .opcode = -1,
                    .pid = -1,
                    .tid = -1,
                    .provider = FL_STR(PROVIDER),
                    .channel = gap->channel,
                    .host = gap->host,
                    .data = f.list,
                    .n_data = f.n};
  const fl_event_fact *fact = fl_event_fact_find(event.provider, (uint32_t)event.event_id);
  event.kind = fl_str_of(fact ? fact->kind : "");
  event.message = fl_event_sentence(&event, arena);
  event.message_source = FL_MESSAGE_OWN;
  event.length = gap->length < UINT32_MAX ? (uint32_t)gap->length : UINT32_MAX;
  *ret_event = event;
  return FL_OK;
}

/* A batch being made: one arena holds all of it. */
typedef struct maker {
  const fl_sink *sink;
  fl_arena *arena;
  fl_row *rows;
  fl_raw *slots;
  uint32_t n_rows, n_slots;
  uint64_t n_made;
} maker;
enum { SLOTS_PER_ROW = 6 + DATA_MAX };

static fl_raw text_raw(fl_str text) {
  return (fl_raw){(const uint8_t *)text.p, (uint32_t)text.n, FL_T_UTF8, 0};
}

static fl_raw number_raw(maker *m, uint64_t number) {
  uint8_t *bytes = fl_arena_take(m->arena, 8);
  for (unsigned i = 0; bytes && i < 8; i++) bytes[i] = (uint8_t)(number >> (8 * i));
  return bytes ? (fl_raw){bytes, 8, FL_T_U64, 0} : (fl_raw){0};
}

static fl_raw time_raw(maker *m, const fl_event *event) {
  const uint64_t epoch = UINT64_C(116444736000000000); /* 1970 in units of 100 ns since 1601 */
  if (event->flags & FL_F_TIME_INVALID) return (fl_raw){0};
  const int64_t ticks = event->t / 100 - (event->t % 100 < 0);
  fl_raw raw = number_raw(m, epoch + (uint64_t)ticks);
  if (raw.n) raw.type = FL_T_FILETIME;
  return raw;
}

static fl_ref next_slot(maker *m, const fl_row *row, fl_raw raw) {
  m->slots[m->n_slots] = raw;
  return (fl_ref){.kind = FL_REF_SLOT, .slot = m->n_slots++ - row->slot0};
}

static bool fill_shape(maker *m, const fl_row *row, const fl_event *event, fl_shape *shape) {
  fl_shape_field *list = FL_NEW_ARRAY(m->arena, fl_shape_field, event->n_data);
  fl_ref *refs = FL_NEW_ARRAY(m->arena, fl_ref, event->n_data);
  if (!list || !refs) return false;
  shape->columns[FL_C_PROVIDER] =
      (fl_ref){.kind = FL_REF_CONST, .constant = text_raw(event->provider)};
  shape->columns[FL_C_EVENT_ID] = next_slot(m, row, number_raw(m, (uint64_t)event->event_id));
  shape->columns[FL_C_LEVEL] = next_slot(m, row, number_raw(m, (uint64_t)event->level));
  shape->columns[FL_C_TIME] = next_slot(m, row, time_raw(m, event));
  shape->columns[FL_C_CHANNEL] = next_slot(m, row, text_raw(event->channel));
  shape->columns[FL_C_HOST] = next_slot(m, row, text_raw(event->host));
  shape->columns[FL_C_MESSAGE] = next_slot(m, row, text_raw(event->message));
  const fl_str from = fl_str_of(fl_message_source_names[event->message_source]);
  shape->columns[FL_C_MESSAGE_SOURCE] = (fl_ref){.kind = FL_REF_CONST, .constant = text_raw(from)};
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

static fl_status add_row(maker *m, const fl_gap *gap, fl_err *err) {
  fl_event event;
  fl_shape *shape = FL_NEW(m->arena, fl_shape);
  if (!shape) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_gap_event(gap, m->arena, &event, err));
  fl_row *row = &m->rows[m->n_rows];
  *row = (fl_row){.shape = shape,
                  .t = event.t,
                  .seq = FIRST_SEQ + m->n_made,
                  .offset = event.offset,
                  .length = event.length,
                  .flags = event.flags,
                  .slot0 = m->n_slots,
                  .source = event.source};
  shape->serial = FL_SHAPE_TEMPORARY | m->n_made;
  if (!fill_shape(m, row, &event, shape)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  m->n_rows++;
  m->n_made++;
  return FL_OK;
}

static fl_status flush(maker *m, fl_err *err) {
  const fl_batch batch = {.source = m->n_rows ? m->rows[0].source : 0,
                          .n_rows = m->n_rows,
                          .rows = m->rows,
                          .slots = m->slots};
  if (m->n_rows && m->sink->batch) FL_TRY(m->sink->batch(m->sink->self, &batch, err));
  m->n_rows = m->n_slots = 0;
  fl_arena_reset(m->arena);
  return FL_OK;
}

fl_status fl_gap_rows(const fl_gap *gaps, size_t n, const fl_sink *sink, fl_err *err) {
  maker m = {.sink = sink,
             .arena = fl_arena_create(FL_LIMIT_BATCH_ARENA),
             .rows = calloc(ROWS_PER_BATCH, sizeof *m.rows),
             .slots = calloc((size_t)ROWS_PER_BATCH * SLOTS_PER_ROW, sizeof *m.slots)};
  fl_status status = m.arena && m.rows && m.slots ? FL_OK : FL_E_NOMEM;
  for (size_t i = 0; status == FL_OK && i < n; i++) {
    const bool is_full =
        m.n_rows == ROWS_PER_BATCH || (m.n_rows && m.rows[0].source != gaps[i].source);
    if (is_full) status = flush(&m, err);
    if (status == FL_OK) status = add_row(&m, &gaps[i], err);
  }
  if (status == FL_OK) status = flush(&m, err);
  else if (status == FL_E_NOMEM) (void)fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  free(m.rows);
  free(m.slots);
  fl_arena_free(m.arena);
  return status;
}
