/* flr_trace.c - what each event of a rule asks for, clause by clause, held against one event. */
#include <string.h>

#include "base/text.h"
#include "rules/flr_trace.h"

enum { MAX_SHOWN = 120 };

/* As written, on one line. */
fl_str fl_written_text(fl_str written, fl_arena *arena) {
  char *out = fl_arena_take(arena, written.n + 1);
  size_t n = 0;
  if (!out) return FL_STR("?");
  for (size_t i = 0; i < written.n; i++) {
    const char c = written.p[i];
    const bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (is_blank && (n == 0 || out[n - 1] == ' ')) continue;
    out[n++] = is_blank ? ' ' : c;
  }
  return (fl_str){out, n};
}

static fl_str shown(fl_str text) {
  if (text.n <= MAX_SHOWN) return text;
  text.n = MAX_SHOWN;
  while (text.n && ((unsigned char)text.p[text.n] & 0xc0u) == 0x80u) text.n--;
  return text;
}

static fl_trace_mark mark_of(bool holds) { return holds ? FL_TRACE_TRUE : FL_TRACE_FALSE; }

static void trace_text(fl_trace *trace, const char *what, fl_str wanted, fl_str found,
                       bool is_prefix) {
  if (wanted.n == 0 && !is_prefix) return;
  const fl_str start = is_prefix && found.n > wanted.n ? (fl_str){found.p, wanted.n} : found;
  fl_trace_add(trace, 2, "clause", mark_of(fl_str_eq_nocase(wanted, start)),
               "%s \"%.*s%s\": it is \"%.*s\"", what, FL_STR_ARG(wanted), is_prefix ? "*" : "",
               FL_STR_ARG(shown(found)));
}

static void trace_source(fl_trace *trace, const fl_event_source *source, const fl_event *event,
                         fl_arena *arena) {
  trace_text(trace, "channel", source->channel, event->channel, false);
  trace_text(trace, "provider", source->provider, event->provider, false);
  trace_text(trace, "kind", source->kind, event->kind, source->kind_is_prefix);
  if (source->n_ids == 0) return;
  fl_str list = FL_STR("");
  bool is_one = false;
  for (size_t i = 0; i < source->n_ids; i++) {
    is_one = is_one || event->event_id == (int64_t)source->ids[i];
    if (i < 16)
      list = fl_arena_printf(arena, "%.*s%s%u", FL_STR_ARG(list), i ? "|" : "", source->ids[i]);
  }
  fl_trace_add(trace, 2, "clause", mark_of(is_one), "id %.*s%s: it is %lld", FL_STR_ARG(list),
               source->n_ids > 16 ? "|…" : "", (long long)event->event_id);
}

static fl_str value_text(const fl_path *path, const fl_event *event, fl_arena *arena) {
  const fl_value value = fl_path_value(path, event);
  if (value.kind == FL_V_NULL) return FL_STR("not there");
  const fl_str text = shown(fl_path_text(path, event, arena));
  return fl_arena_printf(arena, "\"%.*s\"", FL_STR_ARG(text));
}

/* Each comparison with the value that it met; what joins them stands above. */
static void trace_expr(fl_trace *trace, const fl_expr *expr, const fl_event *event, unsigned depth,
                       fl_arena *arena) {
  const fl_str text = fl_written_text(expr->text, arena);
  const fl_trace_mark mark = mark_of(fl_expr_holds(expr, event));
  if (expr->kind == FL_X_COMPARE) {
    const fl_str found = value_text(&expr->left.path, event, arena);
    fl_trace_add(trace, depth, "clause", mark, "%.*s: it is %.*s", FL_STR_ARG(text),
                 FL_STR_ARG(found));
    return;
  }
  fl_trace_add(trace, depth, "clause", mark, "%.*s", FL_STR_ARG(text));
  for (const fl_expr *kid = expr->kid; kid; kid = kid->next)
    trace_expr(trace, kid, event, depth + 1, arena);
}

