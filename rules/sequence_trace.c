/* sequence_trace.c - tells of the runs of one rule that one event could be part of. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "rules/flr_trace.h"
#include "rules/sequence_run.h"

static fl_str ref_of(const fl_scene *scene, uint32_t event) {
  const fl_run *run = scene->run;
  return fl_case_ref(run->in.trace.names, fl_run_event(run, event), run->scratch);
}

static fl_str moment(const fl_scene *scene, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  const size_t n = fl_time_format(t, 3, text);
  return fl_arena_str(scene->run->scratch, (fl_str){text, n});
}

static fl_str when_of(const fl_scene *scene, uint32_t event) {
  if (fl_run_slot(scene->run, event)->is_timeless) return FL_STR("without a time");
  const fl_str when = moment(scene, fl_run_time(scene->run, event));
  return fl_arena_printf(scene->run->scratch, "at %.*s", FL_STR_ARG(when));
}

static fl_str name_of(const fl_scene *scene, uint16_t event) {
  return scene->rule->selectors[event].name;
}

static fl_trace_mark mark_of(fl_truth truth) {
  return truth == FL_TRUE ? FL_TRACE_TRUE : truth == FL_FALSE ? FL_TRACE_FALSE : FL_TRACE_UNKNOWN;
}

/* The hit that the traced event is for a selector; false when it is none. Numbers grow. */
static bool traced_hit(const fl_scene *scene, uint16_t event, uint32_t *ret_hit) {
  const fl_run *run = scene->run;
  const fl_hits *hits = &scene->hits[event];
  const uint32_t at = hits->is_anytime ? run->traced_anytime_at : run->traced_at;
  size_t low = 0, high = hits->n;
  if (!(hits->is_anytime ? run->has_traced_anytime : run->has_traced)) return false;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (hits->at[middle] < at) low = middle + 1;
    else high = middle;
  }
  *ret_hit = (uint32_t)low;
  return low < hits->n && hits->at[low] == at;
}

static bool is_traced(const fl_run *run, uint32_t event) {
  return (run->has_traced && event == run->traced_at) ||
         (run->has_traced_anytime && event == run->traced_anytime_at);
}

/* What may be at any time is in reach of every anchor. */
static bool is_in_reach(const fl_scene *scene) {
  const fl_run *run = scene->run;
  if (run->has_traced_anytime) return true;
  if (!run->has_traced) return false;
  const fl_time t = fl_run_time(run, run->traced_at);
  if (scene->anchor == run->traced_at) return true;
  return t >= fl_time_plus(scene->start, -scene->of->behind) &&
         t <= fl_time_plus(scene->end, scene->of->ahead);
}

/* The first variable that keeps a hit from joining. */
static bool tell_join(const fl_scene *scene, uint16_t event, uint32_t hit) {
  const fl_run *run = scene->run;
  const fl_selector *selector = &scene->rule->selectors[event];
  const uint32_t *values = scene->hits[event].values + (size_t)hit * selector->n_captures;
  for (size_t i = 0; i < selector->n_captures; i++) {
    const uint16_t var = selector->captures[i].var;
    const uint32_t bound = scene->vars[var];
    if (!values[i] || !bound || values[i] == bound) continue;
    const fl_str own = run->values.texts[values[i]], other = run->values.texts[bound];
    const fl_str from = ref_of(scene, scene->var_event[var]);
    /* Machines are numbers of ours: their names are told. */
    const bool is_machine = own.n && own.p[0] == '\x01' && other.n && other.p[0] == '\x01';
    const fl_str own_text = is_machine ? fl_hosts_name(run, run->value_machine[values[i]]) : own;
    const fl_str other_text = is_machine ? fl_hosts_name(run, run->value_machine[bound]) : other;
    fl_trace_add(run->in.trace.trace, 3, "join", FL_TRACE_FALSE,
                 "%%%.*s is \"%.*s\" there, and \"%.*s\" in %.*s",
                 FL_STR_ARG(scene->rule->vars[var].name), FL_STR_ARG(own_text),
                 FL_STR_ARG(other_text), FL_STR_ARG(from));
    return true;
  }
  return false;
}

