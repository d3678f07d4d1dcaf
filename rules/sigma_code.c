/* sigma_code.c - conditions as words that a run reads, and what must hold for them: witnesses.
 *
 * A witness is a set of predicates of which one holds whenever the rule does; a run asks for the
 * rule only when it met one. Best are those that hold seldom. */
#include "rules/sigma_code.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/sigma_run.h"

typedef struct coder {
  fl_sigma_set *set;
  uint32_t *words; /* of one rule */
  size_t n, cap;
  uint32_t *witness;
  size_t n_witness, cap_witness;
  bool is_too_long;
} coder;

static bool put(coder *c, uint32_t word) {
  if (c->n >= FL_LIMIT_SIGMA_CODE) c->is_too_long = true;
  if (c->is_too_long || !fl_grow((void **)&c->words, &c->cap, c->n + 1, sizeof *c->words))
    return false;
  c->words[c->n++] = word;
  return true;
}

/* Lists of one kid are that kid. Depth is that of the document and of parentheses: bounded. */
static bool flatten(coder *c, const fl_sigma_expr *expr) {
  const bool is_list = expr->kind == FL_SIGMA_AND || expr->kind == FL_SIGMA_OR;
  if (expr->kind == FL_SIGMA_PRED) return put(c, fl_sigma_word(FL_SIGMA_PRED, expr->pred));
  if (is_list && expr->kid && !expr->kid->next) return flatten(c, expr->kid);
  const size_t at = c->n;
  if (!put(c, 0)) return false;
  for (const fl_sigma_expr *kid = expr->kid; kid; kid = is_list ? kid->next : NULL)
    if (!flatten(c, kid)) return false;
  c->words[at] = fl_sigma_word(expr->kind, (uint32_t)c->n);
  return true;
}

static const double never = 1e18; /* more than any sum of costs */

/* Fields whose value is the same for all events that reach a rule tell nothing. */
static bool is_constant(const coder *c, uint32_t field) {
  return fl_sigma_field_is_key(c->set->fields[field].name);
}

/* The literal that must be found for a predicate; UINT32_MAX = none. */
static uint32_t literal_of(const coder *c, uint32_t pred) {
  const fl_sigma_pred *p = &c->set->preds[pred];
  if (p->needle != UINT32_MAX) return p->needle;
  return fl_sigma_pred_is_literal(p) && !is_constant(c, p->field) ? pred : UINT32_MAX;
}

/* What many rules look for is common; long texts are rare. */
static double cost_of_pred(const coder *c, uint32_t pred) {
  const uint32_t literal = literal_of(c, pred);
  if (literal == UINT32_MAX) return never;
  const size_t n = c->set->preds[literal].text.n;
  const double length = n < 24 ? (double)n : 24;
  return (double)(c->set->n_uses[literal] + 1) * 64 / (length * length);
}

static double cost_of(const coder *c, uint32_t at) {
  const uint32_t word = c->words[at];
  const fl_sigma_kind kind = fl_sigma_word_kind(word);
  if (kind == FL_SIGMA_PRED) return cost_of_pred(c, fl_sigma_word_arg(word));
  if (kind == FL_SIGMA_NOT) return never;
  double cost = kind == FL_SIGMA_AND ? never : 0;
  for (uint32_t kid = at + 1; kid < fl_sigma_word_arg(word);
       kid = fl_sigma_code_next(c->words, kid)) {
    const double one = cost_of(c, kid);
    if (kind == FL_SIGMA_OR) cost += one;
    else if (one < cost) cost = one;
  }
  return cost;
}

static bool collect(coder *c, uint32_t at) {
  const uint32_t word = c->words[at];
  const fl_sigma_kind kind = fl_sigma_word_kind(word);
  if (kind == FL_SIGMA_PRED) {
    if (!fl_grow((void **)&c->witness, &c->cap_witness, c->n_witness + 1, sizeof *c->witness))
      return false;
    c->witness[c->n_witness++] = literal_of(c, fl_sigma_word_arg(word));
    return true;
  }
  uint32_t best = at + 1;
  double least = never;
  for (uint32_t kid = at + 1; kid < fl_sigma_word_arg(word);
       kid = fl_sigma_code_next(c->words, kid)) {
    if (kind == FL_SIGMA_OR) {
      if (!collect(c, kid)) return false;
      continue;
    }
    const double one = cost_of(c, kid);
    if (one >= least) continue;
    least = one;
    best = kid;
  }
  return kind == FL_SIGMA_OR || collect(c, best);
}

static bool keep(coder *c, fl_sigma_rule *rule) {
  uint32_t *code = FL_NEW_ARRAY(c->set->arena, uint32_t, c->n);
  if (!code) return false;
  memcpy(code, c->words, c->n * sizeof *code);
  rule->code = code;
  rule->n_code = (uint32_t)c->n;
  for (size_t i = 0; i < c->n; i++)
    if (fl_sigma_word_kind(code[i]) == FL_SIGMA_PRED) c->set->n_uses[fl_sigma_word_arg(code[i])]++;
  return true;
}

static bool find_witness(coder *c, fl_sigma_rule *rule) {
  c->n = rule->n_code;
  memcpy(c->words, rule->code, c->n * sizeof *c->words);
  c->n_witness = 0;
  if (cost_of(c, 0) >= never) return true;
  if (!collect(c, 0)) return false;
  uint32_t *witness = FL_NEW_ARRAY(c->set->arena, uint32_t, c->n_witness);
  if (!witness) return false;
  memcpy(witness, c->witness, c->n_witness * sizeof *witness);
  rule->witness = witness;
  rule->n_witness = (uint32_t)c->n_witness;
  return true;
}

/* Needles are used as often as what needs them. */
static void count_needles(fl_sigma_set *set) {
  for (size_t i = 0; i < set->n_preds; i++)
    if (set->preds[i].needle != UINT32_MAX) set->n_uses[set->preds[i].needle] += set->n_uses[i];
}

static fl_status code_rules(coder *c, fl_lexer *lex) {
  for (size_t i = 0; i < c->set->n_rules; i++) {
    fl_sigma_rule *rule = c->set->rules[i];
    if (!rule->expr) continue;
    c->n = 0;
    if (flatten(c, rule->expr) && keep(c, rule)) continue;
    if (!c->is_too_long) return fl_lex_nomem(lex);
    c->is_too_long = false;
    rule->is_disabled = true;
    lex->file = rule->info.file;
    FL_TRY(fl_lex_warn(lex, 0,
                       "rule %.60s: its condition has more than %d parts when each use of a search "
                       "is counted: the rule does not run",
                       rule->info.name, FL_LIMIT_SIGMA_CODE));
  }
  count_needles(c->set);
  for (size_t i = 0; i < c->set->n_rules; i++)
    if (c->set->rules[i]->code && !find_witness(c, c->set->rules[i])) return fl_lex_nomem(lex);
  return FL_OK;
}

fl_status fl_sigma_code_all(fl_sigma_set *set, fl_lexer *lex) {
  coder c = {.set = set};
  set->n_uses = calloc(set->n_preds + 1, sizeof *set->n_uses);
  const fl_status s = set->n_uses ? code_rules(&c, lex) : fl_lex_nomem(lex);
  free(c.words);
  free(c.witness);
  return s;
}
