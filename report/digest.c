/* digest.c - one checksum over every typed value of every event. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/shape.h"
#include "faultline/report.h"

/* A value of a shape that differs from row to row. */
typedef struct part {
  uint32_t slot;
  uint64_t seed; /* which column or field, which of its parts */
} part;

/* What is the same in all rows of a shape is folded once. */
typedef struct plan {
  const part *parts;
  size_t n_parts, n_values;
  uint64_t constants;
} plan;

struct fl_digest {
  fl_digest_sums sums;
  fl_arena *arena, *scratch; /* plans of shapes that stay, and of those that do not */
  plan **plans;
  size_t cap_plans;
};

static inline uint64_t fold_item(fl_raw raw, uint64_t seed);

static uint64_t fold_array(fl_raw raw, uint64_t seed) {
  fl_raw_cursor cursor = {.raw = raw};
  uint64_t h = fl_hash_mix(seed, raw.type);
  for (fl_raw item; fl_raw_next(&cursor, &item);) h = fold_item(item, h);
  return fl_hash_mix(h, cursor.pos);
}

/* Numbers of a fixed width by their bits: with the type that is their value. */
static inline uint64_t number_bits(fl_raw raw) {
  if (raw.n == 4) return fl_le32(raw.p);
  if (raw.n == 8) return fl_le64(raw.p);
  if (raw.n == 2) return fl_le16(raw.p);
  return raw.p[0];
}

static inline uint64_t fold_item(fl_raw raw, uint64_t seed) {
  static const uint8_t number_widths[32] = {
      [FL_T_I8] = 1,   [FL_T_U8] = 1,       [FL_T_I16] = 2,   [FL_T_U16] = 2,   [FL_T_I32] = 4,
      [FL_T_U32] = 4,  [FL_T_I64] = 8,      [FL_T_U64] = 8,   [FL_T_F32] = 4,   [FL_T_F64] = 8,
      [FL_T_BOOL] = 4, [FL_T_FILETIME] = 8, [FL_T_HEX32] = 4, [FL_T_HEX64] = 8,
  };
  const uint64_t type = (uint64_t)raw.type << 56;
  if (raw.type < 32 && raw.n == number_widths[raw.type])
    return fl_hash_mix(seed, type ^ (raw.n ? number_bits(raw) : 0));
  if (raw.type & FL_T_ARRAY) return fold_array(raw, seed);
  if (raw.type == FL_T_NULL) return fl_hash_mix(seed, 0); /* some nulls have a size */
  if (raw.type == FL_T_STR16 || raw.type == FL_T_STR8 || raw.type == FL_T_EVTXML)
    raw = fl_raw_trim(raw);
  return fl_hash_bytes(raw.p, raw.n, seed ^ type);
}

/* ---- plans ---- */

static void add_ref(plan *p, part *parts, const fl_ref *ref, uint64_t seed) {
  if (ref->kind == FL_REF_NONE) return;
  p->n_values++;
  if (ref->kind == FL_REF_SLOT) parts[p->n_parts++] = (part){ref->slot, seed};
  else p->constants = fl_hash_mix(p->constants, fold_item(ref->constant, seed));
}

static plan *plan_create(const fl_shape *shape, fl_arena *arena) {
  size_t n = FL_C_COUNT;
  for (uint32_t i = 0; i < shape->n_fields; i++) n += shape->fields[i].n_refs;
  plan *p = FL_NEW(arena, plan);
  part *parts = FL_NEW_ARRAY(arena, part, n);
  if (!p || !parts) return NULL;
  p->parts = parts;
  for (uint64_t i = 0; i < FL_C_RULES; i++) /* what rules say is no value of the record */
    add_ref(p, parts, &shape->columns[i], fl_hash_mix(1, i));
  for (uint32_t i = 0; i < shape->n_fields; i++) {
    const fl_shape_field *field = &shape->fields[i];
    const uint64_t name = fl_hash_bytes(field->name.p, field->name.n, field->join);
    for (uint32_t k = 0; k < field->n_refs; k++)
      add_ref(p, parts, &field->refs[k], fl_hash_mix(name, k));
  }
  return p;
}

static const plan *find_plan(fl_digest *d, const fl_shape *shape) {
  if (!fl_shape_is_kept(shape)) {
    fl_arena_reset(d->scratch);
    return plan_create(shape, d->scratch);
  }
  if (shape->serial >= d->cap_plans &&
      !fl_grow_zeroed((void **)&d->plans, &d->cap_plans, shape->serial + 1, sizeof *d->plans))
    return NULL;
  if (!d->plans[shape->serial]) d->plans[shape->serial] = plan_create(shape, d->arena);
  return d->plans[shape->serial];
}

static void fold_row(fl_digest *d, const plan *p, const fl_batch *batch, const fl_row *row) {
  uint64_t h = fl_hash_mix(p->constants, (uint64_t)row->t);
  h = fl_hash_mix(h, row->header_record_id);
  h = fl_hash_mix(h, row->offset);
  /* The values' own hashes do not wait for each other. */
  for (size_t i = 0; i < p->n_parts; i++)
    h = h * UINT64_C(0x9e3779b97f4a7c15) +
        fold_item(batch->slots[row->slot0 + p->parts[i].slot], p->parts[i].seed);
  d->sums.sum = fl_hash_mix(d->sums.sum, h);
  d->sums.n_values += p->n_values;
  d->sums.n_events++;
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  fl_digest *d = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    const plan *p = find_plan(d, row->shape);
    if (!p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    fold_row(d, p, batch, row);
  }
  return FL_OK;
}

fl_sink fl_digest_sink(fl_digest *digest) { return (fl_sink){.self = digest, .batch = take_batch}; }

fl_digest_sums fl_digest_result(const fl_digest *digest) { return digest->sums; }

fl_status fl_digest_create(fl_digest **ret_digest, fl_err *err) {
  fl_digest *d = calloc(1, sizeof *d);
  if (d) {
    d->arena = fl_arena_create(FL_LIMIT_SHARED_ARENA);
    d->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  }
  if (!d || !d->arena || !d->scratch) {
    fl_digest_free(d);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *ret_digest = d;
  return FL_OK;
}

void fl_digest_free(fl_digest *d) {
  if (!d) return;
  fl_arena_free(d->arena);
  fl_arena_free(d->scratch);
  free(d->plans);
  free(d);
}
