/* flr_parse_test.c - the grammar of .flr: what parses, and what each mistake is answered with. */
#include "flr_help.h"

#define HEAD "rule r { meta: title = \"t\" events: "
#define EVENT HEAD "$a : channel \"c\" 1 "

static void check_error(const char *text, unsigned line, unsigned column, const char *part) {
  fl_rules *rules = NULL;
  fl_err err = {0};
  const fl_rule_message *messages = NULL;
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(fl_rules_add_text(rules, FL_STR("bad.flr"), fl_str_of(text), &err), FL_E_SYNTAX);
  assert_int_equal(err.code, FL_E_SYNTAX);
  assert_int_equal(fl_rules_count(rules), 0);
  const size_t n = fl_rules_messages(rules, &messages);
  size_t i = 0;
  while (i < n && messages[i].is_warning) i++;
  assert_true(i < n);
  if (!memmem(messages[i].text.p, messages[i].text.n, part, strlen(part)))
    fail_msg("%u:%u: %.*s, expected %s", messages[i].line, messages[i].column,
             FL_STR_ARG(messages[i].text), part);
  if (line) {
    if (messages[i].line != line || messages[i].column != column)
      fail_msg("%.*s at %u:%u, expected %u:%u", FL_STR_ARG(messages[i].text), messages[i].line,
               messages[i].column, line, column);
    assert_int_equal(err.offset, (uint64_t)line << 20 | column);
  }
  fl_rules_free(rules);
}

static void all_forms_parse(void **state) {
  (void)state;
  fl_rules *rules = rules_of(
      "\xef\xbb\xbf// comment\n# comment\n/* block\n comment */\n"
      "let @rcm = channel \"RCM\" provider \"P\"\n"
      "let @ids = provider 'Schannel' 36874|36888\n"
      "rule all : rdp tls { meta: title = \"All \\\"of\\\" it\" cause = \"\" severity = 80 effect "
      "= \"\"\n"
      "  fix = \"x\" mitre = \"T1\" date = 2024 note = true\n"
      "events:\n"
      "  $a : client @rcm 1024|1025 { Value => %srv as host; ActivityID -> %act as guid; "
      "event.host -> %h as host }\n"
      "  $b : server @ids { event.host -> %srv as host; not (x == 1 or y != \"two\") and z in (1, "
      "0x2, \"3\") }\n"
      "  $c : kind \"rdp.*\" { n >= 3; \"odd name\" contains \"v\" cased; ip cidr \"10.0.0.0/8\"; "
      "w exists }\n"
      "  $d : any provider \"Q\" { data.x icontains 'a'; s startswith \"b\"; s endswith \"c\"; on "
      "== true;\n"
      "       event.time > \"2024-01-01\" }\n"
      "  $m : channel \"m\" { x matches /^a\\/b [\"']+$/ims; y matches /A/ cased and z matches "
      "\"a//b\" }\n"
      "  $e : channel \"c\" kind \"k\" 5 {} $f : gateway channel \"g\" $g : channel \"g\"\n"
      "  $h : channel \"h\" $i : channel \"i\" $j : channel \"j\"\n"
      "sequence by %srv, machine(server) within 60s skew 5m:\n"
      "  $h? $a $b+ within 10s ($c | $d)? during 250ms $e before 1h\n"
      "  unordered within 1d { $f? $g* }\n"
      "  $m{2} within 3s\n"
      "  absent $i between $a and $b until $j\n"
      "score: +60 decisive if $a and not ($b or absent $c) : \"{$a.time} saw {%srv}\"\n"
      "  20 if unknown($c) -5 if count($b) >= 2 and $b.last.n < 3 +1 if %srv == $a.Value or %act "
      "exists\n"
      "  +2 if $b.delta($a) <= 2s and $b.x in (1,2) report at 50\n"
      "explain: \"{%srv} {$a.id} {$a.Value:hex} [?$b: and {count($b)} more [?%act: of {%act}]] "
      "\\{x\\} [y]\"\n"
      "  \"{unknown($c): ' not {%srv} "
      "known'}{machine(server)}{$b.delta($a)}{$a.sentence}{$b.last.time}\"\n"
      "tests: match \"one\" 2 nomatch \"two\" match 'three' }\n"
      "rule second { meta: title = \"s\" effect = \"noise\" events: $x : kind \"x\" }\n");
  assert_int_equal(fl_rules_count(rules), 2);
  const fl_rule_info info = fl_rules_info(rules, 0);
  assert_string_equal(info.name, "all");
  assert_string_equal(info.title, "All \"of\" it");
  assert_int_equal(info.severity, 80);
  assert_int_equal(info.line, 7);
  assert_int_equal(info.n_tests, 3);
  assert_true(info.tests[0].expects_match);
  assert_int_equal(info.tests[0].count, 2);
  assert_text(info.tests[1].path, "two");
  assert_false(info.tests[1].expects_match);
  assert_int_equal(info.tests[2].count, -1);
  assert_string_equal(fl_rules_info(rules, 1).effect, "noise");
  const fl_rule_file *files = NULL;
  assert_int_equal(fl_rules_files(rules, &files), 1);
  assert_int_equal(files[0].n_rules, 2);
  assert_false(files[0].is_refused);
  fl_rules_free(rules);
}

