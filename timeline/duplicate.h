/* duplicate.h - finds events that an earlier source gave already. */
#ifndef FL_TIMELINE_DUPLICATE_H
#define FL_TIMELINE_DUPLICATE_H

#include "timeline/legend.h"
#include "timeline/run.h"

typedef struct fl_duplicate_slot {
  uint64_t hash;
  uint64_t round; /* slots of other times count as free */
  size_t at, n;   /* key in `keys` */
  bool is_live;
} fl_duplicate_slot;

/* Keys of the events that share the newest time; a new time empties it. Rows were packed with
 * what is in the legend. */
typedef struct fl_duplicates {
  const fl_legend *legend;
  fl_time t;
  uint64_t round;
  fl_pack keys;
  fl_duplicate_slot *slots;
  size_t n_slots, n_used;
} fl_duplicates;

void fl_duplicates_done(fl_duplicates *duplicates);
/* Rows come in order. true: same host, channel, record id, event id, provider and time as before.
 */
bool fl_duplicates_see(fl_duplicates *duplicates, const fl_row_head *head, const uint8_t *bytes);

#endif
