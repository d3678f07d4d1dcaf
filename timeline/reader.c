/* reader.c - reads a timeline file whole, cut or damaged, and gives it to a sink. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "faultline/timeline.h"
#include "timeline/decode.h"
#include "timeline/footer.h"
#include "timeline/sources.h"

enum {
  MAGIC_BYTES = 10,
  HEADER_MAX = 4096,
  SLOTS_PER_BATCH = 1 << 18,
  BLOCK_MEMORY = 128 << 20,
  UNKNOWN_SOURCES_MAX = 4096
};
static const uint8_t magic[MAGIC_BYTES] = {0x93, 0xa8, 'F', 'L', 'T', 'L', '\r', '\n', 0x1a, '\n'};

/* One reading of the file. */
typedef struct reading {
  const fl_sink *sink;
  fl_time since, until;
  fl_ingest_totals totals;
  fl_arena *arena; /* sources, footer */
  fl_arena *block_arena;
  fl_sources sources;
  fl_footer footer;
  bool is_damaged;     /* a note says so already */
  bool has_own_source; /* the file itself, for notes about it */
  uint32_t own_source;
  uint64_t n_rows, n_read_sources, n_read_notes; /* to be compared with the footer */
  uint64_t next_block, n_unknown;
  uint64_t end;    /* of the last object that was whole */
  uint64_t wasted; /* work on objects that were not */
  fl_time last_t;
  fl_err damage; /* first reason of the stretch that is being skipped; code FL_OK: none */
  uint64_t damage_at;
} reading;

struct fl_timeline_reader {
  fl_file file;
  char *name;
  uint64_t header_end; /* 0: the header's map is damaged */
  uint32_t header_crc;
  bool is_newer;
  fl_opener *opener;
  fl_decoder decoder;
  msgpack_unpacked unpacked;
  reading now;
};

bool fl_timeline_probe(const uint8_t *head, size_t n_head) {
  return n_head >= MAGIC_BYTES && memcmp(head, magic, MAGIC_BYTES) == 0;
}

/* array(3): magic, major, map */
static fl_status read_header(fl_timeline_reader *reader, fl_err *err) {
  uint8_t head[HEADER_MAX];
  size_t n = sizeof head;
  if (n > reader->file.size) n = (size_t)reader->file.size;
  FL_TRY(fl_file_read(&reader->file, 0, n, head, err));
  if (!fl_timeline_probe(head, n))
    return fl_fail(err, FL_E_CORRUPT, 0, "%s: not a timeline file", reader->name);
  if (n > MAGIC_BYTES && head[MAGIC_BYTES] != FL_TIMELINE_MAJOR)
    return fl_fail(err, FL_E_UNSUPPORTED, MAGIC_BYTES,
                   "%s: timeline format 0x%02x, this build reads format %d", reader->name,
                   (unsigned)head[MAGIC_BYTES], FL_TIMELINE_MAJOR);
  const size_t n_header = fl_msgpack_length((fl_str){(const char *)head, n});
  if (n_header == 0) return FL_OK;
  reader->header_end = n_header;
  reader->header_crc = (uint32_t)crc32_z(0, head, n_header);
  size_t at = 0;
  if (msgpack_unpack_next(&reader->unpacked, (const char *)head, n_header, &at) ==
          MSGPACK_UNPACK_SUCCESS &&
      reader->unpacked.data.type == MSGPACK_OBJECT_ARRAY &&
      reader->unpacked.data.via.array.size == 3)
    reader->is_newer = fl_object_natural(fl_map_find(&reader->unpacked.data.via.array.ptr[2],
                                                     "minor")) > FL_TIMELINE_MINOR;
  return FL_OK;
}

static fl_status open_reader(const fl_file *file, const char *name, fl_timeline_reader **ret_reader,
                             fl_err *err) {
  fl_timeline_reader *reader = calloc(1, sizeof *reader);
  if (!reader) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  reader->file = *file;
  msgpack_unpacked_init(&reader->unpacked);
  reader->name = strdup(name);
  fl_status status = reader->name ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (status == FL_OK) status = fl_opener_create(&reader->opener, err);
  if (status == FL_OK) status = read_header(reader, err);
  if (status == FL_OK) {
    *ret_reader = reader;
  } else {
    reader->file.fd = -1; /* the caller closes it */
    fl_timeline_close(reader);
  }
  return status;
}

