/* code.c - what `explain` prints of a code: every meaning we can prove, and none that we cannot. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "faultline/report.h"
#include "report/code_logs.h"
#include "report/json.h"
#include "report/page.h"
#include "report/view.h"

enum { MAX_MEANINGS = 16 };

/* The first code is a primary reason, unless its form, a name or a kind of number in front of it
 * says otherwise, or it stands alone and is documented as something else. */
typedef struct answer {
  uint32_t code, extended;
  const fl_code_fact *fact; /* NULL = not documented */
  const fl_code_fact *others[MAX_MEANINGS];
  size_t n_others;
  bool is_bare;        /* a number alone: no name, no kind, no extended code beside it */
  const char *assumed; /* which numbers it was taken for, and why */
  bool has_extended;
  const fl_code_fact *extended_fact; /* NULL = not documented */
  const fl_code_fact *meant; /* what the digits would be as 0x…, where they mean nothing */
} answer;

static const char no_meaning[] =
    "not documented: no public source that this program knows says what the number means, and "
    "the numbers beside it are no guide, so nothing is guessed here";

/* What leads on from a number that nobody explains. */
static const char primary_evidence[] =
    "how far the attempt came in the host's log: RdpCoreTS 131 TCP, 141 security, 72 "
    "OnStartLicensing authentication, LSM 21 the session; what the host sent: RdpCoreTS 72 "
    "SetErrorInfo and 103 of the same attempt; Schannel, Security 4625 and LSM 40 of the host in "
    "the "
    "same seconds; the extended code of the dialog";
static const char extended_evidence[] =
    "RdpCoreTS 72 SetErrorInfo with this number in the same attempt: the host sent it; RdpCoreTS "
    "103 and "
    "LSM 40 of the host with the same number; Schannel, Security 4625 and crashes in the same "
    "seconds";
static const char status_evidence[] =
    "which program or record shows it: its provider says what kind of number it is; what the same "
    "process logged in the same second";

/* Large numbers are results and states, whatever place they stand in. */
static bool is_status(uint32_t code) { return code >> 31 != 0; }

static const char *unknown_evidence(uint32_t code, bool is_extended) {
  if (is_status(code)) return status_evidence;
  return is_extended ? extended_evidence : primary_evidence;
}

static const char *evidence_of(const fl_code_fact *fact, const char *unknown) {
  return fact && *fact->separate ? fact->separate : unknown;
}

/* "'x' is neither …; near it: a, b" */
static fl_status fail_near(fl_str text, fl_err *err) {
  const char *names[FL_NEAR_MAX];
  char list[256] = "";
  size_t at = 0;
  const size_t n = fl_fact_near(text, names);
  for (size_t i = 0; i < n && at + strlen(names[i]) + 16 < sizeof list; i++)
    at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "; near it: ", names[i]);
  return fl_fail(err, FL_E_ARG, 0, "'%.*s' is neither a number nor a symbol that is known here%s",
                 (int)(text.n < 80 ? text.n : 80), text.p, list);
}

static fl_status parse(fl_str text, const fl_code_fact **ret_facts, size_t *ret_n,
                       uint32_t *ret_code, fl_err *err) {
  fl_status status = FL_OK;
  *ret_n = fl_code_parse(text, ret_facts, MAX_MEANINGS, ret_code, &status);
  if (*ret_n > MAX_MEANINGS) *ret_n = MAX_MEANINGS;
  return status < FL_OK ? fail_near(text, err) : FL_OK;
}

/* A symbol's row is the one that was asked for, a bare number's may be. */
static bool is_number(fl_str text) {
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] == '_' || (fl_lower(text.p[i]) > 'f' && fl_lower(text.p[i]) != 'x')) return false;
  return true;
}

/* Could it also have been the dialog's first code, under which nothing is documented? */
static bool may_be_primary(const answer *a) {
  return a->is_bare && a->fact &&
         (a->fact->space == FL_CODE_EXTENDED || a->fact->space == FL_CODE_ERRINFO);
}

static const char *assume(const answer *a, fl_str text, bool is_pair) {
  fl_code_space space;
  fl_str rest;
  if (fl_code_prefix(text, &space, &rest)) return "the kind of number was given";
  if (!is_number(text)) return "by its name";
  if (is_status(a->code)) return "by the form of the number";
  if (a->fact && a->fact->space == FL_CODE_DISCONNECT)
    return "a number in the first place is a primary disconnect reason";
  if (!a->fact || is_pair)
    return "a number in the first place is a primary disconnect reason, and none with this number "
           "is "
           "documented";
  return "as a primary disconnect reason, which the dialog's first code is, it is not documented";
}

