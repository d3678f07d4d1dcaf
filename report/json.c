/* json.c - a streaming JSON writer (RFC 8259): commas, nesting and escapes. */
#include "report/json.h"

#include <math.h>
#include <string.h>

#include "base/raw.h"
#include "base/text.h"
#include "faultline/report.h"

enum { MAX_LEVELS = 64, MAX_VALUE_DEPTH = 16 };
/* Beyond it a double cannot hold every integer, so programs get a string. */
static const uint64_t max_exact = UINT64_C(1) << 53;

static void before_item(fl_json *json) {
  if (json->after_key) {
    json->after_key = false;
    return;
  }
  const uint64_t bit = UINT64_C(1) << (json->depth % MAX_LEVELS);
  if (json->depth > 0 && (json->has_items & bit)) fl_out_write(json->out, ",", 1);
  json->has_items |= bit;
}

static void open_level(fl_json *json, bool is_array) {
  before_item(json);
  json->depth++;
  const uint64_t bit = UINT64_C(1) << (json->depth % MAX_LEVELS);
  json->has_items &= ~bit;
  json->is_array = is_array ? json->is_array | bit : json->is_array & ~bit;
  fl_out_write(json->out, is_array ? "[" : "{", 1);
}

void fl_json_object(fl_json *json) { open_level(json, false); }
void fl_json_array(fl_json *json) { open_level(json, true); }

void fl_json_end(fl_json *json) {
  const uint64_t bit = UINT64_C(1) << (json->depth % MAX_LEVELS);
  fl_out_write(json->out, json->is_array & bit ? "]" : "}", 1);
  json->depth--;
}

/* Characters that drive a terminal or reorder text stay readable as escapes. */
static bool is_active(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
}

static size_t put_escape(uint32_t c, char *text) {
  static const char digits[] = "0123456789abcdef";
  static const char short_forms[] = "btn\0fr";
  text[0] = '\\';
  if (c >= 8 && c <= 13 && short_forms[c - 8]) {
    text[1] = short_forms[c - 8];
    return 2;
  }
  text[1] = 'u';
  for (unsigned i = 0; i < 4; i++) text[2 + i] = digits[c >> (12 - 4 * i) & 15];
  return 6;
}

/* "</" and "<!" are cut in two, so that the text can stand inside an HTML script element. */
static size_t put_char(fl_str s, size_t at, uint32_t c, char *text) {
  const bool opens_tag = c == '<' && at < s.n && (s.p[at] == '/' || s.p[at] == '!');
  if (is_active(c) || opens_tag) return put_escape(c, text);
  size_t n = 0;
  if (c == '"' || c == '\\') text[n++] = '\\';
  return n + fl_utf8_put(c, text + n);
}

static void put_str(fl_out *out, fl_str s) {
  char text[256];
  size_t n = 0;
  text[n++] = '"';
  for (size_t at = 0; at < s.n;) {
    const uint32_t c = fl_utf8_next(s, &at);
    n += put_char(s, at, c, text + n);
    if (n < sizeof text - 8) continue;
    fl_out_write(out, text, n);
    n = 0;
  }
  text[n++] = '"';
  fl_out_write(out, text, n);
}

void fl_report_json_str(fl_str s, fl_out *out) { put_str(out, s); }

void fl_json_key_str(fl_json *json, fl_str name) {
  before_item(json);
  put_str(json->out, name);
  fl_out_write(json->out, ":", 1);
  json->after_key = true;
}

void fl_json_key(fl_json *json, const char *name) { fl_json_key_str(json, fl_str_of(name)); }

void fl_json_str(fl_json *json, fl_str s) {
  before_item(json);
  put_str(json->out, s);
}

void fl_json_str_or_null(fl_json *json, fl_str s) {
  if (s.n) fl_json_str(json, s);
  else fl_json_null(json);
}

void fl_json_text(fl_json *json, const char *c_string) {
  fl_json_str_or_null(json, c_string ? fl_str_of(c_string) : (fl_str){0});
}

static void put_number(fl_json *json, const char *text, size_t n, bool is_exact) {
  before_item(json);
  if (!is_exact) fl_out_write(json->out, "\"", 1);
  fl_out_write(json->out, text, n);
  if (!is_exact) fl_out_write(json->out, "\"", 1);
}

void fl_json_u64(fl_json *json, uint64_t number) {
  char text[24];
  put_number(json, text, fl_text_u64(number, text), number <= max_exact);
}

void fl_json_i64(fl_json *json, int64_t number) {
  char text[24];
  const uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  put_number(json, text, fl_text_i64(number, text), size <= max_exact);
}

void fl_json_bool(fl_json *json, bool truth) {
  before_item(json);
  fl_out_puts(json->out, truth ? "true" : "false");
}

void fl_json_null(fl_json *json) {
  before_item(json);
  fl_out_puts(json->out, "null");
}

void fl_json_hex(fl_json *json, uint64_t number) {
  char text[24] = "\"0x";
  size_t n = 3 + fl_text_hex(number, text + 3);
  text[n++] = '"';
  before_item(json);
  fl_out_write(json->out, text, n);
}

void fl_json_time(fl_json *json, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  if (t == 0) fl_json_null(json);
  else fl_json_str(json, (fl_str){text, fl_time_format(t, 9, text)});
}

static void put_real(fl_json *json, double real) {
  char text[FL_SHORT_TEXT_MAX];
  put_number(json, text, fl_put_double(real, text), isfinite(real));
}

static void put_value(fl_json *json, const fl_value *value, int depth) {
  switch (value->kind) {
    case FL_V_NULL:
      fl_json_null(json);
      return;
    case FL_V_BOOL:
      fl_json_bool(json, value->as.boolean);
      return;
    case FL_V_INT:
      fl_json_i64(json, value->as.integer);
      return;
    case FL_V_UINT:
      fl_json_u64(json, value->as.natural);
      return;
    case FL_V_FLOAT:
      put_real(json, value->as.real);
      return;
    case FL_V_STR:
      fl_json_str(json, value->as.text);
      return;
    case FL_V_LIST:
      break;
  }
  fl_json_array(json);
  for (size_t i = 0; depth < MAX_VALUE_DEPTH && i < value->as.list.n_items; i++)
    put_value(json, &value->as.list.items[i], depth + 1);
  fl_json_end(json);
}

void fl_json_value(fl_json *json, const fl_value *value) { put_value(json, value, 0); }

void fl_json_list(fl_json *json, const char *text, char separator) {
  fl_json_array(json);
  for (const char *at = text ? text : ""; *at;) {
    const char *end = strchr(at, separator);
    if (!end) end = at + strlen(at);
    const char *first = at, *last = end;
    while (first < last && *first == ' ') first++;
    while (last > first && last[-1] == ' ') last--;
    if (first < last) fl_json_str(json, (fl_str){first, (size_t)(last - first)});
    at = *end ? end + 1 : end;
  }
  fl_json_end(json);
}

void fl_json_line_end(fl_json *json) {
  fl_out_write(json->out, "\n", 1);
  json->has_items = 0;
}
