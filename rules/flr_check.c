/* flr_check.c - what makes a whole rule valid, and what is merely suspicious. */
#include <string.h>

#include "rules/flr_parse.h"

static const fl_step *step_of(const fl_draft *draft, uint16_t event) {
  for (size_t i = 0; i < draft->rule.n_steps; i++)
    if (draft->steps[i].event == event) return &draft->steps[i];
  return NULL;
}

static bool binds(const fl_selector *selector, uint16_t var) {
  for (size_t i = 0; i < selector->n_captures; i++)
    if (selector->captures[i].var == var) return true;
  return false;
}

/* A window that counts from an event whose time does not matter would be anywhere. */
static fl_status check_measure(fl_parser *p, const fl_step *step, uint16_t from) {
  const fl_draft *draft = p->draft;
  if (from == FL_FLR_NONE || !draft->selectors[from].is_anytime) return FL_OK;
  return fl_lex_error(&p->lex, step->at, "$%.*s is at any time, no window counts from it",
                      FL_STR_ARG(draft->selectors[from].name));
}

/* Every event that score, explain or another step names must be searched for. */
static fl_status check_events(fl_parser *p) {
  const fl_draft *draft = p->draft;
  for (size_t i = 0; i < draft->rule.n_selectors; i++) {
    const fl_selector *selector = &draft->selectors[i];
    if (step_of(draft, (uint16_t)i)) continue;
    if (draft->is_named[i])
      return fl_lex_error(&p->lex, draft->named_at[i], "$%.*s is no step of the sequence",
                          FL_STR_ARG(selector->name));
    FL_TRY(fl_lex_warn(&p->lex, selector->at, "event $%.*s is never used",
                       FL_STR_ARG(selector->name)));
  }
  for (size_t i = 0; i < draft->rule.n_steps; i++) {
    const fl_step *step = &draft->steps[i];
    if (step->from == step->event || step->to == step->event)
      return fl_lex_error(&p->lex, step->at, "$%.*s cannot be its own measure",
                          FL_STR_ARG(draft->selectors[step->event].name));
    FL_TRY(check_measure(p, step, step->from));
    FL_TRY(check_measure(p, step, step->to));
  }
  for (size_t i = 0; i < draft->rule.n_vars; i++)
    if (!draft->is_captured[i])
      return fl_lex_error(&p->lex, draft->var_at[i],
                          "%%%.*s is never captured, expected FIELD -> %%%.*s",
                          FL_STR_ARG(draft->vars[i].name), FL_STR_ARG(draft->vars[i].name));
  return FL_OK;
}

static fl_status add_only_step(fl_parser *p) {
  fl_draft *draft = p->draft;
  if (draft->rule.n_selectors != 1)
    return fl_lex_error(&p->lex, draft->at, "a rule with %zu events needs a sequence section",
                        draft->rule.n_selectors);
  draft->steps[draft->rule.n_steps++] = (fl_step){.kind = FL_STEP_ITEM,
                                                  .choice = FL_FLR_NONE,
                                                  .cluster = FL_FLR_NONE,
                                                  .from = FL_FLR_NONE,
                                                  .to = FL_FLR_NONE,
                                                  .at = draft->selectors[0].at};
  return FL_OK;
}

/* The anchor; what stands before it looks back. */
static fl_status find_anchor(fl_parser *p) {
  fl_draft *draft = p->draft;
  fl_rule *rule = &draft->rule;
  size_t anchor = 0;
  while (anchor < rule->n_steps &&
         !(draft->steps[anchor].kind == FL_STEP_ITEM && !draft->steps[anchor].is_optional &&
           draft->steps[anchor].window == FL_W_FORWARD))
    anchor++;
  if (anchor == rule->n_steps)
    return fl_lex_error(&p->lex, draft->at,
                        "the sequence has no mandatory step in order to hang on");
  rule->anchor = anchor;
  const uint16_t cluster = draft->steps[anchor].cluster;
  for (size_t i = 0; i < anchor; i++) {
    fl_step *step = &draft->steps[i];
    if (step->kind != FL_STEP_ITEM || step->window != FL_W_FORWARD) continue;
    if (cluster != FL_FLR_NONE && step->cluster == cluster) continue;
    if (step->choice != FL_FLR_NONE && step->choice == draft->steps[anchor].choice) continue;
    if (!step->has_window || step->cluster != FL_FLR_NONE) step->ns = rule->within_ns;
    step->window = FL_W_BEFORE;
    step->has_window = true;
    step->cluster = FL_FLR_NONE;
  }
  return FL_OK;
}

