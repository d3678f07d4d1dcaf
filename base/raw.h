/* raw.h - undecoded values for code that formats in place: widths, items, text forms. */
#ifndef FL_BASE_RAW_H
#define FL_BASE_RAW_H

#include "faultline/event.h"

/* Enough for every form that the fl_put_ functions below write, SIDs and binary apart. */
enum { FL_SHORT_TEXT_MAX = 48 };

size_t fl_raw_width(uint8_t type); /* of fixed-size types, else 0 */
double fl_raw_real(fl_raw raw);    /* FL_T_F32 or FL_T_F64 of sound length */
bool fl_raw_is_sound(fl_raw raw);  /* the length fits the type */
/* Strings: one or more NULs at the end are how they end, not what they say. */
static inline fl_raw fl_raw_trim(fl_raw raw) {
  const uint32_t unit = raw.type == FL_T_STR16 || raw.type == FL_T_EVTXML ? 2 : 1;
  raw.n -= raw.n % unit;
  while (raw.n >= unit && raw.p[raw.n - unit] == 0 && raw.p[raw.n - 1] == 0) raw.n -= unit;
  return raw;
}

/* Type and length in one word, for keys of short values: it is theirs alone. */
static inline uint32_t fl_raw_head(fl_raw raw) {
  enum { MOST = 0xffffff };
  return (uint32_t)raw.type << 24 | (raw.n < MOST ? raw.n : MOST);
}

/* The GUID that is recorded as text, in braces or bare; false for any other text and type. */
bool fl_raw_guid(fl_raw raw, uint8_t ret_bytes[16]);
bool fl_column_is_guid(fl_column column);
/* A column's value in its one form: a GUID that is recorded as text becomes one in `room`. */
fl_raw fl_column_raw(fl_column column, fl_raw raw, uint8_t room[16]);

/* Walks the items of an array value. */
typedef struct fl_raw_cursor {
  fl_raw raw;
  uint32_t pos;
} fl_raw_cursor;
bool fl_raw_next(fl_raw_cursor *cursor, fl_raw *ret_item);

/* Each writes the one text form and returns its length. */
size_t fl_put_short(fl_raw raw, char *ret_text); /* GUIDs, times, and all that is hexadecimal */
size_t fl_put_guid(const uint8_t *bytes, char *ret_text);
size_t fl_put_sid(fl_raw raw, char *ret_text); /* needs 32 + 11 characters for each sub-authority */
size_t fl_put_filetime(uint64_t filetime, char *ret_text);
size_t fl_put_systemtime(const uint8_t *bytes, char *ret_text);
size_t fl_put_double(double number, char *ret_text); /* reads back to the same number */
size_t fl_put_hex_bytes(const uint8_t *bytes, size_t n_bytes, char *ret_text);

#endif
