/* events.c - the table of known events. */
#include "faultline/facts.h"

#define FL_EVENT(kind, provider, id, fields, sentence, always, source) \
  {kind, provider, id, fields, sentence, always, source},
static const fl_event_fact facts[] = {
#include "facts/events/all.def"
};
#undef FL_EVENT

/* The numbers alone, side by side: a look-up reads 1.5 KiB in a row before it touches a name. */
#define FL_EVENT(kind, provider, id, fields, sentence, always, source) id,
static const uint32_t ids[] = {
#include "facts/events/all.def"
};
#undef FL_EVENT

enum { N_FACTS = sizeof facts / sizeof facts[0] };

size_t fl_event_facts(const fl_event_fact **ret_facts) {
  *ret_facts = facts;
  return N_FACTS;
}

const fl_event_fact *fl_event_fact_find(fl_str provider, uint32_t event_id) {
  for (size_t i = 0; i < N_FACTS; i++)
    if (ids[i] == event_id && fl_str_eq_nocase(fl_str_of(facts[i].provider), provider))
      return &facts[i];
  return NULL;
}
