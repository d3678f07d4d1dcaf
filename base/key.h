/* key.h - values as bytes: keys of small tables that remember what came of equal values.
 *
 * A value in a key: its head (fl_raw_head), then its bytes. A row is compared with a key in place;
 * only what is remembered is copied into one. */
#ifndef FL_BASE_KEY_H
#define FL_BASE_KEY_H

#include "base/hash.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/rd.h"

/* Appends the value to a key of n bytes. Returns the key's length; 0 when `cap` has no room. */
static inline size_t fl_key_put(uint8_t *key, size_t n, size_t cap, fl_raw raw) {
  const uint32_t head = fl_raw_head(raw);
  if (cap - n < sizeof head || cap - n - sizeof head < raw.n) return 0;
  memcpy(key + n, &head, sizeof head);
  if (raw.n) memcpy(key + n + sizeof head, raw.p, raw.n);
  return n + sizeof head + raw.n;
}

/* Whether the value of a key at *at, which moves behind it, is this one. */
static inline bool fl_key_has(const uint8_t **at, fl_raw raw) {
  const uint8_t *p = *at;
  *at += sizeof(uint32_t) + raw.n;
  return fl_le32(p) == fl_raw_head(raw) && fl_bytes_are_equal(p + sizeof(uint32_t), raw.p, raw.n);
}

/* A quick hash of the value's ends, for tables in which a place has one key; its upper bits count.
 */
static inline uint64_t fl_key_mix(uint64_t hash, fl_raw raw) {
  uint64_t first = 0, last = 0;
  if (raw.n >= 8) {
    first = fl_le64(raw.p);
    last = fl_le64(raw.p + raw.n - 8);
  } else if (raw.n >= 4) {
    first = fl_le32(raw.p);
    last = fl_le32(raw.p + raw.n - 4);
  } else if (raw.n) {
    first = (uint64_t)raw.p[0] << 8 | raw.p[raw.n - 1];
    last = raw.p[raw.n / 2];
  }
  return fl_hash_mix(fl_hash_mix(hash, first ^ fl_raw_head(raw)), last);
}

#endif
