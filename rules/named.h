/* named.h - rules of another engine as sources of sequences: what sigma("…") stands for.
 *
 * The engine's set is given to the rules before they are finished; each pass over rows starts a run
 * of it, which says of every batch which of the rules asked for fit which rows. */
#ifndef FL_RULES_NAMED_H
#define FL_RULES_NAMED_H

#include "rules/flr_lex.h"

typedef struct fl_named_hit {
  uint32_t row, number;
} fl_named_hit;

typedef struct fl_named_engine {
  const void *set;
  /* By id or name; false: there is none. */
  bool (*find)(const void *set, fl_str name, uint32_t *ret_number);
  /* `numbers` are the rules asked for, ascending. */
  fl_status (*start)(const void *set, const uint32_t *numbers, size_t n, void **ret_run,
                     fl_err *err);
  /* Ascending by row, then by number; valid until the next batch. */
  fl_status (*batch)(void *run, const fl_batch *batch, const fl_named_hit **ret_hits, size_t *ret_n,
                     fl_err *err);
  void (*free)(void *run);
} fl_named_engine;

/* The engine behind sigma("…"); without one no such name is known. Copied. */
void fl_rules_use_sigma(fl_rules *rules, const fl_named_engine *engine);
const fl_named_engine *fl_rules_sigma(const fl_rules *rules); /* NULL = none */
/* sigma_named.c: the engine over a finished set of Sigma rules. */
fl_named_engine fl_named_by_sigma(const void *set);
/* The numbers of its rules that the loaded rules name, ascending, each once. */
fl_status fl_rules_sigma_numbers(const fl_rules *rules, fl_arena *arena,
                                 const uint32_t **ret_numbers, size_t *ret_n, fl_err *err);

/* flr_named.c: resolves the names of a set. `find_rule` gives a rule of the set by its name. */
typedef struct fl_named_finder {
  const fl_rules *rules;
  const fl_named_engine *sigma; /* NULL = none */
  const fl_rule *(*find_rule)(const fl_rules *rules, fl_str name);
  bool (*has_yara)(const fl_rules *rules, fl_str name);
} fl_named_finder;
/* FL_E_SYNTAX with a complaint in `lex` when a name is unknown or leads in a circle. */
fl_status fl_named_resolve(const fl_named_finder *finder, fl_named *named, fl_lexer *lex);
/* After all were resolved: does the chain of rule("…") behind it end? */
fl_status fl_named_check_end(const fl_named *named, fl_lexer *lex);

#endif
