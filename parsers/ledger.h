/* ledger.h - where each byte of one source went, and the proof that none is counted twice. */
#ifndef FL_PARSERS_LEDGER_H
#define FL_PARSERS_LEDGER_H

#include "base/arena.h"
#include "faultline/ingest.h"

/* Owned by whoever holds it; reasons lie in the arena given with them. */
typedef struct fl_ledger {
  fl_range *ranges;
  size_t n_ranges, cap_ranges;
  bool is_short_of_memory;
} fl_ledger;

/* Ranges may come in any order. Empty ones are ignored. Beyond FL_LIMIT_LEDGER_RANGES one range
 * takes what follows. */
void fl_ledger_add(fl_ledger *ledger, fl_range range, fl_arena *arena);
/* Sorts, merges equal neighbours and fills gaps with `rest`. FL_E_INTERNAL when two ranges overlap
 * or one leaves the source. */
fl_status fl_ledger_finish(fl_ledger *ledger, uint64_t size_bytes, fl_range rest, fl_err *err);
void fl_ledger_free(fl_ledger *ledger);

#endif
