/* case_place.c - whose a state fact is that names no machine: the logs beside it tell. */
#include "rules/case_place.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/solve.h"

enum {
  HOSTS_OF_SOURCE = 32, /* a log that holds more is nobody's own */
  LAST_BYTES = 128,
  SHORTEST_NAME = 3, /* of a machine, within a longer name */
  STAMP_DIGITS = 6,  /* what may follow a name behind a hyphen */
  MOST_NAMED = 8
};

typedef struct place {
  uint32_t source;
  fl_str host;
} place;

struct fl_places {
  fl_arena *arena, *scratch;
  place *items;
  size_t n, cap;
  uint32_t last_source;
  uint8_t last_type, last[LAST_BYTES]; /* the host of the last row, as recorded */
  uint32_t n_last;
};

fl_status fl_places_create(fl_places **ret_places, fl_err *err) {
  fl_places *places = calloc(1, sizeof *places);
  if (places) places->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (places) places->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (!places || !places->arena || !places->scratch) {
    fl_places_free(places);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the places of logs");
  }
  places->last_source = UINT32_MAX;
  *ret_places = places;
  return FL_OK;
}

void fl_places_free(fl_places *places) {
  if (!places) return;
  fl_arena_free(places->arena);
  fl_arena_free(places->scratch);
  free(places->items);
  free(places);
}

static bool is_last(const fl_places *places, uint32_t source, fl_raw host) {
  return places->last_source == source && places->n_last == host.n &&
         places->last_type == host.type && memcmp(places->last, host.p, host.n) == 0;
}

static void remember(fl_places *places, uint32_t source, fl_raw host) {
  places->last_source = UINT32_MAX;
  if (host.n == 0 || host.n > LAST_BYTES) return;
  memcpy(places->last, host.p, host.n);
  places->n_last = host.n;
  places->last_type = host.type;
  places->last_source = source;
}

/* Sources come one after the other: those of this one are at the end. */
static fl_status add(fl_places *places, uint32_t source, fl_str host, fl_err *err) {
  size_t n_of_source = 0;
  for (size_t i = places->n; i > 0 && places->items[i - 1].source == source; i--, n_of_source++)
    if (fl_str_eq_nocase(places->items[i - 1].host, host)) return FL_OK;
  if (n_of_source >= HOSTS_OF_SOURCE) return FL_OK;
  if (!fl_grow((void **)&places->items, &places->cap, places->n + 1, sizeof *places->items))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the places of logs");
  const fl_str kept = fl_arena_str(places->arena, host);
  if (kept.p) places->items[places->n++] = (place){source, kept};
  return FL_OK; /* without room a fact has no host, as before */
}

fl_status fl_places_batch(fl_places *places, const fl_batch *batch, fl_err *err) {
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    const fl_raw host = fl_row_column(batch, row, FL_C_HOST);
    if (host.n == 0 || host.type == FL_T_NULL || is_last(places, batch->source, host)) continue;
    if (fl_row_is_state(batch, row)) continue;
    fl_arena_reset(places->scratch);
    const fl_str text = host.type == FL_T_UTF8 ? (fl_str){(const char *)host.p, host.n}
                                               : fl_raw_text(host, places->scratch);
    remember(places, batch->source, host);
    if (text.n) FL_TRY(add(places, batch->source, text, err));
  }
  return FL_OK;
}

/* Names of machines, each once; the longest form of each. */
typedef struct names {
  fl_str items[MOST_NAMED];
  size_t n;
  bool are_more;
} names;

static void add_name(names *list, fl_str host) {
  for (size_t i = 0; i < list->n; i++) {
    if (!fl_host_same(list->items[i], host)) continue;
    if (host.n > list->items[i].n) list->items[i] = host;
    return;
  }
  if (list->n < MOST_NAMED) list->items[list->n++] = host;
  else list->are_more = true;
}

static fl_str name_of(const fl_source_info *sources, size_t n, uint32_t source) {
  if (source < n && sources[source].id == source) return sources[source].name;
  for (size_t i = 0; i < n; i++)
    if (sources[i].id == source) return sources[i].name;
  return (fl_str){0};
}

