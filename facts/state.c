/* state.c - state facts: what a bundle says of a machine at the time when it was collected. */
#include <string.h>

#include "base/raw.h"
#include "base/text.h"
#include "faultline/facts.h"

static const char state_provider[] = "faultline-state";

bool fl_provider_is_state(fl_str provider) {
  return fl_str_eq_nocase(provider, fl_str_of(state_provider));
}

static bool starts(fl_str text, const char *start) {
  const size_t n = strlen(start);
  return text.n >= n && fl_str_eq_nocase((fl_str){text.p, n}, (fl_str){start, n});
}

bool fl_kind_is_state(fl_str kind) { return starts(kind, "setting.") || starts(kind, "state."); }

/* What is written down beside the facts, such as a packet, happened at its time. */
static bool is_state(fl_str provider, int64_t event_id) {
  if (!fl_provider_is_state(provider)) return false;
  const fl_event_fact *fact = event_id >= 0 && event_id <= UINT32_MAX
                                  ? fl_event_fact_find(provider, (uint32_t)event_id)
                                  : NULL;
  return !fact || fl_kind_is_state(fl_str_of(fact->kind));
}

bool fl_event_is_state(const fl_event *event) {
  return event->kind.n ? fl_kind_is_state(event->kind) : is_state(event->provider, event->event_id);
}

bool fl_row_is_state(const fl_batch *batch, const fl_row *row) {
  const fl_raw provider = fl_raw_trim(fl_row_column(batch, row, FL_C_PROVIDER));
  uint64_t id = 0;
  char narrow[sizeof state_provider - 1];
  fl_str text = {(const char *)provider.p, provider.n};
  if (provider.type == FL_T_STR16 && provider.n == 2 * sizeof narrow) {
    for (size_t i = 0; i < sizeof narrow; i++) {
      if (provider.p[2 * i + 1]) return false;
      narrow[i] = (char)provider.p[2 * i];
    }
    text = (fl_str){narrow, sizeof narrow};
  } else if (provider.type != FL_T_UTF8) {
    return false;
  }
  if (!fl_provider_is_state(text)) return false;
  const bool has_id = fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &id);
  return is_state(text, has_id && id <= INT64_MAX ? (int64_t)id : -1);
}
