/* guard.c - forking a child, its limits, and the exchange of questions and answers. */
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers keep memory for a while that was given back. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MEMORY_FACTOR = 4 };
#else
enum { MEMORY_FACTOR = 1 };
#endif

/* In front of each question and answer. */
typedef struct frame {
  uint32_t n_bytes;
  int32_t status;
  uint32_t cpu_ms; /* answers: that the child has used since its start */
} frame;

struct fl_guard {
  fl_guard_work work;
  fl_guard_limits limits;
  uint8_t *question; /* the child's; made before it is forked */
  uint8_t *answer;
  pid_t child; /* 0: none */
  int fd;      /* the asker's end */
  unsigned n_starts, n_questions;
  uint64_t used_ms;  /* of children that are gone */
  uint32_t child_ms; /* of this one */
};

fl_guard *fl_guard_create(fl_guard_work work, const fl_guard_limits *limits) {
  fl_guard *guard = calloc(1, sizeof *guard);
  if (!guard) return NULL;
  guard->work = work;
  guard->limits = *limits;
  guard->question = malloc(limits->most_question);
  guard->answer = malloc(limits->most_answer);
  if (guard->question && guard->answer) return guard;
  fl_guard_free(guard);
  return NULL;
}

/* ---- the child ---- */

static bool read_all(int fd, void *bytes, size_t n_bytes) {
  uint8_t *at = bytes;
  while (n_bytes > 0) {
    const ssize_t n = read(fd, at, n_bytes);
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    if (n < 0) continue;
    at += n;
    n_bytes -= (size_t)n;
  }
  return true;
}

static bool send_all(int fd, const void *bytes, size_t n_bytes) {
  const uint8_t *at = bytes;
  while (n_bytes > 0) {
    const ssize_t n = send(fd, at, n_bytes, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) return false;
    if (n < 0) continue;
    at += n;
    n_bytes -= (size_t)n;
  }
  return true;
}

static void set_limit(int resource, rlim_t most) {
  struct rlimit limit = {0};
  if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return;
  limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
  (void)setrlimit((__rlimit_resource_t)resource, &limit);
}

