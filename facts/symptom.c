/* symptom.c - what a user tells of a failure: codes, or the pasted text of the client's dialog. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "facts/fieldmap.h"
#include "facts/symptom.h"

enum { GUID_TEXT = 36, SYMPTOM_MAX = 64 << 10 };

static bool is_hex_digit(char c) {
  return fl_is_digit(c) || (fl_lower(c) >= 'a' && fl_lower(c) <= 'f');
}

static bool guid_at(fl_str text, size_t at, fl_arena *arena, fl_str *ret_guid) {
  if (text.n - at < GUID_TEXT || (at > 0 && fl_is_word(text.p[at - 1]))) return false;
  const fl_value value = {.kind = FL_V_STR, .as.text = {text.p + at, GUID_TEXT}};
  fl_value guid;
  if (!fl_convert_find(FL_STR("guid"))(&value, arena, &guid)) return false;
  *ret_guid = guid.as.text;
  return true;
}

/* Texts are searched for shapes, not for words: dialogs speak the language of Windows. */
static void find_guid(fl_str text, fl_arena *arena, fl_symptom *symptom) {
  for (size_t at = 0; at + GUID_TEXT <= text.n; at++)
    if (guid_at(text, at, arena, &symptom->activity_id)) return;
}

static void keep_extended(fl_symptom *symptom, uint32_t code) {
  if (symptom->has_extended) return;
  symptom->has_extended = true;
  symptom->extended = code;
}

static void keep_code(fl_symptom *symptom, uint32_t code) {
  if (symptom->has_code) {
    keep_extended(symptom, code);
    return;
  }
  symptom->has_code = true;
  symptom->code = code;
}

void fl_symptom_say(fl_symptom *symptom, fl_arena *arena, fl_str sentence) {
  const bool is_first = symptom->note.n == 0;
  const fl_str both = fl_arena_printf(arena, "%.*s%s%.*s", FL_STR_ARG(symptom->note),
                                      is_first ? "" : " ", FL_STR_ARG(sentence));
  if (both.p) symptom->note = both;
}

static size_t word_end(fl_str text, size_t at) {
  while (at < text.n && fl_is_word(text.p[at])) at++;
  return at;
}

/* `part` is lower case; letters beyond ASCII are compared as they are. */
static bool has_part(fl_str text, const char *part) {
  const size_t n = strlen(part);
  for (size_t at = 0; at + n <= text.n; at++) {
    size_t i = 0;
    while (i < n && fl_lower(text.p[at + i]) == part[i]) i++;
    if (i == n) return true;
  }
  return false;
}

static bool has_any(fl_str text, const char *const *parts) {
  for (; *parts; parts++)
    if (has_part(text, *parts)) return true;
  return false;
}

/* What dialogs call an extended code and any code, as far as words of Windows are known. */
static const char *const extended_words[] = {"extended",
                                             "erweitert",
                                             "tendu",
                                             "extendid",
                                             "ampliad",
                                             "esteso",
                                             "estendid",
                                             "uitgebreid",
                                             "geni\xc5\x9fletil",
                                             "rozszerz",
                                             "ut\xc3\xb6kad",
                                             "\xd1\x80\xd0\xb0\xd1\x81\xd1\x88\xd0\xb8\xd1\x80",
                                             "\xe6\x8b\xa1\xe5\xbc\xb5",
                                             "\xe6\x89\xa9\xe5\xb1\x95",
                                             NULL};
static const char *const error_words[] = {"error",
                                          "code",
                                          "reason",
                                          "fehler",
                                          "grund",
                                          "erreur",
                                          "raison",
                                          "digo",
                                          "errore",
                                          "codice",
                                          "motivo",
                                          "hata",
                                          "kod",
                                          "fout",
                                          "\xd0\xbe\xd1\x88\xd0\xb8\xd0\xb1\xd0\xba",
                                          "\xd0\xba\xd0\xbe\xd0\xb4",
                                          NULL};

/* The line up to `at`, from the end of what was read before. */
static fl_str label_of(fl_str text, size_t at, size_t last) {
  size_t from = at;
  while (from > last && text.p[from - 1] != '\n') from--;
  return (fl_str){text.p + from, at - from};
}

static void keep_labelled(fl_symptom *symptom, fl_str label, uint32_t code) {
  if (has_any(label, extended_words)) keep_extended(symptom, code);
  else keep_code(symptom, code);
}

/* Numbers of the form 0x…, each with the words in front of it. */
static void find_hex_codes(fl_str text, fl_symptom *symptom) {
  size_t last = 0;
  for (size_t at = 0; at + 2 < text.n; at++) {
    const bool is_start = text.p[at] == '0' && fl_lower(text.p[at + 1]) == 'x' &&
                          is_hex_digit(text.p[at + 2]) && (at == 0 || !fl_is_word(text.p[at - 1]));
    if (!is_start) continue;
    const size_t end = word_end(text, at);
    uint64_t number = 0;
    if (fl_text_number((fl_str){text.p + at, end - at}, &number) && number <= UINT32_MAX)
      keep_labelled(symptom, label_of(text, at, last), (uint32_t)number);
    last = end;
    at = end - 1;
  }
}

