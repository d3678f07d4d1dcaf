/* record_test.c - rows as CSV, XML and whole records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "faultline/report.h"
#include "golden.h"
#include "report/xml.h"
#include "stand_in.h"

#define T0 (INT64_C(1772439302) * FL_SECOND)
#define RAW(type, literal) \
  { (const uint8_t *)(literal), sizeof(literal) - 1, (type), 0 }
#define CONSTANT(literal) \
  { FL_REF_CONST, 0, RAW(FL_T_UTF8, literal) }
#define SLOT(index)             \
  {                             \
    FL_REF_SLOT, (index), { 0 } \
  }
#define OP(kind, literal)                       \
  {                                             \
    (kind), 0, { literal, sizeof(literal) - 1 } \
  }
#define VALUE(kind, index)       \
  {                              \
    (kind), (index), { NULL, 0 } \
  }

enum { S_ID, S_PID, S_USER, S_TEXT, S_LIST, S_GUID, N_SLOTS };

static const fl_ref list_ref[] = {SLOT(S_LIST)}, text_ref[] = {SLOT(S_TEXT)},
                    guid_ref[] = {SLOT(S_GUID)};
static const fl_shape_field fields[] = {{{"Data", 4}, list_ref, 1, FL_JOIN_LIST},
                                        {{"Reason", 6}, text_ref, 1, FL_JOIN_ONE},
                                        {{"Key", 3}, guid_ref, 1, FL_JOIN_ONE}};

static const fl_markup markup[] = {OP(FL_M_OPEN, "Event"),      OP(FL_M_ATTR, "xmlns"),
                                   OP(FL_M_TEXT, "urn:e"),      OP(FL_M_ATTR_END, ""),
                                   OP(FL_M_OPEN, "System"),     OP(FL_M_OPEN, "EventID"),
                                   VALUE(FL_M_SLOT, S_ID),      OP(FL_M_CLOSE, ""),
                                   OP(FL_M_OPEN, "Execution"),  OP(FL_M_ATTR, "ProcessID"),
                                   VALUE(FL_M_SLOT_OPT, S_PID), OP(FL_M_ATTR_END, ""),
                                   OP(FL_M_ATTR, "UserID"),     VALUE(FL_M_SLOT_OPT, S_USER),
                                   OP(FL_M_ATTR_END, ""),       OP(FL_M_CLOSE, ""),
                                   OP(FL_M_OPEN, "Gone"),       VALUE(FL_M_SLOT_OPT, S_USER),
                                   OP(FL_M_CLOSE, ""),          OP(FL_M_CLOSE, ""),
                                   OP(FL_M_OPEN, "EventData"),  OP(FL_M_OPEN, "Data"),
                                   VALUE(FL_M_SLOT, S_LIST),    OP(FL_M_CLOSE, ""),
                                   OP(FL_M_OPEN, "Data"),       OP(FL_M_ATTR, "Name"),
                                   OP(FL_M_TEXT, "Reason"),     OP(FL_M_ATTR_END, ""),
                                   VALUE(FL_M_SLOT, S_TEXT),    OP(FL_M_CLOSE, ""),
                                   OP(FL_M_OPEN, "2 bad<name"), OP(FL_M_CDATA, "]]><x"),
                                   OP(FL_M_ENTITY, "amp"),      OP(FL_M_CHARREF, "65"),
                                   OP(FL_M_CLOSE, ""),          OP(FL_M_OPEN, "Key"),
                                   VALUE(FL_M_SLOT, S_GUID),    OP(FL_M_CLOSE, ""),
                                   OP(FL_M_OPEN, "Empty"),      OP(FL_M_CLOSE, ""),
                                   OP(FL_M_CLOSE, "")};

static fl_shape shape_of(bool with_markup) {
  fl_shape shape = {.n_slots = N_SLOTS, .fields = fields, .n_fields = 3};
  if (with_markup) {
    shape.markup = markup;
    shape.n_markup = sizeof markup / sizeof *markup;
  }
  shape.columns[FL_C_PROVIDER] = (fl_ref)CONSTANT("Schannel");
  shape.columns[FL_C_CHANNEL] = (fl_ref)CONSTANT("System");
  shape.columns[FL_C_HOST] = (fl_ref)CONSTANT("SRV1");
  shape.columns[FL_C_LEVEL] = (fl_ref)CONSTANT("2");
  shape.columns[FL_C_RECORD_ID] = (fl_ref)CONSTANT("5120");
  shape.columns[FL_C_EVENT_ID] = (fl_ref)SLOT(S_ID);
  shape.columns[FL_C_PID] = (fl_ref)SLOT(S_PID);
  shape.columns[FL_C_USER_SID] = (fl_ref)SLOT(S_USER);
  return shape;
}

static const fl_raw slots[N_SLOTS] = {
    [S_ID] = RAW(FL_T_U16, "\x06\x90"),
    [S_PID] = RAW(FL_T_U32, "\xfc\x02\0\0"),
    [S_USER] = {NULL, 0, FL_T_NULL, 0},
    [S_TEXT] = RAW(FL_T_UTF8, " =cmd|'/c calc'!A0 <b>&\"\x1b[31m\xe2\x80\xae\xff\nx, y"),
    [S_LIST] = RAW(FL_T_STR16 | FL_T_ARRAY, "o\0n\0e\0\0\0t\0w\0o\0\0\0"),
    [S_GUID] = RAW(FL_T_GUID, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"),
};

static fl_row row_of(const fl_shape *shape) {
  return (fl_row){
      .shape = shape, .t = T0, .offset = 4096, .length = 40, .flags = FL_F_RECOVERED, .source = 7};
}

static void render(bool with_markup, const char *name) {
  const fl_shape shape = shape_of(with_markup);
  const fl_row row = row_of(&shape);
  const fl_batch batch = {.source = 7, .n_rows = 1, .rows = &row, .slots = slots};
  fl_arena *arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_out *out = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  assert_int_equal(fl_xml_row(&batch, &row, arena, out, NULL), FL_OK);
  fl_out_puts(out, "\n");
  const bool is_equal = golden_equal(name, fl_out_text(out));
  fl_out_discard(out);
  fl_arena_free(arena);
  assert_true(is_equal);
}

static void xml_from_markup(void **state) {
  (void)state;
  render(true, "markup.xml");
}

static void xml_standard_form(void **state) {
  (void)state;
  render(false, "standard.xml");
}

/* What a hostile shape may hold: closes without opens, opens without closes, arrays in arrays. */
static void xml_of_broken_markup(void **state) {
  (void)state;
  static const fl_markup broken[] = {
      OP(FL_M_CLOSE, ""),    OP(FL_M_ATTR_END, ""),    OP(FL_M_ATTR, "a"), VALUE(FL_M_SLOT_OPT, 99),
      OP(FL_M_OPEN, "e"),    VALUE(FL_M_SLOT, S_LIST), OP(FL_M_OPEN, "f"), VALUE(FL_M_SLOT, S_LIST),
      OP(FL_M_ATTR, "late"), OP(FL_M_TEXT, "x"),       OP(FL_M_OPEN, "g"), OP(FL_M_ATTR, "open"),
      OP(FL_M_TEXT, "y")};
  fl_shape shape = shape_of(false);
  shape.markup = broken;
  shape.n_markup = sizeof broken / sizeof *broken;
  const fl_row row = row_of(&shape);
  const fl_batch batch = {.source = 7, .n_rows = 1, .rows = &row, .slots = slots};
  fl_arena *arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_out *out = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  assert_int_equal(fl_xml_row(&batch, &row, arena, out, NULL), FL_OK);
  assert_true(fl_str_eq(fl_out_text(out), FL_STR("<e>one<f>onex<g open=\"y\"/></f></e>")));
  fl_out_discard(out);
  fl_arena_free(arena);
}

