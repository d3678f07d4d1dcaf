/* filter.c - conditions of the command line over columns and fields: --where. */
#include <stdlib.h>

#include "base/limits.h"
#include "rules/flr_parse.h"

struct fl_filter {
  fl_arena *arena;
  const fl_expr *expr;
};

void fl_filter_free(fl_filter *filter) {
  if (!filter) return;
  fl_arena_free(filter->arena);
  free(filter);
}

static fl_status compile(fl_parser *p, fl_str text, fl_filter *filter) {
  p->mode = FL_EXPR_FILTER;
  fl_lex_start(&p->lex, FL_STR("--where"), text);
  FL_TRY(fl_lex_check_text(&p->lex));
  FL_TRY(fl_parse_expr(p, &filter->expr));
  if (p->lex.token.kind == FL_TK_END) return FL_OK;
  return fl_lex_error(&p->lex, p->lex.token.at, "expected 'and', 'or' or the end, found %s",
                      fl_lex_shown(&p->lex).p);
}

fl_status fl_filter_compile(fl_str text, fl_filter **ret_filter, fl_err *err) {
  if (text.n > FL_LIMIT_RULE_FILE)
    return fl_fail(err, FL_E_LIMIT, 0, "--where has %zu bytes, expected at most %d", text.n,
                   FL_LIMIT_RULE_FILE);
  fl_filter *filter = calloc(1, sizeof *filter);
  fl_parser *p = calloc(1, sizeof *p);
  fl_status s = FL_E_NOMEM;
  if (filter) filter->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (p && filter && filter->arena) {
    p->lex.arena = filter->arena;
    p->lex.err = err;
    /* Names and literals of the filter are slices of its own copy. */
    const fl_str copy = fl_arena_str(filter->arena, text);
    if (copy.p) s = compile(p, copy, filter);
  }
  if (s == FL_E_NOMEM) s = fl_fail(err, FL_E_NOMEM, 0, "out of memory for --where");
  free(p);
  if (s == FL_OK) *ret_filter = filter;
  else fl_filter_free(filter);
  return s;
}

bool fl_filter_event(const fl_filter *filter, const fl_event *event) {
  return fl_expr_holds(filter->expr, event);
}
