/* value_test.c - every value type has one text form, and bad lengths lose nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/raw.h"

#define RAW(type, bytes) ((fl_raw){(const uint8_t *)(bytes), sizeof(bytes) - 1, (type), 0})

static void expect_text(fl_raw raw, fl_kind kind, const char *wanted) {
  fl_arena *arena = fl_arena_create(1 << 20);
  const fl_value value = fl_raw_decode(raw, arena);
  assert_int_equal(value.kind, kind);
  const fl_str text = fl_value_text(&value, arena);
  assert_int_equal(text.n, strlen(wanted));
  if (text.n) assert_memory_equal(text.p, wanted, text.n);
  fl_arena_free(arena);
}

static void strings(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 16);
  /* An embedded NUL is part of the text, NULs at the end are not. */
  const fl_str text = fl_raw_text(RAW(FL_T_STR16, "a\0\0\0b\0\0\0"), arena);
  assert_int_equal(text.n, 3);
  assert_memory_equal(text.p, "a\0b", 3);
  fl_arena_free(arena);
  expect_text((fl_raw){0}, FL_V_NULL, "");
  expect_text(RAW(FL_T_STR16, ""), FL_V_STR, "");
  expect_text(RAW(FL_T_STR8, "caf\xe9 \x80\0"), FL_V_STR, "caf\xc3\xa9 \xe2\x82\xac");
}

static void integers(void **state) {
  (void)state;
  expect_text(RAW(FL_T_I8, "\xff"), FL_V_INT, "-1");
  expect_text(RAW(FL_T_U8, "\xff"), FL_V_UINT, "255");
  expect_text(RAW(FL_T_I16, "\xfe\xff"), FL_V_INT, "-2");
  expect_text(RAW(FL_T_U32, "\x04\x09\0\0"), FL_V_UINT, "2308");
  expect_text(RAW(FL_T_I64, "\0\0\0\0\0\0\0\x80"), FL_V_INT, "-9223372036854775808");
  expect_text(RAW(FL_T_U64, "\xff\xff\xff\xff\xff\xff\xff\xff"), FL_V_UINT, "18446744073709551615");
  expect_text(RAW(FL_T_BOOL, "\x01\0\0\0"), FL_V_BOOL, "true");
  expect_text(RAW(FL_T_BOOL, "\0"), FL_V_BOOL, "false");
  expect_text(RAW(FL_T_BOOL, "\x10\0\0\0"), FL_V_UINT, "16");
  expect_text(RAW(FL_T_HEX32, "\x0d\x03\x09\x80"), FL_V_STR, "0x8009030d");
  expect_text(RAW(FL_T_HEX64, "\0\0\0\0\0\0\0\x80"), FL_V_STR, "0x8000000000000000");
  expect_text(RAW(FL_T_SIZE, "\x10\0\0\0"), FL_V_STR, "0x10");
  expect_text(RAW(FL_T_F64, "\x9a\x99\x99\x99\x99\x99\xb9\x3f"), FL_V_FLOAT, "0.1");
}

static void identifiers_and_times(void **state) {
  (void)state;
  expect_text(RAW(FL_T_GUID, "\x12\x69\x89\x5d\x2d\x02\xaa\x40\xa3\xa8\x4f\xa5\x51\x5c\x76\xd7"),
              FL_V_STR, "5D896912-022D-40AA-A3A8-4FA5515C76D7");
  expect_text(RAW(FL_T_SID, "\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x20\x02\0\0"), FL_V_STR,
              "S-1-5-32-544");
  expect_text(RAW(FL_T_FILETIME, "\0\0\0\0\0\0\0\0"), FL_V_STR, "1601-01-01T00:00:00.0000000Z");
  expect_text(RAW(FL_T_FILETIME, "\x00\x80\x3e\xd5\xde\xb1\x9d\x01"), FL_V_STR,
              "1970-01-01T00:00:00.0000000Z");
  expect_text(RAW(FL_T_FILETIME, "\xff\xff\xff\xff\xff\xff\xff\xff"), FL_V_STR,
              "0xffffffffffffffff");
  expect_text(RAW(FL_T_SYSTEMTIME, "\xe7\x07\x05\0\x01\0\x1d\0\x02\0\x29\0\x02\0\xb8\x03"),
              FL_V_STR, "2023-05-29T02:41:02.952");
  expect_text(RAW(FL_T_BIN, "\xde\xad\x00"), FL_V_STR, "DEAD00");
}

