/* known_test.c - what is known of rows: the same facts and sentences as of events that are built.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rows.h"

#define SECURITY "Microsoft-Windows-Security-Auditing"

typedef struct bench {
  fl_known *known;
  fl_arena *arena;
} bench;

static int make_bench(void **state) {
  bench *b = calloc(1, sizeof *b);
  if (!b) return -1;
  b->known = fl_known_create();
  b->arena = fl_arena_create(4 << 20);
  *state = b;
  return b->known && b->arena ? 0 : -1;
}

static int free_bench(void **state) {
  bench *b = *state;
  fl_known_free(b->known);
  fl_arena_free(b->arena);
  free(b);
  return 0;
}

/* Both ways give this sentence; an event without a message takes it as its own. */
static void expect_sentence(bench *b, const hand_row *h, const char *text) {
  fl_event event;
  fl_err err = {0};
  assert_int_equal(fl_event_build(&h->batch, &h->row, b->arena, &event, &err), FL_OK);
  const fl_str whole = fl_event_sentence(&event, b->arena);
  const fl_event_fact *fact = fl_known_fact(b->known, &h->batch, &h->row);
  const fl_str row = fl_known_sentence(b->known, fact, &h->batch, &h->row, b->arena);
  if (!fl_str_eq(whole, fl_str_of(text)) || !fl_str_eq(row, whole))
    fail_msg("'%.*s' and '%.*s'", FL_STR_ARG(whole), FL_STR_ARG(row));
  assert_true(fl_str_eq(event.message, whole));
  assert_int_equal(event.message_source, whole.n ? FL_MESSAGE_OWN : FL_MESSAGE_NONE);
}

static void named_fields(void **state) {
  bench *b = *state;
  hand_row h;
  hand_start(&h, SECURITY, "4624");
  hand_field(&h, "TargetUserName", "alice");
  hand_field(&h, "LogonType", "10");
  h.shape.cached = true;
  h.shape.serial = 3;
  expect_sentence(b, &h, "alice logged on (type 10)");
  /* The same shape again, now with a name that means nothing. */
  h.refs[0] = text_ref("-");
  expect_sentence(b, &h, "? logged on (type 10)");
}

static void unnamed_items(void **state) {
  static const char *const items[] = {"mstsc.exe", "10.0", "ts",       "mstscax.dll",
                                      "10.1",      "ts2",  "c0000005", "1234"};
  bench *b = *state;
  hand_row h;
  hand_start(&h, "Application Error", "1000");
  hand_list(&h, items, 8);
  expect_sentence(b, &h, "mstsc.exe crashed in mstscax.dll with exception 0xc0000005");
  h.shape.n_fields = 0;
  h.n_refs = 0;
  hand_list(&h, items, 1);
  expect_sentence(b, &h, "mstsc.exe crashed in ? with exception ?");
}

static void reason_sentence(bench *b, const char *reason, const char *text) {
  hand_row h;
  hand_start(&h, "Microsoft-Windows-TerminalServices-LocalSessionManager", "40");
  hand_field(&h, "Session", "2");
  hand_field(&h, "Reason", reason);
  expect_sentence(b, &h, text);
}

/* Why a session ended is said with the code's name, whatever kind of number it is. */
static void reasons_are_named(void **state) {
  bench *b = *state;
  reason_sentence(b, "5",
                  "session 2 was disconnected, reason 5 (exDiscReasonReplacedByOtherConnection: "
                  "another connection took the session over)");
  reason_sentence(b, "3489660929",
                  "session 2 was disconnected, reason 0xd0000001 (STATUS_UNSUCCESSFUL: an "
                  "unspecified failure; as 0xD0000001 (3489660929), the reason of a session's end, "
                  "it means that the transport was lost)");
  reason_sentence(b, "2147942464",
                  "session 2 was disconnected, reason 0x80070040 "
                  "(HRESULT_FROM_WIN32(ERROR_NETNAME_DELETED): the transport is gone; nearly every "
                  "connection ends like this, so it proves no fault)");
  reason_sentence(
      b, "2147952454",
      "session 2 was disconnected, reason 0x80072746 (WSAECONNRESET: the connection was "
      "reset by the other end)");
  reason_sentence(b, "77", "session 2 was disconnected, reason 77");
}

