/* explain.c - faultline explain: what an error code means. */
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

cli_exit cli_explain(const cli_args *args) {
  bool is_json = false;
  bool is_known = false;
  fl_str code = {0};
  fl_str extended = {0};
  fl_out *out = NULL;
  fl_err err = {0};
  if (!cli_args_need_words(args, "CODE") || !cli_wants_json(args, &is_json)) return CLI_USAGE;
  if (args->words.n > 2)
    return cli_usage(args, "explain: one code and one extended code, not more");
  split_words(args, &code, &extended);
  const cli_exit exit = cli_open(args->value[OPT_output], &out);
  if (exit != CLI_DONE) return exit;
  const fl_status status = fl_report_code(code, extended, is_json, out, &is_known, &err);
  return cli_close(out, status < FL_OK ? cli_failed(status, &err) : CLI_DONE);
}
