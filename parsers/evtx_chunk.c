/* evtx_chunk.c - the records of one chunk: checksums, the walk, and getting on after damage.
 *
 * Chunk header: "ElfChnk\0", u64 first and last record number, u64 first and last record id,
 * u32 128, u32 last record, u32 free space, u32 CRC of the records, 64 bytes, u32 flags
 * (4: no checksums), u32 CRC of bytes 0-119 and 128-511, 64 string and 32 template buckets.
 * Record: u32 0x2a2a, u32 size, u64 id, FILETIME written, BinXML, u32 size again. */
#include <inttypes.h>
#include <libdeflate.h>

#include "base/limits.h"
#include "base/mem.h"
#include "parsers/evtx.h"

enum { FLAG_NO_CRC = 4, MOST_MOVES = 16 };

typedef struct chunk {
  fl_job *job;
  bx *decoder;
  uint64_t offset; /* in the source; wraps where the source lacks the chunk's first bytes */
  uint8_t *bytes;  /* room for EVTX_ROOM */
  size_t n_bytes;
  size_t end;          /* where live records end */
  uint32_t least_size; /* of the live records so far */
  size_t mark;         /* where a sound header says so; 0 when it is none */
  uint32_t flags;      /* of every row */
  bool is_repaired;    /* it was read in spite of damage */
  fl_rows *rows;
  size_t sound_from; /* records before it are in the ledger */
  unsigned n_moves;
  evtx_left *left;
  const evtx_piece *piece;
  evtx_refusals *refusals;
} chunk;

static bool header_crc_is_right(const chunk *c) {
  const uint32_t half = libdeflate_crc32(0, c->bytes, 120);
  return libdeflate_crc32(half, c->bytes + 128, 384) == fl_le32(c->bytes + 124);
}

static bool is_record(const chunk *c, size_t at, size_t end) {
  return evtx_is_record(c->bytes, at, end);
}

/* A record of the live part. In a damaged chunk bytes may have come in, so that the last one ends
 * behind it. */
static bool is_live(const chunk *c, size_t at) {
  return is_record(c, at, c->end) ||
         (c->is_repaired && at < c->end && is_record(c, at, c->n_bytes));
}

static void ledger(const chunk *c, size_t from, size_t to, fl_ledger_state state,
                   const char *reason) {
  if (to > from) fl_job_ledger(c->job, c->offset + from, to - from, state, reason);
}

/* The state of records that were read whole: parsed, or recovered where the chunk is damaged. */
static void ledger_sound(chunk *c, size_t to) {
  ledger(c, c->sound_from, to, c->is_repaired ? FL_L_RECOVERED : FL_L_PARSED,
         !c->is_repaired ? ""
         : c->n_moves    ? "records of a chunk whose bytes were moved back in place"
                         : "records of a damaged chunk");
  c->sound_from = to;
}

/* Where the record ends that the header calls the last one; 0 when there is none. */
static size_t end_of_last_record(const chunk *c) {
  const uint32_t last_record = fl_le32(c->bytes + 44);
  if (last_record < EVTX_CHUNK_HEADER || last_record >= c->n_bytes) return 0;
  if (!is_record(c, last_record, c->n_bytes)) return 0;
  return last_record + fl_le32(c->bytes + last_record + 4);
}

/* What a header says of the end of its live records, checked: it has to lie in the chunk, and
 * right behind the last record. */
static bool has_plausible_end(chunk *c) {
  const uint32_t free_space = fl_le32(c->bytes + 48);
  const uint32_t last_record = fl_le32(c->bytes + 44);
  if (free_space < EVTX_CHUNK_HEADER || free_space > EVTX_CHUNK) {
    fl_job_note(c->job, FL_NOTE_REPAIRED, c->offset + 48,
                "chunk's free space begins at %u, expected 512 to 65536", free_space);
    return false;
  }
  const size_t end = end_of_last_record(c);
  const bool is_empty = free_space == EVTX_CHUNK_HEADER;
  if (last_record < free_space && (end == 0 || end == free_space) &&
      (is_empty || last_record >= EVTX_CHUNK_HEADER))
    return true;
  fl_job_note(c->job, FL_NOTE_REPAIRED, c->offset + 44,
              "chunk's last record is at %u to %zu, expected its end at free space, which is at %u",
              last_record, end, free_space);
  return false;
}

