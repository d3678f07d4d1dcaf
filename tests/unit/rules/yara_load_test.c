/* yara_load_test.c - which YARA sources load, and why others do not. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yara_help.h"

static const char good[] = "rule good { condition: true }";

/* What is said of a text that is refused, beside a good one that loads. */
static fl_rule_message refusal_of(fl_yara *yara, fl_str text) {
  fl_err err = {0};
  const fl_rule_message *messages = NULL;
  const fl_rule_file *files = NULL;
  (void)fl_yara_add(yara, FL_STR("bad.yar"), text, NULL, &err);
  assert_int_equal(fl_yara_add(yara, FL_STR("good.yar"), fl_str_of(good), NULL, &err), FL_OK);
  assert_int_equal(fl_yara_finish(yara, &err), FL_E_SYNTAX);
  assert_int_equal(fl_yara_files(yara, &files), 2);
  assert_true(files[0].is_refused && !files[1].is_refused);
  assert_int_equal(files[1].n_rules, 1);
  assert_int_equal(fl_yara_count(yara), 1);
  assert_string_equal(fl_yara_rule_at(yara, 0)->name, "good");
  const size_t n = fl_yara_messages(yara, &messages);
  for (size_t i = 0; i < n; i++)
    if (!messages[i].is_warning) return messages[i];
  fail_msg("nothing is said");
  return messages[0];
}

static void bad_files_are_refused(void **state) {
  static const struct {
    const char *text, *says;
    uint32_t line;
  } cases[] = {
      {"rule a {\n condition:\n  $x }", "undefined string", 3},
      {"rule a { condition: true }\nrule a { condition: true }", "duplicated identifier", 2},
      {"\nimport \"dotnet\"\nrule a { condition: true }", "module \"dotnet\" is not read here", 2},
      {"import /* x */ \"cuckoo\" rule a { condition: true }", "module \"cuckoo\"", 1},
      {"include \"/etc/passwd\"\nrule a { condition: true }", "only from a folder", 1},
      {"YARA\x13\x01", "is compiled", 1},
      {"rule a { condition: nothing }", "undefined identifier", 1},
      {"rule a { strings: $a = /(/ condition: $a }", "invalid regular expression", 1},
      {"rule a { condition: 0xFFFFFFFFFFFFFFFFFF == 1 }", "", 1},
      {"text", "syntax error", 1},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fl_yara *yara = yara_open();
    const fl_rule_message m = refusal_of(yara, fl_str_of(cases[i].text));
    if (!strstr(m.text.p, cases[i].says)) fail_msg("%zu: %s", i, m.text.p);
    assert_int_equal(m.line, cases[i].line);
    assert_text(m.file, "bad.yar");
    fl_yara_free(yara);
  }
}

static void texts_are_looked_at(void **state) {
  static const char nul[] = "rule a {\n\0 condition: true }";
  static const struct {
    const char *text;
    bool is_fine;
  } cases[] = {
      {"// import \"magic\"\n/* import \"magic\" */ import \"pe\"", true},
      {"rule a { strings: $a = \"import \\\"magic\" condition: $a }", true},
      {"rule a { strings: $a = /import \\\"magic\"/ condition: $a }", true},
      {"import\n\"magic\"", false},
      {"import \"hash\" import \"math\" import \"elf\" import \"time\" import \"console\"", false},
      {"/* import \"magic\"", true},
      {"import \"", false},
      {"", true},
  };
  (void)state;
  yara_complaint complaint = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (fl_yara_check_text(fl_str_of(cases[i].text), &complaint) != cases[i].is_fine)
      fail_msg("%zu", i);
  assert_false(fl_yara_check_text((fl_str){nul, sizeof nul - 1}, &complaint));
  assert_int_equal(complaint.line, 2);
  assert_non_null(strstr(complaint.text, "NUL"));
}

static void write_file(const char *folder, const char *name, const char *text) {
  char path[300];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  (void)fwrite(text, 1, strlen(text), f);
  (void)fclose(f);
}

static void make_folder(const char *top, const char *name) {
  char path[300];
  (void)snprintf(path, sizeof path, "%s/%s", top, name);
  assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
}

/* A folder of rules: subfolders, includes of all kinds, files of no interest. */
static void fill_folder(const char *top) {
  make_folder(top, "set");
  make_folder(top, "set/sub");
  write_file(top, "outside.inc", "rule outside { condition: true }");
  write_file(top, "set/a.yar", "include \"sub/b.inc\"\nrule a { condition: inner }");
  write_file(top, "set/sub/b.inc", "include \"c.inc\"\nprivate rule inner { condition: deep }");
  write_file(top, "set/sub/c.inc", "private rule deep { condition: true }");
  write_file(top, "set/sub/d.yara",
             "rule d : one two { meta: score = 75 title = \"D\" "
             "condition: filesize > 0 }");
  write_file(top, "set/e.yar", "\ninclude \"../outside.inc\"\nrule e { condition: true }");
  write_file(top, "set/f.yar", "include \"sub/g.inc\"\nrule f { condition: true }");
  write_file(top, "set/sub/g.inc", "import \"magic\"");
  write_file(top, "set/readme.txt", "no rule");
  write_file(top, "set/.hidden.yar", "no rule");
}

