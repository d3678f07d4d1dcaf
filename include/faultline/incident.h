/* incident.h - a crash or stop of one machine, put together from all that tells of it: dump, error
 * report, log records, the service that failed (docs/incidents.md). */
#ifndef FAULTLINE_INCIDENT_H
#define FAULTLINE_INCIDENT_H

#include "faultline/event.h"

struct fl_attempt;
struct fl_machine;

typedef enum fl_incident_kind {
  FL_INCIDENT_CRASH,   /* a process died */
  FL_INCIDENT_HANG,    /* a process did not answer and was closed */
  FL_INCIDENT_SERVICE, /* a service ended, and nothing tells of a crash */
  FL_INCIDENT_STOP,    /* Windows stopped with a code */
  FL_INCIDENT_POWER,   /* Windows started again without a clean stop and without a code */
  FL_INCIDENT_LIVE     /* the kernel noticed a fault and went on */
} fl_incident_kind;
enum { FL_N_INCIDENT_KINDS = 6 };
FL_API extern const char *const fl_incident_kind_names[FL_N_INCIDENT_KINDS];

/* What an incident has to do with attempts of its machine. */
typedef enum fl_bearing { FL_UNRELATED, FL_COINCIDES, FL_EXPLAINS } fl_bearing;
FL_API extern const char *const fl_bearing_names[3]; /* "unrelated", "coincides", "explains" */

/* Why a record belongs to the incident: it shares something with `to`. */
typedef struct fl_incident_join {
  const char *rule;    /* "report", "path", "process", "pid", "fault", "stop", "boot", "service",
                          "moment" */
  unsigned confidence; /* percent */
  const fl_event *event, *to;
} fl_incident_join;

typedef struct fl_incident {
  unsigned number; /* from 1, in time order */
  fl_incident_kind kind;
  const struct fl_machine *machine; /* NULL: nothing tells whose it is */
  fl_time t;                        /* when it occurred, in the machine's own time; 0 unknown */
  fl_time reported;                 /* the last record of it */
  bool is_exact;                    /* else it occurred between `t` and `reported` */
  const char *part;                 /* of Remote Desktop: "service", "session", …; "" = none */
  fl_str process, service, module;
  fl_str place; /* "rdpcorets.dll+0x613d4", "rdpbus.sys+0x1234" */
  fl_str signature;
  bool has_code, has_parameters, has_dump, is_rdp_driver, is_button, lost_dump;
  uint32_t code; /* of an exception or a stop */
  uint64_t parameters[4];
  const char *code_text; /* in words, "" = none */
  unsigned n_alike;      /* incidents of the case with the same process, code and place */
  const fl_incident_join *joins;
  size_t n_joins;
  const fl_str *contradictions;
  size_t n_contradictions;
  const fl_event *const *events; /* all records of it; the one that says most first */
  size_t n_events;
  fl_bearing bearing;
  fl_str reason;                            /* why it has this bearing, a sentence */
  const struct fl_attempt *const *attempts; /* those that it explains, else coincides with */
  size_t n_attempts;
  const fl_event *event; /* the synthetic "incident" that rules see */
} fl_incident;

#endif
