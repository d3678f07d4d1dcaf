/* attempts_mark.c - which events the reconstruction reads, and the values that joins need. */
#include <string.h>

#include "base/text.h"
#include "rules/solve.h"

#define CLIENT "Microsoft-Windows-TerminalServices-ClientActiveXCore"
#define CORE "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
#define RCM "Microsoft-Windows-TerminalServices-RemoteConnectionManager"
#define LSM "Microsoft-Windows-TerminalServices-LocalSessionManager"
#define GATEWAY "Microsoft-Windows-TerminalServices-Gateway"
#define BROKER "Microsoft-Windows-TerminalServices-SessionBroker"
#define SECURITY "Microsoft-Windows-Security-Auditing"

/* A field of a mark: names to try, ours first, then as recorded; NULL = has none. */
typedef struct mark_row {
  const char *provider;
  uint32_t id; /* 0 = any other of the provider */
  fl_mark mark;
  const char *number, *text, *user;
} mark_row;

static const mark_row rows[] = {
    {CLIENT, 1024, FL_MARK_DIAL, NULL, "target server Value", NULL},
    {CLIENT, 1025, FL_MARK_DIALLED, NULL, NULL, NULL},
    {CLIENT, 1026, FL_MARK_CLIENT_END, "code reason Value", NULL, NULL},
    {CLIENT, 1027, FL_MARK_CLIENT_LOGON, NULL, NULL, NULL},
    {CLIENT, 1028, FL_MARK_CLIENT_TLS, NULL, "supported TraceMessage", NULL},
    {CLIENT, 1102, FL_MARK_CLIENT_UDP, NULL, "server_ip address Value", NULL},
    {CLIENT, 1103, FL_MARK_CLIENT_UDP_UP, NULL, NULL, NULL},
    {CLIENT, 0, FL_MARK_CLIENT_OTHER, NULL, NULL, NULL},
    {CORE, 131, FL_MARK_ACCEPT, NULL, "transport conn_type ConnType", NULL},
    {CORE, 65, FL_MARK_CREATED, NULL, "connection connection_name ConnectionName", NULL},
    {CORE, 72, FL_MARK_METHOD, NULL, "MethodName method", NULL},
    {CORE, 140, FL_MARK_REFUSED, NULL, NULL, NULL},
    {CORE, 153, FL_MARK_TLS, NULL, NULL, NULL},
    {CORE, 98, FL_MARK_SECURED, NULL, NULL, NULL},
    {CORE, 66, FL_MARK_ASSIGNED, NULL, "connection connection_name ConnectionName", NULL},
    {CORE, 68, FL_MARK_GRAPHICS, "first_picture_ms FirstGraphicsReceived", NULL, NULL},
    {CORE, 135, FL_MARK_TUNNEL, NULL, "transport TransportType", NULL},
    {CORE, 103, FL_MARK_REASON, "reason code ReasonCode", NULL, NULL},
    {CORE, 102, FL_MARK_CLOSED, NULL, NULL, NULL},
    {CORE, 107, FL_MARK_CLIENT_ASKED, NULL, NULL, NULL},
    {CORE, 142, FL_MARK_SOCKET, "error code", NULL, NULL},
    {CORE, 143, FL_MARK_SOCKET, "error code", NULL, NULL},
    {CORE, 0, FL_MARK_CORE_OTHER, NULL, NULL, NULL},
    {RCM, 261, FL_MARK_LISTENER, NULL, NULL, NULL},
    {RCM, 1149, FL_MARK_AUTH, NULL, NULL, "user Param1"},
    {LSM, 21, FL_MARK_LSM_LOGON, NULL, NULL, "user"},
    {LSM, 22, FL_MARK_LSM_SHELL, NULL, NULL, "user"},
    {LSM, 23, FL_MARK_LSM_LOGOFF, NULL, NULL, "user"},
    {LSM, 24, FL_MARK_LSM_LEFT, NULL, NULL, "user"},
    {LSM, 25, FL_MARK_LSM_BACK, NULL, NULL, "user"},
    {LSM, 40, FL_MARK_LSM_REASON, "reason", NULL, NULL},
    {LSM, 41, FL_MARK_LSM_BEGIN, NULL, NULL, "user"},
    {LSM, 42, FL_MARK_LSM_END, NULL, NULL, "user"},
    {LSM, 32, FL_MARK_HOST_DOWN, NULL, NULL, NULL},
    {SECURITY, 4624, FL_MARK_SEC_LOGON, "logon_type LogonType", NULL, "user TargetUserName"},
    {SECURITY, 4625, FL_MARK_SEC_FAILED, "logon_type LogonType", NULL, "user TargetUserName"},
    {SECURITY, 4778, FL_MARK_SEC_BACK, NULL, "session_name SessionName", "user AccountName"},
    {SECURITY, 4779, FL_MARK_SEC_LEFT, NULL, "session_name SessionName", "user AccountName"},
    {GATEWAY, 0, FL_MARK_GATEWAY, "error ErrorCode", "target Resource", "user Username"},
    {BROKER, 0, FL_MARK_BROKER, "error", NULL, "user"},
    {BROKER "-Client", 0, FL_MARK_BROKER_CLIENT, "error", NULL, "user"},
    {"Service Control Manager", 7031, FL_MARK_HOST_DOWN, NULL, "service name param1", NULL},
    {"Service Control Manager", 7034, FL_MARK_HOST_DOWN, NULL, "service name param1", NULL},
    {"Application Error", 1000, FL_MARK_HOST_DOWN, NULL, "process AppName", NULL},
    {"Microsoft-Windows-Kernel-Power", 41, FL_MARK_HOST_DOWN, NULL, NULL, NULL},
    {"EventLog", 6008, FL_MARK_HOST_DOWN, NULL, NULL, NULL},
};

