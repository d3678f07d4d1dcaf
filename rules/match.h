/* match.h - the first phase of rules: which rows are worth keeping, decided while they are read.
 *
 * Rows that no selector and no kept kind asks for are never decoded. Kept events live in the
 * match; when its memory is full, later ones are counted and dropped. */
#ifndef FL_RULES_MATCH_H
#define FL_RULES_MATCH_H

#include "faultline/rules.h"

/* One kind of event that occurs on a host: what absence may rest on. Strings live in the match. */
typedef struct fl_sighting {
  fl_str host, provider, channel;
  int64_t event_id;
  uint64_t hash;   /* of all but the host; for tables only */
  uint32_t source; /* of a state fact without a host: where it stands; else UINT32_MAX */
} fl_sighting;

/* A kept event that a rule of another engine fits, as sources name one. */
typedef struct fl_named_mark {
  const fl_event *event;
  uint32_t number;
} fl_named_mark;

typedef struct fl_match fl_match;
/* Events whose kind starts with one of `kept_kinds` ("rdp.") are kept besides those that rules
 * select. The strings and `rules` outlive the match. */
fl_status fl_match_create(const fl_rules *rules, const char *const *kept_kinds, size_t n_kept_kinds,
                          fl_match **ret_match, fl_err *err);
void fl_match_free(fl_match *match);
fl_status fl_match_batch(fl_match *match, const fl_batch *batch, fl_err *err);
/* Kept events in the order in which they came. The array moves as it grows, the events do not. */
const fl_event *const *fl_match_events(const fl_match *match, size_t *ret_n);
/* Events that were wanted but did not fit; and kinds of events that the sightings lack. */
uint64_t fl_match_dropped(const fl_match *match);
const fl_sighting *fl_match_sightings(const fl_match *match, size_t *ret_n);
/* Gives state facts that name no host the one that `host_of` says for their source; empty = none.
 */
void fl_match_give_hosts(fl_match *match, fl_str (*host_of)(void *self, uint32_t source),
                         void *self);
/* By address of the event, then number. */
const fl_named_mark *fl_match_marks(fl_match *match, size_t *ret_n);

#endif
