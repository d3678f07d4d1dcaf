/* flr_pattern.c - the regular expressions of a rule set: kept in a list, searched, put out of use.
 */
#include "base/limits.h"
#include "rules/flr.h"
#include "rules/regex.h"

/* All patterns of a set share the first one's scratch. */
fl_status fl_pattern_add(fl_pattern **set, fl_str text, unsigned flags, fl_arena *arena,
                         fl_pattern **ret_pattern, fl_err *err) {
  fl_pattern *pattern = FL_NEW(arena, fl_pattern);
  if (!pattern) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a regular expression");
  pattern->scratch = *set ? (*set)->scratch : fl_regex_scratch_create();
  if (!pattern->scratch)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a regular expression");
  pattern->n_set = *set ? (*set)->n_set : 0;
  fl_status s = fl_regex_compile(text, flags, &pattern->regex, err);
  if (s == FL_OK) pattern->n_set += fl_regex_size(pattern->regex);
  if (pattern->n_set > FL_LIMIT_REGEX_SET)
    s = fl_fail(err, FL_E_SYNTAX, 0, "those of all rules take more than %d bytes compiled",
                FL_LIMIT_REGEX_SET);
  /* One that does not compile stays in the list as owner of the scratch. */
  pattern->next = *set;
  *set = pattern;
  *ret_pattern = pattern;
  return s;
}

void fl_patterns_done(fl_pattern *set) {
  if (set) fl_regex_scratch_free(set->scratch);
  for (; set; set = set->next) fl_regex_free(set->regex);
}

bool fl_pattern_fits(fl_pattern *pattern, fl_str text) {
  if (pattern->n_given_up >= FL_FLR_GIVE_UPS) return false;
  const fl_regex_answer answer = fl_regex_find(pattern->regex, pattern->scratch, text);
  pattern->n_given_up += answer == FL_REGEX_GAVE_UP;
  return answer == FL_REGEX_YES;
}