fl_status fl_timeline_open(const char *path, fl_timeline_reader **ret_reader, fl_err *err) {
  struct stat info;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fl_fail(err, FL_E_IO, 0, "%s: cannot open: %s", path, strerror(errno));
  const char *slash = strrchr(path, '/');
  fl_status status = FL_OK;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    status = fl_fail(err, FL_E_IO, 0, "%s: not a regular file", path);
  if (status == FL_OK) {
    const fl_file file = {.fd = fd, .size = (uint64_t)info.st_size};
    status = open_reader(&file, slash ? slash + 1 : path, ret_reader, err);
  }
  if (status < FL_OK) (void)close(fd);
  return status;
}

fl_status fl_timeline_open_memory(const uint8_t *bytes, size_t n_bytes,
                                  fl_timeline_reader **ret_reader, fl_err *err) {
  const fl_file file = {.fd = -1, .memory = bytes, .size = n_bytes};
  return open_reader(&file, "timeline", ret_reader, err);
}

static void end_reading(reading *now) {
  fl_sources_done(&now->sources);
  fl_arena_free(now->arena);
  fl_arena_free(now->block_arena);
  *now = (reading){0};
}

void fl_timeline_close(fl_timeline_reader *reader) {
  if (!reader) return;
  end_reading(&reader->now);
  fl_opener_free(reader->opener);
  fl_decoder_done(&reader->decoder);
  msgpack_unpacked_destroy(&reader->unpacked);
  if (reader->file.fd >= 0) (void)close(reader->file.fd);
  free(reader->name);
  free(reader);
}

static fl_status begin_source(reading *now, uint32_t id, fl_err *err) {
  const fl_source_info *info = &now->sources.items[id];
  now->totals.n_sources++;
  now->totals.n_failed += info->is_failed;
  now->totals.n_skipped += info->is_skipped;
  now->totals.n_parsed += !info->is_failed && !info->is_skipped && !info->is_container;
  return now->sink->begin ? now->sink->begin(now->sink->self, info, err) : FL_OK;
}

static fl_status give_note(reading *now, const fl_note *note, fl_err *err) {
  now->totals.n_notes++;
  if (note->severity > now->totals.worst) now->totals.worst = note->severity;
  return now->sink->note ? now->sink->note(now->sink->self, note, err) : FL_OK;
}

/* Every note has a source; the file becomes one only when something must be said about it. */
static fl_status find_own_source(fl_timeline_reader *reader, fl_err *err) {
  reading *now = &reader->now;
  if (now->has_own_source) return FL_OK;
  uint64_t key = 0;
  const fl_source_info info = {.parent = UINT32_MAX,
                               .name = fl_str_of(reader->name),
                               .type = "timeline",
                               .size_bytes = reader->file.size};
  if (!fl_source_key(info.name, &key)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_sources_add(&now->sources, key, &info, &now->own_source, err));
  now->has_own_source = true;
  return begin_source(now, now->own_source, err);
}

static fl_status note_file(fl_timeline_reader *reader, fl_severity severity, uint64_t offset,
                           fl_str text, fl_err *err) {
  FL_TRY(find_own_source(reader, err));
  const fl_note note = {reader->now.own_source, severity, offset, text};
  return give_note(&reader->now, &note, err);
}

static fl_status note_damage(fl_timeline_reader *reader, uint64_t offset, fl_str text,
                             fl_err *err) {
  reader->now.is_damaged = true;
  return note_file(reader, FL_NOTE_DAMAGED, offset, text, err);
}

/* Ends the stretch that could not be read: one note for all of it. */
static fl_status note_skipped(fl_timeline_reader *reader, uint64_t resumed_at, fl_err *err) {
  reading *now = &reader->now;
  if (now->damage.code == FL_OK) return FL_OK;
  now->damage.code = FL_OK;
  const fl_str text = fl_arena_printf(now->arena, "%s; %" PRIu64 " bytes left out",
                                      now->damage.text, resumed_at - now->damage_at);
  return note_damage(reader, now->damage_at, text.p ? text : FL_STR("damaged"), err);
}

/* Errors of the file, not of the run. */
static bool is_damage(fl_status status) {
  return status == FL_E_CORRUPT || status == FL_E_LIMIT || status == FL_E_UNSUPPORTED;
}

