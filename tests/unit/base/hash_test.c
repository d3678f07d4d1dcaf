/* hash_test.c - the table hash: every byte, length and seed counts, and nothing outside is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

enum { LENGTH_MAX = 100 };

/* Of a copy that ends where its memory ends and starts where it starts: the sanitizer sees more. */
static uint64_t hash_of_copy(const uint8_t *bytes, size_t n, uint64_t seed) {
  uint8_t *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, n);
  const uint64_t hash = fl_hash_bytes(copy, n, seed);
  free(copy);
  return hash;
}

static int by_number(const void *a, const void *b) {
  const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

static void all_differ(uint64_t *hashes, size_t n) {
  qsort(hashes, n, sizeof *hashes, by_number);
  for (size_t i = 1; i < n; i++) assert_true(hashes[i] != hashes[i - 1]);
}

static void fill(uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(i * 167 + 13);
}

static void every_length_differs(void **state) {
  (void)state;
  uint8_t zeros[LENGTH_MAX] = {0}, bytes[LENGTH_MAX];
  uint64_t hashes[3 * (LENGTH_MAX + 1)];
  fill(bytes, sizeof bytes);
  size_t n = 0;
  for (size_t length = 0; length <= LENGTH_MAX; length++) {
    hashes[n++] = hash_of_copy(zeros, length, 0);
    if (length) hashes[n++] = hash_of_copy(bytes, length, 0);
    hashes[n++] = hash_of_copy(zeros, length, 1);
  }
  all_differ(hashes, n);
}

static void every_byte_counts(void **state) {
  (void)state;
  uint8_t bytes[LENGTH_MAX];
  fill(bytes, sizeof bytes);
  for (size_t length = 1; length <= LENGTH_MAX; length++) {
    uint64_t hashes[8 * LENGTH_MAX + 1];
    size_t n = 0;
    hashes[n++] = hash_of_copy(bytes, length, 7);
    for (size_t bit = 0; bit < 8 * length; bit++) {
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
      hashes[n++] = hash_of_copy(bytes, length, 7);
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    all_differ(hashes, n);
  }
}

static void the_place_in_memory_does_not_count(void **state) {
  (void)state;
  uint8_t bytes[LENGTH_MAX], moved[LENGTH_MAX + 16];
  fill(bytes, sizeof bytes);
  for (size_t shift = 0; shift < 16; shift++)
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
      memset(moved, (int)shift, sizeof moved);
      memcpy(moved + shift, bytes, length);
      assert_true(fl_hash_bytes(moved + shift, length, 3) == hash_of_copy(bytes, length, 3));
    }
  assert_true(fl_hash_bytes(NULL, 0, 3) == fl_hash_bytes("", 0, 3));
}

static void seeds_make_other_hashes(void **state) {
  (void)state;
  uint8_t bytes[LENGTH_MAX];
  fill(bytes, sizeof bytes);
  for (size_t length = 0; length <= LENGTH_MAX; length++) {
    uint64_t hashes[65];
    hashes[64] = hash_of_copy(bytes, length, 0);
    for (unsigned i = 0; i < 64; i++) hashes[i] = hash_of_copy(bytes, length, UINT64_C(1) << i);
    all_differ(hashes, 65);
  }
}

/* Tables take the low bits: names that differ in a digit spread over them. */
static void low_bits_are_spread(void **state) {
  (void)state;
  enum { N = 65536, BUCKETS = 4096, MOST = 48 /* 16 are the mean */ };
  unsigned *n_in = calloc(BUCKETS, sizeof *n_in);
  uint64_t *hashes = malloc(N * sizeof *hashes);
  assert_true(n_in && hashes);
  for (unsigned i = 0; i < N; i++) {
    char text[32];
    const int n = snprintf(text, sizeof text, "user%u@example", i);
    hashes[i] = fl_hash_bytes(text, (size_t)n, 0);
    assert_true(++n_in[hashes[i] % BUCKETS] <= MOST);
  }
  all_differ(hashes, N);
  free(hashes);
  free(n_in);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_length_differs),
      cmocka_unit_test(every_byte_counts),
      cmocka_unit_test(the_place_in_memory_does_not_count),
      cmocka_unit_test(seeds_make_other_hashes),
      cmocka_unit_test(low_bits_are_spread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
