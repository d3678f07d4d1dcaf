/* rules_test.c - runs the tests that rule files name: scenarios and bundles. */
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

extern char **environ;

/* Where things are while one test runs. */
typedef struct bench {
  const cli_args *args;
  const fl_rules *rules;
  fl_out *out;
  bool is_json;
  char generator[1000]; /* the program that builds scenarios, "" = not found */
  char folder[64];      /* of what it built, "" = none yet */
  size_t n_run, n_failed, n_skipped;
} bench;

static void find_generator(bench *b) {
  const char *given = getenv("FL_FIXTURES");
  if (given) {
    (void)snprintf(b->generator, sizeof b->generator, "%s", given);
    return;
  }
  char self[960];
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return;
  self[n] = '\0';
  char *slash = strrchr(self, '/');
  if (slash) *slash = '\0';
  const int length = snprintf(b->generator, sizeof b->generator, "%s/fl-fixtures", self);
  const bool is_there =
      length > 0 && length < (int)sizeof b->generator && access(b->generator, X_OK) == 0;
  if (!is_there) b->generator[0] = '\0';
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw) {
  (void)info;
  (void)type;
  (void)ftw;
  return remove(path);
}

static void remove_folder(bench *b) {
  if (b->folder[0]) (void)nftw(b->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  b->folder[0] = '\0';
}

/* Builds the scenario into a new folder; false with a sentence. */
static bool build_scenario(bench *b, const char *scenario) {
  int result = 0;
  pid_t child = 0;
  (void)snprintf(b->folder, sizeof b->folder, "/tmp/faultline-test-XXXXXX");
  if (!mkdtemp(b->folder)) {
    b->folder[0] = '\0';
    cli_say("/tmp: cannot create a folder for a scenario");
    return false;
  }
  char option[] = "-o";
  char *const argv[] = {b->generator, (char *)(uintptr_t)scenario, option, b->folder, NULL};
  const bool is_started = posix_spawn(&child, b->generator, NULL, NULL, argv, environ) == 0;
  if (is_started && waitpid(child, &result, 0) == child && WIFEXITED(result) &&
      WEXITSTATUS(result) == 0) {
    char expectation[100]; /* what the scenario is about: no input */
    (void)snprintf(expectation, sizeof expectation, "%s/expect.txt", b->folder);
    (void)unlink(expectation);
    return true;
  }
  cli_say("%s: the scenario could not be built", scenario);
  return false;
}

/* Solves the case of one input with all rules that are loaded. */
static fl_case *solve(const bench *b, char *input, fl_case_builder **ret_builder) {
  const fl_case_options options = {0};
  fl_err err = {0};
  fl_case *solved = NULL;
  cli_args own = {.command = b->args->command, .words = {&input, 1}};
  own.value[OPT_quiet] = "";
  fl_status status = fl_case_builder_create(b->rules, &options, ret_builder, &err);
  if (status >= FL_OK) {
    cli_gate gate;
    fl_ingest_totals totals;
    (void)cli_gate_init(&gate, &own, false);
    cli_gate_add(&gate, fl_case_builder_sink(*ret_builder));
    const cli_exit exit = cli_read(&gate, &totals);
    const bool is_read = exit == CLI_DONE && totals.n_parsed > 0;
    if (exit == CLI_DONE && !is_read) cli_say("%s: nothing could be read", input);
    cli_gate_done(&gate);
    if (is_read) status = fl_case_builder_finish(*ret_builder, &totals, &solved, &err);
  }
  if (status < FL_OK) (void)cli_failed(status, &err);
  return solved;
}

static int64_t count_findings(const fl_case *solved, const char *rule) {
  int64_t n = 0;
  for (size_t i = 0; i < solved->n_findings; i++) n += strcmp(solved->findings[i].rule, rule) == 0;
  return n;
}

static bool is_as_expected(const fl_rule_test *test, int64_t n) {
  if (test->count >= 0) return (n == test->count) == test->expects_match;
  return (n > 0) == test->expects_match;
}

/* What became of one test; `count` -1 = it was not run. */
typedef struct outcome {
  const fl_rule_info *rule;
  const fl_rule_test *test;
  const char *path, *status; /* "ok", "failed", "skipped" */
  int64_t count;
} outcome;

static void print_json(const outcome *o, fl_out *out) {
  fl_out_puts(out, "{\"rule\":");
  fl_report_json_str(fl_str_of(o->rule->name), out);
  fl_out_puts(out, ",\"path\":");
  fl_report_json_str(fl_str_of(o->path), out);
  fl_out_printf(out,
                ",\"expects\":\"%s\",\"count\":", o->test->expects_match ? "match" : "nomatch");
  if (o->test->count >= 0) fl_out_printf(out, "%lld", (long long)o->test->count);
  else fl_out_puts(out, "null");
  fl_out_puts(out, ",\"found\":");
  if (o->count >= 0) fl_out_printf(out, "%lld", (long long)o->count);
  else fl_out_puts(out, "null");
  fl_out_printf(out, ",\"status\":\"%s\"}\n", o->status);
}

static void print_text(const outcome *o, fl_out *out) {
  const bool is_skipped = strcmp(o->status, "skipped") == 0;
  const char *mark = is_skipped ? "skip" : strcmp(o->status, "ok") == 0 ? "ok  " : "FAIL";
  fl_out_printf(out, "%s  %s  ", mark, o->rule->name);
  fl_out_printable(out, fl_str_of(o->path));
  if (is_skipped) {
    fl_out_puts(out, ": no fl-fixtures beside this program\n");
    return;
  }
  fl_out_printf(out, ": %s, ", o->test->expects_match ? "match wanted" : "no match wanted");
  if (o->count >= 0) fl_out_printf(out, "%lld found\n", (long long)o->count);
  else fl_out_puts(out, "not run\n");
}

static void tell(bench *b, const outcome *o) {
  if (b->is_json) print_json(o, b->out);
  else print_text(o, b->out);
}

static void run_test(bench *b, const fl_rule_info *rule, const fl_rule_test *test, char *path) {
  const size_t n = strlen(path);
  const bool is_scenario = n > 4 && strcmp(path + n - 4, ".scn") == 0;
  outcome o = {rule, test, path, "skipped", -1};
  if (is_scenario && !b->generator[0]) {
    b->n_skipped++;
    tell(b, &o);
    return;
  }
  fl_case_builder *builder = NULL;
  const bool is_ready = !is_scenario || build_scenario(b, path);
  fl_case *solved = is_ready ? solve(b, is_scenario ? b->folder : path, &builder) : NULL;
  if (solved) o.count = count_findings(solved, rule->name);
  const bool is_good = solved && is_as_expected(test, o.count);
  o.status = is_good ? "ok" : "failed";
  b->n_run++;
  b->n_failed += !is_good;
  tell(b, &o);
  fl_case_free(solved);
  fl_case_builder_free(builder);
  remove_folder(b);
}

/* Paths of tests are relative to the rule's file. */
static char *test_path(const fl_rule_info *rule, const fl_rule_test *test) {
  size_t n_folder = rule->file.n;
  while (n_folder && rule->file.p[n_folder - 1] != '/') n_folder--;
  if (test->path.n && test->path.p[0] == '/') n_folder = 0;
  char *path = malloc(n_folder + test->path.n + 1);
  if (!path) return NULL;
  if (n_folder) memcpy(path, rule->file.p, n_folder);
  memcpy(path + n_folder, test->path.p, test->path.n);
  path[n_folder + test->path.n] = '\0';
  return path;
}

/* What was not run is no success. */
static cli_exit judge(const bench *b) {
  const size_t n_all = b->n_run + b->n_skipped;
  if (n_all + b->n_failed == 0) cli_say("rules test: no rule names a test");
  if (b->n_skipped)
    cli_say(
        "rules test: %zu of %zu tests were not run: scenarios need fl-fixtures, beside this "
        "program "
        "or where FL_FIXTURES points",
        b->n_skipped, n_all);
  if (b->n_failed) return CLI_FOUND;
  return b->n_skipped ? CLI_PARTIAL : CLI_DONE;
}

cli_exit cli_rules_test(const cli_args *args, const fl_rules *rules) {
  bench b = {.args = args, .rules = rules};
  if (!cli_wants_json(args, &b.is_json)) return CLI_USAGE;
  find_generator(&b);
  const cli_exit exit = cli_open(args->value[OPT_output], &b.out);
  if (exit != CLI_DONE) return exit;
  for (size_t i = 0; i < fl_rules_count(rules); i++) {
    const fl_rule_info rule = fl_rules_info(rules, i);
    for (size_t j = 0; j < rule.n_tests && !cli_interrupted(); j++) {
      char *path = test_path(&rule, &rule.tests[j]);
      if (path) run_test(&b, &rule, &rule.tests[j], path);
      else b.n_failed++;
      free(path);
    }
  }
  if (!b.is_json)
    fl_out_printf(b.out, "%zu tests, %zu failed, %zu skipped\n", b.n_run, b.n_failed, b.n_skipped);
  return cli_close(b.out, judge(&b));
}
