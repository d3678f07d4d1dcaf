/* fieldmap.h - the little language of field maps: "ours=Theirs|Other:type ours=\"text\"". */
#ifndef FL_FACTS_FIELDMAP_H
#define FL_FACTS_FIELDMAP_H

#include "faultline/facts.h"

/* Makes a normalised value of a recorded one; false when it does not hold such a value. The
 * result may point into the input. */
typedef bool (*fl_convert)(const fl_value *value, fl_arena *arena, fl_value *ret_value);

typedef struct fl_map_item {
  fl_str name;        /* ours */
  fl_str theirs;      /* names with '|' between them, or the text of a constant */
  fl_convert convert; /* NULL: a constant */
} fl_map_item;

/* Takes the next item off *map. FL_END when there is none, FL_E_SYNTAX when it cannot be read. */
fl_status fl_map_next(fl_str *map, fl_map_item *ret_item);
/* Takes the next name off *theirs, false at the end. */
bool fl_map_next_name(fl_str *theirs, fl_str *ret_name);

/* How a place of a sentence shows its value: "{name}", "{name:x}"; with the name and meaning of the
 * code that it is, "{name:reason}" of a session's end and "{name:status}". */
typedef enum fl_place_form {
  FL_PLACE_PLAIN,
  FL_PLACE_HEX,
  FL_PLACE_REASON,
  FL_PLACE_STATUS
} fl_place_form;
/* Takes the form off *place. */
fl_place_form fl_place_form_of(fl_str *place);
/* A value as sentences show it: long ones cut, "?" for one that is missing. */
fl_str fl_value_shown(const fl_value *value, fl_place_form form, fl_arena *arena);
/* Equal but for ASCII case and blanks: how names of fields are compared. */
bool fl_field_is(fl_str a, fl_str b);

/* NULL when there is no type of this name. */
fl_convert fl_convert_find(fl_str type);
/* localised.c: what a word of any language of Windows means; `meanings` ends with NULL, and NULL
 * says that none of them is meant. The status that a text speaks of, as HRESULT. */
const char *fl_localised_name(fl_str text, const char *const *meanings);
bool fl_localised_status(fl_str text, uint32_t *ret_code);
/* A number as people write it, at most 32 bits, "%%" in front allowed; negatives are wrapped. */
bool fl_convert_u32(const fl_value *value, fl_arena *arena, fl_value *ret_value);
/* convert_crash.c: what records of crashes hold. */
bool fl_convert_svchost(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_file(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_program_in(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_exception_in(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_filetime_bare(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_systemtime_2(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_hex_2(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_hex_3(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_hex_4(const fl_value *value, fl_arena *arena, fl_value *ret_value);
bool fl_convert_hex_5(const fl_value *value, fl_arena *arena, fl_value *ret_value);
/* Status 0xD… is an NTSTATUS inside an HRESULT: 0xC…. Everything else stays what it is. */
static inline uint32_t fl_status_unmap(uint32_t status) {
  return status >> 28 == 0xd ? status & ~UINT32_C(0x10000000) : status;
}

#endif
