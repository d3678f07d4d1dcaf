/* verdict_choose.c - which attempt the question is about. */
#include "rules/solve.h"

/* Whose client log is in the case, his attempts are asked about: among equals, and always before
 * those that were proven to be somebody else's. */
enum { OWN_CLIENT = 3, FOREIGN = 40 };

static bool is_bad(fl_outcome outcome) {
  return outcome == FL_OUTCOME_FAILED || outcome == FL_OUTCOME_LOST;
}

static bool names_machine(const fl_solver *s, fl_str given, const fl_machine *machine,
                          fl_str seen) {
  if (!given.n) return true;
  if (fl_host_same(given, seen)) return true;
  const int at = fl_machine_index(s, given);
  return machine && at >= 0 && &s->machines[at] == machine;
}

static bool names_user(fl_str given, fl_str seen) {
  return !given.n || !seen.n || fl_user_same(given, seen); /* an unknown user excludes nothing */
}

static fl_time distance(const fl_attempt *a, fl_time t) {
  if (t < a->start) return a->start - t;
  return t > a->end ? t - a->end : 0;
}

/* A moment has the minutes around it, a day its own hours. */
static bool is_then(const fl_case_options *o, const fl_attempt *a, fl_time at) {
  if (o->at_end) return a->start <= o->at_end && a->end >= o->at;
  return !at || distance(a, at) <= FL_NEAR_MIN * 60 * FL_SECOND;
}

/* An address that no record names is that of the host, where the case has only one. */
static bool names_server(const fl_solver *s, const fl_attempt *a) {
  const fl_str given = s->options->server;
  if (names_machine(s, given, a->server, a->server_name)) return true;
  if (!a->server || !fl_is_address(given) || fl_machine_index(s, given) >= 0) return false;
  size_t n_hosts = 0;
  for (size_t i = 0; i < s->n_machines; i++)
    n_hosts += (s->logs[i] & (FL_LOG_CORE | FL_LOG_RCM | FL_LOG_LSM)) != 0;
  return n_hosts == 1 &&
         (s->logs[a->server - s->machines] & (FL_LOG_CORE | FL_LOG_RCM | FL_LOG_LSM));
}

static bool fits(const fl_solver *s, const fl_attempt *a) {
  const fl_case_options *o = s->options;
  const bool client = names_machine(s, o->client, a->client, a->client_name) ||
                      fl_str_eq_nocase(o->client, a->address);
  return client && names_server(s, a) && names_user(o->user, a->user);
}

/* How well an attempt answers the question; the outcome decides before the code does only where
 * no code is given. */
static int rank(const fl_solver *s, const fl_attempt *a) {
  const fl_symptom *symptom = &s->c->symptom;
  int points = 0;
  if (symptom->activity_id.n && (fl_str_eq_nocase(symptom->activity_id, a->activity_id) ||
                                 fl_str_eq_nocase(symptom->activity_id, a->server_activity_id)))
    points += 64;
  if (s->options->user.n && a->user.n && fl_user_same(s->options->user, a->user)) points += 32;
  if (symptom->has_code && a->has_code && a->code == symptom->code) points += 16;
  if (symptom->has_extended && symptom->extended && a->has_host_code &&
      a->host_code == symptom->extended)
    points += 6;
  if (is_bad(a->outcome)) points += 8;
  if (symptom->has_code && !a->has_code) points += 4;
  if (a->outcome == FL_OUTCOME_OPEN || a->outcome == FL_OUTCOME_UNKNOWN) points += 2;
  if (a->outcome == FL_OUTCOME_ENDED) points += 1;
  if (a->client && (s->logs[a->client - s->machines] & FL_LOG_CLIENT)) points += OWN_CLIENT;
  if (a->is_foreign && !s->options->client.n && !s->options->user.n) points -= FOREIGN;
  return points;
}

static fl_time asked_time(const fl_solver *s) {
  return s->options->at ? s->options->at : s->c->symptom.time;
}

bool fl_attempt_is_asked(const fl_solver *s, const fl_attempt *a) {
  const fl_time at = asked_time(s);
  if (s->options->attempt) return a->number == s->options->attempt;
  return fits(s, a) && is_then(s->options, a, at);
}

static fl_attempt *choose(const fl_solver *s) {
  const fl_case_options *o = s->options;
  if (o->attempt) return o->attempt <= s->n_real ? &s->attempts[o->attempt - 1] : NULL;
  const fl_time at = asked_time(s);
  const bool is_moment = at && !o->at_end;
  fl_attempt *best = NULL;
  for (size_t i = 0; i < s->n_real; i++) {
    fl_attempt *a = &s->attempts[i];
    if (!fl_attempt_is_asked(s, a)) continue;
    if (!best) {
      best = a;
      continue;
    }
    const int gain = rank(s, a) - rank(s, best);
    /* Equal ones: the one nearer to the time given, else the later one. */
    if (gain > 0 || (gain == 0 && (!is_moment || distance(a, at) <= distance(best, at)))) best = a;
  }
  return best;
}

void fl_verdict_choose(fl_solver *s) {
  fl_attempt *a = choose(s);
  s->c->chosen = a;
  const fl_symptom *symptom = &s->c->symptom;
  if (!a || !symptom->has_extended) return;
  if (a->has_code && symptom->has_code && a->code != symptom->code) return;
  a->has_extended = true;
  a->extended = symptom->extended;
}
