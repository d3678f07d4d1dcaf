/* sequence_cite.c - the records that a line of a score, or a whole finding, rests on. */
#include <stdlib.h>

#include "rules/sequence_run.h"

enum { MAX_CITED = 512 };

enum { NO_NUMBER = UINT32_MAX };
typedef struct cited {
  const fl_event *event;
  fl_time t;
  uint32_t at; /* its number in the run, NO_NUMBER for a record behind an attempt */
} cited;

typedef struct citation {
  fl_scene *scene;
  cited *items; /* MAX_CITED */
  size_t n;
} citation;

static int by_time(const void *a, const void *b) {
  const cited *x = a, *y = b;
  if (x->t != y->t) return x->t < y->t ? -1 : 1;
  if (x->event->source != y->event->source) return x->event->source < y->event->source ? -1 : 1;
  return (x->event->seq > y->event->seq) - (x->event->seq < y->event->seq);
}

static void add(citation *c, const fl_event *event, fl_time t) {
  for (size_t i = 0; i < c->n; i++)
    if (c->items[i].event == event) return;
  if (c->n < MAX_CITED) c->items[c->n++] = (cited){event, t, NO_NUMBER};
}

static fl_time aligned(const fl_run *run, const fl_event *event) {
  const int32_t machine = fl_hosts_find(run, event->host);
  fl_time t = event->t;
  if (machine >= 0 && __builtin_add_overflow(t, run->in.machines[machine].offset_ns, &t))
    return event->t;
  return t;
}

/* An incident stands in no log: its records do. */
static bool add_incident(citation *c, const fl_event *event) {
  const fl_run *run = c->scene->run;
  if (!fl_event_is_incident(event) || event->seq == 0 || event->seq > run->in.n_incidents)
    return false;
  const fl_incident *in = &run->in.incidents[event->seq - 1];
  for (size_t i = 0; i < in->n_events; i++) add(c, in->events[i], aligned(run, in->events[i]));
  return true;
}

static void add_number(citation *c, uint32_t at) {
  fl_run *run = c->scene->run;
  for (size_t i = 0; i < c->n; i++)
    if (c->items[i].at == at) return;
  const size_t n_before = c->n;
  if (add_incident(c, fl_run_event(run, at))) return;
  add(c, fl_run_cited(run, at), fl_run_time(run, at));
  if (c->n > n_before) c->items[n_before].at = at;
}

static void add_sight(citation *c, const fl_sight *sight) {
  if (sight->n_kept == 0) add_number(c, sight->first);
  for (size_t k = 0; k < sight->n_kept && c->n < MAX_CITED; k++) add_number(c, sight->kept[k]);
}

/* A fact of an attempt stands in records; `fact` empty = the attempt itself. */
static void add_fact(citation *c, uint16_t event, fl_str fact) {
  const fl_run *run = c->scene->run;
  if (event == FL_FLR_NONE || !c->scene->sights[event].is_bound) return;
  const fl_event *attempt = fl_run_event(run, c->scene->sights[event].first);
  if (!(attempt->flags & FL_F_SYNTHETIC) || attempt->seq == 0 || attempt->seq > run->in.n_attempts)
    return;
  const fl_event *records[FL_ATTEMPT_RECORDS];
  const size_t n = fl_attempt_records(&run->in.attempts[attempt->seq - 1], fact, records);
  for (size_t i = 0; i < n; i++) add(c, records[i], aligned(run, records[i]));
}

static void add_operand(citation *c, const fl_operand *operand) {
  if (operand->kind == FL_O_FIELD) add_fact(c, operand->event, operand->path.field);
}

/* Nested no deeper than the parser allows. What is denied has no record. */
static void add_facts(citation *c, const fl_expr *expr) {
  if (expr->kind == FL_X_NOT) return;
  for (const fl_expr *kid = expr->kid; kid; kid = kid->next) add_facts(c, kid);
  if (expr->kind != FL_X_COMPARE) {
    add_fact(c, expr->event, (fl_str){0});
    add_fact(c, expr->other, (fl_str){0});
    return;
  }
  add_operand(c, &expr->left);
  for (size_t i = 0; i < expr->n_values; i++) add_operand(c, &expr->values[i]);
}

static fl_status finish(citation *c, const fl_event *const **ret_events, size_t *ret_n) {
  fl_run *run = c->scene->run;
  if (c->n) qsort(c->items, c->n, sizeof *c->items, by_time);
  const fl_event **events = FL_NEW_ARRAY(run->shelf, const fl_event *, c->n);
  if (!events) return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for findings");
  for (size_t i = 0; i < c->n; i++) events[i] = c->items[i].event;
  *ret_events = events;
  *ret_n = c->n;
  return FL_OK;
}

static fl_status start(fl_scene *scene, citation *ret_citation) {
  cited *items = FL_NEW_ARRAY(scene->run->scratch, cited, MAX_CITED);
  if (!items) return fl_fail(scene->run->err, FL_E_NOMEM, 0, "out of memory for findings");
  *ret_citation = (citation){scene, items, 0};
  return FL_OK;
}

fl_status fl_scene_cite(fl_scene *scene, const bool *named, const fl_expr *expr,
                        const fl_event *const **ret_events, size_t *ret_n) {
  citation c;
  FL_TRY(start(scene, &c));
  for (size_t i = 0; i < scene->rule->n_selectors; i++) {
    const fl_sight *sight = &scene->sights[i];
    if (!sight->is_bound || !named[i]) continue;
    if (!(fl_run_event(scene->run, sight->first)->flags & FL_F_SYNTHETIC)) add_sight(&c, sight);
  }
  if (expr) add_facts(&c, expr);
  return finish(&c, ret_events, ret_n);
}

fl_status fl_scene_cite_all(fl_scene *scene, const fl_event *const **ret_events, size_t *ret_n) {
  citation c;
  FL_TRY(start(scene, &c));
  for (size_t i = 0; i < scene->rule->n_selectors; i++)
    if (scene->sights[i].is_bound) add_sight(&c, &scene->sights[i]);
  return finish(&c, ret_events, ret_n);
}
