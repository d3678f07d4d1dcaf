/* ingest_driver_test.c - folders, archives and what is wrong with them, from input to totals. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "base/limits.h"
#include "ingest_recorder.h"

typedef struct member {
  const char *name;
  const void *bytes;
  size_t n_bytes;
} member;

typedef int (*setter)(struct archive *);

static void make_archive(const char *path, setter format, setter filter, const char *password,
                         const member *members, size_t n_members) {
  struct archive *a = archive_write_new();
  assert_int_equal(format(a), ARCHIVE_OK);
  if (filter) assert_int_equal(filter(a), ARCHIVE_OK);
  if (password) {
    assert_int_equal(archive_write_set_options(a, "zip:encryption=traditional"), ARCHIVE_OK);
    assert_int_equal(archive_write_set_passphrase(a, password), ARCHIVE_OK);
  }
  assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
  for (size_t i = 0; i < n_members; ++i) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, members[i].name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, (la_int64_t)members[i].n_bytes);
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, members[i].bytes, members[i].n_bytes),
                     members[i].n_bytes);
    archive_entry_free(entry);
  }
  assert_int_equal(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
}

static uint8_t *slurp(const char *path, size_t *ret_n) {
  struct stat st;
  const int fd = open(path, O_RDONLY);
  assert_true(fd >= 0);
  assert_int_equal(fstat(fd, &st), 0);
  uint8_t *bytes = malloc((size_t)st.st_size + 1);
  assert_non_null(bytes);
  assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
  close(fd);
  *ret_n = (size_t)st.st_size;
  return bytes;
}

/* No format that anybody claims. */
static const uint8_t picture[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
static const uint8_t old_log[] = "\x30\0\0\0LfLe\1\0\0\0\1\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0";
static const member three[] = {{"logs/a.png", picture, sizeof picture},
                               {"logs/SYSTEM.evt", old_log, sizeof old_log},
                               {"read me.txt", "hello\n", 6}};
#define NO_OLD                                                                                  \
  "legacy event log (.evt): not read by this version; convert it with \"wevtutil epl FILE.evt " \
  "FILE.evtx /lf:true\", or in Event Viewer with \"Save All Events As\", on a Windows machine\n"
#define NO_TEXT                            \
  "plain text: not read by this version; " \
  "events are read from .evtx files, folders and archives of them\n"

static void test_folder(void **state) {
  (void)state;
  assert_int_equal(mkdir("f", 0700), 0);
  assert_int_equal(mkdir("f/a", 0700), 0);
  assert_int_equal(mkdir("f/none", 0700), 0);
  write_file("f/a/z.png", picture, sizeof picture);
  write_file("f/a.txt", "x", 1);
  write_file("f/B!.png", picture, sizeof picture);
  write_file("f/empty.evtx", "", 0);
  write_file("f/empty.txt", "", 0);
  assert_int_equal(symlink(".", "f/loop"), 0);
  assert_int_equal(mkfifo("f/fifo", 0600), 0);
  expect_lines("f/",
               "f/B%21.png unknown 17 skipped\n"
               "f/a.txt text 1 skipped\n"
               "f/a/z.png unknown 17 skipped\n"
               "note damaged: is empty: 0 bytes\n"
               "f/empty.evtx evtx 0 failed\n"
               "f/empty.txt unknown 0 skipped\n"
               "note unreadable: is neither a regular file nor a folder\n"
               "f/fifo unknown 0 failed\n"
               "note unreadable: is a symbolic link and was not followed\n"
               "f/loop unknown 0 failed\n"
               "f dir 0\n");
}

static void test_inputs_that_hold_nothing(void **state) {
  (void)state;
  assert_int_equal(mkdir("empty", 0700), 0);
  write_file("note.txt", "words\n", 6);
  write_file("x.png", picture, sizeof picture);
  write_file("nothing", "", 0);
  expect_lines("empty", "note unreadable: folder holds no files\nempty dir 0 failed\n");
  expect_lines("absent",
               "note unreadable: cannot be opened: No such file or directory\n"
               "absent unknown 0 failed\n");
  expect_lines("note.txt", "note unsupported: " NO_TEXT "note.txt text 6 skipped\n");
  expect_lines("x.png", "note unsupported: no parser claims it\nx.png unknown 17 skipped\n");
  expect_lines("nothing", "note damaged: is empty: 0 bytes\nnothing unknown 0 failed\n");
}

static void test_folder_without_rights(void **state) {
  (void)state;
  if (geteuid() == 0) skip();
  assert_int_equal(mkdir("f", 0700), 0);
  assert_int_equal(mkdir("f/shut", 0), 0);
  write_file("f/x.png", picture, sizeof picture);
  expect_lines("f",
               "note unreadable: folder cannot be opened: Permission denied\n"
               "f/shut unknown 0 failed\n"
               "f/x.png unknown 17 skipped\nf dir 0\n");
}

static void test_equal_names(void **state) {
  (void)state;
  assert_int_equal(mkdir("d", 0700), 0);
  write_file("x.png", picture, sizeof picture);
  write_file("d/x.png", picture, sizeof picture);
  char first[] = "x.png", second[] = "d/x.png";
  char *inputs[] = {first, second, first};
  recorder *r = ingest(inputs, 3, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "x.png unknown"));
  assert_non_null(strstr(r->text, "x.png#2 unknown"));
  assert_non_null(strstr(r->text, "x.png#3 unknown"));
  assert_int_equal(r->totals.n_sources, 3);
  assert_int_equal(r->totals.n_skipped, 3);
  assert_int_equal(r->totals.n_parsed, 0);
  free(r);
}

