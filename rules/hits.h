/* hits.h - the one list of hits that all engines of a hunt fill. */
#ifndef FL_RULES_HITS_H
#define FL_RULES_HITS_H

#include "faultline/hunt.h"

typedef struct fl_hits fl_hits;
/* Somebody who wants hits as they come, and no list of them. */
typedef struct fl_hits_ear {
  void *self;
  bool (*wants)(void *self, const fl_rule_info *info);
  fl_status (*take)(void *self, const fl_hit *hit, const fl_row *row, fl_err *err);
} fl_hits_ear;
fl_status fl_hits_create_ear(const fl_hits_ear *ear, fl_hits **ret_hits, fl_err *err);
fl_status fl_hits_create(const fl_rules *rules, const fl_hunt_options *options, fl_hits **ret_hits,
                         fl_err *err);
void fl_hits_free(fl_hits *hits);

/* Is the rule asked at all? Engines leave out what is not: by severity, name or title. */
bool fl_hits_wants(const fl_hits *hits, const fl_rule_info *info);
fl_hit_event fl_hits_event_of(const fl_batch *batch, const fl_row *row);
/* Takes a hit; all that it points to is copied. Of one rule the first FL_LIMIT_HITS_ALIKE are kept,
 * later ones are counted. `batch` and `row` are what suppressions look at; NULL = there is none. */
fl_status fl_hits_add(fl_hits *hits, const fl_hit *hit, const fl_batch *batch, const fl_row *row,
                      fl_err *err);
/* One sentence for the user; kept once. */
fl_status fl_hits_note(fl_hits *hits, fl_err *err, const char *format, ...) FL_PRINTF(3, 4);

/* Sorts; `names` are those of the sources by id. */
fl_status fl_hits_finish(fl_hits *hits, const fl_str *names, size_t n_names, fl_err *err);
size_t fl_hits_all(const fl_hits *hits, const fl_hit **ret_hits);
size_t fl_hits_counts(const fl_hits *hits, const fl_hit_count **ret_counts);
/* With options->is_tagging, once finished. */
const fl_tags *fl_hits_tags(const fl_hits *hits);
size_t fl_hits_notes(const fl_hits *hits, const fl_str **ret_notes);

#endif
