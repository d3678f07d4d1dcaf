/* fuzz_hive.c - any bytes as a registry hive: what we do to it before libregf sees it, in this
 * process, and the whole with its child. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faultline/ingest.h"
#include "faultline/report.h"
#include "parsers/hive_ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A mended hive needs no mending, but where less than a header is there. */
static void mend(const uint8_t *data, size_t size) {
  size_t first = 0;
  const hive_question given = {data, size};
  uint8_t *copy = malloc(size + 1);
  if (size >= 4096 && copy && hive_bad_pages(&given, &first) != 0) {
    memcpy(copy, data, size);
    const hive_question mended = {copy, hive_mend(copy, size)};
    if (first > size || mended.n_bytes > size || hive_bad_pages(&mended, &first) != 0) abort();
  }
  free(copy);
}

static void read_all(char *path) {
  fl_err err = {0};
  fl_out *out = NULL;
  fl_event_writer *writer = NULL;
  if (fl_out_memory(&out, &err) < FL_OK) return;
  if (fl_event_format_find("jsonl")->create(out, &writer, &err) < FL_OK) abort();
  const fl_sink sink = fl_event_writer_sink(writer);
  const fl_ingest_options options = {.hash = FL_HASH_NONE, .want_ledger = true};
  fl_ingest_totals totals = {0};
  if (fl_ingest(&path, 1, &options, &sink, &totals, &err) == FL_E_INTERNAL) abort();
  (void)fl_event_writer_finish(writer, &err);
  fl_out_discard(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  mend(data, size);
  const int fd = memfd_create("hive", MFD_CLOEXEC);
  if (fd < 0) return 0;
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (write(fd, data, size) == (ssize_t)size) read_all(path);
  (void)close(fd);
  return 0;
}
