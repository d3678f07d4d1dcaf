/* sigma_correlate.c - correlations over what was gathered: groups in order of time, chains,
 * findings. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/sigma_window.h"

/* A correlation that held. */
typedef struct result {
  uint32_t rule;
  uint32_t last; /* the event at which it was complete, in seen */
  fl_time t;
  const uint32_t *seen; /* its events */
  uint32_t n_seen;
} result;

typedef struct correlator {
  fl_sigma_run *run;
  const fl_sigma_gather *g;
  fl_arena *arena;
  uint32_t *ranks;  /* of sources, by name */
  uint32_t *starts; /* events of each rule, in `by_rule` */
  fl_vast by_rule;
  result *results;
  size_t n_results, cap_results;
  fl_vast items; /* of the correlation at hand */
  size_t n_items;
  fl_hit_event *events; /* of one hit */
  fl_sigma_windows windows;
  uint32_t rule; /* the correlation at hand */
  uint64_t n_dropped;
} correlator;

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for correlations");
}

static int by_name(const void *a, const void *b, void *context) {
  const fl_sigma_gather *g = context;
  return fl_str_cmp(g->names[*(const uint32_t *)a], g->names[*(const uint32_t *)b]);
}

static bool rank_sources(correlator *k) {
  const size_t n = k->g->n_names;
  uint32_t *order = FL_NEW_ARRAY(k->arena, uint32_t, n);
  k->ranks = FL_NEW_ARRAY(k->arena, uint32_t, n);
  if (!order || !k->ranks) return false;
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  qsort_r(order, n, sizeof *order, by_name, (void *)k->g);
  for (uint32_t i = 0; i < n; i++) k->ranks[order[i]] = i;
  return true;
}

static const fl_sigma_link_item *items_of(const correlator *k) { return k->items.items; }

static void put_aside(void *self) {
  const correlator *k = self;
  fl_vast_put_aside(&k->items);
  fl_vast_put_aside(&k->by_rule);
  fl_vast_put_aside(&k->g->seen);
  fl_vast_put_aside(&k->g->given);
}

static void pass(correlator *k, size_t at) { fl_sigma_windows_pass(&k->windows, at); }

/* Sorts the events by rule, once for all correlations. */
static bool index_seen(correlator *k) {
  const fl_sigma_gather *g = k->g;
  k->starts = FL_NEW_ARRAY(k->arena, uint32_t, k->run->n_rules + 2);
  if (!k->starts || !fl_vast_grow(&k->by_rule, g->n_seen * sizeof(uint32_t), g->most_memory))
    return false;
  uint32_t *by_rule = k->by_rule.items;
  for (size_t i = 0; i < g->n_seen; pass(k, i++)) k->starts[fl_sigma_seen_at(g, i)->rule + 2]++;
  for (size_t i = 2; i < k->run->n_rules + 2; i++) k->starts[i] += k->starts[i - 1];
  for (uint32_t i = 0; i < g->n_seen; pass(k, i++))
    by_rule[k->starts[fl_sigma_seen_at(g, i)->rule + 1]++] = i;
  return true;
}

/* What an event gives to a reference of the correlation at hand; NULL = it does not feed it. */
static const fl_sigma_given *given_by(const correlator *k, uint32_t seen, uint32_t ref) {
  const fl_sigma_seen *s = fl_sigma_seen_at(k->g, seen);
  const fl_sigma_rule *rule = k->run->rules[s->rule];
  for (size_t i = 0; i < rule->n_feeds; i++)
    if (rule->feeds[i].correlation == k->rule && rule->feeds[i].ref == ref)
      return fl_sigma_given_at(k->g, s->first + i);
  return NULL;
}