/* Why the traced event, which fits the step's event, was not taken for it. */
static void tell_candidate(const fl_scene *scene, const fl_step *step) {
  const fl_run *run = scene->run;
  const fl_sight *sight = &scene->sights[step->event];
  uint32_t hit = 0;
  if (!traced_hit(scene, step->event, &hit)) return;
  fl_trace *trace = run->in.trace.trace;
  const bool is_anytime = scene->rule->selectors[step->event].is_anytime;
  const uint32_t at = scene->hits[step->event].at[hit];
  const fl_time t = fl_run_time(run, at);
  for (size_t i = 0; i < scene->rule->n_selectors; i++)
    if (i != step->event && scene->sights[i].is_bound && is_traced(run, scene->sights[i].first)) {
      fl_trace_add(trace, 3, "candidate", FL_TRACE_FALSE, "the event is $%.*s already",
                   FL_STR_ARG(name_of(scene, (uint16_t)i)));
      return;
    }
  if (sight->is_searched && !is_anytime) {
    const int64_t slack = fl_hosts_tolerance(scene, fl_run_slot(run, at)->machine);
    const bool is_inside =
        t >= fl_time_plus(sight->from, -slack) && t <= fl_time_plus(sight->to, slack);
    const fl_str from = moment(scene, fl_time_plus(sight->from, -slack));
    const fl_str to = moment(scene, fl_time_plus(sight->to, slack));
    fl_trace_add(trace, 3, "window", is_inside ? FL_TRACE_TRUE : FL_TRACE_FALSE,
                 "the event lies at %.*s, the window from %.*s to %.*s%s",
                 FL_STR_ARG(moment(scene, t)), FL_STR_ARG(from), FL_STR_ARG(to),
                 slack ? ", widened for clocks" : "");
    if (!is_inside) return;
  }
  if (tell_join(scene, step->event, hit)) return;
  if (sight->is_bound && sight->first == at)
    fl_trace_add(trace, 3, "candidate", FL_TRACE_TRUE, "it is the event asked about");
  else if (sight->is_bound)
    fl_trace_add(trace, 3, "candidate", FL_TRACE_NOTE,
                 step->is_repeated ? "the event is one of them, or comes behind the last taken"
                                   : "the event joins as well, the one found is preferred");
}

static void tell_step(fl_scene *scene, const fl_step *step) {
  fl_run *run = scene->run;
  fl_trace *trace = run->in.trace.trace;
  const fl_sight *sight = &scene->sights[step->event];
  const fl_str text = fl_written_text(step->text, run->scratch);
  const char *kind = step->kind == FL_STEP_ABSENT  ? "absent"
                     : step->kind == FL_STEP_UNTIL ? "until"
                                                   : "step";
  const bool is_absence = step->kind == FL_STEP_ABSENT;
  if (sight->is_bound) {
    const fl_str ref = ref_of(scene, sight->first);
    fl_trace_add(trace, 2, kind, is_absence ? FL_TRACE_FALSE : FL_TRACE_TRUE,
                 "%.*s: $%.*s is %.*s %.*s%s", FL_STR_ARG(text),
                 FL_STR_ARG(name_of(scene, step->event)), FL_STR_ARG(ref),
                 FL_STR_ARG(when_of(scene, sight->first)), sight->count > 1 ? ", and others" : "");
  } else if (sight->is_searched && step->window == FL_W_ANYTIME) {
    const fl_truth truth = fl_scene_truth(scene, step->event);
    fl_trace_add(trace, 2, kind, mark_of(truth), "%.*s: $%.*s is not there at any time%s%.*s",
                 FL_STR_ARG(text), FL_STR_ARG(name_of(scene, step->event)),
                 truth == FL_UNKNOWN ? ", which proves nothing: " : ", and others of its kind are",
                 FL_STR_ARG(sight->reason));
  } else if (!sight->is_searched) {
    fl_trace_add(trace, 2, kind, FL_TRACE_NOTE, "%.*s: not looked for", FL_STR_ARG(text));
  } else {
    const fl_truth truth = fl_scene_truth(scene, step->event);
    const fl_trace_mark mark = is_absence && truth == FL_FALSE ? FL_TRACE_TRUE : mark_of(truth);
    fl_trace_add(trace, 2, kind, mark, "%.*s: $%.*s is not there from %.*s to %.*s%s%.*s",
                 FL_STR_ARG(text), FL_STR_ARG(name_of(scene, step->event)),
                 FL_STR_ARG(moment(scene, sight->from)), FL_STR_ARG(moment(scene, sight->to)),
                 truth == FL_UNKNOWN ? ", which proves nothing: " : ", and the logs would show it",
                 FL_STR_ARG(sight->reason));
  }
  tell_candidate(scene, step);
}

