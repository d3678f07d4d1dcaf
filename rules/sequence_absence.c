/* sequence_absence.c - whether something that was not found is proven not to have happened.
 *
 * Proven is what the logs of every machine in question cover for the whole window, of events that
 * are known to be written there. All else is unknown, with the reason in words. */
#include <string.h>

#include "base/text.h"
#include "rules/sequence_run.h"

bool fl_entry_covers(const fl_coverage *entry, fl_time from, fl_time to) {
  if (from < entry->start || to > entry->end) return false;
  for (size_t i = 0; i < entry->n_holes; i++)
    if (entry->holes[i].start <= to && entry->holes[i].end >= from) return false;
  return true;
}

static bool is_log_covered(const fl_run *run, const fl_proof_log *log, fl_time from, fl_time to) {
  for (size_t i = 0; i < log->n_entries; i++)
    if (fl_entry_covers(&run->in.coverage[log->entries[i]], from, to)) return true;
  return false;
}

/* Coverage is in the machine's own time. */
static bool prove_on(fl_scene *scene, uint16_t event, int32_t machine) {
  const int64_t widest_offset = 400000000 * FL_SECOND;
  fl_run *run = scene->run;
  fl_sight *sight = &scene->sights[event];
  const int64_t slack = fl_hosts_tolerance(scene, machine);
  int64_t offset = run->in.machines[machine].offset_ns;
  if (offset > widest_offset || offset < -widest_offset) offset = 0;
  const fl_proof *proof = fl_proof_of(scene, event, machine);
  if (!proof || proof->reason.n) {
    sight->reason = proof ? proof->reason : FL_STR("memory is short");
    return false;
  }
  /* A step of any time asks for all that was before the anchor's end. */
  const fl_time end = scene->rule->selectors[event].is_anytime ? scene->end : sight->to;
  const fl_time from = fl_time_plus(fl_time_plus(sight->from, -slack), -offset);
  const fl_time to = fl_time_plus(fl_time_plus(end, slack), -offset);
  for (size_t i = 0; i < proof->n_logs; i++) {
    const fl_proof_log *log = &proof->logs[i];
    if (is_log_covered(run, log, from, to)) continue;
    const fl_str host = fl_hosts_name(run, machine);
    sight->reason = fl_arena_printf(run->scratch, "the log %.*s of %.*s does not cover %s",
                                    FL_STR_ARG(log->channel), FL_STR_ARG(host),
                                    from == INT64_MIN ? "all the time before" : "that time");
    return false;
  }
  return true;
}

/* The value of the join that names the event's own machine; 0 = none. */
static uint32_t own_machine(const fl_scene *scene, const fl_selector *selector) {
  for (size_t i = 0; i < selector->n_captures; i++) {
    const fl_capture *capture = &selector->captures[i];
    const bool is_host =
        capture->path.column && capture->path.column->offset == offsetof(fl_event, host);
    const bool is_own = capture->path.machine && capture->path.machine == selector->role;
    if ((is_host || is_own) && scene->rule->vars[capture->var].norm == FL_NORM_HOST &&
        scene->vars[capture->var])
      return capture->var + 1u;
  }
  return 0;
}

static bool prove(fl_scene *scene, uint16_t event) {
  const fl_run *run = scene->run;
  const fl_selector *selector = &scene->rule->selectors[event];
  fl_sight *sight = &scene->sights[event];
  if (sight->is_cut) {
    sight->reason = FL_STR("too many events lie in that time");
    return false;
  }
  const uint32_t own = own_machine(scene, selector);
  if (own) {
    const uint32_t value = scene->vars[own - 1];
    const int32_t machine = value < run->cap_value_machine ? run->value_machine[value] : -1;
    if (machine >= 0) return prove_on(scene, event, machine);
    const fl_value name = fl_scene_var(scene, (uint16_t)(own - 1));
    const fl_str host = fl_value_text(&name, run->scratch);
    sight->reason =
        fl_arena_printf(run->scratch, "no log of %.*s is in the case", FL_STR_ARG(host));
    return false;
  }
  bool is_any = false;
  for (size_t i = 0; i < run->in.n_machines; i++) {
    if (selector->role && !(run->in.machines[i].roles & selector->role)) continue;
    is_any = true;
    if (!prove_on(scene, event, (int32_t)i)) return false;
  }
  if (is_any) return true;
  const char *role = selector->role == FL_ROLE_CLIENT   ? "client"
                     : selector->role == FL_ROLE_SERVER ? "server"
                     : selector->role                   ? "gateway"
                                                        : "machine";
  sight->reason = fl_arena_printf(run->scratch, "no log of a %s is in the case", role);
  return false;
}

/* Records may be there, but nothing tells whose they are. */
static bool blame_join(fl_scene *scene, fl_sight *sight) {
  if (!sight->is_loose) return false;
  sight->reason =
      fl_arena_printf(scene->run->scratch, "nothing ties such a record to it (no %%%.*s)",
                      FL_STR_ARG(scene->rule->vars[sight->loose_var].name));
  return true;
}

fl_truth fl_scene_truth(fl_scene *scene, uint16_t event) {
  fl_sight *sight = &scene->sights[event];
  if (sight->is_bound) return FL_TRUE;
  if (!sight->is_searched) return FL_FALSE; /* the anchor's other alternatives */
  if (sight->has_truth) return sight->truth;
  sight->has_truth = true;
  /* A window that is empty holds nothing. */
  const bool is_proven =
      sight->to < sight->from || (prove(scene, event) && !blame_join(scene, sight));
  sight->truth = is_proven ? FL_FALSE : FL_UNKNOWN;
  return sight->truth;
}