static void expect_three(const char *path, const char *type) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  char lines[1024];
  snprintf(lines, sizeof lines,
           "%s!/logs/a.png unknown 17 skipped\nnote unsupported: " NO_OLD
           "%s!/logs/SYSTEM.evt evt 29 failed\n%s!/read me.txt text 6 skipped\n%s %s %lld\n",
           path, path, path, path, type, (long long)st.st_size);
  expect_lines(path, lines);
}

static void test_every_archive(void **state) {
  (void)state;
  static const struct {
    const char *path, *type;
    setter format, filter;
  } kinds[] = {
      {"b.zip", "zip", archive_write_set_format_zip, NULL},
      {"b.tar", "tar", archive_write_set_format_ustar, NULL},
      {"b.tgz", "gz", archive_write_set_format_gnutar, archive_write_add_filter_gzip},
      {"b.tar.bz2", "bz2", archive_write_set_format_pax, archive_write_add_filter_bzip2},
      {"b.tar.xz", "xz", archive_write_set_format_ustar, archive_write_add_filter_xz},
      {"b.tar.zst", "zstd", archive_write_set_format_ustar, archive_write_add_filter_zstd},
      {"b.7z", "7z", archive_write_set_format_7zip, NULL},
  };
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    make_archive(kinds[i].path, kinds[i].format, kinds[i].filter, NULL, three, 3);
    expect_three(kinds[i].path, kinds[i].type);
  }
}

/* "MSCF" with one folder of stored data and one file, "folder\a.txt". */
static void test_cabinet(void **state) {
  (void)state;
  static const uint8_t cab[] =
      "MSCF\0\0\0\0\x59\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0\3\1\1\0\1\0\0\0\0\0\0\0"
      "\x4b\0\0\0\1\0\0\0"
      "\6\0\0\0\0\0\0\0\0\0\x6e\x3a\0\0\x20\0d\\ab.txt\0\0\0"
      "\0\0\0\0\6\0\6\0hello\n";
  uint8_t bytes[sizeof cab];
  memcpy(bytes, cab, sizeof cab);
  const size_t n = sizeof cab - 1, n_files = 16 + 9;
  bytes[0x24] = (uint8_t)(0x2c + n_files + 2);
  bytes[8] = (uint8_t)n;
  write_file("r.cab", bytes, n);
  char lines[128];
  snprintf(lines, sizeof lines, "r.cab!/d/ab.txt text 6 skipped\nr.cab cab %zu\n", n);
  expect_lines("r.cab", lines);
}

