/* reg_rows.h - registry values become facts: setting.rdp where Remote Desktop depends on them, else
 * setting.registry. */
#ifndef FL_PARSERS_REG_ROWS_H
#define FL_PARSERS_REG_ROWS_H

#include "parsers/reg_value.h"
#include "parsers/state.h"

/* Adds what the value says. A value that names the machine names it for all that follow, whatever
 * the source's own name says. */
fl_status reg_rows_add(fl_fact *fact, const reg_value *value, fl_err *err);

#endif
