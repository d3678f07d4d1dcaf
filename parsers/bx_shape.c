/* bx_shape.c - from a record's key to its shape: element tree, columns, named data fields. */
#include "base/hash.h"
#include "base/limits.h"
#include "base/raw.h"
#include "parsers/binxml.h"

/* ---- expansion: the key's templates and nested fragments become one list of markup ---- */

typedef struct ops {
  fl_markup *items;
  size_t n, cap;
} ops;

typedef struct expander {
  const bx_shape_source *from;
  fl_arena *arena;
  const bx_words *key;
  size_t at;          /* next word of the key */
  uint32_t next_slot; /* slots are numbered as the record was read */
  unsigned depth;
  size_t n_steps;
} expander;

typedef struct nest {
  uint32_t value;
  ops content;
} nest;

/* An instance of a template: its slots and the fragments that stand in them. */
typedef struct instance {
  uint32_t base, n_values, n_literals;
  nest *nests;
  size_t n_nests;
} instance;

static fl_status too_far(fl_err *err) {
  return fl_fail(err, FL_E_LIMIT, 0, "record expands to more than %d elements and values",
                 FL_LIMIT_RECORD_STEPS);
}

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_LIMIT, 0, "record needs more memory than one batch may take");
}

static fl_status push(expander *x, ops *out, fl_markup op, fl_err *err) {
  if (++x->n_steps > FL_LIMIT_RECORD_STEPS) return too_far(err);
  if (out->n == out->cap) {
    const size_t cap = out->cap ? out->cap * 2 : 64;
    fl_markup *items = FL_NEW_ARRAY(x->arena, fl_markup, cap);
    if (!items) return no_memory(err);
    if (out->n) memcpy(items, out->items, out->n * sizeof *items);
    out->items = items;
    out->cap = cap;
  }
  out->items[out->n++] = op;
  return FL_OK;
}

static fl_status expand_fragment(expander *x, ops *out, fl_err *err);

static fl_str text_of(uint64_t word) { return *(const fl_str *)(uintptr_t)bx_word_payload(word); }

/* Words that mean the same in templates and in element streams. */
static fl_status push_plain(expander *x, ops *out, uint64_t word, fl_err *err) {
  switch (bx_word_tag(word)) {
    case BX_OPEN:
      return push(x, out, (fl_markup){FL_M_OPEN, 0, text_of(word)}, err);
    case BX_ATTR:
      return push(x, out, (fl_markup){FL_M_ATTR, 0, text_of(word)}, err);
    case BX_ATTR_END:
      return push(x, out, (fl_markup){.op = FL_M_ATTR_END}, err);
    case BX_CLOSE:
      return push(x, out, (fl_markup){.op = FL_M_CLOSE}, err);
    case BX_CONST:
      return push(x, out, (fl_markup){FL_M_TEXT, 0, text_of(word)}, err);
    case BX_PI:
      return push(x, out, (fl_markup){FL_M_PI, 0, text_of(word)}, err);
    case BX_END:
    case BX_INSTANCE:
    case BX_NEST:
    case BX_SLOT:
    case BX_SUB:
    case BX_SUB_OPT:
    case BX_DEPENDS:
    case BX_LITERAL:
      break;
  }
  return fl_fail(err, FL_E_INTERNAL, 0, "key word %d out of place", (int)bx_word_tag(word));
}

static fl_status push_nested(expander *x, ops *out, const ops *content, fl_err *err) {
  for (size_t i = 0; i < content->n; i++) FL_TRY(push(x, out, content->items[i], err));
  return FL_OK;
}