static void compress(const char *path, setter filter, const void *bytes, size_t n) {
  const member one = {"x", bytes, n};
  make_archive(path, archive_write_set_format_raw, filter, NULL, &one, 1);
}

static void test_single_files(void **state) {
  (void)state;
  compress("a%!.evt.gz", archive_write_add_filter_gzip, old_log, sizeof old_log);
  char input[] = "a%!.evt.gz", *inputs[] = {input};
  recorder *r = ingest(inputs, 1, FL_HASH_ALL);
  assert_non_null(strstr(r->text, "a%25%21.evt.gz!/a%25%21.evt evt 29 failed\n"));
  free(r);
  compress("b.xz", archive_write_add_filter_xz, picture, sizeof picture);
  recorder *s = ingest((char *[]){(char[]){"b.xz"}}, 1, FL_HASH_ALL);
  assert_non_null(strstr(s->text, "b.xz!/b unknown 17 skipped\n"));
  free(s);
  static const uint8_t zeros[2048] = {0}; /* looks like a tar archive without members */
  compress("odd-name", archive_write_add_filter_bzip2, zeros, sizeof zeros);
  recorder *t = ingest((char *[]){(char[]){"odd-name"}}, 1, FL_HASH_ALL);
  assert_non_null(strstr(t->text, "odd-name!/data unknown 2048 skipped\n"));
  free(t);
}

static void nest(const char *outer, const char *inner) {
  size_t n = 0;
  uint8_t *bytes = slurp(inner, &n);
  const member one = {inner, bytes, n};
  make_archive(outer, archive_write_set_format_zip, NULL, NULL, &one, 1);
  free(bytes);
}

static void test_nesting(void **state) {
  (void)state;
  make_archive("1.zip", archive_write_set_format_zip, NULL, NULL, three, 3);
  nest("2.zip", "1.zip");
  nest("3.zip", "2.zip");
  nest("4.zip", "3.zip");
  nest("5.zip", "4.zip");
  char four[] = "4.zip", five[] = "5.zip";
  recorder *r = ingest((char *[]){four}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "4.zip!/3.zip!/2.zip!/1.zip!/logs/a.png unknown 17 skipped\n"));
  free(r);
  r = ingest((char *[]){five}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "note limit: limit reached: an archive inside 4 archives"));
  assert_null(strstr(r->text, "a.png"));
  assert_int_equal(r->totals.worst, FL_NOTE_LIMIT);
  free(r);
}

static void test_hostile_names(void **state) {
  (void)state;
  static const member evil[] = {
      {"../../etc/x.png", picture, sizeof picture}, {"/abs.png", picture, sizeof picture},
      {"twice.png", picture, sizeof picture},       {"twice.png", picture, sizeof picture},
      {"back\\slash.png", picture, sizeof picture}, {"esc\x1b[2J.png", picture, sizeof picture}};
  make_archive("e.zip", archive_write_set_format_zip, NULL, NULL, evil, 6);
  recorder *r = ingest((char *[]){(char[]){"e.zip"}}, 1, FL_HASH_NONE);
  static const char *const names[] = {"e.zip!/../../etc/x.png ", "e.zip!/abs.png ",
                                      "e.zip!/twice.png ",       "e.zip!/twice.png#2 ",
                                      "e.zip!/back/slash.png ",  "e.zip!/esc%1B[2J.png "};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
    assert_non_null(strstr(r->text, names[i]));
  free(r);
}

