/* code.c - what `explain` prints of a code: every meaning we can prove, and none that we cannot. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "report/exporter.h"
#include "report/json.h"
#include "report/page.h"
#include "report/view.h"

enum { MAX_MEANINGS = 12, ARENA_BYTES = 1 << 20 };

typedef struct answer {
  uint32_t code, extended;
  const fl_code_fact *facts[MAX_MEANINGS];
  size_t n_facts;
  bool has_extended;
  const fl_code_fact *extended_fact; /* NULL = not documented */
  const fl_code_fact *meant; /* what the digits would be as 0x…, where they mean nothing */
} answer;

static fl_status look_up(fl_str text, const fl_code_fact **ret_facts, size_t *ret_n,
                         uint32_t *ret_code, fl_err *err) {
  fl_status status = FL_OK;
  *ret_n = fl_code_parse(text, ret_facts, MAX_MEANINGS, ret_code, &status);
  if (*ret_n > MAX_MEANINGS) *ret_n = MAX_MEANINGS;
  if (status < FL_OK)
    return fl_fail(err, status, 0, "'%.*s' is neither a number nor a symbol that is known here",
                   FL_STR_ARG(text));
  return FL_OK;
}

/* An extended code is first of all one of the client's extended reasons; a symbol may name
 * a code of another space. */
static fl_status look_up_extended(fl_str text, answer *a, fl_err *err) {
  const fl_code_fact *facts[MAX_MEANINGS] = {0};
  size_t n = 0;
  FL_TRY(look_up(text, facts, &n, &a->extended, err));
  a->has_extended = true;
  if (n) a->extended = facts[0]->code;
  for (size_t i = 0; i < n; i++)
    if (facts[i]->space == FL_CODE_EXTENDED) a->extended = facts[i]->code;
  a->extended_fact = fl_view_extended(a->extended);
  return FL_OK;
}

/* Codes that the host sends come over a connection that TLS and authentication let through. */
static const char *together(const answer *a) {
  const bool is_closed = a->n_facts && strcmp(a->facts[0]->layer, "transport") == 0;
  const bool is_sent =
      a->has_extended && a->extended && fl_code_find(FL_CODE_ERRINFO, a->extended) != NULL;
  if (!is_closed || !is_sent) return NULL;
  return "The host sends this extended code over a connection that got through TLS and "
         "authentication: it and a TLS or certificate failure of the same attempt exclude each "
         "other. Where the host's log shows such a failure, the code came from another box or "
         "another attempt.";
}

static void json_fact_body(fl_json *j, const fl_code_fact *fact) {
  fl_json_key(j, "space");
  fl_json_text(j, fact ? fl_code_space_names[fact->space] : NULL);
  fl_json_key(j, "symbol");
  fl_json_text(j, fact ? fact->symbol : NULL);
  fl_json_key(j, "meaning");
  fl_json_text(j, fact ? fact->meaning : NULL);
  fl_json_key(j, "layer");
  fl_json_text(j, fact ? fact->layer : NULL);
  fl_json_key(j, "causes");
  fl_json_list(j, fact ? fact->causes : NULL, ';');
  fl_json_key(j, "separating_evidence");
  fl_json_list(j, fact ? fact->separate : NULL, ';');
}

