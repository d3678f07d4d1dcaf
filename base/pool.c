/* pool.c - one worker that makes items ahead, with the hand-over of slots; a crew for tasks. */
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

unsigned fl_processors(void) {
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 1 ? (unsigned)n : 1;
}

/* What stands in a slot between the worker and the taker. */
typedef struct made {
  fl_status status;
  bool is_whole;
} made;

struct fl_ahead {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  uint64_t n_items;
  unsigned n_slots;
  fl_ahead_make make;
  void *self;
  made made[FL_AHEAD_MAX_SLOTS];
  uint64_t n_made, n_taken, n_given_back; /* hand-overs of slots, in order */
  unsigned current; /* the worker's slot, the taker's is n_taken - 1 in order */
  unsigned order[FL_AHEAD_MAX_SLOTS];
  bool is_done, is_stopped;
};

/* All below with the lock held. */
static void publish(fl_ahead *a, fl_status status, bool is_whole) {
  const unsigned place = (unsigned)(a->n_made % a->n_slots);
  a->order[place] = a->current;
  a->made[place] = (made){status, is_whole};
  a->n_made++;
  (void)pthread_cond_broadcast(&a->changed);
}

static bool wait_for_room(fl_ahead *a, uint64_t most_open) {
  while (!a->is_stopped && a->n_made - a->n_given_back > most_open)
    (void)pthread_cond_wait(&a->changed, &a->lock);
  return !a->is_stopped;
}

static void *work(void *self) {
  fl_ahead *a = self;
  fl_status status = FL_OK;
  (void)pthread_mutex_lock(&a->lock);
  for (uint64_t i = 0; i < a->n_items && status == FL_OK; i++) {
    if (!wait_for_room(a, a->n_slots - 1)) break;
    (void)pthread_mutex_unlock(&a->lock);
    status = a->make(a->self, i, a->current);
    (void)pthread_mutex_lock(&a->lock);
    publish(a, status, true);
    a->current = (a->current + 1) % a->n_slots;
  }
  a->is_done = true;
  (void)pthread_cond_broadcast(&a->changed);
  (void)pthread_mutex_unlock(&a->lock);
  return NULL;
}

bool fl_ahead_hand_over(fl_ahead *a) {
  (void)pthread_mutex_lock(&a->lock);
  publish(a, FL_OK, false);
  const bool is_wanted = wait_for_room(a, 0);
  (void)pthread_mutex_unlock(&a->lock);
  return is_wanted;
}

fl_status fl_ahead_take(fl_ahead *a, unsigned *ret_slot, fl_status *ret_made, bool *ret_is_whole) {
  fl_status status = FL_END;
  (void)pthread_mutex_lock(&a->lock);
  while (a->n_taken == a->n_made && !a->is_done) (void)pthread_cond_wait(&a->changed, &a->lock);
  if (a->n_taken < a->n_made) {
    const unsigned place = (unsigned)(a->n_taken++ % a->n_slots);
    *ret_slot = a->order[place];
    *ret_made = a->made[place].status;
    *ret_is_whole = a->made[place].is_whole;
    status = FL_OK;
  }
  (void)pthread_mutex_unlock(&a->lock);
  return status;
}

void fl_ahead_give_back(fl_ahead *a) {
  (void)pthread_mutex_lock(&a->lock);
  a->n_given_back++;
  (void)pthread_cond_broadcast(&a->changed);
  (void)pthread_mutex_unlock(&a->lock);
}

static void destroy(fl_ahead *a) {
  (void)pthread_cond_destroy(&a->changed);
  (void)pthread_mutex_destroy(&a->lock);
  free(a);
}

fl_status fl_ahead_start(uint64_t n_items, unsigned n_slots, fl_ahead_make make, void *self,
                         fl_ahead **ret_ahead, fl_err *err) {
  fl_ahead *a = calloc(1, sizeof *a);
  if (!a) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  a->n_items = n_items;
  a->n_slots = n_slots < FL_AHEAD_MAX_SLOTS ? n_slots : FL_AHEAD_MAX_SLOTS;
  a->make = make;
  a->self = self;
  (void)pthread_mutex_init(&a->lock, NULL);
  (void)pthread_cond_init(&a->changed, NULL);
  *ret_ahead = a; /* before the worker begins, which may hand over at once */
  if (pthread_create(&a->thread, NULL, work, a) != 0) {
    *ret_ahead = NULL;
    destroy(a);
    return fl_fail(err, FL_E_LIMIT, 0, "no thread to be had");
  }
  return FL_OK;
}