/* Longer than a timeline takes: the end is cut, and two that begin alike get numbers. */
static void test_long_names(void **state) {
  (void)state;
  enum { LENGTH = 20000 };
  char *names = malloc(2 * (LENGTH + 1));
  assert_non_null(names);
  memset(names, 'n', 2 * (LENGTH + 1));
  names[LENGTH] = names[2 * LENGTH + 1] = '\0';
  names[LENGTH - 1] = 'm';
  const member two[] = {{names, picture, sizeof picture},
                        {names + LENGTH + 1, picture, sizeof picture}};
  make_archive("l.tar", archive_write_set_format_pax, NULL, NULL, two, 2);
  recorder *r = ingest((char *[]){(char[]){"l.tar"}}, 1, FL_HASH_NONE);
  assert_int_equal(r->totals.n_skipped, 2);
  assert_non_null(strstr(r->text, "nnn unknown 17 skipped\n"));
  assert_non_null(strstr(r->text, "nnn#2 unknown 17 skipped\n"));
  const char *start = strstr(r->text, "l.tar!/n"), *end = start ? strchr(start, ' ') : NULL;
  assert_true(end && end - start == FL_LIMIT_SOURCE_NAME - 16);
  free(r);
  free(names);
}

static void test_encrypted(void **state) {
  (void)state;
  make_archive("s.zip", archive_write_set_format_zip, NULL, "secret", three, 2);
  recorder *r = ingest((char *[]){(char[]){"s.zip"}}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "note unsupported: is encrypted; no password was given"));
  assert_non_null(strstr(r->text, "s.zip!/logs/SYSTEM.evt unknown 29 failed\n"));
  assert_int_equal(r->totals.n_failed, 2);
  free(r);
}

/* 40 MiB of zeros in a few KiB. */
static void make_bombs(void) {
  const size_t n = 40u << 20;
  uint8_t *zeros = calloc(1, n);
  assert_non_null(zeros);
  const member one = {"zeros.bin", zeros, n};
  make_archive("bomb.zip", archive_write_set_format_zip, NULL, NULL, &one, 1);
  compress("bomb.bz2", archive_write_add_filter_bzip2, zeros, n);
  free(zeros);
}

static void test_bombs(void **state) {
  (void)state;
  make_bombs();
  static const char words[] = "note limit: limit reached: unpacks to more than 200 times";
  recorder *r = ingest((char *[]){(char[]){"bomb.zip"}}, 1, FL_HASH_ALL);
  assert_non_null(strstr(r->text, words));
  assert_int_equal(r->totals.n_failed, 1);
  free(r);
  r = ingest((char *[]){(char[]){"bomb.zip"}}, 1, FL_HASH_AUTO);
  assert_int_equal(r->totals.n_notes, 0); /* nobody wanted it, so nobody unpacked it */
  free(r);
  r = ingest((char *[]){(char[]){"bomb.bz2"}}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, words));
  free(r);
}

static void cut(const char *from, const char *to, size_t percent) {
  size_t n = 0;
  uint8_t *bytes = slurp(from, &n);
  write_file(to, bytes, n * percent / 100);
  free(bytes);
}

/* Bytes that do not compress. */
static void fill(uint8_t *bytes, size_t n) {
  uint64_t x = 88172645463325252u;
  for (size_t i = 0; i < n; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    bytes[i] = (uint8_t)x;
  }
}

static void test_cut_archives_keep_what_came(void **state) {
  (void)state;
  enum { SIZE = 300000 };
  uint8_t *noise = malloc(SIZE);
  assert_non_null(noise);
  fill(noise, SIZE);
  memcpy(noise, old_log, sizeof old_log);
  const member members[] = {three[0], {"whole.evt", noise, SIZE}, {"cut.evt", noise, SIZE}};
  make_archive("c.zip", archive_write_set_format_zip, NULL, NULL, members, 3);
  make_archive("c.tgz", archive_write_set_format_ustar, archive_write_add_filter_gzip, NULL,
               members, 3);
  cut("c.zip", "cut.zip", 75);
  cut("c.tgz", "cut.tgz", 75);
  static char zip[] = "cut.zip", tgz[] = "cut.tgz";
  char *const inputs[] = {zip, tgz};
  for (size_t i = 0; i < 2; ++i) {
    recorder *r = ingest(&inputs[i], 1, FL_HASH_AUTO);
    char whole[64];
    snprintf(whole, sizeof whole, "%s!/whole.evt evt 300000 failed\n", inputs[i]);
    assert_non_null(strstr(r->text, whole));
    assert_non_null(strstr(r->text, "note damaged: unpacking ends after "));
    assert_non_null(strstr(r->text, " of 300000 bytes: "));
    assert_non_null(strstr(r->text, "note damaged: archive breaks off after 3 members: "));
    free(r);
  }
  free(noise);
}

