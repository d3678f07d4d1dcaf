/* flr_lex.c - cuts rule texts into words and keeps the place of each. */
#include "rules/flr_lex.h"

#include "base/mem.h"
#include "base/text.h"
#include "rules/regex.h"

static bool is_name_start(char c) {
  return fl_lower(c) >= 'a' && fl_lower(c) <= 'z' ? true : c == '_';
}
static bool is_name_part(char c) { return is_name_start(c) || fl_is_digit(c); }

static char at(const fl_lexer *lex, size_t pos) { return pos < lex->end ? lex->text.p[pos] : '\0'; }

/* Blanks and comments; false when a block comment never ends. */
static bool skip_blanks(fl_lexer *lex, bool *ret_starts_line) {
  while (lex->pos < lex->end) {
    const char c = lex->text.p[lex->pos];
    if (c == '\n') *ret_starts_line = true;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      lex->pos++;
    } else if (c == '#' || (c == '/' && at(lex, lex->pos + 1) == '/')) {
      while (lex->pos < lex->end && lex->text.p[lex->pos] != '\n') lex->pos++;
    } else if (c == '/' && at(lex, lex->pos + 1) == '*') {
      const size_t start = lex->pos;
      lex->pos += 2;
      while (lex->pos < lex->end && !(at(lex, lex->pos) == '*' && at(lex, lex->pos + 1) == '/'))
        lex->pos++;
      if (lex->pos >= lex->end) {
        (void)fl_lex_error(lex, start, "comment is not closed, expected */");
        return false;
      }
      lex->pos += 2;
    } else {
      break;
    }
  }
  return true;
}

static fl_token_kind read_string(fl_lexer *lex, fl_token *token) {
  const char quote = lex->text.p[lex->pos++];
  const size_t start = lex->pos;
  while (lex->pos < lex->end && lex->text.p[lex->pos] != quote && lex->text.p[lex->pos] != '\n')
    lex->pos += lex->text.p[lex->pos] == '\\' && at(lex, lex->pos + 1) != '\n' ? 2 : 1;
  if (lex->pos >= lex->end || lex->text.p[lex->pos] == '\n') {
    if (lex->pos > lex->end) lex->pos = lex->end;
    (void)fl_lex_error(lex, token->at, "string is not closed on its line, expected %c", quote);
    return FL_TK_BAD;
  }
  token->text = (fl_str){lex->text.p + start, lex->pos - start};
  lex->pos++;
  return FL_TK_STRING;
}

/* /text/ims on one line; a slash inside is written \/. */
static fl_token_kind read_regex(fl_lexer *lex, fl_token *token) {
  static const struct {
    char letter;
    int64_t flag;
  } flags[] = {{'i', FL_REGEX_NOCASE}, {'m', FL_REGEX_MULTILINE}, {'s', FL_REGEX_DOTALL}};
  const size_t start = ++lex->pos;
  while (at(lex, lex->pos) != '/' && at(lex, lex->pos) != '\n' && lex->pos < lex->end)
    lex->pos += at(lex, lex->pos) == '\\' && at(lex, lex->pos + 1) != '\n' ? 2 : 1;
  if (lex->pos > lex->end) lex->pos = lex->end;
  if (at(lex, lex->pos) != '/') {
    (void)fl_lex_error(lex, token->at, "regular expression is not closed on its line, expected /");
    return FL_TK_BAD;
  }
  token->text = (fl_str){lex->text.p + start, lex->pos++ - start};
  while (is_name_part(at(lex, lex->pos))) {
    int64_t flag = 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
      if (flags[i].letter == at(lex, lex->pos)) flag = flags[i].flag;
    if (!flag) {
      (void)fl_lex_error(lex, lex->pos,
                         "unknown flag '%c' of a regular expression, known are i m s",
                         at(lex, lex->pos));
      return FL_TK_BAD;
    }
    token->number |= flag;
    lex->pos++;
  }
  return FL_TK_REGEX;
}

