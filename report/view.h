/* view.h - small questions that every report asks of a case. */
#ifndef FL_REPORT_VIEW_H
#define FL_REPORT_VIEW_H

#include "faultline/case.h"

/* The code that the report is about: the user's symptom, else what the chosen attempt recorded. */
typedef struct fl_view_symptom {
  bool has_code, has_extended, is_recorded; /* is_recorded: from a log, not from the user */
  uint32_t code, extended;
} fl_view_symptom;
fl_view_symptom fl_view_symptom_of(const fl_case *c);

/* What kind of number a code is, in words. */
extern const char *const fl_code_space_words[FL_CODE_N_SPACES];
/* Extended numbers are disconnect reasons of the client or, from 0x100, Set Error Info codes. */
const fl_code_fact *fl_view_extended(uint32_t code);
/* Empty when the id is unknown. */
fl_str fl_view_source_name(const fl_case *c, uint32_t source);
/* The event's time on the case's common clock. */
fl_time fl_view_time(const fl_case *c, const fl_event *event);

/* What the gateway, or the broker, said last of an attempt: its state in words. */
const char *fl_view_gateway_words(fl_str state);
const char *fl_view_broker_words(fl_str state);

#endif
