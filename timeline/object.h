/* object.h - the outer form of a timeline file: markers, lengths and checksums. */
#ifndef FL_TIMELINE_OBJECT_H
#define FL_TIMELINE_OBJECT_H

#include "timeline/pack.h"

enum {
  FL_MARKER_BYTES = 8,
  FL_TRAILER_BYTES = 18,
  FL_TRAILER_TYPE = 70,
  FL_CODEC_STORE = 0,
  FL_CODEC_ZLIB = 1,
  FL_STORE_BELOW = 4096, /* bytes: less is not worth a compressor */
  FL_TIMELINE_MAJOR = 1,
  FL_TIMELINE_MINOR = 2
};
#define FL_MAGIC "FLTL\r\n\x1a\n"

typedef enum fl_object_kind {
  FL_OBJECT_UNKNOWN,
  FL_OBJECT_SOURCE,
  FL_OBJECT_BLOCK,
  FL_OBJECT_NOTES,
  FL_OBJECT_COVERAGE,
  FL_OBJECT_FOOTER,
  FL_N_OBJECT_KINDS
} fl_object_kind;
extern const char *const fl_object_markers[FL_N_OBJECT_KINDS];

/* What stands in front of a block's payload. */
typedef struct fl_block_info {
  uint64_t seq, n;
  fl_time t_min, t_max;
} fl_block_info;

/* Compresses and frames; one compressor for the whole file. */
typedef struct fl_framer fl_framer;
fl_status fl_framer_create(int level, fl_framer **ret_framer, fl_err *err);
void fl_framer_free(fl_framer *framer);
/* [marker, raw_len, crc32, codec, payload], or with `info`
 * [marker, seq, n, t_min, t_max, raw_len, crc32, codec, payload]. Valid until the next call. */
fl_status fl_framer_frame(fl_framer *framer, fl_object_kind kind, const fl_block_info *info,
                          const fl_pack *payload, const fl_pack **ret_object, fl_err *err);

/* Names are the identity of sources: the first 8 bytes of their SHA-256, big endian. */
bool fl_source_key(fl_str name, uint64_t *ret_key);

#endif
