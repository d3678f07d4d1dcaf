/* ingest_source_test.c - bytes at any offset, whatever stands behind a source. */
#include <fcntl.h>

#include "ingest_recorder.h"
#include "parsers/source.h"

static void expect_bytes(fl_source *source, uint64_t offset, size_t n, const char *expected) {
  char bytes[64];
  size_t n_read = 99;
  fl_err err = {0};
  assert_int_equal(fl_source_read(source, offset, bytes, n, &n_read, &err), FL_OK);
  assert_int_equal(n_read, strlen(expected));
  assert_memory_equal(bytes, expected, n_read);
}

static void test_memory(void **state) {
  (void)state;
  fl_source *source = fl_source_of_memory((const uint8_t *)"0123456789", 10);
  assert_int_equal(fl_source_size(source), 10);
  expect_bytes(source, 0, 4, "0123");
  expect_bytes(source, 8, 10, "89");
  expect_bytes(source, 10, 10, "");
  expect_bytes(source, UINT64_MAX, 10, "");
  fl_source_free(source);
}

static void test_file(void **state) {
  (void)state;
  write_file("f", "0123456789", 10);
  fl_source *source = NULL;
  fl_err err = {0};
  assert_int_equal(fl_source_open("f", &source, &err), FL_OK);
  expect_bytes(source, 2, 3, "234");
  expect_bytes(source, 9, 3, "9");
  char hex[65];
  assert_int_equal(fl_source_sha256(source, hex, &err), FL_OK);
  assert_string_equal(hex, "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882");
  assert_int_equal(truncate("f", 5), 0);
  char bytes[10];
  size_t n = 0;
  assert_int_equal(fl_source_read(source, 0, bytes, 10, &n, &err), FL_E_IO);
  fl_source_free(source);
}

static void expect_refused(int folder, const char *path, const char *words) {
  fl_source *source = NULL;
  fl_err err = {0};
  const fl_status s = folder < 0 ? fl_source_open(path, &source, &err)
                                 : fl_source_open_at(folder, path, &source, &err);
  assert_int_equal(s, FL_E_IO);
  assert_non_null(strstr(err.text, words));
}

static void test_only_regular_files_without_links(void **state) {
  (void)state;
  assert_int_equal(mkdir("d", 0700), 0);
  write_file("d/f", "abc", 3);
  assert_int_equal(symlink("f", "d/link"), 0);
  assert_int_equal(symlink("d", "e"), 0);
  assert_int_equal(mkfifo("fifo", 0600), 0);
  const int folder = open(".", O_RDONLY | O_DIRECTORY);
  expect_refused(folder, "d/link", "symbolic link");
  expect_refused(folder, "e/f", "cannot be opened");
  expect_refused(folder, "fifo", "neither a regular file");
  expect_refused(folder, "d", "became a folder");
  expect_refused(-1, "fifo", "neither a regular file");
  expect_refused(-1, "nothing", "No such file");
  fl_source *source = NULL;
  fl_err err = {0};
  assert_int_equal(fl_source_open_at(folder, "d/f", &source, &err), FL_OK);
  expect_bytes(source, 0, 9, "abc");
  fl_source_free(source);
  close(folder);
}

/* Gives `left` blocks of 1 MiB whose bytes are the block's number, then `end`. */
typedef struct tap {
  uint8_t block[1 << 20];
  unsigned n_given, left;
  fl_status end;
} tap;

static fl_status pull(void *self, const uint8_t **ret_bytes, size_t *ret_n_bytes, fl_err *err) {
  tap *t = self;
  if (t->left == 0) return t->end < FL_OK ? fl_fail(err, t->end, 0, "the tap broke") : FL_END;
  --t->left;
  memset(t->block, (int)('a' + t->n_given++ % 26), sizeof t->block);
  *ret_bytes = t->block;
  *ret_n_bytes = sizeof t->block;
  return FL_OK;
}

static fl_source *tap_source(tap **ret_tap, unsigned n_blocks, fl_status end) {
  tap *t = calloc(1, sizeof *t);
  assert_non_null(t);
  t->left = n_blocks;
  t->end = end;
  *ret_tap = t;
  return fl_source_of_stream(pull, t, FL_SOURCE_SIZE_UNKNOWN);
}

static void test_long_streams_leave_memory(void **state) {
  (void)state;
  tap *t = NULL;
  fl_source *source = tap_source(&t, 20, FL_END);
  uint8_t head[4];
  assert_int_equal(fl_source_head(source, head, sizeof head), 4);
  assert_int_equal(t->n_given, 1);
  assert_false(fl_source_has_size(source));
  fl_source_load(source);
  assert_int_equal(fl_source_size(source), 20u << 20);
  assert_null(fl_source_fault(source));
  expect_bytes(source, (1 << 20) - 2, 4, "aabb");
  expect_bytes(source, (20u << 20) - 3, 9, "ttt");
  fl_source_free(source);
  free(t);
}

static void test_broken_streams_keep_what_came(void **state) {
  (void)state;
  tap *t = NULL;
  fl_source *source = tap_source(&t, 1, FL_E_CORRUPT);
  fl_source_load(source);
  assert_int_equal(fl_source_size(source), 1u << 20);
  assert_int_equal(fl_source_fault(source)->code, FL_E_CORRUPT);
  assert_string_equal(fl_source_fault(source)->text, "the tap broke");
  expect_bytes(source, (1 << 20) - 2, 4, "aa");
  fl_source_free(source);
  free(t);
}

static void test_refused_sources_have_no_bytes(void **state) {
  (void)state;
  fl_source *source = fl_source_refused(77, FL_E_UNSUPPORTED, "no %s", "key");
  assert_int_equal(fl_source_size(source), 77);
  assert_string_equal(fl_source_fault(source)->text, "no key");
  expect_bytes(source, 0, 4, "");
  fl_source_free(source);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory),
      cmocka_unit_test_setup_teardown(test_file, enter_folder, leave_folder),
      cmocka_unit_test_setup_teardown(test_only_regular_files_without_links, enter_folder,
                                      leave_folder),
      cmocka_unit_test(test_long_streams_leave_memory),
      cmocka_unit_test(test_broken_streams_keep_what_came),
      cmocka_unit_test(test_refused_sources_have_no_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
