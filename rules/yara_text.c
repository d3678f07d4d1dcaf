/* yara_text.c - a look at a rule source before libyara sees it: is it one, and what it imports. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/yara_set.h"

/* The words of a source, as YARA's grammar has them: comments, strings and regular expressions are
 * passed over. A `/` never divides there. */
typedef struct words {
  const char *p;
  size_t n, at;
  uint32_t line;
} words;

static char peek(const words *w, size_t ahead) {
  return w->n - w->at > ahead ? w->p[w->at + ahead] : '\0';
}

static void step(words *w) {
  if (w->at < w->n && w->p[w->at] == '\n') w->line++;
  if (w->at < w->n) w->at++;
}

static bool is_word(char c) {
  return fl_is_digit(c) || c == '_' || (fl_lower(c) >= 'a' && fl_lower(c) <= 'z');
}

static void skip_comment(words *w) {
  const bool is_line = peek(w, 1) == '/';
  step(w);
  step(w);
  while (w->at < w->n) {
    if (is_line && peek(w, 0) == '\n') return;
    const bool is_end = !is_line && peek(w, 0) == '*' && peek(w, 1) == '/';
    step(w);
    if (!is_end) continue;
    step(w);
    return;
  }
}

/* A string or a regular expression; both end with their line. */
static fl_str take_quoted(words *w) {
  const char quote = peek(w, 0);
  step(w);
  const size_t start = w->at;
  while (w->at < w->n && peek(w, 0) != quote && peek(w, 0) != '\n') {
    if (peek(w, 0) == '\\') step(w);
    step(w);
  }
  const fl_str text = {w->p + start, w->at - start};
  if (peek(w, 0) == quote) step(w);
  return text;
}

static fl_str take_word(words *w) {
  const size_t start = w->at;
  while (w->at < w->n && is_word(w->p[w->at])) w->at++;
  return (fl_str){w->p + start, w->at - start};
}

static const char *const modules[] = {"pe", "elf", "math", "hash", "time"};

bool fl_yara_is_module(const char *name) {
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
    if (strcmp(modules[i], name) == 0) return true;
  return false;
}

static bool is_known_module(fl_str name) {
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
    if (fl_str_eq(fl_str_of(modules[i]), name)) return true;
  return false;
}

static bool complain(yara_complaint *complaint, uint32_t line, const char *text) {
  complaint->line = line;
  (void)snprintf(complaint->text, sizeof complaint->text, "%s", text);
  return false;
}

static bool check_import(const words *w, fl_str name, yara_complaint *complaint) {
  if (is_known_module(name)) return true;
  complaint->line = w->line;
  (void)snprintf(complaint->text, sizeof complaint->text,
                 "module \"%.*s\" is not read here; there are pe, elf, math, hash and time",
                 (int)(name.n < 60 ? name.n : 60), name.p);
  return false;
}

static bool check_words(words *w, yara_complaint *complaint) {
  bool is_import = false;
  while (w->at < w->n) {
    const char c = peek(w, 0);
    if (c == '/' && (peek(w, 1) == '/' || peek(w, 1) == '*')) {
      skip_comment(w);
    } else if (c == '"' || c == '/') {
      const fl_str text = take_quoted(w);
      if (is_import && c == '"' && !check_import(w, text, complaint)) return false;
      is_import = false;
    } else if (is_word(c)) {
      is_import = fl_str_eq(take_word(w), FL_STR("import"));
    } else {
      step(w);
    }
  }
  return true;
}

void fl_yara_next_rule(fl_str text, size_t *at, uint32_t *line, fl_str *ret_name) {
  words w = {.p = text.p, .n = text.n, .at = *at, .line = *line};
  bool is_named = false;
  *ret_name = (fl_str){0};
  while (w.at < w.n && !ret_name->n) {
    const char c = peek(&w, 0);
    if (c == '/' && (peek(&w, 1) == '/' || peek(&w, 1) == '*')) {
      skip_comment(&w);
    } else if (c == '"' || c == '/') {
      (void)take_quoted(&w);
      is_named = false;
    } else if (is_word(c)) {
      const fl_str word = take_word(&w);
      if (is_named) *ret_name = word;
      is_named = fl_str_eq(word, FL_STR("rule"));
    } else {
      step(&w);
    }
  }
  *at = w.at;
  *line = w.line;
}

bool fl_yara_check_text(fl_str text, yara_complaint *complaint) {
  /* Its magic and a version below any character. */
  if (text.n > 4 && memcmp(text.p, "YARA", 4) == 0 && (unsigned char)text.p[4] < ' ')
    return complain(complaint, 1,
                    "is compiled: compiled rules are code and are not run; give their source");
  const char *nul = text.n ? memchr(text.p, '\0', text.n) : NULL;
  words w = {.p = text.p, .n = text.n, .line = 1};
  if (!nul) return check_words(&w, complaint);
  for (const char *p = text.p; p < nul; p++) w.line += *p == '\n';
  return complain(complaint, w.line, "holds a NUL: rule sources are text");
}
