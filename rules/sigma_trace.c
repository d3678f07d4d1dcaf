/* sigma_trace.c - why a Sigma rule fits a record or not: log source, condition, values. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "rules/sigma_correlation.h"
#include "rules/sigma_run.h"

enum { VALUES_SHOWN = 16, VALUE_BYTES = 200, MOST_CORRELATIONS = 4 };

typedef struct tracer {
  fl_sigma_run *run;
  const fl_sigma_plan *plan;
  fl_trace *trace;
} tracer;

static fl_trace_mark mark_of(bool holds) { return holds ? FL_TRACE_TRUE : FL_TRACE_FALSE; }

static fl_str cut(fl_str s) { return s.n <= VALUE_BYTES ? s : (fl_str){s.p, VALUE_BYTES}; }

/* Wildcards are single bytes in a predicate. */
static fl_str shown(const tracer *t, fl_str text) {
  const fl_str part = cut(text);
  char *copy = fl_arena_take(t->run->scratch, part.n);
  for (size_t i = 0; copy && i < part.n; i++) {
    const uint8_t c = (uint8_t)part.p[i];
    copy[i] = c == FL_SIGMA_ANY_TEXT ? '*' : c == FL_SIGMA_ANY_CHAR ? '?' : part.p[i];
  }
  return (fl_str){copy ? copy : "", copy ? part.n : 0};
}

static fl_str number_text(const tracer *t, const fl_sigma_number *n) {
  return n->is_int ? fl_arena_printf(t->run->scratch, "%" PRId64, n->whole)
                   : fl_arena_printf(t->run->scratch, "%g", n->real);
}

static fl_str network_text(const tracer *t, const fl_sigma_pred *p) {
  const uint8_t *b = p->net;
  if (!p->is_v6)
    return fl_arena_printf(t->run->scratch, "%u.%u.%u.%u/%u", b[12], b[13], b[14], b[15],
                           p->n_bits - 96u);
  fl_str text = FL_STR("");
  for (unsigned i = 0; i < 16; i += 2)
    text = fl_arena_printf(t->run->scratch, "%.*s%s%x", FL_STR_ARG(text), i ? ":" : "",
                           (unsigned)(b[i] << 8 | b[i + 1]));
  return fl_arena_printf(t->run->scratch, "%.*s/%u", FL_STR_ARG(text), p->n_bits);
}

static const char *const compare_words[] = {"is", "is below", "is at most", "is above",
                                            "is at least"};
static const char *const part_words[] = {"minute", "hour", "day", "week", "month", "year"};

static fl_str field_name(const tracer *t, uint32_t field) {
  return field == FL_SIGMA_KEYWORDS ? FL_STR("the event") : t->run->fields[field].name;
}

/* What a predicate asks of a value, in words. */
static fl_str words_of(const tracer *t, const fl_sigma_pred *p) {
  fl_arena *arena = t->run->scratch;
  static const char *const texts[] = {[FL_SIGMA_EQ] = "is",
                                      [FL_SIGMA_PREFIX] = "begins with",
                                      [FL_SIGMA_SUFFIX] = "ends with",
                                      [FL_SIGMA_CONTAINS] = "contains",
                                      [FL_SIGMA_WILD] = "is like"};
  switch ((fl_sigma_op)p->op) {
    case FL_SIGMA_EQ:
    case FL_SIGMA_PREFIX:
    case FL_SIGMA_SUFFIX:
    case FL_SIGMA_CONTAINS:
    case FL_SIGMA_WILD:
      return fl_arena_printf(arena, "%s '%.*s'%s", texts[p->op], FL_STR_ARG(shown(t, p->text)),
                             p->is_cased ? ", in this case" : "");
    case FL_SIGMA_ANY:
      return FL_STR("has a value");
    case FL_SIGMA_NULL:
      return FL_STR("has no value");
    case FL_SIGMA_EXISTS:
      return p->flags ? FL_STR("is there") : FL_STR("is not there");
    case FL_SIGMA_REGEX:
      return fl_arena_printf(arena, "fits /%.*s/", FL_STR_ARG(cut(p->text)));
    case FL_SIGMA_CIDR:
      return fl_arena_printf(arena, "lies in %.*s", FL_STR_ARG(network_text(t, p)));
    case FL_SIGMA_NUMBER:
      return fl_arena_printf(arena, "%s %.*s", compare_words[p->compare],
                             FL_STR_ARG(number_text(t, &p->number)));
    case FL_SIGMA_FIELD:
      return fl_arena_printf(arena, "is compared with field %.*s",
                             FL_STR_ARG(field_name(t, p->other)));
    case FL_SIGMA_TIME:
      return fl_arena_printf(arena, "its %s %s %.*s", part_words[p->part],
                             compare_words[p->compare], FL_STR_ARG(number_text(t, &p->number)));
  }
  return FL_STR("");
}

