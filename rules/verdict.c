/* verdict.c - hypotheses about the chosen attempt: what speaks for each, against it, what lacks. */
#include "rules/verdict.h"

#include <stdlib.h>
#include <string.h>

enum {
  LIKELY = 60,
  POSSIBLE = 25,
  MAX_SCORE = 100,
  RULED_OUT = -100,
  UNREACHED = -10,
  TOLD = 90,
  TOLD_HINT = 40,
  TOLD_ANOTHER = -60,
  ASSUMED = -10,
  OTHER_CODE = -5,
  OTHER_EXTENDED = -15,
  SENT_LATER = -15,
  EXTRA_LINES = 6,
  MAX_LINES = 1024 /* of one cause: more than any rule set for people gives */
};

typedef struct drafts {
  fl_draft *items;
  size_t n, cap;
} drafts;

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the verdict");
}

static bool is_about_cause(const fl_finding *f, const fl_attempt *chosen) {
  if (f->attempt != chosen || !f->cause || !f->cause[0]) return false;
  return !f->effect || (strcmp(f->effect, "noise") != 0 && strcmp(f->effect, "context") != 0);
}

static fl_draft *draft_of(drafts *d, const char *cause) {
  for (size_t i = 0; i < d->n; i++)
    if (strcmp(d->items[i].cause, cause) == 0) return &d->items[i];
  return NULL;
}

/* Room for every line that the findings of the attempt and this file can give one cause. */
static fl_status add_draft(fl_solver *s, drafts *d, const char *cause, fl_draft **ret_draft,
                           fl_err *err) {
  size_t n_lines = EXTRA_LINES, n_findings = 1;
  for (size_t i = 0; i < s->c->n_findings; i++) {
    const fl_finding *f = &s->c->findings[i];
    if (!is_about_cause(f, s->c->chosen) || strcmp(f->cause, cause) != 0) continue;
    n_lines += f->n_evidence;
    n_findings++;
  }
  fl_draft *draft = &d->items[d->n++];
  *draft = (fl_draft){.cause = cause, .cap = n_lines};
  draft->findings = FL_NEW_ARRAY(s->arena, const fl_finding *, n_findings);
  draft->pro = FL_NEW_ARRAY(s->arena, const fl_evidence *, n_lines);
  draft->con = FL_NEW_ARRAY(s->arena, const fl_evidence *, n_lines);
  draft->missing = FL_NEW_ARRAY(s->arena, const fl_evidence *, n_lines);
  *ret_draft = draft;
  return draft->findings && draft->pro && draft->con && draft->missing ? FL_OK : no_memory(err);
}

static void take_line(fl_draft *d, const fl_evidence *line) {
  if (line->truth == FL_UNKNOWN) {
    d->missing[d->n_missing++] = line;
    return;
  }
  if (line->truth != FL_TRUE || (line->points == 0 && !line->decisive)) return;
  d->score += line->points;
  if (line->points >= 0) {
    d->pro[d->n_pro++] = line;
    d->is_decided |= line->decisive;
  } else {
    d->con[d->n_con++] = line;
    d->is_refuted |= line->decisive;
  }
}

static fl_status add_line(fl_solver *s, fl_draft *d, fl_evidence line, fl_err *err) {
  fl_evidence *copy = FL_NEW(s->arena, fl_evidence);
  if (!copy || !line.text.p) return no_memory(err);
  *copy = line;
  copy->truth = FL_TRUE;
  copy->rule = "phase";
  take_line(d, copy);
  return FL_OK;
}

static fl_status one_event(fl_solver *s, const fl_event *event, fl_evidence *ret_line,
                           fl_err *err) {
  if (!event) return FL_OK;
  const fl_event **list = FL_NEW_ARRAY(s->arena, const fl_event *, 1);
  if (!list) return no_memory(err);
  list[0] = event;
  ret_line->events = list;
  ret_line->n_events = 1;
  return FL_OK;
}

static fl_status cite_fact(fl_solver *s, fl_str fact, fl_evidence *ret_line, fl_err *err) {
  const fl_event *records[FL_ATTEMPT_RECORDS];
  const size_t n = fl_attempt_records(s->c->chosen, fact, records);
  return one_event(s, n ? records[0] : NULL, ret_line, err);
}

