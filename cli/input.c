/* input.c - inputs of a command: what is read, times that count back from it, and the exit code. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

bool cli_is_timeline(const char *path) {
  uint8_t head[64];
  if (strcmp(path, "-") == 0) return false;
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  const ssize_t n = pread(fd, head, sizeof head, 0);
  (void)close(fd);
  return n > 0 && fl_timeline_probe(head, (size_t)n);
}

static fl_status read_timeline(const char *path, const cli_gate *gate, const fl_sink *sink,
                               fl_ingest_totals *ret_totals, fl_err *err) {
  fl_timeline_reader *reader = NULL;
  FL_TRY(fl_timeline_open(path, &reader, err));
  const fl_status status =
      fl_timeline_read(reader, gate->since, gate->until, sink, ret_totals, err);
  fl_timeline_close(reader);
  return status;
}

static bool has_timeline(const cli_args *args) {
  for (size_t i = 0; i < args->words.n; i++)
    if (cli_is_timeline(args->words.items[i])) return true;
  return false;
}

cli_exit cli_read(cli_gate *gate, fl_ingest_totals *ret_totals) {
  const cli_args *args = gate->args;
  const fl_sink sink = cli_gate_sink(gate);
  const bool is_timeline = has_timeline(args);
  fl_err err = {0};
  *ret_totals = (fl_ingest_totals){0};
  if (is_timeline && args->words.n > 1)
    return cli_usage(args, "a timeline is read alone; %zu inputs were given", args->words.n);
  const fl_status status =
      is_timeline
          ? read_timeline(args->words.items[0], gate, &sink, ret_totals, &err)
          : fl_ingest(args->words.items, args->words.n, &args->ingest, &sink, ret_totals, &err);
  if (cli_interrupted()) return CLI_INTERRUPTED;
  if (status >= FL_OK || (status == FL_E_STOPPED && gate->hit_limit)) return CLI_DONE;
  const cli_exit exit = cli_failed(status, &err);
  return status == FL_E_IO && !gate->has_sink_failed ? CLI_NOTHING : exit;
}

cli_exit cli_judge(const cli_gate *gate, const fl_ingest_totals *totals) {
  const bool is_quiet = cli_has(gate->args, OPT_quiet);
  if (gate->hit_limit) return totals->worst > FL_NOTE_INFO ? CLI_PARTIAL : CLI_DONE;
  if (totals->n_parsed == 0) {
    const bool is_told = totals->n_sources == 1 && gate->n_notes > 0; /* its note said why */
    if (!is_told)
      cli_say(
          "nothing could be read: of %llu seen, no source is of a known format and whole enough",
          (unsigned long long)totals->n_sources);
    return CLI_NOTHING;
  }
  const bool is_sound = totals->worst <= FL_NOTE_INFO && totals->n_failed == 0;
  if (totals->n_events == 0 && totals->n_recovered == 0 && !is_quiet)
    cli_say(is_sound ? "no events: what was read is sound and holds no records"
                     : "no events: none could be read from what is damaged");
  else if (gate->n_passed == 0 && gate->rows && !is_quiet)
    cli_say("no events pass the filters; %llu were read", (unsigned long long)totals->n_events);
  if (is_sound) return CLI_DONE;
  if (!is_quiet)
    cli_say("some input was not read whole; %s", gate->is_quiet_on_notes
                                                     ? "the notes say what and where"
                                                     : "\"faultline inspect\" says what and where");
  return CLI_PARTIAL;
}

/* The time of the newest event: a pass that keeps nothing. */
static cli_exit find_newest(const cli_args *args, fl_time *ret_time) {
  for (size_t i = 0; i < args->words.n; i++)
    if (strcmp(args->words.items[i], "-") == 0)
      return cli_usage(args, "a time that counts back needs inputs that can be read twice, not -");
  cli_gate gate;
  fl_ingest_totals totals;
  cli_exit exit = cli_gate_init(&gate, args, false);
  gate.is_quiet_on_notes = true;
  if (exit == CLI_DONE) exit = cli_read(&gate, &totals);
  *ret_time = gate.newest;
  cli_gate_done(&gate);
  return exit;
}

/* "2026-03-10": all of that day. */
bool cli_is_date(const char *text) {
  fl_time ignored = 0;
  return strlen(text) == 10 && fl_time_parse(fl_str_of(text), &ignored);
}

/* Where the seconds belong, when "2026-03-10 08:00" goes on without them; else the end. */
static size_t minutes_end(const char *text) {
  enum { MINUTES = 16 };
  const size_t n = strlen(text);
  const bool has_minutes = n >= MINUTES && text[13] == ':' && text[MINUTES] != ':';
  return has_minutes ? MINUTES : n;
}

/* A time that names no zone gets that of --tz, else UTC; a bare date is its midnight. A zone inside
 * the text wins: with a second one behind it, it is no time at all. */
static bool parse_zoned(const cli_args *args, const char *text, fl_time *ret_time) {
  const char *zone = cli_has(args, OPT_tz) ? args->value[OPT_tz] : "Z";
  const size_t n = minutes_end(text);
  const char *added = cli_is_date(text) ? "T00:00:00" : n < strlen(text) || n == 16 ? ":00" : "";
  char own[128];
  char zoned[160];
  const int n_own = snprintf(own, sizeof own, "%.*s%s%s", (int)n, text, added, text + n);
  if (n_own < 0 || n_own >= (int)sizeof own) return false;
  (void)snprintf(zoned, sizeof zoned, "%s%s", own, zone);
  return fl_time_parse(fl_str_of(zoned), ret_time) || fl_time_parse(fl_str_of(own), ret_time);
}

bool cli_is_zone(const char *text) {
  char zoned[64];
  fl_time ignored = 0;
  const int n = snprintf(zoned, sizeof zoned, "2000-01-01T00:00:00%s", text);
  /* Decimals of a second would parse, too. */
  return n > 0 && n < (int)sizeof zoned && (*text == 'Z' || *text == '+' || *text == '-') &&
         fl_time_parse(fl_str_of(zoned), &ignored);
}

cli_exit cli_time_option(const cli_args *args, cli_option option, fl_time *ret_time) {
  const char *text = args->value[option];
  const char *name = option == OPT_since ? "since" : option == OPT_until ? "until" : "at";
  int64_t back = 0;
  fl_time newest = 0;
  *ret_time = 0;
  if (!text) return CLI_DONE;
  if (parse_zoned(args, text, ret_time)) {
    if (option == OPT_until && cli_is_date(text)) *ret_time += CLI_DAY - 1;
    return CLI_DONE;
  }
  if (option == OPT_at)
    return cli_usage(
        args, "--at %s: want a time such as 2026-03-01T10:00:00Z or ...T10:00:00+02:00", text);
  if (text[0] != '-' || !fl_duration_parse(fl_str_of(text), &back))
    return cli_usage(args, "--%s %s: want a time such as 2026-03-01T10:00:00Z, or -2h", name, text);
  const cli_exit exit = find_newest(args, &newest);
  if (exit == CLI_DONE && newest) *ret_time = newest - (back < 0 ? -back : back);
  return exit;
}

cli_exit cli_window_option(const cli_args *args, fl_time *ret_since, fl_time *ret_until) {
  cli_exit exit = cli_time_option(args, OPT_since, ret_since);
  if (exit == CLI_DONE) exit = cli_time_option(args, OPT_until, ret_until);
  if (exit == CLI_DONE && *ret_since && *ret_until && *ret_since > *ret_until)
    exit = cli_usage(args, "--since is later than --until: no event can lie between");
  return exit;
}
