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
#include "base/shape.h"
#include "base/text.h"

enum {
  NAMES_MEMORY = 64 << 20,
  CHANNELS_MAX = 65536,
  PLACINGS_MAX = 65536,
  RUNS_MAX = 1 << 20,      /* of all placings */
  STRETCHES_MAX = 2 << 20, /* of all placings; beyond it they become coarse */
  STRETCHES_PER_PLACING = 16384,
  COARSE_STRETCHES = 64,
  FIRST_SHIFT = 12
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
    free(map->channels[i].clears);
  }
  for (size_t i = 0; i < map->n_placings; i++) {
    free(map->placings[i].stretches);
    free(map->placings[i].runs);
    free(map->placings[i].steps);
  }
  fl_arena_free(map->arena);
  fl_pack_free(&map->host_text);
  fl_pack_free(&map->channel_text);
  free(map->channels);
  free(map->channel_slots);
  free(map->placings);
  free(map->placing_slots);
  free(map->plans);
  free(map->damages);
  free(map->changes);
  free(map->list);
  free(map->gaps);
  free(map);
}

fl_str fl_coverage_text(fl_raw raw, fl_pack *scratch) {
  if (raw.type == FL_T_UTF8) return (fl_str){(const char *)raw.p, raw.n};
  if (raw.type != FL_T_STR16) return (fl_str){0};
  raw = fl_raw_trim(raw);
  scratch->n = 0;
  uint8_t *room = fl_pack_room(scratch, (size_t)raw.n / 2 * 3 + 1);
  if (!room) return (fl_str){0};
  return (fl_str){(char *)room, fl_utf16_to_utf8(raw.p, raw.n / 2, (char *)room)};
}

/* Index + 1; FL_NO_CHANNEL when there is no room: such a channel is unknown, which claims nothing.
 */
uint32_t fl_coverage_channel(fl_coverage_map *map, fl_str host, fl_str channel) {
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
    return FL_NO_CHANNEL;
  map->channels = list;
  fl_channel *added = &map->channels[map->n_channels];
  *added = (fl_channel){.hash = hash, .first = INT64_MAX, .last = INT64_MIN};
  added->host = fl_arena_str(map->arena, host);
  added->channel = fl_arena_str(map->arena, channel);
  if (!added->host.p || !added->channel.p) return FL_NO_CHANNEL;
  map->channel_slots[at] = (uint32_t)++map->n_channels;
  return (uint32_t)map->n_channels;
}

static bool is_same_name(const fl_raw_name *name, fl_raw raw) {
  return name->n == raw.n && name->type == raw.type && raw.n &&
         memcmp(name->bytes, raw.p, raw.n) == 0;
}

static void keep_name(fl_raw_name *name, fl_raw raw) {
  name->n = raw.n <= FL_RAW_NAME_MAX ? raw.n : 0;
  name->type = raw.type;
  if (name->n) memcpy(name->bytes, raw.p, name->n);
}

