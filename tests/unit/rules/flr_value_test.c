/* flr_value_test.c - comparisons over values and the normal forms of joins. */
#include "flr_help.h"

#include "rules/flr.h"

static void check_norm(fl_norm norm, const char *text, const char *expected) {
  fl_arena *arena = fl_arena_create(1 << 20);
  assert_text(fl_norm_apply(norm, fl_str_of(text), arena), expected);
  fl_arena_free(arena);
}

static void normal_forms(void **state) {
  (void)state;
  check_norm(FL_NORM_TEXT, "  MiXed ", "mixed");
  check_norm(FL_NORM_IP, "10.0.0.1:3389", "10.0.0.1");
  check_norm(FL_NORM_IP, "::ffff:10.0.0.1", "10.0.0.1");
  check_norm(FL_NORM_IP, "[FE80::1%4]:3389", "fe80::1");
  check_norm(FL_NORM_IP, "fe80:0:0::1%eth0", "fe80::1");
  check_norm(FL_NORM_IP, "Not-An-Ip", "not-an-ip");
  check_norm(FL_NORM_HOST, "SRV01.corp.example.", "srv01");
  check_norm(FL_NORM_HOST, "\\\\SRV01", "srv01");
  check_norm(FL_NORM_HOST, "srv01:3389", "srv01");
  check_norm(FL_NORM_HOST, "10.1.2.3", "10.1.2.3");
  check_norm(FL_NORM_USER, "CORP\\Alice", "alice");
  check_norm(FL_NORM_USER, "alice@corp.example", "alice");
  check_norm(FL_NORM_HEX, "0x904", "2308");
  check_norm(FL_NORM_HEX, "-2146893007", "2148074289");
  check_norm(FL_NORM_HEX, "0x80090331", "2148074289");
  check_norm(FL_NORM_PID, "0x10", "16");
  check_norm(FL_NORM_GUID, "{ab-cd}", "AB-CD");
  check_norm(FL_NORM_TEXT, "", "");
}

static void networks(void **state) {
  (void)state;
  fl_network network;
  uint8_t bytes[16];
  assert_true(fl_network_parse(FL_STR("10.0.0.0/8"), &network));
  assert_int_equal(network.n_bits, 104);
  assert_true(fl_network_parse(FL_STR("fe80::/10"), &network));
  assert_int_equal(network.n_bits, 10);
  assert_true(fl_network_parse(FL_STR("10.1.2.3"), &network));
  assert_int_equal(network.n_bits, 128);
  assert_false(fl_network_parse(FL_STR("10.0.0.0/"), &network));
  assert_false(fl_network_parse(FL_STR("/8"), &network));
  assert_false(fl_address_parse(FL_STR("1.2.3"), bytes));
  assert_false(fl_address_parse(FL_STR(""), bytes));
}

static bool holds(const char *where, const fl_event *event) {
  fl_filter *filter = NULL;
  fl_err err = {0};
  if (fl_filter_compile(fl_str_of(where), &filter, &err) != FL_OK) fail_msg("%s", err.text);
  const bool is_true = fl_filter_event(filter, event);
  fl_filter_free(filter);
  return is_true;
}

static fl_value number_value(int64_t number) {
  return (fl_value){.kind = FL_V_INT, .as.integer = number};
}

