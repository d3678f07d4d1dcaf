/* doc_verdict.c - ranked causes with their evidence, and what to collect, do and check. */
#include <string.h>

#include "report/doc.h"
#include "report/view.h"

/* Where the cause is likely, the fix comes before more evidence. */
enum { MAX_CAUSES = 3, MAX_COLLECT = 5, MAX_COLLECT_LIKELY = 3, MAX_STEPS = 6 };

/* How many lines of evidence a cause gets: the first one more than its rivals. */
typedef struct shares {
  size_t pro, con, missing;
} shares;

static void add_evidence(fl_doc *doc, const char *label, const fl_evidence *e) {
  const char *decisive = e->decisive && e->truth == FL_TRUE ? " (decisive)" : "";
  const fl_str text = fl_doc_clean(doc, e->text);
  fl_doc_add(doc, (fl_block){.kind = FL_B_EVIDENCE,
                             .label = fl_str_of(label),
                             .delta = e->points ? fl_doc_say(doc, "%+d", e->points) : (fl_str){0},
                             .host = fl_str_of(e->rule ? e->rule : ""),
                             .text = fl_doc_say(doc, "%.*s%s", FL_STR_ARG(text), decisive),
                             .ref = fl_doc_refs(doc, e->events, e->n_events)});
}

static bool is_said(const fl_evidence *const *list, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (list[k]->points == list[i]->points && fl_str_eq(list[k]->text, list[i]->text)) return true;
  return false;
}

/* Returns how many lines were left out. */
static size_t add_list(fl_doc *doc, const char *label, const fl_evidence *const *list, size_t n,
                       size_t n_max) {
  enum { LOOKED_AT = 64 };
  size_t n_shown = 0, n_said = 0;
  for (size_t i = 0; i < n && i < LOOKED_AT; i++) {
    const bool is_again = is_said(list, i);
    n_said += is_again;
    if (is_again || n_shown == n_max) continue;
    add_evidence(doc, label, list[i]);
    n_shown++;
  }
  return n - n_said - n_shown;
}

/* "1 more for, 2 more missing" */
static void add_rest(fl_doc *doc, size_t n_pro, size_t n_con, size_t n_missing) {
  const struct {
    const char *label;
    size_t n;
  } rests[] = {{"for", n_pro}, {"against", n_con}, {"missing", n_missing}};
  fl_str text = {0};
  for (size_t i = 0; i < sizeof rests / sizeof *rests; i++)
    if (rests[i].n)
      text = fl_doc_say(doc, "%.*s%s%zu more %s", FL_STR_ARG(text), text.n ? ", " : "", rests[i].n,
                        rests[i].label);
  if (text.n)
    fl_doc_add(
        doc, (fl_block){.kind = FL_B_EVIDENCE,
                        .label = FL_STR("..."),
                        .text = fl_doc_say(doc, "%.*s (--format json has all)", FL_STR_ARG(text))});
}

static void add_cause(fl_doc *doc, const fl_hypothesis *h, size_t rank) {
  const fl_str title =
      fl_doc_clean(doc, fl_str_of(h->cause ? h->cause->title : "cause without a name"));
  const fl_str id = fl_doc_clean(doc, fl_str_of(h->cause ? h->cause->id : ""));
  const shares n = rank == 0 ? (shares){4, 2, 2} : (shares){1, 1, 1};
  fl_doc_add(doc, (fl_block){.kind = FL_B_CAUSE,
                             .label = fl_doc_say(doc, "%zu", rank + 1),
                             .time = fl_str_of(fl_verdict_names[h->status]),
                             .delta = fl_doc_say(doc, "%d of 100", h->score),
                             .text = title,
                             .ref = id});
  /* A rival that nothing much speaks for needs no more than its name. */
  if (rank && h->status == FL_VERDICT_UNDECIDED) return;
  const size_t n_pro = add_list(doc, "for", h->pro, h->n_pro, n.pro);
  const size_t n_con = add_list(doc, "against", h->con, h->n_con, n.con);
  const size_t n_missing = add_list(doc, "missing", h->missing, h->n_missing, n.missing);
  add_rest(doc, n_pro, n_con, n_missing);
}

/* "a; b" of a code's fact as items. */
static void add_items(fl_doc *doc, const char *items) {
  for (const char *at = items; *at;) {
    const size_t n = strcspn(at, ";");
    fl_str item = {at, n};
    while (item.n && *item.p == ' ') item = (fl_str){item.p + 1, item.n - 1};
    if (item.n) fl_doc_item(doc, item);
    at += n + (at[n] == ';');
  }
}

/* 0x904/0x7 from the client's log alone: what such a pair can be, and what decides. */
static void add_refusal_alone(fl_doc *doc) {
  static const char order[] =
      "the host refused the connection: code 7 stands in a message of the protocol, which only a "
      "server of Remote Desktop sends\n"
      "a proxy, gateway or inspecting firewall on the way speaks Remote Desktop and refused in the "
      "host's place\n"
      "the code of the box and the closed socket belong to different attempts";
  fl_doc_heading(doc, "What the client's log alone allows, in this order");
  fl_doc_lines(doc, order, MAX_STEPS);
  fl_doc_heading(doc, "What would tell these apart");
  fl_doc_item(doc,
              FL_STR("RdpCoreTS of the host, event 72 of this attempt: SetErrorInfo(0x7) proves "
                     "the first; another code there, the last"));
  fl_doc_item(doc, FL_STR("that log covers these seconds and has no event 131 of this client: the "
                          "second, something else answered"));
}

