/* sequence.h - the second phase of rules: sequences over the kept events of a case. */
#ifndef FL_RULES_SEQUENCE_H
#define FL_RULES_SEQUENCE_H

#include "faultline/trace.h"
#include "rules/match.h"

/* Rules with effect "noise" run first, over all events; the caller then leaves out what they
 * matched and runs the others. */
typedef enum fl_rules_part { FL_RULES_NOISE, FL_RULES_NORMAL } fl_rules_part;

/* Whose runs are told, and to whom; NULL `trace` = nobody asks. */
typedef struct fl_sequence_trace {
  fl_trace *trace;
  const fl_event *event; /* asked about; one of the input's, by address */
  uint32_t rule;         /* no other is looked at */
  const fl_case *names;  /* of sources */
} fl_sequence_trace;

/* Everything is borrowed and outlives the findings. */
typedef struct fl_sequence_input {
  /* Of fl_sequences_run alone. */
  const fl_event *const *events; /* sorted by `times`, synthetic ones included */
  const fl_time *times;          /* aligned time of each event */
  size_t n;
  const fl_coverage *coverage; /* in recorded time, as the hosts wrote it */
  size_t n_coverage;
  const fl_machine *machines;
  size_t n_machines;
  const fl_attempt *attempts; /* of the synthetic events, by number - 1; for what lines cite */
  size_t n_attempts;
  const fl_incident *incidents; /* the same of incidents */
  size_t n_incidents;
  const fl_sighting *sightings;
  size_t n_sightings;
  const fl_named_mark *marks; /* by address of the event */
  size_t n_marks;
  fl_rules_part part;
  const fl_rules *rules;
  /* Of a stream: gives an event back by the number that it was pushed with, to be looked at again
   * or cited; in the arena with all that it points to. NULL: the number is the event's address. */
  const fl_event *(*fetch)(void *self, uint64_t ref, fl_arena *arena);
  void *fetcher;
  size_t page; /* hits between two looks at what is over; 0 = as is best. No result depends on it */
  fl_sequence_trace trace;
  bool is_kept; /* the events are in memory anyway: no run is given up for lack of room */
} fl_sequence_input;

/* One pass over events in order of time. What has passed and no open run needs is forgotten; when
 * more runs are open than limits.h allows, the oldest are decided with what is there. */
typedef struct fl_run fl_run;
fl_status fl_run_create(const fl_sequence_input *input, fl_run **ret_run, fl_err *err);
void fl_run_free(fl_run *run);
/* What steps `anytime` may take, before the first push: in order of preference, the best last. */
fl_status fl_run_push_anytime(fl_run *run, const fl_event *event, fl_time t, uint64_t ref,
                              fl_err *err);
/* All events of the input, for either kind of step. */
fl_status fl_run_push_all(fl_run *run, fl_err *err);
/* The texts of host, provider, channel and kind outlive the run, all else is copied or fetched. */
fl_status fl_run_push(fl_run *run, const fl_event *event, fl_time t, uint64_t ref, fl_err *err);

/* One finding for each anchor whose mandatory steps are there and whose score reaches the rule's
 * threshold, or could if what is unknown were true. Sorted by start, then rule. `attempt` stays
 * NULL; `anchor` is the event that the finding hangs on. Everything lives as long as the run.
 * `ret_evicted` counts runs, findings and candidates that limits cut. */
fl_status fl_run_finish(fl_run *run, const fl_finding **ret_findings, size_t *ret_n,
                        uint64_t *ret_evicted, fl_err *err);

/* All of it for events in memory; the findings are in `arena`. */
fl_status fl_sequences_run(const fl_sequence_input *input, fl_arena *arena,
                           fl_finding **ret_findings, size_t *ret_n, uint64_t *ret_evicted,
                           fl_err *err);
/* Runs of one rule that one event could be part of, told to input->trace. */
fl_status fl_sequences_trace(const fl_sequence_input *input, fl_err *err);

#endif
