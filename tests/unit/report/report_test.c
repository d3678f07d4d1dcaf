/* report_test.c - text, Markdown and JSON of hand-built cases against golden files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cases.h"
#include "faultline/report.h"
#include "golden.h"
#include "stand_in.h"

static fl_out *rendered(const fl_case *c, const char *format) {
  fl_out *out = NULL;
  fl_err err = {0};
  assert_int_equal(fl_out_memory(&out, &err), FL_OK);
  const fl_report_format *f = fl_report_format_find(format);
  assert_non_null(f);
  assert_int_equal(f->write(c, out, &err), FL_OK);
  return out;
}

/* Commands and names of sources stand unbroken at the end, to be copied. */
static bool is_legend(fl_str text, size_t at) {
  static const char heading[] = "\nHow this was made";
  const size_t n = sizeof heading - 1;
  return n <= text.n - at && memcmp(text.p + at, heading, n) == 0;
}

/* Two screens of 100 columns; a case with everything at once may need a little more. */
static void assert_fits(fl_str text) {
  size_t n_lines = 0, n_columns = 0;
  bool is_below = false;
  for (size_t at = 0; at < text.n;) {
    is_below = is_below || is_legend(text, at);
    const uint32_t c = fl_utf8_next(text, &at);
    n_columns = c == '\n' ? 0 : n_columns + 1;
    n_lines += c == '\n';
    assert_true(is_below || n_columns <= 100);
  }
  assert_true(n_lines <= 124);
}

static void compare(const fl_case *c, const char *format, const char *name) {
  fl_out *out = rendered(c, format);
  const bool is_equal = golden_equal(name, fl_out_text(out));
  if (strcmp(format, "text") == 0) assert_fits(fl_out_text(out));
  fl_out_discard(out);
  assert_true(is_equal);
}

static bool contains(fl_str text, const char *word) {
  const size_t n = strlen(word);
  for (size_t i = 0; i + n <= text.n; i++)
    if (memcmp(text.p + i, word, n) == 0) return true;
  return false;
}

static void confirmed_case(void **state) {
  (void)state;
  const fl_attempt a = failed_attempt();
  fl_case c = base_case();
  c.attempts = c.chosen = &a;
  c.n_attempts = 1;
  c.symptom = (fl_symptom){.has_code = true,
                           .has_extended = true,
                           .code = 0x904,
                           .extended = 7,
                           .text = FL_STR("0x904/0x7")};
  c.verdict = (fl_verdict){
      .status = FL_VERDICT_CONFIRMED,
      .sentence =
          FL_STR("SRV1 accepted the connection, but its service could not open the private key of "
                 "its certificate, so the TLS handshake never began and the socket was closed."),
      .hypotheses = confirmed_list,
      .n_hypotheses = 2};
  compare(&c, "text", "confirmed.txt");
  compare(&c, "md", "confirmed.md");
  compare(&c, "json", "confirmed.json");
}

static void undecided_client_only(void **state) {
  (void)state;
  fl_attempt a = failed_attempt();
  fl_case c = base_case();
  a.server = NULL;
  a.reached = FL_PHASE_NONE;
  a.proof[FL_PHASE_NAME] = a.proof[FL_PHASE_TCP] = NULL;
  static const fl_event *const own[] = {&dial, &closed};
  a.events = own;
  a.n_events = 2;
  c.attempts = c.chosen = &a;
  c.n_attempts = 1;
  c.n_sources = 2;
  c.n_coverage = 1;
  c.n_notes = 0;
  c.totals.n_events = 412;
  c.verdict = (fl_verdict){.status = FL_VERDICT_UNDECIDED,
                           .hypotheses = undecided_list,
                           .n_hypotheses = 1,
                           .collect = collect_list,
                           .n_collect = 2};
  compare(&c, "text", "undecided.txt");
  compare(&c, "md", "undecided.md");
  compare(&c, "json", "undecided.json");
}

static void nothing_found(void **state) {
  (void)state;
  fl_case c = base_case();
  c.symptom = (fl_symptom){.has_code = true, .code = 0x904, .text = FL_STR("0x904")};
  c.verdict.status = FL_VERDICT_UNDECIDED;
  compare(&c, "text", "no_attempt.txt");
  compare(&c, "json", "no_attempt.json");
}

