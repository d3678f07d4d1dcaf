/* match_plan.h - which selectors of all rules an event's provider, channel, id and kind fit. */
#ifndef FL_RULES_MATCH_PLAN_H
#define FL_RULES_MATCH_PLAN_H

#include "rules/flr.h"

typedef struct fl_plan_ref {
  uint32_t rule;
  uint16_t selector;
} fl_plan_ref;

enum { FL_PLAN_HOST_BYTES = 48 };
typedef struct fl_plan {
  uint64_t hash;
  fl_str provider, channel, kind;
  int64_t event_id;
  const fl_plan_ref *refs;
  size_t n_refs;
  bool is_kept;              /* its kind is wanted whatever the rules say */
  bool is_certain;           /* a selector without conditions wants it, or is_kept */
  bool has_named;            /* a selector asks for a rule by name */
  bool has_anytime;          /* a selector takes it whatever its time */
  bool is_state_kept;        /* is_kept, and its time does not matter */
  bool is_passing;           /* not in the table: valid until the next look-up */
  uint8_t host_type, n_host; /* the host seen last, as it was recorded */
  uint8_t host[FL_PLAN_HOST_BYTES];
} fl_plan;

typedef struct fl_plan_key {
  fl_str provider, channel, kind;
  int64_t event_id;
} fl_plan_key;

/* Plans are made when first asked for. All memory is in its own arena. */
typedef struct fl_plan_table fl_plan_table;
fl_plan_table *fl_plan_table_create(const fl_rules *rules, const char *const *kept_kinds,
                                    size_t n_kept_kinds);
void fl_plan_table_free(fl_plan_table *table);
/* NULL = out of memory. */
fl_plan *fl_plan_find(fl_plan_table *table, const fl_plan_key *key);

#endif
