/* triage.c - faultline triage: one case, from inputs to a report. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { TEXT_ARENA = 1 << 20 };

/* What a triage holds; every member may be NULL. Freed from the last to the first. */
typedef struct triage {
  const cli_args *args;
  const fl_report_format *format;
  int level; /* --exit-code: lowest severity that counts, -1 = not asked for */
  fl_arena *arena;
  fl_case_options options;
  fl_str *role_hosts;
  unsigned *role_bits;
  fl_rules *rules;
  fl_out *command, *inputs; /* in words, for the report */
  fl_out *out, *timeline_out;
  fl_timeline_writer *timeline;
  fl_case_builder *builder;
  fl_case *solved;
} triage;

static cli_exit find_format(triage *t) {
  const char *name = cli_has(t->args, OPT_format) ? t->args->value[OPT_format] : "text";
  t->format = fl_report_format_find(name);
  if (t->format) return CLI_DONE;
  const fl_report_format *all = NULL;
  const size_t n = fl_report_formats(&all);
  cli_say("--format %s: no such form of report; known are:", name);
  for (size_t i = 0; i < n; i++) cli_say("  %-10s %s", all[i].name, all[i].summary);
  return CLI_USAGE;
}

static cli_exit find_level(triage *t) {
  static const struct {
    const char *name;
    int severity;
  } levels[] = {{"info", 0}, {"low", 20}, {"medium", 40}, {"high", 60}, {"critical", 80}};
  const char *name = t->args->value[OPT_exit_code];
  t->level = -1;
  if (!name) return CLI_DONE;
  if (!*name) name = "high";
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
    if (strcmp(levels[i].name, name) == 0) t->level = levels[i].severity;
  if (t->level >= 0) return CLI_DONE;
  return cli_usage(t->args, "--exit-code=%s: want info, low, medium, high or critical", name);
}

static int role_of(const char *name) {
  for (int i = 0; i < FL_N_ROLES; i++)
    if (strcmp(fl_role_names[i], name) == 0) return i;
  return -1;
}

static cli_exit read_roles(triage *t) {
  const cli_list *given = &t->args->all[OPT_role];
  if (!given->n) return CLI_DONE;
  t->role_hosts = calloc(given->n, sizeof *t->role_hosts);
  t->role_bits = calloc(given->n, sizeof *t->role_bits);
  if (!t->role_hosts || !t->role_bits) {
    cli_say("out of memory");
    return CLI_INTERNAL;
  }
  for (size_t i = 0; i < given->n; i++) {
    const char *equals = strrchr(given->items[i], '=');
    const int role = equals && equals != given->items[i] ? role_of(equals + 1) : -1;
    if (role < 0)
      return cli_usage(t->args,
                       "--role %s: want HOST=client, server, gateway, broker, license or dc",
                       given->items[i]);
    t->role_hosts[i] = (fl_str){given->items[i], (size_t)(equals - given->items[i])};
    t->role_bits[i] = 1u << role;
  }
  t->options.role_hosts = t->role_hosts;
  t->options.role_bits = t->role_bits;
  t->options.n_roles = given->n;
  return CLI_DONE;
}

static cli_exit read_symptom(triage *t) {
  const char *text = t->args->value[OPT_symptom];
  fl_err err = {0};
  if (!text) return CLI_DONE;
  if (!(t->arena = fl_arena_create(TEXT_ARENA))) {
    cli_say("out of memory");
    return CLI_INTERNAL;
  }
  const fl_status status = fl_symptom_parse(fl_str_of(text), t->arena, &t->options.symptom, &err);
  return status >= FL_OK ? CLI_DONE : cli_usage(t->args, "--symptom: %s", err.text);
}

static fl_str text_of(const cli_args *args, cli_option option) {
  return cli_has(args, option) ? fl_str_of(args->value[option]) : (fl_str){0};
}

