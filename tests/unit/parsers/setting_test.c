/* setting_test.c - which registry value is which setting, and what data of values become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parsers/reg_value.h"
#include "parsers/setting.h"

#define CCS "HKLM\\SYSTEM\\CurrentControlSet\\"

static setting of(const char *key, const char *name) {
  return setting_of(fl_str_of(key), fl_str_of(name), fl_str_of(""));
}

static void assert_text(fl_str text, const char *expected) {
  assert_int_equal(text.n, strlen(expected));
  if (text.n) assert_memory_equal(text.p, expected, text.n);
}

static void test_names_and_layers(void **state) {
  (void)state;
  setting s = of(CCS "Control\\Terminal Server", "FDENYTSCONNECTIONS");
  assert_text(s.name, "fDenyTSConnections"); /* in the one spelling */
  assert_string_equal(s.layer, "local");
  s = of("HKLM\\software\\policies\\Microsoft\\Windows NT\\Terminal Services",
         "fdenytsconnections");
  assert_text(s.name, "fDenyTSConnections");
  assert_string_equal(s.layer, "policy");
  s = of("HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services", "fSomethingNew");
  assert_text(s.name, "fSomethingNew");
  assert_text(of(CCS "Control\\Terminal Server", "Nobody").name, "");
  assert_text(of("HKLM\\SYSTEM\\ControlSet001\\Control\\Terminal Server", "TSEnabled").name, "");
  assert_text(of("HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services", "").name,
              "");
}

static void test_settings_of_users(void **state) {
  (void)state;
  static const char own[] = "HKCU\\Software\\Policies\\Microsoft\\Windows NT\\Terminal Services";
  static const char other[] =
      "HKU\\S-1-5-21-1\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services";
  assert_text(of(own, "fPromptForPassword").name, "fPromptForPassword");
  assert_text(of(other, "fPromptForPassword").name, "fPromptForPassword");
  assert_text(of("HKU\\Software\\Microsoft\\Terminal Server Client", "x").name, "");
}

static void test_parts_of_keys(void **state) {
  (void)state;
  setting s = of(CCS "Control\\Terminal Server\\WinStations\\My-Tcp", "PortNumber");
  assert_text(s.parts[SETTING_LISTENER], "My-Tcp");
  s = of(CCS "Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server", "Enabled");
  assert_text(s.name, "SchannelProtocol");
  assert_text(s.parts[SETTING_PROTOCOL], "TLS 1.2");
  assert_text(s.parts[SETTING_SIDE], "Server");
  assert_text(of(CCS "Services\\TermService", "Start").parts[SETTING_SERVICE], "TermService");
  assert_text(of(CCS "Services\\Spooler", "Start").name, "");
  assert_text(of(CCS "Services\\TermService\\Parameters", "Start").name, "");
  assert_text(of(CCS "Control\\Terminal Server\\WinStations\\a\\b", "PortNumber").name, "");
}

static void test_firewall_rules_of_ours(void **state) {
  (void)state;
  const fl_str key =
      FL_STR(CCS "Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules");
  assert_text(setting_of(key, FL_STR("{1}"), FL_STR("v2|LPort=3389|")).name, "FirewallRule");
  assert_text(setting_of(key, FL_STR("RemoteDesktop-In"), FL_STR("v2|")).name, "FirewallRule");
  assert_text(setting_of(key, FL_STR("{1}"), FL_STR("v2|LPort=33890|")).name, "");
}

