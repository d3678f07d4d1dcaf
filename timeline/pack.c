/* pack.c - values as msgpack: numbers stay typed, all else is its one text form. */
#include "timeline/pack.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/text.h"

enum { STR_HEADER_MAX = 5 };

void fl_pack_free(fl_pack *pack) {
  free(pack->p);
  *pack = (fl_pack){0};
}

uint8_t *fl_pack_room(fl_pack *pack, size_t n_bytes) {
  if (n_bytes > pack->cap - pack->n) {
    void *p = pack->p;
    if (n_bytes > SIZE_MAX - pack->n || !fl_grow(&p, &pack->cap, pack->n + n_bytes, 1)) {
      pack->failed = true;
      return NULL;
    }
    pack->p = p;
  }
  return pack->p + pack->n;
}

void fl_pack_bytes(fl_pack *pack, const void *bytes, size_t n_bytes) {
  if (n_bytes == 0) return;
  uint8_t *room = fl_pack_room(pack, n_bytes);
  if (!room) return;
  memcpy(room, bytes, n_bytes);
  pack->n += n_bytes;
}

/* The write callback of msgpack-c; the failure is sticky in the buffer. */
static int write_packed(void *self, const char *bytes, size_t n_bytes) {
  fl_pack *pack = self;
  fl_pack_bytes(pack, bytes, n_bytes);
  return pack->failed ? -1 : 0;
}

static msgpack_packer packer_of(fl_pack *pack) {
  return (msgpack_packer){.data = pack, .callback = write_packed};
}

void fl_pack_nil(fl_pack *pack) {
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_nil(&packer);
}

void fl_pack_bool(fl_pack *pack, bool boolean) {
  msgpack_packer packer = packer_of(pack);
  if (boolean) (void)msgpack_pack_true(&packer);
  else (void)msgpack_pack_false(&packer);
}

void fl_pack_u64(fl_pack *pack, uint64_t number) {
  uint8_t *room = fl_pack_room(pack, FL_PACK_NUMBER_MAX);
  if (room) pack->n += (size_t)(fl_pack_put_u64(room, number) - room);
}

void fl_pack_i64(fl_pack *pack, int64_t number) {
  if (number >= 0) {
    fl_pack_u64(pack, (uint64_t)number);
    return;
  }
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_int64(&packer, number);
}

void fl_pack_f64(fl_pack *pack, double number) {
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_double(&packer, number);
}

void fl_pack_array(fl_pack *pack, size_t n_items) {
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_array(&packer, n_items);
}

void fl_pack_map(fl_pack *pack, size_t n_pairs) {
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_map(&packer, n_pairs);
}

void fl_pack_bin(fl_pack *pack, const uint8_t *bytes, size_t n_bytes) {
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_bin(&packer, n_bytes);
  fl_pack_bytes(pack, bytes, n_bytes);
}

/* The header of a string whose text was written behind a gap of STR_HEADER_MAX bytes. */
static void close_text(fl_pack *pack, size_t n_text) {
  const size_t text_at = pack->n + STR_HEADER_MAX;
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_str(&packer, n_text);
  if (pack->failed) return;
  memmove(pack->p + pack->n, pack->p + text_at, n_text);
  pack->n += n_text;
}

static void pack_repaired(fl_pack *pack, fl_str text) {
  uint8_t *room = fl_pack_room(pack, STR_HEADER_MAX + text.n * 3);
  if (!room) return;
  char *out = (char *)room + STR_HEADER_MAX;
  size_t n = 0;
  for (size_t at = 0; at < text.n;) n += fl_utf8_put(fl_utf8_next(text, &at), out + n);
  close_text(pack, n);
}

static bool is_ascii(fl_str text) {
  size_t i = 0;
  uint64_t all = 0;
  for (; i + 8 <= text.n; i += 8) all |= fl_le64((const uint8_t *)text.p + i);
  for (; i < text.n; i++) all |= (uint8_t)text.p[i];
  return (all & UINT64_C(0x8080808080808080)) == 0;
}

