/* writer.c - one ordered timeline file from rows in any order (docs/formats/timeline.md). */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/pool.h"
#include "faultline/case.h"
#include "faultline/timeline.h"
#include "timeline/blocks.h"
#include "timeline/collect.h"
#include "timeline/duplicate.h"
#include "timeline/object.h"
#include "timeline/tags.h"

enum {
  DEFAULT_MEMORY = 6 << 20,
  NOTES_PER_OBJECT = 4096,
  SOURCES_MAX = 1 << 20,
  LEDGER_MAX = 500000,
  COVERAGE_PER_OBJECT = 64
};

/* A block as the footer lists it. */
typedef struct listed_block {
  uint64_t offset, length;
  fl_block_info info;
} listed_block;

struct fl_timeline_writer {
  fl_out *out;
  fl_timeline_options options;
  fl_arena *arena; /* sources and notes */
  fl_collector rows;
  fl_coverage_map *coverage;
  fl_source_info *sources; /* by id; without a name: not met */
  size_t n_sources, cap_sources;
  fl_note *notes;
  size_t n_notes, cap_notes, n_notes_dropped, n_ledgers_dropped, n_gaps_dropped;
  /* while finishing */
  fl_framer *framer;
  fl_duplicates duplicates;
  const fl_tags *tags; /* NULL: nobody asked rules */
  fl_pack tagged;      /* the list of the row at hand */
  uint32_t *ranks, *by_rank;
  uint64_t *keys;
  fl_blocks *blocks;
  listed_block *listed;
  size_t n_listed, cap_listed;
  fl_pack payload, offsets;
  uint64_t at; /* bytes written */
  uint64_t n_events, n_duplicates, n_known, n_objects;
  uint32_t header_crc;
};

static int level_of(const fl_timeline_writer *writer) {
  return writer->options.level ? writer->options.level : 1;
}

static fl_status no_memory(fl_err *err) { return fl_fail(err, FL_E_NOMEM, 0, "out of memory"); }

fl_status fl_timeline_writer_create(fl_out *out, const fl_timeline_options *options,
                                    fl_timeline_writer **ret_writer, fl_err *err) {
  fl_timeline_writer *writer = calloc(1, sizeof *writer);
  if (!writer) return no_memory(err);
  writer->out = out;
  if (options) writer->options = *options;
  const size_t memory = writer->options.memory_bytes;
  fl_status status = fl_collector_init(&writer->rows, memory ? memory : DEFAULT_MEMORY,
                                       writer->options.temporary_folder, err);
  writer->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (status == FL_OK && !writer->arena) status = no_memory(err);
  if (status == FL_OK) status = fl_coverage_create(&writer->coverage, err);
  if (status == FL_OK) writer->options.run = fl_arena_str(writer->arena, writer->options.run);
  if (status == FL_OK && !writer->options.run.p) status = no_memory(err);
  if (status == FL_OK) *ret_writer = writer;
  else fl_timeline_writer_free(writer);
  return status;
}

void fl_timeline_writer_free(fl_timeline_writer *writer) {
  if (!writer) return;
  fl_arena_free(writer->arena);
  fl_blocks_free(writer->blocks);
  fl_collector_done(&writer->rows);
  fl_coverage_free(writer->coverage);
  fl_framer_free(writer->framer);
  fl_duplicates_done(&writer->duplicates);
  fl_pack_free(&writer->payload);
  fl_pack_free(&writer->tagged);
  fl_pack_free(&writer->offsets);
  free(writer->sources);
  free(writer->notes);
  free(writer->ranks);
  free(writer->by_rank);
  free(writer->keys);
  free(writer->listed);
  free(writer);
}

