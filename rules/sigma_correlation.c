/* sigma_correlation.c - documents with 'correlation': what is counted, for whom, in what time. */
#include "rules/sigma_correlation.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "rules/sigma_extended.h"

static const char *const type_names[] = {"event_count",      "value_count",  "temporal",
                                         "temporal_ordered", "value_sum",    "value_avg",
                                         "value_percentile", "value_median", NULL};

static bool is_temporal(const fl_sigma_correlation *c) {
  return c->type == FL_SIGMA_TEMPORAL || c->type == FL_SIGMA_TEMPORAL_ORDERED;
}

static fl_str shown(const fl_yaml *node) {
  return node->kind == FL_YAML_SCALAR && node->text.n ? node->text : FL_STR("?");
}

static fl_status read_type(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  const fl_yaml *node = fl_yaml_get(map, "type");
  if (!node) return fl_sigma_error(p, map->key, "the correlation has no 'type'");
  for (size_t i = 0; type_names[i]; i++) {
    if (!fl_str_eq_nocase(node->text, fl_str_of(type_names[i]))) continue;
    c->type = (fl_sigma_cor_type)i;
    return FL_OK;
  }
  const fl_str guess = fl_lex_guess(p->lex, shown(node), type_names);
  return fl_sigma_error(p, node, "correlation type '%.40s' is not known%.*s", shown(node).p,
                        FL_STR_ARG(guess));
}

static fl_status read_refs(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  const fl_yaml *node = fl_yaml_get(map, "rules");
  const fl_str *words = NULL;
  size_t n = 0;
  FL_TRY(fl_sigma_texts(p, node, &words, &n));
  if (n > FL_SIGMA_MAX_REFS)
    return fl_sigma_error(p, node, "%zu rules, at most %d", n, FL_SIGMA_MAX_REFS);
  c->refs = FL_NEW_ARRAY(p->arena, fl_sigma_cor_ref, FL_SIGMA_MAX_REFS);
  if (!c->refs) return fl_lex_nomem(p->lex);
  for (size_t i = 0; i < n; i++) c->refs[i] = (fl_sigma_cor_ref){words[i], UINT32_MAX};
  c->n_refs = n;
  return FL_OK;
}

/* A number and a unit; weeks, months and years as pySigma has them. */
static fl_status read_span(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  static const struct {
    char unit;
    int64_t seconds;
  } units[] = {{'s', 1},      {'m', 60},      {'h', 3600},    {'d', 86400},
               {'w', 604800}, {'M', 2629746}, {'y', 31556952}};
  const fl_yaml *node = fl_yaml_get(map, "timespan");
  if (!node) return fl_sigma_error(p, map->key, "the correlation has no 'timespan'");
  const fl_str text = shown(node);
  uint64_t n = 0;
  const bool has_number = text.n > 1 && fl_text_number((fl_str){text.p, text.n - 1}, &n);
  for (size_t i = 0; has_number && i < sizeof units / sizeof *units; i++) {
    if (units[i].unit != text.p[text.n - 1]) continue;
    if (n == 0 || n > (uint64_t)(INT64_MAX / FL_SECOND / units[i].seconds / 4)) break;
    c->span_ns = (int64_t)n * units[i].seconds * FL_SECOND;
    return FL_OK;
  }
  return fl_sigma_error(p, node, "timespan '%.40s', expected a number and s, m, h or d", text.p);
}

static fl_status read_keys(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  const fl_yaml *node = fl_yaml_get(map, "group-by");
  FL_TRY(fl_sigma_texts(p, node, &c->keys, &c->n_keys));
  if (c->n_keys <= FL_SIGMA_MAX_KEYS) return FL_OK;
  return fl_sigma_error(p, node, "'group-by' has %zu fields, at most %d", c->n_keys,
                        FL_SIGMA_MAX_KEYS);
}

static fl_status read_alias(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_alias *aliases,
                            size_t *n) {
  if (map->kind != FL_YAML_MAP)
    return fl_sigma_error(p, map, "alias '%.60s' is no map of rules to fields", map->key->text.p);
  for (const fl_yaml *node = map->first; node; node = node->next) {
    if (node->kind != FL_YAML_SCALAR) return fl_sigma_error(p, node, "expected a field's name");
    fl_sigma_alias *alias = &aliases[(*n)++];
    alias->alias = fl_arena_str(p->arena, map->key->text);
    alias->word = fl_arena_str(p->arena, node->key->text);
    alias->field = fl_arena_str(p->arena, node->text);
    if (!alias->alias.p || !alias->word.p || !alias->field.p) return fl_lex_nomem(p->lex);
  }
  return FL_OK;
}

