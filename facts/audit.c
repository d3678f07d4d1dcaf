/* audit.c - which setting of the audit policy writes an event of the Security log. */
#include <string.h>

#include "base/text.h"
#include "faultline/facts.h"

static const struct {
  const char *setting;
  uint32_t event_id;
} audited[] = {
#define FL_AUDIT(setting, event_id) {setting, event_id},
#include "facts/audit.def"
#undef FL_AUDIT
};

const char *fl_audit_setting(fl_str provider, int64_t event_id) {
  if (!fl_str_eq_nocase(provider, FL_STR("Microsoft-Windows-Security-Auditing"))) return NULL;
  for (size_t i = 0; i < sizeof audited / sizeof *audited; i++)
    if ((int64_t)audited[i].event_id == event_id) return audited[i].setting;
  return NULL;
}
