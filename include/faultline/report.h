/* report.h - how events and cases leave: one exporter a format. */
#ifndef FAULTLINE_REPORT_H
#define FAULTLINE_REPORT_H

#include "faultline/case.h"

/* Writers of events: a sink that turns rows into lines. */
typedef struct fl_event_writer fl_event_writer;
typedef struct fl_event_format {
  const char *name; /* "jsonl" */
  const char *summary;
  bool wants_markup; /* fl_ingest_options.want_markup */
  fl_status (*create)(fl_out *out, fl_event_writer **ret_writer, fl_err *err);
} fl_event_format;
FL_API size_t fl_event_formats(const fl_event_format **ret_formats);
FL_API const fl_event_format *fl_event_format_find(const char *name);
FL_API fl_sink fl_event_writer_sink(fl_event_writer *writer);
FL_API fl_status fl_event_writer_finish(fl_event_writer *writer, fl_err *err); /* frees it too */

/* Writers of a solved case. */
typedef struct fl_report_format {
  const char *name; /* "text", "md", "json" */
  const char *summary;
  fl_status (*write)(const fl_case *c, fl_out *out, fl_err *err);
} fl_report_format;
FL_API size_t fl_report_formats(const fl_report_format **ret_formats);
FL_API const fl_report_format *fl_report_format_find(const char *name);

/* What `inspect` prints of one source: its notes, and events that say what its logs lack
 * (fl_gap_event; NULL: nobody looked). All of it is the caller's. */
typedef struct fl_source_report {
  const fl_source_info *source;
  const fl_note *notes;
  size_t n_notes;
  const fl_event *gaps;
  size_t n_gaps;
  const fl_event *crash; /* of a dump or an error report: what died; NULL: the source is none */
} fl_source_report;
FL_API fl_status fl_report_source(const fl_source_report *report, bool as_json, fl_out *out,
                                  fl_err *err);
/* What `explain` prints of a code. */
FL_API fl_status fl_report_code(fl_str code, fl_str extended, bool as_json, fl_out *out,
                                bool *ret_is_known, fl_err *err);
/* What `explain` prints of a cause: what rules, causes and codes say of it; and of all causes.
 * `format` is "text", "md" or "json". */
struct fl_rules;
FL_API fl_status fl_report_cause(const fl_cause_fact *cause, const struct fl_rules *rules,
                                 const char *format, fl_out *out, fl_err *err);
FL_API fl_status fl_report_causes(const struct fl_rules *rules, const char *format, fl_out *out,
                                  fl_err *err);
/* A text as a JSON string, quotes included (docs/formats/json.md). */
FL_API void fl_report_json_str(fl_str s, fl_out *out);
/* One record whole: fields, XML, hex. `format` is "text", "json" or "xml". */
FL_API fl_status fl_report_record(const fl_batch *batch, const fl_row *row, fl_str source_name,
                                  const uint8_t *bytes, size_t n_bytes, const char *format,
                                  fl_out *out, fl_err *err);

/* One checksum over every typed value of every event, for comparing what two builds, two machines
 * or two copies of a log give: equal logs, equal digests. A sink; it folds numbers as numbers,
 * strings by their characters without NULs at the end, GUIDs, times and SIDs by their content, and
 * with each value its type and its place in the event. Not cryptographic. */
typedef struct fl_digest fl_digest;
typedef struct fl_digest_sums {
  uint64_t sum, n_events, n_values;
} fl_digest_sums;
FL_API fl_status fl_digest_create(fl_digest **ret_digest, fl_err *err);
FL_API void fl_digest_free(fl_digest *digest); /* NULL is fine */
FL_API fl_sink fl_digest_sink(fl_digest *digest);
FL_API fl_digest_sums fl_digest_result(const fl_digest *digest);

#endif
