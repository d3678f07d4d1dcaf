/* value.c - decoding of undecoded values: the one text form of every type (docs/formats/json.md).
 */
#include "faultline/value.h"

#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/text.h"

/* Width of fixed-size types; 0 for strings, binary, SIDs, sizes and unknown types. */
static const uint8_t widths[32] = {
    [FL_T_I8] = 1,   [FL_T_U8] = 1,       [FL_T_I16] = 2,         [FL_T_U16] = 2,
    [FL_T_I32] = 4,  [FL_T_U32] = 4,      [FL_T_I64] = 8,         [FL_T_U64] = 8,
    [FL_T_F32] = 4,  [FL_T_F64] = 8,      [FL_T_BOOL] = 4,        [FL_T_GUID] = 16,
    [FL_T_SIZE] = 8, [FL_T_FILETIME] = 8, [FL_T_SYSTEMTIME] = 16, [FL_T_HEX32] = 4,
    [FL_T_HEX64] = 8};

size_t fl_raw_width(uint8_t type) { return type < 32 ? widths[type] : 0; }

static fl_str hex_text(fl_raw raw, fl_arena *arena) {
  char *out = fl_arena_take(arena, (size_t)raw.n * 2 + 1);
  return out ? (fl_str){out, fl_put_hex_bytes(raw.p, raw.n, out)} : (fl_str){0};
}

static fl_str utf16_text(fl_raw raw, fl_arena *arena) {
  const size_t n_units = raw.n / 2;
  char *out = fl_arena_take(arena, n_units * 3 + 1);
  return out ? (fl_str){out, fl_utf16_to_utf8(raw.p, n_units, out)} : (fl_str){0};
}

static fl_str ansi_text(fl_raw raw, fl_arena *arena) {
  char *out = fl_arena_take(arena, (size_t)raw.n * 3 + 1);
  return out ? (fl_str){out, fl_cp1252_to_utf8(raw.p, raw.n, out)} : (fl_str){0};
}

size_t fl_put_hex_bytes(const uint8_t *bytes, size_t n_bytes, char *out) {
  static const char digits[] = "0123456789ABCDEF";
  const uint64_t ones = UINT64_C(0x0101010101010101);
  size_t n_left = n_bytes;
  for (; n_left >= 4; n_left -= 4, bytes += 4, out += 8) {
    uint64_t wide = fl_le32(bytes); /* a nibble a byte, the upper one first */
    wide = (wide | wide << 16) & UINT64_C(0x0000ffff0000ffff);
    wide = (wide | wide << 8) & UINT64_C(0x00ff00ff00ff00ff);
    wide = (wide >> 4 | wide << 8) & (ones * 15);
    wide += ones * '0' + ((wide + ones * 6) >> 4 & ones) * 7; /* 'A' stands 7 behind '9' */
    memcpy(out, &wide, sizeof wide);
  }
  for (; n_left > 0; n_left--, bytes++, out += 2) {
    out[0] = digits[*bytes >> 4];
    out[1] = digits[*bytes & 15];
  }
  return n_bytes * 2;
}

size_t fl_put_guid(const uint8_t *bytes, char *out) {
  static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  static const uint8_t places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  for (unsigned i = 0; i < 16; i++) (void)fl_put_hex_bytes(bytes + order[i], 1, out + places[i]);
  out[8] = out[13] = out[18] = out[23] = '-';
  return 36;
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  const uint8_t lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool fl_raw_guid(fl_raw raw, uint8_t ret_bytes[16]) {
  static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  if (raw.type != FL_T_STR16 && raw.type != FL_T_STR8 && raw.type != FL_T_UTF8) return false;
  raw = fl_raw_trim(raw);
  const uint32_t unit = raw.type == FL_T_STR16 ? 2 : 1;
  const bool is_braced = raw.n == 38 * unit && raw.p[0] == '{' && raw.p[37 * unit] == '}';
  if (raw.n != 36 * unit && !is_braced) return false;
  uint8_t bytes[16] = {0};
  unsigned n = 0; /* digits */
  for (uint32_t i = 0; i < 36; i++) {
    const uint32_t at = (i + is_braced) * unit;
    const int digit = unit == 2 && raw.p[at + 1] ? -1 : hex_digit(raw.p[at]);
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? raw.p[at] != '-' : digit < 0) return false;
    if (is_dash) continue;
    bytes[order[n / 2]] = (uint8_t)(bytes[order[n / 2]] << 4 | digit);
    n++;
  }
  memcpy(ret_bytes, bytes, sizeof bytes);
  return true;
}

