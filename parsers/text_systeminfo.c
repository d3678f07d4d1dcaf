/* text_systeminfo.c - systeminfo: name, build, boot, domain, time zone, updates, addresses.
 *
 * Lines are "Label:      value", in a fixed order and in any language. The version names its build
 * twice ("10.0.20348 N/A Build 20348"): there it begins, two lines behind the machine's name. Of
 * two dates in a row the second is the boot; the domain stands in front of the logon server ("\\").
 */
#include "base/text.h"
#include "parsers/text.h"

typedef struct systeminfo {
  bool is_begun, was_date, has_boot, is_given;
  bool is_over; /* it has no blank lines in it */
  text_kept name, system, version, build, boot, domain, timezone, last;
  text_place place;
} systeminfo;

/* "Label:   value", a label without leaders; wide colons occur. */
static bool split_line(fl_str line, fl_str *ret_label, fl_str *ret_value) {
  if (text_indent(line) > 0 || !text_pair(line, ':', ret_label, ret_value)) return false;
  return ret_label->n < 80 && (ret_label->p[0] != '[');
}

/* MAJOR.MINOR.BUILD words BUILD */
static bool read_version(fl_str value, fl_str *ret_version, fl_str *ret_build) {
  fl_str rest = value, word;
  if (!text_word(&rest, &word)) return false;
  size_t n_dots = 0, last_dot = 0;
  for (size_t i = 0; i < word.n; i++) {
    if (word.p[i] == '.') n_dots++, last_dot = i + 1;
    else if (!fl_is_digit(word.p[i])) return false;
  }
  if (n_dots != 2 || word.n - last_dot < 4) return false;
  const fl_str build = {word.p + last_dot, word.n - last_dot};
  size_t at = value.n;
  while (at > 0 && fl_is_digit(value.p[at - 1])) at--;
  if (!fl_str_eq(build, (fl_str){value.p + at, value.n - at}) || at <= word.n) return false;
  *ret_version = word;
  *ret_build = build;
  return true;
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  fl_str label, value, version, build;
  return split_line(line, &label, &value) && read_version(value, &version, &build);
}

/* The value of one of the lines in front. */
static fl_str value_before(const text_reader *r, size_t i) {
  fl_str label, value = {0};
  if (!split_line(text_kept_str(&r->before[i]), &label, &value)) return (fl_str){0};
  return value;
}

static void begin(text_reader *r, systeminfo *s, fl_str version, fl_str build) {
  s->is_begun = true;
  s->place = text_here(r);
  text_keep(&s->version, version);
  text_keep(&s->build, build);
  text_keep(&s->system, value_before(r, 0));
  text_keep(&s->name, value_before(r, 1));
  if (s->name.n == 0 || memchr(s->name.p, ' ', s->name.n)) return;
  r->fact.collected.host = fl_arena_str(r->job->arena, text_kept_str(&s->name));
  if (!r->fact.collected.host.p) r->fact.collected.host.n = 0;
}

static void take_value(systeminfo *s, fl_str value) {
  fl_time t;
  bool is_sure;
  const bool is_date = text_date(TEXT_ORDER_UNKNOWN, value, &t, &is_sure) &&
                       fl_is_digit(value.p[0]) && memchr(value.p, ':', value.n);
  if (is_date && s->was_date && !s->has_boot) {
    text_keep(&s->boot, value);
    s->has_boot = true;
  }
  s->was_date = is_date;
  if (text_starts(value, "(UTC") || text_starts(value, "(GMT")) text_keep(&s->timezone, value);
  if (value.n > 2 && value.p[0] == '\\' && value.p[1] == '\\' && !s->domain.n) s->domain = s->last;
  text_keep(&s->last, value);
}

static fl_status give(text_reader *r, systeminfo *s, fl_err *err) {
  if (!s->is_begun || s->is_given) return FL_OK;
  s->is_given = true;
  text_fact_at(r, FL_STATE_SYSTEM, &s->place);
  fl_fact_text(&r->fact, "name", text_kept_str(&s->name));
  fl_fact_text(&r->fact, "os_name", text_kept_str(&s->system));
  fl_fact_text(&r->fact, "os_version", text_kept_str(&s->version));
  fl_fact_text(&r->fact, "os_build", text_kept_str(&s->build));
  if (s->has_boot) text_fact_date(r, "boot_time", text_kept_str(&s->boot));
  fl_fact_text(&r->fact, "domain", text_kept_str(&s->domain));
  fl_fact_text(&r->fact, "timezone", text_kept_str(&s->timezone));
  return fl_fact_add(&r->fact, err);
}

/* "[01]: KB5031356", "[01]: 10.0.0.5" */
static fl_status take_item(text_reader *r, systeminfo *s, fl_str text, fl_err *err) {
  fl_str label, value, address;
  if (!text_pair(text, ':', &label, &value) || label.p[label.n - 1] != ']') return FL_OK;
  const bool is_address = text_address(value, &address) && address.n == value.n;
  if (!is_address && !text_starts(value, "KB")) return FL_OK;
  FL_TRY(give(r, s, err)); /* the machine first: all of it stands above */
  if (!is_address) {
    text_fact(r, FL_STATE_UPDATE);
    fl_fact_text(&r->fact, "kb", value);
    return fl_fact_add(&r->fact, err);
  }
  text_fact(r, FL_STATE_ADDRESS);
  fl_fact_text(&r->fact, "address", value);
  return fl_fact_add(&r->fact, err);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  systeminfo *s = r->state;
  fl_str label, value, version, build;
  const fl_str line = r->line.text, text = text_trim(line);
  *ret_answer = TEXT_IS_MINE;
  if (s->is_over && text.n) {
    *ret_answer = TEXT_IS_NOT_MINE;
    return FL_OK;
  }
  s->is_over = text.n == 0;
  if (split_line(line, &label, &value)) {
    const bool is_version = read_version(value, &version, &build);
    if (is_version && s->is_begun) FL_TRY(give(r, s, err));
    if (is_version && s->is_begun) memset(s, 0, sizeof *s);
    if (is_version) begin(r, s, version, build);
    else take_value(s, value);
    return FL_OK;
  }
  if (text.n && text_indent(line) > 8) {
    if (text.p[0] == '[') return take_item(r, s, text, err);
    return FL_OK;
  }
  *ret_answer = text.n ? TEXT_IS_NOT_MINE : TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give(r, r->state, err); }

const text_tool text_tool_systeminfo = {"systeminfo", sizeof(systeminfo), begins, take, finish};
