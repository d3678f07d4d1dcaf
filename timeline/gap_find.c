/* gap_find.c - everything that is missing, doubled or out of order, as one list in order of time.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "timeline/coverage.h"

enum {
  GAPS_MAX = 65536,
  CHANGES_LOOKED_AT = 256, /* clock changes of one host that may explain one step */
  STEP_LEAST_S = 60,       /* machines write records of up to a minute ago when they start */
  CHANGE_SLACK_S = 5
};

bool fl_gaps_add(fl_coverage_map *map, const fl_gap *gap) {
  if (map->n_gaps >= GAPS_MAX) {
    map->n_gaps_dropped++;
    return true;
  }
  void *list = map->gaps;
  if (!fl_grow(&list, &map->cap_gaps, map->n_gaps + 1, sizeof *map->gaps)) return false;
  map->gaps = list;
  map->gaps[map->n_gaps++] = *gap;
  return true;
}

static fl_gap gap_of(const fl_coverage_map *map, uint32_t channel, uint32_t source,
                     fl_gap_kind kind) {
  return (fl_gap){.kind = kind,
                  .host = map->channels[channel - 1].host,
                  .channel = map->channels[channel - 1].channel,
                  .source = source,
                  .before = INT64_MIN,
                  .after = INT64_MAX,
                  .n_places = 1,
                  .reason = ""};
}

static bool add_repeat(fl_coverage_map *map, const fl_placing *placing) {
  const fl_repeat *repeat = &placing->repeat;
  if (repeat->n == 0) return true;
  fl_gap gap = gap_of(map, placing->channel, placing->source, FL_GAP_REPEATED);
  gap.first = repeat->first;
  gap.last = repeat->last;
  gap.n = repeat->n;
  gap.offset = repeat->offset;
  gap.before = repeat->t == INT64_MAX ? INT64_MIN : repeat->t;
  gap.reason = "more than one record of this file bears them";
  return fl_gaps_add(map, &gap);
}

static bool add_clears(fl_coverage_map *map, uint32_t number) {
  const fl_channel *channel = &map->channels[number - 1];
  for (size_t i = 0; i < channel->n_clears; i++) {
    const fl_clear *clear = &channel->clears[i];
    fl_gap gap = gap_of(map, number, clear->source, FL_GAP_CLEARED);
    gap.offset = clear->offset;
    gap.before = gap.after = clear->t;
    gap.detail = clear->user;
    gap.witness = clear->record_id;
    if (!fl_gaps_add(map, &gap)) return false;
  }
  return true;
}

/* --- time that goes backwards --- */

typedef struct clocks {
  const fl_coverage_map *map;
  const fl_clock_change **changes; /* by host and time */
} clocks;

static fl_str host_of(const fl_coverage_map *map, const fl_clock_change *change) {
  return map->channels[change->channel - 1].host;
}

static int compare_changes(const void *left, const void *right, void *map) {
  const fl_clock_change *a = *(const fl_clock_change *const *)left;
  const fl_clock_change *b = *(const fl_clock_change *const *)right;
  const int order = fl_str_cmp(host_of(map, a), host_of(map, b));
  if (order) return order;
  return a->least != b->least ? a->least < b->least ? -1 : 1 : a < b ? -1 : a > b;
}

/* The change that leads over all of the step. */
static const fl_clock_change *explain(const clocks *c, fl_str host, const fl_step_back *step) {
  const fl_time slack = CHANGE_SLACK_S * FL_SECOND;
  size_t low = 0, high = c->map->n_changes;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (fl_str_cmp(host_of(c->map, c->changes[middle]), host) < 0) low = middle + 1;
    else high = middle;
  }
  for (size_t i = low; i < c->map->n_changes && i - low < CHANGES_LOOKED_AT; i++) {
    const fl_clock_change *change = c->changes[i];
    if (!fl_str_eq(host_of(c->map, change), host)) break;
    if (step->to >= change->least - slack && step->from <= change->greatest + slack) return change;
  }
  return NULL;
}

