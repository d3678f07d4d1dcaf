/* row.c - values of a row: columns in their one form, data fields single, listed or glued. */
#include "base/arena.h"
#include "base/raw.h"

bool fl_column_is_guid(fl_column column) {
  return column == FL_C_PROVIDER_GUID || column == FL_C_ACTIVITY_ID ||
         column == FL_C_RELATED_ACTIVITY_ID;
}

fl_raw fl_column_raw(fl_column column, fl_raw raw, uint8_t room[16]) {
  if (!fl_column_is_guid(column) || !fl_raw_guid(raw, room)) return raw;
  return (fl_raw){room, 16, FL_T_GUID, 0};
}

static fl_value list_field(const fl_batch *batch, const fl_row *row, const fl_shape_field *field,
                           fl_arena *arena) {
  size_t n = 0;
  for (uint32_t i = 0; i < field->n_refs; i++)
    n += fl_raw_count(fl_row_raw(batch, row, &field->refs[i]));
  fl_value *items = FL_NEW_ARRAY(arena, fl_value, n);
  if (!items) return (fl_value){.kind = FL_V_NULL};
  size_t at = 0;
  for (uint32_t i = 0; i < field->n_refs; i++) {
    const fl_value value = fl_raw_decode(fl_row_raw(batch, row, &field->refs[i]), arena);
    if (value.kind != FL_V_LIST) items[at++] = value;
    else
      for (size_t k = 0; k < value.as.list.n_items; k++) items[at++] = value.as.list.items[k];
  }
  return (fl_value){.kind = FL_V_LIST, .as.list = {items, at}};
}

static fl_value glued_field(const fl_batch *batch, const fl_row *row, const fl_shape_field *field,
                            fl_arena *arena) {
  fl_str *parts = FL_NEW_ARRAY(arena, fl_str, field->n_refs);
  if (!parts) return (fl_value){.kind = FL_V_NULL};
  size_t n = 0, n_known = 0;
  for (uint32_t i = 0; i < field->n_refs; i++) {
    const fl_raw raw = fl_row_raw(batch, row, &field->refs[i]);
    if (raw.type == FL_T_NULL) continue;
    parts[n_known] = fl_raw_text(raw, arena);
    n += parts[n_known++].n;
  }
  char *text = fl_arena_take(arena, n + 1);
  if (n_known == 0 || !text) return (fl_value){.kind = FL_V_NULL};
  size_t at = 0;
  for (size_t i = 0; i < n_known; at += parts[i++].n)
    if (parts[i].n) memcpy(text + at, parts[i].p, parts[i].n);
  return (fl_value){.kind = FL_V_STR, .as.text = {text, at}};
}

fl_value fl_row_field(const fl_batch *batch, const fl_row *row, const fl_shape_field *field,
                      fl_arena *arena) {
  switch (field->join) {
    case FL_JOIN_LIST:
      return list_field(batch, row, field, arena);
    case FL_JOIN_CONCAT:
      return glued_field(batch, row, field, arena);
    case FL_JOIN_ONE:
      break;
  }
  return fl_raw_decode(fl_row_raw(batch, row, field->refs), arena);
}
