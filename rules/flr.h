/* flr.h - compiled rules: what the parser of .flr makes and matching reads. */
#ifndef FL_RULES_FLR_H
#define FL_RULES_FLR_H

#include "base/arena.h"
#include "faultline/rules.h"

enum {
  FL_FLR_MAX_EVENTS = 64,
  FL_FLR_MAX_VARS = 64,
  FL_FLR_MAX_LINES = 64,
  FL_FLR_MAX_TESTS = 256,
  FL_FLR_MAX_LIST = 256, /* ids of a source, values of an `in` */
  FL_FLR_MAX_TAGS = 16,
  FL_FLR_MAX_ALIASES = 256,
  FL_FLR_MAX_CLAUSES = 64,
  FL_FLR_NONE = 0xffff /* no event, variable or group */
};

/* How captured values are made comparable. */
typedef enum fl_norm {
  FL_NORM_TEXT,
  FL_NORM_IP,
  FL_NORM_HOST,
  FL_NORM_USER,
  FL_NORM_HEX,
  FL_NORM_GUID,
  FL_NORM_PID
} fl_norm;

/* A column of fl_event: how it is stored and where. */
typedef enum fl_column_type { FL_COL_TEXT, FL_COL_NUMBER, FL_COL_TIME, FL_COL_BITS } fl_column_type;
enum { FL_FROM_ROW = -1, FL_FROM_EVENT = -2 }; /* else an fl_column of the row */
typedef struct fl_event_column {
  const char *name;
  fl_column_type type;
  size_t offset; /* in fl_event */
  int from;      /* what it takes to know it */
} fl_event_column;
const fl_event_column *fl_event_column_find(fl_str name);
enum { FL_EVENT_COLUMNS = 29 };
void fl_event_column_names(const char *ret_names[FL_EVENT_COLUMNS + 1]); /* NULL behind the last */

/* What a name stands for: a column, a field, or the machine that a role names. */
typedef struct fl_path {
  const fl_event_column *column; /* NULL: not a column */
  fl_str field;
  unsigned machine; /* role bit of `by machine(role)`, 0 = not that */
} fl_path;

typedef enum fl_operand_kind {
  FL_O_FIELD,
  FL_O_VAR,
  FL_O_TEXT,
  FL_O_NUMBER,
  FL_O_BOOL
} fl_operand_kind;
typedef struct fl_operand {
  fl_operand_kind kind;
  uint16_t event; /* FL_O_FIELD: of which event; FL_FLR_NONE = the one at hand */
  uint16_t var;
  bool is_last;
  fl_path path;
  fl_str text;
  int64_t number;
} fl_operand;

typedef enum fl_op {
  FL_OP_EQ,
  FL_OP_NE,
  FL_OP_LT,
  FL_OP_LE,
  FL_OP_GT,
  FL_OP_GE,
  FL_OP_CONTAINS,
  FL_OP_ICONTAINS,
  FL_OP_STARTS,
  FL_OP_ENDS,
  FL_OP_CIDR,
  FL_OP_MATCHES,
  FL_OP_IN,
  FL_OP_EXISTS
} fl_op;
typedef struct fl_network {
  uint8_t bytes[16]; /* IPv4 as IPv4-mapped IPv6 */
  unsigned n_bits;
} fl_network;

/* A regular expression with what a search needs and what became of it: not for two threads at a
 * time. After FL_FLR_GIVE_UPS searches that a limit ended it is out of use and fits nothing. */
typedef struct fl_pattern {
  struct fl_regex *regex;
  struct fl_regex_scratch *scratch; /* of all patterns of a set */
  size_t n_set;                     /* bytes compiled of this one and all before it */
  unsigned n_given_up;
  fl_str text, file; /* for those who say that it is out of use */
  uint32_t line;
  struct fl_pattern *next;
} fl_pattern;
enum { FL_FLR_GIVE_UPS = 3 };

typedef enum fl_expr_kind {
  FL_X_OR,
  FL_X_AND,
  FL_X_NOT,
  FL_X_COMPARE,
  FL_X_EVENT,
  FL_X_UNKNOWN,
  FL_X_COUNT,
  FL_X_DELTA
} fl_expr_kind;
/* Or and and have any number of kids, so that depth comes from parentheses alone. */
typedef struct fl_expr {
  fl_expr_kind kind;
  fl_str text; /* as written */
  const struct fl_expr *kid, *next;
  fl_operand left;
  fl_op op;
  bool is_cased;
  const fl_operand *values;
  size_t n_values;
  fl_network network;
  fl_pattern *pattern;   /* FL_OP_MATCHES */
  uint16_t event, other; /* FL_X_EVENT and the kinds after it */
  bool is_from_end;      /* FL_X_DELTA: from the end of `other` */
} fl_expr;

typedef struct fl_capture {
  fl_path path;
  fl_str text; /* as written; empty for machine(role) */
  uint16_t var;
  bool is_required;
} fl_capture;

typedef struct fl_variable {
  fl_str name;
  fl_norm norm;
  bool has_norm;
} fl_variable;

/* A rule that a source names: rule("…") of one event, sigma("…") by id or name, yara("…"). */
typedef enum fl_named_kind { FL_NAMED_RULE, FL_NAMED_SIGMA, FL_NAMED_YARA } fl_named_kind;
enum { FL_N_NAMED_KINDS = 3 };
extern const char *const fl_named_words[FL_N_NAMED_KINDS];
typedef struct fl_named {
  fl_named_kind kind;
  fl_str name;
  fl_str file, text; /* where it stands, for complaints */
  size_t at;
  const struct fl_selector *selector; /* FL_NAMED_RULE, once rules are finished */
  uint32_t number;                    /* FL_NAMED_SIGMA: its engine's */
  struct fl_named *next;              /* of the set */
} fl_named;

