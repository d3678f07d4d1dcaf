/* sigma_group.c - groups of rules: which literals they wait for, and who waits for which. */
#include "rules/sigma_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"

/* A rule that waits for a predicate; NOBODY: it is looked for because its field is read anyway. */
enum { NOBODY = UINT32_MAX };
typedef struct wait {
  uint32_t field, pred, rule;
} wait;

typedef struct maker {
  fl_sigma_run *run;
  fl_arena *arena;
  fl_sigma_group *group;
  wait *waits; /* by field, predicate, rule */
  size_t n, cap;
} maker;

static int by_field(const void *a, const void *b) {
  const wait *x = a;
  const wait *y = b;
  if (x->field != y->field) return x->field < y->field ? -1 : 1;
  if (x->pred != y->pred) return x->pred < y->pred ? -1 : 1;
  return (x->rule > y->rule) - (x->rule < y->rule);
}

static bool add_wait(maker *m, uint32_t pred, uint32_t rule) {
  if (!fl_grow((void **)&m->waits, &m->cap, m->n + 1, sizeof *m->waits)) return false;
  m->waits[m->n++] = (wait){m->run->preds[pred].field, pred, rule};
  return true;
}

/* A text that is scanned answers for all literals at once; asking one by one costs more. */
static bool add_others(maker *m) {
  const fl_sigma_run *run = m->run;
  bool *is_read = FL_NEW_ARRAY(run->scratch, bool, run->n_fields);
  bool *is_there = FL_NEW_ARRAY(run->scratch, bool, run->n_preds);
  if (!is_read || !is_there) return false;
  for (size_t i = 0; i < m->n; i++) is_read[m->waits[i].field] = true;
  for (size_t r = 0; r < run->n_queue; r++) {
    const fl_sigma_rule *rule = run->rules[run->queue[r]];
    for (uint32_t i = 0; i < rule->n_code; i++) {
      const uint32_t pred = fl_sigma_word_arg(rule->code[i]);
      if (fl_sigma_word_kind(rule->code[i]) != FL_SIGMA_PRED || is_there[pred]) continue;
      const fl_sigma_pred *p = &run->preds[pred];
      is_there[pred] = true;
      if (!is_read[p->field]) continue;
      if (fl_sigma_pred_is_literal(p) && !add_wait(m, pred, NOBODY)) return false;
      if (p->needle != UINT32_MAX && !add_wait(m, p->needle, NOBODY)) return false;
    }
  }
  return true;
}

static bool list_rules(maker *m) {
  const fl_sigma_run *run = m->run;
  uint32_t *rules = FL_NEW_ARRAY(m->arena, uint32_t, run->n_queue);
  uint32_t *always = FL_NEW_ARRAY(m->arena, uint32_t, run->n_queue);
  if (!rules || !always) return false;
  m->group->rules = rules;
  m->group->always = always;
  m->group->n_rules = run->n_queue;
  for (size_t i = 0; i < run->n_queue; i++) {
    const uint32_t at = run->queue[i];
    const fl_sigma_rule *rule = run->rules[at];
    rules[i] = at;
    if (rule->n_witness == 0) always[m->group->n_always++] = at;
    for (uint32_t k = 0; k < rule->n_witness; k++)
      if (!add_wait(m, rule->witness[k], at)) return false;
  }
  if (!add_others(m)) return false;
  if (m->n) qsort(m->waits, m->n, sizeof *m->waits, by_field);
  return true;
}

/* Literals in the order of the waits, with the rules of each. */
static bool list_literals(maker *m, fl_sigma_literal *literals) {
  const fl_sigma_pred *all = m->run->preds;
  uint32_t *preds = FL_NEW_ARRAY(m->arena, uint32_t, m->n);
  uint32_t *starts = FL_NEW_ARRAY(m->arena, uint32_t, m->n + 1);
  uint32_t *waiting = FL_NEW_ARRAY(m->arena, uint32_t, m->n);
  uint64_t *bits = FL_NEW_ARRAY(m->arena, uint64_t, m->run->n_preds / 64 + 1);
  size_t n = 0, n_waiting = 0;
  if (!preds || !starts || !waiting || !bits) return false;
  for (size_t i = 0; i < m->n; i++) {
    const uint32_t pred = m->waits[i].pred;
    if (n == 0 || preds[n - 1] != pred) {
      starts[n] = (uint32_t)n_waiting;
      preds[n] = pred;
      bits[pred >> 6] |= UINT64_C(1) << (pred & 63);
      literals[n] = (fl_sigma_literal){all[pred].text, (uint32_t)n, all[pred].op};
      n++;
    } else if (n_waiting && waiting[n_waiting - 1] == m->waits[i].rule) {
      continue; /* twice in one condition */
    }
    if (m->waits[i].rule != NOBODY) waiting[n_waiting++] = m->waits[i].rule;
  }
  starts[n] = (uint32_t)n_waiting;
  m->group->preds = preds;
  m->group->n_literals = n;
  m->group->starts = starts;
  m->group->waiting = waiting;
  m->group->is_scanned = bits;
  return true;
}

static bool make_scans(maker *m, const fl_sigma_literal *literals) {
  const fl_sigma_pred *all = m->run->preds;
  fl_sigma_group *group = m->group;
  fl_sigma_field_scan *scans = FL_NEW_ARRAY(m->arena, fl_sigma_field_scan, m->run->n_fields);
  if (!scans) return false;
  for (size_t start = 0, end; start < group->n_literals; start = end) {
    const uint32_t field = all[group->preds[start]].field;
    for (end = start + 1; end < group->n_literals && all[group->preds[end]].field == field;) end++;
    const fl_sigma_scan *scan = fl_sigma_scan_create(literals + start, end - start, m->arena);
    if (!scan) return false;
    scans[group->n_scans++] = (fl_sigma_field_scan){field, scan};
  }
  group->scans = scans;
  return true;
}

static bool make_group(maker *m) {
  if (!list_rules(m)) return false;
  fl_sigma_literal *literals = FL_NEW_ARRAY(m->arena, fl_sigma_literal, m->n);
  return literals && list_literals(m, literals) && make_scans(m, literals);
}

const fl_sigma_group *fl_sigma_group_find(fl_sigma_groups *groups, fl_sigma_run *run,
                                          fl_arena *arena) {
  const size_t n_bytes = run->n_queue * sizeof *run->queue;
  const uint64_t hash = fl_hash_bytes(run->queue, n_bytes, run->n_queue);
  for (size_t i = 0; i < groups->n; i++) {
    const fl_sigma_group *known = groups->items[i];
    if (known->hash == hash && known->n_rules == run->n_queue &&
        (n_bytes == 0 || memcmp(known->rules, run->queue, n_bytes) == 0))
      return known;
  }
  maker m = {.run = run, .arena = arena, .group = FL_NEW(arena, fl_sigma_group)};
  const bool is_made = m.group && make_group(&m);
  free(m.waits);
  if (!is_made ||
      !fl_grow((void **)&groups->items, &groups->cap, groups->n + 1, sizeof(*groups->items)))
    return NULL;
  m.group->hash = hash;
  groups->items[groups->n++] = m.group;
  return m.group;
}
