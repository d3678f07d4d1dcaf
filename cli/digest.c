/* digest.c - one checksum over every decoded value of every record. */
#include <string.h>

#include "cli/cli.h"

enum { DIGEST_ARENA = 64 << 20, RESET_EVERY = 64 };

/* A multiply-and-fold hash over 8 bytes at a time; the length goes in last, so that neither moving
 * a boundary between two values nor a zero byte goes unseen. */
static void fold_word(cli_digest *digest, uint64_t word) {
  const uint64_t h = (digest->sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  digest->sum = h ^ (h >> 32);
}

static void fold_text(cli_digest *digest, fl_str s) {
  size_t i = 0;
  for (; i + 8 <= s.n; i += 8) {
    uint64_t word = 0;
    memcpy(&word, s.p + i, 8);
    fold_word(digest, word);
  }
  uint64_t rest = 0;
  for (; i < s.n; i++) rest = rest << 8 | (uint8_t)s.p[i];
  fold_word(digest, rest);
  fold_word(digest, s.n);
}

static void fold_value(cli_digest *digest, const fl_value *value) {
  digest->n_values++;
  fold_word(digest, (uint64_t)value->kind);
  switch (value->kind) {
    case FL_V_NULL:
      break;
    case FL_V_BOOL:
      fold_word(digest, value->as.boolean);
      break;
    case FL_V_INT:
      fold_word(digest, (uint64_t)value->as.integer);
      break;
    case FL_V_UINT:
      fold_word(digest, value->as.natural);
      break;
    case FL_V_FLOAT: {
      uint64_t bits = 0;
      memcpy(&bits, &value->as.real, sizeof bits);
      fold_word(digest, bits);
      break;
    }
    case FL_V_STR:
      fold_text(digest, value->as.text);
      break;
    case FL_V_LIST:
      for (size_t i = 0; i < value->as.list.n_items; i++)
        fold_value(digest, &value->as.list.items[i]);
      fold_word(digest, value->as.list.n_items);
      break;
  }
}

static void fold_row(cli_digest *digest, const fl_batch *batch, const fl_row *row) {
  const fl_shape *shape = row->shape;
  digest->n_rows++;
  fold_word(digest, (uint64_t)row->t);
  fold_word(digest, row->header_record_id);
  fold_word(digest, row->offset);
  for (size_t i = 0; i < FL_C_COUNT; i++) {
    if (shape->columns[i].kind == FL_REF_NONE) continue;
    const fl_value value = fl_raw_decode(fl_row_column(batch, row, (fl_column)i), digest->arena);
    fold_word(digest, i);
    fold_value(digest, &value);
  }
  for (uint32_t i = 0; i < shape->n_fields; i++) {
    const fl_value value = fl_row_field(batch, row, &shape->fields[i], digest->arena);
    fold_text(digest, shape->fields[i].name);
    fold_value(digest, &value);
  }
}

fl_status cli_digest_batch(cli_digest *digest, const fl_batch *batch, fl_err *err) {
  if (!digest->arena && !(digest->arena = fl_arena_create(DIGEST_ARENA)))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    if (i % RESET_EVERY == 0) fl_arena_reset(digest->arena);
    fold_row(digest, batch, &batch->rows[i]);
  }
  return FL_OK;
}
