/* json.h - a streaming JSON writer: commas, nesting and escapes are its business. */
#ifndef FL_REPORT_JSON_H
#define FL_REPORT_JSON_H

#include "faultline/value.h"

/* Lives on the stack; writes to an fl_out that the caller owns. At most 64 levels. */
typedef struct fl_json {
  fl_out *out;
  uint64_t has_items; /* one bit a level */
  uint64_t is_array;
  unsigned depth;
  bool after_key;
} fl_json;

static inline fl_json fl_json_of(fl_out *out) { return (fl_json){.out = out}; }
void fl_json_object(fl_json *json);
void fl_json_array(fl_json *json);
void fl_json_end(fl_json *json); /* closes the innermost object or array */
void fl_json_key(fl_json *json, const char *name);
void fl_json_key_str(fl_json *json, fl_str name);

void fl_json_str(fl_json *json, fl_str s);
void fl_json_str_or_null(fl_json *json, fl_str s);      /* empty gives null */
void fl_json_text(fl_json *json, const char *c_string); /* NULL and "" give null */
void fl_json_u64(fl_json *json, uint64_t number);
void fl_json_i64(fl_json *json, int64_t number);
void fl_json_bool(fl_json *json, bool truth);
void fl_json_null(fl_json *json);
void fl_json_hex(fl_json *json, uint64_t number); /* "0x904" */
void fl_json_time(fl_json *json, fl_time t);      /* 0 gives null */
void fl_json_value(fl_json *json, const fl_value *value);
/* The items of a text with separators, blanks trimmed, empty ones left out. */
void fl_json_list(fl_json *json, const char *c_string, char separator);
void fl_json_line_end(fl_json *json);

#endif
