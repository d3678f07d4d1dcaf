/* object.c - frames payloads: every object carries its length and checksum. */
#include "timeline/object.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/hash.h"

const char *const fl_object_markers[FL_N_OBJECT_KINDS] = {"",         "FLSOURCE", "FLBLOCK1",
                                                          "FLNOTE01", "FLCOVER1", "FLFOOT01"};

struct fl_framer {
  z_stream stream;
  bool has_stream;
  fl_pack packed, object;
};

fl_status fl_framer_create(int level, fl_framer **ret_framer, fl_err *err) {
  fl_framer *framer = calloc(1, sizeof *framer);
  if (!framer) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  framer->has_stream = deflateInit(&framer->stream, level) == Z_OK;
  if (!framer->has_stream) {
    fl_framer_free(framer);
    return fl_fail(err, FL_E_ARG, 0, "cannot compress with level %d, expected 1 to 9", level);
  }
  *ret_framer = framer;
  return FL_OK;
}

void fl_framer_free(fl_framer *framer) {
  if (!framer) return;
  if (framer->has_stream) (void)deflateEnd(&framer->stream);
  fl_pack_free(&framer->packed);
  fl_pack_free(&framer->object);
  free(framer);
}

/* Payloads stay below FL_LIMIT_BLOCK_BYTES, so that zlib's 32-bit counts hold them. */
static bool compress_payload(fl_framer *framer, const fl_pack *payload) {
  framer->packed.n = 0;
  if (deflateReset(&framer->stream) != Z_OK || payload->n > UINT32_MAX) return false;
  const size_t bound = deflateBound(&framer->stream, payload->n);
  uint8_t *room = fl_pack_room(&framer->packed, bound);
  if (!room || bound > UINT32_MAX) return false;
  framer->stream.next_in = payload->p;
  framer->stream.avail_in = (uInt)payload->n;
  framer->stream.next_out = room;
  framer->stream.avail_out = (uInt)bound;
  if (deflate(&framer->stream, Z_FINISH) != Z_STREAM_END) return false;
  framer->packed.n = bound - framer->stream.avail_out;
  return true;
}

fl_status fl_framer_frame(fl_framer *framer, fl_object_kind kind, const fl_block_info *info,
                          const fl_pack *payload, const fl_pack **ret_object, fl_err *err) {
  fl_pack *object = &framer->object;
  const bool is_stored = payload->n < FL_STORE_BELOW;
  if (!is_stored && !compress_payload(framer, payload))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  object->n = 0;
  fl_pack_array(object, info ? 9 : 5);
  fl_pack_key(object, fl_object_markers[kind]);
  if (info) {
    fl_pack_u64(object, info->seq);
    fl_pack_u64(object, info->n);
    fl_pack_i64(object, info->t_min);
    fl_pack_i64(object, info->t_max);
  }
  fl_pack_u64(object, payload->n);
  fl_pack_u64(object, crc32_z(0, payload->p, payload->n));
  fl_pack_u64(object, is_stored ? FL_CODEC_STORE : FL_CODEC_ZLIB);
  const fl_pack *body = is_stored ? payload : &framer->packed;
  fl_pack_bin(object, body->p, body->n);
  if (object->failed) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  *ret_object = object;
  return FL_OK;
}

bool fl_source_key(fl_str name, uint64_t *ret_key) {
  char hex[65];
  fl_sha256 *sha = fl_sha256_create();
  if (!sha) return false;
  fl_sha256_add(sha, name.p, name.n);
  fl_sha256_finish(sha, hex);
  uint64_t key = 0;
  for (unsigned i = 0; i < 16; i++)
    key = key << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
  *ret_key = key;
  return true;
}
