/* sources.h - the sources of a timeline file, found by their keys. */
#ifndef FL_TIMELINE_SOURCES_H
#define FL_TIMELINE_SOURCES_H

#include <msgpack.h>

#include "faultline/ingest.h"

typedef struct fl_sources {
  fl_arena *arena;       /* borrowed */
  fl_source_info *items; /* by id */
  uint64_t *keys;
  size_t n, cap_items, cap_keys;
  uint32_t *slots;
  size_t n_slots;
  uint32_t last; /* found last */
} fl_sources;
void fl_sources_done(fl_sources *sources);
bool fl_sources_find(fl_sources *sources, uint64_t key, uint32_t *ret_id);
/* The payload of a source object; FL_END when its key is known already. */
fl_status fl_sources_read(fl_sources *sources, const msgpack_object *payload, uint32_t *ret_id,
                          fl_err *err);
/* One that the file does not describe. */
fl_status fl_sources_add(fl_sources *sources, uint64_t key, const fl_source_info *info,
                         uint32_t *ret_id, fl_err *err);

#endif
