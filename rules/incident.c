/* incident.c - crashes and stops of a case: records that belong together become one incident, with
 * its time, its place and what contradicts itself in it (docs/incidents.md). */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/incident.h"

enum { BEFORE_BOOT_S = 600, MOST_DOUBTS = 4 };

/* What says most comes first. */
static const fl_piece_kind ranks[] = {
    FL_PIECE_KERNEL,  FL_PIECE_DUMP,     FL_PIECE_APP,     FL_PIECE_WER,
    FL_PIECE_STOP,    FL_PIECE_HANG,     FL_PIECE_UNCLEAN, FL_PIECE_REPORT,
    FL_PIECE_DOTNET,  FL_PIECE_CRITICAL, FL_PIECE_PAGE,    FL_PIECE_UMDF,
    FL_PIECE_SERVICE, FL_PIECE_DIRTY,    FL_PIECE_DISPLAY, FL_PIECE_NO_DUMP};

static const char *const piece_words[] = {[FL_PIECE_NONE] = "",
                                          [FL_PIECE_DUMP] = "the dump",
                                          [FL_PIECE_APP] = "Application Error 1000",
                                          [FL_PIECE_WER] = "the error report",
                                          [FL_PIECE_REPORT] = "Windows Error Reporting 1001",
                                          [FL_PIECE_HANG] = "Application Hang 1002",
                                          [FL_PIECE_DOTNET] = ".NET Runtime",
                                          [FL_PIECE_PAGE] = "Application Error 1005",
                                          [FL_PIECE_CRITICAL] = "Wininit 1015",
                                          [FL_PIECE_UMDF] = "DriverFrameworks-UserMode",
                                          [FL_PIECE_SERVICE] = "the service manager",
                                          [FL_PIECE_KERNEL] = "the dump",
                                          [FL_PIECE_STOP] = "WER-SystemErrorReporting 1001",
                                          [FL_PIECE_UNCLEAN] = "Kernel-Power 41",
                                          [FL_PIECE_DIRTY] = "EventLog 6008",
                                          [FL_PIECE_NO_DUMP] = "volmgr 161",
                                          [FL_PIECE_DISPLAY] = "Display 4101"};

/* The members of one incident, by rank, then as they stand. */
typedef struct group {
  const fl_piece **items;
  size_t n;
} group;

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for incidents");
}

static bool has(const group *g, fl_piece_kind kind) {
  for (size_t i = 0; i < g->n; i++)
    if (g->items[i]->kind == kind) return true;
  return false;
}

static bool is_any_live(const group *g) {
  for (size_t i = 0; i < g->n; i++)
    if (g->items[i]->is_live) return true;
  return false;
}

static bool has_stop_code(const group *g) {
  for (size_t i = 0; i < g->n; i++)
    if (g->items[i]->is_stop && g->items[i]->has_code && g->items[i]->code != 0) return true;
  return false;
}

static bool is_only_hang(const group *g) {
  for (size_t i = 0; i < g->n; i++)
    if (g->items[i]->kind != FL_PIECE_HANG && g->items[i]->has_code) return false;
  return has(g, FL_PIECE_HANG);
}

static fl_incident_kind kind_of(const group *g) {
  if (is_any_live(g)) return FL_INCIDENT_LIVE;
  if (has_stop_code(g) || has(g, FL_PIECE_KERNEL) || has(g, FL_PIECE_STOP)) return FL_INCIDENT_STOP;
  if (has(g, FL_PIECE_UNCLEAN) || has(g, FL_PIECE_DIRTY)) return FL_INCIDENT_POWER;
  if (has(g, FL_PIECE_NO_DUMP)) return FL_INCIDENT_STOP;
  if (is_only_hang(g)) return FL_INCIDENT_HANG;
  return g->n == 1 && g->items[0]->kind == FL_PIECE_SERVICE ? FL_INCIDENT_SERVICE
                                                            : FL_INCIDENT_CRASH;
}

static void take_first(fl_str *slot, fl_str text) {
  if (slot->n == 0) *slot = text;
}

static bool truth_of(const fl_event *event, const char *name) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  return value && value->kind == FL_V_BOOL && value->as.boolean;
}

