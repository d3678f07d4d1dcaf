/* sequence_words.c - evidence in words where a rule has none: seen, absent, or not to be known. */
#include <string.h>

#include "base/text.h"
#include "rules/sequence_run.h"

enum { MAX_IDS = 8 };

static fl_str glued(fl_scene *scene, fl_str text, const char *glue, fl_str more) {
  if (text.n == 0) return more;
  return fl_arena_printf(scene->run->scratch, "%.*s%s%.*s", FL_STR_ARG(text), glue,
                         FL_STR_ARG(more));
}

/* "RdpCoreTS 142/143" */
static fl_str with_ids(fl_str provider, const uint32_t *ids, size_t n, fl_arena *arena) {
  const fl_str name = fl_provider_short(provider);
  fl_str text = fl_arena_printf(arena, "%.*s", FL_STR_ARG(name));
  for (size_t i = 0; i < n && i < MAX_IDS; i++)
    text = fl_arena_printf(arena, "%.*s%s%u", FL_STR_ARG(text), i ? "/" : " ", ids[i]);
  return text;
}

/* The rows of facts that bear the kind, by provider. */
static fl_str kind_words(fl_scene *scene, const fl_event_source *source) {
  const fl_event_fact *facts = NULL;
  const size_t n = fl_event_facts(&facts);
  fl_str text = {0};
  for (size_t i = 0; i < n;) {
    const fl_str provider = fl_str_of(facts[i].provider);
    uint32_t ids[MAX_IDS] = {0};
    size_t n_ids = 0;
    for (; i < n && fl_str_eq(fl_str_of(facts[i].provider), provider); i++) {
      const fl_event probe = {.kind = fl_str_of(facts[i].kind),
                              .provider = provider,
                              .channel = source->channel,
                              .event_id = facts[i].event_id};
      if (n_ids < MAX_IDS && fl_event_source_fits(source, &probe)) ids[n_ids++] = facts[i].event_id;
    }
    if (n_ids && text.n < 120)
      text = glued(scene, text, ", ", with_ids(provider, ids, n_ids, scene->run->scratch));
  }
  return text.n ? text : FL_STR("a record of it");
}

/* A state is called by its kind: its provider is we ourselves. */
static fl_str state_words(fl_scene *scene, const fl_event_source *source) {
  if (!source->kind.n) return FL_STR("state of the machine");
  return fl_arena_printf(scene->run->scratch, "%.*s%s", FL_STR_ARG(source->kind),
                         source->kind_is_prefix ? "*" : "");
}

/* What a person would look for in the log. */
static fl_str selector_words(fl_scene *scene, uint16_t event) {
  const fl_event_source *source = fl_source_meant(&scene->rule->selectors[event].source);
  if (source->named)
    return fl_arena_printf(scene->run->scratch, "an event of %s rule %.*s",
                           fl_named_words[source->named->kind], FL_STR_ARG(source->named->name));
  if (fl_kind_is_state(source->kind) || fl_provider_is_state(source->provider))
    return state_words(scene, source);
  if (source->kind.n) return kind_words(scene, source);
  const fl_str where = source->provider.n ? source->provider : source->channel;
  if (source->n_ids) return with_ids(where, source->ids, source->n_ids, scene->run->scratch);
  const fl_str name = fl_provider_short(where);
  return fl_arena_printf(scene->run->scratch, "an event of %.*s", FL_STR_ARG(name));
}

