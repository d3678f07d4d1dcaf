/* reg_value.h - one registry value on its way from whatever recorded it to a row. */
#ifndef FL_PARSERS_REG_VALUE_H
#define FL_PARSERS_REG_VALUE_H

#include "faultline/event.h"
#include "parsers/parser.h"

/* Types of values: winnt.h. */
typedef enum reg_type {
  REG_NONE,
  REG_SZ,
  REG_EXPAND_SZ,
  REG_BINARY,
  REG_DWORD,
  REG_DWORD_BIG_ENDIAN,
  REG_LINK,
  REG_MULTI_SZ,
  REG_RESOURCE_LIST,
  REG_FULL_RESOURCE_DESCRIPTOR,
  REG_RESOURCE_REQUIREMENTS_LIST,
  REG_QWORD,
  REG_N_TYPES
} reg_type;
extern const char *const reg_type_names[REG_N_TYPES]; /* "REG_NONE", … */
/* By name, "REG_DWORD"; REG_N_TYPES: unknown. */
reg_type reg_type_find(fl_str name);

typedef struct reg_value {
  fl_str key;  /* full, HKLM\…; where a hive's control set is the current one, it is called so */
  fl_str name; /* empty: the default value */
  uint32_t type;
  const uint8_t *data;
  size_t n_data;
  bool is_utf8; /* strings are UTF-8, items of REG_MULTI_SZ end with NUL; else UTF-16LE */
  bool is_type_guessed;
  bool is_deleted; /* the key (without a name) or the value is to be removed */
  bool is_cut;     /* there was more data */
  bool has_time;   /* t: when the key was written last */
  fl_time t;
  uint64_t offset, line; /* line 0: none */
  uint32_t length;
} reg_value;

/* Text of strings, numbers of numbers, binary of the rest (cut, *is_cut set); in the arena. */
fl_raw reg_value_raw(const reg_value *value, fl_arena *arena, bool *is_cut);
/* The root of a key in its one form: of HKEY_LOCAL_MACHINE\… "HKLM". Empty: there is none. */
fl_str reg_key_root(fl_str key);

#endif
