/* symptom.h - the parts that a pasted text is read by; private to symptom*.c. */
#ifndef FL_FACTS_SYMPTOM_H
#define FL_FACTS_SYMPTOM_H

#include "faultline/facts.h"

static inline bool fl_is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
/* Another sentence of the note; a text that does not fit is left out. */
void fl_symptom_say(fl_symptom *symptom, fl_arena *arena, fl_str sentence);
/* symptom_time.c: finds a date with a clock and blanks it, so that its numbers are no codes. */
void fl_symptom_find_time(char *text, size_t n, fl_arena *arena, fl_symptom *symptom);

#endif
