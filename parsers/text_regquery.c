/* text_regquery.c - `reg query` in a file with outputs of other tools; alone, reg.c reads it. */
#include "parsers/reg_text.h"
#include "parsers/text.h"

static bool begins(fl_str line, fl_str before) {
  (void)before;
  return line.n && line.p[0] == 'H' && reg_text_is_key(line);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  bool is_taken = false;
  if (!r->registry) {
    if (!(r->registry = FL_NEW(r->job->arena, reg_text)))
      return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    FL_TRY(reg_text_open(r->job, r->registry, err));
    r->registry->fact = &r->fact;
  }
  FL_TRY(reg_query_line(r->registry, &r->line, &is_taken, err));
  *ret_answer = is_taken ? TEXT_IS_MINE : TEXT_IS_NOT_MINE;
  if (!is_taken && text_trim(r->line.text).n == 0) *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) {
  const fl_status status = reg_system_add(&r->registry->system, &r->fact, err);
  r->registry->system = (reg_system){0};
  return status;
}

const text_tool text_tool_regquery = {
    .name = "regquery", .state_size = 1, .begins = begins, .take = take, .finish = finish};
