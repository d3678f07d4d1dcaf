/* command.c - the command line that repeats a case, as a report shows it: no absolute paths. */
#include <string.h>

#include "cli/cli.h"

static bool is_plain(const char *text) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,+=@%#";
  return *text && text[strspn(text, plain)] == '\0' && *text != '#';
}

/* A word as a shell takes it back. */
static void put_word(fl_out *out, const char *text) {
  fl_out_puts(out, " ");
  if (is_plain(text)) {
    fl_out_puts(out, text);
    return;
  }
  fl_out_puts(out, "'");
  for (; *text; text++) {
    if (*text == '\'') fl_out_puts(out, "'\\''");
    else fl_out_write(out, text, 1);
  }
  fl_out_puts(out, "'");
}

/* Where a file lies on this machine is nobody's business. */
static void put_path(fl_out *out, const char *path) {
  const char *slash = strrchr(path, '/');
  put_word(out, path[0] == '/' && slash[1] ? slash + 1 : path);
}

void cli_command_inputs(const cli_args *args, fl_out *out) {
  for (size_t i = 0; i < args->words.n; i++) put_path(out, args->words.items[i]);
}

/* What changes nothing in the answer (form, place, speed) is left out. */
void cli_command_text(const cli_args *args, fl_out *out) {
  static const cli_option options[] = {OPT_symptom,  OPT_at,        OPT_tz,      OPT_user,
                                       OPT_client,   OPT_server,    OPT_attempt, OPT_role,
                                       OPT_since,    OPT_until,     OPT_where,   OPT_rules,
                                       OPT_no_packs, OPT_recovered, OPT_engine};
  fl_out_printf(out, "faultline %s", args->command->name);
  cli_command_inputs(args, out);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    const cli_option option = options[i];
    const cli_list *all = &args->all[option];
    const bool is_last_only = option != OPT_role && option != OPT_rules;
    if (!cli_has(args, option)) continue;
    if (all->n == 0) fl_out_printf(out, " --%s", cli_option_name(option));
    for (size_t k = is_last_only && all->n ? all->n - 1 : 0; k < all->n; k++) {
      fl_out_printf(out, " --%s", cli_option_name(option));
      if (option == OPT_rules) put_path(out, all->items[k]);
      else put_word(out, all->items[k]);
    }
  }
}
