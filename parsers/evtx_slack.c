/* evtx_slack.c - what is left of old records behind the live ones, read after them.
 *
 * First all headers are looked for, and the live records that they may be copies of. Then each old
 * record is decoded with the template in its own chunk. Those whose template was overwritten wait
 * until the templates of the other chunks are known. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "parsers/evtx_old.h"

/* Bytes of what only looked like records, in one chunk, in which others are searched. */
enum { REASON_CAP = 400 };
enum { MOST_RETRIED = 16 * EVTX_CHUNK, MOST_ROUNDS = 3, MOST_OF_A_CLASS = 16 };

/* A record that wants for a template. */
typedef struct waiting {
  size_t piece;
  evtx_old old;
  uint32_t missing;
} waiting;

typedef struct slack {
  fl_job *job;
  bx *decoder;
  bx_store *store;
  const evtx_map *map;
  fl_rows *rows;
  uint8_t *buffer; /* EVTX_ROOM */
  evtx_olds olds;
  waiting *waiting;
  size_t n_waiting, cap_waiting;
  bx_known known;
  bx_recovery recovery;
  bool is_full;         /* more headers than are remembered */
  bool may_differ;      /* bx_surroundings */
  size_t piece;         /* that the decoder has, or SIZE_MAX */
  const uint8_t *bytes; /* its bytes in the window */
  unsigned n_loaded;    /* pieces in the window whose rows may wait there */
} slack;

static bool is_chunk(const evtx_piece *piece) {
  return piece->kind == EVTX_KIND_CHUNK || piece->kind == EVTX_KIND_NO_MAGIC;
}

static fl_status read_at(const slack *s, uint64_t offset, uint8_t *bytes, size_t n, fl_err *err) {
  size_t n_read = 0;
  FL_TRY(fl_source_read(s->job->source, offset, bytes, n, &n_read, err));
  if (n_read == n) return FL_OK;
  return fl_fail(err, FL_E_IO, offset + n_read, "source ended while it was read again");
}

/* The chunk as it is behind its live records; bytes that are missing in front are zero. */
static fl_status read_bytes(const slack *s, size_t i, uint8_t *bytes, fl_err *err) {
  const evtx_piece *piece = &s->map->pieces[i];
  const evtx_left *left = &piece->left;
  const int64_t lead = (int64_t)(piece->offset - left->offset);
  const size_t n_zero = lead <= 0 ? 0 : lead < left->to ? (size_t)lead : left->to;
  memset(bytes, 0, n_zero);
  return read_at(s, left->offset + n_zero, bytes + n_zero, left->to - n_zero, err);
}

static void ledger(const slack *s, size_t i, size_t from, size_t to, const char *reason) {
  const evtx_left *left = &s->map->pieces[i].left;
  if (to > from) fl_job_ledger(s->job, left->offset + from, to - from, FL_L_SLACK, reason);
}

/* Names the log whose template it is, when it is another one's. */
static const char *reason_of(const slack *s, char *text, size_t n_text) {
  const bx_recovery *r = &s->recovery;
  if (r->is_without_names) return "old records, names of their values are lost";
  if (!r->is_elsewhere) return "old records";
  if (!r->origin || fl_str_eq(*r->origin, s->job->name))
    return "old records, template from another chunk";
  (void)snprintf(text, n_text, "old records, template from %.*s", FL_STR_ARG(*r->origin));
  return text;
}

static void ledger_decoded(const slack *s, size_t i, const evtx_old *old) {
  char text[REASON_CAP];
  fl_job_ledger(s->job, s->map->pieces[i].left.offset + old->at, old->to - old->at, FL_L_RECOVERED,
                reason_of(s, text, sizeof text));
}

/* ---- headers, and what they are copies of ---- */

/* Beyond the limit headers are not told from copies, so their records are left alone. */
static fl_status add_header(slack *s, size_t i, const evtx_old *old, fl_err *err) {
  fl_err why = {0};
  const fl_status status = evtx_olds_add(&s->olds, old, &why);
  if (status == FL_E_LIMIT && !s->is_full)
    fl_job_note(s->job, FL_NOTE_LIMIT, s->map->pieces[i].left.offset + old->at, "%s", why.text);
  s->is_full |= status == FL_E_LIMIT;
  return status == FL_OK || status == FL_E_LIMIT ? FL_OK : fl_fail(err, status, 0, "%s", why.text);
}

