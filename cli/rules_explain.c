/* rules_explain.c - faultline rules explain: why a rule did or did not match one event. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

/* The parts of REF; `path` is an input of its own where none is given. */
typedef struct question {
  fl_trace_request request;
  char *path;
} question;

static bool has_rule(const fl_rules *rules, const char *name) {
  for (size_t i = 0; i < fl_rules_count(rules); i++)
    if (strcmp(fl_rules_info(rules, i).name, name) == 0) return true;
  return false;
}

/* Sigma and YARA rules are asked in a hunt, sequences in a case. */
static bool has_hunted(const fl_rules *rules, const char *name) {
  for (int engine = FL_BY_SIGMA; engine < FL_N_RULE_ENGINES; engine++)
    for (size_t i = 0; i < fl_rules_engine_count(rules, (fl_rule_engine)engine); i++) {
      const fl_rule_info info = fl_rules_engine_info(rules, (fl_rule_engine)engine, i);
      if (strcmp(info.name, name) == 0 || (info.title && strcmp(info.title, name) == 0))
        return true;
    }
  return false;
}

/* A rule file, or a folder that holds some. */
static bool is_rules(const char *path) {
  fl_rules *rules = NULL;
  const fl_rule_file *files = NULL;
  struct stat info;
  static const char *const suffixes[] = {".flr", ".yml", ".yaml", ".yar", ".yara"};
  const size_t n = strlen(path);
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    const size_t n_suffix = strlen(suffixes[i]);
    if (n > n_suffix && strcmp(path + n - n_suffix, suffixes[i]) == 0) return true;
  }
  if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return false;
  if (fl_rules_create(&rules, NULL) != FL_OK) return false;
  (void)fl_rules_add_path(rules, path, NULL);
  const size_t n_files = fl_rules_files(rules, &files);
  bool is = false;
  for (size_t i = 0; i < n_files; i++) is |= !fl_str_eq(files[i].name, fl_str_of(path));
  fl_rules_free(rules);
  return is;
}

static cli_exit not_met(const question *q) {
  cli_say("%.*s: no record of the inputs is at offset %llu of it", FL_STR_ARG(q->request.source),
          (unsigned long long)q->request.offset);
  return CLI_NOTHING;
}

static cli_exit hunt(const cli_args *args, const fl_rules *rules, const question *q) {
  const fl_hunt_options options = {.trace = &q->request, .n_jobs = args->ingest.n_jobs};
  fl_hunt *hunt = NULL;
  fl_err err = {0};
  fl_status status = fl_hunt_create(rules, &options, &hunt, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  cli_args own = *args;
  cli_gate gate;
  fl_ingest_totals totals = {0};
  (void)cli_gate_init(&gate, &own, false);
  cli_gate_add(&gate, fl_hunt_sink(hunt));
  own.ingest.want_bytes = fl_hunt_wants_bytes(hunt);
  if (own.ingest.want_bytes) cli_say_no_bytes(&own);
  cli_exit exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) exit = cli_judge(&gate, &totals);
  cli_gate_done(&gate);
  const bool is_read = cli_goes_on(exit);
  if (is_read) status = fl_hunt_finish(hunt, &err);
  if (status < FL_OK) exit = cli_failed(status, &err);
  fl_hunt_free(hunt);
  return is_read && status >= FL_OK && !fl_trace_is_met(q->request.trace) ? not_met(q) : exit;
}

static cli_exit solve(const cli_args *args, const fl_rules *rules, const question *q) {
  const fl_case_options options = {.trace = &q->request};
  fl_case_builder *builder = NULL;
  fl_case *solved = NULL;
  fl_err err = {0};
  fl_status status = fl_case_builder_create(rules, &options, &builder, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  cli_gate gate;
  fl_ingest_totals totals = {0};
  (void)cli_gate_init(&gate, args, false);
  cli_gate_add(&gate, fl_case_builder_sink(builder));
  cli_exit exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) exit = cli_judge(&gate, &totals);
  cli_gate_done(&gate);
  const bool is_read = exit == CLI_DONE || exit == CLI_PARTIAL;
  if (is_read) status = fl_case_builder_finish(builder, &totals, &solved, &err);
  if (status < FL_OK) exit = cli_failed(status, &err);
  fl_case_free(solved);
  fl_case_builder_free(builder);
  return is_read && status >= FL_OK && !fl_trace_is_met(q->request.trace) ? not_met(q) : exit;
}

