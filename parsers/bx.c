/* bx.c - the BinXML token walk: template definitions become words, records become keys and slots.
 *
 * Layouts (MS-EVEN6 2.2.12, checked against real files), offsets relative to the chunk:
 *   name         u32 next, u16 hash, u16 n, n x UTF-16, u16 0; inline exactly where first used
 *   element      u8 01|41, [u16 dependency: value index or ffff], u32 size, u32 name, [inline
 * name], 41: u32 size of the attributes that follow attribute    u8 06|46, u32 name, [inline name],
 * content text         u8 05|45, u8 type 1, u16 n, n x UTF-16;  cdata u8 07|47, u16 n, … charref u8
 * 08|48, u16 code;  entity u8 09|49, u32 name substitution u8 0d|0e, u16 index, u8 type instance u8
 * 0c, u8 1, u32 id, u32 definition, [inline definition], u32 n, n x {u16 size, u8 type, u8 0}, the
 * values definition   u32 next, GUID (first word = id), u32 size, fragment of that size fragment u8
 * 0f, u8 1, u8 1, u8 flags, tokens, u8 00 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/text.h"
#include "parsers/bx_walk.h"
#include "parsers/run.h"

enum { NO_DEPENDENCY = 0xffff };

fl_status bx_create(fl_job *job, bx_store *store, unsigned number, bx **ret_bx, fl_err *err) {
  bx *b = calloc(1, sizeof *b);
  fl_arena *scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_arena *chunk_arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!b || !scratch || !chunk_arena) {
    free(b);
    fl_arena_free(scratch);
    fl_arena_free(chunk_arena);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  b->job = job;
  b->store = store;
  b->scratch = scratch;
  b->chunk_arena = chunk_arena;
  (void)fl_arena_take(scratch, 1); /* its first block is never a larger one */
  b->n_temporary = (uint64_t)number << 32;
  *ret_bx = b;
  return FL_OK;
}

void bx_free(bx *b) {
  if (!b) return;
  fl_arena_free(b->scratch);
  fl_arena_free(b->chunk_arena);
  free(b->temporary);
  free(b->key.items);
  free(b->compiled.words.items);
  free(b->compiled.names.items);
  free(b->compiled.literals.items);
  free(b);
}

void bx_chunk(bx *b, const uint8_t *bytes, size_t n_bytes) {
  b->bytes = bytes;
  b->n_bytes = n_bytes;
  b->n_definition_bytes = 0;
  bx_new_batch(b);
  b->n_built_bytes = 0;
  b->template_bits = 0;
  b->is_doubted = b->recovery != NULL;
  fl_arena_reset(b->scratch);
  fl_arena_reset(b->chunk_arena);
}

void bx_new_batch(bx *b) {
  b->chunk++;
  b->n_definitions = 0;
  b->n_temporaries = 0;
}

void bx_doubt(bx *b) { b->is_doubted = true; }

uint64_t bx_template_bits(const bx *b) { return b->template_bits; }

static fl_status put_const(bx_walk *w, fl_raw raw, fl_err *err) {
  const fl_str text = fl_raw_text(raw, w->b->scratch);
  return bx_put_text(w, BX_CONST, bx_intern(w, text), err);
}

/* Text that differs between the machines that wrote a definition. */
static fl_status put_literal(bx_walk *w, fl_raw raw, fl_err *err) {
  bx_compiled *to = &w->b->compiled;
  bx_literals *literals = &to->literals;
  const bool is_in_place = raw.type == FL_T_STR16; /* joined texts are UTF-8 */
  const uint32_t at = is_in_place ? (uint32_t)(raw.p - to->bytes) : 0;
  const fl_str *text = bx_intern(w, fl_raw_text(raw, w->b->scratch));
  if (!text ||
      !fl_grow((void **)&literals->items, &literals->cap, literals->n + 1, sizeof *literals->items))
    return fl_fail(err, FL_E_LIMIT, w->rd.pos, "no room for another name");
  literals->items[literals->n++] = (bx_literal){text, at, is_in_place ? raw.n : 0};
  return bx_put(w, BX_LITERAL, literals->n - 1, err);
}

