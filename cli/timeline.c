/* timeline.c - faultline timeline: inputs into one ordered timeline. */
#include <string.h>

#include "cli/cli.h"

static fl_status watch(void *self, const fl_batch *batch, fl_err *err) {
  return fl_timeline_writer_watch(self, batch, err);
}

/* Gaps pass the gate as all events do. */
static fl_status finish(fl_timeline_writer *writer, cli_gate *gate, bool with_gaps,
                        uint64_t *ret_n_events, fl_err *err) {
  const fl_sink sink = cli_gate_sink(gate);
  if (with_gaps) FL_TRY(fl_timeline_writer_gaps(writer, &sink, err));
  return fl_timeline_writer_finish(writer, ret_n_events, err);
}

static cli_exit fill(const cli_args *args, fl_timeline_writer *writer, bool with_gaps,
                     uint64_t *ret_n_events) {
  cli_args own = *args;
  cli_gate gate;
  cli_finds finds = {.is_tagging = with_gaps};
  fl_ingest_totals totals;
  fl_err err = {0};
  cli_exit exit = cli_gate_init(&gate, &own, true);
  cli_exit loaded = CLI_DONE;
  /* What is left out of the timeline still counts for what its logs lack. */
  if (with_gaps && cli_gate_chooses(args))
    cli_gate_add_whole(&gate, (fl_sink){.self = writer, .batch = watch});
  if (exit == CLI_DONE) exit = loaded = cli_finds_init(&finds, &gate, &own.ingest);
  cli_gate_add(&gate, fl_timeline_writer_sink(writer));
  if (cli_goes_on(exit)) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) cli_finds_count(&finds, &totals);
  if (exit == CLI_DONE) exit = cli_judge(&gate, &totals);
  fl_status status = FL_OK;
  const fl_sink sink = cli_gate_sink(&gate);
  if (cli_goes_on(exit)) exit = cli_worse(cli_worse(exit, loaded), cli_finds_finish(&finds, &sink));
  if (finds.hunt) fl_timeline_writer_tag(writer, fl_hunt_tags(finds.hunt));
  if (cli_goes_on(exit)) status = finish(writer, &gate, with_gaps, ret_n_events, &err);
  cli_gate_done(&gate);
  cli_finds_done(&finds);
  if (cli_interrupted()) return CLI_INTERRUPTED;
  return status < FL_OK ? cli_failed(status, &err) : exit;
}

cli_exit cli_timeline_write(const cli_args *args, const char *path, bool with_gaps,
                            uint64_t *ret_n_events) {
  fl_out *out = NULL;
  fl_timeline_writer *writer = NULL;
  const fl_timeline_options options = {.temporary_folder = cli_temporary_folder(),
                                       .n_jobs = args->ingest.n_jobs,
                                       .is_filtered = with_gaps && cli_gate_chooses(args)};
  fl_err err = {0};
  cli_exit exit = cli_open(path, &out);
  if (exit != CLI_DONE) return exit;
  const fl_status status = fl_timeline_writer_create(out, &options, &writer, &err);
  exit = status < FL_OK ? cli_failed(status, &err) : fill(args, writer, with_gaps, ret_n_events);
  fl_timeline_writer_free(writer);
  return cli_close(out, exit);
}

cli_exit cli_timeline(const cli_args *args) {
  const char *path = args->value[OPT_output];
  if (!cli_args_need_words(args, "INPUT") || !cli_outputs_are_apart(args)) return CLI_USAGE;
  if (!path) return cli_usage(args, "timeline: -o FILE.fltl says where it goes");
  uint64_t n_events = 0;
  const cli_exit exit = cli_timeline_write(args, path, true, &n_events);
  if ((exit == CLI_DONE || exit == CLI_PARTIAL) && !cli_has(args, OPT_quiet))
    cli_say("%s: %llu events", path, (unsigned long long)n_events);
  return exit;
}
