/* yara_engine.c - YARA rules as an engine of a hunt. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "rules/engine.h"
#include "rules/yara_scan.h"

/* Complaints of the set are passed on to the lexer's once. */
typedef struct engine_set {
  fl_yara *yara;
  size_t n_passed;
} engine_set;

static void set_free(void *self) {
  engine_set *set = self;
  fl_yara_free(set->yara);
  free(set);
}

static fl_status set_create(void **ret_set, fl_err *err) {
  engine_set *set = calloc(1, sizeof *set);
  if (!set) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
  const fl_status s = fl_yara_create(&set->yara, err);
  if (s == FL_OK) *ret_set = set;
  else free(set);
  return s;
}

static size_t place_of(fl_str text, uint32_t line) {
  const char *at = text.p, *end = text.p + text.n;
  for (; line > 1; line--) {
    const char *next = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    if (!next) break;
    at = next + 1;
  }
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  return (size_t)(at - text.p);
}

/* Messages stand in the order of their files, but for those of later rounds. */
static fl_status pass_on(engine_set *set, fl_lexer *lex, fl_str file, fl_str text) {
  const fl_rule_message *messages = NULL;
  const size_t n = fl_yara_messages(set->yara, &messages);
  fl_status s = FL_OK;
  for (; set->n_passed < n && messages[set->n_passed].file.p == file.p; set->n_passed++) {
    const fl_rule_message *m = &messages[set->n_passed];
    const size_t at = place_of(text, m->line);
    const fl_status one = m->is_warning ? fl_lex_warn(lex, at, "%.*s", FL_STR_ARG(m->text))
                                        : fl_lex_error(lex, at, "%.*s", FL_STR_ARG(m->text));
    if (one < FL_OK && s != FL_E_NOMEM) s = one;
  }
  return s;
}

static fl_status set_add(void *self, fl_lexer *lex, size_t *ret_n_rules) {
  engine_set *set = self;
  *ret_n_rules = 0;
  const fl_status s = fl_yara_add(set->yara, lex->file, lex->text, lex->folder, lex->err);
  return s == FL_E_SYNTAX ? pass_on(set, lex, lex->file, lex->text) : s;
}

/* Refused files are no failure of the set: fl_rules_files tells of them. */
static fl_status set_finish(void *self, fl_lexer *lex) {
  engine_set *set = self;
  const fl_rule_message *messages = NULL;
  const fl_status s = fl_yara_finish(set->yara, lex->err);
  if (s < FL_OK && s != FL_E_SYNTAX) return s;
  const size_t n = fl_yara_messages(set->yara, &messages);
  while (set->n_passed < n) {
    const fl_str file = messages[set->n_passed].file;
    const fl_str text = fl_yara_text_of(set->yara, file);
    fl_lexer own = {
        .file = file, .text = text, .end = text.n, .arena = lex->arena, .messages = lex->messages};
    if (pass_on(set, &own, file, text) == FL_E_NOMEM)
      return fl_fail(lex->err, FL_E_NOMEM, 0, "out of memory for YARA rules");
  }
  return FL_OK;
}

static size_t set_files(const void *self, const fl_rule_file **ret_files) {
  return fl_yara_files(((const engine_set *)self)->yara, ret_files);
}

static size_t set_count(const void *self) {
  return fl_yara_count(((const engine_set *)self)->yara);
}

static fl_rule_info set_info(const void *self, size_t index) {
  const fl_yara_rule *rule = fl_yara_rule_at(((const engine_set *)self)->yara, index);
  return (fl_rule_info){.name = rule->name,
                        .title = rule->title.n ? rule->title.p : rule->name,
                        .cause = "",
                        .effect = "",
                        .severity = rule->severity,
                        .file = rule->file,
                        .line = rule->line,
                        .engine = FL_BY_YARA,
                        .level = ""};
}

typedef struct engine_run {
  const fl_yara *yara;
  fl_yara_scan *scan;
  fl_hits *hits;
  bool *is_off;
  /* Of one hit. */
  fl_hit_event events[FL_LIMIT_YARA_PLACES];
  fl_hit_bytes bytes[FL_LIMIT_YARA_PLACES];
} engine_run;

static void run_free(void *self) {
  engine_run *run = self;
  fl_yara_scan_free(run->scan);
  free(run->is_off);
  free(run);
}

