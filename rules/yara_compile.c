/* yara_compile.c - sources into one set of rules, by libyara; includes from the given folder. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "rules/yara_set.h"

enum { MAX_INCLUDES = 512, MAX_MESSAGES = 100 };

/* An included file: as it was written, and where it is. */
typedef struct included {
  char *written, *path;
} included;

typedef struct compiler {
  const fl_yara *yara;
  const yara_listener *listener;
  YR_COMPILER *yr;
  size_t file; /* being compiled */
  uint64_t n_include_bytes;
  unsigned n_messages; /* of this file */
  bool has_errors;     /* of any file */
  included includes[MAX_INCLUDES];
  size_t n_includes;
} compiler;

static void say(compiler *c, uint32_t line, bool is_warning, const char *text) {
  if (!is_warning) c->has_errors = true;
  if (c->n_messages++ < MAX_MESSAGES)
    c->listener->message(c->listener->self, c->file, line, is_warning, text);
}

/* libyara's own words; its line is that of the included file where one is named. */
static void take_message(int level, const char *file_name, int line, const YR_RULE *rule,
                         const char *message, void *self) {
  static const char echo[] = "callback failed"; /* why was said when it failed */
  char text[480], place[160] = "", name[100] = "";
  compiler *c = self;
  const uint32_t at = line > 0 ? (uint32_t)line : 1;
  if (c->n_messages && message && strncmp(message, echo, sizeof echo - 1) == 0) return;
  if (file_name) (void)snprintf(place, sizeof place, "%.120s, line %u: ", file_name, at);
  if (rule && rule->identifier) (void)snprintf(name, sizeof name, "rule %.80s: ", rule->identifier);
  (void)snprintf(text, sizeof text, "%s%s%.200s", place, name, message ? message : "error");
  say(c, file_name ? 1 : at, level != YARA_ERROR_LEVEL_ERROR, text);
}

/* `path` lies in the folder; both are real paths. */
static bool is_inside(const char *folder, const char *path) {
  const size_t n = strlen(folder);
  if (strncmp(folder, path, n) != 0) return false;
  return n > 0 && (folder[n - 1] == '/' || path[n] == '/');
}

/* Where the file that says `include` lies. */
static const char *includer_of(const compiler *c, const char *calling) {
  for (size_t i = c->n_includes; calling && i > 0; i--)
    if (strcmp(c->includes[i - 1].written, calling) == 0) return c->includes[i - 1].path;
  return c->yara->files[c->file].path;
}

/* The real path of what is written, relative to the file that includes it; NULL: there is none. */
static char *find_include(const char *written, const char *includer) {
  char path[PATH_MAX];
  const char *slash = strrchr(includer, '/');
  const int n_folder = *written == '/' || !slash ? 0 : (int)(slash - includer + 1);
  const int n = snprintf(path, sizeof path, "%.*s%s", n_folder, includer, written);
  return n > 0 && n < (int)sizeof path ? realpath(path, NULL) : NULL;
}

static char *read_text(const char *path, size_t *ret_n) {
  struct stat info;
  char *text = NULL;
  size_t n = 0;
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return NULL;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= 0 &&
      info.st_size <= FL_LIMIT_YARA_FILE)
    text = malloc((size_t)info.st_size + 1);
  for (ssize_t more = 1; text && more > 0 && n < (size_t)info.st_size; n += (size_t)more)
    if ((more = read(fd, text + n, (size_t)info.st_size - n)) < 0) more = 0;
  (void)close(fd);
  if (text) text[n] = '\0';
  *ret_n = n;
  return text;
}

static const char *refuse_include(compiler *c, const char *written, const char *why) {
  char text[400];
  (void)snprintf(text, sizeof text, "include \"%.120s\": %s", written, why);
  say(c, 1, false, text);
  return NULL;
}

static bool remember(compiler *c, const char *written, char *path) {
  if (c->n_includes == MAX_INCLUDES) return false;
  included *i = &c->includes[c->n_includes];
  *i = (included){strdup(written), path};
  if (!i->written) return false;
  c->n_includes++;
  return true;
}

