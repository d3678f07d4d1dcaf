/* match.c - decides row by row, from provider, channel and id alone, what is worth decoding. */
#include "rules/match.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/match_plan.h"
#include "rules/named.h"

/* Plan of a shape's rows with one event id. */
typedef struct known {
  uint64_t serial;
  int64_t event_id;
  fl_plan *plan;
} known;

struct fl_match {
  const fl_rules *rules;
  fl_plan_table *plans;
  known *known; /* hash; for shapes that live as long as the run */
  size_t n_known, n_slots;
  fl_arena *arena;   /* kept events */
  fl_arena *scratch; /* events whose conditions are looked at, texts of one batch */
  fl_event **events;
  size_t n_events, cap_events;
  fl_sighting *sightings;
  size_t n_sightings, cap_sightings;
  uint32_t *seen; /* hash of sightings: index + 1 */
  size_t n_seen_slots;
  uint64_t n_dropped;
  /* Rules of another engine that sources name. */
  const fl_named_engine *sigma; /* NULL = nobody names one */
  void *sigma_run;
  const fl_named_hit *sigma_hits; /* of the batch at hand */
  size_t n_sigma_hits, at_sigma_hit;
  uint32_t *numbers; /* of the row at hand */
  size_t n_numbers, cap_numbers;
  fl_named_mark *marks;
  size_t n_marks, cap_marks;
};
enum { FIRST_SLOTS = 1024 };

/* The other engine is asked only for what sources name. */
static fl_status start_sigma(fl_match *match, fl_err *err) {
  const fl_named_engine *sigma = match->rules ? fl_rules_sigma(match->rules) : NULL;
  const uint32_t *numbers = NULL;
  size_t n = 0;
  if (!sigma) return FL_OK;
  FL_TRY(fl_rules_sigma_numbers(match->rules, match->arena, &numbers, &n, err));
  if (n == 0) return FL_OK;
  FL_TRY(sigma->start(sigma->set, numbers, n, &match->sigma_run, err));
  match->sigma = sigma;
  return FL_OK;
}

fl_status fl_match_create(const fl_rules *rules, const char *const *kept_kinds, size_t n_kept_kinds,
                          fl_match **ret_match, fl_err *err) {
  fl_match *match = calloc(1, sizeof *match);
  if (!match) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the match");
  match->rules = rules;
  match->n_slots = match->n_seen_slots = FIRST_SLOTS;
  match->plans = fl_plan_table_create(rules, kept_kinds, n_kept_kinds);
  match->known = calloc(match->n_slots, sizeof *match->known);
  match->seen = calloc(match->n_seen_slots, sizeof *match->seen);
  match->arena = fl_arena_create(FL_LIMIT_CASE_ARENA);
  match->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  const bool has_room = match->plans && match->arena;
  const fl_status s = has_room ? start_sigma(match, err) : FL_OK;
  if (s != FL_OK) {
    fl_match_free(match);
    return s;
  }
  if (!match->plans || !match->known || !match->seen || !match->arena || !match->scratch) {
    fl_match_free(match);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the match");
  }
  *ret_match = match;
  return FL_OK;
}

void fl_match_free(fl_match *match) {
  if (!match) return;
  if (match->sigma) match->sigma->free(match->sigma_run);
  free(match->numbers);
  free(match->marks);
  fl_plan_table_free(match->plans);
  fl_arena_free(match->arena);
  fl_arena_free(match->scratch);
  free(match->known);
  free(match->seen);
  free(match->sightings);
  free(match->events);
  free(match);
}

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory while matching rows");
}

/* Constants and timeline values are UTF-8 already. */
static fl_str text_of(fl_match *match, fl_raw raw) {
  if (raw.type == FL_T_UTF8) return (fl_str){(const char *)raw.p, raw.n};
  return fl_raw_text(raw, match->scratch);
}

static bool is_constant(const fl_shape *shape) {
  return shape->cached && shape->columns[FL_C_PROVIDER].kind != FL_REF_SLOT &&
         shape->columns[FL_C_CHANNEL].kind != FL_REF_SLOT;
}

