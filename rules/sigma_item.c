/* sigma_item.c - one `field|modifiers: values` of a detection, as predicates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "rules/flr.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_value.h"

/* The key of a value, apart. */
typedef struct item {
  fl_str field, modifiers; /* modifiers with the bar in front */
  uint32_t field_id;
  bool is_regex;
} item;

static fl_status read_number(const fl_sigma_parser *p, const fl_yaml *node, fl_sigma_number *ret) {
  *ret = (fl_sigma_number){0};
  if (fl_yaml_type_of(node) == FL_YAML_INT && fl_yaml_int(node, &ret->whole)) {
    ret->is_int = true;
    ret->real = (double)ret->whole;
    return FL_OK;
  }
  if (fl_yaml_float(node, &ret->real)) return FL_OK;
  return fl_sigma_error(p, node, "the number %.40s is out of range", node->text.p);
}

static fl_status read_value(const fl_sigma_parser *p, const item *it, const fl_yaml *node,
                            fl_sigma_value *ret) {
  *ret = (fl_sigma_value){.node = node};
  if (node->kind != FL_YAML_SCALAR)
    return fl_sigma_error(p, node, "a value is a %s, expected a text, a number or null",
                          node->kind == FL_YAML_LIST ? "list inside a list" : "map");
  switch (it->is_regex ? FL_YAML_TEXT : fl_yaml_type_of(node)) {
    case FL_YAML_NULL:
      ret->type = FL_SIGMA_V_NULL;
      return FL_OK;
    case FL_YAML_BOOL:
      ret->type = FL_SIGMA_V_BOOL;
      ret->boolean = fl_yaml_bool(node);
      return FL_OK;
    case FL_YAML_INT:
    case FL_YAML_FLOAT:
      ret->type = FL_SIGMA_V_NUMBER;
      return read_number(p, node, &ret->number);
    case FL_YAML_TEXT:
      break;
  }
  return fl_sigma_pattern_parse(p, node->text, &ret->pattern);
}

static fl_status read_values(const fl_sigma_parser *p, const item *it, const fl_yaml *node,
                             fl_sigma_values *values) {
  fl_sigma_value value;
  if (node->kind == FL_YAML_LIST && node->n == 0) {
    value = (fl_sigma_value){.type = FL_SIGMA_V_NULL, .node = node};
    return fl_sigma_values_push(values, &value) ? FL_OK : fl_lex_nomem(p->lex);
  }
  const bool is_list = node->kind == FL_YAML_LIST;
  for (const fl_yaml *kid = is_list ? node->first : node; kid; kid = is_list ? kid->next : NULL) {
    FL_TRY(read_value(p, it, kid, &value));
    value.group = values->n;
    if (!fl_sigma_values_push(values, &value)) return fl_lex_nomem(p->lex);
  }
  return FL_OK;
}

/* The text of a pattern between wildcards at its ends; wildcards inside become single bytes. */
static fl_status set_text(const fl_sigma_parser *p, const fl_sigma_value *value,
                          fl_sigma_pred *pred) {
  const fl_sigma_pattern *t = &value->pattern;
  size_t start = 0, end = t->n;
  while (start < end && t->kinds[start] == FL_SIGMA_MANY) start++;
  while (end > start && t->kinds[end - 1] == FL_SIGMA_MANY) end--;
  const bool is_open_in_front = start > 0, is_open_behind = end < t->n;
  bool has_inner = false;
  for (size_t i = start; i < end; i++) has_inner |= t->kinds[i] != FL_SIGMA_PLAIN;
  const size_t from = has_inner ? 0 : start, to = has_inner ? t->n : end;
  uint8_t *bytes = fl_arena_take(p->scratch, to - from + 1);
  if (!bytes) return fl_lex_nomem(p->lex);
  for (size_t i = from; i < to; i++) {
    if (has_inner && t->kinds[i] == FL_SIGMA_PLAIN && t->bytes[i] >= FL_SIGMA_ANY_CHAR)
      return fl_sigma_error(p, value->node, "a wildcard in a text with a byte order mark");
    bytes[i - from] = t->kinds[i] == FL_SIGMA_PLAIN  ? t->bytes[i]
                      : t->kinds[i] == FL_SIGMA_MANY ? FL_SIGMA_ANY_TEXT
                                                     : FL_SIGMA_ANY_CHAR;
  }
  pred->text = (fl_str){(const char *)bytes, to - from};
  if (has_inner) pred->op = FL_SIGMA_WILD;
  else if (end == start) pred->op = t->n ? FL_SIGMA_ANY : FL_SIGMA_EQ;
  else if (is_open_in_front) pred->op = is_open_behind ? FL_SIGMA_CONTAINS : FL_SIGMA_SUFFIX;
  else pred->op = is_open_behind ? FL_SIGMA_PREFIX : FL_SIGMA_EQ;
  pred->is_cased = value->is_cased;
  if (!pred->is_cased) pred->text = fl_sigma_fold(pred->text, p->scratch);
  return pred->text.p ? FL_OK : fl_lex_nomem(p->lex);
}

