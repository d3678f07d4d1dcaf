/* case_names.c - the words for what a case is made of, the same in every output. */
#include "faultline/case.h"

const char *const fl_phase_names[FL_N_PHASES] = {
    "name", "tcp", "x224", "tls", "auth", "license", "arbitration", "graphics", "session"};
const char *const fl_outcome_names[7] = {"unknown", "failed", "ended", "lost",
                                         "probe",   "noise",  "open"};
const char *const fl_verdict_names[5] = {"confirmed", "likely", "possible", "undecided",
                                         "no_failure_seen"};
