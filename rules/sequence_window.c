/* sequence_window.c - which runs are over, and what is forgotten when they are.
 *
 * An anchor is decided when nothing that is to come can lie in its windows. Until then its hits
 * stay, and those before it as far as its rule looks back. Work is done page by page: a page is as
 * large as half of what stays, so that each hit is looked at a few times only. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/sequence_run.h"

enum { PAGE = 32 << 10, FEW_VALUES = 64 << 10 };

static fl_status no_memory(fl_run *run) {
  return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for sequences");
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Windows count from the anchor, from steps that lie in windows of it, or from absent events: the
 * widths of those add up at worst. */
static void find_reach(const fl_run *run, const fl_rule *rule, fl_rule_run *of) {
  const uint16_t cluster = rule->steps[rule->anchor].cluster;
  int64_t ahead = rule->within_ns, behind = 0, more = 0;
  for (size_t i = 0; i < rule->n_steps; i++) {
    const fl_step *step = &rule->steps[i];
    const bool is_around =
        step->window == FL_W_DURING || (step->cluster != FL_FLR_NONE && step->cluster == cluster);
    if (step->kind == FL_STEP_ABSENT) more = fl_time_plus(more, step->ns);
    if (is_around) ahead = larger(ahead, step->ns);
    if (is_around || step->window == FL_W_BEFORE) behind = larger(behind, step->ns);
  }
  const int64_t spread = fl_time_plus(run->widest_spread, run->widest_spread);
  const int64_t slack = larger(rule->skew_ns, spread);
  of->ahead = fl_time_plus(fl_time_plus(ahead, more), slack);
  of->behind = fl_time_plus(fl_time_plus(behind, more), slack);
  of->cut = INT64_MIN;
}

static size_t page_of(const fl_run *run) {
  if (run->in.page) return run->in.page;
  return run->n_hits / 2 > PAGE ? run->n_hits / 2 : PAGE;
}

fl_status fl_window_init(fl_run *run) {
  const size_t n = fl_rules_count(run->rules);
  run->rule_runs = FL_NEW_ARRAY(run->work, fl_rule_run, n);
  if (!run->rule_runs) return no_memory(run);
  for (size_t r = 0; r < n; r++) find_reach(run, fl_rules_at(run->rules, r), &run->rule_runs[r]);
  run->page = page_of(run);
  run->most_values = FEW_VALUES;
  return FL_OK;
}

static bool is_anchor(const fl_rule *rule, size_t step) {
  const fl_step *anchor = &rule->steps[rule->anchor];
  return step == rule->anchor ||
         (anchor->choice != FL_FLR_NONE && rule->steps[step].kind == FL_STEP_ITEM &&
          rule->steps[step].choice == anchor->choice);
}

static fl_status index_rule(fl_run *run, size_t r) {
  const fl_rule *rule = fl_rules_at(run->rules, r);
  for (size_t k = 0; k < rule->n_steps; k++) {
    const uint16_t event = rule->steps[k].event;
    FL_TRY(fl_hits_index(run, rule, event, &run->hits[run->first_hits[r] + event]));
  }
  return FL_OK;
}

static bool is_over(const fl_run *run, const fl_rule_run *of, uint32_t event) {
  const fl_slot *slot = fl_run_slot(run, event);
  fl_time end = slot->t;
  if (slot->is_synthetic) end = fl_sequence_end(fl_run_event(run, event), end);
  return fl_time_plus(end, of->ahead) < run->now;
}

/* A repeated anchor takes its later occurrences with it: oldest first, those are skipped. */
static fl_status decide_one(fl_run *run, size_t r, uint16_t event, bool is_early) {
  fl_hits *hits = &run->hits[run->first_hits[r] + event];
  const uint32_t hit = (uint32_t)hits->n_decided++;
  if (hits->taken && hits->taken[hit]) return FL_OK;
  if (!hits->taken || !fl_keep_is_full(run, r))
    return fl_anchor_decide(run, r, event, hit, is_early);
  run->n_evicted++;
  return FL_OK;
}

/* What a pass over the open runs of a rule has to do. */
typedef struct pass {
  bool is_end;
  size_t n_early; /* the oldest are decided though their time is not over */
  bool is_indexed;
} pass;

static fl_status decide_event(fl_run *run, size_t r, uint16_t event, pass *p) {
  fl_rule_run *of = &run->rule_runs[r];
  fl_hits *hits = &run->hits[run->first_hits[r] + event];
  const fl_step *anchor = &fl_rules_at(run->rules, r)->steps[fl_rules_at(run->rules, r)->anchor];
  if (anchor->is_repeated &&
      !fl_grow_zeroed((void **)&hits->taken, &hits->cap_taken, hits->n + 1, 1))
    return no_memory(run);
  while (hits->n_decided < hits->n) {
    const bool is_done = p->is_end || is_over(run, of, hits->at[hits->n_decided]);
    if (!is_done && p->n_early == 0) break;
    if (!is_done) p->n_early--;
    if (!is_done) run->n_evicted++;
    if (!p->is_indexed) FL_TRY(index_rule(run, r));
    p->is_indexed = true;
    FL_TRY(decide_one(run, r, event, !is_done));
  }
  of->n_open += hits->n - hits->n_decided;
  return FL_OK;
}

