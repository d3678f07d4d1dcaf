/* changes.c - what changed on the machines of the chosen attempt between the last time it worked
 * and its failure: updates, restarts, policy, services, settings, certificates, the firewall,
 * clocks. */
#include <string.h>

#include "base/limits.h"
#include "rules/solve.h"

/* Where the pair never worked before, a week is looked at. What repeats within minutes is one. */
enum { LOOK_BACK_D = 7, MERGE_MIN = 10, CLOCK_S = 60 };

typedef struct source {
  const char *kind; /* a '.' at the end: all that begin so */
  const char *what;
  bool is_merged; /* whatever its text, in a row it is one change */
} source;

static const source sources[] = {
    {"update.installed", "update", false},
    {"update.package_state", "update", false},
    {"update.package_removed", "update", false},
    {"power.boot", "restart", false},
    {"power.unclean", "restart", false},
    {"power.bugcheck", "restart", false},
    {"power.restart_planned", "restart", false},
    {"policy.applied", "policy", true},
    {"policy.failed", "policy", true},
    {"service.installed", "service", false},
    {"service.changed", "service", false},
    {"driver.", "driver", false},
    {"setting.rdp", "setting", false},
    {"rdp.cert.created", "certificate", false},
    {"firewall.rule", "firewall", true},
    {"firewall.reset", "firewall", false},
    {"firewall.policy", "firewall", true},
    {"firewall.profile", "firewall", true},
    {"firewall.interface_profile", "firewall", true},
    {"firewall.setting", "firewall", true},
    {"firewall.global", "firewall", true},
    {"time.changed", "clock", false},
};

static bool is_kind(fl_str kind, const char *name) {
  const size_t n = strlen(name);
  if (kind.n < n || memcmp(kind.p, name, n) != 0) return false;
  return kind.n == n || name[n - 1] == '.' || kind.p[n] == '_' || kind.p[n] == 's';
}

/* A key of a hive bears the time of its last write; what has a line bears that of its collection.
 */
static bool is_change(const fl_event *event) {
  return !fl_str_eq(event->kind, FL_STR("setting.rdp")) || event->record_id < 0;
}

static const source *source_of(const fl_event *event) {
  if (!is_change(event)) return NULL;
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
    if (is_kind(event->kind, sources[i].kind)) return &sources[i];
  return NULL;
}

static fl_str text_field(const fl_event *event, const char *name) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  return value && value->kind == FL_V_STR ? value->as.text : (fl_str){0};
}

static bool begins(fl_str text, const char *word) {
  const size_t n = strlen(word);
  return text.n >= n && fl_str_eq_nocase((fl_str){text.p, n}, fl_str_of(word));
}

/* Virus signatures come several times a day, under a number that never changes (records without it
 * are known by their title), and so does the driver that scans with them. */
static bool is_signature(const fl_event *event) {
  const fl_str title = text_field(event, "title");
  if (begins(title, "Security Intelligence Update") || begins(title, "Definition Update"))
    return true;
  return fl_str_eq_nocase(text_field(event, "kb"), FL_STR("KB2267602")) ||
         begins(text_field(event, "service"), "MpKsl");
}

/* The transfer and installer services switch their own start type all day. */
static bool is_routine(const fl_event *event) {
  const fl_str service = text_field(event, "service");
  return fl_str_eq(event->kind, FL_STR("service.changed")) &&
         (fl_str_eq_nocase(service, FL_STR("BITS")) ||
          fl_str_eq_nocase(service, FL_STR("TrustedInstaller")));
}

/* A clock is set by less than a second all the time. */
static bool is_small_step(const fl_event *event) {
  fl_time from = 0, to = 0;
  if (!fl_str_eq(event->kind, FL_STR("time.changed"))) return false;
  if (!fl_time_parse(text_field(event, "old"), &from) ||
      !fl_time_parse(text_field(event, "new"), &to))
    return true;
  return (from > to ? from - to : to - from) < CLOCK_S * FL_SECOND;
}

/* Each restart writes several records; one of a kind is enough. */
static bool joins(const fl_change *last, const fl_change *one, bool is_merged) {
  if (last->machine != one->machine || strcmp(last->what, one->what) != 0) return false;
  if (!fl_str_eq(last->event->kind, one->event->kind)) return false;
  const bool is_same = fl_str_eq(last->text, one->text);
  return is_same || (is_merged && one->t - last->last <= MERGE_MIN * 60 * FL_SECOND);
}

static void add(fl_change *list, size_t *n, const fl_change *one, bool is_merged) {
  enum { LOOKED_AT = 8 };
  for (size_t i = *n; i > 0 && *n - i < LOOKED_AT; i--) {
    if (!joins(&list[i - 1], one, is_merged)) continue;
    list[i - 1].n++;
    list[i - 1].last = one->t;
    return;
  }
  list[(*n)++] = *one;
}

static const fl_machine *party(const fl_solver *s, const fl_attempt *a, fl_str host) {
  const int at = fl_machine_index(s, host);
  const fl_machine *machine = at < 0 ? NULL : &s->machines[at];
  if (!machine) return NULL;
  const fl_route *r = &a->route;
  const bool is_party =
      machine == a->server || machine == a->client || machine == r->gateway || machine == r->broker;
  return is_party ? machine : NULL;
}