static const mark_row *row_of(const fl_event *event) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (rows[i].id != 0 && (int64_t)rows[i].id != event->event_id) continue;
    if (fl_str_eq_nocase(event->provider, fl_str_of(rows[i].provider))) return &rows[i];
  }
  return NULL;
}

fl_mark fl_mark_of(const fl_event *event) {
  const mark_row *row = row_of(event);
  return row ? row->mark : FL_MARK_NONE;
}

bool fl_mark_is_client(fl_mark mark) {
  return mark >= FL_MARK_DIAL && mark <= FL_MARK_CLIENT_OTHER;
}

bool fl_mark_is_core(fl_mark mark) { return mark >= FL_MARK_ACCEPT && mark <= FL_MARK_CORE_OTHER; }

bool fl_mark_is_broker(fl_mark mark) {
  return mark == FL_MARK_BROKER || mark == FL_MARK_BROKER_CLIENT;
}

/* The first of the names, separated by blanks, that the event has. */
static const fl_value *field_of(const fl_event *event, const char *names) {
  while (names && *names) {
    const char *end = strchr(names, ' ');
    const size_t n = end ? (size_t)(end - names) : strlen(names);
    const fl_value *value = fl_event_field(event, (fl_str){names, n});
    if (value && value->kind != FL_V_NULL) return value;
    names += n + (end != NULL);
  }
  return NULL;
}

static int64_t number_of(const fl_event *event, const char *names) {
  int64_t number = -1;
  const fl_value *value = field_of(event, names);
  return value && fl_value_number(value, &number) ? number : -1;
}

static fl_str text_of(const fl_event *event, const char *names, fl_arena *arena) {
  const fl_value *value = field_of(event, names);
  if (!value) return (fl_str){0};
  const fl_str text = fl_value_text(value, arena);
  return fl_str_eq(text, FL_STR("-")) ? (fl_str){0} : text;
}