static fl_status collect(slack *s, size_t i, fl_err *err) {
  const size_t n = s->map->pieces[i].left.to;
  FL_TRY(read_bytes(s, i, s->buffer, err));
  evtx_old old;
  for (size_t at = s->map->pieces[i].left.from; evtx_old_find(s->buffer, at, n, &old);
       at = old.at + 1)
    FL_TRY(add_header(s, i, &old, err));
  return FL_OK;
}

/* The live records of a chunk that has ids of old ones, wherever they were moved. */
static fl_status mark_live(slack *s, size_t i, fl_err *err) {
  const evtx_piece *piece = &s->map->pieces[i];
  const size_t end = (size_t)(piece->left.offset + piece->left.from - piece->offset);
  FL_TRY(read_at(s, piece->offset, s->buffer, end, err));
  for (size_t at = 0; at < end;) {
    if (!evtx_is_record(s->buffer, at, end)) {
      at++;
      continue;
    }
    evtx_old live;
    evtx_old_at(s->buffer, at, end, &live);
    evtx_old_key *key = evtx_olds_find(&s->olds, &live);
    if (key) key->copy = EVTX_COPY_OF_LIVE;
    at = live.to;
  }
  return FL_OK;
}

static fl_status collect_all(slack *s, fl_err *err) {
  const evtx_map *map = s->map;
  for (size_t i = 0; i < map->n; i++)
    if (s->map->pieces[i].left.has_signature) FL_TRY(collect(s, i, err));
  FL_TRY(evtx_olds_sort(&s->olds, err));
  for (size_t i = 0; i < map->n; i++) {
    const evtx_left *left = &s->map->pieces[i].left;
    s->may_differ |= left->has_lag;
    if (is_chunk(&map->pieces[i]) && left->first_id <= left->last_id &&
        evtx_olds_has_between(&s->olds, left->first_id, left->last_id))
      FL_TRY(mark_live(s, i, err));
  }
  return FL_OK;
}

/* ---- decoding ---- */

/* Rows point into the window, so they leave before its bytes do. */
static fl_status load(slack *s, size_t i, fl_err *err) {
  if (s->piece == i) return FL_OK;
  if (s->n_loaded == EVTX_SPAN_CHUNKS) {
    FL_TRY(fl_rows_flush(s->job, s->rows, err));
    s->n_loaded = 0;
  }
  uint8_t *bytes = s->rows->window + (size_t)s->n_loaded++ * EVTX_ROOM;
  FL_TRY(read_bytes(s, i, bytes, err));
  s->piece = i;
  s->bytes = bytes;
  bx_chunk(s->decoder, bytes, s->map->pieces[i].left.to);
  return FL_OK;
}

/* Adds the row of an old record of the loaded piece. FL_END: it is none, or it has to wait. */
static fl_status decode(slack *s, size_t i, const evtx_old *old, fl_err *err) {
  fl_rows *rows = s->rows;
  const bool is_full = rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 2;
  if (rows->n_rows == FL_BATCH_ROWS || is_full) FL_TRY(fl_rows_flush(s->job, rows, err));
  fl_row row = {.header_record_id = old->id,
                .offset = s->map->pieces[i].left.offset + old->at,
                .length = (uint32_t)(old->to - old->at),
                .flags = FL_F_SLACK | (old->is_whole ? 0 : FL_F_TRUNCATED)};
  (void)fl_time_from_filetime(old->written, &row.t_written);
  s->recovery = (bx_recovery){.known = s->recovery.known,
                              .live_end = s->map->pieces[i].left.from,
                              .may_lose_names = s->recovery.may_lose_names,
                              .host = s->recovery.host,
                              .is_torn = !old->is_whole};
  const size_t to = old->to - (old->is_whole ? 4 : 0);
  fl_err why = {0};
  const fl_status status =
      bx_record(s->decoder, old->at + EVTX_RECORD_HEADER, to, rows, &row, &why);
  if (status == FL_E_NOMEM || status == FL_E_INTERNAL) {
    if (err) *err = why;
    return status;
  }
  if (status < FL_OK) return FL_END;
  const bx_surroundings around = {s->bytes, s->map->pieces[i].left.to, s->may_differ};
  if (!bx_is_plausible(rows, &row, &around)) {
    rows->n_slots = row.slot0;
    return FL_END;
  }
  if (bx_has_odd_text(rows, &row)) row.flags |= FL_F_TRUNCATED;
  if (s->recovery.is_elsewhere || s->recovery.is_without_names) row.flags |= FL_F_RECOVERED;
  fl_rows_add(rows, &row);
  return FL_OK;
}

