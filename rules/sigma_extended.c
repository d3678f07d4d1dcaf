/* sigma_extended.c - conditions of correlations over rule names: and, or, not, parentheses. */
#include "rules/sigma_extended.h"

#include <string.h>

#include "base/arena.h"
#include "rules/sigma_parse.h"

/* The condition is read as one over searches: a word stands for the reference of that name. */
static fl_status make_searches(const fl_sigma_parser *p, const fl_sigma_correlation *c,
                               fl_sigma_searches *ret) {
  ret->items = FL_NEW_ARRAY(p->scratch, fl_sigma_search, c->n_refs);
  ret->n = c->n_refs;
  if (!ret->items) return fl_lex_nomem(p->lex);
  for (size_t i = 0; i < c->n_refs; i++) {
    ret->items[i].name = c->refs[i].word;
    FL_TRY(fl_sigma_expr_new(p, FL_SIGMA_PRED, &ret->items[i].expr));
    ret->items[i].expr->pred = (uint32_t)i;
  }
  return FL_OK;
}

static bool is_operator(fl_str word) {
  static const char *const words[] = {"and", "or", "not", "of", "them", "all", "any", "1"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (fl_str_eq_nocase(word, fl_str_of(words[i]))) return true;
  return false;
}

static bool is_known(const fl_sigma_correlation *c, fl_str word) {
  for (size_t i = 0; i < c->n_refs; i++)
    if (fl_str_eq(c->refs[i].word, word)) return true;
  return false;
}

/* Without 'rules' they are those that the condition names, in its order. */
static fl_status take_words(const fl_sigma_parser *p, const fl_yaml *node,
                            fl_sigma_correlation *c) {
  const fl_str t = node->text;
  for (size_t at = 0, end; at < t.n; at = end + 1) {
    for (end = at; end < t.n && !strchr(" \t\r\n()", t.p[end]);) end++;
    const fl_str word = {t.p + at, end - at};
    if (word.n == 0 || is_operator(word) || is_known(c, word)) continue;
    if (c->n_refs >= FL_SIGMA_MAX_REFS)
      return fl_sigma_error(p, node, "more than %d rules", FL_SIGMA_MAX_REFS);
    const fl_str kept = fl_arena_str(p->arena, word);
    if (!kept.p) return fl_lex_nomem(p->lex);
    c->refs[c->n_refs++] = (fl_sigma_cor_ref){kept, UINT32_MAX};
  }
  return FL_OK;
}

/* The refs behind an odd number of `not`. */
static void find_negated(const fl_sigma_expr *expr, bool is_negated, uint64_t *ret) {
  if (expr->kind == FL_SIGMA_PRED) {
    if (is_negated) *ret |= UINT64_C(1) << expr->pred;
    return;
  }
  for (const fl_sigma_expr *kid = expr->kid; kid; kid = kid->next) {
    find_negated(kid, is_negated != (expr->kind == FL_SIGMA_NOT), ret);
    if (expr->kind == FL_SIGMA_NOT) return;
  }
}

/* A step of an order: a rule, or some of which one is enough. */
static bool step_of(const fl_sigma_expr *expr, uint64_t *ret) {
  if (expr->kind == FL_SIGMA_PRED) *ret |= UINT64_C(1) << expr->pred;
  if (expr->kind == FL_SIGMA_PRED) return true;
  if (expr->kind != FL_SIGMA_OR) return false;
  for (const fl_sigma_expr *kid = expr->kid; kid; kid = kid->next)
    if (!step_of(kid, ret)) return false;
  return true;
}

static fl_status order(const fl_sigma_parser *p, const fl_yaml *node, fl_sigma_correlation *c) {
  const bool is_list = c->expr->kind == FL_SIGMA_AND;
  for (const fl_sigma_expr *kid = is_list ? c->expr->kid : c->expr; kid;
       kid = is_list ? kid->next : NULL) {
    const bool is_absent = kid->kind == FL_SIGMA_NOT && kid->kid->kind == FL_SIGMA_PRED;
    if (is_absent) continue;
    uint64_t step = 0;
    if (!step_of(kid, &step))
      return fl_sigma_error(p, node,
                            "an order needs steps joined by 'and': a rule, 'not' a rule, "
                            "or rules joined by 'or'");
    c->steps[c->n_steps++] = step;
  }
  if (c->n_steps) return FL_OK;
  return fl_sigma_error(p, node, "the condition is of absent rules alone: no event could tell");
}

fl_status fl_sigma_extended(fl_sigma_parser *p, const fl_yaml *node, fl_sigma_correlation *c) {
  fl_sigma_searches searches;
  fl_sigma_expr *expr = NULL;
  const bool has_rules = c->n_refs > 0;
  if (!has_rules) FL_TRY(take_words(p, node, c));
  FL_TRY(make_searches(p, c, &searches));
  FL_TRY(fl_sigma_condition(p, node, &searches, &expr));
  for (size_t i = 0; i < searches.n; i++)
    if (!searches.items[i].is_used)
      return fl_sigma_error(p, node, "rule '%.60s' is not in the condition", c->refs[i].word.p);
  c->expr = expr;
  find_negated(expr, false, &c->negated);
  if (c->type == FL_SIGMA_TEMPORAL_ORDERED) return order(p, node, c);
  if (c->negated != (c->n_refs == 64 ? UINT64_MAX : (UINT64_C(1) << c->n_refs) - 1)) return FL_OK;
  return fl_sigma_error(p, node, "the condition is of absent rules alone: no event could tell");
}
