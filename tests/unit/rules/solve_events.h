/* solve_events.h - events by hand for the tests of the solver: a case of two machines. */
#ifndef FL_TESTS_SOLVE_EVENTS_H
#define FL_TESTS_SOLVE_EVENTS_H

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "rules/solve.h"

#define CORE "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
#define RCM "Microsoft-Windows-TerminalServices-RemoteConnectionManager"
#define LSM "Microsoft-Windows-TerminalServices-LocalSessionManager"
#define CLIENT "Microsoft-Windows-TerminalServices-ClientActiveXCore"
#define SECURITY "Microsoft-Windows-Security-Auditing"
/* 2026-03-02T08:00:00Z */
#define T0 (INT64_C(1772438400) * FL_SECOND)
#define MS (FL_SECOND / 1000)

enum { MAX_EVENTS = 400 };

typedef struct bench {
  fl_arena *arena;
  const fl_event *events[MAX_EVENTS];
  fl_case c;
  fl_case_options options;
  fl_solver s;
} bench;

static inline void bench_open(bench *b) {
  *b = (bench){.arena = fl_arena_create((size_t)16 << 20)};
  assert_non_null(b->arena);
  b->c.events = b->events;
  b->s = (fl_solver){.arena = b->arena, .options = &b->options, .c = &b->c};
}

static inline void bench_close(bench *b) { fl_arena_free(b->arena); }

/* "RdpCoreTS" → the channel's name; only what learns roles and logs looks at it. */
static inline const char *channel_of(const char *provider) {
  if (strcmp(provider, CLIENT) == 0)
    return "Microsoft-Windows-TerminalServices-RDPClient/Operational";
  if (strcmp(provider, CORE) == 0) return CORE "/Operational";
  if (strcmp(provider, RCM) == 0) return RCM "/Operational";
  if (strcmp(provider, LSM) == 0) return LSM "/Operational";
  return strcmp(provider, SECURITY) == 0 ? "Security" : "System";
}

/* Adds one event; `fields` is "name=value name=value", a value of digits is a number. Events must
 * come in the order of recorded times. */
static inline fl_event *add(bench *b, int64_t ms, const char *host, const char *provider,
                            int64_t id, const char *activity, const char *fields) {
  assert_true(b->c.n_events < MAX_EVENTS);
  fl_event *e = FL_NEW(b->arena, fl_event);
  fl_field *list = FL_NEW_ARRAY(b->arena, fl_field, 16);
  assert_non_null(e);
  assert_non_null(list);
  size_t n = 0;
  while (*fields) {
    const char *equals = strchr(fields, '=');
    const size_t n_value = strcspn(equals + 1, " ");
    list[n].name = (fl_str){fields, (size_t)(equals - fields)};
    list[n].value = (fl_value){.kind = FL_V_STR, .as.text = {equals + 1, n_value}};
    n++;
    fields = equals + 1 + n_value;
    while (*fields == ' ') fields++;
  }
  *e = (fl_event){.t = T0 + ms * MS,
                  .seq = b->c.n_events,
                  .record_id = (int64_t)b->c.n_events + 1,
                  .event_id = id,
                  .pid = 4,
                  .provider = fl_str_of(provider),
                  .channel = fl_str_of(channel_of(provider)),
                  .host = fl_str_of(host),
                  .activity_id = fl_str_of(activity),
                  .data = list,
                  .n_data = n};
  b->events[b->c.n_events++] = e;
  return e;
}

static inline void solve(bench *b) {
  fl_err err = {0};
  assert_int_equal(fl_machines_find(&b->s, &err), FL_OK);
  assert_int_equal(fl_attempts_make(&b->s, &err), FL_OK);
  b->c.machines = b->s.machines;
  b->c.n_machines = b->s.n_machines;
  b->c.attempts = b->s.attempts;
  b->c.n_attempts = b->s.n_real;
}

/* What one accepted connection writes that ends before authentication. */
static inline void add_cut(bench *b, int64_t ms, const char *activity, const char *client_ip) {
  char fields[64];
  size_t n = strlen(client_ip);
  memcpy(fields, "ClientIP=", 9);
  memcpy(fields + 9, client_ip, n + 1);
  char *copy = FL_NEW_ARRAY(b->arena, char, 64);
  memcpy(copy, fields, n + 10);
  add(b, ms, "SRV1", CORE, 131, activity, copy);
  add(b, ms + 4, "SRV1", CORE, 65, activity, "ConnectionName=RDP-Tcp#1");
  add(b, ms + 200, "SRV1", CORE, 143, activity, "error=64");
  add(b, ms + 201, "SRV1", CORE, 102, activity, "");
  add(b, ms + 202, "SRV1", CORE, 103, activity, "ReasonCode=14");
}

/* From the accepted socket to a desktop. */
static inline void add_session(bench *b, int64_t ms, const char *activity) {
  add(b, ms, "SRV1", RCM, 261, activity, "listenerName=RDP-Tcp");
  add(b, ms + 1, "SRV1", CORE, 131, activity, "ConnType=TCP ClientIP=10.0.0.5:50123");
  add(b, ms + 5, "SRV1", CORE, 65, activity, "ConnectionName=RDP-Tcp#7");
  add(b, ms + 600, "SRV1", RCM, 1149, activity, "Param1=anna Param2=CORP Param3=10.0.0.5");
  add(b, ms + 650, "SRV1", CORE, 72, activity, "MethodName=OnStartLicensing");
  add(b, ms + 670, "SRV1", CORE, 72, activity, "MethodName=ProtocolComplete");
  add(b, ms + 671, "SRV1", CORE, 98, activity, "");
  add(b, ms + 900, "SRV1", LSM, 41, activity, "User=CORP\\anna SessionID=3");
  add(b, ms + 950, "SRV1", CORE, 66, activity, "ConnectionName=RDP-Tcp#7 SessionID=3");
  add(b, ms + 1800, "SRV1", CORE, 72, activity, "MethodName=LogonNotify(SessionId=3)");
  add(b, ms + 2000, "SRV1", LSM, 21, activity, "User=CORP\\anna SessionID=3 Address=10.0.0.5");
}

#endif
