/* inspect.c - faultline inspect: what is inside, what was read, where every byte went. */
#include "cli/cli.h"

typedef struct inspector {
  fl_out *out;
  bool is_json;
} inspector;

static fl_status print_source(void *self, const fl_source_info *source, fl_err *err) {
  inspector *in = self;
  return fl_report_source(source, in->is_json, in->out, err);
}

static void print_digest(const inspector *in, const fl_digest *digest) {
  const fl_digest_sums sums = fl_digest_result(digest);
  fl_out_printf(in->out,
                in->is_json ? "{\"digest\":\"%016llx\",\"events\":%llu,\"values\":%llu}\n"
                            : "digest %016llx over %llu events, %llu values\n",
                (unsigned long long)sums.sum, (unsigned long long)sums.n_events,
                (unsigned long long)sums.n_values);
}

static cli_exit create_digest(const cli_args *args, fl_digest **ret_digest) {
  fl_err err = {0};
  if (!cli_has(args, OPT_digest)) return CLI_DONE;
  const fl_status status = fl_digest_create(ret_digest, &err);
  return status < FL_OK ? cli_failed(status, &err) : CLI_DONE;
}

cli_exit cli_inspect(const cli_args *args) {
  fl_digest *digest = NULL;
  inspector in = {0};
  if (!cli_args_need_words(args, "INPUT") || !cli_wants_json(args, &in.is_json)) return CLI_USAGE;
  if (!cli_outputs_are_apart(args)) return CLI_USAGE;
  cli_args own = *args;
  own.ingest.want_ledger = true;
  cli_gate gate;
  fl_ingest_totals totals;
  cli_exit exit = cli_gate_init(&gate, &own, true);
  if (exit == CLI_DONE) exit = create_digest(args, &digest);
  if (exit == CLI_DONE) exit = cli_open(args->value[OPT_output], &in.out);
  if (digest) cli_gate_add(&gate, fl_digest_sink(digest));
  cli_gate_add(&gate, (fl_sink){.self = &in, .end = print_source});
  if (exit == CLI_DONE) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) {
    if (digest) print_digest(&in, digest);
    exit = cli_judge(&gate, &totals);
  }
  cli_gate_done(&gate);
  fl_digest_free(digest);
  /* An input of which nothing could be read is an answer here, too: print it, then say so. */
  if (exit != CLI_NOTHING) return cli_close(in.out, exit);
  return cli_worse(exit, cli_close(in.out, CLI_DONE));
}
