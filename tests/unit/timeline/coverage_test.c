/* coverage_test.c - what absence may rest on: ends, gaps, clears and damage. */
#include "faultline/case.h"
#include "make.h"

typedef struct world {
  fl_arena *arena;
  fl_coverage_map *map;
  const fl_coverage *list;
  size_t n;
} world;

static world begin(void) {
  world w = {.arena = fl_arena_create(64 << 20)};
  assert_int_equal(fl_coverage_create(&w.map, NULL), FL_OK);
  return w;
}
static void end(world *w) {
  fl_coverage_free(w->map);
  fl_arena_free(w->arena);
}
static void give(world *w, const made_rows *made) {
  const fl_batch batch = batch_of(made);
  assert_int_equal(fl_coverage_batch(w->map, &batch, NULL), FL_OK);
  assert_int_equal(fl_coverage_source(w->map, &made->source, NULL), FL_OK);
}
static void finish(world *w) {
  assert_int_equal(fl_coverage_finish(w->map, &w->list, &w->n, NULL), FL_OK);
}
static const fl_coverage *find(const world *w, const char *channel) {
  for (size_t i = 0; i < w->n; i++)
    if (fl_str_eq(w->list[i].channel, fl_str_of(channel))) return &w->list[i];
  return NULL;
}
static int covers(const world *w, const char *channel, int64_t from_s, int64_t to_s) {
  return fl_coverage_covers(w->list, w->n, FL_STR("pc1.EXAMPLE.net"), fl_str_of(channel),
                            T0 + from_s * FL_SECOND, T0 + to_s * FL_SECOND);
}
static fl_time at(int64_t seconds) { return T0 + seconds * FL_SECOND; }

static made_rows one_log(world *w, uint32_t source, uint64_t serial, const char *channel,
                         uint64_t first_id, uint64_t n, int64_t step) {
  made_shape *shape = make_shape(w->arena, serial, "P", channel, NULL, 0);
  made_rows made = make_rows(w->arena, source, channel, (uint32_t)n + 8, FL_C_COUNT);
  for (uint64_t i = 0; i < n; i++)
    (void)make_row(&made, shape, at((int64_t)i * step), 1, first_id + i);
  return made;
}

static void quiet_channels_reach_to_the_newest_of_their_host(void **state) {
  (void)state;
  world w = begin();
  const made_rows quiet = one_log(&w, 0, 0, "Quiet", 1, 10, 1);
  const made_rows busy = one_log(&w, 1, 1, "Busy", 500, 100, 10);
  give(&w, &quiet);
  give(&w, &busy);
  finish(&w);
  assert_int_equal(w.n, 2);
  assert_true(fl_str_eq(w.list[0].channel, FL_STR("Busy")));
  const fl_coverage *c = find(&w, "Quiet");
  assert_true(c->start == INT64_MIN && c->first == at(0) && c->last == at(9) && c->end == at(990));
  assert_int_equal(c->n_events, 10);
  assert_int_equal(c->n_holes, 0);
  assert_int_equal(covers(&w, "quiet", -1000, 990), FL_TRUE);
  assert_int_equal(covers(&w, "quiet", 0, 991), FL_FALSE);
  assert_int_equal(covers(&w, "Busy", -1, 5), FL_FALSE); /* starts with record 500 */
  assert_int_equal(covers(&w, "Busy", 0, 990), FL_TRUE);
  assert_int_equal(covers(&w, "Other", 0, 1), FL_UNKNOWN);
  assert_int_equal(fl_coverage_covers(w.list, w.n, FL_STR("PC2"), FL_STR("Busy"), 0, 1),
                   FL_UNKNOWN);
  end(&w);
}

static void missing_ids_are_holes(void **state) {
  (void)state;
  world w = begin();
  made_rows log = one_log(&w, 0, 0, "Log", 1, 100, 1);
  const made_rows busy = one_log(&w, 1, 1, "Busy", 1, 100, 10);
  log.rows[40].flags = FL_F_SLACK; /* record 41 is not live */
  for (uint32_t i = 60; i < 70; i++) log.rows[i].flags = FL_F_RECOVERED;
  give(&w, &log);
  give(&w, &busy);
  finish(&w);
  const fl_coverage *c = find(&w, "Log");
  assert_int_equal(c->n_missing, 11);
  assert_int_equal(c->n_holes, 2);
  assert_true(c->holes[0].start == at(39) && c->holes[0].end == at(41));
  assert_true(c->end == at(99)); /* not contiguous: its own last record */
  assert_int_equal(covers(&w, "Log", 0, 38), FL_TRUE);
  assert_int_equal(covers(&w, "Log", 0, 39), FL_FALSE);
  assert_int_equal(covers(&w, "Log", 42, 58), FL_TRUE);
  assert_int_equal(covers(&w, "Log", 71, 99), FL_TRUE);
  assert_int_equal(covers(&w, "Log", 71, 100), FL_FALSE);
  end(&w);
}

