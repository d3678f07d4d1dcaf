/* case_test.c - the builder: what it copies, machines and their names, references to events. */
#include <stdlib.h>

#include "faultline/rules.h"
#include "faultline/timeline.h"
#include "solve_events.h"

/* Coverage belongs to another room; these tests need none. */
struct fl_coverage_map {
  int unused;
};
fl_status fl_coverage_create(fl_coverage_map **ret_map, fl_err *err) {
  (void)err;
  *ret_map = calloc(1, sizeof **ret_map);
  return *ret_map ? FL_OK : FL_E_NOMEM;
}
void fl_coverage_free(fl_coverage_map *map) { free(map); }
fl_status fl_coverage_batch(fl_coverage_map *map, const fl_batch *batch, fl_err *err) {
  (void)map;
  (void)batch;
  (void)err;
  return FL_OK;
}
fl_status fl_coverage_source(fl_coverage_map *map, const fl_source_info *source, fl_err *err) {
  (void)map;
  (void)source;
  (void)err;
  return FL_OK;
}
fl_status fl_coverage_gaps(fl_coverage_map *map, const fl_gap **ret_gaps, size_t *ret_n,
                           fl_err *err) {
  (void)map;
  (void)err;
  *ret_gaps = NULL;
  *ret_n = 0;
  return FL_OK;
}
fl_status fl_coverage_finish(fl_coverage_map *map, const fl_coverage **ret_list, size_t *ret_n,
                             fl_err *err) {
  (void)map;
  (void)err;
  *ret_list = NULL;
  *ret_n = 0;
  return FL_OK;
}
int fl_coverage_covers(const fl_coverage *list, size_t n, fl_str host, fl_str channel, fl_time from,
                       fl_time to) {
  (void)list;
  (void)n;
  (void)host;
  (void)channel;
  (void)from;
  (void)to;
  return FL_UNKNOWN;
}

static void builder_copies_what_it_gets(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_case_builder *builder = NULL;
  fl_case *c = NULL;
  const fl_case_options options = {.user = FL_STR("anna")};
  assert_int_equal(fl_rules_create(&rules, NULL), FL_OK);
  assert_int_equal(fl_rules_finish(rules, NULL), FL_OK);
  assert_int_equal(fl_case_builder_create(rules, &options, &builder, NULL), FL_OK);
  const fl_sink sink = fl_case_builder_sink(builder);
  char name[] = "a.evtx", text[] = "chunk 3 is damaged";
  fl_source_info source = {.id = 7, .parent = UINT32_MAX, .name = {name, 6}, .type = "evtx"};
  const fl_note note = {7, FL_NOTE_DAMAGED, 4096, {text, strlen(text)}};
  assert_int_equal(sink.begin(sink.self, &source, NULL), FL_OK);
  assert_int_equal(sink.note(sink.self, &note, NULL), FL_OK);
  source.n_events = 12;
  assert_int_equal(sink.end(sink.self, &source, NULL), FL_OK);
  memset(name, 'x', 6);
  memset(text, 'x', 6);
  const fl_ingest_totals totals = {.n_sources = 1, .n_events = 12};
  assert_int_equal(fl_case_builder_finish(builder, &totals, &c, NULL), FL_OK);
  assert_int_equal(c->n_sources, 1);
  assert_int_equal(c->sources[0].n_events, 12);
  assert_true(fl_str_eq(c->sources[0].name, FL_STR("a.evtx")));
  assert_true(fl_str_eq(c->notes[0].text, FL_STR("chunk 3 is damaged")));
  assert_int_equal(c->totals.n_events, 12);
  assert_int_equal(c->verdict.status, FL_VERDICT_UNDECIDED);
  const fl_event event = {.source = 7, .offset = 4096};
  fl_arena *arena = fl_arena_create(1 << 16);
  assert_true(fl_str_eq(fl_case_ref(c, &event, arena), FL_STR("a.evtx@4096")));
  fl_arena_free(arena);
  fl_err err = {0};
  assert_int_equal(fl_case_builder_finish(builder, &totals, &c, &err), FL_E_ARG);
  fl_case_free(c);
  fl_case_builder_free(builder);
  fl_rules_free(rules);
  fl_case_free(NULL);
  fl_case_builder_free(NULL);
}

static void names_of_one_machine_are_unified(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "SRV1", CORE, 129, "", "Port=3389");
  add(&b, 1, "srv1.corp.example", LSM, 32, "", "messageName=TermSrv");
  add(&b, 2, "SRV2.corp.example", LSM, 32, "", "messageName=TermSrv");
  solve(&b);
  assert_int_equal(b.c.n_machines, 2);
  assert_true(fl_str_eq(b.c.machines[0].name, FL_STR("srv1.corp.example")));
  assert_ptr_equal(fl_case_machine(&b.c, FL_STR("Srv1")), &b.c.machines[0]);
  assert_null(fl_case_machine(&b.c, FL_STR("SRV3")));
  assert_null(fl_case_machine(&b.c, FL_STR("")));
  assert_int_equal(b.c.machines[0].roles, FL_ROLE_SERVER);
  bench_close(&b);
}

static void roles_are_a_set_and_can_be_given(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add(&b, 0, "SRV1", CORE, 129, "", "Port=3389");
  add(&b, 1, "SRV1", CLIENT, 1105, "A1", "");
  solve(&b);
  assert_int_equal(b.c.machines[0].roles, FL_ROLE_SERVER | FL_ROLE_CLIENT);
  bench_close(&b);

  const fl_str host = FL_STR("srv1");
  const unsigned role = FL_ROLE_GATEWAY;
  bench_open(&b);
  b.options.role_hosts = &host;
  b.options.role_bits = &role;
  b.options.n_roles = 1;
  add(&b, 0, "SRV1", CORE, 129, "", "Port=3389");
  solve(&b);
  assert_int_equal(b.c.machines[0].roles, FL_ROLE_GATEWAY);
  assert_true(b.c.machines[0].role_is_given);
  bench_close(&b);
}

static void addresses_are_recognised(void **state) {
  (void)state;
  assert_true(fl_is_address(FL_STR("10.0.0.5")));
  assert_true(fl_is_address(FL_STR("fe80::1%4")));
  assert_false(fl_is_address(FL_STR("YEREL")));
  assert_false(fl_is_address(FL_STR("1.2.3")));
  assert_false(fl_is_address(FL_STR("")));
  assert_true(fl_is_public(FL_STR("203.0.113.9")));
  assert_false(fl_is_public(FL_STR("172.20.1.1")));
  assert_false(fl_is_public(FL_STR("100.64.0.9")));
  assert_true(fl_host_same(FL_STR("SRV1"), FL_STR("srv1.corp.example")));
  assert_false(fl_host_same(FL_STR("srv1.a.example"), FL_STR("srv1.b.example")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(builder_copies_what_it_gets),
      cmocka_unit_test(names_of_one_machine_are_unified),
      cmocka_unit_test(roles_are_a_set_and_can_be_given),
      cmocka_unit_test(addresses_are_recognised),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
