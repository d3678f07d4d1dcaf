/* inspect_test.c - what inspect prints of a source and explain of a code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faultline/report.h"
#include "golden.h"
#include "stand_in.h"

static const fl_range ledger[] = {
    {0, 4096, FL_L_PARSED, {NULL, 0}},
    {4096, 65536, FL_L_DAMAGED, {"chunk 0: \x1b[2J checksum", 22}},
    {69632, 1000, FL_L_SLACK, {"behind the last record", 22}},
    {70632, 64536, FL_L_EMPTY, {NULL, 0}},
};

static const fl_note notes[] = {
    {1, FL_NOTE_DAMAGED, 4096, {"chunk 0: \x1b[2J checksum", 22}},
    {1, FL_NOTE_INFO, 0, {"dirty flag", 10}},
};

static const fl_field gap_data[] = {
    {{"first_missing", 13}, {.kind = FL_V_UINT, .as.natural = 5}},
    {{"reason", 6}, {.kind = FL_V_STR, .as.text = {"lost", 4}}},
};

static void source_both_ways(void **state) {
  (void)state;
  const fl_source_info source = {.id = 1,
                                 .parent = UINT32_MAX,
                                 .name = FL_STR("a.zip!/\x1b.evtx"),
                                 .type = "evtx",
                                 .size_bytes = 135168,
                                 .n_events = 12,
                                 .n_recovered = 1,
                                 .first = INT64_C(1772439302) * FL_SECOND,
                                 .last = INT64_C(1772439402) * FL_SECOND,
                                 .ledger = ledger,
                                 .n_ledger = 4};
  const fl_event gaps[] = {{.kind = FL_STR("log.gap"),
                            .host = FL_STR("PC1"),
                            .channel = FL_STR("System"),
                            .t = INT64_C(1772439302) * FL_SECOND,
                            .offset = 4608,
                            .message = FL_STR("records are missing here: \x1b 1"),
                            .data = gap_data,
                            .n_data = 2},
                           {.kind = FL_STR("log.damaged"), .flags = FL_F_TIME_INVALID}};
  const fl_source_info folder = {
      .parent = UINT32_MAX, .name = FL_STR("bundle"), .type = "dir", .is_container = true};
  for (unsigned as_json = 0; as_json < 2; as_json++) {
    fl_out *out = NULL;
    assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
    const fl_source_report looked = {.source = &folder, .gaps = gaps}, whole = {.source = &source,
                                                                                .notes = notes,
                                                                                .n_notes = 2,
                                                                                .gaps = gaps,
                                                                                .n_gaps = 2};
    assert_int_equal(fl_report_source(&looked, as_json, out, NULL), FL_OK);
    assert_int_equal(fl_report_source(&whole, as_json, out, NULL), FL_OK);
    const bool is_equal = golden_equal(as_json ? "source.json" : "source.txt", fl_out_text(out));
    fl_out_discard(out);
    assert_true(is_equal);
  }
}

static void explain(const char *code, const char *extended, bool want_known, const char *name) {
  char path[64];
  for (unsigned as_json = 0; as_json < 2; as_json++) {
    bool is_known = !want_known;
    fl_out *out = NULL;
    assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
    assert_int_equal(
        fl_report_code(fl_str_of(code), fl_str_of(extended), as_json, out, &is_known, NULL), FL_OK);
    assert_int_equal(is_known, want_known);
    (void)snprintf(path, sizeof path, "%s.%s", name, as_json ? "json" : "txt");
    const bool is_equal = golden_equal(path, fl_out_text(out));
    fl_out_discard(out);
    assert_true(is_equal);
  }
}

static void known_code(void **state) {
  (void)state;
  explain("2308", "0x7", true, "code");
  explain("0x904/0x7", "", true, "code");
}

static void unknown_code(void **state) {
  (void)state;
  explain("0x1b04", "", false, "code_unknown");
}

static void no_code_at_all(void **state) {
  (void)state;
  bool is_known = false;
  fl_err err = {0};
  fl_out *out = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  assert_int_equal(fl_report_code(FL_STR("hello"), (fl_str){0}, false, out, &is_known, &err),
                   FL_E_ARG);
  assert_string_equal(err.text, "'hello' is neither a number nor a symbol that is known here");
  fl_out_discard(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(source_both_ways),
                                     cmocka_unit_test(known_code), cmocka_unit_test(unknown_code),
                                     cmocka_unit_test(no_code_at_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
