/* fuzz_flr.c - rule texts and filters: any bytes give messages or rules, never a crash; rules run.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "rules/named.h"
#include "rules/sequence.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

/* Every name is one of a Sigma rule, so that sources that name one are tried. */
static bool find_any(const void *set, fl_str name, uint32_t *ret_number) {
  (void)set;
  *ret_number = (uint32_t)(name.n % 3);
  return name.n > 0;
}

enum { N_EVENTS = 24 };

/* A few machines, kinds and times, with ties, an attempt that lasts, and equal keys. */
static void make_events(fl_event *events, fl_time *times, const fl_event **list) {
  static const char *const hosts[] = {"h", "srv1.example", ""};
  static const fl_field data[] = {
      {{"k", 1}, {.kind = FL_V_STR, .as.text = {"text", 4}}},
      {{"n", 1}, {.kind = FL_V_INT, .as.integer = 7}},
      {{"client_ip", 9}, {.kind = FL_V_STR, .as.text = {"10.0.0.5:1", 10}}},
      {{"server", 6}, {.kind = FL_V_STR, .as.text = {"srv1", 4}}},
      {{"duration_ms", 11}, {.kind = FL_V_INT, .as.integer = 2500}}};
  for (size_t i = 0; i < N_EVENTS; i++) {
    const bool is_attempt = i % 6 == 5;
    events[i] = (fl_event){.host = fl_str_of(hosts[i % 3]),
                           .provider = FL_STR("p"),
                           .channel = FL_STR("c"),
                           .kind = is_attempt ? FL_STR("rdp.attempt") : FL_STR("k"),
                           .flags = is_attempt ? FL_F_SYNTHETIC : 0,
                           .event_id = (int64_t)(i % 4),
                           .record_id = is_attempt ? -1 : (int64_t)i,
                           .data = data,
                           .n_data = i % 5 + 1};
    times[i] = events[i].t = (fl_time)(i / 2) * FL_SECOND;
    list[i] = &events[i];
  }
}

static void run_rules(const fl_rules *rules) {
  fl_event events[N_EVENTS];
  fl_time times[N_EVENTS];
  const fl_event *list[N_EVENTS];
  const fl_machine machines[] = {{.name = {"h", 1}, .roles = FL_ROLE_CLIENT},
                                 {.name = {"srv1", 4}, .roles = FL_ROLE_SERVER}};
  const fl_coverage coverage = {
      .host = {"srv1", 4}, .channel = {"c", 1}, .start = INT64_MIN, .end = 5 * FL_SECOND};
  const fl_sighting sighting = {{"srv1", 4}, {"p", 1}, {"c", 1}, 1, 0, UINT32_MAX};
  const fl_named_mark mark = {&events[1], 1};
  make_events(events, times, list);
  fl_arena *arena = fl_arena_create((size_t)64 << 20);
  fl_finding *findings = NULL;
  size_t n[2] = {0, 0};
  uint64_t n_evicted = 0;
  for (int i = 0; i < 2 && arena; i++) {
    const fl_sequence_input in = {.rules = rules,
                                  .events = list,
                                  .times = times,
                                  .n = N_EVENTS,
                                  .machines = machines,
                                  .n_machines = 2,
                                  .coverage = &coverage,
                                  .n_coverage = 1,
                                  .sightings = &sighting,
                                  .n_sightings = 1,
                                  .marks = &mark,
                                  .n_marks = 1,
                                  .page = i ? 3 : 0,
                                  .part = FL_RULES_NORMAL};
    if (fl_sequences_run(&in, arena, &findings, &n[i], &n_evicted, NULL) != FL_OK) n[i] = n[0];
  }
  if (n[0] != n[1]) abort(); /* how much is looked at at a time changes nothing */
  fl_arena_free(arena);
}

static void try_rules(fl_str text) {
  fl_rules *rules = NULL;
  const fl_rule_message *messages = NULL;
  size_t sum = 0;
  if (fl_rules_create(&rules, NULL) != FL_OK) return;
  const fl_named_engine sigma = {.set = "any", .find = find_any};
  fl_rules_use_sigma(rules, &sigma);
  fl_status s = fl_rules_add_text(rules, FL_STR("fuzz.flr"), text, NULL);
  const fl_status finished = fl_rules_finish(rules, NULL);
  if (s == FL_OK) s = finished;
  const size_t n = fl_rules_messages(rules, &messages);
  /* Every byte of every message is read. */
  for (size_t i = 0; i < n; i++) {
    if (messages[i].line == 0 || messages[i].column == 0) abort();
    for (size_t k = 0; k < messages[i].text.n; k++) sum += (unsigned char)messages[i].text.p[k];
    for (size_t k = 0; k < messages[i].context.n; k++)
      sum += (unsigned char)messages[i].context.p[k];
  }
  if (s != FL_OK && (fl_rules_count(rules) != 0 || n == 0 || sum == 0)) abort();
  if (s == FL_OK) run_rules(rules);
  fl_rules_free(rules);
}

static void try_filter(fl_str text) {
  fl_filter *filter = NULL;
  const fl_field data[] = {{FL_STR("a"), {.kind = FL_V_STR, .as.text = FL_STR("text")}},
                           {FL_STR("b"), {.kind = FL_V_INT, .as.integer = -1}}};
  const fl_event event = {.host = FL_STR("h"), .event_id = 1, .data = data, .n_data = 2};
  if (fl_filter_compile(text, &filter, NULL) != FL_OK) return;
  (void)fl_filter_event(filter, &event);
  fl_filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
  const fl_str text = {(const char *)bytes, n_bytes};
  try_rules(text);
  try_filter(text);
  return 0;
}
