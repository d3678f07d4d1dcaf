/* event.h - rows, shapes and batches as parsers emit them; events as people and rules see them. */
#ifndef FAULTLINE_EVENT_H
#define FAULTLINE_EVENT_H

#include "faultline/value.h"

/* The fixed columns of an event: where System, Rendering and our own facts go. The order is the
 * order of columns in exports; names are in fl_column_names. */
typedef enum fl_column {
  FL_C_PROVIDER,
  FL_C_PROVIDER_GUID,
  FL_C_EVENT_SOURCE_NAME,
  FL_C_EVENT_ID,
  FL_C_QUALIFIERS,
  FL_C_VERSION,
  FL_C_LEVEL,
  FL_C_TASK,
  FL_C_OPCODE,
  FL_C_KEYWORDS,
  FL_C_TIME, /* TimeCreated/SystemTime as recorded; the row holds it in nanoseconds */
  FL_C_RECORD_ID,
  FL_C_ACTIVITY_ID,
  FL_C_RELATED_ACTIVITY_ID,
  FL_C_PID,
  FL_C_TID,
  FL_C_CHANNEL,
  FL_C_HOST, /* System/Computer */
  FL_C_USER_SID,
  FL_C_MESSAGE,        /* RenderingInfo, or what LocaleMetaData holds for the record */
  FL_C_MESSAGE_SOURCE, /* which of them; null: RenderingInfo */
  FL_C_LEVEL_NAME,
  FL_C_TASK_NAME,
  FL_C_OPCODE_NAME,
  FL_C_KEYWORD_NAMES,
  FL_C_RULES, /* of timelines that were made with rules: names of those that matched, a list */
  FL_C_COUNT
} fl_column;
FL_API extern const char *const fl_column_names[FL_C_COUNT]; /* "provider", "event_id", … */

/* Where a value of a row is found. NONE and CONST both answer with `constant`. */
typedef enum fl_ref_kind { FL_REF_NONE, FL_REF_CONST, FL_REF_SLOT } fl_ref_kind;
typedef struct fl_ref {
  fl_ref_kind kind;
  uint32_t slot;   /* FL_REF_SLOT: index into the row's slots */
  fl_raw constant; /* FL_REF_CONST: FL_T_UTF8 text or a FL_T_GUID, owned by the shape; NONE: null */
} fl_ref;

/* How several refs make one value: a single one, a list of items (repeated elements, in order),
 * or text glued together (mixed content such as "%1 of %2"). */
typedef enum fl_join { FL_JOIN_ONE, FL_JOIN_LIST, FL_JOIN_CONCAT } fl_join;

/* One named data field. Repeated and unnamed <Data> elements are a list named "Data"; leaves of
 * UserData bear their element's name, or the path with dots where two leaves share it. */
typedef struct fl_shape_field {
  fl_str name;
  const fl_ref *refs;
  uint32_t n_refs;
  fl_join join;
} fl_shape_field;

/* The element tree of a shape in document order, for XML. An op opens, names, fills or closes. */
typedef enum fl_markup_op {
  FL_M_OPEN, /* element start; text = name */
  FL_M_ATTR, /* attribute start; text = name; its content follows */
  FL_M_ATTR_END,
  FL_M_TEXT,     /* constant text */
  FL_M_SLOT,     /* value of a slot */
  FL_M_SLOT_OPT, /* value of a slot; when null, the element or attribute around it is left out */
  FL_M_CDATA,    /* constant CDATA section */
  FL_M_ENTITY,   /* named entity reference; text = name */
  FL_M_CHARREF,  /* character reference; text = its decimal digits */
  FL_M_DEPENDS,  /* when the slot is null, the element just opened is left out */
  FL_M_PI,       /* processing instruction: text = "target data" */
  FL_M_CLOSE
} fl_markup_op;
typedef struct fl_markup {
  fl_markup_op op;
  uint32_t slot;
  fl_str text;
} fl_markup;

