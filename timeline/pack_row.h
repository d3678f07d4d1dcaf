/* pack_row.h - a parser's row becomes a row of a run. */
#ifndef FL_TIMELINE_PACK_ROW_H
#define FL_TIMELINE_PACK_ROW_H

#include "faultline/facts.h"
#include "timeline/plan.h"
#include "timeline/run.h"

/* What facts/ say of an event: its kind, and a sentence where the record has no message. */
typedef struct fl_teller {
  fl_known *known;
  fl_arena *scratch;         /* one sentence */
  const fl_event_fact *fact; /* of the row being packed */
} fl_teller;

fl_status fl_pack_row(fl_runs *runs, fl_plans *plans, fl_teller *teller, const fl_batch *batch,
                      const fl_row *row, fl_err *err);

#endif
