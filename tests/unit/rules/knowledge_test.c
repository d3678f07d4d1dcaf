/* knowledge_test.c - what a rule says without a case: no place of a text is left. */
#include "flr_help.h"

#include "faultline/facts.h"

static const char text[] =
    "rule whole { meta: title = \"t\" cause = \"srv.denied\" severity = 10\n"
    "events:\n"
    "  $try  : kind \"rdp.attempt\" { server -> %srv as host; client_ip -> %ip as ip }\n"
    "  $off  : kind \"rdp.denied.disabled\" { event.host -> %srv as host }\n"
    "  $sock : kind \"rdp.host.socket_error\" { event.host -> %srv as host }\n"
    "  $many : provider \"Schannel\" 36870|36871|36872|36874|36876 { event.host -> %srv as host }\n"
    "  $no   : provider \"Nobody\" 7 { event.host -> %srv as host }\n"
    "sequence by %srv within 1m:\n"
    "  $try\n  $off? during 2s\n  $sock* during 2s\n  $many? during 2s\n  $no? during 2s\n"
    "score:\n"
    "  +70 decisive if $off : \"{$off.host}: refused (event {$off.id}) {$off.delta($try)} later\"\n"
    "  +5  if $sock : \"{count($sock)} errors, {$sock.error:win32} (event {$sock.id})\"\n"
    "  +3  if $many and not $no\n"
    "  -20 if $no : \"{$no.host} said {$no.sentence} (event {$no.id}, not {$many.id})\"\n"
    "  report at 5\n"
    "explain:\n"
    "  \"{%srv} refused {%ip}[?$off:  by event {$off.id}].  \"\n"
    "  \"{unknown($off): 'It is not known.'}{machine(server)}\"\n"
    "}\n"
    "rule short { meta: title = \"s\" events: $x : provider \"Nobody\" 9 }\n";

static void expect_text(fl_str have, const char *want) {
  if (!fl_str_eq(have, fl_str_of(want))) fail_msg("'%.*s', expected '%s'", FL_STR_ARG(have), want);
}

static void places_become_words(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_err err = {0};
  fl_rule_knowledge k;
  fl_arena *arena = fl_arena_create(1 << 20);
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  if (fl_rules_add_text(rules, FL_STR("test.flr"), fl_str_of(text), &err) != FL_OK ||
      fl_rules_finish(rules, &err) != FL_OK)
    fail_msg("%s", err.text);
  assert_int_equal(fl_rules_knowledge(rules, 0, arena, &k, &err), FL_OK);
  expect_text(k.says, "HOST refused ADDRESS[ by event 1071]. MACHINE");
  assert_int_equal(k.n_lines, 4);
  expect_text(k.lines[0].text, "HOST: refused (event 1071) DURATION later");
  assert_true(k.lines[0].is_decisive && k.lines[0].points == 70);
  expect_text(k.lines[1].text, "COUNT errors, ERROR (event 142 or 143)");
  expect_text(k.lines[2].text, "$many and not $no");
  expect_text(k.lines[3].text, "HOST said WHAT THE EVENT SAYS (event ID, not ID)");
  assert_int_equal(k.lines[3].points, -20);
  assert_int_equal(k.n_events, 8);
  assert_string_equal(k.events[0]->kind, "rdp.denied.disabled");
  assert_int_equal(fl_rules_knowledge(rules, 1, arena, &k, &err), FL_OK);
  assert_int_equal(k.says.n + k.n_lines + k.n_events, 0);
  fl_rules_free(rules);
  fl_arena_free(arena);
}

/* Short of memory it says so. */
static void out_of_memory(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_err err = {0};
  fl_rule_knowledge k;
  fl_arena *arena = fl_arena_create(64);
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(fl_rules_add_text(rules, FL_STR("test.flr"), fl_str_of(text), &err), FL_OK);
  assert_int_equal(fl_rules_finish(rules, &err), FL_OK);
  assert_int_equal(fl_rules_knowledge(rules, 0, arena, &k, &err), FL_E_NOMEM);
  fl_rules_free(rules);
  fl_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(places_become_words),
                                     cmocka_unit_test(out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
