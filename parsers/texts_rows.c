/* texts_rows.c - rows of a log get the texts that a LocaleMetaData file holds for them.
 *
 * A row's shape has no place for a text that its record does not bear. Such a row gets a shape
 * derived from its own, with slots behind the record's, and a copy of its slots. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "parsers/mta.h"
#include "parsers/run.h"
#include "parsers/source.h"
#include "parsers/texts.h"

/* The slots behind those of the record. */
static const fl_column columns[] = {
    FL_C_MESSAGE,   FL_C_MESSAGE_SOURCE, FL_C_LEVEL_NAME,
    FL_C_TASK_NAME, FL_C_OPCODE_NAME,    FL_C_KEYWORD_NAMES,
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0], KEYWORD_TEXT_MAX = 1024 };

/* Shapes by the serial of the shape that they are derived from; kept for the run. */
typedef struct derived_shapes {
  fl_shape **shapes;
  size_t cap_shapes;
} derived_shapes;

/* A record id and its event's place in the log. */
typedef struct id_place {
  uint64_t record_id, place;
} id_place;

struct fl_texts {
  fl_job *job;
  fl_arena *arena;   /* its own: a worker may be using the job's */
  fl_source *opened; /* NULL: the container keeps it */
  mta file;
  id_place *by_id;
  size_t next; /* place of the event that the next record is expected to be */
  fl_shared *shared;
  const mta_publisher *publisher; /* of the provider that was looked up last */
  fl_raw provider;
  uint8_t provider_bytes[256];
  uint64_t n_damaged;
  fl_str path;
};

/* ---- opening ---- */

static void count_damage(void *self, uint64_t offset, const char *text) {
  (void)offset;
  (void)text;
  ((fl_texts *)self)->n_damaged++;
}

static int by_record_id(const void *left, const void *right) {
  const id_place *a = left, *b = right;
  if (a->record_id != b->record_id) return a->record_id < b->record_id ? -1 : 1;
  return (a->place > b->place) - (a->place < b->place);
}

static fl_status sort_events(fl_texts *t, fl_err *err) {
  t->by_id = calloc(t->file.n_events + 1, sizeof *t->by_id);
  if (!t->by_id) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (size_t i = 0; i < t->file.n_events; i++)
    t->by_id[i] = (id_place){t->file.events[i].record_id, i};
  qsort(t->by_id, t->file.n_events, sizeof *t->by_id, by_record_id);
  return FL_OK;
}

static void release_shapes(void *value) { free(((derived_shapes *)value)->shapes); }

static fl_status share_shapes(fl_texts *t, fl_err *err) {
  t->shared = fl_job_shared(t->job, "mta", release_shapes);
  if (t->shared && !t->shared->value) t->shared->value = FL_NEW(t->shared->arena, derived_shapes);
  if (!t->shared || !t->shared->value) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return FL_OK;
}

static fl_status open_file(fl_texts *t, const fl_source_texts *found, fl_err *err) {
  const mta_watcher watcher = {.self = t, .damage = count_damage};
  fl_source *source = found->source;
  if (!source) {
    FL_TRY(fl_source_open_at(found->folder_fd, found->path.p, &t->opened, err));
    source = t->opened;
  }
  if (!(t->arena = fl_arena_create(FL_LIMIT_JOB_ARENA)))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(mta_open(source, t->arena, &watcher, &t->file, err));
  return sort_events(t, err);
}

/* Which language, where there was a choice or it is not the usual one. */
static void note_language(fl_job *job, const fl_source_texts *found) {
  if (found->language == 1033 && found->n_languages == 1) return;
  fl_job_note(job, FL_NOTE_INFO, 0,
              "message texts are those of %.*s: language %" PRIu32 ", of %zu that are there",
              FL_STR_ARG(found->path), found->language, found->n_languages);
}

fl_status fl_texts_open(fl_job *job, fl_texts **ret_texts, fl_err *err) {
  const fl_source_texts *found = fl_source_get_texts(job->source);
  *ret_texts = NULL;
  if (!found || !job->options->want_texts) return FL_OK;
  fl_texts *t = FL_NEW(job->arena, fl_texts);
  if (!t) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  t->job = job;
  t->path = found->path;
  FL_TRY(share_shapes(t, err));
  fl_err why = {0};
  const fl_status s = open_file(t, found, &why);
  if (s == FL_OK) {
    note_language(job, found);
    *ret_texts = t;
    return FL_OK;
  }
  fl_job_note(job, fl_note_severity(s), 0, "message texts of %.*s are not used: %s",
              FL_STR_ARG(found->path), why.text);
  fl_texts_close(t);
  return FL_OK;
}

