/* yara_scan_test.c - what YARA rules find, and which records hold it. */
#include "yara_help.h"

#include <stdio.h>

enum { SIZE = 4096 };

/* Text at `offset`, as bytes or as UTF-16. */
static void put(uint8_t *bytes, size_t offset, const char *text, bool is_wide) {
  for (size_t i = 0; text[i]; i++) bytes[offset + i * (is_wide ? 2 : 1)] = (uint8_t)text[i];
}

static void give_log(const fl_sink *sink, yara_source *source) {
  yara_begin(sink, 3, "logs/a.evtx", source);
  for (uint32_t i = 0; i < 4; i++) {
    const yara_event_row row = {.source = 3, .id = 1, .offset = 512 + i * 256, .length = 200};
    yara_row_give(sink, &row);
  }
  yara_end(sink, 3);
}

static const char two_rules[] =
    "rule wide_one { meta: description = \"wide\" strings: $w = \"needle\" wide condition: $w }\n"
    "rule other { strings: $o = \"needle\" $p = \"hay\" condition: #o == 1 and $p }";

static void matches_lead_to_records(void **state) {
  (void)state;
  fl_yara *yara = yara_of(two_rules);
  uint8_t bytes[SIZE] = {0};
  put(bytes, 100, "hay", false);             /* in no record */
  put(bytes, 512 + 256 + 5, "needle", true); /* the second */
  put(bytes, 512 + 512, "needle", false);    /* the first byte of the third */
  put(bytes, 512 + 768 + 199, "hay", false); /* begins in the last byte of the fourth */
  put(bytes, 512 + 200, "hay", false);       /* right behind the first */
  for (unsigned jobs = 1; jobs < 4; jobs++) {
    yara_source source = {bytes, SIZE, 0};
    fl_yara_scan *scan = scan_of(yara, jobs, false);
    const fl_sink sink = fl_yara_scan_sink(scan);
    give_log(&sink, &source);
    size_t n = 0;
    const fl_yara_find *finds = finish_of(scan, NULL, &n);
    assert_int_equal(n, 2);
    assert_string_equal(finds[0].rule->name, "wide_one");
    assert_int_equal(finds[0].n_records, 1);
    assert_int_equal(finds[0].records[0].record_id, 1000 + 768);
    assert_int_equal(finds[0].records[0].offset, 768);
    assert_true(finds[0].records[0].t == T0 + 768);
    assert_text(finds[0].records[0].host, "HOST1");
    assert_text(finds[0].source_name, "logs/a.evtx");
    assert_text(finds[0].text, "YARA rule wide_one: $w \"needle\" at 773");
    assert_int_equal(finds[1].n_places, 4);
    assert_int_equal(finds[1].n_records, 2);
    assert_true(finds[1].places[0].record == SIZE_MAX && finds[1].places[1].record == SIZE_MAX);
    assert_int_equal(finds[1].records[0].offset, 1024);
    assert_int_equal(finds[1].records[1].offset, 1280);
    assert_int_equal(source.n_shares, 0);
    fl_yara_scan_free(scan);
  }
  fl_yara_free(yara);
}

static void chosen_rows_choose_finds(void **state) {
  (void)state;
  fl_yara *yara = yara_of(two_rules);
  uint8_t bytes[SIZE] = {0};
  put(bytes, 100, "hay", false);
  put(bytes, 200, "needle", false);
  put(bytes, 300, "needle", true);
  put(bytes, 600, "hay", false);
  yara_source source = {bytes, SIZE, 0};
  fl_yara_scan *scan = scan_of(yara, 1, true);
  const fl_sink sink = fl_yara_scan_sink(scan);
  give_log(&sink, &source);
  size_t n = 0;
  const fl_yara_find *finds = finish_of(scan, NULL, &n);
  assert_int_equal(n, 1); /* wide_one lies in no record */
  assert_string_equal(finds[0].rule->name, "other");
  assert_int_equal(finds[0].n_places, 1);
  assert_int_equal(finds[0].records[0].offset, 512);
  fl_yara_scan_free(scan);
  fl_yara_free(yara);
}

/* Events and notes as a sink sees them. */
typedef struct seen {
  size_t n_rows, n_notes;
  char text[4000];
} seen;

