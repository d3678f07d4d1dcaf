/* normalize_test.c - rows become events with normalised fields and a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/facts/rows.h"

#define RDPCORETS "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
#define LSM "Microsoft-Windows-TerminalServices-LocalSessionManager"
#define RCM "Microsoft-Windows-TerminalServices-RemoteConnectionManager"

static fl_event build(const hand_row *h, fl_arena *arena) {
  fl_event event = {0};
  fl_err err = {0};
  assert_int_equal(fl_event_build(&h->batch, &h->row, arena, &event, &err), FL_OK);
  return event;
}

static void expect_text(const fl_event *event, fl_arena *arena, const char *name,
                        const char *text) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  if (!text) {
    assert_null(value);
    return;
  }
  if (!value) fail_msg("no field %s", name);
  const fl_str shown = fl_value_text(value, arena);
  if (!fl_str_eq(shown, fl_str_of(text)))
    fail_msg("%s is '%.*s', not '%s'", name, FL_STR_ARG(shown), text);
}

/* One field of one event becomes one normalised field. */
static void one(const char *provider, const char *id, const char *theirs, const char *recorded,
                const char *ours, const char *text) {
  fl_arena *arena = fl_arena_create(1 << 20);
  hand_row h;
  hand_start(&h, provider, id);
  hand_field(&h, theirs, recorded);
  const fl_event event = build(&h, arena);
  assert_true(event.kind.n > 0);
  expect_text(&event, arena, ours, text);
  fl_arena_free(arena);
}

