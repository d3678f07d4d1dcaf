/* gap_log.c - gaps between the record ids of each log, told one by one or as one.
 *
 * A log is what its numbering runs through: all files of one host and channel, and in files that
 * were copied as they are also the records that bear other names of the host, for a machine that
 * is renamed goes on counting. Exports number their records anew in the records' headers, and may
 * leave records out; what is missing there was not lost. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "timeline/coverage.h"

enum { RECORD_LEAST = 28 }; /* bytes of a record: header and second size (docs/formats/evtx.md) */

/* What is known of a placing beyond its runs. */
typedef struct traits {
  bool is_renumbered; /* headers count in a way of their own */
  bool is_whole;      /* and no number is missing in its source */
  uint32_t log;       /* least index of the placings of the same log */
} traits;

typedef struct entry {
  uint32_t log, placing;
  const fl_id_run *run;
} entry;

typedef struct finder {
  fl_coverage_map *map;
  traits *traits; /* by placing */
  uint32_t *order;
  entry *entries;
  size_t n_entries;
} finder;

/* All gaps of one kind in one log. */
typedef struct tally {
  fl_gap gap;
  uint64_t n;
} tally;

static uint32_t root_of(traits *all, uint32_t i) {
  while (all[i].log != i) {
    all[i].log = all[all[i].log].log;
    i = all[i].log;
  }
  return i;
}

static void join(traits *all, uint32_t a, uint32_t b) {
  a = root_of(all, a);
  b = root_of(all, b);
  if (a < b) all[b].log = a;
  else all[a].log = b;
}

/* Copied files bear each id twice: in the record and in its header. */
static bool is_renumbered(const fl_placing *placing) {
  uint64_t n = 0, n_equal = 0;
  for (size_t i = 0; i < placing->n_runs; i++) {
    const fl_id_run *run = &placing->runs[i];
    const uint64_t length = run->last - run->first + 1;
    n += length;
    if (run->header_first == run->first && run->header_last == run->last) n_equal += length;
  }
  return n_equal < n - n_equal;
}

typedef struct order_key {
  uint32_t placing, source, channel;
  fl_str name;
} order_key;

static int compare_sources(const void *left, const void *right) {
  const order_key *a = left, *b = right;
  if (a->source != b->source) return a->source < b->source ? -1 : 1;
  const int order = fl_str_cmp(a->name, b->name);
  return order ? order : a->placing < b->placing ? -1 : a->placing > b->placing;
}

/* Are the numbers in the headers of one source's records all there? */
static void judge_source(finder *f, const order_key *keys, size_t n) {
  uint64_t least = UINT64_MAX, greatest = 0, n_records = 0;
  for (size_t i = 0; i < n; i++) {
    const fl_placing *placing = &f->map->placings[keys[i].placing];
    n_records += placing->repeat.n;
    for (size_t k = 0; k < placing->n_runs; k++) {
      const fl_id_run *run = &placing->runs[k];
      n_records += run->last - run->first + 1;
      if (run->header_first < least) least = run->header_first;
      if (run->header_last > greatest) greatest = run->header_last;
    }
  }
  const bool is_whole = n_records > 0 && greatest - least == n_records - 1;
  for (size_t i = 0; i < n; i++) f->traits[keys[i].placing].is_whole = is_whole;
}

