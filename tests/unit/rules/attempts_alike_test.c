/* attempts_alike_test.c - sessions that were cut after the same time, or in the same seconds. */
#include "solve_events.h"

enum { MINUTE = 60000 };

static int64_t number(bench *b, size_t attempt, const char *name) {
  fl_attempt *a = &b->s.attempts[attempt];
  int64_t n = -1;
  if (!a->event) assert_int_equal(fl_attempt_event(&b->s, a, NULL), FL_OK);
  const fl_value *value = fl_event_field(a->event, fl_str_of(name));
  return value && fl_value_number(value, &n) ? n : -1;
}

/* The network takes it, or the host names a reason. */
static void cut(bench *b, int64_t ms, const char *activity) {
  add(b, ms, "SRV1", CORE, 143, activity, "error=121");
  add(b, ms + 1, "SRV1", CORE, 103, activity, "ReasonCode=14");
}
static void limit(bench *b, int64_t ms, const char *activity) {
  add(b, ms, "SRV1", CORE, 72, activity, "MethodName=SetErrorInfo(0x3)");
  add(b, ms + 1, "SRV1", CORE, 103, activity, "ReasonCode=3");
}

static void equal_lifetimes_are_counted(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  cut(&b, 60 * MINUTE, "F4A0");
  add_session(&b, 100 * MINUTE, "F4A1");
  cut(&b, 161 * MINUTE, "F4A1"); /* 61 min: 1.6 % longer */
  add_session(&b, 200 * MINUTE, "F4A2");
  cut(&b, 270 * MINUTE, "F4A2"); /* 70 min */
  add_session(&b, 300 * MINUTE, "F4A3");
  limit(&b, 360 * MINUTE, "F4A3"); /* 60 min, but the host's own limit */
  solve(&b);
  assert_int_equal(b.c.n_attempts, 4);
  assert_int_equal(number(&b, 0, "alike_n"), 2);
  assert_int_equal(number(&b, 1, "alike_n"), 2);
  assert_int_equal(number(&b, 2, "alike_n"), 1);
  assert_int_equal(number(&b, 3, "alike_n"), -1);
  bench_close(&b);
}

/* Whoever dies within seconds is alike by chance. */
static void short_sessions_are_alike_by_chance(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  cut(&b, 20000, "F4A0");
  add_session(&b, 2 * MINUTE, "F4A1");
  cut(&b, 2 * MINUTE + 20000, "F4A1");
  solve(&b);
  assert_int_equal(number(&b, 0, "alike_n"), 1);
  assert_int_equal(number(&b, 1, "alike_n"), 1);
  bench_close(&b);
}

static void ends_within_seconds_are_together(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add_session(&b, 5 * MINUTE, "F4A1");
  add_session(&b, 10 * MINUTE, "F4A2");
  cut(&b, 30 * MINUTE, "F4A0");
  cut(&b, 30 * MINUTE + 3000, "F4A1");
  cut(&b, 40 * MINUTE, "F4A2");
  solve(&b);
  assert_int_equal(number(&b, 0, "together_n"), 2);
  assert_int_equal(number(&b, 1, "together_n"), 2);
  assert_int_equal(number(&b, 2, "together_n"), 1);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_lifetimes_are_counted),
      cmocka_unit_test(short_sessions_are_alike_by_chance),
      cmocka_unit_test(ends_within_seconds_are_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
