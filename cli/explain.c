/* explain.c - faultline explain: what an error code means, and what is known of a cause. */
#include <string.h>

#include "cli/cli.h"

/* CODE EXTENDED, or CODE/EXTENDED as people paste it. */
static void split_words(const cli_args *args, fl_str *ret_code, fl_str *ret_extended) {
  const char *word = args->words.items[0];
  const char *slash = strchr(word, '/');
  *ret_code = fl_str_of(word);
  *ret_extended = args->words.n > 1 ? fl_str_of(args->words.items[1]) : (fl_str){0};
  if (!slash || args->words.n > 1) return;
  ret_code->n = (size_t)(slash - word);
  *ret_extended = fl_str_of(slash + 1);
}

static cli_exit explain_code(const cli_args *args) {
  bool is_json = false;
  bool is_known = false;
  fl_str code = {0};
  fl_str extended = {0};
  fl_out *out = NULL;
  fl_err err = {0};
  if (!cli_wants_json(args, &is_json)) return CLI_USAGE;
  split_words(args, &code, &extended);
  const cli_exit exit = cli_open(args->value[OPT_output], &out);
  if (exit != CLI_DONE) return exit;
  const fl_status status = fl_report_code(code, extended, is_json, out, &is_known, &err);
  return cli_close(out, status < FL_OK ? cli_failed(status, &err) : CLI_DONE);
}

/* One cause, or all of them for the word "causes". The rules are those of the program. */
static cli_exit explain_cause(const cli_args *args, const fl_cause_fact *cause) {
  const char *format = cli_has(args, OPT_format) ? args->value[OPT_format] : "text";
  const cli_list no_paths = {0};
  fl_rules *rules = NULL;
  fl_out *out = NULL;
  fl_err err = {0};
  if (strcmp(format, "text") != 0 && strcmp(format, "md") != 0 && strcmp(format, "json") != 0)
    return cli_usage(args, "--format %s: a cause is written as text, md or json", format);
  if (!cli_args_no_more(args, 1)) return CLI_USAGE;
  cli_exit exit = cli_rules_load(args, &no_paths, true, &rules);
  if (!rules) return exit;
  exit = cli_open(args->value[OPT_output], &out);
  if (exit == CLI_DONE) {
    const fl_status status = cause ? fl_report_cause(cause, rules, format, out, &err)
                                   : fl_report_causes(rules, format, out, &err);
    exit = cli_close(out, status < FL_OK ? cli_failed(status, &err) : CLI_DONE);
  }
  fl_rules_free(rules);
  return exit;
}

cli_exit cli_explain(const cli_args *args) {
  if (!cli_args_need_words(args, "CODE or CAUSE")) return CLI_USAGE;
  const fl_str word = fl_str_of(args->words.items[0]);
  const fl_cause_fact *cause = fl_cause_find(word);
  if (cause || fl_str_eq(word, FL_STR("causes"))) return explain_cause(args, cause);
  if (args->words.n > 2)
    return cli_usage(args, "explain: one code and one extended code, not more");
  return explain_code(args);
}
