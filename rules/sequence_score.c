/* sequence_score.c - conditions in three values, points, evidence, the finding. */
#include <string.h>

#include "base/text.h"
#include "rules/sequence_run.h"

static fl_status no_memory(fl_scene *scene) {
  return fl_fail(scene->run->err, FL_E_NOMEM, 0, "out of memory for findings");
}

static fl_truth truth_of(bool holds) { return holds ? FL_TRUE : FL_FALSE; }

/* An operand's value; FL_TRUE in *ret_truth when it is there to be compared. */
static fl_value operand_value(fl_scene *scene, const fl_operand *operand, fl_truth *ret_truth) {
  *ret_truth = FL_TRUE;
  if (operand->kind == FL_O_VAR) return fl_scene_var(scene, operand->var);
  if (operand->kind != FL_O_FIELD) return fl_literal_value(operand);
  const fl_sight *sight = &scene->sights[operand->event];
  *ret_truth = fl_scene_truth(scene, operand->event);
  if (!sight->is_bound) return (fl_value){.kind = FL_V_NULL};
  if (operand->is_last ? sight->is_last_cut : sight->is_first_cut) *ret_truth = FL_UNKNOWN;
  return fl_path_value(&operand->path,
                       fl_run_event(scene->run, operand->is_last ? sight->last : sight->first));
}

static bool exists(const fl_value *value) {
  return value->kind != FL_V_NULL && !(value->kind == FL_V_STR && value->as.text.n == 0);
}

/* Two variables are the same value when their normal forms are. */
static bool is_same_var(const fl_scene *scene, const fl_expr *expr, const fl_operand *right) {
  return expr->left.kind == FL_O_VAR && right->kind == FL_O_VAR &&
         (expr->op == FL_OP_EQ || expr->op == FL_OP_NE || expr->op == FL_OP_IN) &&
         scene->vars[expr->left.var] && scene->vars[expr->left.var] == scene->vars[right->var];
}

static fl_truth compare(fl_scene *scene, const fl_expr *expr) {
  fl_truth truth = FL_TRUE;
  const fl_value left = operand_value(scene, &expr->left, &truth);
  if (truth != FL_TRUE) return truth;
  if (expr->op == FL_OP_EXISTS) return truth_of(exists(&left));
  bool is_any = false;
  fl_truth missing = FL_TRUE;
  for (size_t i = 0; i < expr->n_values && !is_any; i++) {
    const fl_value right = operand_value(scene, &expr->values[i], &truth);
    if (truth != FL_TRUE && missing != FL_UNKNOWN) missing = truth;
    if (truth == FL_TRUE)
      is_any = is_same_var(scene, expr, &expr->values[i]) || fl_value_compare(&left, expr, &right);
  }
  if (!is_any && missing != FL_TRUE) return missing;
  return truth_of(expr->op == FL_OP_NE ? !is_any : is_any);
}

static fl_truth measure(const fl_expr *expr, int64_t number) {
  const fl_value left = {.kind = FL_V_INT, .as.integer = number};
  const fl_value right = fl_literal_value(expr->values);
  const bool is_any = fl_value_compare(&left, expr, &right);
  return truth_of(expr->op == FL_OP_NE ? !is_any : is_any);
}

/* Of a search that was cut only what more events cannot change is known. */
static fl_truth count(fl_scene *scene, const fl_expr *expr) {
  const fl_truth truth = fl_scene_truth(scene, expr->event);
  const fl_sight *sight = &scene->sights[expr->event];
  if (truth == FL_UNKNOWN) return FL_UNKNOWN;
  const fl_truth measured = measure(expr, (int64_t)sight->count);
  if (!sight->is_cut) return measured;
  const bool is_least = expr->op == FL_OP_GT || expr->op == FL_OP_GE;
  const bool is_most = expr->op == FL_OP_LT || expr->op == FL_OP_LE;
  const bool is_known = (is_least && measured == FL_TRUE) || (is_most && measured == FL_FALSE);
  return is_known ? measured : FL_UNKNOWN;
}