static uint32_t find_row_channel(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_raw host = fl_row_column(batch, row, FL_C_HOST);
  const fl_raw name = fl_row_column(batch, row, FL_C_CHANNEL);
  if (is_same_name(&map->last_host, host) && is_same_name(&map->last_name, name))
    return map->last_channel;
  const fl_str host_text = fl_coverage_text(host, &map->host_text);
  const fl_str channel_text = fl_coverage_text(name, &map->channel_text);
  keep_name(&map->last_host, host);
  keep_name(&map->last_name, name);
  map->last_channel =
      channel_text.n ? fl_coverage_channel(map, host_text, channel_text) : FL_NO_CHANNEL;
  return map->last_channel;
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
    return FL_NO_CHANNEL;
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

/* All placings together outgrow their room: each keeps its longest runs. */
static void squeeze(fl_coverage_map *map) {
  const size_t most = RUNS_MAX / 2 / map->n_placings + 1;
  map->n_runs = 0;
  for (size_t i = 0; i < map->n_placings; i++) {
    fl_placing_settle(&map->placings[i], most);
    map->n_runs += map->placings[i].n_runs;
  }
}

static bool add_run(fl_coverage_map *map, fl_placing *placing, const fl_id_run *run) {
  if (placing->n_runs >= FL_LIMIT_COVERAGE_RUNS) {
    map->n_runs -= placing->n_runs;
    fl_placing_settle(placing, FL_LIMIT_COVERAGE_RUNS / 2);
    map->n_runs += placing->n_runs;
  }
  if (map->n_runs >= RUNS_MAX) squeeze(map);
  void *list = placing->runs;
  if (!fl_grow(&list, &placing->cap_runs, placing->n_runs + 1, sizeof *placing->runs)) return false;
  placing->runs = list;
  placing->newest = placing->n_runs;
  placing->runs[placing->n_runs++] = *run;
  map->n_runs++;
  return true;
}

static fl_id_run run_of(const fl_covered *row) {
  const bool has_time = !(row->flags & FL_F_TIME_INVALID);
  const fl_time first = has_time ? row->t : INT64_MAX, last = has_time ? row->t : INT64_MIN;
  return (fl_id_run){.first = row->id,
                     .last = row->id,
                     .header_first = row->header_record_id,
                     .header_last = row->header_record_id,
                     .offset_first = row->offset,
                     .offset_end = row->offset + row->length,
                     .t_least = first,
                     .t_greatest = last,
                     .t_first = first,
                     .t_last = last};
}

static void widen(fl_id_run *run, const fl_covered *row) {
  if (row->flags & FL_F_TIME_INVALID) return;
  if (row->t < run->t_least) run->t_least = row->t;
  if (row->t > run->t_greatest) run->t_greatest = row->t;
}

/* The record bears the id behind the run's last one. */
static bool extend(fl_placing *placing, fl_id_run *run, const fl_covered *row) {
  const fl_time t = row->flags & FL_F_TIME_INVALID ? INT64_MIN : row->t;
  const bool is_back = t < run->t_last && t != INT64_MIN;
  if (is_back && !fl_placing_step(placing, (fl_step_back){row->id, row->offset, run->t_last, t}))
    return false;
  run->last = row->id;
  run->header_last = row->header_record_id;
  run->offset_end = row->offset + row->length;
  run->t_last = t;
  return true;
}

/* Most records bear the id behind the last one; `ret_before` is the time of that. */
static bool add_id(fl_coverage_map *map, fl_placing *placing, const fl_covered *row,
                   fl_time *ret_before) {
  const uint64_t id = row->id;
  fl_id_run *run = placing->n_runs ? &placing->runs[placing->newest] : NULL;
  *ret_before = run ? run->t_last : INT64_MIN;
  if (!run || id < run->first || (id > run->last && id - run->last > 1)) {
    const fl_id_run own = run_of(row);
    return add_run(map, placing, &own);
  }
  widen(run, row);
  if (id > run->last) return extend(placing, run, row);
  const fl_time t = row->flags & FL_F_TIME_INVALID ? INT64_MAX : row->t;
  fl_placing_repeat(placing, (fl_repeat){id, id, 1, row->offset, t});
  return true;
}

static bool is_slot(const fl_shape *shape, fl_column column) {
  return shape->columns[column].kind == FL_REF_SLOT;
}

static fl_shape_plan make_plan(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_shape *shape = row->shape;
  fl_shape_plan plan = {.is_known = true};
  plan.may_tell = is_slot(shape, FL_C_PROVIDER) ||
                  fl_coverage_may_tell(map, shape->columns[FL_C_PROVIDER].constant);
  plan.is_fixed = !is_slot(shape, FL_C_HOST) && !is_slot(shape, FL_C_CHANNEL);
  if (plan.is_fixed) plan.channel = find_row_channel(map, batch, row);
  return plan;
}

static fl_shape_plan find_plan(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_shape *shape = row->shape;
  if (shape == map->last_shape) return map->last_plan;
  map->last_shape = shape;
  if (shape->cached && shape->serial < map->cap_plans && map->plans[shape->serial].is_known)
    return map->last_plan = map->plans[shape->serial];
  map->last_plan = make_plan(map, batch, row);
  if (fl_shape_is_kept(shape) && fl_grow_zeroed((void **)&map->plans, &map->cap_plans,
                                                (size_t)shape->serial + 1, sizeof *map->plans))
    map->plans[shape->serial] = map->last_plan;
  return map->last_plan;
}

/* What is told by a row, and of which channel. */
static fl_covered covered_of(fl_coverage_map *map, const fl_batch *batch, const fl_row *row) {
  const fl_shape_plan plan = find_plan(map, batch, row);
  fl_covered covered = {.t = row->t,
                        .header_record_id = row->header_record_id,
                        .offset = row->offset,
                        .length = row->length,
                        .flags = row->flags};
  covered.channel = plan.is_fixed ? plan.channel : find_row_channel(map, batch, row);
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &covered.id))
    covered.id = row->header_record_id;
  covered.may_tell = plan.may_tell && fl_coverage_tells(batch, row);
  return covered;
}