static fl_status decide_rule(fl_run *run, size_t r, pass p) {
  const fl_rule *rule = fl_rules_at(run->rules, r);
  run->rule_runs[r].n_open = 0;
  if (!run->hits[run->first_hits[r] + rule->steps[rule->anchor].event].is_wanted) return FL_OK;
  for (size_t k = rule->anchor; k < rule->n_steps; k++)
    if (is_anchor(rule, k)) FL_TRY(decide_event(run, r, rule->steps[k].event, &p));
  return FL_OK;
}

/* The oldest runs of a rule, until so many are left. */
static fl_status give_up(fl_run *run, size_t r, size_t n_left) {
  const size_t n_open = run->rule_runs[r].n_open;
  return n_open > n_left ? decide_rule(run, r, (pass){.n_early = n_open - n_left}) : FL_OK;
}

/* The rule that has most open runs loses a quarter of them, again and again. */
static fl_status hold_open(fl_run *run) {
  for (;;) {
    size_t n = 0, most = 0;
    for (size_t r = 0; r < fl_rules_count(run->rules); r++) {
      n += run->rule_runs[r].n_open;
      if (run->rule_runs[r].n_open > run->rule_runs[most].n_open) most = r;
    }
    if (n <= run->max_open) return FL_OK;
    const size_t n_open = run->rule_runs[most].n_open, n_over = n - run->max_open;
    const size_t n_less = n_over < n_open / 4 + 1 ? n_over : n_open / 4 + 1;
    FL_TRY(give_up(run, most, n_open - n_less));
  }
}

static void drop_hits(fl_run *run, fl_hits *hits, size_t n_captures, size_t n_drop) {
  const size_t n_left = hits->n - n_drop;
  if (n_drop == 0) return;
  memmove(hits->at, hits->at + n_drop, n_left * sizeof *hits->at);
  if (n_captures)
    memmove(hits->values, hits->values + n_drop * n_captures,
            n_left * n_captures * sizeof *hits->values);
  if (hits->taken) {
    memmove(hits->taken, hits->taken + n_drop, n_left);
    memset(hits->taken + n_left, 0, hits->cap_taken - n_left);
  }
  hits->n = n_left;
  hits->n_decided -= hits->n_decided < n_drop ? hits->n_decided : n_drop;
  run->n_hits -= n_drop;
}

