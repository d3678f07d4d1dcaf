/* bx_store.c - names, templates and shapes of a run: three open-addressing tables over one arena.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "parsers/binxml.h"

/* hash 0 marks an empty place; real hashes have their lowest bit set. */
typedef struct entry {
  uint64_t hash;
  const void *value;
} entry;
typedef struct table {
  entry *entries;
  size_t n, cap;
} table;

typedef struct shape_entry {
  const uint64_t *words;
  size_t n_words;
  const fl_shape *shape;
} shape_entry;

struct bx_store {
  fl_arena *arena;
  size_t most_bytes; /* of the arena, for the source that is being read */
  table names, definitions, templates, shapes;
  const bx_template **by_id;
  size_t n_by_id, cap_by_id;
  bx_known known;
  bool is_known_sorted;
};

enum { MAX_DEFINITIONS = 1 << 18 };

static bool table_grow(table *t) {
  if (t->n * 2 < t->cap) return true;
  const size_t cap = t->cap ? t->cap * 2 : 256;
  entry *entries = calloc(cap, sizeof *entries);
  if (!entries) return false;
  for (size_t i = 0; i < t->cap; i++) {
    if (!t->entries[i].hash) continue;
    size_t at = t->entries[i].hash >> 1 & (cap - 1);
    while (entries[at].hash) at = (at + 1) & (cap - 1);
    entries[at] = t->entries[i];
  }
  free(t->entries);
  t->entries = entries;
  t->cap = cap;
  return true;
}

static bool table_add(table *t, uint64_t hash, const void *value) {
  if (!table_grow(t)) return false;
  hash |= 1;
  size_t at = hash >> 1 & (t->cap - 1);
  while (t->entries[at].hash) at = (at + 1) & (t->cap - 1);
  t->entries[at] = (entry){hash, value};
  t->n++;
  return true;
}

/* The i-th entry with this hash, for callers that compare contents. */
static const void *table_next(const table *t, uint64_t hash, size_t *at) {
  if (!t->cap) return NULL;
  hash |= 1;
  size_t place = *at == SIZE_MAX ? (hash >> 1 & (t->cap - 1)) : ((*at + 1) & (t->cap - 1));
  while (t->entries[place].hash && t->entries[place].hash != hash)
    place = (place + 1) & (t->cap - 1);
  *at = place;
  return t->entries[place].hash ? t->entries[place].value : NULL;
}

fl_status bx_store_create(fl_arena *arena, bx_store **ret_store, fl_err *err) {
  bx_store *store = calloc(1, sizeof *store);
  if (!store) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  store->arena = arena;
  *ret_store = store;
  return FL_OK;
}

void bx_store_free(bx_store *store) {
  if (!store) return;
  free(store->names.entries);
  free(store->definitions.entries);
  free(store->templates.entries);
  free(store->shapes.entries);
  free(store->by_id);
  bx_known_free(&store->known);
  free(store);
}

void bx_store_begin_source(bx_store *store) {
  store->most_bytes = store->arena->used_bytes + FL_LIMIT_SOURCE_SHARED;
}

static bool has_room(const bx_store *store) { return store->arena->used_bytes < store->most_bytes; }

bool bx_store_learn(bx_store *store, const bx_known_item *item) {
  store->is_known_sorted = false;
  return store->known.n >= MAX_DEFINITIONS || bx_known_add(&store->known, item);
}

const bx_known *bx_store_known(bx_store *store) {
  if (!store->is_known_sorted) bx_known_sort(&store->known);
  store->is_known_sorted = true;
  return &store->known;
}

bool bx_store_has_spare_room(const bx_store *store) {
  return store->arena->used_bytes + FL_LIMIT_SOURCE_SHARED / 2 < store->most_bytes;
}

fl_arena *bx_store_arena(bx_store *store) { return store->arena; }

const fl_str *bx_store_intern(bx_store *store, fl_str text) {
  const uint64_t hash = fl_hash_bytes(text.p, text.n, 1);
  size_t at = SIZE_MAX;
  for (const fl_str *s; (s = table_next(&store->names, hash, &at));)
    if (fl_str_eq(*s, text)) return s;
  if (!has_room(store)) return NULL;
  fl_str *name = FL_NEW(store->arena, fl_str);
  if (!name) return NULL;
  *name = fl_arena_str(store->arena, text);
  if (!name->p || !table_add(&store->names, hash, name)) return NULL;
  return name;
}

