/* doc.c - blocks of a note and the phrases that all parts of it share. */
#include "report/doc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

enum { MAX_SHOWN = 400 /* bytes of one value */, MAX_REFS = 3 };

void fl_doc_add(fl_doc *doc, fl_block block) {
  if (!fl_grow((void **)&doc->blocks, &doc->cap_blocks, doc->n_blocks + 1, sizeof *doc->blocks)) {
    doc->has_failed = true;
    return;
  }
  doc->blocks[doc->n_blocks++] = block;
}

void fl_doc_heading(fl_doc *doc, const char *text) {
  fl_doc_add(doc, (fl_block){.kind = FL_B_HEADING, .text = fl_str_of(text)});
}

void fl_doc_field(fl_doc *doc, const char *label, fl_str text) {
  if (text.n)
    fl_doc_add(doc, (fl_block){.kind = FL_B_FIELD, .label = fl_str_of(label), .text = text});
}

void fl_doc_item(fl_doc *doc, fl_str text) {
  fl_doc_add(doc, (fl_block){.kind = FL_B_ITEM, .text = text});
}

void fl_doc_lines(fl_doc *doc, const char *lines, size_t max_lines) {
  size_t n = 0;
  for (const char *at = lines ? lines : ""; *at && n < max_lines;) {
    const size_t length = strcspn(at, "\n");
    const fl_block block = {
        .kind = FL_B_NUMBERED, .label = fl_doc_say(doc, "%zu", n + 1), .text = {at, length}};
    if (length) {
      fl_doc_add(doc, block);
      n++;
    }
    at += length + (at[length] == '\n');
  }
}

fl_str fl_doc_say(fl_doc *doc, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const fl_str text = fl_arena_vprintf(doc->arena, format, args);
  va_end(args);
  if (!text.p) doc->has_failed = true;
  return text;
}

fl_str fl_doc_whole(fl_doc *doc, fl_str s) {
  const fl_str shown = fl_text_printable(s, doc->arena);
  if (s.n && !shown.p) doc->has_failed = true;
  return shown;
}

fl_str fl_doc_clean(fl_doc *doc, fl_str s) {
  const bool is_long = s.n > MAX_SHOWN;
  if (is_long) {
    s.n = MAX_SHOWN;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80) s.n--;
  }
  const fl_str shown = fl_doc_whole(doc, s);
  return is_long ? fl_doc_say(doc, "%.*s...", FL_STR_ARG(shown)) : shown;
}

fl_str fl_doc_moment(fl_doc *doc, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  (void)fl_time_format(t, 3, text);
  return fl_doc_say(doc, "%.10s %.12s UTC", text, text + 11);
}

fl_str fl_doc_minute(fl_doc *doc, fl_time t) {
  char text[FL_TIME_TEXT_MAX];
  (void)fl_time_format(t, 0, text);
  return fl_doc_say(doc, "%.10s %.8s", text, text + 11);
}

fl_str fl_doc_count(fl_doc *doc, uint64_t n) {
  char digits[24], text[32];
  const size_t n_digits = fl_text_u64(n, digits);
  size_t at = 0;
  for (size_t i = 0; i < n_digits; i++) {
    if (i && (n_digits - i) % 3 == 0) text[at++] = ',';
    text[at++] = digits[i];
  }
  return fl_arena_str(doc->arena, (fl_str){text, at});
}

fl_str fl_doc_host(fl_doc *doc, fl_str host) {
  size_t n = 0;
  while (n < host.n && host.p[n] != '.') n++;
  const bool is_address = host.n && (fl_is_digit(host.p[0]) || memchr(host.p, ':', host.n) != NULL);
  return fl_doc_clean(doc, is_address ? host : (fl_str){host.p, n});
}

/* Whole names of sources are long, and few sources tell the story: each gets a letter. */
fl_str fl_doc_ref(fl_doc *doc, const fl_event *event) {
  size_t i = 0;
  while (i < doc->n_cited && doc->cited[i] != event->source) i++;
  if (i == FL_DOC_CITED) return fl_doc_clean(doc, fl_case_ref(doc->c, event, doc->arena));
  if (i == doc->n_cited) doc->cited[doc->n_cited++] = event->source;
  return fl_doc_say(doc, "%c@%" PRIu64, (char)('A' + i), event->offset);
}

/* The record that tells most: the first evidence of the first cause, else the end of the story. */
static const fl_event *telling(const fl_doc *doc) {
  const fl_verdict *v = &doc->c->verdict;
  const fl_hypothesis *h = v->n_hypotheses ? &v->hypotheses[0] : NULL;
  for (size_t i = 0; h && i < h->n_pro; i++)
    for (size_t k = h->pro[i]->n_events; k-- > 0;)
      if (!(h->pro[i]->events[k]->flags & FL_F_SYNTHETIC)) return h->pro[i]->events[k];
  return doc->n_steps ? doc->steps[doc->n_steps - 1] : NULL;
}

/* For a shell: the name stands in quotes of its own. */
static fl_str quoted(fl_doc *doc, fl_str s) {
  fl_str out = FL_STR("'");
  for (size_t at = 0; at < s.n;) {
    size_t end = at;
    while (end < s.n && s.p[end] != '\'') end++;
    const char *quote = end < s.n ? "'\\''" : "";
    out = fl_doc_say(doc, "%.*s%.*s%s", FL_STR_ARG(out), (int)(end - at), s.p + at, quote);
    at = end + 1;
  }
  return fl_doc_say(doc, "%.*s'", FL_STR_ARG(out));
}

