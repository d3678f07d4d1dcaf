/* packs.h - the rule packs that travel inside the library. */
#ifndef FL_RULES_PACKS_H
#define FL_RULES_PACKS_H

#include <stddef.h>

typedef struct fl_pack {
  const char *name, *text;
  size_t n_text;
} fl_pack;
extern const fl_pack fl_packs[];
extern const size_t fl_n_packs;

#endif