/* The values that the record has in a field. */
static fl_str values_of(tracer *t, uint32_t field) {
  enum { MOST = 4 };
  fl_arena *arena = t->run->scratch;
  if (field == FL_SIGMA_KEYWORDS) return FL_STR("all values of the record");
  const fl_sigma_field_values *v = fl_sigma_values_at(t->run, field);
  fl_str text = FL_STR("");
  if (!v->exists) return FL_STR("the record has no such field");
  for (size_t i = 0; i < v->n_items && i < MOST; i++) {
    const fl_str value =
        v->items[i].is_null ? FL_STR("(no value)") : cut(fl_sigma_item_text(t->run, &v->items[i]));
    text =
        fl_arena_printf(arena, "%.*s%s'%.*s'", FL_STR_ARG(text), i ? ", " : "", FL_STR_ARG(value));
  }
  if (v->n_items > MOST)
    text = fl_arena_printf(arena, "%.*s and %zu more", FL_STR_ARG(text), v->n_items - MOST);
  return fl_arena_printf(arena, "the record has %.*s", FL_STR_ARG(text));
}

static bool holds(tracer *t, const fl_sigma_expr *e) {
  switch (e->kind) {
    case FL_SIGMA_PRED:
      return fl_sigma_pred_holds(t->run, e->pred);
    case FL_SIGMA_NOT:
      return !holds(t, e->kid);
    case FL_SIGMA_AND:
      for (const fl_sigma_expr *kid = e->kid; kid; kid = kid->next)
        if (!holds(t, kid)) return false;
      return true;
    case FL_SIGMA_OR:
      for (const fl_sigma_expr *kid = e->kid; kid; kid = kid->next)
        if (holds(t, kid)) return true;
      return false;
  }
  return false;
}

/* Everything below is about one field; FL_SIGMA_KEYWORDS otherwise. */
static const fl_sigma_expr *first_pred(const fl_sigma_expr *e) {
  while (e && e->kind != FL_SIGMA_PRED) e = e->kid;
  return e;
}

static void tell_pred(tracer *t, const fl_sigma_expr *e, unsigned depth) {
  const bool is = fl_sigma_pred_holds(t->run, e->pred);
  const fl_sigma_pred *pred = &t->run->preds[e->pred];
  fl_trace_add(t->trace, depth, "value", t->run->is_unknown ? FL_TRACE_UNKNOWN : mark_of(is),
               "%.*s%s", FL_STR_ARG(words_of(t, pred)),
               t->run->is_unknown ? ": the regex is too hard for a limit" : "");
  t->run->is_unknown = false;
}

static void tell(tracer *t, const fl_sigma_expr *e, unsigned depth);

/* Of very many values those that hold come whatever their place, of the others the first. */
static void tell_kids(tracer *t, const fl_sigma_expr *e, unsigned depth) {
  size_t n_told[2] = {0}, n_left[2] = {0};
  for (const fl_sigma_expr *kid = e->kid; kid; kid = e->kind == FL_SIGMA_NOT ? NULL : kid->next) {
    const bool is = holds(t, kid);
    t->run->is_unknown = false;
    if (n_told[is]++ < VALUES_SHOWN) tell(t, kid, depth);
    else n_left[is]++;
  }
  if (n_left[0] + n_left[1])
    fl_trace_add(t->trace, depth, "value", FL_TRACE_NOTE,
                 "... and %zu more, of which %zu hold and %zu do not", n_left[0] + n_left[1],
                 n_left[1], n_left[0]);
}

