/* case_finds.c - what YARA rules found, as findings of the case: signs beside its causes. */
#include <string.h>

#include "base/limits.h"
#include "rules/case.h"

/* Findings of one rule: its events of kind `yara.match`, at most so many of them cited. */
typedef struct finds {
  fl_solver *s;
  fl_finding *items; /* behind those of sequences */
  size_t n;
  size_t *n_found; /* events of each */
  fl_sign *signs;
  uint64_t n_dropped; /* events of rules beyond the limit */
} finds;

static fl_str text_of(const fl_event *event, const char *name) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  return value && value->kind == FL_V_STR ? value->as.text : (fl_str){0};
}

static bool is_find(const fl_event *event) {
  return (event->flags & FL_F_FINDING) && fl_str_eq(event->kind, FL_STR("yara.match"));
}

static fl_finding *finding_of(const finds *f, fl_str rule) {
  for (size_t i = f->n; i > 0; i--)
    if (fl_str_eq(fl_str_of(f->items[i - 1].rule), rule)) return &f->items[i - 1];
  return NULL;
}

static bool start(finds *f, const fl_event *event, fl_str rule) {
  fl_arena *arena = f->s->arena;
  int64_t severity = 0;
  const fl_value *given = fl_event_field(event, FL_STR("severity"));
  const fl_str title = text_of(event, "title");
  const fl_str name = fl_arena_str(arena, rule);
  const fl_str shown = fl_arena_str(arena, title.n ? title : rule);
  const fl_event **events = FL_NEW_ARRAY(arena, const fl_event *, FL_LIMIT_SEQUENCE_KEPT);
  if (given) (void)fl_value_number(given, &severity);
  f->items[f->n++] = (fl_finding){.engine = FL_BY_YARA,
                                  .rule = name.p,
                                  .title = shown.p,
                                  .cause = "",
                                  .effect = "context",
                                  .severity = (int)severity,
                                  .anchor = event,
                                  .events = events};
  return name.p && shown.p && events;
}

static void add(finds *f, fl_finding *finding, const fl_event *event) {
  size_t *n = &f->n_found[finding - f->items];
  ++*n;
  if (finding->n_events < FL_LIMIT_SEQUENCE_KEPT)
    ((const fl_event **)(uintptr_t)finding->events)[finding->n_events++] = event;
  if (event->flags & FL_F_TIME_INVALID) return;
  if (!finding->start || event->t < finding->start) finding->start = event->t;
  if (event->t > finding->end) finding->end = event->t;
}

static bool finish(finds *f) {
  for (size_t i = 0; i < f->n; i++) {
    fl_finding *finding = &f->items[i];
    finding->text = fl_arena_printf(f->s->arena, "YARA rule %s matches in %zu place%s",
                                    finding->rule, f->n_found[i], f->n_found[i] == 1 ? "" : "s");
    if (!finding->text.p) return false;
  }
  return true;
}

static void sign(const fl_finding *finding, size_t n_found, fl_sign *ret_sign) {
  *ret_sign = (fl_sign){.engine = FL_BY_YARA,
                        .rule = finding->rule,
                        .title = finding->title,
                        .level = "",
                        .severity = finding->severity,
                        .n_findings = n_found,
                        .first = finding->start,
                        .last = finding->end};
  for (size_t i = 0; i < finding->n_events && i < FL_SIGN_PLACES; i++) {
    const fl_event *event = finding->events[i];
    ret_sign->places[ret_sign->n_places++] = (fl_hit_event){.source = event->source,
                                                            .flags = event->flags,
                                                            .record_id = event->record_id,
                                                            .offset = event->offset,
                                                            .seq = event->seq,
                                                            .t = event->t};
  }
}

/* Room for as many rules; look-ups are linear, and few rules match. */
static size_t count_rules(const fl_case *c) {
  size_t n = 0;
  for (size_t i = 0; i < c->n_events; i++) n += is_find(c->events[i]);
  return n < FL_LIMIT_CASE_FINDS ? n : FL_LIMIT_CASE_FINDS;
}

fl_status fl_case_add_finds(fl_solver *s, case_owner *o, fl_err *err) {
  const size_t n_before = o->c.n_findings, most = count_rules(&o->c);
  if (most == 0) return FL_OK;
  fl_finding *all = FL_NEW_ARRAY(s->arena, fl_finding, n_before + most);
  finds f = {.s = s,
             .n_found = FL_NEW_ARRAY(s->arena, size_t, most),
             .signs = FL_NEW_ARRAY(s->arena, fl_sign, most)};
  if (!all || !f.n_found || !f.signs)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
  if (n_before) memcpy(all, o->c.findings, n_before * sizeof *all);
  f.items = all + n_before;
  for (size_t i = 0; i < o->c.n_events; i++) {
    const fl_event *event = o->c.events[i];
    const fl_str rule = is_find(event) ? text_of(event, "rule") : (fl_str){0};
    fl_finding *finding = rule.n ? finding_of(&f, rule) : NULL;
    if (!rule.n) continue;
    if (!finding && f.n == most) {
      f.n_dropped++;
      continue;
    }
    if (!finding && !start(&f, event, rule))
      return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
    add(&f, finding ? finding : &f.items[f.n - 1], event);
  }
  if (!finish(&f)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
  o->c.findings = all;
  o->c.n_findings = n_before + f.n;
  for (size_t i = 0; i < f.n; i++) sign(&f.items[i], f.n_found[i], &f.signs[i]);
  FL_TRY(fl_case_signs_add(o, f.signs, f.n, err));
  if (f.n_dropped == 0) return FL_OK;
  return fl_case_note_limit(
      o,
      fl_arena_printf(s->arena, "finds of YARA rules beyond the first %d rules that matched: %llu",
                      FL_LIMIT_CASE_FINDS, (unsigned long long)f.n_dropped),
      err);
}
