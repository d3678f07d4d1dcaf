/* rules.h - rules, the match on rows, and the solution of a case. */
#ifndef FAULTLINE_RULES_H
#define FAULTLINE_RULES_H

#include "faultline/case.h"

/* One complaint about a rule text. `context` is the source line and a caret line below it. */
typedef struct fl_rule_message {
  fl_str file;
  uint32_t line, column; /* from 1, columns count bytes; 0: the file could not be read at all */
  bool is_warning;
  fl_str text;
  fl_str context;
} fl_rule_message;

/* A compiled, immutable set of rules. */
typedef struct fl_rules fl_rules;
FL_API fl_status fl_rules_create(fl_rules **ret_rules, fl_err *err);
FL_API void fl_rules_free(fl_rules *rules);
/* Adds one text; a rule with an error refuses its whole file. Returns FL_E_SYNTAX then; messages
 * are kept in the set either way. */
FL_API fl_status fl_rules_add_text(fl_rules *rules, fl_str file, fl_str text, fl_err *err);
/* A file, or a folder with all files of a known suffix below it, in byte order. */
FL_API fl_status fl_rules_add_path(fl_rules *rules, const char *path, fl_err *err);
/* Where the log sources of Sigma rules are, and values of placeholders (docs/rules/sigma.md):
 * before the rules that need them. */
FL_API fl_status fl_rules_add_sources(fl_rules *rules, const char *path, fl_err *err);
/* The packs that are part of this build. */
FL_API fl_status fl_rules_add_packs(fl_rules *rules, fl_err *err);
/* Ends loading: resolves references between files. Must be called once before matching. */
FL_API fl_status fl_rules_finish(fl_rules *rules, fl_err *err);
FL_API size_t fl_rules_messages(const fl_rules *rules, const fl_rule_message **ret_messages);

typedef struct fl_rule_file {
  fl_str name;
  size_t n_rules;
  bool is_refused;
} fl_rule_file;
FL_API size_t fl_rules_files(const fl_rules *rules, const fl_rule_file **ret_files);

typedef struct fl_rule_test {
  bool expects_match;
  fl_str path;   /* scenario or bundle, relative to the rule's file */
  int64_t count; /* -1 = at least one (match) or none (nomatch) */
} fl_rule_test;
typedef struct fl_rule_info {
  const char *name, *title, *cause, *effect;
  int severity;
  fl_str file;
  uint32_t line;
  const fl_rule_test *tests;
  size_t n_tests;
  bool is_private; /* gives no findings: other rules use it */
  fl_rule_engine engine;
  const char *level; /* as its author wrote it: "high"; "" where the engine has none */
} fl_rule_info;
FL_API fl_rule_set fl_rules_set(const fl_rules *rules); /* once they are finished */
/* Sequences alone. */
FL_API size_t fl_rules_count(const fl_rules *rules);
FL_API fl_rule_info fl_rules_info(const fl_rules *rules, size_t index);
/* What a sequence says of its cause, for those who read about it without a case: words in capitals
 * stand for values, what is in brackets is said only where it was seen. Texts lie in `arena` and in
 * the rules. */
typedef struct fl_rule_line {
  int points;
  bool is_decisive;
  fl_str condition; /* as written */
  fl_str text;      /* the evidence sentence; the condition where the rule has none */
} fl_rule_line;
typedef struct fl_rule_knowledge {
  fl_rule_info info;
  fl_str says; /* the explanation; may be empty */
  const fl_rule_line *lines;
  size_t n_lines;
  const struct fl_event_fact *const *events; /* that it looks at, as far as facts know them */
  size_t n_events;
} fl_rule_knowledge;
FL_API fl_status fl_rules_knowledge(const fl_rules *rules, size_t index, fl_arena *arena,
                                    fl_rule_knowledge *ret_knowledge, fl_err *err);
/* The rules of any engine. */
FL_API size_t fl_rules_engine_count(const fl_rules *rules, fl_rule_engine engine);
FL_API fl_rule_info fl_rules_engine_info(const fl_rules *rules, fl_rule_engine engine,
                                         size_t index);

/* A comparison over columns and fields: the `where` of --where. */
typedef struct fl_filter fl_filter;
FL_API fl_status fl_filter_compile(fl_str text, fl_filter **ret_filter, fl_err *err);
FL_API void fl_filter_free(fl_filter *filter);
FL_API bool fl_filter_event(const fl_filter *filter, const fl_event *event);
/* The same of a row, decoding no more than the condition needs: what follows from a shape's
 * constants is decided once. Not for two threads at a time. */
FL_API fl_status fl_filter_row(fl_filter *filter, const fl_batch *batch, const fl_row *row,
                               bool *ret_holds, fl_err *err);
/* The columns (1 << fl_column) that fl_filter_row looks at; 0: it needs more than columns. */
FL_API uint32_t fl_filter_columns(const fl_filter *filter);

/* The builder of a case: a sink that matches rows while they are read, then solves. It wants every
 * row: what the options leave out still counts for coverage. */
typedef struct fl_case_builder fl_case_builder;
FL_API fl_status fl_case_builder_create(const fl_rules *rules, const fl_case_options *options,
                                        fl_case_builder **ret_builder, fl_err *err);
FL_API void fl_case_builder_free(fl_case_builder *builder);
FL_API fl_sink fl_case_builder_sink(fl_case_builder *builder);
/* Clocks, attempts, sequences, verdict. The case owns everything it shows. */
FL_API fl_status fl_case_builder_finish(fl_case_builder *builder, const fl_ingest_totals *totals,
                                        fl_case **ret_case, fl_err *err);

#endif
