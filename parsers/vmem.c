/* vmem.c - ranges by address. */
#include "parsers/vmem.h"

#include <stdlib.h>

static int compare(const void *left, const void *right) {
  const fl_extent *a = left, *b = right;
  if (a->address != b->address) return a->address < b->address ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* What begins inside another range loses the part that the other one has. */
void fl_vmem_sort(fl_vmem *memory) {
  if (memory->n_ranges == 0) return;
  qsort(memory->ranges, memory->n_ranges, sizeof *memory->ranges, compare);
  size_t n = 1;
  for (size_t i = 1; i < memory->n_ranges; i++) {
    const fl_extent *last = &memory->ranges[n - 1];
    fl_extent range = memory->ranges[i];
    const uint64_t into = range.address - last->address;
    if (into < last->n_bytes) {
      const uint64_t shared = last->n_bytes - into;
      if (shared >= range.n_bytes) continue;
      range.address += shared;
      range.offset += shared;
      range.n_bytes -= shared;
    }
    memory->ranges[n++] = range;
  }
  memory->n_ranges = n;
}

const fl_extent *fl_vmem_find(const fl_vmem *memory, uint64_t address) {
  size_t low = 0, high = memory->n_ranges;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (memory->ranges[middle].address <= address) low = middle + 1;
    else high = middle;
  }
  if (low == 0) return NULL;
  const fl_extent *range = &memory->ranges[low - 1];
  return address - range->address < range->n_bytes ? range : NULL;
}

const uint8_t *fl_vmem_bytes(const fl_vmem *memory, fl_window *window, uint64_t address,
                             size_t n_bytes) {
  const fl_extent *range = fl_vmem_find(memory, address);
  if (!range || n_bytes > range->n_bytes - (address - range->address)) return NULL;
  return fl_window_bytes(window, range->offset + (address - range->address), n_bytes);
}
