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

enum { REASON_CAP = 400, MOST_ROUNDS = 3, MOST_OF_A_CLASS = 16 };

bool evtx_is_chunk(const evtx_piece *piece) {
  return piece->kind == EVTX_KIND_CHUNK || piece->kind == EVTX_KIND_NO_MAGIC;
}

evtx_view evtx_view_of(const evtx_piece *piece) {
  const evtx_left *left = &piece->left;
  return (evtx_view){left->offset, piece->offset, left->to, left->from};
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
  if (record->is_live) return record->flags | FL_F_PARTIAL | truncated;
  const bool has_doubt = a->recovery.is_elsewhere || a->recovery.is_without_names;
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
  const bx_surroundings around = {a->bytes, record->view->n_bytes, a->may_differ};
  if (bx_is_plausible(a->rows, row, &around)) {
    row->flags = flags_of(a, record, row);
    fl_rows_add(a->rows, row);
    return FL_OK;
  }
  a->rows->n_slots = row->slot0;
  return FL_END;
}

fl_status evtx_again_decode(evtx_again *a, const evtx_waiting *record, fl_err *err) {
  fl_rows *rows = a->rows;
  const evtx_old *old = &record->old;
  const bool is_full = rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 2;
  if (rows->n_rows == FL_BATCH_ROWS || is_full) FL_TRY(fl_rows_flush(a->job, rows, err));
  fl_row row = {.header_record_id = old->id,
                .offset = record->view->offset + old->at,
                .length = (uint32_t)(old->to - old->at)};
  (void)fl_time_from_filetime(old->written, &row.t_written);
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

/* What was missing, most first; "" when nothing was. */
static const char *loss_of(const evtx_again *a, char *text, size_t n_text) {
  const bx_recovery *r = &a->recovery;
  if (r->is_without_parts) return "without what is damaged in them";
  if (r->is_without_names) return "names of their values are lost";
  return r->is_elsewhere ? template_from(a, text, n_text) : "";
}

static void note_live(const evtx_again *a, const evtx_waiting *record) {
  const bx_recovery *r = &a->recovery;
  char text[REASON_CAP];
  const char *from = r->is_elsewhere ? template_from(a, text, sizeof text) : "";
  const char *names = r->is_without_names ? "its values are given without names" : "";
  const char *parts = r->is_without_parts ? "what is damaged in it is left out" : "";
  fl_job_note(a->job, FL_NOTE_REPAIRED, record->view->offset + record->old.at,
              "record %" PRIu64 " is read all the same: %s%s%s%s%s", record->old.id, from,
              *from && *names ? ", " : "", names, (*from || *names) && *parts ? ", " : "", parts);
}

void evtx_again_ledger_decoded(const evtx_again *a, const evtx_waiting *record) {
  char text[REASON_CAP], reason[REASON_CAP + 40];
  const evtx_old *old = &record->old;
  const char *loss = loss_of(a, text, sizeof text);
  (void)snprintf(reason, sizeof reason, "%s%s%s",
                 record->is_live ? "records read all the same" : "old records", *loss ? ", " : "",
                 loss);
  fl_job_ledger(a->job, record->view->offset + old->at, old->to - old->at, FL_L_RECOVERED, reason);
  if (record->is_live) note_live(a, record);
}

static void ledger_refused(const evtx_again *a, const evtx_waiting *record) {
  const evtx_old *old = &record->old;
  fl_job_ledger(
      a->job, record->view->offset + old->at, old->to - old->at,
      record->is_live ? FL_L_DAMAGED : FL_L_SLACK,
      record->is_live ? "record that does not decode" : "old records without their template");
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

static fl_status harvest(evtx_again *a, uint64_t wanted, fl_err *err) {
  uint8_t n_of_class[64] = {0};
  for (size_t i = 0; i < a->map->n; i++) {
    const evtx_piece *piece = &a->map->pieces[i];
    if (!evtx_is_chunk(piece) || !takes_part(&piece->left, wanted, n_of_class)) continue;
    const evtx_view view = evtx_view_of(piece);
    FL_TRY(evtx_again_bytes(a, &view, a->buffer, err));
    a->recovery = (bx_recovery){.live_end = view.live_end};
    bx_chunk(a->decoder, a->buffer, view.n_bytes);
    a->view = NULL;
    FL_TRY(bx_harvest(a->decoder, view.live_end, a->job->source_id, &a->known, err));
  }
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
      evtx_again_ledger_decoded(a, w);
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
  for (size_t k = 0; k < a->n_waiting; k++) ledger_refused(a, &a->waiting[k]);
  a->n_waiting = 0;
  return FL_OK;
}

void evtx_again_done(evtx_again *a) {
  bx_known_free(&a->known);
  free(a->waiting);
}
