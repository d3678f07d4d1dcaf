/* decode.h - a block's payload becomes rows again: shapes, slots, batches of one source. */
#ifndef FL_TIMELINE_DECODE_H
#define FL_TIMELINE_DECODE_H

#include <msgpack.h>

#include "timeline/object.h"

typedef enum fl_column_form {
  FL_FORM_ABSENT,
  FL_FORM_PLAIN,
  FL_FORM_CONSTANT,
  FL_FORM_TABLE
} fl_column_form;

/* A column after its check: every index is in range. */
typedef struct fl_column_view {
  fl_column_form form;
  const msgpack_object *items; /* PLAIN: values; TABLE: indices; CONSTANT: the value */
  const msgpack_object *table;
} fl_column_view;

typedef struct fl_group_view {
  const msgpack_object *keys;
  uint32_t n_keys;
  bool has_lists;
  fl_column_view *columns;
  const fl_shape *shape; /* of the last row */
  uint32_t *lengths;     /* list lengths that `shape` was made for */
} fl_group_view;

/* The columns that are numbers of the row itself. */
typedef enum fl_number_column {
  FL_N_TIME_WRITTEN,
  FL_N_SOURCE,
  FL_N_HEADER_RECORD_ID,
  FL_N_OFFSET,
  FL_N_LENGTH,
  FL_N_FLAGS,
  FL_N_SEQ,
  FL_N_NUMBERS
} fl_number_column;

/* All of a block; memory is the arena's and the payload's. */
typedef struct fl_block_view {
  uint32_t n;
  uint64_t n_text; /* bytes of all rows' texts and data keys */
  fl_time *times;
  fl_column_view numbers[FL_N_NUMBERS];
  fl_column_view columns[FL_C_COUNT];
  fl_group_view *groups;
  uint32_t n_groups;
  uint32_t *group_of; /* of each row, + 1; 0: no data */
  uint32_t *place_of; /* of each row in its group */
} fl_block_view;

/* Checks the payload against its frame and itself. */
fl_status fl_block_view_open(const msgpack_object *payload, const fl_block_info *info,
                             fl_arena *arena, fl_block_view *ret_view, fl_err *err);
const msgpack_object *fl_column_at(const fl_column_view *column, uint32_t row);

/* Shapes by content, kept for as long as the reader lives. */
typedef struct fl_shapes {
  fl_arena *arena; /* of cached shapes */
  uint64_t n_made;
  struct fl_known_shape *known;
  size_t n_known, cap_known;
  uint32_t *slots;
  size_t n_slots;
  fl_pack key;
} fl_shapes;
void fl_shapes_done(fl_shapes *shapes);
/* `lengths[i]`: items of a list, UINT32_MAX for single values. A shape that finds no room in the
 * cache comes from `block_arena`; NULL when out of memory. */
const fl_shape *fl_shapes_find(fl_shapes *shapes, const fl_group_view *group,
                               const uint32_t *lengths, fl_arena *block_arena);

/* Turns views into batches. */
typedef struct fl_decoder {
  fl_shapes shapes;
  fl_row *rows;
  uint32_t n_rows;
  size_t cap_rows;
  fl_raw *slots;
  size_t n_slots, cap_slots;
  uint64_t filetimes[FL_BATCH_ROWS];
} fl_decoder;
void fl_decoder_done(fl_decoder *decoder);
/* Appends row `i`; its source is left to the caller, who finds the key in *ret_key. */
fl_status fl_decoder_add(fl_decoder *decoder, fl_block_view *view, uint32_t i, fl_arena *arena,
                         uint64_t *ret_key, fl_err *err);

/* Small helpers for the maps of other objects. */
const msgpack_object *fl_map_find(const msgpack_object *map, const char *key);
uint64_t fl_object_natural(const msgpack_object *object); /* 0 when it is none */
int64_t fl_object_integer(const msgpack_object *object);
fl_str fl_object_text(const msgpack_object *object);

#endif
