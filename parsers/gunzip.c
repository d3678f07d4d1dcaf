/* gunzip.c - inflating gzip members one after the other. */
#include "parsers/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

enum { STEP = 64 << 10, GZIP_ONLY = 16 };

struct fl_gunzip {
  fl_source *source;
  uint64_t at; /* next byte to read from the source */
  z_stream z;
  bool is_done;
  uint8_t packed[STEP];
};

fl_gunzip *fl_gunzip_create(fl_source *source) {
  fl_gunzip *gz = calloc(1, sizeof *gz);
  if (!gz) return NULL;
  gz->source = source;
  if (inflateInit2(&gz->z, MAX_WBITS + GZIP_ONLY) == Z_OK) return gz;
  free(gz);
  return NULL;
}

void fl_gunzip_free(fl_gunzip *gz) {
  if (!gz) return;
  inflateEnd(&gz->z);
  free(gz);
}

uint64_t fl_gunzip_position(const fl_gunzip *gz) { return gz->at - gz->z.avail_in; }

/* More packed bytes when there are none; false at the end of the source. */
static bool refill(fl_gunzip *gz, fl_err *ret_fault) {
  if (gz->z.avail_in != 0) return true;
  size_t n = 0;
  if (fl_source_read(gz->source, gz->at, gz->packed, STEP, &n, ret_fault) < FL_OK) return false;
  gz->at += n;
  gz->z.next_in = gz->packed;
  gz->z.avail_in = (uInt)n;
  return n != 0;
}

/* A file may be several gzip members in a row; what follows the last one is padding. */
static bool begin_next_member(fl_gunzip *gz, fl_err *ret_fault) {
  return refill(gz, ret_fault) && gz->z.next_in[0] == 0x1f && inflateReset(&gz->z) == Z_OK;
}

size_t fl_gunzip_read(fl_gunzip *gz, uint8_t *ret_bytes, size_t n_bytes, fl_err *ret_fault) {
  gz->z.next_out = ret_bytes;
  gz->z.avail_out = (uInt)(n_bytes < STEP ? n_bytes : STEP);
  while (!gz->is_done && gz->z.avail_out != 0) {
    if (!refill(gz, ret_fault)) {
      if (ret_fault->code == FL_OK)
        fl_fail(ret_fault, FL_E_CORRUPT, gz->at, "gzip stream is cut short");
      gz->is_done = true;
      break;
    }
    const int r = inflate(&gz->z, Z_NO_FLUSH);
    if (r == Z_STREAM_END) {
      gz->is_done = !begin_next_member(gz, ret_fault);
    } else if (r != Z_OK && r != Z_BUF_ERROR) {
      fl_fail(ret_fault, r == Z_MEM_ERROR ? FL_E_NOMEM : FL_E_CORRUPT, fl_gunzip_position(gz),
              "gzip stream breaks at byte %llu: %s", (unsigned long long)fl_gunzip_position(gz),
              gz->z.msg ? gz->z.msg : "no reason given");
      gz->is_done = true;
    }
  }
  return (size_t)(gz->z.next_out - ret_bytes);
}
