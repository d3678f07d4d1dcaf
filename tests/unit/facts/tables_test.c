/* tables_test.c - every row of the knowledge tables beside the corpus is reached by `explain`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/facts.h"

enum { LINE_MAX_BYTES = 8192, CAP = 16, N_FIELDS = 5 };

static FILE *open_table(const char *name) {
  char path[1024];
  const char *corpus = getenv("FL_CORPUS");
  (void)snprintf(path, sizeof path, "%s/../knowledge/%s", corpus ? corpus : "../shared/corpus",
                 name);
  FILE *file = fopen(path, "rb");
  if (!file) print_message("skipped: no table at %s\n", path);
  return file;
}

/* The first fields of a line; those that are looked at hold no commas or quotes. */
static void split(char *line, char *ret_fields[N_FIELDS]) {
  for (size_t i = 0; i < N_FIELDS; i++) {
    ret_fields[i] = line;
    line += strcspn(line, ",\r\n");
    if (*line) *line++ = 0;
  }
}

/* The row of `space`, by a notation of its number or by its name. */
static const fl_code_fact *reached(const char *text, fl_code_space space) {
  const fl_code_fact *found[CAP];
  uint32_t code = 0;
  fl_status s = FL_E_INTERNAL;
  const size_t n = fl_code_parse(fl_str_of(text), found, CAP, &code, &s);
  if (s != FL_OK) fail_msg("%s is not read", text);
  for (size_t i = 0; i < n; i++)
    if (found[i]->space == space) return found[i];
  return NULL;
}

static void check(const char *decimal, const char *hex, const char *symbol, fl_code_space space) {
  const fl_code_fact *fact = reached(hex, space);
  if (!fact) fail_msg("%s is not reached as %s", hex, fl_code_space_names[space]);
  if (reached(decimal, space) != fact) fail_msg("%s and %s differ", hex, decimal);
  /* Numbers without a public name are given one by the table, with a colon. */
  if (!symbol[0] || strchr(symbol, ':')) return;
  const fl_code_fact *named[CAP];
  uint32_t code = 0;
  fl_status s = FL_E_INTERNAL;
  const size_t n = fl_code_parse(fl_str_of(symbol), named, CAP, &code, &s);
  if (n == 0 || (named[0]->code & 0xffff) != (strtoul(hex, NULL, 0) & 0xffff))
    fail_msg("%s is not reached", symbol);
}

static void disconnect_codes(void **state) {
  (void)state;
  char line[LINE_MAX_BYTES], *fields[N_FIELDS];
  size_t n = 0;
  FILE *file = open_table("disconnect_codes.csv");
  if (!file) skip();
  assert_non_null(fgets(line, sizeof line, file));
  for (; fgets(line, sizeof line, file); n++) {
    split(line, fields);
    const bool is_misplaced = strncmp(fields[2], "listed-as-primary", 17) == 0;
    check(fields[0], fields[1], fields[4], is_misplaced ? FL_CODE_MISPLACED : FL_CODE_DISCONNECT);
    if (is_misplaced && strcmp(fields[1], "0x404") != 0)
      assert_null(reached(fields[1], FL_CODE_DISCONNECT));
  }
  (void)fclose(file);
  assert_true(n >= 158);
}

static const struct {
  const char *name;
  fl_code_space space;
} namespaces[] = {{"extended", FL_CODE_EXTENDED},
                  {"errinfo", FL_CODE_ERRINFO},
                  {"rdp_neg_failure", FL_CODE_NEG_FAILURE},
                  {"rd_gateway", FL_CODE_GATEWAY},
                  {"hresult_sspi", FL_CODE_HRESULT},
                  {"ntstatus", FL_CODE_NTSTATUS},
                  {"win32", FL_CODE_WIN32},
                  {"tls_alert", FL_CODE_TLS_ALERT},
                  {"rdpcorets_103", FL_CODE_RDPCORETS_103}};

static void extended_codes(void **state) {
  (void)state;
  char line[LINE_MAX_BYTES], *fields[N_FIELDS];
  size_t n = 0;
  FILE *file = open_table("extended_codes.csv");
  if (!file) skip();
  assert_non_null(fgets(line, sizeof line, file));
  for (; fgets(line, sizeof line, file); n++) {
    split(line, fields);
    size_t i = 0;
    while (i < sizeof namespaces / sizeof *namespaces && strcmp(namespaces[i].name, fields[0]) != 0)
      i++;
    if (i == sizeof namespaces / sizeof *namespaces) fail_msg("no space for %s", fields[0]);
    check(fields[1], fields[2], fields[3], namespaces[i].space);
  }
  (void)fclose(file);
  assert_true(n >= 266);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(disconnect_codes),
                                     cmocka_unit_test(extended_codes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
