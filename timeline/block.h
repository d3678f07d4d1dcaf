/* block.h - rows in order become the columns of one block (docs/formats/timeline.md). */
#ifndef FL_TIMELINE_BLOCK_H
#define FL_TIMELINE_BLOCK_H

#include "timeline/legend.h"
#include "timeline/run.h"

enum { FL_BLOCK_EVENTS = 4096 };

typedef struct fl_cell {
  const uint8_t *p;
  uint32_t n;
  uint32_t familiar; /* its number + 1; 0: none */
} fl_cell;

typedef struct fl_block_row {
  fl_row_head head;
  uint32_t next; /* row of the same group, + 1 */
} fl_block_row;

/* Where a row's values are: looked at once a column, so kept apart and short. */
typedef struct fl_block_place {
  uint32_t pos; /* in `bytes`, of the next value that no column has taken yet */
  uint32_t packer;
} fl_block_place;

/* Rows with the same data keys. */
typedef struct fl_block_group {
  fl_str keys;
  uint64_t hash;
  uint32_t n_fields, first, last, n_rows; /* first, last: rows, + 1 */
} fl_block_group;

/* One text of the block; listed under "str" when a column refers to it. */
typedef struct fl_block_text {
  uint64_t hash;
  fl_cell cell;
  uint32_t index;   /* in "str", UINT32_MAX: not listed */
  uint32_t seen_by; /* last column that holds it */
} fl_block_text;

/* The values of a column: one a row, or one for all rows of a plan. */
typedef struct fl_cells {
  const fl_cell *items;
  uint32_t n;
  const uint32_t *n_rows; /* of each; NULL: one */
  const uint16_t *by_row; /* the item of each row; NULL: its own */
} fl_cells;

typedef struct fl_block {
  const fl_legend *legend;
  fl_pack bytes;
  fl_block_row rows[FL_BLOCK_EVENTS];
  fl_block_place places[FL_BLOCK_EVENTS];
  const fl_plan *plans[FL_BLOCK_EVENTS]; /* of each row; NULL: inline, until packed */
  fl_plan *inline_plans;
  uint32_t n_rows;
  /* distinct plans, in the order of their first rows */
  const fl_plan *distinct[FL_BLOCK_EVENTS];
  uint32_t n_distinct, distinct_rows[FL_BLOCK_EVENTS];
  uint16_t plan_of_row[FL_BLOCK_EVENTS];
  uint16_t *numbers; /* by index of a plan: its place among the distinct ones + 1 */
  size_t n_bytes, n_values;
  fl_block_group *groups;
  size_t n_groups, cap_groups;
  uint32_t group_slots[2 * FL_BLOCK_EVENTS];
  fl_block_text *texts;
  size_t n_texts, cap_texts;
  uint32_t *text_slots;
  size_t n_text_slots;
  uint32_t *familiar_texts; /* by number: the text of this block + 1; 0: not met yet */
  uint32_t n_columns;       /* taken so far: the stamp of the current one */
  fl_cell cells[FL_BLOCK_EVENTS];
  uint32_t cell_texts[FL_BLOCK_EVENTS];
  fl_pack columns, strings;
  fl_pack rules;  /* lists of names, packed */
  bool has_rules; /* rows were looked up, so that what they were read with is out of date */
  size_t rules_at[FL_BLOCK_EVENTS]; /* where the list of a row begins */
  uint32_t n_strings;
  bool failed;
} fl_block;

/* For rows that were packed with what is in the legend, which is borrowed. */
fl_status fl_block_create(const fl_legend *legend, fl_block **ret_block, fl_err *err);
void fl_block_free(fl_block *block);
bool fl_block_has_room(const fl_block *block, const fl_row_head *head);
fl_status fl_block_add(fl_block *block, const fl_row_head *head, const uint8_t *bytes, fl_err *err);
/* Of the row that was added last: a packed list of names, n 0 where no rule matched. */
fl_status fl_block_add_rules(fl_block *block, fl_str packed, fl_err *err);
/* Packs the block's payload into `ret_payload` and empties the block. keys[source]: names' keys. */
fl_status fl_block_pack(fl_block *block, const uint64_t *keys, fl_pack *ret_payload, fl_err *err);

#endif
