/* yara_find.c - matches back to records: finds, their sentences, and events `yara.match`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/maker.h"
#include "base/mem.h"
#include "base/text.h"
#include "faultline/facts.h"
#include "rules/yara_scan.h"

enum { EVENT_ID = 201, LEVEL_WARNING = 3, STRINGS_SHOWN = 8 };

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for what YARA rules find");
}

static fl_str text_of(fl_raw raw, fl_arena *arena) {
  if (raw.type == FL_T_NULL) return FL_STR("");
  if (raw.type == FL_T_UTF8) return (fl_str){(const char *)raw.p, raw.n};
  return fl_raw_text(raw, arena);
}

static size_t origin_slot(const fl_yara_scan *scan, fl_str host, fl_str channel) {
  const uint64_t hash = fl_hash_bytes(channel.p, channel.n, fl_hash_bytes(host.p, host.n, 0));
  size_t at = (size_t)hash & (YARA_ORIGIN_SLOTS - 1);
  for (; scan->origin_slots[at]; at = (at + 1) & (YARA_ORIGIN_SLOTS - 1)) {
    const yara_origin *o = &scan->origins[scan->origin_slots[at]];
    if (fl_str_eq(o->host, host) && fl_str_eq(o->channel, channel)) break;
  }
  return at;
}

static bool add_origin(fl_yara_scan *scan, yara_origin origin) {
  const yara_origin made = {fl_arena_str(scan->arena, origin.host),
                            fl_arena_str(scan->arena, origin.channel)};
  if (!made.host.p || !made.channel.p ||
      !fl_grow((void **)&scan->origins, &scan->cap_origins, scan->n_origins + 1,
               sizeof *scan->origins))
    return false;
  scan->origins[scan->n_origins++] = made;
  return true;
}

/* Hostile logs have a host for each record: those that no longer fit have none. */
static bool origin_of(fl_yara_scan *scan, yara_origin origin, uint32_t *ret_origin) {
  if (scan->n_origins == 0 && !add_origin(scan, (yara_origin){FL_STR(""), FL_STR("")}))
    return false;
  const size_t slot = origin_slot(scan, origin.host, origin.channel);
  if (!scan->origin_slots[slot] && scan->n_origins < YARA_ORIGIN_SLOTS / 2) {
    if (!add_origin(scan, origin)) return false;
    scan->origin_slots[slot] = (uint32_t)scan->n_origins - 1;
  }
  *ret_origin = scan->origin_slots[slot];
  return true;
}

static bool is_as_last(const yara_last *last, unsigned i, fl_raw raw) {
  return last->type[i] == raw.type && last->n[i] == raw.n &&
         (raw.n == 0 || memcmp(last->bytes[i], raw.p, raw.n) == 0);
}

static void remember(yara_last *last, const fl_raw raws[2], uint32_t origin) {
  last->origin = raws[0].n <= YARA_LAST_BYTES && raws[1].n <= YARA_LAST_BYTES ? origin : 0;
  for (unsigned i = 0; last->origin && i < 2; i++) {
    last->type[i] = raws[i].type;
    last->n[i] = raws[i].n;
    if (raws[i].n) memcpy(last->bytes[i], raws[i].p, raws[i].n);
  }
}

/* Rows of one log nearly always share host and channel. */
static bool find_origin(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                        uint32_t *ret_origin) {
  const fl_raw raws[2] = {fl_row_column(batch, row, FL_C_HOST),
                          fl_row_column(batch, row, FL_C_CHANNEL)};
  *ret_origin = scan->last.origin;
  if (scan->last.origin && is_as_last(&scan->last, 0, raws[0]) &&
      is_as_last(&scan->last, 1, raws[1]))
    return true;
  fl_arena_reset(scan->scratch);
  const yara_origin origin = {text_of(raws[0], scan->scratch), text_of(raws[1], scan->scratch)};
  if (!origin_of(scan, origin, ret_origin)) return false;
  remember(&scan->last, raws, *ret_origin);
  return true;
}

bool fl_yara_row_of(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                    yara_row *ret_row) {
  uint64_t id = 0;
  const bool has_id = fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &id);
  *ret_row = (yara_row){.at = row->offset,
                        .offset = row->offset,
                        .seq = row->seq,
                        .t = row->t,
                        .record_id = has_id && id <= INT64_MAX ? (int64_t)id : -1,
                        .n = row->length,
                        .length = row->length,
                        .flags = row->flags};
  return find_origin(scan, batch, row, &ret_row->origin);
}

