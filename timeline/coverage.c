/* coverage.c - which times the records of each host and channel account for (docs/ARCHITECTURE.md).
 */
#include "timeline/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/text.h"

enum {
  NAMES_MEMORY = 64 << 20,
  CHANNELS_MAX = 65536,
  PLACINGS_MAX = 65536,
  RUNS_MAX = 2 << 20,      /* of all channels */
  STRETCHES_MAX = 2 << 20, /* of all placings; beyond it they become coarse */
  STRETCHES_PER_PLACING = 16384,
  COARSE_STRETCHES = 64,
  FIRST_SHIFT = 12,
  NOBODY = 0 /* no channel or placing; else index + 1 */
};

/* What a shape says about all of its rows. */
typedef struct shape_plan {
  bool is_known, is_fixed, may_clear;
  uint32_t channel; /* + 1, when host and channel are constant */
} shape_plan;

struct fl_coverage_map {
  fl_arena *arena;
  fl_channel *channels;
  size_t n_channels, cap_channels;
  uint32_t *channel_slots;
  fl_placing *placings;
  size_t n_placings, cap_placings;
  uint32_t *placing_slots;
  size_t n_runs, n_stretches; /* in all */
  shape_plan *plans;          /* by serial of cached shapes */
  size_t cap_plans;
  const fl_shape *last_shape; /* within one batch */
  shape_plan last_plan;
  uint32_t last_placing; /* + 1 */
  fl_pack host_text, channel_text;
  fl_coverage *list;
};

static fl_status no_memory(fl_err *err) { return fl_fail(err, FL_E_NOMEM, 0, "out of memory"); }

fl_status fl_coverage_create(fl_coverage_map **ret_map, fl_err *err) {
  fl_coverage_map *map = calloc(1, sizeof *map);
  if (!map) return no_memory(err);
  map->arena = fl_arena_create(NAMES_MEMORY);
  map->channel_slots = calloc((size_t)2 * CHANNELS_MAX, sizeof *map->channel_slots);
  map->placing_slots = calloc((size_t)2 * PLACINGS_MAX, sizeof *map->placing_slots);
  if (!map->arena || !map->channel_slots || !map->placing_slots) {
    fl_coverage_free(map);
    return no_memory(err);
  }
  *ret_map = map;
  return FL_OK;
}

void fl_coverage_free(fl_coverage_map *map) {
  if (!map) return;
  for (size_t i = 0; i < map->n_channels; i++) {
    free(map->channels[i].runs);
    free(map->channels[i].holes);
  }
  for (size_t i = 0; i < map->n_placings; i++) free(map->placings[i].stretches);
  fl_arena_free(map->arena);
  fl_pack_free(&map->host_text);
  fl_pack_free(&map->channel_text);
  free(map->channels);
  free(map->channel_slots);
  free(map->placings);
  free(map->placing_slots);
  free(map->plans);
  free(map->list);
  free(map);
}

/* Text of a name; empty for what is no text. Valid until `scratch` is used again. */
static fl_str text_of(fl_raw raw, fl_pack *scratch) {
  if (raw.type == FL_T_UTF8) return (fl_str){(const char *)raw.p, raw.n};
  if (raw.type != FL_T_STR16) return (fl_str){0};
  raw = fl_raw_trim(raw);
  scratch->n = 0;
  uint8_t *room = fl_pack_room(scratch, (size_t)raw.n / 2 * 3 + 1);
  if (!room) return (fl_str){0};
  return (fl_str){(char *)room, fl_utf16_to_utf8(raw.p, raw.n / 2, (char *)room)};
}

