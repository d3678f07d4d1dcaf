/* evtx_base.c - where the chunk of a record begins, by what the record says of itself.
 *
 * All offsets inside a record count from its chunk's start. A template definition that stands where
 * it is used for the first time names its own offset, and so does a name (layouts: parsers/bx.c).
 * Comparing what they say with where they are tells how many bytes are missing before them, or are
 * too many, whatever became of the chunk's header. */
#include "parsers/evtx.h"

enum { TOKEN_INSTANCE = 0x0c, DEFINITION_HEADER = 24, NAME_HEADER = 8, MOST_UNITS = 32 };

/* true for an offset that a name or a definition can have. */
static bool is_offset(uint32_t offset) {
  return offset >= EVTX_CHUNK_HEADER && offset < EVTX_CHUNK - NAME_HEADER;
}

/* u8 0c, u8 1, u32 id, u32 offset, then the definition: u32 next, GUID whose first word is the id,
 * u32 size, fragment. */
static bool is_definition(const uint8_t *bytes, size_t at, size_t to, int64_t *ret_shift) {
  const size_t definition = at + 10;
  if (to - at < 10 + DEFINITION_HEADER + 4 || bytes[at + 1] != 1) return false;
  const uint32_t id = fl_le32(bytes + at + 2);
  const uint32_t offset = fl_le32(bytes + at + 6);
  if (id == 0 || fl_le32(bytes + definition + 4) != id || !is_offset(offset)) return false;
  if (fl_le32(bytes + definition + 20) > to - definition - DEFINITION_HEADER) return false;
  if ((fl_le32(bytes + definition + DEFINITION_HEADER) & 0xffffff) != 0x01010f) return false;
  *ret_shift = (int64_t)offset - (int64_t)definition;
  return true;
}

/* u32 offset, then the name: u32 next, u16 hash, u16 n, n x UTF-16, u16 0. */
static bool is_name(const uint8_t *bytes, size_t at, size_t to, int64_t *ret_shift) {
  if (at > to || to - at < 4 + NAME_HEADER + 2 || !is_offset(fl_le32(bytes + at))) return false;
  const uint8_t *name = bytes + at + 4;
  const size_t n_units = fl_le16(name + 6);
  if (n_units == 0 || n_units > MOST_UNITS) return false;
  if (to - at < 4 + NAME_HEADER + 2 * n_units + 2) return false;
  if (fl_le16(name + NAME_HEADER + 2 * n_units) != 0) return false;
  if (bx_name_hash(name + NAME_HEADER, n_units) != fl_le16(name + 4)) return false;
  *ret_shift = (int64_t)fl_le32(bytes + at) - (int64_t)(at + 4);
  return true;
}

/* The name of an attribute (06 or 46), or of an element (01 or 41) with or without its dependency
 * id. */
static bool is_named_token(const uint8_t *bytes, size_t at, size_t to, int64_t *ret_shift) {
  switch (bytes[at] & ~0x40) {
    case 0x06:
      return is_name(bytes, at + 1, to, ret_shift);
    case 0x01:
      return is_name(bytes, at + 5, to, ret_shift) || is_name(bytes, at + 7, to, ret_shift);
    default:
      return false;
  }
}

/* A definition is proof enough, its id is a number of 32 bits; names have to be two that agree. */
bool evtx_find_shift(const uint8_t *bytes, size_t from, size_t to, int64_t *ret_shift) {
  bool has_first = false;
  int64_t first = 0, shift = 0;
  for (size_t at = from; at < to; at++) {
    if (bytes[at] == TOKEN_INSTANCE && is_definition(bytes, at, to, ret_shift)) return true;
    if (!is_named_token(bytes, at, to, &shift)) continue;
    if (has_first && shift == first) {
      *ret_shift = shift;
      return true;
    }
    first = shift;
    has_first = true;
  }
  return false;
}

bool evtx_is_record(const uint8_t *bytes, size_t at, size_t to) {
  if (at > to || to - at < EVTX_RECORD_MIN || fl_le32(bytes + at) != EVTX_RECORD_MAGIC)
    return false;
  const uint32_t size = fl_le32(bytes + at + 4);
  return size >= EVTX_RECORD_MIN && size <= to - at && fl_le32(bytes + at + size - 4) == size;
}

size_t evtx_find_record(const uint8_t *bytes, size_t from, size_t to) {
  while (from < to) {
    const uint8_t *hit = memchr(bytes + from, EVTX_RECORD_MAGIC & 0xff, to - from);
    if (!hit) return to;
    from = (size_t)(hit - bytes);
    if (evtx_is_record(bytes, from, to)) return from;
    from++;
  }
  return to;
}

bool evtx_find_base(const uint8_t *bytes, size_t n_bytes, int64_t *ret_base) {
  int64_t shift = 0;
  for (size_t at = 0; (at = evtx_find_record(bytes, at, n_bytes)) < n_bytes;) {
    const size_t to = at + fl_le32(bytes + at + 4);
    if (evtx_find_shift(bytes, at + EVTX_RECORD_HEADER, to, &shift)) {
      *ret_base = -shift;
      return true;
    }
    at = to;
  }
  return false;
}
