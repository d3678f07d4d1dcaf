/* md.c - the note about a case as a Markdown ticket: escaped, and never over the limit.
 *
 * Nothing from input can open markup, a link, an image, a mention or HTML: text is escaped, and
 * references stand in code spans whose fence is longer than any run of backticks in them. */
#include "base/out.h"
#include "base/text.h"
#include "report/doc.h"
#include "report/exporter.h"

enum { MAX_BYTES = 60000, TAIL_BYTES = 200 };

typedef struct layout {
  fl_doc doc;
  fl_out *out; /* memory */
  fl_block_kind before;
} layout;

static bool starts_with(fl_str s, size_t at, const char *word) {
  for (; *word; word++, at++)
    if (at >= s.n || fl_lower(s.p[at]) != *word) return false;
  return true;
}

static bool follows_digits(fl_str s, size_t at) {
  for (size_t i = 0; i < at; i++)
    if (!fl_is_digit(s.p[i])) return false;
  return at > 0;
}

/* Where a character could begin markup. Signs and numbers do so only at the start of a line, dots
 * and colons only in what would become a link. */
static bool needs_escape(fl_str s, size_t at, bool starts_line) {
  static const char always[] = "\\`*_[]<#|~@&$";
  const char c = s.p[at];
  for (size_t i = 0; i < sizeof always - 1; i++)
    if (c == always[i]) return true;
  if (c == '!') return at + 1 < s.n && s.p[at + 1] == '[';
  if (c == ':') return starts_with(s, at, "://");
  if (c == '.' && at >= 3 && starts_with(s, at - 3, "www.")) return true;
  if (!starts_line) return false;
  if (c == '.' || c == ')') return follows_digits(s, at);
  return at == 0 && (c == '+' || c == '-' || c == '=' || c == '>');
}

static void put_escaped(fl_out *out, fl_str s, bool starts_line) {
  while (s.n && *s.p == ' ') s = (fl_str){s.p + 1, s.n - 1}; /* four would begin a code block */
  for (size_t i = 0; i < s.n; i++) {
    if (needs_escape(s, i, starts_line)) fl_out_write(out, "\\", 1);
    fl_out_write(out, s.p + i, 1);
  }
}

static void put_text(fl_out *out, fl_str s) { put_escaped(out, s, true); }

/* A table's cell ends at '|' even inside a code span, unless it is escaped. */
static void put_code(fl_out *out, fl_str s) {
  size_t longest = 0, run = 0;
  for (size_t i = 0; i < s.n; i++) {
    run = s.p[i] == '`' ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  const bool needs_pad = s.n && (s.p[0] == '`' || s.p[s.n - 1] == '`');
  for (size_t i = 0; i <= longest; i++) fl_out_write(out, "`", 1);
  if (needs_pad) fl_out_write(out, " ", 1);
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == '|') fl_out_write(out, "\\", 1);
    fl_out_write(out, s.p + i, 1);
  }
  if (needs_pad) fl_out_write(out, " ", 1);
  for (size_t i = 0; i <= longest; i++) fl_out_write(out, "`", 1);
}

static void put_cell(fl_out *out, fl_str s) {
  fl_out_puts(out, "| ");
  put_escaped(out, s, false);
  fl_out_puts(out, " ");
}

static void put_code_cell(fl_out *out, fl_str s) {
  fl_out_puts(out, "| ");
  if (s.n) put_code(out, s);
  fl_out_puts(out, " ");
}

/* Opens a table before its first row; a table needs an empty line in front. */
static void table_head(layout *l, const fl_block *b) {
  if (l->before == b->kind) return;
  if (b->kind == FL_B_FIELD) fl_out_puts(l->out, "\n| | |\n|---|---|\n");
  if (b->kind == FL_B_STEP)
    fl_out_puts(
        l->out,
        "\n| # | Time | Since start | Host | What | Reference |\n|---|---|---|---|---|---|\n");
  if (b->kind == FL_B_EVIDENCE)
    fl_out_puts(l->out,
                "\n| Evidence | Points | What | Rule | Reference |\n|---|---|---|---|---|\n");
  if (b->kind == FL_B_ITEM || b->kind == FL_B_NUMBERED || b->kind == FL_B_SOURCE)
    fl_out_puts(l->out, "\n");
}