/* The longest text between wildcards must be found, too; it is shared with other predicates. */
static fl_status set_needle(const fl_sigma_parser *p, fl_sigma_pred *pred) {
  enum { SHORTEST = 3 };
  const uint8_t *bytes = (const uint8_t *)pred->text.p;
  size_t best = 0, n_best = 0;
  for (size_t start = 0, end; start < pred->text.n; start = end + 1) {
    for (end = start; end < pred->text.n && bytes[end] < FL_SIGMA_ANY_CHAR;) end++;
    if (end - start <= n_best) continue;
    best = start;
    n_best = end - start;
  }
  if (pred->op != FL_SIGMA_WILD || pred->is_cased || n_best < SHORTEST) return FL_OK;
  fl_sigma_pred needle = {.op = FL_SIGMA_CONTAINS, .field = pred->field, .needle = UINT32_MAX};
  needle.text = (fl_str){pred->text.p + best, n_best};
  pred->needle = fl_sigma_pred_of(p->set, &needle);
  return pred->needle != UINT32_MAX ? FL_OK : fl_lex_nomem(p->lex);
}

static fl_status set_network(const fl_sigma_parser *p, const fl_sigma_value *value,
                             fl_sigma_pred *pred) {
  fl_network network;
  const fl_str text = {(const char *)value->pattern.bytes, value->pattern.n};
  if (!fl_network_parse(text, &network))
    return fl_sigma_error(p, value->node, "'%.60s' is no network, expected 10.0.0.0/8 or fe80::/10",
                          value->node->text.p);
  pred->op = FL_SIGMA_CIDR;
  memcpy(pred->net, network.bytes, sizeof pred->net);
  pred->n_bits = (uint8_t)network.n_bits;
  pred->is_v6 = memchr(text.p, ':', text.n) != NULL;
  return FL_OK;
}

static fl_status set_other(const fl_sigma_parser *p, const fl_sigma_value *value,
                           fl_sigma_pred *pred) {
  const fl_str name = {(const char *)value->pattern.bytes, value->pattern.n};
  if (name.n == 0) return fl_sigma_error(p, value->node, "'fieldref' names no field");
  pred->op = FL_SIGMA_FIELD;
  pred->flags = value->flags;
  pred->is_cased = value->is_cased;
  pred->other = fl_sigma_field_of(p->set, name, p->category);
  return pred->other != UINT32_MAX ? FL_OK : fl_lex_nomem(p->lex);
}

static fl_status set_number_text(const fl_sigma_parser *p, const fl_sigma_value *value,
                                 fl_sigma_pred *pred) {
  if (!value->number.is_int) {
    pred->op = FL_SIGMA_NUMBER;
    pred->number = value->number;
    return FL_OK;
  }
  pred->op = FL_SIGMA_EQ;
  pred->text = fl_arena_printf(p->scratch, "%lld", (long long)value->number.whole);
  return pred->text.p ? FL_OK : fl_lex_nomem(p->lex);
}

static fl_status fill_pred(const fl_sigma_parser *p, const fl_sigma_value *value,
                           fl_sigma_pred *pred) {
  switch (value->type) {
    case FL_SIGMA_V_TEXT:
      return set_text(p, value, pred);
    case FL_SIGMA_V_NUMBER:
      return set_number_text(p, value, pred);
    case FL_SIGMA_V_BOOL:
      pred->op = FL_SIGMA_EQ;
      pred->text = value->boolean ? FL_STR("true") : FL_STR("false");
      return FL_OK;
    case FL_SIGMA_V_NULL:
      pred->op = FL_SIGMA_NULL;
      return FL_OK;
    case FL_SIGMA_V_REGEX:
      pred->op = FL_SIGMA_REGEX;
      pred->flags = value->flags;
      pred->is_cased = true;
      pred->text = (fl_str){(const char *)value->pattern.bytes, value->pattern.n};
      return FL_OK;
    case FL_SIGMA_V_CIDR:
      return set_network(p, value, pred);
    case FL_SIGMA_V_FIELD:
      return set_other(p, value, pred);
    case FL_SIGMA_V_EXISTS:
      pred->op = FL_SIGMA_EXISTS;
      pred->flags = value->boolean;
      return FL_OK;
    case FL_SIGMA_V_COMPARE:
    case FL_SIGMA_V_TIME:
      pred->op = value->type == FL_SIGMA_V_TIME ? FL_SIGMA_TIME : FL_SIGMA_NUMBER;
      pred->compare = value->compare;
      pred->part = value->part;
      pred->number = value->number;
      return FL_OK;
  }
  return FL_OK;
}

static fl_status check_keyword(const fl_sigma_parser *p, const fl_sigma_value *value) {
  const bool is_plain = value->type == FL_SIGMA_V_TEXT || value->type == FL_SIGMA_V_NUMBER ||
                        value->type == FL_SIGMA_V_REGEX || value->type == FL_SIGMA_V_BOOL;
  if (is_plain) return FL_OK;
  return fl_sigma_error(p, value->node, "a keyword without a field can be a text or a regex alone");
}

