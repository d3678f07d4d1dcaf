/* bx_xml_test.c - records as Event XML: what is read, and that everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/raw.h"
#include "parsers/binxml.h"
#include "parsers/run.h"

typedef struct stage {
  fl_ingest_options options;
  fl_sink sink;
  struct fl_run run;
  fl_frame frame;
  bx_store *store;
  bx *decoder;
} stage;

static int set_stage(void **state) {
  static stage st;
  st = (stage){.options = {.want_markup = true}};
  st.run = (struct fl_run){.options = &st.options, .sink = &st.sink};
  st.frame = (fl_frame){.job = {.options = &st.options, .run = &st.run}};
  st.run.arena = fl_arena_create(FL_LIMIT_SHARED_ARENA);
  if (fl_rows_init(&st.run.rows, NULL) != FL_OK) return -1;
  if (bx_store_create(st.run.arena, &st.store, NULL) != FL_OK) return -1;
  *state = &st;
  bx_store_begin_source(st.store);
  return bx_create(&st.frame.job, st.store, 0, &st.decoder, NULL) == FL_OK ? 0 : -1;
}

static int clear_stage(void **state) {
  stage *st = *state;
  bx_free(st->decoder);
  bx_store_free(st->store);
  fl_rows_free(&st->run.rows);
  fl_arena_free(st->run.arena);
  return 0;
}

/* The text is copied to the end of an allocation of its size, so that a sanitizer sees what is read
 * behind it. */
static fl_status read_xml(stage *st, fl_str xml, fl_row *ret_row, fl_err *err) {
  char *copy = test_malloc(xml.n ? xml.n : 1);
  memcpy(copy, xml.p, xml.n);
  *ret_row = (fl_row){0};
  const fl_status status =
      bx_xml_record(st->decoder, (fl_str){copy, xml.n}, &st->run.rows, ret_row, err);
  fl_str kept = fl_arena_str(st->run.rows.arena, xml); /* values point into the text */
  for (uint32_t i = ret_row->slot0; status == FL_OK && i < st->run.rows.n_slots; i++) {
    fl_raw *slot = &st->run.rows.slots[i];
    const char *p = (const char *)slot->p;
    if (p >= copy && p < copy + xml.n) slot->p = (const uint8_t *)kept.p + (p - copy);
  }
  test_free(copy);
  return status;
}

static fl_batch batch_of(const stage *st) {
  return (fl_batch){.rows = st->run.rows.rows, .slots = st->run.rows.slots};
}

static void expect_column(const stage *st, const fl_row *row, fl_column column, const char *text) {
  const fl_batch batch = batch_of(st);
  const fl_str found = fl_raw_text(fl_row_column(&batch, row, column), st->run.rows.arena);
  assert_int_equal(found.n, strlen(text));
  assert_memory_equal(found.p, text, found.n);
}

static void expect_field(const stage *st, const fl_row *row, const char *name, const char *text) {
  const fl_batch batch = batch_of(st);
  for (uint32_t i = 0; i < row->shape->n_fields; i++) {
    if (!fl_str_eq(row->shape->fields[i].name, fl_str_of(name))) continue;
    const fl_value value = fl_row_field(&batch, row, &row->shape->fields[i], st->run.rows.arena);
    const fl_str found = fl_value_text(&value, st->run.rows.arena);
    assert_int_equal(found.n, strlen(text));
    if (found.n) assert_memory_equal(found.p, text, found.n);
    return;
  }
  fail_msg("no field %s", name);
}

static const char sound[] =
    "<Event xmlns=\"ns\">\n  <System>\n    <Provider Name=\"A &amp; B\"/>\n"
    "    <EventID Qualifiers=\"7\">21</EventID>\n"
    "    <TimeCreated SystemTime=\"2026-03-10T08:00:00.123456700Z\"/>\n"
    "    <EventRecordID>5</EventRecordID>\n    <Security/>\n  </System>\n"
    "  <EventData>\n    <Data Name=\"Tom's\">&lt;a "
    "b=&quot;c&quot;&gt;&apos;&#228;&#x1F600;</Data>\n"
    "    <Data Name=\"Blank\"> \n </Data>\n    <Data Name=\"Nothing\"/>\n  "
    "</EventData>\n</Event>\n";

