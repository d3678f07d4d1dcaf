/* sigma_fold.c - text without case: simple case folding, with a fast path for ASCII. */
#include "rules/sigma_fold.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

typedef struct run {
  uint32_t first, last, step;
  int32_t delta;
} run;
static const run runs[] = {
#define FL_FOLD(first, last, step, delta) {first, last, step, delta},
#include "rules/sigma_fold.def"
#undef FL_FOLD
};

uint32_t fl_sigma_fold_char(uint32_t c) {
  if (c < 0x80) return (uint32_t)fl_lower((char)c);
  size_t low = 0, high = sizeof runs / sizeof *runs;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (runs[middle].last < c) low = middle + 1;
    else high = middle;
  }
  if (low == sizeof runs / sizeof *runs || c < runs[low].first) return c;
  if ((c - runs[low].first) % runs[low].step) return c;
  return (uint32_t)((int32_t)c + runs[low].delta);
}

/* Lowers ASCII up to the first byte beyond it; returns where that stands. */
static size_t lower_ascii(const uint8_t *text, size_t n, uint8_t *out) {
  size_t i = 0;
#if defined(__SSE2__)
  const __m128i before = _mm_set1_epi8('A' - 1), behind = _mm_set1_epi8('Z' + 1);
  const __m128i bit = _mm_set1_epi8(0x20);
  for (; i + 16 <= n; i += 16) {
    const __m128i v = _mm_loadu_si128((const void *)(text + i));
    if (_mm_movemask_epi8(v)) break;
    const __m128i is_upper = _mm_and_si128(_mm_cmpgt_epi8(v, before), _mm_cmplt_epi8(v, behind));
    _mm_storeu_si128((void *)(out + i), _mm_or_si128(v, _mm_and_si128(is_upper, bit)));
  }
#endif
  for (; i < n && text[i] < 0x80; i++) out[i] = (uint8_t)fl_lower((char)text[i]);
  return i;
}

size_t fl_sigma_fold_bytes(const uint8_t *text, size_t n, uint8_t *out) {
  size_t at = lower_ascii(text, n, out);
  size_t n_out = at;
  const fl_str s = {(const char *)text, n};
  while (at < n) {
    const size_t start = at;
    const uint32_t c = fl_utf8_next(s, &at);
    if (c == 0xfffd && at == start + 1) out[n_out++] = text[start]; /* no character: as it is */
    else n_out += fl_utf8_put(fl_sigma_fold_char(c), (char *)out + n_out);
  }
  return n_out;
}

fl_str fl_sigma_fold(fl_str text, fl_arena *arena) {
  uint8_t *out = fl_arena_take(arena, FL_SIGMA_FOLDED(text.n) + 1);
  if (!out) return (fl_str){0};
  return (fl_str){(const char *)out, fl_sigma_fold_bytes((const uint8_t *)text.p, text.n, out)};
}