/* The fragments inside an instance's values, in the order of the key. */
static fl_status expand_nests(expander *x, nest **ret_nests, size_t *ret_n, fl_err *err) {
  size_t n = 0, cap = 0;
  nest *nests = NULL;
  while (x->at < x->key->n && bx_word_tag(x->key->items[x->at]) == BX_NEST) {
    if (n == cap) {
      cap = cap ? cap * 2 : 2;
      nest *grown = FL_NEW_ARRAY(x->arena, nest, cap);
      if (!grown) return no_memory(err);
      if (n) memcpy(grown, nests, n * sizeof *nests);
      nests = grown;
    }
    nests[n] = (nest){.value = (uint32_t)bx_word_payload(x->key->items[x->at++])};
    FL_TRY(expand_fragment(x, &nests[n].content, err));
    n++;
  }
  *ret_nests = nests;
  *ret_n = n;
  return FL_OK;
}

static fl_status push_value(expander *x, ops *out, const instance *in, uint64_t word, fl_err *err) {
  const bool is_literal = bx_word_tag(word) == BX_LITERAL;
  const uint32_t index = is_literal ? (uint32_t)bx_word_payload(word) : bx_sub_index(word);
  if (index >= (is_literal ? in->n_literals : in->n_values))
    return FL_OK; /* the record has fewer values: as good as null */
  const uint32_t slot = in->base + index + (is_literal ? in->n_values : 0);
  const fl_markup_op op = bx_word_tag(word) == BX_SUB_OPT   ? FL_M_SLOT_OPT
                          : bx_word_tag(word) == BX_DEPENDS ? FL_M_DEPENDS
                                                            : FL_M_SLOT;
  return push(x, out, (fl_markup){.op = op, .slot = slot}, err);
}

/* One word of a template: markup, a value, or the fragment that stands in a value. */
static fl_status expand_word(expander *x, ops *out, const instance *in, uint64_t word,
                             fl_err *err) {
  const bx_tag tag = bx_word_tag(word);
  const bool is_content = tag == BX_SUB || tag == BX_SUB_OPT;
  for (size_t i = 0; i < in->n_nests && is_content; i++)
    if (in->nests[i].value == bx_sub_index(word))
      return push_nested(x, out, &in->nests[i].content, err);
  if (is_content || tag == BX_DEPENDS || tag == BX_LITERAL)
    return push_value(x, out, in, word, err);
  return push_plain(x, out, word, err);
}

static const bx_template *template_of(const bx_shape_source *from, uint32_t id) {
  return id & BX_TEMPORARY ? from->temporary[id & ~BX_TEMPORARY]
                           : bx_store_template(from->store, id);
}

static fl_status expand_instance(expander *x, ops *out, uint64_t word, fl_err *err) {
  const bx_template *t = template_of(x->from, (uint32_t)(bx_word_payload(word) >> 16));
  instance in = {.base = x->next_slot,
                 .n_values = (uint32_t)(bx_word_payload(word) & 0xffff),
                 .n_literals = t->n_literals};
  x->next_slot += in.n_values + in.n_literals;
  FL_TRY(expand_nests(x, &in.nests, &in.n_nests, err));
  for (size_t i = 0; i < t->n_words; i++) FL_TRY(expand_word(x, out, &in, t->words[i], err));
  return FL_OK;
}

static fl_status expand_fragment(expander *x, ops *out, fl_err *err) {
  if (++x->depth > FL_LIMIT_TEMPLATE_DEPTH) return too_far(err);
  while (x->at < x->key->n) {
    const uint64_t word = x->key->items[x->at++];
    if (bx_word_tag(word) == BX_END) break;
    if (bx_word_tag(word) == BX_INSTANCE) {
      FL_TRY(expand_instance(x, out, word, err));
    } else if (bx_word_tag(word) == BX_SLOT) {
      FL_TRY(push(x, out, (fl_markup){.op = FL_M_SLOT, .slot = x->next_slot++}, err));
    } else {
      FL_TRY(push_plain(x, out, word, err));
    }
  }
  x->depth--;
  return FL_OK;
}

/* ---- tree: elements and attributes as nodes with the refs of their content ---- */

