/* rules_path.c - rule files and folders of them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/rules.h"
#include "rules/rules_include.h"

/* One walk over a path; the buffer serves all of its files. */
typedef struct walk {
  fl_rules *rules;
  const char *folder; /* that the user named; NULL: a file */
  const char *root;   /* the same with '/' at its end */
  char *buffer;
  size_t cap;
  size_t n_found;
  fl_status first; /* error */
  fl_err *err;
} walk;

bool fl_name_has_suffix(fl_str name, const char *const *suffixes) {
  for (size_t i = 0; suffixes[i]; i++) {
    const size_t n = strlen(suffixes[i]);
    if (name.n <= n || name.p[name.n - n - 1] == '/') continue;
    if (fl_str_eq_nocase((fl_str){name.p + name.n - n, n}, fl_str_of(suffixes[i]))) return true;
  }
  return false;
}

static fl_status add_file(walk *w, const char *path, fl_err *err) {
  const size_t most =
      fl_rules_max_bytes(fl_str_of(path)) + 1; /* one more, to see that it is larger */
  if (!fl_grow((void **)&w->buffer, &w->cap, most, 1))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  FILE *f = fopen(path, "rb");
  if (!f) return fl_rules_refuse(w->rules, fl_str_of(path), FL_E_IO, strerror(errno), err);
  fl_place place = {0};
  if (!fl_includes_enter(fl_rules_includes(w->rules), path, w->root, fileno(f), &place)) {
    (void)fclose(f); /* another file has included it */
    return FL_OK;
  }
  const size_t n = fread(w->buffer, 1, most, f);
  const bool has_failed = ferror(f) != 0;
  (void)fclose(f);
  const fl_status s =
      has_failed
          ? fl_rules_refuse(w->rules, fl_str_of(path), FL_E_IO, "cannot be read", err)
          : fl_rules_add_file(w->rules, fl_str_of(path), (fl_str){w->buffer, n}, w->folder, err);
  fl_includes_leave(fl_rules_includes(w->rules), &place, s);
  return s;
}

/* One bad file does not keep the others out; the first error is the result. */
static fl_status note_result(walk *w, fl_status status) {
  if (w->first == FL_OK || status == FL_E_NOMEM) w->first = status;
  return status == FL_E_NOMEM ? status : FL_OK;
}
static fl_err *err_of(const walk *w) { return w->first == FL_OK ? w->err : NULL; }

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }
static int by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static fl_status add_folder(walk *w, const char *path, unsigned depth);

/* Links to folders are not followed: they may lead in a circle. */
static fl_status add_entry(walk *w, const char *path, unsigned depth) {
  struct stat info;
  struct stat target;
  if (lstat(path, &info) != 0) return FL_OK; /* gone since it was listed */
  if (S_ISDIR(info.st_mode)) return add_folder(w, path, depth + 1);
  if (!fl_rules_knows_suffix(fl_str_of(path))) return FL_OK;
  if (S_ISLNK(info.st_mode) && stat(path, &target) == 0 && S_ISDIR(target.st_mode)) return FL_OK;
  w->n_found++;
  return note_result(w, add_file(w, path, err_of(w)));
}

static fl_status add_folder(walk *w, const char *path, unsigned depth) {
  struct dirent **entries = NULL;
  if (depth > FL_LIMIT_FOLDER_DEPTH)
    return note_result(w, fl_rules_refuse(w->rules, fl_str_of(path), FL_E_LIMIT,
                                          "folders lie deeper than 64 in each other", err_of(w)));
  const int n = scandir(path, &entries, is_visible, by_bytes);
  if (n < 0)
    return note_result(
        w, fl_rules_refuse(w->rules, fl_str_of(path), FL_E_IO, strerror(errno), err_of(w)));
  const char *gap = path[strlen(path) - 1] == '/' ? "" : "/";
  fl_status s = FL_OK;
  for (int i = 0; i < n; i++) {
    const fl_str file =
        fl_arena_printf(fl_rules_arena(w->rules), "%s%s%s", path, gap, entries[i]->d_name);
    free(entries[i]);
    if (s == FL_OK) s = file.p ? add_entry(w, file.p, depth) : FL_E_NOMEM;
  }
  free(entries);
  return s;
}

fl_status fl_rules_add_sources(fl_rules *rules, const char *path, fl_err *err) {
  FILE *f = fopen(path, "rb");
  if (!f) return fl_fail(err, FL_E_IO, 0, "%s: %s", path, strerror(errno));
  char *buffer = malloc(FL_LIMIT_RULE_FILE + 1);
  const size_t n = buffer ? fread(buffer, 1, FL_LIMIT_RULE_FILE + 1, f) : 0;
  const bool has_failed = ferror(f) != 0;
  (void)fclose(f);
  fl_status s = FL_OK;
  if (!buffer) s = fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  else if (has_failed) s = fl_fail(err, FL_E_IO, 0, "%s: cannot be read", path);
  else if (n > FL_LIMIT_RULE_FILE) s = fl_fail(err, FL_E_LIMIT, 0, "%s: larger than 1 MiB", path);
  else s = fl_rules_prepare(rules, fl_str_of(path), (fl_str){buffer, n}, err);
  free(buffer);
  return s;
}

fl_status fl_rules_add_path(fl_rules *rules, const char *path, fl_err *err) {
  walk w = {.rules = rules, .err = err};
  struct stat info;
  if (!*path || stat(path, &info) != 0)
    return fl_rules_refuse(rules, fl_str_of(path), FL_E_IO, strerror(*path ? errno : ENOENT), err);
  if (!S_ISDIR(info.st_mode)) {
    w.first = add_file(&w, path, err);
  } else {
    const fl_str root = fl_arena_printf(fl_rules_arena(rules), "%s%s", path,
                                        path[strlen(path) - 1] == '/' ? "" : "/");
    w.root = root.p;
    w.folder = path;
    const fl_status s = add_folder(&w, path, 1);
    if (s != FL_OK) w.first = s;
    if (w.first == FL_OK && w.n_found == 0)
      w.first = fl_rules_refuse(rules, fl_str_of(path), FL_E_IO, "folder holds no rule file", err);
  }
  free(w.buffer);
  return w.first;
}
