/* bx_text.c - names and texts of BinXML, and the words that a walk gives. */
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/text.h"
#include "parsers/bx_walk.h"

fl_status bx_cut_short(const bx_walk *w, const char *what, fl_err *err) {
  return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "%s runs past the end of its record", what);
}

/* At a limit, or with more words than before. */
fl_status bx_put_slowly(bx_walk *w, bx_tag tag, uint64_t payload, fl_err *err) {
  bx_words *words = w->words;
  if (++w->n_steps > FL_LIMIT_RECORD_STEPS)
    return fl_fail(err, FL_E_LIMIT, w->rd.pos, "record has more than %d tokens and values",
                   FL_LIMIT_RECORD_STEPS);
  if (!fl_grow((void **)&words->items, &words->cap, words->n + 1, sizeof *words->items))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  words->items[words->n++] = bx_word(tag, payload);
  return FL_OK;
}

fl_status bx_no_room(const bx_walk *w, fl_err *err) {
  return fl_fail(err, FL_E_LIMIT, w->rd.pos, "no room for another name");
}

fl_status bx_put_slot(bx_walk *w, fl_raw raw, fl_err *err) {
  FL_TRY(fl_rows_slots(w->rows, 1, err));
  w->rows->slots[w->rows->n_slots++] = raw;
  return bx_put(w, BX_SLOT, 0, err);
}

/* ---- names ---- */

/* h = h * 65599 + unit, low 16 bits. */
uint16_t bx_name_hash(const uint8_t *units, size_t n_units) {
  uint32_t h = 0;
  for (size_t i = 0; i < n_units; i++) h = h * 65599u + fl_le16(units + 2 * i);
  return (uint16_t)h;
}

/* The name at an offset of the chunk, and how long its bytes are. */
static fl_status load_name(bx_walk *w, uint32_t offset, const fl_str **ret_name, size_t *ret_length,
                           fl_err *err) {
  fl_rd rd = fl_rd_of(w->b->bytes, w->b->n_bytes);
  fl_rd_seek(&rd, offset);
  fl_rd_skip(&rd, 4);
  const uint16_t hash = fl_rd_u16(&rd);
  const size_t n_units = fl_rd_u16(&rd);
  const uint8_t *units = fl_rd_bytes(&rd, n_units * 2);
  fl_rd_skip(&rd, 2);
  if (!fl_rd_ok(&rd))
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "name offset %u lies outside of the chunk",
                   offset);
  *ret_length = 10 + n_units * 2;
  char text[3 * 256];
  if (n_units == 0 || n_units > 256)
    return fl_fail(err, FL_E_CORRUPT, offset, "name of %zu characters, expected 1 to 256", n_units);
  if (w->b->is_doubted && bx_name_hash(units, n_units) != hash)
    return fl_fail(err, FL_E_CORRUPT, offset, "name at %u does not have the hash 0x%04x", offset,
                   hash);
  const fl_str name = {text, fl_utf16_to_utf8(units, n_units, text)};
  *ret_name = bx_intern(w, name);
  if (!*ret_name) return fl_fail(err, FL_E_LIMIT, w->rd.pos, "no room for another name");
  return FL_OK;
}

static bx_cached *name_place(bx *b, uint32_t offset) {
  return &b->names[(offset * 2654435761u) >> 22];
}

/* The name at an offset, remembered for the rest of the chunk. */
fl_status bx_find_name(bx_walk *w, uint32_t offset, const fl_str **ret_name, size_t *ret_length,
                       fl_err *err) {
  bx_cached *place = name_place(w->b, offset);
  if (!ret_length && place->chunk == w->b->chunk && place->offset == offset) {
    *ret_name = place->value;
    return FL_OK;
  }
  size_t length = 0;
  FL_TRY(load_name(w, offset, ret_name, &length, err));
  if (!w->b->is_temporary) *place = (bx_cached){offset, w->b->chunk, *ret_name};
  if (ret_length) *ret_length = length;
  return FL_OK;
}

static fl_status note_outside_name(bx_walk *w, uint32_t offset, const fl_str *name, fl_err *err) {
  bx_name_refs *refs = &w->b->compiled.names;
  if (!fl_grow((void **)&refs->items, &refs->cap, refs->n + 1, sizeof *refs->items))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  refs->items[refs->n++] = (bx_name_ref){offset, name};
  return FL_OK;
}

/* Reads a u32 name offset and steps over the name where it stands inline. */
fl_status bx_read_name(bx_walk *w, const fl_str **ret_name, fl_err *err) {
  const uint32_t offset = fl_rd_u32(&w->rd);
  if (!fl_rd_ok(&w->rd)) return bx_cut_short(w, "name", err);
  if (offset != w->rd.pos) {
    const fl_status status = bx_find_name(w, offset, ret_name, NULL, err);
    const bx_recovery *r = w->b->recovery;
    const bool is_replaced = r && offset < r->live_end && w->rd.pos >= r->live_end;
    if (r && !w->rows && (is_replaced || status < FL_OK)) *ret_name = bx_lost_name(w, offset);
    else FL_TRY(status);
    if (!*ret_name) return fl_fail(err, FL_E_LIMIT, w->rd.pos, "no room for another name");
    return w->rows ? FL_OK : note_outside_name(w, offset, *ret_name, err);
  }
  size_t length = 0;
  FL_TRY(bx_find_name(w, offset, ret_name, &length, err));
  fl_rd_skip(&w->rd, length);
  return fl_rd_ok(&w->rd) ? FL_OK : bx_cut_short(w, "name", err);
}

