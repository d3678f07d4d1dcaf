/* reg_value.c - data of registry values by their types, and roots of keys. */
#include "parsers/reg_value.h"

#include "base/limits.h"
#include "base/text.h"

const char *const reg_type_names[REG_N_TYPES] = {
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
};

reg_type reg_type_find(fl_str name) {
  for (unsigned i = 0; i < REG_N_TYPES; i++)
    if (fl_str_eq(name, fl_str_of(reg_type_names[i]))) return (reg_type)i;
  return REG_N_TYPES;
}

static fl_str text_of(const reg_value *v, fl_arena *arena) {
  if (v->is_utf8) return fl_arena_str(arena, (fl_str){(const char *)v->data, v->n_data});
  const size_t n_units = v->n_data / 2;
  char *text = fl_arena_take(arena, n_units * 3 + 1);
  if (!text) return (fl_str){0};
  return (fl_str){text, fl_utf16_to_utf8(v->data, n_units, text)};
}

/* Up to its first NUL, which is how a string ends; what lies behind it is not shown by Windows. */
static fl_str one_string(fl_str text) {
  const char *end = text.n ? memchr(text.p, 0, text.n) : NULL;
  return end ? (fl_str){text.p, (size_t)(end - text.p)} : text;
}

/* Strings one after the other, with ", " between them. */
static fl_str joined(fl_str text, fl_arena *arena) {
  char *all = fl_arena_take(arena, 2 * text.n + 1);
  size_t n = 0;
  if (!all) return (fl_str){0};
  while (text.n) {
    const fl_str one = one_string(text);
    if (one.n && n) memcpy(all + n, ", ", 2), n += 2;
    if (one.n) memcpy(all + n, one.p, one.n);
    n += one.n;
    const size_t taken = one.n < text.n ? one.n + 1 : one.n;
    text = (fl_str){text.p + taken, text.n - taken};
  }
  return (fl_str){all, n};
}

static fl_raw raw_text(fl_str text) {
  return (fl_raw){(const uint8_t *)text.p, (uint32_t)text.n, text.p ? FL_T_UTF8 : FL_T_NULL, 0};
}

static fl_raw copy_of(const reg_value *v, size_t n, uint8_t type, fl_arena *arena) {
  uint8_t *copy = fl_arena_take(arena, n);
  if (!copy) return (fl_raw){.type = FL_T_NULL};
  if (n) memcpy(copy, v->data, n);
  return (fl_raw){copy, (uint32_t)n, type, 0};
}

static fl_raw binary(const reg_value *v, fl_arena *arena, bool *is_cut) {
  const size_t most = FL_LIMIT_SETTING_BINARY;
  if (v->n_data > most) *is_cut = true;
  return copy_of(v, v->n_data > most ? most : v->n_data, FL_T_BIN, arena);
}

fl_raw reg_value_raw(const reg_value *v, fl_arena *arena, bool *is_cut) {
  switch (v->type) {
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_LINK:
      return raw_text(one_string(text_of(v, arena)));
    case REG_MULTI_SZ:
      return raw_text(joined(text_of(v, arena), arena));
    case REG_DWORD:
      if (v->n_data == 4) return copy_of(v, 4, FL_T_U32, arena);
      break;
    case REG_QWORD:
      if (v->n_data == 8) return copy_of(v, 8, FL_T_U64, arena);
      break;
    case REG_DWORD_BIG_ENDIAN: {
      uint8_t *bytes = v->n_data == 4 ? fl_arena_take(arena, 4) : NULL;
      if (!bytes) break;
      for (size_t i = 0; i < 4; i++) bytes[i] = v->data[3 - i];
      return (fl_raw){bytes, 4, FL_T_U32, 0};
    }
    default:
      break;
  }
  return binary(v, arena, is_cut);
}

fl_str reg_key_root(fl_str key) {
  static const struct {
    const char *root, *unified;
  } roots[] = {
      {"HKEY_LOCAL_MACHINE", "HKLM"},
      {"HKLM:", "HKLM"},
      {"HKLM", "HKLM"},
      {"HKEY_CURRENT_USER", "HKCU"},
      {"HKCU:", "HKCU"},
      {"HKCU", "HKCU"},
      {"HKEY_USERS", "HKU"},
      {"HKU", "HKU"},
      {"HKEY_CLASSES_ROOT", "HKCR"},
      {"HKCR", "HKCR"},
      {"HKEY_CURRENT_CONFIG", "HKCC"},
      {"HKCC", "HKCC"},
  };
  const char *end = key.n ? memchr(key.p, '\\', key.n) : NULL;
  const fl_str root = {key.p, end ? (size_t)(end - key.p) : key.n};
  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
    if (fl_str_eq_nocase(root, fl_str_of(roots[i].root))) return fl_str_of(roots[i].unified);
  return (fl_str){0};
}
