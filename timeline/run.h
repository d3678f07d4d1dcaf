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
  uint16_t packer;     /* who packed it: its plan and its familiar values are that one's */
  uint16_t is_same_id; /* header_record_id is the record id, or 0 when there is none */
  uint32_t n_saved;    /* bytes that the values are longer without numbers (familiar.h) */
} fl_row_head;

typedef struct fl_run_entry {
  fl_time t;
  uint64_t seq;
  union {
    size_t at; /* in its part's bytes, while those may move */
    const uint8_t *p;
  } row;
  uint32_t source, rank;
} fl_run_entry;

/* Rows that were packed one after the other by one packer. */
typedef struct fl_run_part {
  fl_pack rows;
  fl_run_entry *entries;
  size_t n_entries, cap_entries;
} fl_run_part;
void fl_run_part_done(fl_run_part *part);
/* A row was appended to part->rows at `at`. */
fl_status fl_run_part_add(fl_run_part *part, size_t at, const fl_row_head *head, fl_err *err);
/* By time and number, which is the order of the rows of one source. */
void fl_run_part_sort(fl_run_part *part);
static inline size_t fl_run_part_bytes(const fl_run_part *part) {
  return part->rows.n + part->n_entries * sizeof *part->entries;
}

/* One sorted run in the temporary file, read through its own buffer when merged. */
typedef struct fl_run {
  uint64_t at, end; /* next byte to read, end, in the file */
  uint8_t *p;
  size_t n, pos, cap;
  fl_row_head head;
} fl_run;

typedef struct fl_runs {
  size_t memory_bytes, n_bytes; /* n_bytes: of the rows in memory, entries included */
  fl_run_entry *entries;
  size_t n_entries, cap_entries;
  fl_run_entry *sorted; /* room to sort the entries */
  size_t cap_sorted;
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
/* The rows of a part, whose bytes have to stay until the runs are spilled or done; `first_seq` is
 * added to the numbers of its rows. */
fl_status fl_runs_take(fl_runs *runs, const fl_run_part *part, uint64_t first_seq, fl_err *err);
bool fl_runs_are_full(const fl_runs *runs);
/* ranks[source]: order of source names. Afterwards no part is needed any more. */
fl_status fl_runs_spill(fl_runs *runs, const uint32_t *ranks, fl_err *err);
fl_status fl_runs_merge(fl_runs *runs, const uint32_t *ranks, fl_err *err);
/* The row that comes next is later than `t`, the time of the row given out last; false as well
 * where that cannot be told without moving bytes. */
bool fl_runs_are_past(const fl_runs *runs, fl_time t);
/* The next row in order: its head and the bytes that follow, valid until the next call. FL_END
 * after the last. */
fl_status fl_runs_next(fl_runs *runs, fl_row_head *ret_head, const uint8_t **ret_bytes,
                       fl_err *err);

#endif
