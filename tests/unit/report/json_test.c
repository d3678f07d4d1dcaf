/* json_test.c - escapes, numbers and nesting of the JSON writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/json.h"
#include "stand_in.h"

static fl_out *new_out(void) {
  fl_out *out = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  return out;
}

static void expect(fl_out *out, const char *want) {
  const fl_str got = fl_out_text(out);
  if (!fl_str_eq(got, fl_str_of(want))) print_error("got  %.*s\nwant %s\n", FL_STR_ARG(got), want);
  assert_true(fl_str_eq(got, fl_str_of(want)));
  fl_out_discard(out);
}

static void nesting(void **state) {
  (void)state;
  fl_out *out = new_out();
  fl_json j = fl_json_of(out);
  fl_json_object(&j);
  fl_json_key(&j, "a");
  fl_json_array(&j);
  fl_json_u64(&j, 1);
  fl_json_object(&j);
  fl_json_end(&j);
  fl_json_array(&j);
  fl_json_null(&j);
  fl_json_bool(&j, true);
  fl_json_end(&j);
  fl_json_end(&j);
  fl_json_key(&j, "b");
  fl_json_text(&j, "");
  fl_json_end(&j);
  fl_json_line_end(&j);
  fl_json_hex(&j, 0x904);
  expect(out, "{\"a\":[1,{},[null,true]],\"b\":null}\n\"0x904\"");
}

static void strings(void **state) {
  (void)state;
  fl_out *out = new_out();
  fl_json j = fl_json_of(out);
  fl_json_str(&j, FL_STR("a\"\\/\b\f\n\r\t\v\0\x7f\xc2\x9b\xff\xe2\x80\xae\xe2\x80\xa8</s <!-- < "
                         "\xc3\xa9\xf0\x9f\x98\x80"));
  expect(out,
         "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u0000\\u007f\\u009b\xef\xbf\xbd\\u202e\\u2028"
         "\\u003c/s \\u003c!-- < \xc3\xa9\xf0\x9f\x98\x80\"");
}

static void long_string(void **state) {
  (void)state;
  char text[1000], want[1003];
  memset(text, 'x', sizeof text);
  memset(want, 'x', sizeof want);
  want[0] = want[1001] = '"';
  want[1002] = '\0';
  fl_out *out = new_out();
  fl_json j = fl_json_of(out);
  fl_json_str(&j, (fl_str){text, sizeof text});
  expect(out, want);
}

static void numbers(void **state) {
  (void)state;
  fl_out *out = new_out();
  fl_json j = fl_json_of(out);
  fl_json_array(&j);
  fl_json_u64(&j, UINT64_C(1) << 53);
  fl_json_u64(&j, (UINT64_C(1) << 53) + 1);
  fl_json_i64(&j, -5);
  fl_json_i64(&j, INT64_MIN);
  fl_json_time(&j, 0);
  fl_json_time(&j, INT64_C(1772439302) * FL_SECOND);
  fl_json_time(&j, INT64_C(1772439302) * FL_SECOND + 1);
  fl_json_end(&j);
  expect(out,
         "[9007199254740992,\"9007199254740993\",-5,\"-9223372036854775808\",null,"
         "\"2026-03-02T08:15:02.000000000Z\",\"2026-03-02T08:15:02.000000001Z\"]");
}

static void values(void **state) {
  (void)state;
  const fl_value items[] = {{.kind = FL_V_NULL},
                            {.kind = FL_V_FLOAT, .as.real = 0.5},
                            {.kind = FL_V_FLOAT, .as.real = 1e308 * 10},
                            {.kind = FL_V_BOOL, .as.boolean = false}};
  const fl_value list = {.kind = FL_V_LIST, .as.list = {items, 4}};
  fl_out *out = new_out();
  fl_json j = fl_json_of(out);
  fl_json_value(&j, &list);
  fl_json_line_end(&j);
  fl_json_list(&j, " one; two;;  ", ';');
  expect(out, "[null,0.5,\"Infinity\",false]\n[\"one\",\"two\"]");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nesting), cmocka_unit_test(strings),
                                     cmocka_unit_test(long_string), cmocka_unit_test(numbers),
                                     cmocka_unit_test(values)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
