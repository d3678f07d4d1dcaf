/* sequence_hits.c - what each selector finds in an event, and an index of it by join key. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/match_plan.h"
#include "rules/sequence_run.h"

static fl_status no_memory(fl_run *run) {
  return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for sequences");
}

static bool has_role(const fl_run *run, const fl_selector *selector, int32_t machine) {
  const unsigned roles = machine < 0 ? 0 : run->in.machines[machine].roles;
  for (const fl_selector *s = selector; s; s = s->source.named ? s->source.named->selector : NULL)
    if (roles && s->role && !(roles & s->role)) return false;
  return true;
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

/* The event at hand as the newest of the window; made once for all selectors. */
typedef struct arrival {
  const fl_event *event;
  fl_slot slot;
  bool is_anytime; /* for steps without a window */
  bool is_kept;
  uint32_t number; /* once it is kept */
} arrival;

static fl_status too_many(fl_run *run) {
  return fl_fail(run->err, FL_E_LIMIT, 0, "more than %u events that rules ask for", FL_MOST_SLOTS);
}

static fl_status keep_passing(fl_run *run, arrival *a) {
  if (run->base + (uint64_t)run->n_slots >= FL_MOST_SLOTS) return too_many(run);
  if (!fl_grow((void **)&run->slots, &run->cap_slots, run->n_slots + 1, sizeof *run->slots))
    return no_memory(run);
  a->number = run->base + (uint32_t)run->n_slots;
  run->slots[run->n_slots++] = a->slot;
  return FL_OK;
}

static fl_status keep_anytime(fl_run *run, arrival *a) {
  if (run->n_anytime >= FL_MOST_SLOTS) return too_many(run);
  if (!fl_grow((void **)&run->anytime, &run->cap_anytime, run->n_anytime + 1, sizeof *run->anytime))
    return no_memory(run);
  a->number = FL_ANYTIME_SLOT | (uint32_t)run->n_anytime;
  run->anytime[run->n_anytime++] = a->slot;
  return FL_OK;
}

static fl_status keep_slot(fl_run *run, arrival *a) {
  if (a->is_kept) return FL_OK;
  FL_TRY(a->is_anytime ? keep_anytime(run, a) : keep_passing(run, a));
  a->is_kept = true;
  if (!run->in.trace.trace || run->in.trace.event != a->event) return FL_OK;
  *(a->is_anytime ? &run->has_traced_anytime : &run->has_traced) = true;
  *(a->is_anytime ? &run->traced_anytime_at : &run->traced_at) = a->number;
  return FL_OK;
}

static fl_status add_hit(fl_run *run, const fl_rule *rule, const fl_selector *selector,
                         fl_hits *hits, arrival *a) {
  const size_t n = selector->n_captures;
  bool fits = true;
  if (!fl_grow((void **)&hits->at, &hits->cap, hits->n + 1, sizeof *hits->at) ||
      !fl_grow((void **)&hits->values, &hits->cap_values, (hits->n + 1) * n + 1,
               sizeof *hits->values))
    return no_memory(run);
  FL_TRY(capture_values(run, rule, selector, a->event, hits->values + hits->n * n, &fits));
  if (!fits) return FL_OK;
  FL_TRY(keep_slot(run, a));
  hits->at[hits->n++] = a->number;
  run->n_hits += !a->is_anytime;
  return FL_OK;
}

static bool is_same_text(fl_str a, fl_str b) { return a.p == b.p && a.n == b.n; }

/* Events of one kind share the addresses of their texts more often than not. */
static const fl_plan *plan_of(fl_run *run, const fl_event *event) {
  const uintptr_t mixed =
      (uintptr_t)event->provider.p ^ (uintptr_t)event->channel.p >> 4 ^ (uintptr_t)event->event_id;
  fl_recent *known = &run->recent[(mixed ^ mixed >> 8) % FL_RECENT];
  if (known->plan && is_same_text(known->provider, event->provider) &&
      is_same_text(known->channel, event->channel) && is_same_text(known->kind, event->kind) &&
      known->event_id == event->event_id)
    return known->plan;
  const fl_plan_key key = {event->provider, event->channel, event->kind, event->event_id};
  const fl_plan *plan = fl_plan_find(run->plans, &key);
  if (plan && !plan->is_passing)
    *known = (fl_recent){event->provider, event->channel, event->kind, event->event_id, plan};
  return plan;
}

