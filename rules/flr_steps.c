/* flr_steps.c - the sequence section: steps, windows, joins. */
#include "base/limits.h"
#include "rules/flr_parse.h"

static fl_status need_duration(fl_parser *p, const char *after, int64_t *ret_ns) {
  if (p->lex.token.kind != FL_TK_DURATION)
    return fl_lex_error(&p->lex, p->lex.token.at,
                        "expected a duration such as 30s after '%s', found %s", after,
                        fl_lex_shown(&p->lex).p);
  *ret_ns = p->lex.token.number;
  fl_lex_next(&p->lex);
  return FL_OK;
}

static fl_status need_event(fl_parser *p, const char *after, uint16_t *ret_event) {
  const fl_token token = p->lex.token;
  if (token.kind != FL_TK_EVENT)
    return fl_lex_error(&p->lex, token.at, "expected an event such as $name after %s, found %s",
                        after, fl_lex_shown(&p->lex).p);
  fl_lex_next(&p->lex);
  return fl_parse_event_name(p, token.text, token.at, ret_event);
}

static fl_status add_step(fl_parser *p, const fl_step *step) {
  fl_draft *draft = p->draft;
  for (size_t i = 0; i < draft->rule.n_steps; i++)
    if (draft->steps[i].event == step->event)
      return fl_lex_error(&p->lex, step->at, "$%.*s stands in the sequence twice",
                          FL_STR_ARG(draft->selectors[step->event].name));
  if (draft->rule.n_steps == FL_LIMIT_SEQUENCE_STEPS)
    return fl_lex_error(&p->lex, step->at, "more than %d steps", FL_LIMIT_SEQUENCE_STEPS);
  draft->steps[draft->rule.n_steps++] = *step;
  return FL_OK;
}

/* within, before, during with a duration; or anytime. */
static fl_status parse_window(fl_parser *p, fl_step *step) {
  static const struct {
    const char *word;
    fl_window_kind kind;
  } windows[] = {{"within", FL_W_FORWARD}, {"before", FL_W_BEFORE}, {"during", FL_W_DURING}};
  for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
    if (!fl_lex_take_word(&p->lex, windows[i].word)) continue;
    step->window = windows[i].kind;
    step->has_window = true;
    return need_duration(p, windows[i].word, &step->ns);
  }
  if (!fl_lex_take_word(&p->lex, "anytime")) return FL_OK;
  step->window = FL_W_ANYTIME;
  step->has_window = true;
  return FL_OK;
}

/* {n}, {m,}, {,n}, {m,n} behind an event. */
static fl_status parse_repetition(fl_parser *p, fl_step *step) {
  const size_t at = p->lex.token.at;
  int64_t least = 0, most = 0;
  const bool has_least = !fl_lex_is_sign(&p->lex, ",");
  if (has_least) FL_TRY(fl_parse_int(p, "a count", &least));
  const bool is_range = fl_lex_take_sign(&p->lex, ",");
  if (is_range && p->lex.token.kind == FL_TK_INT) FL_TRY(fl_parse_int(p, "a count", &most));
  else if (is_range && !has_least)
    return fl_lex_error(&p->lex, p->lex.token.at, "expected a count after ',', found %s",
                        fl_lex_shown(&p->lex).p);
  else if (is_range) most = INT32_MAX;
  else most = least;
  if (most < 1 || least < 0 || most < least)
    return fl_lex_error(&p->lex, at, "a repetition from %lld to %lld is none", (long long)least,
                        (long long)most);
  if (least > FL_LIMIT_SEQUENCE_REPEATS || (most > FL_LIMIT_SEQUENCE_REPEATS && most != INT32_MAX))
    return fl_lex_error(&p->lex, at, "a repetition of more than %d", FL_LIMIT_SEQUENCE_REPEATS);
  step->is_repeated = true;
  step->is_optional = least == 0;
  step->least = (uint32_t)least;
  step->most = most == INT32_MAX ? 0 : (uint32_t)most;
  return fl_lex_need_sign(&p->lex, "}", "the repetition");
}

/* ? * + or a repetition in braces. */
static fl_status parse_quantity(fl_parser *p, fl_step *step) {
  if (fl_lex_take_sign(&p->lex, "?")) {
    step->is_optional = true;
  } else if (fl_lex_take_sign(&p->lex, "*")) {
    step->is_optional = step->is_repeated = true;
  } else if (fl_lex_take_sign(&p->lex, "+")) {
    step->is_repeated = true;
  } else if (fl_lex_take_sign(&p->lex, "{")) {
    return parse_repetition(p, step);
  }
  return FL_OK;
}

