/* dump_fact.c - fields of a crash: lists, numbers as people write them, codes with their meaning.
 */
#include "parsers/dump_fact.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/hash.h"
#include "faultline/facts.h"

void dump_texts_add(dump_texts *list, const char *format, ...) {
  va_list args;
  if (list->n == DUMP_TEXTS) {
    list->n_left_out++;
    return;
  }
  va_start(args, format);
  list->texts[list->n] = fl_arena_vprintf(list->arena, format, args);
  va_end(args);
  if (list->texts[list->n].n) list->n++;
}

void dump_fact_texts(fl_fact *fact, const char *name, const dump_texts *list) {
  size_t n_bytes = 0;
  for (size_t i = 0; i < list->n; i++) n_bytes += list->texts[i].n + 1;
  char *all = fl_arena_take(list->arena, n_bytes);
  if (!all) return;
  size_t at = 0;
  for (size_t i = 0; i < list->n; i++) {
    memcpy(all + at, list->texts[i].p, list->texts[i].n);
    at += list->texts[i].n + 1;
  }
  fl_fact_list(fact, name, (fl_str){all, n_bytes});
}

void dump_fact_hex(fl_fact *fact, const char *name, uint64_t value) {
  dump_fact_printf(fact, name, "0x%" PRIx64, value);
}

void dump_fact_printf(fl_fact *fact, const char *name, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const fl_str text = fl_arena_vprintf(fact->rows->arena, format, args);
  va_end(args);
  fl_fact_text(fact, name, text);
}

void dump_fact_code(fl_fact *fact, const char *name, const char *text_name, int space,
                    uint32_t code) {
  dump_fact_hex(fact, name, code);
  const fl_code_fact *known = fl_code_find((fl_code_space)space, code);
  fl_fact_words(fact, text_name, known ? known->meaning : "a code without documentation");
}

void dump_fact_signature(fl_fact *fact, fl_str text) {
  fl_fact_text(fact, "signature", text);
  dump_fact_printf(fact, "signature_id", "%016" PRIx64, fl_hash_bytes(text.p, text.n, 0));
}
