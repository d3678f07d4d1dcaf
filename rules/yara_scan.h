/* yara_scan.h - the inside of a scan: tasks, what they found, and events beside them. */
#ifndef FL_RULES_YARA_SCAN_H
#define FL_RULES_YARA_SCAN_H

#include "base/arena.h"
#include "base/pool.h"
#include "rules/engine.h"
#include "rules/yara_scanner.h"

/* A record's bytes in what is scanned: for a source `at` is its offset there, for a script the
 * place of its text. */
typedef struct yara_row {
  uint64_t at, offset, seq;
  fl_time t;
  int64_t record_id;
  uint32_t n, length, flags;
  uint32_t origin; /* index into the scan's origins */
} yara_row;
typedef struct yara_rows {
  yara_row *items;
  size_t n, cap;
} yara_rows;

/* A host and channel that rows share. */
typedef struct yara_origin {
  fl_str host, channel;
} yara_origin;

/* The columns of the last row as they stood there: the next row mostly has the same. */
enum { YARA_LAST_BYTES = 512, YARA_ORIGIN_SLOTS = 1 << 16 };
typedef struct yara_last {
  uint8_t bytes[2][YARA_LAST_BYTES];
  uint32_t n[2];
  uint8_t type[2];
  uint32_t origin; /* 0: there is none */
} yara_last;

/* A source or script on its way through a scanner. */
typedef struct yara_task {
  uint32_t source;
  bool is_script, is_done; /* scanned, and its bytes given back */
  bool is_ended;           /* no more rows come */
  bool is_skipped;         /* not scanned at all */
  uint64_t number;         /* of the crew */
  char *name, *id;         /* of the source; ScriptBlockId */
  fl_bytes bytes;          /* of a source */
  uint64_t n_size;         /* of them */
  const uint8_t *mapped;   /* NULL: to be read */
  uint8_t *text;           /* of a script */
  size_t n_text;
  yara_rows rows;
  yara_result result;
  fl_status status;
  fl_err err;
  struct yara_task *next;
} yara_task;

/* Scripts of which parts are awaited (yara_script.c). */
typedef struct yara_scripts yara_scripts;
/* Rules over single events (yara_event.c). */
typedef struct yara_events yara_events;

struct fl_yara_scan {
  const fl_yara *yara;
  fl_yara_options options;
  unsigned seconds; /* for a source, and one more for each MiB */
  fl_crew *crew;    /* NULL: the thread of the callbacks scans */
  yara_scanner *scanners[FL_CREW_MAX_WORKERS];
  uint8_t *buffers[FL_CREW_MAX_WORKERS]; /* for sources that are read */
  size_t n_buffers[FL_CREW_MAX_WORKERS];
  unsigned n_workers;
  yara_task *first, *newest, *undone; /* in the order given; the first that is not done */
  size_t n_open;
  uint64_t n_open_bytes; /* of scripts */
  yara_task *leaf;       /* whose rows come */
  yara_origin *origins;  /* the first is empty: for those beyond the limit */
  size_t n_origins, cap_origins;
  uint32_t *origin_slots; /* hash: index into origins, 0 free */
  yara_last last;
  fl_str *names; /* of sources, by id */
  size_t cap_names;
  fl_arena *name_arena;
  fl_arena *arena;   /* finds, origins */
  fl_arena *scratch; /* of one batch */
  fl_yara_find *finds;
  size_t n_finds, cap_finds;
  size_t n_file_finds, n_event_finds;
  uint64_t n_dropped;
  fl_note *notes;
  size_t n_notes, cap_notes;
  uint64_t n_given;   /* sources */
  unsigned n_stopped; /* tasks that took too long, in their order */
  uint64_t n_left;    /* tasks behind them */
  yara_scripts *scripts;
  yara_events *events;
  const fl_tracing *tracing; /* NULL: nobody asks */
};
void fl_yara_events_watch(yara_events *events, uint32_t rule);
/* Says so where the traced rule of events does not ask the row at all. */
fl_status fl_yara_events_trace(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                               fl_err *err);

/* Takes over the task. */
fl_status fl_yara_give(fl_yara_scan *scan, yara_task *task, fl_err *err);
yara_task *fl_yara_task_create(fl_yara_scan *scan, uint32_t source, fl_str name);
void fl_yara_task_free(yara_task *task);
/* The record of a row; host and channel by their index. */
bool fl_yara_row_of(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                    yara_row *ret_row);
bool fl_yara_rows_add(yara_rows *rows, const yara_row *row);
fl_status fl_yara_note(fl_yara_scan *scan, uint32_t source, fl_severity severity,
                       const char *format, ...) FL_PRINTF(4, 5);

/* Tells what a rule found in the source, script or event that holds the traced record, and forgets
 * hits whose condition does not hold (yara_trace.c). */
struct yara_found;
void fl_yara_trace(fl_yara_scan *scan, const struct yara_found *found, yara_result *result);

/* What a result means: finds for each hit (yara_find.c). `rows` are sorted by `at`. */
typedef struct yara_found {
  uint32_t source;
  uint64_t n_bytes;
  fl_str name;
  const char *medium;
  fl_str script;
  const yara_rows *rows;
  bool only_in_rows;
} yara_found;
fl_status fl_yara_find_add(fl_yara_scan *scan, const yara_found *found, const yara_result *result,
                           fl_err *err);
void fl_yara_finds_sort(fl_yara_scan *scan);

/* Parts of scripts in a batch; scripts that are whole become tasks. */
fl_status fl_yara_scripts_create(yara_scripts **ret_scripts, fl_err *err);
void fl_yara_scripts_free(yara_scripts *scripts);
fl_status fl_yara_scripts_batch(fl_yara_scan *scan, const fl_batch *batch, fl_err *err);
/* What lacks parts at the end of its source is scanned as it is. */
fl_status fl_yara_scripts_end(fl_yara_scan *scan, uint32_t source, fl_err *err);

fl_status fl_yara_events_create(const fl_yara *yara, yara_events **ret_events, fl_err *err);
void fl_yara_events_free(yara_events *events);
fl_status fl_yara_events_batch(fl_yara_scan *scan, const fl_batch *batch, fl_err *err);

#endif
