/* vmem.h - which bytes of a dump hold which addresses. */
#ifndef FL_PARSERS_VMEM_H
#define FL_PARSERS_VMEM_H

#include "parsers/window.h"

typedef struct fl_extent {
  uint64_t address, n_bytes, offset; /* offset: in the source */
} fl_extent;

/* Sorted by address and without overlap once `fl_vmem_sort` was called. */
typedef struct fl_vmem {
  fl_extent *ranges;
  size_t n_ranges, cap_ranges;
} fl_vmem;

void fl_vmem_sort(fl_vmem *memory);
/* The range that holds the address; NULL: it is not in the dump. */
const fl_extent *fl_vmem_find(const fl_vmem *memory, uint64_t address);
/* Bytes at an address that lie in one range and one window. */
const uint8_t *fl_vmem_bytes(const fl_vmem *memory, fl_window *window, uint64_t address,
                             size_t n_bytes);

#endif
