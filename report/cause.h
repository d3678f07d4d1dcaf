/* cause.h - all that is known of one cause, gathered once for every form; private to cause*.c. */
#ifndef FL_REPORT_CAUSE_H
#define FL_REPORT_CAUSE_H

#include "faultline/facts.h"
#include "faultline/rules.h"

enum { FL_CAUSE_RULES_MAX = 32, FL_CAUSE_EVENTS_MAX = 128, FL_CAUSE_SOURCES_MAX = 32 };
typedef struct fl_cause_view {
  const fl_cause_fact *cause;
  fl_arena *arena; /* of the texts */
  fl_rule_knowledge rules[FL_CAUSE_RULES_MAX];
  size_t n_rules;
  const fl_code_fact *codes[FL_CAUSE_CODES_MAX];
  size_t n_codes;
  const fl_event_fact *events[FL_CAUSE_EVENTS_MAX];
  size_t n_events;
  const char *sources[FL_CAUSE_SOURCES_MAX]; /* where codes and events are known from */
  size_t n_sources;
} fl_cause_view;

/* A line for or against, of any rule of the cause; false at the end. Starts with rule 0, line 0. */
typedef struct fl_cause_walk {
  size_t rule, line;
} fl_cause_walk;
const fl_rule_line *fl_cause_next(const fl_cause_view *view, fl_cause_walk *walk, bool is_for,
                                  const fl_rule_knowledge **ret_rule);

void fl_cause_text(const fl_cause_view *view, fl_out *out);
void fl_cause_md(const fl_cause_view *view, fl_out *out);
void fl_cause_json(const fl_cause_view *view, fl_out *out);
void fl_cause_list_text(const fl_cause_view *views, size_t n, fl_out *out);
void fl_cause_list_md(const fl_cause_view *views, size_t n, fl_out *out);

#endif
