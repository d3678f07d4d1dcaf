/* names.c - the words of enumerations, in one place so that all outputs agree. */
#include "faultline/case.h"
#include "faultline/event.h"
#include "faultline/ingest.h"

const char *const fl_column_names[FL_C_COUNT] = {
    [FL_C_PROVIDER] = "provider",
    [FL_C_PROVIDER_GUID] = "provider_guid",
    [FL_C_EVENT_SOURCE_NAME] = "event_source_name",
    [FL_C_EVENT_ID] = "event_id",
    [FL_C_QUALIFIERS] = "qualifiers",
    [FL_C_VERSION] = "version",
    [FL_C_LEVEL] = "level",
    [FL_C_TASK] = "task",
    [FL_C_OPCODE] = "opcode",
    [FL_C_KEYWORDS] = "keywords",
    [FL_C_TIME] = "time",
    [FL_C_RECORD_ID] = "record_id",
    [FL_C_ACTIVITY_ID] = "activity_id",
    [FL_C_RELATED_ACTIVITY_ID] = "related_activity_id",
    [FL_C_PID] = "pid",
    [FL_C_TID] = "tid",
    [FL_C_CHANNEL] = "channel",
    [FL_C_HOST] = "host",
    [FL_C_USER_SID] = "user_sid",
    [FL_C_MESSAGE] = "message",
    [FL_C_MESSAGE_SOURCE] = "message_source",
    [FL_C_LEVEL_NAME] = "level_name",
    [FL_C_TASK_NAME] = "task_name",
    [FL_C_OPCODE_NAME] = "opcode_name",
    [FL_C_KEYWORD_NAMES] = "keyword_names",
    [FL_C_RULES] = "rules",
};

const char *const fl_message_source_names[FL_N_MESSAGE_SOURCES] = {"", "rendering", "mta", "own"};

const char *const fl_event_flag_names[FL_N_EVENT_FLAGS] = {
    "slack", "recovered", "bad_crc",      "truncated", "duplicate", "redacted",
    "gap",   "synthetic", "time_invalid", "fallback",  "partial",   "finding"};

const char *const fl_severity_names[6] = {"info",        "repaired",   "damaged",
                                          "unsupported", "unreadable", "limit"};

const char *const fl_ledger_state_names[8] = {"parsed",  "recovered", "slack",   "empty",
                                              "damaged", "unknown",   "skipped", "unsupported"};

/* As in rules/engines.def, behind sequences. */
const char *const fl_rule_engine_names[FL_N_RULE_ENGINES] = {"sequence", "sigma", "yara"};
