/* sigma_fold.h - text without case. */
#ifndef FL_RULES_SIGMA_FOLD_H
#define FL_RULES_SIGMA_FOLD_H

#include "base/arena.h"

/* Room for n bytes once folded: two of them become three at worst (U+023A). */
#define FL_SIGMA_FOLDED(n) ((n) + ((n) >> 1) + 1)

uint32_t fl_sigma_fold_char(uint32_t code_point);
/* UTF-8 to folded UTF-8, for which `ret_text` needs FL_SIGMA_FOLDED(n) bytes and may not be `text`
 * itself. Bytes that are no UTF-8 stay. Returns the length. */
size_t fl_sigma_fold_bytes(const uint8_t *text, size_t n, uint8_t *ret_text);
/* NULL text = no memory. */
fl_str fl_sigma_fold(fl_str text, fl_arena *arena);

#endif
