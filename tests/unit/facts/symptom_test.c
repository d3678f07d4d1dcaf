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
  expect("primary:0x904/extended:7", true, 0x904, 7);
  expect("extended:0x7 0x904", true, 0x904, 7);
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

static fl_symptom parse(const char *text, fl_arena *arena) {
  fl_symptom symptom;
  fl_err err = {0};
  if (fl_symptom_parse(fl_str_of(text), arena, &symptom, &err) != FL_OK)
    fail_msg("%s: %s", text, err.text);
  return symptom;
}

/* Numbers of lists, links and sentences are no codes. */
static void numbers_in_prose(void **state) {
  (void)state;
  expect("See https://go.microsoft.com/fwlink/?linkid=866660 for help\nError code: 2308", false,
         2308, 0);
  expect("1) it is off\n2) it is asleep\n3. no network\nError code: 0x204", false, 0x204, 0);
  expect("Error code 2308, linkid=866660", false, 2308, 0);
  expect("error 2308", false, 2308, 0);
  expect("it ended with error 2308 on 3 servers since day 4", false, 2308, 0);
  expect("Kode galat: 2308", false, 2308, 0);
  fl_arena *arena = fl_arena_create(1 << 20);
  static const char *const texts[] = {
      "1) Remote access is off\n2) The computer is off\n3) It is not on the network",
      "It fails on 2 of 7 hosts since day 3",
      "see the page https://go.microsoft.com/fwlink/?linkid=866660",
      "the error user sees at night"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const fl_symptom symptom = parse(texts[i], arena);
    if (symptom.has_code || symptom.has_extended) fail_msg("%s: 0x%x", texts[i], symptom.code);
    assert_true(symptom.note.n > 0);
  }
  fl_arena_free(arena);
}

static void order_of_codes(void **state) {
  (void)state;
  expect("Extended error code: 0x7\nError code: 0x904", true, 0x904, 7);
  expect("Erweiterter Fehlercode: 0x7, Fehlercode: 0x904", true, 0x904, 7);
  expect(
      "Code d\xe2\x80\x99"
      "erreur \xc3\xa9tendu : 0x7\nCode d\xe2\x80\x99"
      "erreur : 0x904",
      true, 0x904, 7);
  expect("Extended error code: 7\nError code: 2308", true, 0x904, 7);
  expect("kodnya tambahan: 0x7\nkodnya: 0x904", true, 0x904, 7);
  expect("Error code: 0x3\nExtended error code: 0x7", true, 3, 7);
}

/* Texts without a code are known by their words; what stays unknown is said. */
static void dialogs_without_a_code(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int has_code, has_extended;
    uint32_t code;
  } cases[] = {
      {"Remote Desktop can't connect to the remote computer for one of these reasons:\n"
       "1) Remote access to the server is not enabled\n2) The remote computer is turned off",
       1, 0, 0x204},
      {"2) Der Remotecomputer ist ausgeschaltet.", 1, 0, 0x204},
      {"The remote session was disconnected because there are no Remote Desktop License Servers "
       "available to provide a license.",
       0, 1, 0x101},
      {"Die Remotesitzung wurde getrennt, weil keine Remotedesktop-Lizenzserver da sind", 0, 1,
       0x101},
      {"Another user connected to the remote computer, so your connection was lost.", 0, 1, 5},
      {"The connection was denied because the user account is not authorized for remote login.", 0,
       1, 9},
      {"Remote Desktop can\xe2\x80\x99t find the computer \"srv07\".", 1, 0, 0x104},
      {"An internal error has occurred.", 0, 0, 0},
      {"Ein interner Fehler ist aufgetreten.", 0, 0, 0},
  };
  fl_arena *arena = fl_arena_create(1 << 20);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const fl_symptom symptom = parse(cases[i].text, arena);
    if (symptom.has_code != (cases[i].has_code != 0) ||
        symptom.has_extended != (cases[i].has_extended != 0) ||
        (symptom.has_code ? symptom.code : symptom.extended) != cases[i].code)
      fail_msg("%s: 0x%x 0x%x", cases[i].text, symptom.code, symptom.extended);
    if (!cases[i].code) assert_true(symptom.note.n > 0);
  }
  fl_arena_free(arena);
}

