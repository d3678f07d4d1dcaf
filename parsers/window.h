/* window.h - bytes of a source at any offset through one buffer. */
#ifndef FL_PARSERS_WINDOW_H
#define FL_PARSERS_WINDOW_H

#include "parsers/parser.h"

/* No piece is longer than the buffer. A step ahead fills it, a jump reads little, and a source that
 * makes its reader jump without end is given up. */
enum { FL_WINDOW_BYTES = 256 << 10 };
typedef struct fl_window {
  fl_source *source; /* borrowed */
  uint8_t *p;
  uint64_t at, n_read;
  size_t n;
} fl_window;

/* `bytes` holds FL_WINDOW_BYTES and lives as long as the window. */
fl_window fl_window_of(fl_source *source, uint8_t *bytes);
/* `n_bytes` from `offset` on, valid until the next call; NULL when they are not there. */
const uint8_t *fl_window_bytes(fl_window *window, uint64_t offset, size_t n_bytes);

#endif
