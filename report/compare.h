/* compare.h - the chosen attempt beside the last one of the same pair that worked. */
#ifndef FL_REPORT_COMPARE_H
#define FL_REPORT_COMPARE_H

#include "faultline/case.h"

enum { FL_N_COMPARED = 24 };

typedef struct fl_comparison {
  const char *label, *key; /* for people, for programs */
  fl_str good, now;        /* "not recorded" where nobody told */
  bool is_same;
} fl_comparison;

/* Only what is known of one of them at least; 0 where nothing worked before, or nothing failed. */
size_t fl_compare(const fl_case *c, fl_arena *arena, fl_comparison ret_list[FL_N_COMPARED]);

#endif
