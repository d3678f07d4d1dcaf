/* say.c - messages on standard error, signals, exit codes, and outputs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* The one thing that lives outside of any call: a signal has nowhere else to leave its word. */
static volatile sig_atomic_t interrupted;
static void on_interrupt(int number) { interrupted = number; }

void cli_interrupt_watch(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = on_interrupt};
  struct sigaction before;
  action.sa_flags = (int)SA_RESETHAND; /* the second one ends the program at once */
  (void)sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    const bool is_known = sigaction(numbers[i], NULL, &before) == 0;
    /* nohup(1) asks for runs that outlive their terminal. */
    if (numbers[i] == SIGHUP && is_known && before.sa_handler == SIG_IGN) continue;
    (void)sigaction(numbers[i], &action, NULL);
  }
}
bool cli_interrupted(void) { return interrupted != 0; }
int cli_interrupt_code(void) { return 128 + (int)interrupted; }

bool cli_is_terminal(void) { return isatty(STDERR_FILENO) == 1; }

/* C0, DEL, C1 and the marks that turn or hide text (U+200B-U+200F, U+202A-U+202E, U+2066-U+2069);
 * returns the bytes to replace, 0 = harmless. */
static size_t n_unsafe(const unsigned char *p) {
  if (*p < 0x20 || *p == 0x7f) return 1;
  if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) return 2;
  if (p[0] != 0xe2) return 0;
  if (p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xaa && p[2] <= 0xae))) return 3;
  return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9 ? 3 : 0;
}

static void make_safe(char *text) {
  char *to = text;
  for (const char *at = text; *at;) {
    const size_t skip = n_unsafe((const unsigned char *)at);
    *to++ = skip ? '?' : *at;
    at += skip ? skip : 1;
  }
  *to = '\0';
}

static void say(const char *format, va_list args) {
  char text[1000];
  (void)vsnprintf(text, sizeof text, format, args);
  make_safe(text);
  (void)fprintf(stderr, "faultline: %s\n", text);
}

void cli_say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(format, args);
  va_end(args);
}

void cli_say_note(const fl_note *note, const char *name) {
  char place[40] = ""; /* offset 0 says nothing: what concerns a whole source is told there */
  if (note->offset)
    (void)snprintf(place, sizeof place, " (offset %llu)", (unsigned long long)note->offset);
  cli_say("%s: %s: %.*s%s", fl_severity_names[note->severity], name, FL_STR_ARG(note->text), place);
}

void cli_say_caret(const char *text, size_t column) {
  enum { LONGEST = 400 };
  if (column == 0 || column > LONGEST || strpbrk(text, "\n\r\t")) return;
  cli_say("  %.*s", LONGEST, text);
  /* Characters of several bytes stand in one column: their further bytes move no caret. */
  size_t n_before = 0;
  for (size_t i = 0; i + 1 < column && text[i]; i++) n_before += (text[i] & 0xc0) != 0x80;
  cli_say("  %*s^", (int)n_before, "");
}

cli_exit cli_usage(const cli_args *args, const char *format, ...) {
  va_list list;
  va_start(list, format);
  say(format, list);
  va_end(list);
  cli_say("usage: faultline %s %s", args->command->name, args->command->usage);
  return CLI_USAGE;
}

cli_exit cli_failed(fl_status status, const fl_err *err) {
  if (status == FL_E_STOPPED && interrupted) return CLI_INTERRUPTED;
  cli_say("%s", err->text[0] ? err->text : "stopped for a reason that nobody named");
  switch (status) {
    case FL_OK:
    case FL_END:
      return CLI_DONE;
    case FL_E_ARG:
    case FL_E_SYNTAX:
      return CLI_USAGE;
    case FL_E_CORRUPT:
    case FL_E_UNSUPPORTED:
    case FL_E_LIMIT:
      return CLI_NOTHING;
    case FL_E_IO:
      return CLI_OUTPUT;
    case FL_E_NOMEM:
    case FL_E_INTERNAL:
    case FL_E_STOPPED:
      break;
  }
  return CLI_INTERNAL;
}

cli_exit cli_worse(cli_exit a, cli_exit b) { return a > b ? a : b; }

size_t cli_text_near(const char *a, const char *b) {
  enum { MAX = 32, FAR = 8 };
  const size_t n_a = strlen(a);
  const size_t n_b = strlen(b);
  size_t row[MAX + 1];
  if (n_a > MAX || n_b > MAX) return FAR;
  for (size_t j = 0; j <= n_b; j++) row[j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n_b; j++) {
      const size_t change = diagonal + (a[i - 1] != b[j - 1]);
      const size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      diagonal = row[j];
      row[j] = change < step ? change : step;
    }
  }
  return row[n_b] < FAR ? row[n_b] : FAR;
}

static bool is_same_file(const char *a, const char *b) {
  struct stat one;
  struct stat other;
  if (strcmp(a, b) == 0) return true;
  return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

/* Terminals and /dev/null may be named twice: only what would be replaced matters. */
static bool is_replaceable(const char *path) {
  struct stat info;
  if (!path || strcmp(path, "-") == 0) return false;
  return stat(path, &info) != 0 || S_ISREG(info.st_mode);
}

bool cli_outputs_are_apart(const cli_args *args) {
  static const cli_option options[] = {OPT_output, OPT_timeline};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    const char *path = args->value[options[i]];
    for (size_t j = 0; is_replaceable(path) && j < args->words.n; j++) {
      if (!is_same_file(path, args->words.items[j])) continue;
      cli_say("%s is an input: an output may not replace it", path);
      return false;
    }
  }
  const char *timeline = args->value[OPT_timeline];
  const char *output = cli_has(args, OPT_output) ? args->value[OPT_output] : "-";
  if (!timeline || strcmp(timeline, output) != 0) return true;
  cli_say("%s: the report and the timeline cannot go to one place", output);
  return false;
}

const char *cli_temporary_folder(void) {
  const char *folder = getenv("TMPDIR");
  return folder && *folder ? folder : "/tmp";
}

cli_exit cli_open(const char *path, fl_out **ret_out) {
  struct stat info;
  fl_err err = {0};
  if (path && (!*path || (stat(path, &info) == 0 && S_ISDIR(info.st_mode)))) {
    cli_say("output \"%s\": %s, want the name of a file", path, *path ? "is a folder" : "is empty");
    return CLI_OUTPUT;
  }
  const fl_status status = fl_out_open(path, ret_out, &err);
  return status < FL_OK ? cli_failed(status, &err) : CLI_DONE;
}

cli_exit cli_close(fl_out *out, cli_exit exit) {
  const bool is_whole = exit == CLI_DONE || exit == CLI_FOUND || exit == CLI_PARTIAL;
  if (!out) return exit;
  if (!is_whole) {
    fl_out_discard(out);
    return exit;
  }
  fl_err err = {0};
  const fl_status status = fl_out_close(out, &err);
  return status < FL_OK ? cli_failed(status, &err) : exit;
}
