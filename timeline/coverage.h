/* coverage.h - what is collected of each host and channel until coverage is settled. */
#ifndef FL_TIMELINE_COVERAGE_H
#define FL_TIMELINE_COVERAGE_H

#include "faultline/case.h"
#include "faultline/timeline.h"
#include "timeline/pack.h"

/* Record ids first…last of one source were seen without a gap. Times that no record has are
 * INT64_MAX where the first or least is asked for, and INT64_MIN where the last or greatest is. */
typedef struct fl_id_run {
  uint64_t first, last;
  uint64_t header_first, header_last; /* what the headers of those two records say */
  uint64_t offset_first, offset_end;  /* of the first, and behind the last one */
  fl_time t_least, t_greatest;
  fl_time t_first, t_last; /* of those two records */
} fl_id_run;

/* A record that says that a log was cleared. */
typedef struct fl_clear {
  fl_time t;
  uint32_t source;
  uint64_t offset, record_id;
  fl_str user;
} fl_clear;

typedef struct fl_channel {
  fl_str host, channel;
  uint64_t hash;
  uint64_t n_events;
  fl_time first, last; /* INT64_MAX, INT64_MIN: none */
  fl_time cleared;     /* 0: never */
  fl_clear *clears;
  size_t n_clears, cap_clears, n_clears_dropped;
  bool is_cut;             /* a source of it ends before its time */
  uint64_t id_min, id_max; /* when n_runs > 0 */
  fl_id_run *runs;         /* of all its sources, when solved */
  size_t n_runs, cap_runs;
  uint64_t n_forgotten; /* ids in runs that were given up for lack of room */
  uint32_t surveyed;    /* in a reader's map: its place in the last survey that had it, + 1 */
  fl_span *holes;       /* of damage, then of everything */
  size_t n_holes, cap_holes;
} fl_channel;

/* A step back in time from one record to the one that bears the next id. */
typedef struct fl_step_back {
  uint64_t id, offset; /* of the second record */
  fl_time from, to;
} fl_step_back;

/* Record ids that one source holds more than once. */
typedef struct fl_repeat {
  uint64_t first, last, n;
  uint64_t offset; /* of the repeated record with the least id */
  fl_time t;
} fl_repeat;

/* Records of one channel in one stretch of a source's bytes. */
typedef struct fl_stretch {
  uint64_t at; /* offset >> shift */
  fl_time t_first, t_last;
} fl_stretch;

/* Where the records of one channel lie in one source, and which ids they bear. */
typedef struct fl_placing {
  uint32_t source, channel; /* channel: index + 1 */
  unsigned shift;
  fl_stretch *stretches;
  size_t n_stretches, cap_stretches;
  fl_id_run *runs;
  size_t n_runs, cap_runs;
  size_t newest; /* the run that the last record extended */
  uint64_t n_forgotten;
  fl_repeat repeat;
  fl_step_back *steps; /* the widest, at most FL_LIMIT_GAPS_ALIKE */
  size_t n_steps, cap_steps;
  uint64_t n_steps_dropped;
} fl_placing;

/* A damaged range of a source. */
typedef struct fl_damage {
  uint32_t source;
  uint64_t offset, length;
  uint64_t n_more, bytes_more; /* ranges behind it that this one stands for */
  fl_str reason;
  uint32_t channel;  /* index + 1 of the one whose records are next to it */
  uint64_t nearest;  /* where those end */
  fl_time from, to;  /* of its neighbours; INT64_MIN, INT64_MAX: none */
  uint64_t n_before; /* damaged bytes of all sources in front of it, when sorted */
} fl_damage;

/* The clock of a host was set. */
typedef struct fl_clock_change {
  uint32_t channel;        /* index + 1: tells the host */
  fl_time least, greatest; /* the clock was set from one to the other */
  uint64_t record_id;
} fl_clock_change;

enum { FL_RAW_NAME_MAX = 256 }; /* longer ones are looked up each time */

/* What coverage needs of a row. */
typedef struct fl_covered {
  fl_time t;
  uint64_t id, header_record_id, offset;
  uint32_t length, flags;
  uint32_t channel; /* index + 1: of the map, or of the survey */
  uint32_t row;     /* of the batch */
  bool may_tell;    /* what else it says is read in its turn */
} fl_covered;

/* The rows of one batch, looked at by a reader with a map of its own, which only finds channels.
 * The names are the map's. */
