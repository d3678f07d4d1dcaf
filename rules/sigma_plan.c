/* sigma_plan.c - which rules an event's channel, provider and id leave, made when first seen.
 *
 * Events with the same rules left share a group, which holds the literals that these rules wait
 * for. A row finds its plan by shape and id; only the first of its kind looks at texts. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/shape.h"
#include "rules/sigma_code.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_group.h"
#include "rules/sigma_run.h"

/* Of rows of one shape with one id: the channel and provider as recorded, the plan, the fields. */
typedef struct bound {
  uint64_t serial;
  int64_t event_id;
  fl_raw channel, provider; /* copies */
  const fl_sigma_plan *plan;
  const fl_sigma_ref *refs;
} bound;

enum { MAX_BOUND = 1 << 14, BOUND_SLOTS = MAX_BOUND * 2, MAX_PLANS = 1 << 14 };

struct fl_sigma_planner {
  fl_arena *arena; /* plans, groups, what is bound */
  bound **bounds;  /* BOUND_SLOTS */
  size_t n_bounds;
  fl_sigma_plan **plans; /* hash */
  size_t n_plans, n_plan_slots;
  fl_sigma_groups groups;
};

fl_sigma_planner *fl_sigma_planner_create(void) {
  fl_sigma_planner *planner = calloc(1, sizeof *planner);
  if (!planner) return NULL;
  planner->n_plan_slots = (size_t)MAX_PLANS * 2;
  planner->arena = fl_arena_create(FL_LIMIT_SIGMA_PLANS);
  planner->bounds = calloc(BOUND_SLOTS, sizeof(*planner->bounds));
  planner->plans = calloc(planner->n_plan_slots, sizeof(*planner->plans));
  if (!planner->arena || !planner->bounds || !planner->plans) {
    fl_sigma_planner_free(planner);
    return NULL;
  }
  return planner;
}

void fl_sigma_planner_free(fl_sigma_planner *planner) {
  if (!planner) return;
  fl_arena_free(planner->arena);
  free(planner->bounds);
  free(planner->plans);
  free(planner->groups.items);
  free(planner);
}

/* Logs with ever new channels and shapes cost time, not memory. */
static void forget(fl_sigma_planner *planner) {
  memset(planner->bounds, 0, BOUND_SLOTS * sizeof(*planner->bounds));
  memset(planner->plans, 0, planner->n_plan_slots * sizeof(*planner->plans));
  planner->n_bounds = planner->n_plans = planner->groups.n = 0;
  fl_arena_reset(planner->arena);
}

static bool has_channel(const fl_sigma_service *service, fl_str channel) {
  for (size_t i = 0; i < service->n_channels; i++)
    if (fl_str_eq(service->channels[i], channel)) return true;
  return false;
}

/* The places of a rule's log source have the event, and under which names of fields. */
static bool is_in_place(const fl_sigma_run *run, const fl_sigma_rule *rule, fl_sigma_plan *plan) {
  const fl_sigma_sources *sources = fl_sigma_set_sources(run->set);
  const uint32_t id = plan->event_id < 0 ? UINT32_MAX : (uint32_t)plan->event_id;
  for (size_t i = 0; i < rule->n_places; i++) {
    const fl_sigma_place *place = &rule->places[i];
    if (place->service == UINT32_MAX) {
      if (plan->channel.n) return true;
      continue;
    }
    if (!fl_sigma_place_has(place->ids, place->n_ids, id)) continue;
    if (!has_channel(&sources->services[place->service], plan->channel)) continue;
    if (place->n_ids) plan->service = place->service;
    return true;
  }
  return false;
}

typedef enum answer { NO, YES, OPEN } answer;

static bool is_fixed(const fl_sigma_run *run, uint32_t pred) {
  return fl_sigma_field_is_key(run->fields[run->preds[pred].field].name) &&
         run->preds[pred].op != FL_SIGMA_FIELD;
}

