/* fieldmap.c - reads field maps, item by item and without memory of its own. */
#include "facts/fieldmap.h"

#include <string.h>

static size_t index_of(fl_str s, char c) {
  const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
  return at ? (size_t)(at - s.p) : s.n;
}

static fl_str from(fl_str s, size_t at) { return (fl_str){s.p + at, s.n - at}; }

/* `rest` starts behind the opening quote. */
static fl_status read_constant(fl_str rest, fl_str *map, fl_map_item *item) {
  const size_t end = index_of(rest, '"');
  if (end == rest.n) return FL_E_SYNTAX;
  item->theirs = (fl_str){rest.p, end};
  *map = from(rest, end + 1);
  return map->n == 0 || map->p[0] == ' ' ? FL_OK : FL_E_SYNTAX;
}

static fl_status read_typed(fl_str rest, fl_str *map, fl_map_item *item) {
  const fl_str word = {rest.p, index_of(rest, ' ')};
  const size_t colon = index_of(word, ':');
  if (colon == 0 || colon == word.n) return FL_E_SYNTAX;
  item->theirs = (fl_str){word.p, colon};
  item->convert = fl_convert_find(from(word, colon + 1));
  *map = from(rest, word.n);
  return item->convert ? FL_OK : FL_E_SYNTAX;
}

fl_status fl_map_next(fl_str *map, fl_map_item *ret_item) {
  while (map->n && map->p[0] == ' ') *map = from(*map, 1);
  if (map->n == 0) return FL_END;
  const size_t equals = index_of(*map, '=');
  if (equals == 0 || map->n - equals < 2) return FL_E_SYNTAX;
  fl_map_item item = {.name = {map->p, equals}};
  const fl_str rest = from(*map, equals + 1);
  const fl_status s =
      rest.p[0] == '"' ? read_constant(from(rest, 1), map, &item) : read_typed(rest, map, &item);
  if (s == FL_OK) *ret_item = item;
  return s;
}

bool fl_map_next_name(fl_str *theirs, fl_str *ret_name) {
  if (theirs->n == 0) return false;
  const size_t bar = index_of(*theirs, '|');
  *ret_name = (fl_str){theirs->p, bar};
  *theirs = from(*theirs, bar < theirs->n ? bar + 1 : bar);
  return true;
}