/* Text of a definition is constant; of a record it is a value, but for what names its field. */
static fl_status walk_text(bx_walk *w, bool is_name_of_field, fl_err *err) {
  fl_raw raw;
  FL_TRY(bx_read_run(w, &raw, err));
  if (w->rows && !is_name_of_field) return bx_put_slot(w, raw, err);
  if (!w->rows && w->element && fl_str_eq(*w->element, FL_STR("Computer")))
    return put_literal(w, raw, err);
  return put_const(w, raw, err);
}

static fl_status walk_substitution(bx_walk *w, fl_err *err) {
  const uint8_t token = fl_rd_u8(&w->rd);
  const uint16_t index = fl_rd_u16(&w->rd);
  const uint8_t declared = fl_rd_u8(&w->rd); /* the record's value table decides */
  if (!fl_rd_ok(&w->rd)) return bx_cut_short(w, "substitution", err);
  if (w->rows)
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos - 4, "substitution %u outside of a template",
                   index);
  return bx_put(w, token == BX_TOKEN_SUB_OPT ? BX_SUB_OPT : BX_SUB, bx_sub(index, declared), err);
}

/* ---- elements ---- */

/* Some fragments have a dependency id in front of the element's size and some have not: the name
 * offset tells. */
static bool has_dependency_id(const bx_walk *w) {
  const size_t left = fl_rd_left(&w->rd);
  const uint8_t *p = w->rd.p + w->rd.pos;
  const bool with = left >= 10 && bx_is_name(w, fl_le32(p + 6), w->rd.pos + 10);
  const bool without = left >= 8 && bx_is_name(w, fl_le32(p + 4), w->rd.pos + 8);
  return with || !without;
}

/* With attributes an element's header ends with their size, before an inline name is over. */
static fl_status walk_attribute(bx_walk *w, const fl_str *element, fl_err *err) {
  fl_rd_skip(&w->rd, 1);
  const fl_str *name = NULL;
  FL_TRY(bx_read_name(w, &name, err));
  FL_TRY(bx_put_text(w, BX_ATTR, name, err));
  const bool names_field = bx_names_field(*name, *element);
  while (fl_rd_left(&w->rd) > 0) {
    const uint8_t token = w->rd.p[w->rd.pos];
    if (bx_is_content(token)) FL_TRY(walk_text(w, names_field, err));
    else if (token == BX_TOKEN_SUB || token == BX_TOKEN_SUB_OPT) FL_TRY(walk_substitution(w, err));
    else break;
  }
  return bx_put(w, BX_ATTR_END, 0, err);
}

static fl_status walk_open(bx_walk *w, uint8_t token, unsigned *depth, fl_err *err) {
  uint16_t dependency = NO_DEPENDENCY;
  if (has_dependency_id(w)) dependency = fl_rd_u16(&w->rd);
  fl_rd_skip(&w->rd, 4); /* size of the element: the tokens say where it ends */
  const fl_str *name = NULL;
  FL_TRY(bx_read_name(w, &name, err));
  if (++*depth > FL_LIMIT_ELEMENT_DEPTH)
    return fl_fail(err, FL_E_LIMIT, w->rd.pos, "more than %d elements inside each other",
                   FL_LIMIT_ELEMENT_DEPTH);
  FL_TRY(bx_put_text(w, BX_OPEN, name, err));
  if (dependency != NO_DEPENDENCY && !w->rows) FL_TRY(bx_put(w, BX_DEPENDS, dependency, err));
  w->element = name;
  if (token & BX_TOKEN_MORE) fl_rd_skip(&w->rd, 4);
  while (fl_rd_left(&w->rd) > 0 && (w->rd.p[w->rd.pos] & ~BX_TOKEN_MORE) == BX_TOKEN_ATTRIBUTE)
    FL_TRY(walk_attribute(w, name, err));
  const uint8_t end = fl_rd_u8(&w->rd);
  if (!fl_rd_ok(&w->rd)) return bx_cut_short(w, "element", err);
  if (end == BX_TOKEN_CLOSE_START) return FL_OK;
  if (end != BX_TOKEN_CLOSE_EMPTY)
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos - 1,
                   "token 0x%02x after the start of element %.*s, expected 0x02 or 0x03", end,
                   FL_STR_ARG(*name));
  --*depth;
  return bx_put(w, BX_CLOSE, 0, err);
}

