/* flr_template.c - explanation texts with places to fill in. */
#include "base/limits.h"
#include "base/text.h"
#include "rules/flr_parse.h"

/* A walk over the raw text of a string token; `at` of a byte is known for messages. */
typedef struct walk {
  fl_parser *p;
  fl_str raw;
  size_t at0, pos;
  unsigned depth;
} walk;

static fl_part *new_part(walk *w, fl_part_kind kind) {
  fl_part *part = FL_NEW(w->p->lex.arena, fl_part);
  if (part)
    *part = (fl_part){.kind = kind, .event = FL_FLR_NONE, .other = FL_FLR_NONE, .var = FL_FLR_NONE};
  return part;
}

/* The words between braces are read by the lexer of rules, over a text that ends at the brace. */
static fl_status begin_inner(walk *w, size_t end, fl_lexer *ret_saved) {
  fl_lexer *lex = &w->p->lex;
  *ret_saved = *lex;
  lex->end = w->at0 + end;
  lex->pos = w->at0 + w->pos;
  fl_lex_next(lex);
  return lex->token.kind == FL_TK_BAD ? FL_E_SYNTAX : FL_OK;
}

static void end_inner(walk *w, const fl_lexer *saved) {
  fl_lexer *lex = &w->p->lex;
  lex->end = saved->end;
  lex->pos = saved->pos;
  lex->token = saved->token;
}

static fl_status parse_text_until(walk *w, bool ends_at_bracket, const fl_part **ret_parts);

static fl_status need_event(fl_parser *p, uint16_t *ret_event) {
  const fl_token token = p->lex.token;
  if (token.kind != FL_TK_EVENT)
    return fl_lex_error(&p->lex, token.at, "expected an event such as $name, found %s",
                        fl_lex_shown(&p->lex).p);
  fl_lex_next(&p->lex);
  return fl_parse_event_name(p, token.text, token.at, ret_event);
}