/* Makes the table reach `id`; a source that was never announced gets a name from its number. */
static fl_status know_source(fl_timeline_writer *writer, uint32_t id, fl_err *err) {
  if (id < writer->n_sources && writer->sources[id].name.p) return FL_OK;
  if (id >= SOURCES_MAX)
    return fl_fail(err, FL_E_ARG, 0, "source id %u is beyond %d", (unsigned)id, SOURCES_MAX);
  void *list = writer->sources;
  if (!fl_grow(&list, &writer->cap_sources, (size_t)id + 1, sizeof *writer->sources))
    return no_memory(err);
  writer->sources = list;
  for (; writer->n_sources <= id; writer->n_sources++)
    writer->sources[writer->n_sources] = (fl_source_info){.parent = UINT32_MAX};
  fl_source_info *source = &writer->sources[id];
  *source = (fl_source_info){.id = id, .parent = UINT32_MAX, .type = "unknown"};
  source->name = fl_arena_printf(writer->arena, "source-%u", (unsigned)id);
  return source->name.p ? FL_OK : no_memory(err);
}

/* A copy of the ledger; NULL when it finds no room. Neighbours often share a reason. */
static fl_range *copy_ranges(fl_arena *arena, const fl_range *from, size_t n) {
  fl_range *ranges = FL_NEW_ARRAY(arena, fl_range, n);
  for (size_t i = 0; ranges && i < n; i++) {
    ranges[i] = from[i];
    const bool is_known = i > 1 && fl_str_eq(from[i].reason, from[i - 2].reason);
    ranges[i].reason = is_known ? ranges[i - 2].reason : fl_arena_str(arena, from[i].reason);
    if (!ranges[i].reason.p) return NULL;
  }
  return ranges;
}

/* What the ledgers of a hostile bundle take must not cost the run. */
static void copy_ledger(fl_timeline_writer *writer, fl_source_info *source) {
  if (source->n_ledger == 0) return;
  const fl_arena *arena = writer->arena;
  const bool has_room = source->n_ledger <= LEDGER_MAX && arena->used_bytes < arena->cap_bytes / 2;
  source->ledger = has_room ? copy_ranges(writer->arena, source->ledger, source->n_ledger) : NULL;
  if (source->ledger) return;
  source->n_ledger = 0;
  writer->n_ledgers_dropped++;
}

/* The type is a parser's static name. */
static fl_status on_begin(void *self, const fl_source_info *source, fl_err *err) {
  fl_timeline_writer *writer = self;
  FL_TRY(know_source(writer, source->id, err));
  fl_source_info copy = *source;
  const fl_str type =
      fl_arena_str(writer->arena, fl_str_of(source->type ? source->type : "unknown"));
  copy.name = fl_arena_str(writer->arena, source->name);
  if (!copy.name.p || !type.p) return no_memory(err);
  copy.type = type.p;
  copy_ledger(writer, &copy);
  writer->sources[source->id] = copy;
  return FL_OK;
}

static fl_status on_end(void *self, const fl_source_info *source, fl_err *err) {
  fl_timeline_writer *writer = self;
  FL_TRY(on_begin(self, source, err));
  return fl_coverage_source(writer->coverage, source, err);
}

static fl_status on_note(void *self, const fl_note *note, fl_err *err) {
  fl_timeline_writer *writer = self;
  void *list = writer->notes;
  if (!fl_grow(&list, &writer->cap_notes, writer->n_notes + 1, sizeof *writer->notes))
    return no_memory(err);
  writer->notes = list;
  fl_note copy = *note;
  copy.text = fl_arena_str(writer->arena, note->text);
  if (copy.text.p) writer->notes[writer->n_notes++] = copy;
  else writer->n_notes_dropped++;
  return FL_OK;
}

static int compare_names(const void *left, const void *right) {
  const fl_source_info *a = *(const fl_source_info *const *)left;
  const fl_source_info *b = *(const fl_source_info *const *)right;
  const int order = fl_str_cmp(a->name, b->name);
  return order ? order : a->id < b->id ? -1 : a->id > b->id;
}