void fl_ahead_stop(fl_ahead *a) {
  if (!a) return;
  (void)pthread_mutex_lock(&a->lock);
  a->is_stopped = true;
  (void)pthread_cond_broadcast(&a->changed);
  (void)pthread_mutex_unlock(&a->lock);
  (void)pthread_join(a->thread, NULL);
  destroy(a);
}

struct fl_crew {
  pthread_t threads[FL_CREW_MAX_WORKERS];
  unsigned n_threads, n_named; /* workers that know their number */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  fl_crew_do work;
  void *self;
  void *tasks[FL_CREW_MAX_OPEN]; /* by number, going round */
  bool is_done[FL_CREW_MAX_OPEN];
  uint64_t n_given, n_begun;
  bool is_stopped;
};

/* Does the next task that nobody has begun; with the lock held before and after. */
static void do_next(fl_crew *crew, unsigned worker) {
  const size_t place = crew->n_begun++ % FL_CREW_MAX_OPEN;
  void *task = crew->tasks[place];
  (void)pthread_mutex_unlock(&crew->lock);
  crew->work(crew->self, task, worker);
  (void)pthread_mutex_lock(&crew->lock);
  crew->is_done[place] = true;
  (void)pthread_cond_broadcast(&crew->changed);
}

static void *work_crew(void *self) {
  fl_crew *crew = self;
  (void)pthread_mutex_lock(&crew->lock);
  const unsigned worker = crew->n_named++;
  for (;;) {
    while (!crew->is_stopped && crew->n_begun == crew->n_given)
      (void)pthread_cond_wait(&crew->changed, &crew->lock);
    if (crew->is_stopped) break;
    do_next(crew, worker);
  }
  (void)pthread_mutex_unlock(&crew->lock);
  return NULL;
}

fl_status fl_crew_start(unsigned n_workers, fl_crew_do task, void *self, fl_crew **ret_crew,
                        fl_err *err) {
  fl_crew *crew = calloc(1, sizeof *crew);
  if (!crew) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  crew->work = task;
  crew->self = self;
  (void)pthread_mutex_init(&crew->lock, NULL);
  (void)pthread_cond_init(&crew->changed, NULL);
  const unsigned most = n_workers < FL_CREW_MAX_WORKERS ? n_workers : FL_CREW_MAX_WORKERS;
  while (crew->n_threads < most &&
         pthread_create(&crew->threads[crew->n_threads], NULL, work_crew, crew) == 0)
    crew->n_threads++;
  if (crew->n_threads == 0) {
    fl_crew_stop(crew);
    return fl_fail(err, FL_E_LIMIT, 0, "no thread to be had");
  }
  *ret_crew = crew;
  return FL_OK;
}

uint64_t fl_crew_give(fl_crew *crew, void *task) {
  (void)pthread_mutex_lock(&crew->lock);
  const uint64_t number = crew->n_given++;
  crew->tasks[number % FL_CREW_MAX_OPEN] = task;
  crew->is_done[number % FL_CREW_MAX_OPEN] = false;
  (void)pthread_cond_broadcast(&crew->changed);
  (void)pthread_mutex_unlock(&crew->lock);
  return number;
}

void fl_crew_wait(fl_crew *crew, uint64_t number) {
  (void)pthread_mutex_lock(&crew->lock);
  while (!crew->is_done[number % FL_CREW_MAX_OPEN])
    (void)pthread_cond_wait(&crew->changed, &crew->lock);
  (void)pthread_mutex_unlock(&crew->lock);
}

void fl_crew_help(fl_crew *crew, uint64_t number) {
  (void)pthread_mutex_lock(&crew->lock);
  while (!crew->is_done[number % FL_CREW_MAX_OPEN]) {
    if (crew->n_begun < crew->n_given) do_next(crew, FL_CREW_CALLER);
    else (void)pthread_cond_wait(&crew->changed, &crew->lock);
  }
  (void)pthread_mutex_unlock(&crew->lock);
}

void fl_crew_stop(fl_crew *crew) {
  if (!crew) return;
  (void)pthread_mutex_lock(&crew->lock);
  crew->is_stopped = true;
  (void)pthread_cond_broadcast(&crew->changed);
  (void)pthread_mutex_unlock(&crew->lock);
  for (unsigned i = 0; i < crew->n_threads; i++) (void)pthread_join(crew->threads[i], NULL);
  (void)pthread_cond_destroy(&crew->changed);
  (void)pthread_mutex_destroy(&crew->lock);
  free(crew);
}