static void add_item(correlator *k, fl_time t, uint32_t seen, uint32_t which, uint32_t ref) {
  const fl_sigma_given *given = given_by(k, seen, ref);
  const fl_sigma_correlation *c = k->windows.c;
  if (!given || given->key == FL_SIGMA_NOTHING) return;
  if (c->n_fields && given->value == FL_SIGMA_NOTHING) return;
  if (!fl_vast_grow(&k->items, (k->n_items + 1) * sizeof(fl_sigma_link_item), k->g->most_memory)) {
    k->n_dropped++;
    return;
  }
  const fl_hit_event *event = &fl_sigma_seen_at(k->g, seen)->event;
  ((fl_sigma_link_item *)k->items.items)[k->n_items++] =
      (fl_sigma_link_item){.key = given->key,
                           .ref = ref,
                           .t = t,
                           .seen = seen,
                           .result = which,
                           .value = given->value,
                           .number = given->number,
                           .rank = event->source < k->g->n_names ? k->ranks[event->source] : 0,
                           .seq = event->seq};
}

/* Events of base rules, and results of correlations, that the one at hand refers to. */
static void collect(correlator *k) {
  const fl_sigma_correlation *c = k->windows.c;
  k->n_items = 0;
  for (uint32_t ref = 0; ref < c->n_refs; ref++) {
    const uint32_t rule = c->refs[ref].rule;
    for (uint32_t i = k->starts[rule]; i < k->starts[rule + 1]; i++) {
      const uint32_t seen = ((const uint32_t *)k->by_rule.items)[i];
      pass(k, i);
      add_item(k, fl_sigma_seen_at(k->g, seen)->event.t, seen, FL_SIGMA_NOTHING, ref);
    }
    for (uint32_t i = 0; i < k->n_results; i++)
      if (k->results[i].rule == rule) add_item(k, k->results[i].t, k->results[i].last, i, ref);
  }
}

/* The events of a span; of results their own. No more than FL_LIMIT_SEQUENCE_KEPT. False = there is
 * no room for them. */
static bool list_seen(correlator *k, const fl_sigma_span *span, result *r) {
  const size_t n = span->n_chosen ? span->n_chosen : span->last - span->first + 1;
  uint32_t *seen = NULL;
  size_t n_seen = 0;
  for (int pass = 0; pass < 2; pass++) {
    if (pass && !(seen = FL_NEW_ARRAY(k->arena, uint32_t, n_seen))) return false;
    n_seen = 0;
    for (size_t i = 0; i < n && n_seen < FL_LIMIT_SEQUENCE_KEPT; i++) {
      const fl_sigma_link_item *item =
          &k->windows.items[span->n_chosen ? span->chosen[i] : span->first + i];
      const result *inner = item->result == FL_SIGMA_NOTHING ? NULL : &k->results[item->result];
      const uint32_t *from = inner ? inner->seen : &item->seen;
      const size_t n_from = inner ? inner->n_seen : 1;
      for (size_t j = 0; j < n_from && n_seen < FL_LIMIT_SEQUENCE_KEPT; j++, n_seen++)
        if (seen) seen[n_seen] = from[j];
    }
  }
  r->seen = seen;
  r->n_seen = (uint32_t)n_seen;
  return true;
}

/* "12 events in 3 min, TargetUserName = alice": fields as the rule names them. */
static fl_str describe(const correlator *k, const fl_sigma_span *span, fl_arena *arena) {
  const fl_sigma_correlation *c = k->windows.c;
  const fl_sigma_link_item *items = k->windows.items;
  const size_t n = span->n_chosen ? span->n_chosen : span->last - span->first + 1;
  const fl_str took = fl_duration_text(items[span->last].t - items[span->first].t, arena);
  fl_str text = fl_arena_printf(arena, "%s: %zu event%s in %.*s", k->run->rules[k->rule]->title.p,
                                n, n == 1 ? "" : "s", FL_STR_ARG(took));
  const fl_str key = fl_sigma_words_get(k->g->words, items[span->first].key);
  for (size_t i = 0; i < c->n_keys && text.p; i++) {
    uint32_t word = items[span->first].key;
    if (c->n_keys > 1 && key.n >= (i + 1) * sizeof word)
      memcpy(&word, key.p + i * sizeof word, sizeof word);
    const fl_str value = fl_sigma_words_get(k->g->words, word);
    const size_t n_value = value.n < 80 ? value.n : 80;
    text = fl_arena_printf(arena, "%.*s, %.*s = %.*s", FL_STR_ARG(text), FL_STR_ARG(c->keys[i]),
                           (int)n_value, value.p);
  }
  return text;
}