static void endpoints(void **state) {
  (void)state;
  static const char *const rows[][3] = {{"62.170.2.215:50270", "62.170.2.215", "50270"},
                                        {"[::1]:99", "::1", "99"},
                                        {"[1.2.3.4]:5", "1.2.3.4", "5"},
                                        {"fe80::80AC:1%10", "fe80::80ac:1", NULL},
                                        {"::ffff:10.0.0.1", "10.0.0.1", NULL},
                                        {"LOCAL", NULL, NULL},
                                        {"::%16777216", NULL, NULL},
                                        {"[1.2.3.4", "1.2.3.4", NULL},
                                        {"1.2.3.4:99999", "1.2.3.4", NULL},
                                        {"0.0.0.0:1", NULL, "1"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    one(RDPCORETS, "131", "ClientIP", rows[i][0], "client_ip", rows[i][1]);
    one(RDPCORETS, "131", "ClientIP", rows[i][0], "client_port", rows[i][2]);
  }
}

static void methods(void **state) {
  (void)state;
  one(RDPCORETS, "72", "MethodName", "PreDisconnect(-805306367)", "method", "PreDisconnect");
  one(RDPCORETS, "72", "MethodName", "PreDisconnect(-805306367)", "argument", "3489660929");
  one(RDPCORETS, "72", "MethodName", "SetErrorInfo(0x7)", "argument", "7");
  one(RDPCORETS, "72", "MethodName", "ConnectNotify(SessionId=2)", "argument", "2");
  one(RDPCORETS, "72", "MethodName", "OnDisconnected(server initiated)", "detail",
      "server initiated");
  one(RDPCORETS, "72", "MethodName", "OnDisconnected(server initiated)", "argument", NULL);
  one(RDPCORETS, "72", "MethodName", "OnStartLicensing", "method", "OnStartLicensing");
}

/* The last DWORD of TermDD 56: 0xD… is an NTSTATUS in an HRESULT, 0x8… stays what it is. */
static void unmapping(void **state) {
  (void)state;
  static const char head[] = "00040000020030000000000038000AC0";
  char blob[sizeof head + 8];
  static const char *const tails[][2] = {{"840100D0", "3221225860"},  /* 0xC0000184 */
                                         {"B50000D0", "3221225653"},  /* 0xC00000B5 */
                                         {"30030980", "2148074288"},  /* 0x80090330 */
                                         {"5E0000C0", "3221225566"}}; /* 0xC000005E */
  for (size_t i = 0; i < 4; i++) {
    memcpy(blob, head, sizeof head - 1);
    memcpy(blob + sizeof head - 1, tails[i][0], 9);
    one("TermDD", "56", "Binary", blob, "status", tails[i][1]);
  }
  /* What is no status by its form is none. */
  one("TermDD", "56", "Binary", "0000000005000000", "status", NULL);
  one("TermDD", "50", "Binary", "00000000B50000D0", "status", "3221225653");
  one("TermDD", "50", "Binary", "0000000000000040", "status", NULL);
  one("TermDD", "56", "Binary", "840100D", "status", NULL);
  one("TermDD", "56", "Binary", "XX0100D0", "status", NULL);
  one("NETLOGON", "5719", "Binary", "5E0000C0", "status", "3221225566");
}

static void services(void **state) {
  (void)state;
  static const char running[] = "5400650072006D0053006500720076006900630065002F0034000000";
  one("Service Control Manager", "7036", "Binary", running, "service", "TermService");
  one("Service Control Manager", "7036", "Binary", running, "state", "running");
  one("Service Control Manager", "7036", "Binary",
      "5400650072006D0053006500720076006900630065002F0031000000", "state", "stopped");
  one("Service Control Manager", "7031", "Binary",
      "5400650072006D0053006500720076006900630065000000", "service", "TermService");
  one("Service Control Manager", "7000", "param2", "%%1053", "error", "1053");
  one("Service Control Manager", "7036", "Binary", "5", "service", NULL);
}

/* Words in the language of the machine; one that is not known claims nothing. */
static void localised_words(void **state) {
  (void)state;
  const char *rcm = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
  one("Schannel", "36870", "Type", "server", "side", "server");
  one("Schannel", "36870", "Type", "Serveur", "side", "server");
  one("Schannel", "36870", "Type", "サーバー", "side", "server");
  one("Schannel", "36871", "Type", "istemci", "side", "client");
  one("Schannel", "36870", "Type", "xyz", "side", NULL);
  one("Service Control Manager", "7031", "param1", "リモート デスクトップ サービス", "service",
      "TermService");
  one("Service Control Manager", "7034", "param1", "Druckwarteschlange", "service", NULL);
  one(rcm, "1057", "Binary", "05000780", "status", "2147942405");
  one(rcm, "1057", "Data", "Zugriff verweigert", "status", "2147942405");
  one(rcm, "1058", "Data", "Keyset does not exist", "status", "2148073494");
  one(rcm, "1058", "Data", "アクセスが拒否されました。", "status", "2147942405");
  one(rcm, "1058", "Data", "etwas anderes", "status", NULL);
}

static void several_types(void **state) {
  (void)state;
  one(LSM, "21", "User", "WINDOMAIN\\vagrant", "user", "vagrant");
  one(LSM, "21", "User", "WINDOMAIN\\vagrant", "domain", "WINDOMAIN");
  one(LSM, "21", "Address", "YEREL", "client_ip", NULL);
  one(LSM, "21", "Address", "YEREL", "address", "YEREL");
  one(LSM, "40", "Reason", "3489660929", "reason", "3489660929");
  one(RDPCORETS, "135", "TransportType", "TCP: Reason Code: 2 (Forced by Server Configuration)",
      "transport", "tcp");
  one(RDPCORETS, "135", "TransportType", "UDP", "transport", "udp");
  one(RDPCORETS, "104", "TimezoneBiasHour", "[-5]", "bias_h", "-5");
  one(RDPCORETS, "226", "ErrorCode", "0x80070040", "error", "2147942464");
  one("Microsoft-Windows-TerminalServices-ClientActiveXCore", "1033", "CustomLevel",
      "SL::OnDisconnected, Error code 0xE09", "code", "3593");
  one("Microsoft-Windows-DNS-Client", "1014", "QueryName", "Host.Example.com.", "name",
      "host.example.com");
  one("Microsoft-Windows-DNS-Client", "1014", "Address", "02000035C0A8020200000000", "server",
      "192.168.2.2");
  one("Microsoft-Windows-WindowsUpdateClient", "19", "updateTitle", "Update (KB5041578)", "kb",
      "KB5041578");
  one(RCM, "1056", "Binary", "D6D3ABB4085A03B7C61D7F1B67FEA23864019D29", "thumbprint",
      "D6D3ABB4085A03B7C61D7F1B67FEA23864019D29");
  one("Microsoft-Windows-CAPI2", "11", "CertGetCertificateChain.Result@value", "800B0109", "result",
      "2148204809");
  one("Microsoft-Windows-Security-Auditing", "4624", "ProcessName", "-", "process", NULL);
  one("EventLog", "6008", "Binary", "E707050001001D00020029000200B803", "at",
      "2023-05-29T02:41:02.952");
}

/* Codes, times and names of crashes, as each log writes them. */
static void crash_records(void **state) {
  (void)state;
  const char *wer = "Microsoft-Windows-WER-SystemErrorReporting";
  static const char stop[] = "0x1000007e (0xffffffffc0000005, 0xfffff8023e9b1234, 0x3, 0x4)";
  one("Application Error", "1000", "AppName", "svchost.exe_TermService", "service", "TermService");
  one("Application Error", "1000", "AppName", "mstsc.exe", "service", NULL);
  one("Application Error", "1000", "AppName", "svchost.exe_", "service", NULL);
  one("Application Error", "1000", "ProcessCreationTime", "01dcb05e7a3f2b10", "started",
      "2026-03-10T07:21:13.8646800Z");
  one("Application Error", "1000", "ProcessCreationTime", "0x0", "started", NULL);
  one("Application Hang", "1002", "ProcessId", "1f2c", "pid", "7980");
  one("Windows Error Reporting", "1001", "P1", "svchost.exe_UmRdpService", "service",
      "UmRdpService");
  one("Microsoft-Windows-Wininit", "1015", "param1", "C:\\Windows\\system32\\lsass.exe", "process",
      "lsass.exe");
  one("Microsoft-Windows-Wininit", "1015", "param2", "c0000005", "status", "3221225477");
  one(".NET Runtime", "1026", "Data", "Anwendung: RD Client.exe\nFrameworkversion: v4.0", "process",
      "RD Client.exe");
  one(".NET Runtime", "1026", "Data", "x: y\nAusnahmeinfo: System.IO.IOException\n bei A.B()",
      "exception_type", "System.IO.IOException");
  one(".NET Runtime", "1026", "Data", "no program", "process", NULL);
  one(wer, "1001", "param1", stop, "bugcheck", "268435582");
  one(wer, "1001", "param1", stop, "parameter1", "18446744072635809797");
  one(wer, "1001", "param1", stop, "parameter4", "4");
  one(wer, "1001", "param1", "0x0000007e (0x1)", "parameter2", NULL);
  one("Microsoft-Windows-Kernel-Power", "41", "BugcheckParameter2", "0xfffff8023e9b1234",
      "parameter2", "18446735287256814132");
  one("EventLog", "6008", "Binary",
      "E707050001001D00020029000200B803E707050001001D00060029000200B803", "at_utc",
      "2023-05-29T06:41:02.952Z");
  one("EventLog", "6008", "Binary", "E707050001001D00020029000200B803", "at_utc", NULL);
}

/* SubStatus decides, unless it is 0: then Status. */
static void logon_status(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  hand_row h;
  hand_start(&h, "Microsoft-Windows-Security-Auditing", "4625");
  hand_field(&h, "Status", "0xc000006e");
  hand_field(&h, "SubStatus", "0x0");
  hand_field(&h, "TargetUserName", "-");
  hand_field(&h, "IpAddress", "-");
  const fl_event event = build(&h, arena);
  expect_text(&event, arena, "status", "3221225582");
  expect_text(&event, arena, "user", NULL);
  expect_text(&event, arena, "client_ip", NULL);
  fl_arena_free(arena);
}

static void unnamed_items(void **state) {
  (void)state;
  static const char *const items[] = {"mstsc.exe", "10.0",     "ts",   "mstscax.dll", "10.1",
                                      "ts2",       "c0000005", "1234", "1a4"};
  fl_arena *arena = fl_arena_create(1 << 20);
  hand_row h;
  hand_start(&h, "application error", "1000");
  hand_list(&h, items, 9);
  const fl_event event = build(&h, arena);
  expect_text(&event, arena, "process", "mstsc.exe");
  expect_text(&event, arena, "pid", "420");
  expect_text(&event, arena, "Data#4", "mstscax.dll");
  expect_text(&event, arena, "data#10", NULL);
  expect_text(&event, arena, "data#0", NULL);
  assert_true(fl_str_eq(fl_event_sentence(&event, arena),
                        FL_STR("mstsc.exe crashed in mstscax.dll with exception 0xc0000005")));
  fl_arena_free(arena);
}

static void columns(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  hand_row h;
  hand_start(&h, "Nobody", "7");
  h.shape.columns[FL_C_ACTIVITY_ID] = text_ref("{f4b6ab10-1a2b-4c3d-8e4f-0123456789ab}");
  h.shape.columns[FL_C_RECORD_ID] = text_ref("12");
  h.row.header_record_id = 13;
  h.row.t = h.row.t_written = 5;
  hand_field(&h, "Store Type", "3");
  const fl_event event = build(&h, arena);
  assert_true(fl_str_eq(event.activity_id, FL_STR("F4B6AB10-1A2B-4C3D-8E4F-0123456789AB")));
  assert_int_equal(event.record_id, 12);
  assert_int_equal(event.header_record_id, 13);
  assert_int_equal(event.level, -1);
  assert_int_equal(event.t_written, 0);
  assert_int_equal(event.kind.n, 0);
  assert_int_equal(fl_event_sentence(&event, arena).n, 0);
  expect_text(&event, arena, "storetype", "3");
  expect_text(&event, arena, "STORE TYPE", "3");
  expect_text(&event, arena, "store", NULL);
  fl_arena_free(arena);
}

static void constants_and_sentences(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  hand_row h;
  hand_start(&h, RDPCORETS, "143");
  hand_field(&h, "error", "121");
  fl_event event = build(&h, arena);
  expect_text(&event, arena, "operation", "write");
  assert_true(fl_str_eq(fl_event_sentence(&event, arena),
                        FL_STR("writing to the socket failed with Win32 error 121")));
  hand_start(&h, "Microsoft-Windows-TerminalServices-ClientActiveXCore", "1026");
  hand_field(&h, "Value", "2308");
  event = build(&h, arena);
  assert_true(fl_str_eq(fl_event_sentence(&event, arena),
                        FL_STR("the client ended the attempt with code 0x904 (2308)")));
  hand_start(&h, "Microsoft-Windows-TerminalServices-ClientActiveXCore", "1026");
  event = build(&h, arena);
  assert_true(fl_str_eq(fl_event_sentence(&event, arena),
                        FL_STR("the client ended the attempt with code ? (?)")));
  fl_arena_free(arena);
}

/* A small arena gives FL_E_NOMEM and never half an event. */
static void out_of_memory(void **state) {
  (void)state;
  for (size_t cap = 0; cap < 2048; cap += 16) {
    fl_arena *arena = fl_arena_create(cap);
    assert_non_null(arena);
    hand_row h;
    fl_event event = {0};
    fl_err err = {0};
    hand_start(&h, RDPCORETS, "131");
    hand_field(&h, "ConnType", "TCP");
    hand_field(&h, "ClientIP", "62.170.2.215:50270");
    const fl_status s = fl_event_build(&h.batch, &h.row, arena, &event, &err);
    assert_true(s == FL_OK || s == FL_E_NOMEM);
    if (s == FL_OK) assert_int_equal(event.n_data, 2);
    fl_arena_free(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(endpoints),       cmocka_unit_test(methods),
      cmocka_unit_test(unmapping),       cmocka_unit_test(services),
      cmocka_unit_test(localised_words), cmocka_unit_test(several_types),
      cmocka_unit_test(crash_records),   cmocka_unit_test(logon_status),
      cmocka_unit_test(unnamed_items),   cmocka_unit_test(columns),
      cmocka_unit_test(out_of_memory),   cmocka_unit_test(constants_and_sentences)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
