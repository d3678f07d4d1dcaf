/* lines.c - lines of text in any encoding, one after the other. */
#include "parsers/lines.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/text.h"

enum {
  WINDOW = 2 * FL_LIMIT_LINE + 64,
  LOOK_AHEAD = 256, /* bytes that tell in which encoding a line begins */
  LEAST_LOOK = 8
};

/* ---- which encoding ---- */

static bool is_mark16(const uint8_t *p, size_t n, bool is_big) {
  return n >= 2 && p[0] == (is_big ? 0xfe : 0xff) && p[1] == (is_big ? 0xff : 0xfe);
}

static bool is_mark8(const uint8_t *p, size_t n) {
  return n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
}

/* Units whose upper byte is 0, up to the line end: text of Latin letters, at least its blanks,
 * digits and line end. */
static bool is_utf16(const uint8_t *p, size_t n, bool is_big) {
  size_t n_units = 0, n_latin = 0;
  if (n > LOOK_AHEAD) n = LOOK_AHEAD;
  for (size_t i = 0; i + 1 < n; i += 2) {
    const uint8_t low = p[i + (is_big ? 1 : 0)], high = p[i + (is_big ? 0 : 1)];
    if (low == 0 && high == 0) return false;
    n_units++;
    n_latin += high == 0;
    if (low == '\n' && high == 0) break;
  }
  return n_latin > 0 && n_latin * 8 >= n_units;
}

static bool is_ascii_text(uint8_t c) { return c == '\t' || (c >= 0x20 && c < 0x7f); }

/* In text of UTF-16: bytes without a zero up to a line end of bytes, nearly all of them ASCII. */
static bool is_bytes(const uint8_t *p, size_t n) {
  size_t i = 0, n_ascii = 0;
  if (n > LOOK_AHEAD) n = LOOK_AHEAD;
  for (; i < n && p[i] != '\n'; i++) {
    if (p[i] == 0) return false;
    n_ascii += is_ascii_text(p[i]) || p[i] == '\r';
  }
  if (i < n && i + 1 < n && p[i + 1] == 0) return false; /* the line end of UTF-16 */
  /* 0d 0a is no letter of UTF-16 that anybody writes. */
  const bool has_line_end = i > 0 && i < n && p[i - 1] == '\r';
  return (i >= LEAST_LOOK || has_line_end) && n_ascii * 8 >= i * 7;
}

/* The encoding of the line that begins at `p`. */
static fl_encoding encoding_at(fl_encoding before, const uint8_t *p, size_t n) {
  if (is_mark16(p, n, false)) return FL_ENCODING_UTF16LE;
  if (is_mark16(p, n, true)) return FL_ENCODING_UTF16BE;
  if (is_mark8(p, n)) return FL_ENCODING_BYTES;
  if (before != FL_ENCODING_BYTES) return is_bytes(p, n) ? FL_ENCODING_BYTES : before;
  if (n >= 2 && p[0] != 0 && p[1] == 0 && is_utf16(p, n, false)) return FL_ENCODING_UTF16LE;
  if (n >= 2 && p[0] == 0 && p[1] != 0 && is_utf16(p, n, true)) return FL_ENCODING_UTF16BE;
  return before;
}

static size_t mark_length(const uint8_t *p, size_t n) {
  if (is_mark16(p, n, false) || is_mark16(p, n, true)) return 2;
  return is_mark8(p, n) ? 3 : 0;
}

/* ---- bytes to UTF-8 ---- */

static size_t decode_big(const uint8_t *bytes, size_t n_units, char *out) {
  size_t n = 0;
  for (size_t i = 0; i < n_units; i++) {
    const uint8_t swapped[4] = {bytes[2 * i + 1], bytes[2 * i],
                                i + 1 < n_units ? bytes[2 * i + 3] : (uint8_t)0,
                                i + 1 < n_units ? bytes[2 * i + 2] : (uint8_t)0};
    const uint32_t c = fl_le16(swapped), low = fl_le16(swapped + 2);
    const bool is_pair = c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
    n += fl_utf16_to_utf8(swapped, is_pair ? 2 : 1, out + n);
    i += is_pair;
  }
  return n;
}

