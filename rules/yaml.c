/* yaml.c - YAML documents as trees, by the events of libyaml. */
#include "rules/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/limits.h"

typedef struct builder {
  fl_lexer *lex;
  fl_arena *arena;
  yaml_parser_t parser;
  fl_yaml *open[FL_LIMIT_YAML_DEPTH];
  const fl_yaml *keys[FL_LIMIT_YAML_DEPTH]; /* of open maps: the key whose value comes next */
  unsigned depth;
  size_t n_nodes; /* of this document */
  fl_yaml *first, *last;
} builder;

/* Characters to bytes; libyaml leaves out a byte order mark. */
static size_t place_of(const fl_lexer *lex, size_t index) {
  const fl_str text = lex->text;
  size_t at = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  for (; at < text.n && index > 0; index--)
    for (at++; at < text.n && ((unsigned char)text.p[at] & 0xc0) == 0x80;) at++;
  return at;
}

size_t fl_yaml_at(const fl_lexer *lex, const fl_yaml *node) { return place_of(lex, node->index); }

static fl_status fail(builder *b, size_t index, const char *text) {
  return fl_lex_error(b->lex, place_of(b->lex, index), "%s", text);
}

static fl_status complain(builder *b) {
  const yaml_parser_t *p = &b->parser;
  if (p->error == YAML_MEMORY_ERROR) return fl_lex_nomem(b->lex);
  const char *problem = p->problem ? p->problem : "cannot be read";
  return fl_lex_error(b->lex, place_of(b->lex, p->problem_mark.index), "YAML: %s%s%s", problem,
                      p->context ? " " : "", p->context ? p->context : "");
}

static bool has_key(const fl_yaml *map, fl_str key) {
  for (const fl_yaml *kid = map->first; kid; kid = kid->next)
    if (fl_str_eq(kid->key->text, key)) return true;
  return false;
}

/* Links a finished scalar or a container that begins into what is open. */
static fl_status attach(builder *b, fl_yaml *node) {
  if (b->depth == 0) {
    if (b->last) b->last->next = node;
    else b->first = node;
    b->last = node;
    return FL_OK;
  }
  fl_yaml *parent = b->open[b->depth - 1];
  if (parent->kind == FL_YAML_MAP && !b->keys[b->depth - 1]) {
    if (node->kind != FL_YAML_SCALAR)
      return fail(b, node->index, "a key that is no text, expected a word");
    if (has_key(parent, node->text))
      return fl_lex_error(b->lex, fl_yaml_at(b->lex, node), "the key '%.60s' stands here twice",
                          node->text.p);
    if (parent->n >= FL_LIMIT_YAML_KEYS)
      return fail(b, node->index, "a map with more than 1024 keys");
    b->keys[b->depth - 1] = node;
    return FL_OK;
  }
  node->key = b->keys[b->depth - 1];
  b->keys[b->depth - 1] = NULL;
  if (parent->n++ >= FL_LIMIT_YAML_ITEMS)
    return fail(b, node->index, "a list with more than 10000 items");
  if (parent->last) parent->last->next = node;
  else parent->first = node;
  parent->last = node;
  return FL_OK;
}

static fl_status new_node(builder *b, fl_yaml_kind kind, const yaml_event_t *event,
                          fl_yaml **ret_node) {
  fl_yaml *node = FL_NEW(b->arena, fl_yaml);
  if (!node) return fl_lex_nomem(b->lex);
  if (b->n_nodes++ >= FL_LIMIT_YAML_NODES)
    return fail(b, event->start_mark.index, "a document with more than 200000 values");
  node->kind = kind;
  node->index = event->start_mark.index;
  *ret_node = node;
  return FL_OK;
}

static fl_status open_node(builder *b, fl_yaml_kind kind, const yaml_event_t *event) {
  fl_yaml *node = NULL;
  FL_TRY(new_node(b, kind, event, &node));
  if (b->depth >= FL_LIMIT_YAML_DEPTH)
    return fail(b, node->index, "lists and maps lie deeper than 32 in each other");
  FL_TRY(attach(b, node));
  b->keys[b->depth] = NULL;
  b->open[b->depth++] = node;
  return FL_OK;
}

static fl_status add_scalar(builder *b, const yaml_event_t *event) {
  fl_yaml *node = NULL;
  FL_TRY(new_node(b, FL_YAML_SCALAR, event, &node));
  const fl_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
  node->text = fl_arena_str(b->arena, text);
  node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (!node->text.p) return fl_lex_nomem(b->lex);
  return attach(b, node);
}

static bool has_mark(const yaml_event_t *event) {
  switch (event->type) {
    case YAML_SCALAR_EVENT:
      return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
      return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
      return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
      return false;
  }
}

static fl_status take(builder *b, const yaml_event_t *event) {
  if (has_mark(event))
    return fail(b, event->start_mark.index, "anchors and tags have no place in a rule");
  switch (event->type) {
    case YAML_ALIAS_EVENT:
      return fail(b, event->start_mark.index, "aliases have no place in a rule");
    case YAML_SCALAR_EVENT:
      return add_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
      return open_node(b, FL_YAML_LIST, event);
    case YAML_MAPPING_START_EVENT:
      return open_node(b, FL_YAML_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      b->depth--;
      return FL_OK;
    case YAML_DOCUMENT_START_EVENT:
      b->n_nodes = 0;
      return FL_OK;
    default:
      return FL_OK;
  }
}

static fl_status read_events(builder *b) {
  for (bool is_done = false; !is_done;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&b->parser, &event)) return complain(b);
    is_done = event.type == YAML_STREAM_END_EVENT;
    const fl_status s = take(b, &event);
    yaml_event_delete(&event);
    if (s != FL_OK) return s;
  }
  return FL_OK;
}

fl_status fl_yaml_parse(fl_lexer *lex, fl_arena *arena, const fl_yaml **ret_first) {
  builder b = {.lex = lex, .arena = arena};
  if (!yaml_parser_initialize(&b.parser)) return fl_lex_nomem(lex);
  yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&b.parser, (const unsigned char *)lex->text.p, lex->text.n);
  const fl_status s = read_events(&b);
  yaml_parser_delete(&b.parser);
  if (s == FL_OK) *ret_first = b.first;
  return s;
}

const fl_yaml *fl_yaml_get(const fl_yaml *map, const char *key) {
  if (!map || map->kind != FL_YAML_MAP) return NULL;
  for (const fl_yaml *kid = map->first; kid; kid = kid->next)
    if (fl_str_eq(kid->key->text, fl_str_of(key))) return kid;
  return NULL;
}
