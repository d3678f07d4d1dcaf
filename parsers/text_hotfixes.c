/* text_hotfixes.c - Get-HotFix and wmic qfe, as table or list: installed updates.
 *
 * Names of properties are the same in every language. A row is a line with an update's number; its
 * machine is the first word where the heading says so. */
#include "base/text.h"
#include "parsers/text.h"

typedef struct hotfixes {
  bool has_source;
  size_t name_at; /* column of CSName, 0: none */
  text_kept kb, date;
  text_place place;
} hotfixes;

static bool is_update(fl_str word) {
  if (word.n < 7 || word.n > 10 || !text_starts(word, "KB")) return false;
  for (size_t i = 2; i < word.n; i++)
    if (!fl_is_digit(word.p[i])) return false;
  return true;
}

static bool find_word(fl_str line, const char *name, size_t *ret_at) {
  fl_str rest = line, word;
  while (text_word(&rest, &word)) {
    if (!fl_str_eq_nocase(word, fl_str_of(name))) continue;
    *ret_at = (size_t)(word.p - line.p);
    return true;
  }
  return false;
}

/* The names of properties in a row; wmic may have been asked for this one alone. */
static bool is_heading(fl_str line) {
  size_t at = 0;
  if (!find_word(line, "HotFixID", &at)) return false;
  return text_trim(line).n == 8 || find_word(line, "InstalledOn", &at) ||
         find_word(line, "InstalledBy", &at) || find_word(line, "Description", &at);
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  fl_str label, value;
  if (text_pair(line, ':', &label, &value) || text_pair(line, '=', &label, &value))
    return fl_str_eq_nocase(label, FL_STR("HotFixID")) && is_update(value);
  if (text_starts(line, "HotFixID=")) return is_update(text_trim((fl_str){line.p + 9, line.n - 9}));
  return is_heading(line);
}

static fl_status give(text_reader *r, hotfixes *s, fl_err *err) {
  if (!s->kb.n) return FL_OK;
  text_fact_at(r, FL_STATE_UPDATE, &s->place);
  fl_fact_text(&r->fact, "kb", text_kept_str(&s->kb));
  text_fact_date(r, "installed_on", text_kept_str(&s->date));
  s->kb.n = s->date.n = 0;
  return fl_fact_add(&r->fact, err);
}

/* HotFixID : KB…, InstalledOn : …; wmic writes them with '='. */
static bool take_property(text_reader *r, hotfixes *s, fl_err *err, fl_status *ret_status) {
  fl_str label, value;
  const fl_str line = r->line.text;
  const char *sign = line.n ? memchr(line.p, '=', line.n) : NULL;
  if (sign && sign > line.p && (size_t)(sign - line.p) < 24) {
    label = text_trim((fl_str){line.p, (size_t)(sign - line.p)});
    value = text_trim((fl_str){sign + 1, (size_t)(line.p + line.n - sign) - 1});
  } else if (!text_pair(line, ':', &label, &value)) {
    return false;
  }
  if (memchr(label.p, ' ', label.n)) return false;
  if (fl_str_eq_nocase(label, FL_STR("HotFixID")) && is_update(value)) {
    *ret_status = give(r, s, err);
    s->place = text_here(r);
    text_keep(&s->kb, value);
  } else if (fl_str_eq_nocase(label, FL_STR("InstalledOn"))) {
    text_keep(&s->date, value);
  } else {
    return s->kb.n > 0; /* another property of an update */
  }
  return true;
}

static void set_host(text_reader *r, fl_str name) {
  if (name.n == 0 || name.n > 63 || fl_str_eq(r->fact.collected.host, name)) return;
  const fl_str copy = fl_arena_str(r->job->arena, name);
  if (copy.p) r->fact.collected.host = copy;
}

static bool take_row(text_reader *r, hotfixes *s) {
  fl_str rest = r->line.text, word, first = {0};
  for (size_t i = 0; text_word(&rest, &word); i++) {
    if (i == 0) first = word;
    if (!is_update(word)) continue;
    s->place = text_here(r);
    text_keep(&s->kb, word);
    text_keep(&s->date, rest);
    if (s->has_source && i > 0) set_host(r, first);
    if (s->name_at && s->name_at < r->line.text.n) {
      rest = (fl_str){r->line.text.p + s->name_at, r->line.text.n - s->name_at};
      if (text_word(&rest, &word)) set_host(r, word);
    }
    return true;
  }
  return false;
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  hotfixes *s = r->state;
  const fl_str line = r->line.text;
  fl_status status = FL_OK;
  size_t at = 0;
  *ret_answer = TEXT_IS_MINE;
  if (is_heading(line)) {
    s->has_source = find_word(line, "Source", &at);
    s->name_at = find_word(line, "CSName", &at) ? at : 0;
    return FL_OK;
  }
  if (take_property(r, s, err, &status)) return status;
  FL_TRY(give(r, s, err));
  if (take_row(r, s)) return give(r, s, err);
  *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give(r, r->state, err); }

const text_tool text_tool_hotfixes = {"hotfixes", sizeof(hotfixes), begins, take, finish};