/* The last record may be broken itself: then the header and its signature speak for it. */
static size_t end_of_broken_record(const chunk *c, size_t end) {
  const uint32_t last_record = fl_le32(c->bytes + 44);
  const uint32_t free_space = fl_le32(c->bytes + 48);
  if (free_space <= end || free_space > EVTX_CHUNK || last_record < end) return end;
  if (last_record >= c->n_bytes || c->n_bytes - last_record < EVTX_RECORD_MIN) return end;
  if (last_record != end && fl_le32(c->bytes + last_record) != EVTX_RECORD_MAGIC) return end;
  return free_space < c->n_bytes ? free_space : c->n_bytes;
}

/* The second size of a record stands in front of `end`, and its signature where that says. */
static bool is_end_of_record(const chunk *c, size_t first, size_t end) {
  if (end - first < EVTX_RECORD_MIN) return false;
  const uint32_t size = fl_le32(c->bytes + end - 4);
  return size >= EVTX_RECORD_MIN && size <= end - first &&
         fl_le32(c->bytes + end - size) == EVTX_RECORD_MAGIC;
}

/* The records' checksum bears out where a header says that they end, wherever they begin. It is the
 * header's, too, so a record has to end there. */
static bool has_end(const chunk *c, size_t first) {
  const uint32_t free_space = fl_le32(c->bytes + 48);
  if (free_space <= EVTX_CHUNK_HEADER || free_space - EVTX_CHUNK_HEADER > c->n_bytes - first)
    return false;
  if (!is_end_of_record(c, first, first + free_space - EVTX_CHUNK_HEADER)) return false;
  return libdeflate_crc32(0, c->bytes + first, free_space - EVTX_CHUNK_HEADER) ==
         fl_le32(c->bytes + 52);
}

/* A second field of the header bears out which record is the last one: free space, the last id, or
 * the first id with the numbers of the first and the last record. */
static bool has_last_record(const chunk *c) {
  const size_t end = end_of_last_record(c);
  if (end == 0) return false;
  const uint64_t id = fl_le64(c->bytes + fl_le32(c->bytes + 44) + 8);
  const uint64_t n_before = fl_le64(c->bytes + 16) - fl_le64(c->bytes + 8); /* numbers */
  return end == fl_le32(c->bytes + 48) || id == fl_le64(c->bytes + 32) ||
         id - fl_le64(c->bytes + 24) == n_before;
}

/* The header names this place, counted from the chunk's start or from the first record, which may
 * have been moved. */
static bool is_at_mark(const chunk *c, size_t first, size_t at) {
  const uint32_t free_space = fl_le32(c->bytes + 48);
  return at == free_space || at - first == free_space - EVTX_CHUNK_HEADER ||
         at == end_of_last_record(c);
}

/* Whether a record at `at` can be one behind a damaged place that begins at `end`: its id has to
 * leave no more to that place than fits there, and there may be smaller ones than those around. */
static bool goes_on(const chunk *c, size_t end, size_t at, uint64_t expected, uint32_t least) {
  enum { MORE = 2 };
  const uint32_t size = fl_le32(c->bytes + at + 4);
  const uint64_t most = at == end ? 0 : (at - end) / (size < least ? size : least) + MORE;
  return fl_le64(c->bytes + at + 8) - expected <= most;
}

/* Where the live part ends when the header is no witness. Records that follow each other belong to
 * it, and so do records behind a damaged place whose ids go on from there; what older use of the
 * chunk left has other ids. Where the header says that free space begins, ids have to go on too; so
 * they have behind what it calls the last record. */
