/* dumps_damage_test.c - crash dumps and error reports cut at every place and with flipped bits: no
 * more than one event comes out, the ledger tiles the source, and loss is never silent.
 *
 * The files are those of the crash-files scenario, written by fl-fixtures (FL_BUILD, FL_TOP). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "faultline/ingest.h"

enum { MOST_BYTES = 64 << 10 };
#define FOLDER "r/MSRD-Results-SRV01/SRV01_Dumps/"

typedef struct reading {
  size_t n_events, n_fields;
  uint64_t n_notes;
  bool is_failed;
  fl_arena *scratch;
} reading;

typedef struct bytes {
  uint8_t p[MOST_BYTES];
  size_t n;
} bytes;

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  reading *r = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    fl_event event;
    fl_arena_reset(r->scratch);
    assert_int_equal(fl_event_build(batch, &batch->rows[i], r->scratch, &event, err), FL_OK);
    r->n_events++;
    r->n_fields += event.n_data;
  }
  return FL_OK;
}

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  assert_true(note->text.n > 0);
  ((reading *)self)->n_notes += note->severity != FL_NOTE_INFO;
  return FL_OK;
}

static fl_status take_end(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  ((reading *)self)->is_failed |= source->is_failed;
  return FL_OK;
}

/* The driver itself checks that the ledger tiles the source. */
static reading read_bytes(const bytes *b, const char *name) {
  static fl_arena *scratch = NULL;
  if (!scratch) scratch = fl_arena_create(16 << 20);
  reading r = {.scratch = scratch};
  char path[64], *input = path;
  const int fd = memfd_create(name, 0);
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  assert_int_equal(write(fd, b->p, b->n), b->n);
  const fl_sink sink = {.self = &r, .batch = take_batch, .note = take_note, .end = take_end};
  const fl_ingest_options options = {.hash = FL_HASH_NONE, .want_ledger = true};
  fl_ingest_totals totals;
  fl_err err = {0};
  assert_int_equal(fl_ingest(&input, 1, &options, &sink, &totals, &err), FL_OK);
  (void)close(fd);
  return r;
}

static void load(const char *path, bytes *ret_bytes) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  ret_bytes->n = fread(ret_bytes->p, 1, MOST_BYTES, f);
  assert_true(ret_bytes->n > 0 && ret_bytes->n < MOST_BYTES);
  (void)fclose(f);
}

/* A dump that is cut says so, or could not be read; never does it seem whole. Shorter than
 * `recognised` nobody knows what it is. */
static void cut(const char *path, size_t recognised, size_t step) {
  static bytes b;
  load(path, &b);
  const reading whole = read_bytes(&b, "whole");
  const size_t size = b.n;
  assert_true(whole.n_events == 1 && whole.n_notes == 0 && !whole.is_failed);
  for (size_t n = recognised; n < size; n += step) {
    b.n = n;
    const reading r = read_bytes(&b, "cut");
    const bool is_told = r.is_failed || r.n_notes > 0;
    const bool is_whole = r.n_events == 1 && r.n_fields == whole.n_fields;
    if (!is_told && !is_whole)
      print_error("%s: cut at %zu: %zu events, %zu of %zu fields\n", path, n, r.n_events,
                  r.n_fields, whole.n_fields);
    assert_true(r.n_events <= 1 && (is_told || is_whole));
  }
}

static void flip(const char *path, size_t step) {
  static bytes b;
  load(path, &b);
  for (size_t at = 0; at < b.n; at += step) {
    const uint8_t bit = (uint8_t)(1u << (at / step % 8));
    b.p[at] ^= bit;
    assert_true(read_bytes(&b, "flipped").n_events <= 1);
    b.p[at] ^= bit;
  }
}

static void minidumps_cut_anywhere(void **state) {
  (void)state;
  cut(FOLDER "svchost.exe.1320.dmp", 32, 5);
  cut(FOLDER "mstsc.exe.4242.dmp", 32, 61);
}

/* What drivers added stands behind the small dump, which is whole without it. */
static void kernel_dumps_cut_anywhere(void **state) {
  (void)state;
  cut(FOLDER "031026-5000-01.dmp", 8192, 7);
  cut(FOLDER "031026-5000-01.dmp", 11229, 1);
  cut(FOLDER "MEMORY.DMP", 8192, 509);
}

/* A report of text has no mark of its end: what stands before the cut is read. */
static void reports_cut_anywhere(void **state) {
  (void)state;
  static bytes b;
  load(FOLDER "termservice.wer", &b);
  size_t n_fields = 0;
  for (size_t n = 120; n < b.n; n += 3) {
    static bytes part;
    part = b;
    part.n = n;
    const reading r = read_bytes(&part, "cut");
    assert_true(r.n_events == 1 && r.n_fields >= n_fields);
    n_fields = r.n_fields < n_fields + 1 ? r.n_fields : n_fields;
  }
}

static void dumps_with_flipped_bits(void **state) {
  (void)state;
  flip(FOLDER "svchost.exe.1320.dmp", 3);
  flip(FOLDER "mstsc.exe.4242.dmp", 17);
  flip(FOLDER "031026-5000-01.dmp", 5);
  flip(FOLDER "MEMORY.DMP", 127);
  flip(FOLDER "termservice.wer", 1);
  flip(FOLDER "stop.wer", 1);
}

static int make_files(void **state) {
  char *folder = strdup("/tmp/fl-dump-XXXXXX");
  const char *build = getenv("FL_BUILD"), *top = getenv("FL_TOP");
  char command[1024];
  if (!build || !top || !mkdtemp(folder) || chdir(folder) != 0) return -1;
  (void)snprintf(command, sizeof command,
                 "'%s/fl-fixtures' '%s/fixtures/scenarios/crash-files.scn' -o . >/dev/null && "
                 "python3 -m zipfile -e crash-files.zip r",
                 build, top);
  *state = folder;
  return system(command);
}

static int remove_files(void **state) {
  char command[128];
  (void)snprintf(command, sizeof command, "rm -r '%s'", (char *)*state);
  const int result = chdir("/") == 0 ? system(command) : -1;
  free(*state);
  return result;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(minidumps_cut_anywhere),
      cmocka_unit_test(kernel_dumps_cut_anywhere),
      cmocka_unit_test(reports_cut_anywhere),
      cmocka_unit_test(dumps_with_flipped_bits),
  };
  return cmocka_run_group_tests(tests, make_files, remove_files);
}
