/* inspect.c - faultline inspect: what is inside, what was read, where every byte went. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { GAPS_ARENA = 64 << 20, CRASH_ARENA = 16 << 20, GAPS_SHOWN = 4096 };

/* Notes come before their source ends, and are printed with it; the driver caps them for each
 * source. */
typedef struct kept_note {
  fl_note note; /* its text is owned */
  size_t next;  /* index + 1, 0 = the last */
} kept_note;
typedef struct inspector {
  fl_out *out;
  bool is_json;
  kept_note *notes;
  size_t n_notes, cap_notes, n_waiting;
  size_t *first, *last; /* by id of the source: index + 1 */
  size_t n_ids;
  bool is_looking;
  fl_coverage_map *map; /* of the rows that came since gaps were listed */
  bool is_listed;
  const fl_gap *gaps; /* of the map */
  size_t n_gaps;
  fl_arena *arena;
  fl_arena *crash_arena;
  fl_event crash; /* of the source at hand: what a dump or an error report tells */
  bool has_crash;
} inspector;

static fl_status no_memory(fl_err *err) { return fl_fail(err, FL_E_NOMEM, 0, "out of memory"); }

static bool grow_ids(inspector *in, size_t n) {
  if (n <= in->n_ids) return true;
  n += n / 2 + 64;
  size_t *first = realloc(in->first, n * sizeof *first);
  if (first) in->first = first;
  size_t *last = realloc(in->last, n * sizeof *last);
  if (last) in->last = last;
  if (!first || !last) return false;
  memset(first + in->n_ids, 0, (n - in->n_ids) * sizeof *first);
  memset(last + in->n_ids, 0, (n - in->n_ids) * sizeof *last);
  in->n_ids = n;
  return true;
}

static fl_status keep_note(void *self, const fl_note *note, fl_err *err) {
  inspector *in = self;
  if (note->source == UINT32_MAX) return FL_OK; /* of no source */
  if (!grow_ids(in, (size_t)note->source + 1)) return no_memory(err);
  if (in->n_notes == in->cap_notes) {
    const size_t cap = in->cap_notes * 2 + 64;
    kept_note *grown = realloc(in->notes, cap * sizeof *grown);
    if (!grown) return no_memory(err);
    in->notes = grown;
    in->cap_notes = cap;
  }
  char *text = strndup(note->text.p ? note->text.p : "", note->text.n);
  if (!text) return no_memory(err);
  const size_t at = in->n_notes++;
  in->notes[at] = (kept_note){.note = *note};
  in->notes[at].note.text = (fl_str){text, note->text.n};
  size_t *last = &in->last[note->source];
  if (*last) in->notes[*last - 1].next = at + 1;
  else in->first[note->source] = at + 1;
  *last = at + 1;
  in->n_waiting++;
  return FL_OK;
}

/* Moves the notes of the source to `ret_notes`, which the caller frees with their texts. */
static fl_status take_notes(inspector *in, uint32_t source, fl_note **ret_notes, size_t *ret_n,
                            fl_err *err) {
  size_t n = 0;
  *ret_n = 0;
  *ret_notes = NULL;
  if (source >= in->n_ids || !in->first[source]) return FL_OK;
  for (size_t i = in->first[source]; i; i = in->notes[i - 1].next) n++;
  if (!(*ret_notes = calloc(n, sizeof **ret_notes))) return no_memory(err);
  for (size_t i = in->first[source]; i; i = in->notes[i - 1].next) {
    (*ret_notes)[(*ret_n)++] = in->notes[i - 1].note;
    in->notes[i - 1].note.text.p = NULL;
  }
  in->first[source] = in->last[source] = 0;
  in->n_waiting -= n;
  if (in->n_waiting == 0) in->n_notes = 0;
  return FL_OK;
}

/* A dump and an error report give one event each. */
static fl_status keep_crash(inspector *in, const fl_batch *batch, fl_err *err) {
  fl_event event;
  if (batch->n_rows != 1 || in->has_crash) return FL_OK;
  fl_arena_reset(in->crash_arena);
  FL_TRY(fl_event_build(batch, &batch->rows[0], in->crash_arena, &event, err));
  in->has_crash = fl_event_is_crash_file(&event);
  if (in->has_crash) in->crash = event;
  return FL_OK;
}

