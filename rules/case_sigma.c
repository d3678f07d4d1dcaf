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
  fl_hits *hits;
  fl_engine_run run;
  fl_arena *arena;         /* events */
  const fl_event **events; /* of hits, in the order in which they came; each once */
  size_t n, cap;
  uint64_t n_dropped;
  fl_str *names; /* of sources */
  size_t n_names, cap_names;
};

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings of Sigma rules");
}

void fl_case_sigma_free(fl_case_sigma *sigma) {
  if (!sigma) return;
  if (sigma->run.free) sigma->run.free(sigma->run.self);
  fl_hits_free(sigma->hits);
  free(sigma->events);
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

static bool is_of(const fl_event *event, const fl_hit_event *hit) {
  return event->source == hit->source && event->seq == hit->seq;
}

/* Keeps the event of a row that a rule matched; several rules may match one. */
static fl_status keep(fl_case_sigma *sigma, const fl_batch *batch, const fl_row *row, fl_err *err) {
  const fl_hit_event place = fl_hits_event_of(batch, row);
  if (sigma->n && is_of(sigma->events[sigma->n - 1], &place)) return FL_OK;
  if (sigma->n >= FL_LIMIT_CASE_SIGMA) {
    sigma->n_dropped++;
    return FL_OK;
  }
  fl_event *event = FL_NEW(sigma->arena, fl_event);
  if (!event ||
      !fl_grow((void **)&sigma->events, &sigma->cap, sigma->n + 1, sizeof(*sigma->events)))
    return no_memory(err);
  FL_TRY(fl_event_build(batch, row, sigma->arena, event, err));
  sigma->events[sigma->n++] = event;
  return FL_OK;
}

fl_status fl_case_sigma_batch(fl_case_sigma *sigma, const fl_batch *batch, fl_err *err) {
  const fl_hit *hits = NULL;
  size_t at = fl_hits_all(sigma->hits, &hits);
  FL_TRY(sigma->run.sink.batch(sigma->run.sink.self, batch, err));
  const size_t n = fl_hits_all(sigma->hits, &hits);
  for (uint32_t i = 0; i < batch->n_rows && at < n; i++) {
    if (hits[at].events[0].seq != batch->rows[i].seq) continue;
    FL_TRY(keep(sigma, batch, &batch->rows[i], err));
    while (at < n && hits[at].events[0].seq == batch->rows[i].seq) at++;
  }
  return FL_OK;
}

static int by_place(const void *a, const void *b) {
  const fl_event *x = *(const fl_event *const *)a;
  const fl_event *y = *(const fl_event *const *)b;
  if (x->source != y->source) return x->source < y->source ? -1 : 1;
  return (x->seq > y->seq) - (x->seq < y->seq);
}

static const fl_event *event_of(const fl_case_sigma *sigma, const fl_hit_event *place) {
  const fl_event key = {.source = place->source, .seq = place->seq};
  const fl_event *wanted = &key;
  const fl_event *const *found =
      sigma->n ? bsearch(&wanted, sigma->events, sigma->n, sizeof(*sigma->events), by_place) : NULL;
  return found ? *found : NULL;
}

/* Events that base rules of a correlation matched without a finding of their own are not kept. */
static fl_status fill(const fl_case_sigma *sigma, const fl_hit *hit, fl_arena *arena, fl_finding *f,
                      fl_err *err) {
  const fl_rule_info info = fl_rules_engine_info(sigma->rules, hit->engine, hit->rule);
  const fl_event **events = FL_NEW_ARRAY(arena, const fl_event *, hit->n_events);
  if (!events) return no_memory(err);
  *f = (fl_finding){.rule = info.name,
                    .title = info.title,
                    .cause = "",
                    .effect = "",
                    .severity = info.severity,
                    .start = hit->n_events ? hit->events[0].t : hit->t,
                    .end = hit->n_events ? hit->events[hit->n_events - 1].t : hit->t,
                    .events = events};
  for (size_t i = 0; i < hit->n_events; i++) {
    const fl_event *event = event_of(sigma, &hit->events[i]);
    if (event) events[f->n_events++] = event;
  }
  f->anchor = f->n_events ? events[f->n_events - 1] : NULL;
  f->text = fl_arena_str(arena, hit->text.n ? hit->text : fl_str_of(info.title));
  return f->text.p ? FL_OK : no_memory(err);
}

/* What limits and hard regexes left out. */
static fl_status tell(const fl_case_sigma *sigma, case_owner *owner, fl_err *err) {
  const fl_str *notes = NULL;
  const size_t n = fl_hits_notes(sigma->hits, &notes);
  for (size_t i = 0; i < n; i++) {
    const fl_note note = {.source = UINT32_MAX, .severity = FL_NOTE_LIMIT, .text = notes[i]};
    FL_TRY(fl_case_note(owner, &note, err));
  }
  if (sigma->n_dropped == 0) return FL_OK;
  const fl_note note = {
      .source = UINT32_MAX,
      .severity = FL_NOTE_LIMIT,
      .text = fl_arena_printf(owner->arena, "%llu events of Sigma findings were not kept",
                              (unsigned long long)sigma->n_dropped)};
  return note.text.p ? fl_case_note(owner, &note, err) : no_memory(err);
}

fl_status fl_case_sigma_finish(fl_case_sigma *sigma, case_owner *owner, fl_err *err) {
  const fl_hit *hits = NULL;
  if (sigma->n) qsort(sigma->events, sigma->n, sizeof(*sigma->events), by_place);
  FL_TRY(sigma->run.finish(sigma->run.self, err));
  FL_TRY(fl_hits_finish(sigma->hits, sigma->names, sigma->n_names, err));
  const size_t n = fl_hits_all(sigma->hits, &hits);
  fl_case *c = &owner->c;
  fl_finding *all = FL_NEW_ARRAY(owner->arena, fl_finding, c->n_findings + n);
  if (!all) return no_memory(err);
  if (c->n_findings) memcpy(all, c->findings, c->n_findings * sizeof *all);
  for (size_t i = 0; i < n; i++)
    FL_TRY(fill(sigma, &hits[i], owner->arena, &all[c->n_findings + i], err));
  c->findings = all;
  c->n_findings += n;
  return tell(sigma, owner, err);
}
