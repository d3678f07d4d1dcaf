/* hive.c - registry hives: settings that failures hang on (docs/formats/registry.md).
 *
 * libregf reads them in a child process that has inherited the bytes: docs/adr/0012. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/limits.h"
#include "base/mem.h"
#include "parsers/hive_ask.h"
#include "parsers/reg_rows.h"
#include "parsers/reg_system.h"
#include "parsers/source.h"

enum { BASE_BLOCK = 4096 };

typedef struct cell {
  uint64_t offset, length;
} cell;

typedef struct hive {
  uint8_t head[BASE_BLOCK];
  size_t n_bytes;
  fl_guard *guard;
  cell *cells; /* what was read, for the ledger */
  size_t n_cells, cap_cells;
  fl_fact fact;
  reg_system system;
  reg_value now; /* its key is the last one of the answer */
} hive;

/* "regf", u32 sequence 1, u32 sequence 2, u64 FILETIME, at 20: u32 major 1, u32 minor, u32 type */
static int probe(const fl_probe *probe) {
  if (probe->n_head < 4 || memcmp(probe->head, "regf", 4) != 0) return 0;
  return probe->n_head >= 32 && fl_le32(probe->head + 20) == 1 ? 100 : 50;
}

/* ---- the ledger ---- */

static fl_status keep_cell(hive *h, cell place, fl_err *err) {
  if (place.length == 0) return FL_OK;
  if (!fl_grow((void **)&h->cells, &h->cap_cells, h->n_cells + 1, sizeof *h->cells))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  h->cells[h->n_cells++] = place;
  return FL_OK;
}

