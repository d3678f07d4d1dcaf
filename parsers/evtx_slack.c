/* evtx_slack.c - what is left of old records behind the live ones, read after them.
 *
 * First all headers are looked for, and the live records that they may be copies of. Then each old
 * record is decoded with the template in its own chunk. Those whose template was overwritten wait
 * until the templates of the other chunks are known, and so do live records that were refused. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "parsers/evtx_again.h"

/* Bytes of what only looked like records, in one chunk, in which others are searched. */
enum { MOST_RETRIED = 16 * EVTX_CHUNK };

typedef struct slack {
  evtx_again again;
  fl_job *job;
  const evtx_log *log;
  evtx_views views; /* of what is searched, in file order */
  evtx_olds olds;
  bool is_full; /* more headers than are remembered */
} slack;

static void ledger(const slack *s, const evtx_view *view, size_t from, size_t to,
                   const char *reason) {
  if (to > from) fl_job_ledger(s->job, view->offset + from, to - from, FL_L_SLACK, reason);
}

/* Bytes between records and behind them. */
static void ledger_between(const slack *s, const evtx_view *view, size_t from, size_t to) {
  if (!view->is_loose) ledger(s, view, from, to, "behind the live records");
  else if (to > from)
    fl_job_ledger(s->job, view->offset + from, to - from, FL_L_DAMAGED, "no chunk of an event log");
}

/* ---- headers, and what they are copies of ---- */

/* Beyond the limit headers are not told from copies, so their records are left alone. */
static fl_status add_header(slack *s, const evtx_view *view, const evtx_old *old, fl_err *err) {
  fl_err why = {0};
  const fl_status status = evtx_olds_add(&s->olds, old, &why);
  if (status == FL_E_LIMIT && !s->is_full)
    fl_job_note(s->job, FL_NOTE_LIMIT, view->offset + old->at, "%s", why.text);
  s->is_full |= status == FL_E_LIMIT;
  return status == FL_OK || status == FL_E_LIMIT ? FL_OK : fl_fail(err, status, 0, "%s", why.text);
}

static fl_status collect(slack *s, const evtx_view *view, fl_err *err) {
  uint8_t *bytes = s->again.buffer;
  FL_TRY(evtx_again_bytes(&s->again, view, bytes, err));
  evtx_old old;
  for (size_t at = view->from; evtx_old_find(bytes, at, view->to, &old); at = old.at + 1)
    FL_TRY(add_header(s, view, &old, err));
  return FL_OK;
}

/* The live records of a chunk that has ids of old ones, wherever they were moved. */
static fl_status mark_live(slack *s, const evtx_piece *piece, fl_err *err) {
  uint8_t *bytes = s->again.buffer;
  const size_t end = (size_t)(piece->left.offset + piece->left.from - piece->offset);
  const evtx_view whole = {
      .offset = piece->offset, .first = piece->offset, .n_bytes = (uint32_t)end};
  FL_TRY(evtx_again_bytes(&s->again, &whole, bytes, err));
  for (size_t at = 0; at < end;) {
    if (!evtx_is_record(bytes, at, end)) {
      at++;
      continue;
    }
    evtx_old live;
    evtx_old_at(bytes, at, end, &live);
    evtx_old_key *key = evtx_olds_find(&s->olds, &live);
    if (key) key->copy = EVTX_COPY_OF_LIVE;
    at = live.to;
  }
  return FL_OK;
}

static fl_status collect_all(slack *s, fl_err *err) {
  const evtx_map *map = s->log->map;
  for (size_t i = 0; i < s->views.n; i++) FL_TRY(collect(s, &s->views.items[i], err));
  FL_TRY(evtx_olds_sort(&s->olds, err));
  for (size_t i = 0; i < map->n; i++) {
    const evtx_left *left = &map->pieces[i].left;
    if (evtx_is_chunk(&map->pieces[i]) && left->first_id <= left->last_id &&
        evtx_olds_has_between(&s->olds, left->first_id, left->last_id))
      FL_TRY(mark_live(s, &map->pieces[i], err));
  }
  return FL_OK;
}

/* ---- decoding ---- */

/* In an exported log ids begin again at 1 in the headers: its first record tells. */
static fl_status look_at_live(evtx_again *a, size_t end, bool *may_differ, fl_err *err) {
  const bool is_doubted = may_differ == &a->live_may_differ;
  const size_t at = EVTX_CHUNK_HEADER;
  if (*may_differ || !evtx_is_record(a->bytes, at, end)) return FL_OK;
  const size_t to = at + fl_le32(a->bytes + at + 4);
  fl_row row = {.header_record_id = fl_le64(a->bytes + at + 8)};
  (void)fl_time_from_filetime(fl_le64(a->bytes + at + 16), &row.t_written);
  a->recovery = (bx_recovery){0};
  if (!is_doubted) bx_recover(a->decoder, NULL);
  fl_err why = {0};
  const fl_status status =
      bx_record(a->decoder, at + EVTX_RECORD_HEADER, to - 4, a->rows, &row, &why);
  if (!is_doubted) bx_recover(a->decoder, &a->recovery);
  if (status == FL_E_NOMEM) return fl_fail(err, status, 0, "out of memory");
  if (status < FL_OK) return FL_OK;
  *may_differ = !bx_has_id_of_header(a->rows, &row);
  a->rows->n_slots = row.slot0;
  return FL_OK;
}

