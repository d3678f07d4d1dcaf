/* pack_test.c - numbers are msgpack in its shortest form, as msgpack-c writes them. */
#include "timeline/pack.h"

#include <msgpack.h>

#include "tests/unit/timeline/make.h"

static void expect_as_msgpack(uint64_t number) {
  msgpack_sbuffer wanted;
  msgpack_sbuffer_init(&wanted);
  msgpack_packer packer;
  msgpack_packer_init(&packer, &wanted, msgpack_sbuffer_write);
  msgpack_pack_uint64(&packer, number);
  msgpack_pack_int64(&packer, (int64_t)number);
  fl_pack pack = {0};
  fl_pack_u64(&pack, number);
  assert_int_equal(fl_pack_length(pack.p), pack.n);
  fl_pack_i64(&pack, (int64_t)number);
  assert_int_equal(pack.n, wanted.size);
  assert_memory_equal(pack.p, wanted.data, wanted.size);
  fl_pack_free(&pack);
  msgpack_sbuffer_destroy(&wanted);
}

static void numbers_are_as_short_as_they_can_be(void **state) {
  (void)state;
  for (unsigned bit = 0; bit < 64; bit++)
    for (uint64_t less = 0; less <= 2; less++) {
      expect_as_msgpack((UINT64_C(1) << bit) - less);
      expect_as_msgpack(0 - (UINT64_C(1) << bit) - less);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_as_short_as_they_can_be)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
