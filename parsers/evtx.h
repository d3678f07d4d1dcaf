/* evtx.h - the parts of the EVTX reader: where chunks are, and the walk over one chunk. */
#ifndef FL_PARSERS_EVTX_H
#define FL_PARSERS_EVTX_H

#include "parsers/binxml.h"

enum {
  EVTX_CHUNK = 65536,
  EVTX_ROOM = EVTX_CHUNK + 4096, /* for a chunk that a page came into */
  EVTX_FILE_HEADER = 4096,
  EVTX_CHUNK_HEADER = 512,
  EVTX_RECORD_HEADER = 24,
  EVTX_RECORD_MIN = 28,
  EVTX_RECORD_MAGIC = 0x2a2a,
  EVTX_SPAN_CHUNKS = 4
};

/* What the walk over a chunk leaves for the search behind its live records. */
typedef struct evtx_left {
  uint64_t first_id, last_id; /* lowest and highest of the live records; first > last: none */
  uint64_t templates;         /* bx_template_bits */
  uint64_t offset;            /* of the chunk in the source, as evtx_chunk.c has it at its end */
  uint32_t from, to;          /* behind the live records, relative to the chunk */
  bool has_lag;               /* a live record has another time than its header */
  bool has_refused;           /* a live record was refused and is kept for later */
  bool has_signature; /* to be searched; else the ledger has the bytes behind them already */
} evtx_left;

/* Bytes of a chunk as the offsets in its records count them. */
typedef struct evtx_view {
  uint64_t offset;   /* of the chunk in the source; wraps where the source lacks its first bytes */
  uint64_t first;    /* in the source: its bytes begin here, those in front are zero */
  uint32_t n_bytes;  /* of the chunk */
  uint32_t live_end; /* names in front of it do not belong to what lies behind */
  uint32_t from, to; /* where old records are looked for */
  bool is_loose;     /* no chunk: records are all that is left of it */
} evtx_view;

/* Live records that were refused where they stand: once the whole log is known, more of them may be
 * read. */
typedef struct evtx_refused {
  evtx_view view;
  uint32_t at, to; /* relative to the chunk */
  uint32_t flags;  /* of the row */
} evtx_refused;
typedef struct evtx_refusals {
  evtx_refused *items; /* in file order */
  size_t n, cap;
  bx_known known; /* definitions of chunks whose bytes were moved, which nobody finds there again */
} evtx_refusals;

/* A stretch of the file: a chunk, or bytes that belong to none. */
typedef enum evtx_kind {
  EVTX_KIND_CHUNK,
  EVTX_KIND_NO_MAGIC, /* records stand where a chunk's records stand, its signature is damaged */
  EVTX_KIND_EMPTY,    /* zeros: space that was reserved and never used */
  EVTX_KIND_GAP,      /* no chunk */
  EVTX_KIND_LOOSE     /* records of no chunk that is there, perhaps with other things between */
} evtx_kind;
typedef struct evtx_piece {
  uint64_t offset;
  uint64_t length; /* chunks: at most EVTX_ROOM */
  evtx_kind kind;
  uint32_t missing; /* bytes of the chunk that should stand before it */
  bool is_proven;   /* EVTX_KIND_NO_MAGIC: its first record says that it is a chunk's first */
  evtx_left left;   /* set when the chunk was read */
} evtx_piece;
typedef struct evtx_map {
  evtx_piece *pieces;
  size_t n, cap;
} evtx_map;

/* Checks the file header, finds all pieces from its end to the end of the source, and reports
 * what is odd. The header is advice only. */
fl_status evtx_map_build(fl_job *job, evtx_map *ret_map, fl_err *err);

/* A record at `at` that ends before `to`: its signature stands there and its two sizes agree. */
bool evtx_is_record(const uint8_t *bytes, size_t at, size_t to);
/* The first one from `from` on, or `to`. */
size_t evtx_find_record(const uint8_t *bytes, size_t from, size_t to);
/* What has to be added to the place of a record's content at [from, to) so that the offsets in it
 * are right. false where it holds no definition and no name that would tell. */
bool evtx_find_shift(const uint8_t *bytes, size_t from, size_t to, int64_t *ret_shift);
/* Where the chunk begins that the first telling record belongs to; may lie before the bytes. */
bool evtx_find_base(const uint8_t *bytes, size_t n_bytes, int64_t *ret_base);

/* Views of the records in a loose piece, and of the bytes around them: what each searches are whole
 * records, and together they search all of the piece. */
typedef struct evtx_views {
  evtx_view *items;
  size_t n, cap;
} evtx_views;
fl_status evtx_carve(fl_job *job, const evtx_piece *piece, evtx_views *views, fl_err *err);
/* Whether a source that nobody claims holds a record anywhere. */
fl_status evtx_search(fl_job *job, bool *ret_is_found, fl_err *err);

/* Who reads the live records of a log's chunks. */
typedef struct evtx_reading {
  fl_job *job;
  bx *decoder;
  fl_rows *rows;
  evtx_refusals *refusals; /* those are added that are refused */
} evtx_reading;
/* Reads the live records of one chunk. `bytes` has EVTX_ROOM and holds the piece behind the bytes
 * that are missing, which are zero. What was moved inside of it is moved back. */
fl_status evtx_chunk_read(const evtx_reading *reading, evtx_piece *piece, uint8_t *bytes,
                          fl_err *err);

/* All chunks of a log, whose live records were read. */
typedef struct evtx_log {
  fl_job *job;
  bx *decoder;
  bx_store *store;
  const evtx_map *map;
  evtx_refusals *refusals;
} evtx_log;
/* Reads live records that were refused, then what is left behind the live ones. */
fl_status evtx_rest_read(const evtx_log *log, fl_rows *rows, fl_err *err);

#endif