static void comparisons(void **state) {
  (void)state;
  const fl_value items[] = {
      number_value(3), {.kind = FL_V_STR, .as.text = FL_STR("Four")}, {.kind = FL_V_NULL}};
  const fl_field data[] = {
      {FL_STR("code"), {.kind = FL_V_STR, .as.text = FL_STR("0x904")}},
      {FL_STR("status"), number_value(-2146893007)},
      {FL_STR("big"), {.kind = FL_V_UINT, .as.natural = UINT64_MAX}},
      {FL_STR("ratio"), {.kind = FL_V_FLOAT, .as.real = 0.5}},
      {FL_STR("on"), {.kind = FL_V_BOOL, .as.boolean = true}},
      {FL_STR("name"), {.kind = FL_V_STR, .as.text = FL_STR("LsaSs.exe")}},
      {FL_STR("empty"), {.kind = FL_V_STR}},
      {FL_STR("none"), {.kind = FL_V_NULL}},
      {FL_STR("address"), {.kind = FL_V_STR, .as.text = FL_STR("::ffff:10.1.2.3")}},
      {FL_STR("list"), {.kind = FL_V_LIST, .as.list = {items, 3}}},
  };
  const fl_event event = {.data = data,
                          .n_data = sizeof data / sizeof *data,
                          .event_id = 1026,
                          .level = -1,
                          .host = FL_STR("SRV01"),
                          .t = T0,
                          .kind = FL_STR("a.b"),
                          .flags = FL_F_SLACK};
  static const char *const yes[] = {"data.code == 2308",
                                    "data.code == 0x904",
                                    "data.code == \"0X904\"",
                                    "data.code in (1, 2308)",
                                    "data.code > 2307",
                                    "data.status == 0x80090331",
                                    "data.status == -2146893007",
                                    "data.status in (0x80090331)",
                                    "data.status < 0",
                                    "data.status != 1",
                                    "data.on == true",
                                    "data.on != false",
                                    "data.on == 1",
                                    "data.on == \"TRUE\"",
                                    "data.ratio == \"0.5\"",
                                    "data.name == \"lsass.EXE\"",
                                    "data.name contains \"SASS\"",
                                    "data.name icontains \"SASS\" cased",
                                    "data.name startswith \"lsa\"",
                                    "data.name endswith \".exe\" cased",
                                    "data.name exists",
                                    "not data.empty exists",
                                    "not data.none exists",
                                    "data.missing != 3",
                                    "not data.missing == 3",
                                    "data.address cidr \"10.0.0.0/8\"",
                                    "not data.address cidr \"11.0.0.0/8\"",
                                    "data.list == 3",
                                    "data.list == \"four\"",
                                    "data.list contains \"ou\"",
                                    "data.list in (9, \"FOUR\")",
                                    "not data.list == 5",
                                    "data.list != 5",
                                    "data.list exists",
                                    "event_id == 1026",
                                    "id >= 1026",
                                    "host == \"srv01\"",
                                    "event.host contains \"rv\"",
                                    "data.code == 2308",
                                    "kind startswith \"a.\"",
                                    "time >= \"2023-11-14T22:13:20Z\"",
                                    "time < \"2023-11-15\"",
                                    "time == \"2023-11-14T22:13:20Z\"",
                                    "flags == 1",
                                    "not level exists",
                                    "level != 3",
                                    "(id == 1 or id == 1026) and not (host == \"x\")",
                                    "id == 1 or id == 1026 and host == \"srv01\"",
                                    "data.big == \"18446744073709551615\"",
                                    "data.\"name\" exists",
                                    "data.code <= \"2308\""};
  static const char *const no[] = {"data.code == \"904\"",
                                   "data.name contains \"SASS\" cased",
                                   "data.name startswith \"x\"",
                                   "data.missing == 3",
                                   "data.missing contains \"\"",
                                   "data.big > 3",
                                   "data.ratio > 0",
                                   "data.name > 3",
                                   "data.on == 0",
                                   "data.list == \"thr\"",
                                   "data.address cidr \"fe80::/10\"",
                                   "data.name cidr \"10.0.0.0/8\"",
                                   "time > \"2023-11-15\"",
                                   "id == 1 and id == 1026",
                                   "data.name endswith \"longer than the name itself\"",
                                   "level == 0"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    if (!holds(yes[i], &event)) fail_msg("%s is false", yes[i]);
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    if (holds(no[i], &event)) fail_msg("%s is true", no[i]);
}

static bool matches(const char *where, const char *text, size_t n) {
  const fl_field data[] = {{FL_STR("x"), {.kind = FL_V_STR, .as.text = {text, n}}},
                           {FL_STR("n"), {.kind = FL_V_INT, .as.integer = 2308}}};
  const fl_event event = {.data = data, .n_data = 2};
  return holds(where, &event);
}

static void patterns(void **state) {
  (void)state;
  assert_true(matches("data.x matches /^SVC/", "svchost.exe -k", 14));
  assert_false(matches("data.x matches /^SVC/ cased", "svchost.exe", 11));
  assert_true(matches("data.x matches /a\\/b/", "xA/bx", 5));
  assert_true(matches("data.x matches 'a/b$' and not data.x matches /zz/", "a/b", 3));
  assert_true(matches("data.x matches /a.b/s", "a\nb", 3));
  assert_false(matches("data.x matches /a.b/", "a\nb", 3));
  assert_true(matches("data.x matches /^b$/m", "a\nb", 3));
  assert_true(matches("data.n matches /^23/", "", 0));
  assert_true(matches("data.x matches /^$/", "", 0));
  assert_false(matches("data.none matches /.*/", "", 0));
  assert_true(matches("data.x matches /\xc3\xa4$/", "\xc3\x84", 2)); /* Ä and ä */
  assert_true(matches("data.x matches /b/",
                      "\xff\xfe"
                      "b",
                      3)); /* what is no UTF-8 is stepped over */
}

/* A pattern that goes back without end gives up, and is out of use after three texts. */
static void endless_patterns_stop(void **state) {
  (void)state;
  static const char *const endless[] = {"(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a+)+[bc]",
                                        "(a*a*)*[bc]"};
  enum { LONG = 200 << 10 };
  char *text = malloc(LONG);
  assert_non_null(text);
  memset(text, 'a', LONG);
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    fl_arena *arena = fl_arena_create(1 << 20);
    fl_pattern *set = NULL, *pattern = NULL;
    assert_int_equal(fl_pattern_add(&set, fl_str_of(endless[i]), 0, arena, &pattern, NULL), FL_OK);
    for (unsigned k = 0; k < 5; k++) {
      assert_false(fl_pattern_fits(pattern, (fl_str){text, LONG}));
      assert_int_equal(pattern->n_given_up, k < 3 ? k + 1 : 3);
    }
    assert_false(fl_pattern_fits(pattern, FL_STR("aab")));
    fl_patterns_done(set);
    fl_arena_free(arena);
  }
  free(text);
}

