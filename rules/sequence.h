/* sequence.h - the second phase of rules: sequences over the kept events of a case. */
#ifndef FL_RULES_SEQUENCE_H
#define FL_RULES_SEQUENCE_H

#include "rules/match.h"

/* Rules with effect "noise" run first, over all events; the caller then leaves out what they
 * matched and runs the others. */
typedef enum fl_rules_part { FL_RULES_NOISE, FL_RULES_NORMAL } fl_rules_part;

/* Everything is borrowed and outlives the findings. */
typedef struct fl_sequence_input {
  const fl_event *const *events; /* sorted by `times`, synthetic ones included */
  const fl_time *times;          /* aligned time of each event */
  size_t n;
  const fl_coverage *coverage; /* in recorded time, as the hosts wrote it */
  size_t n_coverage;
  const fl_machine *machines;
  size_t n_machines;
  const fl_attempt *attempts; /* of the synthetic events, by number - 1; for what lines cite */
  size_t n_attempts;
  const fl_sighting *sightings;
  size_t n_sightings;
  fl_rules_part part;
  const fl_rules *rules;
} fl_sequence_input;

/* One finding for each anchor whose mandatory steps are there and whose score reaches the rule's
 * threshold, or could if what is unknown were true. Sorted by start, then rule. `attempt` stays
 * NULL; `anchor` is the event that the finding hangs on. Everything is in `arena`.
 * `ret_evicted` counts findings and candidates that limits cut. */
fl_status fl_sequences_run(const fl_sequence_input *input, fl_arena *arena,
                           fl_finding **ret_findings, size_t *ret_n, uint64_t *ret_evicted,
                           fl_err *err);

#endif
