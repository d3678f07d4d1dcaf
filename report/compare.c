/* compare.c - the chosen attempt beside the last one of the same pair that worked. */
#include "report/compare.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/text.h"
#include "report/view.h"

typedef struct comparing {
  fl_arena *arena;
  const fl_case *c;
  fl_comparison *list;
  size_t n;
} comparing;

/* What both left open is no line. */
static void add(comparing *by, const char *label, const char *key, fl_str good, fl_str now) {
  if ((!good.n && !now.n) || by->n == FL_N_COMPARED) return;
  const fl_str unknown = FL_STR("not recorded");
  by->list[by->n++] = (fl_comparison){.label = label,
                                      .key = key,
                                      .good = good.n ? good : unknown,
                                      .now = now.n ? now : unknown,
                                      .is_same = fl_str_eq_nocase(good, now)};
}

static fl_str udp_words(const fl_attempt *a) {
  if (a->udp == FL_UNKNOWN) return (fl_str){0};
  return a->udp == FL_TRUE ? FL_STR("up") : FL_STR("not up");
}

/* The security protocol as far as the logs name it: TLS of a version, network level authentication
 * where a logon stood before the session. */
static fl_str security_words(const comparing *by, const fl_attempt *a) {
  const bool has_nla = a->proof[FL_PHASE_AUTH] && a->proof[FL_PHASE_AUTH]->event_id == 1149;
  if (!a->tls_version.n) return has_nla ? FL_STR("signed in before the session") : (fl_str){0};
  return fl_arena_printf(by->arena, "TLS %.*s%s", FL_STR_ARG(a->tls_version),
                         has_nla ? ", signed in before the session" : "");
}

static fl_str gateway_words(const fl_attempt *a) {
  if (!a->route.via_gateway) return FL_STR("none seen");
  return a->route.gateway ? a->route.gateway->name : FL_STR("one without a log");
}

static fl_str code_words(const comparing *by, const fl_attempt *a) {
  return a->has_code ? fl_arena_printf(by->arena, "0x%x", a->code) : (fl_str){0};
}

static fl_str host_code_words(const comparing *by, const fl_attempt *a) {
  return a->has_host_code ? fl_arena_printf(by->arena, "0x%x", a->host_code) : (fl_str){0};
}

/* How long after the start the phase was proven. */
static fl_str phase_words(const comparing *by, const fl_attempt *a, int phase) {
  if (a->reached < phase) return FL_STR("not reached");
  if (!a->proof[phase]) return (fl_str){0};
  int64_t after = 0;
  if (__builtin_sub_overflow(fl_view_time(by->c, a->proof[phase]), a->start, &after)) after = 0;
  const fl_str text = fl_duration_text(after, by->arena);
  return fl_arena_printf(by->arena, "after %.*s", FL_STR_ARG(text));
}

/* Times never agree to the millisecond: a phase differs where it is missing, or took two seconds
 * more and twice as long. */
static bool took_the_same(const comparing *by, const fl_attempt *good, const fl_attempt *now,
                          int phase) {
  if (!good->proof[phase] || !now->proof[phase]) return false;
  const int64_t was = fl_view_time(by->c, good->proof[phase]) - good->start;
  const int64_t is = fl_view_time(by->c, now->proof[phase]) - now->start;
  const int64_t less = was < is ? was : is, more = was < is ? is : was;
  return more - less < 2 * FL_SECOND || more < 2 * less;
}

static void add_phases(comparing *by, const fl_attempt *good, const fl_attempt *now) {
  static const char *const labels[FL_N_PHASES] = {
      "Name known",     "TCP",           "Negotiated", "TLS", "Signed in", "Licensed",
      "Session chosen", "First picture", "In session"};
  for (int phase = 0; phase < FL_N_PHASES; phase++) {
    const size_t before = by->n;
    if (!good->proof[phase] && !now->proof[phase]) continue;
    add(by, labels[phase], fl_phase_names[phase], phase_words(by, good, phase),
        phase_words(by, now, phase));
    if (by->n > before && took_the_same(by, good, now, phase)) by->list[before].is_same = true;
  }
}

size_t fl_compare(const fl_case *c, fl_arena *arena, fl_comparison ret_list[FL_N_COMPARED]) {
  const fl_attempt *now = c->chosen, *good = now ? now->last_good : NULL;
  if (!good || (now->outcome != FL_OUTCOME_FAILED && now->outcome != FL_OUTCOME_LOST)) return 0;
  comparing by = {.arena = arena, .c = c, .list = ret_list};
  add(&by, "Dialled", "target", good->target, now->target);
  add(&by, "User", "user", good->user, now->user);
  add(&by, "Address", "address", good->address, now->address);
  add(&by, "Gateway", "gateway", gateway_words(good), gateway_words(now));
  add(&by, "Security", "security", security_words(&by, good), security_words(&by, now));
  add(&by, "UDP", "udp", udp_words(good), udp_words(now));
  add_phases(&by, good, now);
  add(&by, "Client's code", "code", code_words(&by, good), code_words(&by, now));
  add(&by, "Host's code", "host_code", host_code_words(&by, good), host_code_words(&by, now));
  add(&by, "Ended by", "ended_by", good->ended_by, now->ended_by);
  return by.n;
}
