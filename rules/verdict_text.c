/* verdict_text.c - the answer in one or two plain sentences, and what to collect next. */
#include <string.h>

#include "rules/verdict.h"

enum { CAUSES_NAMED = 3, NAMES_MAX = 180, CLOSE_S = 10 };

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the verdict");
}

/* What was got through, for "came as far as …". */
static const char *const passed[FL_N_PHASES] = {
    "a resolved name",         "a TCP connection",  "the first RDP packets",
    "a TLS connection",        "authentication",    "licensing",
    "the choice of a session", "the first picture", "a session"};

static fl_str who(fl_solver *s, const fl_attempt *a) {
  const fl_str user =
      a->user.n ? fl_arena_printf(s->arena, " of %.*s", FL_STR_ARG(a->user)) : (fl_str){0};
  const fl_str client = a->client_name.n ? a->client_name : FL_STR("an unknown client");
  const fl_str server = a->server_name.n ? a->server_name : FL_STR("an unknown host");
  const fl_str when = fl_moment_text(a->start, s->arena);
  return fl_arena_printf(s->arena, "Attempt %u%.*s from %.*s to %.*s (%.*s)", a->number,
                         FL_STR_ARG(user), FL_STR_ARG(client), FL_STR_ARG(server),
                         FL_STR_ARG(when));
}

static fl_str codes(fl_solver *s, const fl_attempt *a) {
  if (!a->has_code) return (fl_str){0};
  const fl_code_fact *fact = fl_code_find(FL_CODE_DISCONNECT, a->code);
  const fl_str name =
      fact && fact->symbol[0] ? fl_arena_printf(s->arena, " (%s)", fact->symbol) : (fl_str){0};
  return fl_arena_printf(s->arena, ", client code 0x%x%.*s", a->code, FL_STR_ARG(name));
}

static fl_str course(fl_solver *s, const fl_attempt *a) {
  const fl_str code = codes(s, a);
  const char *reached = a->reached == FL_PHASE_NONE ? "no proven step" : passed[a->reached];
  const fl_str duration = fl_duration_text(a->end - a->start, s->arena);
  switch (a->outcome) {
    case FL_OUTCOME_FAILED:
      return fl_arena_printf(s->arena, "failed after %s%.*s", reached, FL_STR_ARG(code));
    case FL_OUTCOME_LOST:
      return fl_arena_printf(s->arena, "had a session that was cut after %.*s%.*s",
                             FL_STR_ARG(duration), FL_STR_ARG(code));
    case FL_OUTCOME_ENDED:
      return FL_STR("ended in an orderly way");
    case FL_OUTCOME_PROBE:
      return FL_STR("is the first leg that a client closes by itself");
    case FL_OUTCOME_OPEN:
      return FL_STR("was still open where the logs end");
    case FL_OUTCOME_NOISE:
      return FL_STR("looks like a scanner's");
    case FL_OUTCOME_UNKNOWN:
      break;
  }
  return fl_arena_printf(s->arena, "came as far as %s; how it ended is not in the logs", reached);
}

static fl_str titled(fl_solver *s, const fl_hypothesis *h) {
  return fl_arena_printf(s->arena, "%s [%s]", h->cause->title, h->cause->id);
}

static bool is_ruled_out(const fl_hypothesis *h) {
  for (size_t i = 0; i < h->n_con; i++)
    if (h->con[i]->decisive) return true;
  return false;
}

/* "Closed by the other end" is the symptom itself and answers nothing beside a cause. */
static fl_str undecided(fl_solver *s) {
  const fl_verdict *v = &s->c->verdict;
  fl_str list = {0};
  size_t n = 0;
  for (size_t i = 0; i < v->n_hypotheses && n < CAUSES_NAMED; i++) {
    const fl_hypothesis *h = &v->hypotheses[i];
    if (is_ruled_out(h) || strcmp(h->cause->id, "net.peer_closed") == 0) continue;
    if (n && h->score == 0) continue;
    const fl_str one = titled(s, h);
    if (n && list.n + one.n > NAMES_MAX) break; /* a sentence, not a table */
    list =
        fl_arena_printf(s->arena, "%.*s%s%.*s", FL_STR_ARG(list), n++ ? "; " : "", FL_STR_ARG(one));
  }
  if (!n) return FL_STR(" The evidence does not decide why.");
  return fl_arena_printf(s->arena, " The evidence does not decide; to be checked: %.*s.",
                         FL_STR_ARG(list));
}

