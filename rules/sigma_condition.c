/* sigma_condition.c - conditions: search identifiers joined by and, or, not, and `1 of` patterns.
 */
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/text.h"
#include "rules/sigma_parse.h"

typedef struct reader {
  fl_sigma_parser *p;
  const fl_yaml *node;
  const fl_sigma_searches *searches;
  fl_str text, word; /* `word` is the current one, empty at the end */
  size_t at;         /* behind it */
  unsigned depth;
} reader;

/* The place of the current word, where the text stands in one piece on its line. */
static fl_status fail(const reader *r, const char *format, const char *more) {
  const size_t start = fl_yaml_at(r->p->lex, r->node);
  const size_t before = r->word.p ? (size_t)(r->word.p - r->text.p) : r->text.n;
  const fl_str all = r->p->lex->text;
  const size_t at = start + (r->node->is_plain ? 0 : 1);
  const bool is_whole = at + r->text.n <= all.n && memcmp(all.p + at, r->text.p, r->text.n) == 0;
  return fl_lex_error(r->p->lex, is_whole ? at + before : start, format, FL_STR_ARG(r->word), more);
}

static bool is_name(char c) {
  const char lower = fl_lower(c);
  return (lower >= 'a' && lower <= 'z') || fl_is_digit(c) || c == '_' || c == '-' || c == '*' ||
         c == '.' || (unsigned char)c >= 0x80;
}

static void next(reader *r) {
  const fl_str t = r->text;
  while (r->at < t.n && strchr(" \t\r\n", t.p[r->at])) r->at++;
  const size_t start = r->at;
  while (r->at < t.n && is_name(t.p[r->at])) r->at++;
  if (r->at == start && r->at < t.n) r->at++;
  r->word = (fl_str){t.p + start, r->at - start};
}

static bool is_word(const reader *r, const char *word) {
  return fl_str_eq_nocase(r->word, fl_str_of(word));
}

static bool fits(fl_str pattern, fl_str name) {
  size_t p = 0, n = 0, star = SIZE_MAX, back = 0;
  while (n < name.n) {
    if (p < pattern.n && pattern.p[p] == '*') {
      star = p++;
      back = n;
    } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
      p++;
      n++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      n = ++back;
    } else {
      return false;
    }
  }
  while (p < pattern.n && pattern.p[p] == '*') p++;
  return p == pattern.n;
}

/* A search may be named more than once: each use gets its own node, the kids are shared. */
static fl_status use(reader *r, fl_sigma_search *search, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *copy = NULL;
  FL_TRY(fl_sigma_expr_new(r->p, search->expr->kind, &copy));
  copy->pred = search->expr->pred;
  copy->kid = search->expr->kid;
  copy->label = fl_arena_str(r->p->arena, search->name);
  if (!copy->label.p) return fl_lex_nomem(r->p->lex);
  search->is_used = true;
  *ret_expr = copy;
  return FL_OK;
}

static fl_status read_search(reader *r, fl_sigma_expr **ret_expr) {
  for (size_t i = 0; i < r->searches->n; i++) {
    if (!fl_str_eq(r->searches->items[i].name, r->word)) continue;
    next(r);
    return use(r, &r->searches->items[i], ret_expr);
  }
  return fail(r, "'%.*s' is no search identifier of this rule%s", "");
}

/* `1 of them` leaves out names that begin with '_', as patterns do that do not begin so. */
static fl_status read_pattern(reader *r, bool is_all, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *list = NULL, *last = NULL;
  next(r); /* of */
  next(r);
  if (r->word.n == 0 || !is_name(r->word.p[0]))
    return fail(r, "'%.*s' stands behind 'of'%s", ", expected 'them' or a name with *");
  const fl_str pattern = is_word(r, "them") ? FL_STR("*") : r->word;
  FL_TRY(fl_sigma_expr_new(r->p, is_all ? FL_SIGMA_AND : FL_SIGMA_OR, &list));
  for (size_t i = 0; i < r->searches->n; i++) {
    fl_sigma_search *search = &r->searches->items[i];
    fl_sigma_expr *kid = NULL;
    const bool is_private = search->name.n && search->name.p[0] == '_';
    if (!fits(pattern, search->name) || (is_private && pattern.p[0] != '_')) continue;
    FL_TRY(use(r, search, &kid));
    fl_sigma_expr_add(list, &last, kid);
  }
  if (!list->kid) return fail(r, "no search identifier fits '%.*s'%s", "");
  next(r);
  *ret_expr = list;
  return FL_OK;
}