static void order_and_copies_do_not_matter(void **state) {
  (void)state;
  world w = begin();
  made_rows log = one_log(&w, 0, 0, "Log", 1, 100, 1);
  for (uint32_t i = 0; i < 50; i++) {
    const fl_row row = log.rows[i];
    log.rows[i] = log.rows[99 - i];
    log.rows[99 - i] = row;
  }
  give(&w, &log);
  give(&w, &log);
  finish(&w);
  assert_int_equal(find(&w, "Log")->n_missing, 0);
  assert_int_equal(find(&w, "Log")->n_holes, 0);
  assert_int_equal(covers(&w, "Log", -5, 99), FL_TRUE);
  end(&w);
}

static void clears_lose_what_was_before(void **state) {
  (void)state;
  static const char *const names[] = {"SubjectUserName", "Channel"};
  world w = begin();
  made_rows security = one_log(&w, 0, 0, "Security", 1, 10, 1);
  made_shape *shape = make_shape(w.arena, 1, "Microsoft-Windows-Eventlog", "Security", NULL, 0);
  (void)make_row(&security, shape, at(10), 1102, 11);
  (void)make_row(&security, shape, at(12), 7, 12);
  made_rows system = one_log(&w, 1, 2, "System", 1, 20, 1);
  shape = make_shape(w.arena, 3, "Microsoft-Windows-Eventlog", "System", names, 2);
  system.cap_slots += 2;
  system.slots = FL_NEW_ARRAY(w.arena, fl_raw, system.cap_slots);
  system.n_rows = system.n_slots = 0;
  fl_raw *slot = make_row(&system, shape, at(5), 104, 1);
  slot[FL_C_COUNT + 1] = raw_utf16(w.arena, "App");
  const made_rows app = one_log(&w, 2, 4, "App", 1, 20, 1);
  give(&w, &security);
  give(&w, &system);
  give(&w, &app);
  finish(&w);
  assert_true(find(&w, "Security")->cleared == at(10));
  assert_true(find(&w, "Security")->start == at(10));
  assert_int_equal(covers(&w, "Security", 5, 6), FL_FALSE);
  assert_int_equal(covers(&w, "Security", 10, 12), FL_TRUE);
  assert_true(find(&w, "App")->cleared == at(5));
  assert_int_equal(covers(&w, "App", 4, 6), FL_FALSE);
  assert_int_equal(covers(&w, "App", 6, 19), FL_TRUE);
  assert_true(find(&w, "System")->cleared == 0);
  end(&w);
}

static void damage_is_a_hole_where_its_records_were(void **state) {
  (void)state;
  world w = begin();
  made_rows log = one_log(&w, 0, 0, "Log", 1, 100, 1);
  for (uint32_t i = 0; i < 100; i++) log.rows[i].offset = 65536 + 4096 * (uint64_t)i;
  const fl_range ledger[] = {{65536 + 4096 * 50, 4096, FL_L_DAMAGED, {0}},
                             {65536 + 4096 * 100, 100, FL_L_DAMAGED, {0}}};
  log.source.ledger = ledger;
  log.source.n_ledger = 2;
  const made_rows busy = one_log(&w, 1, 1, "Busy", 1, 100, 10);
  give(&w, &log);
  give(&w, &busy);
  finish(&w);
  const fl_coverage *c = find(&w, "Log");
  assert_int_equal(c->n_holes, 2);
  assert_true(c->holes[0].start == at(49) && c->holes[0].end == at(51));
  assert_true(c->holes[1].start == at(99) && c->holes[1].end == at(990));
  assert_int_equal(covers(&w, "Log", -100, 48), FL_TRUE);
  assert_int_equal(covers(&w, "Log", 98, 100), FL_FALSE);
  end(&w);
}

