/* solve.h - what the parts of the solver share: marked events, legs of connections, the case made.
 *
 * Everything lives in the arena of the case. An event that matters to the reconstruction gets a
 * mark and the few values that joins need; all events of one connection on one machine are a leg;
 * a leg of the client and a leg of the host make an attempt. */
#ifndef FL_RULES_SOLVE_H
#define FL_RULES_SOLVE_H

#include "base/arena.h"
#include "faultline/case.h"

/* What an event means to the reconstruction. */
typedef enum fl_mark {
  FL_MARK_NONE,
  /* client: RDPClient/Operational */
  FL_MARK_DIAL,          /* 1024 */
  FL_MARK_DIALLED,       /* 1025 */
  FL_MARK_CLIENT_END,    /* 1026 */
  FL_MARK_CLIENT_LOGON,  /* 1027 */
  FL_MARK_CLIENT_TLS,    /* 1028 */
  FL_MARK_CLIENT_UDP,    /* 1102 */
  FL_MARK_CLIENT_UDP_UP, /* 1103 */
  FL_MARK_CLIENT_OTHER,
  /* host: RdpCoreTS */
  FL_MARK_ACCEPT,       /* 131 */
  FL_MARK_CREATED,      /* 65 */
  FL_MARK_METHOD,       /* 72 */
  FL_MARK_REFUSED,      /* 140 */
  FL_MARK_TLS,          /* 153 */
  FL_MARK_SECURED,      /* 98 */
  FL_MARK_ASSIGNED,     /* 66 */
  FL_MARK_GRAPHICS,     /* 68 */
  FL_MARK_TUNNEL,       /* 135 */
  FL_MARK_REASON,       /* 103 */
  FL_MARK_CLOSED,       /* 102 */
  FL_MARK_CLIENT_ASKED, /* 107 */
  FL_MARK_SOCKET,       /* 142, 143 */
  FL_MARK_CORE_OTHER,
  /* host: RemoteConnectionManager */
  FL_MARK_LISTENER, /* 261 */
  FL_MARK_AUTH,     /* 1149 */
  /* host: LocalSessionManager */
  FL_MARK_LSM_LOGON,  /* 21 */
  FL_MARK_LSM_SHELL,  /* 22 */
  FL_MARK_LSM_LOGOFF, /* 23 */
  FL_MARK_LSM_LEFT,   /* 24 */
  FL_MARK_LSM_BACK,   /* 25 */
  FL_MARK_LSM_REASON, /* 40 */
  FL_MARK_LSM_BEGIN,  /* 41 */
  FL_MARK_LSM_END,    /* 42 */
  /* host: Security */
  FL_MARK_SEC_LOGON,  /* 4624 */
  FL_MARK_SEC_FAILED, /* 4625 */
  FL_MARK_SEC_BACK,   /* 4778 */
  FL_MARK_SEC_LEFT,   /* 4779 */
  /* gateway and broker */
  FL_MARK_GATEWAY,       /* all that the gateway says of a connection */
  FL_MARK_BROKER,        /* SessionBroker */
  FL_MARK_BROKER_CLIENT, /* SessionBroker-Client, on the host */
  /* host: the end of all sessions at once */
  FL_MARK_HOST_DOWN
} fl_mark;

typedef struct fl_seen {
  const fl_event *event;
  fl_mark mark;
  uint32_t machine; /* index */
  int32_t leg;      /* index, -1 none */
  uint16_t port;
  int64_t session; /* -1 unknown */
  int64_t number;  /* code, reason, logon type … of the mark; -1 none */
  fl_str address;  /* text form without port */
  fl_str user, text;
} fl_seen;

