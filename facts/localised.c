/* localised.c - what words mean that Windows writes in the language of the machine. */
#include <string.h>

#include "base/text.h"
#include "facts/fieldmap.h"

static const struct {
  const char *meaning, *text;
} names[] = {
#define FL_NAME(meaning, text) {meaning, text},
#include "facts/localised.def"
};

static const struct {
  uint32_t code;
  const char *text;
} statuses[] = {
#define FL_STATUS(code, text) {code, text},
#include "facts/localised.def"
};

const char *fl_localised_name(fl_str text, const char *const *meanings) {
  for (; *meanings; meanings++)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (strcmp(names[i].meaning, *meanings) == 0 &&
          fl_str_eq_nocase(text, fl_str_of(names[i].text)))
        return *meanings;
  return NULL;
}

/* Letters beyond ASCII are compared as they are. */
static bool has_part(fl_str text, fl_str part) {
  for (size_t at = 0; at + part.n <= text.n; at++)
    if (fl_str_eq_nocase((fl_str){text.p + at, part.n}, part)) return true;
  return false;
}

bool fl_localised_status(fl_str text, uint32_t *ret_code) {
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    if (!has_part(text, fl_str_of(statuses[i].text))) continue;
    *ret_code = statuses[i].code;
    return true;
  }
  return false;
}
