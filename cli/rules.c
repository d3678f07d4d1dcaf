/* rules.c - faultline rules: check, list and test rule files; loading of rules for all commands. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* A file that could not be read has no place in it to name. */
static void print_message(fl_out *out, const fl_rule_message *message) {
  fl_out_printable(out, message->file);
  fl_out_puts(out, ":");
  if (message->line) fl_out_printf(out, "%u:%u:", message->line, message->column);
  fl_out_printf(out, " %s: ", message->is_warning ? "warning" : "error");
  fl_out_printable(out, message->text);
  fl_out_puts(out, "\n");
  /* Cleaned when it was made: its caret stands below a column. */
  if (message->context.n) fl_out_printf(out, "%.*s\n", FL_STR_ARG(message->context));
}

static bool is_of_pack(const fl_rules *rules, size_t n_packs, fl_str file) {
  const fl_rule_file *files = NULL;
  const size_t n = fl_rules_files(rules, &files);
  for (size_t i = 0; i < n && i < n_packs; i++)
    if (fl_str_eq(files[i].name, file)) return true;
  return false;
}

/* What is wrong with the user's files; warnings about the packs are for those who write them. */
static void print_messages(const cli_args *args, const fl_rules *rules, size_t n_packs) {
  const fl_rule_message *messages = NULL;
  const size_t n = fl_rules_messages(rules, &messages);
  fl_out *out = NULL;
  fl_err err = {0};
  if (n == 0 || fl_out_memory(&out, &err) < FL_OK) return;
  for (size_t i = 0; i < n; i++) {
    const bool is_hint = messages[i].is_warning && cli_has(args, OPT_quiet);
    if (!is_hint && !is_of_pack(rules, n_packs, messages[i].file)) print_message(out, &messages[i]);
  }
  const fl_str text = fl_out_text(out);
  (void)fwrite(text.p, 1, text.n, stderr);
  fl_out_discard(out);
}

/* 0, 2 or 3 from the files behind the first `n_before`, which are the packs. */
static cli_exit judge_files(const fl_rules *rules, size_t n_before, size_t n_failed) {
  const fl_rule_file *files = NULL;
  const size_t n = fl_rules_files(rules, &files);
  size_t n_loaded = 0;
  for (size_t i = n_before; i < n; i++) {
    if (files[i].is_refused) n_failed++;
    else n_loaded++;
  }
  if (n_failed == 0) return CLI_DONE;
  return n_loaded == 0 ? CLI_USAGE : CLI_PARTIAL;
}

/* Log sources come before the rules that name them; false with a sentence. */
static bool add_sources(const cli_args *args, fl_rules *rules) {
  fl_err err = {0};
  if (!cli_has(args, OPT_logsources)) return true;
  if (fl_rules_add_sources(rules, args->value[OPT_logsources], &err) >= FL_OK) return true;
  cli_say("%s", err.text);
  return false;
}

/* Returns how many paths are lost without a word in the messages of `rules`. */
static size_t add_paths(fl_rules *rules, const cli_list *paths) {
  const fl_rule_message *messages = NULL;
  size_t n_failed = 0;
  for (size_t i = 0; i < paths->n; i++) {
    fl_err err = {0};
    const size_t n_before = fl_rules_messages(rules, &messages);
    const fl_status status = fl_rules_add_path(rules, paths->items[i], &err);
    if (status >= FL_OK || fl_rules_messages(rules, &messages) > n_before) continue;
    cli_say("%s", err.text);
    n_failed++;
  }
  return n_failed;
}

