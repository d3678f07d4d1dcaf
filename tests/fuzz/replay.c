/* replay.c - runs a fuzz target over kept inputs, without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static int run_file(const char *path) {
  struct stat info;
  FILE *file = fopen(path, "rb");
  if (!file || fstat(fileno(file), &info) != 0) {
    (void)fprintf(stderr, "%s: cannot read\n", path);
    if (file) (void)fclose(file);
    return 1;
  }
  const size_t n = (size_t)info.st_size;
  uint8_t *bytes = malloc(n ? n : 1);
  const int failed = !bytes || fread(bytes, 1, n, file) != n;
  (void)fclose(file);
  if (!failed) (void)LLVMFuzzerTestOneInput(bytes, n);
  free(bytes);
  return failed;
}

static int run_folder(const char *folder, size_t *n_files) {
  struct dirent **entries = NULL;
  int failed = 0;
  const int n = scandir(folder, &entries, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    char path[1000];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && length > 0 && length < (int)sizeof path) {
      failed |= run_file(path);
      (*n_files)++;
    }
    free(entries[i]);
  }
  free(entries);
  return failed;
}

/* An empty input, then every file of the folders given. */
int main(int argc, char **argv) {
  size_t n_files = 0;
  int failed = 0;
  (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  for (int i = 1; i < argc; i++) failed |= run_folder(argv[i], &n_files);
  (void)printf("%zu inputs\n", n_files);
  return failed;
}