/* In an exported log ids begin again at 1 in the headers: its first record tells. */
static fl_status look_at_live(slack *s, size_t i, fl_err *err) {
  const size_t at = EVTX_CHUNK_HEADER;
  if (s->may_differ || !evtx_is_record(s->bytes, at, s->map->pieces[i].left.from)) return FL_OK;
  const size_t to = at + fl_le32(s->bytes + at + 4);
  fl_row row = {.header_record_id = fl_le64(s->bytes + at + 8)};
  (void)fl_time_from_filetime(fl_le64(s->bytes + at + 16), &row.t_written);
  bx_recover(s->decoder, NULL);
  fl_err why = {0};
  const fl_status status =
      bx_record(s->decoder, at + EVTX_RECORD_HEADER, to - 4, s->rows, &row, &why);
  bx_recover(s->decoder, &s->recovery);
  if (status == FL_E_NOMEM) return fl_fail(err, status, 0, "out of memory");
  if (status < FL_OK) return FL_OK;
  s->may_differ = !bx_has_id_of_header(s->rows, &row);
  s->rows->n_slots = row.slot0;
  return FL_OK;
}

static fl_status wait(slack *s, size_t i, const evtx_old *old, fl_err *err) {
  if (!fl_grow((void **)&s->waiting, &s->cap_waiting, s->n_waiting + 1, sizeof *s->waiting))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  s->waiting[s->n_waiting++] = (waiting){i, *old, s->recovery.missing};
  return FL_OK;
}

/* Decodes, defers or skips one record; *ret_is_done says whether its bytes are dealt with. */
static fl_status read_old(slack *s, size_t i, const evtx_old *old, bool *ret_is_done, fl_err *err) {
  static const char *const reasons[] = {[EVTX_COPY_OF_LIVE] = "copies of live records",
                                        [EVTX_COPY_OF_OLD] = "copies of recovered records"};
  evtx_old_key *key = evtx_olds_find(&s->olds, old);
  *ret_is_done = true;
  if (!key || key->copy != EVTX_COPY_NONE) {
    ledger(s, i, old->at, old->to,
           key ? reasons[key->copy] : "limit reached: too many old records");
    return FL_OK;
  }
  const fl_status status = decode(s, i, old, err);
  if (status < FL_OK) return status;
  if (status == FL_OK) ledger_decoded(s, i, old);
  else if (old->is_whole && s->recovery.is_missing) FL_TRY(wait(s, i, old, err));
  else *ret_is_done = false;
  if (*ret_is_done) key->copy = EVTX_COPY_OF_OLD;
  return FL_OK;
}

/* Zeros at the end were never used; between and behind records lie their remains. */
static void ledger_tail(const slack *s, size_t i, size_t from) {
  const evtx_left *left = &s->map->pieces[i].left;
  size_t last = left->to;
  while (last > from && s->bytes[last - 1] == 0) last--;
  ledger(s, i, from, last, "behind the live records");
  if (last < left->to) fl_job_ledger(s->job, left->offset + last, left->to - last, FL_L_EMPTY, "");
}

static fl_status read_piece(slack *s, size_t i, fl_err *err) {
  const size_t n = s->map->pieces[i].left.to;
  size_t done = s->map->pieces[i].left.from, n_retried = 0;
  evtx_old old;
  FL_TRY(load(s, i, err));
  FL_TRY(look_at_live(s, i, err));
  for (size_t at = done; evtx_old_find(s->bytes, at, n, &old);) {
    bool is_done = false;
    FL_TRY(read_old(s, i, &old, &is_done, err));
    if (is_done) {
      ledger(s, i, done, old.at, "behind the live records");
      at = done = old.to;
      continue;
    }
    n_retried += old.to - old.at;
    at = n_retried < MOST_RETRIED ? old.at + 1 : old.to;
  }
  ledger_tail(s, i, done);
  return FL_OK;
}

/* ---- templates from other chunks ---- */

static uint64_t wanted_bits(const slack *s) {
  uint64_t bits = 0;
  for (size_t k = 0; k < s->n_waiting; k++) bits |= bx_template_bit(s->waiting[k].missing);
  return bits;
}

