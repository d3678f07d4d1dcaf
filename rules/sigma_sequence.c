/* sigma_sequence.c - correlations over which rules match: in an order, or with some absent.
 *
 * Absent means: in no window of the timespan that holds the events that are there. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/sigma_window.h"

bool fl_sigma_expr_of_refs(const fl_sigma_expr *expr, uint64_t refs) {
  if (expr->kind == FL_SIGMA_PRED) return refs >> expr->pred & 1;
  if (expr->kind == FL_SIGMA_NOT) return !fl_sigma_expr_of_refs(expr->kid, refs);
  for (const fl_sigma_expr *kid = expr->kid; kid; kid = kid->next)
    if (fl_sigma_expr_of_refs(kid, refs) == (expr->kind == FL_SIGMA_OR))
      return expr->kind == FL_SIGMA_OR;
  return expr->kind == FL_SIGMA_AND;
}

/* The first item at or after a time. */
static size_t at_time(const fl_sigma_windows *w, fl_time t) {
  size_t low = 0, high = w->n;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (w->items[middle].t < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Which of the refs that should be absent are near events from `first` to `last`. */
static uint64_t find_unwanted(fl_sigma_windows *w, fl_time first, fl_time last) {
  uint64_t refs = 0;
  const fl_time end = first + w->c->span_ns;
  size_t n_looked = 0;
  for (size_t i = at_time(w, last - w->c->span_ns); i < w->n && w->items[i].t <= end; i++) {
    refs |= w->c->negated & UINT64_C(1) << w->items[i].ref;
    if (refs == w->c->negated) break;
    if (n_looked++ >= FL_LIMIT_SIGMA_SCAN) w->was_cut = true;
    if (w->was_cut) break;
  }
  return refs;
}

/* Where, from `first` on, all is there that should be; SIZE_MAX = nowhere within the timespan. */
static size_t find_wanted(fl_sigma_windows *w, size_t first, uint64_t *ret_refs) {
  *ret_refs = 0;
  for (size_t i = first; i < w->n && w->items[i].t - w->items[first].t <= w->c->span_ns; i++) {
    const uint64_t ref = UINT64_C(1) << w->items[i].ref;
    if (ref & w->c->negated) continue;
    *ret_refs |= ref;
    if (fl_sigma_expr_of_refs(w->c->expr, *ret_refs)) return i;
    if (i - first >= FL_LIMIT_SIGMA_SCAN) {
      w->was_cut = true;
      return SIZE_MAX;
    }
  }
  return SIZE_MAX;
}

fl_status fl_sigma_windows_absent(fl_sigma_windows *w, fl_err *err) {
  for (size_t first = 0; first < w->n; first++) {
    uint64_t refs = 0;
    fl_sigma_windows_pass(w, first);
    if (w->c->negated >> w->items[first].ref & 1) continue;
    const size_t last = find_wanted(w, first, &refs);
    if (last == SIZE_MAX) continue;
    refs |= find_unwanted(w, w->items[first].t, w->items[last].t);
    if (!fl_sigma_expr_of_refs(w->c->expr, refs)) continue;
    const fl_sigma_span span = {.first = first, .last = last, .at = last};
    FL_TRY(w->give(w->self, &span, err));
    first = last;
  }
  return FL_OK;
}

/* The way to a step that began last: nothing that begins earlier can end where it cannot. */
typedef struct way {
  bool is_there;
  fl_time start;
  size_t items[FL_SIGMA_MAX_REFS];
} way;

/* Of two events at one time in one log the record's place decides; in two logs nobody can tell. */
static bool may_follow(const fl_sigma_windows *w, size_t before, size_t at) {
  const fl_sigma_link_item *a = &w->items[before];
  const fl_sigma_link_item *b = &w->items[at];
  if (a->seen == b->seen || a->t > b->t) return false;
  return !(a->rank == b->rank && a->seq == b->seq) &&
         (a->t < b->t || a->rank != b->rank || a->seq < b->seq);
}

static bool can_go_on(const fl_sigma_windows *w, const way *from, size_t step, size_t at) {
  return from->is_there && w->items[at].t - from->start <= w->c->span_ns &&
         may_follow(w, from->items[step - 1], at);
}

/* Item `at` as step `step`: behind the newest way to the step before it. */
static void advance(const fl_sigma_windows *w, const way *before, way *now, size_t step,
                    size_t at) {
  way next = {.is_there = true, .start = w->items[at].t};
  if (step > 0) {
    const way *from = can_go_on(w, &now[step - 1], step, at)      ? &now[step - 1]
                      : can_go_on(w, &before[step - 1], step, at) ? &before[step - 1]
                                                                  : NULL;
    if (!from) return;
    next.start = from->start;
    memcpy(next.items, from->items, step * sizeof *next.items);
  }
  next.items[step] = at;
  if (!now[step].is_there || next.start >= now[step].start) now[step] = next;
}

static fl_status give_way(fl_sigma_windows *w, way *ways, fl_err *err) {
  const size_t n = w->c->n_steps;
  way *last = &ways[n - 1];
  uint64_t refs = 0;
  if (!last->is_there) return FL_OK;
  const fl_sigma_span span = {.first = last->items[0],
                              .last = last->items[n - 1],
                              .chosen = last->items,
                              .n_chosen = n,
                              .at = last->items[n - 1]};
  for (size_t i = 0; i < n; i++) refs |= UINT64_C(1) << w->items[last->items[i]].ref;
  if (w->c->negated) refs |= find_unwanted(w, w->items[span.first].t, w->items[span.last].t);
  if (w->c->expr && !fl_sigma_expr_of_refs(w->c->expr, refs)) {
    last->is_there = false;
    return FL_OK;
  }
  const fl_status s = w->give(w->self, &span, err);
  memset(ways, 0, n * sizeof *ways); /* an event is in one finding */
  return s;
}

/* Events of one time are taken together. */
fl_status fl_sigma_windows_ordered(fl_sigma_windows *w, fl_err *err) {
  const size_t n_steps = w->c->n_steps;
  way *ways = calloc(2 * n_steps, sizeof *ways);
  if (!ways) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for correlations");
  way *before = ways + n_steps;
  fl_status s = FL_OK;
  for (size_t first = 0, end; first < w->n && s == FL_OK; first = end) {
    memcpy(before, ways, n_steps * sizeof *ways);
    for (end = first; end < w->n && w->items[end].t == w->items[first].t;) end++;
    fl_sigma_windows_pass(w, first);
    for (size_t step = 0; step < n_steps; step++)
      for (size_t at = first; at < end; at++)
        if (w->c->steps[step] >> w->items[at].ref & 1) advance(w, before, ways, step, at);
    s = give_way(w, ways, err);
  }
  free(ways);
  return s;
}