/* Beside an extended code, a small number can only be a primary reason. */
static fl_status look_up(fl_str text, bool is_pair, answer *a, fl_err *err) {
  const fl_code_fact *facts[MAX_MEANINGS] = {0};
  size_t n = 0;
  FL_TRY(parse(text, facts, &n, &a->code, err));
  const bool is_loose = is_pair && is_number(text) && !is_status(a->code);
  for (size_t i = 0; i < n; i++) {
    const bool is_wanted = i == 0 && (!is_loose || facts[i]->space == FL_CODE_DISCONNECT);
    if (is_wanted) a->fact = facts[i];
    else a->others[a->n_others++] = facts[i];
  }
  fl_code_space space;
  fl_str rest;
  a->is_bare = !is_pair && is_number(text) && !fl_code_prefix(text, &space, &rest);
  a->assumed = assume(a, text, is_pair);
  return FL_OK;
}

/* An extended code is first of all one of the client's extended reasons; a symbol may name
 * a code of another space. */
static fl_status look_up_extended(fl_str text, answer *a, fl_err *err) {
  const fl_code_fact *facts[MAX_MEANINGS] = {0};
  size_t n = 0;
  FL_TRY(parse(text, facts, &n, &a->extended, err));
  a->has_extended = true;
  for (size_t i = 0; i < n; i++)
    if (facts[i]->space == FL_CODE_EXTENDED) a->extended = facts[i]->code;
  a->extended_fact = fl_code_of_reason(a->extended);
  return FL_OK;
}

/* Codes that the host sends come over a connection that TLS and authentication let through. */
static const char *together(const answer *a) {
  const bool is_closed =
      a->fact && a->fact->space == FL_CODE_DISCONNECT && strcmp(a->fact->layer, "transport") == 0;
  const bool is_sent =
      a->has_extended && a->extended && fl_code_find(FL_CODE_ERRINFO, a->extended) != NULL;
  if (!is_closed || !is_sent) return NULL;
  return "The host sends this extended code over a connection that got through TLS and "
         "authentication: it and a TLS or certificate failure of the same attempt exclude each "
         "other. Where the host's log shows such a failure, the code came from another box or "
         "another attempt.";
}

static void json_causes(fl_json *j, const fl_code_fact *fact) {
  const fl_cause_fact *causes[FL_CODE_CAUSES_MAX];
  const size_t n = fact ? fl_code_causes(fact, causes, FL_CODE_CAUSES_MAX) : 0;
  fl_json_key(j, "cause_ids");
  fl_json_array(j);
  for (size_t i = 0; i < n; i++) fl_json_text(j, causes[i]->id);
  fl_json_end(j);
}

/* `unknown` is what leads on where the number is not documented. */
static void json_fact_body(fl_json *j, const fl_code_fact *fact, const char *unknown) {
  fl_json_key(j, "space");
  fl_json_text(j, fact ? fl_code_space_names[fact->space] : NULL);
  fl_json_key(j, "symbol");
  fl_json_text(j, fact ? fact->symbol : NULL);
  fl_json_key(j, "meaning");
  fl_json_text(j, fact ? fact->meaning : no_meaning);
  fl_json_key(j, "layer");
  fl_json_text(j, fact ? fact->layer : NULL);
  fl_json_key(j, "causes");
  fl_json_list(j, fact ? fact->causes : NULL, ';');
  json_causes(j, fact);
  fl_json_key(j, "separating_evidence");
  fl_json_list(j, evidence_of(fact, unknown), ';');
}

static void json_code(fl_json *j, uint32_t code, const fl_code_fact *fact) {
  fl_json_key(j, "code");
  fl_json_hex(j, code);
  fl_json_key(j, "decimal");
  fl_json_u64(j, code);
  fl_json_key(j, "documented");
  fl_json_bool(j, fact != NULL);
}

static void json_others(fl_json *j, const answer *a) {
  fl_json_key(j, "also");
  fl_json_array(j);
  for (size_t i = 0; i < a->n_others; i++) {
    fl_json_object(j);
    fl_json_key(j, "code");
    fl_json_hex(j, a->others[i]->code);
    json_fact_body(j, a->others[i], NULL);
    fl_json_end(j);
  }
  fl_json_end(j);
}

