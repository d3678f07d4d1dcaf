/* case_refs.h - references to the records that a part of a case rests on, under the key "events".
 */
#ifndef FL_REPORT_CASE_REFS_H
#define FL_REPORT_CASE_REFS_H

#include "faultline/case.h"
#include "report/json.h"

void fl_json_refs(fl_json *j, const fl_case *c, const fl_event *const *events, size_t n);
void fl_json_places(fl_json *j, const fl_case *c, const fl_hit_event *places, size_t n);

#endif
