/* sigma_source.c - where the events of a Sigma log source are: the table, and look-ups in it. */
#include "rules/sigma_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/sigma_fold.h"

typedef enum row_kind { ROW_SERVICE, ROW_PLACE, ROW_WHEN } row_kind;
typedef struct row {
  row_kind kind;
  const char *name, *other, *list, *names;
} row;
static const row rows[] = {
#define FL_SERVICE(name, channel) {ROW_SERVICE, name, channel, "", ""},
#define FL_PLACE(category, service, ids, names) {ROW_PLACE, category, service, ids, names},
#define FL_WHEN(category, field, values) {ROW_WHEN, category, field, values, ""},
#include "rules/sigma_sources.def"
#undef FL_SERVICE
#undef FL_PLACE
#undef FL_WHEN
};

uint32_t fl_sigma_service_find(const fl_sigma_sources *sources, fl_str name) {
  for (size_t i = 0; i < sources->n_services; i++)
    if (fl_str_eq_nocase(sources->services[i].name, name)) return (uint32_t)i;
  return UINT32_MAX;
}

uint32_t fl_sigma_category_find(const fl_sigma_sources *sources, fl_str name) {
  for (size_t i = 0; i < sources->n_categories; i++)
    if (fl_str_eq_nocase(sources->categories[i].name, name)) return (uint32_t)i;
  return UINT32_MAX;
}

const fl_str *fl_sigma_placeholder(const fl_sigma_sources *sources, fl_str name, size_t *ret_n) {
  *ret_n = 0;
  for (size_t i = 0; i < sources->n_placeholders; i++) {
    if (!fl_str_eq(sources->placeholders[i].name, name)) continue;
    *ret_n = sources->placeholders[i].n_values;
    return sources->placeholders[i].values;
  }
  return NULL;
}

static fl_str mapped_name(const fl_sigma_mapping *mapping, fl_str field) {
  for (size_t i = 0; i + 1 < mapping->n_names; i += 2)
    if (fl_str_eq(mapping->names[i], field)) return mapping->names[i + 1];
  return (fl_str){0};
}

bool fl_sigma_category_maps(const fl_sigma_category *category, fl_str field) {
  for (size_t i = 0; i < category->n_mappings; i++)
    if (mapped_name(&category->mappings[i], field).n) return true;
  return false;
}

bool fl_sigma_place_has(const uint32_t *ids, size_t n_ids, uint32_t event_id) {
  for (size_t i = 0; i < n_ids; i++)
    if (ids[i] == event_id) return true;
  return n_ids == 0;
}

fl_str fl_sigma_category_name(const fl_sigma_category *category, fl_str field, uint32_t service,
                              uint32_t event_id) {
  for (size_t i = 0; i < category->n_mappings; i++) {
    const fl_sigma_mapping *mapping = &category->mappings[i];
    if (mapping->service != service || !fl_sigma_place_has(mapping->ids, mapping->n_ids, event_id))
      continue;
    const fl_str name = mapped_name(mapping, field);
    return name.n ? name : field;
  }
  return field;
}

fl_status fl_sigma_service_get(fl_sigma_sources *sources, fl_str name, fl_sigma_service **ret) {
  const uint32_t at = fl_sigma_service_find(sources, name);
  if (at != UINT32_MAX) {
    *ret = &sources->services[at];
    return FL_OK;
  }
  if (!fl_grow_zeroed((void **)&sources->services, &sources->cap_services, sources->n_services + 1,
                      sizeof *sources->services))
    return FL_E_NOMEM;
  *ret = &sources->services[sources->n_services++];
  (*ret)->name = fl_arena_str(sources->arena, name);
  return (*ret)->name.p ? FL_OK : FL_E_NOMEM;
}

fl_status fl_sigma_category_get(fl_sigma_sources *sources, fl_str name, fl_sigma_category **ret) {
  const uint32_t at = fl_sigma_category_find(sources, name);
  if (at != UINT32_MAX) {
    *ret = &sources->categories[at];
    return FL_OK;
  }
  if (!fl_grow_zeroed((void **)&sources->categories, &sources->cap_categories,
                      sources->n_categories + 1, sizeof *sources->categories))
    return FL_E_NOMEM;
  *ret = &sources->categories[sources->n_categories++];
  (*ret)->name = fl_arena_str(sources->arena, name);
  return (*ret)->name.p ? FL_OK : FL_E_NOMEM;
}

fl_status fl_sigma_service_add(fl_sigma_sources *sources, fl_sigma_service *service,
                               fl_str channel) {
  const fl_str folded = fl_sigma_fold(channel, sources->arena);
  if (!folded.p || !fl_grow((void **)&service->channels, &service->cap_channels,
                            service->n_channels + 1, sizeof *service->channels))
    return FL_E_NOMEM;
  service->channels[service->n_channels++] = folded;
  return FL_OK;
}

