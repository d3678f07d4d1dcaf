/* case_place.h - whose a state fact is that names no machine: the logs beside it tell.
 *
 * A bundle's path is read from the inside out: the name of the file, the logs in its folder, the
 * name of the folder, the logs in the folder around it, and so on to the whole case. The first that
 * names exactly one machine of the case decides. */
#ifndef FL_RULES_CASE_PLACE_H
#define FL_RULES_CASE_PLACE_H

#include "base/arena.h"
#include "faultline/case.h"

/* Which hosts the records of each source name. */
typedef struct fl_places fl_places;
fl_status fl_places_create(fl_places **ret_places, fl_err *err);
void fl_places_free(fl_places *places);
/* Every row, before any is left out. */
fl_status fl_places_batch(fl_places *places, const fl_batch *batch, fl_err *err);

/* The host as the logs write it; empty when none or several are meant. `ret_among` says then which
 * ones, for a note; empty = none at all. */
fl_str fl_places_host(const fl_places *places, const fl_source_info *sources, size_t n_sources,
                      uint32_t source, fl_arena *arena, fl_str *ret_among);

#endif
