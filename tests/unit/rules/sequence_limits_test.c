/* sequence_limits_test.c - more events than one step looks at: what is found, what is unknown. */
#include "flr_help.h"

#include "base/limits.h"

#define RULE(events, rest) "rule r { meta: title = \"t\" events: " events " " rest " }"
#define A "$a : provider \"P\" 1 { k -> %k } "
#define B "$b : provider \"P\" 2 { k -> %k } "
#define MS INT64_C(1000000)

/* Any number of events of one machine, and what the rules found in them. */
typedef struct crowd {
  fl_arena *arena, *out;
  const fl_event **events;
  fl_time *times;
  size_t n, cap;
  fl_finding *findings;
  size_t n_findings;
  uint64_t n_evicted;
} crowd;

static crowd crowd_of(size_t cap) {
  crowd c = {.arena = fl_arena_create((size_t)2 << 30),
             .out = fl_arena_create((size_t)512 << 20),
             .events = malloc(cap * sizeof *c.events),
             .times = malloc(cap * sizeof *c.times),
             .cap = cap};
  assert_true(c.arena && c.out && c.events && c.times);
  return c;
}

static void crowd_done(crowd *c) {
  free(c->events);
  free(c->times);
  fl_arena_free(c->arena);
  fl_arena_free(c->out);
}

/* Record ids count from 1; a negative key is none. */
static void add(crowd *c, fl_time at, int64_t id, long key) {
  const fl_str text = key < 0 ? FL_STR("") : fl_arena_printf(c->arena, "k=%ld", key);
  assert_true(c->n < c->cap && text.p);
  fl_event *event = make_event(c->arena, "M", "P", id, text.p);
  event->t = T0 + at;
  event->record_id = (int64_t)c->n + 1;
  c->times[c->n] = event->t;
  c->events[c->n++] = event;
}

static void run(crowd *c, const char *text) {
  fl_rules *rules = rules_of(text);
  const fl_machine machine = {.name = FL_STR("M")};
  const fl_sequence_input in = {.rules = rules,
                                .events = c->events,
                                .times = c->times,
                                .n = c->n,
                                .machines = &machine,
                                .n_machines = 1,
                                .part = FL_RULES_NORMAL};
  fl_err err = {0};
  fl_arena_reset(c->out);
  const fl_status s =
      fl_sequences_run(&in, c->out, &c->findings, &c->n_findings, &c->n_evicted, &err);
  fl_rules_free(rules);
  if (s != FL_OK) fail_msg("%s", err.text);
}

/* Of the only finding. */
static void expect_text(const crowd *c, const char *text) {
  assert_int_equal(c->n_findings, 1);
  assert_text(c->findings[0].text, text);
}

static void expect_truth(crowd *c, const char *steps, const char *cond, fl_truth truth) {
  char rule[512];
  (void)snprintf(rule, sizeof rule, "%s%s score: +50 if %s +1 if $a report at 0 }",
                 "rule r { meta: title = \"t\" events: " A B "sequence by %k within 1d: ", steps,
                 cond);
  run(c, rule);
  assert_int_equal(c->n_findings, 1);
  const fl_evidence *first = &c->findings[0].evidence[0];
  const fl_truth found = first->points == 50 ? first->truth : FL_FALSE;
  if (found != truth) fail_msg("%s of %s is %d, expected %d", cond, steps, found, truth);
}

static void a_million_hits(void **state) {
  (void)state;
  crowd c = crowd_of(1000000);
  for (size_t i = 0; i < c.cap; i++) add(&c, (fl_time)i * MS, i % 2 ? 2 : 1, (long)i / 2);
  run(&c, RULE(A B,
               "sequence by %k within 1d: $a absent $b during 1d "
               "score: +50 if $b and $a.k == \"x\""));
  assert_int_equal(c.n_findings, 0);
  assert_int_equal(c.n_evicted, 0);
  c.n = 100000;
  run(&c, RULE(A B, "sequence by %k within 1d: $a $b"));
  assert_int_equal(c.n_findings, FL_LIMIT_SEQUENCE_FINDINGS);
  assert_int_equal(c.n_evicted, 50000 - FL_LIMIT_SEQUENCE_FINDINGS);
  assert_true(c.findings[c.n_findings - 1].start == c.times[c.n - 2]); /* the newest stay */
  crowd_done(&c);
}

