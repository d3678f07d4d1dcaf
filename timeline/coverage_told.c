/* coverage_told.c - what machines say about their logs and clocks: cleared, dropped, full, set. */
#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "timeline/coverage.h"

enum { CHANGES_MAX = 4096 };

static bool is_named(fl_coverage_map *map, fl_raw raw, const char *name) {
  return fl_str_eq_nocase(fl_coverage_text(raw, &map->host_text), fl_str_of(name));
}

static bool is_log_service(fl_coverage_map *map, fl_raw raw) {
  return is_named(map, raw, "Microsoft-Windows-Eventlog");
}

/* Who tells that the clock was set: in the System log by event 1, in Security by 4616. */
static const struct {
  const char *provider;
  uint64_t event_id;
  const char *from, *to;
} clock_setters[] = {
    {"Microsoft-Windows-Kernel-General", 1, "OldTime", "NewTime"},
    {"Microsoft-Windows-Security-Auditing", 4616, "PreviousTime", "NewTime"},
};
enum { N_CLOCK_SETTERS = sizeof clock_setters / sizeof *clock_setters };

bool fl_coverage_may_tell(fl_coverage_map *map, fl_raw provider) {
  for (size_t i = 0; i < N_CLOCK_SETTERS; i++)
    if (is_named(map, provider, clock_setters[i].provider)) return true;
  return is_log_service(map, provider);
}

static fl_raw field_of(const fl_batch *batch, const fl_row *row, const char *name) {
  const fl_shape *shape = row->shape;
  for (uint32_t i = 0; i < shape->n_fields; i++)
    if (shape->fields[i].n_refs > 0 && fl_str_eq_nocase(shape->fields[i].name, fl_str_of(name)))
      return fl_row_raw(batch, row, &shape->fields[i].refs[0]);
  return (fl_raw){0};
}

static uint64_t record_id_of(const fl_batch *batch, const fl_row *row) {
  uint64_t id = 0;
  return fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &id) ? id : row->header_record_id;
}

static bool mark_cleared(fl_coverage_map *map, uint32_t number, const fl_batch *batch,
                         const fl_row *row) {
  if (number == FL_NO_CHANNEL) return true;
  fl_channel *channel = &map->channels[number - 1];
  if (channel->cleared == 0 || row->t > channel->cleared) channel->cleared = row->t;
  if (channel->n_clears >= FL_LIMIT_GAPS_ALIKE) {
    channel->n_clears_dropped++;
    return true;
  }
  void *list = channel->clears;
  if (!fl_grow(&list, &channel->cap_clears, channel->n_clears + 1, sizeof *channel->clears))
    return false;
  channel->clears = list;
  const fl_str user = fl_coverage_text(field_of(batch, row, "SubjectUserName"), &map->channel_text);
  channel->clears[channel->n_clears++] = (fl_clear){.t = row->t,
                                                    .source = row->source,
                                                    .offset = row->offset,
                                                    .record_id = record_id_of(batch, row),
                                                    .user = fl_arena_str(map->arena, user)};
  return true;
}

/* 104 in the System log names the log it clears. */
static bool clear_named(fl_coverage_map *map, uint32_t number, const fl_batch *batch,
                        const fl_row *row) {
  const fl_str name = fl_coverage_text(field_of(batch, row, "Channel"), &map->channel_text);
  if (name.n == 0) return true;
  const fl_str host = map->channels[number - 1].host;
  return mark_cleared(map, fl_coverage_channel(map, host, name), batch, row);
}

/* Timelines hold times as text. */
static bool time_field(const fl_batch *batch, const fl_row *row, const char *name,
                       fl_time *ret_time) {
  uint64_t filetime = 0;
  const fl_raw raw = field_of(batch, row, name);
  if (raw.type == FL_T_UTF8) return fl_time_parse((fl_str){(const char *)raw.p, raw.n}, ret_time);
  return raw.type == FL_T_FILETIME && fl_raw_u64(raw, &filetime) &&
         fl_time_from_filetime(filetime, ret_time);
}

/* Forwards or backwards: around both stand records whose times are out of order. */
static bool note_change(fl_coverage_map *map, uint32_t number, const fl_batch *batch,
                        const fl_row *row, size_t setter) {
  fl_time from = 0, to = 0;
  if (!time_field(batch, row, clock_setters[setter].from, &from) ||
      !time_field(batch, row, clock_setters[setter].to, &to))
    return true;
  const fl_clock_change change = {.channel = number,
                                  .least = from < to ? from : to,
                                  .greatest = from < to ? to : from,
                                  .record_id = record_id_of(batch, row)};
  if ((uint64_t)change.greatest - (uint64_t)change.least < (uint64_t)FL_SECOND) return true;
  if (map->n_changes >= CHANGES_MAX) {
    map->n_changes_dropped++;
    return true;
  }
  void *list = map->changes;
  if (!fl_grow(&list, &map->cap_changes, map->n_changes + 1, sizeof *map->changes)) return false;
  map->changes = list;
  map->changes[map->n_changes++] = change;
  return true;
}

bool fl_coverage_tells(const fl_batch *batch, const fl_row *row) {
  uint64_t event_id = 0;
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &event_id)) return false;
  for (size_t i = 0; i < N_CLOCK_SETTERS; i++)
    if (event_id == clock_setters[i].event_id) return true;
  return event_id == 104 || event_id == 1101 || event_id == 1102 || event_id == 1104;
}

/* Events of the log service, by id: 104 a log was cleared, 1101 audit events were dropped while
 * nobody could write them, 1102 the security log was cleared, 1104 it is full and takes no more. */
bool fl_coverage_told(fl_coverage_map *map, uint32_t number, const fl_batch *batch,
                      const fl_row *row, fl_time before) {
  uint64_t event_id = 0;
  const fl_raw provider = fl_row_column(batch, row, FL_C_PROVIDER);
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &event_id)) return true;
  for (size_t i = 0; i < N_CLOCK_SETTERS; i++)
    if (event_id == clock_setters[i].event_id && is_named(map, provider, clock_setters[i].provider))
      return note_change(map, number, batch, row, i);
  if ((event_id != 104 && event_id != 1101 && event_id != 1102 && event_id != 1104) ||
      !is_log_service(map, provider))
    return true;
  fl_channel *channel = &map->channels[number - 1];
  if (event_id == 104) return clear_named(map, number, batch, row);
  if (event_id == 1102) return mark_cleared(map, number, batch, row);
  if (event_id == 1101) return fl_channel_add_hole(channel, before, row->t);
  return fl_channel_add_hole(channel, row->t, INT64_MAX);
}
