/* footer.c - finds the footer by the trailer and takes its lists. */
#include "timeline/footer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "timeline/decode.h"

static uint64_t big_endian(const uint8_t *p, unsigned n_bytes) {
  uint64_t number = 0;
  for (unsigned i = 0; i < n_bytes; i++) number = number << 8 | p[i];
  return number;
}

bool fl_footer_find(const fl_file *file, fl_frame *ret_frame) {
  uint8_t trailer[FL_TRAILER_BYTES];
  if (file->size < sizeof trailer) return false;
  const uint64_t end = file->size - sizeof trailer;
  if (fl_file_read(file, end, sizeof trailer, trailer, NULL) < FL_OK) return false;
  if (trailer[0] != 0xd8 || trailer[1] != FL_TRAILER_TYPE || memcmp(trailer + 14, "FLTE", 4) != 0)
    return false;
  const uint64_t at = big_endian(trailer + 2, 8);
  if (at >= end || end - at > FL_LIMIT_BLOCK_BYTES) return false;
  if (fl_frame_read(file, at, ret_frame, NULL) < FL_OK || ret_frame->end != end ||
      ret_frame->kind != FL_OBJECT_FOOTER)
    return false;
  uint8_t *object = malloc((size_t)(end - at));
  const bool is_right = object &&
                        fl_file_read(file, at, (size_t)(end - at), object, NULL) == FL_OK &&
                        crc32_z(0, object, (size_t)(end - at)) == big_endian(trailer + 10, 4);
  free(object);
  return is_right;
}

static bool read_lists(fl_footer *footer, fl_arena *arena, const msgpack_object *objects,
                       const msgpack_object *blocks) {
  if (!objects || objects->type != MSGPACK_OBJECT_ARRAY || !blocks ||
      blocks->type != MSGPACK_OBJECT_ARRAY)
    return false;
  footer->n_objects = objects->via.array.size;
  footer->n_blocks = blocks->via.array.size;
  footer->objects = FL_NEW_ARRAY(arena, uint64_t, (size_t)footer->n_objects + 1);
  footer->blocks = FL_NEW_ARRAY(arena, fl_listed_block, (size_t)footer->n_blocks + 1);
  if (!footer->objects || !footer->blocks) return false;
  for (uint32_t i = 0; i < footer->n_objects; i++) {
    footer->objects[i] = fl_object_natural(&objects->via.array.ptr[i]);
    if (i > 0 && footer->objects[i] <= footer->objects[i - 1]) return false;
  }
  for (uint32_t i = 0; i < footer->n_blocks; i++) {
    const msgpack_object *item = &blocks->via.array.ptr[i];
    if (item->type != MSGPACK_OBJECT_ARRAY || item->via.array.size < 5) return false;
    const msgpack_object *parts = item->via.array.ptr;
    footer->blocks[i] =
        (fl_listed_block){fl_object_natural(&parts[0]), fl_object_natural(&parts[2]),
                          fl_object_integer(&parts[3]), fl_object_integer(&parts[4])};
    if (i > 0 && footer->blocks[i].offset <= footer->blocks[i - 1].offset) return false;
  }
  return true;
}

void fl_footer_read(const msgpack_object *payload, fl_arena *arena, fl_footer *ret_footer) {
  const msgpack_object *totals = fl_map_find(payload, "totals");
  *ret_footer = (fl_footer){0};
  ret_footer->header_crc = fl_object_natural(fl_map_find(payload, "header"));
  ret_footer->n_events = fl_object_natural(fl_map_find(totals, "events"));
  ret_footer->n_sources = fl_object_natural(fl_map_find(totals, "sources"));
  ret_footer->n_notes = fl_object_natural(fl_map_find(totals, "notes"));
  ret_footer->is_valid = read_lists(ret_footer, arena, fl_map_find(payload, "objects"),
                                    fl_map_find(payload, "blocks"));
}
