/* ledger.c - ranges of bytes that tile a source. */
#include "parsers/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

static bool is_same_kind(const fl_range *a, const fl_range *b) {
  return a->state == b->state && fl_str_eq(a->reason, b->reason);
}

/* Joins `next` to `last` when it follows at once and says the same. */
static bool join(fl_range *last, const fl_range *next) {
  if (last->offset + last->length != next->offset || !is_same_kind(last, next)) return false;
  last->length += next->length;
  return true;
}

/* The ledger is full: its last range grows over what follows. What lies before it stays without a
 * range. */
static void absorb(fl_range *last, const fl_range *next) {
  if (next->offset < last->offset) return;
  const uint64_t n = next->offset - last->offset + next->length;
  if (n > last->length) last->length = n;
}

void fl_ledger_add(fl_ledger *ledger, fl_range range, fl_arena *arena) {
  if (range.length == 0) return;
  if (ledger->n_ranges != 0 && join(&ledger->ranges[ledger->n_ranges - 1], &range)) return;
  if (ledger->n_ranges > FL_LIMIT_LEDGER_RANGES) {
    absorb(&ledger->ranges[ledger->n_ranges - 1], &range);
    return;
  }
  if (ledger->n_ranges == FL_LIMIT_LEDGER_RANGES) {
    range.state = FL_L_DAMAGED;
    range.reason =
        FL_STR("limit reached: more ranges than are kept, some of these bytes were read");
  }
  if (range.reason.n != 0) range.reason = fl_arena_str(arena, range.reason);
  if (!fl_grow((void **)&ledger->ranges, &ledger->cap_ranges, ledger->n_ranges + 1,
               sizeof *ledger->ranges)) {
    ledger->is_short_of_memory = true;
    return;
  }
  if (!range.reason.p) range.reason.n = 0;
  ledger->ranges[ledger->n_ranges++] = range;
}

static int by_offset(const void *left, const void *right) {
  const fl_range *a = left, *b = right;
  if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
  if (a->length != b->length) return a->length < b->length ? -1 : 1;
  return (a->state > b->state) - (a->state < b->state);
}

static fl_status check_tiling(const fl_ledger *ledger, uint64_t size_bytes, fl_err *err) {
  for (size_t i = 0; i < ledger->n_ranges; ++i) {
    const fl_range *r = &ledger->ranges[i];
    if (r->offset > size_bytes || r->length > size_bytes - r->offset)
      return fl_fail(err, FL_E_INTERNAL, r->offset,
                     "ledger: %s range %" PRIu64 "+%" PRIu64 " leaves the source of %" PRIu64
                     " bytes",
                     fl_ledger_state_names[r->state], r->offset, r->length, size_bytes);
    if (i == 0) continue;
    const fl_range *before = r - 1;
    if (before->offset + before->length > r->offset)
      return fl_fail(err, FL_E_INTERNAL, r->offset,
                     "ledger: %s range %" PRIu64 "+%" PRIu64 " overlaps %s range %" PRIu64
                     "+%" PRIu64,
                     fl_ledger_state_names[before->state], before->offset, before->length,
                     fl_ledger_state_names[r->state], r->offset, r->length);
  }
  return FL_OK;
}

/* Copies the sorted ranges to `tiles`, gaps filled; tiles has room for 2 n + 1. */
static size_t fill_gaps(const fl_ledger *ledger, uint64_t size_bytes, fl_range rest,
                        fl_range *tiles) {
  size_t n = 0;
  uint64_t at = 0;
  for (size_t i = 0; i <= ledger->n_ranges; ++i) {
    const uint64_t next = i < ledger->n_ranges ? ledger->ranges[i].offset : size_bytes;
    if (next > at) {
      rest.offset = at;
      rest.length = next - at;
      if (n == 0 || !join(&tiles[n - 1], &rest)) tiles[n++] = rest;
    }
    if (i == ledger->n_ranges) break;
    if (n == 0 || !join(&tiles[n - 1], &ledger->ranges[i])) tiles[n++] = ledger->ranges[i];
    at = ledger->ranges[i].offset + ledger->ranges[i].length;
  }
  return n;
}

fl_status fl_ledger_finish(fl_ledger *ledger, uint64_t size_bytes, fl_range rest, fl_err *err) {
  if (ledger->is_short_of_memory) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (ledger->n_ranges != 0)
    qsort(ledger->ranges, ledger->n_ranges, sizeof *ledger->ranges, by_offset);
  FL_TRY(check_tiling(ledger, size_bytes, err));
  const size_t cap = 2 * ledger->n_ranges + 1;
  fl_range *tiles = calloc(cap, sizeof *tiles);
  if (!tiles) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const size_t n = fill_gaps(ledger, size_bytes, rest, tiles);
  free(ledger->ranges);
  *ledger = (fl_ledger){.ranges = tiles, .n_ranges = n, .cap_ranges = cap};
  return FL_OK;
}

void fl_ledger_free(fl_ledger *ledger) {
  free(ledger->ranges);
  *ledger = (fl_ledger){0};
}