static const char *words_of_kind(const fl_sigma_expr *e) {
  return e->kind == FL_SIGMA_AND ? "all of" : e->kind == FL_SIGMA_OR ? "one of" : "not";
}

static bool is_item(const fl_sigma_expr *e) {
  const fl_sigma_expr *first = first_pred(e);
  return e->label.n && first && (e->kid == first || !e->kid->label.n);
}

/* `depth` is bounded by that of documents and of parentheses. */
static void tell(tracer *t, const fl_sigma_expr *e, unsigned depth) {
  if (e->kind == FL_SIGMA_PRED) {
    tell_pred(t, e, depth);
    return;
  }
  const fl_trace_mark mark = mark_of(holds(t, e));
  const fl_sigma_expr *first = first_pred(e);
  t->run->is_unknown = false;
  if (is_item(e))
    fl_trace_add(t->trace, depth, "item", mark, "%.*s: %.*s", FL_STR_ARG(e->label),
                 FL_STR_ARG(values_of(t, t->run->preds[first->pred].field)));
  else if (e->label.n)
    fl_trace_add(t->trace, depth, "search", mark, "%.*s, %s", FL_STR_ARG(e->label),
                 words_of_kind(e));
  else fl_trace_add(t->trace, depth, "condition", mark, "%s", words_of_kind(e));
  tell_kids(t, e, depth + 1);
}

static bool is_candidate(const tracer *t, uint32_t rule) {
  for (size_t i = 0; i < t->plan->group->n_rules; i++)
    if (t->plan->group->rules[i] == rule) return true;
  return false;
}

/* The condition of a base rule; returns whether it fits. */
static bool tell_rule(tracer *t, uint32_t index, unsigned depth) {
  const fl_sigma_rule *rule = t->run->rules[index];
  const bool is_here = is_candidate(t, index);
  const fl_raw channel = fl_row_column(t->run->batch, t->run->row, FL_C_CHANNEL);
  fl_trace_add(t->trace, depth, "source", mark_of(is_here),
               "log source%s%.*s%s%.*s%s%.*s: the record is event %" PRId64 " of %.*s",
               rule->product.n ? " product " : "", FL_STR_ARG(rule->product),
               rule->category.n ? ", category " : "", FL_STR_ARG(rule->category),
               rule->service.n ? ", service " : "", FL_STR_ARG(rule->service), t->plan->event_id,
               FL_STR_ARG(fl_raw_text(channel, t->run->scratch)));
  if (rule->is_disabled)
    fl_trace_add(t->trace, depth, "rule", FL_TRACE_FALSE,
                 "the rule does not run: rules check says why");
  tell(t, rule->expr, depth);
  const bool is = fl_sigma_rule_holds(t->run, rule);
  if (t->run->is_unknown)
    fl_trace_add(t->trace, depth, "condition", FL_TRACE_UNKNOWN,
                 "a regex went over its limit: the rule has no answer");
  return is_here && !rule->is_disabled && is;
}

static void tell_group(tracer *t, const fl_sigma_correlation *c, const fl_sigma_feed *feed,
                       unsigned depth) {
  for (size_t i = 0; i < feed->n_keys && i < c->n_keys; i++) {
    const fl_sigma_field_values *v = fl_sigma_values_at(t->run, feed->keys[i]);
    bool is_there = false;
    for (size_t k = 0; k < v->n_items; k++) is_there |= !v->items[k].is_null;
    fl_trace_add(t->trace, depth, "group", mark_of(is_there), "group by %.*s: %.*s%s",
                 FL_STR_ARG(c->keys[i]), FL_STR_ARG(values_of(t, feed->keys[i])),
                 is_there ? "" : ", so that it is in no group");
  }
  for (size_t i = 0; i < feed->n_fields && i < c->n_fields; i++)
    fl_trace_add(t->trace, depth, "group", FL_TRACE_NOTE, "counted is %.*s: %.*s",
                 FL_STR_ARG(c->fields[i]), FL_STR_ARG(values_of(t, feed->fields[i])));
}

