/* xml.c - a row as Event XML: from its shape's markup, or built in the standard form.
 *
 * Markup is data of a hostile file: names are cleaned, nesting and size are limited, and what the
 * markup fails to close is closed at the end. */
#include "report/xml.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/out.h"
#include "base/raw.h"
#include "base/text.h"

/* Ops looked at for one record, with the looks ahead for arrays. */
enum { MAX_STEPS = 16 * FL_LIMIT_RECORD_STEPS };

typedef struct frame {
  uint32_t op;  /* its FL_M_OPEN */
  size_t start; /* of the output, before '<' */
  bool is_open; /* the start tag lacks its '>' */
  bool is_dropped;
  bool repeats;  /* an array fills it: once for each item */
  uint32_t slot; /* of the array */
  fl_raw_cursor rest;
  fl_raw item;
} frame;

typedef struct render {
  const fl_batch *batch;
  const fl_row *row;
  fl_arena *arena;
  fl_out *out;
  frame frames[FL_LIMIT_ELEMENT_DEPTH];
  size_t n_frames;
  bool in_attribute, drops_attribute;
  size_t attribute_start;
  size_t limit;     /* size of the output that must not be passed */
  uint32_t n_steps; /* ops looked at: arrays inside arrays multiply them */
} render;

static bool is_name_char(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':' || (c >= 0xc0 && c < 0x2000 && c != 0x61c);
}

static void put_name(fl_out *out, fl_str name) {
  char text[4];
  if (name.n == 0 || fl_is_digit(name.p[0]) || name.p[0] == '-' || name.p[0] == '.')
    fl_out_write(out, "_", 1);
  for (size_t at = 0; at < name.n;) {
    const uint32_t c = fl_utf8_next(name, &at);
    fl_out_write(out, text, fl_utf8_put(is_name_char(c) ? c : '_', text));
  }
}

/* XML 1.0 has no form for most controls: they become U+FFFD. Line ends and tabs, which an attribute
 * would lose, and what could drive a terminal or reorder text become character references. */