void fl_texts_close(fl_texts *t) {
  if (!t) return;
  if (t->n_damaged)
    fl_job_note(t->job, FL_NOTE_DAMAGED, 0, "message texts of %.*s: %" PRIu64 " places are damaged",
                FL_STR_ARG(t->path), t->n_damaged);
  mta_close(&t->file);
  fl_source_free(t->opened);
  fl_arena_free(t->arena);
  free(t->by_id);
  *t = (fl_texts){0};
}

/* ---- shapes ---- */

static void derive(const fl_shape *base, fl_shape *derived) {
  *derived = *base;
  derived->n_slots = base->n_slots + N_COLUMNS;
  for (uint32_t i = 0; i < N_COLUMNS; i++)
    derived->columns[columns[i]] = (fl_ref){.kind = FL_REF_SLOT, .slot = base->n_slots + i};
}

/* NULL when it finds no room among those that are kept. Serials begin behind those of shapes that
 * parsers keep, which a worker may be giving out at the same time. */
static const fl_shape *kept_shape(fl_texts *t, const fl_shape *base) {
  derived_shapes *d = t->shared->value;
  if (!base->cached || base->serial >= FL_LIMIT_SHAPES) return NULL;
  const size_t had = d->cap_shapes;
  if (base->serial >= had) {
    if (!fl_grow((void **)&d->shapes, &d->cap_shapes, base->serial + 1, sizeof *d->shapes))
      return NULL;
    memset(d->shapes + had, 0, (d->cap_shapes - had) * sizeof *d->shapes);
  }
  fl_shape **place = &d->shapes[base->serial];
  if (!*place && (*place = FL_NEW(t->shared->arena, fl_shape))) {
    derive(base, *place);
    (*place)->serial = base->serial + FL_LIMIT_SHAPES;
  }
  return *place;
}

/* A shape that is not kept has the serial of its base, which no row of the batch has then. */
static const fl_shape *derived_shape(fl_texts *t, const fl_shape *base, fl_arena *arena) {
  const fl_shape *kept = kept_shape(t, base);
  if (kept) return kept;
  fl_shape *shape = FL_NEW(arena, fl_shape);
  if (!shape) return NULL;
  derive(base, shape);
  shape->cached = false;
  shape->serial |= FL_SHAPE_TEMPORARY | FL_SHAPE_TEMPORARY >> 1;
  return shape;
}

/* ---- values ---- */

/* The event of a record; records mostly come in the order of the events. Logs of several channels
 * hold the same id more than once: the next one in the log's order is meant. */
static const mta_event *find_event(fl_texts *t, uint64_t record_id) {
  const mta *m = &t->file;
  if (t->next < m->n_events && m->events[t->next].record_id == record_id)
    return &m->events[t->next++];
  size_t low = 0, high = m->n_events;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const id_place *p = &t->by_id[middle];
    const bool is_lower =
        p->record_id < record_id || (p->record_id == record_id && p->place < t->next);
    if (is_lower) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && (low == m->n_events || t->by_id[low].record_id != record_id)) low--;
  if (low == m->n_events || t->by_id[low].record_id != record_id) return NULL;
  t->next = (size_t)t->by_id[low].place + 1;
  return &m->events[t->by_id[low].place];
}

/* The publisher changes seldom from one record to the next. */
static const mta_publisher *find_publisher(fl_texts *t, fl_raw provider) {
  if (provider.n == t->provider.n && provider.type == t->provider.type && t->provider.p &&
      memcmp(provider.p, t->provider.p, provider.n) == 0)
    return t->publisher;
  const mta_publisher *publisher = mta_publisher_of(&t->file, provider);
  t->provider = (fl_raw){0};
  if (provider.n == 0 || provider.n > sizeof t->provider_bytes) return publisher;
  memcpy(t->provider_bytes, provider.p, provider.n);
  t->provider = provider;
  t->provider.p = t->provider_bytes;
  t->publisher = publisher;
  return publisher;
}

static fl_raw copy_of(fl_raw raw, fl_arena *arena) {
  uint8_t *p = raw.type != FL_T_NULL ? fl_arena_take(arena, raw.n) : NULL;
  if (!p) return (fl_raw){.type = FL_T_NULL};
  if (raw.n) memcpy(p, raw.p, raw.n);
  raw.p = p;
  return raw;
}

/* Names of the bits that are set, with ", " between them. */
static fl_raw keyword_names(fl_texts *t, const mta_publisher *publisher, uint64_t keywords,
                            fl_arena *arena) {
  uint8_t text[KEYWORD_TEXT_MAX];
  uint32_t n = 0;
  for (uint32_t bit = 0; bit < 64; bit++) {
    const fl_raw name =
        keywords >> bit & 1 ? mta_name_of(&t->file, publisher, MTA_KEYWORDS, bit) : (fl_raw){0};
    if (name.n == 0 || name.n > sizeof text - 4 - n) continue;
    if (n) memcpy(text + n, ",\0 \0", 4), n += 4;
    memcpy(text + n, name.p, name.n);
    n += name.n;
  }
  return n ? copy_of((fl_raw){text, n, FL_T_STR16, 0}, arena) : (fl_raw){.type = FL_T_NULL};
}