void fl_pack_str(fl_pack *pack, fl_str text) {
  if (!is_ascii(text) && !fl_utf8_is_valid(text)) {
    pack_repaired(pack, text);
    return;
  }
  msgpack_packer packer = packer_of(pack);
  (void)msgpack_pack_str(&packer, text.n);
  fl_pack_bytes(pack, text.p, text.n);
}

void fl_pack_key(fl_pack *pack, const char *key) { fl_pack_str(pack, fl_str_of(key)); }

/* Text that is built in place: strings, SIDs and binary. `n_room` bounds its length. */
static void pack_built(fl_pack *pack, fl_raw raw, size_t n_room) {
  uint8_t *room = fl_pack_room(pack, STR_HEADER_MAX + n_room);
  if (!room) return;
  char *out = (char *)room + STR_HEADER_MAX;
  size_t n = 0;
  switch (raw.type) {
    case FL_T_STR16:
    case FL_T_EVTXML:
      n = fl_utf16_to_utf8(raw.p, raw.n / 2, out);
      break;
    case FL_T_STR8:
      n = fl_cp1252_to_utf8(raw.p, raw.n, out);
      break;
    case FL_T_SID:
      n = fl_put_sid(raw, out);
      break;
    default:
      n = fl_put_hex_bytes(raw.p, raw.n, out);
      break;
  }
  close_text(pack, n);
}

static uint64_t number_of(fl_raw raw) {
  uint64_t number = 0;
  (void)fl_raw_u64(raw, &number);
  return number;
}

static void pack_short(fl_pack *pack, fl_raw raw) {
  char text[FL_SHORT_TEXT_MAX];
  fl_pack_str(pack, (fl_str){text, fl_put_short(raw, text)});
}

/* A hexadecimal text for all that has no better form. */
static void pack_hex(fl_pack *pack, fl_raw raw) {
  raw.type = FL_T_BIN;
  pack_built(pack, raw, (size_t)raw.n * 2);
}

static void pack_scalar(fl_pack *pack, fl_raw raw, bool *is_cut) {
  if (raw.n > FL_LIMIT_VALUE_BYTES) {
    raw.n = FL_LIMIT_VALUE_BYTES;
    *is_cut = true;
  }
  if (raw.type != FL_T_NULL && !fl_raw_is_sound(raw)) {
    pack_hex(pack, raw);
    return;
  }
  switch (raw.type) {
    case FL_T_NULL:
      fl_pack_nil(pack);
      break;
    case FL_T_STR16:
    case FL_T_STR8:
    case FL_T_EVTXML:
      raw = fl_raw_trim(raw);
      pack_built(pack, raw, (size_t)raw.n * 3);
      break;
    case FL_T_UTF8:
      fl_pack_str(pack, (fl_str){(const char *)raw.p, raw.n});
      break;
    case FL_T_I8:
    case FL_T_I16:
    case FL_T_I32:
    case FL_T_I64:
      fl_pack_i64(pack, (int64_t)number_of(raw));
      break;
    case FL_T_U8:
    case FL_T_U16:
    case FL_T_U32:
    case FL_T_U64:
      fl_pack_u64(pack, number_of(raw));
      break;
    case FL_T_F32:
    case FL_T_F64:
      fl_pack_f64(pack, fl_raw_real(raw));
      break;
    case FL_T_BOOL:
      if (number_of(raw) > 1) fl_pack_u64(pack, number_of(raw));
      else fl_pack_bool(pack, number_of(raw) != 0);
      break;
    case FL_T_SID:
      pack_built(pack, raw, 32 + 11u * raw.p[1]);
      break;
    case FL_T_GUID:
    case FL_T_SIZE:
    case FL_T_EVTHANDLE:
    case FL_T_FILETIME:
    case FL_T_SYSTEMTIME:
    case FL_T_HEX32:
    case FL_T_HEX64:
      pack_short(pack, raw);
      break;
    default:
      pack_hex(pack, raw);
      break;
  }
}

/* The items of one raw: those of an array, else the raw itself. */
static size_t pack_items(fl_pack *pack, fl_raw raw, bool *is_cut) {
  if (!(raw.type & FL_T_ARRAY)) {
    pack_scalar(pack, raw, is_cut);
    return 1;
  }
  fl_raw_cursor cursor = {.raw = raw};
  size_t n = 0;
  for (fl_raw item; fl_raw_next(&cursor, &item); n++) pack_scalar(pack, item, is_cut);
  return n;
}