/* Would the host's log show more, had there been more? Coverage is in the host's own time. */
static bool is_host_covered(const fl_solver *s, const fl_attempt *a) {
  const fl_str log = FL_STR("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational");
  if (!a->server) return false;
  const fl_time from = a->start - a->server->offset_ns, to = a->end - a->server->offset_ns;
  for (size_t i = 0; i < s->c->n_coverage; i++) {
    const fl_coverage *entry = &s->c->coverage[i];
    if (fl_str_eq_nocase(entry->channel, log) && fl_entry_covers(entry, from, to) &&
        fl_machine_index(s, entry->host) == (int)(a->server - s->machines))
      return true;
  }
  return false;
}

/* A phase that is proven to be passed rules out what strikes in it; the next one is the prime
 * suspect; what strikes later is less likely, but only where the host's log would show it. */
static fl_status weigh_phase(fl_solver *s, fl_draft *d, fl_err *err) {
  const fl_attempt *a = s->c->chosen;
  const fl_phase phase = fl_cause_phase(d->cause);
  const char *told = a->has_host_code ? fl_told_cause(a->host_code) : NULL;
  if (phase == FL_PHASE_NONE || phase == FL_PHASE_SESSION) return FL_OK;
  if (told && strcmp(told, d->cause) == 0) return FL_OK;
  fl_evidence line = {0};
  if (phase <= a->reached) {
    const fl_event *proof = a->proof[a->reached];
    FL_TRY(one_event(s, proof, &line, err));
    const fl_str what = proof ? fl_event_sentence(proof, s->arena) : (fl_str){0};
    line.points = RULED_OUT;
    line.decisive = true;
    line.text = fl_arena_printf(s->arena, "ruled out: this attempt passed the phase \"%s\"%s%.*s",
                                fl_phase_names[phase], what.n ? ": " : "", FL_STR_ARG(what));
    d->is_ruled_out = true;
    return add_line(s, d, line, err);
  }
  /* No record of the host shows that the first packets passed: after TCP, TLS may be next. */
  const bool is_next =
      phase <= a->reached + 1 || (a->reached == FL_PHASE_TCP && phase == FL_PHASE_TLS);
  if (is_next || d->is_decided || !is_host_covered(s, a)) return FL_OK;
  line.points = UNREACHED;
  line.text = fl_arena_printf(s->arena, "the host's log shows nothing of the phase \"%s\" yet",
                              fl_phase_names[phase]);
  return add_line(s, d, line, err);
}

static fl_str told_text(fl_solver *s, uint32_t code) {
  const fl_code_fact *fact = fl_code_find(FL_CODE_ERRINFO, code);
  if (!fact) fact = fl_code_find(FL_CODE_EXTENDED, code);
  return fl_arena_printf(s->arena, "the host sent the client code 0x%x in this attempt%s%s%s", code,
                         fact && fact->symbol[0] ? " (" : "", fact ? fact->symbol : "",
                         fact && fact->symbol[0] ? ")" : "");
}

/* What the host told the client decides over everything inferred. */
static fl_status weigh_told(fl_solver *s, drafts *d, fl_err *err) {
  const fl_attempt *a = s->c->chosen;
  const char *told = a->has_host_code ? fl_told_cause(a->host_code) : NULL;
  if (!told) return FL_OK;
  const bool is_proof = fl_told_proves(a->host_code);
  fl_evidence line = {.points = is_proof ? TOLD : TOLD_HINT,
                      .decisive = is_proof,
                      .text = told_text(s, a->host_code)};
  FL_TRY(one_event(s, fl_attempt_told_by(a), &line, err));
  fl_draft *named = draft_of(d, told);
  const bool is_weighed = named && (named->is_decided || !is_proof); /* by a rule */
  if (!named) FL_TRY(add_draft(s, d, told, &named, err));
  if (!is_weighed) FL_TRY(add_line(s, named, line, err));
  line.points = TOLD_ANOTHER;
  line.decisive = false;
  for (size_t i = 0; i < d->n; i++)
    if (!fl_told_fits(a->host_code, d->items[i].cause))
      FL_TRY(add_line(s, &d->items[i], line, err));
  return FL_OK;
}

