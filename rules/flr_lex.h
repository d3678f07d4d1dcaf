/* flr_lex.h - words of rule texts, and complaints about them. */
#ifndef FL_RULES_FLR_LEX_H
#define FL_RULES_FLR_LEX_H

#include "rules/flr.h"

typedef enum fl_token_kind {
  FL_TK_END,
  FL_TK_NAME,
  FL_TK_EVENT,  /* $name; text is the name */
  FL_TK_VAR,    /* %name */
  FL_TK_ALIAS,  /* @name */
  FL_TK_REGEX,  /* /text/, without the slashes; `number` is flag bits of regex.h */
  FL_TK_STRING, /* text is what stands between the quotes, escapes and all */
  FL_TK_INT,
  FL_TK_DURATION,
  FL_TK_SIGN, /* text is one of == != <= >= -> => or a single character */
  FL_TK_BAD   /* a message was given */
} fl_token_kind;

typedef struct fl_token {
  fl_token_kind kind;
  fl_str text;
  size_t at; /* byte offset of its first character */
  int64_t number;
  bool starts_line;
} fl_token;

/* Where complaints go; NULL `messages` keeps only the first, in `err`. */
typedef struct fl_message_list {
  fl_rule_message *items;
  size_t n, cap;
} fl_message_list;

typedef struct fl_lexer {
  fl_str file, text;
  const char *folder; /* that the user named and the file was found below; NULL: none */
  size_t pos, end;    /* words end at `end`: the whole text, or a place in a template */
  fl_token token;     /* the current one */
  size_t behind;      /* end of the one before it */
  fl_arena *arena;
  fl_message_list *messages;
  fl_err *err;
  size_t n_errors, n_warnings;
  size_t known_at; /* a place whose line and column are known */
  uint32_t known_line, known_column;
} fl_lexer;

void fl_lex_start(fl_lexer *lex, fl_str file, fl_str text);
void fl_lex_next(fl_lexer *lex);
/* Complains about the first byte that is no UTF-8, or NUL. */
fl_status fl_lex_check_text(fl_lexer *lex);

/* What stands between a place and the end of the last word taken: as written, for those who ask
 * why. */
static inline fl_str fl_lex_since(const fl_lexer *lex, size_t at) {
  return (fl_str){lex->text.p + at, lex->behind > at ? lex->behind - at : 0};
}

bool fl_lex_is_sign(const fl_lexer *lex, const char *sign);
bool fl_lex_is_word(const fl_lexer *lex, const char *word);
bool fl_lex_take_sign(fl_lexer *lex, const char *sign); /* consumes it if it is there */
bool fl_lex_take_word(fl_lexer *lex, const char *word);
fl_status fl_lex_need_sign(fl_lexer *lex, const char *sign, const char *after);
/* `rule NAME` begins a rule; `rule (` names one. */
bool fl_lex_starts_rule(const fl_lexer *lex);
/* The current token for a message, in quotes. */
fl_str fl_lex_shown(const fl_lexer *lex);

/* A string's value, escapes resolved. */
fl_status fl_lex_string(fl_lexer *lex, const char *what, fl_str *ret_text);
fl_status fl_lex_unescape(fl_lexer *lex, const fl_token *token, fl_str *ret_text);

/* Complaints about the byte at `at`; errors return FL_E_SYNTAX. */
fl_status fl_lex_error(fl_lexer *lex, size_t at, const char *format, ...) FL_PRINTF(3, 4);
fl_status fl_lex_warn(fl_lexer *lex, size_t at, const char *format, ...) FL_PRINTF(3, 4);
fl_status fl_lex_nomem(fl_lexer *lex);
/* ", did you mean 'x'" or "". `words` ends with NULL. */
fl_str fl_lex_guess(fl_lexer *lex, fl_str word, const char *const *words);
/* Cheap when called for growing places. */
void fl_lex_position(fl_lexer *lex, size_t at, uint32_t *ret_line, uint32_t *ret_column);

#endif
