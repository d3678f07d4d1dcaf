/* reg_text.c - what all texts of registry values share: keys, data in the making, numbers. */
#include "parsers/reg_text.h"

#include "base/limits.h"
#include "base/text.h"

enum {
  KEY_ROOM = FL_LIMIT_HIVE_PATH,
  NAME_ROOM = FL_LIMIT_HIVE_NAME,
  LINE_ROOM = 3 * FL_LIMIT_LINE + 4
};

fl_status reg_text_open(fl_job *job, reg_text *t, fl_err *err) {
  t->key_room = fl_arena_take(job->arena, KEY_ROOM + 1);
  t->name_room = fl_arena_take(job->arena, NAME_ROOM);
  t->text_room = fl_arena_take(job->arena, LINE_ROOM);
  t->data = fl_arena_take(job->arena, FL_LIMIT_HIVE_VALUE);
  t->pairs = FL_NEW_ARRAY(job->arena, reg_pair, REG_PAIRS_MAX);
  t->pair_room = fl_arena_take(job->arena, REG_PAIRS_ROOM);
  t->path_room = fl_arena_take(job->arena, REG_PATH_ROOM);
  const bool has_pairs = t->pairs && t->pair_room && t->path_room;
  if (has_pairs && t->key_room && t->name_room && t->text_room && t->data) return FL_OK;
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

bool reg_text_is_key(fl_str line) { return reg_key_root(line).n != 0; }

bool reg_text_key(reg_text *t, fl_str text) {
  const fl_str root = reg_key_root(text);
  const char *rest = root.n && text.n ? memchr(text.p, '\\', text.n) : NULL;
  const size_t n_rest = rest ? text.n - (size_t)(rest - text.p) : 0;
  t->now = (reg_value){0};
  if (root.n == 0 || root.n + n_rest > KEY_ROOM) return false;
  memcpy(t->key_room, root.p, root.n);
  if (n_rest) memcpy(t->key_room + root.n, rest, n_rest);
  t->now.key = (fl_str){t->key_room, root.n + n_rest};
  return true;
}

void reg_text_begin(reg_text *t, const fl_line *line, fl_str name) {
  const fl_str key = t->now.key;
  if (name.n > NAME_ROOM) name.n = NAME_ROOM;
  if (name.n) memmove(t->name_room, name.p, name.n);
  t->now = (reg_value){.key = key,
                       .name = {t->name_room, name.n},
                       .data = t->data,
                       .is_cut = line->is_cut,
                       .offset = line->offset,
                       .line = line->number,
                       .length = line->length};
}

void reg_text_bytes(reg_text *t, const void *bytes, size_t n_bytes) {
  const size_t room = FL_LIMIT_HIVE_VALUE - t->now.n_data;
  if (n_bytes > room) {
    n_bytes = room;
    t->now.is_cut = true;
  }
  if (n_bytes) memcpy(t->data + t->now.n_data, bytes, n_bytes);
  t->now.n_data += n_bytes;
}

void reg_text_extend(reg_text *t, const fl_line *line) {
  const uint64_t length = line->offset + line->length - t->now.offset;
  t->now.length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
  t->now.is_cut |= line->is_cut;
}

fl_status reg_text_add(reg_text *t, fl_err *err) {
  reg_system_learn(&t->system, &t->now, t->fact->rows->arena);
  return reg_rows_add(t->fact, &t->now, err);
}

static int digit_of(char c) {
  const char lower = fl_lower(c);
  if (fl_is_digit(c)) return c - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void reg_text_hex(reg_text *t, fl_str text) {
  int high = -1;
  for (size_t i = 0; i < text.n; i++) {
    const int digit = digit_of(text.p[i]);
    if (digit >= 0 && high >= 0) {
      const uint8_t byte = (uint8_t)(high * 16 + digit);
      reg_text_bytes(t, &byte, 1);
      high = -1;
    } else {
      high = digit;
    }
  }
}

bool reg_text_number(fl_str text, unsigned base, uint64_t *ret_number) {
  uint64_t number = 0;
  for (size_t i = 0; i < text.n; i++) {
    const int digit = digit_of(text.p[i]);
    if (digit < 0 || (unsigned)digit >= base || number > (UINT64_MAX - 15) / base) return false;
    number = number * base + (unsigned)digit;
  }
  *ret_number = number;
  return text.n != 0;
}
