/* wer.c - Report.wer of Windows Error Reporting: key=value lines, one event (docs/formats/wer.md).
 *
 * Names of values are in the language of the machine: signatures are read by their number, which
 * means something else for each kind of event. Of equal keys the first one counts. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/text.h"
#include "faultline/facts.h"
#include "parsers/dump_fact.h"
#include "parsers/lines.h"

enum { SIGNATURES = 10, KEYS = 64 };

/* Report keys that become fields as they are. */
static const struct plain_key {
  const char *key, *field;
} plain_keys[] = {{"EventType", "event_type"},
                  {"FriendlyEventName", "title"},
                  {"AppPath", "path"},
                  {"AppName", "app_name"},
                  {"NsAppName", "ns_app_name"},
                  {"OriginalFilename", "original_name"},
                  {"ReportIdentifier", "report_id"},
                  {"IntegratorReportIdentifier", "integrator_report_id"},
                  {"AppSessionGuid", "session_guid"},
                  {"Response.BucketId", "bucket"},
                  {"ReportDescription", "description"},
                  {"ReportType", "report_type"},
                  {"ReportStatus", "report_status"},
                  {"IsFatal", "is_fatal"},
                  {"TargetAppVer", "target_version"}};
enum { N_PLAIN = sizeof plain_keys / sizeof *plain_keys };

/* What Sig[n].Value means for each kind of event; NULL: nothing that is used. */
static const struct signature_kind {
  const char *event_type;
  const char *fields[SIGNATURES];
} signature_kinds[] = {
    {"APPCRASH",
     {"process", "version", NULL, "module", "module_version", NULL, "exception", "offset"}},
    {"BEX",
     {"process", "version", NULL, "module", "module_version", NULL, "offset", "exception",
      "subcode"}},
    {"BEX64",
     {"process", "version", NULL, "module", "module_version", NULL, "offset", "exception",
      "subcode"}},
    {"AppHangB1", {"process", "version", NULL, "hang_signature", "hang_type"}},
    {"AppHangXProcB1", {"process", "version", NULL, "hang_signature", "hang_type", "waits_on"}},
    {"CLR20r3",
     {"process", "version", NULL, "assembly", NULL, NULL, "method", "il_offset", "exception_type"}},
    {"MoAppCrash",
     {"package", "process", "version", NULL, "module", "module_version", NULL, "exception",
      "offset"}},
    {"BlueScreen", {"bugcheck", "parameter1", "parameter2", "parameter3", "parameter4"}},
    {"LiveKernelEvent", {"bugcheck", "parameter1", "parameter2", "parameter3", "parameter4"}}};

typedef struct wer {
  fl_lines lines;
  fl_str plain[N_PLAIN];
  fl_str signatures[SIGNATURES];
  fl_str service, event_time;
  dump_texts modules, files;
  uint64_t n_modules;
} wer;

/* ---- probe: "Version=", then "EventType=" in one of the next lines ---- */

static int probe(const fl_probe *probe) {
  char room[FL_HEAD_TEXT_MAX];
  fl_str text = fl_lines_head(probe, room), line;
  bool has_version = false;
  for (int i = 0; i < 4 && fl_lines_take(&text, &line); i++) {
    if (line.n > 8 && memcmp(line.p, "Version=", 8) == 0) has_version = i == 0;
    if (line.n > 10 && memcmp(line.p, "EventType=", 10) == 0) return has_version ? 100 : 0;
  }
  return 0;
}

static fl_status open_report(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  *ret_n_spans = 1;
  return fl_lines_open(job, 0, &((wer *)state)->lines, err);
}

/* ---- lines ---- */

/* "Sig[7].Value" of "Sig[": 7; -1 when the key is of another kind. */
static int index_of(fl_str key, const char *start, const char *end) {
  const size_t n_start = strlen(start), n_end = strlen(end);
  if (key.n < n_start + 1 + n_end || memcmp(key.p, start, n_start) != 0) return -1;
  int number = 0;
  size_t at = n_start;
  for (; at < key.n && fl_is_digit(key.p[at]) && number < 10000; at++)
    number = 10 * number + (key.p[at] - '0');
  const fl_str rest = {key.p + at, key.n - at};
  return at > n_start && fl_str_eq(rest, fl_str_of(end)) ? number : -1;
}

