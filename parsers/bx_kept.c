/* bx_kept.c - what a decoder remembers of the store that it shares with others, and shapes. */
#include "base/hash.h"
#include "base/mem.h"
#include "base/raw.h"
#include "parsers/bx_walk.h"

/* Interned text; when the store is full, a copy that lives as long as the batch. */
const fl_str *bx_intern(bx_walk *w, fl_str text) {
  bx *b = w->b;
  const uint64_t hash = fl_hash_bytes(text.p, text.n, 1);
  bx_kept *kept = &b->kept_names[hash & (BX_KEPT_NAMES - 1)];
  if (kept->value && kept->hash == hash && fl_str_eq(*(const fl_str *)kept->value, text))
    return kept->value;
  const fl_str *interned = bx_store_intern(b->store, text);
  if (interned) *kept = (bx_kept){hash, interned};
  fl_rows *rows = w->rows ? w->rows : b->rows;
  if (interned || !rows) return interned;
  b->is_temporary = true;
  fl_str *copy = FL_NEW(rows->arena, fl_str);
  if (copy) *copy = fl_arena_str(rows->arena, text);
  return copy && copy->p ? copy : NULL;
}

/* The same bytes but for the literals. */
static bool has_bytes(const bx_definition *d, const bx_place *place) {
  size_t at = 0;
  if (d->n_bytes != place->n_bytes) return false;
  for (uint32_t i = 0; i < d->template->n_literals; i++) {
    const bx_literal *literal = &d->literals[i];
    if (literal->n_bytes == 0) continue;
    if (memcmp(d->bytes + at, place->bytes + at, literal->at - at) != 0) return false;
    at = literal->at + literal->n_bytes;
  }
  return memcmp(d->bytes + at, place->bytes + at, d->n_bytes - at) == 0;
}

static bool has_names(bx_walk *w, const bx_definition *d) {
  for (size_t i = 0; i < d->n_names; i++) {
    const fl_str *name = NULL;
    const fl_status status = bx_find_name(w, d->names[i].offset, &name, NULL, NULL);
    if (status != FL_OK || name != d->names[i].name) return false;
  }
  return true;
}

/* The definition with the literals that stand here; NULL when there is no room. */
static const bx_definition *with_literals(bx_walk *w, const bx_definition *d,
                                          const bx_place *place) {
  const uint32_t n = d->template->n_literals;
  bool is_same = true;
  for (uint32_t i = 0; i < n && is_same; i++)
    is_same = memcmp(d->bytes + d->literals[i].at, place->bytes + d->literals[i].at,
                     d->literals[i].n_bytes) == 0;
  if (is_same) return d;
  bx_definition *own = FL_NEW(w->b->chunk_arena, bx_definition);
  bx_literal *literals = FL_NEW_ARRAY(w->b->chunk_arena, bx_literal, n);
  if (!own || !literals) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    literals[i] = d->literals[i];
    if (literals[i].n_bytes == 0) continue;
    const fl_raw raw = {place->bytes + literals[i].at, literals[i].n_bytes, FL_T_STR16, 0};
    if (!(literals[i].text = bx_intern(w, fl_raw_text(raw, w->b->scratch)))) return NULL;
  }
  *own = *d;
  own->literals = literals;
  own->is_kept = false;
  return own;
}

static bool is_same_definition(bx_walk *w, const bx_definition *d, const bx_place *place) {
  return has_bytes(d, place) && has_names(w, d);
}

/* A definition that was met before at this offset of a chunk, its outside names the same here. */
const bx_definition *bx_find_definition(bx_walk *w, const bx_place *place) {
  enum { MOST_ALIKE = 64 };
  bx_kept *kept = &w->b->kept_definitions[(place->hash >> 32) & (BX_KEPT_DEFINITIONS - 1)];
  const bx_definition *d = kept->hash == place->hash ? kept->value : NULL;
  if (d && is_same_definition(w, d, place)) return with_literals(w, d, place);
  size_t at = SIZE_MAX;
  for (unsigned i = 0; i < MOST_ALIKE; i++) {
    d = bx_store_definition(w->b->store, place->hash, &at);
    if (!d) return NULL;
    if (!is_same_definition(w, d, place)) continue;
    *kept = (bx_kept){place->hash, d};
    return with_literals(w, d, place);
  }
  return NULL;
}