/* All events of one connection on one machine. Times are as recorded. */
typedef struct fl_leg {
  bool is_client, is_dropped, is_joined;
  bool is_assumed; /* joined because nothing else was left */
  bool has_listener, has_tcp, has_udp, has_created, has_auth, has_license, has_session, was_refused;
  bool has_end, has_core_end; /* any record of an end; one of RdpCoreTS */
  bool is_suspect, is_probe;  /* like a scanner; the first leg of a connection made in two */
  bool is_foreign;            /* proven: no client of the case made it */
  bool is_tried_widely;       /* refused under a name that several strangers tried */
  uint32_t machine;
  fl_str activity;
  fl_time start, end;
  fl_time connected; /* what both sides see: 1024 or 131, else the first event */
  fl_time dialled;   /* client: the last 1025 or 1102, after the user typed; else `connected` */
  fl_str address, user, target; /* client: of the host; host: of the client */
  uint16_t port;
  int64_t session;
  int64_t code;               /* client: the last 1026 */
  int32_t gate;               /* 1 + index of the gateway's leg that carried it, 0 none */
  const fl_seen *const *seen; /* in time order */
  size_t n_seen;
} fl_leg;

/* A connection as a gateway saw it; its leg's address is the client's, its target the host. */
typedef struct fl_gate {
  fl_leg leg;
  fl_route route;
  bool is_decided, is_taken; /* not only opened; joined to a client or a host */
} fl_gate;

enum {
  FL_LOG_CLIENT = 1,
  FL_LOG_CORE = 2,
  FL_LOG_RCM = 4,
  FL_LOG_LSM = 8,
  FL_LOG_SYSTEM = 16,
  FL_LOG_SECURITY = 32
};

typedef struct fl_solver {
  fl_arena *arena;
  const fl_case_options *options;
  fl_case *c;           /* sources, coverage and events are there */
  fl_machine *machines; /* c->machines, to be filled in */
  unsigned *logs;       /* FL_LOG_ bits for each machine */
  size_t n_machines, cap_machines;
  fl_seen *seen;
  size_t n_seen;
  const fl_seen **downs; /* restarts and crashes among `seen`, by machine, then time */
  size_t n_downs;
  fl_leg *legs;
  size_t n_legs, cap_legs;
  fl_gate *gates;            /* by start */
  size_t n_gates, n_brokers; /* records of brokers among `seen` */
  fl_attempt *attempts;      /* real ones first, numbered in time order; then noise */
  size_t n_attempts, n_real;
  fl_incident *incidents;
  size_t n_incidents, n_cut_crashes;
  /* What limits left out; notes tell. */
  size_t n_cut_records, n_cut_dials;
  bool has_cut_machines, has_cut_aliases;
} fl_solver;

/* machines.c: names, aliases, roles, logs. */
fl_status fl_machines_find(fl_solver *s, fl_err *err);
int fl_machine_index(const fl_solver *s, fl_str host); /* -1 unknown */
fl_status fl_machine_add_alias(fl_solver *s, uint32_t machine, fl_str alias, fl_err *err);
bool fl_user_same(fl_str a, fl_str b); /* without `DOMAIN\` and `@domain` */
bool fl_host_same(fl_str a, fl_str b); /* FQDN, NetBIOS and case unified */
bool fl_is_address(fl_str s);          /* looks like IPv4 or IPv6 */
bool fl_is_public(fl_str address);

/* attempts_mark.c: c->events → seen, in the order of the events. */
fl_status fl_marks_make(fl_solver *s, fl_err *err);
fl_mark fl_mark_of(const fl_event *event);

/* attempts_legs.c: seen → legs; attempts_host.c: one machine's host side. */
fl_status fl_legs_make(fl_solver *s, fl_err *err);
fl_leg *fl_leg_new(fl_solver *s, uint32_t machine, bool is_client, fl_err *err);
void fl_leg_take(fl_solver *s, fl_leg *leg, fl_seen *seen);
fl_status fl_host_attach(fl_solver *s, fl_err *err); /* what bears no activity id */
bool fl_mark_is_client(fl_mark mark);
bool fl_mark_is_core(fl_mark mark);
bool fl_mark_is_broker(fl_mark mark);

/* attempts_noise.c */
fl_status fl_legs_judge(fl_solver *s, fl_err *err); /* is_suspect, is_probe */

/* clocks.c: offsets of machines from legs that are the same connection. */
fl_status fl_clocks_estimate(fl_solver *s, fl_err *err);
fl_time fl_leg_time(const fl_solver *s, const fl_leg *leg, fl_time t); /* aligned */

