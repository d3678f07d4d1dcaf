/* round_trip_test.c - what goes into a timeline file comes out of it, in order. */
#include "make.h"

static const uint8_t guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t sid[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

static int compare_lines(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Lines start with the time, the source and the sequence, so that sorting them is the order of a
 * timeline as long as sequences have one digit. */
static char *sorted_lines(const char *text) {
  char *copy = strdup(text);
  char **lines = calloc(strlen(text) + 1, sizeof *lines);
  size_t n = 0;
  assert_non_null(copy);
  assert_non_null(lines);
  for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) lines[n++] = line;
  qsort(lines, n, sizeof *lines, compare_lines);
  char *sorted = calloc(1, strlen(text) + 2);
  assert_non_null(sorted);
  for (size_t i = 0; i < n; i++) {
    strcat(sorted, lines[i]);
    strcat(sorted, "\n");
  }
  free(lines);
  free(copy);
  return sorted;
}

static char *describe_all(const made_rows *made, size_t n) {
  heard h;
  hear_open(&h);
  for (size_t i = 0; i < n; i++) {
    const fl_batch batch = batch_of(&made[i]);
    for (uint32_t k = 0; k < made[i].n_rows; k++)
      describe_row(h.out, made[i].source.name, &batch, &batch.rows[k]);
  }
  hear_close(&h);
  return h.text;
}

static void check_round_trip(const made_rows *made, size_t n) {
  char *original = describe_all(made, n);
  char *expected = sorted_lines(original);
  heard h;
  fl_ingest_totals totals = {0};
  const fl_str bytes = write_timeline(made, NULL, n, NULL, NULL, 0);
  assert_int_equal(read_timeline(bytes, 0, 0, &h, &totals), FL_OK);
  assert_string_equal(h.text, expected);
  assert_int_equal(h.n_notes, 0);
  assert_int_equal(h.n_sources, n);
  free(h.text);
  free(expected);
  free(original);
  free((char *)(uintptr_t)bytes.p);
}

static void every_kind_of_value_comes_back(void **state) {
  (void)state;
  static const char *const names[] = {
      "null",     "str16", "str8",  "utf8",   "i8",    "u8",    "i16",  "u16",     "i32",
      "u32",      "i64",   "u64",   "f32",    "f64",   "true",  "bin",  "guid",    "size",
      "ft",       "st",    "sid",   "hex32",  "hex64", "empty", "long", "unsound", "u16array",
      "strarray", "list",  "glued", "umlaut", "bool1", "xml"};
  enum { N = sizeof names / sizeof names[0] };
  fl_arena *arena = fl_arena_create(8 << 20);
  made_shape *shape = make_shape(arena, 0, "Provider", "System", names, N);
  const fl_ref two[2] = {{.kind = FL_REF_SLOT, .slot = FL_C_COUNT + 4},
                         {.kind = FL_REF_SLOT, .slot = FL_C_COUNT + 1}};
  shape->fields[28] = (fl_shape_field){FL_STR("list"), two, 2, FL_JOIN_LIST};
  shape->fields[29] = (fl_shape_field){FL_STR("glued"), two, 2, FL_JOIN_CONCAT};
  made_rows made = make_rows(arena, 0, "System.evtx", 4, FL_C_COUNT + N);
  fl_raw *slot = make_row(&made, shape, T0, 7001, 17);
  made.rows[0].header_record_id = 99;
  made.rows[0].flags = FL_F_BAD_CRC | FL_F_TRUNCATED;
  slot[FL_C_PROVIDER_GUID] = raw_bytes(arena, FL_T_GUID, guid, 16);
  slot[FL_C_QUALIFIERS] = raw_number(arena, FL_T_U16, 49152, 2);
  slot[FL_C_ACTIVITY_ID] = raw_bytes(arena, FL_T_GUID, guid, 16);
  slot[FL_C_RELATED_ACTIVITY_ID] = raw_bytes(arena, FL_T_GUID, guid, 16);
  slot[FL_C_TID] = raw_number(arena, FL_T_U32, 4, 4);
  slot[FL_C_USER_SID] = raw_bytes(arena, FL_T_SID, sid, sizeof sid);
  slot[FL_C_MESSAGE] = raw_utf16(arena, "a message");
  slot[FL_C_MESSAGE_SOURCE] = raw_utf16(arena, "mta");
  slot[FL_C_LEVEL_NAME] = raw_utf16(arena, "Information");
  slot[FL_C_TASK_NAME] = raw_utf16(arena, "Task");
  slot[FL_C_OPCODE_NAME] = raw_utf16(arena, "Info");
  slot[FL_C_KEYWORD_NAMES] = raw_utf16(arena, "Classic");
  slot += FL_C_COUNT;
  char text[3000];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = 0;
  const double real = -0.1;
  const float small = 1.5f;
  const uint16_t system_time[8] = {2023, 11, 2, 14, 22, 13, 20, 7};
  slot[1] = raw_utf16(arena, "text");
  slot[2] = raw_bytes(arena, FL_T_STR8, "caf\xe9", 4);
  slot[3] = raw_utf8(arena, "utf8");
  slot[4] = raw_number(arena, FL_T_I8, (uint64_t)-5, 1);
  slot[5] = raw_number(arena, FL_T_U8, 200, 1);
  slot[6] = raw_number(arena, FL_T_I16, (uint64_t)-300, 2);
  slot[7] = raw_number(arena, FL_T_U16, 60000, 2);
  slot[8] = raw_number(arena, FL_T_I32, (uint64_t)INT32_MIN, 4);
  slot[9] = raw_number(arena, FL_T_U32, UINT32_MAX, 4);
  slot[10] = raw_number(arena, FL_T_I64, (uint64_t)INT64_MIN, 8);
  slot[11] = raw_number(arena, FL_T_U64, UINT64_MAX, 8);
  slot[12] = raw_bytes(arena, FL_T_F32, &small, sizeof small);
  slot[13] = raw_bytes(arena, FL_T_F64, &real, sizeof real);
  slot[14] = raw_number(arena, FL_T_BOOL, 1, 4);
  slot[15] = raw_bytes(arena, FL_T_BIN, "\x00\xff\x10", 3);
  slot[16] = raw_bytes(arena, FL_T_GUID, guid, 16);
  slot[17] = raw_number(arena, FL_T_SIZE, 4096, 8);
  slot[18] = raw_filetime(arena, T0);
  slot[19] = raw_bytes(arena, FL_T_SYSTEMTIME, system_time, 16);
  slot[20] = raw_bytes(arena, FL_T_SID, sid, sizeof sid);
  slot[21] = raw_number(arena, FL_T_HEX32, 0xc000006d, 4);
  slot[22] = raw_number(arena, FL_T_HEX64, 1, 8);
  slot[23] = raw_utf16(arena, "");
  slot[24] = raw_utf16(arena, text);
  slot[25] = raw_bytes(arena, FL_T_U32, "abc", 3);
  slot[26] = raw_bytes(arena, FL_T_U16 | FL_T_ARRAY, "\x01\x00\x02\x00\x03\x00", 6);
  slot[27] = raw_bytes(arena, FL_T_STR16 | FL_T_ARRAY, "a\0\0\0b\0c\0\0\0", 10);
  slot[30] = raw_bytes(arena, FL_T_STR16, "\xfc\x00\x3d\xd8\x00\xde", 6);
  slot[31] = raw_number(arena, FL_T_BOOL, 0, 1);
  slot[32] = raw_bytes(arena, FL_T_EVTXML, "<\0a\0/\0>\0\0\0", 10);
  check_round_trip(&made, 1);
  /* a second row, whose lists are longer and whose values are null */
  slot = make_row(&made, shape, T0 + 1, 7002, 18) + FL_C_COUNT;
  slot[26] = raw_bytes(arena, FL_T_U16 | FL_T_ARRAY, "\x01\x00\x02\x00", 4);
  slot[4] = raw_utf8(arena, "four");
  made.rows[1].t_written = 0;
  made.rows[1].slot0 = made.rows[1].slot0;
  make_row(&made, shape, T0 + 2, 7003, 19)[FL_C_TIME] = (fl_raw){0};
  make_row(&made, shape, 0, 7003, 20)[FL_C_TIME] = raw_number(arena, FL_T_FILETIME, 5, 8);
  made.rows[3].flags = FL_F_TIME_INVALID;
  made.rows[3].t = 0;
  check_round_trip(&made, 1);
  fl_arena_free(arena);
}

static void ties_go_by_name_and_sequence(void **state) {
  (void)state;
  static const char *const names[] = {"a"};
  fl_arena *arena = fl_arena_create(8 << 20);
  made_shape *shape = make_shape(arena, 0, "P", "C", names, 1);
  made_rows made[3];
  static const char *const sources[] = {"b.evtx", "a.evtx", "c.evtx"};
  for (uint32_t i = 0; i < 3; i++) {
    made[i] = make_rows(arena, i, sources[i], 9, FL_C_COUNT + 1);
    for (uint32_t k = 0; k < 9; k++) make_row(&made[i], shape, T0 - k / 3, 1, 100 * i + k);
  }
  check_round_trip(made, 3);
  static const size_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
  const fl_str first = write_timeline(made, orders[0], 3, NULL, NULL, 0);
  for (size_t i = 1; i < 3; i++) {
    const fl_str other = write_timeline(made, orders[i], 3, NULL, NULL, 0);
    assert_int_equal(first.n, other.n);
    assert_memory_equal(first.p, other.p, first.n);
    free((char *)(uintptr_t)other.p);
  }
  free((char *)(uintptr_t)first.p);
  fl_arena_free(arena);
}

enum { MANY = 12000 };
static void make_many(fl_arena *arena, made_rows made[2]) {
  static const char *const names[] = {"User", "Code", "Text", "Address"};
  static const char *const others[] = {"Only"};
  made_shape *shapes[2] = {make_shape(arena, 0, "P", "C", names, 4),
                           make_shape(arena, 1, "Q", "C", others, 1)};
  uint32_t seed = 7;
  for (uint32_t s = 0; s < 2; s++) {
    made[s] = make_rows(arena, s, s ? "x/one.evtx" : "x/two.evtx", MANY, FL_C_COUNT + 4);
    for (uint32_t i = 0; i < MANY; i++) {
      seed = seed * 1664525u + 1013904223u;
      char text[40];
      const unsigned kind = seed >> 16 & 1;
      fl_raw *slot =
          make_row(&made[s], shapes[kind], T0 + (int64_t)(seed >> 8), 1 + (seed >> 20 & 7), i + 1);
      (void)snprintf(text, sizeof text, "user%u", seed >> 10 & 31);
      slot[FL_C_COUNT] = raw_utf16(arena, text);
      if (kind) continue;
      slot[FL_C_COUNT + 1] = raw_number(arena, FL_T_HEX32, seed, 4);
      (void)snprintf(text, sizeof text, "text %u", seed);
      slot[FL_C_COUNT + 2] = raw_utf16(arena, text);
    }
  }
}

static void spilling_changes_nothing(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(256 << 20);
  made_rows made[2];
  make_many(arena, made);
  const fl_str whole = write_timeline(made, NULL, 2, NULL, NULL, 0);
  static const size_t memories[] = {100, 100000, 2 << 20};
  for (size_t i = 0; i < 3; i++) {
    made_rows fewer[2] = {made[0], made[1]};
    if (i == 0) fewer[0].n_rows = fewer[1].n_rows = 500; /* a run for each row */
    const fl_str all = i ? whole : write_timeline(fewer, NULL, 2, NULL, NULL, 0);
    const fl_timeline_options options = {.memory_bytes = memories[i]};
    const fl_str spilled = write_timeline(fewer, NULL, 2, &options, NULL, 0);
    assert_int_equal(all.n, spilled.n);
    assert_memory_equal(all.p, spilled.p, all.n);
    free((char *)(uintptr_t)spilled.p);
    if (i == 0) free((char *)(uintptr_t)all.p);
  }
  heard h;
  assert_int_equal(read_timeline(whole, 0, 0, &h, NULL), FL_OK);
  assert_int_equal(h.n_rows, 2 * MANY);
  assert_int_equal(h.n_notes, 0);
  free(h.text);
  free((char *)(uintptr_t)whole.p);
  fl_arena_free(arena);
}

static void windows_are_read_through_the_index(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(256 << 20);
  made_rows made[2];
  make_many(arena, made);
  const fl_str whole = write_timeline(made, NULL, 2, NULL, NULL, 0);
  const fl_time since = T0 + 3000000, until = T0 + 3500000;
  size_t expected = 0;
  for (size_t s = 0; s < 2; s++)
    for (uint32_t i = 0; i < MANY; i++)
      expected += made[s].rows[i].t >= since && made[s].rows[i].t <= until;
  assert_true(expected > 100);
  heard h, limited;
  assert_int_equal(read_timeline(whole, since, until, &h, NULL), FL_OK);
  assert_int_equal(h.n_rows, expected);
  assert_int_equal(h.n_notes, 0);
  /* the writer's window gives the same rows */
  const fl_timeline_options options = {.since = since, .until = until};
  const fl_str part = write_timeline(made, NULL, 2, &options, NULL, 0);
  assert_int_equal(read_timeline(part, 0, 0, &limited, NULL), FL_OK);
  assert_string_equal(limited.text, h.text);
  free(h.text);
  free(limited.text);
  free((char *)(uintptr_t)whole.p);
  free((char *)(uintptr_t)part.p);
  fl_arena_free(arena);
}

static void later_copies_are_marked(void **state) {
  (void)state;
  static const char *const names[] = {"a"};
  fl_arena *arena = fl_arena_create(8 << 20);
  made_shape *shape = make_shape(arena, 0, "P", "C", names, 1);
  made_rows made[2] = {make_rows(arena, 0, "b.evtx", 4, FL_C_COUNT + 1),
                       make_rows(arena, 1, "a.evtx", 4, FL_C_COUNT + 1)};
  make_row(&made[0], shape, T0, 1, 10);
  make_row(&made[0], shape, T0, 2, 11);
  make_row(&made[1], shape, T0, 1, 10);
  make_row(&made[1], shape, T0 + 1, 2, 11);
  heard h;
  const fl_str bytes = write_timeline(made, NULL, 2, NULL, NULL, 0);
  assert_int_equal(read_timeline(bytes, 0, 0, &h, NULL), FL_OK);
  const char *first = strstr(h.text, "flags=10 ");
  assert_non_null(first);
  assert_null(strstr(first + 1, "flags=10 "));
  assert_non_null(strstr(h.text, "b.evtx seq=0 w="));
  assert_true(strstr(h.text, "b.evtx seq=0") < first && first < strstr(h.text, "b.evtx seq=1"));
  free(h.text);
  free((char *)(uintptr_t)bytes.p);
  fl_arena_free(arena);
}

static fl_status check_source(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  unsigned *n = self;
  (*n)++;
  if (!fl_str_eq(source->name, FL_STR("z.zip!/b.evtx"))) return FL_OK;
  assert_int_equal(source->parent, 0);
  assert_string_equal(source->type, "evtx");
  assert_string_equal(source->sha256,
                      "0123456789012345678901234567890123456789012345678901234567890123");
  assert_int_equal(source->n_events, 1);
  assert_int_equal(source->first, T0);
  assert_int_equal(source->n_ledger, 2);
  assert_int_equal(source->ledger[1].state, FL_L_DAMAGED);
  assert_int_equal(source->ledger[1].offset, 100);
  assert_true(fl_str_eq(source->ledger[1].reason, FL_STR("checksum")));
  return FL_OK;
}

static void sources_and_notes_come_back(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(8 << 20);
  made_shape *shape = make_shape(arena, 0, "P", "C", NULL, 0);
  made_rows made[2] = {make_rows(arena, 0, "z.zip", 1, FL_C_COUNT),
                       make_rows(arena, 1, "z.zip!/b.evtx", 1, FL_C_COUNT)};
  const fl_range ledger[2] = {{0, 100, FL_L_PARSED, {0}},
                              {100, 20, FL_L_DAMAGED, FL_STR("checksum")}};
  made[0].source.is_container = true;
  made[1].source.parent = 0;
  made[1].source.n_events = 1;
  made[1].source.first = T0;
  made[1].source.ledger = ledger;
  made[1].source.n_ledger = 2;
  memcpy(made[1].source.sha256, "0123456789012345678901234567890123456789012345678901234567890123",
         65);
  make_row(&made[1], shape, T0, 1, 1);
  const fl_note notes[2] = {{1, FL_NOTE_REPAIRED, 4096, FL_STR("chunk 0: repaired")},
                            {0, FL_NOTE_INFO, 0, FL_STR("nothing")}};
  heard h;
  fl_ingest_totals totals = {0};
  const fl_str bytes = write_timeline(made, NULL, 2, NULL, notes, 2);
  assert_int_equal(read_timeline(bytes, 0, 0, &h, &totals), FL_OK);
  assert_int_equal(h.n_notes, 2);
  assert_string_equal(h.last_note, "chunk 0: repaired");
  assert_int_equal(totals.n_notes, 2);
  assert_int_equal(totals.worst, FL_NOTE_REPAIRED);
  assert_int_equal(totals.n_parsed, 1);
  assert_int_equal(totals.n_events, 1);
  fl_timeline_reader *reader = NULL;
  fl_err err = {0};
  unsigned n_ended = 0;
  const fl_sink sink = {.self = &n_ended, .end = check_source};
  assert_int_equal(fl_timeline_open_memory((const uint8_t *)bytes.p, bytes.n, &reader, &err),
                   FL_OK);
  assert_int_equal(fl_timeline_read(reader, 0, 0, &sink, NULL, &err), FL_OK);
  assert_int_equal(n_ended, 2);
  fl_timeline_close(reader);
  free(h.text);
  free((char *)(uintptr_t)bytes.p);
  fl_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_of_value_comes_back),
      cmocka_unit_test(ties_go_by_name_and_sequence),
      cmocka_unit_test(spilling_changes_nothing),
      cmocka_unit_test(windows_are_read_through_the_index),
      cmocka_unit_test(later_copies_are_marked),
      cmocka_unit_test(sources_and_notes_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
