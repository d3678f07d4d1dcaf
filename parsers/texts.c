/* texts.c - which text file belongs to which log (docs/formats/mta.md, "Where it lies"). */
#include "parsers/texts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "parsers/source.h"

enum { ENGLISH = 1033, FOLDER_PATH_MAX = 4096 };
static const char folder_name[] = "LocaleMetaData";

static fl_str before(fl_str s, size_t n) { return (fl_str){s.p, n}; }
static fl_str behind(fl_str s, size_t n) { return (fl_str){s.p + n, s.n - n}; }

/* Length of the part up to and including the last '/', 0 when there is none. */
static size_t folder_length(fl_str path) {
  size_t n = path.n;
  while (n > 0 && path.p[n - 1] != '/') n--;
  return n;
}

static bool ends_with(fl_str s, const char *end) {
  const fl_str e = fl_str_of(end);
  return s.n > e.n && fl_str_eq_nocase(behind(s, s.n - e.n), e);
}

/* FOLDER/LocaleMetaData/NAME_LCID.MTA in its parts; `ret_parent` ends in '/' or is empty. */
static bool split_path(fl_str path, fl_str *ret_parent, fl_str *ret_name, uint32_t *ret_language) {
  const size_t n_folder = folder_length(path);
  if (n_folder == 0 || !ends_with(path, ".mta")) return false;
  const fl_str folder = before(path, n_folder - 1);
  const size_t n_parent = folder_length(folder);
  if (!fl_str_eq_nocase(behind(folder, n_parent), fl_str_of(folder_name))) return false;
  const fl_str stem = before(behind(path, n_folder), path.n - n_folder - 4);
  size_t n = stem.n;
  while (n > 0 && fl_is_digit(stem.p[n - 1])) n--;
  uint64_t language = 0;
  if (n < 2 || stem.p[n - 1] != '_' || !fl_text_number(behind(stem, n), &language)) return false;
  if (language > UINT32_MAX) return false;
  *ret_parent = before(path, n_parent);
  *ret_name = before(stem, n - 1);
  *ret_language = (uint32_t)language;
  return true;
}

bool fl_texts_is_path(fl_str path) {
  fl_str parent, name;
  uint32_t language;
  return split_path(path, &parent, &name, &language);
}

bool fl_texts_is_log(fl_str path) { return ends_with(path, ".evtx"); }

/* Small files stay in memory until a container has used up its share. */
static fl_status keep_source(fl_shelf *shelf, fl_source *source, fl_err *err) {
  if (!source) return FL_OK;
  const uint64_t n = fl_source_memory(source);
  if (n > FL_LIMIT_TEXT_MEMORY - shelf->n_memory_bytes) return fl_source_spill(source, err);
  shelf->n_memory_bytes += n;
  return FL_OK;
}

fl_status fl_shelf_add(fl_shelf *shelf, fl_str path, fl_source *source, fl_err *err) {
  fl_str parent, name;
  uint32_t language = 0;
  if (!split_path(path, &parent, &name, &language)) return FL_OK;
  if (shelf->n_files >= FL_LIMIT_TEXT_FILES) {
    shelf->is_cut = true;
    return FL_OK;
  }
  FL_TRY(keep_source(shelf, source, err));
  const fl_text_file file = {
      .log = fl_arena_printf(shelf->arena, "%.*s%.*s", FL_STR_ARG(parent), FL_STR_ARG(name)),
      .path = fl_arena_str(shelf->arena, path),
      .language = language,
      .source = source};
  if (!file.log.p || !file.path.p ||
      !fl_grow((void **)&shelf->files, &shelf->cap_files, shelf->n_files + 1, sizeof file))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (source) fl_source_share(source);
  shelf->files[shelf->n_files++] = file;
  shelf->is_sorted = false;
  return FL_OK;
}

static int compare_nocase(fl_str a, fl_str b) {
  for (size_t i = 0; i < a.n && i < b.n; i++) {
    const int d = fl_lower(a.p[i]) - fl_lower(b.p[i]);
    if (d != 0) return d;
  }
  return (a.n > b.n) - (a.n < b.n);
}

/* By log; English first, then the lowest language, then bytes of the path. */
static int compare_files(const void *left, const void *right) {
  const fl_text_file *a = left, *b = right;
  const int by_log = compare_nocase(a->log, b->log);
  if (by_log != 0) return by_log;
  if ((a->language == ENGLISH) != (b->language == ENGLISH)) return a->language == ENGLISH ? -1 : 1;
  if (a->language != b->language) return a->language < b->language ? -1 : 1;
  return fl_str_cmp(a->path, b->path);
}

fl_text_file *fl_shelf_find(fl_shelf *shelf, fl_str log_path, size_t *ret_n) {
  *ret_n = 0;
  if (!ends_with(log_path, ".evtx") || shelf->n_files == 0) return NULL;
  if (!shelf->is_sorted) qsort(shelf->files, shelf->n_files, sizeof *shelf->files, compare_files);
  shelf->is_sorted = true;
  const fl_str log = before(log_path, log_path.n - 5);
  size_t low = 0, high = shelf->n_files;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (compare_nocase(shelf->files[middle].log, log) < 0) low = middle + 1;
    else high = middle;
  }
  while (low + *ret_n < shelf->n_files && compare_nocase(shelf->files[low + *ret_n].log, log) == 0)
    ++*ret_n;
  return *ret_n ? &shelf->files[low] : NULL;
}

void fl_shelf_attach(fl_shelf *shelf, fl_str path, fl_source *log) {
  size_t n = 0;
  fl_text_file *file = log ? fl_shelf_find(shelf, path, &n) : NULL;
  if (file)
    fl_source_set_texts(log, (fl_source_texts){.path = file->path,
                                               .language = file->language,
                                               .n_languages = n,
                                               .source = file->source,
                                               .folder_fd = shelf->folder_fd});
}

void fl_shelf_done(fl_shelf *shelf) {
  for (size_t i = 0; i < shelf->n_files; i++) fl_source_free(shelf->files[i].source);
  free(shelf->files);
  if (shelf->is_folder_own) close(shelf->folder_fd);
  *shelf = (fl_shelf){.folder_fd = -1};
}

static fl_status list_folder(fl_shelf *shelf, fl_err *err) {
  const int fd = openat(shelf->folder_fd, folder_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    if (fd >= 0) close(fd);
    return FL_OK; /* most logs have no texts */
  }
  fl_status s = FL_OK;
  for (const struct dirent *item; s == FL_OK && (item = readdir(stream));) {
    const fl_str path = fl_arena_printf(shelf->arena, "%s/%s", folder_name, item->d_name);
    s = path.p ? fl_shelf_add(shelf, path, NULL, err)
               : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  closedir(stream);
  return s;
}

fl_status fl_shelf_of_input(const char *path, fl_arena *arena, fl_shelf *ret_shelf, fl_err *err) {
  const size_t n = folder_length(fl_str_of(path));
  char folder[FOLDER_PATH_MAX] = ".";
  *ret_shelf = (fl_shelf){.arena = arena, .folder_fd = -1};
  if (!ends_with(fl_str_of(path), ".evtx") || n >= sizeof folder) return FL_OK;
  if (n > 0) memcpy(folder, path, n);
  if (n > 0) folder[n] = '\0';
  ret_shelf->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ret_shelf->is_folder_own = ret_shelf->folder_fd >= 0;
  return ret_shelf->is_folder_own ? list_folder(ret_shelf, err) : FL_OK;
}
