/* attempts_phase.c - how far an attempt came, what it was told, and how it ended. */
#include <string.h>

#include "base/text.h"
#include "rules/solve.h"

/* What a host writes when its transport went first; LSM 40 knows two more. */
#define TRANSPORT_LOST 0xd0000001u
enum { REASON_ASKED = 13, REASON_LOST = 14, CODE_RETRY = 263 };

static void prove(fl_attempt *a, fl_phase phase, const fl_event *event) {
  if (!a->proof[phase]) a->proof[phase] = event;
  if (phase > a->reached) a->reached = phase;
}

static bool starts_with(fl_str text, const char *prefix) {
  const size_t n = strlen(prefix);
  return text.n >= n && memcmp(text.p, prefix, n) == 0;
}

/* "SetErrorInfo(0xd0000001)", "PreDisconnect(-805306367)" */
static bool method_code(fl_str text, uint32_t *ret_code) {
  if (!starts_with(text, "SetErrorInfo(") && !starts_with(text, "PreDisconnect(")) return false;
  const char *open = memchr(text.p, '(', text.n);
  fl_str inside = {open + 1, (size_t)(text.p + text.n - open - 1)};
  const char *close = memchr(inside.p, ')', inside.n);
  if (close) inside.n = (size_t)(close - inside.p);
  const bool is_negative = inside.n && inside.p[0] == '-';
  if (is_negative) inside = (fl_str){inside.p + 1, inside.n - 1};
  uint64_t number = 0;
  if (!fl_text_number(inside, &number) || number > UINT32_MAX) return false;
  *ret_code = is_negative ? 0u - (uint32_t)number : (uint32_t)number;
  return true;
}

static void read_method(fl_attempt *a, const fl_seen *seen) {
  const fl_str method = seen->text;
  if (method_code(method, &a->host_code)) a->has_host_code = true;
  /* Licensing starts when security and NLA are through. */
  if (starts_with(method, "OnStartLicensing") || starts_with(method, "AcceptConnection"))
    prove(a, FL_PHASE_AUTH, seen->event);
  if (starts_with(method, "ProtocolComplete")) prove(a, FL_PHASE_LICENSE, seen->event);
  if (starts_with(method, "ConnectNotify(")) prove(a, FL_PHASE_ARBITRATION, seen->event);
  if (starts_with(method, "LogonNotify")) prove(a, FL_PHASE_SESSION, seen->event);
}

/* What one record proves to be passed. 65, 66 and 141 prove nothing of their own: strangers that
 * send a first packet get them too, and 66 may name a session for arbitration only. */
static fl_phase phase_of(const fl_seen *seen) {
  switch (seen->mark) {
    case FL_MARK_DIALLED:
    case FL_MARK_CLIENT_UDP:
    case FL_MARK_LISTENER:
    case FL_MARK_CREATED:
      return FL_PHASE_TCP;
    case FL_MARK_ACCEPT:
      return fl_str_eq_nocase(seen->text, FL_STR("UDP")) ? FL_PHASE_NONE : FL_PHASE_TCP;
    case FL_MARK_GATEWAY: /* 302: the gateway's own connection to the host */
      return seen->event->event_id == 302 ? FL_PHASE_TCP : FL_PHASE_NONE;
    case FL_MARK_CLIENT_TLS:
      return FL_PHASE_X224;
    case FL_MARK_TLS:
    case FL_MARK_REFUSED:
    case FL_MARK_SEC_FAILED:
      return FL_PHASE_TLS;
    case FL_MARK_AUTH:
      return FL_PHASE_AUTH;
    case FL_MARK_SEC_LOGON:
      return seen->number == 3 ? FL_PHASE_AUTH : FL_PHASE_LICENSE;
    case FL_MARK_SECURED:
    case FL_MARK_LSM_BEGIN:
      return FL_PHASE_LICENSE;
    case FL_MARK_LSM_END:
      return FL_PHASE_ARBITRATION;
    case FL_MARK_GRAPHICS:
      return seen->number > 0 ? FL_PHASE_GRAPHICS : FL_PHASE_NONE;
    case FL_MARK_CLIENT_LOGON:
    case FL_MARK_LSM_LOGON:
    case FL_MARK_LSM_SHELL:
    case FL_MARK_LSM_BACK:
    case FL_MARK_SEC_BACK:
      return FL_PHASE_SESSION;
    default:
      return FL_PHASE_NONE;
  }
}

/* What the records say of the end. */
typedef struct ending {
  bool client_asked, server_began, has_record, logged_off;
  int64_t reason, lsm_reason;
} ending;

