/* evtx_old.h - old records: how their headers are told from chance, and which of them are copies.
 */
#ifndef FL_PARSERS_EVTX_OLD_H
#define FL_PARSERS_EVTX_OLD_H

#include "parsers/evtx.h"

/* Something that has a record's header; offsets are relative to the chunk. */
typedef struct evtx_old {
  size_t at, to;
  uint64_t id, written;
  uint32_t template; /* id of the record's template, 0 when it names none */
  bool is_whole;     /* its two sizes agree */
} evtx_old;
/* The next one from `from` on; false when there is none. */
bool evtx_old_find(const uint8_t *bytes, size_t from, size_t end, evtx_old *ret_old);
/* The header at `at`, whatever is there. */
void evtx_old_at(const uint8_t *bytes, size_t at, size_t end, evtx_old *ret_old);

typedef enum evtx_copy { EVTX_COPY_NONE, EVTX_COPY_OF_LIVE, EVTX_COPY_OF_OLD } evtx_copy;
typedef struct evtx_old_key {
  uint64_t id, written; /* id 0: free */
  uint32_t template;
  evtx_copy copy; /* what another record with this key is a copy of */
} evtx_old_key;

/* Old records by id, time and template. Zeroed: empty. */
typedef struct evtx_olds {
  evtx_old_key *keys; /* open addressing; the size is a power of two */
  size_t n, cap;
  uint64_t *ids; /* sorted, once evtx_olds_sort was called */
} evtx_olds;
/* FL_E_LIMIT when there are too many. */
fl_status evtx_olds_add(evtx_olds *olds, const evtx_old *old, fl_err *err);
evtx_old_key *evtx_olds_find(const evtx_olds *olds, const evtx_old *old);
fl_status evtx_olds_sort(evtx_olds *olds, fl_err *err);
/* Whether any id lies in [first, last]. */
bool evtx_olds_has_between(const evtx_olds *olds, uint64_t first, uint64_t last);
void evtx_olds_free(evtx_olds *olds);

#endif
