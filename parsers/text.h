/* text.h - output of Windows tools kept as text: one reader for each tool, and what they share.
 *
 * A file may hold the output of several tools, one behind the other. Tools speak the language of
 * Windows: readers go by shape (numbers, columns, order of lines), and by tables of words where a
 * word is all there is (text_words.def). docs/formats/text.md has the forms. */
#ifndef FL_PARSERS_TEXT_H
#define FL_PARSERS_TEXT_H

#include "parsers/lines.h"
#include "parsers/state.h"

/* A piece of a line that outlives it. What does not fit is cut between characters. */
enum { TEXT_KEPT_MAX = 480 };
typedef struct text_kept {
  size_t n;
  char p[TEXT_KEPT_MAX];
} text_kept;
void text_keep(text_kept *kept, fl_str s);
static inline fl_str text_kept_str(const text_kept *kept) { return (fl_str){kept->p, kept->n}; }

/* Where a fact stands whose line is gone. */
typedef struct text_place {
  uint64_t offset, number;
  uint32_t length;
} text_place;

/* How dates are written where the numbers alone do not tell. */
typedef enum text_order { TEXT_ORDER_UNKNOWN, TEXT_DAY_FIRST, TEXT_MONTH_FIRST } text_order;

typedef struct text_reader {
  fl_job *job;
  fl_lines lines;
  fl_line line; /* the one that is read */
  fl_fact fact;
  text_order order;
  text_kept before[2];       /* the lines in front of it, the nearest first */
  text_kept margin;          /* the nearest one in front that is not indented */
  void *state;               /* of the tool whose output is read */
  struct reg_text *registry; /* of text_regquery.c, for all of its sections */
} text_reader;

typedef enum text_answer {
  TEXT_IS_NOT_MINE, /* the output of the tool ended in front of this line */
  TEXT_IS_FILLER,   /* may belong to it, unless another tool's output begins here */
  TEXT_IS_MINE
} text_answer;

/* One tool. `begins`: its output begins at this line; `before` is the one in front of it. */
typedef struct text_tool {
  const char *name;
  size_t state_size;
  bool (*begins)(fl_str line, fl_str before);
  fl_status (*take)(text_reader *r, text_answer *ret_answer, fl_err *err);
  fl_status (*finish)(text_reader *r, fl_err *err); /* may be NULL */
} text_tool;

#define FL_TEXT_TOOL(id) extern const text_tool text_tool_##id;
#include "parsers/text_tools.def"
#undef FL_TEXT_TOOL

/* Starts a fact of the current line, or of a line that was kept. */
void text_fact(text_reader *r, fl_state_kind kind);
void text_fact_at(text_reader *r, fl_state_kind kind, const text_place *place);
text_place text_here(const text_reader *r);

/* ---- pieces of lines ---- */

fl_str text_trim(fl_str s);                     /* blanks, tabs and non-breaking blanks */
bool text_word(fl_str *rest, fl_str *ret_word); /* the next word between blanks */
size_t text_indent(fl_str s);
bool text_is_number(fl_str s, uint64_t most, uint64_t *ret_number);
bool text_has(fl_str s, const char *part); /* ASCII case ignored */
bool text_starts(fl_str s, const char *start);
/* LABEL SEPARATOR VALUE at the first separator that a blank or the end follows; all trimmed. */
bool text_pair(fl_str line, char separator, fl_str *ret_label, fl_str *ret_value);
bool text_is_hex(fl_str s, size_t n_digits); /* blanks in between are ignored */
/* IPv4 or IPv6 in its text form; a zone or prefix behind it is no part of *ret_address. */
bool text_address(fl_str s, fl_str *ret_address);
/* A date, with a time or without, anywhere in the text. *ret_is_sure: its order is not assumed. */
bool text_date(text_order known, fl_str s, fl_time *ret_t, bool *ret_is_sure);
/* What the text says about the order of its dates. */
text_order text_learn_order(fl_str text);
/* Adds a date as a field; local time, and marked when its order is assumed. */
void text_fact_date(text_reader *r, const char *name, fl_str text);

/* ---- words of all languages ---- */

const char *text_tcp_state(fl_str word);     /* "LISTENING"; NULL: unknown */
const char *text_session_state(fl_str word); /* "active"; NULL: unknown */

#endif
