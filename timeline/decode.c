/* decode.c - rows from columns: one slot for each column, then those of the data fields. */
#include "timeline/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"

static const uint32_t not_a_list = UINT32_MAX;

struct fl_known_shape {
  uint64_t hash;
  fl_str key;
  const fl_shape *shape;
};

void fl_shapes_done(fl_shapes *shapes) {
  fl_arena_free(shapes->arena);
  free(shapes->known);
  free(shapes->slots);
  fl_pack_free(&shapes->key);
}

void fl_decoder_done(fl_decoder *decoder) {
  fl_shapes_done(&decoder->shapes);
  free(decoder->rows);
  free(decoder->slots);
}

/* Each name with its length and how many items it holds. */
static void pack_key(fl_pack *key, const fl_group_view *group, const uint32_t *lengths) {
  key->n = 0;
  for (uint32_t i = 0; group && i < group->n_keys; i++) {
    const fl_str name = fl_object_text(&group->keys[i]);
    const uint32_t parts[2] = {(uint32_t)name.n, lengths[i]};
    fl_pack_bytes(key, parts, sizeof parts);
    fl_pack_bytes(key, name.p, name.n);
  }
}

static bool grow_slots(fl_shapes *shapes) {
  const size_t n = shapes->n_slots ? shapes->n_slots * 2 : 256;
  uint32_t *slots = calloc(n, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < shapes->n_known; i++) {
    size_t at = shapes->known[i].hash & (n - 1);
    while (slots[at]) at = (at + 1) & (n - 1);
    slots[at] = (uint32_t)i + 1;
  }
  free(shapes->slots);
  shapes->slots = slots;
  shapes->n_slots = n;
  return true;
}

static bool make_fields(fl_shape *shape, const fl_group_view *group, const uint32_t *lengths,
                        fl_arena *arena) {
  fl_shape_field *fields = FL_NEW_ARRAY(arena, fl_shape_field, (size_t)group->n_keys + 1);
  if (!fields) return false;
  for (uint32_t i = 0; i < group->n_keys; i++) {
    const bool is_list = lengths[i] != not_a_list;
    const uint32_t n_refs = is_list ? lengths[i] : 1;
    fl_ref *refs = FL_NEW_ARRAY(arena, fl_ref, (size_t)n_refs + 1);
    fields[i] = (fl_shape_field){.name = fl_arena_str(arena, fl_object_text(&group->keys[i])),
                                 .refs = refs,
                                 .n_refs = n_refs,
                                 .join = is_list ? FL_JOIN_LIST : FL_JOIN_ONE};
    if (!refs || !fields[i].name.p) return false;
    for (uint32_t k = 0; k < n_refs; k++)
      refs[k] = (fl_ref){.kind = FL_REF_SLOT, .slot = shape->n_slots++};
  }
  shape->fields = fields;
  shape->n_fields = group->n_keys;
  return true;
}

static fl_shape *make_shape(const fl_group_view *group, const uint32_t *lengths, fl_arena *arena) {
  fl_shape *shape = FL_NEW(arena, fl_shape);
  if (!shape) return NULL;
  shape->n_slots = FL_C_COUNT;
  for (uint32_t i = 0; i < FL_C_COUNT; i++)
    shape->columns[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = i};
  return !group || make_fields(shape, group, lengths, arena) ? shape : NULL;
}

/* Keeps a shape under its key; NULL when the cache is full. */
static const fl_shape *keep_shape(fl_shapes *shapes, const fl_group_view *group,
                                  const uint32_t *lengths, uint64_t hash, size_t at) {
  void *list = shapes->known;
  if (shapes->n_known >= FL_LIMIT_SHAPES ||
      !fl_grow(&list, &shapes->cap_known, shapes->n_known + 1, sizeof *shapes->known))
    return NULL;
  shapes->known = list;
  const fl_str key =
      fl_arena_str(shapes->arena, (fl_str){(const char *)shapes->key.p, shapes->key.n});
  fl_shape *shape = key.p ? make_shape(group, lengths, shapes->arena) : NULL;
  if (!shape) return NULL;
  shape->cached = true;
  shape->serial = shapes->n_made++;
  shapes->known[shapes->n_known] = (struct fl_known_shape){hash, key, shape};
  shapes->slots[at] = (uint32_t)++shapes->n_known;
  return shape;
}

