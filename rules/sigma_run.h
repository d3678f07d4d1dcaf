/* sigma_run.h - what changes while events are matched: values, what is known of predicates, plans.
 *
 * One run serves one thread. Nothing in it outlives an event but plans, which are made when first
 * needed and forgotten all at once when there are too many. */
#ifndef FL_RULES_SIGMA_RUN_H
#define FL_RULES_SIGMA_RUN_H

#include "rules/regex.h"
#include "rules/sigma.h"
#include "rules/sigma_scan.h"

/* One value of a field. Texts are made when first asked for. */
typedef struct fl_sigma_item {
  fl_raw raw;
  bool is_null, has_text, has_folded;
  fl_str text, folded;
} fl_sigma_item;

typedef struct fl_sigma_field_values {
  uint32_t epoch; /* of the event they are of */
  bool exists;
  fl_sigma_item *items;
  size_t n_items;
  fl_sigma_item one; /* the usual case */
} fl_sigma_field_values;

/* Where a field of rules is in the rows of a shape. */
typedef enum fl_sigma_where {
  FL_SIGMA_ABSENT,
  FL_SIGMA_COLUMN,
  FL_SIGMA_DATA,
  FL_SIGMA_EVERYWHERE
} fl_sigma_where;
typedef struct fl_sigma_ref {
  uint16_t where; /* fl_sigma_where */
  uint16_t index; /* fl_column, or the field of the shape */
} fl_sigma_ref;

/* The literals of a field that the rules of a group wait for. */
typedef struct fl_sigma_field_scan {
  uint32_t field;
  const fl_sigma_scan *scan;
} fl_sigma_field_scan;

/* Rules that are asked together: those of all events with the same candidates. */
typedef struct fl_sigma_group {
  uint64_t hash;
  const uint32_t *rules; /* all of them, in order */
  size_t n_rules;
  const uint32_t *always; /* without a witness */
  size_t n_always;
  const fl_sigma_field_scan *scans;
  size_t n_scans;
  const uint32_t *preds; /* of each literal: its predicate */
  size_t n_literals;
  const uint32_t *starts, *waiting; /* of each literal: the rules that wait for it */
  const uint64_t *is_scanned;       /* bits by predicate: not found means false */
} fl_sigma_group;

/* What an event's channel, provider and id decide. */
typedef struct fl_sigma_fixed {
  uint32_t pred;
  bool holds;
} fl_sigma_fixed;
typedef struct fl_sigma_plan {
  uint64_t hash;
  fl_str channel, provider; /* folded */
  int64_t event_id;
  uint32_t service; /* by which fields are called otherwise; UINT32_MAX = none */
  const fl_sigma_group *group;
  const fl_sigma_fixed *fixed;
  size_t n_fixed;
} fl_sigma_plan;

typedef struct fl_sigma_planner fl_sigma_planner;

typedef struct fl_sigma_run {
  const fl_sigma_set *set;
  const fl_sigma_field *fields;
  size_t n_fields;
  const fl_sigma_pred *preds;
  size_t n_preds;
  const fl_sigma_rule *const *rules;
  size_t n_rules;
  fl_hits *hits;
  struct fl_sigma_gather *gather; /* NULL: there are no correlations */
  bool *is_off;                   /* rules that nobody asks for, or that were given up */
  bool *is_mute;                  /* rules whose matches are no findings */
  uint8_t *strikes;
  fl_regex_scratch *regexes;
  fl_sigma_planner *planner;
  fl_arena *scratch; /* of one event */
  /* The event. */
  uint32_t epoch;
  const fl_batch *batch;
  const fl_row *row;
  const fl_sigma_ref *refs; /* of every field */
  const fl_sigma_group *group;
  fl_sigma_field_values *values; /* of every field */
  uint32_t *known;               /* of every predicate: epoch * 2 + what it is */
  uint32_t *asked;               /* of every rule: the epoch */
  uint32_t *queue;               /* rules to ask */
  size_t n_queue;
  fl_sigma_finds finds;
  size_t cap_finds;
  bool is_unknown; /* a regex was too hard: the rule at hand has no answer */
  bool is_out_of_memory;
} fl_sigma_run;

/* sigma_run.c */
fl_status fl_sigma_run_start(const void *set, const fl_hunt_options *options, fl_hits *hits,
                             fl_engine_run *ret_run, fl_err *err);

/* A row outside of the order of matching: its values can be asked for. NULL = no memory. */
const fl_sigma_plan *fl_sigma_run_place(fl_sigma_run *run, const fl_batch *batch, const fl_row *row,
                                        fl_sigma_ref *refs);
/* sigma_trace.c: why a rule fits a row or not. */
fl_status fl_sigma_trace(fl_sigma_run *run, const fl_tracing *tracing, const fl_batch *batch,
                         const fl_row *row, fl_err *err);

/* sigma_bind.c: where fields are, and their values. */
bool fl_sigma_field_is_key(fl_str folded_name);
/* The refs of every field for rows of a shape; false = no memory. */
bool fl_sigma_bind(const fl_sigma_run *run, const fl_sigma_plan *plan, const fl_shape *shape,
                   fl_sigma_ref *ret_refs);
const fl_sigma_field_values *fl_sigma_values_at(fl_sigma_run *run, uint32_t field);
fl_str fl_sigma_item_text(fl_sigma_run *run, fl_sigma_item *item);
fl_str fl_sigma_item_folded(fl_sigma_run *run, fl_sigma_item *item);
/* Gives a field of the event at hand one text; for what plans decide. */
void fl_sigma_values_set(fl_sigma_run *run, uint32_t field, fl_str text);

/* sigma_match.c */
bool fl_sigma_pred_holds(fl_sigma_run *run, uint32_t pred);
bool fl_sigma_rule_holds(fl_sigma_run *run, const fl_sigma_rule *rule);

/* sigma_plan.c */
fl_sigma_planner *fl_sigma_planner_create(void);
void fl_sigma_planner_free(fl_sigma_planner *planner);
/* The plan of the row at hand, and the refs of its shape; NULL = no memory. Both are good until the
 * next call. */
const fl_sigma_plan *fl_sigma_plan_find(fl_sigma_run *run, const fl_sigma_ref **ret_refs);

#endif