static bool is_closed_socket(uint32_t code) {
  static const uint32_t closed[] = {0x304, 0x404, 0x704, 0x804, 0x904, 0xa04, 0xb04};
  for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
    if (code == closed[i]) return true;
  return false;
}

/* Without any hypothesis the code is all there is to go by. */
static void add_code_alone(fl_doc *doc) {
  const fl_view_symptom s = fl_view_symptom_of(doc->c);
  const fl_attempt *a = doc->c->chosen;
  if (a && !a->has_host && s.has_extended && s.extended == 0x7 && is_closed_socket(s.code)) {
    add_refusal_alone(doc);
    return;
  }
  const fl_code_fact *fact = s.has_code ? fl_code_find(FL_CODE_DISCONNECT, s.code) : NULL;
  if (!fact) return;
  if (*fact->causes) {
    fl_doc_heading(doc, "What the code alone allows (no evidence for any of it yet)");
    add_items(doc, fact->causes);
  }
  if (*fact->separate) {
    fl_doc_heading(doc, "What would tell these apart");
    add_items(doc, fact->separate);
  }
}

/* Beside a cause that is found, what nothing speaks for is no rival: only a log was missing that
 * could have spoken. */
static bool is_rival(const fl_hypothesis *h, size_t rank, bool is_decided) {
  return rank == 0 || !is_decided || h->score > 0;
}

void fl_doc_causes(fl_doc *doc) {
  const fl_verdict *v = &doc->c->verdict;
  if (v->status == FL_VERDICT_NO_FAILURE) return;
  if (v->n_hypotheses == 0) {
    add_code_alone(doc);
    return;
  }
  const bool is_decided = v->status != FL_VERDICT_UNDECIDED;
  fl_doc_heading(
      doc, is_decided
               ? "Causes, best supported first (60 points: likely; a decisive fact: confirmed)"
               : "What it could be, best supported first (25 points: possible; 60: likely)");
  size_t n_shown = 0, n_rivals = 0;
  for (size_t i = 0; i < v->n_hypotheses; i++) {
    if (!is_rival(&v->hypotheses[i], i, is_decided)) continue;
    if (n_rivals++ < MAX_CAUSES) add_cause(doc, &v->hypotheses[i], n_shown++);
  }
  const fl_attempt *a = doc->c->chosen;
  const bool is_alone = v->status == FL_VERDICT_UNDECIDED && a && a->has_code && !a->has_host;
  if (n_rivals > n_shown)
    fl_doc_item(doc, fl_doc_say(doc, "weaker causes left out: %zu (--format json has all)",
                                n_rivals - n_shown));
  if (is_alone) add_code_alone(doc);
}

static const char default_collect[] =
    "from the client: Microsoft-Windows-TerminalServices-RDPClient/Operational\n"
    "from the session host: System, Security, and the Operational logs of RdpCoreTS, "
    "RemoteConnectionManager and LocalSessionManager\n"
    "the error dialog's text with its time and activity id\n"
    "a network capture on the client during one more attempt";

/* What the solver asks for, else what the first cause needs, else what every case needs. */
static void add_collect(fl_doc *doc) {
  const fl_verdict *v = &doc->c->verdict;
  const fl_cause_fact *cause = v->n_hypotheses ? v->hypotheses[0].cause : NULL;
  const bool is_silent = v->status == FL_VERDICT_NO_FAILURE;
  const size_t n_max = v->status == FL_VERDICT_LIKELY ? MAX_COLLECT_LIKELY : MAX_COLLECT;
  if (v->n_collect == 0 && v->status == FL_VERDICT_CONFIRMED) return;
  fl_doc_heading(doc, is_silent ? "If users did see a failure, collect for those minutes"
                                : "What to collect next, most useful first");
  if (v->n_collect == 0)
    fl_doc_lines(doc, !is_silent && cause && *cause->collect ? cause->collect : default_collect,
                 n_max);
  for (size_t i = 0; i < v->n_collect && i < n_max; i++)
    fl_doc_add(doc, (fl_block){.kind = FL_B_NUMBERED,
                               .label = fl_doc_say(doc, "%zu", i + 1),
                               .text = fl_doc_clean(doc, v->collect[i])});
}

void fl_doc_advice(fl_doc *doc) {
  const fl_verdict *v = &doc->c->verdict;
  const fl_cause_fact *cause = v->n_hypotheses ? v->hypotheses[0].cause : NULL;
  add_collect(doc);
  if (v->status == FL_VERDICT_NO_FAILURE) return;
  if (v->status == FL_VERDICT_UNDECIDED || !cause) {
    fl_doc_heading(doc, "What to do");
    fl_doc_add(
        doc, (fl_block){.kind = FL_B_PARA,
                        .text = FL_STR(
                            "Change nothing yet: no cause stands out, and a change made on a guess "
                            "hides the evidence. Collect first, then run this again.")});
    return;
  }
  if (*cause->fix) {
    fl_doc_heading(doc, v->status == FL_VERDICT_POSSIBLE ? "What to do if it is the first cause"
                                                         : "What to do");
    fl_doc_lines(doc, cause->fix, MAX_STEPS);
  }
  if (*cause->check) {
    fl_doc_heading(doc, "How to see that it worked");
    fl_doc_lines(doc, cause->check, MAX_STEPS);
  }
}
