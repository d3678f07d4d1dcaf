/* pool_test.c - items made ahead arrive whole and in order, a crew does its tasks, and stopping
 * early leaves nothing. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"

enum { N_ITEMS = 500, N_SLOTS = 3 };

typedef struct shop {
  uint64_t slots[N_SLOTS];
  uint64_t n_made;
  uint64_t fails_at; /* UINT64_MAX: never */
} shop;

static fl_status make(void *self, uint64_t item, unsigned slot) {
  shop *s = self;
  s->slots[slot] = item * 10;
  s->n_made++;
  return item == s->fails_at ? FL_E_CORRUPT : FL_OK;
}

static void all_items_arrive_in_order(void **state) {
  (void)state;
  shop s = {.fails_at = UINT64_MAX};
  fl_ahead *ahead = NULL;
  uint64_t wanted = 0;
  unsigned slot = 0;
  fl_status made = FL_E_INTERNAL;
  bool is_whole = false;
  assert_int_equal(fl_ahead_start(N_ITEMS, N_SLOTS, make, &s, &ahead, NULL), FL_OK);
  while (fl_ahead_take(ahead, &slot, &made, &is_whole) == FL_OK) {
    assert_int_equal(made, FL_OK);
    assert_true(is_whole);
    assert_int_equal(s.slots[slot], wanted++ * 10);
    fl_ahead_give_back(ahead);
  }
  assert_int_equal(wanted, N_ITEMS);
  fl_ahead_stop(ahead);
}

/* Hands over half of an item first: the worker waits until it was taken and given back. */
static fl_ahead *shared;
static fl_status make_in_parts(void *self, uint64_t item, unsigned slot) {
  shop *s = self;
  s->slots[slot] = item * 10;
  if (!fl_ahead_hand_over(shared)) return FL_E_STOPPED;
  s->slots[slot] = item * 10 + 1;
  return FL_OK;
}

static void take_in_parts(uint64_t n_items) {
  shop s = {0};
  shared = NULL;
  assert_int_equal(fl_ahead_start(n_items, N_SLOTS, make_in_parts, &s, &shared, NULL), FL_OK);
  uint64_t n = 0;
  unsigned slot = 0;
  fl_status made = FL_E_INTERNAL;
  bool is_whole = false;
  while (fl_ahead_take(shared, &slot, &made, &is_whole) == FL_OK) {
    assert_int_equal(is_whole, n % 2);
    assert_int_equal(s.slots[slot], n / 2 * 10 + n % 2);
    n++;
    fl_ahead_give_back(shared);
  }
  assert_int_equal(n, 2 * n_items);
  fl_ahead_stop(shared);
}

/* Often, since the worker may be faster than who started it. */
static void parts_arrive_before_their_item(void **state) {
  (void)state;
  take_in_parts(N_ITEMS);
  for (int i = 0; i < 3000; i++) take_in_parts(1);
}

static void a_failure_is_the_last_item(void **state) {
  (void)state;
  shop s = {.fails_at = 7};
  fl_ahead *ahead = NULL;
  assert_int_equal(fl_ahead_start(N_ITEMS, N_SLOTS, make, &s, &ahead, NULL), FL_OK);
  unsigned slot = 0;
  fl_status made = FL_OK;
  bool is_whole = false;
  uint64_t n = 0;
  while (fl_ahead_take(ahead, &slot, &made, &is_whole) == FL_OK) {
    assert_int_equal(made, n++ == 7 ? FL_E_CORRUPT : FL_OK);
    fl_ahead_give_back(ahead);
  }
  assert_int_equal(n, 8);
  fl_ahead_stop(ahead);
}

