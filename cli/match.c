/* match.c - faultline match: rules of every engine over inputs, findings in order of time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct matching {
  const cli_args *args;
  bool is_json;
  fl_hunt_options options;
  char *text; /* of the suppression file */
  fl_rules *rules;
  fl_hunt *hunt;
  fl_out *out;
} matching;
enum { LONGEST_FILE = 1 << 20 };

static void put_time(fl_out *out, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  const size_t n = fl_time_format(t, 7, text);
  fl_out_write(out, text, n);
}

static void event_json(const fl_hunt *hunt, const fl_hit_event *event, fl_out *out) {
  fl_out_puts(out, "{\"source\":");
  fl_report_json_str(fl_hunt_source_name(hunt, event->source), out);
  if (event->record_id >= 0) fl_out_printf(out, ",\"record_id\":%lld", (long long)event->record_id);
  fl_out_printf(out, ",\"offset\":%llu", (unsigned long long)event->offset);
  if (!(event->flags & FL_F_TIME_INVALID)) {
    fl_out_puts(out, ",\"time\":\"");
    put_time(out, event->t);
    fl_out_puts(out, "\"");
  }
  fl_out_puts(out, "}");
}

static void bytes_json(const fl_hunt *hunt, const fl_hit_bytes *bytes, fl_out *out) {
  fl_out_puts(out, "{\"source\":");
  fl_report_json_str(fl_hunt_source_name(hunt, bytes->source), out);
  fl_out_printf(out, ",\"offset\":%llu,\"length\":%llu}", (unsigned long long)bytes->offset,
                (unsigned long long)bytes->length);
}

static fl_str text_of(const fl_hit *hit, const fl_rule_info *info) {
  return hit->text.n ? hit->text : fl_str_of(info->title ? info->title : info->name);
}

static void hit_json(const matching *m, const fl_hit *hit) {
  const fl_rule_info info = fl_rules_engine_info(m->rules, hit->engine, hit->rule);
  fl_out *out = m->out;
  fl_out_puts(out, "{\"rule\":");
  fl_report_json_str(fl_str_of(info.name), out);
  fl_out_puts(out, ",\"title\":");
  fl_report_json_str(fl_str_of(info.title ? info.title : ""), out);
  fl_out_printf(out, ",\"engine\":\"%s\",\"severity\":%d", fl_rule_engine_names[hit->engine],
                info.severity);
  if (info.level && *info.level) fl_out_printf(out, ",\"level\":\"%s\"", info.level);
  fl_out_puts(out, ",\"events\":[");
  for (size_t i = 0; i < hit->n_events; i++) {
    if (i) fl_out_puts(out, ",");
    event_json(m->hunt, &hit->events[i], out);
  }
  fl_out_puts(out, "],\"bytes\":[");
  for (size_t i = 0; i < hit->n_bytes; i++) {
    if (i) fl_out_puts(out, ",");
    bytes_json(m->hunt, &hit->bytes[i], out);
  }
  fl_out_puts(out, "],\"text\":");
  fl_report_json_str(text_of(hit, &info), out);
  fl_out_puts(out, "}\n");
}

static void hit_text(const matching *m, const fl_hit *hit) {
  const fl_rule_info info = fl_rules_engine_info(m->rules, hit->engine, hit->rule);
  fl_out *out = m->out;
  if (hit->t) put_time(out, hit->t);
  else fl_out_printf(out, "%-28s", "-");
  fl_out_printf(out, "  %-13s  ", info.level && *info.level ? info.level : "-");
  fl_out_printable(out, text_of(hit, &info));
  for (size_t i = 0; i < hit->n_events && i < 3; i++) {
    fl_out_puts(out, i ? ", " : "  ");
    fl_out_printable(out, fl_hunt_source_name(m->hunt, hit->events[i].source));
    fl_out_printf(out, "@%llu", (unsigned long long)hit->events[i].offset);
  }
  if (hit->n_events > 3) fl_out_printf(out, " and %zu more", hit->n_events - 3);
  for (size_t i = 0; hit->n_events == 0 && i < hit->n_bytes && i < 3; i++) {
    fl_out_puts(out, i ? ", " : "  ");
    fl_out_printable(out, fl_hunt_source_name(m->hunt, hit->bytes[i].source));
    fl_out_printf(out, "@%llu", (unsigned long long)hit->bytes[i].offset);
  }
  fl_out_puts(out, "\n");
}

