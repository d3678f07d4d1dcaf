/* job.c - the job through which parsers speak: notes, ledger, members, rows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "parsers/source.h"
#include "parsers/span.h"
#include "parsers/texts.h"

enum { NOTE_TEXT_CAP = 1000 };

fl_status fl_run_stop(struct fl_run *run, fl_status status, const fl_err *err) {
  if (run->stop != FL_OK) return run->stop;
  run->stop = status;
  run->stop_err = err ? *err : (fl_err){0};
  run->stop_err.code = status;
  return status;
}

fl_severity fl_note_severity(fl_status status) {
  switch (status) {
    case FL_E_UNSUPPORTED:
      return FL_NOTE_UNSUPPORTED;
    case FL_E_LIMIT:
    case FL_E_NOMEM:
      return FL_NOTE_LIMIT; /* the capped memory of one job, not the machine's */
    case FL_E_IO:
    case FL_E_ARG:
      return FL_NOTE_UNREADABLE;
    case FL_OK:
    case FL_END:
    case FL_E_CORRUPT:
    case FL_E_SYNTAX:
    case FL_E_INTERNAL:
    case FL_E_STOPPED:
      break;
  }
  return FL_NOTE_DAMAGED;
}

void fl_run_note(fl_frame *frame, fl_severity severity, uint64_t offset, fl_str text) {
  struct fl_run *run = frame->job.run;
  ++run->totals.n_notes;
  if (severity > run->totals.worst) run->totals.worst = severity;
  if (text.n == 0 || !run->sink->note || run->stop != FL_OK) return;
  const fl_note note = {frame->info.id, severity, offset, text};
  fl_err err = {0};
  const fl_status s = run->sink->note(run->sink->self, &note, &err);
  if (s < FL_OK) fl_run_stop(run, s, &err);
}

/* NULL when there is no memory to count with. */
static fl_note_kind *note_kind(fl_frame *frame, const char *format) {
  size_t i = 0;
  if (!frame->note_kinds)
    frame->note_kinds = FL_NEW_ARRAY(frame->job.arena, fl_note_kind, FL_MAX_NOTE_KINDS);
  if (!frame->note_kinds) return NULL;
  while (i < frame->n_note_kinds && frame->note_kinds[i].format != format) ++i;
  if (i == FL_MAX_NOTE_KINDS) return &frame->note_kinds[i - 1];
  if (i == frame->n_note_kinds)
    frame->note_kinds[frame->n_note_kinds++] = (fl_note_kind){.format = format};
  return &frame->note_kinds[i];
}

/* So many were told that the text of another one is not asked for. */
static bool is_only_counted(fl_frame *frame, const char *format) {
  const fl_note_kind *kind = frame->span ? NULL : note_kind(frame, format);
  return kind && kind->n > FL_LIMIT_NOTES_ALIKE;
}

void fl_run_tell(fl_frame *frame, const char *format, const fl_note *note) {
  fl_note_kind *kind = note_kind(frame, format);
  const bool is_left_out = kind && ++kind->n > FL_LIMIT_NOTES_ALIKE;
  if (is_left_out && kind->n == FL_LIMIT_NOTES_ALIKE + 1) {
    kind->severity = note->severity;
    kind->offset = note->offset;
    kind->text = fl_arena_str(frame->job.arena, note->text);
  }
  fl_run_note(frame, note->severity, note->offset, is_left_out ? (fl_str){0} : note->text);
}

void fl_job_note(fl_job *job, fl_severity severity, uint64_t offset, const char *format, ...) {
  fl_frame *frame = fl_frame_of(job);
  char text[NOTE_TEXT_CAP];
  int n = 0;
  if (!is_only_counted(frame, format)) {
    va_list args;
    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
  }
  if (n < 0) n = 0;
  if (n >= NOTE_TEXT_CAP) n = NOTE_TEXT_CAP - 1;
  const fl_note note = {frame->info.id, severity, offset, {text, (size_t)n}};
  if (frame->span) fl_span_note(frame->span, format, note);
  else fl_run_tell(frame, format, &note);
}

void fl_job_sum_notes(fl_job *job) {
  fl_frame *frame = fl_frame_of(job);
  for (size_t i = 0; i < frame->n_note_kinds; ++i) {
    const fl_note_kind *kind = &frame->note_kinds[i];
    if (kind->n <= FL_LIMIT_NOTES_ALIKE) continue;
    char text[NOTE_TEXT_CAP];
    const int n =
        snprintf(text, sizeof text, "… and %" PRIu64 " more of this kind, the first: %.*s",
                 kind->n - FL_LIMIT_NOTES_ALIKE, FL_STR_ARG(kind->text));
    const size_t length = n < NOTE_TEXT_CAP ? (size_t)n : NOTE_TEXT_CAP - 1;
    fl_run_note(frame, kind->severity, kind->offset, (fl_str){text, length});
  }
}

