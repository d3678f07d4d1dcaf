/* flr_help.h - small worlds for tests of rules: texts, events, machines, logs. */
#ifndef FL_TESTS_FLR_HELP_H
#define FL_TESTS_FLR_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rules/sequence.h"

enum { WORLD_MAX = 4096 };

/* Events are added in time order; times are seconds after T0. */
#define T0 (INT64_C(1700000000) * FL_SECOND)

typedef struct world {
  fl_arena *arena;
  fl_rules *rules;
  fl_machine machines[8];
  size_t n_machines;
  fl_coverage coverage[32];
  size_t n_coverage;
  fl_sighting sightings[64];
  size_t n_sightings;
  const fl_event *events[WORLD_MAX];
  fl_time times[WORLD_MAX];
  size_t n;
  fl_finding *findings;
  size_t n_findings;
  uint64_t n_evicted;
} world;

static inline fl_rules *rules_of(const char *text) {
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  const fl_status s = fl_rules_add_text(rules, FL_STR("test.flr"), fl_str_of(text), &err);
  if (s != FL_OK) fail_msg("%s", err.text);
  assert_int_equal(fl_rules_finish(rules, &err), FL_OK);
  return rules;
}

static inline world *world_create(const char *rules) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  w->arena = fl_arena_create((size_t)256 << 20);
  w->rules = rules_of(rules);
  return w;
}

static inline void world_free(world *w) {
  fl_rules_free(w->rules);
  fl_arena_free(w->arena);
  free(w);
}

static inline void add_machine(world *w, const char *name, unsigned roles) {
  w->machines[w->n_machines++] = (fl_machine){.name = fl_str_of(name), .roles = roles};
}

/* A log that covers seconds [from, to]. */
static inline void add_log(world *w, const char *host, const char *channel, double from,
                           double to) {
  w->coverage[w->n_coverage++] = (fl_coverage){.host = fl_str_of(host),
                                               .channel = fl_str_of(channel),
                                               .start = T0 + (int64_t)(from * 1e9),
                                               .end = T0 + (int64_t)(to * 1e9)};
}

static inline void add_sighting(world *w, const char *host, const char *provider,
                                const char *channel, int64_t id) {
  w->sightings[w->n_sightings++] =
      (fl_sighting){fl_str_of(host), fl_str_of(provider), fl_str_of(channel), id, 0, UINT32_MAX};
}

/* "name=value name=value"; values without blanks. */
static inline void parse_fields(fl_arena *arena, const char *text, fl_field **ret_fields,
                                size_t *ret_n) {
  fl_field *fields = FL_NEW_ARRAY(arena, fl_field, 32);
  size_t n = 0;
  while (text && *text && n < 32) {
    const char *equals = strchr(text, '=');
    if (!equals) break;
    const char *end = strchr(equals, ' ');
    if (!end) end = equals + strlen(equals);
    fields[n].name = (fl_str){text, (size_t)(equals - text)};
    fields[n++].value =
        (fl_value){.kind = FL_V_STR, .as.text = {equals + 1, (size_t)(end - equals - 1)}};
    text = *end ? end + 1 : end;
  }
  *ret_fields = fields;
  *ret_n = n;
}

static inline fl_event *make_event(fl_arena *arena, const char *host, const char *provider,
                                   int64_t id, const char *fields) {
  fl_event *event = FL_NEW(arena, fl_event);
  fl_field *data = NULL;
  *event = (fl_event){.host = fl_str_of(host),
                      .provider = fl_str_of(provider),
                      .event_id = id,
                      .record_id = -1,
                      .header_record_id = -1,
                      .qualifiers = -1,
                      .version = -1,
                      .level = -1,
                      .task = -1,
                      .opcode = -1,
                      .pid = -1,
                      .tid = -1};
  parse_fields(arena, fields, &data, &event->n_data);
  event->data = data;
  return event;
}

static inline fl_event *add_event(world *w, double at, const char *host, const char *provider,
                                  int64_t id, const char *fields) {
  fl_event *event = make_event(w->arena, host, provider, id, fields);
  event->t = T0 + (int64_t)(at * 1e9);
  event->channel = FL_STR("Log");
  event->record_id = (int64_t)w->n + 1;
  assert_true(w->n < WORLD_MAX);
  w->times[w->n] = event->t;
  w->events[w->n++] = event;
  return event;
}

static inline fl_event *add_attempt(world *w, double at, const char *fields) {
  fl_event *event = add_event(w, at, "", "", -1, fields);
  event->kind = FL_STR("rdp.attempt");
  event->flags = FL_F_SYNTHETIC;
  event->record_id = -1;
  return event;
}

static inline size_t world_run_part(world *w, fl_rules_part part) {
  fl_err err = {0};
  const fl_sequence_input in = {.rules = w->rules,
                                .events = w->events,
                                .times = w->times,
                                .n = w->n,
                                .coverage = w->coverage,
                                .n_coverage = w->n_coverage,
                                .machines = w->machines,
                                .n_machines = w->n_machines,
                                .sightings = w->sightings,
                                .n_sightings = w->n_sightings,
                                .part = part};
  if (fl_sequences_run(&in, w->arena, &w->findings, &w->n_findings, &w->n_evicted, &err) != FL_OK)
    fail_msg("%s", err.text);
  return w->n_findings;
}

static inline size_t world_run(world *w) { return world_run_part(w, FL_RULES_NORMAL); }

static inline void assert_text(fl_str text, const char *expected) {
  if (!fl_str_eq(text, fl_str_of(expected)))
    fail_msg("text is \"%.*s\", expected \"%s\"", FL_STR_ARG(text), expected);
}

static inline void assert_has(fl_str text, const char *part) {
  if (text.n == 0 || !memmem(text.p, text.n, part, strlen(part)))
    fail_msg("text is \"%.*s\", expected \"%s\" in it", FL_STR_ARG(text), part);
}

#endif
