/* sigma_source.h - where the events of a Sigma log source are: services, categories, placeholders.
 *
 * The table of the program is sigma_sources.def; a file may replace rows of it
 * (docs/rules/sigma.md). */
#ifndef FL_RULES_SIGMA_SOURCE_H
#define FL_RULES_SIGMA_SOURCE_H

#include "rules/sigma.h"

typedef struct fl_sigma_service {
  fl_str name;
  fl_str *channels;
  size_t n_channels, cap_channels;
} fl_sigma_service;

/* One place of a category's events, and what its fields are called there. */
typedef struct fl_sigma_mapping {
  uint32_t service; /* index */
  uint32_t *ids;
  size_t n_ids;
  fl_str *names; /* of rules and of events, one after the other; folded, without blanks */
  size_t n_names;
} fl_sigma_mapping;

typedef struct fl_sigma_category {
  fl_str name;
  fl_sigma_mapping *mappings;
  size_t n_mappings, cap_mappings;
  fl_str when_field; /* "" = none: then one of the values must be in this field, too */
  fl_str *when_values;
  size_t n_when_values;
} fl_sigma_category;

typedef struct fl_sigma_list {
  fl_str name;
  fl_str *values;
  size_t n_values;
} fl_sigma_list;

typedef struct fl_sigma_sources {
  fl_arena *arena;
  fl_sigma_service *services;
  size_t n_services, cap_services;
  fl_sigma_category *categories;
  size_t n_categories, cap_categories;
  fl_sigma_list *placeholders;
  size_t n_placeholders, cap_placeholders;
} fl_sigma_sources;

/* The table of the program. The arena outlives it. */
fl_status fl_sigma_sources_init(fl_sigma_sources *sources, fl_arena *arena, fl_err *err);
void fl_sigma_sources_done(fl_sigma_sources *sources);
/* UINT32_MAX = not there. */
uint32_t fl_sigma_service_find(const fl_sigma_sources *sources, fl_str name);
uint32_t fl_sigma_category_find(const fl_sigma_sources *sources, fl_str name);
/* For whoever fills the table; FL_E_NOMEM alone. */
fl_status fl_sigma_service_get(fl_sigma_sources *sources, fl_str name, fl_sigma_service **ret);
fl_status fl_sigma_category_get(fl_sigma_sources *sources, fl_str name, fl_sigma_category **ret);
fl_status fl_sigma_service_add(fl_sigma_sources *sources, fl_sigma_service *service,
                               fl_str channel);
fl_status fl_sigma_category_add(fl_sigma_category *category, const fl_sigma_mapping *mapping);
/* Without blanks, folded: how names of fields are compared. NULL = no memory. */
fl_str fl_sigma_field_name(fl_str name, fl_arena *arena);
bool fl_sigma_place_has(const uint32_t *ids, size_t n_ids, uint32_t event_id);
/* Does any mapping of the category give this field (folded) another name? */
bool fl_sigma_category_maps(const fl_sigma_category *category, fl_str field);
/* The name of a field in events of that service and id. */
fl_str fl_sigma_category_name(const fl_sigma_category *category, fl_str field, uint32_t service,
                              uint32_t event_id);
const fl_str *fl_sigma_placeholder(const fl_sigma_sources *sources, fl_str name, size_t *ret_n);

#endif
