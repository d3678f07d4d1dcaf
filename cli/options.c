/* options.c - the command line: one table of options over getopt_long. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct option_row {
  const char *name;
  char letter;
  const char *argument, *help;
} option_row;
static const option_row rows[OPT_COUNT] = {
#define FL_OPTION(id, name, letter, argument, help) {name, letter, argument, help},
#include "cli/options.def"
#undef FL_OPTION
};
enum { LONG_BASE = 256, HELP = LONG_BASE + OPT_COUNT };

const char *cli_option_name(cli_option option) { return rows[option].name; }

/* `names` is a list of words; `name` one of them? */
static bool is_listed(const char *names, const char *name) {
  const size_t n = strlen(name);
  for (const char *at = strstr(names, name); at; at = strstr(at + 1, name)) {
    const bool starts = at == names || at[-1] == ' ';
    if (starts && (at[n] == ' ' || at[n] == '\0')) return true;
  }
  return false;
}

static bool list_add(cli_list *list, char *item) {
  char **grown = realloc(list->items, (list->n + 1) * sizeof *grown);
  if (!grown) {
    cli_say("out of memory");
    return false;
  }
  grown[list->n] = item;
  list->items = grown;
  list->n++;
  return true;
}

static void fill_tables(struct option *ret_long, char *ret_letters) {
  char *letter = ret_letters;
  *letter++ = ':'; /* a missing argument is reported as ':' */
  *letter++ = 'h';
  for (int i = 0; i < OPT_COUNT; i++) {
    const char *argument = rows[i].argument;
    const int has = !*argument         ? no_argument
                    : *argument == '=' ? optional_argument
                                       : required_argument;
    ret_long[i] = (struct option){rows[i].name, has, NULL, LONG_BASE + i};
    if (!rows[i].letter) continue;
    *letter++ = rows[i].letter;
    if (has == required_argument) *letter++ = ':';
  }
  *letter = '\0';
  ret_long[OPT_COUNT] = (struct option){"help", no_argument, NULL, HELP};
  ret_long[OPT_COUNT + 1] = (struct option){0};
}

static int row_of(int found) {
  if (found >= LONG_BASE) return found - LONG_BASE;
  for (int i = 0; i < OPT_COUNT; i++)
    if (rows[i].letter == found) return i;
  return -1;
}

static bool unknown_option(const cli_command *command, const char *text) {
  const char *nearest = NULL;
  size_t best = 4;
  const char *bare = text + strspn(text, "-");
  for (int i = 0; i < OPT_COUNT; i++) {
    const size_t distance = cli_text_near(rows[i].name, bare);
    if (distance >= best || !is_listed(command->options, rows[i].name)) continue;
    best = distance;
    nearest = rows[i].name;
  }
  cli_say("%s: unknown option %s", command->name, text);
  if (nearest) cli_say("did you mean --%s?", nearest);
  else cli_say("\"faultline help %s\" lists the options", command->name);
  return false;
}

static bool take_option(cli_args *args, int index, char *value) {
  const cli_command *command = args->command;
  if (!is_listed(command->options, rows[index].name)) {
    cli_say("%s takes no option --%s", command->name, rows[index].name);
    cli_say("\"faultline help %s\" lists the options", command->name);
    return false;
  }
  args->value[index] = value ? value : "";
  return value ? list_add(&args->all[index], value) : true;
}

static bool parse_number(const cli_args *args, cli_option option, unsigned *ret_number) {
  const char *text = args->value[option];
  if (!text) return true;
  char *end = NULL;
  const unsigned long number = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || number == 0 || number > 1000000000) {
    cli_say("--%s %s: want a number from 1 to 1000000000", rows[option].name, text);
    return false;
  }
  *ret_number = (unsigned)number;
  return true;
}

/* The index of `text` in `names`; -1 with a sentence. */
static int parse_word(const cli_args *args, cli_option option, const char *const *names, int n) {
  for (int i = 0; i < n; i++)
    if (strcmp(args->value[option], names[i]) == 0) return i;
  cli_say("--%s %s: want one of %s, %s%s%s", rows[option].name, args->value[option], names[0],
          names[1], n > 2 ? ", " : "", n > 2 ? names[2] : "");
  return -1;
}

static bool parse_zone(const cli_args *args) {
  const char *zone = args->value[OPT_tz];
  if (!zone) return true;
  if (!cli_is_zone(zone)) {
    cli_say("--tz %s: want an offset from UTC such as +02:00 or -05:30", zone);
    return false;
  }
  const bool has_time =
      cli_has(args, OPT_at) || cli_has(args, OPT_since) || cli_has(args, OPT_until);
  if (!has_time && !cli_has(args, OPT_quiet))
    cli_say("--tz %s changes nothing: it is the zone of --at, --since and --until; outputs are UTC",
            zone);
  return true;
}