/* 6,000 candidates in front of the anchor, as many behind it. */
static void the_preferred_is_found_first(void **state) {
  (void)state;
  crowd c = crowd_of(12001);
  for (int i = 0; i < 6000; i++) add(&c, i * 100 * MS, 2, 7);
  add(&c, 6000 * 100 * MS, 1, 7);
  run(&c, RULE(A B, "sequence by %k within 1d: $a $b? before 2h explain: \"{$b.record_id}\""));
  expect_text(&c, "6000");
  run(&c, RULE(A B, "sequence by %k within 1d: $a $b? during 2h explain: \"{$b.record_id}\""));
  expect_text(&c, "6000");
  for (int i = 0; i < 6000; i++) add(&c, 600000 * MS + (i * 100 + 99) * MS, 2, 7);
  run(&c, RULE(A B, "sequence by %k within 1d: $a $b? during 2h explain: \"{$b.record_id}\""));
  expect_text(&c, "6002"); /* 99 ms after, the one before is 100 ms away */
  run(&c, RULE(A B, "sequence by %k within 1d: $a $b? within 2h explain: \"{$b.record_id}\""));
  expect_text(&c, "6002");
  crowd_done(&c);
}

/* The variable of the anchor is no join here; that of the first step is, behind 5,000 others. */
static void a_search_that_was_cut_is_unknown(void **state) {
  (void)state;
  crowd c = crowd_of(6002);
  const char *rule = RULE(
      "$a : provider \"P\" 1 $b : provider \"P\" 2 { k -> %k; j -> %j } "
      "$c : provider \"P\" 3 { k -> %k; j -> %j } ",
      "sequence by %k within 1d: $a $c? within 2h $b? before 2h "
      "score: +50 if $b report at 0 explain: \"{unknown($b): '?'}\"");
  add(&c, 0, 2, 9);
  for (int i = 0; i < 5000; i++) add(&c, (i + 1) * MS, 2, 7);
  add(&c, 6000 * MS, 1, -1);
  add(&c, 6001 * MS, 3, 9);
  run(&c, rule);
  expect_text(&c, ""); /* the index goes by the key */
  for (size_t i = 0; i < c.n; i++) {
    fl_field *fields = FL_NEW_ARRAY(c.arena, fl_field, 2);
    const long j = i == 0 || i + 1 == c.n ? 9 : 7;
    fields[0] =
        (fl_field){.name = FL_STR("k"), .value = {.kind = FL_V_STR, .as.text = FL_STR("same")}};
    fields[1] = (fl_field){.name = FL_STR("j"), .value = {.kind = FL_V_INT, .as.integer = j}};
    fl_event *event = FL_NEW(c.arena, fl_event);
    *event = *c.events[i];
    event->data = fields;
    event->n_data = 2;
    c.events[i] = event;
  }
  run(&c, rule);
  expect_text(&c, "?");
  assert_int_equal(c.findings[0].evidence[0].truth, FL_UNKNOWN);
  assert_has(c.findings[0].evidence[0].text, "too many events lie in that time");
  assert_int_equal(c.n_evicted, 1);
  crowd_done(&c);
}

static void counts_that_were_cut_are_least(void **state) {
  (void)state;
  crowd c = crowd_of(8001);
  add(&c, 0, 1, 7);
  for (int i = 0; i < 8000; i++) add(&c, (i + 1) * 10 * MS, 2, 7);
  const char *steps = "$a $b* within 2h";
  expect_truth(&c, steps, "count($b) > 4000", FL_TRUE);
  expect_truth(&c, steps, "count($b) >= 4096", FL_TRUE);
  expect_truth(&c, steps, "count($b) > 5000", FL_UNKNOWN);
  assert_has(c.findings[0].evidence[0].text,
             "how often P 2 was logged: too many events lie in that time");
  expect_truth(&c, steps, "count($b) > 100000", FL_UNKNOWN);
  expect_truth(&c, steps, "count($b) < 4000", FL_FALSE);
  expect_truth(&c, steps, "count($b) < 5000", FL_UNKNOWN);
  expect_truth(&c, steps, "count($b) == 8000", FL_UNKNOWN);
  expect_truth(&c, steps, "count($b) != 8000", FL_UNKNOWN);
  expect_truth(&c, steps, "$b.k == \"7\"", FL_TRUE);
  expect_truth(&c, steps, "$b.delta($a) < 1s", FL_TRUE);
  expect_truth(&c, steps, "$b.last.event.record_id > 1", FL_UNKNOWN);
  expect_truth(&c, "$a $b* within 30s", "count($b) > 5000", FL_FALSE);
  run(&c, RULE(A B,
               "sequence by %k within 1d: $a $b* within 2h "
               "explain: \"{count($b)} {$b.record_id} {$b.last.record_id}\""));
  expect_text(&c, "at least 4096 2 ?");
  assert_int_equal(c.findings[0].n_events, 1 + FL_LIMIT_SEQUENCE_KEPT);
  crowd_done(&c);
}