/* What would break the document: names, prefixes and instructions that XML has not, two attributes
 * of one name, the end of an instruction inside of it. */
static void xml_of_hostile_names(void **state) {
  (void)state;
  static const fl_markup hostile[] = {
      OP(FL_M_OPEN, "a:b"),   OP(FL_M_ATTR, "x"),          OP(FL_M_TEXT, "1"),
      OP(FL_M_ATTR_END, ""),  OP(FL_M_ATTR, "x"),          OP(FL_M_TEXT, "2"),
      OP(FL_M_ATTR_END, ""),  OP(FL_M_ATTR, "x_2"),        OP(FL_M_TEXT, "3"),
      OP(FL_M_ATTR_END, ""),  OP(FL_M_ATTR, "xmlns:c"),    OP(FL_M_TEXT, "urn:c"),
      OP(FL_M_ATTR_END, ""),  OP(FL_M_ATTR, "xmlns:d"),    OP(FL_M_ATTR_END, ""),
      OP(FL_M_OPEN, "c:d"),   OP(FL_M_ATTR, "d:e"),        OP(FL_M_ATTR_END, ""),
      OP(FL_M_PI, "xml a?>"), OP(FL_M_ENTITY, "nbsp"),     OP(FL_M_CLOSE, ""),
      OP(FL_M_OPEN, "1 :<"),  VALUE(FL_M_DEPENDS, S_USER), OP(FL_M_CLOSE, ""),
      OP(FL_M_OPEN, ""),      OP(FL_M_CLOSE, ""),          OP(FL_M_CLOSE, "")};
  fl_shape shape = shape_of(false);
  shape.markup = hostile;
  shape.n_markup = sizeof hostile / sizeof *hostile;
  const fl_row row = row_of(&shape);
  const fl_batch batch = {.source = 7, .n_rows = 1, .rows = &row, .slots = slots};
  fl_arena *arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_out *out = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  assert_int_equal(fl_xml_row(&batch, &row, arena, out, NULL), FL_OK);
  fl_out_write(out, "", 1);
  assert_string_equal(fl_out_text(out).p,
                      "<a_b x=\"1\" x_2=\"2\" x_2_2=\"3\" xmlns:c=\"urn:c\" xmlns_d=\"\">"
                      "<c:d d_e=\"\"><?_xml a? >?>&amp;nbsp;</c:d><_/></a_b>");
  fl_out_discard(out);
  fl_arena_free(arena);
}

