/* bx_early.c - records that nobody wants are left out by their outer template, before the rest of
 * their values and what is nested in them is looked at. */
#include "base/limits.h"
#include "base/rd.h"
#include "parsers/bx_walk.h"

static bx_early *early_place(bx *b, uint64_t word) {
  return &b->early[(word * UINT64_C(0x9e3779b97f4a7c15)) >> 56];
}

/* Old records may need the templates of records that nobody wants: then all are decoded whole, and
 * so is what is read a second time. */
static const fl_interest *interest_of(const bx *b) {
  return fl_job_seeks_old(b->job) || b->recovery ? NULL : b->job->options->interest;
}

/* The values of the outer template that the interest asks for, 1 << index; false when it asks for
 * more than these. Text that the definition holds stands behind the values. */
static bool find_needed(const fl_interest *interest, const fl_shape *shape, uint32_t n_values,
                        uint32_t n_literals, uint64_t *ret_needed) {
  const uint32_t columns = interest->columns | UINT32_C(1) << FL_C_TIME;
  *ret_needed = 0;
  for (uint32_t left = columns; left; left &= left - 1) {
    const fl_ref *ref = &shape->columns[__builtin_ctz(left)];
    if (ref->kind == FL_REF_CONST) continue;
    if (ref->kind == FL_REF_NONE || ref->slot >= n_values + n_literals) return false;
    if (ref->slot >= n_values) continue;
    if (ref->slot >= 64) return false;
    *ret_needed |= UINT64_C(1) << ref->slot;
  }
  return true;
}

void bx_learn_early(bx *b, const fl_shape *shape) {
  const fl_interest *interest = interest_of(b);
  const uint64_t word = b->key.items[0];
  if (!interest || !shape->cached || bx_word_tag(word) != BX_INSTANCE) return;
  const bx_template *t = bx_store_template(b->store, (uint32_t)(bx_word_payload(word) >> 16));
  const uint32_t n_values = (uint32_t)(bx_word_payload(word) & 0xffff);
  uint64_t needed = 0;
  if (find_needed(interest, shape, n_values, t->n_literals, &needed))
    *early_place(b, word) = (bx_early){word, shape, needed};
}

/* What the values from `from` to `to` take. */
static size_t sum_sizes(const uint8_t *table, uint32_t from, uint32_t to) {
  size_t n_bytes = 0;
  for (uint32_t i = from; i < to; i++) n_bytes += fl_le16(table + (size_t)i * 4);
  return n_bytes;
}

/* Fills the slots of the needed values, and no others; false when the values do not fit. */
static bool peek_values(const bx_walk *w, uint32_t n, uint64_t needed, fl_raw *slots) {
  const uint8_t *table = w->rd.p + w->rd.pos + 4;
  const uint8_t *values = table + (size_t)n * 4;
  const size_t n_left = (size_t)(w->rd.p + w->rd.n - values);
  size_t at = 0;
  uint32_t i = 0;
  for (uint64_t left = needed; left; left &= left - 1) {
    const uint32_t next = (uint32_t)__builtin_ctzll(left);
    at += sum_sizes(table, i, next);
    if (at > n_left) return false;
    slots[next] = (fl_raw){values + at, fl_le16(table + (size_t)next * 4), table[next * 4 + 2], 0};
    i = next;
  }
  return at + sum_sizes(table, i, n) <= n_left;
}

fl_status bx_leave_out_early(bx_walk *w, const bx_definition *d, bool *ret_is_left_out,
                             fl_err *err) {
  const fl_interest *interest = interest_of(w->b);
  *ret_is_left_out = false;
  if (!interest || w->depth > 0 || w->words->n > 0 || fl_rd_left(&w->rd) < 4) return FL_OK;
  const uint32_t n = fl_le32(w->rd.p + w->rd.pos);
  if (n > FL_LIMIT_TEMPLATE_VALUES || fl_rd_left(&w->rd) - 4 < (size_t)n * 4) return FL_OK;
  const uint64_t word = bx_word(BX_INSTANCE, (uint64_t)d->template->id << 16 | n);
  const bx_early *early = early_place(w->b, word);
  if (early->word != word) return FL_OK;
  const uint32_t first = w->rows->n_slots;
  FL_TRY(fl_rows_slots(w->rows, n + d->template->n_literals, err));
  if (!peek_values(w, n, early->needed, w->rows->slots + first)) return FL_OK;
  w->rows->n_slots = first + n;
  FL_TRY(bx_add_literals(w, d, err));
  w->rows->n_slots = first;
  const fl_row row = {.shape = early->shape, .slot0 = first};
  const fl_batch batch = {.n_rows = 1, .rows = &row, .slots = w->rows->slots};
  if (interest->wants(interest->self, &batch, &row)) return FL_OK;
  w->left_out = early->shape;
  w->rd.pos = w->rd.n;
  *ret_is_left_out = true;
  return FL_OK;
}
