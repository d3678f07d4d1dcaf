/* text_words.c - states in the languages of Windows. */
#include "base/text.h"
#include "parsers/text.h"

typedef struct word {
  const char *start, *meaning;
} word;

static const word tcp_words[] = {
#define FL_TCP(start, meaning) {start, meaning},
#define FL_SESSION(start, meaning)
#include "parsers/text_words.def"
#undef FL_TCP
#undef FL_SESSION
};

static const word session_words[] = {
#define FL_TCP(start, meaning)
#define FL_SESSION(start, meaning) {start, meaning},
#include "parsers/text_words.def"
#undef FL_TCP
#undef FL_SESSION
};

/* Lower case of the letters that the tables use. */
static uint32_t lower(uint32_t c) {
  if (c < 0x80) return (uint32_t)(unsigned char)fl_lower((char)c);
  if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x410 && c <= 0x42f)) return c + 0x20;
  if (c == 0x11e || c == 0x15e) return c + 1;
  if (c == 0x130) return 'i';
  return c;
}

/* Length of `start` in bytes when the text begins with it, else 0. */
static size_t fit(fl_str text, const char *start) {
  const fl_str s = fl_str_of(start);
  size_t a = 0, b = 0;
  while (b < s.n) {
    if (a >= text.n) return 0;
    if (lower(fl_utf8_next(text, &a)) != fl_utf8_next(s, &b)) return 0;
  }
  return s.n;
}

static const char *find(const word *words, size_t n, fl_str text) {
  const char *meaning = NULL;
  size_t longest = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t length = fit(text, words[i].start);
    if (length <= longest) continue;
    longest = length;
    meaning = words[i].meaning;
  }
  return meaning;
}

const char *text_tcp_state(fl_str text) {
  return find(tcp_words, sizeof tcp_words / sizeof tcp_words[0], text);
}

const char *text_session_state(fl_str text) {
  return find(session_words, sizeof session_words / sizeof session_words[0], text);
}
