/* hive_regf.c - the child's part of reading a hive: libregf walks the trees that matter. */
#include <libbfio.h>
#include <libregf.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "parsers/hive_ask.h"

typedef enum hive_kind { SYSTEM, SOFTWARE, NTUSER, N_KINDS } hive_kind;

typedef struct tree {
  hive_kind kind;
  const char *path;
  unsigned depth;
  const char *names;
} tree;
static const tree trees[] = {
#define FL_TREE(kind, path, depth, names) {kind, path, depth, names},
#include "parsers/hive_trees.def"
#undef FL_TREE
};

/* A hive that was saved from the middle of the registry: what its root holds tells what it is. */
typedef struct mount {
  const char *child, *key;
} mount;
static const mount mounts[] = {
    {"WinStations", "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server"},
    {"MSV1_0", "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa"},
    {"KeyExchangeAlgorithms",
     "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL"},
};

typedef struct walk {
  hive_question hive;
  libregf_file_t *file;
  uint8_t *answer; /* borrowed */
  size_t n, cap;
  unsigned n_keys;
  uint32_t n_lost; /* of what is being listed */
  bool is_full;
  const tree *tree;
} walk;

/* ---- the answer ---- */

static void put_bytes(walk *w, const void *bytes, size_t n_bytes) {
  if (n_bytes) memcpy(w->answer + w->n, bytes, n_bytes);
  w->n += n_bytes;
}
static void put_u32(walk *w, uint32_t number) { put_bytes(w, &number, sizeof number); }
static void put_u64(walk *w, uint64_t number) { put_bytes(w, &number, sizeof number); }
static void put_text(walk *w, fl_str text) {
  put_u32(w, (uint32_t)text.n);
  put_bytes(w, text.p, text.n);
}

/* Room for an item of so many bytes; one byte is kept to say that there was more. */
static bool begin_item(walk *w, char tag, size_t n_bytes) {
  enum { HEADS = 64 };
  if (w->is_full) return false;
  w->is_full = n_bytes > w->cap - 1 - HEADS || w->n > w->cap - 1 - HEADS - n_bytes;
  if (w->is_full) tag = HIVE_CUT;
  put_bytes(w, &tag, 1);
  return !w->is_full;
}

/* The library says where a cell's content begins. In front of it stands its i32 size, negative
 * while it is in use. */
static void put_place(walk *w, off64_t offset) {
  enum { SIZE = 4 };
  const size_t n = w->hive.n_bytes;
  const bool is_in = offset >= SIZE && offset < HIVE_NO_PLACE && (uint64_t)offset <= n;
  offset -= SIZE;
  uint32_t size = 0;
  if (is_in) {
    memcpy(&size, w->hive.bytes + offset, sizeof size);
    size = 0u - size;
  }
  put_u32(w, is_in ? (uint32_t)offset : HIVE_NO_PLACE);
  put_u32(w, is_in && size <= n - (size_t)offset ? size : 0);
}

/* The library's own words: its last line says what went wrong deepest down. */
static fl_str words_of(libregf_error_t *error, char *room, size_t cap) {
  room[0] = 0;
  if (error) libregf_error_backtrace_sprint(error, room, cap);
  room[cap - 1] = 0;
  fl_str text = fl_str_of(room);
  while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '.')) text.n--;
  const char *line = text.n ? memrchr(text.p, '\n', text.n) : NULL;
  return line ? (fl_str){line + 1, text.n - (size_t)(line + 1 - text.p)} : text;
}

static void tell_damage(walk *w, hive_damage what, off64_t offset, fl_str path) {
  if (!begin_item(w, HIVE_DAMAGE, path.n)) return;
  put_u32(w, (uint32_t)what);
  put_place(w, offset);
  put_u32(w, w->n_lost);
  put_text(w, path);
  w->n_lost = 0;
}

/* ---- names and values; each text is malloc's ---- */

/* Without the NUL at its end. p NULL: none to be had. */
static fl_str key_name(libregf_key_t *key) {
  size_t n = 0;
  if (libregf_key_get_utf8_name_size(key, &n, NULL) != 1 || n == 0 || n > FL_LIMIT_HIVE_NAME)
    return (fl_str){0};
  char *text = malloc(n);
  if (text && libregf_key_get_utf8_name(key, (uint8_t *)text, n, NULL) == 1)
    return (fl_str){text, n - 1};
  free(text);
  return (fl_str){0};
}

