/* codes_test.c - every code is reached by each of its notations, and the tables never mix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/facts.h"

enum { CAP = 16 };

static bool reaches(const char *text, const fl_code_fact *fact) {
  const fl_code_fact *found[CAP];
  uint32_t code = 0;
  fl_status s = FL_E_INTERNAL;
  const size_t n = fl_code_parse(fl_str_of(text), found, CAP, &code, &s);
  assert_int_equal(s, FL_OK);
  for (size_t i = 0; i < n; i++)
    if (found[i] == fact) return true;
  return false;
}

/* Hexadecimal in both cases and as 64 bits, decimal, signed decimal. */
static void check_number(uint32_t code, const fl_code_fact *fact) {
  static const char *const forms[] = {"0x%x", "0X%08X", "%u", "%d", " (0x%x). "};
  char text[64];
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, forms[i], code);
#pragma GCC diagnostic pop
    if (!reaches(text, fact)) fail_msg("%s is not reached", text);
  }
  if (code >> 31 == 0) return;
  (void)snprintf(text, sizeof text, "0xffffffff%08x", code);
  if (!reaches(text, fact)) fail_msg("%s is not reached", text);
}

/* As it is, with the kind of number in front, and by its name in any case. */
static void check_symbol(const fl_code_fact *fact) {
  char text[128];
  (void)snprintf(text, sizeof text, "%s:%u", fl_code_space_names[fact->space], fact->code);
  if (!reaches(text, fact)) fail_msg("%s is not reached", text);
  if (strlen(fact->symbol) < 4) return;
  assert_true(strlen(fact->symbol) < sizeof text);
  for (unsigned is_upper = 0; is_upper < 2; is_upper++) {
    size_t n = 0;
    for (; fact->symbol[n]; n++) {
      const char c = fact->symbol[n];
      const bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
      text[n] = (char)(is_letter ? (is_upper ? c & ~0x20 : c | 0x20) : c);
    }
    text[n] = 0;
    if (!reaches(text, fact)) fail_msg("%s is not reached", text);
  }
}

static void check_row(const fl_code_fact *fact) {
  assert_ptr_equal(fl_code_find(fact->space, fact->code), fact);
  assert_true(fact->meaning[0] && fact->source[0] && fact->layer[0]);
  check_number(fact->code, fact);
  check_symbol(fact);
  /* A Win32 error inside an HRESULT, an NTSTATUS inside one, and what the gateway's log leaves of
   * its results. */
  if (fact->space == FL_CODE_WIN32) check_number(fact->code | UINT32_C(0x80070000), fact);
  if (fact->space == FL_CODE_NTSTATUS) check_number(fact->code | UINT32_C(0x10000000), fact);
  if (fact->space == FL_CODE_GATEWAY && fact->code >> 16) check_number(fact->code & 0xffff, fact);
}

static void every_row_is_reached(void **state) {
  (void)state;
  size_t n_all = 0;
  for (int space = 0; space < FL_CODE_N_SPACES; space++) {
    const fl_code_fact *facts;
    const size_t n = fl_code_facts((fl_code_space)space, &facts);
    assert_true(n > 0 && fl_code_space_names[space]);
    for (size_t i = 0; i < n; i++) {
      assert_int_equal(facts[i].space, space);
      if (i > 0) assert_true(facts[i - 1].code < facts[i].code);
      check_row(&facts[i]);
    }
    n_all += n;
  }
  assert_true(n_all > 400);
}

/* Whoever is told several causes is told how to tell them apart. */
static void several_causes_have_evidence(void **state) {
  (void)state;
  for (int space = 0; space < FL_CODE_N_SPACES; space++) {
    const fl_code_fact *facts;
    const size_t n = fl_code_facts((fl_code_space)space, &facts);
    for (size_t i = 0; i < n; i++)
      if (strchr(facts[i].causes, ';') && !facts[i].separate[0])
        fail_msg("%s 0x%x has causes and no evidence", fl_code_space_names[space], facts[i].code);
  }
}

static size_t parse(const char *text, const fl_code_fact *found[CAP], uint32_t *ret_code) {
  fl_status s = FL_E_INTERNAL;
  const size_t n = fl_code_parse(fl_str_of(text), found, CAP, ret_code, &s);
  assert_int_equal(s, FL_OK);
  return n;
}

