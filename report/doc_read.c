/* doc_read.c - the note's tail: other attempts, what was read, and what it cannot show. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "faultline/timeline.h"
#include "report/doc.h"
#include "report/view.h"

enum { MAX_ATTEMPTS = 5, MAX_TYPES = 8, MAX_NOTES = 2, MAX_GAPS = 4 };

static const char *const outcome_words[7] = {[FL_OUTCOME_UNKNOWN] = "its end is not recorded",
                                             [FL_OUTCOME_FAILED] = "failed",
                                             [FL_OUTCOME_ENDED] = "worked and ended in order",
                                             [FL_OUTCOME_LOST] = "worked, then was cut off",
                                             [FL_OUTCOME_PROBE] = "probe only, no sign-in meant",
                                             [FL_OUTCOME_NOISE] = "noise",
                                             [FL_OUTCOME_OPEN] = "still open where the logs end"};

static fl_str attempt_line(fl_doc *doc, const fl_attempt *a) {
  const fl_str start = fl_doc_minute(doc, a->start);
  const fl_str client = fl_doc_host(doc, a->client_name.n ? a->client_name : a->address);
  const fl_str server = fl_doc_host(doc, a->server_name);
  const fl_str user = fl_doc_clean(doc, a->user);
  fl_str line = fl_doc_say(doc, "#%u %.*s  %.*s to %.*s%s%.*s: %s", a->number, FL_STR_ARG(start),
                           FL_STR_ARG(client.n ? client : FL_STR("unknown client")),
                           FL_STR_ARG(server.n ? server : FL_STR("unknown server")),
                           user.n ? ", " : "", FL_STR_ARG(user), outcome_words[a->outcome]);
  if (a->outcome == FL_OUTCOME_FAILED && a->reached >= 0)
    line = fl_doc_say(doc, "%.*s after phase %s", FL_STR_ARG(line), fl_phase_names[a->reached]);
  if (a->has_code) line = fl_doc_say(doc, "%.*s, 0x%x", FL_STR_ARG(line), a->code);
  return line;
}

/* The chosen attempt's neighbours in time are the ones to compare with. */
static size_t first_shown(const fl_case *c) {
  if (c->n_attempts <= MAX_ATTEMPTS) return 0;
  size_t at = c->n_attempts - 1;
  for (size_t i = 0; i < c->n_attempts; i++)
    if (&c->attempts[i] == c->chosen) at = i;
  const size_t first = at > MAX_ATTEMPTS / 2 ? at - MAX_ATTEMPTS / 2 : 0;
  const size_t latest = c->n_attempts - MAX_ATTEMPTS - (c->chosen ? 1 : 0);
  return first < latest ? first : latest;
}

void fl_doc_attempts(fl_doc *doc) {
  const fl_case *c = doc->c;
  const size_t n_others = c->n_attempts - (c->chosen && c->n_attempts ? 1 : 0);
  if (n_others == 0 && c->n_noise == 0) return;
  fl_doc_heading(doc, c->chosen ? "Other attempts" : "Attempts");
  size_t n_shown = 0;
  for (size_t i = first_shown(c); i < c->n_attempts && n_shown < MAX_ATTEMPTS; i++) {
    if (&c->attempts[i] == c->chosen) continue;
    fl_doc_item(doc, attempt_line(doc, &c->attempts[i]));
    n_shown++;
  }
  if (n_others > n_shown)
    fl_doc_item(doc, fl_doc_say(doc, "... and %.*s more",
                                FL_STR_ARG(fl_doc_count(doc, n_others - n_shown))));
  if (c->n_noise)
    fl_doc_item(doc, fl_doc_say(doc,
                                "%.*s%s connection%s recognised as scanners or password "
                                "guessing, left aside",
                                FL_STR_ARG(fl_doc_count(doc, c->n_noise)), n_others ? " more" : "",
                                c->n_noise == 1 ? " was" : "s were"));
}

/* "9 evtx, 1 zip" */
static fl_str type_counts(fl_doc *doc) {
  const fl_case *c = doc->c;
  const char *names[MAX_TYPES] = {0};
  size_t counts[MAX_TYPES] = {0}, n = 0, n_rest = 0;
  for (size_t i = 0; i < c->n_sources; i++) {
    const char *type = c->sources[i].type ? c->sources[i].type : "unknown";
    size_t k = 0;
    while (k < n && strcmp(names[k], type) != 0) k++;
    if (k == MAX_TYPES) {
      n_rest++;
      continue;
    }
    if (k == n) names[n++] = type;
    counts[k]++;
  }
  fl_str text = {0};
  for (size_t k = 0; k < n; k++)
    text = fl_doc_say(doc, "%.*s%s%zu %s", FL_STR_ARG(text), k ? ", " : "", counts[k], names[k]);
  return n_rest ? fl_doc_say(doc, "%.*s, %zu other", FL_STR_ARG(text), n_rest) : text;
}

