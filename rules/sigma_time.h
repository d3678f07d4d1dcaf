/* sigma_time.h - numbers and parts of times that stand in texts. */
#ifndef FL_RULES_SIGMA_TIME_H
#define FL_RULES_SIGMA_TIME_H

#include "rules/sigma.h"

bool fl_text_real(fl_str text, double *ret_number);
/* false when the text is no time. */
bool fl_sigma_time_part(fl_str text, fl_sigma_part part, fl_sigma_number *ret);

#endif