bool fl_yara_rows_add(yara_rows *rows, const yara_row *row) {
  if (!fl_grow((void **)&rows->items, &rows->cap, rows->n + 1, sizeof *rows->items)) return false;
  rows->items[rows->n++] = *row;
  return true;
}

/* The last row that begins at or before `offset`, when it reaches that far; else SIZE_MAX. */
static size_t row_at(const yara_rows *rows, uint64_t offset) {
  size_t low = 0, high = rows->n;
  while (low < high) {
    const size_t mid = low + (high - low) / 2;
    if (rows->items[mid].at <= offset) low = mid + 1;
    else high = mid;
  }
  if (low == 0 || offset - rows->items[low - 1].at >= rows->items[low - 1].n) return SIZE_MAX;
  return low - 1;
}

static fl_yara_record record_of(const fl_yara_scan *scan, uint32_t source, const yara_row *row) {
  const yara_origin *o = &scan->origins[row->origin];
  return (fl_yara_record){.source = source,
                          .length = row->length,
                          .offset = row->offset,
                          .seq = row->seq,
                          .record_id = row->record_id,
                          .t = row->t,
                          .flags = row->flags,
                          .host = o->host,
                          .channel = o->channel};
}

/* A find being made: both arrays have room for each match of the hit. */
typedef struct making {
  fl_yara_scan *scan;
  const yara_found *found;
  fl_yara_place *places;
  fl_yara_record *records;
  size_t n_places, n_records, cap_records;
  size_t next_row; /* behind the last that became a record */
} making;

static void add_record(making *m, size_t row) {
  if (row < m->next_row || m->n_records == m->cap_records) return;
  m->records[m->n_records++] = record_of(m->scan, m->found->source, &m->found->rows->items[row]);
  m->next_row = row + 1;
}

/* Rows come in the order of places, and nearly always as the last one. */
static size_t record_at(const making *m, const yara_row *row) {
  for (size_t i = m->n_records; i > 0; i--)
    if (m->records[i - 1].offset == row->offset && m->records[i - 1].seq == row->seq) return i - 1;
  return SIZE_MAX;
}

static bool add_place(making *m, const yara_match *match) {
  const yara_rows *rows = m->found->rows;
  const size_t at = row_at(rows, match->offset);
  if (at == SIZE_MAX && m->found->only_in_rows) return true;
  const fl_str bytes =
      fl_arena_str(m->scan->arena, (fl_str){(const char *)match->bytes, match->n_bytes});
  if (!bytes.p) return false;
  fl_yara_place place = {.offset = match->offset,
                         .length = match->length,
                         .string = match->string,
                         .bytes = bytes,
                         .record = SIZE_MAX};
  if (at != SIZE_MAX) {
    add_record(m, at);
    place.record = record_at(m, &rows->items[at]);
  }
  /* In a script it goes on in the next part. */
  for (size_t i = at + 1; at != SIZE_MAX && m->found->script.n && i < rows->n &&
                          rows->items[i].at - match->offset < match->length;
       i++)
    add_record(m, i);
  m->places[m->n_places++] = place;
  return true;
}

/* UTF-16 of ASCII is shown as that; what would drive a terminal is escaped. */
static fl_str preview_of(fl_str bytes, fl_arena *arena) {
  size_t n = 0;
  char *text = fl_arena_take(arena, bytes.n);
  if (!text) return FL_STR("");
  bool is_wide = bytes.n >= 4 && bytes.n % 2 == 0;
  for (size_t i = 1; i < bytes.n && is_wide; i += 2) is_wide = bytes.p[i] == '\0';
  for (size_t i = 0; i < bytes.n; i += is_wide ? 2 : 1) text[n++] = bytes.p[i];
  return fl_text_printable((fl_str){text, n}, arena);
}

