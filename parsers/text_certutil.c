/* text_certutil.c - certutil -store and -v -store: certificates, their keys and their times.
 *
 * "===== Certificate 0 =====" begins one, in any language. Of what follows the first two names are
 * issuer and subject, the first two dates beginning and end, the last SHA-1 at the margin is the
 * certificate's own, and lines "label = value" tell of the private key. */
#include "base/text.h"
#include "parsers/text.h"

enum { RULE = 16 };

typedef struct certutil {
  bool is_open, has_key, is_key_missing, awaits_name, is_in_name, is_in_chain;
  unsigned n_names, n_dates;
  text_kept store, serial, issuer, subject, start, end, container, key_file, provider;
  char thumbprint[41];
  text_place place;
} certutil;

/* "================ Zertifikat 0 ================": always so many signs on either side. */
static bool is_rule(fl_str line) {
  fl_str rest = line, word, last = {0};
  if (!text_word(&rest, &word) || word.n != RULE) return false;
  for (size_t i = 0; i < word.n; i++)
    if (word.p[i] != '=') return false;
  size_t n_words = 0;
  uint64_t number = 0;
  bool has_number = false;
  for (; text_word(&rest, &word); n_words++) {
    has_number |= text_is_number(word, UINT32_MAX, &number);
    last = word;
  }
  return n_words >= 2 && has_number && last.n == RULE && last.p[0] == '=';
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  return is_rule(line);
}

/* CN=…, DC=…, O=…: a short key, then '='. */
static bool is_name(fl_str s) {
  size_t n = 0;
  while (n < s.n && n < 12 &&
         ((s.p[n] >= 'A' && s.p[n] <= 'Z') || fl_is_digit(s.p[n]) || s.p[n] == '.'))
    n++;
  return n > 0 && n < s.n && s.p[n] == '=' && s.p[0] != '.';
}

static void add_name(text_kept *name, fl_str part) {
  if (name->n && name->n + part.n + 2 <= TEXT_KEPT_MAX) {
    memcpy(name->p + name->n, ", ", 2);
    memcpy(name->p + name->n + 2, part.p, part.n);
    name->n += part.n + 2;
  } else if (name->n == 0) {
    text_keep(name, part);
  }
}

/* 32 digits, "_", a GUID: the key's file in MachineKeys. */
static bool is_key_file(fl_str s) {
  return s.n == 69 && s.p[32] == '_' && text_is_hex((fl_str){s.p, 32}, 32) && s.p[41] == '-';
}

static fl_status give(text_reader *r, certutil *s, fl_err *err) {
  if (!s->is_open) return FL_OK;
  s->is_open = false;
  if (!s->thumbprint[0] && s->n_dates < 2) return FL_OK;
  const fl_str issuer = text_kept_str(&s->issuer);
  const fl_str subject = s->n_names > 1 ? text_kept_str(&s->subject) : (fl_str){0};
  text_fact_at(r, FL_STATE_CERTIFICATE, &s->place);
  fl_fact_text(&r->fact, "subject", subject);
  fl_fact_text(&r->fact, "issuer", issuer);
  fl_fact_text(&r->fact, "thumbprint", fl_str_of(s->thumbprint));
  text_fact_date(r, "not_before", text_kept_str(&s->start));
  text_fact_date(r, "not_after", text_kept_str(&s->end));
  fl_fact_bool(&r->fact, "has_private_key", s->has_key && !s->is_key_missing);
  fl_fact_text(&r->fact, "key_container", text_kept_str(&s->container));
  fl_fact_text(&r->fact, "key_file", text_kept_str(&s->key_file));
  fl_fact_text(&r->fact, "key_provider", text_kept_str(&s->provider));
  fl_fact_text(&r->fact, "store", text_kept_str(&s->store));
  if (subject.n) fl_fact_bool(&r->fact, "is_self_signed", fl_str_eq(subject, issuer));
  fl_fact_text(&r->fact, "serial", text_kept_str(&s->serial));
  return fl_fact_add(&r->fact, err);
}

/* My "Personal" in front of the first one; stores without a name of their own stand alone. */
static void read_store(const text_reader *r, certutil *s) {
  const fl_str line = text_trim(text_kept_str(&r->before[0]));
  const char *quote = line.n ? memchr(line.p, '"', line.n) : NULL;
  const size_t n = quote ? (size_t)(quote - line.p) : line.n;
  if (n < 2 || n >= 64 || s->thumbprint[0] || s->store.n) return;
  if (quote ? line.p[line.n - 1] != '"' : memchr(line.p, ':', n) || memchr(line.p, '=', n)) return;
  text_keep(&s->store, text_trim((fl_str){line.p, n}));
}