/* Where it was found: places of a file, else the records that were put together. */
static void fill_places(engine_run *run, const fl_yara_find *find, fl_hit *hit) {
  const bool is_file = strcmp(find->medium, "file") == 0;
  for (size_t i = 0; i < find->n_records; i++) {
    const fl_yara_record *r = &find->records[i];
    run->events[i] = (fl_hit_event){.source = r->source,
                                    .flags = r->flags,
                                    .record_id = r->record_id,
                                    .offset = r->offset,
                                    .seq = r->seq,
                                    .t = r->t};
    if (r->t > hit->t) hit->t = r->t;
    if (!is_file) run->bytes[hit->n_bytes++] = (fl_hit_bytes){r->source, r->offset, r->length};
  }
  for (size_t i = 0; is_file && i < find->n_places; i++)
    run->bytes[hit->n_bytes++] =
        (fl_hit_bytes){find->source, find->places[i].offset, find->places[i].length};
  hit->events = run->events;
  hit->n_events = find->n_records;
  hit->bytes = run->bytes;
}

static fl_status give_hit(engine_run *run, const fl_yara_find *find, fl_err *err) {
  fl_hit hit = {.engine = FL_BY_YARA,
                .rule = (uint32_t)(find->rule - fl_yara_rule_at(run->yara, 0)),
                .text = find->text};
  fill_places(run, find, &hit);
  /* Bytes of no record still tell which source it is. */
  if (!hit.n_events && !hit.n_bytes) run->bytes[hit.n_bytes++] = (fl_hit_bytes){find->source, 0, 0};
  return fl_hits_add(run->hits, &hit, NULL, NULL, err);
}

static fl_status run_finish(void *self, fl_err *err) {
  engine_run *run = self;
  const fl_yara_find *finds = NULL;
  const fl_note *notes = NULL;
  size_t n = 0;
  FL_TRY(fl_yara_scan_finish(run->scan, &finds, &n, err));
  for (size_t i = 0; i < n; i++) FL_TRY(give_hit(run, &finds[i], err));
  n = fl_yara_scan_notes(run->scan, &notes);
  for (size_t i = 0; i < n; i++) {
    const fl_str name = fl_yara_name_of(run->scan, notes[i].source);
    FL_TRY(fl_hits_note(run->hits, err, "%.*s%s%.*s", FL_STR_ARG(name), name.n ? ": " : "",
                        FL_STR_ARG(notes[i].text)));
  }
  return FL_OK;
}

static fl_status run_rows(void *self, const fl_sink *sink, fl_err *err) {
  return fl_yara_scan_rows(((engine_run *)self)->scan, sink, err);
}

static uint64_t run_scanned(const void *self) {
  return fl_yara_scan_count(((const engine_run *)self)->scan);
}

static void run_watch(void *self, const fl_tracing *tracing) {
  fl_yara_scan_watch(((engine_run *)self)->scan, tracing);
}

static fl_status run_trace(void *self, const fl_tracing *tracing, const fl_batch *batch,
                           const fl_row *row, fl_err *err) {
  (void)tracing; /* it is watched already */
  return fl_yara_events_trace(((engine_run *)self)->scan, batch, row, err);
}

static fl_status run_start(const void *set, const fl_hunt_options *options, fl_hits *hits,
                           fl_engine_run *ret_run, fl_err *err) {
  engine_run *run = calloc(1, sizeof *run);
  const size_t n = set_count(set);
  if (run) run->is_off = calloc(n + 1, sizeof *run->is_off);
  if (!run || !run->is_off) {
    free(run);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
  }
  run->yara = ((const engine_set *)set)->yara;
  run->hits = hits;
  for (size_t i = 0; i < n; i++) {
    const fl_rule_info info = set_info(set, i);
    run->is_off[i] = !fl_hits_wants(hits, &info);
  }
  const fl_yara_options own = {
      .n_jobs = options->n_jobs, .only_in_rows = options->is_narrowed, .is_off = run->is_off};
  const fl_status s = fl_yara_scan_create(run->yara, &own, &run->scan, err);
  if (s != FL_OK) {
    run_free(run);
    return s;
  }
  *ret_run = (fl_engine_run){.self = run,
                             .sink = fl_yara_scan_sink(run->scan),
                             .wants_bytes = fl_yara_scan_wants_bytes(run->scan),
                             .finish = run_finish,
                             .rows = run_rows,
                             .watch = run_watch,
                             .trace = run_trace,
                             .n_scanned = run_scanned,
                             .free = run_free};
  return FL_OK;
}

const fl_engine_kind fl_engine_yara = {.suffixes = {".yar", ".yara", NULL},
                                       .max_bytes = FL_LIMIT_YARA_FILE,
                                       .takes_any_bytes = true,
                                       .create = set_create,
                                       .free = set_free,
                                       .add = set_add,
                                       .finish = set_finish,
                                       .files = set_files,
                                       .count = set_count,
                                       .info = set_info,
                                       .start = run_start};
