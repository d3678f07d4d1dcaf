/* sigma_code.h - conditions as words that a run reads, and their witnesses. */
#ifndef FL_RULES_SIGMA_CODE_H
#define FL_RULES_SIGMA_CODE_H

#include "rules/sigma_set.h"

/* Makes the code and the witnesses of every rule. */
fl_status fl_sigma_code_all(fl_sigma_set *set, fl_lexer *lex);
/* The place behind the word at `at` and its kids. */
static inline uint32_t fl_sigma_code_next(const uint32_t *code, uint32_t at) {
  const uint32_t word = code[at];
  return fl_sigma_word_kind(word) == FL_SIGMA_PRED ? at + 1 : fl_sigma_word_arg(word);
}

#endif
