/* exporters.c - the registry of exporters, from exporters.def. */
#include <string.h>

#include "report/exporter.h"

#define FL_EVENT_FORMAT(name, summary, wants_markup) \
  {#name, summary, wants_markup, fl_event_format_##name},
#define FL_REPORT_FORMAT(name, summary)
static const fl_event_format event_formats[] = {
#include "report/exporters.def"
};
#undef FL_EVENT_FORMAT
#undef FL_REPORT_FORMAT

#define FL_EVENT_FORMAT(name, summary, wants_markup)
#define FL_REPORT_FORMAT(name, summary) {#name, summary, fl_report_format_##name},
static const fl_report_format report_formats[] = {
#include "report/exporters.def"
};
#undef FL_EVENT_FORMAT
#undef FL_REPORT_FORMAT

size_t fl_event_formats(const fl_event_format **ret_formats) {
  *ret_formats = event_formats;
  return sizeof event_formats / sizeof *event_formats;
}

const fl_event_format *fl_event_format_find(const char *name) {
  for (size_t i = 0; i < sizeof event_formats / sizeof *event_formats; i++)
    if (strcmp(event_formats[i].name, name) == 0) return &event_formats[i];
  return NULL;
}

size_t fl_report_formats(const fl_report_format **ret_formats) {
  *ret_formats = report_formats;
  return sizeof report_formats / sizeof *report_formats;
}

const fl_report_format *fl_report_format_find(const char *name) {
  for (size_t i = 0; i < sizeof report_formats / sizeof *report_formats; i++)
    if (strcmp(report_formats[i].name, name) == 0) return &report_formats[i];
  return NULL;
}

fl_sink fl_event_writer_sink(fl_event_writer *writer) { return writer->sink; }

fl_status fl_event_writer_finish(fl_event_writer *writer, fl_err *err) {
  return writer->finish(writer, err);
}
