/* flr_events.c - the events section: sources, conditions, captures. */
#include <string.h>

#include "base/text.h"
#include "rules/flr_parse.h"

const char *const fl_norm_names[7] = {"text", "ip", "host", "user", "hex", "guid", "pid"};

fl_status fl_parse_keep(fl_parser *p, const void *items, size_t n, size_t item_bytes,
                        const void **ret_copy) {
  *ret_copy = NULL;
  if (n == 0) return FL_OK;
  void *copy = fl_arena_items(p->lex.arena, n, item_bytes);
  if (!copy) return fl_lex_nomem(&p->lex);
  *ret_copy = memcpy(copy, items, n * item_bytes);
  return FL_OK;
}

unsigned fl_parse_role(fl_str word, bool *ret_is_role) {
  static const char *const words[] = {"client", "server", "gateway"};
  *ret_is_role = true;
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
    if (fl_str_eq(word, fl_str_of(words[i]))) return 1u << i;
  *ret_is_role = fl_str_eq(word, FL_STR("any"));
  return 0;
}

fl_status fl_parse_event_name(fl_parser *p, fl_str name, size_t at, uint16_t *ret_event) {
  const char *known[FL_FLR_MAX_EVENTS + 1] = {0};
  fl_draft *draft = p->draft;
  for (size_t i = 0; i < draft->rule.n_selectors; i++) {
    if (fl_str_eq(draft->selectors[i].name, name)) {
      *ret_event = (uint16_t)i;
      if (!draft->is_named[i]) draft->named_at[i] = at;
      draft->is_named[i] = true;
      return FL_OK;
    }
    known[i] = draft->selectors[i].name.p; /* ends with a NUL, see parse_event */
  }
  const fl_str hint = fl_lex_guess(&p->lex, name, known);
  return fl_lex_error(&p->lex, at, "event $%.*s is not declared in the events section%.*s",
                      (int)(name.n < 60 ? name.n : 60), name.p, FL_STR_ARG(hint));
}

fl_status fl_parse_var_name(fl_parser *p, fl_str name, size_t at, uint16_t *ret_var) {
  fl_draft *draft = p->draft;
  for (size_t i = 0; i < draft->rule.n_vars; i++)
    if (fl_str_eq(draft->vars[i].name, name)) {
      *ret_var = (uint16_t)i;
      return FL_OK;
    }
  if (draft->rule.n_vars == FL_FLR_MAX_VARS)
    return fl_lex_error(&p->lex, at, "more than %d variables in one rule", FL_FLR_MAX_VARS);
  const size_t i = draft->rule.n_vars;
  draft->vars[i] = (fl_variable){.name = fl_arena_str(p->lex.arena, name)};
  if (!draft->vars[i].name.p) return fl_lex_nomem(&p->lex);
  draft->var_at[i] = at;
  draft->is_captured[i] = false;
  draft->rule.n_vars++;
  *ret_var = (uint16_t)i;
  return FL_OK;
}

static fl_status parse_ids(fl_parser *p, fl_event_source *source) {
  size_t n = 0;
  do {
    const size_t at = p->lex.token.at;
    int64_t id = 0;
    FL_TRY(fl_parse_int(p, "an event id", &id));
    if (id < 0 || id > UINT32_MAX)
      return fl_lex_error(&p->lex, at, "event id %lld is out of range", (long long)id);
    if (n == FL_FLR_MAX_LIST)
      return fl_lex_error(&p->lex, at, "more than %d event ids in one source", FL_FLR_MAX_LIST);
    p->ids[n++] = (uint32_t)id;
  } while (fl_lex_take_sign(&p->lex, "|"));
  const void *ids = NULL;
  FL_TRY(fl_parse_keep(p, p->ids, n, sizeof *p->ids, &ids));
  source->ids = ids;
  source->n_ids = n;
  return FL_OK;
}