static fl_truth delta(fl_scene *scene, const fl_expr *expr) {
  const fl_truth a = fl_scene_truth(scene, expr->event), b = fl_scene_truth(scene, expr->other);
  const fl_sight *later = &scene->sights[expr->event], *earlier = &scene->sights[expr->other];
  if (a == FL_FALSE || b == FL_FALSE) return FL_FALSE;
  if (a == FL_UNKNOWN || b == FL_UNKNOWN || later->is_first_cut || earlier->is_first_cut)
    return FL_UNKNOWN;
  const fl_run *run = scene->run;
  if (fl_run_slot(run, later->first)->is_timeless || fl_run_slot(run, earlier->first)->is_timeless)
    return FL_UNKNOWN;
  fl_time from = fl_run_time(run, earlier->first);
  if (expr->is_from_end) from = fl_sequence_end(fl_run_event(run, earlier->first), from);
  return measure(expr, (int64_t)((uint64_t)fl_run_time(run, later->first) - (uint64_t)from));
}

/* Kleene: unknown gives way to whatever decides. */
fl_truth fl_scene_holds(fl_scene *scene, const fl_expr *expr) {
  const bool is_or = expr->kind == FL_X_OR;
  fl_truth all = is_or ? FL_FALSE : FL_TRUE;
  switch (expr->kind) {
    case FL_X_OR:
    case FL_X_AND:
      for (const fl_expr *kid = expr->kid; kid; kid = kid->next) {
        const fl_truth one = fl_scene_holds(scene, kid);
        if (one == (is_or ? FL_TRUE : FL_FALSE)) return one;
        if (one == FL_UNKNOWN) all = FL_UNKNOWN;
      }
      return all;
    case FL_X_NOT:
      all = fl_scene_holds(scene, expr->kid);
      return all == FL_UNKNOWN ? FL_UNKNOWN : truth_of(all == FL_FALSE);
    case FL_X_COMPARE:
      return compare(scene, expr);
    case FL_X_EVENT:
      return fl_scene_truth(scene, expr->event);
    case FL_X_UNKNOWN:
      return truth_of(fl_scene_truth(scene, expr->event) == FL_UNKNOWN);
    case FL_X_COUNT:
      return count(scene, expr);
    case FL_X_DELTA:
      return delta(scene, expr);
  }
  return FL_UNKNOWN;
}

/* The events of the rule that a condition names, each once. */
static void mark_named(const fl_expr *expr, bool *named) {
  for (const fl_expr *kid = expr->kid; kid; kid = kid->next) mark_named(kid, named);
  if (expr->event != FL_FLR_NONE) named[expr->event] = true;
  if (expr->other != FL_FLR_NONE) named[expr->other] = true;
  if (expr->kind != FL_X_COMPARE) return;
  if (expr->left.kind == FL_O_FIELD && expr->left.event != FL_FLR_NONE)
    named[expr->left.event] = true;
  for (size_t i = 0; i < expr->n_values; i++)
    if (expr->values[i].kind == FL_O_FIELD && expr->values[i].event != FL_FLR_NONE)
      named[expr->values[i].event] = true;
}

/* The events that an evidence sentence tells of. */
static void mark_told(const fl_part *part, bool *told) {
  for (; part; part = part->next) {
    mark_told(part->kid, told);
    const bool has_event = part->kind == FL_PART_FIELD || part->kind == FL_PART_SENTENCE ||
                           part->kind == FL_PART_DELTA || part->kind == FL_PART_IF_EVENT;
    if (has_event && part->event != FL_FLR_NONE) told[part->event] = true;
  }
}

static fl_status add_evidence(fl_scene *scene, const fl_score_line *line, fl_truth truth,
                              fl_evidence *ret_evidence) {
  bool named[FL_FLR_MAX_EVENTS] = {false};
  fl_evidence evidence = {.truth = truth,
                          .points = line->points,
                          .decisive = line->is_decisive,
                          .rule = scene->rule->info.name};
  mark_named(line->cond, named);
  if (truth == FL_UNKNOWN) {
    evidence.text =
        fl_arena_str(scene->run->shelf, fl_scene_missing_text(scene, line->text, named));
  } else if (line->text) {
    evidence.text = fl_scene_text(scene, line->text, scene->run->shelf);
  } else {
    evidence.text = fl_arena_str(scene->run->shelf, fl_scene_made_text(scene, named));
  }
  if (!evidence.text.p) return no_memory(scene);
  mark_told(line->text, named);
  /* What is missing rests on nothing. */
  FL_TRY(fl_scene_cite(scene, named, truth == FL_TRUE ? line->cond : NULL, &evidence.events,
                       &evidence.n_events));
  *ret_evidence = evidence;
  return FL_OK;
}