static void take_facts(fl_incident *in, const fl_piece *p) {
  const bool is_code = in->kind == FL_INCIDENT_STOP || in->kind == FL_INCIDENT_LIVE
                           ? p->is_stop && p->code != 0
                           : !p->is_stop;
  take_first(&in->process, p->process);
  take_first(&in->service, p->service);
  take_first(&in->module, p->module);
  take_first(&in->place, p->place);
  take_first(&in->signature, p->signature);
  if (!in->has_code && p->has_code && is_code) {
    in->has_code = true;
    in->code = (uint32_t)p->code;
  }
  if (!in->has_parameters && p->has_parameters && is_code) {
    in->has_parameters = true;
    memcpy(in->parameters, p->parameters, sizeof in->parameters);
  }
  in->has_dump |= p->kind == FL_PIECE_DUMP || p->kind == FL_PIECE_KERNEL;
  in->lost_dump |= p->kind == FL_PIECE_NO_DUMP;
  in->is_rdp_driver |= p->kind == FL_PIECE_KERNEL && truth_of(p->event, "is_rdp_driver");
  const fl_value *button = fl_event_field(p->event, FL_STR("button"));
  int64_t pressed = 0;
  if (p->kind == FL_PIECE_UNCLEAN && button && fl_value_number(button, &pressed) && pressed != 0)
    in->is_button = true;
}

static const char *words_of_code(const fl_incident *in) {
  if (!in->has_code) return "";
  const bool is_stop = in->kind == FL_INCIDENT_STOP || in->kind == FL_INCIDENT_LIVE;
  const fl_code_fact *known =
      fl_code_find(is_stop ? FL_CODE_BUGCHECK : FL_CODE_EXCEPTION, in->code);
  if (!known && !is_stop) known = fl_code_find(FL_CODE_NTSTATUS, in->code);
  return known ? known->meaning : "a code without documentation";
}

/* ---- times ---- */

static bool is_beat(const fl_event *event, fl_str host) {
  return !(event->flags & (FL_F_TIME_INVALID | FL_F_DUPLICATE)) &&
         !fl_provider_is_state(event->provider) && fl_str_eq_nocase(event->host, host);
}

/* The first record of the start that noticed the stop. */
static fl_time boot_before(const fl_solver *s, fl_str host, fl_time reported, size_t *ret_at) {
  fl_time boot = reported;
  size_t at = s->c->n_events;
  while (at > 0 && s->c->events[at - 1]->t >= reported) at--;
  for (size_t i = at; i > 0; i--) {
    const fl_event *e = s->c->events[i - 1];
    if (e->t < fl_moment_plus(reported, -BEFORE_BOOT_S)) break;
    const bool is_boot =
        fl_str_eq(e->kind, FL_STR("power.boot")) || fl_str_eq(e->kind, FL_STR("power.log_start"));
    if (is_boot && is_beat(e, host)) boot = e->t;
  }
  while (at > 0 && s->c->events[at - 1]->t >= boot) at--;
  *ret_at = at;
  return boot;
}

/* A stop without a dump lies between the last sign of life and the start. */
static void bound_time(const fl_solver *s, fl_incident *in, fl_str host) {
  size_t at = 0;
  const fl_time boot = boot_before(s, host, in->reported, &at);
  for (; at > 0; at--) {
    const fl_event *e = s->c->events[at - 1];
    if (in->t && e->t <= in->t) break;
    if (!is_beat(e, host)) continue;
    in->t = e->t;
    break;
  }
  in->reported = boot;
  if (!in->t) in->t = boot;
}

static void set_times(const fl_solver *s, fl_incident *in, const group *g) {
  fl_time exact = 0, first_report = 0, last = 0, alive = 0;
  for (size_t i = 0; i < g->n; i++) {
    const fl_piece *p = g->items[i];
    const bool is_late = p->is_reported || (p->kind == FL_PIECE_SERVICE && g->n > 1);
    if (p->alive > alive) alive = p->alive;
    if (!p->has_time) continue;
    if (!is_late && (!exact || p->t < exact)) exact = p->t;
    if (p->is_reported && (!first_report || p->t < first_report)) first_report = p->t;
    if (p->t > last) last = p->t;
  }
  const bool is_stop = in->kind == FL_INCIDENT_STOP || in->kind == FL_INCIDENT_POWER;
  in->is_exact = exact != 0;
  in->t = exact;
  in->reported = is_stop && first_report ? first_report : last;
  if (exact || !last) return;
  in->t = is_stop && alive < last ? alive : 0;
  if (is_stop) bound_time(s, in, g->items[0]->event->host);
  else in->t = last;
}

