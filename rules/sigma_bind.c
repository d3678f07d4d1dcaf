/* sigma_bind.c - where the fields of rules are in a row, and their values as texts. */
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/raw.h"
#include "base/text.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_run.h"
#include "rules/sigma_source.h"

static const struct name {
  const char *name;
  fl_column column;
  bool is_first;
} names[] = {
#define FL_SIGMA_FIELD(name, column, first) {name, column, first},
#include "rules/sigma_fields.def"
#undef FL_SIGMA_FIELD
};

static const struct name *column_name(fl_str name) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fl_str_eq(name, fl_str_of(names[i].name))) return &names[i];
  return NULL;
}

bool fl_sigma_field_is_key(fl_str name) {
  return fl_str_eq(name, FL_STR("eventid")) || fl_str_eq(name, FL_STR("provider_name"));
}

/* The data fields of a shape by the hash of their names. */
typedef struct name_table {
  fl_str *names;
  uint32_t *slots; /* index + 1 */
  size_t n_slots;
} name_table;

static bool make_names(const fl_shape *shape, fl_arena *arena, name_table *ret) {
  size_t n_slots = 16;
  while (n_slots < (size_t)shape->n_fields * 2) n_slots *= 2;
  *ret = (name_table){FL_NEW_ARRAY(arena, fl_str, shape->n_fields),
                      FL_NEW_ARRAY(arena, uint32_t, n_slots), n_slots};
  if (!ret->names || !ret->slots) return false;
  for (uint32_t i = 0; i < shape->n_fields && i < UINT16_MAX; i++) {
    const fl_str name = fl_sigma_field_name(shape->fields[i].name, arena);
    if (!name.p) return false;
    ret->names[i] = name;
    size_t at = (size_t)fl_hash_bytes(name.p, name.n, 0) & (n_slots - 1);
    while (ret->slots[at] && !fl_str_eq(ret->names[ret->slots[at] - 1], name))
      at = (at + 1) & (n_slots - 1);
    if (!ret->slots[at]) ret->slots[at] = i + 1;
  }
  return true;
}

static fl_sigma_ref ref_of(const name_table *x, fl_str name, uint64_t hash) {
  const struct name *column = column_name(name);
  if (column && column->is_first) return (fl_sigma_ref){FL_SIGMA_COLUMN, (uint16_t)column->column};
  for (size_t at = (size_t)hash & (x->n_slots - 1); x->slots[at]; at = (at + 1) & (x->n_slots - 1))
    if (fl_str_eq(x->names[x->slots[at] - 1], name))
      return (fl_sigma_ref){FL_SIGMA_DATA, (uint16_t)(x->slots[at] - 1)};
  if (column) return (fl_sigma_ref){FL_SIGMA_COLUMN, (uint16_t)column->column};
  return (fl_sigma_ref){FL_SIGMA_ABSENT, 0};
}

bool fl_sigma_bind(const fl_sigma_run *run, const fl_sigma_plan *plan, const fl_shape *shape,
                   fl_sigma_ref *ret_refs) {
  const fl_sigma_sources *sources = fl_sigma_set_sources(run->set);
  const uint32_t event_id = plan->event_id < 0 ? UINT32_MAX : (uint32_t)plan->event_id;
  name_table x;
  if (!make_names(shape, run->scratch, &x)) return false;
  ret_refs[FL_SIGMA_KEYWORDS] = (fl_sigma_ref){FL_SIGMA_EVERYWHERE, 0};
  for (size_t i = 1; i < run->n_fields; i++) {
    const fl_sigma_field *field = &run->fields[i];
    fl_str name = field->name;
    uint64_t hash = field->hash;
    if (field->category) {
      const fl_sigma_category *category = &sources->categories[field->category - 1];
      name = fl_sigma_category_name(category, name, plan->service, event_id);
      hash = fl_hash_bytes(name.p, name.n, 0);
    }
    ret_refs[i] = ref_of(&x, name, hash);
  }
  return true;
}

static fl_sigma_item item_of(fl_raw raw) {
  return (fl_sigma_item){.raw = raw, .is_null = raw.type == FL_T_NULL};
}

static void set_one(fl_sigma_field_values *v, fl_raw raw) {
  v->one = item_of(raw);
  v->items = &v->one;
  v->n_items = 1;
}

static size_t count_items(const fl_sigma_run *run, const fl_shape_field *field) {
  size_t n = 0;
  if (field->join == FL_JOIN_CONCAT) return 1;
  for (uint32_t i = 0; i < field->n_refs; i++)
    n += fl_raw_count(fl_row_raw(run->batch, run->row, &field->refs[i]));
  return n;
}

/* Each item of a list is a value of its own; glued text is one. */
static size_t put_items(fl_sigma_run *run, const fl_shape_field *field, fl_sigma_item *items) {
  size_t n = 0;
  if (field->join == FL_JOIN_CONCAT) {
    const fl_value value = fl_row_field(run->batch, run->row, field, run->scratch);
    const fl_str text = fl_value_text(&value, run->scratch);
    items[n++] = (fl_sigma_item){.is_null = value.kind == FL_V_NULL,
                                 .has_text = true,
                                 .text = {text.p ? text.p : "", text.n}};
    return n;
  }
  for (uint32_t i = 0; i < field->n_refs; i++) {
    const fl_raw raw = fl_row_raw(run->batch, run->row, &field->refs[i]);
    if (!(raw.type & FL_T_ARRAY)) {
      items[n++] = item_of(raw);
      continue;
    }
    fl_raw_cursor cursor = {.raw = raw};
    for (fl_raw item; fl_raw_next(&cursor, &item);) items[n++] = item_of(item);
  }
  return n;
}

