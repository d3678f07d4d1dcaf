/* verdict.h - from findings to hypotheses; private to verdict*.c. */
#ifndef FL_RULES_VERDICT_H
#define FL_RULES_VERDICT_H

#include "rules/solve.h"

/* verdict_phase.c: FL_PHASE_NONE = any time; NULL = the code names no cause. */
fl_phase fl_cause_phase(const char *cause);
const char *fl_told_cause(uint32_t code);
/* Several causes may fit one code; the first is the one it names. */
bool fl_told_fits(uint32_t code, const char *cause);
bool fl_told_proves(uint32_t code);

/* A hypothesis while it is put together. */
typedef struct fl_draft {
  const char *cause;
  const fl_finding **findings;
  size_t n_findings;
  const fl_evidence **pro, **con, **missing;
  size_t n_pro, n_con, n_missing, cap;
  int severity; /* of its gravest finding: among equals the graver cause stands first */
  int score;
  bool is_ruled_out, is_decided, is_refuted;
  fl_verdict_status status;
} fl_draft;

/* verdict_text.c */
fl_str fl_verdict_assumption(fl_solver *s, const fl_attempt *a); /* of an assumed join */
fl_status fl_verdict_sentence(fl_solver *s, fl_err *err);

/* verdict_collect.c */
fl_status fl_verdict_collect(fl_solver *s, fl_err *err);

#endif
