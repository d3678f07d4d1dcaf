/* incident_part.c - which part of Remote Desktop a process is, and whom its end concerns. */
#include <string.h>

#include "base/text.h"
#include "rules/incident.h"

/* The first row that fits counts; NULL fits all. */
typedef struct part_row {
  const char *process, *service, *module; /* `module`: where it broke, or loaded as a dump tells */
  fl_part part;
} part_row;

static const part_row rows[] = {
    {"svchost.exe", "TermService", NULL, {"service", FL_SCOPE_HOST}},
    {"svchost.exe", "TSGateway", NULL, {"gateway", FL_SCOPE_GATEWAY}},
    {"svchost.exe", "UmRdpService", NULL, {"redirection", FL_SCOPE_FEATURE}},
    {"svchost.exe", "tssdis", NULL, {"broker", FL_SCOPE_FEATURE}},
    {NULL, "TermService", NULL, {"service", FL_SCOPE_HOST}},
    {NULL, "TSGateway", NULL, {"gateway", FL_SCOPE_GATEWAY}},
    {"w3wp.exe", NULL, "aaedge.dll", {"gateway", FL_SCOPE_GATEWAY}},
    {"w3wp.exe", NULL, "rpcproxy.dll", {"gateway", FL_SCOPE_GATEWAY}},
    {"mstsc.exe", NULL, NULL, {"client", FL_SCOPE_CLIENT}},
    {"msrdc.exe", NULL, NULL, {"client", FL_SCOPE_CLIENT}},
    {"msrdcw.exe", NULL, NULL, {"client", FL_SCOPE_CLIENT}},
    {"RdClient.Windows.exe", NULL, NULL, {"client", FL_SCOPE_CLIENT}},
    {NULL, NULL, "mstscax.dll", {"client", FL_SCOPE_CLIENT}},
    {NULL, NULL, "rdclientax.dll", {"client", FL_SCOPE_CLIENT}},
    {"winlogon.exe", NULL, NULL, {"logon", FL_SCOPE_SESSION}},
    {"LogonUI.exe", NULL, NULL, {"logon", FL_SCOPE_SESSION}},
    {"userinit.exe", NULL, NULL, {"logon", FL_SCOPE_SESSION}},
    {"dwm.exe", NULL, NULL, {"picture", FL_SCOPE_SESSION}},
    {"csrss.exe", NULL, NULL, {"session", FL_SCOPE_SESSION}},
    {"WUDFHost.exe", NULL, "rdpidd.dll", {"display driver", FL_SCOPE_SESSION}},
    {"WUDFHost.exe", NULL, "IddCx.dll", {"display driver", FL_SCOPE_SESSION}},
    {"lsass.exe", NULL, NULL, {"system", FL_SCOPE_MACHINE}},
    {"services.exe", NULL, NULL, {"system", FL_SCOPE_MACHINE}},
    {"smss.exe", NULL, NULL, {"system", FL_SCOPE_MACHINE}},
    {"wininit.exe", NULL, NULL, {"system", FL_SCOPE_MACHINE}},
    {"rdpclip.exe", NULL, NULL, {"redirection", FL_SCOPE_FEATURE}},
    {"rdpinput.exe", NULL, NULL, {"session", FL_SCOPE_FEATURE}},
    {"rdpshell.exe", NULL, NULL, {"session", FL_SCOPE_FEATURE}},
    {"TSTheme.exe", NULL, NULL, {"session", FL_SCOPE_FEATURE}},
    {"explorer.exe", NULL, NULL, {"session", FL_SCOPE_FEATURE}},
    {"sihost.exe", NULL, NULL, {"session", FL_SCOPE_FEATURE}},
    /* A dump of a service host does not name its service: what is loaded does. */
    {"svchost.exe", "", "rdpcorets.dll", {"service", FL_SCOPE_HOST}},
    {"svchost.exe", "", "termsrv.dll", {"service", FL_SCOPE_HOST}},
    {"svchost.exe", "", "rdpserverbase.dll", {"service", FL_SCOPE_HOST}},
    {"svchost.exe", "", "aaedge.dll", {"gateway", FL_SCOPE_GATEWAY}}};

static bool is_loaded(const fl_incident *in, fl_str module) {
  if (fl_str_eq_nocase(in->module, module)) return true;
  for (size_t i = 0; i < in->n_events; i++) {
    const fl_value *list = fl_event_field(in->events[i], FL_STR("modules"));
    if (!list || list->kind != FL_V_LIST) continue;
    for (size_t k = 0; k < list->as.list.n_items; k++) {
      const fl_value *item = &list->as.list.items[k];
      if (item->kind != FL_V_STR) continue;
      fl_str text = item->as.text; /* "rdpidd.dll 0x7ff8…" of a dump, a path of a report */
      const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
      if (blank && fl_str_eq_nocase((fl_str){text.p, (size_t)(blank - text.p)}, module))
        return true;
      if (text.n > module.n && text.p[text.n - module.n - 1] == '\\' &&
          fl_str_eq_nocase((fl_str){text.p + text.n - module.n, module.n}, module))
        return true;
    }
  }
  return false;
}

static bool fits(const fl_incident *in, const part_row *row) {
  if (row->process && !fl_str_eq_nocase(in->process, fl_str_of(row->process))) return false;
  if (row->service && !fl_str_eq_nocase(in->service, fl_str_of(row->service))) return false;
  if (!row->module) return true;
  const fl_str module = fl_str_of(row->module);
  /* What holds a library has not always died of it: clients are known by where they broke. */
  return row->process ? is_loaded(in, module) : fl_str_eq_nocase(in->module, module);
}

fl_part fl_incident_part(const fl_incident *in) {
  switch (in->kind) {
    case FL_INCIDENT_STOP:
    case FL_INCIDENT_POWER:
      return (fl_part){"machine", FL_SCOPE_MACHINE};
    case FL_INCIDENT_LIVE:
      return (fl_part){"graphics", FL_SCOPE_FEATURE};
    case FL_INCIDENT_CRASH:
    case FL_INCIDENT_HANG:
    case FL_INCIDENT_SERVICE:
      break;
  }
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (fits(in, &rows[i])) return rows[i].part;
  return (fl_part){"", FL_SCOPE_NONE};
}