/* Before an anchor the newest are collected: their last is known, their first is not. */
static void a_cut_before_keeps_the_latest(void **state) {
  (void)state;
  crowd c = crowd_of(8001);
  for (int i = 0; i < 8000; i++) add(&c, i * 10 * MS, 2, 7);
  add(&c, 80000 * MS, 1, 7);
  run(&c, RULE(A B,
               "sequence by %k within 1d: $a $b* before 2h "
               "explain: \"{count($b)} {$b.record_id} {$b.last.record_id} {$a.delta($b)}\""));
  expect_text(&c, "at least 4096 ? 8000 ?");
  assert_int_equal(c.findings[0].events[0]->record_id, 8000 - FL_LIMIT_SEQUENCE_KEPT + 1);
  crowd_done(&c);
}

/* Round robin over the keys, all within the window. */
static void a_repeated_anchor_takes_all(void **state) {
  (void)state;
  const char *keyed = RULE(A, "sequence by %k within 1d: $a+ explain: \"{count($a)}\"");
  crowd c = crowd_of(8000);
  for (int i = 0; i < 8000; i++) add(&c, i * 10 * MS, 1, i % 50);
  run(&c, keyed);
  assert_int_equal(c.n_findings, 50);
  for (size_t i = 0; i < 50; i++) assert_text(c.findings[i].text, "160");
  assert_int_equal(c.n_evicted, 0);
  run(&c, RULE("$a : provider \"P\" 1", "sequence within 1d: $a+ explain: \"{count($a)}\""));
  expect_text(&c, "8000");
  assert_int_equal(c.findings[0].n_events, FL_LIMIT_SEQUENCE_KEPT);
  run(&c, RULE("$a : provider \"P\" 1", "sequence within 20s: $a+ explain: \"{count($a)}\""));
  assert_int_equal(c.n_findings, 4);
  for (size_t i = 0; i < 3; i++) assert_text(c.findings[i].text, "2001");
  assert_text(c.findings[3].text, "1997");
  crowd_done(&c);
}

/* Events without the key join with each anchor: those are not taken twice for nothing. */
static void a_repeated_anchor_is_bounded(void **state) {
  (void)state;
  crowd c = crowd_of(10010);
  for (int i = 0; i < 10; i++) add(&c, i * MS, 1, i);
  for (int i = 0; i < 10000; i++) add(&c, (10 + i) * MS, 1, -1);
  run(&c, RULE(A,
               "sequence by %k within 1d: $a+ "
               "score: +50 if count($a) > 5000 +1 if $a report at 0 "
               "explain: \"{count($a)}\""));
  assert_int_equal(c.n_findings, 10);
  assert_text(c.findings[0].text, "10001");
  assert_int_equal(c.findings[0].evidence[0].truth, FL_TRUE);
  for (size_t i = 1; i < 10; i++) {
    assert_text(c.findings[i].text, "at least 4097");
    assert_int_equal(c.findings[i].evidence[0].truth, FL_UNKNOWN);
  }
  assert_int_equal(c.n_evicted, 9);
  crowd_done(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_million_hits),
                                     cmocka_unit_test(the_preferred_is_found_first),
                                     cmocka_unit_test(a_search_that_was_cut_is_unknown),
                                     cmocka_unit_test(counts_that_were_cut_are_least),
                                     cmocka_unit_test(a_cut_before_keeps_the_latest),
                                     cmocka_unit_test(a_repeated_anchor_takes_all),
                                     cmocka_unit_test(a_repeated_anchor_is_bounded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
