/* lines.h - the lines of a text source as UTF-8, whatever its encoding, and where each one stands.
 *
 * The encoding may change from one line to the next: a file that cmd.exe began and PowerShell went
 * on with is half ANSI, half UTF-16. Lines are read in order and in bounded memory. The reader
 * keeps the ledger: a line is `skipped` until somebody says that it was used. */
#ifndef FL_PARSERS_LINES_H
#define FL_PARSERS_LINES_H

#include "base/codepage.h"
#include "parsers/parser.h"

typedef enum fl_encoding {
  FL_ENCODING_BYTES, /* UTF-8 where it is valid, else the code page */
  FL_ENCODING_UTF16LE,
  FL_ENCODING_UTF16BE
} fl_encoding;

typedef struct fl_line {
  fl_str text;     /* without line end and byte order mark; valid until the next line is read */
  uint64_t number; /* from 1 */
  uint64_t offset; /* of its first byte in the source, behind a byte order mark */
  uint32_t length; /* bytes, without the line end */
  bool is_cut;     /* it is longer than FL_LIMIT_LINE: only its beginning is in `text` */
} fl_line;

typedef struct fl_lines {
  fl_job *job;
  uint8_t *window;
  size_t at, n;       /* what is left of the window */
  uint64_t window_at; /* offset of its first byte */
  bool is_whole;      /* nothing comes behind the window */
  char *text;         /* room for one line */
  fl_encoding encoding;
  fl_codepage page;
  bool is_page_needed; /* a line was no UTF-8 */
  fl_line line;
  uint64_t told_to; /* the ledger knows of all bytes before it */
  bool is_used, is_again, has_line;
  bool was_used; /* the line before */
} fl_lines;

/* `codepage` is a hint for bytes that are no UTF-8; 0: it is guessed from the first 64 KiB. Memory
 * is the job's. */
fl_status fl_lines_open(fl_job *job, unsigned codepage, fl_lines *ret_lines, fl_err *err);
/* FL_END: there are no more; the ledger is complete then. Damage and cut lines are noted. */
fl_status fl_lines_next(fl_lines *lines, fl_line *ret_line, fl_err *err);
/* The next call gives the same line once more. */
void fl_lines_again(fl_lines *lines);
/* The line that was given last says something: it is `parsed` in the ledger. */
void fl_lines_use(fl_lines *lines);

/* Of a probe: the text at the beginning of a source as UTF-8, empty when it is no text at all. The
 * last line is left out where it may be cut. `room` needs FL_HEAD_TEXT_MAX bytes. */
enum { FL_HEAD_TEXT_MAX = 3 * 4096 + 4 };
fl_str fl_lines_head(const fl_probe *probe, char *room);
/* Takes the next line off *text; false at the end. */
bool fl_lines_take(fl_str *text, fl_str *ret_line);

#endif