static size_t known_slot(const known *table, size_t n_slots, uint64_t serial, int64_t event_id) {
  size_t at = (size_t)fl_hash_mix(serial, (uint64_t)event_id) & (n_slots - 1);
  while (table[at].plan && (table[at].serial != serial || table[at].event_id != event_id))
    at = (at + 1) & (n_slots - 1);
  return at;
}

static bool grow_known(fl_match *match) {
  const size_t n_slots = match->n_slots * 2;
  known *table = calloc(n_slots, sizeof *table);
  if (!table) return false;
  for (size_t i = 0; i < match->n_slots; i++) {
    const known *old = &match->known[i];
    if (old->plan) table[known_slot(table, n_slots, old->serial, old->event_id)] = *old;
  }
  free(match->known);
  match->known = table;
  match->n_slots = n_slots;
  return true;
}

static fl_plan *find_plan(fl_match *match, const fl_batch *batch, const fl_row *row,
                          int64_t event_id) {
  fl_plan_key key = {.event_id = event_id};
  key.provider = text_of(match, fl_row_column(batch, row, FL_C_PROVIDER));
  key.channel = text_of(match, fl_row_column(batch, row, FL_C_CHANNEL));
  const bool has_fact = event_id >= 0 && event_id <= UINT32_MAX;
  const fl_event_fact *fact =
      has_fact ? fl_event_fact_find(key.provider, (uint32_t)event_id) : NULL;
  if (fact) key.kind = fl_str_of(fact->kind);
  return fl_plan_find(match->plans, &key);
}

/* The plan of a row: by shape and id where those decide, by text otherwise. NULL = no memory. */
static fl_plan *plan_of(fl_match *match, const fl_batch *batch, const fl_row *row) {
  uint64_t number = 0;
  const bool has_id = fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &number);
  const int64_t event_id = has_id && number <= INT64_MAX ? (int64_t)number : -1;
  if (!is_constant(row->shape)) return find_plan(match, batch, row, event_id);
  size_t slot = known_slot(match->known, match->n_slots, row->shape->serial, event_id);
  if (match->known[slot].plan) return match->known[slot].plan;
  fl_plan *plan = find_plan(match, batch, row, event_id);
  if (!plan || plan->is_passing || match->n_known >= FL_LIMIT_SHAPES) return plan;
  if ((match->n_known + 1) * 2 > match->n_slots) {
    if (!grow_known(match)) return NULL;
    slot = known_slot(match->known, match->n_slots, row->shape->serial, event_id);
  }
  match->known[slot] = (known){row->shape->serial, event_id, plan};
  match->n_known++;
  return plan;
}

static uint64_t hash_sighting(uint64_t plan_hash, fl_str host, uint32_t source) {
  return fl_hash_mix(fl_hash_bytes(host.p, host.n, plan_hash), source);
}

static bool is_sighting(const fl_sighting *s, const fl_plan *plan, fl_str host, uint32_t source) {
  return s->event_id == plan->event_id && s->source == source && fl_str_eq(s->host, host) &&
         fl_str_eq_nocase(s->provider, plan->provider) &&
         fl_str_eq_nocase(s->channel, plan->channel);
}

static bool grow_seen(fl_match *match) {
  const size_t n_slots = match->n_seen_slots * 2;
  uint32_t *table = calloc(n_slots, sizeof *table);
  if (!table) return false;
  for (size_t i = 0; i < match->n_sightings; i++) {
    const fl_sighting *s = &match->sightings[i];
    size_t at = (size_t)hash_sighting(s->hash, s->host, s->source) & (n_slots - 1);
    while (table[at]) at = (at + 1) & (n_slots - 1);
    table[at] = (uint32_t)i + 1;
  }
  free(match->seen);
  match->seen = table;
  match->n_seen_slots = n_slots;
  return true;
}

