/* key_test.c - values as bytes of keys: what is equal, what is not, and what finds no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/key.h"

enum { MOST = 80 };

static void compares_every_byte_of_every_length(void **state) {
  (void)state;
  for (size_t n = 0; n <= MOST; n++) {
    uint8_t a[MOST] = {0}, b[MOST] = {0};
    for (size_t i = 0; i < n; i++) a[i] = b[i] = (uint8_t)(i * 7);
    assert_true(fl_bytes_are_equal(a, b, n));
    for (size_t i = 0; i < n; i++) {
      b[i] ^= 0x10;
      assert_false(fl_bytes_are_equal(a, b, n));
      b[i] ^= 0x10;
    }
  }
}

static void key_has_the_values_that_it_was_made_of(void **state) {
  (void)state;
  const uint8_t bytes[] = "0123456789";
  const fl_raw values[] = {
      {bytes, 10, FL_T_STR8, 0}, {NULL, 0, FL_T_NULL, 0}, {bytes, 2, FL_T_U16, 0}};
  uint8_t key[MOST];
  size_t n = 0;
  for (size_t i = 0; i < 3; i++) n = fl_key_put(key, n, sizeof key, values[i]);
  assert_int_equal(n, 3 * sizeof(uint32_t) + 12);
  const uint8_t *at = key;
  for (size_t i = 0; i < 3; i++) assert_true(fl_key_has(&at, values[i]));
  assert_ptr_equal(at, key + n);
  const fl_raw others[] = {
      {bytes, 10, FL_T_UTF8, 0}, {bytes, 9, FL_T_STR8, 0}, {bytes + 1, 10, FL_T_STR8, 0}};
  for (size_t i = 0; i < 3; i++) {
    at = key;
    assert_false(fl_key_has(&at, others[i]));
  }
}

static void key_without_room_is_none(void **state) {
  (void)state;
  const uint8_t bytes[8] = {0};
  uint8_t key[12];
  assert_int_equal(fl_key_put(key, 0, sizeof key, (fl_raw){bytes, 8, FL_T_U64, 0}), 12);
  assert_int_equal(fl_key_put(key, 1, sizeof key, (fl_raw){bytes, 8, FL_T_U64, 0}), 0);
  assert_int_equal(fl_key_put(key, 9, sizeof key, (fl_raw){NULL, 0, FL_T_NULL, 0}), 0);
  assert_int_equal(fl_key_put(key, 0, sizeof key, (fl_raw){bytes, UINT32_MAX, FL_T_BIN, 0}), 0);
}

/* A length that the head cannot hold is never that of a short value of another type. */
static void head_of_a_long_value_is_its_own(void **state) {
  (void)state;
  const fl_raw longer = {NULL, (1u << 24) + 5, FL_T_STR16, 0};
  for (unsigned type = 0; type < 256; type++)
    assert_int_not_equal(fl_raw_head(longer), fl_raw_head((fl_raw){NULL, 5, (uint8_t)type, 0}));
}

static void hexadecimal_text_has_every_digit(void **state) {
  (void)state;
  static const char digits[] = "0123456789ABCDEF";
  uint8_t bytes[256];
  char text[512];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)i;
  for (size_t n = sizeof bytes - 5; n <= sizeof bytes; n++) {
    assert_int_equal(fl_put_hex_bytes(bytes, n, text), 2 * n);
    for (size_t i = 0; i < n; i++) {
      assert_int_equal(text[2 * i], digits[i >> 4]);
      assert_int_equal(text[2 * i + 1], digits[i & 15]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compares_every_byte_of_every_length),
      cmocka_unit_test(key_has_the_values_that_it_was_made_of),
      cmocka_unit_test(key_without_room_is_none),
      cmocka_unit_test(head_of_a_long_value_is_its_own),
      cmocka_unit_test(hexadecimal_text_has_every_digit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
