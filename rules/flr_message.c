/* flr_message.c - complaints about rule texts: line, column, the line itself and a caret. */
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "rules/flr_lex.h"

/* Of each grade, for one text. */
enum { MAX_MESSAGES = 100, CONTEXT_BEFORE = 70, CONTEXT_AFTER = 50 };

void fl_lex_position(fl_lexer *lex, size_t at, uint32_t *ret_line, uint32_t *ret_column) {
  if (at > lex->text.n) at = lex->text.n;
  if (lex->known_line == 0 || at < lex->known_at) {
    lex->known_at = 0;
    lex->known_line = lex->known_column = 1;
  }
  for (; lex->known_at < at; lex->known_at++) {
    lex->known_column++;
    if (lex->text.p[lex->known_at] != '\n') continue;
    lex->known_line++;
    lex->known_column = 1;
  }
  *ret_line = lex->known_line;
  *ret_column = lex->known_column;
}

/* What may drive a terminal or turn the line around is shown as '?'. */
static bool is_tame(uint32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) return false;
  if (code_point >= 0x200b && code_point <= 0x200f) return false;
  return !(code_point >= 0x2028 && code_point <= 0x202e) &&
         !(code_point >= 0x2060 && code_point <= 0x206f);
}

/* The source line around `at`, cut to a readable width, and a caret under the place. */
static fl_str context_of(fl_lexer *lex, size_t at) {
  if (at > lex->text.n) at = lex->text.n;
  size_t start = at, end = at;
  while (start > 0 && at - start < CONTEXT_BEFORE && lex->text.p[start - 1] != '\n') start--;
  while (end < lex->text.n && end - at < CONTEXT_AFTER && lex->text.p[end] != '\n' &&
         lex->text.p[end] != '\r')
    end++;
  /* Not in the middle of a character. */
  while (start < at && ((unsigned char)lex->text.p[start] & 0xc0u) == 0x80u) start++;
  const size_t n = end - start;
  char *out = fl_arena_take(lex->arena, 2 * (4 * n + 8));
  if (!out) return (fl_str){0};
  size_t n_out = 0, n_caret = 0;
  for (size_t i = start; i < end;) {
    const bool is_before = i < at;
    const bool is_tab = lex->text.p[i] == '\t';
    size_t next = i;
    const uint32_t c = fl_utf8_next((fl_str){lex->text.p, end}, &next);
    i = next > i ? next : i + 1;
    n_out += fl_utf8_put(is_tab ? ' ' : is_tame(c) ? c : '?', out + n_out);
    if (is_before) n_caret++;
  }
  out[n_out++] = '\n';
  memset(out + n_out, ' ', n_caret);
  n_out += n_caret;
  out[n_out++] = '^';
  return (fl_str){out, n_out};
}

static fl_status give(fl_lexer *lex, size_t at, bool is_warning, const char *text) {
  /* The lexer complained about this word already. */
  if (!is_warning && lex->n_errors && lex->token.kind == FL_TK_BAD) return FL_E_SYNTAX;
  if (is_warning && lex->n_warnings++ >= MAX_MESSAGES) return FL_OK;
  uint32_t line = 0, column = 0;
  fl_lex_position(lex, at, &line, &column);
  if (!is_warning && lex->n_errors++ == 0)
    (void)fl_fail(lex->err, FL_E_SYNTAX, (uint64_t)line << 20 | column, "%.*s:%u:%u: %s",
                  (int)(lex->file.n < 100 ? lex->file.n : 100), lex->file.p ? lex->file.p : "",
                  line, column, text);
  fl_message_list *list = lex->messages;
  if (!list || lex->n_errors > MAX_MESSAGES) return is_warning ? FL_OK : FL_E_SYNTAX;
  if (!fl_grow((void **)&list->items, &list->cap, list->n + 1, sizeof *list->items))
    return fl_lex_nomem(lex);
  fl_rule_message message = {
      .file = lex->file, .line = line, .column = column, .is_warning = is_warning};
  message.text = fl_arena_str(lex->arena, fl_str_of(text));
  message.context = context_of(lex, at);
  if (!message.text.p || !message.context.p) return fl_lex_nomem(lex);
  list->items[list->n++] = message;
  return is_warning ? FL_OK : FL_E_SYNTAX;
}

fl_status fl_lex_nomem(fl_lexer *lex) {
  return fl_fail(lex->err, FL_E_NOMEM, 0, "out of memory while compiling rules");
}

fl_status fl_lex_error(fl_lexer *lex, size_t at, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return give(lex, at, false, text);
}

fl_status fl_lex_warn(fl_lexer *lex, size_t at, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return give(lex, at, true, text);
}

/* Edits between two words, up to `limit`; both are short. */
static unsigned distance(fl_str a, fl_str b) {
  enum { LONGEST = 32 };
  unsigned row[LONGEST + 1];
  if (a.n > LONGEST || b.n > LONGEST) return LONGEST;
  for (unsigned k = 0; k <= b.n; k++) row[k] = k;
  for (unsigned i = 1; i <= a.n; i++) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (unsigned k = 1; k <= b.n; k++) {
      const unsigned change = diagonal + (fl_lower(a.p[i - 1]) != fl_lower(b.p[k - 1]));
      diagonal = row[k];
      const unsigned insert = row[k - 1] + 1, remove = row[k] + 1;
      row[k] = change < insert ? change : insert;
      if (remove < row[k]) row[k] = remove;
    }
  }
  return row[b.n];
}

fl_str fl_lex_guess(fl_lexer *lex, fl_str word, const char *const *words) {
  const char *best = NULL;
  unsigned least = word.n <= 3 ? 1 : 2;
  for (size_t i = 0; words[i]; i++) {
    const unsigned d = distance(word, fl_str_of(words[i]));
    if (d > least || (best && d == least)) continue;
    least = d;
    best = words[i];
  }
  if (!best) return FL_STR("");
  const fl_str hint = fl_arena_printf(lex->arena, ", did you mean '%s'", best);
  return hint.p ? hint : FL_STR("");
}
