/* case_trace.c - why one rule did or did not match one event of a case. */
#include <string.h>

#include "base/text.h"
#include "rules/case.h"
#include "rules/flr_trace.h"

static bool is_source(const case_owner *o, const fl_trace_request *request, uint32_t source) {
  for (size_t i = 0; i < o->n_sources; i++)
    if (o->sources[i].id == source) return fl_str_eq(o->sources[i].name, request->source);
  return false;
}

fl_status fl_case_trace_batch(case_owner *o, const fl_trace_request *request, const fl_batch *batch,
                              fl_err *err) {
  if (o->traced || !is_source(o, request, batch->source)) return FL_OK;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    if (batch->rows[i].offset != request->offset) continue;
    fl_event *event = FL_NEW(o->arena, fl_event);
    if (!event) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a trace");
    FL_TRY(fl_event_build(batch, &batch->rows[i], o->arena, event, err));
    o->traced = event;
    fl_trace_meet(request->trace);
    return FL_OK;
  }
  return FL_OK;
}

/* The event as the case has it: kept, in sight. */
static const fl_event *find_kept(const case_owner *o, const fl_sequence_input *in) {
  for (size_t i = 0; i < in->n; i++)
    if (in->events[i]->source == o->traced->source && in->events[i]->offset == o->traced->offset &&
        !(in->events[i]->flags & FL_F_SYNTHETIC))
      return in->events[i];
  return NULL;
}

static bool find_rule(const fl_rules *rules, fl_str name, uint32_t *ret_rule) {
  for (size_t r = 0; rules && r < fl_rules_count(rules); r++) {
    if (!fl_str_eq(fl_str_of(fl_rules_at(rules, r)->info.name), name)) continue;
    *ret_rule = (uint32_t)r;
    return true;
  }
  return false;
}

static void tell_head(const case_owner *o, const fl_rule *rule, fl_trace *trace) {
  const fl_event *event = o->traced;
  const fl_rule_info *info = &rule->info;
  const fl_str ref = fl_case_ref(&o->c, event, o->arena);
  char when[FL_TIME_TEXT_MAX];
  (void)fl_time_format(event->t, 3, when);
  fl_trace_add(trace, 0, "rule", FL_TRACE_NOTE, "%s (%.*s:%u)", info->name, FL_STR_ARG(info->file),
               info->line);
  fl_trace_add(trace, 0, "record", FL_TRACE_NOTE, "%.*s: %.*s %lld%s%.*s of %.*s at %s",
               FL_STR_ARG(ref), FL_STR_ARG(event->provider), (long long)event->event_id,
               event->kind.n ? ", " : "", FL_STR_ARG(event->kind), FL_STR_ARG(event->host), when);
}

/* The attempt that a record is part of: rules may know it by that alone. */
static const fl_attempt *find_attempt(const fl_sequence_input *in, const fl_event *kept) {
  for (size_t i = 0; kept && i < in->n_attempts; i++)
    for (size_t k = 0; k < in->attempts[i].n_events; k++)
      if (in->attempts[i].events[k] == kept) return &in->attempts[i];
  return NULL;
}

static bool is_in_sight(const fl_sequence_input *in, const fl_event *event) {
  for (size_t i = 0; event && i < in->n; i++)
    if (in->events[i] == event) return true;
  return false;
}

static bool tell_selectors(const case_owner *o, const fl_rule *rule, const fl_event *event,
                           fl_trace *trace) {
  bool fits = false;
  const fl_machine *machine = fl_case_machine(&o->c, event->host);
  for (size_t i = 0; i < rule->n_selectors; i++)
    fits |= fl_trace_selector(trace, rule, i, event, machine);
  return fits;
}

/* Which event of the case the runs are asked about; NULL with a line that says why none is. */
static const fl_event *choose(const case_owner *o, const fl_rule *rule, const fl_sequence_input *in,
                              fl_trace *trace) {
  const fl_event *kept = find_kept(o, in);
  const fl_attempt *attempt = find_attempt(in, kept);
  const bool fits = tell_selectors(o, rule, o->traced, trace);
  if (fits && kept) return kept;
  if (!fits && attempt && is_in_sight(in, attempt->event)) {
    fl_trace_add(trace, 0, "record", FL_TRACE_NOTE, "it is part of attempt %u", attempt->number);
    if (tell_selectors(o, rule, attempt->event, trace)) return attempt->event;
  }
  fl_trace_add(trace, 0, "result", FL_TRACE_FALSE,
               fits ? "the case leaves it out: it stands in another source too, has no valid time, "
                      "lies outside of the window asked for, or is noise"
                    : "it is no event of the rule");
  return NULL;
}

/* Once for each part that rules run in: the one of this rule's part tells. */
fl_status fl_case_trace(case_owner *o, const fl_trace_request *request,
                        const fl_sequence_input *input, fl_err *err) {
  fl_sequence_input in = *input;
  uint32_t index = 0;
  if (!o->traced || !find_rule(in.rules, request->rule, &index)) return FL_OK;
  const fl_rule *rule = fl_rules_at(in.rules, index);
  if (fl_rule_is_noise(rule) != (in.part == FL_RULES_NOISE)) return FL_OK;
  tell_head(o, rule, request->trace);
  const fl_event *event = choose(o, rule, &in, request->trace);
  in.trace = (fl_sequence_trace){request->trace, event, index, &o->c};
  if (event) FL_TRY(fl_sequences_trace(&in, err));
  return fl_trace_has_failed(request->trace)
             ? fl_fail(err, FL_E_NOMEM, 0, "out of memory for a trace")
             : FL_OK;
}
