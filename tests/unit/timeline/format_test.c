/* format_test.c - the file of three events in the format document, and the Python reader. */
#include <unistd.h>

#include "make.h"

static const char *top(void) {
  const char *folder = getenv("FL_TOP");
  return folder ? folder : ".";
}

/* The three events of docs/formats/timeline.md. */
static fl_str make_vector(void) {
  static const char *const names[] = {"Value", "Reason"};
  fl_arena *arena = fl_arena_create(8 << 20);
  made_shape *shape = make_shape(arena, 0, "Provider", "Channel", names, 2);
  made_shape *bare = make_shape(arena, 1, "Provider", "Channel", NULL, 0);
  made_rows made = make_rows(arena, 0, "a.evtx", 3, FL_C_COUNT + 2);
  fl_raw *slot = make_row(&made, shape, T0, 1026, 1) + FL_C_COUNT;
  slot[0] = raw_number(arena, FL_T_U32, 516, 4);
  slot[1] = raw_utf16(arena, "net");
  slot = make_row(&made, shape, T0 + FL_SECOND, 1026, 2) + FL_C_COUNT;
  slot[0] = raw_number(arena, FL_T_HEX32, 0x904, 4);
  slot[1] = raw_utf16(arena, "net");
  (void)make_row(&made, bare, T0 + 2 * FL_SECOND, 1105, 4);
  const fl_note note = {0, FL_NOTE_DAMAGED, 5632, FL_STR("record 3: checksum is wrong")};
  const fl_timeline_options options = {.run = FL_STR("example")};
  const fl_str bytes = write_timeline(&made, NULL, 1, &options, &note, 1);
  fl_arena_free(arena);
  return bytes;
}

/* Lines of the dump: eight hexadecimal digits, two blanks, then bytes until three blanks. */
static char *dump_of(fl_str bytes) {
  char *text = NULL;
  size_t n = 0;
  FILE *out = open_memstream(&text, &n);
  assert_non_null(out);
  for (size_t at = 0; at < bytes.n; at += 16) {
    (void)fprintf(out, "%08zx ", at);
    for (size_t i = at; i < at + 16 && i < bytes.n; i++)
      (void)fprintf(out, " %02x", (unsigned)(uint8_t)bytes.p[i]);
    (void)fputs("\n", out);
  }
  assert_int_equal(fclose(out), 0);
  return text;
}

static char *read_text(const char *path) {
  FILE *in = fopen(path, "rb");
  if (!in) return NULL;
  char *text = calloc(1, 1 << 20);
  assert_non_null(text);
  assert_true(fread(text, 1, (1 << 20) - 1, in) > 0);
  assert_int_equal(fclose(in), 0);
  return text;
}

static void the_document_shows_this_very_file(void **state) {
  (void)state;
  char path[512];
  (void)snprintf(path, sizeof path, "%s/docs/formats/timeline.md", top());
  char *document = read_text(path);
  const fl_str bytes = make_vector();
  char *dump = dump_of(bytes);
  const char *wanted = getenv("FL_SHOW");
  if (wanted) (void)fputs(dump, stdout);
  assert_non_null(document);
  assert_non_null(strstr(document, dump));
  free(dump);
  free(document);
  free((char *)(uintptr_t)bytes.p);
}

static void the_document_numbers_every_flag(void **state) {
  (void)state;
  char path[512], line[64];
  (void)snprintf(path, sizeof path, "%s/docs/formats/timeline.md", top());
  char *document = read_text(path);
  assert_non_null(document);
  for (unsigned i = 0; i < FL_N_EVENT_FLAGS; i++) {
    (void)snprintf(line, sizeof line, "| %u | `%s` |", 1u << i, fl_event_flag_names[i]);
    assert_non_null(strstr(document, line));
  }
  for (unsigned i = 0; i < 6; i++) {
    (void)snprintf(line, sizeof line, "%u `%s`", i, fl_severity_names[i]);
    assert_non_null(strstr(document, line));
  }
  for (unsigned i = 0; i < 8; i++) {
    (void)snprintf(line, sizeof line, "%u `%s`", i, fl_ledger_state_names[i]);
    assert_non_null(strstr(document, line));
  }
  for (unsigned i = 0; i < FL_C_COUNT; i++) {
    (void)snprintf(line, sizeof line, "`%s`", fl_column_names[i]);
    assert_non_null(strstr(document, line));
  }
  free(document);
}

