/* text.c - UTF-16 to UTF-8, numbers, escapes: text without locale. */
#include "base/text.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "base/rd.h"

size_t fl_utf8_put(uint32_t c, char *out) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 63));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 63));
    out[2] = (char)(0x80 | (c & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 63));
  out[2] = (char)(0x80 | (c >> 6 & 63));
  out[3] = (char)(0x80 | (c & 63));
  return 4;
}

/* Copies leading ASCII units; returns how many. 16 units at a time where SSE2 is there. */
static size_t copy_ascii_units(const uint8_t *bytes, size_t n_units, char *out) {
  size_t i = 0;
#if defined(__SSE2__)
  const __m128i high = _mm_set1_epi16((short)0xff80);
  for (; i + 8 <= n_units; i += 8) {
    __m128i v;
    memcpy(&v, bytes + 2 * i, sizeof v);
    if (_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_and_si128(v, high), _mm_setzero_si128())) != 0xffff)
      break;
    const __m128i packed = _mm_packus_epi16(v, v);
    (void)memcpy(out + i, &packed, 8);
  }
#endif
  for (; i < n_units; i++) {
    const uint16_t unit = fl_le16(bytes + 2 * i);
    if (unit >= 0x80) break;
    out[i] = (char)unit;
  }
  return i;
}

size_t fl_utf16_to_utf8(const uint8_t *bytes, size_t n_units, char *out) {
  size_t n = copy_ascii_units(bytes, n_units, out);
  for (size_t i = n; i < n_units; i++) {
    uint32_t c = fl_le16(bytes + 2 * i);
    if (c >= 0xd800 && c < 0xe000) {
      const uint32_t low = c < 0xdc00 && i + 1 < n_units ? fl_le16(bytes + 2 * i + 2) : 0;
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else {
        c = 0xfffd;
      }
    }
    n += fl_utf8_put(c, out + n);
  }
  return n;
}

size_t fl_cp1252_to_utf8(const uint8_t *bytes, size_t n_bytes, char *out) {
  static const uint16_t high[32] = {0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d,   0x017d, 0x8f,
                                    0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};
  size_t n = 0;
  for (; n < n_bytes && bytes[n] < 0x80; n++) out[n] = (char)bytes[n];
  for (size_t i = n; i < n_bytes; i++) {
    const uint8_t c = bytes[i];
    n += fl_utf8_put(c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c, out + n);
  }
  return n;
}

