/* fuzz_reg.c - any bytes as registry values in text, or as an .rdp file: read whole and written. */
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
  const fl_ingest_options options = {
      .hash = FL_HASH_NONE, .engine = FL_ENGINE_OWN, .want_ledger = true};
  fl_ingest_totals totals = {0};
  if (fl_ingest(&path, 1, &options, &sink, &totals, &err) == FL_E_INTERNAL) abort();
  (void)fl_event_writer_finish(writer, &err);
  fl_out_discard(out);
}

/* With a header in front, most inputs are taken for what is fuzzed here. */
static void read_behind(const char *header, size_t n_header, const uint8_t *data, size_t size) {
  char path[64];
  const int fd = memfd_create("reg", MFD_CLOEXEC);
  if (fd < 0) return;
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (write(fd, header, n_header) == (ssize_t)n_header && write(fd, data, size) == (ssize_t)size)
    read_all(path);
  (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char export[] = "REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM]\n";
  static const char rdp[] = "full address:s:a\nserver port:i:1\n";
  read_behind("", 0, data, size);
  read_behind(export, sizeof export - 1, data, size);
  read_behind(rdp, sizeof rdp - 1, data, size);
  return 0;
}
