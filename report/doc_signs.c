/* doc_signs.c - what Sigma and YARA rules found: signs beside the causes, most severe first. */
#include <inttypes.h>

#include "report/doc.h"

enum { MAX_SIGNS = 8 };

/* ", 2026-03-02 08:15:02 to 2026-03-02 08:20:00": nothing where no finding has a time. */
static fl_str span_of(fl_doc *doc, const fl_sign *sign) {
  if (!sign->first) return (fl_str){0};
  const fl_str first = fl_doc_minute(doc, sign->first);
  if (sign->last - sign->first < FL_SECOND) return fl_doc_say(doc, ", %.*s", FL_STR_ARG(first));
  return fl_doc_say(doc, ", %.*s to %.*s", FL_STR_ARG(first),
                    FL_STR_ARG(fl_doc_minute(doc, sign->last)));
}

static fl_str places_of(fl_doc *doc, const fl_sign *sign) {
  fl_str text = {0};
  for (size_t i = 0; i < sign->n_places; i++)
    text = fl_doc_say(doc, "%.*s%s%.*s", FL_STR_ARG(text), i ? ", " : " (",
                      FL_STR_ARG(fl_doc_place(doc, &sign->places[i])));
  return text.n ? fl_doc_say(doc, "%.*s)", FL_STR_ARG(text)) : text;
}

static fl_str grade_of(fl_doc *doc, const fl_sign *sign) {
  const fl_str level = fl_doc_clean(doc, fl_str_of(sign->level));
  return level.n ? level : fl_doc_say(doc, "severity %d", sign->severity);
}

static void add_sign(fl_doc *doc, const fl_sign *sign) {
  const bool is_yara = sign->engine == FL_BY_YARA;
  const fl_str title = fl_doc_clean(doc, fl_str_of(sign->title));
  const fl_str rule = fl_doc_clean(doc, fl_str_of(sign->rule));
  const bool is_named = is_yara && !fl_str_eq(title, rule);
  fl_doc_item(doc, fl_doc_say(doc, "%.*s: %.*s%s%.*s: %.*s %s%s%.*s%.*s",
                              FL_STR_ARG(grade_of(doc, sign)), FL_STR_ARG(title),
                              is_named ? ", rule " : "", FL_STR_ARG(is_named ? rule : (fl_str){0}),
                              FL_STR_ARG(fl_doc_count(doc, sign->n_findings)),
                              is_yara ? "place" : "finding", sign->n_findings == 1 ? "" : "s",
                              FL_STR_ARG(span_of(doc, sign)), FL_STR_ARG(places_of(doc, sign))));
}

static void add_rest(fl_doc *doc, size_t n_rules, uint64_t n_findings) {
  fl_doc_item(
      doc, fl_doc_say(doc, "... and %zu more rule%s, matched %.*s time%s: --format json", n_rules,
                      n_rules == 1 ? "" : "s", FL_STR_ARG(fl_doc_count(doc, n_findings)),
                      n_findings == 1 ? "" : "s"));
}

static void add_engine(fl_doc *doc, fl_rule_engine engine, const char *heading) {
  const fl_case *c = doc->c;
  size_t n = 0;
  uint64_t n_rest = 0;
  if (c->rules.n_of[engine] == 0) return;
  fl_doc_heading(doc, heading);
  for (size_t i = 0; i < c->n_signs; i++) {
    if (c->signs[i].engine != engine) continue;
    if (n++ < MAX_SIGNS) add_sign(doc, &c->signs[i]);
    else n_rest += c->signs[i].n_findings;
  }
  if (n > MAX_SIGNS) add_rest(doc, n - MAX_SIGNS, n_rest);
  if (n == 0)
    fl_doc_item(doc, fl_doc_say(doc, "nothing: none of %zu rule%s matched", c->rules.n_of[engine],
                                c->rules.n_of[engine] == 1 ? "" : "s"));
}

void fl_doc_signs(fl_doc *doc) {
  add_engine(doc, FL_BY_SIGMA, "What Sigma rules found (signs, no causes)");
  add_engine(doc, FL_BY_YARA, "What YARA rules found (signs, no causes)");
}
