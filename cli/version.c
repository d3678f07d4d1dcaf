/* version.c - faultline version: which build this is, and what it reads and writes. */
#include "cli/cli.h"

static void print_text(fl_out *out) {
  const fl_format_info *inputs = NULL;
  const size_t n_inputs = fl_formats(&inputs);
  fl_out_printf(out, "faultline %s\n\nreads\n", fl_version());
  for (size_t i = 0; i < n_inputs; i++)
    fl_out_printf(out, "  %-10s %s\n", inputs[i].name, inputs[i].summary);
  const fl_event_format *events = NULL;
  const size_t n_events = fl_event_formats(&events);
  fl_out_puts(out, "\nexports events as\n");
  for (size_t i = 0; i < n_events; i++)
    fl_out_printf(out, "  %-10s %s\n", events[i].name, events[i].summary);
  const fl_report_format *reports = NULL;
  const size_t n_reports = fl_report_formats(&reports);
  fl_out_puts(out, "\nreports as\n");
  for (size_t i = 0; i < n_reports; i++)
    fl_out_printf(out, "  %-10s %s\n", reports[i].name, reports[i].summary);
}

static void print_name(fl_out *out, const char *name, bool is_first) {
  if (!is_first) fl_out_puts(out, ",");
  fl_report_json_str(fl_str_of(name), out);
}

static void print_json(fl_out *out) {
  const fl_format_info *inputs = NULL;
  const size_t n_inputs = fl_formats(&inputs);
  const fl_event_format *events = NULL;
  const size_t n_events = fl_event_formats(&events);
  const fl_report_format *reports = NULL;
  const size_t n_reports = fl_report_formats(&reports);
  fl_out_printf(out, "{\"name\":\"faultline\",\"version\":\"%s\",\"inputs\":[", fl_version());
  for (size_t i = 0; i < n_inputs; i++) print_name(out, inputs[i].name, i == 0);
  fl_out_puts(out, "],\"exports\":[");
  for (size_t i = 0; i < n_events; i++) print_name(out, events[i].name, i == 0);
  fl_out_puts(out, "],\"reports\":[");
  for (size_t i = 0; i < n_reports; i++) print_name(out, reports[i].name, i == 0);
  fl_out_puts(out, "]}\n");
}

cli_exit cli_version(const cli_args *args) {
  bool is_json = false;
  if (!cli_args_no_more(args, 0) || !cli_wants_json(args, &is_json)) return CLI_USAGE;
  fl_out *out = NULL;
  const cli_exit exit = cli_open(NULL, &out);
  if (exit != CLI_DONE) return exit;
  if (is_json) print_json(out);
  else print_text(out);
  return cli_close(out, exit);
}
