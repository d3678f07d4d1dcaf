/* codepage.c - text of old code pages, from tables that are text themselves. */
#include "base/codepage.h"

#include <string.h>

#include "base/text.h"

enum { UNKNOWN = 0xfffd, FIRST_TRAIL = 0x40 };

static const struct {
  unsigned number;
  const char *high;
} singles[] = {
#define CP(number, text) {number, text},
#define ROW_932(lead, text)
#define ROW_936(lead, text)
#include "base/codepages.def"
#undef CP
#undef ROW_932
#undef ROW_936
};

static const struct {
  uint16_t number;
  uint8_t lead;
  const char *row;
} rows[] = {
#define CP(number, text)
#define ROW_932(lead, text) {932, lead, text},
#define ROW_936(lead, text) {936, lead, text},
#include "base/codepages.def"
#undef CP
#undef ROW_932
#undef ROW_936
};

enum { N_SINGLES = sizeof singles / sizeof singles[0], N_ROWS = sizeof rows / sizeof rows[0] };

bool fl_codepage_is_known(unsigned number) {
  if (number == 932 || number == 936) return true;
  for (size_t i = 0; i < N_SINGLES; i++)
    if (singles[i].number == number) return true;
  return false;
}

static void init_single(fl_codepage *page, unsigned number) {
  size_t which = 0;
  for (size_t i = 0; i < N_SINGLES; i++)
    if (singles[i].number == number) which = i;
  const fl_str text = fl_str_of(singles[which].high);
  page->number = singles[which].number;
  for (size_t i = 0, at = 0; i < 128 && at < text.n; i++)
    page->high[i] = (uint16_t)fl_utf8_next(text, &at);
}

static void init_double(fl_codepage *page, unsigned number) {
  page->last_trail = number == 932 ? 0xfc : 0xfe;
  for (size_t i = 0; i < 128; i++) page->high[i] = UNKNOWN;
  for (uint16_t c = 0xa1; number == 932 && c <= 0xdf; c++)
    page->high[c - 0x80] = (uint16_t)(0xff61 + c - 0xa1); /* narrow katakana */
  if (number == 936) page->high[0] = 0x20ac;
  for (size_t i = 0; i < N_ROWS; i++)
    if (rows[i].number == number) page->rows[rows[i].lead - 0x80] = rows[i].row;
}

void fl_codepage_init(fl_codepage *page, unsigned number) {
  if (!fl_codepage_is_known(number)) number = 1252;
  *page = (fl_codepage){.number = number};
  if (number == 932 || number == 936) init_double(page, number);
  else init_single(page, number);
}

static bool is_trail(const fl_codepage *page, uint8_t c) {
  return c >= FIRST_TRAIL && c != 0x7f && c <= page->last_trail;
}

static uint32_t of_row(const char *row, uint8_t trail) {
  const fl_str text = fl_str_of(row);
  unsigned left = trail - FIRST_TRAIL - (trail > 0x7f ? 1u : 0u);
  size_t at = 0;
  uint32_t c = UNKNOWN;
  do c = at < text.n ? fl_utf8_next(text, &at) : UNKNOWN;
  while (left-- > 0);
  return c;
}

size_t fl_codepage_to_utf8(const fl_codepage *page, const uint8_t *bytes, size_t n_bytes,
                           char *out) {
  size_t n = 0;
  for (size_t i = 0; i < n_bytes; i++) {
    const uint8_t c = bytes[i];
    if (c < 0x80) {
      out[n++] = (char)c;
      continue;
    }
    const char *row = page->rows[c - 0x80];
    if (row && i + 1 < n_bytes && is_trail(page, bytes[i + 1]))
      n += fl_utf8_put(of_row(row, bytes[++i]), out + n);
    else n += fl_utf8_put(page->high[c - 0x80], out + n);
  }
  return n;
}

/* ---- the guess ---- */

