/* coverage_damage.c - damage in a source's bytes becomes missing time in the channels it holds. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "timeline/coverage.h"

enum {
  RANGES_PER_SOURCE = 1024, /* the last one stands for the rest */
  RANGES_MAX = 65536        /* of all sources */
};

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

/* The stretches next to a range: indices + 1 of the one before (0: none) and of the one behind. */
typedef struct neighbours {
  size_t before, after;
  fl_time from, to; /* INT64_MIN, INT64_MAX: none */
} neighbours;

static neighbours find_neighbours(const fl_placing *placing, const fl_damage *damage) {
  const uint64_t first = damage->offset >> placing->shift;
  const uint64_t more = damage->length ? damage->length - 1 : 0;
  const uint64_t last = (damage->offset + more) >> placing->shift;
  neighbours n = {.before = count_before(placing, first)};
  n.after = last == UINT64_MAX ? placing->n_stretches : count_before(placing, last + 1);
  n.from = n.before ? placing->stretches[n.before - 1].t_last : INT64_MIN;
  n.to = n.after < placing->n_stretches ? placing->stretches[n.after].t_first : INT64_MAX;
  return n;
}

/* Lost are the times between the neighbours of the damage. In a log that has wrapped around, the
 * neighbours are its newest and its oldest records: then both ends are in doubt. */
static bool add_holes(fl_channel *channel, neighbours n) {
  if (n.from <= n.to) return fl_channel_add_hole(channel, n.from, n.to);
  return fl_channel_add_hole(channel, INT64_MIN, n.to) &&
         fl_channel_add_hole(channel, n.from, INT64_MAX);
}

/* The damage lies in the log whose records stand closest in front of it, else behind it. */
static void settle_owner(fl_damage *damage, const fl_placing *placing, neighbours n) {
  if (n.before) {
    const uint64_t at = (placing->stretches[n.before - 1].at + 1) << placing->shift;
    if (damage->from != INT64_MIN && at <= damage->nearest) return;
    damage->nearest = at;
  } else if (damage->channel) {
    return;
  }
  damage->channel = placing->channel;
  damage->from = n.from;
  damage->to = n.to;
}

static bool add_damage(fl_coverage_map *map, const fl_source_info *source, const fl_range *range) {
  void *list = map->damages;
  if (!fl_grow(&list, &map->cap_damages, map->n_damages + 1, sizeof *map->damages)) return false;
  map->damages = list;
  map->damages[map->n_damages++] = (fl_damage){.source = source->id,
                                               .offset = range->offset,
                                               .length = range->length,
                                               .reason = fl_arena_str(map->arena, range->reason),
                                               .from = INT64_MIN,
                                               .to = INT64_MAX};
  return true;
}

/* Damaged ranges of the source; what lies behind the last one that finds room joins it. A source
 * that was cut where nothing shows it ends in damage of no length. */
static bool list_damage(fl_coverage_map *map, const fl_source_info *source) {
  const size_t first = map->n_damages;
  const fl_range cut = {.offset = source->size_bytes,
                        .reason = FL_STR("the file ends before its header says")};
  for (size_t i = 0; i < source->n_ledger; i++) {
    const fl_range *range = &source->ledger[i];
    if (range->state != FL_L_DAMAGED || range->length == 0) continue;
    if (map->n_damages - first >= RANGES_PER_SOURCE ||
        (map->n_damages >= RANGES_MAX && map->n_damages > first)) {
      fl_damage *last = &map->damages[map->n_damages - 1];
      last->n_more++;
      last->bytes_more += range->length;
      last->length = range->offset + range->length - last->offset;
      continue;
    }
    if (!add_damage(map, source, range)) return false;
  }
  return !source->is_cut || add_damage(map, source, &cut);
}

/* Which channels suffer: each that has records in the source, by where they stand. */
static bool spread_damage(fl_coverage_map *map, size_t first, uint32_t source) {
  for (size_t k = 0; k < map->n_placings; k++) {
    fl_placing *placing = &map->placings[k];
    if (placing->source != source) continue;
    const size_t before = placing->n_stretches;
    fl_placing_sort(placing);
    map->n_stretches -= before - placing->n_stretches;
    for (size_t i = first; i < map->n_damages; i++) {
      const neighbours n = find_neighbours(placing, &map->damages[i]);
      settle_owner(&map->damages[i], placing, n);
      /* What a cut took bears times behind all records: the end of coverage says so. */
      if (map->damages[i].length == 0) continue;
      if (!add_holes(&map->channels[placing->channel - 1], n)) return false;
    }
  }
  return true;
}

fl_status fl_coverage_source(fl_coverage_map *map, const fl_source_info *source, fl_err *err) {
  const size_t first = map->n_damages;
  if (!list_damage(map, source)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (map->n_damages == first) return FL_OK;
  for (size_t k = 0; source->is_cut && k < map->n_placings; k++)
    if (map->placings[k].source == source->id)
      map->channels[map->placings[k].channel - 1].is_cut = true;
  if (spread_damage(map, first, source->id)) return FL_OK;
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}
