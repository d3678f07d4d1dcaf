/* dump_stack.h - who called whom, as far as a dump without symbols can tell. */
#ifndef FL_PARSERS_DUMP_STACK_H
#define FL_PARSERS_DUMP_STACK_H

#include "parsers/dump_space.h"

/* How a frame was found; what comes first proves more. */
typedef enum dump_method {
  DUMP_BY_CONTEXT, /* the instruction that was about to run */
  DUMP_BY_LEAF,    /* a jump into nothing: who made it stands on top of the stack */
  DUMP_BY_FRAME,   /* the chain of frame pointers */
  DUMP_BY_CALL,    /* a word of the stack that lies behind a call instruction */
  DUMP_BY_SCAN,    /* a word of the stack that lies in a module */
  DUMP_N_METHODS
} dump_method;
extern const char *const dump_method_names[DUMP_N_METHODS]; /* "context", … */

typedef struct dump_frame {
  uint64_t address;
  const dump_module *module; /* NULL: none, not even an unloaded one */
  dump_method method;
  uint32_t n_repeats; /* equal frames that follow, as recursion leaves them */
} dump_frame;

enum { DUMP_FRAMES = 24 };
/* At most DUMP_FRAMES frames, the innermost first. `stack`: what the dump has of it, if it says so.
 */
size_t dump_stack_walk(dump_space *space, const dump_registers *registers, fl_extent stack,
                       dump_frame ret_frames[DUMP_FRAMES]);

#endif