static size_t find_end(const chunk *c) {
  const uint32_t free_space = fl_le32(c->bytes + 48);
  const size_t first = evtx_find_record(c->bytes, c->sound_from, c->n_bytes);
  if (has_end(c, first)) return first + free_space - EVTX_CHUNK_HEADER;
  if (has_last_record(c)) return end_of_last_record(c);
  uint64_t expected = 0; /* id of the next record; 0 before the first */
  uint32_t least = EVTX_CHUNK;
  size_t end = first;
  for (size_t at = first; at < c->n_bytes;) {
    if (!is_record(c, at, c->n_bytes)) {
      at++;
      continue;
    }
    const bool is_next = expected == 0 || goes_on(c, end, at, expected, least);
    if (!is_next && (at > end || is_at_mark(c, first, at))) {
      at++;
      continue;
    }
    expected = is_next ? fl_le64(c->bytes + at + 8) + 1 : expected + 1;
    const uint32_t size = fl_le32(c->bytes + at + 4);
    if (size < least) least = size;
    end = at += size;
  }
  if (first == c->n_bytes) end = c->sound_from;
  if (end < EVTX_CHUNK_HEADER) end = EVTX_CHUNK_HEADER;
  return end_of_broken_record(c, end);
}

/* The first record from c->end on whose id goes on from `expected`, whatever is in between; or
 * where the bytes end. */
static size_t find_next(const chunk *c, uint64_t expected) {
  size_t at = c->end;
  while (at < c->n_bytes &&
         !(is_record(c, at, c->n_bytes) && goes_on(c, c->end, at, expected, c->least_size)))
    at++;
  return at;
}

/* A header that was written before the last records were does not count them: where live records
 * end, the next id says whether they go on. Once they do, those behind a damaged place may, too. */
static void extend_end(chunk *c, uint64_t last_id) {
  const size_t before = c->end;
  uint64_t expected = last_id + 1;
  if (!is_record(c, c->end, c->n_bytes) || fl_le64(c->bytes + c->end + 8) != expected) return;
  for (size_t at = c->end; at < c->n_bytes; at = find_next(c, expected)) {
    expected = fl_le64(c->bytes + at + 8) + 1;
    c->end = at + fl_le32(c->bytes + at + 4);
  }
  fl_job_note(c->job, FL_NOTE_REPAIRED, c->offset + before,
              "%" PRIu64 " records follow where the chunk header says that free space begins",
              expected - last_id - 1);
  c->is_repaired = true;
}

static void check_data_crc(chunk *c) {
  const uint32_t free_space = fl_le32(c->bytes + 48);
  if (fl_le32(c->bytes + 120) & FLAG_NO_CRC) return;
  if (free_space < EVTX_CHUNK_HEADER || free_space > c->n_bytes) return;
  const uint32_t real =
      libdeflate_crc32(0, c->bytes + EVTX_CHUNK_HEADER, free_space - EVTX_CHUNK_HEADER);
  if (real == fl_le32(c->bytes + 52)) return;
  fl_job_note(c->job, FL_NOTE_DAMAGED, c->offset + 52,
              "checksum of the chunk's records is 0x%08x, expected 0x%08x", fl_le32(c->bytes + 52),
              real);
  c->flags |= FL_F_BAD_CRC;
  c->is_repaired = true;
}

static bool check_header(chunk *c, evtx_kind kind) {
  if (c->n_bytes < EVTX_CHUNK_HEADER || kind == EVTX_KIND_NO_MAGIC) return false;
  if (fl_le32(c->bytes + 120) & FLAG_NO_CRC) return true;
  if (header_crc_is_right(c)) return true;
  fl_job_note(c->job, FL_NOTE_REPAIRED, c->offset + 124,
              "checksum of the chunk header does not match its content");
  return false;
}

/* Decodes the record at `at`, whose bytes end before `to`, into a row. */
static fl_status add_record(chunk *c, size_t at, size_t to, uint32_t flags, fl_err *err) {
  fl_rows *rows = c->rows;
  const bool is_full = rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 2;
  if (rows->n_rows == FL_BATCH_ROWS || is_full) {
    FL_TRY(fl_rows_flush(c->job, rows, err));
    bx_new_batch(c->decoder);
  }
  fl_row row = {.header_record_id = fl_le64(c->bytes + at + 8),
                .offset = c->offset + at,
                .length = (uint32_t)(to - at),
                .flags = c->flags | flags};
  (void)fl_time_from_filetime(fl_le64(c->bytes + at + 16), &row.t_written);
  FL_TRY(bx_record(c->decoder, at + EVTX_RECORD_HEADER, to - (flags ? 0 : 4), rows, &row, err));
  fl_rows_add(rows, &row);
  if (row.header_record_id < c->left->first_id) c->left->first_id = row.header_record_id;
  if (row.header_record_id > c->left->last_id) c->left->last_id = row.header_record_id;
  c->left->has_lag |= row.t != row.t_written;
  return FL_OK;
}

