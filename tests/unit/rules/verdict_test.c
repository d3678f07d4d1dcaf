/* verdict_test.c - findings made by hand become a verdict: guards, phases, what the host said. */
#include "solve_events.h"

static fl_evidence yes(int points, bool decisive, const char *text) {
  return (fl_evidence){FL_TRUE, points, decisive, fl_str_of(text), "test", NULL, 0};
}

static fl_finding finding(const char *cause, const fl_evidence *lines, size_t n_lines) {
  return (fl_finding){.rule = "test",
                      .title = cause,
                      .cause = cause,
                      .effect = "",
                      .evidence = lines,
                      .n_evidence = n_lines};
}

/* A failed attempt of PC1 on SRV1; `reached` decides what is still possible. */
static void add_failure(bench *b, const char *method) {
  add(b, 0, "PC1", CLIENT, 1024, "A1", "Value=SRV1");
  add(b, 100, "SRV1", CORE, 131, "F401", "ConnType=TCP ClientIP=10.0.0.5:5001");
  if (method) add(b, 200, "SRV1", CORE, 72, "F401", "MethodName=OnStartLicensing");
  if (method) add(b, 300, "SRV1", CORE, 72, "F401", method);
  add(b, 400, "SRV1", CORE, 103, "F401", "ReasonCode=14");
  add(b, 500, "PC1", CLIENT, 1026, "A1", "Value=2308");
}

static const fl_verdict *judge(bench *b, fl_finding *findings, size_t n) {
  solve(b);
  fl_verdict_choose(&b->s);
  for (size_t i = 0; i < n; i++) findings[i].attempt = b->c.chosen;
  b->c.findings = findings;
  b->c.n_findings = n;
  assert_int_equal(fl_verdict_make(&b->s, NULL), FL_OK);
  return &b->c.verdict;
}

static bool holds(fl_str text, const char *part) {
  const size_t n = strlen(part);
  for (size_t i = 0; i + n <= text.n; i++)
    if (memcmp(text.p + i, part, n) == 0) return true;
  return false;
}

static void decisive_fact_confirms(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_failure(&b, NULL);
  const fl_evidence lines[] = {yes(60, true, "key"), yes(25, false, "certificate")};
  fl_finding f[] = {finding("tls.machinekeys", lines, 2)};
  const fl_verdict *v = judge(&b, f, 1);
  assert_int_equal(v->status, FL_VERDICT_CONFIRMED);
  assert_int_equal(v->hypotheses[0].score, 85);
  assert_true(holds(v->sentence, "confirmed"));
  assert_int_equal(v->n_collect, 0);
  bench_close(&b);
}

static void contrary_fact_prevents_confirmation(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_failure(&b, NULL);
  const fl_evidence lines[] = {yes(80, true, "key"), yes(-5, false, "but")};
  fl_finding f[] = {finding("tls.machinekeys", lines, 2)};
  assert_int_equal(judge(&b, f, 1)->status, FL_VERDICT_LIKELY);
  bench_close(&b);
}

/* The same facts on an attempt that went on to licensing: TLS was passed. */
static void passed_phase_rules_out(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_failure(&b, "MethodName=PreDisconnect(-805306367)");
  const fl_evidence lines[] = {yes(60, true, "key")};
  fl_finding f[] = {finding("tls.machinekeys", lines, 1)};
  const fl_verdict *v = judge(&b, f, 1);
  assert_int_equal(v->status, FL_VERDICT_UNDECIDED);
  assert_int_equal(v->hypotheses[0].score, 0);
  assert_int_equal(v->hypotheses[0].n_con, 1);
  assert_true(holds(v->hypotheses[0].con[0]->text, "ruled out"));
  bench_close(&b);
}

/* Licensing comes next after authentication: reached is no reason against it. */
static void next_phase_is_the_suspect(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_failure(&b, "MethodName=PreDisconnect(-805306367)");
  const fl_evidence lines[] = {yes(35, false, "begun")};
  fl_finding f[] = {finding("lic.server_missing", lines, 1)};
  const fl_verdict *v = judge(&b, f, 1);
  assert_int_equal(v->status, FL_VERDICT_POSSIBLE);
  assert_int_equal(v->hypotheses[0].n_con, 0);
  bench_close(&b);
}

/* What the host sent decides over what rules infer, even when no rule names it. */
static void host_code_decides(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_failure(&b, "MethodName=SetErrorInfo(0x7)");
  const fl_evidence lines[] = {yes(70, false, "licence")};
  fl_finding f[] = {finding("lic.server_missing", lines, 1)};
  const fl_verdict *v = judge(&b, f, 1);
  assert_int_equal(v->status, FL_VERDICT_CONFIRMED);
  assert_string_equal(v->hypotheses[0].cause->id, "srv.denied");
  assert_int_equal(v->hypotheses[0].pro[0]->n_events, 1);
  assert_int_equal(v->hypotheses[1].n_con, 1);
  bench_close(&b);
}

static void symptom_class_is_never_confirmed(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_failure(&b, NULL);
  const fl_evidence lines[] = {yes(90, true, "closed")};
  fl_finding f[] = {finding("net.peer_closed", lines, 1)};
  assert_int_equal(judge(&b, f, 1)->status, FL_VERDICT_POSSIBLE);
  bench_close(&b);
}