typedef struct node {
  fl_str name;
  fl_str given_name; /* constant Name attribute of a <Data> */
  uint32_t parent;
  uint32_t section; /* node index of the child of the root that it is in, or itself */
  bool is_attribute, has_children;
  bool has_values; /* attributes that become fields of their own */
  fl_ref *refs;
  uint32_t n_refs, cap_refs;
} node;

typedef struct tree {
  fl_arena *arena;
  node *nodes;
  uint32_t n, cap;
} tree;

static bool is_namespace(fl_str name) { return name.n >= 5 && memcmp(name.p, "xmlns", 5) == 0; }

static uint32_t tree_add(tree *t, fl_str name, uint32_t parent, bool is_attribute) {
  if (t->n == t->cap) {
    const uint32_t cap = t->cap ? t->cap * 2 : 64;
    node *nodes = FL_NEW_ARRAY(t->arena, node, cap);
    if (!nodes) return UINT32_MAX;
    if (t->n) memcpy(nodes, t->nodes, t->n * sizeof *nodes);
    t->nodes = nodes;
    t->cap = cap;
  }
  const uint32_t index = t->n++;
  const bool is_section = parent == 0 && !is_attribute;
  t->nodes[index] = (node){.name = name,
                           .parent = parent,
                           .is_attribute = is_attribute,
                           .section = is_section || index == 0 ? index : t->nodes[parent].section};
  if (index && !is_attribute) t->nodes[parent].has_children = true;
  if (is_attribute && !is_namespace(name) && !fl_str_eq(name, FL_STR("Name")))
    t->nodes[parent].has_values = true;
  return index;
}

static bool add_ref(tree *t, uint32_t index, fl_ref ref) {
  node *to = &t->nodes[index];
  if (to->n_refs == to->cap_refs) {
    const uint32_t cap = to->cap_refs ? to->cap_refs * 2 : 1;
    fl_ref *refs = FL_NEW_ARRAY(t->arena, fl_ref, cap);
    if (!refs) return false;
    if (to->n_refs) memcpy(refs, to->refs, to->n_refs * sizeof *refs);
    to->refs = refs;
    to->cap_refs = cap;
  }
  to->refs[to->n_refs++] = ref;
  return true;
}

static fl_ref const_ref(fl_str text) {
  return (fl_ref){.kind = FL_REF_CONST,
                  .constant = {(const uint8_t *)text.p, (uint32_t)text.n, FL_T_UTF8, 0}};
}

static fl_ref ref_of(const fl_markup *op) {
  if (op->op != FL_M_TEXT) return (fl_ref){.kind = FL_REF_SLOT, .slot = op->slot};
  return const_ref(op->text);
}

/* System and RenderingInfo: what has no column there is no data of the event. */
static bool is_data(const tree *t, const node *n) {
  const fl_str section = t->nodes[n->section].name;
  return !fl_str_eq(section, FL_STR("System")) && !fl_str_eq(section, FL_STR("RenderingInfo"));
}

/* A leaf that the record leaves empty is there all the same: its name may be all that it says, and
 * in a list it holds its place. */
static bool is_empty_leaf(const tree *t, uint32_t at) {
  const node *n = &t->nodes[at];
  return !n->is_attribute && n->n_refs == 0 && !n->has_children && !n->has_values &&
         n->section != at && at != 0 && is_data(t, n);
}

/* Leaves the attribute or element `at`; a constant Name attribute names its <Data>. */
static uint32_t leave(tree *t, uint32_t at) {
  const node *left = &t->nodes[at];
  const uint32_t parent = left->parent;
  if (is_empty_leaf(t, at) && !add_ref(t, at, const_ref(FL_STR("")))) return UINT32_MAX;
  if (left->is_attribute && left->n_refs == 1 && left->refs[0].kind == FL_REF_CONST &&
      fl_str_eq(left->name, FL_STR("Name")))
    t->nodes[parent].given_name =
        (fl_str){(const char *)left->refs[0].constant.p, left->refs[0].constant.n};
  return parent;
}

