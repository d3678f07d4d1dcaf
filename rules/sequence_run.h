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

/* An event that some selector found, as long as a run may need it. */
typedef struct fl_slot {
  fl_time t; /* aligned */
  uint64_t ref;
  int32_t machine; /* -1 unknown */
  bool is_synthetic, is_timeless;
} fl_slot;
enum { FL_MOST_SLOTS = 1 << 30, FL_ANYTIME_SLOT = 1 << 30 }; /* the bit: a slot that stays */

/* What one selector found and still needs: events in time order, captured values, an index by
 * join key that is built when anchors are decided. */
typedef struct fl_hits {
  bool is_wanted;   /* a step of a rule of this part asks for it */
  bool is_anytime;  /* in order of preference, the best last; never forgotten */
  uint32_t *at;     /* number of the event */
  uint32_t *values; /* n × captures */
  uint8_t *taken;   /* of a repeated anchor: an earlier one has it */
  size_t n, cap, cap_values, cap_taken;
  size_t n_decided; /* of an anchor: the first ones are over */
  uint16_t key;     /* capture that the index goes by, FL_FLR_NONE = no index */
  uint32_t *order;  /* hits by value, then by time; valid while anchors are decided */
  uint32_t *starts; /* by value: where it begins in `order`; n_starts 0 = search */
  size_t cap_order, cap_starts, n_starts;
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

/* The newest findings of one rule. Those of one shelf live in its arena and go together. */
enum { FL_SHELVES = 9 };
typedef struct fl_shelf {
  fl_arena *arena;
  fl_finding *items;
  size_t n, cap;
} fl_shelf;

/* What a rule's runs need beside their hits. */
typedef struct fl_rule_run {
  int64_t ahead, behind;   /* how far a run looks behind the anchor's end and before its start */
  size_t n_open;           /* anchors that are not decided */
  fl_time cut;             /* hits before it are gone though a run may ask for them */
  const fl_proof **proofs; /* machine × selector */
  fl_shelf shelves[FL_SHELVES]; /* the newest last */
  size_t n_shelves;
} fl_rule_run;

/* Plans and machines of the last kinds and hosts seen, by the addresses of their texts. */
enum { FL_RECENT = 64 };
typedef struct fl_recent {
  fl_str provider, channel, kind;
  int64_t event_id;
  const struct fl_plan *plan;
} fl_recent;
typedef struct fl_recent_host {
  fl_str host;
  int32_t machine;
} fl_recent_host;

/* Events that the finding at hand cites, by their numbers: fetched once. */
typedef struct fl_cited {
  uint32_t at, finding;
  const fl_event *event;
} fl_cited;
enum { FL_CITED = 512 };

struct fl_run {
  const fl_rules *rules;
  fl_sequence_input in;
  fl_arena *shelf;   /* of the finding being made */
  fl_arena *work;    /* of the run */
  fl_arena *scratch; /* of one anchor */
  struct fl_plan_table *plans;
  fl_recent recent[FL_RECENT];
  fl_recent_host recent_hosts[FL_RECENT];
  fl_hosts hosts;
  fl_interner values;
  int32_t *value_machine; /* of a host value, by number; -1 */
  size_t cap_value_machine;
  uint32_t *sighting_at, *coverage_at; /* sorted by machine: indices of the input's lists */
  int32_t *sighting_machine, *coverage_machine;
  fl_slot *slots; /* the first is event number `base` */
  size_t n_slots, cap_slots;
  uint32_t base;
  fl_slot *anytime; /* of steps without a window: they stay */
  size_t n_anytime, cap_anytime;
  fl_time now;        /* of the newest event */
  fl_hits *hits;      /* of all selectors of all rules */
  size_t *first_hits; /* by rule */
  size_t n_hits;      /* in all of them */
  size_t page;        /* so many hits, and anchors are decided */
  size_t max_hits, max_open, max_open_of_rule;
  size_t most_values; /* so many, and those of no hit are forgotten */
  fl_rule_run *rule_runs;
  int64_t widest_spread;
  uint64_t n_evicted;
  struct fl_scene *scene;
  fl_cited cited[FL_CITED];
  uint32_t n_given; /* findings so far */
  bool has_traced;  /* the event asked about is number `traced_at` */
  uint32_t traced_at;
  bool has_traced_anytime;
  uint32_t traced_anytime_at;
  size_t n_traced; /* runs told */
  fl_err *err;
};

/* Times beyond the ends of time stay there. */
static inline fl_time fl_time_plus(fl_time t, int64_t ns) {
  fl_time sum = 0;
  if (__builtin_add_overflow(t, ns, &sum)) return ns > 0 ? INT64_MAX : INT64_MIN;
  return sum;
}

static inline const fl_slot *fl_run_slot(const fl_run *run, uint32_t event) {
  return event & FL_ANYTIME_SLOT ? &run->anytime[event & ~(uint32_t)FL_ANYTIME_SLOT]
                                 : &run->slots[event - run->base];
}
/* An event may have a number in its place in time and one that stays. */
static inline bool fl_run_is_same(const fl_run *run, uint32_t a, uint32_t b) {
  return a == b ||
         ((a ^ b) & FL_ANYTIME_SLOT && fl_run_slot(run, a)->ref == fl_run_slot(run, b)->ref);
}
static inline fl_time fl_run_time(const fl_run *run, uint32_t event) {
  return fl_run_slot(run, event)->t;
}
static inline const fl_event *fl_run_event_in(const fl_run *run, uint32_t event, fl_arena *arena) {
  const uint64_t ref = fl_run_slot(run, event)->ref;
  if (!run->in.fetch) return (const fl_event *)(uintptr_t)ref;
  return run->in.fetch(run->in.fetcher, ref, arena);
}
/* To be looked at while one anchor is. */
static inline const fl_event *fl_run_event(const fl_run *run, uint32_t event) {
  return fl_run_event_in(run, event, run->scratch);
}
/* To be cited by the finding being made. */
static inline const fl_event *fl_run_cited(fl_run *run, uint32_t event) {
  fl_cited *known = &run->cited[event % FL_CITED];
  if (known->event && known->at == event && known->finding == run->n_given) return known->event;
  *known = (fl_cited){event, run->n_given, fl_run_event_in(run, event, run->shelf)};
  return known->event;
}

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
  size_t n_fit;         /* of a step that asks for several: what there was when it was not enough */
  const uint32_t *kept; /* of repeated steps */
  size_t n_kept;
  fl_time from, to; /* where it was looked for */
  fl_str reason;    /* why absence is unknown */
} fl_sight;

