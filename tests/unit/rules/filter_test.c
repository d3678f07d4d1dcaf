/* filter_test.c - what --where accepts and how it refuses the rest. */
#include "flr_help.h"

static void check_error(const char *text, unsigned column, const char *part) {
  fl_filter *filter = NULL;
  fl_err err = {0};
  assert_int_equal(fl_filter_compile(fl_str_of(text), &filter, &err), FL_E_SYNTAX);
  assert_null(filter);
  assert_has((fl_str){err.text, strlen(err.text)}, part);
  assert_int_equal(err.offset, (uint64_t)1 << 20 | column);
}

static void mistakes(void **state) {
  (void)state;
  check_error("", 1, "expected a field name, found the end");
  check_error("host", 5, "expected a comparison, found the end");
  check_error("host = 3", 6, "did you mean '=='");
  check_error("host == 3 and", 14, "expected a field name");
  check_error("host == 3 x", 11, "expected 'and', 'or' or the end, found 'x'");
  check_error("host == %x", 9, "expected a value");
  check_error("(host == 3", 11, "expected ')'");
  check_error("event.hots == 3", 6, "unknown column 'event.hots', did you mean 'host'");
  check_error("evnt_id == 3", 1,
              "'evnt_id', did you mean 'event_id'; a field of the data is data.");
  check_error("host == 'a' and Reason != 0", 17, "unknown column 'Reason'; a field of the data is");
  check_error("Reason.Code == 0", 1, "a field of the data is data.Reason.Code");
  check_error("'Process Id' == 0", 1, "unknown column 'Process Id'");
  check_error("time > 5", 8, "a time is compared with text such as '2024-05-01T10:00:00Z'");
  check_error("event.time == -5", 15, "not with a number");
  check_error("time in ('2024-05-01T10:00:00Z', 7)", 9, "not with a number");
  check_error("time > 'noon'", 8, "'noon' is not a time");
  check_error("time contains '2024'", 15, "a time is compared with == ");
  check_error("$a == 3", 1, "expected a field name");
}

static void bare_names_are_columns_first(void **state) {
  (void)state;
  const fl_field data[] = {{FL_STR("host"), {.kind = FL_V_STR, .as.text = FL_STR("data")}}};
  const fl_event event = {.host = FL_STR("column"), .data = data, .n_data = 1};
  static const struct {
    const char *text;
    bool holds;
  } cases[] = {{"host == 'column'", true},
               {"data.host == 'data'", true},
               {"HOST == 'data'", false},
               {"event.host == 'column'", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fl_filter *filter = NULL;
    assert_int_equal(fl_filter_compile(fl_str_of(cases[i].text), &filter, NULL), FL_OK);
    assert_int_equal(fl_filter_event(filter, &event), cases[i].holds);
    fl_filter_free(filter);
  }
}

/* "Not equal" is the reverse of "equal", which an absent field is to nothing. */
static void absent_fields(void **state) {
  (void)state;
  const fl_field data[] = {{FL_STR("Reason"), {.kind = FL_V_INT, .as.integer = 7}}};
  const fl_event with = {.t = 5 * FL_SECOND, .pid = -1, .data = data, .n_data = 1};
  const fl_event without = {.t = 5 * FL_SECOND, .pid = -1};
  static const struct {
    const char *text;
    bool with, without;
  } cases[] = {{"data.Reason == 7", true, false},
               {"data.Reason != 7", false, true},
               {"data.Reason != 8", true, true},
               {"data.Reason exists and data.Reason != 8", true, false},
               {"data.Reason > 0", true, false},
               {"not data.Reason > 0", false, true},
               {"pid != 4", true, true},
               {"pid exists", false, false},
               {"time in ('1970-01-01T00:00:05Z', '2024-05-01')", true, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fl_filter *filter = NULL;
    assert_int_equal(fl_filter_compile(fl_str_of(cases[i].text), &filter, NULL), FL_OK);
    assert_int_equal(fl_filter_event(filter, &with), cases[i].with);
    assert_int_equal(fl_filter_event(filter, &without), cases[i].without);
    fl_filter_free(filter);
  }
}

static void too_long_is_refused(void **state) {
  (void)state;
  const size_t n = (size_t)2 << 20;
  char *text = malloc(n);
  assert_non_null(text);
  memset(text, ' ', n);
  fl_filter *filter = NULL;
  fl_err err = {0};
  assert_int_equal(fl_filter_compile((fl_str){text, n}, &filter, &err), FL_E_LIMIT);
  free(text);
  fl_filter_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mistakes), cmocka_unit_test(bare_names_are_columns_first),
      cmocka_unit_test(absent_fields), cmocka_unit_test(too_long_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
