/* evtx_again.c - records that wait for the templates of the whole log, and what becomes of them.
 *
 * Old records whose template was overwritten wait here, and live ones that were refused. Rounds go
 * from what proves most to what proves least: a template of another chunk, of another log of the
 * run, none for what is inside of System's. Of a live record what is sound is read in any case. */
#include "parsers/evtx_again.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "parsers/evtx_second.h"

enum { REASON_CAP = 400, MOST_ROUNDS = 3, MOST_OF_A_CLASS = 16 };

bool evtx_is_chunk(const evtx_piece *piece) {
  return piece->kind == EVTX_KIND_CHUNK || piece->kind == EVTX_KIND_NO_MAGIC;
}

evtx_view evtx_view_of(const evtx_piece *piece) {
  const evtx_left *left = &piece->left;
  return (evtx_view){.offset = left->offset,
                     .first = piece->offset,
                     .n_bytes = left->to,
                     .live_end = left->from,
                     .from = left->from,
                     .to = left->to};
}

fl_status evtx_again_bytes(const evtx_again *a, const evtx_view *view, uint8_t *bytes,
                           fl_err *err) {
  const int64_t lead = (int64_t)(view->first - view->offset);
  const size_t n_zero = lead <= 0 ? 0 : lead < view->n_bytes ? (size_t)lead : view->n_bytes;
  const size_t n = view->n_bytes - n_zero;
  const uint64_t offset = view->offset + n_zero;
  size_t n_read = 0;
  memset(bytes, 0, n_zero);
  FL_TRY(fl_source_read(a->job->source, offset, bytes + n_zero, n, &n_read, err));
  if (n_read == n) return FL_OK;
  return fl_fail(err, FL_E_IO, offset + n_read, "source ended while it was read again");
}

static bool is_same(const evtx_view *a, const evtx_view *b) {
  return a->offset == b->offset && a->first == b->first && a->n_bytes == b->n_bytes &&
         a->live_end == b->live_end;
}

/* Rows point into the window, so they leave before its bytes do. */
fl_status evtx_again_load(evtx_again *a, const evtx_view *view, fl_err *err) {
  if (a->view && is_same(a->view, view)) return FL_OK;
  if (a->n_loaded == EVTX_SPAN_CHUNKS) {
    FL_TRY(fl_rows_flush(a->job, a->rows, err));
    a->n_loaded = 0;
  }
  uint8_t *bytes = a->rows->window + (size_t)a->n_loaded++ * EVTX_ROOM;
  FL_TRY(evtx_again_bytes(a, view, bytes, err));
  a->view = view;
  a->bytes = bytes;
  bx_chunk(a->decoder, bytes, view->n_bytes);
  return FL_OK;
}

/* ---- one record ---- */

/* The flags of a row say how far it is to be trusted. */
static uint32_t flags_of(const evtx_again *a, const evtx_waiting *record, const fl_row *row) {
  const bool has_odd_text = bx_has_odd_text(a->rows, row);
  const uint32_t truncated = has_odd_text || !record->old.is_whole ? FL_F_TRUNCATED : 0;
  if (record->view->is_loose) return FL_F_RECOVERED | truncated;
  if (record->is_live) return record->flags | FL_F_PARTIAL | truncated;
  const bx_recovery *r = &a->recovery;
  const bool has_doubt = r->is_elsewhere || r->is_without_names || r->is_renamed;
  return FL_F_SLACK | truncated | (has_doubt ? FL_F_RECOVERED : 0);
}

