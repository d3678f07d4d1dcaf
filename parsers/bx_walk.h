/* bx_walk.h - the state of a token walk, and the parts of it that names and texts need. */
#ifndef FL_PARSERS_BX_WALK_H
#define FL_PARSERS_BX_WALK_H

#include "base/limits.h"
#include "parsers/binxml.h"

enum {
  BX_TOKEN_EOF = 0x00,
  BX_TOKEN_OPEN = 0x01,
  BX_TOKEN_CLOSE_START = 0x02,
  BX_TOKEN_CLOSE_EMPTY = 0x03,
  BX_TOKEN_END = 0x04,
  BX_TOKEN_TEXT = 0x05,
  BX_TOKEN_ATTRIBUTE = 0x06,
  BX_TOKEN_CDATA = 0x07,
  BX_TOKEN_CHARREF = 0x08,
  BX_TOKEN_ENTITY = 0x09,
  BX_TOKEN_PI_TARGET = 0x0a,
  BX_TOKEN_PI_DATA = 0x0b,
  BX_TOKEN_INSTANCE = 0x0c,
  BX_TOKEN_SUB = 0x0d,
  BX_TOKEN_SUB_OPT = 0x0e,
  BX_TOKEN_FRAGMENT = 0x0f,
  BX_TOKEN_MORE = 0x40, /* flag: attributes or more content follow */
  BX_NAME_CACHE = 1024,
  BX_TEMPLATE_CACHE = 4096,
  BX_MOST_DEFINITIONS = 2048, /* of one chunk; a real one has 60 */
  BX_KEPT_NAMES = 1024,
  BX_KEPT_DEFINITIONS = 256,
  BX_KEPT_SHAPES = 512,
  BX_DEFINITION_HEADER = 24,
  BX_PADDING_MAX = 7 /* records end at multiples of 8 */
};

typedef struct bx_cached {
  uint32_t offset, chunk; /* chunk: number of the chunk that filled it, from 1 */
  const void *value;
} bx_cached;

/* The shape that records of one outer template had last, if all columns of the interest come from
 * that template; then they can be judged before what is nested is looked at. */
typedef struct bx_early {
  uint64_t word; /* BX_INSTANCE of the outer template; 0 = none */
  const fl_shape *shape;
  uint64_t needed; /* values that these columns are, 1 << their index */
} bx_early;
enum { BX_EARLY = 256 };

/* What the store gave last for a hash: most that is looked for was met before, and is found here
 * without a look into what all decoders share. */
typedef struct bx_kept {
  uint64_t hash;
  const void *value; /* NULL: none */
} bx_kept;

struct bx {
  fl_job *job;
  bx_store *store;
  fl_arena *scratch;
  fl_arena *chunk_arena; /* definitions that the store has no room for */
  const uint8_t *bytes;
  size_t n_bytes;
  uint32_t chunk;
  bx_cached names[BX_NAME_CACHE];
  bx_cached templates[BX_TEMPLATE_CACHE]; /* open addressing */
  unsigned n_definitions;                 /* of the chunk */
  size_t n_definition_bytes;
  fl_rows *rows;                 /* of the record */
  const bx_template **temporary; /* by id without BX_TEMPORARY */
  size_t n_temporaries, cap_temporaries;
  bx_early early[BX_EARLY];
  bx_kept kept_names[BX_KEPT_NAMES];             /* fl_str */
  bx_kept kept_definitions[BX_KEPT_DEFINITIONS]; /* bx_definition */
  bx_kept kept_shapes[BX_KEPT_SHAPES];           /* bx_kept_shape */
  bx_words key;                                  /* of the record */
  bx_compiled compiled;                          /* of the definition being walked */
  uint64_t n_temporary;                          /* shapes that were not cached */
  size_t n_built_bytes;   /* scratch memory that the shapes of the chunk's records take */
  const fl_str *name;     /* of the source, once the store needs it */
  uint64_t template_bits; /* of the chunk's templates: bx_template_bit */
  bx_recovery *recovery;  /* NULL for live records */
  bool is_doubted;        /* names have to have their hashes, definitions their sizes */
  bool is_temporary;      /* the store is full: this record's names live in the batch */
};

/* One walk over a fragment: a record's own tokens, or a definition's. */
typedef struct bx_walk {
  bx *b;
  fl_rd rd;
  fl_rows *rows; /* NULL while compiling a definition */
  bx_words *words;
  const fl_str *element; /* that was opened last */
  unsigned depth;        /* instances inside each other */
  size_t n_steps;
  const fl_shape *left_out; /* of a record that nobody wants: nothing more of it is read */
} bx_walk;

/* One piece of a run as UTF-16 in place, or as one code point or a name. */
typedef struct bx_piece {
  fl_raw raw; /* FL_T_STR16, or null */
  uint32_t code;
  const fl_str *entity; /* unknown entities are kept as "&name;" */
} bx_piece;