/* ranks[id]: the place of each source's name in byte order; by_rank is the reverse. */
static fl_status rank_sources(fl_timeline_writer *writer, fl_err *err) {
  const size_t n = writer->n_sources;
  free(writer->ranks);
  free(writer->by_rank);
  writer->ranks = calloc(n + 1, sizeof *writer->ranks);
  writer->by_rank = calloc(n + 1, sizeof *writer->by_rank);
  const fl_source_info **order = calloc(n + 1, sizeof *order);
  if (!writer->ranks || !writer->by_rank || !order) {
    free(order);
    return no_memory(err);
  }
  writer->n_known = 0;
  for (size_t i = 0; i < n; i++)
    if (writer->sources[i].name.p) order[writer->n_known++] = &writer->sources[i];
  qsort(order, writer->n_known, sizeof *order, compare_names);
  for (uint32_t i = 0; i < writer->n_known; i++) {
    writer->ranks[order[i]->id] = i;
    writer->by_rank[i] = order[i]->id;
  }
  free(order);
  return FL_OK;
}

static bool is_outside(const fl_timeline_options *options, const fl_row *row) {
  if (options->since == 0 && options->until == 0) return false;
  return (row->flags & FL_F_TIME_INVALID) || (options->since && row->t < options->since) ||
         (options->until && row->t > options->until);
}

static fl_status spill_when_full(fl_timeline_writer *writer, fl_err *err) {
  if (!fl_collector_is_full(&writer->rows)) return FL_OK;
  FL_TRY(rank_sources(writer, err));
  return fl_collector_spill(&writer->rows, writer->ranks, err);
}

static fl_status on_batch(void *self, const fl_batch *batch, fl_err *err) {
  fl_timeline_writer *writer = self;
  fl_collector_new_batch(&writer->rows);
  if (!writer->options.is_filtered) FL_TRY(fl_coverage_batch(writer->coverage, batch, err));
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    if (is_outside(&writer->options, row)) continue;
    FL_TRY(know_source(writer, row->source, err));
    FL_TRY(fl_collector_add(&writer->rows, batch, row, err));
    FL_TRY(spill_when_full(writer, err));
  }
  return FL_OK;
}

static fl_status on_prepare(void *self, unsigned reader, const fl_batch *batch, void **ret_prepared,
                            fl_err *err) {
  fl_timeline_writer *writer = self;
  fl_parcel *parcel = NULL;
  FL_TRY(fl_collector_prepare(&writer->rows, reader, batch, &parcel, err));
  *ret_prepared = parcel;
  return FL_OK;
}

/* Nobody filters what is prepared, so that nobody else watches it. */
static fl_status on_take(void *self, const fl_batch *batch, uint64_t first_seq, void *prepared,
                         fl_err *err) {
  fl_timeline_writer *writer = self;
  fl_parcel *parcel = prepared;
  FL_TRY(fl_collector_take(&writer->rows, parcel, first_seq, err));
  FL_TRY(know_source(writer, batch->source, err));
  FL_TRY(fl_coverage_take(writer->coverage, batch, &parcel->survey, err));
  return spill_when_full(writer, err);
}

static void on_drop(void *self, void *prepared) {
  fl_collector_drop(&((fl_timeline_writer *)self)->rows, prepared);
}

fl_sink fl_timeline_writer_sink(fl_timeline_writer *writer) {
  fl_sink sink = {
      .self = writer, .begin = on_begin, .batch = on_batch, .note = on_note, .end = on_end};
  if (writer->options.since || writer->options.until) return sink;
  sink.prepare = on_prepare;
  sink.take = on_take;
  sink.drop = on_drop;
  return sink;
}

fl_status fl_timeline_writer_watch(fl_timeline_writer *writer, const fl_batch *batch, fl_err *err) {
  return writer->options.is_filtered ? fl_coverage_batch(writer->coverage, batch, err) : FL_OK;
}

