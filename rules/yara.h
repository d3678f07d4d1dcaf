/* yara.h - YARA rules: their sources, and what they find in sources, scripts and events. */
#ifndef FL_RULES_YARA_H
#define FL_RULES_YARA_H

#include "faultline/ingest.h"
#include "faultline/rules.h"

/* A set of YARA rules. Sources only: a compiled file is code and is refused. Each file is a
 * namespace of its own. */
typedef struct fl_yara fl_yara;
fl_status fl_yara_create(fl_yara **ret_yara, fl_err *err);
void fl_yara_free(fl_yara *yara); /* NULL is fine; scans of it end before */
/* A source; its text is copied, its name is not. It may include files below `folder` where it names
 * a file there itself; NULL: none. Returns FL_E_SYNTAX when it is refused at once. */
fl_status fl_yara_add(fl_yara *yara, fl_str file, fl_str text, const char *folder, fl_err *err);
/* Compiles what was added, in a child process with limits of its own. A file with an error is
 * refused whole, the rest loads; FL_E_SYNTAX when one was refused. */
fl_status fl_yara_finish(fl_yara *yara, fl_err *err);
/* Lines count from 1; there are no columns. */
size_t fl_yara_messages(const fl_yara *yara, const fl_rule_message **ret_messages);
size_t fl_yara_files(const fl_yara *yara, const fl_rule_file **ret_files); /* once finished */

/* What a rule is scanned over. */
typedef enum fl_yara_scope {
  FL_YARA_BYTES, /* whole sources, and scripts put together from events */
  FL_YARA_EVENT  /* meta scope = "event", or the tag: one event as text */
} fl_yara_scope;
typedef struct fl_yara_rule {
  const char *name;
  fl_str file;
  uint32_t line;
  fl_str title; /* meta title or description */
  fl_str tags;  /* separated by blanks */
  int severity; /* meta severity or score, else 50 */
  fl_yara_scope scope;
  fl_str channel;   /* EVENT: meta channel, "" any */
  int64_t event_id; /* EVENT: meta event_id, -1 any */
} fl_yara_rule;
size_t fl_yara_count(const fl_yara *yara); /* once finished; without private rules */
const fl_yara_rule *fl_yara_rule_at(const fl_yara *yara, size_t index);
fl_str fl_yara_text_of(const fl_yara *yara, fl_str file); /* by the name's address */
/* "name", or "file:name" where two files have a rule of that name. NULL: there is none. */
const fl_yara_rule *fl_yara_rule_find(const fl_yara *yara, fl_str name);

/* Where one string of a rule was found. */
typedef struct fl_yara_place {
  uint64_t offset; /* in the source; in the script for finds in one */
  uint32_t length;
  const char *string; /* "$a" */
  fl_str bytes;       /* the first 64 of what was found */
  size_t record;      /* index into the find's records; SIZE_MAX: none holds it */
} fl_yara_place;
/* A record that holds a place. */
typedef struct fl_yara_record {
  uint32_t source, length;
  uint64_t offset, seq;
  int64_t record_id; /* EventRecordID, -1 none */
  fl_time t;
  uint32_t flags; /* fl_event_flags of the record */
  fl_str host, channel;
} fl_yara_record;
/* One rule that matched one source, script or event. */
typedef struct fl_yara_find {
  const fl_yara_rule *rule;
  uint32_t source;
  fl_str source_name;
  const char *medium; /* "file", "script", "event" */
  fl_str script;      /* ScriptBlockId */
  const fl_yara_place *places;
  size_t n_places;
  uint64_t n_more;               /* places beyond the limit, not listed */
  const fl_yara_record *records; /* in the order of offsets */
  size_t n_records;
  fl_str text; /* the sentence */
} fl_yara_find;

/* A scan: a sink beside others, then its result. Needs fl_ingest_options.want_bytes for sources;
 * rows of a timeline have none, so only scripts and events are scanned there. */
typedef struct fl_yara_scan fl_yara_scan;
typedef struct fl_yara_options {
  unsigned n_jobs;    /* scanning threads; 0 = number of processors, 1 = none beside the caller's */
  bool only_in_rows;  /* rows were chosen: a find counts where a record holds it */
  const bool *is_off; /* by rule: not asked; NULL = all are. Outlives the scan */
} fl_yara_options;
fl_status fl_yara_scan_create(const fl_yara *yara, const fl_yara_options *options,
                              fl_yara_scan **ret_scan, fl_err *err);
void fl_yara_scan_free(fl_yara_scan *scan); /* and all finds */
fl_sink fl_yara_scan_sink(fl_yara_scan *scan);
bool fl_yara_scan_wants_bytes(const fl_yara_scan *scan);
/* Waits for what is still scanned. Finds are in the order of sources, then rules. */
fl_status fl_yara_scan_finish(fl_yara_scan *scan, const fl_yara_find **ret_finds, size_t *ret_n,
                              fl_err *err);
/* Before the first source: somebody asks about a rule and a record. */
struct fl_tracing;
void fl_yara_scan_watch(fl_yara_scan *scan, const struct fl_tracing *tracing);
/* About limits, by source; for a scan that is finished, as what follows. */
size_t fl_yara_scan_notes(const fl_yara_scan *scan, const fl_note **ret_notes);
/* An event `yara.match` for each record of each find, and one without time for what lies in no
 * record. */
fl_status fl_yara_scan_rows(const fl_yara_scan *scan, const fl_sink *sink, fl_err *err);
fl_str fl_yara_name_of(const fl_yara_scan *scan, uint32_t source);
uint64_t fl_yara_scan_count(const fl_yara_scan *scan); /* sources whose bytes were scanned */

#endif