static fl_status add_sighting(fl_match *match, const fl_plan *plan, fl_str host, uint32_t source,
                              fl_err *err) {
  size_t at = (size_t)hash_sighting(plan->hash, host, source) & (match->n_seen_slots - 1);
  for (; match->seen[at]; at = (at + 1) & (match->n_seen_slots - 1))
    if (is_sighting(&match->sightings[match->seen[at] - 1], plan, host, source)) return FL_OK;
  if (match->n_sightings >= FL_LIMIT_SIGHTINGS) {
    match->n_dropped++;
    return FL_OK;
  }
  const fl_str kept = fl_arena_str(match->arena, host);
  if (!kept.p) {
    match->n_dropped++;
    return FL_OK;
  }
  if (!fl_grow((void **)&match->sightings, &match->cap_sightings, match->n_sightings + 1,
               sizeof *match->sightings))
    return no_memory(err);
  match->sightings[match->n_sightings++] =
      (fl_sighting){kept, plan->provider, plan->channel, plan->event_id, plan->hash, source};
  match->seen[at] = (uint32_t)match->n_sightings;
  return match->n_sightings * 2 > match->n_seen_slots && !grow_seen(match) ? no_memory(err) : FL_OK;
}

/* The same host as in the last row of this kind costs one comparison. */
static fl_status sight(fl_match *match, fl_plan *plan, fl_raw host, uint32_t source, fl_err *err) {
  if (plan->is_passing) return FL_OK;
  if (plan->n_host && host.n == plan->n_host && host.type == plan->host_type &&
      memcmp(host.p, plan->host, host.n) == 0)
    return FL_OK;
  plan->n_host = 0;
  if (host.n > 0 && host.n <= FL_PLAN_HOST_BYTES) {
    memcpy(plan->host, host.p, host.n);
    plan->n_host = (uint8_t)host.n;
    plan->host_type = host.type;
  }
  const fl_str text = text_of(match, host);
  const bool is_nobodys = text.n == 0 && fl_provider_is_state(plan->provider);
  return add_sighting(match, plan, text, is_nobodys ? source : UINT32_MAX, err);
}

/* Whose a state fact is may come out when all logs have been read. */
static bool may_come(const fl_path *path, const fl_event *event) {
  return path->column && path->column->offset == offsetof(fl_event, host) &&
         fl_provider_is_state(event->provider);
}

static bool has_captures(const fl_selector *selector, const fl_event *event) {
  for (size_t i = 0; i < selector->n_captures; i++) {
    if (!selector->captures[i].is_required || may_come(&selector->captures[i].path, event))
      continue;
    const fl_value value = fl_path_value(&selector->captures[i].path, event);
    if (value.kind == FL_V_NULL || (value.kind == FL_V_STR && value.as.text.n == 0)) return false;
  }
  return true;
}

static bool is_wanted(const fl_match *match, const fl_plan *plan, const fl_event *event) {
  const bool is_timeless = (event->flags & FL_F_TIME_INVALID) != 0;
  for (size_t i = 0; i < plan->n_refs; i++) {
    const fl_rule *rule = fl_rules_at(match->rules, plan->refs[i].rule);
    const fl_selector *selector = &rule->selectors[plan->refs[i].selector];
    if (is_timeless && !selector->is_anytime) continue;
    const fl_named_set set = {match->numbers, match->n_numbers};
    if (fl_selector_holds(selector, event, set) && has_captures(selector, event)) return true;
  }
  return false;
}

/* Decoding makes several copies of a value at worst; half an event would be worse than none. */
static bool has_room(const fl_arena *arena, const fl_row *row) {
  const size_t in_block = arena->at ? (size_t)(arena->end - arena->at) : 0;
  return arena->cap_bytes - arena->used_bytes + in_block >=
         ((size_t)64 << 10) + 16 * (size_t)row->length;
}

static fl_status mark_numbers(fl_match *match, const fl_event *event, fl_err *err) {
  for (size_t i = 0; i < match->n_numbers; i++) {
    if (!fl_grow((void **)&match->marks, &match->cap_marks, match->n_marks + 1,
                 sizeof *match->marks))
      return no_memory(err);
    match->marks[match->n_marks++] = (fl_named_mark){event, match->numbers[i]};
  }
  return FL_OK;
}

