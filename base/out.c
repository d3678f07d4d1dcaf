/* out.c - buffered output that gives a file its name only when it is whole. */
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static fl_status create(int fd, size_t cap, fl_out **ret_out, fl_err *err) {
  fl_out *out = calloc(1, sizeof *out);
  char *buffer = malloc(cap);
  if (!out || !buffer) {
    free(out);
    free(buffer);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *out = (fl_out){.buffer = buffer, .cap = cap, .fd = fd};
  *ret_out = out;
  return FL_OK;
}

static void destroy(fl_out *out) {
  free(out->buffer);
  free(out->name);
  free(out->part);
  free(out);
}

fl_status fl_out_memory(fl_out **ret_out, fl_err *err) { return create(-1, 4096, ret_out, err); }

/* Devices and pipes are written in place: they have no name that could be half-written. */
static bool is_special_file(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/* A new file in the folder of `path`: never one that is there, never through a link. The name is
 * no secret, and need not be: O_EXCL takes no file of anybody else. */
static int create_part(fl_out *out) {
  enum { TRIES = 1000 };
  const char *slash = strrchr(out->name, '/');
  const int n_folder = slash ? (int)(slash - out->name) + 1 : 0;
  const size_t cap = (size_t)n_folder + 64;
  out->part = malloc(cap);
  for (unsigned i = 0; out->part && i < TRIES; i++) {
    (void)snprintf(out->part, cap, "%.*sfaultline-%ld-%u.part", n_folder, out->name, (long)getpid(),
                   i);
    const int fd = open(out->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

static fl_status open_file(fl_out *out, const char *path, fl_err *err) {
  const bool in_place = is_special_file(path);
  if (!(out->name = strdup(path))) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  out->fd = in_place ? open(path, O_WRONLY | O_CLOEXEC) : create_part(out);
  if (out->fd < 0) {
    const int reason = errno;
    free(out->part); /* somebody else's, if it is there at all */
    out->part = NULL;
    return fl_fail(err, FL_E_IO, 0, "%s: cannot create: %s", path, strerror(reason));
  }
  out->owns_fd = true;
  return FL_OK;
}

fl_status fl_out_open(const char *path, fl_out **ret_out, fl_err *err) {
  fl_out *out = NULL;
  FL_TRY(create(STDOUT_FILENO, FL_OUT_BUFFER, &out, err));
  /* A pipe that takes more at once saves turns between its two ends; a file has no such size. */
  (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, FL_OUT_BUFFER * 4);
  if (path && strcmp(path, "-") != 0) {
    const fl_status status = open_file(out, path, err);
    if (status < FL_OK) {
      destroy(out);
      return status;
    }
  }
  *ret_out = out;
  return FL_OK;
}

void fl_out_flush(fl_out *out) {
  size_t done = 0;
  while (done < out->n && !out->fail) {
    const ssize_t n = write(out->fd, out->buffer + done, out->n - done);
    if (n >= 0) done += (size_t)n;
    else if (errno != EINTR) out->fail = errno;
  }
  out->n_written += out->n;
  out->n = 0;
}

char *fl_out_make_room(fl_out *out, size_t n_bytes) {
  if (out->fd >= 0) fl_out_flush(out);
  if (n_bytes > out->cap - out->n) {
    size_t cap = out->cap * 2;
    while (cap - out->n < n_bytes) cap *= 2;
    char *grown = realloc(out->buffer, cap);
    if (!grown) {
      out->fail = ENOMEM;
      return NULL;
    }
    out->buffer = grown;
    out->cap = cap;
  }
  return out->buffer + out->n;
}

void fl_out_write(fl_out *out, const void *bytes, size_t n_bytes) {
  if (n_bytes == 0) return;
  char *room = fl_out_room(out, n_bytes);
  if (!room) return;
  memcpy(room, bytes, n_bytes);
  out->n += n_bytes;
}

void fl_out_str(fl_out *out, fl_str s) { fl_out_write(out, s.p, s.n); }
void fl_out_puts(fl_out *out, const char *s) { fl_out_write(out, s, strlen(s)); }

void fl_out_printf(fl_out *out, const char *format, ...) {
  va_list args;
  va_start(args, format);
  va_list again;
  va_copy(again, args);
  const int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *room = n < 0 ? NULL : fl_out_room(out, (size_t)n + 1);
  if (room) {
    (void)vsnprintf(room, (size_t)n + 1, format, again);
    out->n += (size_t)n;
  }
  va_end(again);
}

bool fl_out_failed(const fl_out *out) { return out->fail != 0; }
fl_str fl_out_text(const fl_out *out) { return (fl_str){out->buffer, out->n}; }
uint64_t fl_out_size(const fl_out *out) { return out->n_written + out->n; }

fl_status fl_out_check(const fl_out *out, fl_err *err) {
  if (!out->fail) return FL_OK;
  if (out->fd < 0) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  return fl_fail(err, FL_E_IO, 0, "%s: cannot write: %s", out->name ? out->name : "standard output",
                 strerror(out->fail));
}

static fl_status finish_file(fl_out *out, fl_err *err) {
  if (out->part && !out->fail && fsync(out->fd) != 0 && errno != EINVAL) out->fail = errno;
  if (out->owns_fd && close(out->fd) != 0 && !out->fail) out->fail = errno;
  if (out->part && !out->fail && rename(out->part, out->name) != 0) out->fail = errno;
  if (out->part && out->fail) (void)unlink(out->part);
  return fl_out_check(out, err);
}

fl_status fl_out_close(fl_out *out, fl_err *err) {
  if (out->fd >= 0) fl_out_flush(out);
  const fl_status status = out->fd >= 0 ? finish_file(out, err) : fl_out_check(out, err);
  destroy(out);
  return status;
}

void fl_out_discard(fl_out *out) {
  if (!out) return;
  if (out->owns_fd) (void)close(out->fd);
  if (out->part) (void)unlink(out->part);
  destroy(out);
}