/* What lies behind `at` goes to `to`; bytes that then lie outside of the chunk are no part of it.
 */
static void move_rest(chunk *c, size_t at, size_t to) {
  const size_t n_rest = c->n_bytes - at;
  const size_t n_kept = n_rest < EVTX_CHUNK - to ? n_rest : EVTX_CHUNK - to;
  ledger(c, at + n_kept, c->n_bytes, FL_L_DAMAGED, "behind the end of a chunk");
  memmove(c->bytes + to, c->bytes + at, n_kept);
  if (to > at) memset(c->bytes + at, 0, to - at);
  c->offset += at;
  c->offset -= to;
  c->n_bytes = to + n_kept;
  c->end = c->mark ? c->mark : c->end - at + to;
  if (c->end < to) c->end = to;
  if (c->end > c->n_bytes) c->end = c->n_bytes;
}

/* Where bytes are missing from a chunk or came into it, all that is behind them moved, but offsets
 * did not move along. The record says how far; it and all behind it are put back in their place.
 * FL_END when it does not say so. */
static fl_status move_back(chunk *c, size_t *at, size_t size, fl_err *err) {
  int64_t shift = 0;
  if (c->n_moves == MOST_MOVES) return FL_END;
  if (!evtx_find_shift(c->bytes, *at + EVTX_RECORD_HEADER, *at + size, &shift)) return FL_END;
  const int64_t to = (int64_t)*at + shift;
  if (shift == 0 || to < EVTX_CHUNK_HEADER || to > (int64_t)(EVTX_CHUNK - size)) return FL_END;
  /* Rows point to their values, which are about to be overwritten. */
  if (shift < 0) FL_TRY(fl_rows_flush(c->job, c->rows, err));
  fl_job_note(c->job, FL_NOTE_DAMAGED, c->offset + *at, "%" PRIu64 " bytes %s before this record",
              (uint64_t)(shift > 0 ? shift : -shift), shift > 0 ? "are missing" : "too many stand");
  ledger_sound(c, *at);
  move_rest(c, *at, (size_t)to);
  if (c->end - (size_t)to < size) c->end = (size_t)to + size;
  *at = c->sound_from = (size_t)to;
  c->is_repaired = true;
  c->n_moves++;
  bx_chunk(c->decoder, c->bytes, c->n_bytes);
  bx_doubt(c->decoder);
  return FL_OK;
}

/* Keeps a refused record until more is known of its log; what is not kept is lost. What passes a
 * limit does so again, and in any other reader without one. */
static void refuse(chunk *c, size_t at, size_t size, fl_status status) {
  if (fl_job_defers(c->job)) return;
  evtx_refusals *r = c->refusals;
  const bool is_kept = status != FL_E_LIMIT && r->n < FL_LIMIT_REFUSED_RECORDS &&
                       fl_grow((void **)&r->items, &r->cap, r->n + 1, sizeof *r->items);
  ledger_sound(c, at);
  c->sound_from = at + size;
  c->left->has_refused |= is_kept;
  if (!is_kept) {
    ledger(c, at, at + size, FL_L_DAMAGED, "record that does not decode");
    return;
  }
  const evtx_view view = {
      .offset = c->offset, .first = c->piece->offset, .n_bytes = (uint32_t)c->n_bytes};
  r->items[r->n++] = (evtx_refused){view, (uint32_t)at, (uint32_t)(at + size), c->flags};
}

/* One record, which may turn out to belong elsewhere in the chunk. What its decoder refuses is
 * noted and costs only itself. */