/* The next word of a list; false at its end. */
static bool next_word(fl_str *list, char gap, fl_str *ret_word) {
  while (list->n && *list->p == gap) *list = (fl_str){list->p + 1, list->n - 1};
  size_t n = 0;
  while (n < list->n && list->p[n] != gap) n++;
  *ret_word = (fl_str){list->p, n};
  *list = (fl_str){list->p + n, list->n - n};
  return n > 0;
}

static size_t count_words(const char *text, char gap) {
  fl_str list = fl_str_of(text);
  fl_str word;
  size_t n = 0;
  while (next_word(&list, gap, &word)) n++;
  return n;
}

fl_str fl_sigma_field_name(fl_str name, fl_arena *arena) {
  char *out = fl_arena_take(arena, name.n + 1);
  size_t n = 0;
  for (size_t i = 0; out && i < name.n; i++)
    if (name.p[i] != ' ') out[n++] = name.p[i];
  return out ? fl_sigma_fold((fl_str){out, n}, arena) : (fl_str){0};
}

static fl_status read_names(fl_sigma_mapping *mapping, const char *text, fl_arena *arena) {
  fl_str list = fl_str_of(text);
  fl_str pair;
  mapping->names = FL_NEW_ARRAY(arena, fl_str, 2 * count_words(text, ' '));
  if (!mapping->names) return FL_E_NOMEM;
  while (next_word(&list, ' ', &pair)) {
    const char *equals = memchr(pair.p, '=', pair.n);
    if (!equals) continue;
    const size_t n = (size_t)(equals - pair.p);
    fl_str *to = &mapping->names[mapping->n_names];
    to[0] = fl_sigma_field_name((fl_str){pair.p, n}, arena);
    to[1] = fl_sigma_field_name((fl_str){equals + 1, pair.n - n - 1}, arena);
    if (!to[0].p || !to[1].p) return FL_E_NOMEM;
    mapping->n_names += 2;
  }
  return FL_OK;
}

static fl_status read_ids(fl_sigma_mapping *mapping, const char *text, fl_arena *arena) {
  fl_str list = fl_str_of(text);
  fl_str word;
  mapping->ids = FL_NEW_ARRAY(arena, uint32_t, count_words(text, ' '));
  if (!mapping->ids) return FL_E_NOMEM;
  for (uint64_t number = 0; next_word(&list, ' ', &word);)
    if (fl_text_number(word, &number)) mapping->ids[mapping->n_ids++] = (uint32_t)number;
  return FL_OK;
}

fl_status fl_sigma_category_add(fl_sigma_category *category, const fl_sigma_mapping *mapping) {
  if (!fl_grow((void **)&category->mappings, &category->cap_mappings, category->n_mappings + 1,
               sizeof *category->mappings))
    return FL_E_NOMEM;
  category->mappings[category->n_mappings++] = *mapping;
  return FL_OK;
}

static fl_status take_place(fl_sigma_sources *sources, const row *r) {
  fl_sigma_category *category = NULL;
  fl_sigma_mapping mapping = {.service = fl_sigma_service_find(sources, fl_str_of(r->other))};
  FL_TRY(fl_sigma_category_get(sources, fl_str_of(r->name), &category));
  FL_TRY(read_ids(&mapping, r->list, sources->arena));
  FL_TRY(read_names(&mapping, r->names, sources->arena));
  return fl_sigma_category_add(category, &mapping);
}

static fl_status take_when(fl_sigma_sources *sources, const row *r) {
  fl_sigma_category *category = NULL;
  FL_TRY(fl_sigma_category_get(sources, fl_str_of(r->name), &category));
  category->when_field = fl_str_of(r->other);
  category->when_values = FL_NEW_ARRAY(sources->arena, fl_str, count_words(r->list, '|'));
  if (!category->when_values) return FL_E_NOMEM;
  fl_str list = fl_str_of(r->list);
  while (next_word(&list, '|', &category->when_values[category->n_when_values]))
    category->n_when_values++;
  return FL_OK;
}

static fl_status take_service(fl_sigma_sources *sources, const row *r) {
  fl_sigma_service *service = NULL;
  FL_TRY(fl_sigma_service_get(sources, fl_str_of(r->name), &service));
  return fl_sigma_service_add(sources, service, fl_str_of(r->other));
}

fl_status fl_sigma_sources_init(fl_sigma_sources *sources, fl_arena *arena, fl_err *err) {
  *sources = (fl_sigma_sources){.arena = arena};
  fl_status s = FL_OK;
  for (size_t i = 0; i < sizeof rows / sizeof *rows && s == FL_OK; i++) {
    const row *r = &rows[i];
    s = r->kind == ROW_SERVICE ? take_service(sources, r)
        : r->kind == ROW_PLACE ? take_place(sources, r)
                               : take_when(sources, r);
  }
  return s == FL_OK ? s : fl_fail(err, s, 0, "out of memory for log sources");
}

void fl_sigma_sources_done(fl_sigma_sources *sources) {
  for (size_t i = 0; i < sources->n_services; i++) free(sources->services[i].channels);
  for (size_t i = 0; i < sources->n_categories; i++) free(sources->categories[i].mappings);
  free(sources->services);
  free(sources->categories);
  free(sources->placeholders);
}
