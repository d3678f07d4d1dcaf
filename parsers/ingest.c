/* ingest.c - the driver: who reads which source, in which order, and what became of it. */
#include "faultline/ingest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/pool.h"
#include "base/text.h"
#include "parsers/run.h"
#include "parsers/source.h"
#include "parsers/texts.h"

enum { HEAD_SIZE = 4096, NAMES_CAP = 256 << 20, SCORE_MAGIC = 50, SCORE_NAME = 10 };

const fl_parser *const fl_parsers[] = {
#define FL_PARSER(id, ...) &fl_parser_##id,
#include "parsers/parsers.def"
#undef FL_PARSER
    NULL};

size_t fl_formats(const fl_format_info **ret_formats) {
  static const fl_format_info formats[] = {
#define FL_PARSER(id, name, summary) {name, summary},
#include "parsers/parsers.def"
#undef FL_PARSER
  };
  *ret_formats = formats;
  return sizeof formats / sizeof formats[0];
}

typedef struct bid {
  const fl_parser *parser, *rival; /* rival: as high a bid, which nobody should give */
  int score;
} bid;

static bid best_bid(const fl_probe *probe) {
  bid best = {0};
  for (size_t i = 0; fl_parsers[i]; ++i) {
    const int score = fl_parsers[i]->probe(probe);
    if (score > best.score) best = (bid){.parser = fl_parsers[i], .score = score};
    else if (score == best.score && score >= SCORE_MAGIC) best.rival = fl_parsers[i];
  }
  return best;
}

static bool name_ends_with(fl_str name, const char *end) {
  const fl_str e = fl_str_of(end);
  return name.n >= e.n && fl_str_eq_nocase((fl_str){name.p + name.n - e.n, e.n}, e);
}

/* A name without the "#2" that keeps it apart from others. */
static fl_str name_as_given(fl_str name) {
  size_t n = name.n;
  while (n > 0 && fl_is_digit(name.p[n - 1])) --n;
  const bool has_number = n < name.n && n > 1 && name.p[n - 1] == '#';
  return has_number ? (fl_str){name.p, n - 1} : name;
}

/* The type that an empty file should have had, by its name; NULL for names that promise nothing. */
static const char *promised_type(fl_str name) {
  static const struct {
    const char *end, *type;
  } promises[] = {
      {".evtx", "evtx"}, {".etl", "etl"},       {".zip", "zip"},      {".7z", "7z"},
      {".cab", "cab"},   {".tar", "tar"},       {".gz", "gz"},        {".bz2", "bz2"},
      {".xz", "xz"},     {".zst", "zstd"},      {".evt", "evt"},      {".pcap", "pcap"},
      {".reg", "reg"},   {".pcapng", "pcapng"}, {".dmp", "minidump"}, {".wer", "wer"},
      {".hiv", "hive"},  {".mdmp", "minidump"},
  };
  for (size_t i = 0; i < sizeof promises / sizeof promises[0]; ++i)
    if (name_ends_with(name_as_given(name), promises[i].end)) return promises[i].type;
  return NULL;
}

/* The source cannot be read: one note, and its bytes that no range names are in `state`. */
static void fail_source(fl_frame *frame, fl_status status, uint64_t offset, const char *text) {
  frame->info.is_failed = true;
  frame->rest_reason = text;
  frame->rest_state = FL_L_UNKNOWN;
  if (status == FL_E_UNSUPPORTED) frame->rest_state = FL_L_UNSUPPORTED;
  else if (status == FL_E_LIMIT || status == FL_E_NOMEM) frame->rest_state = FL_L_SKIPPED;
  else if (status == FL_E_CORRUPT) frame->rest_state = FL_L_DAMAGED;
  fl_job_note(&frame->job, fl_note_severity(status), offset, "%s", text);
}

/* Nobody wants it. Pictures in a bundle are nothing to speak of; what the user named is, unless its
 * bytes are looked at. */
static void skip_source(fl_frame *frame, const char *text) {
  frame->info.is_skipped = true;
  frame->rest_state = FL_L_SKIPPED;
  frame->rest_reason = text;
  if (!frame->parent && !frame->job.options->want_bytes)
    fl_job_note(&frame->job, FL_NOTE_UNSUPPORTED, 0, "%s", text);
}

