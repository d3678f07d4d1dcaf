/* damage_test.c - a cut, flipped or hostile file never harms and is never believed in silence. */
#include <zlib.h>

#include "base/hash.h"
#include "make.h"
#include "timeline/pack.h"

/* Rows with texts, lists and numbers; `n` over 4096 makes several blocks. */
static fl_str make_file(uint32_t n) {
  static const char *const names[] = {"User", "Code", "List"};
  fl_arena *arena = fl_arena_create(64 << 20);
  made_shape *shape = make_shape(arena, 0, "P", "C", names, 3);
  made_rows made = make_rows(arena, 0, "a.evtx", n, FL_C_COUNT + 3);
  for (uint32_t i = 0; i < n; i++) {
    char text[32];
    fl_raw *slot = make_row(&made, shape, T0 + i, 1 + i % 5, i + 1) + FL_C_COUNT;
    (void)snprintf(text, sizeof text, "user%u", i * 7919u % 61);
    slot[0] = raw_utf16(arena, text);
    slot[1] = raw_number(arena, FL_T_U32, i * 2654435761u, 4);
    slot[2] = raw_bytes(arena, FL_T_U16 | FL_T_ARRAY, "\x01\x00\x02\x00\x03\x00", 2 + 2 * (i % 3));
  }
  const fl_note note = {0, FL_NOTE_REPAIRED, 512, FL_STR("record 3: repaired")};
  const fl_str bytes = write_timeline(&made, NULL, 1, NULL, &note, 1);
  fl_arena_free(arena);
  return bytes;
}

/* A sink that only hashes: every byte of every value is looked at. */
typedef struct summary {
  uint64_t hash, n_rows;
  size_t n_notes, n_damage;
  fl_arena *arena;
} summary;

static void add(summary *s, const void *bytes, size_t n) {
  s->hash = fl_hash_bytes(bytes, n, s->hash);
}

static void add_value(summary *s, const fl_value *value) {
  add(s, &value->kind, sizeof value->kind);
  if (value->kind == FL_V_STR) add(s, value->as.text.p, value->as.text.n);
  if (value->kind == FL_V_INT || value->kind == FL_V_UINT) add(s, &value->as.natural, 8);
  for (size_t i = 0; value->kind == FL_V_LIST && i < value->as.list.n_items; i++)
    add_value(s, &value->as.list.items[i]);
}

static fl_status sum_batch(void *self, const fl_batch *batch, fl_err *err) {
  summary *s = self;
  (void)err;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    fl_arena_reset(s->arena);
    assert_non_null(fl_arena_alloc(s->arena, 16));
    const uint64_t numbers[] = {(uint64_t)row->t,
                                (uint64_t)row->t_written,
                                row->header_record_id,
                                row->seq,
                                row->offset,
                                row->length,
                                row->flags,
                                row->source};
    add(s, numbers, sizeof numbers);
    for (unsigned c = 0; c < FL_C_COUNT; c++) {
      const fl_value value = fl_raw_decode(fl_row_column(batch, row, (fl_column)c), s->arena);
      add_value(s, &value);
    }
    for (uint32_t k = 0; k < row->shape->n_fields; k++) {
      const fl_value value = fl_row_field(batch, row, &row->shape->fields[k], s->arena);
      add(s, row->shape->fields[k].name.p, row->shape->fields[k].name.n);
      add_value(s, &value);
    }
    s->n_rows++;
  }
  return FL_OK;
}
static fl_status sum_note(void *self, const fl_note *note, fl_err *err) {
  summary *s = self;
  (void)err;
  s->n_notes++;
  s->n_damage += note->severity == FL_NOTE_DAMAGED;
  if (note->severity != FL_NOTE_DAMAGED) add(s, note->text.p, note->text.n);
  return FL_OK;
}

static fl_status summarise(fl_str bytes, fl_time since, summary *ret_summary) {
  fl_timeline_reader *reader = NULL;
  fl_err err = {0};
  summary s = {.arena = fl_arena_create(16 << 20)};
  fl_status status = fl_timeline_open_memory((const uint8_t *)bytes.p, bytes.n, &reader, &err);
  const fl_sink sink = {.self = &s, .batch = sum_batch, .note = sum_note};
  if (status == FL_OK) {
    status = fl_timeline_read(reader, since, 0, &sink, NULL, &err);
    if (status != FL_OK) print_error("%s\n", err.text);
    assert_int_equal(status, FL_OK);
  }
  fl_timeline_close(reader);
  fl_arena_free(s.arena);
  *ret_summary = s;
  return status;
}