static void times(void **state) {
  (void)state;
  static const struct {
    const char *text, *iso, *note;
  } cases[] = {
      {"Error code: 0x904\nTimestamp (UTC): 03/14/24 10:11:12 PM", "2024-03-14T22:11:12Z", ""},
      {"Fehlercode: 0x904\nZeitstempel (UTC): 14.03.24 22:11:12", "2024-03-14T22:11:12Z", ""},
      {"Error code: 0x904 (UTC) 14/03/2024 22:11:12", "2024-03-14T22:11:12Z", ""},
      {"Error code: 0x904 (UTC) 03/04/2024 22:11:12", "2024-03-04T22:11:12Z", "month/day"},
      {"Error code: 0x904 at 2024-03-14 22:11:12", "2024-03-14T22:11:12Z", "taken as UTC"},
      {"Error code: 0x904 at 2024-03-14T22:11:12.123Z", "2024-03-14T22:11:12Z", ""},
      {"Error code: 0x904 at 2024-03-14 22:11:12 +02:00", "2024-03-14T20:11:12Z", ""},
      {"Foutcode: 0x904 (UTC) 14-03-2024 22:11", "2024-03-14T22:11:00Z", ""},
      {"Error code: 0x904 at 34.13.2024 22:11:12", NULL, "not understood"},
      {"Error code: 0x904 on 14.03.2024", NULL, "not understood"},
  };
  fl_arena *arena = fl_arena_create(1 << 20);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const fl_symptom symptom = parse(cases[i].text, arena);
    fl_time expected = 0;
    if (cases[i].iso) assert_true(fl_time_parse(fl_str_of(cases[i].iso), &expected));
    if (symptom.time != expected || symptom.code != 0x904 || symptom.has_extended)
      fail_msg("%s", cases[i].text);
    const fl_str note = symptom.note;
    const char *part = cases[i].note;
    if (part[0] ? !note.n || !memmem(note.p, note.n, part, strlen(part)) : note.n > 0)
      fail_msg("%s: note \"%.*s\"", cases[i].text, FL_STR_ARG(note));
  }
  fl_arena_free(arena);
}

static void left_out_prefix(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  const fl_symptom symptom = parse("904/7", arena);
  assert_int_equal(symptom.code, 904);
  assert_non_null(memmem(symptom.note.p, symptom.note.n, "0x904 is known", 14));
  assert_int_equal(parse("2308/7", arena).note.n, 0);
  fl_arena_free(arena);
}

/* A mistyped code is told at once; a text goes on. */
/* A number of another kind is neither of the dialog's two. */
static void other_kinds(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  fl_symptom symptom;
  fl_err err = {0};
  assert_int_equal(fl_symptom_parse(FL_STR("win32:5"), arena, &symptom, &err), FL_E_ARG);
  assert_int_equal(fl_symptom_parse(FL_STR("tls:40"), arena, &symptom, &err), FL_E_ARG);
  fl_arena_free(arena);
}

static void no_code(void **state) {
  (void)state;
  static const char *const texts[] = {"", "/", "0x", "10:11:12", "nonsense", "0x904x/7"};
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(short_forms),
                                     cmocka_unit_test(dialog),
                                     cmocka_unit_test(localised_dialog),
                                     cmocka_unit_test(numbers_in_prose),
                                     cmocka_unit_test(order_of_codes),
                                     cmocka_unit_test(dialogs_without_a_code),
                                     cmocka_unit_test(times),
                                     cmocka_unit_test(left_out_prefix),
                                     cmocka_unit_test(other_kinds),
                                     cmocka_unit_test(no_code)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