/* A source of events; "" = any. */
typedef struct fl_event_source {
  fl_str channel, provider, kind;
  bool kind_is_prefix;
  const uint32_t *ids;
  size_t n_ids;
  const fl_named *named; /* NULL = none */
} fl_event_source;

typedef struct fl_selector {
  fl_str name;
  size_t at;     /* in its text, for messages */
  unsigned role; /* 0 = any */
  fl_event_source source;
  fl_str written;       /* "client @rcm 1149" */
  const fl_expr *where; /* NULL = none */
  const fl_capture *captures;
  size_t n_captures;
  bool is_anytime; /* its step takes it whatever its time */
} fl_selector;

typedef enum fl_window_kind {
  FL_W_FORWARD,
  FL_W_BEFORE,
  FL_W_DURING,
  FL_W_ANYTIME,
  FL_W_AFTER_EVENT,
  FL_W_BEFORE_EVENT,
  FL_W_BETWEEN
} fl_window_kind;
typedef enum fl_step_kind { FL_STEP_ITEM, FL_STEP_ABSENT, FL_STEP_UNTIL } fl_step_kind;
typedef struct fl_step {
  fl_step_kind kind;
  uint16_t event;
  uint16_t choice;  /* equal for the alternatives of one step */
  uint16_t cluster; /* equal for the items of one `unordered` */
  bool is_optional, is_repeated;
  uint32_t least, most; /* of a repeated one: fewer are none, more are not taken; most 0 = no end */
  fl_window_kind window;
  bool has_window;
  int64_t ns;
  uint16_t from, to; /* events that the window counts from */
  size_t at;
  fl_str text; /* as written */
} fl_step;

typedef enum fl_part_kind {
  FL_PART_TEXT,
  FL_PART_VAR,
  FL_PART_FIELD,
  FL_PART_SENTENCE,
  FL_PART_DELTA,
  FL_PART_COUNT,
  FL_PART_MACHINE,
  FL_PART_IF_UNKNOWN,
  FL_PART_IF_EVENT,
  FL_PART_IF_VAR
} fl_part_kind;
typedef enum fl_part_format { FL_FORMAT_PLAIN, FL_FORMAT_HEX, FL_FORMAT_CODE } fl_part_format;
typedef struct fl_part {
  fl_part_kind kind;
  fl_part_format format;
  fl_code_space space;
  uint16_t event, other, var;
  bool is_last;
  unsigned role;
  fl_path path;
  fl_str text;
  const struct fl_part *kid, *next;
} fl_part;

typedef struct fl_score_line {
  int points;
  bool is_decisive;
  const fl_expr *cond;
  const fl_part *text; /* NULL = made from the condition */
  fl_str written;      /* "+60 if $a" */
} fl_score_line;

typedef struct fl_rule {
  fl_rule_info info; /* a private rule is there for rule("…") alone */
  const fl_str *tags;
  size_t n_tags;
  const fl_selector *selectors;
  size_t n_selectors;
  const fl_variable *vars;
  size_t n_vars;
  const fl_step *steps;
  size_t n_steps;
  size_t anchor; /* index of a step */
  int64_t within_ns, skew_ns;
  const fl_score_line *lines;
  size_t n_lines;
  int report_at;
  const fl_part *explain; /* groups: each string is the kid of an empty text */
} fl_rule;

/* Inside of a rule set. */
const fl_rule *fl_rules_at(const fl_rules *rules, size_t index);
bool fl_rule_is_noise(const fl_rule *rule);

extern const char *const fl_norm_names[7];

/* flr_pattern.c: `set` is the list of all patterns of a rule set or filter, newest first. */
fl_status fl_pattern_add(fl_pattern **set, fl_str text, unsigned flags, fl_arena *arena,
                         fl_pattern **ret_pattern, fl_err *err);
void fl_patterns_done(fl_pattern *set);
bool fl_pattern_fits(fl_pattern *pattern, fl_str text);
const fl_pattern *fl_rules_patterns(const fl_rules *rules);

/* flr_value.c: values of events and comparisons. */
fl_value fl_path_value(const fl_path *path, const fl_event *event);
fl_str fl_path_text(const fl_path *path, const fl_event *event, fl_arena *arena);
bool fl_value_compare(const fl_value *value, const fl_expr *compare, const fl_value *right);
fl_value fl_literal_value(const fl_operand *operand);
bool fl_expr_holds(const fl_expr *expr, const fl_event *event);
bool fl_address_parse(fl_str text, uint8_t ret_bytes[16]);
bool fl_network_parse(fl_str text, fl_network *ret_network);
fl_str fl_norm_apply(fl_norm norm, fl_str text, fl_arena *arena);
/* flr_named.c: rules by name. `numbers` are those of the other engine's rules that the event fits,
 * ascending. Role and captures are not looked at. */
typedef struct fl_named_set {
  const uint32_t *numbers;
  size_t n;
} fl_named_set;
bool fl_selector_holds(const fl_selector *selector, const fl_event *event, fl_named_set set);
/* A source that is nothing but a rule's is that rule's. */
const fl_event_source *fl_source_meant(const fl_event_source *source);
/* Channel, provider, id and kind fit; role and where are not looked at. */
bool fl_event_source_fits(const fl_event_source *source, const fl_event *event);

#endif
