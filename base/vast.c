/* vast.c - an array in memory, then in a mapped file without a name. */
#include "base/vast.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIRST_BYTES = 4096, FILE_STEP = 32 << 20 };

int fl_nameless_file(void) {
  static const char *const folders[] = {"/var/tmp", "/tmp", "."};
  int fd = -1;
  for (size_t i = 0; fd < 0 && i < sizeof folders / sizeof folders[0]; ++i)
    fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  return fd;
}

static bool grow_memory(fl_vast *vast, size_t n_bytes, size_t most_memory) {
  size_t n = vast->n_bytes ? vast->n_bytes : FIRST_BYTES;
  while (n < n_bytes) n *= 2;
  if (n > most_memory) n = most_memory;
  void *items = realloc(vast->items, n);
  if (!items) return false;
  vast->items = items;
  vast->n_bytes = n;
  return true;
}

/* Whole steps, since each of them asks the disk. */
static size_t file_bytes(size_t n_bytes) {
  return (n_bytes + FILE_STEP - 1) / FILE_STEP * FILE_STEP;
}

static void *map_file(int fd, size_t n_bytes) {
  if (posix_fallocate(fd, 0, (off_t)n_bytes) != 0) return NULL;
  void *items = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return items == MAP_FAILED ? NULL : items;
}

static bool move_to_file(fl_vast *vast, size_t n_bytes) {
  const size_t n = file_bytes(n_bytes);
  const int fd = fl_nameless_file();
  void *items = fd >= 0 ? map_file(fd, n) : NULL;
  if (!items) {
    if (fd >= 0) (void)close(fd);
    return false;
  }
  if (vast->n_bytes) memcpy(items, vast->items, vast->n_bytes);
  free(vast->items);
  *vast = (fl_vast){.items = items, .n_bytes = n, .is_mapped = true, .fd = fd};
  return true;
}

/* What was written so far is put aside: the file grows because it goes on behind. */
static bool grow_file(fl_vast *vast, size_t n_bytes) {
  const size_t n = file_bytes(n_bytes);
  if (posix_fallocate(vast->fd, 0, (off_t)n) != 0) return false;
  void *items = mremap(vast->items, vast->n_bytes, n, MREMAP_MAYMOVE);
  if (items == MAP_FAILED) return false;
  vast->items = items;
  vast->n_bytes = n;
  fl_vast_put_aside(vast);
  return true;
}

bool fl_vast_grow(fl_vast *vast, size_t n_bytes, size_t most_memory) {
  if (n_bytes <= vast->n_bytes) return true;
  if (n_bytes > SIZE_MAX / 4) return false;
  if (vast->is_mapped) return grow_file(vast, n_bytes);
  return n_bytes <= most_memory ? grow_memory(vast, n_bytes, most_memory)
                                : move_to_file(vast, n_bytes);
}

void fl_vast_put_aside(const fl_vast *vast) {
  if (vast->is_mapped) (void)madvise(vast->items, vast->n_bytes, MADV_DONTNEED);
}

void fl_vast_done(fl_vast *vast) {
  if (vast->is_mapped) {
    (void)munmap(vast->items, vast->n_bytes);
    (void)close(vast->fd);
  } else {
    free(vast->items);
  }
  *vast = (fl_vast){0};
}
