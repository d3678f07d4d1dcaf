/* sequence_hits.c - one pass over the events: what each selector finds, and an index by join key.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/match_plan.h"
#include "rules/sequence_run.h"

static fl_status no_memory(fl_run *run) {
  return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for sequences");
}

static bool has_role(const fl_run *run, const fl_selector *selector, uint32_t event) {
  const int32_t machine = run->event_machine[event];
  if (selector->role == 0 || machine < 0) return true;
  const unsigned roles = run->in->machines[machine].roles;
  return roles == 0 || (roles & selector->role);
}

/* Host values are the machine, where the case knows it. */
static fl_status intern_host(fl_run *run, fl_str text, uint32_t *ret_value) {
  const int32_t machine = fl_hosts_find(run, text);
  const fl_str key = machine >= 0 ? fl_arena_printf(run->scratch, "\x01%d", machine)
                                  : fl_norm_apply(FL_NORM_HOST, text, run->scratch);
  if (!key.p || !fl_intern(&run->values, key, ret_value)) return no_memory(run);
  const size_t known = run->cap_value_machine;
  if (!fl_grow((void **)&run->value_machine, &run->cap_value_machine, *ret_value + 1u,
               sizeof *run->value_machine))
    return no_memory(run);
  for (size_t i = known; i < run->cap_value_machine; i++) run->value_machine[i] = -1;
  run->value_machine[*ret_value] = machine;
  return FL_OK;
}

/* `machine(role)` is the host of events that were declared with the role. */
static fl_str capture_text(const fl_run *run, const fl_selector *selector,
                           const fl_capture *capture, const fl_event *event) {
  if (capture->path.machine && capture->path.machine == selector->role &&
      !(event->flags & FL_F_SYNTHETIC))
    return event->host;
  return fl_path_text(&capture->path, event, run->scratch);
}

/* The values that an event captures; *ret_fits is false when a required one is missing. */
static fl_status capture_values(fl_run *run, const fl_rule *rule, const fl_selector *selector,
                                const fl_event *event, uint32_t *values, bool *ret_fits) {
  *ret_fits = true;
  for (size_t i = 0; i < selector->n_captures; i++) {
    const fl_capture *capture = &selector->captures[i];
    const fl_norm norm = rule->vars[capture->var].norm;
    const fl_str text = capture_text(run, selector, capture, event);
    values[i] = 0;
    const fl_str plain = text.n ? fl_norm_apply(norm, text, run->scratch) : text;
    if (plain.n == 0) {
      if (capture->is_required) *ret_fits = false;
      continue;
    }
    if (norm == FL_NORM_HOST) FL_TRY(intern_host(run, text, &values[i]));
    else if (!fl_intern(&run->values, plain, &values[i])) return no_memory(run);
  }
  return FL_OK;
}

static fl_status add_hit(fl_run *run, const fl_rule *rule, const fl_selector *selector,
                         fl_hits *hits, uint32_t event) {
  const size_t n = selector->n_captures;
  bool fits = true;
  if (!fl_grow((void **)&hits->at, &hits->cap, hits->n + 1, sizeof *hits->at) ||
      !fl_grow((void **)&hits->values, &hits->cap_values, (hits->n + 1) * n + 1,
               sizeof *hits->values))
    return no_memory(run);
  FL_TRY(capture_values(run, rule, selector, run->in->events[event], hits->values + hits->n * n,
                        &fits));
  if (fits) hits->at[hits->n++] = event;
  return FL_OK;
}

static fl_status take_event(fl_run *run, fl_plan_table *plans, uint32_t index) {
  const fl_event *event = run->in->events[index];
  const fl_plan_key key = {event->provider, event->channel, event->kind, event->event_id};
  if (event->flags & (FL_F_DUPLICATE | FL_F_TIME_INVALID)) return FL_OK;
  const fl_plan *plan = fl_plan_find(plans, &key);
  if (!plan) return no_memory(run);
  for (size_t i = 0; i < plan->n_refs; i++) {
    const fl_rule *rule = fl_rules_at(run->rules, plan->refs[i].rule);
    const fl_selector *selector = &rule->selectors[plan->refs[i].selector];
    if (fl_rule_is_noise(rule) != (run->in->part == FL_RULES_NOISE)) continue;
    if (!has_role(run, selector, index)) continue;
    if (selector->where && !fl_expr_holds(selector->where, event)) continue;
    fl_hits *hits = &run->hits[run->first_hits[plan->refs[i].rule] + plan->refs[i].selector];
    FL_TRY(add_hit(run, rule, selector, hits, index));
  }
  return FL_OK;
}