typedef struct mistake {
  const char *text;
  unsigned line, column; /* 0 = do not look */
  const char *part;
} mistake;

static const mistake mistakes[] = {
    {"rul r {}", 1, 1, "did you mean 'rule'"},
    {"rule {", 1, 6, "expected the name of the rule, found '{'"},
    {"rule r\n  evnts:", 2, 3, "expected '{' after the rule's name"},
    {"rule r {\n  evnts:\n}", 2, 3, "did you mean 'events'"},
    {"rule r { meta: title = \"t\" }", 1, 6, "has no events section"},
    {"rule r { events: $a : channel \"c\" }", 1, 6, "has no title"},
    {"rule r { meta: title = 3", 1, 24, "expected text in quotes, found '3'"},
    {"rule r { meta: severity = 101", 1, 27, "severity 101 is not in 0 to 100"},
    {"rule r { meta: effect = \"noisy\"", 0, 0, "did you mean 'noise'"},
    {"rule r { meta: title \"x\"", 1, 22, "expected '=' after the key"},
    {"rule r { meta: title = \"t\" meta:", 1, 28, "section 'meta' is given twice"},
    {"rule r { score:", 1, 10, "needs the events section before it"},
    {"rule r { meta: title = \"never closed\n}", 1, 24, "string is not closed on its line"},
    {"rule r /* x", 1, 8, "comment is not closed"},
    {"let x = 1", 1, 5, "expected an alias"},
    {"let @a = channel \"c\" let @a = channel \"c\"", 1, 26, "alias @a is defined twice"},
    {"let @a = chanel \"c\"", 1, 10, "did you mean 'channel'"},
    {"let @a = channel c", 1, 18, "expected a channel in quotes, found 'c'"},
    {"let @a = channel \"\"", 0, 0, "a channel is empty"},
    {"let @a = channel \"c\" channel \"d\"", 1, 22, "a channel is given twice"},
    {"let @a = channel \"c\" 4294967296", 0, 0, "event id 4294967296 is out of range"},
    {"let @a = channel \"c\" 1|", 0, 0, "expected an event id, found the end of the text"},
    {"let @abc = channel \"c\"\n" HEAD "$x : @abd }", 2, 41, "did you mean 'abc'"},
    {HEAD "}", 0, 0, "expected an event such as $name"},
    {HEAD "$a channel \"c\" }", 0, 0, "expected ':' after the event's name"},
    {HEAD "$ : channel \"c\" }", 0, 0, "'$' without a name behind it"},
    {HEAD "$a : sever channel \"c\" }", 0, 0, "did you mean 'server'"},
    {EVENT "$a : channel \"c\" }", 0, 0, "event $a is declared twice"},
    {EVENT "{ x = 1 } }", 0, 0, "did you mean '=='"},
    {EVENT "{ x contins \"y\" } }", 0, 0, "did you mean 'contains'"},
    {EVENT "{ x == } }", 0, 0, "expected a value"},
    {EVENT "{ x == 1 y == 2 } }", 0, 0, "expected ';' or '}' after the clause, found 'y'"},
    {EVENT "{ x contains 3 } }", 0, 0, "text comparison needs text"},
    {EVENT "{ x < \"abc\" } }", 0, 0, "order needs a number"},
    {EVENT "{ event.time > \"yesterday\" } }", 0, 0, "'yesterday' is not a time"},
    {EVENT "{ event.hst == \"a\" } }", 0, 0, "unknown column 'event.hst'"},
    {EVENT "{ x cidr \"300.0.0.0/8\" } }", 0, 0, "expected a network"},
    {EVENT "{ x cidr \"10.0.0.0/33\" } }", 0, 0, "expected a network"},
    {EVENT "{ x in 3 } }", 0, 0, "expected '(' after 'in'"},
    {EVENT "{ x in (3 } }", 0, 0, "expected ')' after the list"},
    {EVENT "{ (x == 3 } }", 0, 0, "expected ')' after the condition"},
    {EVENT "{ x matches 3 } }", 0, 0, "expected a regular expression such as"},
    {EVENT "{ x matches /a(/ } }", 0, 0, "missing closing parenthesis"},
    {"rule r { meta: title = \"t\" events: $a : kind \"k\" { x matches /abc[/ } }", 1, 67,
     "missing terminating ]"},
    {EVENT "{ x matches /a } }", 0, 0, "regular expression is not closed on its line"},
    {EVENT "{ x matches /a/q } }", 0, 0, "unknown flag 'q'"},
    {EVENT "{ x matches /a/i cased } }", 0, 0, "contradict each other"},
    {EVENT "{ x matches /((a{999}){999}){999}/ } }", 0, 0, "regular expression"},
    {EVENT "{ x == /a/ } }", 0, 0, "expected a value"},
    {EVENT "sequence: $a{} }", 0, 0, "expected a count, found '}'"},
    {EVENT "sequence: $a{,} }", 0, 0, "expected a count after ','"},
    {EVENT "sequence: $a{0} }", 0, 0, "a repetition from 0 to 0 is none"},
    {EVENT "sequence: $a{3,2} }", 0, 0, "a repetition from 3 to 2 is none"},
    {EVENT "sequence: $a{1,1000000000} }", 0, 0, "a repetition of more than 1024"},
    {EVENT "sequence: $a{2,3 $b }", 0, 0, "expected '}' after the repetition"},
    {EVENT "sequence: $a{0,3} }", 0, 0, "no mandatory step"},
    {EVENT "{ x -> y } }", 0, 0, "expected a variable such as %name"},
    {EVENT "{ x -> %y as hots } }", 0, 0, "did you mean 'host'"},
    {EVENT "{ x -> %y as ip; z -> %y as host } }", 0, 0,
     "is captured as ip elsewhere, here as host"},
    {EVENT "{ x == 12q } }", 0, 0, "neither a number nor a duration"},
    {EVENT "{ x ~ 3 } }", 0, 0, "unexpected character '~'"},
    {EVENT "{ x \x01 3 } }", 0, 0, "unexpected byte 0x01"},
    {EVENT "$b : channel \"d\" }", 1, 6, "a rule with 2 events needs a sequence"},
    {EVENT "sequence : }", 0, 0, "has no steps"},
    {EVENT "sequence within 5: $a }", 0, 0, "expected a duration such as 30s after 'within'"},
    {EVENT "sequence with 5s: $a }", 0, 0, "did you mean 'within'"},
    {EVENT "sequence by %x: $a }", 0, 0, "%x is never captured"},
    {EVENT "sequence by machine(any): $a }", 0, 0, "expected client, server or gateway"},
    {EVENT "sequence: $b }", 0, 0, "event $b is not declared"},
    {EVENT "sequence: $a? }", 0, 0, "no mandatory step"},
    {EVENT "sequence: $a $a }", 0, 0, "$a stands in the sequence twice"},
    {EVENT "sequence: ($a | ) }", 0, 0, "expected an event such as $name"},
    {EVENT "sequence: unordered { $a } }", 0, 0, "expected 'within' after 'unordered'"},
    {EVENT "sequence: unordered within 2s { $a within 3s } }", 0, 0, "have none of their own"},
    {EVENT "$b : channel \"d\" sequence: $a absent $b }", 0, 0,
     "expected 'within', 'during' or 'between'"},
    {EVENT "$b : channel \"d\" sequence: $a absent $b between $a }", 0, 0,
     "expected 'and' with a second event"},
    {EVENT "$b : channel \"d\" sequence: $a absent $b within 3s after $b }", 0, 0,
     "its own measure"},
    {EVENT "$b : channel \"d\" sequence: $a score: +1 if $b }", 0, 0,
     "$b is no step of the sequence"},
    {EVENT "score: }", 0, 0, "expected a line such as"},
    {EVENT "score: +1 decisiv if $a }", 0, 0, "expected 'if' or 'decisive if'"},
    {EVENT "score: +1 if }", 0, 0, "expected a condition"},
    {EVENT "score: +1 if abset $a }", 0, 0, "did you mean 'absent'"},
    {EVENT "score: +1 if count($a) contains 3 }", 0, 0, "expected one of == != < <= > >="},
    {EVENT "score: +1 if $a.delta($a) < 3 }", 0, 0, "expected a duration such as 2s"},
    {EVENT "score: +1 if $a.delta($a.start) < 3s }", 0, 0, "expected 'end' after the dot"},
    {EVENT "score: +1 if unknown $a }", 0, 0, "expected '(' after 'unknown'"},
    {EVENT "score: +1001 if $a }", 0, 0, "1001 points are not in"},
    {EVENT "score: +1 if $a report at 101 }", 0, 0, "threshold 101 is not in 0 to 100"},
    {EVENT "score: +1 if $a report 10 }", 0, 0, "expected 'at' after 'report'"},
    {EVENT "score: +1 if $a : x }", 0, 0, "expected an evidence sentence"},
    {EVENT "explain: x }", 0, 0, "expected a text in quotes"},
    {EVENT "\nexplain: \"ab {$b.x} c\" }", 2, 15, "event $b is not declared"},
    {EVENT "explain: \"{$a.x\" }", 0, 0, "'{' is not closed"},
    {EVENT "explain: \"[?$a: x\" }", 0, 0, "'[?' is not closed"},
    {EVENT "explain: \"[?$a\" }", 0, 0, "expected [?$event: text]"},
    {EVENT "explain: \"[?x: y]\" }", 0, 0, "expected $event or %variable"},
    {EVENT "explain: \"{cont($a)}\" }", 0, 0, "did you mean 'count'"},
    {EVENT "explain: \"{$a.x:hx}\" }", 0, 0, "did you mean 'hex'"},
    {EVENT "explain: \"{$a.x y}\" }", 0, 0, "unexpected 'y' before '}'"},
    {EVENT "explain: \"\\q\" }", 0, 0, "unknown escape"},
    {EVENT "explain: \"\\xZZ\" }", 0, 0, "two hexadecimal digits"},
    {"rule r {\n  meta: title = \"caf\xe9\"", 2, 21, "byte 0xe9 is not UTF-8"},
    {"rule r { /* \xc3", 1, 13, "byte 0xc3 is not UTF-8"},
    {EVENT "{ x == \"\xed\xa0\x80\" } }", 0, 0, "byte 0xed is not UTF-8"},
    {"rule r { meta: title = \"a\\x00b\"", 1, 26, "'\\x00' has no place in a text"},
    {"rule r { meta: cause = \"\\x00\"", 0, 0, "'\\x00' has no place in a text"},
    {EVENT "tests: match \"a\\x00b\" }", 0, 0, "'\\x00' has no place in a text"},
    {"rule r { meta: title = \"a\\xc3\"", 1, 24, "the bytes of '\\x' are not UTF-8"},
    {EVENT "tests: match x }", 0, 0, "expected a scenario or path in quotes"},
    {EVENT "} rule r { meta: title = \"t\" events: $a : kind \"k\" }", 1, 62,
     "is defined already at bad.flr:1"},
};

