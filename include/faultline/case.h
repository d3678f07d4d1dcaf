/* case.h - one case: what was read, what happened, and why. The report's only argument. */
#ifndef FAULTLINE_CASE_H
#define FAULTLINE_CASE_H

#include "faultline/facts.h"
#include "faultline/incident.h"
#include "faultline/ingest.h"
#include "faultline/trace.h"

/* Roles are a bit set: a machine may be several things; 0 = unknown and matches any. */
typedef enum fl_role {
  FL_ROLE_CLIENT = 1u << 0,
  FL_ROLE_SERVER = 1u << 1, /* session host */
  FL_ROLE_GATEWAY = 1u << 2,
  FL_ROLE_BROKER = 1u << 3,
  FL_ROLE_LICENSE = 1u << 4,
  FL_ROLE_DC = 1u << 5
} fl_role;
enum { FL_N_ROLES = 6 };
FL_API extern const char *const fl_role_names[FL_N_ROLES]; /* "client", "server", … */

typedef struct fl_span {
  fl_time start, end;
} fl_span;

/* What one channel of one host covers (docs/formats/timeline.md). start is INT64_MIN where the
 * first record id is 1 and nothing was cleared. */
typedef struct fl_coverage {
  fl_str host, channel;
  fl_time first, last; /* of its own records */
  fl_time start, end;  /* of what absence may rest on */
  uint64_t n_events;
  const fl_span *holes; /* gaps, clears, damage inside [start, end], in order */
  size_t n_holes;
  uint64_t n_missing; /* record ids absent inside */
  fl_time cleared;    /* newest clear event, 0 = none seen */
} fl_coverage;

/* A log that tells of Remote Desktop, of a machine whose role says that it has one. */
typedef struct fl_lacking_log {
  fl_str host, channel;
  bool is_absent;      /* the case holds none of its records */
  const fl_event *off; /* the state fact that says that it is switched off; NULL: none does */
} fl_lacking_log;

typedef struct fl_machine {
  fl_str name;           /* as recorded, the longest form seen */
  const fl_str *aliases; /* FQDN, NetBIOS, addresses seen for it */
  size_t n_aliases;
  unsigned roles;     /* fl_role bits */
  bool role_is_given; /* by --role */
  /* Clock: true time = recorded time + offset. */
  int64_t offset_ns, spread_ns;
  unsigned n_anchors;                    /* pairs the offset rests on; 0 = assumed equal */
  bool clock_is_given, clock_is_assumed; /* assumed: the only pair that was left over is one */
} fl_machine;

/* The phases of a connection (docs/attempts.md): a proven phase rules its causes out, the next one
 * is the prime suspect. */
typedef enum fl_phase {
  FL_PHASE_NONE = -1,
  FL_PHASE_NAME,
  FL_PHASE_TCP,
  FL_PHASE_X224,
  FL_PHASE_TLS,
  FL_PHASE_AUTH,
  FL_PHASE_LICENSE,
  FL_PHASE_ARBITRATION,
  FL_PHASE_GRAPHICS,
  FL_PHASE_SESSION
} fl_phase;
enum { FL_N_PHASES = 9 };
FL_API extern const char *const fl_phase_names[FL_N_PHASES]; /* "name", "tcp", … */

typedef enum fl_outcome {
  FL_OUTCOME_UNKNOWN,
  FL_OUTCOME_FAILED,
  FL_OUTCOME_ENDED, /* orderly end */
  FL_OUTCOME_LOST /* a session that was cut */,
  FL_OUTCOME_PROBE,
  FL_OUTCOME_NOISE,
  FL_OUTCOME_OPEN
} fl_outcome;
FL_API extern const char *const fl_outcome_names[7];

/* Yes, no, or not to be known from what was read. */
typedef enum fl_truth { FL_FALSE, FL_TRUE, FL_UNKNOWN } fl_truth;

/* What stood between client and host, as the logs of gateway and broker show it. */
typedef struct fl_route {
  bool via_gateway;                   /* a gateway's log, or a code of the client, says so */
  const fl_machine *gateway, *broker; /* NULL when not in the case */
  fl_str gateway_state;       /* the farthest step there, "" unknown: see docs/attempts.md */
  int64_t gateway_code;       /* ErrorCode of its last word, -1 none */
  int64_t gateway_duration_s; /* -1 unknown */
  bool has_bytes;
  uint64_t received, sent; /* bytes of the client, and to it */
  fl_str gateway_protocol; /* "HTTP", "UDP" … as recorded */
  fl_str broker_state;
  int64_t broker_code; /* -1 none */
  unsigned n_broker;   /* records of brokers that are among its events */
} fl_route;
#define FL_NO_ROUTE ((fl_route){.gateway_code = -1, .gateway_duration_s = -1, .broker_code = -1})