static int by_offset(const void *left, const void *right) {
  const cell *a = left, *b = right;
  return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The rest of a hive is known, but nobody asks for it. */
static void tell_ledger(fl_job *job, hive *h) {
  static const char *const reason = "keys that no known failure hangs on";
  uint64_t at = BASE_BLOCK < h->n_bytes ? BASE_BLOCK : h->n_bytes;
  fl_job_ledger(job, 0, at, FL_L_PARSED, NULL);
  if (h->n_cells) qsort(h->cells, h->n_cells, sizeof *h->cells, by_offset);
  for (size_t i = 0; i < h->n_cells; i++) {
    const uint64_t start = h->cells[i].offset > at ? h->cells[i].offset : at;
    const uint64_t end = h->cells[i].offset + h->cells[i].length;
    if (end <= start) continue;
    fl_job_ledger(job, at, start - at, FL_L_SKIPPED, reason);
    fl_job_ledger(job, start, end - start, FL_L_PARSED, NULL);
    at = end;
  }
  fl_job_ledger(job, at, h->n_bytes - at, FL_L_SKIPPED, reason);
}

/* ---- the answer, which is as hostile as the hive ---- */

static fl_str take_text(fl_rd *rd) {
  const uint32_t n = fl_rd_u32(rd);
  const uint8_t *p = fl_rd_bytes(rd, n);
  return (fl_str){(const char *)p, p ? n : 0};
}

/* Nowhere is at 0, without a length. */
static cell take_place(const hive *h, fl_rd *rd) {
  cell place = {0};
  place.offset = fl_rd_u32(rd);
  place.length = fl_rd_u32(rd);
  if (place.offset > h->n_bytes) return (cell){0};
  if (place.length > h->n_bytes - place.offset) place.length = 0;
  return place;
}

static fl_status take_key(hive *h, fl_rd *rd, fl_err *err) {
  const uint64_t filetime = fl_rd_u64(rd);
  const cell place = take_place(h, rd);
  h->now = (reg_value){.key = take_text(rd)};
  h->now.has_time = fl_time_from_filetime(filetime, &h->now.t);
  return keep_cell(h, place, err);
}

static fl_status take_value(fl_job *job, hive *h, fl_rd *rd, fl_err *err) {
  reg_value *v = &h->now;
  v->type = fl_rd_u32(rd);
  const cell place = take_place(h, rd);
  const uint32_t n_recorded = fl_rd_u32(rd);
  v->name = take_text(rd);
  const fl_str data = take_text(rd);
  if (!fl_rd_ok(rd)) return FL_OK;
  v->data = (const uint8_t *)data.p;
  v->n_data = data.n;
  v->is_cut = data.n < n_recorded;
  v->offset = place.offset;
  v->length = (uint32_t)place.length;
  if (v->is_cut)
    fl_job_note(job, FL_NOTE_LIMIT, v->offset,
                "limit reached: a value of %" PRIu32 " bytes is not read, at most %d", n_recorded,
                (int)FL_LIMIT_HIVE_VALUE);
  FL_TRY(keep_cell(h, place, err));
  reg_system_learn(&h->system, v, h->fact.rows->arena);
  return reg_rows_add(&h->fact, v, err);
}

static void take_damage(fl_job *job, const hive *h, fl_rd *rd) {
  const uint32_t what = fl_rd_u32(rd);
  const cell place = take_place(h, rd);
  const uint32_t n = fl_rd_u32(rd);
  const fl_str key = take_text(rd);
  switch (what) {
    case HIVE_LOST_PAGES:
      fl_job_note(job, FL_NOTE_DAMAGED, place.offset,
                  "%" PRIu32
                  " pages of the hive are overwritten or missing, the first here: what "
                  "lay in them is lost",
                  n);
      return;
    case HIVE_LOST_KEYS:
      fl_job_note(job, FL_NOTE_DAMAGED, place.offset, "keys below %.*s cannot be read: %" PRIu32,
                  FL_STR_ARG(key), n);
      return;
    case HIVE_LOST_VALUES:
      fl_job_note(job, FL_NOTE_DAMAGED, place.offset, "values of %.*s cannot be read: %" PRIu32,
                  FL_STR_ARG(key), n);
      return;
    case HIVE_LOST_TREE:
      fl_job_note(job, FL_NOTE_DAMAGED, place.offset, "whether there is a key %.*s cannot be told",
                  FL_STR_ARG(key));
      return;
    default:
      fl_job_note(job, FL_NOTE_LIMIT, place.offset,
                  "limit reached: of %.*s at most %d values are read", FL_STR_ARG(key),
                  (int)FL_LIMIT_HIVE_VALUES);
  }
}

static fl_status take_item(fl_job *job, hive *h, fl_rd *rd, fl_err *err) {
  switch (fl_rd_u8(rd)) {
    case HIVE_KEY:
      return take_key(h, rd, err);
    case HIVE_VALUE:
      return take_value(job, h, rd, err);
    case HIVE_DAMAGE:
      take_damage(job, h, rd);
      return FL_OK;
    case HIVE_CUT:
      fl_job_note(job, FL_NOTE_LIMIT, 0,
                  "limit reached: of one hive at most %d keys and %zu bytes of values are read",
                  (int)FL_LIMIT_HIVE_KEYS, FL_LIMIT_HIVE_ANSWER);
      return FL_OK;
    default:
      return fl_fail(err, FL_E_CORRUPT, 0, "what libregf said of it cannot be understood");
  }
}

/* ---- the source ---- */

static fl_status ask(fl_job *job, hive *h, const uint8_t **ret_answer, size_t *ret_n, fl_err *err) {
  static const fl_guard_limits limits = {.most_question = sizeof(hive_question),
                                         .most_answer = FL_LIMIT_HIVE_ANSWER,
                                         .most_memory = FL_LIMIT_HIVE_MEMORY,
                                         .most_seconds = FL_LIMIT_HIVE_SECONDS,
                                         .most_wait = 3 * FL_LIMIT_HIVE_SECONDS,
                                         .most_total = FL_LIMIT_HIVE_SECONDS,
                                         .most_starts = 1,
                                         .most_questions = 1};
  fl_err why = {0};
  const hive_question question = {fl_source_map(job->source), h->n_bytes};
  if (!question.bytes) return fl_fail(err, FL_E_IO, 0, "no room for its %zu bytes", h->n_bytes);
  if (!(h->guard = fl_guard_create(hive_answer, &limits)))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const fl_status s =
      fl_guard_ask(h->guard, (const uint8_t *)&question, sizeof question, ret_answer, ret_n, &why);
  if (s == FL_OK) return FL_OK;
  return fl_fail(err, s, 0, "libregf cannot read the hive: %s", why.text);
}

/* Both numbers are equal once all changes of a hive are in it. */
static void note_dirty(fl_job *job, const hive *h) {
  if (fl_le32(h->head + 4) == fl_le32(h->head + 8)) return;
  fl_job_note(job, FL_NOTE_INFO, 4,
              "the hive was in use when it was copied: its newest changes are in its .LOG1 and "
              ".LOG2, which are not replayed");
}

static fl_status open_hive(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  hive *h = state;
  const uint64_t size = fl_source_size(job->source);
  *ret_n_spans = 0;
  if (size > FL_LIMIT_HIVE_BYTES)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: a hive has at most %" PRIu64 " bytes",
                   FL_LIMIT_HIVE_BYTES);
  if (size < BASE_BLOCK)
    return fl_fail(err, FL_E_CORRUPT, 0,
                   "hive is cut short: %" PRIu64 " bytes, its header alone has %d", size,
                   (int)BASE_BLOCK);
  h->n_bytes = (size_t)size;
  size_t n = 0;
  FL_TRY(fl_source_read(job->source, 0, h->head, sizeof h->head, &n, err));
  return FL_OK;
}

