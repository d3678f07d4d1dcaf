/* match_plan.c - one plan for each kind of event seen, made when it is first asked for. */
#include "rules/match_plan.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

struct fl_plan_table {
  const fl_rules *rules;
  const char *const *kept_kinds;
  size_t n_kept_kinds;
  fl_arena *arena;
  fl_plan **slots;
  size_t n, n_slots;
  fl_plan_ref *refs; /* of the plan being made */
  size_t cap_refs;
  fl_plan passing;
};

fl_plan_table *fl_plan_table_create(const fl_rules *rules, const char *const *kept_kinds,
                                    size_t n_kept_kinds) {
  fl_plan_table *table = calloc(1, sizeof *table);
  if (!table) return NULL;
  *table = (fl_plan_table){
      .rules = rules, .kept_kinds = kept_kinds, .n_kept_kinds = n_kept_kinds, .n_slots = 1024};
  table->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  table->slots = calloc(table->n_slots, sizeof *table->slots);
  if (table->arena && table->slots) return table;
  fl_plan_table_free(table);
  return NULL;
}

void fl_plan_table_free(fl_plan_table *table) {
  if (!table) return;
  fl_arena_free(table->arena);
  free(table->slots);
  free(table->refs);
  free(table);
}

static uint64_t hash_nocase(fl_str s, uint64_t h) {
  for (size_t i = 0; i < s.n; i++) h = fl_hash_mix(h, (unsigned char)fl_lower(s.p[i]));
  return fl_hash_mix(h, s.n);
}

static uint64_t hash_of(const fl_plan_key *key) {
  uint64_t h = hash_nocase(key->provider, (uint64_t)key->event_id);
  h = hash_nocase(key->channel, h);
  return hash_nocase(key->kind, h);
}

static bool is_same(const fl_plan *plan, const fl_plan_key *key, uint64_t hash) {
  return plan->hash == hash && plan->event_id == key->event_id &&
         fl_str_eq_nocase(plan->provider, key->provider) &&
         fl_str_eq_nocase(plan->channel, key->channel) && fl_str_eq_nocase(plan->kind, key->kind);
}

static size_t slot_of(const fl_plan_table *table, const fl_plan_key *key, uint64_t hash) {
  size_t at = (size_t)hash & (table->n_slots - 1);
  while (table->slots[at] && !is_same(table->slots[at], key, hash))
    at = (at + 1) & (table->n_slots - 1);
  return at;
}

static bool grow_slots(fl_plan_table *table) {
  const size_t n_slots = table->n_slots * 2;
  fl_plan **slots = calloc(n_slots, sizeof(*slots));
  if (!slots) return false;
  for (size_t i = 0; i < table->n_slots; i++) {
    if (!table->slots[i]) continue;
    size_t at = (size_t)table->slots[i]->hash & (n_slots - 1);
    while (slots[at]) at = (at + 1) & (n_slots - 1);
    slots[at] = table->slots[i];
  }
  free(table->slots);
  table->slots = slots;
  table->n_slots = n_slots;
  return true;
}

static bool is_kept(const fl_plan_table *table, fl_str kind) {
  for (size_t i = 0; i < table->n_kept_kinds; i++) {
    const fl_str start = fl_str_of(table->kept_kinds[i]);
    if (kind.n >= start.n && fl_str_eq((fl_str){kind.p, start.n}, start)) return true;
  }
  return false;
}

/* Fills table->refs and what the plan says about them. */
static bool collect(fl_plan_table *table, const fl_plan_key *key, fl_plan *plan) {
  const fl_event event = {.provider = key->provider,
                          .channel = key->channel,
                          .kind = key->kind,
                          .event_id = key->event_id};
  plan->is_kept = is_kept(table, key->kind);
  plan->is_certain = plan->is_kept;
  plan->is_state_kept = plan->is_kept && fl_kind_is_state(key->kind);
  for (size_t r = 0; r < fl_rules_count(table->rules); r++) {
    const fl_rule *rule = fl_rules_at(table->rules, r);
    for (size_t s = 0; s < rule->n_selectors && !rule->info.is_private; s++) {
      if (!fl_event_source_fits(&rule->selectors[s].source, &event)) continue;
      if (!fl_grow((void **)&table->refs, &table->cap_refs, plan->n_refs + 1, sizeof *table->refs))
        return false;
      table->refs[plan->n_refs++] = (fl_plan_ref){(uint32_t)r, (uint16_t)s};
      if (!rule->selectors[s].where && !rule->selectors[s].source.named) plan->is_certain = true;
      plan->has_named |= rule->selectors[s].source.named != NULL;
      plan->has_anytime |= rule->selectors[s].is_anytime;
    }
  }
  return true;
}

/* A plan that stays; NULL when there is no room for it. */
static fl_plan *keep(fl_plan_table *table, const fl_plan *made) {
  if (table->n >= FL_LIMIT_SHAPES) return NULL;
  fl_plan *plan = FL_NEW(table->arena, fl_plan);
  fl_plan_ref *refs = FL_NEW_ARRAY(table->arena, fl_plan_ref, made->n_refs);
  if (!plan || !refs) return NULL;
  *plan = *made;
  plan->provider = fl_arena_str(table->arena, made->provider);
  plan->channel = fl_arena_str(table->arena, made->channel);
  plan->kind = fl_arena_str(table->arena, made->kind);
  if (!plan->provider.p || !plan->channel.p || !plan->kind.p) return NULL;
  if (made->n_refs) memcpy(refs, table->refs, made->n_refs * sizeof *refs);
  plan->refs = refs;
  plan->is_passing = false;
  return plan;
}

fl_plan *fl_plan_find(fl_plan_table *table, const fl_plan_key *key) {
  const uint64_t hash = hash_of(key);
  size_t slot = slot_of(table, key, hash);
  if (table->slots[slot]) return table->slots[slot];
  fl_plan made = {.hash = hash,
                  .provider = key->provider,
                  .channel = key->channel,
                  .kind = key->kind,
                  .event_id = key->event_id,
                  .is_passing = true};
  if (!collect(table, key, &made)) return NULL;
  if ((table->n + 1) * 2 > table->n_slots) {
    if (!grow_slots(table)) return NULL;
    slot = slot_of(table, key, hash);
  }
  fl_plan *plan = keep(table, &made);
  if (plan) {
    table->slots[slot] = plan;
    table->n++;
    return plan;
  }
  table->passing = made;
  table->passing.refs = table->refs;
  return &table->passing;
}
