/* gap_test.c - what is missing, doubled or out of order in logs, and the events that say so. */
#include "make.h"

typedef struct world {
  fl_arena *arena;
  fl_coverage_map *map;
  const fl_gap *gaps;
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
  assert_int_equal(fl_coverage_gaps(w->map, &w->gaps, &w->n, NULL), FL_OK);
}
static fl_time at(int64_t seconds) { return T0 + seconds * FL_SECOND; }

static made_rows log_of(world *w, uint32_t source, uint64_t serial, const char *channel,
                        uint64_t first_id, uint32_t n) {
  made_shape *shape = make_shape(w->arena, serial, "P", channel, NULL, 0);
  made_rows made = make_rows(w->arena, source, channel, n + 8, FL_C_COUNT + 2);
  for (uint32_t i = 0; i < n; i++) (void)make_row(&made, shape, at(i), 1, first_id + i);
  return made;
}
/* Leaves rows [from, to) out. */
static void cut_rows(made_rows *made, uint32_t from, uint32_t to) {
  memmove(&made->rows[from], &made->rows[to], (made->n_rows - to) * sizeof *made->rows);
  made->n_rows -= to - from;
}
static void set_id(made_rows *made, uint32_t row, uint64_t id) {
  made->rows[row].header_record_id = id;
  made->slots[made->rows[row].slot0 + FL_C_RECORD_ID] = raw_number(made->arena, FL_T_U64, id, 8);
}
static void set_host(made_rows *made, uint32_t from, uint32_t to, const char *host) {
  for (uint32_t i = from; i < to; i++)
    made->slots[made->rows[i].slot0 + FL_C_HOST] = raw_utf16(made->arena, host);
}
/* As exporting does: headers count from 1. */
static void renumber(made_rows *made) {
  for (uint32_t i = 0; i < made->n_rows; i++) made->rows[i].header_record_id = i + 1;
}

static void whole_logs_have_none(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  made_rows again = log_of(&w, 1, 1, "Log", 1, 100); /* collected twice */
  give(&w, &log);
  give(&w, &again);
  finish(&w);
  assert_int_equal(w.n, 0);
  end(&w);
}

static void missing_ids_are_told_one_by_one(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  cut_rows(&log, 70, 71);
  cut_rows(&log, 10, 15);
  log.rows[80].flags = FL_F_SLACK; /* fills nothing: number 87 is missing */
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 3);
  const fl_gap *gap = &w.gaps[0];
  assert_int_equal(gap->kind, FL_GAP_MISSING);
  assert_true(gap->first == 11 && gap->last == 15 && gap->n == 5 && gap->n_places == 1);
  assert_true(gap->before == at(9) && gap->after == at(15));
  assert_true(gap->offset == log.rows[9].offset + log.rows[9].length);
  assert_string_equal(gap->reason, "lost");
  assert_true(fl_str_eq(gap->host, FL_STR("PC1.example.net")));
  assert_true(w.gaps[1].first == 71 && w.gaps[1].n == 1 && w.gaps[2].first == 87);
  end(&w);
}

/* The newest chunk of a circular log may stand in front of older ones. */
static void chunks_in_any_order(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  for (uint32_t i = 0; i < 100; i++) log.rows[i].offset = 4096 + 512 * (uint64_t)((i + 40) % 100);
  made_rows newest = log;
  newest.rows += 60;
  newest.n_rows = 40;
  log.n_rows = 60;
  give(&w, &newest);
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 0);
  end(&w);
}

static void many_gaps_become_one(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 200);
  for (uint32_t i = 0; i < 100; i++) cut_rows(&log, i + 1, i + 2);
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 1);
  assert_true(w.gaps[0].n_places == 99 && w.gaps[0].n == 99);
  assert_true(w.gaps[0].first == 2 && w.gaps[0].last == 198);
  end(&w);
}

static void filtered_exports_lost_nothing(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 500, 100);
  cut_rows(&log, 70, 71);
  cut_rows(&log, 10, 15);
  renumber(&log);
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 1); /* and nobody says that it rolled over */
  assert_int_equal(w.gaps[0].kind, FL_GAP_FILTERED);
  assert_true(w.gaps[0].n == 6 && w.gaps[0].n_places == 2);
  end(&w);
}