static fl_status unpack(fl_timeline_reader *reader, const fl_frame *frame,
                        const msgpack_object **ret_payload, fl_err *err) {
  fl_str payload = {0};
  size_t at = 0;
  FL_TRY(fl_opener_open(reader->opener, &reader->file, frame, &payload, err));
  if (msgpack_unpack_next(&reader->unpacked, payload.p, payload.n, &at) != MSGPACK_UNPACK_SUCCESS)
    return fl_fail(err, FL_E_CORRUPT, frame->at, "%s: payload cannot be unpacked", frame->marker);
  *ret_payload = &reader->unpacked.data;
  return FL_OK;
}

/* Objects that start inside each other would have the same bytes checked over and over: good ones
 * stand behind each other, and tries that fail have a budget. */
static fl_status check_worth(const fl_timeline_reader *reader, const fl_frame *frame, fl_err *err) {
  const reading *now = &reader->now;
  const uint64_t size = reader->file.size;
  const uint64_t budget = size > UINT64_MAX / FL_WORK_PER_BYTE / FL_LIMIT_REREAD / 2
                              ? UINT64_MAX
                              : size * FL_WORK_PER_BYTE * FL_LIMIT_REREAD + FL_LIMIT_BLOCK_BYTES;
  const uint64_t work = (uint64_t)FL_WORK_PER_BYTE * frame->n_body;
  if (frame->at < now->end)
    return fl_fail(err, FL_E_CORRUPT, frame->at, "%s: starts inside the object before it",
                   frame->marker);
  if (now->wasted > budget || work > budget - now->wasted)
    return fl_fail(err, FL_E_LIMIT, frame->at,
                   "%s: not looked at, damaged objects took the work of %d files", frame->marker,
                   FL_LIMIT_REREAD);
  return FL_OK;
}

static fl_status give_source(fl_timeline_reader *reader, const msgpack_object *payload,
                             fl_err *err) {
  uint32_t id = 0;
  reading *now = &reader->now;
  fl_err reason = {0};
  const fl_status status = fl_sources_read(&now->sources, payload, &id, &reason);
  if (status < FL_OK) return note_damage(reader, 0, fl_str_of(reason.text), err);
  now->n_read_sources++;
  if (status == FL_END)
    return note_damage(reader, 0, FL_STR("a second source has the key of an earlier one"), err);
  return begin_source(now, id, err);
}

/* The source of a key; one that no object described is named after its key. */
static fl_status find_source(fl_timeline_reader *reader, uint64_t key, uint32_t *ret_id,
                             fl_err *err) {
  reading *now = &reader->now;
  if (fl_sources_find(&now->sources, key, ret_id)) return FL_OK;
  if (now->n_unknown++ >= UNKNOWN_SOURCES_MAX) {
    FL_TRY(find_own_source(reader, err));
    *ret_id = now->own_source;
    return FL_OK;
  }
  const fl_str name = fl_arena_printf(now->arena, "source-%016" PRIx64, key);
  const fl_source_info info = {.parent = UINT32_MAX, .name = name, .type = "unknown"};
  if (!name.p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_sources_add(&now->sources, key, &info, ret_id, err));
  FL_TRY(begin_source(now, *ret_id, err));
  if (now->is_damaged) return FL_OK;
  return note_damage(reader, 0, FL_STR("rows of a source that the file does not describe"), err);
}

static fl_status give_one_note(fl_timeline_reader *reader, const msgpack_object *object,
                               fl_err *err) {
  if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size < 4)
    return note_damage(reader, 0, FL_STR("a stored note has no four parts"), err);
  const msgpack_object *parts = object->via.array.ptr;
  const uint64_t severity = fl_object_natural(&parts[1]);
  fl_note note = {.severity = severity <= FL_NOTE_LIMIT ? (fl_severity)severity : FL_NOTE_DAMAGED,
                  .offset = fl_object_natural(&parts[2]),
                  .text = fl_object_text(&parts[3])};
  if (parts[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
    FL_TRY(find_source(reader, parts[0].via.u64, &note.source, err));
  } else {
    FL_TRY(find_own_source(reader, err));
    note.source = reader->now.own_source;
  }
  reader->now.n_read_notes++;
  return give_note(&reader->now, &note, err);
}

