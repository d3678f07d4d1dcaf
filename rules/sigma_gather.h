/* sigma_gather.h - events that feed correlations, kept until all was read.
 *
 * Only then they are in order of time, whatever order the inputs came in. What outgrows memory lies
 * in nameless files meanwhile (docs/adr/0014). */
#ifndef FL_RULES_SIGMA_GATHER_H
#define FL_RULES_SIGMA_GATHER_H

#include "base/vast.h"
#include "rules/sigma_correlation.h"
#include "rules/sigma_run.h"

enum { FL_SIGMA_NOTHING = UINT32_MAX }; /* no key, no value, no result */

/* An event that a base rule matched. */
typedef struct fl_sigma_seen {
  fl_hit_event event;
  uint32_t rule;
  uint32_t first; /* what it gives to each feed of the rule stands here and behind */
} fl_sigma_seen;

/* What it gives to one feed: its group, and what is counted: a text or a number. */
typedef struct fl_sigma_given {
  uint32_t key, value;
  double number;
} fl_sigma_given;

/* Texts by number: equal texts have equal numbers. */
typedef struct fl_sigma_words fl_sigma_words;
fl_sigma_words *fl_sigma_words_create(void);
void fl_sigma_words_free(fl_sigma_words *words);
/* FL_SIGMA_NOTHING: there is no room for one more. */
uint32_t fl_sigma_words_put(fl_sigma_words *words, fl_str text);
fl_str fl_sigma_words_get(const fl_sigma_words *words, uint32_t word);
size_t fl_sigma_words_count(const fl_sigma_words *words);

typedef struct fl_sigma_gather {
  fl_vast seen, given; /* of fl_sigma_seen, fl_sigma_given */
  size_t n_seen, n_given;
  size_t most_seen, most_given; /* limits, lower in tests */
  size_t most_memory;           /* of each array */
  fl_sigma_words *words;
  fl_str *names; /* of sources by id */
  size_t n_names, cap_names;
  fl_arena *arena;
  uint64_t n_dropped;
} fl_sigma_gather;

static inline fl_sigma_seen *fl_sigma_seen_at(const fl_sigma_gather *gather, size_t at) {
  return (fl_sigma_seen *)gather->seen.items + at;
}
static inline fl_sigma_given *fl_sigma_given_at(const fl_sigma_gather *gather, size_t at) {
  return (fl_sigma_given *)gather->given.items + at;
}

fl_sigma_gather *fl_sigma_gather_create(void);
void fl_sigma_gather_free(fl_sigma_gather *gather);
bool fl_sigma_gather_source(fl_sigma_gather *gather, const fl_source_info *source);
/* The event at hand matched a rule that feeds correlations; it is counted where there is no room.
 */
void fl_sigma_gather_event(fl_sigma_run *run, uint32_t rule);

/* sigma_correlate.c: all was read. */
fl_status fl_sigma_correlate(fl_sigma_run *run, fl_err *err);

#endif