/* Index + 1; NOBODY when there is no room: such a channel is unknown, which claims nothing. */
static uint32_t find_channel(fl_coverage_map *map, fl_str host, fl_str channel) {
  const size_t mask = (size_t)2 * CHANNELS_MAX - 1;
  const uint64_t hash = fl_hash_bytes(channel.p, channel.n, fl_hash_bytes(host.p, host.n, 0));
  size_t at = hash & mask;
  for (; map->channel_slots[at]; at = (at + 1) & mask) {
    const fl_channel *found = &map->channels[map->channel_slots[at] - 1];
    if (found->hash == hash && fl_str_eq(found->channel, channel) && fl_str_eq(found->host, host))
      return map->channel_slots[at];
  }
  void *list = map->channels;
  if (channel.n == 0 || map->n_channels >= CHANNELS_MAX ||
      !fl_grow(&list, &map->cap_channels, map->n_channels + 1, sizeof *map->channels))
    return NOBODY;
  map->channels = list;
  fl_channel *added = &map->channels[map->n_channels];
  *added = (fl_channel){.hash = hash, .first = INT64_MAX, .last = INT64_MIN};
  added->host = fl_arena_str(map->arena, host);
  added->channel = fl_arena_str(map->arena, channel);
  if (!added->host.p || !added->channel.p) return NOBODY;
  map->channel_slots[at] = (uint32_t)++map->n_channels;
  return (uint32_t)map->n_channels;
}

static uint32_t find_row_channel(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_str host = text_of(fl_row_column(batch, row, FL_C_HOST), &map->host_text);
  const fl_str channel = text_of(fl_row_column(batch, row, FL_C_CHANNEL), &map->channel_text);
  return channel.n ? find_channel(map, host, channel) : NOBODY;
}

/* Index + 1 of where this channel's records lie in this source. */
static uint32_t find_placing(fl_coverage_map *map, uint32_t source, uint32_t channel) {
  if (map->last_placing) {
    const fl_placing *last = &map->placings[map->last_placing - 1];
    if (last->source == source && last->channel == channel) return map->last_placing;
  }
  const size_t mask = (size_t)2 * PLACINGS_MAX - 1;
  size_t at = fl_hash_mix(fl_hash_mix(0, source), channel) & mask;
  for (; map->placing_slots[at]; at = (at + 1) & mask) {
    const fl_placing *found = &map->placings[map->placing_slots[at] - 1];
    if (found->source == source && found->channel == channel)
      return map->last_placing = map->placing_slots[at];
  }
  void *list = map->placings;
  if (map->n_placings >= PLACINGS_MAX ||
      !fl_grow(&list, &map->cap_placings, map->n_placings + 1, sizeof *map->placings))
    return NOBODY;
  map->placings = list;
  map->placings[map->n_placings++] =
      (fl_placing){.source = source, .channel = channel, .shift = FIRST_SHIFT};
  map->placing_slots[at] = (uint32_t)map->n_placings;
  return map->last_placing = map->placing_slots[at];
}

/* Doubles the size of stretches until half of them are left at most. */
static void coarsen(fl_coverage_map *map, fl_placing *placing) {
  const size_t before = placing->n_stretches;
  fl_placing_sort(placing);
  while (placing->n_stretches > before / 2 && placing->shift < 63) {
    placing->shift++;
    for (size_t i = 0; i < placing->n_stretches; i++) placing->stretches[i].at >>= 1;
    fl_placing_sort(placing);
  }
  map->n_stretches -= before - placing->n_stretches;
}

static bool place(fl_coverage_map *map, fl_placing *placing, uint64_t offset, fl_time t) {
  fl_stretch *last = placing->n_stretches ? &placing->stretches[placing->n_stretches - 1] : NULL;
  if (last && last->at == offset >> placing->shift) {
    if (t < last->t_first) last->t_first = t;
    if (t > last->t_last) last->t_last = t;
    return true;
  }
  const size_t most = map->n_stretches < STRETCHES_MAX ? STRETCHES_PER_PLACING : COARSE_STRETCHES;
  if (placing->n_stretches >= most) coarsen(map, placing);
  void *list = placing->stretches;
  if (!fl_grow(&list, &placing->cap_stretches, placing->n_stretches + 1,
               sizeof *placing->stretches))
    return false;
  placing->stretches = list;
  placing->stretches[placing->n_stretches++] = (fl_stretch){offset >> placing->shift, t, t};
  map->n_stretches++;
  return true;
}

/* All channels together outgrow their room: each keeps its longest runs. */
static void squeeze(fl_coverage_map *map) {
  const size_t most = RUNS_MAX / 2 / map->n_channels + 1;
  map->n_runs = 0;
  for (size_t i = 0; i < map->n_channels; i++) {
    fl_channel_settle(&map->channels[i], most);
    map->n_runs += map->channels[i].n_runs;
  }
}

