/* ingest_recorder.h - test help: a sink that writes down what it is told, and a folder to play in.
 */
#ifndef FL_TESTS_INGEST_RECORDER_H
#define FL_TESTS_INGEST_RECORDER_H

#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "faultline/ingest.h"

typedef struct recorder {
  char text[1 << 16]; /* a line for each call, in order */
  size_t n;
  fl_ingest_totals totals;
  bool is_tiled; /* every ledger covered its source exactly */
} recorder;

static inline void record(recorder *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  r->n += (size_t)vsnprintf(r->text + r->n, sizeof r->text - r->n, format, args);
  va_end(args);
  assert_true(r->n < sizeof r->text);
}

static inline fl_status record_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  record(self, "note %s: %.*s\n", fl_severity_names[note->severity], FL_STR_ARG(note->text));
  return FL_OK;
}

static inline fl_status record_end(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  recorder *r = self;
  record(r, "%.*s %s %" PRIu64 "%s%s\n", FL_STR_ARG(source->name), source->type, source->size_bytes,
         source->is_failed ? " failed" : "", source->is_skipped ? " skipped" : "");
  uint64_t at = 0;
  for (size_t i = 0; i < source->n_ledger; ++i) {
    if (source->ledger[i].offset != at || source->ledger[i].length == 0) r->is_tiled = false;
    at += source->ledger[i].length;
  }
  if (at != source->size_bytes) r->is_tiled = false;
  return FL_OK;
}

static inline recorder *ingest(char *const *inputs, size_t n_inputs, fl_hash_policy hash) {
  recorder *r = calloc(1, sizeof *r);
  assert_non_null(r);
  r->is_tiled = true;
  const fl_sink sink = {.self = r, .note = record_note, .end = record_end};
  const fl_ingest_options options = {.hash = hash, .want_ledger = true, .n_jobs = 1};
  fl_err err = {0};
  assert_int_equal(fl_ingest(inputs, n_inputs, &options, &sink, &r->totals, &err), FL_OK);
  assert_true(r->is_tiled);
  return r;
}

/* Reads one input below the test's folder and compares the lines. */
static inline void expect_lines(const char *path, const char *lines) {
  char *input = strdup(path);
  recorder *r = ingest(&input, 1, FL_HASH_AUTO);
  assert_string_equal(r->text, lines);
  free(r);
  free(input);
}

static inline void write_file(const char *path, const void *bytes, size_t n_bytes) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n_bytes, f), n_bytes);
  assert_int_equal(fclose(f), 0);
}

static inline int remove_item(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st;
  (void)type;
  (void)ftw;
  return remove(path);
}

/* Every test starts in an empty folder of its own. */
static inline int enter_folder(void **state) {
  char *path = strdup("/tmp/faultline-test-XXXXXX");
  if (!path || !mkdtemp(path) || chdir(path) != 0) return -1;
  *state = path;
  return 0;
}

static inline int leave_folder(void **state) {
  char *path = *state;
  if (chdir("/") != 0) return -1;
  nftw(path, remove_item, 16, FTW_DEPTH | FTW_PHYS);
  free(path);
  return 0;
}

#endif
