/* memory_test.c - arenas, the cursor, and outputs that are whole or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/rd.h"

static void arena_is_zeroed_capped_and_reusable(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  for (int round = 0; round < 3; round++) {
    for (size_t n = 0; n < 3000; n += 7) {
      uint8_t *p = fl_arena_alloc(arena, n);
      assert_non_null(p);
      for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
      if (n) memset(p, 0xa5, n);
      if (n > 1500) break;
    }
    fl_arena_reset(arena);
  }
  assert_null(fl_arena_alloc(arena, 2 << 20));
  assert_null(fl_arena_alloc(arena, SIZE_MAX));
  assert_non_null(fl_arena_alloc(arena, 900 << 10));
  assert_null(fl_arena_alloc(arena, 900 << 10));
  fl_arena_free(arena);
  fl_arena_free(NULL);
}

static void cursor_never_reads_past_its_end(void **state) {
  (void)state;
  const uint8_t bytes[] = {1, 2, 3, 4, 5};
  fl_rd rd = fl_rd_of(bytes, sizeof bytes);
  assert_int_equal(fl_rd_u16(&rd), 0x0201);
  fl_rd inner = fl_rd_sub(&rd, 2);
  assert_int_equal(fl_rd_u16(&inner), 0x0403);
  assert_int_equal(fl_rd_u8(&inner), 0);
  assert_false(fl_rd_ok(&inner));
  assert_true(fl_rd_ok(&rd));
  assert_int_equal(fl_rd_u32(&rd), 0);
  assert_false(fl_rd_ok(&rd));
  assert_int_equal(fl_rd_u8(&rd), 0);
  fl_rd again = fl_rd_of(bytes, sizeof bytes);
  fl_rd_seek(&again, 6);
  assert_false(fl_rd_ok(&again));
  assert_true(fl_rd_fits(&(fl_rd){.p = bytes, .n = 5}, 2, 2));
  assert_false(fl_rd_fits(&(fl_rd){.p = bytes, .n = 5}, UINT64_MAX, 2));
}

static void growth_doubles_and_refuses_overflow(void **state) {
  (void)state;
  void *items = NULL;
  size_t cap = 0;
  assert_true(fl_grow(&items, &cap, 9, 4));
  assert_int_equal(cap, 16);
  assert_false(fl_grow(&items, &cap, SIZE_MAX / 2, 8));
  assert_int_equal(cap, 16);
  free(items);
}

static void a_file_has_its_name_only_when_whole(void **state) {
  (void)state;
  char path[64];
  (void)snprintf(path, sizeof path, "/tmp/fl-out-%d", (int)getpid());
  fl_err err = {0};
  fl_out *out = NULL;
  struct stat info;
  assert_int_equal(fl_out_open(path, &out, &err), FL_OK);
  for (int i = 0; i < 100000; i++) fl_out_printf(out, "%d\n", i);
  assert_int_not_equal(stat(path, &info), 0);
  assert_int_equal(fl_out_size(out), 588890);
  assert_int_equal(fl_out_close(out, &err), FL_OK);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_size, 588890);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(fl_out_open(path, &out, &err), FL_OK);
  fl_out_puts(out, "half");
  fl_out_discard(out);
  assert_int_not_equal(stat(path, &info), 0);
  assert_int_equal(fl_out_open("/nonexistent/x", &out, &err), FL_E_IO);
  assert_non_null(strstr(err.text, "/nonexistent/x: cannot create"));
}

static void a_full_disk_is_an_error(void **state) {
  (void)state;
  fl_err err = {0};
  fl_out *out = NULL;
  assert_int_equal(fl_out_open("/dev/full", &out, &err), FL_OK);
  fl_out_puts(out, "x");
  assert_int_equal(fl_out_close(out, &err), FL_E_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arena_is_zeroed_capped_and_reusable),
      cmocka_unit_test(cursor_never_reads_past_its_end),
      cmocka_unit_test(growth_doubles_and_refuses_overflow),
      cmocka_unit_test(a_file_has_its_name_only_when_whole),
      cmocka_unit_test(a_full_disk_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
