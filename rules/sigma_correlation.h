/* sigma_correlation.h - correlations of Sigma: how often, how different, and in what order rules
 * match.
 *
 * Specification: sigma-correlation-rules-specification 2.1, and conditions over rule names
 * ("extended" in pySigma, SEP 198). */
#ifndef FL_RULES_SIGMA_CORRELATION_H
#define FL_RULES_SIGMA_CORRELATION_H

#include "rules/sigma_set.h"

typedef enum fl_sigma_cor_type {
  FL_SIGMA_EVENT_COUNT,
  FL_SIGMA_VALUE_COUNT,
  FL_SIGMA_TEMPORAL,
  FL_SIGMA_TEMPORAL_ORDERED,
  FL_SIGMA_VALUE_SUM,
  FL_SIGMA_VALUE_AVG,
  FL_SIGMA_VALUE_PERCENTILE,
  FL_SIGMA_VALUE_MEDIAN
} fl_sigma_cor_type;

enum { FL_SIGMA_MAX_REFS = 64, FL_SIGMA_MAX_KEYS = 16, FL_SIGMA_MAX_LIMITS = 4 };

/* One comparison of the condition. */
typedef struct fl_sigma_limit {
  fl_sigma_compare compare;
  bool is_negated; /* neq */
  double number;
} fl_sigma_limit;

/* A rule that is correlated: what it is called, and which rule that is once the set is finished. */
typedef struct fl_sigma_cor_ref {
  fl_str word;
  uint32_t rule; /* index in the set; UINT32_MAX: not there */
} fl_sigma_cor_ref;

/* What `alias` is called in events of the rule of that word. */
typedef struct fl_sigma_alias {
  fl_str alias, word, field;
} fl_sigma_alias;

typedef struct fl_sigma_correlation {
  fl_sigma_cor_type type;
  fl_sigma_cor_ref *refs;
  size_t n_refs;
  const fl_str *keys; /* group-by */
  size_t n_keys;
  const fl_str *fields; /* whose values count */
  size_t n_fields;
  const fl_sigma_alias *aliases;
  size_t n_aliases;
  int64_t span_ns;
  fl_sigma_limit limits[FL_SIGMA_MAX_LIMITS]; /* all must hold */
  size_t n_limits;
  double percentile;
  bool generates;                    /* the rules stand for themselves, too */
  const fl_sigma_expr *expr;         /* over refs instead of limits; NULL = none */
  uint64_t negated;                  /* refs that stand behind `not` in it */
  uint64_t steps[FL_SIGMA_MAX_REFS]; /* TEMPORAL_ORDERED: the refs of each step */
  size_t n_steps;
} fl_sigma_correlation;

/* sigma_correlation.c: a document with 'correlation'. */
fl_status fl_sigma_correlation_read(fl_sigma_parser *p, const fl_yaml *doc);

/* What a base rule's events give to one reference of a correlation: fields for its group and for
 * what it counts. */
typedef struct fl_sigma_feed {
  uint32_t correlation, ref;
  uint32_t keys[FL_SIGMA_MAX_KEYS], fields[FL_SIGMA_MAX_KEYS];
  uint8_t n_keys, n_fields;
} fl_sigma_feed;

/* sigma_link.c: when all rules are there. */
fl_status fl_sigma_link(fl_sigma_set *set, fl_lexer *lex);

#endif
