/* text_grace.c - wmic … CALL GetGracePeriodDays: how long a session host still works without a
 * licence server. Names of parameters are the same in every language. */
#include "base/text.h"
#include "parsers/text.h"

typedef struct grace {
  bool is_done;
} grace;

/* "DaysLeft = 119;" */
static bool read_days(fl_str line, uint64_t *ret_days) {
  fl_str label, value;
  if (!text_pair(line, '=', &label, &value) || !fl_str_eq(label, FL_STR("DaysLeft"))) return false;
  if (value.n && value.p[value.n - 1] == ';') value.n--;
  return text_is_number(value, 100000, ret_days);
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  uint64_t days = 0;
  return read_days(line, &days);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  grace *s = r->state;
  uint64_t days = 0;
  *ret_answer = TEXT_IS_NOT_MINE;
  if (s->is_done || !read_days(r->line.text, &days)) return FL_OK;
  s->is_done = true;
  *ret_answer = TEXT_IS_MINE;
  text_fact(r, FL_STATE_GRACE_PERIOD);
  fl_fact_number(&r->fact, "days_left", days);
  return fl_fact_add(&r->fact, err);
}

const text_tool text_tool_grace = {"grace", sizeof(grace), begins, take, NULL};
