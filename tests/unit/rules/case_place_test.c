/* case_place_test.c - whose a state fact is that names no machine: paths, logs beside it, rows. */
#include "flr_help.h"

#include "rules/case_place.h"
#include "rules/match.h"

enum { SLOT_HOST, SLOT_ID, SLOT_VALUE, N_SLOTS, MOST_SOURCES = 16 };

/* Sources with the hosts that their records name, comma between them. */
typedef struct bundle {
  fl_arena *arena;
  fl_places *places;
  fl_source_info sources[MOST_SOURCES];
  size_t n;
} bundle;

typedef struct one_row {
  fl_shape shape;
  fl_shape_field field;
  fl_ref ref;
  fl_row row;
  uint32_t id;
  fl_raw slots[N_SLOTS];
  fl_batch batch;
} one_row;

static fl_raw text_raw(const char *text) {
  return (fl_raw){(const uint8_t *)text, (uint32_t)strlen(text), FL_T_UTF8, 0};
}

static const fl_batch *row_of(one_row *r, uint32_t source, const char *provider, const char *host,
                              const char *value) {
  *r = (one_row){.id = 65000};
  r->ref = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_VALUE};
  r->field = (fl_shape_field){FL_STR("value"), &r->ref, 1, FL_JOIN_ONE};
  r->shape = (fl_shape){.n_slots = N_SLOTS, .fields = &r->field, .n_fields = 1};
  r->shape.columns[FL_C_PROVIDER] = (fl_ref){FL_REF_CONST, 0, text_raw(provider)};
  r->shape.columns[FL_C_HOST] = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_HOST};
  r->shape.columns[FL_C_EVENT_ID] = (fl_ref){.kind = FL_REF_SLOT, .slot = SLOT_ID};
  r->slots[SLOT_HOST] = text_raw(host);
  r->slots[SLOT_ID] = (fl_raw){(const uint8_t *)&r->id, 4, FL_T_U32, 0};
  r->slots[SLOT_VALUE] = text_raw(value);
  r->row =
      (fl_row){.shape = &r->shape, .source = source, .length = 100, .flags = FL_F_TIME_INVALID};
  r->batch = (fl_batch){.source = source, .n_rows = 1, .rows = &r->row, .slots = r->slots};
  return &r->batch;
}

static bundle *open_bundle(void) {
  bundle *b = calloc(1, sizeof *b);
  assert_non_null(b);
  b->arena = fl_arena_create((size_t)1 << 20);
  assert_int_equal(fl_places_create(&b->places, NULL), FL_OK);
  return b;
}

static void close_bundle(bundle *b) {
  fl_places_free(b->places);
  fl_arena_free(b->arena);
  free(b);
}

static uint32_t add_source(bundle *b, const char *name, const char *hosts) {
  one_row r;
  char host[64];
  const uint32_t id = (uint32_t)b->n + 3;
  b->sources[b->n++] = (fl_source_info){.id = id, .name = fl_str_of(name)};
  while (*hosts) {
    const size_t n = strcspn(hosts, ",");
    (void)snprintf(host, sizeof host, "%.*s", (int)n, hosts);
    for (int i = 0; i < 2; i++)
      assert_int_equal(fl_places_batch(b->places, row_of(&r, id, "P", host, ""), NULL), FL_OK);
    hosts += n + (hosts[n] == ',');
  }
  return id;
}

static void check(bundle *b, const char *name, const char *expected, const char *among) {
  fl_str found = {0};
  const uint32_t id = add_source(b, name, "");
  const fl_str host = fl_places_host(b->places, b->sources, b->n, id, b->arena, &found);
  if (!fl_str_eq(host, fl_str_of(expected)) || !fl_str_eq(found, fl_str_of(among)))
    fail_msg("%s: \"%.*s\" among \"%.*s\", expected \"%s\" among \"%s\"", name, FL_STR_ARG(host),
             FL_STR_ARG(found), expected, among);
  b->n--;
}

static void the_logs_beside_it(void **state) {
  (void)state;
  bundle *b = open_bundle();
  (void)add_source(b, "client.zip!/logs/RDPClient.evtx", "CLI1.corp.example");
  (void)add_source(b, "server.zip!/logs/System.evtx", "SRV1,SRV1.corp.example");
  check(b, "client.zip!/reg/export.reg", "CLI1.corp.example", "");
  check(b, "server.zip!/logs/netstat.txt", "SRV1.corp.example", "");
  check(b, "other.zip!/netstat.txt", "", "CLI1.corp.example, SRV1.corp.example");
  /* Another folder is not this one though its name begins alike. */
  check(b, "client.zip!/log/export.reg", "CLI1.corp.example", "");
  check(b, "server.zip", "", "CLI1.corp.example, SRV1.corp.example");
  /* Forwarded events are of many machines. */
  (void)add_source(b, "server.zip!/logs/ForwardedEvents.evtx", "SRV1,DC1");
  check(b, "server.zip!/logs/netstat.txt", "", "CLI1.corp.example, SRV1.corp.example, DC1");
  close_bundle(b);
}

