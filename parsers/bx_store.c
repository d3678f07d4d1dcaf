/* bx_store.c - names, templates and shapes of a run: three open-addressing tables over one arena.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/pool.h"
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

enum { MAX_DEFINITIONS = 1 << 18, PAGE = 1024, MOST_PAGES = 1024 };

struct bx_store {
  fl_arena *arena;
  size_t most_bytes; /* of the arena, for the source that is being read */
  fl_lock *lock;
  table names, definitions, templates, shapes;
  /* Pages that stay where they are: who knows an id can look it up without the lock. */
  const bx_template **by_id[MOST_PAGES];
  size_t n_by_id;
  bx_known known;
  bool is_known_sorted;
};

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
  if (!(store->lock = fl_lock_create())) {
    free(store);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *ret_store = store;
  return FL_OK;
}

void bx_store_free(bx_store *store) {
  if (!store) return;
  free(store->names.entries);
  free(store->definitions.entries);
  free(store->templates.entries);
  free(store->shapes.entries);
  for (size_t i = 0; i < MOST_PAGES; i++) free(store->by_id[i]);
  fl_lock_free(store->lock);
  bx_known_free(&store->known);
  free(store);
}

void bx_store_begin_source(bx_store *store) {
  store->most_bytes = store->arena->used_bytes + FL_LIMIT_SOURCE_SHARED;
}

static bool has_room(const bx_store *store) { return store->arena->used_bytes < store->most_bytes; }

static bool has_spare_room(const bx_store *store) {
  return store->arena->used_bytes + FL_LIMIT_SOURCE_SHARED / 2 < store->most_bytes;
}

bool bx_store_learn(bx_store *store, const bx_known_item *item) {
  fl_lock_take(store->lock);
  store->is_known_sorted = false;
  const bool is_done = store->known.n >= MAX_DEFINITIONS || bx_known_add(&store->known, item);
  fl_lock_give(store->lock);
  return is_done;
}

const bx_known *bx_store_known(bx_store *store) {
  if (!store->is_known_sorted) bx_known_sort(&store->known);
  store->is_known_sorted = true;
  return &store->known;
}

