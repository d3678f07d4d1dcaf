/* sequence_test.c - windows, joins, order, repetition, limits, texts of sequences. */
#include "flr_help.h"

#define RULE(events, rest) "rule r { meta: title = \"t\" events: " events " " rest " }"
#define A "$a : provider \"P\" 1 { k -> %k } "
#define B "$b : provider \"P\" 2 { k -> %k } "
#define C "$c : provider \"P\" 3 { k -> %k } "
#define SCORE "score: +10 if $a +20 if $b report at 0"

/* Events as "id@seconds" or "id@seconds:key", in time order. */
static world *play(const char *rules, const char *script) {
  world *w = world_create(rules);
  add_machine(w, "M", 0);
  while (*script) {
    int id = 0, n = 0;
    double at = 0;
    char key = 0;
    if (sscanf(script, "%d@%lf:%c%n", &id, &at, &key, &n) != 3 || n == 0) {
      key = 0;
      n = 0;
      assert_int_equal(sscanf(script, "%d@%lf%n", &id, &at, &n), 2);
    }
    char *fields = fl_arena_alloc(w->arena, 8);
    if (key) (void)snprintf(fields, 8, "k=%c", key);
    (void)add_event(w, at, "M", "P", id, fields);
    script += n;
    while (*script == ' ') script++;
  }
  (void)world_run(w);
  return w;
}

/* Ids of the events of finding i, such as "1 2". */
static void check(const char *rules, const char *script, const char *expected) {
  world *w = play(rules, script);
  char text[512] = "";
  size_t n = 0;
  for (size_t i = 0; i < w->n_findings; i++) {
    for (size_t k = 0; k < w->findings[i].n_events; k++)
      n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld",
                            k   ? " "
                            : i ? " | "
                                : "",
                            (long long)w->findings[i].events[k]->event_id);
  }
  if (strcmp(text, expected) != 0)
    fail_msg("%s: found \"%s\", expected \"%s\"", script, text, expected);
  world_free(w);
}

static void forward_windows(void **state) {
  (void)state;
  const char *rule = RULE(A B, "sequence by %k within 60s: $a $b within 10s " SCORE);
  check(rule, "1@0 2@5", "1 2");
  check(rule, "1@0 2@10", "1 2");
  check(rule, "1@0 2@10.001", "");
  check(rule, "2@0 1@5", "");
  check(rule, "1@0 2@0", "1 2");
  check(rule, "2@0 1@0", ""); /* equal times in one log: record numbers decide */
  check(rule, "1@0:x 2@5:y", "");
  check(rule, "1@0:x 2@5:X", "1 2");
  check(rule, "1@0:x 2@5:y 2@6:x", "1 2");
  check(rule, "1@0:x 2@5", "1 2"); /* unset joins with anything */
  check(rule, "1@0 2@5:z", "1 2");
  check(rule, "1@0 1@1 2@5", "1 2 | 1 2");
  /* Counted from the previous matched step, and never past the sequence's end. */
  const char *three =
      RULE(A B C, "sequence by %k within 15s: $a $b within 10s $c within 10s " SCORE);
  check(three, "1@0 2@9 3@15", "1 2 3");
  check(three, "1@0 2@9 3@16", "");
  const char *open = RULE(A B, "sequence by %k within 15s: $a $b " SCORE);
  check(open, "1@0 2@15", "1 2");
  check(open, "1@0 2@16", "");
  check(RULE(A B, "sequence by %k: $a $b " SCORE), "1@0 2@300", "1 2");
}