static fl_str sentence_of(const fl_yara_find *find, fl_arena *arena) {
  fl_str where = FL_STR("its condition holds");
  if (find->n_places) {
    const fl_yara_place *p = find->places;
    const fl_str shown = preview_of(p->bytes, arena);
    where = fl_arena_printf(arena, "%s \"%.*s\" at %llu", p->string, FL_STR_ARG(shown),
                            (unsigned long long)p->offset);
  }
  const uint64_t n_others = find->n_places ? find->n_places - 1 + find->n_more : 0;
  const fl_str others = n_others
                            ? fl_arena_printf(arena, " and %llu more", (unsigned long long)n_others)
                            : FL_STR("");
  const fl_str script = find->script.n
                            ? fl_arena_printf(arena, " of script %.*s", FL_STR_ARG(find->script))
                            : FL_STR("");
  return fl_arena_printf(arena, "YARA rule %s: %.*s%.*s%.*s", find->rule->name, FL_STR_ARG(where),
                         FL_STR_ARG(script), FL_STR_ARG(others));
}

static fl_status keep(fl_yara_scan *scan, const yara_hit *hit, const making *m, fl_err *err) {
  const bool is_event = m->found->medium[0] == 'e';
  size_t *const n_alike = is_event ? &scan->n_event_finds : &scan->n_file_finds;
  if (*n_alike >= FL_LIMIT_YARA_FINDS) {
    scan->n_dropped++;
    return FL_OK;
  }
  fl_yara_find find = {.rule = &scan->yara->rules[hit->rule],
                       .source = m->found->source,
                       .source_name = fl_arena_str(scan->arena, m->found->name),
                       .medium = m->found->medium,
                       .script = fl_arena_str(scan->arena, m->found->script),
                       .places = m->places,
                       .n_places = m->n_places,
                       .n_more = hit->n_more,
                       .records = m->records,
                       .n_records = m->n_records};
  find.text = sentence_of(&find, scan->arena);
  if (!find.source_name.p || !find.script.p || !find.text.p ||
      !fl_grow((void **)&scan->finds, &scan->cap_finds, scan->n_finds + 1, sizeof *scan->finds))
    return no_memory(err);
  scan->finds[scan->n_finds++] = find;
  ++*n_alike;
  return FL_OK;
}

/* A rule without strings says that the whole matches: a script or event is its records. */
static void add_whole(making *m) {
  for (size_t i = 0; i < m->found->rows->n && m->found->medium[0] != 'f'; i++) add_record(m, i);
}

static fl_status add_hit(fl_yara_scan *scan, const yara_found *found, const yara_result *result,
                         const yara_hit *hit, fl_err *err) {
  const bool is_file = found->medium[0] == 'f';
  const size_t n_rows =
      found->rows->n < FL_LIMIT_YARA_PLACES ? found->rows->n : FL_LIMIT_YARA_PLACES;
  const size_t cap = is_file ? hit->n : n_rows;
  making m = {.scan = scan,
              .found = found,
              .places = FL_NEW_ARRAY(scan->arena, fl_yara_place, hit->n),
              .records = FL_NEW_ARRAY(scan->arena, fl_yara_record, cap),
              .cap_records = cap};
  if (!m.places || !m.records) return no_memory(err);
  for (size_t i = 0; i < hit->n; i++)
    if (!add_place(&m, &result->matches[hit->first + i])) return no_memory(err);
  if (hit->n == 0) add_whole(&m);
  if (m.n_records == 0 && found->only_in_rows) return FL_OK;
  return keep(scan, hit, &m, err);
}

fl_status fl_yara_find_add(fl_yara_scan *scan, const yara_found *found, const yara_result *result,
                           fl_err *err) {
  for (size_t i = 0; i < result->n_hits; i++)
    if (!scan->options.is_off || !scan->options.is_off[result->hits[i].rule])
      FL_TRY(add_hit(scan, found, result, &result->hits[i], err));
  return FL_OK;
}

/* By source, then what was scanned, then place, then rule. */
static int by_order(const void *a, const void *b) {
  const fl_yara_find *l = a, *r = b;
  if (l->source != r->source) return l->source < r->source ? -1 : 1;
  const int medium = strcmp(l->medium, r->medium) * -1; /* script, file, event */
  if (medium) return medium;
  const uint64_t left = l->n_records ? l->records[0].seq + 1 : 0;
  const uint64_t right = r->n_records ? r->records[0].seq + 1 : 0;
  if (left != right && l->medium[0] != 'f') return left < right ? -1 : 1;
  return l->rule < r->rule ? -1 : l->rule > r->rule;
}

void fl_yara_finds_sort(fl_yara_scan *scan) {
  if (scan->n_finds > 1) qsort(scan->finds, scan->n_finds, sizeof *scan->finds, by_order);
}