fl_str fl_verdict_assumption(fl_solver *s, const fl_attempt *a) {
  const int64_t offset = a->client->offset_ns, size = offset < 0 ? -offset : offset;
  if (size < CLOSE_S * FL_SECOND)
    return FL_STR(
        "that this connection of the host is the client's is assumed: others were near, and none "
        "of "
        "them fits");
  const fl_str off = fl_duration_text(size, s->arena);
  return fl_arena_printf(
      s->arena,
      "that this connection of the host is the client's is assumed: no other pair is left, and the "
      "clock of %.*s would be %.*s %s",
      FL_STR_ARG(a->client->name), FL_STR_ARG(off), offset < 0 ? "ahead" : "behind");
}

/* Why a likely cause is not confirmed: what speaks against it, or that nothing decides. */
static fl_str doubt(fl_solver *s, const fl_hypothesis *h) {
  bool is_decided = false;
  for (size_t i = 0; i < h->n_pro; i++) is_decided |= h->pro[i]->decisive;
  if (!is_decided || !h->n_con) return FL_STR("no single fact proves it");
  return fl_arena_printf(s->arena, "a decisive fact shows it, but this speaks against it: %.*s",
                         FL_STR_ARG(h->con[0]->text));
}

/* The part behind the attempt: what the evidence says. */
static fl_str finding(fl_solver *s) {
  const fl_verdict *v = &s->c->verdict;
  if (!v->n_hypotheses)
    return FL_STR(" No rule knows a cause that fits it; the evidence does not decide.");
  const fl_str top = titled(s, &v->hypotheses[0]);
  switch (v->status) {
    case FL_VERDICT_CONFIRMED:
      return fl_arena_printf(s->arena, " The cause is confirmed: %.*s.", FL_STR_ARG(top));
    case FL_VERDICT_LIKELY: {
      const fl_str why = doubt(s, &v->hypotheses[0]);
      return fl_arena_printf(s->arena, " The most likely cause: %.*s; %.*s.", FL_STR_ARG(top),
                             FL_STR_ARG(why));
    }
    case FL_VERDICT_POSSIBLE:
      if (s->c->chosen->is_assumed && s->c->chosen->client) {
        const fl_str why = fl_verdict_assumption(s, s->c->chosen);
        return fl_arena_printf(s->arena, " A possible cause: %.*s; %.*s.", FL_STR_ARG(top),
                               FL_STR_ARG(why));
      }
      return fl_arena_printf(s->arena,
                             " A possible cause: %.*s; the evidence is not enough to say more.",
                             FL_STR_ARG(top));
    case FL_VERDICT_UNDECIDED:
    case FL_VERDICT_NO_FAILURE:
      break;
  }
  return undecided(s);
}

/* The newest other attempt that ended with the code; NULL when there is none. */
static const fl_attempt *ended_with(const fl_solver *s, uint32_t code) {
  for (size_t i = s->n_real; i > 0; i--) {
    const fl_attempt *a = &s->attempts[i - 1];
    if (a != s->c->chosen && a->has_code && a->code == code) return a;
  }
  return NULL;
}

/* The user names a code that this attempt did not end with: another one did, or none. */
static fl_str other_code(fl_solver *s) {
  const fl_symptom *symptom = &s->c->symptom;
  const fl_attempt *a = s->c->chosen;
  if (!symptom->has_code || (a && a->has_code && a->code == symptom->code)) return (fl_str){0};
  const fl_attempt *other = ended_with(s, symptom->code);
  if (other) {
    const fl_str when = fl_moment_text(other->start, s->arena);
    return fl_arena_printf(s->arena, " Code 0x%x as given is that of attempt %u (%.*s)%s.",
                           symptom->code, other->number, FL_STR_ARG(when),
                           a ? ", not of this one" : "");
  }
  if (a && !a->has_code && a->outcome != FL_OUTCOME_ENDED)
    return fl_arena_printf(s->arena,
                           " Code 0x%x as given is not in these logs: the client's log is missing.",
                           symptom->code);
  return fl_arena_printf(s->arena, " No attempt in these logs ended with code 0x%x, the one given.",
                         symptom->code);
}