/* A row that has a place: its id, its time, and what it says about logs. */
static bool add_placed(fl_coverage_map *map, fl_placing *placing, const fl_covered *covered,
                       const fl_batch *batch, const fl_row *row) {
  fl_time before = INT64_MIN;
  const uint32_t number = placing->channel;
  if (covered->id != 0 && !add_id(map, placing, covered, &before)) return false;
  if (covered->flags & FL_F_TIME_INVALID) return true;
  if (!place(map, placing, covered->offset, covered->t)) return false;
  return !covered->may_tell || fl_coverage_told(map, number, batch, row, before);
}

static bool add_row(fl_coverage_map *map, const fl_covered *covered, const fl_batch *batch,
                    const fl_row *row) {
  const uint32_t number = covered->channel;
  if (number == FL_NO_CHANNEL) return true;
  fl_channel *channel = &map->channels[number - 1];
  channel->n_events++;
  if (!(covered->flags & FL_F_TIME_INVALID)) {
    if (covered->t < channel->first) channel->first = covered->t;
    if (covered->t > channel->last) channel->last = covered->t;
  }
  const uint32_t placing = find_placing(map, batch->source, number);
  /* Without a place neither gaps nor damage could be told apart: cover nothing. */
  if (placing == FL_NO_CHANNEL) return fl_channel_add_hole(channel, INT64_MIN, INT64_MAX);
  return add_placed(map, &map->placings[placing - 1], covered, batch, row);
}

static bool is_live(const fl_row *row) {
  return !(row->flags & (FL_F_SLACK | FL_F_RECOVERED | FL_F_SYNTHETIC | FL_F_FINDING));
}

fl_status fl_coverage_batch(fl_coverage_map *map, const fl_batch *batch, fl_err *err) {
  map->last_shape = NULL;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    if (!is_live(row)) continue;
    const fl_covered covered = covered_of(map, batch, row);
    if (!add_row(map, &covered, batch, row)) return no_memory(err);
  }
  return FL_OK;
}

/* ---- in two steps ---- */

void fl_survey_done(fl_survey *survey) {
  free(survey->rows);
  free(survey->channels);
}

/* The place of the map's channel among those of the survey, + 1. */
static bool name_channel(fl_coverage_map *map, fl_survey *survey, uint32_t *channel) {
  if (*channel == FL_NO_CHANNEL) return true;
  fl_channel *known = &map->channels[*channel - 1];
  if (known->surveyed == 0 || known->surveyed > survey->n_channels ||
      survey->channels[known->surveyed - 1].name.p != known->channel.p) {
    void *list = survey->channels;
    if (!fl_grow(&list, &survey->cap_channels, survey->n_channels + 1, sizeof *survey->channels))
      return false;
    survey->channels = list;
    survey->channels[survey->n_channels++] = (fl_surveyed){known->host, known->channel, 0};
    known->surveyed = (uint32_t)survey->n_channels;
  }
  *channel = known->surveyed;
  return true;
}

