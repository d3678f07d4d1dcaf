/* cases.h - hand-built cases for the tests of reports. */
#ifndef FL_TESTS_CASES_H
#define FL_TESTS_CASES_H

#include "faultline/case.h"
#include "faultline/timeline.h"

/* 2026-03-02T08:15:02Z */
#define T0 (INT64_C(1772439302) * FL_SECOND)
#define MS INT64_C(1000000)
#define S(literal) \
  { literal, sizeof(literal) - 1 }
#define CORE_TS "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
#define CLIENT_TS "Microsoft-Windows-TerminalServices-ClientActiveXCore"

static const fl_source_info sources[] = {
    {.id = 0,
     .parent = UINT32_MAX,
     .name = S("case.zip"),
     .type = "zip",
     .is_container = true,
     .size_bytes = 901234},
    {.id = 1,
     .parent = 0,
     .name = S("case.zip!/client/RDPClient.evtx"),
     .type = "evtx",
     .size_bytes = 1118208,
     .n_events = 412,
     .first = T0 - 86400 * FL_SECOND,
     .last = T0 + 60 * FL_SECOND},
    {.id = 2,
     .parent = 0,
     .name = S("case.zip!/server/RdpCoreTS.evtx"),
     .type = "evtx",
     .size_bytes = 1118208,
     .n_events = 28921,
     .n_recovered = 2,
     .first = T0 - 30 * 86400 * FL_SECOND,
     .last = T0 + 3600 * FL_SECOND},
    {.id = 3,
     .parent = 0,
     .name = S("case.zip!/server/System.evtx"),
     .type = "evtx",
     .size_bytes = 2166784,
     .n_events = 5121,
     .first = T0 - 90 * 86400 * FL_SECOND,
     .last = T0 + 3600 * FL_SECOND},
};

static const fl_machine machines[] = {
    {.name = S("PC-17"), .roles = FL_ROLE_CLIENT},
    {.name = S("SRV1.corp.example"),
     .roles = FL_ROLE_SERVER,
     .offset_ns = -2310 * MS,
     .spread_ns = 40 * MS,
     .n_anchors = 3},
};

static const fl_field dial_fields[] = {{S("Name"), {.kind = FL_V_STR, .as.text = S("Server Name")}},
                                       {S("Value"), {.kind = FL_V_STR, .as.text = S("SRV1")}}};

static const fl_event dial = {.t = T0,
                              .source = 1,
                              .offset = 4608,
                              .record_id = 410,
                              .event_id = 1024,
                              .provider = S(CLIENT_TS),
                              .host = S("PC-17"),
                              .kind = S("rdp.client.connect"),
                              .data = dial_fields,
                              .n_data = 2};
static const fl_event accepted = {
    .t = T0 + 2350 * MS,
    .source = 2,
    .offset = 70120,
    .record_id = 88120,
    .event_id = 131,
    .provider = S(CORE_TS),
    .host = S("SRV1.corp.example"),
    .kind = S("rdp.core.accept"),
    .message = S("=the host accepted a TCP connection from 10.1.2.17 port 51512")};
static const fl_event key_error = {
    .t = T0 + 2620 * MS,
    .source = 3,
    .offset = 1503232,
    .record_id = 5120,
    .event_id = 36870,
    .provider = S("Schannel"),
    .host = S("SRV1.corp.example"),
    .kind = S("tls.key_error"),
    .message =
        S("=Schannel could not open the private key of the server's certificate: 0x8009030d")};
static const fl_event closed = {.t = T0 + 412 * MS,
                                .source = 1,
                                .offset = 5120,
                                .record_id = 411,
                                .event_id = 1026,
                                .provider = S(CLIENT_TS),
                                .host = S("PC-17"),
                                .kind = S("rdp.client.disconnect"),
                                .message = S("=the client was disconnected, reason 2308 (0x904)")};

static const fl_event *const all_events[] = {&dial, &accepted, &key_error, &closed};
static const fl_event *const key_events[] = {&key_error};
static const fl_event *const accept_events[] = {&accepted};

static const fl_evidence key_line = {
    FL_TRUE,
    70,
    true,
    S("Schannel could not open the private key 0.31 s after the host accepted the connection"),
    "tls_machinekeys",
    key_events,
    1};
static const fl_evidence accept_line = {
    FL_TRUE, 10, false, S("the connection reached the host"), "tls_machinekeys", accept_events, 1};
static const fl_evidence deny_line = {
    FL_TRUE,
    -20,
    false,
    S("the host closed before it could refuse: no protocol reached"),
    "srv_denied",
    accept_events,
    1};
static const fl_evidence drain_line = {
    FL_UNKNOWN,   40,   false, S("drain mode (the registry of the host is not in the case)"),
    "srv_denied", NULL, 0};
static const fl_evidence *const key_pro[] = {&key_line, &accept_line};
static const fl_evidence *const deny_con[] = {&deny_line};
static const fl_evidence *const deny_missing[] = {&drain_line};

