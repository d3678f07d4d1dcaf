/* flr_parse.c - the frame of .flr texts: aliases, rules and their sections. */
#include <string.h>

#include "base/text.h"
#include "rules/flr_parse.h"

enum { MAX_ERRORS = 20, DEFAULT_SEVERITY = 50, DEFAULT_REPORT_AT = 25, DEFAULT_WITHIN_S = 300 };

static const char *const meta_keys[] = {"title", "cause", "severity", "effect",
                                        "fix",   "refs",  "author",   "description",
                                        "note",  "date",  "mitre",    NULL};

static fl_status parse_meta_text(fl_parser *p, const fl_token *key, fl_str value) {
  fl_rule_info *info = &p->draft->rule.info;
  if (fl_str_eq(key->text, FL_STR("title"))) info->title = value.p;
  if (fl_str_eq(key->text, FL_STR("cause"))) info->cause = value.p;
  if (!fl_str_eq(key->text, FL_STR("effect"))) return FL_OK;
  static const char *const effects[] = {"noise", "context", NULL};
  info->effect = value.p;
  if (value.n == 0 || strcmp(info->effect, "noise") == 0 || strcmp(info->effect, "context") == 0)
    return FL_OK;
  const fl_str hint = fl_lex_guess(&p->lex, value, effects);
  return fl_lex_error(&p->lex, p->lex.token.at,
                      "effect is \"noise\" or \"context\", found '%.*s'%.*s",
                      (int)(value.n < 40 ? value.n : 40), value.p, FL_STR_ARG(hint));
}

static fl_status parse_meta_entry(fl_parser *p) {
  const fl_token key = p->lex.token;
  bool is_known = false;
  for (size_t i = 0; meta_keys[i]; i++) is_known |= fl_str_eq(key.text, fl_str_of(meta_keys[i]));
  if (!is_known) {
    const fl_str hint = fl_lex_guess(&p->lex, key.text, meta_keys);
    FL_TRY(fl_lex_warn(&p->lex, key.at, "unknown key '%.*s' in meta%.*s",
                       (int)(key.text.n < 40 ? key.text.n : 40), key.text.p, FL_STR_ARG(hint)));
  }
  fl_lex_next(&p->lex);
  FL_TRY(fl_lex_need_sign(&p->lex, "=", "the key"));
  const bool is_severity = fl_str_eq(key.text, FL_STR("severity"));
  const bool is_text = fl_str_eq(key.text, FL_STR("title")) ||
                       fl_str_eq(key.text, FL_STR("cause")) ||
                       fl_str_eq(key.text, FL_STR("effect"));
  const fl_token token = p->lex.token;
  if (token.kind == FL_TK_STRING && !is_severity) {
    fl_str value = {0};
    FL_TRY(fl_lex_unescape(&p->lex, &token, &value));
    if (is_text) FL_TRY(parse_meta_text(p, &key, value));
    fl_lex_next(&p->lex);
    return FL_OK;
  }
  if (is_text)
    return fl_lex_error(&p->lex, token.at, "expected text in quotes, found %s",
                        fl_lex_shown(&p->lex).p);
  if (!is_severity && (fl_lex_take_word(&p->lex, "true") || fl_lex_take_word(&p->lex, "false")))
    return FL_OK;
  int64_t number = 0;
  FL_TRY(fl_parse_int(p, is_severity ? "a number from 0 to 100" : "a value", &number));
  if (!is_severity) return FL_OK;
  if (number < 0 || number > 100)
    return fl_lex_error(&p->lex, token.at, "severity %lld is not in 0 to 100", (long long)number);
  p->draft->rule.info.severity = (int)number;
  return FL_OK;
}

