/* yara_event.c - rules over single events, each as a text of its fields. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/yara_scan.h"

enum { SECONDS = 2 };

/* Where a rule can match. */
typedef struct selector {
  fl_str channel;   /* "" any */
  int64_t event_id; /* -1 any */
} selector;

struct yara_events {
  yara_scanner *scanner;
  selector *selectors; /* each once */
  size_t n_selectors, cap_selectors;
  bool has_any; /* a rule without one */
  char *text;
  size_t n, cap;
  yara_result result;
  unsigned n_stopped; /* events that took too long */
};

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules of events");
}

static bool add_selector(yara_events *e, const fl_yara_rule *rule) {
  if (!rule->channel.n && rule->event_id < 0) {
    e->has_any = true;
    return true;
  }
  for (size_t i = 0; i < e->n_selectors; i++)
    if (e->selectors[i].event_id == rule->event_id &&
        fl_str_eq_nocase(e->selectors[i].channel, rule->channel))
      return true;
  if (!fl_grow((void **)&e->selectors, &e->cap_selectors, e->n_selectors + 1, sizeof *e->selectors))
    return false;
  e->selectors[e->n_selectors++] = (selector){rule->channel, rule->event_id};
  return true;
}

fl_status fl_yara_events_create(const fl_yara *yara, yara_events **ret_events, fl_err *err) {
  yara_events *e = calloc(1, sizeof *e);
  if (!e) return no_memory(err);
  fl_status s = fl_yara_scanner_create(yara, FL_YARA_EVENT, &e->scanner, err);
  for (size_t i = 0; i < yara->n_rules && s == FL_OK; i++)
    if (yara->rules[i].scope == FL_YARA_EVENT && !add_selector(e, &yara->rules[i]))
      s = no_memory(err);
  if (s == FL_OK) *ret_events = e;
  else fl_yara_events_free(e);
  return s;
}

void fl_yara_events_free(yara_events *events) {
  if (!events) return;
  fl_yara_scanner_free(events->scanner);
  fl_yara_result_free(&events->result);
  free(events->selectors);
  free(events->text);
  free(events);
}

static bool selects(fl_str channel, int64_t event_id, const fl_yara_record *r, int64_t id) {
  return (event_id < 0 || event_id == id) &&
         (channel.n == 0 || fl_str_eq_nocase(channel, r->channel));
}

static bool is_selected(const yara_events *e, const fl_yara_record *r, int64_t id) {
  for (size_t i = 0; i < e->n_selectors; i++)
    if (selects(e->selectors[i].channel, e->selectors[i].event_id, r, id)) return true;
  return e->has_any;
}

static bool put(yara_events *e, fl_str s) {
  if (!fl_grow((void **)&e->text, &e->cap, e->n + s.n + 1, 1)) return false;
  if (s.n) memcpy(e->text + e->n, s.p, s.n);
  e->n += s.n;
  return true;
}

/* "Field: value" lines, in the order of the record. */
static bool write_text(yara_events *e, const fl_batch *batch, const fl_row *row, fl_arena *arena) {
  e->n = 0;
  for (uint32_t i = 0; i < row->shape->n_fields; i++) {
    const fl_shape_field *field = &row->shape->fields[i];
    const fl_value value = fl_row_field(batch, row, field, arena);
    if (!put(e, field->name) || !put(e, FL_STR(": ")) || !put(e, fl_value_text(&value, arena)) ||
        !put(e, FL_STR("\n")))
      return false;
  }
  return true;
}

static const char *column_text(const fl_batch *batch, const fl_row *row, fl_column column,
                               fl_arena *arena) {
  const fl_raw raw = fl_row_column(batch, row, column);
  if (raw.type == FL_T_NULL) return "";
  const fl_str kept = fl_arena_str(arena, fl_raw_text(raw, arena));
  return kept.p ? kept.p : "";
}

static int64_t column_number(const fl_batch *batch, const fl_row *row, fl_column column,
                             int64_t otherwise) {
  uint64_t number = 0;
  const bool is_number = fl_raw_u64(fl_row_column(batch, row, column), &number);
  return is_number && number <= INT64_MAX ? (int64_t)number : otherwise;
}

/* Rules share one set; those whose own selector says no are left out again. */
static void drop_unselected(const fl_yara_scan *scan, yara_result *result,
                            const fl_yara_record *record, int64_t id) {
  size_t n = 0;
  for (size_t i = 0; i < result->n_hits; i++) {
    const fl_yara_rule *rule = &scan->yara->rules[result->hits[i].rule];
    if (selects(rule->channel, rule->event_id, record, id)) result->hits[n++] = result->hits[i];
  }
  result->n_hits = n;
}