static const fl_cause_fact key_cause = {
    "tls.machinekeys", "the certificate's private key cannot be used by the service",
    "Repair the rights on the machine key file: NETWORK SERVICE needs to read it\n"
    "Delete the certificate in the store \"Remote Desktop\" and restart the service, which makes a "
    "new one",
    "Connect again: RdpCoreTS 98 appears and Schannel 36870 does not",
    "System log of the host around the failure"};
static const fl_cause_fact deny_cause = {"srv.denied", "the host refuses new sessions",
                                         "End drain mode", "",
                                         "Registry of the host: Terminal Server keys"};

static const fl_hypothesis confirmed_list[] = {
    {.cause = &key_cause, .status = FL_VERDICT_CONFIRMED, .score = 80, .pro = key_pro, .n_pro = 2},
    {.cause = &deny_cause,
     .status = FL_VERDICT_UNDECIDED,
     .score = 0,
     .con = deny_con,
     .n_con = 1,
     .missing = deny_missing,
     .n_missing = 1}};
static const fl_hypothesis undecided_list[] = {{.cause = &deny_cause,
                                                .status = FL_VERDICT_UNDECIDED,
                                                .score = 20,
                                                .missing = deny_missing,
                                                .n_missing = 1}};

static const fl_span holes[] = {{T0 - 5 * FL_SECOND, T0 + 20 * FL_SECOND}};
static const fl_gap gaps[] = {{.kind = FL_GAP_MISSING,
                               .host = S("SRV1.corp.example"),
                               .channel = S("Security"),
                               .before = T0 - 5 * FL_SECOND,
                               .after = T0 + 20 * FL_SECOND,
                               .first = 1201,
                               .last = 1204,
                               .n = 4},
                              {.kind = FL_GAP_TIME_BACK,
                               .host = S("SRV1.corp.example"),
                               .channel = S("Security"),
                               .before = T0 + 60 * FL_SECOND,
                               .after = T0 - 60 * FL_SECOND,
                               .reason = "the clock was set"}};
static const fl_coverage coverage[] = {
    {.host = S("PC-17"),
     .channel = S(CLIENT_TS "/Operational"),
     .first = T0 - 86400 * FL_SECOND,
     .last = T0 + 60 * FL_SECOND,
     .start = INT64_MIN,
     .end = T0 + 60 * FL_SECOND,
     .n_events = 412},
    {.host = S("SRV1.corp.example"),
     .channel = S(CORE_TS "/Operational"),
     .first = T0 - 30 * 86400 * FL_SECOND,
     .last = T0 + 3600 * FL_SECOND,
     .start = T0 - 30 * 86400 * FL_SECOND,
     .end = T0 + 3600 * FL_SECOND,
     .n_events = 28921},
    {.host = S("SRV1.corp.example"),
     .channel = S("Security"),
     .first = T0 - 7200 * FL_SECOND,
     .last = T0 + 3600 * FL_SECOND,
     .start = T0 - 7200 * FL_SECOND,
     .end = T0 + 3600 * FL_SECOND,
     .n_events = 90112,
     .holes = holes,
     .n_holes = 1,
     .n_missing = 41},
};

static const fl_note notes[] = {
    {.source = 2,
     .severity = FL_NOTE_DAMAGED,
     .offset = 65536,
     .text = S("chunk 1: checksum is wrong")},
    {.source = 1, .severity = FL_NOTE_INFO, .offset = 0, .text = S("dirty flag")}};

static const fl_str collect_list[] = {
    S("RdpCoreTS/Operational, RemoteConnectionManager/Operational and System of the host, 08:00 to "
      "08:30 UTC"),
    S("a capture on the client during one more attempt: who closes the connection, and after which "
      "message")};

static inline fl_attempt failed_attempt(void) {
  fl_attempt a = {.number = 3,
                  .start = T0,
                  .end = T0 + 412 * MS,
                  .client = &machines[0],
                  .server = &machines[1],
                  .client_name = S("PC-17"),
                  .server_name = S("SRV1"),
                  .user = S("CORP\\anna"),
                  .address = S("10.1.2.17"),
                  .port = 51512,
                  .transport = S("tcp"),
                  .session_id = -1,
                  .reached = FL_PHASE_TCP,
                  .outcome = FL_OUTCOME_FAILED,
                  .has_code = true,
                  .code = 0x904,
                  .ended_by = S("server"),
                  .events = all_events,
                  .n_events = 4};
  a.proof[FL_PHASE_NAME] = &dial;
  a.proof[FL_PHASE_TCP] = &accepted;
  return a;
}

static inline fl_case base_case(void) {
  return (fl_case){
      .sources = sources,
      .n_sources = 4,
      .notes = notes,
      .n_notes = 2,
      .command = FL_STR("faultline triage 'case file.zip' --symptom 0x904"),
      .inputs = FL_STR(" 'case file.zip'"),
      .rules = {.n_files = 7, .n_rules = 31, .sha256 = "00112233445566778899aabbccddeeff"},
      .totals = {.n_sources = 4, .n_events = 34454, .n_recovered = 2, .n_notes = 2, .n_parsed = 3},
      .coverage = coverage,
      .n_coverage = 3,
      .gaps = gaps,
      .n_gaps = 2,
      .machines = machines,
      .n_machines = 2};
}

#endif
