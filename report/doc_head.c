/* doc_head.c - the note's head: symptom and verdict in one line, then who, where and when. */
#include <inttypes.h>

#include "report/doc.h"
#include "report/view.h"

/* What a host notes in place of a reason; seen in real logs. */
#define TRANSPORT_LOST 0xd0000001u

enum { GRACEFUL = 1226 }; /* Win32: the connection was closed in order */

static fl_str symptom_words(fl_doc *doc) {
  const fl_view_symptom s = fl_view_symptom_of(doc->c);
  const fl_attempt *a = doc->c->chosen;
  const bool is_well = doc->c->verdict.status == FL_VERDICT_NO_FAILURE;
  if (!s.has_code || (s.is_recorded && is_well)) return FL_STR("Remote Desktop");
  /* Never another attempt's cause under the code that was asked for. */
  if (a && a->has_code && a->code != s.code && !is_well)
    return fl_doc_say(doc, "Asked for error 0x%x; attempt %u ended with 0x%x", s.code, a->number,
                      a->code);
  if (!s.has_extended) return fl_doc_say(doc, "Error 0x%x", s.code);
  return fl_doc_say(doc, "Error 0x%x, extended 0x%x", s.code, s.extended);
}

static fl_str title(fl_doc *doc) {
  const fl_verdict *v = &doc->c->verdict;
  const fl_str symptom = symptom_words(doc);
  const fl_cause_fact *cause = v->n_hypotheses ? v->hypotheses[0].cause : NULL;
  const fl_str named = fl_doc_clean(doc, fl_str_of(cause ? cause->title : "cause without a name"));
  switch (v->status) {
    case FL_VERDICT_CONFIRMED:
      return fl_doc_say(doc, "%.*s - confirmed: %.*s", FL_STR_ARG(symptom), FL_STR_ARG(named));
    case FL_VERDICT_LIKELY:
      return fl_doc_say(doc, "%.*s - likely: %.*s", FL_STR_ARG(symptom), FL_STR_ARG(named));
    case FL_VERDICT_POSSIBLE:
      return fl_doc_say(doc, "%.*s - possible: %.*s", FL_STR_ARG(symptom), FL_STR_ARG(named));
    case FL_VERDICT_UNDECIDED:
      if (doc->c->chosen && doc->c->chosen->outcome == FL_OUTCOME_ENDED)
        return fl_doc_say(doc, "%.*s - undecided: the attempt that was looked at shows no failure",
                          FL_STR_ARG(symptom));
      if (!doc->c->chosen)
        return fl_doc_say(doc, "%.*s - undecided: no attempt was found that could be judged",
                          FL_STR_ARG(symptom));
      return fl_doc_say(doc, "%.*s - undecided: the cause is not proven by what was read",
                        FL_STR_ARG(symptom));
    case FL_VERDICT_NO_FAILURE:
      return fl_doc_say(doc, "%.*s - no failure seen in what was read", FL_STR_ARG(symptom));
  }
  return symptom;
}

/* Where the solver left no sentence, the status still deserves one. */
static fl_str fallback_sentence(const fl_case *c) {
  switch (c->verdict.status) {
    case FL_VERDICT_CONFIRMED:
      return FL_STR("A decisive fact proves this cause and nothing speaks against it.");
    case FL_VERDICT_LIKELY:
      return FL_STR("Most of the evidence points to this cause; no single fact proves it.");
    case FL_VERDICT_POSSIBLE:
      return FL_STR("Some evidence points to this cause, too little to rely on.");
    case FL_VERDICT_UNDECIDED:
      if (!c->n_attempts)
        return FL_STR("No connection attempt was found, so nothing can be said about its cause.");
      if (!c->chosen)
        return FL_STR(
            "No attempt that failed was found, and not all of them are proven to have worked.");
      return FL_STR(
          "The attempt failed, but what was read does not tell the possible causes apart.");
    case FL_VERDICT_NO_FAILURE:
      return FL_STR("Every connection that was found went through and ended in order.");
  }
  return (fl_str){0};
}

void fl_doc_headline(fl_doc *doc) {
  const fl_str sentence = fl_doc_clean(doc, doc->c->verdict.sentence);
  fl_doc_add(doc, (fl_block){.kind = FL_B_TITLE, .text = title(doc)});
  fl_doc_add(doc, (fl_block){.kind = FL_B_PARA,
                             .text = sentence.n ? sentence : fallback_sentence(doc->c)});
}

