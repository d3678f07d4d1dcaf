/* sequence.c - runs all sequences of a case: every anchor of every rule, newest first. */
#include "rules/sequence.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/sequence_run.h"

/* Attempts last; other events are over when they begin. */
fl_time fl_sequence_end(const fl_event *event, fl_time start) {
  const fl_value *value = fl_event_field(event, FL_STR("duration_ms"));
  int64_t ms = 0;
  const bool has_end =
      value && (event->flags & FL_F_SYNTHETIC) && fl_value_number(value, &ms) && ms > 0;
  if (!has_end || ms > (INT64_MAX - (start > 0 ? start : 0)) / 1000000) return start;
  return start + ms * 1000000;
}

static int32_t field_machine(const fl_run *run, const fl_event *event, fl_str name) {
  const fl_value *value = fl_event_field(event, name);
  return value ? fl_hosts_find(run, fl_value_text(value, run->scratch)) : -1;
}

/* An event of ours belongs to the machines that it names. */
static void place_anchor(fl_scene *scene, const fl_event *event) {
  const fl_run *run = scene->run;
  scene->machine = run->event_machine[scene->anchor];
  scene->other_machine = -1;
  if (!(event->flags & FL_F_SYNTHETIC)) return;
  const int32_t server = field_machine(run, event, FL_STR("server"));
  const int32_t client = field_machine(run, event, FL_STR("client"));
  scene->machine = server >= 0 ? server : client >= 0 ? client : scene->machine;
  scene->other_machine = client;
}

static void start_scene(fl_scene *scene, uint16_t event, uint32_t hit) {
  const fl_run *run = scene->run;
  memset(scene->vars, 0, sizeof scene->vars);
  memset(scene->sights, 0, sizeof scene->sights);
  scene->anchor_event = event;
  scene->anchor = scene->hits[event].at[hit];
  scene->start = run->in->times[scene->anchor];
  scene->end = fl_sequence_end(run->in->events[scene->anchor], scene->start);
  scene->last = INT64_MAX;
  place_anchor(scene, run->in->events[scene->anchor]);
  (void)fl_scene_bind(scene, event, hit);
}

static fl_status run_anchor(fl_scene *scene, size_t rule_index, uint16_t event, uint32_t hit) {
  bool is_match = false;
  fl_arena_reset(scene->run->scratch);
  start_scene(scene, event, hit);
  FL_TRY(fl_scene_search(scene, &is_match));
  return is_match ? fl_scene_score(scene, rule_index) : FL_OK;
}

static bool has_room(fl_run *run, size_t n_before) {
  const size_t cap =
      run->in->part == FL_RULES_NOISE ? FL_LIMIT_SEQUENCE_RUNS : FL_LIMIT_SEQUENCE_FINDINGS;
  if (run->n_findings - n_before < cap && run->n_findings < FL_LIMIT_SEQUENCE_RUNS) return true;
  run->n_evicted++;
  return false;
}

/* A repeated anchor takes its later occurrences with it: oldest first, those are skipped. */
static fl_status run_repeated(fl_scene *scene, size_t rule_index, uint16_t event) {
  const fl_hits *hits = &scene->hits[event];
  const size_t n_before = scene->run->n_findings;
  scene->taken = calloc(hits->n + 1, 1);
  if (!scene->taken) return fl_fail(scene->run->err, FL_E_NOMEM, 0, "out of memory for sequences");
  fl_status s = FL_OK;
  for (size_t i = 0; i < hits->n && s == FL_OK; i++)
    if (!scene->taken[i] && has_room(scene->run, n_before))
      s = run_anchor(scene, rule_index, event, (uint32_t)i);
  free(scene->taken);
  scene->taken = NULL;
  return s;
}

static fl_status run_event(fl_scene *scene, size_t rule_index, const fl_step *step) {
  const fl_hits *hits = &scene->hits[step->event];
  const size_t n_before = scene->run->n_findings;
  if (step->is_repeated) return run_repeated(scene, rule_index, step->event);
  for (size_t i = hits->n; i-- > 0;)
    if (has_room(scene->run, n_before))
      FL_TRY(run_anchor(scene, rule_index, step->event, (uint32_t)i));
  return FL_OK;
}

