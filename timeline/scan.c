/* scan.c - frames, checksums and the walk over msgpack that trusts nothing. */
#include "timeline/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"
#include "base/rd.h"
#include "base/text.h"

enum {
  FRAME_HEAD_MAX = 96,
  SEARCH_FIRST = 1 << 10, /* markers may stand close to each other */
  SEARCH_WINDOW = 64 << 10,
  DEFLATE_RATIO_MAX = 1032
};

fl_status fl_file_read(const fl_file *file, uint64_t offset, size_t n_bytes, uint8_t *ret_bytes,
                       fl_err *err) {
  if (offset > file->size || n_bytes > file->size - offset)
    return fl_fail(err, FL_E_CORRUPT, offset, "%zu bytes wanted beyond the end of the file",
                   n_bytes);
  if (file->fd < 0) {
    if (n_bytes) memcpy(ret_bytes, file->memory + offset, n_bytes);
    return FL_OK;
  }
  size_t done = 0;
  while (done < n_bytes) {
    const ssize_t n = pread(file->fd, ret_bytes + done, n_bytes - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fl_fail(err, FL_E_IO, offset, "cannot read: %s", strerror(errno));
    if (n == 0) return fl_fail(err, FL_E_CORRUPT, offset, "the file became shorter while read");
    done += (size_t)n;
  }
  return FL_OK;
}

static uint64_t read_big_endian(fl_rd *rd, unsigned n_bytes) {
  uint64_t number = 0;
  for (unsigned i = 0; i < n_bytes; i++) {
    const uint64_t byte = fl_rd_u8(rd);
    number = number << 8 | byte;
  }
  return number;
}

/* Integers of any width; anything else sets the cursor's error. */
static uint64_t read_natural(fl_rd *rd) {
  const uint8_t tag = fl_rd_u8(rd);
  if (tag < 0x80) return tag;
  if (tag >= 0xcc && tag <= 0xcf) return read_big_endian(rd, 1u << (tag - 0xcc));
  rd->failed = true;
  return 0;
}

static int64_t read_integer(fl_rd *rd) {
  const uint8_t tag = fl_rd_u8(rd);
  if (tag >= 0xe0) return (int8_t)tag;
  if (tag >= 0xd0 && tag <= 0xd3) {
    const unsigned n_bytes = 1u << (tag - 0xd0);
    const unsigned n_unused = 64 - 8 * n_bytes;
    return (int64_t)(read_big_endian(rd, n_bytes) << n_unused) >> n_unused;
  }
  if (!fl_rd_ok(rd)) return 0;
  rd->pos--;
  return (int64_t)read_natural(rd);
}

static uint32_t read_bin_length(fl_rd *rd) {
  const uint8_t tag = fl_rd_u8(rd);
  if (tag >= 0xc4 && tag <= 0xc6) return (uint32_t)read_big_endian(rd, 1u << (tag - 0xc4));
  rd->failed = true;
  return 0;
}

static fl_object_kind kind_of(const char *marker) {
  for (unsigned kind = FL_OBJECT_SOURCE; kind < FL_N_OBJECT_KINDS; kind++)
    if (memcmp(marker, fl_object_markers[kind], FL_MARKER_BYTES) == 0) return (fl_object_kind)kind;
  return FL_OBJECT_UNKNOWN;
}

/* fixstr 8 and the marker, whose characters are kept for messages. */
static bool read_marker(fl_rd *rd, fl_frame *frame) {
  const uint8_t tag = fl_rd_u8(rd);
  const uint8_t *marker = fl_rd_bytes(rd, FL_MARKER_BYTES);
  if (!marker || tag != (0xa0 | FL_MARKER_BYTES)) return false;
  memcpy(frame->marker, marker, FL_MARKER_BYTES);
  frame->kind = kind_of(frame->marker);
  for (unsigned i = 0; i < FL_MARKER_BYTES; i++)
    if (frame->marker[i] < 0x21 || frame->marker[i] > 0x7e) return false;
  return true;
}

static bool read_trailer(fl_rd *rd, fl_frame *frame) {
  fl_rd_skip(rd, 1);
  const uint8_t type = fl_rd_u8(rd);
  fl_rd_skip(rd, FL_TRAILER_BYTES - 2);
  frame->is_trailer = true;
  frame->end = frame->at + FL_TRAILER_BYTES;
  return fl_rd_ok(rd) && type == FL_TRAILER_TYPE;
}

/* [marker, {seq, n, t_min, t_max,} raw_len, crc32, codec, bin]: 9 items in blocks, else 5. */
static bool read_head(fl_rd *rd, fl_frame *frame) {
  const uint8_t tag = fl_rd_u8(rd);
  if (!read_marker(rd, frame)) return false;
  if (tag != (frame->kind == FL_OBJECT_BLOCK ? 0x99 : 0x95)) return false;
  if (frame->kind == FL_OBJECT_BLOCK) {
    frame->info.seq = read_natural(rd);
    frame->info.n = read_natural(rd);
    frame->info.t_min = read_integer(rd);
    frame->info.t_max = read_integer(rd);
  }
  frame->raw_len = read_natural(rd);
  frame->crc = read_natural(rd);
  frame->codec = read_natural(rd);
  frame->n_body = read_bin_length(rd);
  frame->body_at = frame->at + rd->pos;
  return fl_rd_ok(rd);
}

fl_status fl_frame_read(const fl_file *file, uint64_t at, fl_frame *ret_frame, fl_err *err) {
  uint8_t head[FRAME_HEAD_MAX];
  size_t n = sizeof head;
  if (at >= file->size) return fl_fail(err, FL_E_CORRUPT, at, "no object at the end of the file");
  if (n > file->size - at) n = (size_t)(file->size - at);
  FL_TRY(fl_file_read(file, at, n, head, err));
  fl_frame frame = {.at = at};
  fl_rd rd = fl_rd_of(head, n);
  if (head[0] == 0xd8) {
    if (!read_trailer(&rd, &frame))
      return fl_fail(err, FL_E_CORRUPT, at, "an extension object that is no trailer");
    *ret_frame = frame;
    return FL_OK;
  }
  if (!read_head(&rd, &frame))
    return fl_fail(err, FL_E_CORRUPT, at, "no object starts with byte 0x%02x here",
                   (unsigned)head[0]);
  if (frame.n_body > file->size - frame.body_at)
    return fl_fail(err, FL_E_CORRUPT, at, "%s: payload of %u bytes is cut by the end of the file",
                   frame.marker, (unsigned)frame.n_body);
  frame.end = frame.body_at + frame.n_body;
  *ret_frame = frame;
  return FL_OK;
}

/* Position of an object start in the window, or n. */
static size_t search_window(const uint8_t *p, size_t n) {
  for (size_t i = 0; i + 2 + FL_MARKER_BYTES <= n; i++) {
    const uint8_t *found = memchr(p + i, 0xa0 | FL_MARKER_BYTES, n - i);
    if (!found) return n;
    i = (size_t)(found - p);
    if (n - i < 1 + FL_MARKER_BYTES) return n;
    const bool is_array = i > 0 && (p[i - 1] == 0x95 || p[i - 1] == 0x99);
    if (is_array && kind_of((const char *)p + i + 1) != FL_OBJECT_UNKNOWN) return i - 1;
  }
  return n;
}

fl_status fl_frame_search(const fl_file *file, uint64_t at, uint64_t *ret_at, fl_err *err) {
  const size_t overlap = 1 + FL_MARKER_BYTES;
  uint8_t *window = malloc(SEARCH_WINDOW);
  if (!window) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_status status = FL_OK;
  *ret_at = file->size;
  for (size_t want = SEARCH_FIRST; at < file->size; want = SEARCH_WINDOW) {
    size_t n = want;
    if (n > file->size - at) n = (size_t)(file->size - at);
    status = fl_file_read(file, at, n, window, err);
    if (status < FL_OK) break;
    const size_t found = search_window(window, n);
    if (found < n) {
      *ret_at = at + found;
      break;
    }
    if (n < want) break;
    at += n - overlap;
  }
  free(window);
  return status;
}

struct fl_opener {
  z_stream stream;
  bool has_stream;
  fl_pack body, raw;
  uint64_t n_work;
};

fl_status fl_opener_create(fl_opener **ret_opener, fl_err *err) {
  fl_opener *opener = calloc(1, sizeof *opener);
  if (!opener) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  opener->has_stream = inflateInit(&opener->stream) == Z_OK;
  if (!opener->has_stream) {
    fl_opener_free(opener);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *ret_opener = opener;
  return FL_OK;
}

uint64_t fl_opener_work(const fl_opener *opener) { return opener->n_work; }

void fl_opener_free(fl_opener *opener) {
  if (!opener) return;
  if (opener->has_stream) (void)inflateEnd(&opener->stream);
  fl_pack_free(&opener->body);
  fl_pack_free(&opener->raw);
  free(opener);
}

/* The output has room for the declared length and one byte: more is a bomb or a lie. */
static fl_status inflate_body(fl_opener *opener, const fl_frame *frame, fl_err *err) {
  opener->raw.n = 0;
  uint8_t *room = fl_pack_room(&opener->raw, (size_t)frame->raw_len + 1);
  if (!room || inflateReset(&opener->stream) != Z_OK)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  opener->stream.next_in = opener->body.p;
  opener->stream.avail_in = frame->n_body;
  opener->stream.next_out = room;
  opener->stream.avail_out = (uInt)frame->raw_len + 1;
  const int result = inflate(&opener->stream, Z_FINISH);
  opener->raw.n = (size_t)frame->raw_len + 1 - opener->stream.avail_out;
  opener->n_work += opener->raw.n;
  if (result != Z_STREAM_END || opener->raw.n != frame->raw_len || opener->stream.avail_in != 0)
    return fl_fail(err, FL_E_CORRUPT, frame->at,
                   "%s: payload does not unpack to its %" PRIu64 " bytes", frame->marker,
                   frame->raw_len);
  return FL_OK;
}

static fl_status check_lengths(const fl_frame *frame, fl_err *err) {
  if (frame->raw_len == 0 || frame->raw_len > FL_LIMIT_BLOCK_BYTES)
    return fl_fail(err, FL_E_LIMIT, frame->at, "%s: length %" PRIu64 " is not within 1 to %d",
                   frame->marker, frame->raw_len, FL_LIMIT_BLOCK_BYTES);
  if (frame->n_body > FL_LIMIT_BLOCK_BYTES)
    return fl_fail(err, FL_E_LIMIT, frame->at, "%s: packed length %u is beyond %d", frame->marker,
                   (unsigned)frame->n_body, FL_LIMIT_BLOCK_BYTES);
  if (frame->codec > FL_CODEC_ZLIB)
    return fl_fail(err, FL_E_UNSUPPORTED, frame->at, "%s: codec %" PRIu64 " is unknown",
                   frame->marker, frame->codec);
  const uint64_t most =
      frame->codec == FL_CODEC_STORE ? frame->n_body : (uint64_t)frame->n_body * DEFLATE_RATIO_MAX;
  if (frame->raw_len > most || (frame->codec == FL_CODEC_STORE && frame->raw_len != most))
    return fl_fail(err, FL_E_CORRUPT, frame->at,
                   "%s: %u packed bytes cannot hold %" PRIu64 " bytes", frame->marker,
                   (unsigned)frame->n_body, frame->raw_len);
  return FL_OK;
}

fl_status fl_opener_open(fl_opener *opener, const fl_file *file, const fl_frame *frame,
                         fl_str *ret_payload, fl_err *err) {
  FL_TRY(check_lengths(frame, err));
  opener->body.n = 0;
  uint8_t *room = fl_pack_room(&opener->body, frame->n_body);
  if (!room) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  opener->n_work += (uint64_t)FL_WORK_PER_BYTE * frame->n_body;
  FL_TRY(fl_file_read(file, frame->body_at, frame->n_body, room, err));
  opener->body.n = frame->n_body;
  const fl_pack *raw = &opener->body;
  if (frame->codec == FL_CODEC_ZLIB) {
    FL_TRY(inflate_body(opener, frame, err));
    raw = &opener->raw;
  }
  if (crc32_z(0, raw->p, raw->n) != frame->crc)
    return fl_fail(err, FL_E_CORRUPT, frame->at, "%s: checksum is wrong", frame->marker);
  const fl_str payload = {(const char *)raw->p, raw->n};
  if (fl_msgpack_length(payload) != payload.n)
    return fl_fail(err, FL_E_CORRUPT, frame->at, "%s: payload is no sound msgpack", frame->marker);
  *ret_payload = payload;
  return FL_OK;
}

/* Long texts are nearly always ASCII. */
static bool is_utf8(const uint8_t *p, size_t n) {
  uint64_t all = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) all |= fl_le64(p + i);
  for (; i < n; i++) all |= p[i];
  return (all & UINT64_C(0x8080808080808080)) == 0 ||
         fl_utf8_is_valid((fl_str){(const char *)p, n});
}

static bool skip_text(fl_rd *rd, uint64_t n) {
  if (n > fl_rd_left(rd)) return false;
  const uint8_t *p = fl_rd_bytes(rd, (size_t)n);
  return p && is_utf8(p, (size_t)n);
}

static bool skip_bytes(fl_rd *rd, uint64_t n) {
  if (n > fl_rd_left(rd)) return false;
  fl_rd_skip(rd, (size_t)n);
  return true;
}

/* One value without what it holds; *ret_n_items is how many values must follow inside it. */
static bool walk_value(fl_rd *rd, uint64_t *ret_n_items) {
  const uint8_t tag = fl_rd_u8(rd);
  *ret_n_items = 0;
  if (tag < 0x80 || tag >= 0xe0) return fl_rd_ok(rd);
  if (tag < 0x90) *ret_n_items = 2u * (tag & 15u);
  else if (tag < 0xa0) *ret_n_items = tag & 15u;
  else if (tag < 0xc0) return skip_text(rd, tag & 31u);
  else if (tag == 0xc0 || tag == 0xc2 || tag == 0xc3) return true;
  else if (tag >= 0xc4 && tag <= 0xc6) {
    const uint64_t n = read_big_endian(rd, 1u << (tag - 0xc4));
    return fl_rd_ok(rd) && skip_bytes(rd, n);
  } else if (tag == 0xca) return skip_bytes(rd, 4);
  else if (tag == 0xcb) return skip_bytes(rd, 8);
  else if (tag >= 0xcc && tag <= 0xcf) return skip_bytes(rd, 1u << (tag - 0xcc));
  else if (tag >= 0xd0 && tag <= 0xd3) return skip_bytes(rd, 1u << (tag - 0xd0));
  else if (tag >= 0xd9 && tag <= 0xdb) {
    const uint64_t n = read_big_endian(rd, 1u << (tag - 0xd9));
    return fl_rd_ok(rd) && skip_text(rd, n);
  } else if (tag == 0xdc || tag == 0xdd) *ret_n_items = read_big_endian(rd, tag == 0xdc ? 2 : 4);
  else if (tag >= 0xde) *ret_n_items = 2 * read_big_endian(rd, tag == 0xde ? 2 : 4);
  else return false; /* 0xc1 and extension types */
  return fl_rd_ok(rd) && *ret_n_items <= fl_rd_left(rd);
}

size_t fl_msgpack_length(fl_str bytes) {
  fl_rd rd = fl_rd_of((const uint8_t *)bytes.p, bytes.n);
  uint64_t left[FL_LIMIT_MSGPACK_DEPTH + 1] = {1}; /* values still due on each level */
  unsigned depth = 0;
  for (uint64_t n_values = 0; n_values < FL_LIMIT_BLOCK_VALUES; n_values++) {
    while (depth > 0 && left[depth] == 0) depth--;
    if (left[depth] == 0) return rd.pos;
    left[depth]--;
    uint64_t n_items = 0;
    if (!walk_value(&rd, &n_items)) return 0;
    if (n_items == 0) continue;
    if (depth == FL_LIMIT_MSGPACK_DEPTH) return 0;
    left[++depth] = n_items;
  }
  return 0;
}
