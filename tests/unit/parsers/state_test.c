/* state_test.c - facts of state as rows: shapes that are kept and shapes that are not, batches,
 * times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "parsers/run.h"
#include "parsers/state.h"

typedef struct stage {
  fl_sink sink;
  fl_ingest_options options;
  struct fl_run run;
  fl_frame frame;
  uint64_t n_rows, n_batches, n_kept, n_temporary, n_local, n_invalid;
  uint64_t last_serial;
} stage;

static bool has_field(const fl_shape *shape, const char *name) {
  for (uint32_t i = 0; i < shape->n_fields; i++)
    if (fl_str_eq(shape->fields[i].name, fl_str_of(name))) return true;
  return false;
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  (void)err;
  stage *st = self;
  st->n_batches++;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    uint64_t id = 0;
    assert_true(fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &id));
    assert_int_equal(id, FL_STATE_SESSION);
    assert_int_equal(row->shape->cached, !(row->shape->serial & FL_SHAPE_TEMPORARY));
    st->n_kept += row->shape->cached;
    st->n_temporary += !row->shape->cached;
    st->n_local += has_field(row->shape, "time_is_local");
    st->n_invalid += (row->flags & FL_F_TIME_INVALID) != 0;
    st->last_serial = row->shape->serial;
  }
  st->n_rows += batch->n_rows;
  return FL_OK;
}

static void set_stage(stage *st, const char *name) {
  *st = (stage){0};
  st->sink = (fl_sink){.self = st, .batch = take_batch};
  st->run = (struct fl_run){.options = &st->options, .sink = &st->sink};
  st->frame =
      (fl_frame){.job = {.options = &st->options, .run = &st->run, .name = fl_str_of(name)}};
  assert_int_equal(fl_rows_init(&st->run.rows, NULL), FL_OK);
}

static void strike(stage *st) {
  fl_run_release_shared(&st->run);
  fl_rows_free(&st->run.rows);
}

static void full_batches_are_delivered(void **state) {
  (void)state;
  stage st;
  fl_fact fact;
  set_stage(&st, "SRV01_x.txt");
  assert_int_equal(fl_fact_init(&fact, &st.frame.job, &st.run.rows, NULL), FL_OK);
  for (unsigned i = 0; i < 2 * FL_BATCH_ROWS + 1; i++) {
    fl_fact_begin(&fact, FL_STATE_SESSION, i, 1, i + 1);
    fl_fact_number(&fact, "session_id", i);
    assert_int_equal(fl_fact_add(&fact, NULL), FL_OK);
  }
  assert_int_equal(st.n_batches, 2);
  assert_int_equal(fl_rows_flush(&st.frame.job, &st.run.rows, NULL), FL_OK);
  assert_int_equal(st.n_rows, 2 * FL_BATCH_ROWS + 1);
  assert_int_equal(st.n_kept, st.n_rows);
  assert_int_equal(st.n_invalid, st.n_rows);
  assert_int_equal(st.run.next_shape, 1);
  assert_int_equal(fact.n_facts, st.n_rows);
  strike(&st);
}

/* Large texts fill the arena before the rows are many. */
static void large_facts_leave_early(void **state) {
  (void)state;
  stage st;
  fl_fact fact;
  const size_t n = FL_LIMIT_RECORD_TEXT + 10;
  char *text = calloc(n, 1);
  assert_non_null(text);
  set_stage(&st, "x");
  assert_int_equal(fl_fact_init(&fact, &st.frame.job, &st.run.rows, NULL), FL_OK);
  for (unsigned i = 0; i < 100; i++) {
    fl_fact_begin(&fact, FL_STATE_SESSION, i, 1, 0);
    fl_fact_text(&fact, "user", (fl_str){text, n});
    assert_int_equal(fl_fact_add(&fact, NULL), FL_OK);
  }
  assert_true(st.n_batches >= 5);
  strike(&st);
  free(text);
}

/* A shape for each set of fields, as many as are kept; the rest lives with its batch. */
static void shapes_are_kept_to_a_limit(void **state) {
  (void)state;
  enum { N = 1500 };
  static char names[N][12];
  stage st;
  fl_fact fact;
  set_stage(&st, "x");
  assert_int_equal(fl_fact_init(&fact, &st.frame.job, &st.run.rows, NULL), FL_OK);
  for (unsigned round = 0; round < 2; round++) {
    for (unsigned i = 0; i < N; i++) {
      (void)snprintf(names[i], sizeof names[i], "field%u", i);
      fl_fact_begin(&fact, FL_STATE_SESSION, i, 1, 0);
      fl_fact_words(&fact, names[i], "value");
      assert_int_equal(fl_fact_add(&fact, NULL), FL_OK);
    }
    assert_int_equal(fl_rows_flush(&st.frame.job, &st.run.rows, NULL), FL_OK);
  }
  assert_int_equal(st.n_kept + st.n_temporary, 2 * N);
  assert_int_equal(st.n_kept, 2 * 1024);
  assert_true(st.last_serial & FL_SHAPE_TEMPORARY);
  strike(&st);
}

static void local_times_are_marked_once(void **state) {
  (void)state;
  stage st;
  fl_fact fact;
  set_stage(&st, "TSS_SRV01_260203-101112_X/a.txt");
  assert_int_equal(fl_fact_init(&fact, &st.frame.job, &st.run.rows, NULL), FL_OK);
  fl_fact_begin(&fact, FL_STATE_SESSION, 0, 1, 1);
  fl_fact_date(&fact, "since", 5);
  fl_fact_local(&fact);
  fl_fact_bool(&fact, "mark", true);
  assert_int_equal(fact.n_fields, 2);
  const char *mark = fact.names[1];
  fl_fact_bool(&fact, mark, true);
  assert_int_equal(fact.n_fields, 2);
  assert_int_equal(fl_fact_add(&fact, NULL), FL_OK);
  fl_fact_begin(&fact, FL_STATE_SESSION, 0, 1, 2);
  fl_fact_time(&fact, 7, false);
  assert_int_equal(fl_fact_add(&fact, NULL), FL_OK);
  assert_int_equal(fl_rows_flush(&st.frame.job, &st.run.rows, NULL), FL_OK);
  assert_int_equal(st.n_local, 1);
  assert_int_equal(st.n_invalid, 0);
  strike(&st);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(full_batches_are_delivered),
      cmocka_unit_test(large_facts_leave_early),
      cmocka_unit_test(shapes_are_kept_to_a_limit),
      cmocka_unit_test(local_times_are_marked_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
