/* pool_test.c - a crew does its tasks, who waits for it helps, and stopping early leaves nothing.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"

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
      cmocka_unit_test(a_crew_does_all_tasks),
      cmocka_unit_test(a_caller_helps_while_it_waits),
      cmocka_unit_test(a_crew_can_be_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
