/* state.c - facts of a machine's state as rows: one shape for each kind and set of fields. */
#include "parsers/state.h"

#include "base/limits.h"
#include "base/mem.h"

enum {
  SHAPES_MAX = 1024, /* kept of all kinds; kinds times the sets of fields that occur are fewer */
  COL_EVENT_ID = 0,
  COL_LEVEL,
  COL_TIME,
  COL_RECORD_ID,
  COL_HOST,
  N_COLUMN_SLOTS
};
static const fl_column columns[N_COLUMN_SLOTS] = {FL_C_EVENT_ID, FL_C_LEVEL, FL_C_TIME,
                                                  FL_C_RECORD_ID, FL_C_HOST};
static const char provider[] = "faultline-state";

/* A shape and what it was made of. */
typedef struct state_shape {
  fl_shape shape;
  fl_state_kind kind;
  const char **names;
} state_shape;

typedef struct state_shapes {
  state_shape **list;
  size_t n, cap;
} state_shapes;

static void release(void *value) { free(((state_shapes *)value)->list); }

fl_status fl_fact_init(fl_fact *fact, fl_job *job, fl_rows *rows, fl_err *err) {
  *fact = (fl_fact){.job = job, .rows = rows, .collected = fl_collected_of(job->name)};
  fact->shared = fl_job_shared(job, "state", release);
  if (fact->shared && !fact->shared->value)
    fact->shared->value = FL_NEW(fact->shared->arena, state_shapes);
  if (!fact->shared || !fact->shared->value) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return FL_OK;
}

/* ---- shapes ---- */

static bool is_of(const state_shape *s, const fl_fact *fact) {
  if (s->kind != fact->kind || s->shape.n_fields != fact->n_fields) return false;
  for (uint32_t i = 0; i < fact->n_fields; i++)
    if (s->names[i] != fact->names[i] && strcmp(s->names[i], fact->names[i]) != 0) return false;
  return true;
}

static state_shape *make_shape(const fl_fact *fact, fl_arena *arena) {
  state_shape *s = FL_NEW(arena, state_shape);
  fl_shape_field *fields = FL_NEW_ARRAY(arena, fl_shape_field, fact->n_fields);
  fl_ref *refs = FL_NEW_ARRAY(arena, fl_ref, fact->n_fields);
  const char **names = FL_NEW_ARRAY(arena, const char *, fact->n_fields);
  if (!s || !fields || !refs || !names) return NULL;
  for (uint32_t i = 0; i < fact->n_fields; i++) {
    names[i] = fact->names[i];
    refs[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = N_COLUMN_SLOTS + i};
    fields[i] = (fl_shape_field){fl_str_of(names[i]), &refs[i], 1, FL_JOIN_ONE};
  }
  s->kind = fact->kind;
  s->names = names;
  s->shape.fields = fields;
  s->shape.n_fields = fact->n_fields;
  s->shape.n_slots = N_COLUMN_SLOTS + fact->n_fields;
  for (uint32_t i = 0; i < N_COLUMN_SLOTS; i++)
    s->shape.columns[columns[i]] = (fl_ref){.kind = FL_REF_SLOT, .slot = i};
  s->shape.columns[FL_C_PROVIDER] =
      (fl_ref){.kind = FL_REF_CONST,
               .constant = {(const uint8_t *)provider, sizeof provider - 1, FL_T_UTF8, 0}};
  return s;
}

/* Kept for the run, or made for this batch when there is no room. */
static const state_shape *find_shape(fl_fact *fact) {
  state_shapes *kept = fact->shared->value;
  if (fact->last_shape && is_of(fact->last_shape, fact)) return fact->last_shape;
  fact->last_shape = NULL;
  for (size_t i = 0; i < kept->n; i++)
    if (is_of(kept->list[i], fact)) return fact->last_shape = kept->list[i];
  const uint64_t serial = fl_job_shape_serial(fact->job);
  void *list = kept->list;
  const bool is_kept = kept->n < SHAPES_MAX && serial < FL_LIMIT_SHAPES &&
                       fl_grow(&list, &kept->cap, kept->n + 1, sizeof *kept->list);
  kept->list = list;
  state_shape *s = make_shape(fact, is_kept ? fact->shared->arena : fact->rows->arena);
  if (!s) return NULL;
  s->shape.cached = is_kept;
  s->shape.serial = is_kept ? serial : serial | FL_SHAPE_TEMPORARY;
  if (!is_kept) return s;
  kept->list[kept->n++] = s;
  return fact->last_shape = s;
}

/* ---- values ---- */

static fl_raw bytes_raw(fl_fact *fact, const void *bytes, size_t n, unsigned type) {
  uint8_t *p = fl_arena_take(fact->rows->arena, n);
  if (!p) {
    fact->is_out_of_memory = true;
    return (fl_raw){.type = FL_T_NULL};
  }
  if (n) memcpy(p, bytes, n);
  return (fl_raw){p, (uint32_t)n, (uint8_t)type, 0};
}

