/* incident.h - what the parts of rules/incident*.c share: one record of a crash, read once. */
#ifndef FL_RULES_INCIDENT_H
#define FL_RULES_INCIDENT_H

#include "rules/solve.h"

/* What a record is to an incident. */
typedef enum fl_piece_kind {
  FL_PIECE_NONE,
  FL_PIECE_DUMP,     /* crash.dump */
  FL_PIECE_APP,      /* Application Error 1000 */
  FL_PIECE_WER,      /* Report.wer */
  FL_PIECE_REPORT,   /* Windows Error Reporting 1001 */
  FL_PIECE_HANG,     /* Application Hang 1002 */
  FL_PIECE_DOTNET,   /* .NET Runtime */
  FL_PIECE_PAGE,     /* Application Error 1005 */
  FL_PIECE_CRITICAL, /* Wininit 1015 */
  FL_PIECE_UMDF,     /* DriverFrameworks-UserMode 10110, 10111 */
  FL_PIECE_SERVICE,  /* Service Control Manager 7031, 7034 */
  FL_PIECE_KERNEL,   /* dump of the kernel */
  FL_PIECE_STOP,     /* System, WER-SystemErrorReporting 1001 */
  FL_PIECE_UNCLEAN,  /* Kernel-Power 41 */
  FL_PIECE_DIRTY,    /* EventLog 6008 */
  FL_PIECE_NO_DUMP,  /* volmgr 161 */
  FL_PIECE_DISPLAY   /* Display 4101 */
} fl_piece_kind;

typedef struct fl_piece {
  const fl_event *event;
  fl_piece_kind kind;
  int32_t machine; /* index, -1 unknown */
  bool has_time, is_reported, is_live, is_stop;
  fl_time t;
  fl_time alive; /* 6008: when the machine was last seen alive */
  fl_str guids[2];
  fl_str process, service, module, place, signature;
  fl_str started;      /* "2026-03-10T08:00:00": to the second */
  fl_str file, folder; /* of the dump or report itself */
  fl_str names;        /* paths that it lists: attached files, place of the dump */
  fl_str store;        /* last folder of where the report is kept */
  int64_t pid;         /* -1 unknown */
  bool has_code, has_offset, has_parameters;
  uint64_t code, offset, parameters[4];
  uint32_t parent; /* of the union of what belongs together; itself = the first */
} fl_piece;

typedef struct fl_piece_join {
  const char *rule;
  unsigned confidence;
  uint32_t from, to;
} fl_piece_join;

typedef struct fl_pieces {
  fl_piece *items; /* in the order of the case's events */
  size_t n, n_left_out;
  fl_piece_join *joins; /* at most n - 1 */
  size_t n_joins;
} fl_pieces;

/* Damaged records bear any time: sums stop at the ends of what can be told. */
static inline fl_time fl_moment_plus(fl_time t, int64_t seconds) {
  fl_time sum = 0;
  if (!__builtin_add_overflow(t, seconds * FL_SECOND, &sum)) return sum;
  return seconds > 0 ? INT64_MAX : INT64_MIN;
}

/* incident_piece.c */
fl_status fl_pieces_read(fl_solver *s, fl_pieces *ret_pieces, fl_err *err);
/* incident_join.c: sets parents and joins, the strongest rules first. */
void fl_pieces_join(fl_pieces *pieces);
uint32_t fl_piece_root(const fl_pieces *pieces, uint32_t at);
/* incident_part.c: which part of Remote Desktop failed, and whom that concerns. */
typedef enum fl_scope {
  FL_SCOPE_NONE,
  FL_SCOPE_FEATURE, /* a session goes on without it */
  FL_SCOPE_SESSION, /* one session */
  FL_SCOPE_CLIENT,  /* one connection of the client */
  FL_SCOPE_GATEWAY, /* all connections through the gateway */
  FL_SCOPE_HOST,    /* all sessions of the host */
  FL_SCOPE_MACHINE  /* all that the machine does */
} fl_scope;
typedef struct fl_part {
  const char *name;
  fl_scope scope;
} fl_part;
fl_part fl_incident_part(const fl_incident *incident);
/* incident_bearing.c: verdicts towards the attempts; sets fl_attempt.incident. */
fl_status fl_incidents_weigh(fl_solver *s, fl_err *err);
/* incident_event.c */
fl_status fl_incident_event(fl_solver *s, fl_incident *incident, fl_err *err);

#endif