/* "10.0.0.5:50123", "[fe80::1]:50123", "[10.0.0.5]:50123" (UDP) or an address alone. */
static fl_str split_port(fl_str text, uint16_t *ret_port) {
  const char *colon = NULL;
  size_t n_colons = 0;
  for (size_t i = 0; i < text.n; i++) {
    if (text.p[i] != ':') continue;
    colon = text.p + i;
    n_colons++;
  }
  fl_str address = text;
  const bool bracketed = text.n && text.p[0] == '[';
  if (colon && (n_colons == 1 || (bracketed && colon > text.p && colon[-1] == ']'))) {
    uint64_t port = 0;
    const fl_str digits = {colon + 1, (size_t)(text.p + text.n - colon - 1)};
    if (fl_text_number(digits, &port) && port <= UINT16_MAX) *ret_port = (uint16_t)port;
    address.n = (size_t)(colon - text.p);
  }
  if (address.n >= 2 && address.p[0] == '[' && address.p[address.n - 1] == ']')
    address = (fl_str){address.p + 1, address.n - 2};
  const fl_str mapped = FL_STR("::ffff:");
  if (address.n > mapped.n && fl_str_eq_nocase((fl_str){address.p, mapped.n}, mapped) &&
      memchr(address.p, '.', address.n))
    address = (fl_str){address.p + mapped.n, address.n - mapped.n};
  return address;
}

static void read_address(fl_seen *seen, const char *names, fl_arena *arena) {
  const fl_str text = text_of(seen->event, names, arena);
  const fl_str address = split_port(text, &seen->port);
  if (fl_is_address(address)) seen->address = address;
}

/* 7031, 7034 and 1000 matter only where the service is the one that holds the sessions; Windows
 * calls its process svchost.exe_TermService. */
static bool is_other_service(const fl_seen *seen) {
  if (seen->mark != FL_MARK_HOST_DOWN || !seen->text.n) return false;
  return !fl_str_eq_nocase(seen->text, FL_STR("TermService")) &&
         !fl_str_eq_nocase(seen->text, FL_STR("svchost.exe_TermService")) &&
         !fl_str_eq_nocase(seen->text, FL_STR("Remote Desktop Services"));
}

static void read_values(fl_seen *seen, const mark_row *row, fl_arena *arena) {
  const fl_event *event = seen->event;
  seen->number = number_of(event, row->number);
  seen->text = text_of(event, row->text, arena);
  seen->user = text_of(event, row->user, arena);
  if (row->mark == FL_MARK_CLIENT_UDP) {
    if (fl_is_address(seen->text)) seen->address = seen->text;
    return;
  }
  if (!fl_mark_is_client(row->mark)) {
    read_address(seen, "client_ip address ClientIP IPString IpAddress ClientAddress Param3", arena);
    const int64_t port = number_of(event, "client_port IpPort");
    if (port > 0 && port <= UINT16_MAX) seen->port = (uint16_t)port;
  }
  seen->session = number_of(event, "session_id SessionID Session");
}

fl_status fl_marks_make(fl_solver *s, fl_err *err) {
  size_t n = 0;
  for (size_t i = 0; i < s->c->n_events; i++) n += row_of(s->c->events[i]) != NULL;
  s->seen = FL_NEW_ARRAY(s->arena, fl_seen, n);
  if (!s->seen) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for marks");
  fl_str last_host = {0};
  int machine = -1;
  for (size_t i = 0; i < s->c->n_events; i++) {
    const fl_event *event = s->c->events[i];
    if (event->flags & (FL_F_DUPLICATE | FL_F_SYNTHETIC | FL_F_TIME_INVALID)) continue;
    const mark_row *row = row_of(event);
    if (!row) continue;
    if (machine < 0 || !fl_str_eq(last_host, event->host))
      machine = fl_machine_index(s, event->host);
    last_host = event->host;
    if (machine < 0) continue;
    fl_seen *seen = &s->seen[s->n_seen];
    *seen = (fl_seen){.event = event,
                      .mark = row->mark,
                      .machine = (uint32_t)machine,
                      .leg = -1,
                      .session = -1,
                      .number = -1};
    read_values(seen, row, s->arena);
    if (!is_other_service(seen)) s->n_seen++;
  }
  return FL_OK;
}