/* ---- what does not fit ---- */

static fl_str placed(const fl_piece *p, fl_arena *arena) {
  return fl_arena_printf(arena, "%.*s, code 0x%llx", FL_STR_ARG(p->place),
                         (unsigned long long)p->code);
}

static fl_str doubt_of(const fl_piece *a, const fl_piece *b, fl_arena *arena) {
  const char *x = piece_words[a->kind], *y = piece_words[b->kind];
  const bool differs = a->has_offset && b->has_offset && !a->is_stop && !b->is_stop &&
                       (!fl_str_eq_nocase(a->module, b->module) || a->offset != b->offset ||
                        (a->has_code && b->has_code && a->code != b->code));
  if (differs)
    return fl_arena_printf(arena, "%s says %.*s; %s says %.*s", x, FL_STR_ARG(placed(a, arena)), y,
                           FL_STR_ARG(placed(b, arena)));
  if (a->pid >= 0 && b->pid >= 0 && a->pid != b->pid)
    return fl_arena_printf(arena, "%s names process %lld, %s process %lld", x, (long long)a->pid, y,
                           (long long)b->pid);
  if (a->process.n && b->process.n && !fl_str_eq_nocase(a->process, b->process))
    return fl_arena_printf(arena, "%s names %.*s, %s names %.*s", x, FL_STR_ARG(a->process), y,
                           FL_STR_ARG(b->process));
  if (!a->is_stop || !b->is_stop || !a->has_code || !b->has_code) return (fl_str){0};
  const bool is_code = a->code != b->code;
  const bool is_other = a->has_parameters && b->has_parameters &&
                        memcmp(a->parameters, b->parameters, sizeof a->parameters) != 0;
  if (is_code)
    return fl_arena_printf(arena, "%s says stop code 0x%llx, %s says 0x%llx", x,
                           (unsigned long long)a->code, y, (unsigned long long)b->code);
  if (is_other) return fl_arena_printf(arena, "%s and %s give other parameters of the stop", x, y);
  return (fl_str){0};
}

static fl_status find_doubts(fl_solver *s, fl_incident *in, const group *g, fl_err *err) {
  fl_str *doubts = FL_NEW_ARRAY(s->arena, fl_str, MOST_DOUBTS);
  if (!doubts) return no_memory(err);
  for (size_t i = 0; i < g->n; i++)
    for (size_t k = i + 1; k < g->n && in->n_contradictions < MOST_DOUBTS; k++) {
      const fl_str doubt = doubt_of(g->items[i], g->items[k], s->arena);
      if (doubt.n) doubts[in->n_contradictions++] = doubt;
    }
  in->contradictions = doubts;
  return FL_OK;
}

/* ---- groups ---- */

static fl_status gather(fl_solver *s, const fl_pieces *pieces, uint32_t root, group *ret_group,
                        fl_err *err) {
  size_t n = 0;
  for (uint32_t i = root; i < pieces->n; i++) n += fl_piece_root(pieces, i) == root;
  group g = {.items = FL_NEW_ARRAY(s->arena, const fl_piece *, n)};
  if (!g.items) return no_memory(err);
  for (size_t r = 0; r < sizeof ranks / sizeof *ranks; r++)
    for (uint32_t i = root; i < pieces->n && g.n < n; i++)
      if (pieces->items[i].kind == ranks[r] && fl_piece_root(pieces, i) == root)
        g.items[g.n++] = &pieces->items[i];
  *ret_group = g;
  return FL_OK;
}

