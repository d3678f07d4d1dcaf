/* sigma_text.c - texts of Sigma with wildcards, and their encodings. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "rules/sigma_value.h"

fl_status fl_sigma_pattern_make(const fl_sigma_parser *p, size_t n, fl_sigma_pattern *ret) {
  ret->bytes = fl_arena_take(p->scratch, n + 1);
  ret->kinds = fl_arena_take(p->scratch, n + 1);
  ret->n = 0;
  return ret->bytes && ret->kinds ? FL_OK : fl_lex_nomem(p->lex);
}

static void put(fl_sigma_pattern *pattern, uint8_t byte, fl_sigma_char kind) {
  pattern->bytes[pattern->n] = byte;
  pattern->kinds[pattern->n++] = (uint8_t)kind;
}

/* A backslash takes the meaning of a wildcard or backslash behind it; before others it is itself.
 */
fl_status fl_sigma_pattern_parse(const fl_sigma_parser *p, fl_str text, fl_sigma_pattern *ret) {
  FL_TRY(fl_sigma_pattern_make(p, text.n, ret));
  for (size_t i = 0; i < text.n; i++) {
    const char c = text.p[i];
    const char next = i + 1 < text.n ? text.p[i + 1] : 'x';
    if (c == '\\' && (next == '*' || next == '?' || next == '\\'))
      put(ret, (uint8_t)text.p[++i], FL_SIGMA_PLAIN);
    else if (c == '*') put(ret, '*', FL_SIGMA_MANY);
    else if (c == '?') put(ret, '?', FL_SIGMA_ONE);
    else put(ret, (uint8_t)c, FL_SIGMA_PLAIN);
  }
  return FL_OK;
}

fl_status fl_sigma_pattern_plain(const fl_sigma_parser *p, fl_str text, fl_sigma_pattern *ret) {
  FL_TRY(fl_sigma_pattern_make(p, text.n, ret));
  if (text.n) memcpy(ret->bytes, text.p, text.n);
  ret->n = text.n;
  return FL_OK;
}

bool fl_sigma_pattern_has_wildcard(const fl_sigma_pattern *pattern) {
  for (size_t i = 0; i < pattern->n; i++)
    if (pattern->kinds[i] != FL_SIGMA_PLAIN) return true;
  return false;
}

fl_status fl_sigma_pattern_wrap(const fl_sigma_parser *p, bool in_front, bool behind,
                                fl_sigma_pattern *pattern) {
  const fl_sigma_pattern in = *pattern;
  FL_TRY(fl_sigma_pattern_make(p, in.n + 2, pattern));
  if (in_front && !(in.n && in.kinds[0] == FL_SIGMA_MANY)) put(pattern, '*', FL_SIGMA_MANY);
  for (size_t i = 0; i < in.n; i++) put(pattern, in.bytes[i], (fl_sigma_char)in.kinds[i]);
  const bool ends_so = pattern->n && pattern->kinds[pattern->n - 1] == FL_SIGMA_MANY;
  if (behind && !ends_so) put(pattern, '*', FL_SIGMA_MANY);
  return FL_OK;
}

/* The first characters depend on the blanks, the last ones on what may follow: with 0, 1 and 2
 * bytes in the last group of three these are none, 3 and 2 characters. */
fl_status fl_sigma_pattern_base64(const fl_sigma_parser *p, const fl_sigma_pattern *in,
                                  unsigned n_shift, bool is_cut, fl_sigma_pattern *ret) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static const size_t starts[3] = {0, 2, 3}, ends[3] = {0, 3, 2};
  const size_t n = in->n + n_shift;
  fl_sigma_pattern all;
  FL_TRY(fl_sigma_pattern_make(p, n / 3 * 4 + 4, &all));
  for (size_t i = 0; i < n; i += 3) {
    uint32_t group = 0;
    for (size_t k = i; k < i + 3; k++) {
      const uint8_t byte = k < n_shift ? ' ' : k < n ? in->bytes[k - n_shift] : 0;
      group = group << 8 | byte;
    }
    for (size_t k = 0; k < 4; k++) {
      const bool is_pad = i + k > n;
      put(&all, (uint8_t)(is_pad ? '=' : digits[group >> (18 - 6 * k) & 63]), FL_SIGMA_PLAIN);
    }
  }
  const size_t start = is_cut ? starts[n_shift] : 0;
  const size_t cut = start + (is_cut ? ends[n % 3] : 0);
  *ret = (fl_sigma_pattern){all.bytes + start, all.kinds + start, all.n > cut ? all.n - cut : 0};
  return FL_OK;
}

static void put_unit(fl_sigma_pattern *pattern, uint32_t unit, bool is_big_endian) {
  put(pattern, (uint8_t)(is_big_endian ? unit >> 8 : unit), FL_SIGMA_PLAIN);
  put(pattern, (uint8_t)(is_big_endian ? unit : unit >> 8), FL_SIGMA_PLAIN);
}

/* Wildcards stay what they are. */
fl_status fl_sigma_pattern_utf16(const fl_sigma_parser *p, const fl_sigma_pattern *in,
                                 bool is_big_endian, bool has_mark, fl_sigma_pattern *ret) {
  FL_TRY(fl_sigma_pattern_make(p, 2 * in->n + 2, ret));
  if (has_mark) put_unit(ret, 0xfeff, is_big_endian);
  for (size_t at = 0; at < in->n;) {
    if (in->kinds[at] != FL_SIGMA_PLAIN) {
      put(ret, in->bytes[at], (fl_sigma_char)in->kinds[at]);
      at++;
      continue;
    }
    const uint32_t c = fl_utf8_next((fl_str){(const char *)in->bytes, in->n}, &at);
    if (c >= 0x10000) {
      put_unit(ret, 0xd800 + ((c - 0x10000) >> 10), is_big_endian);
      put_unit(ret, 0xdc00 + ((c - 0x10000) & 0x3ff), is_big_endian);
    } else {
      put_unit(ret, c, is_big_endian);
    }
  }
  return FL_OK;
}