typedef struct counts {
  size_t n_high;         /* bytes beyond ASCII */
  size_t n_long;         /* bytes in stretches of 3 and more */
  size_t n_even;         /* bytes in stretches of even length */
  size_t n_kana;         /* lead bytes of hiragana or katakana before a fitting trail byte */
  size_t n_upper_half;   /* 0xc0 to 0xff */
  size_t n_lower_ru;     /* 0xe0 to 0xff */
  size_t n_gb;           /* from 0xa1 on, as both bytes of common Chinese characters are */
  size_t n_oem;          /* letters of DOS code pages only: 0x80 to 0x9a, 0xa0 to 0xa5 */
  size_t n_866;          /* 0x80 to 0xaf and 0xe0 to 0xef */
  size_t n_turkish_ansi; /* what 1254 has and 1252 seldom needs */
  size_t n_turkish_oem;  /* 0x8d, 0x98, 0x9e, 0x9f, 0xa6, 0xa7 */
} counts;

static bool is_in(const char *set, uint8_t c) {
  for (; *set; set++)
    if ((uint8_t)*set == c) return true;
  return false;
}

static bool is_letter(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static void count_byte(counts *k, uint8_t c, uint8_t next) {
  k->n_high++;
  k->n_upper_half += c >= 0xc0;
  k->n_lower_ru += c >= 0xe0;
  k->n_gb += c >= 0xa1;
  /* 0xa0 is a blank of 1252 that does not break, as French has before colons. */
  k->n_oem += c <= 0x9a || (c > 0xa0 && c <= 0xa5) || (c == 0xa0 && is_letter(next));
  k->n_866 += c <= 0xaf || (c >= 0xe0 && c <= 0xef);
  k->n_kana +=
      (c == 0x82 && next >= 0x9f && next <= 0xf1) || (c == 0x83 && next >= 0x40 && next <= 0x96);
  k->n_turkish_ansi += is_in("\xd0\xdd\xde\xf0\xfd\xfe", c);
  k->n_turkish_oem += is_in("\x8d\x98\x9e\x9f\xa6\xa7", c);
}

static void count_line(const uint8_t *bytes, size_t n, counts *k) {
  for (size_t i = 0, run = 0; i <= n; i++) {
    if (i < n && bytes[i] >= 0x80) {
      count_byte(k, bytes[i], i + 1 < n ? bytes[i + 1] : 0);
      run++;
      continue;
    }
    k->n_long += run >= 3 ? run : 0;
    k->n_even += run % 2 == 0 ? run : 0;
    run = 0;
  }
}

/* Lines with a zero in them are of another encoding. */
static void count(const uint8_t *bytes, size_t n, counts *k) {
  while (n > 0) {
    const uint8_t *end = memchr(bytes, '\n', n);
    const size_t n_line = end ? (size_t)(end - bytes) : n;
    if (!memchr(bytes, 0, n_line)) count_line(bytes, n_line, k);
    bytes += n_line + (end ? 1 : 0);
    n -= n_line + (end ? 1 : 0);
  }
}

/* Scripts of their own stand in long stretches, accented letters of Latin alone or in pairs. */
static unsigned guess_script(const counts *k) {
  if (k->n_kana * 6 >= k->n_high) return 932;
  if (k->n_long * 2 < k->n_high) return 0;
  if (k->n_lower_ru * 10 >= k->n_high * 7 || k->n_upper_half * 20 >= k->n_high * 19) return 1251;
  if (k->n_866 * 20 >= k->n_high * 19) return 866;
  if (k->n_gb * 20 >= k->n_high * 19 && k->n_even * 10 >= k->n_high * 9) return 936;
  return 0;
}

unsigned fl_codepage_guess(const uint8_t *bytes, size_t n_bytes) {
  counts k = {0};
  count(bytes, n_bytes, &k);
  if (k.n_high == 0) return 1252;
  const unsigned script = guess_script(&k);
  if (script) return script;
  const size_t n_oem = k.n_oem + k.n_turkish_oem;
  const bool is_oem = n_oem > 0 && n_oem * 2 > k.n_upper_half;
  if (is_oem) return k.n_turkish_oem * 4 >= k.n_high ? 857 : 850;
  return k.n_turkish_ansi * 4 >= k.n_high ? 1254 : 1252;
}
