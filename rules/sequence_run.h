/* sequence_run.h - the inside of a sequence run: hosts, hits, and the scene around one anchor. */
#ifndef FL_RULES_SEQUENCE_RUN_H
#define FL_RULES_SEQUENCE_RUN_H

#include "rules/flr.h"
#include "rules/sequence.h"
#include "rules/solve.h"

/* Texts as small numbers, from 1; for host values the machine comes with them. */
typedef struct fl_interner {
  fl_arena *arena;
  fl_str *texts; /* by number, [0] unused */
  uint32_t *slots;
  size_t n, cap, n_slots;
} fl_interner;
bool fl_intern(fl_interner *table, fl_str text, uint32_t *ret_number);
bool fl_intern_find(const fl_interner *table, fl_str text, uint32_t *ret_number);
void fl_interner_done(fl_interner *table);

/* Machines by any of their names. */
typedef struct fl_hosts {
  fl_interner names;
  int32_t *machine_of; /* by number of the name; -2 = several machines */
  size_t cap;
} fl_hosts;

/* What one selector found: events in time order, captured values, an index by join key. */
typedef struct fl_hits {
  uint32_t *at; /* index of the event */
  size_t n, cap;
  uint32_t *values; /* n × captures */
  size_t cap_values;
  uint16_t key;     /* capture that the index goes by, FL_FLR_NONE = no index */
  uint64_t *by_key; /* value << 32 | hit, sorted */
} fl_hits;

/* What absence on one machine rests on. */
typedef struct fl_proof_log {
  fl_str channel;
  const uint32_t *entries; /* of the coverage; any of them is enough */
  size_t n_entries;
} fl_proof_log;
typedef struct fl_proof {
  const fl_proof_log *logs; /* all must cover the window */
  size_t n_logs;
  fl_str reason; /* why there can be no proof; empty when there can */
} fl_proof;

typedef struct fl_run {
  const fl_rules *rules;
  const fl_sequence_input *in;
  fl_arena *arena;   /* of the findings */
  fl_arena *work;    /* of the run */
  fl_arena *scratch; /* of one anchor */
  fl_hosts hosts;
  fl_interner values;
  int32_t *value_machine; /* of a host value, by number; -1 */
  size_t cap_value_machine;
  int32_t *event_machine;              /* by event, -1 unknown */
  uint32_t *sighting_at, *coverage_at; /* sorted by machine: indices of the input's lists */
  int32_t *sighting_machine, *coverage_machine;
  fl_hits *hits;           /* of all selectors of all rules */
  size_t *first_hits;      /* by rule */
  const fl_proof **proofs; /* of the rule at hand: machine × selector */
  int64_t widest_spread;
  uint64_t n_evicted;
  fl_finding *findings;
  size_t n_findings, cap_findings;
  uint32_t *finding_rule;
  size_t cap_finding_rule;
  fl_err *err;
} fl_run;

/* The search for one event around one anchor, and what came of it. */
typedef struct fl_sight {
  bool is_bound, is_searched;
  bool is_cut;                    /* by a limit: not found, or more may be there */
  bool is_first_cut, is_last_cut; /* of repeated steps that were cut: another may be the end */
  bool is_loose;                  /* a join that it demands has no value: `loose_var` */
  uint16_t loose_var;
  bool has_truth;
  fl_truth truth;
  uint32_t first, last; /* events */
  size_t count;
  const uint32_t *kept; /* of repeated steps */
  size_t n_kept;
  fl_time from, to; /* where it was looked for */
  fl_str reason;    /* why absence is unknown */
} fl_sight;

typedef struct fl_scene {
  fl_run *run;
  const fl_rule *rule;
  const fl_hits *hits;
  uint8_t *taken;                 /* by hit: a repeated anchor has it; NULL = not repeated */
  uint32_t anchor;                /* event */
  uint16_t anchor_event;          /* of the rule */
  fl_time start, end;             /* of the anchor */
  fl_time last;                   /* nothing later counts */
  int32_t machine, other_machine; /* of the anchor; attempts have two */
  uint32_t vars[FL_FLR_MAX_VARS];
  uint32_t var_event[FL_FLR_MAX_VARS]; /* which event bound it */
  const fl_path *var_path[FL_FLR_MAX_VARS];
  fl_sight sights[FL_FLR_MAX_EVENTS];
} fl_scene;

/* sequence.c: an attempt lasts, other events are over when they begin. */
fl_time fl_sequence_end(const fl_event *event, fl_time start);

/* sequence_hosts.c */
fl_status fl_hosts_init(fl_run *run);
void fl_hosts_done(fl_run *run);
int32_t fl_hosts_find(const fl_run *run, fl_str host);
int64_t fl_hosts_tolerance(const fl_scene *scene, int32_t machine);
fl_str fl_hosts_name(const fl_run *run, int32_t machine);

/* sequence_hits.c */
fl_status fl_hits_collect(fl_run *run);
void fl_hits_done(fl_run *run);

/* sequence_find.c: false when the mandatory steps are not there. */
bool fl_scene_bind(fl_scene *scene, uint16_t event, uint32_t hit);
fl_status fl_scene_search(fl_scene *scene, bool *ret_is_match);

/* sequence_absence.c: truth of an event of the rule. */
fl_truth fl_scene_truth(fl_scene *scene, uint16_t event);

/* sequence_proof.c: NULL = out of memory. */
const fl_proof *fl_proof_of(fl_scene *scene, uint16_t event, int32_t machine);

/* sequence_score.c */
fl_truth fl_scene_holds(fl_scene *scene, const fl_expr *expr);
fl_status fl_scene_score(fl_scene *scene, size_t rule_index);

/* sequence_cite.c: events in time order, each once. Of a line: those bound to the names that are
 * marked, and the records behind the facts of attempts that `expr` (may be NULL) reads. Of a
 * finding: all that it bound, attempts included. */
fl_status fl_scene_cite(fl_scene *scene, const bool *named, const fl_expr *expr,
                        const fl_event *const **ret_events, size_t *ret_n);
fl_status fl_scene_cite_all(fl_scene *scene, const fl_event *const **ret_events, size_t *ret_n);

/* sequence_text.c */
fl_str fl_scene_text(fl_scene *scene, const fl_part *part, fl_arena *arena);
/* What a line would say, without what hangs on events that were not found; may be empty. */
fl_str fl_scene_claim(fl_scene *scene, const fl_part *part, fl_arena *arena);
fl_value fl_scene_var(const fl_scene *scene, uint16_t var);

/* sequence_words.c: `named` marks the events that a line hangs on. */
fl_str fl_scene_made_text(fl_scene *scene, const bool *named);
fl_str fl_scene_missing_text(fl_scene *scene, const fl_part *line, const bool *named);

#endif