const bx_definition *bx_store_definition(const bx_store *store, uint64_t hash, size_t *at) {
  return table_next(&store->definitions, hash, at);
}

const bx_template *bx_store_template(const bx_store *store, uint32_t id) {
  return id < store->n_by_id ? store->by_id[id] : NULL;
}

static bool same_words(const uint64_t *words, size_t n, const bx_words *other) {
  return n == other->n && (n == 0 || memcmp(words, other->items, n * sizeof *words) == 0);
}

static const bx_template *add_template(bx_store *store, uint64_t hash, const bx_compiled *from) {
  const bx_words *words = &from->words;
  bx_template *t = FL_NEW(store->arena, bx_template);
  uint64_t *copy = FL_NEW_ARRAY(store->arena, uint64_t, words->n);
  if (!t || !copy) return NULL;
  if (!fl_grow((void **)&store->by_id, &store->cap_by_id, store->n_by_id + 1, sizeof *store->by_id))
    return NULL;
  if (words->n) memcpy(copy, words->items, words->n * sizeof *copy);
  *t = (bx_template){(uint32_t)store->n_by_id, (uint32_t)from->literals.n, words->n, copy};
  if (!table_add(&store->templates, hash, t)) return NULL;
  store->by_id[store->n_by_id++] = t;
  return t;
}

/* Those that find no room are made anew for each chunk. */
static const bx_definition *add_definition(bx_store *store, uint64_t hash, const bx_template *t,
                                           const bx_compiled *from, fl_arena *chunk_arena) {
  const bool is_kept = store->definitions.n < MAX_DEFINITIONS && bx_store_has_spare_room(store);
  fl_arena *arena = is_kept ? store->arena : chunk_arena;
  bx_definition *d = FL_NEW(arena, bx_definition);
  bx_name_ref *names = FL_NEW_ARRAY(arena, bx_name_ref, from->names.n);
  bx_literal *literals = FL_NEW_ARRAY(arena, bx_literal, from->literals.n);
  uint8_t *bytes = fl_arena_take(arena, from->n_bytes);
  if (!d || !names || !literals || !bytes) return NULL;
  if (from->names.n) memcpy(names, from->names.items, from->names.n * sizeof *names);
  if (from->literals.n) memcpy(literals, from->literals.items, from->literals.n * sizeof *literals);
  if (from->n_bytes) memcpy(bytes, from->bytes, from->n_bytes);
  *d = (bx_definition){t,     literals,      names,   from->names.n,
                       bytes, from->n_bytes, is_kept, from->is_renamed};
  return !is_kept || table_add(&store->definitions, hash, d) ? d : NULL;
}

const bx_definition *bx_store_add(bx_store *store, uint64_t hash, const bx_compiled *compiled,
                                  fl_arena *chunk_arena) {
  const bx_words *words = &compiled->words;
  const uint64_t content = fl_hash_bytes(words->items, words->n * sizeof *words->items, 2);
  size_t at = SIZE_MAX;
  const bx_template *found = NULL;
  for (const bx_template *t; !found && (t = table_next(&store->templates, content, &at));)
    if (same_words(t->words, t->n_words, words)) found = t;
  if (!found && has_room(store)) found = add_template(store, content, compiled);
  return found ? add_definition(store, hash, found, compiled, chunk_arena) : NULL;
}

const fl_shape *bx_store_find_shape(const bx_store *store, const bx_words *key, uint64_t hash) {
  size_t at = SIZE_MAX;
  for (const shape_entry *e; (e = table_next(&store->shapes, hash, &at));)
    if (same_words(e->words, e->n_words, key)) return e->shape;
  return NULL;
}

bool bx_store_add_shape(bx_store *store, const bx_words *key, uint64_t hash,
                        const fl_shape *shape) {
  shape_entry *e = FL_NEW(store->arena, shape_entry);
  uint64_t *copy = FL_NEW_ARRAY(store->arena, uint64_t, key->n);
  if (!e || !copy || store->shapes.n >= FL_LIMIT_SHAPES) return false;
  memcpy(copy, key->items, key->n * sizeof *copy);
  *e = (shape_entry){copy, key->n, shape};
  return table_add(&store->shapes, hash, e);
}