/* A place where a name can be: inline at `at`, or earlier or later with a fitting hash. */
bool bx_is_name(const bx_walk *w, uint32_t offset, size_t at) {
  const bx_cached *place = name_place(w->b, offset);
  if (place->chunk == w->b->chunk && place->offset == offset) return true;
  if (offset < 512 || offset > w->b->n_bytes - 10) return false;
  const uint8_t *p = w->b->bytes + offset;
  const size_t n_units = fl_le16(p + 6);
  if (n_units == 0 || n_units > 256 || n_units * 2 + 10 > w->b->n_bytes - offset) return false;
  return offset == at || bx_name_hash(p + 8, n_units) == fl_le16(p + 4);
}

/* ---- text: runs of text, references and CDATA are one value ---- */

static uint32_t entity_of(fl_str name) {
  static const struct {
    const char *name;
    uint32_t code;
  } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
    if (fl_str_eq(name, fl_str_of(entities[i].name))) return entities[i].code;
  return 0;
}

bool bx_is_content(uint8_t token) {
  token &= (uint8_t)~BX_TOKEN_MORE;
  return token == BX_TOKEN_TEXT || (token >= BX_TOKEN_CDATA && token <= BX_TOKEN_ENTITY);
}

fl_status bx_read_units(bx_walk *w, bx_piece *ret_piece, fl_err *err) {
  const size_t n_units = fl_rd_u16(&w->rd);
  const uint8_t *units = fl_rd_bytes(&w->rd, n_units * 2);
  if (!fl_rd_ok(&w->rd)) return bx_cut_short(w, "text", err);
  ret_piece->raw = (fl_raw){units, (uint32_t)n_units * 2, FL_T_STR16, 0};
  return FL_OK;
}

static fl_status read_piece(bx_walk *w, bx_piece *ret_piece, fl_err *err) {
  const uint8_t token = fl_rd_u8(&w->rd) & (uint8_t)~BX_TOKEN_MORE;
  *ret_piece = (bx_piece){0};
  if (token == BX_TOKEN_TEXT) {
    const uint8_t type = fl_rd_u8(&w->rd);
    if (type != FL_T_STR16)
      return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "text of type 0x%02x, expected 0x01", type);
    return bx_read_units(w, ret_piece, err);
  }
  if (token == BX_TOKEN_CDATA) return bx_read_units(w, ret_piece, err);
  if (token == BX_TOKEN_CHARREF) {
    ret_piece->code = fl_rd_u16(&w->rd);
    return fl_rd_ok(&w->rd) ? FL_OK : bx_cut_short(w, "character reference", err);
  }
  FL_TRY(bx_read_name(w, &ret_piece->entity, err));
  ret_piece->code = entity_of(*ret_piece->entity);
  return FL_OK;
}

/* UTF-16 of a name or of one code point; a reference to half a pair stays half of it. */
static size_t put_unit(uint32_t c, uint8_t *out) {
  const bool is_pair = c >= 0x10000;
  const uint32_t first = is_pair ? 0xd800 + ((c - 0x10000) >> 10) : c;
  const uint32_t second = 0xdc00 + (c & 0x3ff);
  out[0] = (uint8_t)first;
  out[1] = (uint8_t)(first >> 8);
  if (!is_pair) return 2;
  out[2] = (uint8_t)second;
  out[3] = (uint8_t)(second >> 8);
  return 4;
}

static size_t piece_room(const bx_piece *p) {
  return p->raw.n + (p->entity ? p->entity->n + 2 : 0) * 2 + 4;
}

/* Entities that are not predefined are kept as they would stand in a text. */
static size_t write_piece(const bx_piece *p, uint8_t *out) {
  if (p->raw.type == FL_T_STR16) {
    if (p->raw.n) memcpy(out, p->raw.p, p->raw.n);
    return p->raw.n;
  }
  if (p->code || !p->entity) return put_unit(p->code, out);
  size_t n = put_unit('&', out);
  for (size_t at = 0; at < p->entity->n;) n += put_unit(fl_utf8_next(*p->entity, &at), out + n);
  return n + put_unit(';', out + n);
}

/* Reads a run. A single text stays where it is; anything else is joined in scratch or batch, in
 * UTF-16, since two references may be halves of one character. */
fl_status bx_read_run(bx_walk *w, fl_raw *ret_raw, fl_err *err) {
  bx_piece p;
  FL_TRY(read_piece(w, &p, err));
  const bool is_single = fl_rd_left(&w->rd) == 0 || !bx_is_content(w->rd.p[w->rd.pos]);
  if (is_single && p.raw.type == FL_T_STR16) {
    *ret_raw = p.raw;
    return FL_OK;
  }
  fl_arena *arena = w->rows ? w->rows->arena : w->b->scratch;
  uint8_t *text = NULL;
  size_t n = 0, cap = 0;
  for (bool more = true; more;) {
    const size_t need = n + piece_room(&p);
    if (need > FL_LIMIT_RECORD_TEXT)
      return fl_fail(err, FL_E_LIMIT, w->rd.pos, "text of more than %d bytes",
                     FL_LIMIT_RECORD_TEXT);
    if (need > cap) {
      uint8_t *grown = fl_arena_take(arena, cap = need * 2);
      if (!grown) return fl_fail(err, FL_E_LIMIT, w->rd.pos, "no room for a text");
      if (n) memcpy(grown, text, n);
      text = grown;
    }
    n += write_piece(&p, text + n);
    more = fl_rd_left(&w->rd) > 0 && bx_is_content(w->rd.p[w->rd.pos]);
    if (more) FL_TRY(read_piece(w, &p, err));
  }
  *ret_raw = (fl_raw){text, (uint32_t)n, FL_T_STR16, 0};
  return FL_OK;
}