fl_status fl_coverage_survey(fl_coverage_map *map, const fl_batch *batch, fl_survey *survey,
                             fl_err *err) {
  void *list = survey->rows;
  survey->n_rows = survey->n_channels = 0;
  if (!fl_grow(&list, &survey->cap_rows, batch->n_rows, sizeof *survey->rows))
    return no_memory(err);
  survey->rows = list;
  map->last_shape = NULL;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    if (!is_live(&batch->rows[i])) continue;
    fl_covered *covered = &survey->rows[survey->n_rows++];
    *covered = covered_of(map, batch, &batch->rows[i]);
    covered->row = i;
    if (!name_channel(map, survey, &covered->channel)) return no_memory(err);
  }
  return FL_OK;
}

fl_status fl_coverage_take(fl_coverage_map *map, const fl_batch *batch, fl_survey *survey,
                           fl_err *err) {
  for (size_t i = 0; i < survey->n_rows; i++) {
    fl_covered covered = survey->rows[i];
    if (covered.channel != FL_NO_CHANNEL) {
      fl_surveyed *known = &survey->channels[covered.channel - 1];
      if (!known->channel) known->channel = fl_coverage_channel(map, known->host, known->name);
      covered.channel = known->channel;
    }
    if (!add_row(map, &covered, batch, &batch->rows[covered.row])) return no_memory(err);
  }
  return FL_OK;
}

static int compare_channels(const void *left, const void *right) {
  const fl_channel *a = *(fl_channel *const *)left, *b = *(fl_channel *const *)right;
  const int order = fl_str_cmp(a->host, b->host);
  return order ? order : fl_str_cmp(a->channel, b->channel);
}

/* The runs of all placings, settled, also become those of their channels. */
static bool gather(fl_coverage_map *map) {
  for (size_t i = 0; i < map->n_channels; i++)
    map->channels[i].n_runs = map->channels[i].n_forgotten = 0;
  for (size_t i = 0; i < map->n_placings; i++) {
    fl_placing *placing = &map->placings[i];
    fl_placing_settle(placing, FL_LIMIT_COVERAGE_RUNS);
    if (!fl_channel_gather(&map->channels[placing->channel - 1], placing)) return false;
  }
  return true;
}

static fl_status solve(fl_coverage_map *map, fl_channel *const *order, size_t *ret_n, fl_err *err) {
  size_t n = 0;
  for (size_t start = 0, end = 0; start < map->n_channels; start = end) {
    fl_time host_last = INT64_MIN;
    for (; end < map->n_channels && fl_str_eq(order[end]->host, order[start]->host); end++)
      if (order[end]->last > host_last) host_last = order[end]->last;
    for (size_t i = start; i < end; i++)
      if (order[i]->n_events > 0)
        FL_TRY(fl_channel_solve(order[i], host_last, &map->list[n++], err));
  }
  *ret_n = n;
  return FL_OK;
}

fl_status fl_coverage_finish(fl_coverage_map *map, const fl_coverage **ret_list, size_t *ret_n,
                             fl_err *err) {
  free(map->list);
  map->list = calloc(map->n_channels + 1, sizeof *map->list);
  fl_channel **order = calloc(map->n_channels + 1, sizeof *order);
  fl_status status = map->list && order && gather(map) ? FL_OK : no_memory(err);
  if (status == FL_OK) {
    for (size_t i = 0; i < map->n_channels; i++) order[i] = &map->channels[i];
    if (map->n_channels > 1) qsort(order, map->n_channels, sizeof(fl_channel *), compare_channels);
    status = solve(map, order, ret_n, err);
  }
  free(order);
  *ret_list = map->list;
  return status;
}

fl_status fl_coverage_gaps(fl_coverage_map *map, const fl_gap **ret_gaps, size_t *ret_n,
                           fl_err *err) {
  for (size_t i = 0; i < map->n_placings; i++)
    fl_placing_settle(&map->placings[i], FL_LIMIT_COVERAGE_RUNS);
  map->n_gaps = map->n_gaps_dropped = 0;
  FL_TRY(fl_gaps_find(map, err));
  *ret_gaps = map->gaps;
  *ret_n = map->n_gaps;
  return FL_OK;
}

size_t fl_coverage_gaps_dropped(const fl_coverage_map *map) { return map->n_gaps_dropped; }
