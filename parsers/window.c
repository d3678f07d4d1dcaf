/* window.c - the buffer follows its reader: ahead in large steps, elsewhere in small ones. */
#include "parsers/window.h"

enum {
  STEP = 8 << 10,  /* what a jump reads */
  READ_RATIO = 64, /* bytes read for each byte of the source: jumps end somewhere */
  READ_GRACE = 64 << 20
};

fl_window fl_window_of(fl_source *source, uint8_t *bytes) {
  return (fl_window){.source = source, .p = bytes};
}

static bool is_worn_out(const fl_window *window, uint64_t size) {
  return window->n_read > READ_GRACE && (window->n_read - READ_GRACE) / READ_RATIO > size;
}

static bool fill(fl_window *window, uint64_t offset, size_t n_bytes) {
  const uint64_t size = fl_source_size(window->source);
  const bool is_ahead = offset >= window->at && offset <= window->at + window->n + FL_WINDOW_BYTES;
  size_t want = is_ahead ? FL_WINDOW_BYTES : STEP;
  if (want < n_bytes) want = n_bytes;
  if (want > size - offset) want = (size_t)(size - offset);
  window->n = 0;
  if (is_worn_out(window, size)) return false;
  fl_err err = {0};
  size_t n = 0;
  if (fl_source_read(window->source, offset, window->p, want, &n, &err) < FL_OK) return false;
  window->at = offset;
  window->n = n;
  window->n_read += n;
  return n >= n_bytes;
}

const uint8_t *fl_window_bytes(fl_window *window, uint64_t offset, size_t n_bytes) {
  const uint64_t size = fl_source_size(window->source);
  if (n_bytes > FL_WINDOW_BYTES || offset > size || n_bytes > size - offset) return NULL;
  const bool is_there = offset >= window->at && offset - window->at <= window->n &&
                        n_bytes <= window->n - (size_t)(offset - window->at);
  if (!is_there && !fill(window, offset, n_bytes)) return NULL;
  return window->p + (size_t)(offset - window->at);
}
