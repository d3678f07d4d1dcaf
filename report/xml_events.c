/* xml_events.c - events as one XML document: an <Event> a line, notes in between
 * (docs/formats/xml.md).
 *
 * The document is well-formed however the run ends. What is no part of a record - where it stands,
 * its flags, notes of damage - are processing instructions, which readers of Event XML skip. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/text.h"
#include "report/exporter.h"
#include "report/xml.h"
#include "report/xml_put.h"

/* `name` is escaped for an attribute; open: its end was not seen yet. */
typedef struct xml_source {
  fl_str name;
  bool is_open;
} xml_source;

typedef struct xml_events {
  fl_event_writer base;
  fl_out *out;
  fl_out *record;    /* memory: what an optional value leaves out is taken back */
  fl_arena *scratch; /* one record */
  fl_arena *names;
  xml_source *sources; /* by id */
  size_t cap_sources;
} xml_events;

static void put_source(xml_events *w, uint32_t id) {
  fl_out_puts(w->out, " source=\"");
  if (id < w->cap_sources) fl_out_str(w->out, w->sources[id].name);
  fl_out_puts(w->out, "\"");
}

static void put_number(fl_out *out, const char *before, uint64_t number) {
  char text[24];
  fl_out_puts(out, before);
  fl_out_write(out, text, fl_text_u64(number, text));
  fl_out_write(out, "\"", 1);
}

static void put_flags(fl_out *out, uint32_t flags) {
  const char *before = " flags=\"";
  for (unsigned bit = 0; bit < FL_N_EVENT_FLAGS; bit++) {
    if (!(flags >> bit & 1)) continue;
    fl_out_puts(out, before);
    fl_out_puts(out, fl_event_flag_names[bit]);
    before = " ";
  }
  if (flags) fl_out_puts(out, "\"");
}

/* Where the record stands, and what its header says beside the event. */
static void put_place(xml_events *w, const fl_batch *batch, const fl_row *row) {
  char written[FL_TIME_TEXT_MAX];
  uint64_t id = 0;
  fl_out_puts(w->out, "<?faultline-record");
  put_source(w, row->source);
  put_number(w->out, " offset=\"", row->offset);
  put_number(w->out, " length=\"", row->length);
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &id) || id != row->header_record_id)
    put_number(w->out, " header_record_id=\"", row->header_record_id);
  if (row->t_written && row->t_written != row->t) {
    (void)fl_time_format(row->t_written, 7, written);
    fl_out_printf(w->out, " written=\"%s\"", written);
  }
  put_flags(w->out, row->flags);
  fl_out_puts(w->out, "?>");
}

static void put_note(xml_events *w, const fl_note *note) {
  fl_out_puts(w->out, "<?faultline-note severity=\"");
  fl_out_puts(w->out, fl_severity_names[note->severity]);
  fl_out_puts(w->out, "\"");
  put_source(w, note->source);
  put_number(w->out, " offset=\"", note->offset);
  fl_out_puts(w->out, " text=\"");
  fl_xml_put_text(w->out, note->text);
  fl_out_puts(w->out, "\"?>\n");
}

/* What expands too far as it was recorded has its values all the same. */
static void write_standard(xml_events *w, const fl_batch *batch, const fl_row *row,
                           const fl_err *err) {
  put_note(w, &(fl_note){row->source, FL_NOTE_LIMIT, row->offset, fl_str_of(err->text)});
  fl_xml_row_standard(batch, row, w->scratch, w->record);
}

static fl_status write_row(xml_events *w, const fl_batch *batch, const fl_row *row, fl_err *err) {
  fl_err limit = {0};
  fl_arena_reset(w->scratch);
  w->record->n = 0;
  const fl_status status = fl_xml_row(batch, row, w->scratch, w->record, &limit);
  if (status == FL_E_LIMIT) write_standard(w, batch, row, &limit);
  else if (status < FL_OK) return fl_fail(err, status, limit.offset, "%s", limit.text);
  put_place(w, batch, row);
  fl_out_str(w->out, fl_out_text(w->record));
  fl_out_puts(w->out, "\n");
  if (fl_out_failed(w->record)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return FL_OK;
}

static fl_status write_batch(void *self, const fl_batch *batch, fl_err *err) {
  xml_events *w = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) FL_TRY(write_row(w, batch, &batch->rows[i], err));
  return fl_out_failed(w->out) ? fl_fail(err, FL_E_IO, 0, "output cannot be written") : FL_OK;
}

static fl_status begin_source(void *self, const fl_source_info *source, fl_err *err) {
  xml_events *w = self;
  const size_t had = w->cap_sources;
  if (!fl_grow((void **)&w->sources, &w->cap_sources, (size_t)source->id + 1, sizeof *w->sources))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (size_t i = had; i < w->cap_sources; i++) w->sources[i] = (xml_source){0};
  w->record->n = 0;
  fl_xml_put_text(w->record, source->name);
  w->sources[source->id] = (xml_source){fl_arena_str(w->names, fl_out_text(w->record)), true};
  return FL_OK;
}

static fl_status end_source(void *self, const fl_source_info *source, fl_err *err) {
  xml_events *w = self;
  (void)err;
  if (source->id < w->cap_sources) w->sources[source->id].is_open = false;
  return FL_OK;
}

static fl_status write_note(void *self, const fl_note *note, fl_err *err) {
  xml_events *w = self;
  put_note(w, note);
  return fl_out_failed(w->out) ? fl_fail(err, FL_E_IO, 0, "output cannot be written") : FL_OK;
}

static void xml_events_free(xml_events *w) {
  fl_out_discard(w->record);
  fl_arena_free(w->scratch);
  fl_arena_free(w->names);
  free(w->sources);
  free(w);
}

/* A run that was stopped says which sources it had not read to their end. */
static fl_status finish(fl_event_writer *writer, fl_err *err) {
  xml_events *w = (xml_events *)(void *)writer;
  for (uint32_t i = 0; i < w->cap_sources; i++) {
    if (!w->sources[i].is_open) continue;
    fl_out_puts(w->out, "<?faultline-incomplete");
    put_source(w, i);
    fl_out_puts(w->out, "?>\n");
  }
  fl_out_puts(w->out, "</Events>\n");
  const bool has_failed = fl_out_failed(w->out);
  xml_events_free(w);
  return has_failed ? fl_fail(err, FL_E_IO, 0, "output cannot be written") : FL_OK;
}

fl_status fl_event_format_xml(fl_out *out, fl_event_writer **ret_writer, fl_err *err) {
  xml_events *w = calloc(1, sizeof *w);
  if (!w) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  w->base.sink = (fl_sink){.self = w,
                           .begin = begin_source,
                           .batch = write_batch,
                           .note = write_note,
                           .end = end_source};
  w->base.finish = finish;
  w->out = out;
  w->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  w->names = fl_arena_create(FL_LIMIT_SHARED_ARENA);
  if (!w->scratch || !w->names || fl_out_memory(&w->record, err) != FL_OK) {
    xml_events_free(w);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  fl_out_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Events>\n");
  *ret_writer = &w->base;
  return FL_OK;
}