/* What the host's own log says of the extended code that was asked for: it sent another one, or
 * sent this one in another attempt, which is named and not judged. */
static fl_str told_otherwise(fl_solver *s) {
  const fl_symptom *symptom = &s->c->symptom;
  const fl_attempt *chosen = s->c->chosen;
  if (!chosen || !symptom->has_extended || !symptom->extended) return (fl_str){0};
  if (chosen->has_host_code && chosen->host_code == symptom->extended) return (fl_str){0};
  if (chosen->has_host_code)
    return fl_arena_printf(s->arena,
                           " The host's log disproves the extended code 0x%x for this attempt: the "
                           "host sent 0x%x; the code came from another box or another attempt.",
                           symptom->extended, chosen->host_code);
  for (size_t i = s->n_real; i > 0; i--) {
    const fl_attempt *a = &s->attempts[i - 1];
    if (a == chosen || !a->has_host_code || a->host_code != symptom->extended) continue;
    const fl_str when = fl_moment_text(a->start, s->arena);
    return fl_arena_printf(
        s->arena, " The host sent 0x%x in attempt %u (%.*s); nothing ties that to this one.",
        symptom->extended, a->number, FL_STR_ARG(when));
  }
  return (fl_str){0};
}

/* An attempt without a user fits any: then the name given has chosen nothing. */
static fl_str unknown_user(fl_solver *s) {
  const fl_attempt *a = s->c->chosen;
  const fl_str user = s->options ? s->options->user : (fl_str){0};
  if (!user.n || !a || a->user.n) return (fl_str){0};
  return fl_arena_printf(s->arena,
                         " No record of this attempt names a user: that it is %.*s's is not shown.",
                         FL_STR_ARG(user));
}

/* What the symptom adds to the answer: a code that is not there, a text that was not understood. */
static fl_str mismatch(fl_solver *s) {
  const fl_str code = other_code(s), told = told_otherwise(s), note = s->c->symptom.note;
  const fl_str user = unknown_user(s);
  return fl_arena_printf(s->arena, "%.*s%.*s%.*s%s%.*s", FL_STR_ARG(code), FL_STR_ARG(told),
                         FL_STR_ARG(user), note.n ? " " : "", FL_STR_ARG(note));
}

static bool is_bad(const fl_attempt *a) {
  return a->outcome == FL_OUTCOME_FAILED || a->outcome == FL_OUTCOME_LOST;
}

static fl_str healthy(fl_solver *s) {
  size_t n = 0, n_foreign = 0;
  for (size_t i = 0; i < s->n_real; i++) {
    const fl_attempt *a = &s->attempts[i];
    if (a->is_foreign) n_foreign += is_bad(a);
    else n += a->reached == FL_PHASE_SESSION && fl_attempt_is_asked(s, a);
  }
  const fl_str rest =
      n_foreign ? fl_arena_printf(s->arena,
                                  " Of other clients, whose logs are not in the case, %zu failed.",
                                  n_foreign)
                : (fl_str){0};
  if (n == 1)
    return fl_arena_printf(s->arena,
                           "No failure was seen: the one connection that reached a session was "
                           "neither cut nor refused.%.*s",
                           FL_STR_ARG(rest));
  return fl_arena_printf(s->arena,
                         "No failure was seen: %zu connections reached a session and none of them "
                         "was cut or refused.%.*s",
                         n, FL_STR_ARG(rest));
}

