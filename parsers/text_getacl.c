/* text_getacl.c - Get-Acl | Select-Object -ExpandProperty Access: who may do what, as a list.
 *
 * Names of properties and rights are the same in every language; names of accounts are not. The
 * path is not part of it: collectors name the file after it, or write the command in front. Several
 * outputs may stand in one file; three blank lines are between them. */
#include "base/text.h"
#include "parsers/text.h"

enum { BLANKS_BETWEEN = 3 };

typedef struct getacl {
  bool is_open;
  unsigned part, n_blank;
  text_kept path, rights, type, account, inherited;
  text_place place;
} getacl;

static bool is_property(fl_str label) {
  static const char *const names[] = {"FileSystemRights", "RegistryRights"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (fl_str_eq(label, fl_str_of(names[i]))) return true;
  return false;
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  fl_str label, value;
  return text_pair(line, ':', &label, &value) && is_property(label) && value.n > 0;
}

/* Get-Acl -Path 'PATH' in front, or …ACL-PATH.txt. */
static void read_path(const text_reader *r, getacl *s) {
  const fl_str margin = text_kept_str(&r->margin);
  const char *quote = text_has(margin, "Get-Acl") ? memchr(margin.p, '\'', margin.n) : NULL;
  if (quote) {
    const fl_str rest = {quote + 1, (size_t)(margin.p + margin.n - quote) - 1};
    const char *end = rest.n ? memchr(rest.p, '\'', rest.n) : NULL;
    if (end) text_keep(&s->path, (fl_str){rest.p, (size_t)(end - rest.p)});
    return;
  }
  const fl_str name = r->job->name;
  for (size_t i = name.n; i >= 4; i--) {
    if (name.p[i - 1] == '/') return;
    if (memcmp(name.p + i - 4, "ACL-", 4) != 0) continue;
    size_t end = name.n;
    while (end > i && name.p[end - 1] != '.') end--;
    text_keep(&s->path, (fl_str){name.p + i, (end > i ? end - 1 : name.n) - i});
    return;
  }
}

static fl_status give(text_reader *r, getacl *s, fl_err *err) {
  if (!s->is_open) return FL_OK;
  s->is_open = false;
  text_fact_at(r, FL_STATE_ACL, &s->place);
  fl_fact_text(&r->fact, "path", text_kept_str(&s->path));
  fl_fact_text(&r->fact, "account", text_kept_str(&s->account));
  fl_fact_text(&r->fact, "rights", text_kept_str(&s->rights));
  fl_fact_text(&r->fact, "access", text_kept_str(&s->type));
  const fl_str inherited = text_kept_str(&s->inherited);
  if (inherited.n) fl_fact_bool(&r->fact, "is_inherited", fl_str_eq(inherited, FL_STR("True")));
  fl_fact_number(&r->fact, "part", s->part);
  return fl_fact_add(&r->fact, err);
}

static fl_status begin(text_reader *r, getacl *s, fl_str rights, fl_err *err) {
  FL_TRY(give(r, s, err));
  if (s->part == 0 || s->n_blank >= BLANKS_BETWEEN) s->part++;
  s->is_open = true;
  s->place = text_here(r);
  s->type.n = s->account.n = s->inherited.n = s->path.n = 0;
  text_keep(&s->rights, rights);
  read_path(r, s);
  return FL_OK;
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  getacl *s = r->state;
  const fl_str line = r->line.text;
  fl_str label = {0}, value = {0};
  fl_status status = FL_OK;
  *ret_answer = TEXT_IS_MINE;
  if (text_trim(line).n == 0) {
    s->n_blank++;
    *ret_answer = TEXT_IS_FILLER;
    return FL_OK;
  }
  const bool is_pair = text_pair(line, ':', &label, &value) && text_indent(line) == 0;
  if (is_pair && is_property(label)) status = begin(r, s, value, err);
  else if (is_pair && fl_str_eq(label, FL_STR("AccessControlType"))) text_keep(&s->type, value);
  else if (is_pair && fl_str_eq(label, FL_STR("IdentityReference"))) text_keep(&s->account, value);
  else if (is_pair && fl_str_eq(label, FL_STR("IsInherited"))) text_keep(&s->inherited, value);
  else if (!is_pair || !text_has(label, "Flags")) *ret_answer = TEXT_IS_FILLER;
  s->n_blank = 0;
  return status;
}

static fl_status finish(text_reader *r, fl_err *err) { return give(r, r->state, err); }

const text_tool text_tool_getacl = {"getacl", sizeof(getacl), begins, take, finish};
