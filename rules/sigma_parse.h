/* sigma_parse.h - between the files that read Sigma documents. */
#ifndef FL_RULES_SIGMA_PARSE_H
#define FL_RULES_SIGMA_PARSE_H

#include "rules/sigma.h"
#include "rules/sigma_source.h"
#include "rules/yaml.h"

/* One document on its way into a set. */
typedef struct fl_sigma_parser {
  fl_sigma_set *set;
  fl_lexer *lex;
  fl_arena *arena;         /* what outlives the file */
  fl_arena *scratch;       /* what does not: trees, values on their way */
  uint32_t category;       /* index + 1 of the document's category where that maps fields, else 0 */
  const char *placeholder; /* the first one without a value, NULL = none */
} fl_sigma_parser;

/* A complaint about a node; returns FL_E_SYNTAX. */
fl_status fl_sigma_error(const fl_sigma_parser *p, const fl_yaml *node, const char *format, ...)
    FL_PRINTF(3, 4);
fl_status fl_sigma_warn(const fl_sigma_parser *p, const fl_yaml *node, const char *format, ...)
    FL_PRINTF(3, 4);

fl_status fl_sigma_expr_new(const fl_sigma_parser *p, fl_sigma_kind kind, fl_sigma_expr **ret_expr);
/* Puts `kid` behind the kids of `expr`; `*last` is the one before it, NULL at first. */
void fl_sigma_expr_add(fl_sigma_expr *expr, fl_sigma_expr **last, fl_sigma_expr *kid);

/* sigma_item.c: one `field|modifiers: values`. */
fl_status fl_sigma_pair(fl_sigma_parser *p, const fl_yaml *value, fl_sigma_expr **ret_expr);
/* A keyword list or a single keyword. */
fl_status fl_sigma_keywords(fl_sigma_parser *p, const fl_yaml *value, fl_sigma_expr **ret_expr);

/* sigma_regex.c: a copy of a predicate for another field gets a regex of its own. */
fl_status fl_sigma_regex_again(const fl_sigma_parser *p, fl_sigma_pred *pred);

/* sigma_detect.c: search identifiers of a `detection` or `filter` map, and its condition. Of the
 * keys that are no identifier `skipped` may name one. */
fl_status fl_sigma_detection(fl_sigma_parser *p, const fl_yaml *map, const char *skipped,
                             fl_sigma_expr **ret_expr);

/* sigma_condition.c */
typedef struct fl_sigma_search {
  fl_str name;
  fl_sigma_expr *expr;
  bool is_used;
} fl_sigma_search;
typedef struct fl_sigma_searches {
  fl_sigma_search *items;
  size_t n;
} fl_sigma_searches;
fl_status fl_sigma_condition(fl_sigma_parser *p, const fl_yaml *text,
                             const fl_sigma_searches *searches, fl_sigma_expr **ret_expr);

#endif