/* A template that many chunks have is the same in all of them: a few of a class are enough. */
static bool takes_part(const evtx_left *left, uint64_t wanted, uint8_t *n_of_class) {
  bool does = left->has_signature;
  for (uint64_t bits = left->templates & wanted; bits; bits &= bits - 1) {
    uint8_t *n = &n_of_class[__builtin_ctzll(bits)];
    if (*n >= MOST_OF_A_CLASS) continue;
    ++*n;
    does = true;
  }
  return does;
}

static fl_status harvest(slack *s, uint64_t wanted, fl_err *err) {
  uint8_t n_of_class[64] = {0};
  for (size_t i = 0; i < s->map->n; i++) {
    if (!is_chunk(&s->map->pieces[i])) continue;
    if (!takes_part(&s->map->pieces[i].left, wanted, n_of_class)) continue;
    FL_TRY(read_bytes(s, i, s->buffer, err));
    s->recovery = (bx_recovery){.live_end = s->map->pieces[i].left.from};
    bx_chunk(s->decoder, s->buffer, s->map->pieces[i].left.to);
    s->piece = SIZE_MAX;
    FL_TRY(bx_harvest(s->decoder, s->map->pieces[i].left.from, s->job->source_id, &s->known, err));
  }
  bx_known_sort(&s->known);
  return FL_OK;
}

/* Those that still miss a template stay. */
static fl_status retry(slack *s, size_t *ret_n_decoded, fl_err *err) {
  size_t n = 0;
  *ret_n_decoded = 0;
  for (size_t k = 0; k < s->n_waiting; k++) {
    waiting *w = &s->waiting[k];
    FL_TRY(load(s, w->piece, err));
    const fl_status status = decode(s, w->piece, &w->old, err);
    if (status < FL_OK) return status;
    if (status == FL_OK) {
      ledger_decoded(s, w->piece, &w->old);
      ++*ret_n_decoded;
    } else {
      if (s->recovery.is_missing) w->missing = s->recovery.missing;
      s->waiting[n++] = *w;
    }
  }
  s->n_waiting = n;
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
static fl_status read_waiting(slack *s, fl_err *err) {
  uint64_t seen = 0;
  size_t n_decoded = 0;
  for (unsigned round = 0; round < MOST_ROUNDS && s->n_waiting; round++) {
    const uint64_t wanted = wanted_bits(s);
    if (!(wanted & ~seen)) break;
    FL_TRY(harvest(s, wanted & ~seen, err));
    seen |= wanted;
    s->recovery.known = &s->known;
    FL_TRY(retry(s, &n_decoded, err));
  }
  if (fl_job_is_reread(s->job)) {
    s->recovery.known = bx_store_known(s->store);
    s->recovery.host = find_host(&s->known);
    FL_TRY(retry(s, &n_decoded, err));
  }
  s->recovery.may_lose_names = true;
  FL_TRY(retry(s, &n_decoded, err));
  for (size_t k = 0; k < s->n_waiting; k++) {
    const waiting *w = &s->waiting[k];
    ledger(s, w->piece, w->old.at, w->old.to, "old records without their template");
  }
  return FL_OK;
}

static fl_status read_all(slack *s, fl_err *err) {
  const evtx_map *map = s->map;
  FL_TRY(collect_all(s, err));
  for (size_t i = 0; i < map->n; i++)
    if (s->map->pieces[i].left.has_signature) FL_TRY(read_piece(s, i, err));
  return read_waiting(s, err);
}

fl_status evtx_slack_read(fl_job *job, bx *b, bx_store *store, const evtx_map *map, fl_rows *rows,
                          fl_err *err) {
  bool has_any = false;
  for (size_t i = 0; i < map->n && !has_any; i++) has_any = map->pieces[i].left.has_signature;
  if (!has_any) return FL_OK;
  slack s = {.job = job, .decoder = b, .store = store, .map = map, .rows = rows, .piece = SIZE_MAX};
  FL_TRY(fl_rows_window(rows, (size_t)EVTX_SPAN_CHUNKS * EVTX_ROOM, err));
  s.buffer = fl_arena_take(job->arena, EVTX_ROOM);
  if (!s.buffer) return fl_fail(err, FL_E_LIMIT, 0, "no memory to look for old records");
  bx_recover(b, &s.recovery);
  const fl_status status = read_all(&s, err);
  bx_recover(b, NULL);
  evtx_olds_free(&s.olds);
  bx_known_free(&s.known);
  free(s.waiting);
  return status;
}
