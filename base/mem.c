/* mem.c - growth by doubling. */
#include "base/mem.h"

#include <string.h>

bool fl_grow(void **items, size_t *cap, size_t n_needed, size_t item_bytes) {
  if (n_needed <= *cap) return true;
  size_t n = *cap ? *cap : 8;
  while (n < n_needed) {
    if (n > SIZE_MAX / 2) return false;
    n *= 2;
  }
  if (item_bytes != 0 && n > SIZE_MAX / 2 / item_bytes) return false;
  void *grown = realloc(*items, n * item_bytes);
  if (!grown) return false;
  *items = grown;
  *cap = n;
  return true;
}

bool fl_grow_zeroed(void **items, size_t *cap, size_t n_needed, size_t item_bytes) {
  const size_t had = *cap;
  if (!fl_grow(items, cap, n_needed, item_bytes)) return false;
  if (*cap > had) memset((char *)*items + had * item_bytes, 0, (*cap - had) * item_bytes);
  return true;
}
