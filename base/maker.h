/* maker.h - events of our own as rows: for what a stage learns beside the records. */
#ifndef FL_BASE_MAKER_H
#define FL_BASE_MAKER_H

#include "faultline/ingest.h"

/* Gives rows to `sink` in batches of one source. Data fields are texts and natural numbers, at most
 * FL_MAKER_DATA. */
enum { FL_MAKER_DATA = 16 };
typedef struct fl_maker fl_maker;
fl_status fl_maker_create(const fl_sink *sink, fl_maker **ret_maker, fl_err *err);
void fl_maker_free(fl_maker *maker); /* NULL is fine */
/* Where the strings of the next event may be made; they live until it was added. */
fl_arena *fl_maker_arena(fl_maker *maker);
/* Passes the batch on when `source` is another one or it is full. To be called before anything of
 * the next event is made. */
fl_status fl_maker_begin(fl_maker *maker, uint32_t source, fl_err *err);
fl_status fl_maker_add(fl_maker *maker, const fl_event *event, fl_err *err);
fl_status fl_maker_flush(fl_maker *maker, fl_err *err);

/* Data fields on their way into such an event. */
typedef struct fl_maker_fields {
  fl_arena *arena;
  fl_field *list;
  size_t n;
} fl_maker_fields;
bool fl_maker_fields_init(fl_maker_fields *fields, fl_arena *arena);
void fl_maker_number(fl_maker_fields *fields, const char *name, uint64_t number);
void fl_maker_text(fl_maker_fields *fields, const char *name, fl_str text); /* none when empty */

#endif
