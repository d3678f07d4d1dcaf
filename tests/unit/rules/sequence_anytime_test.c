/* sequence_anytime_test.c - steps without a window: who is taken, what is known, what decides. */
#include "flr_help.h"

#define STATE "faultline-state"
#define EVENTS                                          \
  "$a : provider \"P\" 1 { event.host => %h as host } " \
  "$s : provider \"" STATE "\" 2 { event.host => %h as host; setting == \"deny\" } "
#define RULE(steps, score)                                                                     \
  "rule r { meta: title = \"t\" events: " EVENTS "sequence by %h within 60s: " steps " " score \
  " "                                                                                          \
  "}"
#define TOLD                                                                    \
  "score: +10 if $a +20 if $s : \"v {$s.value} at {$s.time}, {$s.delta($a)}\" " \
  "+40 if $s.value == 1 +5 if unknown($s) +7 if absent $s report at 0"

static fl_event *add_state(world *w, double at, const char *host, const char *fields) {
  fl_event *event = add_event(w, at, host, STATE, 2, fields);
  event->channel = FL_STR("");
  return event;
}

/* Those without a time stand first, as a case sorts them. */
static fl_event *add_timeless(world *w, const char *host, const char *fields) {
  fl_event *event = add_state(w, 0, host, fields);
  event->flags |= FL_F_TIME_INVALID;
  event->t = w->times[w->n - 1] = 0;
  return event;
}

static world *open_world(const char *rule) {
  world *w = world_create(rule);
  add_machine(w, "M", 0);
  add_machine(w, "N", 0);
  return w;
}

static fl_finding *only(world *w) {
  assert_int_equal(world_run(w), 1);
  return &w->findings[0];
}

static void a_state_without_time_is_taken(void **state) {
  (void)state;
  world *w = open_world(RULE("$a $s? anytime", TOLD));
  (void)add_timeless(w, "N", "setting=deny value=1");
  (void)add_timeless(w, "M", "setting=deny value=1");
  (void)add_event(w, 10, "M", "P", 1, "");
  const fl_finding *f = only(w);
  assert_int_equal(f->score, 70);
  assert_int_equal(f->n_events, 2);
  assert_text(f->evidence[1].text, "v 1 at ?, ?");
  /* It has no place in time: the finding spans its events. */
  assert_int_equal(f->start, T0 + 10 * FL_SECOND);
  assert_int_equal(f->end, T0 + 10 * FL_SECOND);
  world_free(w);
}

static void the_latest_wins(void **state) {
  (void)state;
  world *w = open_world(RULE("$a $s? anytime", TOLD));
  (void)add_timeless(w, "M", "setting=deny value=3");
  (void)add_state(w, 1, "M", "setting=deny value=1");
  (void)add_event(w, 10, "M", "P", 1, "");
  (void)add_state(w, 100000, "M", "setting=deny value=2");
  (void)add_state(w, 200000, "M", "setting=other value=1");
  assert_has(only(w)->evidence[1].text, "v 2 at ");
  world_free(w);
  /* Without a time all are equal: the last one as they stand. */
  w = open_world(RULE("$a $s? anytime", TOLD));
  (void)add_timeless(w, "M", "setting=deny value=1");
  (void)add_timeless(w, "M", "setting=deny value=2");
  (void)add_event(w, 10, "M", "P", 1, "");
  assert_has(only(w)->evidence[1].text, "v 2 at ?");
  world_free(w);
}

static void what_is_not_there(void **state) {
  (void)state;
  /* No state of that kind of this machine, though of another one. */
  world *w = open_world(RULE("$a $s? anytime", TOLD));
  add_sighting(w, "N", STATE, "", 2);
  add_sighting(w, "M", STATE, "", 3);
  (void)add_event(w, 10, "M", "P", 1, "");
  const fl_finding *f = only(w);
  assert_int_equal(f->score, 15);
  assert_has(f->evidence[1].text, "the case holds no such state of M");
  world_free(w);
  /* There are some, none fits. */
  w = open_world(RULE("$a $s? anytime", TOLD));
  add_sighting(w, "M", STATE, "", 2);
  (void)add_event(w, 10, "M", "P", 1, "");
  assert_int_equal(only(w)->score, 17);
  world_free(w);
  /* A window asks for more than a state knows. */
  w = open_world(RULE("$a $s? within 5s", TOLD));
  add_sighting(w, "M", STATE, "", 2);
  (void)add_event(w, 10, "M", "P", 1, "");
  f = only(w);
  assert_int_equal(f->score, 15);
  assert_has(f->evidence[1].text, "for the time of its collection alone");
  world_free(w);
}

/* Of a log, all that was before must be there to know that something never was. */
static void of_a_log(void **state) {
  (void)state;
  const char *rule =
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 { event.host => %h as host } "
      "$b : provider \"Q\" 2 { event.host => %h as host; k == \"x\" } "
      "sequence by %h within 5s: $a $b? anytime "
      "score: +10 if $a +20 if $b +5 if unknown($b) +7 if absent $b report at 0 }";
  const double starts[] = {-100, 0};
  for (int i = 0; i < 3; i++) {
    world *w = open_world(rule);
    add_log(w, "M", "Log", starts[i % 2], 1000);
    if (i == 1) w->coverage[0].start = INT64_MIN;
    add_sighting(w, "M", "Q", "Log", 2);
    if (i == 2) (void)add_event(w, -90000, "M", "Q", 2, "k=x");
    (void)add_event(w, 10, "M", "P", 1, "");
    assert_int_equal(only(w)->score, i == 0 ? 15 : i == 1 ? 17 : 30);
    world_free(w);
  }
}