static fl_status walk_pi(bx_walk *w, fl_err *err) {
  const fl_str *target = NULL;
  FL_TRY(bx_read_name(w, &target, err));
  fl_str text = *target;
  if (fl_rd_left(&w->rd) > 0 && w->rd.p[w->rd.pos] == BX_TOKEN_PI_DATA) {
    fl_rd_skip(&w->rd, 1);
    bx_piece p = {0};
    FL_TRY(bx_read_units(w, &p, err));
    const fl_str data = fl_raw_text(p.raw, w->b->scratch);
    text = fl_arena_printf(w->b->scratch, "%.*s %.*s", FL_STR_ARG(*target), FL_STR_ARG(data));
  }
  return bx_put_text(w, BX_PI, bx_intern(w, text), err);
}

/* ---- templates ---- */

static fl_status walk_fragment(bx_walk *w, fl_err *err);

static fl_status compile(bx_walk *w, const bx_place *place, const bx_definition **ret_definition,
                         fl_err *err) {
  bx *b = w->b;
  if (!w->rows)
    return fl_fail(err, FL_E_UNSUPPORTED, w->rd.pos, "template inside a template definition");
  b->compiled.words.n = b->compiled.names.n = b->compiled.literals.n = 0;
  b->compiled.bytes = place->bytes;
  b->compiled.n_bytes = place->n_bytes;
  b->compiled.is_renamed = false;
  bx_walk inner = {.b = b, .words = &b->compiled.words, .depth = w->depth};
  inner.rd = fl_rd_of(b->bytes, place->offset + BX_DEFINITION_HEADER + place->n_bytes);
  fl_rd_seek(&inner.rd, place->offset + BX_DEFINITION_HEADER);
  const bool was_temporary = b->is_temporary;
  b->is_temporary = false;
  FL_TRY(walk_fragment(&inner, err));
  if (b->is_doubted && fl_rd_left(&inner.rd) > 0)
    return fl_fail(err, FL_E_CORRUPT, place->offset,
                   "template definition ends %zu bytes before its end", fl_rd_left(&inner.rd));
  if (b->recovery) FL_TRY(bx_recover_names(&inner, err));
  *ret_definition = bx_keep_definition(b, place->hash);
  b->is_temporary |= was_temporary;
  if (!*ret_definition)
    return fl_fail(err, FL_E_LIMIT, place->offset, "no room for another template");
  return FL_OK;
}

/* For the records of other sources, whose machines' names are not this one's. */
static fl_status learn(bx_walk *w, uint32_t id, const bx_definition *d, fl_err *err) {
  if (!w->b->name) w->b->name = bx_store_intern(w->b->store, w->b->job->name);
  const bx_known_item item = {id,   w->b->job->source_id, d->template,
                              NULL, w->b->name,           d->is_renamed};
  if (!w->b->name || bx_store_learn(w->b->store, &item)) return FL_OK;
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

/* Where the definition at an offset is remembered for the rest of the chunk. */
static bx_cached *template_place(bx *b, uint32_t offset) {
  uint32_t at = (offset * 2654435761u) >> 20;
  while (b->templates[at].chunk == b->chunk && b->templates[at].offset != offset)
    at = (at + 1) & (BX_TEMPLATE_CACHE - 1);
  return &b->templates[at];
}

/* A chunk that is made to hold thousands of definitions inside each other. */
static fl_status count_definition(bx_walk *w, uint32_t n_bytes, fl_err *err) {
  bx *b = w->b;
  if (!b->recovery) b->n_definition_bytes += n_bytes;
  if (b->n_definition_bytes <= FL_LIMIT_CHUNK_DEFINITIONS && b->n_definitions < BX_MOST_DEFINITIONS)
    return FL_OK;
  return fl_fail(err, FL_E_LIMIT, w->rd.pos,
                 "limit reached: the definitions of its chunk are too many");
}

static fl_status find_place(bx_walk *w, uint32_t id, uint32_t offset, bx_place *ret_place,
                            fl_err *err) {
  fl_rd rd = fl_rd_of(w->b->bytes, w->b->n_bytes);
  fl_rd_seek(&rd, offset);
  fl_rd_skip(&rd, 4);
  const uint32_t first_word = fl_rd_u32(&rd);
  fl_rd_skip(&rd, 12);
  const uint32_t size = fl_rd_u32(&rd);
  const uint8_t *body = fl_rd_bytes(&rd, size);
  if (!fl_rd_ok(&rd))
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos,
                   "template definition at %u lies outside of the chunk", offset);
  if (first_word != id)
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "template 0x%08x at %u, expected 0x%08x",
                   first_word, offset, id);
  *ret_place = (bx_place){offset, size, body, fl_hash_mix(fl_hash_mix(id, offset), size)};
  return count_definition(w, size, err);
}

