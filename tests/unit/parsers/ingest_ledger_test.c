/* ingest_ledger_test.c - ranges tile a source, or the run ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "parsers/ledger.h"

static const fl_range rest = {.state = FL_L_UNKNOWN, .reason = {"nobody", 6}};

static void add(fl_ledger *ledger, fl_arena *arena, uint64_t offset, uint64_t length,
                fl_ledger_state state) {
  fl_ledger_add(ledger, (fl_range){offset, length, state, {0}}, arena);
}

static void test_gaps_are_filled_and_neighbours_merge(void **state) {
  (void)state;
  fl_ledger ledger = {0};
  fl_arena *arena = fl_arena_create(1 << 16);
  fl_err err = {0};
  add(&ledger, arena, 60, 10, FL_L_DAMAGED);
  add(&ledger, arena, 20, 10, FL_L_PARSED);
  add(&ledger, arena, 10, 10, FL_L_PARSED);
  add(&ledger, arena, 30, 0, FL_L_SLACK);
  assert_int_equal(fl_ledger_finish(&ledger, 100, rest, &err), FL_OK);
  static const fl_range expected[] = {{0, 10, FL_L_UNKNOWN, {0}},
                                      {10, 20, FL_L_PARSED, {0}},
                                      {30, 30, FL_L_UNKNOWN, {0}},
                                      {60, 10, FL_L_DAMAGED, {0}},
                                      {70, 30, FL_L_UNKNOWN, {0}}};
  assert_int_equal(ledger.n_ranges, 5);
  for (size_t i = 0; i < 5; ++i) {
    assert_int_equal(ledger.ranges[i].offset, expected[i].offset);
    assert_int_equal(ledger.ranges[i].length, expected[i].length);
    assert_int_equal(ledger.ranges[i].state, expected[i].state);
  }
  fl_ledger_free(&ledger);
  fl_arena_free(arena);
}

static void test_reasons_keep_neighbours_apart(void **state) {
  (void)state;
  fl_ledger ledger = {0};
  fl_arena *arena = fl_arena_create(1 << 16);
  fl_ledger_add(&ledger, (fl_range){0, 4, FL_L_DAMAGED, FL_STR("a")}, arena);
  fl_ledger_add(&ledger, (fl_range){4, 4, FL_L_DAMAGED, FL_STR("b")}, arena);
  fl_ledger_add(&ledger, (fl_range){8, 4, FL_L_DAMAGED, FL_STR("b")}, arena);
  assert_int_equal(fl_ledger_finish(&ledger, 12, rest, NULL), FL_OK);
  assert_int_equal(ledger.n_ranges, 2);
  assert_int_equal(ledger.ranges[1].length, 8);
  fl_ledger_free(&ledger);
  fl_arena_free(arena);
}

static void test_a_full_ledger_still_tiles(void **state) {
  (void)state;
  fl_ledger ledger = {0};
  fl_arena *arena = fl_arena_create(1 << 24);
  enum { N = FL_LIMIT_LEDGER_RANGES + 5000 };
  for (uint64_t i = 0; i < N; ++i)
    fl_ledger_add(&ledger,
                  (fl_range){3 * i, 2, FL_L_PARSED, i % 2 ? FL_STR("odd") : FL_STR("even")}, arena);
  fl_ledger_add(&ledger, (fl_range){2, 1, FL_L_SLACK, {0}}, arena);
  assert_int_equal(fl_ledger_finish(&ledger, 3 * (uint64_t)N, rest, NULL), FL_OK);
  assert_in_range(ledger.n_ranges, 2, 2 * FL_LIMIT_LEDGER_RANGES + 3);
  uint64_t at = 0;
  for (size_t i = 0; i < ledger.n_ranges; at += ledger.ranges[i++].length)
    assert_int_equal(ledger.ranges[i].offset, at);
  assert_int_equal(at, 3 * (uint64_t)N);
  assert_int_equal(ledger.ranges[ledger.n_ranges - 2].state, FL_L_DAMAGED);
  assert_int_equal(ledger.ranges[ledger.n_ranges - 2].offset, 3 * FL_LIMIT_LEDGER_RANGES);
  fl_ledger_free(&ledger);
  fl_arena_free(arena);
}

static void expect_broken(uint64_t offset, uint64_t length, const char *words) {
  fl_ledger ledger = {0};
  fl_arena *arena = fl_arena_create(1 << 16);
  fl_err err = {0};
  add(&ledger, arena, 10, 10, FL_L_PARSED);
  add(&ledger, arena, offset, length, FL_L_DAMAGED);
  assert_int_equal(fl_ledger_finish(&ledger, 100, rest, &err), FL_E_INTERNAL);
  assert_non_null(strstr(err.text, words));
  fl_ledger_free(&ledger);
  fl_arena_free(arena);
}

static void test_overlaps_name_both_ranges(void **state) {
  (void)state;
  expect_broken(15, 10, "parsed range 10+10 overlaps damaged range 15+10");
  expect_broken(10, 10, "overlaps");
  expect_broken(5, 6, "damaged range 5+6 overlaps parsed range 10+10");
}

static void test_ranges_stay_inside(void **state) {
  (void)state;
  expect_broken(90, 11, "leaves the source of 100 bytes");
  expect_broken(UINT64_MAX, 1, "leaves the source");
  expect_broken(50, UINT64_MAX, "leaves the source");
}

static void test_empty_source(void **state) {
  (void)state;
  fl_ledger ledger = {0};
  assert_int_equal(fl_ledger_finish(&ledger, 0, rest, NULL), FL_OK);
  assert_int_equal(ledger.n_ranges, 0);
  fl_ledger_free(&ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gaps_are_filled_and_neighbours_merge),
      cmocka_unit_test(test_reasons_keep_neighbours_apart),
      cmocka_unit_test(test_a_full_ledger_still_tiles),
      cmocka_unit_test(test_overlaps_name_both_ranges),
      cmocka_unit_test(test_ranges_stay_inside),
      cmocka_unit_test(test_empty_source),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
