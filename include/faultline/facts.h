/* facts.h - what we know about Windows: events, codes, message texts. Data in facts/ .def files. */
#ifndef FAULTLINE_FACTS_H
#define FAULTLINE_FACTS_H

#include "faultline/event.h"

/* One event we know by (provider, id). */
typedef struct fl_event_fact {
  const char *kind;     /* "rdp.client.disconnect" */
  const char *provider; /* exact, ASCII case ignored */
  uint32_t event_id;
  const char *fields;   /* "ours=Theirs:type …"; see facts/events.c for the types */
  const char *sentence; /* short message in our own words with {field} places, or "" */
  bool always;          /* written whenever it happens, by default settings: absence can be proof */
  const char *source;   /* where the fact is known from */
} fl_event_fact;
FL_API const fl_event_fact *fl_event_fact_find(fl_str provider, uint32_t event_id);
FL_API size_t fl_event_facts(const fl_event_fact **ret_facts);
/* The fact's sentence filled with the event's values; empty when it has none. */
FL_API fl_str fl_event_sentence(const fl_event *event, fl_arena *arena);

/* What is known of rows, without building their events: look-ups are remembered, sentences bound
 * to shapes once. For one thread. */
typedef struct fl_known fl_known;
FL_API fl_known *fl_known_create(void); /* NULL: no memory */
FL_API void fl_known_free(fl_known *known);
FL_API const fl_event_fact *fl_known_fact(fl_known *known, const fl_batch *batch,
                                          const fl_row *row);
/* The same text as fl_event_sentence; it lies in `arena`. */
FL_API fl_str fl_known_sentence(fl_known *known, const fl_event_fact *fact, const fl_batch *batch,
                                const fl_row *row, fl_arena *arena);

/* State facts, events of the provider `faultline-state`: what a bundle says of a machine at the
 * time of its collection, kinds "setting.…" and "state.…". Their time is that of the collection, or
 * none: no window of time leaves them out, and no log covers them. */
FL_API bool fl_provider_is_state(fl_str provider);
FL_API bool fl_kind_is_state(fl_str kind);
FL_API bool fl_event_is_state(const fl_event *event);
FL_API bool fl_row_is_state(const fl_batch *batch, const fl_row *row);

/* The setting of the audit policy that writes an event of the Security log; NULL where none is
 * known. Equal settings have equal texts. */
FL_API const char *fl_audit_setting(fl_str provider, int64_t event_id);

/* A provider or channel without the prefixes that all of Remote Desktop share: "RdpCoreTS". */
FL_API fl_str fl_provider_short(fl_str name);

/* The spaces that numbers come from; the same number means different things in each. */
typedef enum fl_code_space {
  FL_CODE_DISCONNECT, /* primary reason of the RDP client: the dialog's "error code", 1026 */
  FL_CODE_EXTENDED,   /* extended disconnect reason */
  FL_CODE_ERRINFO,    /* Set Error Info PDU, MS-RDPBCGR 2.2.5.1.1 */
  FL_CODE_NEG_FAILURE,
  FL_CODE_GATEWAY,
  FL_CODE_HRESULT,
  FL_CODE_NTSTATUS,
  FL_CODE_WIN32,
  FL_CODE_TLS_ALERT,
  FL_CODE_RDPCORETS_103,
  FL_CODE_EXCEPTION,      /* what ended a process */
  FL_CODE_FAST_FAIL,      /* why a program stopped itself: first parameter of 0xC0000409 */
  FL_CODE_BUGCHECK,       /* stop codes of Windows */
  FL_CODE_SCHANNEL_STATE, /* internal error state of Schannel's events */
  FL_CODE_MISPLACED,      /* what public tables list as primary reasons, and is none */
  FL_CODE_N_SPACES
} fl_code_space;
FL_API extern const char *const fl_code_space_names[FL_CODE_N_SPACES];

typedef struct fl_code_fact {
  fl_code_space space;
  uint32_t code;
  const char *symbol;   /* "" when it has none */
  const char *meaning;  /* one sentence, our own words */
  const char *layer;    /* disconnect codes: "transport", …; else the origin */
  const char *causes;   /* "; " separated, may be "" */
  const char *separate; /* evidence that tells the causes apart, "; " separated, may be "" */
  const char *source;
} fl_code_fact;
FL_API const fl_code_fact *fl_code_find(fl_code_space space, uint32_t code);
FL_API size_t fl_code_facts(fl_code_space space, const fl_code_fact **ret_facts);

/* What a log means by a status: an NTSTATUS, an HRESULT or the Win32 error in it, by its form; and
 * by the reason that a session or connection ended with: small numbers are extended reasons. NULL
 * where the number is not documented. */
FL_API const fl_code_fact *fl_code_of_status(uint32_t code);
FL_API const fl_code_fact *fl_code_of_reason(uint32_t code);

/* A space in front of a number, as in "win32:5" or "extended:0x7". */
FL_API bool fl_code_prefix(fl_str text, fl_code_space *ret_space, fl_str *ret_rest);
/* A code as people write it: "0x904", "2308", "-2146893007", "0xC000006D", "win32:5", a symbol's
 * name, HRESULT_FROM_NT(…).
 * Returns the number of meanings, best first (at most `cap`); 0 with *ret_code set means
 * "a number, but not documented"; FL_E_ARG in *ret_status when it is neither. */
FL_API size_t fl_code_parse(fl_str text, const fl_code_fact **ret_facts, size_t cap,
                            uint32_t *ret_code, fl_status *ret_status);

/* Decimal digits that mean nothing as such, but are a known disconnect reason as 0x…: dialogs print
 * hexadecimal numbers, and people leave out the 0x. NULL otherwise. */
FL_API const fl_code_fact *fl_code_meant(fl_str text);

/* What a pasted dialog text or "CODE[/EXT]" says. A text without a code is no error; the note
 * tells. */
typedef struct fl_symptom {
  bool has_code, has_extended;
  uint32_t code, extended;
  fl_str text;        /* as given */
  fl_str activity_id; /* when the dialog shows one; GUID upper case without braces */
  fl_time time;       /* when the dialog shows one; 0 otherwise */
  fl_str note;        /* sentences: what was not understood, or how it was read; may be empty */
} fl_symptom;
FL_API fl_status fl_symptom_parse(fl_str text, fl_arena *arena, fl_symptom *ret_symptom,
                                  fl_err *err);

/* One cause of failure, the row behind a hypothesis; ids are stable. */
typedef struct fl_cause_fact {
  const char *id; /* "tls.machinekeys" */
  const char *title;
  const char *fix;     /* steps separated by '\n' */
  const char *check;   /* how to see that the fix worked; steps separated by '\n' */
  const char *collect; /* what would decide it, exact channels and commands, '\n' separated */
} fl_cause_fact;
FL_API const fl_cause_fact *fl_cause_find(fl_str id);
FL_API size_t fl_causes(const fl_cause_fact **ret_facts);
/* The causes that a code can stand for, as far as rows say so, and the codes that a cause can show
 * itself by; at most `cap`. */
enum { FL_CODE_CAUSES_MAX = 32, FL_CAUSE_CODES_MAX = 64 };
FL_API size_t fl_code_causes(const fl_code_fact *fact, const fl_cause_fact **ret_causes,
                             size_t cap);
FL_API size_t fl_cause_codes(const fl_cause_fact *cause, const fl_code_fact **ret_codes,
                             size_t cap);

/* Names of causes and codes that are close to a word that is none, the closest first. */
enum { FL_NEAR_MAX = 5 };
FL_API size_t fl_fact_near(fl_str word, const char *ret_names[FL_NEAR_MAX]);

#endif
