/* sigma_gather.c - events that feed correlations, with the values that group and count them. */
#include "rules/sigma_gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/sigma_time.h"

struct fl_sigma_words {
  fl_arena *arena;
  fl_str *items;
  size_t n, cap;
  uint32_t *slots; /* index + 1 */
  size_t n_slots;
};

fl_sigma_words *fl_sigma_words_create(void) {
  fl_sigma_words *words = calloc(1, sizeof *words);
  if (!words) return NULL;
  words->n_slots = 1024;
  words->arena = fl_arena_create(FL_LIMIT_SIGMA_WORDS);
  words->slots = calloc(words->n_slots, sizeof *words->slots);
  if (words->arena && words->slots) return words;
  fl_sigma_words_free(words);
  return NULL;
}

void fl_sigma_words_free(fl_sigma_words *words) {
  if (!words) return;
  fl_arena_free(words->arena);
  free(words->items);
  free(words->slots);
  free(words);
}

static bool grow_slots(fl_sigma_words *words) {
  const size_t n_slots = words->n_slots * 2;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < words->n; i++) {
    size_t at = (size_t)fl_hash_bytes(words->items[i].p, words->items[i].n, 0) & (n_slots - 1);
    while (slots[at]) at = (at + 1) & (n_slots - 1);
    slots[at] = (uint32_t)i + 1;
  }
  free(words->slots);
  words->slots = slots;
  words->n_slots = n_slots;
  return true;
}

uint32_t fl_sigma_words_put(fl_sigma_words *words, fl_str text) {
  if (words->n * 2 >= words->n_slots && !grow_slots(words)) return FL_SIGMA_NOTHING;
  const size_t mask = words->n_slots - 1;
  size_t at = (size_t)fl_hash_bytes(text.p, text.n, 0) & mask;
  for (; words->slots[at]; at = (at + 1) & mask)
    if (fl_str_eq(words->items[words->slots[at] - 1], text)) return words->slots[at] - 1;
  if (!fl_grow((void **)&words->items, &words->cap, words->n + 1, sizeof *words->items))
    return FL_SIGMA_NOTHING;
  words->items[words->n] = fl_arena_str(words->arena, text);
  if (!words->items[words->n].p) return FL_SIGMA_NOTHING;
  words->slots[at] = (uint32_t)++words->n;
  return (uint32_t)words->n - 1;
}

fl_str fl_sigma_words_get(const fl_sigma_words *words, uint32_t word) {
  return word < words->n ? words->items[word] : FL_STR("");
}
size_t fl_sigma_words_count(const fl_sigma_words *words) { return words->n; }

fl_sigma_gather *fl_sigma_gather_create(void) {
  fl_sigma_gather *gather = calloc(1, sizeof *gather);
  if (!gather) return NULL;
  gather->most_seen = FL_LIMIT_SIGMA_SEEN;
  gather->most_given = FL_LIMIT_SIGMA_GIVEN;
  gather->most_memory = FL_LIMIT_SIGMA_MEMORY;
  gather->words = fl_sigma_words_create();
  gather->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (gather->words && gather->arena) return gather;
  fl_sigma_gather_free(gather);
  return NULL;
}

void fl_sigma_gather_free(fl_sigma_gather *gather) {
  if (!gather) return;
  fl_sigma_words_free(gather->words);
  fl_arena_free(gather->arena);
  fl_vast_done(&gather->seen);
  fl_vast_done(&gather->given);
  free(gather->names);
  free(gather);
}

bool fl_sigma_gather_source(fl_sigma_gather *gather, const fl_source_info *source) {
  const fl_str name = fl_arena_str(gather->arena, source->name);
  if (!name.p || !fl_grow_zeroed((void **)&gather->names, &gather->cap_names,
                                 (size_t)source->id + 1, sizeof *gather->names))
    return false;
  gather->names[source->id] = name;
  if (source->id >= gather->n_names) gather->n_names = (size_t)source->id + 1;
  return true;
}

/* The first value that is there. */
static fl_sigma_item *first_item(fl_sigma_run *run, uint32_t field) {
  const fl_sigma_field_values *v = fl_sigma_values_at(run, field);
  for (size_t i = 0; i < v->n_items; i++)
    if (!v->items[i].is_null) return &v->items[i];
  return NULL;
}

/* A text that finds no room any more leaves its event out of a group: that is counted. */
static uint32_t put_word(fl_sigma_gather *gather, fl_str text) {
  const uint32_t word = fl_sigma_words_put(gather->words, text);
  gather->n_dropped += word == FL_SIGMA_NOTHING;
  return word;
}

/* Several values as one word: their numbers side by side. An event that lacks one has none. */
static uint32_t word_of(fl_sigma_run *run, const uint32_t *fields, size_t n) {
  uint32_t parts[FL_SIGMA_MAX_KEYS];
  for (size_t i = 0; i < n; i++) {
    fl_sigma_item *item = first_item(run, fields[i]);
    if (!item) return FL_SIGMA_NOTHING;
    parts[i] = put_word(run->gather, fl_sigma_item_folded(run, item));
    if (parts[i] == FL_SIGMA_NOTHING) return FL_SIGMA_NOTHING;
  }
  return n == 1 ? parts[0]
                : put_word(run->gather, (fl_str){(const char *)parts, n * sizeof *parts});
}

static double number_of(fl_sigma_run *run, uint32_t field, bool *ret_is_there) {
  fl_sigma_item *item = first_item(run, field);
  fl_sigma_number number;
  *ret_is_there = item && fl_sigma_number_of(fl_sigma_item_text(run, item), &number);
  return *ret_is_there ? number.real : 0;
}

static fl_sigma_given give(fl_sigma_run *run, const fl_sigma_feed *feed) {
  const fl_sigma_correlation *c = run->rules[feed->correlation]->correlation;
  fl_sigma_given given = {.key = word_of(run, feed->keys, feed->n_keys), .value = FL_SIGMA_NOTHING};
  bool is_there = false;
  if (feed->n_fields == 0) return given;
  if (c->type == FL_SIGMA_VALUE_COUNT) {
    given.value = word_of(run, feed->fields, feed->n_fields);
    return given;
  }
  given.number = number_of(run, feed->fields[0], &is_there);
  given.value = is_there ? 0 : FL_SIGMA_NOTHING;
  return given;
}

/* Room for one more event and what it gives. */
static bool has_room(fl_sigma_gather *g, size_t n_feeds) {
  const size_t n_seen = g->n_seen + 1, n_given = g->n_given + n_feeds;
  return n_seen <= g->most_seen && n_given <= g->most_given &&
         fl_vast_grow(&g->seen, n_seen * sizeof(fl_sigma_seen), g->most_memory) &&
         fl_vast_grow(&g->given, n_given * sizeof(fl_sigma_given), g->most_memory);
}

void fl_sigma_gather_event(fl_sigma_run *run, uint32_t at) {
  fl_sigma_gather *g = run->gather;
  const fl_sigma_rule *rule = run->rules[at];
  if (run->row->flags & FL_F_TIME_INVALID) return; /* it is at no time */
  if (!has_room(g, rule->n_feeds)) {
    g->n_dropped++;
    return;
  }
  *fl_sigma_seen_at(g, g->n_seen++) = (fl_sigma_seen){
      .event = fl_hits_event_of(run->batch, run->row), .rule = at, .first = (uint32_t)g->n_given};
  for (size_t i = 0; i < rule->n_feeds; i++)
    *fl_sigma_given_at(g, g->n_given++) = give(run, &rule->feeds[i]);
}