void fl_job_ledger(fl_job *job, uint64_t offset, uint64_t length, fl_ledger_state state,
                   const char *reason) {
  const fl_range range = {offset, length, state, fl_str_of(reason ? reason : "")};
  fl_frame *frame = fl_frame_of(job);
  if (frame->span) fl_span_range(frame->span, range);
  else fl_ledger_add(&frame->ledger, range, job->arena);
}

void fl_job_detail(fl_job *job, fl_str text) {
  fl_source_info *info = &fl_frame_of(job)->info;
  info->detail = fl_arena_str(job->arena, text);
  if (!info->detail.p) info->detail.n = 0;
}

void fl_job_cut(fl_job *job) { fl_frame_of(job)->info.is_cut = true; }

uint64_t fl_job_shape_serial(fl_job *job) { return job->run->next_shape++; }

fl_shared *fl_job_shared(fl_job *job, const char *format, void (*release)(void *value)) {
  for (fl_shared_entry *e = job->run->shared; e < job->run->shared + FL_MAX_SHARED; ++e) {
    if (e->format && strcmp(e->format, format) == 0) return &e->shared;
    if (e->format) continue;
    *e = (fl_shared_entry){.format = format, .release = release};
    e->shared.arena = fl_arena_create(FL_LIMIT_SHARED_ARENA);
    return e->shared.arena ? &e->shared : NULL;
  }
  return NULL;
}

bool fl_job_is_reread(const fl_job *job) { return job->run->has_learnt; }

void fl_run_release_shared(struct fl_run *run) {
  for (fl_shared_entry *e = run->shared; e < run->shared + FL_MAX_SHARED && e->format; ++e) {
    if (e->shared.value) e->release(e->shared.value);
    fl_arena_free(e->shared.arena);
    *e = (fl_shared_entry){0};
  }
}

fl_status fl_job_unpack(fl_job *job, uint64_t n_bytes, fl_err *err) {
  struct fl_run *run = job->run;
  if (n_bytes > FL_LIMIT_UNPACKED_BYTES - run->n_unpacked_bytes)
    return fl_fail(err, FL_E_LIMIT, 0,
                   "limit reached: one input unpacks to at most %" PRIu64 " bytes",
                   FL_LIMIT_UNPACKED_BYTES);
  run->n_unpacked_bytes += n_bytes;
  return FL_OK;
}

/* The container's name, the separator, the member's path without "./" and "/" in front; the end of
 * what is too long is cut. */
static fl_str member_name(fl_frame *frame, fl_str raw, bool is_folder) {
  enum { MOST = FL_LIMIT_SOURCE_NAME - 16 }; /* equal names get a number behind them */
  for (;;) {
    if (raw.n >= 1 && raw.p[0] == '/') raw = (fl_str){raw.p + 1, raw.n - 1};
    else if (raw.n >= 2 && raw.p[0] == '.' && raw.p[1] == '/') raw = (fl_str){raw.p + 2, raw.n - 2};
    else break;
  }
  fl_arena *scratch = fl_arena_create(FL_LIMIT_RECORD_TEXT);
  if (!scratch) return (fl_str){0};
  const fl_str encoded = fl_name_encode(raw, scratch);
  fl_str name = {0};
  if (encoded.p)
    name = fl_arena_printf(scratch, "%.*s%s%.*s", FL_STR_ARG(frame->info.name),
                           is_folder ? "/" : "!/", FL_STR_ARG(encoded));
  struct fl_run *run = frame->job.run;
  if (name.n > MOST) { /* not in the middle of a character */
    name.n = MOST;
    while (((unsigned char)name.p[name.n] & 0xc0u) == 0x80u) name.n--;
  }
  if (name.p) name = fl_names_add(&run->names, name, run->arena);
  fl_arena_free(scratch);
  return name;
}

fl_status fl_job_emit(fl_job *job, fl_str member, fl_source *source, fl_err *err) {
  struct fl_run *run = job->run;
  fl_frame *frame = fl_frame_of(job);
  if (run->stop != FL_OK || !source) {
    fl_source_free(source);
    if (run->stop == FL_OK) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    return run->stop;
  }
  if (run->n_members >= FL_LIMIT_MEMBERS) {
    fl_source_free(source);
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: one input has at most %d members",
                   (int)FL_LIMIT_MEMBERS);
  }
  ++run->n_members;
  const fl_str name = member_name(frame, member, fl_source_is_folder(frame->job.source));
  if (!name.p) {
    fl_source_free(source);
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: names of members need too much memory");
  }
  return fl_run_source(run, frame, name, source);
}

