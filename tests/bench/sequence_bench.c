/* sequence_bench.c - ten million hits through the sequences: how fast, in how much memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "rules/sequence.h"

/* Hits come a millisecond apart; 2,000 keys are in use at a time, and never come back later. */
enum { STEP_MS = 1, KEYS = 2000, BLOCK = 20000 };

/* Sanitizers take memory of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_CHECKED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_CHECKED = 1 };
#else
enum { IS_CHECKED = 0 };
#endif
#else
enum { IS_CHECKED = 0 };
#endif
enum { MOST_KIB = 64 << 10 };

typedef struct bench {
  const char *name, *rules, *expects;
  uint64_t n_evicted_most;
} bench;

static const bench benches[] = {
    {"chain",
     "rule chain { meta: title = \"t\" events: $a : provider \"P\" 1 { k => %k } "
     "$b : provider \"P\" 2 { k => %k } $c : provider \"P\" 3 { k => %k } "
     "sequence by %k within 10s: $a $b within 5s $c within 5s explain: \"{%k} {$c.delta($a)}\" }",
     "nothing is given up while the open runs fit", 0},
    {"burst",
     "rule burst { meta: title = \"t\" events: $a : provider \"P\" 1 { k => %k } "
     "sequence by %k within 10s: $a{9,} explain: \"{%k} {count($a)}\" }",
     "nothing is given up while the open runs fit", 0},
    {"absence",
     "rule absence { meta: title = \"t\" events: $a : provider \"P\" 1 { k => %k } "
     "$b : provider \"P\" 2 { k => %k } sequence by %k within 20s: $a absent $b within 20s "
     "score: +60 if absent $b and $a.k == \"k1\" +1 if $b report at 50 }",
     "nothing is given up while the open runs fit", 0},
    {"overflow",
     "rule overflow { meta: title = \"t\" events: $a : provider \"P\" 1 { k => %k } "
     "$b : provider \"P\" 2 { k => %k } $c : provider \"P\" 3 { k => %k } "
     "sequence by %k within 1d: $a $b within 1d $c within 1d explain: \"{%k}\" }",
     "millions of runs are open at once: the oldest are given up, and counted", UINT64_MAX},
};

/* One event that is made anew for each hit, and again when it is asked for. */
typedef struct maker {
  fl_event event;
  fl_field field;
  char key[24];
} maker;

static void make(maker *m, uint64_t i) {
  const uint64_t random = fl_hash_mix(UINT64_C(0x9d39247e33776d41), i) >> 7;
  const uint64_t key = i / BLOCK * KEYS + random % KEYS;
  const uint64_t kind = random / KEYS % 10000;
  m->field.value.as.text = (fl_str){m->key, 1 + fl_text_u64(key, m->key + 1)};
  m->event.event_id = kind == 0 ? 3 : 1 + (int64_t)(kind % 2);
  m->event.t = (fl_time)(i * STEP_MS) * 1000000;
  m->event.record_id = (int64_t)i + 1;
}

static void maker_init(maker *m) {
  *m = (maker){.key = "k"};
  m->field = (fl_field){.name = FL_STR("k"), .value = {.kind = FL_V_STR}};
  m->event = (fl_event){.host = FL_STR("M"),
                        .provider = FL_STR("P"),
                        .channel = FL_STR("Log"),
                        .header_record_id = -1,
                        .data = &m->field,
                        .n_data = 1};
}

static const fl_event *fetch(void *self, uint64_t ref, fl_arena *arena) {
  (void)self;
  maker *m = FL_NEW(arena, maker);
  if (!m) exit(1);
  maker_init(m);
  make(m, ref);
  return &m->event;
}

static double cpu_seconds(void) {
  struct rusage usage;
  (void)getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long peak_kib(void) {
  struct rusage usage;
  (void)getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

static int fail(const fl_err *err) {
  (void)fprintf(stderr, "sequence_bench: %s\n", err->text);
  return 1;
}

/* What it costs to make the events alone. */
static double time_making(uint64_t n) {
  maker m;
  uint64_t sum = 0;
  maker_init(&m);
  const double start = cpu_seconds();
  for (uint64_t i = 0; i < n; i++) {
    make(&m, i);
    sum += m.field.value.as.text.n;
  }
  return sum ? cpu_seconds() - start : 0;
}

static int run(const bench *b, uint64_t n) {
  fl_rules *rules = NULL;
  fl_run *sequences = NULL;
  const fl_finding *findings = NULL;
  fl_err err = {0};
  maker m;
  const fl_machine machine = {.name = FL_STR("M")};
  maker_init(&m);
  if (fl_rules_create(&rules, &err) < 0 ||
      fl_rules_add_text(rules, FL_STR("bench"), fl_str_of(b->rules), &err) < 0 ||
      fl_rules_finish(rules, &err) < 0)
    return fail(&err);
  const fl_sequence_input in = {.rules = rules,
                                .machines = &machine,
                                .n_machines = 1,
                                .part = FL_RULES_NORMAL,
                                .fetch = fetch};
  const double making = time_making(n), start = cpu_seconds();
  if (fl_run_create(&in, &sequences, &err) < 0) return fail(&err);
  for (uint64_t i = 0; i < n; i++) {
    make(&m, i);
    if (fl_run_push(sequences, &m.event, m.event.t, i, &err) < 0) return fail(&err);
  }
  size_t n_findings = 0;
  uint64_t n_evicted = 0, digest = 0;
  if (fl_run_finish(sequences, &findings, &n_findings, &n_evicted, &err) < 0) return fail(&err);
  const double seconds = cpu_seconds() - start - making;
  for (size_t i = 0; i < n_findings; i++)
    digest = fl_hash_bytes(findings[i].text.p, findings[i].text.n, digest);
  (void)printf("%-9s %" PRIu64 " hits, %" PRIu64
               " keys: %.2f s, %.2f million hits/s, %ld MiB, "
               "%zu findings (%016" PRIx64 "), %" PRIu64 " given up\n",
               b->name, n, n / BLOCK * KEYS, seconds, (double)n / seconds / 1e6, peak_kib() / 1024,
               n_findings, digest, n_evicted);
  fl_run_free(sequences);
  fl_rules_free(rules);
  if (!IS_CHECKED && peak_kib() > MOST_KIB) {
    (void)fprintf(stderr, "sequence_bench: %s: more than %d MiB\n", b->name, MOST_KIB / 1024);
    return 1;
  }
  if (n_evicted <= b->n_evicted_most) return 0;
  (void)fprintf(stderr, "sequence_bench: %s: %s\n", b->name, b->expects);
  return 1;
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  const uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_C(10000000);
  for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
    if (strcmp(benches[i].name, name) == 0) return run(&benches[i], n);
  (void)fprintf(stderr, "usage: sequence_bench chain|burst|absence|overflow [HITS]\n");
  return 2;
}
