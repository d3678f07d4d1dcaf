/* flr_parse.h - the parser of .flr texts: one text, the rule being read, its parts. */
#ifndef FL_RULES_FLR_PARSE_H
#define FL_RULES_FLR_PARSE_H

#include "rules/flr_lex.h"

/* The rule being read; copied to the arena when it is whole. */
typedef struct fl_draft {
  fl_rule rule;
  size_t at;        /* of its name */
  size_t n_unnamed; /* events without a name: `until` */
  bool has_events, has_sequence, has_score, has_meta, has_explain, has_tests;
  fl_str tags[FL_FLR_MAX_TAGS];
  fl_selector selectors[FL_FLR_MAX_EVENTS];
  bool is_named[FL_FLR_MAX_EVENTS]; /* in score or explain */
  size_t named_at[FL_FLR_MAX_EVENTS];
  fl_variable vars[FL_FLR_MAX_VARS];
  bool is_captured[FL_FLR_MAX_VARS];
  size_t var_at[FL_FLR_MAX_VARS];
  fl_step steps[FL_FLR_MAX_EVENTS];
  uint16_t by[FL_FLR_MAX_VARS];
  size_t n_by;
  unsigned machine; /* role of `by machine(role)` */
  size_t n_choices, n_clusters;
  fl_score_line lines[FL_FLR_MAX_LINES];
  fl_rule_test tests[FL_FLR_MAX_TESTS];
} fl_draft;

typedef struct fl_alias {
  fl_str name;
  fl_event_source source;
  fl_str file; /* where it is defined */
  size_t at;
  const struct fl_alias *next;
} fl_alias;

typedef enum fl_expr_mode { FL_EXPR_WHERE, FL_EXPR_FILTER, FL_EXPR_COND } fl_expr_mode;

typedef struct fl_parser {
  fl_lexer lex;
  const fl_alias *aliases;
  fl_draft *draft;
  uint32_t ids[FL_FLR_MAX_LIST];
  fl_operand operands[FL_FLR_MAX_LIST];
  fl_capture captures[FL_FLR_MAX_CLAUSES];
  fl_expr_mode mode;
  fl_pattern **patterns; /* of the set or filter */
  fl_named **named;      /* of the set */
  fl_rules *rules;       /* of an include */
  unsigned depth;
} fl_parser;

/* Index of an event or variable of the rule by name; variables are made when new. */
fl_status fl_parse_event_name(fl_parser *p, fl_str name, size_t at, uint16_t *ret_event);
fl_status fl_parse_var_name(fl_parser *p, fl_str name, size_t at, uint16_t *ret_var);
fl_status fl_parse_path(fl_parser *p, fl_str first, bool columns_first, fl_path *ret_path);
fl_status fl_parse_expr(fl_parser *p, const fl_expr **ret_expr);
fl_status fl_parse_int(fl_parser *p, const char *what, int64_t *ret_number);
/* [role] source [where] as one more event of the rule. */
fl_status fl_parse_selector(fl_parser *p, fl_str name, size_t at, uint16_t *ret_event);
/* rules_include.c: loads another file, and makes its aliases known here. */
fl_status fl_parse_include(fl_parser *p, fl_str name, size_t at);
/* One more alias; the same one by two ways is no mistake. */
fl_status fl_parse_add_alias(fl_parser *p, const fl_alias *alias, size_t at);
fl_status fl_parse_source(fl_parser *p, fl_event_source *ret_source);
fl_status fl_parse_events(fl_parser *p);
fl_status fl_parse_sequence(fl_parser *p);
fl_status fl_parse_score(fl_parser *p);
fl_status fl_parse_template(fl_parser *p, const fl_token *string, const fl_part **ret_parts);
unsigned fl_parse_role(fl_str word, bool *ret_is_role); /* any = 0 */
/* Copies n items to the arena; NULL n is fine. */
fl_status fl_parse_keep(fl_parser *p, const void *items, size_t n, size_t item_bytes,
                        const void **ret_copy);
/* flr_decisive.c: refuses `decisive` where a state alone would decide. */
fl_status fl_parse_check_decisive(fl_parser *p);
/* What makes the whole rule valid, and lint. */
fl_status fl_parse_check(fl_parser *p);

/* Reads one text; appends its rules to a list in the arena. */
typedef struct fl_rule_node {
  fl_rule *rule;
  size_t at; /* of its name */
  struct fl_rule_node *next;
} fl_rule_node;
fl_status fl_parse_text(fl_parser *p, fl_rule_node **ret_first, size_t *ret_n);

#endif
