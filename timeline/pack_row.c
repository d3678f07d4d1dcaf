/* pack_row.c - decodes a row's values straight from their raw bytes into the run. */
#include "timeline/pack_row.h"

#include <string.h>

#include "base/limits.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/text.h"
#include "faultline/facts.h"

/* nil: the event's own time with seven decimals; false: none was recorded. */
static void pack_time(fl_pack *pack, const fl_row *row, fl_raw raw, bool *is_cut) {
  fl_time t = 0;
  if (raw.type == FL_T_NULL) {
    fl_pack_bool(pack, false);
  } else if (raw.type == FL_T_FILETIME && raw.n == 8 && !(row->flags & FL_F_TIME_INVALID) &&
             fl_time_from_filetime(fl_le64(raw.p), &t) && t == row->t) {
    fl_pack_nil(pack);
  } else {
    (void)fl_pack_raw(pack, raw, is_cut);
  }
}

/* Columns but one hold single values; the items of an array become one text. */
static void pack_joined(fl_pack *pack, fl_raw raw, fl_column column, bool *is_cut) {
  if (column == FL_C_RULES) {
    (void)fl_pack_raw(pack, raw, is_cut);
    return;
  }
  fl_arena *arena = fl_arena_create(FL_LIMIT_ROW_BYTES);
  const fl_str text = arena ? fl_raw_text(raw, arena) : (fl_str){0};
  if (text.p) fl_pack_str(pack, text);
  else fl_pack_nil(pack);
  fl_arena_free(arena);
}

/* `place`: a column, the kind, or a field behind them. */
static void pack_value(fl_row_packer *packer, fl_raw raw, unsigned place, bool *is_cut) {
  uint32_t none = 0;
  uint32_t *hint = packer->plan->hints ? &packer->plan->hints[place] : &none;
  packer->n_saved += fl_familiars_pack(&packer->familiars, &packer->part->rows, raw, hint, is_cut);
}

static void pack_text(fl_row_packer *packer, fl_str text, unsigned place) {
  bool is_cut = false;
  const fl_raw raw = {(const uint8_t *)text.p, (uint32_t)text.n, FL_T_UTF8, 0};
  pack_value(packer, raw, place, &is_cut);
}

static void pack_single(fl_row_packer *packer, fl_raw raw, fl_column column, bool *is_cut) {
  if (raw.type & FL_T_ARRAY) pack_joined(&packer->part->rows, raw, column, is_cut);
  else pack_value(packer, raw, column, is_cut);
}

/* The message and where it comes from: of the record, or a sentence of ours. */
static void pack_message(fl_row_packer *packer, const fl_batch *batch, const fl_row *row,
                         bool *is_cut) {
  const fl_teller *teller = &packer->teller;
  fl_pack *pack = &packer->part->rows;
  const fl_raw raw = fl_row_column(batch, row, FL_C_MESSAGE);
  const fl_raw from = fl_row_column(batch, row, FL_C_MESSAGE_SOURCE);
  fl_message_source source = FL_MESSAGE_RENDERING;
  if (raw.type != FL_T_NULL) {
    pack_single(packer, raw, FL_C_MESSAGE, is_cut);
    if (from.type != FL_T_NULL) {
      pack_single(packer, from, FL_C_MESSAGE_SOURCE, is_cut);
      return;
    }
  } else {
    fl_arena_reset(teller->scratch);
    const fl_str own = fl_known_sentence(teller->known, teller->fact, batch, row, teller->scratch);
    source = own.n ? FL_MESSAGE_OWN : FL_MESSAGE_NONE;
    if (own.n) pack_text(packer, own, FL_C_MESSAGE);
    else fl_pack_nil(pack);
  }
  if (source == FL_MESSAGE_NONE) fl_pack_nil(pack);
  else fl_pack_key(pack, fl_message_source_names[source]);
}

/* The source of the message is packed with the message. */
static void pack_columns(fl_row_packer *packer, const fl_batch *batch, const fl_row *row,
                         bool *is_cut) {
  const fl_plan *plan = packer->plan;
  uint8_t guid[16];
  for (unsigned i = 0; i < plan->n_own; i++) {
    const fl_column column = (fl_column)plan->own[i];
    const fl_raw raw = fl_row_column(batch, row, column);
    if (column == FL_C_MESSAGE) pack_message(packer, batch, row, is_cut);
    else if (column == FL_C_TIME && !(raw.type & FL_T_ARRAY))
      pack_time(&packer->part->rows, row, raw, is_cut);
    else pack_single(packer, fl_column_raw(column, raw, guid), column, is_cut);
  }
}