static fl_status parse_format(fl_parser *p, fl_part *part) {
  if (!fl_lex_take_sign(&p->lex, ":")) return FL_OK;
  const char *known[FL_CODE_N_SPACES + 2] = {"hex"};
  if (fl_lex_take_word(&p->lex, "hex")) {
    part->format = FL_FORMAT_HEX;
    return FL_OK;
  }
  for (int i = 0; i < FL_CODE_N_SPACES; i++) {
    known[i + 1] = fl_code_space_names[i];
    if (!fl_lex_take_word(&p->lex, fl_code_space_names[i])) continue;
    part->format = FL_FORMAT_CODE;
    part->space = (fl_code_space)i;
    return FL_OK;
  }
  const fl_str hint = fl_lex_guess(&p->lex, p->lex.token.text, known);
  return fl_lex_error(&p->lex, p->lex.token.at,
                      "expected 'hex' or the name of a code space, found %s%.*s",
                      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

/* $e.FIELD, $e.last.FIELD, $e.delta($x), $e.sentence */
static fl_status parse_event_place(fl_parser *p, fl_part *part) {
  FL_TRY(need_event(p, &part->event));
  FL_TRY(fl_lex_need_sign(&p->lex, ".", "the event"));
  fl_token token = p->lex.token;
  if (token.kind == FL_TK_NAME) fl_lex_next(&p->lex);
  if (token.kind == FL_TK_NAME && fl_lex_is_sign(&p->lex, ".") &&
      (fl_str_eq(token.text, FL_STR("last")) || fl_str_eq(token.text, FL_STR("first")))) {
    part->is_last = fl_str_eq(token.text, FL_STR("last"));
    fl_lex_next(&p->lex);
    token = p->lex.token;
    if (token.kind == FL_TK_NAME) fl_lex_next(&p->lex);
  }
  if (token.kind == FL_TK_STRING) {
    part->kind = FL_PART_FIELD;
    FL_TRY(fl_lex_string(&p->lex, "a field name", &part->path.field));
    return parse_format(p, part);
  }
  if (token.kind != FL_TK_NAME)
    return fl_lex_error(&p->lex, token.at, "expected a field after '.', found %s",
                        fl_lex_shown(&p->lex).p);
  if (fl_str_eq(token.text, FL_STR("delta")) && fl_lex_take_sign(&p->lex, "(")) {
    part->kind = FL_PART_DELTA;
    FL_TRY(need_event(p, &part->other));
    return fl_lex_need_sign(&p->lex, ")", "the event");
  }
  if (fl_str_eq(token.text, FL_STR("sentence"))) {
    part->kind = FL_PART_SENTENCE;
    return FL_OK;
  }
  part->kind = FL_PART_FIELD;
  FL_TRY(fl_parse_path(p, token.text, true, &part->path));
  return parse_format(p, part);
}

/* {unknown($x): 'text'} */
static fl_status parse_unknown_place(fl_parser *p, unsigned depth, fl_part *part) {
  part->kind = FL_PART_IF_UNKNOWN;
  FL_TRY(fl_lex_need_sign(&p->lex, "(", "'unknown'"));
  FL_TRY(need_event(p, &part->event));
  FL_TRY(fl_lex_need_sign(&p->lex, ")", "the event"));
  FL_TRY(fl_lex_need_sign(&p->lex, ":", "unknown(…)"));
  const fl_token token = p->lex.token;
  if (token.kind != FL_TK_STRING)
    return fl_lex_error(&p->lex, token.at, "expected a text in single quotes, found %s",
                        fl_lex_shown(&p->lex).p);
  walk inner = {p, token.text, (size_t)(token.text.p - p->lex.text.p), 0, depth + 1};
  FL_TRY(parse_text_until(&inner, false, &part->kid));
  fl_lex_next(&p->lex);
  return FL_OK;
}

static fl_status parse_place(fl_parser *p, unsigned depth, fl_part *part) {
  static const char *const words[] = {"count", "machine", "unknown", NULL};
  const fl_token token = p->lex.token;
  if (token.kind == FL_TK_EVENT) return parse_event_place(p, part);
  if (token.kind == FL_TK_VAR) {
    part->kind = FL_PART_VAR;
    fl_lex_next(&p->lex);
    FL_TRY(fl_parse_var_name(p, token.text, token.at, &part->var));
    return parse_format(p, part);
  }
  if (fl_lex_take_word(&p->lex, "unknown")) return parse_unknown_place(p, depth, part);
  if (fl_lex_take_word(&p->lex, "count")) {
    part->kind = FL_PART_COUNT;
    FL_TRY(fl_lex_need_sign(&p->lex, "(", "'count'"));
    FL_TRY(need_event(p, &part->event));
    return fl_lex_need_sign(&p->lex, ")", "the event");
  }
  if (fl_lex_take_word(&p->lex, "machine")) {
    part->kind = FL_PART_MACHINE;
    FL_TRY(fl_lex_need_sign(&p->lex, "(", "'machine'"));
    bool is_role = false;
    part->role = fl_parse_role(p->lex.token.text, &is_role);
    if (!is_role || part->role == 0)
      return fl_lex_error(&p->lex, p->lex.token.at, "expected client, server or gateway, found %s",
                          fl_lex_shown(&p->lex).p);
    fl_lex_next(&p->lex);
    return fl_lex_need_sign(&p->lex, ")", "the role");
  }
  const fl_str hint =
      token.kind == FL_TK_NAME ? fl_lex_guess(&p->lex, token.text, words) : FL_STR("");
  return fl_lex_error(&p->lex, token.at,
                      "expected %%variable, $event.field, count(…), machine(…) or "
                      "unknown(…), found %s%.*s",
                      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

/* The end of a place: its brace, quotes skipped. */
static size_t place_end(const walk *w) {
  char quote = '\0';
  for (size_t i = w->pos; i < w->raw.n; i++) {
    const char c = w->raw.p[i];
    if (c == '\\') i++;
    else if (quote) quote = c == quote ? '\0' : quote;
    else if (c == '\'' || c == '"') quote = c;
    else if (c == '}') return i;
  }
  return w->raw.n;
}

static fl_status parse_braces(walk *w, fl_part **ret_part) {
  const size_t start = w->pos++;
  const size_t end = place_end(w);
  if (end == w->raw.n)
    return fl_lex_error(&w->p->lex, w->at0 + start, "'{' is not closed, expected '}'");
  fl_part *part = new_part(w, FL_PART_TEXT);
  if (!part) return fl_lex_nomem(&w->p->lex);
  fl_lexer saved;
  fl_status s = begin_inner(w, end, &saved);
  if (s == FL_OK) s = parse_place(w->p, w->depth, part);
  if (s == FL_OK && w->p->lex.token.kind != FL_TK_END)
    s = fl_lex_error(&w->p->lex, w->p->lex.token.at, "unexpected %s before '}'",
                     fl_lex_shown(&w->p->lex).p);
  end_inner(w, &saved);
  w->pos = end + 1;
  *ret_part = part;
  return s;
}

/* [?$x: text] and [?%v: text] */
static fl_status parse_brackets(walk *w, fl_part **ret_part) {
  const size_t start = w->pos;
  if (w->depth >= FL_LIMIT_RULE_DEPTH)
    return fl_lex_error(&w->p->lex, w->at0 + start, "'[?' is nested deeper than %d levels",
                        FL_LIMIT_RULE_DEPTH);
  w->pos += 2;
  size_t colon = w->pos;
  while (colon < w->raw.n && w->raw.p[colon] != ':' && w->raw.p[colon] != ']') colon++;
  if (colon == w->raw.n || w->raw.p[colon] == ']')
    return fl_lex_error(&w->p->lex, w->at0 + start,
                        "expected [?$event: text] or [?%%variable: text]");
  fl_part *part = new_part(w, FL_PART_IF_EVENT);
  if (!part) return fl_lex_nomem(&w->p->lex);
  fl_lexer saved;
  fl_status s = begin_inner(w, colon, &saved);
  fl_lexer *lex = &w->p->lex;
  const fl_token token = lex->token;
  if (s == FL_OK && token.kind == FL_TK_VAR) {
    part->kind = FL_PART_IF_VAR;
    s = fl_parse_var_name(w->p, token.text, token.at, &part->var);
  } else if (s == FL_OK && token.kind == FL_TK_EVENT) {
    s = fl_parse_event_name(w->p, token.text, token.at, &part->event);
  } else if (s == FL_OK) {
    s = fl_lex_error(lex, token.at, "expected $event or %%variable after '[?', found %s",
                     fl_lex_shown(lex).p);
  }
  end_inner(w, &saved);
  if (s != FL_OK) return s;
  w->pos = colon + 1;
  if (w->pos < w->raw.n && w->raw.p[w->pos] == ' ') w->pos++;
  w->depth++;
  FL_TRY(parse_text_until(w, true, &part->kid));
  w->depth--;
  if (w->pos >= w->raw.n)
    return fl_lex_error(lex, w->at0 + start, "'[?' is not closed, expected ']'");
  w->pos++;
  *ret_part = part;
  return FL_OK;
}

static bool starts_condition(const walk *w) {
  return w->raw.p[w->pos] == '[' && w->pos + 1 < w->raw.n && w->raw.p[w->pos + 1] == '?';
}

static fl_status parse_literal(walk *w, bool ends_at_bracket, fl_part **ret_part) {
  const size_t start = w->pos;
  while (w->pos < w->raw.n && w->raw.p[w->pos] != '{' && !starts_condition(w) &&
         !(ends_at_bracket && w->raw.p[w->pos] == ']'))
    w->pos += w->raw.p[w->pos] == '\\' && w->pos + 1 < w->raw.n ? 2 : 1;
  fl_part *part = new_part(w, FL_PART_TEXT);
  if (!part) return fl_lex_nomem(&w->p->lex);
  const fl_token literal = {.text = {w->raw.p + start, w->pos - start}, .at = w->at0 + start};
  *ret_part = part;
  return fl_lex_unescape(&w->p->lex, &literal, &part->text);
}

static fl_status parse_text_until(walk *w, bool ends_at_bracket, const fl_part **ret_parts) {
  fl_part *tail = NULL;
  while (w->pos < w->raw.n && !(ends_at_bracket && w->raw.p[w->pos] == ']')) {
    fl_part *part = NULL;
    if (w->raw.p[w->pos] == '{') FL_TRY(parse_braces(w, &part));
    else if (starts_condition(w)) FL_TRY(parse_brackets(w, &part));
    else FL_TRY(parse_literal(w, ends_at_bracket, &part));
    if (tail) tail->next = part;
    else *ret_parts = part;
    tail = part;
  }
  return FL_OK;
}

fl_status fl_parse_template(fl_parser *p, const fl_token *string, const fl_part **ret_parts) {
  walk w = {p, string->text, (size_t)(string->text.p - p->lex.text.p), 0, 0};
  *ret_parts = NULL;
  return parse_text_until(&w, false, ret_parts);
}