fl_status fl_timeline_writer_gaps(fl_timeline_writer *writer, const fl_sink *sink, fl_err *err) {
  const fl_gap *gaps = NULL;
  size_t n_gaps = 0;
  FL_TRY(fl_coverage_gaps(writer->coverage, &gaps, &n_gaps, err));
  writer->n_gaps_dropped = fl_coverage_gaps_dropped(writer->coverage);
  return fl_gap_rows(gaps, n_gaps, sink, err);
}

static void put(fl_timeline_writer *writer, const fl_pack *bytes) {
  fl_out_write(writer->out, bytes->p, bytes->n);
  writer->at += bytes->n;
}

/* Frames the payload and lists the object's offset. */
static fl_status put_object(fl_timeline_writer *writer, fl_object_kind kind, fl_err *err) {
  const fl_pack *object = NULL;
  if (writer->payload.failed) return no_memory(err);
  fl_pack_u64(&writer->offsets, writer->at);
  writer->n_objects++;
  FL_TRY(fl_framer_frame(writer->framer, kind, NULL, &writer->payload, &object, err));
  put(writer, object);
  return FL_OK;
}

static fl_status put_header(fl_timeline_writer *writer, fl_err *err) {
  fl_pack *header = &writer->payload;
  header->n = 0;
  fl_pack_array(header, 3);
  fl_pack_key(header, FL_MAGIC);
  fl_pack_u64(header, FL_TIMELINE_MAJOR);
  fl_pack_map(header, 4);
  fl_pack_key(header, "minor");
  fl_pack_u64(header, FL_TIMELINE_MINOR);
  fl_pack_key(header, "tool");
  fl_pack_key(header, "faultline");
  fl_pack_key(header, "sorted");
  fl_pack_bool(header, true);
  fl_pack_key(header, "tz");
  fl_pack_key(header, "UTC");
  if (header->failed) return no_memory(err);
  writer->header_crc = (uint32_t)crc32_z(0, header->p, header->n);
  put(writer, header);
  return FL_OK;
}

static void pack_time_or_nil(fl_pack *pack, fl_time t) {
  if (t == 0) fl_pack_nil(pack);
  else fl_pack_i64(pack, t);
}

static void pack_ledger(fl_pack *pack, const fl_source_info *source) {
  fl_pack_array(pack, source->n_ledger);
  for (size_t i = 0; i < source->n_ledger; i++) {
    fl_pack_array(pack, 4);
    fl_pack_u64(pack, source->ledger[i].offset);
    fl_pack_u64(pack, source->ledger[i].length);
    fl_pack_u64(pack, (uint64_t)source->ledger[i].state);
    fl_pack_str(pack, source->ledger[i].reason);
  }
}

static void pack_source(fl_timeline_writer *writer, const fl_source_info *source) {
  fl_pack *pack = &writer->payload;
  const bool has_parent =
      source->parent < writer->n_sources && writer->sources[source->parent].name.p;
  pack->n = 0;
  fl_pack_map(pack, 14 + source->is_cut);
  fl_pack_key(pack, "key");
  fl_pack_u64(pack, writer->keys[source->id]);
  fl_pack_key(pack, "name");
  fl_pack_str(pack, source->name);
  fl_pack_key(pack, "type");
  fl_pack_key(pack, source->type);
  fl_pack_key(pack, "parent");
  if (has_parent) fl_pack_u64(pack, writer->keys[source->parent]);
  else fl_pack_nil(pack);
  fl_pack_key(pack, "size");
  fl_pack_u64(pack, source->size_bytes);
  fl_pack_key(pack, "sha256");
  if (source->sha256[0]) fl_pack_key(pack, source->sha256);
  else fl_pack_nil(pack);
  fl_pack_key(pack, "container");
  fl_pack_bool(pack, source->is_container);
  fl_pack_key(pack, "skipped");
  fl_pack_bool(pack, source->is_skipped);
  fl_pack_key(pack, "failed");
  fl_pack_bool(pack, source->is_failed);
  if (source->is_cut) {
    fl_pack_key(pack, "cut");
    fl_pack_bool(pack, true);
  }
  fl_pack_key(pack, "events");
  fl_pack_u64(pack, source->n_events);
  fl_pack_key(pack, "recovered");
  fl_pack_u64(pack, source->n_recovered);
  fl_pack_key(pack, "first");
  pack_time_or_nil(pack, source->first);
  fl_pack_key(pack, "last");
  pack_time_or_nil(pack, source->last);
  fl_pack_key(pack, "ledger");
  pack_ledger(pack, source);
}

