/* cause_put.c - a cause in Markdown, as docs/causes/ holds it, and in JSON. */
#include <inttypes.h>
#include <string.h>

#include "report/cause.h"
#include "report/json.h"
#include "report/view.h"

/* ---- Markdown ---- */

/* The texts are the program's own; only what they use of Markdown's signs has to be escaped. */
static void put_md(fl_out *out, fl_str s) {
  for (size_t i = 0; i < s.n; i++) {
    if (strchr("\\`*_[]<|", s.p[i])) fl_out_puts(out, "\\");
    fl_out_write(out, s.p + i, 1);
  }
}

static void md_item(fl_out *out, fl_str s) {
  fl_out_puts(out, "- ");
  put_md(out, s);
  fl_out_puts(out, "\n");
}

static void md_heading(fl_out *out, const char *title) { fl_out_printf(out, "\n## %s\n\n", title); }

static void md_evidence(const fl_cause_view *view, bool is_for, const char *title, fl_out *out) {
  const fl_rule_knowledge *rule = NULL;
  fl_cause_walk walk = {0};
  size_t n = 0;
  md_heading(out, title);
  for (const fl_rule_line *line; (line = fl_cause_next(view, &walk, is_for, &rule)); n++) {
    if (n == 0) fl_out_puts(out, "| points | evidence | rule |\n|---|---|---|\n");
    fl_out_printf(out, "| %+d%s | ", line->points, line->is_decisive ? " decisive" : "");
    put_md(out, line->text);
    fl_out_printf(out, " | `%s` |\n", rule->info.name);
  }
  if (n == 0) fl_out_puts(out, "Its rules know none.\n");
}

static void md_steps(const char *title, const char *steps, fl_out *out) {
  md_heading(out, title);
  for (const char *at = steps; *at;) {
    const size_t n = strcspn(at, "\n");
    md_item(out, (fl_str){at, n});
    at += n + (at[n] == '\n');
  }
}

static void md_what(const fl_cause_view *view, fl_out *out) {
  md_heading(out, "What it is");
  if (view->n_rules == 0)
    fl_out_puts(out, "No rule of this program looks for it: a verdict does not name it.\n");
  for (size_t i = 0; i < view->n_rules; i++) {
    const fl_rule_knowledge *rule = &view->rules[i];
    fl_out_printf(out, "- `%s` (%.*s): ", rule->info.name, FL_STR_ARG(rule->info.file));
    put_md(out, rule->says.n ? rule->says : fl_str_of(rule->info.title));
    fl_out_puts(out, "\n");
  }
  if (view->n_rules)
    fl_out_puts(out,
                "\nWords in capitals stand for what a case holds; what is in brackets is said "
                "where it was seen.\n");
}

static void md_codes(const fl_cause_view *view, fl_out *out) {
  if (view->n_codes == 0) return;
  md_heading(out, "Codes that can mean it");
  fl_out_puts(out, "| code | decimal | kind | name | meaning |\n|---|---|---|---|---|\n");
  for (size_t i = 0; i < view->n_codes; i++) {
    const fl_code_fact *code = view->codes[i];
    fl_out_printf(out, "| 0x%" PRIx32 " | %" PRIu32 " | %s | ", code->code, code->code,
                  fl_code_space_words[code->space]);
    put_md(out, fl_str_of(code->symbol));
    fl_out_puts(out, " | ");
    put_md(out, fl_str_of(code->meaning));
    fl_out_puts(out, " |\n");
  }
}

static void md_events(const fl_cause_view *view, fl_out *out) {
  if (view->n_events == 0) return;
  md_heading(out, "Events that its rules look at");
  fl_out_puts(out, "| provider | id | kind | known from |\n|---|---|---|---|\n");
  for (size_t i = 0; i < view->n_events; i++) {
    const fl_event_fact *event = view->events[i];
    fl_out_printf(out, "| %s | %u | %s | %s |\n", event->provider, event->event_id, event->kind,
                  event->source);
  }
}

void fl_cause_md(const fl_cause_view *view, fl_out *out) {
  fl_out_printf(out, "# %s: ", view->cause->id);
  put_md(out, fl_str_of(view->cause->title));
  fl_out_puts(out, "\n");
  md_what(view, out);
  if (view->n_rules) md_evidence(view, true, "Evidence for it", out);
  if (view->n_rules) md_evidence(view, false, "Evidence against it", out);
  md_steps("What to do", view->cause->fix, out);
  md_steps("How to see that it worked", view->cause->check, out);
  md_steps("What to collect, to decide it", view->cause->collect, out);
  md_codes(view, out);
  md_events(view, out);
  if (view->n_sources) md_heading(out, "Known from");
  for (size_t i = 0; i < view->n_sources; i++) md_item(out, fl_str_of(view->sources[i]));
}