/* The names of strings found in one record, each once: "$a, $b". */
static fl_str strings_of(const fl_yara_find *find, size_t record, fl_arena *arena) {
  const char *seen[STRINGS_SHOWN];
  size_t n = 0;
  fl_str text = FL_STR("");
  for (size_t i = 0; i < find->n_places && n < STRINGS_SHOWN; i++) {
    bool is_new = find->places[i].record == record;
    for (size_t k = 0; k < n && is_new; k++) is_new = strcmp(seen[k], find->places[i].string) != 0;
    if (!is_new) continue;
    text =
        fl_arena_printf(arena, "%.*s%s%s", FL_STR_ARG(text), n ? ", " : "", find->places[i].string);
    seen[n++] = find->places[i].string;
  }
  return text;
}

static const fl_yara_place *first_place(const fl_yara_find *find, size_t record, size_t *ret_n) {
  const fl_yara_place *first = NULL;
  *ret_n = 0;
  for (size_t i = 0; i < find->n_places; i++) {
    if (find->places[i].record != record) continue;
    if (!first) first = &find->places[i];
    ++*ret_n;
  }
  return first;
}

static void fill_data(const fl_yara_find *find, size_t record, fl_maker_fields *f) {
  size_t n = 0;
  const fl_yara_place *place = first_place(find, record, &n);
  fl_maker_text(f, "rule", fl_str_of(find->rule->name));
  fl_maker_text(f, "title", find->rule->title);
  fl_maker_text(f, "tags", find->rule->tags);
  fl_maker_number(f, "severity", (uint64_t)find->rule->severity);
  fl_maker_text(f, "scanned", fl_str_of(find->medium));
  fl_maker_text(f, "script", find->script);
  fl_maker_text(f, "strings", strings_of(find, record, f->arena));
  if (n) fl_maker_number(f, "n_matches", n);
  if (place) {
    fl_maker_number(f, "match_offset", place->offset);
    fl_maker_number(f, "match_length", place->length);
    fl_maker_text(f, "match", preview_of(place->bytes, f->arena));
  }
  if (record != SIZE_MAX && find->records[record].record_id >= 0)
    fl_maker_number(f, "record", (uint64_t)find->records[record].record_id);
}

/* `record` SIZE_MAX: what was found lies in no record. */
static fl_status make_event(fl_maker *maker, const fl_yara_find *find, size_t record, fl_err *err) {
  FL_TRY(fl_maker_begin(maker, find->source, err));
  fl_arena *arena = fl_maker_arena(maker);
  fl_maker_fields f;
  if (!fl_maker_fields_init(&f, arena)) return no_memory(err);
  fill_data(find, record, &f);
  const fl_yara_record none = {.flags = FL_F_TIME_INVALID};
  const fl_yara_record *r = record == SIZE_MAX ? &none : &find->records[record];
  fl_event event = {.t = r->t,
                    .flags = FL_F_FINDING | (r->flags & FL_F_TIME_INVALID),
                    .source = find->source,
                    .offset = r->offset,
                    .length = r->length,
                    .event_id = EVENT_ID,
                    .level = LEVEL_WARNING,
                    .provider = FL_STR("faultline"),
                    .channel = r->channel,
                    .host = r->host,
                    .data = f.list,
                    .n_data = f.n};
  if (record == SIZE_MAX && find->n_places) event.offset = find->places[0].offset;
  event.message = fl_event_sentence(&event, arena);
  event.message_source = FL_MESSAGE_OWN;
  return fl_maker_add(maker, &event, err);
}

static bool has_homeless(const fl_yara_find *find) {
  for (size_t i = 0; i < find->n_places; i++)
    if (find->places[i].record == SIZE_MAX) return true;
  return find->n_records == 0;
}

fl_status fl_yara_scan_rows(const fl_yara_scan *scan, const fl_sink *sink, fl_err *err) {
  fl_maker *maker = NULL;
  FL_TRY(fl_maker_create(sink, &maker, err));
  fl_status s = FL_OK;
  for (size_t i = 0; i < scan->n_finds && s == FL_OK; i++) {
    const fl_yara_find *find = &scan->finds[i];
    for (size_t k = 0; k < find->n_records && s == FL_OK; k++) s = make_event(maker, find, k, err);
    if (s == FL_OK && has_homeless(find)) s = make_event(maker, find, SIZE_MAX, err);
  }
  if (s == FL_OK) s = fl_maker_flush(maker, err);
  fl_maker_free(maker);
  return s;
}
