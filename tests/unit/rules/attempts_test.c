/* attempts_test.c - attempts from hand-made events: phases, ends, probes, strangers, joins. */
#include <stdio.h>

#include "solve_events.h"

static void passes_phases(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 60000, "SRV1", CORE, 107, "F4A0", "");
  add(&b, 60100, "SRV1", CORE, 72, "F4A0", "MethodName=PreDisconnect(0)");
  add(&b, 60101, "SRV1", CORE, 72, "F4A0", "MethodName=SetErrorInfo(0x0)");
  add(&b, 60102, "SRV1", CORE, 103, "F4A0", "ReasonCode=13");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 1);
  const fl_attempt *a = &b.c.attempts[0];
  assert_int_equal(a->reached, FL_PHASE_SESSION);
  assert_int_equal(a->outcome, FL_OUTCOME_ENDED);
  assert_int_equal(a->session_id, 3);
  assert_int_equal(a->port, 50123);
  assert_true(fl_str_eq(a->address, FL_STR("10.0.0.5")));
  assert_true(fl_str_eq(a->ended_by, FL_STR("client")));
  assert_int_equal(a->proof[FL_PHASE_AUTH]->event_id, 1149);
  assert_true(a->has_host_code && a->host_code == 0);
  bench_close(&b);
}

/* Two pairs after a session switch: the last one is what the client was told. */
static void last_code_counts(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 5000, "SRV1", CORE, 72, "F4A0", "MethodName=SetErrorInfo(0x0)");
  add(&b, 9000, "SRV1", CORE, 72, "F4A0", "MethodName=PreDisconnect(-805306367)");
  add(&b, 9001, "SRV1", CORE, 103, "F4A0", "ReasonCode=14");
  solve(&b);
  assert_int_equal(b.c.attempts[0].host_code, 0xd0000001u);
  assert_int_equal(b.c.attempts[0].outcome, FL_OUTCOME_LOST);
  assert_true(fl_str_eq(b.c.attempts[0].ended_by, FL_STR("network")));
  bench_close(&b);
}

static void first_leg_is_a_probe(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_cut(&b, 0, "F4A1", "10.0.0.5:50120");
  add_session(&b, 40000, "F4A2");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 2);
  assert_int_equal(b.c.attempts[0].outcome, FL_OUTCOME_PROBE);
  assert_int_equal(b.c.attempts[1].outcome, FL_OUTCOME_OPEN);
  bench_close(&b);
}

static void refused(bench *b, int64_t ms, const char *activity, const char *client_ip) {
  add_cut(b, ms, activity, client_ip);
  const char *colon = strchr(client_ip, ':');
  char *fields = FL_NEW_ARRAY(b->arena, char, 64);
  memcpy(fields, "IPString=", 9);
  memcpy(fields + 9, client_ip, (size_t)(colon - client_ip));
  /* before the end records of the same leg */
  fl_event *e = add(b, ms + 150, "SRV1", CORE, 140, activity, fields);
  b->c.n_events--;
  const size_t at = b->c.n_events - 3;
  memmove(&b->events[at + 1], &b->events[at], 3 * sizeof b->events[0]);
  b->events[at] = e;
  b->c.n_events++;
}

static void strangers_are_set_aside(void **state) {
  (void)state;
  static const char *const ids[] = {"F401", "F402", "F403"};
  bench b;
  bench_open(&b);
  for (int i = 0; i < 3; i++) refused(&b, i * 10000, ids[i], "203.0.113.9:4000");
  add_session(&b, 60000, "F4A2");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 1);
  assert_int_equal(b.s.n_attempts - b.s.n_real, 3);
  bench_close(&b);
}

/* Where nobody is let in the host may be at fault, and the client asked about is never a stranger.
 */
static void failures_alone_are_no_noise(void **state) {
  (void)state;
  static const char *const ids[] = {"F401", "F402", "F403"};
  bench b;
  bench_open(&b);
  for (int i = 0; i < 3; i++) refused(&b, i * 10000, ids[i], "10.0.0.9:4000");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 3);
  assert_int_equal(b.c.attempts[2].outcome, FL_OUTCOME_FAILED);
  assert_int_equal(b.c.attempts[2].reached, FL_PHASE_TLS);
  bench_close(&b);

  bench_open(&b);
  for (int i = 0; i < 3; i++) refused(&b, i * 10000, ids[i], "203.0.113.9:4000");
  add_session(&b, 60000, "F4A2");
  b.options.client = FL_STR("203.0.113.9");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 4);
  bench_close(&b);
}