static fl_status see_batch(void *self, const fl_batch *batch, fl_err *err) {
  seen *s = self;
  fl_arena *arena = fl_arena_create(1 << 20);
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    fl_event e;
    assert_int_equal(fl_event_build(batch, &batch->rows[i], arena, &e, err), FL_OK);
    const fl_value *strings = fl_event_field(&e, FL_STR("strings"));
    const fl_value *match = fl_event_field(&e, FL_STR("match"));
    if (match)
      assert_true(fl_str_eq(match->as.text, FL_STR("hay")) ||
                  fl_str_eq(match->as.text, FL_STR("ab")));
    const size_t n = strlen(s->text);
    (void)snprintf(s->text + n, sizeof s->text - n, "%.*s %u %llu %.*s %.*s %lld %x\n",
                   FL_STR_ARG(e.kind), e.source, (unsigned long long)e.offset, FL_STR_ARG(e.host),
                   strings ? (int)strings->as.text.n : 0, strings ? strings->as.text.p : "",
                   (long long)(e.t ? e.t - T0 : 0), e.flags);
    s->n_rows++;
  }
  fl_arena_free(arena);
  return FL_OK;
}
static fl_status see_note(void *self, const fl_note *note, fl_err *err) {
  seen *s = self;
  (void)err;
  s->n_notes++;
  const size_t n = strlen(s->text);
  (void)snprintf(s->text + n, sizeof s->text - n, "note %u %d %.*s\n", note->source,
                 (int)note->severity, FL_STR_ARG(note->text));
  return FL_OK;
}

static void finds_become_events(void **state) {
  (void)state;
  fl_yara *yara = yara_of(two_rules);
  uint8_t bytes[SIZE] = {0};
  put(bytes, 100, "hay", false);
  put(bytes, 600, "hay", false);
  put(bytes, 650, "needle", false);
  put(bytes, 800, "hay", false);
  yara_source source = {bytes, SIZE, 0};
  fl_yara_scan *scan = scan_of(yara, 2, false);
  const fl_sink sink = fl_yara_scan_sink(scan);
  give_log(&sink, &source);
  seen s = {0};
  const fl_sink out = {.self = &s, .batch = see_batch, .note = see_note};
  size_t n = 0;
  (void)finish_of(scan, &out, &n);
  assert_string_equal(s.text,
                      "yara.match 3 512 HOST1 $p, $o 512 800\n"
                      "yara.match 3 768 HOST1 $p 768 800\n"
                      "yara.match 3 100  $p 0 900\n");
  fl_yara_scan_free(scan);
  fl_yara_free(yara);
}

static void give_part(const fl_sink *sink, uint64_t offset, const char *id, const char *number,
                      const char *text) {
  const yara_event_row row = {
      .source = 3,
      .id = 4104,
      .offset = offset,
      .length = 100,
      .names = {"MessageNumber", "MessageTotal", "ScriptBlockText", "ScriptBlockId"},
      .values = {number, "3", text, id}};
  yara_row_give(sink, &row);
}

static void scripts_are_joined(void **state) {
  (void)state;
  fl_yara *yara = yara_of(
      "rule s { strings: $a = \"Invoke-Something\" condition: "
      "$a and filesize < 100 and extension == \".ps1\" }");
  for (int is_cut = 0; is_cut < 2; is_cut++) {
    fl_yara_scan *scan = scan_of(yara, 2, false);
    const fl_sink sink = fl_yara_scan_sink(scan);
    yara_begin(&sink, 3, "a.fltl", NULL);
    give_part(&sink, 700, "B", "1", "Invoke-");
    give_part(&sink, 500, "A", "2", "ke-Some");
    give_part(&sink, 400, "A", "1", "x = Invo");
    if (!is_cut) give_part(&sink, 600, "A", "3", "thing # end");
    yara_end(&sink, 3);
    size_t n = 0;
    const fl_yara_find *finds = finish_of(scan, NULL, &n);
    assert_int_equal(n, is_cut ? 0 : 1);
    if (n) {
      assert_string_equal(finds[0].medium, "script");
      assert_text(finds[0].script, "A");
      assert_int_equal(finds[0].places[0].offset, 4);
      assert_int_equal(finds[0].records[0].offset, 400);
      assert_text(finds[0].source_name, "a.fltl");
    }
    fl_yara_scan_free(scan);
  }
  fl_yara_free(yara);
}

