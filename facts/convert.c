/* convert.c - the types of field maps: recorded values become numbers, names and addresses. */
#include <arpa/inet.h>
#include <string.h>

#include "base/arena.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/text.h"
#include "facts/fieldmap.h"

/* Blobs hold a status, a service name, two times: more bytes than this are never looked at. */
enum { BLOB_MAX = 1024 };

static bool give_str(fl_str text, fl_value *ret_value) {
  if (text.n == 0) return false;
  *ret_value = (fl_value){.kind = FL_V_STR, .as.text = text};
  return true;
}

static bool give_uint(uint64_t number, fl_value *ret_value) {
  *ret_value = (fl_value){.kind = FL_V_UINT, .as.natural = number};
  return true;
}

static fl_str from(fl_str s, size_t at) { return (fl_str){s.p + at, s.n - at}; }

static size_t index_of(fl_str s, char c) {
  const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
  return at ? (size_t)(at - s.p) : s.n;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static fl_str trim(fl_str s) {
  while (s.n && is_blank(s.p[0])) s = from(s, 1);
  while (s.n && is_blank(s.p[s.n - 1])) s.n--;
  return s;
}

enum { NO_DIGIT = 16 };
static unsigned digit_of(char c) {
  const unsigned digit = (unsigned)(uint8_t)c - '0', letter = ((uint8_t)c | 0x20u) - 'a';
  return digit < 10 ? digit : letter < 6 ? letter + 10 : NO_DIGIT;
}

static bool is_hex_digit(char c) { return digit_of(c) < NO_DIGIT; }

static fl_str lowered(fl_str s, fl_arena *arena) {
  char *copy = fl_arena_take(arena, s.n + 1);
  if (!copy) return (fl_str){0};
  for (size_t i = 0; i < s.n; i++) copy[i] = fl_lower(s.p[i]);
  return (fl_str){copy, s.n};
}

/* What is a number in one record and text in another stays what it is. */
static bool as_any(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  (void)arena;
  *ret_value = *value;
  return value->kind != FL_V_NULL;
}

/* A lone "-" is how the Security log writes nothing. */
static bool as_str(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = fl_value_text(value, arena);
  return !fl_str_eq(text, FL_STR("-")) && give_str(text, ret_value);
}

static bool as_lower(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return give_str(lowered(trim(fl_value_text(value, arena)), arena), ret_value);
}

static bool as_first_lower(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str text = trim(fl_value_text(value, arena));
  size_t n = 0;
  while (n < text.n &&
         ((fl_lower(text.p[n]) >= 'a' && fl_lower(text.p[n]) <= 'z') || fl_is_digit(text.p[n])))
    n++;
  return give_str(lowered((fl_str){text.p, n}, arena), ret_value);
}

static bool as_host(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str text = trim(fl_value_text(value, arena));
  if (text.n > 1 && text.p[text.n - 1] == '.') text.n--;
  return give_str(lowered(text, arena), ret_value);
}

/* The host in "TERMSRV/srv01.corp.example", the name of a service; a name without class is one. */
static bool as_spn_host(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str text = trim(fl_value_text(value, arena));
  const size_t slash = index_of(text, '/');
  if (slash < text.n) text = from(text, slash + 1);
  text.n = index_of(text, '/'); /* "class/host/domain" */
  text.n = index_of(text, '@');
  const fl_value host = {.kind = FL_V_STR, .as.text = text};
  return as_host(&host, arena, ret_value);
}

/* Negative numbers give their bits: 32 of them when they fit there. */
static bool number_of(const fl_value *value, fl_arena *arena, uint64_t *ret_number) {
  if (value->kind == FL_V_UINT) {
    *ret_number = value->as.natural;
    return true;
  }
  fl_value text = {.kind = FL_V_STR, .as.text = trim(fl_value_text(value, arena))};
  fl_str digits = text.as.text;
  if (digits.n > 2 && memcmp(digits.p, "%%", 2) == 0) digits = from(digits, 2);
  text.as.text = digits;
  if (fl_text_number(digits, ret_number)) return true;
  int64_t number = 0;
  if (!fl_value_number(&text, &number)) return false;
  *ret_number = number < INT32_MIN ? (uint64_t)number : (uint32_t)number;
  return true;
}

bool fl_convert_u32(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint64_t number = 0;
  if (!number_of(value, arena, &number) || number > UINT32_MAX) return false;
  return give_uint(number, ret_value);
}

static bool as_u64(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint64_t number = 0;
  return number_of(value, arena, &number) && give_uint(number, ret_value);
}

static bool as_i64(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  (void)arena;
  int64_t number = 0;
  if (!fl_value_number(value, &number)) return false;
  *ret_value = (fl_value){.kind = FL_V_INT, .as.integer = number};
  return true;
}

static bool as_nonzero(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_value number;
  if (!fl_convert_u32(value, arena, &number) || number.as.natural == 0) return false;
  return give_uint(number.as.natural, ret_value);
}

static bool hex_number(fl_str digits, uint64_t *ret_number) {
  uint64_t number = 0;
  if (digits.n == 0 || digits.n > 16) return false;
  for (size_t i = 0; i < digits.n; i++) {
    if (!is_hex_digit(digits.p[i])) return false;
    number = number << 4 | digit_of(digits.p[i]);
  }
  *ret_number = number;
  return true;
}

static bool as_hex_bare(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  if (value->kind == FL_V_UINT) return give_uint(value->as.natural, ret_value);
  fl_str text = trim(fl_value_text(value, arena));
  if (text.n > 2 && text.p[0] == '0' && fl_lower(text.p[1]) == 'x') text = from(text, 2);
  uint64_t number = 0;
  return hex_number(text, &number) && give_uint(number, ret_value);
}

/* Where "0x" and a digit stand in the text, or its length. */
static size_t find_hex(fl_str text) {
  for (size_t at = 0; at + 2 < text.n; at++)
    if (text.p[at] == '0' && fl_lower(text.p[at + 1]) == 'x' && is_hex_digit(text.p[at + 2]))
      return at;
  return text.n;
}

static bool as_number_in(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  if (value->kind == FL_V_UINT) return give_uint(value->as.natural, ret_value);
  const fl_str text = fl_value_text(value, arena);
  uint64_t number = 0;
  size_t at = find_hex(text), end = at + 2;
  if (at < text.n) {
    while (end < text.n && is_hex_digit(text.p[end])) end++;
    return hex_number((fl_str){text.p + at + 2, end - at - 2}, &number) &&
           give_uint(number, ret_value);
  }
  for (at = 0; at < text.n && !fl_is_digit(text.p[at]);) at++;
  for (end = at; end < text.n && fl_is_digit(text.p[end]);) end++;
  if (!fl_text_number((fl_str){text.p + at, end - at}, &number)) return false;
  if (at == 0 || text.p[at - 1] != '-' || number > INT64_MAX) return give_uint(number, ret_value);
  *ret_value = (fl_value){.kind = FL_V_INT, .as.integer = -(int64_t)number};
  return true;
}

/* "1.2.3.4:5", "[::1]:5", "[1.2.3.4]:5", "::1", "fe80::1%10" into address and port. */
static void split_endpoint(fl_str text, fl_str *ret_ip, fl_str *ret_port) {
  fl_str ip = text, port = {0};
  const size_t colon = index_of(text, ':');
  if (text.n && text.p[0] == '[') {
    const size_t bracket = index_of(text, ']');
    ip = (fl_str){text.p + 1, bracket - 1};
    if (text.n - bracket > 2 && text.p[bracket + 1] == ':') port = from(text, bracket + 2);
  } else if (colon < text.n && index_of(from(text, colon + 1), ':') == text.n - colon - 1) {
    ip = (fl_str){text.p, colon};
    port = from(text, colon + 1);
  }
  ip.n = index_of(ip, '%');
  *ret_ip = ip;
  *ret_port = port;
}

/* One form for each address, so that they join; an unspecified address is none. */
static bool give_address(int family, const uint8_t *bytes, fl_arena *arena, fl_value *ret_value) {
  static const uint8_t none[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
  char text[INET6_ADDRSTRLEN];
  if (family == AF_INET6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
    family = AF_INET;
    bytes += sizeof mapped;
  }
  if (memcmp(bytes, none, family == AF_INET ? 4 : 16) == 0) return false;
  if (!inet_ntop(family, bytes, text, sizeof text)) return false;
  return give_str(fl_arena_str(arena, fl_str_of(text)), ret_value);
}

static bool as_ip(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str ip, port;
  char text[INET6_ADDRSTRLEN] = "";
  uint8_t bytes[16];
  split_endpoint(trim(fl_value_text(value, arena)), &ip, &port);
  if (ip.n == 0 || ip.n >= sizeof text) return false;
  memcpy(text, ip.p, ip.n);
  if (inet_pton(AF_INET, text, bytes) == 1) return give_address(AF_INET, bytes, arena, ret_value);
  if (inet_pton(AF_INET6, text, bytes) == 1) return give_address(AF_INET6, bytes, arena, ret_value);
  return false;
}

static bool as_port(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str ip, port;
  uint64_t number = 0;
  split_endpoint(trim(fl_value_text(value, arena)), &ip, &port);
  if (!fl_text_number(port, &number) || number > UINT16_MAX) return false;
  return give_uint(number, ret_value);
}

/* Bytes of a binary value, which decoding has made hexadecimal text; false when it is none. */
static bool blob_of(const fl_value *value, uint8_t *ret_bytes, size_t *ret_n) {
  if (value->kind != FL_V_STR || value->as.text.n < 2 || value->as.text.n % 2 != 0) return false;
  const fl_str text = value->as.text;
  const size_t n = text.n / 2 < BLOB_MAX ? text.n / 2 : BLOB_MAX;
  for (size_t i = 0; i < n; i++) {
    const unsigned high = digit_of(text.p[2 * i]), low = digit_of(text.p[2 * i + 1]);
    if ((high | low) >= NO_DIGIT) return false;
    ret_bytes[i] = (uint8_t)(high << 4 | low);
  }
  *ret_n = n;
  return true;
}

static bool as_dword_last(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  (void)arena;
  if (value->kind != FL_V_STR || value->as.text.n < 8) return false;
  /* Only the tail matters, however long the blob is. */
  const fl_value tail = {.kind = FL_V_STR, .as.text = from(value->as.text, value->as.text.n - 8)};
  uint8_t bytes[BLOB_MAX];
  size_t n = 0;
  if (value->as.text.n % 2 != 0 || !blob_of(&tail, bytes, &n)) return false;
  fl_rd rd = fl_rd_of(bytes, n);
  return give_uint(fl_status_unmap(fl_rd_u32(&rd)), ret_value);
}

/* The same where it is a status by its form: an error of severity "error", or an NTSTATUS in an
 * HRESULT. Blobs of TermDD can end with other data. */
static bool as_status_last(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_value status;
  if (!as_dword_last(value, arena, &status)) return false;
  const uint64_t top = status.as.natural >> 28;
  if (top != 0x8 && top != 0xc) return false;
  *ret_value = status;
  return true;
}

/* u16 family (2 or 23); IPv4: u16 port, 4 bytes; IPv6: u16 port, u32 flow, 16 bytes. */
static bool as_sockaddr(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint8_t bytes[BLOB_MAX];
  size_t n = 0;
  if (!blob_of(value, bytes, &n)) return false;
  fl_rd rd = fl_rd_of(bytes, n);
  const bool is_v6 = fl_rd_u16(&rd) == 23;
  fl_rd_skip(&rd, is_v6 ? 6 : 2);
  const uint8_t *address = fl_rd_bytes(&rd, is_v6 ? 16 : 4);
  if (!address || (!is_v6 && bytes[0] != 2)) return false;
  return give_address(is_v6 ? AF_INET6 : AF_INET, address, arena, ret_value);
}

static bool as_systemtime(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint8_t bytes[BLOB_MAX];
  char text[FL_SHORT_TEXT_MAX];
  size_t n = 0;
  if (!blob_of(value, bytes, &n) || n < 16) return false;
  const fl_str time = {text, fl_put_systemtime(bytes, text)};
  return give_str(fl_arena_str(arena, time), ret_value);
}

/* Text up to the first NUL. */
static fl_str utf16_of(const fl_value *value, fl_arena *arena) {
  uint8_t bytes[BLOB_MAX];
  size_t n = 0, n_units = 0;
  if (!blob_of(value, bytes, &n)) return (fl_str){0};
  while (n_units < n / 2 && fl_le16(bytes + 2 * n_units) != 0) n_units++;
  char *text = fl_arena_take(arena, 3 * n_units + 1);
  return text ? (fl_str){text, fl_utf16_to_utf8(bytes, n_units, text)} : (fl_str){0};
}

static bool as_utf16(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return give_str(utf16_of(value, arena), ret_value);
}

/* The key of a service: what the binary holds, or what its display name stands for. */
static bool as_service(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str key = utf16_of(value, arena);
  if (key.n) return give_str(key, ret_value);
  static const char *const known[] = {"TermService", NULL};
  const char *meant = fl_localised_name(trim(fl_value_text(value, arena)), known);
  return meant && give_str(fl_str_of(meant), ret_value);
}

/* Schannel's word for the end that it speaks of; one of an unknown language is left out. */
static bool as_side(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  static const char *const known[] = {"server", "client", NULL};
  const char *meant = fl_localised_name(trim(fl_value_text(value, arena)), known);
  return meant && give_str(fl_str_of(meant), ret_value);
}

/* A status at the end of a binary, else what its text stands for. */
static bool as_status(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint32_t code = 0;
  if (as_dword_last(value, arena, ret_value)) return true;
  return fl_localised_status(fl_value_text(value, arena), &code) && give_uint(code, ret_value);
}

static bool as_utf16_key(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = utf16_of(value, arena);
  return give_str((fl_str){text.p, index_of(text, '/')}, ret_value);
}

/* The numbers are those of SERVICE_STATUS; they do not depend on the language of Windows. */
static bool as_utf16_state(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  static const char *const names[8] = {"",        "stopped",    "starting", "stopping",
                                       "running", "continuing", "pausing",  "paused"};
  const fl_str text = utf16_of(value, arena);
  const size_t slash = index_of(text, '/');
  if (text.n - slash != 2 || text.p[slash + 1] < '1' || text.p[slash + 1] > '7') return false;
  return give_str(fl_str_of(names[text.p[slash + 1] - '0']), ret_value);
}

static bool as_thumbprint(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  uint8_t bytes[BLOB_MAX];
  size_t n = 0;
  if (!blob_of(value, bytes, &n) || n != 20) return false;
  char text[2 * 20];
  return give_str(fl_arena_str(arena, (fl_str){text, fl_put_hex_bytes(bytes, n, text)}), ret_value);
}

static bool as_guid(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str text = trim(fl_value_text(value, arena));
  if (text.n == 38 && text.p[0] == '{') text = (fl_str){text.p + 1, 36};
  if (text.n != 36) return false;
  char upper[36];
  for (size_t i = 0; i < 36; i++) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text.p[i] != '-' : !is_hex_digit(text.p[i])) return false;
    upper[i] = (char)(text.p[i] >= 'a' ? text.p[i] - 32 : text.p[i]);
  }
  return give_str(fl_arena_str(arena, (fl_str){upper, 36}), ret_value);
}