/* $a or ($a | $b), then how many of them and a window. */
static fl_status parse_item(fl_parser *p, uint16_t cluster) {
  const size_t first = p->draft->rule.n_steps, start = p->lex.token.at;
  fl_step step = {.kind = FL_STEP_ITEM,
                  .choice = FL_FLR_NONE,
                  .cluster = cluster,
                  .from = FL_FLR_NONE,
                  .to = FL_FLR_NONE,
                  .at = p->lex.token.at};
  if (fl_lex_take_sign(&p->lex, "(")) {
    step.choice = (uint16_t)p->draft->n_choices++;
    do {
      step.at = p->lex.token.at;
      FL_TRY(need_event(p, "'('", &step.event));
      FL_TRY(add_step(p, &step));
    } while (fl_lex_take_sign(&p->lex, "|"));
    FL_TRY(fl_lex_need_sign(&p->lex, ")", "the alternatives"));
  } else {
    FL_TRY(need_event(p, "the steps", &step.event));
    FL_TRY(add_step(p, &step));
  }
  FL_TRY(parse_quantity(p, &step));
  const size_t at = p->lex.token.at;
  FL_TRY(parse_window(p, &step));
  if (step.has_window && cluster != FL_FLR_NONE)
    return fl_lex_error(&p->lex, at,
                        "items of 'unordered' share its window and have none of their own");
  step.text = fl_lex_since(&p->lex, start);
  for (size_t i = first; i < p->draft->rule.n_steps; i++) {
    fl_step *made = &p->draft->steps[i];
    made->is_optional = step.is_optional;
    made->is_repeated = step.is_repeated;
    made->text = step.text;
    made->least = step.least;
    made->most = step.most;
    made->window = step.window;
    made->has_window = step.has_window;
    made->ns = step.ns;
    p->draft->selectors[made->event].is_anytime = step.window == FL_W_ANYTIME;
  }
  return FL_OK;
}

static fl_status parse_unordered(fl_parser *p) {
  const uint16_t cluster = (uint16_t)p->draft->n_clusters++;
  const size_t first = p->draft->rule.n_steps;
  int64_t ns = 0;
  if (!fl_lex_take_word(&p->lex, "within"))
    return fl_lex_error(&p->lex, p->lex.token.at, "expected 'within' after 'unordered', found %s",
                        fl_lex_shown(&p->lex).p);
  FL_TRY(need_duration(p, "within", &ns));
  FL_TRY(fl_lex_need_sign(&p->lex, "{", "the window"));
  while (!fl_lex_take_sign(&p->lex, "}")) FL_TRY(parse_item(p, cluster));
  for (size_t i = first; i < p->draft->rule.n_steps; i++) {
    p->draft->steps[i].has_window = true;
    p->draft->steps[i].ns = ns;
  }
  return FL_OK;
}

static fl_status parse_absent(fl_parser *p) {
  fl_step step = {.kind = FL_STEP_ABSENT,
                  .choice = FL_FLR_NONE,
                  .cluster = FL_FLR_NONE,
                  .from = FL_FLR_NONE,
                  .to = FL_FLR_NONE,
                  .has_window = true,
                  .is_optional = true,
                  .at = p->lex.token.at};
  FL_TRY(need_event(p, "'absent'", &step.event));
  if (fl_lex_take_word(&p->lex, "within")) {
    step.window = FL_W_AFTER_EVENT;
    FL_TRY(need_duration(p, "within", &step.ns));
    if (fl_lex_take_word(&p->lex, "after")) {
      FL_TRY(need_event(p, "'after'", &step.from));
    } else if (fl_lex_take_word(&p->lex, "before")) {
      step.window = FL_W_BEFORE_EVENT;
      FL_TRY(need_event(p, "'before'", &step.from));
    }
  } else if (fl_lex_take_word(&p->lex, "during")) {
    step.window = FL_W_DURING;
    FL_TRY(need_duration(p, "during", &step.ns));
  } else if (fl_lex_take_word(&p->lex, "between")) {
    step.window = FL_W_BETWEEN;
    FL_TRY(need_event(p, "'between'", &step.from));
    if (!fl_lex_take_word(&p->lex, "and"))
      return fl_lex_error(&p->lex, p->lex.token.at, "expected 'and' with a second event, found %s",
                          fl_lex_shown(&p->lex).p);
    FL_TRY(need_event(p, "'and'", &step.to));
  } else {
    return fl_lex_error(&p->lex, p->lex.token.at,
                        "expected 'within', 'during' or 'between' after the absent event, found %s",
                        fl_lex_shown(&p->lex).p);
  }
  step.text = fl_lex_since(&p->lex, step.at);
  return add_step(p, &step);
}

