/* familiar.c - a value gets a number when it is met for the second time, so that values which come
 * only once take no room. What finds no room any more stays in its rows. */
#include "timeline/familiar.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/mem.h"

enum {
  MEMORY = 6 << 20,
  N_SLOTS = 1 << 16, /* powers of two */
  N_SEEN = 1 << 15,
  RECENT_BITS = 12,
  N_MOST = N_SLOTS / 2,
  N_RAW_LEAST = 8, /* shorter ones are as short as their number */
  N_RAW_MOST = 2048
};

fl_status fl_familiars_init(fl_familiars *familiars, fl_err *err) {
  familiars->arena = fl_arena_create(MEMORY);
  familiars->slots = calloc(N_SLOTS, sizeof *familiars->slots);
  familiars->seen = calloc(N_SEEN, sizeof *familiars->seen);
  familiars->recent = calloc((size_t)1 << RECENT_BITS, sizeof *familiars->recent);
  if (familiars->arena && familiars->slots && familiars->seen && familiars->recent) return FL_OK;
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

void fl_familiars_done(fl_familiars *familiars) {
  fl_arena_free(familiars->arena);
  free(familiars->items);
  free(familiars->slots);
  free(familiars->seen);
  free(familiars->recent);
}

/* Numbers and times are short, or never the same. */
static bool may_recur(fl_raw raw) {
  if (raw.n < N_RAW_LEAST || raw.n > N_RAW_MOST) return false;
  switch (raw.type) {
    case FL_T_STR16:
    case FL_T_STR8:
    case FL_T_UTF8:
    case FL_T_GUID:
    case FL_T_SID:
    case FL_T_HEX64:
      return true;
    default:
      return false;
  }
}

static bool is_same(const fl_familiar *familiar, fl_raw raw) {
  return familiar->head == fl_raw_head(raw) && fl_bytes_are_equal(familiar->raw, raw.p, raw.n);
}

static size_t pack_number(const fl_familiars *familiars, fl_pack *pack, uint32_t number) {
  const uint8_t bytes[FL_FAMILIAR_BYTES] = {FL_FAMILIAR_TAG, (uint8_t)number,
                                            (uint8_t)(number >> 8), (uint8_t)(number >> 16)};
  fl_pack_bytes(pack, bytes, sizeof bytes);
  return familiars->items[number].n_packed - sizeof bytes;
}

/* A small table that stays in the cache, in front of the one that has them all. */
static uint32_t *recent_place(const fl_familiars *familiars, fl_raw raw) {
  return &familiars->recent[fl_key_mix(0, raw) >> (64 - RECENT_BITS)];
}

/* Keeps the value, which is packed at `packed`, in the free slot. */
static void keep(fl_familiars *familiars, fl_familiar_slot *slot, uint32_t hash, fl_raw raw,
                 fl_str packed) {
  void *list = familiars->items;
  if (familiars->n_items >= N_MOST ||
      !fl_grow(&list, &familiars->cap_items, familiars->n_items + 1, sizeof *familiars->items))
    return;
  familiars->items = list;
  uint8_t *bytes = fl_arena_take(familiars->arena, raw.n + packed.n);
  if (!bytes) return;
  memcpy(bytes, raw.p, raw.n);
  memcpy(bytes + raw.n, packed.p, packed.n);
  familiars->items[familiars->n_items++] =
      (fl_familiar){bytes, bytes + raw.n, fl_raw_head(raw), (uint32_t)packed.n};
  *slot = (fl_familiar_slot){hash, (uint32_t)familiars->n_items};
}

size_t fl_familiars_pack(fl_familiars *familiars, fl_pack *pack, fl_raw raw, uint32_t *hint,
                         bool *is_cut) {
  const size_t start = pack->n;
  if (!may_recur(raw)) {
    (void)fl_pack_raw(pack, raw, is_cut);
    return 0;
  }
  if (*hint && is_same(&familiars->items[*hint - 1], raw))
    return pack_number(familiars, pack, *hint - 1);
  uint32_t *recent = recent_place(familiars, raw);
  if (*recent && is_same(&familiars->items[*recent - 1], raw)) {
    *hint = *recent;
    return pack_number(familiars, pack, *recent - 1);
  }
  const uint64_t full = fl_hash_bytes(raw.p, raw.n, raw.type);
  const uint32_t hash = (uint32_t)(full >> 32);
  size_t at = full & (N_SLOTS - 1);
  for (; familiars->slots[at].number; at = (at + 1) & (N_SLOTS - 1)) {
    const uint32_t number = familiars->slots[at].number - 1;
    if (familiars->slots[at].hash != hash || !is_same(&familiars->items[number], raw)) continue;
    *hint = *recent = number + 1;
    return pack_number(familiars, pack, number);
  }
  (void)fl_pack_raw(pack, raw, is_cut);
  uint32_t *seen = &familiars->seen[(full >> 16) & (N_SEEN - 1)];
  const bool is_long = pack->n - start > FL_FAMILIAR_BYTES;
  if (*seen == hash && is_long && !pack->failed)
    keep(familiars, &familiars->slots[at], hash, raw,
         (fl_str){(const char *)pack->p + start, pack->n - start});
  *seen = hash;
  return 0;
}
