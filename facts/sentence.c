/* sentence.c - sentences of known events, filled with the values of an event. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "facts/fieldmap.h"

enum { VALUE_SHOWN_MAX = 200 };

/* Long values are cut between characters. */
static fl_str shown_part(fl_str s) {
  if (s.n <= VALUE_SHOWN_MAX) return s;
  size_t n = VALUE_SHOWN_MAX;
  while (n > 0 && ((uint8_t)s.p[n] & 0xc0) == 0x80) n--;
  return (fl_str){s.p, n};
}

fl_place_form fl_place_form_of(fl_str *place) {
  static const fl_str endings[] = {[FL_PLACE_HEX] = {":x", 2},
                                   [FL_PLACE_REASON] = {":reason", 7},
                                   [FL_PLACE_STATUS] = {":status", 7}};
  for (int form = FL_PLACE_HEX; form <= FL_PLACE_STATUS; form++) {
    const fl_str ending = endings[form];
    if (place->n <= ending.n || memcmp(place->p + place->n - ending.n, ending.p, ending.n) != 0)
      continue;
    place->n -= ending.n;
    return (fl_place_form)form;
  }
  return FL_PLACE_PLAIN;
}

static fl_str hex_shown(uint64_t bits, fl_arena *arena) {
  char hex[FL_TIME_TEXT_MAX] = "0x";
  return fl_arena_str(arena, (fl_str){hex, 2 + fl_text_hex(bits, hex + 2)});
}

/* "5 (exDiscReasonReplacedByOtherConnection: another connection took the session over)" */
static fl_str code_shown(uint32_t code, fl_place_form form, fl_arena *arena) {
  const fl_code_fact *fact =
      form == FL_PLACE_REASON ? fl_code_of_reason(code) : fl_code_of_status(code);
  char decimal[FL_TIME_TEXT_MAX];
  const bool is_small = form == FL_PLACE_REASON && code >> 16 == 0;
  const fl_str number =
      is_small ? (fl_str){decimal, fl_text_u64(code, decimal)} : hex_shown(code, arena);
  if (!fact) return fl_arena_str(arena, number);
  return fl_arena_printf(arena, "%.*s (%s%s%s)", FL_STR_ARG(number), fact->symbol,
                         fact->symbol[0] ? ": " : "", fact->meaning);
}

fl_str fl_value_shown(const fl_value *value, fl_place_form form, fl_arena *arena) {
  int64_t number = 0;
  if (!value) return form == FL_PLACE_STATUS ? FL_STR("no status") : FL_STR("?");
  if (form != FL_PLACE_PLAIN && fl_value_number(value, &number)) {
    const uint64_t bits = number < 0 ? (uint32_t)number : (uint64_t)number;
    if (form == FL_PLACE_HEX || bits > UINT32_MAX) return hex_shown(bits, arena);
    return code_shown((uint32_t)bits, form, arena);
  }
  const fl_str text = shown_part(fl_value_text(value, arena));
  return text.n ? text : FL_STR("?");
}

/* `place` is the text between the braces. */
static fl_str place_shown(const fl_event *event, fl_str place, fl_arena *arena) {
  const fl_place_form form = fl_place_form_of(&place);
  return fl_value_shown(fl_event_field(event, place), form, arena);
}

static size_t place_end(const char *sentence, size_t at) {
  while (sentence[at] && sentence[at] != '}') at++;
  return at;
}

/* Writes at most `cap` bytes of the sentence to `ret_text` and returns its whole length. */
static size_t fill(const fl_event *event, const char *sentence, fl_arena *arena, size_t cap,
                   char *ret_text) {
  size_t n = 0;
  for (size_t at = 0; sentence[at]; at++) {
    fl_str part = {sentence + at, 1};
    if (sentence[at] == '{') {
      const size_t end = place_end(sentence, at);
      part = place_shown(event, (fl_str){sentence + at + 1, end - at - 1}, arena);
      at = end;
    }
    if (n < cap && part.n) memcpy(ret_text + n, part.p, part.n < cap - n ? part.n : cap - n);
    n += part.n;
  }
  return n;
}

fl_str fl_event_sentence(const fl_event *event, fl_arena *arena) {
  if (event->event_id < 0 || event->event_id > UINT32_MAX) return (fl_str){0};
  const fl_event_fact *fact = fl_event_fact_find(event->provider, (uint32_t)event->event_id);
  if (!fact) fact = fl_event_fact_find(event->event_source_name, (uint32_t)event->event_id);
  if (!fact || !fact->sentence[0]) return (fl_str){0};
  const size_t n = fill(event, fact->sentence, arena, 0, NULL);
  char *text = fl_arena_take(arena, n + 1);
  if (!text) return (fl_str){0};
  const size_t n_filled = fill(event, fact->sentence, arena, n, text);
  return (fl_str){text, n_filled < n ? n_filled : n};
}
