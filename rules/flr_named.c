/* flr_named.c - sources that name a rule: rule("…"), sigma("…"), yara("…"). */
#include "base/limits.h"
#include "base/text.h"
#include "rules/named.h"

const char *const fl_named_words[FL_N_NAMED_KINDS] = {"rule", "sigma", "yara"};

static bool is_in(fl_named_set set, uint32_t number) {
  size_t low = 0, high = set.n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (set.numbers[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low < set.n && set.numbers[low] == number;
}

/* What bytes matched is an event of its own; it bears the rule's name. */
static bool is_yara_match(const fl_named *named, const fl_event *event) {
  const fl_value *rule = fl_event_field(event, FL_STR("rule"));
  return rule && rule->kind == FL_V_STR && fl_str_eq(rule->as.text, named->name);
}

static bool has_required(const fl_selector *selector, const fl_event *event) {
  for (size_t i = 0; i < selector->n_captures; i++) {
    if (!selector->captures[i].is_required) continue;
    const fl_value value = fl_path_value(&selector->captures[i].path, event);
    if (value.kind == FL_V_NULL || (value.kind == FL_V_STR && value.as.text.n == 0)) return false;
  }
  return true;
}

static bool named_holds(const fl_named *named, const fl_event *event, fl_named_set set) {
  switch (named->kind) {
    case FL_NAMED_RULE:
      return fl_selector_holds(named->selector, event, set) && has_required(named->selector, event);
    case FL_NAMED_SIGMA:
      return is_in(set, named->number);
    case FL_NAMED_YARA:
      return is_yara_match(named, event);
  }
  return false;
}

/* Chains of rules end: fl_named_check_end saw to it. */
bool fl_selector_holds(const fl_selector *selector, const fl_event *event, fl_named_set set) {
  if (selector->where && !fl_expr_holds(selector->where, event)) return false;
  return !selector->source.named || named_holds(selector->source.named, event, set);
}

const fl_event_source *fl_source_meant(const fl_event_source *source) {
  while (source->named && source->named->selector && !source->channel.n && !source->provider.n &&
         !source->kind.n && !source->kind_is_prefix && !source->n_ids)
    source = &source->named->selector->source;
  return source;
}

static fl_status unknown(const fl_named *named, fl_lexer *lex, const char *reason) {
  return fl_lex_error(lex, named->at, "%s(\"%.*s\"): %s", fl_named_words[named->kind],
                      (int)(named->name.n < 80 ? named->name.n : 80), named->name.p, reason);
}

fl_status fl_named_resolve(const fl_named_finder *finder, fl_named *named, fl_lexer *lex) {
  if (named->kind == FL_NAMED_YARA) {
    if (finder->has_yara(finder->rules, named->name)) return FL_OK;
    return unknown(named, lex, "no YARA rule of this name is loaded");
  }
  if (named->kind == FL_NAMED_SIGMA) {
    if (!finder->sigma) return unknown(named, lex, "no Sigma rules are loaded");
    if (finder->sigma->find(finder->sigma->set, named->name, &named->number)) return FL_OK;
    return unknown(named, lex, "no Sigma rule of one event has this id or name");
  }
  const fl_rule *rule = finder->find_rule(finder->rules, named->name);
  if (!rule) return unknown(named, lex, "no rule has this name");
  if (rule->n_steps != 1)
    return unknown(named, lex, "the rule has several steps, expected one event");
  named->selector = &rule->selectors[rule->steps[0].event];
  return FL_OK;
}

fl_status fl_named_check_end(const fl_named *named, fl_lexer *lex) {
  const fl_named *next = named;
  for (int depth = 0; depth < FL_LIMIT_RULE_INCLUDES; depth++) {
    if (!next->selector || !next->selector->source.named) return FL_OK;
    next = next->selector->source.named;
  }
  return unknown(named, lex, "its rules name each other in a circle, or more than 8 deep");
}
