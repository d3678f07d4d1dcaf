/* pack_row.c - decodes a row's values straight from their raw bytes into the run. */
#include "timeline/pack_row.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/text.h"
#include "faultline/facts.h"

static const char *look_up_kind(fl_str provider, uint32_t event_id) {
  const fl_event_fact *fact = fl_event_fact_find(provider, event_id);
  return fact && fact->kind ? fact->kind : "";
}

static const char *find_kind(fl_kinds *kinds, fl_str provider, uint32_t event_id) {
  const uint64_t hash = fl_hash_bytes(provider.p, provider.n, event_id);
  const size_t at = hash % FL_KIND_SLOTS;
  if (kinds->slots[at].kind && kinds->slots[at].event_id == event_id &&
      kinds->slots[at].n == provider.n &&
      memcmp(kinds->slots[at].provider, provider.p, provider.n) == 0)
    return kinds->slots[at].kind;
  const char *kind = look_up_kind(provider, event_id);
  kinds->slots[at].event_id = event_id;
  kinds->slots[at].n = (uint32_t)provider.n;
  memcpy(kinds->slots[at].provider, provider.p, provider.n);
  kinds->slots[at].kind = kind;
  return kind;
}

/* Providers' names are short; a longer one is in no table of ours. */
static void pack_kind(fl_pack *pack, fl_kinds *kinds, const fl_batch *batch, const fl_row *row) {
  char text[FL_KIND_PROVIDER_MAX];
  uint64_t event_id = 0;
  fl_raw raw = fl_row_column(batch, row, FL_C_PROVIDER);
  const bool has_id = fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &event_id);
  const char *kind = "";
  if (has_id && event_id <= UINT32_MAX && raw.n > 0) {
    if (raw.type == FL_T_STR16) {
      raw = fl_raw_trim(raw);
      if (raw.n / 2 <= sizeof text / 3)
        kind = find_kind(kinds, (fl_str){text, fl_utf16_to_utf8(raw.p, raw.n / 2, text)},
                         (uint32_t)event_id);
    } else if (raw.type == FL_T_UTF8 && raw.n <= sizeof text) {
      kind = find_kind(kinds, (fl_str){(const char *)raw.p, raw.n}, (uint32_t)event_id);
    }
  }
  if (*kind) fl_pack_key(pack, kind);
  else fl_pack_nil(pack);
}

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

static void pack_columns(fl_pack *pack, const fl_plan *plan, const fl_batch *batch,
                         const fl_row *row, bool *is_cut) {
  uint8_t guid[16];
  for (unsigned column = 0; column < FL_C_COUNT; column++) {
    if (plan->constants[column].n) continue;
    const fl_raw raw = fl_row_column(batch, row, (fl_column)column);
    if (raw.type & FL_T_ARRAY) pack_joined(pack, raw);
    else if (column == FL_C_TIME) pack_time(pack, row, raw, is_cut);
    else (void)fl_pack_raw(pack, fl_column_raw((fl_column)column, raw, guid), is_cut);
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

fl_status fl_pack_row(fl_runs *runs, fl_plans *plans, fl_kinds *kinds, const fl_batch *batch,
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
  pack_columns(pack, plan, batch, row, &is_cut);
  pack_kind(pack, kinds, batch, row);
  head.n_values = pack_data(pack, start, batch, row, &is_cut);
  if (pack->failed || pack->n - start > UINT32_MAX)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  head.n_bytes = (uint32_t)(pack->n - start - sizeof head);
  if (is_cut) head.flags |= FL_F_TRUNCATED;
  memcpy(pack->p + start, &head, sizeof head);
  return fl_runs_add(runs, start, &head, err);
}
