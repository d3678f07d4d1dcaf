/* causes.c - the causes of failure that verdicts name. */
#include "faultline/facts.h"

#define FL_CAUSE(id, title, fix, check, collect) {id, title, fix, check, collect},
static const fl_cause_fact causes[] = {
#include "facts/causes.def"
};
#undef FL_CAUSE

enum { N_CAUSES = sizeof causes / sizeof causes[0] };

size_t fl_causes(const fl_cause_fact **ret_facts) {
  *ret_facts = causes;
  return N_CAUSES;
}

const fl_cause_fact *fl_cause_find(fl_str id) {
  for (size_t i = 0; i < N_CAUSES; i++)
    if (fl_str_eq(fl_str_of(causes[i].id), id)) return &causes[i];
  return NULL;
}