/* Where the headers' numbers are missing, too, records of the export are lost. */
static void damaged_exports_lost_records(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 500, 100);
  cut_rows(&log, 10, 15);
  renumber(&log);
  cut_rows(&log, 40, 43);
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 2);
  assert_int_equal(w.gaps[0].kind, FL_GAP_FILTERED);
  assert_int_equal(w.gaps[1].kind, FL_GAP_MISSING);
  assert_int_equal(w.gaps[1].n, 3);
  end(&w);
}

static void renamed_machines_go_on_counting(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  set_host(&log, 0, 30, "WIN-SETUP");
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 0); /* PC1 begins with 31 */
  end(&w);
}

/* In an export each machine has numbers of its own. */
static void collectors_hold_many_numberings(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 100, 40);
  set_host(&log, 20, 40, "PC2");
  for (uint32_t i = 20; i < 40; i++) set_id(&log, i, 7000 + i);
  renumber(&log);
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 2);
  for (size_t i = 0; i < 2; i++) assert_int_equal(w.gaps[i].kind, FL_GAP_OVERWRITTEN);
  end(&w);
}

static void repeated_ids(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  for (uint32_t i = 50; i < 100; i++) set_id(&log, i, i - 3);
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 1);
  assert_int_equal(w.gaps[0].kind, FL_GAP_REPEATED);
  assert_true(w.gaps[0].first == 47 && w.gaps[0].last == 50 && w.gaps[0].n == 4);
  assert_true(w.gaps[0].offset == log.rows[50].offset && w.gaps[0].before == at(50));
  end(&w);
}

/* Two files with the same numbers and other times: the machine was put back. */
static void other_records_with_the_same_ids(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  made_rows other = log_of(&w, 1, 1, "Log", 1, 50);
  for (uint32_t i = 0; i < 50; i++) other.rows[i].t += 1000000 * FL_SECOND;
  give(&w, &log);
  give(&w, &other);
  finish(&w);
  assert_int_equal(w.n, 1);
  assert_int_equal(w.gaps[0].kind, FL_GAP_REPEATED);
  assert_int_equal(w.gaps[0].n, 50);
  end(&w);
}

static void between_two_files(void **state) {
  (void)state;
  world w = begin();
  made_rows first = log_of(&w, 0, 0, "Log", 1, 50);
  made_rows second = log_of(&w, 1, 1, "Log", 61, 50);
  give(&w, &second);
  give(&w, &first);
  finish(&w);
  assert_int_equal(w.n, 1);
  assert_true(w.gaps[0].first == 51 && w.gaps[0].last == 60);
  assert_string_equal(w.gaps[0].reason, "between two files");
  end(&w);
}

static void clears_explain_what_is_gone(void **state) {
  (void)state;
  static const char *const names[] = {"SubjectUserName", "Channel"};
  world w = begin();
  made_rows app = log_of(&w, 0, 0, "App", 50, 20);
  made_rows late = log_of(&w, 1, 1, "Late", 50, 20); /* cleared after its first record */
  made_rows system = make_rows(w.arena, 2, "System", 4, FL_C_COUNT + 2);
  const made_shape *shape =
      make_shape(w.arena, 2, "Microsoft-Windows-Eventlog", "System", names, 2);
  const char *cleared[] = {"App", "Late"};
  for (uint32_t i = 0; i < 2; i++) {
    fl_raw *slot = make_row(&system, shape, at(i ? 90 : -1), 104, i + 1);
    slot[FL_C_COUNT] = raw_utf16(w.arena, "eve");
    slot[FL_C_COUNT + 1] = raw_utf16(w.arena, cleared[i]);
  }
  give(&w, &app);
  give(&w, &late);
  give(&w, &system);
  finish(&w);
  assert_int_equal(w.n, 3);
  const fl_gap *gap = &w.gaps[0];
  assert_int_equal(gap->kind, FL_GAP_CLEARED);
  assert_true(fl_str_eq(gap->channel, FL_STR("App")) && fl_str_eq(gap->detail, FL_STR("eve")));
  assert_true(gap->source == 2 && gap->witness == 1 && gap->before == at(-1));
  assert_int_equal(w.gaps[1].kind, FL_GAP_OVERWRITTEN);
  assert_true(fl_str_eq(w.gaps[1].channel, FL_STR("Late")) && w.gaps[1].last == 49);
  assert_int_equal(w.gaps[2].kind, FL_GAP_CLEARED);
  end(&w);
}