/* Which placings belong to one log. */
static fl_status find_logs(finder *f, fl_err *err) {
  const fl_coverage_map *map = f->map;
  order_key *keys = calloc(map->n_placings + 1, sizeof *keys);
  uint32_t *of_channel = calloc(map->n_channels + 1, sizeof *of_channel);
  if (!keys || !of_channel) {
    free(keys);
    free(of_channel);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  for (uint32_t i = 0; i < map->n_placings; i++) {
    const fl_placing *placing = &map->placings[i];
    keys[i] = (order_key){i, placing->source, placing->channel,
                          map->channels[placing->channel - 1].channel};
    f->traits[i] = (traits){.is_renumbered = is_renumbered(placing), .log = i};
    uint32_t *of = &of_channel[placing->channel - 1];
    if (*of) join(f->traits, *of - 1, i);
    else *of = i + 1;
  }
  if (map->n_placings > 1) qsort(keys, map->n_placings, sizeof *keys, compare_sources);
  for (size_t start = 0, end = 0; start < map->n_placings; start = end) {
    end = start + 1;
    while (end < map->n_placings && keys[end].source == keys[start].source) end++;
    judge_source(f, keys + start, end - start);
    for (size_t i = start + 1; i < end; i++)
      if (fl_str_eq(keys[i].name, keys[i - 1].name) && !f->traits[keys[i].placing].is_renumbered &&
          !f->traits[keys[i - 1].placing].is_renumbered)
        join(f->traits, keys[i - 1].placing, keys[i].placing);
  }
  free(keys);
  free(of_channel);
  return FL_OK;
}

static int compare_entries(const void *left, const void *right) {
  const entry *a = left, *b = right;
  if (a->log != b->log) return a->log < b->log ? -1 : 1;
  if (a->run->first != b->run->first) return a->run->first < b->run->first ? -1 : 1;
  if (a->run->last != b->run->last) return a->run->last < b->run->last ? -1 : 1;
  return a->placing < b->placing ? -1 : a->placing > b->placing;
}

static fl_status list_runs(finder *f, fl_err *err) {
  const fl_coverage_map *map = f->map;
  size_t n = 0;
  for (size_t i = 0; i < map->n_placings; i++) n += map->placings[i].n_runs;
  f->entries = calloc(n + 1, sizeof *f->entries);
  if (!f->entries) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (uint32_t i = 0; i < map->n_placings; i++)
    for (size_t k = 0; k < map->placings[i].n_runs; k++)
      f->entries[f->n_entries++] = (entry){root_of(f->traits, i), i, &map->placings[i].runs[k]};
  if (n > 1) qsort(f->entries, n, sizeof *f->entries, compare_entries);
  return FL_OK;
}

/* Number of damaged ranges that begin before `offset` of a source. */
static size_t damages_before(const fl_coverage_map *map, uint32_t source, uint64_t offset) {
  size_t low = 0, high = map->n_damages;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const fl_damage *damage = &map->damages[middle];
    if (damage->source < source || (damage->source == source && damage->offset < offset))
      low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Did `n` records find room in the damaged bytes of [from, to]? */
static bool fit_damage(const fl_coverage_map *map, uint32_t source, uint64_t from, uint64_t to,
                       uint64_t n) {
  const size_t first = damages_before(map, source, from);
  const size_t end = damages_before(map, source, to);
  if (first >= end) return false;
  const fl_damage *last = &map->damages[end - 1];
  const uint64_t n_bytes = last->n_before + last->length - map->damages[first].n_before;
  return n_bytes / RECORD_LEAST >= n;
}

static fl_gap gap_at(const finder *f, const entry *left, fl_gap_kind kind) {
  const fl_placing *placing = &f->map->placings[left->placing];
  const fl_channel *channel = &f->map->channels[placing->channel - 1];
  return (fl_gap){.kind = kind,
                  .host = channel->host,
                  .channel = channel->channel,
                  .source = placing->source,
                  .offset = left->run->offset_end,
                  .before = left->run->t_last,
                  .after = INT64_MAX,
                  .n_places = 1,
                  .reason = ""};
}

/* In a log that wraps around, the second record may stand in front of the first. */
static fl_gap missing_between(const finder *f, const entry *left, const entry *right) {
  const fl_placing *a = &f->map->placings[left->placing], *b = &f->map->placings[right->placing];
  const traits *t = &f->traits[left->placing];
  fl_gap gap = gap_at(f, left, FL_GAP_MISSING);
  gap.first = left->run->last + 1;
  gap.last = right->run->first - 1;
  gap.n = gap.last - gap.first + 1;
  gap.after = right->run->t_first;
  gap.reason = "lost";
  if (a->source != b->source) {
    gap.reason = "between two files";
    return gap;
  }
  const bool is_next = right->run->header_first - left->run->header_last == 1;
  const uint64_t to = right->run->offset_first < gap.offset ? UINT64_MAX : right->run->offset_first;
  if (t->is_renumbered && (is_next || t->is_whole)) {
    gap.kind = FL_GAP_FILTERED;
    gap.reason = "filter of an export";
  } else if (fit_damage(f->map, a->source, gap.offset, to, gap.n)) {
    gap.reason = "damage";
  }
  return gap;
}

static void count(tally *all, const fl_gap *gap) {
  if (all->n++ == 0) all->gap = *gap;
  all->gap.last = gap->last;
  if (all->n > 1) all->gap.n += gap->n;
  if (gap->after > all->gap.after || all->gap.after == INT64_MAX) all->gap.after = gap->after;
  all->gap.n_places = all->n;
}

/* Equal ids at times that are all apart: the log was begun anew, or its machine was put back. */
static bool is_restart(const finder *f, const entry *left, const entry *right) {
  if (right->run->first > left->run->last) return false;
  if (f->map->placings[left->placing].source == f->map->placings[right->placing].source)
    return false; /* noted as repeated there */
  return right->run->t_least > left->run->t_greatest || right->run->t_greatest < left->run->t_least;
}

static fl_gap restart_at(const finder *f, const entry *left, const entry *right) {
  fl_gap gap = gap_at(f, right, FL_GAP_REPEATED);
  gap.first = right->run->first;
  gap.last = right->run->last < left->run->last ? right->run->last : left->run->last;
  gap.n = gap.last - gap.first + 1;
  gap.offset = right->run->offset_first;
  gap.before = right->run->t_first;
  gap.reason = "other records of another file bear them";
  return gap;
}

typedef struct tallies {
  tally missing, filtered, restarts;
} tallies;

/* Counts the gaps of one log; with `is_telling`, adds those of what is not too much. */
static bool walk(finder *f, const entry *entries, size_t n, bool is_telling, tallies *all) {
  const entry *widest = &entries[0];
  for (size_t i = 1; i < n; i++) {
    const entry *e = &entries[i];
    tally *into = NULL;
    fl_gap gap = {0};
    if (e->run->first > widest->run->last && e->run->first - widest->run->last > 1) {
      gap = missing_between(f, widest, e);
      into = gap.kind == FL_GAP_FILTERED ? &all->filtered : &all->missing;
    } else if (is_restart(f, widest, e)) {
      gap = restart_at(f, widest, e);
      into = &all->restarts;
    }
    if (into && !is_telling) count(into, &gap);
    if (into == &all->missing && is_telling && !fl_gaps_add(f->map, &gap)) return false;
    if (e->run->last > widest->run->last) widest = e;
  }
  return true;
}

/* A clear explains what is gone before it. */
static bool add_overwritten(finder *f, const entry *first) {
  const fl_placing *placing = &f->map->placings[first->placing];
  const fl_channel *channel = &f->map->channels[placing->channel - 1];
  const fl_time slack = 60 * FL_SECOND;
  if (first->run->first <= 1) return true;
  if (channel->cleared != 0 &&
      (first->run->t_first == INT64_MAX || channel->cleared - slack <= first->run->t_first))
    return true;
  fl_gap gap = gap_at(f, first, FL_GAP_OVERWRITTEN);
  gap.first = 1;
  gap.last = gap.n = first->run->first - 1;
  gap.offset = first->run->offset_first;
  gap.before = INT64_MIN;
  gap.after = first->run->t_first;
  gap.reason =
      f->traits[first->placing].is_renumbered ? "rolled over or not exported" : "rolled over";
  return fl_gaps_add(f->map, &gap);
}

static bool add_log(finder *f, const entry *entries, size_t n) {
  tallies all = {0};
  if (!walk(f, entries, n, false, &all)) return false;
  if (all.filtered.n == 0 && !add_overwritten(f, &entries[0])) return false;
  if (all.filtered.n && !fl_gaps_add(f->map, &all.filtered.gap)) return false;
  if (all.restarts.n && !fl_gaps_add(f->map, &all.restarts.gap)) return false;
  if (all.missing.n > FL_LIMIT_GAPS_ALIKE) return fl_gaps_add(f->map, &all.missing.gap);
  return all.missing.n == 0 || walk(f, entries, n, true, &all);
}

fl_status fl_gaps_of_logs(fl_coverage_map *map, fl_err *err) {
  finder f = {.map = map, .traits = calloc(map->n_placings + 1, sizeof *f.traits)};
  fl_status status = f.traits ? find_logs(&f, err) : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (status == FL_OK) status = list_runs(&f, err);
  for (size_t start = 0, end = 0; status == FL_OK && start < f.n_entries; start = end) {
    while (end < f.n_entries && f.entries[end].log == f.entries[start].log) end++;
    if (!add_log(&f, f.entries + start, end - start))
      status = fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  free(f.traits);
  free(f.entries);
  return status;
}