static void the_name_in_the_path(void **state) {
  (void)state;
  bundle *b = open_bundle();
  (void)add_source(b, "all.zip!/a/System.evtx", "SRV-01.corp.example");
  (void)add_source(b, "all.zip!/b/System.evtx", "SRV-012");
  (void)add_source(b, "all.zip!/c/System.evtx", "WS");
  const char *among = "SRV-01.corp.example, SRV-012, WS";
  check(b, "all.zip!/x/srv-01_reg.txt", "SRV-01.corp.example", "");
  check(b, "all.zip!/SRV-012_RegistryKeys/TS.reg", "SRV-012", "");
  check(b, "MSRD-Results-SRV-01-260310-101010/reg.txt", "SRV-01.corp.example", "");
  check(b, "TSS_SRV-012_2603.zip!/reg.txt", "SRV-012", "");
  check(b, "all.zip!/SRV-01.txt", "SRV-01.corp.example", "");
  check(b, "all.zip!/XSRV-01_reg.txt", "", among);
  check(b, "all.zip!/SRV-01-B_reg.txt", "", among);
  check(b, "all.zip!/SRV-013_reg.txt", "", among);
  check(b, "all.zip!/WS_reg.txt", "", among); /* too short to be no accident */
  /* The innermost decides, before the logs of its own folder; the start of a name before its rest.
   */
  check(b, "all.zip!/SRV-012_x/SRV-01_reg.txt", "SRV-01.corp.example", "");
  check(b, "all.zip!/a/SRV-012_reg.txt", "SRV-012", "");
  check(b, "all.zip!/SRV-01_to_SRV-012.txt", "SRV-01.corp.example", "");
  check(b, "all.zip!/of_SRV-01_and_SRV-012.txt", "", among);
  close_bundle(b);
}

static void no_log_at_all(void **state) {
  (void)state;
  bundle *b = open_bundle();
  check(b, "SRV1_reg.txt", "", "");
  /* A state fact's own host is no log. */
  one_row r;
  b->sources[b->n++] = (fl_source_info){.id = 9, .name = FL_STR("a/x.txt")};
  assert_int_equal(fl_places_batch(b->places, row_of(&r, 9, "faultline-state", "SRV1", ""), NULL),
                   FL_OK);
  check(b, "a/reg.txt", "", "");
  /* One machine in the whole case: everything is its own. */
  (void)add_source(b, "logs/System.evtx", "SRV1");
  check(b, "reg.txt", "SRV1", "");
  close_bundle(b);
}

static fl_str host_of(void *self, uint32_t source) {
  (void)self;
  return source == 4 ? FL_STR("SRV1") : (fl_str){0};
}

static void rows_get_their_host(void **state) {
  (void)state;
  fl_rules *rules = rules_of(
      "rule r { meta: title = \"t\" events: $a : provider \"P\" 1 "
      "$s : provider \"faultline-state\" { value == \"x\"; event.host => %h as host } sequence: $a "
      "$s? anytime }");
  fl_match *match = NULL;
  fl_err err = {0};
  one_row r;
  assert_int_equal(fl_match_create(rules, NULL, 0, &match, &err), FL_OK);
  const struct {
    uint32_t source;
    const char *host, *value;
  } rows[] = {{4, "", "x"}, {4, "", "y"}, {5, "", "x"}, {4, "CLI1", "x"}};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(
        fl_match_batch(match,
                       row_of(&r, rows[i].source, "faultline-state", rows[i].host, rows[i].value),
                       &err),
        FL_OK);
  fl_match_give_hosts(match, host_of, NULL);
  size_t n = 0;
  const fl_event *const *events = fl_match_events(match, &n);
  assert_int_equal(n, 3);
  assert_text(events[0]->host, "SRV1");
  assert_text(events[1]->host, "");
  assert_text(events[2]->host, "CLI1");
  const fl_sighting *sightings = fl_match_sightings(match, &n);
  assert_int_equal(n, 3); /* what is known to be absent rests on these */
  assert_text(sightings[0].host, "SRV1");
  assert_text(sightings[1].host, "");
  assert_text(sightings[2].host, "CLI1");
  fl_match_free(match);
  fl_rules_free(rules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_logs_beside_it),
      cmocka_unit_test(the_name_in_the_path),
      cmocka_unit_test(no_log_at_all),
      cmocka_unit_test(rows_get_their_host),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
