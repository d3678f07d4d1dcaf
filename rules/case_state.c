/* case_state.c - gives state facts that name no machine the one that the logs beside them name. */
#include <stdlib.h>

#include "base/text.h"
#include "rules/case.h"
#include "rules/case_place.h"

/* What is known of one source; asked for once. */
typedef struct answer {
  bool is_known;
  fl_str host;
} answer;

typedef struct placing {
  case_owner *o;
  answer *answers; /* by place in the list of sources */
  fl_status status;
  fl_err *err;
} placing;

static size_t place_of(const case_owner *o, uint32_t source) {
  if (source < o->n_sources && o->sources[source].id == source) return source;
  for (size_t i = 0; i < o->n_sources; i++)
    if (o->sources[i].id == source) return i;
  return SIZE_MAX;
}

static fl_status note_nobody(case_owner *o, uint32_t source, fl_str among, fl_err *err) {
  const fl_str text =
      among.n ? fl_arena_printf(o->arena,
                                "nothing tells whose these facts are: the logs beside them are of "
                                "%.*s; a folder or file that bears the name would",
                                FL_STR_ARG(among))
              : FL_STR("nothing tells whose these facts are: no log of a machine is in the case");
  if (!text.p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for notes");
  o->c.totals.n_notes++;
  const fl_note note = {source, FL_NOTE_INFO, 0, text};
  return fl_case_note(o, &note, err);
}

static fl_str host_of(void *self, uint32_t source) {
  placing *p = self;
  const size_t at = place_of(p->o, source);
  fl_str among = {0};
  if (at == SIZE_MAX) return (fl_str){0};
  answer *known = &p->answers[at];
  if (known->is_known) return known->host;
  known->is_known = true;
  known->host =
      fl_places_host(p->o->places, p->o->sources, p->o->n_sources, source, p->o->arena, &among);
  if (known->host.n == 0 && p->status == FL_OK)
    p->status = note_nobody(p->o, source, among, p->err);
  return known->host;
}

fl_status fl_case_place_states(case_owner *o, fl_err *err) {
  placing p = {.o = o, .answers = calloc(o->n_sources + 1, sizeof *p.answers), .err = err};
  if (!p.answers) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for state facts");
  fl_match_give_hosts(o->match, host_of, &p);
  if (o->traced && o->traced->host.n == 0 && fl_provider_is_state(o->traced->provider))
    o->traced->host = host_of(&p, o->traced->source);
  for (size_t i = 0; i < o->n_off; i++)
    if (o->off[i]->host.n == 0) o->off[i]->host = host_of(&p, o->off[i]->source);
  free(p.answers);
  return p.status;
}
