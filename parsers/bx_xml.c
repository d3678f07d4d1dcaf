/* bx_xml.c - a record as Event XML becomes the same key and slots as one of bare BinXML elements.
 *
 * Only what a writer of Event XML gives is read: elements, attributes, texts, the five entities and
 * character references. Comments, CDATA, declarations and document types are refused. */
#include "base/arena.h"
#include "base/text.h"
#include "parsers/bx_walk.h"

typedef struct reader {
  bx_walk w;
  uint32_t opened[FL_LIMIT_ELEMENT_DEPTH]; /* the key's words that open what is still open */
  unsigned depth;
  bool is_begun; /* nothing stands between here and the start tag in front */
} reader;

static fl_status fail_at(const reader *r, const char *expected, fl_err *err) {
  return fl_fail(err, FL_E_CORRUPT, r->w.rd.pos, "XML has something else at %zu, expected %s",
                 r->w.rd.pos, expected);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_name_char(char c) {
  const char lower = fl_lower(c);
  return (lower >= 'a' && lower <= 'z') || fl_is_digit(c) || c == '_' || c == ':' || c == '.' ||
         c == '-' || (unsigned char)c >= 0x80;
}

/* The next character, 0 at the end. */
static char peek(const reader *r) {
  const fl_rd *rd = &r->w.rd;
  return fl_rd_left(rd) ? (char)rd->p[rd->pos] : 0;
}

static bool take(reader *r, char wanted) {
  if (peek(r) != wanted) return false;
  fl_rd_skip(&r->w.rd, 1);
  return true;
}

/* Characters up to one that `belongs` refuses. */
static fl_str take_while(reader *r, bool (*belongs)(char c)) {
  fl_rd *rd = &r->w.rd;
  const size_t from = rd->pos;
  while (fl_rd_left(rd) && belongs((char)rd->p[rd->pos])) rd->pos++;
  return (fl_str){(const char *)rd->p + from, rd->pos - from};
}

static bool is_text_char(char c) { return c != '<'; }
static bool is_quoted_char(char c) { return c != '"' && c != '<'; }

/* "#x2014", "#8212" or the name of an entity. */
static bool decode_reference(fl_str name, uint32_t *ret_code) {
  static const struct {
    const char *name;
    uint32_t code;
  } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
    if (fl_str_eq(name, fl_str_of(entities[i].name))) {
      *ret_code = entities[i].code;
      return true;
    }
  char digits[16] = "0";
  if (name.n < 2 || name.n > 8 || name.p[0] != '#') return false;
  const bool is_hex = name.p[1] == 'x';
  memcpy(digits + is_hex, name.p + 1, name.n - 1);
  uint64_t number = 0;
  if (!fl_text_number((fl_str){digits, name.n - 1 + is_hex}, &number)) return false;
  *ret_code = (uint32_t)number;
  return number > 0 && number < 0x110000 && (number < 0xd800 || number > 0xdfff);
}

/* A text with its references resolved; it never grows. */
static fl_status decode(reader *r, fl_str text, fl_str *ret_text, fl_err *err) {
  *ret_text = text;
  if (text.n == 0 || !memchr(text.p, '&', text.n)) return FL_OK;
  char *out = fl_arena_take(r->w.rows->arena, text.n);
  if (!out) return fl_fail(err, FL_E_LIMIT, r->w.rd.pos, "no room for a text");
  size_t n = 0;
  for (size_t at = 0; at < text.n;) {
    if (text.p[at] != '&') {
      out[n++] = text.p[at++];
      continue;
    }
    size_t end = ++at;
    while (end < text.n && text.p[end] != ';') end++;
    uint32_t code = 0;
    if (end == text.n || !decode_reference((fl_str){text.p + at, end - at}, &code))
      return fail_at(r, "an entity or a character reference before it", err);
    n += fl_utf8_put(code, out + n);
    at = end + 1;
  }
  *ret_text = (fl_str){out, n};
  return FL_OK;
}

static fl_status put(reader *r, bx_tag tag, fl_err *err) { return bx_put(&r->w, tag, 0, err); }

static fl_status put_text(reader *r, bx_tag tag, fl_str text, fl_err *err) {
  return bx_put_text(&r->w, tag, bx_intern(&r->w, text), err);
}

static fl_status put_value(reader *r, fl_str text, bool is_constant, fl_err *err) {
  FL_TRY(decode(r, text, &text, err));
  if (is_constant) return put_text(r, BX_CONST, text, err);
  const fl_raw raw = {(const uint8_t *)text.p, (uint32_t)text.n, FL_T_UTF8, 0};
  return bx_put_slot(&r->w, raw, err);
}

/* name="value" */
static fl_status read_attribute(reader *r, fl_str element, fl_err *err) {
  const fl_str name = take_while(r, is_name_char);
  if (name.n == 0 || !take(r, '=') || !take(r, '"')) return fail_at(r, "name=\"value\"", err);
  const fl_str value = take_while(r, is_quoted_char);
  if (!take(r, '"')) return fail_at(r, "\" behind a value", err);
  FL_TRY(put_text(r, BX_ATTR, name, err));
  FL_TRY(put_value(r, value, bx_names_field(name, element), err));
  return put(r, BX_ATTR_END, err);
}

/* Behind '<'. */
static fl_status read_start(reader *r, fl_err *err) {
  const fl_str name = take_while(r, is_name_char);
  if (name.n == 0) return fail_at(r, "the name of an element", err);
  if (r->depth == FL_LIMIT_ELEMENT_DEPTH)
    return fl_fail(err, FL_E_LIMIT, r->w.rd.pos, "more than %d elements inside each other",
                   FL_LIMIT_ELEMENT_DEPTH);
  r->opened[r->depth++] = (uint32_t)r->w.words->n;
  FL_TRY(put_text(r, BX_OPEN, name, err));
  while (take_while(r, is_space).n && is_name_char(peek(r))) FL_TRY(read_attribute(r, name, err));
  r->is_begun = !take(r, '/');
  if (!take(r, '>')) return fail_at(r, "> at the end of a start tag", err);
  if (r->is_begun) return FL_OK;
  r->depth--;
  return put(r, BX_CLOSE, err);
}

/* Behind "</". */
static fl_status read_end(reader *r, fl_err *err) {
  const fl_str name = take_while(r, is_name_char);
  if (r->depth == 0) return fail_at(r, "no end tag", err);
  const uint64_t word = r->w.words->items[r->opened[r->depth - 1]];
  const fl_str *opened = (const fl_str *)(uintptr_t)bx_word_payload(word);
  if (!fl_str_eq(name, *opened) || !take(r, '>')) return fail_at(r, "the end of what is open", err);
  r->depth--;
  r->is_begun = false;
  return put(r, BX_CLOSE, err);
}

/* White space is layout, but for an element that holds nothing else. */
static fl_status read_text(reader *r, fl_err *err) {
  const fl_str text = take_while(r, is_text_char);
  const fl_rd *rd = &r->w.rd;
  const bool is_alone = r->is_begun && fl_rd_left(rd) > 1 && rd->p[rd->pos + 1] == '/';
  size_t n_space = 0;
  while (n_space < text.n && is_space(text.p[n_space])) n_space++;
  if (n_space == text.n && !is_alone) return FL_OK;
  if (r->depth == 0) return fail_at(r, "one element and nothing else", err);
  return put_value(r, text, false, err);
}

static fl_status read_document(reader *r, fl_err *err) {
  (void)take_while(r, is_space);
  do {
    if (!take(r, '<')) FL_TRY(read_text(r, err));
    else if (take(r, '/')) FL_TRY(read_end(r, err));
    else FL_TRY(read_start(r, err));
  } while (r->depth && fl_rd_left(&r->w.rd));
  (void)take_while(r, is_space);
  if (r->depth) return bx_cut_short(&r->w, "element", err);
  return fl_rd_left(&r->w.rd) ? fail_at(r, "the end", err) : FL_OK;
}

fl_status bx_xml_record(bx *b, fl_str xml, fl_rows *rows, fl_row *row, fl_err *err) {
  reader *r = FL_NEW(rows->arena, reader);
  if (!r) return fl_fail(err, FL_E_LIMIT, 0, "no room to read XML");
  const uint32_t n_slots = rows->n_slots;
  b->key.n = 0;
  b->is_temporary = false;
  r->w = (bx_walk){.b = b, .rows = rows, .words = &b->key};
  r->w.rd = fl_rd_of((const uint8_t *)xml.p, xml.n);
  fl_status status = read_document(r, err);
  if (status == FL_OK) status = bx_end_record(b, n_slots, rows, row, err);
  if (status < FL_OK) rows->n_slots = n_slots;
  return status;
}