static bool is_below(fl_str name, fl_str folder) {
  return name.n >= folder.n && (folder.n == 0 || memcmp(name.p, folder.p, folder.n) == 0);
}

/* The machines whose logs lie in a folder or below; "" is the whole case. */
static void list_logs(const fl_places *places, const fl_source_info *sources, size_t n_sources,
                      fl_str folder, names *ret_names) {
  *ret_names = (names){.n = 0};
  for (size_t i = 0; i < places->n; i++)
    if (is_below(name_of(sources, n_sources, places->items[i].source), folder))
      add_name(ret_names, places->items[i].host);
}

static bool is_letter_or_digit(char c) {
  const char lower = fl_lower(c);
  return fl_is_digit(c) || (lower >= 'a' && lower <= 'z') || (unsigned char)c >= 0x80;
}

/* "HOST_…", "HOST.txt", "MSRD-Results-HOST-260310-101112": what follows must not go on as a name
 * of a machine could. */
static bool ends_there(fl_str text, size_t at) {
  if (at == text.n) return true;
  if (text.p[at] != '-') return !is_letter_or_digit(text.p[at]);
  size_t n_digits = 0;
  while (at + 1 + n_digits < text.n && fl_is_digit(text.p[at + 1 + n_digits])) n_digits++;
  return n_digits >= STAMP_DIGITS;
}

static bool names_machine(fl_str text, fl_str host, bool *ret_is_first) {
  const char *dot = memchr(host.p, '.', host.n);
  const fl_str name = dot && !fl_is_address(host) ? (fl_str){host.p, (size_t)(dot - host.p)} : host;
  if (name.n < SHORTEST_NAME) return false;
  for (size_t i = 0; i + name.n <= text.n; i++) {
    const bool begins = i == 0 || !is_letter_or_digit(text.p[i - 1]);
    if (!begins || !fl_str_eq_nocase((fl_str){text.p + i, name.n}, name)) continue;
    if (!ends_there(text, i + name.n)) continue;
    *ret_is_first = i == 0;
    return true;
  }
  return false;
}

/* The machine that a part of the path names: the one at its start, else the only one. */
static fl_str named_by(fl_str part, const names *all) {
  fl_str found = {0};
  size_t n_found = 0;
  for (size_t i = 0; i < all->n; i++) {
    bool is_first = false;
    if (!names_machine(part, all->items[i], &is_first)) continue;
    if (is_first) return all->items[i];
    found = all->items[i];
    n_found++;
  }
  return n_found == 1 ? found : (fl_str){0};
}

static fl_str joined(const names *list, fl_arena *arena) {
  fl_str text = {0};
  for (size_t i = 0; i < list->n; i++)
    text = fl_arena_printf(arena, "%.*s%s%.*s", FL_STR_ARG(text), i ? ", " : "",
                           FL_STR_ARG(list->items[i]));
  return list->are_more ? fl_arena_printf(arena, "%.*s, …", FL_STR_ARG(text)) : text;
}

fl_str fl_places_host(const fl_places *places, const fl_source_info *sources, size_t n_sources,
                      uint32_t source, fl_arena *arena, fl_str *ret_among) {
  const fl_str name = name_of(sources, n_sources, source);
  names all, beside;
  list_logs(places, sources, n_sources, (fl_str){0}, &all);
  *ret_among = (fl_str){0};
  size_t end = name.n;
  for (;;) {
    size_t start = end;
    while (start > 0 && name.p[start - 1] != '/') start--;
    const fl_str named = named_by((fl_str){name.p + start, end - start}, &all);
    if (named.n) return named;
    list_logs(places, sources, n_sources, (fl_str){name.p, start}, &beside);
    if (beside.n == 1 && !beside.are_more) return beside.items[0];
    if (start == 0) break;
    end = start - 1;
  }
  *ret_among = joined(&beside, arena);
  return (fl_str){0};
}
