/* json_put.c - JSON values straight into a buffer: no object, no allocation for ordinary types. */
#include "report/json_put.h"

#include <math.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/raw.h"
#include "base/rd.h"
#include "base/text.h"

/* Escapes one character of a JSON string; returns its length. */
static size_t put_escaped(uint8_t c, char *out) {
  static const char digits[] = "0123456789abcdef";
  static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
  for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
    if (shorts[i] != (char)c) continue;
    out[0] = '\\';
    out[1] = shorts[i + 1];
    return 2;
  }
  memcpy(out, "\\u00", 4);
  out[4] = digits[c >> 4];
  out[5] = digits[c & 15];
  return 6;
}

/* What JSON forbids, and the controls that would drive a terminal. */
static bool needs_escape(uint32_t c) {
  return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0);
}

#if defined(__SSE2__)
/* Which of 16 characters are quotes, backslashes, controls, DEL or no ASCII (below zero). */
static inline int find_special(__m128i c) {
  const __m128i a =
      _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')), _mm_cmpeq_epi8(c, _mm_set1_epi8('\\')));
  const __m128i b =
      _mm_or_si128(_mm_cmplt_epi8(c, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(c, _mm_set1_epi8(0x7f)));
  return _mm_movemask_epi8(_mm_or_si128(a, b));
}
#endif

/* Leading bytes that are ASCII and need no escape, up to sixteen at a time. */
static size_t put_plain_bytes(const char *text, size_t n, char *out) {
  size_t i = 0;
#if defined(__SSE2__)
  for (; i + 16 <= n; i += 16) {
    __m128i c;
    memcpy(&c, text + i, sizeof c);
    if (find_special(c)) break;
    memcpy(out + i, &c, 16);
  }
  if (n - i >= 8) {
    uint64_t word;
    memcpy(&word, text + i, sizeof word);
    const __m128i c = _mm_unpacklo_epi64(_mm_cvtsi64_si128((long long)word), _mm_set1_epi8(' '));
    if (!find_special(c)) {
      memcpy(out + i, &word, 8);
      i += 8;
    }
  }
#endif
  for (; i < n; i++) {
    const uint8_t c = (uint8_t)text[i];
    if (c >= 0x7f || needs_escape(c)) break;
    out[i] = (char)c;
  }
  return i;
}

/* UTF-8 into a JSON string; bytes that are no UTF-8 become U+FFFD. 6 bytes for each at most. */
static char *put_utf8(fl_str s, char *out) {
  for (size_t at = 0; at < s.n;) {
    const size_t n_plain = put_plain_bytes(s.p + at, s.n - at, out);
    out += n_plain;
    at += n_plain;
    if (at >= s.n) break;
    const uint32_t c = fl_utf8_next(s, &at);
    if (needs_escape(c)) out += put_escaped((uint8_t)c, out);
    else out += fl_utf8_put(c, out);
  }
  return out;
}

/* One character: a unit, or a pair of surrogates. */
static char *put_unit(const uint8_t *units, size_t n_units, size_t *pos, char *out) {
  uint32_t c = fl_le16(units + 2 * (*pos)++);
  if (c >= 0xd800 && c < 0xe000) {
    const uint32_t low = c < 0xdc00 && *pos < n_units ? fl_le16(units + 2 * *pos) : 0;
    const bool is_pair = low >= 0xdc00 && low < 0xe000;
    *pos += is_pair;
    c = is_pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
  }
  return out + (needs_escape(c) ? put_escaped((uint8_t)c, out) : fl_utf8_put(c, out));
}

/* Eight or four units at a time as far as they are ASCII and need no escape. Packing saturates, so
 * that all others become bytes that a signed comparison finds below 0x20. What is stored beyond
 * them is overwritten: there is room for six bytes a unit. */
static char *put_utf16(const uint8_t *units, size_t n_units, char *out) {
#if defined(__SSE2__)
  size_t n_plain = 0; /* units since the last that took more or less than a byte */
#endif
  for (size_t i = 0; i < n_units;) {
#if defined(__SSE2__)
    int special = 0;
    const size_t start = i;
    for (; n_units - i >= 8; i += 8, out += 8) {
      __m128i some;
      memcpy(&some, units + 2 * i, 16);
      const __m128i c = _mm_packus_epi16(some, _mm_set1_epi16(' '));
      memcpy(out, &c, 8);
      if ((special = find_special(c))) break;
    }
    n_plain += i - start;
    const size_t n_left = n_units - i;
    if (!special && n_left > 0 && n_plain + n_left >= 8) { /* the last eight, some of them again */
      __m128i some;
      memcpy(&some, units + 2 * (n_units - 8), 16);
      const __m128i c = _mm_packus_epi16(some, _mm_set1_epi16(' '));
      memcpy(out + n_left - 8, &c, 8);
      if (!(special = (find_special(c) & 255) >> (8 - n_left))) return out + n_left;
    } else if (!special && n_left >= 4) {
      const __m128i some = _mm_cvtsi64_si128((long long)fl_le64(units + 2 * i));
      const __m128i c = _mm_packus_epi16(_mm_unpacklo_epi64(some, _mm_set1_epi16(' ')), some);
      memcpy(out, &c, 4);
      if (!(special = find_special(c) & 15)) {
        i += 4;
        out += 4;
      }
    }
    n_plain = 0;
    if (special) {
      const unsigned n = (unsigned)__builtin_ctz((unsigned)special);
      out += n;
      i += n;
    }
    if (i == n_units) break;
#endif
    out = put_unit(units, n_units, &i, out);
  }
  return out;
}

char *fl_json_put_quoted(fl_str s, char *out) {
  *out++ = '"';
  out = put_utf8(s, out);
  *out++ = '"';
  return out;
}

/* JSON numbers are doubles to most readers: what they cannot hold is written as text. */
char *fl_json_put_natural(uint64_t number, char *out) {
  const bool is_big = number > UINT64_C(1) << 53;
  if (is_big) *out++ = '"';
  out += fl_text_u64(number, out);
  if (is_big) *out++ = '"';
  return out;
}

static char *put_integer(int64_t number, char *out) {
  if (number >= 0) return fl_json_put_natural((uint64_t)number, out);
  const bool is_big = number < -(INT64_C(1) << 53);
  if (is_big) *out++ = '"';
  out += fl_text_i64(number, out);
  if (is_big) *out++ = '"';
  return out;
}

char *fl_json_put_hex(uint64_t number, char *out) {
  memcpy(out, "\"0x", 3);
  out += 3;
  out += fl_text_hex(number, out);
  *out++ = '"';
  return out;
}

static char *put_real(double number, char *out) {
  if (isfinite(number)) return out + fl_put_double(number, out);
  *out++ = '"';
  out += fl_put_double(number, out);
  *out++ = '"';
  return out;
}

static char *put_binary(fl_raw raw, char *out) {
  *out++ = '"';
  out += fl_put_hex_bytes(raw.p, raw.n, out);
  *out++ = '"';
  return out;
}

char *fl_json_put_value(const fl_value *value, char *out) {
  switch (value->kind) {
    case FL_V_NULL:
      memcpy(out, "null", 4);
      return out + 4;
    case FL_V_BOOL:
      memcpy(out, value->as.boolean ? "true" : "false", 5);
      return out + (value->as.boolean ? 4 : 5);
    case FL_V_INT:
      return put_integer(value->as.integer, out);
    case FL_V_UINT:
      return fl_json_put_natural(value->as.natural, out);
    case FL_V_FLOAT:
      return put_real(value->as.real, out);
    case FL_V_STR:
      return fl_json_put_quoted(value->as.text, out);
    case FL_V_LIST:
      break;
  }
  *out++ = '[';
  for (size_t i = 0; i < value->as.list.n_items; i++) {
    if (i) *out++ = ',';
    out = fl_json_put_value(&value->as.list.items[i], out);
  }
  *out++ = ']';
  return out;
}

/* An upper bound of what fl_json_put_value writes. */
size_t fl_json_value_room(const fl_value *value) {
  if (value->kind == FL_V_STR) return value->as.text.n * 6 + 2;
  size_t room = FL_SHORT_TEXT_MAX;
  if (value->kind == FL_V_LIST)
    for (size_t i = 0; i < value->as.list.n_items; i++)
      room += fl_json_value_room(&value->as.list.items[i]) + 1;
  return room;
}

/* The items of an array, separated by commas, each in at most what fl_json_raw_room counts for it.
 */
char *fl_json_put_items(fl_raw raw, fl_arena *scratch, char *out) {
  fl_raw_cursor cursor = {.raw = raw};
  fl_raw one;
  for (bool is_first = true; fl_raw_next(&cursor, &one); is_first = false) {
    if (!is_first) *out++ = ',';
    out = fl_json_put_raw(one, scratch, out);
  }
  return out;
}

/* What is rare: arrays, values whose length does not fit their type, and types of few records. */
static char *put_rare(fl_raw raw, fl_arena *scratch, char *out) {
  if (raw.type & FL_T_ARRAY) {
    *out++ = '[';
    out = fl_json_put_items(raw, scratch, out);
    *out++ = ']';
    return out;
  }
  if (raw.type == FL_T_BIN || !fl_raw_is_sound(raw)) return put_binary(raw, out);
  if (raw.type == FL_T_SID) {
    *out++ = '"';
    out += fl_put_sid(raw, out);
    *out++ = '"';
    return out;
  }
  const fl_value value = fl_raw_decode(raw, scratch);
  return fl_json_put_value(&value, out);
}

/* Windows-1252 is ASCII nearly always. */
static char *put_ansi(fl_raw raw, fl_arena *scratch, char *out) {
  const fl_raw text = fl_raw_trim(raw);
  bool is_ascii = true;
  for (uint32_t i = 0; i < text.n && is_ascii; i++) is_ascii = text.p[i] < 0x80;
  if (!is_ascii) return put_rare(raw, scratch, out);
  return fl_json_put_quoted((fl_str){(const char *)text.p, text.n}, out);
}

static char *put_short(fl_raw raw, char *out) {
  *out++ = '"';
  out += fl_put_short(raw, out);
  *out++ = '"';
  return out;
}

/* The types of ordinary records in place, if their length is right. Room: 6 bytes a unit. */
char *fl_json_put_raw(fl_raw raw, fl_arena *scratch, char *out) {
  switch (raw.type) {
    case FL_T_STR16:
      raw = fl_raw_trim(raw);
      *out++ = '"';
      out = put_utf16(raw.p, raw.n / 2, out);
      *out++ = '"';
      return out;
    case FL_T_UTF8:
      return fl_json_put_quoted((fl_str){(const char *)raw.p, raw.n}, out);
    case FL_T_STR8:
      return put_ansi(raw, scratch, out);
    case FL_T_U8:
      if (raw.n == 1) return fl_json_put_natural(raw.p[0], out);
      break;
    case FL_T_U16:
      if (raw.n == 2) return fl_json_put_natural(fl_le16(raw.p), out);
      break;
    case FL_T_U32:
      if (raw.n == 4) return fl_json_put_natural(fl_le32(raw.p), out);
      break;
    case FL_T_I32:
      if (raw.n == 4) return put_integer((int32_t)fl_le32(raw.p), out);
      break;
    case FL_T_U64:
      if (raw.n == 8) return fl_json_put_natural(fl_le64(raw.p), out);
      break;
    case FL_T_HEX32:
      if (raw.n == 4) return fl_json_put_hex(fl_le32(raw.p), out);
      break;
    case FL_T_HEX64:
      if (raw.n == 8) return fl_json_put_hex(fl_le64(raw.p), out);
      break;
    case FL_T_GUID:
      if (raw.n == 16) return put_short(raw, out);
      break;
    case FL_T_FILETIME:
      if (raw.n == 8) return put_short(raw, out);
      break;
    default:
      break;
  }
  return put_rare(raw, scratch, out);
}

/* What fl_json_put_raw may write: six characters a byte cover escapes, hex and the forms of fixed
 * types; lists add at most a separator, quotes and a number's digits for each item. */
size_t fl_json_raw_room(fl_raw raw) {
  const size_t per_byte = raw.type & FL_T_ARRAY ? FL_SHORT_TEXT_MAX : 6;
  return (size_t)raw.n * per_byte + FL_SHORT_TEXT_MAX + 32;
}