static fl_status add_row(evtx_again *a, const evtx_waiting *record, fl_row *row, fl_err *err) {
  const evtx_old *old = &record->old;
  const size_t to = old->to - (old->is_whole ? 4 : 0);
  a->recovery = (bx_recovery){.known = a->recovery.known,
                              .live_end = record->view->live_end,
                              .may_lose_names = a->recovery.may_lose_names,
                              .may_lose_parts = a->recovery.may_lose_names && record->is_live,
                              .host = a->recovery.host,
                              .is_torn = !old->is_whole};
  FL_TRY(bx_record(a->decoder, old->at + EVTX_RECORD_HEADER, to, a->rows, row, err));
  const bool may_differ =
      record->is_live ? a->live_may_differ : a->may_differ || record->view->is_loose;
  const bx_surroundings around = {a->bytes, record->view->n_bytes, may_differ, record->is_live};
  if (bx_is_plausible(a->rows, row, &around)) {
    row->flags = flags_of(a, record, row);
    fl_rows_add(a->rows, row);
    return FL_OK;
  }
  a->rows->n_slots = row->slot0;
  return FL_END;
}

/* For one more row. */
static fl_status make_room(const evtx_again *a, fl_err *err) {
  const bool is_full = a->rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 2;
  if (a->rows->n_rows < FL_BATCH_ROWS && !is_full) return FL_OK;
  FL_TRY(fl_rows_flush(a->job, a->rows, err));
  bx_new_batch(a->decoder);
  return FL_OK;
}

static fl_row row_of(const evtx_waiting *record) {
  const evtx_old *old = &record->old;
  fl_row row = {.header_record_id = old->id,
                .offset = record->view->offset + old->at,
                .length = (uint32_t)(old->to - old->at)};
  (void)fl_time_from_filetime(old->written, &row.t_written);
  return row;
}

fl_status evtx_again_decode(evtx_again *a, const evtx_waiting *record, fl_err *err) {
  FL_TRY(make_room(a, err));
  fl_row row = row_of(record);
  fl_err why = {0};
  const fl_status status = add_row(a, record, &row, &why);
  if (status >= FL_OK) return status;
  if (status != FL_E_NOMEM && status != FL_E_INTERNAL) return FL_END;
  if (err) *err = why;
  return status;
}

/* ---- what is said of it ---- */

/* Names the log whose template it is, when it is another one's. */
static const char *template_from(const evtx_again *a, char *text, size_t n_text) {
  const bx_recovery *r = &a->recovery;
  if (!r->origin || fl_str_eq(*r->origin, a->job->name)) return "template from another chunk";
  (void)snprintf(text, n_text, "template from %.*s", FL_STR_ARG(*r->origin));
  return text;
}

/* What was done to read it, in words; "" when nothing was. */
static const char *repair_of(const evtx_again *a, char *text, size_t n_text) {
  const bx_recovery *r = &a->recovery;
  if (r->is_without_parts) return "without what is damaged in them";
  if (r->is_without_names) return "names of their values are lost";
  if (r->is_elsewhere) return template_from(a, text, n_text);
  return r->is_renamed ? "overwritten names are known by their places" : "";
}

static const char *name_of(const evtx_waiting *record) {
  if (record->view->is_loose) return "records of no chunk";
  return record->is_live ? "records read all the same" : "old records";
}

void evtx_again_tell(const evtx_again *a, const evtx_waiting *record) {
  char text[REASON_CAP], reason[REASON_CAP + 40];
  const evtx_old *old = &record->old;
  const uint64_t offset = record->view->offset + old->at;
  const char *repair = repair_of(a, text, sizeof text);
  (void)snprintf(reason, sizeof reason, "%s%s%s", name_of(record), *repair ? ", " : "", repair);
  fl_job_ledger(a->job, offset, old->to - old->at, FL_L_RECOVERED, reason);
  if (record->is_live)
    fl_job_note(a->job, FL_NOTE_REPAIRED, offset, "record %" PRIu64 " is read all the same: %s",
                old->id, *repair ? repair : "all bytes of its chunk taken as they stand");
}

/* ---- templates from other chunks ---- */

fl_status evtx_again_wait(evtx_again *a, const evtx_waiting *record, fl_err *err) {
  if (!fl_grow((void **)&a->waiting, &a->cap_waiting, a->n_waiting + 1, sizeof *a->waiting))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  a->waiting[a->n_waiting++] = *record;
  return FL_OK;
}

