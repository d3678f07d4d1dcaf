/* trace.c - the lines of a trace, in memory that is bounded. */
#include "faultline/trace.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"

const char *const fl_trace_mark_names[4] = {"", "true", "false", "unknown"};

struct fl_trace {
  fl_arena *arena;
  fl_trace_line *lines;
  size_t n, cap;
  bool is_match, is_met, has_failed;
};

fl_status fl_trace_create(fl_trace **ret_trace, fl_err *err) {
  fl_trace *trace = calloc(1, sizeof *trace);
  if (trace) trace->arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!trace || !trace->arena) {
    fl_trace_free(trace);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a trace");
  }
  *ret_trace = trace;
  return FL_OK;
}

void fl_trace_free(fl_trace *trace) {
  if (!trace) return;
  fl_arena_free(trace->arena);
  free(trace->lines);
  free(trace);
}

void fl_trace_add(fl_trace *trace, unsigned depth, const char *kind, fl_trace_mark mark,
                  const char *format, ...) {
  va_list args;
  va_start(args, format);
  const fl_str text = fl_arena_vprintf(trace->arena, format, args);
  va_end(args);
  if (!text.p || !fl_grow((void **)&trace->lines, &trace->cap, trace->n + 1, sizeof *trace->lines))
    trace->has_failed = true;
  else trace->lines[trace->n++] = (fl_trace_line){depth, mark, kind, text};
}

size_t fl_trace_lines(const fl_trace *trace, const fl_trace_line **ret_lines) {
  *ret_lines = trace->lines;
  return trace->n;
}

void fl_trace_matches(fl_trace *trace) { trace->is_match = true; }
bool fl_trace_is_match(const fl_trace *trace) { return trace->is_match; }
void fl_trace_meet(fl_trace *trace) { trace->is_met = true; }
bool fl_trace_is_met(const fl_trace *trace) { return trace->is_met; }
bool fl_trace_has_failed(const fl_trace *trace) { return trace->has_failed; }
