/* registry_damage_test.c - registry files cut at every place and with flipped bits: what stands
 * before the damage is kept, the ledger tiles the source, and loss is never silent.
 *
 * The files are those of the registry-files scenario, written by fl-fixtures (FL_BUILD, FL_TOP). */
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

enum { MOST_BYTES = 64 << 10, MOST_FACTS = 64 };
#define FOLDER "r/MSRD-Results-SRV01/SRV01_RegistryKeys/SRV01_"
#define RDP_FILE "r/MSRD-Results-PC07/PC07_RDClient/PC07_Work.rdp"

typedef struct fact {
  uint64_t offset;
  uint32_t length;
} fact;

typedef struct reading {
  fact facts[MOST_FACTS];
  size_t n_facts;
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
    const fl_row *row = &batch->rows[i];
    fl_event event;
    fl_arena_reset(r->scratch);
    assert_int_equal(fl_event_build(batch, row, r->scratch, &event, err), FL_OK);
    if (r->n_facts < MOST_FACTS) r->facts[r->n_facts++] = (fact){row->offset, row->length};
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

static bytes load(const char *path) {
  bytes b = {.n = 0};
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  b.n = fread(b.p, 1, MOST_BYTES, f);
  assert_true(b.n > 0 && b.n < MOST_BYTES);
  (void)fclose(f);
  return b;
}

/* Of a text, every fact before the cut is there. A header alone is recognised by nobody. */
static void cut_text(const char *path, size_t recognised) {
  bytes b = load(path);
  const reading whole = read_bytes(&b, "whole");
  const size_t size = b.n;
  assert_true(whole.n_facts > 1 && whole.n_notes == 0 && !whole.is_failed);
  for (size_t n = recognised; n < size; n += 3) {
    b.n = n;
    const reading r = read_bytes(&b, "cut");
    size_t n_before = 0;
    while (n_before < whole.n_facts &&
           whole.facts[n_before].offset + whole.facts[n_before].length + 4 <= n)
      n_before++;
    if (r.n_facts < n_before) print_error("%s: %zu facts at %zu\n", path, r.n_facts, n);
    assert_true(r.n_facts >= n_before && r.n_facts <= whole.n_facts);
  }
}

static void texts_cut_anywhere(void **state) {
  (void)state;
  cut_text(FOLDER "Terminal-Server.txt", 100);
  cut_text(FOLDER "Old.txt", 10);
  cut_text(FOLDER "Query.txt", 200);
  cut_text(RDP_FILE, 120);
}

static void flip_bits(const char *path, size_t step) {
  bytes b = load(path);
  for (size_t at = 0; at < b.n; at += step) {
    const uint8_t bit = (uint8_t)(1u << (at / step % 8));
    b.p[at] ^= bit;
    (void)read_bytes(&b, "flipped");
    b.p[at] ^= bit;
  }
}

static void texts_with_flipped_bits(void **state) {
  (void)state;
  flip_bits(FOLDER "Terminal-Server.txt", 7);
  flip_bits(FOLDER "Old.txt", 1);
  flip_bits(FOLDER "Query.txt", 3);
  flip_bits(FOLDER "List.txt", 3);
  flip_bits(RDP_FILE, 1);
}

/* Less of a hive gives fewer facts only with a note, or a hive that could not be read. */
static void hives_cut_anywhere(void **state) {
  (void)state;
  bytes b = load(FOLDER "SYSTEM.hiv");
  const size_t size = b.n, n_whole = read_bytes(&b, "whole").n_facts;
  assert_true(n_whole > 5);
  for (size_t n = 32; n < size; n += 211) {
    b.n = n;
    const reading r = read_bytes(&b, "cut");
    assert_true(r.n_facts == n_whole || r.is_failed || r.n_notes > 0);
  }
}

static void hives_with_flipped_bits(void **state) {
  (void)state;
  bytes b = load(FOLDER "SYSTEM.hiv");
  uint8_t *used = b.p;
  for (size_t at = 0; at < b.n; at += at < 48 ? 1 : 29) {
    if (at >= 48 && at < 4096) at = 4096;
    used[at] ^= (uint8_t)(1u << at % 8);
    (void)read_bytes(&b, "flipped");
    used[at] ^= (uint8_t)(1u << at % 8);
  }
}

/* What is in a page of zeros is lost, the rest is not. */
static void hives_with_lost_pages(void **state) {
  (void)state;
  bytes b = load(FOLDER "SYSTEM.hiv");
  const size_t n_whole = read_bytes(&b, "whole").n_facts;
  memset(b.p + 4096, 0, 32); /* the header of the only bin: its cells stay */
  const reading r = read_bytes(&b, "no bin");
  assert_true(r.n_notes > 0);
  assert_true(r.n_facts == n_whole || r.is_failed || r.n_facts > 0);
}

static int make_files(void **state) {
  char *folder = strdup("/tmp/fl-reg-XXXXXX");
  const char *build = getenv("FL_BUILD"), *top = getenv("FL_TOP");
  char command[1024];
  if (!build || !top || !mkdtemp(folder) || chdir(folder) != 0) return -1;
  (void)snprintf(command, sizeof command,
                 "'%s/fl-fixtures' '%s/fixtures/scenarios/registry-files.scn' -o . >/dev/null && "
                 "python3 -m zipfile -e registry.zip r",
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
      cmocka_unit_test(texts_cut_anywhere),    cmocka_unit_test(texts_with_flipped_bits),
      cmocka_unit_test(hives_cut_anywhere),    cmocka_unit_test(hives_with_flipped_bits),
      cmocka_unit_test(hives_with_lost_pages),
  };
  return cmocka_run_group_tests(tests, make_files, remove_files);
}
