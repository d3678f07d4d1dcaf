/* sequence_hosts.c - names to machines, and how far apart clocks may be. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "rules/sequence_run.h"

void fl_interner_done(fl_interner *table) {
  free(table->texts);
  free(table->slots);
}

static size_t intern_slot(const fl_interner *table, fl_str text) {
  size_t at = (size_t)fl_hash_bytes(text.p, text.n, 0) & (table->n_slots - 1);
  while (table->slots[at] && !fl_str_eq(table->texts[table->slots[at]], text))
    at = (at + 1) & (table->n_slots - 1);
  return at;
}

static bool intern_grow(fl_interner *table) {
  const size_t n_slots = table->n_slots ? table->n_slots * 2 : 256;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  free(table->slots);
  table->slots = slots;
  table->n_slots = n_slots;
  for (size_t i = 1; i < table->n; i++) slots[intern_slot(table, table->texts[i])] = (uint32_t)i;
  return true;
}

bool fl_intern_find(const fl_interner *table, fl_str text, uint32_t *ret_number) {
  if (table->n_slots == 0) return false;
  *ret_number = table->slots[intern_slot(table, text)];
  return *ret_number != 0;
}

bool fl_intern(fl_interner *table, fl_str text, uint32_t *ret_number) {
  if (fl_intern_find(table, text, ret_number)) return true;
  if (table->n == 0) table->n = 1;
  if (table->n >= UINT32_MAX || (table->n + 1) * 2 > table->n_slots)
    if (!intern_grow(table)) return false;
  if (!fl_grow((void **)&table->texts, &table->cap, table->n + 1, sizeof *table->texts))
    return false;
  const fl_str kept = fl_arena_str(table->arena, text);
  if (!kept.p) return false;
  table->texts[0] = (fl_str){0};
  table->texts[table->n] = kept;
  *ret_number = (uint32_t)table->n;
  table->slots[intern_slot(table, kept)] = (uint32_t)table->n++;
  return true;
}

static fl_status no_memory(fl_run *run) {
  return fl_fail(run->err, FL_E_NOMEM, 0, "out of memory for sequences");
}

/* Names are kept whole ("=srv01.corp.example") and by first label ("~srv01"). */
static fl_str marked_name(char mark, fl_str name, fl_arena *arena) {
  while (name.n > 1 && name.p[name.n - 1] == '.') name.n--;
  const fl_str plain = mark == '=' ? fl_norm_apply(FL_NORM_TEXT, name, arena)
                                   : fl_norm_apply(FL_NORM_HOST, name, arena);
  return fl_arena_printf(arena, "%c%.*s", mark, FL_STR_ARG(plain));
}

static fl_status add_name(fl_run *run, char mark, fl_str name, int32_t machine) {
  uint32_t number = 0;
  const fl_str key = marked_name(mark, name, run->work);
  if (!key.p || !fl_intern(&run->hosts.names, key, &number)) return no_memory(run);
  const size_t known = run->hosts.cap;
  if (!fl_grow((void **)&run->hosts.machine_of, &run->hosts.cap, number + 1u,
               sizeof *run->hosts.machine_of))
    return no_memory(run);
  for (size_t i = known; i < run->hosts.cap; i++) run->hosts.machine_of[i] = -1;
  int32_t *slot = &run->hosts.machine_of[number];
  *slot = *slot == -1 || *slot == machine ? machine : -2;
  return FL_OK;
}

int32_t fl_hosts_find(const fl_run *run, fl_str host) {
  uint32_t number = 0;
  if (host.n == 0) return -1;
  for (int i = 0; i < 2; i++) {
    const fl_str key = marked_name(i == 0 ? '=' : '~', host, run->scratch);
    if (!key.p || !fl_intern_find(&run->hosts.names, key, &number)) continue;
    if (run->hosts.machine_of[number] >= 0) return run->hosts.machine_of[number];
  }
  return -1;
}

fl_str fl_hosts_name(const fl_run *run, int32_t machine) {
  return machine < 0 ? FL_STR("an unknown machine") : run->in.machines[machine].name;
}

