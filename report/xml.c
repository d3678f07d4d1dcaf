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
#include "report/xml_put.h"

/* Ops looked at for one record, with the looks ahead for arrays and prefixes. */
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
  bool has_arrays; /* among its values */
  bool in_attribute, drops_attribute;
  size_t attribute_start;
  size_t n_attributes; /* of the start tag that is open */
  size_t name_starts[FL_LIMIT_ELEMENT_ATTRIBUTES];
  size_t limit;     /* size of the output that must not be passed */
  uint32_t n_steps; /* ops looked at: arrays inside arrays multiply them */
} render;

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

static bool has_arrays(const fl_batch *batch, const fl_row *row) {
  for (uint32_t i = 0; i < row->shape->n_slots; i++)
    if (batch->slots[row->slot0 + i].type & FL_T_ARRAY) return true;
  return false;
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

/* The element opened by ops[at] has a constant attribute xmlns:prefix. */
static bool declares(render *r, uint32_t at, fl_str prefix) {
  const fl_shape *shape = r->row->shape;
  for (uint32_t i = at + 1; i + 1 < shape->n_markup && ++r->n_steps < MAX_STEPS; i++) {
    const fl_markup *op = &shape->markup[i];
    if (op->op == FL_M_OPEN || op->op == FL_M_CLOSE) return false;
    if (op->op != FL_M_ATTR || op->text.n != prefix.n + 6) continue;
    if (memcmp(op->text.p, "xmlns:", 6) == 0 && memcmp(op->text.p + 6, prefix.p, prefix.n) == 0)
      return op[1].op == FL_M_TEXT && op[1].text.n > 0;
  }
  return false;
}

/* Readers that know namespaces refuse a prefix that is not declared. */
static bool has_prefix(render *r, fl_str name) {
  fl_str prefix = fl_xml_prefix(name);
  if (prefix.n == 0) return false;
  if (fl_str_eq(prefix, FL_STR("xml"))) return true;
  if (fl_str_eq(prefix, FL_STR("xmlns"))) prefix = (fl_str){name.p + 6, name.n - 6};
  if (fl_str_eq(prefix, FL_STR("xml")) || fl_str_eq(prefix, FL_STR("xmlns"))) return false;
  for (size_t i = r->n_frames; i-- > 0;)
    if (declares(r, r->frames[i].op, prefix)) return true;
  return false;
}

static void put_name(render *r, fl_str name) { fl_xml_put_name(r->out, name, has_prefix(r, name)); }

static void put_open(render *r, uint32_t at) {
  frame *top = top_of(r);
  top->start = r->out->n;
  top->is_open = true;
  r->n_attributes = 0;
  fl_out_write(r->out, "<", 1);
  put_name(r, r->row->shape->markup[at].text);
}

static fl_status open_element(render *r, uint32_t at, fl_err *err) {
  if (r->n_frames == FL_LIMIT_ELEMENT_DEPTH)
    return fl_fail(err, FL_E_LIMIT, r->row->offset, "record nests elements deeper than %d",
                   FL_LIMIT_ELEMENT_DEPTH);
  close_start_tag(r);
  frame *top = &r->frames[r->n_frames++];
  *top = (frame){.op = at};
  if (r->has_arrays && find_array(r, at, &top->slot)) {
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
  const bool is_root = r->n_frames == 1; /* a record is never nothing: see docs/formats/xml.md */
  if (top->is_dropped && !is_root) {
    r->out->n = top->start;
  } else if (top->is_open) {
    fl_out_write(r->out, "/>", 2);
  } else {
    fl_out_write(r->out, "</", 2);
    put_name(r, r->row->shape->markup[top->op].text);
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

/* The name at the end of the output is that of an attribute before it in the tag. */
static bool is_taken(const render *r, size_t start) {
  const size_t n = r->out->n - start;
  for (size_t i = 0; i < r->n_attributes; i++) {
    const char *before = r->out->buffer + r->name_starts[i];
    if (memcmp(before, r->out->buffer + start, n) == 0 && before[n] == '=') return true;
  }
  return false;
}

/* A second attribute of one name is no XML: it gets a number. */
static fl_status open_attribute(render *r, fl_str name, fl_err *err) {
  if (r->n_attributes == FL_LIMIT_ELEMENT_ATTRIBUTES)
    return fl_fail(err, FL_E_LIMIT, r->row->offset, "element with more than %d attributes",
                   FL_LIMIT_ELEMENT_ATTRIBUTES);
  r->in_attribute = true;
  r->drops_attribute = false;
  r->attribute_start = r->out->n;
  fl_out_write(r->out, " ", 1);
  const size_t start = r->out->n;
  put_name(r, name);
  const size_t end = r->out->n;
  for (size_t i = 2; is_taken(r, start) && i <= r->n_attributes + 2; i++) {
    r->out->n = end;
    fl_out_printf(r->out, "_%zu", i);
  }
  r->name_starts[r->n_attributes++] = start;
  fl_out_write(r->out, "=\"", 2);
  return FL_OK;
}

static void close_attribute(render *r) {
  if (!r->in_attribute) return;
  r->in_attribute = false;
  if (r->drops_attribute) r->out->n = r->attribute_start, r->n_attributes--;
  else fl_out_write(r->out, "\"", 1);
}

/* CDATA is given as text, which means the same and cannot end early. */
static void put_other(render *r, const fl_markup *op) {
  uint64_t number = 0;
  close_start_tag(r);
  if (op->op == FL_M_ENTITY) {
    fl_xml_put_entity(r->out, op->text);
  } else if (op->op == FL_M_CHARREF) {
    fl_xml_put_char(r->out,
                    fl_text_number(op->text, &number) && number < 0x110000 ? (uint32_t)number : 0);
  } else {
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
      if (top && top->is_open) FL_TRY(open_attribute(r, op->text, err));
      break;
    case FL_M_ATTR_END:
      close_attribute(r);
      break;
    case FL_M_SLOT:
    case FL_M_SLOT_OPT:
      put_slot(r, op);
      break;
    case FL_M_DEPENDS:
      if (r->n_frames && slot_value(r, op->slot).type == FL_T_NULL) top_of(r)->is_dropped = true;
      break;
    case FL_M_PI:
      close_start_tag(r);
      if (!r->in_attribute) fl_xml_put_instruction(r->out, op->text);
      break;
    case FL_M_TEXT:
    case FL_M_CDATA:
    case FL_M_ENTITY:
    case FL_M_CHARREF:
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

/* Texts from elsewhere are no part of the record. */
static bool has_rendering(const render *r) {
  const fl_raw from = fl_row_column(r->batch, r->row, FL_C_MESSAGE_SOURCE);
  if (fl_row_column(r->batch, r->row, FL_C_MESSAGE).type == FL_T_NULL) return false;
  return from.type == FL_T_NULL || fl_str_eq(fl_raw_text(from, r->arena), FL_STR("rendering"));
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
  if (has_rendering(r)) {
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
  r->has_arrays = has_arrays(batch, row);
  const fl_status status = render_markup(r, err);
  if (status < FL_OK) out->n = start;
  return status;
}