/* Address space that is in use: what was inherited counts against the limit. 0: not known. */
static uint64_t used_memory(void) {
  char text[64] = "";
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  (void)close(fd);
  uint64_t pages = 0;
  for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
    pages = pages * 10 + (uint64_t)(text[i] - '0');
  return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t cpu_ms(void) {
  struct rusage usage = {0};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const int64_t us = (int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  return (uint32_t)((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + us / 1000);
}

/* Nothing of the asker's but the exchange: no files, no handlers, no core. It ends with the asker.
 */
static void give_up_rights(const fl_guard_limits *limits, int fd) {
  const uint64_t used = used_memory();
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < 32; number++) (void)signal(number, SIG_DFL);
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  (void)dup2(fd, STDIN_FILENO);
  (void)close_range(STDIN_FILENO + 1, ~0U, 0);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_FSIZE, 0);
  set_limit(RLIMIT_NOFILE, 1);
  if (used) set_limit(RLIMIT_AS, used + MEMORY_FACTOR * limits->most_memory);
}

static _Noreturn void serve(fl_guard *guard, int fd) {
  const fl_guard_limits *limits = &guard->limits;
  frame head;
  give_up_rights(limits, fd);
  while (read_all(STDIN_FILENO, &head, sizeof head)) {
    const size_t n_question = head.n_bytes;
    size_t n_answer = limits->most_answer;
    if (n_question > limits->most_question || !read_all(STDIN_FILENO, guard->question, n_question))
      break;
    set_limit(RLIMIT_CPU, cpu_ms() / 1000 + 1 + limits->most_seconds);
    head.status = guard->work(guard->question, n_question, guard->answer, &n_answer);
    head.n_bytes = (uint32_t)n_answer;
    head.cpu_ms = cpu_ms();
    if (!send_all(STDIN_FILENO, &head, sizeof head) ||
        !send_all(STDIN_FILENO, guard->answer, n_answer))
      break;
  }
  _exit(0);
}

/* ---- the asker ---- */

static void end_child(fl_guard *guard) {
  if (!guard->child) return;
  (void)close(guard->fd);
  (void)kill(guard->child, SIGKILL);
  while (waitpid(guard->child, NULL, 0) < 0 && errno == EINTR) continue;
  guard->used_ms += guard->child_ms;
  guard->child_ms = 0;
  guard->child = 0;
}

static fl_status start_child(fl_guard *guard, fl_err *err) {
  int ends[2] = {-1, -1};
  if (guard->n_starts == guard->limits.most_starts)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: its process died %u times", guard->n_starts);
  guard->n_starts++;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fl_fail(err, FL_E_LIMIT, 0, "no exchange with a process to be had");
  const pid_t child = fork();
  if (child == 0) serve(guard, ends[1]);
  (void)close(ends[1]);
  guard->fd = ends[0];
  guard->child = child;
  if (child > 0) return FL_OK;
  (void)close(ends[0]);
  guard->child = 0;
  return fl_fail(err, FL_E_LIMIT, 0, "no process to be had");
}

/* Moves all bytes, waiting no longer than the limit for each step, nor for many small ones. */
static bool exchange(const fl_guard *guard, short events, void *bytes, size_t n_bytes) {
  enum { STEPS = 4096 };
  uint8_t *at = bytes;
  for (unsigned step = 0; n_bytes > 0; step++) {
    struct pollfd ready = {.fd = guard->fd, .events = events};
    const int n_ready = poll(&ready, 1, (int)guard->limits.most_wait * 1000);
    if (n_ready == 0 || step == STEPS || (n_ready < 0 && errno != EINTR)) return false;
    if (n_ready < 0) continue;
    const ssize_t n = events == POLLIN ? recv(guard->fd, at, n_bytes, MSG_DONTWAIT)
                                       : send(guard->fd, at, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    at += n;
    n_bytes -= (size_t)n;
  }
  return true;
}

static fl_status get_answer(fl_guard *guard, size_t n_question, size_t *ret_n, fl_err *err) {
  frame head = {.n_bytes = (uint32_t)n_question};
  const bool is_answered = exchange(guard, POLLOUT, &head, sizeof head) &&
                           exchange(guard, POLLOUT, guard->question, n_question) &&
                           exchange(guard, POLLIN, &head, sizeof head) &&
                           head.n_bytes <= guard->limits.most_answer &&
                           exchange(guard, POLLIN, guard->answer, head.n_bytes);
  if (!is_answered) {
    guard->child_ms += guard->limits.most_seconds * 1000;
    end_child(guard);
    return fl_fail(err, FL_E_CORRUPT, 0, "its process died, or was ended for its use of time");
  }
  guard->child_ms = head.cpu_ms;
  *ret_n = head.n_bytes;
  if (head.status == FL_OK) return FL_OK;
  return fl_fail(err, FL_E_CORRUPT, 0, "%.*s", (int)head.n_bytes, (const char *)guard->answer);
}

fl_status fl_guard_ask(fl_guard *guard, const uint8_t *question, size_t n_question,
                       const uint8_t **ret_answer, size_t *ret_n, fl_err *err) {
  const fl_guard_limits *limits = &guard->limits;
  if (n_question > limits->most_question)
    return fl_fail(err, FL_E_ARG, 0, "%zu bytes are asked about, at most %zu", n_question,
                   limits->most_question);
  if (guard->used_ms + guard->child_ms >= (uint64_t)limits->most_total * 1000)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: it has used %u seconds", limits->most_total);
  if (guard->n_questions == limits->most_questions)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: it was asked %u times", guard->n_questions);
  guard->n_questions++;
  if (!guard->child) FL_TRY(start_child(guard, err));
  memcpy(guard->question, question, n_question);
  FL_TRY(get_answer(guard, n_question, ret_n, err));
  *ret_answer = guard->answer;
  return FL_OK;
}

void fl_guard_free(fl_guard *guard) {
  if (!guard) return;
  end_child(guard);
  free(guard->question);
  free(guard->answer);
  free(guard);
}
