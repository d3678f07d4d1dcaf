/* coverage_solve.c - runs of record ids become ends and holes; what is in doubt is not covered. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "timeline/coverage.h"

enum { HOLES_WHILE_READING = 4 * FL_LIMIT_COVERAGE_HOLES };

static int compare_runs(const void *left, const void *right) {
  const fl_id_run *a = left, *b = right;
  if (a->first != b->first) return a->first < b->first ? -1 : 1;
  return a->last < b->last ? -1 : a->last > b->last;
}

/* Longest first. */
static int compare_lengths(const void *left, const void *right) {
  const fl_id_run *a = left, *b = right;
  const uint64_t n_a = a->last - a->first, n_b = b->last - b->first;
  if (n_a != n_b) return n_a > n_b ? -1 : 1;
  return compare_runs(left, right);
}

static void sort_runs(fl_channel *channel) {
  if (channel->n_runs > 1)
    qsort(channel->runs, channel->n_runs, sizeof *channel->runs, compare_runs);
}

void fl_channel_settle(fl_channel *channel, size_t max_runs) {
  sort_runs(channel);
  size_t n = 0;
  for (size_t i = 0; i < channel->n_runs; i++) {
    const fl_id_run run = channel->runs[i];
    fl_id_run *last = n ? &channel->runs[n - 1] : NULL;
    if (!last || (run.first > last->last && run.first - last->last > 1)) {
      channel->runs[n++] = run;
      continue;
    }
    if (run.last > last->last) last->last = run.last;
    if (run.t_first < last->t_first) last->t_first = run.t_first;
    if (run.t_last > last->t_last) last->t_last = run.t_last;
  }
  channel->n_runs = n;
  if (n > max_runs) {
    qsort(channel->runs, n, sizeof *channel->runs, compare_lengths);
    for (size_t i = max_runs; i < n; i++)
      channel->n_forgotten += channel->runs[i].last - channel->runs[i].first + 1;
    channel->n_runs = max_runs;
    sort_runs(channel);
  }
  channel->newest = channel->n_runs ? channel->n_runs - 1 : 0;
}

static int compare_spans(const void *left, const void *right) {
  const fl_span *a = left, *b = right;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  return a->end < b->end ? -1 : a->end > b->end;
}

static int compare_distances(const void *left, const void *right) {
  const uint64_t *a = left, *b = right;
  return *a < *b ? -1 : *a > *b;
}

/* Joins neighbours that are at most `distance` apart; spans are sorted. */
static void join_holes(fl_channel *channel, uint64_t distance) {
  size_t n = 0;
  for (size_t i = 0; i < channel->n_holes; i++) {
    const fl_span hole = channel->holes[i];
    fl_span *last = n ? &channel->holes[n - 1] : NULL;
    if (last &&
        (hole.start <= last->end || (uint64_t)hole.start - (uint64_t)last->end <= distance)) {
      if (hole.end > last->end) last->end = hole.end;
    } else {
      channel->holes[n++] = hole;
    }
  }
  channel->n_holes = n;
}

/* Sorted, disjoint, and at most FL_LIMIT_COVERAGE_HOLES: the nearest ones are joined. */
static bool settle_holes(fl_channel *channel) {
  if (channel->n_holes == 0) return true;
  qsort(channel->holes, channel->n_holes, sizeof *channel->holes, compare_spans);
  join_holes(channel, 0);
  if (channel->n_holes <= FL_LIMIT_COVERAGE_HOLES) return true;
  const size_t n = channel->n_holes - 1;
  uint64_t *distances = calloc(n, sizeof *distances);
  if (!distances) return false;
  for (size_t i = 0; i < n; i++)
    distances[i] = (uint64_t)channel->holes[i + 1].start - (uint64_t)channel->holes[i].end;
  qsort(distances, n, sizeof *distances, compare_distances);
  join_holes(channel, distances[channel->n_holes - FL_LIMIT_COVERAGE_HOLES - 1]);
  free(distances);
  return true;
}

bool fl_channel_add_hole(fl_channel *channel, fl_time start, fl_time end) {
  if (channel->n_holes >= HOLES_WHILE_READING && !settle_holes(channel)) return false;
  void *list = channel->holes;
  if (!fl_grow(&list, &channel->cap_holes, channel->n_holes + 1, sizeof *channel->holes))
    return false;
  channel->holes = list;
  channel->holes[channel->n_holes++] = start <= end ? (fl_span){start, end} : (fl_span){end, start};
  return true;
}

static int compare_stretches(const void *left, const void *right) {
  const fl_stretch *a = left, *b = right;
  return a->at < b->at ? -1 : a->at > b->at;
}

void fl_placing_sort(fl_placing *placing) {
  if (placing->n_stretches > 1)
    qsort(placing->stretches, placing->n_stretches, sizeof *placing->stretches, compare_stretches);
  size_t n = 0;
  for (size_t i = 0; i < placing->n_stretches; i++) {
    const fl_stretch stretch = placing->stretches[i];
    fl_stretch *last = n ? &placing->stretches[n - 1] : NULL;
    if (!last || last->at != stretch.at) {
      placing->stretches[n++] = stretch;
      continue;
    }
    if (stretch.t_first < last->t_first) last->t_first = stretch.t_first;
    if (stretch.t_last > last->t_last) last->t_last = stretch.t_last;
  }
  placing->n_stretches = n;
}