static bool as_user(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str text = trim(fl_value_text(value, arena));
  const size_t slash = index_of(text, '\\');
  if (slash < text.n) text = from(text, slash + 1);
  text.n = index_of(text, '@');
  if (text.n == 1 && text.p[0] == '-') return false;
  return give_str(text, ret_value);
}

static bool as_domain(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = trim(fl_value_text(value, arena));
  const size_t slash = index_of(text, '\\'), at = index_of(text, '@');
  if (slash < text.n) return give_str((fl_str){text.p, slash}, ret_value);
  return at < text.n && give_str(from(text, at + 1), ret_value);
}

static bool as_method(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = trim(fl_value_text(value, arena));
  return give_str((fl_str){text.p, index_of(text, '(')}, ret_value);
}

static fl_str in_parentheses(fl_str text) {
  const size_t open = index_of(text, '(');
  if (open == text.n) return (fl_str){0};
  const fl_str inner = from(text, open + 1);
  return (fl_str){inner.p, index_of(inner, ')')};
}

static bool as_detail(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  return give_str(in_parentheses(fl_value_text(value, arena)), ret_value);
}

static bool as_argument(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  fl_str inner = in_parentheses(fl_value_text(value, arena));
  const size_t equals = index_of(inner, '=');
  if (equals < inner.n) inner = from(inner, equals + 1);
  const fl_value number = {.kind = FL_V_STR, .as.text = inner};
  return fl_convert_u32(&number, arena, ret_value);
}

