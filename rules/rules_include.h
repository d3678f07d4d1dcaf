/* rules_include.h - files that include others: where they may lie, and which were read already. */
#ifndef FL_RULES_RULES_INCLUDE_H
#define FL_RULES_RULES_INCLUDE_H

#include <sys/types.h>

#include "rules/flr_parse.h"

/* A file of this run, known by what the file system calls it. */
typedef struct fl_known_file {
  dev_t device;
  ino_t inode;
  bool is_open, is_refused; /* open: being read, so that including it is a circle */
  const fl_alias *aliases;
} fl_known_file;

/* Where the file being read lies. Lives on the stack of who reads it. */
typedef struct fl_place {
  fl_str folder, root; /* its own, and that of the path given; empty = the working folder */
  size_t index;        /* in known */
  unsigned depth;
  const struct fl_place *by; /* who includes it */
} fl_place;

/* `place` NULL: a text that is no file, which may include nothing. */
typedef struct fl_includes {
  const fl_place *place;
  fl_known_file *known;
  size_t n, cap;
  const fl_alias *aliases; /* of the text read last */
} fl_includes;

/* A file is about to be read that the user named, or that lies in the folder `root`, with '/' at
 * its end; NULL = in the file's own. False when it was read already. */
bool fl_includes_enter(fl_includes *includes, const char *path, const char *root, int fd,
                       fl_place *ret_place);
void fl_includes_leave(fl_includes *includes, const fl_place *place, fl_status status);
fl_includes *fl_rules_includes(fl_rules *rules);

#endif