/* A processing instruction is a field "?target" of the element that it stands in. */
static fl_status add_instruction(tree *t, uint32_t at, fl_str text, fl_err *err) {
  const char *blank = memchr(text.p, ' ', text.n);
  const size_t n_target = blank ? (size_t)(blank - text.p) : text.n;
  char *name = fl_arena_take(t->arena, n_target + 1);
  if (!name) return no_memory(err);
  name[0] = '?';
  memcpy(name + 1, text.p, n_target);
  const size_t from = blank ? n_target + 1 : n_target;
  const uint32_t index = tree_add(t, (fl_str){name, n_target + 1}, at, false);
  if (index == UINT32_MAX || !add_ref(t, index, const_ref((fl_str){text.p + from, text.n - from})))
    return no_memory(err);
  return FL_OK;
}

/* Instructions in front of the first element belong to it. */
static fl_status add_prolog(tree *t, const ops *list, fl_err *err) {
  for (size_t i = 0; t->n && i < list->n && list->items[i].op == FL_M_PI; i++)
    FL_TRY(add_instruction(t, 0, list->items[i].text, err));
  return FL_OK;
}

static fl_status build_tree(tree *t, const ops *list, fl_err *err) {
  uint32_t at = 0, depth = 0;
  for (size_t i = 0; i < list->n; i++) {
    const fl_markup *op = &list->items[i];
    switch (op->op) {
      case FL_M_OPEN:
      case FL_M_ATTR:
        at = tree_add(t, op->text, t->n ? at : 0, op->op == FL_M_ATTR);
        if (at == UINT32_MAX) return no_memory(err);
        if (++depth > FL_LIMIT_ELEMENT_DEPTH) return too_far(err);
        break;
      case FL_M_ATTR_END:
      case FL_M_CLOSE:
        if (depth == 0) return fl_fail(err, FL_E_CORRUPT, 0, "element ends that never began");
        at = leave(t, at);
        if (at == UINT32_MAX) return no_memory(err);
        depth--;
        break;
      case FL_M_TEXT:
      case FL_M_SLOT:
      case FL_M_SLOT_OPT:
        if (t->n == 0) return fl_fail(err, FL_E_CORRUPT, 0, "record has text outside of elements");
        if (!add_ref(t, at, ref_of(op))) return no_memory(err);
        break;
      case FL_M_CDATA:
      case FL_M_ENTITY:
      case FL_M_CHARREF:
      case FL_M_DEPENDS:
        break;
      case FL_M_PI:
        if (t->n) FL_TRY(add_instruction(t, at, op->text, err));
        break;
    }
  }
  return add_prolog(t, list, err);
}

/* ---- columns: what System and RenderingInfo hold ---- */

typedef struct place {
  const char *element, *attribute; /* attribute NULL: the element's content */
  fl_column column;
} place;

static const place system_places[] = {
    {"Provider", "Name", FL_C_PROVIDER},
    {"Provider", "Guid", FL_C_PROVIDER_GUID},
    {"Provider", "EventSourceName", FL_C_EVENT_SOURCE_NAME},
    {"EventID", NULL, FL_C_EVENT_ID},
    {"EventID", "Qualifiers", FL_C_QUALIFIERS},
    {"Version", NULL, FL_C_VERSION},
    {"Level", NULL, FL_C_LEVEL},
    {"Task", NULL, FL_C_TASK},
    {"Opcode", NULL, FL_C_OPCODE},
    {"Keywords", NULL, FL_C_KEYWORDS},
    {"TimeCreated", "SystemTime", FL_C_TIME},
    {"EventRecordID", NULL, FL_C_RECORD_ID},
    {"Correlation", "ActivityID", FL_C_ACTIVITY_ID},
    {"Correlation", "RelatedActivityID", FL_C_RELATED_ACTIVITY_ID},
    {"Execution", "ProcessID", FL_C_PID},
    {"Execution", "ThreadID", FL_C_TID},
    {"Channel", NULL, FL_C_CHANNEL},
    {"Computer", NULL, FL_C_HOST},
    {"Security", "UserID", FL_C_USER_SID},
};
static const place rendering_places[] = {
    {"Message", NULL, FL_C_MESSAGE},       {"Level", NULL, FL_C_LEVEL_NAME},
    {"Task", NULL, FL_C_TASK_NAME},        {"Opcode", NULL, FL_C_OPCODE_NAME},
    {"Keyword", NULL, FL_C_KEYWORD_NAMES},
};

