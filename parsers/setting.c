/* setting.c - looks a registry value up in settings.def. */
#include "parsers/setting.h"

#include <string.h>

#include "base/text.h"

#define CONTROL "HKLM\\SYSTEM\\CurrentControlSet\\Control"
#define SERVICES "HKLM\\SYSTEM\\CurrentControlSet\\Services"
#define TERMINAL_SERVER CONTROL "\\Terminal Server"
#define WINSTATION TERMINAL_SERVER "\\WinStations\\{listener}"
#define LSA CONTROL "\\Lsa"
#define SCHANNEL CONTROL "\\SecurityProviders\\SCHANNEL"
#define FIREWALL SERVICES "\\SharedAccess\\Parameters\\FirewallPolicy"
#define POLICIES "HKLM\\SOFTWARE\\Policies\\Microsoft"
#define POLICY_TS POLICIES "\\Windows NT\\Terminal Services"
#define WINDOWS "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
#define WINDOWS_NT "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"

typedef struct known_setting {
  fl_str key, name, setting;
  const char *layer;
} known_setting;

static const known_setting known[] = {
#define FL_SETTING(key, name, setting, layer) \
  {{key, sizeof(key) - 1}, {name, sizeof(name) - 1}, {setting, sizeof(setting) - 1}, layer},
#include "parsers/settings.def"
#undef FL_SETTING
};

const char *const setting_part_names[SETTING_N_PARTS] = {"listener",  "service", "protocol", "side",
                                                         "algorithm", "profile", "server"};

/* Services that a connection can fail on; the start type of all others is only a value. */
static const char *const services[] = {"TermService",
                                       "UmRdpService",
                                       "SessionEnv",
                                       "RpcSs",
                                       "RpcEptMapper",
                                       "DcomLaunch",
                                       "LSM",
                                       "KeyIso",
                                       "CryptSvc",
                                       "CertPropSvc",
                                       "MpsSvc",
                                       "BFE",
                                       "NlaSvc",
                                       "netprofm",
                                       "Netlogon",
                                       "Dnscache",
                                       "Dhcp",
                                       "W32Time",
                                       "TSGateway",
                                       "Tssdis",
                                       "RDMS",
                                       "TScPubRPC",
                                       "ProfSvc",
                                       "AudioSrv",
                                       "LanmanServer",
                                       "TermServLicensing",
                                       "PolicyAgent",
                                       "RasMan",
                                       "Winmgmt",
                                       "gpsvc",
                                       "TermDD",
                                       "RDPDR",
                                       "rdpbus",
                                       "tdtcp",
                                       "tssecsrv",
                                       "RDPWD",
                                       "frxsvc",
                                       "RDAgentBootLoader",
                                       "LanmanWorkstation",
                                       "AudioEndpointBuilder"};

static fl_str from(fl_str s, size_t at) { return (fl_str){s.p + at, s.n - at}; }

static fl_str take_part(fl_str *path) {
  const char *end = path->n ? memchr(path->p, '\\', path->n) : NULL;
  const fl_str part = {path->p, end ? (size_t)(end - path->p) : path->n};
  *path = from(*path, end ? part.n + 1 : part.n);
  return part;
}

static size_t part_of(fl_str word) {
  for (size_t i = 0; i < SETTING_N_PARTS; i++)
    if (fl_str_eq(fl_str_of(setting_part_names[i]), word)) return i;
  return SETTING_N_PARTS;
}

/* Part by part; what stands for a word is kept. */
static bool fits_key(fl_str pattern, fl_str key, setting *s) {
  while (pattern.n && key.n) {
    const fl_str wanted = take_part(&pattern), part = take_part(&key);
    if (wanted.n > 2 && wanted.p[0] == '{') {
      const size_t i = part_of((fl_str){wanted.p + 1, wanted.n - 2});
      if (i < SETTING_N_PARTS) s->parts[i] = part;
    } else if (!fl_str_eq_nocase(wanted, part)) {
      return false;
    }
  }
  return pattern.n == 0 && key.n == 0;
}

static bool is_service_of_ours(fl_str name) {
  for (size_t i = 0; i < sizeof services / sizeof *services; i++)
    if (fl_str_eq_nocase(name, fl_str_of(services[i]))) return true;
  return false;
}

static bool holds(fl_str text, const char *part) {
  return text.n && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* A rule's group is a reference to the system's own texts; its name bears no language. */
static bool is_firewall_rule_of_ours(fl_str name, fl_str text) {
  return holds(name, "RemoteDesktop") || holds(text, "RemoteDesktop") ||
         holds(text, "|LPort=3389|") || holds(text, "FirewallAPI.dll,-28752");
}

/* The one spelling of a name that the table has anywhere. */
static fl_str canonical(fl_str name) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (fl_str_eq_nocase(known[i].name, name)) return known[i].setting.n ? name : known[i].name;
  return name;
}

/* HKU\S-1-5-21-…\Software is somebody's HKCU\Software: the part behind the SID. */
static bool fits_anybody(fl_str pattern, fl_str key, setting *s) {
  const fl_str hku = take_part(&key), sid = take_part(&key), hkcu = take_part(&pattern);
  return fl_str_eq(hku, FL_STR("HKU")) && fl_str_eq(hkcu, FL_STR("HKCU")) && sid.n != 0 &&
         fits_key(pattern, key, s);
}

setting setting_of(fl_str key, fl_str name, fl_str text) {
  if (name.n == 0) return (setting){0}; /* the default value */
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const known_setting *k = &known[i];
    const bool is_any = k->name.n == 1 && k->name.p[0] == '*';
    setting s = {.layer = k->layer};
    if (!is_any && !fl_str_eq_nocase(k->name, name)) continue;
    if (!fits_key(k->key, key, &s) && !fits_anybody(k->key, key, &s)) continue;
    s.name = k->setting;
    if (s.name.n == 0) s.name = is_any ? canonical(name) : k->name;
    const fl_str service = s.parts[SETTING_SERVICE];
    if (service.n && !is_service_of_ours(service)) return (setting){0};
    if (fl_str_eq(s.name, FL_STR("FirewallRule")) && !is_firewall_rule_of_ours(name, text))
      return (setting){0};
    return s;
  }
  return (setting){0};
}

bool setting_is_secret(fl_str name) {
  static const char *const secrets[] = {"DefaultPassword", "AltDefaultPassword",
                                        "RegistrationToken", "password", "password 51"};
  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
    if (fl_str_eq_nocase(name, fl_str_of(secrets[i]))) return true;
  return false;
}