/* A log is worth reading to the byte where its gzip stream breaks. */
static void test_cut_single_file(void **state) {
  (void)state;
  enum { SIZE = 30000 };
  uint8_t *noise = malloc(SIZE);
  assert_non_null(noise);
  fill(noise, SIZE);
  memcpy(noise, old_log, sizeof old_log);
  compress("n.evt.gz", archive_write_add_filter_gzip, noise, SIZE);
  cut("n.evt.gz", "c.evt.gz", 50);
  recorder *r = ingest((char *[]){(char[]){"c.evt.gz"}}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, " bytes: gzip stream is cut short\n"));
  const char *line = strstr(r->text, "c.evt.gz!/c.evt evt ");
  assert_non_null(line);
  assert_in_range(atoi(line + strlen("c.evt.gz!/c.evt evt ")), SIZE / 2 - 1000, SIZE / 2);
  assert_int_equal(r->totals.n_notes, 2);
  free(r);
  free(noise);
}

static void test_gzip_members_in_a_row(void **state) {
  (void)state;
  compress("1.gz", archive_write_add_filter_gzip, old_log, 10);
  compress("2.gz", archive_write_add_filter_gzip, old_log + 10, sizeof old_log - 10);
  size_t n = 0, m = 0;
  uint8_t *first = slurp("1.gz", &n), *second = slurp("2.gz", &m);
  uint8_t *both = calloc(1, n + m + 8); /* padding of zeros is nobody's business */
  assert_non_null(both);
  memcpy(both, first, n);
  memcpy(both + n, second, m);
  write_file("both.gz", both, n + m + 8);
  recorder *r = ingest((char *[]){(char[]){"both.gz"}}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "both.gz!/both evt 29 failed\n"));
  assert_int_equal(r->totals.n_notes, 1);
  free(r);
  free(first);
  free(second);
  free(both);
}

static void test_unreadable_archives(void **state) {
  (void)state;
  make_archive("w.7z", archive_write_set_format_7zip, NULL, NULL, three, 3);
  make_archive("none.zip", archive_write_set_format_zip, NULL, NULL, NULL, 0);
  cut("w.7z", "cut.7z", 60);
  recorder *r = ingest((char *[]){(char[]){"cut.7z"}}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "note damaged: no member can be read: "));
  assert_int_equal(r->totals.n_failed, 1);
  free(r);
  expect_lines("none.zip", "note unreadable: archive holds no members\nnone.zip zip 22 failed\n");
}

static void test_unknown_method_names_member_and_size(void **state) {
  (void)state;
  make_archive("m.zip", archive_write_set_format_zip, NULL, NULL, three + 2, 1);
  size_t n = 0;
  uint8_t *bytes = slurp("m.zip", &n);
  for (size_t i = 0; i + 12 < n; ++i) {
    if (memcmp(bytes + i, "PK\3\4", 4) == 0) bytes[i + 8] = 9;
    if (memcmp(bytes + i, "PK\1\2", 4) == 0) bytes[i + 10] = 9;
  }
  write_file("m.zip", bytes, n);
  free(bytes);
  recorder *r = ingest((char *[]){(char[]){"m.zip"}}, 1, FL_HASH_AUTO);
  assert_non_null(strstr(r->text, "note unsupported: none of its 6 bytes can be unpacked: "));
  assert_non_null(strstr(r->text, "m.zip!/read me.txt unknown 6 failed\n"));
  free(r);
}

