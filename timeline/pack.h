/* pack.h - a growing buffer that msgpack-c packs into, and row values as msgpack. */
#ifndef FL_TIMELINE_PACK_H
#define FL_TIMELINE_PACK_H

#include <string.h>

#include "faultline/event.h"

/* Owned bytes; a failed allocation sticks and is checked once, at the end of a unit of work. */
typedef struct fl_pack {
  uint8_t *p;
  size_t n, cap;
  bool failed;
} fl_pack;

void fl_pack_free(fl_pack *pack);
/* Room for n_bytes at pack->p + pack->n, or NULL. */
uint8_t *fl_pack_room(fl_pack *pack, size_t n_bytes);
void fl_pack_bytes(fl_pack *pack, const void *bytes, size_t n_bytes);

/* msgpack objects, always in their shortest form. */
void fl_pack_nil(fl_pack *pack);
void fl_pack_bool(fl_pack *pack, bool boolean);
void fl_pack_u64(fl_pack *pack, uint64_t number);
void fl_pack_i64(fl_pack *pack, int64_t number);
void fl_pack_f64(fl_pack *pack, double number);
void fl_pack_array(fl_pack *pack, size_t n_items);
void fl_pack_map(fl_pack *pack, size_t n_pairs);
void fl_pack_str(fl_pack *pack, fl_str text); /* bytes that are no UTF-8 become U+FFFD */
void fl_pack_key(fl_pack *pack, const char *key);
void fl_pack_bin(fl_pack *pack, const uint8_t *bytes, size_t n_bytes);

/* Values of a row, as fl_raw_decode and fl_row_field would give them. Return how many msgpack
 * values were written (items of lists count). `is_cut` is set where a limit cut the value. */
size_t fl_pack_raw(fl_pack *pack, fl_raw raw, bool *is_cut);
size_t fl_pack_field(fl_pack *pack, const fl_batch *batch, const fl_row *row,
                     const fl_shape_field *field, bool *is_cut);

/* Where numbers come by the thousand: one into room for FL_PACK_NUMBER_MAX bytes; returns its end.
 */
enum { FL_PACK_NUMBER_MAX = 9 };
static inline uint8_t *fl_pack_put_u64(uint8_t *to, uint64_t number) {
  if (number < 128) {
    *to = (uint8_t)number;
    return to + 1;
  }
  /* 8, 16, 32 or 64 bits: that many times the first width is doubled */
  const unsigned size =
      (unsigned)((number > UINT8_MAX) + (number > UINT16_MAX) + (number > UINT32_MAX));
  const uint64_t big_endian = __builtin_bswap64(number << (64 - (8u << size)));
  *to = (uint8_t)(0xcc + size);
  memcpy(to + 1, &big_endian, sizeof big_endian);
  return to + 1 + (1u << size);
}

/* Length of the packed value at p; for bytes that we packed ourselves only. */
size_t fl_pack_length(const uint8_t *p);

#endif
