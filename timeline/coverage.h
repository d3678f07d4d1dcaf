/* coverage.h - what is collected of each host and channel until coverage is settled. */
#ifndef FL_TIMELINE_COVERAGE_H
#define FL_TIMELINE_COVERAGE_H

#include "faultline/case.h"
#include "faultline/timeline.h"
#include "timeline/pack.h"

/* Record ids first…last were seen without a gap; times are those of its records, INT64_MAX and
 * INT64_MIN when none has one. */
typedef struct fl_id_run {
  uint64_t first, last;
  fl_time t_first, t_last;
} fl_id_run;

typedef struct fl_channel {
  fl_str host, channel;
  uint64_t hash;
  uint64_t n_events;
  fl_time first, last;     /* INT64_MAX, INT64_MIN: none */
  fl_time cleared;         /* 0: never */
  uint64_t id_min, id_max; /* when n_runs > 0 */
  fl_id_run *runs;
  size_t n_runs, cap_runs;
  size_t newest;        /* the run that the last record extended */
  uint64_t n_forgotten; /* ids in runs that were given up for lack of room */
  fl_span *holes;       /* of damage, then of everything */
  size_t n_holes, cap_holes;
} fl_channel;

/* Records of one channel in one stretch of a source's bytes. */
typedef struct fl_stretch {
  uint64_t at; /* offset >> shift */
  fl_time t_first, t_last;
} fl_stretch;

/* Where the records of one channel lie in one source. */
typedef struct fl_placing {
  uint32_t source, channel;
  unsigned shift;
  fl_stretch *stretches;
  size_t n_stretches, cap_stretches;
} fl_placing;

/* Sorts, merges and bounds runs; ids in what it gives up count as missing time, never as covered.
 */
void fl_channel_settle(fl_channel *channel, size_t max_runs);
bool fl_channel_add_hole(fl_channel *channel, fl_time start, fl_time end);
/* Damage at bytes [offset, offset + length) of the placing's source. */
bool fl_channel_damage(fl_channel *channel, const fl_placing *placing, const fl_range *range);
void fl_placing_sort(fl_placing *placing);
/* Gaps become holes, the ends are set; `host_last` is the host's newest record. */
fl_status fl_channel_solve(fl_channel *channel, fl_time host_last, fl_coverage *ret_coverage,
                           fl_err *err);

#endif
