/* reg_text.h - registry values written as text: exports, listings of `reg query` and of PowerShell.
 *
 * Lines are given one by one; a value may take several. */
#ifndef FL_PARSERS_REG_TEXT_H
#define FL_PARSERS_REG_TEXT_H

#include "parsers/lines.h"
#include "parsers/reg_rows.h"
#include "parsers/reg_system.h"

/* A line of a PowerShell listing whose key is not known yet. */
typedef struct reg_pair {
  fl_str name, value;
  fl_line line;
} reg_pair;
enum { REG_PAIRS_MAX = 512, REG_PAIRS_ROOM = 64 << 10, REG_PATH_ROOM = 4096 };

typedef struct reg_text {
  fl_lines lines;
  fl_fact *fact; /* whoever reads the text owns it */
  reg_system system;
  char *key_room; /* FL_LIMIT_HIVE_PATH bytes */
  reg_value now;  /* its key and name lie in rooms of ours */
  char *name_room;
  char *text_room; /* of one line */
  uint8_t *data;   /* FL_LIMIT_HIVE_VALUE bytes */
  bool is_ansi;    /* REGEDIT4: strings in hexadecimal are bytes */
  reg_pair *pairs; /* REG_PAIRS_MAX; texts lie in pair_room */
  size_t n_pairs, n_pair_bytes;
  char *pair_room, *path_room;
  size_t n_path, path_break; /* where the path was broken first; 0: nowhere */
  bool is_in_path;
  uint64_t n_unread; /* lines that look like values and cannot be read */
} reg_text;

/* Room for what follows. Memory is the job's. */
fl_status reg_text_open(fl_job *job, reg_text *t, fl_err *err);
/* "HKEY_LOCAL_MACHINE\…" or "HKLM\…" becomes the key of the values that follow; false: it is none.
 */
bool reg_text_key(reg_text *t, fl_str text);
/* A value of the key begins on this line. */
void reg_text_begin(reg_text *t, const fl_line *line, fl_str name);
void reg_text_bytes(reg_text *t, const void *bytes, size_t n_bytes);
/* The line belongs to the value, too. */
void reg_text_extend(reg_text *t, const fl_line *line);
fl_status reg_text_add(reg_text *t, fl_err *err);

/* Hexadecimal digits, in pairs, whatever stands between them: "01,00" or "0100". */
void reg_text_hex(reg_text *t, fl_str text);
bool reg_text_number(fl_str text, unsigned base, uint64_t *ret_number);

/* Each takes one line that begins something, and further ones where it goes on. *ret_is_taken:
 * whether it knows the line. */
fl_status reg_export_line(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err);
fl_status reg_query_line(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err);
fl_status reg_psobject_line(reg_text *t, const fl_line *line, bool *ret_is_taken, fl_err *err);

/* What a line at the beginning of a text says of its format. */
bool reg_export_is_header(fl_str line);
bool reg_query_is_value(fl_str line);
bool reg_psobject_names_key(fl_str line);
bool reg_text_is_key(fl_str line);

#endif
