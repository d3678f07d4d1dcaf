/* page.h - text set in lines of 100 columns, with hanging indents. */
#ifndef FL_REPORT_PAGE_H
#define FL_REPORT_PAGE_H

#include "faultline/core.h"

enum { FL_PAGE_WIDTH = 100 };
typedef struct fl_page {
  fl_out *out;
} fl_page;

/* Columns that a text takes: code points, as one column each. */
size_t fl_page_columns(fl_str s);
/* Words of `text` from column `column` on; further lines start at `indent`. Ends the line. */
void fl_page_wrap(fl_page *page, size_t column, size_t indent, fl_str text);
/* `mark`, then the text with a hanging indent below the mark's end. */
void fl_page_item(fl_page *page, size_t indent, fl_str mark, fl_str text);
/* A label in a column of `label_width`, then the text with a hanging indent behind it. */
void fl_page_field(fl_page *page, size_t indent, size_t label_width, const char *label,
                   fl_str text);
/* Writes s and blanks up to `width` columns; returns the columns written. */
size_t fl_page_pad(fl_page *page, fl_str s, size_t width);

#endif
