/* hostile_test.c - timeline files made to cost much: objects inside each other, texts that unfold.
 */
#include <zlib.h>

#include "base/limits.h"
#include "make.h"
#include "timeline/object.h"

/* What a reading gave, without looking at values. */
typedef struct tally {
  size_t n_sources, n_rows, n_damage;
  char first_damage[256];
} tally;

static fl_status tally_begin(void *self, const fl_source_info *source, fl_err *err) {
  tally *t = self;
  (void)source;
  (void)err;
  t->n_sources++;
  return FL_OK;
}
static fl_status tally_batch(void *self, const fl_batch *batch, fl_err *err) {
  tally *t = self;
  (void)err;
  t->n_rows += batch->n_rows;
  return FL_OK;
}
static fl_status tally_note(void *self, const fl_note *note, fl_err *err) {
  tally *t = self;
  (void)err;
  if (note->severity != FL_NOTE_DAMAGED) return FL_OK;
  if (t->n_damage++ == 0)
    (void)snprintf(t->first_damage, sizeof t->first_damage, "%.*s", FL_STR_ARG(note->text));
  return FL_OK;
}

static tally read_all(const void *bytes, size_t n, fl_time since) {
  tally t = {0};
  fl_timeline_reader *reader = NULL;
  fl_err err = {0};
  const fl_sink sink = {.self = &t, .begin = tally_begin, .batch = tally_batch, .note = tally_note};
  assert_int_equal(fl_timeline_open_memory(bytes, n, &reader, &err), FL_OK);
  const fl_status status = fl_timeline_read(reader, since, 0, &sink, NULL, &err);
  if (status != FL_OK) fail_msg("%s", err.text);
  fl_timeline_close(reader);
  return t;
}

static void expect_damage(const tally *t, const char *part) {
  if (!strstr(t->first_damage, part))
    fail_msg("the note is \"%s\", expected \"%s\" in it", t->first_damage, part);
}

/* --- files made by hand --- */

static void pack_header(fl_pack *file) {
  static const char header[] =
      "\x93\xa8"
      "FLTL\r\n\x1a\n"
      "\x01\x80";
  fl_pack_bytes(file, header, sizeof header - 1);
}

static void pack_object(fl_pack *file, fl_object_kind kind, const fl_block_info *info,
                        const fl_pack *payload) {
  fl_framer *framer = NULL;
  const fl_pack *object = NULL;
  fl_err err = {0};
  assert_false(payload->failed);
  assert_int_equal(fl_framer_create(9, &framer, &err), FL_OK);
  assert_int_equal(fl_framer_frame(framer, kind, info, payload, &object, &err), FL_OK);
  fl_pack_bytes(file, object->p, object->n);
  assert_false(file->failed);
  fl_framer_free(framer);
}

static void pack_text(fl_pack *pack, size_t n) {
  char *text = malloc(n + 1);
  assert_non_null(text);
  memset(text, 'x', n);
  fl_pack_str(pack, (fl_str){text, n});
  free(text);
}

/* The start of a payload: "n", and "cols" with the times of all rows, which are 1. */
static void pack_rows(fl_pack *pack, unsigned n_keys, unsigned n_rows, unsigned n_columns) {
  fl_pack_map(pack, n_keys);
  fl_pack_key(pack, "n");
  fl_pack_u64(pack, n_rows);
  fl_pack_key(pack, "cols");
  fl_pack_map(pack, 1 + n_columns);
  fl_pack_key(pack, "t");
  fl_pack_array(pack, n_rows);
  for (unsigned i = 0; i < n_rows; i++) fl_pack_u64(pack, i == 0);
}

static void pack_constant(fl_pack *pack, size_t n_text) {
  fl_pack_map(pack, 1);
  fl_pack_key(pack, "c");
  pack_text(pack, n_text);
}

