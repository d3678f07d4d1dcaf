/* hunt.h - rules of every engine over what is read: one list of hits, in order of time. */
#ifndef FAULTLINE_HUNT_H
#define FAULTLINE_HUNT_H

#include "faultline/rules.h"

/* Bytes of a source that a rule matched. */
typedef struct fl_hit_bytes {
  uint32_t source;
  uint64_t offset, length;
} fl_hit_bytes;

/* A rule that matched. `rule` counts in its own engine: fl_rules_engine_info names it. */
typedef struct fl_hit {
  fl_rule_engine engine;
  uint32_t rule;
  fl_time t; /* of its last event; 0 where it has none */
  const fl_hit_event *events;
  size_t n_events;
  const fl_hit_bytes *bytes;
  size_t n_bytes;
  fl_str text; /* what was seen, in words; may be empty */
} fl_hit;

/* How often a rule matched, kept or not; first and last are 0 where no hit has a time. */
typedef struct fl_hit_count {
  fl_rule_engine engine;
  uint32_t rule;
  uint64_t n_hits, n_kept, n_suppressed;
  fl_time first, last;
} fl_hit_count;

typedef struct fl_hunt_options {
  int min_severity;            /* rules below are not asked; 0 = all */
  const char *const *excluded; /* names or titles of rules that are not asked */
  size_t n_excluded;
  fl_str suppressions;      /* text of a suppression file (docs/rules/sigma.md), may be empty */
  fl_str suppressions_name; /* for messages */
  unsigned engines;         /* 1 << fl_rule_engine of those to ask; 0 = all */
  unsigned n_jobs;          /* threads for what can be shared out; 0 = number of processors */
  const fl_trace_request *trace; /* a Sigma or YARA rule; NULL = nobody asks; outlives the hunt */
  bool is_tagging;               /* hits are kept as tags of their records, and not listed */
  bool is_narrowed; /* rows are chosen: bytes of a source count where a chosen record lies */
} fl_hunt_options;

/* One pass of all engines that `rules` has rules for. The rules outlive it. */
typedef struct fl_hunt fl_hunt;
FL_API fl_status fl_hunt_create(const fl_rules *rules, const fl_hunt_options *options,
                                fl_hunt **ret_hunt, fl_err *err);
FL_API void fl_hunt_free(fl_hunt *hunt);
FL_API fl_sink fl_hunt_sink(fl_hunt *hunt);
/* Everything was read. Hits are then in order of time, source name, place, engine and rule. */
FL_API fl_status fl_hunt_finish(fl_hunt *hunt, fl_err *err);
FL_API size_t fl_hunt_hits(const fl_hunt *hunt, const fl_hit **ret_hits);
/* One for each rule that matched, by engine and rule. */
FL_API size_t fl_hunt_counts(const fl_hunt *hunt, const fl_hit_count **ret_counts);
/* What a limit left out or a rule could not do: sentences. */
FL_API size_t fl_hunt_notes(const fl_hunt *hunt, const fl_str **ret_notes);
/* Which rules matched which records, in place of the hits; owned by the hunt. */
FL_API const fl_tags *fl_hunt_tags(const fl_hunt *hunt);
/* The run needs fl_ingest_options.want_bytes. */
FL_API bool fl_hunt_wants_bytes(const fl_hunt *hunt);
/* Sources whose bytes were looked at, whether a parser reads them or not. */
FL_API uint64_t fl_hunt_scanned(const fl_hunt *hunt);
/* Once finished: events of our own for what was found in bytes, kind `yara.match`. */
FL_API fl_status fl_hunt_rows(fl_hunt *hunt, const fl_sink *sink, fl_err *err);
FL_API fl_str fl_hunt_source_name(const fl_hunt *hunt, uint32_t source);

#endif
