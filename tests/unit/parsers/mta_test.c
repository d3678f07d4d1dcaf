/* mta_test.c - message texts beside a log: every record gets its own, damage costs texts only.
 *
 * Bundle and texts are those of the exported-texts scenario, written by fl-fixtures (FL_BUILD,
 * FL_TOP). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "faultline/ingest.h"
#include "parsers/texts.h"

#define CORE "SRV01-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS-Operational"

typedef struct counts {
  uint64_t n_rows, n_texts, n_own, n_german, n_names, n_notes, n_info, n_sources;
  fl_arena *scratch;
} counts;

static fl_str text_of(counts *c, const fl_batch *batch, const fl_row *row, fl_column column) {
  return fl_raw_text(fl_row_column(batch, row, column), c->scratch);
}

static fl_status count_batch(void *self, const fl_batch *batch, fl_err *err) {
  (void)err;
  counts *c = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    fl_arena_reset(c->scratch);
    const fl_str message = text_of(c, batch, row, FL_C_MESSAGE);
    const bool is_mta = fl_str_eq(text_of(c, batch, row, FL_C_MESSAGE_SOURCE), FL_STR("mta"));
    c->n_rows++;
    c->n_texts += is_mta;
    c->n_own += message.n && !is_mta;
    c->n_german += message.n > 6 && memcmp(message.p + message.n - 6, "(1031)", 6) == 0;
    for (int k = FL_C_LEVEL_NAME; k <= FL_C_KEYWORD_NAMES; k++)
      c->n_names += text_of(c, batch, row, (fl_column)k).n != 0;
    for (uint32_t k = 0; k < row->shape->n_fields; k++)
      (void)fl_row_field(batch, row, &row->shape->fields[k], c->scratch);
  }
  return FL_OK;
}

static fl_status count_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  counts *c = self;
  if (note->severity > FL_NOTE_INFO) c->n_notes++;
  else c->n_info++;
  return FL_OK;
}

static fl_status count_source(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  uint64_t at = 0;
  for (size_t i = 0; i < source->n_ledger; i++) {
    assert_true(source->ledger[i].offset == at);
    at += source->ledger[i].length;
  }
  assert_true(at == source->size_bytes);
  ((counts *)self)->n_sources++;
  return FL_OK;
}

static counts read_input(const char *path, bool want_texts) {
  char *input = strdup(path);
  counts c = {.scratch = fl_arena_create(64 << 20)};
  const fl_sink sink = {.self = &c, .batch = count_batch, .note = count_note, .end = count_source};
  const fl_ingest_options options = {
      .hash = FL_HASH_NONE, .want_ledger = true, .want_texts = want_texts};
  fl_ingest_totals totals;
  fl_err err = {0};
  const fl_status status = fl_ingest(&input, 1, &options, &sink, &totals, &err);
  if (status < FL_OK) print_error("%s\n", err.text);
  assert_int_equal(status, FL_OK);
  fl_arena_free(c.scratch);
  free(input);
  return c;
}

static void run(const char *command) { assert_int_equal(system(command), 0); }

static int make_bundle(void **state) {
  char *folder = strdup("/tmp/fl-mta-XXXXXX");
  const char *build = getenv("FL_BUILD"), *top = getenv("FL_TOP");
  char command[1024];
  if (!build || !top || !mkdtemp(folder) || chdir(folder) != 0) return -1;
  (void)snprintf(command, sizeof command,
                 "'%s/fl-fixtures' '%s/fixtures/scenarios/exported-texts.scn' -o . >/dev/null && "
                 "mkdir d && cd d && python3 -m zipfile -e ../exported-texts.zip . && "
                 "tar cf ../x.tar . && tar czf ../x.tgz . && rm -rf LocaleMetaData/*1033* && "
                 "tar cf ../german.tar .",
                 build, top);
  *state = folder;
  return system(command);
}

static int remove_bundle(void **state) {
  char command[128];
  (void)snprintf(command, sizeof command, "rm -r '%s'", (char *)*state);
  const int result = chdir("/") == 0 ? system(command) : -1;
  free(*state);
  return result;
}

/* 234 records, one of which bears its own text. */
static void expect_texts(const counts *c) {
  assert_int_equal(c->n_rows, 234);
  assert_int_equal(c->n_texts, 233);
  assert_int_equal(c->n_own, 1);
  assert_true(c->n_names >= 2 * c->n_texts);
  assert_int_equal(c->n_notes, 0);
}

static void texts_behind_their_logs_are_found(void **state) {
  (void)state;
  static const char *const inputs[] = {"exported-texts.zip", "x.tar"};
  for (size_t i = 0; i < 2; i++) {
    const counts c = read_input(inputs[i], true);
    expect_texts(&c);
    assert_int_equal(c.n_german, 0); /* English, and four notes that say so */
    assert_int_equal(c.n_info, 4);
    assert_int_equal(c.n_sources, 13);
    const counts bare = read_input(inputs[i], false);
    assert_int_equal(bare.n_texts, 0);
    assert_int_equal(bare.n_rows, c.n_rows);
  }
}

static void the_only_language_is_used(void **state) {
  (void)state;
  const counts c = read_input("german.tar", true);
  expect_texts(&c);
  assert_int_equal(c.n_german, 233);
  assert_int_equal(c.n_info, 4);
  const counts folder = read_input("d", true);
  expect_texts(&folder);
  assert_int_equal(folder.n_german, 233);
}