static bool is_captured_by(const fl_selector *selector, uint16_t var) {
  for (size_t i = 0; i < selector->n_captures; i++)
    if (selector->captures[i].var == var) return true;
  return false;
}

/* The join that narrows most early: a variable of the anchor, else of any step before. */
static uint16_t choose_key(const fl_rule *rule, size_t step) {
  const fl_selector *selector = &rule->selectors[rule->steps[step].event];
  const fl_selector *anchor = &rule->selectors[rule->steps[rule->anchor].event];
  for (size_t i = 0; i < selector->n_captures; i++)
    if (is_captured_by(anchor, selector->captures[i].var)) return (uint16_t)i;
  for (size_t k = 0; k < step; k++)
    for (size_t i = 0; i < selector->n_captures; i++)
      if (is_captured_by(&rule->selectors[rule->steps[k].event], selector->captures[i].var))
        return (uint16_t)i;
  return FL_FLR_NONE;
}

static int by_number(const void *a, const void *b) {
  const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

static fl_status build_index(fl_run *run, const fl_rule *rule, size_t step, fl_hits *hits) {
  const fl_selector *selector = &rule->selectors[rule->steps[step].event];
  hits->key = FL_FLR_NONE;
  if ((step == rule->anchor && !rule->steps[step].is_repeated) || hits->n == 0) return FL_OK;
  hits->key = choose_key(rule, step);
  if (hits->key == FL_FLR_NONE) return FL_OK;
  hits->by_key = malloc(hits->n * sizeof *hits->by_key);
  if (!hits->by_key) return no_memory(run);
  for (size_t i = 0; i < hits->n; i++)
    hits->by_key[i] = (uint64_t)hits->values[i * selector->n_captures + hits->key] << 32 | i;
  qsort(hits->by_key, hits->n, sizeof *hits->by_key, by_number);
  return FL_OK;
}

static fl_status make_room(fl_run *run) {
  size_t n = 0;
  run->first_hits = FL_NEW_ARRAY(run->work, size_t, fl_rules_count(run->rules) + 1);
  if (!run->first_hits) return no_memory(run);
  for (size_t r = 0; r < fl_rules_count(run->rules); r++) {
    run->first_hits[r] = n;
    n += fl_rules_at(run->rules, r)->n_selectors;
  }
  run->first_hits[fl_rules_count(run->rules)] = n;
  run->hits = FL_NEW_ARRAY(run->work, fl_hits, n);
  return run->hits ? FL_OK : no_memory(run);
}

fl_status fl_hits_collect(fl_run *run) {
  FL_TRY(make_room(run));
  run->values.arena = run->work;
  fl_plan_table *plans = fl_plan_table_create(run->rules, NULL, 0);
  fl_status s = plans ? FL_OK : no_memory(run);
  for (size_t i = 0; i < run->in->n && s == FL_OK; i++) {
    s = take_event(run, plans, (uint32_t)i);
    if (i % 256 == 0) fl_arena_reset(run->scratch);
  }
  fl_plan_table_free(plans);
  for (size_t r = 0; r < fl_rules_count(run->rules) && s == FL_OK; r++) {
    const fl_rule *rule = fl_rules_at(run->rules, r);
    for (size_t k = 0; k < rule->n_steps && s == FL_OK; k++)
      s = build_index(run, rule, k, &run->hits[run->first_hits[r] + rule->steps[k].event]);
  }
  return s;
}

void fl_hits_done(fl_run *run) {
  const size_t n = run->hits ? run->first_hits[fl_rules_count(run->rules)] : 0;
  for (size_t i = 0; i < n; i++) {
    free(run->hits[i].at);
    free(run->hits[i].values);
    free(run->hits[i].by_key);
  }
  fl_interner_done(&run->values);
  free(run->value_machine);
}
