/* collected.h - which machine a file of a bundle is about and when it was collected, by its name.
 */
#ifndef FL_PARSERS_COLLECTED_H
#define FL_PARSERS_COLLECTED_H

#include "faultline/value.h"

typedef struct fl_collected {
  fl_str host;   /* part of the name; empty: the name says nothing */
  fl_time t;     /* 0: the name says nothing */
  bool is_local; /* the clock of the machine, no zone given: as if it were UTC */
} fl_collected;

/* `name` is that of a source: INPUT, /folder, !/member. What stands nearest to the file counts.
 * Known are the names that MSRD-Collect, TSS, Evt-Collect and Intune give, and HOST_FILE where HOST
 * looks like a computer's name (docs/formats/text.md). */
fl_collected fl_collected_of(fl_str name);

#endif
