/* binxml.h - BinXML (MS-EVEN6 2.2.12): templates compiled once, records as slots over a shape.
 *
 * A record becomes a *key* (what its structure is: template ids, or the element stream of records
 * that use no template) and *slots* (its values, undecoded). Records with equal keys share a shape,
 * so names, constants and the element tree are worked out once. */
#ifndef FL_PARSERS_BINXML_H
#define FL_PARSERS_BINXML_H

#include "parsers/parser.h"

typedef struct bx_store bx_store;

/* Words of a key or of a compiled template: tag in the top 8 bits, payload below. */
typedef enum bx_tag {
  BX_END,      /* end of a nested fragment */
  BX_INSTANCE, /* template id << 16 | number of values */
  BX_NEST,     /* value index that holds a fragment; its words follow up to BX_END */
  BX_OPEN,     /* interned name */
  BX_DEPENDS,  /* templates: value index; a null value removes the element just opened */
  BX_ATTR,     /* interned name */
  BX_ATTR_END,
  BX_CLOSE,
  BX_CONST,   /* interned text */
  BX_PI,      /* interned text */
  BX_SLOT,    /* next slot of the record */
  BX_SUB,     /* templates: bx_sub */
  BX_SUB_OPT, /* templates: bx_sub; a null value removes what is around it */
  BX_LITERAL  /* templates: index of a text that the definition holds for its own machine */
} bx_tag;
static inline uint64_t bx_word(bx_tag tag, uint64_t payload) {
  return (uint64_t)tag << 56 | payload;
}
static inline bx_tag bx_word_tag(uint64_t word) { return (bx_tag)(word >> 56); }
static inline uint64_t bx_word_payload(uint64_t word) { return word & UINT64_C(0xffffffffffffff); }

/* A value's index, and the type that the template wishes for it. */
static inline uint64_t bx_sub(uint16_t index, uint8_t declared) {
  return (uint64_t)declared << 16 | index;
}
static inline uint32_t bx_sub_index(uint64_t word) { return (uint32_t)(word & 0xffff); }
static inline uint8_t bx_sub_declared(uint64_t word) { return (uint8_t)(word >> 16); }

typedef struct bx_words {
  uint64_t *items;
  size_t n, cap;
} bx_words;

/* In the id of a template that the store has no room for: it lives as long as its batch. */
#define BX_TEMPORARY (UINT32_C(1) << 31)
typedef struct bx_template {
  uint32_t id;
  uint32_t n_literals; /* slots behind the values: see bx_definition */
  size_t n_words;
  const uint64_t *words;
} bx_template;

/* Names that stand outside of a definition are given by offsets into the chunk, so equal bytes mean
 * the same template only where these names are the same too. */
typedef struct bx_name_ref {
  uint32_t offset;
  const fl_str *name;
} bx_name_ref;
typedef struct bx_name_refs {
  bx_name_ref *items;
  size_t n, cap;
} bx_name_refs;
/* The computer's name stands in each definition as constant text. It is kept out of the template,
 * so that the logs of a thousand machines share one: a row gets it as one more slot. */
typedef struct bx_literal {
  const fl_str *text;
  uint32_t at, n_bytes; /* of its characters in the definition; 0 bytes: joined from several */
} bx_literal;
typedef struct bx_literals {
  bx_literal *items;
  size_t n, cap;
} bx_literals;
/* A definition that was met before, with its bytes: those of literals need not be the same. */
typedef struct bx_definition {
  const bx_template *template;
  const bx_literal *literals; /* template->n_literals, in order of their place; NULL: unknown */
  const bx_name_ref *names;
  size_t n_names;
  const uint8_t *bytes;
  uint32_t n_bytes;
  bool is_kept;    /* as long as the run, and not only as long as its chunk */
  bool is_renamed; /* some of its names were overwritten, and are known by their places */
} bx_definition;

/* Names, templates and shapes of the whole run, capped. Several decoders may use it at once; what
 * it gave stays where it is and does not change. */
fl_status bx_store_create(fl_arena *arena, bx_store **ret_store, fl_err *err);
void bx_store_free(bx_store *store); /* the arena's memory stays */
/* One source cannot use up the room of those behind it. */
void bx_store_begin_source(bx_store *store);

/* An interned copy with a stable address; NULL when the store is full. */
const fl_str *bx_store_intern(bx_store *store, fl_str text);
/* Definitions by a hash of id, size and place; several may share one. Start with *at SIZE_MAX. */
const bx_definition *bx_store_definition(bx_store *store, uint64_t hash, size_t *at);
/* What a walk over a definition gives. */
typedef struct bx_compiled {
  const uint8_t *bytes; /* of the definition */
  uint32_t n_bytes;
  bx_words words;
  bx_name_refs names;
  bx_literals literals;
  bool is_renamed;
} bx_compiled;
/* The definition with the template of these words, one for equal words; remembered by `hash`,
 * or kept in `chunk_arena` where the store is full. */
const bx_definition *bx_store_add(bx_store *store, uint64_t hash, const bx_compiled *compiled,
                                  fl_arena *chunk_arena);
const bx_template *bx_store_template(const bx_store *store, uint32_t id);
/* A shape with its key. */
typedef struct bx_kept_shape {
  const uint64_t *words;
  size_t n_words;
  const fl_shape *shape;
  size_t n_built_bytes; /* of scratch memory, to build it */
} bx_kept_shape;
static inline bool bx_has_key(const bx_kept_shape *kept, const bx_words *key) {
  return kept->n_words == key->n &&
         memcmp(kept->words, key->items, key->n * sizeof *kept->words) == 0;
}
/* NULL when it was never built. */
const bx_kept_shape *bx_store_find_shape(bx_store *store, const bx_words *key, uint64_t hash);

