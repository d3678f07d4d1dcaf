/* sigma.h - compiled Sigma rules: predicates, conditions and the set that holds them.
 *
 * Specification: SigmaHQ/sigma-specification 2.1. A set is immutable once finished; what changes
 * while events are matched is in a run (sigma_run.h). */
#ifndef FL_RULES_SIGMA_H
#define FL_RULES_SIGMA_H

#include "rules/engine.h"

/* What a predicate asks of one value of its field. */
typedef enum fl_sigma_op {
  FL_SIGMA_EQ,
  FL_SIGMA_PREFIX,
  FL_SIGMA_SUFFIX,
  FL_SIGMA_CONTAINS,
  FL_SIGMA_WILD,   /* text holds FL_SIGMA_ANY_TEXT and FL_SIGMA_ANY_CHAR */
  FL_SIGMA_ANY,    /* there is a value, whatever it is */
  FL_SIGMA_NULL,   /* there is none */
  FL_SIGMA_EXISTS, /* the field is there, with a value or without */
  FL_SIGMA_REGEX,
  FL_SIGMA_CIDR,
  FL_SIGMA_NUMBER, /* compared as a number */
  FL_SIGMA_FIELD,  /* compared with another field */
  FL_SIGMA_TIME    /* a part of a time, compared as a number */
} fl_sigma_op;

/* Bytes that no UTF-8 text has. */
enum { FL_SIGMA_ANY_TEXT = 0xff, FL_SIGMA_ANY_CHAR = 0xfe };

typedef enum fl_sigma_compare {
  FL_SIGMA_IS,
  FL_SIGMA_LT,
  FL_SIGMA_LTE,
  FL_SIGMA_GT,
  FL_SIGMA_GTE
} fl_sigma_compare;

typedef enum fl_sigma_part {
  FL_SIGMA_MINUTE,
  FL_SIGMA_HOUR,
  FL_SIGMA_DAY,
  FL_SIGMA_WEEK,
  FL_SIGMA_MONTH,
  FL_SIGMA_YEAR
} fl_sigma_part;

enum { FL_SIGMA_RE_I = 1, FL_SIGMA_RE_M = 2, FL_SIGMA_RE_S = 4 };
/* FL_SIGMA_FIELD: how the values are compared; 0: whole. */
enum { FL_SIGMA_STARTS = 1, FL_SIGMA_ENDS = 2 };

typedef struct fl_sigma_number {
  bool is_int;
  int64_t whole;
  double real;
} fl_sigma_number;

typedef struct fl_sigma_pred {
  uint8_t op, compare, part;
  uint8_t flags; /* FL_SIGMA_RE_ or FL_SIGMA_STARTS, FL_SIGMA_ENDS */
  bool is_cased; /* else the text is folded */
  uint32_t field, other;
  uint32_t needle; /* REGEX and WILD: a CONTAINS that must hold; UINT32_MAX = none */
  fl_str text;
  fl_sigma_number number;
  uint8_t net[16]; /* CIDR; IPv4 as IPv4-mapped IPv6 */
  uint8_t n_bits;
  bool is_v6;
  struct fl_regex *regex; /* REGEX: owned by the set */
} fl_sigma_pred;

/* Can a scan look for it? */
static inline bool fl_sigma_pred_is_literal(const fl_sigma_pred *pred) {
  const size_t least = pred->op == FL_SIGMA_CONTAINS ? 2 : 1;
  return pred->op <= FL_SIGMA_CONTAINS && !pred->is_cased && pred->text.n >= least;
}

/* A field as rules name it. `name` is folded and has no blanks; "" is the whole event. */
typedef struct fl_sigma_field {
  fl_str name;
  uint32_t category; /* index + 1 of the category that maps it to other names; 0 = none does */
  uint64_t hash;
} fl_sigma_field;
enum { FL_SIGMA_KEYWORDS = 0 }; /* the first field */

typedef enum fl_sigma_kind { FL_SIGMA_AND, FL_SIGMA_OR, FL_SIGMA_NOT, FL_SIGMA_PRED } fl_sigma_kind;
typedef struct fl_sigma_expr {
  fl_sigma_kind kind;
  uint32_t pred;
  fl_str label; /* the search or `field|modifiers` that it was read from; empty: neither */
  struct fl_sigma_expr *kid, *next;
} fl_sigma_expr;

/* A condition as a run reads it: a word is a kind (2 bits) and a predicate, or where its kids end.
 */
static inline uint32_t fl_sigma_word(fl_sigma_kind kind, uint32_t arg) {
  return (uint32_t)kind << 30 | arg;
}
static inline fl_sigma_kind fl_sigma_word_kind(uint32_t word) {
  return (fl_sigma_kind)(word >> 30);
}
static inline uint32_t fl_sigma_word_arg(uint32_t word) { return word & 0x3fffffff; }

/* Where events of a log source are: one channel service and some ids. */
typedef struct fl_sigma_place {
  uint32_t service; /* index; UINT32_MAX = any channel */
  const uint32_t *ids;
  size_t n_ids; /* 0 = any */
} fl_sigma_place;

typedef struct fl_sigma_rule {
  fl_rule_info info;
  fl_str id, name, title;
  const fl_str *tags;
  size_t n_tags;
  fl_str product, category, service; /* of the log source */
  const fl_sigma_place *places;
  size_t n_places;      /* 0: no log that is read has its events */
  fl_sigma_expr *expr;  /* NULL: a correlation */
  const uint32_t *code; /* made when the set is finished */
  uint32_t n_code;
  const uint32_t *witness;     /* of these predicates one holds whenever the rule does */
  uint32_t n_witness;          /* 0: there are none, it is asked always */
  bool is_disabled;            /* a placeholder has no value */
  bool is_silent;              /* asked for a correlation alone */
  uint32_t mapped;             /* index + 1 of the category that maps its fields, else 0 */
  struct fl_sigma_feed *feeds; /* what its events give to correlations */
  size_t n_feeds;
  struct fl_sigma_correlation *correlation;
} fl_sigma_rule;

typedef struct fl_sigma_set fl_sigma_set;

/* sigma_set.c: interning and look-up. UINT32_MAX = out of memory. */
uint32_t fl_sigma_field_of(fl_sigma_set *set, fl_str name, uint32_t category);
uint32_t fl_sigma_pred_of(fl_sigma_set *set, const fl_sigma_pred *pred);
const fl_sigma_field *fl_sigma_fields(const fl_sigma_set *set, size_t *ret_n);
const fl_sigma_pred *fl_sigma_preds(const fl_sigma_set *set, size_t *ret_n);
const fl_sigma_rule *const *fl_sigma_rules(const fl_sigma_set *set, size_t *ret_n);
/* Correlations that run, each behind those that it refers to. */
const uint32_t *fl_sigma_order(const fl_sigma_set *set, size_t *ret_n);
const struct fl_sigma_sources *fl_sigma_set_sources(const fl_sigma_set *set);

#endif
