/* doc_story.c - what happened, in order: the telling events of the attempt and the missing step. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/text.h"
#include "faultline/timeline.h"
#include "report/doc.h"
#include "report/view.h"

/* What only fills the story stops at FEW_STEPS; what the verdict rests on may be more. */
enum { MAX_CANDIDATES = 512, MAX_FIELDS = 4, FEW_STEPS = 8 };

typedef struct step {
  const fl_event *event;
  fl_time t;
  int weight;
} step;

typedef struct steps {
  fl_doc *doc;
  fl_arena *scratch; /* of one question */
  step *items;
  size_t n;
} steps;

/* Why an event is worth a line. */
enum { W_OTHER = 1, W_RIVAL, W_AGAINST, W_PROOF, W_FOR, W_END };

static bool is_telling(fl_str name) {
  static const char *const names[] = {"Value",     "Reason",        "ReasonCode", "ErrorCode",
                                      "Error",     "Status",        "SubStatus",  "ClientIP",
                                      "IpAddress", "Address",       "User",       "SessionID",
                                      "LogonType", "TargetUserName"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fl_str_eq_nocase(name, fl_str_of(names[i]))) return true;
  return false;
}

/* Without a sentence of ours: the log's own message, or its most telling fields; else nothing. */
static fl_str plain_words(fl_doc *doc, const fl_event *event) {
  if (event->message.n) return fl_doc_clean(doc, event->message);
  fl_str words = {0};
  size_t n = 0;
  for (size_t i = 0; i < event->n_data && n < MAX_FIELDS; i++) {
    const fl_field *field = &event->data[i];
    if (!is_telling(field->name)) continue;
    const fl_str value = fl_doc_clean(doc, fl_value_text(&field->value, doc->arena));
    if (value.n == 0 || value.n > 80) continue;
    words = fl_doc_say(doc, "%.*s%s%.*s = %.*s", FL_STR_ARG(words), n ? ", " : "",
                       FL_STR_ARG(fl_doc_clean(doc, field->name)), FL_STR_ARG(value));
    n++;
  }
  return words;
}

static fl_str event_words(fl_doc *doc, const fl_event *event) {
  const fl_str sentence = fl_event_sentence(event, doc->arena);
  const fl_str known = fl_doc_clean(doc, sentence);
  return known.n ? known : plain_words(doc, event);
}

static bool has_telling_field(const fl_event *event) {
  for (size_t i = 0; i < event->n_data; i++)
    if (is_telling(event->data[i].name) && event->data[i].value.kind != FL_V_NULL) return true;
  return false;
}

/* What only passes a number along is no step, unless something rests on it. */
static bool has_words(steps *s, const fl_event *event) {
  if (event->message.n || has_telling_field(event)) return true;
  fl_arena_reset(s->scratch);
  return fl_event_sentence(event, s->scratch).n != 0;
}

static void offer(steps *s, const fl_event *event, int weight) {
  if (!event || event->flags & (FL_F_SYNTHETIC | FL_F_DUPLICATE)) return;
  for (size_t i = 0; i < s->n; i++) {
    if (s->items[i].event != event) continue;
    if (s->items[i].weight < weight) s->items[i].weight = weight;
    return;
  }
  if (s->n == MAX_CANDIDATES || (weight < W_FOR && !has_words(s, event))) return;
  s->items[s->n++] = (step){event, fl_view_time(s->doc->c, event), weight};
}

static void offer_evidence(steps *s, const fl_evidence *const *list, size_t n, int weight) {
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < list[i]->n_events && k < 3; k++) offer(s, list[i]->events[k], weight);
}

/* Of events that repeat the same (provider, id) only the first is a candidate by itself. */
static bool is_repeated(const steps *s, const fl_event *event) {
  for (size_t i = 0; i < s->n; i++)
    if (s->items[i].event->event_id == event->event_id &&
        fl_str_eq(s->items[i].event->provider, event->provider))
      return true;
  return false;
}

