/* codes.c - the tables of codes: look-up by number and by what people write. */
#include <string.h>

#include "base/text.h"
#include "facts/fieldmap.h"

#define FL_CODE(space, code, symbol, meaning, layer, causes, separate, source) \
  {space, code, symbol, meaning, layer, causes, separate, source},
static const fl_code_fact codes[] = {
#include "facts/codes/all.def"
};
#undef FL_CODE

enum { N_CODES = sizeof codes / sizeof codes[0], SYMBOL_TEXT_MIN = 4, SYMBOL_PART_MIN = 11 };

const char *const fl_code_space_names[FL_CODE_N_SPACES] = {
    [FL_CODE_DISCONNECT] = "disconnect",
    [FL_CODE_EXTENDED] = "extended",
    [FL_CODE_ERRINFO] = "errinfo",
    [FL_CODE_NEG_FAILURE] = "neg_failure",
    [FL_CODE_GATEWAY] = "gateway",
    [FL_CODE_HRESULT] = "hresult",
    [FL_CODE_NTSTATUS] = "ntstatus",
    [FL_CODE_WIN32] = "win32",
    [FL_CODE_TLS_ALERT] = "tls_alert",
    [FL_CODE_RDPCORETS_103] = "rdpcorets_103",
    [FL_CODE_EXCEPTION] = "exception",
    [FL_CODE_FAST_FAIL] = "fast_fail",
    [FL_CODE_BUGCHECK] = "bugcheck",
    [FL_CODE_MISPLACED] = "misplaced",
    [FL_CODE_SCHANNEL_STATE] = "schannel_state",
};

/* What else people call the spaces in front of a number. */
static const struct {
  const char *name;
  fl_code_space space;
} space_aliases[] = {{"primary", FL_CODE_DISCONNECT},
                     {"ext", FL_CODE_EXTENDED},
                     {"negotiation", FL_CODE_NEG_FAILURE},
                     {"tls", FL_CODE_TLS_ALERT},
                     {"alert", FL_CODE_TLS_ALERT},
                     {"winsock", FL_CODE_WIN32},
                     {"rdpcorets103", FL_CODE_RDPCORETS_103},
                     {"103", FL_CODE_RDPCORETS_103},
                     {"schannel", FL_CODE_SCHANNEL_STATE}};

/* The tables stand in the order of fl_code_space, each ascending (a test checks it): the first
 * row that is not below (space, code). */
static size_t lower_bound(unsigned space, uint32_t code) {
  size_t low = 0, high = N_CODES;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const fl_code_fact *fact = &codes[middle];
    const bool is_below = fact->space != space ? fact->space < space : fact->code < code;
    if (is_below) low = middle + 1;
    else high = middle;
  }
  return low;
}

static const fl_code_fact *find_exact(fl_code_space space, uint32_t code) {
  const size_t at = lower_bound(space, code);
  return at < N_CODES && codes[at].space == space && codes[at].code == code ? &codes[at] : NULL;
}

/* Logs of the gateway hold the low 16 bits of E_PROXY_… results. */
static uint32_t gateway_twin(uint32_t code) {
  return code >> 16 == 0x8007 ? code & 0xffff : code | UINT32_C(0x80070000);
}

/* 0xD… holds an NTSTATUS, 0x8007… a Win32 error. */
const fl_code_fact *fl_code_find(fl_code_space space, uint32_t code) {
  const fl_code_fact *fact = find_exact(space, code);
  if (fact) return fact;
  if (space == FL_CODE_WIN32 && code >> 16 == 0x8007) return find_exact(space, code & 0xffff);
  const uint32_t low = code & 0xffff;
  if (space == FL_CODE_NTSTATUS) return find_exact(space, fl_status_unmap(code));
  if (space == FL_CODE_BUGCHECK) return find_exact(space, code & ~UINT32_C(0x10000000));
  if (space == FL_CODE_GATEWAY && low >= 0x59d8 && low <= 0x5a10)
    return find_exact(space, gateway_twin(code));
  return NULL;
}

size_t fl_code_facts(fl_code_space space, const fl_code_fact **ret_facts) {
  const size_t first = lower_bound((unsigned)space, 0);
  *ret_facts = &codes[first];
  return lower_bound((unsigned)space + 1u, 0) - first;
}

