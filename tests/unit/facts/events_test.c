/* events_test.c - every row of the event table is sound: keys, field maps, sentences, its document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "facts/fieldmap.h"

enum { MAP_FIELDS_MAX = 24, NAMES_MAX = 24 };

static bool is_in(const fl_str *names, size_t n, fl_str name) {
  for (size_t i = 0; i < n; i++)
    if (fl_str_eq(names[i], name)) return true;
  return false;
}

static size_t map_names(const fl_event_fact *fact, fl_str *ret_names) {
  fl_str map = fl_str_of(fact->fields);
  fl_map_item item;
  fl_status s = FL_OK;
  size_t n = 0;
  while ((s = fl_map_next(&map, &item)) == FL_OK) {
    assert_true(n < NAMES_MAX && n < MAP_FIELDS_MAX);
    if (is_in(ret_names, n, item.name)) fail_msg("%s %u: a name twice", fact->kind, fact->event_id);
    ret_names[n++] = item.name;
  }
  if (s != FL_END) fail_msg("%s %u: '%.*s'", fact->kind, fact->event_id, FL_STR_ARG(map));
  return n;
}

static void maps_parse(void **state) {
  (void)state;
  const fl_event_fact *facts;
  const size_t n = fl_event_facts(&facts);
  assert_true(n > 300);
  fl_str names[NAMES_MAX];
  for (size_t i = 0; i < n; i++) (void)map_names(&facts[i], names);
}

static void broken_maps_are_refused(void **state) {
  (void)state;
  static const char *const maps[] = {"a=",           "a",        "=B:str",   "a=B",
                                     "a=B:nonsense", "a=\"text", "a=\"x\"b", "a=:str"};
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
    fl_str map = fl_str_of(maps[i]);
    fl_map_item item;
    assert_int_equal(fl_map_next(&map, &item), FL_E_SYNTAX);
  }
}

static void keys_are_unique(void **state) {
  (void)state;
  const fl_event_fact *facts;
  const size_t n = fl_event_facts(&facts);
  for (size_t i = 0; i < n; i++) {
    const fl_event_fact *found =
        fl_event_fact_find(fl_str_of(facts[i].provider), facts[i].event_id);
    if (found != &facts[i]) fail_msg("%s %u stands twice", facts[i].provider, facts[i].event_id);
  }
}

/* Every place of a sentence names a field of the map. */
static void sentences_fit(void **state) {
  (void)state;
  const fl_event_fact *facts;
  const size_t n = fl_event_facts(&facts);
  fl_str names[NAMES_MAX];
  for (size_t i = 0; i < n; i++) {
    const size_t n_names = map_names(&facts[i], names);
    assert_true(facts[i].kind[0] && facts[i].source[0]);
    for (const char *at = strchr(facts[i].sentence, '{'); at; at = strchr(at + 1, '{')) {
      const char *end = strchr(at, '}');
      if (!end) fail_msg("%s %u: no '}'", facts[i].kind, facts[i].event_id);
      fl_str place = {at + 1, (size_t)(end - at - 1)};
      (void)fl_place_form_of(&place);
      if (!is_in(names, n_names, place))
        fail_msg("%s %u: {%.*s}", facts[i].kind, facts[i].event_id, FL_STR_ARG(place));
    }
  }
}

static void lookup(void **state) {
  (void)state;
  const fl_event_fact *fact = fl_event_fact_find(FL_STR("SCHANNEL"), 36870);
  assert_non_null(fact);
  assert_string_equal(fact->kind, "tls.server_key_failed");
  assert_true(fact->always);
  assert_null(fl_event_fact_find(FL_STR("Schannel"), 1));
  assert_null(fl_event_fact_find(FL_STR(""), 36870));
  /* The same number from another provider is another event. */
  assert_string_equal(fl_event_fact_find(FL_STR("Microsoft-Windows-Eventlog"), 1102)->kind,
                      "log.cleared");
  assert_string_equal(
      fl_event_fact_find(FL_STR("Microsoft-Windows-TerminalServices-ClientActiveXCore"), 1102)
          ->kind,
      "rdp.client.transport");
}

static void document_lists_all_kinds(void **state) {
  (void)state;
  const char *top = getenv("FL_TOP");
  if (!top) skip();
  char path[1024];
  (void)snprintf(path, sizeof path, "%s/docs/facts.md", top);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  static char text[1 << 18];
  const size_t n_read = fread(text, 1, sizeof text - 1, f);
  text[n_read] = 0;
  assert_int_equal(fclose(f), 0);
  const fl_event_fact *facts;
  const size_t n = fl_event_facts(&facts);
  for (size_t i = 0; i < n; i++) {
    char cell[128];
    (void)snprintf(cell, sizeof cell, "| %s | %u |", facts[i].kind, facts[i].event_id);
    if (!strstr(text, cell)) fail_msg("docs/facts.md lacks '%s'", cell);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(maps_parse),      cmocka_unit_test(broken_maps_are_refused),
      cmocka_unit_test(keys_are_unique), cmocka_unit_test(sentences_fit),
      cmocka_unit_test(lookup),          cmocka_unit_test(document_lists_all_kinds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
