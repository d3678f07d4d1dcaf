/* lines_test.c - lines of text in every encoding, their places, and the names of collectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/text.h"
#include "parsers/collected.h"
#include "parsers/lines.h"
#include "parsers/run.h"
#include "parsers/source.h"

typedef struct stage {
  fl_sink sink;
  fl_ingest_options options;
  struct fl_run run;
  fl_frame frame;
  uint64_t n_notes;
} stage;

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  (void)note;
  ++*(uint64_t *)self;
  return FL_OK;
}

static void set_stage(stage *st, const void *bytes, size_t n) {
  *st = (stage){0};
  st->sink = (fl_sink){.self = &st->n_notes, .note = take_note};
  st->run = (struct fl_run){.options = &st->options, .sink = &st->sink};
  st->frame = (fl_frame){.job = {.options = &st->options, .run = &st->run}};
  st->frame.job.source = fl_source_of_memory(bytes, n);
  st->frame.job.arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  assert_non_null(st->frame.job.source);
  assert_non_null(st->frame.job.arena);
}

static void strike(stage *st) {
  fl_source_free(st->frame.job.source);
  fl_arena_free(st->frame.job.arena);
  fl_ledger_free(&st->frame.ledger);
}

/* Wanted: lines with '|' between them. Every line's bytes stand where it says. */
static void expect_lines(const void *bytes, size_t n, unsigned codepage, const char *wanted) {
  stage st;
  fl_lines lines;
  fl_line line;
  char text[512];
  size_t n_text = 0;
  uint64_t number = 0, end = 0;
  set_stage(&st, bytes, n);
  assert_int_equal(fl_lines_open(&st.frame.job, codepage, &lines, NULL), FL_OK);
  while (fl_lines_next(&lines, &line, NULL) == FL_OK) {
    assert_int_equal(line.number, ++number);
    assert_true(line.offset >= end && line.offset + line.length <= n);
    end = line.offset + line.length;
    if (number > 1) text[n_text++] = '|';
    assert_true(n_text + line.text.n < sizeof text);
    if (line.text.n) memcpy(text + n_text, line.text.p, line.text.n);
    n_text += line.text.n;
    if (number % 2) fl_lines_use(&lines);
  }
  text[n_text] = '\0';
  assert_string_equal(text, wanted);
  assert_int_equal(fl_ledger_finish(&st.frame.ledger, n, (fl_range){.state = FL_L_UNKNOWN}, NULL),
                   FL_OK);
  for (size_t i = 0; i < st.frame.ledger.n_ranges; i++)
    assert_int_not_equal(st.frame.ledger.ranges[i].state, FL_L_UNKNOWN);
  strike(&st);
}
#define EXPECT(bytes, codepage, wanted) expect_lines(bytes, sizeof(bytes) - 1, codepage, wanted)

static void every_encoding_is_read(void **state) {
  (void)state;
  EXPECT("one\r\ntwo\n\nfour", 0, "one|two||four");
  EXPECT(
      "\xef\xbb\xbfGr\xc3\xb6\xc3\x9f"
      "e\r\n",
      0, "Größe");
  EXPECT(
      "Gr\xf6\xdf"
      "e\r\nABH\xd6REN",
      0, "Größe|ABHÖREN");
  EXPECT(
      "Gr\x94\xe1"
      "e\r\nABH\x99REN",
      0, "Größe|ABHÖREN");
  EXPECT(
      "\xff\xfe"
      "A\0\xd6\0\r\0\n\0b\0",
      0, "AÖ|b");
  EXPECT("A\0\xd6\0 \0x\0\r\0\n\0b\0\r\0\n\0", 0, "AÖ x|b");
  EXPECT("\xfe\xff\0A\0\xd6\0\r\0\n\0b\xd8\x3d\xde\x00", 0, "AÖ|b\xf0\x9f\x98\x80");
  EXPECT("\x8a\xd9\xa9\xfe", 866, "К┘й■");
  EXPECT("\x83\x41\x83\x4e\x83\x65\x83\x42\x83\x75 1", 0, "アクティブ 1");
  EXPECT("\xbb\xee\xb6\xaf x", 936, "活动 x");
}