static void symptom_fields(fl_doc *doc) {
  const fl_view_symptom s = fl_view_symptom_of(doc->c);
  const fl_attempt *a = doc->c->chosen;
  if (s.has_code)
    fl_doc_field(doc, s.is_recorded ? "Error (logged)" : "Error",
                 fl_doc_code(doc, fl_code_find(FL_CODE_DISCONNECT, s.code), s.code));
  else if (doc->c->symptom.text.n)
    fl_doc_field(doc, "Symptom", fl_doc_clean(doc, doc->c->symptom.text));
  if (s.has_extended)
    fl_doc_field(doc, "Extended", fl_doc_code(doc, fl_view_extended(s.extended), s.extended));
  if (!a) return;
  if (a->has_host_code && a->host_code == 0)
    fl_doc_field(doc, "Host's answer", FL_STR("0x0: the host reported no error to the client"));
  else if (a->has_host_code && a->host_code == TRANSPORT_LOST)
    fl_doc_field(doc, "Host's answer",
                 fl_doc_say(doc, "0x%x: none, its transport was gone first", a->host_code));
  else if (a->has_host_code && s.has_extended && a->host_code == s.extended)
    fl_doc_field(doc, "Host's answer",
                 fl_doc_say(doc, "0x%x: the host itself sent this code", a->host_code));
  else if (a->has_host_code)
    fl_doc_field(doc, "Host's answer",
                 fl_doc_code(doc, fl_view_extended(a->host_code), a->host_code));
  if (a->has_code && !s.is_recorded && a->code != s.code)
    fl_doc_field(doc, "But logged",
                 fl_doc_code(doc, fl_code_find(FL_CODE_DISCONNECT, a->code), a->code));
}

static fl_str end_words(fl_doc *doc, fl_str seen, const fl_machine *machine) {
  const fl_str name = fl_doc_clean(doc, machine && machine->name.n ? machine->name : seen);
  if (name.n == 0) return FL_STR("unknown: no log of it is in the case");
  if (!machine) return fl_doc_say(doc, "%.*s (no log of it is in the case)", FL_STR_ARG(name));
  return name;
}

static fl_str clock_words(fl_doc *doc, const fl_machine *machine) {
  const fl_str name = fl_doc_clean(doc, machine->name);
  const fl_str offset = fl_duration_text(machine->offset_ns, doc->arena);
  const fl_str spread = fl_duration_text(machine->spread_ns, doc->arena);
  const char *sign = machine->offset_ns < 0 ? "" : "+";
  if (machine->clock_is_given)
    return fl_doc_say(doc, "%.*s shifted by %s%.*s (as given)", FL_STR_ARG(name), sign,
                      FL_STR_ARG(offset));
  if (machine->clock_is_assumed)
    return fl_doc_say(doc, "%.*s shifted by %s%.*s (assumed: no other pair fits)", FL_STR_ARG(name),
                      sign, FL_STR_ARG(offset));
  if (machine->n_anchors == 0) return fl_doc_say(doc, "%.*s taken as right", FL_STR_ARG(name));
  return fl_doc_say(doc, "%.*s shifted by %s%.*s (give or take %.*s, from %u pair%s of events)",
                    FL_STR_ARG(name), sign, FL_STR_ARG(offset), FL_STR_ARG(spread),
                    machine->n_anchors, machine->n_anchors == 1 ? "" : "s");
}

static void clock_field(fl_doc *doc, const fl_attempt *a) {
  if (!a->client || !a->server || a->client == a->server) return;
  if (a->client->n_anchors == 0 && a->server->n_anchors == 0 && !a->client->clock_is_given &&
      !a->server->clock_is_given && !a->client->clock_is_assumed) {
    fl_doc_field(doc, "Clocks", FL_STR("taken as equal: no pair of events to compare them by"));
    return;
  }
  const fl_str client = clock_words(doc, a->client);
  const fl_str server = clock_words(doc, a->server);
  fl_doc_field(doc, "Clocks",
               fl_doc_say(doc, "%.*s; %.*s", FL_STR_ARG(client), FL_STR_ARG(server)));
}

static void reached_field(fl_doc *doc, const fl_attempt *a) {
  if (a->reached < 0) {
    fl_doc_field(doc, "Reached", FL_STR("no phase of the connection is proven"));
    return;
  }
  fl_doc_field(doc, "Reached",
               fl_doc_say(doc, "%s (%s, phase %d of %d)", fl_doc_phase_words(a->reached),
                          fl_phase_names[a->reached], (int)a->reached + 1, (int)FL_N_PHASES));
}

/* The address is the client's as the host saw it: behind a router or a gateway it is theirs. */
static fl_str client_words(fl_doc *doc, const fl_attempt *a) {
  const fl_str address = fl_doc_clean(doc, a->address);
  const bool is_named = a->client || (a->client_name.n && !fl_str_eq(a->client_name, a->address));
  const fl_str client = end_words(doc, a->client_name, a->client);
  if (address.n == 0) return client;
  const fl_str port = a->port ? fl_doc_say(doc, " port %u", (unsigned)a->port) : (fl_str){0};
  const char *who = a->route.via_gateway && !a->has_host ? "gateway" : "host";
  if (!is_named)
    return fl_doc_say(doc, "%.*s%.*s as the %s saw it (no log of it is in the case)",
                      FL_STR_ARG(address), FL_STR_ARG(port), who);
  return fl_doc_say(doc, "%.*s, seen by the %s as %.*s%.*s", FL_STR_ARG(client), who,
                    FL_STR_ARG(address), FL_STR_ARG(port));
}