static void open_certificate(text_reader *r, certutil *s) {
  read_store(r, s);
  const text_kept store = s->store;
  memset(s, 0, sizeof *s);
  s->store = store;
  s->is_open = true;
  s->place = text_here(r);
}

static void take_thumbprint(certutil *s, fl_str line, fl_str label, fl_str value) {
  if (text_indent(line) > 0 || !text_has(label, "sha1") || !text_is_hex(value, 40)) return;
  size_t n = 0;
  for (size_t i = 0; i < value.n; i++)
    if (value.p[i] != ' ') s->thumbprint[n++] = fl_lower(value.p[i]);
  s->thumbprint[n] = '\0';
}

static void take_date(certutil *s, fl_str value) {
  fl_time t;
  bool is_sure;
  if (s->n_dates >= 2 || !value.n || !fl_is_digit(value.p[0])) return;
  if (!text_date(TEXT_ORDER_UNKNOWN, value, &t, &is_sure)) return;
  text_keep(s->n_dates++ == 0 ? &s->start : &s->end, value);
}

static void take_pair(certutil *s, fl_str line, fl_str label, fl_str value) {
  s->awaits_name = value.n == 0;
  if (is_key_file(value)) text_keep(&s->key_file, value);
  if (is_name(value) && s->n_names < 2) {
    text_keep(s->n_names++ == 0 ? &s->issuer : &s->subject, value);
    return;
  }
  if (s->n_names == 0 && !s->serial.n && value.n >= 8 && text_is_hex(value, value.n))
    text_keep(&s->serial, value);
  take_date(s, value);
  take_thumbprint(s, line, label, value);
}

/* Of the lines with '=' below the hash those that tell of the key are indented, and their labels
 * are words; flags of a check of the chain have names such as Element.dwInfoStatus. */
static bool is_of_key(const certutil *s, fl_str line, fl_str label) {
  if (!s->thumbprint[0] || s->is_in_chain || text_indent(line) == 0) return false;
  return !memchr(label.p, '.', label.n) && !text_starts(label, "dw");
}

/* The container, then the provider. */
static void take_key(certutil *s, fl_str label, fl_str value) {
  const bool is_provider = text_has(value, "Provider") || fl_str_eq(label, FL_STR("Provider"));
  s->has_key = true;
  if (is_provider && !s->provider.n) text_keep(&s->provider, value);
  else if (!is_provider && !s->container.n) text_keep(&s->container, value);
}

/* -v: a name stands below its label, one part a line. */
static bool take_name_part(certutil *s, fl_str line) {
  const fl_str text = text_trim(line);
  if (text_indent(line) < 4 || !is_name(text)) return false;
  if (s->awaits_name) {
    s->awaits_name = false;
    s->is_in_name = true;
    s->n_names++;
  }
  if (!s->is_in_name) return false;
  if (s->n_names <= 2) add_name(s->n_names == 1 ? &s->issuer : &s->subject, text);
  return true;
}

static bool says_key_is_missing(fl_str text) {
  static const char *const words[] = {"Missing stored keyset", "Schlüsselsatz fehlt",
                                      "Fehlender gespeicherter", "jeu de clés stocké manquant",
                                      "Falta el conjunto de claves"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (text_has(text, words[i])) return true;
  return false;
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  certutil *s = r->state;
  const fl_str line = r->line.text;
  fl_str label, value;
  *ret_answer = TEXT_IS_MINE;
  if (is_rule(line)) {
    FL_TRY(give(r, s, err));
    open_certificate(r, s);
    return FL_OK;
  }
  if (text_starts(line, "CertUtil:")) {
    const fl_status status = give(r, s, err);
    memset(s, 0, sizeof *s); /* another store may follow */
    return status;
  }
  if (!s->is_open) {
    *ret_answer = TEXT_IS_FILLER;
    return FL_OK;
  }
  if (take_name_part(s, line)) return FL_OK;
  s->is_in_name = false;
  s->is_in_chain |= text_has(line, "CERT_CHAIN_");
  if (text_pair(line, ':', &label, &value)) take_pair(s, line, label, value);
  else if (text_pair(line, '=', &label, &value) && is_of_key(s, line, label))
    take_key(s, label, value);
  else if (says_key_is_missing(line)) s->is_key_missing = true;
  else *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give(r, r->state, err); }

const text_tool text_tool_certutil = {"certutil", sizeof(certutil), begins, take, finish};
