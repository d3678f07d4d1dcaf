/* sigma_run.c - rows through Sigma rules: scan what they wait for, then ask those that were met. */
#include "rules/sigma_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/sigma_gather.h"

static void run_free(void *self) {
  fl_sigma_run *run = self;
  if (!run) return;
  fl_regex_scratch_free(run->regexes);
  fl_sigma_planner_free(run->planner);
  fl_sigma_gather_free(run->gather);
  fl_arena_free(run->scratch);
  free(run->is_off);
  free(run->is_mute);
  free(run->strikes);
  free(run->values);
  free(run->known);
  free(run->asked);
  free(run->queue);
  free(run->finds.seen);
  free(run->finds.ids);
  free(run);
}

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory while matching Sigma rules");
}

/* All marks carry the epoch; when it comes round they are wiped. */
static void next_epoch(fl_sigma_run *run) {
  enum { LAST = INT32_MAX };
  if (run->epoch < LAST) {
    run->epoch++;
    return;
  }
  run->epoch = 1;
  memset(run->known, 0, run->n_preds * sizeof *run->known);
  memset(run->asked, 0, run->n_rules * sizeof *run->asked);
  memset(run->values, 0, run->n_fields * sizeof *run->values);
  memset(run->finds.seen, 0, run->cap_finds * sizeof *run->finds.seen);
}

static bool make_finds(fl_sigma_run *run, size_t n) {
  if (n <= run->cap_finds) return true;
  uint32_t *ids = realloc(run->finds.ids, n * sizeof *ids);
  if (ids) run->finds.ids = ids;
  uint32_t *seen = ids ? realloc(run->finds.seen, n * sizeof *seen) : NULL;
  if (!seen) return false;
  run->finds.seen = seen;
  memset(seen + run->cap_finds, 0, (n - run->cap_finds) * sizeof *seen);
  run->cap_finds = n;
  return true;
}

static void ask(fl_sigma_run *run, uint32_t rule) {
  if (run->asked[rule] == run->epoch) return;
  run->asked[rule] = run->epoch;
  run->queue[run->n_queue++] = rule;
}

static void scan(fl_sigma_run *run, const fl_sigma_group *group) {
  run->finds.n = 0;
  run->finds.epoch = run->epoch;
  for (size_t i = 0; i < group->n_scans; i++) {
    const fl_sigma_field_values *v = fl_sigma_values_at(run, group->scans[i].field);
    for (size_t k = 0; k < v->n_items; k++) {
      if (v->items[k].is_null) continue;
      const fl_str text = fl_sigma_item_folded(run, &v->items[k]);
      fl_sigma_scan_text(group->scans[i].scan, (const uint8_t *)text.p, text.n, &run->finds);
    }
  }
  for (size_t i = 0; i < run->finds.n; i++) {
    const uint32_t literal = run->finds.ids[i];
    run->known[group->preds[literal]] = run->epoch << 1 | 1;
    for (uint32_t k = group->starts[literal]; k < group->starts[literal + 1]; k++)
      ask(run, group->waiting[k]);
  }
}

/* A rule whose regex is too hard three times is given up, and that is told. */
static fl_status strike(fl_sigma_run *run, uint32_t rule, fl_err *err) {
  enum { OUT = 3 };
  if (++run->strikes[rule] < OUT) return FL_OK;
  run->is_off[rule] = true;
  return fl_hits_note(
      run->hits, err,
      "rule %s: its regex went over the limit of %d steps on %d events; it was given "
      "up",
      run->rules[rule]->info.name, FL_LIMIT_REGEX_STEPS, OUT);
}

static fl_status give_hit(fl_sigma_run *run, uint32_t rule, fl_err *err) {
  if (run->rules[rule]->n_feeds) fl_sigma_gather_event(run, rule);
  if (run->is_mute[rule]) return FL_OK;
  const fl_hit_event event = fl_hits_event_of(run->batch, run->row);
  const fl_hit hit = {
      .engine = FL_BY_SIGMA, .rule = rule, .t = run->row->t, .events = &event, .n_events = 1};
  return fl_hits_add(run->hits, &hit, run->batch, run->row, err);
}

static fl_status ask_rules(fl_sigma_run *run, const fl_sigma_plan *plan, fl_err *err) {
  for (size_t i = 0; i < plan->n_fixed; i++)
    run->known[plan->fixed[i].pred] = run->epoch << 1 | plan->fixed[i].holds;
  for (size_t i = 0; i < run->n_queue; i++) {
    const uint32_t rule = run->queue[i];
    if (run->is_off[rule]) continue;
    const bool holds = fl_sigma_rule_holds(run, run->rules[rule]);
    if (run->is_unknown) FL_TRY(strike(run, rule, err));
    if (holds) FL_TRY(give_hit(run, rule, err));
  }
  return FL_OK;
}

