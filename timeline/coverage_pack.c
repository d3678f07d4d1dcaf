/* coverage_pack.c - what a channel covers, as timelines keep it (docs/formats/timeline.md). */
#include "faultline/case.h"
#include "timeline/coverage.h"

void fl_pack_coverage(fl_pack *pack, const fl_coverage *coverage) {
  fl_pack_map(pack, 10);
  fl_pack_key(pack, "host");
  fl_pack_str(pack, coverage->host);
  fl_pack_key(pack, "channel");
  fl_pack_str(pack, coverage->channel);
  fl_pack_key(pack, "first");
  fl_pack_i64(pack, coverage->first);
  fl_pack_key(pack, "last");
  fl_pack_i64(pack, coverage->last);
  fl_pack_key(pack, "start");
  if (coverage->start == INT64_MIN) fl_pack_nil(pack);
  else fl_pack_i64(pack, coverage->start);
  fl_pack_key(pack, "end");
  fl_pack_i64(pack, coverage->end);
  fl_pack_key(pack, "events");
  fl_pack_u64(pack, coverage->n_events);
  fl_pack_key(pack, "missing");
  fl_pack_u64(pack, coverage->n_missing);
  fl_pack_key(pack, "cleared");
  if (coverage->cleared == 0) fl_pack_nil(pack);
  else fl_pack_i64(pack, coverage->cleared);
  fl_pack_key(pack, "holes");
  fl_pack_array(pack, coverage->n_holes);
  for (size_t i = 0; i < coverage->n_holes; i++) {
    fl_pack_array(pack, 2);
    fl_pack_i64(pack, coverage->holes[i].start);
    fl_pack_i64(pack, coverage->holes[i].end);
  }
}
