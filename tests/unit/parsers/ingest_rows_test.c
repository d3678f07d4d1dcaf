/* ingest_rows_test.c - rows are numbered, counted, filtered and delivered in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parsers/run.h"

typedef struct seen {
  uint32_t n_batches, n_rows;
  uint64_t seq[8];
  fl_status answer;
} seen;

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  seen *s = self;
  ++s->n_batches;
  for (uint32_t i = 0; i < batch->n_rows; ++i) {
    assert_int_equal(batch->rows[i].source, 7);
    s->seq[s->n_rows++] = batch->rows[i].seq;
  }
  return s->answer < FL_OK ? fl_fail(err, s->answer, 0, "enough") : FL_OK;
}

typedef struct stage {
  seen seen;
  fl_sink sink;
  fl_ingest_options options;
  struct fl_run run;
  fl_frame frame;
} stage;

static void set_stage(stage *st, bool with_recovered) {
  *st = (stage){.options = {.with_recovered = with_recovered}};
  st->sink = (fl_sink){.self = &st->seen, .batch = take_batch};
  st->run = (struct fl_run){.options = &st->options, .sink = &st->sink};
  st->frame = (fl_frame){.job = {.source_id = 7, .options = &st->options, .run = &st->run},
                         .info = {.id = 7}};
  assert_int_equal(fl_rows_init(&st->run.rows, NULL), FL_OK);
}

static fl_status deliver(stage *st, fl_err *err) {
  static const struct {
    fl_time t;
    uint32_t flags;
  } rows[] = {{50, 0},        {10, FL_F_SLACK},    {30, FL_F_BAD_CRC}, {0, FL_F_TIME_INVALID},
              {99, FL_F_GAP}, {70, FL_F_RECOVERED}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    st->run.rows.rows[st->run.rows.n_rows++] = (fl_row){.t = rows[i].t, .flags = rows[i].flags};
  return fl_rows_flush(&st->frame.job, &st->run.rows, err);
}

static void expect_counts(const stage *st) {
  assert_int_equal(st->frame.info.n_events, 3);
  assert_int_equal(st->frame.info.n_recovered, 2);
  assert_int_equal(st->frame.info.first, 30);
  assert_int_equal(st->frame.info.last, 50);
  assert_int_equal(st->run.rows.n_rows, 0);
}

static void test_recovered_rows_are_counted_but_kept_back(void **state) {
  (void)state;
  stage st;
  set_stage(&st, false);
  assert_int_equal(deliver(&st, NULL), FL_OK);
  static const uint64_t expected[] = {0, 2, 3, 4};
  assert_int_equal(st.seen.n_rows, 4);
  assert_memory_equal(st.seen.seq, expected, sizeof expected);
  expect_counts(&st);
  fl_rows_free(&st.run.rows);
}

static void test_numbers_are_the_same_with_recovered_rows(void **state) {
  (void)state;
  stage st;
  set_stage(&st, true);
  assert_int_equal(deliver(&st, NULL), FL_OK);
  assert_int_equal(st.seen.n_rows, 6);
  for (uint64_t i = 0; i < 6; ++i) assert_int_equal(st.seen.seq[i], i);
  expect_counts(&st);
  fl_rows_free(&st.run.rows);
}

static void test_sink_ends_the_run(void **state) {
  (void)state;
  stage st;
  fl_err err = {0};
  set_stage(&st, false);
  st.seen.answer = FL_E_STOPPED;
  assert_int_equal(deliver(&st, &err), FL_E_STOPPED);
  assert_int_equal(st.run.stop, FL_E_STOPPED);
  assert_int_equal(deliver(&st, &err), FL_E_STOPPED);
  assert_int_equal(st.seen.n_batches, 1);
  fl_rows_free(&st.run.rows);
}

static void test_room_grows_and_ends(void **state) {
  (void)state;
  fl_rows rows = {0};
  fl_err err = {0};
  assert_int_equal(fl_rows_init(&rows, &err), FL_OK);
  assert_int_equal(fl_rows_slots(&rows, 1000, &err), FL_OK);
  assert_true(rows.cap_slots >= 1000);
  rows.slots[999].n = 5;
  rows.n_slots = 1000;
  assert_int_equal(fl_rows_slots(&rows, 5000, &err), FL_OK);
  assert_int_equal(rows.slots[999].n, 5);
  assert_int_equal(fl_rows_slots(&rows, UINT32_MAX, &err), FL_E_LIMIT);
  assert_int_equal(fl_rows_window(&rows, 1 << 20, &err), FL_OK);
  assert_true(rows.cap_window >= 1 << 20);
  fl_rows_free(&rows);
}

static void test_formats_agree_with_parsers(void **state) {
  (void)state;
  const fl_format_info *formats = NULL;
  const size_t n = fl_formats(&formats);
  for (size_t i = 0; i < n; ++i) {
    assert_non_null(fl_parsers[i]);
    assert_string_equal(formats[i].name, fl_parsers[i]->name);
    assert_true(strlen(formats[i].summary) > 0);
  }
  assert_null(fl_parsers[n]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recovered_rows_are_counted_but_kept_back),
      cmocka_unit_test(test_numbers_are_the_same_with_recovered_rows),
      cmocka_unit_test(test_sink_ends_the_run),
      cmocka_unit_test(test_room_grows_and_ends),
      cmocka_unit_test(test_formats_agree_with_parsers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