static fl_status match_row(fl_sigma_run *run, fl_err *err) {
  next_epoch(run);
  fl_arena_reset(run->scratch);
  const fl_sigma_plan *plan = fl_sigma_plan_find(run, &run->refs);
  if (!plan) return no_memory(err);
  const fl_sigma_group *group = plan->group;
  if (group->n_rules == 0) return FL_OK;
  if (!make_finds(run, group->n_literals)) return no_memory(err);
  next_epoch(run); /* what a new plan was made with is no value of the row */
  run->group = group;
  run->n_queue = 0;
  for (size_t i = 0; i < group->n_always; i++) ask(run, group->always[i]);
  scan(run, group);
  if (run->n_queue) FL_TRY(ask_rules(run, plan, err));
  if (!run->is_out_of_memory) return FL_OK;
  return no_memory(err);
}

const fl_sigma_plan *fl_sigma_run_place(fl_sigma_run *run, const fl_batch *batch, const fl_row *row,
                                        fl_sigma_ref *refs) {
  run->batch = batch;
  run->row = row;
  next_epoch(run);
  fl_arena_reset(run->scratch);
  const fl_sigma_ref *unused = NULL;
  const fl_sigma_plan *plan = fl_sigma_plan_find(run, &unused);
  /* Rows that no rule asks for are not bound. */
  if (!plan || !fl_sigma_bind(run, plan, row->shape, refs)) return NULL;
  next_epoch(run);
  run->refs = refs;
  run->group = NULL; /* nothing was scanned: each predicate is asked */
  return plan;
}

static fl_status trace(void *self, const fl_tracing *tracing, const fl_batch *batch,
                       const fl_row *row, fl_err *err) {
  return fl_sigma_trace(self, tracing, batch, row, err);
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  fl_sigma_run *run = self;
  run->batch = batch;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    run->row = &batch->rows[i];
    if (run->row->flags & (FL_F_DUPLICATE | FL_F_GAP)) continue;
    FL_TRY(match_row(run, err));
  }
  return FL_OK;
}

/* A rule that nobody wants to hear of may be needed by a correlation. */
static void choose(fl_sigma_run *run) {
  for (size_t i = 0; i < run->n_rules; i++) {
    const fl_sigma_rule *rule = run->rules[i];
    run->is_mute[i] = rule->is_silent || !fl_hits_wants(run->hits, &rule->info);
    run->is_off[i] = rule->is_disabled || (run->is_mute[i] && !rule->n_feeds);
  }
}

static fl_status begin(void *self, const fl_source_info *source, fl_err *err) {
  fl_sigma_run *run = self;
  return !run->gather || fl_sigma_gather_source(run->gather, source) ? FL_OK : no_memory(err);
}

static fl_status finish(void *self, fl_err *err) {
  fl_sigma_run *run = self;
  return run->gather ? fl_sigma_correlate(run, err) : FL_OK;
}

static bool make_gather(fl_sigma_run *run) {
  size_t n = 0;
  (void)fl_sigma_order(run->set, &n);
  return n == 0 || (run->gather = fl_sigma_gather_create()) != NULL;
}

static bool make_room(fl_sigma_run *run) {
  run->fields = fl_sigma_fields(run->set, &run->n_fields);
  run->preds = fl_sigma_preds(run->set, &run->n_preds);
  run->rules = fl_sigma_rules(run->set, &run->n_rules);
  run->is_off = calloc(run->n_rules + 1, sizeof *run->is_off);
  run->is_mute = calloc(run->n_rules + 1, sizeof *run->is_mute);
  run->strikes = calloc(run->n_rules + 1, sizeof *run->strikes);
  run->values = calloc(run->n_fields + 1, sizeof *run->values);
  run->known = calloc(run->n_preds + 1, sizeof *run->known);
  run->asked = calloc(run->n_rules + 1, sizeof *run->asked);
  run->queue = calloc(run->n_rules + 1, sizeof *run->queue);
  run->regexes = fl_regex_scratch_create();
  run->planner = fl_sigma_planner_create();
  run->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  /* The first block stays from event to event: most need no other. */
  return run->is_off && run->is_mute && make_gather(run) && run->strikes && run->values &&
         run->known && run->asked && run->queue && run->regexes && run->planner && run->scratch &&
         fl_arena_alloc(run->scratch, (size_t)256 << 10);
}

fl_status fl_sigma_run_start(const void *set, const fl_hunt_options *options, fl_hits *hits,
                             fl_engine_run *ret_run, fl_err *err) {
  (void)options;
  fl_sigma_run *run = calloc(1, sizeof *run);
  if (run) run->set = set;
  if (!run || !make_room(run)) {
    run_free(run);
    return no_memory(err);
  }
  run->hits = hits;
  choose(run);
  *ret_run = (fl_engine_run){.self = run,
                             .sink = {.self = run, .begin = begin, .batch = take_batch},
                             .finish = finish,
                             .trace = trace,
                             .free = run_free};
  return FL_OK;
}
