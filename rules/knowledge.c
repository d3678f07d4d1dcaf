/* knowledge.c - what a rule says of its cause, for people who read about it without a case. */
#include <string.h>

#include "base/text.h"
#include "faultline/facts.h"
#include "rules/flr.h"

enum { MAX_EVENTS = 64 };

typedef struct writer {
  const fl_rule *rule;
  fl_out *out; /* memory */
} writer;

/* A place is a word in capitals, as in the texts of causes.def: TARGET, USER. */
static void put_word(const writer *w, fl_str name) {
  for (size_t i = 0; i < name.n; i++) {
    const char c = name.p[i];
    const char upper = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
    fl_out_write(w->out, &upper, 1);
  }
}

static void put_variable(const writer *w, uint16_t var) {
  static const char *const words[][2] = {{"srv", "HOST"}, {"ip", "ADDRESS"}, {"act", "ACTIVITY"}};
  const fl_str name = w->rule->vars[var].name;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!fl_str_eq(name, fl_str_of(words[i][0]))) continue;
    fl_out_puts(w->out, words[i][1]);
    return;
  }
  put_word(w, name);
}

static bool is_of_kind(const fl_event_source *source, const char *kind) {
  const fl_str have = fl_str_of(kind), want = source->kind;
  if (source->kind_is_prefix)
    return have.n >= want.n && (want.n == 0 || memcmp(have.p, want.p, want.n) == 0);
  return fl_str_eq(have, want);
}

/* What facts know of the events that a source selects, by kind or by provider and id. */
static size_t source_facts(const fl_event_source *source, const fl_event_fact **ret_facts,
                           size_t cap) {
  const fl_event_fact *all = NULL;
  const size_t n_all = fl_event_facts(&all);
  size_t n = 0;
  for (size_t i = 0; i < source->n_ids && source->provider.n && n < cap; i++) {
    const fl_event_fact *fact = fl_event_fact_find(source->provider, source->ids[i]);
    if (fact) ret_facts[n++] = fact;
  }
  if (source->kind.n == 0) return n;
  for (size_t i = 0; i < n_all && n < cap; i++)
    if (is_of_kind(source, all[i].kind)) ret_facts[n++] = &all[i];
  return n;
}

/* {$x.id}: the numbers that the event can have, where they are few. */
static void put_ids(const writer *w, uint16_t event) {
  enum { FEW = 4 };
  const fl_event_fact *facts[FEW + 1];
  const size_t n = source_facts(&w->rule->selectors[event].source, facts, FEW + 1);
  if (n == 0 || n > FEW) fl_out_puts(w->out, "ID");
  for (size_t i = 0; i < n && n <= FEW; i++)
    fl_out_printf(w->out, "%s%u", i == 0 ? "" : i + 1 == n ? " or " : ", ", facts[i]->event_id);
}

static void put_field(const writer *w, const fl_part *part) {
  const fl_event_column *column = part->path.column;
  if (column && strcmp(column->name, "id") == 0) put_ids(w, part->event);
  else put_word(w, column ? fl_str_of(column->name) : part->path.field);
}

static void put_parts(const writer *w, const fl_part *part);

static void put_part(const writer *w, const fl_part *part) {
  switch (part->kind) {
    case FL_PART_TEXT:
      fl_out_str(w->out, part->text);
      put_parts(w, part->kid);
      return;
    case FL_PART_VAR:
      put_variable(w, part->var);
      return;
    case FL_PART_FIELD:
      put_field(w, part);
      return;
    case FL_PART_SENTENCE:
      fl_out_puts(w->out, "WHAT THE EVENT SAYS");
      return;
    case FL_PART_DELTA:
      fl_out_puts(w->out, "DURATION");
      return;
    case FL_PART_COUNT:
      fl_out_puts(w->out, "COUNT");
      return;
    case FL_PART_MACHINE:
      fl_out_puts(w->out, "MACHINE");
      return;
    case FL_PART_IF_EVENT:
    case FL_PART_IF_VAR:
      fl_out_puts(w->out, "[");
      put_parts(w, part->kid);
      fl_out_puts(w->out, "]");
      return;
    case FL_PART_IF_UNKNOWN: /* about the case's logs, not about the cause */
      return;
  }
}

static void put_parts(const writer *w, const fl_part *part) {
  for (; part; part = part->next) put_part(w, part);
}

/* Blanks that separate parts are one, and none inside a bracket's edge. */
static size_t tidy(char *text, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    const bool is_extra = text[i] == ' ' && kept > 0 && text[kept - 1] == ' ';
    if (!is_extra) text[kept++] = text[i];
  }
  while (kept > 0 && text[kept - 1] == ' ') kept--;
  return kept;
}

static fl_status render(const fl_rule *rule, const fl_part *parts, fl_arena *arena,
                        fl_str *ret_text, fl_err *err) {
  writer w = {.rule = rule};
  FL_TRY(fl_out_memory(&w.out, err));
  put_parts(&w, parts);
  const fl_str text = fl_out_text(w.out);
  char *copy = fl_arena_alloc(arena, text.n + 1);
  if (copy && text.n) memcpy(copy, text.p, text.n);
  fl_out_discard(w.out);
  if (!copy) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the text of a rule");
  *ret_text = (fl_str){copy, tidy(copy, text.n)};
  return FL_OK;
}

static fl_status read_lines(const fl_rule *rule, fl_arena *arena, fl_rule_knowledge *k,
                            fl_err *err) {
  fl_rule_line *lines = FL_NEW_ARRAY(arena, fl_rule_line, rule->n_lines + 1);
  if (!lines) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the lines of a rule");
  for (size_t i = 0; i < rule->n_lines; i++) {
    const fl_score_line *line = &rule->lines[i];
    lines[i] = (fl_rule_line){.points = line->points,
                              .is_decisive = line->is_decisive,
                              .condition = line->cond->text,
                              .text = line->cond->text};
    if (line->text) FL_TRY(render(rule, line->text, arena, &lines[i].text, err));
  }
  k->lines = lines;
  k->n_lines = rule->n_lines;
  return FL_OK;
}

static bool is_there(const fl_event_fact *const *facts, size_t n, const fl_event_fact *fact) {
  for (size_t i = 0; i < n; i++)
    if (facts[i] == fact) return true;
  return false;
}

static fl_status read_events(const fl_rule *rule, fl_arena *arena, fl_rule_knowledge *k,
                             fl_err *err) {
  const fl_event_fact *of_one[MAX_EVENTS];
  const fl_event_fact **events = FL_NEW_ARRAY(arena, const fl_event_fact *, MAX_EVENTS);
  if (!events) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the events of a rule");
  for (size_t i = 0; i < rule->n_selectors; i++) {
    const size_t n = source_facts(&rule->selectors[i].source, of_one, MAX_EVENTS);
    for (size_t f = 0; f < n && k->n_events < MAX_EVENTS; f++)
      if (!is_there(events, k->n_events, of_one[f])) events[k->n_events++] = of_one[f];
  }
  k->events = events;
  return FL_OK;
}

fl_status fl_rules_knowledge(const fl_rules *rules, size_t index, fl_arena *arena,
                             fl_rule_knowledge *ret_knowledge, fl_err *err) {
  const fl_rule *rule = fl_rules_at(rules, index);
  fl_rule_knowledge k = {.info = rule->info};
  FL_TRY(render(rule, rule->explain, arena, &k.says, err));
  FL_TRY(read_lines(rule, arena, &k, err));
  FL_TRY(read_events(rule, arena, &k, err));
  *ret_knowledge = k;
  return FL_OK;
}
