/* sigma_set.h - the inside of a set, for the files that fill it. */
#ifndef FL_RULES_SIGMA_SET_H
#define FL_RULES_SIGMA_SET_H

#include "rules/sigma_parse.h"

/* Indices by hash: index + 1, at most half full. */
typedef struct fl_sigma_index {
  uint32_t *slots;
  size_t n_slots;
} fl_sigma_index;

/* A document with 'filter': a condition that is joined to the rules it names. */
typedef struct fl_sigma_filter {
  fl_sigma_rule head; /* title and log source */
  const fl_str *words;
  size_t n_words; /* 0 = all rules of the log source */
  fl_sigma_expr *expr;
  struct fl_sigma_filter *next;
} fl_sigma_filter;

struct fl_sigma_set {
  fl_arena *arena, *scratch; /* scratch: of one file */
  fl_sigma_sources sources;
  fl_sigma_field *fields;
  size_t n_fields, cap_fields;
  fl_sigma_index field_index;
  fl_sigma_pred *preds;
  size_t n_preds, cap_preds;
  fl_sigma_index pred_index;
  size_t n_regex_bytes; /* of their regexes, compiled */
  uint32_t *n_uses;     /* of each predicate, once finished */
  fl_sigma_rule **rules;
  size_t n_rules, cap_rules;
  fl_sigma_index id_index; /* of names and ids: rule + 1 */
  fl_sigma_filter *filters, *last_filter;
  uint32_t *order; /* correlations, each behind those that it refers to */
  size_t n_order;
};

/* The rule of an id or a name; UINT32_MAX = none. */
uint32_t fl_sigma_rule_find(const fl_sigma_set *set, fl_str word);
fl_status fl_sigma_rule_add(fl_sigma_parser *p, fl_sigma_rule *rule, const fl_yaml *doc);

/* sigma_rule.c: one document, and what kinds of documents share. */
fl_status fl_sigma_document(fl_sigma_parser *p, const fl_yaml *doc);
fl_status fl_sigma_head(const fl_sigma_parser *p, const fl_yaml *doc, fl_sigma_rule *rule);
fl_status fl_sigma_logsource(fl_sigma_parser *p, const fl_yaml *doc, fl_sigma_rule *rule);
/* A list of texts, or a single one; none for NULL and null. */
fl_status fl_sigma_texts(const fl_sigma_parser *p, const fl_yaml *node, const fl_str **ret_texts,
                         size_t *ret_n);

/* sigma_sources.c: a file of log sources and placeholders. */
fl_status fl_sigma_sources_read(fl_sigma_parser *p, fl_sigma_sources *sources, const fl_yaml *doc);

/* sigma_filter.c */
fl_status fl_sigma_filter_read(fl_sigma_parser *p, const fl_yaml *doc);
fl_status fl_sigma_filter_all(fl_sigma_set *set, fl_lexer *lex);

#endif
