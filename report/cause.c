/* cause.c - what `explain` prints of a cause: rules, causes.def and codes, gathered and in text. */
#include "report/cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/report.h"
#include "report/page.h"
#include "report/view.h"

enum { ARENA_BYTES = 4 << 20 };

static void add_source(fl_cause_view *view, const char *source) {
  for (size_t i = 0; i < view->n_sources; i++)
    if (strcmp(view->sources[i], source) == 0) return;
  if (view->n_sources < FL_CAUSE_SOURCES_MAX) view->sources[view->n_sources++] = source;
}

static void add_event(fl_cause_view *view, const fl_event_fact *event) {
  for (size_t i = 0; i < view->n_events; i++)
    if (view->events[i] == event) return;
  if (view->n_events < FL_CAUSE_EVENTS_MAX) view->events[view->n_events++] = event;
}

static fl_status add_rules(fl_cause_view *view, const fl_rules *rules, fl_err *err) {
  const size_t n = fl_rules_count(rules);
  for (size_t i = 0; i < n && view->n_rules < FL_CAUSE_RULES_MAX; i++) {
    const fl_rule_info info = fl_rules_info(rules, i);
    if (!info.cause || strcmp(info.cause, view->cause->id) != 0) continue;
    fl_rule_knowledge *rule = &view->rules[view->n_rules];
    FL_TRY(fl_rules_knowledge(rules, i, view->arena, rule, err));
    view->n_rules++;
    for (size_t e = 0; e < rule->n_events; e++) add_event(view, rule->events[e]);
  }
  return FL_OK;
}

static fl_status gather(const fl_cause_fact *cause, const fl_rules *rules, fl_arena *arena,
                        fl_cause_view *view, fl_err *err) {
  *view = (fl_cause_view){.cause = cause, .arena = arena};
  FL_TRY(add_rules(view, rules, err));
  view->n_codes = fl_cause_codes(cause, view->codes, FL_CAUSE_CODES_MAX);
  for (size_t i = 0; i < view->n_events; i++) add_source(view, view->events[i]->source);
  for (size_t i = 0; i < view->n_codes; i++) add_source(view, view->codes[i]->source);
  return FL_OK;
}

const fl_rule_line *fl_cause_next(const fl_cause_view *view, fl_cause_walk *walk, bool is_for,
                                  const fl_rule_knowledge **ret_rule) {
  for (; walk->rule < view->n_rules; walk->rule++, walk->line = 0) {
    const fl_rule_knowledge *rule = &view->rules[walk->rule];
    while (walk->line < rule->n_lines) {
      const fl_rule_line *line = &rule->lines[walk->line++];
      if ((line->points > 0) != is_for) continue;
      *ret_rule = rule;
      return line;
    }
  }
  return NULL;
}

static void heading(fl_page *page, const char *title) {
  fl_out_puts(page->out, "\n");
  fl_out_puts(page->out, title);
  fl_out_puts(page->out, "\n");
}

static const char no_evidence[] = "its rules know none";

static void text_evidence(fl_page *page, const fl_cause_view *view, bool is_for) {
  const fl_rule_knowledge *rule = NULL;
  fl_cause_walk walk = {0};
  size_t n = 0;
  for (const fl_rule_line *line; (line = fl_cause_next(view, &walk, is_for, &rule)); n++) {
    char points[32];
    (void)snprintf(points, sizeof points, "%+4d%s", line->points,
                   line->is_decisive ? " decisive" : "");
    fl_page_field(page, 2, 14, points, line->text);
  }
  if (n == 0) fl_page_item(page, 2, (fl_str){0}, fl_str_of(no_evidence));
}

static void text_steps(fl_page *page, const char *title, const char *steps) {
  heading(page, title);
  for (const char *at = steps; *at;) {
    const size_t n = strcspn(at, "\n");
    fl_page_item(page, 2, FL_STR("- "), (fl_str){at, n});
    at += n + (at[n] == '\n');
  }
}

static void text_what(fl_page *page, const fl_cause_view *view) {
  for (size_t i = 0; i < view->n_rules; i++)
    if (view->rules[i].says.n) fl_page_item(page, 2, FL_STR("- "), view->rules[i].says);
  if (view->n_rules == 0)
    fl_page_item(page, 2, (fl_str){0},
                 FL_STR("No rule of this program looks for it: a verdict does not name it."));
}

static void text_codes(fl_page *page, const fl_cause_view *view) {
  for (size_t i = 0; i < view->n_codes; i++) {
    const fl_code_fact *code = view->codes[i];
    const fl_str text = fl_arena_printf(view->arena, "0x%x %s%s%s: %s", code->code,
                                        fl_code_space_words[code->space], *code->symbol ? " " : "",
                                        code->symbol, code->meaning);
    fl_page_item(page, 2, FL_STR("- "), text);
  }
}

