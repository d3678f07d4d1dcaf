/* case_solve.c - kept events become attempts, findings and a verdict. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/case.h"
#include "rules/flr.h"
#include "rules/sequence.h"

/* What the order of events rests on: recorded times first, aligned ones once clocks are known. */
typedef struct order {
  const uint32_t *rank; /* of a source's name, by source id */
  size_t n_ranks;
  const fl_case *c;
  bool is_aligned;
} order;

static fl_time time_of(const order *by, const fl_event *event) {
  const bool is_timeless = (event->flags & FL_F_TIME_INVALID) != 0;
  if (!by->is_aligned || is_timeless || fl_event_is_attempt(event)) return event->t;
  const fl_machine *machine = fl_case_machine(by->c, event->host);
  return machine ? event->t + machine->offset_ns : event->t;
}

static uint32_t rank_of(const order *by, uint32_t source) {
  return source < by->n_ranks ? by->rank[source] : UINT32_MAX;
}

typedef struct timed {
  const fl_event *event;
  fl_time t;
  uint32_t rank;
} timed;

static int compare_timed(const void *a, const void *b) {
  const timed *x = a, *y = b;
  if (x->t != y->t) return x->t < y->t ? -1 : 1;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return (x->event->seq > y->event->seq) - (x->event->seq < y->event->seq);
}

static int compare_names(const void *a, const void *b) {
  const fl_source_info *x = *(const fl_source_info *const *)a;
  const fl_source_info *y = *(const fl_source_info *const *)b;
  const int c = fl_str_cmp(x->name, y->name);
  return c ? c : (x->id > y->id) - (x->id < y->id);
}