static void json_others(fl_json *j, const answer *a) {
  fl_json_key(j, "also");
  fl_json_array(j);
  for (size_t i = 1; i < a->n_facts; i++) {
    fl_json_object(j);
    fl_json_key(j, "space");
    fl_json_text(j, fl_code_space_names[a->facts[i]->space]);
    fl_json_key(j, "code");
    fl_json_hex(j, a->facts[i]->code);
    fl_json_key(j, "symbol");
    fl_json_text(j, a->facts[i]->symbol);
    fl_json_key(j, "meaning");
    fl_json_text(j, a->facts[i]->meaning);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void json_sources(fl_json *j, const answer *a) {
  const char *first = a->n_facts ? a->facts[0]->source : NULL;
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
  fl_json_key(&j, "code");
  fl_json_hex(&j, a->code);
  fl_json_key(&j, "decimal");
  fl_json_u64(&j, a->code);
  fl_json_key(&j, "documented");
  fl_json_bool(&j, a->n_facts > 0);
  json_fact_body(&j, a->n_facts ? a->facts[0] : NULL);
  json_others(&j, a);
  fl_json_key(&j, "extended");
  if (a->has_extended) {
    fl_json_object(&j);
    fl_json_key(&j, "code");
    fl_json_hex(&j, a->extended);
    fl_json_key(&j, "decimal");
    fl_json_u64(&j, a->extended);
    fl_json_key(&j, "documented");
    fl_json_bool(&j, a->extended_fact != NULL);
    json_fact_body(&j, a->extended_fact);
    fl_json_end(&j);
  } else {
    fl_json_null(&j);
  }
  fl_json_key(&j, "together");
  fl_json_text(&j, together(a));
  fl_json_key(&j, "did_you_mean");
  if (a->meant) fl_json_hex(&j, a->meant->code);
  else fl_json_null(&j);
  json_sources(&j, a);
  fl_json_end(&j);
  fl_json_line_end(&j);
}

static const char *const space_words[FL_CODE_N_SPACES] = {
    [FL_CODE_DISCONNECT] = "disconnect reason of the RDP client",
    [FL_CODE_EXTENDED] = "extended disconnect reason",
    [FL_CODE_ERRINFO] = "Set Error Info code of the protocol",
    [FL_CODE_NEG_FAILURE] = "RDP negotiation failure",
    [FL_CODE_GATEWAY] = "RD Gateway code",
    [FL_CODE_HRESULT] = "HRESULT",
    [FL_CODE_NTSTATUS] = "NTSTATUS",
    [FL_CODE_WIN32] = "Win32 error",
    [FL_CODE_TLS_ALERT] = "TLS alert",
    [FL_CODE_RDPCORETS_103] = "reason of RdpCoreTS event 103",
    [FL_CODE_SCHANNEL_STATE] = "internal error state of Schannel",
    [FL_CODE_MISPLACED] = "number in tables of others"};

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

static void text_fact(fl_page *page, const fl_code_fact *fact) {
  fl_page_field(page, 2, 20, "meaning", fl_str_of(fact->meaning));
  if (*fact->layer) fl_page_field(page, 2, 20, "layer", fl_str_of(fact->layer));
  text_list(page, "what can cause it", fact->causes);
  text_list(page, "what tells them apart", fact->separate);
}

static void text_code(fl_page *page, const char *what, uint32_t code, const fl_code_fact *fact) {
  fl_out *out = page->out;
  fl_out_printf(out, "%s0x%" PRIx32 " = %" PRIu32, what, code, code);
  if (!fact) {
    fl_out_puts(out, "  not in this program's tables\n");
    fl_page_item(
        page, 2, (fl_str){0},
        FL_STR("The numbers beside it are no guide, so nothing is guessed here; what the logs show "
               "in the same seconds decides."));
    return;
  }
  fl_out_printf(out, "%s%s  (read as %s", *fact->symbol ? "  " : "", fact->symbol,
                space_words[fact->space]);
  if (fact->code != code) fl_out_printf(out, " %" PRIu32 ", 0x%" PRIx32, fact->code, fact->code);
  fl_out_puts(out, ")\n");
  text_fact(page, fact);
}

static void text_other(fl_page *page, const fl_code_fact *fact) {
  fl_out_printf(page->out, "  %s 0x%" PRIx32 "%s%s\n", space_words[fact->space], fact->code,
                *fact->symbol ? " " : "", fact->symbol);
  fl_page_item(page, 4, (fl_str){0}, fl_str_of(fact->meaning));
}

static void write_text(const answer *a, fl_out *out) {
  fl_page page = {.out = out};
  text_code(&page, "", a->code, a->n_facts ? a->facts[0] : NULL);
  if (a->has_extended) {
    fl_out_puts(out, "\n");
    text_code(&page, "extended ", a->extended, a->extended_fact);
  }
  if (together(a)) {
    fl_out_puts(out, "\nBoth together\n");
    fl_page_item(&page, 2, (fl_str){0}, fl_str_of(together(a)));
  }
  if (a->meant)
    fl_out_printf(out, "\nDid you mean 0x%" PRIx32 "  %s?\n", a->meant->code, a->meant->symbol);
  if (a->n_facts > 1) fl_out_puts(out, "\nThe same number elsewhere\n");
  for (size_t i = 1; i < a->n_facts; i++) text_other(&page, a->facts[i]);
  const char *source = a->n_facts ? a->facts[0]->source : "";
  const char *extended_source = a->extended_fact ? a->extended_fact->source : "";
  if (*source || *extended_source) fl_out_puts(out, "\nKnown from\n");
  if (*source) fl_page_item(&page, 2, (fl_str){0}, fl_str_of(source));
  if (*extended_source && strcmp(source, extended_source) != 0)
    fl_page_item(&page, 2, (fl_str){0}, fl_str_of(extended_source));
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
  FL_TRY(look_up(code, a.facts, &a.n_facts, &a.code, err));
  if (!a.n_facts) a.meant = fl_code_meant(code);
  if (extended.n) FL_TRY(look_up_extended(extended, &a, err));
  if (as_json) write_json(&a, out);
  else write_text(&a, out);
  *ret_is_known = a.n_facts > 0;
  return FL_OK;
}
