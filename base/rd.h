/* rd.h - the bounds-checked cursor: the only code that touches untrusted bytes.
 *
 * Reads past the end give 0 and set a sticky error; check fl_rd_ok once per structure, before
 * using any value. One read a statement: C does not fix the order inside an expression. */
#ifndef FL_BASE_RD_H
#define FL_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct fl_rd {
  const uint8_t *p; /* borrowed */
  size_t n, pos;
  bool failed;
} fl_rd;

static inline fl_rd fl_rd_of(const uint8_t *bytes, size_t n_bytes) {
  return (fl_rd){.p = bytes, .n = n_bytes};
}
static inline bool fl_rd_ok(const fl_rd *rd) { return !rd->failed; }
static inline size_t fl_rd_left(const fl_rd *rd) { return rd->n - rd->pos; }

/* The next n bytes, or NULL with the error set. */
static inline const uint8_t *fl_rd_bytes(fl_rd *rd, size_t n_bytes) {
  if (n_bytes > rd->n - rd->pos) {
    rd->failed = true;
    rd->pos = rd->n;
    return NULL;
  }
  const uint8_t *at = rd->p + rd->pos;
  rd->pos += n_bytes;
  return at;
}
static inline void fl_rd_skip(fl_rd *rd, size_t n_bytes) { (void)fl_rd_bytes(rd, n_bytes); }
static inline void fl_rd_seek(fl_rd *rd, size_t offset) {
  if (offset > rd->n) {
    rd->failed = true;
    rd->pos = rd->n;
  } else {
    rd->pos = offset;
  }
}
/* A cursor over the next n bytes that cannot see past them. */
static inline fl_rd fl_rd_sub(fl_rd *rd, size_t n_bytes) {
  const uint8_t *at = fl_rd_bytes(rd, n_bytes);
  return at ? fl_rd_of(at, n_bytes) : (fl_rd){.p = rd->p, .failed = true};
}
/* true when `count` items of at least `min_item` bytes can still follow. */
static inline bool fl_rd_fits(const fl_rd *rd, uint64_t count, size_t min_item) {
  return count <= fl_rd_left(rd) / (min_item ? min_item : 1);
}

#define FL_RD_NUMBER(name, type)                       \
  static inline type fl_rd_##name(fl_rd *rd) {         \
    type value = 0;                                    \
    const uint8_t *at = fl_rd_bytes(rd, sizeof value); \
    if (at) memcpy(&value, at, sizeof value);          \
    return value;                                      \
  }
/* Little endian, as every machine that we build for. */
FL_RD_NUMBER(u8, uint8_t)
FL_RD_NUMBER(u16, uint16_t)
FL_RD_NUMBER(u32, uint32_t)
FL_RD_NUMBER(u64, uint64_t)
#undef FL_RD_NUMBER

static inline uint16_t fl_le16(const uint8_t *p) {
  uint16_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline uint32_t fl_le32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline uint64_t fl_le64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the cursor reads little endian in place");

#endif