/* Every row is reached by a key and name made from itself. */
static void test_rows_are_reachable(void **state) {
  (void)state;
  static const char *const keys[] = {
#define CONTROL CCS "Control"
#define SERVICES CCS "Services"
#define TERMINAL_SERVER CONTROL "\\Terminal Server"
#define WINSTATION TERMINAL_SERVER "\\WinStations\\{listener}"
#define LSA CONTROL "\\Lsa"
#define SCHANNEL CONTROL "\\SecurityProviders\\SCHANNEL"
#define FIREWALL SERVICES "\\SharedAccess\\Parameters\\FirewallPolicy"
#define POLICIES "HKLM\\SOFTWARE\\Policies\\Microsoft"
#define POLICY_TS POLICIES "\\Windows NT\\Terminal Services"
#define WINDOWS "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
#define WINDOWS_NT "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
#define FL_SETTING(key, name, setting, layer) key, name, setting, layer,
#include "parsers/settings.def"
#undef FL_SETTING
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i += 4) {
    char key[512];
    const char *service = strstr(keys[i], "{service}");
    snprintf(key, sizeof key, "%.*s%s", service ? (int)(service - keys[i]) : 500, keys[i],
             service ? "TermService" : "");
    const char *name = strcmp(keys[i + 1], "*") == 0 ? "RemoteDesktop-x" : keys[i + 1];
    const setting s = of(key, name);
    if (s.name.n == 0) print_error("%s\\%s is not found\n", key, name);
    assert_text(s.name, keys[i + 2][0] ? keys[i + 2] : name);
    assert_string_equal(s.layer, keys[i + 3]);
  }
}

static fl_raw raw(fl_arena *arena, uint32_t type, const void *data, size_t n) {
  const reg_value v = {.type = type, .data = data, .n_data = n};
  bool is_cut = false;
  return reg_value_raw(&v, arena, &is_cut);
}

static void assert_raw(fl_arena *arena, fl_raw value, const char *expected) {
  assert_text(fl_raw_text(value, arena), expected);
}

static void test_data_by_type(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  assert_raw(arena, raw(arena, REG_SZ, "a\0b\0\0\0c\0", 8), "ab");
  assert_raw(arena, raw(arena, REG_SZ, "a\0b", 3), "a"); /* half a character is none */
  assert_raw(arena, raw(arena, REG_SZ, "", 0), "");
  assert_raw(arena, raw(arena, REG_MULTI_SZ, "a\0\0\0\0\0b\0\0\0\0\0", 12), "a, b");
  assert_raw(arena, raw(arena, REG_DWORD, "\1\0\0\0", 4), "1");
  assert_raw(arena, raw(arena, REG_DWORD, "\1\0\0", 3), "010000"); /* of the wrong length */
  assert_raw(arena, raw(arena, REG_DWORD_BIG_ENDIAN, "\0\0\1\0", 4), "256");
  assert_raw(arena, raw(arena, REG_QWORD, "\0\0\0\0\1\0\0\0", 8), "4294967296");
  assert_raw(arena, raw(arena, 4711, "\1\2", 2), "0102");
  assert_raw(arena, raw(arena, REG_BINARY, "", 0), "");
  fl_arena_free(arena);
}

static void test_long_binary_is_cut(void **state) {
  (void)state;
  fl_arena *arena = fl_arena_create(1 << 20);
  static const uint8_t bytes[FL_LIMIT_SETTING_BINARY + 1];
  const reg_value v = {.type = REG_BINARY, .data = bytes, .n_data = sizeof bytes};
  bool is_cut = false;
  const fl_raw value = reg_value_raw(&v, arena, &is_cut);
  assert_true(is_cut);
  assert_int_equal(value.n, FL_LIMIT_SETTING_BINARY);
  fl_arena_free(arena);
}

static void test_roots_and_secrets(void **state) {
  (void)state;
  assert_text(reg_key_root(FL_STR("HKEY_LOCAL_MACHINE\\SOFTWARE")), "HKLM");
  assert_text(reg_key_root(FL_STR("hklm:\\x")), "HKLM");
  assert_text(reg_key_root(FL_STR("HKEY_USERS")), "HKU");
  assert_text(reg_key_root(FL_STR("HKEY_LOCAL\\x")), "");
  assert_text(reg_key_root(FL_STR("")), "");
  assert_true(setting_is_secret(FL_STR("defaultpassword")));
  assert_false(setting_is_secret(FL_STR("fPromptForPassword")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_and_layers),   cmocka_unit_test(test_settings_of_users),
      cmocka_unit_test(test_parts_of_keys),      cmocka_unit_test(test_firewall_rules_of_ours),
      cmocka_unit_test(test_rows_are_reachable), cmocka_unit_test(test_data_by_type),
      cmocka_unit_test(test_long_binary_is_cut), cmocka_unit_test(test_roots_and_secrets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
