/* fuzz_text.c - any bytes as a text file: every line is read, and every fact that it gives. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "faultline/ingest.h"
#include "faultline/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once and removed at the end: FOLDER/SRV01_260203-101112_x.txt. */
static char folder[] = "/tmp/faultline-fuzz-XXXXXX";
static char path[96];

static void remove_folder(void) {
  (void)unlink(path);
  (void)rmdir(folder);
}

static void make_folder(void) {
  if (path[0]) return;
  if (!mkdtemp(folder) || atexit(remove_folder) != 0) abort();
  (void)snprintf(path, sizeof path, "%s/SRV01_260203-101112_x.txt", folder);
}

static void write_file(const void *bytes, size_t n_bytes) {
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(bytes, 1, n_bytes, f) != n_bytes || fclose(f) != 0) abort();
}

/* The ledger must tile the source: the driver checks it and fails with FL_E_INTERNAL. */
static void read_all(void) {
  char *inputs[] = {path};
  fl_err err = {0};
  fl_out *out = NULL;
  fl_event_writer *writer = NULL;
  if (fl_out_memory(&out, &err) < FL_OK) return;
  if (fl_event_format_find("jsonl")->create(out, &writer, &err) < FL_OK) abort();
  const fl_sink sink = fl_event_writer_sink(writer);
  const fl_ingest_options options = {.hash = FL_HASH_NONE, .want_ledger = true};
  fl_ingest_totals totals = {0};
  if (fl_ingest(inputs, 1, &options, &sink, &totals, &err) == FL_E_INTERNAL) abort();
  (void)fl_event_writer_finish(writer, &err);
  fl_out_discard(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  make_folder();
  write_file(data, size);
  read_all();
  return 0;
}