static fl_status load_template(bx_walk *w, uint32_t id, uint32_t offset,
                               const bx_definition **ret_definition, fl_err *err) {
  bx_place place = {0};
  FL_TRY(find_place(w, id, offset, &place, err));
  *ret_definition = bx_find_definition(w, &place);
  if (*ret_definition) return FL_OK;
  FL_TRY(compile(w, &place, ret_definition, err));
  return (*ret_definition)->template->id & BX_TEMPORARY ? FL_OK
                                                        : learn(w, id, *ret_definition, err);
}

fl_status bx_find_template(bx_walk *w, uint32_t id, uint32_t offset,
                           const bx_definition **ret_definition, fl_err *err) {
  bx *b = w->b;
  const bx_cached *cached = template_place(b, offset);
  if (cached->chunk == b->chunk && fl_le32(b->bytes + offset + 4) == id) {
    *ret_definition = cached->value;
  } else {
    FL_TRY(load_template(w, id, offset, ret_definition, err));
    *template_place(b, offset) = (bx_cached){offset, b->chunk, *ret_definition};
    b->n_definitions++;
    b->template_bits |= bx_template_bit(id);
  }
  b->is_temporary |= ((*ret_definition)->template->id & BX_TEMPORARY) != 0;
  return FL_OK;
}

/* The values of one instance: slots [first, first + n), from `first_nested` on some are fragments.
 */
typedef struct bx_values {
  uint32_t first, n, first_nested; /* first_nested: n when none is */
} bx_values;

/* The value table: descriptors, then the values one after the other. */
static fl_status read_values(bx_walk *w, bx_values *ret_values, fl_err *err) {
  const uint32_t n = fl_rd_u32(&w->rd);
  if (!fl_rd_ok(&w->rd) || n > FL_LIMIT_TEMPLATE_VALUES || !fl_rd_fits(&w->rd, n, 4))
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "%u template values do not fit the record", n);
  *ret_values = (bx_values){w->rows->n_slots, n, n};
  if (n == 0) return FL_OK;
  FL_TRY(fl_rows_slots(w->rows, n, err));
  const uint8_t *table = fl_rd_bytes(&w->rd, (size_t)n * 4);
  fl_raw *slots = w->rows->slots + w->rows->n_slots;
  const uint8_t *at = w->rd.p + w->rd.pos;
  const uint8_t *end = w->rd.p + w->rd.n;
  uint32_t first_nested = n;
  for (uint32_t i = n; i-- > 0;)
    if (table[4 * i + 2] == FL_T_BINXML) first_nested = i;
  for (uint32_t i = 0; i < n; i++, table += 4) {
    const uint32_t size = fl_le16(table);
    if (size > (size_t)(end - at)) return bx_cut_short(w, "template value", err);
    slots[i] = (fl_raw){at, size, table[2], 0};
    at += size;
  }
  ret_values->first_nested = first_nested;
  w->rd.pos = (size_t)(at - w->rd.p);
  w->rows->n_slots += n;
  w->n_steps += n;
  return FL_OK;
}

