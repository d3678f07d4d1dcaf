/* yara_trace.c - what a YARA rule found where a record is: its strings, and its condition. */
#include <string.h>

#include "rules/yara_scan.h"

enum { PLACES_SHOWN = 8 };

typedef struct tracer {
  const fl_tracing *tracing;
  const yara_found *found;
  const yara_result *result;
  const yara_hit *hit; /* NULL: the rule was not asked */
  const yara_row *row; /* the record */
  fl_arena *arena;
} tracer;

static const yara_row *row_of(const fl_yara_scan *scan, const yara_found *found) {
  const fl_hit_event *event = &scan->tracing->event;
  if (!scan->tracing->is_met || event->source != found->source) return NULL;
  for (size_t i = 0; i < found->rows->n; i++)
    if (found->rows->items[i].seq == event->seq) return &found->rows->items[i];
  return NULL;
}

static bool is_inside(const tracer *t, const yara_match *match) {
  return match->offset >= t->row->at && match->offset - t->row->at < t->row->n;
}

/* "at 120, 4608": the first places, in the record or elsewhere. */
static fl_str places_of(const tracer *t, const char *string, bool inside, size_t *ret_n) {
  fl_str text = FL_STR("");
  *ret_n = 0;
  for (size_t i = t->hit->first; i < t->hit->first + t->hit->n; i++) {
    const yara_match *match = &t->result->matches[i];
    if (strcmp(match->string, string) != 0 || is_inside(t, match) != inside) continue;
    if (++*ret_n <= PLACES_SHOWN)
      text = fl_arena_printf(t->arena, "%.*s%s%llu", FL_STR_ARG(text), *ret_n > 1 ? ", " : "",
                             (unsigned long long)match->offset);
  }
  if (*ret_n > PLACES_SHOWN)
    text = fl_arena_printf(t->arena, "%.*s and %zu more", FL_STR_ARG(text), *ret_n - PLACES_SHOWN);
  return text;
}

static void tell_string(const tracer *t, const char *string) {
  size_t n_in = 0, n_out = 0;
  const fl_str in = places_of(t, string, true, &n_in), out = places_of(t, string, false, &n_out);
  fl_trace *trace = t->tracing->request->trace;
  if (n_in + n_out == 0) fl_trace_add(trace, 1, "string", FL_TRACE_FALSE, "%s: not found", string);
  else
    fl_trace_add(trace, 1, "string", FL_TRACE_TRUE, "%s: %s%.*s%s%s%.*s", string,
                 n_in ? "in this record at " : "not in this record", FL_STR_ARG(in),
                 n_out ? "; elsewhere at " : "", n_out ? "" : "", FL_STR_ARG(out));
}

static const YR_RULE *rule_of(const fl_yara *yara, uint32_t rule) {
  const fl_yara_scope scope = yara->rules[rule].scope;
  const YR_RULES *rules = yara->compiled[scope];
  for (uint32_t i = 0; rules && i < rules->num_rules; i++)
    if (yara->by_index[scope][i] == rule + 1) return &rules->rules_table[i];
  return NULL;
}

static void tell_strings(const tracer *t, const fl_yara *yara) {
  const YR_RULE *rule = rule_of(yara, t->tracing->rule);
  const YR_STRING *string = NULL;
  if (!rule) return;
  yr_rule_strings_foreach(rule, string) {
    if (!STRING_IS_PRIVATE(string)) tell_string(t, string->identifier);
  }
  if (t->hit->n_more)
    fl_trace_add(t->tracing->request->trace, 1, "string", FL_TRACE_NOTE,
                 "... and %llu more places, not listed", (unsigned long long)t->hit->n_more);
}

static void tell(const tracer *t, const fl_yara *yara) {
  fl_trace *trace = t->tracing->request->trace;
  const fl_yara_rule *rule = &yara->rules[t->tracing->rule];
  fl_trace_add(trace, 0, "rule", FL_TRACE_NOTE, "%s (%.*s:%u)", rule->name, FL_STR_ARG(rule->file),
               rule->line);
  fl_trace_add(trace, 0, "scan", FL_TRACE_NOTE, "scanned as one: %s%s%.*s, %llu bytes",
               t->found->medium, t->found->script.n ? " " : "", FL_STR_ARG(t->found->script),
               (unsigned long long)t->found->n_bytes);
  if (t->result->is_timed_out || t->result->has_failed)
    fl_trace_add(trace, 0, "scan", FL_TRACE_UNKNOWN, "the scan was stopped by a limit");
  if (!t->hit) return;
  tell_strings(t, yara);
  fl_trace_add(trace, 0, "condition", t->hit->is_near ? FL_TRACE_FALSE : FL_TRACE_TRUE,
               t->hit->is_near ? "its condition does not hold" : "its condition holds");
}

void fl_yara_trace(fl_yara_scan *scan, const yara_found *found, yara_result *result) {
  size_t n = 0;
  tracer t = {.tracing = scan->tracing,
              .found = found,
              .result = result,
              .row = row_of(scan, found),
              .arena = scan->scratch};
  for (size_t i = 0; i < result->n_hits; i++)
    if (result->hits[i].rule == scan->tracing->rule) t.hit = &result->hits[i];
  if (t.row && (t.hit || found->medium[0] == 'f')) tell(&t, scan->yara);
  for (size_t i = 0; i < result->n_hits; i++)
    if (!result->hits[i].is_near) result->hits[n++] = result->hits[i];
  result->n_hits = n;
}
