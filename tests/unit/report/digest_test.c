/* digest_test.c - the checksum over typed values: what counts, and that nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "faultline/report.h"

enum { N_FIELDS = 3, N_ROWS = 3, N_SLOTS = 2 + N_FIELDS };

/* A log of one shape: two columns and a field are slots, the provider is a constant. */
typedef struct log {
  fl_shape shape;
  fl_shape_field fields[N_FIELDS];
  fl_ref refs[N_FIELDS];
  fl_row rows[N_ROWS];
  fl_raw slots[N_ROWS * N_SLOTS];
} log;

static fl_raw raw(uint8_t type, const void *bytes, size_t n) {
  return (fl_raw){bytes, (uint32_t)n, type, 0};
}
#define RAW(type, literal) raw(type, literal, sizeof(literal) - 1)

static log *log_create(void) {
  static const char *const names[N_FIELDS] = {"User", "Code", "List"};
  log *l = calloc(1, sizeof *l);
  assert_non_null(l);
  l->shape = (fl_shape){.cached = true, .n_slots = N_SLOTS, .n_fields = N_FIELDS};
  l->shape.columns[FL_C_PROVIDER] =
      (fl_ref){.kind = FL_REF_CONST, .constant = RAW(FL_T_STR16, "P\0")};
  l->shape.columns[FL_C_EVENT_ID] = (fl_ref){.kind = FL_REF_SLOT, .slot = 0};
  l->shape.columns[FL_C_RECORD_ID] = (fl_ref){.kind = FL_REF_SLOT, .slot = 1};
  for (uint32_t i = 0; i < N_FIELDS; i++) {
    l->refs[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = 2 + i};
    l->fields[i] = (fl_shape_field){
        .name = fl_str_of(names[i]), .refs = &l->refs[i], .n_refs = 1, .join = FL_JOIN_ONE};
  }
  l->shape.fields = l->fields;
  for (uint32_t i = 0; i < N_ROWS; i++) {
    l->rows[i] = (fl_row){.shape = &l->shape,
                          .t = 1000 + i,
                          .header_record_id = i + 1,
                          .offset = 512 * (uint64_t)(i + 1),
                          .slot0 = i * N_SLOTS};
    fl_raw *slot = l->slots + l->rows[i].slot0;
    slot[0] = RAW(FL_T_U16, "\x02\x04");
    slot[1] = RAW(FL_T_U64, "\x01\0\0\0\0\0\0\0");
    slot[2] = RAW(FL_T_STR16, "a\0b\0");
    slot[3] = RAW(FL_T_U32, "\x04\x09\0\0");
    slot[4] = RAW(FL_T_U16 | FL_T_ARRAY, "\x01\0\x02\0");
  }
  return l;
}

static fl_digest_sums sums_of(const log *l) {
  fl_digest *digest = NULL;
  fl_err err = {0};
  assert_int_equal(fl_digest_create(&digest, &err), FL_OK);
  const fl_batch batch = {.n_rows = N_ROWS, .rows = l->rows, .slots = l->slots};
  const fl_sink sink = fl_digest_sink(digest);
  assert_int_equal(sink.batch(sink.self, &batch, &err), FL_OK);
  const fl_digest_sums sums = fl_digest_result(digest);
  fl_digest_free(digest);
  assert_int_equal(sums.n_events, N_ROWS);
  return sums;
}

/* The sum of the log after a change differs from that of the log as it was; the log is freed. */
static void expect_other(log *changed, const char *what) {
  log *plain = log_create();
  if (sums_of(plain).sum == sums_of(changed).sum) fail_msg("%s does not count", what);
  free(plain);
  free(changed);
}

static void expect_other_slot(unsigned row, unsigned slot, fl_raw value, const char *what) {
  log *l = log_create();
  l->slots[l->rows[row].slot0 + slot] = value;
  expect_other(l, what);
}

static void expect_same_slot(unsigned slot, fl_raw before, fl_raw after, const char *what) {
  log *a = log_create(), *b = log_create();
  a->slots[slot] = before;
  b->slots[slot] = after;
  if (sums_of(a).sum != sums_of(b).sum) fail_msg("%s makes a difference", what);
  free(a);
  free(b);
}

static void equal_logs_have_equal_sums(void **state) {
  (void)state;
  log *a = log_create(), *b = log_create();
  const fl_digest_sums one = sums_of(a), two = sums_of(b);
  assert_true(one.sum == two.sum && one.sum != 0);
  assert_int_equal(one.n_values, N_ROWS * 6);
  /* other memory with the same bytes, and a shape that is not cached */
  char text[] = "a\0b\0";
  b->slots[2] = raw(FL_T_STR16, text, 4);
  b->shape.cached = false;
  assert_true(sums_of(b).sum == one.sum);
  free(a);
  free(b);
  expect_same_slot(2, RAW(FL_T_STR16, "a\0b\0"), RAW(FL_T_STR16, "a\0b\0\0\0"),
                   "a NUL at the end of a text");
}

