/* incident_join.c - which records tell of the same crash: rules, the strongest first.
 *
 * A rule that rests on ids joins always; one that rests on likeness and time never joins two
 * records of one kind, two processes or two reports. What a join brings together may still
 * disagree: that is told, not hidden. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/incident.h"

enum {
  FAULT_S = 120,   /* two clocks of one crash: event and dump */
  REPORT_S = 3600, /* a report is made after the crash, often at once */
  SERVICE_S = 30,  /* until the service manager notices */
  MOMENT_S = 10,
  BOOT_S = 300,  /* records of one start */
  STOP_S = 86400 /* a machine may stand for a while before it starts again */
};

uint32_t fl_piece_root(const fl_pieces *pieces, uint32_t at) {
  while (pieces->items[at].parent != at) at = pieces->items[at].parent;
  return at;
}

static bool is_near(const fl_piece *a, const fl_piece *b, int64_t from_s, int64_t to_s) {
  if (!a->has_time || !b->has_time) return false;
  return b->t >= fl_moment_plus(a->t, from_s) && b->t <= fl_moment_plus(a->t, to_s);
}

static bool is_same(fl_str a, fl_str b) { return a.n && b.n && fl_str_eq_nocase(a, b); }

static bool by_report(const fl_piece *a, const fl_piece *b) {
  for (size_t i = 0; i < 2; i++)
    for (size_t k = 0; k < 2; k++)
      if (is_same(a->guids[i], b->guids[k])) return true;
  return false;
}

/* A name in a list of paths: whole, up to the end of its line. */
static bool is_listed(fl_str list, fl_str name) {
  for (size_t i = 0; name.n && i + name.n <= list.n; i++) {
    const char before = i ? list.p[i - 1] : '\\';
    const char behind = i + name.n < list.n ? list.p[i + name.n] : '\n';
    if (before != '\\' && before != '/' && before != ' ' && before != '\n') continue;
    if (behind != '\r' && behind != '\n' && behind != ',' && behind != ' ') continue;
    if (fl_str_eq_nocase((fl_str){list.p + i, name.n}, name)) return true;
  }
  return false;
}

static bool has_digit(fl_str name) {
  for (size_t i = 0; i < name.n; i++)
    if (fl_is_digit(name.p[i])) return true;
  return false;
}

/* MEMORY.DMP and minidump.mdmp are names of many: the folder must be the report's, or the codes be
 * the same. */
static bool is_path(const fl_piece *list, const fl_piece *file) {
  const bool is_dump = file->kind == FL_PIECE_DUMP || file->kind == FL_PIECE_KERNEL;
  if (file->kind == FL_PIECE_WER && list->kind == FL_PIECE_REPORT)
    return is_same(list->store, file->folder);
  if (!is_dump || !is_listed(list->names, file->file)) return false;
  if (has_digit(file->file)) return true;
  if (list->kind == FL_PIECE_WER) return is_same(list->folder, file->folder);
  return list->has_code && file->has_code && list->code == file->code;
}

static bool by_path(const fl_piece *a, const fl_piece *b) { return is_path(a, b) || is_path(b, a); }

static bool is_same_process(const fl_piece *a, const fl_piece *b) {
  return is_same(a->process, b->process);
}

static bool by_process(const fl_piece *a, const fl_piece *b) {
  return a->pid >= 0 && a->pid == b->pid && is_same(a->started, b->started) &&
         is_same_process(a, b);
}

static bool by_pid(const fl_piece *a, const fl_piece *b) {
  const bool knows_both = a->started.n && b->started.n;
  return a->pid >= 0 && a->pid == b->pid && !knows_both && is_same_process(a, b) &&
         is_near(a, b, -FAULT_S, FAULT_S);
}

static bool is_report_time(const fl_piece *a, const fl_piece *b) {
  if (a->is_reported && !b->is_reported) return is_near(b, a, -2, REPORT_S);
  if (b->is_reported && !a->is_reported) return is_near(a, b, -2, REPORT_S);
  return is_near(a, b, -FAULT_S, FAULT_S);
}

static bool by_fault(const fl_piece *a, const fl_piece *b) {
  return !a->is_stop && !b->is_stop && a->has_offset && b->has_offset && a->offset == b->offset &&
         is_same(a->module, b->module) && is_same_process(a, b) && a->has_code && b->has_code &&
         a->code == b->code && is_report_time(a, b);
}

static bool is_stop_time(const fl_piece *a, const fl_piece *b) {
  if (!a->has_time || !b->has_time) return true;
  if (a->is_reported == b->is_reported) return is_near(a, b, -BOOT_S, BOOT_S);
  return a->is_reported ? is_near(b, a, -2, STOP_S) : is_near(a, b, -2, STOP_S);
}

/* Code and all parameters: addresses of that very boot. */
static bool by_stop(const fl_piece *a, const fl_piece *b) {
  return a->is_stop && b->is_stop && a->is_live == b->is_live && a->has_parameters &&
         b->has_parameters && a->code == b->code && a->code != 0 &&
         memcmp(a->parameters, b->parameters, sizeof a->parameters) == 0 && is_stop_time(a, b);
}

static bool is_of_boot(const fl_piece *p) {
  return p->kind == FL_PIECE_STOP || p->kind == FL_PIECE_UNCLEAN || p->kind == FL_PIECE_DIRTY ||
         p->kind == FL_PIECE_NO_DUMP || (p->kind == FL_PIECE_WER && p->is_stop && !p->is_live) ||
         (p->kind == FL_PIECE_REPORT && p->is_stop && !p->is_live);
}