static fl_status give_hit(correlator *k, const fl_sigma_span *span, const result *r, fl_err *err) {
  const fl_sigma_rule *rule = k->run->rules[k->rule];
  if (rule->is_silent || !fl_hits_wants(k->run->hits, &rule->info)) return FL_OK;
  fl_arena_reset(k->run->scratch);
  for (uint32_t i = 0; i < r->n_seen; i++) k->events[i] = fl_sigma_seen_at(k->g, r->seen[i])->event;
  const fl_hit hit = {.engine = FL_BY_SIGMA,
                      .rule = k->rule,
                      .t = r->t,
                      .events = k->events,
                      .n_events = r->n_seen,
                      .text = describe(k, span, k->run->scratch)};
  return fl_hits_add(k->run->hits, &hit, NULL, NULL, err);
}

static fl_status take_span(void *self, const fl_sigma_span *span, fl_err *err) {
  correlator *k = self;
  const fl_sigma_link_item *at = &k->windows.items[span->at];
  result r = {.rule = k->rule, .last = at->seen, .t = at->t};
  if (k->n_results >= FL_LIMIT_SIGMA_RESULTS || !list_seen(k, span, &r)) {
    k->n_dropped++;
    return FL_OK;
  }
  if (!fl_grow((void **)&k->results, &k->cap_results, k->n_results + 1, sizeof *k->results))
    return no_memory(err);
  k->results[k->n_results++] = r;
  return give_hit(k, span, &r, err);
}

static fl_status find_in_groups(correlator *k, fl_err *err) {
  fl_sigma_windows *w = &k->windows;
  const fl_sigma_link_item *items = items_of(k);
  for (size_t first = 0, end; first < k->n_items; first = end) {
    for (end = first; end < k->n_items && items[end].key == items[first].key;) pass(k, end++);
    w->items = items + first;
    w->n = end - first;
    FL_TRY(fl_sigma_windows_find(w, err));
  }
  return FL_OK;
}

static fl_status correlate(correlator *k, uint32_t rule, fl_err *err) {
  k->rule = rule;
  k->windows.c = k->run->rules[rule]->correlation;
  k->windows.was_cut = false;
  collect(k);
  if (k->n_items == 0) return FL_OK;
  FL_TRY(fl_sigma_items_sort(&k->items, k->n_items, k->g->most_memory, err));
  FL_TRY(find_in_groups(k, err));
  if (!k->windows.was_cut) return FL_OK;
  return fl_hits_note(k->run->hits, err,
                      "correlation %s: more than %d events in one timespan, not all of them were "
                      "looked at",
                      k->run->rules[rule]->info.name, FL_LIMIT_SIGMA_SCAN);
}

static fl_status run_all(correlator *k, fl_err *err) {
  size_t n = 0;
  const uint32_t *order = fl_sigma_order(k->run->set, &n);
  for (size_t i = 0; i < n; i++) FL_TRY(correlate(k, order[i], err));
  const uint64_t n_dropped = k->g->n_dropped + k->n_dropped;
  if (n_dropped == 0) return FL_OK;
  return fl_hits_note(k->run->hits, err,
                      "%llu events or findings were left out of correlations: there is room for "
                      "%zu events, and for the values that group them",
                      (unsigned long long)n_dropped, k->g->most_seen);
}

fl_status fl_sigma_correlate(fl_sigma_run *run, fl_err *err) {
  correlator k = {.run = run, .g = run->gather};
  k.arena = fl_arena_create(FL_LIMIT_HITS_ARENA);
  k.events = calloc(FL_LIMIT_SEQUENCE_KEPT, sizeof *k.events);
  k.windows = (fl_sigma_windows){.give = take_span, .put_aside = put_aside, .self = &k};
  k.windows.counts = calloc(fl_sigma_words_count(run->gather->words) + 1, sizeof(uint32_t));
  const bool has_room =
      k.arena && k.events && k.windows.counts && rank_sources(&k) && index_seen(&k);
  const fl_status s = has_room ? run_all(&k, err) : no_memory(err);
  fl_arena_free(k.arena);
  free(k.events);
  free(k.windows.counts);
  free(k.results);
  free(k.windows.numbers);
  fl_vast_done(&k.items);
  fl_vast_done(&k.by_rule);
  return s;
}
