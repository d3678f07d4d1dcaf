/* match_test.c - rows that are kept, skipped and counted, over batches made by hand. */
#include "flr_help.h"

#include "base/limits.h"

enum { SLOT_ID, SLOT_HOST, SLOT_VALUE, N_SLOTS };

typedef struct batch_maker {
  fl_shape shape;
  fl_shape_field field;
  fl_ref field_ref;
  fl_row rows[64];
  fl_raw slots[64 * N_SLOTS];
  uint32_t ids[64];
  fl_batch batch;
} batch_maker;

static fl_raw text_raw(const char *text) {
  return (fl_raw){(const uint8_t *)text, (uint32_t)strlen(text), FL_T_UTF8, 0};
}

static batch_maker *make(uint64_t serial, const char *provider, bool is_cached) {
  batch_maker *m = calloc(1, sizeof *m);
  assert_non_null(m);
  m->shape = (fl_shape){.serial = serial, .cached = is_cached, .n_slots = N_SLOTS};
  m->shape.columns[FL_C_PROVIDER] = (fl_ref){FL_REF_CONST, 0, text_raw(provider)};
  m->shape.columns[FL_C_CHANNEL] = (fl_ref){FL_REF_CONST, 0, text_raw("Log")};
  m->shape.columns[FL_C_EVENT_ID] = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_ID};
  m->shape.columns[FL_C_HOST] = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_HOST};
  m->field_ref = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_VALUE};
  m->field = (fl_shape_field){FL_STR("Value"), &m->field_ref, 1, FL_JOIN_ONE};
  m->shape.fields = &m->field;
  m->shape.n_fields = 1;
  m->batch = (fl_batch){.rows = m->rows, .slots = m->slots};
  return m;
}

static void add_row(batch_maker *m, uint32_t id, const char *host, const char *value,
                    uint32_t flags) {
  const uint32_t i = m->batch.n_rows++;
  m->ids[i] = id;
  m->rows[i] = (fl_row){
      .shape = &m->shape, .t = T0 + i, .slot0 = i * N_SLOTS, .flags = flags, .length = 100};
  m->slots[i * N_SLOTS + SLOT_ID] = (fl_raw){(const uint8_t *)&m->ids[i], 4, FL_T_U32, 0};
  m->slots[i * N_SLOTS + SLOT_HOST] = text_raw(host);
  m->slots[i * N_SLOTS + SLOT_VALUE] = text_raw(value);
}

static void rows_are_chosen(void **state) {
  (void)state;
  fl_rules *rules = rules_of(
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 { Value == \"yes\" } "
      "$b : channel \"LOG\" 2 { Value => %v } sequence: $a $b? }");
  for (int is_cached = 0; is_cached < 2; is_cached++) {
    fl_match *match = NULL;
    fl_err err = {0};
    assert_int_equal(fl_match_create(rules, NULL, 0, &match, &err), FL_OK);
    batch_maker *m = make(7, "p", is_cached);
    add_row(m, 1, "M", "yes", 0);
    add_row(m, 1, "M", "no", 0);
    add_row(m, 2, "M", "x", 0);
    add_row(m, 2, "N", "y", 0);
    add_row(m, 3, "M", "yes", 0);
    add_row(m, 1, "M", "yes", FL_F_DUPLICATE);
    add_row(m, 1, "M", "yes", FL_F_TIME_INVALID);
    for (int i = 0; i < 2; i++) assert_int_equal(fl_match_batch(match, &m->batch, &err), FL_OK);
    size_t n = 0;
    const fl_event *const *events = fl_match_events(match, &n);
    assert_int_equal(n, 6);
    assert_int_equal(events[0]->event_id, 1);
    assert_text(events[2]->host, "N");
    assert_int_equal(fl_match_dropped(match), 0);
    const fl_sighting *sightings = fl_match_sightings(match, &n);
    assert_int_equal(n, 4); /* ids 1 to 3 on M, 2 on N */
    assert_text(sightings[0].host, "M");
    assert_text(sightings[0].provider, "p");
    free(m);
    fl_match_free(match);
  }
  fl_rules_free(rules);
}

static void provider_in_a_slot(void **state) {
  (void)state;
  fl_rules *rules = rules_of("rule r { meta: title = \"t\" events: $a : provider \"yes\" 1 }");
  fl_match *match = NULL;
  fl_err err = {0};
  assert_int_equal(fl_match_create(rules, NULL, 0, &match, &err), FL_OK);
  batch_maker *m = make(7, "", true);
  m->shape.columns[FL_C_PROVIDER] = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_VALUE};
  add_row(m, 1, "M", "yes", 0);
  add_row(m, 1, "M", "no", 0);
  assert_int_equal(fl_match_batch(match, &m->batch, &err), FL_OK);
  size_t n = 0;
  (void)fl_match_events(match, &n);
  assert_int_equal(n, 1);
  free(m);
  fl_match_free(match);
  fl_rules_free(rules);
}

/* A kind that the caller wants is kept though no rule asks for it. */
static void kept_kinds(void **state) {
  (void)state;
  const fl_event_fact *facts = NULL;
  if (fl_event_facts(&facts) == 0) skip();
  fl_rules *rules = rules_of("rule r { meta: title = \"t\" events: $a : provider \"none\" 1 }");
  fl_match *match = NULL;
  fl_err err = {0};
  const char *kinds[] = {facts[0].kind};
  assert_int_equal(fl_match_create(rules, kinds, 1, &match, &err), FL_OK);
  batch_maker *m = make(1, facts[0].provider, true);
  add_row(m, facts[0].event_id, "M", "x", 0);
  assert_int_equal(fl_match_batch(match, &m->batch, &err), FL_OK);
  size_t n = 0;
  const fl_event *const *events = fl_match_events(match, &n);
  assert_int_equal(n, 1);
  assert_text(events[0]->kind, facts[0].kind);
  free(m);
  fl_match_free(match);
  fl_rules_free(rules);
}

/* When memory is full, what is wanted is counted, not silently lost. */
static void full_memory_is_counted(void **state) {
  (void)state;
  fl_rules *rules = rules_of("rule r { meta: title = \"t\" events: $a : provider \"P\" }");
  fl_match *match = NULL;
  fl_err err = {0};
  assert_int_equal(fl_match_create(rules, NULL, 0, &match, &err), FL_OK);
  const size_t n_big = (size_t)16 << 20;
  char *big = malloc(n_big + 1);
  assert_non_null(big);
  memset(big, 'x', n_big);
  big[n_big] = '\0';
  batch_maker *m = make(1, "P", true);
  for (int i = 0; i < 16; i++) {
    add_row(m, 1, "M", big, 0);
    m->rows[i].length = 4 << 20;
  }
  assert_int_equal(fl_match_batch(match, &m->batch, &err), FL_OK);
  size_t n = 0;
  (void)fl_match_events(match, &n);
  assert_true(n > 0);
  assert_int_equal(n + fl_match_dropped(match), 16);
  assert_true(fl_match_dropped(match) > 0);
  free(big);
  free(m);
  fl_match_free(match);
  fl_rules_free(rules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_chosen), cmocka_unit_test(provider_in_a_slot),
      cmocka_unit_test(kept_kinds), cmocka_unit_test(full_memory_is_counted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