static const fl_str *intern(bx_store *store, fl_str text, uint64_t hash) {
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

const fl_str *bx_store_intern(bx_store *store, fl_str text) {
  const uint64_t hash = fl_hash_bytes(text.p, text.n, 1);
  fl_lock_take(store->lock);
  const fl_str *name = intern(store, text, hash);
  fl_lock_give(store->lock);
  return name;
}

const bx_definition *bx_store_definition(bx_store *store, uint64_t hash, size_t *at) {
  fl_lock_take(store->lock);
  const bx_definition *d = table_next(&store->definitions, hash, at);
  fl_lock_give(store->lock);
  return d;
}

const bx_template *bx_store_template(const bx_store *store, uint32_t id) {
  return store->by_id[id / PAGE][id % PAGE];
}

static bool same_words(const uint64_t *words, size_t n, const bx_words *other) {
  return n == other->n && (n == 0 || memcmp(words, other->items, n * sizeof *words) == 0);
}

static const bx_template *add_template(bx_store *store, uint64_t hash, const bx_compiled *from) {
  const bx_words *words = &from->words;
  bx_template *t = FL_NEW(store->arena, bx_template);
  uint64_t *copy = FL_NEW_ARRAY(store->arena, uint64_t, words->n);
  if (!t || !copy) return NULL;
  const size_t page = store->n_by_id / PAGE;
  if (page == MOST_PAGES) return NULL;
  if (!store->by_id[page] && !(store->by_id[page] = calloc(PAGE, sizeof *store->by_id[page])))
    return NULL;
  if (words->n) memcpy(copy, words->items, words->n * sizeof *copy);
  *t = (bx_template){(uint32_t)store->n_by_id, (uint32_t)from->literals.n, words->n, copy};
  if (!table_add(&store->templates, hash, t)) return NULL;
  store->by_id[page][store->n_by_id++ % PAGE] = t;
  return t;
}

/* Those that find no room are made anew for each chunk. */
static const bx_definition *add_definition(bx_store *store, uint64_t hash, const bx_template *t,
                                           const bx_compiled *from, fl_arena *chunk_arena) {
  const bool is_kept = store->definitions.n < MAX_DEFINITIONS && has_spare_room(store);
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

/* Another decoder may have met it in the meantime. */
static const bx_definition *find_same(const bx_store *store, uint64_t hash, const bx_template *t,
                                      const bx_compiled *from) {
  enum { MOST_ALIKE = 64 };
  size_t at = SIZE_MAX;
  for (unsigned i = 0; i < MOST_ALIKE; i++) {
    const bx_definition *d = table_next(&store->definitions, hash, &at);
    if (!d) return NULL;
    const bool is_same = d->template == t && d->n_bytes == from->n_bytes &&
                         d->n_names == from->names.n &&
                         (d->n_bytes == 0 || memcmp(d->bytes, from->bytes, d->n_bytes) == 0);
    bool has_names = is_same;
    for (size_t k = 0; has_names && k < d->n_names; k++)
      has_names = d->names[k].offset == from->names.items[k].offset &&
                  d->names[k].name == from->names.items[k].name;
    if (has_names) return d;
  }
  return NULL;
}

static const bx_definition *add(bx_store *store, uint64_t hash, const bx_compiled *compiled,
                                fl_arena *chunk_arena) {
  const bx_words *words = &compiled->words;
  const uint64_t content = fl_hash_bytes(words->items, words->n * sizeof *words->items, 2);
  size_t at = SIZE_MAX;
  const bx_template *found = NULL;
  for (const bx_template *t; !found && (t = table_next(&store->templates, content, &at));)
    if (same_words(t->words, t->n_words, words)) found = t;
  if (!found && has_room(store)) found = add_template(store, content, compiled);
  if (!found) return NULL;
  const bx_definition *same = find_same(store, hash, found, compiled);
  return same ? same : add_definition(store, hash, found, compiled, chunk_arena);
}

const bx_definition *bx_store_add(bx_store *store, uint64_t hash, const bx_compiled *compiled,
                                  fl_arena *chunk_arena) {
  fl_lock_take(store->lock);
  const bx_definition *d = add(store, hash, compiled, chunk_arena);
  fl_lock_give(store->lock);
  return d;
}

static const bx_kept_shape *find_shape(const bx_store *store, const bx_words *key, uint64_t hash) {
  size_t at = SIZE_MAX;
  for (const bx_kept_shape *e; (e = table_next(&store->shapes, hash, &at));)
    if (bx_has_key(e, key)) return e;
  return NULL;
}

const bx_kept_shape *bx_store_find_shape(bx_store *store, const bx_words *key, uint64_t hash) {
  fl_lock_take(store->lock);
  const bx_kept_shape *found = find_shape(store, key, hash);
  fl_lock_give(store->lock);
  return found;
}

static const bx_kept_shape *build_shape(bx_store *store, const bx_shape_source *from, uint64_t hash,
                                        fl_job *job) {
  const bx_words *key = from->key;
  const bx_kept_shape *found = find_shape(store, key, hash);
  if (found) return found;
  fl_shape *shape = NULL;
  if (!has_spare_room(store) || store->shapes.n >= FL_LIMIT_SHAPES ||
      bx_shape_build(from, store->arena, &shape, NULL) < FL_OK)
    return NULL;
  bx_kept_shape *e = FL_NEW(store->arena, bx_kept_shape);
  uint64_t *copy = FL_NEW_ARRAY(store->arena, uint64_t, key->n);
  if (!e || !copy) return NULL;
  memcpy(copy, key->items, key->n * sizeof *copy);
  *e = (bx_kept_shape){copy, key->n, shape, from->scratch->used_bytes};
  if (!table_add(&store->shapes, hash, e)) return NULL;
  shape->cached = true;
  shape->serial = fl_job_shape_serial(job);
  return e;
}

const bx_kept_shape *bx_store_build_shape(bx_store *store, const bx_shape_source *from,
                                          uint64_t hash, fl_job *job) {
  fl_lock_take(store->lock);
  const bx_kept_shape *kept = build_shape(store, from, hash, job);
  fl_lock_give(store->lock);
  return kept;
}