static fl_status read_aliases(const fl_sigma_parser *p, const fl_yaml *map,
                              fl_sigma_correlation *c) {
  const fl_yaml *node = fl_yaml_get(map, "aliases");
  size_t n = 0;
  if (!node) return FL_OK;
  if (node->kind != FL_YAML_MAP) return fl_sigma_error(p, node, "'aliases' is no map");
  for (const fl_yaml *kid = node->first; kid; kid = kid->next) n += kid->n;
  fl_sigma_alias *aliases = FL_NEW_ARRAY(p->arena, fl_sigma_alias, n);
  if (!aliases) return fl_lex_nomem(p->lex);
  for (const fl_yaml *kid = node->first; kid; kid = kid->next)
    FL_TRY(read_alias(p, kid, aliases, &c->n_aliases));
  c->aliases = aliases;
  return FL_OK;
}

static fl_status read_generate(const fl_sigma_parser *p, const fl_yaml *map,
                               fl_sigma_correlation *c) {
  const fl_yaml *node = fl_yaml_get(map, "generate");
  if (!node) return FL_OK;
  if (fl_yaml_type_of(node) != FL_YAML_BOOL)
    return fl_sigma_error(p, node, "'generate' is '%.40s', expected true or false", shown(node).p);
  c->generates = fl_yaml_bool(node);
  return FL_OK;
}

static fl_status read_limit(const fl_sigma_parser *p, const fl_yaml *node,
                            fl_sigma_correlation *c) {
  static const struct {
    const char *name;
    fl_sigma_compare compare;
    bool is_negated;
  } rows[] = {{"gt", FL_SIGMA_GT, false}, {"gte", FL_SIGMA_GTE, false},
              {"lt", FL_SIGMA_LT, false}, {"lte", FL_SIGMA_LTE, false},
              {"eq", FL_SIGMA_IS, false}, {"neq", FL_SIGMA_IS, true}};
  static const char *const names[] = {"gt",  "gte",   "lt",         "lte", "eq",
                                      "neq", "field", "percentile", NULL};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!fl_str_eq(node->key->text, fl_str_of(rows[i].name))) continue;
    fl_sigma_limit limit = {.compare = rows[i].compare, .is_negated = rows[i].is_negated};
    if (node->kind != FL_YAML_SCALAR || !fl_yaml_float(node, &limit.number))
      return fl_sigma_error(p, node, "'%s' is '%.40s', expected a number", rows[i].name,
                            shown(node).p);
    if (c->n_limits >= FL_SIGMA_MAX_LIMITS)
      return fl_sigma_error(p, node, "more than %d comparisons", FL_SIGMA_MAX_LIMITS);
    c->limits[c->n_limits++] = limit;
    return FL_OK;
  }
  const fl_str guess = fl_lex_guess(p->lex, node->key->text, names);
  return fl_sigma_error(p, node->key, "'%.40s' is no part of a condition%.*s", node->key->text.p,
                        FL_STR_ARG(guess));
}

static fl_status read_limits(const fl_sigma_parser *p, const fl_yaml *map,
                             fl_sigma_correlation *c) {
  c->percentile = -1;
  for (const fl_yaml *node = map->first; node; node = node->next) {
    if (fl_str_eq(node->key->text, FL_STR("field"))) {
      FL_TRY(fl_sigma_texts(p, node, &c->fields, &c->n_fields));
      if (c->n_fields > FL_SIGMA_MAX_KEYS)
        return fl_sigma_error(p, node, "%zu fields, at most %d", c->n_fields, FL_SIGMA_MAX_KEYS);
    } else if (fl_str_eq(node->key->text, FL_STR("percentile"))) {
      const bool is_number = node->kind == FL_YAML_SCALAR && fl_yaml_float(node, &c->percentile);
      if (!is_number || c->percentile < 0 || c->percentile > 100)
        return fl_sigma_error(p, node, "'percentile' is '%.40s', expected 0 to 100", shown(node).p);
    } else {
      FL_TRY(read_limit(p, node, c));
    }
  }
  if (c->n_limits == 0)
    return fl_sigma_error(p, map,
                          "the condition compares nothing, expected gt, gte, lt, lte, eq "
                          "or neq");
  return FL_OK;
}

