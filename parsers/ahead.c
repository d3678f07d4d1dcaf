/* ahead.c - spans that a worker reads while those before them are delivered.
 *
 * Parsers know nothing of it: what they say goes into the span they are reading, and is said again
 * when its turn comes. So the sink sees the same calls in the same order as without a worker. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/pool.h"
#include "parsers/run.h"

/* One being read, one ready, one being delivered. */
enum { N_SPANS = 3 };

typedef struct said {
  fl_severity severity;
  uint64_t offset;
  fl_str text; /* empty: only counted */
} said;

/* What a span gave. The worker's until it is taken, the driver's until it is given back. */
typedef struct span {
  fl_rows rows;
  fl_arena *texts; /* of notes */
  said *notes;
  size_t n_notes, cap_notes;
  fl_err err;
} span;

struct fl_spans {
  span spans[N_SPANS];
  fl_frame *frame;
  const fl_parser *parser;
  void *state;
  fl_ahead *ahead;
  span *current; /* the worker's */
};

static fl_spans *spans_create(void) {
  fl_spans *spans = calloc(1, sizeof *spans);
  bool is_ready = spans != NULL;
  for (unsigned i = 0; is_ready && i < N_SPANS; i++) {
    spans->spans[i].texts = fl_arena_create(FL_LIMIT_JOB_ARENA);
    is_ready = spans->spans[i].texts && fl_rows_init(&spans->spans[i].rows, NULL) == FL_OK;
  }
  if (is_ready) return spans;
  fl_spans_free(spans);
  return NULL;
}

void fl_spans_free(fl_spans *spans) {
  if (!spans) return;
  for (unsigned i = 0; i < N_SPANS; i++) {
    fl_rows_free(&spans->spans[i].rows);
    fl_arena_free(spans->spans[i].texts);
    free(spans->spans[i].notes);
  }
  free(spans);
}

void fl_spans_note(fl_spans *spans, fl_severity severity, uint64_t offset, fl_str text) {
  span *s = spans->current;
  void *list = s->notes;
  if (!fl_grow(&list, &s->cap_notes, s->n_notes + 1, sizeof *s->notes)) return;
  s->notes = list;
  const fl_str copy = text.n ? fl_arena_str(s->texts, text) : (fl_str){0};
  s->notes[s->n_notes++] = (said){severity, offset, copy};
}

fl_status fl_spans_flush(fl_spans *spans, fl_err *err) {
  if (fl_ahead_hand_over(spans->ahead)) return FL_OK;
  return fl_fail(err, FL_E_STOPPED, 0, "nobody wants more");
}

static fl_status make_span(void *self, uint64_t item, unsigned slot) {
  fl_spans *spans = self;
  span *s = spans->current = &spans->spans[slot];
  s->err = (fl_err){0};
  return spans->parser->read(&spans->frame->job, spans->state, item, &s->rows, &s->err);
}

/* Says what the span's parser said and delivers its rows. */
static fl_status deliver(fl_frame *frame, span *s, fl_err *err) {
  for (size_t i = 0; i < s->n_notes; i++)
    fl_run_note(frame, s->notes[i].severity, s->notes[i].offset, s->notes[i].text);
  s->n_notes = 0;
  fl_arena_reset(s->texts);
  return fl_rows_deliver(frame, &s->rows, err);
}

static fl_status take_spans(fl_spans *spans, bool *ret_is_capped, fl_err *err) {
  struct fl_run *run = spans->frame->job.run;
  fl_status result = FL_OK;
  for (;;) {
    unsigned slot = 0;
    fl_status made = FL_OK;
    bool is_whole = false;
    if (fl_ahead_take(spans->ahead, &slot, &made, &is_whole) == FL_END) return result;
    span *s = &spans->spans[slot];
    *ret_is_capped = fl_arena_is_capped(s->rows.arena);
    const fl_status delivered = deliver(spans->frame, s, err);
    if (made < FL_OK) *err = s->err;
    result = made < FL_OK ? made : delivered;
    fl_ahead_give_back(spans->ahead);
    if (result < FL_OK || run->stop != FL_OK) return result;
  }
}

fl_status fl_spans_read(fl_frame *frame, const fl_parser *parser, void *state, uint64_t n_spans,
                        bool *ret_is_capped, fl_err *err) {
  struct fl_run *run = frame->job.run;
  if (!run->spans && !(run->spans = spans_create()))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_spans *spans = run->spans;
  spans->frame = frame;
  spans->parser = parser;
  spans->state = state;
  spans->current = &spans->spans[0];
  frame->spans = spans;
  fl_status s = fl_ahead_start(n_spans, N_SPANS, make_span, spans, &spans->ahead, err);
  if (s == FL_OK) s = take_spans(spans, ret_is_capped, err);
  else s = FL_END;
  fl_ahead_stop(spans->ahead);
  spans->ahead = NULL;
  frame->spans = NULL;
  for (unsigned i = 0; i < N_SPANS; i++) { /* what nobody took any more */
    fl_rows_empty(&spans->spans[i].rows);
    spans->spans[i].n_notes = 0;
    fl_arena_reset(spans->spans[i].texts);
  }
  return s;
}
