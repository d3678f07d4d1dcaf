/* state.h - facts of a machine's state as rows: what text, hives and exports say of it.
 *
 * One fact is one row of the provider `faultline-state` (facts/events/state.def, docs/facts.md). */
#ifndef FL_PARSERS_STATE_H
#define FL_PARSERS_STATE_H

#include "parsers/collected.h"
#include "parsers/parser.h"

/* Event ids: part of the timeline format, never used again for something else. */
typedef enum fl_state_kind {
  FL_STATE_REGISTRY = 1, /* setting.registry */
  FL_STATE_RDP = 2,      /* setting.rdp */
  FL_STATE_RDP_FILE = 3, /* setting.rdpfile */
  FL_STATE_LISTENER = 11,
  FL_STATE_CONNECTION = 12,
  FL_STATE_ADDRESS = 13,
  FL_STATE_SESSION = 14,
  FL_STATE_PROCESS = 15,
  FL_STATE_SYSTEM = 16,
  FL_STATE_UPDATE = 17,
  FL_STATE_CERTIFICATE = 18,
  FL_STATE_ACL = 19,
  FL_STATE_PORT_RANGE = 20,
  FL_STATE_SERVICE = 21,
  FL_STATE_GRACE_PERIOD = 22,
  FL_FIREWALL_PACKET = 31,
  FL_CRASH_DUMP = 41,        /* crash.dump */
  FL_CRASH_KERNEL_DUMP = 42, /* crash.kernel */
  FL_CRASH_WER = 43          /* crash.wer */
} fl_state_kind;

enum { FL_STATE_FIELDS = 48 };

/* One fact on its way; filled by the calls below and reset by fl_fact_begin. */
typedef struct fl_fact {
  fl_job *job;
  fl_rows *rows;
  fl_shared *shared;      /* shapes of the run */
  fl_collected collected; /* what holds for facts that say nothing else */
  fl_state_kind kind;
  fl_time t;
  bool has_time, is_local; /* is_local: its time or a date of it */
  fl_str host;
  uint64_t offset, record_id; /* record_id 0: none */
  uint32_t length;
  const char *names[FL_STATE_FIELDS];
  fl_raw values[FL_STATE_FIELDS];
  uint32_t n_fields;
  uint64_t n_facts;       /* that were given */
  const void *last_shape; /* of the fact before: most facts are like it */
  bool is_out_of_memory;
} fl_fact;

/* To be called once for each span that is read. Host and time are those that the source's name
 * tells; a parser that knows better sets `collected`. */
fl_status fl_fact_init(fl_fact *fact, fl_job *job, fl_rows *rows, fl_err *err);

/* Starts a fact of the bytes at `offset`. `record_id`: number of the line, 0 for what has none. */
void fl_fact_begin(fl_fact *fact, fl_state_kind kind, uint64_t offset, uint32_t length,
                   uint64_t record_id);
/* Its own time, instead of the one of the collection. */
void fl_fact_time(fl_fact *fact, fl_time t, bool is_local);
/* Names are constants that live as long as the program. Texts are copied; an empty text, like a
 * value that is never given, is no field. */
void fl_fact_text(fl_fact *fact, const char *name, fl_str value);
void fl_fact_words(fl_fact *fact, const char *name, const char *value); /* a constant */
void fl_fact_number(fl_fact *fact, const char *name, uint64_t value);
void fl_fact_bool(fl_fact *fact, const char *name, bool value);
void fl_fact_date(fl_fact *fact, const char *name, fl_time t);
void fl_fact_local(fl_fact *fact); /* a date among its fields is of the machine's own clock */
/* A list: texts that each end with a NUL. */
void fl_fact_list(fl_fact *fact, const char *name, fl_str texts);
/* Adds the row; delivers the batch when it is full. */
fl_status fl_fact_add(fl_fact *fact, fl_err *err);

#endif
