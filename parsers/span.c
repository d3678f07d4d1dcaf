/* span.c - what one span gave, kept until its turn to be delivered comes. */
#include "parsers/span.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

fl_status fl_span_init(fl_span *span, fl_err *err) {
  *span = (fl_span){.texts = fl_arena_create(FL_LIMIT_JOB_ARENA)};
  if (!span->texts) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return fl_rows_init(&span->rows, err);
}

void fl_span_done(fl_span *span) {
  fl_rows_free(&span->rows);
  fl_arena_free(span->texts);
  free(span->notes);
  fl_ledger_free(&span->ledger);
}

void fl_span_empty(fl_span *span, const fl_sink *sink) {
  if (span->prepared) sink->drop(sink->self, span->prepared);
  span->prepared = NULL;
  fl_rows_empty(&span->rows);
  fl_arena_reset(span->texts);
  span->n_notes = span->ledger.n_ranges = 0;
  span->status = span->prepare_status = FL_OK;
  span->err = (fl_err){0};
  span->is_given_up = false;
}

void fl_span_note(fl_span *span, const char *format, fl_note note) {
  void *list = span->notes;
  if (!fl_grow(&list, &span->cap_notes, span->n_notes + 1, sizeof *span->notes)) return;
  span->notes = list;
  note.text = fl_arena_str(span->texts, note.text);
  span->notes[span->n_notes++] = (fl_said){format, note};
}

void fl_span_range(fl_span *span, fl_range range) {
  fl_ledger_add(&span->ledger, range, span->texts);
}

/* Rows that may not reach the sink, or not as they are, are none of this. */
static bool count_rows(fl_span *span, uint32_t source) {
  fl_counted counted = {.first = INT64_MAX, .last = INT64_MIN};
  for (uint32_t i = 0; i < span->rows.n_rows; i++) {
    fl_row *row = &span->rows.rows[i];
    if (row->flags & (FL_F_SLACK | FL_F_RECOVERED | FL_ROW_LEFT_OUT)) return false;
    row->source = source;
    row->seq = i;
    counted.n_events++;
    if (row->flags & FL_F_TIME_INVALID) continue;
    if (row->t < counted.first) counted.first = row->t;
    if (row->t > counted.last) counted.last = row->t;
  }
  span->counted = counted;
  return counted.n_events > 0;
}

static fl_batch batch_of(const fl_frame *frame, const fl_span *span) {
  return (fl_batch){frame->info.id, span->rows.n_rows, span->rows.rows, span->rows.slots,
                    frame->job.source};
}

void fl_span_prepare(const fl_frame *reader, fl_span *span) {
  const fl_sink *sink = reader->job.run->sink;
  if (!sink->prepare || reader->texts || !count_rows(span, reader->info.id)) return;
  const fl_batch batch = batch_of(reader, span);
  fl_err err = {0};
  const fl_status status =
      sink->prepare(sink->self, reader->job.reader, &batch, &span->prepared, &err);
  if (status >= FL_OK) return;
  span->prepare_status = status;
  span->err = err;
}

/* The rows were seen by the reader; here nothing looks at them any more. */
static fl_status take_prepared(fl_frame *frame, fl_span *span, fl_err *err) {
  struct fl_run *run = frame->job.run;
  const fl_batch batch = batch_of(frame, span);
  const uint64_t first_seq = frame->seq;
  void *prepared = span->prepared;
  span->prepared = NULL;
  frame->seq += span->rows.n_rows;
  fl_run_count(frame, &span->counted);
  if (run->stop != FL_OK) {
    run->sink->drop(run->sink->self, prepared);
    return run->stop;
  }
  const fl_status status = run->sink->take(run->sink->self, &batch, first_seq, prepared, err);
  if (status < FL_OK) fl_run_stop(run, status, err);
  fl_rows_empty(&span->rows);
  return status < FL_OK ? status : FL_OK;
}

fl_status fl_span_deliver(fl_frame *frame, fl_span *span, fl_err *err) {
  for (size_t i = 0; i < span->n_notes; i++)
    fl_run_tell(frame, span->notes[i].format, &span->notes[i].note);
  for (size_t i = 0; i < span->ledger.n_ranges; i++)
    fl_ledger_add(&frame->ledger, span->ledger.ranges[i], frame->job.arena);
  frame->ledger.is_short_of_memory |= span->ledger.is_short_of_memory;
  if (span->prepare_status < FL_OK)
    return fl_run_stop(frame->job.run, span->prepare_status, &span->err);
  return span->prepared ? take_prepared(frame, span, err)
                        : fl_rows_deliver(frame, &span->rows, err);
}