/* A copy of exactly n bytes, so that the sanitizer sees any read beyond them. */
static fl_str copy_of(fl_str bytes, size_t n) {
  char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, bytes.p, n);
  return (fl_str){copy, n};
}
static void drop(fl_str bytes) { free((char *)(uintptr_t)bytes.p); }

static void check_cut(fl_str whole, size_t n, uint64_t min_rows) {
  summary s;
  const fl_str cut = copy_of(whole, n);
  const fl_status status = summarise(cut, 0, &s);
  if (status == FL_OK) {
    assert_int_equal(s.n_damage, n < whole.n ? 1 : 0);
    assert_true(s.n_rows >= min_rows);
  } else {
    assert_true(n < 11); /* not even the magic and the version */
  }
  drop(cut);
}

static void cut_files_give_their_whole_blocks(void **state) {
  (void)state;
  const fl_str whole = make_file(9000);
  for (size_t i = 0; i <= 64; i++) check_cut(whole, whole.n * i / 64, 0);
  for (size_t i = 0; i < 40; i++) check_cut(whole, i, 0);
  uint64_t n_blocks = 0;
  for (size_t at = 0; at + 8 < whole.n; at++) {
    if (memcmp(whole.p + at, "FLBLOCK1", 8) != 0) continue;
    /* the block starts with its array and string bytes, two in front of the marker */
    for (size_t near = at - 2; near < at + 12; near++) check_cut(whole, near, n_blocks * 4096);
    n_blocks++;
  }
  assert_int_equal(n_blocks, 3);
  check_cut(whole, whole.n - 1, 9000);
  check_cut(whole, whole.n - 18, 9000);
  check_cut(whole, whole.n, 9000);
  drop(whole);
}

static void check_flips(uint32_t n_rows, unsigned n_flips) {
  const fl_str whole = make_file(n_rows);
  summary right;
  assert_int_equal(summarise(whole, 0, &right), FL_OK);
  assert_int_equal(right.n_notes, 1);
  const fl_str flipped = copy_of(whole, whole.n);
  char *p = (char *)(uintptr_t)flipped.p;
  uint32_t seed = 1;
  for (unsigned i = 0; i < n_flips; i++) {
    seed = seed * 1664525u + 1013904223u;
    const size_t at = (size_t)(((uint64_t)seed * whole.n) >> 32);
    seed = seed * 1664525u + 1013904223u;
    const char bit = (char)(1u << (seed >> 29));
    p[at] = (char)(p[at] ^ bit);
    summary s;
    if (summarise(flipped, i % 4 ? 0 : T0, &s) == FL_OK && s.n_damage == 0)
      assert_true(s.hash == right.hash && s.n_rows == right.n_rows);
    p[at] = (char)(p[at] ^ bit);
  }
  drop(flipped);
  drop(whole);
}

static void no_flipped_bit_is_believed(void **state) {
  (void)state;
  check_flips(40, 1600);
  check_flips(400, 400);
}

static void reading_goes_on_behind_damage(void **state) {
  (void)state;
  const fl_str whole = make_file(9000);
  char *p = (char *)(uintptr_t)whole.p;
  size_t at = 0;
  while (memcmp(p + at, "FLBLOCK1", 8) != 0) at++;
  memset(p + at + 60, 0x55, 500);
  summary s;
  assert_int_equal(summarise(whole, 0, &s), FL_OK);
  assert_int_equal(s.n_rows, 9000 - 4096);
  assert_int_equal(s.n_damage, 1);
  assert_int_equal(s.n_notes, 2);
  memset(p + at - 1, 0x55, 9); /* the same with the marker gone */
  assert_int_equal(summarise(whole, 0, &s), FL_OK);
  assert_int_equal(s.n_rows, 9000 - 4096);
  assert_int_equal(s.n_damage, 1);
  assert_int_equal(summarise(whole, T0, &s), FL_OK); /* through the footer */
  assert_int_equal(s.n_rows, 9000 - 4096);
  assert_int_equal(s.n_damage, 1);
  drop(whole);
}

/* --- files made by hand --- */

typedef struct forged {
  const char *bytes;
  size_t n;
} forged;
#define FORGED(literal) \
  { literal, sizeof(literal) - 1 }
