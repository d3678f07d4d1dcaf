/* hits.c - the one list of hits: kept, counted, bounded, and put in order. */
#include "rules/hits.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/suppress.h"
#include "rules/tag.h"

struct fl_hits {
  const fl_rules *rules;
  const fl_hunt_options *options;
  fl_suppress *suppress; /* NULL: nothing is */
  fl_arena *arena;       /* what kept hits point to, and notes */
  fl_hit *items;
  size_t n, cap;
  fl_hit_count *counts;
  size_t n_counts, cap_counts;
  uint32_t *slots[FL_N_RULE_ENGINES]; /* by rule: index in counts + 1 */
  fl_str *notes;
  size_t n_notes, cap_notes;
  uint64_t n_dropped; /* counted, but not kept for lack of room */
  const fl_str *names;
  size_t n_names;
  fl_hits_ear ear;   /* instead of the list */
  fl_tagger *tagger; /* the same; NULL: nobody wants tags */
};

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for hits");
}

/* A line that is about no rule is a slip of the pen, or of a file that was renewed. */
static fl_status make_suppress(fl_hits *hits, fl_err *err) {
  const fl_hunt_options *o = hits->options;
  size_t line = 0;
  fl_str rule;
  if (o->suppressions.n == 0) return FL_OK;
  FL_TRY(
      fl_suppress_create(hits->rules, o->suppressions_name, o->suppressions, &hits->suppress, err));
  for (size_t i = 0; fl_suppress_unused(hits->suppress, i, &line, &rule); i++)
    FL_TRY(fl_hits_note(hits, err, "%.*s:%zu: no rule '%.*s' is loaded",
                        FL_STR_ARG(o->suppressions_name), line, FL_STR_ARG(rule)));
  return FL_OK;
}

fl_status fl_hits_create(const fl_rules *rules, const fl_hunt_options *options, fl_hits **ret_hits,
                         fl_err *err) {
  fl_hits *hits = calloc(1, sizeof *hits);
  if (hits) hits->arena = fl_arena_create(FL_LIMIT_HITS_ARENA);
  bool has_room = hits && hits->arena;
  for (size_t i = 0; has_room && i < FL_N_RULE_ENGINES; i++) {
    const size_t n = fl_rules_engine_count(rules, (fl_rule_engine)i);
    has_room = (hits->slots[i] = calloc(n + 1, sizeof *hits->slots[i])) != NULL;
  }
  if (!has_room) {
    fl_hits_free(hits);
    return no_memory(err);
  }
  hits->rules = rules;
  hits->options = options;
  fl_status s = make_suppress(hits, err);
  if (s == FL_OK && options->is_tagging) s = fl_tagger_create(rules, &hits->tagger, err);
  if (s != FL_OK) {
    fl_hits_free(hits);
    return s;
  }
  *ret_hits = hits;
  return FL_OK;
}

void fl_hits_free(fl_hits *hits) {
  if (!hits) return;
  for (size_t i = 0; i < FL_N_RULE_ENGINES; i++) free(hits->slots[i]);
  fl_suppress_free(hits->suppress);
  fl_tagger_free(hits->tagger);
  fl_arena_free(hits->arena);
  free(hits->items);
  free(hits->counts);
  free(hits->notes);
  free(hits);
}

fl_status fl_hits_create_ear(const fl_hits_ear *ear, fl_hits **ret_hits, fl_err *err) {
  fl_hits *hits = calloc(1, sizeof *hits);
  if (hits) hits->arena = fl_arena_create(FL_LIMIT_HITS_ARENA);
  if (!hits || !hits->arena) {
    fl_hits_free(hits);
    return no_memory(err);
  }
  hits->ear = *ear;
  *ret_hits = hits;
  return FL_OK;
}