static void bytes_that_are_no_text(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_err err = {0};
  const fl_rule_message *messages = NULL;
  const char nul[] = "rule r { meta: title = \"a\0b\" events: $a : kind \"k\" }";
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(fl_rules_add_text(rules, FL_STR("nul.flr"), (fl_str){nul, sizeof nul - 1}, &err),
                   FL_E_SYNTAX);
  assert_int_equal(fl_rules_messages(rules, &messages), 1);
  assert_text(messages[0].text, "byte 0x00 has no place in a text");
  assert_int_equal(messages[0].column, 26);
  fl_rules_free(rules);
  rules =
      rules_of("rule r { meta: title = \"caf\\xc3\\xa9 \xef\xbf\xbd\" events: $a : kind \"k\" }");
  assert_string_equal(fl_rules_info(rules, 0).title, "caf\xc3\xa9 \xef\xbf\xbd");
  fl_rules_free(rules);
}

static void mistakes_are_explained(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
    check_error(mistakes[i].text, mistakes[i].line, mistakes[i].column, mistakes[i].part);
}

static void context_has_a_caret(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_err err = {0};
  const fl_rule_message *messages = NULL;
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  (void)fl_rules_add_text(rules, FL_STR("f"), FL_STR("\n\tlet \xc3\xa4\x1b@a = chanel\n"), &err);
  assert_true(fl_rules_messages(rules, &messages) > 0);
  assert_text(messages[0].context, " let \xc3\xa4?@a = chanel\n     ^");
  assert_has((fl_str){err.text, strlen(err.text)}, "f:2:6: ");
  fl_rules_free(rules);
}

