/* bx_recover.c - templates for records that are no longer live, and what speaks against them.
 *
 * A live record's template is there because Windows put it there. An older record names its
 * template by the place and the 32-bit id that it once had in the chunk; new records may stand
 * there now. So a definition counts only when the id agrees and the record's value table fits what
 * the template wishes for; one from another place only when no other known one does too. */
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "parsers/bx_walk.h"

enum { MOST_PADDING = 8, HASH_WITHOUT_NAMES = 5 };
enum { TEMPLATE_TABLE = 384, TEMPLATE_BUCKETS = 32, MOST_DEFINITIONS = 4096 };

/* ---- what is known ---- */

bool bx_known_add(bx_known *known, const bx_known_item *item) {
  if (!fl_grow((void **)&known->items, &known->cap, known->n + 1, sizeof *known->items))
    return false;
  known->items[known->n++] = *item;
  return true;
}

/* By id, then by template, then by source: the lowest source is the one that is named. */
static int by_id(const void *left, const void *right) {
  const bx_known_item *a = left, *b = right;
  if (a->id != b->id) return a->id < b->id ? -1 : 1;
  if (a->template->id != b->template->id) return a->template->id < b->template->id ? -1 : 1;
  return (a->source > b->source) - (a->source < b->source);
}

static bool has_same_literals(const bx_known_item *a, const bx_known_item *b) {
  if (!a->literals || !b->literals) return false;
  for (uint32_t i = 0; i < a->template->n_literals; i++)
    if (a->literals[i].text != b->literals[i].text) return false;
  return true;
}

void bx_known_sort(bx_known *known) {
  if (known->n == 0) return;
  qsort(known->items, known->n, sizeof *known->items, by_id);
  size_t n = 1;
  for (size_t i = 1; i < known->n; i++) {
    bx_known_item *last = &known->items[n - 1];
    const bx_known_item *item = &known->items[i];
    if (last->id != item->id || last->template != item->template) known->items[n++] = *item;
    else if (!has_same_literals(last, item)) last->literals = NULL;
    last = &known->items[n - 1];
    last->is_renamed &= item->is_renamed;
  }
  known->n = n;
}

void bx_known_free(bx_known *known) {
  free(known->items);
  *known = (bx_known){0};
}

/* The first item with this id, or the end. */
static size_t first_known(const bx_known *known, uint32_t id) {
  size_t low = 0, high = known->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (known->items[middle].id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* ---- does a template fit a value table? ---- */

/* Types that stand in for each other in real value tables. */
static bool may_stand_for(uint8_t type, uint8_t declared) {
  if (type == declared || type == FL_T_NULL) return true;
  return declared == FL_T_SIZE && (type == FL_T_HEX32 || type == FL_T_HEX64);
}

/* A value table that was looked at before its values are read. */
typedef struct value_table {
  const uint8_t *items; /* n x {u16 size, u8 type, u8} */
  uint32_t n;
  size_t n_left; /* bytes behind the values */
} value_table;

/* The cursor stands at u32 n, the table, the values. */
static bool read_table(fl_rd rd, value_table *ret_table) {
  const uint32_t n = fl_rd_u32(&rd);
  if (!fl_rd_ok(&rd) || n > FL_LIMIT_TEMPLATE_VALUES || !fl_rd_fits(&rd, n, 4)) return false;
  const uint8_t *items = fl_rd_bytes(&rd, (size_t)n * 4);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t size = fl_le16(items + (size_t)i * 4);
    const uint8_t *value = fl_rd_bytes(&rd, size);
    if (!value) return false;
    const fl_raw raw = {value, size, items[(size_t)i * 4 + 2], 0};
    if (size != 0 && raw.type != FL_T_NULL && !fl_raw_is_sound(raw)) return false;
  }
  *ret_table = (value_table){items, n, fl_rd_left(&rd)};
  return true;
}

static uint8_t type_of(const value_table *table, uint32_t index) {
  return table->items[(size_t)index * 4 + 2];
}

/* A record may have more values than its template uses. */
static bool fits(const bx_template *t, const value_table *table) {
  for (size_t i = 0; i < t->n_words; i++) {
    const bx_tag tag = bx_word_tag(t->words[i]);
    if (tag != BX_SUB && tag != BX_SUB_OPT) continue;
    const uint32_t index = bx_sub_index(t->words[i]);
    if (index >= table->n) return false;
    if (!may_stand_for(type_of(table, index), bx_sub_declared(t->words[i]))) return false;
  }
  return true;
}

/* ---- finding one ---- */

/* The one known template that fits. Where the machines that wrote it differ, so does the text that
 * it holds for them, and the row gets none. */
static bool find_known(bx_walk *w, uint32_t id, const value_table *table) {
  bx_recovery *r = w->b->recovery;
  const bx_known_item *found = NULL;
  unsigned n_found = 0;
  for (size_t i = first_known(r->known, id); i < r->known->n && r->known->items[i].id == id; i++) {
    const bx_known_item *item = &r->known->items[i];
    if (!fits(item->template, table)) continue;
    if (found && item->is_renamed && !found->is_renamed) continue;
    n_found = found && found->is_renamed == item->is_renamed ? n_found + 1 : 1;
    found = item;
  }
  if (n_found != 1) return false;
  r->found = (bx_definition){.template = found->template, .literals = found->literals};
  if (!found->literals && found->template->n_literals == 1 && r->host.text)
    r->found.literals = &r->host;
  r->is_elsewhere = true;
  r->is_renamed |= found->is_renamed;
  r->source = found->source;
  r->origin = found->origin;
  return true;
}

/* What is inside of System's template is EventData or UserData. When its template is gone, its
 * values are still there, in their order: they are given as <Data> without names. */
static fl_status lose_names(bx_walk *w, uint32_t n, const bx_definition **ret_definition,
                            fl_err *err) {
  bx *b = w->b;
  b->compiled.words.n = b->compiled.names.n = b->compiled.literals.n = 0;
  b->compiled.n_bytes = 0;
  b->compiled.is_renamed = false;
  bx_walk out = {.b = b, .words = &b->compiled.words, .rd = w->rd};
  const fl_str *section = bx_intern(&out, FL_STR("EventData"));
  const fl_str *data = bx_intern(&out, FL_STR("Data"));
  FL_TRY(bx_put_text(&out, BX_OPEN, section, err));
  for (uint32_t i = 0; i < n; i++) {
    FL_TRY(bx_put_text(&out, BX_OPEN, data, err));
    FL_TRY(bx_put(&out, BX_SUB, bx_sub((uint16_t)i, FL_T_NULL), err));
    FL_TRY(bx_put(&out, BX_CLOSE, 0, err));
  }
  FL_TRY(bx_put(&out, BX_CLOSE, 0, err));
  *ret_definition = bx_keep_definition(b, fl_hash_mix(n, HASH_WITHOUT_NAMES));
  if (!*ret_definition) return fl_fail(err, FL_E_LIMIT, 0, "no room for another template");
  b->recovery->is_without_names = true;
  return FL_OK;
}

static fl_status missing(bx_walk *w, uint32_t id, fl_err *err) {
  w->b->recovery->is_missing = true;
  w->b->recovery->missing = id;
  return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "template 0x%08x is nowhere to be found", id);
}

