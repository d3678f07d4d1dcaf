/* attempts_pair.c - the history of a pair of client and host: when it last worked, and how often it
 * has failed since. */
#include <stdlib.h>

#include "base/text.h"
#include "rules/solve.h"

typedef struct history {
  const fl_attempt *good, *lost; /* the last that reached a session: ended well, or cut */
  unsigned n_failed;
} history;

static int compare_text(fl_str a, fl_str b) {
  for (size_t i = 0; i < a.n && i < b.n; i++) {
    const int x = (unsigned char)fl_lower(a.p[i]), y = (unsigned char)fl_lower(b.p[i]);
    if (x != y) return x - y;
  }
  return (a.n > b.n) - (a.n < b.n);
}

/* A machine of the case counts as itself, whatever it was called; others by their name. */
static int compare_ends(const fl_machine *a, fl_str a_name, const fl_machine *b, fl_str b_name) {
  if (a || b) return (a > b) - (a < b);
  return compare_text(a_name, b_name);
}

static int compare_pairs(const fl_attempt *a, const fl_attempt *b) {
  const int by_server = compare_ends(a->server, a->server_name, b->server, b->server_name);
  return by_server ? by_server : compare_ends(a->client, a->client_name, b->client, b->client_name);
}

static int compare(const void *a, const void *b) {
  const fl_attempt *x = *(fl_attempt *const *)a, *y = *(fl_attempt *const *)b;
  const int by_pair = compare_pairs(x, y);
  return by_pair ? by_pair : (x->number > y->number) - (x->number < y->number);
}

/* Through a gateway whose log stands alone, an orderly end behind a connected target is as good. */
static bool has_worked(const fl_attempt *a) {
  if (a->reached == FL_PHASE_SESSION) return a->outcome != FL_OUTCOME_LOST;
  return a->outcome == FL_OUTCOME_ENDED && a->route.via_gateway && a->reached >= FL_PHASE_TCP;
}

static bool has_failed(const fl_attempt *a) {
  return a->outcome == FL_OUTCOME_FAILED || a->outcome == FL_OUTCOME_LOST;
}

static void take(history *h, fl_attempt *a) {
  a->last_good = h->good ? h->good : h->lost;
  if (has_failed(a)) a->failure_n = ++h->n_failed;
  if (has_worked(a)) {
    h->good = a;
    h->n_failed = 0;
  } else if (a->outcome == FL_OUTCOME_LOST && a->reached == FL_PHASE_SESSION) {
    h->lost = a;
  }
}

static bool is_pair(const fl_attempt *a) {
  return (a->client || a->client_name.n) && (a->server || a->server_name.n);
}

fl_status fl_attempts_pair(fl_solver *s, fl_err *err) {
  fl_attempt **list = malloc((s->n_real + 1) * sizeof *list);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for attempts");
  size_t n = 0;
  for (size_t i = 0; i < s->n_real; i++)
    if (is_pair(&s->attempts[i])) list[n++] = &s->attempts[i];
  qsort(list, n, sizeof *list, compare);
  history h = {0};
  for (size_t i = 0; i < n; i++) {
    if (i && compare_pairs(list[i - 1], list[i]) != 0) h = (history){0};
    take(&h, list[i]);
  }
  free(list);
  return FL_OK;
}