/* Ids and counts: fewer than asked for are none, more are left to the next. */
static void repetitions_in_braces(void **state) {
  (void)state;
  const char *burst = RULE(A, "sequence by %k within 10s: $a{3,} score: +10 if $a report at 0");
  check(burst, "1@0 1@1", "");
  check(burst, "1@0 1@1 1@2", "1 1 1");
  check(burst, "1@0 1@9 1@11 1@12", "1 1 1"); /* the first two do not use up the second */
  check(burst, "1@0:x 1@1:y 1@2:x 1@3:y 1@4:x", "1 1 1");
  check(burst, "1@0 1@1 1@2 1@3 1@4", "1 1 1 1 1");
  const char *exact = RULE(A, "sequence by %k within 10s: $a{2} score: +10 if $a report at 0");
  check(exact, "1@0 1@1 1@2 1@3 1@4", "1 1 | 1 1");
  const char *later = RULE(A B, "sequence by %k within 60s: $a $b{2,3} within 10s " SCORE);
  check(later, "1@0 2@1", "");
  check(later, "1@0 2@1 2@2", "1 2 2");
  check(later, "1@0 2@1 2@2 2@3 2@4", "1 2 2 2");
  check(later, "1@0 2@1 2@11", ""); /* one window for all of them, counted from $a */
  /* The first of the events that has enough beside it: unset keys of $a leave %k open. */
  check(later, "1@0 2@1:x 2@2:y 2@3:y", "1 2 2");
  const char *before = RULE(A B, "sequence by %k within 60s: $b{2} before 10s $a " SCORE);
  check(before, "2@0 2@1 2@2 1@5", "2 2 1");
  const char *optional = RULE(A B,
                              "sequence by %k within 60s: $a $b{0,2} within 10s score: +10 if $a "
                              "+20 if count($b) == 2 report at 30");
  check(optional, "1@0 2@1", "");
  check(optional, "1@0 2@1 2@2 2@3", "1 2 2");
}

static void optional_and_choices(void **state) {
  (void)state;
  const char *optional =
      RULE(A B C, "sequence by %k within 60s: $a $b? within 5s $c within 5s " SCORE);
  check(optional, "1@0 3@5", "1 3");
  check(optional, "1@0 2@5 3@10", "1 2 3");
  check(optional, "1@0 3@6", "");
  const char *choice = RULE(A B C, "sequence by %k within 60s: $a ($b | $c) within 5s " SCORE);
  check(choice, "1@0 2@5", "1 2");
  check(choice, "1@0 3@5", "1 3");
  check(choice, "1@0 2@4 3@5", "1 2 3");
  check(choice, "1@0 2@6 3@7", "");
  const char *first = RULE(A B C, "sequence by %k within 60s: ($a | $b) $c within 5s " SCORE);
  check(first, "1@0 3@2 2@10 3@11", "1 3 | 2 3");
}

/* "=>" at another step: where the anchor should have named the value and did not, nothing joins. */
static void demanded_joins(void **state) {
  (void)state;
  const char *demands = RULE(A "$b : provider \"P\" 2 { k => %k } ",
                             "sequence by %k within 60s: $a $b? within 10s " SCORE);
  check(demands, "1@0:x 2@5:x", "1 2");
  check(demands, "1@0 2@5:x", "1");
  check(demands, "1@0:x 2@5", "1");
  const char *free = RULE("$a : provider \"P\" 1 $b : provider \"P\" 2 { k => %k } ",
                          "sequence within 60s: $a $b? within 10s " SCORE);
  check(free, "1@0 2@5:x", "1 2");
  const char *group = RULE(A "$b : provider \"P\" 2 { k => %k } " C,
                           "sequence by %k within 60s: $a unordered within 5s { $b $c } " SCORE);
  check(group, "1@0:x 2@5:x 3@6:x", "1 2 3");
  check(group, "1@0 2@5:x 3@6:x", "");
}

static void before_and_during(void **state) {
  (void)state;
  const char *before = RULE(A B, "sequence by %k within 60s: $a $b before 10s " SCORE);
  check(before, "2@0 1@10", "2 1");
  check(before, "2@0 1@11", "");
  check(before, "1@0 2@1", "");
  const char *listed = RULE(A B, "sequence by %k within 30s: $b? $a " SCORE);
  check(listed, "2@0 1@30", "2 1");
  check(listed, "2@0 1@31", "1");
  const char *during = RULE(A B, "sequence by %k within 60s: $a $b? during 2s " SCORE);
  check(during, "2@0 1@2", "2 1");
  check(during, "1@0 2@2", "1 2");
  check(during, "1@0 2@2.5", "1");
}

