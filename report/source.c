/* source.c - what `inspect` prints of one source: size, events, and where every byte went. */
#include <inttypes.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/text.h"
#include "report/exporter.h"
#include "report/json.h"
#include "report/source_crash.h"

enum { MAX_RANGES_SHOWN = 20, N_STATES = 8 };

static bool is_lost(fl_ledger_state state) {
  return state == FL_L_DAMAGED || state == FL_L_UNKNOWN || state == FL_L_UNSUPPORTED;
}

static uint64_t count_damaged(const fl_source_info *source) {
  uint64_t n = 0;
  for (size_t i = 0; i < source->n_ledger; i++) n += source->ledger[i].state == FL_L_DAMAGED;
  return n;
}

static void json_notes(fl_json *j, const fl_note *notes, size_t n_notes) {
  fl_json_key(j, "notes");
  fl_json_array(j);
  for (size_t i = 0; i < n_notes; i++) {
    fl_json_object(j);
    fl_json_key(j, "offset");
    fl_json_u64(j, notes[i].offset);
    fl_json_key(j, "severity");
    fl_json_text(j, fl_severity_names[notes[i].severity]);
    fl_json_key(j, "text");
    fl_json_str(j, notes[i].text);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void write_gap(fl_json *j, const fl_event *gap) {
  fl_json_object(j);
  fl_json_key(j, "kind");
  fl_json_str(j, gap->kind);
  fl_json_key(j, "host");
  fl_json_str(j, gap->host);
  fl_json_key(j, "channel");
  fl_json_str(j, gap->channel);
  fl_json_key(j, "time");
  fl_json_time(j, gap->flags & FL_F_TIME_INVALID ? 0 : gap->t);
  fl_json_key(j, "offset");
  fl_json_u64(j, gap->offset);
  fl_json_key(j, "data");
  fl_json_object(j);
  for (size_t i = 0; i < gap->n_data; i++) {
    fl_json_key_str(j, gap->data[i].name);
    fl_json_value(j, &gap->data[i].value);
  }
  fl_json_end(j);
  fl_json_key(j, "text");
  fl_json_str(j, gap->message);
  fl_json_end(j);
}

static void write_json(const fl_source_info *source, const fl_source_report *r, fl_out *out) {
  fl_json j = fl_json_of(out);
  fl_json_object(&j);
  fl_json_key(&j, "source");
  fl_json_str(&j, source->name);
  fl_json_key(&j, "type");
  fl_json_str(&j, fl_str_of(source->type ? source->type : "unknown"));
  if (source->detail.n) {
    fl_json_key(&j, "detail");
    fl_json_str(&j, source->detail);
  }
  fl_json_key(&j, "bytes");
  fl_json_u64(&j, source->size_bytes);
  fl_json_key(&j, "sha256");
  fl_json_text(&j, source->sha256);
  fl_json_key(&j, "events");
  fl_json_u64(&j, source->n_events);
  fl_json_key(&j, "recovered");
  fl_json_u64(&j, source->n_recovered);
  fl_json_key(&j, "damaged");
  fl_json_u64(&j, count_damaged(source));
  fl_json_key(&j, "first");
  fl_json_time(&j, source->first);
  fl_json_key(&j, "last");
  fl_json_time(&j, source->last);
  fl_json_key(&j, "ledger");
  fl_json_array(&j);
  for (size_t i = 0; i < source->n_ledger; i++) {
    const fl_range *range = &source->ledger[i];
    fl_json_object(&j);
    fl_json_key(&j, "offset");
    fl_json_u64(&j, range->offset);
    fl_json_key(&j, "length");
    fl_json_u64(&j, range->length);
    fl_json_key(&j, "state");
    fl_json_text(&j, fl_ledger_state_names[range->state]);
    fl_json_key(&j, "reason");
    fl_json_str_or_null(&j, range->reason);
    fl_json_end(&j);
  }
  fl_json_end(&j);
  json_notes(&j, r->notes, r->n_notes);
  if (r->gaps) {
    fl_json_key(&j, "gaps");
    fl_json_array(&j);
    for (size_t i = 0; i < r->n_gaps; i++) write_gap(&j, &r->gaps[i]);
    fl_json_end(&j);
  }
  if (r->crash) fl_source_crash_json(&j, r->crash);
  fl_json_end(&j);
  fl_json_line_end(&j);
}

/* What is unsupported has a range below that says so; other bytes that nobody reads do not. */
static fl_str fate_of(const fl_source_info *source) {
  if (source->is_failed) return FL_STR(", could not be read");
  if (!source->is_skipped) return (fl_str){0};
  const fl_range *range = source->n_ledger ? &source->ledger[0] : NULL;
  if (range && range->state != FL_L_SKIPPED) return FL_STR(", not read");
  return range && range->reason.n ? range->reason : FL_STR("no parser claims it");
}

static void write_head(const fl_source_info *source, fl_arena *arena, fl_out *out) {
  const fl_str name = fl_text_printable(source->name, arena);
  const fl_str fate = fl_text_printable(fate_of(source), arena);
  const char *before = fate.n && fate.p[0] != ',' ? ", skipped: " : "";
  const fl_str detail = fl_text_printable(source->detail, arena);
  fl_out_printf(out, "%.*s\n  type     %s%s%.*s%s%.*s\n", FL_STR_ARG(name),
                source->type ? source->type : "unknown", before, FL_STR_ARG(fate),
                detail.n ? ": " : "", FL_STR_ARG(detail));
  fl_out_printf(out, "  size     %" PRIu64 " bytes", source->size_bytes);
  if (source->sha256[0]) fl_out_printf(out, ", sha256 %s", source->sha256);
  fl_out_puts(out, "\n");
}

static void write_events(const fl_source_info *source, fl_out *out) {
  char first[FL_TIME_TEXT_MAX], last[FL_TIME_TEXT_MAX];
  if (source->is_container || source->is_skipped || source->is_failed) return;
  fl_out_printf(out, "  events   %" PRIu64, source->n_events);
  if (source->n_recovered) fl_out_printf(out, ", %" PRIu64 " more recovered", source->n_recovered);
  if (source->first || source->last) {
    (void)fl_time_format(source->first, 3, first);
    (void)fl_time_format(source->last, 3, last);
    fl_out_printf(out, ", from %s to %s", first, last);
  }
  fl_out_puts(out, "\n");
}

static void write_shares(const fl_source_info *source, fl_out *out) {
  uint64_t n_bytes[N_STATES] = {0};
  for (size_t i = 0; i < source->n_ledger; i++)
    n_bytes[source->ledger[i].state] += source->ledger[i].length;
  const char *before = "  bytes    ";
  for (unsigned state = 0; state < N_STATES; state++) {
    if (n_bytes[state] == 0) continue;
    fl_out_printf(out, "%s%" PRIu64 " %s", before, n_bytes[state], fl_ledger_state_names[state]);
    if (source->size_bytes)
      fl_out_printf(out, " (%.1f %%)", 100.0 * (double)n_bytes[state] / (double)source->size_bytes);
    before = ", ";
  }
  if (before[0] == ',') fl_out_puts(out, "\n");
}

static void write_lost(const fl_source_info *source, fl_arena *arena, fl_out *out) {
  size_t n = 0;
  for (size_t i = 0; i < source->n_ledger; i++) {
    const fl_range *range = &source->ledger[i];
    if (!is_lost(range->state) || n++ >= MAX_RANGES_SHOWN) continue;
    const fl_str reason = fl_text_printable(range->reason, arena);
    fl_out_printf(out, "  %-12s %" PRIu64 " bytes at %" PRIu64 "%s%.*s\n",
                  fl_ledger_state_names[range->state], range->length, range->offset,
                  reason.n ? ": " : "", FL_STR_ARG(reason));
  }
  if (n > MAX_RANGES_SHOWN)
    fl_out_printf(out, "  ... and %zu more ranges (--format json lists all)\n",
                  n - MAX_RANGES_SHOWN);
}

/* "note     repaired at 4096: chunk 0: …"; offset 0 says nothing. */
static void write_notes(const fl_note *notes, size_t n_notes, fl_arena *arena, fl_out *out) {
  for (size_t i = 0; i < n_notes; i++) {
    fl_arena_reset(arena);
    const fl_str text = fl_text_printable(notes[i].text, arena);
    fl_out_printf(out, "  note     %s", fl_severity_names[notes[i].severity]);
    if (notes[i].offset) fl_out_printf(out, " at %" PRIu64, notes[i].offset);
    fl_out_printf(out, ": %.*s\n", FL_STR_ARG(text));
  }
}

static void write_gaps(const fl_event *gaps, size_t n, fl_arena *arena, fl_out *out) {
  for (size_t i = 0; i < n && i < MAX_RANGES_SHOWN; i++) {
    char time[FL_TIME_TEXT_MAX] = "";
    if (!(gaps[i].flags & FL_F_TIME_INVALID)) (void)fl_time_format(gaps[i].t, 3, time);
    const fl_str text = fl_text_printable(gaps[i].message, arena);
    fl_out_printf(out, "  %-15.*s %s%s%.*s\n", FL_STR_ARG(gaps[i].kind), time, *time ? " " : "",
                  FL_STR_ARG(text));
  }
  if (n > MAX_RANGES_SHOWN)
    fl_out_printf(out, "  ... and %zu more gaps (--format json lists all)\n", n - MAX_RANGES_SHOWN);
}

fl_status fl_report_source(const fl_source_report *report, bool as_json, fl_out *out, fl_err *err) {
  const fl_source_info *source = report->source;
  if (as_json) {
    write_json(source, report, out);
    return FL_OK;
  }
  fl_arena *arena = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!arena) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  write_head(source, arena, out);
  write_events(source, out);
  if (report->crash) fl_source_crash_text(report->crash, arena, out);
  write_shares(source, out);
  write_lost(source, arena, out);
  write_notes(report->notes, report->n_notes, arena, out);
  write_gaps(report->gaps, report->n_gaps, arena, out);
  fl_out_puts(out, "\n");
  fl_arena_free(arena);
  return FL_OK;
}