static void a_log_by_itself_finds_what_lies_beside_it(void **state) {
  (void)state;
  counts c = read_input("d/" CORE ".evtx", true);
  assert_int_equal(c.n_rows, 2);
  assert_int_equal(c.n_texts, 1);
  assert_int_equal(chdir("d"), 0);
  c = read_input(CORE ".evtx", true);
  assert_int_equal(c.n_texts, 1);
  assert_int_equal(chdir(".."), 0);
}

/* Unpacked from front to back: what stands before its log is used, the rest is said. */
static void one_direction_uses_what_came_before(void **state) {
  (void)state;
  const counts c = read_input("x.tgz", true);
  assert_int_equal(c.n_rows, 234);
  assert_true(c.n_texts == 233 || c.n_info > 0);
  assert_int_equal(c.n_notes, 0);
}

static void paths_are_taken_apart(void **state) {
  (void)state;
  assert_true(fl_texts_is_path(FL_STR("a/LocaleMetaData/System_1033.MTA")));
  assert_true(fl_texts_is_path(FL_STR("localemetadata/a_b_7.mta")));
  static const char *const others[] = {"System_1033.MTA",
                                       "LocaleMetaData/System.MTA",
                                       "LocaleMetaData/_1033.MTA",
                                       "LocaleMetaData/System_.MTA",
                                       "LocaleMetaData/System_4294967296.MTA",
                                       "LocaleMetaData/x/System_1033.MTA",
                                       "xLocaleMetaData/System_1033.MTA",
                                       "LocaleMetaData/.MTA",
                                       "/"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    assert_false(fl_texts_is_path(fl_str_of(others[i])));
}

/* ---- damage ---- */

typedef struct file_bytes {
  uint8_t *p;
  size_t n;
} file_bytes;

static file_bytes load(const char *path) {
  file_bytes f = {.p = malloc(1 << 20)};
  FILE *in = fopen(path, "rb");
  assert_true(in && f.p);
  f.n = fread(f.p, 1, 1 << 20, in);
  assert_int_equal(fclose(in), 0);
  return f;
}

static void store(const char *path, const uint8_t *bytes, size_t n) {
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, n, out), n);
  assert_int_equal(fclose(out), 0);
}

#define TEXTS "one/LocaleMetaData/log_1033.MTA"

static file_bytes make_one(void) {
  run("rm -rf one && mkdir -p one/LocaleMetaData && cp d/SRV01-Security.evtx one/log.evtx && "
      "cp d/LocaleMetaData/SRV01-Security_1031.MTA " TEXTS);
  return load(TEXTS);
}

static void cut_texts_cost_texts_only(void **state) {
  (void)state;
  const file_bytes f = make_one();
  uint64_t last = 0;
  for (unsigned part = 0; part <= 48; part++) {
    store(TEXTS, f.p, f.n * part / 48);
    const counts c = read_input("one", true);
    assert_int_equal(c.n_rows, 230);
    assert_true(c.n_texts >= last || part == 0);
    assert_true(part == 48 || c.n_notes > 0);
    last = c.n_texts;
  }
  assert_int_equal(last, 230);
  free(f.p);
}

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed;
}

/* A flip changes a letter, loses one text or, in a page's head, those of its page and behind. */
static void flipped_bits_never_cost_records(void **state) {
  (void)state;
  const file_bytes f = make_one();
  uint64_t seed = UINT64_C(0x7e575eed7e575eed), n_lost = 0;
  for (int i = 0; i < 600; i++) {
    /* A third of the flips hits headers, which are a small part of the file. */
    const size_t at = next_random(&seed) % (i % 3 == 0 ? 2000 : f.n);
    const uint8_t bit = (uint8_t)(1u << (next_random(&seed) & 7));
    f.p[at] ^= bit;
    store(TEXTS, f.p, f.n);
    f.p[at] ^= bit;
    const counts c = read_input("one", true);
    assert_int_equal(c.n_rows, 230);
    n_lost += 230 - c.n_texts;
  }
  assert_true(n_lost < 600 * 230 / 4);
  free(f.p);
}

/* A page that leads to an earlier one must not be walked for ever. */
static void pages_do_not_lead_back(void **state) {
  (void)state;
  const file_bytes f = make_one();
  uint64_t texts_at = 0;
  memcpy(&texts_at, f.p + 24 + 26, sizeof texts_at);
  const uint64_t second = 8;
  memcpy(f.p + texts_at + 72, &second, sizeof second);
  store(TEXTS, f.p, f.n);
  const counts c = read_input("one", true);
  assert_int_equal(c.n_rows, 230);
  assert_true(c.n_texts < 100 && c.n_notes > 0);
  free(f.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_behind_their_logs_are_found),
      cmocka_unit_test(the_only_language_is_used),
      cmocka_unit_test(a_log_by_itself_finds_what_lies_beside_it),
      cmocka_unit_test(one_direction_uses_what_came_before),
      cmocka_unit_test(paths_are_taken_apart),
      cmocka_unit_test(cut_texts_cost_texts_only),
      cmocka_unit_test(flipped_bits_never_cost_records),
      cmocka_unit_test(pages_do_not_lead_back),
  };
  return cmocka_run_group_tests(tests, make_bundle, remove_bundle);
}