static fl_status give_notes(fl_timeline_reader *reader, const msgpack_object *payload,
                            fl_err *err) {
  for (uint32_t i = 0; i < payload->via.array.size; i++)
    FL_TRY(give_one_note(reader, &payload->via.array.ptr[i], err));
  return FL_OK;
}

/* Batches hold rows of one source: each run of them goes out on its own. */
static fl_status give_rows(fl_timeline_reader *reader, fl_err *err) {
  fl_decoder *decoder = &reader->decoder;
  const fl_sink *sink = reader->now.sink;
  for (uint32_t start = 0, end = 0; start < decoder->n_rows; start = end) {
    while (end < decoder->n_rows && decoder->rows[end].source == decoder->rows[start].source) end++;
    const fl_batch batch = {.source = decoder->rows[start].source,
                            .n_rows = end - start,
                            .rows = decoder->rows + start,
                            .slots = decoder->slots};
    if (sink->batch) FL_TRY(sink->batch(sink->self, &batch, err));
  }
  decoder->n_rows = 0;
  decoder->n_slots = 0;
  return FL_OK;
}

static bool is_outside(const reading *now, fl_time t, uint32_t flags) {
  if (now->since == 0 && now->until == 0) return false;
  return (flags & FL_F_TIME_INVALID) || (now->since && t < now->since) ||
         (now->until && t > now->until);
}

static fl_status give_block(fl_timeline_reader *reader, fl_block_view *view, fl_err *err) {
  reading *now = &reader->now;
  fl_decoder *decoder = &reader->decoder;
  decoder->n_rows = 0;
  decoder->n_slots = 0;
  now->n_rows += view->n;
  uint64_t n_name_bytes = 0; /* each row repeats its source's name when it is given out */
  for (uint32_t i = 0; i < view->n; i++) {
    const msgpack_object *flags = fl_column_at(&view->numbers[FL_N_FLAGS], i);
    uint64_t key = 0;
    uint32_t source = 0;
    if (is_outside(now, view->times[i], (uint32_t)fl_object_natural(flags))) continue;
    const fl_status status = fl_decoder_add(decoder, view, i, now->block_arena, &key, err);
    if (status < FL_OK) {
      FL_TRY(give_rows(reader, err));
      return note_damage(reader, 0, FL_STR("rows left out: a block needs too much memory"), err);
    }
    FL_TRY(find_source(reader, key, &source, err));
    n_name_bytes += now->sources.items[source].name.n;
    if (n_name_bytes > FL_LIMIT_BLOCK_BYTES) {
      decoder->n_rows--;
      FL_TRY(give_rows(reader, err));
      return note_damage(reader, 0, FL_STR("rows left out: names of sources need 64 MiB"), err);
    }
    fl_row *row = &decoder->rows[decoder->n_rows - 1];
    row->source = source;
    if (row->flags & (FL_F_SLACK | FL_F_RECOVERED)) now->totals.n_recovered++;
    else now->totals.n_events++;
    if (decoder->n_rows == FL_BATCH_ROWS || decoder->n_slots >= SLOTS_PER_BATCH)
      FL_TRY(give_rows(reader, err));
  }
  return give_rows(reader, err);
}

/* Numbers and times of blocks rise; a step back would break the order of a match. */
static fl_status check_order(fl_timeline_reader *reader, const fl_frame *frame, bool is_selected,
                             fl_err *err) {
  reading *now = &reader->now;
  const bool is_next = now->next_block == frame->info.seq || is_selected || now->is_damaged;
  const bool is_ordered = frame->info.t_min >= now->last_t;
  now->next_block = frame->info.seq + 1;
  if (frame->info.t_max > now->last_t) now->last_t = frame->info.t_max;
  if (!is_next)
    FL_TRY(note_damage(reader, frame->at, FL_STR("blocks before this one are missing"), err));
  if (is_ordered) return FL_OK;
  return note_damage(reader, frame->at, FL_STR("block starts before the one in front of it ends"),
                     err);
}

