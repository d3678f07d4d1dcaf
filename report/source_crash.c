/* source_crash.c - the card of a crash: process, time, reason, place, stack, what is foreign.
 *
 * A row of the card is left out when the event has none of its fields. */
#include "report/source_crash.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/text.h"
#include "faultline/facts.h"

enum { STACK_SHOWN = 12, LIST_SHOWN = 8 };

/* "{name}" is the value of a field; a part between "[" and "]" goes when a field in it is missing.
 */
typedef struct card_row {
  const char *label, *text;
} card_row;

static const card_row rows[] = {
    {"process",
     "{process}[, process {pid}][, version {version}][, started {started}][, lived "
     "{lived_s} s]"},
    {"path", "{path}"},
    {"report", "{event_type}[ ({title})][, service {service}]"},
    {"stopped", "{bugcheck}[ {bugcheck_name}]: {bugcheck_text}"},
    {"", "{parameter1}, {parameter2}, {parameter3}, {parameter4}"},
    {"reason", "{exception_text}[ ({exception})][, {detail}]"},
    {"in", "{module}+{offset}[ (version {module_version})]"},
    {"driver", "{driver}[: {fault}, confidence {confidence}: {reason}]"},
    {"thread", "{thread}[ \"{thread_name}\"]"},
    {"uptime", "{uptime_s} s[, started {booted}]"},
    {"system",
     "Windows {os_version}[ {service_pack}][, {architecture}][, build {os_build}][, commit "
     "charge {commit_percent} %]"},
    {"dump",
     "{dump_type}[, build {os_build}][, {architecture}][, {n_processors} processors][, "
     "{n_drivers} drivers, the last one {last_driver}]"},
    {"comment", "{comment}"},
    {"signature", "{signature_id} {signature}"},
};

static const card_row lists[] = {{"stack", "stack"},     {"foreign", "foreign_modules"},
                                 {"rdp", "rdp_drivers"}, {"unloaded", "unloaded_drivers"},
                                 {"files", "files"},     {"notes", "annotations"}};

/* The text of a part of a row; empty when a field is missing. */
static fl_str fill(const fl_event *crash, fl_str text, fl_arena *arena) {
  fl_str out = FL_STR("");
  for (size_t at = 0; at < text.n;) {
    const char c = text.p[at];
    const char *close =
        c == '{' || c == '[' ? memchr(text.p + at, c == '{' ? '}' : ']', text.n - at) : NULL;
    fl_str part = {text.p + at, 1};
    size_t n = 1;
    if (close) {
      n = (size_t)(close - text.p) - at + 1;
      const fl_str inside = {text.p + at + 1, n - 2};
      const fl_value *value = c == '{' ? fl_event_field(crash, inside) : NULL;
      part = c == '[' ? fill(crash, inside, arena)
             : value  ? fl_text_printable(fl_value_text(value, arena), arena)
                      : (fl_str){0};
      if (c == '{' && part.n == 0) return (fl_str){0};
    }
    out = fl_arena_printf(arena, "%.*s%.*s", FL_STR_ARG(out), FL_STR_ARG(part));
    at += n;
  }
  return out;
}

static void put_list(const fl_event *crash, const card_row *row, fl_arena *arena, fl_out *out) {
  const fl_value *value = fl_event_field(crash, fl_str_of(row->text));
  const size_t most = strcmp(row->label, "stack") == 0 ? STACK_SHOWN : LIST_SHOWN;
  if (!value || value->kind != FL_V_LIST) return;
  const size_t n = value->as.list.n_items;
  for (size_t i = 0; i < n && i < most; i++) {
    const fl_str item = fl_value_text(&value->as.list.items[i], arena);
    fl_out_printf(out, "  %-9s %.*s\n", i ? "" : row->label,
                  FL_STR_ARG(fl_text_printable(item, arena)));
  }
  if (n > most) fl_out_printf(out, "  %-9s ... and %zu more (`show` lists all)\n", "", n - most);
}

void fl_source_crash_text(const fl_event *crash, fl_arena *arena, fl_out *out) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const fl_str text = fill(crash, fl_str_of(rows[i].text), arena);
    if (text.n) fl_out_printf(out, "  %-9s %.*s\n", rows[i].label, FL_STR_ARG(text));
  }
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) put_list(crash, &lists[i], arena, out);
}

void fl_source_crash_json(fl_json *j, const fl_event *crash) {
  fl_json_key(j, "crash");
  fl_json_object(j);
  fl_json_key(j, "time");
  fl_json_time(j, crash->flags & FL_F_TIME_INVALID ? 0 : crash->t);
  for (size_t i = 0; i < crash->n_data; i++) {
    fl_json_key_str(j, crash->data[i].name);
    fl_json_value(j, &crash->data[i].value);
  }
  fl_json_end(j);
}
