/* sigma_rule.c - one Sigma document: its head, its log source, and what kind of rule it is. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "rules/sigma_correlation.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_set.h"

static fl_status complain(const fl_sigma_parser *p, const fl_yaml *node, bool is_warning,
                          const char *text) {
  const size_t at = fl_yaml_at(p->lex, node);
  return is_warning ? fl_lex_warn(p->lex, at, "%s", text) : fl_lex_error(p->lex, at, "%s", text);
}

fl_status fl_sigma_error(const fl_sigma_parser *p, const fl_yaml *node, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return complain(p, node, false, text);
}

fl_status fl_sigma_warn(const fl_sigma_parser *p, const fl_yaml *node, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return complain(p, node, true, text);
}

/* A text of the document, "" when it is not there. */
static fl_status take_text(const fl_sigma_parser *p, const fl_yaml *map, const char *key,
                           fl_str *ret) {
  const fl_yaml *node = fl_yaml_get(map, key);
  *ret = FL_STR("");
  if (!node || fl_yaml_type_of(node) == FL_YAML_NULL) return FL_OK;
  if (node->kind != FL_YAML_SCALAR) return fl_sigma_error(p, node, "'%s' is no text", key);
  *ret = fl_arena_str(p->arena, node->text);
  return ret->p ? FL_OK : fl_lex_nomem(p->lex);
}

fl_status fl_sigma_texts(const fl_sigma_parser *p, const fl_yaml *node, const fl_str **ret,
                         size_t *ret_n) {
  *ret = NULL;
  *ret_n = 0;
  if (!node || (node->kind == FL_YAML_SCALAR && fl_yaml_type_of(node) == FL_YAML_NULL))
    return FL_OK;
  if (node->kind == FL_YAML_MAP)
    return fl_sigma_error(p, node, "'%.60s' is a map, expected texts", node->key->text.p);
  const bool is_list = node->kind == FL_YAML_LIST;
  fl_str *texts = FL_NEW_ARRAY(p->arena, fl_str, is_list ? node->n : 1);
  if (!texts) return fl_lex_nomem(p->lex);
  for (const fl_yaml *kid = is_list ? node->first : node; kid; kid = is_list ? kid->next : NULL) {
    if (kid->kind != FL_YAML_SCALAR) return fl_sigma_error(p, kid, "expected a text");
    texts[*ret_n] = fl_arena_str(p->arena, kid->text);
    if (!texts[*ret_n].p) return fl_lex_nomem(p->lex);
    (*ret_n)++;
  }
  *ret = texts;
  return FL_OK;
}

static fl_status take_level(const fl_sigma_parser *p, const fl_yaml *doc, fl_sigma_rule *rule) {
  static const struct {
    const char *name;
    int severity;
  } levels[] = {{"informational", 0}, {"low", 20}, {"medium", 40}, {"high", 60}, {"critical", 80}};
  static const char *const names[] = {"informational", "low", "medium", "high", "critical", NULL};
  const fl_yaml *node = fl_yaml_get(doc, "level");
  rule->info.level = "";
  if (!node) return FL_OK;
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
    if (!fl_str_eq_nocase(node->text, fl_str_of(levels[i].name))) continue;
    rule->info.level = levels[i].name;
    rule->info.severity = levels[i].severity;
    return FL_OK;
  }
  const fl_str guess = fl_lex_guess(p->lex, node->text, names);
  return fl_sigma_error(p, node,
                        "level '%.40s' is none of informational, low, medium, high, critical%.*s",
                        node->text.p ? node->text.p : "", FL_STR_ARG(guess));
}

fl_status fl_sigma_head(const fl_sigma_parser *p, const fl_yaml *doc, fl_sigma_rule *rule) {
  uint32_t column = 0;
  FL_TRY(take_text(p, doc, "title", &rule->title));
  FL_TRY(take_text(p, doc, "id", &rule->id));
  FL_TRY(take_text(p, doc, "name", &rule->name));
  if (rule->title.n == 0) return fl_sigma_error(p, doc, "the rule has no 'title'");
  FL_TRY(take_level(p, doc, rule));
  FL_TRY(fl_sigma_texts(p, fl_yaml_get(doc, "tags"), &rule->tags, &rule->n_tags));
  const fl_str word = rule->id.n ? rule->id : rule->name.n ? rule->name : rule->title;
  rule->info.name = word.p;
  rule->info.title = rule->title.p;
  rule->info.cause = rule->info.effect = "";
  rule->info.file = p->lex->file;
  rule->info.engine = FL_BY_SIGMA;
  fl_lex_position(p->lex, fl_yaml_at(p->lex, doc), &rule->info.line, &column);
  const fl_yaml *taxonomy = fl_yaml_get(doc, "taxonomy");
  if (taxonomy && !fl_str_eq(taxonomy->text, FL_STR("sigma")))
    return fl_sigma_error(p, taxonomy, "taxonomy '%.40s' is not known, expected 'sigma'",
                          taxonomy->text.p ? taxonomy->text.p : "");
  return FL_OK;
}

/* Where the events of a category are; a service beside it narrows that. */
static fl_status place_category(const fl_sigma_parser *p, uint32_t at, fl_sigma_rule *rule) {
  const fl_sigma_sources *sources = fl_sigma_set_sources(p->set);
  const fl_sigma_category *category = &sources->categories[at];
  fl_sigma_place *places = FL_NEW_ARRAY(p->arena, fl_sigma_place, category->n_mappings);
  if (!places) return fl_lex_nomem(p->lex);
  for (size_t i = 0; i < category->n_mappings; i++) {
    const fl_sigma_mapping *mapping = &category->mappings[i];
    const fl_str service = sources->services[mapping->service].name;
    if (rule->service.n && !fl_str_eq_nocase(rule->service, service)) continue;
    places[rule->n_places++] = (fl_sigma_place){mapping->service, mapping->ids, mapping->n_ids};
  }
  rule->places = places;
  return FL_OK;
}

