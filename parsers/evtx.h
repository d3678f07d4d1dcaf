/* evtx.h - the parts of the EVTX reader: where chunks are, and the walk over one chunk. */
#ifndef FL_PARSERS_EVTX_H
#define FL_PARSERS_EVTX_H

#include "parsers/binxml.h"

enum {
  EVTX_CHUNK = 65536,
  EVTX_FILE_HEADER = 4096,
  EVTX_CHUNK_HEADER = 512,
  EVTX_RECORD_HEADER = 24,
  EVTX_RECORD_MIN = 28,
  EVTX_SPAN_CHUNKS = 4
};

/* A stretch of the file: a chunk, or bytes that belong to none. */
typedef enum evtx_kind {
  EVTX_KIND_CHUNK,
  EVTX_KIND_NO_MAGIC, /* records stand where a chunk's records stand, its signature is damaged */
  EVTX_KIND_EMPTY,    /* zeros: space that was reserved and never used */
  EVTX_KIND_GAP       /* no chunk */
} evtx_kind;
typedef struct evtx_piece {
  uint64_t offset;
  uint64_t length; /* chunks: at most EVTX_CHUNK */
  evtx_kind kind;
} evtx_piece;
typedef struct evtx_map {
  evtx_piece *pieces;
  size_t n, cap;
} evtx_map;

/* Checks the file header, finds all pieces from its end to the end of the source, and reports
 * what is odd. The header is advice only. */
fl_status evtx_map_build(fl_job *job, evtx_map *ret_map, fl_err *err);

/* Reads the records of one chunk whose bytes are in memory. */
fl_status evtx_chunk_read(fl_job *job, bx *b, const evtx_piece *piece, const uint8_t *bytes,
                          fl_rows *rows, fl_err *err);

#endif
