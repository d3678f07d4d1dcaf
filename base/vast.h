/* vast.h - room for an array that may outgrow memory: beyond a bound it lies in a nameless file.
 *
 * The file is mapped, so that items are used as if they were in memory; what was not looked at for
 * a while can be put aside. Disk is reserved before it is used: a full one is an answer. */
#ifndef FL_BASE_VAST_H
#define FL_BASE_VAST_H

#include "faultline/core.h"

typedef struct fl_vast {
  void *items; /* NULL at first; moves when it grows */
  size_t n_bytes;
  bool is_mapped; /* it lies in the file */
  int fd;         /* of the file */
} fl_vast;

/* Room for `n_bytes`, of which no more than `most_memory` are in memory; new bytes have any value.
 * False = there is neither memory nor disk, and nothing has changed. */
bool fl_vast_grow(fl_vast *vast, size_t n_bytes, size_t most_memory);
/* Gives the memory that mapped items take back to the system; they stay as they are. */
void fl_vast_put_aside(const fl_vast *vast);
void fl_vast_done(fl_vast *vast);

/* A file that never has a name, so that nothing stays behind however the run ends; -1 = none. */
int fl_nameless_file(void);

#endif