static void put_char(fl_out *out, uint32_t c) {
  char text[4];
  const bool is_reference = c == '\t' || c == '\n' || c == '\r' || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
                            (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                            (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
  if (c == '&') fl_out_puts(out, "&amp;");
  else if (c == '<') fl_out_puts(out, "&lt;");
  else if (c == '>') fl_out_puts(out, "&gt;");
  else if (c == '"') fl_out_puts(out, "&quot;");
  else if (is_reference) fl_out_printf(out, "&#x%x;", (unsigned)c);
  else if (c < 0x20 || (c & 0xfffe) == 0xfffe)
    fl_out_write(out, text, fl_utf8_put(0xfffd, text));
  else fl_out_write(out, text, fl_utf8_put(c, text));
}

/* Leading characters that stand for themselves. */
static size_t count_plain(const char *text, size_t n) {
  size_t i = 0;
  while (i < n && text[i] >= 0x20 && text[i] < 0x7f && text[i] != '&' && text[i] != '<' &&
         text[i] != '>' && text[i] != '"')
    i++;
  return i;
}

void fl_xml_put_text(fl_out *out, fl_str s) {
  for (size_t at = 0; at < s.n;) {
    const size_t n_plain = count_plain(s.p + at, s.n - at);
    fl_out_write(out, s.p + at, n_plain);
    at += n_plain;
    if (at < s.n) put_char(out, fl_utf8_next(s, &at));
  }
}

/* Event XML writes GUIDs in braces. */
static void put_raw(fl_out *out, fl_raw raw, fl_arena *arena) {
  const bool has_braces = raw.type == FL_T_GUID && fl_raw_is_sound(raw);
  if (has_braces) fl_out_write(out, "{", 1);
  fl_xml_put_text(out, fl_raw_text(raw, arena));
  if (has_braces) fl_out_write(out, "}", 1);
}

static frame *top_of(render *r) { return r->n_frames ? &r->frames[r->n_frames - 1] : NULL; }

static void close_start_tag(render *r) {
  frame *top = top_of(r);
  if (!top || !top->is_open || r->in_attribute) return;
  fl_out_write(r->out, ">", 1);
  top->is_open = false;
}

static fl_raw slot_value(const render *r, uint32_t slot) {
  if (slot >= r->row->shape->n_slots) return (fl_raw){0};
  return r->batch->slots[r->row->slot0 + slot];
}

/* The array that stands directly in the element opened by ops[at]; its items repeat the element. */
static bool find_array(render *r, uint32_t at, uint32_t *ret_slot) {
  const fl_shape *shape = r->row->shape;
  bool in_attribute = false;
  for (uint32_t i = at + 1, depth = 0; i < shape->n_markup; i++) {
    const fl_markup *op = &shape->markup[i];
    if (++r->n_steps > MAX_STEPS) return false;
    if (op->op == FL_M_OPEN) depth++;
    if (op->op == FL_M_CLOSE && depth-- == 0) return false;
    if (op->op == FL_M_ATTR || op->op == FL_M_ATTR_END) in_attribute = op->op == FL_M_ATTR;
    if (depth > 0 || in_attribute || (op->op != FL_M_SLOT && op->op != FL_M_SLOT_OPT)) continue;
    if (!(slot_value(r, op->slot).type & FL_T_ARRAY)) continue;
    *ret_slot = op->slot;
    return true;
  }
  return false;
}

static void put_open(render *r, uint32_t at) {
  frame *top = top_of(r);
  top->start = r->out->n;
  top->is_open = true;
  fl_out_write(r->out, "<", 1);
  put_name(r->out, r->row->shape->markup[at].text);
}

static fl_status open_element(render *r, uint32_t at, fl_err *err) {
  if (r->n_frames == FL_LIMIT_ELEMENT_DEPTH)
    return fl_fail(err, FL_E_LIMIT, r->row->offset, "record nests elements deeper than %d",
                   FL_LIMIT_ELEMENT_DEPTH);
  close_start_tag(r);
  frame *top = &r->frames[r->n_frames++];
  *top = (frame){.op = at};
  if (find_array(r, at, &top->slot)) {
    top->rest = (fl_raw_cursor){.raw = slot_value(r, top->slot)};
    top->repeats = fl_raw_next(&top->rest, &top->item);
  }
  put_open(r, at);
  return FL_OK;
}

/* Returns the op to go on with: the element's start again while an array has items. */
static uint32_t close_element(render *r, uint32_t at) {
  frame *top = top_of(r);
  if (!top) return at + 1;
  if (top->is_dropped) {
    r->out->n = top->start;
  } else if (top->is_open) {
    fl_out_write(r->out, "/>", 2);
  } else {
    fl_out_write(r->out, "</", 2);
    put_name(r->out, r->row->shape->markup[top->op].text);
    fl_out_write(r->out, ">", 1);
  }
  top->is_dropped = false;
  if (top->repeats && fl_raw_next(&top->rest, &top->item)) {
    put_open(r, top->op);
    return top->op + 1;
  }
  r->n_frames--;
  return at + 1;
}

static void put_slot(render *r, const fl_markup *op) {
  frame *top = top_of(r);
  fl_raw raw = slot_value(r, op->slot);
  if (top && top->repeats && top->slot == op->slot && !r->in_attribute) raw = top->item;
  if (raw.type == FL_T_NULL && op->op == FL_M_SLOT_OPT) {
    if (r->in_attribute) r->drops_attribute = true;
    else if (top) top->is_dropped = true;
    return;
  }
  if (raw.type == FL_T_NULL || raw.n == 0) return;
  close_start_tag(r);
  put_raw(r->out, raw, r->arena);
}

static void open_attribute(render *r, fl_str name) {
  r->in_attribute = true;
  r->drops_attribute = false;
  r->attribute_start = r->out->n;
  fl_out_write(r->out, " ", 1);
  put_name(r->out, name);
  fl_out_write(r->out, "=\"", 2);
}

static void close_attribute(render *r) {
  if (!r->in_attribute) return;
  r->in_attribute = false;
  if (r->drops_attribute) r->out->n = r->attribute_start;
  else fl_out_write(r->out, "\"", 1);
}

/* CDATA and processing instructions are given as text: neither can then end early. */
static void put_other(render *r, const fl_markup *op) {
  uint64_t number = 0;
  close_start_tag(r);
  if (op->op == FL_M_ENTITY) {
    fl_out_write(r->out, "&", 1);
    put_name(r->out, op->text);
    fl_out_write(r->out, ";", 1);
  } else if (op->op == FL_M_CHARREF) {
    put_char(r->out, fl_text_number(op->text, &number) && number < 0x110000 ? (uint32_t)number : 0);
  } else if (op->op != FL_M_PI) {
    fl_xml_put_text(r->out, op->text);
  }
}

static fl_status run_op(render *r, uint32_t *at, fl_err *err) {
  const fl_markup *op = &r->row->shape->markup[*at];
  const frame *top = top_of(r);
  uint32_t next = *at + 1;
  switch (op->op) {
    case FL_M_OPEN:
      FL_TRY(open_element(r, *at, err));
      break;
    case FL_M_CLOSE:
      close_attribute(r);
      next = close_element(r, *at);
      break;
    case FL_M_ATTR:
      close_attribute(r);
      if (top && top->is_open) open_attribute(r, op->text);
      break;
    case FL_M_ATTR_END:
      close_attribute(r);
      break;
    case FL_M_SLOT:
    case FL_M_SLOT_OPT:
      put_slot(r, op);
      break;
    case FL_M_TEXT:
    case FL_M_CDATA:
    case FL_M_ENTITY:
    case FL_M_CHARREF:
    case FL_M_PI:
      put_other(r, op);
      break;
  }
  *at = next;
  return FL_OK;
}

static fl_status render_markup(render *r, fl_err *err) {
  const fl_shape *shape = r->row->shape;
  for (uint32_t at = 0; at < shape->n_markup;) {
    FL_TRY(run_op(r, &at, err));
    if (++r->n_steps > MAX_STEPS || r->out->n > r->limit)
      return fl_fail(err, FL_E_LIMIT, r->row->offset,
                     "record expands beyond %d bytes of XML or %d steps", FL_LIMIT_RECORD_TEXT,
                     (int)MAX_STEPS);
  }
  close_attribute(r);
  while (r->n_frames) {
    top_of(r)->repeats = false;
    (void)close_element(r, 0);
  }
  return FL_OK;
}

static void put_attribute(const render *r, const char *name, fl_column column) {
  const fl_raw raw = fl_row_column(r->batch, r->row, column);
  if (raw.type == FL_T_NULL) return;
  fl_out_printf(r->out, " %s=\"", name);
  put_raw(r->out, raw, r->arena);
  fl_out_write(r->out, "\"", 1);
}

static void put_element(const render *r, const char *name, fl_column column) {
  const fl_raw raw = fl_row_column(r->batch, r->row, column);
  if (raw.type == FL_T_NULL) return;
  fl_out_printf(r->out, "<%s>", name);
  put_raw(r->out, raw, r->arena);
  fl_out_printf(r->out, "</%s>", name);
}

static void put_system(const render *r) {
  fl_out *out = r->out;
  char time[FL_TIME_TEXT_MAX];
  fl_out_puts(out, "<System><Provider");
  put_attribute(r, "Name", FL_C_PROVIDER);
  put_attribute(r, "Guid", FL_C_PROVIDER_GUID);
  put_attribute(r, "EventSourceName", FL_C_EVENT_SOURCE_NAME);
  fl_out_puts(out, "/><EventID");
  put_attribute(r, "Qualifiers", FL_C_QUALIFIERS);
  fl_out_write(out, ">", 1);
  put_raw(out, fl_row_column(r->batch, r->row, FL_C_EVENT_ID), r->arena);
  fl_out_puts(out, "</EventID>");
  put_element(r, "Version", FL_C_VERSION);
  put_element(r, "Level", FL_C_LEVEL);
  put_element(r, "Task", FL_C_TASK);
  put_element(r, "Opcode", FL_C_OPCODE);
  put_element(r, "Keywords", FL_C_KEYWORDS);
  if (!(r->row->flags & FL_F_TIME_INVALID)) {
    (void)fl_time_format(r->row->t, r->row->t % 100 ? 9 : 7, time);
    fl_out_printf(out, "<TimeCreated SystemTime=\"%s\"/>", time);
  }
  put_element(r, "EventRecordID", FL_C_RECORD_ID);
  fl_out_puts(out, "<Correlation");
  put_attribute(r, "ActivityID", FL_C_ACTIVITY_ID);
  put_attribute(r, "RelatedActivityID", FL_C_RELATED_ACTIVITY_ID);
  fl_out_puts(out, "/><Execution");
  put_attribute(r, "ProcessID", FL_C_PID);
  put_attribute(r, "ThreadID", FL_C_TID);
  fl_out_puts(out, "/>");
  put_element(r, "Channel", FL_C_CHANNEL);
  put_element(r, "Computer", FL_C_HOST);
  fl_out_puts(out, "<Security");
  put_attribute(r, "UserID", FL_C_USER_SID);
  fl_out_puts(out, "/></System>");
}

static void put_data(const render *r, fl_str name, const fl_value *value) {
  if (value->kind == FL_V_LIST) {
    for (size_t i = 0; i < value->as.list.n_items; i++) put_data(r, name, &value->as.list.items[i]);
    return;
  }
  fl_out_puts(r->out, "<Data Name=\"");
  fl_xml_put_text(r->out, name);
  fl_out_puts(r->out, "\">");
  fl_xml_put_text(r->out, fl_value_text(value, r->arena));
  fl_out_puts(r->out, "</Data>");
}

static void render_standard(const render *r) {
  const fl_shape *shape = r->row->shape;
  fl_out_puts(r->out, "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">");
  put_system(r);
  fl_out_puts(r->out, "<EventData>");
  for (uint32_t i = 0; i < shape->n_fields; i++) {
    const fl_value value = fl_row_field(r->batch, r->row, &shape->fields[i], r->arena);
    put_data(r, shape->fields[i].name, &value);
  }
  fl_out_puts(r->out, "</EventData>");
  if (fl_row_column(r->batch, r->row, FL_C_MESSAGE).type != FL_T_NULL) {
    fl_out_puts(r->out, "<RenderingInfo>");
    put_element(r, "Message", FL_C_MESSAGE);
    put_element(r, "Level", FL_C_LEVEL_NAME);
    put_element(r, "Task", FL_C_TASK_NAME);
    put_element(r, "Opcode", FL_C_OPCODE_NAME);
    fl_out_puts(r->out, "</RenderingInfo>");
  }
  fl_out_puts(r->out, "</Event>");
}

void fl_xml_row_standard(const fl_batch *batch, const fl_row *row, fl_arena *arena, fl_out *out) {
  const render r = {.batch = batch, .row = row, .arena = arena, .out = out};
  render_standard(&r);
}

fl_status fl_xml_row(const fl_batch *batch, const fl_row *row, fl_arena *arena, fl_out *out,
                     fl_err *err) {
  const size_t start = out->n;
  if (row->shape->n_markup == 0) {
    fl_xml_row_standard(batch, row, arena, out);
    return FL_OK;
  }
  render *r = FL_NEW(arena, render);
  if (!r) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  r->batch = batch;
  r->row = row;
  r->arena = arena;
  r->out = out;
  r->limit = start + FL_LIMIT_RECORD_TEXT;
  const fl_status status = render_markup(r, err);
  if (status < FL_OK) out->n = start;
  return status;
}
