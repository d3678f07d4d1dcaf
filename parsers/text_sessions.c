/* text_sessions.c - qwinsta, query session, query user: the sessions of a host.
 *
 *   [>]SESSION USER ID STATE [TYPE DEVICE], or [>]USER SESSION ID STATE IDLE LOGON. Headings and
 * states are localised; the session's name or the user may be missing. The number is the first word
 * that is one and has a state behind it. */
#include "base/text.h"
#include "parsers/text.h"

enum { ID_LISTENER = 65536, WORDS_MAX = 16, SECOND_COLUMN = 12 };

typedef struct row {
  fl_str session, user;
  uint64_t id;
  fl_str state;
} row;

static bool is_session_name(fl_str s) {
  return fl_str_eq_nocase(s, FL_STR("console")) || fl_str_eq_nocase(s, FL_STR("services")) ||
         text_starts(s, "rdp-") || text_starts(s, "ica-") || text_starts(s, "31c5ce94259d4006");
}

/* The words in front of the number: a session, a user, or both in either order. Users may have
 * blanks in their names. */
static void read_names(fl_str names, bool is_indented, row *ret) {
  fl_str rest = names, first;
  if (!text_word(&rest, &first)) return;
  rest = text_trim(rest);
  if (!is_indented && is_session_name(first)) {
    ret->session = first;
    ret->user = rest;
    return;
  }
  size_t at = names.n;
  while (at > 0 && names.p[at - 1] != ' ') at--;
  const fl_str last = {names.p + at, names.n - at};
  if (at > 0 && is_session_name(last)) {
    ret->session = last;
    ret->user = text_trim((fl_str){names.p, at});
  } else {
    ret->user = names;
  }
}

/* A session that is down has neither name nor user: the number comes first, far to the right. */
static bool is_nameless(fl_str line, fl_str behind) {
  return text_indent(line) >= SECOND_COLUMN && text_session_state(behind) != NULL;
}

static bool read_row(fl_str line, row *ret) {
  fl_str text = line, word;
  *ret = (row){0};
  if (text.n < 4 || (text.p[0] != ' ' && text.p[0] != '>')) return false;
  text = (fl_str){text.p + 1, text.n - 1};
  fl_str rest = text;
  for (size_t i = 0; i < WORDS_MAX && text_word(&rest, &word); i++) {
    if (!text_is_number(word, UINT32_MAX, &ret->id)) continue;
    const fl_str behind = text_trim(rest);
    if (word.p == text_trim(text).p && !is_nameless(text, behind)) continue;
    if (behind.n == 0 && ret->id != ID_LISTENER && !fl_str_eq(word, FL_STR("0"))) return false;
    ret->state = behind;
    const fl_str names = text_trim((fl_str){text.p, (size_t)(word.p - text.p)});
    read_names(names, text_indent(text) >= SECOND_COLUMN, ret);
    return true;
  }
  return false;
}

static bool is_date_behind(fl_str state) {
  fl_time t;
  bool is_sure;
  return text_date(TEXT_ORDER_UNKNOWN, state, &t, &is_sure);
}

/* A row that cannot be anything else: a state that is known, with a session's name or the date of
 * the logon. */
static bool begins(fl_str line, fl_str before) {
  (void)before;
  row found;
  if (!read_row(line, &found)) return false;
  const bool is_known = text_session_state(found.state) != NULL;
  if (found.session.n == 0) return is_known && is_date_behind(found.state);
  return is_known || found.id == ID_LISTENER;
}

static fl_status give(text_reader *r, const row *found, fl_err *err) {
  fl_str rest = found->state, word = {0};
  const char *state = text_session_state(found->state);
  (void)text_word(&rest, &word);
  if (!state && found->id == ID_LISTENER) state = "listening";
  text_fact(r, FL_STATE_SESSION);
  fl_fact_text(&r->fact, "session_name", found->session);
  fl_fact_text(&r->fact, "user", found->user);
  fl_fact_number(&r->fact, "session_id", found->id);
  if (state) fl_fact_words(&r->fact, "session_state", state);
  fl_fact_text(&r->fact, "state_text", word);
  return fl_fact_add(&r->fact, err);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  row found;
  *ret_answer = TEXT_IS_MINE;
  if (read_row(r->line.text, &found) &&
      (found.session.n || text_session_state(found.state) || is_date_behind(found.state)))
    return give(r, &found, err);
  *ret_answer = text_trim(r->line.text).n ? TEXT_IS_NOT_MINE : TEXT_IS_FILLER;
  return FL_OK;
}

const text_tool text_tool_sessions = {"sessions", 0, begins, take, NULL};