typedef struct fl_attempt {
  unsigned number;                                /* from 1 in time order */
  fl_time start, end;                             /* aligned time */
  const fl_machine *client, *server;              /* NULL when not in the case */
  fl_str client_name, server_name, user, address; /* as seen; empty when unknown */
  uint16_t port;
  fl_str transport; /* "tcp", "udp", "" */
  fl_str activity_id, server_activity_id;
  int64_t session_id;                 /* -1 unknown */
  fl_phase reached;                   /* last phase proven */
  const fl_event *proof[FL_N_PHASES]; /* the event that proves each phase, or NULL */
  fl_outcome outcome;
  bool has_host;   /* records of the host are part of it */
  bool is_assumed; /* client and host were put together because no other pair was left */
  bool is_foreign; /* proven: none of the clients whose logs are in the case made it */
  bool has_code, has_extended, has_host_code;
  uint32_t code, extended; /* what the client saw */
  uint32_t host_code;      /* RdpCoreTS 72 SetErrorInfo: what the host told the client */
  int64_t session_reason;  /* LSM 40 of its own session, -1 none */
  int64_t end_reason;      /* RdpCoreTS 103, -1 none */
  int64_t socket_error;    /* RdpCoreTS 142 or 143, -1 none */
  fl_str ended_by;         /* "client", "server", "network", "gateway", "" */
  fl_str target;           /* the name or address as it was dialled */
  fl_truth udp;            /* did a UDP transport come up? */
  fl_str session_kind;     /* "new", "reconnected", "" */
  fl_str client_os, client_build, tls_version; /* as far as recorded */
  fl_route route;
  /* Among the attempts of the same client and host: the last one before that reached a session,
   * and which failure in a row this one is (0 = none). */
  const struct fl_attempt *last_good;
  unsigned failure_n;
  unsigned alike_n,
      together_n; /* sessions of its host that were cut after the same time, in the same seconds */
  const fl_event *const *events; /* all events of it, in time order */
  size_t n_events;
  const fl_incident *incident;      /* that explains its end, or NULL */
  const fl_incident *near_incident; /* that coincides with it, or NULL */
  const fl_event *event;            /* the synthetic "rdp.attempt" event that rules see */
} fl_attempt;

/* One line of a score. `points` counts toward the total only when truth is FL_TRUE; FL_UNKNOWN
 * lines are what is missing. `decisive` facts confirm. */
typedef struct fl_evidence {
  fl_truth truth;
  int points;
  bool decisive;
  fl_str text; /* what was seen, or what is not provable and why */
  const char *rule;
  const fl_event *const *events;
  size_t n_events;
} fl_evidence;

/* Kinds of rules. The order is that of rules/engines.def, sequences first. */
typedef enum fl_rule_engine { FL_BY_SEQUENCE, FL_BY_SIGMA, FL_BY_YARA } fl_rule_engine;
enum { FL_N_RULE_ENGINES = 3 };
FL_API extern const char *const fl_rule_engine_names[FL_N_RULE_ENGINES]; /* "sequence", … */

/* A record that a rule matched, or that its bytes lie in. */
typedef struct fl_hit_event {
  uint32_t source;
  uint32_t flags;    /* fl_event_flags of the row */
  int64_t record_id; /* EventRecordID; -1 = it has none */
  uint64_t offset, seq;
  fl_time t; /* 0 with FL_F_TIME_INVALID */
} fl_hit_event;

/* One rule that matched. */
typedef struct fl_finding {
  fl_rule_engine engine;
  const char *rule, *title, *cause, *effect; /* cause, effect "" when the rule names none */
  int severity;                              /* 0-100 */
  int score;                                 /* sum of true lines, clamped to 0-100 */
  fl_time start, end;
  const fl_event *anchor;    /* the event that its sequence hangs on */
  const fl_attempt *attempt; /* the attempt it is bound to, or NULL */
  fl_str text;               /* the explanation */
  const fl_evidence *evidence;
  size_t n_evidence;
  const fl_event *const *events; /* matched steps in time order */
  size_t n_events;
  const fl_hit_event *places; /* Sigma: its records, of which a case keeps no more */
  size_t n_places;
} fl_finding;

/* All that one Sigma or YARA rule found: a sign beside the causes. */
enum { FL_SIGN_PLACES = 3 };
typedef struct fl_sign {
  fl_rule_engine engine;
  const char *rule, *title;
  const char *level; /* as its author wrote it; "" where there is none */
  int severity;
  uint64_t n_findings; /* listed or not */
  fl_time first, last; /* 0: none of them has a time */
  fl_hit_event places[FL_SIGN_PLACES];
  size_t n_places;
} fl_sign;

typedef enum fl_verdict_status {
  FL_VERDICT_CONFIRMED,
  FL_VERDICT_LIKELY,
  FL_VERDICT_POSSIBLE,
  FL_VERDICT_UNDECIDED,
  FL_VERDICT_NO_FAILURE
} fl_verdict_status;
FL_API extern const char *const fl_verdict_names[5]; /* "confirmed" … "no_failure_seen" */

