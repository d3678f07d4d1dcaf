/* evtx_second.h - libevtx as the second reader of single records, in a guarded child process. */
#ifndef FL_PARSERS_EVTX_SECOND_H
#define FL_PARSERS_EVTX_SECOND_H

#include "parsers/evtx.h"

/* The run's process for it; starts with the first question. */
typedef struct evtx_second evtx_second;
fl_status evtx_second_of(fl_job *job, evtx_second **ret_second, fl_err *err);

/* A record at [at, to) of a chunk. */
typedef struct evtx_asked {
  const uint8_t *bytes; /* of the chunk */
  uint32_t n_bytes, at, to;
} evtx_asked;
/* What libevtx reads of it, as Event XML that lives as long as the batch. FL_E_LIMIT: nothing more
 * can be asked in this run; other errors are about this record. */
fl_status evtx_second_ask(evtx_second *second, const evtx_asked *asked, fl_arena *arena,
                          fl_str *ret_xml, fl_err *err);

#endif