static void the_encoding_may_change_between_lines(void **state) {
  (void)state;
  EXPECT(
      "Gr\x94\xe1"
      "e of cmd\r\nA\0\xd6\0 \0x\0\r\0\n\0b\0\r\0\n\0",
      0, "Größe of cmd|AÖ x|b");
  EXPECT(
      "\xff\xfe"
      "A\0\xd6\0\r\0\n\0and then bytes\r\nmore of them\r\n",
      0, "AÖ|and then bytes|more of them");
  EXPECT(
      "odd\r\n\xff\xfe"
      "A\0\r\0\n\0odd bytes\r\n\xff\xfe"
      "B\0",
      0, "odd|A|odd bytes|B");
  EXPECT(
      "a\r\n\xef\xbb\xbf"
      "b",
      0, "a|b");
}

static void code_pages_are_told_apart(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    unsigned number;
  } texts[] = {
      {"plain", 1252},
      {"Enregistr\xe9 \xe0 l'adresse pr\xe9"
       "f\xe9r\xe9"
       "e",
       1252},
      {"Enregistr\x82 \x85 l'adresse pr\x82"
       "f\x82r\x82"
       "e",
       850},
      {"Direcci\xf3n f\xedsica . . . habilitado: s\xed", 1252},
      {"Direcci\xa2n f\xa1sica . . . habilitado: s\xa1", 850},
      {"Ba\xf0lant\xfdya \xf6zg\xfc DNS soneki", 1254},
      {"Ba\xa7lant\x8dya \x94zg\x81 DNS soneki", 857},
      {"\xcd\xe0\xf1\xf2\xf0\xee\xe9\xea\xe0 \xef\xf0\xee\xf2\xee\xea\xee\xeb\xe0", 1251},
      {" \xd1\xc5\xc0\xcd\xd1  \xcf\xce\xcb\xdc\xc7\xce\xc2\xc0\xd2\xc5\xcb\xdc  ID", 1251},
      {"\x8d\xa0\xe1\xe2\xe0\xae\xa9\xaa\xa0 \xaf\xe0\xae\xe2\xae\xaa\xae\xab\xa0", 866},
      {"\xbb\xee\xb6\xaf\xc1\xac\xbd\xd3", 936},
      {"\x83\x41\x83\x4e\x83\x65\x83\x42\x83\x75", 932},
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    assert_int_equal(fl_codepage_guess((const uint8_t *)texts[i].bytes, strlen(texts[i].bytes)),
                     texts[i].number);
}

/* A byte that means nothing, half a pair at the end, every byte of every page. */
static void all_bytes_decode(void **state) {
  (void)state;
  static const unsigned pages[] = {437, 850, 852, 857, 866, 932, 936, 1250, 1251, 1252, 1254, 7};
  uint8_t bytes[512];
  char text[3 * sizeof bytes];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i < 256 ? i : 767 - i);
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
    fl_codepage page;
    fl_codepage_init(&page, pages[i]);
    assert_int_equal(page.number, pages[i] == 7 ? 1252 : pages[i]);
    for (size_t n = 0; n <= sizeof bytes; n++) {
      const size_t n_text = fl_codepage_to_utf8(&page, bytes, n, text);
      assert_true(n_text <= 3 * n && fl_utf8_is_valid((fl_str){text, n_text}));
    }
  }
}

static void long_lines_are_cut_and_the_next_one_is_read(void **state) {
  (void)state;
  for (size_t unit = 1; unit <= 2; unit++) {
    const size_t lengths[] = {FL_LIMIT_LINE, FL_LIMIT_LINE + 2, 5 * (size_t)FL_LIMIT_LINE};
    for (size_t i = 0; i < 3; i++) {
      const size_t n = lengths[i] + 3 * unit;
      uint8_t *bytes = calloc(n, 1);
      assert_non_null(bytes);
      for (size_t k = 0; k < n; k += unit) bytes[k] = 'x';
      bytes[lengths[i]] = '\n';
      stage st;
      fl_lines lines;
      fl_line line;
      set_stage(&st, bytes, n);
      assert_int_equal(fl_lines_open(&st.frame.job, 0, &lines, NULL), FL_OK);
      assert_int_equal(fl_lines_next(&lines, &line, NULL), FL_OK);
      assert_int_equal(line.length, FL_LIMIT_LINE);
      assert_int_equal(line.is_cut, i > 0);
      assert_int_equal(fl_lines_next(&lines, &line, NULL), FL_OK);
      assert_int_equal(line.text.n, 2);
      assert_int_equal(line.offset, lengths[i] + unit);
      assert_int_equal(fl_lines_next(&lines, &line, NULL), FL_END);
      assert_int_equal(st.n_notes, i > 0);
      strike(&st);
      free(bytes);
    }
  }
}

