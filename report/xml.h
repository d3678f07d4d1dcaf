/* xml.h - a row as Event XML, for `show` and XML exports. */
#ifndef FL_REPORT_XML_H
#define FL_REPORT_XML_H

#include "faultline/event.h"

/* Appends one <Event> element without a line end to `out`, which must be a memory output: what an
 * optional value leaves out is taken back. The arena holds texts of values. FL_E_LIMIT when the
 * record expands beyond FL_LIMIT_RECORD_TEXT; the text is then taken back too. */
fl_status fl_xml_row(const fl_batch *batch, const fl_row *row, fl_arena *arena, fl_out *out,
                     fl_err *err);
/* The same in the standard form, which needs no markup: System, then the fields as EventData. */
void fl_xml_row_standard(const fl_batch *batch, const fl_row *row, fl_arena *arena, fl_out *out);

#endif