static void keep(fl_arena *arena, fl_str value, fl_str *slot) {
  if (slot->n == 0 && value.n) *slot = fl_arena_str(arena, value);
}

static bool take_plain(wer *w, fl_arena *arena, fl_str key, fl_str value) {
  for (size_t i = 0; i < N_PLAIN; i++) {
    if (!fl_str_eq(key, fl_str_of(plain_keys[i].key))) continue;
    keep(arena, value, &w->plain[i]);
    return true;
  }
  return false;
}

static bool take_key(wer *w, fl_arena *arena, fl_str key, fl_str value) {
  if (take_plain(w, arena, key, value)) return true;
  const int signature = index_of(key, "Sig[", "].Value");
  if (signature >= 0 && signature < SIGNATURES) {
    keep(arena, value, &w->signatures[signature]);
    return true;
  }
  if (fl_str_eq(key, FL_STR("EventTime"))) {
    keep(arena, value, &w->event_time);
    return true;
  }
  if (index_of(key, "LoadedModule[", "]") >= 0) {
    w->n_modules++;
    dump_texts_add(&w->modules, "%.*s", FL_STR_ARG(value));
    return true;
  }
  if (index_of(key, "File[", "].CabName") >= 0) {
    dump_texts_add(&w->files, "%.*s", FL_STR_ARG(value));
    return true;
  }
  return index_of(key, "Sig[", "].Name") >= 0;
}

static fl_status take_lines(wer *w, fl_job *job, fl_err *err) {
  fl_line line;
  for (;;) {
    const fl_status status = fl_lines_next(&w->lines, &line, err);
    FL_TRY(status);
    if (status == FL_END) return FL_OK;
    const char *equals = line.text.n ? memchr(line.text.p, '=', line.text.n) : NULL;
    if (!equals) continue;
    const size_t n_key = (size_t)(equals - line.text.p);
    const fl_str key = {line.text.p, n_key};
    const fl_str value = {equals + 1, line.text.n - n_key - 1};
    if (take_key(w, job->arena, key, value)) fl_lines_use(&w->lines);
  }
}

/* ---- the row ---- */

static const struct signature_kind *kind_of(fl_str event_type) {
  for (size_t i = 0; i < sizeof signature_kinds / sizeof *signature_kinds; i++)
    if (fl_str_eq_nocase(event_type, fl_str_of(signature_kinds[i].event_type)))
      return &signature_kinds[i];
  return NULL;
}

