/* pool.h - the only threads there are: one worker that makes items ahead of the thread that takes
 * them, in order.
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

#endif