static void client_alone_is_undecided(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=SRV1");
  add(&b, 500, "PC1", CLIENT, 1026, "A1", "Value=2308");
  b.c.symptom = (fl_symptom){.has_code = true, .code = 0x904, .has_extended = true, .extended = 7};
  const fl_evidence lines[] = {yes(40, false, "code 7")};
  fl_finding f[] = {finding("srv.denied", lines, 1)};
  const fl_verdict *v = judge(&b, f, 1);
  assert_int_equal(v->status, FL_VERDICT_UNDECIDED);
  assert_true(b.c.chosen->has_extended && b.c.chosen->extended == 7);
  bool asks = false;
  for (size_t i = 0; i < v->n_collect; i++) asks |= holds(v->collect[i], "SetErrorInfo(0x7)");
  assert_true(asks);
  assert_true(holds(v->collect[0], "RdpCoreTS/Operational"));
  bench_close(&b);
}

static void healthy_case_has_no_failure(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 60000, "SRV1", CORE, 107, "F4A0", "");
  add(&b, 60001, "SRV1", CORE, 103, "F4A0", "ReasonCode=13");
  assert_int_equal(judge(&b, NULL, 0)->status, FL_VERDICT_NO_FAILURE);
  bench_close(&b);

  /* A code that no attempt ended with keeps the question open. */
  bench_open(&b);
  add_session(&b, 0, "F4A0");
  add(&b, 60000, "SRV1", CORE, 107, "F4A0", "");
  add(&b, 60001, "SRV1", CORE, 103, "F4A0", "ReasonCode=13");
  b.c.symptom = (fl_symptom){.has_code = true, .code = 0x904};
  const fl_verdict *v = judge(&b, NULL, 0);
  assert_int_equal(v->status, FL_VERDICT_UNDECIDED);
  assert_true(holds(v->sentence, "No attempt in these logs ended with code 0x904"));
  bench_close(&b);
}

static void empty_case_is_undecided(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  const fl_verdict *v = judge(&b, NULL, 0);
  assert_int_equal(v->status, FL_VERDICT_UNDECIDED);
  assert_null(b.c.chosen);
  assert_true(v->sentence.n > 0);
  bench_close(&b);
}

/* A decisive fact that only records of another attempt show makes nothing certain about this one.
 */
static void another_attempt_proves_nothing(void **state) {
  (void)state;
  for (int is_own = 0; is_own < 2; is_own++) {
    bench b;
    bench_open(&b);
    add(&b, -60000, "SRV1", CORE, 131, "F400", "ConnType=TCP ClientIP=10.0.0.5:4001");
    const fl_event *other = add(&b, -59900, "SRV1", CORE, 65, "F400", "ConnectionName=RDP-Tcp#1");
    add(&b, -59000, "SRV1", CORE, 103, "F400", "ReasonCode=14");
    add_failure(&b, NULL);
    const fl_event *const cited[] = {other, b.c.events[b.c.n_events - 2]};
    fl_evidence lines[] = {yes(80, true, "key")};
    lines[0].events = cited;
    lines[0].n_events = is_own ? 2 : 1;
    fl_finding f[] = {finding("tls.machinekeys", lines, 1)};
    assert_int_equal(judge(&b, f, 1)->status, is_own ? FL_VERDICT_CONFIRMED : FL_VERDICT_LIKELY);
    bench_close(&b);
  }
}

/* The code that was asked for is told to be another attempt's. */
static void the_code_of_another_attempt(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=SRV1");
  add(&b, 500, "PC1", CLIENT, 1026, "A1", "Value=2308");
  add(&b, 60000, "PC1", CLIENT, 1024, "A2", "Value=SRV1");
  add(&b, 60500, "PC1", CLIENT, 1026, "A2", "Value=516");
  b.c.symptom = (fl_symptom){.has_code = true, .code = 0x904};
  b.options.attempt = 2;
  const fl_verdict *v = judge(&b, NULL, 0);
  assert_true(holds(v->sentence,
                    "Code 0x904 as given is that of attempt 1 (2026-03-02 08:00:00 UTC), "
                    "not of this one."));
  b.c.symptom.code = 0x804;
  assert_int_equal(fl_verdict_make(&b.s, NULL), FL_OK);
  assert_true(holds(b.c.verdict.sentence, "No attempt in these logs ended with code 0x804"));
  bench_close(&b);
}

static void question_chooses_the_attempt(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "PC1", CLIENT, 1024, "A1", "Value=SRV1");
  add(&b, 500, "PC1", CLIENT, 1026, "A1", "Value=2308");
  add(&b, 60000, "PC1", CLIENT, 1024, "A2", "Value=SRV1");
  add(&b, 60500, "PC1", CLIENT, 1026, "A2", "Value=516");
  solve(&b);
  fl_verdict_choose(&b.s);
  assert_int_equal(b.c.chosen->number, 2); /* the last failed one */
  b.c.symptom = (fl_symptom){.has_code = true, .code = 0x904};
  fl_verdict_choose(&b.s);
  assert_int_equal(b.c.chosen->number, 1);
  b.options.attempt = 2;
  fl_verdict_choose(&b.s);
  assert_int_equal(b.c.chosen->number, 2);
  b.options.attempt = 9;
  fl_verdict_choose(&b.s);
  assert_null(b.c.chosen);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decisive_fact_confirms),
      cmocka_unit_test(contrary_fact_prevents_confirmation),
      cmocka_unit_test(passed_phase_rules_out),
      cmocka_unit_test(next_phase_is_the_suspect),
      cmocka_unit_test(host_code_decides),
      cmocka_unit_test(symptom_class_is_never_confirmed),
      cmocka_unit_test(client_alone_is_undecided),
      cmocka_unit_test(healthy_case_has_no_failure),
      cmocka_unit_test(empty_case_is_undecided),
      cmocka_unit_test(another_attempt_proves_nothing),
      cmocka_unit_test(the_code_of_another_attempt),
      cmocka_unit_test(question_chooses_the_attempt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