static void latest_before_and_nearest_during(void **state) {
  (void)state;
  world *w =
      play(RULE(A B, "sequence by %k within 60s: $a $b before 10s " SCORE), "2@0 2@3 1@5 2@6");
  assert_int_equal(w->n_findings, 1);
  assert_int_equal(w->findings[0].events[0]->t, T0 + 3 * FL_SECOND);
  world_free(w);
  w = play(RULE(A B, "sequence by %k within 60s: $a $b during 10s " SCORE), "2@0 2@3 1@5 2@6 2@7");
  assert_int_equal(w->findings[0].events[1]->t, T0 + 6 * FL_SECOND);
  world_free(w);
}

static void attempts_have_an_end(void **state) {
  (void)state;
  world *w =
      world_create(RULE("$a : kind \"rdp.attempt\" { server -> %s as host } "
                        "$b : server provider \"P\" 2 { event.host -> %s as host }",
                        "sequence by %s within 60s: $a $b during 1s " SCORE));
  add_machine(w, "srv.corp", FL_ROLE_SERVER);
  add_machine(w, "other", FL_ROLE_SERVER);
  const fl_event *attempt = add_attempt(w, 0, "server=SRV duration_ms=10000");
  (void)add_event(w, 5, "other", "P", 2, "");
  (void)add_event(w, 11, "SRV.corp.example", "P", 2, "");
  assert_int_equal(world_run(w), 1);
  assert_ptr_equal(w->findings[0].anchor, attempt);
  assert_int_equal(w->findings[0].n_events, 2);
  assert_int_equal(w->findings[0].events[1]->t, T0 + 11 * FL_SECOND);
  assert_int_equal(w->findings[0].start, T0);
  assert_int_equal(w->findings[0].end, T0 + 11 * FL_SECOND);
  world_free(w);
}

static void deltas_count_from_start_or_end(void **state) {
  (void)state;
  static const struct {
    const char *cond;
    int score;
  } cases[] = {{"$b.delta($a) == 9s", 50},
               {"$b.delta($a.end) == -1s", 50},
               {"$b.delta($a.end) >= -2s", 50},
               {"$b.delta($a.end) > 0s", 0},
               {"$a.delta($b.end) == -9s", 50}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512];
    (void)snprintf(text, sizeof text,
                   "rule r { meta: title = \"t\" events: $a : kind \"rdp.attempt\" "
                   "$b : provider \"P\" 2 sequence within 60s: $a $b during 1s "
                   "score: +50 if %s report at 0 }",
                   cases[i].cond);
    world *w = world_create(text);
    (void)add_attempt(w, 0, "duration_ms=10000");
    (void)add_event(w, 9, "M", "P", 2, "");
    assert_int_equal(world_run(w), 1);
    if (w->findings[0].score != cases[i].score) fail_msg("%s", cases[i].cond);
    world_free(w);
  }
}

static void repeated_steps(void **state) {
  (void)state;
  const char *star = RULE(A B, "sequence by %k within 60s: $a $b* within 10s " SCORE);
  check(star, "1@0", "1");
  check(star, "1@0 2@1 2@2 2@11", "1 2 2");
  const char *plus = RULE(A B, "sequence by %k within 60s: $a $b+ within 10s " SCORE);
  check(plus, "1@0", "");
  check(plus, "1@0 2@1 2@2", "1 2 2");
  const char *anchor = RULE(A B, "sequence by %k within 20s: $a+ $b? " SCORE);
  check(anchor, "1@0 1@5 2@6 1@30", "1 1 2 | 1");
}