static void times_that_go_back(void **state) {
  (void)state;
  static const char *const names[] = {"OldTime", "NewTime"};
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  for (uint32_t i = 20; i < 100; i++) log.rows[i].t -= 30 * FL_SECOND; /* too little to tell */
  for (uint32_t i = 40; i < 100; i++) log.rows[i].t -= 600 * FL_SECOND;
  for (uint32_t i = 60; i < 100; i++) log.rows[i].t -= 7200 * FL_SECOND;
  made_rows system = make_rows(w.arena, 1, "System", 4, FL_C_COUNT + 2);
  const made_shape *shape =
      make_shape(w.arena, 1, "Microsoft-Windows-Kernel-General", "System", names, 2);
  fl_raw *slot = make_row(&system, shape, log.rows[60].t, 1, 1);
  slot[FL_C_COUNT] = raw_filetime(w.arena, log.rows[59].t + FL_SECOND);
  slot[FL_C_COUNT + 1] = raw_filetime(w.arena, log.rows[60].t);
  give(&w, &log);
  give(&w, &system);
  finish(&w);
  assert_int_equal(w.n, 2);
  assert_int_equal(w.gaps[0].kind, FL_GAP_TIME_BACK);
  assert_true(w.gaps[0].first == 61 && w.gaps[0].witness == 1);
  assert_true(w.gaps[0].before == log.rows[59].t && w.gaps[0].after == log.rows[60].t);
  assert_true(w.gaps[1].first == 41 && w.gaps[1].witness == 0);
  end(&w);
}

static void damage_and_cuts(void **state) {
  (void)state;
  world w = begin();
  made_rows log = log_of(&w, 0, 0, "Log", 1, 100);
  for (uint32_t i = 0; i < 100; i++) log.rows[i].offset = 4096 * (uint64_t)(i + 1);
  cut_rows(&log, 50, 51);
  const fl_range ledger[] = {{4096 * 51, 4096, FL_L_DAMAGED, FL_STR("torn")}};
  log.source.ledger = ledger;
  log.source.n_ledger = 1;
  log.source.is_cut = true;
  log.source.size_bytes = 4096 * 101;
  give(&w, &log);
  finish(&w);
  assert_int_equal(w.n, 3);
  const fl_gap *gap = w.gaps[0].kind == FL_GAP_MISSING ? &w.gaps[0] : &w.gaps[1];
  assert_string_equal(gap->reason, "damage");
  gap = w.gaps[0].kind == FL_GAP_MISSING ? &w.gaps[1] : &w.gaps[0];
  assert_int_equal(gap->kind, FL_GAP_DAMAGED);
  assert_true(gap->offset == 4096 * 51 && gap->length == 4096 && gap->before == at(49));
  assert_true(w.gaps[2].kind == FL_GAP_DAMAGED && w.gaps[2].length == 0);
  assert_true(w.gaps[2].before == at(99) && w.gaps[2].offset == 4096 * 101);
  end(&w);
}

/* --- events and files --- */

static void events_say_it_in_words(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  const fl_gap gap = {.kind = FL_GAP_MISSING,
                      .host = FL_STR("PC1"),
                      .channel = FL_STR("System"),
                      .source = 3,
                      .offset = 700,
                      .before = at(5),
                      .after = INT64_MAX,
                      .first = 11,
                      .last = 15,
                      .n = 5,
                      .n_places = 1,
                      .reason = "lost"};
  fl_event event;
  assert_int_equal(fl_gap_event(&gap, arena, &event, NULL), FL_OK);
  assert_true(fl_str_eq(event.kind, FL_STR("log.gap")));
  assert_true(
      fl_str_eq(event.message, FL_STR("records are missing here: 5, numbers 11 to 15 (lost)")));
  assert_true(event.flags == (FL_F_GAP | FL_F_SYNTHETIC) && event.t == at(5));
  assert_int_equal(event.n_data, 4); /* no `after` */
  fl_gap other = gap;
  other.before = INT64_MIN;
  assert_int_equal(fl_gap_event(&other, arena, &event, NULL), FL_OK);
  assert_true(event.flags & FL_F_TIME_INVALID);
  for (unsigned kind = 0; kind < FL_N_GAP_KINDS; kind++)
    for (unsigned n = 1; n < 3; n++) {
      other = gap;
      other.kind = (fl_gap_kind)kind;
      other.n_places = n;
      assert_int_equal(fl_gap_event(&other, arena, &event, NULL), FL_OK);
      const bool is_single = kind == FL_GAP_CLEARED || kind == FL_GAP_TIME_BACK ||
                             kind == FL_GAP_OVERWRITTEN || kind == FL_GAP_DAMAGED;
      assert_true(event.kind.n > 0 || (is_single && n > 1));
    }
  fl_arena_free(arena);
}

