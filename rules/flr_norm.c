/* flr_norm.c - normal forms of captured values, addresses and networks. */
#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "rules/flr.h"

static fl_str trim(fl_str s) {
  while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
    s.p++;
    s.n--;
  }
  while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
  return s;
}

static size_t count(fl_str s, char c) {
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) n += s.p[i] == c;
  return n;
}

static fl_str until(fl_str s, char c) {
  const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
  return at ? (fl_str){s.p, (size_t)(at - s.p)} : s;
}

/* "[fe80::1%4]:3389", "10.0.0.1:3389", "fe80::1%4": the address alone. */
static fl_str bare_address(fl_str s) {
  s = trim(s);
  if (s.n && s.p[0] == '[') {
    s = until((fl_str){s.p + 1, s.n - 1}, ']');
  } else if (count(s, ':') == 1) {
    s = until(s, ':');
  }
  return until(s, '%');
}

bool fl_address_parse(fl_str text, uint8_t ret_bytes[16]) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char buffer[INET6_ADDRSTRLEN + 1];
  const fl_str s = bare_address(text);
  if (s.n == 0 || s.n >= sizeof buffer || memchr(s.p, '\0', s.n)) return false;
  memcpy(buffer, s.p, s.n);
  buffer[s.n] = '\0';
  if (inet_pton(AF_INET6, buffer, ret_bytes) == 1) return true;
  if (inet_pton(AF_INET, buffer, ret_bytes + 12) != 1) return false;
  memcpy(ret_bytes, mapped, sizeof mapped);
  return true;
}

bool fl_network_parse(fl_str text, fl_network *ret_network) {
  const fl_str address = until(text, '/');
  fl_network network = {.n_bits = 128};
  if (!fl_address_parse(address, network.bytes)) return false;
  const bool is_v4 = count(address, ':') == 0;
  if (address.n < text.n) {
    uint64_t n_bits = 0;
    const fl_str bits = {text.p + address.n + 1, text.n - address.n - 1};
    if (!fl_text_number(bits, &n_bits) || n_bits > (is_v4 ? 32u : 128u)) return false;
    network.n_bits = (unsigned)n_bits + (is_v4 ? 96 : 0);
  }
  *ret_network = network;
  return true;
}

static fl_str fold(fl_str s, bool is_upper, fl_arena *arena) {
  char *out = fl_arena_take(arena, s.n + 1);
  if (!out) return (fl_str){0};
  for (size_t i = 0; i < s.n; i++) {
    const char lower = fl_lower(s.p[i]);
    out[i] = is_upper && lower >= 'a' && lower <= 'z' ? (char)(lower - 32) : lower;
  }
  return (fl_str){out, s.n};
}

static fl_str norm_ip(fl_str s, fl_arena *arena) {
  char text[INET6_ADDRSTRLEN];
  uint8_t bytes[16];
  if (!fl_address_parse(s, bytes)) return fold(trim(s), false, arena);
  bool is_v4 = bytes[10] == 0xff && bytes[11] == 0xff;
  for (int i = 0; i < 10; i++) is_v4 = is_v4 && bytes[i] == 0;
  if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? bytes + 12 : bytes, text, sizeof text))
    return (fl_str){0};
  return fl_arena_str(arena, fl_str_of(text));
}

/* Names unify by their first label; addresses stay whole. */
static fl_str norm_host(fl_str s, fl_arena *arena) {
  uint8_t bytes[16];
  s = trim(s);
  while (s.n > 1 && s.p[0] == '\\') s = (fl_str){s.p + 1, s.n - 1};
  if (fl_address_parse(s, bytes)) return norm_ip(s, arena);
  return fold(until(until(s, ':'), '.'), false, arena);
}

static fl_str norm_user(fl_str s, fl_arena *arena) {
  s = trim(s);
  for (size_t i = s.n; i > 0; i--)
    if (s.p[i - 1] == '\\') {
      s = (fl_str){s.p + i, s.n - i};
      break;
    }
  return fold(until(s, '@'), false, arena);
}

static fl_str norm_guid(fl_str s, fl_arena *arena) {
  s = trim(s);
  if (s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}') s = (fl_str){s.p + 1, s.n - 2};
  return fold(s, true, arena);
}

/* Numbers, however written; negative ones of 32 bits as unsigned. */
static fl_str norm_number(fl_str s, fl_arena *arena) {
  const fl_value value = {.kind = FL_V_STR, .as.text = trim(s)};
  int64_t number = 0;
  char text[24];
  if (!fl_value_number(&value, &number)) return fold(trim(s), false, arena);
  if (number < 0 && number >= INT32_MIN) number = (int64_t)(uint32_t)number;
  return fl_arena_str(arena, (fl_str){text, fl_text_i64(number, text)});
}

fl_str fl_norm_apply(fl_norm norm, fl_str text, fl_arena *arena) {
  switch (norm) {
    case FL_NORM_TEXT:
      return fold(trim(text), false, arena);
    case FL_NORM_IP:
      return norm_ip(text, arena);
    case FL_NORM_HOST:
      return norm_host(text, arena);
    case FL_NORM_USER:
      return norm_user(text, arena);
    case FL_NORM_HEX:
    case FL_NORM_PID:
      return norm_number(text, arena);
    case FL_NORM_GUID:
      return norm_guid(text, arena);
  }
  return (fl_str){0};
}