const fl_shape *fl_shapes_find(fl_shapes *shapes, const fl_group_view *group,
                               const uint32_t *lengths, fl_arena *block_arena) {
  if (!shapes->arena) shapes->arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  pack_key(&shapes->key, group, lengths);
  if (!shapes->arena || shapes->key.failed ||
      (shapes->n_known * 2 >= shapes->n_slots && !grow_slots(shapes)))
    return NULL;
  const uint64_t hash = fl_hash_bytes(shapes->key.p, shapes->key.n, 0);
  size_t at = hash & (shapes->n_slots - 1);
  for (; shapes->slots[at]; at = (at + 1) & (shapes->n_slots - 1)) {
    const struct fl_known_shape *known = &shapes->known[shapes->slots[at] - 1];
    if (known->hash == hash && known->key.n == shapes->key.n &&
        (known->key.n == 0 || memcmp(known->key.p, shapes->key.p, known->key.n) == 0))
      return known->shape;
  }
  const fl_shape *kept = keep_shape(shapes, group, lengths, hash, at);
  if (kept) return kept;
  fl_shape *shape = make_shape(group, lengths, block_arena);
  if (shape) shape->serial = shapes->n_made++ | FL_SHAPE_TEMPORARY;
  return shape;
}

/* The object itself holds the number's bytes. */
static fl_raw raw_of(const msgpack_object *object) {
  switch (object->type) {
    case MSGPACK_OBJECT_BOOLEAN:
      return (fl_raw){(const uint8_t *)&object->via.boolean, sizeof object->via.boolean, FL_T_BOOL,
                      0};
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
      return (fl_raw){(const uint8_t *)&object->via.u64, sizeof object->via.u64, FL_T_U64, 0};
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
      return (fl_raw){(const uint8_t *)&object->via.i64, sizeof object->via.i64, FL_T_I64, 0};
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
      return (fl_raw){(const uint8_t *)&object->via.f64, sizeof object->via.f64, FL_T_F64, 0};
    case MSGPACK_OBJECT_STR:
      return (fl_raw){(const uint8_t *)object->via.str.ptr, object->via.str.size, FL_T_UTF8, 0};
    case MSGPACK_OBJECT_BIN:
      return (fl_raw){(const uint8_t *)object->via.bin.ptr, object->via.bin.size, FL_T_BIN, 0};
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
    case MSGPACK_OBJECT_EXT:
      break;
  }
  return (fl_raw){0};
}

/* Nil stands for the event's own time, false for none at all. */
static fl_raw time_raw(fl_decoder *decoder, const msgpack_object *object, fl_time t) {
  if (object->type == MSGPACK_OBJECT_BOOLEAN) return (fl_raw){0};
  if (object->type != MSGPACK_OBJECT_NIL) return raw_of(object);
  uint64_t *filetime = &decoder->filetimes[decoder->n_rows];
  const int64_t ticks = t / 100 - (t % 100 < 0);
  *filetime = (uint64_t)(ticks + INT64_C(116444736000000000));
  return (fl_raw){(const uint8_t *)filetime, sizeof *filetime, FL_T_FILETIME, 0};
}

/* A list of texts, as an array of texts: what else it holds is left out. */
static fl_raw texts_raw(const msgpack_object *object, fl_arena *arena) {
  size_t n = 0;
  if (object->type != MSGPACK_OBJECT_ARRAY) return raw_of(object);
  for (uint32_t i = 0; i < object->via.array.size; i++)
    n += fl_object_text(&object->via.array.ptr[i]).n + 1;
  char *text = n && n <= UINT32_MAX ? fl_arena_take(arena, n) : NULL;
  if (!text) return (fl_raw){0};
  n = 0;
  for (uint32_t i = 0; i < object->via.array.size; i++) {
    const fl_str item = fl_object_text(&object->via.array.ptr[i]);
    if (item.n == 0) continue;
    memcpy(text + n, item.p, item.n);
    n += item.n;
    text[n++] = '\0';
  }
  return (fl_raw){(const uint8_t *)text, (uint32_t)n, FL_T_UTF8 | FL_T_ARRAY, 0};
}

/* How many items each field of the row holds; true when that is as in the row before. */
static bool measure_lists(const fl_group_view *group, uint32_t place, uint32_t *lengths) {
  bool is_same = group->shape != NULL;
  for (uint32_t i = 0; i < group->n_keys; i++) {
    const msgpack_object *object = fl_column_at(&group->columns[i], place);
    const uint32_t length =
        object->type == MSGPACK_OBJECT_ARRAY ? object->via.array.size : not_a_list;
    is_same = is_same && lengths[i] == length;
    lengths[i] = length;
  }
  return is_same;
}