static fl_status put_sources(fl_timeline_writer *writer, fl_err *err) {
  writer->keys = calloc(writer->n_sources + 1, sizeof *writer->keys);
  if (!writer->keys) return no_memory(err);
  for (size_t i = 0; i < writer->n_known; i++) {
    const uint32_t id = writer->by_rank[i];
    if (!fl_source_key(writer->sources[id].name, &writer->keys[id])) return no_memory(err);
  }
  for (size_t i = 0; i < writer->n_known; i++) {
    pack_source(writer, &writer->sources[writer->by_rank[i]]);
    FL_TRY(put_object(writer, FL_OBJECT_SOURCE, err));
  }
  return FL_OK;
}

static fl_status put_block(void *self, const fl_block_info *info, const fl_pack *object,
                           fl_err *err) {
  fl_timeline_writer *writer = self;
  void *list = writer->listed;
  if (!fl_grow(&list, &writer->cap_listed, writer->n_listed + 1, sizeof *writer->listed))
    return no_memory(err);
  writer->listed = list;
  writer->listed[writer->n_listed++] = (listed_block){writer->at, object->n, *info};
  put(writer, object);
  return FL_OK;
}

void fl_timeline_writer_tag(fl_timeline_writer *writer, const fl_tags *tags) {
  writer->tags = tags;
}

/* Events of our own stand at places of records, and are none. */
static fl_status put_tags(fl_timeline_writer *writer, const fl_row_head *head, fl_err *err) {
  fl_pack *list = &writer->tagged;
  list->n = 0;
  if (!(head->flags & (FL_F_SYNTHETIC | FL_F_FINDING | FL_F_GAP)))
    fl_tags_pack(writer->tags, head->source, head->seq, list);
  if (list->failed) return no_memory(err);
  return fl_blocks_add_rules(writer->blocks, (fl_str){(const char *)list->p, list->n}, err);
}

static fl_status put_events(fl_timeline_writer *writer, fl_err *err) {
  const unsigned n_jobs = writer->options.n_jobs;
  FL_TRY(fl_collector_merge(&writer->rows, writer->ranks, err));
  const fl_blocks_options options = {.legend = &writer->rows.legend,
                                     .keys = writer->keys,
                                     .level = level_of(writer),
                                     .n_jobs = n_jobs ? n_jobs : fl_processors(),
                                     .put = put_block,
                                     .self = writer};
  FL_TRY(fl_blocks_create(&options, &writer->blocks, err));
  writer->duplicates.legend = &writer->rows.legend;
  fl_time before = INT64_MIN; /* of the row before */
  for (;;) {
    fl_row_head head;
    const uint8_t *bytes = NULL;
    const fl_status status = fl_runs_next(&writer->rows.runs, &head, &bytes, err);
    FL_TRY(status);
    if (status == FL_END) break;
    /* Copies are of one time: an event that has its time for itself is not looked at. */
    const bool is_alone = head.t != before && fl_runs_are_past(&writer->rows.runs, head.t);
    before = head.t;
    if (!is_alone && !(head.flags & (FL_F_SYNTHETIC | FL_F_FINDING)) &&
        fl_duplicates_see(&writer->duplicates, &head, bytes))
      head.flags |= FL_F_DUPLICATE;
    writer->n_duplicates += (head.flags & FL_F_DUPLICATE) != 0;
    writer->n_events++;
    FL_TRY(fl_blocks_add(writer->blocks, &head, bytes, err));
    if (writer->tags) FL_TRY(put_tags(writer, &head, err));
  }
  return fl_blocks_finish(writer->blocks, err);
}