static fl_status parse_until(fl_parser *p) {
  fl_step step = {.kind = FL_STEP_UNTIL,
                  .choice = FL_FLR_NONE,
                  .cluster = FL_FLR_NONE,
                  .from = FL_FLR_NONE,
                  .to = FL_FLR_NONE,
                  .is_optional = true,
                  .at = p->lex.token.at};
  if (p->lex.token.kind == FL_TK_EVENT) {
    FL_TRY(need_event(p, "'until'", &step.event));
  } else {
    const fl_str name = fl_arena_printf(p->lex.arena, "until%zu", ++p->draft->n_unnamed);
    if (!name.p) return fl_lex_nomem(&p->lex);
    FL_TRY(fl_parse_selector(p, name, step.at, &step.event));
  }
  step.text = fl_lex_since(&p->lex, step.at);
  return add_step(p, &step);
}

static fl_status parse_key(fl_parser *p) {
  const fl_token token = p->lex.token;
  if (token.kind == FL_TK_VAR) {
    if (p->draft->n_by == FL_FLR_MAX_VARS)
      return fl_lex_error(&p->lex, token.at, "more than %d join keys", FL_FLR_MAX_VARS);
    fl_lex_next(&p->lex);
    return fl_parse_var_name(p, token.text, token.at, &p->draft->by[p->draft->n_by++]);
  }
  if (!fl_lex_take_word(&p->lex, "machine"))
    return fl_lex_error(&p->lex, token.at,
                        "expected a variable or machine(role) after 'by', found %s",
                        fl_lex_shown(&p->lex).p);
  FL_TRY(fl_lex_need_sign(&p->lex, "(", "'machine'"));
  bool is_role = false;
  const unsigned role = fl_parse_role(p->lex.token.text, &is_role);
  if (!is_role || role == 0)
    return fl_lex_error(&p->lex, p->lex.token.at, "expected client, server or gateway, found %s",
                        fl_lex_shown(&p->lex).p);
  if (p->draft->machine) return fl_lex_error(&p->lex, token.at, "machine(…) is given twice");
  p->draft->machine = role;
  fl_lex_next(&p->lex);
  return fl_lex_need_sign(&p->lex, ")", "the role");
}

static fl_status parse_head(fl_parser *p) {
  fl_rule *rule = &p->draft->rule;
  if (fl_lex_take_word(&p->lex, "by")) do
      FL_TRY(parse_key(p));
    while (fl_lex_take_sign(&p->lex, ","));
  if (fl_lex_take_word(&p->lex, "within")) FL_TRY(need_duration(p, "within", &rule->within_ns));
  if (fl_lex_take_word(&p->lex, "skew")) FL_TRY(need_duration(p, "skew", &rule->skew_ns));
  if (fl_lex_take_sign(&p->lex, ":")) return FL_OK;
  static const char *const words[] = {"by", "within", "skew", NULL};
  const fl_str hint = p->lex.token.kind == FL_TK_NAME
                          ? fl_lex_guess(&p->lex, p->lex.token.text, words)
                          : FL_STR("");
  return fl_lex_error(&p->lex, p->lex.token.at,
                      "expected 'by', 'within', 'skew' in this order, then ':', found %s%.*s",
                      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

fl_status fl_parse_sequence(fl_parser *p) {
  FL_TRY(parse_head(p));
  for (;;) {
    if (fl_lex_take_word(&p->lex, "unordered")) FL_TRY(parse_unordered(p));
    else if (fl_lex_take_word(&p->lex, "absent")) FL_TRY(parse_absent(p));
    else if (fl_lex_take_word(&p->lex, "until")) FL_TRY(parse_until(p));
    else if (p->lex.token.kind == FL_TK_EVENT || fl_lex_is_sign(&p->lex, "("))
      FL_TRY(parse_item(p, FL_FLR_NONE));
    else return FL_OK;
  }
}
