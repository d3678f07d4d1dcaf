/* legend.h - what the numbers in packed rows mean: plans and familiar values of each packer. */
#ifndef FL_TIMELINE_LEGEND_H
#define FL_TIMELINE_LEGEND_H

#include "faultline/ingest.h"
#include "timeline/familiar.h"
#include "timeline/plan.h"

/* Borrowed, and not growing any more. NULL: nobody packed with it. */
typedef struct fl_legend_item {
  const fl_plans *plans;
  const fl_familiars *familiars;
  uint32_t first_plan, first_familiar; /* counted through all packers */
} fl_legend_item;

typedef struct fl_legend {
  fl_legend_item items[FL_MAX_READERS]; /* by number of the packer */
  size_t n_plans, n_familiars;
} fl_legend;

static inline void fl_legend_add(fl_legend *legend, unsigned packer, const fl_plans *plans,
                                 const fl_familiars *familiars) {
  legend->items[packer] =
      (fl_legend_item){plans, familiars, (uint32_t)legend->n_plans, (uint32_t)legend->n_familiars};
  legend->n_plans += plans->n_plans;
  legend->n_familiars += familiars->n_items;
}

#endif
