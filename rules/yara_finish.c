/* yara_finish.c - what is compiled together: bad files are refused one by one, the rest loads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/yara_set.h"

enum { MOST_UNKNOWN = 64 };

/* Compiling the good files over and over until none is bad. */
typedef struct rounds {
  fl_yara *yara;
  uint32_t *picks;
  size_t n_picks;
  unsigned n_stopped;
  bool has_errors; /* in this round */
  bool is_new;     /* the file that is compiled was not heard before */
  fl_status status;
} rounds;

/* A file is compiled more than once: its warnings are heard the first time. */
static void hear_begin(void *self, size_t file) {
  rounds *r = self;
  if (file >= r->yara->n_files) return;
  r->is_new = !r->yara->files[file].is_heard;
  r->yara->files[file].is_heard = true;
}

static void hear_message(void *self, size_t file, uint32_t line, bool is_warning,
                         const char *text) {
  rounds *r = self;
  if (file >= r->yara->n_files || (is_warning && !r->is_new)) return;
  if (!is_warning) r->has_errors = true;
  const fl_status s = fl_yara_say(r->yara, file, line, is_warning, text);
  if (s == FL_E_NOMEM) r->status = s;
}

static void pick(rounds *r, fl_yara_scope scope) {
  r->n_picks = 0;
  for (size_t i = 0; i < r->yara->n_files; i++) {
    const yara_file *file = &r->yara->files[i];
    if (!file->is_refused && (scope == FL_YARA_BYTES || file->has[scope]))
      r->picks[r->n_picks++] = (uint32_t)i;
  }
}

static void refuse_all(rounds *r, const char *text) {
  for (size_t i = 0; i < r->n_picks; i++)
    if (!r->yara->files[r->picks[i]].is_refused) hear_message(r, r->picks[i], 1, false, text);
}

/* One round: in a child, but for fuzzing. */
static fl_status compile_once(rounds *r, bool alone, yara_outcome *ret_outcome, fl_err *err) {
  const yara_listener listener = {r, hear_begin, hear_message};
  const yara_work work = {r->yara, r->picks, r->n_picks, alone};
  *ret_outcome = (yara_outcome){0};
  r->has_errors = false;
  if (!r->yara->is_unguarded) return fl_yara_compile_guarded(&work, &listener, ret_outcome, err);
  const fl_status s = fl_yara_compile(&work, &listener, &ret_outcome->rules);
  return s == FL_OK ? s : fl_fail(err, s, 0, "out of memory while compiling YARA rules");
}

/* The file at fault is known, or it is all of them together: then each is looked at alone. */
static void blame(rounds *r, const yara_outcome *outcome, bool alone, bool *ret_alone) {
  if (outcome->culprit < r->yara->n_files) {
    hear_message(r, outcome->culprit, 1, false, outcome->reason);
  } else if (!alone && r->n_stopped < 2) {
    *ret_alone = true;
  } else {
    char text[120];
    (void)snprintf(text, sizeof text, "with all other files together it %s", outcome->reason);
    refuse_all(r, text);
  }
  if (++r->n_stopped >= FL_LIMIT_YARA_STOPPED)
    refuse_all(r, "not compiled: too many files had to be stopped while they were");
}

/* Ends when a round was good or nothing is left: each other round refuses a file or looks at them
 * alone. */
static fl_status compile_scope(rounds *r, fl_yara_scope scope, fl_err *err) {
  bool alone = false;
  for (;;) {
    yara_outcome outcome = {0};
    pick(r, scope);
    if (r->n_picks == 0) return FL_OK;
    const bool was_alone = alone;
    FL_TRY(compile_once(r, alone, &outcome, err));
    alone = false;
    if (r->status < FL_OK) return fl_fail(err, r->status, 0, "out of memory for YARA rules");
    r->yara->compiled[scope] = outcome.rules;
    if (outcome.rules) return FL_OK;
    if (outcome.is_stopped) blame(r, &outcome, was_alone, &alone);
    else if (!r->has_errors && !was_alone)
      return fl_fail(err, FL_E_INTERNAL, 0, "YARA rules neither compile nor say why");
  }
}

static const char *text_meta(const YR_RULE *rule, const char *name) {
  const YR_META *meta = NULL;
  yr_rule_metas_foreach(rule, meta) {
    if (meta->type == META_TYPE_STRING && strcmp(meta->identifier, name) == 0) return meta->string;
  }
  return NULL;
}

static bool has_tag(const YR_RULE *rule, const char *name) {
  const char *tag = NULL;
  yr_rule_tags_foreach(rule, tag) {
    if (strcmp(tag, name) == 0) return true;
  }
  return false;
}