static void no_failure(void **state) {
  (void)state;
  fl_attempt list[3] = {failed_attempt(), failed_attempt(), failed_attempt()};
  fl_case c = base_case();
  for (unsigned i = 0; i < 3; i++) {
    list[i].number = i + 1;
    list[i].start += i * 3600 * FL_SECOND;
    list[i].end = list[i].start + 1800 * FL_SECOND;
    list[i].outcome = FL_OUTCOME_ENDED;
    list[i].reached = FL_PHASE_SESSION;
    list[i].has_code = false;
  }
  c.attempts = list;
  c.n_attempts = 3;
  c.n_notes = 0;
  c.verdict.status = FL_VERDICT_NO_FAILURE;
  compare(&c, "text", "no_failure.txt");
  compare(&c, "md", "no_failure.md");
}

static void many_attempts(void **state) {
  (void)state;
  static fl_attempt list[40];
  fl_case c = base_case();
  for (unsigned i = 0; i < 40; i++) {
    list[i] = failed_attempt();
    list[i].number = i + 1;
    list[i].start += i * 60 * FL_SECOND;
    list[i].end += i * 60 * FL_SECOND;
    if (i % 3 == 0) list[i].outcome = FL_OUTCOME_LOST;
  }
  c.attempts = list;
  c.n_attempts = 40;
  c.chosen = &list[39];
  c.n_noise = 12034;
  c.verdict = (fl_verdict){.status = FL_VERDICT_LIKELY,
                           .hypotheses = confirmed_list,
                           .n_hypotheses = 2,
                           .sentence = FL_STR("Most attempts fail in the same way.")};
  compare(&c, "text", "many.txt");
}

#define HOSTILE                                                              \
  "\x1b[31m\xe2\x80\xae"                                                     \
  "</script><img src=x>@everyone #1 ``` |=HYPERLINK(1) http://evil.example " \
  "www.evil.example ![a](b)\n# head\xff\x00z"

