/* sigma_named.c - Sigma rules as sources of sequences: sigma("id or name"). */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/engine.h"
#include "rules/named.h"
#include "rules/sigma.h"

static const fl_engine_kind *const kind = &fl_engine_sigma;

/* A run over the rules that are asked for; it hears hits row by row. */
typedef struct listener {
  fl_hits *ear;
  fl_engine_run run;
  const char **names; /* of the rules asked for */
  const uint32_t *numbers;
  size_t n_names;
  fl_arena *arena;
  const fl_batch *batch;
  fl_named_hit *hits; /* of the batch at hand */
  size_t n, cap;
} listener;

/* By id, name or title; the first in the order of loading. A correlation is not one event. */
static bool find(const void *set, fl_str name, uint32_t *ret_number) {
  size_t n = 0;
  const fl_sigma_rule *const *rules = fl_sigma_rules(set, &n);
  for (size_t i = 0; i < n; i++) {
    *ret_number = (uint32_t)i;
    if (!rules[i]->expr) continue;
    if (fl_str_eq_nocase(name, rules[i]->id) || fl_str_eq_nocase(name, rules[i]->name) ||
        fl_str_eq_nocase(name, rules[i]->title))
      return true;
  }
  return false;
}

static bool wants(void *self, const fl_rule_info *info) {
  const listener *l = self;
  for (size_t i = 0; i < l->n_names; i++)
    if (strcmp(l->names[i], info->name) == 0) return true;
  return false;
}

static bool is_asked(const listener *l, uint32_t number) {
  for (size_t i = 0; i < l->n_names; i++)
    if (l->numbers[i] == number) return true;
  return false;
}

/* What hangs on several events is no row. */
static fl_status take(void *self, const fl_hit *hit, const fl_row *row, fl_err *err) {
  listener *l = self;
  if (!row || !l->batch || !is_asked(l, hit->rule)) return FL_OK;
  if (!fl_grow((void **)&l->hits, &l->cap, l->n + 1, sizeof *l->hits))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for hits");
  l->hits[l->n++] = (fl_named_hit){(uint32_t)(row - l->batch->rows), hit->rule};
  return FL_OK;
}

static void free_run(void *self) {
  listener *l = self;
  if (!l) return;
  if (l->run.free) l->run.free(l->run.self);
  fl_hits_free(l->ear);
  fl_arena_free(l->arena);
  free(l->hits);
  free(l);
}

static fl_status ask(listener *l, const void *set, const uint32_t *numbers, size_t n, fl_err *err) {
  static const fl_hunt_options options = {0};
  const fl_hits_ear ear = {.self = l, .wants = wants, .take = take};
  uint32_t *copy = FL_NEW_ARRAY(l->arena, uint32_t, n);
  l->names = FL_NEW_ARRAY(l->arena, const char *, n);
  if (!copy || !l->names) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  if (n) memcpy(copy, numbers, n * sizeof *copy);
  l->numbers = copy;
  l->n_names = n;
  for (size_t i = 0; i < n; i++) l->names[i] = kind->info(set, numbers[i]).name;
  FL_TRY(fl_hits_create_ear(&ear, &l->ear, err));
  return kind->start(set, &options, l->ear, &l->run, err);
}

static fl_status start(const void *set, const uint32_t *numbers, size_t n, void **ret_run,
                       fl_err *err) {
  listener *l = calloc(1, sizeof *l);
  if (l) l->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  const fl_status s = l && l->arena ? ask(l, set, numbers, n, err)
                                    : fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  if (s != FL_OK) free_run(l);
  else *ret_run = l;
  return s;
}

static int by_row(const void *a, const void *b) {
  const fl_named_hit *x = a, *y = b;
  if (x->row != y->row) return x->row < y->row ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

static fl_status take_batch(void *self, const fl_batch *batch, const fl_named_hit **ret_hits,
                            size_t *ret_n, fl_err *err) {
  listener *l = self;
  l->batch = batch;
  l->n = 0;
  if (l->run.sink.batch) FL_TRY(l->run.sink.batch(l->run.sink.self, batch, err));
  if (l->n) qsort(l->hits, l->n, sizeof *l->hits, by_row);
  *ret_hits = l->hits;
  *ret_n = l->n;
  return FL_OK;
}

fl_named_engine fl_named_by_sigma(const void *set) {
  return (fl_named_engine){set, find, start, take_batch, free_run};
}