static void xml_has_limits(void **state) {
  (void)state;
  static fl_markup deep[600];
  for (unsigned i = 0; i < 600; i++) deep[i] = (fl_markup)OP(FL_M_OPEN, "e");
  fl_shape shape = shape_of(false);
  shape.markup = deep;
  shape.n_markup = 600;
  const fl_row row = row_of(&shape);
  const fl_batch batch = {.source = 7, .n_rows = 1, .rows = &row, .slots = slots};
  fl_arena *arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_out *out = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  fl_out_puts(out, "kept");
  assert_int_equal(fl_xml_row(&batch, &row, arena, out, NULL), FL_E_LIMIT);
  assert_true(fl_str_eq(fl_out_text(out), FL_STR("kept")));
  fl_out_discard(out);
  fl_arena_free(arena);
}

static void whole_record(void **state) {
  (void)state;
  static const char *const formats[] = {"text", "json", "xml"};
  static const char *const goldens[] = {"record.txt", "record.json", "record.xml"};
  const fl_shape shape = shape_of(true);
  const fl_row row = row_of(&shape);
  const fl_batch batch = {.source = 7, .n_rows = 1, .rows = &row, .slots = slots};
  static const uint8_t bytes[40] = {0x2a, 0x2a, 0, 0, 'E', 'l', 'f', 0x1b, 0xff};
  for (unsigned i = 0; i < 3; i++) {
    fl_out *out = NULL;
    assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
    assert_int_equal(fl_report_record(&batch, &row, FL_STR("a.zip!/System.evtx"), bytes,
                                      sizeof bytes, formats[i], out, NULL),
                     FL_OK);
    const bool is_equal = golden_equal(goldens[i], fl_out_text(out));
    fl_out_discard(out);
    assert_true(is_equal);
  }
  fl_err err = {0};
  assert_int_equal(fl_report_record(&batch, &row, FL_STR("x"), bytes, 0, "yaml", NULL, &err),
                   FL_E_ARG);
}

static void csv_rows(void **state) {
  (void)state;
  const fl_shape shape = shape_of(true);
  fl_row rows[2] = {row_of(&shape), row_of(&shape)};
  rows[1].flags = FL_F_TIME_INVALID | FL_F_DUPLICATE;
  const fl_batch batch = {.source = 7, .n_rows = 2, .rows = rows, .slots = slots};
  const fl_source_info source = {.id = 7, .name = FL_STR("@SUM(A1).evtx"), .type = "evtx"};
  fl_out *out = NULL;
  fl_event_writer *writer = NULL;
  assert_int_equal(fl_out_memory(&out, NULL), FL_OK);
  assert_int_equal(fl_event_format_find("csv")->create(out, &writer, NULL), FL_OK);
  const fl_sink sink = fl_event_writer_sink(writer);
  assert_int_equal(sink.begin(sink.self, &source, NULL), FL_OK);
  assert_int_equal(sink.batch(sink.self, &batch, NULL), FL_OK);
  assert_int_equal(fl_event_writer_finish(writer, NULL), FL_OK);
  const bool is_equal = golden_equal("events.csv", fl_out_text(out));
  fl_out_discard(out);
  assert_true(is_equal);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(xml_from_markup),
                                     cmocka_unit_test(xml_standard_form),
                                     cmocka_unit_test(xml_of_broken_markup),
                                     cmocka_unit_test(xml_of_hostile_names),
                                     cmocka_unit_test(xml_has_limits),
                                     cmocka_unit_test(whole_record),
                                     cmocka_unit_test(csv_rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
