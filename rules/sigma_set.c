/* sigma_set.c - the set of Sigma rules: loading of texts, interning of fields and predicates. */
#include "rules/sigma_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/regex.h"
#include "rules/sigma_code.h"
#include "rules/sigma_correlation.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_run.h"

static void set_free(void *self) {
  fl_sigma_set *set = self;
  if (!set) return;
  for (size_t i = 0; i < set->n_preds; i++) fl_regex_free(set->preds[i].regex);
  fl_sigma_sources_done(&set->sources);
  fl_arena_free(set->arena);
  fl_arena_free(set->scratch);
  free(set->fields);
  free(set->field_index.slots);
  free(set->preds);
  free(set->pred_index.slots);
  free(set->n_uses);
  free(set->rules);
  free(set->id_index.slots);
  free(set->order);
  free(set);
}

static fl_status set_create(void **ret_set, fl_err *err) {
  fl_sigma_set *set = calloc(1, sizeof *set);
  if (set) {
    set->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
    set->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  }
  fl_status s = set && set->arena && set->scratch
                    ? fl_sigma_sources_init(&set->sources, set->arena, err)
                    : fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  /* The first field is the whole event. */
  if (s == FL_OK && fl_sigma_field_of(set, FL_STR(""), 0) != FL_SIGMA_KEYWORDS)
    s = fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  if (s == FL_OK) *ret_set = set;
  else set_free(set);
  return s;
}

/* Doubles the slots when they are half full; `hash_of` gives the hash of an item by its index. */
static bool make_room(fl_sigma_index *index, size_t n, const fl_sigma_set *set,
                      uint64_t (*hash_of)(const fl_sigma_set *set, size_t item)) {
  if ((n + 1) * 2 <= index->n_slots) return true;
  const size_t n_slots = index->n_slots ? index->n_slots * 2 : 1024;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < n; i++) {
    size_t at = (size_t)hash_of(set, i) & (n_slots - 1);
    while (slots[at]) at = (at + 1) & (n_slots - 1);
    slots[at] = (uint32_t)i + 1;
  }
  free(index->slots);
  *index = (fl_sigma_index){slots, n_slots};
  return true;
}

static uint64_t field_hash(const fl_sigma_set *set, size_t item) { return set->fields[item].hash; }

uint32_t fl_sigma_field_of(fl_sigma_set *set, fl_str name, uint32_t category) {
  const fl_str folded = fl_sigma_field_name(name, set->scratch);
  if (!folded.p || !make_room(&set->field_index, set->n_fields, set, field_hash)) return UINT32_MAX;
  if (category && !fl_sigma_category_maps(&set->sources.categories[category - 1], folded))
    category = 0;
  const uint64_t hash = fl_hash_bytes(folded.p, folded.n, category);
  const size_t mask = set->field_index.n_slots - 1;
  size_t at = (size_t)hash & mask;
  for (; set->field_index.slots[at]; at = (at + 1) & mask) {
    const fl_sigma_field *field = &set->fields[set->field_index.slots[at] - 1];
    if (field->category == category && fl_str_eq(field->name, folded))
      return set->field_index.slots[at] - 1;
  }
  const fl_str kept = fl_arena_str(set->arena, folded);
  if (!kept.p ||
      !fl_grow((void **)&set->fields, &set->cap_fields, set->n_fields + 1, sizeof *set->fields))
    return UINT32_MAX;
  set->fields[set->n_fields++] = (fl_sigma_field){kept, category, hash};
  set->field_index.slots[at] = (uint32_t)set->n_fields;
  return (uint32_t)set->n_fields - 1;
}

/* Everything but the text, as bytes without holes. */
typedef struct pred_key {
  uint32_t field, other;
  int64_t whole;
  double real;
  uint8_t op, compare, part, flags, is_cased, is_int, n_bits, is_v6;
  uint8_t net[16];
} pred_key;

static pred_key key_of(const fl_sigma_pred *pred) {
  pred_key key;
  memset(&key, 0, sizeof key);
  key.field = pred->field;
  key.other = pred->other;
  key.whole = pred->number.whole;
  key.real = pred->number.real;
  key.op = pred->op;
  key.compare = pred->compare;
  key.part = pred->part;
  key.flags = pred->flags;
  key.is_cased = pred->is_cased;
  key.is_int = pred->number.is_int;
  key.n_bits = pred->n_bits;
  key.is_v6 = pred->is_v6;
  memcpy(key.net, pred->net, sizeof key.net);
  return key;
}