/* A note's place: its source's rank, those of no known source last. */
static uint32_t rank_of(const fl_timeline_writer *writer, uint32_t source) {
  const bool is_known = source < writer->n_sources && writer->sources[source].name.p;
  return is_known ? writer->ranks[source] : UINT32_MAX;
}

/* While they are sorted, notes name their source by its rank. */
static int compare_notes(const void *left, const void *right) {
  const fl_note *a = left, *b = right;
  if (a->source != b->source) return a->source < b->source ? -1 : 1;
  if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
  if (a->severity != b->severity) return a->severity < b->severity ? -1 : 1;
  return fl_str_cmp(a->text, b->text);
}

static void pack_note(fl_timeline_writer *writer, const fl_note *note) {
  fl_pack *pack = &writer->payload;
  fl_pack_array(pack, 4);
  if (note->source == UINT32_MAX) fl_pack_nil(pack);
  else fl_pack_u64(pack, writer->keys[writer->by_rank[note->source]]);
  fl_pack_u64(pack, (uint64_t)note->severity);
  fl_pack_u64(pack, note->offset);
  fl_pack_str(pack, note->text);
}

/* The text needs no memory of the writer's, which may be used up. */
static fl_status put_limit_note(fl_timeline_writer *writer, size_t n, fl_str text, fl_err *err) {
  if (n == 0) return FL_OK;
  void *list = writer->notes;
  if (!fl_grow(&list, &writer->cap_notes, writer->n_notes + 1, sizeof *writer->notes))
    return no_memory(err);
  writer->notes = list;
  writer->notes[writer->n_notes++] =
      (fl_note){.source = UINT32_MAX, .severity = FL_NOTE_LIMIT, .text = text};
  return FL_OK;
}

static fl_status put_notes(fl_timeline_writer *writer, fl_err *err) {
  FL_TRY(put_limit_note(writer, writer->n_notes_dropped,
                        FL_STR("some notes found no room and are left out"), err));
  FL_TRY(put_limit_note(writer, writer->n_ledgers_dropped,
                        FL_STR("ledgers of some sources found no room and are left out"), err));
  FL_TRY(put_limit_note(writer, writer->n_gaps_dropped,
                        FL_STR("some gaps in logs found no room and are left out"), err));
  for (size_t i = 0; i < writer->n_notes; i++)
    writer->notes[i].source = rank_of(writer, writer->notes[i].source);
  if (writer->n_notes > 1)
    qsort(writer->notes, writer->n_notes, sizeof *writer->notes, compare_notes);
  for (size_t start = 0; start < writer->n_notes; start += NOTES_PER_OBJECT) {
    size_t n = writer->n_notes - start;
    if (n > NOTES_PER_OBJECT) n = NOTES_PER_OBJECT;
    writer->payload.n = 0;
    fl_pack_array(&writer->payload, n);
    for (size_t i = 0; i < n; i++) pack_note(writer, &writer->notes[start + i]);
    FL_TRY(put_object(writer, FL_OBJECT_NOTES, err));
  }
  return FL_OK;
}

static fl_status put_coverage(fl_timeline_writer *writer, fl_err *err) {
  const fl_coverage *list = NULL;
  size_t n_list = 0;
  FL_TRY(fl_coverage_finish(writer->coverage, &list, &n_list, err));
  for (size_t start = 0; start < n_list; start += COVERAGE_PER_OBJECT) {
    size_t n = n_list - start;
    if (n > COVERAGE_PER_OBJECT) n = COVERAGE_PER_OBJECT;
    writer->payload.n = 0;
    fl_pack_array(&writer->payload, n);
    for (size_t i = 0; i < n; i++) fl_pack_coverage(&writer->payload, &list[start + i]);
    FL_TRY(put_object(writer, FL_OBJECT_COVERAGE, err));
  }
  return FL_OK;
}