/* "event_count within 1 h: at least 2". */
static void tell_correlation(const tracer *t, const fl_sigma_correlation *c, unsigned depth) {
  static const char *const types[] = {[FL_SIGMA_EVENT_COUNT] = "event_count",
                                      [FL_SIGMA_VALUE_COUNT] = "value_count",
                                      [FL_SIGMA_TEMPORAL] = "temporal",
                                      [FL_SIGMA_TEMPORAL_ORDERED] = "temporal_ordered",
                                      [FL_SIGMA_VALUE_SUM] = "value_sum",
                                      [FL_SIGMA_VALUE_AVG] = "value_avg",
                                      [FL_SIGMA_VALUE_PERCENTILE] = "value_percentile",
                                      [FL_SIGMA_VALUE_MEDIAN] = "value_median"};
  fl_arena *arena = t->run->scratch;
  fl_str limits = FL_STR("");
  for (size_t i = 0; i < c->n_limits; i++)
    limits = fl_arena_printf(arena, "%.*s%s%s%s %g", FL_STR_ARG(limits), i ? " and " : ": ",
                             c->limits[i].is_negated ? "not: " : "",
                             compare_words[c->limits[i].compare], c->limits[i].number);
  fl_trace_add(t->trace, depth, "correlation", FL_TRACE_NOTE, "%s within %.*s%.*s", types[c->type],
               FL_STR_ARG(fl_duration_text(c->span_ns, arena)), FL_STR_ARG(limits));
}

static bool tell_any(tracer *t, uint32_t index, unsigned depth, unsigned n_inside);

static void tell_ref(tracer *t, uint32_t index, size_t ref, unsigned depth, unsigned n_inside) {
  const fl_sigma_correlation *c = t->run->rules[index]->correlation;
  const fl_sigma_rule *base = t->run->rules[c->refs[ref].rule];
  const bool is_base = base->expr != NULL;
  const bool is =
      is_base && is_candidate(t, c->refs[ref].rule) && fl_sigma_rule_holds(t->run, base);
  fl_trace_add(t->trace, depth, "rule", is_base ? mark_of(is) : FL_TRACE_NOTE, "its rule %.*s%s",
               FL_STR_ARG(c->refs[ref].word), is_base ? "" : ", a correlation");
  for (size_t i = 0; is && i < base->n_feeds; i++)
    if (base->feeds[i].correlation == index && base->feeds[i].ref == ref)
      tell_group(t, c, &base->feeds[i], depth + 1);
  (void)tell_any(t, c->refs[ref].rule, depth + 1, n_inside + 1);
}

/* Returns whether a rule that is no correlation fits. */
static bool tell_any(tracer *t, uint32_t index, unsigned depth, unsigned n_inside) {
  const fl_sigma_rule *rule = t->run->rules[index];
  const fl_sigma_correlation *c = rule->correlation;
  if (rule->expr) return tell_rule(t, index, depth);
  if (!c || n_inside > MOST_CORRELATIONS) return false;
  tell_correlation(t, c, depth);
  for (size_t i = 0; i < c->n_refs; i++)
    if (c->refs[i].rule != UINT32_MAX) tell_ref(t, index, i, depth, n_inside);
  return false;
}

fl_status fl_sigma_trace(fl_sigma_run *run, const fl_tracing *tracing, const fl_batch *batch,
                         const fl_row *row, fl_err *err) {
  fl_sigma_ref *refs = calloc(run->n_fields + 1, sizeof *refs);
  tracer t = {.run = run, .trace = tracing->request->trace};
  if (refs) t.plan = fl_sigma_run_place(run, batch, row, refs);
  if (!t.plan) {
    free(refs);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a trace");
  }
  const fl_sigma_rule *rule = run->rules[tracing->rule];
  fl_trace_add(t.trace, 0, "rule", FL_TRACE_NOTE, "%s (%.*s:%u)", rule->info.title,
               FL_STR_ARG(rule->info.file), rule->info.line);
  if (rule->is_silent)
    fl_trace_add(t.trace, 0, "rule", FL_TRACE_NOTE,
                 "a correlation names it: it gives no findings of its own");
  if (tell_any(&t, tracing->rule, 0, 0)) fl_trace_matches(t.trace);
  run->refs = NULL;
  free(refs);
  return FL_OK;
}
