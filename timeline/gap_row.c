/* gap_row.c - gaps as events of our own: facts/events/gap.def has their kinds and sentences. */
#include "base/maker.h"
#include "faultline/facts.h"
#include "timeline/coverage.h"

enum {
  CUT = 8,      /* event id of damage without bytes */
  SEVERAL = 100 /* added to the event id of what stands for several gaps */
};
#define PROVIDER "faultline"

static const struct {
  uint8_t level; /* as Windows has them: 3 warning, 4 information */
  const char *first, *last, *n;
} words[FL_N_GAP_KINDS] = {
    [FL_GAP_MISSING] = {3, "first_missing", "last_missing", "n_missing"},
    [FL_GAP_FILTERED] = {4, "first_missing", "last_missing", "n_missing"},
    [FL_GAP_REPEATED] = {3, "first_repeated", "last_repeated", "n_repeated"},
    [FL_GAP_CLEARED] = {3, NULL, NULL, NULL},
    [FL_GAP_TIME_BACK] = {3, "record", NULL, NULL},
    [FL_GAP_OVERWRITTEN] = {4, "first_missing", "last_missing", "n_missing"},
    [FL_GAP_DAMAGED] = {3, NULL, NULL, NULL},
};

static void add_number(fl_maker_fields *f, const char *name, uint64_t number) {
  if (name) fl_maker_number(f, name, number);
}

static void add_time(fl_maker_fields *f, const char *name, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  if (t == INT64_MIN || t == INT64_MAX) return;
  fl_maker_text(f, name, fl_arena_str(f->arena, (fl_str){text, fl_time_format(t, 7, text)}));
}

static void add_data(fl_maker_fields *f, const fl_gap *gap) {
  add_number(f, words[gap->kind].first, gap->first);
  add_number(f, words[gap->kind].last, gap->last);
  add_number(f, words[gap->kind].n, gap->n);
  if (gap->n_places > 1) add_number(f, "n_places", gap->n_places);
  if (gap->length) add_number(f, "n_bytes", gap->length);
  if (gap->kind == FL_GAP_CLEARED) fl_maker_text(f, "log", gap->channel);
  if (gap->kind == FL_GAP_TIME_BACK)
    fl_maker_text(f, "by", fl_duration_text(gap->before - gap->after, f->arena));
  fl_maker_text(f, gap->kind == FL_GAP_CLEARED ? "user" : "what", gap->detail);
  fl_maker_text(f, "reason", fl_str_of(gap->reason));
  if (gap->kind != FL_GAP_CLEARED) add_time(f, "after", gap->after);
  if (gap->witness) add_number(f, "told_by_record", gap->witness);
}

static int64_t event_id_of(const fl_gap *gap) {
  if (gap->kind == FL_GAP_DAMAGED && gap->length == 0) return CUT;
  return gap->kind + 1 + (gap->n_places > 1 ? SEVERAL : 0);
}

fl_status fl_gap_event(const fl_gap *gap, fl_arena *arena, fl_event *ret_event, fl_err *err) {
  fl_maker_fields f;
  if (!fl_maker_fields_init(&f, arena)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  add_data(&f, gap);
  const bool has_time = gap->before != INT64_MIN || gap->after != INT64_MAX;
  const fl_time t = gap->before != INT64_MIN ? gap->before : gap->after;
  fl_event event = {.t = has_time ? t : 0,
                    .flags = FL_F_GAP | FL_F_SYNTHETIC | (has_time ? 0 : FL_F_TIME_INVALID),
                    .source = gap->source,
                    .offset = gap->offset,
                    .record_id = -1,
                    .header_record_id = -1,
                    .event_id = event_id_of(gap),
                    .qualifiers = -1,
                    .version = -1,
                    .level = words[gap->kind].level,
                    .task = -1,
                    .opcode = -1,
                    .pid = -1,
                    .tid = -1,
                    .provider = FL_STR(PROVIDER),
                    .channel = gap->channel,
                    .host = gap->host,
                    .data = f.list,
                    .n_data = f.n};
  const fl_event_fact *fact = fl_event_fact_find(event.provider, (uint32_t)event.event_id);
  event.kind = fl_str_of(fact ? fact->kind : "");
  event.message = fl_event_sentence(&event, arena);
  event.message_source = FL_MESSAGE_OWN;
  event.length = gap->length < UINT32_MAX ? (uint32_t)gap->length : UINT32_MAX;
  *ret_event = event;
  return FL_OK;
}

fl_status fl_gap_rows(const fl_gap *gaps, size_t n, const fl_sink *sink, fl_err *err) {
  fl_maker *maker = NULL;
  FL_TRY(fl_maker_create(sink, &maker, err));
  fl_status status = FL_OK;
  for (size_t i = 0; status == FL_OK && i < n; i++) {
    fl_event event;
    status = fl_maker_begin(maker, gaps[i].source, err);
    if (status == FL_OK) status = fl_gap_event(&gaps[i], fl_maker_arena(maker), &event, err);
    if (status == FL_OK) status = fl_maker_add(maker, &event, err);
  }
  if (status == FL_OK) status = fl_maker_flush(maker, err);
  fl_maker_free(maker);
  return status;
}
