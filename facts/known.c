/* known.c - what is known of rows: facts by provider and id, sentences by shape and fact. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/shape.h"
#include "base/text.h"
#include "facts/fieldmap.h"

enum { CACHE = 2048, PROVIDER_MAX = 128, PARTS_MAX = 16, NAMES_MAX = 6 };

/* What facts/ says of an event id of a provider, by the bytes of the provider as recorded. */
typedef struct cached_fact {
  uint64_t id;
  uint32_t n_provider; /* 0: empty */
  uint8_t provider[PROVIDER_MAX];
  const fl_event_fact *fact;
} cached_fact;

/* A data field that a place may be filled from: the whole, or an item of unnamed data. */
typedef struct candidate {
  const fl_shape_field *field;
  uint32_t item;      /* from 1; 0: the whole */
  fl_convert convert; /* NULL: as it is */
} candidate;

/* Constant text, then the value of the first candidate that is there and converts. */
typedef struct part {
  fl_str text;
  bool is_place;
  fl_place_form form;
  uint32_t n_candidates;
  candidate candidates[NAMES_MAX];
} part;

typedef struct bound {
  const fl_event_fact *fact;
  struct bound *next; /* another fact of the same shape */
  uint32_t n_parts;
  part *parts;
} bound;

struct fl_known {
  fl_arena *arena;   /* bound sentences of cached shapes */
  fl_arena *scratch; /* one look-up */
  bound **by_serial;
  size_t cap_serials;
  cached_fact facts[CACHE];
};

fl_known *fl_known_create(void) {
  fl_known *known = calloc(1, sizeof *known);
  if (!known) return NULL;
  known->arena = fl_arena_create(FL_LIMIT_KNOWN_ARENA);
  known->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  if (known->arena && known->scratch) return known;
  fl_known_free(known);
  return NULL;
}

void fl_known_free(fl_known *known) {
  if (!known) return;
  fl_arena_free(known->arena);
  fl_arena_free(known->scratch);
  free(known->by_serial);
  free(known);
}

/* ---- facts ---- */

static const fl_event_fact *look_up(fl_known *known, fl_raw provider, uint64_t id) {
  if (id > UINT32_MAX) return NULL;
  fl_arena_reset(known->scratch);
  return fl_event_fact_find(fl_raw_text(provider, known->scratch), (uint32_t)id);
}

static const fl_event_fact *fact_of(fl_known *known, fl_raw provider, uint64_t id) {
  if (provider.n == 0 || provider.n > PROVIDER_MAX) return look_up(known, provider, id);
  cached_fact *cached = &known->facts[fl_hash_bytes(provider.p, provider.n, id) % CACHE];
  if (cached->n_provider != provider.n || cached->id != id ||
      memcmp(cached->provider, provider.p, provider.n) != 0) {
    cached->fact = look_up(known, provider, id);
    cached->id = id;
    cached->n_provider = provider.n;
    memcpy(cached->provider, provider.p, provider.n);
  }
  return cached->fact;
}

const fl_event_fact *fl_known_fact(fl_known *known, const fl_batch *batch, const fl_row *row) {
  uint64_t id = 0;
  if (!fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &id)) return NULL;
  const fl_event_fact *fact = fact_of(known, fl_row_column(batch, row, FL_C_PROVIDER), id);
  if (fact || row->shape->columns[FL_C_EVENT_SOURCE_NAME].kind == FL_REF_NONE) return fact;
  return fact_of(known, fl_row_column(batch, row, FL_C_EVENT_SOURCE_NAME), id);
}

/* ---- binding ---- */

static const fl_shape_field *find_field(const fl_shape *shape, fl_str name) {
  for (uint32_t i = 0; i < shape->n_fields; i++)
    if (fl_field_is(shape->fields[i].name, name)) return &shape->fields[i];
  return NULL;
}

static void add_candidate(const fl_shape *shape, fl_str name, fl_convert convert, part *p) {
  uint64_t item = 0;
  if (name.n > 1 && name.p[0] == '#') {
    if (fl_text_number((fl_str){name.p + 1, name.n - 1}, &item)) name = FL_STR("Data");
    else if (fl_str_eq(name, FL_STR("#bin"))) name = FL_STR("Binary");
  }
  const fl_shape_field *field = find_field(shape, name);
  if (field && p->n_candidates < NAMES_MAX)
    p->candidates[p->n_candidates++] = (candidate){field, (uint32_t)item, convert};
}

/* The map's item of this name; without one, or when none of its names holds a value, the data field
 * itself is shown. */
static void bind_place(const fl_shape *shape, const fl_event_fact *fact, fl_str name, part *p) {
  fl_str map = fl_str_of(fact->fields);
  fl_map_item item;
  while (fl_map_next(&map, &item) == FL_OK) {
    if (!fl_str_eq(item.name, name)) continue;
    if (!item.convert) {
      *p = (part){.text = item.theirs};
      return;
    }
    fl_str theirs;
    while (fl_map_next_name(&item.theirs, &theirs)) add_candidate(shape, theirs, item.convert, p);
    break;
  }
  add_candidate(shape, name, NULL, p);
}