/* A refusal by code takes a connection that got through TLS; the host's own log says it better. */
static bool is_sent_later(const fl_symptom *asked, const fl_attempt *a) {
  return asked->has_extended && asked->extended == 0x7 && !a->has_host;
}

/* Codes are what a user remembers: where the logs say otherwise, another attempt may be meant, and
 * nothing about this one is beyond doubt. */
static fl_status weigh_symptom(fl_solver *s, drafts *d, fl_err *err) {
  const fl_attempt *a = s->c->chosen;
  const fl_symptom *asked = &s->c->symptom;
  const char *told = a->has_host_code ? fl_told_cause(a->host_code) : NULL;
  const bool is_other = asked->has_code && a->has_code && asked->code != a->code;
  const bool is_other_extended =
      told && asked->has_extended && a->has_extended && asked->extended != a->host_code;
  for (size_t i = 0; i < d->n; i++) {
    if (is_sent_later(asked, a) && strncmp(d->items[i].cause, "tls.", 4) == 0) {
      const fl_evidence line = {
          .points = SENT_LATER,
          .text = FL_STR("extended code 7 is sent only behind the TLS handshake: if it belongs to "
                         "this attempt and host, TLS did not fail")};
      FL_TRY(add_line(s, &d->items[i], line, err));
    }
    if (is_other) {
      const fl_str text = fl_arena_printf(s->arena,
                                          "the code in question is 0x%x, but the client's log ends "
                                          "this attempt with 0x%x: another one may be meant",
                                          asked->code, a->code);
      fl_evidence line = {.points = OTHER_CODE, .text = text};
      FL_TRY(cite_fact(s, FL_STR("code"), &line, err));
      FL_TRY(add_line(s, &d->items[i], line, err));
    }
    if (is_other_extended && strcmp(d->items[i].cause, told) == 0) {
      const fl_str text = fl_arena_printf(
          s->arena,
          "the extended code in question is 0x%x, but the host sent 0x%x in this attempt: it came "
          "from another box or another attempt",
          asked->extended, a->host_code);
      fl_evidence line = {.points = OTHER_EXTENDED, .text = text};
      FL_TRY(cite_fact(s, FL_STR("host_code"), &line, err));
      FL_TRY(add_line(s, &d->items[i], line, err));
    }
  }
  return FL_OK;
}

/* Client and host that only a guess put together: no fact about the host is beyond doubt. */
static fl_status weigh_assumed(fl_solver *s, drafts *d, fl_err *err) {
  const fl_attempt *a = s->c->chosen;
  if (!a->is_assumed || !a->client) return FL_OK;
  const fl_str text = fl_verdict_assumption(s, a);
  for (size_t i = 0; i < d->n; i++)
    FL_TRY(add_line(s, &d->items[i], (fl_evidence){.points = ASSUMED, .text = text}, err));
  return FL_OK;
}

/* A guess makes a cause possible; likely only where the host's code is the one that was asked. */
static fl_verdict_status best_status(const fl_case *c) {
  const fl_attempt *a = c->chosen;
  if (!a->is_assumed) return FL_VERDICT_CONFIRMED;
  const bool is_same = c->symptom.has_extended && c->symptom.extended && a->has_host_code &&
                       a->host_code == c->symptom.extended;
  return is_same ? FL_VERDICT_LIKELY : FL_VERDICT_POSSIBLE;
}

static void grade(fl_draft *d, fl_verdict_status best) {
  if (d->score > MAX_SCORE) d->score = MAX_SCORE;
  if (d->score < 0) d->score = 0;
  if (d->is_ruled_out || d->is_refuted) d->score = 0;
  if (d->is_decided && !d->n_con) d->status = FL_VERDICT_CONFIRMED;
  else if (d->score >= LIKELY) d->status = FL_VERDICT_LIKELY;
  else if (d->score >= POSSIBLE) d->status = FL_VERDICT_POSSIBLE;
  else d->status = FL_VERDICT_UNDECIDED;
  if (d->status < best) d->status = best;
  /* "Closed by the other end" is what was seen, never why. */
  const bool is_symptom = strcmp(d->cause, "net.peer_closed") == 0;
  if (is_symptom && d->status < FL_VERDICT_POSSIBLE) d->status = FL_VERDICT_POSSIBLE;
}

