/* main.c - finds the subcommand and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const cli_command commands[] = {
#define FL_COMMAND(name, usage, summary, options) {#name, usage, summary, options, cli_##name},
#include "cli/commands.def"
#undef FL_COMMAND
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

size_t cli_commands(const cli_command **ret_commands) {
  *ret_commands = commands;
  return N_COMMANDS;
}

const cli_command *cli_command_find(const char *name) {
  for (size_t i = 0; i < N_COMMANDS; i++)
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  return NULL;
}

const char *cli_command_nearest(const char *name) {
  const char *nearest = NULL;
  size_t best = 3;
  for (size_t i = 0; i < N_COMMANDS; i++) {
    const size_t distance = cli_text_near(commands[i].name, name);
    if (distance >= best) continue;
    best = distance;
    nearest = commands[i].name;
  }
  return nearest;
}

static cli_exit unknown_command(const char *name) {
  const char *nearest = cli_command_nearest(name);
  cli_say("%s is no command of faultline", name);
  if (nearest) cli_say("did you mean \"faultline %s\"?", nearest);
  else cli_say("\"faultline help\" lists the commands");
  return CLI_USAGE;
}

static int run(int argc, char **argv) {
  const char *name = argv[1];
  if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) name = "help";
  if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) name = "version";
  const cli_command *command = cli_command_find(name);
  if (!command) return (int)unknown_command(name);
  cli_args args = {0};
  cli_exit exit = CLI_USAGE;
  if (cli_args_parse(command, argc - 1, argv + 1, &args)) exit = args.command->run(&args);
  cli_args_done(&args);
  return cli_interrupted() ? cli_interrupt_code() : (int)exit;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    cli_say("usage: faultline COMMAND INPUT...");
    cli_say("\"faultline help\" lists the commands");
    return CLI_USAGE;
  }
  cli_interrupt_watch();
  return run(argc, argv);
}