/* A keyword is looked for anywhere in the event's values. */
static fl_status open_keyword(const fl_sigma_parser *p, fl_sigma_value *value) {
  FL_TRY(check_keyword(p, value));
  if (value->type == FL_SIGMA_V_REGEX) return FL_OK;
  if (value->type != FL_SIGMA_V_TEXT) {
    FL_TRY(fl_sigma_pattern_parse(p, value->node->text, &value->pattern));
    value->type = FL_SIGMA_V_TEXT;
  }
  return fl_sigma_pattern_wrap(p, true, true, &value->pattern);
}

static fl_status make_pred(fl_sigma_parser *p, const item *it, fl_sigma_value *value,
                           fl_sigma_expr **ret_expr) {
  fl_sigma_pred pred = {.field = it->field_id, .needle = UINT32_MAX};
  if (it->field.n == 0) FL_TRY(open_keyword(p, value));
  FL_TRY(fill_pred(p, value, &pred));
  FL_TRY(set_needle(p, &pred));
  if (pred.op == FL_SIGMA_REGEX) FL_TRY(fl_sigma_regex_check(p, value->node, &pred));
  fl_sigma_expr *expr = NULL;
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_PRED, &expr));
  expr->pred = fl_sigma_pred_of(p->set, &pred);
  if (expr->pred == UINT32_MAX) return fl_lex_nomem(p->lex);
  *ret_expr = expr;
  return FL_OK;
}

/* All forms of one value, from `first` on: any of them. */
static fl_status make_forms(fl_sigma_parser *p, const item *it, fl_sigma_values *values,
                            size_t *first, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *any = NULL, *last = NULL;
  const size_t group = values->items[*first].group;
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_OR, &any));
  for (; *first < values->n && values->items[*first].group == group; (*first)++) {
    fl_sigma_expr *kid = NULL;
    FL_TRY(make_pred(p, it, &values->items[*first], &kid));
    fl_sigma_expr_add(any, &last, kid);
  }
  *ret_expr = any;
  return FL_OK;
}

static fl_status make_expr(fl_sigma_parser *p, const item *it, fl_sigma_values *values,
                           fl_sigma_expr **ret_expr) {
  fl_sigma_expr *expr = NULL, *last = NULL;
  FL_TRY(fl_sigma_expr_new(p, values->links_all ? FL_SIGMA_AND : FL_SIGMA_OR, &expr));
  for (size_t i = 0; i < values->n;) {
    fl_sigma_expr *kid = NULL;
    FL_TRY(make_forms(p, it, values, &i, &kid));
    fl_sigma_expr_add(expr, &last, kid->kid->next ? kid : kid->kid);
  }
  if (values->is_negated) {
    fl_sigma_expr *negated = NULL;
    FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_NOT, &negated));
    negated->kid = expr;
    expr = negated;
  }
  *ret_expr = expr;
  return FL_OK;
}

static bool has_modifier(fl_str modifiers, const char *name) {
  const size_t n = strlen(name);
  for (size_t i = 0; i + n < modifiers.n; i++)
    if (modifiers.p[i] == '|' && memcmp(modifiers.p + i + 1, name, n) == 0 &&
        (i + n + 1 == modifiers.n || modifiers.p[i + n + 1] == '|'))
      return true;
  return false;
}

static fl_status read_item(fl_sigma_parser *p, item *it, const fl_yaml *key, const fl_yaml *value,
                           fl_sigma_values *values, fl_sigma_expr **ret_expr) {
  it->is_regex = has_modifier(it->modifiers, "re");
  it->field_id = it->field.n ? fl_sigma_field_of(p->set, it->field, p->category) : 0;
  if (it->field_id == UINT32_MAX) return fl_lex_nomem(p->lex);
  FL_TRY(read_values(p, it, value, values));
  if (has_modifier(it->modifiers, "all") && values->n < 2)
    FL_TRY(fl_sigma_warn(p, key, "'all' on a single value changes nothing"));
  if (key) FL_TRY(fl_sigma_modify(p, key, it->modifiers, values));
  return make_expr(p, it, values, ret_expr);
}

fl_status fl_sigma_pair(fl_sigma_parser *p, const fl_yaml *value, fl_sigma_expr **ret_expr) {
  const fl_yaml *key = value->key;
  const char *bar = memchr(key->text.p, '|', key->text.n);
  const size_t n = bar ? (size_t)(bar - key->text.p) : key->text.n;
  item it = {.field = {key->text.p, n}, .modifiers = {key->text.p + n, key->text.n - n}};
  if (key->text.n == 0)
    return fl_sigma_error(p, key, "a key without a field and without modifiers");
  fl_sigma_values values = {0};
  const fl_status s = read_item(p, &it, key, value, &values, ret_expr);
  free(values.items);
  if (s != FL_OK) return s;
  (*ret_expr)->label = fl_arena_str(p->arena, key->text);
  return (*ret_expr)->label.p ? FL_OK : fl_lex_nomem(p->lex);
}

fl_status fl_sigma_keywords(fl_sigma_parser *p, const fl_yaml *value, fl_sigma_expr **ret_expr) {
  item it = {.field = FL_STR("")};
  fl_sigma_values values = {0};
  const fl_status s = read_item(p, &it, NULL, value, &values, ret_expr);
  free(values.items);
  return s;
}