/* No client of the case made it: all dials are joined and the client's log covers the time. */
static void other_clients_are_foreign(void **state) {
  (void)state;
  static fl_coverage log = {
      .host = {"PC1", 3}, .start = T0 - FL_SECOND, .end = T0 + FL_SECOND * 90};
  log.channel = fl_str_of(channel_of(CLIENT));
  for (int is_open = 0; is_open < 2; is_open++) {
    bench b;
    bench_open(&b);
    b.c.coverage = &log;
    b.c.n_coverage = 1;
    add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=srv1");
    add_cut(&b, 100, "F4A1", "10.0.0.5:50120");
    add(&b, 400, "PC1", CLIENT, 1026, "A1", "Value=2308");
    add_cut(&b, 30000, "F4A2", "10.0.0.9:50120");
    if (is_open) add(&b, 60000, "PC1", CLIENT, 1024, "A3", "Value=srv1");
    add_cut(&b, 120000, "F4A3", "10.0.0.9:50120");
    solve(&b);
    assert_false(b.c.attempts[0].is_foreign);
    assert_int_equal(b.c.attempts[1].is_foreign, !is_open);
    assert_false(b.c.attempts[2].is_foreign); /* the log does not cover it */
    bench_close(&b);
  }
}

static void client_and_host_are_joined(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1.corp.example", CLIENT, 1024, "A1", "Value=srv1.corp.example");
  add_cut(&b, 100, "F4A1", "10.0.0.5:50120");
  add(&b, 400, "PC1.corp.example", CLIENT, 1026, "A1", "Value=2308");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 1);
  const fl_attempt *a = &b.c.attempts[0];
  assert_non_null(a->client);
  assert_non_null(a->server);
  assert_int_equal(a->code, 0x904);
  assert_int_equal(a->outcome, FL_OUTCOME_FAILED);
  assert_int_equal(a->reached, FL_PHASE_TCP);
  assert_int_equal(a->n_events, 7);
  /* the address is now another name of the client */
  assert_ptr_equal(fl_case_machine(&b.c, FL_STR("10.0.0.5")), a->client);
  bench_close(&b);
}

/* 0x204: the client never connected, so the leg beside it is somebody else's. */
static void connect_failure_joins_nothing(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=srv1");
  add_cut(&b, 100, "F4A1", "10.0.0.7:50120");
  add(&b, 3000, "PC1", CLIENT, 1026, "A1", "Value=516");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 2);
  assert_int_equal(b.c.attempts[0].reached, FL_PHASE_NAME);
  bench_close(&b);
}

static void crash_loses_the_session(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 90000, "SRV1", "Service Control Manager", 7031, "", "service=TermService");
  solve(&b);
  assert_int_equal(b.c.attempts[0].outcome, FL_OUTCOME_LOST);
  assert_true(fl_str_eq(b.c.attempts[0].ended_by, FL_STR("server")));
  bench_close(&b);

  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 90000, "SRV1", "Service Control Manager", 7031, "", "service=Spooler");
  solve(&b);
  assert_int_equal(b.c.attempts[0].outcome, FL_OUTCOME_OPEN);
  bench_close(&b);
}

/* The UDP side has another activity id and an address in brackets. */
static void udp_side_belongs_to_tcp(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 2500, "SRV1", CORE, 131, "0B11", "ConnType=UDP ClientIP=[10.0.0.5]:50999");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 1);
  assert_true(fl_str_eq(b.c.attempts[0].transport, FL_STR("udp")));
  assert_int_equal(b.c.attempts[0].port, 50123);
  bench_close(&b);
}

/* Without RdpCoreTS, 1149 and LSM stand for the connection. */
static void older_logs_make_attempts(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "SRV1", RCM, 1149, "", "Param1=anna Param3=10.0.0.5");
  add(&b, 900, "SRV1", LSM, 21, "", "User=CORP\\anna SessionID=3 Address=10.0.0.5");
  add(&b, 50000, "SRV1", LSM, 24, "", "User=CORP\\anna SessionID=3 Address=10.0.0.5");
  add(&b, 50001, "SRV1", LSM, 40, "", "Session=3 Reason=11");
  add(&b, 90000, "SRV1", LSM, 21, "", "User=CORP\\ben SessionID=1 Address=YEREL");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 1);
  assert_int_equal(b.c.attempts[0].outcome, FL_OUTCOME_ENDED);
  assert_int_equal(b.c.attempts[0].session_id, 3);
  bench_close(&b);
}

static void synthetic_event_tells_all(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  solve(&b);
  assert_int_equal(fl_attempt_event(&b.s, &b.s.attempts[0], NULL), FL_OK);
  const fl_event *e = b.s.attempts[0].event;
  assert_true(e->flags & FL_F_SYNTHETIC);
  assert_true(fl_str_eq(e->kind, FL_STR("rdp.attempt")));
  assert_int_equal(fl_event_field(e, FL_STR("reached_n"))->as.integer, 8);
  assert_true(fl_str_eq(fl_event_field(e, FL_STR("outcome"))->as.text, FL_STR("open")));
  assert_null(fl_event_field(e, FL_STR("code")));
  bench_close(&b);
}