/* attempts_join.c: which leg of a host belongs to a leg of a client; -1 none. */
typedef struct fl_pair {
  int32_t dial, leg;
} fl_pair;
int32_t fl_join_exact(const fl_solver *s, const fl_leg *dial); /* by activity id, by session */
bool fl_join_target(const fl_solver *s, const fl_leg *dial, uint32_t machine);
fl_status fl_legs_join(fl_solver *s, int32_t *ret_leg_of, fl_err *err);

/* attempts_assume.c: what is left over and can only be one pair; after the join. */
fl_status fl_legs_assume(fl_solver *s, int32_t *leg_of, fl_err *err);

/* attempts_foreign.c: sets is_foreign, after the join. */
fl_status fl_legs_mark_foreign(fl_solver *s, fl_err *err);

/* attempts.c, attempts_phase.c */
fl_status fl_attempts_make(fl_solver *s, fl_err *err);
void fl_attempt_read(fl_attempt *a, const fl_seen *const *seen, size_t n_seen, bool host_died);
fl_status fl_attempt_event(fl_solver *s, fl_attempt *a, fl_err *err);

/* incident.c: crashes and stops, once the attempts stand in order; sets the attempts' incidents. */
fl_status fl_incidents_make(fl_solver *s, fl_err *err);
bool fl_event_is_incident(const fl_event *event);

/* attempts_facts.c: what else the records of its legs say; either leg may be NULL. */
void fl_attempt_facts(fl_attempt *a, const fl_leg *dial, const fl_leg *leg,
                      const fl_seen *const *seen, size_t n_seen);
/* attempts_gateway.c: the gateway's legs; which connection of a host each carried (before legs are
 * joined), and which dial without a host (after). */
fl_status fl_gates_make(fl_solver *s, fl_err *err);
fl_status fl_gates_carry(fl_solver *s, fl_err *err);
void fl_gates_dial(fl_solver *s, const int32_t *leg_of);
/* attempts_route.c: what gateway and broker say of an attempt; alone: nobody else saw it. */
void fl_attempt_route(const fl_solver *s, fl_attempt *a, const fl_gate *gate, bool is_alone);
/* attempts_broker.c: gives each record of a broker to its attempt; makes one of a refusal that
 * nobody else saw. The attempts must be in order, and have to be put in order again. */
fl_status fl_attempts_ask_broker(fl_solver *s, fl_err *err);
/* attempts_pair.c: last_good and failure_n of all, once they stand in order. */
fl_status fl_attempts_pair(fl_solver *s, fl_err *err);
/* attempts_alike.c: alike_n and together_n of sessions that were cut. */
fl_status fl_attempts_alike(fl_solver *s, fl_err *err);

/* attempts_record.c: the records behind a fact of the attempt's event, such as "code"; `fact` empty
 * = behind the attempt itself. None where nothing was recorded of it. */
enum { FL_ATTEMPT_RECORDS = 3 };
size_t fl_attempt_records(const fl_attempt *a, fl_str fact,
                          const fl_event *ret_records[FL_ATTEMPT_RECORDS]);
const fl_event *fl_attempt_told_by(const fl_attempt *a); /* the host's code for the client */

/* sequence_absence.c: all of [from, to], in recorded time. */
bool fl_entry_covers(const fl_coverage *entry, fl_time from, fl_time to);

/* verdict_choose.c: sets c->chosen and what the user saw of it; verdict.c: c->verdict. */
enum { FL_NEAR_MIN = 10 }; /* how far from the time given an attempt may be */
bool fl_attempt_is_asked(const fl_solver *s, const fl_attempt *a); /* fits what the user named */
void fl_verdict_choose(fl_solver *s);
fl_status fl_verdict_make(fl_solver *s, fl_err *err);

/* changes.c: sets c->changes, once an attempt is chosen. */
fl_status fl_changes_find(fl_solver *s, fl_err *err);

fl_str fl_moment_text(fl_time t, fl_arena *arena); /* "2026-03-10 08:00:41 UTC" */

#endif