static fl_status give_object(fl_timeline_reader *reader, const fl_frame *frame,
                             const msgpack_object *payload, fl_block_view *view, bool is_selected,
                             fl_err *err) {
  switch (frame->kind) {
    case FL_OBJECT_SOURCE:
      return give_source(reader, payload, err);
    case FL_OBJECT_NOTES:
      return give_notes(reader, payload, err);
    case FL_OBJECT_BLOCK:
      FL_TRY(check_order(reader, frame, is_selected, err));
      return give_block(reader, view, err);
    case FL_OBJECT_UNKNOWN:
      if (reader->is_newer)
        return note_file(reader, FL_NOTE_INFO, frame->at,
                         FL_STR("object of a newer format version passed over"), err);
      return note_damage(reader, frame->at, FL_STR("object with an unknown marker"), err);
    case FL_OBJECT_COVERAGE: /* computed anew from the rows by who needs it */
    case FL_OBJECT_FOOTER:
    case FL_N_OBJECT_KINDS:
      break;
  }
  return FL_OK;
}

/* What the object says, checked; *ret_payload stays NULL for a trailer. */
static fl_status check_object(fl_timeline_reader *reader, const fl_frame *frame,
                              const msgpack_object **ret_payload, fl_block_view *ret_view,
                              fl_err *err) {
  if (frame->is_trailer) return FL_OK;
  FL_TRY(check_worth(reader, frame, err));
  FL_TRY(unpack(reader, frame, ret_payload, err));
  if (frame->kind == FL_OBJECT_NOTES && (*ret_payload)->type != MSGPACK_OBJECT_ARRAY)
    return fl_fail(err, FL_E_CORRUPT, frame->at, "notes are no list");
  if (frame->kind != FL_OBJECT_BLOCK) return FL_OK;
  fl_arena *arena = reader->now.block_arena;
  fl_arena_reset(arena);
  const fl_status status = fl_block_view_open(*ret_payload, &frame->info, arena, ret_view, err);
  /* The arena is capped: what does not fit is the block's fault. */
  return status == FL_E_NOMEM ? FL_E_LIMIT : status;
}

/* Damage is found before anything of the object is given out. *ret_end is written then, too. */
static fl_status read_object(fl_timeline_reader *reader, uint64_t at, const fl_listed_block *listed,
                             bool *ret_is_damage, uint64_t *ret_end, fl_err *err) {
  reading *now = &reader->now;
  fl_frame frame;
  const msgpack_object *payload = NULL;
  fl_block_view view = {0};
  const uint64_t work = fl_opener_work(reader->opener);
  fl_status status = fl_frame_read(&reader->file, at, &frame, err);
  *ret_is_damage = true;
  if (status == FL_OK && listed &&
      (frame.kind != FL_OBJECT_BLOCK || frame.info.n != listed->n ||
       frame.info.t_min != listed->t_min || frame.info.t_max != listed->t_max))
    status = fl_fail(err, FL_E_CORRUPT, at, "not the block that the footer lists here");
  if (status == FL_OK) status = check_object(reader, &frame, &payload, &view, err);
  if (status < FL_OK) now->wasted += fl_opener_work(reader->opener) - work;
  FL_TRY(status);
  *ret_is_damage = false;
  *ret_end = now->end = frame.end;
  FL_TRY(note_skipped(reader, at, err));
  if (frame.is_trailer) return FL_OK;
  return give_object(reader, &frame, payload, &view, listed != NULL, err);
}

static void start_damage(reading *now, uint64_t at, const fl_err *reason) {
  if (now->damage.code != FL_OK) return;
  now->damage = *reason;
  now->damage_at = at;
}

/* Object after object; after damage on to the next marker whose object is whole. */
static fl_status read_linear(fl_timeline_reader *reader, fl_err *err) {
  reading *now = &reader->now;
  uint64_t at = reader->header_end;
  if (at == 0) {
    fl_err reason = {0};
    (void)fl_fail(&reason, FL_E_CORRUPT, MAGIC_BYTES, "header is cut or damaged");
    start_damage(now, MAGIC_BYTES, &reason);
    FL_TRY(fl_frame_search(&reader->file, MAGIC_BYTES, &at, err));
  }
  while (at < reader->file.size) {
    fl_err reason = {0};
    bool is_in_file = false;
    const fl_status status = read_object(reader, at, NULL, &is_in_file, &at, &reason);
    if (status >= FL_OK) continue;
    if (!is_in_file || !is_damage(status)) {
      if (err) *err = reason;
      return status;
    }
    start_damage(now, at, &reason);
    FL_TRY(fl_frame_search(&reader->file, at + 1, &at, err));
  }
  return note_skipped(reader, reader->file.size, err);
}

