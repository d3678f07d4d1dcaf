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

/* Columns hold single values; the items of an array become one text. */
static void pack_joined(fl_pack *pack, fl_raw raw) {
  fl_arena *arena = fl_arena_create(FL_LIMIT_ROW_BYTES);
  const fl_str text = arena ? fl_raw_text(raw, arena) : (fl_str){0};
  if (text.p) fl_pack_str(pack, text);
  else fl_pack_nil(pack);
  fl_arena_free(arena);
}

static void pack_single(fl_pack *pack, fl_raw raw, bool *is_cut) {
  if (raw.type & FL_T_ARRAY) pack_joined(pack, raw);
  else (void)fl_pack_raw(pack, raw, is_cut);
}

/* The message and where it comes from: of the record, or a sentence of ours. */
static void pack_message(fl_pack *pack, const fl_teller *teller, const fl_batch *batch,
                         const fl_row *row, bool *is_cut) {
  const fl_raw raw = fl_row_column(batch, row, FL_C_MESSAGE);
  const fl_raw from = fl_row_column(batch, row, FL_C_MESSAGE_SOURCE);
  fl_message_source source = FL_MESSAGE_RENDERING;
  if (raw.type != FL_T_NULL) {
    pack_single(pack, raw, is_cut);
    if (from.type != FL_T_NULL) {
      pack_single(pack, from, is_cut);
      return;
    }
  } else {
    fl_arena_reset(teller->scratch);
    const fl_str own = fl_known_sentence(teller->known, teller->fact, batch, row, teller->scratch);
    source = own.n ? FL_MESSAGE_OWN : FL_MESSAGE_NONE;
    if (own.n) fl_pack_str(pack, own);
    else fl_pack_nil(pack);
  }
  if (source == FL_MESSAGE_NONE) fl_pack_nil(pack);
  else fl_pack_key(pack, fl_message_source_names[source]);
}

/* The source of the message is packed with the message. */
static void pack_columns(fl_pack *pack, const fl_plan *plan, const fl_teller *teller,
                         const fl_batch *batch, const fl_row *row, bool *is_cut) {
  uint8_t guid[16];
  for (unsigned column = 0; column < FL_C_COUNT; column++) {
    if (plan->constants[column].n || column == FL_C_MESSAGE_SOURCE) continue;
    const fl_raw raw = fl_row_column(batch, row, (fl_column)column);
    if (column == FL_C_MESSAGE) pack_message(pack, teller, batch, row, is_cut);
    else if (column == FL_C_TIME && !(raw.type & FL_T_ARRAY)) pack_time(pack, row, raw, is_cut);
    else pack_single(pack, fl_column_raw((fl_column)column, raw, guid), is_cut);
  }
}

/* A field that makes the row outgrow its limits is left empty. Returns the number of values. */
static uint32_t pack_data(fl_pack *pack, size_t start, const fl_batch *batch, const fl_row *row,
                          bool *is_cut) {
  size_t n_values = 0;
  for (uint32_t i = 0; i < row->shape->n_fields; i++) {
    const size_t at = pack->n;
    const size_t n = fl_pack_field(pack, batch, row, &row->shape->fields[i], is_cut);
    if (n_values + n + (row->shape->n_fields - i) > FL_LIMIT_ROW_VALUES ||
        pack->n - start > FL_LIMIT_ROW_BYTES) {
      pack->n = at;
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

fl_status fl_pack_row(fl_runs *runs, fl_plans *plans, fl_teller *teller, const fl_batch *batch,
                      const fl_row *row, fl_err *err) {
  const fl_plan *plan = NULL;
  FL_TRY(fl_plans_find(plans, row->shape, &plan, err));
  fl_pack *pack = &runs->rows;
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
                      .is_same_id = has_same_id(batch, row)};
  fl_pack_bytes(pack, &head, sizeof head);
  if (plan->index == FL_PLAN_INLINE) {
    const uint32_t n_blob = (uint32_t)plan->blob.n;
    fl_pack_bytes(pack, &n_blob, sizeof n_blob);
    fl_pack_bytes(pack, plan->blob.p, plan->blob.n);
  }
  teller->fact = fl_known_fact(teller->known, batch, row);
  pack_columns(pack, plan, teller, batch, row, &is_cut);
  if (teller->fact) fl_pack_key(pack, teller->fact->kind);
  else fl_pack_nil(pack);
  head.n_values = pack_data(pack, start, batch, row, &is_cut);
  if (pack->failed || pack->n - start > UINT32_MAX)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  head.n_bytes = (uint32_t)(pack->n - start - sizeof head);
  if (is_cut) head.flags |= FL_F_TRUNCATED;
  memcpy(pack->p + start, &head, sizeof head);
  return fl_runs_add(runs, start, &head, err);
}