static fl_raw name_of(fl_texts *t, const mta_publisher *publisher, mta_list list, fl_raw value) {
  uint64_t number = 0;
  if (!fl_raw_u64(value, &number) || number > UINT16_MAX) return (fl_raw){.type = FL_T_NULL};
  return mta_name_of(&t->file, publisher, list, (uint32_t)number);
}

/* An opcode stands in the upper half of its number; the lower is the task that it belongs to. */
static fl_raw opcode_name(fl_texts *t, const mta_publisher *publisher, fl_raw opcode, fl_raw task) {
  uint64_t number = 0, of_task = 0;
  if (!fl_raw_u64(opcode, &number) || number > UINT8_MAX) return (fl_raw){.type = FL_T_NULL};
  if (!fl_raw_u64(task, &of_task) || of_task > UINT16_MAX) of_task = 0;
  const uint32_t upper = (uint32_t)number << 16;
  const fl_raw name = mta_name_of(&t->file, publisher, MTA_OPCODES, upper | (uint32_t)of_task);
  if (name.type != FL_T_NULL || of_task == 0) return name;
  return mta_name_of(&t->file, publisher, MTA_OPCODES, upper);
}

static fl_raw slot_of(const fl_rows *rows, const fl_row *row, fl_column column) {
  const fl_ref *ref = &row->shape->columns[column];
  return ref->kind == FL_REF_SLOT ? rows->slots[row->slot0 + ref->slot] : ref->constant;
}

static fl_raw message_of(fl_texts *t, const fl_rows *rows, const fl_row *row) {
  uint64_t record_id = 0;
  fl_raw text = {.type = FL_T_NULL};
  if (!fl_raw_u64(slot_of(rows, row, FL_C_RECORD_ID), &record_id)) return text;
  const mta_event *event = find_event(t, record_id);
  if (!event || mta_text(&t->file, event->text, &text) != FL_OK || text.n == 0)
    return (fl_raw){.type = FL_T_NULL};
  return copy_of(text, rows->arena);
}

/* In the order of `columns`. */
static void find_values(fl_texts *t, const fl_rows *rows, const fl_row *row,
                        fl_raw ret_values[N_COLUMNS]) {
  static const fl_raw from_mta = {(const uint8_t *)"mta", 3, FL_T_UTF8, 0};
  const mta_publisher *publisher = find_publisher(t, slot_of(rows, row, FL_C_PROVIDER));
  const fl_raw task = slot_of(rows, row, FL_C_TASK);
  uint64_t keywords = 0;
  ret_values[0] = message_of(t, rows, row);
  ret_values[1] = ret_values[0].type != FL_T_NULL ? from_mta : (fl_raw){.type = FL_T_NULL};
  ret_values[2] = name_of(t, publisher, MTA_LEVELS, slot_of(rows, row, FL_C_LEVEL));
  ret_values[3] = name_of(t, publisher, MTA_TASKS, task);
  ret_values[4] = opcode_name(t, publisher, slot_of(rows, row, FL_C_OPCODE), task);
  if (!fl_raw_u64(slot_of(rows, row, FL_C_KEYWORDS), &keywords)) keywords = 0;
  ret_values[5] = keyword_names(t, publisher, keywords, rows->arena);
}

/* A record's own RenderingInfo stays; what lies in slack was never part of what Windows exported.
 * A row that finds no room keeps its shape and gets no text. */
static fl_status apply_to_row(fl_texts *t, fl_rows *rows, fl_row *row, fl_err *err) {
  const fl_shape *base = row->shape;
  if (row->flags & FL_F_SLACK || base->columns[FL_C_MESSAGE].kind != FL_REF_NONE) return FL_OK;
  if (base->n_slots > FL_LIMIT_RECORD_STEPS) return FL_OK;
  const fl_shape *derived = derived_shape(t, base, rows->arena);
  if (!derived || fl_rows_slots(rows, base->n_slots + N_COLUMNS, err) < FL_OK) return FL_OK;
  fl_raw values[N_COLUMNS];
  find_values(t, rows, row, values);
  const uint32_t slot0 = rows->n_slots;
  memcpy(rows->slots + slot0, rows->slots + row->slot0, base->n_slots * sizeof *rows->slots);
  memcpy(rows->slots + slot0 + base->n_slots, values, sizeof values);
  rows->n_slots += base->n_slots + N_COLUMNS;
  row->slot0 = slot0;
  row->shape = derived;
  return FL_OK;
}

fl_status fl_texts_apply(fl_texts *texts, fl_rows *rows, fl_err *err) {
  for (uint32_t i = 0; i < rows->n_rows; i++)
    FL_TRY(apply_to_row(texts, rows, &rows->rows[i], err));
  return FL_OK;
}