/* One group that holds all rows, with one key. */
static void pack_group(fl_pack *pack, unsigned n_rows, size_t n_key) {
  fl_pack_key(pack, "data");
  fl_pack_array(pack, 1);
  fl_pack_map(pack, 3);
  fl_pack_key(pack, "k");
  fl_pack_array(pack, 1);
  pack_text(pack, n_key);
  fl_pack_key(pack, "r");
  fl_pack_array(pack, n_rows);
  for (unsigned i = 0; i < n_rows; i++) fl_pack_u64(pack, i > 0);
  fl_pack_key(pack, "v");
  fl_pack_array(pack, 1);
}

/* Reads a file of this block alone; empties the payload. */
static tally read_block(fl_pack *payload, unsigned n_rows) {
  fl_pack file = {0};
  const fl_block_info info = {.n = n_rows, .t_min = 1, .t_max = 1};
  pack_header(&file);
  pack_object(&file, FL_OBJECT_BLOCK, &info, payload);
  const tally t = read_all(file.p, file.n, 0);
  fl_pack_free(&file);
  fl_pack_free(payload);
  *payload = (fl_pack){0};
  return t;
}

enum { MIB = 1 << 20, FULL = FL_LIMIT_BLOCK_BYTES / MIB };

static tally read_constant_column(unsigned n_rows) {
  fl_pack payload = {0};
  pack_rows(&payload, 2, n_rows, 1);
  fl_pack_key(&payload, "host");
  pack_constant(&payload, MIB);
  return read_block(&payload, n_rows);
}

static tally read_table_column(unsigned n_rows) {
  fl_pack payload = {0};
  pack_rows(&payload, 3, n_rows, 1);
  fl_pack_key(&payload, "host");
  fl_pack_map(&payload, 1);
  fl_pack_key(&payload, "i");
  fl_pack_array(&payload, n_rows);
  for (unsigned i = 0; i < n_rows; i++) fl_pack_u64(&payload, 0);
  fl_pack_key(&payload, "str");
  fl_pack_array(&payload, 1);
  pack_text(&payload, MIB);
  return read_block(&payload, n_rows);
}

static tally read_data(unsigned n_rows, bool is_list) {
  fl_pack payload = {0};
  pack_rows(&payload, 3, n_rows, 0);
  pack_group(&payload, n_rows, 16);
  fl_pack_map(&payload, 1);
  fl_pack_key(&payload, "c");
  if (is_list) fl_pack_array(&payload, 2);
  if (is_list) pack_text(&payload, 16);
  pack_text(&payload, MIB - 32);
  return read_block(&payload, n_rows);
}

static tally read_keys(unsigned n_rows) {
  fl_pack payload = {0};
  pack_rows(&payload, 3, n_rows, 0);
  pack_group(&payload, n_rows, MIB);
  fl_pack_map(&payload, 1);
  fl_pack_key(&payload, "c");
  fl_pack_u64(&payload, 1);
  return read_block(&payload, n_rows);
}

static void expect_unfolded(tally within, tally beyond) {
  assert_int_equal(within.n_rows, FULL);
  assert_int_equal(beyond.n_rows, 0);
  expect_damage(&beyond, "unfold to more than 67108864 bytes");
}

static void texts_do_not_unfold_without_end(void **state) {
  (void)state;
  expect_unfolded(read_constant_column(FULL), read_constant_column(FULL + 1));
  expect_unfolded(read_table_column(FULL), read_table_column(FULL + 1));
  expect_unfolded(read_data(FULL, false), read_data(FULL + 1, false));
  expect_unfolded(read_data(FULL, true), read_data(FULL + 1, true));
  expect_unfolded(read_keys(FULL), read_keys(FULL + 1));
  expect_unfolded(read_constant_column(FULL), read_constant_column(FL_LIMIT_BLOCK_EVENTS));
}