/* Old and new records name different templates by the same offset: what the chunk's cache knows of
 * an offset is asked only when the id agrees. */
static bool has_id_at(const bx *b, uint32_t offset, uint32_t id) {
  return offset <= b->n_bytes && b->n_bytes - offset >= BX_DEFINITION_HEADER &&
         fl_le32(b->bytes + offset + 4) == id;
}

fl_status bx_recover_template(bx_walk *w, uint32_t id, uint32_t offset,
                              const bx_definition **ret_definition, fl_err *err) {
  fl_rd at = w->rd;
  const bool is_inline = offset == at.pos;
  if (is_inline) {
    fl_rd_skip(&at, BX_DEFINITION_HEADER - 4);
    const uint32_t size = fl_rd_u32(&at);
    fl_rd_skip(&at, size);
  }
  value_table table = {0};
  const bx_recovery *r = w->b->recovery;
  if (!fl_rd_ok(&at) || !read_table(at, &table) || (table.n_left > MOST_PADDING && !r->is_torn))
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "values do not fit their table");
  fl_status s = FL_E_CORRUPT;
  if (has_id_at(w->b, offset, id)) s = bx_find_template(w, id, offset, ret_definition, err);
  if (s == FL_E_NOMEM) return s;
  if (s == FL_OK && fits((*ret_definition)->template, &table)) {
    w->b->recovery->is_renamed |= (*ret_definition)->is_renamed;
    return FL_OK;
  }
  if (r->known && find_known(w, id, &table)) {
    *ret_definition = &w->b->recovery->found;
    return FL_OK;
  }
  if (w->depth > 0 && r->may_lose_names) return lose_names(w, table.n, ret_definition, err);
  return missing(w, id, err);
}

void bx_recover(bx *b, bx_recovery *recovery) {
  b->recovery = recovery;
  b->is_doubted = recovery != NULL;
  bx_new_batch(b); /* names that were found without a look at their hash do not count */
}

/* ---- records in part ---- */

/* Elements at the end that were opened and got no content: what they held is not known to be
 * nothing. */
static void drop_begun(bx_walk *w, unsigned *depth) {
  bx_words *words = w->words;
  while (*depth > 0) {
    size_t at = words->n;
    uint32_t n_slots = 0;
    while (bx_word_tag(words->items[at - 1]) != BX_OPEN) {
      const bx_tag tag = bx_word_tag(words->items[--at]);
      if (tag == BX_SLOT) n_slots++;
      if (tag != BX_SLOT && tag != BX_CONST && tag != BX_ATTR && tag != BX_ATTR_END) return;
    }
    const bool has_text = at < words->n && bx_word_tag(words->items[words->n - 1]) != BX_ATTR_END;
    if (has_text) return;
    words->n = at - 1;
    w->rows->n_slots -= n_slots;
    --*depth;
  }
}

