/* doc_changes.c - what changed before the failure, and how the last connection that worked went. */
#include <inttypes.h>

#include "report/doc.h"

enum { MAX_CHANGES = 6 };

static void add_change(fl_doc *doc, const fl_change *one) {
  const fl_str when = fl_doc_minute(doc, one->t);
  const fl_str host = fl_doc_host(doc, one->machine->name);
  const fl_str text = fl_doc_clean(doc, one->text);
  const fl_str times =
      one->n > 1 ? fl_doc_say(doc, " (%" PRIu64 " times)", (uint64_t)one->n) : (fl_str){0};
  fl_doc_add(doc, (fl_block){.kind = FL_B_ITEM,
                             .text = fl_doc_say(doc, "%.*s %.*s, %s: %.*s%.*s", FL_STR_ARG(when),
                                                FL_STR_ARG(host), one->what, FL_STR_ARG(text),
                                                FL_STR_ARG(times)),
                             .ref = fl_doc_ref(doc, one->event)});
}

static void add_rest(fl_doc *doc, const fl_changes *c, size_t n_earlier) {
  if (n_earlier)
    fl_doc_item(
        doc, fl_doc_say(doc, "%zu earlier ones are left out (--format json has more)", n_earlier));
  fl_str routine = {0};
  if (c->n_signatures)
    routine = fl_doc_say(doc, "updates of virus signatures: %" PRIu64, c->n_signatures);
  if (c->n_routine)
    routine = fl_doc_say(doc, "%.*s%sroutine changes of start types: %" PRIu64, FL_STR_ARG(routine),
                         routine.n ? ", " : "", c->n_routine);
  if (routine.n) fl_doc_item(doc, fl_doc_say(doc, "not listed, %.*s", FL_STR_ARG(routine)));
  fl_str lacks = {0};
  for (size_t i = 0; i < c->n_lacks; i++)
    lacks = fl_doc_say(doc, "%.*s%s%.*s", FL_STR_ARG(lacks), i ? "; " : "",
                       FL_STR_ARG(fl_doc_clean(doc, c->lacks[i])));
  if (lacks.n) fl_doc_item(doc, fl_doc_say(doc, "what cannot be seen: %.*s", FL_STR_ARG(lacks)));
}

void fl_doc_changes(fl_doc *doc) {
  const fl_changes *c = &doc->c->changes;
  if (!c->is_asked || c->n_items == 0) return; /* the comparison says that nothing did */
  const fl_str since = fl_doc_minute(doc, c->since);
  fl_str head = c->has_good
                    ? fl_doc_say(doc, "What changed since it last worked (%.*s)", FL_STR_ARG(since))
                    : fl_doc_say(doc, "What changed in the week before");
  fl_doc_add(doc, (fl_block){.kind = FL_B_HEADING, .text = head});
  const size_t from = c->n_items > MAX_CHANGES ? c->n_items - MAX_CHANGES : 0;
  for (size_t i = from; i < c->n_items; i++) add_change(doc, &c->items[i]);
  add_rest(doc, c, from + c->n_left_out);
}