static int by_machine(const void *a, const void *b, void *machines) {
  const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  const int32_t *of = machines;
  if (of[left] != of[right]) return of[left] < of[right] ? -1 : 1;
  return left < right ? -1 : left > right;
}

/* Indices of a list, sorted by the machine that each item belongs to. */
static fl_status sort_by_machine(fl_run *run, size_t n, int32_t *of, uint32_t **ret_order) {
  uint32_t *order = FL_NEW_ARRAY(run->work, uint32_t, n);
  if (!order) return no_memory(run);
  for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
  qsort_r(order, n, sizeof *order, by_machine, of);
  *ret_order = order;
  return FL_OK;
}

static fl_status place_lists(fl_run *run) {
  const fl_sequence_input *in = &run->in;
  run->sighting_machine = FL_NEW_ARRAY(run->work, int32_t, in->n_sightings);
  run->coverage_machine = FL_NEW_ARRAY(run->work, int32_t, in->n_coverage);
  if (!run->sighting_machine || !run->coverage_machine) return no_memory(run);
  for (size_t i = 0; i < in->n_sightings; i++)
    run->sighting_machine[i] = fl_hosts_find(run, in->sightings[i].host);
  for (size_t i = 0; i < in->n_coverage; i++)
    run->coverage_machine[i] = fl_hosts_find(run, in->coverage[i].host);
  fl_arena_reset(run->scratch);
  FL_TRY(sort_by_machine(run, in->n_sightings, run->sighting_machine, &run->sighting_at));
  return sort_by_machine(run, in->n_coverage, run->coverage_machine, &run->coverage_at);
}

/* Of an event's host, which is one of few. */
int32_t fl_hosts_find_recent(fl_run *run, fl_str host) {
  if (host.n == 0) return -1;
  fl_recent_host *known = &run->recent_hosts[fl_hash_bytes(host.p, host.n, 0) % FL_RECENT];
  if (!fl_str_eq(known->host, host)) *known = (fl_recent_host){host, fl_hosts_find(run, host)};
  return known->machine;
}

fl_status fl_hosts_init(fl_run *run) {
  run->hosts.names.arena = run->work;
  for (size_t i = 0; i < run->in.n_machines; i++) {
    const fl_machine *machine = &run->in.machines[i];
    FL_TRY(add_name(run, '=', machine->name, (int32_t)i));
    FL_TRY(add_name(run, '~', machine->name, (int32_t)i));
    for (size_t k = 0; k < machine->n_aliases; k++) {
      FL_TRY(add_name(run, '=', machine->aliases[k], (int32_t)i));
      FL_TRY(add_name(run, '~', machine->aliases[k], (int32_t)i));
    }
    const int64_t spread = machine->spread_ns < 0 ? 0 : machine->spread_ns;
    if (spread < INT64_MAX / 8 && spread > run->widest_spread) run->widest_spread = spread;
  }
  return place_lists(run);
}

void fl_hosts_done(fl_run *run) {
  fl_interner_done(&run->hosts.names);
  free(run->hosts.machine_of);
}

/* How far an event of `machine` may lie outside a window that counts from the anchor. */
int64_t fl_hosts_tolerance(const fl_scene *scene, int32_t machine) {
  if (machine >= 0 && (machine == scene->machine || machine == scene->other_machine)) return 0;
  if (machine < 0 || scene->machine < 0) return scene->rule->skew_ns;
  const fl_machine *a = &scene->run->in.machines[scene->machine];
  const fl_machine *b = &scene->run->in.machines[machine];
  if (a->n_anchors == 0 && b->n_anchors == 0 && !a->clock_is_given && !b->clock_is_given)
    return scene->rule->skew_ns;
  const int64_t widest = scene->run->widest_spread;
  const int64_t left = a->spread_ns < 0 ? 0 : a->spread_ns > widest ? widest : a->spread_ns;
  const int64_t right = b->spread_ns < 0 ? 0 : b->spread_ns > widest ? widest : b->spread_ns;
  return left + right;
}
