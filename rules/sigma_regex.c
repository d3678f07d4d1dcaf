/* sigma_regex.c - regular expressions of rules: compiled once, and the text that they need. */
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/text.h"
#include "rules/regex.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_set.h"
#include "rules/sigma_value.h"

/* What stands on the top level of a pattern and must be there: a run of plain characters, none of
 * which is optional or repeated. In doubt there is none. */
typedef struct run {
  char text[64];
  size_t n;
} run;

static bool is_plain(char c) { return c && !strchr("\\^$.|?*+()[]{}#", c); }

/* The character of an escape that stands for a single one; 0 for classes and the like. */
static char escaped(char c) { return c && strchr("\\^$.|?*+()[]{}-/\"'#:;,<>=!@%&~ _", c) ? c : 0; }

static void keep_longer(run *best, run *now) {
  if (now->n > best->n) *best = *now;
  now->n = 0;
}

/* Skips a class or a group; SIZE_MAX when it does not end. */
static size_t skip_bracket(fl_str re, size_t at) {
  const char open = re.p[at];
  size_t depth = 0;
  bool in_class = false;
  for (; at < re.n; at++) {
    const char c = re.p[at];
    if (c == '\\') at++;
    else if (in_class) in_class = c != ']';
    else if (c == '[') {
      in_class = true;
      if (at + 1 < re.n && re.p[at + 1] == '^') at++;
      if (at + 1 < re.n && re.p[at + 1] == ']') at++;
    } else if (c == '(') depth++;
    else if (c == ')') depth--;
    if (!in_class && depth == 0 && (open == '(' || c == ']')) return at + 1;
  }
  return SIZE_MAX;
}

static bool is_caseless(fl_str re, size_t at) {
  return re.n - at >= 4 && memcmp(re.p + at, "(?i)", 4) == 0;
}

/* "{2,5}"; other braces are characters, and not worth a look. */
static bool skip_count(fl_str re, size_t *at) {
  for ((*at)++; *at < re.n && (fl_is_digit(re.p[*at]) || re.p[*at] == ',');) (*at)++;
  if (*at >= re.n || re.p[*at] != '}') return false;
  (*at)++;
  return true;
}

static bool find_needle(fl_str re, run *best) {
  run now = {.n = 0};
  best->n = 0;
  for (size_t at = 0; at < re.n;) {
    const char c = re.p[at];
    char plain = is_plain(c) ? c : 0;
    size_t next = at + 1;
    if (c == '|' || c == ')') return false;
    if (c == '\\' && at + 1 < re.n) {
      plain = escaped(re.p[at + 1]);
      next = at + 2;
      if (strchr("QExpPkgcoN0123456789", re.p[at + 1])) return false; /* more text belongs to it */
    } else if (c == '[' || c == '(') {
      const bool is_special = c == '(' && at + 1 < re.n && re.p[at + 1] == '?';
      const bool is_known = at + 3 < re.n && (re.p[at + 2] == ':' || is_caseless(re, at));
      if (is_special && !is_known) return false; /* it may look around, or set options */
      next = is_special && is_caseless(re, at) ? at + 4 : skip_bracket(re, at);
      if (next == SIZE_MAX) return false;
    }
    const char after = next < re.n ? re.p[next] : 0;
    const bool is_counted = after == '?' || after == '*' || after == '{' || after == '+';
    if (plain && !is_counted && now.n < sizeof now.text) now.text[now.n++] = plain;
    else keep_longer(best, &now);
    at = next;
    if (is_counted && after == '{' && !skip_count(re, &at)) return false;
    while (at < re.n && (re.p[at] == '?' || re.p[at] == '*' || re.p[at] == '+')) at++;
  }
  keep_longer(best, &now);
  return best->n > 0;
}

static fl_status set_needle(const fl_sigma_parser *p, fl_sigma_pred *pred) {
  enum { SHORTEST = 3 };
  run best;
  if (!find_needle(pred->text, &best) || best.n < SHORTEST) return FL_OK;
  fl_sigma_pred needle = {.op = FL_SIGMA_CONTAINS, .field = pred->field, .needle = UINT32_MAX};
  needle.text = fl_sigma_fold((fl_str){best.text, best.n}, p->scratch);
  if (!needle.text.p || !fl_utf8_is_valid(needle.text)) return FL_OK;
  pred->needle = fl_sigma_pred_of(p->set, &needle);
  return pred->needle != UINT32_MAX ? FL_OK : fl_lex_nomem(p->lex);
}

static fl_status compile(fl_sigma_set *set, fl_sigma_pred *pred, fl_err *err) {
  unsigned flags = 0;
  if (pred->flags & FL_SIGMA_RE_I) flags |= FL_REGEX_NOCASE;
  if (pred->flags & FL_SIGMA_RE_M) flags |= FL_REGEX_MULTILINE;
  if (pred->flags & FL_SIGMA_RE_S) flags |= FL_REGEX_DOTALL;
  FL_TRY(fl_regex_compile(pred->text, flags, &pred->regex, err));
  set->n_regex_bytes += fl_regex_size(pred->regex);
  return FL_OK;
}

fl_status fl_sigma_regex_check(const fl_sigma_parser *p, const fl_yaml *node, fl_sigma_pred *pred) {
  fl_err err = {0};
  if (pred->text.n > FL_LIMIT_REGEX_PATTERN)
    return fl_sigma_error(p, node, "a regex of %zu bytes, expected at most %d", pred->text.n,
                          FL_LIMIT_REGEX_PATTERN);
  if (p->set->n_regex_bytes > FL_LIMIT_SIGMA_REGEXES)
    return fl_sigma_error(p, node, "the regexes of all rules take more than %d bytes compiled",
                          FL_LIMIT_SIGMA_REGEXES);
  const fl_status status = compile(p->set, pred, &err);
  if (status == FL_OK) return set_needle(p, pred);
  if (status != FL_E_SYNTAX) return fl_lex_nomem(p->lex);
  return fl_sigma_error(p, node, "the regex is wrong at its character %zu: %s",
                        (size_t)err.offset + 1, err.text);
}

/* The needle is one of the other field and only saves work: it is left out. */
fl_status fl_sigma_regex_again(const fl_sigma_parser *p, fl_sigma_pred *pred) {
  fl_err err = {0};
  pred->needle = UINT32_MAX;
  if (pred->op != FL_SIGMA_REGEX) return FL_OK;
  return compile(p->set, pred, &err) == FL_OK ? FL_OK : fl_lex_nomem(p->lex);
}
