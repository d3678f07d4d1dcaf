/* evtx_old_test.c - headers of old records, and which records are copies of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "parsers/evtx_old.h"

enum { N_BYTES = 2048 };
#define SOME_TIME UINT64_C(132000000000000000) /* 2019 */

static void put(uint8_t *bytes, size_t at, uint64_t number, size_t n_bytes) {
  memcpy(bytes + at, &number, n_bytes);
}

/* A record header with the first tokens of an instance of template 0x11223344. */
static void put_record(uint8_t *bytes, size_t at, uint32_t size, uint64_t id, uint64_t written) {
  put(bytes, at, EVTX_RECORD_MAGIC, 4);
  put(bytes, at + 4, size, 4);
  put(bytes, at + 8, id, 8);
  put(bytes, at + 16, written, 8);
  put(bytes, at + 24, 0x0001010f, 4);
  put(bytes, at + 28, 0x010c, 2);
  put(bytes, at + 30, 0x11223344, 4);
  put(bytes, at + size - 4, size, 4);
}

static void a_header_is_found_wherever_it_stands(void **state) {
  (void)state;
  uint8_t bytes[N_BYTES] = {0};
  evtx_old old;
  assert_false(evtx_old_find(bytes, 0, N_BYTES, &old));
  put_record(bytes, 701, 100, 77, SOME_TIME);
  assert_true(evtx_old_find(bytes, 0, N_BYTES, &old));
  assert_int_equal(old.at, 701);
  assert_int_equal(old.to, 801);
  assert_int_equal(old.id, 77);
  assert_int_equal(old.template, 0x11223344);
  assert_true(old.is_whole);
  assert_false(evtx_old_find(bytes, 702, N_BYTES, &old));
  put(bytes, 797, 0, 4); /* the size copy */
  assert_true(evtx_old_find(bytes, 0, N_BYTES, &old));
  assert_false(old.is_whole);
}

static void what_no_log_writes_is_no_header(void **state) {
  (void)state;
  const struct {
    uint64_t id, written;
  } rows[] = {{0, SOME_TIME}, {UINT64_C(1) << 60, SOME_TIME}, {5, 0}, {5, UINT64_MAX}, {5, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint8_t bytes[N_BYTES] = {0};
    evtx_old old;
    put_record(bytes, 512, 100, rows[i].id, rows[i].written);
    assert_false(evtx_old_find(bytes, 0, N_BYTES, &old));
  }
}

static void a_header_at_the_end_is_not_read_past_it(void **state) {
  (void)state;
  for (size_t n = 1; n < 64; n++) {
    uint8_t *bytes = test_calloc(n, 1); /* its end is guarded */
    uint8_t whole[128] = {0};
    evtx_old old;
    put_record(whole, 0, 128, 7, SOME_TIME);
    memcpy(bytes, whole, n);
    if (evtx_old_find(bytes, 0, n, &old)) assert_true(old.to <= n && !old.is_whole);
    test_free(bytes);
  }
}

static void keys_are_told_apart_by_all_of_their_parts(void **state) {
  (void)state;
  evtx_olds olds = {0};
  const evtx_old a = {.id = 1, .written = SOME_TIME, .template = 5};
  evtx_old other[] = {a, a, a};
  other[0].id++;
  other[1].written++;
  other[2].template ++;
  assert_null(evtx_olds_find(&olds, &a));
  assert_int_equal(evtx_olds_add(&olds, &a, NULL), FL_OK);
  assert_int_equal(evtx_olds_add(&olds, &a, NULL), FL_OK);
  assert_int_equal(olds.n, 1);
  for (size_t i = 0; i < 3; i++) assert_null(evtx_olds_find(&olds, &other[i]));
  assert_non_null(evtx_olds_find(&olds, &a));
  evtx_olds_free(&olds);
}

static void ids_between_two_others_are_found(void **state) {
  (void)state;
  evtx_olds olds = {0};
  for (uint64_t id = 1000; id < 9000; id += 10) {
    const evtx_old old = {.id = id, .written = SOME_TIME};
    assert_int_equal(evtx_olds_add(&olds, &old, NULL), FL_OK);
  }
  assert_int_equal(evtx_olds_sort(&olds, NULL), FL_OK);
  assert_true(evtx_olds_has_between(&olds, 1, 1000));
  assert_true(evtx_olds_has_between(&olds, 4995, 5005));
  assert_false(evtx_olds_has_between(&olds, 4991, 4999));
  assert_false(evtx_olds_has_between(&olds, 1, 999));
  assert_false(evtx_olds_has_between(&olds, 8991, UINT64_MAX));
  evtx_olds_free(&olds);
}

static void there_is_a_limit_of_headers(void **state) {
  (void)state;
  evtx_olds olds = {0};
  fl_err err = {0};
  for (uint64_t id = 1; id <= FL_LIMIT_OLD_RECORDS; id++)
    assert_int_equal(evtx_olds_add(&olds, &(evtx_old){.id = id}, &err), FL_OK);
  assert_int_equal(evtx_olds_add(&olds, &(evtx_old){.id = UINT32_MAX}, &err), FL_E_LIMIT);
  assert_int_equal(evtx_olds_add(&olds, &(evtx_old){.id = 1}, &err), FL_OK);
  evtx_olds_free(&olds);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_header_is_found_wherever_it_stands),
      cmocka_unit_test(what_no_log_writes_is_no_header),
      cmocka_unit_test(a_header_at_the_end_is_not_read_past_it),
      cmocka_unit_test(keys_are_told_apart_by_all_of_their_parts),
      cmocka_unit_test(ids_between_two_others_are_found),
      cmocka_unit_test(there_is_a_limit_of_headers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
