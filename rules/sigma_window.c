/* sigma_window.c - where in a group of events, ordered by time, a correlation holds.
 *
 * What can only come true as events are added is looked for in a window that slides, so that it is
 * found wherever it is; as long as it stays true it is one finding. What can come untrue again (at
 * most, exactly, an average) is judged on whole windows, each of which begins with the first event
 * behind the last one. */
#include "rules/sigma_window.h"

#include <stdlib.h>

#include "base/mem.h"

typedef struct sums {
  size_t n;
  double total;
  size_t n_values; /* different ones */
  size_t n_of[FL_SIGMA_MAX_REFS];
  uint64_t refs;
} sums;

static void add(const fl_sigma_windows *w, sums *s, size_t at) {
  const fl_sigma_link_item *item = &w->items[at];
  s->n++;
  s->total += item->number;
  if (w->c->type == FL_SIGMA_VALUE_COUNT) s->n_values += w->counts[item->value]++ == 0;
  if (s->n_of[item->ref]++ == 0) s->refs |= UINT64_C(1) << item->ref;
}

static void drop(const fl_sigma_windows *w, sums *s, size_t at) {
  const fl_sigma_link_item *item = &w->items[at];
  s->n--;
  s->total -= item->number;
  if (w->c->type == FL_SIGMA_VALUE_COUNT) s->n_values -= --w->counts[item->value] == 0;
  if (--s->n_of[item->ref] == 0) s->refs &= ~(UINT64_C(1) << item->ref);
}

static bool limits_hold(const fl_sigma_correlation *c, double number) {
  for (size_t i = 0; i < c->n_limits; i++) {
    const fl_sigma_limit *limit = &c->limits[i];
    const bool is_less = number<limit->number, is_more = number> limit->number;
    bool holds = false;
    switch (limit->compare) {
      case FL_SIGMA_IS:
        holds = !is_less && !is_more;
        break;
      case FL_SIGMA_LT:
        holds = is_less;
        break;
      case FL_SIGMA_LTE:
        holds = !is_more;
        break;
      case FL_SIGMA_GT:
        holds = is_more;
        break;
      case FL_SIGMA_GTE:
        holds = !is_less;
        break;
    }
    if (holds == limit->is_negated) return false;
  }
  return true;
}

static int by_number(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Between the two nearest ranks it is interpolated. */
static double percentile(const fl_sigma_windows *w, size_t first, size_t last) {
  const size_t n = last - first + 1;
  for (size_t i = 0; i < n; i++) w->numbers[i] = w->items[first + i].number;
  qsort(w->numbers, n, sizeof *w->numbers, by_number);
  const double rank = w->c->percentile / 100 * (double)(n - 1);
  const size_t low = (size_t)rank;
  const size_t high = low + 1 < n ? low + 1 : low;
  return w->numbers[low] + (rank - (double)low) * (w->numbers[high] - w->numbers[low]);
}

static bool holds(const fl_sigma_windows *w, const sums *s, size_t first, size_t last) {
  switch (w->c->type) {
    case FL_SIGMA_EVENT_COUNT:
      return limits_hold(w->c, (double)s->n);
    case FL_SIGMA_VALUE_COUNT:
      return limits_hold(w->c, (double)s->n_values);
    case FL_SIGMA_VALUE_SUM:
      return limits_hold(w->c, s->total);
    case FL_SIGMA_VALUE_AVG:
      return limits_hold(w->c, s->total / (double)s->n);
    case FL_SIGMA_VALUE_PERCENTILE:
    case FL_SIGMA_VALUE_MEDIAN:
      return limits_hold(w->c, percentile(w, first, last));
    case FL_SIGMA_TEMPORAL:
    case FL_SIGMA_TEMPORAL_ORDERED:
      break;
  }
  if (w->c->expr) return fl_sigma_expr_of_refs(w->c->expr, s->refs);
  return limits_hold(w->c, (double)__builtin_popcountll(s->refs));
}

/* Can it only come true when events are added? */
static bool is_growing(const fl_sigma_correlation *c) {
  if (c->type > FL_SIGMA_VALUE_SUM) return false;
  for (size_t i = 0; i < c->n_limits; i++)
    if (c->limits[i].compare != FL_SIGMA_GT && c->limits[i].compare != FL_SIGMA_GTE) return false;
  return true;
}

static fl_status slide(fl_sigma_windows *w, fl_err *err) {
  sums s = {0};
  fl_sigma_span span = {0};
  bool is_open = false;
  size_t first = 0;
  fl_status status = FL_OK;
  for (size_t at = 0; at < w->n && status == FL_OK; at++) {
    add(w, &s, at);
    fl_sigma_windows_pass(w, at);
    while (w->items[at].t - w->items[first].t > w->c->span_ns) drop(w, &s, first++);
    const bool is_held = holds(w, &s, first, at);
    if (is_held && !is_open) span = (fl_sigma_span){.first = first, .at = at};
    if (is_held) span.last = at;
    if (!is_held && is_open) status = w->give(w->self, &span, err);
    is_open = is_held;
  }
  while (first < w->n) drop(w, &s, first++);
  return is_open && status == FL_OK ? w->give(w->self, &span, err) : status;
}

/* Room for the numbers of a window, where they are put in order. */
static bool has_numbers(fl_sigma_windows *w, size_t n) {
  const bool are_needed =
      w->c->type == FL_SIGMA_VALUE_PERCENTILE || w->c->type == FL_SIGMA_VALUE_MEDIAN;
  return !are_needed || fl_grow((void **)&w->numbers, &w->cap_numbers, n, sizeof *w->numbers);
}

static fl_status step(fl_sigma_windows *w, fl_err *err) {
  fl_status status = FL_OK;
  for (size_t first = 0, end; first < w->n && status == FL_OK; first = end) {
    sums s = {0};
    for (end = first; end < w->n && w->items[end].t - w->items[first].t <= w->c->span_ns; end++)
      add(w, &s, end);
    if (!has_numbers(w, end - first))
      return fl_fail(err, FL_E_NOMEM, 0, "out of memory for correlations");
    if (holds(w, &s, first, end - 1)) {
      const fl_sigma_span span = {.first = first, .last = end - 1, .at = end - 1};
      status = w->give(w->self, &span, err);
    }
    for (size_t i = first; i < end; i++) {
      drop(w, &s, i);
      fl_sigma_windows_pass(w, i);
    }
  }
  return status;
}

fl_status fl_sigma_windows_find(fl_sigma_windows *w, fl_err *err) {
  if (w->c->type == FL_SIGMA_TEMPORAL_ORDERED) return fl_sigma_windows_ordered(w, err);
  if (w->c->negated) return fl_sigma_windows_absent(w, err);
  return is_growing(w->c) ? slide(w, err) : step(w, err);
}