/* Without a condition a temporal correlation asks for all of its rules. */
static fl_status read_condition(fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  const fl_yaml *node = fl_yaml_get(map, "condition");
  if (node && node->kind == FL_YAML_SCALAR) {
    if (!is_temporal(c))
      return fl_sigma_error(p, node,
                            "a condition over rule names belongs to temporal and "
                            "temporal_ordered");
    return fl_sigma_extended(p, node, c);
  }
  if (node && node->kind != FL_YAML_MAP)
    return fl_sigma_error(p, node, "'condition' is neither a map nor a text");
  if (node) return read_limits(p, node, c);
  if (!is_temporal(c)) return fl_sigma_error(p, map->key, "the correlation has no 'condition'");
  c->limits[c->n_limits++] = (fl_sigma_limit){.compare = FL_SIGMA_GTE, .number = (double)c->n_refs};
  return FL_OK;
}

/* What belongs to another type is told, not ignored. */
static fl_status check(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  const fl_yaml *condition = fl_yaml_get(map, "condition");
  const bool has_values = !is_temporal(c) && c->type != FL_SIGMA_EVENT_COUNT;
  const char *type = type_names[c->type];
  if (c->n_refs == 0) return fl_sigma_error(p, map->key, "the correlation names no 'rules'");
  if (has_values && c->n_fields == 0)
    return fl_sigma_error(p, condition, "a %s needs a 'field' in its condition", type);
  if (!has_values && c->n_fields)
    return fl_sigma_error(p, condition, "a %s has no 'field' in its condition", type);
  if (has_values && c->type != FL_SIGMA_VALUE_COUNT && c->n_fields > 1)
    return fl_sigma_error(p, condition, "a %s takes one 'field', found %zu", type, c->n_fields);
  if (c->type != FL_SIGMA_VALUE_PERCENTILE && c->percentile >= 0 && c->n_limits)
    if (fl_yaml_get(condition, "percentile"))
      return fl_sigma_error(p, condition, "a %s has no 'percentile'", type);
  if (c->type == FL_SIGMA_VALUE_MEDIAN) c->percentile = 50;
  if (c->type == FL_SIGMA_VALUE_PERCENTILE && c->percentile < 0) {
    c->percentile = 50;
    return fl_sigma_warn(p, condition, "the condition has no 'percentile': 50 is taken");
  }
  return FL_OK;
}

/* One step a rule, in the order in which they are named. */
static fl_status make_steps(const fl_sigma_parser *p, const fl_yaml *map, fl_sigma_correlation *c) {
  if (c->type != FL_SIGMA_TEMPORAL_ORDERED || c->expr) return FL_OK;
  const fl_sigma_limit *limit = &c->limits[0];
  const double least = limit->compare == FL_SIGMA_GT ? limit->number + 1 : limit->number;
  const bool is_all = c->n_limits == 1 && !limit->is_negated && limit->compare != FL_SIGMA_LT &&
                      limit->compare != FL_SIGMA_LTE && !(least < (double)c->n_refs) &&
                      !(least > (double)c->n_refs);
  if (!is_all)
    return fl_sigma_error(p, fl_yaml_get(map, "condition"),
                          "the order of a part of the rules is not defined: expected gte: %zu, or "
                          "a condition over rule names",
                          c->n_refs);
  for (size_t i = 0; i < c->n_refs; i++) c->steps[i] = UINT64_C(1) << i;
  c->n_steps = c->n_refs;
  return FL_OK;
}

fl_status fl_sigma_correlation_read(fl_sigma_parser *p, const fl_yaml *doc) {
  const fl_yaml *map = fl_yaml_get(doc, "correlation");
  fl_sigma_rule *rule = FL_NEW(p->arena, fl_sigma_rule);
  fl_sigma_correlation *c = FL_NEW(p->arena, fl_sigma_correlation);
  if (!rule || !c) return fl_lex_nomem(p->lex);
  if (map->kind != FL_YAML_MAP) return fl_sigma_error(p, map, "'correlation' is no map");
  if (fl_yaml_get(doc, "detection"))
    return fl_sigma_error(p, map->key,
                          "a document with 'detection' and 'correlation': expected "
                          "one of them");
  c->percentile = -1;
  FL_TRY(fl_sigma_head(p, doc, rule));
  FL_TRY(read_type(p, map, c));
  FL_TRY(read_refs(p, map, c));
  FL_TRY(read_span(p, map, c));
  FL_TRY(read_keys(p, map, c));
  FL_TRY(read_aliases(p, map, c));
  FL_TRY(read_generate(p, map, c));
  FL_TRY(read_condition(p, map, c));
  FL_TRY(check(p, map, c));
  FL_TRY(make_steps(p, map, c));
  rule->correlation = c;
  return fl_sigma_rule_add(p, rule, doc);
}
