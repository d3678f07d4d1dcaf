/* clocks.c - how far the clocks of two machines are apart, from connections that both recorded. */
#include <stdlib.h>

#include "rules/solve.h"

/* Votes within BIN agree; a client's attempts are matched against at most MAX_LEGS of a host. */
enum { BIN_S = 2, FLOOR_MS = 500, NEAR_S = 10, FAR_H = 26, MAX_DIALS = 256, MAX_LEGS = 1024 };
enum { MAX_LINKS = 256, MAX_VOTES = 1 << 16, UNASKED = -2 };

typedef struct vote {
  int64_t delta; /* host's time minus client's */
  int32_t dial;
} vote;

/* What a pair of machines says. */
typedef struct link {
  uint32_t client, server;
  unsigned n_votes;
  int64_t offset, spread;
} link;

static int compare_votes(const void *a, const void *b) {
  const vote *x = a, *y = b;
  if (x->delta != y->delta) return x->delta < y->delta ? -1 : 1;
  return (x->dial > y->dial) - (x->dial < y->dial);
}

static int64_t magnitude(int64_t n) { return n < 0 ? -n : n; }

/* The densest bin, in which each attempt of the client counts once; ties go to the smaller offset.
 * `counts` is of the attempts, all 0 before and after. */
static void take_densest(const vote *votes, size_t n, unsigned *counts, link *l) {
  unsigned n_dials = 0;
  size_t to = 0;
  for (size_t from = 0; from < n; from++) {
    while (to < n && votes[to].delta - votes[from].delta <= BIN_S * FL_SECOND)
      n_dials += counts[votes[to++].dial]++ == 0;
    const int64_t middle = votes[from + (to - from) / 2].delta;
    const bool is_better =
        n_dials > l->n_votes || (n_dials == l->n_votes && magnitude(middle) < magnitude(l->offset));
    if (is_better) {
      const int64_t low = middle - votes[from].delta, high = votes[to - 1].delta - middle;
      l->n_votes = n_dials;
      l->offset = middle;
      l->spread = (low > high ? low : high) + FLOOR_MS * (FL_SECOND / 1000);
    }
    n_dials -= --counts[votes[from].dial] == 0;
  }
}

/* Memory of the estimate. */
typedef struct votes_room {
  vote *votes;
  unsigned *counts; /* by leg */
  int32_t *exact;   /* by leg: the same connection by an id, -1 none, UNASKED */
  int32_t *hosts;   /* legs of the host at hand */
} votes_room;

/* Connections of which an id says that they are the same. */
static size_t exact_votes(const fl_solver *s, const votes_room *room, const link *l) {
  size_t n = 0, n_dials = 0;
  for (size_t i = 0; i < s->n_legs && n < MAX_VOTES && n_dials < MAX_DIALS; i++) {
    const fl_leg *dial = &s->legs[i];
    if (!dial->is_client || dial->machine != l->client) continue;
    n_dials++;
    if (room->exact[i] == UNASKED) room->exact[i] = fl_join_exact(s, dial);
    const int32_t at = room->exact[i];
    if (at < 0 || s->legs[at].machine != l->server) continue;
    room->votes[n++] = (vote){s->legs[at].connected - dial->connected, (int32_t)i};
  }
  return n;
}

/* The host's connections that are no stranger's. */
static size_t list_hosts(const fl_solver *s, const votes_room *room, uint32_t server) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_legs && n < MAX_LEGS; i++) {
    const fl_leg *leg = &s->legs[i];
    if (leg->machine != server || leg->is_client || leg->is_dropped) continue;
    if (!leg->is_suspect && !leg->is_probe) room->hosts[n++] = (int32_t)i;
  }
  return n;
}

/* Every attempt against every connection: only the true offset repeats. */
static size_t pattern_votes(const fl_solver *s, const votes_room *room, const link *l) {
  size_t n = 0, n_dials = 0;
  const size_t n_hosts = list_hosts(s, room, l->server);
  for (size_t i = 0; i < s->n_legs && n_dials < MAX_DIALS; i++) {
    const fl_leg *dial = &s->legs[i];
    if (!dial->is_client || dial->machine != l->client) continue;
    n_dials++;
    if (!fl_join_target(s, dial, l->server)) continue;
    for (size_t k = 0; k < n_hosts && n < MAX_VOTES; k++) {
      const int64_t delta = s->legs[room->hosts[k]].connected - dial->connected;
      if (magnitude(delta) <= FAR_H * 3600 * FL_SECOND)
        room->votes[n++] = (vote){delta, (int32_t)i};
    }
  }
  return n;
}