static void unordered_groups(void **state) {
  (void)state;
  const char *after =
      RULE(A B C, "sequence by %k within 60s: $a unordered within 5s { $b $c } " SCORE);
  check(after, "1@0 2@10 3@12", "1 2 3");
  check(after, "1@0 3@10 2@12", "1 3 2");
  check(after, "1@0 3@10 2@20", "");
  check(after, "1@0 3@10 2@20 3@22", "1 2 3");
  const char *anchor =
      RULE(A B, "sequence by %k within 60s: unordered within 5s { $b? $a } " SCORE);
  check(anchor, "2@0 1@5", "2 1");
  check(anchor, "1@0 2@5", "1 2");
  check(anchor, "1@0 2@6", "1");
}

static void until_ends_it(void **state) {
  (void)state;
  const char *rule = RULE(A B C, "sequence by %k within 60s: $a $b until $c " SCORE);
  check(rule, "1@0 3@5 2@6", "");
  check(rule, "1@0 2@4 3@5", "1 2 3");
}

static void roles_and_required(void **state) {
  (void)state;
  world *w = world_create(RULE("$a : server provider \"P\" 1 { need => %n } ", ""));
  add_machine(w, "S", FL_ROLE_SERVER);
  add_machine(w, "C", FL_ROLE_CLIENT);
  add_machine(w, "U", 0);
  (void)add_event(w, 0, "S", "P", 1, "need=1");
  (void)add_event(w, 1, "C", "P", 1, "need=1");
  (void)add_event(w, 2, "U", "P", 1, "need=1");
  (void)add_event(w, 3, "stranger", "P", 1, "need=1");
  (void)add_event(w, 4, "S", "P", 1, "");
  w->arena = w->arena;
  assert_int_equal(world_run(w), 3);
  assert_int_equal(w->findings[0].score, 60);
  world_free(w);
}

static void machine_joins(void **state) {
  (void)state;
  world *w = world_create(RULE("$a : server provider \"P\" 1 $b : server provider \"P\" 2 ",
                               "sequence by machine(server) within 60s: $a $b " SCORE
                               " explain: \"{machine(server)}\""));
  add_machine(w, "S1", FL_ROLE_SERVER);
  add_machine(w, "S2", FL_ROLE_SERVER);
  (void)add_event(w, 0, "S1", "P", 1, "");
  (void)add_event(w, 1, "S2", "P", 2, "");
  (void)add_event(w, 2, "s1.corp", "P", 2, "");
  assert_int_equal(world_run(w), 1);
  assert_text(w->findings[0].events[1]->host, "s1.corp");
  assert_text(w->findings[0].text, "S1");
  world_free(w);
}

static void skew_widens_between_machines(void **state) {
  (void)state;
  const char *rule = RULE(A B, "sequence by %k within 60s skew 30s: $a $b within 5s " SCORE);
  for (int is_estimated = 0; is_estimated < 2; is_estimated++) {
    world *w = world_create(rule);
    add_machine(w, "M1", 0);
    add_machine(w, "M2", 0);
    if (is_estimated) {
      w->machines[1].n_anchors = 3;
      w->machines[1].spread_ns = FL_SECOND;
    }
    (void)add_event(w, 0, "M2", "P", 2, "");
    (void)add_event(w, 20, "M1", "P", 1, "");
    assert_int_equal(world_run(w), is_estimated ? 0 : 1);
    world_free(w);
  }
  check(rule, "2@0 1@20", ""); /* the same machine */
}

static void noise_runs_apart(void **state) {
  (void)state;
  world *w = world_create(
      "rule n { meta: title = \"n\" effect = \"noise\" events: $a : provider \"P\" 1 }\n"
      "rule r { meta: title = \"r\" events: $a : provider \"P\" 1 }");
  (void)add_event(w, 0, "M", "P", 1, "");
  assert_int_equal(world_run_part(w, FL_RULES_NOISE), 1);
  assert_string_equal(w->findings[0].rule, "n");
  assert_int_equal(world_run_part(w, FL_RULES_NORMAL), 1);
  assert_string_equal(w->findings[0].rule, "r");
  world_free(w);
}

