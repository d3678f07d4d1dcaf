/* code_logs.c - the logs that short names in texts of codes stand for. */
#include "report/code_logs.h"

#include <string.h>

#include "base/text.h"

static const fl_log_name names[] = {
    {"RDPClient", "client: Microsoft-Windows-TerminalServices-RDPClient/Operational"},
    {"RdpCoreTS", "host: Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"},
    {"RCM",
     "host: Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational; 1003 to 1158: "
     "System, or its Admin log"},
    {"LSM", "host: Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"},
    {"SessionBroker-Client",
     "host: Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational"},
    {"SessionBroker", "broker: Microsoft-Windows-TerminalServices-SessionBroker/Operational"},
    {"gateway event", "gateway: Microsoft-Windows-TerminalServices-Gateway/Operational"},
    {"gateway events", "gateway: Microsoft-Windows-TerminalServices-Gateway/Operational"},
    {"NPS", "NPS server: Security"},
    {"CAPI2", "Microsoft-Windows-CAPI2/Operational, which is off by default"},
    {"WLAN", "client: Microsoft-Windows-WLAN-AutoConfig/Operational"},
    {"NetworkProfile", "client: Microsoft-Windows-NetworkProfile/Operational"},
    {"RasClient", "client: Application"},
    {"Schannel", "System"},
    {"SCM", "System, source Service Control Manager"},
    {"TermDD", "host: System"},
    {"NETLOGON", "System"},
    {"DNS-Client", "client: System, source Microsoft-Windows-DNS-Client"},
    {"Kernel-Power", "System"},
    {"Time-Service", "System"},
    {"User32", "System"},
    {"DriverFrameworks", "host: System"},
    {"Resource-Exhaustion-Detector", "System"},
    {"Application Error", "Application"}};

static bool is_word(char c) {
  return fl_is_digit(c) || c == '-' || (fl_lower(c) >= 'a' && fl_lower(c) <= 'z');
}

static bool has_word(const char *text, const char *word) {
  const size_t n = strlen(word);
  for (const char *at = text ? strstr(text, word) : NULL; at; at = strstr(at + 1, word))
    if ((at == text || !is_word(at[-1])) && !is_word(at[n])) return true;
  return false;
}

size_t fl_logs_named(const char *const *texts, size_t n_texts,
                     const fl_log_name *ret_names[FL_LOG_NAMES_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names && n < FL_LOG_NAMES_MAX; i++) {
    bool is_named = false;
    for (size_t k = 0; k < n_texts; k++) is_named = is_named || has_word(texts[k], names[i].name);
    if (is_named) ret_names[n++] = &names[i];
  }
  return n;
}