/* One object that the footer points at. */
static fl_status read_listed(fl_timeline_reader *reader, uint64_t at, const fl_listed_block *listed,
                             fl_err *err) {
  fl_err reason = {0};
  bool is_in_file = false;
  uint64_t end = at;
  const fl_status status = read_object(reader, at, listed, &is_in_file, &end, &reason);
  if (status >= FL_OK) return FL_OK;
  if (is_in_file && is_damage(status)) return note_damage(reader, at, fl_str_of(reason.text), err);
  if (err) *err = reason;
  return status;
}

/* Only what the footer says to hold times of the window; the file's order is kept. */
static fl_status read_selected(fl_timeline_reader *reader, fl_err *err) {
  const fl_footer *foot = &reader->now.footer;
  uint32_t next_block = 0;
  for (uint32_t i = 0; i <= foot->n_objects; i++) {
    const uint64_t next = i < foot->n_objects ? foot->objects[i] : UINT64_MAX;
    for (; next_block < foot->n_blocks && foot->blocks[next_block].offset < next; next_block++) {
      const fl_listed_block *block = &foot->blocks[next_block];
      const bool is_early = reader->now.since && block->t_max < reader->now.since;
      const bool is_late = reader->now.until && block->t_min > reader->now.until;
      if (!is_early && !is_late) FL_TRY(read_listed(reader, block->offset, block, err));
    }
    if (i < foot->n_objects) FL_TRY(read_listed(reader, next, NULL, err));
  }
  return FL_OK;
}

static void read_footer(fl_timeline_reader *reader) {
  fl_frame frame;
  const msgpack_object *payload = NULL;
  reading *now = &reader->now;
  if (fl_footer_find(&reader->file, &frame) && unpack(reader, &frame, &payload, NULL) == FL_OK)
    fl_footer_read(payload, now->arena, &now->footer);
}

/* What reading object after object cannot see by itself. */
static fl_status check_whole(fl_timeline_reader *reader, bool is_selection, fl_err *err) {
  const reading *now = &reader->now;
  const fl_footer *foot = &now->footer;
  if (now->is_damaged) return FL_OK;
  if (!foot->is_valid)
    return note_damage(reader, reader->file.size,
                       FL_STR("no valid trailer: the file is cut or was not finished"), err);
  if (foot->header_crc != reader->header_crc)
    return note_damage(reader, 0, FL_STR("header is not the one that was written"), err);
  if (!is_selection && (now->n_rows != foot->n_events || now->n_read_sources != foot->n_sources ||
                        now->n_read_notes != foot->n_notes))
    return note_damage(reader, reader->file.size,
                       FL_STR("rows, sources or notes are not as many as the footer says"), err);
  return FL_OK;
}

static fl_status end_sources(reading *now, fl_err *err) {
  for (size_t i = 0; i < now->sources.n && now->sink->end; i++)
    FL_TRY(now->sink->end(now->sink->self, &now->sources.items[i], err));
  return FL_OK;
}

static fl_status read_all(fl_timeline_reader *reader, fl_err *err) {
  reading *now = &reader->now;
  read_footer(reader);
  const bool is_selection = (now->since || now->until) && now->footer.is_valid;
  FL_TRY(is_selection ? read_selected(reader, err) : read_linear(reader, err));
  FL_TRY(check_whole(reader, is_selection, err));
  return end_sources(now, err);
}

fl_status fl_timeline_read(fl_timeline_reader *reader, fl_time since, fl_time until,
                           const fl_sink *sink, fl_ingest_totals *ret_totals, fl_err *err) {
  reading *now = &reader->now;
  end_reading(now);
  *now = (reading){.sink = sink, .since = since, .until = until, .last_t = INT64_MIN};
  now->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  now->block_arena = fl_arena_create(BLOCK_MEMORY);
  if (!now->arena || !now->block_arena) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  now->sources.arena = now->arena;
  fl_status status = read_all(reader, err);
  if (status == FL_E_STOPPED) status = FL_OK;
  if (ret_totals) *ret_totals = now->totals;
  return status;
}
