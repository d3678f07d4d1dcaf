/* sequence_hunt.c - sequences as an engine of a hunt: a case is built beside it, its findings are
 * hits. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rules/engine.h"
#include "rules/flr.h"

typedef struct run {
  const fl_rules *rules;
  fl_hits *hits;
  fl_case_builder *builder;
  fl_hit_event *events; /* of one finding */
  size_t cap_events;
} run;

static void run_free(void *self) {
  run *r = self;
  fl_case_builder_free(r->builder);
  free(r->events);
  free(r);
}

static uint32_t rule_of(const fl_rules *rules, const char *name) {
  const size_t n = fl_rules_count(rules);
  for (size_t i = 0; i < n; i++)
    if (fl_str_eq(fl_str_of(fl_rules_at(rules, i)->info.name), fl_str_of(name))) return (uint32_t)i;
  return UINT32_MAX;
}

/* Records alone are cited: events that a case makes of others have no bytes. */
static fl_status add_finding(run *r, const fl_finding *finding, fl_err *err) {
  if (finding->engine != FL_BY_SEQUENCE) return FL_OK; /* YARA gives its hits itself */
  fl_hit hit = {.engine = FL_BY_SEQUENCE, .rule = rule_of(r->rules, finding->rule)};
  if (hit.rule == UINT32_MAX) return FL_OK;
  const fl_rule_info info = fl_rules_at(r->rules, hit.rule)->info;
  if (!fl_hits_wants(r->hits, &info)) return FL_OK;
  if (!fl_grow((void **)&r->events, &r->cap_events, finding->n_events + 1, sizeof *r->events))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for hits");
  for (size_t i = 0; i < finding->n_events; i++) {
    const fl_event *e = finding->events[i];
    if (e->flags & (FL_F_SYNTHETIC | FL_F_GAP)) continue;
    r->events[hit.n_events++] = (fl_hit_event){.source = e->source,
                                               .flags = e->flags,
                                               .record_id = e->record_id,
                                               .offset = e->offset,
                                               .seq = e->seq,
                                               .t = e->t};
  }
  hit.t = finding->end;
  hit.events = r->events;
  hit.text = finding->text;
  return fl_hits_add(r->hits, &hit, NULL, NULL, err);
}

/* What did not fit, or a regex that went on too long: nothing of it is left out in silence. */
static fl_status pass_notes(const run *r, const fl_case *solved, fl_err *err) {
  for (size_t i = 0; i < solved->n_notes; i++)
    if (solved->notes[i].source == UINT32_MAX && solved->notes[i].severity == FL_NOTE_LIMIT)
      FL_TRY(fl_hits_note(r->hits, err, "%.*s", FL_STR_ARG(solved->notes[i].text)));
  return FL_OK;
}

static fl_status finish(void *self, fl_err *err) {
  run *r = self;
  fl_case *solved = NULL;
  FL_TRY(fl_case_builder_finish(r->builder, NULL, &solved, err));
  fl_status s = FL_OK;
  for (size_t i = 0; i < solved->n_findings && s == FL_OK; i++)
    s = add_finding(r, &solved->findings[i], err);
  if (s == FL_OK) s = pass_notes(r, solved, err);
  fl_case_free(solved);
  return s;
}

static fl_status start(const void *set, const fl_hunt_options *options, fl_hits *hits,
                       fl_engine_run *ret_run, fl_err *err) {
  (void)options;
  run *r = calloc(1, sizeof *r);
  if (!r) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for sequences");
  r->rules = set;
  r->hits = hits;
  const fl_case_options alone = {.sequences_alone = true};
  const fl_status s = fl_case_builder_create(set, &alone, &r->builder, err);
  if (s != FL_OK) {
    free(r);
    return s;
  }
  *ret_run = (fl_engine_run){
      .self = r, .sink = fl_case_builder_sink(r->builder), .finish = finish, .free = run_free};
  return FL_OK;
}

const fl_engine_kind fl_engine_sequence = {.start = start};
