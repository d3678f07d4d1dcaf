/* case_incidents.h - the part of a case's JSON that tells of crashes and stops. */
#ifndef FL_REPORT_CASE_INCIDENTS_H
#define FL_REPORT_CASE_INCIDENTS_H

#include "faultline/case.h"
#include "report/json.h"

void fl_json_incidents(fl_json *j, const fl_case *c);

#endif