void fl_cause_list_md(const fl_cause_view *views, size_t n, fl_out *out) {
  fl_out_puts(out,
              "# Causes\n\nWhat verdicts can name. `./dev causes` writes these pages from "
              "`facts/causes.def`, `facts/cause_codes.def` and\nthe rules of `rules/packs/`; "
              "`faultline explain CAUSE` prints one.\n\n"
              "| cause | what it is | rules | codes |\n|---|---|---|---|\n");
  for (size_t i = 0; i < n; i++) {
    const fl_cause_view *view = &views[i];
    fl_out_printf(out, "| [%s](%s", view->cause->id, view->cause->id);
    fl_out_puts(out, ".md) | ");
    put_md(out, fl_str_of(view->cause->title));
    fl_out_printf(out, " | %zu | %zu |\n", view->n_rules, view->n_codes);
  }
}

/* ---- JSON ---- */

static void json_evidence(fl_json *j, const fl_cause_view *view, const char *key, bool is_for) {
  const fl_rule_knowledge *rule = NULL;
  fl_cause_walk walk = {0};
  fl_json_key(j, key);
  fl_json_array(j);
  for (const fl_rule_line *line; (line = fl_cause_next(view, &walk, is_for, &rule));) {
    fl_json_object(j);
    fl_json_key(j, "points");
    fl_json_i64(j, line->points);
    fl_json_key(j, "decisive");
    fl_json_bool(j, line->is_decisive);
    fl_json_key(j, "rule");
    fl_json_text(j, rule->info.name);
    fl_json_key(j, "text");
    fl_json_str(j, line->text);
    fl_json_key(j, "condition");
    fl_json_str(j, line->condition);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void json_rules(fl_json *j, const fl_cause_view *view) {
  fl_json_key(j, "rules");
  fl_json_array(j);
  for (size_t i = 0; i < view->n_rules; i++) {
    const fl_rule_knowledge *rule = &view->rules[i];
    fl_json_object(j);
    fl_json_key(j, "rule");
    fl_json_text(j, rule->info.name);
    fl_json_key(j, "title");
    fl_json_text(j, rule->info.title);
    fl_json_key(j, "file");
    fl_json_str(j, rule->info.file);
    fl_json_key(j, "line");
    fl_json_u64(j, rule->info.line);
    fl_json_key(j, "says");
    fl_json_str_or_null(j, rule->says);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void json_codes(fl_json *j, const fl_cause_view *view) {
  fl_json_key(j, "codes");
  fl_json_array(j);
  for (size_t i = 0; i < view->n_codes; i++) {
    fl_json_object(j);
    fl_json_key(j, "code");
    fl_json_hex(j, view->codes[i]->code);
    fl_json_key(j, "decimal");
    fl_json_u64(j, view->codes[i]->code);
    fl_json_key(j, "space");
    fl_json_text(j, fl_code_space_names[view->codes[i]->space]);
    fl_json_key(j, "symbol");
    fl_json_text(j, view->codes[i]->symbol);
    fl_json_key(j, "meaning");
    fl_json_text(j, view->codes[i]->meaning);
    fl_json_end(j);
  }
  fl_json_end(j);
}

static void json_events(fl_json *j, const fl_cause_view *view) {
  fl_json_key(j, "events");
  fl_json_array(j);
  for (size_t i = 0; i < view->n_events; i++) {
    fl_json_object(j);
    fl_json_key(j, "provider");
    fl_json_text(j, view->events[i]->provider);
    fl_json_key(j, "event_id");
    fl_json_u64(j, view->events[i]->event_id);
    fl_json_key(j, "kind");
    fl_json_text(j, view->events[i]->kind);
    fl_json_key(j, "source");
    fl_json_text(j, view->events[i]->source);
    fl_json_end(j);
  }
  fl_json_end(j);
}

void fl_cause_json(const fl_cause_view *view, fl_out *out) {
  fl_json j = fl_json_of(out);
  fl_json_object(&j);
  fl_json_key(&j, "schema");
  fl_json_u64(&j, 1);
  fl_json_key(&j, "cause");
  fl_json_text(&j, view->cause->id);
  fl_json_key(&j, "title");
  fl_json_text(&j, view->cause->title);
  json_rules(&j, view);
  json_evidence(&j, view, "for", true);
  json_evidence(&j, view, "against", false);
  fl_json_key(&j, "fix");
  fl_json_list(&j, view->cause->fix, '\n');
  fl_json_key(&j, "check");
  fl_json_list(&j, view->cause->check, '\n');
  fl_json_key(&j, "collect");
  fl_json_list(&j, view->cause->collect, '\n');
  json_codes(&j, view);
  json_events(&j, view);
  fl_json_key(&j, "sources");
  fl_json_array(&j);
  for (size_t i = 0; i < view->n_sources; i++) fl_json_text(&j, view->sources[i]);
  fl_json_end(&j);
  fl_json_end(&j);
  fl_json_line_end(&j);
}