/* Both ends have ids of their own for one connection, unless a gateway or broker hands one on. */
static void activity_field(fl_doc *doc, const fl_attempt *a) {
  const fl_str client = fl_doc_clean(doc, a->activity_id);
  const fl_str server = fl_doc_clean(doc, a->server_activity_id);
  if (client.n && server.n && !fl_str_eq_nocase(client, server))
    fl_doc_field(
        doc, "Activity id",
        fl_doc_say(doc, "%.*s (client), %.*s (host)", FL_STR_ARG(client), FL_STR_ARG(server)));
  else fl_doc_field(doc, "Activity id", client.n ? client : server);
}

static void time_field(fl_doc *doc, const fl_attempt *a) {
  int64_t lasted = 0;
  if (__builtin_sub_overflow(a->end, a->start, &lasted)) lasted = 0;
  const fl_str start = fl_doc_moment(doc, a->start);
  const fl_str end = fl_doc_moment(doc, a->end);
  const fl_str length = fl_duration_text(lasted, doc->arena);
  fl_doc_field(doc, "Time",
               fl_doc_say(doc, "%.*s to %.*s (%.*s)", FL_STR_ARG(start), FL_STR_ARG(end),
                          FL_STR_ARG(length)));
}

/* "GW01: connected, then disconnected after 57 s (error 1226); 391,624 bytes in, …" */
static void gateway_field(fl_doc *doc, const fl_attempt *a) {
  const fl_route *r = &a->route;
  if (!r->via_gateway) return;
  if (!r->gateway) {
    fl_doc_field(doc, "Gateway", FL_STR("one was used; no log of it is in the case"));
    return;
  }
  fl_str text = fl_doc_clean(doc, r->gateway->name);
  if (r->gateway_state.n)
    text = fl_doc_say(doc, "%.*s: %s", FL_STR_ARG(text), fl_view_gateway_words(r->gateway_state));
  if (r->gateway_duration_s >= 0) {
    const fl_str lasted = fl_duration_text(r->gateway_duration_s * FL_SECOND, doc->arena);
    text = fl_doc_say(doc, "%.*s after %.*s", FL_STR_ARG(text), FL_STR_ARG(lasted));
  }
  if (r->gateway_code > 0)
    text = fl_doc_say(doc, "%.*s, error %" PRId64 "%s", FL_STR_ARG(text), r->gateway_code,
                      r->gateway_code == GRACEFUL ? " (closed in order)" : "");
  if (r->has_bytes)
    text = fl_doc_say(doc, "%.*s; %.*s bytes from the client, %.*s to it", FL_STR_ARG(text),
                      FL_STR_ARG(fl_doc_count(doc, r->received)),
                      FL_STR_ARG(fl_doc_count(doc, r->sent)));
  fl_doc_field(doc, "Gateway", text);
}

static void broker_field(fl_doc *doc, const fl_attempt *a) {
  const fl_route *r = &a->route;
  if (!r->broker_state.n) return;
  const fl_str name = r->broker ? fl_doc_clean(doc, r->broker->name) : FL_STR("known by the host");
  const fl_str code =
      r->broker_code > 0 ? fl_doc_say(doc, ", error 0x%" PRIx64, r->broker_code) : (fl_str){0};
  fl_doc_field(doc, "Broker",
               fl_doc_say(doc, "%.*s: %s%.*s", FL_STR_ARG(name),
                          fl_view_broker_words(r->broker_state), FL_STR_ARG(code)));
}

static void transport_field(fl_doc *doc, const fl_attempt *a) {
  if (!a->transport.n && a->udp == FL_UNKNOWN) return;
  if (a->reached < FL_PHASE_TCP) return;
  switch (a->udp) {
    case FL_TRUE:
      fl_doc_field(doc, "Transport", FL_STR("TCP, and UDP came up beside it"));
      return;
    case FL_FALSE:
      fl_doc_field(doc, "Transport", FL_STR("TCP; UDP did not come up"));
      return;
    case FL_UNKNOWN:
      fl_doc_field(doc, "Transport", FL_STR("TCP; whether UDP came up is not recorded"));
      return;
  }
}

/* In the order in which a support engineer asks: when, by whose clock, who, which, what. */
void fl_doc_facts(fl_doc *doc) {
  const fl_attempt *a = doc->c->chosen;
  if (!a) {
    symptom_fields(doc);
    return;
  }
  time_field(doc, a);
  clock_field(doc, a);
  fl_doc_field(doc, "Client", client_words(doc, a));
  gateway_field(doc, a);
  broker_field(doc, a);
  fl_doc_field(doc, "Server", end_words(doc, a->server_name, a->server));
  fl_doc_field(doc, "User", fl_doc_clean(doc, a->user));
  activity_field(doc, a);
  symptom_fields(doc);
  transport_field(doc, a);
  reached_field(doc, a);
  if (a->ended_by.n)
    fl_doc_field(doc, "Ended by",
                 fl_doc_say(doc, "the %.*s", FL_STR_ARG(fl_doc_clean(doc, a->ended_by))));
}