/* Is this the number of an item: "1)" or "1." at the start of a line? */
static bool is_item(fl_str text, size_t at, size_t end) {
  if (end >= text.n || (text.p[end] != ')' && text.p[end] != '.')) return false;
  while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t')) at--;
  return at == 0 || text.p[at - 1] == '\n' || text.p[at - 1] == '\r';
}

/* The last word of the label is one for error or code, as in "Error code (2308)". */
static bool is_named(fl_str label) {
  while (label.n && strchr(" :#(\t", label.p[label.n - 1])) label.n--;
  size_t from = label.n;
  while (from > 0 && label.p[from - 1] != ' ' && label.p[from - 1] != '\n') from--;
  const fl_str word = {label.p + from, label.n - from};
  return has_any(word, error_words) || has_any(word, extended_words);
}

static bool follows_colon(fl_str text, size_t at) {
  while (at > 0 && text.p[at - 1] == ' ') at--;
  return at > 0 && text.p[at - 1] == ':';
}

/* Decimal numbers that stand alone, right behind a word for error or code; farther behind it, or
 * behind ':' in a language that is not known, only numbers that clients end with. */
static void find_decimal_codes(fl_str text, fl_symptom *symptom) {
  enum { SMALLEST = 256 };
  size_t last = 0;
  for (size_t at = 0; at < text.n; at++) {
    if (!fl_is_digit(text.p[at])) continue;
    const size_t end = word_end(text, at);
    const bool is_alone =
        (at == 0 || (!fl_is_word(text.p[at - 1]) && !strchr("-./=", text.p[at - 1]))) &&
        (end == text.n || !strchr("-/:", text.p[end])) && !is_item(text, at, end);
    const fl_str label = label_of(text, at, last);
    uint64_t number = 0;
    if (is_alone && fl_text_number((fl_str){text.p + at, end - at}, &number) &&
        number <= UINT32_MAX) {
      const bool is_told = has_any(label, error_words) || has_any(label, extended_words);
      const bool is_known =
          number >= SMALLEST && fl_code_find(FL_CODE_DISCONNECT, (uint32_t)number);
      if (is_named(label) || (is_told && follows_colon(text, at)) ||
          (is_known && (is_told || follows_colon(text, at)))) {
        keep_labelled(symptom, label, (uint32_t)number);
        last = end;
      }
    }
    at = end - 1;
  }
}

/* Where no word told: a small extended code in front of a code that clients end with. */
static void put_in_order(fl_symptom *symptom) {
  if (!symptom->has_code || !symptom->has_extended) return;
  if (fl_code_find(FL_CODE_DISCONNECT, symptom->code)) return;
  if (!fl_code_find(FL_CODE_EXTENDED, symptom->code) ||
      !fl_code_find(FL_CODE_DISCONNECT, symptom->extended))
    return;
  const uint32_t code = symptom->extended;
  symptom->extended = symptom->code;
  symptom->code = code;
}

/* Addresses of web pages are full of numbers. */
static void blank_links(char *text, size_t n) {
  for (size_t at = 0; at + 4 <= n; at++) {
    const fl_str rest = {text + at, n - at};
    const bool is_link = (rest.n > 3 && memcmp(rest.p, "://", 3) == 0) ||
                         fl_str_eq_nocase((fl_str){rest.p, 4}, FL_STR("www."));
    if (!is_link) continue;
    while (at < n && text[at] != ' ' && text[at] != '\n' && text[at] != '\r' && text[at] != '\t')
      text[at++] = ' ';
  }
}

typedef enum dialog_kind { DIALOG_PRIMARY, DIALOG_EXTENDED, DIALOG_NONE } dialog_kind;
typedef struct dialog {
  const char *parts; /* with '|' between them */
  dialog_kind kind;
  uint32_t code;
  const char *note;
} dialog;

#define FL_DIALOG(parts, kind, code, note) {parts, DIALOG_##kind, code, note},
static const dialog dialogs[] = {
#include "facts/dialogs.def"
};
#undef FL_DIALOG

static bool fits_dialog(fl_str text, const char *parts) {
  while (*parts) {
    char part[96];
    const char *bar = strchr(parts, '|');
    const size_t n = bar ? (size_t)(bar - parts) : strlen(parts);
    if (n >= sizeof part) return false;
    memcpy(part, parts, n);
    part[n] = 0;
    if (!has_part(text, part)) return false;
    parts += n + (bar != NULL);
  }
  return true;
}

/* A dialog that shows no code is known by its words. */
static void find_dialog(fl_str text, fl_arena *arena, fl_symptom *symptom) {
  for (size_t i = 0; i < sizeof dialogs / sizeof *dialogs; i++) {
    if (!fits_dialog(text, dialogs[i].parts)) continue;
    if (dialogs[i].kind == DIALOG_PRIMARY) keep_code(symptom, dialogs[i].code);
    if (dialogs[i].kind == DIALOG_EXTENDED) keep_extended(symptom, dialogs[i].code);
    if (dialogs[i].kind == DIALOG_NONE) fl_symptom_say(symptom, arena, fl_str_of(dialogs[i].note));
    return;
  }
  fl_symptom_say(symptom, arena, FL_STR("The text given as symptom holds no code that is known."));
}