#define HEADER     \
  "\x93\xa8"       \
  "FLTL\r\n\x1a\n" \
  "\x01\x80"

/* A block of one object around a payload whose checksum is right. */
static fl_str forge(const void *payload, size_t n_payload, uint64_t raw_len, unsigned codec,
                    uint64_t n, uint32_t crc) {
  fl_pack pack = {0};
  fl_pack_bytes(&pack, HEADER, sizeof HEADER - 1);
  fl_pack_array(&pack, 9);
  fl_pack_key(&pack, "FLBLOCK1");
  fl_pack_u64(&pack, 0);
  fl_pack_u64(&pack, n);
  fl_pack_i64(&pack, 1);
  fl_pack_i64(&pack, 1);
  fl_pack_u64(&pack, raw_len);
  fl_pack_u64(&pack, crc);
  fl_pack_u64(&pack, codec);
  fl_pack_bin(&pack, payload, n_payload);
  const fl_str bytes = copy_of((fl_str){(char *)pack.p, pack.n}, pack.n);
  fl_pack_free(&pack);
  return bytes;
}

static uint64_t rows_of(fl_str file) {
  summary s;
  assert_int_equal(summarise(file, 0, &s), FL_OK);
  assert_int_equal(s.n_damage, 1);
  drop(file);
  return s.n_rows;
}

static uint64_t rows_of_payload(const char *payload, size_t n) {
  return rows_of(forge(payload, n, n, 0, 1, (uint32_t)crc32_z(0, (const uint8_t *)payload, n)));
}

