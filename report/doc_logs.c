/* doc_logs.c - what each log of each machine covers: from when to when, what lacks, what is off. */
#include <inttypes.h>

#include "base/text.h"
#include "report/doc.h"

/* Of a case with more logs than are looked at, JSON lists them all. */
enum { MOST_LOGS = 24, MOST_HOSTS = 16, MOST_LOOKED = 4096 };

/* "RdpCoreTS": nearly all logs end in /Operational. */
static fl_str log_name(fl_doc *doc, fl_str channel) {
  const fl_str end = FL_STR("/Operational");
  fl_str name = fl_provider_short(channel);
  if (name.n > end.n && fl_str_eq_nocase((fl_str){name.p + name.n - end.n, end.n}, end))
    name.n -= end.n;
  return fl_doc_clean(doc, name);
}

/* "2026-03-10 08:06" */
static fl_str minute(fl_doc *doc, fl_time t) {
  const fl_str text = fl_doc_minute(doc, t);
  return (fl_str){text.p, text.n < 16 ? text.n : 16};
}

/* ", 40 records missing in 2 places, cleared 2026-03-10 07:00"; empty where the log is whole. */
static fl_str lack_words(fl_doc *doc, const fl_coverage *cover) {
  fl_str words = {0};
  const fl_str n = fl_doc_count(doc, cover->n_missing);
  if (cover->n_missing) words = fl_doc_say(doc, ", %.*s missing", FL_STR_ARG(n));
  if (cover->n_holes)
    words = fl_doc_say(doc, "%.*s, %zu gap%s", FL_STR_ARG(words), cover->n_holes,
                       cover->n_holes == 1 ? "" : "s");
  if (!cover->cleared) return words;
  return fl_doc_say(doc, "%.*s, cleared %.*s", FL_STR_ARG(words),
                    FL_STR_ARG(minute(doc, cover->cleared)));
}

static fl_str covered_words(fl_doc *doc, const fl_coverage *cover) {
  const fl_str name = log_name(doc, cover->channel), lack = lack_words(doc, cover);
  if (cover->n_events == 0)
    return fl_doc_say(doc, "%.*s no records%.*s", FL_STR_ARG(name), FL_STR_ARG(lack));
  return fl_doc_say(doc, "%.*s %.*s event%s %.*s to %.*s%.*s", FL_STR_ARG(name),
                    FL_STR_ARG(fl_doc_count(doc, cover->n_events)), cover->n_events == 1 ? "" : "s",
                    FL_STR_ARG(minute(doc, cover->first)), FL_STR_ARG(minute(doc, cover->last)),
                    FL_STR_ARG(lack));
}

static fl_str lacking_words(fl_doc *doc, const fl_lacking_log *log) {
  const fl_str name = log_name(doc, log->channel);
  const fl_str ref = log->off ? fl_doc_ref(doc, log->off) : (fl_str){0};
  if (!log->off) return fl_doc_say(doc, "%.*s absent", FL_STR_ARG(name));
  return fl_doc_say(doc, "%.*s %sswitched off when this was collected [%.*s]", FL_STR_ARG(name),
                    log->is_absent ? "absent, " : "", FL_STR_ARG(ref));
}

static size_t n_looked(const fl_case *c) {
  return c->n_coverage < MOST_LOOKED ? c->n_coverage : MOST_LOOKED;
}

/* Is a name of the coverage the host of this line, by any of its machine's names? */
static bool is_same(const fl_case *c, fl_str a, fl_str b) {
  if (fl_str_eq(a, b)) return true;
  const fl_machine *machine = fl_case_machine(c, a);
  return machine && machine == fl_case_machine(c, b);
}

static fl_str joined(fl_doc *doc, fl_str all, fl_str one) {
  return all.n ? fl_doc_say(doc, "%.*s; %.*s", FL_STR_ARG(all), FL_STR_ARG(one)) : one;
}

static void host_item(fl_doc *doc, fl_str host) {
  const fl_case *c = doc->c;
  fl_str text = {0};
  size_t n = 0;
  for (size_t i = 0; i < n_looked(c); i++) {
    if (!is_same(c, host, c->coverage[i].host)) continue;
    if (n++ < MOST_LOGS) text = joined(doc, text, covered_words(doc, &c->coverage[i]));
  }
  if (n > MOST_LOGS) text = joined(doc, text, fl_doc_say(doc, "%zu more logs", n - MOST_LOGS));
  for (size_t i = 0; i < c->n_lacking; i++)
    if (is_same(c, host, c->lacking[i].host))
      text = joined(doc, text, lacking_words(doc, &c->lacking[i]));
  const fl_str name = fl_doc_clean(doc, fl_doc_host(doc, host));
  fl_doc_item(doc, fl_doc_say(doc, "%.*s: %.*s", FL_STR_ARG(name.n ? name : FL_STR("no computer")),
                              FL_STR_ARG(text)));
}

/* A verdict of silence is worth what was listened to. */
void fl_doc_logs(fl_doc *doc) {
  const fl_case *c = doc->c;
  fl_str shown[MOST_HOSTS];
  size_t n_shown = 0, n_left = c->n_coverage - n_looked(c);
  for (size_t i = 0; i < n_looked(c); i++) {
    bool is_new = true;
    for (size_t k = 0; k < n_shown && is_new; k++)
      is_new = !is_same(c, shown[k], c->coverage[i].host);
    if (!is_new) continue;
    if (n_shown == MOST_HOSTS) {
      n_left++;
      continue;
    }
    shown[n_shown++] = c->coverage[i].host;
    host_item(doc, c->coverage[i].host);
  }
  if (n_left)
    fl_doc_item(doc, fl_doc_say(doc, "... and %zu more logs (--format json lists all)", n_left));
}
