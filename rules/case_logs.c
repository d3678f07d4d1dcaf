/* case_logs.c - logs that a machine of the case should have and lacks, or that are switched off. */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/case.h"

enum { MOST_OFF = 256 };

#define TS "Microsoft-Windows-TerminalServices-"
static const struct {
  unsigned role, log;
  const char *channel;
} telling_logs[] = {
    {FL_ROLE_CLIENT, FL_LOG_CLIENT, TS "RDPClient/Operational"},
    {FL_ROLE_SERVER, FL_LOG_CORE, "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"},
    {FL_ROLE_SERVER, FL_LOG_LSM, TS "LocalSessionManager/Operational"},
    {FL_ROLE_SERVER, FL_LOG_RCM, TS "RemoteConnectionManager/Operational"},
    {FL_ROLE_SERVER, FL_LOG_SECURITY, "Security"},
    {FL_ROLE_CLIENT | FL_ROLE_SERVER, FL_LOG_SYSTEM, "System"},
};
enum { N_LOGS = sizeof telling_logs / sizeof *telling_logs };

static fl_str text_field(const fl_event *event, fl_str name) {
  const fl_value *value = fl_event_field(event, name);
  return value && value->kind == FL_V_STR ? value->as.text : (fl_str){0};
}

/* The channel of a value `Enabled` = 0 below …\WINEVT\Channels\CHANNEL; empty for any other. */
static fl_str channel_off(const fl_event *event) {
  const fl_str below = FL_STR("\\WINEVT\\Channels\\"), key = text_field(event, FL_STR("key"));
  const fl_value *value = fl_event_field(event, FL_STR("value"));
  int64_t number = 1;
  if (!fl_str_eq_nocase(text_field(event, FL_STR("name")), FL_STR("Enabled"))) return (fl_str){0};
  if (!value || !fl_value_number(value, &number) || number != 0) return (fl_str){0};
  for (size_t at = 0; at + below.n < key.n; at++)
    if (fl_str_eq_nocase((fl_str){key.p + at, below.n}, below))
      return (fl_str){key.p + at + below.n, key.n - at - below.n};
  return (fl_str){0};
}

static bool is_telling(fl_str channel) {
  for (size_t i = 0; i < N_LOGS; i++)
    if (fl_str_eq_nocase(channel, fl_str_of(telling_logs[i].channel))) return true;
  return false;
}

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for what a case keeps");
}

fl_status fl_case_logs_batch(case_owner *o, const fl_batch *batch, fl_arena *scratch, fl_err *err) {
  for (uint32_t i = 0; i < batch->n_rows && o->n_off < MOST_OFF; i++) {
    if (!fl_row_is_state(batch, &batch->rows[i])) continue;
    fl_event event = {0};
    fl_arena_reset(scratch);
    FL_TRY(fl_event_build(batch, &batch->rows[i], scratch, &event, err));
    if (!is_telling(channel_off(&event))) continue;
    fl_event *kept = FL_NEW(o->arena, fl_event);
    if (!kept || !fl_grow((void **)&o->off, &o->cap_off, o->n_off + 1, sizeof(*o->off)))
      return no_memory(err);
    FL_TRY(fl_event_build(batch, &batch->rows[i], o->arena, kept, err));
    o->off[o->n_off++] = kept;
  }
  return FL_OK;
}

static const fl_event *find_off(const fl_solver *s, const case_owner *o, uint32_t machine,
                                fl_str channel) {
  for (size_t i = o->n_off; i > 0; i--)
    if (fl_str_eq_nocase(channel_off(o->off[i - 1]), channel) &&
        fl_machine_index(s, o->off[i - 1]->host) == (int)machine)
      return o->off[i - 1];
  return NULL;
}

static bool has_logs(const fl_solver *s, uint32_t machine) {
  for (size_t i = 0; i < s->c->n_coverage; i++)
    if (s->c->coverage[i].n_events && fl_machine_index(s, s->c->coverage[i].host) == (int)machine)
      return true;
  return false;
}

/* Of machines that no log in the case is of, everything lacks: that is said elsewhere. */
fl_status fl_case_lacking(const fl_solver *s, case_owner *o, fl_err *err) {
  fl_lacking_log *list = FL_NEW_ARRAY(o->arena, fl_lacking_log, s->n_machines * N_LOGS + 1);
  if (!list) return no_memory(err);
  for (uint32_t m = 0; m < s->n_machines; m++) {
    if (!has_logs(s, m)) continue;
    for (size_t i = 0; i < N_LOGS; i++) {
      const fl_str channel = fl_str_of(telling_logs[i].channel);
      const bool is_wanted = (s->machines[m].roles & telling_logs[i].role) != 0;
      const bool is_absent = is_wanted && !(s->logs[m] & telling_logs[i].log);
      const fl_event *off = find_off(s, o, m, channel);
      if (is_absent || off)
        list[o->c.n_lacking++] = (fl_lacking_log){s->machines[m].name, channel, is_absent, off};
    }
  }
  o->c.lacking = list;
  return FL_OK;
}