static void notations(void **state) {
  (void)state;
  const fl_code_fact *found[CAP];
  uint32_t code = 0;
  assert_true(parse(" 0x904 ", found, &code) >= 1);
  assert_int_equal(found[0]->space, FL_CODE_DISCONNECT);
  assert_int_equal(code, 2308);
  /* NTSTATUS inside an HRESULT; an HRESULT of a security package is no NTSTATUS. */
  assert_int_equal(parse("0xD00000B5", found, &code), 1);
  assert_string_equal(found[0]->symbol, "STATUS_IO_TIMEOUT");
  assert_int_equal(parse("3489660929", found, &code), 1);
  assert_string_equal(found[0]->symbol, "STATUS_UNSUCCESSFUL");
  assert_int_equal(parse("0x80090330", found, &code), 1);
  assert_string_equal(found[0]->symbol, "SEC_E_DECRYPT_FAILURE");
  assert_int_equal(parse("-2146893007", found, &code), 1);
  assert_string_equal(found[0]->symbol, "SEC_E_ALGORITHM_MISMATCH");
  assert_int_equal(parse("c000006d", found, &code), 1);
  assert_string_equal(found[0]->symbol, "STATUS_LOGON_FAILURE");
  assert_int_equal(parse("0xffffffff80090331", found, &code), 1);
  assert_int_equal(code, 0x80090331);
  /* A Win32 error inside an HRESULT. */
  assert_int_equal(parse("0x8007274d", found, &code), 1);
  assert_string_equal(found[0]->symbol, "WSAECONNREFUSED");
  assert_int_equal(parse("23002", found, &code), 1);
  assert_string_equal(found[0]->symbol, "E_PROXY_RAP_ACCESSDENIED");
  assert_int_equal(parse("-2147024891", found, &code), 2);
  assert_string_equal(found[0]->symbol, "E_ACCESSDENIED");
  assert_string_equal(found[1]->symbol, "ERROR_ACCESS_DENIED");
}

/* A kind of number in front leaves no doubt; a made name holds another. */
static void prefixes_and_made_names(void **state) {
  (void)state;
  const fl_code_fact *found[CAP];
  uint32_t code = 0;
  assert_int_equal(parse("win32:5", found, &code), 1);
  assert_string_equal(found[0]->symbol, "ERROR_ACCESS_DENIED");
  assert_int_equal(parse("Extended: 0x5", found, &code), 1);
  assert_string_equal(found[0]->symbol, "exDiscReasonReplacedByOtherConnection");
  assert_int_equal(parse("RdpCoreTS103:13", found, &code), 1);
  assert_int_equal(found[0]->space, FL_CODE_RDPCORETS_103);
  assert_int_equal(parse("primary:7", found, &code), 0);
  assert_int_equal(code, 7);
  assert_int_equal(parse("HRESULT_FROM_NT(STATUS_UNSUCCESSFUL)", found, &code), 1);
  assert_int_equal(code, 0xd0000001);
  assert_string_equal(found[0]->symbol, "STATUS_UNSUCCESSFUL");
  assert_int_equal(parse("hresult_from_win32(wsaeconnreset)", found, &code), 1);
  assert_int_equal(code, 0x80072746);
  assert_int_equal(parse("schannel:10013", found, &code), 1);
  assert_int_equal(parse("10013", found, &code), 2);
  assert_int_equal(found[0]->space, FL_CODE_WIN32);
}

static void check_reason(uint32_t code, fl_code_space space, const char *symbol) {
  const fl_code_fact *fact = fl_code_of_reason(code);
  assert_non_null(fact);
  assert_int_equal(fact->space, space);
  assert_string_equal(fact->symbol, symbol);
}

/* Session reasons are extended ones when small; others say by their form what they are. */
static void reasons_of_sessions(void **state) {
  (void)state;
  check_reason(5, FL_CODE_EXTENDED, "exDiscReasonReplacedByOtherConnection");
  check_reason(0x11, FL_CODE_ERRINFO, "ERRINFO_CLOSE_STACK_ON_DRIVER_FAILURE");
  check_reason(3489660929, FL_CODE_NTSTATUS, "STATUS_UNSUCCESSFUL");
  check_reason(0xc0000184, FL_CODE_NTSTATUS, "STATUS_INVALID_DEVICE_STATE");
  check_reason(2147942464, FL_CODE_HRESULT, "HRESULT_FROM_WIN32(ERROR_NETNAME_DELETED)");
  check_reason(2147942521, FL_CODE_HRESULT, "HRESULT_FROM_WIN32(ERROR_SEM_TIMEOUT)");
  check_reason(0x80072746, FL_CODE_WIN32, "WSAECONNRESET");
  check_reason(0x80090330, FL_CODE_HRESULT, "SEC_E_DECRYPT_FAILURE");
  assert_null(fl_code_of_reason(0x904));
  assert_null(fl_code_of_reason(0x90090330));
  assert_null(fl_code_of_status(5));
}

