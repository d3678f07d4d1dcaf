/* ingest_name_test.c - names of sources are encoded, relative and unique. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "parsers/name.h"

static void expect_encoded(fl_str raw, const char *encoded) {
  fl_arena *arena = fl_arena_create(1 << 16);
  const fl_str name = fl_name_encode(raw, arena);
  assert_true(fl_str_eq(name, fl_str_of(encoded)));
  fl_arena_free(arena);
}

static void test_encoding(void **state) {
  (void)state;
  expect_encoded(FL_STR("System.evtx"), "System.evtx");
  expect_encoded(FL_STR("a!b%c/d"), "a%21b%25c/d");
  expect_encoded(FL_STR("\x1b[2J\x7f\n"), "%1B[2J%7F%0A");
  expect_encoded(FL_STR("Ereignisse \xc3\xa4"), "Ereignisse \xc3\xa4");
  expect_encoded(FL_STR("cp850 \x84 c1 \xc2\x85"), "cp850 %84 c1 %C2%85");
  expect_encoded(FL_STR("\xef\xbf\xbd"), "\xef\xbf\xbd");
  expect_encoded((fl_str){"nul\0x", 5}, "nul%00x");
  expect_encoded((fl_str){0}, "");
}

static void expect_input(const char *path, const char *name) {
  assert_true(fl_str_eq(fl_name_of_input(path), fl_str_of(name)));
}

static void test_inputs_lose_their_folders(void **state) {
  (void)state;
  expect_input("/var/tmp/bundle.zip", "bundle.zip");
  expect_input("bundle///", "bundle");
  expect_input("../x/y", "y");
  expect_input("-", "stdin");
  expect_input("/", "root");
  expect_input(".", ".");
}

static void test_doubles_are_numbered(void **state) {
  (void)state;
  static const char *const in[] = {"a", "b", "a", "a", "a#2", "b#2", "b"};
  static const char *const out[] = {"a", "b", "a#2", "a#3", "a#2#2", "b#2", "b#3"};
  fl_names names = {0};
  fl_arena *arena = fl_arena_create(1 << 16);
  for (size_t i = 0; i < sizeof in / sizeof in[0]; ++i) {
    const fl_str name = fl_names_add(&names, fl_str_of(in[i]), arena);
    assert_string_equal(name.p, out[i]);
  }
  fl_names_free(&names);
  fl_arena_free(arena);
}

static void test_many_names(void **state) {
  (void)state;
  fl_names names = {0};
  fl_arena *arena = fl_arena_create(16 << 20);
  char last[32] = "";
  for (int i = 0; i < 20000; ++i) {
    const fl_str name = fl_names_add(&names, FL_STR("same"), arena);
    assert_non_null(name.p);
    snprintf(last, sizeof last, "%s", name.p);
  }
  assert_string_equal(last, "same#20000");
  fl_names_free(&names);
  fl_arena_free(arena);
}

static void test_no_memory_is_said(void **state) {
  (void)state;
  fl_names names = {0};
  fl_arena *arena = fl_arena_create(0);
  assert_null(fl_names_add(&names, FL_STR("a"), arena).p);
  assert_null(fl_name_encode(FL_STR("a"), arena).p);
  fl_names_free(&names);
  fl_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_encoding),
      cmocka_unit_test(test_inputs_lose_their_folders),
      cmocka_unit_test(test_doubles_are_numbered),
      cmocka_unit_test(test_many_names),
      cmocka_unit_test(test_no_memory_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