/* The writer counts keys, too: rows that share long ones are spread over blocks. */
static void the_writer_keeps_within(void **state) {
  (void)state;
  enum { N_ROWS = 100, N_KEY = 100000, N_FIELDS = 10 };
  fl_arena *arena = fl_arena_create(64 << 20);
  char *names = fl_arena_take(arena, (size_t)N_FIELDS * (N_KEY + 1));
  const char *list[N_FIELDS];
  for (size_t i = 0; i < N_FIELDS; i++) {
    char *name = names + i * (N_KEY + 1);
    memset(name, 'a' + (char)i, N_KEY);
    name[N_KEY] = '\0';
    list[i] = name;
  }
  made_shape *shape = make_shape(arena, 0, "P", "C", list, N_FIELDS);
  made_rows made = make_rows(arena, 0, "a.evtx", N_ROWS, FL_C_COUNT + N_FIELDS);
  for (uint32_t i = 0; i < N_ROWS; i++) (void)make_row(&made, shape, T0 + i, 1, i + 1);
  const fl_str file = write_timeline(&made, NULL, 1, NULL, NULL, 0);
  const tally t = read_all(file.p, file.n, 0);
  assert_int_equal(t.n_rows, N_ROWS);
  assert_int_equal(t.n_damage, 0);
  free((char *)(uintptr_t)file.p);
  fl_arena_free(arena);
}

static tally read_named(size_t n_name, unsigned n_rows) {
  fl_pack file = {0}, payload = {0};
  pack_header(&file);
  fl_pack_map(&payload, 2);
  fl_pack_key(&payload, "key");
  fl_pack_u64(&payload, 7);
  fl_pack_key(&payload, "name");
  pack_text(&payload, n_name);
  pack_object(&file, FL_OBJECT_SOURCE, NULL, &payload);
  payload.n = 0;
  pack_rows(&payload, 2, n_rows, 1);
  fl_pack_key(&payload, "source");
  fl_pack_map(&payload, 1);
  fl_pack_key(&payload, "c");
  fl_pack_u64(&payload, 7);
  pack_object(&file, FL_OBJECT_BLOCK, &(fl_block_info){.n = n_rows, .t_min = 1, .t_max = 1},
              &payload);
  const tally t = read_all(file.p, file.n, 0);
  fl_pack_free(&file);
  fl_pack_free(&payload);
  return t;
}

static void names_of_sources_are_bounded(void **state) {
  (void)state;
  tally t = read_named(FL_LIMIT_SOURCE_NAME, 4096);
  assert_int_equal(t.n_rows, 4096);
  expect_damage(&t, "no valid trailer");
  t = read_named(FL_LIMIT_SOURCE_NAME, 4097);
  assert_int_equal(t.n_rows, 4096);
  expect_damage(&t, "names of sources");
  t = read_named(FL_LIMIT_SOURCE_NAME + 1, 10);
  assert_int_equal(t.n_rows, 10); /* of a source that is named after its key */
  expect_damage(&t, "a source's name has 16385 bytes, at most 16384");
}

/* Starts of objects, each of which claims all the rest of the file, and a block of n_text bytes. */
static tally read_behind_markers(unsigned n_markers, size_t n_text) {
  fl_pack file = {0}, payload = {0}, block = {0};
  pack_header(&file);
  pack_rows(&payload, 2, 1, 1);
  fl_pack_key(&payload, "host");
  char *text = malloc(n_text);
  assert_non_null(text);
  for (size_t i = 0; i < n_text; i++) text[i] = (char)('!' + i * i % 89);
  fl_pack_array(&payload, 1);
  fl_pack_str(&payload, (fl_str){text, n_text});
  fl_pack_array(&block, 9);
  fl_pack_key(&block, "FLBLOCK1");
  fl_pack_u64(&block, 0);
  fl_pack_u64(&block, 1);
  fl_pack_i64(&block, 1);
  fl_pack_i64(&block, 1);
  fl_pack_u64(&block, payload.n);
  fl_pack_u64(&block, crc32_z(0, payload.p, payload.n));
  fl_pack_u64(&block, FL_CODEC_STORE);
  fl_pack_bin(&block, payload.p, payload.n);
  enum { MARKER_BYTES = 26 };
  for (unsigned i = 0; i < n_markers; i++) {
    const uint64_t left = (uint64_t)MARKER_BYTES * (n_markers - 1 - i) + block.n;
    uint8_t marker[MARKER_BYTES] =
        "\x95\xa8"
        "FLSOURCE"
        "\xce....\xce\0\0\0\0\0\xc6....";
    for (unsigned k = 0; k < 4; k++)
      marker[11 + k] = marker[22 + k] = (uint8_t)(left >> (24 - 8 * k));
    fl_pack_bytes(&file, marker, sizeof marker);
  }
  fl_pack_bytes(&file, block.p, block.n);
  const tally t = read_all(file.p, file.n, 0);
  free(text);
  fl_pack_free(&file);
  fl_pack_free(&payload);
  fl_pack_free(&block);
  return t;
}