static fl_status add_finding(fl_scene *scene, size_t rule_index, fl_finding *finding) {
  fl_run *run = scene->run;
  finding->anchor = fl_run_cited(run, scene->anchor);
  finding->start = scene->start;
  finding->end = scene->end;
  for (size_t i = 0; i < scene->rule->n_selectors; i++) {
    if (!scene->sights[i].is_bound || scene->rule->selectors[i].is_anytime) continue;
    const fl_time first = fl_run_time(run, scene->sights[i].first);
    const fl_time last = fl_run_time(run, scene->sights[i].last);
    if (first < finding->start) finding->start = first;
    if (last > finding->end) finding->end = last;
  }
  FL_TRY(fl_scene_cite_all(scene, &finding->events, &finding->n_events));
  finding->text = scene->rule->explain ? fl_scene_text(scene, scene->rule->explain, run->shelf)
                                       : fl_str_of(finding->title);
  if (!finding->text.p) return no_memory(scene);
  return fl_keep_add(run, rule_index, finding);
}

/* The events that an unknown line waits for, a bit each. */
static uint64_t missing_events(fl_scene *scene, const fl_expr *cond) {
  bool named[FL_FLR_MAX_EVENTS] = {false};
  uint64_t bits = 0;
  mark_named(cond, named);
  for (uint16_t i = 0; i < scene->rule->n_selectors; i++)
    if (named[i] && !scene->sights[i].is_bound && fl_scene_truth(scene, i) == FL_UNKNOWN)
      bits |= UINT64_C(1) << i;
  return bits;
}

/* Would the same records answer an earlier line? Then this one asks for nothing more. */
static bool is_asked_before(fl_scene *scene, const fl_truth *truths, size_t line) {
  const fl_score_line *lines = scene->rule->lines;
  if (truths[line] != FL_UNKNOWN) return false;
  const uint64_t missing = missing_events(scene, lines[line].cond);
  for (size_t i = 0; i < line; i++)
    if (truths[i] == FL_UNKNOWN && (lines[i].points > 0) == (lines[line].points > 0) &&
        missing_events(scene, lines[i].cond) == missing)
      return true;
  return false;
}

static int clamp(int points) { return points < 0 ? 0 : points > 100 ? 100 : points; }

/* A rule without score lines says what it says by matching. */
static fl_status score_plain(fl_scene *scene, size_t rule_index, fl_finding *finding) {
  enum { PLAIN_SCORE = 60 };
  const fl_expr cond = {.kind = FL_X_EVENT, .event = scene->anchor_event, .other = FL_FLR_NONE};
  const fl_score_line line = {.points = PLAIN_SCORE, .cond = &cond};
  fl_evidence *evidence = FL_NEW(scene->run->shelf, fl_evidence);
  if (!evidence) return no_memory(scene);
  FL_TRY(add_evidence(scene, &line, FL_TRUE, evidence));
  finding->score = PLAIN_SCORE;
  finding->evidence = evidence;
  finding->n_evidence = 1;
  return add_finding(scene, rule_index, finding);
}

fl_status fl_scene_score(fl_scene *scene, size_t rule_index) {
  const fl_rule *rule = scene->rule;
  const fl_rule_info *info = &rule->info;
  fl_finding finding = {.rule = info->name,
                        .title = info->title,
                        .cause = info->cause,
                        .effect = info->effect,
                        .severity = info->severity};
  fl_run *run = scene->run;
  if (rule->n_lines == 0) {
    run->shelf = fl_keep_arena(run, rule_index);
    return run->shelf ? score_plain(scene, rule_index, &finding) : no_memory(scene);
  }
  fl_truth truths[FL_FLR_MAX_LINES];
  int points = 0, possible = 0;
  size_t n = 0;
  for (size_t i = 0; i < rule->n_lines; i++) {
    truths[i] = fl_scene_holds(scene, rule->lines[i].cond);
    if (truths[i] != FL_FALSE) n++;
    if (truths[i] == FL_TRUE) points += rule->lines[i].points;
    if (truths[i] == FL_UNKNOWN && rule->lines[i].points > 0) possible += rule->lines[i].points;
  }
  if (points + possible < rule->report_at) return FL_OK;
  run->shelf = fl_keep_arena(run, rule_index);
  fl_evidence *evidence = run->shelf ? FL_NEW_ARRAY(run->shelf, fl_evidence, n) : NULL;
  if (!evidence) return no_memory(scene);
  for (size_t i = 0; i < rule->n_lines; i++)
    if (truths[i] != FL_FALSE && !is_asked_before(scene, truths, i))
      FL_TRY(add_evidence(scene, &rule->lines[i], truths[i], &evidence[finding.n_evidence++]));
  finding.score = clamp(points);
  finding.evidence = evidence;
  return add_finding(scene, rule_index, &finding);
}