static void columns_and_fields_are_read(void **state) {
  stage *st = *state;
  fl_row row;
  fl_err err = {0};
  assert_int_equal(read_xml(st, fl_str_of(sound), &row, &err), FL_OK);
  expect_column(st, &row, FL_C_PROVIDER, "A & B");
  expect_column(st, &row, FL_C_EVENT_ID, "21");
  expect_column(st, &row, FL_C_QUALIFIERS, "7");
  expect_column(st, &row, FL_C_RECORD_ID, "5");
  assert_true(row.t == INT64_C(1773129600123456700));
  expect_field(st, &row, "Tom's", "<a b=\"c\">'ä😀");
  expect_field(st, &row, "Blank", " \n ");
  expect_field(st, &row, "Nothing", "");
  assert_int_equal(row.shape->n_fields, 3);
}

/* No beginning of a document is one, and none is read beyond its end. */
static void what_is_cut_is_refused(void **state) {
  stage *st = *state;
  const size_t n = strlen("</Event>\n");
  for (size_t i = 0; i < sizeof sound - 1 - n; i++) {
    fl_row row;
    fl_err err = {0};
    assert_int_equal(read_xml(st, (fl_str){sound, i}, &row, &err), FL_E_CORRUPT);
    assert_true(err.text[0] != 0);
  }
}

static void what_no_writer_gives_is_refused(void **state) {
  stage *st = *state;
  static const char *const wrong[] = {
      "text",
      "<a>&nbsp;</a>",
      "<a>&#0;</a>",
      "<a>&#xd800;</a>",
      "<a>&#x110000;</a>",
      "<a>&#;</a>",
      "<a>&#x;</a>",
      "<a>&amp</a>",
      "<a>&lt</a>;",
      "<a b='c'/>",
      "<a b=c/>",
      "<a b/>",
      "<a b=\"<\"/>",
      "<a></b>",
      "</a>",
      "<a/><b/>",
      "<a/>text",
      "<a><!-- x --></a>",
      "<a><![CDATA[x]]></a>",
      "<?xml version=\"1.0\"?><a/>",
      "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
      "< a/>",
      "<>",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    fl_row row;
    fl_err err = {0};
    const uint32_t n_slots = st->run.rows.n_slots;
    if (read_xml(st, fl_str_of(wrong[i]), &row, &err) != FL_E_CORRUPT) fail_msg("%s", wrong[i]);
    assert_int_equal(st->run.rows.n_slots, n_slots);
  }
}

/* `n` elements inside each other. */
static fl_str nested(fl_arena *arena, size_t n) {
  char *text = fl_arena_take(arena, n * 7);
  assert_non_null(text);
  for (size_t i = 0; i < n; i++) memcpy(text + 3 * i, "<a>", 3);
  for (size_t i = 0; i < n; i++) memcpy(text + 3 * n + 4 * i, "</a>", 4);
  return (fl_str){text, n * 7};
}

static void depth_has_a_limit(void **state) {
  stage *st = *state;
  fl_row row;
  fl_err err = {0};
  const fl_str deepest = nested(st->run.rows.arena, FL_LIMIT_ELEMENT_DEPTH);
  assert_int_equal(read_xml(st, deepest, &row, &err), FL_OK);
  const fl_str deeper = nested(st->run.rows.arena, FL_LIMIT_ELEMENT_DEPTH + 1);
  assert_int_equal(read_xml(st, deeper, &row, &err), FL_E_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(columns_and_fields_are_read, set_stage, clear_stage),
      cmocka_unit_test_setup_teardown(what_is_cut_is_refused, set_stage, clear_stage),
      cmocka_unit_test_setup_teardown(what_no_writer_gives_is_refused, set_stage, clear_stage),
      cmocka_unit_test_setup_teardown(depth_has_a_limit, set_stage, clear_stage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
