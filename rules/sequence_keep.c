/* sequence_keep.c - findings while a run goes on: of each rule the newest, shelf by shelf. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/sequence_run.h"

static size_t cap_of(const fl_run *run) {
  return run->in.part == FL_RULES_NOISE ? FL_LIMIT_SEQUENCE_RUNS : FL_LIMIT_SEQUENCE_FINDINGS;
}

static size_t count(const fl_rule_run *of) {
  size_t n = 0;
  for (size_t i = 0; i < of->n_shelves; i++) n += of->shelves[i].n;
  return n;
}

bool fl_keep_is_full(const fl_run *run, size_t rule) {
  return count(&run->rule_runs[rule]) >= cap_of(run);
}

static void clear(fl_shelf *shelf) {
  fl_arena_free(shelf->arena);
  free(shelf->items);
  *shelf = (fl_shelf){0};
}

/* All shelves but the newest hold the rule's limit together: the oldest goes when one is begun. */
static fl_shelf *begin_shelf(fl_run *run, fl_rule_run *of) {
  if (of->n_shelves == FL_SHELVES) {
    run->n_evicted += of->shelves[0].n;
    clear(&of->shelves[0]);
    memmove(of->shelves, of->shelves + 1, (FL_SHELVES - 1) * sizeof *of->shelves);
    of->n_shelves--;
  }
  fl_shelf *shelf = &of->shelves[of->n_shelves++];
  *shelf = (fl_shelf){.arena = fl_arena_create(FL_LIMIT_CASE_ARENA)};
  return shelf;
}

fl_arena *fl_keep_arena(fl_run *run, size_t rule) {
  fl_rule_run *of = &run->rule_runs[rule];
  const size_t most = cap_of(run) / (FL_SHELVES - 1);
  fl_shelf *shelf = of->n_shelves ? &of->shelves[of->n_shelves - 1] : NULL;
  if (!shelf || shelf->n >= most) shelf = begin_shelf(run, of);
  return shelf->arena;
}

static fl_status no_memory(fl_run *run) {
  return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for findings");
}

fl_status fl_keep_add(fl_run *run, size_t rule, const fl_finding *finding) {
  fl_rule_run *of = &run->rule_runs[rule];
  fl_shelf *shelf = &of->shelves[of->n_shelves - 1];
  if (!fl_grow((void **)&shelf->items, &shelf->cap, shelf->n + 1, sizeof *shelf->items))
    return no_memory(run);
  shelf->items[shelf->n++] = *finding;
  run->n_given++;
  return FL_OK;
}

typedef struct sort_key {
  fl_time start;
  uint32_t rule, index; /* in the order in which they were found */
  const fl_finding *finding;
} sort_key;

static int by_start(const void *a, const void *b) {
  const sort_key *left = a, *right = b;
  if (left->start != right->start) return left->start < right->start ? -1 : 1;
  if (left->rule != right->rule) return left->rule < right->rule ? -1 : 1;
  return left->index < right->index ? -1 : left->index > right->index;
}

/* The newest of a rule, up to its limit and to what all rules together may give. */
static size_t list_rule(fl_run *run, size_t rule, sort_key *keys, size_t n_keys) {
  fl_rule_run *of = &run->rule_runs[rule];
  const size_t n = count(of), room = FL_LIMIT_SEQUENCE_RUNS - n_keys;
  size_t n_taken = n < cap_of(run) ? n : cap_of(run);
  if (n_taken > room) n_taken = room;
  run->n_evicted += n - n_taken;
  size_t at = 0;
  for (size_t i = 0; i < of->n_shelves; i++)
    for (size_t k = 0; k < of->shelves[i].n; k++, at++) {
      const fl_finding *finding = &of->shelves[i].items[k];
      if (at >= n - n_taken)
        keys[n_keys++] = (sort_key){finding->start, (uint32_t)rule, (uint32_t)at, finding};
    }
  return n_keys;
}

fl_status fl_keep_list(fl_run *run, const fl_finding **ret_findings, size_t *ret_n) {
  const size_t n_rules = fl_rules_count(run->rules);
  size_t n = 0, n_all = 0;
  for (size_t r = 0; r < n_rules; r++) n_all += count(&run->rule_runs[r]);
  if (n_all > FL_LIMIT_SEQUENCE_RUNS) n_all = FL_LIMIT_SEQUENCE_RUNS;
  sort_key *keys = malloc((n_all + 1) * sizeof *keys);
  fl_finding *findings = FL_NEW_ARRAY(run->work, fl_finding, n_all);
  if (keys && findings)
    for (size_t r = 0; r < n_rules; r++) n = list_rule(run, r, keys, n);
  if (n) qsort(keys, n, sizeof *keys, by_start);
  for (size_t i = 0; i < n; i++) findings[i] = *keys[i].finding;
  const bool is_done = keys && findings;
  free(keys);
  *ret_findings = findings;
  *ret_n = n;
  return is_done ? FL_OK : no_memory(run);
}

static const fl_event *const *copy_events(fl_arena *arena, const fl_event *const *events,
                                          size_t n) {
  const fl_event **copy = FL_NEW_ARRAY(arena, const fl_event *, n);
  if (copy && n) memcpy(copy, events, n * sizeof *copy);
  return copy;
}

static bool copy_finding(const fl_finding *from, fl_arena *arena, fl_finding *to) {
  fl_evidence *evidence = FL_NEW_ARRAY(arena, fl_evidence, from->n_evidence);
  *to = *from;
  to->text = fl_arena_str(arena, from->text);
  to->events = copy_events(arena, from->events, from->n_events);
  to->evidence = evidence;
  if (!evidence || !to->text.p || !to->events) return false;
  for (size_t i = 0; i < from->n_evidence; i++) {
    evidence[i] = from->evidence[i];
    evidence[i].text = fl_arena_str(arena, from->evidence[i].text);
    evidence[i].events = copy_events(arena, from->evidence[i].events, from->evidence[i].n_events);
    if (!evidence[i].text.p || !evidence[i].events) return false;
  }
  return true;
}

fl_status fl_keep_copy(const fl_finding *findings, size_t n, fl_arena *arena,
                       fl_finding **ret_findings, fl_err *err) {
  fl_finding *copy = FL_NEW_ARRAY(arena, fl_finding, n);
  bool is_done = copy != NULL;
  for (size_t i = 0; i < n && is_done; i++) is_done = copy_finding(&findings[i], arena, &copy[i]);
  *ret_findings = copy;
  return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
}

void fl_keep_done(fl_run *run) {
  for (size_t r = 0; run->rule_runs && r < fl_rules_count(run->rules); r++)
    for (size_t i = 0; i < run->rule_runs[r].n_shelves; i++) clear(&run->rule_runs[r].shelves[i]);
}
