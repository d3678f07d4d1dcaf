/* ahead_test.c - spans that are read by several come in order, once, and with all that was said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parsers/run.h"

enum { N_SPANS = 60, ROWS_PER_SPAN = 5, NEVER = 1000 };

typedef struct stage {
  fl_sink sink;
  fl_ingest_options options;
  struct fl_run run;
  fl_frame frame;
  uint64_t n_rows, n_notes, n_taken;
  uint64_t fails_at;
  fl_status answer; /* of the sink to span 30 */
} stage;

/* Times count the rows through all spans; some spans are not for readers that are ahead. */
static fl_status read_span(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  const stage *st = state;
  if (span == st->fails_at) return fl_fail(err, FL_E_CORRUPT, span, "span is broken");
  fl_job_note(job, FL_NOTE_DAMAGED, span, "span %u", (unsigned)span);
  fl_job_ledger(job, span * 10, 10, span % 2 ? FL_L_PARSED : FL_L_EMPTY, "");
  for (uint64_t i = 0; i < ROWS_PER_SPAN; i++) {
    if (span % 7 == 3 && i == 2) FL_TRY(fl_rows_flush(job, rows, err));
    fl_rows_add(rows, &(fl_row){.t = (fl_time)(span * ROWS_PER_SPAN + i)});
  }
  if (span % 11 == 5) (void)fl_job_defers(job);
  return FL_OK;
}

static const fl_parser parser = {.name = "fake", .has_readers = true, .read = read_span};

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  stage *st = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    assert_int_equal(batch->rows[i].t, st->n_rows);
    assert_int_equal(batch->rows[i].seq, st->n_rows++);
  }
  (void)err;
  return FL_OK;
}

static fl_status prepare(void *self, unsigned reader, const fl_batch *batch, void **ret_prepared,
                         fl_err *err) {
  (void)self;
  assert_true(reader < FL_MAX_READERS);
  fl_time *first = malloc(sizeof *first);
  if (!first) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  *first = batch->rows[0].t;
  *ret_prepared = first;
  return FL_OK;
}

static fl_status take(void *self, const fl_batch *batch, uint64_t first_seq, void *prepared,
                      fl_err *err) {
  stage *st = self;
  const fl_time first = *(fl_time *)prepared;
  free(prepared);
  assert_int_equal(first, st->n_rows);
  assert_int_equal(first_seq, st->n_rows);
  st->n_rows += batch->n_rows;
  st->n_taken++;
  if (first == 30 * ROWS_PER_SPAN && st->answer < FL_OK)
    return fl_fail(err, st->answer, 0, "enough");
  return FL_OK;
}

static void drop(void *self, void *prepared) {
  (void)self;
  free(prepared);
}

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  stage *st = self;
  assert_int_equal(note->offset, st->n_notes++);
  return FL_OK;
}

static fl_status read_all(stage *st, unsigned n_jobs, fl_err *err) {
  bool is_capped = false;
  st->sink.self = st;
  st->sink.batch = take_batch;
  st->sink.note = take_note;
  st->options.n_jobs = n_jobs;
  st->run = (struct fl_run){.options = &st->options, .sink = &st->sink};
  st->frame = (fl_frame){.job = {.options = &st->options, .run = &st->run}};
  st->frame.job.arena = fl_arena_create(1 << 20);
  assert_non_null(st->frame.job.arena);
  assert_int_equal(fl_rows_init(&st->run.rows, NULL), FL_OK);
  const fl_status s = fl_spans_read(&st->frame, &parser, st, N_SPANS, &is_capped, err);
  fl_spans_free(st->run.spans);
  fl_rows_free(&st->run.rows);
  return s;
}

static void end(stage *st) {
  fl_ledger_free(&st->frame.ledger);
  fl_arena_free(st->frame.job.arena);
}

static void expect_all(stage *st) {
  assert_int_equal(st->n_rows, N_SPANS * ROWS_PER_SPAN);
  assert_int_equal(st->n_notes, N_SPANS);
  assert_int_equal(st->frame.info.n_events, N_SPANS * ROWS_PER_SPAN);
  assert_int_equal(st->frame.info.last, N_SPANS * ROWS_PER_SPAN - 1);
  assert_int_equal(st->frame.ledger.n_ranges, N_SPANS);
  for (size_t i = 0; i < N_SPANS; i++) assert_int_equal(st->frame.ledger.ranges[i].offset, i * 10);
}

static void spans_come_in_order(void **state) {
  (void)state;
  for (unsigned n_jobs = 2; n_jobs < 6; n_jobs++) {
    stage st = {.fails_at = NEVER};
    assert_int_equal(read_all(&st, n_jobs, NULL), FL_OK);
    expect_all(&st);
    end(&st);
  }
}

static void one_reader_keeps_the_order(void **state) {
  (void)state;
  stage st = {.fails_at = NEVER, .options = {.want_recovered_count = true}};
  assert_int_equal(read_all(&st, 4, NULL), FL_OK);
  expect_all(&st);
  end(&st);
}

static void prepared_batches_come_in_their_turn(void **state) {
  (void)state;
  stage st = {.fails_at = NEVER, .sink = {.prepare = prepare, .take = take, .drop = drop}};
  assert_int_equal(read_all(&st, 3, NULL), FL_OK);
  expect_all(&st);
  assert_in_range(st.n_taken, N_SPANS / 2, N_SPANS - 1); /* what is given up is not prepared */
  end(&st);
}

static void a_broken_span_ends_the_source(void **state) {
  (void)state;
  fl_err err = {0};
  stage st = {.fails_at = 20, .sink = {.prepare = prepare, .take = take, .drop = drop}};
  assert_int_equal(read_all(&st, 4, &err), FL_E_CORRUPT);
  assert_int_equal(err.offset, 20);
  assert_int_equal(st.n_rows, 20 * ROWS_PER_SPAN);
  end(&st);
}

static void a_sink_that_has_enough_ends_the_run(void **state) {
  (void)state;
  stage st = {.fails_at = NEVER,
              .answer = FL_E_STOPPED,
              .sink = {.prepare = prepare, .take = take, .drop = drop}};
  (void)read_all(&st, 4, NULL);
  assert_int_equal(st.run.stop, FL_E_STOPPED);
  assert_int_equal(st.n_rows, 31 * ROWS_PER_SPAN);
  end(&st);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spans_come_in_order),
      cmocka_unit_test(one_reader_keeps_the_order),
      cmocka_unit_test(prepared_batches_come_in_their_turn),
      cmocka_unit_test(a_broken_span_ends_the_source),
      cmocka_unit_test(a_sink_that_has_enough_ends_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
