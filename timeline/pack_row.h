/* pack_row.h - a parser's row becomes a row of a run. */
#ifndef FL_TIMELINE_PACK_ROW_H
#define FL_TIMELINE_PACK_ROW_H

#include "faultline/facts.h"
#include "timeline/familiar.h"
#include "timeline/plan.h"
#include "timeline/run.h"

/* What facts/ say of an event: its kind, and a sentence where the record has no message. */
typedef struct fl_teller {
  fl_known *known;
  fl_arena *scratch;         /* one sentence */
  const fl_event_fact *fact; /* of the row being packed */
} fl_teller;

/* What the rows that one thread packs share. */
typedef struct fl_row_packer {
  uint16_t number;
  fl_run_part *part; /* that rows are packed into */
  fl_plans plans;
  fl_familiars familiars;
  fl_teller teller;
  const fl_plan *plan; /* of the row being packed */
  size_t n_saved;      /* by the row being packed: what its numbers stand for, but for themselves */
} fl_row_packer;

fl_status fl_row_packer_init(fl_row_packer *packer, fl_err *err);
void fl_row_packer_done(fl_row_packer *packer);
fl_status fl_pack_row(fl_row_packer *packer, const fl_batch *batch, const fl_row *row, fl_err *err);

#endif
