/* xml_put.c - text and names of XML, escaped so that any input stays well-formed. */
#include "report/xml_put.h"

#include <string.h>

#include "base/text.h"

static bool is_forbidden(uint32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c & 0xfffe) == 0xfffe ||
         (c >= 0xd800 && c < 0xe000);
}

/* XML 1.0 has no form for most controls: they become U+FFFD. Line ends and tabs, which an attribute
 * would lose, and what could drive a terminal or reorder text become character references. */
void fl_xml_put_char(fl_out *out, uint32_t c) {
  char text[4];
  const bool is_reference = c == '\t' || c == '\n' || c == '\r' || (c >= 0x7f && c < 0xa0) ||
                            c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
                            (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
                            c == 0xfeff;
  if (c == '&') fl_out_puts(out, "&amp;");
  else if (c == '<') fl_out_puts(out, "&lt;");
  else if (c == '>') fl_out_puts(out, "&gt;");
  else if (c == '"') fl_out_puts(out, "&quot;");
  else if (is_reference) fl_out_printf(out, "&#x%x;", (unsigned)c);
  else if (is_forbidden(c)) fl_out_write(out, text, fl_utf8_put(0xfffd, text));
  else fl_out_write(out, text, fl_utf8_put(c, text));
}

/* Leading characters that stand for themselves. */
static size_t count_plain(const char *text, size_t n) {
  size_t i = 0;
  for (; i < n; i++) {
    const uint8_t c = (uint8_t)text[i];
    if (c < 0x20 || c >= 0x7f || c == '&' || c == '<' || c == '>' || c == '"') break;
  }
  return i;
}

void fl_xml_put_text(fl_out *out, fl_str s) {
  for (size_t at = 0; at < s.n;) {
    const size_t n_plain = count_plain(s.p + at, s.n - at);
    fl_out_write(out, s.p + at, n_plain);
    at += n_plain;
    if (at < s.n) fl_xml_put_char(out, fl_utf8_next(s, &at));
  }
}

void fl_xml_put_entity(fl_out *out, fl_str name) {
  static const char *const known[] = {"amp", "lt", "gt", "quot", "apos"};
  bool is_known = false;
  for (size_t i = 0; i < sizeof known / sizeof *known && !is_known; i++)
    is_known = fl_str_eq(name, fl_str_of(known[i]));
  fl_out_puts(out, is_known ? "&" : "&amp;");
  fl_xml_put_text(out, name);
  fl_out_puts(out, ";");
}

void fl_xml_put_instruction(fl_out *out, fl_str text) {
  const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
  const size_t n_target = blank ? (size_t)(blank - text.p) : text.n;
  const fl_str target = {text.p, n_target};
  uint32_t before = 0;
  char bytes[4];
  fl_out_puts(out, fl_str_eq_nocase(target, FL_STR("xml")) ? "<?_" : "<?");
  fl_xml_put_name(out, target, false);
  for (size_t at = n_target; at < text.n;) {
    uint32_t c = fl_utf8_next(text, &at);
    if (c == '>' && before == '?') fl_out_puts(out, " ");
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
    if (is_forbidden(c)) c = 0xfffd;
    fl_out_write(out, bytes, fl_utf8_put(c, bytes));
    before = c;
  }
  fl_out_puts(out, "?>");
}

/* Letters that every edition of XML 1.0 takes, and of them the scripts that names may be in. */
static bool is_letter(uint32_t c) {
  static const uint16_t ranges[][2] = {
      {'A', 'Z'},     {'a', 'z'},       {0xc0, 0xd6},     {0xd8, 0xf6},     {0xf8, 0x131},
      {0x134, 0x13e}, {0x141, 0x148},   {0x14a, 0x17e},   {0x3a3, 0x3ce},   {0x401, 0x40c},
      {0x40e, 0x44f}, {0x3041, 0x3094}, {0x30a1, 0x30fa}, {0x4e00, 0x9fa5}, {0xac00, 0xd7a3}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
  return c == '_';
}

static bool is_name_char(uint32_t c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

fl_str fl_xml_prefix(fl_str name) {
  const char *colon = name.n ? memchr(name.p, ':', name.n) : NULL;
  const size_t n = colon ? (size_t)(colon - name.p) : 0;
  size_t first = n + 1;
  if (n == 0 || first >= name.n || memchr(colon + 1, ':', name.n - first)) return (fl_str){0};
  return is_letter(fl_utf8_next(name, &first)) ? (fl_str){name.p, n} : (fl_str){0};
}

/* The names of nearly all records. */
static bool is_plain_name(fl_str name) {
  for (size_t i = 0; i < name.n; i++) {
    const char c = name.p[i];
    const bool is_first = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_first && (i == 0 || !(fl_is_digit(c) || c == '-' || c == '.'))) return false;
  }
  return name.n > 0;
}

void fl_xml_put_name(fl_out *out, fl_str name, bool has_prefix) {
  char bytes[4];
  if (is_plain_name(name)) {
    fl_out_write(out, name.p, name.n);
    return;
  }
  size_t first = 0;
  if (name.n == 0 || !is_letter(fl_utf8_next(name, &first))) fl_out_write(out, "_", 1);
  for (size_t at = 0; at < name.n;) {
    const uint32_t c = fl_utf8_next(name, &at);
    const bool is_kept = is_name_char(c) || (c == ':' && has_prefix);
    fl_out_write(out, bytes, fl_utf8_put(is_kept ? c : '_', bytes));
  }
}
