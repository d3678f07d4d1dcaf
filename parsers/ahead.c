/* ahead.c - spans that workers read while those before them are delivered (docs/adr/0010).
 *
 * Where a format allows it and nobody judges records before they are decoded, several readers work
 * at the same time, and who delivers helps them while there is nothing to deliver. Else one worker
 * reads span after span. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/pool.h"
#include "parsers/span.h"

/* Beside those that are being read: one ready, one being delivered. */
enum { SPARE_SPANS = 2, MOST_SPANS = FL_MAX_READERS + SPARE_SPANS };

struct fl_spans {
  fl_span items[MOST_SPANS]; /* going round */
  uint64_t tasks[MOST_SPANS];
  unsigned n_items;
  fl_frame readers[FL_MAX_READERS]; /* the caller's is the first */
  fl_arena *arenas[FL_MAX_READERS];
  fl_frame *frame;
  const fl_parser *parser;
  void *state;
  uint64_t n_spans, n_given;
  fl_crew *crew;
  bool is_in_order; /* one worker reads, and the caller only what was given up */
  bool is_held;     /* in order: a span was given up, those behind it have to wait */
};

void fl_spans_free(fl_spans *spans) {
  if (!spans) return;
  for (unsigned i = 0; i < MOST_SPANS; i++) fl_span_done(&spans->items[i]);
  for (unsigned i = 0; i < FL_MAX_READERS; i++) fl_arena_free(spans->arenas[i]);
  free(spans);
}

/* The run's first source that is read ahead makes room for all of them. */
static fl_status make_room(fl_spans **ret_spans, unsigned n_readers, fl_err *err) {
  fl_spans *spans = *ret_spans;
  if (!spans) spans = *ret_spans = calloc(1, sizeof *spans);
  if (!spans) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (unsigned i = 0; i < n_readers; i++) {
    if (!spans->arenas[i]) spans->arenas[i] = fl_arena_create(FL_LIMIT_JOB_ARENA);
    if (!spans->arenas[i]) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  spans->n_items = n_readers + SPARE_SPANS;
  for (unsigned i = 0; i < spans->n_items; i++)
    if (!spans->items[i].rows.rows) FL_TRY(fl_span_init(&spans->items[i], err));
  return FL_OK;
}

static void read_span(void *self, void *task, unsigned worker) {
  fl_spans *spans = self;
  fl_span *span = task;
  fl_frame *reader = &spans->readers[worker == FL_CREW_CALLER ? 0 : worker + 1];
  span->is_given_up = spans->is_in_order && spans->is_held;
  if (span->is_given_up) return;
  reader->span = span;
  span->status =
      spans->parser->read(&reader->job, spans->state, span->number, &span->rows, &span->err);
  if (spans->is_in_order) spans->is_held = span->is_given_up;
  else if (!span->is_given_up && span->status >= FL_OK) fl_span_prepare(reader, span);
}

/* Readers speak with their own voice; in order they are all the same one. */
static void set_readers(fl_spans *spans, unsigned n_readers) {
  for (unsigned i = 0; i < n_readers; i++) {
    spans->readers[i] = *spans->frame;
    spans->readers[i].job.arena = spans->arenas[i];
    spans->readers[i].job.reader = spans->is_in_order ? 0 : i;
  }
}

static void give_spans(fl_spans *spans, uint64_t next) {
  while (spans->n_given < spans->n_spans && spans->n_given - next < spans->n_items) {
    const unsigned place = (unsigned)(spans->n_given % spans->n_items);
    spans->items[place].number = spans->n_given++;
    spans->tasks[place] = fl_crew_give(spans->crew, &spans->items[place]);
  }
}

/* As without workers. */
static fl_status read_again(fl_spans *spans, fl_span *span, bool *ret_is_capped, fl_err *err) {
  fl_frame *frame = spans->frame;
  fl_rows *rows = &frame->job.run->rows;
  const fl_status status = spans->parser->read(&frame->job, spans->state, span->number, rows, err);
  *ret_is_capped = fl_arena_is_capped(rows->arena);
  fl_err flush_err = {0};
  const fl_status flushed = fl_rows_deliver(frame, rows, status < FL_OK ? &flush_err : err);
  return status < FL_OK ? status : flushed;
}

static fl_status deliver(fl_spans *spans, fl_span *span, bool *ret_is_capped, fl_err *err) {
  *ret_is_capped = fl_arena_is_capped(span->rows.arena);
  const fl_status delivered = fl_span_deliver(spans->frame, span, err);
  if (span->status >= FL_OK) return delivered;
  *err = span->err;
  return span->status;
}

static fl_status take_spans(fl_spans *spans, bool *ret_is_capped, fl_err *err) {
  const struct fl_run *run = spans->frame->job.run;
  uint64_t held_until = 0; /* all that were given before are done with, and no worker is busy */
  fl_status status = FL_OK;
  for (uint64_t i = 0; i < spans->n_spans && status >= FL_OK && run->stop == FL_OK; i++) {
    if (i == held_until) spans->is_held = false;
    if (i >= held_until) give_spans(spans, i);
    fl_span *span = &spans->items[i % spans->n_items];
    const uint64_t task = spans->tasks[i % spans->n_items];
    if (spans->is_in_order) fl_crew_wait(spans->crew, task);
    else fl_crew_help(spans->crew, task);
    if (span->is_given_up && spans->is_in_order) held_until = spans->n_given;
    status = span->is_given_up ? read_again(spans, span, ret_is_capped, err)
                               : deliver(spans, span, ret_is_capped, err);
    fl_span_empty(span, run->sink);
  }
  return status;
}

static unsigned count_readers(const fl_job *job, const fl_parser *parser) {
  const unsigned n_jobs = job->options->n_jobs ? job->options->n_jobs : fl_processors();
  if (!parser->has_readers || job->options->interest || fl_job_seeks_old(job)) return 2;
  return n_jobs < FL_MAX_READERS ? n_jobs : FL_MAX_READERS;
}

fl_status fl_spans_read(fl_frame *frame, const fl_parser *parser, void *state, uint64_t n_spans,
                        bool *ret_is_capped, fl_err *err) {
  struct fl_run *run = frame->job.run;
  const unsigned n_readers = count_readers(&frame->job, parser);
  FL_TRY(make_room(&run->spans, n_readers, err));
  fl_spans *spans = run->spans;
  spans->frame = frame;
  spans->parser = parser;
  spans->state = state;
  spans->n_spans = n_spans;
  spans->n_given = 0;
  spans->is_held = false;
  spans->is_in_order =
      !parser->has_readers || frame->job.options->interest || fl_job_seeks_old(&frame->job);
  set_readers(spans, n_readers);
  if (fl_crew_start(n_readers - 1, read_span, spans, &spans->crew, NULL) < FL_OK) return FL_END;
  const fl_status status = take_spans(spans, ret_is_capped, err);
  fl_crew_stop(spans->crew);
  spans->crew = NULL;
  for (unsigned i = 0; i < spans->n_items; i++) fl_span_empty(&spans->items[i], run->sink);
  for (unsigned i = 0; i < n_readers; i++) fl_arena_reset(spans->arenas[i]);
  return status;
}