cli_exit cli_rules_load(const cli_args *args, const cli_list *paths, bool with_packs,
                        fl_rules **ret_rules) {
  fl_rules *rules = NULL;
  fl_err err = {0};
  const fl_rule_file *files = NULL;
  fl_status status = fl_rules_create(&rules, &err);
  if (status >= FL_OK && with_packs) status = fl_rules_add_packs(rules, &err);
  if (status < FL_OK) {
    fl_rules_free(rules);
    (void)cli_failed(status, &err);
    return CLI_INTERNAL;
  }
  if (!add_sources(args, rules)) {
    fl_rules_free(rules);
    return CLI_USAGE;
  }
  const size_t n_packs = fl_rules_files(rules, &files);
  const size_t n_failed = add_paths(rules, paths);
  status = fl_rules_finish(rules, &err);
  cli_exit exit = judge_files(rules, n_packs, n_failed);
  if (status < FL_OK && status != FL_E_SYNTAX) exit = cli_failed(status, &err);
  else if (status < FL_OK) exit = cli_worse(exit, CLI_PARTIAL);
  print_messages(args, rules, n_packs);
  if (exit == CLI_DONE || exit == CLI_PARTIAL) {
    *ret_rules = rules;
    return exit;
  }
  cli_say("no rule file could be loaded");
  fl_rules_free(rules);
  return exit;
}

static void check_messages_json(const fl_rules *rules, fl_str file, bool warnings, fl_out *out) {
  const fl_rule_message *messages = NULL;
  const size_t n = fl_rules_messages(rules, &messages);
  bool is_first = true;
  for (size_t i = 0; i < n; i++) {
    if (messages[i].is_warning != warnings || !fl_str_eq(messages[i].file, file)) continue;
    fl_out_printf(out, "%s{\"line\":%u,\"column\":%u,\"text\":", is_first ? "" : ",",
                  messages[i].line, messages[i].column);
    fl_report_json_str(messages[i].text, out);
    fl_out_puts(out, "}");
    is_first = false;
  }
}

static void check_json(const fl_rules *rules, fl_out *out) {
  const fl_rule_file *files = NULL;
  const size_t n = fl_rules_files(rules, &files);
  for (size_t i = 0; i < n; i++) {
    fl_out_puts(out, "{\"file\":");
    fl_report_json_str(files[i].name, out);
    fl_out_printf(out, ",\"rules\":%zu,\"errors\":[", files[i].is_refused ? 0 : files[i].n_rules);
    check_messages_json(rules, files[i].name, false, out);
    fl_out_puts(out, "],\"warnings\":[");
    check_messages_json(rules, files[i].name, true, out);
    fl_out_puts(out, "]}\n");
  }
}

static void check_text(const fl_rules *rules, fl_out *out) {
  const fl_rule_file *files = NULL;
  const size_t n_files = fl_rules_files(rules, &files);
  const fl_rule_message *messages = NULL;
  const size_t n = fl_rules_messages(rules, &messages);
  for (size_t i = 0; i < n; i++) print_message(out, &messages[i]);
  for (size_t i = 0; i < n_files; i++) {
    fl_out_printable(out, files[i].name);
    if (files[i].is_refused) fl_out_puts(out, ": refused\n");
    else fl_out_printf(out, ": %zu rules\n", files[i].n_rules);
  }
}

static void say_unreadable(const fl_rules *rules) {
  const fl_rule_message *messages = NULL;
  const size_t n = fl_rules_messages(rules, &messages);
  for (size_t i = 0; i < n; i++)
    if (!messages[i].line)
      cli_say("%.*s: %.*s", FL_STR_ARG(messages[i].file), FL_STR_ARG(messages[i].text));
}

/* Unlike a load for work, a check shows the messages on standard output and always prints. */
static cli_exit check(const cli_args *args, const cli_list *paths) {
  bool is_json = false;
  fl_rules *rules = NULL;
  fl_out *out = NULL;
  fl_err err = {0};
  if (!cli_wants_json(args, &is_json)) return CLI_USAGE;
  fl_status status = fl_rules_create(&rules, &err);
  if (status >= FL_OK && paths->n == 0) status = fl_rules_add_packs(rules, &err);
  if (status < FL_OK) {
    fl_rules_free(rules);
    return cli_failed(status, &err);
  }
  if (!add_sources(args, rules)) {
    fl_rules_free(rules);
    return CLI_USAGE;
  }
  const size_t n_failed = add_paths(rules, paths);
  say_unreadable(rules);
  status = fl_rules_finish(rules, &err);
  cli_exit exit = judge_files(rules, 0, n_failed);
  if (status < FL_OK && exit == CLI_DONE) exit = CLI_PARTIAL;
  const cli_exit opened = cli_open(args->value[OPT_output], &out);
  if (opened == CLI_DONE) {
    if (is_json) check_json(rules, out);
    else check_text(rules, out);
    exit = cli_worse(exit, cli_close(out, CLI_DONE));
  }
  fl_rules_free(rules);
  return cli_worse(exit, opened);
}