/* Equal times are ordered by the names of their sources, so that ids cannot matter. */
static fl_status rank_sources(const case_owner *o, order *ret_order, fl_err *err) {
  uint32_t max = 0;
  for (size_t i = 0; i < o->n_sources; i++)
    if (o->sources[i].id > max) max = o->sources[i].id;
  if (max > FL_LIMIT_MEMBERS * 4) max = FL_LIMIT_MEMBERS * 4;
  uint32_t *rank = FL_NEW_ARRAY(o->arena, uint32_t, (size_t)max + 1);
  const fl_source_info **list = FL_NEW_ARRAY(o->arena, const fl_source_info *, o->n_sources + 1);
  if (!rank || !list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory to sort sources");
  for (size_t i = 0; i < o->n_sources; i++) list[i] = &o->sources[i];
  qsort(list, o->n_sources, sizeof *list, compare_names);
  for (size_t i = 0; i < o->n_sources; i++)
    if (list[i]->id <= max) rank[list[i]->id] = (uint32_t)i;
  ret_order->rank = rank;
  ret_order->n_ranks = (size_t)max + 1;
  return FL_OK;
}

static fl_status sort(const order *by, const fl_event **events, fl_time *ret_times, size_t n,
                      fl_err *err) {
  timed *list = malloc((n + 1) * sizeof *list);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory to sort %zu events", n);
  for (size_t i = 0; i < n; i++)
    list[i] = (timed){events[i], time_of(by, events[i]), rank_of(by, events[i]->source)};
  qsort(list, n, sizeof *list, compare_timed);
  for (size_t i = 0; i < n; i++) {
    events[i] = list[i].event;
    if (ret_times) ret_times[i] = list[i].t;
  }
  free(list);
  return FL_OK;
}

/* A number names a record within its channel; what has none, such as a line of text, is its own. */
static bool is_same_record(const fl_event *a, const fl_event *b) {
  return a->channel.n != 0 && a->record_id == b->record_id && a->event_id == b->event_id &&
         a->record_id >= 0 && fl_str_eq_nocase(a->host, b->host) &&
         fl_str_eq_nocase(a->channel, b->channel) && fl_str_eq_nocase(a->provider, b->provider);
}

/* The same record from two sources (a log beside its export): the later one is left out. */
static size_t drop_duplicates(const fl_event **events, size_t n) {
  enum { LOOK_BACK = 256 };
  size_t n_left = 0;
  for (size_t i = 0; i < n; i++) {
    bool is_new = !(events[i]->flags & FL_F_DUPLICATE);
    for (size_t k = n_left; is_new && k > 0 && n_left - k < LOOK_BACK; k--) {
      if (events[k - 1]->t != events[i]->t) break;
      is_new = !is_same_record(events[k - 1], events[i]);
    }
    if (is_new) events[n_left++] = events[i];
  }
  return n_left;
}

static fl_status take_events(case_owner *o, order *by, fl_err *err) {
  size_t n = 0;
  const fl_event *const *kept = fl_match_events(o->match, &n);
  const fl_event **events = FL_NEW_ARRAY(o->arena, const fl_event *, n + 1);
  if (!events) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for %zu events", n);
  if (n) memcpy(events, kept, n * sizeof *events);
  FL_TRY(rank_sources(o, by, err));
  FL_TRY(sort(by, events, NULL, n, err));
  o->events = events;
  o->c.events = events;
  o->c.n_events = drop_duplicates(events, n);
  return FL_OK;
}

static fl_status note_limit(case_owner *o, bool is_reached, fl_str text, fl_err *err) {
  return is_reached ? fl_case_note_limit(o, text, err) : FL_OK;
}

/* A rule that lost its regular expression may have missed what it looks for. */
static fl_status note_patterns(const fl_rules *rules, case_owner *o, fl_err *err) {
  const fl_pattern *p = rules ? fl_rules_patterns(rules) : NULL;
  for (; p; p = p->next)
    FL_TRY(note_limit(o, p->n_given_up > 0,
                      fl_arena_printf(o->arena,
                                      "%.*s:%u: the regular expression reached its limit on %u "
                                      "values, which fit nothing%s",
                                      FL_STR_ARG(p->file), p->line, p->n_given_up,
                                      p->n_given_up >= FL_FLR_GIVE_UPS ? "; out of use since" : ""),
                      err));
  return FL_OK;
}

/* What did not fit is never left out in silence: each limit gets a note. */
static fl_status note_limits(const fl_solver *s, case_owner *o, fl_err *err) {
  fl_arena *arena = o->arena;
  const unsigned long long n_events = fl_match_dropped(o->match), n_notes = o->n_notes_dropped,
                           n_runs = o->c.n_evicted;
  FL_TRY(note_limit(
      o, n_events > 0,
      fl_arena_printf(
          arena,
          "events that rules ask for and that did not fit in memory: %llu; narrow with --since",
          n_events),
      err));
  FL_TRY(note_limit(o, s->n_cut_records > 0,
                    fl_arena_printf(arena,
                                    "records of connections beyond the first %d connections: %zu; "
                                    "narrow with --since",
                                    FL_LIMIT_LEGS, s->n_cut_records),
                    err));
  FL_TRY(note_limit(
      o, s->n_cut_dials > 0,
      fl_arena_printf(arena,
                      "connections of clients beyond the first %d, not joined with the host's: "
                      "%zu; narrow with --since",
                      FL_LIMIT_DIALS, s->n_cut_dials),
      err));
  FL_TRY(
      note_limit(o, s->n_cut_crashes > 0,
                 fl_arena_printf(arena,
                                 "records of crashes before the newest %d, of which no incidents "
                                 "were made: %zu; narrow with --since",
                                 FL_LIMIT_INCIDENT_RECORDS, s->n_cut_crashes),
                 err));
  FL_TRY(note_limit(o, s->has_cut_machines,
                    fl_arena_printf(arena,
                                    "more than %d computer names; records of the others belong to "
                                    "no attempt",
                                    FL_LIMIT_MACHINES),
                    err));
  FL_TRY(note_limit(o, s->has_cut_aliases,
                    fl_arena_printf(arena,
                                    "a machine has more than %d names and addresses; the others "
                                    "were not joined with it",
                                    FL_LIMIT_ALIASES),
                    err));
  FL_TRY(note_limit(
      o, n_runs > 0,
      fl_arena_printf(arena, "runs, findings or candidates of rules beyond the limits: %llu",
                      n_runs),
      err));
  return note_limit(
      o, n_notes > 0,
      fl_arena_printf(arena, "notes beyond the first %d: %llu; inspect lists all of them",
                      FL_LIMIT_CASE_NOTES, n_notes),
      err);
}

/* Kept and synthetic events in aligned order, as sequences want them. */
static fl_status list_all(fl_solver *s, case_owner *o, order *by, fl_sequence_input *ret_in,
                          fl_err *err) {
  const size_t n_made = s->n_attempts + s->n_incidents, n = s->c->n_events + n_made;
  const fl_event **events = FL_NEW_ARRAY(s->arena, const fl_event *, n + 1);
  fl_time *times = FL_NEW_ARRAY(s->arena, fl_time, n + 1);
  if (!events || !times) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for %zu events", n);
  if (s->c->n_events) memcpy(events, s->c->events, s->c->n_events * sizeof *events);
  for (size_t i = 0; i < s->n_attempts; i++) {
    FL_TRY(fl_attempt_event(s, &s->attempts[i], err));
    events[s->c->n_events + i] = s->attempts[i].event;
  }
  for (size_t i = 0; i < s->n_incidents; i++)
    events[s->c->n_events + s->n_attempts + i] = s->incidents[i].event;
  by->is_aligned = true;
  FL_TRY(sort(by, events, times, n, err));
  size_t n_kept = 0;
  for (size_t i = 0; i < n; i++)
    if (!fl_event_is_attempt(events[i]) && !fl_event_is_incident(events[i]))
      o->events[n_kept++] = events[i];
  ret_in->events = events;
  ret_in->times = times;
  ret_in->n = n;
  return FL_OK;
}

static int compare_pointers(const void *a, const void *b) {
  const uintptr_t x = (uintptr_t) * (const fl_event *const *)a;
  const uintptr_t y = (uintptr_t) * (const fl_event *const *)b;
  return (x > y) - (x < y);
}

/* Takes what noise rules matched out of the sight of the others. */
static fl_status hide(const fl_finding *findings, size_t n_findings, fl_arena *arena,
                      fl_sequence_input *in, fl_err *err) {
  size_t n_hidden = 0;
  for (size_t i = 0; i < n_findings; i++) n_hidden += findings[i].n_events;
  if (!n_hidden) return FL_OK;
  const fl_event **hidden = FL_NEW_ARRAY(arena, const fl_event *, n_hidden);
  const fl_event **events = FL_NEW_ARRAY(arena, const fl_event *, in->n + 1);
  fl_time *times = FL_NEW_ARRAY(arena, fl_time, in->n + 1);
  if (!hidden || !events || !times)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory to set noise aside");
  size_t at = 0;
  for (size_t i = 0; i < n_findings; i++)
    for (size_t k = 0; k < findings[i].n_events; k++) hidden[at++] = findings[i].events[k];
  qsort(hidden, n_hidden, sizeof *hidden, compare_pointers);
  size_t n_left = 0;
  for (size_t i = 0; i < in->n; i++) {
    if (bsearch(&in->events[i], hidden, n_hidden, sizeof *hidden, compare_pointers)) continue;
    events[n_left] = in->events[i];
    times[n_left++] = in->times[i];
  }
  in->events = events;
  in->times = times;
  in->n = n_left;
  return FL_OK;
}

/* Which attempt each of its events belongs to, sorted by the event's address. */
typedef struct owned {
  const fl_event *event;
  uint32_t attempt;
} owned;

static int compare_owned(const void *a, const void *b) {
  const owned *x = a, *y = b;
  const uintptr_t p = (uintptr_t)x->event, q = (uintptr_t)y->event;
  if (p != q) return p < q ? -1 : 1;
  return (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static fl_status list_owned(const fl_solver *s, owned **ret_list, size_t *ret_n, fl_err *err) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_real; i++) n += s->attempts[i].n_events;
  owned *list = malloc((n + 1) * sizeof *list);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
  n = 0;
  for (size_t i = 0; i < s->n_real; i++)
    for (size_t k = 0; k < s->attempts[i].n_events; k++)
      list[n++] = (owned){s->attempts[i].events[k], (uint32_t)i};
  qsort(list, n, sizeof *list, compare_owned);
  *ret_list = list;
  *ret_n = n;
  return FL_OK;
}

static const fl_attempt *attempt_of(const fl_solver *s, const owned *list, size_t n,
                                    const fl_event *event) {
  if (!event) return NULL;
  if (event->flags & FL_F_SYNTHETIC)
    return event->seq >= 1 && event->seq <= s->n_attempts ? &s->attempts[event->seq - 1] : NULL;
  size_t low = 0, high = n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if ((uintptr_t)list[middle].event < (uintptr_t)event) low = middle + 1;
    else high = middle;
  }
  return low < n && list[low].event == event ? &s->attempts[list[low].attempt] : NULL;
}

