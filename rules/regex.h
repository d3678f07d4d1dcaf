/* regex.h - regular expressions of rules, under limits: one pattern, many subjects.
 *
 * A compiled pattern is immutable and may be shared; each thread has a scratch of its own. */
#ifndef FL_RULES_REGEX_H
#define FL_RULES_REGEX_H

#include "faultline/core.h"

typedef enum fl_regex_flag {
  FL_REGEX_NOCASE = 1u << 0,
  FL_REGEX_MULTILINE = 1u << 1, /* ^ and $ at line ends */
  FL_REGEX_DOTALL = 1u << 2     /* . is any character */
} fl_regex_flag;

typedef struct fl_regex fl_regex;
/* `flags` are fl_regex_flag bits. `err` bears the bare reason, and the byte of the pattern as its
 * offset. */
fl_status fl_regex_compile(fl_str pattern, unsigned flags, fl_regex **ret_regex, fl_err *err);
void fl_regex_free(fl_regex *regex);
size_t fl_regex_size(const fl_regex *regex); /* bytes compiled, for the limit of a set */

typedef struct fl_regex_scratch fl_regex_scratch;
fl_regex_scratch *fl_regex_scratch_create(void); /* NULL = no memory */
void fl_regex_scratch_free(fl_regex_scratch *scratch);

/* GAVE_UP: a limit was reached, nothing is known of the subject. The caller counts and says so. */
typedef enum fl_regex_answer { FL_REGEX_NO, FL_REGEX_YES, FL_REGEX_GAVE_UP } fl_regex_answer;
/* Is there a match anywhere in the subject? Of longer ones the first FL_LIMIT_REGEX_SUBJECT bytes
 * are looked at; bytes that are no UTF-8 match nothing. */
fl_regex_answer fl_regex_find(const fl_regex *regex, fl_regex_scratch *scratch, fl_str subject);

#endif