/* What all rows of one kind share; immutable. Shapes with `cached` live as long as the run, others
 * as long as their batch. `serial` is unique in a run (never reused), small and dense for cached
 * shapes, so that consumers can keep plans in arrays. */
#define FL_SHAPE_TEMPORARY                                               \
  (UINT64_C(1) << 63) /* set in the serial of shapes that are not cached \
                       */
typedef struct fl_shape {
  uint64_t serial;
  bool cached;
  uint32_t n_slots;
  fl_ref columns[FL_C_COUNT];
  const fl_shape_field *fields;
  uint32_t n_fields;
  uint32_t n_markup; /* 0: no XML, or not wanted; exporters build the standard form */
  const fl_markup *markup;
} fl_shape;

/* Flag bits of a row or event; the numbers are part of the timeline format. */
typedef enum fl_event_flags {
  FL_F_SLACK = 1u << 0,     /* decoded from behind the live records */
  FL_F_RECOVERED = 1u << 1, /* of no chunk; of slack: with a repair */
  FL_F_BAD_CRC = 1u << 2,   /* its chunk's checksum is wrong */
  FL_F_TRUNCATED = 1u << 3, /* values cut by a limit or by damage */
  FL_F_DUPLICATE = 1u << 4, /* same host, channel, record id, time as an earlier one */
  FL_F_REDACTED = 1u << 5,
  FL_F_GAP = 1u << 6,          /* synthetic: records are missing here */
  FL_F_SYNTHETIC = 1u << 7,    /* made by us from other events */
  FL_F_TIME_INVALID = 1u << 8, /* time 0; the raw value is in the data */
  FL_F_FALLBACK = 1u << 9,     /* decoded by the second engine */
  FL_F_PARTIAL = 1u << 10,     /* live, but not all of it could be read: a note says what */
  FL_F_FINDING = 1u << 11      /* made by us: a rule matched here */
} fl_event_flags;
enum { FL_N_EVENT_FLAGS = 12 };
FL_API extern const char *const fl_event_flag_names[FL_N_EVENT_FLAGS];

typedef struct fl_row {
  const fl_shape *shape;
  fl_time t;         /* event time; 0 with FL_F_TIME_INVALID */
  fl_time t_written; /* record header's time, 0 when unknown */
  uint64_t header_record_id;
  uint64_t seq;    /* order in the source, from 0 */
  uint64_t offset; /* of the record in its source */
  uint32_t length;
  uint32_t flags; /* fl_event_flags */
  uint32_t slot0; /* first slot in the batch */
  uint32_t source;
} fl_row;

/* Up to FL_BATCH_ROWS rows of one source. Valid until the callback that received it returns. */
enum { FL_BATCH_ROWS = 4096 };
typedef struct fl_batch {
  uint32_t source;
  uint32_t n_rows;
  const fl_row *rows;
  const fl_raw *slots;
  struct fl_source *origin; /* for fl_row_bytes; NULL where the source is out of reach */
} fl_batch;

static inline fl_raw fl_row_raw(const fl_batch *batch, const fl_row *row, const fl_ref *ref) {
  return ref->kind == FL_REF_SLOT ? batch->slots[row->slot0 + ref->slot] : ref->constant;
}
static inline fl_raw fl_row_column(const fl_batch *batch, const fl_row *row, fl_column column) {
  return fl_row_raw(batch, row, &row->shape->columns[column]);
}
/* Value of a data field, lists and glued text resolved. */
FL_API fl_value fl_row_field(const fl_batch *batch, const fl_row *row, const fl_shape_field *field,
                             fl_arena *arena);

/* One named value. */
typedef struct fl_field {
  fl_str name;
  fl_value value;
} fl_field;