static void estimate(const fl_solver *s, const votes_room *room, link *l) {
  vote *votes = room->votes;
  size_t n = exact_votes(s, room, l);
  qsort(votes, n, sizeof *votes, compare_votes);
  take_densest(votes, n, room->counts, l);
  if (l->n_votes >= 2) return;
  link pattern = {.client = l->client, .server = l->server};
  n = pattern_votes(s, room, l);
  qsort(votes, n, sizeof *votes, compare_votes);
  take_densest(votes, n, room->counts, &pattern);
  /* One coincidence of times says nothing, and nothing that an id contradicts counts. */
  if (pattern.n_votes < 2) return;
  if (!l->n_votes || magnitude(pattern.offset - l->offset) <= NEAR_S * FL_SECOND) *l = pattern;
}

static void set_clock(fl_machine *m, int64_t offset, const link *l) {
  m->offset_ns = offset;
  m->spread_ns = l->spread;
  m->n_anchors = l->n_votes;
}

/* The strongest link first; its host keeps its time, others follow from what is fixed. */
static void spread_offsets(fl_solver *s, link *links, size_t n, bool *fixed) {
  for (;;) {
    const link *best = NULL;
    bool best_follows = false;
    for (size_t i = 0; i < n; i++) {
      const link *l = &links[i];
      if (!l->n_votes || (fixed[l->client] && fixed[l->server])) continue;
      const bool follows = fixed[l->client] || fixed[l->server];
      if (best &&
          (best_follows > follows || (best_follows == follows && best->n_votes >= l->n_votes)))
        continue;
      best = l;
      best_follows = follows;
    }
    if (!best) return;
    fl_machine *client = &s->machines[best->client], *server = &s->machines[best->server];
    if (fixed[best->client]) set_clock(server, client->offset_ns - best->offset, best);
    else set_clock(client, server->offset_ns + best->offset, best);
    fixed[best->client] = fixed[best->server] = true;
  }
}

static size_t list_links(const fl_solver *s, link *links, size_t cap) {
  size_t n = 0;
  for (uint32_t c = 0; c < s->n_machines; c++) {
    if (!(s->logs[c] & FL_LOG_CLIENT)) continue;
    for (uint32_t h = 0; h < s->n_machines && n < cap; h++) {
      const bool is_host = (s->logs[h] & (FL_LOG_CORE | FL_LOG_RCM | FL_LOG_LSM)) != 0;
      if (h != c && is_host) links[n++] = (link){.client = c, .server = h};
    }
  }
  return n;
}

fl_status fl_clocks_estimate(fl_solver *s, fl_err *err) {
  link *links = malloc(MAX_LINKS * sizeof *links);
  bool *fixed = calloc(s->n_machines + 1, sizeof *fixed);
  const votes_room room = {.votes = malloc(MAX_VOTES * sizeof *room.votes),
                           .counts = calloc(s->n_legs + 1, sizeof *room.counts),
                           .exact = malloc((s->n_legs + 1) * sizeof *room.exact),
                           .hosts = malloc(MAX_LEGS * sizeof *room.hosts)};
  const bool has_room = links && fixed && room.votes && room.counts && room.exact && room.hosts;
  if (has_room) {
    const size_t n = list_links(s, links, MAX_LINKS);
    for (size_t i = 0; i < s->n_legs; i++) room.exact[i] = UNASKED;
    for (size_t i = 0; i < n; i++) estimate(s, &room, &links[i]);
    spread_offsets(s, links, n, fixed);
  }
  free(links);
  free(fixed);
  free(room.votes);
  free(room.counts);
  free(room.exact);
  free(room.hosts);
  return has_room ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory for clocks");
}

fl_time fl_leg_time(const fl_solver *s, const fl_leg *leg, fl_time t) {
  return t + s->machines[leg->machine].offset_ns;
}
