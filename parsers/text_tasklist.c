/* text_tasklist.c - tasklist, tasklist /svc, tasklist /v: processes and the services in them.
 *
 * Headings are localised; the rule of '=' below them shows where columns begin:
 *   name 25, pid 8, services          /svc, whose lists go on in lines of their own
 *   name 25, pid 8, session, number, memory [status, user, time, title] */
#include "base/text.h"
#include "parsers/text.h"

enum { COLUMNS_MAX = 12, NAME_LEAST = 20, PID_MOST = 10, COLUMN_USER = 6 };

typedef struct tasklist {
  size_t n_columns;
  size_t at[COLUMNS_MAX], width[COLUMNS_MAX];
  bool has_row;
  text_kept process, services, user;
  text_kept none; /* what stands for no services: that of the idle process */
  uint64_t pid, session_id, memory;
  bool has_session, has_memory;
  text_place place;
} tasklist;

/* Groups of '=' with one blank between them. */
static size_t read_rule(fl_str line, size_t at[COLUMNS_MAX], size_t width[COLUMNS_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < line.n && n < COLUMNS_MAX;) {
    size_t length = 0;
    while (i + length < line.n && line.p[i + length] == '=') length++;
    if (length == 0) return 0;
    at[n] = i;
    width[n++] = length;
    i += length;
    if (i < line.n && line.p[i] != ' ') return 0;
    if (i < line.n) i++;
  }
  const bool is_tasklist =
      n >= 3 && width[0] >= NAME_LEAST && width[1] >= 5 && width[1] <= PID_MOST;
  return is_tasklist ? n : 0;
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  size_t at[COLUMNS_MAX], width[COLUMNS_MAX];
  return line.n > NAME_LEAST && line.p[0] == '=' && read_rule(line, at, width) > 0;
}

/* Where a column of characters begins in bytes; wide ones of East Asia take two. */
static size_t byte_of(fl_str line, size_t column) {
  size_t pos = 0, n = 0;
  while (pos < line.n && n < column) {
    const uint32_t c = fl_utf8_next(line, &pos);
    n += c >= 0x2e80 && c < 0xff60 ? 2 : 1;
  }
  return pos;
}

static fl_str column_of(const tasklist *s, fl_str line, size_t column) {
  if (column >= s->n_columns) return (fl_str){0};
  const size_t start = byte_of(line, s->at[column]);
  const bool is_last = column + 1 == s->n_columns;
  const size_t end = is_last ? line.n : byte_of(line, s->at[column + 1]);
  return text_trim((fl_str){line.p + start, end - start});
}

/* "12,345 K", "12 345 Ko", "12.345 K": digits alone, in KiB. */
static bool read_memory(fl_str s, uint64_t *ret_kib) {
  uint64_t n = 0;
  size_t n_digits = 0;
  for (size_t i = 0; i < s.n && n_digits < 18; i++) {
    if (!fl_is_digit(s.p[i])) continue;
    n = n * 10 + (uint64_t)(s.p[i] - '0');
    n_digits++;
  }
  *ret_kib = n;
  return n_digits > 0;
}

static fl_status give(text_reader *r, tasklist *s, fl_err *err) {
  if (!s->has_row) return FL_OK;
  s->has_row = false;
  text_fact_at(r, FL_STATE_PROCESS, &s->place);
  fl_fact_text(&r->fact, "process", text_kept_str(&s->process));
  fl_fact_number(&r->fact, "pid", s->pid);
  if (s->has_session) fl_fact_number(&r->fact, "session_id", s->session_id);
  fl_fact_text(&r->fact, "services", text_kept_str(&s->services));
  fl_fact_text(&r->fact, "user", text_kept_str(&s->user));
  if (s->has_memory) fl_fact_number(&r->fact, "memory_kib", s->memory);
  return fl_fact_add(&r->fact, err);
}

/* Service keys; what stands there for none differs from language to language. */
static void keep_services(tasklist *s, fl_str list) {
  const bool is_kernel = s->pid == 0 || s->pid == 4;
  if (is_kernel && list.n) text_keep(&s->none, list);
  if (is_kernel || fl_str_eq(list, text_kept_str(&s->none))) return;
  if (memchr(list.p, '/', list.n) || (list.n && (unsigned char)list.p[0] >= 0x80)) return;
  if (!memchr(list.p, ',', list.n) && memchr(list.p, ' ', list.n)) return;
  text_keep(&s->services, list);
}

static bool take_row(text_reader *r, tasklist *s) {
  const fl_str line = r->line.text;
  uint64_t pid = 0;
  const fl_str name = column_of(s, line, 0);
  if (name.n == 0 || !text_is_number(column_of(s, line, 1), UINT32_MAX, &pid)) return false;
  s->has_row = true;
  s->place = text_here(r);
  s->pid = pid;
  s->services.n = s->user.n = 0;
  s->has_session = s->has_memory = false;
  text_keep(&s->process, name);
  if (s->n_columns == 3) {
    const fl_str list = column_of(s, line, 2);
    if (list.n) keep_services(s, list);
    return true;
  }
  s->has_session = text_is_number(column_of(s, line, 3), UINT32_MAX, &s->session_id);
  s->has_memory = read_memory(column_of(s, line, 4), &s->memory);
  const fl_str user = column_of(s, line, COLUMN_USER);
  if (user.n && memchr(user.p, '\\', user.n)) text_keep(&s->user, user);
  return true;
}

/* A list of services that goes on below its row. */
static bool take_more(text_reader *r, tasklist *s) {
  const fl_str more = text_trim(r->line.text);
  if (!s->has_row || s->n_columns != 3 || more.n == 0) return false;
  if (text_indent(r->line.text) < s->at[2]) return false;
  if (s->services.n && s->services.n + more.n + 1 < TEXT_KEPT_MAX) {
    if (s->services.p[s->services.n - 1] != ' ') s->services.p[s->services.n++] = ' ';
    memcpy(s->services.p + s->services.n, more.p, more.n);
    s->services.n += more.n;
  }
  return true;
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  tasklist *s = r->state;
  *ret_answer = TEXT_IS_MINE;
  if (s->n_columns == 0) {
    s->n_columns = read_rule(r->line.text, s->at, s->width);
    return FL_OK;
  }
  if (take_more(r, s)) return FL_OK;
  FL_TRY(give(r, s, err));
  if (take_row(r, s)) return FL_OK;
  *ret_answer = text_trim(r->line.text).n ? TEXT_IS_NOT_MINE : TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give(r, r->state, err); }

const text_tool text_tool_tasklist = {"tasklist", sizeof(tasklist), begins, take, finish};
