/* name.h - names of sources as outputs show them: encoded, relative and unique in a run. */
#ifndef FL_PARSERS_NAME_H
#define FL_PARSERS_NAME_H

#include "base/arena.h"

/* A name and the number that its next double gets. */
typedef struct fl_name_slot {
  fl_str name; /* p NULL: free */
  unsigned next;
} fl_name_slot;

/* Names seen in a run. The names lie in the arena given with them. */
typedef struct fl_names {
  fl_name_slot *slots; /* open addressing; the count is a power of two */
  size_t n_names, n_slots;
} fl_names;

/* '!', '%', control characters and bytes that are no UTF-8 become %XX. p NULL: no memory. */
fl_str fl_name_encode(fl_str raw, fl_arena *arena);
/* The last part of a path, without the folders above; "-" is "stdin". */
fl_str fl_name_of_input(const char *path);
/* Keeps `name`, or name#2, name#3 … when it was seen before. p NULL: no memory. */
fl_str fl_names_add(fl_names *names, fl_str name, fl_arena *arena);
void fl_names_free(fl_names *names);

#endif
