/* yaml.h - YAML documents as trees, for rules: no anchors, no tags, bounded.
 *
 * The tree lives in the arena it was made in, and its texts do, too. */
#ifndef FL_RULES_YAML_H
#define FL_RULES_YAML_H

#include "rules/flr_lex.h"

typedef enum fl_yaml_kind { FL_YAML_SCALAR, FL_YAML_LIST, FL_YAML_MAP } fl_yaml_kind;
/* What a plain scalar stands for; quoted and block scalars are text. */
typedef enum fl_yaml_type {
  FL_YAML_TEXT,
  FL_YAML_NULL,
  FL_YAML_BOOL,
  FL_YAML_INT,
  FL_YAML_FLOAT
} fl_yaml_type;

typedef struct fl_yaml {
  fl_yaml_kind kind;
  bool is_plain;
  fl_str text;               /* of a scalar */
  const struct fl_yaml *key; /* a value in a map: its key, a scalar */
  struct fl_yaml *first, *last, *next;
  size_t n;
  size_t index; /* in characters, from the start of the text */
} fl_yaml;

/* The documents of `lex->text`, linked by `next`; NULL for none. Complaints go through `lex`. */
fl_status fl_yaml_parse(fl_lexer *lex, fl_arena *arena, const fl_yaml **ret_first);
/* The value of a key of a map; NULL when it is not there, or `map` is no map. */
const fl_yaml *fl_yaml_get(const fl_yaml *map, const char *key);
/* The place of a node in the text, for messages. */
size_t fl_yaml_at(const fl_lexer *lex, const fl_yaml *node);
/* Types as in YAML 1.1, which Sigma's own tools read. */
fl_yaml_type fl_yaml_type_of(const fl_yaml *scalar);
bool fl_yaml_bool(const fl_yaml *scalar);
/* Of an int; false when it does not fit 64 bits. */
bool fl_yaml_int(const fl_yaml *scalar, int64_t *ret_number);
bool fl_yaml_float(const fl_yaml *scalar, double *ret_number);

#endif
