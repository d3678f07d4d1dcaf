/* sequence_stream_test.c - a run that forgets as it goes finds what one over all events finds. */
#include "flr_help.h"

#include "base/hash.h"
#include "base/limits.h"

#define A "$a : provider \"P\" 1 { k -> %k } "
#define B "$b : provider \"P\" 2 { k -> %k; event.host -> %h as host } "
#define C "$c : provider \"P\" 3 { k -> %k } "
#define D "$d : server provider \"P\" 4 { k => %k; event.host -> %h as host } "
#define SCORE                                                                      \
  "score: +10 if $a +20 if $b +5 if not $c +7 if unknown($d) +3 if count($b) > 1 " \
  "+2 if $b.delta($a) < 2s +1 if $b.last.event.record_id > 10 report at 0 "        \
  "explain: \"{%k} {$a.record_id} {$b.last.record_id} {count($c)} {$d.delta($a)} {%h}\" }"

static const char *const steps[] = {
    "within 20s skew 2s: $a $b? within 5s $c* within 5s absent $d within 3s after $b ",
    "within 20s: $a+ $b? before 9s $c? during 4s absent $d during 6s ",
    "within 20s skew 1s: $b? $c{2,4} before 15s $a $d? ",
    "within 12s: ($a | $c) $b{0,3} within 9s absent $d between $a and $b ",
    "within 30s: $a unordered within 4s { $b $c? } absent $d within 2s before $b ",
    "within 15s: unordered within 6s { $a $b? $c? } $d? within 20s ",
    "within 25s: $a{3,5} $b? within 5s $c? until $d ",
};

/* Few hosts, keys and times, so that joins, ties and windows meet often. */
static void fill(world *w, uint64_t seed, size_t n) {
  static const char *const hosts[] = {"M", "N", "O"};
  uint64_t random = seed;
  double at = 0;
  for (size_t i = 0; i < n; i++) {
    random = fl_hash_mix(random, i);
    const uint64_t dice = random >> 8;
    at += (double)(dice % 7) * 0.25;
    char *fields = fl_arena_alloc(w->arena, 8);
    if (dice / 7 % 5) (void)snprintf(fields, 8, "k=%c", 'a' + (char)(dice / 35 % 3));
    const fl_event *event =
        add_event(w, at, hosts[dice / 105 % 3], "P", 1 + (int64_t)(dice / 315 % 4), fields);
    (void)event;
  }
}

static world *make_world(const char *rule, uint64_t seed, size_t n) {
  world *w = world_create(rule);
  add_machine(w, "M", FL_ROLE_SERVER);
  add_machine(w, "N", FL_ROLE_SERVER | FL_ROLE_CLIENT);
  add_machine(w, "O", 0);
  add_log(w, "M", "Log", -1000, 1e6);
  add_log(w, "N", "Log", 50, 200);
  add_log(w, "O", "Log", -1000, 1e6);
  add_sighting(w, "M", "P", "Log", 4);
  add_sighting(w, "N", "P", "Log", 4);
  add_sighting(w, "O", "P", "Log", 4);
  fill(w, seed, n);
  return w;
}

/* Copies, so that a pointer into what is gone would show. */
static const fl_event *fetch(void *self, uint64_t ref, fl_arena *arena) {
  const world *w = self;
  fl_event *event = FL_NEW(arena, fl_event);
  if (event) *event = *w->events[ref];
  return event;
}

static uint64_t digest_of(const fl_finding *findings, size_t n) {
  uint64_t h = n;
  for (size_t i = 0; i < n; i++) {
    const fl_finding *f = &findings[i];
    h = fl_hash_bytes(f->text.p, f->text.n, h);
    h = fl_hash_mix(h, (uint64_t)f->score);
    h = fl_hash_mix(h, (uint64_t)f->anchor->record_id);
    for (size_t k = 0; k < f->n_events; k++) h = fl_hash_mix(h, (uint64_t)f->events[k]->record_id);
    for (size_t k = 0; k < f->n_evidence; k++) {
      const fl_evidence *e = &f->evidence[k];
      h = fl_hash_bytes(e->text.p, e->text.n, h + (uint64_t)e->truth);
      h = fl_hash_mix(h, e->n_events);
    }
  }
  return h;
}