static void a_head_is_text_or_nothing(void **state) {
  (void)state;
  char room[FL_HEAD_TEXT_MAX];
  fl_probe probe = {(const uint8_t *)"\xff\xfe" "a\0\n\0b\0", 8, {0}, 8};
  fl_str text = fl_lines_head(&probe, room), line;
  assert_true(fl_lines_take(&text, &line) && fl_str_eq(line, FL_STR("a")));
  assert_true(fl_lines_take(&text, &line) && fl_str_eq(line, FL_STR("b")));
  assert_false(fl_lines_take(&text, &line));
  probe = (fl_probe){(const uint8_t *)"a\r\nb", 4, {0}, 100};
  assert_true(fl_str_eq(fl_lines_head(&probe, room), FL_STR("a\r\n")));
  probe = (fl_probe){(const uint8_t *)"ElfFile\0\1\2", 10, {0}, 10};
  assert_int_equal(fl_lines_head(&probe, room).n, 7);
  probe = (fl_probe){(const uint8_t *)"PK\3\4", 4, {0}, 4};
  assert_int_equal(fl_lines_head(&probe, room).n, 0);
}

static void names_tell_host_and_time(void **state) {
  (void)state;
  static const struct {
    const char *name, *host, *time;
  } names[] = {
      {"MSRD-Results-SRV01-20260203_101112.zip!/SRV01_Networking/SRV01_Netstat.txt", "SRV01",
       "2026-02-03T10:11:12Z"},
      {"MSRD-Results-RDS-HOST-02-20260203_101112/x.txt", "RDS-HOST-02", "2026-02-03T10:11:12Z"},
      {"MSRD-Results-SRV01/y/z.txt", "SRV01", ""},
      {"server_RegistryKeys/a.txt", "server", ""},
      {"TSS_APP7_260203-101112_UEX_RDS/APP7_260203-101112_Netstat.txt", "APP7",
       "2026-02-03T10:11:12Z"},
      {"in/TSS_APP7_260203-101112_UEX.zip!/plain.txt", "APP7", "2026-02-03T10:11:12Z"},
      {"DiagLogs-PC-9-20260203T101112Z.zip!/12", "PC-9", "2026-02-03T10:11:12Z"},
      {"Evt-Results-DC01-20260203_101112/EventLogs.txt", "DC01", "2026-02-03T10:11:12Z"},
      {"SRV01_Netstat.txt", "SRV01", ""},
      {"KB5031356_x.txt", "", ""},
      {"tcpip_info.txt", "", ""},
      {"TSS_SRV_999999-999999_X/a", "SRV", ""},
      {"", "", ""},
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const fl_collected c = fl_collected_of(fl_str_of(names[i].name));
    char text[FL_TIME_TEXT_MAX] = "";
    if (c.t) text[fl_time_format(c.t, 0, text)] = '\0';
    assert_true(fl_str_eq(c.host, fl_str_of(names[i].host)));
    assert_string_equal(text, names[i].time);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_encoding_is_read),
      cmocka_unit_test(the_encoding_may_change_between_lines),
      cmocka_unit_test(code_pages_are_told_apart),
      cmocka_unit_test(all_bytes_decode),
      cmocka_unit_test(long_lines_are_cut_and_the_next_one_is_read),
      cmocka_unit_test(a_head_is_text_or_nothing),
      cmocka_unit_test(names_tell_host_and_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
