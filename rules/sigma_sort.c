/* sigma_sort.c - items of a correlation by group, time and place, in memory or outside of it. */
#include <stdlib.h>

#include "rules/sigma_window.h"

typedef fl_sigma_link_item item;

static int three_way(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

static int by_key(const void *a, const void *b) {
  const item *x = a;
  const item *y = b;
  int order = three_way(x->key, y->key);
  if (!order) order = (x->t > y->t) - (x->t < y->t);
  if (!order) order = three_way(x->rank, y->rank);
  if (!order) order = three_way(x->seq, y->seq);
  if (!order) order = three_way(x->ref, y->ref);
  return order;
}

/* A sorted piece: what is left of it. */
typedef struct piece {
  const item *at, *end;
} piece;

static int by_head(const piece *a, const piece *b) {
  const int order = by_key(a->at, b->at);
  return order ? order : (a->at > b->at) - (a->at < b->at); /* equal ones as they came */
}

/* The piece at `at` goes down the heap to where it belongs. */
static void sink(piece *heap, size_t n, size_t at) {
  for (size_t kid; (kid = 2 * at + 1) < n; at = kid) {
    if (kid + 1 < n && by_head(&heap[kid + 1], &heap[kid]) < 0) kid++;
    if (by_head(&heap[at], &heap[kid]) < 0) return;
    const piece moved = heap[at];
    heap[at] = heap[kid];
    heap[kid] = moved;
  }
}

static void merge(piece *heap, size_t n_pieces, const fl_vast *from, const fl_vast *to) {
  item *out = to->items;
  for (size_t at = n_pieces; at-- > 0;) sink(heap, n_pieces, at);
  for (size_t n = 0; n_pieces > 0; n++) {
    out[n] = *heap[0].at++;
    if (heap[0].at == heap[0].end) heap[0] = heap[--n_pieces];
    sink(heap, n_pieces, 0);
    if (n % FL_SIGMA_ASIDE != FL_SIGMA_ASIDE - 1) continue;
    fl_vast_put_aside(from);
    fl_vast_put_aside(to);
  }
}

static fl_status sort_outside(fl_vast *items, size_t n, size_t n_piece, fl_err *err) {
  const size_t n_pieces = (n + n_piece - 1) / n_piece;
  piece *heap = calloc(n_pieces, sizeof *heap);
  fl_vast sorted = {0};
  if (!heap || !fl_vast_grow(&sorted, n * sizeof(item), 0)) {
    free(heap);
    return fl_fail(err, FL_E_NOMEM, 0, "no room on disk to sort %zu events for correlations", n);
  }
  for (size_t i = 0; i < n_pieces; i++) {
    item *first = (item *)items->items + i * n_piece;
    const size_t n_here = i + 1 < n_pieces ? n_piece : n - i * n_piece;
    qsort(first, n_here, sizeof *first, by_key);
    heap[i] = (piece){first, first + n_here};
    fl_vast_put_aside(items);
  }
  merge(heap, n_pieces, items, &sorted);
  free(heap);
  fl_vast_done(items);
  *items = sorted;
  return FL_OK;
}

fl_status fl_sigma_items_sort(fl_vast *items, size_t n, size_t most_memory, fl_err *err) {
  const size_t n_piece = most_memory / sizeof(item) ? most_memory / sizeof(item) : 1;
  if (items->is_mapped && n > n_piece) return sort_outside(items, n, n_piece, err);
  qsort(items->items, n, sizeof(item), by_key);
  return FL_OK;
}