static uint64_t stream(world *w, size_t page, size_t *ret_n, uint64_t *ret_evicted) {
  fl_err err = {0};
  fl_run *run = NULL;
  const fl_finding *findings = NULL;
  const fl_sequence_input in = {.rules = w->rules,
                                .coverage = w->coverage,
                                .n_coverage = w->n_coverage,
                                .machines = w->machines,
                                .n_machines = w->n_machines,
                                .sightings = w->sightings,
                                .n_sightings = w->n_sightings,
                                .part = FL_RULES_NORMAL,
                                .page = page,
                                .fetch = fetch,
                                .fetcher = w};
  fl_status s = fl_run_create(&in, &run, &err);
  for (size_t i = 0; i < w->n && s == FL_OK; i++)
    s = fl_run_push(run, w->events[i], w->times[i], i, &err);
  if (s == FL_OK) s = fl_run_finish(run, &findings, ret_n, ret_evicted, &err);
  if (s != FL_OK) fail_msg("%s", err.text);
  const uint64_t digest = digest_of(findings, *ret_n);
  fl_run_free(run);
  return digest;
}

static void pages_do_not_matter(void **state) {
  (void)state;
  static const size_t pages[] = {1, 7, 50, 1000};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    for (uint64_t seed = 1; seed <= 6; seed++) {
      char rule[2048];
      (void)snprintf(rule, sizeof rule,
                     "rule r { meta: title = \"t\" events: %s sequence by %%k %s %s", A B C D,
                     steps[i], SCORE);
      world *w = make_world(rule, seed, 400);
      (void)world_run(w);
      if (w->n_findings < 4) fail_msg("%s: %zu findings", steps[i], w->n_findings);
      const uint64_t expected = digest_of(w->findings, w->n_findings);
      for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        size_t n = 0;
        uint64_t n_evicted = 0;
        const uint64_t found = stream(w, pages[p], &n, &n_evicted);
        if (found != expected || n_evicted != w->n_evicted)
          fail_msg("%s: seed %d, page %zu: %zu findings, expected %zu", steps[i], (int)seed,
                   pages[p], n, w->n_findings);
      }
      world_free(w);
    }
}

/* Never more runs open than allowed; the ones given up are counted, and what they did not see is
 * unknown, not absent. */
static void runs_beyond_the_limit_are_counted(void **state) {
  (void)state;
  enum { N = 2 * FL_LIMIT_SEQUENCE_OPEN_RULE };
  fl_err err = {0};
  fl_run *run = NULL;
  const fl_finding *findings = NULL;
  size_t n_findings = 0;
  uint64_t n_evicted = 0;
  fl_rules *rules = rules_of(
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 $b : provider \"P\" 2 "
      "sequence within 1d: $a absent $b within 1d "
      "score: +60 if unknown($b) +30 if absent $b +1 if $b report at 60 }");
  const fl_coverage coverage = {
      .host = FL_STR("M"), .channel = FL_STR("Log"), .start = INT64_MIN, .end = INT64_MAX};
  const fl_sighting sighting = {FL_STR("M"), FL_STR("P"), FL_STR("Log"), 2, 0, UINT32_MAX};
  const fl_machine machine = {.name = FL_STR("M")};
  fl_event event = {.host = FL_STR("M"),
                    .provider = FL_STR("P"),
                    .channel = FL_STR("Log"),
                    .event_id = 1,
                    .record_id = -1};
  const fl_sequence_input in = {.rules = rules,
                                .coverage = &coverage,
                                .n_coverage = 1,
                                .sightings = &sighting,
                                .n_sightings = 1,
                                .machines = &machine,
                                .n_machines = 1,
                                .part = FL_RULES_NORMAL};
  fl_status s = fl_run_create(&in, &run, &err);
  for (size_t i = 0; i < N && s == FL_OK; i++)
    s = fl_run_push(run, &event, T0 + (fl_time)i, (uint64_t)(uintptr_t)&event, &err);
  if (s == FL_OK) s = fl_run_finish(run, &findings, &n_findings, &n_evicted, &err);
  if (s != FL_OK) fail_msg("%s", err.text);
  /* Those that were given up are findings for what is unknown; the others are proven absent. */
  assert_true(n_findings > 0);
  assert_true(n_evicted >= N / 8);
  for (size_t i = 0; i < n_findings; i++) assert_int_equal(findings[i].score, 60);
  fl_run_free(run);
  fl_rules_free(rules);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pages_do_not_matter),
                                     cmocka_unit_test(runs_beyond_the_limit_are_counted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