/* Every second id is missing, 20,000 times: nearest holes are joined, none is forgotten. */
static void many_gaps_stay_bounded(void **state) {
  (void)state;
  world w = begin();
  made_shape *shape = make_shape(w.arena, 0, "P", "Log", NULL, 0);
  made_rows log = make_rows(w.arena, 0, "Log", 20000, FL_C_COUNT);
  for (uint64_t i = 0; i < 20000; i++) (void)make_row(&log, shape, at((int64_t)i), 1, 1 + 2 * i);
  give(&w, &log);
  finish(&w);
  const fl_coverage *c = find(&w, "Log");
  assert_true(c->n_holes <= 4096 && c->n_holes > 0);
  assert_int_equal(c->n_missing, 19999);
  for (int64_t i = 0; i < 19999; i += 37) assert_int_equal(covers(&w, "Log", i, i + 1), FL_FALSE);
  end(&w);
}

static void rows_without_ids_cover_first_to_last(void **state) {
  (void)state;
  world w = begin();
  made_rows trace = one_log(&w, 0, 0, "Trace", 0, 10, 1);
  for (uint32_t i = 0; i < 10; i++) {
    trace.slots[i * FL_C_COUNT + FL_C_RECORD_ID] = (fl_raw){0};
    trace.rows[i].header_record_id = 0;
  }
  const made_rows busy = one_log(&w, 1, 1, "Busy", 1, 100, 10);
  give(&w, &trace);
  give(&w, &busy);
  finish(&w);
  assert_int_equal(covers(&w, "Trace", 0, 9), FL_TRUE);
  assert_int_equal(covers(&w, "Trace", 0, 10), FL_FALSE);
  assert_int_equal(covers(&w, "Trace", -1, 9), FL_FALSE);
  end(&w);
}

/* The service says itself when it wrote nothing: 1101 looks back, 1104 forward. */
static void dropped_and_full_are_holes(void **state) {
  (void)state;
  world w = begin();
  made_rows log = one_log(&w, 0, 0, "Security", 1, 20, 10);
  made_shape *shape = make_shape(w.arena, 1, "Microsoft-Windows-Eventlog", "Security", NULL, 0);
  (void)make_row(&log, shape, at(500), 1101, 21);
  (void)make_row(&log, shape, at(600), 1104, 22);
  const made_rows busy = one_log(&w, 1, 2, "Busy", 1, 100, 10);
  give(&w, &log);
  give(&w, &busy);
  finish(&w);
  assert_int_equal(covers(&w, "Security", -5, 189), FL_TRUE);
  assert_int_equal(covers(&w, "Security", 195, 200), FL_FALSE);
  assert_int_equal(covers(&w, "Security", 510, 590), FL_TRUE);
  assert_int_equal(covers(&w, "Security", 610, 620), FL_FALSE);
  end(&w);
}

static void cut_logs_end_with_their_last_record(void **state) {
  (void)state;
  world w = begin();
  made_rows log = one_log(&w, 0, 0, "Log", 1, 20, 1);
  log.source.is_cut = true;
  const made_rows busy = one_log(&w, 1, 1, "Busy", 1, 100, 10);
  give(&w, &log);
  give(&w, &busy);
  finish(&w);
  assert_int_equal(find(&w, "Log")->n_missing, 0);
  assert_int_equal(covers(&w, "Log", -5, 19), FL_TRUE);
  assert_int_equal(covers(&w, "Log", 0, 20), FL_FALSE);
  end(&w);
}

/* Equal ids at other times: two lives of one machine, and nothing is known between them. */
static void restarted_numbers_leave_a_hole(void **state) {
  (void)state;
  world w = begin();
  const made_rows first = one_log(&w, 0, 0, "Log", 1, 20, 1);
  made_rows second = one_log(&w, 1, 1, "Log", 1, 10, 1);
  for (uint32_t i = 0; i < 10; i++) second.rows[i].t += 1000 * FL_SECOND;
  give(&w, &first);
  give(&w, &second);
  finish(&w);
  assert_int_equal(covers(&w, "Log", 0, 18), FL_TRUE);
  assert_int_equal(covers(&w, "Log", 400, 500), FL_FALSE);
  assert_int_equal(covers(&w, "Log", 1001, 1009), FL_TRUE);
  end(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quiet_channels_reach_to_the_newest_of_their_host),
      cmocka_unit_test(missing_ids_are_holes),
      cmocka_unit_test(order_and_copies_do_not_matter),
      cmocka_unit_test(clears_lose_what_was_before),
      cmocka_unit_test(damage_is_a_hole_where_its_records_were),
      cmocka_unit_test(many_gaps_stay_bounded),
      cmocka_unit_test(rows_without_ids_cover_first_to_last),
      cmocka_unit_test(dropped_and_full_are_holes),
      cmocka_unit_test(cut_logs_end_with_their_last_record),
      cmocka_unit_test(restarted_numbers_leave_a_hole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
