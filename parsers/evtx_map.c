/* evtx_map.c - where the chunks of an event log are, whatever its header says.
 *
 * File header: "ElfFile\0", u64 first chunk, u64 last chunk, u64 next record id, u32 128,
 * u16 minor, u16 major, u16 4096, u16 chunks, 76 bytes, u32 flags (1 dirty, 2 full), u32 CRC of
 * bytes 0 to 119. Chunks of 64 KiB follow at 4096. */
#include <libdeflate.h>

#include "base/mem.h"
#include "parsers/evtx.h"

enum { SCAN_BYTES = 65536, FLAG_DIRTY = 1 };

static const uint8_t chunk_magic[8] = "ElfChnk";

/* Adds a piece; what is no chunk is one piece with the same before it. */
static fl_status add_piece(fl_job *job, evtx_map *map, evtx_piece piece, fl_err *err) {
  const bool is_filler = piece.kind == EVTX_KIND_EMPTY || piece.kind == EVTX_KIND_GAP;
  if (is_filler && map->n && map->pieces[map->n - 1].kind == piece.kind) {
    map->pieces[map->n - 1].length += piece.length;
    return FL_OK;
  }
  if (map->n == map->cap) {
    const size_t cap = map->cap ? map->cap * 2 : 64;
    evtx_piece *pieces = FL_NEW_ARRAY(job->arena, evtx_piece, cap);
    if (!pieces) return fl_fail(err, FL_E_LIMIT, piece.offset, "more chunks than memory allows");
    if (map->n) memcpy(pieces, map->pieces, map->n * sizeof *pieces);
    map->pieces = pieces;
    map->cap = cap;
  }
  map->pieces[map->n++] = piece;
  return FL_OK;
}

/* Reads up to n bytes at an offset; what lies behind the end of the source reads as nothing. */
static fl_status read_at(fl_job *job, uint64_t offset, uint8_t *bytes, size_t n, size_t *ret_n,
                         fl_err *err) {
  *ret_n = 0;
  if (offset >= fl_source_size(job->source)) return FL_OK;
  return fl_source_read(job->source, offset, bytes, n, ret_n, err);
}

static bool all_zero(const uint8_t *bytes, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    if (fl_le64(bytes + i)) return false;
  for (; i < n; i++)
    if (bytes[i]) return false;
  return true;
}

/* What the flags and counts of a sound header say is checked against the file, never believed. The
 * count of chunks stays 0 where no sound header gives one. */
static void check_header(fl_job *job, const uint8_t *head, size_t n_head, uint16_t *ret_count) {
  if (n_head < 128) {
    fl_job_note(job, FL_NOTE_DAMAGED, 0, "file header cut short: %zu bytes, expected 4096", n_head);
    return;
  }
  const uint32_t stored = fl_le32(head + 124);
  const uint32_t real = libdeflate_crc32(0, head, 120);
  if (stored != real)
    fl_job_note(job, FL_NOTE_REPAIRED, 124, "file header checksum 0x%08x, expected 0x%08x", stored,
                real);
  else *ret_count = fl_le16(head + 42);
  if (fl_le32(head + 120) & FLAG_DIRTY)
    fl_job_note(job, FL_NOTE_INFO, 120, "log was not closed properly (dirty flag)");
}

/* Where chunks begin: behind the file header, or at 0 in a stream of bare chunks. */
static fl_status read_header(fl_job *job, uint64_t *ret_start, uint16_t *ret_count, fl_err *err) {
  uint8_t *head = fl_arena_take(job->arena, EVTX_FILE_HEADER + 8);
  if (!head) return fl_fail(err, FL_E_LIMIT, 0, "no memory for the file header");
  size_t n = 0;
  FL_TRY(read_at(job, 0, head, EVTX_FILE_HEADER + 8, &n, err));
  if (n == 0) return fl_fail(err, FL_E_CORRUPT, 0, "event log is empty (0 bytes)");
  const uint64_t header_end = n < EVTX_FILE_HEADER ? n : EVTX_FILE_HEADER;
  *ret_start = header_end;
  if (n >= 8 && memcmp(head, chunk_magic, 8) == 0) {
    fl_job_note(job, FL_NOTE_REPAIRED, 0, "file header is missing, chunks begin at once");
    *ret_start = 0;
    return FL_OK;
  }
  if (n >= 8 && memcmp(head, "ElfFile", 8) == 0) {
    check_header(job, head, n, ret_count);
    fl_job_ledger(job, 0, header_end, n < 128 ? FL_L_DAMAGED : FL_L_PARSED,
                  n < 128 ? "file header cut short" : "");
    return FL_OK;
  }
  fl_job_note(job, FL_NOTE_REPAIRED, 0,
              "file header has no ElfFile signature, searching for chunks");
  const bool is_chunk_behind =
      n > EVTX_FILE_HEADER + 7 && memcmp(head + EVTX_FILE_HEADER, chunk_magic, 8) == 0;
  if (is_chunk_behind) fl_job_ledger(job, 0, header_end, FL_L_DAMAGED, "file header");
  else *ret_start = 0;
  return FL_OK;
}

