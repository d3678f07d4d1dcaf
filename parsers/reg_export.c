/* reg_export.c - registry exports: regedit and `reg export`, version 5 and REGEDIT4.
 *
 * [key] · [-key] · "name"=value · @=value · "name"=- where a value is "text", dword:hex,
 * hex:bytes, hex(type):bytes, str(type):"text"; bytes go on behind a backslash at a line's end, a
 * text until its closing quote. ; begins a comment. */
#include "base/limits.h"
#include "base/text.h"
#include "parsers/reg_text.h"

static fl_str from(fl_str s, size_t at) {
  return at < s.n ? (fl_str){s.p + at, s.n - at} : (fl_str){0};
}

static fl_str trim(fl_str s) {
  while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = from(s, 1);
  while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
  return s;
}

static bool starts_with(fl_str s, const char *start) {
  const size_t n = strlen(start);
  return s.n >= n && memcmp(s.p, start, n) == 0;
}

bool reg_export_is_header(fl_str line) {
  line = trim(line);
  return starts_with(line, "Windows Registry Editor Version ") ||
         fl_str_eq(line, FL_STR("REGEDIT4"));
}

/* ---- texts in quotes ---- */

/* Up to the closing quote; \\ and \" are escapes. Returns how many bytes were taken, the quote
 * included; *ret_is_closed: there was one. */
static size_t take_quoted(fl_str s, char *ret_text, size_t *ret_n, bool *ret_is_closed) {
  size_t n = 0, i = 0;
  for (; i < s.n && s.p[i] != '"'; i++) {
    const bool is_escape = s.p[i] == '\\' && i + 1 < s.n;
    if (is_escape) i++;
    ret_text[n++] = s.p[i];
  }
  *ret_n = n;
  *ret_is_closed = i < s.n;
  return i + *ret_is_closed;
}

/* A value's text; what is not closed on its line goes on in the next. */
static fl_status take_text(reg_text *t, fl_str s, fl_err *err) {
  bool is_closed = false;
  t->now.is_utf8 = true;
  for (uint64_t n_lines = 0;; n_lines++) {
    size_t n = 0;
    (void)take_quoted(s, t->text_room, &n, &is_closed);
    reg_text_bytes(t, t->text_room, n);
    if (is_closed || n_lines == FL_LIMIT_REG_LINES) break;
    fl_line line;
    fl_lines_use(&t->lines);
    const fl_status status = fl_lines_next(&t->lines, &line, err);
    if (status < FL_OK) return status;
    if (status == FL_END) break;
    if (line.text.n && line.text.p[0] == '[') { /* a key: the quote was forgotten */
      fl_lines_again(&t->lines);
      break;
    }
    reg_text_extend(t, &line);
    reg_text_bytes(t, "\n", 1);
    s = line.text;
  }
  t->now.is_cut |= !is_closed;
  return reg_text_add(t, err);
}

/* ---- bytes ---- */

/* In REGEDIT4, strings are bytes of the machine's code page. */
static void convert_ansi(reg_text *t) {
  reg_value *v = &t->now;
  const bool is_string = v->type == REG_SZ || v->type == REG_EXPAND_SZ || v->type == REG_MULTI_SZ;
  char *text =
      t->is_ansi && is_string ? fl_arena_take(t->fact->rows->arena, v->n_data * 3 + 1) : NULL;
  if (!text) return;
  v->n_data = fl_codepage_to_utf8(&t->lines.page, v->data, v->n_data, text);
  v->data = (const uint8_t *)text;
  v->is_utf8 = true;
}

/* "01,00,\" and further lines */
static fl_status take_bytes(reg_text *t, fl_str s, fl_err *err) {
  for (;;) {
    s = trim(s);
    const bool goes_on = s.n && s.p[s.n - 1] == '\\';
    reg_text_hex(t, s);
    if (!goes_on) break;
    fl_line line;
    fl_lines_use(&t->lines);
    const fl_status status = fl_lines_next(&t->lines, &line, err);
    if (status < FL_OK) return status;
    if (status == FL_END) {
      t->now.is_cut = true;
      break;
    }
    s = trim(line.text);
    if (s.n && (s.p[0] == '[' || s.p[0] == '"' || s.p[0] == '@')) {
      t->now.is_cut = true;
      fl_lines_again(&t->lines);
      break;
    }
    reg_text_extend(t, &line);
  }
  convert_ansi(t);
  return reg_text_add(t, err);
}