/* What a condition comes to by the id and the provider alone. */
static answer judge(fl_sigma_run *run, const uint32_t *code, uint32_t at) {
  const uint32_t word = code[at];
  const uint32_t arg = fl_sigma_word_arg(word);
  const fl_sigma_kind kind = fl_sigma_word_kind(word);
  if (kind == FL_SIGMA_PRED)
    return !is_fixed(run, arg) ? OPEN : fl_sigma_pred_holds(run, arg) ? YES : NO;
  if (kind == FL_SIGMA_NOT) {
    const answer a = judge(run, code, at + 1);
    return a == OPEN ? OPEN : a == YES ? NO : YES;
  }
  const answer decides = kind == FL_SIGMA_AND ? NO : YES;
  answer all = kind == FL_SIGMA_AND ? YES : NO;
  for (uint32_t kid = at + 1; kid < arg; kid = fl_sigma_code_next(code, kid)) {
    const answer a = judge(run, code, kid);
    if (a == decides) return decides;
    if (a == OPEN) all = OPEN;
  }
  return all;
}

/* The key as values of the fields that it decides. */
static bool set_key(fl_sigma_run *run, const fl_sigma_plan *plan) {
  run->group = NULL;
  for (size_t i = 1; i < run->n_fields; i++) {
    const fl_str name = run->fields[i].name;
    fl_str text = {0};
    if (!fl_sigma_field_is_key(name)) continue;
    if (!fl_str_eq(name, FL_STR("eventid"))) text = plan->provider;
    else if (plan->event_id >= 0)
      text = fl_arena_printf(run->scratch, "%lld", (long long)plan->event_id);
    fl_sigma_values_set(run, (uint32_t)i, text);
  }
  return true;
}

/* The rules that are left, in run->queue. */
static void choose_rules(fl_sigma_run *run, fl_sigma_plan *plan) {
  run->n_queue = 0;
  for (uint32_t i = 0; i < run->n_rules; i++) {
    const fl_sigma_rule *rule = run->rules[i];
    if (run->is_off[i] || !rule->code || !is_in_place(run, rule, plan)) continue;
    if (judge(run, rule->code, 0) != NO) run->queue[run->n_queue++] = i;
  }
}

/* Predicates that the key decides, of the rules that are left. */
static bool fix(fl_sigma_run *run, fl_sigma_plan *plan, fl_arena *arena) {
  size_t n = 0;
  for (int pass = 0; pass < 2; pass++) {
    fl_sigma_fixed *fixed = pass ? FL_NEW_ARRAY(arena, fl_sigma_fixed, n) : NULL;
    if (pass && !fixed) return false;
    n = 0;
    for (size_t r = 0; r < run->n_queue; r++) {
      const fl_sigma_rule *rule = run->rules[run->queue[r]];
      for (uint32_t i = 0; i < rule->n_code; i++) {
        const uint32_t arg = fl_sigma_word_arg(rule->code[i]);
        if (fl_sigma_word_kind(rule->code[i]) != FL_SIGMA_PRED || !is_fixed(run, arg)) continue;
        if (fixed) fixed[n] = (fl_sigma_fixed){arg, fl_sigma_pred_holds(run, arg)};
        n++;
      }
    }
    if (fixed) plan->fixed = fixed;
  }
  plan->n_fixed = n;
  return true;
}

static bool fill_plan(fl_sigma_run *run, fl_sigma_plan *plan) {
  fl_sigma_planner *planner = run->planner;
  if (!set_key(run, plan)) return false;
  choose_rules(run, plan);
  if (!fix(run, plan, planner->arena)) return false;
  plan->group = fl_sigma_group_find(&planner->groups, run, planner->arena);
  return plan->group != NULL;
}

static fl_sigma_plan *find_plan(fl_sigma_run *run, const fl_sigma_plan *key) {
  fl_sigma_planner *planner = run->planner;
  const size_t mask = planner->n_plan_slots - 1;
  size_t at = (size_t)key->hash & mask;
  for (; planner->plans[at]; at = (at + 1) & mask) {
    fl_sigma_plan *plan = planner->plans[at];
    if (plan->hash == key->hash && plan->event_id == key->event_id &&
        fl_str_eq(plan->channel, key->channel) && fl_str_eq(plan->provider, key->provider))
      return plan;
  }
  fl_sigma_plan *plan = FL_NEW(planner->arena, fl_sigma_plan);
  if (!plan) return NULL;
  *plan = *key;
  plan->channel = fl_arena_str(planner->arena, key->channel);
  plan->provider = fl_arena_str(planner->arena, key->provider);
  if (!plan->channel.p || !plan->provider.p || !fill_plan(run, plan)) return NULL;
  planner->plans[at] = plan;
  planner->n_plans++;
  return plan;
}

