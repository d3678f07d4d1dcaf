/* gate.c - the sink between a producer and a command's consumers: interrupts, filters, notes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { NOTES_SHOWN = 20, DRAW_EVERY = 100000 };

static const char *name_of(const cli_gate *gate, uint32_t source) {
  return source < gate->n_names && gate->names[source] ? gate->names[source] : "input";
}

static bool keep_name(cli_gate *gate, const fl_source_info *source) {
  if (source->id >= gate->n_names) {
    const size_t n = (size_t)source->id + 64;
    char **grown = realloc(gate->names, n * sizeof *grown);
    if (!grown) return false;
    memset(grown + gate->n_names, 0, (n - gate->n_names) * sizeof *grown);
    gate->names = grown;
    gate->n_names = n;
  }
  free(gate->names[source->id]);
  return (gate->names[source->id] =
              strndup(source->name.p ? source->name.p : "", source->name.n)) != NULL;
}

static void draw(cli_gate *gate, const char *name) {
  const bool is_wanted = cli_is_terminal() && !cli_has(gate->args, OPT_quiet);
  if (!is_wanted) return;
  gate->is_drawn = true;
  /* Carriage return and "erase to the end of the line": no colour, so NO_COLOR changes nothing. */
  (void)fprintf(stderr, "\r%llu events  %.60s\033[K", (unsigned long long)gate->n_seen, name);
}

static void erase(cli_gate *gate) {
  if (gate->is_drawn) (void)fputs("\r\033[K", stderr);
  gate->is_drawn = false;
}

static fl_status check(const cli_gate *gate, fl_err *err) {
  if (cli_interrupted()) return fl_fail(err, FL_E_STOPPED, 0, "interrupted");
  if (gate->hit_limit) return fl_fail(err, FL_E_STOPPED, 0, "enough events");
  return FL_OK;
}

static fl_status begin(void *self, const fl_source_info *source, fl_err *err) {
  cli_gate *gate = self;
  FL_TRY(check(gate, err));
  if (!keep_name(gate, source)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  draw(gate, name_of(gate, source->id));
  for (size_t i = 0; i < gate->n_next; i++)
    if (gate->next[i].begin) FL_TRY(gate->next[i].begin(gate->next[i].self, source, err));
  return FL_OK;
}

static bool is_in_window(const cli_gate *gate, const fl_batch *batch, const fl_row *row) {
  if (!gate->since && !gate->until) return true;
  if (gate->keeps_state && fl_row_is_state(batch, row)) return true;
  if (row->flags & FL_F_TIME_INVALID) return false;
  return (!gate->since || row->t >= gate->since) && (!gate->until || row->t <= gate->until);
}

static fl_status is_wanted(cli_gate *gate, const fl_batch *batch, const fl_row *row, bool *ret_is,
                           fl_err *err) {
  *ret_is = is_in_window(gate, batch, row);
  if (!*ret_is || !gate->filter) return FL_OK;
  return fl_filter_row(gate->filter, batch, row, ret_is, err);
}

/* The rows of `batch` that pass, in gate->rows. */
static fl_status select_rows(cli_gate *gate, const fl_batch *batch, fl_batch *ret_batch,
                             fl_err *err) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < batch->n_rows && !gate->hit_limit; i++) {
    bool is = false;
    FL_TRY(is_wanted(gate, batch, &batch->rows[i], &is, err));
    if (!is || n == FL_BATCH_ROWS) continue;
    gate->rows[n++] = batch->rows[i];
    gate->hit_limit = gate->limit && gate->n_passed + n >= gate->limit;
  }
  *ret_batch = *batch;
  ret_batch->rows = gate->rows;
  ret_batch->n_rows = n;
  return FL_OK;
}

static void count_rows(cli_gate *gate, const fl_batch *batch) {
  gate->n_seen += batch->n_rows;
  if (gate->n_seen < gate->next_draw) return;
  gate->next_draw = gate->n_seen + DRAW_EVERY;
  draw(gate, name_of(gate, batch->source));
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  cli_gate *gate = self;
  FL_TRY(check(gate, err));
  fl_batch passed = *batch;
  count_rows(gate, batch);
  if (gate->rows) FL_TRY(select_rows(gate, batch, &passed, err));
  gate->n_passed += passed.n_rows;
  fl_status status = FL_OK;
  for (size_t i = 0; i < gate->n_next && status >= FL_OK; i++) {
    const fl_batch *given = i < gate->n_whole ? batch : &passed;
    if (gate->next[i].batch && given->n_rows)
      status = gate->next[i].batch(gate->next[i].self, given, err);
  }
  gate->has_sink_failed = status < FL_OK;
  return status;
}

/* Nothing is chosen here, so that the one consumer may prepare batches. */
static bool may_prepare(const cli_gate *gate) {
  return !gate->rows && gate->n_next == 1 && gate->next[0].prepare;
}

static fl_status prepare(void *self, unsigned reader, const fl_batch *batch, void **ret_prepared,
                         fl_err *err) {
  const cli_gate *gate = self;
  return gate->next[0].prepare(gate->next[0].self, reader, batch, ret_prepared, err);
}

static void drop(void *self, void *prepared) {
  const cli_gate *gate = self;
  gate->next[0].drop(gate->next[0].self, prepared);
}

