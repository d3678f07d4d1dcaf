/* sigma_filter.c - filters: conditions that are joined to other rules, to suppress what is known.
 *
 * As pySigma does it, the condition of a filter is joined by AND as it is written: `not selection`
 * leaves out what fits. */
#include "base/arena.h"
#include "rules/sigma_set.h"

static bool has_not(const fl_sigma_expr *expr) {
  if (expr->kind == FL_SIGMA_NOT) return true;
  if (expr->kind == FL_SIGMA_PRED) return false;
  for (const fl_sigma_expr *kid = expr->kid; kid; kid = kid->next)
    if (has_not(kid)) return true;
  return false;
}

fl_status fl_sigma_filter_read(fl_sigma_parser *p, const fl_yaml *doc) {
  const fl_yaml *node = fl_yaml_get(doc, "filter");
  fl_sigma_filter *filter = FL_NEW(p->arena, fl_sigma_filter);
  if (!filter) return fl_lex_nomem(p->lex);
  FL_TRY(fl_sigma_head(p, doc, &filter->head));
  FL_TRY(fl_sigma_logsource(p, doc, &filter->head));
  FL_TRY(fl_sigma_detection(p, node, "rules", &filter->expr));
  const fl_yaml *rules = fl_yaml_get(node, "rules");
  if (!rules)
    return fl_sigma_error(p, node->key, "the filter has no 'rules', expected ids, names or 'any'");
  FL_TRY(fl_sigma_texts(p, rules, &filter->words, &filter->n_words));
  const bool is_any = rules->kind == FL_YAML_SCALAR && fl_str_eq_nocase(rules->text, FL_STR("any"));
  if (is_any) filter->n_words = 0;
  if (p->placeholder)
    return fl_sigma_error(p, node, "placeholder %%%.60s%% has no value", p->placeholder);
  if (!has_not(filter->expr))
    FL_TRY(fl_sigma_warn(p, fl_yaml_get(node, "condition"),
                         "the filter keeps what fits it; 'not …' would leave that out"));
  if (p->set->last_filter) p->set->last_filter->next = filter;
  else p->set->filters = filter;
  p->set->last_filter = filter;
  return FL_OK;
}

static bool says(fl_str wanted, fl_str is) { return wanted.n == 0 || fl_str_eq_nocase(wanted, is); }

/* What the filter's log source names, the rule's names, too. */
static bool is_for(const fl_sigma_filter *filter, const fl_sigma_rule *rule) {
  return rule->expr && says(filter->head.product, rule->product) &&
         says(filter->head.category, rule->category) && says(filter->head.service, rule->service);
}

/* A copy whose fields are called as the rule's category calls them. */
static fl_status adopt(const fl_sigma_parser *p, const fl_sigma_expr *expr, uint32_t category,
                       fl_sigma_expr **ret_expr) {
  fl_sigma_expr *copy = NULL, *last = NULL;
  FL_TRY(fl_sigma_expr_new(p, expr->kind, &copy));
  copy->label = expr->label;
  if (expr->kind == FL_SIGMA_PRED) {
    fl_sigma_pred pred = p->set->preds[expr->pred];
    if (pred.field != FL_SIGMA_KEYWORDS)
      pred.field = fl_sigma_field_of(p->set, p->set->fields[pred.field].name, category);
    if (pred.op == FL_SIGMA_FIELD)
      pred.other = fl_sigma_field_of(p->set, p->set->fields[pred.other].name, category);
    const bool is_same = pred.field == p->set->preds[expr->pred].field;
    if (!is_same) FL_TRY(fl_sigma_regex_again(p, &pred));
    copy->pred = is_same ? expr->pred : fl_sigma_pred_of(p->set, &pred);
    if (pred.field == UINT32_MAX || copy->pred == UINT32_MAX) return fl_lex_nomem(p->lex);
  }
  for (const fl_sigma_expr *kid = expr->kid; kid; kid = kid->next) {
    fl_sigma_expr *own = NULL;
    FL_TRY(adopt(p, kid, category, &own));
    fl_sigma_expr_add(copy, &last, own);
    if (expr->kind == FL_SIGMA_NOT) break;
  }
  *ret_expr = copy;
  return FL_OK;
}

static fl_status join(const fl_sigma_parser *p, const fl_sigma_filter *filter,
                      fl_sigma_rule *rule) {
  fl_sigma_expr *own = NULL, *all = NULL, *last = NULL;
  FL_TRY(adopt(p, filter->expr, rule->mapped, &own));
  FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_AND, &all));
  fl_sigma_expr_add(all, &last, rule->expr);
  fl_sigma_expr_add(all, &last, own);
  rule->expr = all;
  return FL_OK;
}

static fl_status apply(const fl_sigma_parser *p, const fl_sigma_filter *filter) {
  fl_sigma_set *set = p->set;
  for (size_t i = 0; filter->n_words == 0 && i < set->n_rules; i++)
    if (is_for(filter, set->rules[i])) FL_TRY(join(p, filter, set->rules[i]));
  for (size_t i = 0; i < filter->n_words; i++) {
    const uint32_t rule = fl_sigma_rule_find(set, filter->words[i]);
    if (rule == UINT32_MAX) {
      p->lex->file = filter->head.info.file;
      FL_TRY(fl_lex_warn(p->lex, 0, "filter '%.60s' names rule '%.60s', which is not loaded",
                         filter->head.title.p, filter->words[i].p));
    } else if (is_for(filter, set->rules[rule])) {
      FL_TRY(join(p, filter, set->rules[rule]));
    }
  }
  return FL_OK;
}

fl_status fl_sigma_filter_all(fl_sigma_set *set, fl_lexer *lex) {
  const fl_sigma_parser p = {.set = set, .lex = lex, .arena = set->arena, .scratch = set->scratch};
  for (const fl_sigma_filter *filter = set->filters; filter; filter = filter->next)
    FL_TRY(apply(&p, filter));
  return FL_OK;
}