static void offer_all(steps *s, const fl_attempt *a) {
  const fl_verdict *v = &s->doc->c->verdict;
  for (int phase = 0; phase < FL_N_PHASES; phase++) offer(s, a->proof[phase], W_PROOF);
  if (a->reached >= 0)
    offer(s, a->proof[a->reached], W_END); /* the missing step stands behind it */
  if (a->n_events) {
    offer(s, a->events[0], W_END);
    offer(s, a->events[a->n_events - 1], W_END);
  }
  /* The end as the user saw it; what the host still closes behind it tells less. */
  for (size_t i = 0; i < a->n_events; i++)
    if (fl_str_eq(a->events[i]->kind, FL_STR("rdp.client.disconnect")))
      offer(s, a->events[i], W_END);
  for (size_t i = 0; i < v->n_hypotheses && i < 3; i++) {
    const fl_hypothesis *h = &v->hypotheses[i];
    offer_evidence(s, h->pro, h->n_pro, i == 0 ? W_FOR : W_RIVAL);
    offer_evidence(s, h->con, h->n_con, W_AGAINST);
  }
  for (size_t i = a->n_events; i-- > 0;)
    if (a->events[i]->kind.n && !is_repeated(s, a->events[i])) offer(s, a->events[i], W_OTHER);
}

static int by_weight(const void *a, const void *b) {
  const step *x = a, *y = b;
  if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
  if (x->t != y->t) return x->t < y->t ? -1 : 1;
  return x->event->seq < y->event->seq ? -1 : x->event->seq > y->event->seq;
}

static int by_time(const void *a, const void *b) {
  const step *x = a, *y = b;
  if (x->t != y->t) return x->t < y->t ? -1 : 1;
  if (x->event->source != y->event->source) return x->event->source < y->event->source ? -1 : 1;
  return x->event->seq < y->event->seq ? -1 : x->event->seq > y->event->seq;
}

static fl_str event_ref(fl_doc *doc, const fl_event *event) {
  const fl_str provider = fl_doc_clean(doc, fl_provider_short(event->provider));
  const fl_str ref = fl_doc_ref(doc, event);
  if (event->event_id < 0) return ref;
  return fl_doc_say(doc, "%.*s %" PRId64 ", %.*s", FL_STR_ARG(provider), event->event_id,
                    FL_STR_ARG(ref));
}

/* Time of day near the attempt, the date where it is another day. */
static fl_str step_time(fl_doc *doc, fl_time t, fl_time start) {
  char text[FL_TIME_TEXT_MAX], day[FL_TIME_TEXT_MAX];
  (void)fl_time_format(t, 3, text);
  (void)fl_time_format(start, 3, day);
  if (fl_str_eq((fl_str){text, 10}, (fl_str){day, 10})) return fl_doc_say(doc, "%.12s", text + 11);
  return fl_doc_say(doc, "%.10s", text);
}

static fl_str step_delta(fl_doc *doc, fl_time t, fl_time start) {
  int64_t delta = 0;
  if (__builtin_sub_overflow(t, start, &delta)) return (fl_str){0};
  const fl_str text = fl_duration_text(delta, doc->arena);
  return fl_doc_say(doc, "%s%.*s", delta < 0 ? "" : "+", FL_STR_ARG(text));
}

static void add_step(fl_doc *doc, const step *s, size_t number, fl_time start) {
  const fl_str words = event_words(doc, s->event);
  const bool has_time = !(s->event->flags & FL_F_TIME_INVALID);
  doc->steps[doc->n_steps++] = s->event;
  fl_doc_add(doc, (fl_block){.kind = FL_B_STEP,
                             .label = fl_doc_say(doc, "%zu", number),
                             .time = has_time ? step_time(doc, s->t, start) : FL_STR("no time"),
                             .delta = has_time ? step_delta(doc, s->t, start) : (fl_str){0},
                             .host = fl_doc_host(doc, s->event->host),
                             .text = words.n ? words : FL_STR("recorded without details"),
                             .ref = event_ref(doc, s->event)});
}

/* Does the log that would show a phase cover the attempt? Asked for every name of the host. */
static int covers(const fl_case *c, const fl_attempt *a, const char *channel) {
  const fl_str name = fl_str_of(channel);
  int best =
      fl_coverage_covers(c->coverage, c->n_coverage, a->server->name, name, a->start, a->end);
  for (size_t i = 0; i < a->server->n_aliases && best == FL_UNKNOWN; i++)
    best = fl_coverage_covers(c->coverage, c->n_coverage, a->server->aliases[i], name, a->start,
                              a->end);
  return best;
}