/* Values that are fragments themselves, as EventData in every ordinary record. */
static fl_status walk_nested(bx_walk *w, const bx_values *values, fl_err *err) {
  for (uint32_t i = values->first_nested; i < values->n; i++) {
    const fl_raw value = w->rows->slots[values->first + i];
    if (value.type != FL_T_BINXML || value.n == 0) continue;
    if (w->depth >= FL_LIMIT_TEMPLATE_DEPTH)
      return fl_fail(err, FL_E_LIMIT, w->rd.pos, "more than %d templates inside each other",
                     FL_LIMIT_TEMPLATE_DEPTH);
    FL_TRY(bx_put(w, BX_NEST, i, err));
    bx_walk inner = {.b = w->b,
                     .rows = w->rows,
                     .words = w->words,
                     .depth = w->depth + 1,
                     .n_steps = w->n_steps};
    inner.rd = fl_rd_of(w->b->bytes, (size_t)(value.p - w->b->bytes) + value.n);
    fl_rd_seek(&inner.rd, (size_t)(value.p - w->b->bytes));
    FL_TRY(walk_fragment(&inner, err));
    w->n_steps = inner.n_steps;
    FL_TRY(bx_put(w, BX_END, 0, err));
  }
  return FL_OK;
}

fl_status bx_add_literals(bx_walk *w, const bx_definition *d, fl_err *err) {
  const uint32_t n = d->template->n_literals;
  FL_TRY(fl_rows_slots(w->rows, n, err));
  for (uint32_t i = 0; i < n; i++) {
    const fl_str *text = d->literals ? d->literals[i].text : NULL;
    w->rows->slots[w->rows->n_slots++] =
        text ? (fl_raw){(const uint8_t *)text->p, (uint32_t)text->n, FL_T_UTF8, 0} : (fl_raw){0};
  }
  return FL_OK;
}

static fl_status walk_instance(bx_walk *w, fl_err *err) {
  fl_rd_skip(&w->rd, 1);
  const uint32_t id = fl_rd_u32(&w->rd);
  const uint32_t offset = fl_rd_u32(&w->rd);
  if (!fl_rd_ok(&w->rd)) return bx_cut_short(w, "template instance", err);
  const bx_definition *d = NULL;
  if (w->b->recovery) FL_TRY(bx_recover_template(w, id, offset, &d, err));
  else FL_TRY(bx_find_template(w, id, offset, &d, err));
  if (offset == w->rd.pos) {
    fl_rd_skip(&w->rd, BX_DEFINITION_HEADER - 4);
    const uint32_t size = fl_rd_u32(&w->rd);
    fl_rd_skip(&w->rd, size);
    if (!fl_rd_ok(&w->rd)) return bx_cut_short(w, "template definition", err);
  }
  if (!w->rows) return fl_fail(err, FL_E_UNSUPPORTED, w->rd.pos, "template inside a definition");
  bool is_left_out = false;
  FL_TRY(bx_leave_out_early(w, d, &is_left_out, err));
  if (is_left_out) return FL_OK;
  bx_values values = {0};
  FL_TRY(read_values(w, &values, err));
  FL_TRY(bx_put(w, BX_INSTANCE, (uint64_t)d->template->id << 16 | values.n, err));
  FL_TRY(bx_add_literals(w, d, err));
  return walk_nested(w, &values, err);
}

/* ---- fragments and records ---- */

static fl_status walk_token(bx_walk *w, uint8_t token, unsigned *depth, fl_err *err) {
  if (bx_is_content(token)) {
    w->rd.pos--;
    return walk_text(w, false, err);
  }
  switch (token) {
    case BX_TOKEN_OPEN:
    case BX_TOKEN_OPEN | BX_TOKEN_MORE:
      return walk_open(w, token, depth, err);
    case BX_TOKEN_END:
      if (*depth == 0) break;
      --*depth;
      return bx_put(w, BX_CLOSE, 0, err);
    case BX_TOKEN_SUB:
    case BX_TOKEN_SUB_OPT:
      w->rd.pos--;
      return walk_substitution(w, err);
    case BX_TOKEN_PI_TARGET:
      return walk_pi(w, err);
    case BX_TOKEN_INSTANCE:
      return walk_instance(w, err);
    case BX_TOKEN_FRAGMENT:
      fl_rd_skip(&w->rd, 3);
      return fl_rd_ok(&w->rd) ? FL_OK : bx_cut_short(w, "fragment header", err);
    default:
      break;
  }
  return fl_fail(err, FL_E_CORRUPT, w->rd.pos - 1, "token 0x%02x, which no BinXML has here", token);
}