static void sources_item(fl_doc *doc) {
  const fl_case *c = doc->c;
  fl_time first = 0, last = 0;
  for (size_t i = 0; i < c->n_sources; i++) {
    const fl_source_info *source = &c->sources[i];
    if (source->first && (!first || source->first < first)) first = source->first;
    if (source->last && (!last || source->last > last)) last = source->last;
  }
  fl_str line = fl_doc_say(doc, "%zu source%s (%.*s), %.*s events", c->n_sources,
                           c->n_sources == 1 ? "" : "s", FL_STR_ARG(type_counts(doc)),
                           FL_STR_ARG(fl_doc_count(doc, c->totals.n_events)));
  if (c->totals.n_recovered)
    line = fl_doc_say(doc, "%.*s and %.*s recovered ones", FL_STR_ARG(line),
                      FL_STR_ARG(fl_doc_count(doc, c->totals.n_recovered)));
  if (first)
    line = fl_doc_say(doc, "%.*s, %.*s to %.*s", FL_STR_ARG(line),
                      FL_STR_ARG(fl_doc_minute(doc, first)), FL_STR_ARG(fl_doc_minute(doc, last)));
  if (c->totals.n_failed)
    line = fl_doc_say(doc, "%.*s; %.*s could not be read", FL_STR_ARG(line),
                      FL_STR_ARG(fl_doc_count(doc, c->totals.n_failed)));
  fl_doc_item(doc, line);
}

/* What the user left out, nobody looked at. */
static void window_item(fl_doc *doc) {
  const fl_window *w = &doc->c->window;
  if (!w->since && !w->until && !w->where.n) return;
  fl_str line = fl_doc_say(doc, "as asked, only %.*s of %.*s events were looked at:",
                           FL_STR_ARG(fl_doc_count(doc, w->n_taken)),
                           FL_STR_ARG(fl_doc_count(doc, w->n_rows)));
  if (w->since)
    line = fl_doc_say(doc, "%.*s from %.*s", FL_STR_ARG(line),
                      FL_STR_ARG(fl_doc_moment(doc, w->since)));
  if (w->until)
    line = fl_doc_say(doc, "%.*s %s %.*s", FL_STR_ARG(line), w->since ? "to" : "until",
                      FL_STR_ARG(fl_doc_moment(doc, w->until)));
  if (w->where.n)
    line = fl_doc_say(doc, "%.*s%s where %.*s", FL_STR_ARG(line), w->since || w->until ? "," : "",
                      FL_STR_ARG(fl_doc_clean(doc, w->where)));
  fl_doc_item(doc, line);
}

/* Notes about the case itself name no source. */
static void note_item(fl_doc *doc, const fl_note *note) {
  const char *severity = fl_severity_names[note->severity];
  const fl_event where = {.source = note->source, .offset = note->offset};
  const fl_str text = fl_doc_clean(doc, note->text);
  const bool is_own = note->source == UINT32_MAX;
  const fl_str ref = is_own ? (fl_str){0} : fl_doc_ref(doc, &where);
  fl_doc_item(doc, is_own ? fl_doc_say(doc, "%s: %.*s", severity, FL_STR_ARG(text))
                          : fl_doc_say(doc, "%s at %.*s: %.*s", severity, FL_STR_ARG(ref),
                                       FL_STR_ARG(text)));
}

/* The case's own limits first: they concern the answer, not one file. */
static void notes_items(fl_doc *doc) {
  const fl_case *c = doc->c;
  size_t n_shown = 0, n_all = 0;
  for (size_t i = 0; i < c->n_notes; i++) n_all += c->notes[i].severity != FL_NOTE_INFO;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < c->n_notes && n_shown < MAX_NOTES; i++) {
      const bool is_own = c->notes[i].source == UINT32_MAX;
      if (c->notes[i].severity == FL_NOTE_INFO || is_own != (pass == 0)) continue;
      note_item(doc, &c->notes[i]);
      n_shown++;
    }
  }
  if (n_all > n_shown)
    fl_doc_item(doc,
                fl_doc_say(doc, "... and %zu more note%s on damage (faultline inspect lists all)",
                           n_all - n_shown, n_all - n_shown == 1 ? "" : "s"));
}

static bool is_named(const fl_machine *machine, fl_str host) {
  if (!machine) return false;
  if (fl_str_eq_nocase(machine->name, host)) return true;
  for (size_t i = 0; i < machine->n_aliases; i++)
    if (fl_str_eq_nocase(machine->aliases[i], host)) return true;
  return false;
}

/* "(4,000 records, numbers 88237 to 92236)": what a hole of a log is made of; empty when that is
 * not known. */
