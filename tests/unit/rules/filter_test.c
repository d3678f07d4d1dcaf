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
  check_error("event.hots == 3", 6, "unknown column");
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(mistakes),
                                     cmocka_unit_test(bare_names_are_columns_first),
                                     cmocka_unit_test(too_long_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
