/* flr_expr.c - conditions: `where` of events, --where filters, `if` of scores. */
#include "base/limits.h"
#include "base/text.h"
#include "rules/flr_parse.h"
#include "rules/regex.h"

static const struct {
  const char *word;
  fl_op op;
} ops[] = {{"==", FL_OP_EQ},
           {"!=", FL_OP_NE},
           {"<", FL_OP_LT},
           {"<=", FL_OP_LE},
           {">", FL_OP_GT},
           {">=", FL_OP_GE},
           {"contains", FL_OP_CONTAINS},
           {"icontains", FL_OP_ICONTAINS},
           {"startswith", FL_OP_STARTS},
           {"endswith", FL_OP_ENDS},
           {"cidr", FL_OP_CIDR},
           {"matches", FL_OP_MATCHES},
           {"in", FL_OP_IN},
           {"exists", FL_OP_EXISTS}};
enum { N_OPS = sizeof ops / sizeof *ops };

static fl_expr *new_expr(fl_parser *p, fl_expr_kind kind) {
  fl_expr *expr = FL_NEW(p->lex.arena, fl_expr);
  if (expr) *expr = (fl_expr){.kind = kind, .event = FL_FLR_NONE, .other = FL_FLR_NONE};
  return expr;
}

static bool is_order(fl_op op) { return op >= FL_OP_LT && op <= FL_OP_GE; }

fl_status fl_parse_int(fl_parser *p, const char *what, int64_t *ret_number) {
  const bool is_negative = fl_lex_take_sign(&p->lex, "-");
  if (p->lex.token.kind != FL_TK_INT)
    return fl_lex_error(&p->lex, p->lex.token.at, "expected %s, found %s", what,
                        fl_lex_shown(&p->lex).p);
  *ret_number = is_negative ? -p->lex.token.number : p->lex.token.number;
  fl_lex_next(&p->lex);
  return FL_OK;
}