/* Words that begin a section; a key of meta is followed by '=', these by ':' or more words. */
static bool starts_section(const fl_lexer *lex) {
  static const char *const words[] = {"meta", "events", "sequence", "score", "explain", "tests"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (fl_lex_is_word(lex, words[i])) return true;
  return false;
}

static fl_status parse_meta(fl_parser *p) {
  while (p->lex.token.kind == FL_TK_NAME && !starts_section(&p->lex)) FL_TRY(parse_meta_entry(p));
  return FL_OK;
}

static fl_status parse_explain(fl_parser *p) {
  fl_part *tail = NULL;
  if (p->lex.token.kind != FL_TK_STRING)
    return fl_lex_error(&p->lex, p->lex.token.at, "expected a text in quotes, found %s",
                        fl_lex_shown(&p->lex).p);
  while (p->lex.token.kind == FL_TK_STRING) {
    const fl_token token = p->lex.token;
    fl_part *group = FL_NEW(p->lex.arena, fl_part);
    if (!group) return fl_lex_nomem(&p->lex);
    /* Several strings: a chain of always-true groups keeps each parsed list whole. */
    *group = (fl_part){.kind = FL_PART_TEXT, .event = FL_FLR_NONE, .var = FL_FLR_NONE};
    FL_TRY(fl_parse_template(p, &token, &group->kid));
    if (tail) tail->next = group;
    else p->draft->rule.explain = group;
    tail = group;
    fl_lex_next(&p->lex);
  }
  return FL_OK;
}

static fl_status parse_tests(fl_parser *p) {
  fl_rule_info *info = &p->draft->rule.info;
  for (;;) {
    const bool expects_match = fl_lex_is_word(&p->lex, "match");
    if (!expects_match && !fl_lex_is_word(&p->lex, "nomatch")) return FL_OK;
    if (info->n_tests == FL_FLR_MAX_TESTS)
      return fl_lex_error(&p->lex, p->lex.token.at, "more than %d tests", FL_FLR_MAX_TESTS);
    fl_lex_next(&p->lex);
    fl_rule_test test = {.expects_match = expects_match, .count = -1};
    FL_TRY(fl_lex_string(&p->lex, "a scenario or path", &test.path));
    if (p->lex.token.kind == FL_TK_INT) FL_TRY(fl_parse_int(p, "a count", &test.count));
    p->draft->tests[info->n_tests++] = test;
  }
}

static fl_status parse_section(fl_parser *p) {
  static const char *const words[] = {"meta",    "events", "sequence", "score",
                                      "explain", "tests",  NULL};
  fl_draft *draft = p->draft;
  bool *const seen[] = {&draft->has_meta,  &draft->has_events,  &draft->has_sequence,
                        &draft->has_score, &draft->has_explain, &draft->has_tests};
  fl_status (*const parse[])(fl_parser *) = {parse_meta,     fl_parse_events, fl_parse_sequence,
                                             fl_parse_score, parse_explain,   parse_tests};
  const fl_token token = p->lex.token;
  for (size_t i = 0; words[i]; i++) {
    if (!fl_lex_is_word(&p->lex, words[i])) continue;
    if (*seen[i]) return fl_lex_error(&p->lex, token.at, "section '%s' is given twice", words[i]);
    if (i >= 2 && i <= 4 && !draft->has_events)
      return fl_lex_error(&p->lex, token.at, "section '%s' needs the events section before it",
                          words[i]);
    if (i == 2 && (draft->has_score || draft->has_explain))
      return fl_lex_error(&p->lex, token.at,
                          "section 'sequence' comes before 'score' and 'explain'");
    *seen[i] = true;
    fl_lex_next(&p->lex);
    if (i != 2) FL_TRY(fl_lex_need_sign(&p->lex, ":", words[i]));
    return parse[i](p);
  }
  const fl_str hint =
      token.kind == FL_TK_NAME ? fl_lex_guess(&p->lex, token.text, words) : FL_STR("");
  return fl_lex_error(
      &p->lex, token.at,
      "expected a section (meta, events, sequence, score, explain, tests) or '}', found %s%.*s",
      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

static fl_status keep_rule(fl_parser *p, fl_rule_node **ret_node) {
  fl_draft *d = p->draft;
  fl_rule_node *node = FL_NEW(p->lex.arena, fl_rule_node);
  fl_rule *rule = FL_NEW(p->lex.arena, fl_rule);
  if (!node || !rule) return fl_lex_nomem(&p->lex);
  const void *kept[6] = {0};
  FL_TRY(fl_parse_keep(p, d->tags, d->rule.n_tags, sizeof *d->tags, &kept[0]));
  FL_TRY(fl_parse_keep(p, d->selectors, d->rule.n_selectors, sizeof *d->selectors, &kept[1]));
  FL_TRY(fl_parse_keep(p, d->vars, d->rule.n_vars, sizeof *d->vars, &kept[2]));
  FL_TRY(fl_parse_keep(p, d->steps, d->rule.n_steps, sizeof *d->steps, &kept[3]));
  FL_TRY(fl_parse_keep(p, d->lines, d->rule.n_lines, sizeof *d->lines, &kept[4]));
  FL_TRY(fl_parse_keep(p, d->tests, d->rule.info.n_tests, sizeof *d->tests, &kept[5]));
  *rule = d->rule;
  rule->tags = kept[0];
  rule->selectors = kept[1];
  rule->vars = kept[2];
  rule->steps = kept[3];
  rule->lines = kept[4];
  rule->info.tests = kept[5];
  node->rule = rule;
  *ret_node = node;
  return FL_OK;
}

static fl_status parse_rule(fl_parser *p, bool is_private, fl_rule_node **ret_node) {
  fl_draft *draft = p->draft;
  *draft = (fl_draft){.at = p->lex.token.at};
  const fl_token name = p->lex.token;
  if (name.kind != FL_TK_NAME)
    return fl_lex_error(&p->lex, name.at, "expected the name of the rule, found %s",
                        fl_lex_shown(&p->lex).p);
  const fl_str kept_name = fl_arena_str(p->lex.arena, name.text);
  if (!kept_name.p) return fl_lex_nomem(&p->lex);
  draft->rule = (fl_rule){.report_at = DEFAULT_REPORT_AT,
                          .within_ns = DEFAULT_WITHIN_S * FL_SECOND,
                          .info = {.name = kept_name.p,
                                   .title = "",
                                   .cause = "",
                                   .effect = "",
                                   .severity = DEFAULT_SEVERITY,
                                   .is_private = is_private,
                                   .file = p->lex.file}};
  uint32_t column = 0;
  fl_lex_position(&p->lex, name.at, &draft->rule.info.line, &column);
  fl_lex_next(&p->lex);
  if (fl_lex_take_sign(&p->lex, ":"))
    while (p->lex.token.kind == FL_TK_NAME) {
      if (draft->rule.n_tags == FL_FLR_MAX_TAGS)
        return fl_lex_error(&p->lex, p->lex.token.at, "more than %d tags", FL_FLR_MAX_TAGS);
      const fl_str tag = fl_arena_str(p->lex.arena, p->lex.token.text);
      if (!tag.p) return fl_lex_nomem(&p->lex);
      draft->tags[draft->rule.n_tags++] = tag;
      fl_lex_next(&p->lex);
    }
  FL_TRY(fl_lex_need_sign(&p->lex, "{", "the rule's name"));
  while (!fl_lex_is_sign(&p->lex, "}")) FL_TRY(parse_section(p));
  FL_TRY(fl_parse_check(p));
  fl_lex_next(&p->lex);
  return keep_rule(p, ret_node);
}

fl_status fl_parse_add_alias(fl_parser *p, const fl_alias *alias, size_t at) {
  size_t n = 0;
  for (const fl_alias *known = p->aliases; known; known = known->next) {
    if (++n == FL_FLR_MAX_ALIASES)
      return fl_lex_error(&p->lex, at, "more than %d aliases in one file", FL_FLR_MAX_ALIASES);
    if (!fl_str_eq(known->name, alias->name)) continue;
    if (fl_str_eq(known->file, alias->file) && known->at == alias->at) return FL_OK;
    return fl_lex_error(&p->lex, at, "alias @%.*s is defined twice",
                        (int)(alias->name.n < 60 ? alias->name.n : 60), alias->name.p);
  }
  fl_alias *copy = FL_NEW(p->lex.arena, fl_alias);
  if (!copy) return fl_lex_nomem(&p->lex);
  *copy = *alias;
  copy->next = p->aliases;
  p->aliases = copy;
  return FL_OK;
}

static fl_status parse_let(fl_parser *p) {
  const fl_token name = p->lex.token;
  if (name.kind != FL_TK_ALIAS)
    return fl_lex_error(&p->lex, name.at, "expected an alias such as @name after 'let', found %s",
                        fl_lex_shown(&p->lex).p);
  fl_alias *alias = FL_NEW(p->lex.arena, fl_alias);
  if (!alias) return fl_lex_nomem(&p->lex);
  *alias = (fl_alias){.file = p->lex.file, .at = name.at};
  alias->name = fl_arena_str(p->lex.arena, name.text);
  if (!alias->name.p) return fl_lex_nomem(&p->lex);
  fl_lex_next(&p->lex);
  FL_TRY(fl_lex_need_sign(&p->lex, "=", "the alias"));
  FL_TRY(fl_parse_source(p, &alias->source));
  return fl_parse_add_alias(p, alias, name.at);
}

static fl_status parse_include(fl_parser *p) {
  const size_t at = p->lex.token.at;
  fl_str name = {0};
  FL_TRY(fl_lex_string(&p->lex, "a file", &name));
  return fl_parse_include(p, name, at);
}

/* After an error: on to the next line that begins with `rule` or `let`, so that one slip does not
 * hide the others. */
static void recover(fl_parser *p) {
  while (p->lex.token.kind != FL_TK_END && p->lex.n_errors < MAX_ERRORS) {
    if (p->lex.token.starts_line &&
        (fl_lex_starts_rule(&p->lex) || fl_lex_is_word(&p->lex, "let") ||
         fl_lex_is_word(&p->lex, "include") || fl_lex_is_word(&p->lex, "private")))
      return;
    fl_lex_next(&p->lex);
  }
}

static fl_status parse_item(fl_parser *p, fl_rule_node **ret_node) {
  static const char *const words[] = {"rule", "let", "include", "private", NULL};
  *ret_node = NULL;
  if (fl_lex_take_word(&p->lex, "let")) return parse_let(p);
  if (fl_lex_take_word(&p->lex, "include")) return parse_include(p);
  if (fl_lex_take_word(&p->lex, "rule")) return parse_rule(p, false, ret_node);
  if (fl_lex_take_word(&p->lex, "private")) {
    if (fl_lex_take_word(&p->lex, "rule")) return parse_rule(p, true, ret_node);
    return fl_lex_error(&p->lex, p->lex.token.at, "expected 'rule' after 'private', found %s",
                        fl_lex_shown(&p->lex).p);
  }
  const fl_token token = p->lex.token;
  if (token.kind == FL_TK_BAD) return FL_E_SYNTAX;
  const fl_str hint =
      token.kind == FL_TK_NAME ? fl_lex_guess(&p->lex, token.text, words) : FL_STR("");
  return fl_lex_error(&p->lex, token.at,
                      "expected 'rule', 'private', 'let' or 'include', found %s%.*s",
                      fl_lex_shown(&p->lex).p, FL_STR_ARG(hint));
}

fl_status fl_parse_text(fl_parser *p, fl_rule_node **ret_first, size_t *ret_n) {
  fl_rule_node *first = NULL, *tail = NULL;
  size_t n = 0;
  while (p->lex.token.kind != FL_TK_END && p->lex.n_errors < MAX_ERRORS) {
    fl_rule_node *node = NULL;
    const fl_status s = parse_item(p, &node);
    if (s == FL_E_NOMEM) return s;
    if (s != FL_OK) {
      fl_lex_next(&p->lex);
      recover(p);
    }
    if (s != FL_OK || !node) continue;
    node->at = p->draft->at;
    if (tail) tail->next = node;
    else first = node;
    tail = node;
    n++;
  }
  *ret_first = first;
  *ret_n = n;
  return p->lex.n_errors ? FL_E_SYNTAX : FL_OK;
}
