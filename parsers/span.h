/* span.h - what one span gave, kept until its turn to be delivered comes.
 *
 * A parser knows nothing of it: what it says while it reads a span goes here, and is said again in
 * the order of spans. So the sink sees the same calls as when one thread reads and delivers. */
#ifndef FL_PARSERS_SPAN_H
#define FL_PARSERS_SPAN_H

#include "parsers/run.h"

typedef struct fl_said {
  const char *format; /* by its address */
  fl_note note;
} fl_said;

/* The reader's while it is read, then the driver's. */
typedef struct fl_span {
  uint64_t number;
  fl_rows rows;
  fl_arena *texts; /* of notes and ranges */
  fl_said *notes;
  size_t n_notes, cap_notes;
  fl_ledger ledger;
  void *prepared; /* by the sink; NULL: its rows are delivered as they are */
  fl_counted counted;
  fl_status status, prepare_status; /* of reading it, and of what the sink did */
  fl_err err;
  bool is_given_up; /* fl_job_defers: to be read once more when its turn comes */
} fl_span;

fl_status fl_span_init(fl_span *span, fl_err *err);
void fl_span_done(fl_span *span);
void fl_span_empty(fl_span *span, const fl_sink *sink);
void fl_span_note(fl_span *span, const char *format, fl_note note);
void fl_span_range(fl_span *span, fl_range range);
/* Lets the sink prepare the rows, where they are sure to be delivered as they are. */
void fl_span_prepare(const fl_frame *reader, fl_span *span);
/* Says what the span's parser said and delivers its rows. */
fl_status fl_span_deliver(fl_frame *frame, fl_span *span, fl_err *err);

#endif