typedef struct fl_scene {
  fl_run *run;
  const fl_rule *rule;
  fl_rule_run *of; /* the rule's */
  fl_hits *hits;
  uint8_t *taken;                 /* of the anchor's hits; NULL = not repeated */
  bool is_early;                  /* decided before all that counts was there */
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

/* sequence_anchor.c: an attempt lasts, other events are over when they begin. */
fl_time fl_sequence_end(const fl_event *event, fl_time start);

/* sequence_hosts.c */
fl_status fl_hosts_init(fl_run *run);
void fl_hosts_done(fl_run *run);
int32_t fl_hosts_find(const fl_run *run, fl_str host);
int32_t fl_hosts_find_recent(fl_run *run, fl_str host);
int64_t fl_hosts_tolerance(const fl_scene *scene, int32_t machine);
fl_str fl_hosts_name(const fl_run *run, int32_t machine);

/* sequence_hits.c */
fl_status fl_hits_init(fl_run *run);
fl_status fl_hits_take(fl_run *run, const fl_event *event, uint64_t ref);
fl_status fl_hits_take_anytime(fl_run *run, const fl_event *event, fl_time t, uint64_t ref);
fl_status fl_hits_index(fl_run *run, const fl_rule *rule, size_t selector, fl_hits *hits);
void fl_hits_done(fl_run *run);

/* sequence_window.c: decides the anchors whose time is over (all of them at the end), forgets what
 * nobody needs. */
fl_status fl_window_init(fl_run *run);
fl_status fl_window_decide(fl_run *run, bool is_end);

/* sequence_anchor.c: evaluates one anchor. */
fl_status fl_anchor_decide(fl_run *run, size_t rule, uint16_t event, uint32_t hit, bool is_early);

/* sequence_trace.c: tells of the run that was just decided. */
void fl_scene_trace(fl_scene *scene, bool is_match, bool is_finding);

/* sequence_keep.c: findings of a rule, the newest of them. */
fl_arena *fl_keep_arena(fl_run *run, size_t rule); /* of the next one; NULL = no memory */
bool fl_keep_is_full(const fl_run *run, size_t rule);
fl_status fl_keep_add(fl_run *run, size_t rule, const fl_finding *finding);
fl_status fl_keep_list(fl_run *run, const fl_finding **ret_findings, size_t *ret_n);
/* All of them into an arena that stays; cited events are not copied. */
fl_status fl_keep_copy(const fl_finding *findings, size_t n, fl_arena *arena,
                       fl_finding **ret_findings, fl_err *err);
void fl_keep_done(fl_run *run);

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