/* Meanings of one answer, best first. */
typedef struct answer {
  const fl_code_fact **facts;
  size_t n, cap;
} answer;

static void add(answer *a, const fl_code_fact *fact) {
  if (!fact || a->n == a->cap) return;
  for (size_t i = 0; i < a->n; i++)
    if (a->facts[i] == fact) return;
  a->facts[a->n++] = fact;
}

static void add_number(answer *a, uint32_t code) {
  for (unsigned space = 0; space < FL_CODE_N_SPACES; space++)
    add(a, fl_code_find((fl_code_space)space, code));
}

static bool is_wrapping(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"' || c == '\'' || c == '(' ||
         c == ')' || c == ',' || c == '.' || c == ':' || c == ';';
}

static fl_str unwrap(fl_str s) {
  while (s.n && is_wrapping(s.p[0])) s = (fl_str){s.p + 1, s.n - 1};
  while (s.n && is_wrapping(s.p[s.n - 1])) s.n--;
  return s;
}

static bool is_letter(char c) { return fl_lower(c) >= 'a' && fl_lower(c) <= 'z'; }

/* Eight hexadecimal digits with a letter among them, as logs write a status without "0x". */
static bool bare_hex(fl_str text, uint64_t *ret_number) {
  uint64_t number = 0;
  bool has_letter = false;
  if (text.n != 8) return false;
  for (size_t i = 0; i < 8; i++) {
    const char c = fl_lower(text.p[i]);
    if (!fl_is_digit(c) && !(c >= 'a' && c <= 'f')) return false;
    has_letter = has_letter || is_letter(c);
    number = number << 4 | (uint64_t)(fl_is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  *ret_number = number;
  return has_letter;
}

/* 32 bits; negative decimal numbers and sign-extended 64 bits are codes too. */
static bool read_number(fl_str text, uint32_t *ret_code) {
  uint64_t number = 0;
  const bool is_negative = text.n > 1 && text.p[0] == '-';
  const fl_str digits = is_negative ? (fl_str){text.p + 1, text.n - 1} : text;
  if (!fl_text_number(digits, &number) && !bare_hex(digits, &number)) return false;
  if (is_negative) {
    if (number > UINT32_C(0x80000000)) return false;
    number = UINT64_C(0) - number;
  }
  if (number > UINT32_MAX && number >> 31 != UINT64_C(0x1ffffffff)) return false;
  *ret_code = (uint32_t)number;
  return true;
}

/* How well a name fits a symbol: 3 whole, 2 its end, 1 a part, 0 not. Case and '_' do not count. */
static int symbol_fit(const char *symbol, fl_str text) {
  size_t best_rest = 0;
  int fit = 0;
  for (const char *start = symbol; *start && fit < 2; start++) {
    const char *at = start;
    size_t i = 0;
    while (i < text.n) {
      if (text.p[i] == '_') i++;
      else if (*at == '_') at++;
      else if (*at && fl_lower(*at) == fl_lower(text.p[i])) at++, i++;
      else break;
    }
    if (i < text.n) continue;
    best_rest = strlen(at);
    fit = best_rest ? 1 : start == symbol ? 3 : 2;
  }
  return fit;
}

/* A part must be long: "error", "user" or "connection" are words, not names of codes. */
static void add_symbol(answer *a, fl_str text) {
  const int worst = text.n >= SYMBOL_PART_MIN ? 1 : 3;
  for (int fit = 3; fit >= worst && a->n == 0; fit--)
    for (size_t i = 0; i < N_CODES; i++)
      if (symbol_fit(codes[i].symbol, text) == fit) add(a, &codes[i]);
}

static bool is_symbol_text(fl_str text) {
  if (text.n < SYMBOL_TEXT_MIN || !is_letter(text.p[0])) return false;
  for (size_t i = 0; i < text.n; i++)
    if (!is_letter(text.p[i]) && !fl_is_digit(text.p[i]) && text.p[i] != '_' && text.p[i] != '(' &&
        text.p[i] != ')')
      return false;
  return true;
}

bool fl_code_prefix(fl_str text, fl_code_space *ret_space, fl_str *ret_rest) {
  const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
  if (!colon) return false;
  const fl_str name = unwrap((fl_str){text.p, (size_t)(colon - text.p)});
  *ret_rest = (fl_str){colon + 1, text.n - (size_t)(colon + 1 - text.p)};
  for (unsigned space = 0; space < FL_CODE_N_SPACES; space++) {
    *ret_space = (fl_code_space)space;
    if (fl_str_eq_nocase(name, fl_str_of(fl_code_space_names[space]))) return true;
  }
  for (size_t i = 0; i < sizeof space_aliases / sizeof *space_aliases; i++) {
    *ret_space = space_aliases[i].space;
    if (fl_str_eq_nocase(name, fl_str_of(space_aliases[i].name))) return true;
  }
  return false;
}

static bool begins_with(fl_str text, fl_str start) {
  return text.n >= start.n && fl_str_eq_nocase((fl_str){text.p, start.n}, start);
}

/* HRESULT_FROM_NT(STATUS_…) and HRESULT_FROM_WIN32(ERROR_…), whether the result has a row or not:
 * what is inside has one. */
static bool add_made(answer *a, fl_str text, uint32_t *ret_code) {
  static const fl_str nt = {"HRESULT_FROM_NT(", 16}, win32 = {"HRESULT_FROM_WIN32(", 19};
  const bool is_nt = begins_with(text, nt);
  if (!is_nt && !begins_with(text, win32)) return false;
  const size_t n_start = is_nt ? nt.n : win32.n;
  const fl_code_space space = is_nt ? FL_CODE_NTSTATUS : FL_CODE_WIN32;
  const fl_str inner = unwrap((fl_str){text.p + n_start, text.n - n_start});
  for (size_t i = lower_bound(space, 0); i < N_CODES && codes[i].space == space; i++) {
    if (symbol_fit(codes[i].symbol, inner) != 3) continue;
    *ret_code = codes[i].code | (is_nt ? UINT32_C(0x10000000) : UINT32_C(0x80070000));
    add_number(a, *ret_code);
    return true;
  }
  return false;
}

size_t fl_code_parse(fl_str text, const fl_code_fact **ret_facts, size_t cap, uint32_t *ret_code,
                     fl_status *ret_status) {
  answer a = {.facts = ret_facts, .cap = cap};
  const fl_str whole = text;
  fl_code_space space;
  fl_str rest;
  text = unwrap(text);
  *ret_code = 0;
  *ret_status = FL_OK;
  if (fl_code_prefix(text, &space, &rest) && read_number(unwrap(rest), ret_code)) {
    add(&a, fl_code_find(space, *ret_code));
    return a.n;
  }
  if (add_made(&a, text, ret_code)) return a.n;
  if (read_number(text, ret_code)) {
    add_number(&a, *ret_code);
    return a.n;
  }
  if (is_symbol_text(text)) add_symbol(&a, text);
  if (a.n == 0 && is_symbol_text(whole)) add_symbol(&a, whole);
  if (a.n == 0) *ret_status = FL_E_ARG;
  else *ret_code = a.facts[0]->code;
  return a.n;
}

const fl_code_fact *fl_code_meant(fl_str text) {
  uint64_t number = 0, as_hex = 0;
  text = unwrap(text);
  if (text.n < 2 || text.n > 8 || !fl_text_number(text, &number)) return NULL;
  for (size_t i = 0; i < text.n; i++) {
    if (!fl_is_digit(text.p[i])) return NULL;
    as_hex = as_hex << 4 | (uint64_t)(text.p[i] - '0');
  }
  if (fl_code_find(FL_CODE_DISCONNECT, (uint32_t)number)) return NULL;
  return fl_code_find(FL_CODE_DISCONNECT, (uint32_t)as_hex);
}

/* As sessions and connections end with it: a small number is an extended reason, a large one a
 * status of the kind that its form says. */
const fl_code_fact *fl_code_of_reason(uint32_t code) {
  if (code >> 16 == 0) {
    const fl_code_fact *fact = fl_code_find(FL_CODE_EXTENDED, code);
    return fact ? fact : fl_code_find(FL_CODE_ERRINFO, code);
  }
  return fl_code_of_status(code);
}

const fl_code_fact *fl_code_of_status(uint32_t code) {
  const fl_code_fact *fact = fl_code_find(FL_CODE_NTSTATUS, code);
  if (!fact) fact = fl_code_find(FL_CODE_HRESULT, code);
  return fact || code >> 16 != 0x8007 ? fact : fl_code_find(FL_CODE_WIN32, code);
}