/* S-revision-authority-sub…: u8 revision, u8 n_sub, u48 authority big endian, n_sub x u32. */
size_t fl_put_sid(fl_raw raw, char *out) {
  if (raw.n < 8 || raw.n < 8u + 4u * raw.p[1]) return 0;
  uint64_t authority = 0;
  for (unsigned i = 2; i < 8; i++) authority = authority << 8 | raw.p[i];
  char *at = out;
  *at++ = 'S';
  *at++ = '-';
  at += fl_text_u64(raw.p[0], at);
  *at++ = '-';
  at += fl_text_u64(authority, at);
  for (unsigned i = 0; i < raw.p[1]; i++) {
    *at++ = '-';
    at += fl_text_u64(fl_le32(raw.p + 8 + 4 * i), at);
  }
  return (size_t)(at - out);
}

static size_t put_0x(uint64_t number, char *out) {
  out[0] = '0';
  out[1] = 'x';
  return 2 + fl_text_hex(number, out + 2);
}

/* FILETIME has seven decimals; dates that RFC 3339 cannot hold are given as their number. */
size_t fl_put_filetime(uint64_t filetime, char *out) {
  const uint64_t ticks_per_day = UINT64_C(864000000000);
  const uint64_t days = filetime / ticks_per_day;
  if (days > 3067670) return put_0x(filetime, out); /* 9999-12-31 */
  /* Nanoseconds hold 1678 to 2261: the day is moved there by whole cycles of 400 years, which
   * have 146,097 days each, and the year is moved back. 73,048 days are 1601 to 1801. */
  const int64_t in_cycle = (int64_t)(days % 146097);
  const int64_t moved = in_cycle < 73048 ? in_cycle + 146097 : in_cycle;
  const unsigned cycles = (unsigned)(days / 146097) * 400 - (in_cycle < 73048 ? 400 : 0);
  const int64_t ns = (int64_t)(filetime % ticks_per_day) * 100;
  char text[FL_TIME_TEXT_MAX];
  const size_t n = fl_time_format((moved - 134774) * 86400 * FL_SECOND + ns, 7, text);
  const unsigned year = (unsigned)((text[0] - '0') * 1000 + (text[1] - '0') * 100 +
                                   (text[2] - '0') * 10 + (text[3] - '0')) +
                        cycles;
  memcpy(out, text, n);
  out[0] = (char)('0' + year / 1000 % 10);
  out[1] = (char)('0' + year / 100 % 10);
  return n;
}

/* Eight u16; the zone is not recorded, so none is claimed. */
size_t fl_put_systemtime(const uint8_t *bytes, char *out) {
  const unsigned year = fl_le16(bytes), month = fl_le16(bytes + 2), day = fl_le16(bytes + 6);
  const unsigned hour = fl_le16(bytes + 8), minute = fl_le16(bytes + 10);
  const unsigned second = fl_le16(bytes + 12), ms = fl_le16(bytes + 14);
  if (year > 9999 || month > 99 || day > 99 || hour > 99 || minute > 99 || second > 99 || ms > 999)
    return fl_put_hex_bytes(bytes, 16, out);
  return (size_t)snprintf(out, FL_TIME_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03u", year, month,
                          day, hour, minute, second, ms);
}

/* The shortest decimal form that reads back to the same number; the words of XML Schema and JSON
 * readers for what has no digits. */
