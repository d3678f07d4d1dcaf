/* causes.c - the causes of failure that verdicts name, and the codes they show themselves by. */
#include <string.h>

#include "base/text.h"
#include "faultline/facts.h"

#define FL_CAUSE(id, title, fix, check, collect) {id, title, fix, check, collect},
static const fl_cause_fact causes[] = {
#include "facts/causes.def"
};
#undef FL_CAUSE

typedef struct code_row {
  const char *cause;
  fl_code_space space;
  const char *numbers; /* separated by blanks */
} code_row;

#define FL_CAUSE_CODES(cause, space, numbers) {cause, space, numbers},
static const code_row code_rows[] = {
#include "facts/cause_codes.def"
};
#undef FL_CAUSE_CODES

enum { N_CAUSES = sizeof causes / sizeof causes[0], N_ROWS = sizeof code_rows / sizeof *code_rows };

size_t fl_causes(const fl_cause_fact **ret_facts) {
  *ret_facts = causes;
  return N_CAUSES;
}

const fl_cause_fact *fl_cause_find(fl_str id) {
  for (size_t i = 0; i < N_CAUSES; i++)
    if (fl_str_eq(fl_str_of(causes[i].id), id)) return &causes[i];
  return NULL;
}

/* Takes the next number off *numbers; false at the end. */
static bool next_number(const char **numbers, uint32_t *ret_code) {
  uint64_t code = 0;
  const size_t n = strcspn(*numbers, " ");
  if (!fl_text_number((fl_str){*numbers, n}, &code)) return false;
  *ret_code = (uint32_t)code;
  *numbers += n + ((*numbers)[n] == ' ');
  return true;
}

static bool has_number(const code_row *row, uint32_t code) {
  uint32_t number = 0;
  for (const char *at = row->numbers; next_number(&at, &number);)
    if (number == code) return true;
  return false;
}

/* Set Error Info codes that are extended reasons, too, are written once, as those; so are the
 * host's numbers for the same. */
static bool fits(const code_row *row, const fl_code_fact *fact) {
  const bool is_twin = row->space == FL_CODE_EXTENDED && fact->space == FL_CODE_ERRINFO;
  return (row->space == fact->space || is_twin) && has_number(row, fact->code);
}

size_t fl_code_causes(const fl_code_fact *fact, const fl_cause_fact **ret_causes, size_t cap) {
  size_t n = 0;
  for (size_t i = 0; i < N_ROWS && n < cap; i++) {
    if (!fits(&code_rows[i], fact)) continue;
    const fl_cause_fact *cause = fl_cause_find(fl_str_of(code_rows[i].cause));
    if (cause) ret_causes[n++] = cause;
  }
  return n;
}

size_t fl_cause_codes(const fl_cause_fact *cause, const fl_code_fact **ret_codes, size_t cap) {
  size_t n = 0;
  uint32_t code = 0;
  for (size_t i = 0; i < N_ROWS; i++) {
    if (strcmp(code_rows[i].cause, cause->id) != 0) continue;
    for (const char *at = code_rows[i].numbers; n < cap && next_number(&at, &code);) {
      const fl_code_fact *fact = fl_code_find(code_rows[i].space, code);
      if (fact) ret_codes[n++] = fact;
    }
  }
  return n;
}