/* Number of stretches in front of `at`. */
static size_t count_before(const fl_placing *placing, uint64_t at) {
  size_t low = 0, high = placing->n_stretches;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (placing->stretches[middle].at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Lost are the times between the neighbours of the damage. In a log that has wrapped around, the
 * neighbours are its newest and its oldest records: then both ends are in doubt. */
bool fl_channel_damage(fl_channel *channel, const fl_placing *placing, const fl_range *range) {
  if (range->length == 0) return true;
  const uint64_t first = range->offset >> placing->shift;
  const uint64_t last = (range->offset + (range->length - 1)) >> placing->shift;
  const size_t n_before = count_before(placing, first);
  const size_t after = last == UINT64_MAX ? placing->n_stretches : count_before(placing, last + 1);
  const fl_time from = n_before ? placing->stretches[n_before - 1].t_last : INT64_MIN;
  const fl_time to = after < placing->n_stretches ? placing->stretches[after].t_first : INT64_MAX;
  if (from <= to) return fl_channel_add_hole(channel, from, to);
  return fl_channel_add_hole(channel, INT64_MIN, to) &&
         fl_channel_add_hole(channel, from, INT64_MAX);
}

/* Gaps between runs; a neighbour without a time leaves that side open. */
static bool add_gaps(fl_channel *channel) {
  for (size_t i = 0; i + 1 < channel->n_runs; i++) {
    const fl_id_run *left = &channel->runs[i], *right = &channel->runs[i + 1];
    /* Sentinels of runs without a time are the open ends themselves. */
    if (!fl_channel_add_hole(channel, left->t_last, right->t_first)) return false;
  }
  return true;
}

/* Ids between the least and the greatest that no record bears. */
static uint64_t count_missing(const fl_channel *channel) {
  uint64_t n_present = channel->n_forgotten;
  for (size_t i = 0; i < channel->n_runs; i++)
    n_present += channel->runs[i].last - channel->runs[i].first + 1;
  if (channel->n_runs == 0 || channel->id_max - channel->id_min < n_present) return 0;
  return channel->id_max - channel->id_min - n_present + 1;
}

static void clip_holes(fl_channel *channel, fl_time start, fl_time end) {
  size_t n = 0;
  for (size_t i = 0; i < channel->n_holes; i++) {
    fl_span hole = channel->holes[i];
    if (hole.start < start) hole.start = start;
    if (hole.end > end) hole.end = end;
    if (hole.start <= hole.end) channel->holes[n++] = hole;
  }
  channel->n_holes = n;
}

fl_status fl_channel_solve(fl_channel *channel, fl_time host_last, fl_coverage *ret_coverage,
                           fl_err *err) {
  const bool has_times = channel->first <= channel->last;
  fl_coverage c = {.host = channel->host,
                   .channel = channel->channel,
                   .n_events = channel->n_events,
                   .cleared = channel->cleared};
  c.first = c.start = has_times ? channel->first : 0;
  c.last = c.end = has_times ? channel->last : 0;
  fl_channel_settle(channel, FL_LIMIT_COVERAGE_RUNS);
  c.n_missing = count_missing(channel);
  if (!add_gaps(channel)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (channel->n_forgotten > 0) {
    /* The outermost records may be among those that were given up. */
    c.start = channel->runs[0].t_first;
    c.end = channel->runs[channel->n_runs - 1].t_last;
  } else if (channel->n_runs > 0) {
    if (channel->runs[0].first <= 1 && channel->cleared == 0) c.start = INT64_MIN;
    if (c.n_missing == 0 && host_last > c.end) c.end = host_last;
  }
  if (channel->cleared != 0 && channel->cleared > c.start) c.start = channel->cleared;
  clip_holes(channel, c.start, c.end);
  if (!settle_holes(channel)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  c.holes = channel->holes;
  c.n_holes = channel->n_holes;
  *ret_coverage = c;
  return FL_OK;
}

/* Holes are closed at both ends: a lost record may bear the time of its neighbour. */
static bool is_whole(const fl_coverage *c, fl_time from, fl_time to) {
  if (from < c->start || to > c->end) return false;
  size_t low = 0, high = c->n_holes;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (c->holes[middle].end < from) low = middle + 1;
    else high = middle;
  }
  return low == c->n_holes || c->holes[low].start > to;
}

int fl_coverage_covers(const fl_coverage *list, size_t n, fl_str host, fl_str channel, fl_time from,
                       fl_time to) {
  int answer = FL_UNKNOWN;
  for (size_t i = 0; i < n; i++) {
    if (!fl_str_eq_nocase(list[i].channel, channel) || !fl_str_eq_nocase(list[i].host, host))
      continue;
    if (is_whole(&list[i], from, to)) return FL_TRUE;
    answer = FL_FALSE;
  }
  return answer;
}
