/* yara_guard.c - compiling in a child: libyara has no time limit for it, and its input is hostile.
 *
 * The child writes to a nameless file in memory: what it begins, what it complains about, at last
 * the compiled rules. Who does not come to that end says with its last word where it was. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "rules/yara_set.h"

enum { TAG_BEGIN = 'B', TAG_MESSAGE = 'M', TAG_RULES = 'R', TAG_END = 'E', TEXT_MAX = 512 };

/* A word of the child. A text of n_text bytes follows. */
typedef struct word {
  uint64_t file;
  uint32_t line, n_text;
  uint8_t tag, is_warning;
} word;

static void put_word(FILE *f, word w, const char *text) {
  (void)fwrite(&w, sizeof w, 1, f);
  if (text) (void)fwrite(text, 1, w.n_text, f);
  (void)fflush(f); /* seen even if this process ends the next moment */
}

/* Sanitizers reserve terabytes of addresses. */
static void limit_memory(void) {
#ifndef FL_SANITIZED
  const struct rlimit memory = {FL_LIMIT_YARA_MEMORY, FL_LIMIT_YARA_MEMORY};
  (void)setrlimit(RLIMIT_AS, &memory);
#endif
  const struct rlimit none = {0, 0}, file = {FL_LIMIT_YARA_MEMORY, FL_LIMIT_YARA_MEMORY};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)setrlimit(RLIMIT_FSIZE, &file);
}

/* The next step may take so many seconds of CPU; then SIGXCPU ends the process. */
static void limit_time(unsigned seconds) {
  struct rusage used;
  if (getrusage(RUSAGE_SELF, &used) != 0) return;
  const rlim_t so_far = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1);
  const struct rlimit time = {so_far + seconds, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_CPU, &time);
}

/* The child's listener. */
typedef struct child {
  const fl_yara *yara;
  FILE *f;
} child;

static void child_begins(void *self, size_t file) {
  const child *c = self;
  put_word(c->f, (word){.tag = TAG_BEGIN, .file = file}, NULL);
  limit_time(file == FL_YARA_LINK ? c->yara->link_seconds : c->yara->compile_seconds);
}

static void child_complains(void *self, size_t file, uint32_t line, bool is_warning,
                            const char *text) {
  const size_t n = strnlen(text, TEXT_MAX - 1);
  const word w = {.tag = TAG_MESSAGE,
                  .file = file,
                  .line = line,
                  .is_warning = is_warning,
                  .n_text = (uint32_t)n};
  put_word(((child *)self)->f, w, text);
}

static size_t write_items(const void *items, size_t size, size_t n, void *f) {
  return fwrite(items, size, n, f);
}
static size_t read_items(void *items, size_t size, size_t n, void *f) {
  return fread(items, size, n, f);
}

static _Noreturn void be_child(const yara_work *work, FILE *f) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGSEGV, SIGBUS, SIGABRT};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) (void)signal(signals[i], SIG_DFL);
  limit_memory();
  child c = {work->yara, f};
  const yara_listener listener = {&c, child_begins, child_complains};
  YR_RULES *rules = NULL;
  fl_status s = fl_yara_compile(work, &listener, &rules);
  YR_STREAM stream = {.user_data = f, .write = write_items};
  if (s == FL_OK && rules) {
    put_word(f, (word){.tag = TAG_RULES}, NULL);
    if (yr_rules_save_stream(rules, &stream) != ERROR_SUCCESS) s = FL_E_NOMEM;
  } else if (s == FL_OK) {
    put_word(f, (word){.tag = TAG_END}, NULL);
  }
  const bool is_written = fflush(f) == 0;
  _exit(s == FL_OK && is_written ? 0 : 1);
}

/* What the child said, passed on. True when it came to its end. */
static bool replay(FILE *f, const yara_listener *listener, YR_RULES **ret_rules, size_t *ret_last) {
  word w;
  char text[TEXT_MAX];
  YR_STREAM stream = {.user_data = f, .read = read_items};
  rewind(f);
  while (fread(&w, sizeof w, 1, f) == 1) {
    if (w.n_text >= sizeof text || fread(text, 1, w.n_text, f) != w.n_text) return false;
    text[w.n_text] = '\0';
    if (w.tag == TAG_END) return true;
    if (w.tag == TAG_RULES) return yr_rules_load_stream(&stream, ret_rules) == ERROR_SUCCESS;
    *ret_last = (size_t)w.file;
    if (w.tag == TAG_BEGIN) listener->begin(listener->self, (size_t)w.file);
    else listener->message(listener->self, (size_t)w.file, w.line, w.is_warning, text);
  }
  return false;
}

static const char *reason_of(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) return "takes too long to compile";
  if (WIFSIGNALED(status)) return "makes the compiler crash";
  return "needs too much memory to compile";
}

static bool is_interrupted(int status) {
  if (!WIFSIGNALED(status)) return false;
  const int number = WTERMSIG(status);
  return number == SIGINT || number == SIGTERM || number == SIGHUP;
}

fl_status fl_yara_compile_guarded(const yara_work *work, const yara_listener *listener,
                                  yara_outcome *ret_outcome, fl_err *err) {
  const int fd = memfd_create("faultline-yara", MFD_CLOEXEC);
  FILE *f = fd >= 0 ? fdopen(fd, "w+b") : NULL;
  if (!f) {
    const int error = errno;
    if (fd >= 0) (void)close(fd);
    return fl_fail(err, FL_E_IO, 0, "no memory file to compile into: %s", strerrordesc_np(error));
  }
  const pid_t pid = fork();
  const int error = errno;
  if (pid == 0) be_child(work, f);
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  yara_outcome o = {.culprit = FL_YARA_LINK, .reason = reason_of(status)};
  if (pid > 0 && !is_interrupted(status)) o.is_stopped = !replay(f, listener, &o.rules, &o.culprit);
  (void)fclose(f);
  if (pid < 0)
    return fl_fail(err, FL_E_IO, 0, "no process to compile in: %s", strerrordesc_np(error));
  if (is_interrupted(status)) return fl_fail(err, FL_E_STOPPED, 0, "interrupted");
  *ret_outcome = o;
  return FL_OK;
}