static fl_status bind_all(const fl_solver *s, fl_finding *findings, size_t n, fl_err *err) {
  owned *list = NULL;
  size_t n_owned = 0;
  FL_TRY(list_owned(s, &list, &n_owned, err));
  for (size_t k = 0; k < n; k++) {
    fl_finding *f = &findings[k];
    f->attempt = attempt_of(s, list, n_owned, f->anchor);
    for (size_t i = 0; i < f->n_events && !f->attempt; i++)
      if (f->events[i]->flags & FL_F_SYNTHETIC)
        f->attempt = attempt_of(s, list, n_owned, f->events[i]);
    for (size_t i = 0; i < f->n_events && i < 16 && !f->attempt; i++)
      f->attempt = attempt_of(s, list, n_owned, f->events[i]);
  }
  free(list);
  return FL_OK;
}

/* In place of an attempt, which stands in no log, its records. */
static fl_status cite_attempts(const fl_solver *s, const order *by, fl_finding *f, fl_err *err) {
  const fl_event *records[FL_ATTEMPT_RECORDS];
  size_t n_attempts = 0, n = 0;
  for (size_t i = 0; i < f->n_events; i++) n_attempts += !!(f->events[i]->flags & FL_F_SYNTHETIC);
  if (!n_attempts) return FL_OK;
  const fl_event **events =
      FL_NEW_ARRAY(s->arena, const fl_event *, f->n_events + n_attempts * FL_ATTEMPT_RECORDS);
  if (!events) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
  for (size_t i = 0; i < f->n_events; i++) {
    const fl_event *event = f->events[i];
    const bool is_attempt = (event->flags & FL_F_SYNTHETIC) != 0;
    const fl_attempt *a = is_attempt ? attempt_of(s, NULL, 0, event) : NULL;
    const size_t n_records = a ? fl_attempt_records(a, (fl_str){0}, records) : 0;
    for (size_t k = 0; k < n_records; k++) events[n++] = records[k];
    if (!is_attempt) events[n++] = event;
  }
  FL_TRY(sort(by, events, NULL, n, err));
  f->events = events;
  f->n_events = 0;
  for (size_t i = 0; i < n; i++)
    if (i == 0 || events[i] != events[i - 1]) events[f->n_events++] = events[i];
  return FL_OK;
}

