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

static void sort_runs(fl_id_run *runs, size_t n) {
  if (n > 1) qsort(runs, n, sizeof *runs, compare_runs);
}

void fl_placing_repeat(fl_placing *placing, fl_repeat repeat) {
  fl_repeat *all = &placing->repeat;
  const uint64_t n = all->n + repeat.n;
  if (all->n == 0) *all = repeat;
  if (repeat.first < all->first) {
    all->first = repeat.first;
    all->offset = repeat.offset;
    all->t = repeat.t;
  }
  if (repeat.last > all->last) all->last = repeat.last;
  all->n = n;
}

static uint64_t width_of(const fl_step_back *step) {
  return (uint64_t)step->from - (uint64_t)step->to;
}

/* Records are written in nearly the order of their times: less than a second is no news. */
bool fl_placing_step(fl_placing *placing, fl_step_back step) {
  if (width_of(&step) < (uint64_t)FL_SECOND) return true;
  if (placing->n_steps < FL_LIMIT_GAPS_ALIKE) {
    void *list = placing->steps;
    if (!fl_grow(&list, &placing->cap_steps, placing->n_steps + 1, sizeof *placing->steps))
      return false;
    placing->steps = list;
    placing->steps[placing->n_steps++] = step;
    return true;
  }
  fl_step_back *least = &placing->steps[0];
  for (size_t i = 1; i < placing->n_steps; i++)
    if (width_of(&placing->steps[i]) < width_of(least)) least = &placing->steps[i];
  if (width_of(&step) > width_of(least)) *least = step;
  placing->n_steps_dropped++;
  return true;
}

/* What two runs of one source that touch or overlap tell about it. */
static void note_touch(fl_placing *placing, const fl_id_run *left, const fl_id_run *right) {
  if (right->first <= left->last) {
    const uint64_t last = right->last < left->last ? right->last : left->last;
    fl_placing_repeat(placing, (fl_repeat){right->first, last, last - right->first + 1,
                                           right->offset_first, right->t_first});
  } else if (left->t_last != INT64_MIN && right->t_first < left->t_last) {
    (void)fl_placing_step(
        placing, (fl_step_back){right->first, right->offset_first, left->t_last, right->t_first});
  }
}

size_t fl_runs_settle(fl_id_run *runs, size_t n_runs, fl_placing *placing) {
  sort_runs(runs, n_runs);
  size_t n = 0;
  for (size_t i = 0; i < n_runs; i++) {
    const fl_id_run run = runs[i];
    fl_id_run *last = n ? &runs[n - 1] : NULL;
    if (!last || (run.first > last->last && run.first - last->last > 1)) {
      runs[n++] = run;
      continue;
    }
    if (placing) note_touch(placing, last, &run);
    if (run.t_least < last->t_least) last->t_least = run.t_least;
    if (run.t_greatest > last->t_greatest) last->t_greatest = run.t_greatest;
    if (run.last <= last->last) continue;
    last->last = run.last;
    last->header_last = run.header_last;
    last->offset_end = run.offset_end;
    last->t_last = run.t_last;
  }
  return n;
}

void fl_placing_settle(fl_placing *placing, size_t max_runs) {
  const size_t n = fl_runs_settle(placing->runs, placing->n_runs, placing);
  placing->n_runs = n < max_runs ? n : max_runs;
  if (n > max_runs) {
    qsort(placing->runs, n, sizeof *placing->runs, compare_lengths);
    for (size_t i = max_runs; i < n; i++)
      placing->n_forgotten += placing->runs[i].last - placing->runs[i].first + 1;
    sort_runs(placing->runs, max_runs);
  }
  placing->newest = placing->n_runs ? placing->n_runs - 1 : 0;
}

bool fl_channel_gather(fl_channel *channel, const fl_placing *placing) {
  channel->n_forgotten += placing->n_forgotten;
  if (placing->n_runs == 0) return true;
  const fl_id_run *last = &placing->runs[placing->n_runs - 1];
  if (channel->n_runs == 0 || placing->runs[0].first < channel->id_min)
    channel->id_min = placing->runs[0].first;
  if (channel->n_runs == 0 || last->last > channel->id_max) channel->id_max = last->last;
  void *list = channel->runs;
  if (!fl_grow(&list, &channel->cap_runs, channel->n_runs + placing->n_runs, sizeof *channel->runs))
    return false;
  channel->runs = list;
  memcpy(channel->runs + channel->n_runs, placing->runs, placing->n_runs * sizeof *placing->runs);
  channel->n_runs += placing->n_runs;
  return true;
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

/* Gaps between runs; a neighbour without a time leaves that side open. */
static bool add_gaps(fl_channel *channel) {
  for (size_t i = 0; i + 1 < channel->n_runs; i++) {
    const fl_id_run *left = &channel->runs[i], *right = &channel->runs[i + 1];
    /* Sentinels of runs without a time are the open ends themselves. */
    if (!fl_channel_add_hole(channel, left->t_greatest, right->t_least)) return false;
  }
  return true;
}

/* Equal ids were written at equal times; where none of two runs' times are the same, the log was
 * begun anew or its machine put back, and what lies between the runs is not known. */
static bool add_restarts(fl_channel *channel) {
  sort_runs(channel->runs, channel->n_runs);
  fl_id_run widest = {0};
  for (size_t i = 0; i < channel->n_runs; i++) {
    const fl_id_run *run = &channel->runs[i];
    const bool is_overlap = i > 0 && run->first <= widest.last;
    if (is_overlap && run->t_least > widest.t_greatest &&
        !fl_channel_add_hole(channel, widest.t_greatest, run->t_least))
      return false;
    if (is_overlap && run->t_greatest < widest.t_least &&
        !fl_channel_add_hole(channel, run->t_greatest, widest.t_least))
      return false;
    if (i == 0 || run->last > widest.last) widest = *run;
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
  if (!add_restarts(channel)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  channel->n_runs = fl_runs_settle(channel->runs, channel->n_runs, NULL);
  c.n_missing = count_missing(channel);
  if (!add_gaps(channel)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (channel->n_forgotten > 0) {
    /* The outermost records may be among those that were given up. */
    c.start = channel->runs[0].t_least;
    c.end = channel->runs[channel->n_runs - 1].t_greatest;
  } else if (channel->n_runs > 0) {
    if (channel->runs[0].first <= 1 && channel->cleared == 0) c.start = INT64_MIN;
    if (c.n_missing == 0 && !channel->is_cut && host_last > c.end) c.end = host_last;
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
