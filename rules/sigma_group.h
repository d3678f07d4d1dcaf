/* sigma_group.h - groups of rules with the literals that they wait for. */
#ifndef FL_RULES_SIGMA_GROUP_H
#define FL_RULES_SIGMA_GROUP_H

#include "rules/sigma_run.h"

typedef struct fl_sigma_groups {
  fl_sigma_group **items;
  size_t n, cap;
} fl_sigma_groups;

/* The group of the rules in run->queue; made in `arena` when it is new. NULL = no memory. */
const fl_sigma_group *fl_sigma_group_find(fl_sigma_groups *groups, fl_sigma_run *run,
                                          fl_arena *arena);

#endif