size_t fl_put_double(double number, char *out) {
  if (!isfinite(number)) {
    const fl_str word = fl_str_of(isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
    memcpy(out, word.p, word.n);
    return word.n;
  }
  static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
  size_t n = 0;
  for (unsigned i = 0; i < 3; i++) {
    double back = 0;
    n = (size_t)snprintf(out, FL_SHORT_TEXT_MAX, formats[i], number);
    if (sscanf(out, "%lf", &back) == 1 && !(back < number) && !(back > number)) break;
  }
  return n;
}

/* The double nearest to the shortest decimal form of a float: 0.1, not 0.10000000149011612. It
 * turns into the same float again. */
static double real_of_float(float f) {
  static const char *const formats[] = {"%.6g", "%.7g", "%.8g"};
  char text[FL_SHORT_TEXT_MAX];
  for (unsigned i = 0; i < 3 && isfinite(f); i++) {
    double back = 0;
    (void)snprintf(text, sizeof text, formats[i], (double)f);
    const bool is_read = sscanf(text, "%lf", &back) == 1;
    if (is_read && !((float)back < f) && !((float)back > f)) return back;
  }
  return (double)f;
}

double fl_raw_real(fl_raw raw) {
  if (raw.n == 4) {
    float f;
    memcpy(&f, raw.p, sizeof f);
    return real_of_float(f);
  }
  double d;
  memcpy(&d, raw.p, sizeof d);
  return d;
}

static int64_t signed_of(fl_raw raw) {
  switch (raw.n) {
    case 1:
      return (int8_t)raw.p[0];
    case 2:
      return (int16_t)fl_le16(raw.p);
    case 4:
      return (int32_t)fl_le32(raw.p);
    default:
      return (int64_t)fl_le64(raw.p);
  }
}

static uint64_t unsigned_of(fl_raw raw) {
  switch (raw.n) {
    case 1:
      return raw.p[0];
    case 2:
      return fl_le16(raw.p);
    case 4:
      return fl_le32(raw.p);
    default:
      return fl_le64(raw.p);
  }
}

bool fl_raw_is_sound(fl_raw raw) {
  switch (raw.type) {
    case FL_T_SIZE:
    case FL_T_EVTHANDLE:
      return raw.n == 4 || raw.n == 8;
    case FL_T_BOOL:
      return raw.n == 4 || raw.n == 1;
    case FL_T_SID:
      return raw.n >= 8 && raw.n >= 8u + 4u * raw.p[1];
    default:
      return raw.n == fl_raw_width(raw.type) || fl_raw_width(raw.type) == 0;
  }
}

static fl_value text_value(fl_str text) { return (fl_value){.kind = FL_V_STR, .as.text = text}; }

/* The types whose one form is a short text. */
size_t fl_put_short(fl_raw raw, char *text) {
  switch (raw.type) {
    case FL_T_GUID:
      return fl_put_guid(raw.p, text);
    case FL_T_FILETIME:
      return fl_put_filetime(fl_le64(raw.p), text);
    case FL_T_SYSTEMTIME:
      return fl_put_systemtime(raw.p, text);
    default:
      return put_0x(unsigned_of(raw), text);
  }
}

static fl_value short_text(fl_raw raw, fl_arena *arena) {
  char text[FL_SHORT_TEXT_MAX];
  return text_value(fl_arena_str(arena, (fl_str){text, fl_put_short(raw, text)}));
}

static fl_value sid_value(fl_raw raw, fl_arena *arena) {
  char *text = fl_arena_take(arena, 32 + 11u * raw.p[1]);
  return text_value(text ? (fl_str){text, fl_put_sid(raw, text)} : (fl_str){0});
}

static fl_value list_value(fl_raw raw, fl_arena *arena) {
  const size_t n = fl_raw_count(raw);
  fl_value *items = FL_NEW_ARRAY(arena, fl_value, n);
  if (!items) return (fl_value){.kind = FL_V_NULL};
  fl_raw_cursor cursor = {.raw = raw};
  size_t i = 0;
  for (fl_raw item; i < n && fl_raw_next(&cursor, &item); i++)
    items[i] = fl_raw_decode(item, arena);
  return (fl_value){.kind = FL_V_LIST, .as.list = {items, i}};
}

fl_value fl_raw_decode(fl_raw raw, fl_arena *arena) {
  if (raw.type == FL_T_NULL) return (fl_value){.kind = FL_V_NULL};
  if (raw.type & FL_T_ARRAY) return list_value(raw, arena);
  if (!fl_raw_is_sound(raw)) return text_value(hex_text(raw, arena));
  switch (raw.type) {
    case FL_T_STR16:
    case FL_T_EVTXML:
      return text_value(utf16_text(fl_raw_trim(raw), arena));
    case FL_T_STR8:
      return text_value(ansi_text(fl_raw_trim(raw), arena));
    case FL_T_UTF8:
      return text_value(fl_arena_str(arena, (fl_str){(const char *)raw.p, raw.n}));
    case FL_T_I8:
    case FL_T_I16:
    case FL_T_I32:
    case FL_T_I64:
      return (fl_value){.kind = FL_V_INT, .as.integer = signed_of(raw)};
    case FL_T_U8:
    case FL_T_U16:
    case FL_T_U32:
    case FL_T_U64:
      return (fl_value){.kind = FL_V_UINT, .as.natural = unsigned_of(raw)};
    case FL_T_F32:
    case FL_T_F64:
      return (fl_value){.kind = FL_V_FLOAT, .as.real = fl_raw_real(raw)};
    case FL_T_BOOL:
      if (unsigned_of(raw) > 1)
        return (fl_value){.kind = FL_V_UINT, .as.natural = unsigned_of(raw)};
      return (fl_value){.kind = FL_V_BOOL, .as.boolean = unsigned_of(raw) != 0};
    case FL_T_SID:
      return sid_value(raw, arena);
    case FL_T_GUID:
    case FL_T_SIZE:
    case FL_T_EVTHANDLE:
    case FL_T_FILETIME:
    case FL_T_SYSTEMTIME:
    case FL_T_HEX32:
    case FL_T_HEX64:
      return short_text(raw, arena);
    default:
      return text_value(hex_text(raw, arena));
  }
}

/* Items of a string array end with a NUL, the last one may lack it. */
static bool next_string(fl_raw_cursor *cursor, fl_raw *ret_item) {
  const uint32_t unit = (cursor->raw.type & 0x7f) == FL_T_STR16 ? 2 : 1;
  const uint32_t n = cursor->raw.n - cursor->raw.n % unit;
  const uint32_t start = cursor->pos;
  if (start >= n) return false;
  uint32_t at = start;
  while (at < n && !(cursor->raw.p[at] == 0 && cursor->raw.p[at + unit - 1] == 0)) at += unit;
  *ret_item = (fl_raw){cursor->raw.p + start, at - start, cursor->raw.type & 0x7f, 0};
  cursor->pos = at + unit;
  return true;
}

/* Sizes have 8 bytes, on a machine of 32 bits 4; a bool may have 1. The whole array tells. */
static uint32_t item_width(fl_raw raw) {
  const uint8_t type = raw.type & 0x7f;
  if (type == FL_T_SIZE && raw.n % 8 == 4) return 4;
  if (type == FL_T_BOOL && raw.n % 4 != 0) return 1;
  return (uint32_t)fl_raw_width(type);
}

bool fl_raw_next(fl_raw_cursor *cursor, fl_raw *ret_item) {
  const uint8_t type = cursor->raw.type & 0x7f;
  if (type == FL_T_STR16 || type == FL_T_STR8 || type == FL_T_UTF8)
    return next_string(cursor, ret_item);
  const uint32_t left = cursor->raw.n - cursor->pos;
  uint32_t width = item_width(cursor->raw);
  if (type == FL_T_SID && left >= 8) width = 8u + 4u * cursor->raw.p[cursor->pos + 1];
  if (left == 0) return false;
  if (width == 0 || width > left) width = left; /* the tail that is no whole item */
  *ret_item = (fl_raw){cursor->raw.p + cursor->pos, width, type, 0};
  cursor->pos += width;
  return true;
}

size_t fl_raw_count(fl_raw raw) {
  if (!(raw.type & FL_T_ARRAY)) return 1;
  fl_raw_cursor cursor = {.raw = raw};
  size_t n = 0;
  for (fl_raw item; fl_raw_next(&cursor, &item);) n++;
  return n;
}

fl_raw fl_raw_item(fl_raw raw, size_t index) {
  if (!(raw.type & FL_T_ARRAY)) return raw;
  fl_raw_cursor cursor = {.raw = raw};
  fl_raw item = {0};
  for (size_t i = 0; fl_raw_next(&cursor, &item); i++)
    if (i == index) return item;
  return (fl_raw){0};
}

static fl_str list_text(const fl_value *value, fl_arena *arena) {
  size_t n = 0;
  fl_str *texts = FL_NEW_ARRAY(arena, fl_str, value->as.list.n_items);
  if (!texts) return (fl_str){0};
  for (size_t i = 0; i < value->as.list.n_items; i++) {
    texts[i] = fl_value_text(&value->as.list.items[i], arena);
    n += texts[i].n + 2;
  }
  char *out = fl_arena_take(arena, n + 1);
  if (!out) return (fl_str){0};
  size_t at = 0;
  for (size_t i = 0; i < value->as.list.n_items; i++) {
    if (i) {
      memcpy(out + at, ", ", 2);
      at += 2;
    }
    if (texts[i].n) memcpy(out + at, texts[i].p, texts[i].n);
    at += texts[i].n;
  }
  return (fl_str){out, at};
}

fl_str fl_value_text(const fl_value *value, fl_arena *arena) {
  char text[FL_SHORT_TEXT_MAX];
  switch (value->kind) {
    case FL_V_NULL:
      return (fl_str){0};
    case FL_V_STR:
      return value->as.text;
    case FL_V_LIST:
      return list_text(value, arena);
    case FL_V_BOOL:
      return value->as.boolean ? FL_STR("true") : FL_STR("false");
    case FL_V_INT:
      return fl_arena_str(arena, (fl_str){text, fl_text_i64(value->as.integer, text)});
    case FL_V_UINT:
      return fl_arena_str(arena, (fl_str){text, fl_text_u64(value->as.natural, text)});
    case FL_V_FLOAT:
      return fl_arena_str(arena, (fl_str){text, fl_put_double(value->as.real, text)});
  }
  return (fl_str){0};
}

fl_str fl_raw_text(fl_raw raw, fl_arena *arena) {
  const fl_value value = fl_raw_decode(raw, arena);
  return fl_value_text(&value, arena);
}

/* Text of at most 20 characters that is a number. */
static bool number_of_text(fl_raw raw, uint64_t *ret_number) {
  char text[3 * 24];
  raw = fl_raw_trim(raw);
  const size_t unit = raw.type == FL_T_STR16 ? 2 : 1;
  if (raw.n / unit > 24) return false;
  size_t n = 0;
  if (raw.type == FL_T_STR16) n = fl_utf16_to_utf8(raw.p, raw.n / 2, text);
  else memcpy(text, raw.p, n = raw.n);
  return fl_text_number((fl_str){text, n}, ret_number);
}

bool fl_raw_u64(fl_raw raw, uint64_t *ret_number) {
  if (raw.n == 0 || !fl_raw_is_sound(raw)) return false;
  switch (raw.type) {
    case FL_T_STR16:
    case FL_T_STR8:
    case FL_T_UTF8:
      return number_of_text(raw, ret_number);
    case FL_T_I8:
    case FL_T_I16:
    case FL_T_I32:
    case FL_T_I64:
      *ret_number = (uint64_t)signed_of(raw);
      return true;
    case FL_T_U8:
    case FL_T_U16:
    case FL_T_U32:
    case FL_T_U64:
    case FL_T_BOOL:
    case FL_T_SIZE:
    case FL_T_HEX32:
    case FL_T_HEX64:
    case FL_T_FILETIME:
      *ret_number = unsigned_of(raw);
      return true;
    default:
      return false;
  }
}

bool fl_value_number(const fl_value *value, int64_t *ret_number) {
  uint64_t natural = 0;
  switch (value->kind) {
    case FL_V_BOOL:
      *ret_number = value->as.boolean;
      return true;
    case FL_V_INT:
      *ret_number = value->as.integer;
      return true;
    case FL_V_UINT:
      natural = value->as.natural;
      break;
    case FL_V_STR: {
      if (value->as.text.n == 0) return false;
      const bool is_negative = value->as.text.n > 1 && value->as.text.p[0] == '-';
      const fl_str digits = {value->as.text.p + is_negative, value->as.text.n - is_negative};
      if (!fl_text_number(digits, &natural)) return false;
      if (is_negative && natural <= INT64_MAX) {
        *ret_number = -(int64_t)natural;
        return true;
      }
      break;
    }
    case FL_V_NULL:
    case FL_V_FLOAT:
    case FL_V_LIST:
      return false;
  }
  if (natural > INT64_MAX) return false;
  *ret_number = (int64_t)natural;
  return true;
}
