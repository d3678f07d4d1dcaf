/* familiar.h - values that come again in row after row: packed once, named by number in rows.
 *
 * Names, SIDs, GUIDs and whole sentences repeat by the thousand. A row that holds their number is
 * a tenth as long, and a block that meets the number knows the text without looking at it. */
#ifndef FL_TIMELINE_FAMILIAR_H
#define FL_TIMELINE_FAMILIAR_H

#include "timeline/pack.h"

typedef struct fl_familiar {
  const uint8_t *raw, *packed;
  uint32_t head; /* fl_raw_head of the raw value */
  uint32_t n_packed;
} fl_familiar;

typedef struct fl_familiar_slot {
  uint32_t hash;   /* its upper half */
  uint32_t number; /* + 1; 0: free */
} fl_familiar_slot;

typedef struct fl_familiars {
  fl_arena *arena; /* raw and packed bytes, which stay where they are */
  fl_familiar *items;
  size_t n_items, cap_items;
  fl_familiar_slot *slots; /* open addressing */
  uint32_t *seen;          /* hashes of values that were met once */
  uint32_t *recent;        /* number + 1 of what was found last, by the ends of the value */
} fl_familiars;

/* The private form of a reference: a byte that msgpack never uses, the number. */
enum { FL_FAMILIAR_TAG = 0xc1, FL_FAMILIAR_BYTES = 4 };

fl_status fl_familiars_init(fl_familiars *familiars, fl_err *err);
void fl_familiars_done(fl_familiars *familiars);
/* Appends a single value: its number once it was met before, else itself. Returns how many bytes
 * the number is shorter than the value. `hint` is the number + 1 of the last value in the same
 * place of a like row, which often is the same. */
size_t fl_familiars_pack(fl_familiars *familiars, fl_pack *pack, fl_raw raw, uint32_t *hint,
                         bool *is_cut);

static inline uint32_t fl_familiar_number(const uint8_t *p) {
  return p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16;
}
/* The packed value at *at, which moves behind it. */
static inline fl_str fl_familiars_take(const fl_familiars *familiars, const uint8_t **at) {
  const uint8_t *p = *at;
  if (*p == FL_FAMILIAR_TAG) {
    const fl_familiar *familiar = &familiars->items[fl_familiar_number(p)];
    *at += FL_FAMILIAR_BYTES;
    return (fl_str){(const char *)familiar->packed, familiar->n_packed};
  }
  const size_t n = fl_pack_length(p);
  *at += n;
  return (fl_str){(const char *)p, n};
}

#endif
