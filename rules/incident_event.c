/* incident_event.c - the synthetic event "incident" that rules hang on. */
#include <string.h>

#include "base/text.h"
#include "rules/incident.h"

enum { MAX_FACTS = 32 };

typedef struct fact_list {
  fl_field items[MAX_FACTS];
  size_t n;
} fact_list;

static void add(fact_list *l, const char *name, fl_value value) {
  if (l->n < MAX_FACTS) l->items[l->n++] = (fl_field){fl_str_of(name), value};
}

static void add_text(fact_list *l, const char *name, fl_str text) {
  if (text.n) add(l, name, (fl_value){.kind = FL_V_STR, .as.text = text});
}

static void add_number(fact_list *l, const char *name, uint64_t number) {
  add(l, name, (fl_value){.kind = FL_V_UINT, .as.natural = number});
}

static void add_bool(fact_list *l, const char *name, bool value) {
  add(l, name, (fl_value){.kind = FL_V_BOOL, .as.boolean = value});
}

static void add_time(fact_list *l, const char *name, fl_time t, fl_arena *arena) {
  char text[FL_TIME_TEXT_MAX];
  if (!t) return;
  const size_t n = fl_time_format(t, 3, text);
  add_text(l, name, fl_arena_str(arena, (fl_str){text, n}));
}

static void fill_code(const fl_incident *in, fact_list *l) {
  static const char *const names[] = {"parameter1", "parameter2", "parameter3", "parameter4"};
  const bool is_stop = in->kind == FL_INCIDENT_STOP || in->kind == FL_INCIDENT_LIVE;
  if (!in->has_code) return;
  add_number(l, is_stop ? "bugcheck" : "exception", in->code);
  add_text(l, "code_text", fl_str_of(in->code_text));
  for (size_t i = 0; i < 4 && in->has_parameters; i++) add_number(l, names[i], in->parameters[i]);
}

static void fill(const fl_incident *in, fact_list *l, fl_arena *arena) {
  unsigned confidence = 0;
  for (size_t i = 0; i < in->n_joins; i++)
    if (i == 0 || in->joins[i].confidence < confidence) confidence = in->joins[i].confidence;
  add_number(l, "number", in->number);
  add_text(l, "what", fl_str_of(fl_incident_kind_names[in->kind]));
  add_text(l, "part", fl_str_of(in->part));
  add_text(l, "process", in->process);
  add_text(l, "service", in->service);
  add_text(l, "module", in->module);
  add_text(l, "place", in->place);
  fill_code(in, l);
  add_text(l, "signature", in->signature);
  add_text(l, "verdict", fl_str_of(fl_bearing_names[in->bearing]));
  add_text(l, "why", in->reason);
  add_bool(l, "is_exact", in->is_exact);
  add_bool(l, "has_dump", in->has_dump);
  add_bool(l, "is_rdp_driver", in->is_rdp_driver);
  if (in->is_button) add_bool(l, "is_button", true);
  add_time(l, "occurred", in->is_exact ? in->t : 0, arena);
  add_time(l, "reported", in->reported, arena);
  add_number(l, "alike", in->n_alike);
  add_number(l, "n_records", in->n_events);
  add_number(l, "n_contradictions", in->n_contradictions);
  if (in->n_joins) add_number(l, "confidence", confidence);
}

fl_status fl_incident_event(fl_solver *s, fl_incident *in, fl_err *err) {
  fact_list list = {.n = 0};
  fill(in, &list, s->arena);
  fl_event *event = FL_NEW(s->arena, fl_event);
  fl_field *facts = FL_NEW_ARRAY(s->arena, fl_field, list.n);
  if (!event || !facts) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for incidents");
  memcpy(facts, list.items, list.n * sizeof *facts);
  *event = (fl_event){.t = in->t,
                      .flags = in->t ? 0 : FL_F_TIME_INVALID,
                      .source = UINT32_MAX,
                      .seq = in->number,
                      .record_id = -1,
                      .header_record_id = -1,
                      .event_id = -1,
                      .qualifiers = -1,
                      .version = -1,
                      .level = -1,
                      .task = -1,
                      .opcode = -1,
                      .pid = -1,
                      .tid = -1,
                      .host = in->machine ? in->machine->name : (fl_str){0},
                      .kind = FL_STR("incident"),
                      .facts = facts,
                      .n_facts = list.n};
  in->event = event;
  return FL_OK;
}
