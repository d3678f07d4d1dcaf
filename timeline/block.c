/* block.c - columns: a constant, references to the block's texts where they repeat, or plain. */
#include "timeline/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rd.h"

enum {
  BLOCK_BYTES = 32 << 20,
  USUAL_BYTES = 1 << 20,
  COLUMNS_PER_ROW = FL_C_COUNT + 10,
  NIL = 0xc0
};

fl_status fl_block_create(const fl_legend *legend, fl_block **ret_block, fl_err *err) {
  fl_block *block = calloc(1, sizeof *block);
  if (!block) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  block->legend = legend;
  block->familiar_texts = calloc(legend->n_familiars + 1, sizeof *block->familiar_texts);
  block->numbers = calloc(legend->n_plans + 1, sizeof *block->numbers);
  const bool has_room = fl_pack_room(&block->bytes, USUAL_BYTES);
  if (!block->familiar_texts || !block->numbers || !has_room) {
    fl_block_free(block);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *ret_block = block;
  return FL_OK;
}

void fl_block_free(fl_block *block) {
  if (!block) return;
  fl_pack_free(&block->bytes);
  fl_pack_free(&block->rules);
  fl_pack_free(&block->columns);
  fl_pack_free(&block->strings);
  free(block->inline_plans);
  free(block->groups);
  free(block->texts);
  free(block->text_slots);
  free(block->familiar_texts);
  free(block->numbers);
  free(block);
}

bool fl_block_has_room(const fl_block *block, const fl_row_head *head) {
  return block->n_rows == 0 ||
         (block->n_rows < FL_BLOCK_EVENTS &&
          block->n_bytes + head->n_bytes + head->n_saved <= BLOCK_BYTES &&
          block->n_values + head->n_values + COLUMNS_PER_ROW <= FL_LIMIT_BLOCK_VALUES);
}

fl_status fl_block_add(fl_block *block, const fl_row_head *head, const uint8_t *bytes,
                       fl_err *err) {
  block->rows[block->n_rows] = (fl_block_row){.head = *head};
  block->places[block->n_rows] = (fl_block_place){(uint32_t)block->bytes.n, head->packer};
  fl_pack_bytes(&block->bytes, bytes, head->n_bytes);
  if (block->bytes.failed) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const bool is_inline = head->plan == FL_PLAN_INLINE;
  const fl_plan *plan =
      is_inline ? NULL : block->legend->items[head->packer].plans->plans[head->plan];
  block->plans[block->n_rows] = plan;
  /* What the row unfolds to: a reader bounds that, and not only the packed payload. */
  block->n_bytes +=
      head->n_bytes + head->n_saved + (plan ? plan->n_constant_bytes + plan->keys.n : 0);
  block->n_values += head->n_values + COLUMNS_PER_ROW;
  block->n_rows++;
  return FL_OK;
}

fl_status fl_block_add_rules(fl_block *block, fl_str packed, fl_err *err) {
  const size_t at = block->rules.n;
  block->has_rules = true;
  block->rules_at[block->n_rows - 1] = at;
  fl_pack_bytes(&block->rules, packed.p, packed.n);
  block->n_bytes += packed.n;
  return block->rules.failed ? fl_fail(err, FL_E_NOMEM, 0, "out of memory") : FL_OK;
}

/* Inline plans can be looked at only when the row buffer does not move any more. */
static bool parse_inline_plans(fl_block *block) {
  for (uint32_t i = 0; i < block->n_rows; i++) {
    if (block->plans[i]) continue;
    if (!block->inline_plans)
      block->inline_plans = calloc(FL_BLOCK_EVENTS, sizeof *block->inline_plans);
    if (!block->inline_plans) return false;
    const uint8_t *p = block->bytes.p + block->places[i].pos;
    const fl_str blob = {(const char *)p + 4, fl_le32(p)};
    fl_plan_parse(blob, &block->inline_plans[i]);
    block->plans[i] = &block->inline_plans[i];
    block->places[i].pos += 4 + (uint32_t)blob.n;
  }
  return true;
}

/* Where the place of a row's plan is kept; NULL for an inline one. */
static uint16_t *number_place(fl_block *block, uint32_t row) {
  const fl_plan *plan = block->plans[row];
  if (plan->index == FL_PLAN_INLINE) return NULL;
  const fl_legend_item *item = &block->legend->items[block->rows[row].head.packer];
  return &block->numbers[item->first_plan + plan->index];
}

/* Rows of one plan agree in its constants, so most columns are looked at once a plan. */
static void number_plans(fl_block *block) {
  block->n_distinct = 0;
  for (uint32_t i = 0; i < block->n_rows; i++) {
    const fl_plan *plan = block->plans[i];
    uint16_t own = 0; /* each inline plan is its own */
    uint16_t *number = number_place(block, i);
    if (!number) number = &own;
    if (*number == 0) {
      block->distinct[block->n_distinct] = plan;
      block->distinct_rows[block->n_distinct] = 0;
      *number = (uint16_t)++block->n_distinct;
    }
    block->plan_of_row[i] = *number - 1;
    block->distinct_rows[*number - 1]++;
  }
  for (uint32_t i = 0; i < block->n_rows; i++) {
    uint16_t *number = number_place(block, i);
    if (number) *number = 0;
  }
}

static fl_cell take_value(fl_block *block, uint32_t row) {
  fl_block_place *place = &block->places[row];
  const uint8_t *const start = block->bytes.p + place->pos;
  const uint8_t *at = start;
  const fl_legend_item *item = &block->legend->items[place->packer];
  const fl_str value = fl_familiars_take(item->familiars, &at);
  place->pos += (uint32_t)(at - start);
  const bool is_familiar = *start == FL_FAMILIAR_TAG;
  const uint32_t familiar = is_familiar ? item->first_familiar + fl_familiar_number(start) + 1 : 0;
  return (fl_cell){(const uint8_t *)value.p, (uint32_t)value.n, familiar};
}

static bool is_nil(fl_cell cell) { return cell.n == 1 && cell.p[0] == NIL; }
/* Only texts become familiar; their bytes need not be looked at. */
static bool is_text(fl_cell cell) {
  return cell.familiar || (cell.p[0] >= 0xa0 && cell.p[0] < 0xc0) ||
         (cell.p[0] >= 0xd9 && cell.p[0] <= 0xdb);
}
static bool are_equal(fl_cell a, fl_cell b) {
  return a.n == b.n && (a.p == b.p || fl_bytes_are_equal(a.p, b.p, a.n));
}

static bool are_constant(const fl_cells *cells, uint32_t n_rows) {
  for (uint32_t i = 1; i < cells->n; i++)
    if (!are_equal(cells->items[0], cells->items[i])) return false;
  return n_rows > 1;
}

static bool grow_text_slots(fl_block *block) {
  const size_t n = block->n_text_slots ? block->n_text_slots * 2 : 16384;
  uint32_t *slots = calloc(n, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < block->n_texts; i++) {
    size_t at = block->texts[i].hash & (n - 1);
    while (slots[at]) at = (at + 1) & (n - 1);
    slots[at] = (uint32_t)i + 1;
  }
  free(block->text_slots);
  block->text_slots = slots;
  block->n_text_slots = n;
  return true;
}

/* Index of the text in block->texts; UINT32_MAX when out of memory. */
static uint32_t find_text_by_content(fl_block *block, fl_cell cell) {
  void *list = block->texts;
  if ((block->n_texts * 2 >= block->n_text_slots && !grow_text_slots(block)) ||
      !fl_grow(&list, &block->cap_texts, block->n_texts + 1, sizeof *block->texts)) {
    block->failed = true;
    return UINT32_MAX;
  }
  block->texts = list;
  const uint64_t hash = fl_hash_bytes(cell.p, cell.n, 0);
  size_t at = hash & (block->n_text_slots - 1);
  for (; block->text_slots[at]; at = (at + 1) & (block->n_text_slots - 1)) {
    const fl_block_text *text = &block->texts[block->text_slots[at] - 1];
    if (text->hash == hash && are_equal(text->cell, cell)) return block->text_slots[at] - 1;
  }
  block->texts[block->n_texts] =
      (fl_block_text){.hash = hash, .cell = cell, .index = UINT32_MAX, .seen_by = UINT32_MAX};
  block->text_slots[at] = (uint32_t)++block->n_texts;
  return (uint32_t)block->n_texts - 1;
}

static uint32_t find_text(fl_block *block, fl_cell cell) {
  if (cell.familiar == 0) return find_text_by_content(block, cell);
  uint32_t *known = &block->familiar_texts[cell.familiar - 1];
  if (*known == 0) *known = find_text_by_content(block, cell) + 1;
  return *known - 1;
}

static uint32_t rows_of(const fl_cells *cells, uint32_t i) {
  return cells->n_rows ? cells->n_rows[i] : 1;
}

/* Texts only, and at least a quarter of them repeat. Fills cell_texts. */
static bool are_worth_a_table(fl_block *block, const fl_cells *cells, uint32_t n_rows) {
  uint32_t n_present = 0, n_distinct = 0;
  for (uint32_t i = 0; i < cells->n; i++)
    if (!is_nil(cells->items[i]) && !is_text(cells->items[i])) return false;
  for (uint32_t i = 0; i < cells->n; i++) {
    const fl_cell cell = cells->items[i];
    if (is_nil(cell)) continue;
    const bool is_same = i > 0 && cell.p == cells->items[i - 1].p;
    block->cell_texts[i] = is_same ? block->cell_texts[i - 1] : find_text(block, cell);
    if (block->failed) return false;
    fl_block_text *text = &block->texts[block->cell_texts[i]];
    n_distinct += text->seen_by != block->n_columns;
    text->seen_by = block->n_columns;
    n_present += rows_of(cells, i);
    /* A column of many different texts will not get there any more. */
    if (n_distinct > n_rows - n_rows / 4) return false;
  }
  return (n_present - n_distinct) * 4 >= n_present && n_present > 1;
}

/* The place of a cell's text under "str". */
static uint32_t text_index(fl_block *block, uint32_t cell) {
  fl_block_text *text = &block->texts[block->cell_texts[cell]];
  if (text->index == UINT32_MAX) {
    text->index = block->n_strings++;
    fl_pack_bytes(&block->strings, text->cell.p, text->cell.n);
  }
  return text->index;
}

static void pack_indices(fl_block *block, const fl_cells *cells, uint32_t n_rows, fl_pack *out) {
  fl_pack_map(out, 1);
  fl_pack_key(out, "i");
  fl_pack_array(out, n_rows);
  uint8_t *to = fl_pack_room(out, (size_t)n_rows * FL_PACK_NUMBER_MAX);
  if (!to) return;
  for (uint32_t row = 0; row < n_rows; row++) {
    const uint32_t i = cells->by_row ? cells->by_row[row] : row;
    if (is_nil(cells->items[i])) *to++ = NIL;
    else to = fl_pack_put_u64(to, text_index(block, i));
  }
  out->n = (size_t)(to - out->p);
}

static void pack_list(const fl_cells *cells, uint32_t n_rows, fl_pack *out) {
  size_t n_bytes = 0;
  for (uint32_t i = 0; i < cells->n; i++) n_bytes += (size_t)cells->items[i].n * rows_of(cells, i);
  fl_pack_array(out, n_rows);
  uint8_t *to = fl_pack_room(out, n_bytes);
  if (!to) return;
  out->n += n_bytes;
  for (uint32_t row = 0; row < n_rows; row++) {
    const fl_cell cell = cells->items[cells->by_row ? cells->by_row[row] : row];
    if (cell.n == 1) *to = *cell.p;
    else memcpy(to, cell.p, cell.n);
    to += cell.n;
  }
}

static void pack_cells(fl_block *block, const fl_cells *cells, uint32_t n_rows, fl_pack *out) {
  block->n_columns++;
  if (are_constant(cells, n_rows)) {
    fl_pack_map(out, 1);
    fl_pack_key(out, "c");
    fl_pack_bytes(out, cells->items[0].p, cells->items[0].n);
  } else if (are_worth_a_table(block, cells, n_rows)) {
    pack_indices(block, cells, n_rows, out);
  } else {
    pack_list(cells, n_rows, out);
  }
}

/* A column of all rows under its name; nothing when it is nil everywhere. */
static uint32_t pack_named_column(fl_block *block, const fl_cells *cells, const char *name) {
  bool is_absent = true;
  for (uint32_t i = 0; i < cells->n && is_absent; i++) is_absent = is_nil(cells->items[i]);
  if (is_absent) return 0;
  fl_pack_key(&block->columns, name);
  pack_cells(block, cells, block->n_rows, &block->columns);
  return 1;
}

static fl_cell constant_of(const fl_plan *plan, unsigned column) {
  const fl_str constant = plan->constants[column];
  return (fl_cell){(const uint8_t *)constant.p, (uint32_t)constant.n, 0};
}

/* One cell a plan; false where some rows hold the value themselves. */
static bool take_constants(fl_block *block, unsigned column) {
  for (uint32_t i = 0; i < block->n_distinct; i++) {
    block->cells[i] = constant_of(block->distinct[i], column);
    if (block->cells[i].n == 0) return false;
  }
  return true;
}

static fl_cell rules_of(const fl_block *block, uint32_t row) {
  static const uint8_t nil = NIL;
  const size_t at = block->rules_at[row];
  const size_t end = row + 1 < block->n_rows ? block->rules_at[row + 1] : block->rules.n;
  if (at == end) return (fl_cell){&nil, 1, 0};
  return (fl_cell){block->rules.p + at, (uint32_t)(end - at), 0};
}

static uint32_t pack_fixed_columns(fl_block *block) {
  uint32_t n_columns = 0;
  for (unsigned column = 0; column < FL_PLAN_COLUMNS; column++) {
    const char *name = column == FL_PLAN_KIND ? "kind" : fl_column_names[column];
    fl_cells cells = {block->cells, block->n_distinct, block->distinct_rows, block->plan_of_row};
    const bool is_told = column == FL_C_RULES && block->has_rules;
    if (is_told || !take_constants(block, column)) {
      for (uint32_t i = 0; i < block->n_rows; i++) {
        const fl_cell constant = constant_of(block->plans[i], column);
        block->cells[i] = constant.n ? constant : take_value(block, i);
        if (is_told) block->cells[i] = rules_of(block, i);
      }
      cells = (fl_cells){block->cells, block->n_rows, NULL, NULL};
    }
    n_columns += pack_named_column(block, &cells, name);
  }
  return n_columns;
}

/* Time: the first value, then what each adds; rows are in order, so that no step is negative. */
static void pack_times(fl_block *block) {
  fl_pack *out = &block->columns;
  fl_pack_key(out, "t");
  fl_pack_array(out, block->n_rows);
  fl_pack_i64(out, block->rows[0].head.t);
  uint8_t *to = fl_pack_room(out, (size_t)block->n_rows * FL_PACK_NUMBER_MAX);
  if (!to) return;
  for (uint32_t i = 1; i < block->n_rows; i++)
    to = fl_pack_put_u64(to, (uint64_t)block->rows[i].head.t - (uint64_t)block->rows[i - 1].head.t);
  out->n = (size_t)(to - out->p);
}

typedef enum number_column {
  N_TIME_WRITTEN,
  N_SOURCE,
  N_HEADER_RECORD_ID,
  N_OFFSET,
  N_LENGTH,
  N_FLAGS,
  N_SEQ,
  N_COUNT
} number_column;

typedef struct number {
  uint64_t bits;
  bool is_nil, is_signed;
} number;

static number number_of(const fl_row_head *head, number_column column, const uint64_t *keys) {
  switch (column) {
    case N_TIME_WRITTEN:
      return (number){(uint64_t)head->t_written - (uint64_t)head->t, head->t_written == 0, true};
    case N_SOURCE:
      return (number){.bits = keys[head->source]};
    case N_HEADER_RECORD_ID:
      return (number){head->header_record_id, head->is_same_id, false};
    case N_OFFSET:
      return (number){.bits = head->offset};
    case N_LENGTH:
      return (number){.bits = head->length};
    case N_FLAGS:
      return (number){.bits = head->flags};
    case N_SEQ:
      return (number){.bits = head->seq};
    case N_COUNT:
      break;
  }
  return (number){.is_nil = true};
}

static void pack_number(fl_pack *out, number n) {
  if (n.is_nil) fl_pack_nil(out);
  else if (n.is_signed) fl_pack_i64(out, (int64_t)n.bits);
  else fl_pack_u64(out, n.bits);
}

/* Numbers are a constant or a list. */
static uint32_t pack_number_column(fl_block *block, number_column column, const char *name,
                                   const uint64_t *keys) {
  fl_pack *out = &block->columns;
  const number first = number_of(&block->rows[0].head, column, keys);
  bool is_absent = first.is_nil, is_constant = block->n_rows > 1;
  for (uint32_t i = 1; i < block->n_rows && (is_absent || is_constant); i++) {
    const number n = number_of(&block->rows[i].head, column, keys);
    is_absent &= n.is_nil;
    is_constant &= n.is_nil == first.is_nil && (n.is_nil || n.bits == first.bits);
  }
  if (is_absent) return 0;
  fl_pack_key(out, name);
  if (is_constant) {
    fl_pack_map(out, 1);
    fl_pack_key(out, "c");
    pack_number(out, first);
    return 1;
  }
  fl_pack_array(out, block->n_rows);
  for (uint32_t i = 0; i < block->n_rows; i++)
    pack_number(out, number_of(&block->rows[i].head, column, keys));
  return 1;
}

static uint32_t pack_number_columns(fl_block *block, const uint64_t *keys) {
  static const char *const names[N_COUNT] = {
      "time_written", "source", "header_record_id", "offset", "length", "flags", "seq"};
  uint32_t n_columns = 0;
  for (unsigned column = 0; column < N_COUNT; column++)
    n_columns += pack_number_column(block, (number_column)column, names[column], keys);
  return n_columns;
}

static fl_block_group *find_group(fl_block *block, const fl_plan *plan) {
  const size_t mask = 2 * FL_BLOCK_EVENTS - 1;
  size_t at = plan->keys_hash & mask;
  for (; block->group_slots[at]; at = (at + 1) & mask) {
    fl_block_group *group = &block->groups[block->group_slots[at] - 1];
    if (group->hash == plan->keys_hash && fl_str_eq(group->keys, plan->keys)) return group;
  }
  void *list = block->groups;
  if (!fl_grow(&list, &block->cap_groups, block->n_groups + 1, sizeof *block->groups)) return NULL;
  block->groups = list;
  block->groups[block->n_groups] =
      (fl_block_group){.keys = plan->keys, .hash = plan->keys_hash, .n_fields = plan->n_fields};
  block->group_slots[at] = (uint32_t)++block->n_groups;
  return &block->groups[block->n_groups - 1];
}

/* Groups appear in the order of their first rows. */
static bool group_rows(fl_block *block) {
  for (uint32_t i = 0; i < block->n_rows; i++) {
    if (block->plans[i]->n_fields == 0) continue;
    fl_block_group *group = find_group(block, block->plans[i]);
    if (!group) return false;
    if (group->last) block->rows[group->last - 1].next = i + 1;
    else group->first = i + 1;
    group->last = i + 1;
    group->n_rows++;
  }
  return true;
}

static void pack_group(fl_block *block, const fl_block_group *group, fl_pack *out) {
  fl_pack_map(out, 3);
  fl_pack_key(out, "k");
  fl_pack_bytes(out, group->keys.p, group->keys.n);
  fl_pack_key(out, "r");
  fl_pack_array(out, group->n_rows);
  uint32_t before = 0;
  for (uint32_t i = group->first; i; i = block->rows[i - 1].next) {
    fl_pack_u64(out, i - 1 - before);
    before = i - 1;
  }
  fl_pack_key(out, "v");
  fl_pack_array(out, group->n_fields);
  for (uint32_t field = 0; field < group->n_fields; field++) {
    uint32_t n = 0;
    for (uint32_t i = group->first; i; i = block->rows[i - 1].next)
      block->cells[n++] = take_value(block, i - 1);
    const fl_cells cells = {block->cells, n, NULL, NULL};
    pack_cells(block, &cells, n, out);
  }
}

static void empty(fl_block *block) {
  block->bytes.n = block->columns.n = block->strings.n = block->rules.n = 0;
  block->has_rules = false;
  block->n_rows = block->n_strings = block->n_columns = 0;
  block->n_bytes = block->n_values = block->n_groups = block->n_texts = 0;
  memset(block->group_slots, 0, sizeof block->group_slots);
  memset(block->familiar_texts, 0, block->legend->n_familiars * sizeof *block->familiar_texts);
  if (block->n_text_slots)
    memset(block->text_slots, 0, block->n_text_slots * sizeof *block->text_slots);
}

fl_status fl_block_pack(fl_block *block, const uint64_t *keys, fl_pack *ret_payload, fl_err *err) {
  if (!parse_inline_plans(block)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  number_plans(block);
  pack_times(block);
  uint32_t n_columns = 1 + pack_number_columns(block, keys);
  n_columns += pack_fixed_columns(block);
  if (!group_rows(block)) block->failed = true;
  ret_payload->n = 0;
  fl_pack_map(ret_payload, 4);
  fl_pack_key(ret_payload, "n");
  fl_pack_u64(ret_payload, block->n_rows);
  fl_pack_key(ret_payload, "cols");
  fl_pack_map(ret_payload, n_columns);
  fl_pack_bytes(ret_payload, block->columns.p, block->columns.n);
  fl_pack_key(ret_payload, "data");
  fl_pack_array(ret_payload, block->n_groups);
  for (size_t i = 0; i < block->n_groups; i++) pack_group(block, &block->groups[i], ret_payload);
  fl_pack_key(ret_payload, "str");
  fl_pack_array(ret_payload, block->n_strings);
  fl_pack_bytes(ret_payload, block->strings.p, block->strings.n);
  if (block->failed || block->columns.failed || block->strings.failed || ret_payload->failed)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  empty(block);
  return FL_OK;
}