/* The other engine's rules that the event fits. */
static fl_named_set numbers_of(fl_run *run, const fl_event *event) {
  const fl_named_mark *marks = run->in.marks;
  size_t low = 0, high = run->in.n_marks, n = 0;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if ((uintptr_t)marks[middle].event < (uintptr_t)event) low = middle + 1;
    else high = middle;
  }
  while (low + n < run->in.n_marks && marks[low + n].event == event) n++;
  uint32_t *numbers = FL_NEW_ARRAY(run->scratch, uint32_t, n);
  for (size_t i = 0; numbers && i < n; i++) numbers[i] = marks[low + i].number;
  return (fl_named_set){numbers, numbers ? n : 0};
}

/* Gives the event to every selector of the plan that it fits and that takes its kind of arrival. */
static fl_status take(fl_run *run, const fl_plan *plan, arrival *a) {
  const fl_event *event = a->event;
  fl_arena_reset(run->scratch);
  const fl_named_set set = plan->has_named ? numbers_of(run, event) : (fl_named_set){0};
  a->slot.machine = fl_hosts_find_recent(run, event->host);
  for (size_t i = 0; i < plan->n_refs; i++) {
    fl_hits *hits = &run->hits[run->first_hits[plan->refs[i].rule] + plan->refs[i].selector];
    if (!hits->is_wanted || hits->is_anytime != a->is_anytime) continue;
    const fl_rule *rule = fl_rules_at(run->rules, plan->refs[i].rule);
    const fl_selector *selector = &rule->selectors[plan->refs[i].selector];
    if (!has_role(run, selector, a->slot.machine)) continue;
    if (!fl_selector_holds(selector, event, set)) continue;
    FL_TRY(add_hit(run, rule, selector, hits, a));
  }
  return FL_OK;
}

static arrival arrival_of(const fl_event *event, fl_time t, uint64_t ref) {
  return (arrival){.event = event,
                   .slot = {.t = t,
                            .ref = ref,
                            .machine = -1,
                            .is_synthetic = (event->flags & FL_F_SYNTHETIC) != 0,
                            .is_timeless = (event->flags & FL_F_TIME_INVALID) != 0}};
}

fl_status fl_hits_take(fl_run *run, const fl_event *event, uint64_t ref) {
  if (event->flags & (FL_F_DUPLICATE | FL_F_TIME_INVALID)) return FL_OK;
  const fl_plan *plan = plan_of(run, event);
  if (!plan) return no_memory(run);
  if (plan->n_refs == 0) return FL_OK;
  arrival a = arrival_of(event, run->now, ref);
  return take(run, plan, &a);
}

fl_status fl_hits_take_anytime(fl_run *run, const fl_event *event, fl_time t, uint64_t ref) {
  if (event->flags & FL_F_DUPLICATE) return FL_OK;
  const fl_plan *plan = plan_of(run, event);
  if (!plan) return no_memory(run);
  if (!plan->has_anytime) return FL_OK;
  arrival a = arrival_of(event, t, ref);
  a.is_anytime = true;
  return take(run, plan, &a);
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
  if (step == rule->anchor && !rule->steps[step].is_repeated) return FL_FLR_NONE;
  for (size_t i = 0; i < selector->n_captures; i++)
    if (is_captured_by(anchor, selector->captures[i].var)) return (uint16_t)i;
  for (size_t k = 0; k < step; k++)
    for (size_t i = 0; i < selector->n_captures; i++)
      if (is_captured_by(&rule->selectors[rule->steps[k].event], selector->captures[i].var))
        return (uint16_t)i;
  return FL_FLR_NONE;
}

typedef struct by_value {
  const uint32_t *values;
  size_t stride;
} by_value;

