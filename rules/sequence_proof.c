/* sequence_proof.c - which logs of a machine would hold an event, and whether it is written there.
 *
 * Worked out once for each selector and machine; time is looked at later, for each window. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/sequence_run.h"

enum { MAX_LOGS = 32 };

typedef struct draft {
  fl_run *run;
  const fl_selector *selector;
  int32_t machine;
  fl_str reason;
  fl_proof_log logs[MAX_LOGS];
  size_t n_logs;
} draft;

/* The slice of a list that belongs to a machine. */
static size_t slice(const uint32_t *order, const int32_t *of, size_t n, int32_t machine,
                    size_t *ret_first) {
  size_t low = 0, high = n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (of[order[middle]] < machine) low = middle + 1;
    else high = middle;
  }
  *ret_first = low;
  while (low < n && of[order[low]] == machine) low++;
  return low - *ret_first;
}

/* Such logs record while somebody traces: what they lack proves nothing. */
static bool is_traced_only(fl_str channel) {
  static const char *const ends[] = {"/Analytic", "/Debug"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const fl_str end = fl_str_of(ends[i]);
    if (channel.n > end.n && fl_str_eq_nocase((fl_str){channel.p + channel.n - end.n, end.n}, end))
      return true;
  }
  return false;
}

/* Several hosts of the coverage may be one machine: any of their logs of that name counts. */
static bool add_log(draft *d, fl_str channel) {
  fl_run *run = d->run;
  for (size_t i = 0; i < d->n_logs; i++)
    if (fl_str_eq_nocase(d->logs[i].channel, channel)) return true;
  if (is_traced_only(channel)) {
    d->reason = fl_arena_printf(run->work, "the log %.*s is off unless somebody traces",
                                FL_STR_ARG(channel));
    return false;
  }
  size_t first = 0, n_found = 0;
  const size_t n =
      slice(run->coverage_at, run->coverage_machine, run->in.n_coverage, d->machine, &first);
  for (size_t i = first; i < first + n; i++)
    n_found += fl_str_eq_nocase(run->in.coverage[run->coverage_at[i]].channel, channel);
  uint32_t *entries = FL_NEW_ARRAY(run->work, uint32_t, n_found);
  if (n_found == 0 || !entries || d->n_logs == MAX_LOGS) {
    const fl_str host = fl_hosts_name(run, d->machine);
    d->reason = fl_arena_printf(run->work, "the log %.*s of %.*s is not in the case",
                                FL_STR_ARG(channel), FL_STR_ARG(host));
    return false;
  }
  n_found = 0;
  for (size_t i = first; i < first + n; i++)
    if (fl_str_eq_nocase(run->in.coverage[run->coverage_at[i]].channel, channel))
      entries[n_found++] = run->coverage_at[i];
  d->logs[d->n_logs++] = (fl_proof_log){channel, entries, n_found};
  return true;
}

static bool fits(fl_str wanted, fl_str text) {
  return wanted.n == 0 || fl_str_eq_nocase(wanted, text);
}

static bool is_always(fl_str provider, int64_t id) {
  const fl_event_fact *fact = id >= 0 ? fl_event_fact_find(provider, (uint32_t)id) : NULL;
  return fact && fact->always;
}

/* Events of one setting of the audit policy are written together. */
static bool is_audited(const fl_sighting *s, fl_str provider, int64_t id) {
  const char *setting = fl_audit_setting(provider, id);
  const char *other = setting ? fl_audit_setting(s->provider, s->event_id) : NULL;
  return other && strcmp(setting, other) == 0;
}

/* The logs that hold the provider, or the channel asked for; the event must occur, be one that is
 * always written, or one of a setting that others of the log show to be on. */
static bool add_row(draft *d, fl_str provider, int64_t id) {
  const fl_run *run = d->run;
  const fl_str channel = fl_source_meant(&d->selector->source)->channel;
  const fl_str host = fl_hosts_name(run, d->machine);
  size_t first = 0;
  const size_t n =
      slice(run->sighting_at, run->sighting_machine, run->in.n_sightings, d->machine, &first);
  bool occurs = provider.n && is_always(provider, id), has_log = channel.n > 0;
  if (channel.n && !add_log(d, channel)) return false;
  for (size_t i = first; i < first + n; i++) {
    const fl_sighting *s = &run->in.sightings[run->sighting_at[i]];
    if (!fits(provider, s->provider) || !fits(channel, s->channel)) continue;
    has_log = true;
    occurs = occurs || id < 0 || s->event_id == id || is_always(s->provider, id) ||
             is_audited(s, provider.n ? provider : s->provider, id);
    if (!add_log(d, s->channel)) return false;
  }
  if (has_log && occurs) return true;
  d->reason = has_log
                  ? fl_arena_printf(run->work, "no such event occurs anywhere in the logs of %.*s",
                                    FL_STR_ARG(host))
                  : fl_arena_printf(run->work, "nothing of %.*s is in the logs of %.*s",
                                    FL_STR_ARG(fl_provider_short(provider)), FL_STR_ARG(host));
  return false;
}