static void texts_are_filled(void **state) {
  (void)state;
  world *w = world_create(RULE(
      "$a : provider \"P\" 1 { user -> %u as user; code -> %c as hex } $b : provider \"P\" 2 $z : "
      "provider \"Z\"",
      "sequence within 60s: $a $b* $z? "
      "score: +150 if $a -20 if count($b) == 2 : \"{count($b)} of {$b.id}, last {$b.last.time}\" "
      "explain: \"{%u} {$a.code:hex} {%c:hex} {$a.neg:hex} {$a.gone} {$b.delta($a)} \" "
      "\"[?$b: yes [?%u: {%u}]][?$z: no] \\{x\\} [y] {$a.host}/{$a.event.id}/{$a.data.code} "
      "{$a.time}\""));
  (void)add_event(w, 0, "M", "P", 1, "user=CORP\\Al code=2308 neg=-1");
  (void)add_event(w, 0.31, "M", "P", 2, "");
  (void)add_event(w, 2, "M", "P", 2, "");
  assert_int_equal(world_run(w), 1);
  assert_text(w->findings[0].text,
              "CORP\\Al 0x904 0x904 0xffffffff ? 0.31 s yes CORP\\Al {x} [y] M/1/2308 "
              "2023-11-14 22:13:20 UTC");
  assert_int_equal(w->findings[0].score, 100); /* 150 - 20, clamped */
  assert_int_equal(w->findings[0].n_evidence, 2);
  assert_text(w->findings[0].evidence[1].text, "2 of 2, last 2023-11-14 22:13:22 UTC");
  assert_int_equal(w->findings[0].evidence[1].n_events, 2);
  assert_has(w->findings[0].evidence[0].text, "event 1 of P on M at 2023-11-14 22:13:20 UTC");
  world_free(w);
}

/* The same hits in another order of arrival, where times are equal, give the same findings. */
static void equal_times_do_not_matter(void **state) {
  (void)state;
  const char *rule = RULE("$a : provider \"P\" 1 $b : provider \"Q\" 2",
                          "sequence within 60s: $a $b within 5s " SCORE);
  for (int order = 0; order < 2; order++) {
    world *w = world_create(rule);
    add_machine(w, "M", 0);
    for (int i = 0; i < 2; i++) {
      fl_event *event =
          i == order ? add_event(w, 0, "M", "P", 1, "") : add_event(w, 0, "M", "Q", 2, "");
      event->channel = i == order ? FL_STR("one") : FL_STR("two");
    }
    assert_int_equal(world_run(w), 1);
    assert_int_equal(w->findings[0].n_events, 2);
    world_free(w);
  }
}

static void duplicates_are_ignored(void **state) {
  (void)state;
  world *w = world_create(RULE(A, ""));
  (void)add_event(w, 0, "M", "P", 1, "");
  add_event(w, 1, "M", "P", 1, "")->flags = FL_F_DUPLICATE;
  add_event(w, 2, "M", "P", 1, "")->flags = FL_F_TIME_INVALID;
  assert_int_equal(world_run(w), 1);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(repetitions_in_braces),
                                     cmocka_unit_test(forward_windows),
                                     cmocka_unit_test(optional_and_choices),
                                     cmocka_unit_test(demanded_joins),
                                     cmocka_unit_test(before_and_during),
                                     cmocka_unit_test(latest_before_and_nearest_during),
                                     cmocka_unit_test(attempts_have_an_end),
                                     cmocka_unit_test(deltas_count_from_start_or_end),
                                     cmocka_unit_test(repeated_steps),
                                     cmocka_unit_test(unordered_groups),
                                     cmocka_unit_test(until_ends_it),
                                     cmocka_unit_test(roles_and_required),
                                     cmocka_unit_test(machine_joins),
                                     cmocka_unit_test(skew_widens_between_machines),
                                     cmocka_unit_test(noise_runs_apart),
                                     cmocka_unit_test(texts_are_filled),
                                     cmocka_unit_test(equal_times_do_not_matter),
                                     cmocka_unit_test(duplicates_are_ignored)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
