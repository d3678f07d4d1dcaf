/* sigma_link.c - what correlations refer to, in which order they run, and which events feed them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/sigma_correlation.h"

typedef enum mark { NEW, OPEN, DONE } mark;

typedef struct linker {
  fl_sigma_set *set;
  fl_lexer *lex;
  uint8_t *marks;    /* of every rule */
  bool *is_reached;  /* base rules that a reference leads to */
  uint32_t *n_feeds; /* of every rule */
  size_t n_all;
  bool has_failed;
} linker;

static fl_status no_memory(const linker *l) { return fl_lex_nomem(l->lex); }

/* The text is gone; the line of the rule's document is known. */
static fl_status refuse(linker *l, fl_sigma_rule *rule, const char *format, const char *word) {
  l->lex->file = rule->info.file;
  l->lex->known_at = 0;
  l->lex->known_line = rule->info.line;
  l->lex->known_column = 1;
  rule->is_disabled = true;
  l->has_failed = true;
  const fl_status s = fl_lex_error(l->lex, 0, format, rule->info.name, word);
  return s == FL_E_SYNTAX ? FL_OK : s;
}

static fl_status visit(linker *l, uint32_t at, unsigned depth);

static fl_status visit_refs(linker *l, fl_sigma_rule *rule, unsigned depth) {
  fl_sigma_correlation *c = rule->correlation;
  for (size_t i = 0; i < c->n_refs && !rule->is_disabled; i++) {
    const uint32_t to = fl_sigma_rule_find(l->set, c->refs[i].word);
    const char *word = c->refs[i].word.p;
    if (to == UINT32_MAX)
      return refuse(l, rule, "correlation %.80s names rule '%.60s', which is not loaded", word);
    c->refs[i].rule = to;
    if (!l->set->rules[to]->correlation) continue;
    if (l->marks[to] == OPEN)
      return refuse(l, rule, "correlation %.80s comes back to itself by '%.60s'", word);
    FL_TRY(visit(l, to, depth + 1));
    if (l->set->rules[to]->is_disabled)
      return refuse(l, rule, "correlation %.80s names '%.60s', which does not run", word);
  }
  return FL_OK;
}

static fl_status visit(linker *l, uint32_t at, unsigned depth) {
  fl_sigma_rule *rule = l->set->rules[at];
  if (l->marks[at] == DONE) return FL_OK;
  if (depth > FL_LIMIT_RULE_DEPTH)
    return refuse(l, rule, "correlation %.80s stands at the end of a chain of more than 32%s", "");
  l->marks[at] = OPEN;
  FL_TRY(visit_refs(l, rule, depth));
  l->marks[at] = DONE;
  if (!rule->is_disabled) l->set->order[l->set->n_order++] = at;
  return FL_OK;
}

/* Rules that stand for nothing but what is correlated. */
static void silence(fl_sigma_set *set) {
  for (size_t i = 0; i < set->n_order; i++) {
    const fl_sigma_correlation *c = set->rules[set->order[i]]->correlation;
    for (size_t k = 0; k < c->n_refs && !c->generates; k++)
      set->rules[c->refs[k].rule]->is_silent = true;
  }
}

static void reach(linker *l, uint32_t at) {
  const fl_sigma_rule *rule = l->set->rules[at];
  if (!rule->correlation) l->is_reached[at] = true;
  if (!rule->correlation || l->marks[at] == OPEN) return;
  l->marks[at] = OPEN; /* once is enough, however many ways lead there */
  for (size_t i = 0; i < rule->correlation->n_refs; i++) reach(l, rule->correlation->refs[i].rule);
}

static bool is_called(const fl_sigma_set *set, const fl_sigma_cor_ref *ref, fl_str word) {
  const fl_sigma_rule *rule = set->rules[ref->rule];
  return fl_str_eq(ref->word, word) || fl_str_eq(rule->name, word) || fl_str_eq(rule->id, word);
}

static uint32_t field_of(fl_sigma_set *set, const fl_sigma_correlation *c, size_t ref, fl_str name,
                         const fl_sigma_rule *base) {
  for (size_t i = 0; i < c->n_aliases; i++)
    if (fl_str_eq(c->aliases[i].alias, name) && is_called(set, &c->refs[ref], c->aliases[i].word)) {
      name = c->aliases[i].field;
      break;
    }
  return fl_sigma_field_of(set, name, base->mapped);
}