/* `by machine(role)` is one more variable that every event may bind. */
static fl_status add_machine(fl_parser *p) {
  static const char *const names[] = {"machine(client)", "machine(server)", "machine(gateway)"};
  fl_draft *draft = p->draft;
  const unsigned role = draft->machine;
  if (role == 0) return FL_OK;
  if (draft->rule.n_vars == FL_FLR_MAX_VARS)
    return fl_lex_error(&p->lex, draft->at, "more than %d variables in one rule", FL_FLR_MAX_VARS);
  const uint16_t var = (uint16_t)draft->rule.n_vars++;
  const char *name = names[role == FL_ROLE_CLIENT ? 0 : role == FL_ROLE_SERVER ? 1 : 2];
  draft->vars[var] = (fl_variable){fl_str_of(name), FL_NORM_HOST, true};
  draft->is_captured[var] = true;
  for (size_t i = 0; i < draft->rule.n_selectors; i++) {
    fl_selector *selector = &draft->selectors[i];
    fl_capture *captures = FL_NEW_ARRAY(p->lex.arena, fl_capture, selector->n_captures + 1);
    if (!captures) return fl_lex_nomem(&p->lex);
    if (selector->n_captures)
      memcpy(captures, selector->captures, selector->n_captures * sizeof *captures);
    captures[selector->n_captures++] = (fl_capture){.path = {.machine = role}, .var = var};
    selector->captures = captures;
  }
  return FL_OK;
}

static bool shares_variable(const fl_draft *draft, const fl_selector *a, const fl_selector *b) {
  for (size_t i = 0; i < a->n_captures; i++)
    if (draft->machine == 0 || a->captures[i].path.machine == 0)
      if (binds(b, a->captures[i].var)) return true;
  return false;
}

/* A step without a join key fits every failure at once. */
static fl_status check_joins(fl_parser *p) {
  const fl_draft *draft = p->draft;
  const fl_selector *anchor = &draft->selectors[draft->steps[draft->rule.anchor].event];
  for (size_t i = 0; i < draft->rule.n_steps; i++) {
    const fl_step *step = &draft->steps[i];
    const fl_selector *selector = &draft->selectors[step->event];
    for (size_t k = 0; k < draft->n_by; k++)
      if (!binds(selector, draft->by[k]))
        FL_TRY(fl_lex_warn(&p->lex, step->at, "step $%.*s never binds %%%.*s",
                           FL_STR_ARG(selector->name), FL_STR_ARG(draft->vars[draft->by[k]].name)));
    if (draft->n_by || draft->machine || selector == anchor) continue;
    if (!shares_variable(draft, anchor, selector))
      FL_TRY(
          fl_lex_warn(&p->lex, step->at,
                      "step $%.*s shares no variable with $%.*s and joins with all in its window",
                      FL_STR_ARG(selector->name), FL_STR_ARG(anchor->name)));
  }
  return FL_OK;
}

static fl_status check_meta(fl_parser *p) {
  const fl_rule_info *info = &p->draft->rule.info;
  const fl_cause_fact *causes = NULL;
  if (info->title[0] == '\0')
    return fl_lex_error(&p->lex, p->draft->at, "rule '%.60s' has no title in its meta section",
                        info->name);
  if (info->cause[0] && fl_causes(&causes) > 0 && !fl_cause_find(fl_str_of(info->cause)))
    return fl_lex_warn(&p->lex, p->draft->at, "cause '%.60s' is not known", info->cause);
  return FL_OK;
}

fl_status fl_parse_check(fl_parser *p) {
  fl_draft *draft = p->draft;
  if (!draft->has_events)
    return fl_lex_error(&p->lex, draft->at, "rule '%.60s' has no events section",
                        draft->rule.info.name);
  FL_TRY(check_meta(p));
  if (draft->rule.n_steps == 0) {
    if (draft->has_sequence)
      return fl_lex_error(&p->lex, draft->at, "the sequence of rule '%.60s' has no steps",
                          draft->rule.info.name);
    FL_TRY(add_only_step(p));
  }
  if (draft->rule.info.is_private && draft->rule.n_steps != 1)
    return fl_lex_error(&p->lex, draft->at,
                        "private rule '%.60s' has %zu steps, expected one event for rule(…)",
                        draft->rule.info.name, draft->rule.n_steps);
  if (draft->rule.info.is_private && draft->rule.info.n_tests)
    return fl_lex_error(&p->lex, draft->at,
                        "private rule '%.60s' gives no findings that a test could count",
                        draft->rule.info.name);
  FL_TRY(check_events(p));
  FL_TRY(find_anchor(p));
  FL_TRY(fl_parse_check_decisive(p));
  FL_TRY(check_joins(p));
  return add_machine(p);
}
