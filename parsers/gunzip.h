/* gunzip.h - gzip streams whose output is kept up to the byte where they break. */
#ifndef FL_PARSERS_GUNZIP_H
#define FL_PARSERS_GUNZIP_H

#include "parsers/parser.h"

/* Reads `source` from its start; does not own it. NULL: out of memory. */
typedef struct fl_gunzip fl_gunzip;
fl_gunzip *fl_gunzip_create(fl_source *source);
void fl_gunzip_free(fl_gunzip *gz);
/* Fills as much of `ret_bytes` as there is; 0 at the end. Where the stream is broken all bytes
 * before are given first, and *ret_fault says what is wrong. */
size_t fl_gunzip_read(fl_gunzip *gz, uint8_t *ret_bytes, size_t n_bytes, fl_err *ret_fault);
/* Packed bytes used so far. */
uint64_t fl_gunzip_position(const fl_gunzip *gz);

#endif
