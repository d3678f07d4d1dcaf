/* fuzz_yara.c - sources of YARA rules: any bytes give messages or rules, and rules scan in time.
 *
 * Compiled in this process, where the product has a child for it: what makes libyara crash is found
 * here, what makes our wrapper crash is fixed. */
#include <stdlib.h>

#include "rules/yara_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static size_t sum_of(fl_str s) {
  size_t sum = 0;
  for (size_t i = 0; i < s.n; i++) sum += (unsigned char)s.p[i];
  return sum;
}

/* Every byte of every message and rule is read. */
static size_t read_all(const fl_yara *yara) {
  const fl_rule_message *messages = NULL;
  size_t sum = 0;
  const size_t n = fl_yara_messages(yara, &messages);
  for (size_t i = 0; i < n; i++) {
    if (messages[i].line == 0) abort();
    sum += sum_of(messages[i].text);
  }
  for (size_t i = 0; i < fl_yara_count(yara); i++) {
    const fl_yara_rule *rule = fl_yara_rule_at(yara, i);
    if (rule->severity < 0 || rule->severity > 100 || rule->line == 0) abort();
    sum += sum_of(fl_str_of(rule->name)) + sum_of(rule->title) + sum_of(rule->tags);
    sum += sum_of(rule->channel);
  }
  return sum;
}

/* The rules over a few bytes, as a source and as an event's text. */
static void scan_some(const fl_yara *yara) {
  static const uint8_t some[] =
      "MZ\0\0needle a\0b\0c\0\nField: value\n\x7f"
      "ELF\0\0\0\xff\xfe";
  const yara_run run = {.bytes = some, .n_bytes = sizeof some - 1};
  const yara_medium medium = {.runs = &run, .n_runs = 1, .has_size = true, .seconds = 1};
  for (int scope = 0; scope < 2; scope++) {
    yara_scanner *scanner = NULL;
    yara_result result = {0};
    if (!yara->compiled[scope]) continue;
    if (fl_yara_scanner_create(yara, (fl_yara_scope)scope, &scanner, NULL) != FL_OK) return;
    (void)fl_yara_scanner_run(scanner, &medium, &result);
    for (size_t i = 0; i < result.n_hits; i++)
      if (result.hits[i].rule >= fl_yara_count(yara)) abort();
    fl_yara_result_free(&result);
    fl_yara_scanner_free(scanner);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
  enum { MOST = 4096 };
  fl_yara *yara = NULL;
  if (n_bytes > MOST)
    return -1; /* long sources are slow, and find nothing that short ones do not */
  if (fl_yara_create(&yara, NULL) != FL_OK) return 0;
  yara->is_unguarded = true;
  const fl_str text = {(const char *)bytes, n_bytes};
  const fl_status added = fl_yara_add(yara, FL_STR("fuzz.yar"), text, NULL, NULL);
  const fl_status s = fl_yara_finish(yara, NULL);
  const size_t sum = read_all(yara);
  if (s != FL_OK && s != FL_E_SYNTAX && s != FL_E_NOMEM) abort();
  if (s != FL_OK && (fl_yara_count(yara) != 0 || sum == 0)) abort();
  if (added != FL_OK && s == FL_OK) abort();
  scan_some(yara);
  fl_yara_free(yara);
  return 0;
}
