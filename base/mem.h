/* mem.h - growth by doubling. */
#ifndef FL_BASE_MEM_H
#define FL_BASE_MEM_H

#include <stdlib.h>

#include "faultline/core.h"

/* Makes room for n_needed items of `item_bytes`; *items and *cap change only on success. */
bool fl_grow(void **items, size_t *cap, size_t n_needed, size_t item_bytes);

/* The same; new items are zero. */
bool fl_grow_zeroed(void **items, size_t *cap, size_t n_needed, size_t item_bytes);

#endif
