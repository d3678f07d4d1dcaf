/* case_sigma.c - Sigma rules beside the match of a case: what they find is a finding of the case.
 */
#include "rules/case_sigma.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/engine.h"

struct fl_case_sigma {
  const fl_rules *rules;
  fl_hunt_options options; /* all rules */
  fl_hits *hits;           /* go over to the case, whose findings point into them */
  fl_engine_run run;
  fl_arena *arena; /* of the case */
  fl_str *names;   /* of sources */
  size_t n_names, cap_names;
};

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings of Sigma rules");
}

void fl_case_sigma_free(fl_case_sigma *sigma) {
  if (!sigma) return;
  if (sigma->run.free) sigma->run.free(sigma->run.self);
  fl_hits_free(sigma->hits);
  free(sigma->names);
  free(sigma);
}

fl_status fl_case_sigma_create(const fl_rules *rules, fl_arena *arena, fl_case_sigma **ret_sigma,
                               fl_err *err) {
  *ret_sigma = NULL;
  if (!rules || fl_rules_engine_count(rules, FL_BY_SIGMA) == 0) return FL_OK;
  fl_case_sigma *sigma = calloc(1, sizeof *sigma);
  if (!sigma) return no_memory(err);
  sigma->rules = rules;
  sigma->arena = arena;
  fl_status s = fl_hits_create(rules, &sigma->options, &sigma->hits, err);
  if (s == FL_OK)
    s = fl_engine_sigma.start(fl_rules_engine_set(rules, FL_BY_SIGMA), &sigma->options, sigma->hits,
                              &sigma->run, err);
  if (s == FL_OK) *ret_sigma = sigma;
  else fl_case_sigma_free(sigma);
  return s;
}

fl_status fl_case_sigma_begin(fl_case_sigma *sigma, const fl_source_info *source, fl_err *err) {
  const fl_str name = fl_arena_str(sigma->arena, source->name);
  if (!name.p || !fl_grow_zeroed((void **)&sigma->names, &sigma->cap_names, (size_t)source->id + 1,
                                 sizeof *sigma->names))
    return no_memory(err);
  sigma->names[source->id] = name;
  if (source->id >= sigma->n_names) sigma->n_names = (size_t)source->id + 1;
  const fl_sink *sink = &sigma->run.sink;
  return sink->begin ? sink->begin(sink->self, source, err) : FL_OK;
}

fl_status fl_case_sigma_batch(fl_case_sigma *sigma, const fl_batch *batch, fl_err *err) {
  return sigma->run.sink.batch(sigma->run.sink.self, batch, err);
}

/* Nothing but references is kept of records: they may be many. */
static bool fill(const fl_case_sigma *sigma, const fl_hit *hit, fl_finding *f) {
  const fl_rule_info info = fl_rules_engine_info(sigma->rules, hit->engine, hit->rule);
  *f = (fl_finding){.engine = hit->engine,
                    .rule = info.name,
                    .title = info.title,
                    .cause = "",
                    .effect = "",
                    .severity = info.severity,
                    .start = hit->n_events ? hit->events[0].t : hit->t,
                    .end = hit->n_events ? hit->events[hit->n_events - 1].t : hit->t,
                    .places = hit->events,
                    .n_places = hit->n_events};
  f->text = fl_arena_str(sigma->arena, hit->text.n ? hit->text : fl_str_of(info.title));
  return f->text.p != NULL;
}

static void cite(fl_sign *sign, const fl_hit *hit) {
  for (size_t i = 0; i < hit->n_events && sign->n_places < FL_SIGN_PLACES; i++)
    sign->places[sign->n_places++] = hit->events[i];
}

/* One sign a rule: how often it matched, listed or not, and where first. */
static fl_status add_signs(const fl_case_sigma *sigma, case_owner *owner, fl_err *err) {
  const fl_hit_count *counts = NULL;
  const fl_hit *hits = NULL;
  const size_t n = fl_hits_counts(sigma->hits, &counts), n_hits = fl_hits_all(sigma->hits, &hits);
  const size_t n_rules = fl_rules_engine_count(sigma->rules, FL_BY_SIGMA);
  fl_sign *signs = FL_NEW_ARRAY(sigma->arena, fl_sign, n);
  size_t *of_rule = FL_NEW_ARRAY(sigma->arena, size_t, n_rules);
  if (!signs || !of_rule) return no_memory(err);
  for (size_t i = 0; i < n; i++) {
    const fl_rule_info info = fl_rules_engine_info(sigma->rules, counts[i].engine, counts[i].rule);
    of_rule[counts[i].rule] = i;
    signs[i] = (fl_sign){.engine = FL_BY_SIGMA,
                         .rule = info.name,
                         .title = info.title,
                         .level = info.level ? info.level : "",
                         .severity = info.severity,
                         .n_findings = counts[i].n_hits,
                         .first = counts[i].first,
                         .last = counts[i].last};
  }
  for (size_t i = 0; i < n_hits; i++) cite(&signs[of_rule[hits[i].rule]], &hits[i]);
  return fl_case_signs_add(owner, signs, n, err);
}

/* What limits and hard regexes left out. */
static fl_status tell(const fl_case_sigma *sigma, case_owner *owner, fl_err *err) {
  const fl_str *notes = NULL;
  const size_t n = fl_hits_notes(sigma->hits, &notes);
  for (size_t i = 0; i < n; i++) FL_TRY(fl_case_note_limit(owner, notes[i], err));
  return FL_OK;
}

fl_status fl_case_sigma_finish(fl_case_sigma *sigma, case_owner *owner, fl_err *err) {
  const fl_hit *hits = NULL;
  FL_TRY(sigma->run.finish(sigma->run.self, err));
  FL_TRY(fl_hits_finish(sigma->hits, sigma->names, sigma->n_names, err));
  const size_t n = fl_hits_all(sigma->hits, &hits);
  fl_case *c = &owner->c;
  fl_finding *all = FL_NEW_ARRAY(owner->arena, fl_finding, c->n_findings + n);
  if (!all) return no_memory(err);
  if (c->n_findings) memcpy(all, c->findings, c->n_findings * sizeof *all);
  for (size_t i = 0; i < n; i++)
    if (!fill(sigma, &hits[i], &all[c->n_findings + i])) return no_memory(err);
  c->findings = all;
  c->n_findings += n;
  FL_TRY(add_signs(sigma, owner, err));
  FL_TRY(tell(sigma, owner, err));
  owner->hits = sigma->hits;
  sigma->hits = NULL;
  return FL_OK;
}
