/* evtx_carve.c - records that no chunk claims: where they are, and where their chunks began.
 *
 * In file slack, in unallocated space and in temporary files lie records without the chunk that
 * they were written in, in pieces of any size. All offsets inside of a record count from its
 * chunk's start, which some records tell (parsers/evtx_base.c). A view is a run of records that
 * agree on one, or that do not tell. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "parsers/evtx_old.h"

enum {
  WINDOW = 2 * EVTX_CHUNK,       /* a record that begins in its first half ends in it */
  CLUSTER = 4096,                /* chunks come apart at no smaller pieces than a volume's */
  VIEWS_OF_SMALL = 64,           /* more than by clusters, for small sources */
  UNKNOWN_AT = EVTX_CHUNK_HEADER /* place in its chunk that a record gets that does not tell */
};

typedef struct carver {
  fl_job *job;
  const evtx_piece *piece;
  evtx_views *views;
  uint8_t *window;
  uint64_t at; /* of the window in the source */
  size_t n;    /* bytes in it */
  uint64_t end;
  size_t n_views_left;
} carver;

static fl_status read_window(carver *c, uint64_t at, fl_err *err) {
  const uint64_t left = c->end - at;
  c->at = at;
  return fl_source_read(c->job->source, at, c->window, left < WINDOW ? (size_t)left : WINDOW, &c->n,
                        err);
}

/* The next record that a chunk has room for; the window's end when there is none. */
static size_t find_record(const carver *c, size_t from) {
  size_t at = evtx_find_record(c->window, from, c->n);
  while (at < c->n && fl_le32(c->window + at + 4) > EVTX_CHUNK - EVTX_CHUNK_HEADER)
    at = evtx_find_record(c->window, at + 1, c->n);
  return at;
}

/* Whether a record that tells begins its chunk at `base`, which the window's first byte lies in.
 * false where it does not tell. */
static bool tells_base(const carver *c, size_t at, size_t to, int64_t *ret_base) {
  int64_t shift = 0;
  if (!evtx_find_shift(c->window, at + EVTX_RECORD_HEADER, to, &shift)) return false;
  *ret_base = -shift;
  return (int64_t)at + shift >= EVTX_CHUNK_HEADER && (int64_t)to + shift <= EVTX_CHUNK;
}

/* A run of records from the window's start on: up to one that tells another start, or that its
 * chunk has no room for. */
typedef struct run {
  int64_t base; /* of the chunk, relative to the window */
  size_t to;
} run;

static run find_run(const carver *c) {
  run r = {.base = -UNKNOWN_AT, .to = 0};
  bool has_base = false;
  for (size_t at = 0; at < c->n; at = find_record(c, r.to)) {
    const size_t to = at + fl_le32(c->window + at + 4);
    int64_t base = 0;
    const bool tells = c->n_views_left > 0 && tells_base(c, at, to, &base);
    if (tells && (has_base ? base != r.base : base > -EVTX_CHUNK_HEADER)) break;
    if (tells) r.base = base;
    has_base |= tells;
    if ((int64_t)to > r.base + EVTX_CHUNK) break;
    r.to = to;
  }
  return r;
}

static fl_status add_view(carver *c, const run *r, fl_err *err) {
  evtx_views *views = c->views;
  const uint64_t base = c->at + (uint64_t)r->base; /* may wrap */
  const int64_t from_base = (int64_t)(c->at - base);
  const uint64_t first = from_base > (int64_t)(c->at - c->piece->offset) ? c->piece->offset : base;
  const uint64_t most = c->end - base;
  const uint64_t n_bytes = most < EVTX_CHUNK ? most : EVTX_CHUNK;
  if (!fl_grow((void **)&views->items, &views->cap, views->n + 1, sizeof *views->items))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  views->items[views->n++] = (evtx_view){.offset = base,
                                         .first = first,
                                         .n_bytes = (uint32_t)n_bytes,
                                         .live_end = (uint32_t)from_base,
                                         .from = (uint32_t)from_base,
                                         .to = (uint32_t)((int64_t)r->to - r->base),
                                         .is_loose = true};
  if (c->n_views_left) c->n_views_left--;
  return FL_OK;
}

static void ledger_between(const carver *c, uint64_t from, uint64_t to) {
  if (to > from) fl_job_ledger(c->job, from, to - from, FL_L_DAMAGED, "no chunk of an event log");
}

/* The next record from `at` on; the piece's end when there is none. */
static fl_status next_record(carver *c, uint64_t at, uint64_t *ret_at, fl_err *err) {
  while (at < c->end) {
    FL_TRY(read_window(c, at, err));
    const size_t record = find_record(c, 0);
    if (record < c->n && (record < EVTX_CHUNK || c->at + c->n == c->end)) {
      *ret_at = at + record;
      return FL_OK;
    }
    if (c->n < WINDOW) break;
    at += EVTX_CHUNK;
  }
  *ret_at = c->end;
  return FL_OK;
}

static fl_status carve(carver *c, fl_err *err) {
  uint64_t at = c->piece->offset, record = 0;
  for (;;) {
    FL_TRY(next_record(c, at, &record, err));
    ledger_between(c, at, record);
    if (record == c->end) return FL_OK;
    FL_TRY(read_window(c, record, err));
    const run r = find_run(c);
    if (r.to == 0) return fl_fail(err, FL_E_IO, record, "source changed while it was read");
    FL_TRY(add_view(c, &r, err));
    at = record + r.to;
  }
}

fl_status evtx_carve(fl_job *job, const evtx_piece *piece, evtx_views *views, fl_err *err) {
  carver c = {.job = job,
              .piece = piece,
              .views = views,
              .end = piece->offset + piece->length,
              .n_views_left = VIEWS_OF_SMALL + (size_t)(piece->length / CLUSTER)};
  if (!(c.window = malloc(WINDOW))) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const fl_status status = carve(&c, err);
  free(c.window);
  return status;
}

fl_status evtx_search(fl_job *job, bool *ret_is_found, fl_err *err) {
  const uint64_t size = fl_source_size(job->source);
  uint8_t *window = malloc(WINDOW);
  if (!window) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_status status = FL_OK;
  *ret_is_found = false;
  for (uint64_t at = 0; at < size && !*ret_is_found && status == FL_OK; at += EVTX_CHUNK) {
    size_t n = 0;
    status = fl_source_read(job->source, at, window, WINDOW, &n, err);
    evtx_old old;
    for (size_t from = 0;
         status == FL_OK && !*ret_is_found && n > from && evtx_old_find(window, from, n, &old);
         from = old.at + 1)
      *ret_is_found = old.is_whole;
  }
  free(window);
  return status;
}
