/* view.c - small questions that every report asks of a case. */
#include "report/view.h"

const char *const fl_code_space_words[FL_CODE_N_SPACES] = {
    [FL_CODE_DISCONNECT] = "disconnect reason of the RDP client",
    [FL_CODE_EXTENDED] = "extended disconnect reason",
    [FL_CODE_ERRINFO] = "Set Error Info code of the protocol",
    [FL_CODE_NEG_FAILURE] = "RDP negotiation failure",
    [FL_CODE_GATEWAY] = "RD Gateway code",
    [FL_CODE_HRESULT] = "HRESULT",
    [FL_CODE_NTSTATUS] = "NTSTATUS",
    [FL_CODE_WIN32] = "Win32 error",
    [FL_CODE_TLS_ALERT] = "TLS alert",
    [FL_CODE_RDPCORETS_103] = "reason of RdpCoreTS event 103",
    [FL_CODE_SCHANNEL_STATE] = "internal error state of Schannel",
    [FL_CODE_MISPLACED] = "number in tables of others"};

fl_view_symptom fl_view_symptom_of(const fl_case *c) {
  const fl_attempt *chosen = c->chosen;
  if (c->symptom.has_code)
    return (fl_view_symptom){.has_code = true,
                             .has_extended = c->symptom.has_extended,
                             .code = c->symptom.code,
                             .extended = c->symptom.extended};
  if (!chosen || !chosen->has_code) return (fl_view_symptom){0};
  return (fl_view_symptom){.has_code = true,
                           .has_extended = chosen->has_extended,
                           .is_recorded = true,
                           .code = chosen->code,
                           .extended = chosen->extended};
}

const fl_code_fact *fl_view_extended(uint32_t code) {
  const fl_code_fact *fact = fl_code_find(FL_CODE_EXTENDED, code);
  return fact ? fact : fl_code_find(FL_CODE_ERRINFO, code);
}

fl_str fl_view_source_name(const fl_case *c, uint32_t source) {
  if (source < c->n_sources && c->sources[source].id == source) return c->sources[source].name;
  for (size_t i = 0; i < c->n_sources; i++)
    if (c->sources[i].id == source) return c->sources[i].name;
  return (fl_str){0};
}

fl_time fl_view_time(const fl_case *c, const fl_event *event) {
  const fl_machine *machine = event->host.n ? fl_case_machine(c, event->host) : NULL;
  fl_time aligned = event->t;
  if (event->flags & FL_F_TIME_INVALID) return event->t;
  if (machine && __builtin_add_overflow(event->t, machine->offset_ns, &aligned)) return event->t;
  return aligned;
}

typedef struct state_words {
  const char *state, *words;
} state_words;

static const state_words gateway_words[] = {
    {"initiated", "the client opened it, and no decision is recorded"},
    {"authorised", "the user was let in, and no target is recorded"},
    {"refused", "it refused the user"},
    {"target_authorised", "the target was allowed, and no connection to it is recorded"},
    {"target_refused", "it refused the target"},
    {"connected", "connected to the host, and no end is recorded"},
    {"disconnected", "connected to the host, disconnected"},
    {"target_failed", "it could not reach the host"},
    {"cut_by_admin", "an administrator ended the connection"},
    {"limit", "it had no room for another connection"},
    {"timeout", "it ended the connection by a time limit"},
    {"reauth_failed", "the user could not be authenticated anew"},
};

static const state_words broker_words[] = {
    {"requested", "asked, and no answer is recorded"}, {"redirected", "it named the host"},
    {"no_target", "it had no host to name"},           {"not_ready", "it was not ready to answer"},
    {"join_failed", "the host could not join it"},     {"failed", "it could not redirect the user"},
    {"database", "it could not use its database"},
};

static const char *words_of(const state_words *list, size_t n, fl_str state) {
  for (size_t i = 0; i < n; i++)
    if (fl_str_eq(state, fl_str_of(list[i].state))) return list[i].words;
  return "";
}

const char *fl_view_gateway_words(fl_str state) {
  return words_of(gateway_words, sizeof gateway_words / sizeof *gateway_words, state);
}

const char *fl_view_broker_words(fl_str state) {
  return words_of(broker_words, sizeof broker_words / sizeof *broker_words, state);
}