static fl_status parse_alias(fl_parser *p, fl_event_source *ret_source) {
  const char *known[64] = {0};
  size_t n = 0;
  const fl_token token = p->lex.token;
  for (const fl_alias *alias = p->aliases; alias; alias = alias->next) {
    if (fl_str_eq(alias->name, token.text)) {
      *ret_source = alias->source;
      fl_lex_next(&p->lex);
      return FL_OK;
    }
    if (n < 63) known[n++] = alias->name.p;
  }
  const fl_str hint = fl_lex_guess(&p->lex, token.text, known);
  return fl_lex_error(&p->lex, token.at, "alias @%.*s is not defined above%.*s",
                      (int)(token.text.n < 60 ? token.text.n : 60), token.text.p, FL_STR_ARG(hint));
}

static fl_status parse_part(fl_parser *p, fl_str *slot, const char *what) {
  const size_t at = p->lex.token.at;
  fl_lex_next(&p->lex);
  if (slot->n) return fl_lex_error(&p->lex, at, "%s is given twice", what);
  FL_TRY(fl_lex_string(&p->lex, what, slot));
  if (slot->n == 0) return fl_lex_error(&p->lex, at, "%s is empty", what);
  return FL_OK;
}

/* rule("…"), sigma("…"), yara("…"): resolved when all rules are there. */
static fl_status parse_named(fl_parser *p, fl_named_kind kind, fl_event_source *source) {
  const size_t at = p->lex.token.at;
  fl_lex_next(&p->lex);
  if (source->named) return fl_lex_error(&p->lex, at, "a source names one rule, here is a second");
  fl_named *named = FL_NEW(p->lex.arena, fl_named);
  if (!named) return fl_lex_nomem(&p->lex);
  *named = (fl_named){.kind = kind, .file = p->lex.file, .text = p->lex.text, .at = at};
  FL_TRY(fl_lex_need_sign(&p->lex, "(", fl_named_words[kind]));
  FL_TRY(fl_lex_string(&p->lex, "the name of a rule", &named->name));
  if (named->name.n == 0) return fl_lex_error(&p->lex, at, "the name of a rule is empty");
  FL_TRY(fl_lex_need_sign(&p->lex, ")", "the name"));
  if (kind == FL_NAMED_YARA && source->kind.n)
    return fl_lex_error(&p->lex, at, "yara(…) is a kind of its own, here is another");
  if (kind == FL_NAMED_YARA) source->kind = FL_STR("yara.match");
  named->next = *p->named;
  *p->named = named;
  source->named = named;
  return FL_OK;
}

static bool is_named_word(const fl_parser *p, fl_named_kind *ret_kind) {
  for (int i = 0; i < FL_N_NAMED_KINDS; i++) {
    if (!fl_lex_is_word(&p->lex, fl_named_words[i])) continue;
    *ret_kind = (fl_named_kind)i;
    return p->named != NULL;
  }
  return false;
}