static void symbols(void **state) {
  (void)state;
  const fl_code_fact *found[CAP];
  uint32_t code = 0;
  assert_int_equal(parse("exdiscreasonserverdeniedconnection", found, &code), 1);
  assert_int_equal(found[0]->space, FL_CODE_EXTENDED);
  assert_int_equal(code, 7);
  assert_int_equal(parse("ServerDeniedConnection", found, &code), 2);
  assert_int_equal(found[0]->space, FL_CODE_EXTENDED);
  assert_int_equal(found[1]->space, FL_CODE_ERRINFO);
  assert_int_equal(parse("WinsockFDCLOSE", found, &code), 1);
  assert_int_equal(code, 0x904);
}

/* 263 is a primary reason and a licensing one: both are told, the primary one first. */
static void small_numbers_keep_their_spaces(void **state) {
  (void)state;
  const fl_code_fact *found[CAP];
  uint32_t code = 0;
  assert_int_equal(parse("263", found, &code), 3);
  assert_int_equal(found[0]->space, FL_CODE_DISCONNECT);
  assert_int_equal(found[1]->space, FL_CODE_EXTENDED);
  assert_int_equal(found[2]->space, FL_CODE_ERRINFO);
  const fl_code_fact *received = fl_code_find(FL_CODE_DISCONNECT, 0x404);
  assert_string_equal(received->symbol, "disconnectReasonSocketRecvFailed");
}

static void unknown_and_nonsense(void **state) {
  (void)state;
  const fl_code_fact *found[CAP];
  static const char *const nonsense[] = {
      "",    "0x",    "hello world", "no_such_symbol_here", "0x1ffffffff", "-99999999999", "--5",
      "abc", "error", "user",        "connection",          "Error",       "close"};
  uint32_t code = 0;
  fl_status s = FL_E_INTERNAL;
  assert_int_equal(parse("0x3304", found, &code), 0);
  assert_int_equal(code, 0x3304);
  for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
    assert_int_equal(fl_code_parse(fl_str_of(nonsense[i]), found, CAP, &code, &s), 0);
    assert_int_equal(s, FL_E_ARG);
  }
  assert_int_equal(fl_code_parse(FL_STR("7"), found, 1, &code, &s), 1);
}

/* Digits without 0x: offered where they mean nothing themselves. */
static void left_out_prefix(void **state) {
  (void)state;
  assert_int_equal(fl_code_meant(FL_STR("904"))->code, 0x904);
  assert_int_equal(fl_code_meant(FL_STR("204"))->code, 0x204);
  assert_null(fl_code_meant(FL_STR("2308")));
  assert_null(fl_code_meant(FL_STR("0x904")));
  assert_null(fl_code_meant(FL_STR("90x4")));
  assert_null(fl_code_meant(FL_STR("123456789")));
  assert_null(fl_code_meant(FL_STR("7")));
}

/* Who asks for a code wants to know what to do: these spaces answer for every failure. */
static void failures_have_causes(void **state) {
  (void)state;
  static const fl_code_space spaces[] = {FL_CODE_NTSTATUS, FL_CODE_GATEWAY, FL_CODE_TLS_ALERT,
                                         FL_CODE_NEG_FAILURE, FL_CODE_RDPCORETS_103};
  for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    const fl_code_fact *facts;
    const size_t n = fl_code_facts(spaces[i], &facts);
    for (size_t k = 0; k < n; k++)
      if (facts[k].code != 0xc0000001 && facts[k].code != 14 &&
          (!facts[k].causes[0] || !facts[k].separate[0]))
        fail_msg("0x%x has no causes or no evidence", facts[k].code);
  }
  const fl_code_fact *facts;
  const size_t n = fl_code_facts(FL_CODE_DISCONNECT, &facts);
  for (size_t k = 0; k < n; k++)
    if (facts[k].causes[0] && !facts[k].separate[0])
      fail_msg("0x%x has no evidence", facts[k].code);
}