/* Clauses that were written one by one are shown so; a condition with parentheses as a whole. */
static void trace_where(fl_trace *trace, const fl_expr *where, const fl_event *event,
                        fl_arena *arena) {
  const bool is_joined = where->kind == FL_X_AND && where->text.n == 0;
  if (!is_joined) trace_expr(trace, where, event, 2, arena);
  for (const fl_expr *kid = is_joined ? where->kid : NULL; kid; kid = kid->next)
    trace_where(trace, kid, event, arena);
}

static void trace_capture(fl_trace *trace, const fl_capture *capture, fl_norm norm,
                          const fl_event *event, fl_arena *arena) {
  const fl_str text = fl_path_text(&capture->path, event, arena);
  const fl_str plain = text.n ? fl_norm_apply(norm, text, arena) : text;
  const fl_str written = fl_written_text(capture->text, arena);
  if (capture->text.n == 0) return; /* the machine is told with the joins */
  if (plain.n)
    fl_trace_add(trace, 2, "capture", FL_TRACE_TRUE, "%.*s: \"%.*s\"", FL_STR_ARG(written),
                 FL_STR_ARG(shown(plain)));
  else
    fl_trace_add(trace, 2, "capture", capture->is_required ? FL_TRACE_FALSE : FL_TRACE_NOTE,
                 "%.*s: not there", FL_STR_ARG(written));
}

static bool has_role(const fl_selector *selector, const fl_machine *machine) {
  return !selector->role || !machine || !machine->roles || (machine->roles & selector->role);
}

static bool has_captures(const fl_rule *rule, const fl_selector *selector, const fl_event *event,
                         fl_arena *arena) {
  for (size_t i = 0; i < selector->n_captures; i++) {
    const fl_capture *capture = &selector->captures[i];
    const fl_str text = fl_path_text(&capture->path, event, arena);
    const fl_norm norm = rule->vars[capture->var].norm;
    if (capture->is_required && (!text.n || !fl_norm_apply(norm, text, arena).n)) return false;
  }
  return true;
}

static void trace_role(fl_trace *trace, const fl_selector *selector, const fl_machine *machine,
                       fl_arena *arena) {
  if (!selector->role) return;
  fl_str roles = FL_STR("");
  for (unsigned i = 0; machine && i < FL_N_ROLES; i++)
    if (machine->roles & 1u << i)
      roles = fl_arena_printf(arena, "%.*s%s%s", FL_STR_ARG(roles), roles.n ? ", " : "",
                              fl_role_names[i]);
  if (roles.n == 0) roles = FL_STR("not known, and fits");
  unsigned wanted = 0;
  while (!(selector->role >> wanted & 1)) wanted++;
  fl_trace_add(trace, 2, "clause", mark_of(has_role(selector, machine)),
               "role %s: the machine's is %.*s", fl_role_names[wanted], FL_STR_ARG(roles));
}

bool fl_trace_selector(fl_trace *trace, const fl_rule *rule, size_t index, const fl_event *event,
                       const fl_machine *machine) {
  const fl_selector *selector = &rule->selectors[index];
  fl_arena *arena = fl_arena_create((size_t)1 << 20);
  if (!arena) return false;
  const bool fits = fl_event_source_fits(&selector->source, event) && has_role(selector, machine) &&
                    (!selector->where || fl_expr_holds(selector->where, event)) &&
                    has_captures(rule, selector, event, arena);
  const fl_str written = fl_written_text(selector->written, arena);
  fl_trace_add(trace, 1, "event", mark_of(fits), "$%.*s : %.*s", FL_STR_ARG(selector->name),
               FL_STR_ARG(written));
  trace_role(trace, selector, machine, arena);
  trace_source(trace, &selector->source, event, arena);
  if (selector->where) trace_where(trace, selector->where, event, arena);
  for (size_t i = 0; i < selector->n_captures; i++)
    trace_capture(trace, &selector->captures[i], rule->vars[selector->captures[i].var].norm, event,
                  arena);
  fl_arena_free(arena);
  return fits;
}
