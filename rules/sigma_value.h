/* sigma_value.h - values of a detection item while modifiers work on them. */
#ifndef FL_RULES_SIGMA_VALUE_H
#define FL_RULES_SIGMA_VALUE_H

#include "rules/sigma_parse.h"

typedef enum fl_sigma_type {
  FL_SIGMA_V_TEXT,
  FL_SIGMA_V_NUMBER,
  FL_SIGMA_V_BOOL,
  FL_SIGMA_V_NULL,
  FL_SIGMA_V_REGEX,
  FL_SIGMA_V_CIDR,
  FL_SIGMA_V_FIELD,
  FL_SIGMA_V_EXISTS,
  FL_SIGMA_V_COMPARE, /* a number and how it is compared */
  FL_SIGMA_V_TIME     /* a number and which part of a time it is */
} fl_sigma_type;

/* A text with wildcards: bytes, and for each what it is. */
typedef enum fl_sigma_char { FL_SIGMA_PLAIN, FL_SIGMA_MANY, FL_SIGMA_ONE } fl_sigma_char;
typedef struct fl_sigma_pattern {
  uint8_t *bytes, *kinds;
  size_t n;
} fl_sigma_pattern;

typedef struct fl_sigma_value {
  fl_sigma_type type;
  const fl_yaml *node;
  fl_sigma_pattern pattern; /* TEXT; CIDR, REGEX and FIELD: plain */
  fl_sigma_number number;
  bool boolean, is_cased;
  uint8_t compare, part, flags;
  size_t group; /* the value that it was made of: its forms are an OR */
} fl_sigma_value;

typedef struct fl_sigma_values {
  fl_sigma_value *items;
  size_t n, cap;
  bool links_all, is_negated;
} fl_sigma_values;

bool fl_sigma_values_push(fl_sigma_values *values, const fl_sigma_value *value);

/* sigma_text.c: patterns. Each gives FL_E_NOMEM alone. */
fl_status fl_sigma_pattern_parse(const fl_sigma_parser *p, fl_str text, fl_sigma_pattern *ret);
fl_status fl_sigma_pattern_plain(const fl_sigma_parser *p, fl_str text, fl_sigma_pattern *ret);
fl_status fl_sigma_pattern_make(const fl_sigma_parser *p, size_t n, fl_sigma_pattern *ret);
bool fl_sigma_pattern_has_wildcard(const fl_sigma_pattern *pattern);
fl_status fl_sigma_pattern_wrap(const fl_sigma_parser *p, bool in_front, bool behind,
                                fl_sigma_pattern *pattern);
/* Base64 of `n_shift` blanks and the pattern's bytes, without the characters that others share. */
fl_status fl_sigma_pattern_base64(const fl_sigma_parser *p, const fl_sigma_pattern *in,
                                  unsigned n_shift, bool is_cut, fl_sigma_pattern *ret);
fl_status fl_sigma_pattern_utf16(const fl_sigma_parser *p, const fl_sigma_pattern *in,
                                 bool is_big_endian, bool has_mark, fl_sigma_pattern *ret);

/* sigma_expand.c: `%name%` by the values of the placeholder; without any, the rule cannot run. */
fl_status fl_sigma_expand(fl_sigma_parser *p, const fl_sigma_value *in, fl_sigma_values *out);

/* sigma_regex.c: compiles it once, to see that it can be. */
fl_status fl_sigma_regex_check(const fl_sigma_parser *p, const fl_yaml *node, fl_sigma_pred *pred);

/* sigma_modifier.c: the chain of modifiers of a key, in its order. */
fl_status fl_sigma_modify(fl_sigma_parser *p, const fl_yaml *key, fl_str modifiers,
                          fl_sigma_values *values);

#endif