static fl_token_kind read_number(fl_lexer *lex, fl_token *token) {
  const size_t start = lex->pos;
  while (is_name_part(at(lex, lex->pos))) lex->pos++;
  token->text = (fl_str){lex->text.p + start, lex->pos - start};
  uint64_t number = 0;
  if (fl_text_number(token->text, &number) && number <= INT64_MAX) {
    token->number = (int64_t)number;
    return FL_TK_INT;
  }
  if (fl_duration_parse(token->text, &token->number)) return FL_TK_DURATION;
  (void)fl_lex_error(lex, start, "'%.*s' is neither a number nor a duration such as 250ms, 30s, 5m",
                     (int)(token->text.n < 40 ? token->text.n : 40), token->text.p);
  return FL_TK_BAD;
}

static fl_token_kind read_marked(fl_lexer *lex, fl_token *token) {
  const char mark = lex->text.p[lex->pos++];
  const size_t start = lex->pos;
  while (is_name_part(at(lex, lex->pos))) lex->pos++;
  token->text = (fl_str){lex->text.p + start, lex->pos - start};
  if (token->text.n == 0) {
    (void)fl_lex_error(lex, token->at, "'%c' without a name behind it", mark);
    return FL_TK_BAD;
  }
  return mark == '$' ? FL_TK_EVENT : mark == '%' ? FL_TK_VAR : FL_TK_ALIAS;
}

static fl_token_kind read_sign(fl_lexer *lex, fl_token *token) {
  static const char *const pairs[] = {"==", "!=", "<=", ">=", "->", "=>"};
  static const char singles[] = "<>{}():;,|?*+-.=";
  const fl_str two = {lex->text.p + lex->pos, lex->end - lex->pos < 2 ? 1 : 2};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    if (!fl_str_eq(two, fl_str_of(pairs[i]))) continue;
    token->text = two;
    lex->pos += 2;
    return FL_TK_SIGN;
  }
  token->text = (fl_str){two.p, 1};
  lex->pos++;
  if (*two.p != '\0' && memchr(singles, *two.p, sizeof singles - 1)) return FL_TK_SIGN;
  const unsigned char byte = (unsigned char)*two.p;
  if (byte > 0x20 && byte < 0x7f)
    (void)fl_lex_error(lex, token->at, "unexpected character '%c'", *two.p);
  else (void)fl_lex_error(lex, token->at, "unexpected byte 0x%02x", byte);
  return FL_TK_BAD;
}

void fl_lex_next(fl_lexer *lex) {
  lex->behind = lex->pos;
  fl_token token = {.starts_line = lex->pos == 0};
  const bool is_sound = skip_blanks(lex, &token.starts_line);
  token.at = lex->pos;
  token.text = (fl_str){lex->text.p + lex->pos, 0};
  const char c = at(lex, lex->pos);
  if (!is_sound) {
    token.kind = FL_TK_BAD;
  } else if (lex->pos >= lex->end) {
    token.kind = FL_TK_END;
  } else if (c == '"' || c == '\'') {
    token.kind = read_string(lex, &token);
  } else if (fl_is_digit(c)) {
    token.kind = read_number(lex, &token);
  } else if (c == '/') {
    token.kind = read_regex(lex, &token);
  } else if (c == '$' || c == '%' || c == '@') {
    token.kind = read_marked(lex, &token);
  } else if (is_name_start(c)) {
    while (is_name_part(at(lex, lex->pos))) lex->pos++;
    token.text.n = lex->pos - token.at;
    token.kind = FL_TK_NAME;
  } else {
    token.kind = read_sign(lex, &token);
  }
  lex->token = token;
}

fl_status fl_lex_check_text(fl_lexer *lex) {
  for (size_t pos = 0; pos < lex->text.n;) {
    const size_t start = pos;
    const unsigned char byte = (unsigned char)lex->text.p[start];
    const bool is_bad = fl_utf8_next(lex->text, &pos) == 0xfffd && pos == start + 1;
    if (is_bad) return fl_lex_error(lex, start, "byte 0x%02x is not UTF-8", byte);
    if (byte == 0) return fl_lex_error(lex, start, "byte 0x00 has no place in a text");
  }
  return FL_OK;
}

void fl_lex_start(fl_lexer *lex, fl_str file, fl_str text) {
  lex->file = file;
  lex->text = text;
  lex->end = text.n;
  lex->pos = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  fl_lex_next(lex);
  lex->token.starts_line = true;
}

