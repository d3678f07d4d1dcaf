/* timeline.h - order and storage of events: the .fltl file (docs/formats/timeline.md). */
#ifndef FAULTLINE_TIMELINE_H
#define FAULTLINE_TIMELINE_H

#include "faultline/ingest.h"

/* Writes one ordered timeline. A sink: takes rows in any order, spills sorted runs to nameless
 * temporary files when they outgrow `memory_bytes`, and merges them when finished. Order: time,
 * then source name, then sequence. */
typedef struct fl_timeline_writer fl_timeline_writer;
typedef struct fl_timeline_options {
  size_t memory_bytes;          /* 0 = default */
  int level;                    /* zlib level, 0 = default (1) */
  fl_str run;                   /* identity of the run, "" = none */
  fl_time since, until;         /* 0 = open; rows outside are left out */
  const char *temporary_folder; /* NULL = /tmp */
  unsigned n_jobs;              /* 0 = number of processors; the bytes do not depend on it */
  bool is_filtered;             /* rows are chosen before: fl_timeline_writer_watch sees them all */
} fl_timeline_options;
FL_API fl_status fl_timeline_writer_create(fl_out *out, const fl_timeline_options *options,
                                           fl_timeline_writer **ret_writer, fl_err *err);
FL_API void fl_timeline_writer_free(fl_timeline_writer *writer);
FL_API fl_sink fl_timeline_writer_sink(fl_timeline_writer *writer);
/* With `is_filtered`: to be given every batch as it was read, for coverage and gaps. */
FL_API fl_status fl_timeline_writer_watch(fl_timeline_writer *writer, const fl_batch *batch,
                                          fl_err *err);
/* Gives the gaps of all logs as rows to `sink`, which leads back to the writer. */
FL_API fl_status fl_timeline_writer_gaps(fl_timeline_writer *writer, const fl_sink *sink,
                                         fl_err *err);
/* Which rules matched which records; borrowed until the writer is freed. Goes into the column
 * `rules`, in place of what rows that come from a timeline have there. */
FL_API void fl_timeline_writer_tag(fl_timeline_writer *writer, const fl_tags *tags);
FL_API fl_status fl_timeline_writer_finish(fl_timeline_writer *writer, uint64_t *ret_n_events,
                                           fl_err *err);

/* Reads one timeline; a file without a valid trailer is read to its last whole block and says so
 * in a note. The reader is a producer like ingest: it gives sources, notes and batches to a sink.
 * Nothing reaches msgpack-c before it was validated. */
typedef struct fl_timeline_reader fl_timeline_reader;
FL_API bool fl_timeline_probe(const uint8_t *head, size_t n_head);
FL_API fl_status fl_timeline_open(const char *path, fl_timeline_reader **ret_reader, fl_err *err);
FL_API fl_status fl_timeline_open_memory(const uint8_t *bytes, size_t n_bytes,
                                         fl_timeline_reader **ret_reader, fl_err *err);
FL_API void fl_timeline_close(fl_timeline_reader *reader);
/* Blocks outside [since, until] are not inflated; 0 = open. */
FL_API fl_status fl_timeline_read(fl_timeline_reader *reader, fl_time since, fl_time until,
                                  const fl_sink *sink, fl_ingest_totals *ret_totals, fl_err *err);

/* What the records of each host and channel cover, fed with every row before any is skipped.
 * `fl_coverage` in case.h is its result. */
struct fl_coverage;
typedef struct fl_coverage_map fl_coverage_map;
FL_API fl_status fl_coverage_create(fl_coverage_map **ret_map, fl_err *err);
FL_API void fl_coverage_free(fl_coverage_map *map);
FL_API fl_status fl_coverage_batch(fl_coverage_map *map, const fl_batch *batch, fl_err *err);
/* Damage in a source is a hole in the channels that it holds. */
FL_API fl_status fl_coverage_source(fl_coverage_map *map, const fl_source_info *source,
                                    fl_err *err);
/* Sorted by host, channel; owned by the map. */
FL_API fl_status fl_coverage_finish(fl_coverage_map *map, const struct fl_coverage **ret_list,
                                    size_t *ret_n, fl_err *err);

/* What is missing, doubled or out of order in the records of a log. */
typedef enum fl_gap_kind {
  FL_GAP_MISSING,     /* record ids that no record bears */
  FL_GAP_FILTERED,    /* the same, in a file whose own numbering goes on: left out, not lost */
  FL_GAP_REPEATED,    /* record ids that more than one record bears */
  FL_GAP_CLEARED,     /* a record says that the log was cleared */
  FL_GAP_TIME_BACK,   /* a record is older than the one in front of it */
  FL_GAP_OVERWRITTEN, /* the log does not begin with record 1, and nothing says why */
  FL_GAP_DAMAGED      /* bytes that hold no record */
} fl_gap_kind;
enum { FL_N_GAP_KINDS = 7 };

/* One gap, or all gaps of one kind and log where there are many. Strings are the map's. */
typedef struct fl_gap {
  fl_gap_kind kind;
  fl_str host, channel;
  uint32_t source;
  uint64_t offset;         /* where it begins: behind the last record in front of it */
  uint64_t length;         /* bytes; 0 but for damage */
  fl_time before, after;   /* times of the records around it; INT64_MIN, INT64_MAX: none */
  uint64_t first, last, n; /* record ids: the least, the greatest, how many */
  uint64_t n_places;       /* how many gaps this one stands for */
  const char *reason;      /* static text, "" for none */
  fl_str detail;           /* who cleared the log; what is damaged */
  uint64_t witness;        /* the record that says so; 0: none */
} fl_gap;
/* In the order of time; owned by the map. To be asked for when everything was fed. */
FL_API fl_status fl_coverage_gaps(fl_coverage_map *map, const fl_gap **ret_gaps, size_t *ret_n,
                                  fl_err *err);
/* The event that stands for a gap: kind, data, message, flags `gap` and `synthetic`. */
FL_API fl_status fl_gap_event(const fl_gap *gap, fl_arena *arena, fl_event *ret_event, fl_err *err);
/* FL_TRUE: all of [from, to] is covered; FL_FALSE: the channel is there but not for all of it;
 * FL_UNKNOWN: the channel is not in the case. (fl_truth of case.h) */
FL_API int fl_coverage_covers(const struct fl_coverage *list, size_t n, fl_str host, fl_str channel,
                              fl_time from, fl_time to);

#endif
