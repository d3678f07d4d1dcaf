/* ingest.h - from what the user hands in to sources, rows and notes. */
#ifndef FAULTLINE_INGEST_H
#define FAULTLINE_INGEST_H

#include "faultline/event.h"

/* Where each byte of a source went. The ranges of a source tile 0…size without gap or overlap;
 * the run fails with FL_E_INTERNAL where they would not. */
typedef enum fl_ledger_state {
  FL_L_PARSED,
  FL_L_RECOVERED,
  FL_L_SLACK,
  FL_L_EMPTY,
  FL_L_DAMAGED,
  FL_L_UNKNOWN,
  FL_L_SKIPPED,
  FL_L_UNSUPPORTED
} fl_ledger_state;
FL_API extern const char *const fl_ledger_state_names[8];
typedef struct fl_range {
  uint64_t offset, length;
  fl_ledger_state state;
  fl_str reason; /* empty for parsed and empty */
} fl_range;

/* The bytes of a source, for whoever looks at them as such. Valid until the callback that gave them
 * returns, or until `release` after `share`; both are for the thread of the callbacks. `read` may
 * be called by any thread. */
typedef struct fl_bytes {
  void *self;
  uint64_t size_bytes;
  fl_status (*read)(void *self, uint64_t offset, void *ret_bytes, size_t n_bytes,
                    size_t *ret_n_read, fl_err *err);
  /* All of them in a row; NULL when that cannot be had. A file may shrink below it. */
  const uint8_t *(*map)(void *self);
  void (*share)(void *self);
  void (*release)(void *self);
} fl_bytes;

/* One named byte stream. Names: INPUT's basename, "/relative", "!/member"; '!', '%' and control
 * characters percent-encoded; equal basenames get "#2" in argument order; never an absolute path.
 */
typedef struct fl_source_info {
  uint32_t id;
  uint32_t parent; /* id of the container, or UINT32_MAX */
  fl_str name;
  const char *type; /* "evtx", "dir", "zip", … "unknown" */
  fl_str detail;    /* in `end`: what in it was read, "netstat 12, ipconfig 3"; mostly empty */
  bool is_container;
  bool is_skipped; /* no parser claims it (pictures and the like) */
  bool is_failed;  /* could not be read at all */
  bool is_cut;     /* it says itself that it was longer */
  uint64_t size_bytes;
  char sha256[65]; /* empty when not computed */
  uint64_t n_events, n_recovered;
  fl_time first, last; /* of live events; 0 when none */
  const fl_range *ledger;
  size_t n_ledger;
  const fl_bytes *bytes; /* in `begin` with want_bytes; NULL: a folder, or nothing could be read */
} fl_source_info;

enum { FL_MAX_READERS = 32 };

/* Who receives what is read. All calls but `prepare` come from one thread, in a fixed order. A
 * callback that returns an error stops the run; FL_E_STOPPED stops it without an error. Members may
 * be NULL. */
typedef struct fl_sink {
  void *self;
  /* A source begins: id, name, parent, type and size are known. */
  fl_status (*begin)(void *self, const fl_source_info *source, fl_err *err);
  fl_status (*batch)(void *self, const fl_batch *batch, fl_err *err);
  fl_status (*note)(void *self, const fl_note *note, fl_err *err);
  /* A source is done: everything is known. */
  fl_status (*end)(void *self, const fl_source_info *source, fl_err *err);
  /* Does what can be done with a batch before its turn comes, in the thread that read it: each
   * reader in its own, several at a time. `seq` of its rows counts from 0. What it returns comes
   * back with the batch, to `take` instead of `batch`; with NULL the batch comes as all others. */
  fl_status (*prepare)(void *self, unsigned reader, const fl_batch *batch, void **ret_prepared,
                       fl_err *err);
  /* The turn of a prepared batch: its first row has the number `first_seq`. */
  fl_status (*take)(void *self, const fl_batch *batch, uint64_t first_seq, void *prepared,
                    fl_err *err);
  void (*drop)(void *self, void *prepared); /* its turn never comes */
} fl_sink;

/* What a consumer wants of records, asked before they are decoded whole. A record that it does not
 * want is counted but never becomes a row; what is damaged inside of it is not looked for. Whoever
 * decodes calls it, one thread at a time but not always the same. Where old records are looked for
 * nobody is asked. */
typedef struct fl_interest {
  void *self;
  uint32_t columns; /* 1 << fl_column: all that `wants` looks at */
  /* Of `row` its shape and the slots of these columns are there, and its place. */
  bool (*wants)(void *self, const fl_batch *batch, const fl_row *row);
} fl_interest;

typedef enum fl_hash_policy { FL_HASH_AUTO, FL_HASH_ALL, FL_HASH_NONE } fl_hash_policy;
/* Of event logs. AUTO: our own, and libevtx for single records that it refuses, in a process of its
 * own; OWN: no process is started. */
typedef enum fl_engine { FL_ENGINE_AUTO, FL_ENGINE_OWN, FL_ENGINE_LIBEVTX } fl_engine;

typedef struct fl_ingest_options {
  fl_hash_policy hash; /* AUTO: sources up to 64 MiB */
  fl_engine engine;
  /* Rows with FL_F_SLACK or FL_F_RECOVERED reach the sink. Inputs are read twice, so that one log's
   * old records can use another one's templates; the first time batches come without rows. */
  bool with_recovered;
  bool want_recovered_count; /* old records are looked for; with_recovered asks for that, too */
  bool want_ledger;
  bool want_bytes;             /* every member is unpacked whole, whoever reads it */
  bool want_texts;             /* rows bear the texts that Windows exported beside their log */
  bool want_markup;            /* shapes carry their element tree, which only XML needs */
  const fl_interest *interest; /* NULL: all rows are wanted */
  unsigned n_jobs;             /* 0 = number of processors */
} fl_ingest_options;

typedef struct fl_ingest_totals {
  uint64_t n_sources, n_events, n_recovered, n_notes;
  uint64_t n_parsed; /* sources that a leaf parser read, with or without events */
  uint64_t n_failed; /* inputs or members that could not be read */
  uint64_t n_skipped;
  fl_severity worst; /* of all notes */
} fl_ingest_totals;

/* Reads every input (file, folder, bundle, "-" for standard input) in the order given; folders
 * and archives in byte order of their members' names. Damage becomes notes; the result is an
 * error only when the run itself is lost. */
FL_API fl_status fl_ingest(char *const *inputs, size_t n_inputs, const fl_ingest_options *options,
                           const fl_sink *sink, fl_ingest_totals *ret_totals, fl_err *err);

/* The `row->length` bytes of a record as its source holds them, while its batch is valid. Records
 * of a timeline have none: FL_E_UNSUPPORTED. */
FL_API fl_status fl_row_bytes(const fl_batch *batch, const fl_row *row, uint8_t *ret_bytes,
                              fl_err *err);

/* The formats this build reads, in registry order; returns the count. */
typedef struct fl_format_info {
  const char *name;
  const char *summary;
} fl_format_info;
FL_API size_t fl_formats(const fl_format_info **ret_formats);

#endif
