/* flr_trace.h - tracing of rules of sequences: clauses of events, then runs. */
#ifndef FL_RULES_FLR_TRACE_H
#define FL_RULES_FLR_TRACE_H

#include "faultline/trace.h"
#include "rules/flr.h"

fl_str fl_written_text(fl_str written, fl_arena *arena);
/* Adds what event number `index` of the rule asks for; does it all hold? `machine` is the event's,
 * NULL when unknown. */
bool fl_trace_selector(fl_trace *trace, const fl_rule *rule, size_t index, const fl_event *event,
                       const fl_machine *machine);

#endif
