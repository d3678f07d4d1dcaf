/* sequence_absence_test.c - three-valued logic: what is true, what is proven absent, what is
 * unknown. */
#include "flr_help.h"

/* $a is there; $t is there too; $f is proven absent; $u is unknown (its log is not in the case). */
#define EVENTS                                                                        \
  "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $t : provider \"P\" 2 " \
  "$f : channel \"Log\" provider \"P\" 3 $u : channel \"Other\" provider \"P\" 4 "    \
  "sequence within 60s: $a $t? $f? $u? "

static world *logic_world(const char *cond) {
  char text[1024];
  (void)snprintf(text, sizeof text, EVENTS "score: +50 if %s report at 0 }", cond);
  world *w = world_create(text);
  add_machine(w, "M", 0);
  add_log(w, "M", "Log", -1000, 1000);
  add_sighting(w, "M", "P", "Log", 1);
  add_sighting(w, "M", "P", "Log", 2);
  add_sighting(w, "M", "P", "Log", 3);
  (void)add_event(w, 0, "M", "P", 1, "n=5");
  (void)add_event(w, 1, "M", "P", 2, "n=7");
  return w;
}

static void check(const char *cond, fl_truth expected) {
  world *w = logic_world(cond);
  assert_int_equal(world_run(w), 1);
  const fl_finding *f = w->findings;
  const fl_truth truth = f->n_evidence ? f->evidence[0].truth : FL_FALSE;
  if (truth != expected) fail_msg("%s is %d, expected %d", cond, (int)truth, (int)expected);
  assert_int_equal(f->score, expected == FL_TRUE ? 50 : 0);
  world_free(w);
}

