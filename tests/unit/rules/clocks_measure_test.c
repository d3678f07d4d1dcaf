/* clocks_measure_test.c - many made pairs of machines: how often the estimated offset is right.
 *
 * Goal: with two connections or more that both recorded, the error is below a second in 95 of 100
 * cases, for clocks up to five minutes apart either way. */
#include "solve_events.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum { CASES = 400, MOST = 5 * 60000, LONGEST = 8 };

typedef struct record {
  int64_t ms;
  const char *host, *provider;
  int64_t id;
  const char *activity, *fields;
  size_t at;
} record;

typedef struct maker {
  bench b;
  record records[MAX_EVENTS];
  size_t n;
  uint64_t random;
} maker;

static int64_t between(maker *m, int64_t least, int64_t most) {
  m->random = fl_hash_mix(m->random, 0x9e37);
  return least + (int64_t)((m->random >> 11) % (uint64_t)(most - least + 1));
}

static char *text(maker *m, const char *format, int64_t number) {
  char *out = FL_NEW_ARRAY(m->b.arena, char, 48);
  assert_non_null(out);
  (void)snprintf(out, 48, format, (int)number);
  return out;
}

static void put(maker *m, int64_t ms, const char *host, const char *provider, int64_t id,
                const char *activity, const char *fields) {
  assert_true(m->n < MAX_EVENTS);
  m->records[m->n] = (record){ms, host, provider, id, activity, fields, m->n};
  m->n++;
}

static void put_host(maker *m, int64_t ms, const char *activity, const char *fields) {
  put(m, ms, "SRV1", CORE, 131, activity, fields);
  put(m, ms + 4, "SRV1", CORE, 65, activity, "ConnectionName=RDP-Tcp#1");
  put(m, ms + 200, "SRV1", CORE, 143, activity, "error=64");
  put(m, ms + 202, "SRV1", CORE, 103, activity, "ReasonCode=14");
}

static void put_client(maker *m, int64_t ms, const char *activity) {
  put(m, ms, "PC1", CLIENT, 1024, activity, "Value=SRV1");
  put(m, ms + 320, "PC1", CLIENT, 1026, activity, "Value=2308");
}

static int by_time(const void *a, const void *b) {
  const record *x = a, *y = b;
  if (x->ms != y->ms) return x->ms < y->ms ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

/* Connections of the client with up to 300 ms of network, others of strangers, and dials that never
 * reached the host; every other case without a shared id. */
static size_t make(maker *m, int64_t offset_ms, bool has_ids) {
  const int64_t n = between(m, 2, LONGEST), n_others = between(m, 0, 6), n_lost = between(m, 0, 2);
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    at += between(m, 8000, 600000);
    const char *host_id = text(m, "F4%02d", i);
    put_host(m, at + between(m, 1, 300), host_id, text(m, "ClientIP=10.0.0.5:50%02d", i));
    put_client(m, at + offset_ms, has_ids ? host_id : text(m, "A1%02d", i));
  }
  for (int64_t i = 0; i < n_others; i++)
    put_host(m, between(m, 0, at), text(m, "E4%02d", i),
             text(m, "ClientIP=10.0.0.%d:6001", 20 + i));
  for (int64_t i = 0; i < n_lost; i++)
    put_client(m, between(m, 0, at) + offset_ms, text(m, "B1%02d", i));
  qsort(m->records, m->n, sizeof *m->records, by_time);
  for (size_t i = 0; i < m->n; i++) {
    const record *r = &m->records[i];
    (void)add(&m->b, r->ms, r->host, r->provider, r->id, r->activity, r->fields);
  }
  return (size_t)n;
}

typedef struct tally {
  size_t n_right, n_measured, n_joined, n_pairs;
} tally;

static void measure(uint64_t seed, int64_t offset_ms, bool has_ids, tally *t) {
  maker *m = calloc(1, sizeof *m);
  assert_non_null(m);
  bench_open(&m->b);
  m->random = seed;
  t->n_pairs += make(m, offset_ms, has_ids);
  m->b.s.c = &m->b.c;
  m->b.s.options = &m->b.options;
  solve(&m->b);
  const fl_machine *pc = fl_case_machine(&m->b.c, FL_STR("PC1"));
  const fl_machine *server = fl_case_machine(&m->b.c, FL_STR("SRV1"));
  assert_true(pc && server);
  const int64_t found = pc->offset_ns - server->offset_ns, wanted = -offset_ms * MS;
  const int64_t error = found > wanted ? found - wanted : wanted - found;
  t->n_measured += pc->n_anchors >= 2;
  t->n_right += pc->n_anchors >= 2 && error < FL_SECOND;
  for (size_t i = 0; i < m->b.c.n_attempts; i++)
    t->n_joined +=
        m->b.c.attempts[i].client && m->b.c.attempts[i].server && m->b.c.attempts[i].n_events == 6;
  bench_close(&m->b);
  free(m);
}

static void check(bool has_ids) {
  tally moved = {0}, equal = {0};
  maker dice = {.random = has_ids ? 11 : 12};
  for (uint64_t i = 0; i < CASES; i++) {
    const int64_t offset_ms = between(&dice, -MOST, MOST);
    measure(i + 1, offset_ms, has_ids, &moved);
    measure(i + 1, 0, has_ids, &equal);
  }
  print_message(
      "%s: %zu of %d cases right to a second, %zu measured; %zu of %zu connections "
      "joined, %zu with equal clocks\n",
      has_ids ? "equal ids" : "no ids", moved.n_right, CASES, moved.n_measured, moved.n_joined,
      moved.n_pairs, equal.n_joined);
  assert_true(moved.n_right * 100 >= (size_t)CASES * 95);
  /* What is joined does not depend on how far the clocks are apart. */
  assert_true(moved.n_joined * 100 >= equal.n_joined * 98);
}

static void offsets_with_equal_ids(void **state) {
  (void)state;
  check(true);
}

static void offsets_without_ids(void **state) {
  (void)state;
  check(false);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(offsets_with_equal_ids),
                                     cmocka_unit_test(offsets_without_ids)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
