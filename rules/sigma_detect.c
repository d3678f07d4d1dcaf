/* sigma_detect.c - the detection of a rule: search identifiers and conditions over them. */
#include <string.h>

#include "base/arena.h"
#include "rules/sigma_parse.h"

fl_status fl_sigma_expr_new(const fl_sigma_parser *p, fl_sigma_kind kind,
                            fl_sigma_expr **ret_expr) {
  fl_sigma_expr *expr = FL_NEW(p->arena, fl_sigma_expr);
  if (!expr) return fl_lex_nomem(p->lex);
  expr->kind = kind;
  *ret_expr = expr;
  return FL_OK;
}

void fl_sigma_expr_add(fl_sigma_expr *expr, fl_sigma_expr **last, fl_sigma_expr *kid) {
  if (*last) (*last)->next = kid;
  else expr->kid = kid;
  *last = kid;
}

static fl_status read_map(fl_sigma_parser *p, const fl_yaml *map, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *all = NULL, *last = NULL;
  if (map->n == 0) return fl_sigma_error(p, map, "an empty map holds nothing to look for");
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_AND, &all));
  for (const fl_yaml *value = map->first; value; value = value->next) {
    fl_sigma_expr *kid = NULL;
    FL_TRY(fl_sigma_pair(p, value, &kid));
    fl_sigma_expr_add(all, &last, kid);
  }
  *ret_expr = all;
  return FL_OK;
}

static bool is_of_scalars(const fl_yaml *list) {
  for (const fl_yaml *kid = list->first; kid; kid = kid->next)
    if (kid->kind != FL_YAML_SCALAR) return false;
  return true;
}

/* A map is an AND, a list of maps an OR, a list of texts are keywords. Lists may stand in lists;
 * how deep is limited where the document is read. */
static fl_status read_search(fl_sigma_parser *p, const fl_yaml *node, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *any = NULL, *last = NULL;
  if (node->kind == FL_YAML_MAP) return read_map(p, node, ret_expr);
  if (node->kind == FL_YAML_SCALAR) return fl_sigma_keywords(p, node, ret_expr);
  if (node->n == 0) return fl_sigma_error(p, node, "an empty list holds nothing to look for");
  if (is_of_scalars(node)) return fl_sigma_keywords(p, node, ret_expr);
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_OR, &any));
  for (const fl_yaml *kid = node->first; kid; kid = kid->next) {
    fl_sigma_expr *expr = NULL;
    FL_TRY(read_search(p, kid, &expr));
    fl_sigma_expr_add(any, &last, expr);
  }
  *ret_expr = any;
  return FL_OK;
}

static bool is_search(const fl_yaml *node, const char *skipped) {
  const fl_str name = node->key->text;
  return !fl_str_eq(name, FL_STR("condition")) && !(skipped && fl_str_eq(name, fl_str_of(skipped)));
}

static fl_status read_searches(fl_sigma_parser *p, const fl_yaml *map, const char *skipped,
                               fl_sigma_searches *ret) {
  ret->items = FL_NEW_ARRAY(p->scratch, fl_sigma_search, map->n);
  ret->n = 0;
  if (!ret->items) return fl_lex_nomem(p->lex);
  for (const fl_yaml *node = map->first; node; node = node->next) {
    if (!is_search(node, skipped)) continue;
    if (fl_str_eq(node->key->text, FL_STR("timeframe")))
      return fl_sigma_error(p, node->key,
                            "'timeframe' belongs to the aggregations of old rules; write a "
                            "correlation");
    fl_sigma_search *search = &ret->items[ret->n++];
    search->name = node->key->text;
    FL_TRY(read_search(p, node, &search->expr));
  }
  return FL_OK;
}

/* A list of conditions is an OR. */
static fl_status read_conditions(fl_sigma_parser *p, const fl_yaml *node,
                                 const fl_sigma_searches *searches, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *any = NULL, *last = NULL;
  if (node->kind != FL_YAML_LIST) return fl_sigma_condition(p, node, searches, ret_expr);
  if (node->n == 0) return fl_sigma_error(p, node, "'condition' is an empty list");
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_OR, &any));
  for (const fl_yaml *kid = node->first; kid; kid = kid->next) {
    fl_sigma_expr *expr = NULL;
    FL_TRY(fl_sigma_condition(p, kid, searches, &expr));
    fl_sigma_expr_add(any, &last, expr);
  }
  *ret_expr = any;
  return FL_OK;
}

fl_status fl_sigma_detection(fl_sigma_parser *p, const fl_yaml *map, const char *skipped,
                             fl_sigma_expr **ret_expr) {
  fl_sigma_searches searches;
  if (map->kind != FL_YAML_MAP)
    return fl_sigma_error(p, map, "'%.*s' is no map of search identifiers",
                          FL_STR_ARG(map->key->text));
  const fl_yaml *condition = fl_yaml_get(map, "condition");
  if (!condition)
    return fl_sigma_error(p, map->key, "'%.*s' has no 'condition'", FL_STR_ARG(map->key->text));
  FL_TRY(read_searches(p, map, skipped, &searches));
  if (searches.n == 0) return fl_sigma_error(p, map->key, "no search identifier, expected one");
  return read_conditions(p, condition, &searches, ret_expr);
}