static void print_text(const fl_trace *trace, fl_out *out) {
  static const char *const marks[] = {" ", "+", "-", "?"};
  const fl_trace_line *lines = NULL;
  const size_t n = fl_trace_lines(trace, &lines);
  for (size_t i = 0; i < n; i++) {
    fl_out_printf(out, "%*s%s ", (int)(lines[i].depth < 32 ? 2 * lines[i].depth : 64), "",
                  marks[lines[i].mark]);
    fl_out_printable(out, lines[i].text);
    fl_out_puts(out, "\n");
  }
  fl_out_puts(out, fl_trace_is_match(trace) ? "the rule matches with this event\n"
                                            : "the rule does not match with this event\n");
}

static void print_json(const question *q, fl_out *out) {
  const fl_trace_line *lines = NULL;
  const size_t n = fl_trace_lines(q->request.trace, &lines);
  fl_out_puts(out, "{\"rule\":");
  fl_report_json_str(q->request.rule, out);
  fl_out_puts(out, ",\"source\":");
  fl_report_json_str(q->request.source, out);
  fl_out_printf(out, ",\"offset\":%llu,\"matches\":%s,\"lines\":[",
                (unsigned long long)q->request.offset,
                fl_trace_is_match(q->request.trace) ? "true" : "false");
  for (size_t i = 0; i < n; i++) {
    fl_out_printf(out, "%s{\"depth\":%u,\"kind\":\"%s\",\"result\":", i ? "," : "", lines[i].depth,
                  lines[i].kind);
    if (lines[i].mark == FL_TRACE_NOTE) fl_out_puts(out, "null");
    else fl_out_printf(out, "\"%s\"", fl_trace_mark_names[lines[i].mark]);
    fl_out_puts(out, ",\"text\":");
    fl_report_json_str(lines[i].text, out);
    fl_out_puts(out, "}");
  }
  fl_out_puts(out, "]}\n");
}

static cli_exit answer(const cli_args *args, const fl_rules *rules, question *q, bool is_json) {
  fl_err err = {0};
  fl_out *out = NULL;
  const fl_status status = fl_trace_create(&q->request.trace, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  const bool is_sequence = has_rule(rules, args->value[OPT_rule]);
  cli_exit exit = is_sequence ? solve(args, rules, q) : hunt(args, rules, q);
  if (exit == CLI_DONE || exit == CLI_PARTIAL) {
    const cli_exit opened = cli_open(args->value[OPT_output], &out);
    if (opened == CLI_DONE && is_json) print_json(q, out);
    if (opened == CLI_DONE && !is_json) print_text(q->request.trace, out);
    exit = opened == CLI_DONE ? cli_worse(exit, cli_close(out, CLI_DONE)) : opened;
  }
  fl_trace_free(q->request.trace);
  return exit;
}

/* PATH is left out where a rule of the packs is asked about; inputs where REF is a path. */
cli_exit cli_rules_explain(const cli_args *args, const cli_list *words) {
  question q = {0};
  bool is_json = false;
  fl_rules *rules = NULL;
  if (!cli_wants_json(args, &is_json)) return CLI_USAGE;
  if (!cli_has(args, OPT_rule) || !cli_has(args, OPT_event))
    return cli_usage(args, "rules explain: want --rule NAME and --event REF");
  const bool has_path = words->n && is_rules(words->items[0]);
  const cli_list paths = {words->items, has_path ? 1 : 0};
  cli_list inputs = {words->items + paths.n, words->n - paths.n};
  q.request.rule = fl_str_of(args->value[OPT_rule]);
  if (!cli_ref_split(args->value[OPT_event], inputs.n > 0, &q.request.source, &q.request.offset,
                     &q.path))
    return cli_usage(args, "--event %s: want SOURCE@OFFSET", args->value[OPT_event]);
  cli_args own = *args;
  own.words = inputs.n ? inputs : (cli_list){&q.path, 1};
  cli_exit exit = cli_rules_load(args, &paths, !cli_has(args, OPT_no_packs), &rules);
  const char *name = args->value[OPT_rule];
  if (rules && !has_rule(rules, name) && !has_hunted(rules, name))
    exit = cli_usage(args, "--rule %s: no rule of this name is loaded", args->value[OPT_rule]);
  else if (rules) exit = cli_worse(exit, answer(&own, rules, &q, is_json));
  fl_rules_free(rules);
  free(q.path);
  return exit;
}
