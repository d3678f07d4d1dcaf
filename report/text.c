/* text.c - the note about a case in lines of 100 columns. */
#include "base/text.h"
#include "report/doc.h"
#include "report/exporter.h"
#include "report/page.h"

enum { LABEL_WIDTH = 14, TIME_WIDTH = 12, DELTA_WIDTH = 11, HOST_MAX = 16, POINTS_WIDTH = 4 };

typedef struct layout {
  fl_doc doc;
  fl_page page;
  size_t host_width;
  bool is_below_heading;
} layout;

static void gap(layout *l) { fl_out_puts(l->page.out, "\n"); }

/* The text with its reference in brackets behind it. */
static fl_str with_ref(layout *l, const fl_block *b) {
  if (b->ref.n == 0) return b->text;
  return fl_doc_say(&l->doc, "%.*s [%.*s]", FL_STR_ARG(b->text), FL_STR_ARG(b->ref));
}

static size_t pad(layout *l, fl_str s, size_t width) { return fl_page_pad(&l->page, s, width); }

static fl_str clipped(fl_str s, size_t width) {
  size_t at = 0;
  for (size_t n = 0; n < width && at < s.n; n++) (void)fl_utf8_next(s, &at);
  return (fl_str){s.p, at};
}

/* " 1  08:15:02.310   +0.31 s  SRV1  what happened [RdpCoreTS 131, A@4608]" */
static void write_step(layout *l, const fl_block *b) {
  const bool is_missing = b->label.n == 0;
  const fl_str label =
      fl_doc_say(&l->doc, "%3.*s", FL_STR_ARG(is_missing ? FL_STR("--") : b->label));
  const fl_str delta = fl_doc_say(&l->doc, "%*.*s", DELTA_WIDTH, FL_STR_ARG(b->delta));
  const size_t indent =
      5 + TIME_WIDTH + 1 + DELTA_WIDTH + 2 + (l->host_width ? l->host_width + 2 : 0);
  size_t column = pad(l, label, 5);
  if (!is_missing) {
    column += pad(l, b->time, TIME_WIDTH + 1);
    column += pad(l, delta, DELTA_WIDTH + 2);
    column += pad(l, clipped(b->host, l->host_width), l->host_width);
    if (l->host_width) column += pad(l, FL_STR("  "), 2);
  } else {
    column += pad(l, (fl_str){0}, indent - column);
  }
  fl_page_wrap(&l->page, column, indent, with_ref(l, b));
}

static void write_cause(layout *l, const fl_block *b) {
  const fl_str text = fl_doc_say(&l->doc, "%.*s (%.*s, %.*s)%s%.*s%s", FL_STR_ARG(b->text),
                                 FL_STR_ARG(b->time), FL_STR_ARG(b->delta), b->ref.n ? " [" : "",
                                 FL_STR_ARG(b->ref), b->ref.n ? "]" : "");
  fl_page_item(&l->page, 1, fl_doc_say(&l->doc, "%.*s. ", FL_STR_ARG(b->label)), text);
}

static void write_evidence(layout *l, const fl_block *b) {
  const fl_str mark = fl_doc_say(&l->doc, "%-8.*s %*.*s  ", FL_STR_ARG(b->label), POINTS_WIDTH,
                                 FL_STR_ARG(b->delta));
  fl_page_item(&l->page, 4, mark, with_ref(l, b));
}

static void write_block(layout *l, const fl_block *b) {
  fl_page *page = &l->page;
  switch (b->kind) {
    case FL_B_TITLE:
      fl_page_wrap(page, 0, 2, b->text);
      break;
    case FL_B_PARA:
      fl_page_item(page, l->is_below_heading ? 2 : 0, (fl_str){0}, b->text);
      break;
    case FL_B_HEADING:
      l->is_below_heading = true;
      gap(l);
      fl_page_wrap(page, 0, 0, b->text);
      break;
    case FL_B_FIELD: {
      const fl_str label = b->label;
      size_t column = fl_page_pad(page, FL_STR("  "), 2);
      column += fl_page_pad(page, label, LABEL_WIDTH);
      column += fl_page_pad(page, FL_STR(" "), 1);
      fl_page_wrap(page, column, column, b->text);
      break;
    }
    case FL_B_STEP:
      write_step(l, b);
      break;
    case FL_B_CAUSE:
      write_cause(l, b);
      break;
    case FL_B_EVIDENCE:
      write_evidence(l, b);
      break;
    case FL_B_ITEM:
      fl_page_item(page, 2, FL_STR("- "), with_ref(l, b));
      break;
    case FL_B_SOURCE:
      fl_out_printf(page->out, "  %.*s  %.*s\n", FL_STR_ARG(b->label), FL_STR_ARG(b->text));
      break;
    case FL_B_COMMAND:
      fl_out_printf(page->out, "  %.*s\n", FL_STR_ARG(b->text));
      break;
    case FL_B_NUMBERED:
      fl_page_item(page, 2, fl_doc_say(&l->doc, "%.*s. ", FL_STR_ARG(b->label)), b->text);
      break;
  }
}

/* Head, paragraphs and fields stand apart from each other. */
static bool needs_gap(const fl_block *before, const fl_block *b) {
  const bool begins_fields = b->kind == FL_B_FIELD && before->kind == FL_B_PARA;
  return before->kind != b->kind && (before->kind == FL_B_TITLE || begins_fields);
}

fl_status fl_report_format_text(const fl_case *c, fl_out *out, fl_err *err) {
  layout l = {.page = {.out = out}};
  fl_status status = fl_doc_init(&l.doc, c, err);
  for (size_t i = 0; i < l.doc.n_blocks; i++) {
    const size_t width = fl_page_columns(l.doc.blocks[i].host);
    if (l.doc.blocks[i].kind == FL_B_STEP && width > l.host_width) l.host_width = width;
  }
  if (l.host_width > HOST_MAX) l.host_width = HOST_MAX;
  for (size_t i = 0; status == FL_OK && i < l.doc.n_blocks; i++) {
    const fl_block *b = &l.doc.blocks[i];
    if (i && needs_gap(b - 1, b)) gap(&l);
    write_block(&l, b);
  }
  if (status == FL_OK && l.doc.has_failed) status = fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  fl_doc_done(&l.doc);
  return status;
}