static bool add_run(fl_coverage_map *map, fl_channel *channel, fl_id_run run) {
  if (channel->n_runs >= FL_LIMIT_COVERAGE_RUNS) {
    map->n_runs -= channel->n_runs;
    fl_channel_settle(channel, FL_LIMIT_COVERAGE_RUNS / 2);
    map->n_runs += channel->n_runs;
  }
  if (map->n_runs >= RUNS_MAX) squeeze(map);
  void *list = channel->runs;
  if (!fl_grow(&list, &channel->cap_runs, channel->n_runs + 1, sizeof *channel->runs)) return false;
  channel->runs = list;
  channel->newest = channel->n_runs;
  channel->runs[channel->n_runs++] = run;
  map->n_runs++;
  return true;
}

static bool add_id(fl_coverage_map *map, fl_channel *channel, uint64_t id, fl_time t,
                   bool has_time) {
  const fl_time t_first = has_time ? t : INT64_MAX;
  const fl_time t_last = has_time ? t : INT64_MIN;
  fl_id_run *run = channel->n_runs ? &channel->runs[channel->newest] : NULL;
  if (!run || id < channel->id_min) channel->id_min = id;
  if (!run || id > channel->id_max) channel->id_max = id;
  if (!run || id < run->first || (id > run->last && id - run->last > 1))
    return add_run(map, channel, (fl_id_run){id, id, t_first, t_last});
  if (id > run->last) run->last = id;
  if (t_first < run->t_first) run->t_first = t_first;
  if (t_last > run->t_last) run->t_last = t_last;
  return true;
}

static bool is_log_service(fl_coverage_map *map, fl_raw raw) {
  return fl_str_eq_nocase(text_of(raw, &map->host_text), FL_STR("Microsoft-Windows-Eventlog"));
}

static void mark_cleared(fl_coverage_map *map, uint32_t channel, fl_time t) {
  if (channel == NOBODY) return;
  fl_channel *cleared = &map->channels[channel - 1];
  if (cleared->cleared == 0 || t > cleared->cleared) cleared->cleared = t;
}

/* 1102 in the Security log clears that log; 104 in the System log names the one it clears. */
static void note_clear(fl_coverage_map *map, uint32_t channel, const fl_batch *batch,
                       const fl_row *row) {
  uint64_t event_id = 0;
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &event_id)) return;
  if (event_id != 1102 && event_id != 104) return;
  if (!is_log_service(map, fl_row_column(batch, row, FL_C_PROVIDER))) return;
  if (event_id == 1102) {
    mark_cleared(map, channel, row->t);
    return;
  }
  const fl_shape *shape = row->shape;
  for (uint32_t i = 0; i < shape->n_fields; i++) {
    if (!fl_str_eq_nocase(shape->fields[i].name, FL_STR("Channel")) || shape->fields[i].n_refs == 0)
      continue;
    const fl_str name =
        text_of(fl_row_raw(batch, row, &shape->fields[i].refs[0]), &map->channel_text);
    if (name.n) mark_cleared(map, find_channel(map, map->channels[channel - 1].host, name), row->t);
  }
}

static bool is_slot(const fl_shape *shape, fl_column column) {
  return shape->columns[column].kind == FL_REF_SLOT;
}

static shape_plan make_plan(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_shape *shape = row->shape;
  shape_plan plan = {.is_known = true};
  plan.may_clear =
      is_slot(shape, FL_C_PROVIDER) || is_log_service(map, shape->columns[FL_C_PROVIDER].constant);
  plan.is_fixed = !is_slot(shape, FL_C_HOST) && !is_slot(shape, FL_C_CHANNEL);
  if (plan.is_fixed) plan.channel = find_row_channel(map, batch, row);
  return plan;
}