static int compare_steps(const void *left, const void *right) {
  const fl_step_back *a = left, *b = right;
  if (a->id != b->id) return a->id < b->id ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static bool add_steps(fl_coverage_map *map, const clocks *c, fl_placing *placing) {
  if (placing->n_steps > 1)
    qsort(placing->steps, placing->n_steps, sizeof *placing->steps, compare_steps);
  for (size_t i = 0; i < placing->n_steps; i++) {
    const fl_step_back *step = &placing->steps[i];
    fl_gap gap = gap_of(map, placing->channel, placing->source, FL_GAP_TIME_BACK);
    const fl_clock_change *change = explain(c, gap.host, step);
    if (!change && (uint64_t)step->from - (uint64_t)step->to < (uint64_t)STEP_LEAST_S * FL_SECOND)
      continue;
    gap.first = gap.last = step->id;
    gap.n = 1;
    gap.offset = step->offset;
    gap.before = step->from;
    gap.after = step->to;
    gap.reason = change ? "the clock was set" : "no record says that the clock was set";
    gap.witness = change ? change->record_id : 0;
    if (!fl_gaps_add(map, &gap)) return false;
  }
  return true;
}

static fl_status add_times(fl_coverage_map *map, fl_err *err) {
  clocks c = {.map = map, .changes = calloc(map->n_changes + 1, sizeof *c.changes)};
  bool is_good = c.changes != NULL;
  for (size_t i = 0; is_good && i < map->n_changes; i++) c.changes[i] = &map->changes[i];
  if (is_good && map->n_changes > 1)
    qsort_r(c.changes, map->n_changes, sizeof *c.changes, compare_changes, map);
  for (size_t i = 0; is_good && i < map->n_placings; i++)
    is_good = add_steps(map, &c, &map->placings[i]);
  free(c.changes);
  return is_good ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

/* --- damage --- */

static int compare_damages(const void *left, const void *right) {
  const fl_damage *a = left, *b = right;
  if (a->source != b->source) return a->source < b->source ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Around damage in a log that wraps around stand its newest and its oldest records. */
static fl_gap gap_of_damage(const fl_coverage_map *map, const fl_damage *damage) {
  fl_gap gap = gap_of(map, damage->channel, damage->source, FL_GAP_DAMAGED);
  gap.offset = damage->offset;
  gap.length = damage->length;
  gap.before = damage->from;
  gap.after = damage->to;
  gap.n_places = damage->n_more + 1;
  gap.detail = damage->reason;
  return gap;
}

/* All damaged ranges of one source; beyond the limit as one. */
static bool add_damage(fl_coverage_map *map, const fl_damage *damages, size_t n) {
  if (n <= FL_LIMIT_GAPS_ALIKE) {
    for (size_t i = 0; i < n; i++) {
      const fl_gap gap = damages[i].channel ? gap_of_damage(map, &damages[i]) : (fl_gap){0};
      if (damages[i].channel && !fl_gaps_add(map, &gap)) return false;
    }
    return true;
  }
  if (damages[0].channel == FL_NO_CHANNEL) return true;
  fl_gap all = gap_of_damage(map, &damages[0]);
  for (size_t i = 1; i < n; i++) {
    all.length += damages[i].length;
    all.n_places += damages[i].n_more + 1;
    all.after = damages[i].to;
  }
  return fl_gaps_add(map, &all);
}

static bool add_damages(fl_coverage_map *map) {
  for (size_t start = 0, end = 0; start < map->n_damages; start = end) {
    while (end < map->n_damages && map->damages[end].source == map->damages[start].source) end++;
    if (!add_damage(map, map->damages + start, end - start)) return false;
  }
  return true;
}

static fl_time time_of(const fl_gap *gap) {
  return gap->before != INT64_MIN ? gap->before : gap->after;
}

static int compare_gaps(const void *left, const void *right) {
  const fl_gap *a = left, *b = right;
  const fl_time t = time_of(a), u = time_of(b);
  if (t != u) return t < u ? -1 : 1;
  if (a->source != b->source) return a->source < b->source ? -1 : 1;
  if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  if (a->first != b->first) return a->first < b->first ? -1 : 1;
  const int order = fl_str_cmp(a->host, b->host);
  return order ? order : fl_str_cmp(a->channel, b->channel);
}

fl_status fl_gaps_find(fl_coverage_map *map, fl_err *err) {
  bool is_good = true;
  if (map->n_damages > 1)
    qsort(map->damages, map->n_damages, sizeof *map->damages, compare_damages);
  for (size_t i = 1; i < map->n_damages; i++)
    map->damages[i].n_before = map->damages[i - 1].n_before + map->damages[i - 1].length;
  FL_TRY(fl_gaps_of_logs(map, err));
  for (size_t i = 0; is_good && i < map->n_placings; i++)
    is_good = add_repeat(map, &map->placings[i]);
  for (uint32_t i = 0; is_good && i < map->n_channels; i++) is_good = add_clears(map, i + 1);
  if (!is_good || !add_damages(map)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(add_times(map, err));
  if (map->n_gaps > 1) qsort(map->gaps, map->n_gaps, sizeof *map->gaps, compare_gaps);
  return FL_OK;
}