static size_t decode_bytes(fl_lines *l, const uint8_t *bytes, size_t n, char *out) {
  const fl_str s = {(const char *)bytes, n};
  if (!l->is_page_needed && fl_utf8_is_valid(s)) {
    memcpy(out, bytes, n);
    return n;
  }
  for (size_t i = 0; i < n && !l->is_page_needed; i++) l->is_page_needed = bytes[i] >= 0x80;
  return fl_codepage_to_utf8(&l->page, bytes, n, out);
}

static fl_str decode(fl_lines *l, const uint8_t *bytes, size_t n) {
  size_t n_text = 0;
  if (l->encoding == FL_ENCODING_UTF16LE) n_text = fl_utf16_to_utf8(bytes, n / 2, l->text);
  else if (l->encoding == FL_ENCODING_UTF16BE) n_text = decode_big(bytes, n / 2, l->text);
  else n_text = decode_bytes(l, bytes, n, l->text);
  while (n_text > 0 && l->text[n_text - 1] == '\r') n_text--;
  return (fl_str){l->text, n_text};
}

/* ---- the window ---- */

/* Makes the window hold WINDOW bytes from `at` on, or all that are left. */
static fl_status fill(fl_lines *l, fl_err *err) {
  if (l->is_whole || l->n - l->at > WINDOW / 2) return FL_OK;
  memmove(l->window, l->window + l->at, l->n - l->at);
  l->window_at += l->at;
  l->n -= l->at;
  l->at = 0;
  while (l->n < WINDOW) {
    size_t n_read = 0;
    FL_TRY(fl_source_read(l->job->source, l->window_at + l->n, l->window + l->n, WINDOW - l->n,
                          &n_read, err));
    l->n += n_read;
    if (n_read == 0) break;
  }
  l->is_whole = l->n < WINDOW;
  return FL_OK;
}

static size_t unit_of(fl_encoding encoding) { return encoding == FL_ENCODING_BYTES ? 1 : 2; }

static bool is_line_end(fl_encoding encoding, const uint8_t *p) {
  if (encoding == FL_ENCODING_BYTES) return p[0] == '\n';
  return encoding == FL_ENCODING_UTF16LE ? p[0] == '\n' && p[1] == 0 : p[0] == 0 && p[1] == '\n';
}

/* Bytes up to the line end, at most `n`; *ret_end: how long it is, 0 when it is not there. */
static size_t line_length(fl_encoding encoding, const uint8_t *p, size_t n, size_t *ret_end) {
  const size_t unit = unit_of(encoding);
  *ret_end = 0;
  if (encoding == FL_ENCODING_BYTES) {
    const uint8_t *end = memchr(p, '\n', n);
    *ret_end = end ? 1 : 0;
    return end ? (size_t)(end - p) : n;
  }
  for (size_t i = 0; i + unit <= n; i += unit) {
    if (!is_line_end(encoding, p + i)) continue;
    *ret_end = unit;
    return i;
  }
  return n;
}

/* What is left of a line that is too long. */
static fl_status skip_rest(fl_lines *l, fl_err *err) {
  for (;;) {
    FL_TRY(fill(l, err));
    size_t end = 0;
    const size_t unit = unit_of(l->encoding);
    size_t n = line_length(l->encoding, l->window + l->at, l->n - l->at, &end);
    if (end == 0 && !l->is_whole) n -= n % unit;
    l->at += n + end;
    if (end != 0 || l->is_whole) return FL_OK;
  }
}

static uint64_t offset_of(const fl_lines *l) { return l->window_at + l->at; }

/* ---- the ledger ---- */

/* The bytes of the line that was given last, with its line end. Blank lines go with the line before
 * them, so that a file of blocks has few ranges. */
static void tell(fl_lines *l) {
  const uint64_t end = offset_of(l);
  if (end <= l->told_to) return;
  size_t at = 0;
  while (at < l->line.text.n && (l->line.text.p[at] == ' ' || l->line.text.p[at] == '\t')) at++;
  const bool is_blank = l->has_line && at == l->line.text.n;
  const bool is_used = l->is_used || (is_blank && l->was_used);
  fl_job_ledger(l->job, l->told_to, end - l->told_to, is_used ? FL_L_PARSED : FL_L_SKIPPED,
                is_used ? NULL : "text that nothing is taken from");
  l->told_to = end;
  l->was_used = is_used;
  l->is_used = false;
}

/* ---- outside ---- */

