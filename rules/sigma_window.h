/* sigma_window.h - one group of events in order of time, and where a correlation holds in it. */
#ifndef FL_RULES_SIGMA_WINDOW_H
#define FL_RULES_SIGMA_WINDOW_H

#include "rules/sigma_gather.h"

/* An event, or a correlation that held, on its way into a correlation. */
typedef struct fl_sigma_link_item {
  uint32_t key, ref;
  fl_time t;
  uint32_t seen;   /* of the event, or of the last one of the result */
  uint32_t result; /* FL_SIGMA_NOTHING: it is an event */
  uint32_t value;
  uint32_t rank; /* of its source, by name: no two have the same */
  double number;
  uint64_t seq; /* of the event in its source */
} fl_sigma_link_item;

/* Items first to last hold together; `chosen` instead where only some of them are meant. */
typedef struct fl_sigma_span {
  size_t first, last;
  const size_t *chosen;
  size_t n_chosen;
  size_t at; /* the item at which it was complete */
} fl_sigma_span;

typedef struct fl_sigma_windows {
  const fl_sigma_correlation *c;
  const fl_sigma_link_item *items;
  size_t n;
  uint32_t *counts; /* of each word, all 0 between calls */
  double *numbers;  /* those of a window */
  size_t cap_numbers;
  bool was_cut; /* a search went on too long */
  fl_status (*give)(void *self, const fl_sigma_span *span, fl_err *err);
  void (*put_aside)(void *self); /* called now and then: items may lie outside of memory */
  void *self;
} fl_sigma_windows;

enum { FL_SIGMA_ASIDE = 1 << 16 }; /* items, from one call to the next */
static inline void fl_sigma_windows_pass(const fl_sigma_windows *w, size_t at) {
  if (at % FL_SIGMA_ASIDE == FL_SIGMA_ASIDE - 1) w->put_aside(w->self);
}

/* Calls `give` for each place where the correlation holds, in order of time. */
fl_status fl_sigma_windows_find(fl_sigma_windows *w, fl_err *err);
/* sigma_sequence.c: the types that look at which rules there are, and when. */
fl_status fl_sigma_windows_ordered(fl_sigma_windows *w, fl_err *err);
fl_status fl_sigma_windows_absent(fl_sigma_windows *w, fl_err *err);
bool fl_sigma_expr_of_refs(const fl_sigma_expr *expr, uint64_t refs);

/* sigma_sort.c: items by group, time and place. Those that lie outside of memory are sorted piece
 * by piece. */
fl_status fl_sigma_items_sort(fl_vast *items, size_t n, size_t most_memory, fl_err *err);

#endif