static fl_str folded_column(fl_sigma_run *run, fl_column column) {
  const fl_raw raw = fl_raw_trim(fl_row_column(run->batch, run->row, column));
  const fl_str text = raw.type == FL_T_NULL ? FL_STR("") : fl_raw_text(raw, run->scratch);
  return fl_sigma_fold(text, run->scratch);
}

static bool copy_raw(fl_arena *arena, fl_raw raw, fl_raw *ret) {
  uint8_t *bytes = fl_arena_take(arena, raw.n);
  if (!bytes) return false;
  if (raw.n) memcpy(bytes, raw.p, raw.n);
  *ret = raw;
  ret->p = bytes;
  return true;
}

static bool is_same(fl_raw a, fl_raw b) {
  return a.type == b.type && a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Makes what is bound for the row at hand; NULL = the planner's memory is full. */
static bound *make_bound(fl_sigma_run *run, int64_t event_id) {
  fl_arena *arena = run->planner->arena;
  fl_sigma_plan key = {.event_id = event_id, .service = UINT32_MAX};
  key.channel = folded_column(run, FL_C_CHANNEL);
  key.provider = folded_column(run, FL_C_PROVIDER);
  if (!key.channel.p || !key.provider.p) return NULL;
  key.hash = fl_hash_mix(
      fl_hash_bytes(key.channel.p, key.channel.n, fl_hash_bytes(key.provider.p, key.provider.n, 0)),
      (uint64_t)event_id);
  bound *b = FL_NEW(arena, bound);
  fl_sigma_ref *refs = FL_NEW_ARRAY(arena, fl_sigma_ref, run->n_fields);
  if (!b || !refs) return NULL;
  b->serial = run->row->shape->serial;
  b->event_id = event_id;
  b->plan = find_plan(run, &key);
  b->refs = refs;
  if (!b->plan ||
      !copy_raw(arena, fl_row_column(run->batch, run->row, FL_C_CHANNEL), &b->channel) ||
      !copy_raw(arena, fl_row_column(run->batch, run->row, FL_C_PROVIDER), &b->provider))
    return NULL;
  if (b->plan->group->n_rules && !fl_sigma_bind(run, b->plan, run->row->shape, refs)) return NULL;
  return b;
}

static bound *remember(fl_sigma_run *run, int64_t event_id, size_t slot) {
  fl_sigma_planner *planner = run->planner;
  if (planner->n_bounds >= MAX_BOUND || planner->n_plans >= MAX_PLANS) forget(planner);
  bound *b = make_bound(run, event_id);
  if (!b) {
    forget(planner);
    b = make_bound(run, event_id);
  }
  if (!b || !fl_shape_is_kept(run->row->shape)) return b;
  while (planner->bounds[slot]) slot = (slot + 1) & (BOUND_SLOTS - 1);
  planner->bounds[slot] = b;
  planner->n_bounds++;
  return b;
}

const fl_sigma_plan *fl_sigma_plan_find(fl_sigma_run *run, const fl_sigma_ref **ret_refs) {
  const fl_sigma_planner *planner = run->planner;
  const uint64_t serial = run->row->shape->serial;
  uint64_t number = 0;
  const bool has_id = fl_raw_u64(fl_row_column(run->batch, run->row, FL_C_EVENT_ID), &number) &&
                      number < UINT32_MAX;
  const int64_t event_id = has_id ? (int64_t)number : -1;
  const size_t first = (size_t)fl_hash_mix(serial, (uint64_t)event_id) & (BOUND_SLOTS - 1);
  const bound *b = NULL;
  if (fl_shape_is_kept(run->row->shape)) {
    const fl_raw channel = fl_row_column(run->batch, run->row, FL_C_CHANNEL);
    const fl_raw provider = fl_row_column(run->batch, run->row, FL_C_PROVIDER);
    for (size_t at = first; (b = planner->bounds[at]); at = (at + 1) & (BOUND_SLOTS - 1))
      if (b->serial == serial && b->event_id == event_id && is_same(b->channel, channel) &&
          is_same(b->provider, provider))
        break;
  }
  if (!b) b = remember(run, event_id, first);
  if (!b) return NULL;
  *ret_refs = b->refs;
  return b->plan;
}
