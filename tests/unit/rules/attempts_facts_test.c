/* attempts_facts_test.c - what rules see of an attempt beside its course: UDP, ends, history. */
#include "solve_events.h"

static const fl_value *fact(bench *b, size_t attempt, const char *name) {
  fl_attempt *a = &b->s.attempts[attempt];
  if (!a->event) assert_int_equal(fl_attempt_event(&b->s, a, NULL), FL_OK);
  return fl_event_field(a->event, fl_str_of(name));
}

static int64_t number(bench *b, size_t attempt, const char *name) {
  int64_t n = -1;
  const fl_value *value = fact(b, attempt, name);
  return value && fl_value_number(value, &n) ? n : -1;
}

/* One record that says "no UDP" is not the last word: another tunnel may come up. */
static void udp_needs_every_tunnel(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 3000, "SRV1", CORE, 135, "F4A0", "TunnelID=3 TransportType=TCP:_Reason_Code:_2");
  solve(&b);
  assert_false(fact(&b, 0, "udp")->as.boolean);
  bench_close(&b);

  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 3000, "SRV1", CORE, 135, "F4A0", "TunnelID=3 TransportType=TCP:_Reason_Code:_2");
  add(&b, 3001, "SRV1", CORE, 135, "F4A0", "TunnelID=1 TransportType=UDP");
  solve(&b);
  assert_true(fact(&b, 0, "udp")->as.boolean);
  bench_close(&b);
}

/* Neither RdpCoreTS nor a client's end: nobody could tell of UDP. */
static void udp_may_be_unknown(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "SRV1", RCM, 1149, "", "Param1=anna Param3=10.0.0.5");
  add(&b, 900, "SRV1", LSM, 21, "", "User=CORP\\anna SessionID=3 Address=10.0.0.5");
  solve(&b);
  assert_null(fact(&b, 0, "udp"));
  assert_true(fl_str_eq(fact(&b, 0, "session_kind")->as.text, FL_STR("new")));
  bench_close(&b);
}

static void ends_are_facts(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 3000, "SRV1", CORE, 169, "F4A0", "MajorType=4 MinorType=3");
  add(&b, 60000, "SRV1", CORE, 142, "F4A0", "error=64");
  add(&b, 60000, "SRV1", CORE, 143, "F4A0", "error=121");
  add(&b, 60001, "SRV1", CORE, 143, "F4A0", "error=64");
  add(&b, 60002, "SRV1", CORE, 103, "F4A0", "ReasonCode=14");
  solve(&b);
  assert_int_equal(number(&b, 0, "end_reason_103"), 14);
  assert_int_equal(number(&b, 0, "socket_error"), 121);
  assert_int_equal(number(&b, 0, "duration_s"), 60);
  assert_true(fl_str_eq(fact(&b, 0, "client_os")->as.text, FL_STR("unix")));
  bench_close(&b);
}

static void target_is_as_dialled(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=10.0.0.9");
  add(&b, 400, "PC1", CLIENT, 1026, "A1", "Value=50331676");
  add(&b, 9000, "PC1", CLIENT, 1024, "A2", "Value=srv1");
  add(&b, 9400, "PC1", CLIENT, 1026, "A2", "Value=2308");
  solve(&b);
  assert_true(fl_str_eq(fact(&b, 0, "target")->as.text, FL_STR("10.0.0.9")));
  assert_true(fact(&b, 0, "target_is_ip")->as.boolean);
  assert_true(fact(&b, 0, "via_gateway")->as.boolean);
  assert_false(fact(&b, 1, "target_is_ip")->as.boolean);
  assert_null(fact(&b, 1, "via_gateway"));
  bench_close(&b);
}

static void end_well(bench *b, int64_t ms, const char *activity) {
  add(b, ms, "SRV1", CORE, 107, activity, "");
  add(b, ms + 2, "SRV1", CORE, 103, activity, "ReasonCode=13");
}

static void failures_of_a_pair_count(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_cut(&b, 0, "F400", "10.0.0.5:50100");
  add_session(&b, 300000, "F4A0");
  end_well(&b, 360000, "F4A0");
  add_cut(&b, 400000, "F401", "10.0.0.5:50120");
  add_cut(&b, 500000, "F402", "10.0.0.6:50120"); /* another pair */
  add_cut(&b, 600000, "F403", "10.0.0.5:50121");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 5);
  assert_int_equal(number(&b, 0, "failure_n"), 1);
  assert_null(fact(&b, 0, "last_good"));
  assert_int_equal(number(&b, 1, "failure_n"), -1);
  assert_int_equal(number(&b, 2, "failure_n"), 1);
  assert_int_equal(number(&b, 3, "failure_n"), 1);
  assert_null(fact(&b, 3, "last_good"));
  assert_int_equal(number(&b, 4, "failure_n"), 2);
  assert_int_equal(number(&b, 4, "since_last_good_s"), 239);
  assert_true(fl_str_eq(fact(&b, 4, "last_good")->as.text, FL_STR("2026-03-02T08:05:00.000Z")));
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(udp_needs_every_tunnel),   cmocka_unit_test(udp_may_be_unknown),
      cmocka_unit_test(ends_are_facts),           cmocka_unit_test(target_is_as_dialled),
      cmocka_unit_test(failures_of_a_pair_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
