/* plan.h - what rows of equal shape have in common: data keys and constant columns, packed once. */
#ifndef FL_TIMELINE_PLAN_H
#define FL_TIMELINE_PLAN_H

#include "timeline/pack.h"

/* A view into its blob. Shapes of equal content share one plan. */
typedef struct fl_plan {
  uint32_t index; /* in the store; FL_PLAN_INLINE: the blob travels with its row */
  uint32_t n_fields;
  fl_str keys; /* msgpack array of the data keys */
  uint64_t keys_hash;
  fl_str constants[FL_C_COUNT]; /* packed value; n 0: each row has its own */
  size_t n_constant_bytes;
  fl_str blob;
} fl_plan;
enum { FL_PLAN_INLINE = UINT32_MAX };

typedef struct fl_plans {
  fl_arena *arena;
  fl_plan **plans; /* by index */
  size_t n_plans, cap_plans;
  uint32_t *slots; /* open addressing, index + 1 */
  size_t n_slots;
  const fl_plan **by_serial; /* of cached shapes */
  size_t cap_serials;
  fl_pack scratch;
  const fl_shape *last_shape; /* within one batch */
  fl_plan last;               /* a plan that found no room in the store */
  const fl_plan *last_plan;
} fl_plans;

fl_status fl_plans_init(fl_plans *plans, fl_err *err);
void fl_plans_done(fl_plans *plans);
void fl_plans_new_batch(fl_plans *plans); /* shapes that are not cached end with their batch */
/* The plan of a shape; valid until the next call when it is inline. */
fl_status fl_plans_find(fl_plans *plans, const fl_shape *shape, const fl_plan **ret_plan,
                        fl_err *err);
void fl_plan_parse(fl_str blob, fl_plan *ret_plan);

#endif