/* The logs whose short names the answer uses. */
static size_t logs_of(const answer *a, const fl_log_name **ret_names) {
  const char *texts[] = {
      evidence_of(a->fact, unknown_evidence(a->code, false)), a->fact ? a->fact->meaning : NULL,
      may_be_primary(a) ? primary_evidence : NULL,
      a->has_extended ? evidence_of(a->extended_fact, unknown_evidence(a->extended, true)) : NULL,
      a->extended_fact ? a->extended_fact->meaning : NULL};
  return fl_logs_named(texts, sizeof texts / sizeof *texts, ret_names);
}

static void json_logs(fl_json *j, const answer *a) {
  const fl_log_name *names[FL_LOG_NAMES_MAX];
  const size_t n = logs_of(a, names);
  fl_json_key(j, "logs");
  fl_json_array(j);
  for (size_t i = 0; i < n; i++) {
    fl_json_object(j);
    fl_json_key(j, "name");
    fl_json_text(j, names[i]->name);
    fl_json_key(j, "log");
    fl_json_text(j, names[i]->log);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void json_sources(fl_json *j, const answer *a) {
  const char *first = a->fact ? a->fact->source : NULL;
  const char *second = a->extended_fact ? a->extended_fact->source : NULL;
  fl_json_key(j, "sources");
  fl_json_array(j);
  if (first && *first) fl_json_text(j, first);
  if (second && *second && !(first && strcmp(first, second) == 0)) fl_json_text(j, second);
  fl_json_end(j);
}

static void write_json(const answer *a, fl_out *out) {
  fl_json j = fl_json_of(out);
  fl_json_object(&j);
  fl_json_key(&j, "schema");
  fl_json_u64(&j, 1);
  json_code(&j, a->code, a->fact);
  fl_json_key(&j, "assumed");
  fl_json_text(&j, a->assumed);
  json_fact_body(&j, a->fact, unknown_evidence(a->code, false));
  fl_json_key(&j, "if_first_code");
  fl_json_list(&j, may_be_primary(a) ? primary_evidence : NULL, ';');
  json_others(&j, a);
  fl_json_key(&j, "extended");
  if (a->has_extended) {
    fl_json_object(&j);
    json_code(&j, a->extended, a->extended_fact);
    json_fact_body(&j, a->extended_fact, unknown_evidence(a->extended, true));
    fl_json_end(&j);
  } else {
    fl_json_null(&j);
  }
  fl_json_key(&j, "together");
  fl_json_text(&j, together(a));
  fl_json_key(&j, "did_you_mean");
  if (a->meant) fl_json_hex(&j, a->meant->code);
  else fl_json_null(&j);
  json_logs(&j, a);
  json_sources(&j, a);
  fl_json_end(&j);
  fl_json_line_end(&j);
}

/* "a; b" as lines with a mark in front. */
static void text_list(fl_page *page, const char *title, const char *items) {
  if (!items || !*items) return;
  fl_page_field(page, 2, 20, title, (fl_str){0});
  for (const char *at = items; *at;) {
    const size_t n = strcspn(at, ";");
    fl_str item = {at, n};
    while (item.n && *item.p == ' ') item = (fl_str){item.p + 1, item.n - 1};
    if (item.n) fl_page_item(page, 4, FL_STR("- "), item);
    at += n + (at[n] == ';');
  }
}

static void text_causes(fl_page *page, const fl_code_fact *fact) {
  const fl_cause_fact *causes[FL_CODE_CAUSES_MAX];
  const size_t n = fl_code_causes(fact, causes, FL_CODE_CAUSES_MAX);
  char list[FL_CODE_CAUSES_MAX * 32];
  size_t at = 0;
  for (size_t i = 0; i < n && at + strlen(causes[i]->id) + 4 < sizeof list; i++)
    at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", causes[i]->id);
  if (n) fl_page_field(page, 2, 20, "see explain CAUSE", (fl_str){list, at});
}

static void text_fact(fl_page *page, const fl_code_fact *fact, const char *unknown) {
  fl_page_field(page, 2, 20, "meaning", fl_str_of(fact->meaning));
  if (*fact->layer && strcmp(fact->layer, "none") != 0)
    fl_page_field(page, 2, 20, "layer", fl_str_of(fact->layer));
  text_list(page, "what can cause it", fact->causes);
  if (*fact->separate) text_list(page, "what tells them apart", fact->separate);
  else text_list(page, "what leads on", unknown);
  text_causes(page, fact);
}

/* 64 = 0x40; large numbers with all their digits, as logs show them. */
static void text_number(fl_out *out, uint32_t code) {
  fl_out_printf(out, is_status(code) ? "0x%08" PRIx32 : "0x%" PRIx32, code);
  fl_out_printf(out, " = %" PRIu32, code);
  if (is_status(code)) fl_out_printf(out, " = %" PRId32, (int32_t)code);
}

static void text_code(fl_page *page, const char *what, uint32_t code, const fl_code_fact *fact) {
  fl_out *out = page->out;
  fl_out_puts(out, what);
  text_number(out, code);
  if (!fact) {
    fl_out_puts(out, "  not documented\n");
    return;
  }
  fl_out_printf(out, "%s%s  (read as %s", *fact->symbol ? "  " : "", fact->symbol,
                fl_code_space_words[fact->space]);
  if (fact->code != code) fl_out_printf(out, " %" PRIu32 ", 0x%" PRIx32, fact->code, fact->code);
  fl_out_puts(out, ")\n");
}

static void text_body(fl_page *page, const fl_code_fact *fact, const char *unknown) {
  if (fact) {
    text_fact(page, fact, unknown);
    return;
  }
  fl_page_field(page, 2, 20, "meaning", fl_str_of(no_meaning));
  text_list(page, "what leads on", unknown);
}

static void text_other(fl_page *page, const fl_code_fact *fact) {
  fl_out_printf(page->out, "  %s 0x%" PRIx32 "%s%s\n", fl_code_space_words[fact->space], fact->code,
                *fact->symbol ? " " : "", fact->symbol);
  fl_page_item(page, 4, (fl_str){0}, fl_str_of(fact->meaning));
}

static void text_logs(fl_page *page, const answer *a) {
  const fl_log_name *names[FL_LOG_NAMES_MAX];
  const size_t n = logs_of(a, names);
  if (n) fl_out_puts(page->out, "\nLogs that are named here\n");
  for (size_t i = 0; i < n; i++)
    fl_page_field(page, 2, 20, names[i]->name, fl_str_of(names[i]->log));
}

static void text_sources(fl_page *page, const answer *a) {
  const char *source = a->fact ? a->fact->source : "";
  const char *extended_source = a->extended_fact ? a->extended_fact->source : "";
  if (*source || *extended_source) fl_out_puts(page->out, "\nKnown from\n");
  if (*source) fl_page_item(page, 2, (fl_str){0}, fl_str_of(source));
  if (*extended_source && strcmp(source, extended_source) != 0)
    fl_page_item(page, 2, (fl_str){0}, fl_str_of(extended_source));
}

static void write_text(const answer *a, fl_out *out) {
  fl_page page = {.out = out};
  text_code(&page, "", a->code, a->fact);
  fl_page_field(&page, 2, 20, "how it was read", fl_str_of(a->assumed));
  text_body(&page, a->fact, unknown_evidence(a->code, false));
  if (may_be_primary(a))
    text_list(&page, "if the dialog showed it as its first code", primary_evidence);
  if (a->has_extended) {
    fl_out_puts(out, "\n");
    text_code(&page, "extended ", a->extended, a->extended_fact);
    text_body(&page, a->extended_fact, unknown_evidence(a->extended, true));
  }
  if (together(a)) {
    fl_out_puts(out, "\nBoth together\n");
    fl_page_item(&page, 2, (fl_str){0}, fl_str_of(together(a)));
  }
  if (a->meant)
    fl_out_printf(out, "\nDid you mean 0x%" PRIx32 "  %s?\n", a->meant->code, a->meant->symbol);
  /* Beside an extended code there is no doubt which kind a documented number is of. */
  const size_t n_others = a->has_extended && a->fact ? 0 : a->n_others;
  if (n_others) fl_out_puts(out, "\nThe same number elsewhere\n");
  for (size_t i = 0; i < n_others; i++) text_other(&page, a->others[i]);
  text_logs(&page, a);
  text_sources(&page, a);
}

/* "0x904/0x7" in one word is the same as two words. */
static void split(fl_str *code, fl_str *extended) {
  if (extended->n) return;
  for (size_t i = 1; i + 1 < code->n; i++) {
    if (code->p[i] != '/') continue;
    *extended = (fl_str){code->p + i + 1, code->n - i - 1};
    code->n = i;
    return;
  }
}

fl_status fl_report_code(fl_str code, fl_str extended, bool as_json, fl_out *out,
                         bool *ret_is_known, fl_err *err) {
  answer a = {0};
  split(&code, &extended);
  FL_TRY(look_up(code, extended.n > 0, &a, err));
  if (!a.fact) a.meant = fl_code_meant(code);
  if (extended.n) FL_TRY(look_up_extended(extended, &a, err));
  if (as_json) write_json(&a, out);
  else write_text(&a, out);
  *ret_is_known = a.fact != NULL;
  return FL_OK;
}