static void one_slip_does_not_hide_others(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_err err = {0};
  const fl_rule_message *messages = NULL;
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(fl_rules_add_text(rules, FL_STR("f"),
                                     FL_STR("rule a { x }\nrule b {\n y }\nlet @q = z\n"), &err),
                   FL_E_SYNTAX);
  assert_int_equal(fl_rules_messages(rules, &messages), 3);
  assert_int_equal(messages[0].line, 1);
  assert_int_equal(messages[1].line, 3);
  assert_int_equal(messages[2].line, 4);
  /* The next file loads all the same. */
  assert_int_equal(fl_rules_add_text(rules, FL_STR("g"), FL_STR(EVENT "}"), &err), FL_OK);
  assert_int_equal(fl_rules_count(rules), 1);
  const fl_rule_file *files = NULL;
  assert_int_equal(fl_rules_files(rules, &files), 2);
  assert_true(files[0].is_refused);
  assert_int_equal(files[0].n_rules, 0);
  fl_rules_free(rules);
}

static size_t count_warnings(const char *text, const char *part) {
  fl_rules *rules = rules_of(text);
  const fl_rule_message *messages = NULL;
  const size_t n = fl_rules_messages(rules, &messages);
  size_t n_fit = 0;
  for (size_t i = 0; i < n; i++) {
    assert_true(messages[i].is_warning);
    if (memmem(messages[i].text.p, messages[i].text.n, part, strlen(part))) n_fit++;
  }
  fl_rules_free(rules);
  return n_fit;
}