bool fl_lex_is_sign(const fl_lexer *lex, const char *sign) {
  return lex->token.kind == FL_TK_SIGN && fl_str_eq(lex->token.text, fl_str_of(sign));
}

bool fl_lex_is_word(const fl_lexer *lex, const char *word) {
  return lex->token.kind == FL_TK_NAME && fl_str_eq(lex->token.text, fl_str_of(word));
}

bool fl_lex_starts_rule(const fl_lexer *lex) {
  size_t pos = lex->pos;
  while (at(lex, pos) == ' ' || at(lex, pos) == '\t') pos++;
  return fl_lex_is_word(lex, "rule") && at(lex, pos) != '(';
}

bool fl_lex_take_sign(fl_lexer *lex, const char *sign) {
  const bool is_there = fl_lex_is_sign(lex, sign);
  if (is_there) fl_lex_next(lex);
  return is_there;
}

bool fl_lex_take_word(fl_lexer *lex, const char *word) {
  const bool is_there = fl_lex_is_word(lex, word);
  if (is_there) fl_lex_next(lex);
  return is_there;
}

fl_status fl_lex_need_sign(fl_lexer *lex, const char *sign, const char *after) {
  if (fl_lex_take_sign(lex, sign)) return FL_OK;
  return fl_lex_error(lex, lex->token.at, "expected '%s' after %s, found %s", sign, after,
                      fl_lex_shown(lex).p);
}

fl_str fl_lex_shown(const fl_lexer *lex) {
  const fl_token *token = &lex->token;
  if (token->kind == FL_TK_END) return FL_STR("the end of the text");
  size_t n = lex->pos > token->at ? lex->pos - token->at : 0;
  if (n > 40) n = 40;
  const fl_str shown = fl_text_printable((fl_str){lex->text.p + token->at, n}, lex->arena);
  const fl_str quoted = fl_arena_printf(lex->arena, "'%.*s'", FL_STR_ARG(shown));
  return quoted.p ? quoted : FL_STR("?");
}

static int hex_digit(char c) {
  if (fl_is_digit(c)) return c - '0';
  return fl_lower(c) >= 'a' && fl_lower(c) <= 'f' ? fl_lower(c) - 'a' + 10 : -1;
}

fl_status fl_lex_unescape(fl_lexer *lex, const fl_token *token, fl_str *ret_text) {
  const fl_str raw = token->text;
  char *out = fl_arena_take(lex->arena, raw.n + 1);
  if (!out) return fl_lex_nomem(lex);
  size_t n = 0;
  for (size_t i = 0; i < raw.n; i++) {
    char c = raw.p[i];
    if (c == '\\' && i + 1 < raw.n) {
      c = raw.p[++i];
      if (c == 'n') {
        c = '\n';
      } else if (c == 't') {
        c = '\t';
      } else if (c == 'x') {
        const int high = i + 2 < raw.n ? hex_digit(raw.p[i + 1]) : -1;
        const int low = i + 2 < raw.n ? hex_digit(raw.p[i + 2]) : -1;
        if (high < 0 || low < 0)
          return fl_lex_error(lex, token->at + i, "'\\x' needs two hexadecimal digits");
        c = (char)(high << 4 | low);
        if (c == '\0') return fl_lex_error(lex, token->at + i, "'\\x00' has no place in a text");
        i += 2;
      } else if (c == '\0' || !strchr("\"'\\{}[]", c)) {
        return fl_lex_error(lex, token->at + i,
                            "unknown escape, known are \\\" \\' \\\\ \\n \\t \\xNN");
      }
    }
    out[n++] = c;
  }
  if (!fl_utf8_is_valid((fl_str){out, n}))
    return fl_lex_error(lex, token->at, "the bytes of '\\x' are not UTF-8");
  *ret_text = (fl_str){out, n};
  return FL_OK;
}

fl_status fl_lex_string(fl_lexer *lex, const char *what, fl_str *ret_text) {
  if (lex->token.kind != FL_TK_STRING)
    return fl_lex_error(lex, lex->token.at, "expected %s in quotes, found %s", what,
                        fl_lex_shown(lex).p);
  FL_TRY(fl_lex_unescape(lex, &lex->token, ret_text));
  fl_lex_next(lex);
  return FL_OK;
}