static void hostile_payloads_are_refused(void **state) {
  (void)state;
  static const forged payloads[] = {
      FORGED("\xdd\xff\xff\xff\xff"),
      FORGED("\xdd\x07\xff\xff\xff"),
      FORGED("\xdf\xff\xff\xff\xff"),
      FORGED("\xdb\xff\xff\xff\xff"),
      FORGED("\xc6\xff\xff\xff\xff"),
      FORGED("\xc7\xff\x01"),
      FORGED("\xd4\x01\x01"),
      FORGED("\xc1"),
      FORGED("\xc0\xc0"),
      FORGED("\xa1\xff"),
      FORGED("\xde\x00"),
      FORGED("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
      FORGED("\x80"),
      FORGED("\xc0"),
      FORGED("\x90"),
      /* columns of a wrong length, times that run backwards, indices out of range */
      FORGED("\x82\xa1n\x01\xa4"
             "cols\x81\xa1t\x92\x01\x00"),
      FORGED("\x82\xa1n\x01\xa4"
             "cols\x81\xa1t\x91\x02"),
      FORGED("\x82\xa1n\x02\xa4"
             "cols\x81\xa1t\x92\x01\xff"),
      FORGED("\x82\xa1n\x01\xa4"
             "cols\x82\xa1t\x91\x01\xa4host\x81\xa1i\x91\x00"),
      FORGED("\x82\xa1n\x01\xa4"
             "cols\x82\xa1t\x91\x01\xa4host\x81\xa1x\x00"),
      FORGED("\x82\xa1n\x01\xa4"
             "cols\x82\xa1t\x91\x01\xa4host\xa1x"),
      FORGED("\x83\xa1n\x01\xa4"
             "cols\x81\xa1t\x91\x01\xa4"
             "data\xc0"),
      FORGED("\x83\xa1n\x01\xa4"
             "cols\x81\xa1t\x91\x01\xa4"
             "data\x91\x80"),
      FORGED("\x83\xa1n\x01\xa4"
             "cols\x81\xa1t\x91\x01\xa4"
             "data\x91\x83\xa1k\x91\xa1"
             "a\xa1r\x91\x01\xa1v\x91\x91\x00"),
      FORGED("\x83\xa1n\x01\xa4"
             "cols\x81\xa1t\x91\x01\xa4"
             "data\x91\x83\xa1k\x91\x01\xa1r\x91"
             "\x00\xa1v\x91\x91\x00"),
  };
  for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
    assert_int_equal(rows_of_payload(payloads[i].bytes, payloads[i].n), 0);
  /* the same by the book, with a nested list and a map as values */
  static const forged good = FORGED(
      "\x83\xa1n\x01\xa4"
      "cols\x81\xa1t\x91\x01\xa4"
      "data\x91\x83\xa1k\x92\xa1"
      "a\xa1"
      "b\xa1r\x91\x00\xa1v\x92\x91\x91\x91\x01\x91\x80");
  assert_int_equal(rows_of_payload(good.bytes, good.n), 1);
}

static void bombs_and_lies_are_refused(void **state) {
  (void)state;
  enum { N = 1 << 20 };
  uint8_t *zeros = calloc(1, N);
  uLongf n_packed = compressBound(N);
  uint8_t *packed = malloc(n_packed);
  assert_true(zeros && packed);
  assert_int_equal(compress2(packed, &n_packed, zeros, N, 9), Z_OK);
  const uint32_t crc = (uint32_t)crc32_z(0, zeros, N);
  assert_int_equal(rows_of(forge(packed, n_packed, 100, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed, N - 1, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed, N + 1, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed, N, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed, UINT64_MAX, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed, UINT32_MAX, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed - 1, N, 1, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, n_packed, N, 7, 1, crc)), 0);
  assert_int_equal(rows_of(forge(packed, 0, 0, 0, 1, 0)), 0);
  assert_int_equal(rows_of(forge("\x80", 1, 1, 0, UINT64_MAX, 0)), 0);
  free(packed);
  free(zeros);
}

/* 20,000 constant columns on 65,536 rows would be a thousand million values. */
static void constants_do_not_unfold_without_end(void **state) {
  (void)state;
  enum { ROWS = 65536, KEYS = 20000 };
  fl_pack pack = {0};
  fl_pack_map(&pack, 3);
  fl_pack_key(&pack, "n");
  fl_pack_u64(&pack, ROWS);
  fl_pack_key(&pack, "cols");
  fl_pack_map(&pack, 1);
  fl_pack_key(&pack, "t");
  fl_pack_array(&pack, ROWS);
  for (unsigned i = 0; i < ROWS; i++) fl_pack_u64(&pack, i == 0);
  fl_pack_key(&pack, "data");
  fl_pack_array(&pack, 1);
  fl_pack_map(&pack, 3);
  fl_pack_key(&pack, "k");
  fl_pack_array(&pack, KEYS);
  for (unsigned i = 0; i < KEYS; i++) fl_pack_key(&pack, "k");
  fl_pack_key(&pack, "r");
  fl_pack_array(&pack, ROWS);
  for (unsigned i = 0; i < ROWS; i++) fl_pack_u64(&pack, i > 0);
  fl_pack_key(&pack, "v");
  fl_pack_array(&pack, KEYS);
  for (unsigned i = 0; i < KEYS; i++)
    fl_pack_bytes(&pack,
                  "\x81\xa1"
                  "c\x01",
                  4);
  assert_false(pack.failed);
  assert_int_equal(
      rows_of(forge(pack.p, pack.n, pack.n, 0, ROWS, (uint32_t)crc32_z(0, pack.p, pack.n))), 0);
  fl_pack_free(&pack);
}

static void other_files_are_no_timelines(void **state) {
  (void)state;
  summary s;
  fl_str file = copy_of((fl_str){"ElfFile\0aaaaaaaa", 16}, 16);
  assert_int_equal(summarise(file, 0, &s), FL_E_CORRUPT);
  assert_false(fl_timeline_probe((const uint8_t *)file.p, file.n));
  drop(file);
  file = copy_of((fl_str){HEADER, sizeof HEADER - 1}, sizeof HEADER - 1);
  assert_true(fl_timeline_probe((const uint8_t *)file.p, file.n));
  assert_int_equal(summarise(file, 0, &s), FL_OK);
  assert_int_equal(s.n_damage, 1);
  ((char *)(uintptr_t)file.p)[10] = 2;
  assert_int_equal(summarise(file, 0, &s), FL_E_UNSUPPORTED);
  drop(file);
  fl_timeline_reader *reader = NULL;
  fl_err err = {0};
  assert_int_equal(fl_timeline_open("/nonexistent/x.fltl", &reader, &err), FL_E_IO);
  assert_int_equal(fl_timeline_open("/", &reader, &err), FL_E_IO);
  assert_null(reader);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cut_files_give_their_whole_blocks),
      cmocka_unit_test(no_flipped_bit_is_believed),
      cmocka_unit_test(reading_goes_on_behind_damage),
      cmocka_unit_test(hostile_payloads_are_refused),
      cmocka_unit_test(bombs_and_lies_are_refused),
      cmocka_unit_test(constants_do_not_unfold_without_end),
      cmocka_unit_test(other_files_are_no_timelines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
