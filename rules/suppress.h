/* suppress.h - findings that a user does not want to see: rules by name, where a condition holds.
 */
#ifndef FL_RULES_SUPPRESS_H
#define FL_RULES_SUPPRESS_H

#include "faultline/hunt.h"

typedef struct fl_suppress fl_suppress;
/* Reads the text of a suppression file: a line is `RULE` or `RULE where EXPR`; '#' begins a
 * comment. FL_E_SYNTAX names file, line and what is wrong. */
fl_status fl_suppress_create(const fl_rules *rules, fl_str name, fl_str text,
                             fl_suppress **ret_suppress, fl_err *err);
void fl_suppress_free(fl_suppress *suppress);
/* A row is asked for conditions; without one (`row` NULL) only lines without a condition hide. */
fl_status fl_suppress_hides(const fl_suppress *suppress, const fl_hit *hit, const fl_batch *batch,
                            const fl_row *row, bool *ret_hides, fl_err *err);
/* Lines that name no rule that is loaded: the number and the text of the i-th; false behind the
 * last. */
bool fl_suppress_unused(const fl_suppress *suppress, size_t i, size_t *ret_line, fl_str *ret_rule);

#endif