static uint64_t hash_of_pred(const fl_sigma_pred *pred) {
  const pred_key key = key_of(pred);
  return fl_hash_bytes(pred->text.p, pred->text.n, fl_hash_bytes(&key, sizeof key, 0));
}
static uint64_t pred_hash(const fl_sigma_set *set, size_t item) {
  return hash_of_pred(&set->preds[item]);
}

static void drop_regex(fl_sigma_set *set, fl_regex *regex) {
  if (regex) set->n_regex_bytes -= fl_regex_size(regex);
  fl_regex_free(regex);
}

/* Takes the regex of `pred`, if it has one. */
uint32_t fl_sigma_pred_of(fl_sigma_set *set, const fl_sigma_pred *pred) {
  if (!make_room(&set->pred_index, set->n_preds, set, pred_hash)) return UINT32_MAX;
  const pred_key key = key_of(pred);
  const size_t mask = set->pred_index.n_slots - 1;
  size_t at = (size_t)hash_of_pred(pred) & mask;
  for (; set->pred_index.slots[at]; at = (at + 1) & mask) {
    const fl_sigma_pred *known = &set->preds[set->pred_index.slots[at] - 1];
    const pred_key other = key_of(known);
    if (memcmp(&key, &other, sizeof key) != 0 || !fl_str_eq(known->text, pred->text)) continue;
    if (pred->regex != known->regex) drop_regex(set, pred->regex);
    return set->pred_index.slots[at] - 1;
  }
  fl_sigma_pred copy = *pred;
  copy.text = fl_arena_str(set->arena, pred->text);
  if (!copy.text.p || set->n_preds >= FL_LIMIT_SIGMA_PREDS ||
      !fl_grow((void **)&set->preds, &set->cap_preds, set->n_preds + 1, sizeof *set->preds)) {
    drop_regex(set, pred->regex);
    return UINT32_MAX;
  }
  set->preds[set->n_preds++] = copy;
  set->pred_index.slots[at] = (uint32_t)set->n_preds;
  return (uint32_t)set->n_preds - 1;
}

const fl_sigma_field *fl_sigma_fields(const fl_sigma_set *set, size_t *ret_n) {
  *ret_n = set->n_fields;
  return set->fields;
}
const fl_sigma_pred *fl_sigma_preds(const fl_sigma_set *set, size_t *ret_n) {
  *ret_n = set->n_preds;
  return set->preds;
}
const fl_sigma_rule *const *fl_sigma_rules(const fl_sigma_set *set, size_t *ret_n) {
  *ret_n = set->n_rules;
  return (const fl_sigma_rule *const *)set->rules;
}
const uint32_t *fl_sigma_order(const fl_sigma_set *set, size_t *ret_n) {
  *ret_n = set->n_order;
  return set->order;
}
const fl_sigma_sources *fl_sigma_set_sources(const fl_sigma_set *set) { return &set->sources; }

static uint64_t id_hash(const fl_sigma_set *set, size_t item) {
  const char *name = set->rules[item]->info.name;
  return fl_hash_bytes(name, strlen(name), 0);
}

static uint32_t find_id(const fl_sigma_set *set, fl_str id) {
  if (!set->id_index.n_slots) return UINT32_MAX;
  const size_t mask = set->id_index.n_slots - 1;
  for (size_t at = (size_t)fl_hash_bytes(id.p, id.n, 0) & mask; set->id_index.slots[at];
       at = (at + 1) & mask) {
    const uint32_t rule = set->id_index.slots[at] - 1;
    if (fl_str_eq(fl_str_of(set->rules[rule]->info.name), id)) return rule;
  }
  return UINT32_MAX;
}

uint32_t fl_sigma_rule_find(const fl_sigma_set *set, fl_str word) {
  uint32_t rule = find_id(set, word);
  for (uint32_t i = 0; i < set->n_rules && rule == UINT32_MAX; i++)
    if (set->rules[i]->name.n && fl_str_eq(set->rules[i]->name, word)) rule = i;
  return rule;
}