static const char *take_include(const char *written, const char *calling, const char *space,
                                void *self) {
  compiler *c = self;
  (void)space;
  const yara_file *file = &c->yara->files[c->file];
  size_t n = 0;
  yara_complaint complaint;
  if (!file->folder || !file->path)
    return refuse_include(c, written, "files are included only from a folder that is given whole");
  char *path = find_include(written, includer_of(c, calling));
  const bool is_in = path && is_inside(file->folder, path);
  char *text = is_in ? read_text(path, &n) : NULL;
  const bool is_kept = is_in && text && remember(c, written, path);
  if (!is_kept) free(path);
  if (!path) return refuse_include(c, written, "there is no such file");
  if (!is_in) return refuse_include(c, written, "lies outside of the folder that was given");
  if (!text) return refuse_include(c, written, "is no file of at most 16 MiB that can be read");
  const char *why = NULL;
  c->n_include_bytes += n;
  if (!is_kept) why = "too many includes";
  else if (c->n_include_bytes > FL_LIMIT_YARA_TEXT) why = "more than 64 MiB are included";
  else if (!fl_yara_check_text((fl_str){text, n}, &complaint)) why = complaint.text;
  if (!why) return text;
  free(text);
  return refuse_include(c, written, why);
}

static void free_include(const char *text, void *self) {
  (void)self;
  free((void *)(uintptr_t)text);
}

/* What rules of the public sets and ours expect to be defined. Values come with each scan. */
static bool define_externals(YR_COMPILER *yr) {
  static const char *const texts[] = {"filename", "filepath", "extension", "filetype",
                                      "owner",    "provider", "channel",   "computer"};
  static const char *const numbers[] = {"event_id", "level"};
  int failed = 0;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    failed |= yr_compiler_define_string_variable(yr, texts[i], "");
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    failed |= yr_compiler_define_integer_variable(yr, numbers[i], 0);
  return failed == ERROR_SUCCESS;
}

/* A compiler is of no use after an error. */
static bool renew(compiler *c) {
  if (c->yr) yr_compiler_destroy(c->yr);
  c->yr = NULL;
  if (yr_compiler_create(&c->yr) != ERROR_SUCCESS || !define_externals(c->yr)) return false;
  yr_compiler_set_callback(c->yr, take_message, c);
  yr_compiler_set_include_callback(c->yr, take_include, free_include, c);
  return true;
}

static void forget_includes(compiler *c) {
  for (size_t i = 0; i < c->n_includes; i++) {
    free(c->includes[i].written);
    free(c->includes[i].path);
  }
  c->n_includes = 0;
}

static fl_status compile_file(compiler *c, size_t file, bool alone) {
  char space[24];
  const fl_str text = c->yara->files[file].text;
  const bool has_mark = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
  YR_RULES *rules = NULL;
  c->file = file;
  c->n_messages = 0;
  c->n_include_bytes = 0;
  c->listener->begin(c->listener->self, file);
  (void)snprintf(space, sizeof space, "%zu", file);
  const int n_errors = yr_compiler_add_string(c->yr, text.p + (has_mark ? 3 : 0), space);
  forget_includes(c);
  if (n_errors && !c->n_messages) say(c, 1, false, "does not compile");
  if (!n_errors && !alone) return FL_OK;
  if (!n_errors && yr_compiler_get_rules(c->yr, &rules) == ERROR_SUCCESS) yr_rules_destroy(rules);
  return renew(c) ? FL_OK : FL_E_NOMEM;
}

fl_status fl_yara_compile(const yara_work *work, const yara_listener *listener,
                          YR_RULES **ret_rules) {
  compiler *c = calloc(1, sizeof *c);
  fl_status s = c ? FL_OK : FL_E_NOMEM;
  *ret_rules = NULL;
  if (c) {
    c->yara = work->yara;
    c->listener = listener;
    if (!renew(c)) s = FL_E_NOMEM;
  }
  for (size_t i = 0; s == FL_OK && i < work->n_picks; i++)
    s = compile_file(c, work->picks[i], work->alone);
  if (s == FL_OK && !c->has_errors && !work->alone) {
    listener->begin(listener->self, FL_YARA_LINK);
    if (yr_compiler_get_rules(c->yr, ret_rules) != ERROR_SUCCESS) s = FL_E_NOMEM;
  }
  if (c && c->yr) yr_compiler_destroy(c->yr);
  free(c);
  return s;
}
