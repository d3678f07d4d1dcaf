/* fuzz_flr.c - rule texts and filters: any bytes give messages or rules, never a crash. */
#include <stdlib.h>

#include "faultline/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void try_rules(fl_str text) {
  fl_rules *rules = NULL;
  const fl_rule_message *messages = NULL;
  size_t sum = 0;
  if (fl_rules_create(&rules, NULL) != FL_OK) return;
  const fl_status s = fl_rules_add_text(rules, FL_STR("fuzz.flr"), text, NULL);
  (void)fl_rules_finish(rules, NULL);
  const size_t n = fl_rules_messages(rules, &messages);
  /* Every byte of every message is read. */
  for (size_t i = 0; i < n; i++) {
    if (messages[i].line == 0 || messages[i].column == 0) abort();
    for (size_t k = 0; k < messages[i].text.n; k++) sum += (unsigned char)messages[i].text.p[k];
    for (size_t k = 0; k < messages[i].context.n; k++)
      sum += (unsigned char)messages[i].context.p[k];
  }
  if (s != FL_OK && (fl_rules_count(rules) != 0 || n == 0 || sum == 0)) abort();
  fl_rules_free(rules);
}

static void try_filter(fl_str text) {
  fl_filter *filter = NULL;
  const fl_field data[] = {{FL_STR("a"), {.kind = FL_V_STR, .as.text = FL_STR("text")}},
                           {FL_STR("b"), {.kind = FL_V_INT, .as.integer = -1}}};
  const fl_event event = {.host = FL_STR("h"), .event_id = 1, .data = data, .n_data = 2};
  if (fl_filter_compile(text, &filter, NULL) != FL_OK) return;
  (void)fl_filter_event(filter, &event);
  fl_filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
  const fl_str text = {(const char *)bytes, n_bytes};
  try_rules(text);
  try_filter(text);
  return 0;
}