static const char event_rules[] =
    "rule any_log : event { strings: $a = \"Image: C:\\\\evil.exe\\n\" condition: $a at 0 }\n"
    "rule one_id { meta: scope = \"event\" event_id = 7 condition: "
    "event_id == 7 and channel == \"Sys\" and computer == \"HOST1\" }\n"
    "rule one_log { meta: scope = \"event\" channel = \"sys\" condition: filesize > 0 }";

static void events_are_scanned_as_text(void **state) {
  (void)state;
  fl_yara *yara = yara_of(event_rules);
  assert_int_equal(fl_yara_rule_at(yara, 1)->event_id, 7);
  assert_null(yara->compiled[FL_YARA_BYTES]); /* nothing to look for in sources */
  fl_yara_scan *scan = scan_of(yara, 2, false);
  const fl_sink sink = fl_yara_scan_sink(scan);
  yara_begin(&sink, 3, "a.evtx", NULL);
  const yara_event_row rows[] = {
      {.source = 3, .id = 1, .offset = 1, .names = {"Image"}, .values = {"C:\\evil.exe"}},
      {.source = 3, .id = 7, .offset = 2, .channel = "Sys", .names = {"A"}, .values = {"b"}},
      {.source = 3, .id = 8, .offset = 3, .channel = "Sys", .names = {"A"}, .values = {"b"}},
      {.source = 3, .id = 7, .offset = 4, .names = {"A"}, .values = {"Image: C:\\evil.exe"}},
  };
  for (size_t i = 0; i < 4; i++) yara_row_give(&sink, &rows[i]);
  yara_end(&sink, 3);
  size_t n = 0;
  const fl_yara_find *finds = finish_of(scan, NULL, &n);
  static const struct {
    const char *rule;
    uint64_t offset;
  } wanted[] = {{"any_log", 1}, {"one_id", 2}, {"one_log", 2}, {"one_log", 3}};
  assert_int_equal(n, 4);
  for (size_t i = 0; i < n; i++) {
    assert_string_equal(finds[i].rule->name, wanted[i].rule);
    assert_int_equal(finds[i].n_records, 1);
    assert_int_equal(finds[i].records[0].offset, wanted[i].offset);
  }
  fl_yara_scan_free(scan);
  fl_yara_free(yara);
}

static const char loop[] =
    "condition: for all i in (1..filesize) : ( for all j in (1..filesize) : ( for all k in "
    "(1..filesize) : ( i + j + k > 0 ) ) ) }";

/* Sources behind the third that takes too long are not scanned, with any number of jobs. */
static void scans_end_in_time(void **state) {
  char text[400];
  (void)state;
  (void)snprintf(text, sizeof text, "rule quick { condition: filesize == 8 } rule slow { %s", loop);
  fl_yara *yara = yara_of(text);
  uint8_t bytes[SIZE] = {0};
  yara_source source = {bytes, SIZE, 0}, small = {bytes, 8, 0};
  for (unsigned jobs = 1; jobs < 4; jobs += 2) {
    fl_yara_scan *scan = scan_of(yara, jobs, false);
    scan->seconds = 1;
    const fl_sink sink = fl_yara_scan_sink(scan);
    for (uint32_t i = 0; i < 8; i++) {
      yara_begin(&sink, i, "a", i % 2 ? &source : &small);
      yara_end(&sink, i);
    }
    seen s = {0};
    const fl_sink out = {.self = &s, .batch = see_batch, .note = see_note};
    size_t n = 0;
    const fl_yara_find *finds = finish_of(scan, &out, &n);
    assert_int_equal(n, 6); /* both rules, on the small ones */
    assert_int_equal(finds[5].source, 4);
    assert_int_equal(s.n_notes, 4);
    assert_non_null(strstr(s.text,
                           "note 1 5 limit reached: YARA rules were stopped after 1 s; what "
                           "they would find here is not known\n"));
    assert_non_null(
        strstr(s.text, "YARA rules were stopped on 3 sources; 2 more were not scanned"));
    assert_int_equal(source.n_shares + small.n_shares, 0);
    fl_yara_scan_free(scan);
  }
  fl_yara_free(yara);
}

