/* evtx_libevtx.c - event logs through libevtx: a second opinion for `--engine libevtx`.
 *
 * The library's own getters give few of a record's values, and some of them wrong (Debian's gives 0
 * for each offset), but it writes whole records as XML: rows are made from that. Where a record
 * lies is looked up by its id in the headers of the records. */
#include <inttypes.h>
#include <libbfio.h>
#include <libdeflate.h>
#include <libevtx.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "parsers/evtx.h"
#include "parsers/run.h"

enum { SPAN_RECORDS = 4096, MOST_BYTES = 192 << 20 };

/* A record's header. Of several with one id, the first holds how many were asked for. */
typedef struct place {
  uint64_t id;
  uint32_t offset, length;
  uint32_t n_taken;
} place;
typedef struct places {
  place *items;
  size_t n;
} places;

typedef struct libevtx {
  uint8_t *bytes;                  /* the whole source: the library reads where it likes */
  size_t n_bytes, n_chunks, n_bad; /* bad: with a checksum that is wrong */
  libbfio_handle_t *range;
  libevtx_file_t *file;
  int n_live, n_recovered;
  places live, slack;
  bx *decoder;
} libevtx;

static fl_status fail_with(libevtx_error_t *error, fl_err *err, const char *what) {
  char text[200] = "";
  if (error) libevtx_error_sprint(error, text, sizeof text);
  libevtx_error_free(&error);
  return fl_fail(err, FL_E_CORRUPT, 0, "libevtx: %s: %s", what, text);
}

/* The library calls each log corrupted whose header counts fewer chunks than there are, or does not
 * say that the last one is the newest: so it is in logs that were not closed, and in full ones.
 * That alone loses nothing. */
static void note_corrupted(fl_job *job, const libevtx *e) {
  const size_t n_counted = e->n_bytes < 128 ? 0 : fl_le16(e->bytes + 42);
  const uint64_t newest = e->n_bytes < 128 ? 0 : fl_le64(e->bytes + 16);
  const bool is_odd = n_counted < e->n_chunks || newest + 1 != e->n_chunks;
  if (e->n_bad != 0 || n_counted > e->n_chunks || !is_odd)
    fl_job_note(job, FL_NOTE_DAMAGED, 0, "libevtx calls the log corrupted");
  else
    fl_job_note(job, FL_NOTE_INFO, 16,
                "libevtx calls the log corrupted, since its header counts %zu chunks and calls "
                "number %" PRIu64 " the newest; there are %zu with sound checksums",
                n_counted, newest, e->n_chunks);
}

static fl_status open_file(fl_job *job, libevtx *e, fl_err *err) {
  const size_t n_bytes = e->n_bytes;
  libbfio_error_t *io_error = NULL;
  const bool has_range = libbfio_memory_range_initialize(&e->range, &io_error) == 1 &&
                         libbfio_memory_range_set(e->range, e->bytes, n_bytes, &io_error) == 1;
  if (!has_range) {
    libbfio_error_free(&io_error);
    return fl_fail(err, FL_E_CORRUPT, 0, "libbfio: no range over %zu bytes", n_bytes);
  }
  libevtx_error_t *error = NULL;
  if (libevtx_file_initialize(&e->file, &error) != 1) return fail_with(error, err, "cannot start");
  if (libevtx_file_open_file_io_handle(e->file, e->range, LIBEVTX_OPEN_READ, &error) != 1)
    return fail_with(error, err, "cannot open the log");
  if (libevtx_file_get_number_of_records(e->file, &e->n_live, &error) != 1)
    return fail_with(error, err, "cannot count records");
  if (libevtx_file_get_number_of_recovered_records(e->file, &e->n_recovered, &error) != 1) {
    libevtx_error_free(&error);
    e->n_recovered = 0;
  }
  if (libevtx_file_is_corrupted(e->file, NULL) == 1) note_corrupted(job, e);
  if (e->n_live >= 0 && (size_t)e->n_live < e->live.n)
    fl_job_note(job, FL_NOTE_DAMAGED, 0, "libevtx counts %d records, found %zu in all chunks",
                e->n_live, e->live.n);
  return FL_OK;
}

/* ---- where records are ---- */

static void add_place(places *to, const libevtx *e, size_t at) {
  if (to->items)
    to->items[to->n] =
        (place){fl_le64(e->bytes + at + 8), (uint32_t)at, fl_le32(e->bytes + at + 4), 0};
  to->n++;
}

