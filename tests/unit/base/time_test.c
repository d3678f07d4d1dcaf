/* time_test.c - instants and durations, there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/value.h"

static void formats(void **state) {
  (void)state;
  const struct {
    fl_time t;
    int n_digits;
    const char *text;
  } cases[] = {{0, 0, "1970-01-01T00:00:00Z"},
               {INT64_C(1700000000123456700), 7, "2023-11-14T22:13:20.1234567Z"},
               {INT64_C(1700000000123456789), 9, "2023-11-14T22:13:20.123456789Z"},
               {INT64_C(951782400) * FL_SECOND, 3, "2000-02-29T00:00:00.000Z"},
               {-1, 9, "1969-12-31T23:59:59.999999999Z"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[FL_TIME_TEXT_MAX];
    assert_int_equal(fl_time_format(cases[i].t, cases[i].n_digits, text), strlen(cases[i].text));
    assert_string_equal(text, cases[i].text);
  }
}

static void every_day_of_four_centuries_comes_back(void **state) {
  (void)state;
  const fl_time day = 86400 * FL_SECOND;
  for (fl_time t = -106000 * day; t < 106000 * day; t += day - 12345) {
    char text[FL_TIME_TEXT_MAX];
    fl_time back = 1;
    assert_true(fl_time_parse((fl_str){text, fl_time_format(t, 9, text)}, &back));
    assert_true(back == t);
  }
}

static void parses_zones_and_refuses_nonsense(void **state) {
  (void)state;
  fl_time t = 0;
  assert_true(fl_time_parse(FL_STR("2024-03-10 12:00:00.5+02:00"), &t));
  assert_true(t == INT64_C(1710064800) * FL_SECOND + FL_SECOND / 2);
  assert_true(fl_time_parse(FL_STR("2024-03-10"), &t));
  assert_true(t == INT64_C(1710028800) * FL_SECOND);
  const char *bad[] = {"",
                       "2024",
                       "2024-13-01",
                       "2024-01-32",
                       "2024-01-01T25:00:00Z",
                       "2024-01-01T00:00:00X",
                       "2024-01-01T00:00",
                       "1500-01-01",
                       "2024-01-01Z1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(fl_time_parse(fl_str_of(bad[i]), &t));
}

static void durations(void **state) {
  (void)state;
  int64_t ns = 0;
  assert_true(fl_duration_parse(FL_STR("250ms"), &ns));
  assert_true(ns == 250000000);
  assert_true(fl_duration_parse(FL_STR("-2h"), &ns));
  assert_true(ns == -7200 * FL_SECOND);
  const char *bad[] = {"", "5", "h", "5x", "--5s", "5 s"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(fl_duration_parse(fl_str_of(bad[i]), &ns));
  fl_arena *arena = fl_arena_create(1 << 16);
  assert_string_equal(fl_duration_text(310 * 1000000, arena).p, "0.31 s");
  assert_string_equal(fl_duration_text(-250 * FL_SECOND, arena).p, "-4 min 10 s");
  assert_string_equal(fl_duration_text(7500 * FL_SECOND, arena).p, "2 h 5 min");
  fl_arena_free(arena);
}

static void filetimes(void **state) {
  (void)state;
  fl_time t = 1;
  assert_false(fl_time_from_filetime(0, &t));
  assert_true(fl_time_from_filetime(UINT64_C(133444736000000000), &t));
  assert_true(t == INT64_C(1700000000) * FL_SECOND);
  assert_false(fl_time_from_filetime(UINT64_MAX, &t));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(formats),
      cmocka_unit_test(every_day_of_four_centuries_comes_back),
      cmocka_unit_test(parses_zones_and_refuses_nonsense),
      cmocka_unit_test(durations),
      cmocka_unit_test(filetimes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