static fl_yara_scope scope_of(const YR_RULE *rule) {
  const char *scope = text_meta(rule, "scope");
  const bool is_event = (scope && strcmp(scope, "event") == 0) || has_tag(rule, "event");
  return is_event ? FL_YARA_EVENT : FL_YARA_BYTES;
}

size_t fl_yara_file_of(const YR_RULE *rule) { return strtoul(rule->ns->name, NULL, 10); }

static int64_t number_meta(const YR_RULE *rule, const char *name, int64_t otherwise) {
  const YR_META *meta = NULL;
  yr_rule_metas_foreach(rule, meta) {
    if (meta->type == META_TYPE_INTEGER && strcmp(meta->identifier, name) == 0)
      return meta->integer;
  }
  return otherwise;
}

static fl_str tags_of(const YR_RULE *rule, fl_arena *arena) {
  const char *tag = NULL;
  size_t n = 0, at = 0;
  yr_rule_tags_foreach(rule, tag) { n += strlen(tag) + 1; }
  char *text = fl_arena_alloc(arena, n + 1);
  if (!text || !n) return (fl_str){text, 0};
  yr_rule_tags_foreach(rule, tag) {
    if (at) text[at++] = ' ';
    memcpy(text + at, tag, strlen(tag));
    at += strlen(tag);
  }
  return (fl_str){text, at};
}

static int severity_of(const YR_RULE *rule) {
  const int64_t n = number_meta(rule, "severity", number_meta(rule, "score", 50));
  return n < 0 ? 0 : n > 100 ? 100 : (int)n;
}

static bool fill_rule(const fl_yara *yara, const YR_RULE *rule, fl_yara_rule *ret_rule) {
  const char *title = text_meta(rule, "title");
  if (!title) title = text_meta(rule, "description");
  const char *channel = text_meta(rule, "channel");
  const fl_yara_scope scope = scope_of(rule);
  const bool is_event = scope == FL_YARA_EVENT;
  const fl_str name = fl_arena_str(yara->arena, fl_str_of(rule->identifier));
  *ret_rule = (fl_yara_rule){
      .name = name.p,
      .file = yara->files[fl_yara_file_of(rule)].name,
      .title = fl_arena_str(yara->arena, fl_str_of(title ? title : "")),
      .tags = tags_of(rule, yara->arena),
      .severity = severity_of(rule),
      .scope = scope,
      .channel = fl_arena_str(yara->arena, fl_str_of(channel && is_event ? channel : "")),
      .event_id = is_event ? number_meta(rule, "event_id", -1) : -1};
  return name.p && ret_rule->title.p && ret_rule->tags.p && ret_rule->channel.p;
}

/* Where rules stand in their files: both are in the order of the sources. Rules of included files
 * have no line of their own. */
static void find_lines(fl_yara *yara) {
  size_t at = 0, n_unknown = 0;
  uint32_t line = 1;
  for (size_t i = 0; i < yara->n_rules; i++) {
    if (i == 0 || yara->file_of[i] != yara->file_of[i - 1]) {
      at = n_unknown = 0;
      line = 1;
    }
    yara->rules[i].line = 1;
    if (n_unknown == MOST_UNKNOWN) continue; /* each is looked for to the end of the file */
    const fl_str text = yara->files[yara->file_of[i]].text;
    const size_t at_before = at;
    const uint32_t line_before = line;
    fl_str name = {0};
    do fl_yara_next_rule(text, &at, &line, &name);
    while (name.n && !fl_str_eq(name, fl_str_of(yara->rules[i].name)));
    if (name.n) {
      yara->rules[i].line = line;
      continue;
    }
    n_unknown++;
    at = at_before;
    line = line_before;
  }
}

/* All rules are in the set of sources; those of events are in the second set, too. */
static fl_status list_rules(fl_yara *yara, fl_err *err) {
  const YR_RULES *rules = yara->compiled[FL_YARA_BYTES];
  if (!rules) return FL_OK;
  yara->rules = calloc(rules->num_rules + 1, sizeof *yara->rules);
  yara->file_of = calloc(rules->num_rules + 1, sizeof *yara->file_of);
  yara->by_index[FL_YARA_BYTES] = calloc(rules->num_rules + 1, sizeof(uint32_t));
  if (!yara->rules || !yara->file_of || !yara->by_index[FL_YARA_BYTES])
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
  for (uint32_t i = 0; i < rules->num_rules; i++) {
    const YR_RULE *rule = &rules->rules_table[i];
    if (RULE_IS_PRIVATE(rule)) continue;
    yara->file_of[yara->n_rules] = (uint32_t)fl_yara_file_of(rule);
    fl_yara_rule *to = &yara->rules[yara->n_rules++];
    if (!fill_rule(yara, rule, to))
      return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
    yara->files[fl_yara_file_of(rule)].has[to->scope] = true;
    yara->files[fl_yara_file_of(rule)].n_rules++;
    if (to->scope == FL_YARA_BYTES) yara->by_index[FL_YARA_BYTES][i] = (uint32_t)yara->n_rules;
  }
  find_lines(yara);
  return FL_OK;
}