static void sources_fit(void **state) {
  (void)state;
  static const uint32_t ids[] = {1, 2};
  const fl_event event = {
      .provider = FL_STR("P"), .channel = FL_STR("C"), .kind = FL_STR("rdp.x"), .event_id = 2};
  const fl_event_source all = {.provider = FL_STR("p"),
                               .channel = FL_STR("c"),
                               .kind = FL_STR("rdp."),
                               .kind_is_prefix = true,
                               .ids = ids,
                               .n_ids = 2};
  assert_true(fl_event_source_fits(&all, &event));
  const fl_event_source whole = {.kind = FL_STR("rdp.")};
  assert_false(fl_event_source_fits(&whole, &event));
  const fl_event_source longer = {.kind = FL_STR("rdp.xyz"), .kind_is_prefix = true};
  assert_false(fl_event_source_fits(&longer, &event));
  const fl_event_source other = {.ids = ids, .n_ids = 1};
  assert_false(fl_event_source_fits(&other, &event));
  const fl_event_source any = {.kind_is_prefix = true};
  assert_true(fl_event_source_fits(&any, &event));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(normal_forms),          cmocka_unit_test(networks),
      cmocka_unit_test(comparisons),           cmocka_unit_test(patterns),
      cmocka_unit_test(endless_patterns_stop), cmocka_unit_test(sources_fit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
