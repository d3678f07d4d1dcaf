/* text_test.c - UTF-16, UTF-8, numbers and escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void expect_utf16(const uint8_t *bytes, size_t n_units, const char *wanted) {
  char text[256];
  const size_t n = fl_utf16_to_utf8(bytes, n_units, text);
  assert_int_equal(n, strlen(wanted));
  assert_memory_equal(text, wanted, n);
}

static void utf16_becomes_utf8(void **state) {
  (void)state;
  expect_utf16((const uint8_t *)"a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0", 10, "abcdefghij");
  expect_utf16((const uint8_t *)"\xe9\0\x3d\xd8\x00\xde\xac\x20", 4,
               "\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xac");
  /* Lone surrogates, high at the end and low alone. */
  expect_utf16((const uint8_t *)"\x3d\xd8", 1, "\xef\xbf\xbd");
  expect_utf16((const uint8_t *)"\x00\xdex\0", 2, "\xef\xbf\xbdx");
  expect_utf16((const uint8_t *)"\x3d\xd8x\0", 2, "\xef\xbf\xbdx");
}

static void utf16_runs_of_every_length_agree(void **state) {
  (void)state;
  uint8_t bytes[2 * 40];
  for (size_t at = 0; at < 40; at++) {
    for (size_t i = 0; i < 40; i++) {
      bytes[2 * i] = (uint8_t)('a' + i % 26);
      bytes[2 * i + 1] = 0;
    }
    bytes[2 * at] = 0xe4; /* one character that is no ASCII, at every place of the vector step */
    char text[160];
    assert_int_equal(fl_utf16_to_utf8(bytes, 40, text), 41);
    assert_memory_equal(text + at, "\xc3\xa4", 2);
  }
}

static void numbers_have_all_their_digits(void **state) {
  (void)state;
  char text[24];
  const struct {
    uint64_t number;
    const char *decimal, *hex;
  } cases[] = {{0, "0", "0"},
               {9, "9", "9"},
               {10, "10", "a"},
               {99, "99", "63"},
               {100, "100", "64"},
               {2308, "2308", "904"},
               {UINT64_C(9999999999999999999), "9999999999999999999", "8ac7230489e7ffff"},
               {UINT64_C(10000000000000000000), "10000000000000000000", "8ac7230489e80000"},
               {UINT64_MAX, "18446744073709551615", "ffffffffffffffff"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = fl_text_u64(cases[i].number, text);
    assert_int_equal(n, strlen(cases[i].decimal));
    assert_memory_equal(text, cases[i].decimal, n);
    n = fl_text_hex(cases[i].number, text);
    assert_int_equal(n, strlen(cases[i].hex));
    assert_memory_equal(text, cases[i].hex, n);
  }
  assert_int_equal(fl_text_i64(INT64_MIN, text), 20);
  assert_memory_equal(text, "-9223372036854775808", 20);
}

static void number_texts_are_read_whole_or_not(void **state) {
  (void)state;
  uint64_t number = 7;
  assert_true(fl_text_number(FL_STR("0x904"), &number));
  assert_int_equal(number, 0x904);
  assert_true(fl_text_number(FL_STR("18446744073709551615"), &number));
  assert_true(number == UINT64_MAX);
  const char *bad[] = {"", "0x", "12a", " 1", "18446744073709551616", "0x10000000000000000", "-1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(fl_text_number(fl_str_of(bad[i]), &number));
}

static void nothing_that_acts_survives(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  const struct {
    const char *in, *out;
  } cases[] = {{"plain text", "plain text"},
               {"a\x1b[2Jb", "a\\x1b[2Jb"},
               {"line\nbreak\t", "line\\nbreak\\t"},
               {"\x7f", "\\x7f"},
               {"\xc2\x9b", "\\x9b"},
               {"\xe2\x80\xae", "\\u202e"},
               {"\xef\xbb\xbf", "\\ufeff"},
               {"\xff\xfe", "\\xff\\xfe"},
               {"\xc3\xa9", "\xc3\xa9"},
               {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const fl_str shown = fl_text_printable(fl_str_of(cases[i].in), arena);
    assert_int_equal(shown.n, strlen(cases[i].out));
    assert_memory_equal(shown.p, cases[i].out, shown.n);
  }
  /* No control, bidi or zero-width character of all Unicode comes through as itself. */
  for (uint32_t c = 1; c < 0x110000; c++) {
    if (c >= 0xd800 && c < 0xe000) continue;
    char text[4];
    const fl_str one = {text, fl_utf8_put(c, text)};
    const fl_str shown = fl_text_printable(one, arena);
    const bool is_raw = fl_str_eq(one, shown);
    const bool acts = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
                      (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x200b;
    if (acts) assert_false(is_raw);
    fl_arena_reset(arena);
  }
  fl_arena_free(arena);
}

static void broken_utf8_is_found(void **state) {
  (void)state;
  const char *bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf8"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(fl_utf8_is_valid(fl_str_of(bad[i])));
  assert_true(fl_utf8_is_valid(FL_STR("\xef\xbf\xbd ok \xf4\x8f\xbf\xbf")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(utf16_becomes_utf8),
      cmocka_unit_test(utf16_runs_of_every_length_agree),
      cmocka_unit_test(numbers_have_all_their_digits),
      cmocka_unit_test(number_texts_are_read_whole_or_not),
      cmocka_unit_test(nothing_that_acts_survives),
      cmocka_unit_test(broken_utf8_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
