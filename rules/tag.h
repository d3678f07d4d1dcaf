/* tag.h - hits as tags of their records: which rules matched each of them. */
#ifndef FL_RULES_TAG_H
#define FL_RULES_TAG_H

#include "faultline/hunt.h"

typedef struct fl_tagger fl_tagger;
fl_status fl_tagger_create(const fl_rules *rules, fl_tagger **ret_tagger, fl_err *err);
void fl_tagger_free(fl_tagger *tagger);
fl_status fl_tagger_add(fl_tagger *tagger, const fl_hit *hit, fl_err *err);
void fl_tagger_finish(fl_tagger *tagger); /* sorts */
const fl_tags *fl_tagger_tags(const fl_tagger *tagger);
uint64_t fl_tagger_dropped(const fl_tagger *tagger);

#endif
