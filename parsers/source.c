/* source.c - reading at any offset of files, memory and spooled streams. */
#include "parsers/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/vast.h"

enum { READ_STEP = 256 << 10, STDIN_STEP = 64 << 10 };

typedef enum source_kind {
  IN_FILE,
  IN_MEMORY,
  IN_STREAM,
  IN_SPOOL,
  IN_FOLDER,
  IN_NOTHING
} source_kind;

/* A stream turns into a spool when it is loaded. A spool holds its bytes in `memory` while fd is
 * -1, and in the nameless file otherwise. */
struct fl_source {
  source_kind kind;
  int fd; /* -1: none */
  uint64_t size_bytes;
  const uint8_t *borrowed; /* IN_MEMORY */
  uint8_t *memory;         /* owned: head of a stream, or a small spool */
  size_t n_memory, cap_memory;
  uint64_t n_pulled;
  fl_source_pull pull;
  void *self;
  bool is_drained, is_faulty;
  fl_err fault;
  uint8_t *own_buffer; /* standard input's */
  unsigned n_shares;   /* beside the first */
  fl_source_texts texts;
  void *mapped; /* of n_mapped bytes */
  size_t n_mapped;
  bool is_pinned;
};

uint64_t fl_source_size(const fl_source *source) {
  return source->size_bytes == FL_SOURCE_SIZE_UNKNOWN ? source->n_pulled : source->size_bytes;
}

bool fl_source_is_folder(const fl_source *source) { return source->kind == IN_FOLDER; }
bool fl_source_has_size(const fl_source *source) {
  return source->size_bytes != FL_SOURCE_SIZE_UNKNOWN;
}
bool fl_source_is_loaded(const fl_source *source) {
  return source->kind == IN_FILE || source->kind == IN_MEMORY || source->kind == IN_SPOOL;
}
int fl_source_folder_fd(const fl_source *source) { return source->fd; }
const fl_err *fl_source_fault(const fl_source *source) {
  return source->is_faulty ? &source->fault : NULL;
}

static fl_source *source_create(source_kind kind) {
  fl_source *source = calloc(1, sizeof *source);
  if (source) {
    source->kind = kind;
    source->fd = -1;
  }
  return source;
}

void fl_source_share(fl_source *source) { ++source->n_shares; }

void fl_source_free(fl_source *source) {
  if (!source || source->n_shares-- != 0) return;
  if (source->mapped) (void)munmap(source->mapped, source->n_mapped);
  if (source->fd >= 0) close(source->fd);
  free(source->memory);
  free(source->own_buffer);
  free(source);
}

fl_source *fl_source_of_memory(const uint8_t *bytes, size_t n_bytes) {
  fl_source *source = source_create(IN_MEMORY);
  if (!source) return NULL;
  source->borrowed = bytes;
  source->size_bytes = n_bytes;
  return source;
}

fl_source *fl_source_of_stream(fl_source_pull pull, void *self, uint64_t size_bytes) {
  fl_source *source = source_create(IN_STREAM);
  if (!source) return NULL;
  source->pull = pull;
  source->self = self;
  source->size_bytes = size_bytes;
  return source;
}

fl_source *fl_source_refused(uint64_t size_bytes, fl_status status, const char *format, ...) {
  fl_source *source = source_create(IN_NOTHING);
  if (!source) return NULL;
  va_list args;
  va_start(args, format);
  vsnprintf(source->fault.text, sizeof source->fault.text, format, args);
  va_end(args);
  source->fault.code = status;
  source->is_faulty = true;
  source->size_bytes = size_bytes;
  return source;
}

static const char *reason_of(int error) {
  const char *text = strerrordesc_np(error);
  return text ? text : "unknown error";
}

static fl_status pull_stdin(void *self, const uint8_t **ret_bytes, size_t *ret_n_bytes,
                            fl_err *err) {
  fl_source *source = self;
  if (source->n_pulled >= FL_LIMIT_UNPACKED_BYTES)
    return fl_fail(err, FL_E_LIMIT, source->n_pulled, "standard input is longer than %llu bytes",
                   (unsigned long long)FL_LIMIT_UNPACKED_BYTES);
  /* A signal that interrupts the wait wants the run to end: waiting on might last for ever. */
  const ssize_t n = read(STDIN_FILENO, source->own_buffer, STDIN_STEP);
  if (n < 0) return fl_fail(err, FL_E_IO, source->n_pulled, "standard input: %s", reason_of(errno));
  if (n == 0) return FL_END;
  *ret_bytes = source->own_buffer;
  *ret_n_bytes = (size_t)n;
  return FL_OK;
}

fl_source *fl_source_of_stdin(void) {
  fl_source *source = fl_source_of_stream(pull_stdin, NULL, FL_SOURCE_SIZE_UNKNOWN);
  if (!source) return NULL;
  source->self = source;
  if ((source->own_buffer = malloc(STDIN_STEP))) return source;
  fl_source_free(source);
  return NULL;
}

