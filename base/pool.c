/* pool.c - a crew for tasks, and locks. */
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

unsigned fl_processors(void) {
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 1 ? (unsigned)n : 1;
}

struct fl_lock {
  pthread_mutex_t mutex;
};

fl_lock *fl_lock_create(void) {
  fl_lock *lock = calloc(1, sizeof *lock);
  if (lock) (void)pthread_mutex_init(&lock->mutex, NULL);
  return lock;
}

void fl_lock_free(fl_lock *lock) {
  if (!lock) return;
  (void)pthread_mutex_destroy(&lock->mutex);
  free(lock);
}

void fl_lock_take(fl_lock *lock) { (void)pthread_mutex_lock(&lock->mutex); }

void fl_lock_give(fl_lock *lock) { (void)pthread_mutex_unlock(&lock->mutex); }

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