static void recognise_only(fl_frame *frame, const bid *best) {
  const char *text = best->parser->instead;
  if (best->score >= SCORE_NAME) {
    fail_source(frame, FL_E_UNSUPPORTED, 0, text);
    return;
  }
  skip_source(frame, text);
  frame->rest_state = FL_L_UNSUPPORTED;
}

bool fl_arena_is_capped(const fl_arena *arena) { return arena->used_bytes > arena->cap_bytes / 2; }

/* What a parser's failure costs: the source, or the run. */
static fl_status end_parse(fl_frame *frame, fl_status s, bool is_capped, const fl_err *err) {
  struct fl_run *run = frame->job.run;
  if (run->stop != FL_OK) return run->stop;
  if (s >= FL_OK) return FL_OK;
  const bool is_cap = is_capped || fl_arena_is_capped(frame->job.arena);
  if (s == FL_E_INTERNAL || s == FL_E_STOPPED || (s == FL_E_NOMEM && !is_cap))
    return fl_run_stop(run, s, err);
  const fl_str text =
      s == FL_E_NOMEM
          ? FL_STR("limit reached: reading it needs more memory than one source may take")
          : fl_arena_str(run->arena, fl_str_of(err->text));
  const bool has_rows = frame->info.n_events + frame->info.n_recovered != 0;
  fail_source(frame, s, err->offset, text.p ? text.p : "not readable");
  if (has_rows) frame->info.is_failed = false;
  return run->stop;
}

/* Span after span, each delivered before the next is read. */
static fl_status read_spans(fl_frame *frame, const fl_parser *parser, void *state, uint64_t n_spans,
                            fl_err *err) {
  struct fl_run *run = frame->job.run;
  fl_rows *rows = parser->is_container ? NULL : &run->rows;
  fl_status s = FL_OK;
  for (uint64_t i = 0; i < n_spans && s == FL_OK && run->stop == FL_OK; ++i) {
    s = parser->read(&frame->job, state, i, rows, err);
    if (!rows) continue;
    fl_err flush_err = {0};
    const fl_status t = fl_rows_flush(&frame->job, rows, s < FL_OK ? &flush_err : err);
    if (s >= FL_OK) s = t;
  }
  return s;
}

/* Workers are worth their start for more than a few spans. */
static bool is_read_ahead(const fl_frame *frame, const fl_parser *parser, uint64_t n_spans) {
  enum { FEW_SPANS = 3 };
  const unsigned n_jobs = frame->job.options->n_jobs;
  return !parser->is_container && n_spans > FEW_SPANS && (n_jobs ? n_jobs : fl_processors()) > 1;
}

/* What stands apart from the spans, once all of them were delivered. */
static fl_status read_rest(fl_frame *frame, const fl_parser *parser, void *state, fl_err *err) {
  struct fl_run *run = frame->job.run;
  if (!parser->finish || run->stop != FL_OK) return FL_OK;
  const fl_status s = parser->finish(&frame->job, state, &run->rows, err);
  fl_err flush_err = {0};
  const fl_status t = fl_rows_flush(&frame->job, &run->rows, s < FL_OK ? &flush_err : err);
  return s < FL_OK ? s : t;
}

static fl_status parse(fl_frame *frame, const fl_parser *parser) {
  struct fl_run *run = frame->job.run;
  fl_err err = {0};
  void *state = fl_arena_take(frame->job.arena, parser->state_size ? parser->state_size : 1);
  if (!state) return fl_run_stop(run, FL_E_NOMEM, NULL);
  uint64_t n_spans = 0;
  bool is_capped = false;
  fl_status s = fl_texts_open(&frame->job, &frame->texts, &err);
  if (s == FL_OK) s = parser->open(&frame->job, state, &n_spans, &err);
  if (s == FL_OK) {
    s = is_read_ahead(frame, parser, n_spans)
            ? fl_spans_read(frame, parser, state, n_spans, &is_capped, &err)
            : FL_END;
    if (s == FL_END) {
      s = read_spans(frame, parser, state, n_spans, &err);
      is_capped = fl_arena_is_capped(run->rows.arena);
    }
  }
  if (s >= FL_OK) {
    s = read_rest(frame, parser, state, &err);
    is_capped |= fl_arena_is_capped(run->rows.arena);
  }
  if (parser->close) parser->close(&frame->job, state);
  fl_texts_close(frame->texts);
  frame->texts = NULL;
  return end_parse(frame, s, is_capped, &err);
}

