/* case_refs.c - references to records as JSON: {"source","record_id","offset","time"}. */
#include "report/case_refs.h"

#include "report/view.h"

static void write_place(fl_json *j, const fl_case *c, const fl_hit_event *place) {
  fl_json_object(j);
  fl_json_key(j, "source");
  fl_json_str_or_null(j, fl_view_source_name(c, place->source));
  fl_json_key(j, "record_id");
  if (place->record_id >= 0) fl_json_i64(j, place->record_id);
  else fl_json_null(j);
  fl_json_key(j, "offset");
  fl_json_u64(j, place->offset);
  fl_json_key(j, "time");
  fl_json_time(j, place->t);
  fl_json_end(j);
}

void fl_json_refs(fl_json *j, const fl_case *c, const fl_event *const *events, size_t n) {
  fl_json_key(j, "events");
  fl_json_array(j);
  for (size_t i = 0; i < n; i++)
    write_place(j, c,
                &(fl_hit_event){.source = events[i]->source,
                                .record_id = events[i]->record_id,
                                .offset = events[i]->offset,
                                .t = events[i]->t});
  fl_json_end(j);
}

void fl_json_places(fl_json *j, const fl_case *c, const fl_hit_event *places, size_t n) {
  fl_json_key(j, "events");
  fl_json_array(j);
  for (size_t i = 0; i < n; i++) write_place(j, c, &places[i]);
  fl_json_end(j);
}
