/* collect.h - rows on their way into a timeline: packed by who read them, then sorted and spilled.
 *
 * A batch that is prepared (faultline/ingest.h) is packed by its reader and only taken over in its
 * turn; all others are packed when they come. Each reader has a packer of its own. */
#ifndef FL_TIMELINE_COLLECT_H
#define FL_TIMELINE_COLLECT_H

#include "base/pool.h"
#include "timeline/coverage.h"
#include "timeline/legend.h"
#include "timeline/pack_row.h"

/* What a reader made of one batch, or rows that were packed when they came. */
typedef struct fl_parcel {
  fl_run_part part;
  fl_survey survey;
  struct fl_parcel *next;
} fl_parcel;

typedef struct fl_collector {
  fl_runs runs;
  fl_row_packer *packers[FL_MAX_READERS]; /* made by their reader; the first is the caller's */
  fl_coverage_map *maps[FL_MAX_READERS];  /* of surveys */
  fl_parcel *open;                        /* rows that come unprepared; NULL: none */
  fl_parcel *held;                        /* whose bytes the runs need */
  fl_lock *lock;
  fl_parcel *spare; /* under the lock */
  fl_legend legend; /* once all rows were collected */
} fl_collector;

fl_status fl_collector_init(fl_collector *collector, size_t memory_bytes, const char *folder,
                            fl_err *err);
void fl_collector_done(fl_collector *collector);
/* By the reader. NULL in *ret_parcel: the batch takes too much room to be prepared. */
fl_status fl_collector_prepare(fl_collector *collector, unsigned reader, const fl_batch *batch,
                               fl_parcel **ret_parcel, fl_err *err);
/* Takes over the rows, not the survey: the parcel stays valid until the next call. */
fl_status fl_collector_take(fl_collector *collector, fl_parcel *parcel, uint64_t first_seq,
                            fl_err *err);
void fl_collector_drop(fl_collector *collector, fl_parcel *parcel);
void fl_collector_new_batch(fl_collector *collector);
fl_status fl_collector_add(fl_collector *collector, const fl_batch *batch, const fl_row *row,
                           fl_err *err);
/* The rows in memory should be spilled before more are added. */
bool fl_collector_is_full(const fl_collector *collector);
fl_status fl_collector_spill(fl_collector *collector, const uint32_t *ranks, fl_err *err);
/* Everything was collected: the rows can be asked for in order. */
fl_status fl_collector_merge(fl_collector *collector, const uint32_t *ranks, fl_err *err);

#endif