/* Layout: parsers/evtx_chunk.c. */
static bool is_sound_chunk(const uint8_t *chunk) {
  enum { NO_CRC = 4 };
  const uint32_t mark = fl_le32(chunk + 48);
  if (mark < EVTX_CHUNK_HEADER || mark > EVTX_CHUNK) return false;
  if (fl_le32(chunk + 120) & NO_CRC) return true;
  const uint32_t half = libdeflate_crc32(0, chunk, 120);
  const uint32_t records = libdeflate_crc32(0, chunk + EVTX_CHUNK_HEADER, mark - EVTX_CHUNK_HEADER);
  return libdeflate_crc32(half, chunk + 128, 384) == fl_le32(chunk + 124) &&
         records == fl_le32(chunk + 52);
}

/* All records of a chunk, those behind its mark of free space apart. */
static void walk_chunk(libevtx *e, size_t chunk, size_t end) {
  const size_t mark = chunk + fl_le32(e->bytes + chunk + 48);
  for (size_t at = chunk + EVTX_CHUNK_HEADER; at < end;) {
    if (!evtx_is_record(e->bytes, at, end)) {
      at++;
      continue;
    }
    add_place(at < mark ? &e->live : &e->slack, e, at);
    at += fl_le32(e->bytes + at + 4);
  }
}

static void walk_chunks(libevtx *e) {
  e->live.n = e->slack.n = e->n_chunks = e->n_bad = 0;
  for (size_t at = EVTX_FILE_HEADER; at < e->n_bytes; at += EVTX_CHUNK) {
    const size_t n = e->n_bytes - at < EVTX_CHUNK ? e->n_bytes - at : EVTX_CHUNK;
    if (n < EVTX_CHUNK_HEADER || memcmp(e->bytes + at, "ElfChnk", 8) != 0) continue;
    e->n_chunks++;
    e->n_bad += n < EVTX_CHUNK || !is_sound_chunk(e->bytes + at);
    walk_chunk(e, at, at + n);
  }
}

static int by_id(const void *left, const void *right) {
  const place *a = left, *b = right;
  if (a->id != b->id) return a->id < b->id ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Once to count, once to note down. */
static fl_status find_places(fl_job *job, libevtx *e, fl_err *err) {
  walk_chunks(e);
  e->live.items = FL_NEW_ARRAY(job->arena, place, e->live.n + 1);
  e->slack.items = FL_NEW_ARRAY(job->arena, place, e->slack.n + 1);
  if (!e->live.items || !e->slack.items) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  walk_chunks(e);
  qsort(e->live.items, e->live.n, sizeof *e->live.items, by_id);
  qsort(e->slack.items, e->slack.n, sizeof *e->slack.items, by_id);
  return FL_OK;
}

/* The next place of a record with this id; NULL when there are no more. */
static const place *take_place(places *from, uint64_t id) {
  size_t low = 0, high = from->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (from->items[middle].id < id) low = middle + 1;
    else high = middle;
  }
  if (low == from->n || from->items[low].id != id) return NULL;
  const size_t at = low + from->items[low].n_taken;
  if (at >= from->n || from->items[at].id != id) return NULL;
  from->items[low].n_taken++;
  return &from->items[at];
}

/* ---- records ---- */

static void free_store(void *store) { bx_store_free(store); }

static fl_status open_log(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  libevtx *e = state;
  const uint64_t size = fl_source_size(job->source);
  if (size > MOST_BYTES)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: libevtx is given at most %d bytes",
                   (int)MOST_BYTES);
  fl_shared *shared = fl_job_shared(job, "libevtx", free_store);
  e->bytes = fl_arena_take(job->arena, (size_t)size);
  if (!shared || !e->bytes) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (!shared->value) FL_TRY(bx_store_create(shared->arena, (bx_store **)&shared->value, err));
  bx_store_begin_source(shared->value);
  FL_TRY(bx_create(job, shared->value, 0, &e->decoder, err));
  FL_TRY(fl_source_read(job->source, 0, e->bytes, (size_t)size, &e->n_bytes, err));
  FL_TRY(find_places(job, e, err));
  FL_TRY(open_file(job, e, err));
  const uint64_t n_records = (uint64_t)e->n_live + (uint64_t)e->n_recovered;
  *ret_n_spans = (n_records + SPAN_RECORDS - 1) / SPAN_RECORDS;
  fl_job_ledger(job, 0, size, FL_L_UNKNOWN, "libevtx does not say which bytes it used");
  return FL_OK;
}

