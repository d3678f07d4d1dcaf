/* arena.c - bump memory: blocks double in size, are zeroed on use and freed as a whole. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

struct fl_arena_block {
  struct fl_arena_block *next;
  size_t size_bytes;
};
enum { FIRST_BLOCK = 16 << 10, LARGEST_BLOCK = 4 << 20, HEADER = 16 };

static uint8_t *block_bytes(struct fl_arena_block *block) { return (uint8_t *)block + HEADER; }

static void use_block(fl_arena *arena, struct fl_arena_block *block) {
  arena->current = block;
  arena->at = block_bytes(block);
  arena->end = arena->at + block->size_bytes;
}

fl_arena *fl_arena_create(size_t cap_bytes) {
  fl_arena *arena = calloc(1, sizeof *arena);
  if (arena) arena->cap_bytes = cap_bytes;
  return arena;
}

static void free_blocks(struct fl_arena_block *block) {
  while (block) {
    struct fl_arena_block *next = block->next;
    free(block);
    block = next;
  }
}

void fl_arena_free(fl_arena *arena) {
  if (!arena) return;
  free_blocks(arena->first);
  free(arena);
}

void fl_arena_reset(fl_arena *arena) {
  if (!arena->first) return;
  free_blocks(arena->first->next);
  arena->first->next = NULL;
  arena->used_bytes = arena->first->size_bytes;
  use_block(arena, arena->first);
}

/* The slow path of fl_arena_take: a new block, twice as large as the last one. */
void *fl_arena_grow(fl_arena *arena, size_t size_bytes) {
  if (size_bytes > SIZE_MAX / 4) return NULL;
  const size_t need = (size_bytes + (size_bytes == 0) + 15u) & ~(size_t)15u;
  size_t size = arena->current ? arena->current->size_bytes * 2 : FIRST_BLOCK;
  if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
  if (size < need) size = need;
  if (size > arena->cap_bytes - arena->used_bytes) size = need;
  if (need > arena->cap_bytes - arena->used_bytes) return NULL;
  struct fl_arena_block *block = malloc(HEADER + size);
  if (!block) return NULL;
  *block = (struct fl_arena_block){.size_bytes = size};
  if (arena->current) arena->current->next = block;
  else arena->first = block;
  arena->used_bytes += size;
  use_block(arena, block);
  void *p = arena->at;
  arena->at += need;
  return memset(p, 0, need);
}

void *fl_arena_alloc(fl_arena *arena, size_t size_bytes) {
  return fl_arena_take(arena, size_bytes);
}

fl_str fl_arena_str(fl_arena *arena, fl_str s) {
  if (s.n == SIZE_MAX) return (fl_str){0};
  char *copy = fl_arena_take(arena, s.n + 1);
  if (!copy) return (fl_str){0};
  if (s.n) memcpy(copy, s.p, s.n);
  return (fl_str){copy, s.n};
}

fl_str fl_arena_vprintf(fl_arena *arena, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  const int n = vsnprintf(NULL, 0, format, args);
  char *text = n < 0 ? NULL : fl_arena_take(arena, (size_t)n + 1);
  if (text) (void)vsnprintf(text, (size_t)n + 1, format, again);
  va_end(again);
  return text ? (fl_str){text, (size_t)n} : (fl_str){0};
}

fl_str fl_arena_printf(fl_arena *arena, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const fl_str text = fl_arena_vprintf(arena, format, args);
  va_end(args);
  return text;
}
