/* mem.h - growth by doubling. */
#ifndef FL_BASE_MEM_H
#define FL_BASE_MEM_H

#include <stdlib.h>
#include <string.h>

#include "faultline/core.h"

/* Makes room for n_needed items of `item_bytes`; *items and *cap change only on success. */
bool fl_grow(void **items, size_t *cap, size_t n_needed, size_t item_bytes);

/* The same; new items are zero. */
bool fl_grow_zeroed(void **items, size_t *cap, size_t n_needed, size_t item_bytes);

/* memcmp for what is short nearly always: eight bytes at a time, the last ones some of them again.
 */
static inline bool fl_bytes_are_equal(const uint8_t *a, const uint8_t *b, size_t n) {
  uint64_t left = 0, right = 0;
  if (n > 64) return memcmp(a, b, n) == 0;
  if (n >= 8) {
    for (size_t i = 0; i + 8 < n; i += 8) {
      memcpy(&left, a + i, 8);
      memcpy(&right, b + i, 8);
      if (left != right) return false;
    }
    memcpy(&left, a + n - 8, 8);
    memcpy(&right, b + n - 8, 8);
    return left == right;
  }
  if (n >= 4) {
    uint32_t first[2], last[2];
    memcpy(&first[0], a, 4);
    memcpy(&first[1], b, 4);
    memcpy(&last[0], a + n - 4, 4);
    memcpy(&last[1], b + n - 4, 4);
    return first[0] == first[1] && last[0] == last[1];
  }
  return n == 0 || (a[0] == b[0] && a[n - 1] == b[n - 1] && a[n / 2] == b[n / 2]);
}

#endif