static fl_status take_prepared(void *self, const fl_batch *batch, uint64_t first_seq,
                               void *prepared, fl_err *err) {
  cli_gate *gate = self;
  const fl_status status = check(gate, err);
  if (status < FL_OK) {
    drop(self, prepared);
    return status;
  }
  count_rows(gate, batch);
  gate->n_passed += batch->n_rows;
  const fl_status taken = gate->next[0].take(gate->next[0].self, batch, first_seq, prepared, err);
  gate->has_sink_failed = taken < FL_OK;
  return taken;
}

static void print_note(cli_gate *gate, const fl_note *note) {
  if (note->severity == FL_NOTE_INFO || gate->is_quiet_on_notes || cli_has(gate->args, OPT_quiet))
    return;
  if (gate->n_notes++ >= NOTES_SHOWN) return;
  erase(gate);
  cli_say_note(note, name_of(gate, note->source));
}

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  cli_gate *gate = self;
  print_note(gate, note);
  for (size_t i = 0; i < gate->n_next; i++)
    if (gate->next[i].note) FL_TRY(gate->next[i].note(gate->next[i].self, note, err));
  return FL_OK;
}

static fl_status end(void *self, const fl_source_info *source, fl_err *err) {
  cli_gate *gate = self;
  if (source->n_events && source->last > gate->newest) gate->newest = source->last;
  for (size_t i = 0; i < gate->n_next; i++)
    if (gate->next[i].end) FL_TRY(gate->next[i].end(gate->next[i].self, source, err));
  return check(gate, err);
}

fl_sink cli_gate_sink(cli_gate *gate) {
  fl_sink sink = {.self = gate, .begin = begin, .batch = take_batch, .note = take_note, .end = end};
  if (!may_prepare(gate)) return sink;
  sink.prepare = prepare;
  sink.take = take_prepared;
  sink.drop = drop;
  return sink;
}

void cli_gate_add(cli_gate *gate, fl_sink sink) {
  if (gate->n_next < CLI_MAX_SINKS) gate->next[gate->n_next++] = sink;
}

void cli_gate_add_whole(cli_gate *gate, fl_sink sink) {
  gate->n_whole = gate->n_next + 1;
  cli_gate_add(gate, sink);
}

bool cli_gate_chooses(const cli_args *args) {
  return cli_has(args, OPT_since) || cli_has(args, OPT_until) || cli_has(args, OPT_where) ||
         cli_has(args, OPT_limit);
}

static cli_exit init_filter(cli_gate *gate, const cli_args *args) {
  fl_err err = {0};
  const fl_status status =
      fl_filter_compile(fl_str_of(args->value[OPT_where]), &gate->filter, &err);
  if (status >= FL_OK) return CLI_DONE;
  cli_say("%s", err.text);
  if (status == FL_E_SYNTAX) cli_say_caret(args->value[OPT_where], (size_t)(err.offset & 0xfffff));
  return status == FL_E_NOMEM ? CLI_INTERNAL : CLI_USAGE;
}

static cli_exit make_room(cli_gate *gate) {
  gate->rows = calloc(FL_BATCH_ROWS, sizeof *gate->rows);
  if (gate->rows) return CLI_DONE;
  cli_say("out of memory");
  return CLI_INTERNAL;
}

static cli_exit init_filters(cli_gate *gate, const cli_args *args) {
  cli_exit exit = cli_window_option(args, &gate->since, &gate->until);
  if (exit == CLI_DONE && cli_has(args, OPT_where)) exit = init_filter(gate, args);
  if (cli_has(args, OPT_limit)) gate->limit = strtoul(args->value[OPT_limit], NULL, 10);
  if (exit != CLI_DONE) return exit;
  if (!gate->since && !gate->until && !gate->filter && !gate->limit) return CLI_DONE;
  return make_room(gate);
}

cli_exit cli_gate_where(cli_gate *gate, const cli_args *args) {
  if (!cli_has(args, OPT_where)) return CLI_DONE;
  const cli_exit exit = init_filter(gate, args);
  return exit == CLI_DONE ? make_room(gate) : exit;
}

cli_exit cli_gate_init(cli_gate *gate, const cli_args *args, bool filters) {
  *gate = (cli_gate){.args = args};
  return filters ? init_filters(gate, args) : CLI_DONE;
}

static bool wants(void *self, const fl_batch *batch, const fl_row *row) {
  bool holds = true;
  return fl_filter_row(self, batch, row, &holds, NULL) < FL_OK || holds; /* in doubt, later */
}

void cli_gate_skip(cli_gate *gate, fl_ingest_options *options) {
  if (!gate->filter || !fl_filter_columns(gate->filter)) return;
  const fl_str text = fl_str_of(gate->args->value[OPT_where]);
  if (fl_filter_compile(text, &gate->early, NULL) < FL_OK) return;
  gate->interest =
      (fl_interest){.self = gate->early, .columns = fl_filter_columns(gate->early), .wants = wants};
  options->interest = &gate->interest;
}

void cli_gate_done(cli_gate *gate) {
  erase(gate);
  if (gate->n_notes > NOTES_SHOWN)
    cli_say("%llu more notes; \"faultline inspect\" lists all of them",
            (unsigned long long)(gate->n_notes - NOTES_SHOWN));
  for (size_t i = 0; i < gate->n_names; i++) free(gate->names[i]);
  free(gate->names);
  free(gate->rows);
  fl_filter_free(gate->filter);
  fl_filter_free(gate->early);
  *gate = (cli_gate){0};
}