static bool as_kb(const fl_value *value, fl_arena *arena, fl_value *ret_value) {
  const fl_str text = fl_value_text(value, arena);
  for (size_t at = 0; at + 2 < text.n; at++) {
    if (fl_lower(text.p[at]) != 'k' || fl_lower(text.p[at + 1]) != 'b') continue;
    size_t end = at + 2;
    while (end < text.n && fl_is_digit(text.p[end])) end++;
    if (end - at >= 8) return give_str((fl_str){text.p + at, end - at}, ret_value);
  }
  return false;
}

static const struct {
  const char *name;
  fl_convert convert;
} types[] = {{"str", as_str},
             {"any", as_any},
             {"u32", fl_convert_u32},
             {"ip", as_ip},
             {"user", as_user},
             {"port", as_port},
             {"domain", as_domain},
             {"lower", as_lower},
             {"method", as_method},
             {"argument", as_argument},
             {"detail", as_detail},
             {"guid", as_guid},
             {"nonzero", as_nonzero},
             {"u64", as_u64},
             {"i64", as_i64},
             {"number_in", as_number_in},
             {"hex_bare", as_hex_bare},
             {"first_lower", as_first_lower},
             {"host", as_host},
             {"spn_host", as_spn_host},
             {"dword_last", as_dword_last},
             {"status_last", as_status_last},
             {"status", as_status},
             {"side", as_side},
             {"sockaddr", as_sockaddr},
             {"systemtime", as_systemtime},
             {"service", as_service},
             {"utf16", as_utf16},
             {"utf16_key", as_utf16_key},
             {"utf16_state", as_utf16_state},
             {"thumbprint", as_thumbprint},
             {"kb", as_kb},
             {"svchost", fl_convert_svchost},
             {"file", fl_convert_file},
             {"program_in", fl_convert_program_in},
             {"exception_in", fl_convert_exception_in},
             {"filetime_bare", fl_convert_filetime_bare},
             {"systemtime_2", fl_convert_systemtime_2},
             {"hex_2", fl_convert_hex_2},
             {"hex_3", fl_convert_hex_3},
             {"hex_4", fl_convert_hex_4},
             {"hex_5", fl_convert_hex_5}};

fl_convert fl_convert_find(fl_str type) {
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (fl_str_eq(fl_str_of(types[i].name), type)) return types[i].convert;
  return NULL;
}
