/* trace.h - why a rule did or did not match one event: lines, each below what it belongs to. */
#ifndef FAULTLINE_TRACE_H
#define FAULTLINE_TRACE_H

#include "faultline/core.h"

typedef enum fl_trace_mark {
  FL_TRACE_NOTE, /* says something, decides nothing */
  FL_TRACE_TRUE,
  FL_TRACE_FALSE,
  FL_TRACE_UNKNOWN
} fl_trace_mark;
FL_API extern const char *const fl_trace_mark_names[4]; /* "", "true", "false", "unknown" */

typedef struct fl_trace_line {
  unsigned depth; /* 0 = outermost */
  fl_trace_mark mark;
  const char *kind; /* "rule", "event", "clause", "capture", "anchor", "step", "score", … */
  fl_str text;
} fl_trace_line;

/* Filled by one rule's engine; any engine may add lines. */
typedef struct fl_trace fl_trace;
FL_API fl_status fl_trace_create(fl_trace **ret_trace, fl_err *err);
FL_API void fl_trace_free(fl_trace *trace);
FL_API void fl_trace_add(fl_trace *trace, unsigned depth, const char *kind, fl_trace_mark mark,
                         const char *format, ...) FL_PRINTF(5, 6);
FL_API size_t fl_trace_lines(const fl_trace *trace, const fl_trace_line **ret_lines);
/* Did the rule match with this event in it? */
FL_API void fl_trace_matches(fl_trace *trace);
FL_API bool fl_trace_is_match(const fl_trace *trace);
/* Was the event met at all; memory ran out on the way. */
FL_API void fl_trace_meet(fl_trace *trace);
FL_API bool fl_trace_is_met(const fl_trace *trace);
FL_API bool fl_trace_has_failed(const fl_trace *trace);

/* What is asked: one rule, one event by its reference. */
typedef struct fl_trace_request {
  fl_str rule, source;
  uint64_t offset;
  fl_trace *trace;
} fl_trace_request;

#endif