static void pack_footer(fl_timeline_writer *writer) {
  fl_pack *pack = &writer->payload;
  pack->n = 0;
  fl_pack_map(pack, 5);
  fl_pack_key(pack, "header");
  fl_pack_u64(pack, writer->header_crc);
  fl_pack_key(pack, "run");
  fl_pack_str(pack, writer->options.run);
  fl_pack_key(pack, "objects");
  fl_pack_array(pack, (size_t)writer->n_objects);
  fl_pack_bytes(pack, writer->offsets.p, writer->offsets.n);
  fl_pack_key(pack, "blocks");
  fl_pack_array(pack, writer->n_listed);
  for (size_t i = 0; i < writer->n_listed; i++) {
    const listed_block *block = &writer->listed[i];
    fl_pack_array(pack, 5);
    fl_pack_u64(pack, block->offset);
    fl_pack_u64(pack, block->length);
    fl_pack_u64(pack, block->info.n);
    fl_pack_i64(pack, block->info.t_min);
    fl_pack_i64(pack, block->info.t_max);
  }
  fl_pack_key(pack, "totals");
  fl_pack_map(pack, 4);
  fl_pack_key(pack, "events");
  fl_pack_u64(pack, writer->n_events);
  fl_pack_key(pack, "duplicates");
  fl_pack_u64(pack, writer->n_duplicates);
  fl_pack_key(pack, "sources");
  fl_pack_u64(pack, writer->n_known);
  fl_pack_key(pack, "notes");
  fl_pack_u64(pack, writer->n_notes);
}

static void put_big_endian(fl_pack *pack, uint64_t number, unsigned n_bytes) {
  for (unsigned i = n_bytes; i-- > 0;) {
    const uint8_t byte = (uint8_t)(number >> (8 * i));
    fl_pack_bytes(pack, &byte, 1);
  }
}

/* fixext16: u64 footer offset, u32 crc32 of the footer object, "FLTE"; big endian as msgpack. */
static fl_status put_footer(fl_timeline_writer *writer, fl_err *err) {
  const uint64_t footer_at = writer->at;
  const fl_pack *object = NULL;
  pack_footer(writer);
  if (writer->payload.failed || writer->offsets.failed) return no_memory(err);
  FL_TRY(fl_framer_frame(writer->framer, FL_OBJECT_FOOTER, NULL, &writer->payload, &object, err));
  put(writer, object);
  fl_pack *trailer = &writer->payload;
  trailer->n = 0;
  put_big_endian(trailer, 0xd800 | FL_TRAILER_TYPE, 2);
  put_big_endian(trailer, footer_at, 8);
  put_big_endian(trailer, crc32_z(0, object->p, object->n), 4);
  fl_pack_bytes(trailer, "FLTE", 4);
  if (trailer->failed) return no_memory(err);
  put(writer, trailer);
  return FL_OK;
}

fl_status fl_timeline_writer_finish(fl_timeline_writer *writer, uint64_t *ret_n_events,
                                    fl_err *err) {
  FL_TRY(fl_framer_create(level_of(writer), &writer->framer, err));
  FL_TRY(rank_sources(writer, err));
  FL_TRY(put_header(writer, err));
  FL_TRY(put_sources(writer, err));
  FL_TRY(put_events(writer, err));
  FL_TRY(put_notes(writer, err));
  FL_TRY(put_coverage(writer, err));
  FL_TRY(put_footer(writer, err));
  if (ret_n_events) *ret_n_events = writer->n_events;
  return FL_OK;
}