/* Looks for chunks from the front of the source to its end. */
typedef struct finder {
  fl_job *job;
  uint64_t size;   /* of the source */
  uint64_t next;   /* the first signature at or behind the last place that was asked for */
  uint8_t *buffer; /* SCAN_BYTES */
} finder;

/* A chunk inside what should be a chunk has to look like one: signature and header size. */
static const uint8_t *find_plausible(const uint8_t *bytes, size_t n) {
  for (const uint8_t *at = bytes; n - (size_t)(at - bytes) >= sizeof chunk_magic; at++) {
    at = memmem(at, n - (size_t)(at - bytes), chunk_magic, sizeof chunk_magic);
    if (!at) break;
    if (n - (size_t)(at - bytes) < 44 || fl_le32(at + 40) == 128) return at;
  }
  return NULL;
}

/* The next chunk signature from `from` on, at any byte offset; the size of the source if there is
 * none. */
static fl_status find_chunk(finder *f, uint64_t from, fl_err *err) {
  if (f->next >= from && f->next != 0) return FL_OK;
  size_t n = 0;
  FL_TRY(read_at(f->job, from, f->buffer, sizeof chunk_magic, &n, err));
  if (n == sizeof chunk_magic && memcmp(f->buffer, chunk_magic, n) == 0) {
    f->next = from; /* the usual case: chunks stand one after the other */
    return FL_OK;
  }
  while (from < f->size) {
    FL_TRY(read_at(f->job, from, f->buffer, SCAN_BYTES, &n, err));
    const uint8_t *hit = memmem(f->buffer, n, chunk_magic, sizeof chunk_magic);
    f->next = from + (hit ? (uint64_t)(hit - f->buffer) : 0);
    if (hit) return FL_OK;
    if (n < SCAN_BYTES) break;
    from += n - (sizeof chunk_magic - 1);
  }
  f->next = f->size;
  return FL_OK;
}

/* A chunk ends after 64 KiB, or where the next one begins if bytes are missing between them or are
 * too many. */
static fl_status chunk_length(finder *f, uint64_t at, uint64_t *ret_length, fl_err *err) {
  const uint64_t left = f->size - at;
  *ret_length = left < EVTX_CHUNK ? left : EVTX_CHUNK;
  uint8_t next[sizeof chunk_magic];
  size_t n = 0;
  FL_TRY(read_at(f->job, at + EVTX_CHUNK, next, sizeof next, &n, err));
  if (n == sizeof next && memcmp(next, chunk_magic, sizeof next) == 0) {
    f->next = at + EVTX_CHUNK;
    return FL_OK;
  }
  if (n == sizeof next && all_zero(next, sizeof next)) return FL_OK;
  FL_TRY(read_at(f->job, at + EVTX_CHUNK_HEADER, f->buffer, SCAN_BYTES, &n, err));
  const size_t most = EVTX_CHUNK - EVTX_CHUNK_HEADER + sizeof chunk_magic - 1;
  const uint8_t *hit = find_plausible(f->buffer, n < most ? n : most);
  if (hit) *ret_length = EVTX_CHUNK_HEADER + (uint64_t)(hit - f->buffer);
  if (hit) return FL_OK;
  FL_TRY(read_at(f->job, at + EVTX_CHUNK, f->buffer, EVTX_ROOM - EVTX_CHUNK + 44, &n, err));
  hit = find_plausible(f->buffer, n);
  if (hit && hit <= f->buffer + EVTX_ROOM - EVTX_CHUNK)
    *ret_length = EVTX_CHUNK + (uint64_t)(hit - f->buffer);
  return FL_OK;
}

/* Bytes without a record. A chunk behind them says where they should end; records that begin in the
 * second half of the buffer may not be whole in it. */
