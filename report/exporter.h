/* exporter.h - what the registry and every exporter share.
 *
 * A new exporter is one line in exporters.def and one function that bears its name:
 * fl_event_format_<name> makes a writer of events, fl_report_format_<name> writes a solved case. */
#ifndef FL_REPORT_EXPORTER_H
#define FL_REPORT_EXPORTER_H

#include "faultline/report.h"

/* The head of every writer: allocate a larger struct that begins with it. */
struct fl_event_writer {
  fl_sink sink; /* sink.self is the writer */
  /* Ends the output, frees the writer in every case. The fl_out belongs to the caller. */
  fl_status (*finish)(fl_event_writer *writer, fl_err *err);
};

#define FL_EVENT_FORMAT(name, summary, wants_markup) \
  fl_status fl_event_format_##name(fl_out *out, fl_event_writer **ret_writer, fl_err *err);
#define FL_REPORT_FORMAT(name, summary) \
  fl_status fl_report_format_##name(const fl_case *c, fl_out *out, fl_err *err);
#include "report/exporters.def"
#undef FL_EVENT_FORMAT
#undef FL_REPORT_FORMAT

#endif