static fl_str bound_words(fl_scene *scene, uint16_t event) {
  fl_arena *scratch = scene->run->scratch;
  const uint32_t first = scene->sights[event].first;
  const fl_event *e = fl_run_event(scene->run, first);
  const fl_str sentence = fl_event_sentence(e, scratch);
  const fl_str when = fl_run_slot(scene->run, first)->is_timeless
                          ? FL_STR("no time")
                          : fl_moment_text(fl_run_time(scene->run, first), scratch);
  if (sentence.n)
    return fl_arena_printf(scratch, "%.*s (%.*s, %.*s)", FL_STR_ARG(sentence), FL_STR_ARG(e->host),
                           FL_STR_ARG(when));
  if (e->flags & FL_F_SYNTHETIC)
    return fl_arena_printf(scratch, "the attempt at %.*s", FL_STR_ARG(when));
  const fl_str name = fl_provider_short(e->provider);
  return fl_arena_printf(scratch, "event %lld of %.*s on %.*s at %.*s", (long long)e->event_id,
                         FL_STR_ARG(name), FL_STR_ARG(e->host), FL_STR_ARG(when));
}

static fl_str absent_words(fl_scene *scene, uint16_t event) {
  fl_arena *scratch = scene->run->scratch;
  const fl_sight *sight = &scene->sights[event];
  const fl_str what = selector_words(scene, event);
  if (!sight->is_searched || sight->to < sight->from)
    return fl_arena_printf(scratch, "no %.*s", FL_STR_ARG(what));
  if (scene->rule->selectors[event].is_anytime)
    return fl_arena_printf(scratch, "no %.*s that fits", FL_STR_ARG(what));
  const fl_str from = fl_moment_text(sight->from, scratch), to = fl_moment_text(sight->to, scratch);
  return fl_arena_printf(scratch, "no %.*s from %.*s to %.*s, and the log covers that time",
                         FL_STR_ARG(what), FL_STR_ARG(from), FL_STR_ARG(to));
}

fl_str fl_scene_made_text(fl_scene *scene, const bool *named) {
  fl_str text = {0};
  for (uint16_t i = 0; i < scene->rule->n_selectors; i++)
    if (named[i] && scene->sights[i].is_bound)
      text = glued(scene, text, "; ", bound_words(scene, i));
  for (uint16_t i = 0; i < scene->rule->n_selectors; i++)
    if (named[i] && !scene->sights[i].is_bound && fl_scene_truth(scene, i) == FL_FALSE)
      text = glued(scene, text, "; ", absent_words(scene, i));
  return text.n ? text : fl_str_of(scene->rule->info.title);
}

/* Why it is not known what became of an event; NULL when it is. */
static const fl_str *unknown_reason(fl_scene *scene, uint16_t event) {
  static const fl_str too_many = {"too many events lie in that time", 32};
  const fl_sight *sight = &scene->sights[event];
  if (sight->is_bound) return sight->is_cut ? &too_many : NULL;
  return fl_scene_truth(scene, event) == FL_UNKNOWN ? &sight->reason : NULL;
}

/* "not provable: whether <what the line claims> (Schannel 36870): no log of SRV01 is in the case"
 */
fl_str fl_scene_missing_text(fl_scene *scene, const fl_part *line, const bool *named) {
  fl_arena *scratch = scene->run->scratch;
  fl_str where = {0}, why = {0}, last_where = {0}, last_why = {0};
  bool is_there = true;
  for (uint16_t i = 0; i < scene->rule->n_selectors; i++) {
    const fl_str *reason = named[i] ? unknown_reason(scene, i) : NULL;
    if (!reason) continue;
    is_there = is_there && scene->sights[i].is_bound;
    const fl_str what = selector_words(scene, i);
    if (!fl_str_eq(what, last_where)) where = glued(scene, where, ", ", what);
    if (!fl_str_eq(*reason, last_why)) why = glued(scene, why, "; ", *reason);
    last_where = what;
    last_why = *reason;
  }
  const fl_str claim = line ? fl_scene_claim(scene, line, scratch) : (fl_str){0};
  if (claim.n == 0)
    return fl_arena_printf(scratch, "not provable: %s %.*s was logged: %.*s",
                           is_there ? "how often" : "whether", FL_STR_ARG(where), FL_STR_ARG(why));
  return fl_arena_printf(scratch, "not provable: whether %.*s (%.*s): %.*s", FL_STR_ARG(claim),
                         FL_STR_ARG(where), FL_STR_ARG(why));
}
