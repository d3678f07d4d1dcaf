/* case_names.c - the words for what a case is made of, the same in every output. */
#include "faultline/case.h"

const char *const fl_phase_names[FL_N_PHASES] = {
    "name", "tcp", "x224", "tls", "auth", "license", "arbitration", "graphics", "session"};
const char *const fl_outcome_names[7] = {"unknown", "failed", "ended", "lost",
                                         "probe",   "noise",  "open"};
const char *const fl_verdict_names[5] = {"confirmed", "likely", "possible", "undecided",
                                         "no_failure_seen"};
const char *const fl_incident_kind_names[FL_N_INCIDENT_KINDS] = {"crash", "hang",  "service",
                                                                 "stop",  "power", "live"};
const char *const fl_bearing_names[3] = {"unrelated", "coincides", "explains"};

fl_str fl_case_ref(const fl_case *c, const fl_event *event, fl_arena *arena) {
  if (fl_event_is_attempt(event))
    return fl_arena_printf(arena, "attempt %llu", (unsigned long long)event->seq);
  if (event->source == UINT32_MAX && fl_str_eq(event->kind, FL_STR("incident")))
    return fl_arena_printf(arena, "incident %llu", (unsigned long long)event->seq);
  for (size_t i = 0; i < c->n_sources; i++)
    if (c->sources[i].id == event->source)
      return fl_arena_printf(arena, "%.*s@%llu", FL_STR_ARG(c->sources[i].name),
                             (unsigned long long)event->offset);
  return fl_arena_printf(arena, "?@%llu", (unsigned long long)event->offset);
}
