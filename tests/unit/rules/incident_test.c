/* incident_test.c - which records become one incident, which do not, and damaged ones that must not
 * matter. */
#include "rules/incident.h"
#include "base/limits.h"
#include "solve_events.h"

static fl_event *crash(bench *b, int64_t ms, const char *host, const char *kind,
                       const char *fields) {
  fl_event *e = add(b, ms, host, "Application Error", 1000, "", fields);
  e->kind = fl_str_of(kind);
  return e;
}

static void make(bench *b) {
  fl_err err = {0};
  solve(b);
  assert_int_equal(fl_incidents_make(&b->s, &err), FL_OK);
}

/* The records of every incident, together: each record stands in one. */
static void is_partition(const bench *b, size_t n_records) {
  size_t n = 0;
  for (size_t i = 0; i < b->s.n_incidents; i++) {
    const fl_incident *in = &b->s.incidents[i];
    assert_int_equal(in->number, i + 1);
    assert_int_equal(in->n_joins + 1, in->n_events);
    n += in->n_events;
  }
  assert_int_equal(n, n_records);
}

#define GUID "3F0E3A70-6A52-4D7E-8A3A-F0A1C1A2B3C4"
#define PLACE " process=app.exe module=x.dll offset=0x10 exception=0xc0000005"

/* A report is logged again with each change of its state, even weeks later. */
static void states_of_a_report_are_one(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  crash(&b, 0, "SRV1", "crash.app", "report_id=" GUID PLACE " pid=0x49c");
  for (int i = 1; i < 4; i++)
    crash(&b, INT64_C(864000000) * i, "SRV1", "crash.report",
          "event_type=APPCRASH report_id=" GUID " process=app.exe");
  make(&b);
  assert_int_equal(b.s.n_incidents, 1);
  assert_true(b.s.incidents[0].is_exact && b.s.incidents[0].t == T0);
  is_partition(&b, 4);
  bench_close(&b);
}

/* The null GUID is nobody's. */
static void null_ids_join_nothing(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  for (int i = 0; i < 3; i++)
    crash(&b, INT64_C(3600000) * i, "SRV1", "crash.app",
          "report_id=00000000-0000-0000-0000-000000000000" PLACE);
  make(&b);
  assert_int_equal(b.s.n_incidents, 3);
  assert_int_equal(b.s.incidents[0].n_alike, 3);
  bench_close(&b);
}

/* A service that crashes again within a minute at the same place crashed twice. */
static void likeness_is_not_identity(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  crash(&b, 0, "SRV1", "crash.app", "pid=0x49c" PLACE);
  crash(&b, 500, "SRV1", "service.crashed", "service=app");
  crash(&b, 20000, "SRV1", "crash.app", "pid=0x4a0" PLACE);
  crash(&b, 20500, "SRV1", "service.crashed", "service=app");
  crash(&b, 21000, "SRV1", "crash.dump", "pid=0x4a0" PLACE);
  make(&b);
  assert_int_equal(b.s.n_incidents, 2);
  assert_int_equal(b.s.incidents[0].n_events, 2);
  assert_int_equal(b.s.incidents[1].n_events, 3);
  assert_int_equal(b.s.incidents[0].n_contradictions + b.s.incidents[1].n_contradictions, 0);
  is_partition(&b, 5);
  bench_close(&b);
}

/* Equal crashes of two hosts, and a dump that names none: it goes to one of them. */
static void machines_stay_apart(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  crash(&b, 0, "SRV1", "crash.app", "pid=0x49c started=2026-03-02T07:00:00" PLACE);
  crash(&b, 0, "", "crash.dump", "pid=0x49c started=2026-03-02T07:00:00" PLACE);
  crash(&b, 0, "SRV2", "crash.app", "pid=0x49c started=2026-03-02T07:00:00" PLACE);
  make(&b);
  assert_int_equal(b.s.n_incidents, 2);
  assert_true(b.s.incidents[0].machine != b.s.incidents[1].machine);
  is_partition(&b, 3);
  bench_close(&b);
}

