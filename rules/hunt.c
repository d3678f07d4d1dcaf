/* hunt.c - one pass of every engine that has rules: sources, rows and notes go to each of them. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/engine.h"

struct fl_hunt {
  const fl_rules *rules;
  fl_hunt_options options;
  fl_hits *hits;
  fl_engine_run runs[FL_N_RULE_ENGINES];
  const fl_engine_kind *kinds[FL_N_RULE_ENGINES]; /* of the runs; sequences first */
  size_t n_runs;
  fl_arena *arena; /* names */
  fl_str *names;   /* of sources by id */
  size_t n_names, cap_names;
  fl_tracing tracing;
};

/* By fl_rule_engine. */
static const fl_engine_kind *const all_kinds[FL_N_RULE_ENGINES] = {
    &fl_engine_sequence,
#define FL_ENGINE(id) &fl_engine_##id,
#include "rules/engines.def"
#undef FL_ENGINE
};

static fl_status start_runs(fl_hunt *hunt, fl_err *err) {
  for (size_t i = 0; i < FL_N_RULE_ENGINES; i++) {
    const fl_rule_engine engine = (fl_rule_engine)i;
    if (fl_rules_engine_count(hunt->rules, engine) == 0) continue;
    if (hunt->options.engines && !(hunt->options.engines & 1u << i)) continue;
    const void *set =
        engine == FL_BY_SEQUENCE ? hunt->rules : fl_rules_engine_set(hunt->rules, engine);
    hunt->kinds[hunt->n_runs] = all_kinds[i];
    FL_TRY(all_kinds[i]->start(set, &hunt->options, hunt->hits, &hunt->runs[hunt->n_runs], err));
    if (hunt->tracing.request && hunt->runs[hunt->n_runs].watch)
      hunt->runs[hunt->n_runs].watch(hunt->runs[hunt->n_runs].self, &hunt->tracing);
    hunt->n_runs++;
  }
  return FL_OK;
}

static bool is_called(const fl_rule_info *info, fl_str name) {
  return fl_str_eq(fl_str_of(info->name), name) ||
         (info->title && fl_str_eq(fl_str_of(info->title), name));
}

static fl_status find_traced(fl_hunt *hunt, fl_err *err) {
  const fl_trace_request *request = hunt->options.trace;
  if (!request) return FL_OK;
  for (unsigned engine = FL_BY_SIGMA; engine < FL_N_RULE_ENGINES; engine++)
    for (size_t i = 0; i < fl_rules_engine_count(hunt->rules, (fl_rule_engine)engine); i++) {
      const fl_rule_info info = fl_rules_engine_info(hunt->rules, (fl_rule_engine)engine, i);
      if (!is_called(&info, request->rule)) continue;
      hunt->tracing =
          (fl_tracing){.request = request, .engine = (fl_rule_engine)engine, .rule = (uint32_t)i};
      hunt->options.engines = 1u << engine;
      return FL_OK;
    }
  return fl_fail(err, FL_E_ARG, 0, "no rule '%.*s'", FL_STR_ARG(request->rule));
}

fl_status fl_hunt_create(const fl_rules *rules, const fl_hunt_options *options, fl_hunt **ret_hunt,
                         fl_err *err) {
  fl_hunt *hunt = calloc(1, sizeof *hunt);
  if (hunt) hunt->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (!hunt || !hunt->arena) {
    fl_hunt_free(hunt);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a hunt");
  }
  hunt->rules = rules;
  if (options) hunt->options = *options;
  fl_status s = fl_hits_create(rules, &hunt->options, &hunt->hits, err);
  if (s == FL_OK) s = find_traced(hunt, err);
  if (s == FL_OK) s = start_runs(hunt, err);
  if (s != FL_OK) {
    fl_hunt_free(hunt);
    return s;
  }
  *ret_hunt = hunt;
  return FL_OK;
}

void fl_hunt_free(fl_hunt *hunt) {
  if (!hunt) return;
  for (size_t i = 0; i < hunt->n_runs; i++) hunt->runs[i].free(hunt->runs[i].self);
  fl_hits_free(hunt->hits);
  fl_arena_free(hunt->arena);
  free(hunt->names);
  free(hunt);
}

static fl_status begin(void *self, const fl_source_info *source, fl_err *err) {
  fl_hunt *hunt = self;
  const fl_str name = fl_arena_str(hunt->arena, source->name);
  if (!name.p || !fl_grow_zeroed((void **)&hunt->names, &hunt->cap_names, (size_t)source->id + 1,
                                 sizeof *hunt->names))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for names of sources");
  hunt->names[source->id] = name;
  if (source->id >= hunt->n_names) hunt->n_names = (size_t)source->id + 1;
  for (size_t i = 0; i < hunt->n_runs; i++) {
    const fl_sink *sink = &hunt->runs[i].sink;
    if (sink->begin) FL_TRY(sink->begin(sink->self, source, err));
  }
  return FL_OK;
}

static fl_status trace_batch(fl_hunt *hunt, const fl_batch *batch, fl_err *err) {
  fl_tracing *t = &hunt->tracing;
  if (t->is_met || !fl_str_eq(fl_hunt_source_name(hunt, batch->source), t->request->source))
    return FL_OK;
  for (uint32_t i = 0; i < batch->n_rows && !t->is_met; i++) {
    if (batch->rows[i].offset != t->request->offset) continue;
    t->is_met = true;
    t->event = fl_hits_event_of(batch, &batch->rows[i]);
    fl_trace_meet(t->request->trace);
    for (size_t k = 0; k < hunt->n_runs; k++)
      if (hunt->runs[k].trace)
        FL_TRY(hunt->runs[k].trace(hunt->runs[k].self, t, batch, &batch->rows[i], err));
  }
  return FL_OK;
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  fl_hunt *hunt = self;
  if (hunt->tracing.request) FL_TRY(trace_batch(hunt, batch, err));
  for (size_t i = 0; i < hunt->n_runs; i++) {
    const fl_sink *sink = &hunt->runs[i].sink;
    if (sink->batch) FL_TRY(sink->batch(sink->self, batch, err));
  }
  return FL_OK;
}

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  fl_hunt *hunt = self;
  for (size_t i = 0; i < hunt->n_runs; i++) {
    const fl_sink *sink = &hunt->runs[i].sink;
    if (sink->note) FL_TRY(sink->note(sink->self, note, err));
  }
  return FL_OK;
}

