/* fuzz_dump.c - any bytes as a crash dump or an error report: read whole, every value written. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faultline/ingest.h"
#include "faultline/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The ledger must tile the source: the driver checks it and fails with FL_E_INTERNAL. */
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
  const int fd = memfd_create("dump", MFD_CLOEXEC);
  if (fd < 0) return 0;
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (write(fd, data, size) == (ssize_t)size) read_all(path);
  (void)close(fd);
  return 0;
}