static fl_raw number_raw(fl_fact *fact, uint64_t number, fl_type type) {
  return bytes_raw(fact, &number, sizeof number, type);
}

static fl_raw time_raw(fl_fact *fact, fl_time t) {
  const uint64_t epoch = UINT64_C(116444736000000000); /* 1970 in units of 100 ns since 1601 */
  const int64_t ticks = t / 100 - (t % 100 < 0);
  return number_raw(fact, epoch + (uint64_t)ticks, FL_T_FILETIME);
}

static void add_field(fl_fact *fact, const char *name, fl_raw raw) {
  if (fact->n_fields == FL_STATE_FIELDS) return;
  fact->names[fact->n_fields] = name;
  fact->values[fact->n_fields++] = raw;
}

void fl_fact_begin(fl_fact *fact, fl_state_kind kind, uint64_t offset, uint32_t length,
                   uint64_t record_id) {
  fact->kind = kind;
  fact->n_fields = 0;
  fact->t = fact->collected.t;
  fact->has_time = fact->collected.t != 0;
  fact->is_local = fact->collected.is_local;
  fact->host = fact->collected.host;
  fact->offset = offset;
  fact->length = length;
  fact->record_id = record_id;
}

void fl_fact_time(fl_fact *fact, fl_time t, bool is_local) {
  fact->t = t;
  fact->has_time = true;
  fact->is_local = is_local;
}

void fl_fact_text(fl_fact *fact, const char *name, fl_str value) {
  if (value.n == 0) return;
  if (value.n > FL_LIMIT_RECORD_TEXT) value.n = FL_LIMIT_RECORD_TEXT;
  add_field(fact, name, bytes_raw(fact, value.p, value.n, FL_T_UTF8));
}

void fl_fact_words(fl_fact *fact, const char *name, const char *value) {
  const size_t n = strlen(value);
  if (n) add_field(fact, name, (fl_raw){(const uint8_t *)value, (uint32_t)n, FL_T_UTF8, 0});
}

void fl_fact_number(fl_fact *fact, const char *name, uint64_t value) {
  add_field(fact, name, number_raw(fact, value, FL_T_U64));
}

void fl_fact_bool(fl_fact *fact, const char *name, bool value) {
  const uint32_t number = value;
  for (uint32_t i = 0; i < fact->n_fields; i++)
    if (fact->names[i] == name) return; /* a mark that was set before */
  add_field(fact, name, bytes_raw(fact, &number, sizeof number, FL_T_BOOL));
}

void fl_fact_date(fl_fact *fact, const char *name, fl_time t) {
  add_field(fact, name, time_raw(fact, t));
}

void fl_fact_local(fl_fact *fact) { fact->is_local = true; }

void fl_fact_list(fl_fact *fact, const char *name, fl_str texts) {
  if (texts.n == 0 || texts.n > FL_LIMIT_RECORD_TEXT) return;
  add_field(fact, name, bytes_raw(fact, texts.p, texts.n, FL_T_UTF8 | FL_T_ARRAY));
}

fl_status fl_fact_add(fl_fact *fact, fl_err *err) {
  fl_rows *rows = fact->rows;
  if (fact->is_local) fl_fact_bool(fact, "time_is_local", true);
  const state_shape *s = find_shape(fact);
  const fl_raw none = {.type = FL_T_NULL};
  fl_raw own[N_COLUMN_SLOTS] = {
      [COL_EVENT_ID] = number_raw(fact, (uint64_t)fact->kind, FL_T_U64),
      [COL_LEVEL] = number_raw(fact, 4, FL_T_U64), /* information */
      [COL_TIME] = fact->has_time ? time_raw(fact, fact->t) : none,
      [COL_RECORD_ID] = fact->record_id ? number_raw(fact, fact->record_id, FL_T_U64) : none,
      [COL_HOST] = fact->host.n ? bytes_raw(fact, fact->host.p, fact->host.n, FL_T_UTF8) : none};
  if (!s || fact->is_out_of_memory) return fl_fail(err, FL_E_NOMEM, fact->offset, "out of memory");
  FL_TRY(fl_rows_slots(rows, s->shape.n_slots, err));
  const fl_row row = {.shape = &s->shape,
                      .t = fact->has_time ? fact->t : 0,
                      .header_record_id = fact->record_id,
                      .offset = fact->offset,
                      .length = fact->length,
                      .flags = fact->has_time ? 0 : FL_F_TIME_INVALID,
                      .slot0 = rows->n_slots};
  memcpy(rows->slots + rows->n_slots, own, sizeof own);
  if (fact->n_fields)
    memcpy(rows->slots + rows->n_slots + N_COLUMN_SLOTS, fact->values,
           fact->n_fields * sizeof *fact->values);
  rows->n_slots += s->shape.n_slots;
  fl_rows_add(rows, &row);
  fact->n_facts++;
  fact->n_fields = 0;
  const bool is_full =
      rows->n_rows == FL_BATCH_ROWS || rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 4;
  return is_full ? fl_rows_flush(fact->job, rows, err) : FL_OK;
}
