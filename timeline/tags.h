/* tags.h - the rules that matched a record, as its row in a timeline names them. */
#ifndef FL_TIMELINE_TAGS_H
#define FL_TIMELINE_TAGS_H

#include "timeline/pack.h"

/* Appends the list of names; nothing where no rule matched. */
void fl_tags_pack(const fl_tags *tags, uint32_t source, uint64_t seq, fl_pack *pack);

#endif
