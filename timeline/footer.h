/* footer.h - the last object of a timeline file: where the others are, and how many. */
#ifndef FL_TIMELINE_FOOTER_H
#define FL_TIMELINE_FOOTER_H

#include <msgpack.h>

#include "timeline/scan.h"

typedef struct fl_listed_block {
  uint64_t offset, n;
  fl_time t_min, t_max;
} fl_listed_block;

/* What the last object says about the others. */
typedef struct fl_footer {
  bool is_valid;
  uint64_t header_crc, n_events, n_sources, n_notes;
  uint64_t *objects; /* offsets, rising */
  fl_listed_block *blocks;
  uint32_t n_objects, n_blocks;
} fl_footer;

/* False unless the file ends with a trailer whose checksum is that of the footer before it. */
bool fl_footer_find(const fl_file *file, fl_frame *ret_frame);
/* Its payload; the lists are the arena's. */
void fl_footer_read(const msgpack_object *payload, fl_arena *arena, fl_footer *ret_footer);

#endif
