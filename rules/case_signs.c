/* case_signs.c - what rules of signs found, one entry a rule, the most severe first. */
#include <stdlib.h>
#include <string.h>

#include "rules/case.h"

static int by_weight(const void *a, const void *b) {
  const fl_sign *x = a, *y = b;
  if (x->severity != y->severity) return x->severity > y->severity ? -1 : 1;
  if (x->n_findings != y->n_findings) return x->n_findings > y->n_findings ? -1 : 1;
  if (x->engine != y->engine) return x->engine < y->engine ? -1 : 1;
  const int order = strcmp(x->title, y->title);
  return order ? order : strcmp(x->rule, y->rule);
}

fl_status fl_case_signs_add(case_owner *owner, const fl_sign *signs, size_t n, fl_err *err) {
  fl_case *c = &owner->c;
  fl_sign *all = FL_NEW_ARRAY(owner->arena, fl_sign, c->n_signs + n);
  if (!all) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for signs");
  if (c->n_signs) memcpy(all, c->signs, c->n_signs * sizeof *all);
  size_t n_all = c->n_signs;
  for (size_t i = 0; i < n; i++)
    if (signs[i].n_findings) all[n_all++] = signs[i];
  if (n_all) qsort(all, n_all, sizeof *all, by_weight);
  c->signs = all;
  c->n_signs = n_all;
  return FL_OK;
}
