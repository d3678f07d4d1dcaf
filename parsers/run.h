/* run.h - what the driver keeps of one run; seen by the driver and by containers only. */
#ifndef FL_PARSERS_RUN_H
#define FL_PARSERS_RUN_H

#include "parsers/ledger.h"
#include "parsers/name.h"
#include "parsers/parser.h"

/* What one format keeps for the run. */
typedef struct fl_shared_entry {
  const char *format;
  fl_shared shared;
  void (*release)(void *value);
} fl_shared_entry;
enum { FL_MAX_SHARED = 4 };

/* Spans that are read ahead of their delivery (ahead.c), and one of them (span.h). */
typedef struct fl_spans fl_spans;
struct fl_span;

/* One call of fl_ingest. `stop` is the first status that ends the run: out of memory, a broken
 * invariant, or what a callback of the sink returned. */
struct fl_run {
  const fl_ingest_options *options;
  const fl_sink *sink;
  fl_ingest_totals totals;
  fl_arena *arena; /* names */
  fl_names names;
  fl_rows rows;    /* of the leaf that is being read; containers have none */
  fl_spans *spans; /* instead of `rows` for leaves that are read ahead; NULL before the first */
  fl_shared_entry shared[FL_MAX_SHARED];
  bool has_learnt; /* all inputs were read once before */
  uint32_t next_id;
  uint64_t next_shape;
  uint64_t n_members, n_unpacked_bytes; /* of the current input, all levels together */
  fl_status stop;
  fl_err stop_err;
};

/* Notes of one source that say the same of different places: those beyond FL_LIMIT_NOTES_ALIKE are
 * only counted. */
typedef struct fl_note_kind {
  const char *format; /* by its address */
  uint64_t n;
  fl_severity severity; /* and place and text of the first that was left out */
  uint64_t offset;
  fl_str text;
} fl_note_kind;
enum { FL_MAX_NOTE_KINDS = 48 };

/* A row that nobody wants (fl_interest): it is counted and dropped. */
#define FL_ROW_LEFT_OUT (UINT32_C(1) << 31)

/* A source on its way through its parser. The job comes first: parsers hold a pointer to it. */
typedef struct fl_frame {
  fl_job job;
  struct fl_frame *parent;
  fl_source_info info;
  fl_ledger ledger;
  fl_ledger_state rest_state; /* of bytes that no range names */
  const char *rest_reason;
  unsigned depth; /* archives around it */
  uint64_t seq;
  bool has_time;
  struct fl_span *span;     /* of a reader: what its parser says is kept there */
  struct fl_texts *texts;   /* of the log; NULL: none */
  fl_note_kind *note_kinds; /* in order of their first note; the last may be mixed */
  size_t n_note_kinds;
} fl_frame;

static inline fl_frame *fl_frame_of(fl_job *job) { return (fl_frame *)(void *)job; }

/* What the driver has to know of rows that it does not look at any more. */
typedef struct fl_counted {
  uint64_t n_events;
  fl_time first, last; /* INT64_MAX, INT64_MIN: none */
} fl_counted;

/* Ends the run; the first reason wins. Returns the status. */
fl_status fl_run_stop(struct fl_run *run, fl_status status, const fl_err *err);
/* Reads a source of an input (`parent` NULL) or of a container. Takes over `source`. The result is
 * an error only when the run ends. `name` is complete and unique. */
fl_status fl_run_source(struct fl_run *run, fl_frame *parent, fl_str name, fl_source *source);
/* Says how many notes were left out. */
void fl_job_sum_notes(fl_job *job);
/* Counts bytes that a container is about to unpack; FL_E_LIMIT when the input is used up. */
fl_status fl_job_unpack(fl_job *job, uint64_t n_bytes, fl_err *err);
/* The severity of a note about a status. */
fl_severity fl_note_severity(fl_status status);

/* Every format in the order of parsers.def, then NULL. */
extern const fl_parser *const fl_parsers[];
extern const fl_parser fl_parser_evtx_libevtx;

void fl_run_release_shared(struct fl_run *run);
/* A note of a parser: passed on, or only counted where many are alike, which `format` tells. */
void fl_run_tell(fl_frame *frame, const char *format, const fl_note *note);
/* Counts a note and passes it on; one without text is only counted. */
void fl_run_note(fl_frame *frame, fl_severity severity, uint64_t offset, fl_str text);
/* Counts live rows. */
void fl_run_count(fl_frame *frame, const fl_counted *counted);
/* Passes the rows on and empties the batch. */
fl_status fl_rows_deliver(fl_frame *frame, fl_rows *rows, fl_err *err);
void fl_rows_empty(fl_rows *rows);
/* An arena that is used up to its cap: then "no memory" is the job's own limit. */
bool fl_arena_is_capped(const fl_arena *arena);

/* Reads all spans with workers that are a few spans ahead. FL_END when there is none to be had:
 * nothing was read then. */
fl_status fl_spans_read(fl_frame *frame, const fl_parser *parser, void *state, uint64_t n_spans,
                        bool *ret_is_capped, fl_err *err);
void fl_spans_free(fl_spans *spans); /* NULL is fine */

fl_status fl_rows_init(fl_rows *rows, fl_err *err);
void fl_rows_free(fl_rows *rows);

#endif