/* Of a state the machine's own facts of that kind speak: where there are some, what is not among
 * them was not so. A window asks for more than they know. */
static bool add_state(draft *d) {
  const fl_run *run = d->run;
  const fl_event_source *source = fl_source_meant(&d->selector->source);
  const fl_str host = fl_hosts_name(run, d->machine);
  size_t first = 0;
  const size_t n =
      slice(run->sighting_at, run->sighting_machine, run->in.n_sightings, d->machine, &first);
  if (!d->selector->is_anytime) {
    d->reason = FL_STR("a state is known for the time of its collection alone");
    return false;
  }
  for (size_t i = first; i < first + n; i++) {
    const fl_sighting *s = &run->in.sightings[run->sighting_at[i]];
    const fl_event_fact *fact = s->event_id >= 0 && s->event_id <= UINT32_MAX
                                    ? fl_event_fact_find(s->provider, (uint32_t)s->event_id)
                                    : NULL;
    const fl_event probe = {.kind = fl_str_of(fact ? fact->kind : ""),
                            .provider = s->provider,
                            .channel = s->channel,
                            .event_id = s->event_id};
    if (fl_event_source_fits(source, &probe)) return true;
  }
  d->reason = source->kind.n ? fl_arena_printf(run->work, "the case holds no %.*s of %.*s",
                                               FL_STR_ARG(source->kind), FL_STR_ARG(host))
                             : fl_arena_printf(run->work, "the case holds no such state of %.*s",
                                               FL_STR_ARG(host));
  return false;
}

static bool is_state(const fl_event_source *source) {
  return fl_kind_is_state(source->kind) || fl_provider_is_state(source->provider);
}

/* A kind stands for the rows of facts that bear it. */
static bool add_kind(draft *d) {
  const fl_event_source *source = fl_source_meant(&d->selector->source);
  const fl_event_fact *facts = NULL;
  const size_t n = fl_event_facts(&facts);
  bool has_row = false;
  for (size_t i = 0; i < n; i++) {
    const fl_event probe = {.kind = fl_str_of(facts[i].kind),
                            .provider = fl_str_of(facts[i].provider),
                            .channel = source->channel,
                            .event_id = facts[i].event_id};
    if (!fl_event_source_fits(source, &probe)) continue;
    has_row = true;
    if (!add_row(d, probe.provider, probe.event_id)) return false;
  }
  if (!has_row) d->reason = FL_STR("no log is known that would show it");
  return has_row;
}

/* What another engine's rule fits is not known by channel and id. */
static bool is_opaque(const fl_event_source *source) {
  const bool has_part = source->channel.n || source->provider.n || source->n_ids;
  return source->named && source->named->kind != FL_NAMED_RULE && !has_part;
}

static bool add_all(draft *d) {
  const fl_event_source *source = fl_source_meant(&d->selector->source);
  if (is_opaque(source)) {
    d->reason = FL_STR("no log is known that would show it");
    return false;
  }
  if (is_state(source)) return add_state(d);
  if (source->kind.n || source->kind_is_prefix) return add_kind(d);
  if (source->n_ids == 0) return add_row(d, source->provider, -1);
  for (size_t i = 0; i < source->n_ids; i++)
    if (!add_row(d, source->provider, source->ids[i])) return false;
  return true;
}

const fl_proof *fl_proof_of(fl_scene *scene, uint16_t event, int32_t machine) {
  fl_run *run = scene->run;
  const size_t n_selectors = scene->rule->n_selectors;
  if (!scene->of->proofs)
    scene->of->proofs = calloc(run->in.n_machines * n_selectors + 1, sizeof *scene->of->proofs);
  if (!scene->of->proofs) return NULL;
  const fl_proof **slot = &scene->of->proofs[(size_t)machine * n_selectors + event];
  if (*slot) return *slot;
  draft d = {.run = run, .selector = &scene->rule->selectors[event], .machine = machine};
  const bool is_possible = add_all(&d);
  fl_proof *proof = FL_NEW(run->work, fl_proof);
  fl_proof_log *logs = FL_NEW_ARRAY(run->work, fl_proof_log, d.n_logs);
  if (!proof || !logs) return NULL;
  if (d.n_logs) memcpy(logs, d.logs, d.n_logs * sizeof *logs);
  *proof = (fl_proof){logs, d.n_logs, is_possible ? (fl_str){0} : d.reason};
  if (!is_possible && proof->reason.n == 0) proof->reason = FL_STR("memory is short");
  return *slot = proof;
}