/* Sizes of the library count the closing NUL. */
static fl_status xml_of(fl_rows *rows, libevtx_record_t *record, fl_str *ret_xml, fl_err *err) {
  size_t n = 0;
  libevtx_error_t *error = NULL;
  if (libevtx_record_get_utf8_xml_string_size(record, &n, &error) != 1)
    return fail_with(error, err, "cannot write XML");
  if (n == 0 || n > FL_LIMIT_RECORD_TEXT)
    return fl_fail(err, FL_E_LIMIT, 0, "XML of %zu bytes, expected at most %d", n,
                   FL_LIMIT_RECORD_TEXT);
  uint8_t *text = fl_arena_take(rows->arena, n);
  if (!text) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (libevtx_record_get_utf8_xml_string(record, text, n, &error) != 1)
    return fail_with(error, err, "cannot write XML");
  *ret_xml = (fl_str){(const char *)text, n - 1};
  return FL_OK;
}

static fl_status add_record(libevtx *e, libevtx_record_t *record, bool is_live, fl_rows *rows,
                            fl_err *err) {
  libevtx_error_t *error = NULL;
  uint64_t filetime = 0;
  fl_str xml = {0};
  fl_row row = {.flags = FL_F_FALLBACK | (is_live ? 0u : (uint32_t)FL_F_RECOVERED)};
  if (libevtx_record_get_identifier(record, &row.header_record_id, &error) != 1 ||
      libevtx_record_get_written_time(record, &filetime, &error) != 1)
    return fail_with(error, err, "cannot decode");
  (void)fl_time_from_filetime(filetime, &row.t_written);
  const place *at = take_place(is_live ? &e->live : &e->slack, row.header_record_id);
  if (at) row.offset = at->offset, row.length = at->length;
  FL_TRY(xml_of(rows, record, &xml, err));
  FL_TRY(bx_xml_record(e->decoder, xml, rows, &row, err));
  fl_rows_add(rows, &row);
  return FL_OK;
}

static fl_status read_record(fl_job *job, libevtx *e, int index, fl_rows *rows, fl_err *err) {
  libevtx_record_t *record = NULL;
  libevtx_error_t *error = NULL;
  const bool is_live = index < e->n_live;
  const int r = is_live ? libevtx_file_get_record_by_index(e->file, index, &record, &error)
                        : libevtx_file_get_recovered_record_by_index(e->file, index - e->n_live,
                                                                     &record, &error);
  fl_err why = {0};
  fl_status s = FL_OK;
  if (r != 1) s = fail_with(error, &why, "cannot read");
  else s = add_record(e, record, is_live, rows, &why);
  if (record) libevtx_record_free(&record, NULL);
  if (s == FL_E_NOMEM) return fl_fail(err, s, 0, "out of memory");
  if (s < FL_OK && is_live) fl_job_note(job, FL_NOTE_DAMAGED, 0, "record %d: %s", index, why.text);
  return FL_OK;
}

static fl_status read_span(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  libevtx *e = state;
  const uint64_t n_records = (uint64_t)e->n_live + (uint64_t)e->n_recovered;
  const uint64_t first = span * SPAN_RECORDS;
  bx_chunk(e->decoder, NULL, 0);
  for (uint64_t i = first; i < n_records && i < first + SPAN_RECORDS; ++i) {
    FL_TRY(read_record(job, e, (int)i, rows, err));
    const bool is_full = rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 2;
    if (rows->n_rows == FL_BATCH_ROWS || is_full) FL_TRY(fl_rows_flush(job, rows, err));
  }
  return FL_OK;
}

static void close_log(fl_job *job, void *state) {
  (void)job;
  libevtx *e = state;
  if (e->file) {
    libevtx_file_close(e->file, NULL);
    libevtx_file_free(&e->file, NULL);
  }
  if (e->range) libbfio_handle_free(&e->range, NULL);
  bx_free(e->decoder);
}

/* Never bids: the driver puts it in the place of the event log parser. */
static int probe(const fl_probe *probe) {
  (void)probe;
  return 0;
}

const fl_parser fl_parser_evtx_libevtx = {
    .name = "evtx",
    .summary = "Windows event log, through libevtx",
    .state_size = sizeof(libevtx),
    .probe = probe,
    .open = open_log,
    .read = read_span,
    .close = close_log,
};