static fl_str write_with_gaps(const made_rows *logs, size_t n, bool is_backwards) {
  fl_out *out = NULL;
  fl_timeline_writer *writer = NULL;
  fl_err err = {0};
  assert_int_equal(fl_out_memory(&out, &err), FL_OK);
  assert_int_equal(fl_timeline_writer_create(out, NULL, &writer, &err), FL_OK);
  const fl_sink sink = fl_timeline_writer_sink(writer);
  for (size_t i = 0; i < n; i++) {
    const made_rows *log = &logs[is_backwards ? n - 1 - i : i];
    const fl_batch batch = batch_of(log);
    assert_int_equal(sink.begin(sink.self, &log->source, &err), FL_OK);
    assert_int_equal(sink.batch(sink.self, &batch, &err), FL_OK);
    assert_int_equal(sink.end(sink.self, &log->source, &err), FL_OK);
  }
  assert_int_equal(fl_timeline_writer_gaps(writer, &sink, &err), FL_OK);
  assert_int_equal(fl_timeline_writer_finish(writer, NULL, &err), FL_OK);
  fl_timeline_writer_free(writer);
  const fl_str text = fl_out_text(out);
  char *copy = malloc(text.n);
  assert_non_null(copy);
  memcpy(copy, text.p, text.n);
  fl_out_discard(out);
  return (fl_str){copy, text.n};
}

static void timelines_hold_them(void **state) {
  (void)state;
  world w = begin();
  made_rows logs[] = {log_of(&w, 0, 0, "A", 1, 100), log_of(&w, 1, 1, "B", 500, 100)};
  cut_rows(&logs[0], 10, 15);
  const fl_str one = write_with_gaps(logs, 2, false), two = write_with_gaps(logs, 2, true);
  assert_true(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
  heard h;
  fl_ingest_totals totals;
  assert_int_equal(read_timeline(one, 0, 0, &h, &totals), FL_OK);
  assert_int_equal(h.n_rows, 95 + 100 + 2);
  const char *line = strstr(h.text, "provider=\"faultline\" event_id=n1 ");
  assert_non_null(line);
  assert_non_null(strstr(line, "numbers 11 to 15 (lost)"));
  assert_non_null(strstr(line, ".first_missing=n11 .last_missing=n15 .n_missing=n5"));
  assert_non_null(strstr(h.text, "flags=c0 "));
  free(h.text);
  free((void *)(uintptr_t)one.p);
  free((void *)(uintptr_t)two.p);
  end(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_logs_have_none),
      cmocka_unit_test(missing_ids_are_told_one_by_one),
      cmocka_unit_test(chunks_in_any_order),
      cmocka_unit_test(many_gaps_become_one),
      cmocka_unit_test(filtered_exports_lost_nothing),
      cmocka_unit_test(damaged_exports_lost_records),
      cmocka_unit_test(renamed_machines_go_on_counting),
      cmocka_unit_test(collectors_hold_many_numberings),
      cmocka_unit_test(repeated_ids),
      cmocka_unit_test(other_records_with_the_same_ids),
      cmocka_unit_test(between_two_files),
      cmocka_unit_test(clears_explain_what_is_gone),
      cmocka_unit_test(times_that_go_back),
      cmocka_unit_test(damage_and_cuts),
      cmocka_unit_test(events_say_it_in_words),
      cmocka_unit_test(timelines_hold_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