static cli_exit tell_command(triage *t) {
  fl_err err = {0};
  fl_status status = fl_out_memory(&t->command, &err);
  if (status >= FL_OK) status = fl_out_memory(&t->inputs, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  cli_command_text(t->args, t->command);
  cli_command_inputs(t->args, t->inputs);
  t->options.command = fl_out_text(t->command);
  t->options.inputs = fl_out_text(t->inputs);
  return CLI_DONE;
}

static cli_exit read_options(triage *t) {
  const cli_args *args = t->args;
  fl_case_options *options = &t->options;
  cli_exit exit = find_format(t);
  if (exit == CLI_DONE) exit = find_level(t);
  if (exit == CLI_DONE) exit = read_roles(t);
  if (exit == CLI_DONE) exit = read_symptom(t);
  if (exit == CLI_DONE) exit = tell_command(t);
  if (exit == CLI_DONE) exit = cli_time_option(args, OPT_at, &options->at);
  if (exit == CLI_DONE) exit = cli_window_option(args, &options->since, &options->until);
  options->where = text_of(args, OPT_where);
  if (options->at && cli_is_date(args->value[OPT_at])) options->at_end = options->at + CLI_DAY - 1;
  options->user = text_of(args, OPT_user);
  options->client = text_of(args, OPT_client);
  options->server = text_of(args, OPT_server);
  options->with_recovered = cli_has(args, OPT_recovered);
  if (cli_has(args, OPT_attempt))
    options->attempt = (unsigned)strtoul(args->value[OPT_attempt], NULL, 10);
  return exit;
}

static cli_exit open_outputs(triage *t) {
  const fl_timeline_options options = {.since = t->options.since,
                                       .until = t->options.until,
                                       .temporary_folder = cli_temporary_folder(),
                                       .n_jobs = t->args->ingest.n_jobs};
  fl_err err = {0};
  cli_exit exit = cli_open(t->args->value[OPT_output], &t->out);
  if (exit != CLI_DONE || !cli_has(t->args, OPT_timeline)) return exit;
  exit = cli_open(t->args->value[OPT_timeline], &t->timeline_out);
  if (exit != CLI_DONE) return exit;
  const fl_status status = fl_timeline_writer_create(t->timeline_out, &options, &t->timeline, &err);
  return status < FL_OK ? cli_failed(status, &err) : CLI_DONE;
}

/* Events for what logs lack pass the same filter as records. */
static fl_status finish_timeline(const triage *t, fl_err *err) {
  cli_gate gate;
  uint64_t n_events = 0;
  fl_status status = FL_E_NOMEM;
  const bool is_ready = cli_gate_init(&gate, t->args, false) == CLI_DONE &&
                        cli_gate_where(&gate, t->args) == CLI_DONE;
  cli_gate_add(&gate, fl_timeline_writer_sink(t->timeline));
  const fl_sink sink = cli_gate_sink(&gate);
  if (is_ready) status = fl_timeline_writer_gaps(t->timeline, &sink, err);
  cli_gate_done(&gate);
  return status < FL_OK ? status : fl_timeline_writer_finish(t->timeline, &n_events, err);
}

/* Reads everything once, through the match and into the timeline, and solves the case. */
static cli_exit solve(triage *t) {
  cli_args own = *t->args;
  cli_gate gate;
  cli_finds finds = {.rules = t->rules};
  fl_ingest_totals totals;
  fl_err err = {0};
  cli_exit exit = cli_gate_init(&gate, &own, false);
  if (exit == CLI_DONE) exit = cli_gate_where(&gate, &own);
  t->options.filter = gate.filter;
  if (exit == CLI_DONE) exit = cli_finds_init(&finds, &gate, &own.ingest);
  fl_status status = fl_case_builder_create(t->rules, &t->options, &t->builder, &err);
  if (status < FL_OK) exit = cli_failed(status, &err);
  else cli_gate_add_whole(&gate, fl_case_builder_sink(t->builder));
  if (t->timeline) cli_gate_add(&gate, fl_timeline_writer_sink(t->timeline));
  if (exit == CLI_DONE) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) cli_finds_count(&finds, &totals);
  if (exit == CLI_DONE) exit = cli_judge(&gate, &totals);
  const fl_sink back = cli_gate_sink(&gate);
  if (cli_goes_on(exit)) exit = cli_worse(exit, cli_finds_finish(&finds, &back));
  cli_gate_done(&gate);
  cli_finds_done(&finds);
  if (exit != CLI_DONE && exit != CLI_PARTIAL) return exit;
  if (t->timeline) status = finish_timeline(t, &err);
  if (status >= FL_OK) status = fl_case_builder_finish(t->builder, &totals, &t->solved, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  /* The solver has limits of its own. */
  return t->solved->totals.worst > totals.worst ? CLI_PARTIAL : exit;
}

/* A role for a machine that no log names has no effect: mostly a slip of the pen. */
static void check_roles(const triage *t) {
  const fl_case_options *options = &t->options;
  const bool is_quiet = cli_has(t->args, OPT_quiet);
  for (size_t i = 0; i < options->n_roles && !is_quiet; i++) {
    if (fl_case_machine(t->solved, options->role_hosts[i])) continue;
    cli_say("--role %s: no machine of the case has this name; it has:",
            t->args->all[OPT_role].items[i]);
    for (size_t j = 0; j < t->solved->n_machines; j++)
      cli_say("  %.*s", FL_STR_ARG(t->solved->machines[j].name));
  }
}

static bool has_finding(const triage *t) {
  for (size_t i = 0; t->level >= 0 && i < t->solved->n_findings; i++)
    if (t->solved->findings[i].severity >= t->level) return true;
  return false;
}

static cli_exit run(triage *t) {
  fl_err err = {0};
  const cli_args *args = t->args;
  cli_exit exit = read_options(t);
  if (exit != CLI_DONE) return exit;
  const cli_exit rules =
      cli_rules_load(args, &args->all[OPT_rules], !cli_has(args, OPT_no_packs), &t->rules);
  if (!t->rules) return rules;
  exit = open_outputs(t);
  if (exit == CLI_DONE) exit = solve(t);
  if (exit != CLI_DONE && exit != CLI_PARTIAL) return exit;
  check_roles(t);
  const fl_status status = t->format->write(t->solved, t->out, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  exit = cli_worse(exit, rules);
  return exit == CLI_DONE && has_finding(t) ? CLI_FOUND : exit;
}

cli_exit cli_triage(const cli_args *args) {
  triage t = {.args = args};
  if (!cli_args_need_words(args, "INPUT") || !cli_outputs_are_apart(args)) return CLI_USAGE;
  cli_exit exit = run(&t);
  fl_timeline_writer_free(t.timeline);
  exit = cli_close(t.timeline_out, exit);
  exit = cli_close(t.out, exit);
  fl_case_free(t.solved);
  fl_case_builder_free(t.builder);
  fl_rules_free(t.rules);
  fl_arena_free(t.arena);
  fl_out_discard(t.command);
  fl_out_discard(t.inputs);
  free(t.role_hosts);
  free(t.role_bits);
  return exit;
}