static bool parse_ingest(cli_args *args) {
  static const char *const hashes[] = {"auto", "all", "none"};
  static const char *const engines[] = {"auto", "own", "libevtx"};
  unsigned ignored = 0;
  if (!parse_number(args, OPT_jobs, &args->ingest.n_jobs)) return false;
  if (!parse_number(args, OPT_limit, &ignored) || !parse_number(args, OPT_attempt, &ignored))
    return false;
  if (cli_has(args, OPT_hash)) {
    const int hash = parse_word(args, OPT_hash, hashes, 3);
    if (hash < 0) return false;
    args->ingest.hash = (fl_hash_policy)hash;
  }
  if (cli_has(args, OPT_engine)) {
    const int engine = parse_word(args, OPT_engine, engines, 3);
    if (engine < 0) return false;
    args->ingest.engine = (fl_engine)engine;
  }
  if (!parse_zone(args)) return false;
  args->ingest.with_recovered = cli_has(args, OPT_recovered);
  args->ingest.want_texts = strcmp(args->command->name, "inspect") != 0; /* shows no event */
  return true;
}

/* Codes may be negative numbers, which are no options: -2146893007. */
static bool is_negative_code(const cli_args *args, const char *text) {
  return strcmp(args->command->name, "explain") == 0 && text[0] == '-' && text[1] >= '0' &&
         text[1] <= '9';
}

static bool parse_options(cli_args *args, int argc, char **argv) {
  struct option longs[OPT_COUNT + 2];
  char letters[2 * OPT_COUNT + 4];
  fill_tables(longs, letters);
  optind = 1;
  opterr = 0;
  for (;;) {
    const int found = getopt_long(argc, argv, letters, longs, NULL);
    const char *text = optind > 0 && optind <= argc ? argv[optind - 1] : "";
    if (found == -1) return true;
    if (found == HELP || found == 'h') {
      /* `faultline export --help` is `faultline help export`. */
      const cli_command *asked = args->command;
      args->command = cli_command_find("help");
      args->words.n = 0;
      return list_add(&args->words, (char *)(uintptr_t)asked->name);
    }
    if (found == ':') {
      cli_say("%s: option %s needs a value", args->command->name, text);
      return false;
    }
    const int index = found == '?' ? -1 : row_of(found);
    if (index < 0) return unknown_option(args->command, text);
    if (!take_option(args, index, optarg)) return false;
  }
}

bool cli_args_parse(const cli_command *command, int argc, char **argv, cli_args *ret_args) {
  *ret_args = (cli_args){.command = command};
  int n_kept = 0;
  for (int i = 0; i < argc; i++) {
    if (i > 0 && is_negative_code(ret_args, argv[i])) {
      if (!list_add(&ret_args->words, argv[i])) return false;
    } else {
      argv[n_kept++] = argv[i];
    }
  }
  if (!parse_options(ret_args, n_kept, argv)) return false;
  if (ret_args->command != command) return true;
  for (int i = optind; i < n_kept; i++)
    if (!list_add(&ret_args->words, argv[i])) return false;
  return parse_ingest(ret_args);
}

void cli_args_done(cli_args *args) {
  for (size_t i = 0; i < OPT_COUNT; i++) free(args->all[i].items);
  free(args->words.items);
}

bool cli_args_need_words(const cli_args *args, const char *what) {
  if (args->words.n) return true;
  (void)cli_usage(args, "%s: no %s given", args->command->name, what);
  return false;
}

bool cli_args_no_more(const cli_args *args, size_t n_words) {
  if (args->words.n <= n_words) return true;
  (void)cli_usage(args, "%s: %s is one word too many", args->command->name,
                  args->words.items[n_words]);
  return false;
}

bool cli_wants_json(const cli_args *args, bool *ret_is_json) {
  const char *format = cli_has(args, OPT_format) ? args->value[OPT_format] : "text";
  *ret_is_json = strcmp(format, "json") == 0;
  if (*ret_is_json || strcmp(format, "text") == 0) return true;
  (void)cli_usage(args, "--format %s: %s writes text or json", format, args->command->name);
  return false;
}

void cli_usage_print(const cli_command *command, fl_out *out) {
  fl_out_printf(out, "usage: faultline %s%s%s\n\n%s\n", command->name,
                *command->options ? " [OPTION]... " : " ", command->usage, command->summary);
  if (*command->options) fl_out_puts(out, "\n");
  for (int i = 0; i < OPT_COUNT; i++) {
    const option_row *row = &rows[i];
    if (!is_listed(command->options, row->name)) continue;
    const char *argument = row->argument[0] == '=' ? row->argument + 1 : row->argument;
    const char *open = row->argument[0] == '=' ? "[=" : *argument ? " " : "";
    const char *close = row->argument[0] == '=' ? "]" : "";
    const int width =
        22 - (int)(strlen(row->name) + strlen(open) + strlen(argument) + strlen(close));
    if (row->letter) fl_out_printf(out, "  -%c, ", row->letter);
    else fl_out_puts(out, "      ");
    fl_out_printf(out, "--%s%s%s%s%*s %s\n", row->name, open, argument, close,
                  width > 0 ? width : 0, "", row->help);
  }
}
