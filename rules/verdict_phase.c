/* verdict_phase.c - in which phase a cause strikes, and which cause a host's own code names. */
#include <string.h>

#include "rules/verdict.h"

typedef struct cause_phase {
  const char *prefix; /* of the cause's id */
  fl_phase phase;
} cause_phase;

/* The first that fits. Causes that are missing strike at any time. */
static const cause_phase cause_phases[] = {
    {"net.dns", FL_PHASE_NAME},
    {"net.firewall_silent", FL_PHASE_TCP},
    {"net.port_exhaustion", FL_PHASE_TCP},
    {"srv.rdp_disabled", FL_PHASE_NONE},
    {"srv.listener_down", FL_PHASE_TCP},
    {"srv.port_changed", FL_PHASE_TCP},
    {"net.non_rdp_port", FL_PHASE_X224},
    {"sec.layer_mismatch", FL_PHASE_TLS},
    {"tls.", FL_PHASE_TLS},
    {"sec.restricted_admin", FL_PHASE_AUTH},
    {"auth.no_right", FL_PHASE_ARBITRATION},
    {"auth.ad_deny_rdsh", FL_PHASE_ARBITRATION},
    {"auth.fresh_creds", FL_PHASE_ARBITRATION},
    {"auth.lmcompat", FL_PHASE_NONE},
    {"auth.", FL_PHASE_AUTH},
    {"lic.", FL_PHASE_LICENSE},
    {"srv.denied", FL_PHASE_ARBITRATION},
};

fl_phase fl_cause_phase(const char *cause) {
  for (size_t i = 0; i < sizeof cause_phases / sizeof *cause_phases; i++)
    if (strncmp(cause, cause_phases[i].prefix, strlen(cause_phases[i].prefix)) == 0)
      return cause_phases[i].phase;
  return FL_PHASE_NONE;
}

typedef struct told_cause {
  uint32_t first, last; /* codes, inclusive */
  const char *cause;
} told_cause;
/* Set Error Info codes (MS-RDPBCGR 2.2.5.1.1) that name a cause. */
static const told_cause told_causes[] = {
    {0x1, 0x2, "srv.admin"},
    {0x3, 0x4, "srv.idle_limit"},
    {0x5, 0x5, "srv.taken_over"},
    {0x5, 0x5, "srv.single_session_contention"},
    {0x6, 0x6, "srv.resources"},
    {0x7, 0x7, "srv.denied"},
    {0x9, 0x9, "auth.no_right"},
    {0xa, 0xa, "auth.fresh_creds"},
    {0xb, 0xc, "cli.user_ended"},
    {0x10, 0x10, "srv.process_crash"},
    {0x11, 0x12, "srv.display_driver"},
    {0x17, 0x18, "srv.process_crash"},
    {0x100, 0x102, "lic.server_missing"},
    {0x103, 0x105, "lic.client_store"},
    {0x106, 0x108, "lic.protocol"},
    {0x109, 0x109, "lic.client_store"},
    {0x10a, 0x10a, "lic.server_missing"},
    {0x10b, 0x10b, "lic.client_store"},
};

/* Code 5 is also sent when a client comes back by itself, 11 and 12 when a tool in the user's own
 * session disconnects or signs out: they name the cause, but prove nothing. */
bool fl_told_proves(uint32_t code) { return code != 0x5 && code != 0xb && code != 0xc; }

const char *fl_told_cause(uint32_t code) {
  for (size_t i = 0; i < sizeof told_causes / sizeof *told_causes; i++)
    if (code >= told_causes[i].first && code <= told_causes[i].last) return told_causes[i].cause;
  return NULL;
}

bool fl_told_fits(uint32_t code, const char *cause) {
  for (size_t i = 0; i < sizeof told_causes / sizeof *told_causes; i++)
    if (code >= told_causes[i].first && code <= told_causes[i].last &&
        strcmp(told_causes[i].cause, cause) == 0)
      return true;
  return false;
}