static void one_value_counts(void **state) {
  (void)state;
  for (unsigned row = 0; row < N_ROWS; row++) {
    expect_other_slot(row, 0, RAW(FL_T_U16, "\x03\x04"), "a number of 16 bits");
    expect_other_slot(row, 1, RAW(FL_T_U64, "\x01\0\0\0\0\0\0\x80"), "a number of 64 bits");
    expect_other_slot(row, 2, RAW(FL_T_STR16, "a\0c\0"), "a text");
    expect_other_slot(row, 3, RAW(FL_T_U32, "\x04\x09\0\x01"), "a number of 32 bits");
    expect_other_slot(row, 4, RAW(FL_T_U16 | FL_T_ARRAY, "\x02\0\x01\0"), "the order of a list");
    expect_other_slot(row, 4, RAW(FL_T_U16 | FL_T_ARRAY, "\x01\0\x03\0"), "an item of a list");
  }
}

static void type_and_length_count(void **state) {
  (void)state;
  expect_other_slot(1, 0, RAW(FL_T_I16, "\x02\x04"), "the sign of a type");
  expect_other_slot(1, 0, RAW(FL_T_U32, "\x02\x04\0\0"), "the width of a number");
  expect_other_slot(1, 3, RAW(FL_T_HEX32, "\x04\x09\0\0"), "the display of a number");
  expect_other_slot(1, 2, RAW(FL_T_BIN, "a\0b\0"), "text or binary");
  expect_other_slot(1, 2, RAW(FL_T_STR8, "ab"), "the encoding of a text");
  expect_other_slot(1, 2, RAW(FL_T_STR16, "a\0"), "a shorter text");
  expect_other_slot(1, 2, RAW(FL_T_STR16, "a\0b\0c\0"), "a longer text");
  expect_other_slot(1, 2, RAW(FL_T_STR16, ""), "an empty text");
  expect_other_slot(1, 2, (fl_raw){0}, "a null");
  expect_other_slot(1, 3, RAW(FL_T_U32, "\x04\x09\0"), "a number that is cut");
  expect_other_slot(1, 4, RAW(FL_T_U16 | FL_T_ARRAY, "\x01\0"), "a shorter list");
  expect_other_slot(1, 4, RAW(FL_T_U16, "\x01\0"), "a list or a value");
  expect_other_slot(1, 4, RAW(FL_T_U16 | FL_T_ARRAY, "\x01\0\x02\0\0\0"), "a longer list");
  expect_other_slot(1, 4, RAW(FL_T_U32 | FL_T_ARRAY, "\x01\0\x02\0"), "the type of a list");
}

static void order_and_place_count(void **state) {
  (void)state;
  log *l = log_create();
  const fl_row first = l->rows[0];
  l->rows[0] = l->rows[1];
  l->rows[1] = first;
  expect_other(l, "the order of rows");
  l = log_create();
  l->slots[2] = RAW(FL_T_U32, "\x04\x09\0\0");
  l->slots[3] = RAW(FL_T_STR16, "a\0b\0");
  expect_other(l, "which field has which value");
  l = log_create();
  l->slots[2] = RAW(FL_T_STR16, "x\0"); /* the same changes in two rows, and in one field twice */
  log *other = log_create();
  other->slots[N_SLOTS + 2] = RAW(FL_T_STR16, "x\0");
  assert_true(sums_of(l).sum != sums_of(other).sum);
  free(other);
  free(l);
}

static void rows_and_shapes_count(void **state) {
  (void)state;
  log *l = log_create();
  l->rows[2].t++;
  expect_other(l, "the time");
  l = log_create();
  l->rows[2].header_record_id++;
  expect_other(l, "the record number");
  l = log_create();
  l->rows[2].offset++;
  expect_other(l, "the offset");
  l = log_create();
  l->shape.columns[FL_C_PROVIDER].constant = RAW(FL_T_STR16, "Q\0");
  expect_other(l, "a constant");
  l = log_create();
  l->shape.columns[FL_C_CHANNEL] = l->shape.columns[FL_C_PROVIDER];
  l->shape.columns[FL_C_PROVIDER] = (fl_ref){0};
  expect_other(l, "the column of a constant");
  l = log_create();
  l->fields[1].name = FL_STR("Kode");
  expect_other(l, "the name of a field");
  l = log_create();
  l->fields[2].join = FL_JOIN_LIST;
  expect_other(l, "whether a field is a list");
  l = log_create();
  l->shape.n_fields = N_FIELDS - 1;
  expect_other(l, "a field that is missing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_logs_have_equal_sums), cmocka_unit_test(one_value_counts),
      cmocka_unit_test(type_and_length_count),      cmocka_unit_test(order_and_place_count),
      cmocka_unit_test(rows_and_shapes_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