/* The default value has no name. */
static bool value_name(libregf_value_t *value, fl_str *ret_name) {
  size_t n = 0;
  *ret_name = (fl_str){0};
  if (libregf_value_get_utf8_name_size(value, &n, NULL) != 1 || n <= 1) return true;
  if (n > FL_LIMIT_HIVE_NAME) return false;
  char *text = malloc(n);
  if (text && libregf_value_get_utf8_name(value, (uint8_t *)text, n, NULL) == 1) {
    *ret_name = (fl_str){text, n - 1};
    return true;
  }
  free(text);
  return false;
}

static bool value_data(libregf_value_t *value, size_t *ret_n_recorded, fl_str *ret_data) {
  size_t n = 0;
  *ret_data = (fl_str){0};
  if (libregf_value_get_value_data_size(value, &n, NULL) != 1) return false;
  *ret_n_recorded = n;
  if (n == 0 || n > FL_LIMIT_HIVE_VALUE) return true;
  char *bytes = malloc(n);
  if (bytes && libregf_value_get_value_data(value, (uint8_t *)bytes, n, NULL) == 1) {
    *ret_data = (fl_str){bytes, n};
    return true;
  }
  free(bytes);
  return false;
}

static bool is_wanted(const walk *w, fl_str name) {
  const char *names = w->tree ? w->tree->names : "";
  if (!*names) return true;
  for (const char *at = names + 1; *at;) {
    const size_t n = strcspn(at, ",");
    if (fl_str_eq_nocase((fl_str){at, n}, name)) return true;
    at += n + (at[n] == ',');
  }
  return false;
}

/* false: it cannot be read. */
static bool put_value(walk *w, libregf_value_t *value, fl_str name) {
  off64_t offset = -1;
  uint32_t type = 0;
  size_t n_recorded = 0;
  fl_str data;
  if (libregf_value_get_offset(value, &offset, NULL) != 1) offset = -1;
  if (libregf_value_get_value_type(value, &type, NULL) != 1) return false;
  if (!value_data(value, &n_recorded, &data)) return false;
  if (begin_item(w, HIVE_VALUE, name.n + data.n)) {
    put_u32(w, type);
    put_place(w, offset);
    put_u32(w, (uint32_t)n_recorded);
    put_text(w, name);
    put_text(w, data);
  }
  free((void *)data.p);
  return true;
}

static bool read_value(walk *w, libregf_key_t *key, int index) {
  libregf_value_t *value = NULL;
  fl_str name;
  if (libregf_key_get_value(key, index, &value, NULL) != 1) return false;
  bool is_read = value_name(value, &name);
  if (is_read && is_wanted(w, name)) is_read = put_value(w, value, name);
  free((void *)name.p);
  libregf_value_free(&value, NULL);
  return is_read;
}

/* What the key itself counts but the library does not find, which then says nothing of it. Of the
 * key: at 20 u32 keys below it, at 36 u32 values. */
static uint32_t count_lost(const walk *w, off64_t offset, size_t at, int n_found) {
  enum { KEY_HEADER = 76, MOST = 1 << 20 };
  uint32_t n = 0;
  const bool is_in = offset >= 0 && w->hive.n_bytes >= KEY_HEADER &&
                     (uint64_t)offset <= w->hive.n_bytes - KEY_HEADER;
  if (is_in) memcpy(&n, w->hive.bytes + offset + at, sizeof n);
  if (n_found < 0) n_found = 0;
  return n <= MOST && n > (uint32_t)n_found ? n - (uint32_t)n_found : 0;
}

static void put_values(walk *w, libregf_key_t *key, off64_t offset, fl_str path) {
  int n = 0;
  if (libregf_key_get_number_of_values(key, &n, NULL) != 1) n = -1;
  const uint32_t n_missing = count_lost(w, offset, 36, n);
  if (n > FL_LIMIT_HIVE_VALUES) {
    n = FL_LIMIT_HIVE_VALUES;
    tell_damage(w, HIVE_MANY_VALUES, offset, path);
  }
  w->n_lost = n_missing;
  for (int i = 0; i < n && !w->is_full; i++) w->n_lost += !read_value(w, key, i);
  if (w->n_lost) tell_damage(w, HIVE_LOST_VALUES, offset, path);
}

/* ---- keys ---- */

static off64_t key_offset(libregf_key_t *key) {
  off64_t offset = -1;
  return libregf_key_get_offset(key, &offset, NULL) == 1 ? offset : -1;
}