static int compare_values(const void *a, const void *b, void *context) {
  const by_value *by = context;
  const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  const uint32_t x = by->values[left * by->stride], y = by->values[right * by->stride];
  if (x != y) return x < y ? -1 : 1;
  return left < right ? -1 : left > right;
}

/* Values are numbers without gaps: where there are few of them they are counted. */
static fl_status count_order(fl_run *run, fl_hits *hits, const by_value *by) {
  const size_t n_values = run->values.n + 1; /* the last is the end of all */
  if (!fl_grow((void **)&hits->starts, &hits->cap_starts, n_values + 1, sizeof *hits->starts))
    return no_memory(run);
  memset(hits->starts, 0, (n_values + 1) * sizeof *hits->starts);
  for (size_t i = 0; i < hits->n; i++) hits->starts[by->values[i * by->stride] + 1]++;
  for (size_t v = 0; v < n_values; v++) hits->starts[v + 1] += hits->starts[v];
  for (size_t i = 0; i < hits->n; i++)
    hits->order[hits->starts[by->values[i * by->stride]]++] = (uint32_t)i;
  memmove(hits->starts + 1, hits->starts, n_values * sizeof *hits->starts);
  hits->starts[0] = 0;
  hits->n_starts = n_values;
  return FL_OK;
}

fl_status fl_hits_index(fl_run *run, const fl_rule *rule, size_t selector, fl_hits *hits) {
  if (hits->key == FL_FLR_NONE || hits->n == 0) return FL_OK;
  by_value by = {hits->values + hits->key, rule->selectors[selector].n_captures};
  if (!fl_grow((void **)&hits->order, &hits->cap_order, hits->n, sizeof *hits->order))
    return no_memory(run);
  hits->n_starts = 0;
  if (hits->n > run->values.n / 8) return count_order(run, hits, &by);
  for (size_t i = 0; i < hits->n; i++) hits->order[i] = (uint32_t)i;
  qsort_r(hits->order, hits->n, sizeof *hits->order, compare_values, &by);
  return FL_OK;
}

static fl_status make_room(fl_run *run) {
  size_t n = 0;
  const size_t n_rules = fl_rules_count(run->rules);
  run->first_hits = FL_NEW_ARRAY(run->work, size_t, n_rules + 1);
  if (!run->first_hits) return no_memory(run);
  for (size_t r = 0; r < n_rules; r++) {
    run->first_hits[r] = n;
    n += fl_rules_at(run->rules, r)->n_selectors;
  }
  run->first_hits[n_rules] = n;
  run->hits = FL_NEW_ARRAY(run->work, fl_hits, n);
  return run->hits ? FL_OK : no_memory(run);
}

fl_status fl_hits_init(fl_run *run) {
  FL_TRY(make_room(run));
  if (!(run->values.arena = fl_arena_create(FL_LIMIT_JOB_ARENA))) return no_memory(run);
  run->values.n = 1; /* 0 is no value */
  for (size_t r = 0; r < fl_rules_count(run->rules); r++) {
    const fl_rule *rule = fl_rules_at(run->rules, r);
    if (fl_rule_is_noise(rule) != (run->in.part == FL_RULES_NOISE)) continue;
    if (run->in.trace.trace && run->in.trace.rule != r) continue;
    if (rule->info.is_private) continue;
    for (size_t k = 0; k < rule->n_steps; k++) {
      fl_hits *hits = &run->hits[run->first_hits[r] + rule->steps[k].event];
      hits->is_wanted = true;
      hits->is_anytime = rule->steps[k].window == FL_W_ANYTIME;
      hits->key = choose_key(rule, k);
    }
  }
  return FL_OK;
}

void fl_hits_done(fl_run *run) {
  const size_t n = run->hits ? run->first_hits[fl_rules_count(run->rules)] : 0;
  for (size_t i = 0; i < n; i++) {
    free(run->hits[i].at);
    free(run->hits[i].values);
    free(run->hits[i].taken);
    free(run->hits[i].order);
    free(run->hits[i].starts);
  }
  fl_arena_free(run->values.arena);
  fl_interner_done(&run->values);
  free(run->value_machine);
}
