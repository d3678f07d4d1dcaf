/* value.h - typed values: undecoded bytes as a source holds them, and decoded ones. */
#ifndef FAULTLINE_VALUE_H
#define FAULTLINE_VALUE_H

#include "faultline/core.h"

/* Types of undecoded values. 0x00-0x23 are the BinXML value types of MS-EVEN6 2.2.12 (ETW shares
 * most of them); 0x40 and above are ours. All integers are little endian. */
typedef enum fl_type {
  FL_T_NULL = 0x00,
  FL_T_STR16 = 0x01, /* UTF-16LE, with or without a trailing NUL */
  FL_T_STR8 = 0x02,  /* ANSI of an unknown code page: decoded as Windows-1252 */
  FL_T_I8 = 0x03,
  FL_T_U8 = 0x04,
  FL_T_I16 = 0x05,
  FL_T_U16 = 0x06,
  FL_T_I32 = 0x07,
  FL_T_U32 = 0x08,
  FL_T_I64 = 0x09,
  FL_T_U64 = 0x0a,
  FL_T_F32 = 0x0b,
  FL_T_F64 = 0x0c,
  FL_T_BOOL = 0x0d, /* 4 bytes (1 is accepted): 0 or 1; other numbers occur and stay numbers */
  FL_T_BIN = 0x0e,
  FL_T_GUID = 0x0f,
  FL_T_SIZE = 0x10,       /* 4 or 8 bytes, shown as hexadecimal */
  FL_T_FILETIME = 0x11,   /* 100 ns since 1601-01-01 UTC */
  FL_T_SYSTEMTIME = 0x12, /* 8 x u16: year month weekday day hour minute second ms */
  FL_T_SID = 0x13,
  FL_T_HEX32 = 0x14,
  FL_T_HEX64 = 0x15,
  FL_T_EVTHANDLE = 0x20,
  FL_T_BINXML = 0x21,
  FL_T_EVTXML = 0x23,
  FL_T_UTF8 = 0x40,  /* text that is UTF-8 already: constants of a shape, timeline files */
  FL_T_ARRAY = 0x80, /* flag: items one after the other; strings are NUL separated */
} fl_type;

/* An undecoded value: a window into its batch (or into its shape, for constants). */
typedef struct fl_raw {
  const uint8_t *p;
  uint32_t n;
  uint8_t type; /* fl_type */
  uint8_t flags;
} fl_raw;

/* A decoded value. Strings and lists live in the arena that was given when it was made.
 * Hexadecimal types, GUIDs, SIDs and times decode to their one text form (FL_V_STR): 0x lower
 * case without leading zeros, GUID upper case without braces, S-1-…, RFC 3339 with 7 digits and Z.
 */
typedef enum fl_kind {
  FL_V_NULL,
  FL_V_BOOL,
  FL_V_INT,
  FL_V_UINT,
  FL_V_FLOAT,
  FL_V_STR,
  FL_V_LIST
} fl_kind;

typedef struct fl_value {
  fl_kind kind;
  union {
    bool boolean;
    int64_t integer;  /* FL_V_INT: negative numbers only need it, but any signed type gives it */
    uint64_t natural; /* FL_V_UINT */
    double real;
    fl_str text;
    struct {
      const struct fl_value *items;
      size_t n_items;
    } list;
  } as;
} fl_value;

/* Decodes one value; arrays give FL_V_LIST, binary gives upper-case hex text, BinXML gives its raw
 * hex (parsers resolve it before). Bad lengths never fail: the bytes are given as hex. */
FL_API fl_value fl_raw_decode(fl_raw raw, fl_arena *arena);
/* The one text form; lists are joined with ", ". */
FL_API fl_str fl_raw_text(fl_raw raw, fl_arena *arena);
FL_API fl_str fl_value_text(const fl_value *value, fl_arena *arena);
/* Numbers: any integer, bool, hex or size type, FILETIME as its 64 bits; text "12" or "0x1f" too.
 */
FL_API bool fl_raw_u64(fl_raw raw, uint64_t *ret_number);
FL_API bool fl_value_number(const fl_value *value, int64_t *ret_number);
/* Number of items of an array value (1 for others) and the i-th as a value of its own. */
FL_API size_t fl_raw_count(fl_raw raw);
FL_API fl_raw fl_raw_item(fl_raw raw, size_t index);

/* Times: nanoseconds since 1970-01-01 UTC. */
typedef int64_t fl_time;
enum { FL_TIME_TEXT_MAX = 40 };
#define FL_SECOND INT64_C(1000000000)
/* RFC 3339 UTC with `n_digits` (0, 3, 6, 7 or 9) decimals; returns the length. */
FL_API size_t fl_time_format(fl_time t, int n_digits, char ret_text[FL_TIME_TEXT_MAX]);
/* RFC 3339, with "T" or a blank, any offset, 0-9 decimals; a bare date is midnight UTC. */
FL_API bool fl_time_parse(fl_str text, fl_time *ret_time);
/* "90s", "5m", "2h", "3d", "250ms", also "-2h": nanoseconds. */
FL_API bool fl_duration_parse(fl_str text, int64_t *ret_ns);
/* Short human form of a duration: "0.31 s", "4 min 10 s", "2 h 5 min", "3 d 4 h". */
FL_API fl_str fl_duration_text(int64_t ns, fl_arena *arena);
/* false when FILETIME is 0 or the date lies outside int64 nanoseconds (1677 to 2262). */
FL_API bool fl_time_from_filetime(uint64_t filetime, fl_time *ret_time);

#endif
