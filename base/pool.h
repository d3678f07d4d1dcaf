/* pool.h - the only threads there are: a crew that does tasks as they come; and locks. */
#ifndef FL_BASE_POOL_H
#define FL_BASE_POOL_H

#include "faultline/core.h"

unsigned fl_processors(void); /* at least 1 */

/* For what several threads change. NULL: out of memory. */
typedef struct fl_lock fl_lock;
fl_lock *fl_lock_create(void);
void fl_lock_free(fl_lock *lock); /* NULL is fine */
void fl_lock_take(fl_lock *lock);
void fl_lock_give(fl_lock *lock);

/* Workers that do tasks of one kind. Whatever was written before a task was given is seen by its
 * worker, and what the worker wrote by whoever waited for it. */
typedef struct fl_crew fl_crew;
typedef void (*fl_crew_do)(void *self, void *task, unsigned worker);
enum { FL_CREW_MAX_WORKERS = 32, FL_CREW_CALLER = FL_CREW_MAX_WORKERS, FL_CREW_MAX_OPEN = 128 };

/* As many workers as can be had, at most `n_workers`; FL_E_NOMEM or FL_E_LIMIT for none. */
fl_status fl_crew_start(unsigned n_workers, fl_crew_do work, void *self, fl_crew **ret_crew,
                        fl_err *err);
/* Gives a task and returns its number; numbers count from 0. The caller waits for task n before it
 * gives task n + FL_CREW_MAX_OPEN. */
uint64_t fl_crew_give(fl_crew *crew, void *task);
void fl_crew_wait(fl_crew *crew, uint64_t number);
/* The same; the caller does tasks that nobody has begun in the meantime, as one more worker: its
 * number is FL_CREW_CALLER. */
void fl_crew_help(fl_crew *crew, uint64_t number);
/* Tasks that nobody has begun are left. NULL is fine. */
void fl_crew_stop(fl_crew *crew);

#endif