static void kleene_tables(void **state) {
  (void)state;
  static const struct {
    const char *cond;
    fl_truth truth;
  } cases[] = {{"$t", FL_TRUE},
               {"$f", FL_FALSE},
               {"$u", FL_UNKNOWN},
               {"not $t", FL_FALSE},
               {"not $f", FL_TRUE},
               {"not $u", FL_UNKNOWN},
               {"absent $t", FL_FALSE},
               {"absent $f", FL_TRUE},
               {"absent $u", FL_UNKNOWN},
               {"$t and $t", FL_TRUE},
               {"$t and $f", FL_FALSE},
               {"$t and $u", FL_UNKNOWN},
               {"$f and $t", FL_FALSE},
               {"$f and $f", FL_FALSE},
               {"$f and $u", FL_FALSE},
               {"$u and $t", FL_UNKNOWN},
               {"$u and $f", FL_FALSE},
               {"$u and $u", FL_UNKNOWN},
               {"$t or $t", FL_TRUE},
               {"$t or $f", FL_TRUE},
               {"$t or $u", FL_TRUE},
               {"$f or $t", FL_TRUE},
               {"$f or $f", FL_FALSE},
               {"$f or $u", FL_UNKNOWN},
               {"$u or $t", FL_TRUE},
               {"$u or $f", FL_UNKNOWN},
               {"$u or $u", FL_UNKNOWN},
               {"unknown($u)", FL_TRUE},
               {"unknown($t)", FL_FALSE},
               {"unknown($f)", FL_FALSE},
               {"count($t) == 1", FL_TRUE},
               {"count($f) == 0", FL_TRUE},
               {"count($u) == 0", FL_UNKNOWN},
               {"$t.n == 7", FL_TRUE},
               {"$t.n == 8", FL_FALSE},
               {"$f.n == 7", FL_FALSE},
               {"$u.n == 7", FL_UNKNOWN},
               {"$t.n > $a.n", FL_TRUE},
               {"$t.n > $u.n", FL_UNKNOWN},
               {"$a.n in ($u.n, 5)", FL_TRUE},
               {"$t.delta($a) == 1s", FL_TRUE},
               {"$t.delta($a) > 1s", FL_FALSE},
               {"$a.delta($t) < -500ms", FL_TRUE},
               {"$u.delta($a) > 1s", FL_UNKNOWN},
               {"$f.delta($u) > 1s", FL_FALSE},
               {"not ($f or $u) and $t", FL_UNKNOWN},
               {"$t and not ($u and $f)", FL_TRUE}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(cases[i].cond, cases[i].truth);
}

#define ABSENT                                                                                    \
  "rule r { meta: title = \"t\" events: $a : server provider \"P\" 1 { event.host -> %h as host " \
  "} "                                                                                            \
  "$x : server provider \"P\" 3 { event.host -> %h as host } "                                    \
  "sequence by %h within 60s skew 5s: $a absent $x within 30s after $a "                          \
  "score: +30 if $a +30 if absent $x -40 if $x report at 60 "                                     \
  "explain: \"x{unknown($x): ' maybe'}\" }"

static world *absent_world(double from, double to) {
  world *w = world_create(ABSENT);
  add_machine(w, "M.corp", FL_ROLE_SERVER);
  add_machine(w, "C", FL_ROLE_CLIENT);
  add_log(w, "M", "Log", from, to);
  add_sighting(w, "M", "P", "Log", 1);
  add_sighting(w, "M.corp", "p", "Log", 3);
  (void)add_event(w, 0, "M", "P", 1, "");
  return w;
}

static void absence_is_proven(void **state) {
  (void)state;
  world *w = absent_world(0, 30);
  assert_int_equal(world_run(w), 1);
  assert_int_equal(w->findings[0].score, 60);
  assert_int_equal(w->findings[0].n_evidence, 2);
  assert_has(w->findings[0].evidence[1].text,
             "no P 3 from 2023-11-14 22:13:20 UTC to 2023-11-14 22:13:50");
  assert_text(w->findings[0].text, "x");
  world_free(w);
}

static void presence_counts(void **state) {
  (void)state;
  world *w = absent_world(0, 30);
  (void)add_event(w, 30, "m.corp", "P", 3, "");
  assert_int_equal(world_run(w), 0); /* 30 - 40: not reported */
  world_free(w);
}

static void unknown_with_reason(world *w, const char *reason) {
  assert_int_equal(world_run(w), 1); /* could reach the threshold */
  assert_int_equal(w->findings[0].score, 30);
  assert_int_equal(w->findings[0].n_evidence, 3);
  assert_int_equal(w->findings[0].evidence[1].truth, FL_UNKNOWN);
  assert_int_equal(w->findings[0].evidence[1].points, 30);
  assert_has(w->findings[0].evidence[1].text, "not provable: whether P 3 was logged: ");
  assert_has(w->findings[0].evidence[1].text, reason);
  assert_text(w->findings[0].text, "x maybe");
  world_free(w);
}

static void absence_is_unknown(void **state) {
  (void)state;
  unknown_with_reason(absent_world(0, 29), "the log Log of M.corp does not cover that time");
  unknown_with_reason(absent_world(1, 300), "the log Log of M.corp does not cover that time");
  world *w = absent_world(-100, 300);
  const fl_span hole = {T0 + 10 * FL_SECOND, T0 + 11 * FL_SECOND};
  w->coverage[0].holes = &hole;
  w->coverage[0].n_holes = 1;
  unknown_with_reason(w, "does not cover that time");
  w = absent_world(-100, 300);
  w->n_coverage = 0;
  unknown_with_reason(w, "the log Log of M.corp is not in the case");
  w = absent_world(-100, 300);
  w->n_sightings = 1;
  unknown_with_reason(w, "no such event occurs anywhere in the logs of M.corp");
  w = absent_world(-100, 300);
  w->n_sightings = 0;
  unknown_with_reason(w, "nothing of P is in the logs of M.corp");
  w = absent_world(-100, 300);
  ((fl_event *)w->events[0])->host = FL_STR("stranger");
  unknown_with_reason(w, "no log of stranger is in the case");
}

static void offsets_shift_the_window(void **state) {
  (void)state;
  /* The machine's clock is 100 s behind: its log says [-100, -70]. */
  world *w = absent_world(-100, -70);
  w->machines[0].offset_ns = 100 * FL_SECOND;
  assert_int_equal(world_run(w), 1);
  assert_int_equal(w->findings[0].score, 60);
  world_free(w);
}

/* Without a join that names the machine, all machines with the role must cover the time. */
static void all_machines_with_the_role(void **state) {
  (void)state;
  const char *rule =
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $x : server provider \"P\" 3 "
      "sequence within 60s: $a absent $x during 5s score: +30 if absent $x report at 0 }";
  for (int n_servers = 0; n_servers < 3; n_servers++) {
    world *w = world_create(rule);
    add_machine(w, "C", FL_ROLE_CLIENT);
    if (n_servers > 0) add_machine(w, "S1", FL_ROLE_SERVER);
    if (n_servers > 1) add_machine(w, "S2", FL_ROLE_SERVER);
    add_log(w, "S1", "Log", -100, 100);
    add_sighting(w, "S1", "P", "Log", 3);
    (void)add_event(w, 0, "C", "P", 1, "");
    assert_int_equal(world_run(w), 1);
    assert_int_equal(w->findings[0].score, n_servers == 1 ? 30 : 0);
    if (n_servers == 0)
      assert_has(w->findings[0].evidence[0].text, "no log of a server is in the case");
    if (n_servers == 2)
      assert_has(w->findings[0].evidence[0].text, "nothing of P is in the logs of S2");
    world_free(w);
  }
}

static void windows_of_absence(void **state) {
  (void)state;
  static const struct {
    const char *absent;
    double from, to; /* the least that the log must cover */
  } cases[] = {{"absent $x within 5s", 0, 5},
               {"absent $x within 5s after $b", 10, 15},
               {"absent $x within 5s before $b", 5, 10},
               {"absent $x between $a and $b", 0, 10},
               {"absent $x during 5s", -5, 5},
               {"absent $x within 5s after $n", 0, 5}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int cut = 0; cut < 3; cut++) {
      char rule[512];
      (void)snprintf(rule, sizeof rule,
                     "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $b : provider "
                     "\"P\" 2 $n : provider \"N\" "
                     "$x : provider \"P\" 3 sequence within 60s: $a $b $n? %s score: +30 if absent "
                     "$x report at 0 }",
                     cases[i].absent);
      world *w = world_create(rule);
      add_machine(w, "M", 0);
      add_log(w, "M", "Log", cases[i].from + (cut == 1 ? 0.001 : 0),
              cases[i].to - (cut == 2 ? 0.001 : 0));
      add_sighting(w, "M", "P", "Log", 3);
      (void)add_event(w, 0, "M", "P", 1, "");
      (void)add_event(w, 10, "M", "P", 2, "");
      assert_int_equal(world_run(w), 1);
      if ((w->findings[0].score == 30) != (cut == 0)) fail_msg("%s, cut %d", cases[i].absent, cut);
      world_free(w);
    }
}

/* For each form that a negative step has: it is there, it is proven not to be, nobody can know. */
static void each_negative_step_has_three_answers(void **state) {
  (void)state;
  static const struct {
    const char *step;
    double at; /* where the event lies when it is there */
  } forms[] = {{"absent $x within 5s", 3},
               {"absent $x within 5s after $b", 12},
               {"absent $x within 5s before $b", 7},
               {"absent $x between $a and $b", 5},
               {"absent $x during 5s", -3},
               {"$x? within 5s", 12},
               {"$x? before 5s", -3},
               {"$x? during 5s", 3},
               {"$x* within 5s", 12},
               {"$x{0,2} during 5s", -3},
               {"unordered within 8s { $b $x? }", 7}};
  static const struct {
    bool is_there, has_log;
    int score; /* -20 for what is there, +30 for what is proven absent, of a base of 40 */
    fl_truth truth;
  } worlds[] = {
      {true, true, 20, FL_TRUE}, {false, true, 70, FL_FALSE}, {false, false, 40, FL_UNKNOWN}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    for (size_t k = 0; k < sizeof worlds / sizeof *worlds; k++) {
      char rule[640];
      const bool has_b = strstr(forms[i].step, "{ $b") != NULL;
      (void)snprintf(rule, sizeof rule,
                     "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $b : provider "
                     "\"P\" 2 $x : provider \"Q\" 3 sequence within 60s: $a %s %s score: +40 if $a "
                     "+30 if not $x -20 if $x report at 0 explain: \"{unknown($x): '?'}\" }",
                     has_b ? "" : "$b", forms[i].step);
      world *w = world_create(rule);
      add_machine(w, "M", 0);
      add_log(w, "M", "Log", -1000, 1000);
      if (!worlds[k].has_log) w->coverage[0].end = T0 - 900 * FL_SECOND;
      add_sighting(w, "M", "Q", "Log", 3);
      const bool is_early = forms[i].at<0, is_late = forms[i].at> 10;
      if (worlds[k].is_there && is_early) (void)add_event(w, forms[i].at, "M", "Q", 3, "");
      (void)add_event(w, 0, "M", "P", 1, "");
      if (worlds[k].is_there && !is_early && !is_late)
        (void)add_event(w, forms[i].at, "M", "Q", 3, "");
      (void)add_event(w, 10, "M", "P", 2, "");
      if (worlds[k].is_there && is_late) (void)add_event(w, forms[i].at, "M", "Q", 3, "");
      assert_int_equal(world_run(w), 1);
      if (w->findings[0].score != worlds[k].score)
        fail_msg("%s: score %d, expected %d", forms[i].step, w->findings[0].score, worlds[k].score);
      assert_text(w->findings[0].text, worlds[k].truth == FL_UNKNOWN ? "?" : "");
      world_free(w);
    }
}

/* Where nothing tells whose a record is, its absence cannot be proven either. */
static void missing_join_is_unknown(void **state) {
  (void)state;
  world *w = world_create(
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 { k -> %k } "
      "$b : channel \"Log\" provider \"P\" 2 { k => %k } sequence by %k within 60s: $a $b? "
      "score: +50 if absent $b report at 0 }");
  add_machine(w, "M", 0);
  add_log(w, "M", "Log", -1000, 1000);
  add_sighting(w, "M", "P", "Log", 2);
  (void)add_event(w, 0, "M", "P", 1, "");
  (void)add_event(w, 1, "M", "P", 1, "k=x");
  (void)add_event(w, 1, "M", "P", 2, "k=y");
  assert_int_equal(world_run(w), 2);
  assert_int_equal(w->findings[0].evidence[0].truth, FL_UNKNOWN);
  assert_has(w->findings[0].evidence[0].text, "%k");
  assert_int_equal(w->findings[1].evidence[0].truth, FL_TRUE);
  world_free(w);
}

/* A log that records only while somebody traces; a setting of the audit policy. */
static void logs_that_may_be_off(void **state) {
  (void)state;
  world *w = absent_world(-100, 300);
  w->coverage[0].channel = w->sightings[0].channel = w->sightings[1].channel =
      FL_STR("Log/Analytic");
  unknown_with_reason(w, "the log Log/Analytic is off unless somebody traces");
  const char *rule =
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 { event.host -> %h as host } "
      "$x : provider \"Microsoft-Windows-Security-Auditing\" 4625 { event.host -> %h as host } "
      "sequence by %h within 60s: $a absent $x within 30s after $a "
      "score: +30 if absent $x +10 if unknown($x) report at 0 }";
  static const struct {
    int64_t seen;
    int score;
  } cases[] = {{4625, 30}, {4624, 10}, {4688, 10}};
  for (size_t i = 0; i < 3; i++) {
    w = world_create(rule);
    add_machine(w, "M", FL_ROLE_SERVER);
    add_log(w, "M", "Security", -100, 300);
    add_sighting(w, "M", "Microsoft-Windows-Security-Auditing", "Security", cases[i].seen);
    (void)add_event(w, 0, "M", "P", 1, "");
    assert_int_equal(world_run(w), 1);
    assert_int_equal(w->findings[0].score, cases[i].score);
    world_free(w);
  }
  /* 5152 of another setting than 5157; 4740 of the same as 4720. */
  assert_string_equal(fl_audit_setting(FL_STR("microsoft-windows-security-auditing"), 4740),
                      fl_audit_setting(FL_STR("Microsoft-Windows-Security-Auditing"), 4720));
  assert_null(fl_audit_setting(FL_STR("P"), 4624));
  assert_null(fl_audit_setting(FL_STR("Microsoft-Windows-Security-Auditing"), 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(kleene_tables),
                                     cmocka_unit_test(logs_that_may_be_off),
                                     cmocka_unit_test(absence_is_proven),
                                     cmocka_unit_test(presence_counts),
                                     cmocka_unit_test(absence_is_unknown),
                                     cmocka_unit_test(offsets_shift_the_window),
                                     cmocka_unit_test(all_machines_with_the_role),
                                     cmocka_unit_test(missing_join_is_unknown),
                                     cmocka_unit_test(each_negative_step_has_three_answers),
                                     cmocka_unit_test(windows_of_absence)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