static const fl_shape *shape_of(fl_decoder *decoder, fl_group_view *group, uint32_t place,
                                fl_arena *arena) {
  if (!group) return fl_shapes_find(&decoder->shapes, NULL, NULL, arena);
  if (group->shape && !group->has_lists) return group->shape;
  if (!measure_lists(group, place, group->lengths))
    group->shape = fl_shapes_find(&decoder->shapes, group, group->lengths, arena);
  return group->shape;
}

static fl_raw *fill_fields(fl_raw *slot, const fl_group_view *group, uint32_t place) {
  for (uint32_t i = 0; i < group->n_keys; i++) {
    const msgpack_object *object = fl_column_at(&group->columns[i], place);
    if (object->type != MSGPACK_OBJECT_ARRAY) {
      *slot++ = raw_of(object);
      continue;
    }
    for (uint32_t k = 0; k < object->via.array.size; k++)
      *slot++ = raw_of(&object->via.array.ptr[k]);
  }
  return slot;
}

static void fill_row(fl_row *row, const fl_block_view *view, uint32_t i, fl_raw record_id) {
  const msgpack_object *written = fl_column_at(&view->numbers[FL_N_TIME_WRITTEN], i);
  const msgpack_object *header_id = fl_column_at(&view->numbers[FL_N_HEADER_RECORD_ID], i);
  row->t = view->times[i];
  if (written->type != MSGPACK_OBJECT_NIL)
    row->t_written = (fl_time)((uint64_t)row->t + (uint64_t)fl_object_integer(written));
  row->offset = fl_object_natural(fl_column_at(&view->numbers[FL_N_OFFSET], i));
  row->length = (uint32_t)fl_object_natural(fl_column_at(&view->numbers[FL_N_LENGTH], i));
  row->flags = (uint32_t)fl_object_natural(fl_column_at(&view->numbers[FL_N_FLAGS], i));
  row->seq = fl_object_natural(fl_column_at(&view->numbers[FL_N_SEQ], i));
  if (header_id->type != MSGPACK_OBJECT_NIL) row->header_record_id = fl_object_natural(header_id);
  else if (!fl_raw_u64(record_id, &row->header_record_id)) row->header_record_id = 0;
}

fl_status fl_decoder_add(fl_decoder *decoder, fl_block_view *view, uint32_t i, fl_arena *arena,
                         uint64_t *ret_key, fl_err *err) {
  fl_group_view *group = view->group_of[i] ? &view->groups[view->group_of[i] - 1] : NULL;
  const fl_shape *shape = shape_of(decoder, group, view->place_of[i], arena);
  void *rows = decoder->rows;
  void *slots = decoder->slots;
  if (!shape ||
      !fl_grow(&rows, &decoder->cap_rows, (size_t)decoder->n_rows + 1, sizeof *decoder->rows))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  decoder->rows = rows;
  if (!fl_grow(&slots, &decoder->cap_slots, decoder->n_slots + shape->n_slots,
               sizeof *decoder->slots))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  decoder->slots = slots;
  fl_raw *slot = decoder->slots + decoder->n_slots;
  for (unsigned column = 0; column < FL_C_COUNT; column++) {
    const msgpack_object *object = fl_column_at(&view->columns[column], i);
    slot[column] = raw_of(object);
  }
  slot[FL_C_TIME] = time_raw(decoder, fl_column_at(&view->columns[FL_C_TIME], i), view->times[i]);
  if (view->columns[FL_C_RULES].form != FL_FORM_ABSENT)
    slot[FL_C_RULES] = texts_raw(fl_column_at(&view->columns[FL_C_RULES], i), arena);
  if (group) (void)fill_fields(slot + FL_C_COUNT, group, view->place_of[i]);
  fl_row *row = &decoder->rows[decoder->n_rows++];
  *row = (fl_row){.shape = shape, .slot0 = (uint32_t)decoder->n_slots};
  fill_row(row, view, i, slot[FL_C_RECORD_ID]);
  decoder->n_slots += shape->n_slots;
  *ret_key = fl_object_natural(fl_column_at(&view->numbers[FL_N_SOURCE], i));
  return FL_OK;
}