/* Id of the one record behind a fact; 0 when there is none, -1 when there are several. */
static int64_t record_behind(const fl_attempt *a, const char *fact) {
  const fl_event *records[FL_ATTEMPT_RECORDS];
  const size_t n = fl_attempt_records(a, fl_str_of(fact), records);
  return n == 1 ? records[0]->event_id : n ? -1 : 0;
}

static void facts_have_records(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=SRV1");
  add(&b, 90, "SRV1", RCM, 261, "", "");
  add(&b, 100, "SRV1", CORE, 131, "F401", "ConnType=TCP ClientIP=10.0.0.5:5001");
  add(&b, 300, "SRV1", CORE, 72, "F401", "MethodName=SetErrorInfo(7)");
  add(&b, 400, "SRV1", CORE, 103, "F401", "ReasonCode=14");
  add(&b, 500, "PC1", CLIENT, 1026, "A1", "Value=2308");
  solve(&b);
  const fl_attempt *a = &b.c.attempts[0];
  assert_int_equal(record_behind(a, "code"), 1026);
  assert_int_equal(record_behind(a, "client_ip"), 131);
  assert_int_equal(record_behind(a, "host_code"), 72);
  assert_int_equal(record_behind(a, "client"), 1024);
  assert_int_equal(record_behind(a, "outcome"), 1026);
  assert_int_equal(record_behind(a, "user"), 0);
  const fl_event *all[FL_ATTEMPT_RECORDS];
  assert_int_equal(fl_attempt_records(a, (fl_str){0}, all), 3);
  assert_int_equal(all[0]->event_id, 1024);
  assert_int_equal(all[2]->event_id, 1026);
  bench_close(&b);
}

static void list_address(bench *b, const char *host, const char *address) {
  char *fields = FL_NEW_ARRAY(b->arena, char, 64);
  (void)snprintf(fields, 64, "address=%s", address);
  fl_event *e = add(b, 0, host, "faultline-state", 65000, "", fields);
  e->kind = FL_STR("state.address");
  e->channel = FL_STR("");
  e->flags = FL_F_TIME_INVALID;
}

/* What a machine lists as its own addresses names it, unless another one lists them, too. */
static void listed_addresses_are_names(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  list_address(&b, "SRV1", "10.0.0.9");
  list_address(&b, "SRV1", "192.168.1.2");
  list_address(&b, "SRV1", "127.0.0.1");
  list_address(&b, "SRV1", "fe80::1%4");
  list_address(&b, "SRV1", "2001:db8::9");
  list_address(&b, "CLI1", "192.168.1.2");
  list_address(&b, "CLI1", "10.0.0.5");
  add(&b, 0, "CLI1", CLIENT, 1024, "{A}", "Value=10.0.0.9");
  add(&b, 4000, "CLI1", CLIENT, 1026, "{A}", "Value=2308");
  add_cut(&b, 70000, "{B}", "10.0.0.5");
  solve(&b);
  const char *const of_server[] = {"10.0.0.9", "2001:db8::9", "SRV1"};
  for (size_t i = 0; i < 3; i++)
    assert_string_equal(fl_case_machine(&b.c, fl_str_of(of_server[i]))->name.p, "SRV1");
  assert_string_equal(fl_case_machine(&b.c, FL_STR("10.0.0.5"))->name.p, "CLI1");
  const char *const of_nobody[] = {"192.168.1.2", "127.0.0.1", "fe80::1", "::1"};
  for (size_t i = 0; i < 4; i++) assert_null(fl_case_machine(&b.c, fl_str_of(of_nobody[i])));
  /* The address dialled is the host: the attempt knows its server. */
  assert_non_null(b.c.attempts[0].server);
  assert_string_equal(b.c.attempts[0].server->name.p, "SRV1");
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(passes_phases),
      cmocka_unit_test(last_code_counts),
      cmocka_unit_test(first_leg_is_a_probe),
      cmocka_unit_test(strangers_are_set_aside),
      cmocka_unit_test(failures_alone_are_no_noise),
      cmocka_unit_test(other_clients_are_foreign),
      cmocka_unit_test(client_and_host_are_joined),
      cmocka_unit_test(connect_failure_joins_nothing),
      cmocka_unit_test(crash_loses_the_session),
      cmocka_unit_test(udp_side_belongs_to_tcp),
      cmocka_unit_test(older_logs_make_attempts),
      cmocka_unit_test(synthetic_event_tells_all),
      cmocka_unit_test(listed_addresses_are_names),
      cmocka_unit_test(facts_have_records),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