static void tell_score(fl_scene *scene) {
  const fl_rule *rule = scene->rule;
  fl_trace *trace = scene->run->in.trace.trace;
  int points = 0, possible = 0;
  for (size_t i = 0; i < rule->n_lines; i++) {
    const fl_truth truth = fl_scene_holds(scene, rule->lines[i].cond);
    const fl_str text = fl_written_text(rule->lines[i].written, scene->run->scratch);
    if (truth == FL_TRUE) points += rule->lines[i].points;
    if (truth == FL_UNKNOWN && rule->lines[i].points > 0) possible += rule->lines[i].points;
    fl_trace_add(trace, 2, "score", mark_of(truth), "%.*s", FL_STR_ARG(text));
  }
  if (rule->n_lines == 0) return;
  fl_trace_add(trace, 2, "sum",
               points + possible >= rule->report_at ? FL_TRACE_TRUE : FL_TRACE_FALSE,
               "%d points, %d more if what is unknown held; reported at %d", points, possible,
               rule->report_at);
}

static bool holds_traced(const fl_scene *scene) {
  const fl_run *run = scene->run;
  for (size_t i = 0; i < scene->rule->n_selectors; i++) {
    const fl_sight *sight = &scene->sights[i];
    if (!sight->is_bound) continue;
    if (is_traced(run, sight->first) || is_traced(run, sight->last)) return true;
    for (size_t k = 0; k < sight->n_kept; k++)
      if (is_traced(run, sight->kept[k])) return true;
  }
  return false;
}

/* Of a repeated anchor. */
static void tell_anchor(const fl_scene *scene, bool is_match) {
  const fl_step *step = &scene->rule->steps[scene->rule->anchor];
  const fl_sight *sight = &scene->sights[scene->anchor_event];
  fl_trace *trace = scene->run->in.trace.trace;
  if (!step->is_repeated) return;
  const fl_str text = fl_written_text(step->text, scene->run->scratch);
  const fl_str to = moment(scene, fl_time_plus(scene->end, scene->rule->within_ns));
  if (!is_match && sight->n_fit < step->least)
    fl_trace_add(trace, 2, "step", FL_TRACE_FALSE, "%.*s: %zu of them until %.*s, expected %u",
                 FL_STR_ARG(text), sight->n_fit, FL_STR_ARG(to), step->least);
  else
    fl_trace_add(trace, 2, "step", FL_TRACE_TRUE, "%.*s: %zu of them until %.*s", FL_STR_ARG(text),
                 sight->count, FL_STR_ARG(to));
}

void fl_scene_trace(fl_scene *scene, bool is_match, bool is_finding) {
  fl_run *run = scene->run;
  fl_trace *trace = run->in.trace.trace;
  if (!is_in_reach(scene)) return;
  if (is_finding && holds_traced(scene)) fl_trace_matches(trace);
  if (run->n_traced++ >= FL_LIMIT_TRACE_RUNS) return;
  const fl_str ref = ref_of(scene, scene->anchor);
  fl_trace_add(trace, 1, "anchor", FL_TRACE_NOTE, "$%.*s is %.*s at %.*s",
               FL_STR_ARG(name_of(scene, scene->anchor_event)), FL_STR_ARG(ref),
               FL_STR_ARG(moment(scene, scene->start)));
  tell_anchor(scene, is_match);
  for (size_t i = 0; i < scene->rule->n_steps; i++)
    if (scene->rule->steps[i].event != scene->anchor_event)
      tell_step(scene, &scene->rule->steps[i]);
  if (is_match) tell_score(scene);
  fl_trace_add(trace, 2, "result", is_finding ? FL_TRACE_TRUE : FL_TRACE_FALSE,
               is_finding ? "a finding"
               : is_match ? "no finding: too few points"
                          : "no finding: a step that must be there is not");
}

/* All anchors of the one rule are decided again, with a watcher. */
fl_status fl_sequences_trace(const fl_sequence_input *input, fl_err *err) {
  fl_run *run = NULL;
  fl_sequence_input in = *input;
  const fl_finding *findings = NULL;
  size_t n = 0;
  uint64_t n_evicted = 0;
  in.is_kept = true;
  FL_TRY(fl_run_create(&in, &run, err));
  fl_status s = fl_run_push_all(run, err);
  const bool is_there = run->has_traced || run->has_traced_anytime;
  if (s == FL_OK) s = fl_run_finish(run, &findings, &n, &n_evicted, err);
  if (s == FL_OK && run->n_traced > FL_LIMIT_TRACE_RUNS)
    fl_trace_add(in.trace.trace, 1, "anchor", FL_TRACE_NOTE,
                 "%zu more runs that it could be part of", run->n_traced - FL_LIMIT_TRACE_RUNS);
  if (s == FL_OK && is_there && run->n_traced == 0)
    fl_trace_add(in.trace.trace, 1, "anchor", FL_TRACE_NOTE,
                 "no event of the case that the rule hangs on is in reach of it");
  fl_run_free(run);
  return s;
}