static void add_example(fl_doc *doc) {
  const fl_event *event = telling(doc);
  if (!event || doc->c->inputs.n == 0) return;
  const fl_str ref = fl_doc_whole(doc, fl_case_ref(doc->c, event, doc->arena));
  const fl_str inputs = fl_doc_whole(doc, doc->c->inputs);
  fl_doc_add(doc, (fl_block){.kind = FL_B_COMMAND,
                             .text = fl_doc_say(doc, "faultline show %.*s%.*s",
                                                FL_STR_ARG(quoted(doc, ref)), FL_STR_ARG(inputs))});
}

void fl_doc_cited(fl_doc *doc) {
  if (doc->n_cited == 0) return;
  fl_doc_heading(doc, "Where the records are (A@4608: the record of A at byte 4608)");
  for (size_t i = 0; i < doc->n_cited; i++) {
    const fl_event event = {.source = doc->cited[i]};
    const fl_str ref = fl_doc_whole(doc, fl_case_ref(doc->c, &event, doc->arena));
    const fl_str name = {ref.p, ref.n > 2 ? ref.n - 2 : ref.n}; /* without "@0" */
    fl_doc_add(doc, (fl_block){.kind = FL_B_SOURCE,
                               .label = fl_doc_say(doc, "%c", (char)('A' + i)),
                               .text = name});
  }
  add_example(doc);
}

/* An event of the story is cited by its number there, which is easier to follow. */
static fl_str event_ref(fl_doc *doc, const fl_event *event) {
  for (size_t i = 0; i < doc->n_steps; i++)
    if (doc->steps[i] == event) return fl_doc_say(doc, "step %zu", i + 1);
  return fl_doc_ref(doc, event);
}

fl_str fl_doc_place(fl_doc *doc, const fl_hit_event *place) {
  const bool is_made = place->flags & (FL_F_SYNTHETIC | FL_F_FINDING); /* its own numbers */
  for (size_t i = 0; i < doc->n_steps && !is_made; i++) {
    const fl_event *step = doc->steps[i];
    if (step->source == place->source && step->seq == place->seq && !(step->flags & FL_F_SYNTHETIC))
      return fl_doc_say(doc, "step %zu", i + 1);
  }
  return fl_doc_ref(doc, &(fl_event){.source = place->source, .offset = place->offset});
}

fl_str fl_doc_refs(fl_doc *doc, const fl_event *const *events, size_t n_events) {
  fl_str refs = {0};
  size_t n = 0, n_all = 0;
  for (size_t i = 0; i < n_events; i++) {
    if (fl_event_is_attempt(events[i])) continue;
    if (n_all++ >= MAX_REFS) continue;
    const fl_str ref = event_ref(doc, events[i]);
    refs = fl_doc_say(doc, "%.*s%s%.*s", FL_STR_ARG(refs), n++ ? ", " : "", FL_STR_ARG(ref));
  }
  if (n_all > n) refs = fl_doc_say(doc, "%.*s and %zu more", FL_STR_ARG(refs), n_all - n);
  return refs;
}

fl_str fl_doc_code(fl_doc *doc, const fl_code_fact *fact, uint32_t code) {
  if (!fact) return fl_doc_say(doc, "0x%x: not in this program's tables", code);
  return fl_doc_say(doc, "0x%x%s%s: %s", code, *fact->symbol ? " " : "", fact->symbol,
                    fact->meaning);
}

#define CORE "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"
#define MANAGER "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"
#define SESSIONS "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"

static const struct {
  const char *words, *channel;
} phases[FL_N_PHASES] = {[FL_PHASE_NAME] = {"the server's name resolved", ""},
                         [FL_PHASE_TCP] = {"the host accepted the TCP connection", CORE},
                         [FL_PHASE_X224] = {"protocol and security negotiated", CORE},
                         [FL_PHASE_TLS] = {"TLS handshake completed", CORE},
                         [FL_PHASE_AUTH] = {"the user was authenticated", MANAGER},
                         [FL_PHASE_LICENSE] = {"licensing passed", CORE},
                         [FL_PHASE_ARBITRATION] = {"a session was assigned", SESSIONS},
                         [FL_PHASE_GRAPHICS] = {"the first picture was sent", CORE},
                         [FL_PHASE_SESSION] = {"the session was connected", SESSIONS}};

const char *fl_doc_phase_words(fl_phase phase) {
  return phase < 0 || (int)phase >= FL_N_PHASES ? "nothing is proven" : phases[phase].words;
}

const char *fl_doc_phase_channel(fl_phase phase) {
  return phase < 0 || (int)phase >= FL_N_PHASES ? "" : phases[phase].channel;
}

fl_status fl_doc_init(fl_doc *doc, const fl_case *c, fl_err *err) {
  *doc = (fl_doc){.c = c, .arena = fl_arena_create(FL_LIMIT_BATCH_ARENA)};
  if (!doc->arena) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_doc_headline(doc);
  fl_doc_facts(doc);
  fl_doc_story(doc);
  fl_doc_causes(doc);
  fl_doc_incidents(doc);
  fl_doc_changes(doc);
  fl_doc_compare(doc);
  fl_doc_advice(doc);
  fl_doc_signs(doc);
  fl_doc_attempts(doc);
  fl_doc_read(doc);
  fl_doc_made(doc);
  fl_doc_cited(doc);
  return doc->has_failed ? fl_fail(err, FL_E_NOMEM, 0, "out of memory") : FL_OK;
}

void fl_doc_done(fl_doc *doc) {
  fl_arena_free(doc->arena);
  free(doc->blocks);
  *doc = (fl_doc){0};
}