/* Builds the shape of a key in `arena`; what it needs on the way comes from `scratch`. FL_E_LIMIT
 * when it expands too far. */
typedef struct bx_shape_source {
  const bx_store *store;
  const bx_template *const *temporary; /* by id without BX_TEMPORARY */
  const bx_words *key;
  fl_arena *scratch; /* empty */
  bool want_markup;
} bx_shape_source;
fl_status bx_shape_build(const bx_shape_source *from, fl_arena *arena, fl_shape **ret_shape,
                         fl_err *err);
/* Builds and keeps it, with a serial number of the job's run; NULL when there is no room for it. */
const bx_kept_shape *bx_store_build_shape(bx_store *store, const bx_shape_source *from,
                                          uint64_t hash, fl_job *job);

/* Decodes the records of one chunk at a time. */
typedef struct bx bx;
typedef struct bx_recovery bx_recovery;
/* `number` tells the decoders of one source apart. */
fl_status bx_create(fl_job *job, bx_store *store, unsigned number, bx **ret_bx, fl_err *err);
void bx_free(bx *b);
/* All offsets inside records are relative to the chunk. */
void bx_chunk(bx *b, const uint8_t *bytes, size_t n_bytes);
/* The batch was delivered before the chunk's end: what lived as long as the batch is gone. */
void bx_new_batch(bx *b);
/* The chunk is damaged: offsets may lead to what never was a name or a definition. Until the next
 * chunk each name has to have its hash, and each definition its size. */
void bx_doubt(bx *b);
/* The hash that is stored with each name. */
uint16_t bx_name_hash(const uint8_t *units, size_t n_units);
/* The fragment at [from, to) of the chunk: adds slots, sets row->shape, slot0 and t. On failure
 * `rows` is as before and err->offset is relative to the chunk. */
fl_status bx_record(bx *b, size_t from, size_t to, fl_rows *rows, fl_row *row, fl_err *err);
/* The same for a record that another reader gave as Event XML; it lives as long as the batch. */
fl_status bx_xml_record(bx *b, fl_str xml, fl_rows *rows, fl_row *row, fl_err *err);

/* ---- records that are no longer live ---- */

/* A bit for each of 64 classes of template ids, and those that the current chunk's records use. */
static inline uint64_t bx_template_bit(uint32_t id) {
  return UINT64_C(1) << ((id * 2654435761u) >> 26);
}
uint64_t bx_template_bits(const bx *b);

/* A definition that was met somewhere, by the 32-bit id that records name it by. */
typedef struct bx_known_item {
  uint32_t id;
  uint32_t source;
  const bx_template *template;
  const bx_literal *literals; /* NULL: they differ between the machines that wrote it */
  const fl_str *origin;       /* name of the source, for templates of another one; else NULL */
  bool is_renamed;            /* wherever it was met: it counts where no other fits */
} bx_known_item;
/* Zeroed: empty. Add first, then sort, then look up. */
typedef struct bx_known {
  bx_known_item *items;
  size_t n, cap;
} bx_known;
bool bx_known_add(bx_known *known, const bx_known_item *item);
void bx_known_sort(bx_known *known); /* equal ones become one */
void bx_known_free(bx_known *known);
/* What all sources of the run defined so far, sorted: the store's own. */
const bx_known *bx_store_known(bx_store *store);
bool bx_store_learn(bx_store *store, const bx_known_item *item);

/* How to decode records whose chunk may be partly overwritten: it is doubted, and values have to
 * fit their table and their template. */
struct bx_recovery {
  const bx_known *known; /* templates of other places; NULL: only the chunk's own */
  size_t live_end;       /* names in front of it do not belong to what lies behind */
  bool is_torn;          /* bytes are missing at the end of the record */
  bool may_lose_names;   /* when the template inside of System's is gone */
  bool may_lose_parts;   /* what does not decode is left out, with all behind it in its fragment */
  bool is_missing;       /* out: refused for want of a template with this id, and nothing else */
  bool is_elsewhere;     /* out: a template of another place was used, from this source */
  bool is_without_names; /* out */
  bool is_without_parts; /* out */
  bool is_renamed;       /* out: names were overwritten that are known by their places */
  uint32_t missing, source;
  const fl_str *origin; /* out: of the template, when it is another source's */
  bx_literal host;      /* what this source's templates hold for their machine; no text: unknown */
  bx_definition found;  /* of the instance being decoded */
};
/* For the records that follow, which are doubted; NULL: they are live again. */
void bx_recover(bx *b, bx_recovery *recovery);
/* After bx_record: nothing of the decoded record speaks against it. */
typedef struct bx_surroundings {
  const uint8_t *bytes; /* the chunk */
  size_t n_bytes;
  bool may_differ; /* ids and times of live records differ from those in their headers */
  bool is_live;    /* its place among live records is its witness */
} bx_surroundings;
bool bx_is_plausible(const fl_rows *rows, const fl_row *row, const bx_surroundings *in);
/* The same for a row of bx_xml_record, all of whose values are text. */
bool bx_is_plausible_text(const fl_rows *rows, const fl_row *row);
/* EventRecordID is the id in the record's header. */
bool bx_has_id_of_header(const fl_rows *rows, const fl_row *row);
/* Some value is a text that no program writes. */
bool bx_has_odd_text(const fl_rows *rows, const fl_row *row);
/* Compiles the definitions of the current chunk that its template table names, and those that lie
 * behind `from` though nothing names them. */
fl_status bx_harvest(bx *b, size_t from, uint32_t source, bx_known *known, fl_err *err);

#endif