static fl_status read_or(reader *r, fl_sigma_expr **ret_expr);

static fl_status read_group(reader *r, fl_sigma_expr **ret_expr) {
  next(r);
  if (++r->depth > FL_LIMIT_RULE_DEPTH)
    return fail(r, "%.*sparentheses lie deeper than 32 in each other%s", "");
  FL_TRY(read_or(r, ret_expr));
  r->depth--;
  if (!is_word(r, ")")) return fail(r, "expected ')', found '%.*s'%s", "");
  next(r);
  return FL_OK;
}

/* Is the word a number or `all` with `of` behind it? */
static bool is_quantifier(const reader *r) {
  reader ahead = *r;
  next(&ahead);
  return is_word(&ahead, "of");
}

static fl_status read_operand(reader *r, fl_sigma_expr **ret_expr) {
  if (r->word.n == 0) return fail(r, "the condition ends%.*s%s", ", expected a search identifier");
  if (is_word(r, "(")) return read_group(r, ret_expr);
  if (is_word(r, "|"))
    return fail(r, "'%.*s' begins an aggregation of old rules%s", "; write a correlation");
  if (!is_name(r->word.p[0]) || is_word(r, "and") || is_word(r, "or") || is_word(r, "of"))
    return fail(r, "found '%.*s'%s", ", expected a search identifier");
  if (!is_quantifier(r)) return read_search(r, ret_expr);
  if (is_word(r, "1") || is_word(r, "any")) return read_pattern(r, false, ret_expr);
  if (is_word(r, "all")) return read_pattern(r, true, ret_expr);
  return fail(r, "'%.*s of' is not in the specification%s", ", expected '1 of' or 'all of'");
}

static fl_status read_not(reader *r, fl_sigma_expr **ret_expr) {
  bool is_negated = false;
  for (; is_word(r, "not"); next(r)) is_negated = !is_negated;
  if (!is_negated) return read_operand(r, ret_expr);
  fl_sigma_expr *negated = NULL;
  FL_TRY(fl_sigma_expr_new(r->p, FL_SIGMA_NOT, &negated));
  FL_TRY(read_operand(r, &negated->kid));
  *ret_expr = negated;
  return FL_OK;
}

static fl_status read_and(reader *r, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *all = NULL, *last = NULL, *kid = NULL;
  FL_TRY(read_not(r, &kid));
  if (!is_word(r, "and")) {
    *ret_expr = kid;
    return FL_OK;
  }
  FL_TRY(fl_sigma_expr_new(r->p, FL_SIGMA_AND, &all));
  fl_sigma_expr_add(all, &last, kid);
  while (is_word(r, "and")) {
    next(r);
    FL_TRY(read_not(r, &kid));
    fl_sigma_expr_add(all, &last, kid);
  }
  *ret_expr = all;
  return FL_OK;
}

static fl_status read_or(reader *r, fl_sigma_expr **ret_expr) {
  fl_sigma_expr *any = NULL, *last = NULL, *kid = NULL;
  FL_TRY(read_and(r, &kid));
  if (!is_word(r, "or")) {
    *ret_expr = kid;
    return FL_OK;
  }
  FL_TRY(fl_sigma_expr_new(r->p, FL_SIGMA_OR, &any));
  fl_sigma_expr_add(any, &last, kid);
  while (is_word(r, "or")) {
    next(r);
    FL_TRY(read_and(r, &kid));
    fl_sigma_expr_add(any, &last, kid);
  }
  *ret_expr = any;
  return FL_OK;
}

fl_status fl_sigma_condition(fl_sigma_parser *p, const fl_yaml *text,
                             const fl_sigma_searches *searches, fl_sigma_expr **ret_expr) {
  if (text->kind != FL_YAML_SCALAR)
    return fl_sigma_error(p, text, "'condition' is neither a text nor a list of texts");
  reader r = {.p = p, .node = text, .searches = searches, .text = text->text};
  next(&r);
  FL_TRY(read_or(&r, ret_expr));
  if (r.word.n == 0) return FL_OK;
  if (is_word(&r, "|"))
    return fail(&r, "'%.*s' begins an aggregation of old rules%s", "; write a correlation");
  return fail(&r, "found '%.*s'%s", ", expected 'and', 'or' or the end");
}