/* Containers inside containers end somewhere; folders are not counted. */
static bool is_too_deep(const fl_frame *frame, const fl_parser *parser) {
  return parser->is_container && frame->depth >= FL_LIMIT_NESTED_CONTAINERS;
}

static fl_status read_claimed(fl_frame *frame, const bid *best) {
  const fl_parser *parser = best->parser;
  if (best->rival)
    fl_job_note(&frame->job, FL_NOTE_INFO, 0, "looks like %s as much as like %s; read as %s",
                best->rival->name, parser->name, parser->name);
  if (is_too_deep(frame, parser)) {
    fail_source(frame, FL_E_LIMIT, 0, "limit reached: an archive inside 4 archives is not opened");
    return frame->job.run->stop;
  }
  _Static_assert(FL_LIMIT_NESTED_CONTAINERS == 4, "the sentence above says 4");
  if (parser == &fl_parser_evtx && frame->job.options->engine == FL_ENGINE_LIBEVTX)
    parser = &fl_parser_evtx_libevtx;
  return parse(frame, parser);
}

/* What becomes of a source once its size, type and fault are known. */
static fl_status read_source(fl_frame *frame, const bid *best) {
  fl_source *source = frame->job.source;
  const fl_err *fault = fl_source_fault(source);
  if (fault && fault->code == FL_E_NOMEM) return fl_run_stop(frame->job.run, FL_E_NOMEM, fault);
  const bool is_empty = fl_source_size(source) == 0 && !fl_source_is_folder(source);
  if (fault && best->score == 0) {
    fail_source(frame, fault->code, 0, fault->text);
  } else if (is_empty && (!frame->parent || best->score > 0 || promised_type(frame->info.name))) {
    fail_source(frame, FL_E_CORRUPT, 0, "is empty: 0 bytes");
  } else if (best->score == 0) {
    skip_source(frame, is_empty ? "is empty: 0 bytes" : "no parser claims it");
  } else {
    if (fault)
      fl_job_note(&frame->job, fl_note_severity(fault->code), fl_source_size(source), "%s",
                  fault->text);
    if (best->parser->open && best->score >= SCORE_NAME) return read_claimed(frame, best);
    recognise_only(frame, best);
  }
  return frame->job.run->stop;
}

/* Of what the user named and nobody claims: is it something's remains? */
static bid search_source(fl_frame *frame) {
  for (size_t i = 0; fl_parsers[i]; ++i) {
    bool is_found = false;
    if (fl_parsers[i]->search && fl_parsers[i]->search(&frame->job, &is_found, NULL) == FL_OK &&
        is_found)
      return (bid){.parser = fl_parsers[i], .score = SCORE_NAME};
  }
  return (bid){0};
}

static bid choose_parser(fl_frame *frame) {
  fl_source *source = frame->job.source;
  if (fl_source_is_folder(source)) return (bid){.parser = &fl_parser_dir, .score = 100};
  uint8_t *head = fl_arena_take(frame->job.arena, HEAD_SIZE);
  if (!head) return (bid){0};
  const size_t n = fl_source_head(source, head, HEAD_SIZE);
  const fl_probe probe = {head, n, name_as_given(frame->info.name), fl_source_size(source)};
  bid best = best_bid(&probe);
  if (n == 0 && fl_source_fault(source)) best.score = 0; /* nothing came: the name says its type */
  /* A member that is skipped is not unpacked beyond its head. */
  const bool is_hashed = frame->job.options->hash == FL_HASH_ALL;
  if (best.score >= SCORE_NAME || is_hashed || frame->job.options->want_bytes ||
      !fl_source_has_size(source))
    fl_source_load(source);
  if (best.score == 0 && !frame->parent && !fl_source_fault(source)) best = search_source(frame);
  return best;
}

/* Whether the checksum is worth a pass over the bytes. */
static fl_status hash_source(fl_frame *frame) {
  fl_source *source = frame->job.source;
  const fl_hash_policy policy = frame->job.options->hash;
  const bool is_wanted =
      policy == FL_HASH_ALL || (policy == FL_HASH_AUTO && !frame->info.is_skipped &&
                                fl_source_size(source) <= FL_LIMIT_HASH_AUTO);
  if (!is_wanted || fl_source_is_folder(source)) return FL_OK;
  if (fl_source_fault(source)) return FL_OK; /* not the checksum of what was sent */
  fl_err err = {0};
  const fl_status s = fl_source_sha256(source, frame->info.sha256, &err);
  if (s == FL_E_NOMEM) return fl_run_stop(frame->job.run, s, &err);
  if (s < FL_OK)
    fl_job_note(&frame->job, FL_NOTE_UNREADABLE, err.offset, "no checksum: %s", err.text);
  return frame->job.run->stop;
}

