/* sequence_find.c - the steps around one anchor: windows, joins, who is taken. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "rules/sequence_run.h"

typedef enum pick { PICK_FIRST, PICK_LAST, PICK_NEAREST } pick;

/* Where to look for an event of the rule. */
typedef struct query {
  uint16_t event;
  fl_time from, to;
  pick pick;
  bool is_anytime; /* of all events the last one, in their order of preference */
  uint32_t base;   /* event that the order of equal times is measured against */
} query;

/* Hits with one join key, or all of them: positions in an index or in the hits themselves. */
typedef struct lane {
  const uint32_t *order; /* NULL = all hits */
  size_t at, end;
} lane;

/* The candidates of a query, the ones to be preferred first: those in front are walked towards
 * later times, those behind towards earlier ones. */
typedef struct walk {
  lane ahead[2], behind[2];
  size_t n_lanes;
} walk;

static fl_time time_of(const fl_scene *scene, uint32_t event) {
  return fl_run_time(scene->run, event);
}

static uint32_t hit_of(const lane *l, size_t i) { return l->order ? l->order[i] : (uint32_t)i; }

/* The first hit of a lane at or after a time, or behind all at that time. */
static size_t place_of(const fl_scene *scene, const fl_hits *hits, const lane *l, fl_time t,
                       bool is_behind) {
  size_t low = l->at, high = l->end;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const fl_time at = time_of(scene, hits->at[hit_of(l, middle)]);
    if (at < t || (is_behind && at == t)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The first hit in the index with a value of its key that is not below. */
static size_t first_of(const fl_hits *hits, size_t n_captures, uint32_t value) {
  if (hits->n_starts) return value < hits->n_starts ? hits->starts[value] : hits->n;
  size_t low = 0, high = hits->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (hits->values[hits->order[middle] * n_captures + hits->key] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The hits that may join: those with the key's value and those where it is unset. */
static size_t open_lanes(const fl_scene *scene, uint16_t event, lane lanes[2]) {
  const fl_hits *hits = &scene->hits[event];
  const fl_selector *selector = &scene->rule->selectors[event];
  const bool has_index = hits->key != FL_FLR_NONE && hits->n > 0;
  const uint32_t value = has_index ? scene->vars[selector->captures[hits->key].var] : 0;
  if (value == 0) {
    lanes[0] = (lane){NULL, 0, hits->n};
    return 1;
  }
  const size_t n = selector->n_captures;
  lanes[0] = (lane){hits->order, first_of(hits, n, value), first_of(hits, n, value + 1)};
  lanes[1] = (lane){hits->order, 0, first_of(hits, n, 1)};
  return lanes[1].end ? 2 : 1;
}

static walk start_walk(const fl_scene *scene, const query *q, int64_t slack) {
  const fl_hits *hits = &scene->hits[q->event];
  walk w = {.n_lanes = 0};
  w.n_lanes = open_lanes(scene, q->event, w.ahead);
  for (size_t i = 0; i < w.n_lanes; i++) {
    lane *l = &w.ahead[i];
    l->at = place_of(scene, hits, l, fl_time_plus(q->from, -slack), false);
    l->end = place_of(scene, hits, l, fl_time_plus(q->to, slack), true);
    w.behind[i] = *l;
    if (q->pick == PICK_FIRST) w.behind[i].end = l->at;
    else if (q->pick == PICK_LAST) l->at = l->end;
    else w.behind[i].end = l->at = place_of(scene, hits, l, scene->start, false);
  }
  return w;
}

static lane *earliest(lane *lanes, size_t n_lanes) {
  lane *best = NULL;
  for (size_t i = 0; i < n_lanes; i++)
    if (lanes[i].at < lanes[i].end &&
        (!best || hit_of(&lanes[i], lanes[i].at) < hit_of(best, best->at)))
      best = &lanes[i];
  return best;
}

static lane *latest(lane *lanes, size_t n_lanes) {
  lane *best = NULL;
  for (size_t i = 0; i < n_lanes; i++)
    if (lanes[i].at < lanes[i].end &&
        (!best || hit_of(&lanes[i], lanes[i].end - 1) > hit_of(best, best->end - 1)))
      best = &lanes[i];
  return best;
}

static uint64_t distance(const fl_scene *scene, uint32_t event) {
  const fl_time t = time_of(scene, event);
  if (t < scene->start) return (uint64_t)scene->start - (uint64_t)t;
  return t > scene->end ? (uint64_t)t - (uint64_t)scene->end : 0;
}

/* Of two that are equally far the earlier one comes first. */
static bool next_hit(const fl_scene *scene, const fl_hits *hits, walk *w, uint32_t *ret_hit) {
  lane *ahead = earliest(w->ahead, w->n_lanes), *behind = latest(w->behind, w->n_lanes);
  if (!ahead && !behind) return false;
  if (ahead && behind &&
      distance(scene, hits->at[hit_of(ahead, ahead->at)]) <
          distance(scene, hits->at[hit_of(behind, behind->end - 1)]))
    behind = NULL;
  *ret_hit = behind ? hit_of(behind, --behind->end) : hit_of(ahead, ahead->at++);
  return true;
}

static bool is_taken(const fl_scene *scene, uint32_t event) {
  for (size_t i = 0; i < scene->rule->n_selectors; i++)
    if (scene->sights[i].is_bound && fl_run_is_same(scene->run, scene->sights[i].first, event))
      return true;
  return false;
}

static bool joins(const fl_scene *scene, uint16_t event, uint32_t hit) {
  const fl_selector *selector = &scene->rule->selectors[event];
  const uint32_t *values = scene->hits[event].values + (size_t)hit * selector->n_captures;
  for (size_t i = 0; i < selector->n_captures; i++) {
    const uint32_t bound = scene->vars[selector->captures[i].var];
    if (values[i] && bound && values[i] != bound) return false;
  }
  return true;
}

/* Equal times in one log: record numbers tell the order. */
static bool is_in_order(const fl_scene *scene, const query *q, uint32_t event) {
  if (q->pick == PICK_NEAREST || time_of(scene, event) != time_of(scene, q->base)) return true;
  const fl_event *a = fl_run_event(scene->run, q->base), *b = fl_run_event(scene->run, event);
  if (a->record_id < 0 || b->record_id < 0 || !fl_str_eq(a->channel, b->channel) ||
      !fl_str_eq(a->host, b->host))
    return true;
  return q->pick == PICK_LAST ? b->record_id < a->record_id : b->record_id > a->record_id;
}

static bool is_in_window(const fl_scene *scene, const query *q, uint32_t event) {
  if (q->is_anytime) return true;
  const fl_time t = time_of(scene, event);
  if (t >= q->from && t <= q->to) return is_in_order(scene, q, event);
  const int64_t slack = fl_hosts_tolerance(scene, fl_run_slot(scene->run, event)->machine);
  return t >= fl_time_plus(q->from, -slack) && t <= fl_time_plus(q->to, slack);
}

static bool fits(const fl_scene *scene, const query *q, uint32_t hit) {
  const uint32_t event = scene->hits[q->event].at[hit];
  return is_in_window(scene, q, event) && !is_taken(scene, event) && joins(scene, q->event, hit);
}

static int64_t widest_slack(const fl_scene *scene) {
  const int64_t spread = 2 * scene->run->widest_spread;
  return scene->rule->skew_ns > spread ? scene->rule->skew_ns : spread;
}

/* What lies behind the cut may be more of it, and an end that is later or earlier. */
static void mark_cut(fl_scene *scene, const query *q) {
  fl_sight *sight = &scene->sights[q->event];
  sight->is_cut = true;
  sight->is_first_cut = q->pick != PICK_FIRST;
  sight->is_last_cut = q->pick != PICK_LAST;
  scene->run->n_evicted++;
}

/* The first that fits is the one: candidates come in the order of preference. */
static bool find(fl_scene *scene, const query *q, uint32_t *ret_hit) {
  const fl_hits *hits = &scene->hits[q->event];
  walk w = start_walk(scene, q, widest_slack(scene));
  uint32_t hit = 0;
  size_t n_scanned = 0;
  while (next_hit(scene, hits, &w, &hit)) {
    if (++n_scanned > FL_LIMIT_SEQUENCE_SCAN) {
      mark_cut(scene, q);
      return false;
    }
    if (!fits(scene, q, hit)) continue;
    *ret_hit = hit;
    return true;
  }
  return false;
}

bool fl_scene_bind(fl_scene *scene, uint16_t event, uint32_t hit) {
  const fl_selector *selector = &scene->rule->selectors[event];
  const uint32_t at = scene->hits[event].at[hit];
  const uint32_t *values = scene->hits[event].values + (size_t)hit * selector->n_captures;
  fl_sight *sight = &scene->sights[event];
  sight->is_bound = true;
  sight->first = sight->last = at;
  sight->count = 1;
  for (size_t i = 0; i < selector->n_captures; i++) {
    const uint16_t var = selector->captures[i].var;
    if (values[i] == 0 || scene->vars[var]) continue;
    scene->vars[var] = values[i];
    scene->var_event[var] = at;
    scene->var_path[var] = &selector->captures[i].path;
  }
  return true;
}

static void keep(fl_sight *sight, uint32_t *kept, uint32_t event) {
  if (sight->count == 0 || event < sight->first) sight->first = event;
  if (sight->count == 0 || event > sight->last) sight->last = event;
  if (sight->n_kept < FL_LIMIT_SEQUENCE_KEPT) kept[sight->n_kept++] = event;
  sight->count++;
}

/* Are there as many that fit as the step asks for? What a limit hides does not count. */
static bool has_enough(fl_scene *scene, const query *q, const fl_step *step, size_t *n_scanned) {
  const fl_hits *hits = &scene->hits[q->event];
  fl_sight *sight = &scene->sights[q->event];
  query any_order = *q;
  any_order.pick = PICK_NEAREST;
  walk w = start_walk(scene, q, widest_slack(scene));
  uint32_t hit = 0;
  size_t n = 0;
  sight->is_bound = false; /* its own event counts */
  while (n < step->least && next_hit(scene, hits, &w, &hit)) {
    if (++*n_scanned > FL_LIMIT_SEQUENCE_TRIES) {
      mark_cut(scene, q);
      break;
    }
    n += fits(scene, &any_order, hit);
  }
  sight->is_bound = true;
  sight->n_fit = n;
  return n >= step->least;
}

/* A repeated step that asks for several: the first event, in the order of preference, that has
 * enough others beside it which join with it. */
static bool find_several(fl_scene *scene, const query *q, const fl_step *step) {
  const fl_hits *hits = &scene->hits[q->event];
  fl_sight *sight = &scene->sights[q->event];
  walk w = start_walk(scene, q, widest_slack(scene));
  uint32_t before[FL_FLR_MAX_VARS], hit = 0;
  size_t n_scanned = 0;
  memcpy(before, scene->vars, sizeof before);
  while (!sight->is_cut && next_hit(scene, hits, &w, &hit)) {
    if (++n_scanned > FL_LIMIT_SEQUENCE_TRIES) mark_cut(scene, q);
    if (sight->is_cut || !fits(scene, q, hit)) continue;
    (void)fl_scene_bind(scene, q->event, hit);
    if (has_enough(scene, q, step, &n_scanned)) return true;
    sight->is_bound = false;
    memcpy(scene->vars, before, sizeof before);
  }
  return false;
}

/* A repeated step keeps the others of its window too. An anchor takes each of its events once, so
 * the limit is for those that it does not take. */
static fl_status collect(fl_scene *scene, const query *q, const fl_step *step) {
  fl_sight *sight = &scene->sights[q->event];
  fl_hits *hits = &scene->hits[q->event];
  uint8_t *taken = q->event == scene->anchor_event ? scene->taken : NULL;
  uint32_t *kept = FL_NEW_ARRAY(scene->run->scratch, uint32_t, FL_LIMIT_SEQUENCE_KEPT);
  if (!kept) return fl_fail(scene->run->err, FL_E_NOMEM, 0, "out of memory for sequences");
  query any_order = *q;
  any_order.pick = PICK_NEAREST;
  walk w = start_walk(scene, q, widest_slack(scene));
  const uint32_t first = sight->first;
  size_t n_scanned = 0;
  uint32_t hit = 0;
  sight->is_bound = false; /* its own event may come again */
  sight->count = 0;
  while ((!step->most || sight->count < step->most) && next_hit(scene, hits, &w, &hit)) {
    const bool is_more = fits(scene, &any_order, hit);
    const bool is_new = is_more && taken && !taken[hit];
    if (!is_new && ++n_scanned > FL_LIMIT_SEQUENCE_SCAN) {
      mark_cut(scene, q);
      break;
    }
    if (is_new) taken[hit] = 1;
    if (is_more) keep(sight, kept, hits->at[hit]);
  }
  if (sight->count == 0) keep(sight, kept, first);
  sight->is_bound = true;
  sight->kept = kept;
  return FL_OK;
}

/* Does an event that was found capture this variable? */
static bool is_captured(const fl_scene *scene, uint16_t var) {
  for (size_t i = 0; i < scene->rule->n_selectors; i++) {
    const fl_selector *selector = &scene->rule->selectors[i];
    if (!scene->sights[i].is_bound) continue;
    for (size_t k = 0; k < selector->n_captures; k++)
      if (selector->captures[k].var == var) return true;
  }
  return false;
}

/* A join that the event demands, and that what was found has no value for: whatever there is would
 * be somebody else's just as well. */
static bool lacks_join(const fl_scene *scene, uint16_t event, uint16_t *ret_var) {
  const fl_selector *selector = &scene->rule->selectors[event];
  for (size_t i = 0; i < selector->n_captures; i++) {
    const fl_capture *capture = &selector->captures[i];
    if (!capture->is_required || scene->vars[capture->var]) continue;
    *ret_var = capture->var;
    if (is_captured(scene, capture->var)) return true;
  }
  return false;
}

/* What was there may be forgotten, what is to come was not waited for. */
static void mark_window(fl_scene *scene, const fl_step *step, const query *q) {
  fl_sight *sight = &scene->sights[step->event];
  const bool is_gone = fl_time_plus(q->from, -widest_slack(scene)) < scene->of->cut;
  const bool is_to_come =
      scene->is_early && fl_time_plus(q->to, widest_slack(scene)) >= scene->run->now;
  if (!is_gone && !is_to_come) return;
  if (!sight->is_bound || step->is_repeated) sight->is_cut = true;
  if (is_gone && (step->is_repeated || q->pick == PICK_FIRST)) sight->is_first_cut = true;
  if (is_to_come && step->is_repeated) sight->is_last_cut = true;
}

static fl_status search(fl_scene *scene, const fl_step *step, const query *q) {
  uint32_t hit = 0;
  if (step->least > 1) return find_several(scene, q, step) ? collect(scene, q, step) : FL_OK;
  if (!find(scene, q, &hit)) return FL_OK;
  (void)fl_scene_bind(scene, step->event, hit);
  return step->is_repeated ? collect(scene, q, step) : FL_OK;
}

/* Looks for one event; what was found is bound. */
static fl_status look(fl_scene *scene, const fl_step *step, query q) {
  fl_sight *sight = &scene->sights[step->event];
  q.event = step->event;
  if (q.to > scene->last && !q.is_anytime) q.to = scene->last;
  sight->is_searched = true;
  sight->is_cut = false; /* a group may have been tried at other times */
  sight->from = q.from;
  sight->to = q.to;
  sight->is_loose = lacks_join(scene, step->event, &sight->loose_var);
  if (sight->is_loose || q.to < q.from) return FL_OK;
  FL_TRY(search(scene, step, &q));
  if (q.is_anytime) return FL_OK;
  if (scene->is_early || scene->of->cut > INT64_MIN) mark_window(scene, step, &q);
  return FL_OK;
}

static query query_of(const fl_scene *scene, const fl_step *step, uint32_t prev) {
  const fl_time limit = fl_time_plus(scene->end, scene->rule->within_ns);
  const bool prev_is_anchor = prev == scene->anchor;
  query q = {.event = step->event, .base = prev, .pick = PICK_FIRST};
  switch (step->window) {
    case FL_W_BEFORE:
      q.from = fl_time_plus(scene->start, -step->ns);
      q.to = scene->start;
      q.pick = PICK_LAST;
      q.base = scene->anchor;
      break;
    case FL_W_DURING:
      q.from = fl_time_plus(scene->start, -step->ns);
      q.to = fl_time_plus(scene->end, step->ns);
      q.pick = PICK_NEAREST;
      break;
    case FL_W_ANYTIME:
      q.from = INT64_MIN;
      q.to = INT64_MAX;
      q.pick = PICK_LAST;
      q.is_anytime = true;
      break;
    case FL_W_FORWARD:
    case FL_W_AFTER_EVENT:
    case FL_W_BEFORE_EVENT:
    case FL_W_BETWEEN:
      q.from = prev_is_anchor ? scene->start : time_of(scene, prev);
      q.to =
          step->has_window ? fl_time_plus(prev_is_anchor ? scene->end : q.from, step->ns) : limit;
      if (q.to > limit) q.to = limit;
      break;
  }
  return q;
}

/* An absent step's window: from its measure, or from the anchor where that is not there. */
static query absent_query(const fl_scene *scene, const fl_step *step) {
  const fl_sight *a = step->from == FL_FLR_NONE ? NULL : &scene->sights[step->from];
  const fl_sight *b = step->to == FL_FLR_NONE ? NULL : &scene->sights[step->to];
  const bool has_a = a && a->is_bound && a->first != scene->anchor;
  const bool has_b = b && b->is_bound;
  query q = {.event = step->event, .pick = PICK_FIRST, .base = scene->anchor};
  if (step->window == FL_W_DURING) return query_of(scene, step, scene->anchor);
  if (step->window == FL_W_BEFORE_EVENT) {
    q.to = has_a ? time_of(scene, a->first) : scene->start;
    q.from = fl_time_plus(q.to, -step->ns);
    q.pick = PICK_LAST;
    q.base = has_a ? a->first : scene->anchor;
  } else if (step->window == FL_W_BETWEEN) {
    q.from = has_a ? time_of(scene, a->first) : scene->start;
    q.to = has_b ? time_of(scene, b->first) : fl_time_plus(scene->end, scene->rule->within_ns);
    q.base = has_a ? a->first : scene->anchor;
  } else {
    q.from = has_a ? time_of(scene, a->first) : scene->start;
    q.to = fl_time_plus(has_a ? time_of(scene, a->last) : scene->end, step->ns);
    q.base = has_a ? a->first : scene->anchor;
  }
  return q;
}

/* The mandatory items of an `unordered` group, all within its window: the earliest set. */
static bool place_cluster(fl_scene *scene, size_t first, size_t end, query base, fl_time *ret_low,
                          fl_time *ret_high) {
  enum { MAX_ROUNDS = 64 };
  const int64_t ns = scene->rule->steps[first].ns;
  for (int round = 0; round < MAX_ROUNDS; round++) {
    fl_time low = INT64_MAX, high = INT64_MIN;
    for (size_t i = first; i < end; i++) {
      uint32_t hit = 0;
      if (scene->rule->steps[i].is_optional) continue;
      base.event = scene->rule->steps[i].event;
      uint16_t var = 0;
      if (lacks_join(scene, base.event, &var)) return false;
      if (!find(scene, &base, &hit)) return false;
      const fl_time t = time_of(scene, scene->hits[base.event].at[hit]);
      if (t < low) low = t;
      if (t > high) high = t;
    }
    *ret_low = low;
    *ret_high = high;
    if (low > high || high <= fl_time_plus(low, ns)) return true;
    base.from = fl_time_plus(high, -ns);
  }
  scene->run->n_evicted++;
  return false;
}

static bool is_cluster_there(const fl_scene *scene, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    const fl_step *step = &scene->rule->steps[i];
    if (!step->is_optional && step->choice == FL_FLR_NONE && !scene->sights[step->event].is_bound)
      return false;
  }
  return true;
}

static fl_status search_cluster(fl_scene *scene, size_t first, size_t end, uint32_t *prev,
                                bool *ret_is_match) {
  const fl_step *steps = scene->rule->steps;
  const bool has_anchor = steps[first].cluster == steps[scene->rule->anchor].cluster;
  query q = query_of(scene, &(fl_step){.event = steps[first].event}, *prev);
  q.pick = has_anchor ? PICK_NEAREST : PICK_FIRST;
  if (has_anchor) {
    q.from = fl_time_plus(scene->start, -steps[first].ns);
    q.to = fl_time_plus(scene->end, steps[first].ns);
  } else {
    fl_time low = 0, high = 0;
    if (q.to > scene->last) q.to = scene->last;
    if (!place_cluster(scene, first, end, q, &low, &high)) {
      *ret_is_match = false;
      return FL_OK;
    }
    if (low <= high) {
      const fl_time from = fl_time_plus(high, -steps[first].ns);
      if (from > q.from) q.from = from;
      if (fl_time_plus(low, steps[first].ns) < q.to) q.to = fl_time_plus(low, steps[first].ns);
    }
  }
  for (size_t i = first; i < end; i++) {
    if (scene->sights[steps[i].event].is_bound) continue;
    FL_TRY(look(scene, &steps[i], q));
    const fl_sight *sight = &scene->sights[steps[i].event];
    if (sight->is_bound && time_of(scene, sight->first) > time_of(scene, *prev))
      *prev = sight->first;
  }
  *ret_is_match = is_cluster_there(scene, first, end);
  return FL_OK;
}

/* One step, or alternatives that share a window: any of them is enough. */
static fl_status search_item(fl_scene *scene, size_t first, size_t end, uint32_t *prev,
                             bool *ret_is_match) {
  const fl_step *steps = scene->rule->steps;
  const query q = query_of(scene, &steps[first], *prev);
  bool is_any = false;
  uint32_t earliest = 0;
  for (size_t i = first; i < end; i++) {
    FL_TRY(look(scene, &steps[i], q));
    const fl_sight *sight = &scene->sights[steps[i].event];
    if (!sight->is_bound) continue;
    if (!is_any || time_of(scene, sight->first) < time_of(scene, earliest)) earliest = sight->first;
    is_any = true;
  }
  if (is_any && steps[first].window == FL_W_FORWARD) *prev = earliest;
  *ret_is_match = is_any || steps[first].is_optional;
  return FL_OK;
}

static size_t group_end(const fl_rule *rule, size_t i) {
  const fl_step *step = &rule->steps[i];
  size_t end = i + 1;
  if (step->kind != FL_STEP_ITEM) return end;
  while (end < rule->n_steps && rule->steps[end].kind == FL_STEP_ITEM &&
         ((step->cluster != FL_FLR_NONE && rule->steps[end].cluster == step->cluster) ||
          (step->cluster == FL_FLR_NONE && step->choice != FL_FLR_NONE &&
           rule->steps[end].choice == step->choice)))
    end++;
  return end;
}

static fl_status search_until(fl_scene *scene) {
  for (size_t i = 0; i < scene->rule->n_steps; i++) {
    const fl_step *step = &scene->rule->steps[i];
    if (step->kind != FL_STEP_UNTIL) continue;
    query q = query_of(scene, step, scene->anchor);
    q.from = fl_time_plus(scene->end, 1);
    FL_TRY(look(scene, step, q));
    if (scene->sights[step->event].is_bound)
      scene->last = time_of(scene, scene->sights[step->event].first);
  }
  return FL_OK;
}

/* The anchor's own alternatives are not looked for; its other occurrences are. */
static fl_status search_anchor(fl_scene *scene, bool *ret_is_match) {
  const fl_step *step = &scene->rule->steps[scene->rule->anchor];
  size_t n_scanned = 0;
  *ret_is_match = true;
  if (!step->is_repeated) return FL_OK;
  const query q = query_of(scene, &(fl_step){.event = scene->anchor_event}, scene->anchor);
  query clipped = q;
  clipped.event = scene->anchor_event;
  if (clipped.to > scene->last) clipped.to = scene->last;
  if (step->least > 1) *ret_is_match = has_enough(scene, &clipped, step, &n_scanned);
  return *ret_is_match ? collect(scene, &clipped, step) : FL_OK;
}

fl_status fl_scene_search(fl_scene *scene, bool *ret_is_match) {
  const fl_rule *rule = scene->rule;
  const fl_step *anchor = &rule->steps[rule->anchor];
  uint32_t prev = scene->anchor;
  bool is_match = true;
  FL_TRY(search_until(scene));
  FL_TRY(search_anchor(scene, &is_match));
  for (size_t i = 0, end = 0; i < rule->n_steps && is_match; i = end) {
    const fl_step *step = &rule->steps[i];
    end = group_end(rule, i);
    if (step->kind != FL_STEP_ITEM) continue;
    const bool is_anchor =
        anchor->cluster == FL_FLR_NONE &&
        (step == anchor || (anchor->choice != FL_FLR_NONE && step->choice == anchor->choice));
    if (is_anchor) continue;
    FL_TRY(step->cluster != FL_FLR_NONE ? search_cluster(scene, i, end, &prev, &is_match)
                                        : search_item(scene, i, end, &prev, &is_match));
  }
  for (size_t i = 0; i < rule->n_steps && is_match; i++)
    if (rule->steps[i].kind == FL_STEP_ABSENT)
      FL_TRY(look(scene, &rule->steps[i], absent_query(scene, &rule->steps[i])));
  *ret_is_match = is_match;
  return FL_OK;
}