static evtx_piece guess_filler(const finder *f, uint64_t at, size_t n) {
  const uint64_t left = f->next - at;
  const bool is_aligned = left % EVTX_CHUNK == 0 || f->next == f->size;
  uint64_t length = n;
  if (n == SCAN_BYTES) length = is_aligned ? SCAN_BYTES / 2 : left % EVTX_CHUNK;
  return (evtx_piece){.offset = at, .length = length, .kind = EVTX_KIND_GAP};
}

/* Records that do not say where their chunk begins: behind the chunk before it, or so that it ends
 * where the one behind it begins. */
static uint32_t guess_missing(const finder *f, uint64_t at, size_t n) {
  const uint64_t left = f->next - at;
  const bool is_aligned = left % EVTX_CHUNK == 0 || f->next == f->size;
  if (is_aligned || evtx_is_record(f->buffer, EVTX_CHUNK_HEADER, n)) return 0;
  return (uint32_t)(EVTX_CHUNK - left % EVTX_CHUNK);
}

/* What lies at `at`, where no signature is and f->buffer holds n bytes: a chunk all the same when
 * records stand in it. */
static evtx_piece guess_piece(const finder *f, uint64_t at, size_t n) {
  const uint64_t left = f->next - at;
  if (left < n) n = (size_t)left;
  const size_t record = evtx_find_record(f->buffer, 0, n);
  if (record == n) return guess_filler(f, at, n);
  int64_t base = 0;
  const bool has_base = evtx_find_base(f->buffer, n, &base) && base > -EVTX_CHUNK;
  if (has_base && base > (int64_t)record) /* of a chunk before it */
    return (evtx_piece){.offset = at,
                        .length = (uint64_t)base,
                        .kind = EVTX_KIND_NO_MAGIC,
                        .missing = (uint32_t)(EVTX_CHUNK - base)};
  if (has_base && base > 0) {
    const bool is_empty = all_zero(f->buffer, (size_t)base);
    return (evtx_piece){
        .offset = at, .length = (uint64_t)base, .kind = is_empty ? EVTX_KIND_EMPTY : EVTX_KIND_GAP};
  }
  const uint32_t missing = has_base ? (uint32_t)-base : guess_missing(f, at, n);
  const size_t most = EVTX_CHUNK - missing;
  return (evtx_piece){.offset = at,
                      .length = n < most ? n : most,
                      .kind = EVTX_KIND_NO_MAGIC,
                      .missing = missing,
                      .is_proven = has_base && record + missing == EVTX_CHUNK_HEADER};
}

/* The piece that begins at `at`. */
static fl_status next_piece(finder *f, uint64_t at, evtx_piece *ret_piece, fl_err *err) {
  size_t n = 0;
  FL_TRY(find_chunk(f, at, err));
  *ret_piece = (evtx_piece){.offset = at, .kind = EVTX_KIND_CHUNK};
  if (f->next == at) return chunk_length(f, at, &ret_piece->length, err);
  FL_TRY(read_at(f->job, at, f->buffer, SCAN_BYTES, &n, err));
  if (n == 0) return fl_fail(err, FL_E_IO, at, "source ended while it was read");
  if (!all_zero(f->buffer, n)) *ret_piece = guess_piece(f, at, n);
  else *ret_piece = (evtx_piece){.offset = at, .length = n, .kind = EVTX_KIND_EMPTY};
  return FL_OK;
}

static bool is_chunk(const evtx_piece *piece) {
  return piece->kind == EVTX_KIND_CHUNK || piece->kind == EVTX_KIND_NO_MAGIC;
}

/* Records without a chunk's header are a chunk's when the place says so, which is beside another
 * chunk or behind the file's header, or when its first record does. Else they are loose. */
static void find_loose(evtx_map *map, bool has_header) {
  const evtx_piece *before = NULL; /* the last that is not empty */
  for (size_t i = 0; i < map->n; i++) {
    evtx_piece *piece = &map->pieces[i];
    if (piece->kind == EVTX_KIND_EMPTY) continue;
    const bool is_behind = before ? is_chunk(before) : has_header;
    const bool is_before = i + 1 < map->n && map->pieces[i + 1].kind == EVTX_KIND_CHUNK;
    if (piece->kind == EVTX_KIND_NO_MAGIC && !piece->is_proven && !is_behind && !is_before)
      *piece =
          (evtx_piece){.offset = piece->offset, .length = piece->length, .kind = EVTX_KIND_LOOSE};
    before = piece;
  }
}

