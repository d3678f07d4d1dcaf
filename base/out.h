/* out.h - the output's inside, for writers that format in place. */
#ifndef FL_BASE_OUT_H
#define FL_BASE_OUT_H

#include <string.h>

#include "faultline/core.h"

enum { FL_OUT_BUFFER = 256 << 10 };

struct fl_out {
  char *buffer;
  size_t n, cap;
  int fd;   /* -1: memory */
  int fail; /* errno of the first failure */
  bool owns_fd;
  char *name; /* the final one; NULL for standard output and memory */
  char *part; /* the temporary one; NULL where bytes go straight to their place */
  uint64_t n_written;
};

void fl_out_flush(fl_out *out);
/* Room for n_bytes in a row; NULL after a failure. Advance with fl_out_advance. */
char *fl_out_make_room(fl_out *out, size_t n_bytes);
static inline char *fl_out_room(fl_out *out, size_t n_bytes) {
  return n_bytes <= out->cap - out->n ? out->buffer + out->n : fl_out_make_room(out, n_bytes);
}
static inline void fl_out_advance(fl_out *out, const char *end) {
  out->n = (size_t)(end - out->buffer);
}

#endif