static void lint_warns(void **state) {
  (void)state;
  const char *two = EVENT "{ x -> %v } $b : channel \"d\" sequence by %v: $a $b }";
  assert_int_equal(count_warnings(two, "step $b never binds %v"), 1);
  assert_int_equal(count_warnings(EVENT "{ x -> %v } $b : channel \"d\" sequence: $a $b }",
                                  "shares no variable with $a"),
                   1);
  assert_int_equal(
      count_warnings(EVENT "$b : channel \"d\" sequence: $a }", "event $b is never used"), 1);
  assert_int_equal(
      count_warnings("rule r { meta: title = \"t\" titel = \"x\" events: $a : kind \"k\" }",
                     "did you mean 'title'"),
      1);
  assert_int_equal(
      count_warnings(EVENT "{ x -> %v } $b : channel \"d\" { y -> %v } sequence by %v: $a $b }",
                     ""),
      0);
}

static char *repeated(const char *head, const char *part, size_t n, const char *tail) {
  const size_t n_part = strlen(part);
  char *text = malloc(strlen(head) + n * n_part + strlen(tail) + 1);
  assert_non_null(text);
  char *at = stpcpy(text, head);
  for (size_t i = 0; i < n; i++) at = stpcpy(at, part);
  (void)stpcpy(at, tail);
  return text;
}