static void folders_and_includes(void **state) {
  char top[] = "/tmp/faultline-yara-XXXXXX";
  char path[300];
  fl_err err = {0};
  (void)state;
  assert_non_null(mkdtemp(top));
  fill_folder(top);
  (void)snprintf(path, sizeof path, "%s/set", top);
  fl_rules *rules = NULL;
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(fl_rules_add_path(rules, path, &err), FL_OK);
  assert_int_equal(fl_rules_finish(rules, &err), FL_OK);
  const fl_rule_file *files = NULL;
  assert_int_equal(fl_rules_files(rules, &files), 4);
  assert_true(!files[0].is_refused && files[0].n_rules == 1); /* a */
  assert_true(files[1].is_refused && files[2].is_refused);    /* e, f */
  assert_true(!files[3].is_refused && files[3].n_rules == 1); /* d */
  const fl_rule_message *m = NULL;
  assert_true(fl_rules_messages(rules, &m) >= 2);
  assert_int_equal(m[0].line, 1);
  assert_non_null(strstr(m[0].text.p, "\"../outside.inc\": lies outside of the folder"));
  assert_int_equal(fl_rules_engine_count(rules, FL_BY_YARA), 2);
  const fl_rule_info d = fl_rules_engine_info(rules, FL_BY_YARA, 1);
  assert_string_equal(d.name, "d");
  assert_string_equal(d.title, "D");
  assert_true(d.severity == 75 && d.line == 1 && d.engine == FL_BY_YARA);
  assert_int_equal(fl_rules_engine_info(rules, FL_BY_YARA, 0).line, 2);
  fl_rules_free(rules);
}

static void rules_are_found_by_name(void **state) {
  (void)state;
  fl_yara *yara =
      yara_of("rule a : one two { condition: true } private rule p { condition: true }");
  const fl_yara_rule *a = fl_yara_rule_find(yara, FL_STR("a"));
  assert_non_null(a);
  assert_text(a->tags, "one two");
  assert_ptr_equal(fl_yara_rule_find(yara, FL_STR("a.yar:a")), a);
  assert_null(fl_yara_rule_find(yara, FL_STR("yar:a")));
  assert_null(fl_yara_rule_find(yara, FL_STR("p")));
  fl_yara_free(yara);
}

/* Strings with `xor` stand for 256 each: libyara takes minutes to put a few thousand together. */
static char *slow_text(void) {
  enum { RULES = 8, STRINGS = 1000, LINE = 60 };
  char *text = calloc(RULES * (STRINGS + 1), LINE);
  assert_non_null(text);
  size_t n = 0;
  for (int r = 0; r < RULES; r++) {
    n += (size_t)sprintf(text + n, "rule slow%d { strings:", r);
    for (int i = 0; i < STRINGS; i++)
      n += (size_t)sprintf(text + n, " $a%d = \"abcdefgh%d_%d\" xor", i, r, i);
    n += (size_t)sprintf(text + n, " condition: any of them }\n");
  }
  return text;
}

static void slow_sources_are_stopped(void **state) {
  (void)state;
  char *slow = slow_text();
  fl_yara *yara = yara_open();
  yara->compile_seconds = yara->link_seconds = 1;
  const fl_rule_message m = refusal_of(yara, fl_str_of(slow));
  assert_text(m.text, "takes too long to compile");
  fl_yara_free(yara);
  free(slow);
}

static void many_bad_files_keep_the_good(void **state) {
  enum { FILES = 40 };
  fl_yara *yara = yara_open();
  fl_err err = {0};
  (void)state;
  for (int i = 0; i < FILES; i++) {
    const char *text = i % 2 ? "rule a { condition: true }" : "rule a { condition: $b }";
    assert_int_equal(fl_yara_add(yara, FL_STR("x.yar"), fl_str_of(text), NULL, &err), FL_OK);
  }
  assert_int_equal(fl_yara_finish(yara, &err), FL_E_SYNTAX);
  assert_string_equal(err.text, "20 of 40 YARA files refused");
  assert_int_equal(fl_yara_count(yara), FILES / 2);
  fl_yara_free(yara);
}

static void event_rules_need_selectors(void **state) {
  enum { RULES = FL_LIMIT_YARA_EVENT_RULES + 1, LINE = 120 };
  char *text = calloc(RULES, LINE);
  fl_err err = {0};
  (void)state;
  for (int has_selector = 0; has_selector < 2; has_selector++) {
    size_t n = 0;
    for (int i = 0; i < RULES; i++)
      n += (size_t)sprintf(text + n, "rule r%d : event { %s condition: true }\n", i,
                           has_selector ? "meta: event_id = 7" : "");
    fl_yara *yara = yara_open();
    assert_int_equal(fl_yara_add(yara, FL_STR("e.yar"), fl_str_of(text), NULL, &err), FL_OK);
    assert_int_equal(fl_yara_finish(yara, &err), has_selector ? FL_OK : FL_E_SYNTAX);
    assert_int_equal(fl_yara_count(yara), has_selector ? RULES : 0);
    fl_yara_free(yara);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_files_are_refused),      cmocka_unit_test(texts_are_looked_at),
      cmocka_unit_test(folders_and_includes),       cmocka_unit_test(rules_are_found_by_name),
      cmocka_unit_test(slow_sources_are_stopped),   cmocka_unit_test(many_bad_files_keep_the_good),
      cmocka_unit_test(event_rules_need_selectors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
