/* sigma_time.h - numbers and parts of times that stand in texts. */
#ifndef FL_RULES_SIGMA_TIME_H
#define FL_RULES_SIGMA_TIME_H

#include "rules/sigma.h"

/* Decimal, 0x…, with a sign or a fraction; false when the text is no number. */
bool fl_sigma_number_of(fl_str text, fl_sigma_number *ret);
/* false when the text is no time. */
bool fl_sigma_time_part(fl_str text, fl_sigma_part part, fl_sigma_number *ret);

#endif
