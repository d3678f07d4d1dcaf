/* cli.h - what the subcommands share: options, inputs, messages, exit codes. */
#ifndef FL_CLI_CLI_H
#define FL_CLI_CLI_H

#include "faultline/faultline.h"

/* docs/cli.md names them; scripts rely on the numbers. */
typedef enum cli_exit {
  CLI_DONE = 0,
  CLI_FOUND = 1, /* --exit-code, or a rule test that fails */
  CLI_USAGE = 2,
  CLI_PARTIAL = 3,
  CLI_NOTHING = 4,
  CLI_OUTPUT = 5,
  CLI_INTERNAL = 70,
  CLI_INTERRUPTED = 130 /* any signal that is caught; the program then ends with 128 + its number */
} cli_exit;

/* Every option of every command; options.def holds the rows, commands.def says who takes which. */
typedef enum cli_option {
#define FL_OPTION(id, name, letter, argument, help) OPT_##id,
#include "cli/options.def"
#undef FL_OPTION
  OPT_COUNT
} cli_option;

typedef struct cli_args cli_args;
typedef struct cli_command {
  const char *name, *usage, *summary;
  const char *options; /* names, separated by blanks */
  cli_exit (*run)(const cli_args *args);
} cli_command;
size_t cli_commands(const cli_command **ret_commands);
const cli_command *cli_command_find(const char *name);
const char *cli_command_nearest(const char *name); /* NULL when nothing is close */

/* A parsed command line. Strings belong to argv; the arrays to cli_args_done. */
typedef struct cli_list {
  char **items;
  size_t n;
} cli_list;
struct cli_args {
  const cli_command *command;
  const char *value[OPT_COUNT]; /* last value given; "" for an option without one */
  cli_list all[OPT_COUNT];      /* every value of repeatable options */
  cli_list words;               /* what is no option: inputs, codes, paths */
  fl_ingest_options ingest;
};
/* Says what is wrong and returns false when the line cannot be understood. */
bool cli_args_parse(const cli_command *command, int argc, char **argv, cli_args *ret_args);
void cli_args_done(cli_args *args);
bool cli_args_need_words(const cli_args *args, const char *what);
bool cli_args_no_more(const cli_args *args, size_t n_words); /* false with a sentence for more */
static inline bool cli_has(const cli_args *args, cli_option option) {
  return args->value[option] != NULL;
}
const char *cli_option_name(cli_option option);
/* command.c: the command to repeat a case, and its inputs alone; absolute paths lose their folders.
 */
void cli_command_text(const cli_args *args, fl_out *out);
void cli_command_inputs(const cli_args *args, fl_out *out);
/* "text" and "json" alone: false with a sentence for any other. */
bool cli_wants_json(const cli_args *args, bool *ret_is_json);
void cli_usage_print(const cli_command *command, fl_out *out);

/* Messages go to standard error; control characters never reach a terminal. */
void cli_say(const char *format, ...) FL_PRINTF(1, 2);
/* "damaged: NAME: what (offset N)". */
void cli_say_note(const fl_note *note, const char *name);
/* An expression of one line, and below it a caret at `column`, which counts from 1. */
void cli_say_caret(const char *text, size_t column);
cli_exit cli_usage(const cli_args *args, const char *format, ...) FL_PRINTF(2, 3);
/* Prints the sentence of `err` and gives its exit code. */
cli_exit cli_failed(fl_status status, const fl_err *err);
bool cli_is_terminal(void);                         /* standard error is one */
size_t cli_text_near(const char *a, const char *b); /* edit distance, at most 8 */

/* SIGINT, SIGTERM, SIGHUP: the next callback of a gate stops the run. */
void cli_interrupt_watch(void);
bool cli_interrupted(void);
int cli_interrupt_code(void); /* 128 + the signal's number */

/* The gate: the sink between a producer and the consumers of a command. It stops on a signal,
 * counts, shows progress and notes, and lets only rows through that pass the time window and
 * --where. */
enum { CLI_MAX_SINKS = 3 };
typedef struct cli_gate {
  const cli_args *args;
  fl_sink next[CLI_MAX_SINKS];
  size_t n_next, n_whole; /* the first n_whole of them get every row */
  bool is_quiet_on_notes; /* the consumer prints them itself */
  bool keeps_state;       /* state facts pass whatever their time: rules ask for them so */
  fl_time since, until;   /* 0 = open */
  fl_filter *filter;      /* NULL = all */
  fl_filter *early;       /* the same for whoever decodes: filters are not shared by threads */
  fl_interest interest;   /* what `early` says of rows */
  uint64_t limit;         /* rows let through; 0 = all */
  uint64_t n_passed, n_seen, n_notes;
  bool hit_limit, is_drawn;
  bool has_sink_failed; /* a consumer, as opposed to the reading */
  fl_time newest;       /* of all sources that ended */
  uint64_t next_draw;
  fl_row *rows; /* FL_BATCH_ROWS of them, when rows are filtered */
  char **names; /* of sources by id, for notes */
  size_t n_names;
} cli_gate;
/* Reads --since, --until, --where, --limit when `filters`; may read the inputs once to learn when
 * the newest event is. */