static fl_status read_record(chunk *c, size_t *at, uint32_t size, fl_err *err) {
  fl_err why = {0};
  fl_status status = add_record(c, *at, *at + size, 0, &why);
  if (status == FL_E_CORRUPT) {
    const fl_status moved = move_back(c, at, size, err);
    if (moved < FL_OK) return moved;
    if (moved == FL_OK) status = add_record(c, *at, *at + size, 0, &why);
  }
  if (status == FL_OK) return FL_OK;
  if (status == FL_E_NOMEM || status == FL_E_INTERNAL) {
    if (err) *err = why;
    return status;
  }
  fl_job_note(c->job, FL_NOTE_DAMAGED, c->offset + *at, "record %" PRIu64 ": %s (at %" PRIu64 ")",
              fl_le64(c->bytes + *at + 8), why.text, c->offset + why.offset);
  refuse(c, *at, size, status);
  return FL_OK;
}

/* After something that is no record: the next one, found by its signature and its two sizes. */
static size_t resync(chunk *c, size_t at) {
  size_t next = at + 1;
  ledger_sound(c, at);
  c->is_repaired = true;
  bx_doubt(c->decoder);
  while (next < c->end && !is_live(c, next)) next++;
  const uint32_t magic = c->end - at >= 4 ? fl_le32(c->bytes + at) : 0;
  if (magic == EVTX_RECORD_MAGIC && c->end - at >= 8)
    fl_job_note(c->job, FL_NOTE_DAMAGED, c->offset + at,
                "record with size %u that does not fit its chunk or its copy, %zu bytes skipped",
                fl_le32(c->bytes + at + 4), next - at);
  else
    fl_job_note(c->job, FL_NOTE_DAMAGED, c->offset + at,
                "no record where one should begin, %zu bytes skipped", next - at);
  ledger(c, at, next, FL_L_DAMAGED, "no record");
  c->sound_from = next;
  return next;
}

static void note_torn(const chunk *c, size_t at, size_t to, bool is_whole) {
  const uint64_t id = fl_le64(c->bytes + at + 8);
  const uint32_t size = fl_le32(c->bytes + at + 4);
  if (is_whole)
    fl_job_note(c->job, FL_NOTE_REPAIRED, c->offset + at,
                "record %" PRIu64 " has size %u, its copy and the next record say %zu", id, size,
                to - at);
  else
    fl_job_note(c->job, FL_NOTE_DAMAGED, c->offset + at,
                "record %" PRIu64 " is torn: its size is %u, read to %zu; values may be cut", id,
                size, to - at);
}

/* A record whose second size is gone was torn while it was written, or overwritten from behind; one
 * whose first size is wrong may be whole. What is left of it, up to the next record at most, often
 * decodes: it is kept, marked, and never silently. 0 when it does not. */
static size_t read_torn(chunk *c, size_t at) {
  if (c->end - at < EVTX_RECORD_MIN || fl_le32(c->bytes + at) != EVTX_RECORD_MAGIC) return 0;
  const uint32_t size = fl_le32(c->bytes + at + 4);
  size_t next = at + EVTX_RECORD_MIN;
  while (next < c->end && !is_record(c, next, c->end)) next++;
  const bool is_whole = fl_le32(c->bytes + next - 4) == next - at;
  const bool is_shorter = !is_whole && size >= EVTX_RECORD_MIN && size < next - at;
  const uint32_t flags = is_whole ? 0 : FL_F_TRUNCATED;
  size_t to = is_shorter ? at + size : next;
  if (add_record(c, at, to, flags, NULL) < FL_OK) {
    if (!is_shorter || add_record(c, at, next, flags, NULL) < FL_OK) return 0;
    to = next;
  }
  note_torn(c, at, to, is_whole);
  ledger_sound(c, at);
  ledger(c, at, to, FL_L_RECOVERED, is_whole ? "record with a wrong size" : "torn record");
  c->sound_from = to;
  c->is_repaired = true;
  return to;
}

/* Behind the header; where bytes of the header are missing, its first record stands inside of it.
 */
static size_t first_record(const chunk *c) {
  if (is_record(c, EVTX_CHUNK_HEADER, c->n_bytes) || c->mark) return EVTX_CHUNK_HEADER;
  const size_t record = evtx_find_record(c->bytes, c->sound_from, c->n_bytes);
  if (record < EVTX_CHUNK_HEADER) return record;
  return c->sound_from < EVTX_CHUNK_HEADER ? EVTX_CHUNK_HEADER : c->sound_from;
}

