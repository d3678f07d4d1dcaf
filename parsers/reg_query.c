/* reg_query.c - what `reg query` prints, in any language: a key alone on its line, then values as
 * name, type and data, each behind four blanks (XP: a tab). Data stay in the words of the tool:
 * 0x1, 00FF, strings with \0 between them. The default value is called by a word in parentheses,
 * which is how it is told: (Default), (Standard), (par défaut). */
#include "base/limits.h"
#include "base/text.h"
#include "parsers/reg_text.h"

static fl_str from(fl_str s, size_t at) {
  return at < s.n ? (fl_str){s.p + at, s.n - at} : (fl_str){0};
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static fl_str trim(fl_str s) {
  while (s.n && is_blank(s.p[0])) s = from(s, 1);
  while (s.n && is_blank(s.p[s.n - 1])) s.n--;
  return s;
}

static size_t count_blanks(fl_str s, size_t at) {
  size_t n = 0;
  while (at + n < s.n && is_blank(s.p[at + n])) n++;
  return n;
}

/* Whether blanks part two columns: four, or a tab. */
static bool is_gap(fl_str s, size_t at) {
  return at < s.n && (s.p[at] == '\t' || count_blanks(s, at) >= 4);
}

typedef struct columns {
  fl_str name, data;
  reg_type type;
} columns;

/* The first word REG_… that stands alone between gaps is the type. */
static bool find_columns(fl_str line, columns *ret) {
  if (!is_gap(line, 0)) return false;
  const size_t start = count_blanks(line, 0);
  for (size_t at = start; at < line.n;) {
    const size_t n_gap = is_gap(line, at) ? count_blanks(line, at) : 0;
    if (n_gap == 0) {
      at++;
      continue;
    }
    size_t end = at + n_gap;
    while (end < line.n && !is_blank(line.p[end])) end++;
    const reg_type type = reg_type_find((fl_str){line.p + at + n_gap, end - at - n_gap});
    if (type != REG_N_TYPES && (end == line.n || is_blank(line.p[end]))) {
      *ret = (columns){{line.p + start, at - start}, trim(from(line, end)), type};
      return ret->name.n != 0;
    }
    at += n_gap;
  }
  return false;
}

bool reg_query_is_value(fl_str line) {
  columns c;
  return find_columns(line, &c);
}

static bool is_in_parentheses(fl_str s) { return s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')'; }

/* "a\0b" and, at its end, "\0" or "\0\0" */
static void put_strings(reg_text *t, fl_str s) {
  while (s.n) {
    const char *end = memmem(s.p, s.n, "\\0", 2);
    const size_t n = end ? (size_t)(end - s.p) : s.n;
    reg_text_bytes(t, s.p, n);
    reg_text_bytes(t, "", 1);
    s = from(s, end ? n + 2 : n);
  }
}

/* false: it does not look like data of its type, and is kept as text. */
static bool put_data(reg_text *t, const columns *c) {
  uint64_t number = 0;
  const bool is_hex = c->data.n > 2 && c->data.p[0] == '0' && fl_lower(c->data.p[1]) == 'x';
  switch (c->type) {
    case REG_DWORD:
    case REG_QWORD:
      if (!reg_text_number(from(c->data, is_hex ? 2 : 0), is_hex ? 16 : 10, &number)) return false;
      reg_text_bytes(t, &number, c->type == REG_DWORD ? 4 : 8);
      return c->type == REG_QWORD || number <= UINT32_MAX;
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_LINK:
      t->now.is_utf8 = true;
      reg_text_bytes(t, c->data.p, c->data.n);
      return true;
    case REG_MULTI_SZ:
      t->now.is_utf8 = true;
      put_strings(t, c->data);
      return true;
    default:
      reg_text_hex(t, c->data);
      return true;
  }
}

/* A default value that was never set has words in parentheses instead of data. */
static bool is_unset(const columns *c) {
  return c->type == REG_SZ && is_in_parentheses(c->name) && is_in_parentheses(c->data);
}

fl_status reg_query_line(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err) {
  columns c;
  *ret_is_taken = false;
  if (line->text.n && line->text.p[0] == 'H' && reg_text_is_key(line->text)) {
    *ret_is_taken = reg_text_key(t, trim(line->text));
    return FL_OK;
  }
  if (!find_columns(line->text, &c) || t->now.key.n == 0) return FL_OK;
  *ret_is_taken = true;
  if (is_unset(&c)) return FL_OK;
  reg_text_begin(t, line, is_in_parentheses(c.name) ? FL_STR("") : c.name);
  t->now.type = c.type;
  if (put_data(t, &c)) return reg_text_add(t, err);
  t->n_unread++;
  *ret_is_taken = false;
  return FL_OK;
}
