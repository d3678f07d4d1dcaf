/* view.c - checks a block's payload: counts agree, indices are in range, times are in order. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "timeline/decode.h"

const msgpack_object *fl_map_find(const msgpack_object *map, const char *key) {
  if (!map || map->type != MSGPACK_OBJECT_MAP) return NULL;
  const size_t n = strlen(key);
  for (uint32_t i = 0; i < map->via.map.size; i++) {
    const msgpack_object_kv *pair = &map->via.map.ptr[i];
    if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == n &&
        memcmp(pair->key.via.str.ptr, key, n) == 0)
      return &pair->val;
  }
  return NULL;
}

uint64_t fl_object_natural(const msgpack_object *object) {
  return object && object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? object->via.u64 : 0;
}

int64_t fl_object_integer(const msgpack_object *object) {
  if (!object) return 0;
  if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) return object->via.i64;
  const uint64_t natural = fl_object_natural(object);
  return natural <= INT64_MAX ? (int64_t)natural : 0;
}

fl_str fl_object_text(const msgpack_object *object) {
  if (!object || object->type != MSGPACK_OBJECT_STR) return (fl_str){"", 0};
  return (fl_str){object->via.str.ptr, object->via.str.size};
}

const msgpack_object *fl_column_at(const fl_column_view *column, uint32_t row) {
  static const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};
  switch (column->form) {
    case FL_FORM_ABSENT:
      break;
    case FL_FORM_CONSTANT:
      return column->items;
    case FL_FORM_PLAIN:
      return &column->items[row];
    case FL_FORM_TABLE:
      if (column->items[row].type == MSGPACK_OBJECT_NIL) break;
      return &column->table[column->items[row].via.u64];
  }
  return &nil;
}

static bool is_array_of(const msgpack_object *object, uint32_t n) {
  return object && object->type == MSGPACK_OBJECT_ARRAY && object->via.array.size == n;
}

/* A list, {"c": value} or {"i": [index of a text, or nil]}; NULL means nil in every row. */
static bool view_column(const msgpack_object *object, uint32_t n, const msgpack_object *table,
                        fl_column_view *ret_view) {
  *ret_view = (fl_column_view){.form = FL_FORM_ABSENT};
  if (!object) return true;
  if (is_array_of(object, n)) {
    *ret_view = (fl_column_view){.form = FL_FORM_PLAIN, .items = object->via.array.ptr};
    return true;
  }
  const msgpack_object *constant = fl_map_find(object, "c");
  if (constant) {
    *ret_view = (fl_column_view){.form = FL_FORM_CONSTANT, .items = constant};
    return true;
  }
  const msgpack_object *indices = fl_map_find(object, "i");
  if (!is_array_of(indices, n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    const msgpack_object *index = &indices->via.array.ptr[i];
    if (index->type == MSGPACK_OBJECT_NIL) continue;
    if (index->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
    if (index->via.u64 >= table->via.array.size) return false;
    if (table->via.array.ptr[index->via.u64].type != MSGPACK_OBJECT_STR) return false;
  }
  *ret_view = (fl_column_view){
      .form = FL_FORM_TABLE, .items = indices->via.array.ptr, .table = table->via.array.ptr};
  return true;
}

/* Of a value, and of the items of a list; what lists hold inside lists is not given out. */
static uint64_t text_bytes(const msgpack_object *object) {
  uint64_t n = 0;
  if (object->type == MSGPACK_OBJECT_STR) return object->via.str.size;
  if (object->type == MSGPACK_OBJECT_BIN) return object->via.bin.size;
  if (object->type != MSGPACK_OBJECT_ARRAY) return 0;
  for (uint32_t i = 0; i < object->via.array.size; i++)
    if (object->via.array.ptr[i].type != MSGPACK_OBJECT_ARRAY)
      n += text_bytes(&object->via.array.ptr[i]);
  return n;
}

/* Constants and references make few bytes stand for many: what they unfold to is bounded. */
static fl_status add_text(fl_block_view *view, uint64_t n_bytes, fl_err *err) {
  view->n_text += n_bytes;
  if (view->n_text <= FL_LIMIT_BLOCK_BYTES) return FL_OK;
  return fl_fail(err, FL_E_LIMIT, 0, "texts of the rows unfold to more than %d bytes",
                 FL_LIMIT_BLOCK_BYTES);
}

static fl_status add_column(fl_block_view *view, const fl_column_view *column, uint32_t n,
                            fl_err *err) {
  uint64_t n_bytes = 0;
  if (column->form == FL_FORM_CONSTANT) n_bytes = n * text_bytes(column->items);
  for (uint32_t i = 0; i < n && column->form != FL_FORM_CONSTANT; i++)
    n_bytes += text_bytes(fl_column_at(column, i));
  return add_text(view, n_bytes, err);
}

static bool is_integer(const msgpack_object *object) {
  return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
         object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

/* The first value, then steps that are not negative; the ends are those of the frame. */
static fl_status view_times(const msgpack_object *object, const fl_block_info *info,
                            fl_arena *arena, fl_block_view *view, fl_err *err) {
  if (!is_array_of(object, view->n) || !is_integer(&object->via.array.ptr[0]))
    return fl_fail(err, FL_E_CORRUPT, 0, "column t has not one number for each of %" PRIu32 " rows",
                   view->n);
  view->times = FL_NEW_ARRAY(arena, fl_time, view->n);
  if (!view->times) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_time t = fl_object_integer(&object->via.array.ptr[0]);
  view->times[0] = t;
  for (uint32_t i = 1; i < view->n; i++) {
    const msgpack_object *step = &object->via.array.ptr[i];
    if (step->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        step->via.u64 > (uint64_t)INT64_MAX - (uint64_t)t)
      return fl_fail(err, FL_E_CORRUPT, 0, "column t runs backwards at row %" PRIu32, i);
    t = (fl_time)((uint64_t)t + step->via.u64);
    view->times[i] = t;
  }
  if (view->times[0] != info->t_min || t != info->t_max)
    return fl_fail(err, FL_E_CORRUPT, 0, "times of the rows are not those of the block's frame");
  return FL_OK;
}

static fl_status view_columns(const msgpack_object *columns, const msgpack_object *table,
                              fl_block_view *view, fl_err *err) {
  static const char *const names[FL_N_NUMBERS] = {
      "time_written", "source", "header_record_id", "offset", "length", "flags", "seq"};
  for (unsigned i = 0; i < FL_N_NUMBERS; i++)
    if (!view_column(fl_map_find(columns, names[i]), view->n, table, &view->numbers[i]))
      return fl_fail(err, FL_E_CORRUPT, 0, "column %s has a wrong form", names[i]);
  for (unsigned i = 0; i < FL_C_COUNT; i++) {
    if (!view_column(fl_map_find(columns, fl_column_names[i]), view->n, table, &view->columns[i]))
      return fl_fail(err, FL_E_CORRUPT, 0, "column %s has a wrong form", fl_column_names[i]);
    FL_TRY(add_column(view, &view->columns[i], view->n, err));
  }
  return FL_OK;
}

/* "r": the first row, then positive steps; no row belongs to two groups. */
static bool view_group_rows(const msgpack_object *rows, uint32_t group, fl_block_view *view) {
  uint64_t row = 0;
  for (uint32_t i = 0; i < rows->via.array.size; i++) {
    const uint64_t step = fl_object_natural(&rows->via.array.ptr[i]);
    if (rows->via.array.ptr[i].type != MSGPACK_OBJECT_POSITIVE_INTEGER || step >= view->n ||
        (i > 0 && step == 0))
      return false;
    row += step;
    if (row >= view->n || view->group_of[row] != 0) return false;
    view->group_of[row] = group + 1;
    view->place_of[row] = i;
  }
  return true;
}

static bool column_has_lists(const fl_column_view *column, uint32_t n) {
  if (column->form == FL_FORM_CONSTANT) return column->items->type == MSGPACK_OBJECT_ARRAY;
  if (column->form != FL_FORM_PLAIN) return false;
  for (uint32_t i = 0; i < n; i++)
    if (column->items[i].type == MSGPACK_OBJECT_ARRAY) return true;
  return false;
}

static fl_status view_group(const msgpack_object *object, uint32_t number,
                            const msgpack_object *table, fl_arena *arena, fl_block_view *view,
                            fl_err *err) {
  fl_group_view *group = &view->groups[number];
  const msgpack_object *keys = fl_map_find(object, "k");
  const msgpack_object *rows = fl_map_find(object, "r");
  const msgpack_object *values = fl_map_find(object, "v");
  if (!keys || keys->type != MSGPACK_OBJECT_ARRAY || !is_array_of(values, keys->via.array.size) ||
      !rows || rows->type != MSGPACK_OBJECT_ARRAY || !view_group_rows(rows, number, view))
    return fl_fail(err, FL_E_CORRUPT, 0, "data group %" PRIu32 " has a wrong form", number);
  group->keys = keys->via.array.ptr;
  group->n_keys = keys->via.array.size;
  group->columns = FL_NEW_ARRAY(arena, fl_column_view, group->n_keys);
  group->lengths = FL_NEW_ARRAY(arena, uint32_t, group->n_keys);
  if (!group->columns || !group->lengths) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const uint32_t n = rows->via.array.size;
  for (uint32_t i = 0; i < group->n_keys; i++) {
    if (group->keys[i].type != MSGPACK_OBJECT_STR ||
        !view_column(&values->via.array.ptr[i], n, table, &group->columns[i]))
      return fl_fail(err, FL_E_CORRUPT, 0, "data group %" PRIu32 ": column %" PRIu32 " is wrong",
                     number, i);
    FL_TRY(add_text(view, n * text_bytes(&group->keys[i]), err));
    FL_TRY(add_column(view, &group->columns[i], n, err));
    group->has_lists |= column_has_lists(&group->columns[i], n);
  }
  return FL_OK;
}

/* Values that each row gets from constant columns that hold a list. */
static uint64_t count_constant_items(const msgpack_object *values) {
  uint64_t n = 0;
  if (!values || values->type != MSGPACK_OBJECT_ARRAY) return 0;
  for (uint32_t i = 0; i < values->via.array.size; i++) {
    const msgpack_object *constant = fl_map_find(&values->via.array.ptr[i], "c");
    if (constant && constant->type == MSGPACK_OBJECT_ARRAY) n += constant->via.array.size;
  }
  return n;
}

/* Constant columns make few bytes stand for many values: what they unfold to is bounded. */
static fl_status check_size(const msgpack_object *data, fl_err *err) {
  uint64_t n_values = 0;
  for (uint32_t i = 0; i < data->via.array.size; i++) {
    const msgpack_object *keys = fl_map_find(&data->via.array.ptr[i], "k");
    const msgpack_object *rows = fl_map_find(&data->via.array.ptr[i], "r");
    if (!keys || !rows || keys->type != MSGPACK_OBJECT_ARRAY || rows->type != MSGPACK_OBJECT_ARRAY)
      return fl_fail(err, FL_E_CORRUPT, 0, "data group %" PRIu32 " has no keys or rows", i);
    const uint64_t n_items = count_constant_items(fl_map_find(&data->via.array.ptr[i], "v"));
    n_values += (keys->via.array.size + n_items) * rows->via.array.size;
    if (n_values > FL_LIMIT_BLOCK_VALUES)
      return fl_fail(err, FL_E_LIMIT, 0, "data unfolds to more than %d values",
                     FL_LIMIT_BLOCK_VALUES);
  }
  return FL_OK;
}

static fl_status view_data(const msgpack_object *data, const msgpack_object *table, fl_arena *arena,
                           fl_block_view *view, fl_err *err) {
  view->group_of = FL_NEW_ARRAY(arena, uint32_t, view->n);
  view->place_of = FL_NEW_ARRAY(arena, uint32_t, view->n);
  if (!view->group_of || !view->place_of) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (!data) return FL_OK;
  if (data->type != MSGPACK_OBJECT_ARRAY)
    return fl_fail(err, FL_E_CORRUPT, 0, "data is no list of groups");
  FL_TRY(check_size(data, err));
  view->n_groups = data->via.array.size;
  if (view->n_groups == 0) return FL_OK;
  view->groups = FL_NEW_ARRAY(arena, fl_group_view, view->n_groups);
  if (!view->groups) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (uint32_t i = 0; i < view->n_groups; i++)
    FL_TRY(view_group(&data->via.array.ptr[i], i, table, arena, view, err));
  return FL_OK;
}

fl_status fl_block_view_open(const msgpack_object *payload, const fl_block_info *info,
                             fl_arena *arena, fl_block_view *ret_view, fl_err *err) {
  static const msgpack_object no_table = {.type = MSGPACK_OBJECT_ARRAY};
  *ret_view = (fl_block_view){0};
  const msgpack_object *columns = fl_map_find(payload, "cols");
  const msgpack_object *table = fl_map_find(payload, "str");
  if (!columns || columns->type != MSGPACK_OBJECT_MAP ||
      (table && table->type != MSGPACK_OBJECT_ARRAY))
    return fl_fail(err, FL_E_CORRUPT, 0, "payload has no columns");
  if (!table) table = &no_table;
  const uint64_t n = fl_object_natural(fl_map_find(payload, "n"));
  if (n == 0 || n > FL_LIMIT_BLOCK_EVENTS || n != info->n)
    return fl_fail(err, FL_E_CORRUPT, 0, "%" PRIu64 " rows, expected %" PRIu64 " and at most %d", n,
                   info->n, FL_LIMIT_BLOCK_EVENTS);
  ret_view->n = (uint32_t)n;
  FL_TRY(view_times(fl_map_find(columns, "t"), info, arena, ret_view, err));
  FL_TRY(view_columns(columns, table, ret_view, err));
  return view_data(fl_map_find(payload, "data"), table, arena, ret_view, err);
}