/* Where an event's message comes from; the names are part of the timeline format. */
typedef enum fl_message_source {
  FL_MESSAGE_NONE,
  FL_MESSAGE_RENDERING, /* RenderingInfo of the record: Windows' text, in the collector's language
                         */
  FL_MESSAGE_MTA,       /* LocaleMetaData beside the log: Windows' text */
  FL_MESSAGE_OWN        /* our sentence for a known event */
} fl_message_source;
enum { FL_N_MESSAGE_SOURCES = 4 };
FL_API extern const char *const fl_message_source_names[FL_N_MESSAGE_SOURCES]; /* "" for NONE */

/* An event with every value decoded: what rules keep, reports cite and timelines give back.
 * All strings are owned by the arena given when it was built. Numbers are -1 where absent. */
typedef struct fl_event {
  fl_time t;
  fl_time t_written; /* 0 = same as t or unknown */
  uint32_t flags;
  uint32_t source; /* id in the run; its name is in fl_source_info */
  uint64_t seq;
  uint64_t offset;
  uint32_t length;
  int64_t record_id;        /* EventRecordID */
  int64_t header_record_id; /* -1 when equal to record_id */
  int64_t event_id;
  int64_t qualifiers, version, level, task, opcode, pid, tid;
  fl_str keywords; /* "0x…" */
  fl_str provider, provider_guid, channel, host, user_sid, activity_id, related_activity_id,
      message;
  fl_message_source message_source;
  fl_str level_name, task_name, opcode_name, keyword_names, event_source_name;
  fl_str rules; /* names of those that matched, with ", " between them; of timelines alone */
  const fl_field *data; /* as recorded, in order */
  size_t n_data;
  /* What facts/ knows about it; empty when there is no fact row. */
  fl_str kind; /* "rdp.client.disconnect" */
  const fl_field
      *facts; /* normalised fields of the fact row: "client_ip", "session_id", "code" … */
  size_t n_facts;
} fl_event;

/* A rule that matched a record, which (source, seq) names; `name` is an index. */
typedef struct fl_tag {
  uint32_t source, name;
  uint64_t seq;
} fl_tag;
typedef struct fl_tags {
  const fl_tag *items; /* by source, seq and name, each once */
  size_t n;
  const fl_str *names;
} fl_tags;

/* Builds an event from a row, facts included. */
FL_API fl_status fl_event_build(const fl_batch *batch, const fl_row *row, fl_arena *arena,
                                fl_event *ret_event, fl_err *err);
/* Attempts are made by the case; gaps are made of what logs lack, and stand in timelines. */
static inline bool fl_event_is_attempt(const fl_event *event) {
  return (event->flags & (FL_F_SYNTHETIC | FL_F_GAP)) == FL_F_SYNTHETIC;
}
/* Of a dump or an error report: the event says what died (docs/formats/minidump.md). */
FL_API bool fl_event_is_crash_file(const fl_event *event);
/* An event that has its times, flags and place, and of its columns those of the mask (1 <<
 * fl_column); no data, no facts. For conditions that need no more. */
FL_API fl_status fl_event_build_columns(const fl_batch *batch, const fl_row *row,
                                        uint32_t columns_mask, fl_arena *arena, fl_event *ret_event,
                                        fl_err *err);
/* Case-insensitive look-up, facts first, then data (blanks in names ignored). NULL when absent. */
FL_API const fl_value *fl_event_field(const fl_event *event, fl_str name);

/* Survived damage or doubt: where, and one sentence. Kept in the timeline. */
typedef enum fl_severity {
  FL_NOTE_INFO,
  FL_NOTE_REPAIRED,
  FL_NOTE_DAMAGED,
  FL_NOTE_UNSUPPORTED,
  FL_NOTE_UNREADABLE,
  FL_NOTE_LIMIT
} fl_severity;
typedef struct fl_note {
  uint32_t source;
  fl_severity severity; /* INFO leaves exit code 0, all others make it 3 */
  uint64_t offset;
  fl_str text;
} fl_note;
FL_API extern const char *const fl_severity_names[6];

#endif
