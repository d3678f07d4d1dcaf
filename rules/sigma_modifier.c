/* sigma_modifier.c - value modifiers of Sigma, applied one after the other as they are written. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/sigma_value.h"

typedef struct chain {
  fl_sigma_parser *p;
  const fl_yaml *key;
  fl_sigma_values *values; /* with what the modifiers before made of them */
  fl_sigma_values out;
  fl_str name;       /* of this modifier */
  unsigned n_before; /* modifiers that stand in front of it */
  int arg;           /* of its row */
} chain;

/* Makes of one value any number of values in `out`. */
typedef fl_status (*modify)(chain *c, const fl_sigma_value *in);

bool fl_sigma_values_push(fl_sigma_values *values, const fl_sigma_value *value) {
  if (!fl_grow((void **)&values->items, &values->cap, values->n + 1, sizeof *values->items))
    return false;
  values->items[values->n++] = *value;
  return true;
}

static fl_status push(chain *c, const fl_sigma_value *value) {
  if (c->out.n >= FL_LIMIT_SIGMA_VALUES)
    return fl_sigma_error(c->p, c->key, "'%.*s' makes more than %d values", FL_STR_ARG(c->name),
                          FL_LIMIT_SIGMA_VALUES);
  return fl_sigma_values_push(&c->out, value) ? FL_OK : fl_lex_nomem(c->p->lex);
}

static fl_status refuse(const chain *c, const fl_sigma_value *in, const char *wanted) {
  static const char *const types[] = {
      "a text",    "a number", "true or false", "null",         "a regex",
      "a network", "a field",  "'exists'",      "a comparison", "a part of a time"};
  return fl_sigma_error(c->p, in->node, "modifier '%.*s' takes %s, found %s", FL_STR_ARG(c->name),
                        wanted, types[in->type]);
}

/* An unquoted number where a text is meant is a slip that has one meaning. */
static fl_status need_text(const chain *c, const fl_sigma_value *in, fl_sigma_value *ret) {
  *ret = *in;
  if (in->type == FL_SIGMA_V_TEXT) return FL_OK;
  if (in->type != FL_SIGMA_V_NUMBER) return refuse(c, in, "a text");
  ret->type = FL_SIGMA_V_TEXT;
  FL_TRY(fl_sigma_warn(c->p, in->node,
                       "modifier '%.*s' compares the number %.40s as text: quote it",
                       FL_STR_ARG(c->name), in->node->text.p));
  return fl_sigma_pattern_parse(c->p, in->node->text, &ret->pattern);
}

static fl_status alone(const chain *c, const fl_sigma_value *in) {
  if (c->n_before == 0) return FL_OK;
  return fl_sigma_error(c->p, in->node, "modifier '%.*s' stands behind another, expected it first",
                        FL_STR_ARG(c->name));
}

enum { IN_FRONT = 1, BEHIND = 2 };

/* contains, startswith, endswith: where further text may be. */
static fl_status wrap(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value = *in;
  if (in->type == FL_SIGMA_V_REGEX) return push(c, in); /* found anywhere as it is */
  if (in->type == FL_SIGMA_V_FIELD) {
    if (c->arg & BEHIND) value.flags |= FL_SIGMA_STARTS;
    if (c->arg & IN_FRONT) value.flags |= FL_SIGMA_ENDS;
    return push(c, &value);
  }
  FL_TRY(need_text(c, in, &value));
  FL_TRY(fl_sigma_pattern_wrap(c->p, (c->arg & IN_FRONT) != 0, (c->arg & BEHIND) != 0,
                               &value.pattern));
  return push(c, &value);
}

static fl_status set_cased(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value;
  FL_TRY(need_text(c, in, &value));
  value.is_cased = true;
  return push(c, &value);
}

static fl_status no_wildcards(const chain *c, const fl_sigma_value *in) {
  if (!fl_sigma_pattern_has_wildcard(&in->pattern)) return FL_OK;
  return fl_sigma_error(c->p, in->node,
                        "modifier '%.*s' cannot work on wildcards; escape them: \\*",
                        FL_STR_ARG(c->name));
}

static fl_status base64(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value;
  FL_TRY(need_text(c, in, &value));
  FL_TRY(no_wildcards(c, &value));
  const fl_sigma_pattern plain = value.pattern;
  for (unsigned shift = 0; shift < (c->arg ? 3u : 1u); shift++) {
    FL_TRY(fl_sigma_pattern_base64(c->p, &plain, shift, c->arg != 0, &value.pattern));
    if (value.pattern.n == 0 && plain.n)
      return fl_sigma_error(c->p, in->node,
                            "'%.40s' is too short for base64offset: nothing of it is the same "
                            "wherever it stands",
                            in->node->text.p);
    FL_TRY(push(c, &value));
  }
  return FL_OK;
}

enum { LITTLE, BIG, MARKED };
static fl_status utf16(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value;
  FL_TRY(need_text(c, in, &value));
  const fl_sigma_pattern plain = value.pattern;
  FL_TRY(fl_sigma_pattern_utf16(c->p, &plain, c->arg == BIG, c->arg == MARKED, &value.pattern));
  return push(c, &value);
}

