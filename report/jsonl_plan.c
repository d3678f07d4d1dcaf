/* jsonl_plan.c - what all rows of a shape share is formatted once. */
#include "report/jsonl.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/shape.h"
#include "base/text.h"
#include "report/json_put.h"

static const struct {
  fl_column column;
  jsonl_form form;
} column_order[] = {
    {FL_C_PROVIDER, FORM_VALUE},
    {FL_C_PROVIDER_GUID, FORM_GUID},
    {FL_C_EVENT_SOURCE_NAME, FORM_VALUE},
    {FL_C_CHANNEL, FORM_VALUE},
    {FL_C_EVENT_ID, FORM_NUMBER},
    {FL_C_QUALIFIERS, FORM_NUMBER},
    {FL_C_VERSION, FORM_NUMBER},
    {FL_C_LEVEL, FORM_NUMBER},
    {FL_C_TASK, FORM_NUMBER},
    {FL_C_OPCODE, FORM_NUMBER},
    {FL_C_KEYWORDS, FORM_HEX},
    {FL_C_PID, FORM_NUMBER},
    {FL_C_TID, FORM_NUMBER},
    {FL_C_USER_SID, FORM_VALUE},
    {FL_C_ACTIVITY_ID, FORM_GUID},
    {FL_C_RELATED_ACTIVITY_ID, FORM_GUID},
    {FL_C_LEVEL_NAME, FORM_VALUE},
    {FL_C_TASK_NAME, FORM_VALUE},
    {FL_C_OPCODE_NAME, FORM_VALUE},
    {FL_C_KEYWORD_NAMES, FORM_VALUE},
    {FL_C_RULES, FORM_VALUE},
};

/* `,"name":` */
static fl_str key_of(fl_arena *arena, fl_str name) {
  char *text = fl_arena_take(arena, name.n * 6 + 4);
  if (!text) return (fl_str){0};
  text[0] = ',';
  char *end = fl_json_put_quoted(name, text + 1);
  *end++ = ':';
  return (fl_str){text, (size_t)(end - text)};
}

/* A constant's whole text, `,"key":value`; appended to a constant in front of it. */
static bool add_const(jsonl *w, jsonl_item *items, size_t *n, const jsonl_item *i,
                      fl_arena *arena) {
  const fl_raw raw = i->ref.constant;
  const bool joins = *n > 0 && items[*n - 1].form == FORM_CONST;
  const fl_str front = joins ? items[*n - 1].before : (fl_str){0};
  char *text = fl_arena_take(arena, front.n + i->before.n + fl_json_raw_room(raw));
  if (!text) return false;
  if (front.n) memcpy(text, front.p, front.n);
  memcpy(text + front.n, i->before.p, i->before.n);
  char *end = text + front.n + i->before.n;
  end = jsonl_put_formed(w, i->form, raw, end);
  if (!joins) ++*n;
  items[*n - 1] = (jsonl_item){.before = {text, (size_t)(end - text)}, .form = FORM_CONST};
  return true;
}

static bool add_item(jsonl *w, jsonl_item *items, size_t *n, const jsonl_item *i, fl_arena *arena) {
  if (!i->before.p) return false;
  const bool is_joined = i->form == FORM_LIST || i->form == FORM_GLUED;
  if (!is_joined && i->ref.kind == FL_REF_CONST) return add_const(w, items, n, i, arena);
  if (is_joined || i->ref.kind == FL_REF_SLOT) items[(*n)++] = *i;
  return true;
}

static bool add_column(jsonl *w, jsonl_plan *p, jsonl_item *items, const fl_shape *shape,
                       size_t order, fl_arena *arena) {
  const fl_column column = column_order[order].column;
  const jsonl_item i = {.before = key_of(arena, fl_str_of(fl_column_names[column])),
                        .form = column_order[order].form,
                        .ref = shape->columns[column]};
  return add_item(w, items, &p->n_columns, &i, arena);
}

static bool add_field(jsonl *w, jsonl_plan *p, jsonl_item *items, const fl_shape_field *field,
                      fl_arena *arena) {
  static const jsonl_form forms[] = {
      [FL_JOIN_ONE] = FORM_VALUE, [FL_JOIN_LIST] = FORM_LIST, [FL_JOIN_CONCAT] = FORM_GLUED};
  const jsonl_item i = {.before = key_of(arena, field->name),
                        .form = forms[field->join],
                        .ref = field->refs[0],
                        .field = field};
  return add_item(w, items, &p->n_data, &i, arena);
}

/* How often the slot that is used most is used. */
static size_t most_uses(jsonl *w, const fl_shape *shape) {
  uint32_t *uses = FL_NEW_ARRAY(w->scratch, uint32_t, shape->n_slots);
  size_t most = 1;
  if (!uses) return SIZE_MAX / 16; /* such a row asks for room item by jsonl_item */
  for (size_t i = 0; i < FL_C_COUNT; i++)
    if (shape->columns[i].kind == FL_REF_SLOT) uses[shape->columns[i].slot]++;
  for (uint32_t i = 0; i < shape->n_fields; i++)
    for (uint32_t k = 0; k < shape->fields[i].n_refs; k++)
      if (shape->fields[i].refs[k].kind == FL_REF_SLOT) uses[shape->fields[i].refs[k].slot]++;
  for (uint32_t i = 0; i < shape->n_slots; i++)
    if (uses[i] > most) most = uses[i];
  return most;
}

static size_t fixed_room(const jsonl_item *items, size_t n) {
  size_t room = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t n_refs = items[i].field ? items[i].field->n_refs : 1;
    room += items[i].before.n + n_refs * ITEM_ROOM;
    for (size_t k = 0; items[i].field && k < n_refs; k++)
      room += fl_json_raw_room(items[i].field->refs[k].constant);
  }
  return room;
}

/* `arena` is where the plan lives; names and constants stay the shape's. */
static jsonl_plan *plan_create(jsonl *w, const fl_shape *shape, fl_arena *arena) {
  const size_t n_columns = sizeof column_order / sizeof *column_order;
  jsonl_plan *p = FL_NEW(arena, jsonl_plan);
  jsonl_item *columns = FL_NEW_ARRAY(arena, jsonl_item, n_columns);
  jsonl_item *data = FL_NEW_ARRAY(arena, jsonl_item, shape->n_fields);
  if (!p || !columns || !data) return NULL;
  *p = (jsonl_plan){.columns = columns, .data = data};
  for (size_t i = 0; i < n_columns; i++)
    if (!add_column(w, p, columns, shape, i, arena)) return NULL;
    else if (column_order[i].column == FL_C_KEYWORDS) p->n_settled = p->n_columns;
  for (uint32_t i = 0; i < shape->n_fields; i++)
    if (!add_field(w, p, data, &shape->fields[i], arena)) return NULL;
  p->room = fixed_room(columns, p->n_columns) + fixed_room(data, p->n_data);
  p->most_uses = most_uses(w, shape);
  p->fact_of = NO_FACT_YET;
  return p;
}

jsonl_plan *jsonl_find_plan(jsonl *w, const fl_shape *shape) {
  if (!fl_shape_is_kept(shape)) return plan_create(w, shape, w->scratch);
  if (shape->serial >= w->cap_plans &&
      !fl_grow_zeroed((void **)&w->plans, &w->cap_plans, shape->serial + 1, sizeof *w->plans))
    return NULL;
  if (!w->plans[shape->serial]) w->plans[shape->serial] = plan_create(w, shape, w->arena);
  return w->plans[shape->serial];
}