static void count_source(struct fl_run *run, const fl_source_info *info) {
  ++run->totals.n_sources;
  run->totals.n_events += info->n_events;
  run->totals.n_recovered += info->n_recovered;
  if (info->is_failed) ++run->totals.n_failed;
  else if (info->is_skipped) ++run->totals.n_skipped;
  else if (!info->is_container) ++run->totals.n_parsed;
}

static fl_status finish_source(fl_frame *frame) {
  struct fl_run *run = frame->job.run;
  fl_err err = {0};
  fl_job_sum_notes(&frame->job);
  if (run->stop != FL_OK) return run->stop;
  const fl_range rest = {.state = frame->rest_state,
                         .reason = fl_str_of(frame->rest_reason ? frame->rest_reason : "")};
  const fl_status s = fl_ledger_finish(&frame->ledger, frame->info.size_bytes, rest, &err);
  if (s < FL_OK) return fl_run_stop(run, s, &err);
  frame->info.ledger = frame->ledger.ranges;
  frame->info.n_ledger = frame->ledger.n_ranges;
  count_source(run, &frame->info);
  if (!run->sink->end) return FL_OK;
  const fl_status t = run->sink->end(run->sink->self, &frame->info, &err);
  return t < FL_OK ? fl_run_stop(run, t, &err) : FL_OK;
}

static fl_status read_bytes(void *self, uint64_t offset, void *ret_bytes, size_t n_bytes,
                            size_t *ret_n_read, fl_err *err) {
  return fl_source_read(self, offset, ret_bytes, n_bytes, ret_n_read, err);
}
static const uint8_t *map_bytes(void *self) { return fl_source_map(self); }
static void share_bytes(void *self) {
  fl_source_share(self);
  fl_source_pin(self);
}
static void release_bytes(void *self) { fl_source_free(self); }

/* What `begin` gives beside the description; NULL where there is nothing to look at. */
static const fl_bytes *bytes_of(const fl_frame *frame, fl_bytes *room) {
  fl_source *source = frame->job.source;
  const uint64_t size = fl_source_size(source);
  if (!frame->job.options->want_bytes || fl_source_is_folder(source) || size == 0) return NULL;
  if (!fl_source_is_loaded(source)) return NULL;
  *room = (fl_bytes){source, size, read_bytes, map_bytes, share_bytes, release_bytes};
  return room;
}

static fl_status begin_source(fl_frame *frame, const bid *best) {
  struct fl_run *run = frame->job.run;
  fl_source_info *info = &frame->info;
  info->type = best->parser ? best->parser->name : "unknown";
  info->is_container = best->parser && best->parser->is_container;
  info->size_bytes = fl_source_size(frame->job.source);
  if (!best->parser && info->size_bytes == 0 && promised_type(info->name))
    info->type = promised_type(info->name);
  if (!run->sink->begin) return FL_OK;
  fl_err err = {0};
  fl_bytes bytes;
  info->bytes = bytes_of(frame, &bytes);
  const fl_status s = run->sink->begin(run->sink->self, info, &err);
  info->bytes = NULL;
  return s < FL_OK ? fl_run_stop(run, s, &err) : FL_OK;
}

fl_status fl_run_source(struct fl_run *run, fl_frame *parent, fl_str name, fl_source *source) {
  fl_frame frame = {
      .job = {.source = source, .name = name, .options = run->options, .run = run},
      .parent = parent,
      .info = {.id = run->next_id++, .parent = parent ? parent->info.id : UINT32_MAX, .name = name},
      .rest_state = FL_L_UNKNOWN,
      .rest_reason = "not accounted for",
  };
  frame.job.source_id = frame.info.id;
  if (parent) frame.depth = parent->depth + (fl_source_is_folder(parent->job.source) ? 0 : 1);
  frame.job.arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  fl_status s = frame.job.arena ? FL_OK : fl_run_stop(run, FL_E_NOMEM, NULL);
  if (s == FL_OK) {
    const bid best = choose_parser(&frame);
    s = begin_source(&frame, &best);
    if (s == FL_OK) s = read_source(&frame, &best);
  }
  if (s == FL_OK) s = hash_source(&frame);
  if (s == FL_OK) s = finish_source(&frame);
  fl_ledger_free(&frame.ledger);
  fl_arena_free(frame.job.arena);
  fl_source_free(source);
  return s;
}

