/* familiar_test.c - values that come again are named by number, and mean the same afterwards. */
#include "timeline/familiar.h"

#include "tests/unit/timeline/make.h"

typedef struct bench {
  fl_arena *arena;
  fl_familiars familiars;
  fl_pack pack;
} bench;

static int set_up(void **state) {
  bench *b = calloc(1, sizeof *b);
  b->arena = fl_arena_create(16 << 20);
  *state = b;
  return fl_familiars_init(&b->familiars, NULL) == FL_OK ? 0 : -1;
}

static int tear_down(void **state) {
  bench *b = *state;
  fl_familiars_done(&b->familiars);
  fl_pack_free(&b->pack);
  fl_arena_free(b->arena);
  free(b);
  return 0;
}

/* Packs the value; true when it became a number. Either way it has to read as `wanted`. */
static bool becomes_number(bench *b, fl_raw raw, const char *wanted) {
  uint32_t hint = 0;
  bool is_cut = false;
  b->pack.n = 0;
  const size_t n_saved = fl_familiars_pack(&b->familiars, &b->pack, raw, &hint, &is_cut);
  const uint8_t *at = b->pack.p;
  const bool is_number = *at == FL_FAMILIAR_TAG;
  const fl_str value = fl_familiars_take(&b->familiars, &at);
  assert_ptr_equal(at, b->pack.p + b->pack.n);
  assert_int_equal(value.n, b->pack.n + n_saved);
  assert_int_equal(value.n - 1, strlen(wanted)); /* short texts: one byte of header */
  assert_memory_equal(value.p + 1, wanted, value.n - 1);
  assert_int_equal(hint != 0, is_number);
  return is_number;
}

static void the_second_time_makes_a_number(void **state) {
  bench *b = *state;
  const fl_raw text = raw_utf16(b->arena, "SRV01.example.net");
  assert_false(becomes_number(b, text, "SRV01.example.net"));
  assert_false(becomes_number(b, text, "SRV01.example.net")); /* now it is kept */
  assert_true(becomes_number(b, text, "SRV01.example.net"));
  assert_true(becomes_number(b, raw_utf16(b->arena, "SRV01.example.net"), "SRV01.example.net"));
}

static void types_with_equal_bytes_are_apart(void **state) {
  bench *b = *state;
  const fl_raw text = raw_utf8(b->arena, "ABCDEFGH");
  fl_raw number = text;
  number.type = FL_T_HEX64;
  for (int i = 0; i < 3; i++) (void)becomes_number(b, text, "ABCDEFGH");
  for (int i = 0; i < 3; i++) (void)becomes_number(b, number, "0x4847464544434241");
  assert_true(becomes_number(b, text, "ABCDEFGH"));
  assert_true(becomes_number(b, number, "0x4847464544434241"));
}

static void a_hint_is_only_a_hint(void **state) {
  bench *b = *state;
  const fl_raw one = raw_utf8(b->arena, "first of two"), two = raw_utf8(b->arena, "second of two");
  for (int i = 0; i < 2; i++) {
    (void)becomes_number(b, one, "first of two");
    (void)becomes_number(b, two, "second of two");
  }
  uint32_t hint = 0;
  bool is_cut = false;
  b->pack.n = 0;
  (void)fl_familiars_pack(&b->familiars, &b->pack, one, &hint, &is_cut);
  (void)fl_familiars_pack(&b->familiars, &b->pack, two, &hint, &is_cut);
  const uint8_t *at = b->pack.p;
  assert_memory_equal(fl_familiars_take(&b->familiars, &at).p + 1, "first", 5);
  assert_memory_equal(fl_familiars_take(&b->familiars, &at).p + 1, "second", 6);
}

/* More different values than there is room for: the rest stays as it is. */
static void a_full_store_takes_no_more(void **state) {
  bench *b = *state;
  unsigned n_numbers = 0;
  for (unsigned i = 0; i < 60000; i++) {
    char text[32];
    (void)snprintf(text, sizeof text, "value %u", i);
    const fl_raw raw = {(const uint8_t *)text, (uint32_t)strlen(text), FL_T_UTF8, 0};
    for (int times = 0; times < 3; times++) n_numbers += becomes_number(b, raw, text);
  }
  assert_true(n_numbers > 1000);
  assert_true(n_numbers < 60000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_second_time_makes_a_number, set_up, tear_down),
      cmocka_unit_test_setup_teardown(types_with_equal_bytes_are_apart, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_hint_is_only_a_hint, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_full_store_takes_no_more, set_up, tear_down),
  };
  return cmocka_run_group_tests_name("familiar", tests, NULL, NULL);
}
