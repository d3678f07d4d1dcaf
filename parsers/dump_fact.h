/* dump_fact.h - what the rows of user-mode and kernel dumps have in common. */
#ifndef FL_PARSERS_DUMP_FACT_H
#define FL_PARSERS_DUMP_FACT_H

#include "parsers/state.h"

/* A list of texts that becomes one field; at most DUMP_TEXTS. */
enum { DUMP_TEXTS = 512 };
typedef struct dump_texts {
  fl_arena *arena;
  fl_str texts[DUMP_TEXTS];
  size_t n, n_left_out;
} dump_texts;
void dump_texts_add(dump_texts *list, const char *format, ...) FL_PRINTF(2, 3);
void dump_fact_texts(fl_fact *fact, const char *name, const dump_texts *list);

void dump_fact_hex(fl_fact *fact, const char *name, uint64_t value);
void dump_fact_printf(fl_fact *fact, const char *name, const char *format, ...) FL_PRINTF(3, 4);
/* Code and what it means: `name` and `name`_text. */
void dump_fact_code(fl_fact *fact, const char *name, const char *text_name, int space,
                    uint32_t code);
/* Equal crashes of equal versions on any machine have equal signatures: text and hash. */
void dump_fact_signature(fl_fact *fact, fl_str text);

#endif