static fl_status find_places(const fl_sigma_parser *p, fl_sigma_rule *rule) {
  const fl_sigma_sources *sources = fl_sigma_set_sources(p->set);
  if (rule->product.n && !fl_str_eq_nocase(rule->product, FL_STR("windows"))) return FL_OK;
  if (rule->category.n) {
    const uint32_t at = fl_sigma_category_find(sources, rule->category);
    return at == UINT32_MAX ? FL_OK : place_category(p, at, rule);
  }
  fl_sigma_place *place = FL_NEW(p->arena, fl_sigma_place);
  if (!place) return fl_lex_nomem(p->lex);
  place->service = rule->service.n ? fl_sigma_service_find(sources, rule->service) : UINT32_MAX;
  rule->n_places = !rule->service.n || place->service != UINT32_MAX;
  rule->places = place;
  return FL_OK;
}

fl_status fl_sigma_logsource(fl_sigma_parser *p, const fl_yaml *doc, fl_sigma_rule *rule) {
  const fl_yaml *node = fl_yaml_get(doc, "logsource");
  if (!node) return fl_sigma_error(p, doc, "the rule has no 'logsource'");
  if (node->kind != FL_YAML_MAP) return fl_sigma_error(p, node, "'logsource' is no map");
  FL_TRY(take_text(p, node, "product", &rule->product));
  FL_TRY(take_text(p, node, "category", &rule->category));
  FL_TRY(take_text(p, node, "service", &rule->service));
  if (!rule->product.n && !rule->category.n && !rule->service.n)
    return fl_sigma_error(p, node, "'logsource' names no product, category or service");
  FL_TRY(find_places(p, rule));
  const bool is_ours = fl_str_eq_nocase(rule->product, FL_STR("windows"));
  if (is_ours && rule->n_places == 0)
    FL_TRY(fl_sigma_warn(p, node,
                         "no event log is known for %s%.60s%s%.60s: the rule matches "
                         "nothing",
                         rule->category.n ? "category " : "", rule->category.p,
                         rule->service.n ? " service " : "", rule->service.p));
  const uint32_t at = fl_sigma_category_find(fl_sigma_set_sources(p->set), rule->category);
  if (rule->category.n && at != UINT32_MAX && rule->n_places) p->category = at + 1;
  return FL_OK;
}

/* `expr`, and one of the values that the category asks for. */
static fl_status add_when(fl_sigma_parser *p, fl_sigma_expr **expr) {
  if (!p->category) return FL_OK;
  const fl_sigma_category *category = &fl_sigma_set_sources(p->set)->categories[p->category - 1];
  if (!category->when_field.n) return FL_OK;
  fl_sigma_expr *all = NULL, *any = NULL, *last = NULL, *kid = NULL;
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_OR, &any));
  for (size_t i = 0; i < category->n_when_values; i++) {
    fl_sigma_pred pred = {.op = FL_SIGMA_EQ, .needle = UINT32_MAX};
    pred.field = fl_sigma_field_of(p->set, category->when_field, p->category);
    pred.text = fl_sigma_fold(category->when_values[i], p->scratch);
    FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_PRED, &kid));
    if (pred.field == UINT32_MAX || !pred.text.p) return fl_lex_nomem(p->lex);
    if ((kid->pred = fl_sigma_pred_of(p->set, &pred)) == UINT32_MAX) return fl_lex_nomem(p->lex);
    fl_sigma_expr_add(any, &last, kid);
  }
  last = NULL;
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_AND, &all));
  fl_sigma_expr_add(all, &last, any);
  fl_sigma_expr_add(all, &last, *expr);
  *expr = all;
  return FL_OK;
}

static fl_status read_rule(fl_sigma_parser *p, const fl_yaml *doc) {
  fl_sigma_rule *rule = FL_NEW(p->arena, fl_sigma_rule);
  if (!rule) return fl_lex_nomem(p->lex);
  FL_TRY(fl_sigma_head(p, doc, rule));
  FL_TRY(fl_sigma_logsource(p, doc, rule));
  FL_TRY(fl_sigma_detection(p, fl_yaml_get(doc, "detection"), NULL, &rule->expr));
  FL_TRY(add_when(p, &rule->expr));
  rule->mapped = p->category;
  if (p->placeholder) {
    rule->is_disabled = true;
    FL_TRY(fl_sigma_warn(p, fl_yaml_get(doc, "detection"),
                         "placeholder %%%.60s%% has no value: the rule does not run",
                         p->placeholder));
  }
  return fl_sigma_rule_add(p, rule, doc);
}

fl_status fl_sigma_document(fl_sigma_parser *p, const fl_yaml *doc) {
  if (doc->kind != FL_YAML_MAP) return fl_sigma_error(p, doc, "the document is no map");
  const fl_yaml *action = fl_yaml_get(doc, "action");
  if (action)
    return fl_sigma_error(p, action->key,
                          "'action' belongs to rule collections, which Sigma gave up; write each "
                          "rule whole");
  if (fl_yaml_get(doc, "correlation")) return fl_sigma_correlation_read(p, doc);
  if (fl_yaml_get(doc, "filter")) return fl_sigma_filter_read(p, doc);
  if (fl_yaml_get(doc, "detection")) return read_rule(p, doc);
  return fl_sigma_error(p, doc, "the document has no 'detection', 'correlation' or 'filter'");
}
