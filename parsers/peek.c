/* peek.c - the bytes of one record once more, for those who show them. */
#include <inttypes.h>

#include "parsers/parser.h"

fl_status fl_row_bytes(const fl_batch *batch, const fl_row *row, uint8_t *ret_bytes, fl_err *err) {
  size_t n_read = 0;
  if (!batch->origin)
    return fl_fail(err, FL_E_UNSUPPORTED, row->offset, "the bytes of the record are out of reach");
  FL_TRY(fl_source_read(batch->origin, row->offset, ret_bytes, row->length, &n_read, err));
  if (n_read == row->length) return FL_OK;
  return fl_fail(err, FL_E_IO, row->offset, "record of %" PRIu32 " bytes, but only %zu can be read",
                 row->length, n_read);
}