/* Loose pieces end where a window did: those beside each other are one, with what lies between. */
static void join_loose(evtx_map *map) {
  size_t n = 0;
  for (size_t i = 0; i < map->n; i++) {
    evtx_piece *last = n ? &map->pieces[n - 1] : NULL;
    const evtx_piece *piece = &map->pieces[i];
    const bool is_gap = piece->kind == EVTX_KIND_GAP || piece->kind == EVTX_KIND_EMPTY;
    const bool is_between = is_gap && i + 1 < map->n && map->pieces[i + 1].kind == EVTX_KIND_LOOSE;
    if (last && last->kind == EVTX_KIND_LOOSE && (is_between || piece->kind == EVTX_KIND_LOOSE))
      last->length += piece->length;
    else map->pieces[n++] = *piece;
  }
  map->n = n;
}

/* Chunks stand without holes, and space is reserved in whole pages: zeros anywhere else were not
 * written by the log's owner. */
static void check_zeros(fl_job *job, const evtx_map *map, size_t i) {
  const evtx_piece *piece = &map->pieces[i];
  const uint64_t end = piece->offset + piece->length;
  if (i + 1 < map->n)
    fl_job_note(job, FL_NOTE_DAMAGED, piece->offset, "%llu bytes of zeros where chunks should be",
                (unsigned long long)piece->length);
  else if (end % EVTX_FILE_HEADER != 0)
    fl_job_note(job, FL_NOTE_DAMAGED, end,
                "log ends in unused space after %llu bytes, expected a multiple of 4096",
                (unsigned long long)end);
}

/* A count that is too low is stale, one that is too high says that chunks are gone. */
static void check_count(fl_job *job, uint16_t counted, size_t n_chunks) {
  if (counted <= n_chunks) return;
  fl_job_note(job, FL_NOTE_DAMAGED, 42, "file header counts %u chunks, found %zu", counted,
              n_chunks);
  fl_job_cut(job);
}

/* What is odd about the pieces; returns how many of them are chunks. */
static size_t check_pieces(fl_job *job, const evtx_map *map) {
  size_t n_chunks = 0;
  for (size_t i = 0; i < map->n; i++) {
    const evtx_piece *piece = &map->pieces[i];
    n_chunks += is_chunk(piece) || piece->kind == EVTX_KIND_LOOSE;
    if (piece->kind == EVTX_KIND_LOOSE)
      fl_job_note(job, FL_NOTE_DAMAGED, piece->offset,
                  "%llu bytes hold records of no chunk; --recovered gives those that can be read",
                  (unsigned long long)piece->length);
    if (piece->kind == EVTX_KIND_EMPTY) check_zeros(job, map, i);
    if (piece->kind == EVTX_KIND_GAP)
      fl_job_note(job, FL_NOTE_DAMAGED, piece->offset, "%llu bytes hold no chunk of an event log",
                  (unsigned long long)piece->length);
    if (piece->missing)
      fl_job_note(job, FL_NOTE_DAMAGED, piece->offset,
                  "the first %u bytes of a chunk are missing, the rest is read all the same",
                  piece->missing);
    else if (piece->kind == EVTX_KIND_NO_MAGIC)
      fl_job_note(job, FL_NOTE_REPAIRED, piece->offset,
                  "chunk without its ElfChnk signature, read all the same");
  }
  return n_chunks;
}

fl_status evtx_map_build(fl_job *job, evtx_map *map, fl_err *err) {
  uint64_t at = 0;
  uint16_t counted = 0;
  FL_TRY(read_header(job, &at, &counted, err));
  finder f = {.job = job, .size = fl_source_size(job->source)};
  f.buffer = fl_arena_take(job->arena, SCAN_BYTES);
  if (!f.buffer) return fl_fail(err, FL_E_LIMIT, 0, "no memory to look for chunks");
  const uint64_t at_start = at;
  while (at < f.size) {
    evtx_piece piece;
    FL_TRY(next_piece(&f, at, &piece, err));
    FL_TRY(add_piece(job, map, piece, err));
    at += piece.length;
  }
  find_loose(map, at_start == EVTX_FILE_HEADER);
  join_loose(map);
  const size_t n_chunks = check_pieces(job, map);
  check_count(job, counted, n_chunks);
  if (n_chunks == 0)
    return fl_fail(err, FL_E_CORRUPT, f.size,
                   "event log holds no chunk, expected at least one behind its header");
  return FL_OK;
}