fl_status fl_sigma_rule_add(fl_sigma_parser *p, fl_sigma_rule *rule, const fl_yaml *doc) {
  fl_sigma_set *set = p->set;
  const fl_str id = fl_str_of(rule->info.name);
  const uint32_t at_known = find_id(set, id);
  const fl_sigma_rule *known = at_known == UINT32_MAX ? NULL : set->rules[at_known];
  if (known)
    return fl_sigma_error(p, doc, "rule '%.60s' is defined already at %.*s:%u", id.p,
                          (int)(known->info.file.n < 80 ? known->info.file.n : 80),
                          known->info.file.p, known->info.line);
  if (!make_room(&set->id_index, set->n_rules, set, id_hash) ||
      !fl_grow((void **)&set->rules, &set->cap_rules, set->n_rules + 1, sizeof(*set->rules)))
    return fl_lex_nomem(p->lex);
  const size_t mask = set->id_index.n_slots - 1;
  size_t at = (size_t)fl_hash_bytes(id.p, id.n, 0) & mask;
  while (set->id_index.slots[at]) at = (at + 1) & mask;
  set->rules[set->n_rules++] = rule;
  set->id_index.slots[at] = (uint32_t)set->n_rules;
  return FL_OK;
}

/* All documents of a file or none of them. */
static void drop_rules(fl_sigma_set *set, size_t n_before) {
  if (set->n_rules == n_before) return;
  set->n_rules = n_before;
  memset(set->id_index.slots, 0, set->id_index.n_slots * sizeof *set->id_index.slots);
  for (size_t i = 0; i < n_before; i++) {
    const size_t mask = set->id_index.n_slots - 1;
    size_t at = (size_t)id_hash(set, i) & mask;
    while (set->id_index.slots[at]) at = (at + 1) & mask;
    set->id_index.slots[at] = (uint32_t)i + 1;
  }
}

static fl_status set_add(void *self, fl_lexer *lex, size_t *ret_n_rules) {
  fl_sigma_set *set = self;
  const size_t n_before = set->n_rules;
  const fl_yaml *doc = NULL;
  fl_sigma_filter *last = set->last_filter;
  fl_arena_reset(set->scratch);
  FL_TRY(fl_yaml_parse(lex, set->scratch, &doc));
  fl_status s = doc ? FL_OK : fl_lex_error(lex, 0, "the file holds no rule");
  for (; doc && s == FL_OK; doc = doc->next) {
    fl_sigma_parser p = {.set = set, .lex = lex, .arena = set->arena, .scratch = set->scratch};
    s = fl_sigma_document(&p, doc);
  }
  if (s != FL_OK) {
    drop_rules(set, n_before);
    set->last_filter = last;
    if (last) last->next = NULL;
    else set->filters = NULL;
  }
  *ret_n_rules = set->n_rules - n_before;
  return s;
}

static fl_status set_prepare(void *self, fl_lexer *lex) {
  fl_sigma_set *set = self;
  const fl_yaml *doc = NULL;
  fl_arena_reset(set->scratch);
  FL_TRY(fl_yaml_parse(lex, set->scratch, &doc));
  fl_sigma_parser p = {.set = set, .lex = lex, .arena = set->arena, .scratch = set->scratch};
  return doc ? fl_sigma_sources_read(&p, &set->sources, doc) : FL_OK;
}

static fl_status set_finish(void *self, fl_lexer *lex) {
  fl_sigma_set *set = self;
  fl_arena_reset(set->scratch);
  FL_TRY(fl_sigma_filter_all(set, lex));
  const fl_status linked = fl_sigma_link(set, lex);
  if (linked != FL_OK && linked != FL_E_SYNTAX) return linked;
  FL_TRY(fl_sigma_code_all(set, lex));
  return linked; /* a correlation was refused; the others run */
}

static size_t set_count(const void *self) { return ((const fl_sigma_set *)self)->n_rules; }
static fl_rule_info set_info(const void *self, size_t index) {
  return ((const fl_sigma_set *)self)->rules[index]->info;
}

const fl_engine_kind fl_engine_sigma = {.suffixes = {".yml", ".yaml", NULL},
                                        .create = set_create,
                                        .free = set_free,
                                        .prepare = set_prepare,
                                        .add = set_add,
                                        .finish = set_finish,
                                        .count = set_count,
                                        .info = set_info,
                                        .start = fl_sigma_run_start};
