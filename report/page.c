/* page.c - text set in lines of 100 columns, with hanging indents. */
#include "report/page.h"

#include "base/text.h"

size_t fl_page_columns(fl_str s) {
  size_t n = 0;
  for (size_t at = 0; at < s.n; n++) (void)fl_utf8_next(s, &at);
  return n;
}

static void blanks(fl_page *page, size_t n) {
  while (n--) fl_out_write(page->out, " ", 1);
}

size_t fl_page_pad(fl_page *page, fl_str s, size_t width) {
  const size_t n = fl_page_columns(s);
  fl_out_str(page->out, s);
  if (n >= width) return n;
  blanks(page, width - n);
  return width;
}

/* A word wider than the line is cut at the edge. */
static size_t break_word(fl_page *page, fl_str word, size_t column, size_t indent) {
  for (size_t at = 0; at < word.n; column++) {
    if (column >= FL_PAGE_WIDTH) {
      fl_out_puts(page->out, "\n");
      blanks(page, indent);
      column = indent;
    }
    const size_t start = at;
    (void)fl_utf8_next(word, &at);
    fl_out_write(page->out, word.p + start, at - start);
  }
  return column;
}

void fl_page_wrap(fl_page *page, size_t column, size_t indent, fl_str text) {
  bool is_first = true;
  for (size_t at = 0; at < text.n;) {
    size_t end = at;
    while (end < text.n && text.p[end] != ' ') end++;
    const fl_str word = {text.p + at, end - at};
    at = end + (end < text.n);
    if (word.n == 0) continue;
    const size_t width = fl_page_columns(word);
    if (!is_first && column + 1 + width > FL_PAGE_WIDTH) {
      fl_out_puts(page->out, "\n");
      blanks(page, indent);
      column = indent;
    } else if (!is_first) {
      blanks(page, 1);
      column++;
    }
    column = break_word(page, word, column, indent);
    is_first = false;
  }
  fl_out_puts(page->out, "\n");
}

void fl_page_item(fl_page *page, size_t indent, fl_str mark, fl_str text) {
  blanks(page, indent);
  const size_t column = indent + fl_page_pad(page, mark, 0);
  fl_page_wrap(page, column, column, text);
}

void fl_page_field(fl_page *page, size_t indent, size_t label_width, const char *label,
                   fl_str text) {
  blanks(page, indent);
  if (text.n == 0) {
    fl_out_puts(page->out, label);
    fl_out_puts(page->out, "\n");
    return;
  }
  const size_t column = indent + fl_page_pad(page, fl_str_of(label), label_width) + 1;
  blanks(page, 1);
  fl_page_wrap(page, column, column, text);
}