/* The length of a dash at `at`: - / and the three long ones (U+2013 to U+2015); 0 = none. */
static size_t dash_at(const fl_sigma_pattern *t, size_t at) {
  if (t->kinds[at] != FL_SIGMA_PLAIN) return 0;
  if (t->bytes[at] == '-' || t->bytes[at] == '/') return 1;
  const bool is_long = t->n - at >= 3 && t->bytes[at] == 0xe2 && t->bytes[at + 1] == 0x80 &&
                       t->bytes[at + 2] >= 0x93 && t->bytes[at + 2] <= 0x95;
  return is_long ? 3 : 0;
}

/* Letters, digits and '_'; what lies beyond ASCII and is no dash counts as a letter. */
static bool is_word(const fl_sigma_pattern *t, size_t at) {
  const uint8_t c = t->bytes[at];
  if (t->kinds[at] != FL_SIGMA_PLAIN || dash_at(t, at)) return false;
  if (c >= 0x80) return at < 2 || dash_at(t, at - 2) != 3;
  return fl_is_digit((char)c) || (fl_lower((char)c) >= 'a' && fl_lower((char)c) <= 'z') || c == '_';
}

/* A dash that leads a word: none of a word before it, a word behind it. */
static size_t leading_dash(const fl_sigma_pattern *t, size_t at) {
  const size_t n = dash_at(t, at);
  if (!n || (at > 0 && is_word(t, at - 1))) return 0;
  return at + n < t->n && is_word(t, at + n) ? n : 0;
}