/* Decodes, defers or skips one record; *ret_is_done says whether its bytes are dealt with. */
static fl_status read_old(slack *s, const evtx_waiting *record, bool *ret_is_done, fl_err *err) {
  static const char *const reasons[] = {[EVTX_COPY_OF_LIVE] = "copies of live records",
                                        [EVTX_COPY_OF_OLD] = "copies of recovered records"};
  evtx_again *a = &s->again;
  const evtx_old *old = &record->old;
  evtx_old_key *key = evtx_olds_find(&s->olds, old);
  *ret_is_done = true;
  if (!key || key->copy != EVTX_COPY_NONE) {
    ledger(s, record->view, old->at, old->to,
           key ? reasons[key->copy] : "limit reached: too many old records");
    return FL_OK;
  }
  const fl_status status = evtx_again_decode(a, record, err);
  if (status < FL_OK) return status;
  if (status == FL_OK) {
    evtx_again_tell(a, record);
  } else if (old->is_whole && a->recovery.is_missing) {
    evtx_waiting waiting = *record;
    waiting.missing = a->recovery.missing;
    FL_TRY(evtx_again_wait(a, &waiting, err));
  } else {
    *ret_is_done = false;
  }
  if (*ret_is_done) key->copy = EVTX_COPY_OF_OLD;
  return FL_OK;
}

/* Zeros at the end were never used; between and behind records lie their remains. */
static void ledger_tail(const slack *s, const evtx_view *view, size_t from) {
  size_t last = view->to;
  while (last > from && s->again.bytes[last - 1] == 0) last--;
  ledger_between(s, view, from, last);
  if (last < view->to) fl_job_ledger(s->job, view->offset + last, view->to - last, FL_L_EMPTY, "");
}

static fl_status read_view(slack *s, const evtx_view *view, fl_err *err) {
  size_t done = view->from, n_retried = 0;
  evtx_waiting record = {.view = view};
  FL_TRY(evtx_again_load(&s->again, view, err));
  if (!view->is_loose) FL_TRY(look_at_live(&s->again, view->live_end, &s->again.may_differ, err));
  for (size_t at = done; evtx_old_find(s->again.bytes, at, view->to, &record.old);) {
    const evtx_old *old = &record.old;
    bool is_done = false;
    FL_TRY(read_old(s, &record, &is_done, err));
    if (is_done) {
      ledger_between(s, view, done, old->at);
      at = done = old->to;
      continue;
    }
    n_retried += old->to - old->at;
    at = n_retried < MOST_RETRIED ? old->at + 1 : old->to;
  }
  ledger_tail(s, view, done);
  return FL_OK;
}

/* ---- live records that were refused ---- */

/* Tried once more to learn which template is missing. */
static fl_status read_refused(slack *s, const evtx_refused *refused, fl_err *err) {
  evtx_again *a = &s->again;
  evtx_waiting record = {.view = &refused->view, .flags = refused->flags, .is_live = true};
  FL_TRY(evtx_again_load(a, record.view, err));
  FL_TRY(look_at_live(a, record.view->n_bytes, &a->live_may_differ, err));
  evtx_old_at(a->bytes, refused->at, refused->to, &record.old);
  const fl_status status = evtx_again_decode(a, &record, err);
  if (status < FL_OK) return status;
  if (status == FL_OK) evtx_again_tell(a, &record);
  else if (a->recovery.is_missing) record.missing = a->recovery.missing;
  return status == FL_OK ? FL_OK : evtx_again_wait(a, &record, err);
}

static fl_status read_all(slack *s, fl_err *err) {
  const evtx_map *map = s->log->map;
  for (size_t i = 0; i < map->n; i++) s->again.may_differ |= map->pieces[i].left.has_lag;
  s->again.live_may_differ = s->again.may_differ;
  for (size_t i = 0; i < s->log->refusals->n; i++)
    FL_TRY(read_refused(s, &s->log->refusals->items[i], err));
  FL_TRY(collect_all(s, err));
  for (size_t i = 0; i < s->views.n; i++) FL_TRY(read_view(s, &s->views.items[i], err));
  return evtx_again_read(&s->again, err);
}

/* Behind the live records of chunks, and where records are but no chunk. */
static fl_status find_views(slack *s, fl_err *err) {
  evtx_views *views = &s->views;
  for (size_t i = 0; i < s->log->map->n; i++) {
    const evtx_piece *piece = &s->log->map->pieces[i];
    if (piece->kind == EVTX_KIND_LOOSE && fl_job_seeks_old(s->job))
      FL_TRY(evtx_carve(s->job, piece, views, err));
    if (!piece->left.has_signature) continue;
    if (!fl_grow((void **)&views->items, &views->cap, views->n + 1, sizeof *views->items))
      return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    views->items[views->n++] = evtx_view_of(piece);
  }
  s->again.views = views->items;
  s->again.n_views = views->n;
  return FL_OK;
}

static fl_status read_views(slack *s, fl_err *err) {
  FL_TRY(find_views(s, err));
  if (s->views.n == 0 && s->log->refusals->n == 0) return FL_OK;
  FL_TRY(fl_rows_window(s->again.rows, (size_t)EVTX_SPAN_CHUNKS * EVTX_ROOM, err));
  s->again.buffer = fl_arena_take(s->job->arena, EVTX_ROOM);
  if (!s->again.buffer) return fl_fail(err, FL_E_LIMIT, 0, "no memory to look for old records");
  bx_recover(s->log->decoder, &s->again.recovery);
  const fl_status status = read_all(s, err);
  bx_recover(s->log->decoder, NULL);
  return status;
}

fl_status evtx_rest_read(const evtx_log *log, fl_rows *rows, fl_err *err) {
  slack s = {.job = log->job, .log = log};
  s.again = (evtx_again){.job = log->job,
                         .decoder = log->decoder,
                         .store = log->store,
                         .map = log->map,
                         .rows = rows,
                         .known = log->refusals->known};
  log->refusals->known = (bx_known){0};
  const fl_status status = read_views(&s, err);
  evtx_olds_free(&s.olds);
  evtx_again_done(&s.again);
  free(s.views.items);
  return status;
}