static bool name_is(fl_str name, const char *wanted) { return fl_str_eq(name, fl_str_of(wanted)); }

static const place *find_place(const tree *t, const node *n) {
  const bool in_system = name_is(t->nodes[n->section].name, "System");
  if (!in_system && !name_is(t->nodes[n->section].name, "RenderingInfo")) return NULL;
  const place *places = in_system ? system_places : rendering_places;
  const size_t n_places = in_system ? sizeof system_places / sizeof *system_places
                                    : sizeof rendering_places / sizeof *rendering_places;
  const fl_str element = n->is_attribute ? t->nodes[n->parent].name : n->name;
  for (size_t i = 0; i < n_places; i++) {
    if (!name_is(element, places[i].element)) continue;
    if (places[i].attribute ? n->is_attribute && name_is(n->name, places[i].attribute)
                            : !n->is_attribute)
      return &places[i];
  }
  return NULL;
}

/* true when the node's content went to a column. A second value of a column (two keywords), or
 * one glued from parts, stays a data field. */
static bool take_column(fl_shape *shape, const tree *t, const node *n) {
  const place *p = n->n_refs == 1 ? find_place(t, n) : NULL;
  if (!p || shape->columns[p->column].kind != FL_REF_NONE) return false;
  shape->columns[p->column] = n->refs[0];
  return true;
}

/* Classic providers write GUIDs as text, in braces: the one form is the typed one. */
static bool type_guids(fl_shape *shape, fl_arena *arena) {
  for (fl_column column = 0; column < FL_C_COUNT; column++) {
    fl_ref *ref = &shape->columns[column];
    uint8_t bytes[16];
    if (ref->kind != FL_REF_CONST || !fl_column_is_guid(column)) continue;
    if (!fl_raw_guid(ref->constant, bytes)) continue;
    uint8_t *copy = (uint8_t *)fl_arena_take(arena, sizeof bytes);
    if (!copy) return false;
    memcpy(copy, bytes, sizeof bytes);
    ref->constant = (fl_raw){copy, sizeof bytes, FL_T_GUID, 0};
  }
  return true;
}

/* ---- data fields ---- */

typedef struct draft {
  fl_str leaf, path;
  const node *first;
  uint32_t n_nodes, n_refs;
  uint32_t namesake;       /* the first draft with this leaf */
  bool is_list, is_shared; /* shared: another path has this leaf too; kept in the namesake */
} draft;

static fl_str join(fl_str left, char between, fl_str right, fl_arena *arena) {
  char *text = fl_arena_take(arena, left.n + 1 + right.n);
  if (!text) return (fl_str){0};
  if (left.n) memcpy(text, left.p, left.n);
  text[left.n] = between;
  if (right.n) memcpy(text + left.n + 1, right.p, right.n);
  return (fl_str){text, left.n + 1 + right.n};
}

static bool is_named_data(const node *n) { return n->given_name.n && name_is(n->name, "Data"); }

static bool is_unnamed_data(const node *n) {
  return !n->is_attribute && n->given_name.n == 0 && name_is(n->name, "Data");
}

/* Names below the section, joined with dots; System and RenderingInfo keep their own name in front
 * so that they cannot be taken for data. A <Data> goes by the name that it was given. */