fl_status bx_cut_short(const bx_walk *w, const char *what, fl_err *err);
/* Appends a word to the key or the definition. */
fl_status bx_put_slowly(bx_walk *w, bx_tag tag, uint64_t payload, fl_err *err);
static inline fl_status bx_put(bx_walk *w, bx_tag tag, uint64_t payload, fl_err *err) {
  bx_words *words = w->words;
  if (w->n_steps >= FL_LIMIT_RECORD_STEPS || words->n == words->cap)
    return bx_put_slowly(w, tag, payload, err);
  w->n_steps++;
  words->items[words->n++] = bx_word(tag, payload);
  return FL_OK;
}
fl_status bx_no_room(const bx_walk *w, fl_err *err);
/* A word with a name or text; NULL when there was no room for it. */
static inline fl_status bx_put_text(bx_walk *w, bx_tag tag, const fl_str *text, fl_err *err) {
  return text ? bx_put(w, tag, (uint64_t)(uintptr_t)text, err) : bx_no_room(w, err);
}
fl_status bx_put_slot(bx_walk *w, fl_raw raw, fl_err *err);
/* Interned text; when the store is full, a copy that lives as long as the batch. */
const fl_str *bx_intern(bx_walk *w, fl_str text);

/* Reads a u32 name offset and steps over the name where it stands inline. */
fl_status bx_read_name(bx_walk *w, const fl_str **ret_name, fl_err *err);
/* The name at an offset, remembered for the rest of the chunk; its length only where asked for. */
fl_status bx_find_name(bx_walk *w, uint32_t offset, const fl_str **ret_name, size_t *ret_length,
                       fl_err *err);
/* A place where a name can be: inline at `at`, or earlier or later with a fitting hash. */
bool bx_is_name(const bx_walk *w, uint32_t offset, size_t at);

/* An attribute whose text belongs to the shape: it names its field, or is a namespace. */
static inline bool bx_names_field(fl_str name, fl_str element) {
  return (fl_str_eq(name, FL_STR("Name")) && fl_str_eq(element, FL_STR("Data"))) ||
         (name.n >= 5 && memcmp(name.p, "xmlns", 5) == 0);
}
/* The shape of the key. */
fl_status bx_find_shape(bx *b, fl_rows *rows, const fl_shape **ret_shape, fl_err *err);
/* The row of the key and of the slots from `slot0` on. */
fl_status bx_end_record(bx *b, uint32_t slot0, fl_rows *rows, fl_row *row, fl_err *err);

/* The definition at an offset of the chunk, whose first word of the GUID has to be `id`. */
fl_status bx_find_template(bx_walk *w, uint32_t id, uint32_t offset,
                           const bx_definition **ret_definition, fl_err *err);
/* For records that are no longer live: a definition that fits the values behind the cursor, from
 * the chunk or from elsewhere. */
fl_status bx_recover_template(bx_walk *w, uint32_t id, uint32_t offset,
                              const bx_definition **ret_definition, fl_err *err);
/* A fragment of a record that may be read in part: its tokens up to the first one that does not
 * decode. */
static inline bool bx_may_lose_parts(const bx_walk *w) {
  return w->rows && w->b->recovery->may_lose_parts;
}
typedef fl_status (*bx_token_walk)(bx_walk *w, uint8_t token, unsigned *depth, fl_err *err);
fl_status bx_walk_sound_part(bx_walk *w, bx_token_walk walk_token, fl_err *err);
/* Where a definition lies in the chunk. */
typedef struct bx_place {
  uint32_t offset, n_bytes;
  const uint8_t *bytes;
  uint64_t hash; /* of id, size and offset: what stands there is compared */
} bx_place;

/* One that was met before at this offset of a chunk, its outside names the same here; NULL: none.
 */
const bx_definition *bx_find_definition(bx_walk *w, const bx_place *place);
/* The definition of b->compiled, which is kept for the run or, where the store has no room, for the
 * batch: then the record is temporary. NULL: no memory. */
const bx_definition *bx_keep_definition(bx *b, uint64_t hash);
/* Stands for a name of a definition that was overwritten. */
const fl_str *bx_lost_name(bx_walk *w, uint32_t offset);
/* Puts names in the place of lost ones, where the definition can be understood without them. */
fl_status bx_recover_names(bx_walk *w, fl_err *err);
/* A constant attribute, as the name of a field, that no provider declares. */
bool bx_has_odd_name(const bx_words *words);

bool bx_is_content(uint8_t token);
fl_status bx_read_units(bx_walk *w, bx_piece *ret_piece, fl_err *err);
/* Reads a run of texts, references and CDATA as one value. A single text stays where it is;
 * anything else is joined in scratch or batch. */
fl_status bx_read_run(bx_walk *w, fl_raw *ret_raw, fl_err *err);

/* Behind the values: what the definition says of its own machine. */
fl_status bx_add_literals(bx_walk *w, const bx_definition *d, fl_err *err);

/* ---- records that nobody wants ---- */

/* After a record was decoded whole: can those like it be judged by their outer template alone? */
void bx_learn_early(bx *b, const fl_shape *shape);
/* The record of this template, in front of its values, is judged; one that is not wanted ends
 * here. */
fl_status bx_leave_out_early(bx_walk *w, const bx_definition *d, bool *ret_is_left_out,
                             fl_err *err);

#endif
