/* clocks_test.c - offsets from connections that both sides recorded. */
#include "solve_events.h"

enum { AHEAD_MS = 137000 };

static void dial(bench *b, int64_t ms, const char *activity) {
  add(b, ms, "PC1", CLIENT, 1024, activity, "Value=SRV1");
  add(b, ms + 300, "PC1", CLIENT, 1026, activity, "Value=2308");
}

static const fl_machine *pc(const bench *b) {
  const fl_machine *m = fl_case_machine(&b->c, FL_STR("PC1"));
  assert_non_null(m);
  return m;
}

/* No id is shared: only the true offset repeats. */
static void pattern_gives_the_offset(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_cut(&b, 0, "F401", "10.0.0.5:5001");
  add_cut(&b, 21000, "F402", "10.0.0.5:5002");
  add_cut(&b, 95000, "F403", "10.0.0.5:5003");
  dial(&b, AHEAD_MS, "A1");
  dial(&b, AHEAD_MS + 21000, "A2");
  dial(&b, AHEAD_MS + 95000, "A3");
  solve(&b);
  assert_int_equal(pc(&b)->offset_ns, -AHEAD_MS * MS);
  assert_int_equal(pc(&b)->n_anchors, 3);
  assert_true(pc(&b)->spread_ns >= 500 * MS && pc(&b)->spread_ns <= 2000 * MS);
  assert_int_equal(b.c.n_attempts, 3);
  for (size_t i = 0; i < 3; i++) assert_int_equal(b.c.attempts[i].n_events, 7);
  assert_int_equal(b.c.attempts[1].start, T0 + 21000 * MS);
  bench_close(&b);
}

static void equal_ids_give_a_weak_offset(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_cut(&b, 0, "F401", "10.0.0.5:5001");
  dial(&b, AHEAD_MS, "F401");
  solve(&b);
  assert_int_equal(pc(&b)->offset_ns, -AHEAD_MS * MS);
  assert_int_equal(pc(&b)->n_anchors, 1);
  assert_int_equal(b.c.n_attempts, 1);
  bench_close(&b);
}

/* One pair far away measures no clock: the only one left is assumed, one of two is not. */
static void one_pair_is_assumed(void **state) {
  (void)state;
  for (int n_others = 0; n_others < 2; n_others++) {
    bench b;
    bench_open(&b);
    add_cut(&b, 0, "F401", "10.0.0.5:5001");
    if (n_others) add_cut(&b, 60000, "F402", "10.0.0.9:5001");
    dial(&b, AHEAD_MS, "A1");
    solve(&b);
    assert_int_equal(pc(&b)->n_anchors, 0);
    assert_int_equal(pc(&b)->clock_is_assumed, !n_others);
    assert_int_equal(pc(&b)->offset_ns, n_others ? 0 : -AHEAD_MS * MS);
    assert_int_equal(b.c.n_attempts, n_others ? 3 : 1);
    assert_int_equal(b.c.attempts[0].is_assumed, !n_others);
    bench_close(&b);
  }
}

/* A client that was out sooner cannot be the other end, and neither can one half an hour away. */
static void what_cannot_be_is_not_assumed(void **state) {
  (void)state;
  bench b;
  bench_open(&b);
  add_cut(&b, 0, "F401", "10.0.0.5:5001");
  add(&b, 5000, "SRV1", CORE, 103, "F401", "ReasonCode=14");
  dial(&b, AHEAD_MS, "A1");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 2);
  bench_close(&b);
  bench_open(&b);
  add_cut(&b, 0, "F401", "10.0.0.5:5001");
  dial(&b, 30 * 60000, "A1");
  solve(&b);
  assert_int_equal(b.c.n_attempts, 2);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pattern_gives_the_offset),
      cmocka_unit_test(equal_ids_give_a_weak_offset),
      cmocka_unit_test(one_pair_is_assumed),
      cmocka_unit_test(what_cannot_be_is_not_assumed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