static void count_text(const matching *m, const fl_hit_count *c) {
  const fl_rule_info info = fl_rules_engine_info(m->rules, c->engine, c->rule);
  fl_out_printf(m->out, "%8llu  %-13s  ", (unsigned long long)c->n_hits,
                info.level && *info.level ? info.level : fl_rule_engine_names[c->engine]);
  if (c->first) {
    put_time(m->out, c->first);
    fl_out_puts(m->out, "  ");
    put_time(m->out, c->last);
    fl_out_puts(m->out, "  ");
  }
  fl_out_printable(m->out, fl_str_of(info.title ? info.title : info.name));
  fl_out_puts(m->out, "\n");
}

/* A line of the summary: the most severe first, of these the most frequent. */
typedef struct line {
  const fl_hit_count *count;
  int severity;
} line;

static int compare_lines(const void *left, const void *right) {
  const line *a = left, *b = right;
  if (a->severity != b->severity) return a->severity > b->severity ? -1 : 1;
  if (a->count->n_hits != b->count->n_hits) return a->count->n_hits > b->count->n_hits ? -1 : 1;
  return a->count < b->count ? -1 : a->count > b->count;
}

/* Where there is no memory to sort them the lines come by engine and rule. */
static void write_lines(const matching *m, const fl_hit_count *counts, size_t n) {
  line *lines = calloc(n + 1, sizeof *lines);
  for (size_t i = 0; i < n && lines; i++)
    lines[i] = (line){&counts[i],
                      fl_rules_engine_info(m->rules, counts[i].engine, counts[i].rule).severity};
  if (lines) qsort(lines, n, sizeof *lines, compare_lines);
  for (size_t i = 0; i < n; i++) {
    const fl_hit_count *count = lines ? lines[i].count : &counts[i];
    if (count->n_hits) count_text(m, count);
  }
  free(lines);
}

static void write_counts(const matching *m) {
  const fl_hit_count *counts = NULL;
  const size_t n = fl_hunt_counts(m->hunt, &counts);
  uint64_t n_suppressed = 0;
  size_t n_rules = 0;
  for (size_t i = 0; i < n; i++) {
    n_rules += counts[i].n_hits > 0;
    n_suppressed += counts[i].n_suppressed;
  }
  if (n_rules == 0) fl_out_puts(m->out, "no rule matched\n");
  else fl_out_printf(m->out, "\n%zu rule%s matched\n", n_rules, n_rules == 1 ? "" : "s");
  write_lines(m, counts, n);
  if (n_suppressed)
    fl_out_printf(m->out, "%llu finding%s suppressed\n", (unsigned long long)n_suppressed,
                  n_suppressed == 1 ? "" : "s");
}

static void write_hits(const matching *m) {
  const fl_hit *hits = NULL;
  const size_t n = fl_hunt_hits(m->hunt, &hits);
  for (size_t i = 0; i < n; i++) {
    if (m->is_json) hit_json(m, &hits[i]);
    else hit_text(m, &hits[i]);
  }
  if (!m->is_json) write_counts(m);
}

/* What a limit left out makes the answer partial. */
static cli_exit say_notes(const matching *m) {
  const fl_str *notes = NULL;
  const size_t n = fl_hunt_notes(m->hunt, &notes);
  for (size_t i = 0; i < n; i++) cli_say("%.*s", FL_STR_ARG(notes[i]));
  return n ? CLI_PARTIAL : CLI_DONE;
}

static cli_exit find_level(matching *m) {
  static const struct {
    const char *name;
    int severity;
  } levels[] = {{"informational", 0}, {"info", 0},  {"low", 20},
                {"medium", 40},       {"high", 60}, {"critical", 80}};
  const char *name = m->args->value[OPT_min_level];
  if (!name) return CLI_DONE;
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
    if (strcmp(levels[i].name, name) != 0) continue;
    m->options.min_severity = levels[i].severity;
    return CLI_DONE;
  }
  return cli_usage(m->args, "--min-level %s: want informational, low, medium, high or critical",
                   name);
}