static fl_status stop_at_end(void *self, const fl_source_info *source, fl_err *err) {
  (void)source;
  const fl_status *status = self;
  return fl_fail(err, *status, 0, "the sink is full");
}

static void test_sink_stops_the_run(void **state) {
  (void)state;
  write_file("a.png", picture, sizeof picture);
  char path[] = "a.png";
  char *inputs[] = {path, path};
  fl_status answer = FL_E_STOPPED;
  const fl_sink sink = {.self = &answer, .end = stop_at_end};
  const fl_ingest_options options = {0};
  fl_ingest_totals totals = {0};
  fl_err err = {0};
  assert_int_equal(fl_ingest(inputs, 2, &options, &sink, &totals, &err), FL_OK);
  assert_int_equal(totals.n_sources, 1);
  answer = FL_E_IO;
  assert_int_equal(fl_ingest(inputs, 2, &options, &sink, &totals, &err), FL_E_IO);
  assert_string_equal(err.text, "the sink is full");
}

/* Sources that were kept beyond the run. */
typedef struct keeper {
  fl_bytes kept[8];
  char names[8][80];
  size_t n;
} keeper;

static fl_status keep(void *self, const fl_source_info *source, fl_err *err) {
  keeper *k = self;
  (void)err;
  if (!source->bytes) return FL_OK;
  assert_true(k->n < 8);
  snprintf(k->names[k->n], sizeof k->names[0], "%.*s", FL_STR_ARG(source->name));
  k->kept[k->n] = *source->bytes;
  k->kept[k->n].share(k->kept[k->n].self);
  k->n++;
  return FL_OK;
}

static void test_bytes_outlive_the_run(void **state) {
  (void)state;
  assert_int_equal(mkdir("f", 0700), 0);
  make_archive("f/a.zip", archive_write_set_format_zip, NULL, NULL, three, 3);
  write_file("f/b.png", picture, sizeof picture);
  write_file("f/none.png", "", 0);
  char path[] = "f";
  char *inputs[] = {path};
  keeper k = {0};
  const fl_sink sink = {.self = &k, .begin = keep};
  const fl_ingest_options options = {.hash = FL_HASH_NONE, .want_bytes = true};
  fl_ingest_totals totals = {0};
  fl_err err = {0};
  assert_int_equal(fl_ingest(inputs, 1, &options, &sink, &totals, &err), FL_OK);
  assert_int_equal(k.n, 5);
  for (size_t i = 0; i < k.n; i++) {
    uint8_t bytes[4096];
    size_t n = 0;
    fl_bytes *b = &k.kept[i];
    assert_int_equal(b->read(b->self, 0, bytes, sizeof bytes, &n, &err), FL_OK);
    assert_int_equal(n, b->size_bytes);
    assert_memory_equal(b->map(b->self), bytes, n);
    if (strcmp(k.names[i], "f/a.zip!/logs/a.png") == 0) assert_memory_equal(bytes, picture, n);
    b->release(b->self);
  }
  assert_string_equal(k.names[0], "f/a.zip");
  assert_string_equal(k.names[4], "f/b.png");
  k.n = 0;
  const fl_ingest_options without = {.hash = FL_HASH_NONE};
  assert_int_equal(fl_ingest(inputs, 1, &without, &sink, &totals, &err), FL_OK);
  assert_int_equal(k.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_folder),
      TEST(test_inputs_that_hold_nothing),
      TEST(test_folder_without_rights),
      TEST(test_equal_names),
      TEST(test_every_archive),
      TEST(test_cabinet),
      TEST(test_single_files),
      TEST(test_nesting),
      TEST(test_hostile_names),
      TEST(test_long_names),
      TEST(test_encrypted),
      TEST(test_bombs),
      TEST(test_cut_archives_keep_what_came),
      TEST(test_cut_single_file),
      TEST(test_gzip_members_in_a_row),
      TEST(test_unreadable_archives),
      TEST(test_unknown_method_names_member_and_size),
      TEST(test_sink_stops_the_run),
      TEST(test_bytes_outlive_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
