/* plan.h - what rows of equal shape have in common: data keys and constant columns, packed once. */
#ifndef FL_TIMELINE_PLAN_H
#define FL_TIMELINE_PLAN_H

#include "faultline/facts.h"
#include "timeline/pack.h"

/* The kind stands behind the columns of the record. */
enum { FL_PLAN_KIND = FL_C_COUNT, FL_PLAN_COLUMNS, FL_PLAN_RECENT = 4 };

/* A view into its blob. Shapes of equal content share one plan. Where rows of a shape agree in
 * columns that seldom change (level, task, host …), a *variant* of the plan has these as constants,
 * and rows hold no value for them. */
typedef struct fl_plan {
  uint32_t index; /* in the store; FL_PLAN_INLINE: the blob travels with its row */
  uint32_t n_fields;
  fl_str keys; /* msgpack array of the data keys */
  uint64_t keys_hash;
  fl_str constants[FL_PLAN_COLUMNS]; /* packed value; n 0: each row has its own */
  size_t n_constant_bytes;
  uint8_t own[FL_C_COUNT], n_own;         /* columns that rows hold, but for the message's source */
  uint8_t settled[FL_C_COUNT], n_settled; /* those of them that make a variant */
  const fl_event_fact *fact;              /* of a variant's rows */
  bool is_variant;
  uint32_t *hints; /* a familiar value's number + 1 for each column, the kind, each field */
  uint32_t recent[FL_PLAN_RECENT]; /* slots of the variants of its last rows; hints */
  fl_str blob;                     /* empty in variants, which never travel */
} fl_plan;
enum { FL_PLAN_INLINE = UINT32_MAX };

/* What rows of a variant agree in: the plan it comes from, and the raw values. */
typedef struct fl_variant {
  uint64_t hash;
  const uint8_t *key;
  size_t n_key;
  const fl_plan *plan; /* NULL: free */
} fl_variant;

typedef struct fl_plans {
  fl_known *known; /* borrowed */
  fl_arena *arena;
  fl_plan **plans; /* by index */
  size_t n_plans, cap_plans;
  uint32_t *slots; /* open addressing, index + 1 */
  size_t n_slots;
  fl_plan **by_serial; /* of cached shapes */
  size_t cap_serials;
  fl_variant *variants; /* open addressing */
  size_t n_variants;
  fl_pack scratch;
  const fl_shape *last_shape; /* within one batch */
  fl_plan last;               /* a plan that found no room in the store */
  fl_plan *last_plan;
} fl_plans;

fl_status fl_plans_init(fl_plans *plans, fl_known *known, fl_err *err);
void fl_plans_done(fl_plans *plans);
void fl_plans_new_batch(fl_plans *plans); /* shapes that are not cached end with their batch */
/* The plan of a row; valid until the next call when it is inline. */
fl_status fl_plans_find(fl_plans *plans, const fl_batch *batch, const fl_row *row,
                        const fl_plan **ret_plan, fl_err *err);
void fl_plan_parse(fl_str blob, fl_plan *ret_plan);

#endif
