/* text.h - UTF-16 to UTF-8, numbers, escapes: text without locale. */
#ifndef FL_BASE_TEXT_H
#define FL_BASE_TEXT_H

#include "faultline/value.h"

/* UTF-16LE to UTF-8. `ret_text` needs 3 bytes for each unit; lone surrogates become U+FFFD.
 * Returns the length. Stops at nothing: embedded NULs are kept. */
size_t fl_utf16_to_utf8(const uint8_t *bytes, size_t n_units, char *ret_text);
/* Windows-1252 to UTF-8, 3 bytes for each byte. */
size_t fl_cp1252_to_utf8(const uint8_t *bytes, size_t n_bytes, char *ret_text);
/* Next code point of UTF-8 text at *pos (advanced); U+FFFD for bytes that are no UTF-8. */
uint32_t fl_utf8_next(fl_str s, size_t *pos);
/* Encodes one code point, at most 4 bytes. */
size_t fl_utf8_put(uint32_t code_point, char *ret_text);
bool fl_utf8_is_valid(fl_str s);

/* Decimal and hexadecimal without printf; each returns the length, at most 20. */
size_t fl_text_u64(uint64_t number, char *ret_text);
size_t fl_text_i64(int64_t number, char *ret_text);
size_t fl_text_hex(uint64_t number, char *ret_text); /* lower case, no prefix, no zeros in front */

/* For people's eyes: C0, C1, DEL, bidi and zero-width characters and bytes that are no UTF-8 become
 * \xNN or \uNNNN, so that no log can drive a terminal. Newlines and tabs become \n and \t. */
fl_str fl_text_printable(fl_str s, fl_arena *arena);

/* fl_time_format with nine digits for times that are near each other: the date of the last one is
 * kept. Starts zeroed. */
typedef struct fl_day {
  bool is_known;
  int64_t days;
  char text[10];
} fl_day;
size_t fl_time_format_9(fl_time t, fl_day *day, char *ret_text);

static inline bool fl_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline char fl_lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }
/* Decimal or 0x number that fills the whole text. */
bool fl_text_number(fl_str s, uint64_t *ret_number);

#endif
