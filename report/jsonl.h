/* jsonl.h - what a line of JSON is made of: a plan a shape, and what the writer keeps. */
#ifndef FL_REPORT_JSONL_H
#define FL_REPORT_JSONL_H

#include "base/raw.h"
#include "base/text.h"
#include "faultline/facts.h"
#include "report/exporter.h"

/* For one value of ordinary types and what stands in front of it. */
enum { ITEM_ROOM = FL_SHORT_TEXT_MAX + 64 };

/* How a value is written. */
typedef enum jsonl_form {
  FORM_CONST,  /* nothing but the text in front */
  FORM_VALUE,  /* by its type */
  FORM_NUMBER, /* a number, also when it is recorded as text */
  FORM_HEX,    /* "0x…", also when it is recorded as a number */
  FORM_GUID,   /* upper case without braces, also when it is recorded as text */
  FORM_LIST,   /* items of one or several refs */
  FORM_GLUED   /* text of several refs */
} jsonl_form;

typedef struct jsonl_item {
  fl_str before; /* constant text in front: separators, key, constants */
  jsonl_form form;
  fl_ref ref;
  const fl_shape_field *field;
} jsonl_item;

typedef struct jsonl_plan {
  const jsonl_item *columns;
  size_t n_settled, n_columns; /* the settled ones come first */
  const jsonl_item *data;
  size_t n_data;
  size_t room;      /* for all that is not a value's own characters */
  size_t most_uses; /* of one slot */
  uint64_t fact_of; /* the event id that `fact` belongs to, where the provider is constant */
  const fl_event_fact *fact;
} jsonl_plan;
enum { NO_FACT_YET = UINT32_MAX };

/* Ids, level, task and keywords are the same in most rows of a shape: their text is kept with the
 * values that it stands for. */
enum { SETTLED_BITS = 9, SETTLED = 1 << SETTLED_BITS, SETTLED_KEY = 320, SETTLED_TEXT = 512 };
typedef struct jsonl_settled {
  uint64_t serial; /* of the shape, + 1; 0 = empty */
  uint8_t key[SETTLED_KEY];
  uint32_t n_text;
  char text[SETTLED_TEXT];
} jsonl_settled;

typedef struct jsonl {
  fl_event_writer base;
  fl_out *out;
  fl_arena *arena;   /* plans of cached shapes */
  fl_arena *scratch; /* one row, or one plan of a shape that is not cached */
  jsonl_plan **plans;
  size_t cap_plans;
  fl_str *names; /* of sources, by id: quoted */
  size_t cap_names;
  fl_known *known;
  jsonl_settled *settled;
  fl_day day;    /* of the last time that was written */
  bool is_roomy; /* the output has room for the whole row */
} jsonl;

/* The plan of a shape; NULL when out of memory. Of one that is not kept it lasts as long as the
 * row. */
jsonl_plan *jsonl_find_plan(jsonl *w, const fl_shape *shape);
/* A number or a GUID also where it is recorded as text, and hexadecimal where it is a number. */
char *jsonl_put_formed(jsonl *w, jsonl_form f, fl_raw raw, char *out);

#endif