static int compare_drafts(const void *a, const void *b) {
  const fl_draft *x = a, *y = b;
  if (x->status != y->status) return x->status < y->status ? -1 : 1;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  if (x->n_con != y->n_con) return x->n_con < y->n_con ? -1 : 1;
  if (x->severity != y->severity) return x->severity > y->severity ? -1 : 1;
  return strcmp(x->cause, y->cause);
}

/* The same line of the same rule may come from several findings of one attempt. */
static bool has_line(const fl_draft *d, const fl_evidence *line) {
  const fl_evidence *const *lists[3] = {d->pro, d->con, d->missing};
  const size_t counts[3] = {d->n_pro, d->n_con, d->n_missing};
  for (size_t k = 0; k < 3; k++)
    for (size_t i = 0; i < counts[k]; i++)
      if (lists[k][i]->rule == line->rule && lists[k][i]->points == line->points &&
          fl_str_eq(lists[k][i]->text, line->text))
        return true;
  return false;
}

static bool is_event_of(const fl_attempt *a, const fl_event *event) {
  for (size_t i = 0; i < a->n_events; i++)
    if (a->events[i] == event) return true;
  return false;
}

/* Two failures of one user are two attempts: what was recorded of another one, under its own
 * activity, proves nothing about this one by itself. */
static bool is_of_another(const fl_solver *s, const fl_evidence *line) {
  bool is_another = false;
  for (size_t i = 0; i < line->n_events; i++) {
    const fl_event *event = line->events[i];
    if (is_event_of(s->c->chosen, event)) return false;
    for (size_t k = 0; k < s->n_attempts && !is_another; k++)
      is_another = event->activity_id.n && is_event_of(&s->attempts[k], event);
  }
  return is_another;
}

static fl_status take_rule_line(fl_solver *s, fl_draft *d, const fl_evidence *line, fl_err *err) {
  const bool proves = line->truth == FL_TRUE && line->decisive && line->points > 0;
  if (!proves || !is_of_another(s, line)) {
    take_line(d, line);
    return FL_OK;
  }
  fl_evidence *copy = FL_NEW(s->arena, fl_evidence);
  if (!copy) return no_memory(err);
  *copy = *line;
  copy->decisive = false;
  take_line(d, copy);
  return FL_OK;
}

static fl_status take_findings(fl_solver *s, drafts *d, fl_err *err) {
  for (size_t i = 0; i < s->c->n_findings; i++) {
    const fl_finding *f = &s->c->findings[i];
    if (!is_about_cause(f, s->c->chosen)) continue;
    fl_draft *draft = draft_of(d, f->cause);
    if (!draft) FL_TRY(add_draft(s, d, f->cause, &draft, err));
    draft->findings[draft->n_findings++] = f;
    if (f->severity > draft->severity) draft->severity = f->severity;
    for (size_t k = 0; k < f->n_evidence; k++) {
      if (draft->n_pro + draft->n_con + draft->n_missing >= MAX_LINES) s->c->n_evicted++;
      else if (!has_line(draft, &f->evidence[k]))
        FL_TRY(take_rule_line(s, draft, &f->evidence[k], err));
    }
  }
  return FL_OK;
}

static const fl_cause_fact *cause_fact(fl_solver *s, const fl_draft *d) {
  const fl_cause_fact *known = fl_cause_find(fl_str_of(d->cause));
  if (known) return known;
  fl_cause_fact *fact = FL_NEW(s->arena, fl_cause_fact);
  if (!fact) return NULL;
  const char *title = d->n_findings ? d->findings[0]->title : d->cause;
  *fact = (fl_cause_fact){d->cause, title ? title : d->cause, "", "", ""};
  return fact;
}

