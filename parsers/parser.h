/* parser.h - what a format implements, and the job through which it speaks. */
#ifndef FL_PARSERS_PARSER_H
#define FL_PARSERS_PARSER_H

#include "base/arena.h"
#include "base/rd.h"
#include "faultline/ingest.h"

/* The bytes of one source, readable at any offset. Short reads happen only at the end. */
typedef struct fl_source fl_source;
uint64_t fl_source_size(const fl_source *source);
fl_status fl_source_read(fl_source *source, uint64_t offset, void *ret_bytes, size_t n_bytes,
                         size_t *ret_n_read, fl_err *err);

/* One source being parsed. Memory from `arena` lives until the job ends; a parser frees nothing.
 * Parsers never print, open files, read the clock or know threads. */
typedef struct fl_job {
  fl_source *source;
  uint32_t source_id;
  fl_str name;
  const fl_ingest_options *options;
  fl_arena *arena; /* capped; while spans are read it is their reader's */
  unsigned reader; /* who reads the span: see fl_parser.has_readers */
  struct fl_run *run;
} fl_job;

/* Survived damage: text is copied. */
void fl_job_note(fl_job *job, fl_severity severity, uint64_t offset, const char *format, ...)
    FL_PRINTF(4, 5);
/* Where bytes went; ranges may come in any order but must not overlap. What nobody names becomes
 * "unknown" when the job ends. `reason` is copied. */
void fl_job_ledger(fl_job *job, uint64_t offset, uint64_t length, fl_ledger_state state,
                   const char *reason);
/* What was found in a source of a type that may hold several things; the text is copied. */
void fl_job_detail(fl_job *job, fl_str text);
/* The source says itself that it was longer than it is. */
void fl_job_cut(fl_job *job);
/* Containers: a member. Takes over `source` in every case. */
fl_status fl_job_emit(fl_job *job, fl_str member_name, fl_source *source, fl_err *err);
/* Serial number for a new cached shape of this run. */
uint64_t fl_job_shape_serial(fl_job *job);

/* What the jobs of one format share for the whole run, such as compiled templates: `value` is the
 * format's own and NULL at first, `arena` lives as long as the run. `release` is called with a
 * value that is not NULL when the run ends. NULL when out of memory. */
typedef struct fl_shared {
  void *value;
  fl_arena *arena;
} fl_shared;
fl_shared *fl_job_shared(fl_job *job, const char *format, void (*release)(void *value));

/* Every source of the run was read once before, so that what is shared does not hang on the order
 * any more. */
bool fl_job_is_reread(const fl_job *job);

/* Somebody asked for old records, or how many there are. */
static inline bool fl_job_seeks_old(const fl_job *job) {
  return job->options->with_recovered || job->options->want_recovered_count;
}

/* A parser that has to change what belongs to no span, while it reads one: true when the span is
 * read ahead of its turn. Then it is read once more, and nothing is to be changed now. */
bool fl_job_defers(fl_job *job);

/* Rows on their way out. `rows` and `slots` grow by doubling; texts that do not lie in `window`
 * come from `arena`; all is reset when the batch was delivered. */
typedef struct fl_rows {
  fl_row *rows;
  uint32_t n_rows, cap_rows;
  fl_raw *slots;
  uint32_t n_slots, cap_slots;
  fl_arena *arena;
  uint8_t *window; /* the parser's read buffer */
  size_t cap_window;
} fl_rows;
fl_status fl_rows_window(fl_rows *rows, size_t n_bytes, fl_err *err); /* ensures cap_window */
fl_status fl_rows_more_slots(fl_rows *rows, uint32_t n_more, fl_err *err);
static inline fl_status fl_rows_slots(fl_rows *rows, uint32_t n_more,
                                      fl_err *err) { /* ensures room */
  if (n_more <= rows->cap_slots - rows->n_slots) return FL_OK;
  return fl_rows_more_slots(rows, n_more, err);
}
/* Adds a row whose slots are there already; there is room for FL_BATCH_ROWS. */
static inline void fl_rows_add(fl_rows *rows, const fl_row *row) {
  rows->rows[rows->n_rows++] = *row;
}
/* Delivers what is there and empties the batch, arena included (the window's bytes stay); to be
 * called when n_rows reaches FL_BATCH_ROWS. The driver delivers the rest after each span. */
fl_status fl_rows_flush(fl_job *job, fl_rows *rows, fl_err *err);

typedef struct fl_probe {
  const uint8_t *head; /* first bytes, at most 4096 */
  size_t n_head;
  fl_str name;
  uint64_t size_bytes;
} fl_probe;

typedef struct fl_parser {
  const char *name; /* type in outputs: "evtx" */
  const char *summary;
  /* Of a format that is recognised but not read: what to do instead, as the end of a sentence. */
  const char *instead;
  size_t state_size; /* zeroed memory given to the calls below */
  bool is_container;
  /* Spans may be read at the same time and in any order: `read` changes nothing of the state but
   * what belongs to the span, or to job->reader (fl_job_defers). A span may be read a second time.
   */
  bool has_readers;
  /* 100 = magic and a second structural check, 50 = magic alone, 10 = a guess by name, 0 = no. */
  int (*probe)(const fl_probe *probe);
  /* Whether a source that nobody claims holds something of the format anywhere. Asked only about
   * what the user named: it is read from front to back. May be NULL. */
  fl_status (*search)(fl_job *job, bool *ret_is_found, fl_err *err);
  /* Checks the source as a whole and says in how many independent spans it can be read. NULL: the
   * format is recognised but not read by this version. */
  fl_status (*open)(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err);
  /* Reads one span. Damage is noted and survived; an error loses the source. */
  fl_status (*read)(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err);
  /* Reads what needs to know all spans; called once they were delivered. May be NULL. */
  fl_status (*finish)(fl_job *job, void *state, fl_rows *rows, fl_err *err);
  void (*close)(fl_job *job, void *state); /* may be NULL */
} fl_parser;

/* parsers.def: FL_PARSER(id, name, summary). */
#define FL_PARSER(id, ...) extern const fl_parser fl_parser_##id;
#include "parsers/parsers.def"
#undef FL_PARSER

#endif
