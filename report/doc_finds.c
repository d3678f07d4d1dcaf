/* doc_finds.c - rules of bytes that matched: signs beside the causes, most severe first. */
#include <stdlib.h>

#include "report/doc.h"

enum { MAX_FINDS = 8 };

static int by_severity(const void *a, const void *b) {
  const fl_finding *l = *(const fl_finding *const *)a, *r = *(const fl_finding *const *)b;
  if (l->severity != r->severity) return l->severity > r->severity ? -1 : 1;
  return fl_str_cmp(fl_str_of(l->rule), fl_str_of(r->rule));
}

static bool is_find(const fl_finding *f) {
  return f->n_events && f->events[0]->flags & FL_F_FINDING;
}

static void add_find(fl_doc *doc, const fl_finding *f) {
  const fl_str title = fl_doc_clean(doc, fl_str_of(f->title));
  const fl_str text = fl_doc_clean(doc, f->text);
  fl_doc_item(doc,
              fl_doc_say(doc, "%.*s: %.*s (severity %d) %.*s", FL_STR_ARG(title), FL_STR_ARG(text),
                         f->severity, FL_STR_ARG(fl_doc_refs(doc, f->events, f->n_events))));
}

void fl_doc_finds(fl_doc *doc) {
  const fl_case *c = doc->c;
  size_t n = 0;
  const fl_finding **list = calloc(c->n_findings + 1, sizeof *list);
  if (!list) doc->has_failed = true;
  for (size_t i = 0; list && i < c->n_findings; i++)
    if (is_find(&c->findings[i])) list[n++] = &c->findings[i];
  if (n) {
    qsort(list, n, sizeof *list, by_severity);
    fl_doc_heading(doc, "What YARA rules found (signs, no causes)");
    for (size_t i = 0; i < n && i < MAX_FINDS; i++) add_find(doc, list[i]);
    if (n > MAX_FINDS)
      fl_doc_item(doc, fl_doc_say(doc, "%zu more rules (--format json has all)", n - MAX_FINDS));
  }
  free(list);
}
