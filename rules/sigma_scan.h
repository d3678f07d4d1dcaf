/* sigma_scan.h - many literals searched in one pass over a text.
 *
 * Literals that may stand anywhere are found by one rare run of four bytes of each; what must stand
 * at an end, or be the whole, by a hash of it. */
#ifndef FL_RULES_SIGMA_SCAN_H
#define FL_RULES_SIGMA_SCAN_H

#include "rules/sigma.h"

typedef struct fl_sigma_literal {
  fl_str text; /* outlives the scan; not empty, and at least two bytes for CONTAINS */
  uint32_t id;
  uint8_t op; /* FL_SIGMA_EQ to FL_SIGMA_CONTAINS */
} fl_sigma_literal;

/* What was found in one event: each id once. `seen` and `ids` have a place for every id. */
typedef struct fl_sigma_finds {
  uint32_t *seen, *ids;
  uint32_t epoch;
  size_t n;
} fl_sigma_finds;

typedef struct fl_sigma_scan fl_sigma_scan;
/* NULL = no memory. */
fl_sigma_scan *fl_sigma_scan_create(const fl_sigma_literal *literals, size_t n, fl_arena *arena);
void fl_sigma_scan_text(const fl_sigma_scan *scan, const uint8_t *text, size_t n,
                        fl_sigma_finds *finds);

#endif