/* What most values of a row are; false for all others. */
static bool pack_plain_number(fl_pack *pack, fl_raw raw) {
  uint64_t number = 0;
  if (raw.type == FL_T_U8 && raw.n == 1) number = raw.p[0];
  else if (raw.type == FL_T_U16 && raw.n == 2) number = fl_le16(raw.p);
  else if (raw.type == FL_T_U32 && raw.n == 4) number = fl_le32(raw.p);
  else if (raw.type == FL_T_U64 && raw.n == 8) number = fl_le64(raw.p);
  else return false;
  fl_pack_u64(pack, number);
  return true;
}

size_t fl_pack_raw(fl_pack *pack, fl_raw raw, bool *is_cut) {
  if (pack_plain_number(pack, raw)) return 2;
  if (raw.type == FL_T_NULL) {
    fl_pack_nil(pack);
    return 2;
  }
  if (raw.type & FL_T_ARRAY) fl_pack_array(pack, fl_raw_count(raw));
  return 1 + pack_items(pack, raw, is_cut);
}

static size_t pack_list(fl_pack *pack, const fl_batch *batch, const fl_row *row,
                        const fl_shape_field *field, bool *is_cut) {
  size_t n = 0;
  for (uint32_t i = 0; i < field->n_refs; i++)
    n += fl_raw_count(fl_row_raw(batch, row, &field->refs[i]));
  fl_pack_array(pack, n);
  for (uint32_t i = 0; i < field->n_refs; i++)
    (void)pack_items(pack, fl_row_raw(batch, row, &field->refs[i]), is_cut);
  return n + 1;
}

/* Glued text is rare: it takes the way through an arena. */
static size_t pack_glued(fl_pack *pack, const fl_batch *batch, const fl_row *row,
                         const fl_shape_field *field) {
  fl_arena *arena = fl_arena_create(FL_LIMIT_ROW_BYTES * (size_t)4);
  if (!arena) {
    pack->failed = true;
    return 1;
  }
  const fl_value value = fl_row_field(batch, row, field, arena);
  if (value.kind == FL_V_STR) fl_pack_str(pack, value.as.text);
  else fl_pack_nil(pack);
  fl_arena_free(arena);
  return 1;
}

size_t fl_pack_field(fl_pack *pack, const fl_batch *batch, const fl_row *row,
                     const fl_shape_field *field, bool *is_cut) {
  switch (field->join) {
    case FL_JOIN_LIST:
      return pack_list(pack, batch, row, field, is_cut);
    case FL_JOIN_CONCAT:
      return pack_glued(pack, batch, row, field);
    case FL_JOIN_ONE:
      break;
  }
  return fl_pack_raw(pack, fl_row_raw(batch, row, field->refs), is_cut);
}

static uint64_t big_endian(const uint8_t *p, unsigned n_bytes) {
  uint64_t number = 0;
  for (unsigned i = 0; i < n_bytes; i++) number = number << 8 | p[i];
  return number;
}

static size_t items_length(const uint8_t *p, size_t header, uint64_t n_items) {
  size_t n = header;
  for (uint64_t i = 0; i < n_items; i++) n += fl_pack_length(p + n);
  return n;
}

size_t fl_pack_length(const uint8_t *p) {
  const uint8_t tag = p[0];
  if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0) return 1;
  if (tag >= 0xa0 && tag < 0xc0) return 1u + (tag & 31u);
  if ((tag & 0xf0) == 0x90) return items_length(p, 1, tag & 15u);
  switch (tag) {
    case 0xcc:
    case 0xd0:
      return 2;
    case 0xcd:
    case 0xd1:
      return 3;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 5;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 9;
    case 0xd9:
      return 2 + (size_t)p[1];
    case 0xda:
      return 3 + (size_t)big_endian(p + 1, 2);
    case 0xdb:
      return 5 + (size_t)big_endian(p + 1, 4);
    case 0xdc:
      return items_length(p, 3, big_endian(p + 1, 2));
    case 0xdd:
      return items_length(p, 5, big_endian(p + 1, 4));
    default:
      return 1; /* false, true */
  }
}
