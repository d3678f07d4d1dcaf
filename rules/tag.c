/* tag.c - collects which rules matched which records, in sixteen bytes each. */
#include "rules/tag.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

struct fl_tagger {
  fl_str *names; /* of all rules, engine by engine */
  uint32_t first[FL_N_RULE_ENGINES];
  fl_tag *items;
  size_t cap;
  uint64_t n_dropped;
  fl_tags tags;
};

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the rules of records");
}

fl_status fl_tagger_create(const fl_rules *rules, fl_tagger **ret_tagger, fl_err *err) {
  fl_tagger *tagger = calloc(1, sizeof *tagger);
  if (!tagger) return no_memory(err);
  size_t n = 0;
  for (int engine = 0; engine < FL_N_RULE_ENGINES; engine++) {
    tagger->first[engine] = (uint32_t)n;
    n += fl_rules_engine_count(rules, (fl_rule_engine)engine);
  }
  tagger->names = calloc(n + 1, sizeof *tagger->names);
  if (!tagger->names) {
    fl_tagger_free(tagger);
    return no_memory(err);
  }
  for (int engine = 0; engine < FL_N_RULE_ENGINES; engine++) {
    const size_t n_rules = fl_rules_engine_count(rules, (fl_rule_engine)engine);
    for (size_t i = 0; i < n_rules; i++)
      tagger->names[tagger->first[engine] + i] =
          fl_str_of(fl_rules_engine_info(rules, (fl_rule_engine)engine, i).name);
  }
  *ret_tagger = tagger;
  return FL_OK;
}

void fl_tagger_free(fl_tagger *tagger) {
  if (!tagger) return;
  free(tagger->names);
  free(tagger->items);
  free(tagger);
}

static int compare(const void *left, const void *right) {
  const fl_tag *a = left, *b = right;
  if (a->source != b->source) return a->source < b->source ? -1 : 1;
  if (a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
  return (a->name > b->name) - (a->name < b->name);
}

/* Rules that match the same record many times leave it once. */
static void sort(fl_tagger *tagger) {
  size_t n = 0;
  if (tagger->tags.n > 1) qsort(tagger->items, tagger->tags.n, sizeof *tagger->items, compare);
  for (size_t i = 0; i < tagger->tags.n; i++)
    if (n == 0 || compare(&tagger->items[n - 1], &tagger->items[i]) != 0)
      tagger->items[n++] = tagger->items[i];
  tagger->tags.n = n;
}

fl_status fl_tagger_add(fl_tagger *tagger, const fl_hit *hit, fl_err *err) {
  for (size_t i = 0; i < hit->n_events; i++) {
    if (hit->events[i].flags & FL_F_FINDING)
      continue; /* it stands for a record, with its own seq */
    if (tagger->tags.n >= FL_LIMIT_TAGS) {
      tagger->n_dropped += hit->n_events - i;
      return FL_OK;
    }
    if (!fl_grow((void **)&tagger->items, &tagger->cap, tagger->tags.n + 1, sizeof *tagger->items))
      return no_memory(err);
    tagger->items[tagger->tags.n++] = (fl_tag){.source = hit->events[i].source,
                                               .name = tagger->first[hit->engine] + hit->rule,
                                               .seq = hit->events[i].seq};
  }
  return FL_OK;
}

void fl_tagger_finish(fl_tagger *tagger) {
  sort(tagger);
  tagger->tags.items = tagger->items;
  tagger->tags.names = tagger->names;
}

const fl_tags *fl_tagger_tags(const fl_tagger *tagger) { return &tagger->tags; }
uint64_t fl_tagger_dropped(const fl_tagger *tagger) { return tagger->n_dropped; }