/* Does the host's log have records of these seconds, even if not all of them? */
static bool has_part(const fl_case *c, const fl_attempt *a, const char *channel) {
  for (size_t i = 0; i < c->n_coverage; i++) {
    const fl_coverage *entry = &c->coverage[i];
    if (fl_str_eq_nocase(entry->channel, fl_str_of(channel)) && entry->first <= a->end &&
        entry->last >= a->start && fl_case_machine(c, entry->host) == a->server)
      return true;
  }
  return false;
}

/* Why a step is not seen: the difference between "it did not happen" and "nobody looked". */
static fl_str missing_words(fl_doc *doc, const fl_attempt *a, const char *words,
                            const char *channel) {
  const fl_str log = fl_provider_short(fl_str_of(channel));
  if (!a->server)
    return fl_doc_say(doc, "not seen: %s; the host's side is unknown, no log of it is in the case",
                      words);
  if (log.n == 0) return fl_doc_say(doc, "not seen: %s; no log that was read would show it", words);
  if (covers(doc->c, a, channel) == FL_TRUE)
    return fl_doc_say(doc, "MISSING: %s; %.*s covers these seconds without it", words,
                      FL_STR_ARG(log));
  const char *why = has_part(doc->c, a, channel) ? "has gaps in" : "is not in the case for";
  return fl_doc_say(doc, "not seen: %s; %.*s of the host %s these seconds", words, FL_STR_ARG(log),
                    why);
}

static void add_missing(fl_doc *doc, const fl_attempt *a) {
  const fl_phase phase = (fl_phase)(a->reached + 1);
  const char *words = fl_doc_phase_words(phase);
  fl_doc_add(doc, (fl_block){.kind = FL_B_STEP,
                             .text = missing_words(doc, a, words, fl_doc_phase_channel(phase))});
}

/* Index of the step behind which the sequence stopped: the last proof, else the attempt's begin. */
static size_t stop_place(const steps *s, size_t n_shown, const fl_attempt *a) {
  const fl_event *last = a->reached >= 0 ? a->proof[a->reached] : NULL;
  for (size_t i = 0; i < n_shown; i++)
    if (s->items[i].event == last) return i + 1;
  for (size_t i = 0; i < n_shown; i++)
    if (s->items[i].t >= a->start) return i + 1;
  return n_shown;
}

static bool has_missing_step(const fl_attempt *a) {
  return a->reached + 1 < FL_N_PHASES &&
         (a->outcome == FL_OUTCOME_FAILED || a->outcome == FL_OUTCOME_UNKNOWN);
}

void fl_doc_story(fl_doc *doc) {
  const fl_attempt *a = doc->c->chosen;
  if (!a) return;
  steps s = {.doc = doc,
             .scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA),
             .items = FL_NEW_ARRAY(doc->arena, step, MAX_CANDIDATES)};
  if (!s.items || !s.scratch) {
    fl_arena_free(s.scratch);
    doc->has_failed = true;
    return;
  }
  offer_all(&s, a);
  fl_arena_free(s.scratch);
  qsort(s.items, s.n, sizeof *s.items, by_weight);
  size_t n_shown = 0;
  while (n_shown < s.n && n_shown < FL_DOC_STEPS &&
         (n_shown < FEW_STEPS || s.items[n_shown].weight > W_RIVAL))
    n_shown++;
  qsort(s.items, n_shown, sizeof *s.items, by_time);
  if (n_shown == 0 && !has_missing_step(a)) return;
  fl_doc_heading(doc, "What happened, in order (UTC, and time since the attempt began)");
  const size_t stop = has_missing_step(a) ? stop_place(&s, n_shown, a) : SIZE_MAX;
  for (size_t i = 0; i <= n_shown; i++) {
    if (i == stop) add_missing(doc, a);
    if (i < n_shown) add_step(doc, &s.items[i], i + 1, a->start);
  }
  if (a->n_events > n_shown)
    fl_doc_add(
        doc, (fl_block){.kind = FL_B_PARA,
                        .text = fl_doc_say(doc, "The attempt left %zu events; these tell the most.",
                                           a->n_events)});
}