/* Classic logs and libevtx give GUIDs as text; a column has one form all the same. */
static void guids_as_text(void **state) {
  (void)state;
  static const char braced[] = "{0c93a589-5C68-0001-a0a5-930c685cd701}";
  static const char bare[] = "0C93A589-5C68-0001-A0A5-930C685CD701";
  static const char *const others[] = {"",
                                       "{}",
                                       "0C93A589-5C68-0001-A0A5-930C685CD70",
                                       "0C93A589-5C68-0001-A0A5-930C685CD701}",
                                       "0C93A589 5C68-0001-A0A5-930C685CD701",
                                       "{0C93A589-5C68-0001-A0A5-930C685CD70g}"};
  uint8_t wide[2 * sizeof braced], guid[16], room[16];
  char text[FL_SHORT_TEXT_MAX];
  for (size_t i = 0; i < sizeof braced; i++) wide[2 * i] = (uint8_t)braced[i], wide[2 * i + 1] = 0;
  assert_true(fl_raw_guid((fl_raw){wide, sizeof wide, FL_T_STR16, 0}, guid));
  assert_int_equal(fl_put_guid(guid, text), 36);
  assert_memory_equal(text, bare, 36);
  assert_true(fl_raw_guid((fl_raw){(const uint8_t *)bare, 36, FL_T_UTF8, 0}, room));
  assert_memory_equal(room, guid, 16);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_false(fl_raw_guid(
        (fl_raw){(const uint8_t *)others[i], (uint32_t)strlen(others[i]), FL_T_UTF8, 0}, room));
  wide[3] = 1; /* a letter beyond Latin */
  assert_false(fl_raw_guid((fl_raw){wide, sizeof wide, FL_T_STR16, 0}, room));
  const fl_raw raw = {(const uint8_t *)bare, 36, FL_T_UTF8, 0};
  assert_int_equal(fl_column_raw(FL_C_ACTIVITY_ID, raw, room).type, FL_T_GUID);
  assert_int_equal(fl_column_raw(FL_C_HOST, raw, room).type, FL_T_UTF8);
}

static void arrays(void **state) {
  (void)state;
  expect_text(RAW(FL_T_STR16 | FL_T_ARRAY, "a\0\0\0\0\0b\0"), FL_V_LIST, "a, , b");
  expect_text(RAW(FL_T_U16 | FL_T_ARRAY, "\x01\0\x02\0"), FL_V_LIST, "1, 2");
  expect_text(RAW(FL_T_U16 | FL_T_ARRAY, ""), FL_V_LIST, "");
  assert_int_equal(fl_raw_count(RAW(FL_T_U32 | FL_T_ARRAY, "\1\0\0\0\2\0\0\0\3")), 3);
  const fl_raw second = fl_raw_item(RAW(FL_T_STR16 | FL_T_ARRAY, "a\0\0\0b\0\0\0"), 1);
  assert_int_equal(second.n, 2);
  assert_int_equal(fl_raw_item(RAW(FL_T_U16 | FL_T_ARRAY, "\1\0"), 5).type, FL_T_NULL);
}

static void bad_lengths_are_given_as_bytes(void **state) {
  (void)state;
  expect_text(RAW(FL_T_U32, "\1\2\3"), FL_V_STR, "010203");
  expect_text(RAW(FL_T_GUID, "\1"), FL_V_STR, "01");
  expect_text(RAW(FL_T_SID, "\x01\x05\0\0\0\0\0\x05\x20"), FL_V_STR, "010500000000000520");
  expect_text(RAW(FL_T_FILETIME, ""), FL_V_STR, "");
  expect_text(RAW(0x7e, "\xab"), FL_V_STR, "AB");
}

static void numbers(void **state) {
  (void)state;
  uint64_t number = 0;
  assert_true(fl_raw_u64(RAW(FL_T_STR16, "0\0x\0009\0000\0004\0"), &number));
  assert_int_equal(number, 0x904);
  assert_true(fl_raw_u64(RAW(FL_T_UTF8, "1149"), &number));
  assert_int_equal(number, 1149);
  assert_false(fl_raw_u64(RAW(FL_T_STR16, "1\0x\0"), &number));
  assert_false(fl_raw_u64(RAW(FL_T_GUID, "\1"), &number));
  int64_t signed_number = 0;
  const fl_value text = {.kind = FL_V_STR, .as.text = FL_STR("-2146893043")};
  assert_true(fl_value_number(&text, &signed_number));
  assert_true(signed_number == -2146893043);
  const fl_value nothing = {.kind = FL_V_STR, .as.text = {0}};
  assert_false(fl_value_number(&nothing, &signed_number));
  const fl_value big = {.kind = FL_V_UINT, .as.natural = UINT64_MAX};
  assert_false(fl_value_number(&big, &signed_number));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strings),
      cmocka_unit_test(integers),
      cmocka_unit_test(identifiers_and_times),
      cmocka_unit_test(guids_as_text),
      cmocka_unit_test(arrays),
      cmocka_unit_test(bad_lengths_are_given_as_bytes),
      cmocka_unit_test(numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