/* Returns how many msgpack values were written. */
static size_t pack_field(fl_row_packer *packer, const fl_batch *batch, const fl_row *row,
                         uint32_t i, bool *is_cut) {
  const fl_shape_field *field = &row->shape->fields[i];
  const fl_raw raw = field->join == FL_JOIN_ONE ? fl_row_raw(batch, row, field->refs) : (fl_raw){0};
  if (field->join != FL_JOIN_ONE || raw.type & FL_T_ARRAY)
    return fl_pack_field(&packer->part->rows, batch, row, field, is_cut);
  pack_value(packer, raw, FL_PLAN_COLUMNS + i, is_cut);
  return 1;
}

/* A field that makes the row outgrow its limits is left empty. Returns the number of values. */
static uint32_t pack_data(fl_row_packer *packer, size_t start, const fl_batch *batch,
                          const fl_row *row, bool *is_cut) {
  fl_pack *pack = &packer->part->rows;
  size_t n_values = 0;
  for (uint32_t i = 0; i < row->shape->n_fields; i++) {
    const size_t at = pack->n, n_saved = packer->n_saved;
    const size_t n = pack_field(packer, batch, row, i, is_cut);
    if (n_values + n + (row->shape->n_fields - i) > FL_LIMIT_ROW_VALUES ||
        pack->n - start + packer->n_saved > FL_LIMIT_ROW_BYTES) {
      pack->n = at;
      packer->n_saved = n_saved;
      fl_pack_nil(pack);
      *is_cut = true;
      n_values++;
    } else {
      n_values += n;
    }
  }
  return (uint32_t)n_values;
}

static bool has_same_id(const fl_batch *batch, const fl_row *row) {
  uint64_t record_id = 0;
  const fl_raw raw = fl_row_column(batch, row, FL_C_RECORD_ID);
  if (!fl_raw_u64(raw, &record_id)) record_id = 0;
  return record_id == row->header_record_id;
}

fl_status fl_row_packer_init(fl_row_packer *packer, fl_err *err) {
  packer->teller.known = fl_known_create();
  packer->teller.scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!packer->teller.known || !packer->teller.scratch)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_plans_init(&packer->plans, packer->teller.known, err));
  return fl_familiars_init(&packer->familiars, err);
}

void fl_row_packer_done(fl_row_packer *packer) {
  fl_plans_done(&packer->plans);
  fl_familiars_done(&packer->familiars);
  fl_known_free(packer->teller.known);
  fl_arena_free(packer->teller.scratch);
}

static void pack_kind(fl_row_packer *packer) {
  if (packer->teller.fact) pack_text(packer, fl_str_of(packer->teller.fact->kind), FL_PLAN_KIND);
  else fl_pack_nil(&packer->part->rows);
}

/* The values behind the head; returns how many data values there are. */
static uint32_t pack_values(fl_row_packer *packer, const fl_batch *batch, const fl_row *row,
                            bool *is_cut) {
  const fl_plan *plan = packer->plan;
  fl_pack *pack = &packer->part->rows;
  const size_t start = pack->n - sizeof(fl_row_head);
  if (plan->index == FL_PLAN_INLINE) {
    const uint32_t n_blob = (uint32_t)plan->blob.n;
    fl_pack_bytes(pack, &n_blob, sizeof n_blob);
    fl_pack_bytes(pack, plan->blob.p, plan->blob.n);
  }
  packer->teller.fact =
      plan->is_variant ? plan->fact : fl_known_fact(packer->teller.known, batch, row);
  pack_columns(packer, batch, row, is_cut);
  if (!plan->is_variant) pack_kind(packer);
  return pack_data(packer, start, batch, row, is_cut);
}

fl_status fl_pack_row(fl_row_packer *packer, const fl_batch *batch, const fl_row *row,
                      fl_err *err) {
  const fl_plan *plan = NULL;
  FL_TRY(fl_plans_find(&packer->plans, batch, row, &plan, err));
  fl_pack *pack = &packer->part->rows;
  const size_t start = pack->n;
  bool is_cut = false;
  fl_row_head head = {.t = row->t,
                      .t_written = row->t_written,
                      .seq = row->seq,
                      .offset = row->offset,
                      .header_record_id = row->header_record_id,
                      .source = row->source,
                      .length = row->length,
                      .flags = row->flags,
                      .plan = plan->index,
                      .packer = packer->number,
                      .is_same_id = has_same_id(batch, row)};
  packer->n_saved = 0;
  packer->plan = plan;
  if (fl_pack_room(pack, sizeof head)) pack->n += sizeof head;
  head.n_values = pack_values(packer, batch, row, &is_cut);
  if (pack->failed || pack->n - start + packer->n_saved > UINT32_MAX)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  head.n_bytes = (uint32_t)(pack->n - start - sizeof head);
  head.n_saved = (uint32_t)packer->n_saved;
  if (is_cut) head.flags |= FL_F_TRUNCATED;
  memcpy(pack->p + start, &head, sizeof head);
  return fl_run_part_add(packer->part, start, &head, err);
}
