/* ingest_corpus_test.c - real logs, where there are any: all are read, and two engines agree. */
#include "ingest_recorder.h"

typedef struct tally {
  uint64_t n_rows, n_named;
  fl_time last[16];
  size_t n_sources;
} tally;

static fl_status tally_batch(void *self, const fl_batch *batch, fl_err *err) {
  (void)err;
  tally *t = self;
  for (uint32_t i = 0; i < batch->n_rows; ++i) {
    const fl_row *row = &batch->rows[i];
    const bool has_names = fl_row_column(batch, row, FL_C_PROVIDER).n != 0 &&
                           fl_row_column(batch, row, FL_C_CHANNEL).n != 0 &&
                           fl_row_column(batch, row, FL_C_HOST).n != 0;
    t->n_named += has_names;
    ++t->n_rows;
  }
  return FL_OK;
}

static fl_status tally_end(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  tally *t = self;
  if (t->n_sources < 16) t->last[t->n_sources++] = source->last;
  return FL_OK;
}

static char *corpus_path(const char *below) {
  const char *top = getenv("FL_CORPUS");
  char *path = NULL;
  if (!top || asprintf(&path, "%s/%s", top, below) < 0) return NULL;
  if (access(path, R_OK) == 0) return path;
  free(path);
  return NULL;
}

static void read_with(fl_engine engine, char *path, tally *t, fl_ingest_totals *totals) {
  const fl_sink sink = {.self = t, .batch = tally_batch, .end = tally_end};
  const fl_ingest_options options = {.engine = engine, .n_jobs = 1};
  fl_err err = {0};
  assert_int_equal(fl_ingest(&path, 1, &options, &sink, totals, &err), FL_OK);
}

static void test_engines_agree(void **state) {
  (void)state;
  char *path = corpus_path("evtx-sets");
  if (!path) skip();
  tally ours = {0}, theirs = {0};
  fl_ingest_totals our_totals = {0}, their_totals = {0};
  read_with(FL_ENGINE_OWN, path, &ours, &our_totals);
  read_with(FL_ENGINE_LIBEVTX, path, &theirs, &their_totals);
  assert_true(ours.n_rows > 0);
  assert_int_equal(ours.n_rows, theirs.n_rows);
  assert_int_equal(ours.n_named, ours.n_rows);
  assert_int_equal(theirs.n_named, theirs.n_rows);
  assert_int_equal(ours.n_sources, theirs.n_sources);
  assert_memory_equal(ours.last, theirs.last, sizeof ours.last);
  free(path);
}

static void test_real_logs_are_all_read(void **state) {
  (void)state;
  char *path = corpus_path("evtx");
  if (!path) skip();
  tally t = {0};
  fl_ingest_totals totals = {0};
  read_with(FL_ENGINE_OWN, path, &t, &totals);
  assert_int_equal(totals.n_failed, 0);
  assert_int_equal(totals.n_parsed + totals.n_skipped + 1, totals.n_sources);
  free(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_engines_agree),
      cmocka_unit_test(test_real_logs_are_all_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