static size_t count_before(const fl_run *run, const fl_hits *hits, fl_time t) {
  size_t low = 0, high = hits->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (fl_run_time(run, hits->at[middle]) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* What no open run and no later anchor can look at. */
static fl_time horizon_of(const fl_run *run, size_t r) {
  const fl_rule *rule = fl_rules_at(run->rules, r);
  fl_time first = run->now;
  for (size_t k = rule->anchor; k < rule->n_steps; k++) {
    const fl_hits *hits = &run->hits[run->first_hits[r] + rule->steps[k].event];
    if (!is_anchor(rule, k) || hits->n_decided == hits->n) continue;
    const fl_time t = fl_run_time(run, hits->at[hits->n_decided]);
    if (t < first) first = t;
  }
  return fl_time_plus(first, -run->rule_runs[r].behind);
}

static void forget_before(fl_run *run, size_t r, fl_time t) {
  const fl_rule *rule = fl_rules_at(run->rules, r);
  for (size_t s = 0; s < rule->n_selectors; s++) {
    fl_hits *hits = &run->hits[run->first_hits[r] + s];
    if (hits->is_wanted && !hits->is_anytime)
      drop_hits(run, hits, rule->selectors[s].n_captures, count_before(run, hits, t));
  }
}

static size_t count_hits(const fl_run *run, size_t r) {
  size_t n = 0;
  for (size_t i = run->first_hits[r]; i < run->first_hits[r + 1]; i++)
    n += run->hits[i].is_anytime ? 0 : run->hits[i].n;
  return n;
}

/* The time before which half of a rule's hits lie, by its largest selector. */
static fl_time middle_of(const fl_run *run, size_t r) {
  const fl_hits *most = NULL; /* there is one: the anchor's */
  for (size_t i = run->first_hits[r]; i < run->first_hits[r + 1]; i++)
    if (!run->hits[i].is_anytime && (!most || run->hits[i].n > most->n)) most = &run->hits[i];
  return fl_run_time(run, most->at[most->n / 2]);
}

static size_t count_open_before(const fl_run *run, size_t r, fl_time t) {
  const fl_rule *rule = fl_rules_at(run->rules, r);
  size_t n = 0;
  for (size_t k = rule->anchor; k < rule->n_steps; k++) {
    const fl_hits *hits = &run->hits[run->first_hits[r] + rule->steps[k].event];
    if (!is_anchor(rule, k)) continue;
    const size_t n_before = count_before(run, hits, t);
    if (n_before > hits->n_decided) n += n_before - hits->n_decided;
  }
  return n;
}

/* More hits than there is room for: the rule that holds most of them loses the older half; what it
 * looks for there is unknown from then on. Hits of one time go all at once, or stay. */
static fl_status hold_hits(fl_run *run) {
  while (run->n_hits > run->max_hits) {
    size_t most = 0;
    for (size_t r = 1; r < fl_rules_count(run->rules); r++)
      if (count_hits(run, r) > count_hits(run, most)) most = r;
    const fl_time cut = fl_time_plus(middle_of(run, most), 1);
    const size_t n_open = count_open_before(run, most, cut), n_before = run->n_hits;
    FL_TRY(give_up(run, most, run->rule_runs[most].n_open - n_open));
    run->rule_runs[most].cut = cut;
    forget_before(run, most, cut);
    run->n_evicted += n_before - run->n_hits;
  }
  return FL_OK;
}

static void forget_slots(fl_run *run) {
  const size_t n = run->first_hits[fl_rules_count(run->rules)];
  uint32_t first = run->base + (uint32_t)run->n_slots;
  for (size_t i = 0; i < n; i++)
    if (run->hits[i].n && !run->hits[i].is_anytime && run->hits[i].at[0] < first)
      first = run->hits[i].at[0];
  const size_t n_drop = first - run->base;
  if (n_drop == 0) return;
  run->n_slots -= n_drop;
  memmove(run->slots, run->slots + n_drop, run->n_slots * sizeof *run->slots);
  run->base = first;
}

/* The values of one selector as numbers of a new table. */
static bool renumber(fl_run *run, fl_hits *hits, size_t n_captures, uint32_t *numbers,
                     fl_interner *table) {
  for (size_t i = 0; i < hits->n * n_captures; i++) {
    const uint32_t old = hits->values[i];
    if (old && !numbers[old] && !fl_intern(table, run->values.texts[old], &numbers[old]))
      return false;
    hits->values[i] = numbers[old];
  }
  return true;
}

/* Values that no hit has any more take room: the others get new numbers. */
static fl_status forget_values(fl_run *run) {
  if (run->values.n <= run->most_values) return FL_OK;
  fl_interner table = {.arena = fl_arena_create(FL_LIMIT_JOB_ARENA), .n = 1};
  uint32_t *numbers = calloc(run->values.n + 1, sizeof *numbers);
  int32_t *machines = NULL;
  size_t cap_machines = 0;
  bool is_done = table.arena && numbers;
  for (size_t r = 0; is_done && r < fl_rules_count(run->rules); r++) {
    const fl_rule *rule = fl_rules_at(run->rules, r);
    for (size_t s = 0; is_done && s < rule->n_selectors; s++)
      is_done = renumber(run, &run->hits[run->first_hits[r] + s], rule->selectors[s].n_captures,
                         numbers, &table);
  }
  is_done = is_done && fl_grow((void **)&machines, &cap_machines, table.n, sizeof *machines);
  for (size_t i = 0; is_done && i < cap_machines; i++) machines[i] = -1;
  for (size_t i = 1; is_done && i < run->values.n && i < run->cap_value_machine; i++)
    if (numbers[i]) machines[numbers[i]] = run->value_machine[i];
  free(numbers);
  fl_arena_free(run->values.arena);
  fl_interner_done(&run->values);
  free(run->value_machine);
  run->values = table;
  run->value_machine = machines;
  run->cap_value_machine = cap_machines;
  run->most_values = table.n * 2 > FEW_VALUES ? table.n * 2 : FEW_VALUES;
  return is_done ? FL_OK : no_memory(run);
}

fl_status fl_window_decide(fl_run *run, bool is_end) {
  const size_t n_rules = fl_rules_count(run->rules);
  for (size_t r = 0; r < n_rules; r++) {
    FL_TRY(decide_rule(run, r, (pass){.is_end = is_end}));
    FL_TRY(give_up(run, r, run->max_open_of_rule));
  }
  if (is_end) return FL_OK;
  FL_TRY(hold_open(run));
  for (size_t r = 0; r < n_rules; r++) forget_before(run, r, horizon_of(run, r));
  FL_TRY(hold_hits(run));
  forget_slots(run);
  FL_TRY(forget_values(run));
  run->page = run->n_hits + page_of(run);
  return FL_OK;
}