static bool bind_parts(const fl_shape *shape, bound *b, fl_arena *arena) {
  part *parts = FL_NEW_ARRAY(arena, part, PARTS_MAX);
  uint32_t n = 0;
  if (!parts) return false;
  for (const char *at = b->fact->sentence; *at && n < PARTS_MAX; n++) {
    const size_t n_text = *at == '{' ? strcspn(at, "}") : strcspn(at, "{");
    parts[n] = (part){.text = {at, n_text}};
    if (*at == '{') {
      fl_str name = {at + 1, n_text - 1};
      parts[n] = (part){.is_place = true};
      parts[n].form = fl_place_form_of(&name);
      bind_place(shape, b->fact, name, &parts[n]);
      at += at[n_text] == '}';
    }
    at += n_text;
  }
  b->n_parts = n;
  b->parts = parts;
  return true;
}

static bound *bind(const fl_shape *shape, const fl_event_fact *fact, fl_arena *arena) {
  bound *b = FL_NEW(arena, bound);
  if (!b) return NULL;
  b->fact = fact;
  return bind_parts(shape, b, arena) ? b : NULL;
}

/* Where the sentences of a shape are listed; NULL when they are not kept. */
static bound **list_of(fl_known *known, const fl_shape *shape) {
  if (!fl_shape_is_kept(shape)) return NULL;
  if (!fl_grow_zeroed((void **)&known->by_serial, &known->cap_serials, (size_t)shape->serial + 1,
                      sizeof *known->by_serial))
    return NULL;
  return &known->by_serial[shape->serial];
}

static const bound *find_bound(fl_known *known, const fl_shape *shape, const fl_event_fact *fact,
                               fl_arena *arena) {
  bound **list = list_of(known, shape);
  for (const bound *b = list ? *list : NULL; b; b = b->next)
    if (b->fact == fact) return b;
  bound *b = list ? bind(shape, fact, known->arena) : NULL;
  if (!b) return bind(shape, fact, arena);
  b->next = *list;
  return *list = b;
}

/* ---- filling ---- */

/* An item of unnamed data: mostly each has a ref of its own; an array holds several. */
static fl_value item_of(const fl_batch *batch, const fl_row *row, const candidate *c,
                        fl_arena *arena) {
  const fl_shape_field *field = c->field;
  bool is_plain = field->join == FL_JOIN_LIST && c->item <= field->n_refs;
  for (uint32_t i = 0; is_plain && i < c->item; i++)
    is_plain = !(fl_row_raw(batch, row, &field->refs[i]).type & FL_T_ARRAY);
  if (is_plain) return fl_raw_decode(fl_row_raw(batch, row, &field->refs[c->item - 1]), arena);
  const fl_value all = fl_row_field(batch, row, field, arena);
  if (all.kind != FL_V_LIST) return c->item == 1 ? all : (fl_value){.kind = FL_V_NULL};
  return c->item <= all.as.list.n_items ? all.as.list.items[c->item - 1]
                                        : (fl_value){.kind = FL_V_NULL};
}

static bool candidate_value(const fl_batch *batch, const fl_row *row, const candidate *c,
                            fl_arena *arena, fl_value *ret_value) {
  const fl_value value =
      c->item ? item_of(batch, row, c, arena) : fl_row_field(batch, row, c->field, arena);
  *ret_value = value;
  if (!c->convert) return true;
  return value.kind != FL_V_NULL && c->convert(&value, arena, ret_value);
}

static fl_str part_shown(const fl_batch *batch, const fl_row *row, const part *p, fl_arena *arena) {
  if (!p->is_place) return p->text;
  fl_value value;
  for (uint32_t i = 0; i < p->n_candidates; i++)
    if (candidate_value(batch, row, &p->candidates[i], arena, &value))
      return fl_value_shown(&value, p->form, arena);
  return fl_value_shown(NULL, p->form, arena);
}

fl_str fl_known_sentence(fl_known *known, const fl_event_fact *fact, const fl_batch *batch,
                         const fl_row *row, fl_arena *arena) {
  if (!fact || !fact->sentence[0]) return (fl_str){0};
  const bound *b = find_bound(known, row->shape, fact, arena);
  if (!b) return (fl_str){0};
  fl_str shown[PARTS_MAX];
  size_t n = 0;
  for (uint32_t i = 0; i < b->n_parts; i++) {
    shown[i] = part_shown(batch, row, &b->parts[i], arena);
    n += shown[i].n;
  }
  char *text = fl_arena_take(arena, n + 1);
  if (!text) return (fl_str){0};
  size_t at = 0;
  for (uint32_t i = 0; i < b->n_parts; at += shown[i++].n)
    if (shown[i].n) memcpy(text + at, shown[i].p, shown[i].n);
  return (fl_str){text, n};
}

bool fl_event_is_crash_file(const fl_event *event) {
  static const char *const kinds[] = {"crash.dump", "crash.kernel", "crash.wer"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (fl_str_eq(event->kind, fl_str_of(kinds[i]))) return true;
  return false;
}