/* Each try reads all the rest: without a budget the time would grow with the square. */
static void objects_that_overlap_have_a_budget(void **state) {
  (void)state;
  tally t = read_behind_markers(3, MIB);
  assert_int_equal(t.n_rows, 1);
  expect_damage(&t, "FLSOURCE: checksum is wrong; 78 bytes left out");
  t = read_behind_markers(1000, MIB);
  assert_int_equal(t.n_rows, 0); /* the budget is spent */
  expect_damage(&t, "FLSOURCE: checksum is wrong");
  t = read_behind_markers(80000, 1000); /* 2 MB: more than half a minute without it */
  expect_damage(&t, "FLSOURCE: checksum is wrong");
}

/* A source whose payload has another source inside, and a footer that lists both. */
static void listed_objects_do_not_overlap(void **state) {
  (void)state;
  fl_pack file = {0}, inner = {0}, payload = {0}, object = {0};
  pack_header(&file);
  for (unsigned i = 0; i < 2; i++) {
    payload.n = 0;
    fl_pack_map(&payload, 2 + i);
    fl_pack_key(&payload, "key");
    fl_pack_u64(&payload, i);
    fl_pack_key(&payload, "name");
    pack_text(&payload, 5 + i);
    if (i) fl_pack_key(&payload, "more");
    if (i) fl_pack_bin(&payload, inner.p, inner.n);
    object.n = 0;
    pack_object(&object, FL_OBJECT_SOURCE, NULL, &payload);
    if (i == 0) fl_pack_bytes(&inner, object.p, object.n);
  }
  const uint64_t outer_at = file.n, inner_at = file.n + object.n - inner.n;
  fl_pack_bytes(&file, object.p, object.n);
  payload.n = 0;
  fl_pack_map(&payload, 2);
  fl_pack_key(&payload, "objects");
  fl_pack_array(&payload, 2);
  fl_pack_u64(&payload, outer_at);
  fl_pack_u64(&payload, inner_at);
  fl_pack_key(&payload, "blocks");
  fl_pack_array(&payload, 0);
  const uint64_t foot_at = file.n;
  pack_object(&file, FL_OBJECT_FOOTER, NULL, &payload);
  const uint64_t crc = crc32_z(0, file.p + foot_at, file.n - foot_at);
  uint8_t trailer[FL_TRAILER_BYTES] = {0xd8, FL_TRAILER_TYPE};
  for (unsigned k = 0; k < 8; k++) trailer[2 + k] = (uint8_t)(foot_at >> (56 - 8 * k));
  for (unsigned k = 0; k < 4; k++) trailer[10 + k] = (uint8_t)(crc >> (24 - 8 * k));
  memcpy(trailer + 14, "FLTE", 4);
  fl_pack_bytes(&file, trailer, sizeof trailer);
  const tally t = read_all(file.p, file.n, T0);
  assert_int_equal(t.n_sources, 2); /* the outer one, and the file itself for the note */
  expect_damage(&t, "starts inside the object before it");
  fl_pack_free(&file);
  fl_pack_free(&inner);
  fl_pack_free(&payload);
  fl_pack_free(&object);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_do_not_unfold_without_end),
      cmocka_unit_test(the_writer_keeps_within),
      cmocka_unit_test(names_of_sources_are_bounded),
      cmocka_unit_test(objects_that_overlap_have_a_budget),
      cmocka_unit_test(listed_objects_do_not_overlap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