static void read_end(ending *e, const fl_seen *seen) {
  switch (seen->mark) {
    case FL_MARK_CLIENT_ASKED:
      e->client_asked = true;
      break;
    case FL_MARK_REASON:
      e->reason = seen->number;
      break;
    case FL_MARK_LSM_REASON:
      e->lsm_reason = seen->number;
      break;
    case FL_MARK_LSM_LOGOFF:
      e->logged_off = true;
      break;
    case FL_MARK_SOCKET:
    case FL_MARK_METHOD:
      if (starts_with(seen->text, "OnDisconnected(server")) e->server_began = true;
      return;
    case FL_MARK_CLOSED:
    case FL_MARK_REFUSED:
    case FL_MARK_LSM_LEFT:
    case FL_MARK_SEC_LEFT:
      break;
    default:
      return;
  }
  e->has_record = true;
}

static bool is_transport_loss(int64_t reason) {
  const uint32_t n = (uint32_t)(uint64_t)reason;
  return n == TRANSPORT_LOST || n == 0x80070040u || n == 0x80070079u;
}

static bool is_by_server(int64_t reason) {
  return (reason > 0 && reason < 11) || (reason > REASON_LOST && reason < 0x10000);
}

static bool is_by_user(int64_t reason) { return reason == 11 || reason == 12; }

static bool is_client_end(uint32_t code) { return code == 1 || code == 2 || code == 0xb08; }

static void set_end(fl_attempt *a, fl_outcome outcome, const char *by) {
  a->outcome = outcome;
  a->ended_by = fl_str_of(by);
}

/* The host's words come first: what it sent, then its reason, then LSM's. */
static const char *ended_by(const fl_attempt *a, const ending *e) {
  const int64_t told = a->has_host_code ? (int64_t)a->host_code : -1;
  if (is_by_server(told) || is_by_server(e->reason) || is_by_server(e->lsm_reason)) return "server";
  if (e->client_asked || e->reason == REASON_ASKED) return "client";
  if (is_by_user(told) || is_by_user(e->reason) || is_by_user(e->lsm_reason)) return "client";
  if (is_transport_loss(told) || is_transport_loss(e->lsm_reason) || e->reason == REASON_LOST)
    return "network";
  if (e->logged_off || (a->has_code && is_client_end(a->code))) return "client";
  if (e->server_began || (a->has_code && a->code == 3)) return "server";
  return "";
}

static void end_session(fl_attempt *a, const ending *e, bool host_died) {
  const char *by = ended_by(a, e);
  if (a->has_code && !is_client_end(a->code) && !(a->code == 3 && strcmp(by, "client") == 0)) {
    set_end(a, FL_OUTCOME_LOST, host_died ? "server" : strcmp(by, "client") == 0 ? "" : by);
    return;
  }
  if (strcmp(by, "client") == 0) set_end(a, FL_OUTCOME_ENDED, by);
  else if (by[0]) set_end(a, FL_OUTCOME_LOST, by);
  else if (host_died) set_end(a, FL_OUTCOME_LOST, "server");
  else set_end(a, e->has_record ? FL_OUTCOME_UNKNOWN : FL_OUTCOME_OPEN, by);
}

static void end_attempt(fl_attempt *a, const ending *e, bool host_died) {
  const char *by = ended_by(a, e);
  /* Before a session a lost transport is how every leg ends, whoever closed it. */
  const char *who = strcmp(by, "network") == 0 && a->reached < FL_PHASE_AUTH ? "" : by;
  if (a->has_code) {
    if (a->code == CODE_RETRY) set_end(a, FL_OUTCOME_PROBE, "client");
    else if (is_client_end(a->code)) set_end(a, FL_OUTCOME_ENDED, "client");
    else set_end(a, FL_OUTCOME_FAILED, strcmp(who, "client") == 0 ? "" : who);
  } else if (strcmp(by, "client") == 0) {
    set_end(a, FL_OUTCOME_ENDED, by);
  } else if (e->has_record || host_died) {
    set_end(a, FL_OUTCOME_FAILED, who);
  } else {
    set_end(a, FL_OUTCOME_OPEN, "");
  }
}

void fl_attempt_read(fl_attempt *a, const fl_seen *const *seen, size_t n_seen, bool host_died) {
  ending e = {.reason = -1, .lsm_reason = -1};
  a->reached = FL_PHASE_NONE;
  for (size_t i = 0; i < n_seen; i++) {
    const fl_phase phase = phase_of(seen[i]);
    if (phase != FL_PHASE_NONE) prove(a, phase, seen[i]->event);
    if (seen[i]->mark == FL_MARK_METHOD) read_method(a, seen[i]);
    /* "connect failed" means that there was an address to connect to. */
    if (seen[i]->mark == FL_MARK_CLIENT_END && seen[i]->number == 0x204)
      prove(a, FL_PHASE_NAME, seen[i]->event);
    if (seen[i]->mark == FL_MARK_CLIENT_END && seen[i]->number >= 0) {
      a->has_code = true;
      a->code = (uint32_t)(uint64_t)seen[i]->number;
    }
    read_end(&e, seen[i]);
  }
  a->session_reason = e.lsm_reason;
  if (a->reached == FL_PHASE_SESSION) end_session(a, &e, host_died);
  else end_attempt(a, &e, host_died);
}
