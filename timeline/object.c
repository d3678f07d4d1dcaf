/* object.c - frames payloads: every object carries its length and checksum. */
#include "timeline/object.h"

#include <libdeflate.h>
#include <stdlib.h>

#include "base/hash.h"

const char *const fl_object_markers[FL_N_OBJECT_KINDS] = {"",         "FLSOURCE", "FLBLOCK1",
                                                          "FLNOTE01", "FLCOVER1", "FLFOOT01"};

struct fl_framer {
  struct libdeflate_compressor *compressor; /* writes zlib's format in half of zlib's time */
  fl_pack packed, object;
};

fl_status fl_framer_create(int level, fl_framer **ret_framer, fl_err *err) {
  fl_framer *framer = calloc(1, sizeof *framer);
  if (!framer) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (level >= 1 && level <= 9) framer->compressor = libdeflate_alloc_compressor(level);
  if (!framer->compressor) {
    fl_framer_free(framer);
    return fl_fail(err, FL_E_ARG, 0, "cannot compress with level %d, expected 1 to 9", level);
  }
  *ret_framer = framer;
  return FL_OK;
}

void fl_framer_free(fl_framer *framer) {
  if (!framer) return;
  libdeflate_free_compressor(framer->compressor);
  fl_pack_free(&framer->packed);
  fl_pack_free(&framer->object);
  free(framer);
}

static bool compress_payload(fl_framer *framer, const fl_pack *payload) {
  framer->packed.n = 0;
  const size_t bound = libdeflate_zlib_compress_bound(framer->compressor, payload->n);
  uint8_t *room = fl_pack_room(&framer->packed, bound);
  if (!room) return false;
  framer->packed.n =
      libdeflate_zlib_compress(framer->compressor, payload->p, payload->n, room, bound);
  return framer->packed.n > 0;
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
  fl_pack_u64(object, libdeflate_crc32(0, payload->p, payload->n));
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
