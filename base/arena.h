/* arena.h - bump memory with an inline fast path; fl_arena itself is declared in core.h. */
#ifndef FL_BASE_ARENA_H
#define FL_BASE_ARENA_H

#include <string.h>

#include "faultline/core.h"

/* Blocks are zeroed when handed out, so an allocation is an addition. */
struct fl_arena {
  struct fl_arena_block *first, *current;
  uint8_t *at, *end;
  size_t used_bytes, cap_bytes;
};

void *fl_arena_grow(fl_arena *arena, size_t size_bytes);

/* Nothing takes a place too: NULL means out of memory and nothing else. */
static inline void *fl_arena_take(fl_arena *arena, size_t size_bytes) {
  const size_t size = (size_bytes + (size_bytes == 0) + 15u) & ~(size_t)15u;
  if (size < size_bytes || size > (size_t)(arena->end - arena->at))
    return fl_arena_grow(arena, size_bytes);
  void *p = arena->at;
  arena->at += size;
  return memset(p, 0, size);
}

fl_str fl_arena_vprintf(fl_arena *arena, const char *format, va_list args) FL_PRINTF(2, 0);

#define FL_NEW(arena, type) ((type *)fl_arena_take((arena), sizeof(type)))
/* n zeroed items, or NULL when out of memory or when the product overflows. */
static inline void *fl_arena_items(fl_arena *arena, size_t n, size_t size_bytes) {
  if (size_bytes != 0 && n > SIZE_MAX / 2 / size_bytes) return NULL;
  return fl_arena_take(arena, n * size_bytes);
}
#define FL_NEW_ARRAY(arena, type, n) ((type *)fl_arena_items((arena), (n), sizeof(type)))

#endif