/* The sentence with its places as words in capitals. */
static fl_str sentence_of(const fl_event_fact *event, fl_arena *arena) {
  const fl_str sentence = fl_str_of(event->sentence);
  char *text = fl_arena_alloc(arena, sentence.n + 1);
  size_t n = 0;
  bool is_place = false, is_form = false;
  for (size_t i = 0; text && i < sentence.n; i++) {
    const char c = sentence.p[i];
    if (c == '{' || c == '}') is_place = c == '{', is_form = false;
    else if (is_place && c == ':') is_form = true;
    else if (!is_form) text[n++] = (char)(is_place && c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  return (fl_str){text, n};
}

static void text_events(fl_page *page, const fl_cause_view *view) {
  for (size_t i = 0; i < view->n_events; i++) {
    const fl_event_fact *event = view->events[i];
    const fl_str provider = fl_provider_short(fl_str_of(event->provider));
    const fl_str sentence = sentence_of(event, view->arena);
    fl_page_item(
        page, 2, FL_STR("- "),
        fl_arena_printf(view->arena, "%.*s %u (%s)%s%.*s", FL_STR_ARG(provider), event->event_id,
                        event->kind, sentence.n ? ": " : "", FL_STR_ARG(sentence)));
  }
}

void fl_cause_text(const fl_cause_view *view, fl_out *out) {
  fl_page page = {.out = out};
  fl_out_printf(out, "%s  %s\n", view->cause->id, view->cause->title);
  heading(&page, "What it is");
  text_what(&page, view);
  if (view->n_rules) {
    heading(&page, "Evidence for it, with points");
    text_evidence(&page, view, true);
    heading(&page, "Evidence against it");
    text_evidence(&page, view, false);
    heading(&page, "In these texts");
    fl_page_item(
        &page, 2, (fl_str){0},
        FL_STR("Words in capitals stand for what a case holds; what is in brackets is said "
               "where it was seen."));
  }
  text_steps(&page, "What to do", view->cause->fix);
  text_steps(&page, "How to see that it worked", view->cause->check);
  text_steps(&page, "What to collect, to decide it", view->cause->collect);
  if (view->n_codes) heading(&page, "Codes that can mean it");
  text_codes(&page, view);
  if (view->n_events) heading(&page, "Events that its rules look at");
  text_events(&page, view);
  if (view->n_sources) heading(&page, "Known from");
  for (size_t i = 0; i < view->n_sources; i++)
    fl_page_item(&page, 2, FL_STR("- "), fl_str_of(view->sources[i]));
}

void fl_cause_list_text(const fl_cause_view *views, size_t n, fl_out *out) {
  for (size_t i = 0; i < n; i++)
    fl_out_printf(out, "%-26s %s%s\n", views[i].cause->id, views[i].cause->title,
                  views[i].n_rules ? "" : " (no rule yet)");
}

fl_status fl_report_cause(const fl_cause_fact *cause, const fl_rules *rules, const char *format,
                          fl_out *out, fl_err *err) {
  fl_arena *arena = fl_arena_create(ARENA_BYTES);
  fl_cause_view *view = calloc(1, sizeof *view);
  fl_status s = arena && view ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory for a cause");
  if (s == FL_OK) s = gather(cause, rules, arena, view, err);
  if (s == FL_OK) {
    if (strcmp(format, "json") == 0) fl_cause_json(view, out);
    else if (strcmp(format, "md") == 0) fl_cause_md(view, out);
    else fl_cause_text(view, out);
  }
  free(view);
  fl_arena_free(arena);
  return s;
}

fl_status fl_report_causes(const fl_rules *rules, const char *format, fl_out *out, fl_err *err) {
  const fl_cause_fact *causes = NULL;
  const size_t n = fl_causes(&causes);
  fl_arena *arena = fl_arena_create(ARENA_BYTES);
  fl_cause_view *views = calloc(n, sizeof *views);
  fl_status s = arena && views ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory for causes");
  for (size_t i = 0; i < n && s == FL_OK; i++) s = gather(&causes[i], rules, arena, &views[i], err);
  if (s == FL_OK) {
    if (strcmp(format, "md") == 0) fl_cause_list_md(views, n, out);
    else if (strcmp(format, "json") != 0) fl_cause_list_text(views, n, out);
    else
      for (size_t i = 0; i < n; i++) fl_cause_json(&views[i], out);
  }
  free(views);
  fl_arena_free(arena);
  return s;
}