bool fl_hits_wants(const fl_hits *hits, const fl_rule_info *info) {
  if (hits->ear.wants) return hits->ear.wants(hits->ear.self, info);
  const fl_hunt_options *o = hits->options;
  if (info->severity < o->min_severity) return false;
  for (size_t i = 0; i < o->n_excluded; i++) {
    const fl_str excluded = fl_str_of(o->excluded[i]);
    if (fl_str_eq_nocase(excluded, fl_str_of(info->name))) return false;
    if (info->title && fl_str_eq_nocase(excluded, fl_str_of(info->title))) return false;
  }
  return true;
}

fl_hit_event fl_hits_event_of(const fl_batch *batch, const fl_row *row) {
  uint64_t id = 0;
  const bool has_id = fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &id) && id <= INT64_MAX;
  return (fl_hit_event){.source = row->source,
                        .flags = row->flags,
                        .record_id = has_id ? (int64_t)id : -1,
                        .offset = row->offset,
                        .seq = row->seq,
                        .t = row->t};
}

static fl_hit_count *count_of(fl_hits *hits, const fl_hit *hit) {
  uint32_t *slot = &hits->slots[hit->engine][hit->rule];
  if (*slot) return &hits->counts[*slot - 1];
  if (!fl_grow((void **)&hits->counts, &hits->cap_counts, hits->n_counts + 1, sizeof *hits->counts))
    return NULL;
  hits->counts[hits->n_counts++] = (fl_hit_count){.engine = hit->engine, .rule = hit->rule};
  *slot = (uint32_t)hits->n_counts;
  return &hits->counts[hits->n_counts - 1];
}

static void count(fl_hit_count *c, fl_time t) {
  c->n_hits++;
  if (t == 0) return;
  if (c->first == 0 || t < c->first) c->first = t;
  if (c->last == 0 || t > c->last) c->last = t;
}

/* A copy that points to nothing but the arena; false when that is full. */
static bool copy_hit(fl_arena *arena, const fl_hit *hit, fl_hit *ret_hit) {
  fl_hit copy = *hit;
  fl_hit_event *events = FL_NEW_ARRAY(arena, fl_hit_event, hit->n_events);
  fl_hit_bytes *bytes = hit->n_bytes ? FL_NEW_ARRAY(arena, fl_hit_bytes, hit->n_bytes) : NULL;
  if (hit->text.n) copy.text = fl_arena_str(arena, hit->text);
  if (!events || (hit->n_bytes && !bytes) || (hit->text.n && !copy.text.p)) return false;
  if (hit->n_events) memcpy(events, hit->events, hit->n_events * sizeof *events);
  if (hit->n_bytes) memcpy(bytes, hit->bytes, hit->n_bytes * sizeof *bytes);
  copy.events = events;
  copy.bytes = bytes;
  *ret_hit = copy;
  return true;
}

fl_status fl_hits_add(fl_hits *hits, const fl_hit *hit, const fl_batch *batch, const fl_row *row,
                      fl_err *err) {
  bool is_hidden = false;
  if (hits->ear.take) return hits->ear.take(hits->ear.self, hit, row, err);
  fl_hit_count *c = count_of(hits, hit);
  if (!c) return no_memory(err);
  if (hits->suppress) FL_TRY(fl_suppress_hides(hits->suppress, hit, batch, row, &is_hidden, err));
  c->n_suppressed += is_hidden;
  if (is_hidden) return FL_OK;
  count(c, hit->t);
  if (hits->tagger) return fl_tagger_add(hits->tagger, hit, err);
  if (c->n_kept >= FL_LIMIT_HITS_ALIKE || hits->n >= FL_LIMIT_HITS) return FL_OK;
  if (!fl_grow((void **)&hits->items, &hits->cap, hits->n + 1, sizeof *hits->items))
    return no_memory(err);
  if (!copy_hit(hits->arena, hit, &hits->items[hits->n])) return FL_OK; /* counted all the same */
  hits->n++;
  c->n_kept++;
  return FL_OK;
}

fl_status fl_hits_note(fl_hits *hits, fl_err *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const fl_str text = fl_arena_vprintf(hits->arena, format, args);
  va_end(args);
  if (!text.p ||
      !fl_grow((void **)&hits->notes, &hits->cap_notes, hits->n_notes + 1, sizeof *hits->notes))
    return no_memory(err);
  for (size_t i = 0; i < hits->n_notes; i++)
    if (fl_str_eq(hits->notes[i], text)) return FL_OK;
  hits->notes[hits->n_notes++] = text;
  return FL_OK;
}

