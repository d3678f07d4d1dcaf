/* reg_psobject.c - registry values as PowerShell lists them (Get-ItemProperty): "name : value" for
 * each, and only behind them, as PSPath, the key that they belong to. No types are given. */
#include "base/limits.h"
#include "base/text.h"
#include "parsers/reg_text.h"

static fl_str from(fl_str s, size_t at) {
  return at < s.n ? (fl_str){s.p + at, s.n - at} : (fl_str){0};
}

static fl_str trim(fl_str s) {
  while (s.n && s.p[0] == ' ') s = from(s, 1);
  while (s.n && s.p[s.n - 1] == ' ') s.n--;
  return s;
}

/* "name : value", where the blank before the colon is what parts it from other text. */
static bool find_pair(fl_str line, fl_str *ret_name, fl_str *ret_value) {
  const char *colon = line.n && line.p[0] != ' ' ? memmem(line.p, line.n, " :", 2) : NULL;
  if (!colon) return false;
  const size_t n = (size_t)(colon - line.p);
  *ret_name = trim((fl_str){line.p, n});
  *ret_value = trim(from(line, n + 2));
  return ret_name->n != 0;
}

static bool find_key(fl_str value, fl_str *ret_key) {
  static const char mark[] = "Registry::";
  const char *at = value.n ? memmem(value.p, value.n, mark, sizeof mark - 1) : NULL;
  if (!at) return false;
  *ret_key = from(value, (size_t)(at - value.p) + sizeof mark - 1);
  return reg_text_is_key(*ret_key);
}

bool reg_psobject_names_key(fl_str line) {
  fl_str name, value, key;
  return find_pair(line, &name, &value) && fl_str_eq(name, FL_STR("PSPath")) &&
         find_key(value, &key);
}

static void keep_pair(reg_text *t, const fl_line *line, fl_str name, fl_str value) {
  if (t->n_pairs == REG_PAIRS_MAX || name.n + value.n > REG_PAIRS_ROOM - t->n_pair_bytes) {
    t->n_unread++;
    return;
  }
  char *room = t->pair_room + t->n_pair_bytes;
  memcpy(room, name.p, name.n);
  if (value.n) memcpy(room + name.n, value.p, value.n);
  t->n_pair_bytes += name.n + value.n;
  t->pairs[t->n_pairs++] = (reg_pair){{room, name.n}, {room + name.n, value.n}, *line};
}

/* Numbers are decimal; bytes are "{1, 2, 3, 4…}", which is not all of them. */
static fl_status add_pair(reg_text *t, const reg_pair *pair, fl_err *err) {
  uint64_t number = 0;
  reg_text_begin(t, &pair->line, pair->name);
  const bool is_number = reg_text_number(pair->value, 10, &number);
  t->now.type = !is_number ? REG_SZ : number <= UINT32_MAX ? REG_DWORD : REG_QWORD;
  t->now.is_type_guessed = true;
  t->now.is_utf8 = true;
  if (is_number) reg_text_bytes(t, &number, number <= UINT32_MAX ? 4 : 8);
  else reg_text_bytes(t, pair->value.p, pair->value.n);
  return reg_text_add(t, err);
}

/* A long path is broken between words or within one; the key's own name, which comes behind it,
 * tells which. */
static fl_str whole_path(const reg_text *t, fl_str child) {
  fl_str path = {t->path_room, t->n_path};
  if (t->path_break == 0) return path;
  const bool is_right =
      path.n > child.n && memcmp(path.p + path.n - child.n, child.p, child.n) == 0;
  if (is_right) return path;
  memmove(t->path_room + t->path_break, t->path_room + t->path_break + 1,
          path.n - t->path_break - 1);
  return (fl_str){path.p, path.n - 1};
}

static fl_status add_pairs(reg_text *t, fl_str child, fl_err *err) {
  const size_t n = t->n_pairs;
  fl_str key;
  const bool has_key = find_key(whole_path(t, child), &key) && reg_text_key(t, key);
  t->n_pairs = t->n_pair_bytes = t->n_path = t->path_break = 0;
  for (size_t i = 0; has_key && i < n; i++) FL_TRY(add_pair(t, &t->pairs[i], err));
  return FL_OK;
}

static void keep_path(reg_text *t, fl_str text) {
  const bool goes_on = t->n_path != 0;
  if (text.n + 1 > REG_PATH_ROOM - t->n_path) return;
  if (goes_on) {
    t->path_break = t->path_break ? t->path_break : t->n_path;
    t->path_room[t->n_path++] = ' ';
  }
  if (text.n) memcpy(t->path_room + t->n_path, text.p, text.n);
  t->n_path += text.n;
  t->is_in_path = true;
}

static bool take_other_line(reg_text *t, fl_str text) {
  const bool is_more = t->is_in_path && text.n && text.p[0] == ' ' && trim(text).n;
  if (is_more) keep_path(t, trim(text));
  else if (trim(text).n == 0) t->n_pairs = t->n_pair_bytes = t->n_path = t->path_break = 0;
  t->is_in_path = is_more;
  return is_more;
}

fl_status reg_psobject_line(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err) {
  fl_str name, value, key;
  *ret_is_taken = find_pair(line->text, &name, &value);
  if (!*ret_is_taken) {
    *ret_is_taken = take_other_line(t, line->text);
    return FL_OK;
  }
  t->is_in_path = false;
  const bool is_of_provider = name.n > 2 && name.p[0] == 'P' && name.p[1] == 'S';
  if (!is_of_provider) keep_pair(t, line, name, value);
  else if (fl_str_eq(name, FL_STR("PSPath")) && find_key(value, &key)) keep_path(t, value);
  else if (fl_str_eq(name, FL_STR("PSChildName")) && t->n_path) return add_pairs(t, value, err);
  return FL_OK;
}
