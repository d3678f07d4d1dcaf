/* sequence.c - a run of sequences over events in order of time: begin, push, finish. */
#include "rules/sequence.h"

#include <stdlib.h>

#include "base/limits.h"
#include "rules/match_plan.h"
#include "rules/sequence_run.h"

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for sequences");
}

/* What is in memory already needs no limit. */
static void set_limits(fl_run *run) {
  run->max_hits = run->in.is_kept ? SIZE_MAX : FL_LIMIT_SEQUENCE_HITS;
  run->max_open = run->in.is_kept ? SIZE_MAX : FL_LIMIT_SEQUENCE_OPEN;
  run->max_open_of_rule = run->in.is_kept ? SIZE_MAX : FL_LIMIT_SEQUENCE_OPEN_RULE;
}

static fl_status begin(fl_run *run) {
  run->work = fl_arena_create(FL_LIMIT_JOB_ARENA);
  run->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  run->scene = calloc(1, sizeof *run->scene);
  run->plans = fl_plan_table_create(run->rules, NULL, 0);
  if (!run->work || !run->scratch || !run->scene || !run->plans) return no_memory(run->err);
  FL_TRY(fl_hosts_init(run));
  FL_TRY(fl_hits_init(run));
  return fl_window_init(run);
}

fl_status fl_run_create(const fl_sequence_input *input, fl_run **ret_run, fl_err *err) {
  fl_run *run = calloc(1, sizeof *run);
  if (!run) return no_memory(err);
  *run = (fl_run){.rules = input->rules, .in = *input, .now = INT64_MIN, .err = err};
  set_limits(run);
  const fl_status s = begin(run);
  if (s != FL_OK) fl_run_free(run);
  else *ret_run = run;
  return s;
}

void fl_run_free(fl_run *run) {
  if (!run) return;
  for (size_t r = 0; run->rule_runs && r < fl_rules_count(run->rules); r++)
    free(run->rule_runs[r].proofs);
  fl_keep_done(run);
  fl_hits_done(run);
  fl_hosts_done(run);
  fl_plan_table_free(run->plans);
  fl_arena_free(run->work);
  fl_arena_free(run->scratch);
  free(run->slots);
  free(run->anytime);
  free(run->scene);
  free(run);
}

fl_status fl_run_push(fl_run *run, const fl_event *event, fl_time t, uint64_t ref, fl_err *err) {
  run->err = err;
  run->now = t;
  if (run->n_hits >= run->page) FL_TRY(fl_window_decide(run, false));
  return fl_hits_take(run, event, ref);
}

fl_status fl_run_push_anytime(fl_run *run, const fl_event *event, fl_time t, uint64_t ref,
                              fl_err *err) {
  run->err = err;
  return fl_hits_take_anytime(run, event, t, ref);
}

/* Those without a time are equal and come first: one that has a time is preferred. */
static fl_status push_anytime(fl_run *run, const fl_sequence_input *in, bool is_timeless,
                              fl_err *err) {
  for (size_t i = 0; i < in->n; i++) {
    const fl_event *event = in->events[i];
    if (((event->flags & FL_F_TIME_INVALID) != 0) != is_timeless) continue;
    FL_TRY(fl_run_push_anytime(run, event, in->times[i], (uint64_t)(uintptr_t)event, err));
  }
  return FL_OK;
}

static bool has_anytime(const fl_run *run) {
  const size_t n = run->first_hits[fl_rules_count(run->rules)];
  for (size_t i = 0; i < n; i++)
    if (run->hits[i].is_anytime) return true;
  return false;
}

fl_status fl_run_push_all(fl_run *run, fl_err *err) {
  const fl_sequence_input *in = &run->in;
  if (has_anytime(run)) {
    FL_TRY(push_anytime(run, in, true, err));
    FL_TRY(push_anytime(run, in, false, err));
  }
  for (size_t i = 0; i < in->n; i++)
    FL_TRY(fl_run_push(run, in->events[i], in->times[i], (uint64_t)(uintptr_t)in->events[i], err));
  return FL_OK;
}

fl_status fl_run_finish(fl_run *run, const fl_finding **ret_findings, size_t *ret_n,
                        uint64_t *ret_evicted, fl_err *err) {
  run->err = err;
  FL_TRY(fl_window_decide(run, true));
  FL_TRY(fl_keep_list(run, ret_findings, ret_n));
  *ret_evicted = run->n_evicted;
  return FL_OK;
}

fl_status fl_sequences_run(const fl_sequence_input *input, fl_arena *arena,
                           fl_finding **ret_findings, size_t *ret_n, uint64_t *ret_evicted,
                           fl_err *err) {
  fl_run *run = NULL;
  fl_sequence_input in = *input;
  in.is_kept = true;
  FL_TRY(fl_run_create(&in, &run, err));
  const fl_finding *findings = NULL;
  fl_status s = fl_run_push_all(run, err);
  if (s == FL_OK) s = fl_run_finish(run, &findings, ret_n, ret_evicted, err);
  if (s == FL_OK) s = fl_keep_copy(findings, *ret_n, arena, ret_findings, err);
  fl_run_free(run);
  return s;
}