/* Hexadecimal without 0x, as reports write codes and offsets. */
static bool hex_of(fl_str text, uint64_t *ret) {
  *ret = 0;
  if (text.n > 2 && text.p[0] == '0' && fl_lower(text.p[1]) == 'x')
    text = (fl_str){text.p + 2, text.n - 2};
  if (text.n == 0 || text.n > 16) return false;
  for (size_t i = 0; i < text.n; i++) {
    const char c = fl_lower(text.p[i]);
    if (!fl_is_digit(c) && (c < 'a' || c > 'f')) return false;
    *ret = *ret << 4 | (uint64_t)(fl_is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  return true;
}

static bool is_number(const char *field) {
  static const char *const names[] = {"offset",     "subcode",    "parameter1",
                                      "parameter2", "parameter3", "parameter4"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(field, names[i]) == 0) return true;
  return false;
}

static void put_signature(fl_fact *fact, const char *field, fl_str value) {
  uint64_t number = 0;
  if (!field || value.n == 0) return;
  if (!hex_of(value, &number)) fl_fact_text(fact, field, value);
  else if (strcmp(field, "exception") == 0)
    dump_fact_code(fact, "exception", "exception_text", FL_CODE_EXCEPTION, (uint32_t)number);
  else if (strcmp(field, "bugcheck") == 0)
    dump_fact_code(fact, "bugcheck", "bugcheck_text", FL_CODE_BUGCHECK, (uint32_t)number);
  else if (is_number(field)) dump_fact_hex(fact, field, number);
  else fl_fact_text(fact, field, value);
}

/* "svchost.exe_TermService": the service that the process ran. */
static void put_service(fl_fact *fact, fl_str process) {
  static const char host[] = "svchost.exe_";
  if (process.n >= sizeof host &&
      fl_str_eq_nocase((fl_str){process.p, sizeof host - 1}, FL_STR("svchost.exe_")))
    fl_fact_text(fact, "service",
                 (fl_str){process.p + sizeof host - 1, process.n - sizeof host + 1});
}

/* PID in the first group, creation time in the bytes of the last two; seen so, documented nowhere.
 */
static void put_session(fl_fact *fact, fl_str guid) {
  uint64_t pid = 0, high = 0, low = 0;
  if (guid.n != 36 || !hex_of((fl_str){guid.p, 8}, &pid)) return;
  fl_fact_number(fact, "pid", pid);
  if (!hex_of((fl_str){guid.p + 19, 4}, &high) || !hex_of((fl_str){guid.p + 24, 12}, &low)) return;
  fl_time started = 0;
  if (fl_time_from_filetime(__builtin_bswap64(high << 48 | low), &started))
    fl_fact_date(fact, "started", started);
}

static bool decimal_of(fl_str text, uint64_t *ret) { return fl_text_number(text, ret); }

/* Of a crash the time is that of the crash; of a stop of Windows it is that of the next start. */
static void put_time(fl_fact *fact, const wer *w, fl_str event_type) {
  uint64_t filetime = 0;
  fl_time t = 0;
  if (!decimal_of(w->event_time, &filetime) || !fl_time_from_filetime(filetime, &t)) return;
  fl_fact_time(fact, t, false);
  const bool is_later = fl_str_eq_nocase(event_type, FL_STR("BlueScreen"));
  fl_fact_words(fact, "time_is", is_later ? "reported" : "occurred");
}

static fl_status put_row(const wer *w, fl_job *job, fl_rows *rows, fl_err *err) {
  fl_fact fact;
  FL_TRY(fl_fact_init(&fact, job, rows, err));
  const uint64_t size = fl_source_size(job->source);
  const fl_str event_type = w->plain[0];
  fl_fact_begin(&fact, FL_CRASH_WER, 0, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, 0);
  put_time(&fact, w, event_type);
  for (size_t i = 0; i < N_PLAIN; i++) fl_fact_text(&fact, plain_keys[i].field, w->plain[i]);
  const struct signature_kind *kind = kind_of(event_type);
  for (size_t i = 0; i < SIGNATURES && kind; i++)
    put_signature(&fact, kind->fields[i], w->signatures[i]);
  if (kind && kind->fields[0] && strcmp(kind->fields[0], "process") == 0)
    put_service(&fact, w->signatures[0]);
  for (size_t i = 0; i < N_PLAIN; i++)
    if (strcmp(plain_keys[i].field, "session_guid") == 0) put_session(&fact, w->plain[i]);
  dump_fact_texts(&fact, "files", &w->files);
  if (w->n_modules) fl_fact_number(&fact, "n_modules", w->n_modules);
  dump_fact_texts(&fact, "modules", &w->modules);
  return fl_fact_add(&fact, err);
}

static fl_status read_report(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  (void)span;
  wer *w = state;
  w->modules.arena = w->files.arena = job->arena;
  FL_TRY(take_lines(w, job, err));
  if (w->plain[0].n == 0) return fl_fail(err, FL_E_CORRUPT, 0, "an error report without EventType");
  return put_row(w, job, rows, err);
}

const fl_parser fl_parser_wer = {.name = "wer",
                                 .summary = "Windows Error Reporting report",
                                 .state_size = sizeof(wer),
                                 .probe = probe,
                                 .open = open_report,
                                 .read = read_report};
