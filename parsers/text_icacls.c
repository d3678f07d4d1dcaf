/* text_icacls.c - icacls: who may do what with a file or folder.
 *
 *   PATH ACCOUNT:(FLAGS)(RIGHTS), then more accounts below the first. Letters of rights are the
 * same in every language; names of accounts are not. Paths and accounts may hold blanks: how far in
 * the second line stands tells where the path ends. */
#include "base/text.h"
#include "parsers/text.h"

typedef struct icacls {
  bool has_first;
  text_kept path, first; /* first: a line whose path is not known to end yet */
  text_place place;
} icacls;

static bool is_letters(fl_str s) {
  if (s.n == 0 || s.n > 60) return false;
  for (size_t i = 0; i < s.n; i++) {
    const char c = s.p[i];
    if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != ',') return false;
  }
  return true;
}

/* Where ":(" begins, of which only groups of letters in parentheses follow; line.n: nowhere. */
static size_t find_rights(fl_str line) {
  const fl_str s = text_trim(line);
  size_t at = s.n;
  while (at > 0 && s.p[at - 1] == ')') {
    size_t open = at - 1;
    while (open > 0 && s.p[open] != '(') open--;
    if (s.p[open] != '(' || !is_letters((fl_str){s.p + open + 1, at - open - 2})) return line.n;
    at = open;
  }
  if (at == s.n || at < 2 || s.p[at - 1] != ':') return line.n;
  return (size_t)(s.p - line.p) + at - 1;
}

/* A drive or a share in front. */
static bool is_path(fl_str s) {
  if (s.n > 3 && s.p[1] == ':' && (s.p[2] == '\\' || s.p[2] == ' ')) return true;
  return s.n > 3 && s.p[0] == '\\' && s.p[1] == '\\';
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  return text_indent(line) == 0 && is_path(line) && find_rights(line) < line.n;
}

static bool ends_with(fl_str s, const char *end) {
  const size_t n = strlen(end);
  return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

/* Computers, domains and built-in authorities are upper case; a folder of a path seldom is. */
static bool is_authority(fl_str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '.' || s.p[i] == ':') return false;
  return s.n > 0;
}

static size_t last_of(fl_str s, char c) {
  size_t at = s.n;
  while (at > 0 && s.p[at - 1] != c) at--;
  return at;
}

/* Where the account begins when no second line tells: AUTHORITY\NAME, a known name of two words, or
 * the last word. Authorities and names may have blanks. */
static size_t account_start(fl_str s) {
  static const char *const authorities[] = {
      "NT AUTHORITY\\", "NT SERVICE\\",        "APPLICATION PACKAGE AUTHORITY\\",
      "AUTORITE NT\\",  "AUTORITA NT\\",       "SERVICE NT\\",
      "NT YETKİLİSİ\\", "NT VIRTUAL MACHINE\\"};
  static const char *const names[] = {"CREATOR OWNER", "CREATOR GROUP", "OWNER RIGHTS"};
  const size_t name = last_of(s, '\\');
  for (size_t i = 0; i < sizeof authorities / sizeof authorities[0]; i++)
    if (ends_with((fl_str){s.p, name}, authorities[i])) return name - strlen(authorities[i]);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (ends_with(s, names[i])) return s.n - strlen(names[i]);
  const size_t word = last_of(s, ' ');
  const size_t start = name > 0 ? last_of((fl_str){s.p, name}, ' ') : 0;
  if (name > word) return word;
  return start > 0 && is_authority((fl_str){s.p + start, name - 1 - start}) ? start : word;
}

static fl_status give(text_reader *r, const icacls *s, const text_place *place, fl_str ace,
                      fl_err *err) {
  const size_t at = find_rights(ace);
  if (at >= ace.n) return FL_OK;
  text_fact_at(r, FL_STATE_ACL, place);
  fl_fact_text(&r->fact, "path", text_kept_str(&s->path));
  fl_fact_text(&r->fact, "account", text_trim((fl_str){ace.p, at}));
  fl_fact_text(&r->fact, "rights", text_trim((fl_str){ace.p + at + 1, ace.n - at - 1}));
  return fl_fact_add(&r->fact, err);
}

/* The first line of a path, once it is known how far in the second one stands. */
static fl_status give_first(text_reader *r, icacls *s, size_t indent, fl_err *err) {
  if (!s->has_first) return FL_OK;
  s->has_first = false;
  const fl_str line = text_kept_str(&s->first);
  const size_t rights = find_rights(line);
  size_t at = indent;
  if (at == 0 || at >= rights || line.p[at - 1] != ' ')
    at = account_start((fl_str){line.p, rights < line.n ? rights : line.n});
  text_keep(&s->path, text_trim((fl_str){line.p, at}));
  return give(r, s, &s->place, text_trim((fl_str){line.p + at, line.n - at}), err);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  icacls *s = r->state;
  const fl_str line = r->line.text;
  *ret_answer = TEXT_IS_MINE;
  if (begins(line, (fl_str){0})) {
    FL_TRY(give_first(r, s, 0, err));
    s->has_first = true;
    s->place = text_here(r);
    text_keep(&s->first, line);
    return FL_OK;
  }
  const size_t indent = text_indent(line);
  if (indent > 1 && find_rights(line) < line.n && (s->has_first || s->path.n)) {
    FL_TRY(give_first(r, s, indent, err));
    const text_place here = text_here(r);
    return give(r, s, &here, text_trim(line), err);
  }
  FL_TRY(give_first(r, s, 0, err));
  *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give_first(r, r->state, 0, err); }

const text_tool text_tool_icacls = {"icacls", sizeof(icacls), begins, take, finish};
