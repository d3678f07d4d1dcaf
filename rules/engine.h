/* engine.h - what a kind of rules gives: loading, a list of its rules, and a run over rows.
 *
 * engines.def lists the kinds. fl_rules gives each file to the kind that knows its suffix; a hunt
 * starts one run of each kind that has rules. Sequences (.flr) are loaded by rules.c itself. */
#ifndef FL_RULES_ENGINE_H
#define FL_RULES_ENGINE_H

#include "faultline/hunt.h"
#include "rules/flr_lex.h"
#include "rules/hits.h"

/* Somebody asks why a rule did or did not match one record. */
typedef struct fl_tracing {
  const fl_trace_request *request; /* NULL: nobody does */
  fl_rule_engine engine;
  uint32_t rule;
  bool is_met;
  fl_hit_event event; /* the record, once it was met */
} fl_tracing;

/* One run of one engine, for one thread. The sink gets sources, batches and notes as they are
 * read; its members may be NULL. */
typedef struct fl_engine_run {
  void *self;
  fl_sink sink;
  bool wants_bytes;                             /* fl_ingest_options.want_bytes */
  fl_status (*finish)(void *self, fl_err *err); /* all was read: gives the hits that are left */
  /* Once finished: events of our own that stand for hits, in the order of sources. May be NULL. */
  fl_status (*rows)(void *self, const fl_sink *sink, fl_err *err);
  /* Before the first source: what will be asked about. May be NULL. */
  void (*watch)(void *self, const fl_tracing *tracing);
  /* Before the batch is given to the sink: why one of its rules fits a row of it or not. What is
   * known later follows with finish. May be NULL. */
  fl_status (*trace)(void *self, const fl_tracing *tracing, const fl_batch *batch,
                     const fl_row *row, fl_err *err);
  uint64_t (*n_scanned)(const void *self); /* sources whose bytes it looked at; may be NULL */
  void (*free)(void *self);
} fl_engine_run;

/* Members may be NULL in a kind that is loaded elsewhere. Sets are immutable once finished. */
typedef struct fl_engine_kind {
  const char *suffixes[3]; /* of its files, ".yml"; NULL behind the last */
  size_t max_bytes;        /* of a file; 0 = FL_LIMIT_RULE_FILE */
  bool takes_any_bytes;    /* its texts need not be UTF-8 */
  fl_status (*create)(void **ret_set, fl_err *err);
  void (*free)(void *set);
  /* What the rules that come after it rest on: log sources. */
  fl_status (*prepare)(void *set, fl_lexer *lex);
  /* Takes the text of one file, `lex->text`, or refuses it with FL_E_SYNTAX. Complaints go through
   * fl_lex_error and fl_lex_warn; what is kept is copied. */
  fl_status (*add)(void *set, fl_lexer *lex, size_t *ret_n_rules);
  /* All files are there: references between them are resolved. `lex` bears complaints that have no
   * place in a text that is still there: those give line 1 of the file they name. */
  fl_status (*finish)(void *set, fl_lexer *lex);
  /* Of a kind that refuses files only when it is finished: what became of those that were added, in
   * their order, each with the name that `add` was given. May be NULL. */
  size_t (*files)(const void *set, const fl_rule_file **ret_files);
  size_t (*count)(const void *set);
  fl_rule_info (*info)(const void *set, size_t index);
  /* The hits outlive the run. */
  fl_status (*start)(const void *set, const fl_hunt_options *options, fl_hits *hits,
                     fl_engine_run *ret_run, fl_err *err);
} fl_engine_kind;

extern const fl_engine_kind fl_engine_sequence; /* its set is the fl_rules themselves */
#define FL_ENGINE(id) extern const fl_engine_kind fl_engine_##id;
#include "rules/engines.def"
#undef FL_ENGINE

/* The set of a kind, NULL while it has no rules. */
const void *fl_rules_engine_set(const fl_rules *rules, fl_rule_engine engine);

#endif