/* No raw control, bidi character or invalid byte may leave in any format. */
static void assert_clean(fl_str text) {
  assert_true(fl_utf8_is_valid(text));
  assert_false(contains(text, "\x1b"));
  assert_false(contains(text, "\xe2\x80\xae"));
  for (size_t i = 0; i < text.n; i++)
    assert_true((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
}

static fl_case hostile_case(fl_attempt *a, fl_event *event, fl_note *note, fl_source_info *source) {
  static const fl_event *events[1];
  static fl_machine machine = {.name = FL_STR(HOSTILE)};
  const fl_str bad = FL_STR(HOSTILE);
  fl_case c = base_case();
  *event = dial;
  event->host = event->provider = event->message = event->kind = bad;
  event->source = 0;
  events[0] = event;
  a->events = events;
  a->n_events = 1;
  a->client = a->server = &machine;
  a->user = a->client_name = a->server_name = a->address = a->transport = a->ended_by = bad;
  a->proof[FL_PHASE_NAME] = a->proof[FL_PHASE_TCP] = NULL;
  *note = (fl_note){.severity = FL_NOTE_DAMAGED, .text = bad};
  source->name = bad;
  c.notes = note;
  c.n_notes = 1;
  c.sources = source;
  c.n_sources = 1;
  c.attempts = c.chosen = a;
  c.n_attempts = 1;
  c.symptom.text = bad;
  c.verdict =
      (fl_verdict){.status = FL_VERDICT_UNDECIDED, .sentence = bad, .collect = &c.symptom.text};
  return c;
}

static void hostile_strings(void **state) {
  (void)state;
  fl_attempt a = failed_attempt();
  fl_event event;
  fl_note note;
  fl_source_info source = sources[1];
  source.id = 0;
  const fl_case c = hostile_case(&a, &event, &note, &source);
  static const char *const formats[] = {"text", "md", "json"};
  static const char *const goldens[] = {"hostile.txt", "hostile.md", "hostile.json"};
  for (unsigned i = 0; i < 3; i++) {
    fl_out *out = rendered(&c, formats[i]);
    assert_clean(fl_out_text(out));
    fl_out_discard(out);
    compare(&c, formats[i], goldens[i]);
  }
}

static void ticket_stays_small(void **state) {
  (void)state;
  static fl_str lines[6];
  static char long_text[400];
  static fl_evidence evidence[11];
  static const fl_evidence *list[11];
  static fl_hypothesis hypotheses[3];
  memset(long_text, '|', sizeof long_text);
  for (unsigned i = 0; i < 11; i++) {
    evidence[i] = key_line;
    evidence[i].text = (fl_str){long_text, sizeof long_text};
    list[i] = &evidence[i];
  }
  for (unsigned i = 0; i < 3; i++)
    hypotheses[i] = (fl_hypothesis){.cause = &key_cause,
                                    .pro = list,
                                    .n_pro = 11,
                                    .con = list,
                                    .n_con = 11,
                                    .missing = list,
                                    .n_missing = 11};
  for (unsigned i = 0; i < 6; i++) lines[i] = (fl_str){long_text, sizeof long_text};
  static fl_attempt attempts[200];
  for (unsigned i = 0; i < 200; i++) {
    attempts[i] = failed_attempt();
    attempts[i].user = attempts[i].client_name = attempts[i].server_name = lines[0];
  }
  fl_case c = base_case();
  c.attempts = attempts;
  c.n_attempts = 200;
  c.chosen = &attempts[100];
  c.verdict = (fl_verdict){.status = FL_VERDICT_LIKELY,
                           .hypotheses = hypotheses,
                           .n_hypotheses = 3,
                           .collect = lines,
                           .n_collect = 6};
  fl_out *out = rendered(&c, "md");
  assert_true(fl_out_text(out).n <= 60000);
  fl_out_discard(out);
}

/* Many of everything: each part of the note has its limit. */
static void everything_at_once(void **state) {
  (void)state;
  static fl_event events[14];
  static const fl_event *pointers[14];
  static fl_evidence lines[8];
  static const fl_evidence *list[8];
  static fl_hypothesis hypotheses[4];
  static fl_attempt attempts[12];
  static fl_note many_notes[5];
  static fl_str collect[7];
  for (unsigned i = 0; i < 14; i++) {
    events[i] = i % 2 ? accepted : key_error;
    events[i].t = T0 + 2310 * MS + (int64_t)i * 40 * MS;
    events[i].seq = i;
    events[i].event_id = 200 + i;
    pointers[i] = &events[i];
  }
  for (unsigned i = 0; i < 8; i++) {
    lines[i] = i % 2 ? accept_line : key_line;
    lines[i].events = pointers + i;
    lines[i].n_events = 3;
    list[i] = &lines[i];
  }
  for (unsigned i = 0; i < 4; i++)
    hypotheses[i] = (fl_hypothesis){.cause = i % 2 ? &deny_cause : &key_cause,
                                    .score = 70 - (int)i * 20,
                                    .status = i ? FL_VERDICT_POSSIBLE : FL_VERDICT_LIKELY,
                                    .pro = list,
                                    .n_pro = 8,
                                    .con = list,
                                    .n_con = 5,
                                    .missing = list,
                                    .n_missing = 4};
  for (unsigned i = 0; i < 12; i++) attempts[i] = failed_attempt();
  for (unsigned i = 0; i < 12; i++) attempts[i].number = i + 1;
  attempts[5].events = pointers;
  attempts[5].n_events = 14;
  for (unsigned i = 0; i < 5; i++) many_notes[i] = notes[0];
  for (unsigned i = 0; i < 7; i++) collect[i] = collect_list[i % 2];
  fl_case c = base_case();
  c.attempts = attempts;
  c.n_attempts = 12;
  c.chosen = &attempts[5];
  c.notes = many_notes;
  c.n_notes = 5;
  c.n_noise = 1;
  c.symptom = (fl_symptom){.has_code = true, .has_extended = true, .code = 0x904, .extended = 9};
  c.verdict = (fl_verdict){.status = FL_VERDICT_LIKELY,
                           .hypotheses = hypotheses,
                           .n_hypotheses = 4,
                           .collect = collect,
                           .n_collect = 7};
  compare(&c, "text", "full.txt");
  compare(&c, "md", "full.md");
}

static void registry(void **state) {
  (void)state;
  const fl_event_format *events = NULL;
  const fl_report_format *reports = NULL;
  assert_true(fl_event_formats(&events) >= 2);
  assert_int_equal(fl_report_formats(&reports), 3);
  assert_string_equal(reports[0].name, "text");
  assert_non_null(fl_event_format_find("csv"));
  assert_null(fl_event_format_find("nothing"));
  assert_null(fl_report_format_find("nothing"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(confirmed_case),     cmocka_unit_test(undecided_client_only),
      cmocka_unit_test(nothing_found),      cmocka_unit_test(no_failure),
      cmocka_unit_test(many_attempts),      cmocka_unit_test(hostile_strings),
      cmocka_unit_test(ticket_stays_small), cmocka_unit_test(everything_at_once),
      cmocka_unit_test(registry),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