static void events_end_in_time(void **state) {
  char text[400];
  (void)state;
  (void)snprintf(text, sizeof text, "rule slow : event { %s", loop);
  fl_yara *yara = yara_of(text);
  char *value = calloc(1, 5000);
  assert_non_null(value);
  memset(value, 'x', 4999);
  fl_yara_scan *scan = scan_of(yara, 1, false);
  const fl_sink sink = fl_yara_scan_sink(scan);
  yara_begin(&sink, 3, "a", NULL);
  for (uint64_t i = 0; i < 5; i++) {
    const yara_event_row row = {
        .source = 3, .id = 1, .offset = i, .names = {"A"}, .values = {value}};
    yara_row_give(&sink, &row);
  }
  yara_end(&sink, 3);
  seen s = {0};
  const fl_sink out = {.self = &s, .batch = see_batch, .note = see_note};
  size_t n = 0;
  (void)finish_of(scan, &out, &n);
  assert_int_equal(s.n_notes, 3);
  assert_non_null(strstr(s.text, "stopped at the record at offset 2 after 2 s; later events"));
  fl_yara_scan_free(scan);
  fl_yara_free(yara);
  free(value);
}

static void many_matches_are_counted(void **state) {
  enum { MANY = 1100000 };
  (void)state;
  fl_yara *yara = yara_of("rule a { strings: $a = \"ab\" condition: $a }");
  uint8_t *bytes = malloc(2 * MANY);
  assert_non_null(bytes);
  for (size_t i = 0; i < 2 * MANY; i++) bytes[i] = i % 2 ? 'b' : 'a';
  yara_source source = {bytes, 2 * MANY, 0};
  fl_yara_scan *scan = scan_of(yara, 1, false);
  const fl_sink sink = fl_yara_scan_sink(scan);
  yara_begin(&sink, 0, "a", &source);
  yara_end(&sink, 0);
  seen s = {0};
  const fl_sink out = {.self = &s, .batch = see_batch, .note = see_note};
  size_t n = 0;
  const fl_yara_find *finds = finish_of(scan, &out, &n);
  assert_int_equal(n, 1);
  assert_int_equal(finds[0].n_places, FL_LIMIT_YARA_PLACES);
  assert_true(finds[0].n_more > 900000);
  assert_non_null(strstr(s.text, "string a:$a is found more than 1000000 times"));
  fl_yara_scan_free(scan);
  fl_yara_free(yara);
  free(bytes);
}

/* Memory of a dump: no size, addresses, and no match from one run into the next. */
static void runs_have_addresses(void **state) {
  (void)state;
  fl_yara *yara = yara_of(
      "rule a { strings: $a = \"needle\" condition: "
      "$a at 0x7ff000001010 and not defined filesize and uint8(0x20) == 0x6c }");
  yara_scanner *scanner = NULL;
  fl_err err = {0};
  assert_int_equal(fl_yara_scanner_create(yara, FL_YARA_BYTES, &scanner, &err), FL_OK);
  uint8_t low[64] = {0}, high[64] = {0};
  put(low, 60, "need", false);
  put(low, 0x20, "le", false);
  put(high, 0x10, "needle", false);
  const yara_run runs[] = {{0, low, 64}, {UINT64_C(0x7ff000001000), high, 64}};
  const yara_medium medium = {.runs = runs, .n_runs = 2, .seconds = 10};
  yara_result result = {0};
  assert_int_equal(fl_yara_scanner_run(scanner, &medium, &result), FL_OK);
  assert_int_equal(result.n_hits, 1);
  assert_int_equal(result.n_matches, 1);
  assert_true(result.matches[0].offset == UINT64_C(0x7ff000001010));
  fl_yara_result_free(&result);
  fl_yara_scanner_free(scanner);
  fl_yara_free(yara);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches_lead_to_records),    cmocka_unit_test(chosen_rows_choose_finds),
      cmocka_unit_test(finds_become_events),        cmocka_unit_test(scripts_are_joined),
      cmocka_unit_test(events_are_scanned_as_text), cmocka_unit_test(scans_end_in_time),
      cmocka_unit_test(events_end_in_time),         cmocka_unit_test(many_matches_are_counted),
      cmocka_unit_test(runs_have_addresses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
