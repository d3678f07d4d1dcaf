/* flr_named_test.c - sources that name rules: rule("…"), sigma("…"), yara("…"), in both phases. */
#include "flr_help.h"

#include "rules/named.h"

#define HEAD(name) name " { meta: title = \"t\" events: "
#define PRIVATE HEAD("private rule small") "$x : provider \"P\" 1|2 { n < 10 } } "

/* An engine with two rules: number 7 is "odd" (odd event ids), number 9 is "big" (ids from 100). */
static bool find(const void *set, fl_str name, uint32_t *ret_number) {
  assert_non_null(set);
  const bool is_odd = fl_str_eq(name, FL_STR("odd"));
  *ret_number = is_odd ? 7 : 9;
  return is_odd || fl_str_eq(name, FL_STR("big"));
}

typedef struct fake_run {
  fl_named_hit hits[64];
} fake_run;

static fl_status start(const void *set, const uint32_t *numbers, size_t n, void **ret_run,
                       fl_err *err) {
  (void)set;
  (void)err;
  assert_true(n >= 1 && numbers[n - 1] == 9);
  *ret_run = calloc(1, sizeof(fake_run));
  return FL_OK;
}

static fl_status take_batch(void *run, const fl_batch *batch, const fl_named_hit **ret_hits,
                            size_t *ret_n, fl_err *err) {
  (void)run;
  (void)batch;
  (void)err;
  *ret_hits = ((fake_run *)run)->hits;
  *ret_n = 0;
  return FL_OK;
}

static const fl_named_engine engine = {"set", find, start, take_batch, free};

static fl_rules *load(const char *text, fl_status wanted, char *ret_error, size_t cap) {
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  fl_rules_use_sigma(rules, &engine);
  const fl_status s = fl_rules_add_text(rules, FL_STR("test.flr"), fl_str_of(text), &err);
  if (s != FL_OK) fail_msg("%s", err.text);
  if (fl_rules_finish(rules, &err) != wanted) fail_msg("%s", err.text);
  (void)snprintf(ret_error, cap, "%s", err.text);
  return rules;
}

static void expect_refused(const char *text, const char *part) {
  char error[320];
  const fl_rule_file *files = NULL;
  fl_rules *rules = load(text, FL_E_SYNTAX, error, sizeof error);
  if (!strstr(error, part)) fail_msg("%s, expected %s", error, part);
  assert_int_equal(fl_rules_count(rules), 0);
  assert_int_equal(fl_rules_files(rules, &files), 1);
  assert_true(files[0].is_refused);
  fl_rules_free(rules);
}

static void unknown_names_are_refused(void **state) {
  (void)state;
  expect_refused(HEAD("rule a") "$a : rule(\"none\") }",
                 "test.flr:1:41: rule(\"none\"): no rule has");
  expect_refused(HEAD("rule a") "$a : sigma(\"none\") }",
                 "no Sigma rule of one event has this id or name");
  expect_refused(HEAD("rule a") "$a : rule(\"a\") }", "in a circle");
  expect_refused(HEAD("rule a") "$a : rule(\"b\") } " HEAD("rule b") "$b : rule(\"a\") }",
                 "in a circle");
  expect_refused(HEAD("rule a") "$a : rule(\"b\") } " HEAD(
                     "rule b") "$b : kind \"k\" $c : kind \"l\" sequence: $b $c }",
                 "the rule has several steps");
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(
      fl_rules_add_text(rules, FL_STR("f"), FL_STR(HEAD("rule a") "$a : sigma(\"odd\") }"), &err),
      FL_OK);
  /* A file that names a rule of a refused file goes with it; others stay. */
  assert_int_equal(
      fl_rules_add_text(rules, FL_STR("g"), FL_STR(HEAD("rule b") "$a : rule(\"a\") }"), &err),
      FL_OK);
  assert_int_equal(
      fl_rules_add_text(rules, FL_STR("h"), FL_STR(HEAD("rule c") "$a : kind \"k\" }"), &err),
      FL_OK);
  assert_int_equal(fl_rules_finish(rules, &err), FL_E_SYNTAX);
  assert_has((fl_str){err.text, strlen(err.text)}, "no Sigma rules are loaded");
  assert_int_equal(fl_rules_count(rules), 1);
  assert_string_equal(fl_rules_info(rules, 0).name, "c");
  fl_rules_free(rules);
}

static bool holds(const fl_rules *rules, size_t rule, const fl_event *event, fl_named_set set) {
  const fl_selector *selector = &fl_rules_at(rules, rule)->selectors[0];
  return fl_event_source_fits(&selector->source, event) && fl_selector_holds(selector, event, set);
}

