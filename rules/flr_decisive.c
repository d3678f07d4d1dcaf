/* flr_decisive.c - what confirms or refutes a cause rests on an event of the attempt.
 *
 * A state fact says how a machine was set up on some day, not what happened in this attempt: it
 * makes a cause likely at most. A condition is tried with all that it could come to while only the
 * anchor and steps of any time are there. */
#include "rules/flr_parse.h"

/* What a condition can come to: true or false, by the steps of the sequence or by a state. */
enum { TRUE_PLAIN = 1, TRUE_BY_STATE = 2, FALSE_PLAIN = 4, FALSE_BY_STATE = 8 };
enum { N_WAYS = 4, BY_STATE = TRUE_BY_STATE | FALSE_BY_STATE };

static bool is_true(unsigned way) { return (way & (TRUE_PLAIN | TRUE_BY_STATE)) != 0; }
static bool is_by_state(unsigned way) { return (way & BY_STATE) != 0; }

static unsigned way_of(bool is_true_way, bool by_state) {
  if (is_true_way) return by_state ? TRUE_BY_STATE : TRUE_PLAIN;
  return by_state ? FALSE_BY_STATE : FALSE_PLAIN;
}

/* A state fact is one also where a rule gives it a window, or hangs on it. */
static bool is_state(const fl_parser *p, uint16_t event) {
  const fl_selector *selector = &p->draft->selectors[event];
  return selector->is_anytime || fl_kind_is_state(selector->source.kind);
}

static bool is_anchor(const fl_parser *p, uint16_t event) {
  const fl_rule *rule = &p->draft->rule;
  const fl_step *anchor = &p->draft->steps[rule->anchor];
  for (size_t i = 0; i < rule->n_steps; i++) {
    const fl_step *step = &p->draft->steps[i];
    if (step->event != event) continue;
    return step == anchor || (anchor->choice != FL_FLR_NONE && step->choice == anchor->choice);
  }
  return false;
}

static bool is_var_of_state(const fl_parser *p, uint16_t var) {
  for (uint16_t i = 0; i < p->draft->rule.n_selectors; i++) {
    const fl_selector *selector = &p->draft->selectors[i];
    for (size_t k = 0; is_state(p, i) && k < selector->n_captures; k++)
      if (selector->captures[k].var == var) return true;
  }
  return false;
}

/* What is said of one event: its being there, its number, a field. */
static unsigned ways_of_event(const fl_parser *p, uint16_t event, bool is_bare) {
  if (is_state(p, event)) return BY_STATE;
  if (is_bare && is_anchor(p, event)) return TRUE_PLAIN;
  return FALSE_PLAIN;
}

static unsigned ways_of_operand(const fl_parser *p, const fl_operand *operand) {
  if (operand->kind == FL_O_FIELD && operand->event != FL_FLR_NONE)
    return ways_of_event(p, operand->event, false);
  if (operand->kind != FL_O_VAR) return 0;
  return is_var_of_state(p, operand->var) ? BY_STATE : TRUE_PLAIN | FALSE_PLAIN;
}

/* The left side decides unless it is a state that is held against a fact of the attempt. */
static unsigned ways_of_compare(const fl_parser *p, const fl_expr *expr) {
  unsigned ways = ways_of_operand(p, &expr->left);
  for (size_t i = 0; i < expr->n_values; i++)
    if (ways == BY_STATE && ways_of_operand(p, &expr->values[i]) == FALSE_PLAIN) ways = FALSE_PLAIN;
  return ways;
}

static unsigned ways_of_delta(const fl_parser *p, const fl_expr *expr) {
  const unsigned a = ways_of_event(p, expr->event, true), b = ways_of_event(p, expr->other, true);
  if (a == FALSE_PLAIN || b == FALSE_PLAIN) return FALSE_PLAIN;
  return a == BY_STATE || b == BY_STATE ? BY_STATE : TRUE_PLAIN | FALSE_PLAIN;
}

/* Of two ways: who made the whole true, or false? */
static unsigned joined(unsigned a, unsigned b, bool is_or) {
  const bool true_a = is_true(a), true_b = is_true(b);
  if (true_a != true_b) return is_or == true_a ? a : b;
  /* An or that is true twice needs no state if one of them needs none; an and needs both. */
  const bool needs_both = true_a != is_or;
  const bool by_state =
      needs_both ? is_by_state(a) || is_by_state(b) : is_by_state(a) && is_by_state(b);
  return way_of(true_a, by_state);
}

static unsigned combine(unsigned left, unsigned right, bool is_or) {
  unsigned ways = 0;
  for (unsigned i = 0; i < N_WAYS; i++)
    for (unsigned k = 0; k < N_WAYS; k++)
      if (left >> i & right >> k & 1u) ways |= joined(1u << i, 1u << k, is_or);
  return ways;
}

static unsigned denied(unsigned ways) { return (ways & 3u) << 2 | ways >> 2; }

/* Nested no deeper than the parser allows. */
static unsigned ways_of(const fl_parser *p, const fl_expr *expr) {
  unsigned ways = 0;
  switch (expr->kind) {
    case FL_X_OR:
    case FL_X_AND:
      for (const fl_expr *kid = expr->kid; kid; kid = kid->next)
        ways = kid == expr->kid ? ways_of(p, kid)
                                : combine(ways, ways_of(p, kid), expr->kind == FL_X_OR);
      return ways;
    case FL_X_NOT:
      return denied(ways_of(p, expr->kid));
    case FL_X_COMPARE:
      return ways_of_compare(p, expr);
    case FL_X_EVENT:
      return ways_of_event(p, expr->event, true);
    case FL_X_UNKNOWN:
      return is_state(p, expr->event) ? BY_STATE : TRUE_PLAIN | FALSE_PLAIN;
    case FL_X_COUNT:
      return ways_of_event(p, expr->event, false);
    case FL_X_DELTA:
      return ways_of_delta(p, expr);
  }
  return 0;
}

fl_status fl_parse_check_decisive(fl_parser *p) {
  const fl_draft *draft = p->draft;
  for (size_t i = 0; i < draft->rule.n_lines; i++) {
    const fl_score_line *line = &draft->lines[i];
    if (!line->is_decisive || !(ways_of(p, line->cond) & TRUE_BY_STATE)) continue;
    const size_t at = (size_t)(line->written.p - p->lex.text.p);
    return fl_lex_error(&p->lex, at,
                        "a state alone decides nothing: 'decisive' needs an event of the attempt "
                        "beside it, joined by 'and'");
  }
  return FL_OK;
}