/* "(7):…" or ":…" behind hex or str: the type in hexadecimal. false: neither. */
static bool take_type(fl_str *s, uint32_t *ret_type) {
  uint64_t number = 0;
  if (s->n && s->p[0] == '(') {
    const char *end = memchr(s->p, ')', s->n);
    const size_t n = end ? (size_t)(end - s->p) : 0;
    if (n < 2 || !reg_text_number((fl_str){s->p + 1, n - 1}, 16, &number) || number > UINT32_MAX)
      return false;
    *ret_type = (uint32_t)number;
    *s = from(*s, n + 1);
  }
  if (s->n == 0 || s->p[0] != ':') return false;
  *s = from(*s, 1);
  return true;
}

/* *ret_is_taken false: no value. */
static fl_status take_data(reg_text *t, fl_str s, bool *ret_is_taken, fl_err *err) {
  uint64_t number = 0;
  *ret_is_taken = true;
  if (fl_str_eq(s, FL_STR("-"))) {
    t->now.is_deleted = true;
    return reg_text_add(t, err);
  }
  if (starts_with(s, "\"")) {
    t->now.type = REG_SZ;
    return take_text(t, from(s, 1), err);
  }
  if (starts_with(s, "dword:") && reg_text_number(trim(from(s, 6)), 16, &number) &&
      number <= UINT32_MAX) {
    t->now.type = REG_DWORD;
    reg_text_bytes(t, &number, 4);
    return reg_text_add(t, err);
  }
  const bool is_hex = starts_with(s, "hex"), is_str = starts_with(s, "str");
  fl_str rest = from(s, 3);
  t->now.type = is_hex ? REG_BINARY : REG_SZ;
  *ret_is_taken =
      (is_hex || is_str) && take_type(&rest, &t->now.type) && (is_hex || starts_with(rest, "\""));
  if (!*ret_is_taken) return FL_OK;
  return is_hex ? take_bytes(t, rest, err) : take_text(t, from(rest, 1), err);
}

/* "name"= or @= */
static fl_status take_value(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err) {
  fl_str s = trim(line->text);
  size_t n_name = 0, taken = 1;
  bool is_closed = true;
  if (s.p[0] == '"') taken += take_quoted(from(s, 1), t->text_room, &n_name, &is_closed);
  s = trim(from(s, taken));
  *ret_is_taken = false;
  if (!is_closed || s.n == 0 || s.p[0] != '=' || t->now.key.n == 0) return FL_OK;
  reg_text_begin(t, line, (fl_str){t->text_room, n_name});
  return take_data(t, trim(from(s, 1)), ret_is_taken, err);
}

/* [key] or [-key] */
static fl_status take_key(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err) {
  const fl_str s = trim(line->text);
  const char *end = memrchr(s.p, ']', s.n);
  const bool is_deleted = s.n > 1 && s.p[1] == '-';
  const size_t start = is_deleted ? 2 : 1;
  *ret_is_taken = end && (size_t)(end - s.p) > start &&
                  reg_text_key(t, (fl_str){s.p + start, (size_t)(end - s.p) - start});
  if (!*ret_is_taken || !is_deleted) return FL_OK;
  reg_text_begin(t, line, FL_STR(""));
  t->now.is_deleted = true;
  return reg_text_add(t, err);
}

fl_status reg_export_line(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err) {
  const fl_str s = trim(line->text);
  *ret_is_taken = false;
  if (s.n == 0) return FL_OK;
  if (reg_export_is_header(s)) {
    t->is_ansi = s.p[0] == 'R';
    *ret_is_taken = true;
    return FL_OK;
  }
  if (s.p[0] == '[') return take_key(t, line, ret_is_taken, err);
  if (s.p[0] != '"' && s.p[0] != '@') return FL_OK;
  FL_TRY(take_value(t, line, ret_is_taken, err));
  t->n_unread += !*ret_is_taken;
  return FL_OK;
}
