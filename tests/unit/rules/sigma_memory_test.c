/* sigma_memory_test.c - correlations over more events than memory holds, and than there is room
 * for. */
#include "yara_help.h"

#include "rules/engine.h"
#include "rules/sigma_gather.h"

#define BASE(name, kind)                                                                          \
  "title: " name "\nname: " name "\nlogsource: {product: windows}\ndetection:\n  s: {Kind: " kind \
  "}\n  condition: s\n---\n"
#define CORRELATION(title, type, rest) \
  "title: " title "\nname: " title "\ncorrelation: {type: " type ", timespan: 10s, " rest "}\n"

static const char rule_text[] = BASE("a", "a") BASE("b", "b") BASE("c", "c")
    CORRELATION("many", "event_count", "rules: [a], group-by: [User], condition: {gte: 40}")
"---\n" CORRELATION("kinds", "value_count",
                    "rules: [a, b], condition: {field: User, gte: 50}")
"---\n" CORRELATION("middle", "value_median",
                    "rules: [b], group-by: [User], condition: {field: Size, gt: 60}")
"---\n" CORRELATION("row", "temporal_ordered", "rules: [c, a, b], group-by: [User]")
"---\n" CORRELATION("lone", "temporal", "rules: [b, c], group-by: [User, Size], condition: c and not b")
"---\n" CORRELATION("chain", "event_count", "rules: [row], group-by: [User], condition: {gte: 3}");

enum { N_EVENTS = 60000, N_SOURCES = 3, TINY = 64 << 10 };

typedef struct found {
  fl_rules *rules;
  fl_hits *hits;
  fl_engine_run run;
  fl_hunt_options options;
} found;

static fl_sigma_gather *gather_of(const found *f) { return ((fl_sigma_run *)f->run.self)->gather; }

static found start(void) {
  found f = {0};
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&f.rules, &err), FL_OK);
  if (fl_rules_add_text(f.rules, FL_STR("a.yml"), fl_str_of(rule_text), &err) != FL_OK ||
      fl_rules_finish(f.rules, &err) != FL_OK) {
    const fl_rule_message *messages = NULL;
    const size_t n = fl_rules_messages(f.rules, &messages);
    fail_msg("%.*s", FL_STR_ARG(n ? messages[0].text : FL_STR("?")));
  }
  return f;
}

static void begin(found *f) {
  static const char *const names[N_SOURCES] = {"c.evtx", "a.evtx", "b.evtx"};
  fl_err err = {0};
  assert_int_equal(fl_hits_create(f->rules, &f->options, &f->hits, &err), FL_OK);
  assert_int_equal(fl_engine_sigma.start(fl_rules_engine_set(f->rules, FL_BY_SIGMA), &f->options,
                                         f->hits, &f->run, &err),
                   FL_OK);
  for (uint32_t i = 0; i < N_SOURCES; i++) {
    const fl_source_info source = {.id = i, .parent = UINT32_MAX, .name = fl_str_of(names[i])};
    assert_int_equal(f->run.sink.begin(f->run.sink.self, &source, &err), FL_OK);
  }
}

static uint32_t next(uint32_t *seed) { return (*seed = *seed * 1664525 + 1013904223) >> 8; }

/* One source after the other, each over the whole time. */
static void give_events(found *f, size_t n_events) {
  uint32_t seed = 7;
  for (size_t i = 0; i < n_events; i++) {
    char user[16], size[16];
    (void)snprintf(user, sizeof user, "user%u", next(&seed) % 60);
    (void)snprintf(size, sizeof size, "%u", next(&seed) % 100);
    const uint32_t source = (uint32_t)(i * N_SOURCES / n_events);
    const size_t at = i - source * n_events / N_SOURCES;
    const uint64_t ms = (uint64_t)at * 4 + next(&seed) % 2000;
    static const char *const kinds[] = {"a", "b", "c", "a"};
    const yara_event_row row = {.source = source,
                                .id = 1,
                                .offset = ms * 1000000,
                                .names = {"Kind", "User", "Size"},
                                .values = {kinds[next(&seed) % 4], user, size}};
    yara_row_give(&f->run.sink, &row);
  }
}

static size_t finish(found *f, const fl_hit **ret_hits) {
  static const fl_str names[N_SOURCES] = {FL_STR("c.evtx"), FL_STR("a.evtx"), FL_STR("b.evtx")};
  fl_err err = {0};
  assert_int_equal(f->run.finish(f->run.self, &err), FL_OK);
  assert_int_equal(fl_hits_finish(f->hits, names, N_SOURCES, &err), FL_OK);
  return fl_hits_all(f->hits, ret_hits);
}

static void done(found *f) {
  f->run.free(f->run.self);
  fl_hits_free(f->hits);
  fl_rules_free(f->rules);
}

static void expect_equal(const fl_hit *a, const fl_hit *b) {
  assert_int_equal(a->rule, b->rule);
  assert_int_equal(a->t, b->t);
  assert_int_equal(a->n_events, b->n_events);
  assert_true(fl_str_eq(a->text, b->text));
  for (size_t i = 0; i < a->n_events; i++) {
    assert_int_equal(a->events[i].source, b->events[i].source);
    assert_int_equal(a->events[i].seq, b->events[i].seq);
  }
}

static void test_memory_makes_no_difference(void **state) {
  (void)state;
  const fl_hit *hits = NULL, *small_hits = NULL;
  const fl_hit_count *counts = NULL;
  found in_memory = start(), on_disk = start();
  begin(&in_memory);
  give_events(&in_memory, N_EVENTS);
  assert_false(gather_of(&in_memory)->seen.is_mapped);
  begin(&on_disk);
  gather_of(&on_disk)->most_memory = TINY;
  give_events(&on_disk, N_EVENTS);
  assert_true(gather_of(&on_disk)->seen.is_mapped && gather_of(&on_disk)->given.is_mapped);
  const size_t n = finish(&in_memory, &hits);
  assert_int_equal(finish(&on_disk, &small_hits), n);
  for (size_t i = 0; i < n; i++) expect_equal(&hits[i], &small_hits[i]);
  assert_int_equal(fl_hits_counts(in_memory.hits, &counts), 5); /* all but `row`, which is silent */
  done(&in_memory);
  done(&on_disk);
}

static void test_what_is_left_out_is_told(void **state) {
  (void)state;
  const fl_hit *hits = NULL;
  const fl_str *notes = NULL;
  bool is_told = false;
  found f = start();
  begin(&f);
  gather_of(&f)->most_seen = 1000;
  give_events(&f, 1500);
  (void)finish(&f, &hits);
  const size_t n = fl_hits_notes(f.hits, &notes);
  for (size_t i = 0; i < n; i++)
    is_told |= memmem(notes[i].p, notes[i].n, "500 events or findings were left out", 36) &&
               memmem(notes[i].p, notes[i].n, "room for 1000 events", 20);
  assert_true(is_told);
  done(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_makes_no_difference),
      cmocka_unit_test(test_what_is_left_out_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