static void statuses_are_named(void **state) {
  static const char *const items[] = {"\\Device\\Termdd", "X.224"};
  bench *b = *state;
  hand_row h;
  hand_start(&h, "TermDD", "56");
  hand_field(&h, "Binary", "00000000840100D0");
  expect_sentence(b, &h,
                  "the security layer failed with 0xc0000184 (STATUS_INVALID_DEVICE_STATE: the "
                  "device is in no fit state; of a Remote Desktop stream: broken before the host "
                  "wrote to it) and the client was dropped");
  h.refs[0] = text_ref("0000000030030980");
  expect_sentence(
      b, &h,
      "the security layer failed with 0x80090330 (SEC_E_DECRYPT_FAILURE: data could not "
      "be decrypted) and the client was dropped");
  h.refs[0] = text_ref("0000000000000000");
  expect_sentence(b, &h, "the security layer failed with no status and the client was dropped");
  hand_start(&h, "TermDD", "50");
  hand_list(&h, items, 2);
  expect_sentence(b, &h,
                  "protocol component X.224 failed with no status and the client was dropped");
}

/* One template of a classic provider serves many events. */
static void facts_share_a_shape(void **state) {
  bench *b = *state;
  hand_row h;
  static const char *const items[] = {"Spooler", "running"};
  hand_start(&h, "EventLog", "6005");
  hand_list(&h, items, 2);
  h.shape.cached = true;
  h.shape.serial = 9;
  for (int i = 0; i < 2; i++) {
    h.shape.columns[FL_C_EVENT_ID] = text_ref("6005");
    expect_sentence(b, &h, "the event log service started");
    h.shape.columns[FL_C_EVENT_ID] = text_ref("6006");
    expect_sentence(b, &h, "the event log service stopped in order");
  }
}

static void the_event_source_counts_too(void **state) {
  bench *b = *state;
  hand_row h;
  hand_start(&h, "Microsoft-Windows-Eventlog-Classic", "6005");
  h.shape.columns[FL_C_EVENT_SOURCE_NAME] = text_ref("EventLog");
  expect_sentence(b, &h, "the event log service started");
}

static void unknown_events_have_none(void **state) {
  bench *b = *state;
  hand_row h;
  hand_start(&h, "Nobody", "7");
  expect_sentence(b, &h, "");
  hand_start(&h, "Nobody", "no number");
  expect_sentence(b, &h, "");
}

static void recorded_messages_stay(void **state) {
  bench *b = *state;
  hand_row h;
  fl_event event;
  fl_err err = {0};
  hand_start(&h, "EventLog", "6005");
  h.shape.columns[FL_C_MESSAGE] = text_ref("Der Dienst wurde gestartet.");
  assert_int_equal(fl_event_build(&h.batch, &h.row, b->arena, &event, &err), FL_OK);
  assert_int_equal(event.message_source, FL_MESSAGE_RENDERING);
  assert_true(fl_str_eq(event.message, FL_STR("Der Dienst wurde gestartet.")));
  h.shape.columns[FL_C_MESSAGE_SOURCE] = text_ref("mta");
  assert_int_equal(fl_event_build(&h.batch, &h.row, b->arena, &event, &err), FL_OK);
  assert_int_equal(event.message_source, FL_MESSAGE_MTA);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(named_fields),
                                     cmocka_unit_test(unnamed_items),
                                     cmocka_unit_test(reasons_are_named),
                                     cmocka_unit_test(statuses_are_named),
                                     cmocka_unit_test(facts_share_a_shape),
                                     cmocka_unit_test(the_event_source_counts_too),
                                     cmocka_unit_test(unknown_events_have_none),
                                     cmocka_unit_test(recorded_messages_stay)};
  return cmocka_run_group_tests(tests, make_bench, free_bench);
}