/* The rules of events in the set of their own: the same files in the same order, without some. */
static fl_status index_events(fl_yara *yara, fl_err *err) {
  const YR_RULES *rules = yara->compiled[FL_YARA_EVENT];
  if (!rules) return FL_OK;
  uint32_t *index = calloc(rules->num_rules + 1, sizeof *index);
  yara->by_index[FL_YARA_EVENT] = index;
  if (!index) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
  size_t at = 0;
  for (uint32_t i = 0; i < rules->num_rules; i++) {
    const YR_RULE *rule = &rules->rules_table[i];
    if (RULE_IS_PRIVATE(rule)) continue;
    while (at < yara->n_rules && (yara->file_of[at] != fl_yara_file_of(rule) ||
                                  strcmp(yara->rules[at].name, rule->identifier) != 0))
      at++;
    if (at < yara->n_rules && yara->rules[at].scope == FL_YARA_EVENT) index[i] = (uint32_t)at + 1;
  }
  return FL_OK;
}

/* A file that holds rules of events alone is not searched for in sources. */
static void disable_others(fl_yara *yara) {
  YR_RULES *rules = yara->compiled[FL_YARA_BYTES];
  bool has_any = false;
  for (size_t i = 0; i < yara->n_files; i++) has_any |= yara->files[i].has[FL_YARA_BYTES];
  for (uint32_t i = 0; rules && i < rules->num_rules; i++) {
    const yara_file *file = &yara->files[fl_yara_file_of(&rules->rules_table[i])];
    if (file->has[FL_YARA_EVENT] && !file->has[FL_YARA_BYTES])
      yr_rule_disable(&rules->rules_table[i]);
  }
  if (has_any || !rules) return;
  yr_rules_destroy(rules);
  yara->compiled[FL_YARA_BYTES] = NULL;
}

/* Each event is scanned with every rule that does not say where it can match. */
static void limit_event_rules(fl_yara *yara) {
  size_t n = 0;
  for (size_t i = 0; i < yara->n_rules; i++) {
    const fl_yara_rule *rule = &yara->rules[i];
    if (rule->scope != FL_YARA_EVENT || rule->channel.n || rule->event_id >= 0) continue;
    if (++n <= FL_LIMIT_YARA_EVENT_RULES) continue;
    if (!yara->files[yara->file_of[i]].is_refused)
      (void)fl_yara_say(yara, yara->file_of[i], 1, false,
                        "more than 1,000 rules of events without meta channel or event_id: each "
                        "event would be scanned with all of them");
  }
}

static void forget_rules(fl_yara *yara) {
  for (int scope = 0; scope < 2; scope++) {
    if (yara->compiled[scope]) yr_rules_destroy(yara->compiled[scope]);
    free(yara->by_index[scope]);
    yara->compiled[scope] = NULL;
    yara->by_index[scope] = NULL;
  }
  free(yara->rules);
  free(yara->file_of);
  yara->rules = NULL;
  yara->file_of = NULL;
  yara->n_rules = 0;
  for (size_t i = 0; i < yara->n_files; i++) {
    yara->files[i].n_rules = 0;
    yara->files[i].has[0] = yara->files[i].has[1] = false;
  }
}

static size_t count_refused(const fl_yara *yara) {
  size_t n = 0;
  for (size_t i = 0; i < yara->n_files; i++) n += yara->files[i].is_refused;
  return n;
}

static fl_status compile_all(rounds *r, fl_err *err) {
  fl_yara *yara = r->yara;
  for (;;) {
    FL_TRY(compile_scope(r, FL_YARA_BYTES, err));
    FL_TRY(list_rules(yara, err));
    const size_t n_before = count_refused(yara);
    limit_event_rules(yara);
    if (count_refused(yara) == n_before) break;
    forget_rules(yara);
  }
  FL_TRY(compile_scope(r, FL_YARA_EVENT, err));
  FL_TRY(index_events(yara, err));
  disable_others(yara);
  return FL_OK;
}

fl_status fl_yara_compile_all(fl_yara *yara, fl_err *err) {
  rounds r = {.yara = yara, .picks = calloc(yara->n_files + 1, sizeof *r.picks)};
  if (!r.picks) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
  const fl_status s = compile_all(&r, err);
  free(r.picks);
  return s;
}
