/* inspect.c - faultline inspect: what is inside, what was read, where every byte went. */
#include "cli/cli.h"

typedef struct inspector {
  fl_out *out;
  bool is_json;
  cli_digest *digest; /* NULL when not asked for */
} inspector;

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  inspector *in = self;
  return in->digest ? cli_digest_batch(in->digest, batch, err) : FL_OK;
}

static fl_status print_source(void *self, const fl_source_info *source, fl_err *err) {
  inspector *in = self;
  return fl_report_source(source, in->is_json, in->out, err);
}

static void print_digest(const inspector *in) {
  const cli_digest *digest = in->digest;
  if (!digest) return;
  fl_out_printf(in->out,
                in->is_json ? "{\"digest\":\"%016llx\",\"events\":%llu,\"values\":%llu}\n"
                            : "digest %016llx over %llu events, %llu values\n",
                (unsigned long long)digest->sum, (unsigned long long)digest->n_rows,
                (unsigned long long)digest->n_values);
}

cli_exit cli_inspect(const cli_args *args) {
  cli_digest digest = {0};
  inspector in = {.digest = cli_has(args, OPT_digest) ? &digest : NULL};
  if (!cli_args_need_words(args, "INPUT") || !cli_wants_json(args, &in.is_json)) return CLI_USAGE;
  if (!cli_outputs_are_apart(args)) return CLI_USAGE;
  cli_args own = *args;
  own.ingest.want_ledger = true;
  cli_gate gate;
  fl_ingest_totals totals;
  cli_exit exit = cli_gate_init(&gate, &own, true);
  if (exit == CLI_DONE) exit = cli_open(args->value[OPT_output], &in.out);
  cli_gate_add(&gate, (fl_sink){.self = &in, .batch = take_batch, .end = print_source});
  if (exit == CLI_DONE) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) {
    print_digest(&in);
    exit = cli_judge(&gate, &totals);
  }
  cli_gate_done(&gate);
  fl_arena_free(digest.arena);
  /* An input of which nothing could be read is an answer here, too: print it, then say so. */
  if (exit != CLI_NOTHING) return cli_close(in.out, exit);
  return cli_worse(exit, cli_close(in.out, CLI_DONE));
}