static const bx_definition *keep_for_batch(bx *b) {
  fl_arena *arena = b->rows->arena;
  const bx_words *words = &b->compiled.words;
  const bx_literals *literals = &b->compiled.literals;
  bx_template *t = FL_NEW(arena, bx_template);
  bx_definition *d = FL_NEW(arena, bx_definition);
  uint64_t *own_words = FL_NEW_ARRAY(arena, uint64_t, words->n);
  bx_literal *own_literals = FL_NEW_ARRAY(arena, bx_literal, literals->n);
  void *list = (void *)b->temporary;
  if (!t || !d || !own_words || !own_literals ||
      !fl_grow(&list, &b->cap_temporaries, b->n_temporaries + 1, sizeof(bx_template *)))
    return NULL;
  b->temporary = list;
  if (words->n) memcpy(own_words, words->items, words->n * sizeof *own_words);
  if (literals->n) memcpy(own_literals, literals->items, literals->n * sizeof *own_literals);
  *t = (bx_template){BX_TEMPORARY | (uint32_t)b->n_temporaries, (uint32_t)literals->n, words->n,
                     own_words};
  *d = (bx_definition){
      .template = t, .literals = own_literals, .is_renamed = b->compiled.is_renamed};
  b->temporary[b->n_temporaries++] = t;
  b->is_temporary = true;
  return d;
}

const bx_definition *bx_keep_definition(bx *b, uint64_t hash) {
  const bx_definition *d = NULL;
  if (!b->is_temporary) d = bx_store_add(b->store, hash, &b->compiled, b->chunk_arena);
  return d || !b->rows ? d : keep_for_batch(b);
}

/* The shape that was built for an equal key; NULL: none, or the store has no room for one. */
static const bx_kept_shape *find_kept_shape(bx *b, uint64_t hash) {
  bx_kept *kept = &b->kept_shapes[(hash >> 32) & (BX_KEPT_SHAPES - 1)];
  const bx_kept_shape *found = kept->hash == hash ? kept->value : NULL;
  if (found && bx_has_key(found, &b->key)) return found;
  found = bx_store_find_shape(b->store, &b->key, hash);
  if (found) *kept = (bx_kept){hash, found};
  return found;
}

static const bx_kept_shape *keep_shape(bx *b, const bx_shape_source *from, uint64_t hash) {
  const bx_kept_shape *found = find_kept_shape(b, hash);
  if (found) return found;
  fl_arena_reset(b->scratch);
  return bx_store_build_shape(b->store, from, hash, b->job);
}

fl_status bx_find_shape(bx *b, fl_rows *rows, const fl_shape **ret_shape, fl_err *err) {
  const uint64_t hash = fl_hash_bytes(b->key.items, b->key.n * sizeof *b->key.items, 3);
  const bx_shape_source from = {b->store, b->temporary, &b->key, b->scratch,
                                b->job->options->want_markup};
  if (b->n_built_bytes > FL_LIMIT_CHUNK_SHAPES)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: the records of its chunk differ too much");
  const bx_kept_shape *kept = b->is_temporary ? NULL : keep_shape(b, &from, hash);
  if (kept) {
    b->n_built_bytes += kept->n_built_bytes;
    *ret_shape = kept->shape;
    return FL_OK;
  }
  fl_shape *shape = NULL;
  fl_arena_reset(b->scratch);
  const fl_status status = bx_shape_build(&from, rows->arena, &shape, err);
  b->n_built_bytes += b->scratch->used_bytes;
  if (status < FL_OK) return status;
  shape->serial = ++b->n_temporary | FL_SHAPE_TEMPORARY;
  *ret_shape = shape;
  return FL_OK;
}