static fl_status parse_op(fl_parser *p, fl_op *ret_op) {
  static const char *const words[] = {"contains", "icontains", "startswith", "endswith", "cidr",
                                      "matches",  "exists",    "in",         NULL};
  const fl_token *token = &p->lex.token;
  if (token->kind == FL_TK_SIGN || token->kind == FL_TK_NAME)
    for (size_t i = 0; i < N_OPS; i++) {
      if (!fl_str_eq(token->text, fl_str_of(ops[i].word))) continue;
      *ret_op = ops[i].op;
      fl_lex_next(&p->lex);
      return FL_OK;
    }
  const fl_str hint = token->kind == FL_TK_NAME      ? fl_lex_guess(&p->lex, token->text, words)
                      : fl_lex_is_sign(&p->lex, "=") ? FL_STR(", did you mean '=='")
                                                     : FL_STR("");
  return fl_lex_error(&p->lex, token->at, "expected a comparison, found %s%.*s",
                      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

static fl_str guess_column(fl_parser *p, fl_str name) {
  const char *names[FL_EVENT_COLUMNS + 1];
  fl_event_column_names(names);
  return fl_lex_guess(&p->lex, name, names);
}

/* NAME { "." NAME } after its first word; "event." and "data." say which world is meant. */
fl_status fl_parse_path(fl_parser *p, fl_str first, bool columns_first, fl_path *ret_path) {
  fl_path path = {0};
  fl_str name = first;
  const bool is_event = fl_str_eq(first, FL_STR("event"));
  const bool is_data = fl_str_eq(first, FL_STR("data"));
  bool has_world = false;
  const size_t at = p->lex.token.at;
  while (fl_lex_is_sign(&p->lex, ".")) {
    fl_lex_next(&p->lex);
    if (p->lex.token.kind != FL_TK_NAME && p->lex.token.kind != FL_TK_STRING)
      return fl_lex_error(&p->lex, p->lex.token.at, "expected a field name after '.', found %s",
                          fl_lex_shown(&p->lex).p);
    if ((is_event || is_data) && !has_world) {
      has_world = true;
      name = p->lex.token.text;
    } else {
      name = fl_arena_printf(p->lex.arena, "%.*s.%.*s", FL_STR_ARG(name),
                             FL_STR_ARG(p->lex.token.text));
      if (!name.p) return fl_lex_nomem(&p->lex);
    }
    fl_lex_next(&p->lex);
  }
  if ((is_event && has_world) || (columns_first && !has_world))
    path.column = fl_event_column_find(name);
  if (is_event && has_world && !path.column)
    return fl_lex_error(&p->lex, at, "unknown column 'event.%.*s'%.*s", FL_STR_ARG(name),
                        FL_STR_ARG(guess_column(p, name)));
  path.field = name;
  *ret_path = path;
  return FL_OK;
}

/* On the command line a slip in a column's name would let nothing pass, or everything: what is no
 * column must say that it is data. */
static fl_status need_column(fl_parser *p, fl_str name, size_t at) {
  const fl_str guess = guess_column(p, name);
  return fl_lex_error(&p->lex, at, "unknown column '%.*s'%.*s; a field of the data is data.%.*s",
                      FL_STR_ARG(name), FL_STR_ARG(guess), FL_STR_ARG(name));
}

static fl_status parse_field(fl_parser *p, fl_operand *ret_operand) {
  fl_operand operand = {.kind = FL_O_FIELD, .event = FL_FLR_NONE};
  const fl_token token = p->lex.token;
  if (token.kind != FL_TK_NAME && token.kind != FL_TK_STRING)
    return fl_lex_error(&p->lex, token.at, "expected a field name, found %s",
                        fl_lex_shown(&p->lex).p);
  if (token.kind == FL_TK_STRING) {
    FL_TRY(fl_lex_string(&p->lex, "a field name", &operand.path.field));
    if (p->mode == FL_EXPR_FILTER) return need_column(p, operand.path.field, token.at);
  } else {
    fl_lex_next(&p->lex);
    const bool has_dot = fl_lex_is_sign(&p->lex, ".");
    const bool is_data = has_dot && fl_str_eq(token.text, FL_STR("data"));
    FL_TRY(fl_parse_path(p, token.text, p->mode == FL_EXPR_FILTER, &operand.path));
    if (p->mode == FL_EXPR_FILTER && !operand.path.column && !is_data)
      return need_column(p, operand.path.field, token.at);
  }
  *ret_operand = operand;
  return FL_OK;
}

/* $e.FIELD, $e.last.FIELD after the name of the event. */
static fl_status parse_event_field(fl_parser *p, uint16_t event, fl_operand *ret_operand) {
  fl_operand operand = {.kind = FL_O_FIELD, .event = event};
  fl_token token = p->lex.token;
  if (token.kind == FL_TK_NAME &&
      (fl_str_eq(token.text, FL_STR("last")) || fl_str_eq(token.text, FL_STR("first")))) {
    fl_lex_next(&p->lex);
    if (fl_lex_take_sign(&p->lex, ".")) {
      operand.is_last = fl_str_eq(token.text, FL_STR("last"));
      token = p->lex.token;
    } else {
      operand.path.field = token.text;
      *ret_operand = operand;
      return FL_OK;
    }
  }
  if (token.kind == FL_TK_STRING) {
    FL_TRY(fl_lex_string(&p->lex, "a field name", &operand.path.field));
  } else if (token.kind == FL_TK_NAME) {
    fl_lex_next(&p->lex);
    FL_TRY(fl_parse_path(p, token.text, true, &operand.path));
  } else {
    return fl_lex_error(&p->lex, token.at, "expected a field name after '.', found %s",
                        fl_lex_shown(&p->lex).p);
  }
  *ret_operand = operand;
  return FL_OK;
}

static fl_status parse_value(fl_parser *p, fl_operand *ret_operand) {
  fl_operand operand = {.kind = FL_O_NUMBER, .event = FL_FLR_NONE};
  const fl_token token = p->lex.token;
  if (token.kind == FL_TK_STRING) {
    operand.kind = FL_O_TEXT;
    FL_TRY(fl_lex_string(&p->lex, "a value", &operand.text));
  } else if (fl_lex_take_word(&p->lex, "true") || fl_lex_take_word(&p->lex, "false")) {
    operand.kind = FL_O_BOOL;
    operand.number = fl_str_eq(token.text, FL_STR("true"));
  } else if (p->mode == FL_EXPR_COND && token.kind == FL_TK_VAR) {
    operand.kind = FL_O_VAR;
    fl_lex_next(&p->lex);
    FL_TRY(fl_parse_var_name(p, token.text, token.at, &operand.var));
  } else if (p->mode == FL_EXPR_COND && token.kind == FL_TK_EVENT) {
    uint16_t event = 0;
    fl_lex_next(&p->lex);
    FL_TRY(fl_parse_event_name(p, token.text, token.at, &event));
    FL_TRY(fl_lex_need_sign(&p->lex, ".", "the event"));
    FL_TRY(parse_event_field(p, event, &operand));
  } else if (token.kind == FL_TK_INT || fl_lex_is_sign(&p->lex, "-")) {
    FL_TRY(fl_parse_int(p, "a number", &operand.number));
  } else {
    return fl_lex_error(&p->lex, token.at, "expected a value (text in quotes, number), found %s",
                        fl_lex_shown(&p->lex).p);
  }
  *ret_operand = operand;
  return FL_OK;
}

/* Literals become what the comparison needs: a time for time columns, a number for <. */
static fl_status settle_value(fl_parser *p, const fl_expr *expr, fl_operand *value, size_t at) {
  const bool is_time = expr->left.kind == FL_O_FIELD && expr->left.path.column &&
                       expr->left.path.column->type == FL_COL_TIME;
  const bool takes_time = expr->op <= FL_OP_GE || expr->op == FL_OP_IN;
  if (is_time && !takes_time)
    return fl_lex_error(&p->lex, at, "a time is compared with == != < <= > >= or 'in'");
  if (is_time && (value->kind == FL_O_NUMBER || value->kind == FL_O_BOOL))
    return fl_lex_error(&p->lex, at,
                        "a time is compared with text such as '2024-05-01T10:00:00Z', not with a "
                        "number");
  if (value->kind == FL_O_TEXT && is_time) {
    if (!fl_time_parse(value->text, &value->number))
      return fl_lex_error(&p->lex, at,
                          "'%.*s' is not a time, expected one such as 2024-05-01T10:00:00Z",
                          (int)(value->text.n < 60 ? value->text.n : 60), value->text.p);
    value->kind = FL_O_NUMBER;
  }
  uint64_t number = 0;
  if (value->kind == FL_O_TEXT && is_order(expr->op)) {
    if (!fl_text_number(value->text, &number) || number > INT64_MAX)
      return fl_lex_error(&p->lex, at, "order needs a number on the right, found text");
    value->kind = FL_O_NUMBER;
    value->number = (int64_t)number;
  }
  if (expr->op >= FL_OP_CONTAINS && expr->op <= FL_OP_CIDR && value->kind != FL_O_TEXT &&
      value->kind != FL_O_VAR && value->kind != FL_O_FIELD)
    return fl_lex_error(&p->lex, at, "text comparison needs text in quotes on the right");
  return FL_OK;
}

static fl_status parse_list(fl_parser *p, fl_expr *expr) {
  FL_TRY(fl_lex_need_sign(&p->lex, "(", "'in'"));
  do {
    if (expr->n_values == FL_FLR_MAX_LIST)
      return fl_lex_error(&p->lex, p->lex.token.at, "more than %d values in one list",
                          FL_FLR_MAX_LIST);
    FL_TRY(parse_value(p, &p->operands[expr->n_values]));
    expr->n_values++;
  } while (fl_lex_take_sign(&p->lex, ","));
  return fl_lex_need_sign(&p->lex, ")", "the list");
}

/* A pattern in slashes, or in quotes where it holds many of them. A literal of text stands for it
 * in the values. */
static fl_status parse_pattern(fl_parser *p, fl_expr *expr) {
  const fl_token token = p->lex.token;
  fl_operand *value = &p->operands[0];
  *value = (fl_operand){.kind = FL_O_TEXT, .event = FL_FLR_NONE, .text = token.text};
  if (token.kind == FL_TK_STRING) FL_TRY(fl_lex_unescape(&p->lex, &token, &value->text));
  else if (token.kind != FL_TK_REGEX)
    return fl_lex_error(&p->lex, token.at, "expected a regular expression such as /^a+$/, found %s",
                        fl_lex_shown(&p->lex).p);
  fl_lex_next(&p->lex);
  unsigned flags = token.kind == FL_TK_REGEX ? (unsigned)token.number : 0;
  expr->is_cased = fl_lex_take_word(&p->lex, "cased");
  if (expr->is_cased && (flags & FL_REGEX_NOCASE))
    return fl_lex_error(&p->lex, token.at, "the flag i and 'cased' contradict each other");
  if (!expr->is_cased) flags |= FL_REGEX_NOCASE;
  fl_err err = {0};
  const fl_status s =
      fl_pattern_add(p->patterns, value->text, flags, p->lex.arena, &expr->pattern, &err);
  if (s == FL_E_NOMEM) return fl_lex_nomem(&p->lex);
  if (s == FL_OK) {
    uint32_t column = 0;
    expr->pattern->text = value->text;
    expr->pattern->file = p->lex.file;
    fl_lex_position(&p->lex, token.at, &expr->pattern->line, &column);
  }
  expr->n_values = 1;
  return s == FL_OK
             ? FL_OK
             : fl_lex_error(&p->lex, token.at + 1 + err.offset,
                            "regular expression at byte %zu: %s", (size_t)err.offset, err.text);
}

/* op value ["cased"]; the left side stands in expr. */
static fl_status parse_comparison(fl_parser *p, fl_expr *expr) {
  FL_TRY(parse_op(p, &expr->op));
  const size_t at = p->lex.token.at;
  if (expr->op == FL_OP_IN) {
    FL_TRY(parse_list(p, expr));
  } else if (expr->op == FL_OP_MATCHES) {
    FL_TRY(parse_pattern(p, expr));
  } else if (expr->op != FL_OP_EXISTS) {
    FL_TRY(parse_value(p, &p->operands[0]));
    expr->n_values = 1;
  }
  for (size_t i = 0; i < expr->n_values; i++) FL_TRY(settle_value(p, expr, &p->operands[i], at));
  if (expr->op == FL_OP_CIDR &&
      (p->operands[0].kind != FL_O_TEXT || !fl_network_parse(p->operands[0].text, &expr->network)))
    return fl_lex_error(&p->lex, at, "expected a network such as \"10.0.0.0/8\" or \"fe80::/10\"");
  const void *values = NULL;
  FL_TRY(fl_parse_keep(p, p->operands, expr->n_values, sizeof *p->operands, &values));
  expr->values = values;
  if (fl_lex_take_word(&p->lex, "cased")) expr->is_cased = true;
  return FL_OK;
}

/* `from_end` NULL: `.end` may not follow the name. */
static fl_status parse_event_in(fl_parser *p, const char *after, uint16_t *ret_event,
                                bool *from_end) {
  FL_TRY(fl_lex_need_sign(&p->lex, "(", after));
  const fl_token token = p->lex.token;
  if (token.kind != FL_TK_EVENT)
    return fl_lex_error(&p->lex, token.at, "expected an event such as $name, found %s",
                        fl_lex_shown(&p->lex).p);
  fl_lex_next(&p->lex);
  FL_TRY(fl_parse_event_name(p, token.text, token.at, ret_event));
  if (from_end && fl_lex_take_sign(&p->lex, ".")) {
    *from_end = fl_lex_take_word(&p->lex, "end");
    if (!*from_end)
      return fl_lex_error(&p->lex, p->lex.token.at, "expected 'end' after the dot, found %s",
                          fl_lex_shown(&p->lex).p);
  }
  return fl_lex_need_sign(&p->lex, ")", "the event");
}

/* count($e) op INT and $e.delta($x) op DURATION. */
static fl_status parse_measure(fl_parser *p, fl_expr *expr) {
  const size_t at = p->lex.token.at;
  FL_TRY(parse_op(p, &expr->op));
  if (expr->op > FL_OP_GE) return fl_lex_error(&p->lex, at, "expected one of == != < <= > >= here");
  fl_operand *number = FL_NEW(p->lex.arena, fl_operand);
  if (!number) return fl_lex_nomem(&p->lex);
  *number = (fl_operand){.kind = FL_O_NUMBER, .event = FL_FLR_NONE};
  if (expr->kind == FL_X_COUNT) {
    FL_TRY(fl_parse_int(p, "a count", &number->number));
  } else {
    const bool is_negative = fl_lex_take_sign(&p->lex, "-");
    if (p->lex.token.kind != FL_TK_DURATION)
      return fl_lex_error(&p->lex, p->lex.token.at, "expected a duration such as 2s, found %s",
                          fl_lex_shown(&p->lex).p);
    number->number = is_negative ? -p->lex.token.number : p->lex.token.number;
    fl_lex_next(&p->lex);
  }
  expr->values = number;
  expr->n_values = 1;
  return FL_OK;
}

/* What starts with $e in a condition. */
static fl_status parse_event_atom(fl_parser *p, fl_expr *expr) {
  const fl_token token = p->lex.token;
  fl_lex_next(&p->lex);
  FL_TRY(fl_parse_event_name(p, token.text, token.at, &expr->event));
  expr->kind = FL_X_EVENT;
  if (!fl_lex_take_sign(&p->lex, ".")) return FL_OK;
  if (fl_lex_is_word(&p->lex, "delta")) {
    fl_lex_next(&p->lex);
    expr->kind = FL_X_DELTA;
    FL_TRY(parse_event_in(p, "'delta'", &expr->other, &expr->is_from_end));
    return parse_measure(p, expr);
  }
  expr->kind = FL_X_COMPARE;
  FL_TRY(parse_event_field(p, expr->event, &expr->left));
  return parse_comparison(p, expr);
}

static fl_status parse_cond_atom(fl_parser *p, fl_expr *expr) {
  static const char *const words[] = {"absent", "unknown", "count", "not", NULL};
  const fl_token token = p->lex.token;
  if (token.kind == FL_TK_EVENT) return parse_event_atom(p, expr);
  if (token.kind == FL_TK_VAR) {
    fl_lex_next(&p->lex);
    expr->kind = FL_X_COMPARE;
    expr->left = (fl_operand){.kind = FL_O_VAR, .event = FL_FLR_NONE};
    FL_TRY(fl_parse_var_name(p, token.text, token.at, &expr->left.var));
    return parse_comparison(p, expr);
  }
  if (fl_lex_take_word(&p->lex, "unknown")) {
    expr->kind = FL_X_UNKNOWN;
    return parse_event_in(p, "'unknown'", &expr->event, NULL);
  }
  if (fl_lex_take_word(&p->lex, "count")) {
    expr->kind = FL_X_COUNT;
    FL_TRY(parse_event_in(p, "'count'", &expr->event, NULL));
    return parse_measure(p, expr);
  }
  if (fl_lex_take_word(&p->lex, "absent")) {
    const fl_token event = p->lex.token;
    if (event.kind != FL_TK_EVENT)
      return fl_lex_error(&p->lex, event.at, "expected an event after 'absent', found %s",
                          fl_lex_shown(&p->lex).p);
    fl_lex_next(&p->lex);
    fl_expr *kid = new_expr(p, FL_X_EVENT);
    if (!kid) return fl_lex_nomem(&p->lex);
    expr->kind = FL_X_NOT;
    expr->kid = kid;
    return fl_parse_event_name(p, event.text, event.at, &kid->event);
  }
  const fl_str hint =
      token.kind == FL_TK_NAME ? fl_lex_guess(&p->lex, token.text, words) : FL_STR("");
  return fl_lex_error(
      &p->lex, token.at,
      "expected a condition ($event, %%variable, absent, unknown, count), found %s%.*s",
      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

static fl_status parse_or(fl_parser *p, const fl_expr **ret_expr);

static fl_status parse_not(fl_parser *p, const fl_expr **ret_expr) {
  const size_t at = p->lex.token.at;
  if (p->depth >= FL_LIMIT_RULE_DEPTH)
    return fl_lex_error(&p->lex, p->lex.token.at, "condition is nested deeper than %d levels",
                        FL_LIMIT_RULE_DEPTH);
  p->depth++;
  fl_status s = FL_OK;
  if (fl_lex_take_sign(&p->lex, "(")) {
    s = parse_or(p, ret_expr);
    if (s == FL_OK) s = fl_lex_need_sign(&p->lex, ")", "the condition");
    p->depth--;
    return s;
  }
  fl_expr *expr = new_expr(p, FL_X_COMPARE);
  if (!expr) return fl_lex_nomem(&p->lex);
  if (fl_lex_take_word(&p->lex, "not")) {
    expr->kind = FL_X_NOT;
    s = parse_not(p, &expr->kid);
  } else if (p->mode == FL_EXPR_COND) {
    s = parse_cond_atom(p, expr);
  } else {
    s = parse_field(p, &expr->left);
    if (s == FL_OK) s = parse_comparison(p, expr);
  }
  p->depth--;
  expr->text = fl_lex_since(&p->lex, at);
  *ret_expr = expr;
  return s;
}

/* One level of and/or: a single term stays itself. */
static fl_status parse_terms(fl_parser *p, bool is_or, const fl_expr **ret_expr) {
  const size_t at = p->lex.token.at;
  const fl_expr *first = NULL;
  FL_TRY(is_or ? parse_terms(p, false, &first) : parse_not(p, &first));
  if (!fl_lex_is_word(&p->lex, is_or ? "or" : "and")) {
    *ret_expr = first;
    return FL_OK;
  }
  fl_expr *expr = new_expr(p, is_or ? FL_X_OR : FL_X_AND);
  fl_expr *tail = new_expr(p, FL_X_COMPARE);
  if (!expr || !tail) return fl_lex_nomem(&p->lex);
  *tail = *first;
  expr->kid = tail;
  while (fl_lex_take_word(&p->lex, is_or ? "or" : "and")) {
    const fl_expr *term = NULL;
    FL_TRY(is_or ? parse_terms(p, false, &term) : parse_not(p, &term));
    fl_expr *copy = new_expr(p, FL_X_COMPARE);
    if (!copy) return fl_lex_nomem(&p->lex);
    *copy = *term;
    tail->next = copy;
    tail = copy;
  }
  expr->text = fl_lex_since(&p->lex, at);
  *ret_expr = expr;
  return FL_OK;
}

static fl_status parse_or(fl_parser *p, const fl_expr **ret_expr) {
  return parse_terms(p, true, ret_expr);
}

fl_status fl_parse_expr(fl_parser *p, const fl_expr **ret_expr) {
  p->depth = 0;
  return parse_or(p, ret_expr);
}