static fl_str hole_words(fl_doc *doc, const fl_coverage *cover, const fl_span *hole) {
  for (size_t i = 0; i < doc->c->n_gaps; i++) {
    const fl_gap *gap = &doc->c->gaps[i];
    const bool is_missing = gap->kind == FL_GAP_MISSING || gap->kind == FL_GAP_FILTERED;
    if (!is_missing || gap->before > hole->end || gap->after < hole->start) continue;
    if (!fl_str_eq(gap->host, cover->host) || !fl_str_eq(gap->channel, cover->channel)) continue;
    const fl_str n = fl_doc_count(doc, gap->n);
    return fl_doc_say(doc, " (%.*s record%s%s, numbers %" PRIu64 " to %" PRIu64 ")", FL_STR_ARG(n),
                      gap->n == 1 ? "" : "s",
                      gap->kind == FL_GAP_FILTERED ? " left out by an export" : "", gap->first,
                      gap->last);
  }
  return (fl_str){0};
}

/* One sentence about a channel that cannot show all of the attempt; empty when it can. */
static fl_str gap_words(fl_doc *doc, const fl_coverage *cover, const fl_attempt *a) {
  const fl_str host = fl_doc_clean(doc, cover->host);
  const fl_str channel = fl_doc_clean(doc, fl_provider_short(cover->channel));
  if (cover->start != INT64_MIN && cover->start > a->start)
    return fl_doc_say(doc, "%.*s of %.*s begins at %.*s, after the attempt began%s",
                      FL_STR_ARG(channel), FL_STR_ARG(host),
                      FL_STR_ARG(fl_doc_minute(doc, cover->start)),
                      cover->cleared ? " (the log was cleared)" : "");
  if (cover->end < a->end)
    return fl_doc_say(doc, "%.*s of %.*s ends at %.*s, before the attempt ended",
                      FL_STR_ARG(channel), FL_STR_ARG(host),
                      FL_STR_ARG(fl_doc_minute(doc, cover->end)));
  for (size_t i = 0; i < cover->n_holes; i++) {
    const fl_span *hole = &cover->holes[i];
    if (hole->end < a->start || hole->start > a->end) continue;
    const fl_str what = hole_words(doc, cover, hole);
    return fl_doc_say(doc, "%.*s of %.*s lacks records between %.*s and %.*s%.*s",
                      FL_STR_ARG(channel), FL_STR_ARG(host),
                      FL_STR_ARG(fl_doc_minute(doc, hole->start)),
                      FL_STR_ARG(fl_doc_minute(doc, hole->end)), FL_STR_ARG(what));
  }
  return (fl_str){0};
}

/* A clock that went back over the attempt puts its records out of order. */
static void clock_items(fl_doc *doc, const fl_attempt *a) {
  const fl_case *c = doc->c;
  size_t n = 0;
  for (size_t i = 0; i < c->n_gaps && n < MAX_GAPS; i++) {
    const fl_gap *gap = &c->gaps[i];
    if (gap->kind != FL_GAP_TIME_BACK || gap->after > a->end || gap->before < a->start) continue;
    if (!is_named(a->client, gap->host) && !is_named(a->server, gap->host)) continue;
    const fl_str channel = fl_doc_clean(doc, fl_provider_short(gap->channel));
    const fl_str host = fl_doc_clean(doc, gap->host);
    fl_doc_item(doc, fl_doc_say(doc, "times in %.*s of %.*s go back from %.*s to %.*s (%s)",
                                FL_STR_ARG(channel), FL_STR_ARG(host),
                                FL_STR_ARG(fl_doc_minute(doc, gap->before)),
                                FL_STR_ARG(fl_doc_minute(doc, gap->after)), gap->reason));
    n++;
  }
}

static void gap_items(fl_doc *doc) {
  const fl_case *c = doc->c;
  const fl_attempt *a = c->chosen;
  size_t n = 0;
  if (!a) return;
  if (!a->server)
    fl_doc_item(doc, FL_STR("no log of the server is in the case: its side is unknown"));
  if (!a->client)
    fl_doc_item(doc, FL_STR("no log of the client is in the case: its side is unknown"));
  for (size_t i = 0; i < c->n_coverage && n < MAX_GAPS; i++) {
    const fl_coverage *cover = &c->coverage[i];
    if (!is_named(a->client, cover->host) && !is_named(a->server, cover->host)) continue;
    const fl_str words = gap_words(doc, cover, a);
    if (words.n == 0) continue;
    fl_doc_item(doc, words);
    n++;
  }
  clock_items(doc, a);
}

void fl_doc_read(fl_doc *doc) {
  fl_doc_heading(doc, "What was read");
  sources_item(doc);
  window_item(doc);
  fl_doc_logs(doc);
  notes_items(doc);
  gap_items(doc);
}