static bool by_boot(const fl_piece *a, const fl_piece *b) {
  return is_of_boot(a) && is_of_boot(b) && is_near(a, b, -BOOT_S, BOOT_S);
}

/* A dump of the kernel and a start that tells no parameters, or no code. */
static bool by_next_boot(const fl_piece *a, const fl_piece *b) {
  const fl_piece *dump = a->kind == FL_PIECE_KERNEL ? a : b, *start = dump == a ? b : a;
  if (dump->kind != FL_PIECE_KERNEL || dump->is_live || !is_of_boot(start)) return false;
  const bool differs = start->has_code && start->code != 0 && start->code != dump->code;
  const bool is_other = start->has_parameters && start->code != 0 && dump->has_parameters &&
                        memcmp(start->parameters, dump->parameters, sizeof start->parameters) != 0;
  return !differs && !is_other && is_near(dump, start, -2, 1800);
}

static bool by_service(const fl_piece *a, const fl_piece *b) {
  const fl_piece *crash = a->kind == FL_PIECE_SERVICE ? b : a, *end = crash == a ? b : a;
  if (end->kind != FL_PIECE_SERVICE || crash->kind == FL_PIECE_SERVICE) return false;
  const fl_str stem = {crash->process.p, crash->process.n > 4 ? crash->process.n - 4 : 0};
  const bool is_own =
      is_same(crash->service, end->service) || is_same(stem, end->service) ||
      (is_same(stem, FL_STR("spoolsv")) && is_same(end->service, FL_STR("Spooler")));
  return is_own && is_near(crash, end, -1, SERVICE_S);
}

/* Records of one program in the same seconds, where one of them bears no more than its name. */
static bool by_moment(const fl_piece *a, const fl_piece *b) {
  static const fl_piece_kind bare[] = {FL_PIECE_DOTNET, FL_PIECE_PAGE, FL_PIECE_CRITICAL,
                                       FL_PIECE_UMDF,   FL_PIECE_HANG, FL_PIECE_REPORT};
  bool is_bare = false;
  for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
    is_bare = is_bare || a->kind == bare[i] || b->kind == bare[i];
  if (a->is_live && b->is_live) return is_near(a, b, -60, 60);
  return is_bare && is_same_process(a, b) && is_near(a, b, -MOMENT_S, MOMENT_S);
}

static const struct join_rule {
  const char *name;
  unsigned confidence;
  bool is_certain; /* joins whatever else the groups hold */
  bool (*holds)(const fl_piece *a, const fl_piece *b);
} join_rules[] = {{"report", 100, true, by_report}, {"path", 100, true, by_path},
                  {"stop", 100, true, by_stop},     {"process", 95, true, by_process},
                  {"fault", 90, false, by_fault},   {"service", 90, false, by_service},
                  {"boot", 90, false, by_boot},     {"pid", 85, false, by_pid},
                  {"moment", 80, false, by_moment}, {"next boot", 80, false, by_next_boot}};

static bool is_conflict(const fl_piece *a, const fl_piece *b) {
  const bool has_guids = a->guids[0].n && b->guids[0].n;
  if (a->kind == b->kind && a->kind != FL_PIECE_REPORT && a->kind != FL_PIECE_UMDF) return true;
  if (a->pid >= 0 && b->pid >= 0 && a->pid != b->pid) return true;
  if (a->service.n && b->service.n && !is_same(a->service, b->service)) return true;
  return has_guids && !by_report(a, b) && !a->is_stop && !b->is_stop;
}

/* The members of two groups are all of one crash as far as they say. */
static bool can_meet(const fl_pieces *pieces, uint32_t root, uint32_t other) {
  for (uint32_t i = root; i < pieces->n; i++) {
    if (fl_piece_root(pieces, i) != root) continue;
    for (uint32_t k = other; k < pieces->n; k++)
      if (fl_piece_root(pieces, k) == other && is_conflict(&pieces->items[i], &pieces->items[k]))
        return false;
  }
  return true;
}

/* The first of a group has the machine that any of them names. */
static bool is_one_machine(const fl_pieces *pieces, uint32_t root, uint32_t other) {
  const int32_t a = pieces->items[root].machine, b = pieces->items[other].machine;
  return a == b || a < 0 || b < 0;
}

static void try_join(fl_pieces *pieces, const struct join_rule *rule, uint32_t i, uint32_t k) {
  const fl_piece *a = &pieces->items[i], *b = &pieces->items[k];
  if (!rule->holds(a, b)) return;
  const uint32_t root = fl_piece_root(pieces, i), other = fl_piece_root(pieces, k);
  if (root == other || !is_one_machine(pieces, root, other)) return;
  if (!rule->is_certain && !can_meet(pieces, root, other)) return;
  fl_piece *first = &pieces->items[root < other ? root : other];
  fl_piece *last = &pieces->items[root < other ? other : root];
  if (first->machine < 0) first->machine = last->machine;
  last->parent = first->parent;
  pieces->joins[pieces->n_joins++] =
      (fl_piece_join){.rule = rule->name, .confidence = rule->confidence, .from = k, .to = i};
}

/* Of several records that a weak rule could join, the nearest in the list is tried first. */
void fl_pieces_join(fl_pieces *pieces) {
  for (size_t r = 0; r < sizeof join_rules / sizeof *join_rules; r++)
    for (uint32_t gap = 1; gap < pieces->n; gap++)
      for (uint32_t i = 0; i + gap < pieces->n; i++) try_join(pieces, &join_rules[r], i, i + gap);
}