static fl_status fill_feed(linker *l, uint32_t correlation, size_t ref, const fl_sigma_rule *base,
                           fl_sigma_feed *feed) {
  const fl_sigma_correlation *c = l->set->rules[correlation]->correlation;
  *feed = (fl_sigma_feed){.correlation = correlation,
                          .ref = (uint32_t)ref,
                          .n_keys = (uint8_t)c->n_keys,
                          .n_fields = (uint8_t)c->n_fields};
  for (size_t i = 0; i < c->n_keys; i++) {
    feed->keys[i] = field_of(l->set, c, ref, c->keys[i], base);
    if (feed->keys[i] == UINT32_MAX) return no_memory(l);
  }
  for (size_t i = 0; i < c->n_fields; i++) {
    feed->fields[i] = field_of(l->set, c, ref, c->fields[i], base);
    if (feed->fields[i] == UINT32_MAX) return no_memory(l);
  }
  return FL_OK;
}

/* One reference of a correlation: the base rules that it leads to feed it. The first pass counts.
 */
static fl_status feed_ref(linker *l, uint32_t correlation, size_t ref, bool is_first) {
  fl_sigma_set *set = l->set;
  memset(l->is_reached, 0, set->n_rules * sizeof *l->is_reached);
  memset(l->marks, 0, set->n_rules);
  reach(l, set->rules[correlation]->correlation->refs[ref].rule);
  for (size_t i = 0; i < set->n_rules; i++) {
    fl_sigma_rule *base = set->rules[i];
    if (!l->is_reached[i]) continue;
    if (is_first) {
      l->n_feeds[i]++;
      l->n_all++;
      continue;
    }
    if (!base->feeds) {
      base->feeds = FL_NEW_ARRAY(set->arena, fl_sigma_feed, l->n_feeds[i]);
      if (!base->feeds) return no_memory(l);
    }
    FL_TRY(fill_feed(l, correlation, ref, base, &base->feeds[base->n_feeds]));
    base->n_feeds++;
  }
  return FL_OK;
}

static fl_status feed(linker *l) {
  fl_sigma_set *set = l->set;
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < set->n_order; i++) {
      const fl_sigma_correlation *c = set->rules[set->order[i]]->correlation;
      for (size_t k = 0; k < c->n_refs; k++)
        if (l->n_all < FL_LIMIT_SIGMA_FEEDS) FL_TRY(feed_ref(l, set->order[i], k, pass == 0));
    }
  if (l->n_all < FL_LIMIT_SIGMA_FEEDS) return FL_OK;
  return fl_fail(l->lex->err, FL_E_LIMIT, 0, "correlations refer to rules in more than %d ways",
                 FL_LIMIT_SIGMA_FEEDS);
}

static fl_status link_all(linker *l) {
  for (uint32_t i = 0; i < l->set->n_rules; i++)
    if (l->set->rules[i]->correlation) FL_TRY(visit(l, i, 0));
  silence(l->set);
  FL_TRY(feed(l));
  return l->has_failed ? FL_E_SYNTAX : FL_OK;
}

fl_status fl_sigma_link(fl_sigma_set *set, fl_lexer *lex) {
  linker l = {.set = set, .lex = lex};
  size_t n = 0;
  for (size_t i = 0; i < set->n_rules; i++) n += set->rules[i]->correlation != NULL;
  if (n == 0) return FL_OK;
  l.marks = calloc(set->n_rules, sizeof *l.marks);
  l.is_reached = calloc(set->n_rules, sizeof *l.is_reached);
  l.n_feeds = calloc(set->n_rules, sizeof *l.n_feeds);
  set->order = calloc(n, sizeof *set->order);
  const bool has_room = l.marks && l.is_reached && l.n_feeds && set->order;
  const fl_status s = has_room ? link_all(&l) : no_memory(&l);
  free(l.marks);
  free(l.is_reached);
  free(l.n_feeds);
  return s;
}