static uint64_t wanted_bits(const evtx_again *a) {
  uint64_t bits = 0;
  for (size_t k = 0; k < a->n_waiting; k++)
    if (a->waiting[k].missing) bits |= bx_template_bit(a->waiting[k].missing);
  return bits;
}

/* A template that many chunks have is the same in all of them: a few of a class are enough. */
static bool takes_part(const evtx_left *left, uint64_t wanted, uint8_t *n_of_class) {
  bool does = left->has_signature || left->has_refused;
  for (uint64_t bits = left->templates & wanted; bits; bits &= bits - 1) {
    uint8_t *n = &n_of_class[__builtin_ctzll(bits)];
    if (*n >= MOST_OF_A_CLASS) continue;
    ++*n;
    does = true;
  }
  return does;
}

static fl_status harvest_view(evtx_again *a, const evtx_view *view, size_t from, fl_err *err) {
  FL_TRY(evtx_again_bytes(a, view, a->buffer, err));
  a->recovery = (bx_recovery){.live_end = view->live_end};
  bx_chunk(a->decoder, a->buffer, view->n_bytes);
  a->view = NULL;
  return bx_harvest(a->decoder, from, a->job->source_id, &a->known, err);
}

static fl_status harvest(evtx_again *a, uint64_t wanted, fl_err *err) {
  uint8_t n_of_class[64] = {0};
  for (size_t i = 0; i < a->map->n; i++) {
    const evtx_piece *piece = &a->map->pieces[i];
    if (!evtx_is_chunk(piece) || !takes_part(&piece->left, wanted, n_of_class)) continue;
    const evtx_view view = evtx_view_of(piece);
    /* The table of a lost header names nothing. */
    const bool has_table = piece->kind == EVTX_KIND_CHUNK;
    FL_TRY(harvest_view(a, &view, has_table ? view.from : EVTX_CHUNK_HEADER, err));
  }
  for (size_t i = 0; i < a->n_views; i++)
    if (a->views[i].is_loose) FL_TRY(harvest_view(a, &a->views[i], a->views[i].from, err));
  bx_known_sort(&a->known);
  return FL_OK;
}

/* Those that still miss a template stay. */
static fl_status retry(evtx_again *a, fl_err *err) {
  size_t n = 0;
  for (size_t k = 0; k < a->n_waiting; k++) {
    evtx_waiting *w = &a->waiting[k];
    FL_TRY(evtx_again_load(a, w->view, err));
    const fl_status status = evtx_again_decode(a, w, err);
    if (status < FL_OK) return status;
    if (status == FL_OK) {
      evtx_again_tell(a, w);
    } else {
      if (a->recovery.is_missing) w->missing = a->recovery.missing;
      a->waiting[n++] = *w;
    }
  }
  a->n_waiting = n;
  return FL_OK;
}

/* What the log's own templates hold for their machine, if all hold the same. */
static bx_literal find_host(const bx_known *known) {
  bx_literal host = {0};
  for (size_t i = 0; i < known->n; i++) {
    const bx_known_item *item = &known->items[i];
    if (item->template->n_literals == 0) continue;
    if (item->template->n_literals > 1 || !item->literals) return (bx_literal){0};
    if (host.text && host.text != item->literals[0].text) return (bx_literal){0};
    host = item->literals[0];
  }
  return host;
}

/* ---- what stays refused ---- */

static void ledger_refused(const evtx_again *a, const evtx_waiting *record) {
  const evtx_old *old = &record->old;
  const char *reason = record->view->is_loose ? "records of no chunk, without their template"
                       : record->is_live      ? "record that does not decode"
                                              : "old records without their template";
  fl_job_ledger(a->job, record->view->offset + old->at, old->to - old->at,
                record->is_live ? FL_L_DAMAGED : FL_L_SLACK, reason);
}