static fl_status publish(fl_solver *s, const drafts *d, fl_err *err) {
  fl_hypothesis *list = FL_NEW_ARRAY(s->arena, fl_hypothesis, d->n + 1);
  if (!list) return no_memory(err);
  for (size_t i = 0; i < d->n; i++) {
    const fl_draft *x = &d->items[i];
    list[i] = (fl_hypothesis){.cause = cause_fact(s, x),
                              .status = x->status,
                              .score = x->score,
                              .findings = x->findings,
                              .n_findings = x->n_findings,
                              .pro = x->pro,
                              .n_pro = x->n_pro,
                              .con = x->con,
                              .n_con = x->n_con,
                              .missing = x->missing,
                              .n_missing = x->n_missing};
    if (!list[i].cause) return no_memory(err);
  }
  s->c->verdict.hypotheses = list;
  s->c->verdict.n_hypotheses = d->n;
  return FL_OK;
}

/* Healthy means: a session was reached and left in order, and no attempt that the question is about
 * failed. Those of clients that are not in the case are not asked about. */
static bool is_healthy(const fl_solver *s) {
  bool has_whole = false;
  for (size_t i = 0; i < s->n_real; i++) {
    const fl_attempt *a = &s->attempts[i];
    if (a != s->c->chosen && (a->is_foreign || !fl_attempt_is_asked(s, a))) continue;
    if (a->outcome == FL_OUTCOME_FAILED || a->outcome == FL_OUTCOME_LOST ||
        a->outcome == FL_OUTCOME_UNKNOWN)
      return false;
    has_whole |= a->outcome == FL_OUTCOME_ENDED && a->reached == FL_PHASE_SESSION;
    /* A first leg that was asked for by its number is whole in itself. */
    has_whole |= a->outcome == FL_OUTCOME_PROBE && s->options->attempt;
  }
  return has_whole;
}

/* From the client's side alone, a closed socket has many reasons and no proof. 0x104 and 0x604 are
 * about names and 0x204 about a connection that never was: those the client sees itself. */
static bool is_one_sided(const fl_attempt *a) {
  static const uint32_t closed[] = {0x304, 0x404, 0x704, 0x804, 0x904, 0xa04, 0xb04};
  for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
    if (!a->has_host && a->has_code && a->code == closed[i]) return true;
  return false;
}

static fl_verdict_status overall(const fl_solver *s) {
  const fl_case *c = s->c;
  const fl_attempt *a = c->chosen;
  const bool is_bad = a && (a->outcome == FL_OUTCOME_FAILED || a->outcome == FL_OUTCOME_LOST ||
                            a->outcome == FL_OUTCOME_UNKNOWN || a->outcome == FL_OUTCOME_OPEN);
  if (!a) return FL_VERDICT_UNDECIDED;
  if (!is_bad) {
    const bool asks_for_other = c->symptom.has_code && !(a->has_code && a->code == c->symptom.code);
    return is_healthy(s) && !asks_for_other ? FL_VERDICT_NO_FAILURE : FL_VERDICT_UNDECIDED;
  }
  if (a->outcome == FL_OUTCOME_OPEN && is_healthy(s) && !c->verdict.n_hypotheses)
    return FL_VERDICT_NO_FAILURE;
  if (!c->verdict.n_hypotheses) return FL_VERDICT_UNDECIDED;
  const fl_verdict_status best = c->verdict.hypotheses[0].status;
  if (is_one_sided(a) && best != FL_VERDICT_CONFIRMED) return FL_VERDICT_UNDECIDED;
  return best;
}

fl_status fl_verdict_make(fl_solver *s, fl_err *err) {
  if (s->c->chosen && s->c->chosen->outcome != FL_OUTCOME_ENDED) {
    drafts d = {0};
    d.items = FL_NEW_ARRAY(s->arena, fl_draft, s->c->n_findings + 1);
    if (!d.items) return no_memory(err);
    FL_TRY(take_findings(s, &d, err));
    for (size_t i = 0; i < d.n; i++) FL_TRY(weigh_phase(s, &d.items[i], err));
    FL_TRY(weigh_told(s, &d, err));
    FL_TRY(weigh_symptom(s, &d, err));
    FL_TRY(weigh_assumed(s, &d, err));
    for (size_t i = 0; i < d.n; i++) grade(&d.items[i], best_status(s->c));
    qsort(d.items, d.n, sizeof *d.items, compare_drafts);
    FL_TRY(publish(s, &d, err));
  }
  s->c->verdict.status = overall(s);
  FL_TRY(fl_verdict_collect(s, err));
  return fl_verdict_sentence(s, err);
}
