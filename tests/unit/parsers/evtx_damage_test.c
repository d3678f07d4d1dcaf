/* evtx_damage_test.c - cut and flipped event logs: never a crash, and what is whole survives.
 *
 * The log is the one of the all-types scenario, written by fl-fixtures (FL_BUILD, FL_TOP); nothing
 * here knows its content. */
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
#include "base/limits.h"
#include "faultline/ingest.h"

typedef struct log_bytes {
  uint8_t *bytes;
  size_t n;
} log_bytes;

typedef struct counts {
  uint64_t n_rows, n_notes, n_values;
  uint64_t tiled;
  fl_arena *scratch;
} counts;

static fl_status count_batch(void *self, const fl_batch *batch, fl_err *err) {
  (void)err;
  counts *c = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    fl_arena_reset(c->scratch);
    for (uint32_t k = 0; k < row->shape->n_fields; k++)
      c->n_values += fl_row_field(batch, row, &row->shape->fields[k], c->scratch).kind != FL_V_NULL;
    for (int k = 0; k < FL_C_COUNT; k++)
      c->n_values += fl_raw_text(fl_row_column(batch, row, (fl_column)k), c->scratch).n != 0;
    c->n_rows++;
  }
  return FL_OK;
}

static fl_status count_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  ((counts *)self)->n_notes += note->severity > FL_NOTE_INFO;
  return FL_OK;
}

static fl_status check_ledger(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  uint64_t at = 0;
  for (size_t i = 0; i < source->n_ledger; i++) {
    assert_true(source->ledger[i].offset == at);
    at += source->ledger[i].length;
  }
  assert_true(at == source->size_bytes);
  ((counts *)self)->tiled++;
  return FL_OK;
}

static counts read_bytes(const uint8_t *bytes, size_t n) {
  const int fd = memfd_create("log", MFD_CLOEXEC);
  assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  char *inputs[] = {path};
  counts c = {.scratch = fl_arena_create(64 << 20)};
  const fl_sink sink = {.self = &c, .batch = count_batch, .note = count_note, .end = check_ledger};
  const fl_ingest_options options = {.hash = FL_HASH_NONE, .want_ledger = true};
  fl_ingest_totals totals;
  fl_err err = {0};
  const fl_status status = fl_ingest(inputs, 1, &options, &sink, &totals, &err);
  if (status < FL_OK) print_error("%s\n", err.text);
  assert_int_equal(status, FL_OK);
  assert_true(c.tiled == 1);
  fl_arena_free(c.scratch);
  (void)close(fd);
  return c;
}

/* Runs the fixture writer in a new folder and opens the log it made. */
static FILE *open_fixture(char folder[64]) {
  char command[1024];
  (void)snprintf(folder, 64, "/tmp/fl-evtx-XXXXXX");
  const char *build = getenv("FL_BUILD"), *top = getenv("FL_TOP");
  if (!build || !top || !mkdtemp(folder)) return NULL;
  (void)snprintf(command, sizeof command,
                 "'%s/fl-fixtures' '%s/fixtures/scenarios/all-types.scn' -o '%s' >/dev/null && "
                 "cp '%s'/all-types/*.evtx '%s/log'",
                 build, top, folder, folder, folder);
  if (system(command) != 0) return NULL;
  (void)snprintf(command, sizeof command, "%s/log", folder);
  return fopen(command, "rb");
}

static int load_log(void **state) {
  char folder[64], command[128];
  log_bytes *log = calloc(1, sizeof *log);
  FILE *f = open_fixture(folder);
  if (!f || !log) return -1;
  log->bytes = malloc(4 << 20);
  log->n = log->bytes ? fread(log->bytes, 1, 4 << 20, f) : 0;
  (void)fclose(f);
  (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
  if (system(command) != 0) return -1;
  *state = log;
  return log->n > 0 ? 0 : -1;
}

static int free_log(void **state) {
  log_bytes *log = *state;
  free(log->bytes);
  free(log);
  return 0;
}

static void a_cut_log_keeps_what_is_in_front(void **state) {
  const log_bytes *log = *state;
  const counts whole = read_bytes(log->bytes, log->n);
  assert_true(whole.n_rows > 0 && whole.n_notes == 0);
  uint64_t last = 0;
  for (unsigned part = 1; part < 64; part++) {
    const size_t n = log->n * part / 64;
    const counts c = read_bytes(log->bytes, n);
    assert_true(c.n_rows >= last);
    assert_true(c.n_rows <= whole.n_rows + 1); /* the torn record may decode */
    assert_true(c.n_notes > 0);
    last = c.n_rows > 1 ? c.n_rows - 1 : 0;
  }
}

/* xorshift64: the same flips in every run. */
static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed;
}

static void flipped_bits_cost_little_and_never_all(void **state) {
  const log_bytes *log = *state;
  const counts whole = read_bytes(log->bytes, log->n);
  uint64_t seed = UINT64_C(0x5eed5eed5eed5eed);
  uint64_t n_lost = 0;
  for (int i = 0; i < 2000; i++) {
    const size_t at = next_random(&seed) % log->n;
    const uint8_t bit = (uint8_t)(1u << (next_random(&seed) & 7));
    log->bytes[at] ^= bit;
    const counts c = read_bytes(log->bytes, log->n);
    log->bytes[at] ^= bit;
    if (c.n_rows < whole.n_rows) {
      n_lost += whole.n_rows - c.n_rows;
      assert_true(c.n_notes > 0); /* nothing is lost silently */
    }
  }
  /* A flip in a template's definition costs the records that use it; on average it is few. */
  assert_true(n_lost / 2000 < whole.n_rows / 8);
}

static void put32(uint8_t *p, uint32_t number) { memcpy(p, &number, sizeof number); }

/* A chunk of 1,000 records without content. */
static void notes_that_are_alike_are_counted(void **state) {
  (void)state;
  enum { HEADER = 4096, CHUNK = 65536, N = 1000, SIZE = 28 };
  uint8_t *bytes = calloc(1, HEADER + CHUNK);
  assert_non_null(bytes);
  memcpy(bytes, "ElfFile", 8);
  memcpy(bytes + HEADER, "ElfChnk", 8);
  for (uint32_t i = 0; i < N; i++) {
    uint8_t *record = bytes + HEADER + 512 + (size_t)i * SIZE;
    put32(record, 0x2a2a);
    put32(record + 4, SIZE);
    put32(record + 8, i + 1);
    put32(record + SIZE - 4, SIZE);
  }
  const counts c = read_bytes(bytes, HEADER + CHUNK);
  free(bytes);
  assert_int_equal(c.n_rows, 0);
  assert_in_range(c.n_notes, FL_LIMIT_NOTES_ALIKE + 1, FL_LIMIT_NOTES_ALIKE + 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cut_log_keeps_what_is_in_front),
      cmocka_unit_test(flipped_bits_cost_little_and_never_all),
      cmocka_unit_test(notes_that_are_alike_are_counted),
  };
  return cmocka_run_group_tests(tests, load_log, free_log);
}