static void write_step(fl_out *out, const fl_block *b) {
  put_cell(out, b->label.n ? b->label : FL_STR("-"));
  put_cell(out, b->time);
  put_cell(out, b->delta);
  put_cell(out, b->host);
  fl_out_puts(out, b->label.n ? "| " : "| **");
  put_escaped(out, b->text, false);
  fl_out_puts(out, b->label.n ? " " : "** ");
  put_code_cell(out, b->ref);
  fl_out_puts(out, "|\n");
}

static void write_evidence(fl_out *out, const fl_block *b) {
  put_cell(out, b->label);
  put_cell(out, b->delta);
  put_cell(out, b->text);
  put_code_cell(out, b->host);
  put_code_cell(out, b->ref);
  fl_out_puts(out, "|\n");
}

static void write_cause(fl_out *out, const fl_block *b) {
  fl_out_printf(out, "\n### %.*s. ", FL_STR_ARG(b->label));
  put_text(out, b->text);
  fl_out_printf(out, " (%.*s, %.*s)", FL_STR_ARG(b->time), FL_STR_ARG(b->delta));
  if (b->ref.n) {
    fl_out_puts(out, " ");
    put_code(out, b->ref);
  }
  fl_out_puts(out, "\n");
}

static void write_block(layout *l, const fl_block *b) {
  fl_out *out = l->out;
  table_head(l, b);
  switch (b->kind) {
    case FL_B_TITLE:
      fl_out_puts(out, "# ");
      break;
    case FL_B_HEADING:
      fl_out_puts(out, "\n## ");
      break;
    case FL_B_PARA:
      fl_out_puts(out, "\n");
      break;
    case FL_B_ITEM:
      fl_out_puts(out, "- ");
      break;
    case FL_B_SOURCE:
      fl_out_printf(out, "- %.*s = ", FL_STR_ARG(b->label));
      put_code(out, b->text);
      fl_out_puts(out, "\n");
      return;
    case FL_B_COMMAND:
      fl_out_puts(out, "\n");
      put_code(out, b->text);
      fl_out_puts(out, "\n");
      return;
    case FL_B_NUMBERED:
      fl_out_printf(out, "%.*s. ", FL_STR_ARG(b->label));
      break;
    case FL_B_STEP:
      write_step(out, b);
      return;
    case FL_B_EVIDENCE:
      write_evidence(out, b);
      return;
    case FL_B_CAUSE:
      write_cause(out, b);
      return;
    case FL_B_FIELD:
      put_cell(out, b->label);
      put_cell(out, b->text);
      fl_out_puts(out, "|\n");
      return;
  }
  put_text(out, b->text);
  fl_out_puts(out, "\n");
}

/* A block that does not fit ends the ticket, so that no table or code span is cut open. */
static void write_blocks(layout *l) {
  for (size_t i = 0; i < l->doc.n_blocks; i++) {
    const size_t start = l->out->n;
    write_block(l, &l->doc.blocks[i]);
    l->before = l->doc.blocks[i].kind;
    if (l->out->n <= MAX_BYTES - TAIL_BYTES) continue;
    l->out->n = start;
    fl_out_puts(l->out,
                "\nThe rest did not fit into a ticket of 60,000 characters; "
                "the text report has all of it.\n");
    return;
  }
}

fl_status fl_report_format_md(const fl_case *c, fl_out *out, fl_err *err) {
  layout l = {.before = FL_B_TITLE};
  fl_status status = fl_doc_init(&l.doc, c, err);
  if (status == FL_OK) status = fl_out_memory(&l.out, err);
  if (status == FL_OK) {
    write_blocks(&l);
    if (fl_out_failed(l.out)) status = fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    else fl_out_str(out, fl_out_text(l.out));
  }
  fl_out_discard(l.out);
  fl_doc_done(&l.doc);
  return status;
}