static fl_status end(void *self, const fl_source_info *source, fl_err *err) {
  fl_hunt *hunt = self;
  for (size_t i = 0; i < hunt->n_runs; i++) {
    const fl_sink *sink = &hunt->runs[i].sink;
    if (sink->end) FL_TRY(sink->end(sink->self, source, err));
  }
  return FL_OK;
}

fl_sink fl_hunt_sink(fl_hunt *hunt) {
  return (fl_sink){
      .self = hunt, .begin = begin, .batch = take_batch, .note = take_note, .end = end};
}

static bool cites(const fl_hit *hit, const fl_hit_event *event) {
  for (size_t i = 0; i < hit->n_events; i++)
    if (hit->events[i].source == event->source && hit->events[i].seq == event->seq) return true;
  return false;
}

/* The findings that the record is part of. */
static void trace_hits(const fl_hunt *hunt) {
  const fl_tracing *t = &hunt->tracing;
  const fl_hit *hits = NULL;
  fl_trace *trace = t->request->trace;
  const size_t n = fl_hits_all(hunt->hits, &hits);
  size_t n_told = 0;
  for (size_t i = 0; i < n; i++) {
    if (hits[i].rule != t->rule || !cites(&hits[i], &t->event)) continue;
    fl_trace_matches(trace);
    if (n_told++ >= FL_LIMIT_TRACE_RUNS) continue;
    const fl_rule_info info = fl_rules_engine_info(hunt->rules, t->engine, t->rule);
    const fl_str text = hits[i].text.n ? hits[i].text : fl_str_of(info.title);
    fl_trace_add(trace, 0, "finding", FL_TRACE_TRUE, "%.*s (%zu record%s)", FL_STR_ARG(text),
                 hits[i].n_events, hits[i].n_events == 1 ? "" : "s");
  }
  if (n_told > FL_LIMIT_TRACE_RUNS)
    fl_trace_add(trace, 0, "finding", FL_TRACE_TRUE, "... and %zu more findings",
                 n_told - FL_LIMIT_TRACE_RUNS);
  if (n_told == 0 && !fl_trace_is_match(trace))
    fl_trace_add(trace, 0, "result", FL_TRACE_FALSE, "no finding of the rule cites this record");
}

/* Sequences come last: what others make events of, they may look for. */
static fl_status finish_runs(fl_hunt *hunt, fl_err *err) {
  const bool has_sequences = hunt->n_runs && hunt->kinds[0] == &fl_engine_sequence;
  for (size_t i = hunt->n_runs; i-- > 0;) {
    const fl_engine_run *run = &hunt->runs[i];
    if (run->finish) FL_TRY(run->finish(run->self, err));
    if (i && has_sequences && run->rows) FL_TRY(run->rows(run->self, &hunt->runs[0].sink, err));
  }
  return FL_OK;
}

fl_status fl_hunt_finish(fl_hunt *hunt, fl_err *err) {
  FL_TRY(finish_runs(hunt, err));
  FL_TRY(fl_hits_finish(hunt->hits, hunt->names, hunt->n_names, err));
  if (!hunt->tracing.is_met) return FL_OK;
  trace_hits(hunt);
  return fl_trace_has_failed(hunt->tracing.request->trace)
             ? fl_fail(err, FL_E_NOMEM, 0, "out of memory for a trace")
             : FL_OK;
}

size_t fl_hunt_hits(const fl_hunt *hunt, const fl_hit **ret_hits) {
  return fl_hits_all(hunt->hits, ret_hits);
}
size_t fl_hunt_counts(const fl_hunt *hunt, const fl_hit_count **ret_counts) {
  return fl_hits_counts(hunt->hits, ret_counts);
}
size_t fl_hunt_notes(const fl_hunt *hunt, const fl_str **ret_notes) {
  return fl_hits_notes(hunt->hits, ret_notes);
}
const fl_tags *fl_hunt_tags(const fl_hunt *hunt) { return fl_hits_tags(hunt->hits); }
bool fl_hunt_wants_bytes(const fl_hunt *hunt) {
  for (size_t i = 0; i < hunt->n_runs; i++)
    if (hunt->runs[i].wants_bytes) return true;
  return false;
}

uint64_t fl_hunt_scanned(const fl_hunt *hunt) {
  uint64_t n = 0;
  for (size_t i = 0; i < hunt->n_runs; i++)
    if (hunt->runs[i].n_scanned) n += hunt->runs[i].n_scanned(hunt->runs[i].self);
  return n;
}

fl_status fl_hunt_rows(fl_hunt *hunt, const fl_sink *sink, fl_err *err) {
  for (size_t i = 0; i < hunt->n_runs; i++)
    if (hunt->runs[i].rows) FL_TRY(hunt->runs[i].rows(hunt->runs[i].self, sink, err));
  return FL_OK;
}

fl_str fl_hunt_source_name(const fl_hunt *hunt, uint32_t source) {
  return source < hunt->n_names ? hunt->names[source] : FL_STR("?");
}
