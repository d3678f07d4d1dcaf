/* doc_incidents.c - crashes and stops: what died, when, where, and what that has to do with the
 * connection. */
#include <inttypes.h>

#include "report/doc.h"

enum { MAX_INCIDENTS = 6, MAX_DOUBTS = 2 };

static fl_str what_of(fl_doc *doc, const fl_incident *in) {
  const fl_str process = fl_doc_clean(doc, in->process), service = fl_doc_clean(doc, in->service);
  const fl_str name = process.n && service.n
                          ? fl_doc_say(doc, "%.*s (%.*s)", FL_STR_ARG(process), FL_STR_ARG(service))
                      : process.n ? process
                                  : service;
  switch (in->kind) {
    case FL_INCIDENT_CRASH:
      return fl_doc_say(doc, "%.*s crashed", FL_STR_ARG(name));
    case FL_INCIDENT_HANG:
      return fl_doc_say(doc, "%.*s did not answer and was closed", FL_STR_ARG(name));
    case FL_INCIDENT_SERVICE:
      return fl_doc_say(doc, "service %.*s ended unexpectedly", FL_STR_ARG(name));
    case FL_INCIDENT_STOP:
      return FL_STR("Windows stopped");
    case FL_INCIDENT_POWER:
      return in->is_button ? FL_STR("the machine went down with its power button held")
                           : FL_STR(
                                 "the machine went down without a stop code: power, hardware, a "
                                 "hang or a reset from outside");
    case FL_INCIDENT_LIVE:
      return FL_STR("the kernel noticed a fault and went on");
  }
  return (fl_str){0};
}

/* " in rdpcorets.dll+0x613d4: access violation (0xc0000005)" */
static fl_str where_of(fl_doc *doc, const fl_incident *in) {
  fl_str text = {0};
  const fl_str place = fl_doc_clean(doc, in->place.n ? in->place : in->module);
  if (place.n) text = fl_doc_say(doc, " in %.*s", FL_STR_ARG(place));
  if (in->has_code)
    text = fl_doc_say(doc, "%.*s: %s (0x%" PRIx32 ")", FL_STR_ARG(text), in->code_text, in->code);
  if (in->is_rdp_driver)
    text = fl_doc_say(doc, "%.*s, a driver of Remote Desktop", FL_STR_ARG(text));
  if (in->lost_dump)
    text = fl_doc_say(doc, "%.*s, and its dump could not be written", FL_STR_ARG(text));
  return text;
}

static fl_str when_of(fl_doc *doc, const fl_incident *in) {
  const bool is_stop = in->kind == FL_INCIDENT_STOP || in->kind == FL_INCIDENT_POWER;
  if (!in->t) return FL_STR("at an unknown time");
  const fl_str t = fl_doc_minute(doc, in->t), reported = fl_doc_minute(doc, in->reported);
  if (in->is_exact && is_stop && in->reported > in->t)
    return fl_doc_say(doc, "%.*s (noticed at the start of %.*s)", FL_STR_ARG(t),
                      FL_STR_ARG(reported));
  if (in->is_exact) return t;
  if (is_stop && in->reported > in->t)
    return fl_doc_say(doc, "between %.*s and %.*s", FL_STR_ARG(t), FL_STR_ARG(reported));
  return fl_doc_say(doc, "reported %.*s", FL_STR_ARG(t));
}

/* "explains attempt 1: …" */
static fl_str bearing_of(fl_doc *doc, const fl_incident *in) {
  fl_str list = {0};
  for (size_t i = 0; i < in->n_attempts && i < 5; i++)
    list = fl_doc_say(doc, "%.*s%s%u", FL_STR_ARG(list), i ? ", " : "", in->attempts[i]->number);
  if (in->n_attempts > 5)
    list = fl_doc_say(doc, "%.*s and %zu more", FL_STR_ARG(list), in->n_attempts - 5);
  const fl_str reason = fl_doc_clean(doc, in->reason);
  if (in->bearing == FL_UNRELATED) return fl_doc_say(doc, "unrelated: %.*s", FL_STR_ARG(reason));
  return fl_doc_say(doc, "%s attempt%s %.*s: %.*s",
                    in->bearing == FL_EXPLAINS ? "explains" : "coincides with",
                    in->n_attempts == 1 ? "" : "s", FL_STR_ARG(list), FL_STR_ARG(reason));
}

/* ", told by 3 records (report 100 %, service 90 %)" */
static fl_str joins_of(fl_doc *doc, const fl_incident *in) {
  fl_str list = {0};
  for (size_t i = 0; i < in->n_joins && i < 4; i++)
    list = fl_doc_say(doc, "%.*s%s%s %u %%", FL_STR_ARG(list), i ? ", " : "", in->joins[i].rule,
                      in->joins[i].confidence);
  if (in->n_events < 2) return (fl_str){0};
  return fl_doc_say(doc, "; %zu records, joined by %.*s", in->n_events, FL_STR_ARG(list));
}

static void add_incident(fl_doc *doc, const fl_incident *in) {
  const fl_str host = in->machine ? fl_doc_host(doc, in->machine->name) : FL_STR("some machine");
  fl_str text = fl_doc_say(doc, "%.*s: %.*s%.*s, %.*s; %.*s", FL_STR_ARG(host),
                           FL_STR_ARG(what_of(doc, in)), FL_STR_ARG(where_of(doc, in)),
                           FL_STR_ARG(when_of(doc, in)), FL_STR_ARG(bearing_of(doc, in)));
  if (in->n_alike > 1)
    text = fl_doc_say(doc, "%.*s; %u times in this case", FL_STR_ARG(text), in->n_alike);
  text = fl_doc_say(doc, "%.*s%.*s", FL_STR_ARG(text), FL_STR_ARG(joins_of(doc, in)));
  fl_doc_add(
      doc, (fl_block){
               .kind = FL_B_ITEM, .text = text, .ref = fl_doc_refs(doc, in->events, in->n_events)});
  for (size_t i = 0; i < in->n_contradictions && i < MAX_DOUBTS; i++) {
    const fl_str doubt = fl_doc_clean(doc, in->contradictions[i]);
    fl_doc_item(doc, fl_doc_say(doc, "inconsistent: %.*s", FL_STR_ARG(doubt)));
  }
}

/* Those that explain something stand first, then those that coincide. */
void fl_doc_incidents(fl_doc *doc) {
  const fl_case *c = doc->c;
  size_t n = 0;
  if (c->n_incidents == 0) return;
  fl_doc_heading(doc, "Crashes and stops");
  for (int bearing = FL_EXPLAINS; bearing >= FL_UNRELATED; bearing--)
    for (size_t i = c->n_incidents; i > 0; i--) {
      const fl_incident *in = &c->incidents[i - 1];
      if ((int)in->bearing == bearing && n++ < MAX_INCIDENTS) add_incident(doc, in);
    }
  if (n > MAX_INCIDENTS)
    fl_doc_item(doc, fl_doc_say(doc, "... and %zu more: --format json", n - MAX_INCIDENTS));
}