void fl_yara_events_watch(yara_events *events, uint32_t rule) {
  fl_yara_scanner_watch(events->scanner, rule);
}

static fl_status tell(fl_yara_scan *scan, const fl_row *row) {
  yara_events *e = scan->events;
  if (!e->result.is_timed_out && !e->result.has_failed) return FL_OK;
  const bool is_last = ++e->n_stopped == FL_LIMIT_YARA_STRIKES;
  return fl_yara_note(scan, row->source, FL_NOTE_LIMIT,
                      "limit reached: YARA rules of events were stopped at the record at offset "
                      "%llu after %d s%s",
                      (unsigned long long)row->offset, (int)SECONDS,
                      is_last ? "; later events were not scanned" : "");
}

static fl_status scan_event(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                            yara_row *place, fl_err *err) {
  yara_events *e = scan->events;
  fl_arena *arena = scan->scratch;
  const int64_t id = column_number(batch, row, FL_C_EVENT_ID, -1);
  fl_arena_reset(arena);
  if (!write_text(e, batch, row, arena)) return no_memory(err);
  const yara_run run = {.bytes = (const uint8_t *)e->text, .n_bytes = e->n};
  const yara_medium medium = {.runs = &run,
                              .n_runs = 1,
                              .has_size = true,
                              .seconds = SECONDS,
                              .provider = column_text(batch, row, FL_C_PROVIDER, arena),
                              .channel = column_text(batch, row, FL_C_CHANNEL, arena),
                              .computer = column_text(batch, row, FL_C_HOST, arena),
                              .event_id = id,
                              .level = column_number(batch, row, FL_C_LEVEL, 0)};
  if (fl_yara_scanner_run(e->scanner, &medium, &e->result) < FL_OK) return no_memory(err);
  const fl_yara_record record = {.channel = scan->origins[place->origin].channel};
  drop_unselected(scan, &e->result, &record, id);
  place->at = 0;
  place->n = e->n < UINT32_MAX ? (uint32_t)e->n : UINT32_MAX;
  const yara_rows rows = {.items = place, .n = 1};
  const yara_found found = {.source = row->source,
                            .name = fl_yara_name_of(scan, row->source),
                            .medium = "event",
                            .rows = &rows,
                            .n_bytes = e->n,
                            .only_in_rows = false};
  if (scan->tracing) fl_yara_trace(scan, &found, &e->result);
  FL_TRY(fl_yara_find_add(scan, &found, &e->result, err));
  return tell(scan, row) == FL_E_NOMEM ? no_memory(err) : FL_OK;
}

fl_status fl_yara_events_trace(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                               fl_err *err) {
  const fl_yara_rule *rule = &scan->yara->rules[scan->tracing->rule];
  yara_row place;
  if (rule->scope != FL_YARA_EVENT) return FL_OK;
  if (!fl_yara_row_of(scan, batch, row, &place)) return no_memory(err);
  const fl_str channel = scan->origins[place.origin].channel;
  const int64_t id = column_number(batch, row, FL_C_EVENT_ID, -1);
  const fl_yara_record record = {.channel = channel};
  if (selects(rule->channel, rule->event_id, &record, id)) return FL_OK;
  const fl_str wanted = rule->event_id < 0
                            ? FL_STR("any")
                            : fl_arena_printf(scan->scratch, "%lld", (long long)rule->event_id);
  fl_trace_add(scan->tracing->request->trace, 0, "source", FL_TRACE_FALSE,
               "%s asks event %.*s of %.*s: the record is event %lld of %.*s", rule->name,
               FL_STR_ARG(wanted), FL_STR_ARG(rule->channel.n ? rule->channel : FL_STR("any log")),
               (long long)id, FL_STR_ARG(channel));
  return FL_OK;
}

fl_status fl_yara_events_batch(fl_yara_scan *scan, const fl_batch *batch, fl_err *err) {
  const yara_events *e = scan->events;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    yara_row place;
    if (row->flags & (FL_F_FINDING | FL_F_GAP)) continue;
    if (e->n_stopped >= FL_LIMIT_YARA_STRIKES) return FL_OK;
    if (!fl_yara_row_of(scan, batch, row, &place)) return no_memory(err);
    const fl_yara_record record = {.channel = scan->origins[place.origin].channel};
    if (!is_selected(e, &record, column_number(batch, row, FL_C_EVENT_ID, -1))) continue;
    FL_TRY(scan_event(scan, batch, row, &place, err));
  }
  return FL_OK;
}
