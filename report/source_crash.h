/* source_crash.h - what `inspect` says of a dump or an error report before anything else. */
#ifndef FL_REPORT_SOURCE_CRASH_H
#define FL_REPORT_SOURCE_CRASH_H

#include "faultline/event.h"
#include "report/json.h"

void fl_source_crash_text(const fl_event *crash, fl_arena *arena, fl_out *out);
/* Adds the member "crash": its fields as they are. */
void fl_source_crash_json(fl_json *j, const fl_event *crash);

#endif