static void causes_are_whole(void **state) {
  (void)state;
  const fl_cause_fact *causes;
  const size_t n = fl_causes(&causes);
  assert_int_equal(n, 72);
  for (size_t i = 0; i < n; i++) {
    assert_ptr_equal(fl_cause_find(fl_str_of(causes[i].id)), &causes[i]);
    assert_true(strlen(causes[i].title) <= 70);
    assert_true(causes[i].fix[0] && causes[i].check[0] && causes[i].collect[0]);
    assert_null(strstr(causes[i].fix, "ename MachineKeys"));
  }
  assert_null(fl_cause_find(FL_STR("tls")));
}

/* Each row names a cause and codes that are there, and both directions say the same. */
static void codes_of_causes(void **state) {
  (void)state;
  const fl_cause_fact *causes, *back[FL_CODE_CAUSES_MAX];
  const fl_code_fact *facts[FL_CAUSE_CODES_MAX];
  const size_t n_causes = fl_causes(&causes);
  size_t n_all = 0;
  for (size_t i = 0; i < n_causes; i++) {
    const size_t n = fl_cause_codes(&causes[i], facts, FL_CAUSE_CODES_MAX);
    assert_true(n < FL_CAUSE_CODES_MAX);
    for (size_t k = 0; k < n; k++) {
      const size_t n_back = fl_code_causes(facts[k], back, FL_CODE_CAUSES_MAX);
      assert_true(n_back < FL_CODE_CAUSES_MAX);
      size_t at = 0;
      while (at < n_back && back[at] != &causes[i]) at++;
      if (at == n_back) fail_msg("0x%x does not lead back to %s", facts[k]->code, causes[i].id);
    }
    n_all += n;
  }
  size_t n_rows = 0;
#define FL_CAUSE_CODES(cause, space, numbers)                           \
  if (!fl_cause_find(FL_STR(cause))) fail_msg("%s is no cause", cause); \
  for (const char *at = numbers; *at; at += strcspn(at, " "), at += *at == ' ') n_rows++;
#include "facts/cause_codes.def"
#undef FL_CAUSE_CODES
  assert_int_equal(n_rows, n_all);
  assert_true(fl_code_causes(fl_code_find(FL_CODE_DISCONNECT, 0x904), back, 32) > 10);
  assert_int_equal(fl_code_causes(fl_code_find(FL_CODE_ERRINFO, 7), back, 32), 2);
  assert_string_equal(back[0]->id, "srv.denied");
  assert_int_equal(fl_code_causes(fl_code_find(FL_CODE_DISCONNECT, 0x308), back, 32), 0);
}

static void near_names(void **state) {
  (void)state;
  const char *names[FL_NEAR_MAX];
  assert_true(fl_fact_near(FL_STR("STATUS_LOGIN_FAILURE"), names) >= 1);
  assert_string_equal(names[0], "STATUS_LOGON_FAILURE");
  assert_true(fl_fact_near(FL_STR("srv.denid"), names) >= 1);
  assert_string_equal(names[0], "srv.denied");
  assert_true(fl_fact_near(FL_STR("vpn"), names) >= 1);
  assert_string_equal(names[0], "net.vpn_drop");
  assert_true(fl_fact_near(FL_STR("tls"), names) >= 4);
  assert_int_equal(fl_fact_near(FL_STR(""), names), 0);
  assert_int_equal(fl_fact_near(FL_STR("hello"), names), 0);
  assert_int_equal(
      fl_fact_near(FL_STR("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
                   names),
      0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_is_reached),
                                     cmocka_unit_test(several_causes_have_evidence),
                                     cmocka_unit_test(notations),
                                     cmocka_unit_test(prefixes_and_made_names),
                                     cmocka_unit_test(reasons_of_sessions),
                                     cmocka_unit_test(symbols),
                                     cmocka_unit_test(unknown_and_nonsense),
                                     cmocka_unit_test(left_out_prefix),
                                     cmocka_unit_test(failures_have_causes),
                                     cmocka_unit_test(small_numbers_keep_their_spaces),
                                     cmocka_unit_test(codes_of_causes),
                                     cmocka_unit_test(near_names),
                                     cmocka_unit_test(causes_are_whole)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