static fl_str path_of(const tree *t, const node *n, fl_arena *arena) {
  fl_str path = is_named_data(n) ? n->given_name : n->name;
  const bool in_data = is_data(t, n);
  for (const node *at = n; at != t->nodes;) {
    const node *up = &t->nodes[at->parent];
    if (up == t->nodes || (in_data && up == &t->nodes[n->section] && !at->is_attribute)) break;
    path = join(is_named_data(up) ? up->given_name : up->name, at->is_attribute ? '@' : '.', path,
                arena);
    at = up;
  }
  return path;
}

/* Elements go by their own name, but inside of a named <Data> and outside of data by their path. */
static fl_str leaf_of(const tree *t, const node *n, fl_str path) {
  if (is_named_data(n)) return n->given_name;
  bool has_path = !is_data(t, n) || n->is_attribute;
  for (const node *at = n; at != t->nodes && !has_path; at = &t->nodes[at->parent])
    has_path = is_named_data(&t->nodes[at->parent]);
  return has_path ? path : n->name;
}

/* Namespaces and the attribute that became the field's name are no values of their own. */
static bool is_plumbing(const tree *t, const node *n) {
  if (n->n_refs == 0) return true;
  if (!n->is_attribute) return false;
  if (is_namespace(n->name)) return true;
  return t->nodes[n->parent].given_name.n && name_is(n->name, "Name") &&
         n->refs[0].kind == FL_REF_CONST && name_is(t->nodes[n->parent].name, "Data");
}

/* Both tables hold places in items from 1: by leaf and path, and the first one by leaf. */
typedef struct drafts {
  draft *items;
  uint32_t *of_node; /* draft of each node, or UINT32_MAX */
  uint32_t n;
  uint32_t *by_path, *by_leaf;
  size_t mask;
} drafts;

static bool init_drafts(drafts *d, uint32_t n_nodes, fl_arena *arena) {
  d->mask = 15;
  while (d->mask < (size_t)n_nodes * 2) d->mask = d->mask * 2 + 1;
  d->items = FL_NEW_ARRAY(arena, draft, n_nodes);
  d->of_node = FL_NEW_ARRAY(arena, uint32_t, n_nodes);
  d->by_path = FL_NEW_ARRAY(arena, uint32_t, d->mask + 1);
  d->by_leaf = FL_NEW_ARRAY(arena, uint32_t, d->mask + 1);
  return d->items && d->of_node && d->by_path && d->by_leaf;
}

static uint32_t *slot_of_leaf(const drafts *d, fl_str leaf) {
  size_t at = (size_t)fl_hash_bytes(leaf.p, leaf.n, 0) & d->mask;
  while (d->by_leaf[at] && !fl_str_eq(d->items[d->by_leaf[at] - 1].leaf, leaf))
    at = (at + 1) & d->mask;
  return &d->by_leaf[at];
}

static uint32_t *slot_of_path(const drafts *d, const draft *wanted) {
  const uint64_t leaf = fl_hash_bytes(wanted->leaf.p, wanted->leaf.n, 0);
  size_t at = (size_t)fl_hash_bytes(wanted->path.p, wanted->path.n, leaf) & d->mask;
  for (; d->by_path[at]; at = (at + 1) & d->mask) {
    const draft *item = &d->items[d->by_path[at] - 1];
    if (fl_str_eq(item->leaf, wanted->leaf) && fl_str_eq(item->path, wanted->path)) break;
  }
  return &d->by_path[at];
}

static uint32_t add_draft(drafts *d, const draft *wanted) {
  const uint32_t at = d->n++;
  d->items[at] = *wanted;
  uint32_t *first = slot_of_leaf(d, wanted->leaf);
  if (*first) d->items[*first - 1].is_shared = true;
  else *first = at + 1;
  d->items[at].namesake = *first - 1;
  return at;
}

/* Joins nodes of the same path into one draft; different paths with one leaf name use paths. */
static void place_node(drafts *d, uint32_t index, const draft *wanted) {
  uint32_t *slot = slot_of_path(d, wanted);
  if (!*slot) *slot = add_draft(d, wanted) + 1;
  draft *item = &d->items[*slot - 1];
  item->n_nodes++;
  item->n_refs += wanted->first->n_refs;
  item->is_list |= wanted->is_list || item->n_nodes > 1;
  d->of_node[index] = *slot - 1;
}

