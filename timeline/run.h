/* run.h - rows on their way into order: collected, sorted, spilled and merged in bounded memory. */
#ifndef FL_TIMELINE_RUN_H
#define FL_TIMELINE_RUN_H

#include "timeline/pack.h"

/* A row in our own private form: this head, the plan's blob when it is inline (u32 length, bytes),
 * then packed values or their numbers: columns that are not constant, in order, the kind, the data
 * fields. Without padding: heads go to the file as they are. */
typedef struct fl_row_head {
  fl_time t, t_written;
  uint64_t seq, offset, header_record_id;
  uint32_t source, length, flags;
  uint32_t plan;       /* index of its fl_plan */
  uint32_t n_bytes;    /* that follow the head */
  uint32_t n_values;   /* packed values in all */
  uint32_t is_same_id; /* header_record_id is the record id, or 0 when there is none */
  uint32_t n_saved;    /* bytes that the values are longer without numbers (familiar.h) */
} fl_row_head;

typedef struct fl_run_entry {
  fl_time t;
  uint64_t seq, at; /* at: position in the row buffer */
  uint32_t source, rank;
} fl_run_entry;

/* One sorted run in the temporary file, read through its own buffer when merged. */
typedef struct fl_run {
  uint64_t at, end; /* next byte to read, end, in the file */
  uint8_t *p;
  size_t n, pos, cap;
  fl_row_head head;
} fl_run;

typedef struct fl_runs {
  size_t memory_bytes;
  fl_pack rows;
  fl_run_entry *entries;
  size_t n_entries, cap_entries;
  int fd, open_errno; /* the temporary file, open from the start; -1 with the reason */
  uint64_t file_bytes;
  fl_run *runs;
  size_t n_runs, cap_runs;
  /* the merge */
  const uint32_t *ranks;
  size_t next_entry;
  size_t *heap; /* indices of runs; n_runs means the rows in memory */
  size_t n_heap;
  bool has_root; /* the root was given out and is stepped over by the next call */
} fl_runs;

/* `folder` is for the temporary file; NULL = /tmp. */
void fl_runs_init(fl_runs *runs, size_t memory_bytes, const char *folder);
void fl_runs_done(fl_runs *runs);
/* A row was appended to runs->rows at `at`. */
fl_status fl_runs_add(fl_runs *runs, uint64_t at, const fl_row_head *head, fl_err *err);
bool fl_runs_are_full(const fl_runs *runs);
/* ranks[source]: order of source names. */
fl_status fl_runs_spill(fl_runs *runs, const uint32_t *ranks, fl_err *err);
fl_status fl_runs_merge(fl_runs *runs, const uint32_t *ranks, fl_err *err);
/* The next row in order: its head and the bytes that follow, valid until the next call. FL_END
 * after the last. */
fl_status fl_runs_next(fl_runs *runs, fl_row_head *ret_head, const uint8_t **ret_bytes,
                       fl_err *err);

#endif