uint32_t fl_utf8_next(fl_str s, size_t *pos) {
  const size_t at = *pos;
  const uint8_t lead = (uint8_t)s.p[at];
  *pos = at + 1;
  if (lead < 0x80) return lead;
  const size_t n_more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || s.n - at <= n_more) return 0xfffd;
  uint32_t c = lead & (0x3fu >> n_more);
  for (size_t i = 1; i <= n_more; i++) {
    const uint8_t more = (uint8_t)s.p[at + i];
    if ((more & 0xc0) != 0x80) return 0xfffd;
    c = c << 6 | (more & 0x3fu);
  }
  static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
  if (c < least[n_more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0xfffd;
  *pos = at + 1 + n_more;
  return c;
}

bool fl_utf8_is_valid(fl_str s) {
  for (size_t at = 0; at < s.n;) {
    const size_t start = at;
    if (fl_utf8_next(s, &at) == 0xfffd && at == start + 1) return false;
  }
  return true;
}

static const char digit_pairs[201] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293"
    "949596979899";

/* From the number of bits, which is right or one too many. */
static inline size_t count_digits(uint64_t number) {
  static const uint64_t powers[20] = {UINT64_C(0),
                                      UINT64_C(10),
                                      UINT64_C(100),
                                      UINT64_C(1000),
                                      UINT64_C(10000),
                                      UINT64_C(100000),
                                      UINT64_C(1000000),
                                      UINT64_C(10000000),
                                      UINT64_C(100000000),
                                      UINT64_C(1000000000),
                                      UINT64_C(10000000000),
                                      UINT64_C(100000000000),
                                      UINT64_C(1000000000000),
                                      UINT64_C(10000000000000),
                                      UINT64_C(100000000000000),
                                      UINT64_C(1000000000000000),
                                      UINT64_C(10000000000000000),
                                      UINT64_C(100000000000000000),
                                      UINT64_C(1000000000000000000),
                                      UINT64_C(10000000000000000000)};
  const unsigned n_bits = 64u - (unsigned)__builtin_clzll(number | 1);
  const unsigned n = n_bits * 1233 >> 12; /* log10(2) */
  return n + (number >= powers[n]);
}

size_t fl_text_u64(uint64_t number, char *out) {
  if (number < 10) {
    out[0] = (char)('0' + number);
    return 1;
  }
  const size_t n = count_digits(number);
  char *at = out + n;
  for (; number >= 100; number /= 100) memcpy(at -= 2, digit_pairs + number % 100 * 2, 2);
  if (number >= 10) memcpy(at - 2, digit_pairs + number * 2, 2);
  else at[-1] = (char)('0' + number);
  return n;
}

size_t fl_text_i64(int64_t number, char *out) {
  if (number >= 0) return fl_text_u64((uint64_t)number, out);
  out[0] = '-';
  return 1 + fl_text_u64(UINT64_C(0) - (uint64_t)number, out + 1);
}

size_t fl_text_hex(uint64_t number, char *out) {
  static const char digits[] = "0123456789abcdef";
  const size_t n = (67u - (unsigned)__builtin_clzll(number | 1)) / 4;
  for (size_t i = 0; i < n; i++) out[i] = digits[number >> (4 * (n - 1 - i)) & 15];
  return n;
}

/* Characters that act on a terminal or hide in text instead of being seen. */
static bool is_active(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

static size_t put_escape(uint32_t c, char *out) {
  static const char digits[] = "0123456789abcdef";
  if (c == '\n' || c == '\t' || c == '\r') {
    out[0] = '\\';
    out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
    return 2;
  }
  const size_t n_digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
  out[0] = '\\';
  out[1] = n_digits == 2 ? 'x' : n_digits == 4 ? 'u' : 'U';
  for (size_t i = 0; i < n_digits; i++) out[2 + i] = digits[c >> (4 * (n_digits - 1 - i)) & 15];
  return 2 + n_digits;
}

/* One character at *pos, or one byte that is none; at most 10 bytes. */
static size_t put_printable(fl_str s, size_t *pos, char *out) {
  const size_t start = *pos;
  const uint32_t c = fl_utf8_next(s, pos);
  if (c == 0xfffd && *pos == start + 1) return put_escape((uint8_t)s.p[start], out);
  return is_active(c) ? put_escape(c, out) : fl_utf8_put(c, out);
}

fl_str fl_text_printable(fl_str s, fl_arena *arena) {
  bool is_clean = true;
  for (size_t i = 0; i < s.n && is_clean; i++) is_clean = s.p[i] >= 0x20 && s.p[i] < 0x7f;
  if (is_clean) return s;
  if (s.n > SIZE_MAX / 16) return (fl_str){0};
  char *out = fl_arena_take(arena, s.n * 10 + 1);
  if (!out) return (fl_str){0};
  size_t n = 0;
  for (size_t at = 0; at < s.n;) n += put_printable(s, &at, out + n);
  return (fl_str){out, n};
}

void fl_out_printable(fl_out *out, fl_str s) {
  char text[16];
  for (size_t at = 0; at < s.n;) fl_out_write(out, text, put_printable(s, &at, text));
}

static int digit_value(char c) {
  if (fl_is_digit(c)) return c - '0';
  const char lower = fl_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

bool fl_text_number(fl_str s, uint64_t *ret_number) {
  const bool is_hex = s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X');
  const uint64_t base = is_hex ? 16 : 10;
  uint64_t number = 0;
  size_t i = is_hex ? 2 : 0;
  if (i >= s.n) return false;
  for (; i < s.n; i++) {
    const uint64_t digit = (uint64_t)digit_value(s.p[i]);
    if (digit >= base || number > (UINT64_MAX - digit) / base) return false;
    number = number * base + digit;
  }
  *ret_number = number;
  return true;
}
