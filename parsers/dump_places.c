/* dump_places.c - sorts, cuts overlaps, joins neighbours. */
#include "parsers/dump_places.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

void dump_places_add(dump_places *places, uint64_t offset, uint64_t length, fl_ledger_state state,
                     const char *reason) {
  void *list = places->ranges;
  if (length == 0 || places->n_ranges >= 4 * (size_t)FL_LIMIT_LEDGER_RANGES) return;
  if (!fl_grow(&list, &places->cap_ranges, places->n_ranges + 1, sizeof *places->ranges)) return;
  places->ranges = list;
  places->ranges[places->n_ranges++] = (fl_range){offset, length, state, fl_str_of(reason)};
}

static int compare(const void *left, const void *right) {
  const fl_range *a = left, *b = right;
  if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
  if (a->state != b->state) return a->state < b->state ? -1 : 1;
  return a->length < b->length ? 1 : a->length > b->length ? -1 : 0;
}

static void tell_rest(fl_job *job, uint64_t from, uint64_t to, const char *rest) {
  if (rest && to > from) fl_job_ledger(job, from, to - from, FL_L_SKIPPED, rest);
}

void dump_places_tell(dump_places *places, fl_job *job, const char *rest) {
  const uint64_t size = fl_source_size(job->source);
  uint64_t told = 0;
  if (places->n_ranges) qsort(places->ranges, places->n_ranges, sizeof *places->ranges, compare);
  for (size_t i = 0; i < places->n_ranges; i++) {
    fl_range r = places->ranges[i];
    if (r.offset >= size) break;
    if (r.length > size - r.offset) r.length = size - r.offset;
    const uint64_t end = r.offset + r.length;
    if (end <= told) continue;
    if (r.offset < told) r.offset = told;
    tell_rest(job, told, r.offset, rest);
    fl_job_ledger(job, r.offset, end - r.offset, r.state, r.reason.p);
    told = end;
  }
  tell_rest(job, told, size, rest);
}

void dump_places_drop(dump_places *places) {
  free(places->ranges);
  *places = (dump_places){0};
}
