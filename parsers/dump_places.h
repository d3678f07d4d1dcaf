/* dump_places.h - bytes of a dump that were read, on their way into the ledger. */
#ifndef FL_PARSERS_DUMP_PLACES_H
#define FL_PARSERS_DUMP_PLACES_H

#include "parsers/parser.h"

/* Streams may share bytes, and hostile ones overlap as they like: ranges are taken as they come
 * and told to the ledger without overlap, the earlier start first. */
typedef struct dump_places {
  fl_range *ranges;
  size_t n_ranges, cap_ranges;
} dump_places;

/* `reason` is a constant. What finds no room stays unknown in the ledger. */
void dump_places_add(dump_places *places, uint64_t offset, uint64_t length, fl_ledger_state state,
                     const char *reason);
/* Tells the ledger of the job, within the source. What nobody added is `rest`; NULL: unknown. */
void dump_places_tell(dump_places *places, fl_job *job, const char *rest);
void dump_places_drop(dump_places *places);

#endif
