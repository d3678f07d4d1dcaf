/* pack_row.h - a parser's row becomes a row of a run. */
#ifndef FL_TIMELINE_PACK_ROW_H
#define FL_TIMELINE_PACK_ROW_H

#include "timeline/plan.h"
#include "timeline/run.h"

/* What facts/ call an event, remembered by (provider, id). */
enum { FL_KIND_SLOTS = 1024, FL_KIND_PROVIDER_MAX = 96 };
typedef struct fl_kinds {
  struct {
    uint32_t event_id, n;
    char provider[FL_KIND_PROVIDER_MAX];
    const char *kind; /* static text, "" for none */
  } slots[FL_KIND_SLOTS];
} fl_kinds;

fl_status fl_pack_row(fl_runs *runs, fl_plans *plans, fl_kinds *kinds, const fl_batch *batch,
                      const fl_row *row, fl_err *err);

#endif