static fl_status walk_fragment(bx_walk *w, fl_err *err) {
  unsigned depth = 0;
  if (w->b->recovery && bx_may_lose_parts(w)) return bx_walk_sound_part(w, walk_token, err);
  while (fl_rd_left(&w->rd) > 0) {
    const uint8_t token = fl_rd_u8(&w->rd);
    if (token == BX_TOKEN_EOF) break;
    FL_TRY(walk_token(w, token, &depth, err));
  }
  if (depth == 0) return FL_OK;
  return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "%u elements are left open at the end", depth);
}

/* System/TimeCreated, or the record header's time where it has none. */
static void set_time(const fl_rows *rows, fl_row *row) {
  const fl_ref *ref = &row->shape->columns[FL_C_TIME];
  const fl_raw raw = ref->kind == FL_REF_SLOT ? rows->slots[row->slot0 + ref->slot] : ref->constant;
  bool is_known = false;
  if (raw.type == FL_T_FILETIME && raw.n == 8) {
    is_known = fl_time_from_filetime(fl_le64(raw.p), &row->t);
  } else if (raw.type == FL_T_STR16 && raw.n <= 2 * FL_TIME_TEXT_MAX) {
    char text[3 * FL_TIME_TEXT_MAX];
    const fl_raw trimmed = fl_raw_trim(raw);
    is_known =
        fl_time_parse((fl_str){text, fl_utf16_to_utf8(trimmed.p, trimmed.n / 2, text)}, &row->t);
  } else if (raw.type == FL_T_UTF8) {
    is_known = fl_time_parse((fl_str){(const char *)raw.p, raw.n}, &row->t);
  } else if (raw.type == FL_T_NULL && row->t_written) {
    row->t = row->t_written;
    is_known = true;
  }
  if (!is_known) {
    row->t = 0;
    row->flags |= FL_F_TIME_INVALID;
  }
}

/* Another document may follow the end of the first; padding has no room for one. */
static bool is_document(const bx_walk *w) {
  const uint8_t *p = w->rd.p + w->rd.pos;
  return fl_rd_left(&w->rd) > BX_PADDING_MAX && p[0] == BX_TOKEN_FRAGMENT && p[1] == 1 && p[2] == 1;
}

/* The documents of a record. One that is damaged behind a sound one costs only itself. */
static fl_status walk_documents(bx_walk *w, fl_row *row, fl_err *err) {
  FL_TRY(walk_fragment(w, err));
  while (is_document(w)) {
    const size_t n_words = w->words->n;
    const uint32_t n_slots = w->rows->n_slots;
    if (walk_fragment(w, NULL) == FL_OK && w->words->n > n_words) continue;
    w->words->n = n_words;
    w->rows->n_slots = n_slots;
    row->flags |= FL_F_TRUNCATED;
    break;
  }
  return FL_OK;
}

fl_status bx_end_record(bx *b, uint32_t slot0, fl_rows *rows, fl_row *row, fl_err *err) {
  if (b->key.n == 0) return fl_fail(err, FL_E_CORRUPT, 0, "record without content");
  FL_TRY(bx_find_shape(b, rows, &row->shape, err));
  row->slot0 = slot0;
  set_time(rows, row);
  return FL_OK;
}

/* Its time is counted, its values are not kept. */
static fl_status leave_out(const bx_walk *w, uint32_t n_slots, fl_row *row) {
  row->shape = w->left_out;
  row->slot0 = n_slots;
  row->flags |= FL_ROW_LEFT_OUT;
  set_time(w->rows, row);
  w->rows->n_slots = n_slots;
  return FL_OK;
}

fl_status bx_record(bx *b, size_t from, size_t to, fl_rows *rows, fl_row *row, fl_err *err) {
  const uint32_t n_slots = rows->n_slots;
  fl_arena_reset(b->scratch);
  b->key.n = 0;
  b->is_temporary = false;
  b->rows = rows;
  bx_walk w = {.b = b, .rows = rows, .words = &b->key};
  w.rd = fl_rd_of(b->bytes, to);
  fl_rd_seek(&w.rd, from);
  fl_status status = walk_documents(&w, row, err);
  if (status == FL_OK && w.left_out) return leave_out(&w, n_slots, row);
  if (status == FL_OK) status = bx_end_record(b, n_slots, rows, row, err);
  if (status < FL_OK) rows->n_slots = n_slots;
  else bx_learn_early(b, row->shape);
  return status;
}
