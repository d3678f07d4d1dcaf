/* sigma_sources.c - a file of log sources: what it names replaces rows of the table of the program.
 */
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/sigma_fold.h"
#include "rules/sigma_set.h"

static fl_status need_map(const fl_sigma_parser *p, const fl_yaml *node) {
  if (node->kind == FL_YAML_MAP) return FL_OK;
  return fl_sigma_error(p, node, "'%.60s' is no map", node->key ? node->key->text.p : "the file");
}

static fl_status read_service(const fl_sigma_parser *p, fl_sigma_sources *sources,
                              const fl_yaml *node) {
  fl_sigma_service *service = NULL;
  const fl_str *channels = NULL;
  size_t n = 0;
  FL_TRY(fl_sigma_texts(p, node, &channels, &n));
  if (fl_sigma_service_get(sources, node->key->text, &service) != FL_OK)
    return fl_lex_nomem(p->lex);
  service->n_channels = 0;
  for (size_t i = 0; i < n; i++)
    if (fl_sigma_service_add(sources, service, channels[i]) != FL_OK) return fl_lex_nomem(p->lex);
  return FL_OK;
}

static fl_status read_ids(const fl_sigma_parser *p, const fl_yaml *node,
                          fl_sigma_mapping *mapping) {
  const fl_str *texts = NULL;
  size_t n = 0;
  FL_TRY(fl_sigma_texts(p, node, &texts, &n));
  mapping->ids = FL_NEW_ARRAY(p->arena, uint32_t, n);
  if (!mapping->ids) return fl_lex_nomem(p->lex);
  for (size_t i = 0; i < n; i++) {
    uint64_t number = 0;
    if (!fl_text_number(texts[i], &number) || number > UINT32_MAX)
      return fl_sigma_error(p, node, "'%.40s' is no event id", texts[i].p);
    mapping->ids[mapping->n_ids++] = (uint32_t)number;
  }
  return FL_OK;
}

static fl_status read_names(const fl_sigma_parser *p, const fl_yaml *node,
                            fl_sigma_mapping *mapping) {
  FL_TRY(need_map(p, node));
  mapping->names = FL_NEW_ARRAY(p->arena, fl_str, 2 * node->n);
  if (!mapping->names) return fl_lex_nomem(p->lex);
  for (const fl_yaml *kid = node->first; kid; kid = kid->next) {
    if (kid->kind != FL_YAML_SCALAR) return fl_sigma_error(p, kid, "expected a field's name");
    fl_str *to = &mapping->names[mapping->n_names];
    to[0] = fl_sigma_field_name(kid->key->text, p->arena);
    to[1] = fl_sigma_field_name(kid->text, p->arena);
    if (!to[0].p || !to[1].p) return fl_lex_nomem(p->lex);
    mapping->n_names += 2;
  }
  return FL_OK;
}

static fl_status read_place(const fl_sigma_parser *p, fl_sigma_sources *sources,
                            fl_sigma_category *category, const fl_yaml *node) {
  static const char *const keys[] = {"service", "ids", "fields", NULL};
  fl_sigma_mapping mapping = {.service = UINT32_MAX};
  FL_TRY(need_map(p, node));
  for (const fl_yaml *kid = node->first; kid; kid = kid->next) {
    if (fl_str_eq(kid->key->text, FL_STR("service"))) {
      mapping.service = fl_sigma_service_find(sources, kid->text);
      if (mapping.service == UINT32_MAX)
        return fl_sigma_error(p, kid, "service '%.60s' has no channels",
                              kid->text.p ? kid->text.p : "");
    } else if (fl_str_eq(kid->key->text, FL_STR("ids"))) {
      FL_TRY(read_ids(p, kid, &mapping));
    } else if (fl_str_eq(kid->key->text, FL_STR("fields"))) {
      FL_TRY(read_names(p, kid, &mapping));
    } else {
      return fl_sigma_error(p, kid->key, "'%.40s' is no part of a place%.*s", kid->key->text.p,
                            FL_STR_ARG(fl_lex_guess(p->lex, kid->key->text, keys)));
    }
  }
  if (mapping.service == UINT32_MAX) return fl_sigma_error(p, node, "the place has no 'service'");
  return fl_sigma_category_add(category, &mapping) == FL_OK ? FL_OK : fl_lex_nomem(p->lex);
}

static fl_status read_category(const fl_sigma_parser *p, fl_sigma_sources *sources,
                               const fl_yaml *node) {
  fl_sigma_category *category = NULL;
  if (fl_sigma_category_get(sources, node->key->text, &category) != FL_OK)
    return fl_lex_nomem(p->lex);
  category->n_mappings = 0;
  category->when_field = (fl_str){0};
  const bool is_list = node->kind == FL_YAML_LIST;
  for (const fl_yaml *kid = is_list ? node->first : node; kid; kid = is_list ? kid->next : NULL)
    FL_TRY(read_place(p, sources, category, kid));
  return FL_OK;
}

static fl_status read_placeholder(const fl_sigma_parser *p, fl_sigma_sources *sources,
                                  const fl_yaml *node) {
  fl_sigma_list list = {.name = fl_arena_str(p->arena, node->key->text)};
  FL_TRY(fl_sigma_texts(p, node, (const fl_str **)&list.values, &list.n_values));
  if (!list.name.p || !fl_grow((void **)&sources->placeholders, &sources->cap_placeholders,
                               sources->n_placeholders + 1, sizeof *sources->placeholders))
    return fl_lex_nomem(p->lex);
  sources->placeholders[sources->n_placeholders++] = list;
  return FL_OK;
}

fl_status fl_sigma_sources_read(fl_sigma_parser *p, fl_sigma_sources *sources, const fl_yaml *doc) {
  static const struct {
    const char *name;
    fl_status (*read)(const fl_sigma_parser *p, fl_sigma_sources *sources, const fl_yaml *node);
  } parts[] = {{"services", read_service},
               {"categories", read_category},
               {"placeholders", read_placeholder}};
  static const char *const names[] = {"services", "categories", "placeholders", NULL};
  FL_TRY(need_map(p, doc));
  for (const fl_yaml *part = doc->first; part; part = part->next) {
    size_t i = 0;
    while (names[i] && !fl_str_eq(part->key->text, fl_str_of(names[i]))) i++;
    if (!names[i])
      return fl_sigma_error(p, part->key, "'%.40s' is no part of a file of log sources%.*s",
                            part->key->text.p,
                            FL_STR_ARG(fl_lex_guess(p->lex, part->key->text, names)));
    FL_TRY(need_map(p, part));
    for (const fl_yaml *node = part->first; node; node = node->next)
      FL_TRY(parts[i].read(p, sources, node));
  }
  return FL_OK;
}
