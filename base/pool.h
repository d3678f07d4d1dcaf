/* pool.h - the only threads there are: a worker that makes items ahead of the thread that takes
 * them, in order; and a crew that does tasks as they come.
 *
 * Items 0, 1, 2 … are made into slots, which go round: a slot belongs to the worker until it is
 * taken, and to the taker until it is given back. What a slot holds is the caller's. Whatever the
 * worker wrote before an item was taken is seen by the taker. */
#ifndef FL_BASE_POOL_H
#define FL_BASE_POOL_H

#include "faultline/core.h"

unsigned fl_processors(void); /* at least 1 */

typedef struct fl_ahead fl_ahead;

/* Makes one item; called by the worker. Its result comes with the item; a result that is not FL_OK
 * ends the work. */
typedef fl_status (*fl_ahead_make)(void *self, uint64_t item, unsigned slot);

enum { FL_AHEAD_MAX_SLOTS = 8 };

/* Starts the worker on `n_items` items; `ret_ahead` is set before it makes the first. FL_E_NOMEM or
 * FL_E_LIMIT when there is no thread to be had: the caller does the work itself then. */
fl_status fl_ahead_start(uint64_t n_items, unsigned n_slots, fl_ahead_make make, void *self,
                         fl_ahead **ret_ahead, fl_err *err);
/* Waits for the next item. FL_END after the last one, or after one that failed. `ret_is_whole` is
 * false for a part that the worker handed over before its item was done. */
fl_status fl_ahead_take(fl_ahead *ahead, unsigned *ret_slot, fl_status *ret_made,
                        bool *ret_is_whole);
void fl_ahead_give_back(fl_ahead *ahead);
/* The worker's: hands over what its slot holds, waits until it was given back, and goes on with the
 * same slot. False when nobody wants more. */
bool fl_ahead_hand_over(fl_ahead *ahead);
/* Waits for the worker to end, which it does at its next item at the latest. NULL is fine. */
void fl_ahead_stop(fl_ahead *ahead);

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
