/* plan.c - plans by shape: a cached shape is looked up by its serial, others by their content. */
#include "timeline/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/shape.h"

/* Beyond it plans travel with their rows, so that memory stays bounded. */
enum {
  PLAN_MEMORY = 32 << 20,
  HEADER_BYTES = 4 * (2 + FL_C_COUNT),
  VARIANT_SLOTS = 8192, /* a power of two */
  VARIANTS_MAX = VARIANT_SLOTS / 2,
  VARIANT_KEY_MAX = 1024
};

fl_status fl_plans_init(fl_plans *plans, fl_known *known, fl_err *err) {
  plans->known = known;
  plans->arena = fl_arena_create(PLAN_MEMORY);
  plans->variants = calloc(VARIANT_SLOTS, sizeof *plans->variants);
  return plans->arena && plans->variants ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

void fl_plans_done(fl_plans *plans) {
  fl_arena_free(plans->arena);
  free(plans->plans);
  free(plans->slots);
  free(plans->by_serial);
  free(plans->variants);
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

/* Columns that are the same in most rows of a shape. */
static bool is_settled(unsigned column) {
  switch (column) {
    case FL_C_TIME:
    case FL_C_RECORD_ID:
    case FL_C_ACTIVITY_ID:
    case FL_C_RELATED_ACTIVITY_ID:
    case FL_C_PID:
    case FL_C_TID:
    case FL_C_MESSAGE:
    case FL_C_RULES:
      return false;
    default:
      return true;
  }
}

/* Rows without hints are packed as well. */
static void make_hints(fl_plans *plans, fl_plan *plan) {
  plan->hints = FL_NEW_ARRAY(plans->arena, uint32_t, FL_PLAN_COLUMNS + plan->n_fields);
}

static void list_columns(fl_plan *plan) {
  plan->n_own = plan->n_settled = 0;
  for (uint8_t column = 0; column < FL_C_COUNT; column++) {
    if (plan->constants[column].n || column == FL_C_MESSAGE_SOURCE) continue;
    plan->own[plan->n_own++] = column;
    if (is_settled(column)) plan->settled[plan->n_settled++] = column;
  }
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
  list_columns(ret_plan);
}

static bool grow_slots(fl_plans *plans) {
  const size_t n_slots = plans->n_slots ? plans->n_slots * 2 : 1024;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < plans->n_plans; i++) {
    const fl_str blob = plans->plans[i]->blob;
    if (blob.n == 0) continue;
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
  make_hints(plans, plan);
  plan->index = (uint32_t)plans->n_plans;
  plans->plans[plans->n_plans++] = plan;
  return plan;
}

static fl_plan *find_by_content(fl_plans *plans, const fl_shape *shape) {
  pack_blob(&plans->scratch, shape);
  if (plans->scratch.failed) return NULL;
  if (plans->n_plans * 2 >= plans->n_slots && !grow_slots(plans)) return NULL;
  const fl_str blob = {(const char *)plans->scratch.p, plans->scratch.n};
  size_t at = fl_hash_bytes(blob.p, blob.n, 1) & (plans->n_slots - 1);
  for (; plans->slots[at]; at = (at + 1) & (plans->n_slots - 1)) {
    fl_plan *plan = plans->plans[plans->slots[at] - 1];
    if (fl_str_eq(plan->blob, blob)) return plan;
  }
  fl_plan *plan = add_plan(plans, blob);
  if (plan) {
    plans->slots[at] = plan->index + 1;
    return plan;
  }
  fl_plan_parse(blob, &plans->last);
  return &plans->last;
}

static void remember_serial(fl_plans *plans, const fl_shape *shape, fl_plan *plan) {
  if (!fl_shape_is_kept(shape) || plan->index == FL_PLAN_INLINE) return;
  void *list = plans->by_serial;
  if (!fl_grow_zeroed(&list, &plans->cap_serials, (size_t)shape->serial + 1,
                      sizeof *plans->by_serial))
    return;
  plans->by_serial = list;
  plans->by_serial[shape->serial] = plan;
}

static fl_status find_by_shape(fl_plans *plans, const fl_shape *shape, fl_plan **ret_plan,
                               fl_err *err) {
  if (shape == plans->last_shape) {
    *ret_plan = plans->last_plan;
    return FL_OK;
  }
  fl_plan *plan = NULL;
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

/* ---- variants ---- */

static bool is_of_variant(const fl_variant *variant, const fl_plan *base, const fl_batch *batch,
                          const fl_row *row) {
  if (!variant->plan || fl_le32(variant->key) != base->index) return false;
  const uint8_t *at = variant->key + sizeof base->index;
  for (unsigned i = 0; i < base->n_settled; i++)
    if (!fl_key_has(&at, fl_row_column(batch, row, (fl_column)base->settled[i]))) return false;
  return true;
}

/* The plan's index and the raw values of its settled columns; 0 when there is no variant for it. */
static size_t put_key(const fl_plan *plan, const fl_batch *batch, const fl_row *row,
                      uint8_t key[VARIANT_KEY_MAX]) {
  size_t n = sizeof plan->index;
  memcpy(key, &plan->index, n);
  for (unsigned i = 0; i < plan->n_settled; i++) {
    const fl_raw raw = fl_row_column(batch, row, (fl_column)plan->settled[i]);
    if (raw.type & FL_T_ARRAY || !(n = fl_key_put(key, n, VARIANT_KEY_MAX, raw))) return 0;
  }
  return n;
}

static bool add_constant(fl_plans *plans, fl_plan *plan, unsigned column, fl_raw raw) {
  bool is_cut = false;
  plans->scratch.n = 0;
  (void)fl_pack_raw(&plans->scratch, raw, &is_cut);
  const fl_str packed = {(const char *)plans->scratch.p, plans->scratch.n};
  if (plans->scratch.failed) return false;
  plan->constants[column] = fl_arena_str(plans->arena, packed);
  plan->n_constant_bytes += packed.n;
  return plan->constants[column].p != NULL;
}

/* What facts/ say hangs on settled columns alone: provider, event id, source. */
static bool add_fact(fl_plans *plans, fl_plan *plan, const fl_batch *batch, const fl_row *row) {
  plan->fact = fl_known_fact(plans->known, batch, row);
  const fl_str kind = plan->fact ? fl_str_of(plan->fact->kind) : (fl_str){0};
  const uint8_t type = plan->fact ? FL_T_UTF8 : FL_T_NULL;
  return add_constant(plans, plan, FL_PLAN_KIND,
                      (fl_raw){(const uint8_t *)kind.p, (uint32_t)kind.n, type, 0});
}

/* A plan with the row's settled columns as constants; NULL when there is no room. */
static const fl_plan *add_variant(fl_plans *plans, const fl_plan *base, const fl_batch *batch,
                                  const fl_row *row) {
  void *list = plans->plans;
  if (!fl_grow(&list, &plans->cap_plans, plans->n_plans + 1, sizeof *plans->plans)) return NULL;
  plans->plans = list;
  fl_plan *plan = FL_NEW(plans->arena, fl_plan);
  if (!plan) return NULL;
  *plan = *base;
  plan->blob = (fl_str){0};
  plan->is_variant = true;
  for (unsigned i = 0; i < base->n_settled; i++) {
    uint8_t guid[16];
    const fl_column column = (fl_column)base->settled[i];
    const fl_raw raw = fl_column_raw(column, fl_row_column(batch, row, column), guid);
    if (!add_constant(plans, plan, column, raw)) return NULL;
  }
  if (!add_fact(plans, plan, batch, row)) return NULL;
  list_columns(plan);
  make_hints(plans, plan);
  plan->index = (uint32_t)plans->n_plans;
  plans->plans[plans->n_plans++] = plan;
  return plan;
}

static void put_in_front(fl_plan *base, unsigned n_before, size_t slot) {
  for (unsigned i = n_before; i > 0; i--) base->recent[i] = base->recent[i - 1];
  base->recent[0] = (uint32_t)slot;
}

/* NULL when it is none of those that the plan's last rows had. */
static const fl_plan *find_recent(const fl_plans *plans, fl_plan *base, const fl_batch *batch,
                                  const fl_row *row) {
  for (unsigned i = 0; i < FL_PLAN_RECENT; i++) {
    const uint32_t slot = base->recent[i];
    if (!is_of_variant(&plans->variants[slot], base, batch, row)) continue;
    put_in_front(base, i, slot);
    return plans->variants[slot].plan;
  }
  return NULL;
}

/* The variant of the plan that the row belongs to, or the plan itself. */
static const fl_plan *find_variant(fl_plans *plans, fl_plan *base, const fl_batch *batch,
                                   const fl_row *row) {
  uint8_t key[VARIANT_KEY_MAX];
  if (base->index == FL_PLAN_INLINE) return base;
  const fl_plan *recent = find_recent(plans, base, batch, row);
  if (recent) return recent;
  const size_t n = put_key(base, batch, row, key);
  if (n == 0) return base;
  const uint64_t hash = fl_hash_bytes(key, n, 0);
  size_t at = hash & (VARIANT_SLOTS - 1);
  for (; plans->variants[at].plan; at = (at + 1) & (VARIANT_SLOTS - 1)) {
    const fl_variant *variant = &plans->variants[at];
    if (variant->hash != hash || variant->n_key != n || memcmp(variant->key, key, n) != 0) continue;
    put_in_front(base, FL_PLAN_RECENT - 1, at);
    return variant->plan;
  }
  if (plans->n_variants >= VARIANTS_MAX) return base;
  uint8_t *copy = fl_arena_take(plans->arena, n);
  const fl_plan *plan = copy ? add_variant(plans, base, batch, row) : NULL;
  if (!plan) return base;
  memcpy(copy, key, n);
  plans->variants[at] = (fl_variant){hash, copy, n, plan};
  plans->n_variants++;
  put_in_front(base, FL_PLAN_RECENT - 1, at);
  return plan;
}

fl_status fl_plans_find(fl_plans *plans, const fl_batch *batch, const fl_row *row,
                        const fl_plan **ret_plan, fl_err *err) {
  fl_plan *plan = NULL;
  FL_TRY(find_by_shape(plans, row->shape, &plan, err));
  *ret_plan = find_variant(plans, plan, batch, row);
  return FL_OK;
}