static void take(const fl_solver *s, fl_changes *c, fl_change *list, size_t *n,
                 const fl_event *event) {
  const source *from = event->flags & (FL_F_TIME_INVALID | FL_F_DUPLICATE | FL_F_SYNTHETIC)
                           ? NULL
                           : source_of(event);
  if (!from) return;
  const fl_machine *machine = party(s, s->c->chosen, event->host);
  if (!machine) return;
  const fl_time t = event->t + machine->offset_ns;
  if (t < c->since || t > c->until || is_small_step(event)) return;
  c->n_signatures += is_signature(event);
  c->n_routine += !is_signature(event) && is_routine(event);
  if (is_signature(event) || is_routine(event)) return;
  const fl_change one = {.event = event,
                         .machine = machine,
                         .what = from->what,
                         .t = t,
                         .last = t,
                         .n = 1,
                         .text = fl_event_sentence(event, s->arena)};
  add(list, n, &one, from->is_merged);
}

typedef struct changing_log {
  const char *channel, *name;
} changing_log;
static const changing_log logs[] = {
    {"System", "System"},
    {"Setup", "Setup"},
    {"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "Windows Firewall"},
};

/* The earliest moment that a log of the machine covers; NULL: it is not in the case. */
static const fl_coverage *earliest(const fl_solver *s, const fl_machine *machine,
                                   const char *channel) {
  const fl_coverage *found = NULL;
  for (size_t i = 0; i < s->c->n_coverage; i++) {
    const fl_coverage *entry = &s->c->coverage[i];
    if (!fl_str_eq_nocase(entry->channel, fl_str_of(channel))) continue;
    if (fl_machine_index(s, entry->host) != (int)(machine - s->machines)) continue;
    if (!found || entry->start < found->start) found = entry;
  }
  return found;
}

/* What a machine's logs cannot show: those that begin late, and the names of those that are absent.
 */
static fl_str late_of(const fl_solver *s, const fl_changes *c, const fl_machine *machine,
                      fl_str *ret_absent) {
  fl_str late = {0}, absent = {0};
  for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
    const fl_coverage *log = earliest(s, machine, logs[i].channel);
    if (!log) {
      absent = fl_arena_printf(s->arena, "%.*s%s%s", FL_STR_ARG(absent), absent.n ? ", " : "",
                               logs[i].name);
    } else if (log->start > c->since - machine->offset_ns) {
      const fl_str when = fl_moment_text(log->start, s->arena);
      late = fl_arena_printf(s->arena, "%.*s%s%s of %.*s before %.*s", FL_STR_ARG(late),
                             late.n ? "; " : "", logs[i].name, FL_STR_ARG(machine->name),
                             FL_STR_ARG(when));
    }
  }
  *ret_absent = absent;
  return late;
}

/* Both machines in one line where the same logs lack. */
static fl_status list_lacks(fl_solver *s, fl_changes *c, fl_err *err) {
  enum { N = 2 };
  const fl_attempt *a = s->c->chosen;
  const fl_machine *machines[N] = {a->server, a->client == a->server ? NULL : a->client};
  fl_str absent[N] = {{0}}, *lacks = FL_NEW_ARRAY(s->arena, fl_str, 2 * N);
  if (!lacks) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for what changed");
  for (size_t m = 0; m < N; m++) {
    const fl_str late = machines[m] ? late_of(s, c, machines[m], &absent[m]) : (fl_str){0};
    if (late.n) lacks[c->n_lacks++] = late;
  }
  const bool is_both = absent[0].n && fl_str_eq(absent[0], absent[1]);
  for (size_t m = 0; m < N; m++) {
    if (!absent[m].n || (m && is_both)) continue;
    const fl_str other = is_both ? machines[1]->name : (fl_str){0};
    lacks[c->n_lacks++] =
        fl_arena_printf(s->arena, "%.*s of %.*s%s%.*s (not in the case)", FL_STR_ARG(absent[m]),
                        FL_STR_ARG(machines[m]->name), is_both ? " and " : "", FL_STR_ARG(other));
  }
  c->lacks = lacks;
  return FL_OK;
}

static void set_window(fl_changes *c, const fl_attempt *a) {
  c->has_good = a->last_good != NULL;
  c->since = a->last_good ? a->last_good->end : a->start - (int64_t)LOOK_BACK_D * 86400 * FL_SECOND;
  c->until = a->outcome == FL_OUTCOME_LOST ? a->end : a->start;
}

fl_status fl_changes_find(fl_solver *s, fl_err *err) {
  const fl_attempt *a = s->c->chosen;
  if (!a || (a->outcome != FL_OUTCOME_FAILED && a->outcome != FL_OUTCOME_LOST)) return FL_OK;
  fl_changes *c = &s->c->changes;
  c->is_asked = true;
  set_window(c, a);
  size_t n = 0;
  for (size_t i = 0; i < s->c->n_events; i++) n += source_of(s->c->events[i]) != NULL;
  fl_change *list = FL_NEW_ARRAY(s->arena, fl_change, n + 1);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for what changed");
  n = 0;
  for (size_t i = 0; i < s->c->n_events; i++) take(s, c, list, &n, s->c->events[i]);
  c->n_left_out = n > FL_LIMIT_CHANGES ? n - FL_LIMIT_CHANGES : 0;
  c->items = list + c->n_left_out; /* those nearest to the failure */
  c->n_items = n - c->n_left_out;
  return list_lacks(s, c, err);
}