/* An attempt that was asked for and ended well leaves those that did not. */
static fl_str others(fl_solver *s) {
  size_t n = 0;
  unsigned last = 0;
  for (size_t i = 0; i < s->n_real; i++) {
    if (!is_bad(&s->attempts[i])) continue;
    n++;
    last = s->attempts[i].number;
  }
  if (!n) return FL_STR(" It shows no failure.");
  if (n == 1)
    return fl_arena_printf(s->arena, " It shows no failure; attempt %u of this case does.", last);
  return fl_arena_printf(
      s->arena, " It shows no failure; %zu others of this case do, the last is attempt %u.", n,
      last);
}

/* " from A to B, in the rows that --where lets through": what was left out cannot be found. */
static fl_str scope(fl_solver *s) {
  const fl_window *w = &s->c->window;
  const fl_str since = w->since ? fl_moment_text(w->since, s->arena) : (fl_str){0};
  const fl_str until = w->until ? fl_moment_text(w->until, s->arena) : (fl_str){0};
  const char *before = since.n && until.n ? " from " : since.n ? " since " : "";
  const char *between = since.n && until.n ? " to " : until.n ? " until " : "";
  return fl_arena_printf(s->arena, "%s%.*s%s%.*s%s", before, FL_STR_ARG(since), between,
                         FL_STR_ARG(until), w->where.n ? " in the events that --where takes" : "");
}

static fl_str nothing(fl_solver *s) {
  if (s->options && s->options->attempt)
    return fl_arena_printf(s->arena, "There is no attempt %u; the case has %zu.",
                           s->options->attempt, s->n_real);
  const fl_time at = s->options && s->options->at ? s->options->at : s->c->symptom.time;
  if (s->n_real && s->options && s->options->at_end) {
    const fl_str from = fl_moment_text(at, s->arena),
                 to = fl_moment_text(s->options->at_end, s->arena);
    return fl_arena_printf(s->arena,
                           "No connection attempt in these logs fits what was asked from %.*s to "
                           "%.*s; the case has %zu.",
                           FL_STR_ARG(from), FL_STR_ARG(to), s->n_real);
  }
  if (s->n_real && at) {
    const fl_str when = fl_moment_text(at, s->arena);
    return fl_arena_printf(s->arena,
                           "No connection attempt in these logs fits what was asked within %d "
                           "minutes of %.*s; the case has %zu.",
                           FL_NEAR_MIN, FL_STR_ARG(when), s->n_real);
  }
  if (s->n_real)
    return fl_arena_printf(s->arena,
                           "No connection attempt in these logs fits what was asked; the case has "
                           "%zu.",
                           s->n_real);
  if (s->n_attempts)
    return fl_arena_printf(
        s->arena,
        "Only connections of strangers (scanners, guessed passwords) were found: "
        "%zu.",
        s->n_attempts);
  const fl_str where = scope(s);
  return fl_arena_printf(s->arena, "No connection attempt was found in these logs%.*s.",
                         FL_STR_ARG(where));
}

fl_status fl_verdict_sentence(fl_solver *s, fl_err *err) {
  fl_case *c = s->c;
  fl_str text = {0};
  const fl_str extra = mismatch(s);
  if (c->verdict.status == FL_VERDICT_NO_FAILURE && !(s->options && s->options->attempt)) {
    const fl_str what = healthy(s);
    text = fl_arena_printf(s->arena, "%.*s%.*s", FL_STR_ARG(what), FL_STR_ARG(extra));
  } else if (!c->chosen) {
    const fl_str what = nothing(s);
    text = fl_arena_printf(s->arena, "%.*s%.*s", FL_STR_ARG(what), FL_STR_ARG(extra));
  } else {
    const fl_str subject = who(s, c->chosen), verb = course(s, c->chosen);
    const bool is_well =
        c->chosen->outcome == FL_OUTCOME_ENDED || c->verdict.status == FL_VERDICT_NO_FAILURE;
    const fl_str rest = is_well ? others(s) : finding(s);
    text = fl_arena_printf(s->arena, "%.*s %.*s.%.*s%.*s", FL_STR_ARG(subject), FL_STR_ARG(verb),
                           FL_STR_ARG(rest), FL_STR_ARG(extra));
  }
  if (!text.p) return no_memory(err);
  c->verdict.sentence = text;
  return FL_OK;
}
