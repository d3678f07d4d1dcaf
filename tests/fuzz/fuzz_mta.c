/* fuzz_mta.c - any bytes as the text file of a log: as a source, and with rows that take its texts.
 *
 * The log is the one that the target for event logs keeps; FL_TOP names the repository. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultline/ingest.h"
#include "faultline/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once and removed at the end: FOLDER/log.evtx, FOLDER/LocaleMetaData/log_1033.MTA. */
static char folder[] = "/tmp/faultline-fuzz-XXXXXX";
static char log_path[96], texts_folder[96], texts_path[128];

static void write_file(const char *path, const void *bytes, size_t n_bytes) {
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(bytes, 1, n_bytes, f) != n_bytes || fclose(f) != 0) abort();
}

static void copy_log(void) {
  static uint8_t bytes[1 << 20];
  char path[512];
  const char *top = getenv("FL_TOP");
  (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/evtx/all-types.evtx", top ? top : ".");
  FILE *f = fopen(path, "rb");
  const size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
  if (n == 0 || fclose(f) != 0) abort();
  write_file(log_path, bytes, n);
}

static void remove_folder(void) {
  (void)unlink(log_path);
  (void)unlink(texts_path);
  (void)rmdir(texts_folder);
  (void)rmdir(folder);
}

static void make_folder(void) {
  if (log_path[0]) return;
  if (!mkdtemp(folder)) abort();
  (void)snprintf(log_path, sizeof log_path, "%s/log.evtx", folder);
  (void)snprintf(texts_folder, sizeof texts_folder, "%s/LocaleMetaData", folder);
  (void)snprintf(texts_path, sizeof texts_path, "%s/log_1033.MTA", texts_folder);
  if (mkdir(texts_folder, 0700) != 0 || atexit(remove_folder) != 0) abort();
  copy_log();
}

/* The ledger must tile the source: the driver checks it and fails with FL_E_INTERNAL. */
static void read_all(char *path) {
  fl_err err = {0};
  fl_out *out = NULL;
  fl_event_writer *writer = NULL;
  if (fl_out_memory(&out, &err) < FL_OK) return;
  if (fl_event_format_find("jsonl")->create(out, &writer, &err) < FL_OK) abort();
  const fl_sink sink = fl_event_writer_sink(writer);
  const fl_ingest_options options = {.hash = FL_HASH_NONE, .want_ledger = true, .want_texts = true};
  fl_ingest_totals totals = {0};
  if (fl_ingest(&path, 1, &options, &sink, &totals, &err) == FL_E_INTERNAL) abort();
  (void)fl_event_writer_finish(writer, &err);
  fl_out_discard(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  make_folder();
  write_file(texts_path, data, size);
  read_all(folder);
  return 0;
}