static void put_key(walk *w, libregf_key_t *key, fl_str path) {
  uint64_t filetime = 0;
  const off64_t offset = key_offset(key);
  if (libregf_key_get_last_written_time(key, &filetime, NULL) != 1) filetime = 0;
  if (!begin_item(w, HIVE_KEY, path.n)) return;
  put_u64(w, filetime);
  put_place(w, offset);
  put_text(w, path);
  put_values(w, key, offset, path);
}

static fl_str join(fl_str path, fl_str name) {
  char *text = path.n + name.n < FL_LIMIT_HIVE_PATH ? malloc(path.n + name.n + 2) : NULL;
  if (!text) return (fl_str){0};
  if (path.n) memcpy(text, path.p, path.n);
  text[path.n] = '\\';
  memcpy(text + path.n + 1, name.p, name.n);
  return (fl_str){text, path.n + 1 + name.n};
}

static void walk_key(walk *w, libregf_key_t *key, fl_str path, unsigned depth);

static void walk_child(walk *w, libregf_key_t *child, fl_str path, unsigned depth) {
  const fl_str name = key_name(child);
  const fl_str below = name.p ? join(path, name) : (fl_str){0};
  if (below.p) walk_key(w, child, below, depth);
  free((void *)name.p);
  free((void *)below.p);
}

/* Depth and number of keys are bounded, so a tree that leads back into itself ends. */
static void walk_key(walk *w, libregf_key_t *key, fl_str path, unsigned depth) {
  int n = 0;
  if (++w->n_keys > FL_LIMIT_HIVE_KEYS) {
    (void)begin_item(w, HIVE_CUT, w->cap);
    return;
  }
  put_key(w, key, path);
  if (libregf_key_get_number_of_sub_keys(key, &n, NULL) != 1) n = -1;
  uint32_t n_lost = depth != 0 ? count_lost(w, key_offset(key), 20, n) : 0;
  for (int i = 0; depth != 0 && i < n && !w->is_full; i++) {
    libregf_key_t *child = NULL;
    if (libregf_key_get_sub_key(key, i, &child, NULL) != 1) {
      n_lost++;
      continue;
    }
    walk_child(w, child, path, depth - 1);
    libregf_key_free(&child, NULL);
  }
  w->n_lost = n_lost;
  if (n_lost) tell_damage(w, HIVE_LOST_KEYS, key_offset(key), path);
}

/* NULL: there is none, or (*ret_is_lost, where it is asked for) that cannot be told. */
static libregf_key_t *sub_key(libregf_key_t *key, const char *path, bool *ret_is_lost) {
  libregf_key_t *found = NULL;
  const int n =
      libregf_key_get_sub_key_by_utf8_path(key, (const uint8_t *)path, strlen(path), &found, NULL);
  if (ret_is_lost) *ret_is_lost = n < 0;
  return n == 1 ? found : NULL;
}

static bool has_key(libregf_key_t *key, const char *path) {
  libregf_key_t *found = sub_key(key, path, NULL);
  if (!found) return false;
  libregf_key_free(&found, NULL);
  return true;
}

/* ---- hives ---- */

static void walk_tree(walk *w, libregf_key_t *from, const char *top, const tree *t) {
  const char *path = t->path[0] == ':' ? t->path + 1 : t->path;
  bool is_lost = false;
  libregf_key_t *key = sub_key(from, path, &is_lost);
  const fl_str full = join(fl_str_of(top), fl_str_of(path));
  w->tree = t;
  if (key && full.p) walk_key(w, key, full, t->depth);
  if (is_lost && full.p) tell_damage(w, HIVE_LOST_TREE, -1, full);
  free((void *)full.p);
  if (key) libregf_key_free(&key, NULL);
}

static void walk_trees(walk *w, hive_kind kind, libregf_key_t *from, const char *top) {
  for (size_t i = 0; i < sizeof trees / sizeof *trees && !w->is_full; i++)
    if (trees[i].kind == kind && trees[i].path[0] != ':') walk_tree(w, from, top, &trees[i]);
}

/* Select\Current says which control set is the current one; 1 where it says nothing sensible. */
static uint32_t current_set(libregf_key_t *root) {
  uint32_t number = 0;
  uint8_t bytes[4] = {0};
  libregf_value_t *value = NULL;
  libregf_key_t *select = sub_key(root, "Select", NULL);
  if (select && libregf_key_get_value_by_utf8_name(select, (const uint8_t *)"Current", 7, &value,
                                                   NULL) == 1) {
    size_t n = 0;
    if (libregf_value_get_value_data_size(value, &n, NULL) == 1 && n == sizeof bytes &&
        libregf_value_get_value_data(value, bytes, n, NULL) == 1)
      memcpy(&number, bytes, sizeof number);
    libregf_value_free(&value, NULL);
  }
  if (select) libregf_key_free(&select, NULL);
  return number >= 1 && number <= 999 ? number : 1;
}