fl_status fl_rows_init(fl_rows *rows, fl_err *err) {
  rows->cap_rows = FL_BATCH_ROWS;
  rows->rows = calloc(rows->cap_rows, sizeof *rows->rows);
  rows->arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!rows->rows || !rows->arena) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return FL_OK;
}

void fl_rows_free(fl_rows *rows) {
  free(rows->rows);
  free(rows->slots);
  free(rows->window);
  fl_arena_free(rows->arena);
  *rows = (fl_rows){0};
}

fl_status fl_rows_window(fl_rows *rows, size_t n_bytes, fl_err *err) {
  if (!fl_grow((void **)&rows->window, &rows->cap_window, n_bytes, 1))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return FL_OK;
}

fl_status fl_rows_more_slots(fl_rows *rows, uint32_t n_more, fl_err *err) {
  enum { MOST = FL_LIMIT_BATCH_ARENA / sizeof(fl_raw) };
  if (n_more > MOST - rows->n_slots)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: one batch holds at most %u values",
                   (unsigned)MOST);
  size_t cap = rows->cap_slots;
  if (!fl_grow((void **)&rows->slots, &cap, (size_t)rows->n_slots + n_more, sizeof *rows->slots))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  rows->cap_slots = (uint32_t)cap;
  return FL_OK;
}

void fl_run_count(fl_frame *frame, const fl_counted *counted) {
  fl_source_info *info = &frame->info;
  info->n_events += counted->n_events;
  if (counted->first > counted->last) return;
  if (!frame->has_time || counted->first < info->first) info->first = counted->first;
  if (!frame->has_time || counted->last > info->last) info->last = counted->last;
  frame->has_time = true;
}

/* Counts a row; rows that needed a repair count apart and do not widen the source's time. */
static bool count_row(fl_frame *frame, const fl_row *row) {
  fl_source_info *info = &frame->info;
  if (row->flags & (FL_F_SLACK | FL_F_RECOVERED)) {
    ++info->n_recovered;
    return frame->job.options->with_recovered;
  }
  if (row->flags & (FL_F_GAP | FL_F_SYNTHETIC)) return true;
  ++info->n_events;
  if (row->flags & FL_F_TIME_INVALID) return true;
  if (!frame->has_time || row->t < info->first) info->first = row->t;
  if (!frame->has_time || row->t > info->last) info->last = row->t;
  frame->has_time = true;
  return true;
}

/* Numbers rows in their order and drops those that nobody asked for. A dropped row keeps its
 * number, so that the others have the same one with and without it. */
static void prepare_rows(fl_frame *frame, fl_rows *rows) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < rows->n_rows; ++i) {
    fl_row *row = &rows->rows[i];
    row->source = frame->info.id;
    row->seq = frame->seq++;
    const bool is_left_out = row->flags & FL_ROW_LEFT_OUT;
    row->flags &= ~FL_ROW_LEFT_OUT;
    if (!count_row(frame, row) || is_left_out) continue;
    if (n != i) rows->rows[n] = *row;
    ++n;
  }
  rows->n_rows = n;
}

void fl_rows_empty(fl_rows *rows) {
  rows->n_rows = rows->n_slots = 0;
  fl_arena_reset(rows->arena);
}

fl_status fl_rows_deliver(fl_frame *frame, fl_rows *rows, fl_err *err) {
  struct fl_run *run = frame->job.run;
  prepare_rows(frame, rows);
  if (frame->texts) FL_TRY(fl_texts_apply(frame->texts, rows, err));
  const fl_batch batch = {frame->info.id, rows->n_rows, rows->rows, rows->slots, frame->job.source};
  fl_status s = run->stop;
  if (s == FL_OK && rows->n_rows != 0 && run->sink->batch) {
    s = run->sink->batch(run->sink->self, &batch, err);
    if (s < FL_OK) fl_run_stop(run, s, err);
  }
  fl_rows_empty(rows);
  return s < FL_OK ? s : FL_OK;
}

bool fl_job_defers(fl_job *job) {
  struct fl_span *span = fl_frame_of(job)->span;
  if (span) span->is_given_up = true;
  return span != NULL;
}

fl_status fl_rows_flush(fl_job *job, fl_rows *rows, fl_err *err) {
  if (!fl_job_defers(job)) return fl_rows_deliver(fl_frame_of(job), rows, err);
  fl_rows_empty(rows);
  return FL_OK;
}