/* What an open descriptor is good for; takes it over. */
static fl_status source_of_fd(int fd, fl_source **ret_source, fl_err *err) {
  struct stat st;
  fl_status s = FL_OK;
  fl_source *source = NULL;
  if (fstat(fd, &st) != 0) s = fl_fail(err, FL_E_IO, 0, "cannot be examined: %s", reason_of(errno));
  else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
    s = fl_fail(err, FL_E_IO, 0, "is neither a regular file nor a folder");
  else if (!(source = source_create(S_ISDIR(st.st_mode) ? IN_FOLDER : IN_FILE)))
    s = fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (s != FL_OK) {
    close(fd);
    return s;
  }
  source->fd = fd;
  source->size_bytes = S_ISDIR(st.st_mode) ? 0 : (uint64_t)st.st_size;
  *ret_source = source;
  return FL_OK;
}

fl_status fl_source_open(const char *path, fl_source **ret_source, fl_err *err) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fl_fail(err, FL_E_IO, 0, "cannot be opened: %s", reason_of(errno));
  return source_of_fd(fd, ret_source, err);
}

/* Opens the folder that holds the last part of `path`, one part after the other so that no link is
 * followed anywhere; returns a descriptor or -1 with errno. */
static int open_parent(int folder_fd, char *path, char **ret_leaf) {
  int at = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
  char *part = path;
  for (char *slash; at >= 0 && (slash = strchr(part, '/')); part = slash + 1) {
    *slash = '\0';
    const int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int error = errno;
    close(at);
    errno = error;
    at = next;
  }
  *ret_leaf = part;
  return at;
}