static shape_plan find_plan(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_shape *shape = row->shape;
  if (shape == map->last_shape) return map->last_plan;
  map->last_shape = shape;
  if (shape->cached && shape->serial < map->cap_plans && map->plans[shape->serial].is_known)
    return map->last_plan = map->plans[shape->serial];
  map->last_plan = make_plan(map, batch, row);
  if (!shape->cached || shape->serial >= FL_LIMIT_SHAPES) return map->last_plan;
  const size_t old = map->cap_plans;
  void *list = map->plans;
  if (fl_grow(&list, &map->cap_plans, (size_t)shape->serial + 1, sizeof *map->plans)) {
    map->plans = list;
    for (size_t i = old; i < map->cap_plans; i++) map->plans[i] = (shape_plan){0};
    map->plans[shape->serial] = map->last_plan;
  }
  return map->last_plan;
}

static bool add_row(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const shape_plan plan = find_plan(map, batch, row);
  const uint32_t number = plan.is_fixed ? plan.channel : find_row_channel(map, batch, row);
  if (number == NOBODY) return true;
  fl_channel *channel = &map->channels[number - 1];
  const bool has_time = !(row->flags & FL_F_TIME_INVALID);
  uint64_t id = 0;
  channel->n_events++;
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &id)) id = row->header_record_id;
  if (id != 0 && !add_id(map, channel, id, row->t, has_time)) return false;
  if (!has_time) return true;
  if (row->t < channel->first) channel->first = row->t;
  if (row->t > channel->last) channel->last = row->t;
  const uint32_t placing = find_placing(map, row->source, number);
  /* Without a place the damage of its source could not be told apart: cover nothing. */
  if (placing == NOBODY && !fl_channel_add_hole(channel, INT64_MIN, INT64_MAX)) return false;
  if (placing != NOBODY && !place(map, &map->placings[placing - 1], row->offset, row->t))
    return false;
  if (plan.may_clear) note_clear(map, number, batch, row);
  return true;
}

fl_status fl_coverage_batch(fl_coverage_map *map, const fl_batch *batch, fl_err *err) {
  const uint32_t not_live = FL_F_SLACK | FL_F_RECOVERED | FL_F_SYNTHETIC;
  map->last_shape = NULL;
  for (uint32_t i = 0; i < batch->n_rows; i++)
    if (!(batch->rows[i].flags & not_live) && !add_row(map, batch, &batch->rows[i]))
      return no_memory(err);
  return FL_OK;
}

fl_status fl_coverage_source(fl_coverage_map *map, const fl_source_info *source, fl_err *err) {
  bool is_damaged = false;
  for (size_t i = 0; i < source->n_ledger; i++)
    is_damaged |= source->ledger[i].state == FL_L_DAMAGED;
  if (!is_damaged) return FL_OK;
  for (size_t k = 0; k < map->n_placings; k++) {
    fl_placing *placing = &map->placings[k];
    if (placing->source != source->id) continue;
    const size_t before = placing->n_stretches;
    fl_placing_sort(placing);
    map->n_stretches -= before - placing->n_stretches;
    for (size_t i = 0; i < source->n_ledger; i++)
      if (source->ledger[i].state == FL_L_DAMAGED &&
          !fl_channel_damage(&map->channels[placing->channel - 1], placing, &source->ledger[i]))
        return no_memory(err);
  }
  return FL_OK;
}

static int compare_channels(const void *left, const void *right) {
  const fl_channel *a = left, *b = right;
  const int order = fl_str_cmp(a->host, b->host);
  return order ? order : fl_str_cmp(a->channel, b->channel);
}

fl_status fl_coverage_finish(fl_coverage_map *map, const fl_coverage **ret_list, size_t *ret_n,
                             fl_err *err) {
  free(map->list);
  map->list = calloc(map->n_channels + 1, sizeof *map->list);
  if (!map->list) return no_memory(err);
  if (map->n_channels > 1)
    qsort(map->channels, map->n_channels, sizeof *map->channels, compare_channels);
  size_t n = 0;
  for (size_t start = 0, end = 0; start < map->n_channels; start = end) {
    fl_time host_last = INT64_MIN;
    for (; end < map->n_channels && fl_str_eq(map->channels[end].host, map->channels[start].host);
         end++)
      if (map->channels[end].last > host_last) host_last = map->channels[end].last;
    for (size_t i = start; i < end; i++)
      if (map->channels[i].n_events > 0)
        FL_TRY(fl_channel_solve(&map->channels[i], host_last, &map->list[n++], err));
  }
  *ret_list = map->list;
  *ret_n = n;
  return FL_OK;
}
