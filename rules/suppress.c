/* suppress.c - suppression files: `RULE` or `RULE where EXPR`, one a line. */
#include "rules/suppress.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"

typedef struct entry {
  size_t line;
  fl_str rule;       /* id, name or title */
  fl_filter *filter; /* NULL: always */
  bool is_used;
} entry;

/* A rule and a line that is about it, in this order. */
typedef struct pair {
  fl_rule_engine engine;
  uint32_t rule;
  uint32_t entry;
} pair;

struct fl_suppress {
  fl_arena *arena;
  entry *entries;
  size_t n, cap;
  pair *pairs;
  size_t n_pairs, cap_pairs;
};

void fl_suppress_free(fl_suppress *suppress) {
  if (!suppress) return;
  for (size_t i = 0; i < suppress->n; i++) fl_filter_free(suppress->entries[i].filter);
  fl_arena_free(suppress->arena);
  free(suppress->entries);
  free(suppress->pairs);
  free(suppress);
}

static fl_str trim(fl_str s) {
  while (s.n && strchr(" \t\r", s.p[0])) s = (fl_str){s.p + 1, s.n - 1};
  while (s.n && strchr(" \t\r", s.p[s.n - 1])) s.n--;
  return s;
}

/* The rule of a line, and the condition behind " where ", which may be empty. */
static fl_str split(fl_str line, fl_str *ret_condition) {
  static const char word[] = " where ";
  const char *at = memmem(line.p, line.n, word, sizeof word - 1);
  *ret_condition = (fl_str){0};
  if (!at) return line;
  const size_t n = (size_t)(at - line.p);
  *ret_condition = trim((fl_str){at + sizeof word - 1, line.n - n - (sizeof word - 1)});
  return trim((fl_str){line.p, n});
}

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for suppressions");
}

static fl_status add_line(fl_suppress *s, fl_str name, fl_str line, size_t number, fl_err *err) {
  entry e = {.line = number};
  fl_str condition;
  fl_err own = {0};
  e.rule = split(line, &condition);
  if (e.rule.n == 0)
    return fl_fail(err, FL_E_SYNTAX, 0, "%.*s:%zu: no rule stands in front of 'where'",
                   FL_STR_ARG(name), number);
  if (s->n >= FL_LIMIT_SUPPRESSIONS)
    return fl_fail(err, FL_E_LIMIT, 0, "%.*s: more than %d lines", FL_STR_ARG(name),
                   FL_LIMIT_SUPPRESSIONS);
  const fl_status status = condition.n ? fl_filter_compile(condition, &e.filter, &own) : FL_OK;
  if (status == FL_E_SYNTAX)
    return fl_fail(err, status, 0, "%.*s:%zu: %s", FL_STR_ARG(name), number, own.text);
  e.rule = fl_arena_str(s->arena, e.rule);
  if (status != FL_OK || !e.rule.p ||
      !fl_grow((void **)&s->entries, &s->cap, s->n + 1, sizeof *s->entries)) {
    fl_filter_free(e.filter);
    return no_memory(err);
  }
  s->entries[s->n++] = e;
  return FL_OK;
}

static fl_status read_lines(fl_suppress *s, fl_str name, fl_str text, fl_err *err) {
  size_t number = 0;
  for (size_t at = 0, end; at < text.n; at = end + 1) {
    for (end = at; end < text.n && text.p[end] != '\n';) end++;
    const fl_str line = trim((fl_str){text.p + at, end - at});
    number++;
    if (line.n == 0 || line.p[0] == '#') continue;
    FL_TRY(add_line(s, name, line, number, err));
  }
  return FL_OK;
}

static bool is_about(const entry *e, const fl_rule_info *info) {
  return fl_str_eq_nocase(e->rule, fl_str_of(info->name)) ||
         (info->title && fl_str_eq_nocase(e->rule, fl_str_of(info->title)));
}

static fl_status find_rules(fl_suppress *s, const fl_rules *rules, fl_err *err) {
  for (int engine = 0; engine < FL_N_RULE_ENGINES; engine++)
    for (size_t i = 0; i < fl_rules_engine_count(rules, (fl_rule_engine)engine); i++) {
      const fl_rule_info info = fl_rules_engine_info(rules, (fl_rule_engine)engine, i);
      for (size_t k = 0; k < s->n; k++) {
        if (!is_about(&s->entries[k], &info)) continue;
        s->entries[k].is_used = true;
        if (!fl_grow((void **)&s->pairs, &s->cap_pairs, s->n_pairs + 1, sizeof *s->pairs))
          return no_memory(err);
        s->pairs[s->n_pairs++] = (pair){(fl_rule_engine)engine, (uint32_t)i, (uint32_t)k};
      }
    }
  return FL_OK;
}

fl_status fl_suppress_create(const fl_rules *rules, fl_str name, fl_str text,
                             fl_suppress **ret_suppress, fl_err *err) {
  fl_suppress *s = calloc(1, sizeof *s);
  if (s) s->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  fl_status status = s && s->arena ? read_lines(s, name, text, err) : no_memory(err);
  if (status == FL_OK) status = find_rules(s, rules, err);
  if (status == FL_OK) *ret_suppress = s;
  else fl_suppress_free(s);
  return status;
}

static bool is_before(const pair *p, const fl_hit *hit) {
  return p->engine != hit->engine ? p->engine < hit->engine : p->rule < hit->rule;
}

fl_status fl_suppress_hides(const fl_suppress *s, const fl_hit *hit, const fl_batch *batch,
                            const fl_row *row, bool *ret_hides, fl_err *err) {
  size_t low = 0, high = s->n_pairs;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (is_before(&s->pairs[middle], hit)) low = middle + 1;
    else high = middle;
  }
  *ret_hides = false;
  for (; low < s->n_pairs && !*ret_hides; low++) {
    const pair *p = &s->pairs[low];
    if (p->engine != hit->engine || p->rule != hit->rule) break;
    fl_filter *filter = s->entries[p->entry].filter;
    if (!filter) *ret_hides = true;
    else if (row) FL_TRY(fl_filter_row(filter, batch, row, ret_hides, err));
  }
  return FL_OK;
}

bool fl_suppress_unused(const fl_suppress *s, size_t i, size_t *ret_line, fl_str *ret_rule) {
  for (size_t k = 0; k < s->n; k++) {
    if (s->entries[k].is_used || i-- > 0) continue;
    *ret_line = s->entries[k].line;
    *ret_rule = s->entries[k].rule;
    return true;
  }
  return false;
}