/* A suppression file is the user's own and small. */
static cli_exit read_suppressions(matching *m) {
  const char *path = m->args->value[OPT_suppress];
  if (!path) return CLI_DONE;
  FILE *f = fopen(path, "rb");
  if (!f) return cli_usage(m->args, "--suppress %s: %s", path, strerror(errno));
  m->text = malloc(LONGEST_FILE + 1);
  const size_t n = m->text ? fread(m->text, 1, LONGEST_FILE + 1, f) : 0;
  const bool has_failed = !m->text || ferror(f);
  (void)fclose(f);
  if (has_failed) return cli_usage(m->args, "--suppress %s: cannot be read", path);
  if (n > LONGEST_FILE) return cli_usage(m->args, "--suppress %s: larger than 1 MiB", path);
  m->options.suppressions = (fl_str){m->text, n};
  m->options.suppressions_name = fl_str_of(path);
  return CLI_DONE;
}

static cli_exit read_options(matching *m) {
  const cli_list *excluded = &m->args->all[OPT_exclude];
  m->options.excluded = (const char *const *)excluded->items;
  m->options.n_excluded = excluded->n;
  const cli_exit exit = find_level(m);
  return exit == CLI_DONE ? read_suppressions(m) : exit;
}

static cli_exit read_inputs(matching *m) {
  cli_args own = *m->args;
  cli_gate gate;
  fl_ingest_totals totals;
  fl_err err = {0};
  if (!cli_has(&own, OPT_hash)) own.ingest.hash = FL_HASH_NONE; /* no finding shows it */
  cli_exit exit = cli_gate_init(&gate, &own, true);
  gate.keeps_state = true; /* rules ask for it at any time */
  cli_gate_add(&gate, fl_hunt_sink(m->hunt));
  own.ingest.want_bytes = fl_hunt_wants_bytes(m->hunt);
  if (own.ingest.want_bytes) cli_say_no_bytes(&own);
  if (exit == CLI_DONE) cli_gate_skip(&gate, &own.ingest);
  if (exit == CLI_DONE) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) totals.n_parsed += fl_hunt_scanned(m->hunt);
  if (exit == CLI_DONE) exit = cli_judge(&gate, &totals);
  cli_gate_done(&gate);
  if (exit != CLI_DONE && exit != CLI_PARTIAL) return exit;
  const fl_status status = fl_hunt_finish(m->hunt, &err);
  return status < FL_OK ? cli_worse(exit, cli_failed(status, &err)) : exit;
}

static cli_exit run(matching *m) {
  fl_err err = {0};
  const cli_exit read = read_options(m);
  if (read != CLI_DONE) return read;
  const cli_exit loaded = cli_rules_load(m->args, &m->args->all[OPT_rules], false, &m->rules);
  if (!m->rules) return loaded;
  m->options.n_jobs = m->args->ingest.n_jobs;
  m->options.is_narrowed = cli_gate_chooses(m->args);
  const fl_status status = fl_hunt_create(m->rules, &m->options, &m->hunt, &err);
  if (status < FL_OK) return cli_failed(status, &err);
  cli_exit exit = cli_open(m->args->value[OPT_output], &m->out);
  if (exit == CLI_DONE) exit = read_inputs(m);
  if (exit != CLI_DONE && exit != CLI_PARTIAL) return exit;
  write_hits(m);
  exit = cli_worse(exit, say_notes(m));
  return cli_worse(exit, loaded);
}

cli_exit cli_match(const cli_args *args) {
  matching m = {.args = args};
  if (!cli_args_need_words(args, "INPUT") || !cli_outputs_are_apart(args)) return CLI_USAGE;
  if (!cli_wants_json(args, &m.is_json)) return CLI_USAGE;
  if (!cli_has(args, OPT_rules))
    return cli_usage(args, "match: --rules PATH says what to look for");
  const cli_exit exit = run(&m);
  const cli_exit closed = cli_close(m.out, exit);
  fl_hunt_free(m.hunt);
  fl_rules_free(m.rules);
  free(m.text);
  return closed;
}