static void stopping_early_ends_the_worker(void **state) {
  (void)state;
  for (uint64_t n_taken = 0; n_taken < 5; n_taken++) {
    shop s = {.fails_at = UINT64_MAX};
    fl_ahead *ahead = NULL;
    assert_int_equal(fl_ahead_start(N_ITEMS, N_SLOTS, make, &s, &ahead, NULL), FL_OK);
    unsigned slot = 0;
    fl_status made = FL_OK;
    bool is_whole = false;
    for (uint64_t i = 0; i < n_taken; i++) {
      assert_int_equal(fl_ahead_take(ahead, &slot, &made, &is_whole), FL_OK);
      fl_ahead_give_back(ahead);
    }
    fl_ahead_stop(ahead);
    assert_true(s.n_made <= n_taken + N_SLOTS); /* it is never further ahead than it has slots */
  }
  fl_ahead_stop(NULL);
}

static void do_task(void *self, void *task, unsigned worker) {
  bool *const has_worked = self;
  has_worked[worker] = true;
  *(uint64_t *)task *= 2;
}

static void a_crew_does_all_tasks(void **state) {
  (void)state;
  uint64_t tasks[1000];
  bool has_worked[FL_CREW_MAX_WORKERS] = {false};
  fl_crew *crew = NULL;
  assert_int_equal(fl_crew_start(3, do_task, has_worked, &crew, NULL), FL_OK);
  for (uint64_t i = 0; i < 1000; i++) {
    tasks[i] = i;
    if (i >= FL_CREW_MAX_OPEN) fl_crew_wait(crew, i - FL_CREW_MAX_OPEN);
    assert_int_equal(fl_crew_give(crew, &tasks[i]), i);
  }
  for (uint64_t i = 1000 - FL_CREW_MAX_OPEN; i < 1000; i++) fl_crew_wait(crew, i);
  for (uint64_t i = 0; i < 1000; i++) assert_int_equal(tasks[i], 2 * i);
  fl_crew_stop(crew);
  for (unsigned i = 3; i < FL_CREW_MAX_WORKERS; i++) assert_false(has_worked[i]);
}

/* One worker that is kept busy: the caller does the rest, in one call. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static void wait_or_count(void *self, void *task, unsigned worker) {
  unsigned *n_own = self;
  if (worker == FL_CREW_CALLER) {
    ++*n_own;
    if (*n_own == 3) (void)pthread_mutex_unlock(&gate);
  } else {
    (void)pthread_mutex_lock(&gate);
    (void)pthread_mutex_unlock(&gate);
  }
  *(bool *)task = true;
}

static void a_caller_helps_while_it_waits(void **state) {
  (void)state;
  unsigned n_own = 0;
  bool is_done[4] = {false};
  fl_crew *crew = NULL;
  (void)pthread_mutex_lock(&gate);
  assert_int_equal(fl_crew_start(1, wait_or_count, &n_own, &crew, NULL), FL_OK);
  for (unsigned i = 0; i < 4; i++) (void)fl_crew_give(crew, &is_done[i]);
  for (unsigned i = 0; i < 4; i++) fl_crew_help(crew, i);
  for (unsigned i = 0; i < 4; i++) assert_true(is_done[i]);
  assert_true(n_own >= 3);
  fl_crew_stop(crew);
}

static void a_crew_can_be_stopped(void **state) {
  (void)state;
  bool has_worked[FL_CREW_MAX_WORKERS] = {false};
  for (int i = 0; i < 200; i++) {
    uint64_t tasks[20] = {0};
    fl_crew *crew = NULL;
    assert_int_equal(fl_crew_start(2, do_task, has_worked, &crew, NULL), FL_OK);
    for (int k = 0; k < i % 20; k++) (void)fl_crew_give(crew, &tasks[k]);
    fl_crew_stop(crew);
  }
  fl_crew_stop(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_items_arrive_in_order),
      cmocka_unit_test(parts_arrive_before_their_item),
      cmocka_unit_test(a_failure_is_the_last_item),
      cmocka_unit_test(stopping_early_ends_the_worker),
      cmocka_unit_test(a_crew_does_all_tasks),
      cmocka_unit_test(a_caller_helps_while_it_waits),
      cmocka_unit_test(a_crew_can_be_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
