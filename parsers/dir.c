/* dir.c - folders: every file below one, in byte order of relative paths. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "parsers/run.h"
#include "parsers/source.h"
#include "parsers/texts.h"

/* One path below the folder. `error` is why it is not to be opened, or empty. */
typedef struct entry {
  fl_str path;
  fl_str error;
} entry;

typedef struct dir {
  entry *entries; /* freed by close */
  size_t n_entries, cap_entries;
  bool is_cut; /* more files than one input may have */
  fl_shelf shelf;
} dir;

/* A folder on the way down. */
typedef struct level {
  DIR *stream;
  fl_str path; /* empty for the folder itself */
  unsigned depth;
} level;

static fl_status add_entry(fl_job *job, dir *d, fl_str path, fl_str error, fl_err *err) {
  if (d->n_entries >= FL_LIMIT_MEMBERS) {
    d->is_cut = true;
    return FL_OK;
  }
  if (!path.p ||
      !fl_grow((void **)&d->entries, &d->cap_entries, d->n_entries + 1, sizeof *d->entries))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (error.n) error = fl_arena_str(job->arena, error);
  d->entries[d->n_entries++] = (entry){path, error};
  return FL_OK;
}

static fl_str refusal(fl_job *job, const char *what) {
  const char *reason = strerrordesc_np(errno);
  return fl_arena_printf(job->arena, "%s: %s", what, reason ? reason : "unknown error");
}

static fl_status walk(fl_job *job, dir *d, level at, fl_err *err);

static fl_status enter(fl_job *job, dir *d, const level *above, const char *name, fl_str path,
                       fl_err *err) {
  if (above->depth >= FL_LIMIT_FOLDER_DEPTH)
    return add_entry(job, d, path,
                     FL_STR("limit reached: a folder below 64 folders is not entered"), err);
  _Static_assert(FL_LIMIT_FOLDER_DEPTH == 64, "the sentence above says 64");
  const int fd =
      openat(dirfd(above->stream), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    const fl_str error = refusal(job, "folder cannot be opened");
    if (fd >= 0) close(fd);
    return add_entry(job, d, path, error, err);
  }
  const fl_status s = walk(job, d, (level){stream, path, above->depth + 1}, err);
  closedir(stream);
  return s;
}

static fl_status take(fl_job *job, dir *d, const level *at, const char *name, fl_err *err) {
  const fl_str path =
      fl_arena_printf(job->arena, "%.*s%s%s", FL_STR_ARG(at->path), at->path.n ? "/" : "", name);
  if (!path.p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  struct stat st;
  if (fstatat(dirfd(at->stream), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return add_entry(job, d, path, refusal(job, "cannot be examined"), err);
  if (S_ISDIR(st.st_mode)) return enter(job, d, at, name, path, err);
  if (S_ISLNK(st.st_mode))
    return add_entry(job, d, path, FL_STR("is a symbolic link and was not followed"), err);
  if (!S_ISREG(st.st_mode))
    return add_entry(job, d, path, FL_STR("is neither a regular file nor a folder"), err);
  return add_entry(job, d, path, (fl_str){0}, err);
}

static fl_status walk(fl_job *job, dir *d, level at, fl_err *err) {
  while (!d->is_cut) {
    errno = 0;
    const struct dirent *item = readdir(at.stream);
    if (!item && errno != 0)
      return add_entry(job, d, at.path.n ? at.path : FL_STR("."),
                       refusal(job, "folder cannot be listed to its end"), err);
    if (!item) break;
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
    FL_TRY(take(job, d, &at, item->d_name, err));
  }
  return FL_OK;
}

static int by_path(const void *left, const void *right) {
  const entry *a = left, *b = right;
  return fl_str_cmp(a->path, b->path);
}

/* Text files are known before the first log is read, wherever they stand among the members. */
static fl_status shelve(fl_job *job, dir *d, fl_err *err) {
  d->shelf = (fl_shelf){.arena = job->arena, .folder_fd = fl_source_folder_fd(job->source)};
  for (size_t i = 0; i < d->n_entries && job->options->want_texts; ++i)
    if (d->entries[i].error.n == 0) FL_TRY(fl_shelf_add(&d->shelf, d->entries[i].path, NULL, err));
  return FL_OK;
}

static fl_status open_dir(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  dir *d = state;
  const int fd = fcntl(fl_source_folder_fd(job->source), F_DUPFD_CLOEXEC, 0);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    if (fd >= 0) close(fd);
    return fl_fail(err, FL_E_IO, 0, "folder cannot be listed: %s", strerrordesc_np(errno));
  }
  const fl_status s = walk(job, d, (level){.stream = stream}, err);
  closedir(stream);
  if (s < FL_OK) return s;
  if (d->n_entries == 0) return fl_fail(err, FL_E_IO, 0, "folder holds no files");
  qsort(d->entries, d->n_entries, sizeof *d->entries, by_path);
  FL_TRY(shelve(job, d, err));
  *ret_n_spans = 1;
  return FL_OK;
}

static fl_status read_dir(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  (void)span;
  (void)rows;
  dir *d = state;
  fl_status s = FL_OK;
  for (size_t i = 0; i < d->n_entries && s == FL_OK; ++i) {
    const entry *e = &d->entries[i];
    fl_source *source = NULL;
    fl_err why = {0};
    s = FL_E_IO;
    if (e->error.n == 0)
      s = fl_source_open_at(fl_source_folder_fd(job->source), e->path.p, &source, &why);
    if (s < FL_OK)
      source = fl_source_refused(0, s, "%.*s", e->error.n ? (int)e->error.n : (int)strlen(why.text),
                                 e->error.n ? e->error.p : why.text);
    fl_shelf_attach(&d->shelf, e->path, source);
    s = fl_job_emit(job, e->path, source, err);
  }
  if (d->shelf.is_cut)
    fl_job_note(job, FL_NOTE_LIMIT, 0, "limit reached: message texts of more logs than are kept");
  if (s == FL_E_LIMIT || d->is_cut) {
    fl_job_note(job, FL_NOTE_LIMIT, 0, "limit reached: only the first %d files were read",
                (int)FL_LIMIT_MEMBERS);
    return FL_OK;
  }
  return s;
}

static void close_dir(fl_job *job, void *state) {
  (void)job;
  fl_shelf_done(&((dir *)state)->shelf);
  free(((dir *)state)->entries);
}

/* Folders are recognised by what they are, not by bytes. */
static int probe(const fl_probe *probe) {
  (void)probe;
  return 0;
}

const fl_parser fl_parser_dir = {
    .name = "dir",
    .summary = "folder",
    .state_size = sizeof(dir),
    .is_container = true,
    .probe = probe,
    .open = open_dir,
    .read = read_dir,
    .close = close_dir,
};