static fl_status put_dashes(chain *c, const fl_sigma_value *in, const uint8_t *choices) {
  static const char *const dashes[5] = {"-", "/", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95"};
  fl_sigma_value value = *in;
  const fl_sigma_pattern *from = &in->pattern;
  FL_TRY(fl_sigma_pattern_make(c->p, 3 * from->n, &value.pattern));
  fl_sigma_pattern *to = &value.pattern;
  size_t i = 0;
  for (size_t at = 0; at < from->n;) {
    const size_t n = leading_dash(from, at);
    const char *dash = n ? dashes[choices[i++]] : NULL;
    const size_t n_put = n ? strlen(dash) : 1;
    memcpy(to->bytes + to->n, n ? (const uint8_t *)dash : from->bytes + at, n_put);
    to->kinds[to->n] = from->kinds[at];
    to->n += n_put;
    at += n ? n : 1;
  }
  return push(c, &value);
}

/* Every combination, as the specification asks for. */
static fl_status windash(chain *c, const fl_sigma_value *in) {
  enum { MOST = 5 };
  uint8_t choices[MOST] = {0};
  fl_sigma_value value;
  size_t n = 0;
  FL_TRY(need_text(c, in, &value));
  for (size_t at = 0; at < value.pattern.n; at++) n += leading_dash(&value.pattern, at) != 0;
  if (n > MOST)
    return fl_sigma_error(c->p, in->node, "windash on %zu dashes has 5^%zu forms, at most 5^%d", n,
                          n, MOST);
  for (;;) {
    FL_TRY(put_dashes(c, &value, choices));
    size_t i = 0;
    while (i < n && ++choices[i] == 5) choices[i++] = 0;
    if (i == n) return FL_OK;
  }
}

static fl_status to_type(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value = *in;
  const fl_sigma_type type = (fl_sigma_type)c->arg;
  if (type != FL_SIGMA_V_FIELD) FL_TRY(alone(c, in));
  if (in->node->kind != FL_YAML_SCALAR || (type == FL_SIGMA_V_REGEX && in->type == FL_SIGMA_V_NULL))
    return refuse(c, in, "a text");
  if (type == FL_SIGMA_V_REGEX) {
    value.type = type;
    FL_TRY(fl_sigma_pattern_plain(c->p, in->node->text, &value.pattern));
    return push(c, &value);
  }
  FL_TRY(need_text(c, in, &value));
  FL_TRY(no_wildcards(c, &value));
  value.type = type;
  return push(c, &value);
}

static fl_status regex_flag(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value = *in;
  if (in->type != FL_SIGMA_V_REGEX) return refuse(c, in, "a regex (it belongs behind 're')");
  value.flags |= (uint8_t)c->arg;
  return push(c, &value);
}

static fl_status compare(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value = *in;
  if (in->type != FL_SIGMA_V_NUMBER && in->type != FL_SIGMA_V_TIME)
    return refuse(c, in, "a number");
  if (in->type == FL_SIGMA_V_NUMBER) value.type = FL_SIGMA_V_COMPARE;
  value.compare = (uint8_t)c->arg;
  return push(c, &value);
}

static fl_status time_part(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value = *in;
  if ((in->type != FL_SIGMA_V_NUMBER && in->type != FL_SIGMA_V_COMPARE) || !in->number.is_int)
    return refuse(c, in, "a whole number");
  value.type = FL_SIGMA_V_TIME;
  value.part = (uint8_t)c->arg;
  return push(c, &value);
}

static fl_status exists(chain *c, const fl_sigma_value *in) {
  fl_sigma_value value = *in;
  FL_TRY(alone(c, in));
  if (in->type != FL_SIGMA_V_BOOL) return refuse(c, in, "true or false");
  if (c->key->text.n && c->key->text.p[0] == '|')
    return fl_sigma_error(c->p, c->key, "'exists' without a field");
  value.type = FL_SIGMA_V_EXISTS;
  return push(c, &value);
}

static fl_status expand(chain *c, const fl_sigma_value *in) {
  if (in->type != FL_SIGMA_V_TEXT && in->type != FL_SIGMA_V_REGEX) return refuse(c, in, "a text");
  return fl_sigma_expand(c->p, in, &c->out);
}

static fl_status link_all(chain *c, const fl_sigma_value *in) {
  c->values->links_all = true;
  return push(c, in);
}
static fl_status negate(chain *c, const fl_sigma_value *in) {
  c->values->is_negated = true;
  return push(c, in);
}

static const struct row {
  const char *name;
  modify apply;
  int arg;
} rows[] = {{"all", link_all, 0},
            {"base64", base64, 0},
            {"base64offset", base64, 1},
            {"cased", set_cased, 0},
            {"cidr", to_type, FL_SIGMA_V_CIDR},
            {"contains", wrap, IN_FRONT | BEHIND},
            {"day", time_part, FL_SIGMA_DAY},
            {"dotall", regex_flag, FL_SIGMA_RE_S},
            {"endswith", wrap, IN_FRONT},
            {"exists", exists, 0},
            {"expand", expand, 0},
            {"fieldref", to_type, FL_SIGMA_V_FIELD},
            {"gt", compare, FL_SIGMA_GT},
            {"gte", compare, FL_SIGMA_GTE},
            {"hour", time_part, FL_SIGMA_HOUR},
            {"i", regex_flag, FL_SIGMA_RE_I},
            {"ignorecase", regex_flag, FL_SIGMA_RE_I},
            {"lt", compare, FL_SIGMA_LT},
            {"lte", compare, FL_SIGMA_LTE},
            {"m", regex_flag, FL_SIGMA_RE_M},
            {"minute", time_part, FL_SIGMA_MINUTE},
            {"month", time_part, FL_SIGMA_MONTH},
            {"multiline", regex_flag, FL_SIGMA_RE_M},
            {"neq", negate, 0},
            {"re", to_type, FL_SIGMA_V_REGEX},
            {"s", regex_flag, FL_SIGMA_RE_S},
            {"startswith", wrap, BEHIND},
            {"utf16", utf16, MARKED},
            {"utf16be", utf16, BIG},
            {"utf16le", utf16, LITTLE},
            {"week", time_part, FL_SIGMA_WEEK},
            {"wide", utf16, LITTLE},
            {"windash", windash, 0},
            {"year", time_part, FL_SIGMA_YEAR}};
enum { N_ROWS = sizeof rows / sizeof *rows };

static fl_status unknown(const fl_sigma_parser *p, const fl_yaml *key, fl_str name) {
  const char *names[N_ROWS + 1] = {NULL};
  for (size_t i = 0; i < N_ROWS; i++) names[i] = rows[i].name;
  const fl_str guess = fl_lex_guess(p->lex, name, names);
  const fl_str shown = {name.p, name.n < 40 ? name.n : 40};
  return fl_sigma_error(p, key, "unknown modifier '%.*s'%.*s", FL_STR_ARG(shown),
                        FL_STR_ARG(guess));
}

static fl_status apply(chain *c) {
  const struct row *row = NULL;
  for (size_t i = 0; i < N_ROWS; i++)
    if (fl_str_eq(c->name, fl_str_of(rows[i].name))) row = &rows[i];
  if (!row) return unknown(c->p, c->key, c->name);
  c->arg = row->arg;
  c->out = (fl_sigma_values){0};
  fl_status s = FL_OK;
  for (size_t i = 0; i < c->values->n && s == FL_OK; i++) s = row->apply(c, &c->values->items[i]);
  free(c->values->items);
  c->values->items = c->out.items;
  c->values->n = c->out.n;
  c->values->cap = c->out.cap;
  return s;
}

fl_status fl_sigma_modify(fl_sigma_parser *p, const fl_yaml *key, fl_str modifiers,
                          fl_sigma_values *values) {
  enum { MOST = 8 };
  chain c = {.p = p, .key = key, .values = values};
  for (size_t at = 0; at < modifiers.n; c.n_before++) {
    size_t end = ++at; /* behind the bar */
    while (end < modifiers.n && modifiers.p[end] != '|') end++;
    if (c.n_before == MOST)
      return fl_sigma_error(p, key, "more than %d modifiers behind each other", MOST);
    c.name = (fl_str){modifiers.p + at, end - at};
    FL_TRY(apply(&c));
    at = end;
  }
  return FL_OK;
}
