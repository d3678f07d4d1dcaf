/* help.c - faultline help: the commands, or the options of one. */
#include "cli/cli.h"

static void print_overview(fl_out *out) {
  const cli_command *commands = NULL;
  const size_t n = cli_commands(&commands);
  fl_out_puts(
      out,
      "usage: faultline COMMAND [OPTION]... INPUT...\n\n"
      "INPUT is a file, a folder, a bundle (an archive of logs), or - for standard input.\n\n");
  for (size_t i = 0; i < n; i++)
    fl_out_printf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
  fl_out_puts(out,
              "\n\"faultline help COMMAND\" lists its options.\n"
              "exit: 0 done, 1 found (--exit-code), 2 usage, 3 part of the input unread,\n"
              "      4 nothing read, 5 output not written, 70 internal, 130 interrupted\n"
              "      (128+n: signal n)\n");
}

cli_exit cli_help(const cli_args *args) {
  const cli_command *command = NULL;
  if (!cli_args_no_more(args, 1)) return CLI_USAGE;
  if (args->words.n && !(command = cli_command_find(args->words.items[0]))) {
    const char *nearest = cli_command_nearest(args->words.items[0]);
    cli_say("%s is no command of faultline", args->words.items[0]);
    if (nearest) cli_say("did you mean \"faultline help %s\"?", nearest);
    return CLI_USAGE;
  }
  fl_out *out = NULL;
  const cli_exit exit = cli_open(NULL, &out);
  if (exit != CLI_DONE) return exit;
  if (command) cli_usage_print(command, out);
  else print_overview(out);
  return cli_close(out, exit);
}