static void names_are_conditions(void **state) {
  (void)state;
  char error[320];
  const uint32_t odd[] = {7}, both[] = {7, 9};
  fl_arena *arena = fl_arena_create(1 << 20);
  fl_rules *rules = load(PRIVATE HEAD("rule a") "$a : rule(\"small\") { m == \"x\" } } "
                                 HEAD("rule b") "$b : provider \"P\" 1 sigma(\"odd\") } "
                                 HEAD("rule c") "$c : kind \"yara.match\" { rule == \"evil\" } } "
                                 HEAD("rule d") "$d : sigma(\"big\") }",
                         FL_OK, error, sizeof error);
  const fl_event *small = make_event(arena, "H", "P", 1, "n=3 m=x");
  const fl_event *large = make_event(arena, "H", "P", 1, "n=30 m=x");
  const fl_event *other = make_event(arena, "H", "P", 3, "n=3 m=x");
  assert_true(fl_rules_info(rules, 0).is_private);
  assert_true(holds(rules, 1, small, (fl_named_set){0}));
  assert_false(holds(rules, 1, large, (fl_named_set){0}));
  assert_false(holds(rules, 1, other, (fl_named_set){0}));
  assert_true(holds(rules, 2, small, (fl_named_set){odd, 1}));
  assert_false(holds(rules, 2, small, (fl_named_set){odd + 1, 0}));
  assert_false(holds(rules, 2, other, (fl_named_set){both, 2}));
  assert_true(holds(rules, 4, other, (fl_named_set){both, 2}));
  assert_false(holds(rules, 4, other, (fl_named_set){odd, 1}));
  fl_event *match = make_event(arena, "H", "faultline", -1, "rule=evil");
  assert_false(holds(rules, 3, match, (fl_named_set){0}));
  match->kind = FL_STR("yara.match");
  assert_true(holds(rules, 3, match, (fl_named_set){0}));
  fl_rules_free(rules);
  fl_arena_free(arena);
}

/* Marks of the first phase reach the second; a private rule gives no finding. */
static void sequences_see_marks(void **state) {
  (void)state;
  char error[320];
  world *w = world_create(HEAD("rule none") "$x : kind \"none\" }");
  fl_rules_free(w->rules);
  w->rules = load(PRIVATE HEAD("rule r") "$a : rule(\"small\") $b : sigma(\"odd\") "
                          "sequence within 1m: $a $b within 5s explain: \"{$a.n} {$b.n}\" } "
                          HEAD("rule u") "$a : provider \"P\" 1 $c : provider \"P\" 3 "
                          "sequence within 1m: $a $c within 30s until sigma(\"big\") }",
                  FL_OK, error, sizeof error);
  add_machine(w, "H", 0);
  (void)add_event(w, 0, "H", "P", 1, "n=1");
  (void)add_event(w, 1, "H", "P", 2, "n=20");
  (void)add_event(w, 2, "H", "P", 3, "n=30");
  (void)add_event(w, 3, "H", "P", 3, "n=40");
  fl_named_mark marks[] = {{w->events[3], 7}, {w->events[1], 9}};
  fl_sequence_input in = {.rules = w->rules,
                          .events = w->events,
                          .times = w->times,
                          .n = w->n,
                          .machines = w->machines,
                          .n_machines = 1,
                          .marks = marks,
                          .n_marks = 1,
                          .part = FL_RULES_NORMAL};
  fl_err err = {0};
  assert_int_equal(
      fl_sequences_run(&in, w->arena, &w->findings, &w->n_findings, &w->n_evicted, &err), FL_OK);
  assert_int_equal(w->n_findings, 2);
  assert_text(w->findings[0].text, "1 40");
  /* What ends the sequence stands before its last step. */
  in.marks = marks + 1;
  assert_int_equal(
      fl_sequences_run(&in, w->arena, &w->findings, &w->n_findings, &w->n_evicted, &err), FL_OK);
  assert_int_equal(w->n_findings, 0);
  world_free(w);
}

static bool any(const void *set, fl_str name, uint32_t *ret_number) {
  (void)set;
  *ret_number = 1;
  return fl_str_eq(name, FL_STR("system-shutdown"));
}

static void long_examples_compile(void **state) {
  (void)state;
  const char *top = getenv("FL_TOP");
  if (!top) skip();
  char path[1024];
  (void)snprintf(path, sizeof path, "%s/tests/unit/rules/examples.flr", top);
  const fl_named_engine sigma = {"set", any, start, take_batch, free};
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  fl_rules_use_sigma(rules, &sigma);
  if (fl_rules_add_path(rules, path, &err) != FL_OK || fl_rules_finish(rules, &err) != FL_OK)
    fail_msg("%s", err.text);
  assert_int_equal(fl_rules_count(rules), 3);
  fl_rules_free(rules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown_names_are_refused), cmocka_unit_test(names_are_conditions),
      cmocka_unit_test(sequences_see_marks), cmocka_unit_test(long_examples_compile)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