typedef struct fl_surveyed {
  fl_str host, name;
  uint32_t channel; /* of the map that takes it; 0: not looked up yet */
} fl_surveyed;
typedef struct fl_survey {
  fl_covered *rows;
  size_t n_rows, cap_rows;
  fl_surveyed *channels;
  size_t n_channels, cap_channels;
} fl_survey;
void fl_survey_done(fl_survey *survey);
fl_status fl_coverage_survey(fl_coverage_map *map, const fl_batch *batch, fl_survey *survey,
                             fl_err *err);
/* As fl_coverage_batch, for a batch that a reader surveyed. */
fl_status fl_coverage_take(fl_coverage_map *map, const fl_batch *batch, fl_survey *survey,
                           fl_err *err);

/* What a shape says about all of its rows. */
typedef struct fl_shape_plan {
  bool is_known, is_fixed, may_tell;
  uint32_t channel; /* + 1, when host and channel are constant */
} fl_shape_plan;

/* A name as its record holds it: most records bear the names of the one before. */
typedef struct fl_raw_name {
  uint8_t type;
  uint32_t n;
  uint8_t bytes[FL_RAW_NAME_MAX];
} fl_raw_name;

struct fl_coverage_map {
  fl_arena *arena;
  fl_channel *channels;
  size_t n_channels, cap_channels;
  uint32_t *channel_slots;
  fl_placing *placings;
  size_t n_placings, cap_placings;
  uint32_t *placing_slots;
  size_t n_runs, n_stretches; /* in all */
  fl_shape_plan *plans;       /* by serial of cached shapes */
  size_t cap_plans;
  const fl_shape *last_shape; /* within one batch */
  fl_shape_plan last_plan;
  uint32_t last_placing; /* + 1 */
  fl_raw_name last_host, last_name;
  uint32_t last_channel; /* of those two */
  fl_pack host_text, channel_text;
  fl_damage *damages;
  size_t n_damages, cap_damages;
  fl_clock_change *changes;
  size_t n_changes, cap_changes;
  uint64_t n_changes_dropped;
  fl_coverage *list;
  fl_gap *gaps;
  size_t n_gaps, cap_gaps, n_gaps_dropped;
};

/* coverage.c */
enum { FL_NO_CHANNEL = 0 }; /* neither a channel nor a placing; else index + 1 */
uint32_t fl_coverage_channel(fl_coverage_map *map, fl_str host, fl_str channel);
/* Text of a name; empty for what is no text. Valid until `scratch` is used again. */
fl_str fl_coverage_text(fl_raw raw, fl_pack *scratch);

/* coverage_told.c: records in which a machine speaks about its logs and its clock. */
bool fl_coverage_may_tell(fl_coverage_map *map, fl_raw provider);
bool fl_coverage_tells(const fl_batch *batch, const fl_row *row); /* by its event id */
bool fl_coverage_told(fl_coverage_map *map, uint32_t channel, const fl_batch *batch,
                      const fl_row *row, fl_time before);

/* Sorts and merges runs; returns how many are left. `placing`: notes what repeats and what steps
 * back in time; NULL: the runs are of several sources. */
size_t fl_runs_settle(fl_id_run *runs, size_t n, fl_placing *placing);
/* The same for one placing, which keeps its longest `max_runs`. */
void fl_placing_settle(fl_placing *placing, size_t max_runs);
void fl_placing_repeat(fl_placing *placing, fl_repeat repeat);
bool fl_placing_step(fl_placing *placing, fl_step_back step);
bool fl_channel_add_hole(fl_channel *channel, fl_time start, fl_time end);
/* coverage_damage.c: stretches in the order of their bytes. */
void fl_placing_sort(fl_placing *placing);
/* The runs of a placing join those of its channel. */
bool fl_channel_gather(fl_channel *channel, const fl_placing *placing);
/* Gaps become holes, the ends are set; `host_last` is the host's newest record. */
fl_status fl_channel_solve(fl_channel *channel, fl_time host_last, fl_coverage *ret_coverage,
                           fl_err *err);

size_t fl_coverage_gaps_dropped(const fl_coverage_map *map); /* by the limit of the last list */
/* gap_find.c: fills map->gaps. The map is settled. */
fl_status fl_gaps_find(fl_coverage_map *map, fl_err *err);
bool fl_gaps_add(fl_coverage_map *map, const fl_gap *gap);
/* gap_log.c: gaps between the ids of each log. */
fl_status fl_gaps_of_logs(fl_coverage_map *map, fl_err *err);
/* gap_row.c: gaps as batches of rows, each of one source. */
fl_status fl_gap_rows(const fl_gap *gaps, size_t n, const fl_sink *sink, fl_err *err);

/* coverage_pack.c: one map. */
struct fl_coverage;
void fl_pack_coverage(fl_pack *pack, const struct fl_coverage *coverage);

#endif
