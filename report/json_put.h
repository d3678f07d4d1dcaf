/* json_put.h - JSON values straight into a buffer that has room for them.
 *
 * Each fl_json_put_ function writes at `out` and returns the place behind what it wrote. Forms are
 * those of docs/formats/json.md: integers above 2^53 are text, bytes that are no UTF-8 become
 * U+FFFD, controls are escaped. */
#ifndef FL_REPORT_JSON_PUT_H
#define FL_REPORT_JSON_PUT_H

#include "faultline/value.h"

char *fl_json_put_quoted(fl_str s, char *out); /* room: 6 bytes each and 2 */
char *fl_json_put_natural(uint64_t number, char *out);
char *fl_json_put_hex(uint64_t number, char *out); /* "0x904" */

/* Undecoded values; `scratch` serves the rare types. Items are an array's, without brackets. */
size_t fl_json_raw_room(fl_raw raw);
char *fl_json_put_raw(fl_raw raw, fl_arena *scratch, char *out);
char *fl_json_put_items(fl_raw raw, fl_arena *scratch, char *out);

size_t fl_json_value_room(const fl_value *value);
char *fl_json_put_value(const fl_value *value, char *out);

#endif
