/* fuzz_sigma.c - Sigma rules, log sources and suppressions: any bytes give messages or rules. */
#include <stdlib.h>
#include <string.h>

#include "faultline/hunt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static const fl_shape_field fields[] = {
    {FL_STR("A"), (const fl_ref[]){{.kind = FL_REF_SLOT, .slot = 0}}, 1, FL_JOIN_ONE},
    {FL_STR("B"), (const fl_ref[]){{.kind = FL_REF_SLOT, .slot = 1}}, 1, FL_JOIN_ONE},
    {FL_STR("Data"),
     (const fl_ref[]){{.kind = FL_REF_SLOT, .slot = 0}, {.kind = FL_REF_SLOT, .slot = 1}}, 2,
     FL_JOIN_LIST}};

static fl_raw text(const char *s) {
  return (fl_raw){(const uint8_t *)s, (uint32_t)strlen(s), FL_T_UTF8, 0};
}

/* Three events, so that what was compiled is run, too. */
static void try_rows(fl_hunt *hunt) {
  fl_shape shape = {.serial = 1, .cached = true, .n_slots = 2, .fields = fields, .n_fields = 3};
  const fl_source_info source = {.id = 0, .name = FL_STR("fuzz.evtx"), .type = "evtx"};
  const fl_raw slots[] = {text("value"),    text("-enc 0x10"),   text("2026-03-02T10:00:00Z"),
                          text("10.0.0.1"), {.type = FL_T_NULL}, text("")};
  fl_row rows[3];
  shape.columns[FL_C_CHANNEL] = (fl_ref){.kind = FL_REF_CONST, .constant = text("Security")};
  shape.columns[FL_C_PROVIDER] = (fl_ref){.kind = FL_REF_CONST, .constant = text("P")};
  shape.columns[FL_C_EVENT_ID] = (fl_ref){.kind = FL_REF_CONST, .constant = text("4688")};
  for (uint32_t i = 0; i < 3; i++)
    rows[i] = (fl_row){.shape = &shape, .t = (i + 1) * FL_SECOND, .seq = i, .slot0 = 2 * i};
  const fl_batch batch = {.n_rows = 3, .rows = rows, .slots = slots};
  const fl_sink sink = fl_hunt_sink(hunt);
  if (sink.begin(sink.self, &source, NULL) != FL_OK) return;
  if (sink.batch(sink.self, &batch, NULL) != FL_OK) return;
  (void)fl_hunt_finish(hunt, NULL);
}

static void try_rules(fl_str given) {
  fl_rules *rules = NULL;
  fl_hunt *hunt = NULL;
  const fl_rule_message *messages = NULL;
  const fl_hunt_options options = {.suppressions = given, .suppressions_name = FL_STR("fuzz.txt")};
  size_t sum = 0;
  if (fl_rules_create(&rules, NULL) != FL_OK) return;
  const fl_status s = fl_rules_add_text(rules, FL_STR("fuzz.yml"), given, NULL);
  (void)fl_rules_finish(rules, NULL);
  const size_t n = fl_rules_messages(rules, &messages);
  for (size_t i = 0; i < n; i++) {
    if (messages[i].line == 0 || messages[i].column == 0) abort();
    for (size_t k = 0; k < messages[i].text.n; k++) sum += (unsigned char)messages[i].text.p[k];
  }
  if (s != FL_OK && (fl_rules_engine_count(rules, FL_BY_SIGMA) != 0 || n == 0 || sum == 0)) abort();
  if (fl_hunt_create(rules, NULL, &hunt, NULL) == FL_OK) try_rows(hunt);
  fl_hunt_free(hunt);
  hunt = NULL;
  if (fl_hunt_create(rules, &options, &hunt, NULL) == FL_OK) fl_hunt_free(hunt);
  fl_rules_free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
  try_rules((fl_str){(const char *)bytes, n_bytes});
  return 0;
}
