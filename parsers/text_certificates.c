/* text_certificates.c - Get-ChildItem Cert: as a list or a table. Names of properties are the same
 * in every language; dates are not. */
#include "base/text.h"
#include "parsers/text.h"

typedef enum property {
  P_SUBJECT,
  P_ISSUER,
  P_THUMBPRINT,
  P_NOT_BEFORE,
  P_NOT_AFTER,
  P_HAS_KEY,
  P_PARENT,
  P_SERIAL,
  P_FRIENDLY,
  N_PROPERTIES
} property;
static const char *const names[N_PROPERTIES] = {"Subject",      "Issuer",       "Thumbprint",
                                                "NotBefore",    "NotAfter",     "HasPrivateKey",
                                                "PSParentPath", "SerialNumber", "FriendlyName"};

typedef struct certificates {
  bool is_open;
  int last; /* property that indented lines go on with; -1: none */
  text_kept values[N_PROPERTIES], parent;
  text_place place;
} certificates;

static int property_of(fl_str label) {
  for (int i = 0; i < N_PROPERTIES; i++)
    if (fl_str_eq_nocase(label, fl_str_of(names[i]))) return i;
  return -1;
}

static bool read_row(fl_str line, fl_str *ret_thumbprint, fl_str *ret_subject) {
  fl_str rest = line;
  if (!text_word(&rest, ret_thumbprint)) return false;
  if (ret_thumbprint->n != 40 || !text_is_hex(*ret_thumbprint, 40)) return false;
  *ret_subject = text_trim(rest);
  for (size_t i = 0; i + 3 <= ret_subject->n; i++)
    if (memcmp(ret_subject->p + i, "CN=", 3) == 0) return true;
  return false;
}

/* A property that only certificates have, or two of them that fit their values. */
static bool begins(fl_str line, fl_str before) {
  (void)before;
  fl_str label, value;
  if (read_row(line, &label, &value)) return true;
  if (text_starts(text_trim(line), "PSParentPath: ") && text_has(line, "Certificate::"))
    return true;
  if (!text_pair(line, ':', &label, &value) || text_indent(line) > 0) return false;
  const int i = property_of(label);
  if (i == P_THUMBPRINT) return text_is_hex(value, 40);
  if (i == P_PARENT) return text_has(value, "Certificate::");
  const bool has_column = label.n + 1 < line.n && line.p[label.n] == ' ';
  return (i == P_SUBJECT || i == P_ISSUER) && has_column && text_has(value, "CN=");
}

/* Microsoft.PowerShell.Security\Certificate::LocalMachine\Remote Desktop */
static fl_str store_of(fl_str path) {
  size_t at = path.n;
  while (at > 0 && path.p[at - 1] != '\\') at--;
  return at > 0 ? (fl_str){path.p + at, path.n - at} : (fl_str){0};
}

static void add_thumbprint(text_reader *r, fl_str hex) {
  char text[40];
  size_t n = 0;
  for (size_t i = 0; i < hex.n && n < sizeof text; i++)
    if (hex.p[i] != ' ') text[n++] = fl_lower(hex.p[i]);
  fl_fact_text(&r->fact, "thumbprint", (fl_str){text, n});
}

static fl_status give(text_reader *r, certificates *s, fl_err *err) {
  if (!s->is_open) return FL_OK;
  const fl_str hex = text_kept_str(&s->values[P_THUMBPRINT]);
  const fl_str subject = text_kept_str(&s->values[P_SUBJECT]);
  const fl_str issuer = text_kept_str(&s->values[P_ISSUER]);
  const fl_str has_key = text_kept_str(&s->values[P_HAS_KEY]);
  const text_kept *parent = s->values[P_PARENT].n ? &s->values[P_PARENT] : &s->parent;
  s->is_open = false;
  if (!text_is_hex(hex, 40)) return FL_OK;
  text_fact_at(r, FL_STATE_CERTIFICATE, &s->place);
  fl_fact_text(&r->fact, "subject", subject);
  fl_fact_text(&r->fact, "issuer", issuer);
  add_thumbprint(r, hex);
  text_fact_date(r, "not_before", text_kept_str(&s->values[P_NOT_BEFORE]));
  text_fact_date(r, "not_after", text_kept_str(&s->values[P_NOT_AFTER]));
  if (has_key.n) fl_fact_bool(&r->fact, "has_private_key", text_starts(has_key, "True"));
  fl_fact_text(&r->fact, "store", store_of(text_kept_str(parent)));
  if (subject.n && issuer.n) fl_fact_bool(&r->fact, "is_self_signed", fl_str_eq(subject, issuer));
  fl_fact_text(&r->fact, "serial", text_kept_str(&s->values[P_SERIAL]));
  fl_fact_text(&r->fact, "friendly_name", text_kept_str(&s->values[P_FRIENDLY]));
  return fl_fact_add(&r->fact, err);
}

static void begin(text_reader *r, certificates *s) {
  const text_kept parent = s->parent;
  memset(s, 0, sizeof *s);
  s->parent = parent;
  s->is_open = true;
  s->last = -1;
  s->place = text_here(r);
}

static fl_status take_property(text_reader *r, certificates *s, int i, fl_str value, fl_err *err) {
  if (s->is_open && i >= 0 && s->values[i].n) FL_TRY(give(r, s, err)); /* no blank in between */
  if (!s->is_open && i >= 0) begin(r, s);
  s->last = i;
  if (i >= 0) text_keep(&s->values[i], value);
  return FL_OK;
}

/* Values that are too wide go on below, as far in as they begin. */
static void go_on(certificates *s, fl_str text) {
  if (!s->is_open || s->last < 0) return;
  text_kept *value = &s->values[s->last];
  const bool needs_blank = value->n > 0 && value->p[value->n - 1] == ',';
  if (value->n + text.n + 1 > TEXT_KEPT_MAX) return;
  if (needs_blank) value->p[value->n++] = ' ';
  memcpy(value->p + value->n, text.p, text.n);
  value->n += text.n;
}

static fl_status take_row(text_reader *r, certificates *s, fl_str hex, fl_str subject,
                          fl_err *err) {
  FL_TRY(give(r, s, err));
  begin(r, s);
  text_keep(&s->values[P_THUMBPRINT], hex);
  for (size_t i = 0; i + 3 <= subject.n; i++) {
    if (memcmp(subject.p + i, "CN=", 3) != 0) continue;
    text_keep(&s->values[P_SUBJECT], (fl_str){subject.p + i, subject.n - i});
    break;
  }
  return give(r, s, err);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  certificates *s = r->state;
  const fl_str line = r->line.text, text = text_trim(line);
  fl_str label, value;
  *ret_answer = TEXT_IS_MINE;
  if (text.n == 0) {
    *ret_answer = TEXT_IS_FILLER;
    return give(r, s, err);
  }
  if (read_row(line, &label, &value)) return take_row(r, s, label, value, err);
  if (text_starts(text, "PSParentPath: ")) {
    FL_TRY(give(r, s, err));
    text_keep(&s->parent, (fl_str){text.p + 14, text.n - 14});
    return FL_OK;
  }
  if (text_indent(line) == 0 && text_pair(line, ':', &label, &value) &&
      !memchr(label.p, ' ', label.n)) {
    const int i = property_of(label);
    if (i < 0 && !s->is_open) *ret_answer = TEXT_IS_FILLER;
    return take_property(r, s, i, value, err);
  }
  if (text_indent(line) > 8) {
    go_on(s, text);
    return FL_OK;
  }
  *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give(r, r->state, err); }

const text_tool text_tool_certificates = {"certificates", sizeof(certificates), begins, take,
                                          finish};
