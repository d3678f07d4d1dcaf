/* flr_score.c - the score section: points, conditions, evidence sentences. */
#include "rules/flr_parse.h"

static fl_status parse_line(fl_parser *p) {
  enum { MAX_POINTS = 1000 };
  fl_draft *draft = p->draft;
  const size_t at = p->lex.token.at;
  if (draft->rule.n_lines == FL_FLR_MAX_LINES)
    return fl_lex_error(&p->lex, at, "more than %d score lines", FL_FLR_MAX_LINES);
  fl_score_line line = {0};
  int64_t points = 0;
  (void)fl_lex_take_sign(&p->lex, "+");
  FL_TRY(fl_parse_int(p, "points", &points));
  if (points < -MAX_POINTS || points > MAX_POINTS)
    return fl_lex_error(&p->lex, at, "%lld points are not in -%d to %d", (long long)points,
                        MAX_POINTS, MAX_POINTS);
  line.points = (int)points;
  line.is_decisive = fl_lex_take_word(&p->lex, "decisive");
  if (!fl_lex_take_word(&p->lex, "if"))
    return fl_lex_error(&p->lex, p->lex.token.at,
                        "expected 'if' or 'decisive if' after the points, found %s",
                        fl_lex_shown(&p->lex).p);
  p->mode = FL_EXPR_COND;
  FL_TRY(fl_parse_expr(p, &line.cond));
  line.written = fl_lex_since(&p->lex, at);
  if (fl_lex_take_sign(&p->lex, ":")) {
    const fl_token token = p->lex.token;
    if (token.kind != FL_TK_STRING)
      return fl_lex_error(&p->lex, token.at, "expected an evidence sentence in quotes, found %s",
                          fl_lex_shown(&p->lex).p);
    FL_TRY(fl_parse_template(p, &token, &line.text));
    fl_lex_next(&p->lex);
  }
  draft->lines[draft->rule.n_lines++] = line;
  return FL_OK;
}

static fl_status parse_report(fl_parser *p, bool *has_report) {
  const size_t at = p->lex.token.at;
  if (*has_report) return fl_lex_error(&p->lex, at, "'report at' is given twice");
  *has_report = true;
  fl_lex_next(&p->lex);
  if (!fl_lex_take_word(&p->lex, "at"))
    return fl_lex_error(&p->lex, p->lex.token.at, "expected 'at' after 'report', found %s",
                        fl_lex_shown(&p->lex).p);
  int64_t points = 0;
  FL_TRY(fl_parse_int(p, "a number from 0 to 100", &points));
  if (points < 0 || points > 100)
    return fl_lex_error(&p->lex, at, "threshold %lld is not in 0 to 100", (long long)points);
  p->draft->rule.report_at = (int)points;
  return FL_OK;
}

fl_status fl_parse_score(fl_parser *p) {
  bool has_report = false;
  for (;;) {
    if (fl_lex_is_word(&p->lex, "report")) FL_TRY(parse_report(p, &has_report));
    else if (p->lex.token.kind == FL_TK_INT || fl_lex_is_sign(&p->lex, "+") ||
             fl_lex_is_sign(&p->lex, "-"))
      FL_TRY(parse_line(p));
    else break;
  }
  if (p->draft->rule.n_lines == 0)
    return fl_lex_error(&p->lex, p->lex.token.at,
                        "expected a line such as '+60 if $event', found %s",
                        fl_lex_shown(&p->lex).p);
  return FL_OK;
}
