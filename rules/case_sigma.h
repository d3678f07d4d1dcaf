/* case_sigma.h - Sigma rules beside the match of a case: what they find is a finding of the case.
 */
#ifndef FL_RULES_CASE_SIGMA_H
#define FL_RULES_CASE_SIGMA_H

#include "rules/case.h"

/* NULL in `ret_sigma` when there are no Sigma rules. Texts are kept in `arena`. */
fl_status fl_case_sigma_create(const fl_rules *rules, fl_arena *arena, fl_case_sigma **ret_sigma,
                               fl_err *err);
void fl_case_sigma_free(fl_case_sigma *sigma);
fl_status fl_case_sigma_begin(fl_case_sigma *sigma, const fl_source_info *source, fl_err *err);
fl_status fl_case_sigma_batch(fl_case_sigma *sigma, const fl_batch *batch, fl_err *err);
/* All was read: its findings stand behind those of the case, in order of time. */
fl_status fl_case_sigma_finish(fl_case_sigma *sigma, case_owner *owner, fl_err *err);

#endif
