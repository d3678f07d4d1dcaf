/* attempts_facts.c - what the records of an attempt say beside its course: how it was dialled, UDP,
 * reasons and errors of its end, the client's system. */
#include <string.h>

#include "base/text.h"
#include "rules/solve.h"

/* A socket that the other end closed: the ordinary last word of any connection. */
enum { ERROR_PEER_CLOSED = 64 };

static fl_str text_field(const fl_event *event, const char *name, const char *recorded) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  if (!value || value->kind != FL_V_STR) value = fl_event_field(event, fl_str_of(recorded));
  return value && value->kind == FL_V_STR ? value->as.text : (fl_str){0};
}

/* Operating system of the client (MS-RDPBCGR 2.2.7.1.1, osMajorType). */
static const char *const systems[] = {"",    "windows", "os2",     "macintosh", "unix",
                                      "ios", "macos",   "android", "chromeos"};

static void read_system(fl_attempt *a, const fl_event *event) {
  const fl_value *value = fl_event_field(event, FL_STR("os_major"));
  if (!value) value = fl_event_field(event, FL_STR("MajorType"));
  int64_t major = 0;
  if (!value || !fl_value_number(value, &major)) return;
  if (major > 0 && major < (int64_t)(sizeof systems / sizeof *systems))
    a->client_os = fl_str_of(systems[major]);
}

/* Error 64 says nothing beside any other error of the same connection; of others the largest, so
 * that the order within a second does not decide. */
static void read_socket(fl_attempt *a, const fl_seen *seen) {
  if (seen->number < 0) return;
  const bool is_weak = a->socket_error < 0 || a->socket_error == ERROR_PEER_CLOSED;
  if (is_weak || (seen->number != ERROR_PEER_CLOSED && seen->number > a->socket_error))
    a->socket_error = seen->number;
}

static void read_one(fl_attempt *a, const fl_seen *seen) {
  switch (seen->mark) {
    case FL_MARK_DIAL:
      a->target = seen->text;
      break;
    case FL_MARK_REASON:
      if (seen->number >= 0) a->end_reason = seen->number;
      break;
    case FL_MARK_SOCKET:
      read_socket(a, seen);
      break;
    case FL_MARK_TLS:
      a->tls_version = text_field(seen->event, "version", "TLSVersion");
      break;
    case FL_MARK_LSM_LOGON:
      a->session_kind = FL_STR("new");
      break;
    case FL_MARK_LSM_BACK:
      a->session_kind = FL_STR("reconnected");
      break;
    case FL_MARK_CLIENT_OTHER:
      if (seen->event->event_id == 1030)
        a->client_build = text_field(seen->event, "version", "BuildVersion");
      break;
    case FL_MARK_CORE_OTHER:
      if (seen->event->event_id == 169) read_system(a, seen->event);
      break;
    default:
      break;
  }
}

/* Codes of the client that only a gateway's transport gives. */
static bool is_gateway_code(const fl_attempt *a) {
  return a->has_code && a->code >= 0x3000001 && a->code <= 0x30000ff;
}

/* One record that says "no UDP" proves nothing: two tunnels are agreed on, one after the other. UDP
 * was never up only where a side that would have told of it tells of none (docs/attempts.md). */
static fl_truth udp_of(const fl_leg *dial, const fl_leg *leg) {
  if ((dial && dial->has_udp) || (leg && leg->has_udp)) return FL_TRUE;
  if (dial && dial->has_end) return FL_FALSE;
  return leg && (leg->has_tcp || leg->has_created) ? FL_FALSE : FL_UNKNOWN;
}

void fl_attempt_facts(fl_attempt *a, const fl_leg *dial, const fl_leg *leg,
                      const fl_seen *const *seen, size_t n_seen) {
  a->end_reason = a->socket_error = -1;
  for (size_t i = 0; i < n_seen; i++) read_one(a, seen[i]);
  a->udp = udp_of(dial, leg);
  a->route.via_gateway = a->route.via_gateway || is_gateway_code(a);
}