static fl_str name_of(const fl_hits *hits, uint32_t source) {
  return source < hits->n_names ? hits->names[source] : (fl_str){0};
}

/* Where a hit is: its last event, else the first bytes. */
static void place_of(const fl_hit *hit, uint32_t *ret_source, uint64_t *ret_offset) {
  const fl_hit_event *event = hit->n_events ? &hit->events[hit->n_events - 1] : NULL;
  *ret_source = event ? event->source : hit->n_bytes ? hit->bytes[0].source : UINT32_MAX;
  *ret_offset = event ? event->seq : hit->n_bytes ? hit->bytes[0].offset : 0;
}

static int three_way(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* A total order over what a hit says, so that no order of reading shows. */
static int by_time(const void *a, const void *b, void *context) {
  const fl_hits *hits = context;
  const fl_hit *x = a;
  const fl_hit *y = b;
  if (x->t != y->t) return x->t < y->t ? -1 : 1;
  uint32_t source[2];
  uint64_t place[2];
  place_of(x, &source[0], &place[0]);
  place_of(y, &source[1], &place[1]);
  int order = fl_str_cmp(name_of(hits, source[0]), name_of(hits, source[1]));
  if (!order) order = three_way(place[0], place[1]);
  if (!order) order = three_way(x->engine, y->engine);
  if (!order) order = three_way(x->rule, y->rule);
  if (!order) order = three_way(x->n_events, y->n_events);
  return order;
}

static int by_rule(const void *a, const void *b) {
  const fl_hit_count *x = a;
  const fl_hit_count *y = b;
  const int order = three_way(x->engine, y->engine);
  return order ? order : three_way(x->rule, y->rule);
}

/* What is shown is less than what was found: for each rule how much. */
static fl_status tell_dropped(fl_hits *hits, fl_err *err) {
  if (hits->tagger) {
    const uint64_t n = fl_tagger_dropped(hits->tagger);
    return n ? fl_hits_note(hits, err, "records of hits beyond the first %d, not named: %llu",
                            FL_LIMIT_TAGS, (unsigned long long)n)
             : FL_OK;
  }
  for (size_t i = 0; i < hits->n_counts; i++) {
    const fl_hit_count *c = &hits->counts[i];
    if (c->n_kept == c->n_hits) continue;
    const fl_rule_info info = fl_rules_engine_info(hits->rules, c->engine, c->rule);
    FL_TRY(fl_hits_note(hits, err, "rule %s: %llu of %llu hits are listed, the others counted",
                        info.name, (unsigned long long)c->n_kept, (unsigned long long)c->n_hits));
  }
  return FL_OK;
}

fl_status fl_hits_finish(fl_hits *hits, const fl_str *names, size_t n_names, fl_err *err) {
  hits->names = names;
  hits->n_names = n_names;
  if (hits->n) qsort_r(hits->items, hits->n, sizeof *hits->items, by_time, hits);
  if (hits->n_counts) qsort(hits->counts, hits->n_counts, sizeof *hits->counts, by_rule);
  if (hits->tagger) fl_tagger_finish(hits->tagger);
  return tell_dropped(hits, err);
}

const fl_tags *fl_hits_tags(const fl_hits *hits) {
  return hits->tagger ? fl_tagger_tags(hits->tagger) : NULL;
}

size_t fl_hits_all(const fl_hits *hits, const fl_hit **ret_hits) {
  *ret_hits = hits->items;
  return hits->n;
}
size_t fl_hits_counts(const fl_hits *hits, const fl_hit_count **ret_counts) {
  *ret_counts = hits->counts;
  return hits->n_counts;
}
size_t fl_hits_notes(const fl_hits *hits, const fl_str **ret_notes) {
  *ret_notes = hits->notes;
  return hits->n_notes;
}
