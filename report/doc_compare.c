/* doc_compare.c - the attempt beside the last one of the same pair that worked: what differs. What
 * only one of them records is no difference, and left to the JSON form. */
#include "report/compare.h"
#include "report/doc.h"

void fl_doc_compare(fl_doc *doc) {
  fl_comparison list[FL_N_COMPARED];
  const fl_attempt *a = doc->c->chosen;
  const size_t n = fl_compare(doc->c, doc->arena, list);
  if (n == 0) return;
  const fl_attempt *good = a->last_good;
  const fl_str head = fl_doc_say(doc, "Beside attempt %u, the last that worked (%.*s)",
                                 good->number, FL_STR_ARG(fl_doc_minute(doc, good->start)));
  fl_doc_add(doc, (fl_block){.kind = FL_B_HEADING, .text = head});
  bool is_stopped = false;
  for (size_t i = 0; i < n; i++) {
    /* Behind the first phase that was not reached, the others say nothing new. */
    const fl_str none = FL_STR("not recorded");
    if (fl_str_eq(list[i].now, none) || fl_str_eq(list[i].good, none)) continue;
    const bool is_beyond = fl_str_eq(list[i].now, FL_STR("not reached"));
    if (list[i].is_same || (is_stopped && is_beyond)) continue;
    is_stopped = is_stopped || is_beyond;
    const fl_str was = fl_doc_clean(doc, list[i].good), is = fl_doc_clean(doc, list[i].now);
    fl_doc_field(doc, list[i].label,
                 fl_doc_say(doc, "then %.*s; now %.*s", FL_STR_ARG(was), FL_STR_ARG(is)));
  }
  if (doc->c->changes.n_items == 0)
    fl_doc_field(doc, "Changed since", FL_STR("nothing that the logs in the case record"));
  fl_str same = {0};
  for (size_t i = 0; i < n; i++)
    if (list[i].is_same)
      same = fl_doc_say(doc, "%.*s%s%s", FL_STR_ARG(same), same.n ? ", " : "", list[i].label);
  fl_doc_field(doc, "The same", same);
}
