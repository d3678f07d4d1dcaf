/* case.h - the builder of a case and what a case owns; private to case*.c. */
#ifndef FL_RULES_CASE_H
#define FL_RULES_CASE_H

#include "faultline/timeline.h"
#include "rules/case_place.h"
#include "rules/hits.h"
#include "rules/match.h"
#include "rules/sequence.h"
#include "rules/solve.h"

typedef struct fl_case_sigma fl_case_sigma;

/* A case with all that its pointers lead into. */
typedef struct case_owner {
  fl_case c; /* first: fl_case_free gets its address */
  fl_arena *arena;
  fl_coverage_map *coverage;
  fl_match *match;
  fl_places *places;
  fl_hits *hits;           /* of Sigma rules: findings point into them */
  const fl_event **events; /* c.events */
  fl_source_info *sources;
  size_t n_sources, cap_sources;
  fl_note *notes;
  size_t n_notes, cap_notes;
  uint64_t n_notes_dropped;
  fl_event **off; /* state facts: channels that are switched off */
  size_t n_off, cap_off;
  fl_event *traced; /* the event that a trace asks about, kept or not */
} case_owner;

struct fl_case_builder {
  const fl_rules *rules;
  fl_case_options options;
  fl_case_sigma *sigma; /* NULL: there are no Sigma rules */
  case_owner *owner;    /* goes over to the case in finish */
  fl_row *rows;         /* of the batch at hand, when the window leaves some out */
  fl_arena *scratch;    /* of the row at hand, for --where */
};

/* case_solve.c: from what was kept to findings and verdict. */
fl_status fl_case_solve(const fl_rules *rules, const fl_case_options *options, case_owner *owner,
                        fl_err *err);
/* case_state.c: hosts for state facts that name none; a note for each source where none is found.
 */
fl_status fl_case_place_states(case_owner *owner, fl_err *err);
/* case_logs.c: what says that a channel is off, while it passes; then what lacks. */
fl_status fl_case_logs_batch(case_owner *owner, const fl_batch *batch, fl_arena *scratch,
                             fl_err *err);
fl_status fl_case_lacking(const fl_solver *s, case_owner *owner, fl_err *err);
/* case_signs.c: more signs, put in their order: by severity, then by how often. */
fl_status fl_case_signs_add(case_owner *owner, const fl_sign *signs, size_t n, fl_err *err);
/* case_finds.c: a finding for each YARA rule whose events are among those that were kept. */
fl_status fl_case_add_finds(fl_solver *s, case_owner *owner, fl_err *err);
/* case_trace.c: what --event asks about, while it passes; then the lines. */
fl_status fl_case_trace_batch(case_owner *owner, const fl_trace_request *request,
                              const fl_batch *batch, fl_err *err);
fl_status fl_case_trace(case_owner *owner, const fl_trace_request *request,
                        const fl_sequence_input *in, fl_err *err);
fl_status fl_case_note(case_owner *owner, const fl_note *note, fl_err *err);
/* Something did not fit: the answer is partial. */
fl_status fl_case_note_limit(case_owner *owner, fl_str text, fl_err *err);

#endif