static fl_status read_answer(fl_job *job, hive *h, fl_err *err) {
  const uint8_t *answer = NULL;
  size_t n = 0;
  FL_TRY(ask(job, h, &answer, &n, err));
  fl_rd rd = fl_rd_of(answer, n);
  if (n == 0)
    fl_job_note(
        job, FL_NOTE_INFO, 0,
        "it holds none of the keys of SYSTEM, SOFTWARE or NTUSER.DAT that failures hang on");
  while (fl_rd_left(&rd) > 0) FL_TRY(take_item(job, h, &rd, err));
  if (!fl_rd_ok(&rd))
    return fl_fail(err, FL_E_CORRUPT, 0, "what libregf said of it cannot be understood");
  tell_ledger(job, h);
  return reg_system_add(&h->system, &h->fact, err);
}

/* At 28: 0 a hive; 1, 2 and 6 the changes that lie beside one. */
static bool is_log_of_changes(const hive *h) {
  const uint32_t type = fl_le32(h->head + 28);
  return type == 1 || type == 2 || type == 6;
}

/* Here no other thread of the parsers runs, so a child may be forked (docs/adr/0007). */
static fl_status read_hive(fl_job *job, void *state, fl_rows *rows, fl_err *err) {
  hive *h = state;
  if (is_log_of_changes(h)) {
    fl_job_note(job, FL_NOTE_INFO, 28,
                "changes of a registry hive that lies beside it: they are not replayed");
    fl_job_ledger(job, 0, h->n_bytes, FL_L_SKIPPED, "changes of a hive, not replayed");
    return FL_OK;
  }
  if (job->options->engine == FL_ENGINE_OWN)
    return fl_fail(err, FL_E_UNSUPPORTED, 0,
                   "a hive is read by libregf in a process of its own, and no process may be "
                   "started with the engine that was chosen");
  note_dirty(job, h);
  FL_TRY(fl_fact_init(&h->fact, job, rows, err));
  return read_answer(job, h, err);
}

static void close_hive(fl_job *job, void *state) {
  hive *h = state;
  (void)job;
  fl_guard_free(h->guard);
  free(h->cells);
}

const fl_parser fl_parser_hive = {
    .name = "hive",
    .summary = "registry hive",
    .state_size = sizeof(hive),
    .probe = probe,
    .open = open_hive,
    .finish = read_hive,
    .close = close_hive,
};
