/* scan.h - everything that is checked before msgpack-c may see a byte of a timeline file. */
#ifndef FL_TIMELINE_SCAN_H
#define FL_TIMELINE_SCAN_H

#include "timeline/object.h"

/* The file: a descriptor, or memory of the caller. */
typedef struct fl_file {
  int fd; /* -1: memory */
  const uint8_t *memory;
  uint64_t size;
} fl_file;
/* Exactly n_bytes, or an error. */
fl_status fl_file_read(const fl_file *file, uint64_t offset, size_t n_bytes, uint8_t *ret_bytes,
                       fl_err *err);

/* One object's frame; nothing of its payload was looked at. */
typedef struct fl_frame {
  fl_object_kind kind;
  char marker[FL_MARKER_BYTES + 1]; /* printable */
  bool is_trailer;                  /* an old one: more was appended behind it */
  uint64_t at, end;                 /* of the object in the file */
  fl_block_info info;               /* blocks only */
  uint64_t raw_len, crc, codec, body_at;
  uint32_t n_body;
} fl_frame;
fl_status fl_frame_read(const fl_file *file, uint64_t at, fl_frame *ret_frame, fl_err *err);
/* Next place from `at` on where a marker of ours stands behind an array's first byte; file->size
 * when there is none. */
fl_status fl_frame_search(const fl_file *file, uint64_t at, uint64_t *ret_at, fl_err *err);

/* Reads, inflates and checks payloads; buffers are reused. */
typedef struct fl_opener fl_opener;
enum { FL_WORK_PER_BYTE = 16 };
fl_status fl_opener_create(fl_opener **ret_opener, fl_err *err);
void fl_opener_free(fl_opener *opener);
/* Bytes read and unpacked so far, those of tries that failed included. A read byte counts 16 times:
 * so much and more it may unpack to. */
uint64_t fl_opener_work(const fl_opener *opener);
/* The payload: length, checksum and msgpack structure are right. Valid until the next call. */
fl_status fl_opener_open(fl_opener *opener, const fl_file *file, const fl_frame *frame,
                         fl_str *ret_payload, fl_err *err);

/* Length of the msgpack object at the start of the bytes; 0 unless it has no extension types, is
 * nested at most FL_LIMIT_MSGPACK_DEPTH deep, has at most FL_LIMIT_BLOCK_VALUES values, its counts
 * and lengths fit the bytes and its strings are UTF-8. */
size_t fl_msgpack_length(fl_str bytes);

#endif
