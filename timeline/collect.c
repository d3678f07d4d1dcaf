/* collect.c - rows on their way into a timeline: packed by who read them, then sorted and spilled.
 */
#include "timeline/collect.h"

#include <stdlib.h>

/* An open parcel goes to the runs when it has so many bytes. A reader that packs more than MOST
 * leaves its batch to the thread that can spill. */
enum { PARCEL_BYTES = 256 << 10, MOST_PREPARED = 8 << 20 };

static fl_status no_memory(fl_err *err) { return fl_fail(err, FL_E_NOMEM, 0, "out of memory"); }

static fl_status make_packer(fl_collector *collector, unsigned number, fl_err *err) {
  fl_row_packer *packer = calloc(1, sizeof *packer);
  if (!packer) return no_memory(err);
  collector->packers[number] = packer;
  packer->number = (uint16_t)number;
  return fl_row_packer_init(packer, err);
}

fl_status fl_collector_init(fl_collector *collector, size_t memory_bytes, const char *folder,
                            fl_err *err) {
  fl_runs_init(&collector->runs, memory_bytes, folder);
  if (!(collector->lock = fl_lock_create())) return no_memory(err);
  return make_packer(collector, 0, err);
}

static void free_parcels(fl_parcel *parcel) {
  while (parcel) {
    fl_parcel *next = parcel->next;
    fl_run_part_done(&parcel->part);
    fl_survey_done(&parcel->survey);
    free(parcel);
    parcel = next;
  }
}

void fl_collector_done(fl_collector *collector) {
  fl_runs_done(&collector->runs);
  for (unsigned i = 0; i < FL_MAX_READERS; i++) {
    if (collector->packers[i]) fl_row_packer_done(collector->packers[i]);
    free(collector->packers[i]);
    fl_coverage_free(collector->maps[i]);
  }
  free_parcels(collector->open);
  free_parcels(collector->held);
  free_parcels(collector->spare);
  fl_lock_free(collector->lock);
}

/* With room for the rows of an ordinary span, so that they are not moved as they grow. */
static fl_parcel *create_parcel(void) {
  fl_parcel *parcel = calloc(1, sizeof *parcel);
  if (!parcel || fl_pack_room(&parcel->part.rows, PARCEL_BYTES)) return parcel;
  free(parcel);
  return NULL;
}

static fl_parcel *take_spare(fl_collector *collector) {
  fl_lock_take(collector->lock);
  fl_parcel *parcel = collector->spare;
  if (parcel) collector->spare = parcel->next;
  fl_lock_give(collector->lock);
  if (!parcel) return create_parcel();
  parcel->next = NULL;
  parcel->part.rows.n = parcel->part.n_entries = 0;
  return parcel;
}

/* A list of them. */
static void give_back(fl_collector *collector, fl_parcel *parcel) {
  if (!parcel) return;
  fl_parcel *last = parcel;
  while (last->next) last = last->next;
  fl_lock_take(collector->lock);
  last->next = collector->spare;
  collector->spare = parcel;
  fl_lock_give(collector->lock);
}

void fl_collector_drop(fl_collector *collector, fl_parcel *parcel) { give_back(collector, parcel); }

static fl_status find_tools(fl_collector *collector, unsigned reader, fl_err *err) {
  if (!collector->packers[reader]) FL_TRY(make_packer(collector, reader, err));
  return collector->maps[reader] ? FL_OK : fl_coverage_create(&collector->maps[reader], err);
}

/* *ret_is_whole: all rows found room. */
static fl_status pack(fl_row_packer *packer, const fl_batch *batch, fl_parcel *parcel,
                      bool *ret_is_whole, fl_err *err) {
  packer->part = &parcel->part;
  fl_plans_new_batch(&packer->plans);
  *ret_is_whole = true;
  for (uint32_t i = 0; i < batch->n_rows && *ret_is_whole; i++) {
    FL_TRY(fl_pack_row(packer, batch, &batch->rows[i], err));
    *ret_is_whole = parcel->part.rows.n <= MOST_PREPARED;
  }
  return FL_OK;
}

fl_status fl_collector_prepare(fl_collector *collector, unsigned reader, const fl_batch *batch,
                               fl_parcel **ret_parcel, fl_err *err) {
  *ret_parcel = NULL;
  FL_TRY(find_tools(collector, reader, err));
  fl_row_packer *packer = collector->packers[reader];
  fl_run_part *open = packer->part; /* the caller's, when it helps its readers */
  fl_parcel *parcel = take_spare(collector);
  if (!parcel) return no_memory(err);
  bool is_whole = false;
  fl_status status = pack(packer, batch, parcel, &is_whole, err);
  packer->part = open;
  if (status == FL_OK && is_whole)
    status = fl_coverage_survey(collector->maps[reader], batch, &parcel->survey, err);
  if (status == FL_OK && is_whole) {
    fl_run_part_sort(&parcel->part);
    *ret_parcel = parcel;
  } else {
    give_back(collector, parcel);
  }
  return status;
}

fl_status fl_collector_take(fl_collector *collector, fl_parcel *parcel, uint64_t first_seq,
                            fl_err *err) {
  parcel->next = collector->held;
  collector->held = parcel;
  return fl_runs_take(&collector->runs, &parcel->part, first_seq, err);
}

/* ---- what comes unprepared ---- */

static fl_status close_open(fl_collector *collector, fl_err *err) {
  fl_parcel *parcel = collector->open;
  collector->open = NULL;
  collector->packers[0]->part = NULL;
  return parcel ? fl_collector_take(collector, parcel, 0, err) : FL_OK;
}

void fl_collector_new_batch(fl_collector *collector) {
  fl_plans_new_batch(&collector->packers[0]->plans);
}

fl_status fl_collector_add(fl_collector *collector, const fl_batch *batch, const fl_row *row,
                           fl_err *err) {
  fl_row_packer *packer = collector->packers[0];
  if (!collector->open && !(collector->open = take_spare(collector))) return no_memory(err);
  packer->part = &collector->open->part;
  FL_TRY(fl_pack_row(packer, batch, row, err));
  return packer->part->rows.n >= PARCEL_BYTES ? close_open(collector, err) : FL_OK;
}

bool fl_collector_is_full(const fl_collector *collector) {
  const size_t n_open = collector->open ? fl_run_part_bytes(&collector->open->part) : 0;
  return collector->runs.n_bytes + n_open >= collector->runs.memory_bytes;
}

fl_status fl_collector_spill(fl_collector *collector, const uint32_t *ranks, fl_err *err) {
  FL_TRY(close_open(collector, err));
  FL_TRY(fl_runs_spill(&collector->runs, ranks, err));
  give_back(collector, collector->held);
  collector->held = NULL;
  return FL_OK;
}

fl_status fl_collector_merge(fl_collector *collector, const uint32_t *ranks, fl_err *err) {
  FL_TRY(close_open(collector, err));
  free_parcels(collector->spare);
  collector->spare = NULL;
  for (unsigned i = 0; i < FL_MAX_READERS; i++)
    if (collector->packers[i])
      fl_legend_add(&collector->legend, i, &collector->packers[i]->plans,
                    &collector->packers[i]->familiars);
  return fl_runs_merge(&collector->runs, ranks, err);
}