static fl_status set_joins(fl_solver *s, const fl_pieces *pieces, uint32_t root, fl_incident *in,
                           fl_err *err) {
  fl_incident_join *joins = FL_NEW_ARRAY(s->arena, fl_incident_join, in->n_events);
  if (!joins) return no_memory(err);
  for (size_t i = 0; i < pieces->n_joins && in->n_joins < in->n_events; i++) {
    const fl_piece_join *j = &pieces->joins[i];
    if (fl_piece_root(pieces, j->from) != root) continue;
    joins[in->n_joins++] = (fl_incident_join){.rule = j->rule,
                                              .confidence = j->confidence,
                                              .event = pieces->items[j->from].event,
                                              .to = pieces->items[j->to].event};
  }
  in->joins = joins;
  return FL_OK;
}

static fl_status make(fl_solver *s, const fl_pieces *pieces, uint32_t root, fl_incident *ret_in,
                      fl_err *err) {
  group g = {.n = 0};
  FL_TRY(gather(s, pieces, root, &g, err));
  const int32_t machine = pieces->items[root].machine;
  fl_incident in = {.kind = kind_of(&g), .machine = machine < 0 ? NULL : &s->machines[machine]};
  const fl_event **events = FL_NEW_ARRAY(s->arena, const fl_event *, g.n);
  if (!events) return no_memory(err);
  for (size_t i = 0; i < g.n; i++) {
    take_facts(&in, g.items[i]);
    events[i] = g.items[i]->event;
  }
  in.events = events;
  in.n_events = g.n;
  in.code_text = words_of_code(&in);
  in.part = fl_incident_part(&in).name;
  set_times(s, &in, &g);
  FL_TRY(set_joins(s, pieces, root, &in, err));
  FL_TRY(find_doubts(s, &in, &g, err));
  *ret_in = in;
  return FL_OK;
}

static int by_time(const void *a, const void *b) {
  const fl_incident *x = a, *y = b;
  if (x->t != y->t) return x->t < y->t ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

static bool is_alike(const fl_incident *a, const fl_incident *b) {
  /* Nothing but the machine tells losses of power apart. */
  if (a->kind == FL_INCIDENT_POWER && a->machine != b->machine) return false;
  return a->kind == b->kind && a->has_code == b->has_code && a->code == b->code &&
         fl_str_eq_nocase(a->process, b->process) && fl_str_eq_nocase(a->service, b->service) &&
         fl_str_eq_nocase(a->place, b->place);
}

static void count_alike(fl_solver *s) {
  for (size_t i = 0; i < s->n_incidents; i++)
    for (size_t k = 0; k < s->n_incidents; k++)
      s->incidents[i].n_alike += is_alike(&s->incidents[i], &s->incidents[k]);
}

bool fl_event_is_incident(const fl_event *event) {
  return event->source == UINT32_MAX && fl_str_eq(event->kind, FL_STR("incident"));
}

fl_status fl_incidents_make(fl_solver *s, fl_err *err) {
  fl_pieces pieces = {.n = 0};
  FL_TRY(fl_pieces_read(s, &pieces, err));
  s->n_cut_crashes = pieces.n_left_out;
  fl_pieces_join(&pieces);
  s->incidents = FL_NEW_ARRAY(s->arena, fl_incident, pieces.n + 1);
  if (!s->incidents) return no_memory(err);
  for (uint32_t i = 0; i < pieces.n; i++) {
    if (fl_piece_root(&pieces, i) != i) continue;
    FL_TRY(make(s, &pieces, i, &s->incidents[s->n_incidents], err));
    s->incidents[s->n_incidents].number = (unsigned)s->n_incidents; /* keeps the sort stable */
    s->n_incidents++;
  }
  qsort(s->incidents, s->n_incidents, sizeof *s->incidents, by_time);
  for (size_t i = 0; i < s->n_incidents; i++) s->incidents[i].number = (unsigned)i + 1;
  count_alike(s);
  FL_TRY(fl_incidents_weigh(s, err));
  for (size_t i = 0; i < s->n_incidents; i++) FL_TRY(fl_incident_event(s, &s->incidents[i], err));
  s->c->incidents = s->incidents;
  s->c->n_incidents = s->n_incidents;
  return FL_OK;
}