static fl_status run_rules(const fl_rules *rules, fl_solver *s, case_owner *o, order *by,
                           fl_err *err) {
  fl_sequence_input in = {.rules = rules,
                          .coverage = o->c.coverage,
                          .n_coverage = o->c.n_coverage,
                          .machines = s->machines,
                          .n_machines = s->n_machines,
                          .attempts = s->attempts,
                          .n_attempts = s->n_attempts,
                          .incidents = s->incidents,
                          .n_incidents = s->n_incidents,
                          .part = FL_RULES_NOISE};
  FL_TRY(list_all(s, o, by, &in, err));
  in.sightings = fl_match_sightings(o->match, &in.n_sightings);
  in.marks = fl_match_marks(o->match, &in.n_marks);
  fl_finding *noise = NULL, *normal = NULL;
  size_t n_noise = 0, n_normal = 0;
  uint64_t evicted = 0;
  if (s->options->trace) FL_TRY(fl_case_trace(o, s->options->trace, &in, err));
  FL_TRY(fl_sequences_run(&in, s->arena, &noise, &n_noise, &evicted, err));
  o->c.n_evicted += evicted;
  FL_TRY(hide(noise, n_noise, s->arena, &in, err));
  in.part = FL_RULES_NORMAL;
  if (s->options->trace) FL_TRY(fl_case_trace(o, s->options->trace, &in, err));
  FL_TRY(fl_sequences_run(&in, s->arena, &normal, &n_normal, &evicted, err));
  o->c.n_evicted += evicted;
  fl_finding *all = FL_NEW_ARRAY(s->arena, fl_finding, n_noise + n_normal + 1);
  if (!all) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for findings");
  if (n_normal) memcpy(all, normal, n_normal * sizeof *all);
  if (n_noise) memcpy(all + n_normal, noise, n_noise * sizeof *all);
  FL_TRY(bind_all(s, all, n_noise + n_normal, err));
  for (size_t i = 0; i < n_noise + n_normal; i++) FL_TRY(cite_attempts(s, by, &all[i], err));
  o->c.findings = all;
  o->c.n_findings = n_noise + n_normal;
  FL_TRY(fl_case_add_finds(s, o, err));
  return FL_OK;
}

fl_status fl_case_solve(const fl_rules *rules, const fl_case_options *options, case_owner *o,
                        fl_err *err) {
  order by = {.c = &o->c};
  fl_solver s = {.arena = o->arena, .options = options, .c = &o->c};
  o->c.symptom = options->symptom;
  FL_TRY(take_events(o, &by, err));
  FL_TRY(fl_machines_find(&s, err));
  FL_TRY(fl_attempts_make(&s, err));
  o->c.machines = s.machines;
  o->c.n_machines = s.n_machines;
  o->c.attempts = s.attempts;
  o->c.n_attempts = s.n_real;
  o->c.n_noise = s.n_attempts - s.n_real;
  FL_TRY(fl_incidents_make(&s, err));
  fl_verdict_choose(&s);
  FL_TRY(run_rules(rules, &s, o, &by, err));
  FL_TRY(fl_changes_find(&s, err));
  FL_TRY(fl_verdict_make(&s, err));
  FL_TRY(fl_case_lacking(&s, o, err));
  FL_TRY(note_patterns(rules, o, err));
  return note_limits(&s, o, err);
}