fl_status fl_source_open_at(int folder_fd, const char *path, fl_source **ret_source, fl_err *err) {
  char *copy = strdup(path);
  if (!copy) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  char *leaf = copy;
  const int parent = open_parent(folder_fd, copy, &leaf);
  int fd = -1;
  if (parent >= 0)
    fd = openat(parent, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const int error = errno;
  if (parent >= 0) close(parent);
  free(copy);
  if (fd < 0 && error == ELOOP)
    return fl_fail(err, FL_E_IO, 0, "is a symbolic link and was not followed");
  if (fd < 0) return fl_fail(err, FL_E_IO, 0, "cannot be opened: %s", reason_of(error));
  fl_source *source = NULL;
  FL_TRY(source_of_fd(fd, &source, err));
  if (source->kind == IN_FOLDER) {
    fl_source_free(source);
    return fl_fail(err, FL_E_IO, 0, "became a folder while it was read");
  }
  *ret_source = source;
  return FL_OK;
}

static fl_status read_fd(fl_source *source, uint64_t offset, uint8_t *bytes, size_t n_bytes,
                         fl_err *err) {
  for (size_t done = 0; done < n_bytes;) {
    const ssize_t n = pread(source->fd, bytes + done, n_bytes - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fl_fail(err, FL_E_IO, offset + done, "cannot be read: %s", reason_of(errno));
    if (n == 0)
      return fl_fail(err, FL_E_IO, offset + done, "ends at byte %llu, %llu were there when opened",
                     (unsigned long long)(offset + done), (unsigned long long)source->size_bytes);
    done += (size_t)n;
  }
  return FL_OK;
}

fl_status fl_source_read(fl_source *source, uint64_t offset, void *ret_bytes, size_t n_bytes,
                         size_t *ret_n_read, fl_err *err) {
  fl_source_load(source);
  const uint64_t size = source->size_bytes;
  size_t n = n_bytes;
  if (source->kind == IN_FOLDER || source->kind == IN_NOTHING || offset >= size) n = 0;
  else if (n > size - offset) n = (size_t)(size - offset);
  if (n != 0 && source->fd >= 0) FL_TRY(read_fd(source, offset, ret_bytes, n, err));
  else if (n != 0)
    memcpy(ret_bytes, (source->borrowed ? source->borrowed : source->memory) + offset, n);
  *ret_n_read = n;
  return FL_OK;
}

static fl_status write_all(int fd, const uint8_t *bytes, size_t n_bytes, fl_err *err) {
  for (size_t done = 0; done < n_bytes;) {
    const ssize_t n = write(fd, bytes + done, n_bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return fl_fail(err, FL_E_IO, 0, "the temporary file cannot be written: %s", reason_of(errno));
    done += (size_t)n;
  }
  return FL_OK;
}

/* Memory that is full moves to a file. */
static fl_status spill(fl_source *source, fl_err *err) {
  const int fd = fl_nameless_file();
  if (fd < 0) return fl_fail(err, FL_E_IO, 0, "no temporary file: %s", reason_of(errno));
  const fl_status s = write_all(fd, source->memory, source->n_memory, err);
  if (s < FL_OK) {
    close(fd);
    return s;
  }
  free(source->memory);
  source->memory = NULL;
  source->cap_memory = source->n_memory = 0;
  source->fd = fd;
  return FL_OK;
}

static fl_status append(fl_source *source, const uint8_t *bytes, size_t n_bytes, fl_err *err) {
  if (source->fd < 0 && n_bytes > FL_LIMIT_SPOOL_MEMORY - source->n_memory)
    FL_TRY(spill(source, err));
  if (source->fd >= 0) {
    FL_TRY(write_all(source->fd, bytes, n_bytes, err));
  } else {
    if (!fl_grow((void **)&source->memory, &source->cap_memory, source->n_memory + n_bytes, 1))
      return fl_fail(err, FL_E_NOMEM, source->n_pulled, "out of memory");
    memcpy(source->memory + source->n_memory, bytes, n_bytes);
    source->n_memory += n_bytes;
  }
  source->n_pulled += n_bytes;
  return FL_OK;
}

/* Pulls until `n_wanted` bytes are there, the stream ends, or it breaks; what came is kept. */
static void pull_until(fl_source *source, uint64_t n_wanted) {
  while (!source->is_drained && source->n_pulled < n_wanted) {
    const uint8_t *bytes = NULL;
    size_t n = 0;
    fl_err err = {0};
    fl_status s = source->pull(source->self, &bytes, &n, &err);
    if (n != 0) {
      fl_err append_err = {0};
      const fl_status t = append(source, bytes, n, &append_err);
      if (t < FL_OK && s >= FL_OK) {
        s = t;
        err = append_err;
      }
    }
    if (s == FL_OK) continue;
    source->is_drained = true;
    if (s == FL_END) continue;
    source->is_faulty = true;
    source->fault = err;
    source->fault.code = s;
  }
}

uint64_t fl_source_memory(const fl_source *source) { return source->n_memory; }

fl_status fl_source_spill(fl_source *source, fl_err *err) {
  return source->n_memory != 0 && !source->is_pinned ? spill(source, err) : FL_OK;
}

void fl_source_pin(fl_source *source) { source->is_pinned = true; }

const uint8_t *fl_source_map(fl_source *source) {
  const bool is_here = source->kind == IN_FILE || source->kind == IN_SPOOL;
  if (source->kind == IN_MEMORY) return source->borrowed;
  if (!is_here || source->size_bytes == 0 || source->size_bytes > SIZE_MAX / 2) return NULL;
  if (source->fd < 0) return source->memory;
  if (source->mapped) return source->mapped;
  const size_t n = (size_t)source->size_bytes;
  void *mapped = mmap(NULL, n, PROT_READ, MAP_PRIVATE, source->fd, 0);
  if (mapped == MAP_FAILED) return NULL;
  source->mapped = mapped;
  source->n_mapped = n;
  return mapped;
}

void fl_source_set_texts(fl_source *source, fl_source_texts texts) { source->texts = texts; }

const fl_source_texts *fl_source_get_texts(const fl_source *source) {
  return source->texts.path.p ? &source->texts : NULL;
}

size_t fl_source_head(fl_source *source, uint8_t *ret_head, size_t cap) {
  if (source->kind != IN_STREAM) {
    size_t n = 0;
    fl_err err = {0};
    if (fl_source_read(source, 0, ret_head, cap, &n, &err) >= FL_OK) return n;
    source->is_faulty = true;
    source->fault = err;
    return 0;
  }
  pull_until(source, cap);
  const size_t n = source->n_pulled < cap ? (size_t)source->n_pulled : cap;
  if (n != 0 && source->fd >= 0)
    return read_fd(source, 0, ret_head, n, &source->fault) >= FL_OK ? n : 0;
  if (n != 0) memcpy(ret_head, source->memory, n);
  return n;
}

void fl_source_load(fl_source *source) {
  if (source->kind != IN_STREAM) return;
  const uint64_t claimed = source->size_bytes;
  pull_until(source, UINT64_MAX);
  source->kind = IN_SPOOL;
  if (source->n_pulled == 0 && source->is_faulty && claimed != FL_SOURCE_SIZE_UNKNOWN) {
    source->kind = IN_NOTHING; /* nothing came: the claimed size is all that is known */
    return;
  }
  source->size_bytes = source->n_pulled;
}

fl_status fl_source_sha256(fl_source *source, char ret_hex[65], fl_err *err) {
  uint8_t *buffer = malloc(READ_STEP);
  fl_sha256 *sha = fl_sha256_create();
  fl_status s = FL_OK;
  if (!buffer || !sha) s = fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  size_t n = 0;
  for (uint64_t at = 0; s == FL_OK; at += n) {
    s = fl_source_read(source, at, buffer, READ_STEP, &n, err);
    if (s != FL_OK || n == 0) break;
    fl_sha256_add(sha, buffer, n);
  }
  free(buffer);
  if (sha) {
    char hex[65];
    fl_sha256_finish(sha, hex);
    if (s == FL_OK) memcpy(ret_hex, hex, sizeof hex);
  }
  return s;
}