enum { MANY = 9000 };
static fl_str make_many(uint32_t n_rows, char **ret_expected) {
  static const char *const names[] = {"User", "Code"};
  fl_arena *arena = fl_arena_create(64 << 20);
  made_shape *shape = make_shape(arena, 0, "P", "C", names, 2);
  made_shape *bare = make_shape(arena, 1, "P", "C", NULL, 0);
  made_rows made = make_rows(arena, 0, "a.evtx", n_rows, FL_C_COUNT + 2);
  size_t n = 0;
  FILE *out = open_memstream(ret_expected, &n);
  assert_non_null(out);
  for (uint32_t i = 0; i < n_rows; i++) {
    char user[32];
    const bool is_bare = i % 3 == 0;
    fl_raw *slot =
        make_row(&made, is_bare ? bare : shape, T0 + i * 1000, i % 7, i + 1) + FL_C_COUNT;
    (void)fprintf(out, "%" PRId64 " %u %u PC1.example.net %u", T0 + i * 1000, i, i % 7, i + 1);
    (void)snprintf(user, sizeof user, "user%u", i % 31);
    if (!is_bare) {
      slot[0] = raw_utf16(arena, user);
      slot[1] = raw_number(arena, FL_T_U32, i * 2654435761u, 4);
      (void)fprintf(out, " Code=%u User=%s", i * 2654435761u, user);
    }
    (void)fputc('\n', out);
  }
  assert_int_equal(fclose(out), 0);
  const fl_str bytes = write_timeline(&made, NULL, 1, NULL, NULL, 0);
  fl_arena_free(arena);
  return bytes;
}

static void python_reads_the_same_events(void **state) {
  (void)state;
  if (system("/usr/bin/python3 -c 'import msgpack' 2>/dev/null") != 0) {
    print_message("skipped: python3-msgpack is absent\n");
    skip();
  }
  char *expected = NULL;
  const fl_str bytes = make_many(MANY, &expected);
  char folder[] = "/tmp/faultline-test-XXXXXX", path[64], printed[64], command[1024];
  assert_non_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/x.fltl", folder);
  (void)snprintf(printed, sizeof printed, "%s/printed", folder);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
  assert_int_equal(fclose(file), 0);
  (void)snprintf(command, sizeof command,
                 "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='%s/docs' /usr/bin/python3 -c '"
                 "import read_fltl\n"
                 "for e in read_fltl.events(\"%s\"):\n"
                 " print(e[\"t\"], e[\"seq\"], e[\"event_id\"], e[\"host\"], e[\"record_id\"],"
                 " *(f\"{k}={v}\" for k, v in sorted(e[\"data\"].items())))' > '%s'",
                 top(), path, printed);
  assert_int_equal(system(command), 0);
  char *text = read_text(printed);
  assert_non_null(text);
  assert_string_equal(text, expected);
  free(text);
  free(expected);
  free((char *)(uintptr_t)bytes.p);
  (void)unlink(path);
  (void)unlink(printed);
  (void)rmdir(folder);
}

/* FL_SEEDS=folder writes what tests/fuzz/corpus/timeline/ holds. */
static void write_seed(const char *folder, const char *name, fl_str bytes, size_t n) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes.p, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
}

static void files_on_disk_read_as_in_memory(void **state) {
  (void)state;
  const fl_str bytes = make_vector();
  char folder[] = "/tmp/faultline-test-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  write_seed(folder, "x.fltl", bytes, bytes.n);
  (void)snprintf(path, sizeof path, "%s/x.fltl", folder);
  heard memory, disk;
  assert_int_equal(read_timeline(bytes, 0, 0, &memory, NULL), FL_OK);
  fl_timeline_reader *reader = NULL;
  fl_err err = {0};
  hear_open(&disk);
  assert_int_equal(fl_timeline_open(path, &reader, &err), FL_OK);
  const fl_sink sink = hear_sink(&disk);
  assert_int_equal(fl_timeline_read(reader, 0, 0, &sink, NULL, &err), FL_OK);
  fl_timeline_close(reader);
  hear_close(&disk);
  assert_string_equal(memory.text, disk.text);
  assert_int_equal(disk.n_notes, 1);
  (void)unlink(path);
  (void)rmdir(folder);
  const char *seeds = getenv("FL_SEEDS");
  if (seeds) {
    write_seed(seeds, "vector", bytes, bytes.n);
    write_seed(seeds, "cut", bytes, bytes.n / 2);
    write_seed(seeds, "no-trailer", bytes, bytes.n - 18);
    write_seed(seeds, "header", bytes, 40);
    char *text = NULL;
    const fl_str packed = make_many(120, &text);
    write_seed(seeds, "packed", packed, packed.n);
    write_seed(seeds, "packed-cut", packed, packed.n - 300);
    free(text);
    free((char *)(uintptr_t)packed.p);
  }
  free(memory.text);
  free(disk.text);
  free((char *)(uintptr_t)bytes.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_document_shows_this_very_file),
      cmocka_unit_test(the_document_numbers_every_flag),
      cmocka_unit_test(python_reads_the_same_events),
      cmocka_unit_test(files_on_disk_read_as_in_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
