/* sigma_regex.h - regular expressions, by PCRE2, with limits. */
#ifndef FL_RULES_SIGMA_REGEX_H
#define FL_RULES_SIGMA_REGEX_H

#include "rules/sigma.h"

typedef enum fl_sigma_found { FL_SIGMA_NO, FL_SIGMA_YES, FL_SIGMA_TOO_HARD } fl_sigma_found;

/* What one thread needs to search. */
typedef struct fl_sigma_searcher fl_sigma_searcher;
fl_sigma_searcher *fl_sigma_searcher_create(void);
void fl_sigma_searcher_free(fl_sigma_searcher *searcher);
/* TOO_HARD: a limit was reached (or memory ran out): nobody knows. */
fl_sigma_found fl_sigma_search_text(const fl_sigma_searcher *searcher, const void *code,
                                    fl_str text);
void fl_sigma_regex_free(void *code);

#endif