fl_status fl_lines_open(fl_job *job, unsigned codepage, fl_lines *ret_lines, fl_err *err) {
  *ret_lines = (fl_lines){.job = job};
  ret_lines->window = fl_arena_take(job->arena, WINDOW);
  ret_lines->text = fl_arena_take(job->arena, 3 * (size_t)FL_LIMIT_LINE + 4);
  if (!ret_lines->window || !ret_lines->text) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fill(ret_lines, err));
  const size_t n = ret_lines->n < FL_LIMIT_LINE ? ret_lines->n : FL_LIMIT_LINE;
  fl_codepage_init(&ret_lines->page, codepage ? codepage : fl_codepage_guess(ret_lines->window, n));
  return FL_OK;
}

void fl_lines_again(fl_lines *lines) { lines->is_again = true; }
void fl_lines_use(fl_lines *lines) { lines->is_used = true; }

static fl_status read_line(fl_lines *l, fl_err *err) {
  const uint8_t *p = l->window + l->at;
  l->encoding = encoding_at(l->encoding, p, l->n - l->at);
  l->at += mark_length(p, l->n - l->at);
  p = l->window + l->at;
  const size_t most = l->n - l->at < FL_LIMIT_LINE ? l->n - l->at : FL_LIMIT_LINE;
  const size_t room = l->n - l->at;
  size_t end = 0;
  /* One unit beyond the limit may be the line end. */
  const size_t look = room > most ? most + unit_of(l->encoding) : room;
  size_t n = line_length(l->encoding, p, look < room ? look : room, &end);
  const bool is_cut = end == 0 && room > most;
  if (is_cut) n = most;
  l->line = (fl_line){.text = decode(l, p, n),
                      .number = l->line.number + 1,
                      .offset = offset_of(l),
                      .length = (uint32_t)n,
                      .is_cut = is_cut};
  l->at += n + end;
  if (!is_cut) return FL_OK;
  fl_job_note(l->job, FL_NOTE_LIMIT, l->line.offset,
              "limit reached: line %" PRIu64 " has more than %d bytes; the rest of it is left out",
              l->line.number, (int)FL_LIMIT_LINE);
  return skip_rest(l, err);
}

fl_status fl_lines_next(fl_lines *lines, fl_line *ret_line, fl_err *err) {
  if (lines->is_again) {
    lines->is_again = false;
    *ret_line = lines->line;
    return FL_OK;
  }
  tell(lines);
  lines->has_line = false;
  FL_TRY(fill(lines, err));
  if (lines->at == lines->n) return FL_END;
  FL_TRY(read_line(lines, err));
  lines->has_line = true;
  *ret_line = lines->line;
  return FL_OK;
}

/* ---- the head of a source ---- */

static bool is_text_bytes(const uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const uint8_t c = bytes[i];
    const bool is_space = (c >= '\t' && c <= '\r') || c == 0x1a || c == 0x1b;
    if ((c < 0x20 && !is_space) || c == 0x7f) return false;
  }
  return true;
}

fl_str fl_lines_head(const fl_probe *probe, char *room) {
  fl_lines l = {.text = room};
  const uint8_t *p = probe->head;
  size_t n = probe->n_head;
  l.encoding = encoding_at(FL_ENCODING_BYTES, p, n);
  const size_t mark = mark_length(p, n);
  p += mark;
  n -= mark;
  if (l.encoding == FL_ENCODING_BYTES) {
    /* Where the encoding changes, what comes first counts. */
    const uint8_t *zero = n ? memchr(p, 0, n) : NULL;
    if (zero) n = (size_t)(zero - p);
    if (!is_text_bytes(p, n)) return (fl_str){0};
  }
  fl_codepage_init(&l.page, fl_codepage_guess(p, n));
  fl_str text = decode(&l, p, n);
  if (probe->size_bytes > probe->n_head)
    while (text.n > 0 && text.p[text.n - 1] != '\n') text.n--;
  return text;
}

bool fl_lines_take(fl_str *text, fl_str *ret_line) {
  if (text->n == 0) return false;
  const char *end = memchr(text->p, '\n', text->n);
  const size_t n = end ? (size_t)(end - text->p) : text->n;
  size_t n_line = n;
  while (n_line > 0 && text->p[n_line - 1] == '\r') n_line--;
  *ret_line = (fl_str){text->p, n_line};
  text->p += n + (end ? 1 : 0);
  text->n -= n + (end ? 1 : 0);
  return true;
}