static fl_status keep_row(fl_match *match, const fl_batch *batch, const fl_row *row, fl_err *err) {
  if (!has_room(match->arena, row)) {
    match->n_dropped++;
    return FL_OK;
  }
  fl_event *event = FL_NEW(match->arena, fl_event);
  if (!event) return no_memory(err);
  FL_TRY(fl_event_build(batch, row, match->arena, event, err));
  if (!fl_grow((void **)&match->events, &match->cap_events, match->n_events + 1,
               sizeof *match->events))
    return no_memory(err);
  match->events[match->n_events++] = event;
  return mark_numbers(match, event, err);
}

/* The rules of the other engine that the row fits; rows come in order. */
static fl_status take_numbers(fl_match *match, uint32_t row, fl_err *err) {
  match->n_numbers = 0;
  while (match->at_sigma_hit < match->n_sigma_hits &&
         match->sigma_hits[match->at_sigma_hit].row <= row) {
    const fl_named_hit *hit = &match->sigma_hits[match->at_sigma_hit++];
    if (hit->row != row) continue;
    if (!fl_grow((void **)&match->numbers, &match->cap_numbers, match->n_numbers + 1,
                 sizeof *match->numbers))
      return no_memory(err);
    match->numbers[match->n_numbers++] = hit->number;
  }
  return FL_OK;
}

static fl_status match_row(fl_match *match, const fl_batch *batch, const fl_row *row, fl_err *err) {
  fl_plan *plan = plan_of(match, batch, row);
  if (!plan) return no_memory(err);
  FL_TRY(sight(match, plan, fl_row_column(batch, row, FL_C_HOST), batch->source, err));
  if (plan->n_refs == 0 && !plan->is_kept) return FL_OK;
  const bool has_no_time = (row->flags & (FL_F_TIME_INVALID | FL_F_FINDING)) == FL_F_TIME_INVALID;
  if (row->flags & FL_F_DUPLICATE) return FL_OK;
  if (has_no_time && !plan->has_anytime && !plan->is_state_kept) return FL_OK;
  if (has_no_time ? !plan->is_state_kept : !plan->is_certain) {
    fl_event event = {0};
    FL_TRY(fl_event_build(batch, row, match->scratch, &event, err));
    const bool is_hit = is_wanted(match, plan, &event);
    fl_arena_reset(match->scratch);
    if (!is_hit) return FL_OK;
  }
  return keep_row(match, batch, row, err);
}

fl_status fl_match_batch(fl_match *match, const fl_batch *batch, fl_err *err) {
  match->n_sigma_hits = match->at_sigma_hit = 0;
  if (match->sigma)
    FL_TRY(match->sigma->batch(match->sigma_run, batch, &match->sigma_hits, &match->n_sigma_hits,
                               err));
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    if (i % 256 == 0) fl_arena_reset(match->scratch);
    if (match->sigma) FL_TRY(take_numbers(match, i, err));
    FL_TRY(match_row(match, batch, &batch->rows[i], err));
  }
  return FL_OK;
}

void fl_match_give_hosts(fl_match *match, fl_str (*host_of)(void *self, uint32_t source),
                         void *self) {
  for (size_t i = 0; i < match->n_events; i++) {
    fl_event *event = match->events[i];
    if (event->host.n == 0 && fl_provider_is_state(event->provider))
      event->host = host_of(self, event->source);
  }
  for (size_t i = 0; i < match->n_sightings; i++) {
    fl_sighting *s = &match->sightings[i];
    if (s->source != UINT32_MAX) s->host = host_of(self, s->source);
  }
}

const fl_event *const *fl_match_events(const fl_match *match, size_t *ret_n) {
  *ret_n = match->n_events;
  return (const fl_event *const *)match->events;
}

uint64_t fl_match_dropped(const fl_match *match) { return match->n_dropped; }

const fl_sighting *fl_match_sightings(const fl_match *match, size_t *ret_n) {
  *ret_n = match->n_sightings;
  return match->sightings;
}

static int by_event(const void *a, const void *b) {
  const fl_named_mark *x = a, *y = b;
  const uintptr_t p = (uintptr_t)x->event, q = (uintptr_t)y->event;
  if (p != q) return p < q ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

const fl_named_mark *fl_match_marks(fl_match *match, size_t *ret_n) {
  if (match->n_marks) qsort(match->marks, match->n_marks, sizeof *match->marks, by_event);
  *ret_n = match->n_marks;
  return match->marks;
}