/* Each log is looked at by itself: when one has ended, the next rows begin anew. */
static fl_status watch(void *self, const fl_batch *batch, fl_err *err) {
  inspector *in = self;
  FL_TRY(keep_crash(in, batch, err));
  if (in->is_listed) {
    fl_coverage_free(in->map);
    in->map = NULL;
    in->n_gaps = 0;
    in->is_listed = false;
  }
  if (!in->map) FL_TRY(fl_coverage_create(&in->map, err));
  return fl_coverage_batch(in->map, batch, err);
}

/* All rows of a timeline come before the first of its sources ends. */
static fl_status list_gaps(inspector *in, const fl_source_info *source, fl_err *err) {
  if (!in->map || in->is_listed) return FL_OK;
  FL_TRY(fl_coverage_source(in->map, source, err));
  FL_TRY(fl_coverage_gaps(in->map, &in->gaps, &in->n_gaps, err));
  in->is_listed = true;
  return FL_OK;
}

/* The gaps of this source as events. */
static fl_status own_gaps(inspector *in, const fl_source_info *source, fl_source_report *report,
                          fl_err *err) {
  size_t n_own = 0;
  FL_TRY(list_gaps(in, source, err));
  for (size_t i = 0; i < in->n_gaps; i++) n_own += in->gaps[i].source == source->id;
  if (n_own > GAPS_SHOWN) n_own = GAPS_SHOWN;
  fl_arena_reset(in->arena);
  fl_event *events = fl_arena_alloc(in->arena, (n_own + 1) * sizeof *events);
  if (!events) return no_memory(err);
  report->gaps = events;
  for (size_t i = 0; i < in->n_gaps && report->n_gaps < n_own; i++)
    if (in->gaps[i].source == source->id)
      FL_TRY(fl_gap_event(&in->gaps[i], in->arena, &events[report->n_gaps++], err));
  return FL_OK;
}

static fl_status print_source(void *self, const fl_source_info *source, fl_err *err) {
  inspector *in = self;
  fl_note *notes = NULL;
  fl_source_report report = {.source = source};
  FL_TRY(take_notes(in, source->id, &notes, &report.n_notes, err));
  report.notes = notes;
  if (in->has_crash && in->crash.source == source->id) {
    report.crash = &in->crash;
    in->has_crash = false;
  }
  fl_status status = in->is_looking ? own_gaps(in, source, &report, err) : FL_OK;
  if (status == FL_OK) status = fl_report_source(&report, in->is_json, in->out, err);
  for (size_t i = 0; i < report.n_notes; i++) free((char *)(uintptr_t)notes[i].text.p);
  free(notes);
  return status;
}

static void forget_notes(inspector *in) {
  for (size_t i = 0; i < in->n_notes; i++) free((char *)(uintptr_t)in->notes[i].note.text.p);
  free(in->notes);
  free(in->first);
  free(in->last);
}

/* A digest measures decoding and nothing else: then nobody looks for gaps. */
static cli_exit look_for_gaps(inspector *in, cli_gate *gate) {
  in->is_looking = true;
  in->arena = fl_arena_create(GAPS_ARENA);
  in->crash_arena = fl_arena_create(CRASH_ARENA);
  cli_gate_add_whole(gate, (fl_sink){.self = in, .batch = watch});
  if (in->arena && in->crash_arena) return CLI_DONE;
  cli_say("out of memory");
  return CLI_INTERNAL;
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
  own.ingest.want_recovered_count = true;
  cli_gate gate;
  fl_ingest_totals totals;
  cli_exit exit = cli_gate_init(&gate, &own, true);
  gate.is_quiet_on_notes = true; /* they stand below their source */
  if (exit == CLI_DONE) exit = create_digest(args, &digest);
  if (exit == CLI_DONE) exit = cli_open(args->value[OPT_output], &in.out);
  if (exit == CLI_DONE && !digest) exit = look_for_gaps(&in, &gate);
  if (digest) cli_gate_add(&gate, fl_digest_sink(digest));
  cli_gate_add(&gate, (fl_sink){.self = &in, .note = keep_note, .end = print_source});
  if (exit == CLI_DONE) exit = cli_read(&gate, &totals);
  if (exit == CLI_DONE) {
    if (digest) print_digest(&in, digest);
    exit = cli_judge(&gate, &totals);
  }
  cli_gate_done(&gate);
  fl_digest_free(digest);
  forget_notes(&in);
  fl_arena_free(in.arena);
  fl_arena_free(in.crash_arena);
  fl_coverage_free(in.map);
  /* An input of which nothing could be read is an answer here, too: print it, then say so. */
  if (exit != CLI_NOTHING) return cli_close(in.out, exit);
  return cli_worse(exit, cli_close(in.out, CLI_DONE));
}