static fl_status walk_records(chunk *c, fl_err *err) {
  size_t at = first_record(c);
  uint64_t last_id = fl_le64(c->bytes + 24) - 1;
  for (;;) {
    if (at >= c->end) {
      ledger_sound(c, at);
      extend_end(c, last_id);
      if (at >= c->end) return FL_OK;
    }
    if (!is_live(c, at)) {
      const size_t after = read_torn(c, at);
      if (after) last_id = fl_le64(c->bytes + at + 8);
      at = after ? after : resync(c, at);
      continue;
    }
    const uint32_t size = fl_le32(c->bytes + at + 4);
    if (size < c->least_size) c->least_size = size;
    last_id = fl_le64(c->bytes + at + 8);
    if (size > c->end - at) c->end = at + size;
    FL_TRY(read_record(c, &at, size, err));
    at += size;
  }
}

/* Behind the live records: zeros, or what older records left. Where a signature of one is left and
 * somebody asks, the bytes are searched once the live records of the whole log are known. */
static void look_behind(const chunk *c) {
  static const uint8_t magic[4] = {0x2a, 0x2a, 0, 0};
  const size_t n = c->n_bytes < EVTX_CHUNK || c->end > EVTX_CHUNK ? c->n_bytes : EVTX_CHUNK;
  size_t last = n;
  while (last > c->end && c->bytes[last - 1] == 0) last--;
  c->left->offset = c->offset;
  c->left->from = (uint32_t)c->end;
  c->left->to = (uint32_t)n;
  c->left->templates = bx_template_bits(c->decoder);
  c->left->has_signature = fl_job_seeks_old(c->job) &&
                           memmem(c->bytes + c->end, last - c->end, magic, sizeof magic) != NULL;
  ledger(c, n, c->n_bytes, FL_L_DAMAGED, "behind the end of a chunk");
  if (c->left->has_signature) return;
  ledger(c, c->end, last, FL_L_SLACK, "behind the live records");
  ledger(c, last, n, FL_L_EMPTY, "");
}

fl_status evtx_chunk_read(const evtx_reading *reading, evtx_piece *piece, uint8_t *bytes,
                          fl_err *err) {
  fl_job *job = reading->job;
  piece->left = (evtx_left){.first_id = UINT64_MAX};
  chunk c = {.job = job,
             .decoder = reading->decoder,
             .offset = piece->offset - piece->missing,
             .bytes = bytes,
             .n_bytes = (size_t)piece->length + piece->missing,
             .rows = reading->rows,
             .sound_from = piece->missing,
             .least_size = EVTX_CHUNK,
             .left = &piece->left,
             .piece = piece,
             .refusals = reading->refusals};
  if (c.n_bytes < EVTX_CHUNK_HEADER) {
    fl_job_note(job, FL_NOTE_DAMAGED, c.offset, "chunk header cut short: %zu bytes, expected 512",
                c.n_bytes);
    ledger(&c, piece->missing, c.n_bytes, FL_L_DAMAGED, "chunk header cut short");
    return FL_OK;
  }
  if (c.n_bytes != EVTX_CHUNK)
    fl_job_note(job, FL_NOTE_DAMAGED, c.offset + c.n_bytes, "chunk has %zu bytes, expected 65536",
                c.n_bytes);
  const bool is_sound = check_header(&c, piece->kind) && has_plausible_end(&c);
  c.is_repaired = !is_sound;
  c.mark = is_sound ? fl_le32(bytes + 48) : 0;
  c.end = is_sound ? c.mark : find_end(&c);
  if (c.end > c.n_bytes) c.end = c.n_bytes;
  if (is_sound) check_data_crc(&c);
  bx_chunk(c.decoder, bytes, c.n_bytes);
  if (c.is_repaired) bx_doubt(c.decoder);
  FL_TRY(walk_records(&c, err));
  look_behind(&c);
  if (c.n_moves == 0 || fl_job_defers(job)) return FL_OK;
  return bx_harvest(c.decoder, EVTX_CHUNK_HEADER, job->source_id, &reading->refusals->known, err);
}
