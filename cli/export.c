/* export.c - faultline export: events as lines. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

static const fl_event_format *find_format(const cli_args *args) {
  const char *name = cli_has(args, OPT_format) ? args->value[OPT_format] : "jsonl";
  const fl_event_format *format = fl_event_format_find(name);
  if (format) return format;
  const fl_event_format *all = NULL;
  const size_t n = fl_event_formats(&all);
  cli_say("--format %s: no such form of events; known are:", name);
  for (size_t i = 0; i < n; i++) cli_say("  %-10s %s", all[i].name, all[i].summary);
  return NULL;
}

/* Inputs to `sink` in source order, then what rules found in them. */
static cli_exit stream(const cli_args *args, fl_sink sink) {
  cli_args own = *args;
  cli_gate gate;
  cli_finds finds = {0};
  fl_ingest_totals totals;
  cli_exit exit = cli_gate_init(&gate, &own, true);
  cli_exit loaded = CLI_DONE;
  if (exit == CLI_DONE) exit = loaded = cli_finds_init(&finds, &gate, &own.ingest);
  cli_gate_add(&gate, sink);
  if (exit == CLI_DONE && !finds.hunt) cli_gate_skip(&gate, &own.ingest);
  if (cli_goes_on(exit)) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) cli_finds_count(&finds, &totals);
  if (exit == CLI_DONE) exit = cli_judge(&gate, &totals);
  const fl_sink back = cli_gate_sink(&gate);
  if (cli_goes_on(exit) && !gate.hit_limit)
    exit = cli_worse(cli_worse(exit, loaded), cli_finds_finish(&finds, &back));
  cli_gate_done(&gate);
  cli_finds_done(&finds);
  return exit;
}

/* In time order: through a timeline that is thrown away. */
static cli_exit stream_sorted(const cli_args *args, fl_sink sink) {
  char path[1000];
  const int n = snprintf(path, sizeof path, "%s/faultline-XXXXXX", cli_temporary_folder());
  const int fd = n > 0 && n < (int)sizeof path ? mkstemp(path) : -1;
  if (fd < 0) {
    cli_say("%s: cannot create a temporary file", path);
    return CLI_OUTPUT;
  }
  (void)close(fd);
  cli_args unlimited = *args; /* the first N in time order are known only when all are sorted */
  unlimited.value[OPT_limit] = NULL;
  uint64_t n_events = 0;
  cli_exit exit = cli_timeline_write(&unlimited, path, false, &n_events);
  if (exit == CLI_DONE || exit == CLI_PARTIAL) {
    char *words[] = {path};
    cli_args again = {.command = args->command, .words = {words, 1}};
    again.value[OPT_limit] = args->value[OPT_limit];
    cli_gate gate;
    fl_ingest_totals totals;
    cli_exit read = cli_gate_init(&gate, &again, true);
    gate.is_quiet_on_notes = true; /* the first pass said them */
    cli_gate_add(&gate, sink);
    if (read == CLI_DONE) read = cli_read(&gate, &totals);
    cli_gate_done(&gate);
    exit = cli_worse(exit, read);
  }
  (void)unlink(path);
  return exit;
}

cli_exit cli_export(const cli_args *args) {
  if (!cli_args_need_words(args, "INPUT") || !cli_outputs_are_apart(args)) return CLI_USAGE;
  const fl_event_format *format = find_format(args);
  if (!format) return CLI_USAGE;
  cli_args own = *args;
  own.ingest.want_markup = format->wants_markup;
  if (!cli_has(args, OPT_hash)) own.ingest.hash = FL_HASH_NONE; /* no line of events shows it */
  const bool is_sorted =
      cli_has(args, OPT_sort) && !(args->words.n == 1 && cli_is_timeline(args->words.items[0]));
  fl_out *out = NULL;
  fl_event_writer *writer = NULL;
  fl_err err = {0};
  cli_exit exit = cli_open(args->value[OPT_output], &out);
  if (exit != CLI_DONE) return exit;
  fl_status status = format->create(out, &writer, &err);
  if (status < FL_OK) return cli_close(out, cli_failed(status, &err));
  exit = is_sorted ? stream_sorted(&own, fl_event_writer_sink(writer))
                   : stream(&own, fl_event_writer_sink(writer));
  status = fl_event_writer_finish(writer, &err);
  /* One failure of the output is told once. */
  if (status < FL_OK && exit != CLI_OUTPUT) exit = cli_worse(exit, cli_failed(status, &err));
  if (exit != CLI_INTERRUPTED || cli_has(args, OPT_output)) return cli_close(out, exit);
  (void)cli_close(out, CLI_DONE); /* a stream keeps the lines that were whole */
  return exit;
}
