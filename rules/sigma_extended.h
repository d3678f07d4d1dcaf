/* sigma_extended.h - conditions of correlations over rule names. */
#ifndef FL_RULES_SIGMA_EXTENDED_H
#define FL_RULES_SIGMA_EXTENDED_H

#include "rules/sigma_correlation.h"

/* Reads the condition into c->expr, and the rules that it names into c->refs where there are none.
 */
fl_status fl_sigma_extended(fl_sigma_parser *p, const fl_yaml *node, fl_sigma_correlation *c);

#endif
