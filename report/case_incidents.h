/* case_incidents.h - the part of a case's JSON that tells of crashes and stops. */
#ifndef FL_REPORT_CASE_INCIDENTS_H
#define FL_REPORT_CASE_INCIDENTS_H

#include "faultline/case.h"
#include "report/json.h"

fl_status fl_json_incidents(fl_json *j, const fl_case *c, fl_err *err);

#endif