static void limits_hold(void **state) {
  (void)state;
  static const struct {
    const char *head, *part, *tail, *expected;
    size_t n;
  } cases[] = {
      {EVENT "{ ", "(", "", "nested deeper than", 100000},
      {EVENT "{ ", "not ", "", "nested deeper than", 100000},
      {EVENT "score: +1 if ", "(", "", "nested deeper than", 100000},
      {EVENT "explain: \"", "[?$a: ", "\" }", "nested deeper than", 100000},
      {EVENT "{ x in (1", ",1", ") } }", "more than 256 values", 1000},
      {"let @a = channel \"c\" 1", "|1", "", "more than 256 event ids", 1000},
      {EVENT "score: ", "+1 if $a ", "}", "more than 64 score lines", 100},
      {EVENT "tests: ", "match \"x\" ", "}", "more than 256 tests", 300},
      {EVENT "{ ", "x == 1; ", "} }", "more than 64 clauses", 100},
      {"rule r : ", "t ", "{", "more than 16 tags", 20},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = repeated(cases[i].head, cases[i].part, cases[i].n, cases[i].tail);
    check_error(text, 0, 0, cases[i].expected);
    free(text);
  }
  char *big = repeated("", "#0123456789abcdef\n", 70000, "");
  check_error(big, 0, 0, "larger than 1 MiB");
  free(big);
  char *wide = repeated(EVENT "{ x == 1", " or x == 1", 50000, "} }");
  fl_rules_free(rules_of(wide));
  free(wide);
}

static void paths_load_in_byte_order(void **state) {
  (void)state;
  char folder[] = "/tmp/fl_rules_XXXXXX";
  assert_non_null(mkdtemp(folder));
  static const char *const names[] = {"b.flr", "a.flr", "c.txt"};
  char path[128];
  for (size_t i = 0; i < 3; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "rule from_%c { meta: title = \"t\" events: $a : kind \"k\" }\n", names[i][0]);
    (void)fclose(f);
  }
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  assert_int_equal(fl_rules_add_path(rules, folder, &err), FL_OK);
  assert_int_equal(fl_rules_count(rules), 2);
  assert_string_equal(fl_rules_info(rules, 0).name, "from_a");
  assert_string_equal(fl_rules_info(rules, 1).name, "from_b");
  assert_int_equal(fl_rules_add_path(rules, "/nowhere/at/all.flr", &err), FL_E_IO);
  assert_int_equal(fl_rules_finish(rules, &err), FL_OK);
  assert_int_equal(fl_rules_finish(rules, &err), FL_E_ARG);
  fl_rules_free(rules);
  for (size_t i = 0; i < 3; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    (void)remove(path);
  }
  (void)remove(folder);
}

static void packs_load(void **state) {
  (void)state;
  fl_rules *rules = NULL;
  fl_err err = {0};
  assert_int_equal(fl_rules_create(&rules, &err), FL_OK);
  if (fl_rules_add_packs(rules, &err) != FL_OK) fail_msg("%s", err.text);
  fl_rules_free(rules);
}

/* The rule in the guide is a rule. */
static void guide_parses(void **state) {
  (void)state;
  char path[512];
  const char *top = getenv("FL_TOP");
  (void)snprintf(path, sizeof path, "%s/docs/rules/flr.md", top ? top : ".");
  FILE *f = fopen(path, "r");
  if (!f) skip();
  char *text = calloc(1, 65536);
  assert_non_null(text);
  const size_t n = fread(text, 1, 65535, f);
  (void)fclose(f);
  assert_true(n > 0);
  char *start = strstr(text, "```\n");
  assert_non_null(start);
  char *end = strstr(start + 4, "\n```");
  assert_non_null(end);
  *end = '\0';
  fl_rules *rules = rules_of(start + 4);
  assert_int_equal(fl_rules_count(rules), 1);
  fl_rules_free(rules);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_forms_parse),
                                     cmocka_unit_test(mistakes_are_explained),
                                     cmocka_unit_test(bytes_that_are_no_text),
                                     cmocka_unit_test(context_has_a_caret),
                                     cmocka_unit_test(one_slip_does_not_hide_others),
                                     cmocka_unit_test(lint_warns),
                                     cmocka_unit_test(limits_hold),
                                     cmocka_unit_test(paths_load_in_byte_order),
                                     cmocka_unit_test(packs_load),
                                     cmocka_unit_test(guide_parses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