/* What ids bring together may disagree: it is told. */
static void contradictions_are_kept(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  crash(&b, 0, "SRV1", "crash.app", "pid=0x49c report_id=" GUID PLACE);
  crash(&b, 1000, "SRV1", "crash.wer",
        "event_type=APPCRASH report_id=" GUID
        " pid=0x500 process=app.exe module=y.dll offset=0x20 exception=0xc0000005");
  make(&b);
  assert_int_equal(b.s.n_incidents, 1);
  assert_int_equal(b.s.incidents[0].n_contradictions, 1);
  assert_true(fl_str_eq(b.s.incidents[0].place, FL_STR("x.dll+0x10")));
  bench_close(&b);
}

/* A stop is of that boot only where its parameters are. */
static void stops_join_by_parameters(void **state) {
  (void)state;
  static const char dump[] =
      "bugcheck=0x1000007e parameter1=0xfffff80000001234 parameter2=2 "
      "parameter3=3 parameter4=4";
  static const char same[] =
      "bugcheck=126 parameter1=18446735277616534068 parameter2=2 "
      "parameter3=3 parameter4=4";
  static const char other[] = "bugcheck=126 parameter1=9 parameter2=2 parameter3=3 parameter4=4";
  bench b;
  bench_open(&b);
  crash(&b, 0, "SRV1", "crash.kernel", dump);
  crash(&b, 120000, "SRV1", "power.unclean", same);
  crash(&b, 121000, "SRV1", "power.unexpected", "uptime=1");
  crash(&b, 1000000, "SRV1", "power.unclean", other);
  make(&b);
  assert_int_equal(b.s.n_incidents, 2);
  assert_int_equal(b.s.incidents[0].n_events, 3);
  assert_true(b.s.incidents[0].is_exact && b.s.incidents[0].code == 0x7e);
  assert_false(b.s.incidents[1].is_exact);
  bench_close(&b);
}

/* Times at both ends of what can be told, fields without values: nothing may overflow. */
static void damaged_records_do_no_harm(void **state) {
  (void)state;
  static const char *const kinds[] = {"crash.app",        "crash.dump",     "crash.wer",
                                      "crash.report",     "crash.kernel",   "power.unclean",
                                      "power.unexpected", "power.bugcheck", "service.crashed",
                                      "crash.display",    "crash.hang"};
  static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, T0, INT64_MAX - 1, INT64_MAX};
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  const size_t n_before = b.c.n_events;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
      fl_event *e =
          crash(&b, 0, k % 3 ? "SRV1" : "", kinds[i],
                i % 2 ? "process=- event_type=APPCRASH exception=0x1"
                      : "event_type=BEX process= service= module= offset=zz pid=0 exception=5");
      e->t = times[k];
    }
  make(&b);
  is_partition(&b, b.c.n_events - n_before);
  bench_close(&b);
}

/* Beyond the limit the oldest are left out, and counted. */
static void the_newest_are_kept(void **state) {
  (void)state;
  enum { MORE = 5 };
  bench b;
  bench_open(&b);
  const size_t n = FL_LIMIT_INCIDENT_RECORDS + MORE;
  const fl_event **many = FL_NEW_ARRAY(b.arena, const fl_event *, n);
  assert_non_null(many);
  b.c.events = many;
  for (size_t i = 0; i < n; i++) {
    fl_event *e = FL_NEW(b.arena, fl_event);
    *e = (fl_event){.t = T0 + (int64_t)i * 600 * FL_SECOND,
                    .seq = i,
                    .record_id = (int64_t)i,
                    .event_id = 4101,
                    .host = FL_STR("SRV1"),
                    .provider = FL_STR("Display"),
                    .channel = FL_STR("System"),
                    .kind = FL_STR("crash.display")};
    many[i] = e;
  }
  b.c.n_events = n;
  make(&b);
  assert_int_equal(b.s.n_cut_crashes, MORE);
  assert_int_equal(b.s.n_incidents, FL_LIMIT_INCIDENT_RECORDS);
  assert_true(b.s.incidents[0].t == T0 + MORE * 600 * FL_SECOND);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(states_of_a_report_are_one), cmocka_unit_test(null_ids_join_nothing),
      cmocka_unit_test(likeness_is_not_identity),   cmocka_unit_test(machines_stay_apart),
      cmocka_unit_test(contradictions_are_kept),    cmocka_unit_test(stops_join_by_parameters),
      cmocka_unit_test(damaged_records_do_no_harm), cmocka_unit_test(the_newest_are_kept)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