static void take_data(fl_sigma_run *run, const fl_shape_field *field, fl_sigma_field_values *v) {
  v->exists = true;
  const fl_raw raw = fl_row_raw(run->batch, run->row, field->refs);
  if (field->join == FL_JOIN_ONE && !(raw.type & FL_T_ARRAY)) {
    set_one(v, raw);
    return;
  }
  v->items = FL_NEW_ARRAY(run->scratch, fl_sigma_item, count_items(run, field));
  if (v->items) v->n_items = put_items(run, field, v->items);
  else run->is_out_of_memory = true;
}

static fl_raw column_raw(fl_sigma_run *run, fl_column column) {
  uint8_t *room = NULL;
  const fl_raw raw = fl_row_column(run->batch, run->row, column);
  if (!fl_column_is_guid(column) || !(room = fl_arena_take(run->scratch, 16))) return raw;
  return fl_column_raw(column, raw, room);
}

static void take_column(fl_sigma_run *run, fl_column column, fl_sigma_field_values *v) {
  const fl_raw raw = column_raw(run, column);
  v->exists = raw.type != FL_T_NULL;
  if (v->exists) set_one(v, raw);
}

/* Keywords look at all data, and at what names the event. */
static void take_all(fl_sigma_run *run, fl_sigma_field_values *v) {
  static const fl_column columns[] = {FL_C_PROVIDER, FL_C_EVENT_ID, FL_C_CHANNEL,
                                      FL_C_HOST,     FL_C_USER_SID, FL_C_MESSAGE};
  const fl_shape *shape = run->row->shape;
  size_t n = sizeof columns / sizeof *columns;
  for (uint32_t i = 0; i < shape->n_fields; i++) n += count_items(run, &shape->fields[i]);
  v->exists = true;
  v->items = FL_NEW_ARRAY(run->scratch, fl_sigma_item, n);
  if (!v->items) {
    run->is_out_of_memory = true;
    return;
  }
  for (uint32_t i = 0; i < shape->n_fields; i++)
    v->n_items += put_items(run, &shape->fields[i], v->items + v->n_items);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    v->items[v->n_items++] = item_of(column_raw(run, columns[i]));
}

const fl_sigma_field_values *fl_sigma_values_at(fl_sigma_run *run, uint32_t field) {
  fl_sigma_field_values *v = &run->values[field];
  if (v->epoch == run->epoch) return v;
  v->epoch = run->epoch;
  v->exists = false;
  v->n_items = 0;
  const fl_sigma_ref ref = run->refs[field];
  switch ((fl_sigma_where)ref.where) {
    case FL_SIGMA_ABSENT:
      break;
    case FL_SIGMA_COLUMN:
      take_column(run, (fl_column)ref.index, v);
      break;
    case FL_SIGMA_DATA:
      take_data(run, &run->row->shape->fields[ref.index], v);
      break;
    case FL_SIGMA_EVERYWHERE:
      take_all(run, v);
      break;
  }
  return v;
}

void fl_sigma_values_set(fl_sigma_run *run, uint32_t field, fl_str text) {
  fl_sigma_field_values *v = &run->values[field];
  v->epoch = run->epoch;
  v->exists = text.p != NULL;
  v->one = (fl_sigma_item){.has_text = true, .text = text};
  v->items = &v->one;
  v->n_items = v->exists;
}

static fl_str no_text(fl_sigma_run *run) {
  run->is_out_of_memory = true;
  return FL_STR("");
}

static fl_str make_text(fl_sigma_run *run, const fl_sigma_item *item) {
  if (item->is_null) return FL_STR("");
  const fl_raw raw = fl_raw_trim(item->raw);
  if (raw.type == FL_T_UTF8) return (fl_str){raw.n ? (const char *)raw.p : "", raw.n};
  if (raw.type == FL_T_STR16) {
    char *out = fl_arena_take(run->scratch, (size_t)raw.n / 2 * 3 + 1);
    return out ? (fl_str){out, fl_utf16_to_utf8(raw.p, raw.n / 2, out)} : no_text(run);
  }
  const fl_str text = fl_raw_text(item->raw, run->scratch);
  return text.p ? text : no_text(run);
}

fl_str fl_sigma_item_text(fl_sigma_run *run, fl_sigma_item *item) {
  if (!item->has_text) {
    item->text = make_text(run, item);
    item->has_text = true;
  }
  return item->text;
}

fl_str fl_sigma_item_folded(fl_sigma_run *run, fl_sigma_item *item) {
  if (!item->has_folded) {
    item->folded = fl_sigma_fold(fl_sigma_item_text(run, item), run->scratch);
    if (!item->folded.p) item->folded = no_text(run);
    item->has_folded = true;
  }
  return item->folded;
}
