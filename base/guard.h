/* guard.h - a child process that does work which may end badly, and answers questions until it
 * does.
 *
 * The child is forked at the first question and answers one after the other. It may use no more
 * memory and time than it is given; when it dies, only the answer is lost. docs/adr/0007 says why
 * forking is safe where this is used. */
#ifndef FL_BASE_GUARD_H
#define FL_BASE_GUARD_H

#include "faultline/core.h"

typedef struct fl_guard fl_guard;

/* What the child does with a question: writes at most `cap` bytes and returns how many; FL_OK or
 * the status that the asker gets, whose answer is a sentence then. It must not count on anything
 * that other threads of the asker may hold, and its memory is never seen by the asker. */
typedef fl_status (*fl_guard_work)(const uint8_t *question, size_t n_question, uint8_t *ret_answer,
                                   size_t *n_answer);

typedef struct fl_guard_limits {
  size_t most_question, most_answer; /* bytes */
  size_t most_memory;                /* bytes that the child may take beside the asker's */
  unsigned most_seconds;             /* of processor time for one answer; one more may pass */
  unsigned most_wait;                /* seconds for one answer, whatever it does */
  unsigned most_total;               /* seconds of processor time for all answers together */
  unsigned most_starts;              /* children, the first included */
  unsigned most_questions;
} fl_guard_limits;

/* Costs no process before the first question. */
fl_guard *fl_guard_create(fl_guard_work work, const fl_guard_limits *limits); /* NULL: no memory */
/* FL_OK and an answer, valid until the next question; FL_E_LIMIT when there are no more answers to
 * be had; else what the work returned, or FL_E_CORRUPT when the child died over it. */
fl_status fl_guard_ask(fl_guard *guard, const uint8_t *question, size_t n_question,
                       const uint8_t **ret_answer, size_t *ret_n, fl_err *err);
void fl_guard_free(fl_guard *guard); /* NULL is fine */

#endif