static void walk_system(walk *w, libregf_key_t *root) {
  char name[32] = "ControlSet000";
  const uint32_t number = current_set(root);
  name[10] = (char)('0' + number / 100);
  name[11] = (char)('0' + number / 10 % 10);
  name[12] = (char)('0' + number % 10);
  libregf_key_t *set = sub_key(root, name, NULL);
  if (set) walk_trees(w, SYSTEM, set, "HKLM\\SYSTEM\\CurrentControlSet");
  if (set) libregf_key_free(&set, NULL);
  walk_tree(w, root, "HKLM\\SYSTEM", &trees[0]);
}

/* What the root holds tells which hive it is: names of files do not last. */
static void walk_root(walk *w, libregf_key_t *root) {
  static const tree all = {.names = ""};
  if (has_key(root, "Select")) {
    walk_system(w, root);
    return;
  }
  if (has_key(root, "Microsoft\\Windows NT\\CurrentVersion")) {
    walk_trees(w, SOFTWARE, root, "HKLM\\SOFTWARE");
    return;
  }
  if (has_key(root, "Software\\Microsoft")) {
    walk_trees(w, NTUSER, root, "HKCU");
    return;
  }
  w->tree = &all;
  for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++)
    if (has_key(root, mounts[i].child)) {
      walk_key(w, root, fl_str_of(mounts[i].key), FL_LIMIT_HIVE_DEPTH);
      return;
    }
}

static fl_status fail_with(libregf_error_t *error, const char *what, fl_err *err) {
  char room[900];
  const fl_str text = words_of(error, room, sizeof room);
  libregf_error_free(&error);
  return fl_fail(err, FL_E_CORRUPT, 0, "%s: %.*s", what, FL_STR_ARG(text));
}

static fl_status read_file(walk *w, libbfio_handle_t *range, fl_err *err) {
  libregf_error_t *error = NULL;
  libregf_key_t *root = NULL;
  if (libregf_file_open_file_io_handle(w->file, range, LIBREGF_OPEN_READ, &error) != 1)
    return fail_with(error, "cannot open it", err);
  if (libregf_file_get_root_key(w->file, &root, &error) != 1)
    return fail_with(error, "cannot read its root key", err);
  walk_root(w, root);
  libregf_key_free(&root, NULL);
  libregf_file_close(w->file, NULL);
  return FL_OK;
}

static void mend(walk *w) {
  size_t first = 0;
  uint8_t *copy = NULL;
  w->n_lost = (uint32_t)hive_bad_pages(&w->hive, &first);
  if (w->n_lost == 0) return;
  tell_damage(w, HIVE_LOST_PAGES, (off64_t)first + 4, FL_STR(""));
  if (!(copy = malloc(w->hive.n_bytes))) return;
  memcpy(copy, w->hive.bytes, w->hive.n_bytes);
  w->hive = (hive_question){copy, hive_mend(copy, w->hive.n_bytes)}; /* the child's end frees it */
}

static fl_status read_hive(walk *w, fl_err *err) {
  mend(w);
  libbfio_handle_t *range = NULL;
  const bool is_ready =
      libbfio_memory_range_initialize(&range, NULL) == 1 &&
      libbfio_memory_range_set(range, (uint8_t *)w->hive.bytes, w->hive.n_bytes, NULL) == 1 &&
      libregf_file_initialize(&w->file, NULL) == 1;
  const fl_status s =
      is_ready ? read_file(w, range, err) : fl_fail(err, FL_E_CORRUPT, 0, "no memory");
  if (w->file) libregf_file_free(&w->file, NULL);
  if (range) libbfio_handle_free(&range, NULL);
  return s;
}

fl_status hive_answer(const uint8_t *question, size_t n_question, uint8_t *ret_answer,
                      size_t *n_answer) {
  fl_err err = {0};
  walk w = {.answer = ret_answer, .cap = *n_answer};
  if (n_question == sizeof w.hive) memcpy(&w.hive, question, sizeof w.hive);
  const fl_status s = read_hive(&w, &err);
  *n_answer = w.n;
  if (s == FL_OK) return FL_OK;
  *n_answer = strlen(err.text);
  memcpy(ret_answer, err.text, *n_answer);
  return s;
}