static fl_status run_rule(fl_run *run, fl_scene *scene, size_t rule_index) {
  const fl_rule *rule = fl_rules_at(run->rules, rule_index);
  const fl_step *anchor = &rule->steps[rule->anchor];
  if (fl_rule_is_noise(rule) != (run->in->part == FL_RULES_NOISE)) return FL_OK;
  scene->run = run;
  scene->rule = rule;
  scene->hits = run->hits + run->first_hits[rule_index];
  if (scene->hits[anchor->event].n == 0 && anchor->choice == FL_FLR_NONE) return FL_OK;
  free(run->proofs);
  run->proofs = calloc(run->in->n_machines * rule->n_selectors + 1, sizeof *run->proofs);
  if (!run->proofs) return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for sequences");
  for (size_t i = rule->anchor; i < rule->n_steps; i++) {
    const fl_step *step = &rule->steps[i];
    const bool is_choice = anchor->choice != FL_FLR_NONE && step->choice == anchor->choice;
    if (step == anchor || (step->kind == FL_STEP_ITEM && is_choice))
      FL_TRY(run_event(scene, rule_index, step));
  }
  return FL_OK;
}

typedef struct sort_key {
  fl_time start;
  uint32_t rule, index;
} sort_key;

static int by_start(const void *a, const void *b) {
  const sort_key *left = a, *right = b;
  if (left->start != right->start) return left->start < right->start ? -1 : 1;
  if (left->rule != right->rule) return left->rule < right->rule ? -1 : 1;
  return left->index < right->index ? -1 : left->index > right->index;
}

/* Into the caller's arena, in an order that does not depend on how they were found. */
static fl_status give_findings(fl_run *run, fl_finding **ret_findings, size_t *ret_n) {
  sort_key *keys = malloc((run->n_findings + 1) * sizeof *keys);
  fl_finding *findings = FL_NEW_ARRAY(run->arena, fl_finding, run->n_findings);
  if (!keys || !findings) {
    free(keys);
    return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for findings");
  }
  for (size_t i = 0; i < run->n_findings; i++)
    keys[i] =
        (sort_key){run->findings[i].start, run->finding_rule[i], (uint32_t)(run->n_findings - i)};
  qsort(keys, run->n_findings, sizeof *keys, by_start);
  for (size_t i = 0; i < run->n_findings; i++)
    findings[i] = run->findings[run->n_findings - keys[i].index];
  free(keys);
  *ret_findings = findings;
  *ret_n = run->n_findings;
  return FL_OK;
}

static fl_status run_all(fl_run *run, fl_scene *scene) {
  FL_TRY(fl_hosts_init(run));
  FL_TRY(fl_hits_collect(run));
  for (size_t r = 0; r < fl_rules_count(run->rules); r++) FL_TRY(run_rule(run, scene, r));
  return FL_OK;
}

fl_status fl_sequences_run(const fl_sequence_input *input, fl_arena *arena,
                           fl_finding **ret_findings, size_t *ret_n, uint64_t *ret_evicted,
                           fl_err *err) {
  if (input->n > UINT32_MAX - 1)
    return fl_fail(err, FL_E_LIMIT, 0, "%zu events in one case, expected at most %u", input->n,
                   UINT32_MAX - 1);
  fl_run run = {.rules = input->rules, .in = input, .arena = arena, .err = err};
  fl_scene *scene = calloc(1, sizeof *scene);
  run.work = fl_arena_create(FL_LIMIT_JOB_ARENA);
  run.scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_status s = scene && run.work && run.scratch
                    ? run_all(&run, scene)
                    : fl_fail(err, FL_E_NOMEM, 0, "out of memory for sequences");
  if (s == FL_OK) s = give_findings(&run, ret_findings, ret_n);
  if (s == FL_OK) *ret_evicted = run.n_evicted;
  fl_hits_done(&run);
  fl_hosts_done(&run);
  free(run.proofs);
  free(run.findings);
  free(run.finding_rule);
  fl_arena_free(run.work);
  fl_arena_free(run.scratch);
  free(scene);
  return s;
}