typedef struct fl_hypothesis {
  const fl_cause_fact *cause;
  fl_verdict_status status;
  int score;
  const fl_finding *const *findings; /* that speak for it */
  size_t n_findings;
  const fl_evidence *const *pro, *const *con; /* true lines with points above / below 0 */
  size_t n_pro, n_con;
  const fl_evidence *const *missing; /* unknown lines */
  size_t n_missing;
} fl_hypothesis;

typedef struct fl_verdict {
  fl_verdict_status status;
  fl_str sentence;                 /* one or two sentences: the answer */
  const fl_hypothesis *hypotheses; /* ranked */
  size_t n_hypotheses;
  const fl_str *collect; /* what would decide, most useful first */
  size_t n_collect;
} fl_verdict;

/* Something that was changed on a machine of the chosen attempt. */
typedef struct fl_change {
  const fl_event *event; /* the first of `n` */
  const fl_machine *machine;
  const char *what; /* "update", "restart", "policy", "service", "driver", "setting",
                       "certificate", "firewall", "clock" */
  fl_time t, last;  /* aligned */
  size_t n;
  fl_str text;
} fl_change;

/* Between the last good connection of the pair (else a week before) and the failure. */
typedef struct fl_changes {
  bool is_asked, has_good;
  fl_time since, until;
  const fl_change *items; /* in time order */
  size_t n_items, n_left_out;
  uint64_t n_signatures, n_routine; /* noise: counted, not listed */
  const fl_str *lacks;              /* what of this time cannot be seen */
  size_t n_lacks;
} fl_changes;

/* What the case was narrowed to: all that follows was concluded from these rows alone. Coverage
 * is that of all rows. */
typedef struct fl_window {
  fl_time since, until;     /* 0 = open */
  fl_str where;             /* the expression of --where, empty = none */
  uint64_t n_rows, n_taken; /* counted when it is narrowed */
} fl_window;

/* Which rules were asked; the checksum is that of their texts, one after the other. */
typedef struct fl_rule_set {
  size_t n_files, n_rules;
  size_t n_of[FL_N_RULE_ENGINES];
  char sha256[65];
} fl_rule_set;

/* What the user says about the case; strings outlive it. */
typedef struct fl_case_options {
  fl_symptom symptom;
  fl_time at;     /* 0 = not given */
  fl_time at_end; /* of a whole day that begins at `at`; 0 = a moment is meant */
  fl_str user, client, server;
  unsigned attempt;         /* number, 0 = the last failed one */
  const fl_str *role_hosts; /* --role HOST=ROLE */
  const unsigned *role_bits;
  size_t n_roles;
  fl_time since, until;           /* 0 = open */
  const struct fl_filter *filter; /* of `where`; NULL = all; outlives the last row */
  fl_str where;
  bool with_recovered;
  bool sequences_alone;          /* Sigma rules are asked elsewhere */
  fl_str command, inputs;        /* how to ask again, for a shell; may be empty */
  const fl_trace_request *trace; /* NULL = nobody asks why a rule did or did not match */
} fl_case_options;

/* All arrays are owned by the case and live until fl_case_free. */
typedef struct fl_case {
  const fl_source_info *sources;
  size_t n_sources;
  const fl_note *notes;
  size_t n_notes;
  fl_ingest_totals totals;
  fl_window window;
  fl_rule_set rules;
  fl_str command, inputs; /* to repeat it; inputs begin with a blank */
  const fl_coverage *coverage;
  size_t n_coverage;
  const fl_lacking_log *lacking;
  size_t n_lacking;
  const struct fl_gap *gaps; /* of all logs, in order of time (timeline.h) */
  size_t n_gaps;
  const fl_machine *machines;
  size_t n_machines;
  const fl_event *const *events; /* kept by the match, in aligned time order */
  size_t n_events;
  const fl_attempt *attempts;
  size_t n_attempts;
  uint64_t n_noise;         /* connections recognised as scanner or brute-force noise */
  const fl_attempt *chosen; /* the attempt the verdict is about, or NULL */
  const fl_finding *findings;
  size_t n_findings;
  const fl_incident *incidents; /* crashes and stops, in time order */
  size_t n_incidents;
  fl_changes changes;
  const fl_sign *signs; /* the most severe first */
  size_t n_signs;
  uint64_t n_evicted; /* runs of sequences given up for lack of room */
  fl_symptom symptom;
  fl_verdict verdict;
} fl_case;
FL_API void fl_case_free(fl_case *c);
/* "name@offset" of an event: what `faultline show` takes. */
FL_API fl_str fl_case_ref(const fl_case *c, const fl_event *event, fl_arena *arena);
/* The machine of a host name or address, aliases included; NULL when unknown. */
FL_API const fl_machine *fl_case_machine(const fl_case *c, fl_str host);

#endif