fl_status fl_parse_source(fl_parser *p, fl_event_source *ret_source) {
  static const char *const words[] = {"channel", "provider", "kind", "client", "server", "gateway",
                                      "any",     "sigma",    "yara", "rule",   NULL};
  fl_named_kind named = FL_NAMED_RULE;
  fl_event_source source = {0};
  bool is_any = false, has_ids = false;
  if (p->lex.token.kind == FL_TK_ALIAS) {
    FL_TRY(parse_alias(p, &source));
    is_any = true;
  }
  while (!is_any || p->lex.token.kind == FL_TK_NAME ||
         (p->lex.token.kind == FL_TK_INT && !has_ids)) {
    if (is_any && p->lex.token.kind == FL_TK_INT) {
      FL_TRY(parse_ids(p, &source));
      has_ids = true;
    } else if (fl_lex_is_word(&p->lex, "channel")) {
      FL_TRY(parse_part(p, &source.channel, "a channel"));
    } else if (fl_lex_is_word(&p->lex, "provider")) {
      FL_TRY(parse_part(p, &source.provider, "a provider"));
    } else if (fl_lex_is_word(&p->lex, "kind")) {
      FL_TRY(parse_part(p, &source.kind, "a kind"));
      source.kind_is_prefix = source.kind.p[source.kind.n - 1] == '*';
      source.kind.n -= source.kind_is_prefix;
    } else if (is_named_word(p, &named) && !(is_any && fl_lex_starts_rule(&p->lex))) {
      FL_TRY(parse_named(p, named, &source));
    } else if (is_any) {
      break;
    } else {
      const fl_str hint = p->lex.token.kind == FL_TK_NAME
                              ? fl_lex_guess(&p->lex, p->lex.token.text, words)
                              : FL_STR("");
      return fl_lex_error(&p->lex, p->lex.token.at,
                          "expected a source (@alias, channel, provider, kind, rule(…), sigma(…), "
                          "yara(…)), found %s%.*s",
                          fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
    }
    is_any = true;
  }
  *ret_source = source;
  return FL_OK;
}

static fl_status parse_norm(fl_parser *p, uint16_t var) {
  const char *known[8] = {0};
  const fl_token token = p->lex.token;
  for (int i = FL_NORM_IP; i <= FL_NORM_PID; i++) {
    known[i - FL_NORM_IP] = fl_norm_names[i];
    if (!fl_lex_is_word(&p->lex, fl_norm_names[i])) continue;
    fl_variable *variable = &p->draft->vars[var];
    if (variable->has_norm && variable->norm != (fl_norm)i)
      return fl_lex_error(&p->lex, token.at, "%%%.*s is captured as %s elsewhere, here as %s",
                          FL_STR_ARG(variable->name), fl_norm_names[variable->norm],
                          fl_norm_names[i]);
    variable->has_norm = true;
    variable->norm = (fl_norm)i;
    fl_lex_next(&p->lex);
    return FL_OK;
  }
  const fl_str hint = fl_lex_guess(&p->lex, token.text, known);
  return fl_lex_error(&p->lex, token.at, "expected one of ip host user hex guid pid, found %s%.*s",
                      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

/* A capture when an arrow follows the field; otherwise the lexer is back where it was. */
static fl_status parse_capture(fl_parser *p, fl_capture *ret_capture, bool *ret_is_capture) {
  const fl_lexer start = p->lex;
  *ret_is_capture = false;
  const fl_token first = p->lex.token;
  if (first.kind != FL_TK_NAME && first.kind != FL_TK_STRING) return FL_OK;
  fl_capture capture = {0};
  if (first.kind == FL_TK_STRING) {
    FL_TRY(fl_lex_string(&p->lex, "a field name", &capture.path.field));
  } else {
    fl_lex_next(&p->lex);
    FL_TRY(fl_parse_path(p, first.text, false, &capture.path));
  }
  capture.is_required = fl_lex_is_sign(&p->lex, "=>");
  if (!capture.is_required && !fl_lex_is_sign(&p->lex, "->")) {
    p->lex = start;
    return FL_OK;
  }
  fl_lex_next(&p->lex);
  const fl_token var = p->lex.token;
  if (var.kind != FL_TK_VAR)
    return fl_lex_error(&p->lex, var.at, "expected a variable such as %%name, found %s",
                        fl_lex_shown(&p->lex).p);
  fl_lex_next(&p->lex);
  FL_TRY(fl_parse_var_name(p, var.text, var.at, &capture.var));
  p->draft->is_captured[capture.var] = true;
  if (fl_lex_take_word(&p->lex, "as")) FL_TRY(parse_norm(p, capture.var));
  capture.text = fl_lex_since(&p->lex, first.at);
  *ret_capture = capture;
  *ret_is_capture = true;
  return FL_OK;
}

/* Conditions of one event are joined by `and` in the order written. */
static fl_status add_where(fl_parser *p, fl_selector *selector) {
  const fl_expr *expr = NULL;
  p->mode = FL_EXPR_WHERE;
  FL_TRY(fl_parse_expr(p, &expr));
  if (!selector->where) {
    selector->where = expr;
    return FL_OK;
  }
  fl_expr *both = FL_NEW(p->lex.arena, fl_expr);
  fl_expr *left = FL_NEW(p->lex.arena, fl_expr), *right = FL_NEW(p->lex.arena, fl_expr);
  if (!both || !left || !right) return fl_lex_nomem(&p->lex);
  *right = *expr;
  *left = *selector->where;
  left->next = right;
  *both = (fl_expr){.kind = FL_X_AND, .kid = left};
  selector->where = both;
  return FL_OK;
}

static fl_status parse_clauses(fl_parser *p, fl_selector *selector) {
  size_t n = 0, n_clauses = 0;
  while (!fl_lex_take_sign(&p->lex, "}")) {
    bool is_capture = false;
    if (n_clauses++ == FL_FLR_MAX_CLAUSES)
      return fl_lex_error(&p->lex, p->lex.token.at, "more than %d clauses for one event",
                          FL_FLR_MAX_CLAUSES);
    FL_TRY(parse_capture(p, &p->captures[n], &is_capture));
    if (is_capture) n++;
    else FL_TRY(add_where(p, selector));
    if (fl_lex_is_sign(&p->lex, "}")) continue;
    if (!fl_lex_take_sign(&p->lex, ";"))
      return fl_lex_error(&p->lex, p->lex.token.at,
                          "expected ';' or '}' after the clause, found %s",
                          fl_lex_shown(&p->lex).p);
  }
  const void *kept = NULL;
  FL_TRY(fl_parse_keep(p, p->captures, n, sizeof *p->captures, &kept));
  selector->captures = kept;
  selector->n_captures = n;
  return FL_OK;
}

fl_status fl_parse_selector(fl_parser *p, fl_str name, size_t at, uint16_t *ret_event) {
  fl_draft *draft = p->draft;
  if (draft->rule.n_selectors == FL_FLR_MAX_EVENTS)
    return fl_lex_error(&p->lex, at, "more than %d events in one rule", FL_FLR_MAX_EVENTS);
  fl_selector selector = {.name = fl_arena_str(p->lex.arena, name), .at = at};
  if (!selector.name.p) return fl_lex_nomem(&p->lex);
  const size_t start = p->lex.token.at;
  bool is_role = false;
  if (p->lex.token.kind == FL_TK_NAME) selector.role = fl_parse_role(p->lex.token.text, &is_role);
  if (is_role) fl_lex_next(&p->lex);
  FL_TRY(fl_parse_source(p, &selector.source));
  selector.written = fl_lex_since(&p->lex, start);
  if (fl_lex_take_sign(&p->lex, "{")) FL_TRY(parse_clauses(p, &selector));
  *ret_event = (uint16_t)draft->rule.n_selectors;
  draft->selectors[draft->rule.n_selectors] = selector;
  draft->is_named[draft->rule.n_selectors] = false;
  draft->rule.n_selectors++;
  return FL_OK;
}

static fl_status parse_event(fl_parser *p) {
  fl_draft *draft = p->draft;
  const fl_token token = p->lex.token;
  for (size_t i = 0; i < draft->rule.n_selectors; i++)
    if (fl_str_eq(draft->selectors[i].name, token.text))
      return fl_lex_error(&p->lex, token.at, "event $%.*s is declared twice",
                          (int)(token.text.n < 60 ? token.text.n : 60), token.text.p);
  fl_lex_next(&p->lex);
  FL_TRY(fl_lex_need_sign(&p->lex, ":", "the event's name"));
  uint16_t event = 0;
  return fl_parse_selector(p, token.text, token.at, &event);
}

fl_status fl_parse_events(fl_parser *p) {
  while (p->lex.token.kind == FL_TK_EVENT) FL_TRY(parse_event(p));
  if (p->draft->rule.n_selectors == 0)
    return fl_lex_error(&p->lex, p->lex.token.at,
                        "expected an event such as $name : channel \"…\", found %s",
                        fl_lex_shown(&p->lex).p);
  return FL_OK;
}