/* Whatever reads a record, it says of itself what its header says of it. */
static bool fits_header(const evtx_again *a, const fl_row *row) {
  const fl_ref *ref = &row->shape->columns[FL_C_RECORD_ID];
  const fl_raw raw =
      ref->kind == FL_REF_SLOT ? a->rows->slots[row->slot0 + ref->slot] : ref->constant;
  uint64_t id = 0;
  if (!fl_raw_u64(raw, &id) || row->flags & FL_F_TIME_INVALID) return false;
  return a->live_may_differ || (id == row->header_record_id && row->t == row->t_written);
}

/* Adds the row that the second engine gives. FL_END: it gives none. */
static fl_status ask_second(evtx_again *a, evtx_second *second, const evtx_waiting *w,
                            fl_err *err) {
  fl_row row = row_of(w);
  const evtx_asked asked = {a->bytes, w->view->n_bytes, (uint32_t)w->old.at, (uint32_t)w->old.to};
  fl_str xml = {0};
  FL_TRY(evtx_second_ask(second, &asked, a->rows->arena, &xml, err));
  const fl_status status = bx_xml_record(a->decoder, xml, a->rows, &row, err);
  if (status < FL_OK) return status == FL_E_NOMEM ? status : FL_END;
  if (!fits_header(a, &row) || !bx_is_plausible_text(a->rows, &row)) {
    a->rows->n_slots = row.slot0;
    return FL_END;
  }
  row.flags |= w->flags | FL_F_FALLBACK | FL_F_PARTIAL;
  fl_rows_add(a->rows, &row);
  return FL_OK;
}

static void tell_second(const evtx_again *a, const evtx_waiting *w) {
  const uint64_t offset = w->view->offset + w->old.at;
  fl_job_note(a->job, FL_NOTE_REPAIRED, offset, "record %" PRIu64 " is read by libevtx instead",
              w->old.id);
  fl_job_ledger(a->job, offset, w->old.to - w->old.at, FL_L_RECOVERED, "records read by libevtx");
}

/* What our own engine refuses for good, libevtx is asked about; its failures cost nothing more. */
static fl_status read_refused(evtx_again *a, fl_err *err) {
  evtx_second *second = NULL;
  bool has_answers = a->job->options->engine != FL_ENGINE_OWN;
  for (size_t k = 0; k < a->n_waiting; k++) {
    const evtx_waiting *w = &a->waiting[k];
    fl_status status = FL_END;
    if (w->is_live && has_answers) {
      fl_err why = {0};
      if (!second) FL_TRY(evtx_second_of(a->job, &second, err));
      FL_TRY(make_room(a, err));
      FL_TRY(evtx_again_load(a, w->view, err));
      status = ask_second(a, second, w, &why);
      if (status == FL_E_NOMEM) return fl_fail(err, status, 0, "out of memory");
      if (status == FL_E_LIMIT)
        fl_job_note(a->job, FL_NOTE_LIMIT, w->view->offset + w->old.at, "libevtx: %s", why.text);
      has_answers = status != FL_E_LIMIT;
    }
    if (status == FL_OK) tell_second(a, w);
    else ledger_refused(a, w);
  }
  a->n_waiting = 0;
  return FL_OK;
}

/* A record may turn out to need a second template for what is inside of it. */
fl_status evtx_again_read(evtx_again *a, fl_err *err) {
  uint64_t seen = 0;
  for (unsigned round = 0; round < MOST_ROUNDS && a->n_waiting; round++) {
    const uint64_t wanted = wanted_bits(a);
    if (!(wanted & ~seen)) break;
    FL_TRY(harvest(a, wanted & ~seen, err));
    seen |= wanted;
    a->recovery.known = &a->known;
    FL_TRY(retry(a, err));
  }
  if (fl_job_is_reread(a->job)) {
    a->recovery.known = bx_store_known(a->store);
    a->recovery.host = find_host(&a->known);
    FL_TRY(retry(a, err));
  }
  a->recovery.may_lose_names = true;
  FL_TRY(retry(a, err));
  return read_refused(a, err);
}

void evtx_again_done(evtx_again *a) {
  bx_known_free(&a->known);
  free(a->waiting);
}
