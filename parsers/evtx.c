/* evtx.c - Windows event logs: the parser's functions (docs/formats/evtx.md). */
#include "parsers/evtx.h"

#include <stdlib.h>

#include "base/limits.h"

typedef struct evtx {
  fl_job *job;
  bx_store *store;              /* of the run */
  bx *decoders[FL_MAX_READERS]; /* by reader; made by it */
  evtx_map map;
  evtx_refusals refusals;
} evtx;

static bool starts_with(const fl_probe *probe, size_t offset, const char magic[8]) {
  return probe->n_head >= offset + 8 && memcmp(probe->head + offset, magic, 8) == 0;
}

/* Anywhere: of Security.evtx.tmp no more than records may be left. */
static bool has_word(fl_str name, fl_str word) {
  for (size_t at = 0; at + word.n <= name.n; at++)
    if (fl_str_eq_nocase((fl_str){name.p + at, word.n}, word)) return true;
  return false;
}

/* ElfFile with its header size; chunks without a file header; records without either, which have
 * no signature of their own to speak of; else the name. */
static int probe_evtx(const fl_probe *probe) {
  if (starts_with(probe, 0, "ElfFile"))
    return probe->n_head >= 36 && fl_le32(probe->head + 32) == 128 ? 100 : 50;
  if (starts_with(probe, 0, "ElfChnk"))
    return probe->n_head >= 44 && fl_le32(probe->head + 40) == 128 ? 100 : 50;
  if (evtx_find_record(probe->head, 0, probe->n_head) < probe->n_head) return 40;
  return has_word(probe->name, FL_STR(".evtx")) ? 10 : 0;
}

static void free_store(void *store) { bx_store_free(store); }

static fl_status open_evtx(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  evtx *e = state;
  fl_shared *shared = fl_job_shared(job, "evtx", free_store);
  if (!shared) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (!shared->value) FL_TRY(bx_store_create(shared->arena, (bx_store **)&shared->value, err));
  e->store = shared->value;
  e->job = job;
  bx_store_begin_source(e->store);
  FL_TRY(evtx_map_build(job, &e->map, err));
  *ret_n_spans = (e->map.n + EVTX_SPAN_CHUNKS - 1) / EVTX_SPAN_CHUNKS;
  return FL_OK;
}

/* The reader's own. What it tells of itself it tells through the job that was opened. */
static fl_status find_decoder(const fl_job *job, evtx *e, bx **ret_decoder, fl_err *err) {
  bx **decoder = &e->decoders[job->reader];
  if (!*decoder) FL_TRY(bx_create(e->job, e->store, job->reader, decoder, err));
  *ret_decoder = *decoder;
  return FL_OK;
}

static fl_status read_piece(fl_job *job, evtx *e, evtx_piece *piece, uint8_t *bytes, fl_rows *rows,
                            fl_err *err) {
  size_t n = 0;
  memset(bytes, 0, piece->missing);
  FL_TRY(
      fl_source_read(job->source, piece->offset, bytes + piece->missing, piece->length, &n, err));
  if (n < piece->length) {
    fl_job_note(job, FL_NOTE_UNREADABLE, piece->offset + n, "source ended while it was read");
    fl_job_ledger(job, piece->offset, piece->length, FL_L_DAMAGED, "could not be read");
    return FL_OK;
  }
  bx *decoder = NULL;
  FL_TRY(find_decoder(job, e, &decoder, err));
  const evtx_reading reading = {job, decoder, rows, &e->refusals};
  return evtx_chunk_read(&reading, piece, bytes, err);
}

/* Left for the end, or left alone. */
static void skip_loose(fl_job *job, const evtx_piece *piece) {
  if (!fl_job_seeks_old(job))
    fl_job_ledger(job, piece->offset, piece->length, FL_L_SLACK, "records of no chunk");
}

static fl_status read_span(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  evtx *e = state;
  FL_TRY(fl_rows_window(rows, (size_t)EVTX_SPAN_CHUNKS * EVTX_ROOM, err));
  const size_t first = (size_t)span * EVTX_SPAN_CHUNKS;
  for (size_t i = first; i < e->map.n && i < first + EVTX_SPAN_CHUNKS; i++) {
    evtx_piece *piece = &e->map.pieces[i];
    if (piece->kind == EVTX_KIND_EMPTY)
      fl_job_ledger(job, piece->offset, piece->length, FL_L_EMPTY, "");
    else if (piece->kind == EVTX_KIND_GAP)
      fl_job_ledger(job, piece->offset, piece->length, FL_L_DAMAGED, "no chunk of an event log");
    else if (piece->kind == EVTX_KIND_LOOSE) skip_loose(job, piece);
    else FL_TRY(read_piece(job, e, piece, rows->window + (i - first) * EVTX_ROOM, rows, err));
  }
  return FL_OK;
}

static fl_status read_rest(fl_job *job, void *state, fl_rows *rows, fl_err *err) {
  evtx *e = state;
  bx *decoder = NULL;
  FL_TRY(find_decoder(job, e, &decoder, err));
  const evtx_log log = {job, decoder, e->store, &e->map, &e->refusals};
  return evtx_rest_read(&log, rows, err);
}

static void close_evtx(fl_job *job, void *state) {
  evtx *e = state;
  (void)job;
  free(e->refusals.items);
  bx_known_free(&e->refusals.known);
  for (unsigned i = 0; i < FL_MAX_READERS; i++) bx_free(e->decoders[i]);
}

const fl_parser fl_parser_evtx = {
    .name = "evtx",
    .summary = "Windows event log (Vista and later)",
    .state_size = sizeof(evtx),
    .has_readers = true,
    .probe = probe_evtx,
    .search = evtx_search,
    .open = open_evtx,
    .read = read_span,
    .finish = read_rest,
    .close = close_evtx,
};