static fl_status draft_fields(fl_shape *shape, const tree *t, drafts *d, fl_err *err) {
  fl_arena *arena = t->arena;
  if (t->n > FL_LIMIT_RECORD_ELEMENTS)
    return fl_fail(err, FL_E_LIMIT, 0, "record has %u elements and attributes, expected at most %d",
                   t->n, FL_LIMIT_RECORD_ELEMENTS);
  if (!init_drafts(d, t->n, arena)) return no_memory(err);
  for (uint32_t i = 0; i < t->n; i++) {
    const node *n = &t->nodes[i];
    d->of_node[i] = UINT32_MAX;
    if (is_plumbing(t, n) || take_column(shape, t, n)) continue;
    const fl_str path = path_of(t, n, arena);
    if (!path.p) return no_memory(err);
    place_node(
        d, i,
        &(draft){
            .leaf = leaf_of(t, n, path), .path = path, .first = n, .is_list = is_unnamed_data(n)});
  }
  return FL_OK;
}

static fl_status finish_fields(fl_shape *shape, const tree *t, fl_arena *arena, const drafts *d,
                               fl_err *err) {
  fl_shape_field *fields = FL_NEW_ARRAY(arena, fl_shape_field, d->n);
  if (!fields) return no_memory(err);
  for (uint32_t k = 0; k < d->n; k++) {
    const draft *from = &d->items[k];
    const bool is_shared = d->items[from->namesake].is_shared;
    fl_ref *refs = FL_NEW_ARRAY(arena, fl_ref, from->n_refs);
    const fl_str name = fl_arena_str(arena, is_shared ? from->path : from->leaf);
    if (!refs || !name.p) return no_memory(err);
    const fl_join glued = from->n_refs > 1 ? FL_JOIN_CONCAT : FL_JOIN_ONE;
    fields[k] = (fl_shape_field){name, refs, 0, from->is_list ? FL_JOIN_LIST : glued};
  }
  for (uint32_t i = 0; i < t->n; i++) {
    if (d->of_node[i] == UINT32_MAX) continue;
    fl_shape_field *to = &fields[d->of_node[i]];
    memcpy((fl_ref *)to->refs + to->n_refs, t->nodes[i].refs, t->nodes[i].n_refs * sizeof(fl_ref));
    to->n_refs += t->nodes[i].n_refs;
  }
  shape->fields = fields;
  shape->n_fields = d->n;
  return FL_OK;
}

static fl_status keep_markup(fl_shape *shape, const ops *list, fl_arena *arena, fl_err *err) {
  fl_markup *markup = FL_NEW_ARRAY(arena, fl_markup, list->n);
  if (!markup) return no_memory(err);
  if (list->n) memcpy(markup, list->items, list->n * sizeof *markup);
  shape->markup = markup;
  shape->n_markup = (uint32_t)list->n;
  return FL_OK;
}

fl_status bx_shape_build(const bx_shape_source *from, fl_arena *arena, fl_shape **ret_shape,
                         fl_err *err) {
  expander x = {.from = from, .arena = from->scratch, .key = from->key};
  ops list = {0};
  FL_TRY(expand_fragment(&x, &list, err));
  tree t = {.arena = from->scratch};
  FL_TRY(build_tree(&t, &list, err));
  fl_shape *shape = FL_NEW(arena, fl_shape);
  if (!shape) return no_memory(err);
  drafts d = {0};
  FL_TRY(draft_fields(shape, &t, &d, err));
  if (!type_guids(shape, arena)) return no_memory(err);
  FL_TRY(finish_fields(shape, &t, arena, &d, err));
  shape->n_slots = x.next_slot;
  if (from->want_markup) FL_TRY(keep_markup(shape, &list, arena, err));
  *ret_shape = shape;
  return FL_OK;
}
