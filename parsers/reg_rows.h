/* reg_rows.h - registry values become rows: setting.rdp where Remote Desktop depends on them, else
 * setting.registry. */
#ifndef FL_PARSERS_REG_ROWS_H
#define FL_PARSERS_REG_ROWS_H

#include "parsers/reg_value.h"
#include "parsers/setting.h"

typedef struct reg_rows reg_rows;
/* In the job's arena. */
fl_status reg_rows_open(fl_job *job, reg_rows **ret_rows, fl_err *err);
/* What the registry says of its own machine, from now on. */
fl_status reg_rows_set_host(reg_rows *r, fl_str host, fl_err *err);
fl_status reg_rows_add(reg_rows *r, fl_rows *rows, const reg_value *value, fl_err *err);

#endif