/* A piece of "CODE[/EXT]": any notation of a code. Where it says itself which of the two it is,
 * that holds; a number of any other kind is neither. */
static bool keep_piece(fl_str piece, fl_symptom *symptom) {
  const fl_code_fact *fact = NULL;
  fl_code_space space = FL_CODE_DISCONNECT;
  fl_str rest;
  fl_status s = FL_OK;
  uint32_t code = 0;
  const bool is_told = fl_code_prefix(piece, &space, &rest) && rest.n > 0;
  const bool is_extended = is_told && (space == FL_CODE_EXTENDED || space == FL_CODE_ERRINFO);
  if (is_told && !is_extended && space != FL_CODE_DISCONNECT) return false;
  (void)fl_code_parse(piece, &fact, 1, &code, &s);
  if (s != FL_OK || symptom->has_extended) return false;
  if (is_extended) keep_extended(symptom, code);
  else keep_code(symptom, code);
  return true;
}

static bool is_separator(char c) {
  return c == '/' || c == ' ' || c == ',' || c == ';' || c == '+' || c == '\t';
}

/* "2308/7", "0x904 7", "ERRINFO_…": at most two codes and nothing else. */
static bool read_pair(fl_str text, fl_symptom *symptom) {
  fl_symptom found = *symptom;
  for (size_t at = 0; at < text.n;) {
    while (at < text.n && is_separator(text.p[at])) at++;
    size_t end = at;
    while (end < text.n && !is_separator(text.p[end])) end++;
    if (end > at && !keep_piece((fl_str){text.p + at, end - at}, &found)) return false;
    at = end;
  }
  if (!found.has_code) return false;
  *symptom = found;
  return true;
}

/* "904" is not 0x904: said, not guessed. */
static void doubt_digits(fl_str text, fl_arena *arena, fl_symptom *symptom) {
  size_t end = 0;
  while (end < text.n && !is_separator(text.p[end])) end++;
  const fl_code_fact *meant = fl_code_meant((fl_str){text.p, end});
  if (!meant || fl_code_find(FL_CODE_DISCONNECT, symptom->code)) return;
  fl_symptom_say(symptom, arena,
                 fl_arena_printf(arena,
                                 "The code %.*s was read as a decimal number, 0x%x; 0x%x is known: "
                                 "was it meant?",
                                 (int)end, text.p, symptom->code, meant->code));
}

/* Three words, or letters beyond ASCII: somebody's words, not a mistyped code. */
static bool is_prose(fl_str text) {
  size_t n_words = 0;
  for (size_t at = 0; at < text.n; at++) {
    if (text.p[at] & 0x80) return true;
    const bool is_letter = fl_lower(text.p[at]) >= 'a' && fl_lower(text.p[at]) <= 'z';
    n_words += is_letter && (at == 0 || text.p[at - 1] == ' ' || text.p[at - 1] == '\n');
  }
  return n_words >= 3;
}

static fl_status read_text(fl_str text, fl_arena *arena, fl_symptom *symptom, fl_err *err) {
  char *copy = fl_arena_alloc(arena, text.n + 1);
  if (!copy) return fl_fail(err, FL_E_NOMEM, 0, "no memory for the symptom");
  memcpy(copy, text.p, text.n);
  find_guid(text, arena, symptom);
  blank_links(copy, text.n);
  fl_symptom_find_time(copy, text.n, arena, symptom);
  const fl_str left = {copy, text.n};
  find_hex_codes(left, symptom);
  if (!symptom->has_code) find_decimal_codes(left, symptom);
  put_in_order(symptom);
  if (!symptom->has_code && !symptom->has_extended) find_dialog(text, arena, symptom);
  return FL_OK;
}

fl_status fl_symptom_parse(fl_str text, fl_arena *arena, fl_symptom *ret_symptom, fl_err *err) {
  if (text.n > SYMPTOM_MAX)
    return fl_fail(err, FL_E_ARG, 0, "symptom of %zu bytes, at most %d are read", text.n,
                   (int)SYMPTOM_MAX);
  fl_symptom symptom = {.text = fl_arena_str(arena, text)};
  if (!symptom.text.p) return fl_fail(err, FL_E_NOMEM, 0, "no memory for the symptom");
  const fl_str own = symptom.text;
  if (read_pair(own, &symptom)) doubt_digits(own, arena, &symptom);
  else FL_TRY(read_text(own, arena, &symptom, err));
  const bool has_any_code = symptom.has_code || symptom.has_extended || symptom.activity_id.n;
  if (!has_any_code && !symptom.time && !is_prose(own))
    return fl_fail(err, FL_E_ARG, 0, "symptom '%.*s' holds no code, expected one such as 0x904/0x7",
                   (int)(own.n < 80 ? own.n : 80), own.p);
  *ret_symptom = symptom;
  return FL_OK;
}
