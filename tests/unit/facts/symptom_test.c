/* symptom_test.c - codes as users write them and dialogs as they paste them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/facts.h"

static void expect(const char *text, bool has_extended, uint32_t code, uint32_t extended) {
  fl_arena *arena = fl_arena_create(1 << 20);
  fl_symptom symptom;
  fl_err err = {0};
  assert_int_equal(fl_symptom_parse(fl_str_of(text), arena, &symptom, &err), FL_OK);
  assert_true(symptom.has_code);
  assert_int_equal(symptom.code, code);
  assert_int_equal(symptom.has_extended, has_extended);
  assert_int_equal(symptom.extended, extended);
  fl_arena_free(arena);
}

static void short_forms(void **state) {
  (void)state;
  expect("0x904/0x7", true, 0x904, 7);
  expect("2308/7", true, 2308, 7);
  expect("0x904 0x7", true, 0x904, 7);
  expect(" 0x904, 0x7 ", true, 0x904, 7);
  expect("0x904, extended 0x7", true, 0x904, 7);
  expect("2308", false, 2308, 0);
  expect("0x00000904", false, 0x904, 0);
  expect("disconnectReasonAtClientWinsockFDCLOSE/ERRINFO_IDLE_TIMEOUT", true, 0x904, 3);
  expect("Error code 2308", false, 2308, 0);
  expect("code: 2308 extended: 7", true, 2308, 7);
}

static void dialog(void **state) {
  (void)state;
  static const char text[] =
      "Remote Desktop Connection\r\n"
      "This computer can't connect to the remote computer.\r\n\r\n"
      "Error code: 0x904\r\nExtended error code: 0x7\r\n"
      "Activity ID: {3f9b6ab1-1a2b-4c3d-8e4f-0123456789ab}\r\n"
      "Timestamp (UTC): 03/14/24 10:11:12 PM\r\n";
  fl_arena *arena = fl_arena_create(1 << 20);
  fl_symptom symptom;
  fl_err err = {0};
  fl_time expected = 0;
  assert_true(fl_time_parse(FL_STR("2024-03-14T22:11:12Z"), &expected));
  assert_int_equal(fl_symptom_parse(fl_str_of(text), arena, &symptom, &err), FL_OK);
  assert_int_equal(symptom.code, 0x904);
  assert_int_equal(symptom.extended, 7);
  assert_true(fl_str_eq(symptom.activity_id, FL_STR("3F9B6AB1-1A2B-4C3D-8E4F-0123456789AB")));
  assert_true(symptom.time == expected);
  assert_int_equal(symptom.text.n, sizeof text - 1);
  fl_arena_free(arena);
}

/* Numbers are found by their shape, whatever the language. */
static void localised_dialog(void **state) {
  (void)state;
  expect("Fehlercode: 0x204\nErweiterter Fehlercode: 0x0", true, 0x204, 0);
  expect(
      "Code d\xe2\x80\x99"
      "erreur : 0x904\nCode d\xe2\x80\x99"
      "erreur \xc3\xa9tendu : 0x7",
      true, 0x904, 7);
}

static void no_code(void **state) {
  (void)state;
  static const char *const texts[] = {"", "it does not work", "/", "0x", "10:11:12"};
  fl_arena *arena = fl_arena_create(1 << 20);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    fl_symptom symptom;
    fl_err err = {0};
    assert_int_equal(fl_symptom_parse(fl_str_of(texts[i]), arena, &symptom, &err), FL_E_ARG);
    assert_true(err.text[0]);
  }
  fl_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(short_forms), cmocka_unit_test(dialog),
                                     cmocka_unit_test(localised_dialog), cmocka_unit_test(no_code)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
