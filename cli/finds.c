/* finds.c - what YARA rules find, as events in what a command writes. */
#include "cli/cli.h"

/* The sink of the hunt until its own events come back through the gate. */
static fl_status begin(void *self, const fl_source_info *source, fl_err *err) {
  cli_finds *f = self;
  const fl_sink sink = fl_hunt_sink(f->hunt);
  return f->is_over ? FL_OK : sink.begin(sink.self, source, err);
}
static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  cli_finds *f = self;
  const fl_sink sink = fl_hunt_sink(f->hunt);
  return f->is_over ? FL_OK : sink.batch(sink.self, batch, err);
}
static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  cli_finds *f = self;
  const fl_sink sink = fl_hunt_sink(f->hunt);
  return f->is_over ? FL_OK : sink.note(sink.self, note, err);
}
static fl_status end(void *self, const fl_source_info *source, fl_err *err) {
  cli_finds *f = self;
  const fl_sink sink = fl_hunt_sink(f->hunt);
  return f->is_over ? FL_OK : sink.end(sink.self, source, err);
}

static cli_exit load(cli_finds *finds, const cli_args *args) {
  cli_exit exit = CLI_DONE;
  if (finds->rules || !cli_has(args, OPT_rules)) return CLI_DONE;
  exit = cli_rules_load(args, &args->all[OPT_rules], false, &finds->own);
  finds->rules = finds->own;
  if (finds->own && !finds->is_tagging && !fl_rules_engine_count(finds->own, FL_BY_YARA))
    cli_say("--rules: no YARA rule among them; %s takes no others", args->command->name);
  return exit;
}

void cli_say_no_bytes(const cli_args *args) {
  if (!args->words.n || !cli_is_timeline(args->words.items[0]) || cli_has(args, OPT_quiet)) return;
  cli_say("%s: a timeline holds no bytes of sources: YARA rules see scripts and events alone",
          args->words.items[0]);
}

cli_exit cli_finds_init(cli_finds *finds, cli_gate *gate, fl_ingest_options *options) {
  fl_err err = {0};
  const cli_exit exit = load(finds, gate->args);
  if (!finds->rules) return exit;
  if (!finds->is_tagging && !fl_rules_engine_count(finds->rules, FL_BY_YARA)) return exit;
  const fl_hunt_options own = {.engines = finds->is_tagging ? 0 : 1u << FL_BY_YARA,
                               .n_jobs = options->n_jobs,
                               .is_tagging = finds->is_tagging};
  const fl_status status = fl_hunt_create(finds->rules, &own, &finds->hunt, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  options->want_bytes = fl_hunt_wants_bytes(finds->hunt);
  if (options->want_bytes) cli_say_no_bytes(gate->args);
  cli_gate_add_whole(
      gate,
      (fl_sink){.self = finds, .begin = begin, .batch = take_batch, .note = take_note, .end = end});
  return exit;
}

void cli_finds_count(const cli_finds *finds, fl_ingest_totals *totals) {
  if (finds->hunt) totals->n_parsed += fl_hunt_scanned(finds->hunt);
}

cli_exit cli_finds_finish(cli_finds *finds, const fl_sink *sink) {
  const fl_str *notes = NULL;
  fl_err err = {0};
  if (!finds->hunt) return CLI_DONE;
  finds->is_over = true;
  fl_status status = fl_hunt_finish(finds->hunt, &err);
  if (status == FL_OK) status = fl_hunt_rows(finds->hunt, sink, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  const size_t n = fl_hunt_notes(finds->hunt, &notes);
  for (size_t i = 0; i < n; i++) cli_say("%.*s", FL_STR_ARG(notes[i]));
  return n ? CLI_PARTIAL : CLI_DONE;
}

void cli_finds_done(cli_finds *finds) {
  fl_hunt_free(finds->hunt);
  fl_rules_free(finds->own);
  *finds = (cli_finds){0};
}