static fl_status ingest_input(struct fl_run *run, const char *path) {
  fl_err err = {0};
  fl_source *source = NULL;
  run->n_members = run->n_unpacked_bytes = 0;
  fl_str name = fl_name_encode(fl_name_of_input(path), run->arena);
  if (name.p) name = fl_names_add(&run->names, name, run->arena);
  if (!name.p) return fl_run_stop(run, FL_E_NOMEM, NULL);
  if (strcmp(path, "-") == 0) {
    source = fl_source_of_stdin();
  } else {
    const fl_status s = fl_source_open(path, &source, &err);
    if (s < FL_OK) source = fl_source_refused(0, s, "%s", err.text);
  }
  if (!source) return fl_run_stop(run, FL_E_NOMEM, NULL);
  fl_shelf shelf;
  fl_status s = fl_shelf_of_input(path, run->arena, &shelf, &err);
  if (s < FL_OK) s = fl_run_stop(run, s, &err);
  fl_shelf_attach(&shelf, fl_name_of_input(path), source);
  if (s == FL_OK) s = fl_run_source(run, NULL, name, source);
  else fl_source_free(source);
  fl_shelf_done(&shelf);
  return s;
}

/* Old records may need templates that only a later source has, and what is found must not hang on
 * the order: so all inputs are read once before, for what their formats share. Standard input can
 * be read only once. */
static bool reads_twice(char *const *inputs, size_t n_inputs, const fl_ingest_options *options) {
  for (size_t i = 0; i < n_inputs; ++i)
    if (strcmp(inputs[i], "-") == 0) return false;
  return options->with_recovered;
}

static fl_status ingest_inputs(struct fl_run *run, char *const *inputs, size_t n_inputs) {
  fl_status s = FL_OK;
  for (size_t i = 0; i < n_inputs && s == FL_OK; ++i) s = ingest_input(run, inputs[i]);
  return s;
}

/* Gives nothing of what is read, but lets the run be stopped. */
static fl_status ask(void *self, const fl_batch *batch, fl_err *err) {
  const fl_sink *sink = self;
  const fl_batch none = {.source = batch->source};
  return sink->batch ? sink->batch(sink->self, &none, err) : FL_OK;
}

static fl_status learn_inputs(struct fl_run *run, char *const *inputs, size_t n_inputs) {
  const fl_ingest_options *options = run->options;
  const fl_sink *const sink = run->sink;
  const fl_ingest_options quiet = {.hash = FL_HASH_NONE,
                                   .engine = options->engine,
                                   .want_recovered_count = true,
                                   .want_markup = options->want_markup,
                                   .n_jobs = options->n_jobs};
  const fl_sink poll = {.self = (void *)sink, .batch = ask};
  run->options = &quiet;
  run->sink = &poll;
  const fl_status s = ingest_inputs(run, inputs, n_inputs);
  fl_names_free(&run->names);
  run->names = (fl_names){0};
  run->totals = (fl_ingest_totals){0};
  run->next_id = 0;
  run->options = options;
  run->sink = sink;
  run->has_learnt = true;
  return s;
}

fl_status fl_ingest(char *const *inputs, size_t n_inputs, const fl_ingest_options *options,
                    const fl_sink *sink, fl_ingest_totals *ret_totals, fl_err *err) {
  struct fl_run run = {.options = options, .sink = sink};
  fl_status s = fl_rows_init(&run.rows, err);
  if (s == FL_OK && !(run.arena = fl_arena_create(NAMES_CAP)))
    s = fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (s == FL_OK && reads_twice(inputs, n_inputs, options))
    s = learn_inputs(&run, inputs, n_inputs);
  if (s == FL_OK) s = ingest_inputs(&run, inputs, n_inputs);
  if (run.stop == FL_E_STOPPED) {
    s = FL_OK;
  } else if (run.stop != FL_OK) {
    const char *text = run.stop_err.text;
    s = fl_fail(err, run.stop, run.stop_err.offset, "%s", *text ? text : "out of memory");
  }
  if (s == FL_OK) *ret_totals = run.totals;
  fl_run_release_shared(&run);
  fl_names_free(&run.names);
  fl_rows_free(&run.rows);
  fl_spans_free(run.spans);
  fl_arena_free(run.arena);
  return s;
}