fl_status bx_walk_sound_part(bx_walk *w, bx_token_walk walk_token, fl_err *err) {
  unsigned depth = 0;
  while (fl_rd_left(&w->rd) > 0) {
    const size_t n_words = w->words->n;
    const uint32_t n_slots = w->rows->n_slots;
    const unsigned n_open = depth;
    const uint8_t token = fl_rd_u8(&w->rd);
    if (token == BX_TOKEN_EOF) break;
    const fl_status status = walk_token(w, token, &depth, err);
    if (status == FL_OK) continue;
    if (status != FL_E_CORRUPT && status != FL_E_UNSUPPORTED) return status;
    w->b->recovery->is_without_parts = true;
    w->words->n = n_words;
    w->rows->n_slots = n_slots;
    w->rd.pos = w->rd.n;
    depth = n_open;
    drop_begun(w, &depth);
  }
  w->b->recovery->is_without_parts |= depth > 0;
  for (; depth > 0; depth--) FL_TRY(bx_put(w, BX_CLOSE, 0, err));
  return FL_OK;
}

/* ---- harvest ---- */

/* A chunk that is made to hold thousands of definitions inside each other costs no more than this
 * many bytes. */
enum { MOST_HARVEST = 8 * 65536 };

typedef struct harvest {
  bx *b;
  uint32_t source;
  bx_known *known;
  size_t n_left; /* bytes */
} harvest;

/* Literals for as long as the source is read. */
static const bx_literal *keep_literals(const bx *b, const bx_definition *d) {
  const uint32_t n = d->template->n_literals;
  if (d->is_kept || n == 0) return d->literals;
  bx_literal *literals = FL_NEW_ARRAY(b->job->arena, bx_literal, n);
  if (literals) memcpy(literals, d->literals, n * sizeof *literals);
  return literals;
}

/* A definition at `offset` whose body is a fragment; what does not compile is none. */
static fl_status harvest_at(harvest *h, size_t offset, fl_err *err) {
  bx *b = h->b;
  if (offset < 512 || offset > b->n_bytes || b->n_bytes - offset < BX_DEFINITION_HEADER + 4)
    return FL_OK;
  const uint8_t *p = b->bytes + offset;
  const uint32_t id = fl_le32(p + 4);
  const uint32_t size = fl_le32(p + BX_DEFINITION_HEADER - 4);
  if (p[BX_DEFINITION_HEADER] != BX_TOKEN_FRAGMENT || size > h->n_left) return FL_OK;
  h->n_left -= size;
  fl_rows none = {.arena = b->chunk_arena}; /* a walk outside of a definition that adds nothing */
  bx_walk w = {.b = b, .rows = &none, .rd = fl_rd_of(b->bytes, b->n_bytes)};
  const bx_definition *d = NULL;
  b->is_temporary = false;
  b->rows = &none;
  const fl_status s = bx_find_template(&w, id, (uint32_t)offset, &d, err);
  if (s < FL_OK) return s == FL_E_NOMEM ? s : FL_OK;
  if (b->is_temporary) return FL_OK; /* its names live as long as the chunk */
  const bx_known_item item = {id, h->source, d->template, keep_literals(b, d), NULL, d->is_renamed};
  return bx_known_add(h->known, &item) ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

/* Chains of the template table may loop, so steps are counted. */
static fl_status harvest_table(harvest *h, fl_err *err) {
  const bx *b = h->b;
  unsigned n_steps = 0;
  if (b->n_bytes < TEMPLATE_TABLE + 4 * TEMPLATE_BUCKETS) return FL_OK;
  for (unsigned i = 0; i < TEMPLATE_BUCKETS; i++) {
    size_t offset = fl_le32(b->bytes + TEMPLATE_TABLE + 4 * (size_t)i);
    while (offset >= 512 && offset <= b->n_bytes - 4 && n_steps++ < MOST_DEFINITIONS) {
      FL_TRY(harvest_at(h, offset, err));
      offset = fl_le32(b->bytes + offset);
    }
  }
  return FL_OK;
}

fl_status bx_harvest(bx *b, size_t from, uint32_t source, bx_known *known, fl_err *err) {
  static const uint8_t head[] = {BX_TOKEN_FRAGMENT, 1, 1};
  harvest h = {b, source, known, MOST_HARVEST};
  FL_TRY(harvest_table(&h, err));
  while (from < b->n_bytes) {
    const uint8_t *hit = memmem(b->bytes + from, b->n_bytes - from, head, sizeof head);
    if (!hit) break;
    const size_t at = (size_t)(hit - b->bytes);
    from = at + 1;
    if (at < 512 + BX_DEFINITION_HEADER || b->n_bytes - at < 5) continue;
    const uint8_t token = b->bytes[at + 4] & (uint8_t)~BX_TOKEN_MORE;
    const uint32_t size = fl_le32(b->bytes + at - 4);
    if (token == BX_TOKEN_OPEN && size >= 8 && size <= b->n_bytes - at)
      FL_TRY(harvest_at(&h, at - BX_DEFINITION_HEADER, err));
  }
  return FL_OK;
}
