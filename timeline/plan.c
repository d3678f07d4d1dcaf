/* plan.c - plans by shape: a cached shape is looked up by its serial, others by their content. */
#include "timeline/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/shape.h"

/* Beyond it plans travel with their rows, so that memory stays bounded. */
enum { PLAN_MEMORY = 32 << 20, HEADER_BYTES = 4 * (2 + FL_C_COUNT) };

fl_status fl_plans_init(fl_plans *plans, fl_err *err) {
  plans->arena = fl_arena_create(PLAN_MEMORY);
  return plans->arena ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

void fl_plans_done(fl_plans *plans) {
  fl_arena_free(plans->arena);
  free(plans->plans);
  free(plans->slots);
  free(plans->by_serial);
  fl_pack_free(&plans->scratch);
}

void fl_plans_new_batch(fl_plans *plans) { plans->last_shape = NULL; }

/* The time is stored by the row: mostly it equals the event's own time. So is the message, which is
 * a sentence of ours where the record has none. */
static bool is_constant(const fl_shape *shape, unsigned column) {
  return column != FL_C_TIME && column != FL_C_MESSAGE && column != FL_C_MESSAGE_SOURCE &&
         shape->columns[column].kind != FL_REF_SLOT;
}

/* Arrays do not occur in columns; one is kept as its text. */
static void pack_constant(fl_pack *pack, const fl_ref *ref) {
  bool is_cut = false;
  fl_raw raw = ref->constant;
  if (ref->kind == FL_REF_NONE) raw = (fl_raw){0};
  raw.type &= 0x7f;
  (void)fl_pack_raw(pack, raw, &is_cut);
}

/* u32 n_fields, u32 n_key_bytes, u32 n_bytes of each column, keys, columns. */
static void pack_blob(fl_pack *pack, const fl_shape *shape) {
  uint32_t header[2 + FL_C_COUNT] = {shape->n_fields};
  pack->n = 0;
  fl_pack_bytes(pack, header, sizeof header);
  fl_pack_array(pack, shape->n_fields);
  for (uint32_t i = 0; i < shape->n_fields; i++) fl_pack_str(pack, shape->fields[i].name);
  header[1] = (uint32_t)(pack->n - sizeof header);
  for (unsigned column = 0; column < FL_C_COUNT; column++) {
    const size_t start = pack->n;
    if (is_constant(shape, column)) pack_constant(pack, &shape->columns[column]);
    header[2 + column] = (uint32_t)(pack->n - start);
  }
  if (!pack->failed) memcpy(pack->p, header, sizeof header);
}

void fl_plan_parse(fl_str blob, fl_plan *ret_plan) {
  const uint8_t *p = (const uint8_t *)blob.p;
  const char *at = blob.p + HEADER_BYTES;
  *ret_plan = (fl_plan){.index = FL_PLAN_INLINE, .n_fields = fl_le32(p), .blob = blob};
  ret_plan->keys = (fl_str){at, fl_le32(p + 4)};
  ret_plan->keys_hash = fl_hash_bytes(at, ret_plan->keys.n, 0);
  at += ret_plan->keys.n;
  for (unsigned column = 0; column < FL_C_COUNT; column++) {
    const uint32_t n = fl_le32(p + 8 + 4 * column);
    ret_plan->constants[column] = (fl_str){at, n};
    ret_plan->n_constant_bytes += n;
    at += n;
  }
}

static bool grow_slots(fl_plans *plans) {
  const size_t n_slots = plans->n_slots ? plans->n_slots * 2 : 1024;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < plans->n_plans; i++) {
    const fl_str blob = plans->plans[i]->blob;
    size_t at = fl_hash_bytes(blob.p, blob.n, 1) & (n_slots - 1);
    while (slots[at]) at = (at + 1) & (n_slots - 1);
    slots[at] = (uint32_t)i + 1;
  }
  free(plans->slots);
  plans->slots = slots;
  plans->n_slots = n_slots;
  return true;
}

/* NULL when the store has no room: the plan is then kept in `last`. */
static fl_plan *add_plan(fl_plans *plans, fl_str blob) {
  void *list = plans->plans;
  if (!fl_grow(&list, &plans->cap_plans, plans->n_plans + 1, sizeof *plans->plans)) return NULL;
  plans->plans = list;
  fl_plan *plan = FL_NEW(plans->arena, fl_plan);
  const fl_str copy = plan ? fl_arena_str(plans->arena, blob) : (fl_str){0};
  if (!copy.p) return NULL;
  fl_plan_parse(copy, plan);
  plan->index = (uint32_t)plans->n_plans;
  plans->plans[plans->n_plans++] = plan;
  return plan;
}

static const fl_plan *find_by_content(fl_plans *plans, const fl_shape *shape) {
  pack_blob(&plans->scratch, shape);
  if (plans->scratch.failed) return NULL;
  if (plans->n_plans * 2 >= plans->n_slots && !grow_slots(plans)) return NULL;
  const fl_str blob = {(const char *)plans->scratch.p, plans->scratch.n};
  size_t at = fl_hash_bytes(blob.p, blob.n, 1) & (plans->n_slots - 1);
  for (; plans->slots[at]; at = (at + 1) & (plans->n_slots - 1)) {
    const fl_plan *plan = plans->plans[plans->slots[at] - 1];
    if (fl_str_eq(plan->blob, blob)) return plan;
  }
  const fl_plan *plan = add_plan(plans, blob);
  if (plan) {
    plans->slots[at] = plan->index + 1;
    return plan;
  }
  fl_plan_parse(blob, &plans->last);
  return &plans->last;
}

static void remember_serial(fl_plans *plans, const fl_shape *shape, const fl_plan *plan) {
  if (!fl_shape_is_kept(shape) || plan->index == FL_PLAN_INLINE) return;
  void *list = plans->by_serial;
  if (!fl_grow_zeroed(&list, &plans->cap_serials, (size_t)shape->serial + 1,
                      sizeof *plans->by_serial))
    return;
  plans->by_serial = list;
  plans->by_serial[shape->serial] = plan;
}

fl_status fl_plans_find(fl_plans *plans, const fl_shape *shape, const fl_plan **ret_plan,
                        fl_err *err) {
  if (shape == plans->last_shape) {
    *ret_plan = plans->last_plan;
    return FL_OK;
  }
  const fl_plan *plan = NULL;
  if (shape->cached && shape->serial < plans->cap_serials) plan = plans->by_serial[shape->serial];
  if (!plan) {
    plan = find_by_content(plans, shape);
    if (!plan) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    remember_serial(plans, shape, plan);
  }
  plans->last_shape = shape;
  plans->last_plan = plan;
  *ret_plan = plan;
  return FL_OK;
}