static void several_of_a_kind(void **state) {
  (void)state;
  const char *rule =
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 { event.host => %h as host } "
      "$policy : provider \"" STATE
      "\" 2 { event.host => %h as host; layer == \"policy\" } "
      "$local  : provider \"" STATE
      "\" 2 { event.host => %h as host; layer == \"local\" } "
      "$any    : provider \"" STATE
      "\" 2 { event.host => %h as host } "
      "sequence by %h within 5s: $policy? anytime $local? anytime $any* anytime $a "
      "score: +1 if $a +2 if $policy.value == 1 +4 if $local.value == 0 "
      "+8 if count($any) == 1 report at 0 }";
  world *w = open_world(rule);
  (void)add_timeless(w, "M", "layer=local value=0");
  (void)add_timeless(w, "M", "layer=policy value=1");
  (void)add_timeless(w, "M", "layer=user value=5");
  (void)add_event(w, 10, "M", "P", 1, "");
  assert_int_equal(only(w)->score, 15); /* an event is bound once */
  world_free(w);
}

static void mandatory_and_shared(void **state) {
  (void)state;
  world *w = open_world(RULE("$a $s anytime", "score: +30 if $s report at 0"));
  (void)add_event(w, 10, "M", "P", 1, "");
  assert_int_equal(world_run(w), 0);
  world_free(w);
  /* One event in two roles of one rule is bound once, whatever the step looks like. */
  w = open_world(
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 { event.host => %h as "
      "host } $b : provider \"P\" 1 { event.host => %h as host } sequence by %h within "
      "5s: $a $b? anytime score: +10 if $a +20 if $b report at 0 }");
  (void)add_event(w, 10, "M", "P", 1, "");
  assert_int_equal(only(w)->score, 10);
  (void)add_event(w, 5000, "M", "P", 1, "");
  assert_int_equal(world_run(w), 2);
  assert_int_equal(w->findings[0].score, 30);
  assert_int_equal(w->findings[1].score, 30);
  world_free(w);
}

static const char *refused(const char *rule) {
  static char text[512];
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  const fl_status s = fl_rules_add_text(rules, FL_STR("t.flr"), fl_str_of(rule), &err);
  (void)snprintf(text, sizeof text, "%s", s == FL_OK ? "" : err.text);
  fl_rules_free(rules);
  return text;
}

static void check_decisive(const char *cond, bool is_refused) {
  char rule[2048];
  (void)snprintf(
      rule, sizeof rule,
      "rule r { meta: title = \"t\" events: $a : kind \"rdp.attempt\" { server => %%h as "
      "host } $b : provider \"P\" 2 { event.host => %%h as host; ip -> %%ip } "
      "$s : kind \"setting.rdp\" { event.host => %%h as host; value -> %%v } "
      "$w : kind \"state.listener\" { event.host => %%h as host } "
      "sequence by %%h: $a $b? within 5s $s? anytime $w? within 5s "
      "score: +10 if $a +90 decisive if %s report at 0 }",
      cond);
  const char *text = refused(rule);
  if ((strstr(text, "a state alone decides nothing") != NULL) != is_refused)
    fail_msg("%s: \"%s\"", cond, text);
}

static void a_state_alone_decides_nothing(void **state) {
  (void)state;
  check_decisive("$b", false);
  check_decisive("$b and $s", false);
  check_decisive("$a.code == 4 and $s.value == 1", false);
  check_decisive("$b or ($s and $b)", false);
  check_decisive("absent $b", false);
  check_decisive("$b and %v == 1", false);
  check_decisive("%ip == \"1\"", false);
  check_decisive("$s.value == $b.value", false);
  check_decisive("$s", true);
  check_decisive("$s.value == 1", true);
  check_decisive("not $s", true);
  check_decisive("unknown($s)", true);
  check_decisive("count($s) > 0", true);
  check_decisive("$a and $s", true);
  check_decisive("$b or $s", true);
  check_decisive("$s and absent $b", true);
  check_decisive("$s and not $a.code == 4", true);
  check_decisive("%v == 1", true);
  check_decisive("$w", true); /* a window makes no event of a state */
  check_decisive("$s.delta($a) < 5s", true);
}

static void what_is_refused(void **state) {
  (void)state;
  assert_non_null(strstr(refused(RULE("$a absent $s within 5s after $s", "")), "own measure"));
  assert_non_null(strstr(
      refused("rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $b : provider \"P\" 2 "
              "$s : provider \"P\" 3 sequence: $a $s? anytime absent $b within 5s after $s }"),
      "$s is at any time, no window counts from it"));
  assert_non_null(strstr(
      refused("rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $s : provider \"P\" 3 "
              "sequence: $a unordered within 5s { $s anytime } }"),
      "items of 'unordered' share its window"));
  assert_non_null(strstr(refused("rule r { meta: title = \"t\" events: $s : provider \"P\" 3 "
                                 "sequence: $s anytime }"),
                         "no mandatory step"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_state_without_time_is_taken),
      cmocka_unit_test(the_latest_wins),
      cmocka_unit_test(what_is_not_there),
      cmocka_unit_test(of_a_log),
      cmocka_unit_test(several_of_a_kind),
      cmocka_unit_test(mandatory_and_shared),
      cmocka_unit_test(a_state_alone_decides_nothing),
      cmocka_unit_test(what_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
