/* guard_test.c - a child that answers, dies, hangs, burns time and eats memory costs one answer
 * each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"

enum { MEMORY = 64 << 20 };

static const fl_guard_limits limits = {.most_question = 100000,
                                       .most_answer = 100000,
                                       .most_memory = MEMORY,
                                       .most_seconds = 1,
                                       .most_wait = 20,
                                       .most_total = 4,
                                       .most_starts = 3,
                                       .most_questions = 100};

static fl_status say(uint8_t *answer, size_t *n_answer, const char *text) {
  *n_answer = strlen(text);
  memcpy(answer, text, *n_answer);
  return FL_E_CORRUPT;
}

static fl_status obey(const uint8_t *question, size_t n_question, uint8_t *answer,
                      size_t *n_answer) {
  volatile uint64_t burnt = 0;
  switch (question[0]) {
    case 'd':
      abort();
    case 'x':
      _exit(0);
    case 'b':
      for (;;) burnt++;
    case 'm': {
      uint8_t *volatile much = malloc((size_t)8 * MEMORY); /* not to be optimised away */
      const bool has_got = much != NULL;
      if (has_got) memset(much, 1, (size_t)8 * MEMORY);
      free(much);
      return say(answer, n_answer, has_got ? "got it" : "no memory");
    }
    case 'f':
      return say(answer, n_answer, "cannot do that");
    default:
      break;
  }
  for (size_t i = 0; i < n_question; i++) answer[i] = question[n_question - 1 - i];
  *n_answer = n_question;
  return FL_OK;
}

static fl_status ask(fl_guard *guard, const char *question, fl_err *err) {
  const uint8_t *answer = NULL;
  size_t n = 0;
  return fl_guard_ask(guard, (const uint8_t *)question, strlen(question), &answer, &n, err);
}

static void answers_come_whole(void **state) {
  (void)state;
  static uint8_t question[100000];
  fl_guard *guard = fl_guard_create(obey, &limits);
  const uint8_t *answer = NULL;
  size_t n = 0;
  for (size_t i = 0; i < sizeof question; i++) question[i] = (uint8_t)('A' + i % 26);
  assert_int_equal(fl_guard_ask(guard, question, sizeof question, &answer, &n, NULL), FL_OK);
  assert_int_equal(n, sizeof question);
  for (size_t i = 0; i < n; i++) assert_int_equal(answer[i], question[n - 1 - i]);
  fl_err err = {0};
  assert_int_equal(ask(guard, "fail", &err), FL_E_CORRUPT);
  assert_string_equal(err.text, "cannot do that");
  assert_int_equal(ask(guard, "A", NULL), FL_OK);
  fl_guard_free(guard);
}

static void death_costs_one_answer(void **state) {
  (void)state;
  static const char *const deaths[] = {"die", "xit"};
  fl_guard *guard = fl_guard_create(obey, &limits);
  for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
    assert_int_equal(ask(guard, "A", NULL), FL_OK);
    fl_err err = {0};
    assert_int_equal(ask(guard, deaths[i], &err), FL_E_CORRUPT);
    assert_non_null(strstr(err.text, "died"));
  }
  assert_int_equal(ask(guard, "A", NULL), FL_OK);
  assert_int_equal(ask(guard, "die", NULL), FL_E_CORRUPT);
  fl_err err = {0};
  assert_int_equal(ask(guard, "A", &err), FL_E_LIMIT); /* no more starts */
  assert_non_null(strstr(err.text, "3 times"));
  fl_guard_free(guard);
}

static void endless_work_is_ended(void **state) {
  (void)state;
  fl_guard *guard = fl_guard_create(obey, &limits);
  assert_int_equal(ask(guard, "burn", NULL), FL_E_CORRUPT);
  assert_int_equal(ask(guard, "A", NULL), FL_OK);
  fl_guard_free(guard);
}

static void all_time_together_is_limited(void **state) {
  (void)state;
  fl_guard_limits few = limits;
  few.most_total = 1;
  fl_guard *guard = fl_guard_create(obey, &few);
  assert_int_equal(ask(guard, "burn", NULL), FL_E_CORRUPT);
  assert_int_equal(ask(guard, "A", NULL), FL_E_LIMIT);
  fl_guard_free(guard);
}

static void questions_are_limited(void **state) {
  (void)state;
  fl_guard_limits few = limits;
  few.most_questions = 2;
  fl_guard *guard = fl_guard_create(obey, &few);
  assert_int_equal(ask(guard, "A", NULL), FL_OK);
  assert_int_equal(ask(guard, "A", NULL), FL_OK);
  assert_int_equal(ask(guard, "A", NULL), FL_E_LIMIT);
  static uint8_t long_one[100001];
  assert_int_equal(fl_guard_ask(guard, long_one, sizeof long_one, NULL, NULL, NULL), FL_E_ARG);
  fl_guard_free(guard);
}

static void memory_is_limited(void **state) {
  (void)state;
  fl_guard *guard = fl_guard_create(obey, &limits);
  fl_err err = {0};
  assert_int_equal(ask(guard, "memory", &err), FL_E_CORRUPT);
  /* A sanitizer's allocator ends the process instead. */
  assert_true(strcmp(err.text, "no memory") == 0 || strstr(err.text, "died"));
  assert_int_equal(ask(guard, "A", NULL), FL_OK);
  fl_guard_free(guard);
}

static void nobody_asks_nothing_starts(void **state) {
  (void)state;
  fl_guard *guard = fl_guard_create(obey, &limits);
  assert_non_null(guard);
  fl_guard_free(guard);
  fl_guard_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_come_whole),         cmocka_unit_test(death_costs_one_answer),
      cmocka_unit_test(endless_work_is_ended),      cmocka_unit_test(all_time_together_is_limited),
      cmocka_unit_test(questions_are_limited),      cmocka_unit_test(memory_is_limited),
      cmocka_unit_test(nobody_asks_nothing_starts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
