/* name.c - encoding names of sources and keeping them apart. */
#include "parsers/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

/* C0, DEL, C1, and what names of members are joined with. */
static bool is_plain(uint32_t c) {
  return c >= 0x20 && c != '!' && c != '%' && !(c >= 0x7f && c <= 0x9f);
}

fl_str fl_name_encode(fl_str raw, fl_arena *arena) {
  static const char digits[] = "0123456789ABCDEF";
  if (raw.n > SIZE_MAX / 4) return (fl_str){0};
  char *text = fl_arena_take(arena, raw.n * 3 + 1);
  if (!text) return (fl_str){0};
  size_t n = 0;
  for (size_t pos = 0; pos < raw.n;) {
    size_t next = pos;
    const uint32_t c = fl_utf8_next(raw, &next);
    const bool is_broken =
        c == 0xfffd && !(next - pos == 3 && memcmp(raw.p + pos, "\xef\xbf\xbd", 3) == 0);
    if (!is_broken && is_plain(c)) {
      memcpy(text + n, raw.p + pos, next - pos);
      n += next - pos;
      pos = next;
      continue;
    }
    for (; pos < next; ++pos) {
      const uint8_t byte = (uint8_t)raw.p[pos];
      text[n++] = '%';
      text[n++] = digits[byte >> 4];
      text[n++] = digits[byte & 15];
    }
  }
  return (fl_str){text, n};
}

fl_str fl_name_of_input(const char *path) {
  if (strcmp(path, "-") == 0) return FL_STR("stdin");
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') --end;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') --start;
  return end == 0 ? FL_STR("root") : (fl_str){path + start, end - start};
}

/* The slot of `name`, or the free one where it belongs. */
static fl_name_slot *find_slot(const fl_names *names, fl_str name) {
  const size_t mask = names->n_slots - 1;
  size_t at = (size_t)fl_hash_bytes(name.p, name.n, 0) & mask;
  while (names->slots[at].name.p && !fl_str_eq(names->slots[at].name, name)) at = (at + 1) & mask;
  return &names->slots[at];
}

static bool make_room(fl_names *names) {
  if (names->n_names < names->n_slots / 2) return true;
  fl_names grown = {.n_names = names->n_names, .n_slots = names->n_slots ? names->n_slots * 2 : 64};
  grown.slots = calloc(grown.n_slots, sizeof *grown.slots);
  if (!grown.slots) return false;
  for (size_t i = 0; i < names->n_slots; ++i)
    if (names->slots[i].name.p) *find_slot(&grown, names->slots[i].name) = names->slots[i];
  free(names->slots);
  *names = grown;
  return true;
}

fl_str fl_names_add(fl_names *names, fl_str name, fl_arena *arena) {
  if (!make_room(names)) return (fl_str){0};
  fl_name_slot *first = find_slot(names, name);
  fl_name_slot *slot = first;
  fl_str unique = name;
  while (slot->name.p) {
    unique = fl_arena_printf(arena, "%.*s#%u", FL_STR_ARG(name), first->next++);
    if (!unique.p) return (fl_str){0};
    slot = find_slot(names, unique);
  }
  if (slot == first) unique = fl_arena_str(arena, name);
  if (!unique.p) return (fl_str){0};
  *slot = (fl_name_slot){.name = unique, .next = 2};
  ++names->n_names;
  return unique;
}

void fl_names_free(fl_names *names) {
  free(names->slots);
  *names = (fl_names){0};
}
