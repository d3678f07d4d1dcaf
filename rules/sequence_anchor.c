/* sequence_anchor.c - one anchor of one rule: its place, its steps, what they come to. */
#include <string.h>

#include "base/text.h"
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

/* An event of ours lasts, and belongs to the machines that it names. */
static void place_synthetic(fl_scene *scene, const fl_event *event) {
  const fl_run *run = scene->run;
  const int32_t server = field_machine(run, event, FL_STR("server"));
  const int32_t client = field_machine(run, event, FL_STR("client"));
  scene->end = fl_sequence_end(event, scene->start);
  scene->machine = server >= 0 ? server : client >= 0 ? client : scene->machine;
  scene->other_machine = client;
}

static void start_scene(fl_scene *scene, uint16_t event, uint32_t hit) {
  const fl_run *run = scene->run;
  const fl_rule *rule = scene->rule;
  memset(scene->vars, 0, rule->n_vars * sizeof *scene->vars);
  memset(scene->sights, 0, rule->n_selectors * sizeof *scene->sights);
  scene->anchor_event = event;
  scene->anchor = scene->hits[event].at[hit];
  const fl_slot *slot = fl_run_slot(run, scene->anchor);
  scene->start = scene->end = slot->t;
  scene->last = INT64_MAX;
  scene->machine = slot->machine;
  scene->other_machine = -1;
  if (slot->is_synthetic) place_synthetic(scene, fl_run_event(run, scene->anchor));
  (void)fl_scene_bind(scene, event, hit);
}

fl_status fl_anchor_decide(fl_run *run, size_t rule, uint16_t event, uint32_t hit, bool is_early) {
  fl_scene *scene = run->scene;
  bool is_match = false;
  scene->run = run;
  scene->rule = fl_rules_at(run->rules, rule);
  scene->of = &run->rule_runs[rule];
  scene->hits = run->hits + run->first_hits[rule];
  scene->taken = scene->hits[event].taken;
  scene->is_early = is_early;
  fl_arena_reset(run->scratch);
  start_scene(scene, event, hit);
  const uint32_t n_before = run->n_given;
  FL_TRY(fl_scene_search(scene, &is_match));
  if (is_match) FL_TRY(fl_scene_score(scene, rule));
  if (run->in.trace.trace) fl_scene_trace(scene, is_match, run->n_given > n_before);
  return FL_OK;
}