static void list_rule(const fl_rule_info *info, bool is_json, fl_out *out) {
  if (!is_json) {
    const fl_str cause = fl_str_of(info->cause ? info->cause : "");
    fl_out_printf(out, "%-32s %3d  ", info->name, info->severity);
    fl_out_printable(out, cause);
    fl_out_printf(out, "%*s", cause.n < 25 ? (int)(25 - cause.n) : 1, "");
    fl_out_printable(out, fl_str_of(info->title ? info->title : ""));
    fl_out_puts(out, "\n");
    return;
  }
  fl_out_puts(out, "{\"rule\":");
  fl_report_json_str(fl_str_of(info->name), out);
  fl_out_puts(out, ",\"title\":");
  fl_report_json_str(fl_str_of(info->title ? info->title : ""), out);
  fl_out_puts(out, ",\"cause\":");
  fl_report_json_str(fl_str_of(info->cause ? info->cause : ""), out);
  fl_out_printf(out, ",\"severity\":%d,\"file\":", info->severity);
  fl_report_json_str(info->file, out);
  fl_out_printf(out, ",\"line\":%u,\"tests\":%zu,\"private\":%s,\"engine\":\"%s\"", info->line,
                info->n_tests, info->is_private ? "true" : "false",
                fl_rule_engine_names[info->engine]);
  if (info->level && *info->level) fl_out_printf(out, ",\"level\":\"%s\"", info->level);
  fl_out_puts(out, "}\n");
}

static void list_rules(const fl_rules *rules, bool is_json, fl_out *out) {
  for (int engine = 0; engine < FL_N_RULE_ENGINES; engine++)
    for (size_t i = 0; i < fl_rules_engine_count(rules, (fl_rule_engine)engine); i++) {
      const fl_rule_info info = fl_rules_engine_info(rules, (fl_rule_engine)engine, i);
      list_rule(&info, is_json, out);
    }
}

static cli_exit list(const cli_args *args, const cli_list *paths) {
  bool is_json = false;
  fl_rules *rules = NULL;
  fl_out *out = NULL;
  if (!cli_wants_json(args, &is_json)) return CLI_USAGE;
  const cli_exit exit = cli_rules_load(args, paths, paths->n == 0, &rules);
  if (!rules) return exit;
  const cli_exit opened = cli_open(args->value[OPT_output], &out);
  if (opened == CLI_DONE) list_rules(rules, is_json, out);
  fl_rules_free(rules);
  return opened == CLI_DONE ? cli_worse(exit, cli_close(out, CLI_DONE)) : opened;
}

static cli_exit test(const cli_args *args, const cli_list *paths) {
  fl_rules *rules = NULL;
  if (paths->n == 0) return cli_usage(args, "rules test: no rule file given");
  const cli_exit exit = cli_rules_load(args, paths, false, &rules);
  if (!rules) return exit;
  const cli_exit tested = cli_rules_test(args, rules);
  fl_rules_free(rules);
  return tested == CLI_FOUND ? tested : cli_worse(exit, tested);
}

cli_exit cli_rules(const cli_args *args) {
  static const struct {
    const char *name;
    cli_exit (*run)(const cli_args *args, const cli_list *paths);
  } verbs[] = {{"check", check}, {"list", list}, {"test", test}, {"explain", cli_rules_explain}};
  if (!cli_args_need_words(args, "verb")) return CLI_USAGE;
  const cli_list paths = {args->words.items + 1, args->words.n - 1};
  if (paths.n == 0 && cli_has(args, OPT_no_packs))
    return cli_usage(args, "rules %s --no-packs: no rule file given", args->words.items[0]);
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (strcmp(verbs[i].name, args->words.items[0]) == 0) return verbs[i].run(args, &paths);
  return cli_usage(args, "rules %s: want check, list, test or explain", args->words.items[0]);
}