cli_exit cli_gate_init(cli_gate *gate, const cli_args *args, bool filters);
/* --where alone, for a command whose consumers know the window themselves. */
cli_exit cli_gate_where(cli_gate *gate, const cli_args *args);
void cli_gate_add(cli_gate *gate, fl_sink sink);
/* Gets every row as it was read; before all others. */
void cli_gate_add_whole(cli_gate *gate, fl_sink sink);
/* Do options choose rows, so that a gate passes on less than was read? */
bool cli_gate_chooses(const cli_args *args);
/* Lets --where leave out records before they are decoded whole: for consumers that need to see
 * nothing of those that do not pass. After this `options` may be read as long as the gate lives. */
void cli_gate_skip(cli_gate *gate, fl_ingest_options *options);
void cli_gate_done(cli_gate *gate);
fl_sink cli_gate_sink(cli_gate *gate);

/* Times of an option; 0 = not given. Where the text names no zone, --tz does, else it is UTC.
 * --since and --until may count back from the newest event, for which `args->words` are read. */
cli_exit cli_time_option(const cli_args *args, cli_option option, fl_time *ret_time);
#define CLI_DAY (86400 * FL_SECOND)
bool cli_is_date(const char *text); /* a bare date: that whole day, so --until takes its end */
/* --since and --until; the one may not be later than the other. */
cli_exit cli_window_option(const cli_args *args, fl_time *ret_since, fl_time *ret_until);
/* Is `text` an offset from UTC, as --tz takes it? */
bool cli_is_zone(const char *text);

/* Gives all inputs (files, folders, bundles; or one timeline) to the gate. */
cli_exit cli_read(cli_gate *gate, fl_ingest_totals *ret_totals);
bool cli_is_timeline(const char *path);
/* 0, 3 or 4 with its sentence, from what was read. */
cli_exit cli_judge(const cli_gate *gate, const fl_ingest_totals *totals);
/* What is written so far is good. */
static inline bool cli_goes_on(cli_exit exit) { return exit == CLI_DONE || exit == CLI_PARTIAL; }
/* The worse of two, for a command that can fail in two ways. */
cli_exit cli_worse(cli_exit a, cli_exit b);

/* False with a sentence when -o or --timeline would write over an input, or both to one file. */
bool cli_outputs_are_apart(const cli_args *args);
/* Outputs of a command: `path` NULL or "-" is standard output. cli_close keeps the file when
 * `exit` says that it is whole, else discards it. */
cli_exit cli_open(const char *path, fl_out **ret_out);
cli_exit cli_close(fl_out *out, cli_exit exit);

/* Temporary files go to TMPDIR, else to /tmp. */
const char *cli_temporary_folder(void);

/* timeline.c: what passes the gate, into a timeline at `path`; with events for what logs lack, or
 * records alone. */
cli_exit cli_timeline_write(const cli_args *args, const char *path, bool with_gaps,
                            uint64_t *ret_n_events);

/* Loads --rules and the packs. ret_rules is NULL only when the result is not 0 or 3. */
cli_exit cli_rules_load(const cli_args *args, const cli_list *paths, bool with_packs,
                        fl_rules **ret_rules);

/* finds.c: what YARA rules of --rules find, as events beside those of the records. Every member may
 * be NULL: then there is nothing to look for. */
typedef struct cli_finds {
  const fl_rules *rules; /* of a command that loads them itself */
  fl_rules *own;
  fl_hunt *hunt;
  bool is_tagging; /* rules of every engine are asked, for the column `rules` of a timeline */
  bool is_over;
} cli_finds;
/* Says so when the input is a timeline. */
void cli_say_no_bytes(const cli_args *args);
/* Loads --rules, or takes those of the command; adds a sink to the gate that gets every row, and
 * asks for bytes. To be called behind cli_gate_add_whole and before cli_gate_add. */
cli_exit cli_finds_init(cli_finds *finds, cli_gate *gate, fl_ingest_options *options);
/* What was scanned was not in vain, whether a parser reads it or not. */
void cli_finds_count(const cli_finds *finds, fl_ingest_totals *totals);
/* Everything was read: events go to `sink`, what a limit left out is said. */
cli_exit cli_finds_finish(cli_finds *finds, const fl_sink *sink);
void cli_finds_done(cli_finds *finds);

/* rules_test.c: runs the tests of every rule in `rules`: 1 when one fails, 3 when one was skipped.
 */
cli_exit cli_rules_test(const cli_args *args, const fl_rules *rules);

/* rules_explain.c: `words` are a rule path, which may be left out, and inputs. */
cli_exit cli_rules_explain(const cli_args *args, const cli_list *words);
/* show.c: SOURCE@OFFSET; false when it is none. Where no inputs are given, `ret_path` is the one
 * that SOURCE lies in, and the source's name begins with its last part; the caller frees it. */
bool cli_ref_split(const char *ref, bool has_inputs, fl_str *ret_source, uint64_t *ret_offset,
                   char **ret_path);

#define FL_COMMAND(name, usage, summary, options) cli_exit cli_##name(const cli_args *args);
#include "cli/commands.def"
#undef FL_COMMAND

#endif
